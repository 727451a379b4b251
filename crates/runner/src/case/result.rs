//! From what came of a case to its one result.

use std::path::Path;

use probe::clock::Stamp;
use records::{
    Backend, Check, ErrorInfo, Modality, Model, Origin, Outcome, Params, SystemHealth, Test,
};
use serde_json::{Value, json};

use super::Came;
use crate::{
    expect::{Expectation, Subject as About, judge},
    facts::{self, Facts},
    journal::lasting,
    plan::{Cell, On},
    suite::{CaseDef, Suite},
};

/// Longest beginning of an answer that is kept, in characters.
const SAMPLE: usize = 500;

/// What a result is about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The run and the host.
    pub origin: &'a Origin,
    /// The suite.
    pub suite: &'a Suite,
    /// The cell.
    pub cell: &'a Cell<'a>,
    /// The backend and the model.
    pub on: Option<On<'a>>,
    /// The backend, as it is recorded.
    pub backend: Option<Backend>,
    /// The model, as it is recorded.
    pub model: Option<Model>,
}

impl Subject<'_> {
    /// What it runs on.
    #[must_use]
    pub fn params(&self) -> Params {
        Params {
            backend: self.on.map(|on| on.backend_name.to_owned()),
            model: self.on.map(|on| on.model.id.clone()),
            ..Params::default()
        }
    }

    /// A result without an outcome yet.
    fn test(&self, start: &Stamp) -> Test {
        let case = self.cell.case;
        let mut test = Test::at(start.wall_s, self.origin);
        test.id.clone_from(&self.cell.id);
        test.suite.clone_from(&self.suite.name);
        test.case.clone_from(&case.name);
        test.params = self.params();
        test.marks = case.marks.iter().map(|mark| mark.get_ref().clone()).collect();
        test.modality = modality(&case.needs, self.on.is_some());
        test.model.clone_from(&self.model);
        test.backend.clone_from(&self.backend);
        test
    }
}

/// The kind of input that a case is about: the most particular one that it needs.
fn modality(needs: &[Modality], on_model: bool) -> Option<Modality> {
    let particular = [Modality::Audio, Modality::Vision, Modality::Tools];
    particular
        .into_iter()
        .find(|modality| needs.contains(modality))
        .or_else(|| on_model.then_some(Modality::Text))
}

/// The result of a case that ran.
#[must_use]
pub fn conclude(
    subject: &Subject<'_>,
    expectations: &[Expectation],
    came: Came,
    start: &Stamp,
    end: &Stamp,
    health: Option<SystemHealth>,
) -> Test {
    let mut test = subject.test(start);
    let (end_ts, duration_s) = lasting(start, end);
    test.end_ts = Some(end_ts);
    test.duration_s = Some(duration_s);
    test.total_s = Some(duration_s);
    test.attempt = Some(1);
    test.system_health = health;

    let Came { observed, mut error, .. } = came;
    if error.is_none() {
        for judged in expectations.iter().map(|expectation| judge(expectation, &observed)) {
            if let Some(what) = judged.missing {
                error.get_or_insert_with(|| ErrorInfo {
                    kind: "missing_metric".to_owned(),
                    message: format!(
                        "the backend does not report {what}, which the case expects something of"
                    ),
                    ..ErrorInfo::default()
                });
            }
            test.checks.push(judged.check);
        }
        // A command that fails fails its case, unless the case says what to expect.
        let says = expectations.iter().any(|e| matches!(e.subject, About::Exit(_)));
        if subject.cell.case.command.is_some() && !says && observed.exit != Some(0) {
            let actual = observed.exit.map_or(json!("ended by a signal"), Value::from);
            test.checks.push(Check { expect: json!({"exit": 0}), ok: false, actual: Some(actual) });
        }
    }
    let missed = test.checks.iter().find(|check| !check.ok);
    let (outcome, reason) = match (&error, missed) {
        (Some(error), _) => (Outcome::Error, Some(error.message.clone())),
        (None, Some(check)) => (Outcome::Failed, Some(describe(check))),
        (None, None) => (Outcome::Passed, None),
    };
    test.error = error;
    settle(&mut test, subject.cell.case, outcome, reason);
    test.metrics = observed.metrics;
    test.sample_output = observed
        .text
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(SAMPLE).collect());
    test
}

/// The result of a case that did not run.
#[must_use]
pub fn not_run(
    subject: &Subject<'_>,
    outcome: Outcome,
    reason: String,
    error: Option<ErrorInfo>,
) -> Test {
    let mut test = subject.test(&Stamp::now());
    test.error = error;
    settle(&mut test, subject.cell.case, outcome, Some(reason));
    test
}

/// Gives the test its outcome, turned around where it is expected to fail. That the
/// run was interrupted is nobody's expectation.
fn settle(test: &mut Test, case: &CaseDef, outcome: Outcome, reason: Option<String>) {
    let interrupted = test.error.as_ref().is_some_and(|error| error.kind == "interrupted");
    (test.outcome, test.reason) = match (&case.xfail, outcome) {
        (Some(why), Outcome::Passed) => {
            (Outcome::Xpassed, Some(format!("expected to fail: {}", why.reason)))
        }
        (Some(why), Outcome::Failed | Outcome::Error) if !interrupted => {
            (Outcome::Xfailed, Some(why.reason.clone()))
        }
        _ => (outcome, reason),
    };
}

/// One sentence on a check that did not hold.
fn describe(check: &Check) -> String {
    let actual = match &check.actual {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "nothing".to_owned(),
    };
    format!("expected {}, found {actual}", check.expect)
}

/// What is known of the model of `on`: what the suite states, and else what its files
/// say, which are at `path` or in the hub's cache.
#[must_use]
pub fn model(on: &On<'_>, path: Option<&Path>) -> Model {
    let at = on.placement;
    let mut model = Model {
        id: on.model.id.clone(),
        size_gb: at.size_gb,
        params_b: at.params_b,
        active_params_b: at.active_params_b,
        family: at.family.clone(),
        quantization: at.quantization.clone(),
        framework: at.framework.clone(),
        context: at.context,
        notes: at.notes.clone(),
    };
    if let Some(files) = facts::location(path, at.repo.as_deref()) {
        Facts::of_files(&files).complete(&mut model);
    }
    model
}
