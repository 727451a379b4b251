//! All runs of the input beside earlier ones.

use crate::{
    input::Input,
    numbers::{Comparison, Rules},
};

/// The runs that a report is about, each beside earlier ones.
#[derive(Debug)]
pub struct Compared<'a> {
    /// What they are compared with.
    pub old: &'a Input,
    /// How.
    pub rules: Rules,
    /// For each chapter of the report its comparison.
    pub chapters: Vec<Comparison<'a>>,
}

impl<'a> Compared<'a> {
    /// The chapters of `input` beside the runs of `old`.
    #[must_use]
    pub fn of(input: &'a Input, old: &'a Input, rules: Rules) -> Compared<'a> {
        let runs = old.chapters();
        let chapters = input.chapters().into_iter();
        let chapters = chapters.map(|run| Comparison::of(run, &runs, rules)).collect();
        Compared { old, rules, chapters }
    }
}
