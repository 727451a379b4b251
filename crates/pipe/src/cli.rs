//! The frame of every `main`: parse, call, exit.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::{
    Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, ValueHint,
    builder::EnumValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use clap_complete::Shell;

use crate::{Error, exit, man};

/// How a tool differs from the others in its frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The tool's name, which begins every message.
    pub tool: &'static str,
    /// The exit code for a command line that cannot be understood.
    pub usage: u8,
    /// Whether it is a filter, which ends quietly with 0 when its reader goes away.
    /// Others have lost results then, and say so.
    pub filter: bool,
}

impl Frame {
    /// The frame of a filter.
    #[must_use]
    pub const fn new(tool: &'static str) -> Frame {
        Frame { tool, usage: exit::USAGE, filter: true }
    }

    /// Parses the command line into an `A`, hands it to `run` and makes its result
    /// the exit code. Errors become one line on standard error.
    pub fn main<A, R>(self, run: R) -> ExitCode
    where
        A: CommandFactory + FromArgMatches,
        R: FnOnce(A) -> Result<u8, Error>,
    {
        let args = match self.parse::<A>(std::env::args_os()) {
            Ok(Some(args)) => args,
            Ok(None) => return ExitCode::from(exit::DONE),
            Err(message) => {
                complain(self.tool, &message);
                return ExitCode::from(self.usage);
            }
        };
        match run(args) {
            Ok(code) => ExitCode::from(code),
            Err(error) if self.filter && error.is_broken_pipe() => ExitCode::from(exit::DONE),
            Err(error) => {
                complain(self.tool, &error.to_string());
                ExitCode::from(match error {
                    Error::Usage(_) => self.usage,
                    other => other.exit_code(),
                })
            }
        }
    }

    /// The arguments; nothing when help, the version, completions or the manual page
    /// were asked for and printed; one line of text when they cannot be understood.
    fn parse<A>(self, argv: impl Iterator<Item = OsString>) -> Result<Option<A>, String>
    where
        A: CommandFactory + FromArgMatches,
    {
        let mut command = with_common(A::command());
        let matches: ArgMatches = match command.try_get_matches_from_mut(argv) {
            Ok(matches) => matches,
            Err(error) if !error.use_stderr() => {
                // Help and version go to standard output; a closed one is no error.
                let _ = error.print();
                return Ok(None);
            }
            Err(error) => return Err(one_line(&error, self.tool)),
        };
        if let Some(shell) = matches.get_one::<Shell>("completions") {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, self.tool, &mut script);
            let _ = io::stdout().write_all(&script);
            return Ok(None);
        }
        if matches.get_flag("man") {
            let _ = io::stdout().write_all(&man::page(command));
            return Ok(None);
        }
        A::from_arg_matches(&matches).map(Some).map_err(|error| one_line(&error, self.tool))
    }
}

/// Prints `tool: message` for people.
pub fn complain(tool: &str, message: &str) {
    // In one line and without what steers a terminal, whatever names are in it.
    let message = message.replace('\n', " ");
    let _ = writeln!(io::stderr().lock(), "{tool}: {}", crate::printable(&message));
}

/// A value parser for options of the contract that a later version brings.
///
/// # Errors
///
/// Always: an option that would be accepted and ignored would be a lie.
pub fn not_yet(_: &str) -> Result<String, String> {
    Err("not in this version yet".to_owned())
}

/// `command` with the options that every tool has.
fn with_common(command: Command) -> Command {
    let completions = Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .help("Print a completion script for SHELL and exit")
        .value_parser(EnumValueParser::<Shell>::new())
        .value_hint(ValueHint::Other)
        .exclusive(true);
    // For whoever packages or installs: `memmon --man > memmon.1`.
    let man = Arg::new("man")
        .long("man")
        .help("Print the manual page and exit")
        .action(ArgAction::SetTrue)
        .hide(true)
        .exclusive(true);
    command.args([completions, man])
}

/// clap's message in one line, with its suggestion.
fn one_line(error: &clap::Error, tool: &str) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let mut message = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let missing: Vec<&str> =
            text.lines().skip(1).take_while(|line| !line.is_empty()).map(str::trim).collect();
        message = format!("missing argument: {}", missing.join(" "));
    }
    if let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue)
        && !known.is_empty()
    {
        message.push_str(&format!(" (known: {})", known.join(", ")));
    }
    let suggestions =
        [ContextKind::SuggestedArg, ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand];
    for (_, value) in error.context().filter(|(kind, _)| suggestions.contains(kind)) {
        let near = match value {
            ContextValue::String(text) => text.clone(),
            ContextValue::Strings(all) => all.join(", "),
            _ => continue,
        };
        message.push_str(&format!(": did you mean {near}?"));
    }
    format!("{message} (see {tool} --help)")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Frame;

    #[derive(Debug, Parser)]
    #[command(name = "mytool")]
    struct Args {
        #[arg(long)]
        interval: Option<u32>,
        #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = super::not_yet)]
        later: Option<String>,
        file: Option<String>,
    }

    fn message(argv: &[&str]) -> String {
        let argv = argv.iter().map(Into::into);
        Frame::new("mytool").parse::<Args>(argv).unwrap_err()
    }

    #[test]
    fn an_unknown_option_is_one_line_with_a_suggestion() {
        assert_eq!(
            message(&["mytool", "--intervall", "3"]),
            "unexpected argument '--intervall' found: did you mean --interval? (see mytool --help)"
        );
    }

    #[test]
    fn an_option_of_a_later_version_is_refused_and_not_ignored() {
        for argv in [&["mytool", "--later"][..], &["mytool", "--later=x"]] {
            assert!(message(argv).contains("not in this version yet"), "{}", message(argv));
        }
    }

    #[test]
    fn good_arguments_come_through() {
        let argv = ["mytool", "--interval", "5", "a.jsonl"].iter().map(Into::into);
        let args = Frame::new("mytool").parse::<Args>(argv).unwrap().unwrap();
        assert_eq!((args.interval, args.file.as_deref()), (Some(5), Some("a.jsonl")));
        assert!(args.later.is_none());
    }
}
