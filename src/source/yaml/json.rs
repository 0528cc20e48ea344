//! A tree as a JSON value, for schema validation.
//!
//! Must never be used on a tree that `parse` did not check: aliases are expanded here, within the limits of `parse`.

use std::collections::BTreeSet;

use crate::source::tree::{Kind, NodeId, Tree};
use serde_json::{Map, Number, Value};

/// The JSON value of the document, but lists and mappings directly under the keys `hollow` of its top mapping are empty.
#[must_use]
pub fn to_json_hollow(tree: &Tree, hollow: &BTreeSet<String>) -> Value {
    let Some(entries) = tree.map(tree.root()) else { return to_json(tree, tree.root()) };
    let pairs = entries.iter().map(|&(key, value)| {
        let key = tree.text(key).unwrap_or_default();
        let value = match tree.kind(value) {
            Kind::List(_) if hollow.contains(key) => Value::Array(Vec::new()),
            Kind::Map(_) if hollow.contains(key) => Value::Object(Map::new()),
            _ => to_json(tree, value),
        };
        (key.to_owned(), value)
    });
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The JSON value of a node: mappings keep their order, aliases are expanded.
#[must_use]
pub fn to_json(tree: &Tree, node: NodeId) -> Value {
    match tree.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Int(value) => Value::Number((*value).into()),
        Kind::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Kind::Text(text, _) => Value::String(text.to_string()),
        Kind::List(items) => items.iter().map(|&item| to_json(tree, item)).collect(),
        Kind::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|&(key, value)| (tree.text(key).unwrap_or_default().to_owned(), to_json(tree, value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}
