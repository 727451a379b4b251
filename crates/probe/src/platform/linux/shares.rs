//! The memory of a tree with shared pages divided among their users (PSS). The
//! kernel walks all pages of a process to tell, so the processes are asked in
//! turn, a few in each read.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::census::{Census, is_gone};
use super::process;
use super::tree::Member;
use crate::decode::smaps_rollup;

/// Time for this in one read; at least one process is asked.
const BUDGET: Duration = Duration::from_millis(2);

/// The answers of the round that is under way.
#[derive(Default)]
pub(super) struct Shares {
    /// `None` between two rounds. Holds what each member has answered.
    round: Option<HashMap<Member, Option<u64>>>,
}

impl Shares {
    /// Asks the next of `members`, and begins a new round if `begin` and none is
    /// under way. The sum over the living, in the read that ends a round.
    pub(super) fn read(
        &mut self,
        members: &[Member],
        begin: bool,
        census: &mut Census,
    ) -> Option<u64> {
        if begin && self.round.is_none() {
            self.round = Some(HashMap::with_capacity(members.len()));
        }
        let answers = self.round.as_mut()?;
        let start = Instant::now();
        for member in members {
            if answers.contains_key(member) {
                continue;
            }
            answers.insert(*member, ask(member.pid, census));
            if start.elapsed() >= BUDGET {
                break;
            }
        }
        if members.iter().any(|member| !answers.contains_key(member)) {
            return None;
        }
        // A sum without one of its parts would be wrong.
        let sum = members
            .iter()
            .try_fold(0_u64, |sum, member| sum.checked_add(answers.get(member).copied()??));
        self.round = None;
        sum
    }
}

/// What one process says; 0 for one that ended.
fn ask(pid: i32, census: &mut Census) -> Option<u64> {
    let text = process::open(&census.proc, pid, "smaps_rollup")
        .and_then(|file| census.scratch.read(&file).map(smaps_rollup::pss_bytes));
    match text {
        Ok(bytes) => bytes,
        // Ended, or ending: nothing is its share any more.
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Some(0),
        Err(error) if is_gone(&error) && !census.proc.join(pid.to_string()).exists() => Some(0),
        Err(_) => None,
    }
}
