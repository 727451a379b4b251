//! memmon's own lines.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use records::{Record, SERIES};

use crate::support::{Running, memmon, run, run_script, written};

#[test]
fn the_stream_says_what_is_sampled_where_and_by_whom() {
    let lines = written(&run(&["-i", "50", "--", "sleep", "0.1"]).stdout);
    let stream = &lines.stream;
    assert_eq!(stream.producer.name, "memmon");
    assert_eq!(stream.interval_ms, 50.0);
    assert_eq!(stream.command.as_deref().unwrap(), ["sleep", "0.1"]);
    assert!((stream.clock.wall_s - stream.ts).abs() < 0.01);
    assert!(stream.clock.monotonic_s > 0.0);
    assert!(!stream.host.is_empty() && stream.machine.arch.is_some());

    // Every series stands in the sources, and is measured only if it is there.
    let found: Vec<&str> = stream.sources.found.iter().map(|s| s.quantity.as_str()).collect();
    let missing: Vec<&str> = stream.sources.missing.iter().map(|s| s.quantity.as_str()).collect();
    for series in SERIES {
        let name = series.name;
        assert!(found.contains(&name) || missing.contains(&name), "{name} is in neither");
        let measured = lines.samples.iter().any(|sample| (series.get)(sample).is_some());
        assert!(!measured || found.contains(&name), "{name} has values and no source");
    }
}

#[test]
fn samples_count_from_zero_on_one_clock_with_the_lines_between_them() {
    let lines = written(&run_script(&["-i", "20"], "sleep 0.3").stdout);
    let (first, start) = (&lines.samples[0], lines.stream.ts);
    assert!(first.cpu_idle.is_none(), "there was nothing before the first");
    assert!(first.elapsed_s < 0.1);
    for (index, sample) in lines.samples.iter().enumerate() {
        assert_eq!(sample.seq, index as u64);
        assert!((sample.ts - start - sample.elapsed_s).abs() < 0.005, "wall and monotonic agree");
        assert!(sample.read_us.is_some());
        assert!(sample.ram_total_gb.unwrap() > sample.ram_free_gb.unwrap());
    }
    assert!(lines.samples[1..].iter().any(|sample| sample.cpu_idle.is_some()));
    let last = lines.samples.last().unwrap();
    assert!(lines.summary.end_ts >= last.ts());
}

#[test]
fn one_more_sample_is_taken_when_the_command_has_ended_beside_the_grid() {
    let lines = written(&run(&["-i", "60000", "--", "sleep", "0.2"]).stdout);
    assert_eq!(lines.samples.len(), 2);
    let last = &lines.samples[1];
    assert!(last.elapsed_s >= 0.2 && last.late_us.is_none() && last.missed.is_none());
    let achieved = lines.summary.achieved.unwrap();
    assert!(achieved.p99_ms <= achieved.max_ms);
}

#[test]
fn samples_lie_on_the_grid_and_none_is_lost_unsaid() {
    // Lenient in time, since tests share their machine, but strict on the grid.
    let interval = 10_000;
    let lines = written(&run(&["-i", "10", "-d", "1.5"]).stdout);
    let mut points = Vec::new();
    let mut previous = -1;
    for sample in &lines.samples {
        let at = (sample.elapsed_s * 1e6).round() as i64 - sample.late_us.unwrap() as i64;
        let off = (at + interval / 2).rem_euclid(interval) - interval / 2;
        assert!(off.abs() <= 2, "{off} µs off the grid");
        let point = (at + 2) / interval;
        assert_eq!(point - previous - 1, sample.missed.unwrap_or(0) as i64);
        points.push(point);
        previous = point;
    }
    assert_eq!(*points.last().unwrap(), 150);
    assert_eq!(lines.summary.samples + lines.summary.missed, 151);
    let median = lines.summary.achieved.unwrap().median_ms;
    assert!((9.0..30.0).contains(&median), "{median}");
}

#[test]
fn the_summary_is_what_the_lines_add_up_to() {
    let lines =
        written(&run_script(&["-i", "5"], "for i in 1 2 3 4 5 6; do sleep 0.2; done").stdout);
    let (samples, summary) = (&lines.samples, &lines.summary);
    assert_eq!(summary.samples, samples.len() as u64);
    assert_eq!(summary.missed, samples.iter().filter_map(|s| s.missed).sum::<u64>());
    assert_eq!(summary.ts, lines.stream.ts);
    assert!((summary.end_ts - summary.ts - summary.duration_s).abs() < 1e-5);

    for series in SERIES {
        let values: Vec<f64> = samples.iter().filter_map(series.get).collect();
        let Some(said) = summary.series.get(series.name) else {
            assert!(values.is_empty(), "{} is missing", series.name);
            continue;
        };
        assert_eq!(said.min, values.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(said.max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((said.mean - mean).abs() <= 1e-12 * mean.abs(), "{}", series.name);
    }

    let starts: Vec<f64> = samples.iter().map(|sample| sample.elapsed_s * 1e3).collect();
    let mut intervals: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_by(f64::total_cmp);
    let rank = |q: f64| intervals[(q * intervals.len() as f64).ceil() as usize - 1];
    let near = |a: f64, b: f64| (a - b).abs() <= 0.001 * b + 0.002;
    let achieved = summary.achieved.as_ref().unwrap();
    let mean = (starts.last().unwrap() - starts[0]) / intervals.len() as f64;
    assert!((achieved.mean_ms - mean).abs() < 1e-6);
    assert!((achieved.max_ms - rank(1.0)).abs() < 1e-6);
    assert!(near(achieved.median_ms, rank(0.5)) && near(achieved.p99_ms, rank(0.99)));
}

#[test]
fn the_summary_says_what_memmon_itself_used_and_that_is_little() {
    let lines = written(&run(&["-i", "2", "-d", "2", "--prometheus", ":0"]).stdout);
    let own = &lines.summary.own;
    let max_rss_mb = own.max_rss_mb.unwrap();
    // Code that is not optimised is more code: the bar is for what is installed.
    let most = if cfg!(debug_assertions) { 10.0 } else { 6.0 };
    assert!((1.0..most).contains(&max_rss_mb), "{max_rss_mb}");
    let cpu_s = own.user_s.unwrap() + own.sys_s.unwrap();
    assert!(cpu_s > 0.0 && cpu_s < lines.summary.duration_s, "{cpu_s}");
}

#[test]
fn what_is_slow_to_read_is_read_once_a_second_and_the_rest_each_time() {
    let lines = written(&run_script(&["-i", "50"], "sleep 2.5").stdout);
    let slow: Vec<f64> =
        lines.samples.iter().filter(|s| s.zombies.is_some()).map(|s| s.elapsed_s).collect();
    assert!((1..=4).contains(&slow.len()), "{slow:?}");
    assert!(slow.windows(2).all(|pair| pair[1] - pair[0] > 0.95), "{slow:?}");
    assert!(lines.samples.iter().all(|s| s.tree_rss_gb.is_some() && s.tree_procs.is_some()));
}

#[test]
fn without_anything_to_watch_there_are_no_tree_fields() {
    let lines = written(&run(&["-i", "20", "-d", "0.1"]).stdout);
    assert!(lines.samples.iter().all(|s| s.tree_procs.is_none() && s.tree_rss_gb.is_none()));
    assert!(lines.stream.command.is_none() && lines.summary.child.is_none());
}

#[test]
fn d_alone_measures_for_that_time_and_takes_a_last_sample_at_its_end() {
    let start = Instant::now();
    let output = run(&["-i", "300", "-d", "0.7"]);
    assert!(start.elapsed() >= Duration::from_millis(700));
    assert_eq!(output.status.code(), Some(0));
    let lines = written(&output.stdout);
    let last = lines.samples.last().unwrap().elapsed_s;
    assert!((0.7..2.0).contains(&last), "{last}");
    assert!(lines.samples.len() <= 4);
}

#[test]
fn d_ends_the_sampling_and_not_the_command() {
    let output = run_script(&["-i", "50", "-d", "0.2"], r#"sleep 0.8; echo '{"late":1}'; exit 6"#);
    assert_eq!(output.status.code(), Some(6));
    let lines = written(&output.stdout);
    assert!(lines.samples.iter().all(|sample| sample.elapsed_s < 0.7));
    assert!(lines.summary.duration_s >= 0.8);
    assert_eq!(lines.others, b"{\"late\":1}\n");
}

#[test]
fn a_kill_costs_at_most_the_line_that_is_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("samples.jsonl");
    let mut running = Running::start(&mut memmon(&["-i", "1", "-o", file.to_str().unwrap()]));
    thread::sleep(Duration::from_millis(400));
    running.signal(Signal::SIGKILL);
    running.wait();
    let text = fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    assert!(lines.len() > 5);
    let whole = lines.iter().filter(|line| line.ends_with(b"\n"));
    for line in whole {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}
