//! The page: the template with everything that it needs put in.

use std::io;

use pipe::{Document, Error};
use serde::Serialize;

use crate::{facts, pack, recording::Recording, view::View};

const TEMPLATE: &str = include_str!("page/timeline.html");
const STYLE: &str = include_str!("page/timeline.css");
/// The page's scripts as one, put together by the build script.
const SCRIPT: &str = include_str!(concat!(env!("OUT_DIR"), "/page.js"));
/// What unpacks and bins the samples, beside the page.
const WORKER: &str = include_str!("page/worker.js");
/// plotly.js, compressed by the build script.
const LIBRARY: &str = include_str!(concat!(env!("OUT_DIR"), "/plotly.js.gz.base64"));

/// No request leaves the page, and no script runs in it but these two. The worker's is
/// in the page, and runs from memory under the same policy.
const POLICY: &str = concat!(
    "default-src 'none'; script-src ",
    env!("PAGE_SCRIPT_HASH"),
    " ",
    env!("PLOTLY_JS_HASH"),
    "; worker-src blob:; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; \
     form-action 'none'"
);

/// What the page's script reads.
#[derive(Serialize)]
pub(crate) struct Page {
    title: String,
    runs: Vec<Run>,
    views: Vec<View>,
    /// Base64 of the times and of each column, for each view.
    #[serde(skip)]
    columns: Vec<Vec<String>>,
}

/// What stands above the figure of a run.
#[derive(Serialize)]
struct Run {
    /// What tells it from the other; empty where there is no other.
    name: String,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    advice: Vec<String>,
    /// What the figure says of itself to those who do not see it.
    label: String,
    /// The zero of its times, in Unix seconds.
    start: f64,
    /// Milliseconds from there to its end.
    span: f64,
    joined: bool,
}

impl Page {
    /// The page of `recordings`, each with its name, under `title` if one was asked for.
    ///
    /// # Errors
    ///
    /// None but those of writing to memory.
    pub(crate) fn of(
        recordings: &[(String, &Recording)],
        title: Option<&str>,
    ) -> Result<Page, Error> {
        let packing = |error: io::Error| Error::write("the page's data", error);
        let titles: Vec<String> =
            recordings.iter().map(|(_, recording)| facts::title(recording, title)).collect();
        let mut page = Page {
            title: titles.join(" / "),
            runs: Vec::new(),
            views: Vec::new(),
            columns: Vec::new(),
        };
        if title.is_some() || titles.iter().all(|title| *title == titles[0]) {
            page.title = titles.into_iter().next().unwrap_or_default();
        }
        for (run, (name, recording)) in recordings.iter().enumerate() {
            let start = recording.start().unwrap_or_default();
            let end = recording.end().unwrap_or(start);
            for section in &recording.sections {
                let several = recording.sections.len() > 1;
                let host = if several { section.host.as_str() } else { "" };
                let label = [name.as_str(), host].into_iter().filter(|part| !part.is_empty());
                let label = label.collect::<Vec<_>>().join(", ");
                page.views.push(View::of(recording, section, run, label, start));
                let zero = crate::columns::micros(start);
                let packed = pack::pack(&section.columns, zero, section.step());
                page.columns.push(packed.map_err(packing)?);
            }
            let cases = || recording.sections.iter().flat_map(|section| &section.cases);
            page.runs.push(Run {
                name: pipe::printable(name).into_owned(),
                facts: facts::facts(recording),
                warnings: facts::warnings(recording),
                advice: recording.advice.iter().map(|a| pipe::printable(a).into_owned()).collect(),
                label: facts::label(recording),
                start,
                span: crate::view::after(start, end),
                joined: cases().any(|case| case.joined),
            });
        }
        Ok(page)
    }

    /// Writes the page to `output`.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(crate) fn write(&self, output: &mut Document) -> Result<(), Error> {
        let data = serde_json::to_string(self).map_err(io::Error::from);
        let data = data.and_then(|data| pack::text(&data));
        let data = data.map_err(|error| Error::write("the page's data", error))?;
        // One pass over the template: what is put in is never looked at again.
        for part in TEMPLATE.split("{{") {
            let (name, rest) = part.split_once("}}").unwrap_or(("", part));
            match name {
                "title" => output.text(&in_markup(&self.title))?,
                "policy" => output.text(POLICY)?,
                "style" => output.text(STYLE)?,
                "script" => output.text(SCRIPT)?,
                "worker" => output.text(WORKER)?,
                "library" => output.text(LIBRARY)?,
                "data" => output.text(&data)?,
                "columns" => self.write_columns(output)?,
                _ => {}
            }
            output.text(rest)?;
        }
        Ok(())
    }

    /// An element for each column: times are column 0.
    fn write_columns(&self, output: &mut Document) -> Result<(), Error> {
        for (view, columns) in self.columns.iter().enumerate() {
            for (index, column) in columns.iter().enumerate() {
                let open = format!("<script type=\"text/plain\" id=\"column-{view}-{index}\">");
                for part in [open.as_str(), column, "</script>\n"] {
                    output.text(part)?;
                }
            }
        }
        Ok(())
    }
}

/// Text that is no markup.
fn in_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{POLICY, SCRIPT, TEMPLATE, WORKER, in_markup};

    #[test]
    fn a_title_is_no_markup() {
        assert_eq!(in_markup("<b>\"&"), "&lt;b&gt;&quot;&amp;");
    }

    #[test]
    fn the_template_has_every_part_once() {
        let mut names: Vec<&str> = TEMPLATE
            .split("{{")
            .skip(1)
            .filter_map(|part| Some(part.split_once("}}")?.0))
            .collect();
        names.sort_unstable();
        let want = ["columns", "data", "library", "policy", "script", "style", "title", "worker"];
        assert_eq!(names, want);
        assert!(TEMPLATE.contains("<script>{{script}}</script>"), "the hash is of the file alone");
    }

    #[test]
    fn nothing_in_the_page_asks_for_more_than_its_policy_gives() {
        assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("unsafe-eval"));
        for script in [SCRIPT, WORKER] {
            for forbidden in ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"]
            {
                assert!(!script.contains(forbidden), "{forbidden}");
            }
            assert!(!script.contains("</script"), "it would end its element");
        }
    }
}
