//! Reading a suite, and saying where it is wrong.

use std::{collections::BTreeSet, fmt, fs, ops::Range, path::Path};

use toml::Spanned;

use super::{BackendDef, Body, CaseDef, Suite, Template, check_request};
use crate::{
    backend::Kind,
    case::{Prepared, check_target},
    expect::Expectation,
};

/// What is wrong with a suite, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteError {
    /// The file as it was given.
    pub file: String,
    /// Line and column, from 1; absent when it is about the whole file.
    pub at: Option<(usize, usize)>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for SuiteError {}

/// Reads the suite in `file`.
///
/// # Errors
///
/// When it cannot be read or is not a suite; the message says where and why.
pub fn load(file: &str) -> Result<Suite, SuiteError> {
    let text = fs::read_to_string(file).map_err(|error| SuiteError {
        file: file.to_owned(),
        at: None,
        message: format!("cannot read: {error}"),
    })?;
    parse(file, &text)
}

/// Reads a suite from `text`; `file` names it and its folder.
///
/// # Errors
///
/// As [`load`].
pub fn parse(file: &str, text: &str) -> Result<Suite, SuiteError> {
    let source = Source { file, text };
    let deserializer = toml::Deserializer::parse(text).map_err(|e| source.toml(&e, ""))?;
    let body: Body = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        // toml marks values that know their place with a key of its own.
        let path = error.path().to_string().replace(".$__serde_spanned_private_value", "");
        source.toml(error.inner(), &path)
    })?;
    let path = Path::new(file);
    let stem = path.file_stem().map_or_else(|| "suite".into(), |stem| stem.to_string_lossy());
    let suite = Suite {
        name: body.name.clone().unwrap_or_else(|| stem.into_owned()),
        file: file.to_owned(),
        folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        body,
    };
    check(&suite, &source)?;
    Ok(suite)
}

/// The text of a suite, to find places in it.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, span: &Range<usize>, message: String) -> SuiteError {
        // Spans are of whole tokens, so they begin between characters.
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        SuiteError { file: self.file.to_owned(), at: Some((line, column)), message }
    }

    fn toml(&self, error: &toml::de::Error, path: &str) -> SuiteError {
        let mut message = error.message().lines().collect::<Vec<_>>().join(" ");
        if let Some(better) = unknown_key(&message) {
            message = better;
        }
        // Where the parser itself gave up, there is no path but ".".
        if !path.is_empty() && path != "." {
            message = format!("{path}: {message}");
        }
        match error.span() {
            Some(span) => self.at(&span, message),
            None => SuiteError { file: self.file.to_owned(), at: None, message },
        }
    }
}

/// "unknown field `promt`, expected one of `a`, `b`" with the nearest of them.
fn unknown_key(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    let known: Vec<&str> = words.collect();
    Some(format!("unknown key {wrong:?}{}", suggestion(wrong, &known)))
}

/// ": did you mean …?" when one of `known` is near, else the list of them.
pub(crate) fn suggestion(wrong: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, name)) => format!(": did you mean {name:?}?"),
        None if known.is_empty() => String::new(),
        None => format!(" (known: {})", known.join(", ")),
    }
}

/// What the types cannot say.
fn check(suite: &Suite, source: &Source<'_>) -> Result<(), SuiteError> {
    let body = &suite.body;
    if *body.suite.get_ref() != 1 {
        let message =
            format!("this program knows suites of version 1, not {}", body.suite.get_ref());
        return Err(source.at(&body.suite.span(), message));
    }
    if let Err(message) = check_name("suite's name", &suite.name, ":") {
        return Err(SuiteError { file: suite.file.clone(), at: None, message });
    }
    for (name, backend) in &body.backend {
        let fail = |span: Range<usize>, message: String| {
            Err(source.at(&span, format!("backend {name:?}: {message}")))
        };
        if let Err(message) = check_name("name", name, ",") {
            return fail(backend.span(), message);
        }
        let def = backend.get_ref();
        let kind = match Kind::from_name(def.kind.get_ref()) {
            Ok(kind) => kind,
            Err(message) => return fail(def.kind.span(), message),
        };
        if kind == Kind::OpenAi && def.url.is_none() && def.command.is_none() {
            return fail(backend.span(), "needs a url (attach) or a command (start)".into());
        }
        if let Some(key) = useless_key(kind, def) {
            let why = if kind == Kind::Command { "has no server" } else { "is attached to" };
            let message = format!("{key} would have no effect: the backend {why}");
            return fail(backend.span(), message);
        }
        let mut texts = def.command.iter().flatten().chain(&def.url).chain(def.env.values());
        if let Some(message) = texts.find_map(|text| Template::check(text).err()) {
            return fail(backend.span(), message);
        }
        if let Some(signal) = &def.stop.signal
            && crate::backend::signal_named(signal.get_ref()).is_none()
        {
            let message = format!("{:?} is no signal; write \"TERM\" or \"INT\"", signal.get_ref());
            return fail(signal.span(), message);
        }
    }
    let mut ids = BTreeSet::new();
    for model in &body.model {
        let mut paths = model.get_ref().on.values().filter_map(|placement| placement.path.as_ref());
        let bad_path = paths.find_map(|path| Template::check(path).err());
        if let Some(message) = check_name("id", &model.get_ref().id, "").err().or(bad_path) {
            let message = format!("model {:?}: {message}", model.get_ref().id);
            return Err(source.at(&model.span(), message));
        }
        if !ids.insert(&model.get_ref().id) {
            let message = format!("model {:?} is there twice", model.get_ref().id);
            return Err(source.at(&model.span(), message));
        }
        if let Some(name) = model.get_ref().on.keys().find(|name| !body.backend.contains_key(*name))
        {
            let known: Vec<&str> = body.backend.keys().map(String::as_str).collect();
            let message = format!(
                "model {:?} is placed on backend {name:?}, which is not defined{}",
                model.get_ref().id,
                suggestion(name, &known)
            );
            return Err(source.at(&model.span(), message));
        }
    }
    let mut names = BTreeSet::new();
    for case in &body.case {
        if !names.insert(&case.get_ref().name) {
            let message = format!("case {:?} is there twice", case.get_ref().name);
            return Err(source.at(&case.span(), message));
        }
        check_case(suite, case, source)?;
    }
    Ok(())
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
        _ if def.url.is_some() => given(&starting),
        _ => None,
    }
}

/// A name becomes a part of ids, which people type and scripts split.
fn check_name(what: &str, name: &str, also_not: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || "[]".contains(c) || also_not.contains(c);
    match name.chars().find(|c| bad(*c)) {
        _ if name.is_empty() => Err(format!("the {what} is empty")),
        Some(c) => Err(format!("the {what} {name:?} has {c:?} in it, which ids cannot have")),
        None => Ok(()),
    }
}

fn check_case(
    suite: &Suite,
    case: &Spanned<CaseDef>,
    source: &Source<'_>,
) -> Result<(), SuiteError> {
    let def = case.get_ref();
    let fail = |span: Range<usize>, message: String| {
        Err(source.at(&span, format!("case {:?}: {message}", def.name)))
    };
    if let Err(message) = check_name("name", &def.name, ":") {
        return fail(case.span(), message);
    }
    match (&def.request, &def.command) {
        (Some(_), Some(_)) => return fail(case.span(), "has both a request and a command".into()),
        (None, None) => return fail(case.span(), "has neither a request nor a command".into()),
        (None, Some(command)) if command.argv.is_empty() => {
            return fail(case.span(), "argv names no program".into());
        }
        (Some(request), None) => {
            if let Err(message) = check_request(request, &suite.folder) {
                return fail(case.span(), message);
            }
        }
        (None, Some(command)) => {
            if command.stdin.is_some() && command.stdin_file.is_some() {
                return fail(case.span(), "has both stdin and stdin_file".into());
            }
            let mut texts = command.texts();
            if let Some(message) = texts.find_map(|text| Template::check(text).err()) {
                return fail(case.span(), message);
            }
        }
    }
    for mark in &def.marks {
        if !suite.body.marks.contains_key(mark.get_ref()) {
            let known: Vec<&str> = suite.body.marks.keys().map(String::as_str).collect();
            let message = format!(
                "mark {:?} is not declared{}",
                mark.get_ref(),
                suggestion(mark.get_ref(), &known)
            );
            return fail(mark.span(), message);
        }
    }
    for target in &def.target {
        if let Err(message) = check_target(target.get_ref()) {
            return fail(target.span(), format!("target: {message}"));
        }
    }
    // Of a dataset, expectations are what they are only with a row in them.
    for expect in def.expect.iter().filter(|_| def.dataset.is_none()) {
        let parsed = Expectation::from_toml(expect.get_ref(), &suite.folder);
        if let Err(message) = parsed.and_then(|expectation| expectation.fits(def.command.is_some()))
        {
            return fail(expect.span(), format!("expect: {message}"));
        }
    }
    match Prepared::of(def, &suite.folder, &suite.body.defaults) {
        Ok(_) => Ok(()),
        Err(message) => fail(case.span(), message),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn error(text: &str) -> String {
        parse("dir/s.toml", text).unwrap_err().to_string()
    }

    const CASE: &str = "suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['true'] }\n";

    #[test]
    fn the_name_of_a_suite_is_its_key_or_the_stem_of_its_file() {
        let suite = parse("dir/s.toml", CASE).unwrap();
        assert_eq!((suite.name.as_str(), suite.folder.to_str()), ("s", Some("dir")));
        assert_eq!(parse("dir/s.toml", &format!("name = 'n'\n{CASE}")).unwrap().name, "n");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
        assert_eq!(
            error("suite = 1\n[[case]]\nname = 'a'\nexpects = []\n"),
            "dir/s.toml:4:1: case[0].expects: unknown key \"expects\": did you mean \"expect\"?"
        );
    }

    #[test]
    fn broken_toml_is_one_line() {
        let message = error("suite = 1\n[[case]\n");
        assert!(message.starts_with("dir/s.toml:2:"), "{message}");
        assert_eq!(message.lines().count(), 1);
    }

    #[test]
    fn keys_of_later_versions_are_refused_and_not_ignored() {
        assert_eq!(
            error(&format!("{CASE}bench = {{ warmup = 1 }}\n")),
            "dir/s.toml:5:9: case[0].bench: not in this version yet"
        );
    }

    #[test]
    fn what_the_types_cannot_say_is_checked() {
        for (text, what) in [
            ("suite = 2".to_owned(), "1:9: this program knows suites of version 1, not 2"),
            (format!("{CASE}marks = ['smok']\n"), "mark \"smok\" is not declared"),
            (format!("{CASE}[[case]]\nname = 'a'\n"), "case \"a\" is there twice"),
            ("suite = 1\n[[case]]\nname = 'a'\n".to_owned(), "has neither a request nor a command"),
            ("suite = 1\n[[case]]\nname = 'a[b]'\n".to_owned(), "the name \"a[b]\" has '[' in it"),
            ("suite = 1\nname = \"a\\u001b\"\n".to_owned(), "which ids cannot have"),
            (
                "suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['awk', '{print $1}'] }\n".to_owned(),
                "there is no placeholder {print $1}",
            ),
            (
                "suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['x', '{modle.id}'] }\n".to_owned(),
                "{modle.id}: did you mean \"model.id\"?",
            ),
            (
                "suite = 1\n[backend.x]\nkind = 'command'\nenv = { A = 'b' }\n".to_owned(),
                "env would have no effect: the backend has no server",
            ),
            (
                "suite = 1\n[backend.x]\nkind = 'openai'\nurl = 'http://h'\nport = 1\n".to_owned(),
                "port would have no effect: the backend is attached to",
            ),
            (
                "suite = 1\n[[case]]\nname = 'a'\nrequest = { api = 'chat', raw = '', stream = true }\n".to_owned(),
                "stream would have no effect beside raw",
            ),
            (
                "suite = 1\n[[case]]\nname = 'a'\nrequest = { api = 'chat', prompt_file = 'no.txt' }\n".to_owned(),
                "prompt_file no.txt: ",
            ),
            ("suite = 1\n[[model]]\nid = 'm'\nmodality = ['text']\non.llam = {}\n[backend.llama]\nkind = 'llama-server'\n".to_owned(),
             "placed on backend \"llam\", which is not defined: did you mean \"llama\"?"),
            ("suite = 1\n[backend.x]\nkind = 'lama-server'".to_owned(), "unknown kind \"lama-server\": did you mean \"llama-server\"?"),
            ("suite = 1\n[backend.x]\nkind = 'openai'".to_owned(), "needs a url (attach) or a command (start)"),
            (format!("{CASE}expect = [{{ txt = 'a' }}]\n"), "expect: unknown expectation \"txt\": did you mean \"text\"?"),
            (format!("{CASE}expect = [{{ status = 200 }}]\n"), "expect: status is of requests"),
            ("suite = 1\n[[case]]\nname = 'a'\nrequest = { api = 'chat' }\n".to_owned(), "has one of prompt, prompt_file, messages, turns and raw"),
        ] {
            let message = error(&text);
            assert!(message.contains(what), "{message}\n  should say: {what}");
        }
    }
}
