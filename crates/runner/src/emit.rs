//! The lines of mlx-knife's own test suite, schema 0.2.2, so that its tools read our
//! results.
//!
//! What its schema has no word for is said in `metadata`: an `error` is `failed` there,
//! an expected failure `skipped`, as pytest reports it. What it calls GB and MB are 2³⁰
//! and 2²⁰ bytes. What was not measured is left out.

use jiff::Timestamp;
use records::{Outcome, QualityFlag, Test, round};
use serde_json::{Map, Value, json};

/// 10⁹ bytes in units of 2³⁰.
const GIB: f64 = 1e9 / (1u64 << 30) as f64;
/// 10⁶ bytes in units of 2²⁰.
const MIB: f64 = 1e6 / (1u64 << 20) as f64;

/// `test` as a line of schema 0.2.2.
#[must_use]
pub fn mlx_knife(test: &Test) -> Map<String, Value> {
    let end = test.end_ts.unwrap_or(test.ts);
    let micros = Timestamp::from_microsecond((end * 1e6) as i64).unwrap_or_default();
    object([
        ("schema_version", Some(json!("0.2.2"))),
        ("timestamp", Some(json!(micros.to_string()))),
        // The schema wants the version of what wrote the line.
        ("mlx_knife_version", Some(json!(env!("CARGO_PKG_VERSION")))),
        ("test", Some(json!(test.id))),
        ("outcome", Some(json!(outcome(test.outcome)))),
        ("duration", test.duration_s.map(Value::from)),
        ("test_start_ts", test.duration_s.map(|_| json!(test.ts))),
        ("test_end_ts", test.end_ts.map(Value::from)),
        ("model", model(test)),
        ("performance", performance(test)),
        ("system_health", health(test)),
        ("metadata", Some(metadata(test))),
    ])
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed | Outcome::Xpassed => "passed",
        Outcome::Failed | Outcome::Error => "failed",
        Outcome::Skipped | Outcome::Xfailed => "skipped",
    }
}

fn model(test: &Test) -> Option<Value> {
    let model = test.model.as_ref()?;
    full(object([
        ("id", Some(json!(model.id))),
        ("size_gb", model.size_gb.map(|gb| json!(round(gb * GIB, 3)))),
        ("family", model.family.clone().map(Value::from)),
        ("framework", model.framework.clone().map(Value::from)),
        ("quantization", model.quantization.clone().map(Value::from)),
    ]))
}

fn performance(test: &Test) -> Option<Value> {
    let metric = |name: &str| test.metrics.get(name).map(|metric| metric.value());
    let count = |name: &str| metric(name).map(|n| json!(n as u64));
    full(object([
        ("tokens_per_sec", metric("generation_tps").map(Value::from)),
        ("prompt_tokens", count("prompt_tokens")),
        ("completion_tokens", count("completion_tokens")),
        ("model_load_time_s", metric("load_s").map(Value::from)),
        ("time_to_first_token_s", metric("ttft_s").map(Value::from)),
    ]))
}

fn health(test: &Test) -> Option<Value> {
    let health = test.system_health.as_ref()?;
    let flags = health.quality_flags.as_ref().map(|flags| {
        let name = |flag: &QualityFlag| match flag {
            QualityFlag::Clean => "clean",
            QualityFlag::DegradedRam => "degraded_memory",
            QualityFlag::DegradedSwap => "degraded_swap",
            QualityFlag::DegradedZombies => "degraded_zombies",
        };
        json!(flags.iter().map(name).collect::<Vec<_>>())
    });
    // The names of its schema, and those that its writer writes and its reader reads.
    full(object([
        ("swap_gb", health.swap_used_mb.map(|mb| json!(round(mb * MIB / 1024.0, 3)))),
        ("swap_used_mb", health.swap_used_mb.map(|mb| json!(round(mb * MIB, 1)))),
        ("ram_free_gb", health.ram_free_gb.map(|gb| json!(round(gb * GIB, 2)))),
        ("zombies_detected", health.zombie_processes.map(Value::from)),
        ("zombie_processes", health.zombie_processes.map(Value::from)),
        ("quality_flags", flags),
    ]))
}

fn metadata(test: &Test) -> Value {
    let mut metadata = test.metadata.clone().unwrap_or_default();
    metadata.extend(object([
        ("inference_modality", test.modality.map(|modality| json!(modality.name()))),
        ("outcome", Some(json!(test.outcome.name()))),
        ("reason", test.reason.clone().map(Value::from)),
        ("backend", test.params.backend.clone().map(Value::from)),
        ("attempt", test.attempt.map(Value::from)),
    ]));
    Value::Object(metadata)
}

/// What is there of `fields`.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let there = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
    fields.into_iter().filter_map(there).collect()
}

fn full(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use records::{
        ErrorInfo, Metric, Metrics, Model, Origin, Outcome, QualityFlag, SystemHealth, Test,
    };
    use serde_json::{Value, json};

    use super::mlx_knife;

    fn test(outcome: Outcome) -> Test {
        Test {
            id: "s::chat[llama,m]".into(),
            ts: 1_770_811_206.8,
            end_ts: Some(1_770_811_208.314_38),
            duration_s: Some(1.514_38),
            outcome,
            model: Some(Model { id: "m".into(), size_gb: Some(1.0), ..Model::default() }),
            metrics: Metrics {
                ttft_s: Some(Metric::Number(0.25)),
                prompt_tokens: Some(Metric::Number(12.0)),
                ..Metrics::default()
            },
            error: Some(ErrorInfo::default()),
            system_health: Some(SystemHealth {
                ram_free_gb: Some(8.0),
                quality_flags: Some(vec![QualityFlag::DegradedRam]),
                ..SystemHealth::default()
            }),
            ..Test::at(0.0, &Origin::default())
        }
    }

    #[test]
    fn every_outcome_is_valid_by_the_schema_of_mlx_knife() {
        let schema: Value = serde_json::from_str(include_str!(
            "../../validate/tests/data/report-v0.2.2.schema.json"
        ))
        .unwrap();
        let options = jsonschema::options().should_validate_formats(true);
        let schema = options.build(&schema).unwrap();
        for outcome in [
            Outcome::Passed,
            Outcome::Failed,
            Outcome::Error,
            Outcome::Skipped,
            Outcome::Xfailed,
            Outcome::Xpassed,
        ] {
            let line = Value::Object(mlx_knife(&test(outcome)));
            let errors: Vec<_> = schema.iter_errors(&line).map(|e| e.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(line["metadata"]["outcome"], outcome.name());
        }
        let bare = Value::Object(mlx_knife(&Test::at(0.0, &Origin::default())));
        assert!(schema.is_valid(&bare), "what did not run is valid too");
    }

    #[test]
    fn what_was_measured_is_there_and_the_rest_is_not() {
        let line = mlx_knife(&test(Outcome::Error));
        assert_eq!(line["timestamp"], "2026-02-11T12:00:08.31438Z");
        assert_eq!(line["outcome"], "failed");
        assert_eq!(line["model"], json!({"id": "m", "size_gb": 0.931}));
        assert_eq!(
            line["performance"],
            json!({"prompt_tokens": 12, "time_to_first_token_s": 0.25})
        );
        assert_eq!(line["system_health"]["quality_flags"], json!(["degraded_memory"]));
        assert!(line["system_health"].get("swap_gb").is_none());
    }
}
