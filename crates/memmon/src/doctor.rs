//! What can be measured on this machine, or was on a captured one: each quantity
//! with its value and its source, or why there is none.

use std::{path::Path, thread, time::Duration};

use probe::{HostProfile, Machine, Processes, Replay, Tree, clock::Stamp};
use records::{Origin, SERIES, Sample, Sources, Unit};

use crate::{
    gpu_sums::Adder,
    opening,
    sample::{Observation, gb, sample},
    table::Table,
};

/// Between two readings, so that what is measured since the previous one has a value.
const PAUSE: Duration = Duration::from_millis(250);

/// What was found out.
struct Checkup {
    profile: HostProfile,
    sources: Sources,
    sample: Sample,
}

/// Says what this machine gives, or the one captured in `replay`, on standard output.
///
/// # Errors
///
/// When nothing can be read from `replay`, or written.
pub fn run(replay: Option<&Path>) -> Result<u8, String> {
    let checkup = match replay {
        Some(dir) => captured(dir).map_err(|why| format!("cannot replay: {why}"))?,
        None => present(),
    };
    crate::say(&text(&checkup))
}

fn present() -> Checkup {
    let mut machine = Machine::open();
    // So that there is a tree to show: this program itself.
    let own = i32::try_from(std::process::id()).ok();
    let mut processes = Processes::open(own.map(Tree::rooted_at));
    let first = machine.read();
    let _ = processes.read(true);
    thread::sleep(PAUSE);
    let now = Stamp::now();
    let mut machine_reading = machine.read();
    // Read once a second, which has not passed.
    machine_reading.cpu_freq_mhz = machine_reading.cpu_freq_mhz.or(first.cpu_freq_mhz);
    let processes = processes.read(true);
    let mut sources = opening::sources(machine.sources(), true);
    for found in &mut sources.found {
        if found.quantity.starts_with("tree_") {
            found.from.push_str(" (here of memmon itself)");
        }
    }
    let seen = Observation {
        gpu_sums: Adder::default().sums(&machine_reading.gpus),
        machine: machine_reading,
        tree: processes.tree,
        zombies: processes.zombies,
    };
    Checkup {
        profile: machine.profile().clone(),
        sources,
        sample: sample(now.wall_s, &Origin::default(), &seen),
    }
}

fn captured(dir: &Path) -> Result<Checkup, String> {
    let mut replay = Replay::open(dir)?;
    let machine = replay.readings.pop().unwrap_or_default();
    let seen = Observation {
        gpu_sums: Adder::default().sums(&machine.gpus),
        machine,
        tree: None,
        zombies: replay.zombies,
    };
    let mut sources = opening::sources(&replay.sources, false);
    for missing in sources.missing.iter_mut().filter(|m| m.quantity.starts_with("tree_")) {
        // Why this very folder has none says nothing of the machine.
        "no process is watched in a capture".clone_into(&mut missing.why);
    }
    Ok(Checkup { profile: replay.profile, sources, sample: sample(0.0, &Origin::default(), &seen) })
}

fn text(checkup: &Checkup) -> String {
    let Checkup { profile, sources, sample } = checkup;
    let mut table = Table::default();
    table.title("Machine");
    machine(profile, &mut table);

    table.title("Measured");
    let mut found: Vec<_> = sources.found.iter().collect();
    found.sort_by_key(|found| records::place(&found.quantity));
    let mut before = "";
    for found in found {
        // Several GPUs give one figure from several sources.
        let (name, value) = if found.quantity == before {
            ("", String::new())
        } else {
            (found.quantity.as_str(), value(&found.quantity, sample))
        };
        before = &found.quantity;
        table.row(&[name, &value, &found.from]);
    }
    for gpu in sample.gpus.iter().flatten() {
        let parts = [
            gpu.device_util.map(|pct| with_unit(pct, Unit::Pct)),
            gpu.mem_used_gb.map(|gb| with_unit(gb, Unit::Gb)),
            gpu.power_w.map(|watt| with_unit(watt, Unit::Watt)),
            gpu.temp_c.map(|celsius| with_unit(celsius, Unit::Celsius)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        table.row(&[
            "gpus",
            "",
            &format!("{}: {}", gpu.name.as_deref().unwrap_or("GPU"), parts.join(", ")),
        ]);
    }

    table.title("Not measured");
    let mut missing: Vec<_> = sources.missing.iter().collect();
    missing.sort_by_key(|missing| records::place(&missing.quantity));
    let mut before = "";
    for missing in missing {
        let is_same = missing.why == before;
        before = &missing.why;
        table.row(&[&missing.quantity, if is_same { "the same" } else { &missing.why }]);
    }
    table.text
}

fn machine(profile: &HostProfile, table: &mut Table) {
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row(&[name, &value]);
        }
    };
    row("memmon", Some(env!("CARGO_PKG_VERSION").to_owned()));
    row("model", profile.model.clone());
    row("chip", profile.chip.clone());
    row("cores", profile.cores_physical.map(|cores| cores.to_string()));
    row("threads", profile.cores_logical.map(|threads| threads.to_string()));
    row("memory", profile.ram_total_bytes.map(|bytes| with_unit(gb(bytes), Unit::Gb)));
    row("system", profile.os.clone());
    row("kernel", profile.kernel.as_ref().map(|kernel| format!("{kernel} {}", profile.arch)));
    for gpu in &profile.gpus {
        let memory = gpu.memory_total_bytes.map(|bytes| with_unit(gb(bytes), Unit::Gb));
        let parts = [Some(gpu.name.clone()), gpu.driver.clone(), memory];
        row("GPU", Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    }
}

/// The present value for people.
fn value(quantity: &str, sample: &Sample) -> String {
    let series = SERIES.iter().find(|series| series.name == quantity);
    let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let number = series.and_then(|series| Some(with_unit((series.get)(sample)?, series.unit)));
    match quantity {
        "vm_stale" => sample.vm_stale.map(yes_or_no),
        "tree_incomplete" => sample.tree_incomplete.map(yes_or_no),
        "memory_pressure" => number.map(|level| match level.as_str() {
            "1" => "1 normal".to_owned(),
            "2" => "2 warn".to_owned(),
            "4" => "4 critical".to_owned(),
            _ => level,
        }),
        _ => number,
    }
    .unwrap_or_else(|| "no value now".to_owned())
}

fn with_unit(value: f64, unit: Unit) -> String {
    let name = match unit {
        Unit::Gb => " GB",
        Unit::Mb => " MB",
        Unit::Pct => " %",
        Unit::Watt => " W",
        Unit::Celsius => " °C",
        Unit::Mhz => " MHz",
        Unit::Load | Unit::Count | Unit::Level => "",
    };
    format!("{value:.*}{name}", usize::from(unit.decimals()))
}
