//! A small run with everything in it, made by hand.
#![allow(unreachable_pub)]

use records::{
    Begin, Machine, Missing, Model, Origin, Outcome, Params, Phase, Producer, Resources, RunEnd,
    RunStart, Sample, SeriesStats, Span, Stream, Test,
};
use serde::Serialize;

/// When the run began, in Unix seconds: 12:00:05 UTC on 11 February 2026.
pub const START: f64 = 1_770_811_205.0;

/// A name that would run if it became markup, and end the script that it stands in.
pub const HOSTILE: &str = "</script><img src=x onerror=\"document.documentElement.dataset.owned=1\">\
                           <b>%{x}\u{2028}{{title}}<!--";

/// How the run differs.
#[derive(Clone, Copy, Default)]
pub struct Kind {
    /// Whether the GPU was measured.
    pub gpu: bool,
    /// Whether the run came to its end.
    pub whole: bool,
}

/// The lines of a run of 60 s with 300 samples, 9 tests and 2 loads.
pub fn run(kind: Kind) -> String {
    let origin = Origin { run: "r1".into(), host: "studio".into() };
    let mut lines = Vec::new();
    lines.push(line(&stream(kind, &origin)));
    let mut start = RunStart::at(START + 0.5, &origin);
    start.suite = "nightly".into();
    lines.push(line(&start));
    lines.extend(
        (0..300u32).filter(|i| !(200..215).contains(i)).map(|i| line(&sample(i, kind, &origin))),
    );
    for (at, model) in [(1.0, "smollm2-135m"), (30.0, "qwen3-0.6b")] {
        let mut span = Span::at(START + at, &origin);
        span.phase = Phase::Load;
        span.end_ts = START + at + 4.0;
        span.duration_s = 4.0;
        span.params = on(Some(model));
        lines.push(line(&span));
    }
    let cases = [
        ("chat", Some("smollm2-135m"), Outcome::Passed, 5.0, 10.0),
        ("decode", Some("smollm2-135m"), Outcome::Failed, 15.0, 8.0),
        (HOSTILE, Some("smollm2-135m"), Outcome::Error, 23.0, 5.0),
        ("vision", Some("smollm2-135m"), Outcome::Skipped, 28.0, 0.0),
        ("chat", Some("qwen3-0.6b"), Outcome::Passed, 34.0, 9.0),
        ("short", Some("qwen3-0.6b"), Outcome::Passed, 43.0, 0.01),
        ("batch-a", Some("qwen3-0.6b"), Outcome::Passed, 44.0, 8.0),
        ("batch-b", Some("qwen3-0.6b"), Outcome::Xfailed, 46.0, 8.0),
        ("cli", None, Outcome::Passed, 55.0, 4.0),
    ];
    for (name, model, outcome, at, took) in cases {
        lines.push(line(&test(name, model, outcome, (at, took), kind, &origin)));
    }
    let mut begin = Begin::at(START + 59.2, &origin);
    begin.id = Some("nightly::cut".into());
    if kind.whole {
        let mut end = RunEnd::at(START + 0.5, &origin);
        end.end_ts = START + 59.5;
        end.exit = 1;
        lines.push(line(&end));
    } else {
        lines.push(line(&begin));
    }
    lines.concat()
}

fn line(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap() + "\n"
}

fn on(model: Option<&str>) -> Params {
    Params { backend: Some("llama".into()), model: model.map(str::to_owned), ..Params::default() }
}

fn stream(kind: Kind, origin: &Origin) -> Stream {
    let mut stream = Stream::at(START, origin);
    stream.producer = Producer { name: "memmon".into(), version: "0.1.0".into() };
    stream.interval_ms = 200.0;
    stream.command = Some(vec!["runner".into(), "nightly.toml".into()]);
    stream.machine = Machine {
        model: Some("Mac14,13".into()),
        chip: Some("Apple M2 Max".into()),
        cores_physical: Some(12),
        ram_total_gb: Some(68.7),
        os: Some("macOS 15.3".into()),
        ..Machine::default()
    };
    if !kind.gpu {
        let why = "no GPU is visible to this process".to_owned();
        stream.sources.missing.push(Missing { quantity: "gpu_device_util".into(), why });
    }
    stream
}

fn sample(i: u32, kind: Kind, origin: &Origin) -> Sample {
    let s = f64::from(i) * 0.2;
    let loaded = if (1.0..28.0).contains(&s) || s >= 30.0 { 1.0 } else { 0.0 };
    let busy = (s * 1.3).sin().abs() * loaded;
    let mut sample = Sample::at(START + s, origin);
    sample.seq = i.into();
    sample.elapsed_s = s;
    sample.ram_total_gb = Some(68.719);
    sample.ram_free_gb = Some(52.0 - 30.0 * loaded - 4.0 * busy);
    sample.ram_used_gb = Some(16.7 + 30.0 * loaded);
    sample.tree_rss_gb = Some(0.4 + 29.0 * loaded + 3.0 * busy);
    sample.swap_used_mb = Some(if s > 40.0 { 640.0 } else { 0.0 });
    sample.memory_pressure = Some(match i {
        150 => 4,
        225..=260 => 2,
        _ => 1,
    });
    sample.load_1 = Some(2.0 + 4.0 * loaded);
    sample.cpu_user = Some(5.0 + 30.0 * busy);
    sample.cpu_sys = Some(2.0 + 12.0 * busy);
    if kind.gpu {
        sample.gpu_device_util = Some(3.0 + 95.0 * busy);
        sample.gpu_renderer_util = Some(2.0 + 80.0 * busy);
        sample.gpu_mem_used_gb = Some(1.0 + 28.0 * loaded);
        sample.gpu_power_w = Some(2.0 + 30.0 * busy);
    }
    sample
}

fn test(
    name: &str,
    model: Option<&str>,
    outcome: Outcome,
    (at, took): (f64, f64),
    kind: Kind,
    origin: &Origin,
) -> Test {
    let mut test = Test::at(START + at, origin);
    test.id = format!("nightly::{name}[llama,{}]", model.unwrap_or("-"));
    test.suite = "nightly".into();
    test.case = name.to_owned();
    test.params = on(model);
    test.outcome = outcome;
    test.model = model.map(|id| Model { id: id.into(), ..Model::default() });
    test.end_ts = Some(START + at + took);
    test.duration_s = Some(took);
    test.reason = match outcome {
        Outcome::Failed => Some(format!("text contains \"paris\": no. {HOSTILE}")),
        Outcome::Skipped => Some("needs vision".into()),
        _ => None,
    };
    if outcome != Outcome::Skipped {
        let stats = |max| SeriesStats { max, ..SeriesStats::default() };
        let mut resources = Resources { samples: 10, coverage: 1.0, ..Resources::default() };
        resources.series.insert("tree_rss_gb".into(), stats(31.25));
        resources.series.insert("swap_used_mb".into(), stats(640.0));
        if kind.gpu {
            resources.series.insert("gpu_device_util".into(), stats(97.5));
        }
        test.resources = Some(resources);
    }
    test
}
