//! A short way for samples, of which there are a million.
//!
//! Reading a line as a [`Sample`] checks what its schema says of names and types,
//! because the schema is made from that type; what is left are the ranges, which
//! are taken from the schema. A line that does not come through here is not invalid:
//! it takes the long way, which also knows what to say of it.

use records::{SERIES, Sample, VERSION, schema};
use serde_json::Value;

/// The ranges of a sample's values.
pub struct FastSamples {
    /// One per series, in the order of [`SERIES`].
    series: Vec<Allowed>,
    ts: Allowed,
    elapsed: Allowed,
}

/// Which numbers a schema allows.
#[derive(Debug)]
enum Allowed {
    Range(f64, f64),
    OneOf(Vec<f64>),
}

impl FastSamples {
    /// The ranges out of the schema; nothing when it says more than ranges, so that
    /// every line has to take the long way.
    #[must_use]
    pub fn new() -> Option<FastSamples> {
        let schema: Value = serde_json::from_str(schema::named("sample.v1")?.text).ok()?;
        let fields = schema.get("properties")?;
        let allowed = |name: &str| Allowed::from_schema(fields.get(name)?);
        Some(FastSamples {
            series: SERIES.iter().map(|series| allowed(series.name)).collect::<Option<_>>()?,
            ts: allowed("ts")?,
            elapsed: allowed("elapsed_s")?,
        })
    }

    /// Whether `line`, which says that it is a sample, is valid for certain.
    #[must_use]
    pub fn is_valid(&self, line: &[u8]) -> bool {
        let Ok(sample) = serde_json::from_slice::<Sample>(line) else { return false };
        sample.v == VERSION
            && sample.gpus.is_none()
            && self.ts.holds(sample.ts)
            && self.elapsed.holds(sample.elapsed_s)
            && SERIES
                .iter()
                .zip(&self.series)
                .all(|(series, allowed)| (series.get)(&sample).is_none_or(|v| allowed.holds(v)))
    }
}

impl Allowed {
    /// What the schema of a field allows, if it is of the kind that we know.
    fn from_schema(field: &Value) -> Option<Allowed> {
        let known = ["description", "type", "minimum", "maximum", "enum"];
        let field = field.as_object()?;
        if field.keys().any(|key| !known.contains(&key.as_str())) {
            return None;
        }
        if let Some(values) = field.get("enum") {
            let values = values.as_array()?.iter().filter_map(Value::as_f64).collect();
            return Some(Allowed::OneOf(values));
        }
        let limit = |key: &str, none: f64| field.get(key).and_then(Value::as_f64).unwrap_or(none);
        Some(Allowed::Range(limit("minimum", f64::NEG_INFINITY), limit("maximum", f64::INFINITY)))
    }

    fn holds(&self, value: f64) -> bool {
        match self {
            Allowed::Range(min, max) => (*min..=*max).contains(&value),
            Allowed::OneOf(values) => values.contains(&value),
        }
    }
}

#[cfg(test)]
mod tests {
    use records::{LineKind, Origin, SERIES, Sample, classify};
    use serde_json::{Value, json};

    use super::FastSamples;
    use crate::schemas::Schemas;

    fn full() -> Value {
        let mut sample = serde_json::to_value(Sample::at(5.0, &Origin::default())).unwrap();
        for series in SERIES {
            sample[series.name] = json!(1);
        }
        for field in ["read_us", "late_us", "missed"] {
            sample[field] = json!(3);
        }
        sample["vm_stale"] = json!(true);
        sample["gpus"] = json!(null);
        sample
    }

    #[test]
    fn the_short_way_says_valid_only_where_the_schema_does_and_not_seldom() {
        let (fast, schemas) = (FastSamples::new().unwrap(), Schemas::by_kind());
        let full = full();
        let values = [
            json!(null),
            json!(-1),
            json!(-0.0),
            json!(0),
            json!(2),
            json!(3.5),
            json!(100),
            json!(100.1),
            json!(4_294_967_296_u64),
            json!(1e300),
            json!("1"),
            json!(true),
            json!([]),
            json!({}),
            json!([{"device_util": 200}]),
            json!("sample"),
            json!("test"),
        ];
        let (mut agreed, mut all) = (0, 0);
        for field in full.as_object().unwrap().keys() {
            for value in values.iter().map(Some).chain([None]) {
                let mut sample = full.clone();
                match value {
                    Some(value) => sample[field] = value.clone(),
                    None => drop(sample.as_object_mut().unwrap().remove(field)),
                }
                let line = sample.to_string();
                let kind = classify(line.as_bytes());
                if !matches!(kind, LineKind::Ours(records::Kind::Sample)) {
                    continue;
                }
                let (_, validator) = schemas.of(&kind, &sample).unwrap().unwrap();
                let (short, long) = (fast.is_valid(line.as_bytes()), validator.is_valid(&sample));
                assert!(!short || long, "{line}");
                all += 1;
                agreed += u32::from(short == long);
            }
        }
        assert!(agreed * 100 > all * 95, "{agreed} of {all}");
    }
}
