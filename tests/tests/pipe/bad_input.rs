//! Bad input, for each filter: one clear line, the documented exit code, and nothing
//! lost of what could be read.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

use crate::tools::{demo, stderr, tool};

const FILTERS: [&str; 4] = ["correlate", "reportgen", "memplot", "validate"];

/// A filter that writes to standard output.
fn filter(name: &str) -> Command {
    let mut command = tool(name);
    if name == "memplot" {
        command.args(["-o", "-"]);
    }
    command
}

fn fed(name: &str, input: &[u8]) -> Output {
    testing::fed(&mut filter(name), input)
}

#[test]
fn empty_input_is_no_error() {
    for name in FILTERS {
        let output = fed(name, b"");
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    }
}

#[test]
fn text_goes_to_standard_error_and_is_not_fatal() {
    for name in FILTERS {
        let output = fed(name, b"loading model\nready\n");
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains("loading model"), "{name}: {}", stderr(&output));
    }
}

#[test]
fn a_line_cut_in_half_is_named_and_the_rest_survives() {
    let demo = demo();
    let mut bytes = fs::read(demo.path("run.jsonl")).unwrap();
    bytes.truncate(bytes.len() - 100);
    let number = bytes.split(|b| *b == b'\n').count();
    for name in FILTERS {
        let output = fed(name, &bytes);
        // For validate a bad line is what it is asked for, and goes to standard output.
        let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
        let place = format!("standard input:{number}: ");
        assert!(said.contains(&place), "{name} should name {place}: {said}");
        assert!(said.contains("cut off"), "{name}: {said}");
        assert!(!output.stdout.is_empty() || name == "validate", "{name} lost the rest");

        let mut strict = filter(name);
        let cut = demo.path("cut.jsonl");
        fs::write(&cut, &bytes).unwrap();
        let output = strict.arg("--strict").arg(&cut).output().unwrap();
        assert_eq!(output.status.code(), Some(65), "{name} --strict: {}", stderr(&output));
    }
}

#[test]
fn a_missing_file_is_66_and_an_unknown_flag_2_in_one_line() {
    for name in FILTERS {
        for (argument, code, what) in
            [("no-such.jsonl", 66, "no-such.jsonl"), ("--no-such-flag", 2, "--no-such-flag")]
        {
            let output = tool(name).arg(argument).output().unwrap();
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(code), "{name}: {said}");
            assert!(said.starts_with(&format!("{name}: ")) && said.contains(what), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}

#[test]
fn a_closed_output_ends_a_filter_quietly() {
    let demo = demo();
    // Long enough that a pipe does not hold it all.
    let input: Vec<u8> = fs::read(demo.path("run.jsonl")).unwrap().repeat(40);
    let big = demo.path("big.jsonl");
    fs::write(&big, input).unwrap();
    for name in ["correlate", "memplot"] {
        let mut child =
            filter(name).arg(&big).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = Vec::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap())
            .read_until(b'\n', &mut first)
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{name}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_74() {
    let demo = demo();
    for name in ["correlate", "reportgen", "memplot"] {
        for output in ["/nonexistent/out", "/dev/full"] {
            let result =
                tool(name).arg(demo.path("run.jsonl")).args(["-o", output]).output().unwrap();
            assert_eq!(result.status.code(), Some(74), "{name} -o {output}: {}", stderr(&result));
        }
    }
}
