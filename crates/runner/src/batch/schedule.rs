//! When requests are due that are sent at a rate, whatever the server does.

use std::time::Duration;

use crate::{
    random::Random,
    suite::{Arrival, BatchDef, RampDef},
};

/// Due times, one after another, apart from any clock.
///
/// Requests are counted by the integral of the rate: the one at equal distances are due
/// where it reaches the next whole number, those by chance where it has grown by a number
/// of the exponential distribution, which is what makes them independent of each other
/// (a Poisson process, its time stretched by the rate).
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    rate: Rate,
    arrival: Arrival,
    random: Random,
    /// The integral of the rate up to the next request.
    count: f64,
}

#[derive(Clone, Copy, Debug)]
enum Rate {
    Even(f64),
    Ramp { from: f64, to: f64, over_s: f64 },
}

impl Schedule {
    /// That of `def`, by `seed`; nothing where requests wait for each other.
    pub(super) fn of(def: &BatchDef, seed: u64) -> Option<Schedule> {
        let rate = match (def.rate, def.ramp) {
            (Some(rate), _) => Rate::Even(rate),
            (None, Some(RampDef { from, to, over })) => {
                Rate::Ramp { from, to, over_s: over.0.as_secs_f64() }
            }
            (None, None) => return None,
        };
        Some(Schedule { rate, arrival: def.arrival, random: Random::new(seed), count: 0.0 })
    }

    /// When the next one is due, since the start.
    pub(super) fn next(&mut self) -> Duration {
        let due = match self.arrival {
            Arrival::Constant => {
                let due = self.rate.reaches_s(self.count);
                self.count += 1.0;
                due
            }
            Arrival::Poisson => {
                // 53 bits: from 0 to just below 1.
                let chance = (self.random.next() >> 11) as f64 / (1u64 << 53) as f64;
                self.count -= (1.0 - chance).ln();
                self.rate.reaches_s(self.count)
            }
        };
        // A rate so low that the time is beyond all bounds is never due.
        Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX)
    }
}

impl Rate {
    /// After how many seconds its integral is `count`.
    fn reaches_s(self, count: f64) -> f64 {
        match self {
            Rate::Even(rate) => count / rate,
            Rate::Ramp { from, to, over_s } => {
                let whole = (from + to) / 2.0 * over_s;
                if count >= whole {
                    return over_s + (count - whole) / to;
                }
                // from·t + (to − from)/(2·over)·t² = count, in the form that loses no digits
                // where both rates are nearly the same.
                let growth = (to - from) / over_s;
                2.0 * count / (from + (from * from + 2.0 * growth * count).sqrt())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Rate, Schedule};
    use crate::{random::Random, suite::Arrival};

    fn due(rate: Rate, arrival: Arrival, seed: u64, n: usize) -> Vec<f64> {
        let mut schedule = Schedule { rate, arrival, random: Random::new(seed), count: 0.0 };
        (0..n).map(|_| schedule.next().as_secs_f64()).collect()
    }

    /// The rate at `t`.
    fn at(rate: Rate, t: f64) -> f64 {
        match rate {
            Rate::Even(rate) => rate,
            Rate::Ramp { from, to, over_s } => from + (to - from) * (t / over_s).min(1.0),
        }
    }

    fn rates() -> impl Strategy<Value = Rate> {
        prop_oneof![
            (0.1f64..5000.0).prop_map(Rate::Even),
            (0.1f64..500.0, 0.1f64..500.0, 0.1f64..20.0)
                .prop_map(|(from, to, over_s)| Rate::Ramp { from, to, over_s }),
        ]
    }

    proptest! {
        #[test]
        fn constant_arrivals_are_where_the_integral_of_the_rate_is_a_whole_number(rate in rates()) {
            let times = due(rate, Arrival::Constant, 0, 40);
            prop_assert_eq!(times[0], 0.0);
            for pair in times.windows(2) {
                // By Simpson's rule, which is exact for a straight line but at its bend.
                let (a, b) = (pair[0], pair[1]);
                let steps = 400;
                let h = (b - a) / f64::from(steps);
                let area: f64 = (0..steps)
                    .map(|n| {
                        let t = a + h * f64::from(n);
                        h / 6.0 * (at(rate, t) + 4.0 * at(rate, t + h / 2.0) + at(rate, t + h))
                    })
                    .sum();
                prop_assert!((area - 1.0).abs() < 1e-3, "{area} from {a} to {b}");
            }
        }

        #[test]
        fn arrivals_by_chance_have_the_mean_rate_and_follow_from_the_seed(
            rate in 0.1f64..5000.0, seed in any::<u64>(),
        ) {
            let n = 4000;
            let times = due(Rate::Even(rate), Arrival::Poisson, seed, n);
            prop_assert_eq!(&times, &due(Rate::Even(rate), Arrival::Poisson, seed, n));
            prop_assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
            // The sum of n has a deviation of √n: six of them are never.
            let expected = n as f64 / rate;
            let off = (times[n - 1] - expected).abs() / expected;
            prop_assert!(off < 6.0 / (n as f64).sqrt(), "{off}");
            // The gaps of an exponential distribution deviate as much as they are long.
            let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let squares = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
            let cv = (squares / gaps.len() as f64).sqrt() / mean;
            prop_assert!((cv - 1.0).abs() < 0.2, "{cv}");
        }
    }

    #[test]
    fn arrivals_at_equal_distances_are_one_over_the_rate_apart() {
        assert_eq!(due(Rate::Even(4.0), Arrival::Constant, 1, 4), [0.0, 0.25, 0.5, 0.75]);
        // 2 a second growing to 6 over 2 s is 8 of them, and then 6 a second.
        let ramp = Rate::Ramp { from: 2.0, to: 6.0, over_s: 2.0 };
        let times = due(ramp, Arrival::Constant, 1, 15);
        assert_eq!((times[8], times[14]), (2.0, 3.0));
        assert_ne!(due(ramp, Arrival::Poisson, 1, 5), due(ramp, Arrival::Poisson, 2, 5));
    }

    #[test]
    fn what_is_never_due_is_no_panic() {
        let mut schedule = Schedule {
            rate: Rate::Even(f64::MIN_POSITIVE),
            arrival: Arrival::Constant,
            random: Random::new(0),
            count: 9.0,
        };
        assert_eq!(schedule.next(), Duration::MAX);
    }
}
