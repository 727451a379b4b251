//! What the types cannot say of a request: which keys go together.

use std::{fs, path::Path};

use toml::Value;

use crate::suite::{Api, RequestDef, Template, suggestion};

const CHAT: &[Api] = &[Api::Chat];
const GENERATING: &[Api] = &[Api::Chat, Api::Completion];
const AUDIO: &[Api] = &[Api::Transcription];
const HTTP: &[Api] = &[Api::Http];
const PROMPTED: &[Api] = &[Api::Chat, Api::Completion, Api::Embedding];
const JSON: &[Api] = &[Api::Chat, Api::Completion, Api::Embedding, Api::Http];
const MODELS: &[Api] = &[Api::Chat, Api::Completion, Api::Embedding, Api::Transcription];

/// The methods that a plain request may have.
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// That `request` can be sent. Files are looked for in `folder`, where their names
/// have no placeholder.
pub(crate) fn check(request: &RequestDef, folder: &Path) -> Result<(), String> {
    let api = request.api;
    for (key, given, apis) in keys(request) {
        if given && !apis.contains(&api) {
            let of: Vec<&str> = apis.iter().map(|api| api.name()).collect();
            return Err(format!(
                "{key} is of {} requests, and this is a {api}",
                of.join(" and "),
                api = api.name()
            ));
        }
        let with_raw = ["path", "method", "raw", "content_type", "allow_stop_tokens"];
        if given && request.raw.is_some() && !with_raw.contains(&key) {
            return Err(format!("{key} would have no effect beside raw, which is sent as it is"));
        }
    }
    check_body(request)?;
    if !request.images.is_empty() && request.messages.is_some() && request.turns.is_none() {
        return Err("images go with a prompt; in messages, write image_url parts".to_owned());
    }
    check_path(request)?;
    check_turns(request)?;
    check_tools(request)?;
    check_files(request, folder)
}

/// Each key, whether it is given, and where it belongs.
fn keys(r: &RequestDef) -> [(&'static str, bool, &'static [Api]); 28] {
    [
        ("path", r.path.is_some(), &Api::ALL),
        ("method", r.method.is_some(), HTTP),
        ("prompt", r.prompt.is_some(), MODELS),
        ("prompt_file", r.prompt_file.is_some(), PROMPTED),
        ("messages", r.messages.is_some(), CHAT),
        ("system", r.system.is_some(), CHAT),
        ("turns", r.turns.is_some(), CHAT),
        ("input", r.input.is_some(), &[Api::Embedding]),
        ("images", !r.images.is_empty(), CHAT),
        ("file", r.file.is_some(), AUDIO),
        ("language", r.language.is_some(), AUDIO),
        ("response_format", r.response_format.is_some(), AUDIO),
        ("tools", r.tools.is_some(), CHAT),
        ("tool_choice", r.tool_choice.is_some(), CHAT),
        ("response_schema", r.response_schema.is_some(), CHAT),
        ("stream", r.stream == Some(true), GENERATING),
        ("max_tokens", r.max_tokens.is_some(), GENERATING),
        ("temperature", r.temperature.is_some(), &[Api::Chat, Api::Completion, Api::Transcription]),
        ("top_p", r.top_p.is_some(), GENERATING),
        ("top_k", r.top_k.is_some(), GENERATING),
        ("min_p", r.min_p.is_some(), GENERATING),
        ("seed", r.seed.is_some(), GENERATING),
        ("stop", r.stop.is_some(), GENERATING),
        ("extra", r.extra.is_some(), MODELS),
        ("raw", r.raw.is_some(), &Api::ALL),
        ("content_type", r.content_type.is_some() && r.raw.is_none(), JSON),
        ("body_bytes", r.body_bytes.is_some(), MODELS),
        ("allow_stop_tokens", r.allow_stop_tokens, GENERATING),
    ]
}

/// That there is one thing to ask.
fn check_body(r: &RequestDef) -> Result<(), String> {
    let oversize = r.body_bytes.is_some();
    let candidates: &[(&str, bool)] = match r.api {
        Api::Chat => &[
            ("prompt", r.prompt.is_some()),
            ("prompt_file", r.prompt_file.is_some()),
            ("messages", r.messages.is_some() && r.turns.is_none()),
            ("turns", r.turns.is_some()),
            ("raw", r.raw.is_some()),
        ],
        Api::Completion => &[
            ("prompt", r.prompt.is_some()),
            ("prompt_file", r.prompt_file.is_some()),
            ("raw", r.raw.is_some()),
        ],
        Api::Embedding => &[
            ("prompt", r.prompt.is_some()),
            ("prompt_file", r.prompt_file.is_some()),
            ("input", r.input.is_some()),
            ("raw", r.raw.is_some()),
        ],
        Api::Transcription => &[("file", r.file.is_some()), ("raw", r.raw.is_some())],
        Api::Http => return Ok(()),
    };
    let given: Vec<&str> =
        candidates.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
    let filled = matches!(given.as_slice(), [] | ["prompt"]);
    match given.len() {
        _ if oversize && !filled => {
            Err(format!("body_bytes makes the content itself: leave {} out", given.join(" and ")))
        }
        1 => Ok(()),
        0 if oversize => Ok(()),
        _ => {
            let names: Vec<&str> = candidates.iter().map(|(key, _)| *key).collect();
            let (last, others) = names.split_last().unwrap_or((&"", &[]));
            let kind = r.api.name();
            Err(format!("a {kind} request has one of {} and {last}", others.join(", ")))
        }
    }
}

fn check_path(r: &RequestDef) -> Result<(), String> {
    match &r.path {
        Some(path) if !path.starts_with('/') => {
            return Err(format!("path {path:?} has no / in front"));
        }
        None if r.api == Api::Http => return Err("an http request names its path".to_owned()),
        _ => {}
    }
    let Some(method) = &r.method else { return Ok(()) };
    if !METHODS.contains(&method.as_str()) {
        return Err(format!("unknown method {method:?}{}", suggestion(method, &METHODS)));
    }
    if r.raw.is_some() && (method == "GET" || method == "DELETE") {
        return Err(format!("raw would have no effect: {method} sends no body"));
    }
    Ok(())
}

fn check_turns(r: &RequestDef) -> Result<(), String> {
    let Some(turns) = &r.turns else { return Ok(()) };
    if turns.is_empty() {
        return Err("turns is empty".to_owned());
    }
    for (turn, n) in turns.iter().zip(1..) {
        match (&turn.prompt, turn.tool_results.is_empty()) {
            (Some(_), true) => {}
            (None, false) if n == 1 && r.messages.is_none() => {
                return Err("turns: the first has tool_results, and nothing was called yet".into());
            }
            (None, false) => {}
            _ => return Err(format!("turns: turn {n} has one of prompt and tool_results")),
        }
    }
    Ok(())
}

fn check_tools(r: &RequestDef) -> Result<(), String> {
    if r.tool_choice.is_some() && r.tools.is_none() {
        return Err("tool_choice would have no effect: there are no tools".to_owned());
    }
    match &r.tools {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(tools)) if !tools.is_empty() => {
            let named = |tool: &Value| {
                let function = tool.get("function").and_then(|function| function.get("name"));
                function.is_some_and(Value::is_str)
            };
            match tools.iter().all(named) {
                true => Ok(()),
                false => Err("tools: write { type = \"function\", function = { name = \"…\", \
                              parameters = {…} } } for each"
                    .to_owned()),
            }
        }
        Some(_) => Err("tools is a list of tools or the name of a file with one".to_owned()),
    }
}

fn check_files(r: &RequestDef, folder: &Path) -> Result<(), String> {
    let named = |value: &Option<Value>| match value {
        Some(Value::String(file)) => Some(file.clone()),
        _ => None,
    };
    let files = [
        ("prompt_file", r.prompt_file.clone()),
        ("file", r.file.clone()),
        ("tools", named(&r.tools)),
        ("response_schema", named(&r.response_schema)),
    ];
    let images = r.images.iter().map(|image| ("images", Some(image.clone())));
    for (key, file) in files.into_iter().chain(images) {
        let Some(file) = file else { continue };
        let template = Template::parse(&file).map_err(|error| format!("{key}: {error}"))?;
        let plain = template.places().next().is_none() && template.variables().next().is_none();
        if plain && let Err(error) = fs::metadata(folder.join(&file)) {
            return Err(format!("{key} {file}: {error}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RequestDef, check};

    fn of(text: &str) -> Result<(), String> {
        let request: RequestDef = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        check(&request, Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn every_kind_of_request_has_a_form_that_is_right() {
        for text in [
            "api = 'chat'\nprompt = 'hi'",
            "api = 'chat'\nprompt = 'what is it?'\nimages = ['Cargo.toml']",
            "api = 'chat'\nmessages = []\nturns = ['a', { prompt = 'b', expect = [] }]",
            "api = 'chat'\nturns = ['a', { tool_results = { f = 'x' } }]",
            "api = 'chat'\nbody_bytes = '11MB'",
            "api = 'chat'\nprompt = 'hi'\nbody_bytes = 4000",
            "api = 'chat'\nraw = '{'\ncontent_type = 'text/plain'",
            "api = 'completion'\nprompt = 'Once'\nstream = true",
            "api = 'embedding'\ninput = ['a', 'b']",
            "api = 'transcription'\nfile = 'Cargo.toml'\nprompt = 'Rust'\nresponse_format = 'srt'",
            "api = 'transcription'\nfile = '{fixture.sounds}/a.wav'",
            "api = 'http'\npath = '/v1/models'",
            "api = 'http'\npath = '/x'\nmethod = 'POST'\nraw = { a = 1 }",
        ] {
            assert_eq!(of(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_would_be_ignored_or_makes_no_sense_is_refused() {
        for (text, why) in [
            ("api = 'caht'\nprompt = 'hi'", "unknown api \"caht\": did you mean \"chat\"?"),
            (
                "api = 'chat'",
                "a chat request has one of prompt, prompt_file, messages, turns and raw",
            ),
            ("api = 'chat'\nprompt = 'a'\nraw = ''", "prompt would have no effect beside raw"),
            ("api = 'chat'\nprompt = 'a'\nmessages = []", "has one of"),
            ("api = 'chat'\nmessages = []\nimages = ['Cargo.toml']", "images go with a prompt"),
            (
                "api = 'chat'\nprompt = 'a'\nfile = 'x'",
                "file is of transcription requests, and this is a chat",
            ),
            ("api = 'chat'\nprompt_file = 'Cargo.toml'\nbody_bytes = 9", "leave prompt_file out"),
            ("api = 'completion'\nprompt = 'a'\ntools = []", "tools is of chat requests"),
            ("api = 'completion'\nprompt = 'a'\nsystem = 'b'", "system is of chat requests"),
            (
                "api = 'embedding'\nprompt = 'a'\nmax_tokens = 1",
                "max_tokens is of chat and completion",
            ),
            ("api = 'transcription'\nprompt = 'a'", "has one of file and raw"),
            ("api = 'transcription'\nfile = 'no.wav'", "file no.wav: No such file"),
            ("api = 'transcription'\nfile = 'a'\nresponse_format = 'ass'", "unknown variant"),
            ("api = 'http'", "names its path"),
            ("api = 'http'\npath = 'x'", "has no / in front"),
            ("api = 'http'\npath = '/'\nmethod = 'get'", "unknown method \"get\""),
            ("api = 'http'\npath = '/'\nmethod = 'GET'\nraw = ''", "GET sends no body"),
            ("api = 'chat'\nturns = []", "turns is empty"),
            ("api = 'chat'\nturns = [{}]", "turn 1 has one of prompt and tool_results"),
            ("api = 'chat'\nturns = [{ tool_results = { a = 'b' } }]", "nothing was called yet"),
            ("api = 'chat'\nturns = [7]", "a turn is a text"),
            ("api = 'chat'\nprompt = 'a'\ntool_choice = 'auto'", "there are no tools"),
            ("api = 'chat'\nprompt = 'a'\ntools = [{ name = 'x' }]", "write { type = \"function\""),
            ("api = 'chat'\nprompt = 'a'\ntools = 7", "tools is a list"),
            ("api = 'chat'\nbody_bytes = '1 fish'", "is no amount of bytes"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
