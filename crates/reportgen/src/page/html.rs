//! A report as one self-contained page: no script, nothing fetched.

use pulldown_cmark::{Options, Parser, html};

use super::{
    Page,
    markdown::{self, Source},
};

const STYLE: &str = include_str!("report.css");

/// `page` as HTML.
#[must_use]
pub fn write(page: &Page) -> String {
    let source = markdown::write(page, Source::Short);
    let title = title(&source);
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&source, Options::ENABLE_TABLES));
    // Wide tables scroll by themselves, and not the page.
    let body = body
        .replace(
            "<table>",
            "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>",
        )
        .replace("</table>", "</table></div>");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// The first heading, without what marks code in it.
fn title(source: &str) -> String {
    let heading = source.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Report");
    let mut out = String::new();
    // Into text nothing but these three can bring markup.
    for c in heading.replace('`', "").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
