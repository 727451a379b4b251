//! `--collect-only`: what would run.

use std::collections::BTreeMap;

use pipe::{Error, Writer};

use crate::plan::Group;

/// Ids on `writer`, one a line.
///
/// # Errors
///
/// When they cannot be written.
pub fn ids(groups: &[Group<'_>], writer: &mut Writer) -> Result<(), Error> {
    for cell in groups.iter().flat_map(|group| &group.cells) {
        writer.line(cell.id.as_bytes())?;
    }
    writer.flush()
}

/// For people: how many cells there are, what they need, and what of them would not run.
#[must_use]
pub fn outline(suite: &str, groups: &[Group<'_>]) -> Vec<String> {
    let cells: usize = groups.iter().map(|group| group.cells.len()).sum();
    let loads = groups.iter().filter(|group| group.needs_server()).count();
    let mut lines = vec![format!("{suite}: {}, {}", count(cells, "cell"), count(loads, "load"))];
    // A model that has cases of its own to itself has several groups.
    let mut places: Vec<((&str, &str), usize)> = Vec::new();
    for group in groups {
        let on = group.on.map_or(("-", "-"), |on| (on.backend_name, on.model.id.as_str()));
        match places.last_mut() {
            Some((last, cells)) if *last == on => *cells += group.cells.len(),
            _ => places.push((on, group.cells.len())),
        }
    }
    let width = |of: fn(&(&str, &str)) -> usize| places.iter().map(|(on, _)| of(on)).max();
    let backends = width(|on| on.0.chars().count()).unwrap_or(0);
    let models = width(|on| on.1.chars().count()).unwrap_or(0);
    lines.extend(places.iter().map(|((backend, model), cells)| {
        format!("  {backend:backends$}  {model:models$}  {cells:>6}")
    }));
    let mut not_run: BTreeMap<String, usize> = BTreeMap::new();
    for cell in groups.iter().flat_map(|group| &group.cells) {
        let why = match (&cell.skip, &cell.unset) {
            (Some(reason), _) => format!("skipped: {reason}"),
            (None, Some(message)) => format!("error: {message}"),
            (None, None) => continue,
        };
        *not_run.entry(why).or_default() += 1;
    }
    lines.extend(not_run.iter().map(|(why, cells)| format!("  {} {why}", count(*cells, "cell"))));
    lines
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
