//! A line that is joined: what the join must know of it, and how it leaves.

use std::borrow::Cow;

use records::{Kind, Malformed, Origin, Outcome, Params, Test, legacy::LegacyTest, write_number};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    analysis::{Details, Facts, Tokens},
    cold::ModelKey,
    fields::Set,
    figures::{Figures, Known},
    window::Window,
};

/// A test, span or attempt on its way through.
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) window: Option<Window>,
    /// The id of a test or an attempt.
    pub(crate) id: Option<String>,
    /// The phase of a span.
    pub(crate) phase: Option<String>,
    pub(crate) params: Params,
    /// The model that it ran on; none when it names none or did not run.
    pub(crate) model: Option<ModelKey>,
    /// Whether it came to its aim: a load with an error loaded nothing.
    pub(crate) reached: bool,
    details: Details,
    body: Body,
}

enum Body {
    /// The line as it came.
    Ours(Vec<u8>),
    /// A legacy line leaves as ours.
    Legacy(Box<Test>),
}

/// What is read of a line of ours. What only the analysis looks at is left as it stands:
/// it need not be as it should be.
#[derive(Deserialize)]
struct Head<'a> {
    ts: f64,
    run: String,
    host: String,
    end_ts: Option<f64>,
    duration_s: Option<f64>,
    id: Option<String>,
    phase: Option<String>,
    params: Option<Params>,
    #[serde(borrow)]
    model: Option<ModelHead<'a>>,
    outcome: Option<Cow<'a, str>>,
    error: Option<&'a RawValue>,
    metrics: Option<&'a RawValue>,
    runs: Option<&'a RawValue>,
    verdict: Option<&'a RawValue>,
    page_cache: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the model's id")]
struct ModelHead<'a> {
    id: Option<String>,
    #[serde(borrow)]
    size_gb: Option<&'a RawValue>,
}

impl Item {
    /// Reads a test, span or attempt of ours.
    pub(crate) fn ours(kind: Kind, line: &[u8]) -> Result<Item, Malformed> {
        // What is parsed piecemeal is not all looked at: garbage in a text would leave the
        // line unjoined in silence.
        if let Err(error) = std::str::from_utf8(line) {
            return Err(Malformed(format!("not UTF-8 at byte {}", error.valid_up_to() + 1)));
        }
        let read = |line: &[u8]| Ok(Item::of_head(kind, records::read_json(line)?));
        let mut item = records::parse_with(line, read)?;
        item.body = Body::Ours(line.to_vec());
        Ok(item)
    }

    fn of_head(kind: Kind, head: Head<'_>) -> Item {
        let details = Details {
            duration_s: head.duration_s,
            answered: said(head.metrics).is_some_and(|tokens: Tokens| tokens.any()),
            bench: said(head.runs).is_some_and(|runs: Vec<IgnoredAny>| !runs.is_empty()),
            verdict: said(head.verdict),
            disk_gb: said(head.model.as_ref().and_then(|model| model.size_gb)),
            page_cache: said(head.page_cache),
            skipped: head.outcome.as_deref() == Some(Outcome::Skipped.name()),
            error: said(head.error),
        };
        let params = head.params.unwrap_or_default();
        let model = params.model.clone().or_else(|| head.model.and_then(|model| model.id));
        let model = model.filter(|_| !details.skipped);
        Item {
            kind,
            origin: Origin { run: head.run, host: head.host },
            window: Window::new(head.ts, head.end_ts, head.duration_s),
            id: head.id,
            phase: head.phase,
            model: model.map(|model| (params.backend.clone(), model)),
            params,
            reached: head.error.is_none(),
            details,
            body: Body::Ours(Vec::new()),
        }
    }

    /// Reads a test of the reference suite; it becomes ours, of `origin`.
    pub(crate) fn legacy(line: &[u8], origin: &Origin) -> Result<Item, Malformed> {
        let test = records::parse::<LegacyTest>(line)?.upgrade(origin)?;
        let ran = test.outcome != Outcome::Skipped;
        Ok(Item {
            kind: Kind::Test,
            origin: origin.clone(),
            window: Window::new(test.ts, test.end_ts, test.duration_s),
            id: Some(test.id.clone()),
            phase: None,
            model: test.params.model.clone().filter(|_| ran).map(|model| (None, model)),
            params: test.params.clone(),
            reached: true,
            details: Details::of_test(&test),
            body: Body::Legacy(Box::new(test)),
        })
    }

    /// Whether it is the span of a model that was loaded.
    pub(crate) fn is_load(&self) -> bool {
        self.kind == Kind::Span && self.phase.as_deref() == Some("load") && self.reached
    }

    /// What the analysis reads of it; none without a window.
    pub(crate) fn facts<'a>(
        &'a self,
        stream: usize,
        figures: Option<&'a Figures>,
    ) -> Option<Facts<'a>> {
        Some(Facts {
            kind: self.kind,
            stream,
            id: self.id.as_deref(),
            phase: self.phase.as_deref(),
            params: &self.params,
            model: self.model.as_ref(),
            window: self.window?,
            reached: self.reached,
            details: &self.details,
            figures,
        })
    }

    /// The line with what was found out, in `memory` as far as that serves. Where nothing was,
    /// it leaves as it came.
    pub(crate) fn joined(self, found: Joined, memory: Vec<u8>, known: &mut Known) -> Vec<u8> {
        match self.body {
            Body::Legacy(mut test) => {
                test.resources = found.figures.map(Into::into);
                test.cold_start = found.cold_start;
                // A record of numbers, texts and maps with text keys has no way to fail.
                serde_json::to_vec(&test).unwrap_or_default()
            }
            Body::Ours(line) => found.set_in(&line, memory, known).unwrap_or(line),
        }
    }
}

/// The value in `text`, where it is as it should be.
fn said<'a, T: Deserialize<'a>>(text: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(text?.get()).ok()
}

/// What the join adds to a line.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) figures: Option<Figures>,
    pub(crate) cold_start: Option<bool>,
    pub(crate) model_delta_gb: Option<f64>,
}

/// What is added is rarely longer than this, without the series.
const LINE_BYTES: usize = 128;
/// What is said of a series is rarely longer than this.
const SERIES_BYTES: usize = 128;
/// Decimals of memory.
const GB_DECIMALS: u8 = 3;

impl Joined {
    /// `line` with it; none when there is nothing to add.
    fn set_in(&self, line: &[u8], memory: Vec<u8>, known: &mut Known) -> Option<Vec<u8>> {
        let series = self.figures.as_ref().map_or(0, |figures| figures.series.len());
        let mut set = Set::new(line, LINE_BYTES + series * SERIES_BYTES, memory);
        if let Some(figures) = &self.figures {
            set.field("resources", |text| figures.write(text, known));
        }
        if let Some(cold_start) = self.cold_start {
            let value: &[u8] = if cold_start { b"true" } else { b"false" };
            set.field("cold_start", |text| text.extend_from_slice(value));
        }
        if let Some(gb) = self.model_delta_gb {
            set.field("model_delta_gb", |text| write_number(text, gb, GB_DECIMALS));
        }
        set.line()
    }
}

#[cfg(test)]
mod tests {
    use records::Kind;

    use super::{Item, Joined};
    use crate::figures::{Figures, Known};

    const LINE: &str = r#"{"z":1.50,"record":"test","v":1,"ts":5.0,"run":"r","host":"h","id":"a","resources":{"old":1},"big":123456789012345678901234567890,"q":"\u00e9 NaN"}"#;

    fn joined(line: &str, figures: Option<Figures>, cold: Option<bool>) -> String {
        let item = Item::ours(Kind::Test, line.as_bytes()).unwrap();
        let found = Joined { figures, cold_start: cold, ..Joined::default() };
        String::from_utf8(item.joined(found, b"old".to_vec(), &mut Known::default())).unwrap()
    }

    #[test]
    fn other_fields_keep_their_digits_and_their_places() {
        let figures = Figures { samples: 2, coverage: 1.0, ..Figures::default() };
        assert_eq!(
            joined(LINE, Some(figures), Some(true)),
            LINE.replace(r#"{"old":1}"#, r#"{"samples":2,"coverage":1.0}"#)
                .trim_end_matches('}')
                .to_owned()
                + r#","cold_start":true}"#
        );
    }

    #[test]
    fn a_line_about_which_nothing_was_found_out_leaves_as_it_came() {
        let spaced = LINE.replace(':', " : ");
        assert_eq!(joined(&spaced, None, None), spaced);
    }

    #[test]
    fn nan_leaves_as_null_with_what_was_added() {
        let line = r#"{"ts":1,"run":"r","host":"h","end_ts":2,"x":NaN}"#;
        assert_eq!(
            joined(line, None, Some(false)),
            r#"{"ts":1,"run":"r","host":"h","end_ts":2,"x":null,"cold_start":false}"#
        );
    }
}
