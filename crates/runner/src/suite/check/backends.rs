//! What can be wrong with a backend.

use super::{Check, limits, name_for_ids};
use crate::{
    backend::{Kind, signal_named},
    suite::BackendDef,
};

pub(super) fn check(check: &mut Check<'_>) {
    for (name, backend) in &check.suite.body.backend {
        let (def, place, who) = (backend.get_ref(), backend.span(), format!("backend {name:?}"));
        if let Err(message) = name_for_ids("name", name, ",") {
            check.wrong(&place, format!("{who}: {message}"));
        }
        match Kind::from_name(def.kind.get_ref()) {
            Ok(kind) => of_kind(check, kind, def, &place, &who),
            Err(message) => check.wrong(&def.kind.span(), format!("{who}: {message}")),
        }
        check.texts(def.texts(), &place, &who);
        check.fixtures(&def.fixtures, &who);
        super::conditions::of_definition(check, def.only.as_ref(), &place, &who);
        limits::time(check.sources, def.ready.timeout, "ready.timeout", &place, &who);
        if let Some(signal) = &def.stop.signal
            && signal_named(signal.get_ref()).is_none()
        {
            let message =
                format!("{who}: {:?} is no signal; write \"TERM\" or \"INT\"", signal.get_ref());
            check.wrong(&signal.span(), message);
        }
    }
}

fn of_kind(
    check: &mut Check<'_>,
    kind: Kind,
    def: &BackendDef,
    place: &std::ops::Range<usize>,
    who: &str,
) {
    if kind == Kind::OpenAi && def.url.is_none() && def.command.is_none() {
        check.wrong(place, format!("{who}: needs a url (attach) or a command (start)"));
    }
    if let Some(key) = useless_key(kind, def) {
        let why = if kind == Kind::Command { "has no server" } else { "is attached to" };
        check.wrong(place, format!("{who}: {key} would have no effect: the backend {why}"));
    }
}

/// A key of a backend that would be accepted and ignored.
fn useless_key(kind: Kind, def: &BackendDef) -> Option<&'static str> {
    let ready = &def.ready;
    let starting = [
        ("command", def.command.is_some()),
        ("env", !def.env.is_empty()),
        ("host", def.host.is_some()),
        ("port", def.port.is_some()),
        ("stop", def.stop.signal.is_some() || def.stop.grace.is_some()),
    ];
    let serving = [
        ("url", def.url.is_some()),
        ("api_key_env", def.api_key_env.is_some()),
        ("ready", ready.get.is_some() || ready.status.is_some() || ready.timeout.is_some()),
    ];
    let given =
        |keys: &[(&'static str, bool)]| keys.iter().find(|(_, given)| *given).map(|(key, _)| *key);
    match kind {
        Kind::Command => given(&starting).or_else(|| given(&serving)),
        _ if def.url.is_some() || def.command.is_none() && kind.attach().is_some() => {
            given(&starting)
        }
        _ => None,
    }
}
