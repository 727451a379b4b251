//! Which cells there are and in which order they run.
//!
//! A cell is a case on a backend with a model. Cells of one backend and model
//! stand together, so that each model is loaded once. A plan is a function of the suite,
//! of what was asked for and of the machine: nothing is started for it.

mod host;
mod room;
mod shares;
mod variables;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

pub use host::Host;
pub use shares::share;

use crate::{
    backend::Kind,
    select::{Names, Selection},
    suite::{
        BackendDef, CaseDef, ModelDef, Only, Placement, Places, Suite, Template, Xfail, written_id,
    },
};

/// One case on one backend with one model, or a command by itself.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// `suite::case[backend,model,axis=value]`.
    pub id: String,
    /// The case.
    pub case: &'a CaseDef,
    /// Which repetition it is, from 1, where there are several.
    pub repeat: Option<u32>,
    /// Why it is not run.
    pub skip: Option<String>,
    /// That it is expected to fail, and why.
    pub xfail: Option<&'a Xfail>,
    /// The environment variable that is not set: why it cannot be run.
    pub unset: Option<String>,
}

/// Cells that run on the same backend with the same model.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The backend and the model; `None` for commands that need neither.
    pub on: Option<On<'a>>,
    /// The cells, in the order of the suite.
    pub cells: Vec<Cell<'a>>,
}

/// A backend with a model.
#[derive(Clone, Copy, Debug)]
pub struct On<'a> {
    /// The backend's name.
    pub backend_name: &'a str,
    /// The backend.
    pub backend: &'a BackendDef,
    /// Its kind.
    pub kind: Kind,
    /// The model.
    pub model: &'a ModelDef,
    /// Where the backend finds it.
    pub placement: &'a Placement,
}

impl Cell<'_> {
    /// Its values on further axes, by name.
    #[must_use]
    pub fn axes(&self) -> BTreeMap<String, serde_json::Value> {
        let repeat = self.repeat.map(|n| ("repeat".to_owned(), n.into()));
        self.case.axes.iter().cloned().chain(repeat).collect()
    }

    /// Whether it is to be run, as far as is known beforehand.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.skip.is_none() && self.unset.is_none()
    }
}

impl Group<'_> {
    /// Whether a server must run for `cell` of it.
    #[must_use]
    pub fn needs_server_for(&self, cell: &Cell<'_>) -> bool {
        self.on.is_some_and(|on| on.kind != Kind::Command) && cell.runs() && cell.case.uses_server()
    }

    /// Whether a server must run for any of its cells.
    #[must_use]
    pub fn needs_server(&self) -> bool {
        self.cells.iter().any(|cell| self.needs_server_for(cell))
    }
}

/// A case, with what is the same for all its cells.
struct Facts<'a> {
    case: &'a CaseDef,
    alone: bool,
    server: bool,
    /// Whether it names the model's file.
    file: bool,
    /// Where it belongs, by backend and model.
    only: Where,
    /// Why it is not run on this machine.
    skip: Option<String>,
    /// That it is skipped here, and where.
    skip_on: Option<Where>,
    /// That it is expected to fail here, and where.
    xfail_on: Option<Where>,
    unset: Option<String>,
}

/// Backends and models of a condition; all, where it names none.
#[derive(Default)]
struct Where {
    backends: Option<Names>,
    models: Option<Names>,
}

impl Where {
    fn of(only: Option<&Only>) -> Where {
        let names =
            |list: Option<&crate::suite::AnyOf<String>>| list.map(|list| Names::new(&list.0));
        Where {
            backends: names(only.and_then(|only| only.backend.as_ref())),
            models: names(only.and_then(|only| only.model.as_ref())),
        }
    }

    fn holds(&self, on: Option<&On<'_>>) -> bool {
        let is = |names: &Option<Names>, name: Option<&str>| {
            names.as_ref().is_none_or(|names| name.is_some_and(|name| names.matches(name)))
        };
        is(&self.backends, on.map(|on| on.backend_name))
            && is(&self.models, on.map(|on| on.model.id.as_str()))
    }
}

impl<'a> Facts<'a> {
    fn of(suite: &Suite, case: &'a CaseDef, host: &Host) -> Facts<'a> {
        // Where a condition holds on this machine, what is left of it is backend and model.
        let here = |on: Option<&Only>| {
            on.is_none_or(|on| host.refuses(on).is_none()).then(|| Where::of(on))
        };
        Facts {
            case,
            alone: case.stands_alone(),
            server: case.uses_server(),
            file: case.places().iter().any(|place| place == "path"),
            only: Where::of(case.only.as_ref()),
            skip: case.only.as_ref().and_then(|only| host.refuses(only)),
            skip_on: case.skip.as_ref().and_then(|skip| here(skip.on.as_ref())),
            xfail_on: case.xfail.as_ref().and_then(|xfail| here(xfail.on.as_ref())),
            unset: variables::of_case(&suite.body, case, host),
        }
    }

    /// Whether the case can run on that backend with that model.
    fn fits(&self, on: &On<'_>) -> bool {
        !self.alone
            && self.case.needs.iter().all(|need| on.model.modality.contains(need))
            && (on.kind != Kind::Command || !self.server)
            && self.only.holds(Some(on))
    }

    /// The cells of the case that `selection` wants, put into `cells`.
    fn cells(
        &self,
        suite: &Suite,
        place: Option<&Surrounded<'_>>,
        selection: &Selection,
        cells: &mut Vec<Cell<'a>>,
    ) {
        let case = self.case;
        let on = place.map(|place| &place.on);
        let skip = || {
            let own = case.skip.as_ref().map(|skip| skip.reason.clone());
            own.filter(|_| self.skip_on.as_ref().is_some_and(|at| at.holds(on)))
                .or_else(|| place.and_then(|place| place.skip.clone()))
                .or_else(|| self.skip.clone())
        };
        let xfail = case.xfail.as_ref();
        let xfail = xfail.filter(|_| self.xfail_on.as_ref().is_some_and(|at| at.holds(on)));
        let unset = || {
            let around = place.and_then(|place| match () {
                () if self.server => place.no_server.clone(),
                () if self.file => place.no_file.clone(),
                () => None,
            });
            around.or_else(|| self.unset.clone())
        };
        let repeats = selection.repeat.unwrap_or(1);
        for n in 1..=repeats {
            let repeat = selection.repeat.map(|_| n);
            let id = id(&suite.name, case, on, repeat);
            if selection.wants(&id, &case.name) {
                let skip = skip();
                let unset = if skip.is_some() { None } else { unset() };
                cells.push(Cell { id, case, repeat, skip, xfail, unset });
            }
        }
    }
}

/// A backend with a model, with what is the same for all its cells.
struct Surrounded<'a> {
    on: On<'a>,
    skip: Option<String>,
    no_server: Option<String>,
    no_file: Option<String>,
}

/// The cells of `suite` that `selection` wants on `host`, grouped. Commands that need
/// neither a backend nor a model come first; then backends and models in the order of the
/// suite. `size_gb` knows how large a model is on the disk.
#[must_use]
pub fn plan<'a>(
    suite: &'a Suite,
    selection: &Selection,
    host: &Host,
    size_gb: &dyn Fn(&On<'_>) -> Option<f64>,
) -> Vec<Group<'a>> {
    let body = &suite.body;
    let cases: Vec<Facts<'a>> = body
        .case
        .iter()
        .map(toml::Spanned::get_ref)
        .filter(|case| {
            let marks: Vec<&str> = case.marks.iter().map(|mark| mark.get_ref().as_str()).collect();
            selection.wants_marks(&marks)
        })
        .map(|case| Facts::of(suite, case, host))
        .collect();

    let mut alone = Group { on: None, cells: Vec::new() };
    if selection.wants_on(None) {
        for facts in cases.iter().filter(|facts| facts.alone) {
            facts.cells(suite, None, selection, &mut alone.cells);
        }
    }
    let mut groups = vec![alone];
    // The map is sorted by name; the suite has an order of its own.
    let mut backends: Vec<_> = body.backend.iter().collect();
    backends.sort_by_key(|(_, backend)| backend.get_ref().order);
    for (backend_name, backend) in backends {
        let backend = backend.get_ref();
        // The suite was checked: its kinds are known.
        let Ok(kind) = Kind::from_name(backend.kind.get_ref()) else { continue };
        for model in body.model.iter().map(toml::Spanned::get_ref) {
            let Some(placement) = model.on.get(backend_name) else { continue };
            if !selection.wants_on(Some((backend_name, &model.id))) {
                continue;
            }
            let on = On { backend_name, backend, kind, model, placement };
            let place = Surrounded {
                on,
                skip: refused(suite, &on, host, size_gb),
                no_server: variables::of_server(&on, host),
                no_file: variables::of_model(&on, host),
            };
            let mut group = Group { on: Some(on), cells: Vec::new() };
            let mut apart = Vec::new();
            for facts in cases.iter().filter(|facts| facts.fits(&on)) {
                if facts.case.isolate {
                    let mut cells = Vec::new();
                    facts.cells(suite, Some(&place), selection, &mut cells);
                    let alone = |cell| Group { on: Some(on), cells: vec![cell] };
                    apart.extend(cells.into_iter().map(alone));
                } else {
                    facts.cells(suite, Some(&place), selection, &mut group.cells);
                }
            }
            groups.push(group);
            groups.extend(apart);
        }
    }
    groups.retain(|group| !group.cells.is_empty());
    groups
}

/// Why nothing runs on that backend with that model on this machine.
fn refused(
    suite: &Suite,
    on: &On<'_>,
    host: &Host,
    size_gb: &dyn Fn(&On<'_>) -> Option<f64>,
) -> Option<String> {
    let unmet = |only: &Option<Only>, who: String| {
        only.as_ref().and_then(|only| host.refuses(only)).map(|why| format!("{who}: {why}"))
    };
    unmet(&on.backend.only, format!("backend {:?}", on.backend_name))
        .or_else(|| unmet(&on.model.only, format!("model {:?}", on.model.id)))
        .or_else(|| {
            // What runs elsewhere takes no memory here.
            let budget = suite.body.budget.as_ref().filter(|_| on.backend.url.is_none())?;
            let size = on.placement.size_gb.or_else(|| size_gb(on));
            room::too_large(budget, size, host.ram_gb)
        })
}

/// `suite::case[backend,model,axis=value]`, where each part that is absent is left out.
fn id(suite: &str, case: &CaseDef, on: Option<&On<'_>>, repeat: Option<u32>) -> String {
    let mut id = format!("{suite}::{}", case.name);
    let mut put = '[';
    let mut add = |part: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _ = write!(id, "{put}{part}");
        put = ',';
    };
    if let Some(on) = on {
        add(format_args!("{},{}", on.backend_name, on.model.id));
    }
    for (axis, value) in &case.axes {
        add(format_args!("{axis}={}", written_id(value)));
    }
    if let Some(n) = repeat {
        add(format_args!("repeat={n}"));
    }
    if put == ',' {
        id.push(']');
    }
    id
}

impl On<'_> {
    /// What placeholders stand for, as far as it is known before a server runs.
    #[must_use]
    pub fn places(&self) -> Places {
        let mut places = Places::from([
            ("model.id", self.model.id.clone()),
            ("model", self.request_name()),
            ("backend", self.backend_name.to_owned()),
        ]);
        for (name, value) in [
            ("repo", &self.placement.repo),
            ("tag", &self.placement.tag),
            ("name", &self.placement.name),
        ] {
            if let Some(value) = value {
                places.set(name, value.clone());
            }
        }
        places
    }

    /// The model's file or folder, where there is one and every environment variable
    /// that leads to it is set.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let path = Template::parse(self.placement.path.as_ref()?).ok()?;
        let filled = path.fill(&Places::default(), |name| std::env::var(name).ok()).ok()?;
        Some(self.model.folder.join(filled.real))
    }

    /// Where the server runs already; nothing when it is to be started.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let by_itself = self.backend.command.is_none().then(|| self.kind.attach()).flatten();
        self.backend.url.as_deref().or(by_itself)
    }

    /// The name by which requests ask for the model.
    #[must_use]
    pub fn request_name(&self) -> String {
        let at = self.placement;
        let served_as = self.kind.served_as().filter(|_| self.url().is_none());
        if let (None, Some(name)) = (&at.name, served_as) {
            return name.to_owned();
        }
        at.name.as_ref().or(at.tag.as_ref()).or(at.repo.as_ref()).unwrap_or(&self.model.id).clone()
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            serde_json::to_string(&last.axes()).unwrap(),
            r#"{"lang":"fr","n":10,"repeat":2}"#
        );
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
}
