//! Changes in cells.

use std::collections::BTreeSet;

use super::{
    chapter::Chapter,
    figure::{fine_gb, large, rate, share, timing},
    format::{count, or_none, pct_change, seconds, seconds_change},
};
use crate::{
    numbers::{Comparison, Rules, Shift, Sum, model_of},
    page::{Cell, Right, Table},
};

/// A change in percent, with a word where it is beyond the noise.
pub(super) fn change_cell(pct: Option<f64>, shift: Shift, word: &str) -> Cell {
    or_none(pct, |pct| {
        let cell = pct_change(pct);
        let text = match shift {
            Shift::Noise => cell.to_string(),
            Shift::Better => format!("{cell} {word}"),
            Shift::Worse => format!("**{cell} {word}**"),
        };
        cell.shown_as(text)
    })
}

/// What a shift of a figure is called.
pub(super) fn shift_word(name: &str, shift: Shift) -> &'static str {
    let amount = matches!(name, "memory_gb" | "gpu_memory_gb");
    let share = matches!(name, "success_rate" | "goodput_rps");
    match shift {
        Shift::Noise => "",
        Shift::Better if amount => "less",
        Shift::Worse if amount => "more",
        Shift::Better if share => "better",
        Shift::Worse if share => "worse",
        Shift::Better => "faster",
        Shift::Worse => "slower",
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
    let shift = sum.shift(rules.noise_pct);
    vec![
        count(sum.tests),
        seconds(sum.old_s),
        seconds_change(sum.new_s - sum.old_s),
        change_cell(sum.pct(), shift, shift_word("duration_s", shift)),
    ]
}

/// How many models became slower and faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ModelShifts {
    pub(super) slower: u64,
    pub(super) faster: u64,
    pub(super) same: u64,
}

impl ModelShifts {
    /// All of them.
    pub(super) fn total(self) -> u64 {
        self.slower + self.faster + self.same
    }
}

/// How the models' times changed, over the tests that came through both times.
pub(super) fn models(comparison: &Comparison<'_>, rules: &Rules) -> ModelShifts {
    let models: BTreeSet<&str> =
        comparison.pairs.iter().filter_map(|pair| model_of(pair.test())).collect();
    let mut shifts = ModelShifts::default();
    for model in models {
        let sum = comparison.sum(|test| model_of(test) == Some(model));
        match sum.map(|sum| sum.shift(rules.noise_pct)) {
            Some(Shift::Worse) => shifts.slower += 1,
            Some(Shift::Better) => shifts.faster += 1,
            Some(Shift::Noise) => shifts.same += 1,
            None => {}
        }
    }
    shifts
}
