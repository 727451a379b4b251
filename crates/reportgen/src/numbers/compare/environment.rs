//! In what the runs that are compared differ before any figure does.

use std::collections::BTreeMap;

use records::Test;

use crate::{
    numbers::{backend_of, machine, metadata, model_of},
    run::Run,
};

/// Something that was another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is, such as `OS` or `quantization`.
    pub what: &'static str,
    /// Whose it is: a backend or a model; nothing for the machine's.
    pub of: Option<String>,
    /// What it was; several where the old runs do not agree.
    pub old: Vec<String>,
    /// What it is now.
    pub new: Vec<String>,
}

/// What it is about, whose it is, and its values.
type Facts = BTreeMap<(usize, Option<String>), Vec<String>>;

const WHAT: [&str; 14] = [
    "machine",
    "OS",
    "kernel",
    "GPU",
    "GPU driver",
    "runner",
    "mlx-knife",
    "seed",
    "backend",
    "quantization",
    "framework",
    "size on disk",
    "context",
    "sampling interval",
];

/// In what `new` differs from the runs in `old`. What one side does not state is no difference.
#[must_use]
pub(super) fn environment(old: &[&Run], new: &Run) -> Vec<Difference> {
    let mut then = Facts::new();
    old.iter().for_each(|run| facts(run, &mut then));
    let mut now = Facts::new();
    facts(new, &mut now);
    now.into_iter()
        .filter_map(|((what, of), new)| {
            let old = then.remove(&(what, of.clone()))?;
            (old != new).then(|| Difference { what: WHAT[what], of, old, new })
        })
        .collect()
}

fn facts(run: &Run, facts: &mut Facts) {
    let mut add = |what: &str, of: Option<&str>, value: Option<String>| {
        let at = WHAT.iter().position(|name| *name == what);
        let (Some(at), Some(value)) = (at, value) else { return };
        let values = facts.entry((at, of.map(str::to_owned))).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    };
    if let Some(machine) = machine(run) {
        add("machine", None, super::host_class(&machine));
        add("OS", None, machine.os);
        add("kernel", None, machine.kernel);
        for gpu in machine.gpus {
            add("GPU driver", gpu.name.as_deref(), gpu.driver);
            add("GPU", None, gpu.name);
        }
    }
    for start in &run.starts {
        add("runner", None, Some(start.producer.version.clone()));
        add("seed", None, start.seed.map(|seed| seed.to_string()));
    }
    for stream in &run.streams {
        add("sampling interval", None, Some(format!("{} ms", stream.interval_ms)));
    }
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    add("mlx-knife", None, metadata(run, "mlx_knife_version").and_then(text));
    for test in &run.tests {
        if let Some(backend) = &test.backend {
            let words = [Some(backend.kind.as_str()), backend.version.as_deref()];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            add("backend", Some(&backend.name), Some(words.join(" ")));
        }
        model(test, &mut add);
    }
    facts.values_mut().for_each(|values| values.sort());
}

fn model(test: &Test, add: &mut impl FnMut(&str, Option<&str>, Option<String>)) {
    let (Some(model), Some(id)) = (&test.model, model_of(test)) else { return };
    let of = match backend_of(test) {
        Some(backend) => format!("{id} on {backend}"),
        None => id.to_owned(),
    };
    add("quantization", Some(&of), model.quantization.clone());
    add("framework", Some(&of), model.framework.clone());
    add("size on disk", Some(&of), model.size_gb.map(|gb| format!("{gb:.2} GB")));
    add("context", Some(&of), model.context.map(|n| format!("{n} tokens")));
}
