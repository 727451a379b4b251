//! The suites in examples/suites: one for each kind of backend, and each can be read.

use std::{fs, path::Path, process::Command};

#[test]
fn there_is_a_suite_for_each_kind_and_each_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/suites");
    for kind in
        ["llama-server", "mlx-lm", "mlx-knife", "vllm", "ollama", "lmstudio", "openai", "command"]
    {
        let suite = folder.join(format!("{kind}.toml"));
        assert!(fs::read_to_string(&suite).unwrap().contains(&format!("kind = \"{kind}\"")));
        let output = Command::new(env!("CARGO_BIN_EXE_runner"))
            .arg(&suite)
            .arg("--collect-only")
            .output()
            .unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(listed.lines().any(|id| id.starts_with(kind) && id.ends_with(']')), "{listed}");
    }
}
