//! Lines and, on a terminal, a bar below them that says what runs now.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anstyle::AnsiColor;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipe::printable;

use super::{color, estimate::Estimate, part::Part, time, word};
use crate::batch::Going;

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(250);
/// After how long a case that still runs is named, and again.
const SLOW: Duration = Duration::from_secs(60);

/// What is shown while a run lasts.
#[derive(Debug)]
pub(super) struct Screen {
    bar: ProgressBar,
    now: Arc<Mutex<Now>>,
    /// Dropped to end the thread.
    _end: mpsc::Sender<()>,
}

/// What runs now, and what came of the rest.
#[derive(Debug, Default)]
pub(super) struct Now {
    /// What runs, since when, and how often that has been said.
    running: Option<(String, Instant, u32)>,
    /// How far it has come, where it is a batch.
    part: Option<Part>,
    /// Cases that failed or erred.
    pub(super) missed: u64,
    /// How long the rest will take.
    pub(super) estimate: Estimate,
    /// When the estimate was last worked out anew.
    estimated: Option<Instant>,
}

impl Screen {
    /// Draws a bar where people look on, and names slow cases everywhere.
    pub(super) fn open() -> Screen {
        let bar = if stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style =
            ProgressStyle::with_template("{elapsed_precise} [{bar:24}] {pos}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        let now = Arc::new(Mutex::new(Now::default()));
        let (end, ended) = mpsc::channel::<()>();
        let (theirs, shown) = (Arc::clone(&now), bar.clone());
        // Nobody waits for it, and without it only the bar is missing.
        let _ = thread::Builder::new().name("progress".into()).spawn(move || {
            while ended.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                tick(&mut lock(&theirs), &shown);
            }
        });
        Screen { bar, now, _end: end }
    }

    /// How many results there will be.
    pub(super) fn expect(&self, results: u64) {
        self.bar.set_length(results);
    }

    /// Prints a line above the bar.
    pub(super) fn line(&self, text: &str) {
        print(&self.bar, text);
    }

    /// Something runs from now on.
    pub(super) fn running(&self, what: &str) {
        let mut now = lock(&self.now);
        now.running = Some((what.to_owned(), Instant::now(), 0));
        now.part = None;
    }

    /// There is one more result.
    pub(super) fn done(&self, note: impl FnOnce(&mut Now)) {
        let mut now = lock(&self.now);
        now.running = None;
        now.part = None;
        note(&mut now);
        now.estimated = Some(Instant::now());
        drop(now);
        self.bar.inc(1);
    }

    /// Notes something that is no result.
    pub(super) fn note(&self, note: impl FnOnce(&mut Now)) {
        note(&mut lock(&self.now));
    }

    /// The bar goes.
    pub(super) fn close(&self) {
        self.bar.finish_and_clear();
    }
}

fn lock(now: &Mutex<Now>) -> MutexGuard<'_, Now> {
    now.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print(bar: &ProgressBar, text: &str) {
    // Nobody reading it is no reason to stop measuring.
    bar.suspend(|| {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    });
}

fn tick(now: &mut Now, bar: &ProgressBar) {
    if let Some((what, since, said)) = &mut now.running
        && since.elapsed() >= SLOW * (*said + 1)
    {
        *said += 1;
        let part = now.part.as_ref().map(|part| format!(" {}", part.count()));
        let part = part.unwrap_or_default();
        let name = word("SLOW", color(AnsiColor::Yellow));
        print(
            bar,
            &format!(
                "{name} {} {}{part}",
                time(Some(since.elapsed().as_secs_f64())),
                printable(what)
            ),
        );
    }
    if !bar.is_hidden() {
        bar.set_message(now.message());
        bar.tick();
    }
}

impl Now {
    /// What runs has come this far.
    pub(super) fn part(&mut self, what: String) {
        if let Some((running, ..)) = &mut self.running {
            *running = what;
        }
    }

    /// The batch that runs has come this far.
    pub(super) fn batch(&mut self, going: Going) {
        let now = Instant::now();
        match &mut self.part {
            Some(part) => part.note(now, going),
            None => self.part = Some(Part::new(now, going)),
        }
    }

    /// `2 failed · 3 s chat[llama,m] · about 5m left`.
    fn message(&self) -> String {
        let mut parts = Vec::new();
        if self.missed > 0 {
            parts.push(format!("{} failed", self.missed));
        }
        if let Some((what, since, _)) = &self.running {
            let part = self.part.as_ref().map(|part| format!(" {}", part.message(Instant::now())));
            let (seconds, part) = (since.elapsed().as_secs(), part.unwrap_or_default());
            parts.push(format!("{seconds} s {}{part}", printable(what)));
        }
        if let Some(left) = self.estimate.left() {
            let passed = self.estimated.map(|at| at.elapsed()).unwrap_or_default();
            let left = left.saturating_sub(passed).as_secs();
            if left > 0 {
                let text = humantime::format_duration(Duration::from_secs(left));
                parts.push(format!("about {text} left"));
            }
        }
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::Now;
    use crate::batch::Going;

    #[test]
    fn the_bar_says_what_failed_what_runs_and_what_is_left() {
        let mut now = Now { missed: 2, ..Now::default() };
        now.running = Some(("s::a[b,m]\u{1b}[2J".into(), Instant::now(), 0));
        now.estimate.expect_case("a");
        now.estimate.expect_case("a");
        now.estimate.case("a", Some(300.5));
        now.batch(Going { done: 3, failed: 1, of: 7 });
        assert_eq!(
            now.message(),
            "2 failed · 0 s s::a[b,m]\u{fffd}[2J 3/7, 1 failed · about 5m left"
        );
    }
}
