//! The memory that models may take.

use serde::Deserialize;
use toml::Spanned;

/// The memory that models may take. A model that does not fit is skipped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// A share of the machine's memory (`"80%"`) or an amount (`"48GB"`).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub ram: Spanned<String>,
    /// What a model takes in memory for each byte on disk.
    #[serde(default = "overhead")]
    pub overhead: f64,
}

fn overhead() -> f64 {
    1.3
}

/// A limit on memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many percent of what the machine has.
    Share(f64),
    /// So many 10⁹ bytes.
    Gb(f64),
}

impl Budget {
    /// What `ram` says.
    ///
    /// # Errors
    ///
    /// With a sentence when it says nothing that can be understood.
    pub fn limit(&self) -> Result<Limit, String> {
        let text = self.ram.get_ref();
        // What one of each is in 10⁹ bytes; a share is of the machine's memory.
        let units = [("%", 0.0), ("GB", 1.0), ("MB", 1e-3), ("GiB", 1.073_741_824)];
        units
            .iter()
            .find_map(|(unit, gb)| {
                let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
                let most = if *unit == "%" { 100.0 } else { f64::MAX };
                let limit =
                    if *unit == "%" { Limit::Share(number) } else { Limit::Gb(number * gb) };
                (number > 0.0 && number <= most).then_some(limit)
            })
            .ok_or_else(|| {
                format!("ram = {text:?} is no amount of memory; write \"80%\" or \"48GB\"")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Limit};

    #[test]
    fn an_amount_is_a_share_or_has_a_unit() {
        let limit = |ram: &str| {
            let budget: Budget = toml::from_str(&format!("ram = {ram:?}")).unwrap();
            assert_eq!(budget.overhead, 1.3);
            budget.limit()
        };
        assert_eq!(limit("80%"), Ok(Limit::Share(80.0)));
        assert_eq!(limit("48GB"), Ok(Limit::Gb(48.0)));
        assert_eq!(limit("1.5 GB"), Ok(Limit::Gb(1.5)));
        assert_eq!(limit("1GiB"), Ok(Limit::Gb(1.073_741_824)));
        for wrong in ["", "80", "120%", "0%", "-1GB", "nanGB", "infGB", "many", "%"] {
            assert!(limit(wrong).unwrap_err().contains("write \"80%\""), "{wrong}");
        }
    }
}
