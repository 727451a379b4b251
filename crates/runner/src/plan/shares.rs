//! The part of a plan that is run here.

use std::collections::BTreeSet;

use super::Group;
use crate::select::{Share, Unit};

/// The cells of `groups` that lie in `share`, in the same order: all cells of a model lie
/// in one. And one line for people on how much of the whole they are.
#[must_use]
pub fn share<'a>(groups: Vec<Group<'a>>, share: Share) -> (Vec<Group<'a>>, String) {
    let units = groups.iter().flat_map(|group| {
        group.cells.iter().map(|cell| match &group.on {
            Some(on) => Unit::Model(&on.model.id),
            None => Unit::Alone(&cell.id),
        })
    });
    let mut assigned = Share::assign(share.count, units).into_iter();
    let counted = |groups: &[Group<'_>]| {
        let cells: usize = groups.iter().map(|group| group.cells.len()).sum();
        let models: BTreeSet<&str> =
            groups.iter().filter_map(|group| Some(group.on?.model.id.as_str())).collect();
        (cells, models.len())
    };
    let (all_cells, all_models) = counted(&groups);
    let mut groups: Vec<Group<'a>> = groups
        .into_iter()
        .map(|mut group| {
            group.cells.retain(|_| assigned.next() == Some(share.index));
            group
        })
        .collect();
    groups.retain(|group| !group.cells.is_empty());
    let (cells, models) = counted(&groups);
    let line = format!("{share}: {cells} of {all_cells} cells, {models} of {all_models} models");
    (groups, line)
}
