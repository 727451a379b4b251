//! One row for each test, for spreadsheets and databases.
//!
//! The columns are always the same, whatever was measured, so that the files of many
//! runs can be put under one another. What was not measured is an empty cell. A text
//! that a spreadsheet would take for a formula gets an apostrophe before it.

use std::{fs::File, io};

use pipe::{Error, no_formula};
use records::{Hold, Metrics, SERIES};
use serde_json::Value;

/// Columns before the metrics: their names, and where they are in a test.
const HEAD: &[(&str, &str)] = &[
    ("run", "/run"),
    ("host", "/host"),
    ("id", "/id"),
    ("suite", "/suite"),
    ("case", "/case"),
    ("backend", "/params/backend"),
    ("model", "/params/model"),
    ("axes", "/params"),
    ("outcome", "/outcome"),
    ("reason", "/reason"),
    ("error", "/error/kind"),
    ("start_ts", "/ts"),
    ("end_ts", "/end_ts"),
    ("duration_s", "/duration_s"),
    ("total_s", "/total_s"),
    ("attempt", "/attempt"),
    ("flaky", "/flaky"),
    ("cold_start", "/cold_start"),
    ("model_delta_gb", "/model_delta_gb"),
    ("verdict", "/verdict/state"),
    ("modality", "/modality"),
    ("marks", "/marks"),
    ("quality_flags", "/system_health/quality_flags"),
    ("backend_kind", "/backend/kind"),
    ("backend_version", "/backend/version"),
    ("model_size_gb", "/model/size_gb"),
    ("model_params_b", "/model/params_b"),
    ("model_quantization", "/model/quantization"),
    ("model_framework", "/model/framework"),
];

/// What is told of a level, and of what is counted over an interval.
const OF_GAUGE: &[&str] = &["min", "mean", "max", "delta"];
const OF_RATE: &[&str] = &["mean", "p95", "max"];

struct Column {
    name: String,
    place: String,
}

/// Writes tests as rows of comma-separated values.
pub struct Table<W: io::Write> {
    columns: Vec<Column>,
    out: csv::Writer<W>,
    name: String,
}

impl Table<File> {
    /// Writes to `path`, made anew, beginning with the names of the columns.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn create(path: &str) -> Result<Table<File>, Error> {
        let file = File::create(path).map_err(|source| Error::write(path, source))?;
        Table::new(file, path)
    }
}

impl<W: io::Write> Table<W> {
    /// Writes to `out`, which messages call `name`.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn new(out: W, name: &str) -> Result<Table<W>, Error> {
        let columns = columns();
        let mut table =
            Table { columns, out: csv::Writer::from_writer(out), name: name.to_owned() };
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        table.write(&names)?;
        Ok(table)
    }

    /// Writes the row of `test`, the line of a joined test of ours.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn test(&mut self, test: &[u8]) -> Result<(), Error> {
        let Ok(test) = records::parse::<Value>(test) else {
            return Ok(());
        };
        let cells: Vec<String> =
            self.columns.iter().map(|c| cell(c, test.pointer(&c.place))).collect();
        self.write(&cells)
    }

    /// Brings everything into the file.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(|source| Error::write(&self.name, source))
    }

    fn write(&mut self, cells: &[String]) -> Result<(), Error> {
        self.out.write_record(cells).map_err(|error| Error::write(&self.name, error.into()))
    }
}

fn columns() -> Vec<Column> {
    let column = |name: &str, place: String| Column { name: name.to_owned(), place };
    let mut columns: Vec<Column> =
        HEAD.iter().map(|(name, place)| column(name, (*place).to_owned())).collect();
    columns.extend(Metrics::NAMES.iter().map(|name| column(name, format!("/metrics/{name}"))));
    for name in ["correct", "total"] {
        columns.push(column(&format!("accuracy_{name}"), format!("/metrics/accuracy/{name}")));
    }
    for name in ["samples", "coverage"] {
        columns.push(column(name, format!("/resources/{name}")));
    }
    for series in SERIES {
        let stats = if series.hold == Hold::Gauge { OF_GAUGE } else { OF_RATE };
        columns.extend(stats.iter().map(|stat| {
            column(&format!("{}_{stat}", series.name), format!("/resources/{}/{stat}", series.name))
        }));
    }
    columns
}

/// A value as a cell.
fn cell(column: &Column, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => no_formula(text).into_owned(),
        Some(Value::Object(params)) if column.place == "/params" => {
            let own = |name: &&String| !["backend", "model"].contains(&name.as_str());
            let axes: Vec<String> = params
                .keys()
                .filter(own)
                .map(|name| format!("{name}={}", plain(&params[name])))
                .collect();
            no_formula(&axes.join(" ")).into_owned()
        }
        // The statistics of a metric: their mean stands for them.
        Some(Value::Object(stats)) => stats.get("mean").map(plain).unwrap_or_default(),
        Some(Value::Array(list)) => {
            no_formula(&list.iter().map(plain).collect::<Vec<_>>().join(" ")).into_owned()
        }
        Some(other) => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::{Table, columns};

    /// The rows that those tests make, by the names of their columns.
    fn rows(tests: &[serde_json::Value]) -> Vec<std::collections::BTreeMap<String, String>> {
        let mut table = Table::new(Vec::new(), "memory").unwrap();
        for test in tests {
            table.test(test.to_string().as_bytes()).unwrap();
        }
        table.flush().unwrap();
        let text = table.out.into_inner().unwrap();
        csv::Reader::from_reader(text.as_slice()).deserialize().map(Result::unwrap).collect()
    }

    #[test]
    fn a_test_is_a_row_with_what_was_measured_and_no_more() {
        let test = json!({
            "run": "r", "host": "h", "ts": 1795322448.778578, "id": "s::a, \"b\"\n[x]", "outcome": "passed",
            "params": {"backend": "llama", "model": "m", "ctx": 4096, "mode": "fast"},
            "metrics": {"ttft_s": 0.25, "generation_tps": {"mean": 70.5, "n": 3}, "accuracy": {"correct": 3, "total": 4}},
            "marks": ["smoke", "bench"], "cold_start": false, "verdict": {"state": "clean"},
            "resources": {"samples": 7, "coverage": 1.0, "ram_free_gb": {"min": 3.5, "mean": 4.0, "delta": -0.5},
                          "cpu_user": {"mean": 12.5, "max": 100.0}},
        });
        let row = &rows(&[test])[0];
        let cell = |name: &str| row[name].as_str();
        assert_eq!((cell("id"), cell("start_ts")), ("s::a, \"b\"\n[x]", "1795322448.778578"));
        assert_eq!((cell("backend"), cell("axes")), ("llama", "ctx=4096 mode=fast"));
        assert_eq!((cell("ttft_s"), cell("generation_tps"), cell("e2e_s")), ("0.25", "70.5", ""));
        assert_eq!((cell("accuracy_correct"), cell("marks")), ("3", "smoke bench"));
        assert_eq!((cell("cold_start"), cell("duration_s")), ("false", ""));
        assert_eq!((cell("ram_free_gb_delta"), cell("ram_free_gb_max")), ("-0.5", ""));
        assert_eq!((cell("cpu_user_max"), cell("swap_used_mb_mean")), ("100.0", ""));
    }

    #[test]
    fn columns_are_always_the_same_and_no_two_alike() {
        let names: Vec<String> = columns().into_iter().map(|column| column.name).collect();
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), different.len());
        assert_eq!(rows(&[]).len(), 0);
        assert_eq!(rows(&[json!({}), json!({"x": 1})]).len(), 2);
    }

    #[test]
    fn a_formula_behind_what_cannot_be_seen_is_none() {
        for name in [" =1", "\u{feff}=1", "\u{200b}+1", "\u{202e}@x", "\0-1", "\n=1", "＝1", " ＠x"]
        {
            let row = &rows(&[json!({"id": name})])[0];
            assert_eq!(row["id"], format!("'{name}"));
        }
        for name in ["a=b", "q-4", " x", "'", "\u{202e}x"] {
            assert_eq!(rows(&[json!({"id": name})])[0]["id"], name);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_it_comes_back_and_is_no_formula(name in "[=+@\\-\\t\\r\\n\",;a' ]{0,12}") {
            let row = &rows(&[json!({"id": name, "params": {"model": name}})])[0];
            for cell in [&row["id"], &row["model"]] {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
                prop_assert_eq!(cell.strip_prefix('\'').filter(|_| !name.starts_with('\'')).unwrap_or(cell), &name);
            }
        }
    }
}
