//! Which cells are run: ids, `-k`, `-m`, `--backend`, `--model` and `--shard`.

mod args;
mod expression;
mod ids;
mod last;
mod pattern;
mod shard;

pub use args::{Asked, SelectArgs};
pub use expression::Expression;
pub use ids::{Ids, Named};
pub use last::by_last;
pub use pattern::{Names, Pattern};
pub use shard::{Shard, Share, Unit};

/// More repetitions than this are nobody's intention.
pub const MOST_REPEATS: u32 = 10_000;

/// What was asked for. Everything given must agree.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `-k`: words looked for in the id, whatever the case of the letters.
    pub keywords: Option<Expression>,
    /// `-m`: marks.
    pub marks: Option<Expression>,
    /// `SUITE::CASE` or `SUITE::CASE[params]`.
    pub ids: Ids,
    /// `--backend`.
    pub backends: Names,
    /// `--model`.
    pub models: Names,
    /// `--repeat`: how often each cell runs, with an axis `repeat`.
    pub repeat: Option<u32>,
}

impl Selection {
    /// Whether cells on that backend with that model are wanted; `None` is a command that
    /// runs by itself.
    #[must_use]
    pub fn wants_on(&self, on: Option<(&str, &str)>) -> bool {
        match on {
            Some((backend, model)) => {
                (self.backends.is_empty() || self.backends.matches(backend))
                    && (self.models.is_empty() || self.models.matches(model))
            }
            None => self.backends.is_empty() && self.models.is_empty(),
        }
    }

    /// Whether a case with these marks is wanted.
    #[must_use]
    pub fn wants_marks(&self, marks: &[&str]) -> bool {
        self.marks.as_ref().is_none_or(|e| e.holds(&|word| marks.contains(&word)))
    }

    /// Whether the cell with that id of that case is wanted.
    #[must_use]
    pub fn wants(&self, id: &str, case: &str) -> bool {
        let rest = || id.split_once("::").map_or(id, |(_, rest)| rest);
        self.ids.want(Named { id: rest(), case })
            && self.keywords.as_ref().is_none_or(|e| {
                let lower = id.to_lowercase();
                e.holds(&|word| lower.contains(&word.to_lowercase()))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Ids, Names, Selection};

    const ID: &str = "smoke::chat[llama,smollm2-135m]";

    fn wants(selection: &Selection) -> bool {
        selection.wants(ID, "chat")
            && selection.wants_marks(&["fast"])
            && selection.wants_on(Some(("llama", "smollm2-135m")))
    }

    #[test]
    fn everything_that_is_given_must_agree() {
        let select = |k: Option<&str>, m: Option<&str>, ids: &[&str], model: &str| Selection {
            keywords: k.map(|text| Expression::parse(text).unwrap()),
            marks: m.map(|text| Expression::parse(text).unwrap()),
            ids: Ids::new(ids.iter().map(|&id| id.to_owned()).collect()),
            models: Names::new(&[model.to_owned()]),
            ..Selection::default()
        };
        assert!(wants(&select(None, None, &[], "")));
        assert!(wants(&select(Some("CHAT and llama"), Some("fast"), &["chat"], "smol*")));
        assert!(wants(&select(None, None, &["other", "chat[llama,smollm2-135m]"], "")));
        assert!(!wants(&select(None, None, &["cha"], "")));
        assert!(!wants(&select(Some("chat"), Some("slow"), &[], "")));
        assert!(!wants(&select(None, Some("fas"), &[], "")), "marks match whole");
        assert!(!wants(&select(None, None, &["chat"], "qwen")));
        assert!(!select(None, None, &[], "smol*").wants_on(None), "it is on no model");
    }
}
