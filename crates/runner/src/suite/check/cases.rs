//! What can be wrong with a case.

use std::{collections::BTreeSet, ops::Range};

use super::{Check, conditions, limits, measured, name_for_ids, requests};
use crate::{
    case::Prepared,
    expect::Expectation,
    suite::{CaseDef, Only, suggestion},
};

pub(super) fn check(check: &mut Check<'_>) {
    for case in &check.suite.body.case {
        one(check, case.get_ref(), &case.span());
    }
}

fn one(check: &mut Check<'_>, def: &CaseDef, place: &Range<usize>) {
    let who = format!("case {:?}", def.name);
    if let Err(message) = name_for_ids("name", &def.name, ":") {
        check.wrong(place, format!("{who}: {message}"));
    }
    match does(def).as_slice() {
        [_] => {}
        [] => check.wrong(place, format!("{who}: has none of request, command and batch")),
        [first, second, ..] => {
            check.wrong(place, format!("{who}: has both a {first} and a {second}"));
        }
    }
    // What a data set's lines complete is looked at line by line.
    if let Some(request) = def.request.as_ref().filter(|_| def.dataset.is_none())
        && let Err(message) = requests::check(request, &def.folder)
    {
        check.wrong(place, format!("{who}: {message}"));
    }
    measured::case(check, def, place, &who);
    if let Some(command) = &def.command {
        check.command(command, place, &who);
    }
    for mark in &def.marks {
        if !check.suite.body.marks.contains_key(mark.get_ref()) {
            let hint = suggestion(mark.get_ref(), &check.marks);
            let message = format!("{who}: mark {:?} is not declared{hint}", mark.get_ref());
            check.wrong(&mark.span(), message);
        }
    }
    check.fixtures(&def.fixtures, &who);
    fixture_places(check, def, place, &who);
    for target in &def.target {
        limits::target(check, target, &who);
    }
    prepared(check, def, place, &who);
    limits::time(check.sources, def.timeout, "timeout", place, &who);
    limits::retries(check.sources, def.retries, place, &who);
    if let Some(only) = &def.only {
        conditions::one(check, only, place, &format!("{who}: only"));
        somewhere(check, def, only, place, &format!("{who}: only"));
    }
    for (key, on) in [
        ("skip", def.skip.as_ref().and_then(|skip| skip.on.as_ref())),
        ("xfail", def.xfail.as_ref().and_then(|xfail| xfail.on.as_ref())),
    ] {
        let Some(on) = on else { continue };
        conditions::one(check, on, place, &format!("{who}: {key}.on"));
        somewhere(check, def, on, place, &format!("{who}: {key}.on"));
    }
}

/// What a case does: exactly one of these.
fn does(def: &CaseDef) -> Vec<&'static str> {
    let keys = [
        ("request", def.request.is_some()),
        ("command", def.command.is_some()),
        ("batch", def.batch.is_some()),
    ];
    keys.into_iter().filter_map(|(what, given)| given.then_some(what)).collect()
}

/// That a condition on backends or models is of a case that has them.
fn somewhere(check: &mut Check<'_>, def: &CaseDef, on: &Only, place: &Range<usize>, who: &str) {
    if def.stands_alone() && (on.backend.is_some() || on.model.is_some()) {
        let message = format!(
            "{who}: the command names no backend and no model, so it runs once, on none; \
             say needs = [\"text\"] to run it on each model"
        );
        check.wrong(place, message);
    }
}

/// That a command names only folders of fixtures that the case has.
fn fixture_places(check: &mut Check<'_>, def: &CaseDef, place: &Range<usize>, who: &str) {
    let has = check.suite.body.fixtures_of(def);
    for name in def.places() {
        let Some(fixture) = name.strip_prefix("fixture.") else { continue };
        if check.suite.body.fixture.contains_key(fixture) && !has.contains(fixture) {
            let message = format!(
                "{who}: {{{name}}} is of a fixture that the case does not have; \
                 add it: fixtures = [{fixture:?}]"
            );
            check.wrong(place, message);
        }
    }
}

/// That expectations make sense, and the rows of a data set.
fn prepared(check: &mut Check<'_>, def: &CaseDef, place: &Range<usize>, who: &str) {
    if def.dataset.as_ref().is_some_and(|data| data.n == Some(0)) {
        return check.wrong(place, format!("{who}: dataset: n = 0 asks nothing"));
    }
    let Err(message) = Prepared::of(def, &def.folder, &check.suite.body.defaults) else { return };
    // Which of them it is; with a data set it may be so in one of its rows alone.
    let wrong = def.expect.iter().filter(|_| def.dataset.is_none()).find(|expect| {
        let parsed = Expectation::from_toml(expect.get_ref(), &def.folder);
        parsed.and_then(|e| e.fits(def.command.is_some())).is_err()
    });
    let place = wrong.map_or(place.clone(), toml::Spanned::span);
    check.wrong(&place, format!("{who}: {message}"));
}

impl crate::suite::Body {
    /// The fixtures that a case has: those that it names, those that every case has, and
    /// those that these need.
    #[must_use]
    pub fn fixtures_of<'a>(&'a self, case: &'a CaseDef) -> BTreeSet<&'a str> {
        let named = case.fixtures.iter().map(|name| name.get_ref().as_str());
        let autouse = self.fixture.iter().filter(|(_, fixture)| fixture.get_ref().autouse);
        let mut open: Vec<&str> = named.chain(autouse.map(|(name, _)| name.as_str())).collect();
        let mut has = BTreeSet::new();
        while let Some(name) = open.pop() {
            if has.insert(name)
                && let Some(fixture) = self.fixture.get(name)
            {
                open.extend(fixture.get_ref().fixtures.iter().map(|name| name.get_ref().as_str()));
            }
        }
        has
    }
}
