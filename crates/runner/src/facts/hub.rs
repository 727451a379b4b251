//! Where a repository of Hugging Face's hub lies in the cache of this machine. The
//! network is not asked.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the cache, by the variables that Hugging Face's own tools heed.
#[must_use]
pub fn cache(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("HF_HUB_CACHE")
        .or_else(|| folder("HF_HOME").map(|home| home.join("hub")))
        .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface/hub")))
        .or_else(|| folder("HOME").map(|home| home.join(".cache/huggingface/hub")))
}

/// The folder of `repo`'s newest snapshot in `cache`: the one that `main` names, or the
/// only one there is.
#[must_use]
pub fn snapshot(cache: &Path, repo: &str) -> Option<PathBuf> {
    let plain = |part: &str| {
        !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let (owner, name) = repo.split_once('/').filter(|(owner, name)| plain(owner) && plain(name))?;
    let folder = cache.join(format!("models--{owner}--{name}"));
    let snapshots = folder.join("snapshots");
    if let Ok(commit) = fs::read_to_string(folder.join("refs/main")) {
        let named = snapshots.join(commit.trim());
        return (plain(commit.trim()) && named.is_dir()).then_some(named);
    }
    let mut all = fs::read_dir(snapshots).ok()?.filter_map(Result::ok);
    let only = all.next()?.path();
    all.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{cache, snapshot};

    #[test]
    fn the_cache_is_where_hugging_face_says() {
        let with = |set: &'static [(&str, &str)]| {
            cache(|name| set.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(with(&[("HOME", "/h")]), Some(PathBuf::from("/h/.cache/huggingface/hub")));
        assert_eq!(with(&[("HOME", "/h"), ("HF_HOME", "/x")]), Some(PathBuf::from("/x/hub")));
        assert_eq!(with(&[("HF_HOME", "/x"), ("HF_HUB_CACHE", "/y")]), Some(PathBuf::from("/y")));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn the_snapshot_is_the_one_of_main() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("models--org--m");
        for commit in ["aaa", "bbb"] {
            fs::create_dir_all(folder.join("snapshots").join(commit)).unwrap();
        }
        assert_eq!(snapshot(dir.path(), "org/m"), None, "two, and nothing says which");
        fs::create_dir_all(folder.join("refs")).unwrap();
        fs::write(folder.join("refs/main"), "bbb\n").unwrap();
        assert_eq!(snapshot(dir.path(), "org/m"), Some(folder.join("snapshots/bbb")));
        for elsewhere in ["org/none", "m", "../../etc", "a/../b", "./m", "org/m/x"] {
            assert_eq!(snapshot(dir.path(), elsewhere), None, "{elsewhere}");
        }
    }
}
