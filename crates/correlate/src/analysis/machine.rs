//! What one sampler's samples say by themselves, whatever ran.

use super::{
    Thresholds,
    gaps::Gaps,
    second::{Columns, SECOND, Second},
    spell::{Spell, Spells},
    steps::{Rise, Steps},
    swap::Growth,
    throttle::Throttle,
};
use crate::window::{Micros, micros};

/// Seconds at the beginning of which the load is kept, to see what ran before the work.
const BEGINNING: usize = 120;
/// Pauses of a spell: pressure that comes and goes is one thing that happened.
const BRIDGE: Micros = 5 * SECOND;

/// The detectors of one sampler. Takes its samples in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    second: Option<Second>,
    last: Micros,
    pub(crate) gaps: Gaps,
    swap: Growth,
    pressure: Spells,
    zombies: Spells,
    thermal: Spells,
    cpu: Throttle,
    gpu: Throttle,
    outside: Spells,
    steps: Steps,
    thermal_level: f64,
    interference_pct: f64,
    first_zombies: Option<f64>,
    beginning: Vec<Load>,
}

/// The use of the processors in the second that ended then.
#[derive(Clone, Copy, Debug)]
struct Load {
    to: Micros,
    cpu_pct: Option<f64>,
    gpu_pct: Option<f64>,
}

/// The load before anything ran that we know of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoadBefore {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) cpu_pct: Option<f64>,
    pub(crate) gpu_pct: Option<f64>,
}

impl Machine {
    pub(crate) fn new(thresholds: &Thresholds) -> Machine {
        let throttle = || Throttle::new(thresholds.throttle_drop_pct, thresholds.throttle_temp_c);
        Machine {
            second: None,
            last: Micros::MIN,
            gaps: Gaps::new(micros(thresholds.gap_s)),
            swap: Growth::new(thresholds.swap_growth_mb),
            pressure: Spells::new(BRIDGE, micros(thresholds.pressure_s)),
            zombies: Spells::new(BRIDGE, micros(thresholds.zombies_s)),
            thermal: Spells::new(6 * BRIDGE, BRIDGE),
            cpu: throttle(),
            gpu: throttle(),
            outside: Spells::new(BRIDGE, micros(thresholds.interference_s)),
            steps: Steps::new(thresholds.life_step_gb),
            thermal_level: thresholds.thermal_level,
            interference_pct: thresholds.interference_pct,
            first_zombies: None,
            beginning: Vec::new(),
        }
    }

    /// Samples at those times, of those values. One that is not later than the one before
    /// is none.
    pub(crate) fn samples(&mut self, times: &[Micros], columns: &Columns<'_>) {
        let mut at = 0;
        while let Some(&ts) = times.get(at) {
            if ts <= self.last {
                at += 1;
                continue;
            }
            if let Some(second) = self.second.take_if(|second| !second.holds(ts)) {
                self.look_at(&second);
            }
            let second = self.second.get_or_insert_with(|| Second::at(ts));
            // Those in the same second, as long as each is later than the one before.
            let rows = at..times[at..]
                .iter()
                .scan(self.last, |last, ts| {
                    let is_next = *ts > *last && second.holds(*ts);
                    *last = *ts;
                    is_next.then_some(())
                })
                .count()
                + at;
            let times = &times[rows.clone()];
            second.add(times, columns, &rows);
            times.iter().for_each(|ts| self.gaps.sample(*ts));
            self.last = times.last().copied().unwrap_or(ts);
            at = rows.end;
        }
    }

    fn look_at(&mut self, second: &Second) {
        let (from, to) = (second.from, second.to);
        // Pieces of neighbouring seconds, or neighbouring samples, hold on end to end.
        let step = (3 * self.gaps.known_interval()).max(3 * SECOND / 2);
        self.swap.second(second);
        if second.pressure >= 2.0 {
            self.pressure.see(from, to, step, second.pressure, second.pressure);
        }
        if second.zombies >= 1.0 {
            self.zombies.see(from, to, step, second.zombies, second.zombies);
        }
        if self.first_zombies.is_none() && !second.zombies.is_nan() {
            self.first_zombies = Some(second.zombies);
        }
        if second.thermal >= self.thermal_level {
            self.thermal.see(from, to, step, second.thermal, second.thermal);
        }
        let (cpu, gpu) = (second.cpu.get(), second.gpu.get());
        self.cpu.second(from, to, cpu, second.cpu_freq.get(), second.cpu_temp);
        self.gpu.second(from, to, gpu, second.gpu_freq.get(), second.gpu_temp);
        if let (Some(cpu), Some(tree)) = (cpu, second.tree_cpu.get())
            && cpu - tree >= self.interference_pct
        {
            self.outside.see(from, to, step, cpu - tree, cpu - tree);
        }
        let used = second.used.get().or_else(|| second.free.get().map(|free| -free));
        if let Some(used) = used {
            self.steps.second(from, to, used);
        }
        if self.beginning.len() < BEGINNING {
            self.beginning.push(Load { to, cpu_pct: cpu, gpu_pct: gpu });
        }
    }

    /// No more samples come.
    pub(crate) fn finish(&mut self) {
        if let Some(second) = self.second.take() {
            self.look_at(&second);
        }
        self.gaps.finish();
    }

    /// From the first sample to the last.
    pub(crate) fn span(&self) -> Option<(Micros, Micros)> {
        self.gaps.span()
    }

    pub(crate) fn swap(&self) -> Vec<Spell> {
        self.swap.all()
    }

    pub(crate) fn pressure(&self) -> Vec<Spell> {
        self.pressure.all()
    }

    /// The spells with zombies, and how many there were at the first look.
    pub(crate) fn zombies(&self) -> (Vec<Spell>, f64) {
        (self.zombies.all(), self.first_zombies.unwrap_or(0.0))
    }

    pub(crate) fn thermal(&self) -> Vec<Spell> {
        self.thermal.all()
    }

    /// The spells in which the CPU and the GPU ran slower than they can.
    pub(crate) fn throttled(&self) -> [(&'static str, Vec<Spell>); 2] {
        [("CPU", self.cpu.all()), ("GPU", self.gpu.all())]
    }

    pub(crate) fn outside(&self) -> Vec<Spell> {
        self.outside.all()
    }

    pub(crate) fn rises(&self) -> Vec<Rise> {
        self.steps.all()
    }

    /// How many more there were.
    pub(crate) fn more_rises(&self) -> u64 {
        self.steps.more
    }

    /// When something was wrong, so far.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = (Micros, Micros)> {
        let [(_, cpu), (_, gpu)] = self.throttled();
        let spells = [
            self.swap(),
            self.pressure(),
            self.zombies().0,
            self.thermal(),
            cpu,
            gpu,
            self.outside(),
        ];
        let spells = spells.into_iter().flatten().map(|spell| (spell.from, spell.to));
        spells.chain(self.gaps.list.iter().copied())
    }

    /// The mean load of the seconds that ended before `work`, of the first two minutes.
    pub(crate) fn load_before(&self, work: Micros) -> Option<LoadBefore> {
        let before: Vec<&Load> = self.beginning.iter().take_while(|load| load.to < work).collect();
        let mean = |of: fn(&Load) -> Option<f64>| {
            let known: Vec<f64> = before.iter().filter_map(|load| of(load)).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        Some(LoadBefore {
            from: self.span()?.0,
            to: before.last()?.to,
            cpu_pct: mean(|load| load.cpu_pct),
            gpu_pct: mean(|load| load.gpu_pct),
        })
    }
}
