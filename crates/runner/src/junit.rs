//! A report in JUnit's XML, for the systems that read it.

use std::{fs, io, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use records::{Outcome, Test};

use crate::secrets::Secrets;

/// The report of one run. JUnit has no lines that can be added as they happen: it is
/// kept until the end.
#[derive(Debug)]
pub struct Junit {
    name: String,
    suite: TestSuite,
    secrets: Secrets,
    /// Earlier tries of the case that comes next.
    tries: Vec<TestRerun>,
}

impl Junit {
    /// An empty report of `suite`, to be kept clean of `secrets`.
    #[must_use]
    pub fn new(suite: &str, secrets: Secrets) -> Junit {
        Junit { name: suite.to_owned(), suite: TestSuite::new(suite), secrets, tries: Vec::new() }
    }

    /// Notes a try that another one follows.
    pub fn attempt(&mut self, test: &Test) {
        let mut rerun = TestRerun::new(kind(test.outcome));
        if let Some(reason) = &test.reason {
            rerun.set_message(self.secrets.hide(reason));
        }
        if let Some(time) = seconds(test) {
            rerun.set_time(time);
        }
        self.tries.push(rerun);
    }

    /// Adds a result. Its class is the suite, the backend and the model, by which
    /// readers group.
    pub fn add(&mut self, test: &Test) {
        let mut status = match test.outcome {
            Outcome::Passed | Outcome::Xpassed => TestCaseStatus::success(),
            Outcome::Skipped | Outcome::Xfailed => TestCaseStatus::skipped(),
            missed @ (Outcome::Failed | Outcome::Error) => {
                TestCaseStatus::non_success(kind(missed))
            }
        };
        if let Some(reason) = &test.reason {
            status.set_message(self.secrets.hide(reason));
        }
        if let Some(error) = &test.error {
            status.set_type(error.kind.as_str());
            if let Some(lines) = &error.log_tail {
                status.set_description(self.secrets.hide(&lines.join("\n")));
            }
        }
        status.add_reruns(std::mem::take(&mut self.tries));
        let name = test.id.split_once("::").map_or(test.id.as_str(), |(_, name)| name);
        let mut case = TestCase::new(name, status);
        let class = [Some(&test.suite), test.params.backend.as_ref(), test.params.model.as_ref()];
        let class: Vec<&str> = class.into_iter().flatten().map(String::as_str).collect();
        case.set_classname(class.join("."));
        if let Some(time) = seconds(test) {
            case.set_time(time);
        }
        if let Some(output) = &test.sample_output {
            case.set_system_out(self.secrets.hide(output));
        }
        self.suite.add_test_case(case);
    }

    /// Writes the report to `path`, whole or not at all where that is a file.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut report = Report::new(self.name.as_str());
        report.add_test_suite(self.suite.clone());
        let text = report.to_string().map_err(io::Error::other)?;
        if !is_replaced(path)? {
            return fs::write(path, text);
        }
        let mut fresh = beside(path)?;
        fresh.write_all(text.as_bytes())?;
        fresh.persist(path)?;
        Ok(())
    }
}

/// Whether a report can be written to `path`: before a run of hours, not after it.
///
/// # Errors
///
/// When it cannot.
pub fn can_write(path: &Path) -> io::Result<()> {
    if is_replaced(path)? {
        beside(path)?;
    }
    Ok(())
}

/// Whether a file takes the place of `path`. A device or a pipe must stay what it is.
fn is_replaced(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) => Ok(there.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A file in the folder of `path`, to be renamed. Others may read it, as far as the
/// user's mask lets them: reports are made for them.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // It says why without naming a file that nobody asked for.
    fs::metadata(folder)?;
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder)
}

fn kind(outcome: Outcome) -> NonSuccessKind {
    match outcome {
        Outcome::Failed => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    }
}

fn seconds(test: &Test) -> Option<Duration> {
    Duration::try_from_secs_f64(test.duration_s?).ok()
}

#[cfg(test)]
mod tests {
    use records::{ErrorInfo, Origin, Outcome, Test};

    use super::Junit;
    use crate::secrets::Secrets;

    #[test]
    fn results_become_cases_with_their_class_reason_and_tries() {
        let mut junit = Junit::new("s", Secrets::default());
        let test = |case: &str, outcome, reason: Option<&str>| Test {
            id: format!("s::{case}[b,m]"),
            suite: "s".into(),
            case: case.into(),
            outcome,
            reason: reason.map(str::to_owned),
            duration_s: Some(1.5),
            ..Test::at(0.0, &Origin::default())
        };
        junit.add(&test("good", Outcome::Passed, None));
        junit.attempt(&test("flaky", Outcome::Failed, Some("first")));
        junit.add(&test("flaky", Outcome::Passed, None));
        let mut died = test("died", Outcome::Error, Some("<gone> & \u{1b}[31mdone"));
        died.error = Some(ErrorInfo {
            kind: "backend_died".into(),
            log_tail: Some(vec!["]]> last".into()]),
            ..ErrorInfo::default()
        });
        junit.add(&died);
        junit.add(&test("left", Outcome::Skipped, Some("no GPU")));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.xml");
        junit.write(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        for piece in [
            r#"<testsuite name="s" tests="4" skipped="1" errors="1" failures="0">"#,
            r#"<testcase name="good[b,m]" classname="s" time="1.500"/>"#,
            r#"<flakyFailure time="1.500" message="first""#,
            r#"<error message="&lt;gone&gt; &amp; done" type="backend_died">"#,
            r#"<skipped message="no GPU"/>"#,
        ] {
            assert!(text.contains(piece), "{piece}\n{text}");
        }
    }
}
