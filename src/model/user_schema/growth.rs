//! How often the validator may look at one value: with references, a schema can visit the same place twice at every
//! level, and the work doubles with the depth of the data. Computed once for a schema, asked for every value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::slips::{Edge, parts, target};
use crate::source::{NodeId, Tree};

/// Most visits of one value.
pub const MAX_VISITS: u64 = 10_000;
/// Levels that are looked at; mega-files are not nested deeper.
const LEVELS: usize = 130;
/// Most pairs of a schema and one that judges a part of its value.
const MAX_PAIRS: usize = 100_000;

/// An upper bound of the visits of one value by its depth; `None` if there are too many schemas to tell.
pub fn visits(tree: &Tree, root: NodeId) -> Option<Vec<u64>> {
    let (mut below, mut queue, mut pairs) = (BTreeMap::new(), vec![root], 0);
    while let Some(node) = queue.pop() {
        if below.contains_key(&node) {
            continue;
        }
        let groups = groups(tree, root, node);
        pairs += groups.iter().map(Vec::len).sum::<usize>();
        if pairs > MAX_PAIRS {
            return None;
        }
        queue.extend(groups.iter().flatten());
        below.insert(node, groups);
    }
    let mut level: BTreeMap<NodeId, u64> = below.keys().map(|&node| (node, 1)).collect();
    let mut visits = vec![1];
    for _ in 1..LEVELS {
        let of = |group: &Vec<NodeId>| {
            group.iter().fold(0_u64, |sum, node| sum.saturating_add(level.get(node).copied().unwrap_or(1)))
        };
        let next = below.iter().map(|(&node, groups)| (node, groups.iter().map(of).max().unwrap_or(0)));
        level = next.collect();
        visits.push(level.get(&root).copied().unwrap_or(0));
    }
    Some(visits)
}

/// The schemas that judge parts of the value of one schema, in groups of those that may judge the same part.
fn groups(tree: &Tree, root: NodeId, node: NodeId) -> Vec<Vec<NodeId>> {
    let (mut named, mut anywhere, mut queue) = (BTreeMap::<String, Vec<NodeId>>::new(), Vec::new(), vec![node]);
    while let Some(node) = queue.pop() {
        for &(key, value) in tree.map(node).unwrap_or_default() {
            let keyword = tree.text(key).unwrap_or_default();
            let entries = || tree.map(value).unwrap_or_default().iter();
            match keyword {
                "properties" => {
                    for &(name, part) in entries() {
                        named.entry(format!("/{}", tree.text(name).unwrap_or_default())).or_default().push(part);
                    }
                }
                "patternProperties" => anywhere.extend(entries().map(|&(_, part)| part)),
                "contains" => anywhere.push(value),
                "items" | "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" => {
                    named.entry(keyword.to_owned()).or_default().push(value);
                }
                "prefixItems" => {
                    for (index, &part) in tree.list(value).unwrap_or_default().iter().enumerate() {
                        named.entry(index.to_string()).or_default().push(part);
                    }
                }
                _ => {}
            }
        }
        let same = parts(tree, node).into_iter().filter(|(edge, _)| *edge == Edge::Same).map(|(_, part)| part);
        queue.extend(same.chain(target(tree, root, node)));
    }
    // What is left over by one branch may be named by another.
    let rest: BTreeSet<&str> = ["items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems"].into();
    let common: Vec<NodeId> =
        named.iter().filter(|(label, _)| rest.contains(label.as_str())).flat_map(|(_, parts)| parts.clone()).collect();
    let mut groups: Vec<Vec<NodeId>> = Vec::new();
    let single = named.len() == 1 || common.is_empty();
    for (label, parts) in named {
        let shared = if single || rest.contains(label.as_str()) { &[][..] } else { &common };
        groups.push(parts.into_iter().chain(anywhere.iter().copied()).chain(shared.iter().copied()).collect());
    }
    if groups.is_empty() && !anywhere.is_empty() {
        groups.push(anywhere);
    }
    groups
}

/// The levels of a value, itself included.
pub fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
