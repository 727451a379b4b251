//! The figure: traces and layout for plotly.js.
//!
//! All rows hang on one x axis; only so does hovering reach across them
//! (`hoversubplots: "axis"`). The `plotly` crate's types make the JSON; what they do
//! not know yet (bar bases, a legend per row, labels of shapes) is patched into it.

mod axes;
mod bars;
mod curves;
mod shapes;

use plotly::{
    Configuration, Layout,
    configuration::DisplayModeBar,
    layout::{BarMode, DragMode, HoverMode, Margin, ModeBar},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    bands::bands,
    columns::median_interval,
    facts,
    recording::Recording,
    rows::{ROWS, Row, color},
};
use axes::Axes;

/// The figure and what is to be said of it.
#[derive(Serialize)]
pub(crate) struct Figure {
    data: Vec<Value>,
    layout: Value,
    config: Value,
    /// Rows of curves that are drawn.
    pub(crate) rows: usize,
    /// Bars of tests and loads.
    pub(crate) bars: usize,
    /// What is drawn of what was measured, in a sentence.
    pub(crate) points: Option<String>,
}

/// The zero of the time axis: 1 January 1971 in milliseconds. plotly.js takes numbers
/// below 10,000 for years, and the first day of a year is day 1.
const ZERO: f64 = 31_536_000_000.0;

/// The time axis: what is drawn stands in milliseconds after [`ZERO`].
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// Unix seconds.
    pub(crate) start: f64,
    /// Unix seconds.
    pub(crate) end: f64,
    /// Seconds between samples, or what stands for it without samples.
    pub(crate) interval: f64,
}

impl Clock {
    /// The axis from the first to the last of all times; `None` without any.
    pub(crate) fn of(recording: &Recording) -> Option<Clock> {
        let (start, end) = recording.start().zip(recording.end())?;
        let interval = median_interval(recording.columns.times.iter().copied());
        // A run of one instant still needs a width to be drawn in.
        let interval = interval.unwrap_or((end - start) / 1000.0).max(0.001);
        Some(Clock { start, end: end.max(start + interval), interval })
    }

    /// Whether the axis needs no days.
    pub(crate) fn is_short(self) -> bool {
        self.end - self.start < 86_400.0
    }

    /// Where `ts` (Unix seconds) stands on the axis; whole milliseconds.
    pub(crate) fn ms(self, ts: f64) -> i64 {
        // Rounded, and far below 2^53.
        (ZERO + (ts - self.start) * 1e3).round() as i64
    }
}

impl Figure {
    /// The figure of `recording`; `None` when there is nothing to draw.
    pub(crate) fn of(recording: &Recording) -> Option<Figure> {
        let clock = Clock::of(recording)?;
        if recording.columns.len() == 0 && recording.cases.is_empty() && recording.loads.is_empty()
        {
            return None;
        }
        let mut axes = Axes::default();
        let mut data = Vec::new();

        let bars = bars::lanes(recording, clock, &mut axes, &mut data);
        let mut shown = Vec::new();
        let (mut drawn, mut measured) = (0, 0);
        for row in ROWS {
            let is_measured = row.curves.iter().any(|c| c.is_measured(&recording.columns));
            if is_measured {
                let points = curves::row(row, recording, clock, &mut axes, &mut data);
                drawn += points.drawn;
                measured += points.measured;
                shown.push(row);
            } else if row.expected && recording.columns.len() > 0 {
                axes.not_measured(&not_measured(row, recording), clock, &mut data);
            }
        }

        let bands = bands(&recording.columns, clock.interval);
        let mut layout = layout(&axes, clock);
        shapes::add(&mut layout, recording, clock, &bands, &axes);
        Some(Figure {
            data,
            layout,
            config: serde_json::to_value(configuration()).unwrap_or_default(),
            rows: shown.len(),
            bars,
            points: facts::points(drawn, measured, &bands),
        })
    }
}

/// `GPU: not measured`, with the reason where the stream gives one.
fn not_measured(row: &Row, recording: &Recording) -> String {
    let series: Vec<&str> = row.curves.iter().map(crate::rows::Curve::series).collect();
    match facts::reason(recording, &series) {
        Some(why) => format!("{}: not measured ({why})", row.title),
        None => format!("{}: not measured", row.title),
    }
}

fn layout(axes: &Axes, clock: Clock) -> Value {
    let layout = Layout::new()
        .auto_size(true)
        .bar_mode(BarMode::Overlay)
        .bar_gap(0.0)
        .hover_mode(HoverMode::XUnified)
        .drag_mode(DragMode::Zoom)
        .hover_distance(40)
        .show_legend(true)
        .mode_bar(ModeBar::new().background_color("rgba(0,0,0,0)").color(color::GREY))
        .margin(Margin::new().left(56).right(60));
    let mut layout = serde_json::to_value(layout).unwrap_or_default();
    patch(&mut layout, json!({ "hoversubplots": "axis" }));
    axes.write(&mut layout, clock);
    layout
}

fn configuration() -> Configuration {
    Configuration::new()
        .responsive(true)
        .display_logo(false)
        .display_mode_bar(DisplayModeBar::Hover)
}

/// Adds the fields of `more` to `object`, and to the objects within it.
pub(crate) fn patch(object: &mut Value, more: Value) {
    match (object, more) {
        (Value::Object(object), Value::Object(more)) => {
            for (key, value) in more {
                patch(object.entry(key).or_insert(Value::Null), value);
            }
        }
        (place, value) => *place = value,
    }
}

/// An object of `value`, for what is built up from none.
pub(crate) fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(Map::from_iter(fields))
}
