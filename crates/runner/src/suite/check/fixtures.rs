//! What can be wrong with a fixture.

use toml::Spanned;

use super::{Check, limits, name_for_ids};

pub(super) fn check(check: &mut Check<'_>) {
    let all = &check.suite.body.fixture;
    for (name, fixture) in all {
        let (def, place, who) = (fixture.get_ref(), fixture.span(), format!("fixture {name:?}"));
        if let Err(message) = name_for_ids("name", name, ",{}") {
            check.wrong(&place, format!("{who}: {message}"));
        }
        check.fixtures(&def.fixtures, &who);
        for needed in &def.fixtures {
            // What stays longer cannot stand on what goes earlier.
            let scope = all.get(needed.get_ref()).map(|other| other.get_ref().scope);
            if scope.is_some_and(|scope| scope > def.scope) {
                let message = format!(
                    "{who} stays longer than fixture {:?}, which it needs",
                    needed.get_ref()
                );
                check.wrong(&needed.span(), message);
            }
        }
        for command in def.setup.iter().chain(&def.teardown) {
            check.command(command, &place, &who);
        }
        check.texts(def.env.values(), &place, &who);
        for file in &def.copy {
            if let Err(error) = std::fs::metadata(def.folder.join(file)) {
                check.wrong(&place, format!("{who}: copy {file}: {error}"));
            }
        }
        limits::time(check.sources, def.timeout, "timeout", &place, &who);
    }
    circles(check);
}

/// Fixtures that need one another.
fn circles(check: &mut Check<'_>) {
    let all = &check.suite.body.fixture;
    let needs =
        |name: &str| all.get(name).into_iter().flat_map(|fixture| &fixture.get_ref().fixtures);
    // Each is walked once: what was walked without a circle has none.
    let mut done: Vec<&str> = Vec::new();
    for start in all.keys() {
        let mut way: Vec<(&str, Vec<&Spanned<String>>)> = vec![(start, needs(start).collect())];
        while let Some((name, left)) = way.last_mut() {
            let Some(next) = left.pop() else {
                done.push(*name);
                way.pop();
                continue;
            };
            let next_name = next.get_ref().as_str();
            if let Some(at) = way.iter().position(|(name, _)| *name == next_name) {
                let chain: Vec<&str> = way[at..].iter().map(|(name, _)| *name).collect();
                let message =
                    format!("fixtures go in a circle: {} → {next_name}", chain.join(" → "));
                return check.wrong(&next.span(), message);
            }
            if !done.contains(&next_name) {
                way.push((next_name, needs(next_name).collect()));
            }
        }
    }
}
