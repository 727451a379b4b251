//! Further axes of a case: the case once for each combination of their values.

use std::{borrow::Cow, collections::BTreeSet};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    check::name_for_ids,
    substitute::{Filled, in_text},
    tree::{Node, Wrong, json},
};

/// More combinations than this are nobody's intention.
const MOST: usize = 10_000;

/// Names that axes cannot have: they are in ids already, or stand for something else in
/// the texts of a case.
const TAKEN: [&str; 2] = ["repeat", "fixture"];

/// What measurements sweep over where it is a list.
const SWEPT: [(&str, &[&str]); 2] =
    [("bench", &["prompt_tokens", "depth"]), ("batch", &["concurrency", "rate"])];

/// Values of a combination, as they stand in ids and records, in the order of the suite.
pub(super) type Axes = Vec<(String, serde_json::Value)>;

/// A case for one combination of its parameters.
pub(super) struct Combination<'i> {
    /// The values.
    pub(super) axes: Axes,
    /// The case with the values in its texts.
    pub(super) case: Node<'i>,
    /// The places where a number, true or false stands for a whole text.
    pub(super) whole: BTreeSet<usize>,
}

/// An axis as it is written.
struct Axis<'i> {
    name: String,
    values: Vec<Choice<'i>>,
}

/// A value on an axis.
struct Choice<'i> {
    /// As it stands in ids.
    id: serde_json::Value,
    /// What `{axis}` stands for.
    value: DeValue<'i>,
    /// What `{axis.key}` stands for.
    members: DeTable<'i>,
}

/// A case and the axes that it has.
pub(super) struct Parametrized<'a, 'i> {
    case: Cow<'a, Node<'i>>,
    axes: Vec<Axis<'i>>,
    /// How many combinations there are: one for a case without axes.
    pub(super) len: usize,
}

impl<'a, 'i> Parametrized<'a, 'i> {
    /// Reads the axes of `case`.
    ///
    /// # Errors
    ///
    /// With a sentence and its place, when they make no sense.
    pub(super) fn of(case: &'a Node<'i>) -> Result<Self, Wrong> {
        let case = swept(case)?;
        let axes = match case.get_ref() {
            DeValue::Table(table) => table.get("parametrize").map(axes).transpose()?,
            // What it is instead is said where its type is looked at.
            _ => None,
        };
        let axes = axes.unwrap_or_default();
        let len = axes.iter().map(|axis| axis.values.len()).product();
        Ok(Parametrized { case, axes, len })
    }

    /// The combination with that number: the first axis changes slowest. At the places of
    /// `texts` a value stands as a text, whatever its type.
    pub(super) fn combination(&self, number: usize, texts: &BTreeSet<usize>) -> Combination<'i> {
        if self.axes.is_empty() {
            let case = self.case.as_ref().clone();
            return Combination { axes: Axes::new(), case, whole: BTreeSet::new() };
        }
        let picked = pick(&self.axes, number);
        let names = picked.iter().map(|(name, choice)| ((*name).to_owned(), choice.id.clone()));
        let mut whole = BTreeSet::new();
        let case = with(&self.case, &picked, texts, &mut whole);
        Combination { axes: names.collect(), case, whole }
    }
}

/// `case` with each of the lists that a measurement sweeps over as an axis of its own,
/// after those that it has: `depth = [0, 4096]` is `parametrize = { depth = [0, 4096] }`
/// and `depth = "{depth}"`.
fn swept<'a, 'i>(case: &'a Node<'i>) -> Result<Cow<'a, Node<'i>>, Wrong> {
    let DeValue::Table(table) = case.get_ref() else { return Ok(Cow::Borrowed(case)) };
    let mut table = Cow::Borrowed(table);
    for (measurement, keys) in SWEPT {
        for key in keys {
            let Some(DeValue::Table(of)) = table.get(measurement).map(Spanned::get_ref) else {
                continue;
            };
            let Some((written, values)) = of.get_key_value(*key) else { continue };
            if !matches!(values.get_ref(), DeValue::Array(_)) {
                continue;
            }
            let (written, values) = (written.clone(), values.clone());
            let place = values.span();
            let table = table.to_mut();
            if let Some(DeValue::Table(of)) = table.get_mut(measurement).map(Spanned::get_mut) {
                let placeholder = DeValue::String(format!("{{{key}}}").into());
                of.insert(written.clone(), Spanned::new(place.clone(), placeholder));
            }
            let axes = table
                .entry(Spanned::new(place.clone(), "parametrize".into()))
                .or_insert_with(|| Spanned::new(place.clone(), DeValue::Table(DeTable::new())));
            // What else it is instead is said where axes are read.
            if let DeValue::Table(axes) = axes.get_mut()
                && axes.insert(written, values).is_some()
            {
                let message = format!("{measurement}: {key} is on an axis of parametrize already");
                return Err((place, message));
            }
        }
    }
    Ok(match table {
        Cow::Borrowed(_) => Cow::Borrowed(case),
        Cow::Owned(table) => Cow::Owned(Spanned::new(case.span(), DeValue::Table(table))),
    })
}

/// The values of the combination with that number.
fn pick<'a, 'i>(axes: &'a [Axis<'i>], mut number: usize) -> Vec<(&'a str, &'a Choice<'i>)> {
    let mut picked = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        picked.push((axis.name.as_str(), &axis.values[number % axis.values.len()]));
        number /= axis.values.len();
    }
    picked.reverse();
    picked
}

/// `case` with the picked values in its texts.
fn with<'i>(
    case: &Node<'i>,
    picked: &[(&str, &Choice<'i>)],
    texts: &BTreeSet<usize>,
    whole: &mut BTreeSet<usize>,
) -> Node<'i> {
    let known = |name: &str| {
        picked.iter().find_map(|(axis, choice)| match name.strip_prefix(axis)? {
            "" => Some(choice.value.clone()),
            rest => {
                let member = choice.members.get(rest.strip_prefix('.')?)?;
                Some(member.get_ref().clone())
            }
        })
    };
    let DeValue::Table(table) = case.get_ref() else { return case.clone() };
    let table = table
        .iter()
        // What it is one combination of is no part of it, and long.
        .filter(|(key, _)| key.get_ref() != "parametrize")
        .map(|(key, value)| {
            let value = if key.get_ref() == "name" {
                value.clone()
            } else {
                substituted(value, &known, &mut |place, value: DeValue<'i>| match value {
                    DeValue::String(_) => value,
                    value if texts.contains(&place) => DeValue::String(written(&value).into()),
                    value => {
                        whole.insert(place);
                        value
                    }
                })
            };
            (key.clone(), value)
        })
        .collect();
    Spanned::new(case.span(), DeValue::Table(table))
}

/// `node` with known names replaced in its texts, at any depth, every value at its place.
/// `typed` says what stands for a whole text.
fn substituted<'i>(
    node: &Node<'i>,
    known: &dyn Fn(&str) -> Option<DeValue<'i>>,
    typed: &mut dyn FnMut(usize, DeValue<'i>) -> DeValue<'i>,
) -> Node<'i> {
    let value = match node.get_ref() {
        DeValue::String(text) => match in_text(text, known, &|value| written(value)) {
            Filled::Whole(value) => typed(node.span().start, value),
            Filled::Text(text) => DeValue::String(text.into()),
        },
        DeValue::Array(list) => {
            DeValue::Array(list.iter().map(|item| substituted(item, known, typed)).collect())
        }
        DeValue::Table(table) => DeValue::Table(
            table
                .iter()
                .map(|(key, item)| (key.clone(), substituted(item, known, typed)))
                .collect(),
        ),
        other => other.clone(),
    };
    Spanned::new(node.span(), value)
}

fn written(value: &DeValue<'_>) -> String {
    match json(&Spanned::new(0..0, value.clone())) {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// The axes as they are written, checked.
fn axes<'i>(parametrize: &Node<'i>) -> Result<Vec<Axis<'i>>, Wrong> {
    let at = |node: &Node<'_>, message: String| (node.span(), format!("parametrize: {message}"));
    let DeValue::Table(table) = parametrize.get_ref() else {
        return Err(at(parametrize, "write { lang = [\"de\", \"en\"] }".to_owned()));
    };
    let mut axes: Vec<Axis<'i>> = Vec::new();
    for (name, values) in table {
        let (place, name) = (values, name.get_ref().as_ref());
        check_axis(name).map_err(|message| at(place, message))?;
        let DeValue::Array(list) = values.get_ref() else {
            return Err(at(place, format!("{name} is no list; write {name} = [1, 2]")));
        };
        if list.is_empty() {
            return Err(at(place, format!("{name} has no values, so the case would never run")));
        }
        let mut ids = BTreeSet::new();
        let mut choices = Vec::with_capacity(list.len());
        for node in list.iter() {
            let choice = choice(name, node).map_err(|message| at(node, message))?;
            if !ids.insert(written_id(&choice.id)) {
                let message = format!("{name} has {} twice", written_id(&choice.id));
                return Err(at(node, message));
            }
            choices.push(choice);
        }
        axes.push(Axis { name: name.to_owned(), values: choices });
    }
    let total = axes.iter().try_fold(1, |total: usize, axis| total.checked_mul(axis.values.len()));
    match total {
        Some(total) if total <= MOST => Ok(axes),
        _ => Err(at(parametrize, format!("more than {MOST} combinations"))),
    }
}

fn check_axis(name: &str) -> Result<(), String> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(word) {
        return Err(format!("{name:?} is no name of an axis: letters, digits, _ and - make one"));
    }
    if TAKEN.contains(&name) || super::PLACES.contains(&name) {
        return Err(format!("an axis cannot be called {name:?}, which means something else"));
    }
    Ok(())
}

/// A value on the axis `name`.
fn choice<'i>(name: &str, node: &Node<'i>) -> Result<Choice<'i>, String> {
    let (id, value, members) = match node.get_ref() {
        DeValue::Table(table) => {
            let id = table.get("id").map(|id| id.get_ref().clone());
            let Some(DeValue::String(id)) = id else {
                return Err(format!(
                    "a table on the axis {name} needs an id: {{ id = \"short\", text = \"…\" }}"
                ));
            };
            (serde_json::Value::from(id.as_ref()), DeValue::String(id), table.clone())
        }
        DeValue::Array(_) | DeValue::Datetime(_) => {
            return Err(format!(
                "a value of {name} is neither a text, a number, true, false nor a table with an id"
            ));
        }
        scalar => {
            let id = json(node).ok_or_else(|| format!("{name}: this number cannot be written"))?;
            (id, scalar.clone(), DeTable::new())
        }
    };
    if let Err(message) = name_for_ids(&format!("value of {name}"), &written_id(&id), ",") {
        return Err(format!(
            "{message}; give it one: {{ id = \"short\", text = \"…\" }}, and write {{{name}.text}}"
        ));
    }
    Ok(Choice { id, value, members })
}

/// A value as it stands in an id: a text without quotes.
#[must_use]
pub(crate) fn written_id(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
