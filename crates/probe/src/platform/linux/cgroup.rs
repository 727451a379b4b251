//! The control group of this process, in either version of the hierarchy.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::{Kept, Scratch, why};
use crate::decode::cgroup::{Limit, Membership, bytes, lineage};
use crate::machine::Roots;
use crate::reading::Cgroup;
use crate::sources::Sources;

/// Limits are set by people and managers, not many times a second.
const LIMITS_EVERY: Duration = Duration::from_secs(1);

/// The names that the two versions have for the same files.
struct Names {
    limit: &'static str,
    used: &'static str,
}
const V1: Names = Names { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes" };
const V2: Names = Names { limit: "memory.max", used: "memory.current" };

/// One group: what it may use and what it uses.
struct Level {
    limit: Option<Kept>,
    used: Option<Kept>,
}

/// This process's group and those above it.
pub(super) struct Groups {
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
            Ok((groups, base)) => {
                let own = base.display();
                sources.note(
                    "cgroup_limit_gb",
                    groups.tightest.is_some(),
                    format!("{own}, smallest on the way up"),
                    format!("no limit on {own} or above it"),
                );
                sources.found("cgroup_used_gb", format!("{own}, or the one with the limit"));
                Some(groups)
            }
            Err(why) => {
                sources.all_missing(&["cgroup_limit_gb", "cgroup_used_gb"], &why);
                None
            }
        }
    }

    pub(super) fn read(&mut self, scratch: &mut Scratch) -> Cgroup {
        if self.looked.elapsed() >= LIMITS_EVERY {
            self.look_up_limits(scratch);
        }
        let level = self.tightest.map_or(0, |(level, _)| level);
        Cgroup {
            limit_bytes: self.tightest.map(|(_, limit)| limit),
            used_bytes: self.levels[level]
                .used
                .as_ref()
                .and_then(|file| bytes(file.read(scratch)?)),
            free_bytes: None,
            swap_bytes: None,
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
        (Some(inside), _) => (mount.join("memory"), inside, V1),
        (None, Some(inside)) if mount.join("cgroup.controllers").exists() => (mount, inside, V2),
        _ => return Err("no control group hierarchy with memory is mounted".to_owned()),
    };
    let levels = open_levels(&base, &inside, &names, scratch);
    if levels.iter().all(|level| level.used.is_none()) {
        return Err("this process is in the root group, or its group counts no memory".to_owned());
    }
    let mut groups = Groups { levels, tightest: None, looked: Instant::now() };
    groups.look_up_limits(scratch);
    Ok((groups, base.join(inside.trim_start_matches('/'))))
}

fn open_levels(base: &Path, inside: &str, names: &Names, scratch: &mut Scratch) -> Vec<Level> {
    let mut open = |dir: &Path| Level {
        limit: Kept::open(dir.join(names.limit), scratch).ok(),
        used: Kept::open(dir.join(names.used), scratch).ok(),
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
