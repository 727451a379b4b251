//! The temperature of the processor, from hwmon.

use std::path::PathBuf;

use super::file::{Kept, Scratch, list, why};
use crate::decode::hwmon;
use crate::machine::Roots;
use crate::sources::Sources;

/// The sensors that tell it best: one for each package.
pub(super) struct Temperature {
    sensors: Vec<Kept>,
}

impl Temperature {
    pub(super) fn open(roots: &Roots, scratch: &mut Scratch, sources: &mut Sources) -> Temperature {
        let found = find(roots).and_then(|paths| {
            paths.into_iter().map(|path| Kept::open(path, scratch)).collect::<Result<Vec<_>, _>>()
        });
        match found {
            Ok(sensors) => {
                let paths: Vec<_> = sensors.iter().map(|s| s.path.display().to_string()).collect();
                sources.found("cpu_temp_c", paths.join(", "));
                Temperature { sensors }
            }
            Err(why) => {
                sources.missing("cpu_temp_c", why);
                Temperature { sensors: Vec::new() }
            }
        }
    }

    /// The hottest, in °C; unknown when one of them is.
    pub(super) fn read(&self, scratch: &mut Scratch) -> Option<f64> {
        let mut hottest = None;
        for sensor in &self.sensors {
            let celsius = hwmon::celsius(sensor.read(scratch)?)?;
            hottest = Some(hottest.map_or(celsius, |hottest: f64| hottest.max(celsius)));
        }
        hottest
    }
}

/// The files of the sensors that rank best; never none.
fn find(roots: &Roots) -> Result<Vec<PathBuf>, String> {
    let class = roots.sys.join("class/hwmon");
    let text = |path: PathBuf| Some(std::fs::read_to_string(path).ok()?.trim().to_owned());
    let mut best: Option<u8> = None;
    let mut paths = Vec::new();
    for monitor in list(&class).map_err(|error| why(&class, &error))? {
        let dir = class.join(monitor);
        let driver = text(dir.join("name")).unwrap_or_default();
        for file in list(&dir).unwrap_or_default() {
            let Some(sensor) = file.strip_suffix("_input").filter(|name| name.starts_with("temp"))
            else {
                continue;
            };
            let label = text(dir.join(format!("{sensor}_label")));
            let Some(rank) = hwmon::cpu_temp_rank(&driver, label.as_deref()) else {
                continue;
            };
            if best.is_none_or(|best| rank < best) {
                best = Some(rank);
                paths.clear();
            }
            if best == Some(rank) {
                paths.push(dir.join(file));
            }
        }
    }
    if paths.is_empty() {
        return Err(format!("no sensor of the processor in {}", class.display()));
    }
    Ok(paths)
}
