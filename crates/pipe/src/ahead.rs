//! Reading ahead on all cores.
//!
//! Threads read blocks and scan them, a few ahead of the caller. A caller who would have to
//! wait for a scan does one as well: so each core has work, and a line of a live stream goes
//! through as few hands as can be.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread, vec,
};

use records::Scanner;

use crate::{
    Input, MAX_LINE,
    assemble::{Assembler, Piece},
    scan::Scan,
};

/// More threads than this would wait for one another.
const MOST_THREADS: usize = 8;

/// The blocks of inputs, in their order.
pub(crate) struct Ahead {
    shared: Arc<Shared>,
    scanner: Scanner,
}

/// What comes next, and of which input.
pub(crate) enum Next {
    Block(usize, Scan),
    /// A line of that many bytes, which is beyond the limit.
    TooLong(usize, u64),
    Failed(usize, io::Error),
}

struct Shared {
    state: Mutex<State>,
    /// Something came for the caller.
    ready: Condvar,
    /// Something came to be done ahead.
    work: Condvar,
    /// How many threads read ahead.
    threads: usize,
}

type Locked<'a> = MutexGuard<'a, State>;

/// What is ahead of the caller.
struct State {
    queue: VecDeque<Slot>,
    /// How many left the queue.
    gone: u64,
    /// The inputs, while nobody reads.
    feed: Option<Feed>,
    /// Everything was read.
    ended: bool,
    /// Nobody wants more.
    given_up: bool,
    /// A thread panicked.
    broken: bool,
    /// The caller waits for something to come.
    caller_waits: bool,
    /// How many threads wait for something to do.
    idle: usize,
    /// Blocks that were dealt with, whose memory serves the next ones.
    spent: Vec<Scan>,
}

/// A place in the queue.
enum Slot {
    /// A block that nobody scanned yet.
    Read(usize, Scan),
    /// One that somebody scans.
    Taken,
    Done(Next),
}

/// A block that was taken from the queue: its number, its input, itself.
type Taken = (u64, usize, Scan);

impl Ahead {
    /// Begins to read `inputs`, one after the other.
    pub(crate) fn new(inputs: Vec<Input>) -> Ahead {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One core is the caller's. But somebody must wait for the input.
        let threads = cores.min(MOST_THREADS).saturating_sub(1).max(1);
        let feed = Feed { inputs: inputs.into_iter().enumerate(), current: None };
        let state = State {
            queue: VecDeque::new(),
            gone: 0,
            feed: Some(feed),
            ended: false,
            given_up: false,
            broken: false,
            caller_waits: false,
            idle: 0,
            spent: Vec::new(),
        };
        let (ready, work) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { state: Mutex::new(state), ready, work, threads });
        for _ in 0..threads {
            let helper = Helper(Arc::clone(&shared));
            thread::spawn(move || helper.work());
        }
        Ahead { shared, scanner: Scanner::default() }
    }

    /// Whether nothing more was read yet.
    pub(crate) fn would_wait(&self) -> bool {
        self.shared.lock().queue.is_empty()
    }

    /// Takes back a block that was dealt with, for its memory.
    pub(crate) fn give_back(&self, scan: Scan) {
        let cleared = scan.cleared();
        self.shared.lock().spent.push(cleared);
    }

    /// What comes next; `None` at the end.
    ///
    /// # Errors
    ///
    /// When a thread panicked, whose block will not come.
    pub(crate) fn next(&mut self) -> io::Result<Option<Next>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        loop {
            match state.queue.pop_front() {
                Some(Slot::Done(next)) => {
                    shared.has_left(state);
                    return Ok(Some(next));
                }
                Some(Slot::Read(input, mut scan)) => {
                    shared.has_left(state);
                    scan.scan(&mut self.scanner);
                    return Ok(Some(Next::Block(input, scan)));
                }
                Some(Slot::Taken) => {
                    state.queue.push_front(Slot::Taken);
                    state = match state.take() {
                        Some(taken) => shared.scan(state, taken, &mut self.scanner),
                        None => shared.wait_for_more(state)?,
                    };
                }
                None if state.ended => return Ok(None),
                None => state = shared.wait_for_more(state)?,
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.lock().given_up = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> Locked<'_> {
        // What is behind it is whole, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The caller has the first of the queue.
    fn has_left(&self, mut state: Locked<'_>) {
        state.gone += 1;
        let somebody_is_idle = state.idle > 0;
        drop(state);
        if somebody_is_idle {
            self.work.notify_one();
        }
    }

    /// There is something to do ahead. To wake somebody is a call to the system, made only
    /// where somebody sleeps.
    fn tell_idle(&self, state: &State) {
        if state.idle > 0 {
            self.work.notify_one();
        }
    }

    /// There may be something for the caller.
    fn tell_caller(&self, state: &State) {
        if state.caller_waits {
            self.ready.notify_one();
        }
    }

    /// The caller waits.
    fn wait_for_more<'a>(&self, mut state: Locked<'a>) -> io::Result<Locked<'a>> {
        if state.broken {
            return Err(io::Error::other("a thread that reads ahead ended"));
        }
        state.caller_waits = true;
        let mut state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.caller_waits = false;
        Ok(state)
    }

    /// A thread waits for something to do.
    fn wait_for_work<'a>(&self, mut state: Locked<'a>) -> Locked<'a> {
        state.idle += 1;
        let mut state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        state
    }

    /// Scans a block that was taken, without the lock.
    fn scan<'a>(
        &'a self,
        state: Locked<'a>,
        (number, input, mut scan): Taken,
        scanner: &mut Scanner,
    ) -> Locked<'a> {
        drop(state);
        scan.scan(scanner);
        let mut state = self.lock();
        let place = (number - state.gone) as usize;
        state.queue[place] = Slot::Done(Next::Block(input, scan));
        state
    }

    /// Whether more should be read: each thread finds a block to scan then.
    fn wants_more(&self, state: &State) -> bool {
        let unread = state.queue.iter().filter(|slot| matches!(slot, Slot::Read(..))).count();
        // More than that ahead would only take memory.
        unread <= self.threads && state.queue.len() <= 2 * self.threads + 1
    }
}

impl State {
    /// The first block that nobody scans.
    fn take(&mut self) -> Option<Taken> {
        let (place, slot) =
            (0..).zip(&mut self.queue).find(|(_, slot)| matches!(slot, Slot::Read(..)))?;
        match std::mem::replace(slot, Slot::Taken) {
            Slot::Read(input, scan) => Some((self.gone + place, input, scan)),
            Slot::Taken | Slot::Done(_) => None,
        }
    }
}

/// A thread that reads ahead.
struct Helper(Arc<Shared>);

impl Helper {
    fn work(&self) {
        let shared = &*self.0;
        let mut scanner = Scanner::default();
        let mut state = shared.lock();
        while !state.given_up {
            if shared.wants_more(&state)
                && let Some(mut feed) = state.feed.take()
            {
                let memory = state.spent.pop().unwrap_or_default();
                drop(state);
                let slot = feed.next(memory);
                state = shared.lock();
                match slot {
                    Some(slot) => {
                        state.feed = Some(feed);
                        state.queue.push_back(slot);
                        shared.tell_idle(&state);
                    }
                    None => {
                        state.ended = true;
                        shared.work.notify_all();
                    }
                }
                shared.tell_caller(&state);
            } else if let Some(taken) = state.take() {
                state = shared.scan(state, taken, &mut scanner);
                shared.tell_caller(&state);
            } else if state.ended {
                return;
            } else {
                state = shared.wait_for_work(state);
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().broken = true;
            self.0.ready.notify_one();
        }
    }
}

/// The inputs, one after the other.
struct Feed {
    inputs: std::iter::Enumerate<vec::IntoIter<Input>>,
    /// The one that is read, and its number.
    current: Option<(usize, Assembler<Input>)>,
}

impl Feed {
    /// The next block, in `memory`; `None` at the end. Nothing comes behind a failure.
    fn next(&mut self, mut memory: Scan) -> Option<Slot> {
        loop {
            let (number, mut assembler) = match self.current.take() {
                Some(current) => current,
                None => {
                    let (number, input) = self.inputs.next()?;
                    (number, Assembler::new(input, MAX_LINE))
                }
            };
            let slot = match assembler.next(std::mem::take(&mut memory.bytes)) {
                Ok(None) => continue,
                Ok(Some(Piece::Lines(bytes))) => {
                    memory.bytes = bytes;
                    Slot::Read(number, memory)
                }
                Ok(Some(Piece::TooLong(length))) => Slot::Done(Next::TooLong(number, length)),
                Err(error) => {
                    self.inputs = Vec::new().into_iter().enumerate();
                    return Some(Slot::Done(Next::Failed(number, error)));
                }
            };
            self.current = Some((number, assembler));
            return Some(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::{Ahead, Next};
    use crate::Input;

    /// The blocks that come, each with its input.
    fn read(texts: &[String], pause: bool) -> Vec<(usize, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let input = |(index, text): (usize, &String)| {
            let path = folder.path().join(index.to_string());
            fs::write(&path, text).unwrap();
            Input::open(path.to_str().unwrap()).unwrap()
        };
        let mut ahead = Ahead::new(texts.iter().enumerate().map(input).collect());
        let mut all = Vec::new();
        while let Some(next) = ahead.next().unwrap() {
            let Next::Block(input, scan) = next else { panic!("neither too long nor failed") };
            all.push((input, scan.bytes.clone()));
            assert_eq!(scan.lines.len(), scan.bytes.split_inclusive(|byte| *byte == b'\n').count());
            ahead.give_back(scan);
            if pause {
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() })]

        #[test]
        fn blocks_come_in_the_order_of_the_inputs_and_whole(
            lengths in prop::collection::vec(0usize..4_000, 1..5), pause in any::<bool>()
        ) {
            let text = |count: usize| (0..count).map(|n| format!("{{\"line\":{n},\"more\":\"{n:0400}\"}}\n")).collect();
            let texts: Vec<String> = lengths.into_iter().map(text).collect();
            let mut got = vec![Vec::new(); texts.len()];
            let mut last = 0;
            for (input, bytes) in read(&texts, pause) {
                prop_assert!(input >= last);
                last = input;
                got[input].extend(bytes);
            }
            prop_assert!(got.iter().map(Vec::as_slice).eq(texts.iter().map(String::as_bytes)));
        }
    }

    #[test]
    fn who_wants_no_more_is_not_waited_for() {
        let text = "{}\n".repeat(1_000_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many");
        fs::write(&path, text).unwrap();
        let mut ahead = Ahead::new(vec![Input::open(path.to_str().unwrap()).unwrap()]);
        assert!(ahead.next().unwrap().is_some());
        let shared = std::sync::Arc::downgrade(&ahead.shared);
        drop(ahead);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while shared.strong_count() > 0 {
            assert!(std::time::Instant::now() < end, "a thread still reads");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}
