//! Keeps `schemas/` and the tables of `docs/records.md` equal to the types.
//!
//! `BLESS=1 cargo test -p records` (or `just bless`) writes both anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use records::{Kind, legacy, schema};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn bless() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// The schema of `T`, with what its fields' names say of their ranges.
fn schema_of<T: JsonSchema>(name: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = serde_json::to_value(generator.into_root_schema_for::<T>()).unwrap();
    tidy(&mut schema);
    schema["$id"] = json!(format!("{name}.schema.json"));
    schema
}

fn schema_of_record<T: JsonSchema + records::Record>() -> (String, Value) {
    let name = schema::name_of(T::KIND).to_owned();
    let mut schema = schema_of::<T>(&name);
    let describe = |field: &Value| field["description"].clone();
    let properties = &mut schema["properties"];
    properties["record"] =
        json!({"description": describe(&properties["record"]), "const": T::KIND.name()});
    properties["v"] = json!({"description": describe(&properties["v"]), "const": records::VERSION});
    schema["$defs"].as_object_mut().map(|defs| defs.remove("Kind"));
    (name, schema)
}

/// Drops what JSON Schema does not define and adds ranges that units imply.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("format");
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                for (name, field) in properties.iter_mut() {
                    limit(name, field);
                }
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn limit(name: &str, field: &mut Value) {
    let Some(field) = field.as_object_mut() else {
        return;
    };
    let is_number = field.get("type").is_some_and(|t| t.to_string().contains("number"));
    let share = name.ends_with("_pct") || name.ends_with("_util") || name.starts_with("cpu_");
    let measured =
        ["_s", "_gb", "_mb", "_ms", "_w", "_tps", "_b"].iter().any(|unit| name.ends_with(unit));
    let signed = name.contains("delta") || name.contains("returned") || name == "saves_s";
    if is_number && (share || name == "coverage") {
        field.insert("minimum".into(), json!(0));
        field.insert("maximum".into(), json!(if share { 100 } else { 1 }));
    } else if is_number && (measured || matches!(name, "ts" | "end_ts")) && !signed {
        field.insert("minimum".into(), json!(0));
    }
    if name == "memory_pressure" {
        let nullable = field.get("type").is_some_and(Value::is_array);
        field.retain(|key, _| key == "description");
        field.insert(
            "enum".into(),
            if nullable { json!([1, 2, 4, null]) } else { json!([1, 2, 4]) },
        );
    }
}

fn generated() -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = [
        schema_of_record::<records::Stream>(),
        schema_of_record::<records::Sample>(),
        schema_of_record::<records::Summary>(),
        schema_of_record::<records::RunStart>(),
        schema_of_record::<records::RunEnd>(),
        schema_of_record::<records::Begin>(),
        schema_of_record::<records::Span>(),
        schema_of_record::<records::Attempt>(),
        schema_of_record::<records::Request>(),
        schema_of_record::<records::Test>(),
        schema_of_record::<records::ModelLife>(),
        schema_of_record::<records::Advice>(),
        schema_of_record::<records::Anomaly>(),
    ]
    .into();
    for (name, versions) in [
        ("mlx-knife-test.v0.1", json!(["0.1.0"])),
        ("mlx-knife-test.v0.2", json!(["0.2.0", "0.2.1", "0.2.2"])),
    ] {
        let mut schema = schema_of::<legacy::LegacyTest>(name);
        let field = &mut schema["properties"]["schema_version"];
        *field = json!({"description": field["description"], "enum": versions});
        all.insert(name.into(), schema);
    }
    let sample = schema_of::<legacy::LegacySample>("mlx-knife-sample");
    all.insert("mlx-knife-sample".into(), sample);
    let summary = schema_of::<legacy::LegacySummaryLine>("mlx-knife-summary");
    all.insert("mlx-knife-summary".into(), summary);
    all
}

#[test]
fn the_schemas_on_disk_are_those_of_the_types() {
    let names: Vec<&str> = schema::SCHEMAS.iter().map(|schema| schema.name).collect();
    let all = generated();
    assert_eq!(all.len(), names.len());
    for (name, schema) in &all {
        let path = root().join(format!("schemas/{name}.schema.json"));
        let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
        if bless() {
            fs::write(&path, &text).unwrap();
        }
        let on_disk = fs::read_to_string(&path).unwrap();
        assert!(on_disk == text, "{} is out of date: run `just bless`", path.display());
    }
}

#[test]
fn the_tables_of_the_record_documentation_are_those_of_the_types() {
    let path = root().join("docs/records.md");
    let old = fs::read_to_string(&path).unwrap();
    let new = with_tables(&old);
    if bless() {
        fs::write(&path, &new).unwrap();
    } else {
        assert!(old == new, "docs/records.md is out of date: run `just bless`");
    }
}

/// `text` with what stands between `<!-- fields: NAME -->` and `<!-- end -->` made anew.
fn with_tables(text: &str) -> String {
    let all = generated();
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(name) =
            line.strip_prefix("<!-- fields: ").and_then(|rest| rest.strip_suffix(" -->"))
        {
            writeln!(out, "{line}\n").unwrap();
            let schema = if name == "objects" { objects(&all) } else { table(&all[name]) };
            out.push_str(&schema);
            inside = true;
        } else if line == "<!-- end -->" {
            inside = false;
            writeln!(out, "{line}").unwrap();
        } else if !inside {
            writeln!(out, "{line}").unwrap();
        }
    }
    out
}

/// The objects that records hold, each once.
fn objects(all: &BTreeMap<String, Value>) -> String {
    let mut defs: BTreeMap<&str, &Value> = BTreeMap::new();
    for kind in Kind::ALL {
        for (name, def) in all[schema::name_of(kind)]["$defs"].as_object().into_iter().flatten() {
            defs.insert(name, def);
        }
    }
    let mut out = String::new();
    for (name, def) in defs {
        let about = def["description"].as_str().unwrap_or_default().replace('\n', " ");
        writeln!(out, "### {name}\n\n{about}\n").unwrap();
        if def["properties"].is_object() {
            out.push_str(&table(def));
        } else if let Some(variants) = def["oneOf"].as_array().or(def["anyOf"].as_array()) {
            for variant in variants {
                let what = match &variant["const"] {
                    Value::String(text) => format!("`{text}`"),
                    _ => type_of(variant),
                };
                let about = variant["description"].as_str().unwrap_or_default();
                writeln!(out, "- {what}: {about}").unwrap();
            }
            out.push('\n');
        }
    }
    out
}

fn table(schema: &Value) -> String {
    let mut out = String::from("| field | type | meaning |\n|---|---|---|\n");
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let empty = Map::new();
    for (name, field) in schema["properties"].as_object().unwrap_or(&empty) {
        if matches!(name.as_str(), "record" | "v" | "ts" | "run" | "host")
            && schema["$id"].is_string()
        {
            continue;
        }
        let mark = if required.contains(&name.as_str()) { "**" } else { "" };
        let about = field["description"]
            .as_str()
            .unwrap_or_default()
            .replace('\n', " ")
            .replace('|', "\\|");
        writeln!(out, "| {mark}`{name}`{mark} | {} | {about} |", type_of(field)).unwrap();
    }
    if let Some(more) = schema.get("additionalProperties").filter(|more| more.is_object()) {
        writeln!(out, "| *any other* | {} | |", type_of(more)).unwrap();
    }
    out.push('\n');
    out
}

fn type_of(field: &Value) -> String {
    if let Some(target) = field["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or(target).to_owned();
    }
    for key in ["anyOf", "allOf", "oneOf"] {
        if let Some(options) = field[key].as_array() {
            let names: Vec<String> =
                options.iter().filter(|o| o["type"] != "null").map(type_of).collect();
            return names.join(" or ");
        }
    }
    if let Some(value) = field.get("const") {
        return value.to_string();
    }
    if let Some(values) = field["enum"].as_array() {
        let values: Vec<String> =
            values.iter().filter(|v| !v.is_null()).map(Value::to_string).collect();
        return values.join(", ");
    }
    let name = match &field["type"] {
        Value::Array(names) => {
            names.iter().find(|name| *name != "null").cloned().unwrap_or_default()
        }
        other => other.clone(),
    };
    match name.as_str() {
        Some("array") => format!("list of {}", type_of(&field["items"])),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}
