//! Signals: which ones we catch, and what becomes of them.

use std::{
    io,
    sync::{Arc, mpsc::Sender},
    thread,
    time::{Duration, Instant},
};

use nix::{
    libc::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, siginfo_t},
    sys::signal::Signal,
};
use signal_hook::iterator::{SignalsInfo, exfiltrator::raw::WithRawSiginfo};

use crate::{child::Target, session::Event, sys};

/// Time that the command has to end after a second TERM before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// TERMs that come within this time of one another are one request.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Signals that are caught, and wait until somebody deals with them.
pub struct Signals(SignalsInfo<WithRawSiginfo>);

impl Signals {
    /// Catches what concerns us: with a command all that should not end us before
    /// it, without one those that ask for the end.
    ///
    /// A signal that was ignored when we were started (nohup; a job in the
    /// background of a script) stays ignored, for us and for the command.
    ///
    /// # Errors
    ///
    /// When the system has no room for the handlers.
    pub fn catch(with_command: bool) -> io::Result<Signals> {
        let all = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];
        let wanted = if with_command { &all[..] } else { &all[..3] };
        let caught = wanted.iter().filter(|signal| !sys::is_ignored(**signal));
        Ok(Signals(SignalsInfo::new(caught)?))
    }

    /// Deals with the signals from now on, those included that came before.
    pub fn deal(mut self, target: Arc<Target>, events: Sender<Event>) {
        thread::spawn(move || {
            let mut seen = Seen::default();
            for info in self.0.forever() {
                if let Ok(signal) = Signal::try_from(info.si_signo) {
                    seen.take(signal, is_from_terminal(&info), &target, &events);
                }
            }
        });
    }
}

/// Whether the kernel sent it, as it does when someone types Ctrl-C, and not a process.
/// On Linux what processes send has codes up to 0. Elsewhere it cannot be told, and the
/// terminal is by far the likelier.
fn is_from_terminal(info: &siginfo_t) -> bool {
    !cfg!(target_os = "linux") || info.si_code > 0
}

/// What came before.
#[derive(Default)]
struct Seen {
    terms: u32,
    last_term: Option<Instant>,
    stops: u32,
}

impl Seen {
    fn take(
        &mut self,
        signal: Signal,
        from_terminal: bool,
        target: &Arc<Target>,
        events: &Sender<Event>,
    ) {
        let reached_command = match signal {
            // The terminal sends these to the command too; who sends them to us alone
            // does not. Who sends them to our group reaches it twice, as with TERM.
            Signal::SIGINT | Signal::SIGQUIT if from_terminal => target.is_running(),
            _ => target.signal(signal),
        };
        match signal {
            Signal::SIGTERM if reached_command => {
                // What comes at once was sent to a group and passed on to us besides.
                let again = self.last_term.is_none_or(|at| at.elapsed() >= AT_ONCE);
                self.last_term = Some(Instant::now());
                self.terms += u32::from(again);
                if again && self.terms == 2 {
                    kill_later(Arc::clone(target));
                }
            }
            _ if reached_command => {}
            Signal::SIGUSR1 | Signal::SIGUSR2 => {}
            // Asked a second time, we do not insist on writing to one who does
            // not read.
            _ if self.stops > 0 => std::process::exit(128 + signal as i32),
            _ => {
                self.stops += 1;
                let _ = events.send(Event::Stop);
            }
        }
    }
}

fn kill_later(target: Arc<Target>) {
    thread::spawn(move || {
        thread::sleep(GRACE);
        if target.signal(Signal::SIGKILL) {
            crate::complain("the command did not end after a second TERM: killed");
        }
    });
}
