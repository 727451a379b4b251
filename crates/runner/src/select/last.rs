//! `--lf` and `--ff`: by what failed last.

use std::collections::BTreeSet;

use crate::plan::Group;

/// `groups` with what `failed` first; `only` that, when any of it is there.
///
/// Groups stay whole when only the order changes: those with failures come first, and in
/// each its failures, so that each model is still loaded once.
#[must_use]
pub fn by_last<'a>(
    mut groups: Vec<Group<'a>>,
    failed: &BTreeSet<String>,
    only: bool,
) -> Vec<Group<'a>> {
    let any = groups.iter().flat_map(|group| &group.cells).any(|cell| failed.contains(&cell.id));
    if only && any {
        for group in &mut groups {
            group.cells.retain(|cell| failed.contains(&cell.id));
        }
        groups.retain(|group| !group.cells.is_empty());
    } else if any {
        for group in &mut groups {
            group.cells.sort_by_key(|cell| !failed.contains(&cell.id));
        }
        groups.sort_by_key(|group| !group.cells.iter().any(|cell| failed.contains(&cell.id)));
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::by_last;
    use crate::{
        plan::{Host, plan},
        select::Selection,
        suite::parse,
    };

    const SUITE: &str = r#"
suite = 1
[backend.b]
kind = "llama-server"
[[model]]
id = "x"
modality = []
on.b = {}
[[model]]
id = "y"
modality = []
on.b = {}
[[case]]
name = "one"
request = { api = "chat", prompt = "" }
[[case]]
name = "two"
request = { api = "chat", prompt = "" }
"#;

    fn ids(failed: &[&str], only: bool) -> Vec<String> {
        let suite = parse("s.toml", SUITE).unwrap();
        let failed: BTreeSet<String> = failed.iter().map(|&id| id.to_owned()).collect();
        let groups = plan(&suite, &Selection::default(), &Host::default(), &|_| None);
        let groups = by_last(groups, &failed, only);
        groups.iter().flat_map(|group| group.cells.iter().map(|cell| cell.id.clone())).collect()
    }

    #[test]
    fn what_failed_comes_first_and_models_stay_together() {
        assert_eq!(
            ids(&["s::two[b,y]"], false),
            ["s::two[b,y]", "s::one[b,y]", "s::one[b,x]", "s::two[b,x]"]
        );
    }

    #[test]
    fn only_what_failed_runs_and_everything_when_nothing_of_it_is_left() {
        assert_eq!(ids(&["s::two[b,y]", "s::gone"], true), ["s::two[b,y]"]);
        assert_eq!(ids(&["s::gone"], true).len(), 4);
    }
}
