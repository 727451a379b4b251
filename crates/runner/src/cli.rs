//! The command line.

use std::{fs::File, io, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use pipe::{Error, Writer, cli::not_yet};

use crate::{
    exit,
    interrupt::Interrupts,
    journal::Form,
    last::Last,
    plan::plan,
    resume::Kept,
    run::{Options, run},
    select::{Expression, Selection, by_last},
    suite::{self, Retries, Suite, within_reason},
};

const EXAMPLES: &str = "\
Examples:
  runner suite.toml                        run everything; results are JSON lines on stdout
  runner --collect-only suite.toml         list the ids that would run
  runner suite.toml::chat                  one case on every backend and model
  runner 'suite.toml::chat[llama,smollm2]' one cell
  runner -k 'chat and not vision' -m smoke suite.toml
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
    /// A suite in TOML, or one case of it, or one cell of the case
    #[arg(value_name = "SUITE[::CASE[params]]", required = true, value_parser = NonEmptyStringValueParser::new())]
    suites: Vec<String>,

    /// Run only cells whose id contains the words of EXPR (and, or, not, brackets)
    #[arg(short = 'k', value_name = "EXPR", value_parser = Expression::parse)]
    keywords: Option<Expression>,

    /// Run only cases with the marks of EXPR (and, or, not, brackets)
    #[arg(short = 'm', value_name = "EXPR", value_parser = Expression::parse)]
    marks: Option<Expression>,

    /// Print the ids of what would run, one a line, and run nothing
    #[arg(long)]
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
    #[arg(long, value_name = "N")]
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

    /// Write the lines of another tool's schema instead of our records
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with = "resume")]
    emit: Option<Emit>,

    /// Folder for the logs of backends and for what is remembered of the last run
    #[arg(long, value_name = "DIR", default_value = ".runner")]
    state_dir: PathBuf,

    /// Write results to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,

    #[arg(long, hide = true, value_parser = not_yet)]
    repeat: Option<String>,
    #[arg(long, hide = true, value_parser = not_yet)]
    shard: Option<String>,
    #[arg(long, hide = true, value_parser = not_yet)]
    model: Option<String>,
    #[arg(long, hide = true, value_parser = not_yet)]
    backend: Option<String>,
    #[arg(long, hide = true, value_parser = not_yet)]
    profile: Option<String>,
    #[arg(long, hide = true, value_parser = not_yet)]
    requests: Option<String>,
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
    time.and_then(within_reason)
}

/// Does what the command line asks for, and returns the exit code.
///
/// # Errors
///
/// When the suite is wrong, or results cannot be written.
pub fn execute(args: Args) -> Result<u8, Error> {
    let (file, ids) = targets(&args.suites)?;
    let suite = suite::load(&file).map_err(|error| Error::Usage(error.to_string()))?;
    let selection = Selection { keywords: args.keywords, marks: args.marks, ids };
    if let Some(id) = unknown_id(&suite, &selection) {
        return Err(Error::Usage(format!("{file}::{id}: there is no such case")));
    }
    let mut groups = plan(&suite, &selection);
    if args.lf || args.ff {
        let last = Last::open(&args.state_dir, &suite.name);
        groups = by_last(groups, last.failed(), args.lf);
    }
    if groups.is_empty() {
        pipe::cli::complain("runner", &format!("{file}: nothing is selected"));
        return Ok(exit::NOTHING);
    }
    let kept = args.resume.map(|file| Kept::read(&file, &suite.name)).transpose()?;
    // Only now: an output that is made anew loses what it held.
    pipe::refuse_input_as_output(args.output.as_deref(), std::slice::from_ref(&file))?;
    let (mut writer, kept) = output(args.output.as_deref(), kept)?;
    if args.collect_only {
        for cell in groups.iter().flat_map(|group| &group.cells) {
            writer.line(cell.id.as_bytes())?;
        }
        writer.flush()?;
        return Ok(exit::PASSED);
    }
    let interrupts =
        Interrupts::listen().map_err(|error| Error::write("signal handlers", error))?;
    let options = Options {
        max_failures: if args.exit_first { Some(1) } else { args.maxfail },
        timeout: args.timeout,
        retries: args.retries.map(Retries::times),
        state: args.state_dir,
        run: std::env::var(pipe::RUN_VARIABLE).ok().filter(|run| !run.is_empty()),
        kept,
        form: args.emit.map_or(Form::Records, |Emit::MlxKnife| Form::MlxKnife),
        junit: args.junitxml,
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

/// The first id of `selection` that no cell of the suite has.
fn unknown_id(suite: &Suite, selection: &Selection) -> Option<String> {
    let unknown = |id: &&String| {
        let alone = Selection { ids: vec![(*id).clone()], ..Selection::default() };
        plan(suite, &alone).is_empty()
    };
    selection.ids.iter().find(unknown).cloned()
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
        assert!(time("-1").is_err() && time("soon").is_err() && time("1e19").is_err());
    }
}
