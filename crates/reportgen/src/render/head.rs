//! What ran, when, where and on what.

use crate::page::{Page, code, prose};
use std::collections::BTreeSet;

use records::{GpuInfo, Producer};
use serde_json::Value;

use super::{
    chapter::Chapter,
    format::{self, clock, day, gb, moment, seconds, things},
    list,
};
use crate::{input::Input, numbers};

/// How many names are listed in a line.
const NAMES: usize = 20;

/// Writes the title and the facts about the run.
pub(super) fn section(page: &mut Page, input: &Input, chapter: &Chapter<'_>) {
    let run = chapter.run;
    let date = run.window().map(|window| format!(", {}", day(window.0))).unwrap_or_default();
    page.heading(1, &format!("Report: {}{date}", subject(chapter)));
    unfinished(page, chapter);

    page.fact("Ran", &ran(chapter));
    if let Some((start, end)) = run.window() {
        let until = if day(start) == day(end) { clock(end) } else { moment(end).into() };
        page.fact(
            "Date",
            &format!("{} to {until}, {} from start to end", moment(start), seconds(end - start)),
        );
    }
    if run.host_is_known() {
        page.fact("Host", &code(&run.host));
    }
    machine(page, chapter);
    let producers = producers(chapter);
    if !producers.is_empty() {
        page.fact("Made by", &producers.join(", "));
    }
    let backends: Vec<String> = chapter
        .backends()
        .iter()
        .map(|backend| {
            let version = backend.version.as_deref().map(|v| format!(" {}", prose(v)));
            let kind = format!("{}{}", prose(&backend.kind), version.unwrap_or_default());
            format!("{} ({kind})", code(&backend.name))
        })
        .collect();
    if !backends.is_empty() {
        page.fact(if backends.len() == 1 { "Backend" } else { "Backends" }, &backends.join(", "));
    }
    if let Some(command) = command(chapter) {
        page.fact("Command", &code(&command));
    }
    page.fact("Run", &code(&run.id));
    let files: Vec<&str> = run.inputs.iter().map(|at| input.files[*at].name.as_str()).collect();
    page.fact("Input", &list(files.into_iter().map(shown_name), NAMES));
    if let Some(other) = &run.recording_of {
        page.fact(
            "Samples",
            &format!("from run {}, which recorded this host at that time", code(other)),
        );
    }
}

/// The name of an input for people.
pub(super) fn shown_name(name: &str) -> &str {
    if name == "-" { "standard input" } else { name }
}

fn subject(chapter: &Chapter<'_>) -> String {
    let run = chapter.run;
    let suites: BTreeSet<&str> = run.starts.iter().map(|start| start.suite.as_str()).collect();
    if !suites.is_empty() {
        return list(suites.into_iter(), 3);
    }
    if let Some(version) = chapter.metadata("mlx_knife_version").and_then(Value::as_str) {
        return format!("mlx-knife {}", prose(version));
    }
    let suites: BTreeSet<&str> = run.tests.iter().map(|test| test.suite.as_str()).collect();
    match suites.len() {
        0 => "a recording".to_owned(),
        _ => list(suites.into_iter(), 3),
    }
}

/// A run that did not come to its end says so before anything else.
fn unfinished(page: &mut Page, chapter: &Chapter<'_>) {
    let run = chapter.run;
    let what = if run.cut_off() {
        "**Cut off:** the stream has no `run_end`."
    } else if run.interrupted() {
        "**Interrupted:** a signal stopped the run."
    } else {
        return;
    };
    let missing = run.without_result();
    let mut text = what.to_owned();
    if !missing.is_empty() {
        let n = missing.len() as u64;
        text.push_str(&format!(
            " {} {} no result: {}.",
            things(n, "selected case"),
            super::have(n),
            list(missing.into_iter(), NAMES)
        ));
    }
    if !run.open.is_empty() {
        let open = run.open.iter().map(String::as_str);
        text.push_str(&format!(" In progress when it ended: {}.", list(open, NAMES)));
    }
    page.paragraph(&text);
}

fn ran(chapter: &Chapter<'_>) -> String {
    let run = chapter.run;
    if run.starts.is_empty() {
        let suites: BTreeSet<&str> = run.tests.iter().map(|test| test.suite.as_str()).collect();
        return if run.tests.is_empty() {
            "no tests: the input holds samples only".to_owned()
        } else {
            let tests = things(run.tests.len() as u64, "test");
            format!("{tests} of {}", list(suites.into_iter(), NAMES))
        };
    }
    let suites: Vec<String> = run
        .last_starts()
        .map(|start| {
            let seed = start.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
            let resumed = start.resumed.as_ref().map(|resumed| {
                let kept = things(resumed.kept, "result");
                format!(", continued from {} with {kept}", code(&resumed.file))
            });
            format!(
                "suite {} from {}, {} selected{seed}{}",
                code(&start.suite),
                code(&start.file),
                things(start.selected.len() as u64, "case"),
                resumed.unwrap_or_default()
            )
        })
        .collect();
    suites.join("; then ")
}

fn producers(chapter: &Chapter<'_>) -> Vec<String> {
    let run = chapter.run;
    let ours = run.streams.iter().map(|stream| &stream.producer);
    let ours = ours.chain(run.starts.iter().map(|start| &start.producer));
    let mut all: Vec<String> = Vec::new();
    for Producer { name, version } in ours {
        all.push(format!("{} {}", prose(name), prose(version)));
    }
    if let Some(version) = chapter.metadata("mlx_knife_version").and_then(Value::as_str) {
        let schema = chapter.metadata("schema_version").and_then(Value::as_str);
        let schema = schema.map(|s| format!(" (schema {})", prose(s))).unwrap_or_default();
        all.push(format!("mlx-knife {}{schema}", prose(version)));
    }
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

fn command(chapter: &Chapter<'_>) -> Option<String> {
    let run = chapter.run;
    let words = run.streams.iter().find_map(|stream| stream.command.as_ref());
    words
        .map(|words| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
        .or_else(|| run.legacy_summaries.iter().find_map(|summary| summary.command.clone()))
}

/// A word as one would type it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn machine(page: &mut Page, chapter: &Chapter<'_>) {
    let Some(known) = numbers::machine(chapter.run) else {
        page.fact("Machine", "not described: no record of the input tells of it");
        return;
    };
    let cores = match (known.cores_logical, known.cores_physical) {
        (Some(logical), Some(physical)) if logical != physical => {
            Some(format!("{} ({logical} threads)", things(physical.into(), "core")))
        }
        (logical, physical) => physical.or(logical).map(|n| things(n.into(), "core")),
    };
    let parts = [
        known.model.as_deref().map(prose),
        known.chip.as_deref().map(prose),
        cores,
        known.ram_total_gb.map(|ram| format!("{} of memory", gb(ram))),
    ];
    fact(page, "Machine", &parts);
    fact(
        page,
        "System",
        &[
            known.os.as_deref().map(prose),
            known.kernel.as_deref().map(|kernel| format!("kernel {}", prose(kernel))),
            known.arch.as_deref().map(prose),
        ],
    );
    let gpus: Vec<Option<String>> = known.gpus.iter().map(gpu).collect();
    fact(page, "GPU", &gpus);
}

fn fact(page: &mut Page, name: &str, parts: &[Option<String>]) {
    let parts: Vec<&str> = parts.iter().filter_map(Option::as_deref).collect();
    if !parts.is_empty() {
        page.fact(name, &parts.join(", "));
    }
}

fn gpu(gpu: &GpuInfo) -> Option<String> {
    let name = gpu.name.as_deref().map_or_else(|| "unnamed".to_owned(), prose);
    let more: Vec<String> = [
        gpu.memory_total_gb.map(|memory| format::gb(memory).into()),
        gpu.driver.as_deref().map(|driver| format!("driver {}", prose(driver))),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(if more.is_empty() { name } else { format!("{name} ({})", more.join(", ")) })
}
