//! The rows of the timeline: which series stand together, and how each is drawn.

use std::borrow::Cow;

use serde::Serialize;

use crate::columns::Columns;

/// One row. Its heights and colours are the page's matter.
pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// What stands before a curve's name where the row's title does not.
    pub(crate) prefix: &'static str,
    pub(crate) scale: Scale,
    curves: &'static [Curve],
    /// Whether it is shown as not measured when it is not.
    pub(crate) expected: bool,
}

/// The range of a row's left axis.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// From 0 to the machine's memory, in GB.
    Memory,
    /// From 0 to 100.
    Percent,
    /// From 0 to the greatest value.
    FromZero,
}

/// How a curve is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    Solid,
    Dash,
    Dot,
    /// Filled down to zero.
    Area,
    /// In the legend, drawn when it is clicked there.
    Optional,
}

#[derive(Clone, Copy)]
struct Curve {
    series: &'static str,
    name: &'static str,
    unit: &'static str,
    /// Decimals of its values where they are read.
    digits: u8,
    style: Style,
    /// On top of that one: the area between them is this series.
    above: Option<&'static str>,
    /// Drawn only if it ever exceeded 0.
    if_any: bool,
    /// Drawn only where it differs from that one.
    unlike: Option<&'static str>,
    /// Whether it has an axis of its own, on the right.
    right: bool,
}

const fn curve(
    series: &'static str,
    name: &'static str,
    (unit, digits): (&'static str, u8),
    style: Style,
) -> Curve {
    let (above, unlike) = (None, None);
    Curve { series, name, unit, digits, style, above, if_any: false, unlike, right: false }
}

impl Curve {
    const fn on_the_right(mut self) -> Curve {
        self.right = true;
        self
    }

    fn is_drawn(&self, columns: &Columns) -> bool {
        let Some(column) = columns.get(self.series) else {
            return false;
        };
        self.above.is_none_or(|below| columns.get(below).is_some())
            && (!self.if_any || column.max().is_some_and(|max| max > 0.0))
            && self.unlike.is_none_or(|other| differ(columns, self.series, other))
    }
}

/// Whether two series are ever more than one unit apart, or only one is there.
fn differ(columns: &Columns, a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (columns.get(a), columns.get(b)) else {
        return true;
    };
    let one = 10u32.pow(a.decimals.into());
    a.values.iter().zip(&b.values).any(|(a, b)| a.abs_diff(*b) > one)
}

const GB: (&str, u8) = (" GB", 3);
const MB: (&str, u8) = (" MB", 1);
const PCT: (&str, u8) = (" %", 1);
const WATT: (&str, u8) = (" W", 2);

/// Every row, from top to bottom.
pub(crate) static ROWS: &[Row] = &[
    Row {
        title: "Memory",
        prefix: "",
        scale: Scale::Memory,
        expected: true,
        curves: &[
            curve("ram_free_gb", "free", GB, Style::Solid),
            curve("tree_rss_gb", "tree RSS", GB, Style::Dash),
            curve("tree_footprint_gb", "tree footprint", GB, Style::Dash),
            curve("ram_used_gb", "used", GB, Style::Optional),
            Curve { if_any: true, ..curve("swap_used_mb", "swap", MB, Style::Dot).on_the_right() },
        ],
    },
    Row {
        title: "CPU",
        prefix: "CPU ",
        scale: Scale::Percent,
        expected: true,
        curves: &[
            Curve { above: Some("cpu_user"), ..curve("cpu_sys", "system", PCT, Style::Area) },
            curve("cpu_user", "user", PCT, Style::Area),
            curve("load_1", "load, 1 min", ("", 2), Style::Dash).on_the_right(),
        ],
    },
    Row {
        title: "GPU",
        prefix: "GPU ",
        scale: Scale::Percent,
        expected: true,
        curves: &[
            curve("gpu_device_util", "device", PCT, Style::Solid),
            curve("gpu_renderer_util", "renderer", PCT, Style::Dash),
            Curve {
                unlike: Some("gpu_renderer_util"),
                ..curve("gpu_tiler_util", "tiler", PCT, Style::Dot)
            },
        ],
    },
    Row {
        title: "GPU memory, power",
        prefix: "GPU ",
        scale: Scale::FromZero,
        expected: false,
        curves: &[
            curve("gpu_mem_used_gb", "memory", GB, Style::Solid),
            curve("gpu_power_w", "power", WATT, Style::Dash).on_the_right(),
        ],
    },
];

/// The series that pressure bands are made of.
pub(crate) const PRESSURE: &str = "memory_pressure";
/// The series that says how much memory there is.
pub(crate) const TOTAL: &str = "ram_total_gb";

/// The series of samples that are needed: a bit for each place in [`records::SERIES`].
pub(crate) fn wanted() -> u64 {
    let curves = ROWS.iter().flat_map(|row| row.curves);
    let names = curves.map(|curve| curve.series).chain([PRESSURE, TOTAL]);
    names.fold(0, |bits, name| bits | 1 << records::place(name))
}

/// A curve of a machine: what the page needs to draw it.
#[derive(Serialize)]
pub(crate) struct Drawn {
    /// What its colour goes by: the series' name, of one GPU among several its number.
    pub(crate) key: Cow<'static, str>,
    /// Its column.
    pub(crate) column: usize,
    /// The column that it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<usize>,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// Decimals of its values where they are read.
    pub(crate) digits: u8,
    pub(crate) style: Style,
    pub(crate) right: bool,
    /// Its greatest value.
    pub(crate) max: f64,
}

impl Row {
    /// The curves of this row that were measured.
    pub(crate) fn drawn(&self, columns: &Columns) -> Vec<Drawn> {
        let curves = self.curves.iter().filter(|curve| curve.is_drawn(columns));
        curves
            .flat_map(|curve| of_each_gpu(curve, columns).unwrap_or_else(|| of(curve, columns)))
            .collect()
    }

    /// The series that it shows.
    pub(crate) fn series(&self) -> Vec<&'static str> {
        self.curves.iter().map(|curve| curve.series).collect()
    }
}

fn of(curve: &Curve, columns: &Columns) -> Vec<Drawn> {
    drawn(curve, curve.series.into(), curve.name.to_owned(), curve.series, columns)
        .into_iter()
        .collect()
}

/// Where there are several GPUs each has a curve, instead of their sum or maximum.
fn of_each_gpu(curve: &Curve, columns: &Columns) -> Option<Vec<Drawn>> {
    let field = curve.series.strip_prefix("gpu_")?;
    let gpus = (0..).map_while(|n: usize| {
        let column = format!("gpu.{n}.{field}");
        let name = format!("{n} {}", curve.name);
        drawn(curve, format!("gpu.{n}").into(), name, &column, columns)
    });
    Some(gpus.collect::<Vec<_>>()).filter(|gpus| gpus.len() > 1)
}

fn drawn(
    curve: &Curve,
    key: Cow<'static, str>,
    name: String,
    column: &str,
    columns: &Columns,
) -> Option<Drawn> {
    let Curve { unit, digits, style, right, .. } = *curve;
    Some(Drawn {
        key,
        column: columns.position(column)?,
        above: curve.above.and_then(|below| columns.position(below)),
        name,
        unit,
        digits,
        style,
        right,
        max: columns.get(column)?.max()?,
    })
}

#[cfg(test)]
mod tests {
    use records::{GpuSample, Origin, Sample, Values};

    use super::{ROWS, wanted};
    use crate::columns::Columns;

    fn columns(samples: &[Sample]) -> Columns {
        let mut columns = Columns::default();
        for sample in samples {
            columns.push(sample.ts, &Values::of(sample), wanted());
            columns.push_gpus(sample.gpus.as_deref().unwrap_or_default());
        }
        columns.sort();
        columns
    }

    fn names(columns: &Columns) -> Vec<String> {
        let curves = ROWS.iter().flat_map(|row| row.drawn(columns));
        curves.map(|curve| curve.name).collect()
    }

    fn sample(renderer: f64, tiler: f64, swap: f64) -> Sample {
        let mut sample = Sample::at(0.0, &Origin::default());
        sample.gpu_renderer_util = Some(renderer);
        sample.gpu_tiler_util = Some(tiler);
        sample.swap_used_mb = Some(swap);
        sample
    }

    #[test]
    fn every_curve_shows_a_series_that_samples_can_have() {
        for curve in ROWS.iter().flat_map(|row| row.curves) {
            let series = records::series(curve.series).unwrap();
            assert_eq!(series.unit.decimals(), curve.digits, "{}", curve.series);
            assert!(wanted() >> records::place(curve.series) & 1 == 1);
        }
        assert!(wanted() >> records::place("load_15") & 1 == 0);
    }

    #[test]
    fn the_tiler_is_drawn_where_it_differs_and_swap_where_there_is_some() {
        assert_eq!(names(&columns(&[sample(40.0, 40.9, 0.0)])), ["renderer"]);
        let seen = [sample(40.0, 40.0, 0.0), sample(40.0, 42.0, 0.1)];
        assert_eq!(names(&columns(&seen)), ["swap", "renderer", "tiler"]);
    }

    #[test]
    fn each_of_several_gpus_has_its_own_curve() {
        let mut sample = Sample::at(0.0, &Origin::default());
        sample.gpu_device_util = Some(90.0);
        sample.gpu_power_w = Some(400.0);
        let gpu = |util| GpuSample { device_util: Some(util), ..GpuSample::default() };
        sample.gpus = Some(vec![gpu(10.0), gpu(90.0)]);
        assert_eq!(names(&columns(&[sample])), ["0 device", "1 device", "power"]);
    }
}
