//! From YAML nodes to template values, and from values to printed text.
//!
//! A mapping keeps the order of the document, and its fields win over everything: a field called `items` is the field.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

pub use super::weight::{Weight, list};
use crate::source::{Kind, NodeId, Tree};

/// Mappings up to this size are searched from front to back.
const SMALL: usize = 12;

/// A mapping in document order.
#[derive(Debug)]
pub struct Mapping {
    entries: Vec<(Arc<str>, Value)>,
    index: BTreeMap<Arc<str>, usize>,
    weight: Weight,
}

impl Mapping {
    /// A mapping of these entries; of two equal keys the first wins.
    #[must_use]
    pub fn new(entries: Vec<(Arc<str>, Value)>) -> Self {
        let index = if entries.len() > SMALL {
            entries.iter().enumerate().rev().map(|(at, (key, _))| (Arc::clone(key), at)).collect()
        } else {
            BTreeMap::new()
        };
        let keys = entries.iter().map(|(key, _)| key.len() as u64).sum();
        let weight = Weight::around(entries.iter().map(|(_, value)| value), keys);
        Self { entries, index, weight }
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.index.is_empty() {
            return self.entries.iter().find(|(name, _)| &**name == key).map(|(_, value)| value);
        }
        self.index.get(key).and_then(|&at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// What it stands for.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.weight
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| &**key)
    }

    /// The entries in order.
    #[must_use]
    pub fn entries(&self) -> &[(Arc<str>, Value)] {
        &self.entries
    }
}

impl Object for Mapping {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?).cloned()
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.iter().map(|(key, _)| Value::from(Arc::clone(key))).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The value of a node; aliases are followed.
#[must_use]
pub fn of_node(tree: &Tree, node: NodeId) -> Value {
    value_of(tree, node, &mut Keys::new())
}

/// Keys that were met: the items of a list have the same ones, so that each is held once.
type Keys<'t> = BTreeMap<&'t str, Arc<str>>;

fn value_of<'t>(tree: &'t Tree, node: NodeId, keys: &mut Keys<'t>) -> Value {
    match tree.kind(node) {
        Kind::Null => Value::from(()),
        Kind::Bool(value) => Value::from(*value),
        Kind::Int(value) => Value::from(*value),
        Kind::Float(value) => Value::from(*value),
        Kind::Text(text, _) => Value::from(&**text),
        Kind::List(items) => list(items.iter().map(|&item| value_of(tree, item, keys)).collect()),
        Kind::Map(entries) => Value::from_object(Mapping::new(values_of(tree, entries, keys))),
    }
}

/// The template value of a JSON value; mappings keep their order.
#[must_use]
pub fn of_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::from(value),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => list(items.iter().map(of_json).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (Arc::from(key.as_str()), of_json(value)));
            Value::from_object(Mapping::new(entries.collect()))
        }
    }
}

/// The JSON value of a template value; what has none (a missing value, a function) is null.
#[must_use]
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value.kind() {
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(number) if value.is_integer() => Json::from(number),
            _ => f64::try_from(value.clone()).map_or(Json::Null, Json::from),
        },
        ValueKind::String => Json::from(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().map_or(Json::Null, |items| items.map(|item| to_json(&item)).collect())
        }
        ValueKind::Map => {
            let entry = |key: Value| {
                let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                (text, value.get_item(&key).map_or(Json::Null, |inner| to_json(&inner)))
            };
            value.try_iter().map_or(Json::Null, |keys| Json::Object(keys.map(entry).collect()))
        }
        _ => Json::Null,
    }
}

/// The entries of a mapping node as values; empty for anything else.
#[must_use]
pub fn entries_of(tree: &Tree, node: NodeId) -> Vec<(Arc<str>, Value)> {
    values_of(tree, tree.map(node).unwrap_or_default(), &mut Keys::new())
}

fn values_of<'t>(tree: &'t Tree, entries: &[(NodeId, NodeId)], keys: &mut Keys<'t>) -> Vec<(Arc<str>, Value)> {
    let entry = |&(key, value): &(NodeId, NodeId)| {
        let key = tree.text(key)?;
        let key = Arc::clone(keys.entry(key).or_insert_with(|| Arc::from(key)));
        Some((key, value_of(tree, value, keys)))
    };
    entries.iter().filter_map(entry).collect()
}

/// The mapping behind a value.
#[must_use]
pub fn as_mapping(value: &Value) -> Option<Arc<Mapping>> {
    value.downcast_object::<Mapping>()
}

/// The value with every mapping that an expression made (`dict(a=1)`, `{'a': 1}`) as a [`Mapping`], so that its fields
/// are known like those of data.
#[must_use]
pub fn as_data(value: Value) -> Value {
    match value.kind() {
        ValueKind::Map if as_mapping(&value).is_none() => {
            let entry = |key: Value| {
                let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                Some((Arc::from(text), as_data(value.get_item(&key).ok()?)))
            };
            let entries = value.try_iter().into_iter().flatten().filter_map(entry).collect();
            Value::from_object(Mapping::new(entries))
        }
        ValueKind::Seq if value.try_iter().is_ok_and(|mut items| items.any(|item| is_made(&item))) => {
            list(value.try_iter().into_iter().flatten().map(as_data).collect())
        }
        _ => value,
    }
}

/// Whether a value is, or may hold, a mapping that is not from data.
fn is_made(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Map => as_mapping(value).is_none(),
        ValueKind::Seq => true,
        _ => false,
    }
}

/// Why a value cannot be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unprintable {
    /// It is null.
    Null,
    /// It is a list.
    List,
    /// It is a mapping.
    Mapping,
    /// It is missing.
    Missing,
    /// It is something of the engine.
    Other,
}

impl fmt::Display for Unprintable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::List => "a list",
            Self::Mapping => "a mapping",
            Self::Missing => "a value that does not exist",
            Self::Other => "a value that is no text",
        })
    }
}

/// Prints a value as templates do: text as it is, numbers, `true` and `false`.
///
/// # Errors
/// Null, lists, mappings and missing values have no printed form.
pub fn print(value: &Value, out: &mut dyn fmt::Write) -> Result<(), Unprintable> {
    let written = match value.kind() {
        ValueKind::String => out.write_str(value.as_str().unwrap_or_default()),
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => write!(out, "{value}"),
        ValueKind::None => return Err(Unprintable::Null),
        ValueKind::Undefined => return Err(Unprintable::Missing),
        ValueKind::Map => return Err(Unprintable::Mapping),
        ValueKind::Seq | ValueKind::Iterable => return Err(Unprintable::List),
        _ => return Err(Unprintable::Other),
    };
    written.map_err(|_| Unprintable::Other)
}

/// What a mapping item stands for in a placeholder: its `name`. Any other value stands for itself.
#[must_use]
pub fn standing_for(value: Value) -> Value {
    match as_mapping(&value).and_then(|mapping| mapping.get("name").cloned()) {
        Some(name) => name,
        None => value,
    }
}
