//! The JSON Schema (2020-12) of suites, for editors: made from the types.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use super::{AnyOf, Body, ByteSize, Span};
use crate::expect;

/// Where `{axis}` and `{key}` can stand for numbers and words: in what a case says.
const SUBSTITUTED: [&str; 17] = [
    "Swept_for_uint32",
    "Swept_for_uint64",
    "Swept_for_double",
    "CaseDef",
    "BenchDef",
    "BaselineDef",
    "BatchDef",
    "RampDef",
    "SamplesDef",
    "RequestDef",
    "Dataset",
    "DatasetForm",
    "TargetDef",
    "SkipForm",
    "XfailForm",
    "RetriesForm",
    "Only",
];

/// What a measurement sweeps over where it is a list.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
pub(super) enum Swept<T> {
    One(T),
    Each(Vec<T>),
}

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Body>().to_value();
    without_null(&mut schema);
    // Without an $id: taplo, which editors have, refuses one that is no whole URL.
    schema["title"] = json!("A suite of the runner");
    schema["properties"]["suite"]["const"] = json!(1);
    // Words of our own types are nothing to whoever writes a suite.
    if let Some(defs) = schema["$defs"].as_object_mut() {
        defs.insert("Expectation".to_owned(), expectation());
        for (name, def) in defs.iter_mut() {
            for list in ["/properties/expect", "/anyOf/1/properties/expect"] {
                if let Some(Value::Object(expect)) = def.pointer_mut(list) {
                    expect.insert("items".to_owned(), json!({"$ref": "#/$defs/Expectation"}));
                }
            }
            if SUBSTITUTED.contains(&name.as_str()) {
                or_placeholder(def);
            }
        }
    }
    schema
}

/// TOML has no null: what may be absent is left out.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("format");
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    map.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| *one != json!({"type": "null"}));
                if let [Value::Object(one)] = any.as_slice() {
                    let one = one.clone();
                    map.remove("anyOf");
                    map.extend(one);
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Lets `"{axis}"` stand wherever `def` wants a number, true or false.
fn or_placeholder(def: &mut Value) {
    let Value::Object(map) = def else {
        if let Value::Array(list) = def {
            list.iter_mut().for_each(or_placeholder);
        }
        return;
    };
    let typed = |map: &Map<String, Value>| {
        matches!(map.get("type").and_then(Value::as_str), Some("integer" | "number" | "boolean"))
    };
    for (key, value) in map.iter_mut() {
        match value {
            Value::Object(inner) if key == "properties" => {
                for field in inner.values_mut() {
                    match field {
                        Value::Object(field) if typed(field) => {
                            let description = field.remove("description");
                            let default = field.remove("default");
                            let own = Value::Object(std::mem::take(field));
                            let placeholder =
                                json!({"type": "string", "pattern": "^\\{[^{}]+\\}$"});
                            field.insert("anyOf".to_owned(), json!([own, placeholder]));
                            field.extend(description.map(|text| ("description".to_owned(), text)));
                            field.extend(default.map(|value| ("default".to_owned(), value)));
                        }
                        field => or_placeholder(field),
                    }
                }
            }
            value => or_placeholder(value),
        }
    }
}

/// An expectation, as far as a schema can say it: which words there are.
fn expectation() -> Value {
    let words: Map<String, Value> =
        expect::keys().into_iter().map(|word| (word.to_owned(), json!(true))).collect();
    json!({
        "description": "What must hold of the answer: one thing in each table.",
        "type": "object",
        "minProperties": 1,
        "properties": words,
        "additionalProperties": false,
    })
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["120s", "1m 30s", "500ms"]})
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"], "examples": ["11MB", "64KiB"]})
    }
}

impl<T: JsonSchema> JsonSchema for AnyOf<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("AnyOf_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}
