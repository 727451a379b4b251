//! Models by their size.

use std::collections::{BTreeMap, BTreeSet};

use records::{Modality, Test};

use super::{Range, came_through, model_of, usage::free_memory};

/// From this size on, in gigabytes, a model is large.
pub const LARGE_GB: f64 = 20.0;
/// Below this size, in gigabytes, a model is small.
pub const SMALL_GB: f64 = 10.0;

/// How big a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// [`LARGE_GB`] and more.
    Large,
    /// Between the two.
    Medium,
    /// Less than [`SMALL_GB`].
    Small,
    /// Nobody says it.
    Unknown,
}

/// The models of a category that took one kind of input.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryRow {
    /// The category.
    pub category: Category,
    /// The kind of input; none where it is not stated.
    pub modality: Option<Modality>,
    /// How many models.
    pub models: u64,
    /// The mean of their sizes, in gigabytes.
    pub size_gb: Option<f64>,
    /// How many tests came through with a time.
    pub tests: u64,
    /// The mean of these times, in seconds.
    pub test_s: Option<f64>,
    /// Free memory during all of its tests.
    pub ram_free_gb: Option<Range>,
}

/// The rows of `tests`, the large ones first.
#[must_use]
pub fn categories(tests: &[Test]) -> Vec<CategoryRow> {
    // A model is of one size, whichever of its tests says it.
    let mut sizes: BTreeMap<&str, f64> = BTreeMap::new();
    for test in tests {
        if let (Some(id), Some(size)) =
            (model_of(test), test.model.as_ref().and_then(|m| m.size_gb))
        {
            sizes.entry(id).or_insert(size);
        }
    }
    let mut groups: BTreeMap<_, Vec<(&str, &Test)>> = BTreeMap::new();
    for test in tests {
        if let Some(id) = model_of(test) {
            let category = category(sizes.get(id).copied());
            groups.entry((category, test.modality)).or_default().push((id, test));
        }
    }
    groups
        .into_iter()
        .map(|((category, modality), tests)| {
            let models: BTreeSet<&str> = tests.iter().map(|(id, _)| *id).collect();
            let known: Vec<f64> = models.iter().filter_map(|id| sizes.get(id).copied()).collect();
            let through = tests.iter().filter(|(_, test)| came_through(test));
            let times: Vec<f64> = through.filter_map(|(_, test)| test.duration_s).collect();
            CategoryRow {
                category,
                modality,
                models: models.len() as u64,
                size_gb: mean(&known),
                tests: times.len() as u64,
                test_s: mean(&times),
                ram_free_gb: tests
                    .iter()
                    .filter_map(|(_, t)| free_memory(t))
                    .fold(None, Range::with),
            }
        })
        .collect()
}

fn category(size_gb: Option<f64>) -> Category {
    match size_gb {
        Some(size) if size >= LARGE_GB => Category::Large,
        Some(size) if size >= SMALL_GB => Category::Medium,
        Some(_) => Category::Small,
        None => Category::Unknown,
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::{Category, category};

    #[test]
    fn the_borders_belong_to_the_larger_category() {
        let all = [Some(20.0), Some(19.99), Some(10.0), Some(9.99), None].map(category);
        use Category::{Large, Medium, Small, Unknown};
        assert_eq!(all, [Large, Medium, Medium, Small, Unknown]);
    }
}
