//! The suites in examples/suites: one for each kind of backend, and each can be read.

use std::{fs, path::Path, process::Command};

/// Makes every file that `text` names below `target/`, where the backends' models,
/// pictures and speech are put: what is read here is the suite.
fn put_in_place(text: &str, folder: &Path) {
    let named = text.split('"').filter(|word| word.starts_with("../../target/"));
    for file in named {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

#[test]
fn there_is_a_suite_for_each_kind_and_each_can_be_read() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/suites");
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("examples/suites");
    fs::create_dir_all(&folder).unwrap();
    for file in fs::read_dir(&examples).unwrap().flatten() {
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    for kind in
        ["llama-server", "mlx-lm", "mlx-knife", "vllm", "ollama", "lmstudio", "openai", "command"]
    {
        let suite = folder.join(format!("{kind}.toml"));
        let text = fs::read_to_string(&suite).unwrap();
        assert!(text.contains(&format!("kind = \"{kind}\"")));
        put_in_place(&text, &folder);
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
