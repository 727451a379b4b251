//! What samples say about a window, as it is written: the quick way to the very text that
//! [`Resources`] has.

use records::{Resources, SERIES, SeriesStats, Unit, Written, write_number, write_whole};

/// What is found for one window. As [`Resources`], with places in [`SERIES`] for names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) samples: u64,
    pub(crate) coverage: f64,
    pub(crate) interval_s: Option<f64>,
    pub(crate) bracketed: bool,
    /// Those that were measured, in the order of [`BY_NAME`].
    pub(crate) series: Vec<(usize, SeriesStats)>,
}

/// The places in [`SERIES`] in the order of the names, in which they are written.
pub(crate) const BY_NAME: [usize; SERIES.len()] = by_name();

/// Decimals of shares and of the interval.
const SHARE_DECIMALS: u8 = 4;

/// One decimal more than the samples have: a mean deserves it, and no more.
pub(crate) const fn decimals(unit: Unit) -> u8 {
    unit.decimals() + 1
}

impl Figures {
    /// The figures of the series at that place, if it was measured.
    pub(crate) fn get(&self, place: usize) -> Option<SeriesStats> {
        self.series.iter().find(|(of, _)| *of == place).map(|(_, stats)| *stats)
    }

    /// Writes them as `serde_json` writes [`Resources`].
    pub(crate) fn write(&self, out: &mut Vec<u8>, known: &mut Known) {
        out.extend_from_slice(b"{\"samples\":");
        write_whole(out, self.samples);
        out.extend_from_slice(b",\"coverage\":");
        write_number(out, self.coverage, SHARE_DECIMALS);
        if let Some(interval_s) = self.interval_s {
            out.extend_from_slice(b",\"interval_s\":");
            write_number(out, interval_s, SHARE_DECIMALS);
        }
        if self.bracketed {
            out.extend_from_slice(b",\"bracketed\":true");
        }
        for (place, stats) in &self.series {
            if stats.min.to_bits() == stats.max.to_bits() {
                out.extend_from_slice(known.text(*place, stats));
            } else {
                write_series(out, *place, stats);
            }
        }
        out.push(b'}');
    }
}

/// What was written last of each series that stood still, for most do so most of the time and
/// are written the same again.
pub(crate) struct Known([(Vec<u8>, [u64; 6]); SERIES.len()]);

impl Default for Known {
    fn default() -> Known {
        Known(std::array::from_fn(|_| (Vec::new(), [0; 6])))
    }
}

impl Known {
    /// The text of that series with those figures.
    fn text(&mut self, place: usize, stats: &SeriesStats) -> &[u8] {
        let (text, of) = &mut self.0[place];
        let SeriesStats { min, mean, p50, p95, max, delta } = *stats;
        // No number that is read or reckoned has the bits of what stands for none.
        let maybe = |figure: Option<f64>| figure.map_or(u64::MAX, f64::to_bits);
        let [min, p50, p95, max] = [min, p50, p95, max].map(f64::to_bits);
        let bits = [min, maybe(mean), p50, p95, max, maybe(delta)];
        if text.is_empty() || *of != bits {
            text.clear();
            write_series(text, place, stats);
            *of = bits;
        }
        text
    }
}

fn write_series(out: &mut Vec<u8>, place: usize, stats: &SeriesStats) {
    let series = &SERIES[place];
    let decimals = decimals(series.unit);
    let SeriesStats { min, mean, p50, p95, max, delta } = *stats;
    out.extend_from_slice(b",\"");
    out.extend_from_slice(series.name.as_bytes());
    out.extend_from_slice(b"\":{\"min\":");
    // Where some figures are the same, the text is there already.
    let least = Written::new(min, decimals);
    least.append_to(out);
    let write = |out: &mut Vec<u8>, value: f64| match value.to_bits() == min.to_bits() {
        true => least.append_to(out),
        false => write_number(out, value, decimals),
    };
    if let Some(mean) = mean {
        out.extend_from_slice(b",\"mean\":");
        write(out, mean);
    }
    out.extend_from_slice(b",\"p50\":");
    write(out, p50);
    out.extend_from_slice(b",\"p95\":");
    write(out, p95);
    out.extend_from_slice(b",\"max\":");
    write(out, max);
    if let Some(delta) = delta {
        out.extend_from_slice(b",\"delta\":");
        write(out, delta);
    }
    out.push(b'}');
}

impl From<Figures> for Resources {
    fn from(figures: Figures) -> Resources {
        let series = figures.series.into_iter();
        Resources {
            samples: figures.samples,
            coverage: figures.coverage,
            interval_s: figures.interval_s,
            bracketed: figures.bracketed.then_some(true),
            series: series.map(|(place, stats)| (SERIES[place].name.to_owned(), stats)).collect(),
        }
    }
}

const fn by_name() -> [usize; SERIES.len()] {
    let mut places = [0; SERIES.len()];
    let mut count = 0;
    // An insertion sort by hand: this runs while compiling.
    while count < places.len() {
        let mut at = count;
        while at > 0 && is_before(SERIES[count].name, SERIES[places[at - 1]].name) {
            places[at] = places[at - 1];
            at -= 1;
        }
        places[at] = count;
        count += 1;
    }
    places
}

const fn is_before(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at < other.len() && (at == one.len() || one[at] < other[at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::{Resources, SERIES, SeriesStats, round};

    use super::{BY_NAME, Figures, Known, decimals};

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            -1e6..1e6f64,
            Just(0.0),
            Just(-0.0),
            (0u32..100).prop_map(f64::from)
        ]
    }

    fn stats() -> impl Strategy<Value = ([f64; 4], Option<f64>, Option<f64>, bool)> {
        let four = [number(), number(), number(), number()];
        let maybe = || prop::option::of(number());
        (four, maybe(), maybe(), any::<bool>())
    }

    fn figures() -> impl Strategy<Value = Figures> {
        let head = (any::<u64>(), number(), prop::option::of(number()), any::<bool>());
        let all = prop::collection::btree_map(0..SERIES.len(), stats(), 0..SERIES.len());
        (head, all).prop_map(|((samples, coverage, interval_s, bracketed), all)| {
            let series = BY_NAME.iter().filter_map(|place| {
                let ([min, p50, p95, max], mean, delta, is_still) = all.get(place)?;
                let tidy = |value: &f64| round(*value, decimals(SERIES[*place].unit));
                let or_min = |value: &f64| tidy(if *is_still { min } else { value });
                let stats = SeriesStats {
                    min: tidy(min),
                    mean: mean.as_ref().map(or_min),
                    p50: or_min(p50),
                    p95: or_min(p95),
                    max: or_min(max),
                    delta: delta.as_ref().map(tidy),
                };
                Some((*place, stats))
            });
            Figures { samples, coverage, interval_s, bracketed, series: series.collect() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn figures_are_written_as_serde_json_writes_resources_whatever_was_written_before(
            all in prop::collection::vec(figures(), 1..3)
        ) {
            let mut known = Known::default();
            for figures in all.iter().chain(&all) {
                let mut out = Vec::new();
                figures.write(&mut out, &mut known);
                let resources = Resources::from(figures.clone());
                prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&resources).unwrap());
            }
        }
    }
}
