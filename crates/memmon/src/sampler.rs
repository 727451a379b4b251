//! Takes samples: reads the probes when told to, and writes what they gave.

use std::time::Duration;

use probe::{Machine, Processes, Tree, TreeReading, clock::Stamp};
use records::{Origin, Sample};

use crate::{
    emit::Emit,
    gpu_sums::Adder,
    grid::Grid,
    jumps,
    output::Output,
    sample::{Observation, sample},
    serve::Board,
    tally::Tally,
};

/// What is slow to read is read no more often than this.
const SLOW_EVERY: Duration = Duration::from_secs(1);
/// And it takes at most this part of the time: one fiftieth.
const SLOW_SHARE: u32 = 50;

/// The probes, the time, and what came of it so far.
pub struct Sampler {
    machine: Machine,
    gpu_adder: Adder,
    processes: Processes,
    origin: Origin,
    interval: Duration,
    start: Stamp,
    previous: Stamp,
    grid: Grid,
    /// The grid point from which on the slow ones are due.
    slow_from: u64,
    tally: Tally,
    emit: Emit,
    board: Option<Board>,
}

impl Sampler {
    /// A sampler whose grid begins at `start`.
    #[must_use]
    pub fn new(
        machine: Machine,
        tree: Option<Tree>,
        origin: Origin,
        interval: Duration,
        start: Stamp,
    ) -> Sampler {
        Sampler {
            machine,
            gpu_adder: Adder::default(),
            processes: Processes::open(tree),
            origin,
            interval,
            start,
            previous: start,
            grid: Grid::new(interval),
            slow_from: 0,
            tally: Tally::new(),
            emit: Emit::default(),
            board: None,
        }
    }

    /// Writes in this layout.
    #[must_use]
    pub fn emitting(self, emit: Emit) -> Sampler {
        Sampler { emit, ..self }
    }

    /// Leaves each sample at `board` as well.
    #[must_use]
    pub fn showing(self, board: Option<Board>) -> Sampler {
        Sampler { board, ..self }
    }

    /// Reads everything and writes it; the processes that were seen, if some are
    /// watched.
    pub fn sample(&mut self, output: &Output) -> Option<TreeReading> {
        // All clocks before anything is read: that is the time of the sample.
        self.sample_at(Stamp::now(), output)
    }

    /// The same, when it is said to be `stamp`.
    pub fn sample_at(&mut self, stamp: Stamp, output: &Output) -> Option<TreeReading> {
        let elapsed = stamp.since(&self.start);
        let slot = self.grid.take(elapsed);
        let slow = slot.point >= self.slow_from;

        let machine = self.machine.read();
        let processes = self.processes.read(slow);
        let seen = Observation {
            gpu_sums: self.gpu_adder.sums(&machine.gpus),
            machine,
            tree: processes.tree,
            zombies: processes.zombies,
        };
        let read = stamp.mono.elapsed();
        // What a slow read began may still take time in the samples after it.
        if slow || read.saturating_mul(SLOW_SHARE) > SLOW_EVERY {
            let pause = slow_pause(read, self.interval);
            self.slow_from = self.slow_from.max(slot.point + pause);
        }

        let elapsed = Duration::from_micros(micros(elapsed));
        let record = Sample {
            seq: self.tally.samples(),
            elapsed_s: elapsed.as_micros() as f64 / 1e6,
            read_us: Some(micros(read)),
            late_us: slot.late.map(micros),
            missed: Some(slot.missed).filter(|missed| *missed > 0),
            ..sample(stamp.wall_s, &self.origin, &seen)
        };
        self.tell_jumps(&stamp, output);
        self.emit.sample(output, &record);
        self.tally.add(&record, elapsed);
        self.previous = stamp;
        if let Some(board) = &self.board {
            board.put(record, self.tally.samples(), self.tally.missed());
        }
        seen.tree
    }

    /// When the next sample is due, since the start.
    #[must_use]
    pub fn next_deadline(&self) -> Duration {
        self.grid.next_deadline(self.elapsed())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.mono.elapsed()
    }

    /// What all samples come to.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Says what happened to time since the sample before.
    fn tell_jumps(&self, stamp: &Stamp, output: &Output) {
        for jump in jumps::between(&self.previous, stamp).into_iter().flatten() {
            let record = jump.record(&self.previous, stamp, self.tally.samples(), &self.origin);
            crate::complain(&record.message);
            self.emit.anomaly(output, &record);
        }
    }
}

/// Grid points until the slow ones are read again, after they took `read`.
fn slow_pause(read: Duration, interval: Duration) -> u64 {
    let pause = SLOW_EVERY.max(read.saturating_mul(SLOW_SHARE));
    u64::try_from(pause.as_nanos().div_ceil(interval.as_nanos())).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::slow_pause;

    #[test]
    fn the_slow_ones_come_once_a_second_and_take_a_fiftieth_of_the_time_at_most() {
        let ms = Duration::from_millis;
        assert_eq!(slow_pause(ms(1), ms(200)), 5);
        assert_eq!(slow_pause(ms(1), ms(300)), 4, "a second at least");
        assert_eq!(slow_pause(ms(1), ms(60_000)), 1);
        assert_eq!(slow_pause(ms(100), ms(200)), 25, "100 ms in 5 s");
    }
}
