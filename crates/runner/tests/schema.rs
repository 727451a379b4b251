//! Keeps `schemas/suite.schema.json` equal to the types, and both equal to the loader.
//!
//! `BLESS=1 cargo test -p runner --test schema` (or `just bless`) writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf};

use runner::suite;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&suite::schema()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_schema_is_made_from_the_types() {
    let file = root().join("schemas/suite.schema.json");
    let made = serde_json::to_string_pretty(&suite::schema()).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == made, "{} is old: just bless", file.display());
}

#[test]
fn every_example_meets_it() {
    let validator = validator();
    let mut suites = 0;
    let mut folders = vec![root().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                let text = fs::read_to_string(&path).unwrap();
                if !text.contains("suite = 1") {
                    continue;
                }
                let errors: Vec<String> =
                    validator.iter_errors(&json(&text)).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:?}", path.display());
                suites += 1;
            }
        }
    }
    assert!(suites > 0);
}

/// Suites, and whether they are right.
const SUITES: [(&str, bool); 17] = [
    ("suite = 1", true),
    ("suite = 2", false),
    ("", false),
    ("suite = 1\nbudgett = {}", false),
    ("suite = 1\ndefaults = { timeout = '1s', retries = { count = 1, delay = '1s' } }", true),
    ("suite = 1\ndefaults = { timeot = '1s' }", false),
    ("suite = 1\nbudget = { ram = '80%' }\nmarks = { a = 'b' }\ninclude = []", true),
    ("suite = 1\n[backend.x]\nkind = 'command'\nonly = { os = ['linux'], min_ram_gb = 8 }", true),
    ("suite = 1\n[backend.x]\nkind = 'command'\nonly = { oss = 'linux' }", false),
    ("suite = 1\n[backend.x]\nkid = 'command'", false),
    (
        "suite = 1\n[[case]]\nname = 'a'\nskip = { reason = 'x', on = { os = 'linux' } }\n\
         xfail = 'y'\nrequest = { api = 'chat', prompt = '{n}', max_tokens = '{n}' }\n\
         expect = [{ status = [200] }, { path = '$.a', min = 1, not = true }, { ttft_s = { max = 1 } }]\n\
         parametrize = { n = [1, 2] }\nisolate = true\nmetadata = { owner = 'me' }",
        true,
    ),
    (
        "suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['x'] }\nexpect = [{ exits = 0 }]",
        false,
    ),
    ("suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['x'] }\nskip = { why = 'x' }", false),
    ("suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['x'], cwdd = '/' }", false),
    ("suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['x'] }\nbench = { warmups = 1 }", false),
    ("suite = 1\n[profile.p]\nbackend = []\nmarks = 'a'", false),
    (
        "suite = 1\n[fixture.f]\nscope = 'model'\nfiles = { a = 'b' }\nsetup = { argv = ['x'] }",
        true,
    ),
];

#[test]
fn what_the_loader_refuses_the_schema_refuses() {
    let validator = validator();
    for (text, right) in SUITES {
        let errors: Vec<String> =
            validator.iter_errors(&json(text)).map(|error| error.to_string()).collect();
        assert_eq!(errors.is_empty(), right, "{text}\n{errors:?}");
        let loaded = suite::parse("s.toml", text);
        assert_eq!(loaded.is_ok(), right, "{text}\n{:?}", loaded.err());
    }
}
