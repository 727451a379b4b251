//! The machine, as far as a plan asks about it.

use std::{collections::BTreeSet, path::PathBuf};

use crate::suite::{AnyOf, Body, Only};

/// The machine that cells would run on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// `linux`, `macos`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// Memory that programs can have, in 10⁹ bytes: in a container, its limit.
    pub ram_gb: Option<f64>,
    /// Its GPUs, each by name and driver.
    pub gpus: Vec<String>,
    /// Names of the environment variables that are set.
    pub variables: BTreeSet<String>,
    /// Where programs are looked for.
    pub path: Vec<PathBuf>,
}

impl Host {
    /// This machine. Its memory and GPUs are looked at only where `body` asks about them,
    /// which takes its time where drivers have to be loaded.
    #[must_use]
    pub fn here(body: &Body) -> Host {
        let mut host = Host {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            variables: std::env::vars_os()
                .map(|(name, _)| name.to_string_lossy().into_owned())
                .collect(),
            path: std::env::var_os("PATH")
                .map(|path| std::env::split_paths(&path).collect())
                .unwrap_or_default(),
            ..Host::default()
        };
        if asks_for_hardware(body) {
            let mut machine = probe::Machine::open();
            let limit = machine.read().cgroup.and_then(|group| group.limit_bytes);
            let profile = machine.profile();
            let bytes = profile.ram_total_bytes.into_iter().chain(limit).min();
            host.ram_gb = bytes.map(|bytes| bytes as f64 / 1e9);
            host.gpus = profile
                .gpus
                .iter()
                .map(|gpu| format!("{} {}", gpu.name, gpu.driver.as_deref().unwrap_or_default()))
                .map(|text| text.trim().to_owned())
                .collect();
        }
        host
    }

    /// Why what is `only` for other machines cannot run on this one; nothing when it can.
    #[must_use]
    pub fn refuses(&self, only: &Only) -> Option<String> {
        let any = |list: &Option<AnyOf<String>>, holds: &dyn Fn(&str) -> bool| {
            let AnyOf(list) = list.as_ref()?;
            (!list.iter().any(|word| holds(word))).then(|| list.join(" or "))
        };
        if let Some(words) = any(&only.os, &|os| os == self.os) {
            return Some(format!("only on {words}; this is {}", self.os));
        }
        if let Some(words) = any(&only.arch, &|arch| arch == self.arch) {
            return Some(format!("only on {words}; this is {}", self.arch));
        }
        if let Some(least) = only.min_ram_gb {
            let here = match self.ram_gb {
                Some(gb) if gb >= least => None,
                Some(gb) => Some(format!("here are {gb:.1} GB")),
                None => Some("how much is here is not known".to_owned()),
            };
            if let Some(here) = here {
                return Some(format!("only with {least:.1} GB of memory or more; {here}"));
            }
        }
        if let Some(words) = any(&only.gpu, &|word| self.has_gpu(word)) {
            let here = match self.gpus.as_slice() {
                [] => "here is none".to_owned(),
                gpus => format!("here is {}", gpus.join(", ")),
            };
            return Some(format!("only with a GPU called {words}; {here}"));
        }
        if let Some(words) = any(&only.program, &|name| self.has_program(name)) {
            return Some(format!("only where {words} is on the path"));
        }
        any(&only.env, &|name| self.variables.contains(name))
            .map(|words| format!("only where {words} is set"))
    }

    fn has_gpu(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        self.gpus.iter().any(|gpu| gpu.to_lowercase().contains(&word))
    }

    fn has_program(&self, name: &str) -> bool {
        self.path.iter().any(|folder| is_program(&folder.join(name)))
    }
}

fn is_program(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether anything depends on memory or GPUs.
fn asks_for_hardware(body: &Body) -> bool {
    let backends = body.backend.values().filter_map(|backend| backend.get_ref().only.as_ref());
    let models = body.model.iter().filter_map(|model| model.get_ref().only.as_ref());
    let cases = body.case.iter().map(toml::Spanned::get_ref).flat_map(|case| {
        let skip = case.skip.as_ref().and_then(|skip| skip.on.as_ref());
        let xfail = case.xfail.as_ref().and_then(|xfail| xfail.on.as_ref());
        case.only.iter().chain(skip).chain(xfail)
    });
    body.budget.is_some()
        || backends
            .chain(models)
            .chain(cases)
            .any(|only| only.min_ram_gb.is_some() || only.gpu.is_some())
}

#[cfg(test)]
mod tests {
    use super::Host;
    use crate::suite::Only;

    fn refused(only: &str) -> Option<String> {
        let host = Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            ram_gb: Some(36.0),
            gpus: vec!["NVIDIA H100 80GB HBM3 nvidia 570".into()],
            variables: ["LAB_URL".to_owned()].into(),
            path: vec!["/bin".into(), "/usr/bin".into()],
        };
        host.refuses(&toml::from_str::<Only>(only).unwrap())
    }

    #[test]
    fn what_the_machine_is_lets_run() {
        for only in [
            "",
            "os = 'linux'",
            "os = ['macos', 'linux']\narch = 'x86_64'",
            "min_ram_gb = 36",
            "gpu = ['apple', 'nvidia']",
            "program = 'sh'",
            "env = 'LAB_URL'",
        ] {
            assert_eq!(refused(only), None, "{only}");
        }
    }

    #[test]
    fn what_it_is_not_refuses_and_says_what_is_here() {
        for (only, why) in [
            ("os = 'macos'", "only on macos; this is linux"),
            ("arch = 'aarch64'\nos = 'linux'", "only on aarch64; this is x86_64"),
            ("min_ram_gb = 64", "only with 64.0 GB of memory or more; here are 36.0 GB"),
            (
                "gpu = ['apple', 'amd']",
                "only with a GPU called apple or amd; here is NVIDIA H100 80GB HBM3 nvidia 570",
            ),
            ("program = 'no-such-program'", "only where no-such-program is on the path"),
            ("env = ['A', 'B']", "only where A or B is set"),
        ] {
            assert_eq!(refused(only).as_deref(), Some(why));
        }
    }
}
