//! Ctrl-C and its kin: noticed at once, acted upon by whoever is at work.

use std::{
    io, process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// How long to wait before looking again for something that is awaited since `start`:
/// 1 % of the time that it has taken, so that its end is known to 1 % and a long wait
/// costs next to nothing; between 1 and 20 ms.
#[must_use]
pub fn look_again_in(start: Instant) -> Duration {
    (start.elapsed() / 100).clamp(Duration::from_millis(1), Duration::from_millis(20))
}

/// How long ending may take after a second signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signals that come within this time of one another are one request.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Counts the signals that ask us to stop. The first stops the run in good order, the
/// second kills what is being stopped.
#[derive(Clone, Default)]
pub struct Interrupts {
    count: Arc<AtomicU32>,
    last: Arc<Mutex<Option<Instant>>>,
    wake: Arc<Mutex<Option<mpsc::Sender<()>>>>,
    /// Signals that were answered before.
    from: u32,
    /// A thread that waits for work.
    worker: Arc<Mutex<Option<mpsc::Sender<Work>>>>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Interrupts {
    /// Begins to listen for INT, TERM and HUP.
    ///
    /// # Errors
    ///
    /// When the system does not let us.
    pub fn listen() -> io::Result<Interrupts> {
        let interrupts = Interrupts::default();
        let theirs = interrupts.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            for _ in signals.forever() {
                theirs.raise();
                if theirs.kill() {
                    thread::spawn(last_resort);
                }
            }
        })?;
        Ok(interrupts)
    }

    /// Counts one more, and wakes whoever waits.
    ///
    /// Who signals a whole process group signals memmon and us, and memmon passes on
    /// what it is sent: what comes at once is one request.
    pub fn raise(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|at| at.elapsed() < AT_ONCE) {
            return;
        }
        *last = Some(Instant::now());
        drop(last);
        self.count.fetch_add(1, Ordering::SeqCst);
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = wake.as_ref() {
            // The waiter may just have gone; then there is nobody to wake.
            let _ = sender.send(());
        }
    }

    /// Whether the run shall stop.
    #[must_use]
    pub fn stop(&self) -> bool {
        self.unanswered() > 0
    }

    /// Whether it shall stop at once.
    #[must_use]
    pub fn kill(&self) -> bool {
        self.unanswered() > 1
    }

    /// Signals that have not been answered.
    fn unanswered(&self) -> u32 {
        self.count.load(Ordering::SeqCst).saturating_sub(self.from)
    }

    /// The same signals, of which those that have come count no more: for what is to be
    /// done although the run shall stop.
    #[must_use]
    pub fn from_here(&self) -> Interrupts {
        Interrupts { from: self.count.load(Ordering::SeqCst), ..self.clone() }
    }

    /// Sleeps for `time`, or until the run shall stop.
    pub fn sleep(&self, time: Duration) {
        self.wait(|_| {}, |receiver| receiver.recv_timeout(time).ok());
    }

    /// Does `work` on another thread and returns its result, or nothing when the run
    /// shall stop first: the work is left to itself then, and ends when the server that
    /// it waits for does.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (result_sender, result) = mpsc::channel();
        let mut thread = None;
        self.wait(
            |wake| {
                let waker = WakeOnDrop(wake);
                let work = Box::new(move || {
                    // Whether the work returns or panics, the waiter wakes after it.
                    let _waker = waker;
                    let _ = result_sender.send(work());
                });
                thread = Some(self.begin(work));
            },
            |receiver| receiver.recv().ok(),
        );
        let result = result.try_recv().ok();
        if result.is_some() {
            // The thread is free for the next; one that is left to its work is not.
            *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = thread;
        }
        result
    }

    /// Has a thread begin with `work`: the one that waits for some, or a new one.
    fn begin(&self, work: Work) -> mpsc::Sender<Work> {
        let waiting = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let work = match waiting {
            Some(thread) => match thread.send(work) {
                Ok(()) => return thread,
                // It panicked with what it did before.
                Err(mpsc::SendError(work)) => work,
            },
            None => work,
        };
        let (thread, works) = mpsc::channel::<Work>();
        thread::spawn(move || {
            work();
            for work in works {
                work();
            }
        });
        thread
    }

    /// Calls `start` and then `block`s, with a channel that an interrupt wakes.
    fn wait(
        &self,
        start: impl FnOnce(mpsc::Sender<()>),
        block: impl FnOnce(&mpsc::Receiver<()>) -> Option<()>,
    ) {
        let (sender, receiver) = mpsc::channel();
        let set = |to| *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = to;
        set(Some(sender.clone()));
        start(sender);
        // A signal between the last look and here would not have found our sender.
        if !self.stop() {
            block(&receiver);
        }
        set(None);
    }
}

/// Ends us and all that we started, when a second signal has not done so in good order:
/// the reader of our results may have stopped reading, and no signal gets us out of a
/// write that waits for it.
fn last_resort() {
    thread::sleep(PATIENCE);
    crate::backend::kill_all();
    process::exit(i32::from(crate::exit::INTERRUPTED));
}

struct WakeOnDrop(mpsc::Sender<()>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        // The waiter may have gone already.
        let _ = self.0.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use super::Interrupts;

    #[test]
    fn work_returns_its_result_unless_a_signal_comes_first() {
        let interrupts = Interrupts::default();
        assert_eq!(interrupts.run(|| 7), Some(7));

        let raiser = interrupts.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            raiser.raise();
        });
        let start = Instant::now();
        let result = interrupts.run(|| thread::sleep(Duration::from_secs(30)));
        assert_eq!(result, None);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(interrupts.stop() && !interrupts.kill());
        interrupts.raise();
        assert!(!interrupts.kill(), "what comes at once is one request");
        thread::sleep(super::AT_ONCE);
        interrupts.raise();
        assert!(interrupts.kill());
    }

    #[test]
    fn a_sleep_ends_early_when_the_run_shall_stop() {
        let interrupts = Interrupts::default();
        interrupts.raise();
        let start = Instant::now();
        interrupts.sleep(Duration::from_secs(30));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
