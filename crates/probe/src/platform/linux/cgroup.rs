//! The control group of this process, in either version of the hierarchy.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::{Kept, Scratch, why};
use crate::decode::cgroup::{Limit, Membership, bytes, file_cache, free, lineage};
use crate::machine::Roots;
use crate::reading::Cgroup;
use crate::sources::Sources;

/// Limits are set by people and managers, not many times a second.
const LIMITS_EVERY: Duration = Duration::from_secs(1);

/// The names that the two versions have for the same files.
pub(super) struct Names {
    pub(super) limit: &'static str,
    pub(super) used: &'static str,
    /// Version 1 counts memory and swap in one.
    pub(super) swap: &'static str,
    swap_has_memory: bool,
}
pub(super) const V1: Names = Names {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    swap: "memory.memsw.usage_in_bytes",
    swap_has_memory: true,
};
pub(super) const V2: Names = Names {
    limit: "memory.max",
    used: "memory.current",
    swap: "memory.swap.current",
    swap_has_memory: false,
};

/// One group: what it may use and what it uses.
struct Level {
    dir: PathBuf,
    limit: Option<Kept>,
    used: Option<Kept>,
    swap: Option<Kept>,
    stat: Option<Kept>,
}

/// This process's group and those above it.
pub(super) struct Groups {
    names: &'static Names,
    /// From this process's own upwards; never empty.
    levels: Vec<Level>,
    /// The level with the smallest limit, and that limit.
    tightest: Option<(usize, u64)>,
    looked: Instant,
}

impl Groups {
    pub(super) fn open(
        roots: &Roots,
        scratch: &mut Scratch,
        sources: &mut Sources,
    ) -> Option<Groups> {
        match find(roots, scratch) {
            Ok((groups, own)) => {
                groups.note(&own, sources);
                Some(groups)
            }
            Err(why) => {
                let quantities =
                    ["cgroup_limit_gb", "cgroup_used_gb", "cgroup_free_gb", "cgroup_swap_mb"];
                sources.all_missing(&quantities, &why);
                None
            }
        }
    }

    fn note(&self, own: &Path, sources: &mut Sources) {
        let (level, names) = (self.level(), self.names);
        let (own, at) = (own.display(), level.dir.display());
        let is_limited = self.tightest.is_some();
        let no_limit = format!("no limit on {own} or above it");
        sources.note("cgroup_limit_gb", is_limited, format!("{at}/{}", names.limit), &*no_limit);
        sources.found("cgroup_used_gb", format!("{at}/{}", names.used));
        let why = if is_limited { format!("no {at}/memory.stat") } else { no_limit };
        sources.note(
            "cgroup_free_gb",
            is_limited && level.stat.is_some(),
            format!("{} - {} + file cache in memory.stat, {at}", names.limit, names.used),
            why,
        );
        let less = if names.swap_has_memory { " - memory.usage_in_bytes" } else { "" };
        sources.note(
            "cgroup_swap_mb",
            level.swap.is_some(),
            format!("{at}/{}{less}", names.swap),
            format!("no {at}/{}: the kernel does not count swap by group", names.swap),
        );
    }

    /// The file that tells how long the group with the limit stood still for want
    /// of memory: its own shortage, which the machine's need not show.
    pub(super) fn pressure(&self) -> Option<PathBuf> {
        let (level, _) = self.tightest?;
        let path = self.levels[level].dir.join("memory.pressure");
        path.exists().then_some(path)
    }

    /// The group with the smallest limit, or this process's own.
    fn level(&self) -> &Level {
        &self.levels[self.tightest.map_or(0, |(level, _)| level)]
    }

    pub(super) fn read(&mut self, scratch: &mut Scratch) -> Cgroup {
        if self.looked.elapsed() >= LIMITS_EVERY {
            self.look_up_limits(scratch);
        }
        let level = self.level();
        let limit = self.tightest.map(|(_, limit)| limit);
        let mut value = |file: &Option<Kept>, decode: fn(&[u8]) -> Option<u64>| {
            decode(file.as_ref()?.read(scratch)?)
        };
        let used = value(&level.used, bytes);
        let swap = value(&level.swap, bytes);
        Cgroup {
            limit_bytes: limit,
            used_bytes: used,
            // Not read without a limit: it is the dearest of these files.
            free_bytes: limit
                .zip(used)
                .and_then(|(limit, used)| Some(free(limit, used, value(&level.stat, file_cache)?))),
            swap_bytes: if self.names.swap_has_memory {
                // Read one after the other: what was freed in between is no debt.
                swap.zip(used).map(|(both, memory)| both.saturating_sub(memory))
            } else {
                swap
            },
        }
    }

    fn look_up_limits(&mut self, scratch: &mut Scratch) {
        self.looked = Instant::now();
        self.tightest = None;
        for (index, level) in self.levels.iter().enumerate() {
            let text = level.limit.as_ref().and_then(|file| file.read(scratch));
            if let Some(Limit::Bytes(limit)) = text.and_then(Limit::parse)
                && self.tightest.is_none_or(|(_, least)| limit < least)
            {
                self.tightest = Some((index, limit));
            }
        }
    }
}

/// The groups and the directory of this process's own.
fn find(roots: &Roots, scratch: &mut Scratch) -> Result<(Groups, PathBuf), String> {
    let path = roots.proc.join("self/cgroup");
    let text = std::fs::read(&path).map_err(|error| why(&path, &error))?;
    let member = Membership::parse(&text);
    let mount = roots.sys.join("fs/cgroup");
    let (base, inside, names) = match (member.v1_memory, member.v2) {
        (Some(inside), _) => (mount.join("memory"), inside, &V1),
        (None, Some(inside)) if mount.join("cgroup.controllers").exists() => (mount, inside, &V2),
        _ => return Err("no control group hierarchy with memory is mounted".to_owned()),
    };
    let levels = open_levels(&base, &inside, names, scratch);
    if levels.iter().all(|level| level.used.is_none()) {
        return Err("this process is in the root group, or its group counts no memory".to_owned());
    }
    let mut groups = Groups { names, levels, tightest: None, looked: Instant::now() };
    groups.look_up_limits(scratch);
    let own = groups.levels[0].dir.clone();
    Ok((groups, own))
}

fn open_levels(base: &Path, inside: &str, names: &Names, scratch: &mut Scratch) -> Vec<Level> {
    let mut open = |dir: &Path| Level {
        dir: dir.to_owned(),
        limit: Kept::open(dir.join(names.limit), scratch).ok(),
        used: Kept::open(dir.join(names.used), scratch).ok(),
        swap: Kept::open(dir.join(names.swap), scratch).ok(),
        stat: Kept::open(dir.join("memory.stat"), scratch).ok(),
    };
    let mut levels: Vec<Level> = lineage(inside)
        .map(|group| base.join(group))
        // In a container the path can be the host's, of which only the end is
        // mounted, as the root: then no directory of that name exists.
        .filter(|dir| dir.is_dir())
        .map(|dir| open(&dir))
        .collect();
    // The mount's own root: a real limit in a container, none on a host.
    levels.push(open(base));
    levels
}
