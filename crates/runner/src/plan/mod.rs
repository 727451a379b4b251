//! Which cells there are and in which order they run.
//!
//! A cell is a case on a backend with a model. Cells of one backend and model
//! stand together, so that each model is loaded once. A plan is a function of the suite,
//! of what was asked for and of the machine: nothing is started for it.

mod host;
mod room;
mod shares;
#[cfg(test)]
mod tests;
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
                if facts.case.is_apart() {
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
