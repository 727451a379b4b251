//! Each rule of the join, with numbers that can be checked by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use correlate::{Samples, Window, resources};
use records::{Origin, Resources, Sample, SeriesStats};

/// A sample at `ts` with free memory (a gauge) and CPU (a rate).
fn sample(ts: f64, ram: Option<f64>, cpu: Option<f64>) -> Sample {
    let mut sample = Sample::at(ts, &Origin::default());
    sample.ram_free_gb = ram;
    sample.cpu_user = cpu;
    sample
}

/// Samples at the whole seconds 0 to `values.len()`, of both series the same value.
fn every_second(values: &[f64]) -> Samples {
    at(&(0..).zip(values).map(|(ts, v)| (f64::from(ts), *v)).collect::<Vec<_>>())
}

fn at(points: &[(f64, f64)]) -> Samples {
    let mut samples = Samples::default();
    for (ts, value) in points {
        samples.push(&sample(*ts, Some(*value), Some(*value)));
    }
    samples
}

fn join(samples: &Samples, start: f64, end: f64) -> Resources {
    resources(samples, window(start, end), Some(1.0)).unwrap()
}

fn window(start: f64, end: f64) -> Window {
    Window::new(start, Some(end), None).unwrap()
}

fn ram(resources: &Resources) -> SeriesStats {
    resources.series["ram_free_gb"]
}

fn cpu(resources: &Resources) -> SeriesStats {
    resources.series["cpu_user"]
}

#[test]
fn the_window_has_its_start_and_not_its_end() {
    let found = join(&every_second(&[10.0, 20.0, 30.0, 40.0, 50.0]), 1.0, 3.0);
    assert_eq!((found.samples, found.coverage, found.interval_s), (2, 1.0, Some(1.0)));
    assert_eq!(found.bracketed, None);
    let stats = ram(&found);
    assert_eq!((stats.min, stats.max, stats.p50, stats.p95), (20.0, 30.0, 25.0, 29.5));
}

#[test]
fn a_gauge_speaks_for_the_time_after_it_and_a_rate_for_the_time_before() {
    // From 1.5 to 3.5: gauge 20 for 0.5 s, 30 for 1 s, 40 for 0.5 s = 30.
    // Rate: 30 (of 1 to 2) for 0.5 s, 40 for 1 s, 50 (of 3 to 4) for 0.5 s = 40.
    let found = join(&every_second(&[10.0, 20.0, 30.0, 40.0, 50.0]), 1.5, 3.5);
    assert_eq!(found.samples, 2);
    assert_eq!((ram(&found).mean, cpu(&found).mean), (Some(30.0), Some(40.0)));
    assert_eq!((cpu(&found).min, cpu(&found).max), (30.0, 40.0));
}

#[test]
fn delta_is_the_value_after_less_the_value_before_and_of_gauges_only() {
    let samples = every_second(&[10.0, 20.0, 35.0, 40.0]);
    let delta = |start, end| ram(&join(&samples, start, end)).delta;
    assert_eq!(delta(0.5, 1.5), Some(25.0));
    assert_eq!(delta(1.0, 2.0), Some(15.0));
    // Nothing before or after: the first or the last one inside stands in.
    assert_eq!(delta(-0.5, 1.5), Some(25.0));
    assert_eq!(delta(1.5, 3.5), Some(20.0));
    // One value is no change.
    assert_eq!(delta(2.5, 3.5), Some(5.0));
    assert_eq!(ram(&join(&every_second(&[10.0]), -0.5, 0.5)).delta, None);
    assert_eq!(cpu(&join(&samples, 0.5, 1.5)).delta, None);
}

#[test]
fn in_a_gap_a_gauge_holds_for_one_interval_and_a_rate_covers_one() {
    // 4 s between samples at an interval of 1 s: more than three, a gap.
    let samples = at(&[(0.0, 10.0), (1.0, 20.0), (5.0, 30.0), (6.0, 40.0)]);
    let found = join(&samples, 0.0, 6.0);
    // Gauges: 10 on [0,1), 20 on [1,2), 30 on [5,6). Rates: 20 on [0,1), 30 on [4,5), 40 on [5,6).
    assert_eq!(found.coverage, 0.5);
    assert_eq!((ram(&found).mean, cpu(&found).mean), (Some(20.0), Some(30.0)));
    // Exactly three intervals are none.
    let samples = at(&[(0.0, 10.0), (3.0, 20.0)]);
    assert_eq!(join(&samples, 0.0, 3.0).coverage, 1.0);
}

#[test]
fn before_the_first_and_after_the_last_sample_nothing_is_covered_but_an_interval() {
    let samples = every_second(&[10.0, 20.0]);
    let found = join(&samples, -4.0, 6.0);
    // Gauges on [0,2), rates on [-1,1).
    assert_eq!((found.samples, found.coverage), (2, 0.2));
    assert_eq!((ram(&found).mean, cpu(&found).mean), (Some(15.0), Some(15.0)));
}

#[test]
fn a_window_between_two_samples_takes_them_and_says_so() {
    let found = join(&every_second(&[10.0, 20.0, 30.0]), 1.25, 1.75);
    assert_eq!((found.samples, found.coverage, found.bracketed), (0, 1.0, Some(true)));
    let stats = ram(&found);
    assert_eq!((stats.min, stats.p50, stats.max), (20.0, 25.0, 30.0));
    assert_eq!((stats.mean, stats.delta), (Some(20.0), Some(10.0)));
    assert_eq!(cpu(&found).mean, Some(30.0));
}

#[test]
fn a_moment_is_bracketed_and_has_no_mean() {
    let samples = every_second(&[10.0, 20.0, 30.0]);
    let found = join(&samples, 1.5, 1.5);
    assert_eq!((found.samples, found.coverage, found.bracketed), (0, 1.0, Some(true)));
    assert_eq!((ram(&found).min, ram(&found).mean, ram(&found).delta), (20.0, None, Some(10.0)));
    // On a sample that one is both the one before and the one after.
    let found = join(&samples, 1.0, 1.0);
    assert_eq!((ram(&found).min, ram(&found).max, ram(&found).delta), (20.0, 20.0, None));
    assert_eq!(found.coverage, 1.0);
}

#[test]
fn far_outside_of_what_was_sampled_there_are_no_figures() {
    let samples = every_second(&[10.0, 20.0, 30.0]);
    for (start, end) in [(-9.0, -8.0), (8.0, 9.0), (8.0, 8.0)] {
        let found = join(&samples, start, end);
        assert_eq!((found.samples, found.coverage, found.bracketed), (0, 0.0, None));
        assert!(found.series.is_empty(), "{found:?}");
    }
    // Near it the one sample counts, for as long as it holds.
    let found = join(&samples, 2.5, 4.5);
    assert_eq!((found.bracketed, found.coverage), (Some(true), 0.25));
    assert_eq!((ram(&found).min, ram(&found).mean), (30.0, Some(30.0)));
    assert_eq!(cpu(&found).mean, None);
}

#[test]
fn a_gauge_holds_over_samples_that_lack_it_for_three_seconds_at_most() {
    let mut samples = Samples::default();
    for tenth in 0..100 {
        let ram = (tenth == 0 || tenth == 10).then_some(f64::from(tenth) + 10.0);
        samples.push(&sample(f64::from(tenth) / 10.0, ram, None));
    }
    let join = |start, end| resources(&samples, window(start, end), Some(0.1)).unwrap();
    // 10 until 1.0, then 20: half and half of [0.5, 1.5).
    let found = join(0.5, 1.5);
    assert_eq!((ram(&found).mean, ram(&found).min, ram(&found).max), (Some(15.0), 20.0, 20.0));
    // 20 from 1 to 4 and then no more: not a second of [1, 9) is made up.
    assert_eq!(ram(&join(1.0, 9.0)).mean, Some(20.0));
    // No value inside: not measured, whatever the neighbours say.
    assert!(join(1.5, 2.5).series.is_empty());
    assert_eq!(join(1.5, 2.5).samples, 10);
}

#[test]
fn a_rate_that_a_sample_lacks_is_not_guessed() {
    let mut samples = Samples::default();
    for (ts, cpu) in [(0.0, None), (1.0, Some(10.0)), (2.0, None), (3.0, Some(40.0))] {
        samples.push(&sample(ts, None, cpu));
    }
    // 10 on [0,1) and 40 on [2,3); [1,2) is not known.
    assert_eq!(cpu(&join(&samples, 0.0, 3.0)).mean, Some(25.0));
    assert_eq!(cpu(&join(&samples, 0.5, 3.0)).mean, Some(30.0));
}

#[test]
fn without_a_nominal_interval_the_median_around_the_window_is_taken() {
    // Ten samples a second apart, a hole of ten seconds, ten more.
    let times = (0..10).chain(20..30).map(|ts| (f64::from(ts), 1.0)).collect::<Vec<_>>();
    let samples = at(&times);
    let found = resources(&samples, window(9.0, 20.0), None).unwrap();
    // The hole is seen as one even by a window that looks at little else.
    assert_eq!((found.samples, found.coverage), (1, round4(1.0 / 11.0)));
    assert_eq!(resources(&at(&[(5.0, 1.0)]), window(4.0, 6.0), None).unwrap(), {
        // A single sample has no interval, and speaks for no time.
        let stats = SeriesStats { min: 1.0, p50: 1.0, p95: 1.0, max: 1.0, ..Default::default() };
        let mut found = Resources { samples: 1, ..Resources::default() };
        found.series.insert("ram_free_gb".into(), stats);
        found.series.insert("cpu_user".into(), stats);
        found
    });
}

#[test]
fn figures_have_one_decimal_more_than_the_samples() {
    // Gauges (1 + 2 + 4 · 0.9) / 2.9; rates (2 · 0.5 + 4) / 1.5.
    let samples = every_second(&[1.0, 2.0, 4.0]);
    assert_eq!(ram(&join(&samples, 0.0, 2.9)).mean, Some(2.2759));
    assert_eq!(cpu(&join(&samples, 0.5, 2.5)).mean, Some(3.33));
}

fn round4(value: f64) -> f64 {
    records::round(value, 4)
}
