//! Measurements over all runs of the input: what no run can say by itself.

use records::ProtocolKind;

use super::{baseline, batch, bench, chapter::case_of};
use crate::{
    numbers::{Found, found, runs_of},
    page::{Page, Table},
    run::Run,
};

/// Hides the columns of a table on `all` that tell nothing apart. The run is for programs:
/// people have the date.
pub(super) fn hide_alike(table: &mut Table, all: &[Found<'_>]) {
    table.hide("Run");
    if all.iter().all(|one| one.run.host == all[0].run.host) {
        table.hide("Host");
    }
    if all.iter().all(|one| case_of(one.test) == case_of(all[0].test)) {
        table.hide("Case");
    }
}

/// Writes a part on measurements of one kind.
type Write = fn(&mut Page, &[Found<'_>]);

/// Writes a part on each kind of measurement that several of `runs` have.
pub(super) fn section(page: &mut Page, runs: &[&Run]) {
    let of = |kind| Some(found(runs, kind)).filter(|all| runs_of(all) > 1);
    let parts: [(ProtocolKind, Write); 3] = [
        (ProtocolKind::Bench, |page, all| bench::overall(page, all, 3)),
        (ProtocolKind::Baseline, baseline::over),
        (ProtocolKind::Batch, batch::over),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter_map(|(kind, write)| Some((of(kind)?, write))).collect();
    if parts.is_empty() {
        return;
    }
    page.heading(2, "Measurements over all runs");
    parts.iter().for_each(|(all, write)| write(page, all));
}
