//! From where on something is an anomaly: every number in one place.

macro_rules! thresholds {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal;)*) => {
        /// From where on something is an anomaly. Units are in the names.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Thresholds {
            $($(#[doc = $doc])+ pub $name: f64,)*
        }

        impl Default for Thresholds {
            fn default() -> Thresholds {
                Thresholds { $($name: $default,)* }
            }
        }

        impl Thresholds {
            /// Each by its name, its value unless it is set, and what it means.
            pub const ALL: &'static [(&'static str, f64, &'static str)] =
                &[$((stringify!($name), $default, concat!($($doc),+)),)*];

            fn place(&mut self, name: &str) -> Option<&mut f64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

thresholds! {
    /// `leak`: memory that stays in use after each unload, more than after the one before
    leak_mb = 50.0;
    /// `leak`: unloads that it takes to tell, at least 4
    leak_cycles = 4.0;
    /// `swap`: growth within one to two minutes
    swap_growth_mb = 100.0;
    /// `pressure_without_swap`, `swap_with_pressure`: how long pressure is above normal
    pressure_s = 2.0;
    /// `zombies`: how long there is at least one
    zombies_s = 10.0;
    /// `throttling`: the thermal level of macOS that counts
    thermal_level = 2.0;
    /// `throttling`: how far the frequency falls, at a load of 90 % and more
    throttle_drop_pct = 15.0;
    /// `throttling`: no hotter than this is no throttling, where the temperature is measured
    throttle_temp_c = 75.0;
    /// `gpu_idle`: a GPU that was never busier was idle
    gpu_idle_pct = 5.0;
    /// `gpu_idle`: a backend whose other tests kept the GPU as busy as this, on average, uses it
    gpu_busy_pct = 20.0;
    /// `sampler_gap`: time without a sample, and more than three intervals
    gap_s = 1.0;
    /// `sampler_gap`: share of its deadlines that the sampler missed
    missed_pct = 20.0;
    /// `crash_under_pressure`: less free memory than this at death
    crash_free_gb = 1.0;
    /// `interference`: load from outside of the processes below memmon
    interference_pct = 20.0;
    /// `interference`: how long
    interference_s = 5.0;
    /// `suspect_measurement`: the least share of a measurement that samples cover
    coverage = 0.5;
    /// `model_life` from samples: memory that rises within a short time, and stays up
    life_step_gb = 1.0;
}

impl Thresholds {
    /// Sets one by `name=value`.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or the value is no number from 0 on.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            format!("{text:?} is not NAME=VALUE, such as {}={}", Self::ALL[0].0, Self::ALL[0].1)
        })?;
        let place = self.place(name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, ..)| *name).collect();
            let near = names
                .iter()
                .map(|known| (strsim::damerau_levenshtein(name, known), known))
                .min()
                .filter(|(distance, known)| *distance <= known.len() / 2);
            match near {
                Some((_, near)) => format!("no threshold {name:?}: did you mean {near}?"),
                None => format!("no threshold {name:?}: there are {}", names.join(", ")),
            }
        })?;
        *place = value
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite() && *value >= 0.0)
            .ok_or_else(|| format!("{name} takes a number from 0 on, and not {value:?}"))?;
        if self.coverage > 1.0 {
            return Err(format!("coverage takes a share from 0 to 1, and not {value:?}"));
        }
        Ok(())
    }

    /// The defaults with each `name=value` set.
    ///
    /// # Errors
    ///
    /// As [`Thresholds::set`].
    pub fn with(texts: &[String]) -> Result<Thresholds, String> {
        let mut thresholds = Thresholds::default();
        texts.iter().try_for_each(|text| thresholds.set(text))?;
        Ok(thresholds)
    }
}

#[cfg(test)]
mod tests {
    use super::Thresholds;

    #[test]
    fn a_threshold_is_set_by_its_name() {
        let set = Thresholds::with(&["leak_mb=12.5".into(), "gap_s=0".into()]).unwrap();
        assert_eq!((set.leak_mb, set.gap_s, set.leak_cycles), (12.5, 0.0, 4.0));
    }

    #[test]
    fn what_cannot_be_set_is_refused_with_a_suggestion() {
        let refused = |text: &str| Thresholds::default().set(text).unwrap_err();
        assert_eq!(
            refused("swap_grow_mb=3"),
            "no threshold \"swap_grow_mb\": did you mean swap_growth_mb?"
        );
        assert!(refused("x=3").starts_with("no threshold \"x\": there are leak_mb, "));
        assert_eq!(refused("leak_mb"), "\"leak_mb\" is not NAME=VALUE, such as leak_mb=50");
        for value in ["", "much", "-1", "NaN", "inf"] {
            assert!(refused(&format!("leak_mb={value}")).contains("a number from 0 on"), "{value}");
        }
        assert_eq!(refused("coverage=50"), "coverage takes a share from 0 to 1, and not \"50\"");
    }

    #[test]
    fn the_documentation_lists_each_with_its_default() {
        let text = include_str!("../../../../docs/anomalies.md");
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        for (name, default, meaning) in Thresholds::ALL {
            let row = format!("| `{name}` | {default} | {} |", meaning.trim());
            assert!(rows.contains(&row.as_str()), "docs/anomalies.md lacks the row\n{row}");
        }
    }
}
