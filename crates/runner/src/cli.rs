//! The command line.

use std::{collections::BTreeSet, fs::File, io, io::Write as _, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use pipe::{Error, Writer};

use crate::{
    case, collect, exit,
    interrupt::Interrupts,
    journal::Form,
    last::Last,
    outputs::Outputs,
    plan::{self, Host, On, plan},
    resume::Kept,
    run::{Options, run},
    select::{Named, SelectArgs, Selection, by_last},
    suite::{self, MOST_RETRIES, Retries, Suite, SuiteErrors, within_reason},
};

const EXAMPLES: &str = "\
Examples:
  runner suite.toml                        run everything; results are JSON lines on stdout
  runner --collect-only suite.toml         list the ids that would run
  runner suite.toml::chat                  one case on every backend and model
  runner 'suite.toml::chat[llama,smollm2]' one cell
  runner -k 'chat and not vision' -m smoke suite.toml
  runner --backend llama --model 'qwen*' --repeat 5 suite.toml
  runner --shard 2/4 suite.toml            the second quarter of it
  memmon -- runner suite.toml | correlate | reportgen > report.md

Exit codes:
  0 all passed, skipped or xfailed   1 something failed or erred
  2 interrupted, after teardown      3 internal error
  4 usage or suite                   5 nothing selected
  74 results cannot be written";

/// Run suites of cases over backends × models; write results as JSON lines.
#[derive(Debug, Parser)]
#[command(name = "runner", version, after_help = EXAMPLES)]
pub struct Args {
    /// A suite in TOML (- is standard input), or one case of it, or one cell of the case
    #[arg(value_name = "SUITE[::CASE[params]]", required = true, value_parser = NonEmptyStringValueParser::new())]
    suites: Vec<String>,

    #[command(flatten)]
    select: SelectArgs,

    /// Print the ids of what would run, one a line, and run nothing
    #[arg(long, conflicts_with = "resume")]
    collect_only: bool,

    /// Stop after the first case that fails or errs
    #[arg(short = 'x', long = "exitfirst", conflicts_with = "maxfail")]
    exit_first: bool,

    /// Stop after N cases that failed or erred
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    maxfail: Option<u64>,

    /// How long a case may take, whatever the suite says: seconds, or "2m 30s"
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,

    /// Try a case again that failed or erred, whatever the suite says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_RETRIES)))]
    retries: Option<u32>,

    /// Run only what failed or erred when it last ran; everything when nothing did
    #[arg(long, visible_alias = "last-failed", conflicts_with = "ff")]
    lf: bool,

    /// Run what failed or erred when it last ran before the rest
    #[arg(long, visible_alias = "failed-first")]
    ff: bool,

    /// Name the N slowest cases at the end; all for 0
    #[arg(long, value_name = "N")]
    durations: Option<usize>,

    /// Write a report in JUnit's XML too
    #[arg(long, value_name = "FILE")]
    junitxml: Option<PathBuf>,

    /// Continue the run whose results are in FILE: what has one there does not run again
    #[arg(long, value_name = "FILE")]
    resume: Option<String>,

    /// Write the answers of batches to FILE, as OpenAI's Batch interface does
    #[arg(long, value_name = "FILE")]
    requests: Option<String>,

    /// Write the lines of another tool's schema instead of our records
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with = "resume")]
    emit: Option<Emit>,

    /// Folder for the logs of backends and for what is remembered of the last run
    #[arg(long, value_name = "DIR", default_value = ".runner")]
    state_dir: PathBuf,

    /// Write results to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

/// Schemas of other tools.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Emit {
    /// mlx-knife's test reports, schema 0.2.2
    MlxKnife,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string()),
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string()),
    };
    match time.and_then(within_reason)? {
        Duration::ZERO => Err("that leaves no time at all".to_owned()),
        time => Ok(time),
    }
}

/// Does what the command line asks for, and returns the exit code.
///
/// # Errors
///
/// When the suite is wrong, or results cannot be written.
pub fn execute(args: Args) -> Result<u8, Error> {
    let (file, ids) = targets(&args.suites)?;
    let mut suite = read(&file)?;
    let asked = args.select.on(&mut suite, ids).map_err(Error::Usage)?;
    let host = Host::here(&suite.body);
    let mut groups = plan(&suite, &asked.selection, &host, &size_gb);
    if let Some(id) = unknown_id(&suite, &asked.selection, &host) {
        return Err(Error::Usage(format!("{file}::{id}")));
    }
    if groups.is_empty() {
        let hint = asked.selection.hint(&suite).map(|hint| format!(": {hint}"));
        let message = format!("{file}: nothing is selected{}", hint.unwrap_or_default());
        pipe::cli::complain("runner", &message);
        return Ok(exit::NOTHING);
    }
    if let Some(share) = asked.share {
        let (part, line) = plan::share(groups, share);
        say(&line);
        groups = part;
    }
    // Within the share: what failed last is another thing on each machine, and the shares
    // must be the same on all of them.
    if args.lf || args.ff {
        let last = Last::open(&args.state_dir, &suite.name);
        groups = by_last(groups, last.failed(), args.lf);
    }
    let kept = args.resume.map(|file| Kept::read(&file, &suite.name)).transpose()?;
    pipe::refuse_input_as_output(args.output.as_deref(), std::slice::from_ref(&file))?;
    if args.collect_only {
        let mut writer = Writer::create(args.output.as_deref())?;
        collect::ids(&groups, &mut writer)?;
        collect::outline(&suite.name, &groups).iter().for_each(|line| say(line));
        return Ok(exit::PASSED);
    }
    let outputs = Outputs {
        results: args.output.as_deref(),
        requests: args.requests.as_deref(),
        junit: args.junitxml.as_deref(),
        resumed: kept.as_ref().map(|kept| kept.file.as_str()),
    };
    outputs.check(&suite)?;
    // Only now: an output that is made anew loses what it held.
    let (writer, kept) = output(args.output.as_deref(), kept)?;
    let unset: BTreeSet<&str> =
        groups.iter().flat_map(|g| &g.cells).filter_map(|cell| cell.unset.as_deref()).collect();
    for message in unset {
        pipe::cli::complain("runner", &format!("{file}: {message}"));
    }
    let interrupts =
        Interrupts::listen().map_err(|error| Error::write("signal handlers", error))?;
    let max_failures = if args.exit_first { Some(1) } else { args.maxfail.or(asked.maxfail) };
    let options = Options {
        max_failures,
        timeout: args.timeout,
        retries: args.retries.map(Retries::times),
        state: args.state_dir,
        run: std::env::var(pipe::RUN_VARIABLE).ok().filter(|run| !run.is_empty()),
        kept,
        form: args.emit.map_or(Form::Records, |Emit::MlxKnife| Form::MlxKnife),
        junit: args.junitxml,
        requests: args.requests,
        durations: args.durations,
    };
    run(&suite, &groups, &options, writer, &interrupts)
}

/// The output: where it is the file whose run is continued, that file, to be added to.
fn output(path: Option<&str>, kept: Option<Kept>) -> Result<(Writer, Option<Kept>), Error> {
    let Some(mut kept) = kept else { return Ok((Writer::create(path)?, None)) };
    let input = std::slice::from_ref(&kept.file);
    kept.same_file = pipe::refuse_input_as_output(path, input).is_err();
    let writer = match path {
        Some(path) if kept.same_file => Writer::append(path)?,
        // The shell opened it for us, to be added to: half a line at its end stays one.
        None if kept.same_file && !ends_whole(&kept.file)? => {
            let mut writer = Writer::create(None)?;
            writer.lines(b"\n")?;
            writer
        }
        _ => Writer::create(path)?,
    };
    Ok((writer, Some(kept)))
}

/// Whether the last line of `file` has its newline.
fn ends_whole(file: &str) -> Result<bool, Error> {
    let look = || -> io::Result<bool> {
        let opened = File::open(file)?;
        Ok(pipe::whole_lines(&opened)? == opened.metadata()?.len())
    };
    look().map_err(|error| Error::Usage(format!("{file}: {error}")))
}

/// The suite in `file`. Of several things that are wrong with it, each has a line.
fn read(file: &str) -> Result<Suite, Error> {
    suite::load(file).map_err(|SuiteErrors(mut errors)| {
        let last = errors.pop().map(|error| error.to_string()).unwrap_or_default();
        for error in errors {
            pipe::cli::complain("runner", &error.to_string());
        }
        Error::Usage(last)
    })
}

/// How large a model is on the disk, where it lies there.
fn size_gb(on: &On<'_>) -> Option<f64> {
    case::model(on, on.file().as_deref()).size_gb
}

/// A line for people.
fn say(line: &str) {
    // Nobody reading it is no reason to stop.
    let _ = writeln!(anstream::stderr().lock(), "{}", pipe::printable(line));
}

/// What is wrong with the first id of `selection` that no cell of the suite has.
fn unknown_id(suite: &Suite, selection: &Selection, host: &Host) -> Option<String> {
    if selection.ids.is_empty() {
        return None;
    }
    let all = Selection { repeat: selection.repeat, ..Selection::default() };
    let groups = plan(suite, &all, host, &|_| None);
    let cells = groups.iter().flat_map(|group| &group.cells).map(|cell| {
        let id = cell.id.split_once("::").map_or(cell.id.as_str(), |(_, id)| id);
        Named { id, case: &cell.case.name }
    });
    let unknown = selection.ids.unknown(cells)?;
    let case = unknown.split('[').next().unwrap_or(unknown);
    let mut known: Vec<&str> = suite.body.case.iter().map(|c| c.get_ref().name.as_str()).collect();
    known.dedup();
    Some(if known.contains(&case) {
        format!("{unknown}: the case {case:?} has no such cell; see --collect-only")
    } else {
        format!("{unknown}: there is no such case{}", suite::suggestion(case, &known))
    })
}

/// The one file that all `FILE::CASE` name, and the cases.
fn targets(given: &[String]) -> Result<(String, Vec<String>), Error> {
    let mut files = Vec::new();
    let mut ids = Vec::new();
    let mut whole = false;
    for target in given {
        let (file, id) = match target.split_once("::") {
            Some((file, id)) => (file, Some(id)),
            None => (target.as_str(), None),
        };
        if !files.contains(&file) {
            files.push(file);
        }
        whole |= id.is_none();
        ids.extend(id.map(str::to_owned));
    }
    if let [_, second, ..] = files.as_slice() {
        return Err(Error::Usage(format!("{second}: one suite in a run; this is the second")));
    }
    if whole {
        ids.clear();
    }
    Ok((files.first().copied().unwrap_or_default().to_owned(), ids))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{targets, time};

    #[test]
    fn a_target_is_a_suite_or_a_case_of_it() {
        let of = |given: &[&str]| targets(&given.iter().map(|&t| t.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["s.toml"]).unwrap(), ("s.toml".into(), vec![]));
        assert_eq!(
            of(&["s.toml::a", "s.toml::b[x,y]"]).unwrap(),
            ("s.toml".into(), vec!["a".into(), "b[x,y]".into()])
        );
        assert_eq!(of(&["s.toml::a", "s.toml"]).unwrap().1, Vec::<String>::new());
        assert!(of(&["s.toml", "t.toml"]).is_err());
    }

    #[test]
    fn times_are_seconds_or_words() {
        assert_eq!(time("2.5"), Ok(Duration::from_millis(2500)));
        assert_eq!(time("2m 30s"), Ok(Duration::from_secs(150)));
        for wrong in ["-1", "soon", "1e19", "nan", "0", "1e-300", "0s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
