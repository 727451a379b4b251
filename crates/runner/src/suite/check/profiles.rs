//! What can be wrong with a profile.

use toml::Spanned;

use super::{Check, limits};
use crate::{
    select::{Expression, MOST_REPEATS, Names},
    suite::{AnyOf, suggestion},
};

pub(super) fn check(check: &mut Check<'_>) {
    for (name, profile) in &check.suite.body.profile {
        let (def, place, who) = (profile.get_ref(), profile.span(), format!("profile {name:?}"));
        if let Some(text) = &def.keywords {
            expression(check, text, "keywords", &who);
        }
        if let Some(text) = &def.marks
            && let Some(expression) = expression(check, text, "marks", &who)
        {
            for mark in expression.words().filter(|mark| !check.marks.contains(mark)) {
                let hint = suggestion(mark, &check.marks);
                let message = format!("{who}: mark {mark:?} is not declared{hint}");
                check.sources.wrong(&text.span(), message);
            }
        }
        let (models, backends) = (check.models.clone(), check.backends.clone());
        for (key, given, known) in
            [("model", &def.model, models), ("backend", &def.backend, backends)]
        {
            let Some(AnyOf(list)) = given else { continue };
            if let Err(message) = Names::new(list).check(key, &known) {
                check.wrong(&place, format!("{who}: {message}"));
            }
        }
        if def.maxfail == Some(0) {
            check.wrong(&place, format!("{who}: maxfail = 0 would stop before anything ran"));
        }
        if def.repeat.is_some_and(|n| n == 0 || n > MOST_REPEATS) {
            check.wrong(&place, format!("{who}: repeat lies between 1 and {MOST_REPEATS}"));
        }
        limits::defaults(check.sources, &def.defaults, &place, &who);
    }
}

fn expression(
    check: &mut Check<'_>,
    text: &Spanned<String>,
    key: &str,
    who: &str,
) -> Option<Expression> {
    Expression::parse(text.get_ref())
        .map_err(|message| check.wrong(&text.span(), format!("{who}: {key}: {message}")))
        .ok()
}
