//! What can be wrong with a request.

use std::fs;

use super::Check;
use crate::suite::{CaseDef, RequestDef, suggestion};

const LATER: [&str; 3] = ["completion", "transcription", "embedding"];

pub(super) fn check(check: &mut Check<'_>, request: &RequestDef, case: &CaseDef, who: &str) {
    let (api, place) = (request.api.get_ref().as_str(), request.api.span());
    if LATER.contains(&api) {
        check.wrong(&place, format!("{who}: api {api:?}: not in this version yet"));
    } else if api != "chat" {
        let hint = suggestion(api, &["chat"]);
        check.wrong(&place, format!("{who}: unknown api {api:?}{hint}"));
    }
    if let Some(key) = key_beside_raw(request) {
        let message =
            format!("{who}: {key} would have no effect beside raw, which is sent as it is");
        check.wrong(&place, message);
    }
    // A name that a data set's lines complete is looked at line by line.
    let given = request.prompt_file.as_ref().filter(|_| case.dataset.is_none());
    if let Some(file) = given
        && let Err(error) = fs::metadata(case.folder.join(file))
    {
        check.wrong(&place, format!("{who}: prompt_file {file}: {error}"));
    }
    let given = [
        request.prompt.is_some(),
        request.prompt_file.is_some(),
        request.messages.is_some(),
        request.raw.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let message = format!("{who}: a request has one of prompt, prompt_file, messages and raw");
        check.wrong(&place, message);
    }
}

/// A key of a request that is not sent with a body that is sent as it is.
fn key_beside_raw(request: &RequestDef) -> Option<&'static str> {
    let keys = [
        ("stream", request.stream),
        ("max_tokens", request.max_tokens.is_some()),
        ("temperature", request.temperature.is_some()),
        ("top_p", request.top_p.is_some()),
        ("top_k", request.top_k.is_some()),
        ("min_p", request.min_p.is_some()),
        ("seed", request.seed.is_some()),
        ("stop", request.stop.is_some()),
    ];
    let useless = |given: bool| given && request.raw.is_some();
    keys.into_iter().find_map(|(key, given)| useless(given).then_some(key))
}
