//! Every kind of request, to real servers with real models.

use std::{fs, sync::OnceLock};

use serde_json::{Value, json};

use crate::tools::{root, setup, stderr, tool};

/// llama.cpp with a chat template that knows tools, and with embeddings; Whisper; and a
/// server that reads pictures.
const BACKENDS: &str = r#"
suite = 1
name = "requests"
defaults = { timeout = "120s", seed = 42, temperature = 0.0 }
[backend.llama]
kind = "llama-server"
command = ["ROOT/examples/backends/llama-server", "-m", "{path}", "--host", "{host}", "--port", "{port}", "-c", "2048", "--jinja", "--chat-template-file", "ROOT/examples/backends/tools.jinja", "--embedding", "--pooling", "mean"]
[backend.plain]
kind = "llama-server"
command = ["ROOT/examples/backends/llama-server", "-m", "{path}", "--host", "{host}", "--port", "{port}", "-c", "1024", "--jinja"]
[backend.whisper]
kind = "openai"
command = ["ROOT/examples/backends/whisper-server", "-m", "{path}", "--host", "{host}", "--port", "{port}"]
ready = { get = "/health" }
[backend.ocr]
kind = "openai"
command = ["ROOT/examples/backends/ocr-server", "--host", "{host}", "--port", "{port}"]
ready = { get = "/health" }
[[model]]
id = "smollm2"
modality = ["text", "tools"]
on.llama = { path = "ROOT/target/backends/models/SmolLM2-135M-Instruct.Q4_1.gguf" }
[[model]]
id = "smollm2-plain"
modality = ["text"]
on.plain = { path = "ROOT/target/backends/models/SmolLM2-135M-Instruct.Q4_1.gguf" }
[[model]]
id = "whisper"
modality = ["audio"]
on.whisper = { path = "ROOT/target/backends/models/whisper-base" }
[[model]]
id = "rapidocr"
modality = ["vision"]
on.ocr = {}
"#;

const TOOLS: &str = r#"tools = [{ type = "function", function = { name = "get_weather", description = "Weather of a city", parameters = { type = "object", properties = { city = { type = "string" } }, required = ["city"] } } }]
messages = [
  { role = "user", content = "What is the weather in Berlin?" },
  { role = "assistant", content = "", tool_calls = [{ id = "call_1", type = "function", function = { name = "get_weather", arguments = '{"city": "Berlin"}' } }] },
]
"#;

const CASES: &str = r#"
[[case]]
name = "tools"
needs = ["tools"]
expect = [{ tool_calls = { name = "get_weather", arguments = { city = { icontains = "paris" } }, count = 1, native = true } }, { finish_reason = "tool_calls" }]
[case.request]
api = "chat"
max_tokens = 64
turns = ["What is the weather in Paris?"]
TOOLS
[[case]]
name = "tools-streamed"
needs = ["tools"]
expect = [{ sse = true }, { tool_calls = { name = "get_weather", json_schema = { required = ["city"] }, native = true } }, { ttft_s = { min = 0.0 } }]
[case.request]
api = "chat"
stream = true
max_tokens = 64
turns = ["What is the weather in Paris?"]
TOOLS
[[case]]
name = "tools-round"
needs = ["tools"]
expect = [{ text = { not_empty = true } }, { finish_reason = ["stop", "length"] }]
[case.request]
api = "chat"
max_tokens = 48
turns = [
  { prompt = "What is the weather in Paris?", expect = [{ tool_calls = { name = "get_weather" } }] },
  { tool_results = { get_weather = "sunny, 18 degrees" } },
]
TOOLS
[[case]]
name = "schema"
needs = ["tools"]
expect = [{ finish_reason = "stop" }]
[case.request]
api = "chat"
prompt = "Ada is 36 years old. Give her name and age as JSON."
max_tokens = 64
response_schema = { type = "object", properties = { name = { type = "string", maxLength = 20 }, age = { type = "integer", minimum = 0, maximum = 150 } }, required = ["name", "age"], additionalProperties = false }
[[case]]
name = "turns"
needs = ["tools"]
expect = [{ text = { not_empty = true } }, { prompt_tokens = { min = 30 } }]
request = { api = "chat", system = "You are helpful.", turns = ["My name is Ada.", "What is my name?"], max_tokens = 24 }
[[case]]
name = "completion"
needs = ["tools"]
expect = [{ text = { not_empty = true, chars = { max = 200 } } }, { completion_tokens = { min = 8, max = 8 } }, { finish_reason = "length" }]
request = { api = "completion", prompt = "Once upon a time", max_tokens = 8 }
[[case]]
name = "completion-streamed"
needs = ["tools"]
expect = [{ sse = true }, { chunks = { min = 4 } }, { path = "$.choices[0].text", type = "string", length = { min = 4 } }, { generation_tps = { min = 0.1 } }]
request = { api = "completion", stream = true, prompt = "Once upon a time", max_tokens = 8 }
[[case]]
name = "embedding"
needs = ["tools"]
expect = [{ path = "$.data[1].embedding", length = 576 }, { path = "$.data[0].embedding[0]", type = "number" }, { prompt_tokens = { min = 2 } }]
request = { api = "embedding", input = ["a cat", "a dog"] }
[[case]]
name = "embedding-unsupported"
needs = ["text"]
only = { backend = "plain" }
request = { api = "embedding", prompt = "a cat", unsupported = "skip" }
[[case]]
name = "models"
needs = ["tools"]
expect = [{ path = "$.data[0].id", type = "string", contains = "SmolLM2" }]
request = { api = "http", path = "/v1/models" }
[[case]]
name = "no-such-path"
needs = ["tools"]
expect = [{ status = 404 }]
request = { api = "http", path = "/v1/nothing" }
[[case]]
name = "oversize"
needs = ["tools"]
expect = [{ status = 400 }, { path = "$.error.message", icontains = "context" }]
request = { api = "chat", body_bytes = "1MB", max_tokens = 4 }
[[case]]
name = "garbage"
needs = ["tools"]
expect = [{ status = [400, 500] }, { text = { not_empty = true } }]
request = { api = "chat", raw = '{"messages": [' }
[[case]]
name = "sums"
needs = ["tools"]
dataset = "sums.jsonl"
request = { api = "chat", prompt = "What is {sum}? Answer with a number.", max_tokens = 12 }
expect = [{ text = { contains = "{is}" } }, { accuracy = { min = 0.3 } }, { completion_tokens = { max = 12 } }]
[[case.target]]
metric = "ttft_s"
max = 60.0
[[case]]
name = "sums-streamed"
needs = ["tools"]
dataset = { file = "sums.jsonl", n = 2 }
request = { api = "chat", stream = true, prompt = "What is {sum}? Answer with a number.", max_tokens = 12 }
expect = [{ text = { not_empty = true } }, { sse = true }]
[[case.target]]
metric = "ttft_s"
stat = "median"
max = 60.0
on_miss = "fail"
"#;

const SOUND: &str = r#"
[[case]]
name = "sound-FORMAT"
needs = ["audio"]
request = { api = "transcription", file = "ROOT/target/backends/speech/weather.FILE", language = "en", response_format = "FORMAT" }
expect = [{ status = 200 }, { text = { wer = { reference = "REFERENCE", max = 0.2 } } }]
"#;

const PICTURES: &str = r#"
[[case]]
name = "no-sound"
needs = ["audio"]
request = { api = "transcription", file = "suite.toml" }
expect = [{ status = 400 }]
[[case]]
name = "long-silence"
needs = ["audio"]
request = { api = "transcription", body_bytes = "40MB" }
expect = [{ status = 413 }]
[[case]]
name = "picture"
needs = ["vision"]
request = { api = "chat", prompt = "What does it say?", images = ["ROOT/target/backends/pictures/contract.png"] }
expect = [{ text = { icontains = "ada lovelace" } }]
[[case]]
name = "two-pictures"
needs = ["vision"]
request = { api = "chat", stream = true, prompt = "Read both.", images = ["ROOT/target/backends/pictures/mug.jpg", "ROOT/target/backends/pictures/chess.png"] }
expect = [{ sse = true }, { text = { regex = "(?s)BLUE.*CHECK" } }]
[[case]]
name = "text-only"
needs = ["vision"]
request = { api = "chat", prompt = "Hello" }
expect = [{ status = 400 }]
"#;

fn results() -> &'static Vec<Value> {
    static RESULTS: OnceLock<Vec<Value>> = OnceLock::new();
    RESULTS.get_or_init(|| {
        setup(&["llama", "whisper", "ocr"]);
        let folder = tempfile::tempdir().unwrap();
        let reference = root().join("target/backends/speech/weather.txt");
        let reference = fs::read_to_string(reference).unwrap().trim().to_owned();
        let mut suite = BACKENDS.to_owned() + &CASES.replace("TOOLS", TOOLS) + PICTURES;
        for format in ["json", "text", "verbose_json", "srt", "vtt"] {
            suite += &SOUND.replace("FORMAT", format).replace("REFERENCE", &reference);
        }
        let suite = suite.replace("weather.FILE", "weather.wav");
        let suite = suite.replace("ROOT", root().to_str().unwrap());
        let rows = [("1+1", 2), ("2+2", 4), ("3+3", 6), ("2+3", 5)];
        let rows = rows.map(|(sum, is)| format!("{}\n", json!({"sum": sum, "is": is.to_string()})));
        fs::write(folder.path().join("sums.jsonl"), rows.concat()).unwrap();
        fs::write(folder.path().join("suite.toml"), suite).unwrap();
        let output = tool("runner")
            .arg(folder.path().join("suite.toml"))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let tests: Vec<Value> = lines.filter(|line| line["record"] == "test").collect();
        assert!(!tests.is_empty(), "{}", stderr(&output));
        tests
    })
}

fn result(case: &str, backend: &str) -> &'static Value {
    let of = |test: &&Value| test["case"] == case && test["params"]["backend"] == backend;
    results().iter().find(of).unwrap_or_else(|| panic!("no result of {case} on {backend}"))
}

fn passed(case: &str, backend: &str) -> &'static Value {
    let test = result(case, backend);
    assert_eq!(test["outcome"], "passed", "{case}: {test:#}");
    test
}

#[test]
fn a_real_model_calls_a_tool_streamed_or_not_and_hears_what_the_tool_says() {
    let test = passed("tools", "llama");
    assert_eq!(test["checks"][0]["actual"][0]["source"], "native");
    assert!(passed("tools-streamed", "llama")["metrics"]["ttft_s"].is_number());
    let round = passed("tools-round", "llama");
    assert_eq!(round["metadata"]["turns"][0]["tool_calls"][0]["name"], "get_weather");
    assert_eq!(round["metadata"]["turns"].as_array().unwrap().len(), 2);
}

#[test]
fn a_real_answer_meets_its_schema_and_a_conversation_goes_on() {
    let test = passed("schema", "llama");
    // Checked without being asked for.
    assert_eq!(test["checks"][1]["expect"]["text"]["json_schema"], "response_schema");
    let turns = passed("turns", "llama");
    assert_eq!(turns["metadata"]["turns"].as_array().unwrap().len(), 2);
}

#[test]
fn completions_embeddings_and_other_paths_are_answered_for_real() {
    for case in ["completion", "completion-streamed", "embedding", "models", "no-such-path"] {
        passed(case, "llama");
    }
    let skipped = result("embedding-unsupported", "plain");
    assert_eq!(skipped["outcome"], "skipped", "{skipped:#}");
    assert!(skipped["reason"].as_str().unwrap().contains("HTTP status 501"), "{skipped}");
}

#[test]
fn a_real_server_refuses_what_is_too_large_or_broken() {
    passed("oversize", "llama");
    passed("garbage", "llama");
    passed("long-silence", "whisper");
    passed("no-sound", "whisper");
    passed("text-only", "ocr");
}

#[test]
fn a_real_dataset_has_one_result_with_accuracy_and_latencies() {
    // Not streamed, so there is no first token to be timed: the target is an error.
    let sums = result("sums", "llama");
    assert_eq!(sums["outcome"], "error", "{sums:#}");
    assert_eq!(sums["error"]["kind"], "missing_metric");
    assert_eq!(sums["metrics"]["accuracy"]["total"], 4);
    assert_eq!(sums["metrics"]["e2e_s"]["n"], 4);
    let streamed = passed("sums-streamed", "llama");
    assert_eq!(streamed["metrics"]["accuracy"], json!({"correct": 2, "total": 2}));
    assert_eq!(streamed["targets"][0]["ok"], true);
}

#[test]
fn real_speech_is_understood_in_every_format_with_its_real_time_factor() {
    for format in ["json", "text", "verbose_json", "srt", "vtt"] {
        let test = passed(&format!("sound-{format}"), "whisper");
        let metric = |name: &str| test["metrics"][name].as_f64().unwrap();
        assert!(metric("audio_s") > 0.5, "{test}");
        let rtfx = metric("audio_s") / metric("e2e_s");
        assert!((metric("rtfx") - rtfx).abs() < 0.01, "{test}");
    }
}

#[test]
fn real_pictures_are_read() {
    passed("picture", "ocr");
    passed("two-pictures", "ocr");
}
