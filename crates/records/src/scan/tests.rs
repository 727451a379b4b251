//! The scanner against the full parse.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Grid, Scanned, Scanner};
use crate::{LineKind, Malformed, SERIES, Sample, Unit, Values, classify, parse};

/// What a full parse of the line gives: a sample in numbers, or what else it is.
#[derive(Debug, PartialEq)]
enum Read {
    Sample { ts: u64, seq: u64, missed: u64, origin: (String, String), values: Vec<u64> },
    Other(LineKind, Option<Malformed>),
}

fn bits(values: &Values) -> Vec<u64> {
    values.0.iter().map(|value| value.to_bits()).collect()
}

fn in_full(line: &[u8]) -> Read {
    let kind = classify(line);
    if kind != LineKind::Ours(crate::Kind::Sample) {
        return Read::Other(kind, None);
    }
    match parse::<Sample>(line) {
        Ok(sample) => Read::Sample {
            ts: sample.ts.to_bits(),
            seq: sample.seq,
            missed: sample.missed.unwrap_or(0),
            values: bits(&Values::of(&sample)),
            origin: (sample.run, sample.host),
        },
        Err(why) => Read::Other(kind, Some(why)),
    }
}

const OTHER: &str = r#"{"record":"sample","v":1,"ts":1.5,"run":"q","host":"h","seq":9,"elapsed_s":0.5,"load_1":0.5}"#;

fn scanned(scanner: &mut Scanner, line: &[u8]) -> Read {
    // A row of another scanner, which must not be touched.
    let mut grid = Grid::default();
    Scanner::default().scan(OTHER.as_bytes(), &mut grid);
    let values = |grid: &Grid, row| Values(std::array::from_fn(|place| grid.value(place, row)));
    let other = |grid: &Grid| grid.value(crate::place("load_1"), 0) == 0.5;
    match scanner.scan(line, &mut grid) {
        Scanned::Sample(row) => {
            let origin = &scanner.origins()[row.origin];
            assert_eq!((grid.len(), other(&grid)), (2, true));
            Read::Sample {
                ts: row.ts.to_bits(),
                seq: row.seq,
                missed: row.missed,
                origin: (origin.run.clone(), origin.host.clone()),
                values: bits(&values(&grid, 1)),
            }
        }
        Scanned::Other(kind, why) => {
            assert_eq!((grid.len(), other(&grid)), (1, true));
            Read::Other(kind, why)
        }
    }
}

/// A sample with some of the fields that there are, and some that there are not.
fn sample() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        6 => (-9_999_999i64..100_000_000, 0u32..4).prop_map(|(n, d)| json!(n as f64 / 10f64.powi(d as i32))),
        4 => (0u64..400).prop_map(|n| json!(n)),
        1 => any::<f64>().prop_map(|n| json!(n)),
        1 => any::<u64>().prop_map(|n| json!(n)),
        1 => Just(Value::Null),
        1 => Just(json!("12")),
        1 => Just(json!([{"name": "a \"7\" b", "power_w": 1.5}, {"power_w": -2}])),
    ];
    let name = prop_oneof![
        10 => (0..SERIES.len()).prop_map(|place| SERIES[place].name.to_owned()),
        1 => prop::sample::select(vec!["read_us", "late_us", "missed", "gpus", "vm_stale", "v", "later", "seq"])
            .prop_map(str::to_owned),
    ];
    let fields = prop::collection::vec((name, number), 0..8);
    (any::<u32>(), 0u64..1_000_000, fields, 0..3usize).prop_map(|(seq, micros, fields, host)| {
        let ts = 1_770_000_000.0 + micros as f64 / 1e6;
        let mut line = json!({"record": "sample", "v": 1, "ts": ts, "run": "r 1.5", "host": format!("h{host}"),
                              "seq": seq, "elapsed_s": 0.25});
        line.as_object_mut().unwrap().extend(fields);
        line
    })
}

/// The text of a line, and another sample in the same words: as a sampler goes on.
fn varied(line: &Value, by: u64) -> String {
    let mut next = line.clone();
    for (key, value) in next.as_object_mut().unwrap() {
        if let (Some(n), false) = (value.as_u64(), key == "v") {
            *value = json!(n.wrapping_mul(by) >> 3);
        } else if let Some(n) = value.as_f64()
            && key != "v"
        {
            *value = json!(crate::round(n + by as f64 / 8.0, 3));
        }
    }
    next.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_line_is_read_as_a_full_parse_reads_it(
        lines in prop::collection::vec((sample(), any::<u16>()), 1..12),
        spaced in any::<bool>(),
    ) {
        let mut scanner = Scanner::default();
        // Twice: then shapes that are known take turns.
        for (line, by) in lines.iter().chain(&lines) {
            for text in [line.to_string(), varied(line, (*by).into()), line.to_string()] {
                let text = if spaced { text.replace(':', ": ").replace(',', ", ") } else { text };
                prop_assert_eq!(scanned(&mut scanner, text.as_bytes()), in_full(text.as_bytes()), "{}", text);
            }
        }
    }

    #[test]
    fn a_known_line_with_any_bytes_changed_is_read_as_a_full_parse_reads_it(
        line in sample(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![
                prop::sample::select(b"0123456789.-+eE,:{}[]\"\\ nN".to_vec()), any::<u8>()
            ], any::<bool>()),
            1..4,
        ),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let text = line.to_string();
        let mut scanner = Scanner::default();
        scanner.scan(text.as_bytes(), &mut Grid::default());
        let mut bytes = text.into_bytes();
        for (place, byte, insert) in changes {
            let at = place.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        prop_assert_eq!(scanned(&mut scanner, &bytes), in_full(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn lines_that_look_alike_are_not_parsed_in_full() {
    let line = |seq: u64, load: f64| {
        format!(
            r#"{{"record":"sample","v":1,"ts":1770000000.25,"run":"r","host":"h","seq":{seq},"elapsed_s":{load},"load_1":{load}}}"#
        )
    };
    let mut scanner = Scanner::default();
    let mut grid = Grid::default();
    assert!(scanner.scan_alike(line(0, 0.5).as_bytes(), &mut grid).is_none());
    scanner.scan(line(0, 0.5).as_bytes(), &mut grid);
    let row = scanner.scan_alike(line(70, 12.25).as_bytes(), &mut grid).unwrap();
    let load = |row| grid.value(crate::place("load_1"), row);
    assert_eq!((row.seq, grid.len(), load(0), load(1)), (70, 2, 0.5, 12.25));
    assert!(scanner.scan_alike(line(1, 1e300).as_bytes(), &mut grid).is_none());
}

#[test]
fn where_shapes_take_turns_no_value_of_the_other_one_is_left() {
    let line = |seq: u64, slow: &str| {
        format!(
            r#"{{"record":"sample","v":1,"ts":1770000000.25,"run":"r","host":"h","seq":{seq},"elapsed_s":{seq},"load_1":{seq}.5,{slow}"zombies":0}}"#
        )
    };
    let (mut scanner, mut grid) = (Scanner::default(), Grid::default());
    let lines = (0..20).map(|n| line(n, if n % 5 == 0 { r#""load_5":0.75,"# } else { "" }));
    for (n, line) in lines.enumerate() {
        let is_known = n != 0 && n != 1;
        assert_eq!(scanner.scan_alike(line.as_bytes(), &mut grid).is_some(), is_known, "{n}");
        if !is_known {
            scanner.scan(line.as_bytes(), &mut grid);
        }
        let value = |name| Some(grid.value(crate::place(name), n)).filter(|value| !value.is_nan());
        assert_eq!(value("load_1"), Some(n as f64 + 0.5));
        assert_eq!(value("load_5"), (n % 5 == 0).then_some(0.75));
        assert_eq!(value("zombies"), Some(0.0));
    }
}

#[test]
fn a_key_spelled_with_escapes_is_no_model_for_others() {
    let line =
        r#"{"record":"sample","v":1,"\u0074s":5.5,"run":"r","host":"h","seq":1,"elapsed_s":0}"#;
    let mut scanner = Scanner::default();
    for _ in 0..2 {
        assert_eq!(scanned(&mut scanner, line.as_bytes()), in_full(line.as_bytes()));
    }
    assert!(scanner.shapes.is_empty());
}

#[test]
fn the_shapes_that_are_remembered_are_limited() {
    let mut scanner = Scanner::default();
    for host in 0..100 {
        let line = format!(
            r#"{{"record":"sample","v":1,"ts":5.5,"run":"r","host":"h{host}","seq":1,"elapsed_s":0}}"#
        );
        scanner.scan(line.as_bytes(), &mut Grid::default());
    }
    assert_eq!((scanner.shapes.len(), scanner.origins().len()), (super::SHAPES, 100));
}

#[test]
fn the_units_of_a_series_tell_which_numbers_it_may_have() {
    for series in SERIES {
        let accepts = |value: &str| {
            let line = format!(
                r#"{{"record":"sample","v":1,"ts":1,"run":"r","host":"h","seq":0,"elapsed_s":0,"{}":{value}}}"#,
                series.name
            );
            parse::<Sample>(line.as_bytes()).is_ok()
        };
        let most = match series.unit {
            Unit::Level => u64::from(u8::MAX),
            Unit::Count => u64::from(u32::MAX),
            _ => {
                assert!(accepts("-0.5") && accepts("18446744073709551616"), "{}", series.name);
                continue;
            }
        };
        assert!(accepts(&most.to_string()) && !accepts(&(most + 1).to_string()), "{}", series.name);
        assert!(!accepts("0.5") && !accepts("-1"), "{}", series.name);
    }
}
