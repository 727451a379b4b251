//! The rows of the timeline: which series stand together, and how each is drawn.

use crate::columns::Columns;

/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
pub(crate) mod color {
    pub(crate) const BLUE: &str = "#0072B2";
    pub(crate) const VERMILION: &str = "#D55E00";
    pub(crate) const GREEN: &str = "#009E73";
    pub(crate) const PURPLE: &str = "#CC79A7";
    pub(crate) const ORANGE: &str = "#E69F00";
    pub(crate) const SKY: &str = "#56B4E9";
    pub(crate) const GREY: &str = "#8C8C8C";
}
use color::{BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION};

/// One row.
pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// What stands before a curve's name where the row's title does not.
    pub(crate) prefix: &'static str,
    pub(crate) left: Scale,
    pub(crate) curves: &'static [Curve],
    /// Pixels.
    pub(crate) height: f64,
    /// Whether it is shown as not measured when it is not.
    pub(crate) expected: bool,
}

/// The range of a row's left axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From 0 to the machine's memory, in GB.
    Memory,
    /// From 0 to 100.
    Percent,
    /// From 0 to the greatest value.
    FromZero,
}

/// One curve.
pub(crate) struct Curve {
    pub(crate) values: Values,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) decimals: u8,
    pub(crate) color: &'static str,
    pub(crate) style: Style,
    /// Whether it has an axis of its own, on the right.
    pub(crate) right: bool,
}

/// Where a curve's values come from.
#[derive(Clone, Copy)]
pub(crate) enum Values {
    /// A series as it is.
    Of(&'static str),
    /// The second on top of the first: the area between them is the second.
    Above(&'static str, &'static str),
    /// A series that is drawn only if it ever exceeded 0.
    IfAny(&'static str),
}

/// How a curve is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Solid,
    Dash,
    Dot,
    /// Filled down to zero.
    Area,
    /// In the legend, drawn when it is clicked there.
    Optional,
}

const fn curve(
    series: &'static str,
    name: &'static str,
    (unit, decimals): (&'static str, u8),
    color: &'static str,
    style: Style,
) -> Curve {
    Curve { values: Values::Of(series), name, unit, decimals, color, style, right: false }
}

impl Curve {
    const fn on_the_right(mut self) -> Curve {
        self.right = true;
        self
    }

    const fn valued(mut self, values: Values) -> Curve {
        self.values = values;
        self
    }

    /// The series that it shows.
    pub(crate) fn series(&self) -> &'static str {
        match self.values {
            Values::Of(series) | Values::Above(_, series) | Values::IfAny(series) => series,
        }
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_measured(&self, columns: &Columns) -> bool {
        match self.values {
            Values::Of(series) => columns.get(series).is_some(),
            Values::Above(below, series) => {
                columns.get(below).is_some() && columns.get(series).is_some()
            }
            Values::IfAny(series) => columns.max(series).is_some_and(|max| max > 0.0),
        }
    }
}

const GB: (&str, u8) = (" GB", 2);
const MB: (&str, u8) = (" MB", 0);
const PCT: (&str, u8) = (" %", 0);
const WATT: (&str, u8) = (" W", 1);

/// Every row, from top to bottom.
pub(crate) static ROWS: &[Row] = &[
    Row {
        title: "Memory",
        prefix: "",
        left: Scale::Memory,
        height: 190.0,
        expected: true,
        curves: &[
            curve("ram_free_gb", "free", GB, BLUE, Style::Solid),
            curve("tree_rss_gb", "tree RSS", GB, VERMILION, Style::Dash),
            curve("tree_footprint_gb", "tree footprint", GB, ORANGE, Style::Dash),
            curve("ram_used_gb", "used", GB, GREY, Style::Optional),
            curve("swap_used_mb", "swap", MB, PURPLE, Style::Dot)
                .valued(Values::IfAny("swap_used_mb"))
                .on_the_right(),
        ],
    },
    Row {
        title: "CPU",
        prefix: "CPU ",
        left: Scale::Percent,
        height: 120.0,
        expected: true,
        curves: &[
            curve("cpu_sys", "system", PCT, ORANGE, Style::Area)
                .valued(Values::Above("cpu_user", "cpu_sys")),
            curve("cpu_user", "user", PCT, SKY, Style::Area),
            curve("load_1", "load, 1 min", ("", 2), GREEN, Style::Dash).on_the_right(),
        ],
    },
    Row {
        title: "GPU",
        prefix: "GPU ",
        left: Scale::Percent,
        height: 120.0,
        expected: true,
        curves: &[
            curve("gpu_device_util", "device", PCT, GREEN, Style::Solid),
            curve("gpu_renderer_util", "renderer", PCT, PURPLE, Style::Dash),
            curve("gpu_tiler_util", "tiler", PCT, ORANGE, Style::Dot),
        ],
    },
    Row {
        title: "GPU memory, power",
        prefix: "GPU ",
        left: Scale::FromZero,
        height: 100.0,
        expected: false,
        curves: &[
            curve("gpu_mem_used_gb", "memory", GB, BLUE, Style::Solid),
            curve("gpu_power_w", "power", WATT, VERMILION, Style::Dash).on_the_right(),
        ],
    },
];

/// The series that pressure bands are made of.
pub(crate) const PRESSURE: &str = "memory_pressure";
/// The series that says how much memory there is.
pub(crate) const TOTAL: &str = "ram_total_gb";

/// Whether the samples' series called `name` is needed.
pub(crate) fn is_read(name: &str) -> bool {
    name == PRESSURE
        || name == TOTAL
        || ROWS.iter().flat_map(|row| row.curves).any(|curve| curve.series() == name)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, Values, is_read};

    #[test]
    fn every_curve_shows_a_series_that_samples_can_have() {
        for curve in ROWS.iter().flat_map(|row| row.curves) {
            assert!(records::series(curve.series()).is_some(), "{}", curve.series());
            if let Values::Above(below, _) = curve.values {
                assert!(is_read(below), "{below}");
            }
        }
        assert!(is_read("memory_pressure") && !is_read("load_15"));
    }
}
