//! The plan of small suites, and of many.

use proptest::prelude::*;

use super::{Group, Host, On, plan};
use crate::{
    select::{Expression, Ids, Names, Selection, Share},
    suite::{Suite, parse},
};

fn planned<'a>(suite: &'a Suite, selection: &Selection) -> Vec<Group<'a>> {
    plan(suite, selection, &Host::default(), &|_| None)
}

fn listed(groups: &[Group<'_>]) -> Vec<String> {
    groups.iter().flat_map(|group| group.cells.iter().map(|cell| cell.id.clone())).collect()
}

const SUITE: &str = r#"
suite = 1
name = "s"
marks = { smoke = "fast" }
[backend.llama]
kind = "llama-server"
[backend.cli]
kind = "command"
[backend.lab]
kind = "openai"
url = "http://localhost:1"
[[model]]
id = "a"
modality = ["text"]
on.llama = { path = "a.gguf" }
on.cli = { path = "a.gguf" }
[[model]]
id = "b"
modality = ["text", "vision"]
on.llama = { path = "b.gguf" }
on.lab = { name = "bee" }
[[case]]
name = "chat"
marks = ["smoke"]
needs = ["text"]
request = { api = "chat", prompt = "hi" }
[[case]]
name = "look"
needs = ["vision"]
request = { api = "chat", prompt = "hi" }
[[case]]
name = "version"
command = { argv = ["tool", "--version"] }
[[case]]
name = "run"
needs = ["text"]
command = { argv = ["tool", "run", "{path}"] }
"#;

fn ids(selection: &Selection) -> Vec<String> {
    listed(&planned(&parse("s.toml", SUITE).unwrap(), selection))
}

fn only(id: &str) -> Selection {
    Selection { ids: Ids::new(vec![id.to_owned()]), ..Selection::default() }
}

#[test]
fn backends_times_models_give_the_matrix_and_each_model_stands_together() {
    assert_eq!(
        ids(&Selection::default()),
        [
            "s::version",
            "s::chat[llama,a]",
            "s::run[llama,a]",
            "s::chat[llama,b]",
            "s::look[llama,b]",
            "s::run[llama,b]",
            "s::run[cli,a]",
            "s::chat[lab,b]",
            "s::look[lab,b]",
            "s::run[lab,b]",
        ]
    );
}

#[test]
fn a_selection_leaves_out_cells_and_the_groups_that_lose_all() {
    let selection = Selection {
        keywords: Some(Expression::parse("llama and not b]").unwrap()),
        marks: Some(Expression::parse("smoke").unwrap()),
        ..Selection::default()
    };
    assert_eq!(ids(&selection), ["s::chat[llama,a]"]);
    let selection = Selection {
        backends: Names::new(&["lab,cli".to_owned()]),
        models: Names::new(&["b".to_owned()]),
        ..Selection::default()
    };
    assert_eq!(ids(&selection), ["s::chat[lab,b]", "s::look[lab,b]", "s::run[lab,b]"]);
}

#[test]
fn only_cases_that_talk_to_a_server_need_one() {
    let suite = parse("s.toml", SUITE).unwrap();
    assert!(planned(&suite, &only("run")).iter().all(|group| !group.needs_server()));
    assert!(planned(&suite, &only("chat")).iter().all(Group::needs_server));
}

#[test]
fn axes_multiply_a_case_and_the_first_changes_slowest() {
    let suite = parse(
        "s.toml",
        r#"
suite = 1
[[case]]
name = "say"
command = { argv = ["echo", "{lang} {n}", "{lang.word}"] }
parametrize.lang = [{ id = "de", word = "ja" }, { id = "fr", word = "oui, oui" }]
parametrize.n = [2, 10]
"#,
    )
    .unwrap();
    let groups = planned(&suite, &Selection { repeat: Some(2), ..Selection::default() });
    assert_eq!(
        listed(&groups)[..3],
        [
            "s::say[lang=de,n=2,repeat=1]",
            "s::say[lang=de,n=2,repeat=2]",
            "s::say[lang=de,n=10,repeat=1]",
        ]
    );
    let last = &groups[0].cells[7];
    assert_eq!(last.id, "s::say[lang=fr,n=10,repeat=2]");
    assert_eq!(last.case.command.as_ref().unwrap().argv, ["echo", "fr 10", "oui, oui"]);
    assert_eq!(serde_json::to_string(&last.axes()).unwrap(), r#"{"lang":"fr","n":10,"repeat":2}"#);
    let selection =
        Selection { ids: Ids::new(vec!["say[de,n=10]".into()]), ..Selection::default() };
    assert_eq!(listed(&planned(&suite, &selection)), ["s::say[lang=de,n=10]"]);
}

const CONDITIONS: &str = r#"
suite = 1
name = "s"
budget = { ram = "10GB" }
[backend.x]
kind = "llama-server"
command = ["${SERVER}", "{path}"]
[backend.y]
kind = "llama-server"
only = { os = "macos" }
[backend.far]
kind = "openai"
url = "http://h"
[[model]]
id = "small"
modality = ["text"]
on = { x = { size_gb = 1 }, y = {} }
[[model]]
id = "large"
modality = ["text"]
on = { x = {}, far = {} }
[[case]]
name = "a"
xfail = { reason = "known", strict = true, on = { model = "sm*" } }
request = { api = "chat", prompt = "hi" }
[[case]]
name = "b"
skip = { reason = "slow here", on = { os = "linux", backend = "far" } }
only = { model = "large" }
isolate = true
request = { api = "chat", prompt = "hi" }
[[case]]
name = "c"
needs = ["text"]
only = { min_ram_gb = 64 }
isolate = true
command = { argv = ["${TOOL}", "{model.id}"] }
"#;

fn told() -> Vec<String> {
    let suite = parse("s.toml", CONDITIONS).unwrap();
    let host = Host { os: "linux".into(), ram_gb: Some(16.0), ..Host::default() };
    let size = |on: &On<'_>| (on.model.id == "large").then_some(9.0);
    plan(&suite, &Selection::default(), &host, &size)
        .iter()
        .map(|group| {
            let cells: Vec<String> = group
                .cells
                .iter()
                .map(|cell| {
                    let xfail = cell.xfail.map(|x| format!("xfail {} {}", x.reason, x.strict));
                    let parts = [cell.skip.clone(), cell.unset.clone(), xfail];
                    let parts: Vec<String> = parts.into_iter().flatten().collect();
                    format!("{}: {}", cell.id, parts.join("; "))
                })
                .collect();
            cells.join(
                "
",
            )
        })
        .collect()
}

#[test]
fn what_the_machine_cannot_run_stays_in_the_plan_with_the_reason() {
    let server = "environment variable SERVER is not set, which backend \"x\" needs";
    let large = "needs 11.7 GB (9.0 GB × 1.3), the budget is 10.0 GB";
    let macos = "backend \"y\": only on macos; this is linux";
    let ram = "only with 64.0 GB of memory or more; here are 16.0 GB";
    assert_eq!(
        told(),
        [
            format!("s::a[x,small]: {server}; xfail known true"),
            format!("s::c[x,small]: {ram}"),
            format!("s::a[x,large]: {large}"),
            // Where models matter, what does not match is not in the matrix at all;
            // what is isolated has a group of its own.
            format!("s::b[x,large]: {large}"),
            format!("s::c[x,large]: {large}"),
            format!("s::a[y,small]: {macos}; xfail known true"),
            format!("s::c[y,small]: {macos}"),
            // What runs elsewhere takes no memory here.
            "s::a[far,large]: ".to_owned(),
            "s::b[far,large]: slow here".to_owned(),
            format!("s::c[far,large]: {ram}"),
        ]
    );
}

fn any_suite() -> impl Strategy<Value = String> {
    let backends = prop::collection::vec(any::<bool>(), 1..4);
    let models = prop::collection::vec(prop::collection::vec(any::<bool>(), 3), 1..6);
    let cases = prop::collection::vec((any::<bool>(), any::<bool>(), 0..4usize), 1..6);
    (backends, models, cases).prop_map(|(backends, models, cases)| {
        let mut text = "suite = 1\nname = 's'\n".to_owned();
        for b in 0..backends.len() {
            text += &format!("[backend.b{b}]\nkind = 'llama-server'\n");
        }
        for (m, on) in models.iter().enumerate() {
            text += &format!("[[model]]\nid = 'm{m}'\nmodality = ['text']\n[model.on]\n");
            for b in (0..backends.len()).filter(|b| on[*b]) {
                text += &format!("b{b} = {{}}\n");
            }
        }
        for (c, (command, isolate, axis)) in cases.iter().enumerate() {
            let does = if *command {
                "command = { argv = ['true'] }"
            } else {
                "request = { api = 'chat', prompt = 'hi' }"
            };
            text += &format!("[[case]]\nname = 'c{c}'\n{does}\nisolate = {isolate}\n");
            if *axis > 0 {
                let values: Vec<String> = (0..*axis).map(|n| n.to_string()).collect();
                text += &format!("parametrize.n = [{}]\n", values.join(", "));
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn every_cell_is_planned_once_each_model_together_and_lies_in_one_share(
        text in any_suite(),
        count in 1..5usize,
    ) {
        let suite = parse("s.toml", &text).unwrap();
        let groups = planned(&suite, &Selection::default());
        let all = listed(&groups);
        // By brute force: every case with every placement.
        let cells: usize = suite.body.case.iter().map(|case| match &case.get_ref().command {
            Some(_) => 1,
            None => suite.body.model.iter().map(|model| model.get_ref().on.len()).sum(),
        }).sum();
        prop_assert_eq!(all.len(), cells);
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        prop_assert_eq!(unique.len(), cells);
        // A backend with a model is left once and never come back to.
        let mut places: Vec<_> =
            groups.iter().filter_map(|g| Some((g.on?.backend_name, &g.on?.model.id))).collect();
        places.dedup();
        let distinct: std::collections::BTreeSet<_> = places.iter().collect();
        prop_assert_eq!(distinct.len(), places.len());
        for group in &groups {
            prop_assert!(group.on.is_none() || group.cells.len() == 1
                || group.cells.iter().all(|cell| !cell.case.isolate));
        }
        let mut found = Vec::new();
        for index in 0..count {
            let (part, _) = super::share(
                planned(&suite, &Selection::default()), Share { index, count });
            found.extend(listed(&part));
        }
        found.sort();
        let mut sorted = all;
        sorted.sort();
        prop_assert_eq!(found, sorted);
    }
}
