//! The manual page of a tool, made from its command line.

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

/// The page in roff. What the help says after the options, under lines such as
/// `Examples:`, becomes sections that keep their lines as they are.
pub(crate) fn page(command: Command) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let page = Man::new(command).title(name.to_uppercase()).manual("User Commands");
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = page
        .render_title(&mut out)
        .and_then(|()| page.render_name_section(&mut out))
        .and_then(|()| page.render_synopsis_section(&mut out))
        .and_then(|()| page.render_description_section(&mut out))
        .and_then(|()| page.render_options_section(&mut out))
        .and_then(|()| sections(&after).to_writer(&mut out));
    out
}

/// `text` under headings: its lines that begin at the margin and end in a colon.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for line in text.lines() {
        let heading = line.strip_suffix(':').filter(|line| !line.starts_with(' '));
        if let Some(heading) = heading {
            roff.control("SH", [heading.to_uppercase().as_str()]);
            // Filled lines would run a command into what is said of it.
            roff.control("nf", []);
        } else {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
    }
    roff.control("fi", []);
    roff
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::page;

    #[test]
    fn a_page_has_its_sections_and_the_examples_line_by_line() {
        let command = Command::new("memmon")
            .about("Does a thing")
            .version("1.2")
            .arg(Arg::new("out").short('o').help("Write to FILE"))
            .after_help("Examples:\n  memmon -o x\n      .dots and 'quotes' are text\n\nExit codes:\n  0 done");
        let page = String::from_utf8(page(command)).unwrap();
        for part in [".TH MEMMON 1", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLES"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(page.contains(".SH \"EXIT CODES\"\n.nf\n0 done"), "{page}");
        assert!(page.contains("\nmemmon \\-o x\n"), "{page}");
        assert!(page.contains("    .dots and"), "{page}");
        assert!(page.ends_with(".fi\n"), "{page}");
    }
}
