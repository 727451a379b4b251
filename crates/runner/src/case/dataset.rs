//! Questions with answers: a request and its expectations, once for each row of a file.

use std::path::Path;

use toml::Value;

use crate::{
    expect::Expectation,
    random::Random,
    suite::{CaseDef, Dataset, RequestDef, check_request, dataset::lines, substitute},
};

/// One row: what is asked, and what must hold of the answer to it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its line in the file, from 1.
    pub(crate) line: usize,
    pub(crate) request: RequestDef,
    pub(crate) expectations: Vec<Expectation>,
}

/// The rows of `dataset` that are asked, in the order of the file unless they are
/// shuffled, with `{key}` in the texts of the case replaced. `stated` are the expectations
/// of each row, with what they are where they have no placeholder.
pub(super) fn rows(
    dataset: &Dataset,
    case: &CaseDef,
    stated: &[(&Value, Result<Expectation, String>)],
    folder: &Path,
    seed: u64,
) -> Result<Vec<Row>, String> {
    let file = &dataset.file;
    let request = case.request.as_ref().ok_or("dataset: the case sends no request")?;
    let path = folder.join(file);
    let said = |error: String| format!("dataset {error}");
    let mut lines = lines(&path).map_err(said)?.collect::<Result<Vec<_>, _>>().map_err(said)?;
    if dataset.shuffle {
        shuffle(&mut lines, seed);
    }
    if let Some(n) = dataset.n {
        if n > lines.len() {
            return Err(format!("dataset {file}: n is {n}, and there are {} rows", lines.len()));
        }
        lines.truncate(n);
    }
    if lines.is_empty() {
        return Err(format!("dataset {file}: there are no rows"));
    }
    let template = Value::try_from(request).map_err(|error| error.to_string())?;
    let mut used = false;
    let rows = lines.into_iter().map(|(line, row)| {
        let at = |error: String| format!("dataset {file}:{line}: {error}");
        let known = |name: &str| row.get(name).and_then(to_toml);
        let filled = substitute(&template, &known);
        used |= filled != template;
        // Where a text is wanted, a number is one.
        let as_text = || substitute(&template, &|name| known(name).map(to_text));
        let request: RequestDef = filled
            .try_into()
            .or_else(|_| as_text().try_into())
            .map_err(|error: toml::de::Error| at(error.message().to_owned()))?;
        check_request(&request, folder).map_err(at)?;
        let expectations = stated.iter().map(|(stated, common)| {
            let filled = substitute(stated, &known);
            // Most have no placeholder: those are compiled once.
            match filled == **stated {
                true => common.clone().map_err(at),
                false => Expectation::from_toml(&filled, folder)
                    .map_err(|error| at(format!("expect: {error}"))),
            }
        });
        let own = expectations.collect::<Result<Vec<_>, _>>()?;
        Ok(Row { line, request, expectations: own })
    });
    let rows = rows.collect::<Result<Vec<Row>, String>>()?;
    if !used {
        return Err(format!(
            "dataset {file}: the request is the same for every row; write {{key}} for what a row gives"
        ));
    }
    Ok(rows)
}

/// JSON as TOML; it has no null.
fn to_toml(value: &serde_json::Value) -> Option<Value> {
    Value::try_from(value).ok()
}

/// A number, true or false as it is written.
fn to_text(value: Value) -> Value {
    match value {
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
            Value::String(serde_json::to_string(&value).unwrap_or_default())
        }
        other => other,
    }
}

/// Fisher and Yates: the same order for the same seed on every machine.
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut random = Random::new(seed);
    for i in (1..list.len()).rev() {
        // The bias of the remainder is below 2⁻⁴⁰ for any file that fits into memory.
        let j = usize::try_from(random.next() % (i as u64 + 1)).unwrap_or(i);
        list.swap(i, j);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::shuffle;

    proptest! {
        #[test]
        fn shuffling_loses_nothing_and_depends_on_the_seed_alone(n in 0usize..60, seed in any::<u64>()) {
            let sorted: Vec<usize> = (0..n).collect();
            let (mut once, mut again) = (sorted.clone(), sorted.clone());
            shuffle(&mut once, seed);
            shuffle(&mut again, seed);
            prop_assert_eq!(&once, &again);
            once.sort_unstable();
            prop_assert_eq!(once, sorted);
        }
    }

    #[test]
    fn every_row_can_come_first() {
        let firsts = (0..200).map(|seed| {
            let mut list = [0, 1, 2, 3];
            shuffle(&mut list, seed);
            list[0]
        });
        let mut counts = [0; 4];
        firsts.for_each(|first: usize| counts[first] += 1);
        assert!(counts.iter().all(|count| *count > 25), "{counts:?}");
    }
}
