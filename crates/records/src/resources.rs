//! What the machine did during a test or a span.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};

/// What the samples say about one window [start, end). Added by correlate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resources {
    /// Samples inside the window.
    pub samples: u64,
    /// Share of the window that samples cover, 0 to 1.
    pub coverage: f64,
    /// Seconds between samples: the median around the window; absent with one sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
    /// No sample fell inside the window: the figures are those of the ones around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bracketed: Option<bool>,
    /// Each series that was measured, under its name.
    #[serde(flatten)]
    pub series: BTreeMap<String, SeriesStats>,
}

// By hand: a derived one would buffer every figure, because of the flattened map.
impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Resources;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("resources")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resources, A::Error> {
                let (mut samples, mut coverage) = (None, None);
                let mut resources = Resources::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "samples" => samples = Some(map.next_value()?),
                        "coverage" => coverage = Some(map.next_value()?),
                        "interval_s" => resources.interval_s = map.next_value()?,
                        "bracketed" => resources.bracketed = map.next_value()?,
                        _ => {
                            resources.series.insert(key, map.next_value()?);
                        }
                    }
                }
                resources.samples = samples.ok_or_else(|| Error::missing_field("samples"))?;
                resources.coverage = coverage.ok_or_else(|| Error::missing_field("coverage"))?;
                Ok(resources)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// One series over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesStats {
    /// The least value of the samples inside.
    pub min: f64,
    /// The mean over time; absent when no sample's time reaches into the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Median of the samples inside.
    pub p50: f64,
    /// 95th percentile of the samples inside.
    pub p95: f64,
    /// The greatest value of the samples inside.
    pub max: f64,
    /// Value after the window less the value before it; gauges only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::Resources;

    #[test]
    fn resources_come_back_as_they_were_written() {
        let text = r#"{"samples":3,"coverage":0.9,"interval_s":0.2,"cpu_idle":{"min":1.0,"mean":2.0,"p50":2.0,"p95":3.0,"max":3.0},"swap_used_mb":{"min":0.0,"p50":0.0,"p95":0.0,"max":0.0,"delta":0.0}}"#;
        let resources: Resources = serde_json::from_str(text).unwrap();
        assert_eq!(resources.series.len(), 2);
        assert_eq!(serde_json::to_string(&resources).unwrap(), text);
    }

    #[test]
    fn what_must_be_there_is_missed_and_what_is_no_figure_refused() {
        for text in
            [r#"{"samples":3}"#, r#"{"coverage":1.0}"#, r#"{"samples":1,"coverage":1,"x":2}"#]
        {
            assert!(serde_json::from_str::<Resources>(text).is_err(), "{text}");
        }
    }
}
