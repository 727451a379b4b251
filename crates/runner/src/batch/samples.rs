//! Answers that are kept to be read.

use std::collections::BTreeMap;

use records::SampleAnswer;

use crate::suite::SamplesDef;

/// The most of an answer that is kept, in characters.
const LONGEST: usize = 2000;
/// How many of them stand in the result.
const MOST: usize = 10;

/// The beginning of `text`, if a rule of `def` names the request: number `index` of the
/// file, from 0, called `custom_id`.
pub(super) fn kept(def: &SamplesDef, index: u64, custom_id: &str, text: &str) -> Option<String> {
    let every = def.every.is_some_and(|every| every > 0 && (index + 1).is_multiple_of(every));
    let named = index < def.first || every || def.ids.0.iter().any(|id| id == custom_id);
    named.then(|| text.chars().take(LONGEST).collect())
}

/// Those that stand in the result: the first ones by their place in the file.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<u64, SampleAnswer>);

impl Samples {
    pub(super) fn add(&mut self, index: u64, custom_id: &str, text: &str) {
        // What would be the last of too many is not even copied.
        if self.0.len() == MOST && self.0.last_key_value().is_some_and(|(last, _)| *last < index) {
            return;
        }
        let sample = SampleAnswer { custom_id: custom_id.to_owned(), text: text.to_owned() };
        self.0.insert(index, sample);
        if self.0.len() > MOST {
            self.0.pop_last();
        }
    }

    pub(super) fn all(self) -> Vec<SampleAnswer> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Samples, kept};
    use crate::suite::{AnyOf, SamplesDef};

    #[test]
    fn an_answer_is_kept_that_any_rule_names() {
        let ids = AnyOf(vec!["x".to_owned()]);
        let def = SamplesDef { first: 2, every: Some(5), ids };
        let of = |index, id| kept(&def, index, id, "é text").is_some();
        let by_place: Vec<u64> = (0..12).filter(|index| of(*index, "a")).collect();
        assert_eq!(by_place, [0, 1, 4, 9], "the first two, the fifth and the tenth");
        assert!(of(7, "x"));
        let long = kept(&def, 0, "a", &"é".repeat(9000));
        assert_eq!(long.map(|text| text.chars().count()), Some(2000));
    }

    #[test]
    fn the_first_ten_of_the_file_stand_in_the_result_whenever_they_came() {
        let mut samples = Samples::default();
        (0..40).rev().step_by(2).for_each(|index| samples.add(index, &index.to_string(), "t"));
        let ids: Vec<String> = samples.all().into_iter().map(|sample| sample.custom_id).collect();
        assert_eq!(ids, ["1", "3", "5", "7", "9", "11", "13", "15", "17", "19"]);
    }
}
