//! What a server says of itself: its version, and the model that it has.

use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{DEATH, LOOK, Server};
use crate::{
    backend::{
        kind::{Ask, Kind},
        process::Process,
    },
    facts::Facts,
    http::{Body, Client, HttpError, Reply},
    interrupt::{Interrupts, look_again_in},
    plan::On,
};

/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(10);

impl Server {
    /// What a server that is ready says of its version and its model.
    pub(super) fn learn(
        &self,
        on: &On<'_>,
        answer: Option<&Value>,
        interrupts: &Interrupts,
    ) -> (Option<String>, Facts) {
        let (client, kind, model) = (self.client.clone(), on.kind, on.request_name());
        let told = interrupts.run(move || {
            let asked = |ask: &Ask| put(&client, ask, LOOK).ok().filter(|r| r.status == 200);
            let version = kind.version().and_then(|(ask, key)| {
                Some(json_of(&asked(&ask)?)?.get(key)?.as_str()?.to_owned())
            });
            let facts =
                kind.facts(&model).and_then(|(ask, read)| Some(read(&json_of(&asked(&ask)?)?)));
            (version, facts.unwrap_or_default())
        });
        let (version, facts) = told.unwrap_or_default();
        // A build outside of its repository says that it does not know.
        let version = version
            .filter(|version| !version.contains("unknown"))
            .or_else(|| on.kind.version_in(answer?))
            .or_else(|| version_of(self.program.as_deref()?, on.kind, interrupts));
        (version, facts)
    }
}

/// Asks the server behind `client`.
pub(super) fn put(client: &Client, ask: &Ask, timeout: Duration) -> Result<Reply, HttpError> {
    match &ask.body {
        Some(body) => client.post(&ask.path, body.to_string().as_bytes(), timeout),
        None => client.get(&ask.path, timeout),
    }
}

/// The body of `reply`, if it is JSON.
pub(super) fn json_of(reply: &Reply) -> Option<Value> {
    match &reply.body {
        Body::Whole(bytes) => serde_json::from_slice(bytes).ok(),
        Body::Events(_) => None,
    }
}

/// What `program` says when asked for its version, if it is the one that the kind
/// would start: of any other nobody knows what it does when it is called so.
fn version_of(program: &Path, kind: Kind, interrupts: &Interrupts) -> Option<String> {
    if program.file_name()? != kind.version_program()? {
        return None;
    }
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(&mut command).ok()?;
    let start = Instant::now();
    while process.ended().is_none() && start.elapsed() < VERSION && !interrupts.stop() {
        interrupts.sleep(look_again_in(start));
    }
    let succeeded = process.ended().is_some_and(|end| end.exit == Some(0));
    process.stop(Signal::SIGKILL, DEATH, || true);
    let (out, err) = (process.child().stdout.take()?, process.child().stderr.take()?);
    let mut text = String::new();
    out.chain(err).take(64 << 10).read_to_string(&mut text).ok().filter(|_| succeeded)?;
    version_in(&text).map(|version| without_name(version, kind.name()).to_owned())
}

/// The line that tells the version among what a program prints.
fn version_in(printed: &str) -> Option<&str> {
    let mut lines = printed.lines().map(str::trim);
    lines
        .clone()
        .find_map(|line| line.strip_prefix("version:").map(str::trim))
        .or_else(|| lines.find(|line| line.contains(|c: char| c.is_ascii_digit())))
}

/// `version` without the name of the program, which stands beside it in every report.
fn without_name<'a>(version: &'a str, name: &str) -> &'a str {
    let rest = version.strip_prefix(name).map(str::trim).filter(|rest| !rest.is_empty());
    rest.map_or(version, |rest| rest.trim_matches(['(', ')']))
}

#[cfg(test)]
mod tests {
    use super::{version_in, without_name};

    #[test]
    fn the_name_of_the_program_is_not_said_twice() {
        let of = |version| without_name(version, "llama-server");
        assert_eq!(of("llama-server (xllamacpp 2026.10.11549)"), "xllamacpp 2026.10.11549");
        assert_eq!(of("8994 (aab68217b)"), "8994 (aab68217b)");
        assert_eq!(of("llama-server"), "llama-server");
    }

    #[test]
    fn the_version_is_found_among_what_programs_print() {
        let llama = "ggml_cuda_init: found 1 CUDA devices\nversion: 8994 (aab68217b)\nbuilt with GNU 11.4.0\n";
        assert_eq!(version_in(llama), Some("8994 (aab68217b)"));
        let wheel = "llama-server (xllamacpp 2026.10.11549)\n";
        assert_eq!(version_in(wheel), Some("llama-server (xllamacpp 2026.10.11549)"));
        assert_eq!(version_in("usage: x\n"), None);
    }
}
