//! A share of a run for one of several machines: `--shard 2/8`, `--shard auto/8`.

use std::{cmp::Reverse, collections::HashMap, fmt, str::FromStr};

/// More shares than this are nobody's intention.
const MOST: usize = 100_000;

/// Which share of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0; nothing when the scheduler says it.
    index: Option<usize>,
    /// How many shares there are.
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let form = || format!("{text:?} is no share; write 1/4 for the first of four, or auto/4");
        let (index, count) = text.split_once('/').ok_or_else(form)?;
        let count: usize = count.parse().map_err(|_| form())?;
        if count == 0 || count > MOST {
            return Err(format!("{count} shares: between 1 and {MOST}"));
        }
        let index = match index {
            "auto" => None,
            number => Some(number.parse::<usize>().map_err(|_| form())?),
        };
        match index {
            Some(0) => Err("shares count from 1: the first is 1/N".to_owned()),
            Some(i) if i > count => Err(format!("there is no share {i} of {count}")),
            index => Ok(Shard { index: index.map(|i| i - 1), count }),
        }
    }
}

/// A share that is known: its index from 0, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index + 1, self.count)
    }
}

impl Shard {
    /// Which share it is, where `variable` reads what the scheduler set.
    ///
    /// # Errors
    ///
    /// When no scheduler, or more than one, says which; with a sentence.
    pub fn share(self, variable: impl Fn(&str) -> Option<String>) -> Result<Share, String> {
        let index = match self.index {
            Some(index) => index,
            None => scheduled(variable, self.count)?,
        };
        Ok(Share { index, count: self.count })
    }
}

/// The index that a scheduler gives to this process, from 0.
fn scheduled(variable: impl Fn(&str) -> Option<String>, count: usize) -> Result<usize, String> {
    let number = |name: &str| -> Result<Option<usize>, String> {
        let Some(text) = variable(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let number = text.trim().parse();
        number.map(Some).map_err(|_| format!("--shard auto: {name} = {text:?} is no number"))
    };
    // Kubernetes counts from 0; a Slurm array from wherever its user began, in steps;
    // GNU parallel from 1.
    let of_slurm = || -> Result<Option<usize>, String> {
        let Some(id) = number("SLURM_ARRAY_TASK_ID")? else { return Ok(None) };
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        Ok(Some(id.saturating_sub(first) / step))
    };
    let found = [
        ("JOB_COMPLETION_INDEX", number("JOB_COMPLETION_INDEX")?),
        ("SLURM_ARRAY_TASK_ID", of_slurm()?),
        ("PARALLEL_SEQ", number("PARALLEL_SEQ")?.map(|n| n.saturating_sub(1))),
    ];
    let mut found = found.into_iter().filter_map(|(name, index)| Some((name, index?)));
    match (found.next(), found.next()) {
        (Some((name, index)), None) if index >= count => {
            Err(format!("--shard auto/{count}: {name} makes this number {}", index + 1))
        }
        (Some((_, index)), None) => Ok(index),
        (Some((first, _)), Some((second, _))) => Err(format!(
            "--shard auto: {first} and {second} are both set; say which share: --shard 1/{count}"
        )),
        (None, _) => Err(format!(
            "--shard auto: no scheduler says which share this is (JOB_COMPLETION_INDEX of \
             Kubernetes, SLURM_ARRAY_TASK_ID of Slurm, PARALLEL_SEQ of GNU parallel); \
             say it: --shard 1/{count}"
        )),
    }
}

impl Share {
    /// The share of each cell, where `units` says of each what must stay together. Units
    /// with many cells are given out first, each to the share that has least, so that
    /// every machine that asks comes to the same.
    #[must_use]
    pub fn assign<'a>(count: usize, units: impl Iterator<Item = Unit<'a>>) -> Vec<usize> {
        let mut order: Vec<(Unit<'a>, usize)> = Vec::new();
        let mut known: HashMap<Unit<'a>, usize> = HashMap::new();
        let mut of_cell = Vec::new();
        for unit in units {
            let at = *known.entry(unit).or_insert_with(|| {
                order.push((unit, 0));
                order.len() - 1
            });
            order[at].1 += 1;
            of_cell.push(at);
        }
        let mut largest: Vec<usize> = (0..order.len()).collect();
        largest.sort_by_key(|at| Reverse(order[*at].1));
        // The emptiest share is on top; of several, the first.
        let mut shares: std::collections::BinaryHeap<Reverse<(usize, usize)>> =
            (0..count).map(|index| Reverse((0, index))).collect();
        let mut share_of = vec![0; order.len()];
        for at in largest {
            if let Some(Reverse((cells, index))) = shares.pop() {
                share_of[at] = index;
                shares.push(Reverse((cells + order[at].1, index)));
            }
        }
        of_cell.into_iter().map(|at| share_of[at]).collect()
    }
}

/// What must stay together in one share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit<'a> {
    /// A model's cells, on whatever backend: it lies on one machine.
    Model(&'a str),
    /// A cell without a model, by its id.
    Alone(&'a str),
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{Shard, Share, Unit};

    fn auto(variables: &[(&str, &str)]) -> Result<usize, String> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let shard: Shard = "auto/4".parse().unwrap();
        shard.share(|name| variables.get(name).map(|&v| v.to_owned())).map(|share| share.index)
    }

    #[test]
    fn shares_count_from_one() {
        let share = |text: &str| text.parse::<Shard>().unwrap().share(|_| None).unwrap();
        assert_eq!(share("1/4"), Share { index: 0, count: 4 });
        assert_eq!(share("4/4").to_string(), "shard 4 of 4");
        for (text, why) in [
            ("0/4", "the first is 1/N"),
            ("5/4", "no share 5 of 4"),
            ("1/0", "0 shares"),
            ("1", "write 1/4"),
            ("a/4", "write 1/4"),
            ("-1/4", "write 1/4"),
        ] {
            assert!(text.parse::<Shard>().unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn each_scheduler_has_a_way_of_its_own_to_count() {
        assert_eq!(auto(&[("JOB_COMPLETION_INDEX", "3")]), Ok(3));
        assert_eq!(auto(&[("SLURM_ARRAY_TASK_ID", "3")]), Ok(3));
        let from_one = [("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_MIN", "1")];
        assert_eq!(auto(&from_one), Ok(2));
        let in_steps = [
            ("SLURM_ARRAY_TASK_ID", "20"),
            ("SLURM_ARRAY_TASK_MIN", "0"),
            ("SLURM_ARRAY_TASK_STEP", "10"),
        ];
        assert_eq!(auto(&in_steps), Ok(2));
        assert_eq!(auto(&[("PARALLEL_SEQ", "1")]), Ok(0));
    }

    #[test]
    fn a_share_that_is_not_certain_is_refused() {
        for (variables, why) in [
            (&[][..], "no scheduler says"),
            (&[("JOB_COMPLETION_INDEX", "4")], "makes this number 5"),
            (&[("PARALLEL_SEQ", "x")], "is no number"),
            (&[("JOB_COMPLETION_INDEX", "1"), ("PARALLEL_SEQ", "2")], "are both set"),
        ] {
            assert!(auto(variables).unwrap_err().contains(why), "{variables:?}");
        }
    }

    proptest! {
        #[test]
        fn every_model_lies_in_one_share_and_no_share_has_too_much(
            models in prop::collection::vec(0..9usize, 0..60),
            count in 1..7usize,
        ) {
            let names: Vec<String> = (0..9).map(|n| n.to_string()).collect();
            // 0 is a cell without a model.
            let ids: Vec<String> = (0..models.len()).map(|n| format!("s::{n}")).collect();
            let units: Vec<Unit<'_>> = models
                .iter()
                .zip(&ids)
                .map(|(&m, id)| if m == 0 { Unit::Alone(id) } else { Unit::Model(&names[m]) })
                .collect();
            let shares = Share::assign(count, units.iter().copied());
            prop_assert_eq!(&shares, &Share::assign(count, units.iter().copied()));
            prop_assert_eq!(shares.len(), models.len());
            let mut of_unit = HashMap::new();
            let mut cells = vec![0usize; count];
            for (unit, share) in units.iter().zip(&shares) {
                prop_assert_eq!(*of_unit.entry(*unit).or_insert(*share), *share);
                cells[*share] += 1;
            }
            let largest = of_unit
                .keys()
                .map(|unit| units.iter().filter(|u| *u == unit).count())
                .max()
                .unwrap_or(0);
            let (most, least) = (cells.iter().max().unwrap(), cells.iter().min().unwrap());
            prop_assert!(most - least <= largest, "{:?}", cells);
        }
    }
}
