//! Answers of transcriptions, in the five formats that they are written in.

use serde_json::Value;

use super::{Answer, error_of};
use crate::suite::Format;

/// A transcription that was asked for in `format`.
pub(super) fn read(bytes: &[u8], format: Format) -> Answer {
    match format {
        Format::Json | Format::VerboseJson => of_json(bytes, format),
        Format::Text | Format::Srt | Format::Vtt => of_text(bytes, format),
    }
}

fn of_json(bytes: &[u8], format: Format) -> Answer {
    let body = match super::json(bytes) {
        Ok(body) => body,
        Err(fault) => return Answer::fault(fault),
    };
    let text = body["text"].as_str().map(|text| text.trim().to_owned());
    let fault = match (&text, error_of(&body)) {
        (None, Some(error)) => Some(format!("the server reports an error: {error}")),
        (None, None) => Some("the answer has no text".to_owned()),
        (Some(_), _) if format == Format::VerboseJson => segments_fault(&body),
        _ => None,
    };
    Answer { text, fault, body: Some(body), ..Answer::default() }
}

/// Segments must have their times in order, where there are any.
fn segments_fault(body: &Value) -> Option<String> {
    let times = body["segments"].as_array()?.iter().zip(1..).map(|(segment, n)| {
        let at = |key: &str| segment[key].as_f64();
        at("start").zip(at("end")).ok_or_else(|| format!("segment {n} has no start and end"))
    });
    match times.collect::<Result<Vec<_>, _>>() {
        Ok(times) => out_of_order(&times, "segment"),
        Err(fault) => Some(fault),
    }
}

fn of_text(bytes: &[u8], format: Format) -> Answer {
    let Ok(whole) = std::str::from_utf8(bytes) else {
        return Answer::fault("the answer is no UTF-8".to_owned());
    };
    // A server that knows one format only answers with that one, whatever was asked for.
    if let Ok(body @ Value::Object(_)) = serde_json::from_str(whole) {
        let fault = match error_of(&body) {
            Some(error) => format!("the server reports an error: {error}"),
            None => format!("the answer is JSON, and {} was asked for", format.name()),
        };
        return Answer { fault: Some(fault), body: Some(body), ..Answer::default() };
    }
    let (text, fault) = match format {
        Format::Text => (whole.trim().to_owned(), None),
        Format::Srt => cues(whole, ',', "SubRip"),
        _ => match whole.trim_start_matches('\u{feff}').strip_prefix("WEBVTT") {
            Some(rest) if rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']) => {
                // What stands in the first block is a header.
                let blocks = rest.replace('\r', "");
                let (_, after) = blocks.split_once("\n\n").unwrap_or((rest, ""));
                cues(after, '.', "WebVTT")
            }
            _ => (String::new(), Some("the answer does not begin with WEBVTT".to_owned())),
        },
    };
    Answer { text: Some(text), fault, ..Answer::default() }
}

/// The texts of subtitles, joined, and what is wrong with them.
fn cues(text: &str, decimal: char, name: &str) -> (String, Option<String>) {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut lines = Vec::new();
    let mut times = Vec::new();
    let mut fault = None;
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let head = block.lines().position(|line| line.contains("-->"));
        let note = ["NOTE", "STYLE", "REGION"].iter().any(|word| block.starts_with(word));
        let Some(at) = head.filter(|at| *at <= 1) else {
            if !(note && decimal == '.') {
                let line = block.lines().next().unwrap_or_default();
                fault.get_or_insert(format!("{line:?} is no cue of {name}"));
            }
            continue;
        };
        let line = block.lines().nth(at).unwrap_or_default();
        match cue_times(line, decimal) {
            Some(time) => times.push(time),
            None => {
                fault.get_or_insert(format!("{line:?} are no times of {name}"));
            }
        }
        lines.extend(block.lines().skip(at + 1).map(str::trim));
    }
    let fault = fault.or_else(|| out_of_order(&times, "cue"));
    (lines.join(" ").trim().to_owned(), fault)
}

/// `00:00:01,000 --> 00:00:02,500`, in seconds; what follows the times in WebVTT is
/// where the cue stands.
fn cue_times(line: &str, decimal: char) -> Option<(f64, f64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((seconds(start.trim(), decimal)?, seconds(end, decimal)?))
}

fn seconds(text: &str, decimal: char) -> Option<f64> {
    let (whole, fraction) = text.split_once(decimal)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let parts: Vec<&str> = whole.split(':').collect();
    // SubRip always has hours, WebVTT where there are any.
    let enough = parts.len() == 3 || (parts.len() == 2 && decimal == '.');
    if !enough || fraction.len() != 3 || !digits(fraction) || !parts.iter().all(|p| digits(p)) {
        return None;
    }
    let whole =
        parts.iter().try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Some(whole + fraction.parse::<f64>().ok()? / 1e3)
}

/// The first that ends before it begins, or begins before the one before it.
fn out_of_order(times: &[(f64, f64)], what: &str) -> Option<String> {
    let mut before = 0.0;
    for ((start, end), n) in times.iter().zip(1..) {
        if end < start {
            return Some(format!("{what} {n} ends at {end} s, before it begins at {start} s"));
        }
        if *start < before {
            return Some(format!("{what} {n} begins at {start} s, before the one before it"));
        }
        before = *start;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Format, read};

    const SRT: &str = "1\n00:00:00,000 --> 00:00:01,500\nThe quick\n\n2\n00:00:01,500 --> 00:00:03,000\nbrown fox\njumps\n";
    const VTT: &str = "WEBVTT - by a test\nKind: captions\n\nNOTE hello\n\n00:00.000 --> 00:01.500 align:start\nThe quick\n\nx\n01:00:01.500 --> 01:00:03.000\nbrown fox\n";

    #[test]
    fn every_format_gives_the_same_words() {
        for (format, body) in [
            (Format::Json, r#"{"text":" The quick brown fox jumps "}"#),
            (
                Format::VerboseJson,
                r#"{"text":"The quick brown fox jumps","segments":[{"start":0,"end":1.5}]}"#,
            ),
            (Format::Text, "The quick brown fox jumps\n"),
            (Format::Srt, SRT),
            (Format::Srt, &SRT.replace('\n', "\r\n")),
            (Format::Vtt, &VTT.replace("fox", "fox jumps")),
            (Format::Vtt, &VTT.replace("fox", "fox jumps").replace('\n', "\r\n")),
        ] {
            let answer = read(body.as_bytes(), format);
            let text = answer.text.as_deref();
            assert_eq!((text, answer.fault), (Some("The quick brown fox jumps"), None), "{body}");
        }
        let silence = read(b"WEBVTT\n\n", Format::Vtt);
        assert_eq!((silence.text.as_deref(), silence.fault), (Some(""), None));
    }

    #[test]
    fn what_is_not_of_the_format_that_was_asked_for_is_no_answer() {
        for (format, body, fault) in [
            (Format::Srt, r#"{"text":"hi"}"#, "the answer is JSON, and srt was asked for"),
            (Format::Text, r#"{"text":"hi"}"#, "the answer is JSON, and text was asked for"),
            (Format::Vtt, r#"{"error":"no"}"#, "the server reports an error: no"),
            (Format::Json, "hi", "the answer is not JSON"),
            (Format::Json, r#"{"txt":"hi"}"#, "the answer has no text"),
            (Format::Srt, "hi there", "\"hi there\" is no cue of SubRip"),
            (Format::Srt, VTT, "is no cue of SubRip"),
            (Format::Vtt, SRT, "the answer does not begin with WEBVTT"),
            (Format::Srt, "1\n00:00:01.000 --> 00:00:02.000\nhi", "are no times of SubRip"),
            (
                Format::Srt,
                "1\n00:00:03,000 --> 00:00:02,000\nhi",
                "cue 1 ends at 2 s, before it begins at 3 s",
            ),
            (
                Format::Vtt,
                "WEBVTT\n\n00:03.000 --> 00:04.000\na\n\n00:01.000 --> 00:05.000\nb",
                "cue 2 begins at 1 s, before the one before it",
            ),
            (
                Format::VerboseJson,
                r#"{"text":"a","segments":[{"start":2,"end":1}]}"#,
                "segment 1 ends at 1 s",
            ),
            (
                Format::VerboseJson,
                r#"{"text":"a","segments":[{"id":2}]}"#,
                "segment 1 has no start and end",
            ),
        ] {
            let found = read(body.as_bytes(), format).fault.unwrap_or_default();
            assert!(found.contains(fault), "{body}: {found}");
        }
        assert_eq!(read(b"\xff", Format::Text).fault.as_deref(), Some("the answer is no UTF-8"));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in "[WEBVT0-9:,.> \\-\\n\\r{}\"a]{0,80}") {
            for format in [Format::Json, Format::VerboseJson, Format::Text, Format::Srt, Format::Vtt] {
                let _ = read(text.as_bytes(), format);
            }
        }
    }
}
