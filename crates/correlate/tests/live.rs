//! A live pipe: a test's joined line comes out when all that it needs is here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// How soon a line has to come.
const SOON: Duration = Duration::from_millis(10);

/// After so long a line does not come any more.
const NEVER: Duration = Duration::from_secs(60);

/// correlate in a pipe, and the samples that it was given.
struct Live {
    child: Child,
    into: Option<ChildStdin>,
    out: Receiver<(Instant, String)>,
    seq: u64,
}

impl Live {
    fn start() -> Live {
        let mut child = Command::new(env!("CARGO_BIN_EXE_correlate"))
            .arg("--tests-only")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, out) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            lines.for_each(|line| drop(sender.send((Instant::now(), line.unwrap()))));
        });
        let mut live = Live { into: child.stdin.take(), child, out, seq: 0 };
        live.line(r#""record":"stream","ts":0,"interval_ms":200"#);
        live.line(r#""record":"run_start","ts":0"#);
        live
    }

    fn line(&mut self, fields: &str) {
        // As memmon writes: a line in one piece.
        let line = format!("{{{fields},\"v\":1,\"run\":\"r\",\"host\":\"h\"}}\n");
        self.into.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// The next sample, and when it was given.
    fn sample(&mut self) -> Instant {
        let (seq, ts) = (self.seq, self.seq as f64 / 5.0);
        self.seq += 1;
        let now = Instant::now();
        self.line(&format!(
            r#""record":"sample","ts":{ts},"seq":{seq},"elapsed_s":{ts},"load_1":1"#
        ));
        now
    }

    fn samples(&mut self, count: usize) {
        (0..count).for_each(|_| {
            self.sample();
        });
    }

    fn test(&mut self, id: usize, start: f64, end: f64) -> Instant {
        let now = Instant::now();
        self.line(&format!(r#""record":"test","ts":{start},"id":"t{id}","end_ts":{end}"#));
        now
    }

    /// Whether the next line that comes is that test with what was found, and how long
    /// after `since` it came.
    fn joined(&mut self, id: usize, since: Instant) -> Duration {
        let (came, line) = self.out.recv_timeout(NEVER).unwrap();
        assert!(
            line.contains(&format!("\"id\":\"t{id}\"")) && line.contains("resources"),
            "{line}"
        );
        came.saturating_duration_since(since)
    }
}

/// Half of them come soon. A machine that is busy with other tests takes the processor away
/// for longer at times, which is not ours to answer for.
fn soon(mut took: Vec<Duration>) {
    took.sort_unstable();
    assert!(took[took.len() / 2] <= SOON, "{took:?}");
}

#[test]
fn a_test_comes_out_at_once_with_the_first_sample_after_its_end() {
    let mut live = Live::start();
    let took = (0..21).map(|id| {
        let start = live.seq as f64 / 5.0;
        live.samples(5);
        live.test(id, start, start + 1.0);
        let since = live.sample();
        live.joined(id, since)
    });
    soon(took.collect());
}

#[test]
fn a_test_that_is_told_after_that_sample_comes_out_at_once() {
    let mut live = Live::start();
    let took = (0..21).map(|id| {
        let start = live.seq as f64 / 5.0;
        live.samples(6);
        let since = live.test(id, start, start + 1.0);
        live.joined(id, since)
    });
    soon(took.collect());
}

#[test]
fn a_test_comes_out_at_once_when_the_input_ends() {
    let took = (0..11).map(|id| {
        let mut live = Live::start();
        live.samples(5);
        live.test(id, 0.1, 10.0);
        // It has read them all when it has begun to wait.
        thread::sleep(Duration::from_millis(20));
        let since = Instant::now();
        drop(live.into.take());
        let took = live.joined(id, since);
        assert!(live.child.wait().unwrap().success());
        took
    });
    soon(took.collect());
}
