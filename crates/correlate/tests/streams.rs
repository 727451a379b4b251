//! Which samples a line gets, whatever the order in which lines arrive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use correlate::{Fate, Join};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

const BASE: f64 = 1_770_000_000.0;

fn at(seconds: f64) -> f64 {
    records::round(BASE + seconds, 6)
}

fn line(record: &str, run: &str, ts: f64, rest: Value) -> String {
    let mut line =
        json!({"record": record, "v": 1, "ts": at(ts), "run": run, "host": format!("host-{run}")});
    line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    line.to_string()
}

fn stream(run: &str) -> String {
    line("stream", run, 0.0, json!({"interval_ms": 200}))
}

fn sample(run: &str, seq: u32) -> String {
    let ts = f64::from(seq) * 0.2;
    let wave = f64::from(seq * 7919 % 1000) / 10.0;
    line(
        "sample",
        run,
        ts,
        json!({"seq": seq, "elapsed_s": ts, "ram_free_gb": wave, "cpu_user": wave / 2.0}),
    )
}

fn begin(run: &str, id: &str, model: &str, ts: f64) -> String {
    line("begin", run, ts, json!({"id": id, "params": {"backend": "b", "model": model}}))
}

fn test(run: &str, id: &str, model: &str, ts: f64, end: f64) -> String {
    line(
        "test",
        run,
        ts,
        json!({"id": id, "params": {"backend": "b", "model": model}, "outcome": "passed",
               "end_ts": at(end), "duration_s": records::round(end - ts, 6)}),
    )
}

fn load(run: &str, model: &str, ts: f64, end: f64) -> [(f64, String); 2] {
    let params = json!({"backend": "b", "model": model});
    let rest = json!({"phase": "load", "params": params, "end_ts": at(end), "duration_s": 1});
    [
        (ts, line("begin", run, ts, json!({"phase": "load", "params": params}))),
        (end, line("span", run, ts, rest)),
    ]
}

/// The lines of a run's runner, in the order in which they are written: two models,
/// one of them loaded twice, an attempt, tests at the same time, a repeated id, and
/// a skipped test.
fn runner(run: &str) -> Vec<(f64, String)> {
    let mut lines = vec![(0.05, line("run_start", run, 0.05, json!({})))];
    lines.extend(load(run, "m1", 0.1, 1.03));
    let attempt = json!({"id": "t1", "params": {"backend": "b", "model": "m1"}, "attempt": 1,
                         "outcome": "error", "end_ts": at(1.5), "duration_s": 0.4});
    lines.push((1.1, begin(run, "t1", "m1", 1.1)));
    lines.push((1.5, line("attempt", run, 1.1, attempt)));
    lines.push((3.4, test(run, "t1", "m1", 1.5, 3.4)));
    lines.push((3.5, begin(run, "t2", "m1", 3.5)));
    lines.push((3.6, begin(run, "t3", "m1", 3.6)));
    lines.push((3.7, test(run, "t3", "m1", 3.6, 3.7)));
    lines.push((4.0, test(run, "t2", "m1", 3.5, 4.0)));
    lines.extend(load(run, "m2", 4.2, 5.0));
    lines.push((5.0, test(run, "t4", "m2", 5.0, 5.0).replace("passed", "skipped")));
    lines.push((5.1, begin(run, "t5", "m2", 5.1)));
    lines.push((7.3, test(run, "t5", "m2", 5.1, 7.3)));
    lines.extend(load(run, "m1", 7.4, 7.9));
    lines.push((8.0, begin(run, "t2", "m1", 8.0)));
    lines.push((8.8, test(run, "t2", "m1", 8.0, 8.8)));
    lines.push((8.9, line("run_end", run, 0.05, json!({"end_ts": at(8.9)}))));
    lines
}

/// The lines of a run's sampler.
fn sampler(run: &str) -> Vec<(f64, String)> {
    let mut lines = vec![(0.0, stream(run))];
    lines.extend((0..50).map(|seq| (f64::from(seq) * 0.2, sample(run, seq))));
    lines
}

/// Everything as it would be written live.
fn live(run: &str) -> Vec<String> {
    let mut lines = sampler(run);
    lines.extend(runner(run));
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn texts(lines: Vec<(f64, String)>) -> Vec<String> {
    lines.into_iter().map(|(_, line)| line).collect()
}

/// All that comes out of `files`, in order.
fn output(files: &[Vec<String>]) -> Vec<String> {
    let mut join = Join::new(files.len());
    let mut out = Vec::new();
    let take = |join: &mut Join, out: &mut Vec<String>| {
        while let Some((_, line)) = join.next_joined() {
            out.push(String::from_utf8(line).unwrap());
        }
    };
    for (input, file) in files.iter().enumerate() {
        for line in file {
            let fate = join.push(line.as_bytes(), &records::classify(line.as_bytes()), input);
            take(&mut join, &mut out);
            if fate.unwrap() == Fate::PassOn {
                out.push(line.clone());
            }
        }
    }
    join.finish();
    take(&mut join, &mut out);
    assert_eq!(join.warnings().count(), 0);
    out
}

/// The joined lines of `files` by what they were, sorted.
fn joined(files: &[Vec<String>]) -> Vec<(String, Value)> {
    let mut lines: Vec<(String, Value)> = output(files)
        .into_iter()
        .filter_map(|line| {
            let value: Value = serde_json::from_str(&line).unwrap();
            let what = ["run", "record", "id", "test", "ts"].map(|key| value[key].to_string());
            let held = ["test", "span", "attempt"];
            held.iter().any(|name| value["record"] == *name).then(|| (what.join(" "), value))
        })
        .collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}

fn by_id(lines: &[(String, Value)]) -> BTreeMap<(String, String), &Value> {
    let key = |v: &Value| (v["id"].to_string(), v["ts"].to_string());
    lines.iter().map(|(_, value)| (key(value), value)).collect()
}

#[test]
fn every_kind_of_line_is_joined_by_its_own_times() {
    let lines = joined(&[live("r")]);
    assert_eq!(lines.len(), 10);
    for (what, value) in &lines {
        let resources = &value["resources"];
        assert!(resources["coverage"] == 1.0, "{what}: {resources}");
        let seconds = value["end_ts"].as_f64().unwrap() - value["ts"].as_f64().unwrap();
        let count = resources["samples"].as_f64().unwrap();
        assert!((count - seconds / 0.2).abs() <= 1.0, "{what}: {resources}");
        assert_eq!(resources.get("bracketed").is_some(), count == 0.0);
    }
}

#[test]
fn the_first_test_since_each_load_is_cold() {
    let lines = joined(&[live("r")]);
    let cold: Vec<(String, Option<bool>)> = lines
        .iter()
        .filter(|(_, value)| value["record"] == "test")
        .map(|(_, value)| (value["id"].to_string(), value["cold_start"].as_bool()))
        .collect();
    let want = [
        // Its first attempt had the model first.
        ("\"t1\"", Some(false)),
        ("\"t2\"", Some(false)),
        ("\"t2\"", Some(true)),
        ("\"t3\"", Some(false)),
        // Skipped: it used nothing.
        ("\"t4\"", None),
        ("\"t5\"", Some(true)),
    ];
    assert_eq!(cold, want.map(|(id, cold)| (id.to_owned(), cold)));
    assert!(lines.iter().all(|(_, v)| v["record"] == "test" || v.get("cold_start").is_none()));
}

#[test]
fn a_test_comes_out_before_the_first_sample_after_its_end_and_all_lines_stay() {
    let lines = live("r");
    let out = output(std::slice::from_ref(&lines));
    assert_eq!(out.len(), lines.len());
    for (position, line) in out.iter().enumerate() {
        let value: Value = serde_json::from_str(line).unwrap();
        if value.get("resources").is_none() {
            // Passed on byte for byte.
            assert!(lines.contains(line));
            continue;
        }
        // A sample at its very end may have been written before it.
        let end = value["end_ts"].as_f64().unwrap();
        let is_after = |line: &&String| {
            let value: Value = serde_json::from_str(line).unwrap();
            value["record"] == "sample" && value["ts"].as_f64().unwrap() >= end
        };
        let came =
            lines.iter().position(|old| line.starts_with(old.trim_end_matches('}'))).unwrap();
        let (before, after) = (&lines[..came], &out[..position]);
        assert_eq!(after.iter().filter(is_after).count(), before.iter().filter(is_after).count());
    }
}

#[test]
fn several_files_in_any_order_give_the_same() {
    let want = joined(&[live("r")]);
    let (samples, tests) = (texts(sampler("r")), texts(runner("r")));
    let (first, second) = (samples[..20].to_vec(), samples[20..].to_vec());
    for files in [
        vec![samples.clone(), tests.clone()],
        vec![tests.clone(), samples.clone()],
        vec![[tests.clone(), samples.clone()].concat()],
        vec![second.clone(), tests.clone(), first.clone()],
        vec![tests.clone(), second.clone(), first.clone()],
        vec![[tests.clone(), second, first].concat()],
        // The same samples twice count once.
        vec![samples.clone(), tests, samples],
    ] {
        assert_eq!(joined(&files), want);
    }
}

#[test]
fn runs_do_not_mix_and_a_run_without_samples_takes_those_of_its_host() {
    let mut wants = joined(&[live("r")]);
    wants.extend(joined(&[live("s")]));
    assert_eq!(joined(&[live("r"), live("s")]), wants);
    assert_eq!(joined(&[[live("s"), live("r")].concat()]), wants);

    // A runner by itself has a run of its own.
    let alone: Vec<String> =
        texts(runner("r")).iter().map(|l| l.replace(r#""run":"r""#, r#""run":"other""#)).collect();
    for files in [[alone.clone(), texts(sampler("r"))], [texts(sampler("r")), alone.clone()]] {
        let found = joined(&files);
        assert_eq!(
            by_id(&found).values().map(|v| &v["resources"]).collect::<Vec<_>>(),
            by_id(&joined(&[live("r")])).values().map(|v| &v["resources"]).collect::<Vec<_>>(),
        );
    }
    // Several runs that were sampled on the host count together.
    let mut halves = [texts(sampler("r")), texts(sampler("r"))];
    halves[0].truncate(25);
    halves[1].drain(1..25);
    halves[1].iter_mut().for_each(|l| *l = l.replace(r#""run":"r""#, r#""run":"later""#));
    let [first, second] = halves;
    let resources = |files: &[Vec<String>]| -> Vec<Value> {
        by_id(&joined(files)).values().map(|v| v["resources"].clone()).collect()
    };
    let want = resources(&[live("r")]);
    assert_eq!(resources(&[second.clone(), alone.clone(), first.clone()]), want);
    assert_eq!(resources(&[first, second, alone.clone()]), want);
    // On another host nothing is known, and nothing is said.
    let found = joined(&[alone, texts(sampler("s"))]);
    assert!(found.iter().all(|(_, value)| value.get("resources").is_none()));
}

#[test]
fn a_hole_in_seq_delays_and_does_not_change_the_join() {
    let mut lines = live("r");
    let hole = lines.iter().position(|line| line.contains(r#""seq":3,"#)).unwrap();
    lines.remove(hole);
    let out = output(std::slice::from_ref(&lines));
    let first = out.iter().position(|line| line.contains("resources")).unwrap();
    assert!(out[first..].iter().all(|line| line.contains("resources")), "held to the end");
    let mut samples = texts(sampler("r"));
    samples.remove(4);
    assert_eq!(joined(&[lines]), joined(&[texts(runner("r")), samples]));
}

#[test]
fn lines_of_no_length_pass_without_resources() {
    let skipped = line("test", "r", 1.0, json!({"id": "t", "outcome": "skipped"}));
    let turned = test("r", "t", "m", 2.0, 1.0);
    let out = output(&[vec![stream("r"), skipped.clone(), turned.clone(), sample("r", 0)]]);
    assert!(out.contains(&skipped) && out.contains(&turned));
}

#[test]
fn memory_stays_bounded_on_a_live_stream_of_100000_samples() {
    let mut join = Join::new(1);
    let mut most = 0;
    let mut joined = 0;
    let mut push = |line: String| {
        join.push(line.as_bytes(), &records::classify(line.as_bytes()), 0).unwrap();
        most = most.max(join.samples_kept());
        while let Some((_, line)) = join.next_joined() {
            joined += 1;
            assert!(String::from_utf8(line).unwrap().contains(r#""coverage":1.0"#));
        }
    };
    push(stream("r"));
    push(line("run_start", "r", 0.0, json!({})));
    for seq in 0..100_000u32 {
        let now = f64::from(seq) * 0.2;
        if seq % 100 == 0 && seq > 0 {
            push(test("r", "t", "m", now - 15.0, now - 0.1));
        }
        if seq % 100 == 10 {
            push(begin("r", "t", "m", now));
        }
        push(sample("r", seq));
    }
    assert_eq!(joined, 999);
    assert!(most <= 12_500, "{most} samples in memory at once");
}

#[test]
fn a_test_that_reaches_back_beyond_what_was_kept_is_named_and_gets_nothing_wrong() {
    let mut join = Join::new(1);
    let mut push = |line: String| {
        join.push(line.as_bytes(), &records::classify(line.as_bytes()), 0).unwrap();
    };
    push(stream("r"));
    push(line("run_start", "r", 0.0, json!({})));
    for seq in 0..60_000 {
        push(sample("r", seq));
    }
    let unannounced = test("r", "t", "m", 1.0, 2.0);
    push(unannounced.clone());
    assert_eq!(join.next_joined().unwrap().1, unannounced.as_bytes());
    assert!(join.warnings().next().unwrap().starts_with("lines that got no resources: 1: "));
}

#[test]
fn what_stays_open_for_long_is_joined_whole_and_keeps_few_samples() {
    let mut join = Join::new(1);
    let mut most = 0;
    let mut push = |line: String| {
        join.push(line.as_bytes(), &records::classify(line.as_bytes()), 0).unwrap();
        most = most.max(join.samples_kept());
    };
    push(stream("r"));
    push(line("run_start", "r", 0.0, json!({})));
    // A long test, within it a second one and a span, and one that is tried again.
    let params = json!({"backend": "b", "model": "m"});
    push(begin("r", "long", "m", 1.0));
    push(line("begin", "r", 1000.1, json!({"phase": "load", "params": params})));
    push(begin("r", "again", "m", 2000.0));
    for seq in 0..30_000 {
        push(sample("r", seq));
    }
    let attempt = json!({"id": "again", "params": params, "attempt": 1, "outcome": "error",
                         "end_ts": at(5999.0), "duration_s": 3999});
    push(line("attempt", "r", 2000.0, attempt));
    push(begin("r", "again", "m", 6000.0));
    for seq in 30_000..60_000 {
        push(sample("r", seq));
    }
    push(test("r", "again", "m", 6000.0, 11_990.0));
    let span = json!({"phase": "load", "params": params, "end_ts": at(11_995.0), "duration_s": 1});
    push(line("span", "r", 1000.1, span));
    push(test("r", "long", "m", 1.0, 11_999.0));
    assert!(most <= 12_500, "{most} samples in memory at once");
    assert_eq!(join.warnings().count(), 0);

    let windows = [(2000.0, 5999.0), (6000.0, 11_990.0), (1000.1, 11_995.0), (1.0, 11_999.0)];
    for (start, end) in windows {
        let found: Value = serde_json::from_slice(&join.next_joined().unwrap().1).unwrap();
        let mut inside: Vec<f64> = (0..60_000)
            .filter(|seq| (start..end).contains(&(f64::from(*seq) * 0.2)))
            .map(|seq| f64::from(seq * 7919 % 1000) / 10.0)
            .collect();
        let resources = &found["resources"];
        assert_eq!(resources["samples"], inside.len());
        assert_eq!((&resources["coverage"], &resources["interval_s"]), (&json!(1.0), &json!(0.2)));
        let near = |name: &str, want: f64, share: f64| {
            let got = resources["ram_free_gb"][name].as_f64().unwrap();
            assert!((got - want).abs() <= share * want + 0.0001, "{name}: {got}, not {want}");
        };
        inside.sort_by(f64::total_cmp);
        near("min", inside[0], 0.0);
        near("max", inside[inside.len() - 1], 0.0);
        // Of the first and the last one only a part lies inside.
        near("mean", inside.iter().sum::<f64>() / inside.len() as f64, 0.0001);
        // One of the two order statistics next to the quantile.
        for (name, share) in [("p50", 0.50), ("p95", 0.95)] {
            let at = ((inside.len() - 1) as f64 * share) as usize;
            let got = resources["ram_free_gb"][name].as_f64().unwrap();
            let near = inside[at..=at + 1].iter().any(|want| (got - want).abs() <= 0.001 * want);
            assert!(near, "{name}: {got}, not {:?}", &inside[at..=at + 1]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// Sampler and runner each write in order; how the two are mixed, and where the
    /// result is cut into files, is chance.
    #[test]
    fn any_interleaving_gives_the_same_joined_lines(
        picks in prop::collection::vec(any::<bool>(), 200),
        cuts in prop::collection::vec(any::<Index>(), 0..3),
    ) {
        let (mut samples, mut tests) = (texts(sampler("r")).into_iter(), texts(runner("r")).into_iter());
        let mut mixed: Vec<String> = Vec::new();
        for pick in picks {
            mixed.extend(if pick { samples.next() } else { tests.next() });
        }
        mixed.extend(samples);
        mixed.extend(tests);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(mixed.len())).collect();
        cuts.sort_unstable();
        let mut files = Vec::new();
        for cut in cuts.into_iter().rev() {
            files.push(mixed.split_off(cut));
        }
        files.push(mixed);
        files.reverse();
        prop_assert_eq!(joined(&files), joined(&[live("r")]));
    }

    /// Lines thrown together: each still gets its own samples.
    #[test]
    fn any_shuffle_gives_the_same_resources(lines in Just(live("r")).prop_shuffle()) {
        let resources = |lines: Vec<String>| -> Vec<Value> {
            joined(&[lines]).into_iter().map(|(_, value)| value["resources"].clone()).collect()
        };
        prop_assert_eq!(resources(lines), resources(live("r")));
    }
}
