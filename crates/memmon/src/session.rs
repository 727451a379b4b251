//! One run from the first line to the last: a single loop over what happens.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use pipe::printable;
use probe::{Machine, Tree, clock::Stamp};
use records::{Child, Origin};

use crate::{
    child::{self, NotStarted, Target},
    cli::Args,
    closing,
    emit::Emit,
    exit, mlx_knife,
    opening::{self, Subject},
    output::Output,
    relay::{self, Progress},
    sampler::Sampler,
    serve::{self, Board},
    signals::Signals,
    terminal::Terminal,
};

/// After the command has ended, others may hold its output open. When they have
/// nothing to say for so long, they are not waited for.
const QUIET: Duration = Duration::from_millis(300);

/// Who keeps writing after the command has ended, as a server that it left behind may
/// do for days, is not waited for longer than this.
const LONGEST: Duration = Duration::from_secs(5);
/// Beginnings and ends of writing after which all that was in the pipe when the command
/// ended has gone out: it holds less than four reads take, and there are many more.
const EMPTIED: u64 = 16;

/// What happens while samples are taken.
#[derive(Debug)]
pub enum Event {
    /// The command ended.
    Ended(Child),
    /// Its output ended.
    Drained,
    /// Someone wants us to end, and there is no command to ask.
    Stop,
}

/// Runs memmon as `args` say; its exit code.
///
/// # Errors
///
/// When nothing can be begun: an output that cannot be made, a process that is
/// not there, a port that is taken. The command has not been started then.
pub fn run(args: &Args) -> Result<u8, String> {
    let terminal = Terminal::look();
    let tree = tree(args)?;
    let board = board(args)?;
    // After all that can fail: an output that is made anew loses what it held.
    let output = Output::create(args.file()).map_err(|error| error.to_string())?;
    let output = Arc::new(output);

    let machine = Machine::open();
    let origin = Origin {
        run: uuid::Uuid::now_v7().to_string(),
        host: machine.profile().host.clone().unwrap_or_else(|| "unknown".to_owned()),
    };
    // Until here a signal ends us as it would anyone, and nothing has begun.
    let signals =
        Signals::catch(args.wraps()).map_err(|why| format!("cannot catch signals: {why}"))?;

    let start = Stamp::now();
    let subject = Subject { command: &args.command, pid: args.pid, interval: args.interval };
    args.emit.stream(&output, &opening::stream(&start, &origin, &machine, &subject));
    let mut sampler = Sampler::new(machine, tree, origin.clone(), args.interval, start)
        .emitting(args.emit)
        .showing(board);
    // Before the command: so it can be told what the command changed.
    sampler.sample(&output);

    let (sender, events) = mpsc::channel();
    let (child, code, sampler) = match start_command(args, &origin, &output, &sender) {
        Ok((target, relay)) => {
            signals.deal(target, sender.clone());
            // Not before: on Linux the command would inherit it.
            probe::clock::be_punctual();
            let mut session = Session {
                sampler,
                output: &output,
                events,
                _open: sender,
                end: args.duration,
                pid: args.pid,
                relay,
                drained: false,
                stopped: false,
            };
            let child = session.sample_until_end(args.wraps());
            session.drain();
            let code = match &child {
                Some(child) => exit::code(child),
                None if output.has_failed() => exit::OWN_FAILURE,
                None => pipe::exit::DONE,
            };
            (child, code, session.sampler)
        }
        Err(NotStarted { why, exit }) => {
            let program = args.command.first().map(|word| word.to_string_lossy());
            let program = program.unwrap_or_default();
            crate::complain(&format!("cannot run: {}: {why}", printable(&program)));
            (Some(Child { error: Some(why), ..Child::default() }), exit, sampler)
        }
    };
    terminal.put_back_after(child.as_ref());
    let summary = closing::summary(&start, &origin, sampler.tally(), child);
    output.close(|out| match args.emit {
        Emit::Records => serde_json::to_writer(out, &summary),
        Emit::MlxKnife => {
            mlx_knife::write(out, &mlx_knife::summary(&summary, args.interval, &args.command, code))
        }
    });
    Ok(code)
}

/// The processes to watch.
fn tree(args: &Args) -> Result<Option<Tree>, String> {
    if let Some(pid) = args.pid {
        let mut tree = Tree::rooted_at(pid);
        if tree.read(false).procs == 0 {
            return Err(format!("cannot watch: process {pid}: it does not run"));
        }
        return Ok(Some(tree));
    }
    if !args.wraps() {
        return Ok(None);
    }
    child::adopt_orphans();
    // A process number always fits.
    Ok(Some(Tree::descendants_of(i32::try_from(std::process::id()).unwrap_or(i32::MAX))))
}

/// Where samples are shown, when they are to be.
fn board(args: &Args) -> Result<Option<Board>, String> {
    let Some(address) = args.prometheus else { return Ok(None) };
    let board = Board::default();
    let bound = serve::start(address, board.clone())
        .map_err(|error| format!("cannot serve: {address}: {error}: try another port"))?;
    if address.port() == 0 {
        crate::complain(&format!("serving http://{bound}/metrics"));
    }
    Ok(Some(board))
}

/// Starts the command, if there is one, and the relay of its output, if it is
/// ours to pass on.
fn start_command(
    args: &Args,
    origin: &Origin,
    output: &Arc<Output>,
    events: &Sender<Event>,
) -> Result<(Arc<Target>, Option<Progress>), NotStarted> {
    if !args.wraps() {
        return Ok((Arc::default(), None));
    }
    let piped = args.file().is_none();
    let (target, stdout) = child::start(&args.command, &origin.run, piped, events.clone())?;
    let relay = stdout.map(|stdout| relay::start(stdout, Arc::clone(output), events.clone()));
    Ok((target, relay))
}

struct Session<'a> {
    sampler: Sampler,
    output: &'a Output,
    events: Receiver<Event>,
    /// Keeps `events` open, whatever becomes of the other threads.
    _open: Sender<Event>,
    /// When to stop sampling, since the start.
    end: Option<Duration>,
    /// The process to end with.
    pid: Option<i32>,
    relay: Option<Progress>,
    drained: bool,
    stopped: bool,
}

impl Session<'_> {
    /// Samples until the command has ended, which it returns, or until nobody
    /// wants more.
    fn sample_until_end(&mut self, wraps: bool) -> Option<Child> {
        let mut wake = Some(self.next_wake());
        loop {
            match self.next_event(wake) {
                Some(Event::Ended(child)) => {
                    // Once more, so that the last test has a sample after its end.
                    if wake.is_some() {
                        self.sampler.sample(self.output);
                    }
                    return Some(child);
                }
                Some(Event::Drained) => self.drained = true,
                Some(Event::Stop) if wraps => self.stopped = true,
                Some(Event::Stop) => {
                    self.sampler.sample(self.output);
                    return None;
                }
                None => {
                    let more = self.sample_on_time();
                    if !more && !wraps {
                        return None;
                    }
                    wake = more.then(|| self.next_wake());
                }
            }
        }
    }

    /// Takes the sample that is due; whether there is to be another.
    fn sample_on_time(&mut self) -> bool {
        let is_last = self.end.is_some_and(|end| self.sampler.elapsed() >= end);
        let tree = self.sampler.sample(self.output);
        let has_ended =
            |pid| tree.is_none_or(|tree| tree.procs == 0 || tree.pids.binary_search(&pid).is_err());
        !is_last && !self.output.is_gone() && !self.pid.is_some_and(has_ended)
    }

    /// When the next sample is due, since the start.
    fn next_wake(&self) -> Duration {
        let deadline = self.sampler.next_deadline();
        self.end.map_or(deadline, |end| end.min(deadline))
    }

    /// What happens next, or nothing until `wake`.
    fn next_event(&self, wake: Option<Duration>) -> Option<Event> {
        match wake {
            Some(wake) => {
                self.events.recv_timeout(wake.saturating_sub(self.sampler.elapsed())).ok()
            }
            None => self.events.recv().ok(),
        }
    }

    /// Waits for the rest of the command's output.
    fn drain(&mut self) {
        let Some(relay) = &self.relay else {
            return;
        };
        let (start, first) = (Instant::now(), relay.steps());
        let mut before = first;
        while !self.drained {
            match self.events.recv_timeout(QUIET) {
                Ok(Event::Drained) => self.drained = true,
                Ok(Event::Stop) => self.stopped = true,
                Ok(Event::Ended(_)) => {}
                Err(_) => {
                    let now = relay.steps();
                    let others_go_on = start.elapsed() > LONGEST && now - first > EMPTIED;
                    if !relay.is_writing() && (self.stopped || now == before || others_go_on) {
                        return;
                    }
                    before = now;
                }
            }
        }
    }
}
