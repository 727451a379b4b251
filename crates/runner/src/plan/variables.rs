//! Environment variables that a cell needs and that are not set.

use std::collections::BTreeSet;

use super::{Host, On};
use crate::suite::{Body, CaseDef, CommandDef, Template};

/// What is missing for a server of `on`: of its backend, and of its model.
pub(super) fn of_server(on: &On<'_>, host: &Host) -> Option<String> {
    let backend = first(on.backend.texts(), host)
        .map(|name| not_set(name, &format!("backend {:?}", on.backend_name)));
    let key = || {
        let name =
            on.backend.api_key_env.as_ref().filter(|name| !host.variables.contains(*name))?;
        Some(not_set(name.clone(), &format!("backend {:?}", on.backend_name)))
    };
    backend.or_else(key).or_else(|| of_model(on, host))
}

/// What is missing for the model's file.
pub(super) fn of_model(on: &On<'_>, host: &Host) -> Option<String> {
    first(&on.placement.path, host).map(|name| not_set(name, &format!("model {:?}", on.model.id)))
}

/// What is missing for the case itself and for its fixtures.
pub(super) fn of_case(body: &Body, case: &CaseDef, host: &Host) -> Option<String> {
    let own = first(case.command.iter().flat_map(CommandDef::texts), host)
        .map(|name| not_set(name, &format!("case {:?}", case.name)));
    own.or_else(|| {
        let has: BTreeSet<&str> = body.fixtures_of(case);
        has.into_iter().find_map(|fixture| {
            let name = first(body.fixture.get(fixture)?.get_ref().texts(), host)?;
            Some(not_set(name, &format!("fixture {fixture:?}")))
        })
    })
}

fn first<'t>(texts: impl IntoIterator<Item = &'t String>, host: &Host) -> Option<String> {
    texts.into_iter().find_map(|text| {
        let template = Template::parse(text).ok()?;
        template.needed().find(|name| !host.variables.contains(*name)).map(str::to_owned)
    })
}

fn not_set(name: String, who: &str) -> String {
    format!("environment variable {name} is not set, which {who} needs")
}
