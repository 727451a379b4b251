//! What the tests of the tools share. Those of the tools together are in `tests/`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod chromium;

use std::{
    io::{self, Write},
    process::{Command, Output, Stdio},
};

/// Runs `command` to its end with `input` on its standard input, and keeps what it
/// prints.
///
/// # Panics
///
/// When it cannot be started or waited for: a test fails then.
pub fn fed(command: &mut Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the command starts");
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // On a thread of its own, for a command that prints before it has read all.
        let writer = scope.spawn(move || match stdin {
            Some(mut stdin) => stdin.write_all(input),
            None => Ok::<(), io::Error>(()),
        });
        let output = child.wait_with_output().expect("the command is waited for");
        // One that refuses its arguments does not read: a broken pipe is no failure.
        let _ = writer.join();
        output
    })
}
