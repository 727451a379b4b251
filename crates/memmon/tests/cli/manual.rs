//! What memmon says of itself.

use std::process::{Command, Stdio};

use crate::support::run;

fn page() -> String {
    let output = run(&["--man"]);
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_manual_page_has_every_option_and_all_that_the_help_says() {
    let page = page();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    assert_eq!(
        sections,
        [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXAMPLES",
            "OUTPUT",
            "SIGNALS",
            "\"EXIT CODES\""
        ]
    );
    // In roff an apostrophe has a name, and a hyphen that is typed a backslash.
    let plain = page.replace("\\*(Aq", "'").replace('\\', "");
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let options: Vec<&str> =
        help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2).collect();
    assert!(options.len() > 8);
    for option in options {
        let option = option.trim_end_matches([',', '.', ';']);
        assert!(plain.contains(option), "{option}");
    }
    let after = &help[help.find("Examples:").unwrap()..];
    for line in after.lines().filter(|line| line.starts_with("  ")) {
        assert!(plain.contains(line.trim()), "{line}");
    }
}

/// Where there is a formatter, it has nothing to say against the page.
#[test]
fn the_manual_page_is_good_roff() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, page()).unwrap();
    let path = file.path().to_str().unwrap();
    for linter in
        [&["groff", "-k", "-ww", "-man", "-Tutf8", "-z"][..], &["mandoc", "-Tlint", "-Werror"]]
    {
        let run =
            Command::new(linter[0]).args(&linter[1..]).arg(path).stdin(Stdio::null()).output();
        if let Ok(output) = run {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.is_empty(), "{linter:?}: {said}");
        }
    }
}
