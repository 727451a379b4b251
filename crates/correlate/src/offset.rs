//! Clocks that do not agree: inputs whose times are shifted before they are joined.
//! Pure: the estimate knows nothing of files.

use std::collections::BTreeMap;

use crate::window::{Micros, micros, seconds};

/// Events that both sides saw may differ by this much in how they differ, and no more:
/// beyond it they are not the same events, or a clock ran away in between.
const SPREAD: Micros = 1_000_000;

/// What `--offset` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offset {
    /// Everything but the samples is later by so much, in every input.
    Tests(Micros),
    /// Everything in that input is later by so much.
    Input(String, Micros),
    /// From what the inputs have in common.
    Auto,
}

impl Offset {
    /// Reads `auto`, `SECONDS` or `FILE=SECONDS`.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn read(text: &str) -> Result<Offset, String> {
        if text == "auto" {
            return Ok(Offset::Auto);
        }
        let (file, number) = match text.rsplit_once('=') {
            Some((file, number)) => (Some(file), number),
            None => (None, text),
        };
        let shift = number
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite())
            .map(micros)
            .ok_or_else(|| format!("{text:?} is none of SECONDS, FILE=SECONDS and auto"))?;
        Ok(file.map_or(Offset::Tests(shift), |file| Offset::Input(file.to_owned(), shift)))
    }
}

/// By how much the times of an input are later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Of everything in it.
    pub all: Micros,
    /// Of everything but the samples, besides.
    pub tests: Micros,
}

/// The shifts of `files` that were asked for outright.
///
/// # Errors
///
/// When a file is named that is not among them, or that could be several of them.
pub fn shifts(offsets: &[Offset], files: &[String]) -> Result<Vec<Shift>, String> {
    let mut shifts = vec![Shift::default(); files.len().max(1)];
    for offset in offsets {
        match offset {
            Offset::Tests(by) => shifts.iter_mut().for_each(|shift| shift.tests = *by),
            Offset::Input(file, by) => shifts[place(file, files)?].all = *by,
            Offset::Auto => {}
        }
    }
    Ok(shifts)
}

/// Which of `files` `--offset` calls `file`.
///
/// # Errors
///
/// When it is none of them, or could be several.
pub(crate) fn place(file: &str, files: &[String]) -> Result<usize, String> {
    let whole = |path: &String| path == file;
    let name = |path: &String| path.rsplit('/').next() == Some(file);
    let mut places: Vec<usize> = (0..files.len()).filter(|at| whole(&files[*at])).collect();
    if places.is_empty() {
        places = (0..files.len()).filter(|at| name(&files[*at])).collect();
    }
    match places[..] {
        [one] => Ok(one),
        [] => Err(format!("--offset {file}=…: {file} is not among the inputs")),
        _ => Err(format!("--offset {file}=…: several inputs are called so: give the whole path")),
    }
}

/// What an input has that another can have, too.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Events and when they happened by this input's clock. Those that happened twice
    /// tell nothing.
    events: BTreeMap<String, Option<Micros>>,
    /// Hosts with what their wall clock and their monotonic clock showed at one moment.
    clocks: Vec<(String, Micros, Micros)>,
    samples: bool,
}

/// How much later an input has to be, and how far what was seen agrees on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The shift.
    pub shift: Micros,
    /// How many events both inputs saw; none where the clocks themselves are known.
    pub events: usize,
    /// From the least to the greatest difference of one event.
    pub spread: Micros,
}

impl Seen {
    /// An event that can be told from every other.
    pub fn event(&mut self, what: String, ts: f64) {
        let ts = micros(ts);
        let known = self.events.entry(what).or_insert(Some(ts));
        if *known != Some(ts) {
            *known = None;
        }
    }

    /// Both clocks of a host at one moment.
    pub fn clock(&mut self, host: &str, wall_s: f64, monotonic_s: f64) {
        self.clocks.push((host.to_owned(), micros(wall_s), micros(monotonic_s)));
    }

    /// There are samples in it.
    pub fn sample(&mut self) {
        self.samples = true;
    }

    /// By how much `other` has to be later to agree with this. None where they have
    /// nothing in common.
    ///
    /// # Errors
    ///
    /// When what they have in common does not agree.
    pub fn estimate(&self, other: &Seen) -> Option<Result<Estimate, String>> {
        self.by_events(other).or_else(|| self.by_clocks(other).map(Ok))
    }

    /// The median of how much later this saw what both saw.
    fn by_events(&self, other: &Seen) -> Option<Result<Estimate, String>> {
        let mut later: Vec<Micros> = self
            .events
            .iter()
            .filter_map(|(what, ts)| Some((*ts)? - (*other.events.get(what)?)?))
            .collect();
        later.sort_unstable();
        let (least, most) = (later.first()?, later.last()?);
        let (events, spread) = (later.len(), most - least);
        if spread > SPREAD {
            return Some(Err(format!(
                "the {events} events that they share differ by {:.3} to {:.3} s",
                seconds(*least),
                seconds(*most)
            )));
        }
        let middle = (later[(events - 1) / 2] + later[events / 2]) / 2;
        Some(Ok(Estimate { shift: middle, events, spread }))
    }

    /// The monotonic clock of a host goes on when its wall clock is set.
    fn by_clocks(&self, other: &Seen) -> Option<Estimate> {
        let pairs = self.clocks.iter().flat_map(|mine| other.clocks.iter().map(move |o| (mine, o)));
        pairs.filter(|((host, ..), (other, ..))| host == other).find_map(
            |((_, wall, monotonic), (_, other_wall, other_monotonic))| {
                let (booted, other_booted) = (wall - monotonic, other_wall - other_monotonic);
                let shift = booted - other_booted;
                // Had the machine been started anew between the two, it would have been
                // after the earlier one, which had been up for as long as its monotonic
                // clock shows. So a smaller difference is a clock that was set.
                let up = if wall <= other_wall { *monotonic } else { *other_monotonic };
                (shift.abs() < up).then_some(Estimate { shift, events: 0, spread: 0 })
            },
        )
    }
}

/// By how much each input has to be later, to agree with the first that has samples;
/// where two have nothing in common, by way of others. `given` says it of some: those
/// are not estimated, and others can be by way of them.
///
/// # Errors
///
/// With the number of an input, when it has nothing in common with any that is known,
/// or when what it has does not agree.
pub fn estimates(
    inputs: &[Seen],
    given: &[Option<Micros>],
) -> Result<Vec<Option<Estimate>>, (usize, String)> {
    let reference = inputs.iter().position(|input| input.samples).unwrap_or(0);
    let mut known: Vec<Option<(Micros, Option<Estimate>)>> = vec![None; inputs.len()];
    for (known, given) in known.iter_mut().zip(given) {
        *known = given.map(|shift| (shift, None));
    }
    if let Some(first) = known.get_mut(reference) {
        first.get_or_insert((0, None));
    }
    let mut refused: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        let mut found = None;
        for at in (0..inputs.len()).filter(|at| known[*at].is_none()) {
            for (other, shift) in known.iter().enumerate() {
                let Some((shift, _)) = shift else { continue };
                match inputs[other].estimate(&inputs[at]) {
                    Some(Ok(estimate)) => {
                        let all = Estimate { shift: shift + estimate.shift, ..estimate };
                        found = Some((at, all));
                    }
                    Some(Err(why)) => drop(refused.insert(at, why)),
                    None => {}
                }
                if found.is_some() {
                    break;
                }
            }
            if found.is_some() {
                break;
            }
        }
        let Some((at, estimate)) = found else { break };
        known[at] = Some((estimate.shift, Some(estimate)));
    }
    if let Some(at) = known.iter().position(Option::is_none) {
        let why = refused
            .remove(&at)
            .unwrap_or_else(|| "it shares no event and no clock with the others".to_owned());
        return Err((at, why));
    }
    Ok(known.into_iter().map(|known| known.and_then(|(_, estimate)| estimate)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Estimate, Offset, Seen, Shift, estimates, shifts};

    fn seen(events: &[(&str, f64)]) -> Seen {
        let mut seen = Seen::default();
        for (what, ts) in events {
            seen.event((*what).to_owned(), *ts);
        }
        seen
    }

    #[test]
    fn an_offset_is_seconds_of_all_tests_or_of_a_file_or_auto() {
        assert_eq!(Offset::read("-2.5"), Ok(Offset::Tests(-2_500_000)));
        assert_eq!(Offset::read("a=b.jsonl=3"), Ok(Offset::Input("a=b.jsonl".into(), 3_000_000)));
        assert_eq!(Offset::read("auto"), Ok(Offset::Auto));
        for bad in ["", "soon", "a.jsonl=", "NaN", "x=inf"] {
            assert!(Offset::read(bad).unwrap_err().contains("FILE=SECONDS"), "{bad}");
        }
    }

    #[test]
    fn a_file_is_named_by_its_path_or_where_that_is_clear_by_its_name() {
        let files = ["x/a.jsonl".to_owned(), "y/a.jsonl".to_owned(), "b.jsonl".to_owned()];
        let of = |file: &str| shifts(&[Offset::Input(file.into(), 7)], &files);
        assert_eq!(of("y/a.jsonl").unwrap()[1], Shift { all: 7, tests: 0 });
        assert_eq!(of("b.jsonl").unwrap()[2].all, 7);
        assert!(of("a.jsonl").unwrap_err().contains("several inputs"));
        assert!(of("c.jsonl").unwrap_err().contains("not among the inputs"));
        assert_eq!(shifts(&[Offset::Tests(5)], &[]).unwrap(), [Shift { all: 0, tests: 5 }]);
    }

    #[test]
    fn events_that_both_saw_tell_the_offset_and_one_that_is_far_off_refuses_it() {
        let server = seen(&[("a", 100.0), ("b", 110.02), ("c", 120.0), ("only here", 3.0)]);
        let client = seen(&[("a", 95.0), ("b", 105.0), ("c", 114.99), ("only there", 9.0)]);
        let found = server.estimate(&client).unwrap().unwrap();
        assert_eq!(found, Estimate { shift: 5_010_000, events: 3, spread: 20_000 });
        let other = seen(&[("a", 95.0), ("b", 100.0)]);
        assert!(
            server.estimate(&other).unwrap().unwrap_err().contains("differ by 5.000 to 10.020 s")
        );
        assert!(server.estimate(&seen(&[("x", 1.0)])).is_none());
        // An event that happened twice is none.
        assert!(seen(&[("a", 1.0), ("a", 2.0)]).estimate(&seen(&[("a", 1.0)])).is_none());
    }

    #[test]
    fn a_clock_that_was_set_is_known_by_the_monotonic_one_and_another_boot_is_not() {
        let clock = |host: &str, wall: f64, monotonic: f64| {
            let mut seen = Seen::default();
            seen.clock(host, wall, monotonic);
            seen
        };
        let first = clock("h", 10_000.0, 5_000.0);
        let set_back = clock("h", 9_000.0, 6_000.0);
        assert_eq!(first.estimate(&set_back).unwrap().unwrap().shift, 2_000_000_000);
        let later = clock("h", 12_000.0, 7_000.0);
        assert_eq!(first.estimate(&later).unwrap().unwrap().shift, 0);
        assert!(first.estimate(&clock("h", 20_000.0, 100.0)).is_none(), "started anew");
        assert!(first.estimate(&clock("g", 12_000.0, 7_000.0)).is_none(), "another host");
    }

    #[test]
    fn inputs_are_placed_by_way_of_others_and_those_that_cannot_be_are_named() {
        let mut samples = seen(&[("start", 50.0)]);
        samples.sample();
        let between = seen(&[("start", 40.0), ("t", 45.0)]);
        let far = seen(&[("t", 4.0)]);
        let found = estimates(&[far.clone(), between.clone(), samples.clone()], &[]).unwrap();
        let shift = |at: usize| found[at].as_ref().map(|estimate| estimate.shift);
        assert_eq!([shift(0), shift(1), shift(2)], [Some(51_000_000), Some(10_000_000), None]);
        let error = estimates(&[samples.clone(), far.clone()], &[]).unwrap_err();
        assert_eq!(error, (1, "it shares no event and no clock with the others".to_owned()));
        assert_eq!(estimates(&[], &[]), Ok(vec![]));
        // What is said need not be found out, and others go by it.
        let said = [None, Some(46_000_000), None];
        let found = estimates(&[samples, far, between], &said).unwrap();
        assert_eq!((&found[0], &found[1]), (&None, &None));
        assert_eq!(found[2].as_ref().unwrap().shift, 10_000_000);
        let lone = [seen(&[("x", 1.0)]), seen(&[("y", 1.0)])];
        assert_eq!(estimates(&lone, &[None, Some(7)]), Ok(vec![None, None]));
    }

    proptest! {
        #[test]
        fn an_offset_is_found_again_whatever_else_was_seen(
            times in proptest::collection::vec(0.0..1e5f64, 1..40),
            by in -1e6..1e6f64,
            jitter in proptest::collection::vec(-0.1..0.1f64, 40),
        ) {
            let mut here = Seen::default();
            let mut there = Seen::default();
            for (at, (ts, jitter)) in times.iter().zip(&jitter).enumerate() {
                here.event(format!("e{at}"), ts + by);
                there.event(format!("e{at}"), ts + jitter);
                here.event(format!("here {at}"), *ts);
                there.event(format!("there {at}"), ts * 2.0);
            }
            let found = here.estimate(&there).unwrap().unwrap();
            prop_assert!((found.shift as f64 / 1e6 - by).abs() <= 0.100_002);
            prop_assert!(found.spread <= 200_002);
            prop_assert_eq!(found.events, times.len());
            let back = there.estimate(&here).unwrap().unwrap();
            prop_assert!((found.shift + back.shift).abs() <= 1);
        }
    }
}
