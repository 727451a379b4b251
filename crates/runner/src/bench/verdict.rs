//! Whether a measurement can be trusted: what speaks against it, in sentences.

use records::{BatchTotals, Metric, Metrics, Validity, Verdict};

use crate::health::{AT_REST_PCT, Around};

/// Fewer repetitions than this say nothing of how much they differ.
const ENOUGH: usize = 3;
/// The coefficient of variation (sd / mean) above which repetitions differ too much, in
/// percent.
const MOST_CV_PCT: f64 = 10.0;
/// Tokens of a prompt that may come from a cache that should have been passed by: a
/// template begins every prompt with the same ones, and speed is of the others.
const MOST_CACHED: u64 = 64;
/// Tokens that a prompt may have more or less than was asked for, or one in a hundred:
/// words that make it new are not always as many.
const MOST_OFF: u64 = 2;
/// The share of a depth that must have been in the cache, in percent.
const LEAST_DEPTH_PCT: f64 = 90.0;
/// The difference between our figure and the server's above which one of them is wrong, in
/// percent.
const MOST_DIFFERENCE_PCT: f64 = 5.0;
/// The CPU time that others took above which they disturbed, in percent of all cores.
const MOST_OUTSIDE_CPU_PCT: f64 = 10.0;

/// What was asked for, which is held against what came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens in the cache before it.
    pub depth: Option<u64>,
    /// Tokens of the answer, where it must have as many.
    pub completion_tokens: Option<u64>,
    /// Whether the server may answer from its cache.
    pub prompt_cache: bool,
    /// Whether the same was asked again and again, so that it should take the same time.
    pub repeated: bool,
    /// Whether answers should have the same length.
    pub alike: bool,
    /// Whether tokens are what answers have.
    pub counted: bool,
}

/// The verdict on `runs`, with the statistics of `all` of them, measured while the
/// machine was as in `around`.
pub(crate) fn verdict(runs: &[Metrics], all: &Metrics, asked: Asked, around: &Around) -> Verdict {
    let mut reasons = Vec::new();
    if runs.len() < ENOUGH {
        let n = runs.len();
        let many = if n == 1 { "" } else { "s" };
        reasons.push(format!("{n} repetition{many}: too few to tell how much they differ"));
    }
    if asked.repeated {
        reasons.extend(spread(all));
    }
    if asked.counted && all.completion_tokens.is_none() && !runs.is_empty() {
        reasons.push("the backend does not count tokens, so speed is not known".to_owned());
    }
    reasons.extend(lengths(runs, asked));
    reasons.extend(cache(runs, asked));
    reasons.extend(differences(all));
    reasons.extend(machine(around));
    of(reasons)
}

/// The verdict on a batch of `totals`, measured while the machine was as in `around`.
pub(crate) fn of_batch(totals: &BatchTotals, metrics: &Metrics, around: &Around) -> Verdict {
    let mut reasons = Vec::new();
    if let Some(late) = totals.late_sends.filter(|late| *late > 0) {
        let longest = match &metrics.late_s {
            Some(Metric::Stats(stats)) => format!(", one by {:.3} s", stats.max),
            _ => String::new(),
        };
        reasons.push(format!(
            "{late} of {} requests were sent late{longest}: so many were on their way already, \
             or this machine was busy",
            totals.requests - totals.kept
        ));
    }
    reasons.extend(machine(around));
    of(reasons)
}

fn of(reasons: Vec<String>) -> Verdict {
    let state = if reasons.is_empty() { Validity::Clean } else { Validity::Suspect };
    Verdict { state, reasons }
}

/// Repetitions that differ too much.
fn spread(all: &Metrics) -> impl Iterator<Item = String> + '_ {
    ["prompt_tps", "generation_tps", "steady_s"].into_iter().filter_map(|name| {
        let Some(Metric::Stats(stats)) = all.get(name) else { return None };
        let cv = stats.sd? / stats.mean * 100.0;
        (cv > MOST_CV_PCT)
            .then(|| format!("{name} varies by {cv:.0} % (sd / mean) over {} repetitions", stats.n))
    })
}

/// Prompts and answers of another length than was asked for.
fn lengths(runs: &[Metrics], asked: Asked) -> Vec<String> {
    let counts =
        |of: fn(&Metrics) -> Option<u64>| -> Vec<u64> { runs.iter().filter_map(of).collect() };
    let mut reasons = Vec::new();
    let prompts = counts(|run| tokens(&run.prompt_tokens));
    // A depth has a template of its own around it, which nobody can count beforehand.
    if let Some(target) = asked.prompt_tokens.filter(|_| asked.depth.unwrap_or(0) == 0) {
        let by = (target / 100).max(MOST_OFF);
        let wrong = prompts.iter().find(|n| n.abs_diff(target) > by);
        if let Some(tokens) = wrong {
            reasons.push(format!("a prompt has {tokens} tokens and not {target}"));
        }
    }
    let answers = counts(|run| tokens(&run.completion_tokens));
    let (least, most) = (answers.iter().min(), answers.iter().max());
    match (asked.completion_tokens, least, most) {
        (Some(wanted), Some(least), _) if *least < wanted => {
            let short = answers.iter().filter(|n| **n < wanted).count();
            reasons.push(format!(
                "{short} of {} answers ended before their {wanted} tokens, one after {least}",
                answers.len()
            ));
        }
        (_, Some(least), Some(most)) if asked.alike && least != most => {
            reasons.push(format!("answers have from {least} to {most} tokens"));
        }
        _ => {}
    }
    reasons
}

/// A cache that answered, or that did not where it should have.
fn cache(runs: &[Metrics], asked: Asked) -> Option<String> {
    let hits: Vec<(u64, u64)> = runs
        .iter()
        .filter_map(|run| Some((tokens(&run.cached_tokens)?, tokens(&run.prompt_tokens)?)))
        .collect();
    match asked.depth.filter(|depth| *depth > 0) {
        Some(depth) => {
            let Some(least) = hits.iter().map(|(cached, _)| *cached).min() else {
                return Some(format!(
                    "the backend does not tell whether it had the depth of {depth} in its cache"
                ));
            };
            let pct = least as f64 / depth as f64 * 100.0;
            (pct < LEAST_DEPTH_PCT)
                .then(|| format!("only {least} tokens of the depth of {depth} were in the cache"))
        }
        None if asked.prompt_cache => None,
        None => {
            let too_many =
                |(cached, prompt): &&(u64, u64)| *cached > MOST_CACHED || cached * 2 > *prompt;
            let hit: Vec<_> = hits.iter().filter(too_many).collect();
            let (cached, prompt) = hit.iter().max()?;
            Some(format!(
                "{} of {} prompts came partly from the server's cache, one {cached} of its {prompt} tokens",
                hit.len(),
                hits.len()
            ))
        }
    }
}

/// Figures that are not those of the server.
fn differences(all: &Metrics) -> impl Iterator<Item = String> + '_ {
    [("prompt_tps", "prompt_difference_pct"), ("generation_tps", "generation_difference_pct")]
        .into_iter()
        .filter_map(|(name, key)| {
            let pct = all.server.as_ref()?.get(key)?.get("median")?.as_f64()?;
            let word = if pct < 0.0 { "below" } else { "above" };
            (pct.abs() > MOST_DIFFERENCE_PCT)
                .then(|| format!("{name} is {:.0} % {word} the server's own figure", pct.abs()))
        })
}

/// A machine that had other things to do.
fn machine(around: &Around) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(pct) = around.gpu_before_pct.filter(|pct| *pct > AT_REST_PCT) {
        reasons.push(format!("the GPU was {pct:.0} % busy before"));
    }
    if let Some(pct) = around.outside_cpu_pct.filter(|pct| *pct > MOST_OUTSIDE_CPU_PCT) {
        reasons.push(format!("other programs took {pct:.0} % of all CPU time meanwhile"));
    }
    if let Some(mb) = around.swap_growth_mb.filter(|mb| *mb > around.max_swap_growth_mb) {
        reasons.push(format!("swap grew by {mb:.0} MB"));
    }
    if around.pressure.is_some_and(|pressure| pressure > probe::Pressure::Normal) {
        reasons.push("memory was under pressure".to_owned());
    }
    if let Some(level) = around.thermal_level.filter(|level| *level > 0) {
        reasons.push(format!("the machine was too hot (thermal level {level})"));
    }
    reasons
}

fn tokens(metric: &Option<Metric>) -> Option<u64> {
    metric.as_ref().map(|metric| metric.value() as u64)
}

#[cfg(test)]
mod tests {
    use records::{BatchTotals, Metric, Metrics, Stats, Validity};
    use serde_json::json;

    use super::{Asked, of_batch, verdict};
    use crate::{health::Around, measure::Pool};

    fn run(prompt: f64, completion: f64, tps: f64) -> Metrics {
        Metrics {
            prompt_tokens: Some(Metric::Number(prompt)),
            completion_tokens: Some(Metric::Number(completion)),
            generation_tps: Some(Metric::Number(tps)),
            cached_tokens: Some(Metric::Number(3.0)),
            ..Metrics::default()
        }
    }

    const ASKED: Asked = Asked {
        prompt_tokens: Some(512),
        depth: None,
        completion_tokens: Some(128),
        prompt_cache: false,
        repeated: true,
        alike: true,
        counted: true,
    };

    fn reasons(runs: &[Metrics], asked: Asked, around: &Around) -> Vec<String> {
        let mut pool = Pool::default();
        runs.iter().for_each(|run| pool.add(run, &[]));
        let verdict = verdict(runs, &pool.metrics(), asked, around);
        assert_eq!(verdict.state == Validity::Clean, verdict.reasons.is_empty());
        verdict.reasons
    }

    #[test]
    fn a_measurement_that_nothing_speaks_against_is_clean() {
        let runs = [70.0, 71.0, 70.5].map(|tps| run(512.0, 128.0, tps));
        assert_eq!(reasons(&runs, ASKED, &Around::default()), Vec::<String>::new());
    }

    #[test]
    fn what_speaks_against_it_is_said() {
        let runs = [50.0, 90.0].map(|tps| run(500.0, 128.0, tps));
        assert_eq!(
            reasons(&runs, ASKED, &Around::default()),
            [
                "2 repetitions: too few to tell how much they differ",
                "generation_tps varies by 40 % (sd / mean) over 2 repetitions",
                "a prompt has 500 tokens and not 512",
            ]
        );
        let mut runs = [12.0, 128.0, 128.0].map(|n| run(512.0, n, 70.0));
        runs[1].cached_tokens = Some(Metric::Number(500.0));
        runs[2].server = json!({"predicted_n": 101, "predicted_ms": 1000.0}).as_object().cloned();
        assert_eq!(
            reasons(&runs, ASKED, &Around::default()),
            [
                "1 of 3 answers ended before their 128 tokens, one after 12",
                "1 of 3 prompts came partly from the server's cache, one 500 of its 512 tokens",
                "generation_tps is 30 % below the server's own figure",
            ]
        );
        let around = Around {
            gpu_before_pct: Some(80.0),
            outside_cpu_pct: Some(34.4),
            swap_growth_mb: Some(250.0),
            max_swap_growth_mb: 100.0,
            pressure: Some(probe::Pressure::Warn),
            thermal_level: Some(1),
        };
        let runs = [70.0, 70.0, 70.0].map(|tps| run(512.0, 128.0, tps));
        assert_eq!(
            reasons(&runs, ASKED, &around),
            [
                "the GPU was 80 % busy before",
                "other programs took 34 % of all CPU time meanwhile",
                "swap grew by 250 MB",
                "memory was under pressure",
                "the machine was too hot (thermal level 1)",
            ]
        );
    }

    #[test]
    fn a_batch_whose_requests_were_sent_late_is_suspect() {
        let stats = Stats { max: 2.25, n: 40, ..Stats::default() };
        let metrics =
            Metrics { late_s: Some(Metric::Stats(Box::new(stats))), ..Metrics::default() };
        let said = |late_sends| {
            let totals =
                BatchTotals { requests: 50, kept: 10, late_sends, ..BatchTotals::default() };
            of_batch(&totals, &metrics, &Around::default()).reasons
        };
        assert_eq!((said(None), said(Some(0))), (Vec::new(), Vec::new()));
        let late = said(Some(7)).remove(0);
        assert!(late.starts_with("7 of 40 requests were sent late, one by 2.250 s: "), "{late}");
    }

    #[test]
    fn a_server_that_counts_no_tokens_leaves_speed_unknown() {
        let runs = [(); 3].map(|()| Metrics::default());
        let said = reasons(&runs, ASKED, &Around::default());
        assert_eq!(said, ["the backend does not count tokens, so speed is not known"]);
        // A transcription has none.
        let asked = Asked { counted: false, ..ASKED };
        assert_eq!(reasons(&runs, asked, &Around::default()), Vec::<String>::new());
    }

    #[test]
    fn a_depth_must_have_been_in_the_cache() {
        let asked = Asked { depth: Some(1000), ..ASKED };
        let of = |cached: Option<f64>| {
            let runs = [70.0, 70.0, 70.0].map(|tps| Metrics {
                cached_tokens: cached.map(Metric::Number),
                ..run(1530.0, 128.0, tps)
            });
            reasons(&runs, asked, &Around::default())
        };
        assert_eq!(of(Some(995.0)), Vec::<String>::new());
        assert_eq!(of(Some(20.0)), ["only 20 tokens of the depth of 1000 were in the cache"]);
        let unknown = "the backend does not tell whether it had the depth of 1000 in its cache";
        assert_eq!(of(None), [unknown]);
    }
}
