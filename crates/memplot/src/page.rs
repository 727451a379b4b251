//! The page: the template with everything that it needs put in.

use pipe::{Document, Error};
use serde::Serialize;

use crate::{
    facts,
    figure::{Clock, Figure},
    recording::Recording,
    table::Table,
};

const TEMPLATE: &str = include_str!("page/timeline.html");
const STYLE: &str = include_str!("page/timeline.css");
const SCRIPT: &str = include_str!("page/timeline.js");
/// plotly.js, compressed by the build script.
const LIBRARY: &str = include_str!(concat!(env!("OUT_DIR"), "/plotly.js.gz.base64"));

/// No request leaves the page, and no script runs in it but these two.
const POLICY: &str = concat!(
    "default-src 'none'; script-src ",
    env!("PAGE_SCRIPT_HASH"),
    " ",
    env!("PLOTLY_JS_HASH"),
    "; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
);

/// What the page's script reads.
#[derive(Serialize)]
pub(crate) struct Page {
    title: String,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    /// Absent when there is nothing to draw.
    figure: Option<Figure>,
    /// What the figure says of itself to those who do not see it.
    label: String,
    table: Table,
}

impl Page {
    /// The page of `recording`, under `title` if one was asked for.
    pub(crate) fn of(recording: &Recording, title: Option<&str>) -> Page {
        let figure = Figure::of(recording);
        Page {
            title: facts::title(recording, title),
            facts: facts::facts(recording),
            warnings: facts::warnings(recording),
            label: facts::label(recording),
            table: Table::of(&recording.cases, Clock::of(recording)),
            figure,
        }
    }

    /// Writes the page to `output`.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(crate) fn write(&self, output: &mut Document) -> Result<(), Error> {
        let data = serde_json::to_string(self)
            .map_err(|error| Error::write("the page's data", error.into()))?;
        // One pass over the template: what is put in is never looked at again.
        for part in TEMPLATE.split("{{") {
            let (name, rest) = part.split_once("}}").unwrap_or(("", part));
            match name {
                "title" => output.text(&in_markup(&self.title))?,
                "policy" => output.text(POLICY)?,
                "style" => output.text(STYLE)?,
                "script" => output.text(SCRIPT)?,
                "library" => output.text(LIBRARY)?,
                "data" => output.text(&in_script(&data))?,
                _ => {}
            }
            output.text(rest)?;
        }
        Ok(())
    }
}

/// JSON that cannot end or change the script element that it stands in, and that is
/// the same JSON still.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Text that is no markup.
fn in_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{POLICY, SCRIPT, TEMPLATE, in_markup, in_script};

    #[test]
    fn data_cannot_leave_its_element_and_stays_the_same() {
        let hostile = "</script><!-- <script>\u{2028}\u{2029}\"'&";
        let json = serde_json::to_string(hostile).unwrap();
        let escaped = in_script(&json);
        assert!(!escaped.contains(['<', '\u{2028}', '\u{2029}']), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), hostile);
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
        assert_eq!(names, ["data", "library", "policy", "script", "style", "title"]);
        assert!(TEMPLATE.contains("<script>{{script}}</script>"), "the hash is of the file alone");
    }

    #[test]
    fn nothing_in_the_page_asks_for_more_than_its_policy_gives() {
        assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("unsafe-eval"));
        for forbidden in ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }
}
