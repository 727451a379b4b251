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
    // Behind the sample that was last when they ended.
    let mut tests: Vec<(usize, String)> = tests
        .iter()
        .enumerate()
        .map(|(id, (start, length))| {
            let start = 100.0 + f64::from(*start % 700) / 10.0;
            let end = start + f64::from(*length % 300) / 10.0;
            let after = (((end - 100.0) * 5.0) as usize + 1).min(count);
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
    out.sort();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_tool_gives_what_a_full_parse_of_every_line_gives(
        count in 50usize..500,
        surprises in prop::collection::vec((any::<prop::sample::Index>(), 0u8..12), 0..8),
        tests in prop::collection::vec(any::<(u16, u16)>(), 0..12),
    ) {
        let input = stream(count, &surprises, &tests);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        fs::write(&path, &input).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_correlate")).arg(&path).output().unwrap();
        prop_assert!(output.status.success());
        let mut lines: Vec<Vec<u8>> =
            output.stdout.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        let lines: Vec<Vec<u8>> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        prop_assert_eq!(lines, in_full(&input));
    }
}
