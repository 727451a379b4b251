//! Whatever `docs/suites.md` shows is so.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use regex::Regex;

use crate::common::server;

fn manual() -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/suites.md");
    fs::read_to_string(file).unwrap()
}

/// The fenced blocks of the manual: language and text.
fn blocks(manual: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = manual;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (language, after) = after.split_once('\n').unwrap();
        let (text, after) = match after.strip_prefix("```") {
            Some(after) => ("", after),
            None => after.split_once("\n```").unwrap(),
        };
        blocks.push((language, text));
        rest = after;
    }
    blocks
}

/// A server that answers "hello", until it is dropped.
struct Answering {
    child: Child,
    port: u16,
}

impl Answering {
    fn start() -> Answering {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("python3")
            .arg(server())
            .args(["none", &port.to_string()])
            .spawn()
            .unwrap();
        let answering = Answering { child, port };
        for _ in 0..400 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return answering;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server never took a connection");
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `line` prints in `folder`, first to its standard output.
fn printed(line: &str, folder: &Path) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("MEMMON_RUN")
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Without times, which differ.
fn timeless(text: &str) -> String {
    let times = Regex::new(r"\[ *[0-9.]+s\]|in [0-9.]+ s").unwrap();
    times.replace_all(text.trim_end(), "TIME").into_owned()
}

#[test]
fn the_walk_from_nothing_to_a_first_suite_goes_as_it_is_told() {
    let manual = manual();
    let dir = tempfile::tempdir().unwrap();
    let server = Answering::start();
    let mut commands = 0;
    for (language, text) in blocks(&manual) {
        match language {
            "toml" if text.starts_with("# hello.toml") => {
                let there = text.replace(":8080", &format!(":{}", server.port));
                fs::write(dir.path().join("hello.toml"), there).unwrap();
            }
            "console" => {
                let (line, told) = text.split_once('\n').unwrap();
                let line = line.strip_prefix("$ ").unwrap();
                assert_eq!(timeless(&printed(line, dir.path())), timeless(told), "{line}");
                commands += 1;
            }
            _ => {}
        }
    }
    assert_eq!(commands, 6);
}

#[test]
fn every_suite_of_the_manual_is_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("common")).unwrap();
    for file in ["common/backends.toml", "common/models.toml"] {
        fs::write(dir.path().join(file), "suite = 1\n").unwrap();
    }
    let manual = manual();
    let file = dir.path().join("s.toml");
    let mut suites = 0;
    for (_, text) in blocks(&manual).iter().filter(|(language, _)| *language == "toml") {
        // Cases alone are tried where requests are described.
        if text.starts_with("# hello.toml") || !text.contains("suite = 1") {
            continue;
        }
        fs::write(&file, text).unwrap();
        if let Err(errors) = runner::suite::load(file.to_str().unwrap()) {
            panic!("{text}\n\n{errors}");
        }
        suites += 1;
    }
    assert!(suites >= 8, "{suites}");
}
