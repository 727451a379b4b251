//! From what came of a case to its one result.

use std::path::Path;

use probe::clock::Stamp;
use records::{
    Backend, Check, ErrorInfo, Modality, Model, OnMiss, Origin, Outcome, Params, SystemHealth, Test,
};
use serde_json::{Value, json};

use super::{Came, Prepared, target};
use crate::{
    expect::{Expectation, Observed, Subject as About, judge},
    facts::{self, Facts},
    journal::lasting,
    plan::{Cell, On},
    suite::{Suite, Unsupported, Xfail},
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
            axes: self.cell.axes(),
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
        let metadata = case.metadata.as_ref().and_then(|table| serde_json::to_value(table).ok());
        if let Some(Value::Object(metadata)) = metadata {
            test.metadata = Some(metadata);
        }
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
    prepared: &Prepared,
    came: Came,
    start: &Stamp,
    end: &Stamp,
    health: Option<SystemHealth>,
) -> Test {
    let case = subject.cell.case;
    let mut test = subject.test(start);
    let (end_ts, duration_s) = lasting(start, end);
    test.end_ts = Some(end_ts);
    test.duration_s = Some(duration_s);
    test.total_s = Some(duration_s);
    test.attempt = Some(1);
    test.system_health = health;

    let Came { observed, checks, cut_short, note, measured, metadata, mut error, .. } = came;
    test.checks = checks;
    if error.is_none() && !cut_short {
        let expectations = &prepared.expectations;
        error = judge_all(expectations, &observed, None, &mut test.checks);
        if observed.status.is_some_and(|status| status < 400)
            && prepared.rows.is_empty()
            && !case.is_repeated()
        {
            let missing = judge_all(&prepared.implied, &observed, None, &mut test.checks);
            error = error.or(missing);
        }
        // A command that fails fails its case, unless the case says what to expect.
        let says = expectations.iter().any(|e| matches!(e.subject, About::Exit(_)));
        if case.command.is_some() && !says && observed.exit != Some(0) {
            let actual = observed.exit.map_or(json!("ended by a signal"), Value::from);
            test.checks.push(Check { expect: json!({"exit": 0}), ok: false, actual: Some(actual) });
        }
    }
    if error.is_none() && !case.target.is_empty() {
        let held = case.target.iter().map(|def| target::hold(def.get_ref(), &observed.metrics));
        let (targets, missing): (Vec<_>, Vec<_>) = held.unzip();
        error = missing.into_iter().flatten().next();
        test.targets = Some(targets);
    }
    let missed = test.checks.iter().find(|check| !check.ok);
    let targets = test.targets.iter().flatten();
    let over = targets.into_iter().find(|t| !t.ok && t.on_miss == OnMiss::Fail);
    let skips = case.request.as_ref().is_some_and(|r| r.unsupported == Unsupported::Skip);
    let (outcome, reason) = match (&error, missed, over) {
        (Some(error), ..) if skips && error.kind == "unsupported" => {
            (Outcome::Skipped, Some(error.message.clone()))
        }
        (Some(error), ..) => (Outcome::Error, Some(error.message.clone())),
        (None, Some(check), _) => {
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            (Outcome::Failed, Some(describe(check) + &note))
        }
        (None, None, Some(target)) => {
            let stat = target.stat.as_ref().map(|stat| format!("{stat} of ")).unwrap_or_default();
            let actual = target.actual.unwrap_or_default();
            let metric = &target.metric;
            (
                Outcome::Failed,
                Some(format!("{stat}{metric} is {actual}, and the target is {}", target.limit)),
            )
        }
        (None, None, None) => (Outcome::Passed, None),
    };
    test.error = error.filter(|_| outcome != Outcome::Skipped);
    settle(&mut test, subject.cell.xfail, outcome, reason);
    test.metrics = observed.metrics;
    if let Some(measured) = measured {
        test.protocol = Some(measured.protocol);
        test.runs = measured.runs;
        test.batch = measured.batch;
        test.memory = measured.memory;
        test.samples = measured.samples;
        test.cost = measured.cost;
        test.verdict = measured.verdict;
    }
    test.sample_output = observed
        .text
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(SAMPLE).collect());
    if !metadata.is_empty() {
        test.metadata.get_or_insert_default().extend(metadata);
    }
    test
}

/// Judges `expectations` and adds the checks, with the `turn` that they are of. Returns
/// why one of them could not be judged.
pub(crate) fn judge_all(
    expectations: &[Expectation],
    observed: &Observed,
    turn: Option<usize>,
    checks: &mut Vec<Check>,
) -> Option<ErrorInfo> {
    let mut error = None;
    for expectation in expectations {
        let mut judged = judge(expectation, observed);
        if let Some(what) = judged.missing {
            error.get_or_insert_with(|| ErrorInfo {
                kind: "missing_metric".to_owned(),
                message: format!(
                    "the backend does not report {what}, which the case expects something of"
                ),
                ..ErrorInfo::default()
            });
        }
        if let (Some(turn), Some(stated)) = (turn, judged.check.expect.as_object_mut()) {
            stated.insert("turn".to_owned(), json!(turn));
        }
        checks.push(judged.check);
    }
    error
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
    settle(&mut test, subject.cell.xfail, outcome, Some(reason));
    test
}

/// Gives the test its outcome, turned around where it is expected to fail. That the
/// run was interrupted, or that a variable is not set, is nobody's expectation.
fn settle(test: &mut Test, xfail: Option<&Xfail>, outcome: Outcome, reason: Option<String>) {
    let kind = test.error.as_ref().map(|error| error.kind.as_str());
    let unexpected = matches!(kind, Some("interrupted" | "unset_variable"));
    (test.outcome, test.reason) = match (xfail, outcome) {
        (Some(why), Outcome::Passed) if why.strict => {
            (Outcome::Failed, Some(format!("[strict] expected to fail: {}", why.reason)))
        }
        (Some(why), Outcome::Passed) => {
            (Outcome::Xpassed, Some(format!("expected to fail: {}", why.reason)))
        }
        (Some(why), Outcome::Failed | Outcome::Error) if !unexpected => {
            (Outcome::Xfailed, Some(why.reason.clone()))
        }
        _ => (outcome, reason),
    };
}

/// One sentence on a check that did not hold.
pub(crate) fn describe(check: &Check) -> String {
    let actual = match &check.actual {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "nothing".to_owned(),
    };
    match &check.expect {
        Value::String(expect) => format!("expected {expect}, found {actual}"),
        stated => format!("expected {stated}, found {actual}"),
    }
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
