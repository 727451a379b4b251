//! What stands above the figure: what was run, on what, and what to be wary of.

use records::{Machine, Outcome, Summary};

use crate::{
    recording::Recording,
    section::Section,
    words::{counted, date, duration, elapsed, grouped, shortened},
};

/// Names of open tests that are said one by one.
const NAMED: usize = 5;

/// The title: as asked for, else the suite, else the command.
pub(crate) fn title(recording: &Recording, asked: Option<&str>) -> String {
    let mut suites: Vec<&str> = Vec::new();
    for start in &recording.run_starts {
        if !suites.contains(&start.suite.as_str()) {
            suites.push(&start.suite);
        }
    }
    let suites = Some(suites.join(", ")).filter(|names| !names.is_empty());
    let title = asked.map(str::to_owned).or(suites).or_else(|| command(recording));
    pipe::printable(&title.unwrap_or_else(|| "Timeline".to_owned())).into_owned()
}

/// Pairs of a label and a text, in the order in which they are read.
pub(crate) fn facts(recording: &Recording) -> Vec<(&'static str, String)> {
    let machine = recording.machine.as_ref();
    let samples = recording.samples() as u64;
    let start = recording.start();
    let span = start.zip(recording.end()).map(|(start, end)| end - start);
    let facts = [
        ("Tests", outcomes(recording)),
        ("Exit", exit(recording)),
        ("Started", start.and_then(date)),
        ("Duration", span.map(duration)),
        ("Command", command(recording)),
        ("Host", host(recording)),
        ("Chip", machine.and_then(chip)),
        ("Memory", machine.and_then(|m| m.ram_total_gb).map(|gb| format!("{gb:.1} GB"))),
        ("System", machine.and_then(system)),
        ("Samples", (samples > 0).then(|| grouped(samples))),
        ("Interval", interval(recording)),
        ("Least free", extreme(recording, "ram_free_gb", Extreme::Least)),
        (
            "Tree peak",
            extreme(recording, "tree_footprint_gb", Extreme::Greatest)
                .or_else(|| extreme(recording, "tree_rss_gb", Extreme::Greatest)),
        ),
        ("Swap peak", extreme(recording, "swap_used_mb", Extreme::Greatest)),
        ("GPU peak", extreme(recording, "gpu_device_util", Extreme::Greatest)),
    ];
    facts
        .into_iter()
        .filter_map(|(label, text)| Some((label, pipe::printable(&text?).into_owned())))
        .collect()
}

/// Sentences on what is not whole, or not to be trusted.
pub(crate) fn warnings(recording: &Recording) -> Vec<String> {
    let mut warnings = Vec::new();
    let start = recording.start().unwrap_or_default();
    if recording.samples() == 0 {
        warnings.push("No samples: nothing was measured.".to_owned());
    }
    for run in &recording.run_starts {
        if !recording.run_ends.iter().any(|end| end.run == run.run) {
            warnings.push(format!("Run of {} was cut off: no run_end.", run.suite));
        }
    }
    for stream in &recording.streams {
        if !recording.summaries.iter().any(|summary| summary.run == stream.run) {
            warnings.push("Sampling was cut off: no summary.".to_owned());
        }
    }
    for (name, since) in recording.open.iter().take(NAMED) {
        warnings.push(format!("{name} began at {} and has no end.", elapsed(since - start)));
    }
    if let more @ 1.. = recording.open.len().saturating_sub(NAMED) {
        warnings.push(format!("{} more began and have no end.", grouped(more as u64)));
    }
    for section in &recording.sections {
        let here = recording.streams.iter().filter(|stream| stream.host == section.host).count();
        if here > 1 {
            let streams = counted(here as u64, "stream");
            warnings.push(format!("Samples of {streams} share each curve."));
        }
        warnings.extend(gaps(section));
    }
    if recording.malformed > 0 {
        let lines = counted(recording.malformed, "line");
        warnings.push(format!("{lines} could not be read: missing here."));
    }
    warnings.iter().map(|warning| pipe::printable(warning).into_owned()).collect()
}

/// Why the series of `names` are not there, as far as the stream says.
pub(crate) fn reason(recording: &Recording, section: &Section, names: &[&str]) -> Option<String> {
    let mut reasons: Vec<&str> = Vec::new();
    let streams = recording.streams.iter().filter(|stream| stream.host == section.host);
    for missing in streams.flat_map(|stream| &stream.sources.missing) {
        // A whole group can be named by the beginning that its fields share.
        let is_meant = |name: &&str| {
            **name == missing.quantity
                || name.strip_prefix(&*missing.quantity).is_some_and(|rest| rest.starts_with('_'))
        };
        if names.iter().any(is_meant) && !reasons.contains(&missing.why.as_str()) {
            reasons.push(&missing.why);
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn outcomes(recording: &Recording) -> Option<String> {
    use Outcome::{Error, Failed, Passed, Skipped, Xfailed, Xpassed};
    if recording.tests() == 0 {
        return None;
    }
    let counts = [Passed, Failed, Error, Skipped, Xfailed, Xpassed].map(|outcome| {
        let cases = recording.sections.iter().flat_map(|section| &section.cases);
        let n = cases.filter(|case| case.outcome == outcome).count();
        (n, format!("{} {}", grouped(n as u64), outcome.name()))
    });
    let counts = counts.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text);
    Some(counts.collect::<Vec<_>>().join(", "))
}

fn exit(recording: &Recording) -> Option<String> {
    let of_runs = recording.run_ends.iter().map(|end| {
        let interrupted = if end.interrupted { " (interrupted)" } else { "" };
        format!("{}{interrupted}", end.exit)
    });
    let of_children = recording.summaries.iter().filter_map(of_child);
    let older = recording.legacy_summaries.iter().filter_map(|s| Some(s.exit_code?.to_string()));
    let mut exits: Vec<String> = of_runs.collect();
    if exits.is_empty() {
        exits.extend(of_children.chain(older));
    }
    (!exits.is_empty()).then(|| exits.join(", "))
}

fn of_child(summary: &Summary) -> Option<String> {
    let child = summary.child.as_ref()?;
    child
        .exit
        .map(|code| code.to_string())
        .or(child.signal.map(|signal| format!("killed by signal {signal}")))
        .or(child.error.clone())
}

fn command(recording: &Recording) -> Option<String> {
    let words = recording.streams.iter().find_map(|stream| stream.command.as_ref());
    let older = recording.legacy_summaries.iter().find_map(|s| s.command.clone());
    let command = words.map(|words| words.join(" ")).or(older)?;
    Some(shortened(&command, 300).into_owned())
}

fn host(recording: &Recording) -> Option<String> {
    let names = recording.sections.iter().map(|section| section.host.as_str());
    let names = names.filter(|host| !host.is_empty()).collect::<Vec<_>>().join(", ");
    let model = recording.machine.as_ref().and_then(|machine| machine.model.clone());
    match (names.is_empty(), model) {
        (true, model) => model,
        (false, None) => Some(names),
        (false, Some(model)) => Some(format!("{names} ({model})")),
    }
}

fn chip(machine: &Machine) -> Option<String> {
    let gpus = machine.gpus.iter().filter_map(|gpu| gpu.name.clone());
    let cores = machine.cores_physical.or(machine.cores_logical);
    let cores = cores.map(|n| counted(u64::from(n), "core"));
    let parts: Vec<String> = machine.chip.clone().into_iter().chain(cores).chain(gpus).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn system(machine: &Machine) -> Option<String> {
    let parts = [&machine.os, &machine.kernel, &machine.arch].into_iter().flatten().cloned();
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The interval as it really was: as the sampler says it, else as the samples show it.
fn interval(recording: &Recording) -> Option<String> {
    let asked = recording.streams.first().map(|stream| stream.interval_ms);
    let asked = asked.or(recording.legacy_summaries.first().and_then(|s| s.interval_ms));
    let asked = asked.map(|ms| format!(" ({ms} ms asked for)")).unwrap_or_default();
    if let [summary] = &recording.summaries[..]
        && let Some(achieved) = &summary.achieved
    {
        let (median, p99, max) = (achieved.median_ms, achieved.p99_ms, achieved.max_ms);
        return Some(format!("median {median} ms, p99 {p99} ms, longest {max} ms{asked}"));
    }
    let median = recording.sections.iter().find_map(|section| section.columns.interval())?;
    // Microseconds of a lifetime have fewer than 53 bits.
    Some(format!("median {:.1} ms{asked}", median as f64 / 1e3))
}

#[derive(Clone, Copy)]
enum Extreme {
    Least,
    Greatest,
}

/// The least or greatest value of a series: as the sampler's summary says it, else as the
/// samples show it. With several machines it would say too little of either.
fn extreme(recording: &Recording, name: &str, which: Extreme) -> Option<String> {
    let [section] = &recording.sections[..] else {
        return None;
    };
    let series = records::series(name)?;
    let said = match &recording.summaries[..] {
        [summary] => summary.series.get(name).map(|series| match which {
            Extreme::Least => series.min,
            Extreme::Greatest => series.max,
        }),
        _ => None,
    };
    let value = said.or_else(|| {
        let column = section.columns.get(name)?;
        match which {
            Extreme::Least => column.min(),
            Extreme::Greatest => column.max(),
        }
    })?;
    let unit = match series.unit {
        records::Unit::Gb => "GB",
        records::Unit::Mb => "MB",
        _ => "%",
    };
    Some(format!("{value:.*} {unit}", usize::from(series.unit.decimals())))
}

/// Missing time in the samples of `section`: more than three intervals.
fn gaps(section: &Section) -> Option<String> {
    let times = &section.columns.times;
    let limit = 3 * section.columns.interval()?;
    let steps = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > limit);
    let (count, longest) = steps.fold((0, 0), |(n, most), step| (n + 1, most.max(step)));
    (count > 0).then(|| {
        format!(
            "{} in the samples, the longest {}: curves break there.",
            counted(count, "gap"),
            duration(longest as f64 / 1e6)
        )
    })
}

/// The timeline in a sentence, for those who do not see it.
pub(crate) fn label(recording: &Recording) -> String {
    let samples = counted(recording.samples() as u64, "sample");
    let tests = counted(recording.tests() as u64, "test");
    let span = recording.start().zip(recording.end()).map(|(start, end)| duration(end - start));
    let over = span.map(|span| format!(" over {span}")).unwrap_or_default();
    format!(
        "Timeline of {samples} and {tests}{over}: memory, CPU and GPU above one time axis. \
         The tests follow as a table."
    )
}
