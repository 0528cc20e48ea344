//! Findings about the keys of a mapping: unknown, missing, or the wrong ones altogether.

use serde_json::Value;

use super::{Explainer, Place, example, list_words};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::schema::problem::{Aspect, Problem};
use crate::source::{Kind, NodeId};

/// Words of other tools, and what megax calls the thing.
const SYNONYMS: &[(&str, &str)] = &[
    ("if", "when"),
    ("condition", "when"),
    ("var", "as"),
    ("variable", "as"),
    ("loop", "for_each"),
    ("each", "for_each"),
    ("items", "for_each"),
    ("files", "generate"),
    ("outputs", "generate"),
    ("output", "path"),
    ("output_path", "path"),
    ("file", "path"),
    ("target", "path"),
    ("source", "copy"),
    ("body", "content"),
    ("context", "with"),
    ("args", "with"),
    ("vars", "with"),
    ("variables", "data"),
    ("parameters", "params"),
    ("depends_on", "dependencies"),
    ("requires", "dependencies"),
    ("generation_templates", "templates"),
    ("template", "text"),
    ("paths", "write_paths"),
    ("min", "min_lines"),
    ("pattern", "files"),
    ("path", "files"),
    ("paths", "files"),
    ("glob", "files"),
    ("action", "policy"),
    ("write", "write_paths"),
    ("read", "read_paths"),
    ("forbidden", "forbidden_paths"),
    ("teams", "between"),
    ("loc", "lines_of_code"),
    ("role", "responsibility"),
    ("deps", "dependencies"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("regex", "matches"),
    ("max", "max_lines"),
    ("excludes", "not_contains"),
    ("valid", "parses"),
];

/// Keys of the native dialect, or of other tools, in a template of the LBOF dialect: what was written, what belongs there.
/// Of the words of other tools, those that can hardly mean anything else.
const CERTAIN: [&str; 22] = [
    "if",
    "condition",
    "var",
    "variable",
    "loop",
    "each",
    "outputs",
    "files",
    "output",
    "output_path",
    "context",
    "args",
    "vars",
    "depends_on",
    "requires",
    "generation_templates",
    "regex",
    "excludes",
    "deps",
    "loc",
    "glob",
    "body",
];

/// Keys of the native dialect, or of other tools, in a template of the LBOF dialect: what was written, what belongs there.
const LBOF_SYNONYMS: &[(&str, &str)] = &[
    ("path", "output_path"),
    ("output", "output_path"),
    ("file", "output_path"),
    ("target", "output_path"),
    ("content", "template"),
    ("text", "template"),
    ("body", "template"),
];

impl Explainer<'_> {
    pub(super) fn unknown_key(&self, place: &Place<'_>, path: &str, key: &str) -> Problem {
        let known: Vec<&str> = properties(place.rule).map(|(name, _)| name).collect();
        let free: Vec<&str> =
            known.iter().copied().filter(|name| self.tree.entry(place.node, name).is_none()).collect();
        let near = nearest(key, free.iter().copied());
        let synonym =
            || SYNONYMS.iter().find(|&&(word, name)| word == key && free.contains(&name)).map(|&(_, name)| name);
        let meant = near.or_else(synonym);

        let span =
            self.tree.entry(place.node, key).map_or(self.tree.span(place.node), |(node, _)| self.tree.span(node));
        if meant.is_none() && known == ["for_each", "as", "when", "value"] && free.contains(&"value") {
            return self.value_not_named(place, path);
        }
        let inside = if place.path.is_empty() { String::new() } else { format!(" in {}", self.name(place)) };
        let message = format!("unknown key `{key}`{inside}");
        let mut diagnostic = Diagnostic::new(Code::UnknownKey, message).at(span).label("not a key of the format");
        let below =
            || properties(place.rule).find(|(_, part)| properties(self.resolve(part)).any(|(name, _)| name == key));
        diagnostic = match meant.ok_or_else(below) {
            Ok(name) => diagnostic.help(format!("did you mean `{name}`?")),
            Err(None) if known.contains(&"with") && self.tree.entry(place.node, "factory").is_some() => {
                diagnostic.help(format!("the arguments of a factory stand below `with`: `with: {{{key}: ...}}`"))
            }
            Err(Some((above, _))) => diagnostic.help(format!("put it below `{above}:`")),
            Err(None) if !place.path.is_empty() && properties(self.schema).any(|(name, _)| name == key) => {
                diagnostic.help(format!("`{key}` stands at the top level of {}", self.noun))
            }
            Err(None) if known.is_empty() => diagnostic.help("remove it; no key is allowed here"),
            Err(None) => diagnostic.help(format!("remove it, or use one of the keys {}", list_words(known))),
        };
        if let (None, Some(help)) = (meant, self.loop_in(place, key)) {
            diagnostic = diagnostic.help(help);
        }
        let certain = near.or_else(|| synonym().filter(|name| self.is_certain(place, key, name)));
        if let Some(name) = certain {
            diagnostic = diagnostic.fix(span, name);
        }
        let aspect = Aspect::Key { unknown: key.to_owned(), meant: meant.map(str::to_owned) };
        Problem { path: path.to_owned(), aspect, diagnostic }
    }

    /// `for_each: item` with `in: data.items`, as other tools write a loop.
    fn loop_in(&self, place: &Place<'_>, key: &str) -> Option<String> {
        let takes = |name| properties(place.rule).any(|(known, _)| known == name);
        if key != "in" || !takes("for_each") || !takes("as") {
            return None;
        }
        let text = |name| self.tree.get(place.node, name).and_then(|node| self.tree.text(node));
        let is_name = |text: &&str| {
            !text.is_empty() && text.len() < 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let list = text("in").filter(|text| text.len() < 60 && !text.contains('\n')).unwrap_or("data.items");
        let item = text("for_each").filter(is_name).unwrap_or("item");
        Some(format!(
            "`for_each` takes the list and `as` the name of its item: write `for_each: {list}` and `as: {item}`"
        ))
    }

    /// Whether the word of another tool can be replaced: what stands under it is what the other key takes.
    fn is_certain(&self, place: &Place<'_>, key: &str, name: &str) -> bool {
        let value = self.tree.get(place.node, key).map(|value| self.tree.kind(value));
        let wanted = properties(place.rule).find(|(known, _)| *known == name).map(|(_, part)| self.resolve(part));
        let (Some(value), Some(wanted)) = (value, wanted) else { return false };
        let word = match value {
            Kind::Text(..) => "string",
            Kind::List(_) => "array",
            Kind::Map(_) => "object",
            Kind::Bool(_) => "boolean",
            Kind::Int(_) => "integer",
            _ => return false,
        };
        CERTAIN.contains(&key) && super::types(wanted).contains(&word)
    }

    /// A contribution whose keys are the value itself.
    fn value_not_named(&self, place: &Place<'_>, path: &str) -> Problem {
        let message = format!("{} does not say what it gives: `value` is missing", self.name(place));
        let keys = self.tree.map(place.node).unwrap_or_default().iter().filter_map(|&(key, _)| self.tree.text(key));
        let known = |key: &str| properties(place.rule).any(|(name, _)| name == key);
        let own: Vec<String> = keys.filter(|key| !known(key)).map(|key| format!("{key}: ...")).collect();
        let help = format!("put the keys below `value`: `value: {{{}}}`", own.join(", "));
        let span = self.heading(place);
        let diagnostic = Diagnostic::new(Code::MissingKey, message).at(span).label("`value` is missing").help(help);
        Problem { path: path.to_owned(), aspect: Aspect::Shape, diagnostic }
    }

    pub(super) fn missing_key(&self, place: &Place<'_>, key: &str) -> Diagnostic {
        let name = self.name(place);
        let hint = place.rule.get("x-hint").and_then(Value::as_str);
        let message = match hint {
            Some(hint) => format!("{name} is not complete: {hint}"),
            None => format!("{name} lacks the required key `{key}`"),
        };
        let diagnostic =
            Diagnostic::new(Code::MissingKey, message).at(self.heading(place)).label(format!("`{key}` is missing"));
        if let (None, Some((node, word))) = (hint, self.misspelt(place, key)) {
            return diagnostic.help(format!("did you mean `{key}` by `{word}`?")).fix(self.tree.span(node), key);
        }
        if let (None, Some((node, word))) = (hint, self.renamed(place, key)) {
            return diagnostic.help(format!("write `{key}` instead of `{word}`")).fix(self.tree.span(node), key);
        }
        let find = |part| properties(part).find(|(name, _)| *name == key).map(|(_, property)| property);
        let property = find(place.rule).or_else(|| find(place.outer));
        let sample = property.and_then(|part| example(part).or_else(|| example(self.resolve(part))));
        let what = property.and_then(|part| part.get("description")).and_then(Value::as_str).map(first_sentence);
        let mut help = format!("add `{key}: {}`", sample.as_deref().unwrap_or("..."));
        if let (None, Some(what)) = (hint, what) {
            help = format!("{help} ({what})");
        }
        diagnostic.help(help)
    }

    /// A key of the mapping that the format does not know and that is almost `wanted`.
    fn misspelt(&self, place: &Place<'_>, wanted: &str) -> Option<(NodeId, &str)> {
        let entries = self.tree.map(place.node)?.iter();
        let words = entries.filter_map(|&(key, _)| Some((key, self.tree.text(key)?)));
        let is_known = |word| properties(place.rule).any(|(name, _)| name == word);
        words.into_iter().find(|&(_, word)| !is_known(word) && nearest(word, [wanted]).is_some())
    }

    /// A key of the mapping that says `wanted` in the words of the native dialect or of another tool.
    fn renamed(&self, place: &Place<'_>, wanted: &str) -> Option<(NodeId, &str)> {
        let words = LBOF_SYNONYMS.iter().filter(|(_, name)| *name == wanted).map(|&(word, _)| word);
        let mut words = words.filter(|word| !properties(place.rule).any(|(name, _)| name == *word));
        words.find_map(|word| Some((self.tree.entry(place.node, word)?.0, word)))
    }

    /// An entry of `generate` without `path` that is no single pair.
    pub(super) fn wrong_entry(&self, place: &Place<'_>, path: &str) -> Vec<Problem> {
        let entries = self.tree.map(place.node).unwrap_or_default();
        let keys: Vec<&str> = entries.iter().filter_map(|&(key, _)| self.tree.text(key)).collect();
        let name = self.name(place);
        let is_path = |key: NodeId| matches!(self.tree.text(key), Some("output_path" | "output" | "target" | "file"));
        let has_content = keys.iter().any(|key| matches!(*key, "template" | "content" | "copy"));
        let synonym = || entries.iter().map(|&(key, _)| key).find(|&key| is_path(key)).filter(|_| has_content);
        let diagnostic = match self.misspelt(place, "path").map(|(key, _)| key).or_else(synonym) {
            Some(key) => {
                let word = self.tree.text(key).unwrap_or_default();
                let span = self.tree.span(key);
                Diagnostic::new(Code::UnknownKey, format!("unknown key `{word}` in {name}"))
                    .at(span)
                    .label("not a key of the format")
                    .help("did you mean `path`?")
                    .fix(span, "path")
            }
            None if keys.is_empty() => Diagnostic::new(Code::BadValue, format!("{name} is empty"))
                .at(self.tree.span(place.node))
                .help("write `- template: \"path\"`, or a mapping with `path`"),
            None if keys.contains(&"factory") => {
                let span = self.tree.entry(place.node, "factory").map_or(place.node, |(key, _)| key);
                Diagnostic::new(
                    Code::UnknownKey,
                    format!("{name} calls a factory, which a rule does, not a file of it"),
                )
                .at(self.tree.span(span))
                .label("a key of a rule")
                .help("make it a rule of its own: `- factory: NAME`, with `for_each` and `with` beside it")
            }
            None => {
                let message = format!("{name} has the keys {} but no `path`", list_words(keys.iter().copied()));
                let help = "add `path: \"...\"`; or, if every key is a template, begin every line with `- `: \
                            `- template: \"path\"`";
                Diagnostic::new(Code::MissingKey, message).at(self.heading(place)).label("`path` is missing").help(help)
            }
        };
        vec![Problem { path: path.to_owned(), aspect: Aspect::Shape, diagnostic }]
    }
}

/// The known keys of a mapping with their parts of the schema.
pub(super) fn properties(rule: &Value) -> impl Iterator<Item = (&str, &Value)> {
    rule.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, part)| (name.as_str(), part))
}

/// The first sentence of a description, without its stop.
fn first_sentence(text: &str) -> String {
    let first = text.split(". ").next().and_then(|part| part.split(".\n").next()).unwrap_or(text);
    first.trim_end_matches('.').split_whitespace().collect::<Vec<_>>().join(" ")
}
