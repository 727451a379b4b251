//! What people see while a suite runs, on standard error.

mod estimate;
mod part;
mod screen;

use std::{cmp::Ordering, time::Duration};

use anstyle::{AnsiColor, Style};
use pipe::printable;
use records::{BatchTotals, Counts, Outcome, Test};

use self::screen::Screen;
use crate::{batch::Going, plan::Group, secrets::Secrets, suite::Suite};

/// Prints a line for each thing that happens; on a terminal a bar says what runs now and
/// how long the rest may take. Colours only on a terminal that wants them (`NO_COLOR`
/// and friends are honoured by `anstream`).
#[derive(Debug)]
pub struct Progress {
    secrets: Secrets,
    screen: Screen,
    slowest: Option<Slowest>,
}

impl Progress {
    /// Shows no `secrets`; names the slowest `durations` cases at the end, all for 0.
    #[must_use]
    pub fn new(secrets: Secrets, durations: Option<usize>) -> Progress {
        let slowest = durations.map(|keep| Slowest { keep, tests: Vec::new() });
        Progress { secrets, screen: Screen::open(), slowest }
    }

    /// What will run, and of what the earlier result is kept.
    pub fn start(&self, suite: &Suite, groups: &[Group<'_>], is_kept: &dyn Fn(&str) -> bool) {
        let cells = || groups.iter().flat_map(|group| &group.cells);
        let loads = |group: &&Group<'_>| {
            group.cells.iter().any(|cell| group.needs_server_for(cell) && !is_kept(&cell.id))
        };
        let loads = groups.iter().filter(loads).count();
        let all = cells().count();
        self.screen.expect(all as u64);
        self.screen.note(|now| {
            cells().for_each(|cell| now.estimate.expect_case(&cell.case.name));
            (0..loads).for_each(|_| now.estimate.expect_load());
        });
        let kept = cells().filter(|cell| is_kept(&cell.id)).count();
        let more = if kept > 0 { format!(", {kept} kept") } else { String::new() };
        let name = printable(&suite.name);
        self.screen.line(&format!("{name}: {} to run, {loads} to load{more}", all - kept));
    }

    /// A line for people about something that is no result.
    pub fn say(&self, text: &str) {
        self.screen.line(&format!("runner: {}", printable(&self.secrets.hide(text))));
    }

    /// A server is being started.
    pub fn loading(&self, backend: &str, model: &str) {
        let what = format!("{backend} {model}");
        self.screen.line(&format!("{} {:>10} {}", word("LOAD", dim()), "", printable(&what)));
        self.screen.running(&format!("loading {what}"));
    }

    /// A server is ready, or, without a time, will not be.
    pub fn loaded(&self, backend: &str, model: &str, seconds: Option<f64>) {
        self.screen.note(|now| now.estimate.load(seconds));
        if seconds.is_some() {
            let what = format!("{backend} {model}");
            let name = word("READY", dim());
            self.screen.line(&format!("{name} {} {}", time(seconds), printable(&what)));
        }
    }

    /// A case begins.
    pub fn running(&self, id: &str) {
        self.screen.running(id);
    }

    /// So many requests of a bench or a baseline are done.
    pub fn requests(&self, id: &str, done: u64, of: u64) {
        self.screen.note(|now| now.part(format!("{id} {done}/{of}")));
    }

    /// A batch has come this far.
    pub fn batch(&self, going: Going) {
        self.screen.note(|now| now.batch(going));
    }

    /// A try did not pass, and another follows after `pause`.
    pub fn attempt(&self, test: &Test, pause: Duration) {
        let number = test.attempt.unwrap_or(1);
        let name = word("RETRY", color(AnsiColor::Yellow));
        let pause = humantime::format_duration(Duration::from_millis(pause.as_millis() as u64));
        let what = printable(&test.id);
        self.screen.line(&format!(
            "{name} {} {what} (try {number}: {}; again in {pause})",
            time(test.duration_s),
            test.outcome.name()
        ));
        self.reason(test);
    }

    /// A case has its result.
    pub fn test(&mut self, test: &Test) {
        let (name, style) = match test.outcome {
            Outcome::Passed if test.flaky == Some(true) => ("FLAKY", color(AnsiColor::Yellow)),
            Outcome::Passed => ("PASS", color(AnsiColor::Green)),
            Outcome::Failed => ("FAIL", color(AnsiColor::Red)),
            Outcome::Error => ("ERROR", color(AnsiColor::Red)),
            Outcome::Skipped => ("SKIP", color(AnsiColor::Yellow)),
            Outcome::Xfailed => ("XFAIL", color(AnsiColor::Yellow)),
            Outcome::Xpassed => ("XPASS", color(AnsiColor::Yellow)),
        };
        let what = printable(&test.id);
        let sent = test.batch.as_ref().map(|totals| format!(" ({})", requests(totals)));
        let sent = sent.unwrap_or_default();
        self.screen.line(&format!("{} {} {what}{sent}", word(name, style), time(test.duration_s)));
        self.reason(test);
        for part in test.error.iter().filter_map(|error| error.log_tail.as_ref()).flatten() {
            self.screen.line(&format!("{:17} | {}", "", printable(&self.secrets.hide(part))));
        }
        self.screen.done(|now| {
            now.missed += u64::from(is_miss(test.outcome));
            now.estimate.case(&test.case, test.duration_s);
        });
        if let Some(slowest) = &mut self.slowest {
            slowest.note(test);
        }
    }

    fn reason(&self, test: &Test) {
        for part in test.reason.iter().flat_map(|reason| reason.lines()).take(3) {
            self.screen.line(&format!("{:17} {}", "", printable(&self.secrets.hide(part))));
        }
    }

    /// The result of an earlier run stands.
    pub fn kept(&self, case: &str, outcome: Outcome) {
        self.screen.done(|now| {
            now.missed += u64::from(is_miss(outcome));
            now.estimate.case(case, None);
        });
    }

    /// How it all came out.
    pub fn end(&self, counts: &Counts, not_run: u64, seconds: f64) {
        self.screen.close();
        if let Some(slowest) = &self.slowest {
            self.screen.line("slowest:");
            for (seconds, id) in &slowest.tests {
                self.screen.line(&format!("{:6} {} {}", "", time(Some(*seconds)), printable(id)));
            }
        }
        let parts: Vec<String> = [
            (counts.passed, "passed"),
            (counts.failed, "failed"),
            (counts.error, "error"),
            (counts.skipped, "skipped"),
            (counts.xfailed, "xfailed"),
            (counts.xpassed, "xpassed"),
            (not_run, "not run"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
        let parts = if parts.is_empty() { "nothing to run".to_owned() } else { parts.join(", ") };
        self.screen.line(&format!("{parts} in {seconds:.1} s"));
    }
}

/// The slowest cases.
#[derive(Debug)]
struct Slowest {
    /// How many are kept; 0 is all.
    keep: usize,
    /// Seconds over all tries, and ids; slowest first.
    tests: Vec<(f64, String)>,
}

impl Slowest {
    fn note(&mut self, test: &Test) {
        let Some(seconds) = test.total_s.or(test.duration_s) else { return };
        let slower = |other: &(f64, String)| other.0.total_cmp(&seconds) != Ordering::Less;
        let at = self.tests.partition_point(slower);
        self.tests.insert(at, (seconds, test.id.clone()));
        if self.keep > 0 {
            self.tests.truncate(self.keep);
        }
    }
}

/// `5000 requests, 500 sent again`.
fn requests(totals: &BatchTotals) -> String {
    let mut parts = vec![format!("{} requests", totals.requests)];
    for (n, what) in [
        (totals.requests - totals.answered.min(totals.requests), "failed"),
        (totals.kept, "of an earlier run"),
        (totals.retried, "sent again"),
        (totals.late_sends.unwrap_or_default(), "sent late"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    parts.join(", ")
}

fn is_miss(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Error)
}

fn word(text: &str, style: Style) -> String {
    format!("{style}{text:>6}{style:#}")
}

fn time(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("[{seconds:>7.3}s]"),
        None => format!("{:10}", ""),
    }
}

fn color(color: AnsiColor) -> Style {
    color.on_default().bold()
}

fn dim() -> Style {
    Style::new().dimmed()
}

#[cfg(test)]
mod tests {
    use records::{BatchTotals, Origin, Test};

    use super::{Slowest, requests};

    #[test]
    fn what_became_of_the_requests_of_a_batch_stands_in_its_line() {
        let all = BatchTotals { requests: 5000, answered: 5000, ..BatchTotals::default() };
        assert_eq!(requests(&all), "5000 requests");
        let again = BatchTotals { retried: 500, late_sends: Some(0), ..all.clone() };
        assert_eq!(requests(&again), "5000 requests, 500 sent again");
        let most = BatchTotals { answered: 4990, kept: 7, late_sends: Some(3), ..again };
        assert_eq!(
            requests(&most),
            "5000 requests, 10 failed, 7 of an earlier run, 500 sent again, 3 sent late"
        );
    }

    #[test]
    fn the_slowest_come_first_and_only_so_many() {
        let mut slowest = Slowest { keep: 2, tests: Vec::new() };
        for (id, total_s) in [("a", 1.0), ("b", 3.0), ("c", 2.0), ("d", 0.5)] {
            let times = (Some(total_s), Some(0.1));
            let test = Test {
                id: id.into(),
                total_s: times.0,
                duration_s: times.1,
                ..Test::at(0.0, &Origin::default())
            };
            slowest.note(&test);
        }
        slowest.note(&Test { id: "did not run".into(), ..Test::at(0.0, &Origin::default()) });
        assert_eq!(slowest.tests, [(3.0, "b".to_owned()), (2.0, "c".to_owned())]);
    }
}
