//! What is known of a model from its files, or from the server that has it.
//!
//! Formats are decoded apart from the disk ([`gguf`], [`safetensors`], [`config`],
//! [`served`]); only headers are read, never weights.

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use records::{Model, round};

pub mod config;
pub mod gguf;
pub mod hub;
pub mod safetensors;
pub mod served;

/// What is known of a model. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Bytes on disk.
    pub size_bytes: Option<u64>,
    /// Parameters.
    pub params: Option<u64>,
    /// Parameters that one token uses, of a mixture of experts.
    pub active_params: Option<u64>,
    /// Architecture, such as `llama`.
    pub family: Option<String>,
    /// How its weights are stored.
    pub quantization: Option<String>,
    /// What it is made for: `GGUF`, `MLX`.
    pub framework: Option<String>,
    /// Longest context in tokens that it was made for.
    pub context: Option<u64>,
}

impl Facts {
    /// What the files at `path` say: one in GGUF with all its parts, or a folder as
    /// Hugging Face has them. What cannot be read stays unknown.
    #[must_use]
    pub fn of_files(path: &Path) -> Facts {
        let mut facts = match path.is_dir() {
            true => of_folder(path),
            false => of_gguf(path).unwrap_or_default(),
        };
        facts.size_bytes = size_on_disk(path);
        facts
    }

    /// Adds to `model` what it is silent about: what a suite states stays.
    pub fn complete(&self, model: &mut Model) {
        fn fill<T: Clone>(stated: &mut Option<T>, found: &Option<T>) {
            if stated.is_none() {
                stated.clone_from(found);
            }
        }
        let billions = |n: u64| n as f64 / 1e9;
        fill(&mut model.size_gb, &self.size_bytes.map(|bytes| round(billions(bytes), 3)));
        fill(&mut model.params_b, &self.params.map(|n| round(billions(n), 6)));
        fill(&mut model.active_params_b, &self.active_params.map(|n| round(billions(n), 6)));
        fill(&mut model.family, &self.family);
        fill(&mut model.quantization, &self.quantization);
        fill(&mut model.framework, &self.framework);
        fill(&mut model.context, &self.context);
    }
}

/// Where the files of a model are: at the `path` of its placement, or where the hub's
/// cache has its `repo`.
#[must_use]
pub fn location(path: Option<&Path>, repo: Option<&str>) -> Option<PathBuf> {
    let in_cache = || hub::snapshot(&hub::cache(|name| std::env::var(name).ok())?, repo?);
    path.map(Path::to_path_buf).or_else(in_cache)
}

/// The tokens that end an answer of the model at `path`, where a folder says so: what it
/// generates by default stands over what it is.
#[must_use]
pub fn end_tokens(path: &Path) -> Vec<u64> {
    ["generation_config.json", "config.json"]
        .into_iter()
        .filter_map(|file| serde_json::from_slice(&fs::read(path.join(file)).ok()?).ok())
        .map(|config| config::end_tokens(&config))
        .find(|tokens| !tokens.is_empty())
        .unwrap_or_default()
}

/// The files with the weights of the model at `path`: a file in all its parts, or
/// those in a folder, in the order of their names.
#[must_use]
pub fn weights(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return gguf::parts(path);
    }
    let holds_weights = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("safetensors" | "gguf" | "bin" | "npz"))
    };
    let mut files: Vec<PathBuf> = entries(path).filter(holds_weights).collect();
    files.sort();
    files
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(Result::ok).map(|entry| entry.path())
}

/// Bytes of a file with all its parts, or of the files in a folder.
fn size_on_disk(path: &Path) -> Option<u64> {
    let files: Vec<PathBuf> = match path.is_dir() {
        true => entries(path).collect(),
        false => gguf::parts(path),
    };
    // Links are followed: a hub's folder has nothing else.
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    let sizes: Vec<u64> = sizes.filter(fs::Metadata::is_file).map(|file| file.len()).collect();
    (!sizes.is_empty()).then(|| sizes.iter().sum())
}

fn of_gguf(path: &Path) -> Option<Facts> {
    let parts = gguf::parts(path);
    let headers = parts.iter().map(|part| {
        File::open(part).ok().and_then(|file| gguf::Header::read(BufReader::new(file)).ok())
    });
    // With a part that cannot be read, a sum of the others would be too little.
    let headers: Vec<gguf::Header> = headers.collect::<Option<_>>()?;
    gguf::facts(&headers)
}

fn of_folder(folder: &Path) -> Facts {
    let config = fs::read(folder.join("config.json")).ok();
    let config = config.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let files: Vec<PathBuf> = weights(folder);
    if files.iter().any(|file| file.extension().is_some_and(|extension| extension == "gguf")) {
        // A repository of GGUF files holds the model many times over.
        return files
            .first()
            .filter(|first| gguf::parts(first) == files)
            .and_then(|first| of_gguf(first))
            .unwrap_or_default();
    }
    let read = |file: &PathBuf| safetensors::Header::read(File::open(file).ok()?).ok();
    let headers: Option<Vec<safetensors::Header>> = files.iter().map(read).collect();
    let headers = headers.unwrap_or_default();
    let mut facts = config::facts(&config);
    let bits = config::bits(&config);
    let params: u64 = headers.iter().map(|header| header.params(bits)).sum();
    facts.params = (params > 0).then_some(params);
    if facts.framework.is_none() && headers.iter().any(safetensors::Header::is_mlx) {
        facts.framework = Some("MLX".to_owned());
    }
    facts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use records::Model;

    use super::Facts;

    #[test]
    fn what_the_suite_states_wins_over_what_was_read() {
        let read = Facts {
            size_bytes: Some(96_576_768),
            params: Some(134_515_008),
            family: Some("llama".into()),
            context: Some(8192),
            ..Facts::default()
        };
        let mut model =
            Model { family: Some("smollm2".into()), context: Some(2048), ..Model::default() };
        read.complete(&mut model);
        assert_eq!((model.size_gb, model.params_b), (Some(0.097), Some(0.134515)));
        assert_eq!((model.family.as_deref(), model.context), (Some("smollm2"), Some(2048)));
        assert_eq!(model.quantization, None);
    }

    #[test]
    fn a_path_where_nothing_is_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Facts::of_files(&dir.path().join("none.gguf")), Facts::default());
        fs::write(dir.path().join("broken.gguf"), "GGUF!").unwrap();
        let broken = Facts::of_files(&dir.path().join("broken.gguf"));
        assert_eq!(broken, Facts { size_bytes: Some(5), ..Facts::default() });
    }

    #[test]
    fn a_folder_of_safetensors_is_counted_over_all_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, header: &str| {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend_from_slice(header.as_bytes());
            fs::write(dir.path().join(name), bytes).unwrap();
        };
        file("model-1.safetensors", r#"{"a":{"dtype":"F16","shape":[4,8],"data_offsets":[0,64]}}"#);
        file("model-2.safetensors", r#"{"b":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}}"#);
        let config =
            r#"{"model_type":"llama","torch_dtype":"float16","max_position_embeddings":8192}"#;
        fs::write(dir.path().join("config.json"), config).unwrap();
        let facts = Facts::of_files(dir.path());
        assert_eq!((facts.params, facts.context), (Some(40), Some(8192)));
        assert_eq!(facts.quantization.as_deref(), Some("float16"));
        assert!(facts.size_bytes > Some(130));
    }
}
