//! What models took of the memory while they lived in it.

use std::collections::BTreeMap;

use records::ModelLife;

use super::Spread;

/// The lives of a model on a backend together.
#[derive(Clone, Debug)]
pub struct LifeRow<'a> {
    /// The model; none where it was found in the samples only.
    pub model: Option<&'a str>,
    /// The backend.
    pub backend: Option<&'a str>,
    /// How often it was loaded.
    pub loads: u64,
    /// Its size on disk, in gigabytes.
    pub disk_gb: Option<f64>,
    /// What loading took, in gigabytes.
    pub load_gb: Option<Spread>,
    /// The most that was taken, in gigabytes.
    pub peak_gb: Option<f64>,
    /// What was not given back when it was unloaded, in gigabytes.
    pub kept_gb: Option<Spread>,
    /// Seconds to load it with its file not in the page cache.
    pub cold_s: Option<Spread>,
    /// Seconds to load it with its file there.
    pub warm_s: Option<Spread>,
    /// Tests that ran on it although none names it.
    pub unnamed: Vec<&'a str>,
}

/// The rows of `lives`, by model.
#[must_use]
pub fn lives(lives: &[ModelLife]) -> Vec<LifeRow<'_>> {
    let mut groups: BTreeMap<_, Vec<&ModelLife>> = BTreeMap::new();
    for life in lives {
        let (model, backend) = (life.params.model.as_deref(), life.params.backend.as_deref());
        groups.entry((model.is_none(), model, backend)).or_default().push(life);
    }
    groups
        .into_iter()
        .map(|((_, model, backend), lives)| {
            let of = |get: fn(&ModelLife) -> Option<f64>| {
                Spread::of(lives.iter().filter_map(|life| get(life)))
            };
            let loads = |cache: &str| {
                let with = lives.iter().filter(|life| life.page_cache.as_deref() == Some(cache));
                Spread::of(with.filter_map(|life| life.load_s))
            };
            LifeRow {
                model,
                backend,
                loads: lives.len() as u64,
                disk_gb: lives.iter().find_map(|life| life.disk_gb),
                load_gb: of(|life| life.model_delta_gb),
                peak_gb: of(|life| life.peak_gb).map(|spread| spread.max),
                kept_gb: of(|life| life.not_returned_gb),
                cold_s: loads("cold"),
                warm_s: loads("warm"),
                unnamed: lives
                    .iter()
                    .flat_map(|life| &life.unnamed_tests)
                    .map(String::as_str)
                    .collect(),
            }
        })
        .collect()
}
