//! Which two batches `--hybrid` names.

use records::{ProtocolKind, Test};

use crate::{
    input::Input,
    numbers::{Found, found, model_of},
    run::Run,
};

/// A strategy of two steps, by the batches that show what each takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Hybrid {
    /// What all requests are screened with.
    pub screen: At,
    /// What the best of them are evaluated with.
    pub evaluate: At,
    /// How many are evaluated, in percent.
    pub pct: f64,
}

/// A test of the input: the number of its run and its own in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    run: usize,
    test: usize,
}

impl At {
    /// The test.
    #[must_use]
    pub fn of(self, input: &Input) -> Option<&Test> {
        input.runs.get(self.run)?.tests.get(self.test)
    }
}

impl Hybrid {
    /// Finds in `input` what `text` names: `SCREEN,EVALUATE,PCT`, each of the first two a model
    /// or the id of a batch. Of several batches of a model the last one that came to figures is
    /// meant.
    ///
    /// # Errors
    ///
    /// When it is not of that form, or the input has no such batch.
    pub fn find(text: &str, input: &Input) -> Result<Hybrid, String> {
        let form = || format!("{text:?} is not SCREEN,EVALUATE,PCT");
        let (names, pct) = text.rsplit_once(',').ok_or_else(form)?;
        let pct: f64 = pct.trim().trim_end_matches('%').trim_end().parse().map_err(|_| form())?;
        if !(0.0..=100.0).contains(&pct) {
            return Err(format!("{pct} is not a share from 0 to 100 %"));
        }
        let runs: Vec<&Run> = input.runs.iter().collect();
        let batches: Vec<Found<'_>> =
            found(&runs, ProtocolKind::Batch).into_iter().filter(Found::ran).collect();
        let named = |name: &str| {
            let is = |one: &&Found<'_>| one.test.id == name || model_of(one.test) == Some(name);
            batches.iter().rev().find(is).and_then(|one| at(input, one))
        };
        // Ids of tests have commas as well.
        let mut unknown = None;
        for (comma, _) in names.match_indices(',') {
            let (screen, evaluate) = (names[..comma].trim(), names[comma + 1..].trim());
            match (named(screen), named(evaluate)) {
                (Some(screen), Some(evaluate)) => return Ok(Hybrid { screen, evaluate, pct }),
                (Some(_), None) => unknown = Some(evaluate),
                (None, _) => unknown = unknown.or(Some(screen)),
            }
        }
        let known: Vec<&str> = batches.iter().filter_map(|one| model_of(one.test)).collect();
        match unknown {
            None => Err(form()),
            Some(name) => Err(format!(
                "the input has no batch of {name:?}; it has those of {}",
                if known.is_empty() { "no model".to_owned() } else { known.join(", ") }
            )),
        }
    }
}

fn at(input: &Input, one: &Found<'_>) -> Option<At> {
    let run = input.runs.iter().position(|run| std::ptr::eq(run, one.run))?;
    let test = one.run.tests.iter().position(|test| std::ptr::eq(test, one.test))?;
    Some(At { run, test })
}
