//! Changes in cells.

use std::collections::BTreeSet;

use super::{
    chapter::Chapter,
    figure::{fine_gb, large, rate, share, timing},
    format::{count, or_none, pct_change, seconds, seconds_change},
};
use crate::{
    numbers::{Comparison, Rules, Sum, Trend, model_of},
    page::{Cell, Right, Table},
};

/// A change in percent, with a word where it is beyond the noise.
pub(super) fn change_cell(pct: Option<f64>, trend: Trend, word: &str) -> Cell {
    or_none(pct, |pct| {
        let cell = pct_change(pct);
        let text = match trend {
            Trend::Noise => cell.to_string(),
            Trend::Better => format!("{cell} {word}"),
            Trend::Worse => format!("**{cell} {word}**"),
        };
        cell.shown_as(text)
    })
}

/// What a trend of a figure is called.
pub(super) fn trend_word(name: &str, trend: Trend) -> &'static str {
    let amount = matches!(name, "memory_gb" | "gpu_memory_gb");
    let share = matches!(name, "success_rate" | "goodput_rps");
    match trend {
        Trend::Noise => "",
        Trend::Better if amount => "less",
        Trend::Worse if amount => "more",
        Trend::Better if share => "better",
        Trend::Worse if share => "worse",
        Trend::Better => "faster",
        Trend::Worse => "slower",
    }
}

/// The value of the figure called `name`.
pub(super) fn figure(name: &str, value: f64) -> Cell {
    match name {
        "duration_s" => seconds(value),
        "success_rate" => share(value),
        _ if name.ends_with("_s") => timing(value),
        _ if name.ends_with("_gb") => fine_gb(value),
        "output_tps" => large(value),
        _ => rate(value),
    }
}

/// Adds the columns of times then and now, where there is a comparison.
pub(super) fn columns(table: &mut Table, chapter: &Chapter<'_>) {
    if chapter.comparison.is_some() {
        for title in ["Same tests", "Then", "Δ", "Change"] {
            table.column(title, Right);
        }
    }
}

/// Their cells.
pub(super) fn cells(chapter: &Chapter<'_>, sum: Option<Sum>) -> Vec<Cell> {
    let Some((_, rules)) = &chapter.comparison else { return Vec::new() };
    let Some(sum) = sum else { return vec![Cell::none(); 4] };
    let trend = sum.trend(rules.noise_pct);
    vec![
        count(sum.tests),
        seconds(sum.old_s),
        seconds_change(sum.new_s - sum.old_s),
        change_cell(sum.pct(), trend, trend_word("duration_s", trend)),
    ]
}

/// How many models became slower and faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ModelTrends {
    pub(super) slower: u64,
    pub(super) faster: u64,
    pub(super) same: u64,
}

impl ModelTrends {
    /// All of them.
    pub(super) fn total(self) -> u64 {
        self.slower + self.faster + self.same
    }
}

/// How the models' times changed, over the tests that came through both times.
pub(super) fn models(comparison: &Comparison<'_>, rules: &Rules) -> ModelTrends {
    let models: BTreeSet<&str> =
        comparison.pairs.iter().filter_map(|pair| model_of(pair.test())).collect();
    let mut trends = ModelTrends::default();
    for model in models {
        let sum = comparison.sum(|test| model_of(test) == Some(model));
        match sum.map(|sum| sum.trend(rules.noise_pct)) {
            Some(Trend::Worse) => trends.slower += 1,
            Some(Trend::Better) => trends.faster += 1,
            Some(Trend::Noise) => trends.same += 1,
            None => {}
        }
    }
    trends
}
