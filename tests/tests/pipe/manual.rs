//! What every tool says of itself.

use crate::tools::{stderr, tool};

#[test]
fn every_tool_prints_its_manual_page_and_completions() {
    for name in ["memmon", "runner", "correlate", "reportgen", "memplot", "validate"] {
        let output = tool(name).arg("--man").output().unwrap();
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        let page = String::from_utf8(output.stdout).unwrap();
        for part in [&format!(".TH {} 1", name.to_uppercase()), ".SH OPTIONS", ".SH EXAMPLES"] {
            assert!(page.contains(part), "{name} lacks {part}");
        }
        for shell in ["bash", "zsh", "fish"] {
            let output = tool(name).args(["--completions", shell]).output().unwrap();
            assert!(String::from_utf8(output.stdout).unwrap().contains(name), "{name} {shell}");
        }
    }
}
