//! What servers report of their own time, each in its own shape.

use serde_json::{Map, Value};

/// Ollama's fields: counts, and durations in nanoseconds.
const OLLAMA: [&str; 6] = [
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
];

/// What the answer `body` says of the server's own time, under the server's own names:
/// llama.cpp's `timings`, LM Studio's `stats`, Ollama's durations.
#[must_use]
pub fn timings(body: &Value) -> Option<Map<String, Value>> {
    let object = |key: &str| body.get(key).and_then(Value::as_object).cloned();
    let ollama = || -> Option<Map<String, Value>> {
        body.get("eval_duration")?;
        let told = |key: &&str| Some(((*key).to_owned(), body.get(*key)?.clone()));
        Some(OLLAMA.iter().filter_map(told).collect())
    };
    object("timings").or_else(|| object("stats")).or_else(ollama)
}

/// Tokens a second of the prompt by the server's own clock. With part of the prompt
/// from a cache, these are those that were evaluated.
#[must_use]
pub fn prompt_tps(timings: &Map<String, Value>) -> Option<f64> {
    let n = number(timings, "prompt_n").or_else(|| number(timings, "prompt_eval_count"))?;
    let seconds = llama_prompt_s(timings).or_else(|| ollama_s(timings, "prompt_eval_duration"))?;
    (n > 0.0 && seconds > 0.0).then(|| n / seconds)
}

/// Seconds until its first token by the server's own clock.
#[must_use]
pub fn prompt_s(timings: &Map<String, Value>) -> Option<f64> {
    llama_prompt_s(timings)
        .or_else(|| ollama_s(timings, "prompt_eval_duration"))
        .or_else(|| number(timings, "time_to_first_token"))
}

/// Tokens a second of the answer by the server's own clock, after the first token. Of
/// llama.cpp by its count and its time, whatever its version divides by: its clock starts
/// when the first token is there, so n tokens took n − 1 steps.
#[must_use]
pub fn generation_tps(timings: &Map<String, Value>) -> Option<f64> {
    let rate = |n: f64, seconds: f64| (n > 0.0 && seconds > 0.0).then(|| n / seconds);
    let llama_cpp =
        || rate(number(timings, "predicted_n")? - 1.0, number(timings, "predicted_ms")? / 1e3);
    let ollama = || rate(number(timings, "eval_count")?, ollama_s(timings, "eval_duration")?);
    llama_cpp().or_else(ollama).or_else(|| number(timings, "tokens_per_second"))
}

/// Tokens of the prompt that came from the server's cache.
#[must_use]
pub fn cached_tokens(timings: &Map<String, Value>) -> Option<u64> {
    timings.get("cache_n").and_then(Value::as_u64)
}

fn number(timings: &Map<String, Value>, key: &str) -> Option<f64> {
    timings.get(key).and_then(Value::as_f64)
}

fn llama_prompt_s(timings: &Map<String, Value>) -> Option<f64> {
    number(timings, "prompt_ms").map(|ms| ms / 1e3)
}

fn ollama_s(timings: &Map<String, Value>, key: &str) -> Option<f64> {
    number(timings, key).map(|ns| ns / 1e9)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cached_tokens, generation_tps, prompt_s, prompt_tps, timings};

    #[test]
    fn each_server_tells_time_in_its_own_shape() {
        let llama =
            json!({"choices": [], "timings": {"cache_n": 0, "prompt_n": 37, "prompt_ms": 185.0}});
        assert_eq!(prompt_tps(&timings(&llama).unwrap()), Some(200.0));
        let ollama = json!({"message": {"content": "4"}, "done": true, "total_duration": 5_043_500_667_u64,
            "load_duration": 5_025_959, "prompt_eval_count": 26, "prompt_eval_duration": 325_000_000,
            "eval_count": 290, "eval_duration": 4_709_213_000_u64});
        let found = timings(&ollama).unwrap();
        assert_eq!((found.len(), prompt_tps(&found)), (6, Some(80.0)));
        let lmstudio = json!({"stats": {"tokens_per_second": 51.4, "time_to_first_token": 0.111}});
        let found = timings(&lmstudio).unwrap();
        assert_eq!((prompt_s(&found), prompt_tps(&found)), (Some(0.111), None));
        assert_eq!(timings(&json!({"usage": {"prompt_tokens": 3}})), None);
    }

    #[test]
    fn a_cache_hit_is_told_and_speed_is_of_what_was_evaluated() {
        let of = |timings: serde_json::Value| timings.as_object().unwrap().clone();
        let hit = of(json!({"cache_n": 24, "prompt_n": 8, "prompt_ms": 80.0}));
        assert_eq!((cached_tokens(&hit), prompt_tps(&hit)), (Some(24), Some(100.0)));
        assert_eq!(prompt_tps(&of(json!({"prompt_n": 0, "prompt_ms": 0}))), None);
    }

    #[test]
    fn the_answers_speed_is_by_the_gaps_between_its_tokens() {
        let of = |timings: serde_json::Value| generation_tps(timings.as_object().unwrap());
        // Whatever the build says itself, which has changed.
        let said =
            json!({"predicted_n": 101, "predicted_ms": 2000.0, "predicted_per_second": 50.5});
        assert_eq!(of(said), Some(50.0));
        assert_eq!(of(json!({"predicted_n": 1, "predicted_ms": 2.0})), None);
        assert_eq!(of(json!({"eval_count": 10, "eval_duration": 2_000_000_000u64})), Some(5.0));
        assert_eq!(of(json!({"tokens_per_second": 51.4})), Some(51.4));
    }
}
