//! What is read fast, on all cores, against the full parse of every line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, process::Command};

use correlate::{Fate, Join};
use proptest::prelude::*;
use records::{LineKind, classify};

/// Ways in which a sampler's line may surprise.
fn surprise(line: String, how: u8) -> String {
    match how {
        0 => line.replace(':', ": ").replace(',', ", "),
        1 => line.replace("\"load_1\":", "\"load_1\":NaN,\"x\":"),
        2 => line.replace("\"load_1\":", "\"load_1\":1e0,\"y\":"),
        3 => line.replace("\"run\":\"r\"", "\"run\":\"r2\""),
        4 => line.replace("\"seq\":", "\"seq\":-"),
        5 => line[..line.len() / 2].to_owned(),
        6 => format!("{line}\r"),
        7 => format!("{line}\n\nsome text\n{{\"mine\":1}}"),
        8 => line.replace("load_1", "l\\u006fad_1"),
        9 => line.replace("\"v\":1", "\"v\":9"),
        10 => line.replace("\"ts\":", "\"zombies\":7,\"ts\":"),
        // A clock that is set, and set back.
        11 => line.replace("\"ts\":1", "\"ts\":2"),
        12 => line.replace("\"ts\":1", "\"ts\":"),
        _ => line,
    }
}

/// A stream of tests over samples.
fn stream(count: usize, surprises: &[(prop::sample::Index, u8)], tests: &[(u16, u16)]) -> Vec<u8> {
    let mut lines = vec![
        r#"{"record":"stream","v":1,"ts":100,"run":"r","host":"h","interval_ms":200}"#.to_owned(),
        r#"{"record":"run_start","v":1,"ts":100,"run":"r","host":"h"}"#.to_owned(),
    ];
    let first = lines.len();
    for seq in 0..count {
        let ts = 100.0 + seq as f64 / 5.0;
        let load = (seq * 7919 % 1000) as f64 / 100.0;
        lines.push(format!(
            r#"{{"record":"sample","v":1,"ts":{ts},"run":"r","host":"h","seq":{seq},"elapsed_s":0.2,"load_1":{load},"cpu_user":{}}}"#,
            load * 10.0
        ));
    }
    for (place, how) in surprises {
        let at = first + place.index(count);
        lines[at] = surprise(std::mem::take(&mut lines[at]), *how);
    }
    // Behind the first sample after their end, or up to four samples earlier.
    let mut tests: Vec<(usize, String)> = tests
        .iter()
        .enumerate()
        .map(|(id, (start, length))| {
            let start = 100.0 + f64::from(*start % 700) / 10.0;
            let end = start + f64::from(*length % 300) / 10.0;
            let after = ((end - 100.0) * 5.0) as usize + 1;
            let after = after.saturating_sub(usize::from(*length % 5)).min(count);
            (first + after, format!(
                r#"{{"record":"test","v":1,"ts":{start},"run":"r","host":"h","id":"t{id}","outcome":"passed","end_ts":{end}}}"#
            ))
        })
        .collect();
    tests.sort_by_key(|(after, _)| std::cmp::Reverse(*after));
    for (after, line) in tests {
        lines.insert(after, line);
    }
    (lines.join("\n") + "\n").into_bytes()
}

/// The lines that leave, by a full parse of each; sorted, for a joined one may leave
/// somewhat earlier or later.
fn in_full(input: &[u8]) -> Vec<Vec<u8>> {
    let mut join = Join::new(1);
    let mut out = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let kind = classify(line);
        if matches!(kind, LineKind::Blank | LineKind::Text | LineKind::Broken(_)) {
            continue;
        }
        if join.push(line, &kind, 0).unwrap_or(Fate::PassOn) == Fate::PassOn {
            out.push(line.to_vec());
        }
    }
    join.finish();
    out.extend(std::iter::from_fn(|| join.next_joined()).map(|(_, line)| line));
    out.extend(join.findings());
    out.sort();
    out
}

/// The lines that leave the tool; sorted, too.
fn by_the_tool(input: &[u8]) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    fs::write(&path, input).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_correlate")).arg(&path).output().unwrap();
    assert!(output.status.success());
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
    lines.sort();
    lines
}

#[test]
fn a_load_is_told_by_what_was_here_when_it_was_joined() {
    // The first sample after it lacks the memory that the next one has, which came with it.
    let input = r#"{"record":"stream","v":1,"ts":100,"run":"r","host":"h","interval_ms":200}
{"record":"run_start","v":1,"ts":100,"run":"r","host":"h"}
{"record":"sample","v":1,"ts":100,"run":"r","host":"h","seq":0,"elapsed_s":0,"ram_free_gb":5.0}
{"record":"span","v":1,"ts":100,"run":"r","host":"h","phase":"load","params":{"model":"m"},"end_ts":100.1}
{"record":"sample","v":1,"ts":100.2,"run":"r","host":"h","seq":1,"elapsed_s":0.2,"load_1":1.0}
{"record":"sample","v":1,"ts":100.4,"run":"r","host":"h","seq":2,"elapsed_s":0.4,"ram_free_gb":4.0}
"#;
    assert_eq!(by_the_tool(input.as_bytes()), in_full(input.as_bytes()));
}

#[test]
fn what_was_joined_does_not_depend_on_what_came_in_the_same_read() {
    // A clock is set back: by the first sample the test is over, the second lies inside.
    for second in [1, 3] {
        let input = format!(
            r#"{{"record":"stream","v":1,"ts":100,"run":"r","host":"h","interval_ms":200}}
{{"record":"test","v":1,"ts":100.1,"run":"r","host":"h","id":"t","outcome":"passed","end_ts":100.3}}
{{"record":"sample","v":1,"ts":115.1,"run":"r","host":"h","seq":0,"elapsed_s":0.2,"load_1":1}}
{{"record":"sample","v":1,"ts":100.2,"run":"r","host":"h","seq":{second},"elapsed_s":0.4,"load_1":2}}
"#
        );
        assert_eq!(by_the_tool(input.as_bytes()), in_full(input.as_bytes()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_tool_gives_what_a_full_parse_of_every_line_gives(
        count in 50usize..500,
        surprises in prop::collection::vec((any::<prop::sample::Index>(), 0u8..14), 0..8),
        tests in prop::collection::vec(any::<(u16, u16)>(), 0..12),
    ) {
        let input = stream(count, &surprises, &tests);
        prop_assert_eq!(by_the_tool(&input), in_full(&input));
    }
}
