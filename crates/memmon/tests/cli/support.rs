//! Running memmon and reading what it wrote.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{SigHandler, Signal, kill, signal},
    unistd::Pid,
};
use records::{Sample, Stream, Summary};
use serde_json::Value;

/// memmon with `args`, ready to be started, with signals as they are at a terminal: where
/// the tests run in the background or under nohup, some are ignored.
pub(crate) fn memmon(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memmon"));
    command.args(args).stdin(Stdio::null()).env_remove(pipe::RUN_VARIABLE);
    let reset = || {
        for of in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
            // SAFETY: sigaction(2) may be called here, and no handler is installed.
            unsafe { signal(of, SigHandler::SigDfl) }?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes but that call and allocates nothing.
    unsafe { command.pre_exec(reset) };
    command
}

/// memmon with `args`, run to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    memmon(args).output().unwrap()
}

/// A shell script under memmon, run to its end.
pub(crate) fn run_script(args: &[&str], script: &str) -> Output {
    run(&[args, &["--", "sh", "-c", script]].concat())
}

/// Standard error as text.
pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What memmon wrote itself, and what it passed on.
pub(crate) struct Written {
    pub(crate) stream: Stream,
    pub(crate) samples: Vec<Sample>,
    pub(crate) summary: Summary,
    pub(crate) others: Vec<u8>,
}

/// Takes memmon's lines from all lines. Each must be whole and valid, without a
/// field that its type does not know; `stream` is first and `summary` last.
pub(crate) fn written(out: &[u8]) -> Written {
    assert!(out.ends_with(b"\n"), "the last line is whole");
    let (mut stream, mut summary) = (None, None);
    let (mut samples, mut others) = (Vec::new(), Vec::new());
    for (number, line) in out.split_inclusive(|byte| *byte == b'\n').enumerate() {
        // Foreign lines can be many: look before parsing.
        if line.starts_with(br#"{"record":"stream""#) {
            assert_eq!(number, 0, "stream is first");
            stream = Some(exact(line));
        } else if line.starts_with(br#"{"record":"sample""#) {
            samples.push(exact(line));
        } else if line.starts_with(br#"{"record":"summary""#) {
            assert!(summary.is_none(), "one summary");
            assert!(out.ends_with(line), "summary is last");
            summary = Some(exact(line));
        } else {
            others.extend_from_slice(line);
        }
    }
    Written { stream: stream.unwrap(), samples, summary: summary.unwrap(), others }
}

/// Reads a line as a `T` that says all that the line says.
fn exact<T: serde::de::DeserializeOwned + serde::Serialize>(line: &[u8]) -> T {
    let value: Value = serde_json::from_slice(line).unwrap();
    let record: T = serde_json::from_slice(line).unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap(), value);
    record
}

/// memmon while it runs.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits for the command to say that it is ready, on standard error.
    pub(crate) fn wait_until_ready(&mut self) {
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for the end, at most 20 seconds; the rest of the output as well.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<u8>) {
        let mut out = self.0.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            out.read_to_end(&mut all).unwrap();
            all
        });
        let status = self.wait();
        (status, reader.join().unwrap())
    }

    /// Waits for the end, at most 20 seconds.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "memmon does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
