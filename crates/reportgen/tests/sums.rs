//! The tables against figures computed apart from them, over random tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::{option, prelude::*};
use records::{
    Metric, Modality, Model, Origin, Outcome, Params, Resources, SeriesStats, SystemHealth, Test,
};
use reportgen::numbers;

const OUTCOMES: [Outcome; 6] = [
    Outcome::Passed,
    Outcome::Failed,
    Outcome::Error,
    Outcome::Skipped,
    Outcome::Xfailed,
    Outcome::Xpassed,
];

prop_compose! {
    fn any_test()(
        case in 0..4u8,
        model in option::of(0..3u8),
        backend in option::of(0..2u8),
        modality in option::of(prop_oneof![Just(Modality::Text), Just(Modality::Audio)]),
        outcome in 0..6usize,
        // Whole eighths add up exactly in any order.
        eighths in option::of(0..800u32),
        tps in option::of(1..100u32),
        free in option::of(1..64u32),
        sampled in option::of((1..64u32, 0..20u32)),
    ) -> Test {
        let mut test = Test::at(1.0, &Origin::default());
        test.suite = "s".into();
        test.case = format!("c{case}");
        test.id = format!("s::c{case}");
        test.params = Params {
            backend: backend.map(|b| format!("b{b}")),
            model: model.map(|m| format!("m{m}")),
            ..Params::default()
        };
        test.model = model.map(|m| Model { id: format!("m{m}"), ..Model::default() });
        test.modality = modality;
        test.outcome = OUTCOMES[outcome];
        test.duration_s = eighths.map(|n| f64::from(n) / 8.0);
        test.metrics.generation_tps = tps.map(|n| Metric::Number(n.into()));
        test.system_health =
            free.map(|gb| SystemHealth { ram_free_gb: Some(gb.into()), ..SystemHealth::default() });
        test.resources = sampled.map(|(low, more)| {
            let stats = SeriesStats { min: low.into(), max: (low + more).into(), ..SeriesStats::default() };
            Resources { series: [("ram_free_gb".to_owned(), stats)].into(), ..Resources::default() }
        });
        test
    }
}

proptest! {
    #[test]
    fn the_rows_of_the_model_table_add_up_to_the_totals(tests in prop::collection::vec(any_test(), 0..60)) {
        let totals = numbers::totals(&tests);
        let rows = numbers::models(&tests, &[]);
        prop_assert_eq!(rows.iter().map(|row| row.counts.total()).sum::<u64>(), tests.len() as u64);
        prop_assert_eq!(totals.counts.total(), tests.len() as u64);
        prop_assert_eq!(rows.iter().map(|row| row.counts.passed).sum::<u64>(), totals.counts.passed);
        prop_assert_eq!(rows.iter().map(|row| row.counts.error).sum::<u64>(), totals.counts.error);
        prop_assert_eq!(rows.iter().filter_map(|row| row.time_s).sum::<f64>(), totals.time_s);
        prop_assert_eq!(totals.with_model + totals.without_model, tests.len() as u64);
        let without = rows.iter().filter(|row| row.key.model.is_none()).count();
        prop_assert_eq!(without, usize::from(totals.without_model > 0));
    }

    #[test]
    fn every_row_of_the_model_table_is_what_a_scan_of_its_tests_gives(
        tests in prop::collection::vec(any_test(), 0..60),
    ) {
        for row in numbers::models(&tests, &[]) {
            let mine: Vec<&Test> = tests
                .iter()
                .filter(|test| match &row.key.model {
                    None => test.model.is_none(),
                    model => {
                        test.params.model == *model
                            && test.params.backend == row.key.backend
                            && test.modality == row.key.modality
                    }
                })
                .collect();
            prop_assert_eq!(row.counts.total(), mine.len() as u64);
            let speeds: Vec<f64> = mine
                .iter()
                .filter_map(|test| test.metrics.generation_tps.as_ref().map(Metric::value))
                .collect();
            let mean = (!speeds.is_empty()).then(|| speeds.iter().sum::<f64>() / speeds.len() as f64);
            prop_assert_eq!(row.generation_tps.map(|spread| spread.mean), mean);
            let mut free: Vec<f64> = Vec::new();
            for test in &mine {
                if let Some(resources) = &test.resources {
                    free.extend([resources.series["ram_free_gb"].min, resources.series["ram_free_gb"].max]);
                } else if let Some(health) = &test.system_health {
                    free.extend(health.ram_free_gb);
                }
            }
            prop_assert_eq!(row.ram_free_gb.map(|range| range.min), free.iter().copied().reduce(f64::min));
            prop_assert_eq!(row.ram_free_gb.map(|range| range.max), free.iter().copied().reduce(f64::max));
        }
    }

    #[test]
    fn every_row_of_the_test_table_is_what_a_scan_of_its_tests_gives(
        tests in prop::collection::vec(any_test(), 0..60),
    ) {
        let mut expected: BTreeMap<(String, Option<Modality>), (u64, Vec<f64>)> = BTreeMap::new();
        for test in &tests {
            let entry = expected.entry((test.case.clone(), test.modality)).or_default();
            entry.0 += 1;
            if matches!(test.outcome, Outcome::Passed | Outcome::Xpassed) {
                entry.1.extend(test.duration_s);
            }
        }
        let rows = numbers::cases(&tests);
        prop_assert_eq!(rows.len(), expected.len());
        for row in rows {
            let (n, times) = &expected[&(row.case.to_owned(), row.modality)];
            prop_assert_eq!(row.counts.total(), *n);
            prop_assert_eq!(row.fastest.map(|f| f.1), times.iter().copied().reduce(f64::min));
            prop_assert_eq!(row.slowest.map(|s| s.1), times.iter().copied().reduce(f64::max));
            // The median by its definition: as many values above as below.
            if let Some(median) = row.median_s {
                let below = times.iter().filter(|t| **t < median).count();
                let above = times.iter().filter(|t| **t > median).count();
                prop_assert!(below <= times.len() / 2 && above <= times.len() / 2);
                prop_assert!(times.contains(&median) || times.len() % 2 == 0);
            } else {
                prop_assert!(times.is_empty());
            }
        }
    }
}
