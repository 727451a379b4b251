//! The sampler on a clock of the test's own: sleep, a clock that is set, a long run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::Path, time::Duration};

use memmon::{output::Output, sampler::Sampler};
use probe::{Machine, Tree, clock::Stamp};
use records::{Anomaly, Kind, LineKind, Origin, Sample, classify, parse};

const MS: Duration = Duration::from_millis(1);

/// A clock that goes as it is told.
#[derive(Clone, Copy)]
struct Clock(Stamp);

impl Clock {
    fn now() -> Clock {
        Clock(Stamp::now())
    }

    fn goes_on(&mut self, time: Duration) {
        self.0.mono += time;
        self.sleeps(time);
    }

    fn sleeps(&mut self, time: Duration) {
        self.0.wall_s += time.as_secs_f64();
        self.0.with_sleep = self.0.with_sleep.map(|since| since + time);
    }

    fn is_set(&mut self, by_s: f64) {
        self.0.wall_s += by_s;
    }
}

fn sampler(machine: Machine, tree: Option<Tree>, interval: Duration, clock: &Clock) -> Sampler {
    let origin = Origin { run: "r".into(), host: "h".into() };
    Sampler::new(machine, tree, origin, interval, clock.0)
}

fn output(path: &Path) -> Output {
    Output::create(path.to_str()).unwrap()
}

#[test]
fn sleep_and_a_clock_that_is_set_are_written_before_the_sample_that_shows_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.jsonl");
    let mut clock = Clock::now();
    let start_s = clock.0.wall_s;
    let output = output(&path);
    let mut sampler = sampler(Machine::open(), None, 200 * MS, &clock);
    let mut tick = |clock: &mut Clock| {
        clock.goes_on(200 * MS);
        sampler.sample_at(clock.0, &output);
    };
    tick(&mut clock);
    clock.sleeps(Duration::from_secs(3_600));
    tick(&mut clock);
    // What NTP does in 200 ms, thousands of times, is no jump.
    for _ in 0..5_000 {
        clock.is_set(0.0001);
        tick(&mut clock);
    }
    clock.is_set(-7_200.0);
    tick(&mut clock);
    tick(&mut clock);

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_anomaly = |line: &&str| classify(line.as_bytes()) == LineKind::Ours(Kind::Anomaly);
    let places: Vec<usize> = (0..lines.len()).filter(|index| is_anomaly(&lines[*index])).collect();
    assert_eq!(places, [1, 5_003]);
    let anomalies: Vec<Anomaly> =
        places.iter().map(|place| parse(lines[*place].as_bytes()).unwrap()).collect();
    assert_eq!((anomalies[0].kind.as_str(), anomalies[1].kind.as_str()), ("sleep", "clock_jump"));
    assert!((anomalies[0].evidence["slept_s"].as_f64().unwrap() - 3_600.0).abs() < 1e-3);
    assert!((anomalies[0].ts - start_s - 0.2).abs() < 1e-3);
    assert!((anomalies[0].end_ts - anomalies[0].ts - 3_600.2).abs() < 1e-3);
    assert!((anomalies[1].evidence["jump_s"].as_f64().unwrap() + 7_200.0).abs() < 1e-3);
    for (place, anomaly) in places.iter().zip(&anomalies) {
        let sample: Sample = parse(lines[place + 1].as_bytes()).unwrap();
        assert_eq!(anomaly.evidence["seq"].as_u64(), Some(sample.seq));
        assert_eq!(anomaly.end_ts, sample.ts);
        // The monotonic clock stood still: no deadline was missed.
        assert_eq!((sample.missed, sample.late_us), (None, Some(0)));
    }
    assert_eq!(sampler.tally().missed(), 1, "the grid's first point, before the first sample");
}

/// Anonymous memory of this program, in bytes: what could grow. What is mapped from
/// files is the test's own code, and larger than memmon's.
#[cfg(target_os = "linux")]
fn anonymous() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Takes `count` samples without waiting, as if they came every `interval`; what they
/// took in memory beyond the first twentieth.
#[cfg(target_os = "linux")]
fn growth(machine: Machine, tree: Option<Tree>, count: u64) -> u64 {
    let interval = 10 * MS;
    let mut clock = Clock::now();
    let output = output(Path::new("/dev/null"));
    let mut sampler = sampler(machine, tree, interval, &clock);
    let mut early = 0;
    for seq in 0..count {
        sampler.sample_at(clock.0, &output);
        clock.goes_on(interval);
        if seq == count / 20 {
            early = anonymous();
        }
    }
    assert_eq!((sampler.tally().samples(), sampler.tally().missed()), (count, 0));
    let late = anonymous();
    assert!(late < 6_000_000, "{late}");
    late.saturating_sub(early)
}

/// The hour is one of a machine that tells nothing, so that it takes seconds; one that
/// tells all it has is read for a minute. Either would show some bytes a sample.
#[test]
#[cfg(target_os = "linux")]
fn an_hour_at_10_ms_takes_no_more_memory_than_its_first_minutes() {
    let nothing = tempfile::tempdir().unwrap();
    let empty = probe::Roots::under(nothing.path());
    let hour = growth(Machine::open_at(empty), None, 360_000);
    let tree = Tree::descendants_of(i32::try_from(std::process::id()).unwrap());
    let minute = growth(Machine::open(), Some(tree), 6_000);
    assert!(hour < 256 << 10 && minute < 128 << 10, "{hour} and {minute} bytes more");
}
