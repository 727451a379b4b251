//! Whether one mean is above another by more than chance makes of it.

use records::Stats;

use super::Range;

/// The 0.975 quantiles of Student's t distribution for 1 to 29 degrees of freedom: a
/// 95 % interval of a mean of n values reaches this times sd / √n (n − 1 degrees) to
/// either side. Three decimals, as printed in every textbook's table; a test computes them
/// anew from the density.
const T_975: [f64; 29] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045,
];

/// That of the normal distribution, which the others come close to.
const Z_975: f64 = 1.960;

/// The 95 % interval of the mean that `stats` tells; none of one value, for it says nothing
/// of how values vary.
#[must_use]
pub fn interval(stats: &Stats) -> Option<Range> {
    let sd = stats.sd.filter(|sd| sd.is_finite() && *sd >= 0.0)?;
    let degrees = usize::try_from(stats.n.checked_sub(2)?).unwrap_or(usize::MAX);
    let t = T_975.get(degrees).copied().unwrap_or(Z_975);
    // The count is far below 2^53.
    let half = t * sd / (stats.n as f64).sqrt();
    Some(Range { min: stats.mean - half, max: stats.mean + half })
}

/// Which of two values is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The greater: a speed.
    More,
    /// The lesser: a time.
    Less,
}

/// The best of several means, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Lead {
    /// The place of the best.
    pub first: usize,
    /// The place of the next.
    pub next: usize,
    /// By what factor the best is better than the next: at least 1.
    pub factor: f64,
    /// The places of those whose difference from the best is within the noise: whose
    /// interval overlaps with that of the best, or where one of the two has none.
    pub within_noise: Vec<usize>,
}

/// Who leads among `all`. Nobody does among less than two, and what is not above 0 or not
/// finite takes no part. Of equals the first leads.
#[must_use]
pub fn lead(all: &[Stats], better: Better) -> Option<Lead> {
    let mut places: Vec<usize> =
        (0..all.len()).filter(|at| all[*at].mean.is_finite() && all[*at].mean > 0.0).collect();
    // Stable, so equals keep their order.
    places.sort_by(|a, b| {
        let by_mean = all[*a].mean.total_cmp(&all[*b].mean);
        if better == Better::More { by_mean.reverse() } else { by_mean }
    });
    let (&first, &next) = (places.first()?, places.get(1)?);
    let best = interval(&all[first]);
    let overlaps = |other: usize| match (best, interval(&all[other])) {
        (Some(a), Some(b)) => a.min <= b.max && b.min <= a.max,
        _ => true,
    };
    let factor = all[first].mean / all[next].mean;
    Some(Lead {
        first,
        next,
        factor: if better == Better::More { factor } else { factor.recip() },
        within_noise: places[1..].iter().copied().filter(|other| overlaps(*other)).collect(),
    })
}

/// How much a measurement varies, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// The coefficient of variation is under 5 %.
    Excellent,
    /// Under 10 %.
    Good,
    /// Under 20 %.
    Fair,
    /// 20 % or more.
    Unstable,
}

/// The coefficient of variation (sd / mean) in percent, and what it is called; none of one
/// value.
#[must_use]
pub fn consistency(stats: &Stats) -> Option<(f64, Consistency)> {
    let cv = 100.0 * stats.sd.filter(|_| stats.n > 1)? / stats.mean;
    Some((cv, Consistency::of(cv)?))
}

impl Consistency {
    /// What a variation of so many percent is called; nothing for what is none.
    #[must_use]
    pub fn of(pct: f64) -> Option<Consistency> {
        Some(match pct {
            pct if !pct.is_finite() || pct < 0.0 => return None,
            pct if pct < 5.0 => Consistency::Excellent,
            pct if pct < 10.0 => Consistency::Good,
            pct if pct < 20.0 => Consistency::Fair,
            _ => Consistency::Unstable,
        })
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Consistency::Excellent => "excellent",
            Consistency::Good => "good",
            Consistency::Fair => "fair",
            Consistency::Unstable => "unstable",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use records::Stats;

    use super::{Better, Consistency, T_975, Z_975, consistency, interval, lead};

    fn stats(values: &[f64]) -> Stats {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Stats { mean, sd, n: values.len() as u64, ..Stats::default() }
    }

    /// The quantile by integrating the density t = tan x, which is cos^(degrees − 1) x, and
    /// halving: no table and no gamma function.
    fn quantile(degrees: i32) -> f64 {
        let half_pi = std::f64::consts::FRAC_PI_2;
        let area = |to: f64| {
            let steps = 2000;
            let width = to / f64::from(steps);
            let at = |n: f64| (n * width).cos().powi(degrees - 1);
            (0..steps).map(|n| width * at(f64::from(n) + 0.5)).sum::<f64>()
        };
        let whole = area(half_pi);
        let (mut low, mut high) = (0.0, half_pi);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if area(middle) / whole < 0.95 { low = middle } else { high = middle }
        }
        low.tan() * f64::from(degrees).sqrt()
    }

    /// Those for 1 to 29 degrees of freedom.
    static QUANTILES: LazyLock<Vec<f64>> = LazyLock::new(|| (1..30).map(quantile).collect());

    #[test]
    fn the_table_is_what_the_density_gives() {
        for (table, computed) in T_975.iter().zip(QUANTILES.iter()) {
            assert!((table - computed).abs() < 6e-4, "{table} {computed}");
        }
        assert!((quantile(100_000) - Z_975).abs() < 1e-3);
    }

    #[test]
    fn three_values_have_an_interval_of_two_and_a_half_deviations_and_one_has_none() {
        let range = interval(&stats(&[9.0, 10.0, 11.0])).unwrap();
        assert!((range.max - 10.0 - 4.303 / 3f64.sqrt()).abs() < 1e-9);
        assert!((range.min + range.max - 20.0).abs() < 1e-9);
        assert_eq!(interval(&stats(&[9.0])), None);
        assert_eq!(interval(&Stats { n: 0, sd: Some(1.0), ..Stats::default() }), None);
    }

    #[test]
    fn beyond_thirty_values_it_is_that_of_the_normal_distribution() {
        let of = |n| interval(&Stats { mean: 0.0, sd: Some(1.0), n, ..Stats::default() }).unwrap();
        assert!((of(30).max - 2.045 / 30f64.sqrt()).abs() < 1e-9);
        assert!((of(31).max - 1.960 / 31f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_lead_is_sure_only_where_intervals_are_apart() {
        let far = [stats(&[10.0, 10.1, 9.9]), stats(&[20.0, 20.1, 19.9])];
        let sure = lead(&far, Better::More).unwrap();
        assert_eq!((sure.first, sure.next, sure.within_noise), (1, 0, vec![]));
        assert!((sure.factor - 2.0).abs() < 1e-9);
        let times = lead(&far, Better::Less).unwrap();
        assert_eq!((times.first, (times.factor * 10.0).round()), (0, 20.0));
        let near = [stats(&[10.0, 12.0]), stats(&[11.0, 13.0])];
        assert_eq!(lead(&near, Better::More).unwrap().within_noise, [0]);
        let single = [stats(&[10.0]), stats(&[99.0, 99.0])];
        assert_eq!(lead(&single, Better::More).unwrap().within_noise, [0]);
        assert_eq!(lead(&near[..1], Better::More), None);
        assert_eq!(lead(&[stats(&[0.0, 0.0]), stats(&[1.0, 1.0])], Better::More), None);
    }

    #[test]
    fn consistency_has_words_with_limits() {
        let called = |sd| {
            consistency(&Stats { mean: 100.0, sd: Some(sd), n: 3, ..Stats::default() }).unwrap().1
        };
        let all = [4.99, 5.0, 9.99, 10.0, 19.99, 20.0].map(called);
        use Consistency::{Excellent, Fair, Good, Unstable};
        assert_eq!(all, [Excellent, Good, Good, Fair, Fair, Unstable]);
        assert_eq!(consistency(&stats(&[1.0])), None);
        assert_eq!(consistency(&stats(&[0.0, 0.0])), None);
    }

    proptest! {
        #[test]
        fn who_leads_and_how_surely_is_what_looking_at_every_pair_gives(
            all in prop::collection::vec(prop::collection::vec(1u32..60, 1..40), 0..6),
            more in any::<bool>(),
        ) {
            let values: Vec<Vec<f64>> =
                all.iter().map(|one| one.iter().map(|n| f64::from(*n)).collect()).collect();
            let better = if more { Better::More } else { Better::Less };
            let found = lead(&values.iter().map(|one| stats(one)).collect::<Vec<_>>(), better);
            prop_assert_eq!(found.is_some(), values.len() > 1);
            let Some(found) = found else { return Ok(()) };
            let mean = |at: usize| values[at].iter().sum::<f64>() / values[at].len() as f64;
            let beats = |a: usize, b: usize| if more { mean(a) > mean(b) } else { mean(a) < mean(b) };
            for other in 0..values.len() {
                prop_assert!(!beats(other, found.first));
                prop_assert!(other == found.first || !beats(other, found.next));
            }
            prop_assert!(found.factor >= 1.0);
            // Squares instead of roots and sums of pairs instead of deviations: the distance
            // of the means against the sum of both half widths.
            let half = |at: usize| {
                let n = values[at].len();
                let pairs: f64 = values[at].iter()
                    .flat_map(|a| values[at].iter().map(move |b| (a - b).powi(2))).sum();
                let variance = pairs / 2.0 / n as f64 / (n as f64 - 1.0);
                let t = if n > 30 { 1.96 } else { QUANTILES[n - 2] };
                t * (variance / n as f64).sqrt()
            };
            for other in (0..values.len()).filter(|other| *other != found.first) {
                let alone = values[other].len() == 1 || values[found.first].len() == 1;
                let gap = (mean(other) - mean(found.first)).abs();
                let reach = if alone { f64::INFINITY } else { half(other) + half(found.first) };
                // Where it is that close, the three decimals of the table decide.
                if (gap - reach).abs() > 1e-3 * reach {
                    prop_assert_eq!(found.within_noise.contains(&other), gap <= reach);
                }
            }
        }
    }
}
