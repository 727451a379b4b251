//! What the numbers of NVML mean: units, and the ways in which it says that
//! there is none.

/// `nvmlDeviceGetUtilizationRates`, percent. `None` outside 0–100.
#[must_use]
pub fn util_pct(pct: u32) -> Option<f64> {
    (pct <= 100).then_some(f64::from(pct))
}

/// `nvmlDeviceGetPowerUsage`, milliwatt, in watts. The all-ones value means
/// that there is none (`NVML_VALUE_NOT_AVAILABLE`).
#[must_use]
pub fn watts(milliwatt: u32) -> Option<f64> {
    (milliwatt != u32::MAX).then(|| f64::from(milliwatt) / 1e3)
}

/// Used and total memory in bytes. Parts that share the system's memory
/// answer with an error, or with a total of 0: then there is no such figure.
#[must_use]
pub fn memory(used: u64, total: u64) -> Option<(u64, u64)> {
    (total > 0 && used <= total).then_some((used, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_watts_and_percent() {
        assert_eq!(watts(11_170), Some(11.17));
        assert_eq!(util_pct(0), Some(0.0));
    }

    #[test]
    fn what_nvml_does_not_know_is_none() {
        assert_eq!(watts(u32::MAX), None);
        assert_eq!(util_pct(4_000_000), None);
        assert_eq!(memory(0, 0), None);
        assert_eq!(memory(5, 4), None);
        assert_eq!(memory(3, 4), Some((3, 4)));
    }
}
