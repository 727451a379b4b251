//! The energy that the machine takes while something is measured.
//!
//! Where a part tells its power, power over time is energy: read five times a second, each
//! reading standing for the time since the one before. On Apple Silicon, and where Linux
//! gives RAPL's counters, it is the mean over that time, so that nothing is missed between.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use probe::{Machine, Reading};

/// How often power is read.
const INTERVAL: Duration = Duration::from_millis(200);

/// Energy, and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Energy {
    /// Joules of all parts together.
    pub(crate) joules: f64,
    /// The parts that tell what they take.
    pub(crate) parts: Vec<String>,
}

/// Measures energy until it is stopped.
pub(crate) struct Meter {
    stop: Sender<()>,
    thread: JoinHandle<Option<Energy>>,
}

impl Meter {
    /// Begins; nothing where there is no thread to be had.
    pub(crate) fn start() -> Option<Meter> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("energy".into());
        let mut machine = Machine::open();
        // The first reading only opens the interval.
        let _ = machine.read();
        let mut last = Instant::now();
        let measure = move || {
            let mut sum = Sum::default();
            loop {
                let ended = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
                let reading = machine.read();
                let now = Instant::now();
                sum.add(&powers(&reading), (now - last).as_secs_f64());
                last = now;
                if ended {
                    return sum.energy();
                }
            }
        };
        Some(Meter { stop, thread: thread.spawn(measure).ok()? })
    }

    /// Ends; nothing where no part of the machine told anything.
    pub(crate) fn stop(self) -> Option<Energy> {
        drop(self.stop);
        self.thread.join().ok().flatten()
    }
}

/// The watts of each part that tells them.
fn powers(reading: &Reading) -> Vec<(&'static str, f64)> {
    let gpus: Vec<f64> = reading.gpus.iter().filter_map(|gpu| gpu.power_w).collect();
    let parts = [
        ("cpu", reading.cpu_power_w),
        ("gpu", (!gpus.is_empty()).then(|| gpus.iter().sum())),
        ("ane", reading.ane_power_w),
        ("dram", reading.dram_power_w),
    ];
    parts.into_iter().filter_map(|(part, watts)| Some((part, watts?))).collect()
}

#[derive(Default)]
struct Sum {
    joules: BTreeMap<&'static str, f64>,
}

impl Sum {
    fn add(&mut self, powers: &[(&'static str, f64)], seconds: f64) {
        for (part, watts) in powers {
            *self.joules.entry(part).or_default() += watts * seconds;
        }
    }

    fn energy(self) -> Option<Energy> {
        let parts: Vec<String> = self.joules.keys().map(|part| (*part).to_owned()).collect();
        let joules = self.joules.values().sum();
        (!parts.is_empty()).then_some(Energy { joules, parts })
    }
}

#[cfg(test)]
mod tests {
    use probe::{Gpu, Reading};

    use super::{Energy, Meter, Sum, powers};

    #[test]
    fn power_over_time_is_energy_of_the_parts_that_tell_theirs() {
        let gpu = |power_w| Gpu { power_w, ..Gpu::unmeasured("g".into()) };
        let reading = Reading {
            cpu_power_w: Some(10.0),
            gpus: vec![gpu(Some(30.0)), gpu(None), gpu(Some(5.0))],
            ..Reading::default()
        };
        assert_eq!(powers(&reading), [("cpu", 10.0), ("gpu", 35.0)]);
        let mut sum = Sum::default();
        sum.add(&powers(&reading), 2.0);
        sum.add(&[("gpu", 5.0)], 2.0);
        let parts = vec!["cpu".to_owned(), "gpu".to_owned()];
        assert_eq!(sum.energy(), Some(Energy { joules: 100.0, parts }));
        assert_eq!(Sum::default().energy(), None);
    }

    #[test]
    fn a_meter_ends_when_it_is_stopped() {
        // Whether there is anything to be read is a matter of the machine.
        let energy = Meter::start().unwrap().stop();
        assert!(energy.is_none_or(|energy| energy.joules >= 0.0 && !energy.parts.is_empty()));
    }
}
