//! The command: started, signalled, and waited for, with whatever it leaves behind.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    process::{ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    libc::SIGCHLD,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use records::Child as Ending;

use crate::{
    exit,
    session::Event,
    sys::{self, Change},
    terminal, wide,
};

/// When the terminal stops or continues a job, it is over for all of it by then.
const SETTLED: Duration = Duration::from_millis(50);

/// The command as long as it runs, for those who want to signal it.
///
/// It is reaped under the same lock, so that no signal goes to a stranger who was
/// given its number.
#[derive(Default)]
pub struct Target(Mutex<Option<Pid>>);

impl Target {
    /// Sends `signal`; false when the command has ended or was never there.
    pub fn signal(&self, signal: Signal) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_some_and(|pid| kill(pid, signal).is_ok())
    }

    /// Whether the command runs.
    pub fn is_running(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn is(&self, pid: i32) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *running == Some(Pid::from_raw(pid))
    }

    /// Reaps `pid`; how it ended if it was the command.
    fn reap(&self, pid: i32) -> io::Result<Option<Ending>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, rusage) = sys::reap(pid)?;
        if *running != Some(Pid::from_raw(pid)) {
            return Ok(None);
        }
        *running = None;
        Ok(Some(Ending {
            exit: status.code(),
            signal: status.signal(),
            error: None,
            rusage: Some(rusage),
        }))
    }
}

/// Why a command could not be started.
pub struct NotStarted {
    /// For people.
    pub why: String,
    /// For scripts.
    pub exit: u8,
}

/// Makes the orphans of our descendants our children, where the system can.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
        crate::complain(&format!("cannot adopt orphaned processes: {error}"));
    }
}

/// Starts `command` with the run's id in its environment. It stays in our process
/// group, so that the terminal's Ctrl-C reaches it, and shares our standard input
/// and error; also our standard output unless `piped`.
///
/// # Errors
///
/// When the command is not found, cannot be executed, or the system has no room.
pub fn start(
    command: &[OsString],
    run: &str,
    piped: bool,
    events: Sender<Event>,
) -> Result<(Arc<Target>, Option<ChildStdout>), NotStarted> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(NotStarted { why: "no command".to_owned(), exit: exit::OWN_FAILURE });
    };
    let not_started =
        |error: io::Error| NotStarted { why: error.to_string(), exit: exit_of(&error) };
    keep_ended_children().map_err(not_started)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env(pipe::RUN_VARIABLE, run)
        .stdout(if piped { Stdio::piped() } else { Stdio::inherit() })
        .spawn()
        .map_err(not_started)?;
    let stdout = child.stdout.take();
    if let Some(stdout) = &stdout {
        wide::widen(stdout);
        wide::widen(io::stdout());
    }
    // A process number always fits.
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let target = Arc::new(Target(Mutex::new(Some(pid))));
    let reaped = Arc::clone(&target);
    thread::spawn(move || wait(&reaped, &events));
    Ok((target, stdout))
}

/// Reaps the command and every orphan until there are none.
fn wait(target: &Target, events: &Sender<Event>) {
    while let Ok(change) = sys::wait_for_any() {
        match change {
            Change::Ended(pid) => {
                if let Ok(Some(ending)) = target.reap(pid) {
                    let _ = events.send(Event::Ended(ending));
                }
            }
            Change::Stopped(pid) => {
                thread::sleep(SETTLED);
                if sys::is_stopped(pid) && target.is(pid) {
                    terminal::stop_job();
                }
            }
        }
    }
    if target.is_running() {
        let error = Some("its end was not seen".to_owned());
        let _ = events.send(Event::Ended(Ending { error, ..Ending::default() }));
    }
}

/// Sees to it that ended children are kept until they are reaped. One who started
/// us may have told the system to throw them away, and we would have inherited that.
fn keep_ended_children() -> io::Result<()> {
    if sys::is_ignored(SIGCHLD) {
        // Any handler will do, and unlike "ignore" it is not passed on.
        signal_hook::flag::register(SIGCHLD, Arc::default())?;
    }
    Ok(())
}

/// What env and timeout exit with: 127 for a command that is not there, 125 when
/// it is not about the command, 126 for one that cannot be executed.
fn exit_of(error: &io::Error) -> u8 {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT) => exit::NOT_FOUND,
        Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE) | None => {
            exit::OWN_FAILURE
        }
        Some(_) => exit::CANNOT_EXECUTE,
    }
}
