//! What the page reads: what there is to draw, without a word on how.

use records::Outcome;
use serde::Serialize;

use crate::{
    bar,
    case::Case,
    columns::Derived,
    facts,
    lane::{self, Class},
    recording::Recording,
    rows::{Drawn, PRESSURE, ROWS, Scale, TOTAL},
    section::Section,
    words::shortened,
};

/// A machine of a run. Times are in milliseconds after the start of the run.
#[derive(Serialize)]
pub(crate) struct View {
    /// Which of the runs it belongs to.
    run: usize,
    /// What tells it from others; empty where it is alone.
    label: String,
    samples: usize,
    /// The time between samples that the times are packed with, in microseconds.
    step: i64,
    columns: Vec<Column>,
    /// The column of memory pressure.
    pressure: Option<usize>,
    /// Physical memory in GB.
    memory: Option<f64>,
    rows: Vec<Row>,
    tests: Vec<Test>,
    models: Vec<Bar>,
    phases: Vec<Bar>,
    anomalies: Vec<Bar>,
}

/// A packed column.
#[derive(Serialize)]
struct Column {
    /// The name of its series.
    name: String,
    decimals: u8,
    /// Its usual time between values, in microseconds; none where there is one value.
    interval: Option<i64>,
    /// How it is had from others, where it is not carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    derived: Option<Derived>,
}

#[derive(Serialize)]
struct Row {
    title: &'static str,
    prefix: &'static str,
    scale: Scale,
    curves: Vec<Drawn>,
    /// Said instead of curves: that it was not measured, and why where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

#[derive(Serialize)]
struct Test {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    outcome: Outcome,
    class: Class,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    start: f64,
    end: f64,
    /// The row of the lane that it stands in.
    lane: usize,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree_gb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free_gb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu_pct: Option<f64>,
}

#[derive(Serialize)]
struct Bar {
    class: bar::Class,
    name: String,
    about: Vec<String>,
    start: f64,
    end: f64,
    lane: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

impl View {
    /// The machine `section` of `recording`, which is run number `run` and began at
    /// `start` (Unix seconds).
    pub(crate) fn of(
        recording: &Recording,
        section: &Section,
        run: usize,
        label: String,
        start: f64,
    ) -> View {
        let columns = &section.columns;
        let column = |(index, column): (usize, &crate::columns::Column)| Column {
            name: column.name.clone().into_owned(),
            decimals: column.decimals,
            interval: columns.interval_of(column),
            derived: columns.derived(index),
        };
        let total = columns.get(TOTAL).and_then(crate::columns::Column::max);
        let ms = |ts: f64| after(start, ts);
        View {
            run,
            label: text(&label),
            samples: columns.len(),
            step: section.step(),
            columns: columns.iter().enumerate().map(column).collect(),
            pressure: columns.position(PRESSURE),
            memory: section.memory_gb.or(total).filter(|gb| *gb > 0.0),
            rows: rows(recording, section),
            tests: tests(&section.cases, ms),
            models: bars(&section.models, ms),
            phases: bars(&section.phases, ms),
            anomalies: bars(&section.anomalies, ms),
        }
    }
}

/// Milliseconds from `start` to `ts`, both in Unix seconds, to the microsecond.
pub(crate) fn after(start: f64, ts: f64) -> f64 {
    ((ts - start) * 1e6).round() / 1e3
}

fn rows(recording: &Recording, section: &Section) -> Vec<Row> {
    let rows = ROWS.iter().filter_map(|row| {
        let curves = row.drawn(&section.columns);
        let missing = curves.is_empty();
        if missing && !(row.expected && section.columns.len() > 0) {
            return None;
        }
        let why = || match facts::reason(recording, section, &row.series()) {
            Some(why) => format!("not measured ({})", text(&shortened(&why, 300))),
            None => "not measured".to_owned(),
        };
        let (title, prefix, scale) = (row.title, row.prefix, row.scale);
        Some(Row { title, prefix, scale, curves, missing: missing.then(why) })
    });
    rows.collect()
}

fn tests(cases: &[Case], ms: impl Fn(f64) -> f64) -> Vec<Test> {
    let lanes = lane::rows(cases.iter().map(|case| (case.start, case.end)));
    let tests = cases.iter().zip(lanes).map(|(case, lane)| Test {
        id: text(&case.id),
        name: text(&shortened(&case.name, 120)),
        model: case.model.as_deref().map(text),
        backend: case.backend.as_deref().map(text),
        outcome: case.outcome,
        class: Class::of(case),
        reason: case.reason.as_deref().map(|reason| text(&shortened(reason, 300))),
        start: ms(case.start),
        end: ms(case.end),
        lane,
        took: case.duration,
        tree_gb: case.tree_gb,
        free_gb: case.free_gb,
        swap_mb: case.swap_mb,
        gpu_pct: case.gpu_pct,
    });
    tests.collect()
}

fn bars(bars: &[bar::Bar], ms: impl Fn(f64) -> f64) -> Vec<Bar> {
    let lanes = lane::rows(bars.iter().map(|bar| (bar.start, bar.end)));
    let bars = bars.iter().zip(lanes).map(|(bar, lane)| Bar {
        class: bar.class,
        name: text(&shortened(&bar.name, 120)),
        about: bar.about.iter().map(|line| text(&shortened(line, 300))).collect(),
        start: ms(bar.start),
        end: ms(bar.end),
        lane,
        level: bar.level_gb,
    });
    bars.collect()
}

/// Text without what a terminal or a browser would take for more than a letter.
fn text(text: &str) -> String {
    pipe::printable(text).into_owned()
}
