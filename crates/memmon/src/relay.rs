//! The command's output on its way through us.

use std::{
    io::{self, Read, Write},
    process::ChildStdout,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    thread,
};

use crate::{
    output::Output,
    session::Event,
    splitter::{Parts, Splitter},
};

/// Tells from outside whether the relay is at work.
#[derive(Clone, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Counts the beginnings and the ends of writing.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Whether something that was read is being written; else the command's
    /// output is waited for.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.steps() % 2 == 1
    }

    fn step(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Passes what comes from `stdout` on in a thread of its own: lines of JSON to
/// `output`, the rest to standard error. When it ends it says so to `events`.
pub fn start(stdout: ChildStdout, output: Arc<Output>, events: Sender<Event>) -> Progress {
    let progress = Progress::default();
    let steps = progress.clone();
    thread::spawn(move || {
        if let Err(error) = pass_on(stdout, &output, &steps) {
            crate::complain(&format!("reading failed: the command's output: {error}"));
        }
        let _ = events.send(Event::Drained);
    });
    progress
}

fn pass_on(mut stdout: impl Read, output: &Output, progress: &Progress) -> io::Result<()> {
    let mut splitter = Splitter::new();
    let mut told = false;
    let result = loop {
        match stdout.read(splitter.space()) {
            Ok(0) => break Ok(()),
            Ok(read) => {
                progress.step();
                deliver(splitter.filled(read), output);
                progress.step();
                if splitter.take_refused() && !told {
                    told = true;
                    crate::complain(&format!(
                        "a line of the command is longer than {} MiB: it goes to standard error",
                        pipe::MAX_LINE >> 20
                    ));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    progress.step();
    deliver(splitter.end(), output);
    progress.step();
    result
}

fn deliver(parts: Parts<'_>, output: &Output) {
    if !parts.json.is_empty() {
        output.lines(parts.json);
    }
    if !parts.text.is_empty() {
        // That nobody reads it is no reason to stop the command.
        let _ = io::stderr().lock().write_all(parts.text);
    }
}
