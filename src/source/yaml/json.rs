//! A tree as a JSON value, for schema validation.
//!
//! Must never be used on a tree that `parse` did not check: aliases are expanded here, within the limits of `parse`.

use crate::source::tree::{Kind, NodeId, Tree};
use serde_json::{Map, Number, Value};

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
