//! What must be there before a case: folders with files, environment variables, and
//! commands that set up and tear down.
//!
//! Fixtures are set up when the first case that wants them is about to run, wider
//! scopes first and what they need before them, and taken away in the reverse order at
//! the end of their scope, whatever came in between.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    case::{self, Around, Came},
    interrupt::Interrupts,
    suite::{CommandDef, FixtureDef, Places, Scope, Suite, Template},
};

/// How long setting up or tearing down may take when the suite does not say.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The fixtures of a suite, and those that are set up.
pub struct Fixtures<'a> {
    suite: &'a Suite,
    live: Vec<Live<'a>>,
}

/// A fixture that is set up.
struct Live<'a> {
    name: &'a str,
    def: &'a FixtureDef,
    folder: TempDir,
    /// What its own commands can name.
    places: Places,
    env: BTreeMap<String, String>,
}

/// What the fixtures of a case give it.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    /// `{fixture.NAME}`: the folder of each.
    pub places: Places,
    /// Their environment variables.
    pub env: BTreeMap<String, String>,
}

/// What became of one fixture's setting up or tearing down.
pub struct Done {
    /// The fixture.
    pub name: String,
    /// Why it did not work.
    pub error: Option<String>,
}

impl<'a> Fixtures<'a> {
    /// Of `suite`; nothing is set up yet.
    #[must_use]
    pub fn new(suite: &'a Suite) -> Fixtures<'a> {
        Fixtures { suite, live: Vec::new() }
    }

    /// The names of what `wanted` and the fixtures that every case has need, in the
    /// order in which it is set up.
    #[must_use]
    pub fn order(&self, wanted: &[&str]) -> Vec<&'a str> {
        let all = &self.suite.body.fixture;
        let automatic = all.iter().filter(|(_, def)| def.get_ref().autouse).map(|(name, _)| name);
        let mut order = Vec::new();
        for name in automatic.map(String::as_str).chain(wanted.iter().copied()) {
            self.follow(name, &mut order);
        }
        // Stable: what others need stays before them, as a wider scope never needs a
        // narrower one.
        order.sort_by_key(|(_, scope)| *scope);
        order.into_iter().map(|(name, _)| name).collect()
    }

    /// Puts `name` behind what it needs. The suite was checked: there are no circles.
    fn follow(&self, name: &str, order: &mut Vec<(&'a str, Scope)>) {
        let Some((name, def)) = self.suite.body.fixture.get_key_value(name) else { return };
        if order.iter().any(|(known, _)| known == name) {
            return;
        }
        for needed in &def.get_ref().fixtures {
            self.follow(needed.get_ref(), order);
        }
        order.push((name, def.get_ref().scope));
    }

    /// The first of `order` that is not set up yet.
    #[must_use]
    pub fn missing(&self, order: &[&'a str]) -> Option<&'a str> {
        order.iter().find(|name| !self.live.iter().any(|live| live.name == **name)).copied()
    }

    /// Sets up `name`, for which `places` are known.
    pub fn set_up(&mut self, name: &str, places: &Places, interrupts: &Interrupts) -> Done {
        let done = |error| Done { name: name.to_owned(), error };
        let Some((name, def)) = self.suite.body.fixture.get_key_value(name) else {
            return done(Some("there is no such fixture".to_owned()));
        };
        let needed = self.order(&[name]);
        match prepare(name, def.get_ref(), places, &self.ready(&needed)) {
            Ok(live) => {
                let setup = live.def.setup.as_ref();
                let error = setup.and_then(|command| live.command(command, interrupts));
                // Half set up is torn down too.
                self.live.push(live);
                done(error)
            }
            Err(error) => done(Some(error)),
        }
    }

    /// What those of `names` that are set up give.
    #[must_use]
    pub fn ready(&self, names: &[&str]) -> Ready {
        let mut ready = Ready::default();
        for live in self.live.iter().filter(|live| names.contains(&live.name)) {
            ready.places.set(&place(live.name), folder(live));
            ready.env.extend(live.env.clone());
        }
        ready
    }

    /// The last fixture that was set up for `scope` or a narrower one.
    #[must_use]
    pub fn last(&self, scope: Scope) -> Option<&'a str> {
        let last = self.live.iter().rfind(|live| live.def.scope >= scope)?;
        Some(last.name)
    }

    /// Takes `name` away.
    pub fn tear_down(&mut self, name: &str, interrupts: &Interrupts) -> Option<Done> {
        let at = self.live.iter().position(|live| live.name == name)?;
        let live = self.live.remove(at);
        let command = live.def.teardown.as_ref();
        let failed = command.and_then(|command| live.command(command, interrupts));
        let folder = live.folder.path().display().to_string();
        let left = live.folder.close().err().map(|error| format!("{folder}: {error}"));
        Some(Done { name: name.to_owned(), error: failed.or(left) })
    }
}

impl Live<'_> {
    /// Runs one of its commands; returns why it did not work.
    fn command(&self, command: &CommandDef, interrupts: &Interrupts) -> Option<String> {
        let around = Around {
            places: &self.places,
            env: &self.env,
            folder: &self.def.folder,
            timeout: self.def.timeout.map_or(TIMEOUT, |span| span.0),
        };
        let Came { observed, error, .. } = case::run_command(command, &around, interrupts);
        let program = command.argv.first().map(String::as_str).unwrap_or_default();
        let said = || {
            let text = observed.stderr.as_deref().unwrap_or_default();
            let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            if last.is_empty() { String::new() } else { format!(": {}", pipe::printable(last)) }
        };
        match (error, observed.exit) {
            (Some(error), _) => Some(error.message),
            (None, Some(0)) => None,
            (None, Some(code)) => Some(format!("{program} ended with exit code {code}{}", said())),
            (None, None) => Some(format!("{program} was ended by a signal{}", said())),
        }
    }
}

/// Makes the folder of a fixture and all in it.
fn prepare<'a>(
    name: &'a str,
    def: &'a FixtureDef,
    known: &Places,
    others: &Ready,
) -> Result<Live<'a>, String> {
    let at = |error: io::Error| error.to_string();
    let temporary = tempfile::Builder::new().prefix("runner-fixture-").tempdir().map_err(at)?;
    let root = temporary.path();
    for (file, text) in &def.files {
        let path = root.join(inside(file)?);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written.and_then(|()| fs::write(&path, text)).map_err(|e| format!("{file}: {e}"))?;
    }
    for source in &def.copy {
        let from = def.folder.join(source);
        let to = root.join(from.file_name().ok_or_else(|| format!("{source} names no file"))?);
        copy(&from, &to).map_err(|error| format!("cannot copy {source}: {error}"))?;
    }
    let mut places = known.clone();
    places.add(&others.places);
    let mut live = Live { name, def, folder: temporary, places, env: others.env.clone() };
    let own = folder(&live);
    live.places.set(&place(name), own);
    for (variable, text) in &def.env {
        let filled = Template::parse(text)
            .and_then(|text| text.fill(&live.places, |name| std::env::var(name).ok()))
            .map_err(|error| format!("env {variable}: {error}"))?;
        live.env.insert(variable.clone(), filled.real);
    }
    Ok(live)
}

fn place(name: &str) -> String {
    format!("fixture.{name}")
}

fn folder(live: &Live<'_>) -> String {
    live.folder.path().to_string_lossy().into_owned()
}

/// `name` as a path that stays inside the folder.
fn inside(name: &str) -> Result<&Path, String> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && !name.is_empty() {
        Ok(path)
    } else {
        Err(format!("{name:?} is no path inside the fixture's folder"))
    }
}

/// Copies a file, or a folder with all in it; what links lead to is copied, too.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let into = to.parent().map(fs::canonicalize).transpose()?.unwrap_or_default();
    // The folder that is copied to counts as seen: it would be copied into itself.
    copy_below(from, to, &mut into.ancestors().map(Path::to_path_buf).collect())
}

/// Copies `from`, which lies in the folders `above`: one of these would have no end.
fn copy_below(from: &Path, to: &Path, above: &mut Vec<PathBuf>) -> io::Result<()> {
    let said = |why: &str| io::Error::other(format!("{}: {why}", from.display()));
    let there = fs::metadata(from)?;
    if there.is_file() {
        return fs::copy(from, to).map(|_| ());
    }
    if !there.is_dir() {
        return Err(said("is neither a file nor a folder"));
    }
    let real = fs::canonicalize(from)?;
    if above.contains(&real) {
        return Err(said("leads back to a folder that it lies in"));
    }
    above.push(real);
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_below(&entry.path(), &to.join(entry.file_name()), above)?;
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Fixtures;
    use crate::{
        interrupt::Interrupts,
        suite::{Places, Scope, parse},
    };

    const SUITE: &str = r#"
suite = 1
[fixture.whole]
scope = "run"
files = { "a/b.txt" = "hello" }
env = { GREETING = "{fixture.whole}/a" }
[fixture.model]
scope = "model"
fixtures = ["whole"]
setup = { argv = ["sh", "-c", "cp $GREETING/b.txt {fixture.model}/c.txt"] }
[fixture.case]
fixtures = ["model"]
setup = { argv = ["sh", "-c", "echo no >&2; exit 3"] }
teardown = { argv = ["sh", "-c", "echo gone > {fixture.whole}/gone"] }
[fixture.auto]
autouse = true
[fixture.bad]
files = { "../x" = "" }
"#;

    #[test]
    fn fixtures_are_set_up_with_what_they_need_and_taken_away_in_reverse() {
        let suite = parse("s.toml", SUITE).unwrap();
        let mut fixtures = Fixtures::new(&suite);
        let order = fixtures.order(&["case"]);
        assert_eq!(order, ["whole", "model", "auto", "case"]);
        let interrupts = Interrupts::default();
        let mut said = Vec::new();
        while let Some(name) = fixtures.missing(&order) {
            let done = fixtures.set_up(name, &Places::default(), &interrupts);
            said.push((done.name, done.error));
        }
        let error = Some("sh ended with exit code 3: no".to_owned());
        assert_eq!(said.last(), Some(&("case".to_owned(), error)));
        assert!(said[..3].iter().all(|(_, error)| error.is_none()), "{said:?}");

        let ready = fixtures.ready(&order);
        let whole = ready.places.get("fixture.whole").unwrap().to_owned();
        let model = ready.places.get("fixture.model").unwrap().to_owned();
        assert_eq!(ready.env["GREETING"], format!("{whole}/a"));
        assert_eq!(std::fs::read_to_string(format!("{model}/c.txt")).unwrap(), "hello");

        let mut gone = Vec::new();
        while let Some(name) = fixtures.last(Scope::Case) {
            gone.push(fixtures.tear_down(name, &interrupts).unwrap().name);
        }
        assert_eq!(gone, ["case", "auto"]);
        assert!(Path::new(&whole).join("gone").exists(), "the half set up is torn down too");
        while let Some(name) = fixtures.last(Scope::Run) {
            fixtures.tear_down(name, &interrupts).unwrap();
        }
        assert!(!Path::new(&whole).exists() && !Path::new(&model).exists());
    }

    #[test]
    fn a_folder_is_copied_with_what_its_links_lead_to_and_never_without_end() {
        use std::{fs, os::unix::fs::symlink};

        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("blob"), "x").unwrap();
        symlink("../blob", from.join("sub/link")).unwrap();
        super::copy(&from, &to).unwrap();
        assert!(fs::symlink_metadata(to.join("sub/link")).unwrap().is_file());

        symlink("..", from.join("sub/up")).unwrap();
        let error = super::copy(&from, &dir.path().join("again")).unwrap_err().to_string();
        assert!(error.ends_with("sub/up: leads back to a folder that it lies in"), "{error}");
        let error = super::copy(dir.path(), &to.join("all")).unwrap_err().to_string();
        assert!(error.contains("leads back"), "{error}");
        let error = super::copy(std::path::Path::new("/dev/null"), &to.join("n")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/null: is neither a file nor a folder");
    }

    #[test]
    fn files_of_a_fixture_stay_inside_its_folder() {
        let suite = parse("s.toml", SUITE).unwrap();
        let done = Fixtures::new(&suite).set_up("bad", &Places::default(), &Interrupts::default());
        assert!(done.error.unwrap().contains("no path inside"));
    }
}
