//! Tests of the reference suite, schema 0.1.0 to 0.2.2.
//!
//! Its schema names `swap_gb`, `zombies_detected` and `model_identifier`, its
//! writer writes `swap_used_mb`, `zombie_processes` and `model`: both are read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::unix_seconds;
use crate::{
    Malformed, Metric, Metrics, Modality, Model, Origin, Outcome, Params, QualityFlag,
    SystemHealth, Test, round,
};

/// How a test of the reference came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LegacyOutcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped.
    Skipped,
}

/// A test of the reference suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacyTest {
    /// Version of the line's schema.
    pub schema_version: String,
    /// **End** of the test, ISO 8601.
    pub timestamp: String,
    /// Version of the program under test.
    pub mlx_knife_version: String,
    /// pytest's node id.
    pub test: String,
    /// How it came out.
    pub outcome: LegacyOutcome,
    /// Start, in Unix seconds (0.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_start_ts: Option<f64>,
    /// End, in Unix seconds (0.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_end_ts: Option<f64>,
    /// Seconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The model, where the test names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<LegacyModel>,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance: Option<LegacyPerformance>,
    /// Which stop tokens were seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_tokens: Option<Map<String, Value>>,
    /// The machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<LegacySystem>,
    /// The machine's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_health: Option<LegacyHealth>,
    /// Milestones of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Map<String, Value>>,
    /// Anything else; `inference_modality` among it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// The model of a reference test. Not even its id is certain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacyModel {
    /// Its id on the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Size on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<f64>,
    /// Its family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Which member of the family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What it is made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// How its weights are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
}

/// What a reference test measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacyPerformance {
    /// Generation speed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_sec: Option<f64>,
    /// Peak memory (0.1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_peak_mb: Option<f64>,
    /// Peak memory (0.2.0 on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_ram_gb: Option<f64>,
    /// Memory once steady.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_ram_gb: Option<f64>,
    /// Seconds of inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Tokens of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Seconds that loading took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_load_time_s: Option<f64>,
    /// Seconds to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_s: Option<f64>,
    /// Seconds that shutting down took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleanup_time_s: Option<f64>,
}

/// The machine of a reference test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacySystem {
    /// Operating system, such as `darwin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// Python's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python_version: Option<String>,
    /// MLX's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mlx_version: Option<String>,
    /// The machine in words (0.1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// Physical memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_total_gb: Option<f64>,
    /// The machine in detail (0.2.0 on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_profile: Option<LegacyHardware>,
}

/// The machine in detail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacyHardware {
    /// The maker's name of the model, as the writer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The maker's name of the model, as the schema calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<String>,
    /// The processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// Cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_physical: Option<u32>,
    /// Threads that it can run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_logical: Option<u32>,
}

/// The machine's state around a reference test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacyHealth {
    /// Swap in use, as the writer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_mb: Option<f64>,
    /// Swap in use, as the schema calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_gb: Option<f64>,
    /// Free memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free_gb: Option<f64>,
    /// Zombies, as the writer calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zombie_processes: Option<u32>,
    /// Zombies, as the schema calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zombies_detected: Option<u32>,
    /// What this says about the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_flags: Option<Vec<String>>,
}

impl LegacyTest {
    /// The test as ours.
    ///
    /// Its start is `test_start_ts`, else `timestamp` − `duration`; its end is
    /// `test_end_ts`, else `test_start_ts` + `duration`, else `timestamp`. A test with
    /// neither a duration nor both times keeps only the end that it has.
    ///
    /// # Errors
    ///
    /// When no time in it can be read.
    pub fn upgrade(&self, origin: &Origin) -> Result<Test, Malformed> {
        let stamp = unix_seconds(&self.timestamp)
            .ok_or_else(|| Malformed(format!("timestamp {:?} is no date", self.timestamp)))?;
        // A precise start and a duration are a better end than a stamp of whole seconds.
        let end_by_duration =
            self.test_start_ts.zip(self.duration.filter(|d| *d >= 0.0)).map(|(s, d)| s + d);
        let end = self.test_end_ts.or(end_by_duration).unwrap_or(stamp);
        let measured = self.test_start_ts.map(|start| end - start).filter(|d| *d >= 0.0);
        let duration = self.duration.filter(|d| *d >= 0.0).or(measured);
        let start = self.test_start_ts.unwrap_or(end - duration.unwrap_or(0.0));

        let (file, case) = split_node_id(&self.test);
        let mut test = Test::at(start, origin);
        test.id.clone_from(&self.test);
        test.suite = file;
        test.case = case;
        test.end_ts = Some(round(end, 6));
        test.duration_s = duration;
        test.outcome = match self.outcome {
            LegacyOutcome::Passed => Outcome::Passed,
            LegacyOutcome::Failed => Outcome::Failed,
            LegacyOutcome::Skipped => Outcome::Skipped,
        };
        if let Some(model) = &self.model
            && let Some(id) = &model.id
        {
            test.params = Params { model: Some(id.clone()), ..Params::default() };
            test.model = Some(Model {
                id: id.clone(),
                size_gb: model.size_gb,
                family: model.family.clone(),
                quantization: model.quantization.clone(),
                framework: model.framework.clone(),
                ..Model::default()
            });
        }
        test.modality = self.modality();
        test.reason = self.text_of_metadata("skip_reason");
        test.metrics = self.metrics();
        test.system_health = self.system_health.as_ref().map(LegacyHealth::upgrade);
        test.metadata = Some(self.leftovers()).filter(|map| !map.is_empty());
        Ok(test)
    }

    fn text_of_metadata(&self, key: &str) -> Option<String> {
        self.metadata.as_ref()?.get(key)?.as_str().map(str::to_owned)
    }

    fn modality(&self) -> Option<Modality> {
        match self.text_of_metadata("inference_modality")?.as_str() {
            "text" => Some(Modality::Text),
            "vision" => Some(Modality::Vision),
            "audio" => Some(Modality::Audio),
            _ => None,
        }
    }

    fn metrics(&self) -> Metrics {
        let Some(p) = &self.performance else {
            return Metrics::default();
        };
        // Token counts are far below 2^53.
        let count = |n: Option<u64>| n.map(|n| Metric::Number(n as f64));
        Metrics {
            generation_tps: p.tokens_per_sec.map(Metric::Number),
            prompt_tokens: count(p.prompt_tokens),
            completion_tokens: count(p.completion_tokens),
            ttft_s: p.time_to_first_token_s.map(Metric::Number),
            load_s: p.model_load_time_s.map(Metric::Number),
            memory_gb: p.peak_ram_gb.or(p.ram_peak_mb.map(|mb| mb / 1e3)).map(Metric::Number),
            ..Metrics::default()
        }
    }

    /// What has no field of ours, kept under `metadata` so that nothing is lost.
    fn leftovers(&self) -> Map<String, Value> {
        let mut map = self.metadata.clone().unwrap_or_default();
        map.insert("schema_version".into(), self.schema_version.clone().into());
        map.insert("mlx_knife_version".into(), self.mlx_knife_version.clone().into());
        for (key, part) in [
            ("performance", serde_json::to_value(&self.performance)),
            ("stop_tokens", serde_json::to_value(&self.stop_tokens)),
            ("system", serde_json::to_value(&self.system)),
            ("timeline", serde_json::to_value(&self.timeline)),
        ] {
            if let Ok(value) = part
                && !value.is_null()
            {
                map.insert(key.into(), value);
            }
        }
        map
    }
}

impl LegacyHealth {
    fn upgrade(&self) -> SystemHealth {
        let flags = self.quality_flags.as_ref().map(|flags| {
            flags
                .iter()
                .filter_map(|flag| match flag.as_str() {
                    "clean" => Some(QualityFlag::Clean),
                    "degraded_swap" => Some(QualityFlag::DegradedSwap),
                    "degraded_zombies" => Some(QualityFlag::DegradedZombies),
                    "degraded_memory" | "degraded_ram" => Some(QualityFlag::DegradedRam),
                    _ => None,
                })
                .collect()
        });
        SystemHealth {
            ram_free_gb: self.ram_free_gb,
            swap_used_mb: self.swap_used_mb.or(self.swap_gb.map(|gb| gb * 1e3)),
            zombie_processes: self.zombie_processes.or(self.zombies_detected),
            quality_flags: flags,
        }
    }
}

/// The stem of the file and the name of the function of a pytest node id.
fn split_node_id(id: &str) -> (String, String) {
    let bare = id.split('[').next().unwrap_or(id);
    let case = bare.rsplit("::").next().unwrap_or(bare);
    let file = bare.split("::").next().unwrap_or(bare);
    let stem = file.rsplit('/').next().unwrap_or(file);
    (stem.strip_suffix(".py").unwrap_or(stem).to_owned(), case.to_owned())
}

#[cfg(test)]
mod tests {
    use super::LegacyTest;
    use crate::{Modality, Origin, Outcome, QualityFlag, parse};

    const LINE_0_1_0: &str = r#"{"schema_version": "0.1.0", "timestamp": "2025-11-16T10:30:00Z",
        "mlx_knife_version": "2.0.2", "test": "live/test_stop.py::test_stop[phi-3]", "outcome": "passed",
        "duration": 12.5, "model": {"id": "org/phi-3", "size_gb": 2.8},
        "performance": {"tokens_per_sec": 45.2, "ram_peak_mb": 3200, "prompt_tokens": 15},
        "stop_tokens": {"leaked": false}}"#;

    fn upgraded(line: &str) -> crate::Test {
        parse::<LegacyTest>(line.as_bytes()).unwrap().upgrade(&Origin::default()).unwrap()
    }

    #[test]
    fn the_timestamp_of_a_legacy_test_is_its_end() {
        let test = upgraded(LINE_0_1_0);
        assert_eq!((test.ts, test.end_ts), (1_763_288_987.5, Some(1_763_289_000.0)));
        assert_eq!((test.suite.as_str(), test.case.as_str()), ("test_stop", "test_stop"));
        assert_eq!(test.metrics.memory_gb.unwrap().value(), 3.2);
        assert_eq!(test.metadata.unwrap()["stop_tokens"]["leaked"], false);
    }

    #[test]
    fn precise_times_win_over_the_timestamp() {
        let test = upgraded(
            r#"{"schema_version":"0.2.2","timestamp":"2026-02-11T12:00:08Z","mlx_knife_version":"2.0.4",
                "test":"t.py::t","outcome":"passed","duration":9.0,"test_start_ts":100.0,"test_end_ts":101.5,
                "metadata":{"inference_modality":"audio"}}"#,
        );
        assert_eq!((test.ts, test.end_ts, test.duration_s), (100.0, Some(101.5), Some(9.0)));
        assert_eq!(test.modality, Some(Modality::Audio));
    }

    #[test]
    fn lines_that_crash_the_reference_are_read() {
        let test = upgraded(
            r#"{"schema_version":"0.2.0","timestamp":"2026-02-11T12:00:08+00:00","mlx_knife_version":"2.0.4",
                "test":"t.py::t","outcome":"failed","model":{"family":"phi"},
                "system_health":{"swap_gb":1.5,"zombies_detected":2,"quality_flags":["degraded_memory"]}}"#,
        );
        assert_eq!(test.outcome, Outcome::Failed);
        assert_eq!((test.model, test.duration_s), (None, None));
        let health = test.system_health.unwrap();
        assert_eq!((health.swap_used_mb, health.zombie_processes), (Some(1500.0), Some(2)));
        assert_eq!(health.quality_flags, Some(vec![QualityFlag::DegradedRam]));
    }

    #[test]
    fn a_line_may_carry_both_spellings_and_a_coarse_stamp() {
        let test = upgraded(
            r#"{"schema_version":"0.2.2","timestamp":"2026-02-11T12:00:08Z","mlx_knife_version":"2.0.4",
                "test":"t.py::t","outcome":"passed","duration":0.25,"test_start_ts":1770811208.5,
                "system_health":{"zombie_processes":1,"zombies_detected":1},
                "system":{"hardware_profile":{"model":"Mac14,13","model_identifier":"Mac14,13"}}}"#,
        );
        assert_eq!((test.ts, test.end_ts), (1_770_811_208.5, Some(1_770_811_208.75)));
        assert_eq!(test.system_health.unwrap().zombie_processes, Some(1));
    }

    #[test]
    fn a_bad_date_is_an_error_and_not_1970() {
        let line = LINE_0_1_0.replace("2025-11-16T10:30:00Z", "yesterday");
        let legacy: LegacyTest = parse(line.as_bytes()).unwrap();
        assert_eq!(
            legacy.upgrade(&Origin::default()).unwrap_err().0,
            "timestamp \"yesterday\" is no date"
        );
    }
}
