//! Backends compared: each case that was benched, with each model, on all backends.

mod figures;
mod model;
mod overall;
mod remarks;
mod runs;

use crate::page::{Cell, Page, code};
use records::{ProtocolKind, Test};

use super::{
    chapter::{Chapter, axes_of, backend_cell},
    protocol,
};
pub(super) use model::line as model_line;
pub(super) use overall::section as overall;

use crate::numbers::{BenchGroup, backend_of, benches, found, model_of};

/// Writes a part for each case and model.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let groups = benches(&chapter.run.tests, &chapter.measured);
    if groups.is_empty() {
        return;
    }
    let several = groups.iter().any(BenchGroup::several_backends);
    page.heading(2, if several { "Backends compared" } else { "Bench" });
    page.paragraph(
        "**PP** is prompt processing and **TG** token generation, both in tokens per second by \
         our clock; **Load** is from starting the backend to its being ready. Figures are means \
         over the repetitions ± their standard deviation (n − 1). Of two means one is called \
         faster where their 95 % intervals (Student's t) do not overlap; else the difference is \
         within the noise.",
    );
    overall(page, &found(&[chapter.run], ProtocolKind::Bench), 3);
    groups.iter().for_each(|group| write(page, chapter, group));
}

fn write(page: &mut Page, chapter: &Chapter<'_>, group: &BenchGroup<'_>) {
    let case = match group.suite {
        Some(suite) => code(&format!("{suite}::{}", group.case)),
        None => code(group.case),
    };
    let model = group.model.map(|model| format!(" with {}", code(model))).unwrap_or_default();
    page.heading(3, &format!("{case}{model}"));
    if let Some(facts) = model::line(&group.tests) {
        page.fact("Model", &facts);
    }
    if let Some(how) = protocol::line(&group.tests) {
        page.fact("Measured", &how);
    }
    figures::table(page, chapter, group);
    remarks::leads(page, group);
    remarks::list(page, group);
    figures::own_timings(page, group);
    runs::folded(page, group);
}

/// What `get` tells of `tests`, those backends together that it tells the same of: `` `a`,
/// `b`: this; `c`: that ``. Nothing where it tells nothing.
pub(super) fn by_backend<'a>(
    tests: impl Iterator<Item = &'a Test>,
    get: impl Fn(&Test) -> Option<Vec<String>>,
) -> Option<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for test in tests {
        let text = get(test).unwrap_or_default().join(", ");
        if text.is_empty() {
            continue;
        }
        let backend = backend_cell(test).to_string();
        match said.iter_mut().find(|(other, _)| *other == text) {
            Some((_, backends)) if backends.contains(&backend) => {}
            Some((_, backends)) => backends.push(backend),
            None => said.push((text, vec![backend])),
        }
    }
    let each: Vec<String> =
        said.iter().map(|(text, backends)| format!("{}: {text}", backends.join(", "))).collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// What tells a test from others in its table: its backend, else its model, and its axes.
pub(super) fn label(test: &Test) -> String {
    let name = match (backend_of(test), model_of(test)) {
        (Some(_), _) => backend_cell(test),
        (None, Some(model)) => Cell::name(model),
        (None, None) => Cell::name(&test.case),
    };
    match axes_of(test) {
        Some(axes) => format!("{name} at {}", code(&axes)),
        None => name.into(),
    }
}
