//! JSON Schemas that users write inside mega-files: for `data`, and for the parameters of a factory.
//!
//! A schema is compiled once, offline: only references into itself (`#/...`) are followed, nothing is read from disk or
//! network. What plain JSON Schema would silently ignore or misread (a type word of another language, `required: true`
//! inside a property) is an error that says what to write. Draft 2020-12, whatever `$schema` says.

mod cost;
mod growth;
mod slips;
#[cfg(test)]
mod tests;
mod violations;
mod words;

use std::collections::BTreeMap;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::user_regex::MAX_BYTES;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Kind, NodeId, Tree, yaml};
use crate::span::Span;

pub use violations::{Step, Violation};

/// Most subschemas in one schema: the validator recurses with their nesting.
const MAX_PARTS: usize = 2_000;

/// A JSON Schema written in a mega-file, compiled.
#[derive(Debug)]
pub struct UserSchema {
    schema: Value,
    validator: Validator,
    /// Where each value of the schema is written, by JSON pointer: the key, or the value itself in a list.
    places: BTreeMap<String, Span>,
    /// What messages call the whole value.
    noun: &'static str,
    /// An upper bound of the visits of one value, by its depth.
    visits: Vec<u64>,
}

impl UserSchema {
    /// Compiles the schema at `node`. A schema that says no `type` is one of a mapping. In messages, the value that it
    /// judges is called `noun`: `the data`.
    ///
    /// # Errors
    /// `MX319`, each inside the schema at its place: a keyword with a bad value, an unknown `type`, a reference to a
    /// file or URL, a regular expression that cannot be used.
    pub fn compile(tree: &Tree, node: NodeId, noun: &'static str) -> Result<Self, Diagnostics> {
        let mut found = slips::find(tree, node);
        if found.is_empty() {
            found = cost::check(tree, node);
        }
        if !found.is_empty() {
            found.sort();
            return Err(found);
        }
        let Some(visits) = growth::visits(tree, node) else {
            let finding =
                bad(tree.span(node).head(), "too many parts of the schema judge one another's parts".to_owned());
            return Err(std::iter::once(finding.help("make it simpler")).collect());
        };
        let schema = prepared(yaml::to_json(tree, node));
        let mut places = BTreeMap::new();
        collect(tree, node, tree.span(node), &mut String::new(), &mut places);
        let wrong = against_the_standard(&schema, &places, tree.span(node));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let patterns = PatternOptions::regex().size_limit(MAX_BYTES);
        let options = jsonschema::options().with_draft(Draft::Draft202012).with_pattern_options(patterns).offline();
        match options.build(&schema) {
            Ok(validator) => Ok(Self { schema, validator, places, noun, visits }),
            Err(error) => {
                let span = places.get(error.instance_path().as_str()).copied().unwrap_or(tree.span(node));
                let message = format!("the schema cannot be used: {}", error_text(&error));
                Err(std::iter::once(bad(span, message).help("correct the schema, or remove it")).collect())
            }
        }
    }

    /// The names under `properties`, in the order of the document.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        self.map_of("properties").map(|(name, _)| name.as_str())
    }

    /// The default of a property.
    #[must_use]
    pub fn default_of(&self, name: &str) -> Option<&Value> {
        self.property(name)?.get("default").or_else(|| self.resolved(name)?.get("default"))
    }

    /// The one type of a property; `None` if it has none or several.
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<&str> {
        self.resolved(name)?.get("type")?.as_str()
    }

    /// The names under `required`, in the order of the document.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Where a property is written, for messages.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<Span> {
        self.places.get(&format!("/properties/{}", escaped(name))).copied()
    }

    fn map_of(&self, key: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.schema.get(key).and_then(Value::as_object).into_iter().flatten()
    }

    fn property(&self, name: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(name)
    }

    fn resolved(&self, name: &str) -> Option<&Value> {
        Some(resolve(&self.schema, self.property(name)?).1)
    }
}

/// Follows references; the pointer of the last one and the part that it names. `cost` refused those that go in circles.
fn resolve<'v>(schema: &'v Value, part: &'v Value) -> (Option<&'v str>, &'v Value) {
    let (mut at, mut pointer) = (part, None);
    for _ in 0..cost::MAX_DEPTH {
        let target = at.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let Some((target, next)) = target.and_then(|target| Some((target, schema.pointer(target)?))) else { break };
        (at, pointer) = (next, Some(target));
    }
    (pointer, at)
}

/// The schema as it is compiled: a mapping unless it says otherwise, without an address of its own.
fn prepared(mut schema: Value) -> Value {
    if let Value::Object(map) = &mut schema {
        map.shift_remove("$schema");
        map.shift_remove("$id");
        let says =
            ["type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"].iter().any(|key| map.contains_key(*key));
        if !says {
            map.insert("type".into(), "object".into());
        }
    }
    schema
}

fn bad(span: Span, message: String) -> Diagnostic {
    Diagnostic::new(Code::BadSchema, message).at(span)
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Remembers where every value is written.
fn collect(tree: &Tree, node: NodeId, place: Span, pointer: &mut String, places: &mut BTreeMap<String, Span>) {
    places.insert(pointer.clone(), place);
    let length = pointer.len();
    match tree.kind(node) {
        Kind::Map(entries) => {
            for &(key, value) in entries {
                pointer.push('/');
                pointer.push_str(&escaped(tree.text(key).unwrap_or_default()));
                collect(tree, value, tree.span(key), pointer, places);
                pointer.truncate(length);
            }
        }
        Kind::List(items) => {
            for (index, &item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                collect(tree, item, tree.span(item), pointer, places);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// What the standard's own schema says of this one.
fn against_the_standard(schema: &Value, places: &BTreeMap<String, Span>, whole: Span) -> Diagnostics {
    let standard = jsonschema::draft202012::meta::validator();
    let errors = standard.iter_errors(schema).map(|error| {
        let pointer = error.instance_path().as_str();
        let keyword = pointer.rsplit('/').next().unwrap_or_default();
        let span = places.get(pointer).copied().unwrap_or(whole);
        let message = format!("`{keyword}` has a value that JSON Schema does not allow: {}", error_text(&error));
        bad(span, message).help("see the keyword in JSON Schema, draft 2020-12")
    });
    let mut found: Diagnostics = errors.collect();
    found.collapse(1);
    found
}

/// The validator's words, shortened and in the style of megax.
fn error_text(error: &jsonschema::ValidationError<'_>) -> String {
    let text = error.to_string().replace('"', "`");
    let short: String = text.chars().take(160).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}
