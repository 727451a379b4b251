//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueHint};

use crate::{emit::Emit, serve};

const EXAMPLES: &str = "\
Examples:
  memmon -- runner suite.toml | correlate | reportgen > report.md
      Samples and results in one stream, joined and reported.
  memmon -o samples.jsonl -- pytest tests/
      Leave the command's output alone and write the samples to a file.
  memmon -d 60 -i 1000 > idle.jsonl
      The machine by itself: one minute, one sample a second.
  memmon --pid 4711 -o server.jsonl
      Watch a server that runs already, until it ends.
  memmon --emit mlx-knife -o memory.jsonl -- pytest -m wet
      Samples as mlx-knife's own sampler writes them.
  memmon --prometheus 9090 -o /dev/null -- ollama serve
      The last sample at http://127.0.0.1:9090/metrics and /json.
  memmon | tee run.jsonl | jq -c 'select(.record == \"sample\") | .ram_free_gb'
      Until Ctrl-C.
  memmon --doctor
      What can be measured on this machine, and why the rest cannot.

Output:
  JSON lines: `stream` first, then samples, `summary` last. Without -o the lines
  of COMMAND that are JSON objects go between them, whole and unchanged; its
  other lines go to standard error. COMMAND finds the run's id in MEMMON_RUN. What
  its background processes print after its end is awaited until they are silent for
  0.3 seconds, and for 5 seconds at most.
  What cannot be measured here is absent, and `stream` says why. Samples keep to
  a fixed grid in time; one that came too late is left out and counted as missed.
  Sleep of the machine and a clock that was set are written as `anomaly`.
  What is slow to read (zombies, shared memory divided among its users) is read
  once a second, and less often where that would take over 2 % of the time.

Signals:
  Ctrl-C goes to COMMAND, as the terminal sends it; memmon waits for its end and
  writes the summary. TERM, HUP, USR1 and USR2 are passed on to COMMAND, and so are
  INT and QUIT when a process sent them (Linux). Ctrl-Z and fg stop and continue
  both. After a second TERM, COMMAND is killed if it has not ended within 5 seconds.
  Without COMMAND, the first of INT, TERM and HUP ends the sampling, a second memmon.
  KILL ends memmon alone: COMMAND runs on. Without -o nobody reads its standard
  output then, and it gets a PIPE when it writes to it.

Exit codes:
  that of COMMAND; 128 + n when signal n ended it; 127 COMMAND was not found;
  126 it cannot be executed; 125 memmon itself failed; 2 usage; 0 without COMMAND.
  When the reader of standard output goes away, or the disk is full, COMMAND
  runs on to its end all the same, and its exit code counts.";

/// Sample the machine's memory, CPU and GPU while a command runs
///
/// Starts COMMAND and reads the machine at a fixed interval until it ends: memory,
/// swap, memory pressure, load, CPU, GPUs, the control group, and the processes
/// that COMMAND started. Without COMMAND it reads until Ctrl-C, or for SECS.
#[derive(Debug, Parser)]
#[command(name = "memmon", version, override_usage = "memmon [OPTIONS] [-- COMMAND…]", max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// Time between samples in whole milliseconds, 1 to 60000
    #[arg(short, long, value_name = "MS", default_value = "200", value_parser = interval)]
    pub interval: Duration,

    /// Stop sampling after SECS seconds; COMMAND, if any, runs on to its end
    #[arg(short, long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,

    /// Write to FILE and leave the standard output to COMMAND
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<String>,

    /// Watch the process PID and all below it, and end with it
    #[arg(long, value_name = "PID", conflicts_with = "command",
          value_parser = clap::value_parser!(i32).range(1..))]
    pub pid: Option<i32>,

    /// Show what can be measured here, with values, and what cannot, with reasons
    #[arg(long, conflicts_with_all = ["command", "pid", "dump", "output", "duration", "interval",
          "emit", "prometheus"])]
    pub doctor: bool,

    /// With --doctor: look at what --dump saved in DIR, on whichever machine
    #[arg(long, value_name = "DIR", requires = "doctor", value_hint = ValueHint::DirPath)]
    pub replay: Option<PathBuf>,

    /// Save the files that are read here in the new folder DIR, to be sent with a report
    ///
    /// Two moments half a second apart, and manifest.json. Names of the host, of users,
    /// programs and control groups, command lines and environments are left out.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath,
          conflicts_with_all = ["command", "pid", "output", "duration", "interval", "emit",
          "prometheus"])]
    pub dump: Option<PathBuf>,

    /// Layout of memmon's own lines: records, or mlx-knife, whose tools want them in a file (-o)
    #[arg(
        long,
        value_name = "LAYOUT",
        default_value = "records",
        value_enum,
        hide_possible_values = true
    )]
    pub emit: Emit,

    /// Serve the last sample at ADDR:PORT, as /metrics and /json; PORT alone is on this machine only
    #[arg(long, value_name = "ADDR:PORT", value_parser = serve::address)]
    pub prometheus: Option<SocketAddr>,

    /// The command to run, with its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

impl Args {
    /// Whether there is a command to run.
    pub(crate) fn wraps(&self) -> bool {
        !self.command.is_empty()
    }

    /// The file to write to; `-` is standard output, as is none.
    pub(crate) fn file(&self) -> Option<&str> {
        self.output.as_deref().filter(|path| *path != "-")
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(ms @ 1..=60_000) => Ok(Duration::from_millis(ms)),
        Ok(_) => Err("from 1 to 60000 milliseconds".to_owned()),
        Err(_) => Err("a whole number of milliseconds is wanted".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("a number of seconds above 0 is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::{CommandFactory, Parser, error::ErrorKind};

    use super::Args;

    fn parse(argv: &[&str]) -> Result<Args, ErrorKind> {
        Args::try_parse_from([&["memmon"], argv].concat()).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn everything_after_the_command_belongs_to_the_command() {
        let with_dashes = parse(&["-i", "50", "--", "ls", "-i", "--pid", "--", "x"]).unwrap();
        assert_eq!(with_dashes.command, ["ls", "-i", "--pid", "--", "x"]);
        assert_eq!(with_dashes.interval, Duration::from_millis(50));
        let without = parse(&["ls", "-i", "--pid"]).unwrap();
        assert_eq!(without.command, ["ls", "-i", "--pid"]);
        assert_eq!(without.interval, Duration::from_millis(200));
    }

    #[test]
    fn an_unknown_option_is_not_taken_for_the_command() {
        assert_eq!(parse(&["--intervall", "3"]).unwrap_err(), ErrorKind::UnknownArgument);
    }

    #[test]
    fn a_process_and_a_command_exclude_each_other() {
        assert_eq!(parse(&["--pid", "1", "--", "ls"]).unwrap_err(), ErrorKind::ArgumentConflict);
        assert_eq!(parse(&["--pid", "0"]).unwrap_err(), ErrorKind::ValueValidation);
    }

    #[test]
    fn intervals_are_whole_milliseconds_and_durations_are_above_zero() {
        for bad in ["0", "60001", "0.5", "200ms", "-1", "1e3", ""] {
            assert!(parse(&[&format!("-i{bad}")]).is_err(), "-i {bad}");
        }
        for bad in ["0", "-1", "nan", "inf", "1e300", "5s", ""] {
            assert!(parse(&[&format!("-d{bad}")]).is_err(), "-d {bad}");
        }
        assert_eq!(parse(&["-d", "0.5"]).unwrap().duration, Some(Duration::from_millis(500)));
    }
}
