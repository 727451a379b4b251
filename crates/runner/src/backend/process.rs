//! A process and everything that it starts: one group, and whoever left it, ended
//! together.

use std::{
    collections::BTreeSet,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use super::strays::{Mark, runs};
use crate::interrupt::look_again_in;

/// How long the group may linger after SIGKILL before we go on without it. Zombies
/// whose parent does not wait for them linger for ever, and do no harm.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// How a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Its exit code, when it exited.
    pub exit: Option<i32>,
    /// The signal that ended it, when one did.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> End {
        End { exit: status.code(), signal: status.signal() }
    }
}

impl End {
    /// For people: `exit code 1`, `signal 9 (SIGKILL)`.
    #[must_use]
    pub fn describe(&self) -> String {
        match (self.exit, self.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => format!("signal {number} ({signal})"),
                Err(_) => format!("signal {number}"),
            },
            (None, None) => "an unknown end".to_owned(),
        }
    }
}

/// A process at the head of its own group. Dropping it kills the group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    mark: Mark,
    end: Option<End>,
    gone: bool,
}

impl Process {
    /// Starts `command` at the head of a new process group, so that it can be ended
    /// with all that it starts, and a terminal's Ctrl-C does not reach it before we
    /// have decided what to do.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Process> {
        die_with_us(command);
        let mark = Mark::put(command);
        let child = command.process_group(0).spawn()?;
        let process = Process { child, mark, end: None, gone: false };
        live().insert(process.pid());
        Ok(process)
    }

    /// Its id, which is that of its group too.
    #[must_use]
    pub fn pid(&self) -> i32 {
        // Linux and macOS give out ids below 2^31.
        i32::try_from(self.child.id()).unwrap_or(i32::MAX)
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it was seen to have ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<End> {
        if self.end.is_none() {
            // An error here means that there is no such child: somebody reaped it.
            self.end = match self.child.try_wait() {
                Ok(status) => status.map(End::from),
                Err(_) => Some(End::default()),
            };
        }
        self.end
    }

    /// Waits until it has ended, at most for `patience`.
    pub fn wait_for(&mut self, patience: Duration) -> Option<End> {
        let start = Instant::now();
        loop {
            let end = self.ended();
            if end.is_some() || start.elapsed() >= patience {
                return end;
            }
            thread::sleep(look_again_in(start));
        }
    }

    /// Ends the group and whoever left it: `signal` first, SIGKILL after `grace`, or as
    /// soon as `hurry` says so, for whoever is left. Returns how the process itself
    /// ended, if it did.
    pub fn stop(
        &mut self,
        signal: Signal,
        grace: Duration,
        hurry: impl Fn() -> bool,
    ) -> Option<End> {
        for (signal, patience) in [(signal, grace), (Signal::SIGKILL, AFTER_KILL)] {
            // Looked for before their parents end, and anew before the last word.
            let mut strays = self.mark.strays(self.pid(), self.end.is_none());
            strays.retain(|pid| kill(*pid, signal).is_ok());
            if self.signal_group(signal) == Err(Errno::ESRCH) && strays.is_empty() {
                break;
            }
            let start = Instant::now();
            while self.group_lives() || strays.iter().any(|pid| runs(*pid)) {
                let hurried = signal != Signal::SIGKILL && hurry();
                if hurried || start.elapsed() >= patience {
                    break;
                }
                thread::sleep(look_again_in(start));
            }
        }
        self.gone = true;
        live().remove(&self.pid());
        self.ended()
    }

    /// Whether anybody of the group is left. Reaps the process itself.
    fn group_lives(&mut self) -> bool {
        let own = self.ended().is_none();
        own || killpg(Pid::from_raw(self.pid()), None) != Err(Errno::ESRCH)
    }

    /// Sends `signal` to the whole group.
    fn signal_group(&self, signal: Signal) -> nix::Result<()> {
        killpg(Pid::from_raw(self.pid()), signal)
    }
}

/// Has the kernel kill the process when we are killed: with SIGKILL we have no time to
/// do it ourselves, and a model must not stay in memory with nobody to ask it. It
/// goes by the thread that starts the process, so that must be the main one.
#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command) {
    let ask = || nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; the
    // closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(ask) };
}

/// Other systems have no such thing.
#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command) {}

/// The groups that are not gone yet.
static LIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<i32>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every group that is left, for who ends without waiting for anything.
pub(crate) fn kill_all() {
    for pid in live().iter() {
        // One that has just ended is gone, and that is well.
        let _ = killpg(Pid::from_raw(*pid), Signal::SIGKILL);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A panic or an early return must not leave a model in memory.
        if !self.gone {
            self.stop(Signal::SIGKILL, AFTER_KILL, || false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    use super::{End, Process};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command
    }

    fn lives(pid: i32) -> bool {
        // A zombie still takes signals; what is gone or a zombie does not run.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        kill(Pid::from_raw(pid), None).is_ok() && !stat.contains(") Z ")
    }

    #[test]
    fn stopping_ends_grandchildren_too() {
        let mut process = Process::start(&mut shell("sleep 60 & echo $!; wait")).unwrap();
        let mut line = String::new();
        BufReader::new(process.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let grandchild: i32 = line.trim().parse().unwrap();
        assert!(lives(grandchild));
        let end = process.stop(Signal::SIGTERM, Duration::from_secs(5), || false).unwrap();
        assert_eq!(end.signal, Some(15));
        assert!(!lives(grandchild));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn stopping_ends_a_daemon_that_left_for_a_session_of_its_own() {
        // Two forks and a new session: nobody's child, nobody's group.
        let daemon = "import os, time\n\
            if os.fork(): os.wait(); time.sleep(60)\n\
            os.setsid()\n\
            if os.fork(): os._exit(0)\n\
            print(os.getpid(), flush=True); time.sleep(60)";
        let mut command = Command::new("python3");
        command.args(["-c", daemon]).stdout(Stdio::piped());
        let mut process = Process::start(&mut command).unwrap();
        let mut line = String::new();
        BufReader::new(process.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let daemon: i32 = line.trim().parse().unwrap();
        assert!(lives(daemon));
        process.stop(Signal::SIGTERM, Duration::from_secs(5), || false).unwrap();
        assert!(!lives(daemon));
    }

    #[test]
    fn who_ignores_the_signal_is_killed_after_the_grace() {
        let mut process =
            Process::start(&mut shell("trap '' TERM; echo x; while :; do sleep 0.05; done"))
                .unwrap();
        let mut line = String::new();
        BufReader::new(process.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let start = Instant::now();
        let end = process.stop(Signal::SIGTERM, Duration::from_millis(200), || false).unwrap();
        assert_eq!(end.describe(), "signal 9 (SIGKILL)");
        assert!(start.elapsed() >= Duration::from_millis(200));
    }

    #[test]
    fn an_end_is_known_by_code_or_signal() {
        let mut process = Process::start(&mut shell("exit 3")).unwrap();
        let end = process.wait_for(Duration::from_secs(5));
        assert_eq!(end, Some(End { exit: Some(3), signal: None }));
        assert_eq!(end.unwrap().describe(), "exit code 3");
    }

    #[test]
    fn dropping_a_process_leaves_nothing_behind() {
        let process = Process::start(&mut shell("sleep 60")).unwrap();
        let pid = process.pid();
        drop(process);
        assert!(!lives(pid));
    }
}
