//! What a suite says of a case.

use std::{collections::BTreeMap, path::PathBuf};

use records::{Modality, OnMiss};
use serde::Deserialize;
use toml::Spanned;

use super::{
    BaselineDef, BatchDef, BenchDef, Only, RequestDef, Retries, Skip, Span, Template, Xfail,
};

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaseDef {
    /// Its name.
    pub name: String,
    /// What a model must be able to do for it.
    #[serde(default)]
    pub needs: Vec<Modality>,
    /// Its marks.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub marks: Vec<Spanned<String>>,
    /// The request that it sends.
    pub request: Option<RequestDef>,
    /// The command that it runs.
    pub command: Option<CommandDef>,
    /// What must hold of the answer.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<serde_json::Value>"))]
    pub expect: Vec<Spanned<toml::Value>>,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// Why it is not run, and where.
    pub skip: Option<Skip>,
    /// Why it is expected to fail, and where.
    pub xfail: Option<Xfail>,
    /// Tries after a failure.
    pub retries: Option<Retries>,
    /// Further axes: a value of each is in the id, and `{axis}` in the case's texts
    /// stands for it.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub parametrize: Option<toml::Table>,
    /// Questions with answers: the request is sent once for each.
    pub dataset: Option<Dataset>,
    /// Whether it has a backend of its own, started for it and stopped after it.
    #[serde(default)]
    pub isolate: bool,
    /// On which machines it can run.
    pub only: Option<Only>,
    /// What must be there before it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub fixtures: Vec<Spanned<String>>,
    /// Limits that metrics should keep.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<TargetDef>"))]
    pub target: Vec<Spanned<TargetDef>>,
    /// Whatever its owner wants to have in the record.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub metadata: Option<toml::Table>,
    /// That its request is measured, and how.
    pub bench: Option<BenchDef>,
    /// That its model is measured from the load to the steady state, and how.
    pub baseline: Option<BaselineDef>,
    /// Many requests out of a file.
    pub batch: Option<BatchDef>,
    /// The folder that its relative paths start from: that of its file.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Its values on further axes, in the order of the suite.
    #[serde(skip)]
    pub axes: Vec<(String, serde_json::Value)>,
}

/// Questions with answers: `"file.jsonl"`, or a table that also says which of them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "DatasetForm")]
pub struct Dataset {
    /// JSON lines, one object each; `{key}` in the request's and the expectations' texts
    /// stands for its values.
    pub file: String,
    /// How many of them; all when absent.
    pub n: Option<usize>,
    /// Whether the `n` are drawn by the suite's seed instead of being the first.
    pub shuffle: bool,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "write dataset = \"rows.jsonl\" or dataset = { file = \"rows.jsonl\", n = 100, shuffle = true }"
)]
enum DatasetForm {
    File(String),
    Table {
        file: String,
        n: Option<usize>,
        #[serde(default)]
        shuffle: bool,
    },
}

impl From<DatasetForm> for Dataset {
    fn from(form: DatasetForm) -> Dataset {
        match form {
            DatasetForm::File(file) => Dataset { file, n: None, shuffle: false },
            DatasetForm::Table { file, n, shuffle } => Dataset { file, n, shuffle },
        }
    }
}

/// A limit that a metric should keep.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetDef {
    /// The metric.
    pub metric: String,
    /// Which statistic of it: `mean`, `median`, `min`, `max`, `p90` …
    pub stat: Option<String>,
    /// The least that is right.
    pub min: Option<f64>,
    /// The most that is right.
    pub max: Option<f64>,
    /// What a miss does.
    #[serde(default)]
    pub on_miss: OnMiss,
}

/// A command.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CommandDef {
    /// The program and its arguments; no shell is between.
    pub argv: Vec<String>,
    /// What it reads from standard input; nothing when absent.
    pub stdin: Option<String>,
    /// A file that it reads from standard input instead.
    pub stdin_file: Option<String>,
    /// The folder that it runs in; that of the runner when absent.
    pub cwd: Option<String>,
    /// Environment variables for it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl CommandDef {
    /// Its texts with placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let others = [&self.stdin, &self.stdin_file, &self.cwd].into_iter().flatten();
        self.argv.iter().chain(others).chain(self.env.values())
    }
}

impl CaseDef {
    /// The placeholders of its command.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let texts = self.command.iter().flat_map(CommandDef::texts);
        texts
            .filter_map(|text| Template::parse(text).ok())
            .flat_map(|template| template.places().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// Whether it is a command that names neither backend nor model: it runs once.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        self.command.is_some()
            && self.needs.is_empty()
            && self.places().iter().all(|name| name.starts_with("fixture."))
    }

    /// Whether it has a backend of its own, because it says so or measures the load.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.isolate || self.baseline.is_some()
    }

    /// Whether its request is sent again and again, and each answer is judged when it comes.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.bench.is_some() || self.baseline.is_some()
    }

    /// Whether it talks to a server.
    #[must_use]
    pub fn uses_server(&self) -> bool {
        self.request.is_some()
            || self.batch.is_some()
            || self.places().iter().any(|name| matches!(name.as_str(), "url" | "host" | "port"))
    }
}
