//! What the types cannot say: a file for each thing that a suite defines.

mod backends;
mod cases;
mod conditions;
mod fixtures;
pub(super) mod limits;
mod measured;
mod models;
mod profiles;
pub(super) mod requests;

use std::ops::Range;

use toml::Spanned;

use super::{CommandDef, Suite, Template, source::Sources, source::suggestion};

/// Notes everything that is wrong with `suite`.
pub(super) fn check(suite: &Suite, sources: &mut Sources) {
    if let Err(message) = name_for_ids("suite's name", &suite.name, ":") {
        sources.wrong_file(&suite.file, message);
    }
    let mut check = Check::new(suite, sources);
    limits::budget(&mut check);
    fixtures::check(&mut check);
    backends::check(&mut check);
    models::check(&mut check);
    cases::check(&mut check);
    measured::prices(&mut check);
    profiles::check(&mut check);
}

/// A suite under examination.
struct Check<'a> {
    suite: &'a Suite,
    sources: &'a mut Sources,
    backends: Vec<&'a str>,
    models: Vec<&'a str>,
    marks: Vec<&'a str>,
    fixtures: Vec<&'a str>,
    /// `fixture.NAME` of every fixture: what texts may say besides.
    places: Vec<String>,
}

impl<'a> Check<'a> {
    fn new(suite: &'a Suite, sources: &'a mut Sources) -> Check<'a> {
        let body = &suite.body;
        Check {
            suite,
            sources,
            backends: body.backend.keys().map(String::as_str).collect(),
            models: body.model.iter().map(|model| model.get_ref().id.as_str()).collect(),
            marks: body.marks.keys().map(String::as_str).collect(),
            fixtures: body.fixture.keys().map(String::as_str).collect(),
            places: body.fixture.keys().map(|name| format!("fixture.{name}")).collect(),
        }
    }

    fn wrong(&mut self, place: &Range<usize>, message: impl Into<String>) {
        self.sources.wrong(place, message);
    }

    /// That `texts` have no placeholder but those there are.
    fn texts<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t String>,
        place: &Range<usize>,
        who: &str,
    ) {
        let more: Vec<&str> = self.places.iter().map(String::as_str).collect();
        let wrong: Vec<String> =
            texts.into_iter().filter_map(|text| Template::check(text, &more).err()).collect();
        for message in wrong {
            self.wrong(place, format!("{who}: {message}"));
        }
    }

    /// That a command names a program, and its placeholders.
    fn command(&mut self, command: &CommandDef, place: &Range<usize>, who: &str) {
        if command.argv.is_empty() {
            self.wrong(place, format!("{who}: argv names no program"));
        }
        if command.stdin.is_some() && command.stdin_file.is_some() {
            self.wrong(place, format!("{who}: has both stdin and stdin_file"));
        }
        self.texts(command.texts(), place, who);
    }

    /// That every fixture of `list` is one.
    fn fixtures(&mut self, list: &[Spanned<String>], who: &str) {
        for name in list {
            if !self.fixtures.contains(&name.get_ref().as_str()) {
                let hint = suggestion(name.get_ref(), &self.fixtures);
                let message = format!("{who}: fixture {:?} is not defined{hint}", name.get_ref());
                self.wrong(&name.span(), message);
            }
        }
    }
}

/// A name becomes a part of ids, which people type and scripts split.
///
/// # Errors
///
/// When it cannot, with a sentence that says why.
pub(super) fn name_for_ids(what: &str, name: &str, also_not: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || "[]".contains(c) || also_not.contains(c);
    match name.chars().find(|c| bad(*c)) {
        _ if name.is_empty() => Err(format!("the {what} is empty")),
        Some(c) => Err(format!("the {what} {name:?} has {c:?} in it, which ids cannot have")),
        None => Ok(()),
    }
}
