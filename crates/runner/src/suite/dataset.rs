//! Questions with answers: JSON lines, an object each.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::{Map, Value};

/// The number of a line, from 1, and the object in it.
pub type Numbered = (usize, Map<String, Value>);

/// The objects of a file, one after the other, with their lines. Empty ones are passed over.
///
/// # Errors
///
/// When it cannot be opened; then, item by item, where a line is no object. The messages
/// name file and line.
pub fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Numbered, String>>, String> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let lines = BufReader::new(file).lines().enumerate();
    Ok(lines.filter_map(move |(i, line)| {
        let at = |why: String| Err(format!("{name}:{}: {why}", i + 1));
        match line {
            Err(error) => Some(at(error.to_string())),
            Ok(text) if text.trim().is_empty() => None,
            Ok(text) => Some(match serde_json::from_str(&text) {
                Ok(Value::Object(object)) => Ok((i + 1, object)),
                Ok(_) => at("no object; write {\"question\": \"…\", \"answer\": \"…\"}".to_owned()),
                Err(error) => at(format!("no JSON: {error}")),
            }),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::lines;

    #[test]
    fn a_line_that_is_no_object_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("d.jsonl");
        let said = |text: &str| {
            fs::write(&file, text).unwrap();
            let read: Result<Vec<_>, _> = lines(&file).unwrap().collect();
            read.map_err(|message| message.replace(dir.path().to_str().unwrap(), ""))
        };
        let numbers: Vec<usize> =
            said("{\"q\": 1}\n\n{\"q\": 2}\n").unwrap().iter().map(|(n, _)| *n).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(said("{}\n[1]\n").unwrap_err().split(';').next(), Some("/d.jsonl:2: no object"));
        assert!(said("{}\n\n{\n").unwrap_err().starts_with("/d.jsonl:3: no JSON: "));
        assert!(said("").unwrap().is_empty());
        assert!(lines(&dir.path().join("none")).err().unwrap().contains("No such file"));
    }
}
