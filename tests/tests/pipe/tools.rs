//! The binaries of the workspace, the real backend, and one run that several tests
//! look at.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, OnceLock},
};

use serde_json::Value;

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The folder of the binaries, all of them built.
pub(crate) fn bin() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        // This test is target/PROFILE/deps/pipe-…; the tools lie two folders up.
        let own = env::current_exe().unwrap();
        let folder = own.ancestors().nth(2).unwrap().to_path_buf();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--workspace", "--bins"]).current_dir(root());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.stderr(Stdio::null()).status().unwrap().success(), "the tools do not build");
        folder
    })
}

/// Puts the real backend and model in place, once.
pub(crate) fn backend() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| setup(&["llama"]));
}

/// Puts real backends and their models in place, by their names for `setup.sh`. One call
/// at a time: they share a model.
pub(crate) fn setup(names: &[&str]) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let script = root().join("examples/backends/setup.sh");
    let setup = Command::new(script).args(names).output().unwrap();
    assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
}

/// A tool of ours.
pub(crate) fn tool(name: &str) -> Command {
    let mut command = Command::new(bin().join(name));
    command.current_dir(root()).env_remove("MEMMON_RUN");
    command
}

/// `script` in bash, with the tools in PATH and `pipefail` set.
pub(crate) fn shell(script: &str) -> Command {
    let path = format!("{}:{}", bin().display(), env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("set -o pipefail; {script}")])
        .current_dir(root())
        .env("PATH", path);
    command
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One run of examples/smoke.toml through the whole pipe.
pub(crate) struct Demo {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) lines: Vec<Value>,
    pub(crate) report: String,
    pub(crate) stderr: String,
}

impl Demo {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["record"] == kind)
    }
}

/// The lines of a stream.
pub(crate) fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The run that tests share: it takes seconds, so it is done once.
pub(crate) fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        backend();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().display();
        let output = shell(&format!(
            "memmon -- runner examples/smoke.toml --state-dir {out}/state | correlate \
             | tee {out}/run.jsonl | reportgen > {out}/report.md \
             && memplot {out}/run.jsonl -o {out}/timeline.html"
        ))
        .output()
        .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        Demo {
            lines: read(&folder.path().join("run.jsonl")),
            report: fs::read_to_string(folder.path().join("report.md")).unwrap(),
            stderr: stderr(&output),
            folder,
        }
    })
}
