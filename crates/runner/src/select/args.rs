//! The part of the command line that selects, and the profile that stands in for it.

use clap::Args;

use super::{Expression, Ids, MOST_REPEATS, Names, Selection, Shard, Share};
use crate::suite::{AnyOf, Profile, Suite, suggestion};

/// What selects cells.
#[derive(Debug, Default, Args)]
pub struct SelectArgs {
    /// Run only cells whose id contains the words of EXPR (and, or, not, brackets)
    #[arg(short = 'k', value_name = "EXPR", value_parser = Expression::parse)]
    keywords: Option<Expression>,

    /// Run only cases with the marks of EXPR (and, or, not, brackets)
    #[arg(short = 'm', value_name = "EXPR", value_parser = Expression::parse)]
    marks: Option<Expression>,

    /// Run only on models whose id matches GLOB; several with commas
    #[arg(long, value_name = "GLOB")]
    model: Vec<String>,

    /// Run only on the backends NAME; several with commas
    #[arg(long, value_name = "NAME")]
    backend: Vec<String>,

    /// What the profile P of the suite says, where the command line says nothing
    #[arg(long, value_name = "P")]
    profile: Option<String>,

    /// Run each cell N times, as repeat=1 to repeat=N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REPEATS)))]
    repeat: Option<u32>,

    /// Run the share I of N, counted from 1, or auto/N to take the scheduler's index
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

/// What was asked for, with what the profile adds.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which cells.
    pub selection: Selection,
    /// Which share of them.
    pub share: Option<Share>,
    /// After how many failures the run stops, where the profile says it.
    pub maxfail: Option<u64>,
}

impl SelectArgs {
    /// What is selected of `suite`, which takes over the profile's defaults.
    ///
    /// # Errors
    ///
    /// When something is named that the suite does not have, with a sentence.
    pub fn on(self, suite: &mut Suite, ids: Vec<String>) -> Result<Asked, String> {
        let profile = match &self.profile {
            Some(name) => profile(suite, name)?,
            None => Profile::default(),
        };
        suite.body.defaults = profile.defaults.over(&suite.body.defaults);
        let named = |given: &[String], profile: Option<AnyOf<String>>| match (given, profile) {
            ([], Some(AnyOf(profile))) => Names::new(&profile),
            (given, _) => Names::new(given),
        };
        let body = &suite.body;
        let backends = named(&self.backend, profile.backend);
        let known: Vec<&str> = body.backend.keys().map(String::as_str).collect();
        backends.check("backend", &known).map_err(|message| format!("--backend: {message}"))?;
        let models = named(&self.model, profile.model);
        let known: Vec<&str> = body.model.iter().map(|model| model.get_ref().id.as_str()).collect();
        models.check("model", &known).map_err(|message| format!("--model: {message}"))?;
        // The suite was checked: the expressions of its profiles can be read.
        let said = |text: Option<toml::Spanned<String>>| {
            text.and_then(|text| Expression::parse(text.get_ref()).ok())
        };
        let share = self.shard.map(|shard| shard.share(|name| std::env::var(name).ok()));
        Ok(Asked {
            selection: Selection {
                keywords: self.keywords.or_else(|| said(profile.keywords)),
                marks: self.marks.or_else(|| said(profile.marks)),
                ids: Ids::new(ids),
                backends,
                models,
                repeat: self.repeat.or(profile.repeat),
            },
            share: share.transpose()?,
            maxfail: profile.maxfail,
        })
    }
}

fn profile(suite: &Suite, name: &str) -> Result<Profile, String> {
    match suite.body.profile.get(name) {
        Some(profile) => Ok(profile.get_ref().clone()),
        None => {
            let known: Vec<&str> = suite.body.profile.keys().map(String::as_str).collect();
            let hint = if known.is_empty() {
                ": the suite has none".to_owned()
            } else {
                suggestion(name, &known)
            };
            Err(format!("--profile: there is no profile {name:?}{hint}"))
        }
    }
}

impl Selection {
    /// A word on why nothing is selected, where it can be told: a mark that the suite does
    /// not declare.
    #[must_use]
    pub fn hint(&self, suite: &Suite) -> Option<String> {
        let marks = &suite.body.marks;
        let wrong = self.marks.as_ref()?.words().find(|mark| !marks.contains_key(*mark))?;
        let known: Vec<&str> = marks.keys().map(String::as_str).collect();
        Some(format!("mark {wrong:?} is not declared{}", suggestion(wrong, &known)))
    }
}
