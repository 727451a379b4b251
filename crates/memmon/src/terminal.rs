//! The terminal, left as it was found.

use std::{
    fs::File,
    io::{self, IsTerminal, stdin, stdout},
    os::{fd::AsFd, unix::fs::FileTypeExt},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        termios::{SetArg, Termios, tcgetattr, tcsetattr},
    },
    unistd::{Pid, getpgrp, tcgetpgrp},
};
use records::Child;

/// How the terminal was when we began, when there is one.
pub struct Terminal(Option<Termios>);

impl Terminal {
    /// Looks at the terminal of standard input.
    #[must_use]
    pub fn look() -> Terminal {
        Terminal(if stdin().is_terminal() { tcgetattr(stdin()).ok() } else { None })
    }

    /// Puts the terminal back when a signal ended the command, which then had no chance
    /// to do so itself. A shell does this for what it runs; it sees us, though, and we
    /// end with an exit code.
    ///
    /// What a command changed and left so on purpose, as `stty` does, stays. A terminal
    /// that is not ours (we run in the background, or the reader of our output may have
    /// taken it over, as `less` does) is let alone.
    pub fn put_back_after(&self, child: Option<&Child>) {
        let was_killed = child.is_some_and(|child| child.signal.is_some());
        let Some(found) = self.0.as_ref().filter(|_| was_killed) else { return };
        let is_ours = tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp());
        let has_changed = tcgetattr(stdin()).is_ok_and(|now| now != *found);
        if is_ours && has_changed && !is_pipe(stdout()) {
            // After what was written has been shown.
            let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, found);
        }
    }
}

/// Stops all of our job when it has the terminal: called when the command alone has
/// stopped, as `less` does after Ctrl-Z. The shell looks at us, and when it continues
/// the job, it continues all of it.
///
/// Without a shell above (the group is orphaned, as under `setsid`), the system takes no
/// notice. What somebody stopped in the background is not our business.
pub(crate) fn stop_job() {
    let is_in_front = || -> io::Result<bool> {
        Ok(tcgetpgrp(File::open("/dev/tty")?).is_ok_and(|group| group == getpgrp()))
    };
    if is_in_front().unwrap_or(false) {
        let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
    }
}

fn is_pipe(stream: impl AsFd) -> bool {
    let look = || -> io::Result<bool> {
        let file = File::from(stream.as_fd().try_clone_to_owned()?);
        Ok(file.metadata()?.file_type().is_fifo())
    };
    look().unwrap_or(true)
}
