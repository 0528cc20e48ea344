//! From an error of the validator to a finding: the place in the tree, what is wrong, what to write.

mod keys;
pub(in crate::model) mod values;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Fault;
use serde_json::Value;

use super::problem::{Aspect, Problem};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Kind, NodeId, Tree};
use crate::span::Span;

pub(super) struct Explainer<'s> {
    pub schema: &'s Value,
    pub tree: &'s Tree,
    /// The document, in messages.
    pub noun: &'static str,
}

/// A place in the document that the validator found wanting.
struct Place<'s> {
    /// Keys and indices from the root.
    path: Vec<String>,
    node: NodeId,
    /// The key under which the node stands, if its parent is a mapping.
    key: Option<NodeId>,
    parent: Option<NodeId>,
    /// The part of the schema that holds the keyword that failed.
    rule: &'s Value,
    /// The part of the schema around that, two steps up.
    outer: &'s Value,
}

impl Explainer<'_> {
    pub(super) fn explain(&self, error: &ValidationError<'_>) -> Vec<Problem> {
        let place = self.place(error);
        if let Some((path, diagnostic)) = self.unquoted_placeholder(&place, error.kind()) {
            return vec![Problem { path, aspect: Aspect::Placeholder, diagnostic }];
        }
        let path = pointer(&place.path);
        let one = |aspect, diagnostic| vec![Problem { path: path.clone(), aspect, diagnostic }];
        match error.kind() {
            Fault::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown_key(&place, &path, key)).collect()
            }
            Fault::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                one(Aspect::Missing(key.to_owned()), self.missing_key(&place, key))
            }
            Fault::Type { .. } => one(Aspect::Type, self.wrong_type(&place)),
            Fault::MaxProperties { .. } | Fault::MinProperties { .. } => self.wrong_entry(&place, &path),
            Fault::PropertyNames { error: inner } => {
                let name = inner.instance().as_str().unwrap_or_default().to_owned();
                let diagnostic = self.bad_name(&place, &name);
                vec![Problem { path: format!("{path}/{name}"), aspect: Aspect::Value, diagnostic }]
            }
            fault => one(Aspect::Value, self.bad_value(&place, fault)),
        }
    }

    fn place(&self, error: &ValidationError<'_>) -> Place<'_> {
        let path = segments(error.instance_path().as_str());
        let (mut node, mut key, mut parent) = (self.tree.root(), None, None);
        for segment in &path {
            let (next_key, next) = self.child(node, segment);
            let Some(next) = next else { break };
            (parent, key, node) = (Some(node), next_key, next);
        }
        let schema_path = segments(error.schema_path().as_str());
        let rule = self.part(&schema_path, 1);
        Place { path, node, key, parent, rule, outer: self.part(&schema_path, 2) }
    }

    fn child(&self, node: NodeId, segment: &str) -> (Option<NodeId>, Option<NodeId>) {
        if let Some((key, value)) = self.tree.entry(node, segment) {
            return (Some(key), Some(value));
        }
        let index = segment.parse::<usize>().ok();
        (None, index.and_then(|index| self.tree.list(node)?.get(index).copied()))
    }

    /// The part of the schema that `route` leads to without its last `drop` steps. References on the way are followed.
    fn part(&self, route: &[String], drop: usize) -> &Value {
        let mut at = self.schema;
        for step in route.iter().take(route.len().saturating_sub(drop)) {
            at = match self.resolve(at).get(step).or_else(|| at.get(step)) {
                Some(next) => next,
                None => match at.as_array().and_then(|list| list.get(step.parse::<usize>().ok()?)) {
                    Some(next) => next,
                    // `$ref` itself is a step of some paths.
                    None => at,
                },
            };
        }
        self.resolve(at)
    }

    /// The definition behind a reference; the part itself if it is none.
    fn resolve<'v>(&'v self, part: &'v Value) -> &'v Value {
        let target = part.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        target.and_then(|target| self.schema.pointer(target)).unwrap_or(part)
    }

    /// How a message calls the place: `` `when` ``, `` item 2 of `rules` ``, `the mega-file`.
    fn name(&self, place: &Place<'_>) -> String {
        self.name_of(&place.path, place.parent)
    }

    fn name_of(&self, path: &[String], parent: Option<NodeId>) -> String {
        let Some((last, before)) = path.split_last() else {
            return self.noun.to_owned();
        };
        let in_list = parent.is_some_and(|parent| self.tree.list(parent).is_some());
        match (in_list, last.parse::<usize>(), before.last()) {
            (true, Ok(index), Some(owner)) => format!("item {} of `{owner}`", index + 1),
            _ => format!("`{last}`"),
        }
    }

    /// Where a finding about a whole mapping stands: its key, or its first key, or the node.
    fn heading(&self, place: &Place<'_>) -> Span {
        let first = || self.tree.map(place.node).and_then(|entries| entries.first()).map(|&(key, _)| key);
        match place.key.or_else(first) {
            Some(key) => self.tree.span(key),
            None => self.tree.span(place.node),
        }
    }

    /// `{entity}` without quotes, where text may stand: a YAML mapping with one key and no value.
    fn unquoted_placeholder(&self, place: &Place<'_>, fault: &Fault) -> Option<(String, Diagnostic)> {
        let (node, path) = match fault {
            Fault::Type { .. } if *self.tree.kind(place.node) == Kind::Null && allows(place.outer, "string") => {
                let path = place.path.get(..place.path.len().checked_sub(1)?)?;
                (place.parent?, path)
            }
            Fault::Type { .. } | Fault::AdditionalProperties { .. } | Fault::Required { .. }
                if allows(place.rule, "string") =>
            {
                (place.node, place.path.as_slice())
            }
            _ => return None,
        };
        let [(key, value)] = self.tree.map(node)? else {
            return None;
        };
        let word = self.tree.text(*key)?;
        if *self.tree.kind(*value) != Kind::Null {
            return None;
        }
        let last = path.last().map_or("value", String::as_str);
        let sample = if matches!(last, "path" | "output_path") || place.outer.get("maxProperties").is_some() {
            "/x.ts"
        } else {
            ""
        };
        let message = format!("`{{{word}}}` without quotes is a YAML mapping, not text");
        let help = format!("quote it: \"{{{word}}}{sample}\"");
        let diagnostic = Diagnostic::new(Code::WrongType, message)
            .at(self.tree.span(node))
            .label("an unquoted placeholder")
            .help(help);
        Some((pointer(path), diagnostic))
    }
}

/// The segments of a JSON pointer.
pub(in crate::model) fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()
}

pub(in crate::model) fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |whole, segment| whole + "/" + &segment.replace('~', "~0").replace('/', "~1"))
}

/// The types that a part of a schema allows.
pub(in crate::model) fn types(rule: &Value) -> Vec<&str> {
    match rule.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn allows(rule: &Value, one: &str) -> bool {
    types(rule).contains(&one)
}

/// `a, b and c` with every word in backquotes.
pub(in crate::model) fn list_words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// The first example of a part of a schema, as YAML (JSON is YAML).
pub(in crate::model) fn example(rule: &Value) -> Option<String> {
    let first = rule.get("examples")?.as_array()?.first()?;
    Some(first.to_string())
}
