//! What is known of a model that several tests ran on.

use crate::page::{code, prose};
use records::{Model, Test};

use crate::{
    numbers::{Common, common},
    render::{
        bench::by_backend,
        format::{gb, things},
    },
};

/// What is said of a model, one thing each.
const FACTS: [fn(&Model) -> Option<String>; 8] = [
    |model| model.quantization.as_deref().map(code),
    |model| model.size_gb.map(|size| gb(size).into()),
    |model| model.params_b.map(|n| format!("{} parameters", billions(n))),
    |model| model.active_params_b.map(|n| format!("{} of them active", billions(n))),
    |model| model.context.map(|n| format!("context of {}", things(n, "token"))),
    |model| model.framework.as_deref().map(code),
    |model| model.family.as_deref().map(|family| format!("family {}", code(family))),
    |model| model.notes.as_deref().map(prose),
];

/// What all of `tests` know of their model, as far as they agree.
pub(in crate::render) fn line(tests: &[&Test]) -> Option<String> {
    let facts: Vec<String> = FACTS
        .iter()
        .filter_map(|get| match of(tests, get) {
            Common::Same(text) => Some(text),
            _ => None,
        })
        .collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// In what the models of `tests` differ: who had what.
pub(super) fn differences(tests: &[&Test]) -> Option<String> {
    let differ: Vec<_> = FACTS.iter().filter(|get| of(tests, get) == Common::Differs).collect();
    by_backend(tests.iter().copied(), |test| {
        let model = test.model.as_ref()?;
        Some(differ.iter().filter_map(|get| get(model)).collect())
    })
}

fn of(tests: &[&Test], get: &impl Fn(&Model) -> Option<String>) -> Common<String> {
    common(tests.iter().copied(), |test| get(test.model.as_ref()?))
}

/// A number in 10⁹: `139 B`, `135 M`.
pub(super) fn billions(n: f64) -> String {
    if n < 1.0 { format!("{:.0} M", n * 1e3) } else { format!("{} B", (n * 10.0).round() / 10.0) }
}
