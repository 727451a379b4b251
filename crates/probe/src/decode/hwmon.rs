//! `/sys/class/hwmon`: one number a file, in thousandths or millionths.

use super::text::number;

/// `powerN_average` or `powerN_input` (microwatt) in watts.
#[must_use]
pub fn watts(text: &[u8]) -> Option<f64> {
    let microwatt: i64 = number(text.trim_ascii())?;
    (microwatt >= 0).then(|| microwatt as f64 / 1e6)
}

/// `tempN_input` (thousandths of a degree) in °C; below zero is possible.
#[must_use]
pub fn celsius(text: &[u8]) -> Option<f64> {
    let millidegree: i64 = number(text.trim_ascii())?;
    Some(millidegree as f64 / 1e3)
}

/// `freqN_input` (hertz) in MHz.
#[must_use]
pub fn megahertz(text: &[u8]) -> Option<f64> {
    let hertz: i64 = number(text.trim_ascii())?;
    (hertz >= 0).then(|| hertz as f64 / 1e6)
}

/// How well a sensor tells the temperature of the processor as a whole: 0 is
/// best, `None` is not about the processor. `driver` is the directory's `name`,
/// `label` the sensor's, where it has one.
///
/// Tdie is the die; Tctl is what the fan follows, which some AMD parts raise by
/// a fixed offset. A package is as hot as its hottest core.
#[must_use]
pub fn cpu_temp_rank(driver: &str, label: Option<&str>) -> Option<u8> {
    match (driver, label) {
        ("coretemp", Some(label)) if label.starts_with("Package id") => Some(0),
        ("coretemp", _) => Some(1),
        ("k10temp" | "zenpower", Some("Tdie")) => Some(0),
        ("k10temp" | "zenpower", Some("Tctl") | None) => Some(1),
        ("k10temp" | "zenpower", Some(label)) if label.starts_with("Tccd") => Some(2),
        // Boards: `cpu_thermal` on a Raspberry Pi, `cpu0_thermal` elsewhere.
        (driver, _) if driver.starts_with("cpu") && driver.ends_with("thermal") => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_power_of_a_phoenix_apu_is_3_watts() {
        let text = include_str!("../../tests/data/linux/amdgpu-phoenix-hwmon.txt");
        let power = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            watts(line.unwrap().as_bytes())
        };
        assert_eq!(power("power1_average"), Some(3_103.0 / 1e3));
        assert_eq!(power("power1_input"), Some(3_142.0 / 1e3));
    }

    #[test]
    fn frost_is_a_temperature_and_negative_power_is_none() {
        assert_eq!(celsius(b"-1500\n"), Some(-1.5));
        assert_eq!(celsius(b"45000\n"), Some(45.0));
        assert_eq!(watts(b"-1\n"), None);
        assert_eq!(watts(b""), None);
        assert_eq!(celsius(b"N/A\n"), None);
    }

    #[test]
    fn the_clock_of_a_gpu_is_in_megahertz() {
        assert_eq!(megahertz(b"2900000000\n"), Some(2900.0));
        assert_eq!(megahertz(b"-1\n"), None);
        assert_eq!(megahertz(b""), None);
    }

    #[test]
    fn packages_go_before_cores_and_the_die_before_the_fans_figure() {
        let rank = cpu_temp_rank;
        assert!(rank("coretemp", Some("Package id 1")) < rank("coretemp", Some("Core 7")));
        assert!(rank("k10temp", Some("Tdie")) < rank("k10temp", Some("Tctl")));
        assert!(rank("k10temp", Some("Tctl")) < rank("k10temp", Some("Tccd3")));
        assert_eq!(rank("cpu_thermal", None), Some(0));
        for other in ["amdgpu", "nvme", "acpitz", "iwlwifi_1", "spd5118"] {
            assert_eq!(rank(other, Some("edge")), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>, driver: String, label: String) {
            let _ = (watts(&bytes), celsius(&bytes), megahertz(&bytes));
            let _ = cpu_temp_rank(&driver, Some(&label));
        }
    }
}
