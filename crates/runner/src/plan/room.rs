//! Whether a model fits into the memory that the suite allows.

use crate::suite::{Budget, Limit};

/// Why a model of `size_gb` on disk does not fit; nothing when it does, or when its size
/// or the machine's memory is not known.
pub(super) fn too_large(
    budget: &Budget,
    size_gb: Option<f64>,
    ram_gb: Option<f64>,
) -> Option<String> {
    let size = size_gb?;
    let needs = size * budget.overhead;
    let (limit, words) = match budget.limit().ok()? {
        Limit::Gb(gb) => (gb, format!("{gb:.1} GB")),
        Limit::Share(percent) => {
            let ram = ram_gb?;
            let limit = ram * percent / 100.0;
            (limit, format!("{percent} % of {ram:.1} GB = {limit:.1} GB"))
        }
    };
    (needs > limit).then(|| {
        format!("needs {needs:.1} GB ({size:.1} GB × {}), the budget is {words}", budget.overhead)
    })
}

#[cfg(test)]
mod tests {
    use super::too_large;
    use crate::suite::Budget;

    fn refused(budget: &str, size: Option<f64>, ram: Option<f64>) -> Option<String> {
        too_large(&toml::from_str::<Budget>(budget).unwrap(), size, ram)
    }

    #[test]
    fn a_model_that_does_not_fit_is_told_with_its_figures() {
        assert_eq!(
            refused("ram = '80%'", Some(29.4), Some(36.0)).as_deref(),
            Some("needs 38.2 GB (29.4 GB × 1.3), the budget is 80 % of 36.0 GB = 28.8 GB")
        );
        assert_eq!(
            refused("ram = '48GB'\noverhead = 1", Some(50.0), None).as_deref(),
            Some("needs 50.0 GB (50.0 GB × 1), the budget is 48.0 GB")
        );
    }

    #[test]
    fn what_fits_or_is_not_known_runs() {
        assert_eq!(refused("ram = '48GB'", Some(30.0), None), None);
        assert_eq!(refused("ram = '80%'", Some(29.4), None), None);
        assert_eq!(refused("ram = '80%'", None, Some(36.0)), None);
    }
}
