//! Reading a suite: its file, and those that it includes, into one body.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read as _},
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Body, CaseDef, Defaults, Suite, SuiteErrors,
    check::{check, limits},
    parametrize::{Combination, Parametrized},
    source::Sources,
    tree,
    tree::Node,
};

/// Files that include one another deeper than this are nobody's intention.
const DEEPEST: usize = 32;

/// More bytes than this are no suite.
const LARGEST: u64 = 16 << 20;

/// Reads the suite in `file`; `-` is standard input.
///
/// # Errors
///
/// When it cannot be read or is not a suite; the messages say where and why.
pub fn load(file: &str) -> Result<Suite, SuiteErrors> {
    match text_of(Path::new(file)) {
        Ok(text) => parse(file, &text),
        Err(error) => {
            let mut sources = Sources::default();
            sources.wrong_file(file, format!("cannot read: {error}"));
            Err(sources.verdict().err().unwrap_or(SuiteErrors(Vec::new())))
        }
    }
}

/// Reads a suite from `text`; `file` names it and its folder.
///
/// # Errors
///
/// As [`load`].
pub fn parse(file: &str, text: &str) -> Result<Suite, SuiteErrors> {
    let mut reader = Reader::default();
    reader.file(file, text);
    let Reader { mut sources, body, .. } = reader;
    let path = Path::new(file);
    let stem = match path.file_stem() {
        Some(stem) if file != "-" => stem.to_string_lossy(),
        _ => "suite".into(),
    };
    let suite = Suite {
        name: body.name.clone().unwrap_or_else(|| stem.into_owned()),
        file: file.to_owned(),
        folder: folder_of(path),
        body,
    };
    // What was not understood is missing, and would be complained of as such.
    if sources.clean() {
        check(&suite, &mut sources);
    }
    sources.verdict().map(|()| suite)
}

/// What is in the file, up to [`LARGEST`].
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)
    };
    match read? as u64 {
        0..=LARGEST => Ok(text),
        _ => Err(io::Error::other(format!("larger than {} MiB, so no suite", LARGEST >> 20))),
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What is read so far.
#[derive(Default)]
struct Reader {
    sources: Sources,
    body: Body,
    /// Files that were read to their end.
    done: BTreeSet<PathBuf>,
    /// Files that are being read: the suite, and what led to the one at hand.
    open: Vec<(PathBuf, String)>,
    /// Where each name was defined: what it is of, and the name.
    names: BTreeMap<(&'static str, String), Range<usize>>,
}

impl Reader {
    /// Reads a file, after those that it includes.
    fn file(&mut self, name: &str, text: &str) {
        let base = self.sources.add(name, text);
        let root = match tree::grow(text, base) {
            Ok(root) => root,
            Err((place, message)) => return self.sources.wrong(&place, message),
        };
        let span = root.span();
        let mut table = root.into_inner();
        // First of all: another version has other keys.
        if !table.contains_key("suite") {
            let message = "no suite: it says suite = 1, the version of its language, at its top";
            return self.sources.wrong_file(name, message.to_owned());
        }
        if let Some(version) = table.get("suite")
            && let DeValue::Integer(number) = version.get_ref()
            && number.to_string() != "1"
        {
            let message = format!("this program knows suites of version 1, not {number}");
            return self.sources.wrong(&version.span(), message);
        }
        let path = Path::new(name);
        let main = self.open.is_empty();
        self.open.push((real(path), name.to_owned()));
        if let Some(node) = table.remove("include")
            && let Some(files) = self.typed::<Vec<Spanned<String>>>(node, "include")
        {
            for file in files.get_ref() {
                self.include(&folder_of(path), file);
            }
        }
        if let Some((path, _)) = self.open.pop() {
            self.done.insert(path);
        }
        self.definitions(&mut table, &folder_of(path));
        if let Some(node) = table.remove("defaults")
            && let Some(defaults) = self.typed::<Defaults>(node, "defaults")
        {
            let (def, place) = (defaults.get_ref(), defaults.span());
            limits::defaults(&mut self.sources, def, &place, "defaults");
            self.body.defaults = def.over(&self.body.defaults);
        }
        let of_health = table.contains_key("health");
        let rest = Spanned::new(span, DeValue::Table(table));
        if let Some(rest) = self.typed::<Body>(rest, "") {
            self.settings(rest.into_inner(), main, of_health);
        }
    }

    /// Reads `file`, unless it was read before.
    fn include(&mut self, folder: &Path, file: &Spanned<String>) {
        let path = folder.join(file.get_ref());
        let name = path.to_string_lossy().into_owned();
        let real = real(&path);
        if let Some(at) = self.open.iter().position(|(open, _)| *open == real) {
            let chain: Vec<&str> = self.open[at..].iter().map(|(_, name)| name.as_str()).collect();
            let message = format!("include goes in a circle: {} → {name}", chain.join(" → "));
            return self.sources.wrong(&file.span(), message);
        }
        if self.open.len() > DEEPEST {
            return self.sources.wrong(&file.span(), "includes nest too deep");
        }
        if self.done.contains(&real) {
            return;
        }
        match text_of(&path) {
            Ok(text) => self.file(&name, &text),
            Err(error) => {
                self.sources.wrong(&file.span(), format!("include {:?}: {error}", file.get_ref()));
            }
        }
    }

    /// What the file defines by name.
    fn definitions(&mut self, table: &mut DeTable<'_>, folder: &Path) {
        for (name, place, node) in entries(table, "marks") {
            let path = format!("marks.{name}");
            if let Some(meaning) = self.named(("mark", &name), &place, node, &path) {
                self.body.marks.insert(name, meaning.into_inner());
            }
        }
        for (name, place, node) in entries(table, "backend") {
            let path = format!("backend.{name}");
            if let Some(mut def) =
                self.named::<super::BackendDef>(("backend", &name), &place, node, &path)
            {
                folder.clone_into(&mut def.get_mut().folder);
                def.get_mut().order = self.body.backend.len();
                self.body.backend.insert(name, def);
            }
        }
        for (name, place, node) in entries(table, "fixture") {
            let path = format!("fixture.{name}");
            if let Some(mut def) =
                self.named::<super::FixtureDef>(("fixture", &name), &place, node, &path)
            {
                folder.clone_into(&mut def.get_mut().folder);
                self.body.fixture.insert(name, def);
            }
        }
        for (name, place, node) in entries(table, "profile") {
            let path = format!("profile.{name}");
            if let Some(def) = self.named(("profile", &name), &place, node, &path) {
                self.body.profile.insert(name, def);
            }
        }
        for (i, node) in items(table, "model").into_iter().enumerate() {
            if let Some(mut def) = self.typed::<super::ModelDef>(node, &format!("model[{i}]")) {
                folder.clone_into(&mut def.get_mut().folder);
                if self.first("model", &def.get_ref().id, &def.span()) {
                    self.body.model.push(def);
                }
            }
        }
        for (i, node) in items(table, "price").into_iter().enumerate() {
            if let Some(def) = self.typed::<super::PriceDef>(node, &format!("price[{i}]"))
                && self.first("price", &def.get_ref().name, &def.span())
            {
                self.body.price.push(def);
            }
        }
        for (i, node) in items(table, "case").into_iter().enumerate() {
            self.case(&node, i, folder);
        }
    }

    /// A case, once for each combination of its parameters.
    fn case(&mut self, node: &Node<'_>, i: usize, folder: &Path) {
        let parametrized = match Parametrized::of(node) {
            Ok(parametrized) => parametrized,
            Err((place, message)) => {
                return self.sources.wrong(&place, format!("case[{i}].{message}"));
            }
        };
        // Where texts are wanted, numbers are written as such. What is learned of one
        // combination is true of all.
        let mut texts = BTreeSet::new();
        self.body.case.reserve(parametrized.len);
        for n in 0..parametrized.len {
            let (axes, read) = loop {
                let Combination { axes, case, whole } = parametrized.combination(n, &texts);
                match tree::typed::<CaseDef>(case, &format!("case[{i}]")) {
                    Err((place, _)) if whole.contains(&place.start) => texts.insert(place.start),
                    read => break (axes, read),
                };
            };
            let mut def = match read {
                Ok(def) => def,
                // What is wrong with one combination is most often wrong with all.
                Err((place, message)) => return self.sources.wrong(&place, message),
            };
            if n == 0 && !self.first("case", &def.get_ref().name, &def.span()) {
                return;
            }
            folder.clone_into(&mut def.get_mut().folder);
            def.get_mut().axes = axes;
            self.body.case.push(def);
        }
    }

    /// What the file says of the run as a whole. Files that are read later win: they know
    /// what they include.
    fn settings(&mut self, body: Body, main: bool, of_health: bool) {
        let all = &mut self.body;
        all.suite = body.suite;
        if main {
            all.name = body.name;
        }
        if of_health {
            all.health = body.health;
        }
        all.budget = body.budget.or(all.budget.take());
    }

    /// `node` as what is called `name`, unless something is called so already.
    fn named<T: DeserializeOwned>(
        &mut self,
        (what, name): (&'static str, &str),
        place: &Range<usize>,
        node: Node<'_>,
        path: &str,
    ) -> Option<Spanned<T>> {
        let first = self.first(what, name, place);
        self.typed(node, path).filter(|_| first)
    }

    /// Whether nothing is called so yet.
    fn first(&mut self, what: &'static str, name: &str, place: &Range<usize>) -> bool {
        match self.names.insert((what, name.to_owned()), place.clone()) {
            None => true,
            Some(before) => {
                let before = self.sources.name(&before);
                let message = format!("{what} {name:?} is there twice; the first is at {before}");
                self.sources.wrong(place, message);
                false
            }
        }
    }

    fn typed<T: DeserializeOwned>(&mut self, node: Node<'_>, path: &str) -> Option<Spanned<T>> {
        tree::typed(node, path).map_err(|(place, message)| self.sources.wrong(&place, message)).ok()
    }
}

/// Takes the entries of the table `key` out of `table`: name, place and value. Whatever
/// is no table stays, to be complained of.
fn entries<'i>(table: &mut DeTable<'i>, key: &str) -> Vec<(String, Range<usize>, Node<'i>)> {
    match table.get(key).map(Spanned::get_ref) {
        Some(DeValue::Table(_)) => {}
        _ => return Vec::new(),
    }
    match table.remove(key).map(Spanned::into_inner) {
        Some(DeValue::Table(entries)) => entries
            .into_iter()
            .map(|(name, node)| (name.get_ref().to_string(), name.span(), node))
            .collect(),
        _ => Vec::new(),
    }
}

/// Takes the items of the list `key` out of `table`. Whatever is no list stays.
fn items<'i>(table: &mut DeTable<'i>, key: &str) -> Vec<Node<'i>> {
    match table.get(key).map(Spanned::get_ref) {
        Some(DeValue::Array(_)) => {}
        _ => return Vec::new(),
    }
    match table.remove(key).map(Spanned::into_inner) {
        Some(DeValue::Array(items)) => items.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The file itself, whatever leads to it; the path where there is none.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

impl Defaults {
    /// These, and those of `under` where these say nothing.
    #[must_use]
    pub fn over(&self, under: &Defaults) -> Defaults {
        Defaults {
            timeout: self.timeout.or(under.timeout),
            retries: self.retries.or(under.retries),
            seed: self.seed.or(under.seed),
            temperature: self.temperature.or(under.temperature),
        }
    }
}
