//! A suite's text as a tree whose every value knows its place.

use std::ops::Range;

use serde::{Deserialize, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::source::suggestion;

/// A sentence on what is wrong, and its place.
pub(super) type Wrong = (Range<usize>, String);

/// A value with its place.
pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// The tree of `text`, whose places begin at `base`.
///
/// # Errors
///
/// With a sentence and its place when `text` is no TOML.
pub(super) fn grow(text: &str, base: usize) -> Result<Spanned<DeTable<'_>>, Wrong> {
    match DeTable::parse(text) {
        Ok(root) => {
            Ok(Spanned::new(later(&root.span(), base), later_table(root.into_inner(), base)))
        }
        Err(error) => {
            let place = error.span().unwrap_or_default();
            Err((later(&place, base), one_line(&error)))
        }
    }
}

fn later(span: &Range<usize>, base: usize) -> Range<usize> {
    span.start + base..span.end + base
}

fn later_table(table: DeTable<'_>, base: usize) -> DeTable<'_> {
    if base == 0 {
        return table;
    }
    table
        .into_iter()
        .map(|(key, value)| {
            (Spanned::new(later(&key.span(), base), key.into_inner()), later_node(value, base))
        })
        .collect()
}

fn later_node(node: Node<'_>, base: usize) -> Node<'_> {
    let span = later(&node.span(), base);
    let value = match node.into_inner() {
        DeValue::Table(table) => DeValue::Table(later_table(table, base)),
        DeValue::Array(list) => {
            DeValue::Array(list.into_iter().map(|item| later_node(item, base)).collect())
        }
        scalar => scalar,
    };
    Spanned::new(span, value)
}

/// `node` as a `T`. `path` is what leads to it.
///
/// # Errors
///
/// With a sentence that names the key, and its place.
pub(super) fn typed<T: DeserializeOwned>(node: Node<'_>, path: &str) -> Result<Spanned<T>, Wrong> {
    let span = node.span();
    serde_path_to_error::deserialize(ValueDeserializer::from(node))
        .map(|value| Spanned::new(span.clone(), value))
        .map_err(|error| {
            // toml marks values that know their place with a key of its own.
            let inner = error.path().to_string().replace(".$__serde_spanned_private_value", "");
            let path = match (path, inner.as_str()) {
                ("", ".") => String::new(),
                ("", inner) => format!("{inner}: "),
                (path, ".") => format!("{path}: "),
                (path, inner) if inner.starts_with('[') => format!("{path}{inner}: "),
                (path, inner) => format!("{path}.{inner}: "),
            };
            let message = format!("{path}{}", one_line(error.inner()));
            (error.inner().span().unwrap_or(span), message)
        })
}

/// The message of `error` in one line, with the nearest key where one is unknown.
fn one_line(error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    unknown_key(&message).unwrap_or(message)
}

/// "unknown field `promt`, expected one of `a`, `b`" with the nearest of them.
fn unknown_key(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    let known: Vec<&str> = words.collect();
    Some(format!("unknown key {wrong:?}{}", suggestion(wrong, &known)))
}

/// `node` as JSON; nothing of numbers that JSON has no word for.
pub(super) fn json(node: &Node<'_>) -> Option<serde_json::Value> {
    let value = toml::Value::deserialize(ValueDeserializer::from(node.clone())).ok()?;
    match &value {
        toml::Value::Float(number) if !number.is_finite() => None,
        _ => serde_json::to_value(&value).ok(),
    }
}
