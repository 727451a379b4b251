//! What happened to the machine, whatever ran.

use records::{Severity, round};
use serde_json::json;

use super::{FEW, Found, NEAR};
use crate::{
    analysis::{Stream, machine::Machine, second::SECOND, spell::Spell},
    window::{Micros, seconds},
};

impl Found<'_> {
    pub(super) fn machine(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        self.memory(index, machine);
        self.zombies(index, machine);
        let thermal = machine.thermal();
        self.spoil(index, "a processor was throttled", &thermal);
        for told in few(&thermal) {
            let level = told.spell.high;
            let message =
                format!("the system reported thermal level {level} for {}", lasting(&told));
            let evidence = json!({"thermal_level": level as u64, "held_s": held(&told.spell)});
            self.anomaly(index, "throttling", Severity::Warn, &told.parts, message, evidence);
        }
        for (name, spells) in machine.throttled() {
            self.spoil(index, "a processor was throttled", &spells);
            for told in few(&spells) {
                self.throttled(index, name, &told);
            }
        }
        let outside = machine.outside();
        self.spoil(index, "other programs used the CPU", &outside);
        for told in few(&outside) {
            let most = told.spell.high;
            let message = format!(
                "up to {most:.0} % of the CPU went to programs outside of the run, for {}",
                lasting(&told)
            );
            let evidence = json!({"outside_max_pct": round(most, 1), "held_s": held(&told.spell)});
            self.anomaly(index, "interference", Severity::Warn, &told.parts, message, evidence);
        }
        self.load_before(index, stream, machine);
        self.gaps(index, stream, machine);
    }

    fn zombies(&mut self, index: usize, machine: &Machine) {
        let (zombies, at_first) = machine.zombies();
        let beginning = machine.span().map_or(0, |(first, _)| first + SECOND);
        for told in few(&zombies) {
            let Spell { low, high: many, .. } = told.spell;
            // Those that come again are others.
            let old = many <= at_first && told.parts.len() == 1 && told.spell.from <= beginning;
            let least = if low < many { format!("{low:.0} to ") } else { String::new() };
            let message = format!(
                "{least}{} for {}{}",
                counted(many, "zombie process", "zombie processes"),
                lasting(&told),
                if old { ", there from the beginning" } else { "" }
            );
            let severity = if old { Severity::Info } else { Severity::Warn };
            let evidence = json!({"zombies": many as u64, "at_start": at_first as u64,
                "held_s": held(&told.spell)});
            self.anomaly(index, "zombies", severity, &told.parts, message, evidence);
        }
    }

    fn throttled(&mut self, index: usize, name: &str, told: &Told) {
        let Spell { low, high, .. } = told.spell;
        let drop = (1.0 - low / high) * 100.0;
        let message = format!(
            "the {name} fell from {high:.0} to {low:.0} MHz at full load ({drop:.0} % slower) for {}",
            lasting(told)
        );
        let evidence = json!({"processor": name, "best_mhz": round(high, 0),
            "worst_mhz": round(low, 0), "drop_pct": round(drop, 1), "held_s": held(&told.spell)});
        self.anomaly(index, "throttling", Severity::Warn, &told.parts, message, evidence);
    }

    fn spoil(&mut self, index: usize, reason: &'static str, spells: &[Spell]) {
        self.spoilers.extend(spells.iter().map(|spell| (index, reason, *spell)));
    }

    /// Swap that grew and memory pressure: apart, or both at once.
    fn memory(&mut self, index: usize, machine: &Machine) {
        let (swaps, pressures) = (machine.swap(), machine.pressure());
        self.spoil(index, "swap grew", &swaps);
        self.spoil(index, "memory pressure was above normal", &pressures);
        let swaps = swaps.into_iter().map(|spell| [Some(spell), None]);
        let pressures = pressures.into_iter().map(|spell| [None, Some(spell)]);
        let mut happened: Vec<[Option<Spell>; 2]> = swaps.chain(pressures).collect();
        let window = |what: &[Option<Spell>; 2]| {
            let both = what.iter().flatten().copied().reduce(Spell::with);
            both.map_or((0, 0), |both| (both.from, both.to))
        };
        happened.sort_by_key(window);
        happened.dedup_by(|later, first| {
            let near = window(later).0 <= window(first).1 + NEAR;
            if near {
                for (first, later) in first.iter_mut().zip(later) {
                    *first = first.iter().chain(later.iter()).copied().reduce(Spell::with);
                }
            }
            near
        });
        for what in happened {
            self.short_of_memory(index, what[0], what[1], window(&what));
        }
    }

    fn short_of_memory(
        &mut self,
        index: usize,
        swap: Option<Spell>,
        pressure: Option<Spell>,
        window: (Micros, Micros),
    ) {
        let grew = swap.map(|swap| {
            format!("swap grew by {:.0} MB, to {:.0} MB", swap.high - swap.low, swap.high)
        });
        let level = pressure.map(|pressure| {
            let worst = if pressure.high >= 4.0 { " (critical at its worst)" } else { "" };
            format!("memory pressure was above normal for {:.1} s{worst}", seconds(pressure.held))
        });
        let evidence = json!({
            "swap_from_mb": swap.map(|swap| round(swap.low, 1)),
            "swap_to_mb": swap.map(|swap| round(swap.high, 1)),
            "memory_pressure": pressure.map(|pressure| pressure.high as u64),
            "pressure_s": pressure.as_ref().map(held),
        });
        let critical = pressure.is_some_and(|pressure| pressure.high >= 4.0);
        let severity = if critical { Severity::Critical } else { Severity::Warn };
        let (kind, message) = match (grew, level) {
            (Some(grew), Some(level)) => ("swap_with_pressure", format!("{grew}, and {level}")),
            (Some(grew), None) => ("swap", grew),
            (None, Some(level)) => {
                ("pressure_without_swap", format!("{level}, and swap did not grow"))
            }
            (None, None) => return,
        };
        self.anomaly(index, kind, severity, &[window], message, evidence);
    }

    /// Load before anything ran, where no command is wrapped whose own it could be.
    fn load_before(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        let starts = self.tests_on(index).into_iter().map(|test| test.window.start);
        let Some(work) = starts.chain(stream.work).min().filter(|_| !stream.wraps) else {
            return;
        };
        let thresholds = self.analysis.thresholds;
        let Some(load) = machine.load_before(work) else {
            return;
        };
        if seconds(load.to - load.from) < thresholds.interference_s {
            return;
        }
        let much = |pct: Option<f64>| pct.filter(|pct| *pct >= thresholds.interference_pct);
        let busy: Vec<String> = [("CPU", much(load.cpu_pct)), ("GPU", much(load.gpu_pct))]
            .into_iter()
            .filter_map(|(name, pct)| Some(format!("the {name} was {:.0} % busy", pct?)))
            .collect();
        if busy.is_empty() {
            return;
        }
        let message = format!(
            "{} in the {:.0} s before the first test",
            busy.join(" and "),
            seconds(load.to - load.from)
        );
        let pct = |value: Option<f64>| value.map(|value| round(value, 1));
        let evidence = json!({"cpu_pct": pct(load.cpu_pct), "gpu_pct": pct(load.gpu_pct)});
        let parts = [(load.from, load.to)];
        self.anomaly(index, "interference", Severity::Info, &parts, message, evidence);
    }

    fn gaps(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        let gaps = &machine.gaps;
        let Some((first, last)) = gaps.span() else {
            return;
        };
        let away = |gap: &&(Micros, Micros)| {
            stream.away.iter().any(|away| away.start < gap.1 && away.end > gap.0 - NEAR)
        };
        let explained = gaps.list.iter().filter(away).count();
        let list: Vec<(Micros, Micros)> =
            gaps.list.iter().filter(|gap| !away(gap)).copied().collect();
        if list.len() > FEW {
            let lost: Micros = if explained == 0 {
                gaps.lost
            } else {
                list.iter().map(|(from, to)| to - from).sum()
            };
            let count = gaps.count - explained as u64;
            let whole = seconds(last - first);
            let message = format!(
                "{count} gaps: {:.1} s of {whole:.1} s without samples, the longest {:.1} s",
                seconds(lost),
                seconds(gaps.longest)
            );
            let evidence = json!({"gaps": count, "lost_s": round(seconds(lost), 3),
                "longest_s": round(seconds(gaps.longest), 3), "of_s": round(whole, 3)});
            self.anomaly(index, "sampler_gap", Severity::Warn, &list, message, evidence);
            return;
        }
        for &(from, to) in &list {
            let message = format!("no sample was taken for {:.1} s", seconds(to - from));
            let evidence = json!({"gaps": 1, "lost_s": round(seconds(to - from), 3)});
            let spoils = !self.tests_within(index, &[(from, to)]).is_empty();
            let severity = if spoils { Severity::Warn } else { Severity::Info };
            self.anomaly(index, "sampler_gap", severity, &[(from, to)], message, evidence);
        }
        let deadlines = stream.missed + stream.samples;
        let missed = stream.missed as f64 / deadlines as f64 * 100.0;
        if list.is_empty() && explained == 0 && missed > self.analysis.thresholds.missed_pct {
            let message = format!(
                "the sampler kept {} of {} deadlines: samples are further apart than was asked for",
                stream.samples, deadlines
            );
            let evidence = json!({"samples": stream.samples, "missed": stream.missed});
            let parts = [(first, last)];
            self.anomaly(index, "sampler_gap", Severity::Info, &parts, message, evidence);
        }
    }
}

/// Spells of one kind that are told in one line.
struct Told {
    spell: Spell,
    parts: Vec<(Micros, Micros)>,
}

/// The spells, each by itself; where there are many, all in one.
fn few(spells: &[Spell]) -> Vec<Told> {
    let all = |spells: &[Spell]| {
        let parts = spells.iter().map(|spell| (spell.from, spell.to)).collect();
        let spell = spells.iter().copied().reduce(Spell::with)?;
        Some(Told { spell, parts })
    };
    if spells.len() > FEW {
        return all(spells).into_iter().collect();
    }
    spells.chunks(1).filter_map(all).collect()
}

fn held(spell: &Spell) -> f64 {
    round(seconds(spell.held), 3)
}

fn lasting(told: &Told) -> String {
    let time = format!("{:.1} s", seconds(told.spell.held));
    match told.parts.len() {
        1 => time,
        times => format!("{time} in all, {times} times"),
    }
}

fn counted(count: f64, one: &str, many: &str) -> String {
    format!("{count:.0} {}", if count == 1.0 { one } else { many })
}
