//! What can be wrong with `only`, `skip` and `xfail`.

use std::ops::Range;

use super::Check;
use crate::{
    select::Pattern,
    suite::{AnyOf, Only, suggestion},
};

const SYSTEMS: [&str; 2] = ["linux", "macos"];
const ARCHITECTURES: [&str; 2] = ["aarch64", "x86_64"];
/// Other words that people have for the same.
const ALSO: [(&str, &str); 6] = [
    ("darwin", "macos"),
    ("mac", "macos"),
    ("osx", "macos"),
    ("arm64", "aarch64"),
    ("amd64", "x86_64"),
    ("x64", "x86_64"),
];

/// `only` of a backend or of a model, which say in other ways where they belong.
pub(super) fn of_definition(
    check: &mut Check<'_>,
    only: Option<&Only>,
    place: &Range<usize>,
    who: &str,
) {
    let Some(only) = only else { return };
    if only.backend.is_some() || only.model.is_some() {
        let message = format!(
            "{who}: only: backend and model are for cases; a model's on.BACKEND says where it runs"
        );
        check.wrong(place, message);
    }
    one(check, only, place, &format!("{who}: only"));
}

/// `only`, or `on` of a `skip` or an `xfail`.
pub(super) fn one(check: &mut Check<'_>, only: &Only, place: &Range<usize>, who: &str) {
    words(check, only.os.as_ref(), "os", &SYSTEMS, place, who);
    words(check, only.arch.as_ref(), "arch", &ARCHITECTURES, place, who);
    names(check, only.backend.as_ref(), only.model.as_ref(), place, who);
    for (key, list) in [("gpu", &only.gpu), ("program", &only.program), ("env", &only.env)] {
        let Some(AnyOf(list)) = list else { continue };
        if list.is_empty() || list.iter().any(String::is_empty) {
            check.wrong(place, format!("{who}: {key} is empty and can never hold"));
        }
    }
    if only.min_ram_gb.is_some_and(|gb| !gb.is_finite() || gb <= 0.0) {
        check.wrong(place, format!("{who}: min_ram_gb is no amount of memory"));
    }
}

/// That patterns of backends and models fit some.
pub(super) fn names(
    check: &mut Check<'_>,
    backend: Option<&AnyOf<String>>,
    model: Option<&AnyOf<String>>,
    place: &Range<usize>,
    who: &str,
) {
    let (backends, models) = (check.backends.clone(), check.models.clone());
    patterns(check, backend, "backend", &backends, place, who);
    patterns(check, model, "model", &models, place, who);
}

/// The words that are given; a list without any could never hold.
fn listed<'a>(
    check: &mut Check<'_>,
    given: Option<&'a AnyOf<String>>,
    key: &str,
    place: &Range<usize>,
    who: &str,
) -> &'a [String] {
    if given.is_some_and(|AnyOf(list)| list.is_empty()) {
        check.wrong(place, format!("{who}: {key} is empty and can never hold"));
    }
    given.map_or(&[], |AnyOf(list)| list)
}

fn words(
    check: &mut Check<'_>,
    given: Option<&AnyOf<String>>,
    key: &str,
    known: &[&str],
    place: &Range<usize>,
    who: &str,
) {
    for word in
        listed(check, given, key, place, who).iter().filter(|word| !known.contains(&word.as_str()))
    {
        let hint = match ALSO.iter().find(|(other, _)| other == word) {
            Some((_, ours)) => format!(": write {ours:?}"),
            None => suggestion(word, known),
        };
        check.wrong(place, format!("{who}: unknown {key} {word:?}{hint}"));
    }
}

fn patterns(
    check: &mut Check<'_>,
    given: Option<&AnyOf<String>>,
    key: &str,
    known: &[&str],
    place: &Range<usize>,
    who: &str,
) {
    for name in listed(check, given, key, place, who) {
        if !Pattern::new(name).is_glob() && !known.contains(&name.as_str()) {
            let hint = suggestion(name, known);
            check.wrong(place, format!("{who}: {key} {name:?} is not defined{hint}"));
        }
    }
}
