//! The same run as a Chrome trace, which Perfetto and chrome://tracing open.
//!
//! Each machine is a process, each lane a thread of it; a row of curves is a counter.
//! Times are microseconds after the start of the run.

use pipe::{Document, Error};
use serde_json::{Value, json};

use crate::{
    bar::Bar,
    columns::{Column, Columns, MISSING, micros},
    lane,
    recording::Recording,
    rows::{Drawn, ROWS},
    section::Section,
};

/// Writes `recording` to `output`, sample by sample.
///
/// # Errors
///
/// When writing fails.
pub(crate) fn write(recording: &Recording, output: &mut Document) -> Result<(), Error> {
    let zero = micros(recording.start().unwrap_or_default());
    let mut events = Events { output, first: true };
    events.output.text("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    for (index, section) in recording.sections.iter().enumerate() {
        let name = if section.host.is_empty() { "machine" } else { &section.host };
        let pid = index + 1;
        let name = json!({ "name": pipe::printable(name) });
        events.event(json!({ "ph": "M", "pid": pid, "name": "process_name", "args": name }))?;
        lanes(section, pid, zero, &mut events)?;
        counters(&section.columns, pid, zero, &mut events)?;
    }
    events.output.text("\n]}\n")
}

/// The events of a trace, one a line.
struct Events<'a> {
    output: &'a mut Document,
    first: bool,
}

impl Events<'_> {
    fn event(&mut self, event: Value) -> Result<(), Error> {
        self.text(&event.to_string())
    }

    fn text(&mut self, event: &str) -> Result<(), Error> {
        self.output.text(if self.first { "\n" } else { ",\n" })?;
        self.first = false;
        self.output.text(event)
    }
}

fn lanes(section: &Section, pid: usize, zero: i64, events: &mut Events<'_>) -> Result<(), Error> {
    let rows = lane::rows(section.cases.iter().map(|case| (case.start, case.end)));
    name_lanes("Tests", 100, &rows, pid, events)?;
    for (case, row) in section.cases.iter().zip(rows) {
        let args = json!({
            "outcome": case.outcome, "model": case.model, "backend": case.backend,
            "reason": case.reason, "id": case.id,
        });
        let times = (case.start, case.end);
        events.event(slice(&case.name, case.outcome.name(), times, pid, 100 + row, args, zero))?;
    }
    let others = [
        ("Models", 200, &section.models),
        ("Phases", 300, &section.phases),
        ("Anomalies", 400, &section.anomalies),
    ];
    for (name, first, bars) in others {
        let rows = lane::rows(bars.iter().map(|bar| (bar.start, bar.end)));
        name_lanes(name, first, &rows, pid, events)?;
        for (bar, row) in bars.iter().zip(rows) {
            events.event(of_bar(bar, pid, first + row, zero))?;
        }
    }
    Ok(())
}

/// Threads have a number; these get a name and their place.
fn name_lanes(
    name: &str,
    first: usize,
    rows: &[usize],
    pid: usize,
    events: &mut Events<'_>,
) -> Result<(), Error> {
    let count = rows.iter().max().map_or(0, |row| row + 1);
    for tid in first..first + count {
        let thread = |what: &str, args: Value| json!({ "ph": "M", "pid": pid, "tid": tid, "name": what, "args": args });
        events.event(thread("thread_name", json!({ "name": name })))?;
        events.event(thread("thread_sort_index", json!({ "sort_index": tid })))?;
    }
    Ok(())
}

fn of_bar(bar: &Bar, pid: usize, tid: usize, zero: i64) -> Value {
    let class = serde_json::to_value(bar.class).unwrap_or_default();
    let args = json!({ "about": bar.about });
    let category = class.as_str().unwrap_or_default();
    slice(&bar.name, category, (bar.start, bar.end), pid, tid, args, zero)
}

fn slice(
    name: &str,
    category: &str,
    (start, end): (f64, f64),
    pid: usize,
    tid: usize,
    args: Value,
    zero: i64,
) -> Value {
    let (start, end) = (micros(start), micros(end));
    json!({
        "ph": "X", "name": pipe::printable(name), "cat": category, "pid": pid, "tid": tid,
        "ts": start - zero, "dur": end - start, "args": args,
    })
}

/// A counter for each row of curves, with a value wherever something was measured.
fn counters(
    columns: &Columns,
    pid: usize,
    zero: i64,
    events: &mut Events<'_>,
) -> Result<(), Error> {
    let all: Vec<&Column> = columns.iter().collect();
    let mut rows: Vec<(String, Vec<(String, &Column)>)> = Vec::new();
    for row in ROWS {
        // What is drawn on an axis of its own is a counter of its own.
        for right in [false, true] {
            let curves: Vec<Drawn> =
                row.drawn(columns).into_iter().filter(|curve| curve.right == right).collect();
            if let Some(Drawn { name, .. }) = curves.first() {
                let title =
                    if right { format!("{}{name}", row.prefix) } else { row.title.to_owned() };
                let values = curves.iter().map(|curve| (value_name(curve), all[curve.column]));
                rows.push((title, values.collect()));
            }
        }
    }
    let mut text = String::new();
    for (i, time) in columns.times.iter().enumerate() {
        for (title, curves) in &rows {
            text.clear();
            for (name, column) in curves.iter().filter(|(_, column)| column.values[i] != MISSING) {
                let value = column.value(column.values[i]);
                text += &format!(",{}:{value}", json!(name));
            }
            if let Some(values) = text.strip_prefix(',') {
                let (ts, title) = (time - zero, json!(title));
                events.text(&format!(
                    r#"{{"ph":"C","name":{title},"pid":{pid},"ts":{ts},"args":{{{values}}}}}"#
                ))?;
            }
        }
    }
    Ok(())
}

/// What the value of a curve is called. Viewers write it behind the name of its counter.
fn value_name(curve: &Drawn) -> String {
    match (curve.right, curve.unit.trim()) {
        (false, _) => format!("{}{}", curve.name, curve.unit),
        (true, "") => "value".to_owned(),
        (true, unit) => unit.to_owned(),
    }
}
