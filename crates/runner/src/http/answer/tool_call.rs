//! Calls of tools: as backends report them, and as models write them where the backend
//! leaves that in the text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The backend's name for it, to which the result is an answer.
    pub id: Option<String>,
    /// The tool.
    pub name: String,
    /// Its arguments; or what stands in their place and is no JSON object.
    pub arguments: Result<Value, String>,
    /// Who found it.
    pub source: Source,
}

/// Who found a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The backend reports it.
    Native,
    /// It stands in the text.
    Text,
}

impl ToolCall {
    /// For the record.
    #[must_use]
    pub fn shown(&self) -> Value {
        let source = match self.source {
            Source::Native => "native",
            Source::Text => "text",
        };
        match &self.arguments {
            Ok(arguments) => json!({"name": self.name, "arguments": arguments, "source": source}),
            Err(found) => json!({
                "name": self.name, "arguments": found, "source": source,
                "fault": "the arguments are no JSON object",
            }),
        }
    }

    /// As it is sent back in a conversation.
    #[must_use]
    pub fn sent(&self) -> Value {
        let arguments = match &self.arguments {
            Ok(arguments) => arguments.to_string(),
            Err(found) => found.clone(),
        };
        json!({
            "id": self.id, "type": "function",
            "function": {"name": self.name, "arguments": arguments},
        })
    }
}

/// The calls that a message reports.
pub(super) fn native(message: &Value) -> Vec<ToolCall> {
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    calls
        .filter_map(|call| {
            let function = call.get("function").unwrap_or(call);
            Some(ToolCall {
                id: call["id"].as_str().map(str::to_owned),
                name: function["name"].as_str()?.to_owned(),
                arguments: arguments(&function["arguments"]),
                source: Source::Native,
            })
        })
        .collect()
}

/// Arguments as an object, or as a text that holds one. None are an empty object.
fn arguments(value: &Value) -> Result<Value, String> {
    match value {
        Value::Null => Ok(json!({})),
        Value::Object(_) => Ok(value.clone()),
        Value::String(text) if text.trim().is_empty() => Ok(json!({})),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(object @ Value::Object(_)) => Ok(object),
            _ => Err(text.clone()),
        },
        other => Err(other.to_string()),
    }
}

/// Calls that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    index: u64,
    id: Option<String>,
    name: String,
    arguments: String,
}

impl Pieces {
    /// Adds those of a delta; whether there was something in them.
    pub(super) fn add(&mut self, delta: &Value) -> bool {
        let mut any = false;
        for (call, n) in delta["tool_calls"].as_array().into_iter().flatten().zip(0..) {
            let index = call["index"].as_u64().unwrap_or(n);
            let at = self.0.iter().position(|piece| piece.index == index).unwrap_or_else(|| {
                let empty =
                    Piece { index, id: None, name: String::new(), arguments: String::new() };
                self.0.push(empty);
                self.0.len() - 1
            });
            let piece = &mut self.0[at];
            if let Some(id) = call["id"].as_str().filter(|id| !id.is_empty()) {
                piece.id = Some(id.to_owned());
            }
            let function = &call["function"];
            let name = function["name"].as_str().unwrap_or_default();
            // Some servers send the whole of the arguments as an object.
            let more = match &function["arguments"] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            // Some repeat the name in every piece.
            if piece.name != name {
                piece.name.push_str(name);
            }
            piece.arguments.push_str(&more);
            any |= !name.is_empty() || !more.is_empty();
        }
        any
    }

    /// As an answer in one piece would have them.
    pub(super) fn assembled(&self) -> Option<Value> {
        let calls = self.0.iter().map(|piece| {
            json!({
                "id": piece.id, "type": "function",
                "function": {"name": piece.name, "arguments": piece.arguments},
            })
        });
        (!self.0.is_empty()).then(|| calls.collect())
    }
}

/// Where a call in JSON begins: Hermes and Qwen; Mistral; Llama 3; Phi and Granite.
const MARKERS: [&str; 4] = ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call|>"];

/// What a model wrote, by the patterns of those that do not write JSON alone.
struct Patterns {
    /// Mistral since v11: `[TOOL_CALLS]name[CALL_ID]id[ARGS]{…}`.
    named: Regex,
    /// gpt-oss: `<|channel|>commentary to=functions.name <|constrain|>json<|message|>{…}`.
    harmony: Regex,
    /// Qwen3-Coder: `<function=name>…</function>`.
    function: Regex,
    /// And in it `<parameter=key>value</parameter>`.
    parameter: Regex,
    /// GLM: `<tool_call>name`, and pairs of keys and values.
    glm: Regex,
    pair: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let of = |pattern| Regex::new(pattern).ok();
    Some(Patterns {
        named: of(r"\[TOOL_CALLS\]\s*([\w.-]+)\s*(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\])?\s*\{")?,
        harmony: of(r"to=functions\.([\w.-]+)[^{}]*?<\|message\|>\s*")?,
        function: of(r"(?s)<function=([\w.-]+)>(.*?)(?:</function>|\z)")?,
        parameter: of(r"(?s)<parameter=([\w.-]+)>\n?(.*?)\n?(?:</parameter>|\z)")?,
        glm: of(r"(?s)<tool_call>\s*([\w.-]+)\s*((?:<arg_key>.*?)?)\s*</tool_call>")?,
        pair: of(r"(?s)<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>")?,
    })
});

/// The calls that stand in the text of an answer.
#[must_use]
pub(crate) fn from_text(text: &str) -> Vec<ToolCall> {
    let Some(patterns) = PATTERNS.as_ref() else { return Vec::new() };
    if text.contains("<function=") {
        return patterns.functions(text);
    }
    if text.contains("to=functions.") {
        return patterns.harmony(text);
    }
    let named = patterns.named(text);
    if !named.is_empty() {
        return named;
    }
    let glm = patterns.glm(text);
    if !glm.is_empty() {
        return glm;
    }
    let marked = MARKERS.iter().flat_map(|marker| text.match_indices(marker));
    let mut starts: Vec<usize> = marked.map(|(at, marker)| at + marker.len()).collect();
    starts.sort_unstable();
    if starts.is_empty() {
        return alone(text);
    }
    starts.into_iter().flat_map(|start| marked_call(&text[start..])).collect()
}

/// Llama 3 and others write nothing but the object. Any other JSON is an answer.
fn alone(text: &str) -> Vec<ToolCall> {
    let (found, rest) = objects(text);
    let calls: Option<Vec<ToolCall>> = found.iter().map(of_value).collect();
    calls.filter(|_| rest.trim().is_empty()).unwrap_or_default()
}

/// What is marked as a call and cannot be read is one with a fault.
fn marked_call(text: &str) -> Vec<ToolCall> {
    let (found, rest) = objects(text);
    if found.is_empty() {
        let piece = rest.trim().chars().take(200).collect();
        return vec![ToolCall {
            id: None,
            name: String::new(),
            arguments: Err(piece),
            source: Source::Text,
        }];
    }
    found.iter().filter_map(of_value).collect()
}

/// The JSON at the beginning of `text` (objects between semicolons, lists taken apart),
/// and what follows it.
fn objects(text: &str) -> (Vec<Value>, &str) {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Array(list))) => found.extend(list),
            Some(Ok(value)) => found.push(value),
            _ => return (found, rest),
        }
        rest = rest[values.byte_offset()..].trim_start();
        match rest.strip_prefix(';') {
            Some(next) => rest = next,
            None => return (found, rest),
        }
    }
}

/// `{"name": …, "arguments": …}`, with `parameters` for Llama 3.
fn of_value(value: &Value) -> Option<ToolCall> {
    let function = value.get("function").filter(|inner| inner.is_object()).unwrap_or(value);
    let given = function.get("arguments").or_else(|| function.get("parameters"))?;
    Some(ToolCall {
        id: value["id"].as_str().map(str::to_owned),
        name: function["name"].as_str()?.to_owned(),
        arguments: arguments(given),
        source: Source::Text,
    })
}

impl Patterns {
    fn functions(&self, text: &str) -> Vec<ToolCall> {
        let calls = self.function.captures_iter(text).map(|call| {
            let given = self
                .parameter
                .captures_iter(&call[2])
                .map(|pair| (pair[1].to_owned(), written(&pair[2])));
            of_text(&call[1], given.collect())
        });
        calls.collect()
    }

    fn glm(&self, text: &str) -> Vec<ToolCall> {
        let calls = self.glm.captures_iter(text).map(|call| {
            let given = self
                .pair
                .captures_iter(&call[2])
                .map(|pair| (pair[1].trim().to_owned(), written(&pair[2])));
            of_text(&call[1], given.collect())
        });
        calls.collect()
    }

    fn harmony(&self, text: &str) -> Vec<ToolCall> {
        let calls = self.harmony.captures_iter(text).filter_map(|call| {
            let end = call.get(0)?.end();
            Some(with_json(&call[1], &text[end..]))
        });
        calls.collect()
    }

    fn named(&self, text: &str) -> Vec<ToolCall> {
        let calls = self.named.captures_iter(text).filter_map(|call| {
            // The brace is the beginning of the arguments.
            let open = call.get(0)?.end() - 1;
            Some(with_json(&call[1], &text[open..]))
        });
        calls.collect()
    }
}

fn of_text(name: &str, given: Map<String, Value>) -> ToolCall {
    let arguments = Ok(Value::Object(given));
    ToolCall { id: None, name: name.to_owned(), arguments, source: Source::Text }
}

/// A call whose arguments are the JSON at the beginning of `text`.
fn with_json(name: &str, text: &str) -> ToolCall {
    let first = serde_json::Deserializer::from_str(text).into_iter::<Value>().next();
    let arguments = match first {
        Some(Ok(object @ Value::Object(_))) => Ok(object),
        _ => Err(text.chars().take(200).collect()),
    };
    ToolCall { id: None, name: name.to_owned(), arguments, source: Source::Text }
}

/// A value that is written without quotes: numbers, lists and objects are what they look
/// like, anything else is a text.
fn written(text: &str) -> Value {
    match serde_json::from_str(text.trim()) {
        Ok(Value::Null | Value::String(_)) | Err(_) => json!(text.trim()),
        Ok(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Source, from_text, native};

    fn shown(text: &str) -> Vec<(String, Value)> {
        from_text(text)
            .into_iter()
            .map(|call| {
                assert_eq!(call.source, Source::Text);
                (call.name, call.arguments.unwrap_or_else(|text| json!({"broken": text})))
            })
            .collect()
    }

    #[test]
    fn calls_are_found_in_every_form_that_models_write() {
        let paris = vec![("get_weather".to_owned(), json!({"city": "Paris"}))];
        for text in [
            // Hermes, Qwen
            "Sure.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": \\\"Paris\\\"}\"}</tool_call>",
            // Mistral, old and new
            "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}, \"id\": \"a\"}]",
            "[TOOL_CALLS]get_weather[ARGS]{\"city\": \"Paris\"}",
            "[TOOL_CALLS]get_weather[CALL_ID]VvvODy9mT[ARGS]{\"city\": \"Paris\"}",
            // Llama 3
            "<|python_tag|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "{\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            " {\"type\": \"function\", \"function\": {\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}}\n",
            // Qwen3-Coder
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
            // GLM
            "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
            // gpt-oss
            "<|channel|>analysis<|message|>I need it.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{\"city\":\"Paris\"}<|call|>",
            "<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{\"city\":\"Paris\"}",
            // Phi, Granite
            "<|tool_call|>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]<|/tool_call|>",
        ] {
            assert_eq!(shown(text), paris, "{text}");
        }
    }

    #[test]
    fn several_calls_are_several() {
        for text in [
            "<tool_call>{\"name\":\"a\",\"arguments\":{}}</tool_call>\n<tool_call>{\"name\":\"b\",\"arguments\":{\"n\":2}}</tool_call>",
            "[TOOL_CALLS][{\"name\":\"a\",\"arguments\":{}},{\"name\":\"b\",\"arguments\":{\"n\":2}}]",
            "[TOOL_CALLS]a[ARGS]{}[TOOL_CALLS]b[ARGS]{\"n\":2}",
            "<|python_tag|>{\"name\":\"a\",\"parameters\":{}}; {\"name\":\"b\",\"parameters\":{\"n\":2}}",
            "{\"name\":\"a\",\"parameters\":{}};{\"name\":\"b\",\"parameters\":{\"n\":2}}",
            "<function=a></function><function=b><parameter=n>2</parameter></function>",
        ] {
            assert_eq!(
                shown(text),
                [("a".into(), json!({})), ("b".into(), json!({"n": 2}))],
                "{text}"
            );
        }
    }

    #[test]
    fn an_answer_that_only_looks_like_a_call_is_none() {
        for text in [
            "The weather in Paris is fine.",
            "{\"name\": \"Ada\", \"age\": 36}",
            "[1, 2]",
            "{\"name\": \"f\", \"arguments\": {}} is how a call looks.",
            "Use `get_weather` for that.",
            "",
        ] {
            assert_eq!(from_text(text), [], "{text}");
        }
    }

    #[test]
    fn a_call_that_cannot_be_read_is_one_with_a_fault() {
        for (text, name) in [
            ("<tool_call>{\"name\": \"f\", \"arguments\": {\"a\"", ""),
            ("[TOOL_CALLS]f[ARGS]{\"a\": ", "f"),
            ("<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>", "f"),
        ] {
            let calls = from_text(text);
            assert_eq!((calls.len(), calls[0].name.as_str()), (1, name), "{text}");
            assert!(calls[0].arguments.is_err());
            assert!(calls[0].shown()["fault"].is_string());
        }
    }

    #[test]
    fn calls_that_the_backend_reports_have_their_arguments_in_a_text() {
        let message = json!({"tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}},
            {"function": {"name": "g", "arguments": ""}},
            {"function": {"name": "h", "arguments": "{a"}},
        ]});
        let calls = native(&message);
        assert_eq!((calls[0].id.as_deref(), calls[0].source), (Some("c"), Source::Native));
        assert_eq!(calls[0].arguments, Ok(json!({"a": 1})));
        assert_eq!(calls[1].arguments, Ok(json!({})));
        assert_eq!(calls[2].arguments, Err("{a".into()));
        let sent = calls[0].sent();
        assert_eq!(
            (&sent["id"], &sent["function"]["arguments"]),
            (&json!("c"), &json!("{\"a\":1}"))
        );
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(
            text in "([a-z{}\\[\\]\":,;é ]|<tool_call>|\\[TOOL_CALLS\\]|<function=a>|\\[ARGS\\]|to=functions.a<\\|message\\|>|<\\|python_tag\\|>){0,12}"
        ) {
            for call in from_text(&text) {
                let _ = (call.shown(), call.sent());
            }
        }
    }
}
