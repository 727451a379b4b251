//! A case that runs a command.

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use probe::clock::Stamp;
use records::ErrorInfo;

use super::{Around, Came};
use crate::{
    backend::{Process, program_path},
    expect::Observed,
    interrupt::{Interrupts, look_again_in},
    suite::{CommandDef, Template},
};

/// The most that is kept of what a command prints, in bytes; the rest is read and
/// dropped, so that the command is not held up.
const MAX_OUTPUT: usize = 4 << 20;
/// How long a command has between the signal that asks it to stop and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How long a command's grandchildren may hold its output open after its end.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs the command once, to its end.
pub fn run(command: &CommandDef, around: &Around<'_>, interrupts: &Interrupts) -> Came {
    let &Around { places, env, folder, timeout } = around;
    let fill = |text: &String| -> Result<String, String> {
        Template::parse(text)?
            .fill(places, |name| std::env::var(name).ok())
            .map(|filled| filled.real)
    };
    let prepared = || -> Result<(Command, Option<String>), String> {
        let mut words = command.argv.iter().map(fill).collect::<Result<Vec<_>, _>>()?.into_iter();
        let program = program_path(&words.next().ok_or("argv names no program")?, folder);
        let mut prepared = match &command.cwd {
            None => Command::new(program),
            Some(cwd) => {
                let cwd = folder.join(fill(cwd)?);
                if !cwd.is_dir() {
                    return Err(format!("cwd {}: there is no such folder", cwd.display()));
                }
                // Where a relative program is looked for must not depend on it.
                let absolute = std::path::absolute(&program).unwrap_or_else(|_| program.clone());
                let bare = program.components().count() == 1 && !program.is_absolute();
                let mut prepared = Command::new(if bare { program } else { absolute });
                prepared.current_dir(cwd);
                prepared
            }
        };
        prepared.args(words).envs(env);
        for (name, value) in &command.env {
            prepared.env(name, fill(value)?);
        }
        let Some(file) = &command.stdin_file else {
            prepared.stdin(Stdio::piped());
            let text = command.stdin.as_ref().map(fill).transpose()?;
            return Ok((prepared, Some(text.unwrap_or_default())));
        };
        let file = folder.join(fill(file)?);
        let opened =
            File::open(&file).map_err(|error| format!("stdin_file {}: {error}", file.display()))?;
        prepared.stdin(opened);
        Ok((prepared, None))
    };
    let (mut prepared, input) = match prepared() {
        Ok(prepared) => prepared,
        Err(message) => return Came::error("command_not_started", message),
    };
    prepared.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = match Process::start(&mut prepared) {
        Ok(process) => process,
        Err(error) => {
            let program = &command.argv[0];
            return Came::error("command_not_started", format!("cannot start {program}: {error}"));
        }
    };
    let child = process.child();
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A command that does not read its input must not hold us up.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let stdout = child.stdout.take().map(gather);
    let stderr = child.stderr.take().map(gather);

    let start = Instant::now();
    let end = loop {
        if interrupts.stop() {
            process.stop(Signal::SIGTERM, GRACE, || interrupts.kill());
            return Came::interrupted();
        }
        if let Some(end) = process.ended() {
            break Some(end);
        }
        if start.elapsed() >= timeout {
            break None;
        }
        interrupts.sleep(look_again_in(start));
    };
    let over = Stamp::now();
    // What the command left running is ended too.
    process.stop(Signal::SIGTERM, GRACE, || interrupts.kill());
    let printed = |gathered: Option<Gathered>| gathered.map(|g| g.text()).unwrap_or_default();
    let mut observed = Observed {
        exit: end.and_then(|end| end.exit),
        stdout: Some(printed(stdout)),
        stderr: Some(printed(stderr)),
        ..Observed::default()
    };
    let error = end.is_none().then(|| ErrorInfo {
        kind: "timeout".to_owned(),
        message: format!("the command did not end within {}", humantime::format_duration(timeout)),
        log_tail: observed.stderr.as_deref().map(last_lines).filter(|lines| !lines.is_empty()),
        ..ErrorInfo::default()
    });
    observed.text.clone_from(&observed.stdout);
    Came { observed, error, end: Some(over), ..Came::default() }
}

fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..]
        .iter()
        .map(|line| pipe::printable(line).into_owned())
        .collect()
}

/// What is being read from a command on a thread of its own.
struct Gathered {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

fn gather(mut source: impl Read + Send + 'static) -> Gathered {
    let (at_end, ended) = mpsc::channel::<()>();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&kept);
    thread::spawn(move || {
        // Dropped when the reading ends, which wakes whoever waits for it.
        let _at_end = at_end;
        let mut buffer = [0; 16 << 10];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    let mut kept = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = MAX_OUTPUT - kept.len();
                    kept.extend_from_slice(&buffer[..n.min(room)]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    Gathered { kept, ended }
}

impl Gathered {
    /// What was printed, to its end; or, where somebody outlives the command and holds
    /// its output open, what there is after a while.
    fn text(self) -> String {
        let _ = self.ended.recv_timeout(DRAIN);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        path::Path,
        time::{Duration, Instant},
    };

    use super::{Around, Came, run};
    use crate::{
        interrupt::Interrupts,
        suite::{CommandDef, Places},
    };

    fn came(text: &str, timeout: Duration) -> Came {
        let command: CommandDef = toml::from_str(text).unwrap();
        let places = Places::from([("model.id", "a b".to_owned())]);
        let (env, folder) = (BTreeMap::new(), Path::new(""));
        let around = Around { places: &places, env: &env, folder, timeout };
        run(&command, &around, &Interrupts::default())
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn words_are_passed_on_whole_without_a_shell() {
        let came = came("argv = ['printf', '%s|', '{model.id}', '$HOME;']", LONG);
        assert_eq!(came.observed.stdout.as_deref(), Some("a b|$HOME;|"));
        assert_eq!((came.observed.exit, came.error), (Some(0), None));
    }

    #[test]
    fn input_output_and_exit_code_are_kept_apart() {
        let came = came("argv = ['sh', '-c', 'cat; echo oops >&2; exit 3']\nstdin = 'in'", LONG);
        assert_eq!(came.observed.stdout.as_deref(), Some("in"));
        assert_eq!(came.observed.stderr.as_deref(), Some("oops\n"));
        assert_eq!(came.observed.exit, Some(3));
    }

    #[test]
    fn a_command_that_does_not_exist_or_never_ends_is_an_error() {
        let error = came("argv = ['no-such-program']", LONG).error.unwrap();
        assert_eq!(error.kind, "command_not_started");
        let start = Instant::now();
        let error = came("argv = ['sleep', '60']", Duration::from_millis(100)).error.unwrap();
        assert_eq!(
            (error.kind.as_str(), error.message.as_str()),
            ("timeout", "the command did not end within 100ms")
        );
        assert!(start.elapsed() < Duration::from_secs(10));
        let error = came("argv = ['cat']\nstdin_file = 'no.txt'", LONG).error.unwrap();
        assert!(error.message.starts_with("stdin_file no.txt: "), "{}", error.message);
        let error = came("argv = ['pwd']\ncwd = 'nowhere'", LONG).error.unwrap();
        assert_eq!(error.message, "cwd nowhere: there is no such folder");
    }

    #[test]
    fn what_was_printed_is_kept_when_somebody_outlives_the_command() {
        let came = came("argv = ['sh', '-c', 'echo hello; setsid sleep 5 & exit 0']", LONG);
        assert_eq!(came.observed.stdout.as_deref(), Some("hello\n"));
        assert_eq!((came.observed.exit, came.error), (Some(0), None));
    }

    #[test]
    fn a_command_that_prints_without_end_takes_bounded_memory() {
        let came = came("argv = ['sh', '-c', 'yes | head -c 20000000']", LONG);
        assert_eq!(came.observed.stdout.unwrap().len(), super::MAX_OUTPUT);
        assert_eq!(came.observed.exit, Some(0));
    }
}
