//! How long the rest of a run will take.

use std::{collections::HashMap, time::Duration};

/// Times so far and what is left. A case that ran on one model is the best guess for the
/// same case on the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimate {
    cases: HashMap<String, Times>,
    loads: Times,
    all: Times,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    left: u64,
    done: u64,
    sum_s: f64,
}

impl Times {
    fn mean_s(&self) -> Option<f64> {
        (self.done > 0).then(|| self.sum_s / self.done as f64)
    }

    fn note(&mut self, seconds: Option<f64>) {
        self.left = self.left.saturating_sub(1);
        if let Some(seconds) = seconds {
            self.done += 1;
            self.sum_s += seconds;
        }
    }
}

impl Estimate {
    /// A case is to run once more.
    pub(super) fn expect_case(&mut self, case: &str) {
        self.cases.entry(case.to_owned()).or_default().left += 1;
        self.all.left += 1;
    }

    /// A model is to be loaded.
    pub(super) fn expect_load(&mut self) {
        self.loads.left += 1;
    }

    /// A case has its result; without a time when it did not run.
    pub(super) fn case(&mut self, case: &str, seconds: Option<f64>) {
        self.all.note(seconds);
        if let Some(times) = self.cases.get_mut(case) {
            times.note(seconds);
        }
    }

    /// A model was loaded, or could not be.
    pub(super) fn load(&mut self, seconds: Option<f64>) {
        self.loads.note(seconds);
    }

    /// What is left, the running case included; nothing before anything is known.
    pub(super) fn left(&self) -> Option<Duration> {
        let mean = self.all.mean_s()?;
        let cases: f64 = self
            .cases
            .values()
            .map(|times| times.left as f64 * times.mean_s().unwrap_or(mean))
            .sum();
        let loads = self.loads.left as f64 * self.loads.mean_s().unwrap_or_default();
        Duration::try_from_secs_f64(cases + loads).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Estimate;

    #[test]
    fn the_rest_is_guessed_from_the_same_cases_and_the_mean_of_the_others() {
        let mut estimate = Estimate::default();
        for case in ["short", "short", "long", "new"] {
            estimate.expect_case(case);
        }
        estimate.expect_load();
        estimate.expect_load();
        assert_eq!(estimate.left(), None);
        estimate.load(Some(5.0));
        estimate.case("short", Some(1.0));
        // short 1, long and new 1 each by the mean of all, a load 5.
        assert_eq!(estimate.left(), Some(Duration::from_secs(8)));
        estimate.case("long", Some(9.0));
        // short 1, new 5 by the mean of all, a load 5.
        assert_eq!(estimate.left(), Some(Duration::from_secs(11)));
        estimate.case("short", None);
        estimate.case("new", Some(1.0));
        estimate.load(None);
        assert_eq!(estimate.left(), Some(Duration::ZERO));
    }
}
