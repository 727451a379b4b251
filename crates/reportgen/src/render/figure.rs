//! Figures of measurements for people: finer than what describes a run, and rates, shares
//! and money.

use crate::page::Cell;
use records::Stats;

use super::format::{count, gb, pct, seconds};

/// Seconds of a measurement, finer than [`seconds`]: `0.263 s`, `12.37 s`, `1 min 41 s`.
#[must_use]
pub(super) fn timing(s: f64) -> Cell {
    let size = s.abs();
    if !(0.9995..3599.5).contains(&size) {
        return seconds(s);
    }
    let text = if size < 59.995 {
        format!("{s:.2} s")
    } else {
        let whole = s.round();
        format!("{:.0} min {:02.0} s", (whole / 60.0).trunc(), (whole % 60.0).abs())
    };
    Cell::number(s, "s", text)
}

/// Gigabytes of a measurement, finer than [`gb`]: `19.55 GB`, `98 MB`.
#[must_use]
pub(super) fn fine_gb(amount: f64) -> Cell {
    if amount.abs() < 0.9995 {
        gb(amount)
    } else {
        Cell::number(amount, "gb", format!("{amount:.2} GB"))
    }
}

/// A mean with its standard deviation, `172.8 ±2.9`, in the unit that `scale` makes of it;
/// of one value there is none.
#[must_use]
pub(super) fn plus_minus(stats: &Stats, scale: f64) -> Cell {
    let mean = stats.mean * scale;
    let decimals = decimals(mean);
    let sd = stats.sd.filter(|_| stats.n > 1).map(|sd| sd * scale);
    let text = match sd {
        Some(sd) => format!("{mean:.decimals$} ±{sd:.decimals$}"),
        None => number(mean).into(),
    };
    Cell::pair([(Some(mean), "mean"), (sd, "sd")], text)
}

/// A number with one decimal, and small ones with three significant digits: `172.8`,
/// `0.0512`.
#[must_use]
pub(super) fn number(value: f64) -> Cell {
    let text = format!("{value:.0$}", decimals(value));
    let nothing = text.trim_start_matches('-').chars().all(|c| "0.".contains(c));
    Cell::number(value, "", if nothing { "0".into() } else { text })
}

/// How many decimals a number of this size is written with.
fn decimals(value: f64) -> usize {
    let size = value.abs();
    if size >= 0.95 || size == 0.0 || !size.is_finite() {
        1
    } else {
        // From 2 for 0.9 on; nothing measured here is below 1e-9.
        (2.0 - size.log10().floor()).clamp(2.0, 9.0) as usize
    }
}

/// A rate: `2.29`, `46.15`, `1,234.5`.
#[must_use]
pub(super) fn rate(value: f64) -> Cell {
    if value.abs() >= 999.5 {
        large(value)
    } else if value.abs() >= 0.95 {
        Cell::number(value, "", format!("{value:.2}"))
    } else {
        number(value)
    }
}

/// A large number without decimals: `19,814`; one below a thousand as [`number`].
#[must_use]
pub(super) fn large(value: f64) -> Cell {
    // What is negative or not finite is none of these quantities.
    if value.is_finite() && value >= 999.5 { rounded(value) } else { number(value) }
}

/// A mean of counts, such as tokens: `1,096`, `308`, `4.3`.
#[must_use]
pub(super) fn mean_count(value: f64) -> Cell {
    // As above.
    let whole = value >= 99.5 || (value >= 0.0 && value.fract() == 0.0);
    if value.is_finite() && whole { rounded(value) } else { number(value) }
}

/// A value that is shown without its decimals.
fn rounded(value: f64) -> Cell {
    Cell::number(value, "", count(value.round() as u64).into())
}

/// A factor: `1.06 ×`.
#[must_use]
pub(super) fn times(factor: f64) -> Cell {
    Cell::number(factor, "", format!("{factor:.2} ×"))
}

/// A share, 0 to 1, in percent; what is not all of it is never written as 100 %.
#[must_use]
pub(super) fn share(share: f64) -> Cell {
    let text = match 100.0 * share {
        all if all >= 100.0 => "100 %".to_owned(),
        most if most >= 99.95 => format!("{:.3} %", most.min(99.999)),
        some => pct(some).into(),
    };
    Cell::number(100.0 * share, "pct", text)
}

/// Money: `9.31`, `1,234.50`, `0.0931`.
#[must_use]
pub(super) fn money(amount: f64) -> Cell {
    if amount.abs() < 0.995 {
        return number(amount);
    }
    let text = format!("{amount:.2}");
    let grouped = text
        .split_once('.')
        .and_then(|(whole, cents)| Some(format!("{}.{cents}", count(whole.parse().ok()?))));
    Cell::number(amount, "", grouped.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use records::Stats;

    use super::{fine_gb, large, mean_count, money, number, plus_minus, rate, share, timing};

    #[test]
    fn measurements_are_finer_than_sums() {
        let all = [0.2634, 0.9996, 6.46, 15.148, 50.0, 60.0, 101.4, 3598.9, 3599.6];
        assert_eq!(
            all.map(|x| timing(x).to_string()),
            [
                "0.263 s",
                "1.00 s",
                "6.46 s",
                "15.15 s",
                "50.00 s",
                "1 min 00 s",
                "1 min 41 s",
                "59 min 59 s",
                "1h 00m"
            ]
        );
        assert_eq!(
            [19.5539, 0.098, 0.9996].map(|x| fine_gb(x).to_string()),
            ["19.55 GB", "98 MB", "1.00 GB"]
        );
    }

    #[test]
    fn a_mean_and_its_deviation_have_the_same_decimals() {
        let of =
            |mean, sd, n| plus_minus(&Stats { mean, sd, n, ..Stats::default() }, 1.0).to_string();
        assert_eq!(of(172.763, Some(2.883), 3), "172.8 ±2.9");
        assert_eq!(of(4.87, Some(0.036), 3), "4.9 ±0.0");
        assert_eq!(of(0.512, Some(0.012), 3), "0.512 ±0.012");
        assert_eq!(of(0.0512, Some(0.00012), 3), "0.0512 ±0.0001");
        assert_eq!(of(21.5, None, 1), "21.5");
        assert_eq!(of(0.0, Some(0.0), 3), "0.0 ±0.0");
        let s = Stats { mean: 0.263, sd: Some(0.002), n: 3, ..Stats::default() };
        assert_eq!(&*plus_minus(&s, 1e3), "263.0 ±2.0");
    }

    #[test]
    fn rates_shares_and_money_keep_the_digits_that_matter() {
        assert_eq!(
            [2.2904, 46.147, 1234.5, 0.0123].map(|x| rate(x).to_string()),
            ["2.29", "46.15", "1,235", "0.0123"]
        );
        assert_eq!(
            [19_814.2, 999.6, 31.0, -0.0].map(|x| large(x).to_string()),
            ["19,814", "1,000", "31.0", "0"]
        );
        assert_eq!(
            [1096.4, 307.96, 97.0, 4.3].map(|x| mean_count(x).to_string()),
            ["1,096", "308", "97", "4.3"]
        );
        assert_eq!(&*number(-0.000_000_000_1), "0");
        assert_eq!(
            [1.0, 0.9998, 0.999_999_9, 0.5].map(|x| share(x).to_string()),
            ["100 %", "99.980 %", "99.999 %", "50.0 %"]
        );
        assert_eq!(
            [9.31, 1234.5, 0.0931, 0.0, 40.5].map(|x| money(x).to_string()),
            ["9.31", "1,234.50", "0.0931", "0", "40.50"]
        );
    }
}
