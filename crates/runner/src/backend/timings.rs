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
/// from a cache, the rest is too little to tell a speed by.
#[must_use]
pub fn prompt_tps(timings: &Map<String, Value>) -> Option<f64> {
    let get = |key: &str| timings.get(key).and_then(Value::as_f64);
    let from_cache = get("cache_n").unwrap_or(0.0) > 0.0;
    let llama_cpp = || Some((get("prompt_n")?, get("prompt_ms")? / 1e3));
    let ollama = || Some((get("prompt_eval_count")?, get("prompt_eval_duration")? / 1e9));
    let (n, seconds) = llama_cpp().or_else(ollama)?;
    (!from_cache && n > 0.0 && seconds > 0.0).then(|| n / seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{prompt_tps, timings};

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
        assert_eq!(
            (found["time_to_first_token"].as_f64(), prompt_tps(&found)),
            (Some(0.111), None)
        );
        assert_eq!(timings(&json!({"usage": {"prompt_tokens": 3}})), None);
    }

    #[test]
    fn prompt_speed_is_absent_after_a_cache_hit() {
        let of = |timings: serde_json::Value| prompt_tps(timings.as_object().unwrap());
        assert_eq!(of(json!({"cache_n": 24, "prompt_n": 8, "prompt_ms": 72.8})), None);
        assert_eq!(of(json!({"prompt_n": 0, "prompt_ms": 0})), None);
    }
}
