//! One x axis and the rows above it.

use plotly::common::DashType;
use plotly::layout::{Axis, AxisType, SpikeMode, SpikeSnap};
use serde_json::{Value, json};

use super::{Clock, object, patch};
use crate::{rows::color, words};

/// Pixels between a row and the title of the one below it.
const GAP: f64 = 8.0;
/// Pixels that a row's title and legend take.
const HEAD: f64 = 24.0;
/// Pixels above the rows, for the buttons of plotly.js.
const ABOVE: f64 = 30.0;
/// Pixels of a line of times below the rows.
const BELOW: f64 = 16.0;

/// The y axes as they are given out, from top to bottom.
#[derive(Default)]
pub(crate) struct Axes {
    strips: Vec<Strip>,
    /// Every axis with the strip that it belongs to.
    axes: Vec<(Value, usize)>,
    /// The axis of the first row of curves.
    first: Option<usize>,
}

/// A row: its title and the room below it.
struct Strip {
    title: String,
    height: f64,
    /// Whether it holds curves, and pressure shades it.
    is_row: bool,
}

impl Axes {
    /// A new strip below those before, with `axis` on its left; its y axis and legend.
    pub(crate) fn strip(&mut self, title: &str, height: f64, is_row: bool, axis: Axis) -> Ids {
        self.strips.push(Strip { title: words::plain(title), height, is_row });
        if is_row && self.first.is_none() {
            self.first = Some(self.axes.len());
        }
        self.push(axis)
    }

    /// Another axis over the last strip's, on its right.
    pub(crate) fn right(&mut self, axis: Axis, below: &Ids) -> Ids {
        let axis = axis.overlaying(&below.y).side(plotly::common::AxisSide::Right);
        self.push(axis.show_grid(false))
    }

    /// A strip of no height that says what is not there.
    pub(crate) fn not_measured(&mut self, title: &str, clock: Clock, data: &mut Vec<Value>) {
        let axis = Axis::new().visible(false).fixed_range(true);
        let ids = self.strip(&words::shortened(title, 140), 2.0, false, axis);
        // An axis without a trace is not drawn, and this one may carry the time axis.
        data.push(json!({
            "type": "scatter", "mode": "lines", "yaxis": ids.y, "showlegend": false,
            "hoverinfo": "skip", "x": [clock.ms(clock.start), clock.ms(clock.end)], "y": [null, null],
        }));
    }

    fn push(&mut self, axis: Axis) -> Ids {
        let axis =
            serde_json::to_value(axis.fixed_range(true).zero_line(false)).unwrap_or_default();
        self.axes.push((axis, self.strips.len() - 1));
        Ids { y: numbered("y", self.axes.len()), legend: numbered("legend", self.strips.len()) }
    }

    /// Top and bottom of the rows of curves, as shares of the figure's height.
    pub(crate) fn rows(&self) -> Option<(f64, f64)> {
        let domains = self.domains();
        let mut rows = self.strips.iter().zip(&domains).filter(|(strip, _)| strip.is_row);
        let first = rows.next()?.1;
        Some((rows.next_back().map_or(first[0], |(_, last)| last[0]), first[1]))
    }

    /// The axis of the first row of curves: that of memory, where it was measured.
    pub(crate) fn first(&self) -> Option<String> {
        self.first.map(|axis| numbered("y", axis + 1))
    }

    /// The legend beside it.
    pub(crate) fn first_legend(&self) -> Option<String> {
        self.first.map(|axis| numbered("legend", self.axes[axis].1 + 1))
    }

    fn height(&self) -> f64 {
        self.strips.iter().map(|strip| HEAD + strip.height + GAP).sum::<f64>() - GAP
    }

    /// Bottom and top of each strip, as shares of the figure's height.
    fn domains(&self) -> Vec<[f64; 2]> {
        let height = self.height();
        let mut top = 0.0;
        let domains = self.strips.iter().map(|strip| {
            let domain = [height - top - HEAD - strip.height, height - top - HEAD];
            top += HEAD + strip.height + GAP;
            domain.map(|y| (y / height).clamp(0.0, 1.0))
        });
        domains.collect()
    }

    /// Writes the axes, titles and legends into `layout`.
    pub(crate) fn write(&self, layout: &mut Value, clock: Clock) {
        let domains = self.domains();
        let height = self.height();
        let bottom = self.axes.iter().position(|(_, strip)| *strip == self.strips.len() - 1);
        let axes = self.axes.iter().enumerate().map(|(i, (axis, strip))| {
            let mut axis = axis.clone();
            patch(&mut axis, json!({ "domain": domains[*strip] }));
            (numbered("yaxis", i + 1), axis)
        });
        let legends = domains.iter().enumerate().map(|(i, domain)| {
            let legend = json!({
                "orientation": "h", "x": 1, "xanchor": "right", "y": domain[1],
                "yanchor": "bottom", "font": { "size": 11 }, "bgcolor": "rgba(0,0,0,0)",
                "itemwidth": 30, "tracegroupgap": 0,
            });
            (numbered("legend", i + 1), legend)
        });
        let titles = self.strips.iter().zip(&domains).map(|(strip, domain)| {
            json!({
                "text": format!("<b>{}</b>", strip.title), "showarrow": false,
                "xref": "paper", "x": 0, "xanchor": "left", "align": "left",
                "yref": "paper", "y": domain[1], "yanchor": "bottom", "yshift": 1,
                "font": { "size": 12 },
            })
        });
        let titles: Vec<Value> = titles.collect();
        let below = BELOW * if clock.is_short() { 2.0 } else { 3.0 };
        patch(layout, object(axes.chain(legends)));
        patch(
            layout,
            json!({
                "annotations": titles,
                "height": height + ABOVE + below,
                "margin": { "t": ABOVE, "b": below },
                "xaxis": x(clock, &numbered("y", bottom.unwrap_or_default() + 1)),
            }),
        );
    }
}

/// The time axis, at the y axis `bottom`.
fn x(clock: Clock, bottom: &str) -> Value {
    // A date axis, whose ticks fall on whole minutes and hours.
    let whole = if clock.is_short() { "%H:%M:%S" } else { "%H:%M:%S\nday %-j" };
    let axis = Axis::new()
        .type_(AxisType::Date)
        .anchor(bottom)
        .range(vec![clock.ms(clock.start), clock.ms(clock.end)])
        .hover_format(format!("{}.%3f", whole.replace('\n', ", ")))
        .tick_format(whole)
        .show_spikes(true)
        .spike_mode(SpikeMode::Across)
        .spike_snap(SpikeSnap::Cursor)
        .spike_dash(DashType::Solid)
        .spike_thickness(1)
        .spike_color(color::GREY);
    let mut axis = serde_json::to_value(axis).unwrap_or_default();
    let fine = whole.replace("%S", "%S.%2f");
    patch(
        &mut axis,
        json!({
            "ticklabelstandoff": 5,
            "tickformatstops": [{ "dtickrange": [null, 1000], "value": fine }],
        }),
    );
    axis
}

/// What a trace says to belong to a strip.
pub(crate) struct Ids {
    pub(crate) y: String,
    pub(crate) legend: String,
}

/// `y`, `y2`, `y3`, as plotly.js counts.
fn numbered(name: &str, n: usize) -> String {
    if n == 1 { name.to_owned() } else { format!("{name}{n}") }
}
