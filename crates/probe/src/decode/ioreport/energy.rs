//! From energy counters to power.
//!
//! The group holds hundreds of channels, most of them parts of others, so a
//! counter is known by its exact name and nothing is ever added to a total
//! that contains it. Most counters are published in batches about 2 s apart,
//! not evenly: their energy is divided by the time between the driver's own
//! stamps, and between two publications there is no reading.

use super::{Channel, ENERGY, Sample, Value};

/// What power is measured of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All CPU clusters.
    Cpu,
    /// The GPU with its memory.
    Gpu,
    /// The neural engine.
    Ane,
    /// The memory.
    Dram,
}

/// The counter that is up to date in every sample. The others wait for the
/// next batch.
pub const LIVE: &str = "GPU Energy";

/// A publication is sometimes followed by its tail, up to 30 ms later and with
/// a stamp of its own. Divided by so short a time it would be a spike: shorter
/// spans are added to the next.
const SPAN_MIN_NS: u64 = 50_000_000;
/// A part that never rests and counted nothing for longer than this was not
/// counted, whatever it counts afterwards.
const FROZEN_NS: u64 = 10_000_000_000;
/// A stamp this far after the sample it came with is not of this clock.
const LEAD_NS: u64 = 1_000_000_000;

impl Part {
    /// All parts.
    pub const ALL: [Part; 4] = [Part::Cpu, Part::Gpu, Part::Ane, Part::Dram];

    /// What the channel called `name` counts, and how small a piece of it: 0
    /// is the whole, and the smaller pieces add up to it. `None` for channels
    /// that are not read: clusters, cores, caches, everything else.
    #[must_use]
    pub fn of(name: &str) -> Option<(Part, u8)> {
        match name {
            "CPU Energy" => return Some((Part::Cpu, 0)),
            LIVE => return Some((Part::Gpu, 0)),
            _ => {}
        }
        if let Some(die) = name.strip_prefix("DIE_") {
            return is_number(die.strip_suffix("_CPU Energy")?).then_some((Part::Cpu, 1));
        }
        // `GPU` alone has not been seen; `GPU0` has, beside `GPU Energy`.
        let (part, rest) = [(Part::Gpu, "GPU"), (Part::Ane, "ANE"), (Part::Dram, "DRAM")]
            .into_iter()
            .find_map(|(part, prefix)| Some((part, name.strip_prefix(prefix)?)))?;
        let level = match rest.split_once('_') {
            None if rest.is_empty() && part != Part::Gpu => 0,
            None if is_number(rest) => 1,
            Some((unit, die)) if is_number(unit) && is_number(die) => 2,
            _ => return None,
        };
        Some((part, level))
    }

    /// Whether it can use nothing for seconds. A CPU that counts and a memory
    /// that is refreshed cannot.
    fn can_rest(self) -> bool {
        matches!(self, Part::Gpu | Part::Ane)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The channels of `part` among `channels`: the whole where there is one, else
/// all of the largest pieces.
pub fn counters<'c>(
    part: Part,
    channels: &'c [Channel],
) -> impl Iterator<Item = &'c Channel> + use<'c> {
    let level = move |channel: &Channel| {
        let (of, level) = Part::of(&channel.name).filter(|_| channel.group == ENERGY)?;
        (of == part).then_some(level)
    };
    let largest = channels.iter().filter_map(level).min();
    channels.iter().filter(move |channel| largest.is_some() && level(channel) == largest)
}

/// How many of a counter's units make a joule.
#[must_use]
pub fn per_joule(unit: &str) -> Option<f64> {
    match unit.trim() {
        "mJ" => Some(1e3),
        "uJ" => Some(1e6),
        "nJ" => Some(1e9),
        _ => None,
    }
}

/// Why the power of `part` cannot be had from a machine with these channels. A
/// neural engine may well have had nothing to do since boot; nothing else may.
pub fn unreadable(part: Part, channels: &[Channel]) -> Option<String> {
    let mut counters = counters(part, channels).peekable();
    if counters.peek().is_none() {
        return Some(
            "this machine has no energy counter of it (IOReport, Energy Model)".to_owned(),
        );
    }
    counters.find_map(|channel| {
        let (name, unit) = (&channel.name, &channel.unit);
        if per_joule(unit).is_none() {
            Some(format!("IOReport counts {name} in {unit:?}, which is no known unit"))
        } else if part != Part::Ane && !matches!(channel.value, Value::Count(1..)) {
            Some(format!("IOReport's {name} has not counted anything since boot"))
        } else if channel.stamp_ns.is_none() && channel.name != LIVE {
            Some(format!("IOReport does not say when {name} was counted"))
        } else {
            None
        }
    })
}

/// The power of one part, from sample to sample.
#[derive(Debug, Clone)]
pub struct Meter {
    part: Part,
    counters: Vec<Counter>,
}

impl Meter {
    /// A meter that has seen nothing yet.
    #[must_use]
    pub fn new(part: Part) -> Meter {
        Meter { part, counters: Vec::new() }
    }

    /// Watts between the two last publications, once for each, in the first
    /// sample that shows it. A sample without a counter of this part changes
    /// nothing.
    pub fn read(&mut self, sample: &Sample) -> Option<f64> {
        let channels: Vec<&Channel> = counters(self.part, &sample.channels).collect();
        if channels.is_empty() {
            return None;
        }
        let same = self.counters.iter().map(|counter| &counter.name);
        if !same.eq(channels.iter().map(|channel| &channel.name)) {
            self.counters = channels.iter().map(|channel| Counter::new(channel)).collect();
        }
        for (counter, channel) in self.counters.iter_mut().zip(channels) {
            counter.read(self.part, channel, sample.at_ns);
        }
        // One die may publish a moment before the other: a sum needs them all.
        let watts = self.counters.iter().map(|counter| counter.watts).sum::<Option<f64>>()?;
        self.counters.iter_mut().for_each(|counter| counter.watts = None);
        Some(watts)
    }
}

/// One counter, and where its next span begins.
#[derive(Debug, Clone)]
struct Counter {
    name: String,
    begin: Option<(i64, u64)>,
    /// It was published since `begin` without having counted anything.
    stood_still: bool,
    /// Of the last span, until the sum took it.
    watts: Option<f64>,
}

impl Counter {
    fn new(channel: &Channel) -> Counter {
        Counter { name: channel.name.clone(), begin: None, stood_still: false, watts: None }
    }

    fn read(&mut self, part: Part, channel: &Channel, at_ns: u64) {
        let (Value::Count(value), Some(per_joule)) = (&channel.value, per_joule(&channel.unit))
        else {
            return;
        };
        let stamp = channel.stamp_ns.filter(|stamp| *stamp <= at_ns.saturating_add(LEAD_NS));
        // Without a stamp, only a live counter is known to be of this moment.
        let Some(now) = stamp.or((channel.name == LIVE).then_some(at_ns)) else {
            return;
        };
        let (Some(counted), Some(span)) = self.begin.map_or((None, None), |(before, begin)| {
            let counted = value.checked_sub(before).filter(|counted| *counted >= 0);
            (counted, now.checked_sub(begin))
        }) else {
            // The first, or the counter or the clock began anew.
            *self = Counter { begin: Some((*value, now)), ..Counter::new(channel) };
            return;
        };
        if span < SPAN_MIN_NS {
            return;
        }
        if counted == 0 && !part.can_rest() {
            self.stood_still = true;
            return;
        }
        let was_frozen = self.stood_still && span > FROZEN_NS;
        // A counter that never counted says nothing, not even 0.
        self.watts =
            (!was_frozen && *value > 0).then(|| counted as f64 * 1e9 / (per_joule * span as f64));
        self.begin = Some((*value, now));
        self.stood_still = false;
    }
}

#[cfg(test)]
mod tests;
