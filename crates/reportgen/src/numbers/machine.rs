//! What a run ran on.

use records::Machine;
use serde_json::{Map, Value};

use crate::run::Run;

/// The machine of `run`: as its recording describes it, else as the runner does, else as
/// mlx-knife's tests do.
#[must_use]
pub fn machine(run: &Run) -> Option<Machine> {
    let recorded = run.streams.first().map(|stream| &stream.machine);
    let told = || run.starts.iter().rev().find_map(|start| start.machine.as_ref());
    let legacy = || legacy_system(run).map(legacy_machine);
    recorded.or_else(told).cloned().or_else(legacy)
}

/// What machines must have in common for times on them to be compared: model or chip, cores
/// and memory. Nothing where none of it is known.
#[must_use]
pub fn host_class(machine: &Machine) -> Option<String> {
    let parts = [
        machine.model.clone().or_else(|| machine.chip.clone()),
        machine.cores_physical.or(machine.cores_logical).map(|n| format!("{n} cores")),
        machine.ram_total_gb.map(|gb| format!("{gb:.0} GB")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What the first test that knows it says under this key of its metadata.
#[must_use]
pub fn metadata<'a>(run: &'a Run, key: &str) -> Option<&'a Value> {
    run.tests.iter().find_map(|test| test.metadata.as_ref()?.get(key))
}

/// The machine as mlx-knife's tests describe it.
fn legacy_system(run: &Run) -> Option<&Map<String, Value>> {
    metadata(run, "system")?.as_object()
}

/// mlx-knife's description of the machine, in our words.
fn legacy_machine(system: &Map<String, Value>) -> Machine {
    let empty = Map::new();
    let profile = system.get("hardware_profile").and_then(Value::as_object).unwrap_or(&empty);
    let text = |map: &Map<String, Value>, key: &str| Some(map.get(key)?.as_str()?.to_owned());
    let number = |key: &str| profile.get(key)?.as_u64()?.try_into().ok();
    Machine {
        model: text(profile, "model"),
        chip: text(profile, "chip").or_else(|| text(system, "hardware")),
        cores_physical: number("cores_physical"),
        cores_logical: number("cores_logical"),
        ram_total_gb: system.get("ram_total_gb").and_then(Value::as_f64),
        os: text(system, "platform_version").or_else(|| text(system, "platform")),
        ..Machine::default()
    }
}
