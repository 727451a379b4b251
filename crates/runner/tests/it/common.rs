//! What the tests of the runner share: a folder with a suite, and the binary.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A folder of its own for a test, with a suite in it.
pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    /// A folder with `suite` as `s.toml`.
    pub(crate) fn with(suite: &str) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s.toml"), suite).unwrap();
        Folder { dir }
    }

    /// A folder with a suite of one backend that has `fault`, and `cases`.
    pub(crate) fn faulty(fault: &str, cases: &str) -> Folder {
        Folder::with(&format!(
            r#"
suite = 1
defaults = {{ timeout = "20s" }}
[backend.b]
kind = "llama-server"
command = ["python3", "{server}", "{fault}", "{{port}}"]
ready = {{ timeout = "15s" }}
stop = {{ grace = "1s" }}
[[model]]
id = "m"
modality = ["text"]
on.b = {{ notes = "a mock" }}
{cases}
"#,
            server = server().display(),
        ))
    }

    /// A folder with a suite of one backend that gives `answers`, and `cases`.
    pub(crate) fn scripted(answers: &Value, cases: &str) -> Folder {
        let folder = Folder::with(&format!(
            r#"
suite = 1
defaults = {{ timeout = "20s", temperature = 0.0, seed = 7 }}
[backend.b]
kind = "llama-server"
command = ["python3", "{server}", "{{port}}"]
ready = {{ timeout = "15s" }}
stop = {{ grace = "1s" }}
[[model]]
id = "m"
modality = ["text", "vision", "audio", "tools"]
on.b = {{}}
{cases}
"#,
            server = server().with_file_name("scripted_server.py").display(),
        ));
        fs::write(folder.path().join("answers.json"), answers.to_string()).unwrap();
        folder
    }

    /// A folder with a suite of one backend of `kind` whose figures can be told beforehand,
    /// but for its `fault`, and `cases`.
    pub(crate) fn measured(fault: &str, kind: &str, cases: &str) -> Folder {
        Folder::with(&format!(
            r#"
suite = 1
defaults = {{ timeout = "20s", temperature = 0.0, seed = 7 }}
[backend.b]
kind = "{kind}"
command = ["python3", "{server}", "{fault}", "{{port}}"]
ready = {{ timeout = "15s" }}
stop = {{ grace = "1s" }}
[[model]]
id = "m"
modality = ["text"]
on.b = {{ path = "m.gguf" }}
{cases}
"#,
            server = server().with_file_name("measured_server.py").display(),
        ))
    }

    /// What the scripted server was asked by cases, in order.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path().join("requests.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Has the suite say `new` where it says `old`.
    pub(crate) fn change(&self, old: &str, new: &str) {
        let path = self.path().join("s.toml");
        let suite = fs::read_to_string(&path).unwrap();
        assert!(suite.contains(old), "{old} is not in the suite");
        fs::write(path, suite.replace(old, new)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The runner in this folder, to be given arguments.
    pub(crate) fn runner(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(self.path()).env_remove("MEMMON_RUN");
        command
    }

    /// Runs the suite with `arguments` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.runner().arg("s.toml").args(arguments).output().unwrap())
    }
}

pub(crate) fn server() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/faulty_server.py")
}

/// What a run printed.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) lines: Vec<Value>,
}

impl Run {
    pub(crate) fn of(output: Output) -> Run {
        let stdout = String::from_utf8(output.stdout).unwrap();
        Run {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            lines: stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        }
    }

    pub(crate) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["record"] == kind)
    }

    pub(crate) fn tests(&self) -> Vec<&Value> {
        self.of_kind("test").collect()
    }

    /// The result of the one case called `case`.
    pub(crate) fn test(&self, case: &str) -> &Value {
        let found: Vec<&Value> = self.of_kind("test").filter(|test| test["case"] == case).collect();
        assert_eq!(found.len(), 1, "one result of {case}\n{}", self.stderr);
        found[0]
    }

    pub(crate) fn end(&self) -> &Value {
        self.of_kind("run_end").next().expect("a run_end")
    }
}
