//! What is to be said of a test that was measured, besides its figures.

use crate::page::{code, prose};
use records::{OnMiss, Outcome, Target, Test, Validity};

use super::failures::missed;

/// Whether something speaks against the figures of `test`.
pub(super) fn is_suspect(test: &Test) -> bool {
    test.verdict.as_ref().is_some_and(|verdict| verdict.state == Validity::Suspect)
}

/// What is to be thought of a test, in one word; why is among the [`remarks`].
pub(super) fn word(test: &Test) -> &'static str {
    let suspect = test.verdict.as_ref().map(|verdict| verdict.state);
    match (test.outcome, suspect) {
        (Outcome::Passed | Outcome::Xpassed, Some(Validity::Clean)) => "clean",
        (Outcome::Passed | Outcome::Xpassed, Some(Validity::Suspect)) => "suspect",
        (Outcome::Failed, Some(Validity::Suspect)) => "failed, suspect",
        (other, _) => other.name(),
    }
}

/// What went wrong with `test`, what speaks against its figures and which targets it missed.
pub(super) fn remarks(test: &Test) -> Vec<String> {
    let mut all: Vec<String> = ended(test).into_iter().chain(suspicion(test)).collect();
    all.extend(missed_targets(test).map(|target| format!("target missed, {}", missed(target))));
    all
}

/// How `test` came out, and why, unless it passed or the targets that it missed say it all.
pub(super) fn ended(test: &Test) -> Option<String> {
    let fails = missed_targets(test).any(|target| target.on_miss == OnMiss::Fail);
    if test.outcome == Outcome::Passed || test.outcome == Outcome::Failed && fails {
        return None;
    }
    let why = match (&test.error, &test.reason) {
        (Some(error), _) => format!("{}: {}", code(&error.kind), prose(&error.message)),
        (None, Some(reason)) => prose(reason),
        (None, None) => "no reason is given".to_owned(),
    };
    Some(format!("{}, {why}", test.outcome.name()))
}

/// What speaks against the figures of `test`.
pub(super) fn suspicion(test: &Test) -> Option<String> {
    let verdict = test.verdict.as_ref().filter(|verdict| verdict.state == Validity::Suspect)?;
    let reasons: Vec<String> = verdict.reasons.iter().map(|reason| prose(reason)).collect();
    Some(match &reasons[..] {
        [] => "suspect, without a reason".to_owned(),
        reasons => format!("suspect, {}", reasons.join("; ")),
    })
}

/// The targets that `test` missed.
pub(super) fn missed_targets(test: &Test) -> impl Iterator<Item = &Target> {
    test.targets.iter().flatten().filter(|target| !target.ok)
}
