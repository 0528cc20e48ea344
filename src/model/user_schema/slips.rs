//! What people and language models write in a JSON Schema and plain JSON Schema would misread or silently ignore.

use std::collections::BTreeSet;

use super::bad;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::model::user_regex;
use crate::source::{Kind, NodeId, Tree};
use crate::span::Span;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];

/// Type words of programming languages.
const FOREIGN_TYPES: [(&str, &str); 23] = [
    ("str", "string"),
    ("text", "string"),
    ("char", "string"),
    ("varchar", "string"),
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("list", "array"),
    ("tuple", "array"),
    ("sequence", "array"),
    ("dict", "object"),
    ("map", "object"),
    ("mapping", "object"),
    ("hash", "object"),
    ("record", "object"),
    ("struct", "object"),
    ("none", "null"),
    ("nil", "null"),
];

/// Formats that are written where a type belongs.
const FORMATS: [&str; 8] = ["uuid", "date", "date-time", "datetime", "time", "email", "uri", "url"];

/// Keywords whose value is one schema for the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords whose value is a list of schemas for the same value.
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is one schema for parts of the value.
const BELOW: [&str; 7] = [
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "propertyNames",
    "contentSchema",
];
/// Keywords whose value is a mapping of names to schemas for parts of the value, or for nothing yet.
const NAMED: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];

/// The other keywords.
const PLAIN: [&str; 37] = [
    "$schema",
    "$id",
    "$ref",
    "$comment",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "format",
];

/// Words of other tools, and what to write.
const FOREIGN_KEYS: [(&str, &str); 12] = [
    ("min", "minimum"),
    ("max", "maximum"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("min_items", "minItems"),
    ("max_items", "maxItems"),
    ("values", "enum"),
    ("choices", "enum"),
    ("options", "enum"),
    ("regex", "pattern"),
    ("fields", "properties"),
    ("keys", "properties"),
];

/// Keywords whose value is never a mapping, and that are also common names of properties.
const ALSO_NAMES: [&str; 5] = ["title", "description", "type", "format", "pattern"];

/// Which value a part of a schema judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The same as the schema around it.
    Same,
    /// A part of that.
    Below,
}

/// The schemas directly inside the one at `node`.
pub fn parts(tree: &Tree, node: NodeId) -> Vec<(Edge, NodeId)> {
    let mut found = Vec::new();
    for &(key, value) in tree.map(node).unwrap_or_default() {
        let key = tree.text(key).unwrap_or_default();
        let list = || tree.list(value).unwrap_or_default().iter().copied();
        let named = || tree.map(value).unwrap_or_default().iter().map(|&(_, part)| part);
        if SAME.contains(&key) {
            found.push((Edge::Same, value));
        } else if BELOW.contains(&key) {
            found.push((Edge::Below, value));
        } else if SAME_LISTS.contains(&key) {
            found.extend(list().map(|part| (Edge::Same, part)));
        } else if key == "prefixItems" {
            found.extend(list().map(|part| (Edge::Below, part)));
        } else if NAMED.contains(&key) {
            found.extend(named().map(|part| (Edge::Below, part)));
        } else if key == "dependentSchemas" {
            found.extend(named().map(|part| (Edge::Same, part)));
        }
    }
    found
}

/// The schema that the one at `node` refers to.
pub fn target(tree: &Tree, root: NodeId, node: NodeId) -> Option<NodeId> {
    let pointer = tree.text(tree.get(node, "$ref")?)?.strip_prefix('#')?;
    if !(pointer.is_empty() || pointer.starts_with('/')) {
        return None;
    }
    pointer.split('/').skip(1).try_fold(root, |at, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        tree.get(at, &step).or_else(|| tree.list(at)?.get(step.parse::<usize>().ok()?).copied())
    })
}

/// Every slip in the schema at `root`.
pub fn find(tree: &Tree, root: NodeId) -> Diagnostics {
    let mut slips = Slips { tree, root, found: Diagnostics::default() };
    let (mut queue, mut seen) = (vec![(root, None)], BTreeSet::new());
    while let Some((node, name)) = queue.pop() {
        if !seen.insert(node) {
            continue;
        }
        slips.schema(node, name);
        queue.extend(parts(tree, node).into_iter().map(|(_, part)| (part, None)));
        queue.extend(target(tree, root, node).map(|part| (part, None)));
        // Last in, first out: a part is looked at under its name.
        for &(key, value) in tree.map(node).unwrap_or_default() {
            if NAMED.contains(&tree.text(key).unwrap_or_default()) {
                queue.extend(tree.map(value).unwrap_or_default().iter().map(|&(name, part)| (part, Some(name))));
            }
        }
    }
    slips.found
}

struct Slips<'t> {
    tree: &'t Tree,
    root: NodeId,
    found: Diagnostics,
}

impl Slips<'_> {
    fn push(&mut self, finding: Diagnostic) {
        self.found.push(finding);
    }

    /// One schema; `name` is the key of the property that it is for.
    fn schema(&mut self, node: NodeId, name: Option<NodeId>) {
        let span = self.tree.span(node);
        match self.tree.kind(node) {
            Kind::Map(entries) => {
                let strays = self.strays(entries);
                self.below_properties(node, &strays);
                for &(key, value) in entries.iter().filter(|(key, _)| !strays.contains(key)) {
                    self.keyword(node, key, value, name);
                }
            }
            Kind::Bool(_) => {}
            Kind::Text(word, _) => {
                let known = type_word(word).unwrap_or("string");
                let message = format!("`{word}` stands where a schema belongs");
                let finding = bad(span, message).label("a type word alone is no schema");
                self.push(finding.help(format!("write `{{type: {known}}}`")).fix(span, format!("{{type: {known}}}")));
            }
            Kind::Null if name.is_some() => {
                let key = name.and_then(|name| self.tree.text(name)).unwrap_or_default();
                let place = name.map_or(span, |name| self.tree.span(name));
                self.push(
                    bad(place, format!("`{key}` has no schema")).help(format!("write `{key}: {{type: string}}`")),
                );
            }
            other => {
                let message = format!("a schema is a mapping, but this is {}", other.word());
                self.push(bad(span, message).help("write a mapping such as `{type: string}`"));
            }
        }
    }

    /// The keys of a schema that are no keywords but names with schemas: `{name: {type: string}}`, `{name: string}`.
    fn strays(&self, entries: &[(NodeId, NodeId)]) -> Vec<NodeId> {
        let is_stray = |key: NodeId, value: NodeId| {
            let word = self.tree.text(key).unwrap_or_default();
            match self.tree.kind(value) {
                Kind::Map(inner) => {
                    (ALSO_NAMES.contains(&word) || !is_keyword(word)) && self.is_like_a_schema(word, inner)
                }
                Kind::Text(text, _) => {
                    let is_type =
                        TYPES.contains(&&**text) || FOREIGN_TYPES.iter().any(|(foreign, _)| *foreign == &**text);
                    !is_keyword(word) && is_type
                }
                _ => false,
            }
        };
        entries.iter().filter(|&&(key, value)| is_stray(key, value)).map(|&(key, _)| key).collect()
    }

    /// Whether a mapping under `word` has a keyword with a value that fits it.
    fn is_like_a_schema(&self, word: &str, entries: &[(NodeId, NodeId)]) -> bool {
        let fits = |&(key, value): &(NodeId, NodeId)| {
            let key = self.tree.text(key).unwrap_or_default();
            is_keyword(key) && !(ALSO_NAMES.contains(&key) && self.tree.map(value).is_some())
        };
        !word.starts_with("x-") && entries.iter().any(fits)
    }

    /// JSON Schema would ignore these names, and with them all that they demand.
    fn below_properties(&mut self, schema: NodeId, strays: &[NodeId]) {
        let names: Vec<&str> = strays.iter().filter_map(|&key| self.tree.text(key)).collect();
        let Some(&first) = strays.first() else { return };
        let listed = names.join("`, `");
        let message = match strays.len() {
            1 => format!("`{listed}` is no keyword of JSON Schema here and would be ignored"),
            _ => format!("`{listed}` are no keywords of JSON Schema here and would be ignored"),
        };
        let help = if self.tree.get(schema, "properties").is_some() {
            format!("names stand below `properties`: move `{listed}` there")
        } else {
            format!("names stand below `properties`: write `properties: {{{}: ...}}`", names.join(": ..., "))
        };
        self.push(bad(self.tree.span(first), message).help(help));
    }

    fn keyword(&mut self, schema: NodeId, key: NodeId, value: NodeId, name: Option<NodeId>) {
        let word = self.tree.text(key).unwrap_or_default();
        let span = self.tree.span(value);
        match word {
            "type" => self.types(value),
            "required" => self.required(value, name),
            "$ref" => self.reference(schema, value),
            "$dynamicRef" | "$anchor" | "$dynamicAnchor" => {
                let message = format!("`{word}` is not supported");
                self.push(
                    bad(self.tree.span(key), message)
                        .help("put the part under `$defs` and write `$ref: \"#/$defs/NAME\"`"),
                );
            }
            "$id" if schema != self.root => {
                let finding = bad(self.tree.span(key), "`$id` inside a schema is not supported".to_owned());
                self.push(finding.help("remove it; a reference is a path from the top: `#/$defs/NAME`"));
            }
            "pattern" => self.pattern(value),
            "patternProperties" => {
                let keys: Vec<NodeId> = self.tree.map(value).unwrap_or_default().iter().map(|&(key, _)| key).collect();
                for key in keys {
                    self.pattern(key);
                }
                self.named(word, value);
            }
            "properties" | "$defs" | "definitions" | "dependentSchemas" => self.named(word, value),
            "items" if self.tree.list(value).is_some() => {
                let finding = bad(span, "`items` is one schema for every item".to_owned());
                self.push(finding.help("write `prefixItems` for a list with a schema for each place"));
            }
            "nullable" => {
                let finding = bad(self.tree.span(key), "`nullable` is not part of JSON Schema".to_owned());
                self.push(finding.help("list the type: `type: [string, \"null\"]`"));
            }
            "enum" if self.tree.list(value).is_none() => {
                self.push(bad(span, "`enum` is a list".to_owned()).help("write `enum: [first, second]`"));
            }
            _ if SAME_LISTS.contains(&word) && self.tree.list(value).is_none() => {
                let message = format!("`{word}` is a list of schemas");
                self.push(bad(span, message).help(format!("write `{word}: [{{...}}, {{...}}]`")));
            }
            _ => self.unknown(schema, key, word),
        }
    }

    /// A keyword that JSON Schema does not know and would ignore: an error if another was surely meant.
    fn unknown(&mut self, schema: NodeId, key: NodeId, word: &str) {
        if is_keyword(word) || word.starts_with("x-") {
            return;
        }
        let foreign = FOREIGN_KEYS.iter().find(|(foreign, _)| *foreign == word).map(|&(_, ours)| ours);
        let near = (word.len() > 3).then(|| nearest(word, keywords())).flatten();
        let Some(meant) = foreign.or(near).filter(|meant| self.tree.get(schema, meant).is_none()) else { return };
        let span = self.tree.span(key);
        let finding = bad(span, format!("`{word}` is no keyword of JSON Schema and would be ignored"));
        self.push(finding.help(format!("did you mean `{meant}`?")).fix(span, meant));
    }

    fn types(&mut self, value: NodeId) {
        match self.tree.kind(value) {
            Kind::List(items) => items.iter().for_each(|&item| self.one_type(item)),
            _ => self.one_type(value),
        }
    }

    fn one_type(&mut self, value: NodeId) {
        let span = self.tree.span(value);
        let word = match self.tree.kind(value) {
            Kind::Text(word, _) if TYPES.contains(&&**word) => return,
            Kind::Text(word, _) => word,
            Kind::Null => {
                let finding = bad(span, "`null` without quotes is no text, so it names no type".to_owned());
                return self.push(finding.help("quote it: `\"null\"`").fix(span, "\"null\""));
            }
            other => {
                let message = format!("`type` is a word, but this is {}", other.word());
                return self.push(bad(span, message).help(format!("write one of {}", TYPES.join(", "))));
            }
        };
        let finding = bad(span, format!("`{word}` is no type of JSON Schema")).label("not a type");
        self.push(match type_word(word) {
            Some(ours) => finding.help(format!("write `{ours}`")).fix(span, ours),
            None => finding.help(other_type(word)),
        });
    }

    fn required(&mut self, value: NodeId, name: Option<NodeId>) {
        if self.tree.list(value).is_some() {
            return;
        }
        let span = self.tree.span(value);
        let word = name.and_then(|name| self.tree.text(name)).or_else(|| self.tree.text(value)).unwrap_or("NAME");
        let is_bool = matches!(self.tree.kind(value), Kind::Bool(_));
        let finding = bad(span, "`required` is a list of names, beside `properties`".to_owned());
        let help = match self.tree.kind(value) {
            Kind::Bool(false) => "remove it: a property is optional unless it is listed in `required`".to_owned(),
            _ if is_bool => {
                format!("remove it here and write `required: [{word}]` beside the `properties` that hold `{word}`")
            }
            _ => format!("write `required: [{word}]`"),
        };
        self.push(finding.help(help));
    }

    fn reference(&mut self, schema: NodeId, value: NodeId) {
        let span = self.tree.span(value);
        let Some(text) = self.tree.text(value) else {
            let finding = bad(span, "`$ref` is a text".to_owned());
            return self.push(finding.help("quote it (`#` begins a comment): `$ref: \"#/$defs/NAME\"`"));
        };
        if !(text == "#" || text.starts_with("#/")) {
            let finding = bad(span, format!("`{text}` refers to something outside this schema"));
            let help = "megax reads no other file or address for a schema; put the part under `$defs` and write \
                        `$ref: \"#/$defs/NAME\"`";
            return self.push(finding.label("only `#/...` is followed").help(help));
        }
        if target(self.tree, self.root, schema).is_none() {
            self.push(self.dangling(text, span));
        }
    }

    fn dangling(&self, text: &str, span: Span) -> Diagnostic {
        let defs = ["$defs", "definitions"].into_iter().flat_map(|group| {
            let names = self.tree.get(self.root, group).and_then(|defs| self.tree.map(defs)).unwrap_or_default();
            names.iter().filter_map(move |&(key, _)| Some(format!("#/{group}/{}", self.tree.text(key)?)))
        });
        let defs: Vec<String> = defs.collect();
        let finding = bad(span, format!("`{text}` refers to nothing in this schema"));
        match nearest(text, defs.iter().map(String::as_str)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None if defs.is_empty() => finding.help("add the part under `$defs`"),
            None => finding.help(format!("the parts are {}", defs.join(", "))),
        }
    }

    fn pattern(&mut self, value: NodeId) {
        let span = self.tree.span(value);
        let Some(text) = self.tree.text(value) else {
            return self.push(bad(span, "`pattern` is a text".to_owned()).help("put it in single quotes"));
        };
        if let Err(reason) = user_regex::compile(text, false) {
            let message = format!("the regular expression cannot be used: {reason}");
            self.push(bad(span, message).help(user_regex::HELP));
        }
    }

    fn named(&mut self, word: &str, value: NodeId) {
        if self.tree.map(value).is_some() {
            return;
        }
        let first = self.tree.list(value).and_then(|items| self.tree.text(*items.first()?)).unwrap_or("name");
        let finding = bad(self.tree.span(value), format!("`{word}` is a mapping of names to schemas"));
        self.push(finding.help(format!("write `{word}: {{ {first}: {{type: string}} }}`")));
    }
}

/// Every keyword of JSON Schema.
fn keywords() -> impl Iterator<Item = &'static str> {
    let groups = PLAIN.iter().chain(&SAME).chain(&SAME_LISTS).chain(&BELOW).chain(&NAMED);
    groups.copied().chain(["prefixItems", "dependentSchemas", "nullable"])
}

fn is_keyword(word: &str) -> bool {
    keywords().any(|one| one == word)
}

/// The type that a word of another language means, or that was misspelt.
fn type_word(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let foreign = FOREIGN_TYPES.iter().find(|(foreign, _)| *foreign == lower).map(|&(_, ours)| ours);
    let same = TYPES.into_iter().find(|ours| *ours == lower);
    foreign.or(same).or_else(|| nearest(&lower, TYPES))
}

fn other_type(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let item = lower.strip_suffix("[]").or_else(|| {
        let inner = lower.strip_suffix(']')?.split_once('[')?;
        ["list", "array", "set"].contains(&inner.0).then_some(inner.1)
    });
    if let Some(item) = item.and_then(type_word) {
        return format!("write `type: array` and `items: {{type: {item}}}`");
    }
    if FORMATS.contains(&lower.as_str()) {
        let format = if lower == "datetime" { "date-time" } else { &lower };
        return format!("write `type: string` and `format: {format}`");
    }
    match lower.as_str() {
        "any" => "remove `type`: without it every value is allowed".to_owned(),
        "enum" => "write `enum: [first, second]` instead of `type`".to_owned(),
        _ => format!("write one of {}", TYPES.join(", ")),
    }
}
