//! Whether two sets of values differ by more than chance: the Mann–Whitney test, exact, on
//! which most tools that compare measurements agree. It asks whether one set tends to be
//! above the other, and so where their medians lie, whatever their distribution.

/// The most values for which chances are counted out; beyond, they are those of the normal
/// distribution that theirs comes close to.
const EXACT: usize = 50;

/// The two-sided chance that values as far apart as `a` and `b`, or farther, come from the
/// same distribution; 1 where one of them is empty.
#[must_use]
pub(super) fn p_value(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let ranks = ranks(a, b);
    let sum: u64 = ranks[..a.len()].iter().sum();
    if ranks.len() <= EXACT { exact(&ranks, a.len(), sum) } else { normal(&ranks, a.len(), sum) }
}

/// The least chance that so many values can have: two of all ways to share them out.
#[must_use]
pub(super) fn least_p(a: usize, b: usize) -> f64 {
    // The number of ways, factor by factor.
    let ways = (1..=a).fold(1.0, |ways, n| ways * (b + n) as f64 / n as f64);
    (2.0 / ways).min(1.0)
}

/// Twice the rank of each value among all, those of `a` first; equals share their mean.
fn ranks(a: &[f64], b: &[f64]) -> Vec<u64> {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|x, y| all[*x].total_cmp(&all[*y]));
    let mut ranks = vec![0; all.len()];
    let mut from = 0;
    while from < order.len() {
        let same = order[from..].iter().take_while(|at| all[**at] == all[order[from]]).count();
        // Ranks from + 1 to from + same: twice their mean. NaN equals nothing, itself included.
        let same = same.max(1);
        for at in &order[from..from + same] {
            ranks[*at] = (2 * from + same + 1) as u64;
        }
        from += same;
    }
    ranks
}

/// Counts the ways to choose as many ranks, by their sum.
fn exact(ranks: &[u64], chosen: usize, sum: u64) -> f64 {
    let most: u64 = ranks.iter().sum();
    // Below 2^53 for fifty ranks, so the counts are exact.
    let mut ways = vec![vec![0.0f64; usize::try_from(most).unwrap_or(0) + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        let rank = usize::try_from(*rank).unwrap_or(0);
        for n in (1..=chosen).rev() {
            for sum in (rank..ways[n].len()).rev() {
                ways[n][sum] += ways[n - 1][sum - rank];
            }
        }
    }
    let all: f64 = ways[chosen].iter().sum();
    let sum = usize::try_from(sum).unwrap_or(0);
    let below: f64 = ways[chosen][..=sum].iter().sum();
    let above: f64 = ways[chosen][sum..].iter().sum();
    (2.0 * below.min(above) / all).min(1.0)
}

/// By the normal distribution, with its corrections for ties and for steps.
fn normal(ranks: &[u64], chosen: usize, sum: u64) -> f64 {
    let (all, a) = (ranks.len() as f64, chosen as f64);
    let b = all - a;
    let mean = a * (all + 1.0) / 2.0;
    let squares: f64 = ranks.iter().map(|rank| (*rank as f64 / 2.0).powi(2)).sum();
    // The variance of the sum of a of these ranks, drawn without putting back.
    let variance = a * b / (all * (all - 1.0)) * (squares - all * ((all + 1.0) / 2.0).powi(2));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((sum as f64 / 2.0 - mean).abs() - 0.5).max(0.0);
    beyond(distance / variance.sqrt())
}

/// The share of a normal distribution that lies farther than `z` deviations from its mean, to
/// either side: Abramowitz and Stegun, 7.1.26 (error below 1.5e-7).
fn beyond(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let polynomial = series.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    (polynomial * (-x * x).exp()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{beyond, least_p, normal, p_value, ranks};

    /// By definition: of all ways to share the values out, those whose sum of ranks is as far
    /// off to the same side, twice.
    fn by_hand(a: &[f64], b: &[f64]) -> f64 {
        let ranks = ranks(a, b);
        let own: u64 = ranks[..a.len()].iter().sum();
        let (mut all, mut below, mut above) = (0.0, 0.0, 0.0);
        for choice in 0u32..1 << ranks.len() {
            if choice.count_ones() as usize != a.len() {
                continue;
            }
            let sum: u64 =
                (0..ranks.len()).filter(|at| choice >> at & 1 == 1).map(|at| ranks[at]).sum();
            all += 1.0;
            below += f64::from(u8::from(sum <= own));
            above += f64::from(u8::from(sum >= own));
        }
        (2.0 * f64::min(below, above) / all).min(1.0)
    }

    #[test]
    fn four_and_four_that_are_apart_differ_and_three_and_three_cannot() {
        let p = p_value(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]);
        assert!((p - 2.0 / 70.0).abs() < 1e-12, "{p}");
        assert!((p_value(&[1.0, 2.0, 3.0], &[5.0, 6.0, 7.0]) - 0.1).abs() < 1e-12);
        assert!((least_p(4, 4) - 2.0 / 70.0).abs() < 1e-12 && (least_p(3, 3) - 0.1).abs() < 1e-12);
        assert!((p_value(&[], &[1.0]) - 1.0).abs() < 1e-12);
        assert!((least_p(1, 1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_normal_distribution_is_that_of_the_textbooks() {
        for (z, p) in [(0.0, 1.0), (1.959_964, 0.05), (2.575_829, 0.01), (3.290_527, 0.001)] {
            assert!((beyond(z) - p).abs() < 1e-6, "{z}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_chance_is_what_counting_all_ways_gives(
            a in prop::collection::vec(0..6u8, 1..6), b in prop::collection::vec(0..6u8, 1..6),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) =
                (a.into_iter().map(f64::from).collect(), b.into_iter().map(f64::from).collect());
            prop_assert!((p_value(&a, &b) - by_hand(&a, &b)).abs() < 1e-9);
            prop_assert!((p_value(&a, &b) - p_value(&b, &a)).abs() < 1e-9);
            prop_assert!(p_value(&a, &b) >= least_p(a.len(), b.len()) - 1e-9);
        }

        #[test]
        fn beyond_fifty_values_it_comes_close_to_counting(
            a in prop::collection::vec(0..1000u16, 20..25), b in prop::collection::vec(0..1000u16, 20..25),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) =
                (a.into_iter().map(f64::from).collect(), b.into_iter().map(f64::from).collect());
            let ranks = ranks(&a, &b);
            let sum = ranks[..a.len()].iter().sum();
            prop_assert!((normal(&ranks, a.len(), sum) - p_value(&a, &b)).abs() < 0.01);
        }
    }
}
