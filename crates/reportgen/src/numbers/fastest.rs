//! Which backend is fastest with a model, over all runs.

use records::{Metric, Metrics, Stats};

use super::{Better, Found, Lead, comparable, grouped, latest, lead, stats};

/// A quantity that backends are compared by.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    /// Its name, as short as a table wants it.
    pub name: &'static str,
    /// Which value is better.
    pub better: Better,
    /// Its metric, where it was measured.
    pub get: fn(&Metrics) -> Option<&Metric>,
}

/// The speeds: of the prompt, of the answer, of sound.
pub const SPEEDS: [Quantity; 3] = [
    Quantity { name: "PP", better: Better::More, get: |m| m.prompt_tps.as_ref() },
    Quantity { name: "TG", better: Better::More, get: |m| m.generation_tps.as_ref() },
    Quantity { name: "RTFx", better: Better::More, get: |m| m.rtfx.as_ref() },
];

/// Who is fastest in one quantity.
#[derive(Debug)]
pub struct Fastest<'a> {
    /// In what.
    pub quantity: Quantity,
    /// Those that were compared.
    pub among: Vec<(Found<'a>, Stats)>,
    /// Who leads among them.
    pub lead: Lead,
}

impl<'a> Fastest<'a> {
    /// Who leads.
    #[must_use]
    pub fn leader(&self) -> Found<'a> {
        self.among[self.lead.first].0
    }
}

/// Who is fastest in each of [`SPEEDS`], for each task that several backends did as they were
/// asked the same. Of what was measured again the last counts.
#[must_use]
pub fn fastest<'a>(all: &[Found<'a>]) -> Vec<Fastest<'a>> {
    let ran: Vec<Found<'a>> = all.iter().copied().filter(Found::ran).collect();
    let mut out = Vec::new();
    for group in grouped(&latest(&ran), Found::task) {
        let asked: Vec<_> = group.iter().filter_map(|one| one.test.protocol.as_ref()).collect();
        if asked.iter().any(|other| !comparable(asked[0], other)) {
            continue;
        }
        for quantity in SPEEDS {
            let among: Vec<(Found<'a>, Stats)> = group
                .iter()
                .filter_map(|one| Some((*one, stats((quantity.get)(&one.test.metrics)?))))
                .collect();
            let all: Vec<Stats> = among.iter().map(|(_, stats)| stats.clone()).collect();
            if let Some(lead) = lead(&all, quantity.better) {
                out.push(Fastest { quantity, among, lead });
            }
        }
    }
    out
}

/// How sure a lead is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// The intervals of the leader and of all others are apart.
    Beyond,
    /// That of the leader overlaps with another's.
    Within,
    /// There are too few values for intervals.
    TooFew,
}

impl Lead {
    /// How sure it is, of the means that it was found among.
    pub fn sure<'a>(&self, all: impl Fn(usize) -> &'a Stats) -> Sure {
        // One value says nothing of how values vary.
        let few = self.within_noise.iter().chain([&self.first]).any(|at| all(*at).n < 2);
        match () {
            () if self.within_noise.is_empty() => Sure::Beyond,
            () if few => Sure::TooFew,
            () => Sure::Within,
        }
    }
}
