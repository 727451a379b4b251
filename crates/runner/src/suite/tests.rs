//! Suites as people write them, right and wrong.

use std::fs;

use proptest::prelude::*;

use super::{Suite, load, parse};

fn error(text: &str) -> String {
    parse("dir/s.toml", text).unwrap_err().to_string()
}

const CASE: &str = "suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['true'] }\n";

/// `CASE` with further backends and models.
const MATRIX: &str = "suite = 1
[backend.llama]
kind = 'llama-server'
[[model]]
id = 'small'
modality = ['text']
on.llama = {}
[[case]]
name = 'a'
request = { api = 'chat', prompt = 'hi' }
";

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
    assert_eq!(
        error("suite = 1\nbudgte = 1\n"),
        "dir/s.toml:2:1: budgte: unknown key \"budgte\": did you mean \"budget\"?"
    );
    let nested =
        format!("{MATRIX}[backend.mlx]\nkind = 'openai'\nurl = 'h'\nready = {{ gte = '/' }}\n");
    assert_eq!(
        error(&nested),
        "dir/s.toml:14:11: backend.mlx.ready.gte: unknown key \"gte\": did you mean \"get\"?"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "suite = 1\n[[case]]\nname = 'a'\ntimeout = 'soon'\n[[case]]\nname = 'b'\nx = 1\n";
    let said = error(text);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("dir/s.toml:4:11: case[0].timeout: \"soon\" is no length"));
    assert!(lines[1].starts_with("dir/s.toml:7:1: case[1].x: unknown key"));
    let text = format!("{CASE}marks = ['x', 'y']\ntimeout = '0s'\n");
    assert_eq!(error(&text).lines().count(), 3, "{}", error(&text));
}

#[test]
fn broken_toml_is_one_line() {
    let message = error("suite = 1\n[[case]\n");
    assert!(message.starts_with("dir/s.toml:2:"), "{message}");
    assert_eq!(message.lines().count(), 1);
}

/// Texts, and what is said of them.
fn all_say(cases: &[(String, &str)]) {
    for (text, what) in cases {
        let message = error(text);
        assert!(message.contains(what), "{message}\n  should say: {what}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn what_the_types_cannot_say_is_checked() {
    let backend = |keys: &str| format!("suite = 1\n[backend.x]\n{keys}\n");
    let case = |keys: &str| format!("suite = 1\n[[case]]\nname = 'a'\n{keys}\n");
    all_say(&[
        ("suite = 2\nfuture = 1".into(), "1:9: this program knows suites of version 1, not 2"),
        ("[[case]]\n".into(), "it says suite = 1, the version of its language"),
        (format!("{CASE}marks = ['smok']\n"), "5:10: case \"a\": mark \"smok\" is not declared"),
        (
            format!("{CASE}[[case]]\nname = 'a'\n"),
            "case \"a\" is there twice; the first is at dir/s.toml:2",
        ),
        (case(""), "has none of request, command and batch"),
        (
            "suite = 1\n[[case]]\nname = 'a[b]'\ncommand = { argv = ['x'] }\n".into(),
            "the name \"a[b]\" has '[' in it",
        ),
        ("suite = 1\nname = \"a\\u001b\"\n".into(), "which ids cannot have"),
        (case("command = { argv = ['awk', '{print $1}'] }"), "there is no placeholder {print $1}"),
        (
            case("command = { argv = ['x', '{modle.id}'] }"),
            "{modle.id}: did you mean \"model.id\"?",
        ),
        (case("command = { argv = [] }"), "argv names no program"),
        (
            backend("kind = 'command'\nenv = { A = 'b' }"),
            "env would have no effect: the backend has no server",
        ),
        (
            backend("kind = 'openai'\nurl = 'http://h'\nport = 1"),
            "port would have no effect: the backend is attached to",
        ),
        (
            backend("kind = 'lama-server'"),
            "unknown kind \"lama-server\": did you mean \"llama-server\"?",
        ),
        (backend("kind = 'openai'"), "needs a url (attach) or a command (start)"),
        (backend("kind = 'llama-server'\nready = { timeout = '0s' }"), "leaves no time at all"),
        (
            backend("kind = 'llama-server'\nstop = { signal = 'TREM' }"),
            "4:19: backend \"x\": \"TREM\" is no signal",
        ),
        (
            case("request = { api = 'chat', raw = '', stream = true }"),
            "stream would have no effect beside raw",
        ),
        (case("request = { api = 'chat', prompt_file = 'no.txt' }"), "prompt_file no.txt: "),
        (case("request = { api = 'chat' }"), "one of prompt, prompt_file, messages, turns and raw"),
        (
            MATRIX.replace("on.llama", "on.llam"),
            "placed on backend \"llam\", which is not defined: did you mean \"llama\"?",
        ),
        (MATRIX.replace("'small'", "'a,b'"), "has ',' in it"),
        (
            format!("{CASE}expect = [{{ txt = 'a' }}]\n"),
            "5:11: case \"a\": expect: unknown expectation \"txt\": did you mean \"text\"?",
        ),
        (format!("{CASE}expect = [{{ status = 200 }}]\n"), "expect: status is of requests"),
    ]);
}

#[test]
fn conditions_limits_and_settings_are_checked() {
    all_say(&[
        (
            format!("{MATRIX}only = {{ os = 'macOS' }}\n"),
            "unknown os \"macOS\": did you mean \"macos\"?",
        ),
        (
            format!("{MATRIX}only = {{ arch = 'arm64' }}\n"),
            "unknown arch \"arm64\": write \"aarch64\"",
        ),
        (
            format!("{MATRIX}skip = {{ reason = 'x', on = {{ backend = 'lama' }} }}\n"),
            "skip.on: backend \"lama\" is not defined: did you mean \"llama\"?",
        ),
        (
            format!("{MATRIX}xfail = {{ reason = 'x', on = {{ model = ['s*', 'smal'] }} }}\n"),
            "xfail.on: model \"smal\" is not defined: did you mean \"small\"?",
        ),
        (format!("{MATRIX}only = {{ env = [] }}\n"), "env is empty and can never hold"),
        (format!("{MATRIX}only = {{ min_ram_gb = -1 }}\n"), "min_ram_gb is no amount of memory"),
        (
            MATRIX
                .replace("kind = 'llama-server'", "kind = 'llama-server'\nonly = { model = 's*' }"),
            "backend and model are for cases",
        ),
        (
            format!("{CASE}only = {{ backend = '*' }}\n"),
            "the command names no backend and no model, so it runs once",
        ),
        (format!("{CASE}skip = 3\n"), "write skip = \"reason\""),
        (format!("{CASE}retries = 101\n"), "101 retries: at most 100"),
        (
            format!("{CASE}retries = {{ count = 1, delay = '9s', max_delay = '1s' }}\n"),
            "delay is longer than max_delay",
        ),
        (format!("defaults = {{ timeout = '0s' }}\n{CASE}"), "1:12: defaults: timeout"),
        (format!("budget = {{ ram = '80' }}\n{CASE}"), "1:18: budget: ram = \"80\" is no amount"),
        (
            format!("budget = {{ ram = '1GB', overhead = 0 }}\n{CASE}"),
            "overhead is what a model takes",
        ),
        (
            format!("{MATRIX}[[case.target]]\nmetric = 'ttft'\nmin = 1\n"),
            "unknown metric \"ttft\": did you mean \"ttft_s\"?",
        ),
        (format!("{MATRIX}[[case.target]]\nmetric = 'ttft_s'\n"), "give min, max or both"),
        (
            format!("{MATRIX}[[case.target]]\nmetric = 'ttft_s'\nmin = 2\nmax = 1\n"),
            "nothing lies between 2 and 1",
        ),
        (
            format!("{MATRIX}[[case.target]]\nmetric = 'ttft_s'\nmin = 2\nstat = 'medium'\n"),
            "unknown stat \"medium\": did you mean \"median\"?",
        ),
        (
            format!("{MATRIX}dataset = {{ file = 'no.jsonl' }}\n"),
            "dataset dir/no.jsonl: No such file",
        ),
    ]);
}

#[test]
fn fixtures_and_profiles_are_checked() {
    all_say(&[
        (format!("{CASE}fixtures = ['doc']\n[fixture.docs]\n"), "5:13: case \"a\": fixture \"doc\" is not defined: did you mean \"docs\"?"),
        (
            "suite = 1\n[fixture.a]\nfixtures = ['b']\n[fixture.b]\nfixtures = ['c']\n[fixture.c]\nfixtures = ['b']\n".into(),
            "7:13: fixtures go in a circle: b → c → b",
        ),
        (
            "suite = 1\n[fixture.a]\nscope = 'run'\nfixtures = ['b']\n[fixture.b]\n".into(),
            "fixture \"a\" stays longer than fixture \"b\", which it needs",
        ),
        ("suite = 1\n[fixture.a]\ncopy = ['no-such-file']\n".into(), "copy no-such-file: No such file"),
        ("suite = 1\n[fixture.a]\nsetup = { argv = [] }\n".into(), "argv names no program"),
        (
            "suite = 1\n[fixture.docs]\n[[case]]\nname = 'a'\ncommand = { argv = ['ls', '{fixture.docs}'] }\n".into(),
            "add it: fixtures = [\"docs\"]",
        ),
        (format!("{CASE}[profile.p]\nkeywords = 'a and'\n"), "6:12: profile \"p\": keywords: a word is missing"),
        (format!("{CASE}[profile.p]\nmarks = 'smok'\n[marks]\nsmoke = ''\n"), "mark \"smok\" is not declared: did you mean \"smoke\"?"),
        (format!("{CASE}[profile.p]\nbackend = 'llama'\n"), "there is no backend \"llama\""),
        (format!("{CASE}[profile.p]\nrepeat = 0\n"), "repeat lies between 1 and"),
        (format!("{CASE}[profile.p]\nmaxfail = 0\n"), "would stop before anything ran"),
    ]);
}

#[test]
fn parameters_are_checked() {
    let with = |axes: &str| format!("{CASE}parametrize = {axes}\n");
    all_say(&[
        (with("3"), "5:15: case[0].parametrize: write { lang = "),
        (with("{ lang = 'de' }"), "lang is no list"),
        (with("{ lang = [] }"), "lang has no values"),
        (with("{ model = ['x'] }"), "an axis cannot be called \"model\""),
        (with("{ repeat = [1] }"), "an axis cannot be called \"repeat\""),
        (with("{ 'a b' = [1] }"), "is no name of an axis"),
        (with("{ n = [1, 1.5, 1] }"), "5:30: case[0].parametrize: n has 1 twice"),
        (with("{ n = [[1]] }"), "neither a text, a number"),
        (with("{ n = [nan] }"), "cannot be written"),
        (with("{ n = ['a, b'] }"), "has ',' in it, which ids cannot have; give it one: { id = "),
        (with("{ n = [{ text = 'x' }] }"), "a table on the axis n needs an id"),
        (
            with(&format!(
                "{{ a = {0}, b = {0}, c = {0} }}",
                "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]"
            )),
            "more than 10000 combinations",
        ),
        (
            format!("{CASE}timeout = '{{t}}'\nparametrize.t = ['1s', 'soon']\n"),
            "5:11: case[0].timeout: \"soon\" is no length of time",
        ),
    ]);
}

#[test]
fn a_parameter_stands_for_its_value_with_its_type() {
    let suite = parse(
        "s.toml",
        r#"
suite = 1
[[case]]
name = "{n}"
request = { api = "chat", prompt = "Say {lang.greeting} {n} times: {\"n\": {n}}", max_tokens = "{n}" }
expect = [{ text = { contains = "{lang.greeting}" } }]
parametrize = { lang = [{ id = "de", greeting = "Hallo" }], n = [8, 16] }
"#,
    )
    .unwrap();
    let case = suite.body.case[1].get_ref();
    let request = case.request.as_ref().unwrap();
    assert_eq!(request.prompt.as_deref(), Some("Say Hallo 16 times: {\"n\": 16}"));
    assert_eq!(request.max_tokens, Some(16));
    assert_eq!(case.expect[0].get_ref()["text"]["contains"].as_str(), Some("Hallo"));
    assert_eq!(case.name, "{n}", "the name is of all of them");
    assert_eq!(case.axes, [("lang".to_owned(), "de".into()), ("n".to_owned(), 16.into())]);
}

#[test]
fn a_number_is_a_text_where_a_text_is_wanted() {
    let suite = parse(
        "s.toml",
        r#"
suite = 1
[[case]]
name = "a"
command = { argv = ["seq", "{n}", "{yes}"], stdin = "{n}", env = { N = "{n}" } }
timeout = "{n}s"
retries = "{n}"
isolate = "{yes}"
parametrize = { n = [1, 2.5, "3"], yes = [true] }
"#,
    );
    // A count of tries is no text, whatever stands for it.
    assert!(suite.unwrap_err().to_string().contains("write retries = 2"));
    let suite = parse(
        "s.toml",
        r#"
suite = 1
[[case]]
name = "a"
command = { argv = ["seq", "{n}", "{yes}"], stdin = "{n}", env = { N = "{n}" } }
timeout = "{n}s"
isolate = "{yes}"
metadata = { n = "{n}" }
parametrize = { n = [1, 2.5, "3"], yes = [true] }
"#,
    )
    .unwrap();
    let case = suite.body.case[1].get_ref();
    let command = case.command.as_ref().unwrap();
    assert_eq!(command.argv, ["seq", "2.5", "true"]);
    assert_eq!((command.stdin.as_deref(), command.env["N"].as_str()), (Some("2.5"), "2.5"));
    assert!(case.isolate);
    assert_eq!(case.metadata.as_ref().unwrap()["n"], toml::Value::Float(2.5));
}

/// Files in a folder of their own.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn loaded(dir: &tempfile::TempDir) -> Result<Suite, String> {
    let root = format!("{}/", dir.path().display());
    load(&format!("{root}s.toml")).map_err(|errors| errors.to_string().replace(&root, ""))
}

#[test]
fn a_suite_can_be_in_several_files_and_each_finds_its_own() {
    let dir = folder(&[
        (
            "s.toml",
            "suite = 1\ninclude = ['common/b.toml', 'm.toml']\ndefaults = { seed = 2 }\n[[case]]\nname = 'a'\nrequest = { api = 'chat', prompt = 'hi' }\n",
        ),
        (
            "common/b.toml",
            "suite = 1\nname = 'b'\ninclude = ['c.toml']\ndefaults = { seed = 1, temperature = 0.5 }\n[backend.z]\nkind = 'llama-server'\n",
        ),
        // Twice included, read once; a folder of its own to be found in.
        (
            "common/c.toml",
            "suite = 1\n[backend.y]\nkind = 'llama-server'\n[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt_file = 'p.txt' }\n",
        ),
        ("common/p.txt", "hi"),
        (
            "m.toml",
            "suite = 1\ninclude = ['common/../common/c.toml']\n[[model]]\nid = 'm'\nmodality = ['text']\non = { z = {}, y = {} }\n",
        ),
    ]);
    let suite = loaded(&dir).unwrap();
    assert_eq!(suite.name, "s");
    assert_eq!(suite.body.defaults.seed, Some(2));
    assert_eq!(suite.body.defaults.temperature, Some(0.5));
    let folders: Vec<_> =
        suite.body.case.iter().map(|case| case.get_ref().folder.clone()).collect();
    assert_eq!(folders, [dir.path().join("common"), dir.path().to_path_buf()]);
    // What is included comes first.
    let groups = crate::plan::plan(&suite, &Default::default(), &Default::default(), &|_| None);
    let ids: Vec<&str> =
        groups.iter().flat_map(|g| &g.cells).map(|cell| cell.id.as_str()).collect();
    assert_eq!(ids, ["s::c[y,m]", "s::a[y,m]", "s::c[z,m]", "s::a[z,m]"]);
}

#[test]
fn what_is_wrong_with_an_included_file_is_said_of_that_file() {
    let main = "suite = 1\ninclude = ['b.toml']\n[backend.x]\nkind = 'command'\n";
    for (files, what) in [
        (
            &[("s.toml", main), ("b.toml", "suite = 1\n\n[backend.x]\nkind = 'command'\n")][..],
            "s.toml:3:10: backend \"x\" is there twice; the first is at b.toml:3",
        ),
        (
            &[("s.toml", main), ("b.toml", "suite = 1\n[marks]\na = 1\n")],
            "b.toml:3:5: marks.a: invalid type: integer `1`, expected a string",
        ),
        (
            &[("s.toml", main), ("b.toml", "suite = 1\n[profile.p]\nmarks = 'a'\n")],
            "b.toml:3:9: profile \"p\": mark \"a\" is not declared",
        ),
        (&[("s.toml", main), ("b.toml", "\nsuite = ")], "b.toml:2:9: "),
        (&[("s.toml", main), ("b.toml", "suite = 3")], "b.toml:1:9: this program knows suites of"),
        (&[("s.toml", main), ("b.toml", "")], "b.toml: no suite"),
        (&[("s.toml", main)], "s.toml:2:12: include \"b.toml\": No such file"),
        (
            &[("s.toml", main), ("b.toml", "suite = 1\ninclude = ['s.toml']\n")],
            "b.toml:2:12: include goes in a circle: s.toml → b.toml → s.toml",
        ),
        (
            &[("s.toml", "suite = 1\ninclude = ['s.toml']\n")],
            "s.toml:2:12: include goes in a circle: s.toml → s.toml",
        ),
    ] {
        let message = loaded(&folder(files)).unwrap_err();
        assert!(message.starts_with(what), "{message}\n  should say: {what}");
    }
}

#[test]
fn a_data_set_is_looked_at_before_anything_runs() {
    let suite = "suite = 1\n[[case]]\nname = 'a'\nrequest = { api = 'chat', prompt = '{q}' }\n\
                 dataset = { file = 'd.jsonl' }\nexpect = [{ text = { regex = '{a}' } }]\n";
    let said = |lines: &str| loaded(&folder(&[("s.toml", suite), ("d.jsonl", lines)])).err();
    assert_eq!(said("{\"q\": \"1+1\", \"a\": \"2\"}\n"), None);
    let message = said("{\"q\": \"1+1\", \"a\": \"2\"}\n7\n").unwrap();
    assert!(
        message.starts_with("s.toml:2:1: case \"a\": dataset d.jsonl:2: no object"),
        "{message}"
    );
    let message = said("{\"q\": \"1+1\", \"a\": \"(\"}\n").unwrap();
    assert!(message.contains("dataset d.jsonl:1: expect: regex"), "{message}");
}

/// Lines of suites, whole and broken, in any order.
fn any_lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("suite = 1".to_owned()),
        prop::sample::select(vec![
            "[[case]]",
            "name = 'a'",
            "[backend.x]",
            "kind = 'command'",
            "[[model]]",
            "id = 'm'",
            "modality = ['text']",
            "on.x = { path = '${A}' }",
            "command = { argv = ['{n}', '{'] }",
            "parametrize = { n = [1, 'x', { id = 'y' }] }",
            "request = { api = 'chat', prompt = '{n}' }",
            "expect = [{ exit = '{n}' }, 3]",
            "include = ['/', 'x', '']",
            "skip = { reason = 1 }",
            "xfail = { reason = 'a', on = { os = [] } }",
            "[fixture.f]",
            "fixtures = ['f', 'g']",
            "[profile.p]",
            "keywords = '('",
            "budget = { ram = '%' }",
            "target = [{ metric = 'x' }]",
            "dataset = { file = '/dev/null' }",
            "case = 1",
            "backend = []",
            "marks = { a = 'b' }",
            "only = { min_ram_gb = nan }",
            "retries = -1",
            "timeout = '9999999999999999999y'",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,4} = [^\n]{0,12}",
        any::<String>(),
    ];
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_loader_panic(text in any_lines()) {
        let errors = |text: &str| match parse("/nowhere/s.toml", text) {
            Ok(suite) => {
                let _ = crate::plan::plan(&suite, &Default::default(), &Default::default(), &|_| None);
                Vec::new()
            }
            Err(errors) => errors.0,
        };
        errors(&text);
        for error in errors(&format!("suite = 1\n{text}")) {
            let message = error.to_string();
            prop_assert!(!message.contains('\n') || text.contains(char::is_control), "{message:?}");
        }
    }
}
