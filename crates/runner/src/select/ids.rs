//! Ids as people give them: `case`, `case[llama]`, `case[lang=de,smollm2]`.

use std::collections::{HashMap, HashSet};

/// The ids that were asked for. None means all.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// As they were given, without the suite.
    given: Vec<String>,
    /// Those that may name a cell exactly.
    whole: HashSet<String>,
    /// The parameters that are asked for, by case; none of them means every cell.
    by_case: HashMap<String, Vec<Vec<String>>>,
}

/// A cell, as far as ids can name it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// What follows `suite::` in its id.
    pub id: &'a str,
    /// The case.
    pub case: &'a str,
}

impl Ids {
    /// The ids in `given`, each a case or a case with parameters in brackets.
    #[must_use]
    pub fn new(given: Vec<String>) -> Ids {
        let mut by_case: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        for id in &given {
            let (case, params) = split(id);
            by_case.entry(case.to_owned()).or_default().push(params.map(str::to_owned).collect());
        }
        Ids { whole: given.iter().cloned().collect(), by_case, given }
    }

    /// Whether none was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Whether the cell is asked for: by its whole id, or by its case and parameters that
    /// it has. A parameter is a backend, a model, `axis=value` or the value alone.
    #[must_use]
    pub fn want(&self, cell: Named<'_>) -> bool {
        if self.given.is_empty() || self.whole.contains(cell.id) {
            return true;
        }
        let Some(asked) = self.by_case.get(cell.case) else { return false };
        let has: Vec<&str> = split(cell.id).1.collect();
        let is = |param: &String| {
            has.iter()
                .any(|one| one == param || one.split_once('=').is_some_and(|(_, v)| v == param))
        };
        // Ids that name one cell were looked up already; what is left is few.
        asked.iter().filter(|params| params.len() <= has.len()).any(|params| params.iter().all(is))
    }

    /// The first id that none of `cells` is asked for by.
    pub fn unknown<'a>(&self, cells: impl Iterator<Item = Named<'a>> + Clone) -> Option<&str> {
        let there: HashSet<&str> = cells.clone().flat_map(|cell| [cell.id, cell.case]).collect();
        self.given.iter().map(String::as_str).find(|id| {
            !there.contains(id) && {
                let alone = Ids::new(vec![(*id).to_owned()]);
                !cells.clone().any(|cell| alone.want(cell))
            }
        })
    }
}

/// The case and the parameters.
fn split(id: &str) -> (&str, impl Iterator<Item = &str>) {
    let (case, params) = id.split_once('[').unwrap_or((id, ""));
    let params = params.strip_suffix(']').unwrap_or(params);
    (case, params.split(',').map(str::trim).filter(|param| !param.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{Ids, Named};

    const CELLS: [(&str, &str); 4] = [
        ("chat[llama,smollm2,lang=de]", "chat"),
        ("chat[llama,smollm2,lang=en]", "chat"),
        ("chat[mlx,smollm2,lang=de]", "chat"),
        ("version", "version"),
    ];

    fn cells() -> impl Iterator<Item = Named<'static>> + Clone {
        CELLS.iter().map(|&(id, case)| Named { id, case })
    }

    fn wanted(ids: &[&str]) -> Vec<&'static str> {
        let ids = Ids::new(ids.iter().map(|&id| id.to_owned()).collect());
        cells().filter(|cell| ids.want(*cell)).map(|cell| cell.id).collect()
    }

    #[test]
    fn an_id_is_whole_or_names_the_case_and_some_parameters() {
        assert_eq!(wanted(&[]).len(), 4);
        assert_eq!(wanted(&["version"]), ["version"]);
        assert_eq!(wanted(&["chat"]).len(), 3);
        assert_eq!(wanted(&["chat[mlx,smollm2,lang=de]"]), ["chat[mlx,smollm2,lang=de]"]);
        assert_eq!(wanted(&["chat[lang=de]"]).len(), 2);
        assert_eq!(wanted(&["chat[de, llama]"]), ["chat[llama,smollm2,lang=de]"]);
        assert!(
            wanted(&["chat[lang=fr]", "cha", "chat[llama"]).len() == 2,
            "an open bracket is closed"
        );
        assert!(wanted(&["version[llama]"]).is_empty());
    }

    #[test]
    fn the_first_id_that_names_nothing_is_found() {
        let unknown = |ids: &[&str]| {
            let ids = Ids::new(ids.iter().map(|&id| id.to_owned()).collect());
            ids.unknown(cells()).map(str::to_owned)
        };
        assert_eq!(unknown(&["chat", "version", "chat[de]"]), None);
        assert_eq!(unknown(&["chat", "chat[fr]", "x"]).as_deref(), Some("chat[fr]"));
    }
}
