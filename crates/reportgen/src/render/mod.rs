//! The report in words and tables.
//!
//! Each module writes one section; none computes more than a difference.

mod baseline;
mod batch;
mod bench;
mod cases;
mod categories;
mod change;
mod chapter;
mod comparison;
mod failures;
mod figure;
mod files;
mod flaky;
mod format;
mod gpu;
mod guide;
mod head;
mod health;
mod history;
mod lives;
mod models;
mod notable;
mod outcome;
mod over;
mod phases;
mod protocol;
mod resources;
mod results;
mod skipped;
mod slowest;
mod summary;
mod targets;
mod verdict;

use crate::page::{About, Cell, Left, Page, Right, Table, code, row};
use chapter::Chapter;
use format::{count, moment, or_none, things};

use crate::{compared::Compared, history::History, hybrid::Hybrid, input::Input, run::Run};

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Whether tables have the rows, too, that nobody sees: for programs.
    pub all_rows: bool,
    /// The runs beside earlier ones.
    pub compare: Option<&'a Compared<'a>>,
    /// How figures went over earlier runs and these.
    pub history: Option<&'a History>,
    /// The strategy of two models that is to be computed.
    pub hybrid: Option<&'a Hybrid>,
}

/// The whole report on `input`.
#[must_use]
pub fn report(input: &Input, options: &Options<'_>) -> Page {
    let mut page = Page::new(options.all_rows);
    match &input.chapters()[..] {
        [] => nothing(&mut page),
        [run] => chapter(&mut page, input, (0, run), options),
        runs => {
            page.heading(1, &format!("Report on {} runs", runs.len()));
            overview(&mut page, runs);
            over::section(&mut page, runs);
            page.depth = 1;
            runs.iter()
                .enumerate()
                .for_each(|(at, run)| chapter(&mut page, input, (at, run), options));
            page.depth = 0;
        }
    }
    if let Some(asked) = options.hybrid
        && let (Some(screen), Some(evaluate)) = (asked.screen.of(input), asked.evaluate.of(input))
    {
        batch::hybrid(&mut page, asked, screen, evaluate);
    }
    if let Some(history) = options.history {
        history::section(&mut page, history);
    }
    files::section(&mut page, input, "");
    if let Some(compared) = options.compare {
        files::section(&mut page, compared.old, " compared with");
    }
    if !input.runs.is_empty() {
        guide::section(&mut page);
    }
    page
}

fn nothing(page: &mut Page) {
    page.heading(1, "Report");
    page.paragraph("Nothing to report: no record was found in the input.");
}

/// Which runs there are, so that none is taken for another.
fn overview(page: &mut Page, runs: &[&Run]) {
    page.paragraph(
        "The input holds several runs. Each has its own part below, in which no figure mixes them.",
    );
    let mut table = Table::new(
        "runs",
        &[
            ("#", Right),
            ("Run", Left),
            ("Host", Left),
            ("Start", Right),
            ("Tests", Right),
            ("Not passed", Right),
        ],
    );
    for (at, run) in runs.iter().enumerate() {
        let bad = run.tests.iter().filter(|test| crate::numbers::is_bad(test)).count();
        table.row(row![
            (at + 1).to_string(),
            Cell::name(&run.id),
            if run.host_is_known() { Cell::name(&run.host) } else { Cell::none() },
            or_none(run.window(), |window| moment(window.0)),
            count(run.tests.len() as u64),
            count(bad as u64),
        ]);
    }
    page.table(table, "not known");
}

/// The report on one run, which is the chapter of that number.
fn chapter(page: &mut Page, input: &Input, (at, run): (usize, &Run), options: &Options<'_>) {
    page.about.run = Some(run.id.clone());
    page.about.host = run.host_is_known().then(|| run.host.clone());
    let mut chapter = Chapter::of(run);
    chapter.comparison = options.compare.and_then(|all| Some((all.chapters.get(at)?, all.rules)));
    head::section(page, input, &chapter);
    summary::section(page, input, &chapter);
    comparison::section(page, &chapter);
    bench::section(page, &chapter);
    baseline::section(page, &chapter);
    batch::section(page, &chapter);
    failures::section(page, input, &chapter);
    health::section(page, &chapter);
    targets::section(page, &chapter);
    models::section(page, &chapter);
    categories::section(page, &chapter);
    cases::section(page, &chapter);
    flaky::section(page, &chapter);
    slowest::section(page, &chapter);
    resources::section(page, &chapter);
    gpu::section(page, &chapter);
    lives::section(page, &chapter);
    phases::section(page, &chapter);
    lives::advice(page, &chapter);
    skipped::section(page, &chapter);
    notable::section(page, &chapter);
    results::table(page, input, &chapter);
    page.about = About::default();
}

/// `names` as code spans, the first `most` of them: `` `a`, `b` and 3 more ``.
fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>, most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let shown: Vec<String> = names.take(most).map(code).collect();
    let rest = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

/// Verb for a number of things.
fn have(n: u64) -> &'static str {
    if n == 1 { "has" } else { "have" }
}

/// `1 test`, `2 tests`.
fn tests(n: u64) -> String {
    things(n, "test")
}
