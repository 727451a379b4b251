//! Earlier runs, of which only a few numbers are kept.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use pipe::{Error, Lines, RawLine};
use records::{Kind, LineKind, Test};

use crate::{
    input::{Input, LEGACY_RUN},
    numbers::{Figure, Measured, followed, is_bad, model_of},
    run::Run,
};

/// What earlier runs came to, and this one.
#[derive(Debug, Default)]
pub struct History {
    /// The runs, the earliest first.
    pub runs: Vec<PastRun>,
    /// Files that were left out or not read whole, and why.
    pub faults: Vec<(String, String)>,
    keys: Vec<Key>,
    index: HashMap<(String, String, &'static str), usize>,
}

/// A run.
#[derive(Debug)]
pub struct PastRun {
    /// Identifies it.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// The file that it was read from; none where it is a run that the report is about.
    pub file: Option<String>,
    /// When it began, in Unix seconds.
    pub start: f64,
    /// How many results it has.
    pub tests: u64,
    /// How many of them count against it.
    pub bad: u64,
    /// Seconds of all tests together, of those that say how long they took.
    pub time_s: Option<f64>,
    suites: BTreeSet<String>,
    values: Vec<(usize, f64)>,
}

/// What is followed.
#[derive(Debug)]
pub struct Key {
    /// The host.
    pub host: String,
    /// The test, with its model where its id does not name it.
    pub test: String,
    /// The figure.
    pub figure: &'static Figure,
    suite: String,
}

/// A figure over the runs.
#[derive(Debug)]
pub struct Series<'a> {
    /// What it is.
    pub key: &'a Key,
    /// For each run on the host that has a test of the suite the value, where it has one.
    pub values: Vec<Option<f64>>,
    /// Those that are there, with the number of their run.
    pub points: Vec<(usize, f64)>,
}

impl History {
    /// Reads every file below `dir` whose name ends with `.jsonl`, one at a time.
    ///
    /// # Errors
    ///
    /// When `dir` cannot be read. What is wrong with a file in it is a fault of the history.
    pub fn read(dir: &str) -> Result<History, Error> {
        let (mut history, mut paths) = (History::default(), Vec::new());
        below(Path::new(dir), &mut paths, &mut history.faults)
            .map_err(|source| Error::NoInput { path: dir.to_owned(), source })?;
        paths.sort();
        for path in paths {
            let name = path.to_string_lossy().into_owned();
            match read(&path, &name) {
                Err(why) => history.faults.push((name, why.to_string())),
                Ok((input, unread)) => {
                    let runs = input.chapters();
                    let with_results: Vec<&&Run> =
                        runs.iter().filter(|run| !run.tests.is_empty()).collect();
                    match (with_results.is_empty(), unread) {
                        (true, _) => {
                            history.faults.push((name.clone(), "skipped: no results in it".into()));
                        }
                        (false, 0) => {}
                        (false, n) => {
                            let lines = if n == 1 { "line" } else { "lines" };
                            history.faults.push((name.clone(), format!("{n} {lines} not read")));
                        }
                    }
                    with_results.iter().for_each(|run| history.add(run, Some(&name)));
                }
            }
        }
        history.sort();
        Ok(history)
    }

    /// Adds the runs that the report is about.
    pub fn add_current(&mut self, input: &Input) {
        let runs = input.chapters();
        runs.iter().filter(|run| !run.tests.is_empty()).for_each(|run| self.add(run, None));
        self.sort();
    }

    fn sort(&mut self) {
        self.runs.sort_by(|a, b| a.start.total_cmp(&b.start));
    }

    /// Takes the numbers of `run`. A run that stands in several files is counted once: as the
    /// report has it, else as the file that has most of its results.
    fn add(&mut self, run: &Run, file: Option<&str>) {
        let past = self.past(run, file);
        let same = |other: &PastRun| {
            let named = run.id != LEGACY_RUN || other.file.as_deref() == file;
            named && other.id == run.id && other.host == run.host
        };
        match self.runs.iter().position(same) {
            None => self.runs.push(past),
            Some(at) if file.is_none() || past.tests > self.runs[at].tests => self.runs[at] = past,
            Some(_) => {}
        }
    }

    fn past(&mut self, run: &Run, file: Option<&str>) -> PastRun {
        let measured = Measured::of(&run.tests);
        let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for test in &run.tests {
            for (figure, value) in followed(test, measured.kind(test), &run.spans) {
                let at = self.key(run, test, figure);
                let (sum, n) = sums.entry(at).or_default();
                *sum += value;
                *n += 1.0;
            }
        }
        let times = run.tests.iter().filter_map(|test| test.duration_s);
        PastRun {
            id: run.id.clone(),
            host: run.host.clone(),
            file: file.map(str::to_owned),
            start: run.window().map_or(f64::NAN, |window| window.0),
            tests: run.tests.len() as u64,
            bad: run.tests.iter().filter(|test| is_bad(test)).count() as u64,
            time_s: times.reduce(|sum, time| sum + time),
            suites: run.tests.iter().map(|test| test.suite.clone()).collect(),
            values: sums.into_iter().map(|(at, (sum, n))| (at, sum / n)).collect(),
        }
    }

    fn key(&mut self, run: &Run, test: &Test, figure: &'static Figure) -> usize {
        let name = match model_of(test) {
            Some(model) if !test.id.contains(model) => format!("{} ({model})", test.id),
            _ => test.id.clone(),
        };
        let key = (run.host.clone(), name, figure.name);
        if let Some(at) = self.index.get(&key) {
            return *at;
        }
        let (host, suite) = (key.0.clone(), test.suite.clone());
        self.keys.push(Key { host, test: key.1.clone(), figure, suite });
        self.index.insert(key, self.keys.len() - 1);
        self.keys.len() - 1
    }

    /// Everything that is followed, in the order in which it came up.
    #[must_use]
    pub fn series(&self) -> Vec<Series<'_>> {
        let mut points: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.keys.len()];
        for (at, run) in self.runs.iter().enumerate() {
            run.values.iter().for_each(|(key, value)| points[*key].push((at, *value)));
        }
        let with_values = |(key, points): (_, Vec<(usize, f64)>)| {
            let mut series = Series { key, values: Vec::new(), points };
            let mut known = series.points.iter().peekable();
            for (at, run) in self.runs.iter().enumerate() {
                if run.host == series.key.host && run.suites.contains(&series.key.suite) {
                    series.values.push(known.next_if(|point| point.0 == at).map(|point| point.1));
                }
            }
            series
        };
        self.keys.iter().zip(points).map(with_values).collect()
    }
}

/// The files below `dir` that may hold runs. Links to folders are not followed.
fn below(
    dir: &Path,
    paths: &mut Vec<PathBuf>,
    faults: &mut Vec<(String, String)>,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if let Err(why) = below(&path, paths, faults) {
                faults.push((path.to_string_lossy().into_owned(), why.to_string()));
            }
        } else if path.extension().is_some_and(|ext| ext == "jsonl") {
            paths.push(path);
        }
    }
    Ok(())
}

/// What the file at `path` holds but for samples and requests, and how many lines cannot be
/// read.
fn read(path: &Path, name: &str) -> io::Result<(Input, u64)> {
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("no file"));
    }
    let mut lines = Lines::new(BufReader::new(File::open(path)?));
    let mut input = Input::new(&[name.to_owned()]);
    let mut unread = 0;
    while let Some(line) = lines.next_line()? {
        let RawLine::Whole { bytes, .. } = line else {
            unread += 1;
            continue;
        };
        let kind = records::classify(bytes);
        unread += match &kind {
            LineKind::Ours(Kind::Sample | Kind::Request | Kind::Anomaly)
            | LineKind::LegacySample
            | LineKind::Blank => 0,
            LineKind::Text | LineKind::Broken(_) => 1,
            kind => u64::from(input.line(0, kind, bytes).is_err()),
        };
    }
    Ok((input.finish(), unread))
}
