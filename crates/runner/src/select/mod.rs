//! Which cells are run: `-k`, `-m` and ids.

mod expression;
mod last;

pub use expression::Expression;
pub use last::by_last;

/// What was asked for on the command line. Everything given must agree.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `-k`: words looked for in the id, whatever the case of the letters.
    pub keywords: Option<Expression>,
    /// `-m`: marks.
    pub marks: Option<Expression>,
    /// `SUITE::CASE` or `SUITE::CASE[params]`; none means all.
    pub ids: Vec<String>,
}

impl Selection {
    /// Whether the cell with that id, case and marks is wanted. An id matches with
    /// or without its parameters.
    #[must_use]
    pub fn wants(&self, id: &str, case: &str, marks: &[String]) -> bool {
        let lower = id.to_lowercase();
        let named = |wanted: &String| match wanted.split_once('[') {
            Some(_) => id.split_once("::").is_some_and(|(_, rest)| rest == wanted),
            None => case == wanted,
        };
        (self.ids.is_empty() || self.ids.iter().any(named))
            && self
                .keywords
                .as_ref()
                .is_none_or(|e| e.holds(&|word| lower.contains(&word.to_lowercase())))
            && self
                .marks
                .as_ref()
                .is_none_or(|e| e.holds(&|word| marks.iter().any(|mark| mark == word)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Selection};

    const ID: &str = "smoke::chat[llama,smollm2-135m]";

    fn wants(selection: &Selection) -> bool {
        selection.wants(ID, "chat", &["fast".into()])
    }

    #[test]
    fn everything_that_is_given_must_agree() {
        let select = |k: Option<&str>, m: Option<&str>, ids: &[&str]| Selection {
            keywords: k.map(|text| Expression::parse(text).unwrap()),
            marks: m.map(|text| Expression::parse(text).unwrap()),
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
        };
        assert!(wants(&select(None, None, &[])));
        assert!(wants(&select(Some("CHAT and llama"), Some("fast"), &["chat"])));
        assert!(wants(&select(None, None, &["other", "chat[llama,smollm2-135m]"])));
        assert!(!wants(&select(None, None, &["chat[llama]"])));
        assert!(!wants(&select(None, None, &["cha"])));
        assert!(!wants(&select(Some("chat"), Some("slow"), &[])));
        assert!(!wants(&select(None, Some("fas"), &[])), "marks match whole");
    }
}
