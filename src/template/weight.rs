//! What a value stands for: how deep it is, how many nodes it has and how many bytes of text, as if nothing in it were
//! shared. Lists and mappings know theirs, so that asking costs nothing.
//!
//! Everything that walks a value (printing, comparing, sorting, dropping) takes as long as its weight says, so a value
//! that would be too heavy is never made.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Tuple, ValueKind};

use super::value::Mapping;

/// Values of the engine's own are walked so deep; then they are too heavy.
const DEEPEST: u32 = 160;
/// And so many nodes of them.
const MOST: u64 = 4_000_000;

/// The weight of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Lists and mappings inside one another; a text has none.
    pub depth: u32,
    /// The value and everything in it.
    pub nodes: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Whether a namespace is in it: that one can change later, and hold whatever holds it.
    pub changes: bool,
}

impl Weight {
    /// The weight of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut left = MOST;
        walk(value, 0, &mut left)
    }

    /// The weight of a list or mapping of these values, with so many bytes of keys.
    #[must_use]
    pub fn around<'v>(values: impl Iterator<Item = &'v Value>, keys: u64) -> Self {
        let mut left = MOST;
        let mut weight = Self { depth: 1, nodes: 1, bytes: keys, changes: false };
        for value in values {
            weight.add(walk(value, 1, &mut left));
        }
        weight
    }

    fn add(&mut self, inner: Self) {
        self.depth = self.depth.max(inner.depth.saturating_add(1));
        self.nodes = self.nodes.saturating_add(inner.nodes);
        self.bytes = self.bytes.saturating_add(inner.bytes);
        self.changes |= inner.changes;
    }
}

fn walk(value: &Value, depth: u32, left: &mut u64) -> Weight {
    if let Some(text) = value.as_str() {
        return Weight { nodes: 1, bytes: text.len() as u64, ..Weight::default() };
    }
    let Some(object) = value.as_object() else { return Weight { nodes: 1, ..Weight::default() } };
    if let Some(mapping) = object.downcast_ref::<Mapping>() {
        return mapping.weight();
    }
    if let Some(list) = object.downcast_ref::<List>() {
        return list.weight;
    }
    if let Some(made) = object.downcast_ref::<Made>() {
        return made.weight;
    }
    if depth > DEEPEST || *left == 0 {
        return Weight { depth: u32::MAX, nodes: u64::MAX, bytes: u64::MAX, changes: false };
    }
    walk_engine(value, object, depth, left)
}

/// The weight of what the engine made.
fn walk_engine(value: &Value, object: &DynObject, depth: u32, left: &mut u64) -> Weight {
    let changes = object.type_name().ends_with("::Namespace");
    let mut weight = Weight { depth: 1, nodes: 1, bytes: 0, changes };
    let mut inner = |item: &Value, weight: &mut Weight| {
        *left = left.saturating_sub(1);
        weight.add(walk(item, depth + 1, left));
        *left > 0
    };
    match value.kind() {
        ValueKind::Map => {
            for (key, item) in object.try_iter_pairs().into_iter().flatten() {
                if !inner(&key, &mut weight) || !inner(&item, &mut weight) {
                    break;
                }
            }
        }
        ValueKind::Seq | ValueKind::Iterable => {
            for item in object.try_iter().into_iter().flatten() {
                if !inner(&item, &mut weight) {
                    break;
                }
            }
        }
        _ => return Weight { nodes: 1, ..Weight::default() },
    }
    if *left == 0 {
        weight.nodes = u64::MAX;
    }
    weight
}

/// A list that knows its weight.
struct List {
    items: Vec<Value>,
    weight: Weight,
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A list of these items.
#[must_use]
pub fn list(items: Vec<Value>) -> Value {
    let weight = Weight::around(items.iter(), 0);
    Value::from_object(List { items, weight })
}

/// A mapping of the engine's (`{'a': 1}`, `dict(a=1)`) that knows its weight.
#[derive(Debug)]
struct Made {
    inner: DynObject,
    weight: Weight,
}

impl Object for Made {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        self.inner.repr()
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.inner.get_value(key)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.inner.get_value_by_str(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.inner.enumerate()
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.inner.enumerator_len()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.render(f)
    }
}

/// Whether a value knows its weight, or has next to none.
pub(super) fn is_weighed(value: &Value) -> bool {
    value.as_object().is_none_or(|object| object.is::<List>() || object.is::<Made>() || object.is::<Mapping>())
}

/// A value of the engine's as one that knows its weight. Tuples, texts and the like stay what they are.
pub(super) fn weighed(value: Value) -> Value {
    let Some(object) = value.as_object() else { return value };
    if is_weighed(&value) || object.is::<Tuple>() {
        return value;
    }
    match object.repr() {
        ObjectRepr::Seq | ObjectRepr::Iterable => list(object.try_iter().into_iter().flatten().collect()),
        ObjectRepr::Map if !object.type_name().ends_with("::Namespace") => {
            let weight = Weight::of(&value);
            Value::from_object(Made { inner: object.clone(), weight })
        }
        _ => value,
    }
}
