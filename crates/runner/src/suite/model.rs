//! What a suite says of a model.

use std::{collections::BTreeMap, path::PathBuf};

use records::Modality;
use serde::Deserialize;

use super::Only;

/// A model and where backends find it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelDef {
    /// Its id.
    pub id: String,
    /// What it can do.
    pub modality: Vec<Modality>,
    /// Where each backend finds it. A backend that is not here does not run it.
    pub on: BTreeMap<String, Placement>,
    /// On which machines it can run.
    pub only: Option<Only>,
    /// The folder that its relative paths start from: that of its file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Where a backend finds a model, and what is known of it there.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// A file or folder.
    pub path: Option<String>,
    /// A repository on a hub.
    pub repo: Option<String>,
    /// A tag of a registry.
    pub tag: Option<String>,
    /// The name by which requests ask for it.
    pub name: Option<String>,
    /// Size on disk, where it cannot be read from `path`.
    pub size_gb: Option<f64>,
    /// Parameters, in 10⁹.
    pub params_b: Option<f64>,
    /// Parameters that one token uses, in 10⁹.
    pub active_params_b: Option<f64>,
    /// Its family.
    pub family: Option<String>,
    /// How its weights are stored.
    pub quantization: Option<String>,
    /// What it is made for.
    pub framework: Option<String>,
    /// Context length in tokens.
    pub context: Option<u64>,
    /// Whatever its owner wants to say.
    pub notes: Option<String>,
}
