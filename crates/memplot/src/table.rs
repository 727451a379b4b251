//! The table of tests below the figure, for readers and for screen readers.

use serde::Serialize;

use crate::{
    case::Case,
    figure::Clock,
    lane::Class,
    words::{duration, elapsed, shortened},
};

/// The table as the page gets it. All text is plain: the page makes no markup of it.
#[derive(Serialize)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// What the table cannot say, and why.
    note: Option<String>,
}

#[derive(Serialize)]
struct Column {
    name: &'static str,
    /// Whether its cells are figures.
    figures: bool,
}

#[derive(Serialize)]
struct Row {
    cells: Vec<String>,
    /// The outcome's class, for the style.
    class: &'static str,
    reason: Option<String>,
    /// Start and end on the time axis.
    zoom: Option<[i64; 2]>,
}

/// One figure of a case that correlate may have measured.
struct Measure {
    name: &'static str,
    value: fn(&Case) -> Option<f64>,
    unit: &'static str,
    decimals: usize,
}

const MEASURES: [Measure; 4] = [
    Measure { name: "Tree peak", value: |case| case.tree_gb, unit: "GB", decimals: 2 },
    Measure { name: "Least free", value: |case| case.free_gb, unit: "GB", decimals: 2 },
    Measure { name: "Max swap", value: |case| case.swap_mb, unit: "MB", decimals: 0 },
    Measure { name: "Max GPU", value: |case| case.gpu_pct, unit: "%", decimals: 0 },
];

impl Table {
    /// The table of `cases`, whose times count from the start of `clock`.
    pub(crate) fn of(cases: &[Case], clock: Option<Clock>) -> Table {
        let (there, missing): (Vec<&Measure>, Vec<&Measure>) =
            MEASURES.iter().partition(|m| cases.iter().any(|case| (m.value)(case).is_some()));
        let named = ["Test", "Model", "Outcome"].map(|name| Column { name, figures: false });
        let timed = ["Start", "Duration"].map(|name| Column { name, figures: true });
        let measured = there.iter().map(|m| Column { name: m.name, figures: true });
        let note = match (cases.iter().any(|case| case.joined), missing.is_empty()) {
            _ if cases.is_empty() => None,
            (false, _) => Some(
                "What each test used is not in this stream: pipe it through correlate first."
                    .to_owned(),
            ),
            (true, true) => None,
            (true, false) => {
                let names: Vec<&str> = missing.iter().map(|m| m.name).collect();
                Some(format!("Not measured: {}.", names.join(", ")))
            }
        };
        Table {
            columns: named.into_iter().chain(timed).chain(measured).collect(),
            rows: cases.iter().map(|case| row(case, clock, &there)).collect(),
            note,
        }
    }
}

fn row(case: &Case, clock: Option<Clock>, measures: &[&Measure]) -> Row {
    let clean = |text: &str| pipe::printable(text).into_owned();
    let mut cells = vec![
        clean(&case.id),
        case.model.as_deref().map(clean).unwrap_or_else(|| "–".to_owned()),
        case.outcome.name().to_owned(),
        elapsed(case.start - clock.map_or(case.start, |clock| clock.start)),
        case.duration.map_or_else(|| "not measured".to_owned(), duration),
    ];
    cells.extend(measures.iter().map(|m| match (m.value)(case) {
        Some(value) => format!("{value:.*} {}", m.decimals, m.unit),
        None => "–".to_owned(),
    }));
    Row {
        cells,
        class: Class::of(case).name(),
        reason: case.reason.as_deref().map(|reason| clean(&shortened(reason, 300))),
        zoom: clock.map(|clock| [clock.ms(case.start), clock.ms(case.end)]),
    }
}
