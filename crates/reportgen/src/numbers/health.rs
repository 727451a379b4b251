//! The state of the machine around the tests, as they say it themselves.

use records::{QualityFlag, SystemHealth, Test};

use super::Spread;

/// What the tests' `system_health` says together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Tests with quality flags: those whose machine was looked at.
    pub measured: u64,
    /// Tests flagged clean.
    pub clean: u64,
    /// Tests flagged as short of memory.
    pub degraded_ram: u64,
    /// Tests flagged for swap that grew.
    pub degraded_swap: u64,
    /// Tests flagged for zombies.
    pub degraded_zombies: u64,
    /// Free memory, over the tests that have it.
    pub ram_free_gb: Option<Spread>,
    /// Swap in use, over the tests that have it.
    pub swap_used_mb: Option<Spread>,
    /// Zombies, over the tests that have them.
    pub zombies: Option<Spread>,
}

/// The health of the machine around `tests`.
#[must_use]
pub fn health(tests: &[Test]) -> Health {
    let states = || tests.iter().filter_map(|test| test.system_health.as_ref());
    let spread = |get: fn(&SystemHealth) -> Option<f64>| Spread::of(states().filter_map(get));
    let mut health = Health {
        ram_free_gb: spread(|state| state.ram_free_gb),
        swap_used_mb: spread(|state| state.swap_used_mb),
        zombies: spread(|state| state.zombie_processes.map(f64::from)),
        ..Health::default()
    };
    for flags in states().filter_map(|state| state.quality_flags.as_ref()) {
        if flags.is_empty() {
            continue;
        }
        health.measured += 1;
        let has = |flag| u64::from(flags.contains(&flag));
        health.degraded_ram += has(QualityFlag::DegradedRam);
        health.degraded_swap += has(QualityFlag::DegradedSwap);
        health.degraded_zombies += has(QualityFlag::DegradedZombies);
        health.clean += u64::from(flags.iter().all(|flag| *flag == QualityFlag::Clean));
    }
    health
}

#[cfg(test)]
mod tests {
    use records::{Origin, QualityFlag, SystemHealth, Test};

    use super::{Health, health};

    fn flagged(flags: Option<&[QualityFlag]>) -> Test {
        let mut test = Test::at(1.0, &Origin::default());
        test.system_health = Some(SystemHealth {
            quality_flags: flags.map(<[QualityFlag]>::to_vec),
            ..SystemHealth::default()
        });
        test
    }

    #[test]
    fn a_test_without_health_is_not_measured_and_not_unclean() {
        let none = Test::at(1.0, &Origin::default());
        assert_eq!(health(&[none, flagged(None), flagged(Some(&[]))]), Health::default());
    }

    #[test]
    fn a_test_with_two_flags_counts_once_as_measured() {
        let both = [QualityFlag::DegradedRam, QualityFlag::DegradedZombies];
        let health = health(&[flagged(Some(&both)), flagged(Some(&[QualityFlag::Clean]))]);
        assert_eq!((health.measured, health.clean), (2, 1));
        assert_eq!((health.degraded_ram, health.degraded_swap, health.degraded_zombies), (1, 0, 1));
    }
}
