//! Whose turn it is: one thread at a time takes the next request, waits until it is due,
//! and has another thread follow it before it goes.

use std::{
    collections::HashSet,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    LOOK,
    input::{Checked, Lines, hash},
    schedule::Schedule,
    send::{Asking, Sent, Wire},
};

/// What the threads of a batch share.
pub(super) struct Job {
    pub(super) wire: Wire,
    /// How many requests are on their way at once at most, those among them whose records
    /// are not written yet: so many can be asked twice when a run is killed and continued.
    at_once: usize,
    turn: Mutex<Turn>,
    /// Threads that wait for their turn.
    waiting: AtomicUsize,
    /// Requests whose records are written.
    written: Mutex<u64>,
    more_written: Condvar,
    stop: AtomicBool,
    /// Whether a connection broke of late.
    broke: AtomicBool,
}

struct Turn {
    lines: Lines,
    checked: Checked,
    /// Requests that have their answer already, by the hashes of their ids.
    done: HashSet<u128>,
    schedule: Option<Schedule>,
    start: Instant,
    threads: usize,
    taken: u64,
    over: bool,
}

/// A request, or why there are no more.
pub(super) type Came = Result<Sent, String>;

impl Job {
    /// The requests of `lines` that are not `done`, `at_once` at once.
    pub(super) fn new(
        wire: Wire,
        at_once: usize,
        (lines, checked): (Lines, Checked),
        done: HashSet<u128>,
        schedule: Option<Schedule>,
    ) -> Job {
        let start = Instant::now();
        let (threads, taken, over) = (0, 0, false);
        let turn = Turn { lines, checked, done, schedule, start, threads, taken, over };
        Job {
            wire,
            at_once,
            turn: Mutex::new(turn),
            waiting: AtomicUsize::new(0),
            written: Mutex::new(0),
            more_written: Condvar::new(),
            stop: AtomicBool::new(false),
            broke: AtomicBool::new(false),
        }
    }

    /// Begins. `results` is given everything that comes, and closed when there is no more.
    pub(super) fn start(self: &Arc<Job>, results: Sender<Came>) {
        self.follow(&mut lock(&self.turn), results);
    }

    /// Nothing more is to be sent. Whoever waits for an answer is left to itself.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether a connection broke since this was asked last, though its request may have
    /// been sent again.
    pub(super) fn saw_a_break(&self) -> bool {
        self.broke.swap(false, Ordering::Relaxed)
    }

    /// The record of one more request is written.
    pub(super) fn one_written(&self) {
        *lock(&self.written) += 1;
        self.more_written.notify_one();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Has one more thread take its turn, unless there are enough.
    fn follow(self: &Arc<Job>, turn: &mut Turn, results: Sender<Came>) {
        if self.waiting.load(Ordering::Relaxed) > 0 || turn.threads == self.at_once {
            return;
        }
        let job = Arc::clone(self);
        let thread = thread::Builder::new().name("batch".into());
        // Where the system gives us fewer than were wanted, these do the work.
        if thread.spawn(move || job.work(&results)).is_ok() {
            turn.threads += 1;
        }
    }

    fn work(self: &Arc<Job>, results: &Sender<Came>) {
        loop {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let mut turn = lock(&self.turn);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            let next = match self.next(&mut turn) {
                Ok(Some(next)) => next,
                Ok(None) => return,
                Err(why) => {
                    turn.over = true;
                    // Nobody listens where the run was stopped.
                    let _ = results.send(Err(why));
                    return;
                }
            };
            let due = turn.schedule.as_mut().map(Schedule::next);
            let due = due.map(|due| turn.start.checked_add(due));
            if due.is_some_and(|due| !self.wait_until(due)) {
                return;
            }
            turn.taken += 1;
            self.follow(&mut turn, results.clone());
            drop(turn);
            let broke = || self.broke.store(true, Ordering::Relaxed);
            let sent = self.wire.send(next, due.flatten(), || self.stopped(), broke);
            if results.send(Ok(sent)).is_err() {
                return;
            }
        }
    }

    /// The next request that is not done, once there is room for it.
    fn next(&self, turn: &mut Turn) -> Result<Option<Asking>, String> {
        while !turn.over && !self.stopped() {
            let Some(line) = turn.lines.next()? else {
                turn.over = true;
                turn.lines.unchanged_since(&turn.checked)?;
                break;
            };
            let item = turn.lines.item(&line)?;
            if !turn.done.is_empty() && turn.done.contains(&hash(&item.custom_id)) {
                continue;
            }
            let asking = self.wire.asking(line.index, item);
            return Ok(self.wait_for_room(turn.taken).then_some(asking));
        }
        Ok(None)
    }

    /// Waits until fewer than allowed of the requests that were `taken` have no record yet;
    /// whether the job goes on.
    fn wait_for_room(&self, taken: u64) -> bool {
        let mut written = lock(&self.written);
        while taken.saturating_sub(*written) >= self.at_once as u64 {
            if self.stopped() {
                return false;
            }
            let waited = self.more_written.wait_timeout(written, LOOK);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.stopped()
    }

    /// Waits until it is `due`, or forever; whether the job goes on.
    fn wait_until(&self, due: Option<Instant>) -> bool {
        loop {
            if self.stopped() {
                return false;
            }
            let left =
                due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(LOOK));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
