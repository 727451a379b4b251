//! Which cells there are and in which order they run.
//!
//! A cell is a case on a backend with a model. Cells of one backend and model
//! stand together, so that each model is loaded once.

use crate::{
    backend::Kind,
    select::Selection,
    suite::{BackendDef, CaseDef, ModelDef, Placement, Places, Suite, Template},
};

/// One case on one backend with one model, or a command by itself.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// `suite::case[backend,model]`.
    pub id: String,
    /// The case.
    pub case: &'a CaseDef,
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

impl Group<'_> {
    /// Whether a server must run for `cell` of it.
    #[must_use]
    pub fn needs_server_for(&self, cell: &Cell<'_>) -> bool {
        self.on.is_some_and(|on| on.kind != Kind::Command) && uses_server(cell.case)
    }

    /// Whether a server must run for any of its cells.
    #[must_use]
    pub fn needs_server(&self) -> bool {
        self.cells.iter().any(|cell| self.needs_server_for(cell))
    }
}

/// The cells of `suite` that `selection` wants, grouped. Commands that need neither
/// a backend nor a model come first; then backends and models in the order of the
/// suite.
#[must_use]
pub fn plan<'a>(suite: &'a Suite, selection: &Selection) -> Vec<Group<'a>> {
    let wanted = |id: &str, case: &CaseDef| {
        let marks: Vec<String> = case.marks.iter().map(|mark| mark.get_ref().clone()).collect();
        selection.wants(id, &case.name, &marks)
    };
    let cases = || suite.body.case.iter().map(toml::Spanned::get_ref);

    let mut alone = Group { on: None, cells: Vec::new() };
    for case in cases().filter(|case| stands_alone(case)) {
        let id = format!("{}::{}", suite.name, case.name);
        if wanted(&id, case) {
            alone.cells.push(Cell { id, case });
        }
    }
    let mut groups = vec![alone];
    // The map is sorted by name; the suite has an order of its own.
    let mut backends: Vec<_> = suite.body.backend.iter().collect();
    backends.sort_by_key(|(_, backend)| backend.span().start);
    for (backend_name, backend) in backends {
        let backend = backend.get_ref();
        // The suite was checked: its kinds are known.
        let Ok(kind) = Kind::from_name(backend.kind.get_ref()) else { continue };
        for model in suite.body.model.iter().map(toml::Spanned::get_ref) {
            let Some(placement) = model.on.get(backend_name) else { continue };
            let on = On { backend_name, backend, kind, model, placement };
            let mut group = Group { on: Some(on), cells: Vec::new() };
            for case in cases().filter(|case| !stands_alone(case) && fits(case, &on)) {
                let id = format!("{}::{}[{backend_name},{}]", suite.name, case.name, model.id);
                if wanted(&id, case) {
                    group.cells.push(Cell { id, case });
                }
            }
            groups.push(group);
        }
    }
    groups.retain(|group| !group.cells.is_empty());
    groups
}

/// Whether the case is a command that names neither backend nor model: it runs once.
fn stands_alone(case: &CaseDef) -> bool {
    case.command.is_some() && case.needs.is_empty() && places(case).is_empty()
}

/// Whether the case can run on that backend with that model.
fn fits(case: &CaseDef, on: &On<'_>) -> bool {
    let can = case.needs.iter().all(|need| on.model.modality.contains(need));
    can && (on.kind != Kind::Command || !uses_server(case))
}

/// Whether the case talks to a server.
fn uses_server(case: &CaseDef) -> bool {
    case.request.is_some()
        || places(case).iter().any(|place| matches!(place.as_str(), "url" | "host" | "port"))
}

/// The placeholders of a case's command.
fn places(case: &CaseDef) -> Vec<String> {
    let Some(command) = &case.command else { return Vec::new() };
    let texts = command.texts();
    texts
        .filter_map(|text| Template::parse(text).ok())
        .flat_map(|template| template.places().map(str::to_owned).collect::<Vec<_>>())
        // A fixture is there with and without a model.
        .filter(|place| !place.starts_with("fixture."))
        .collect()
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

    /// The name by which requests ask for the model.
    #[must_use]
    pub fn request_name(&self) -> String {
        let at = self.placement;
        at.name.as_ref().or(at.tag.as_ref()).or(at.repo.as_ref()).unwrap_or(&self.model.id).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::plan;
    use crate::{
        select::{Expression, Selection},
        suite::parse,
    };

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
        let suite = parse("s.toml", SUITE).unwrap();
        let groups = plan(&suite, selection);
        groups.iter().flat_map(|group| group.cells.iter().map(|cell| cell.id.clone())).collect()
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
            ids: Vec::new(),
        };
        assert_eq!(ids(&selection), ["s::chat[llama,a]"]);
    }

    #[test]
    fn only_cases_that_talk_to_a_server_need_one() {
        let suite = parse("s.toml", SUITE).unwrap();
        let run = Selection { ids: vec!["run".into()], ..Selection::default() };
        assert!(plan(&suite, &run).iter().all(|group| !group.needs_server()));
        let chat = Selection { ids: vec!["chat".into()], ..Selection::default() };
        assert!(plan(&suite, &chat).iter().all(super::Group::needs_server));
    }
}
