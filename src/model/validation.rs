//! The `validation:` block: `data` against the schema that the mega-file declares, and the tests of its files, made
//! ready. The tests themselves are judged in `verify`, when there are files.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Map, Value};

use super::user_schema::{Step, UserSchema};
use super::wire::NativeWire;
use super::wire::native::{TestWire, ValidationWire};
use super::wire::shape::StringsWire;
use super::{DataSource, user_regex};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::glob::PathPattern;
use crate::source::decode::{Raw, Spanned};
use crate::source::{NodeId, Tree, yaml};
use crate::span::Span;

/// A test of the generated files that a pattern selects. Every check has the place where it is written.
#[derive(Debug)]
pub struct FileTest {
    /// Where it is written.
    pub span: Span,
    /// Which files.
    pub files: (PathPattern, Span),
    /// How many match: least and most.
    pub count: Option<(u64, u64, Span)>,
    /// Texts that every file holds.
    pub contains: Vec<(String, Span)>,
    /// Texts that no file holds.
    pub not_contains: Vec<(String, Span)>,
    /// Expressions that every file matches.
    pub matches: Vec<(Regex, Span)>,
    /// Fewest lines.
    pub min_lines: Option<(u64, Span)>,
    /// Most lines.
    pub max_lines: Option<(u64, Span)>,
    /// Whether every file has to be valid in its language.
    pub parses: Option<Span>,
}

/// The data of a mega-file with its places: each top-level key may stand in a tree of its own.
#[derive(Debug, Default)]
pub struct PlacedData<'t> {
    /// The key, where it stands, and its value.
    pub entries: Vec<(String, Span, &'t Tree, NodeId)>,
    /// Where the whole is written, if it is.
    pub whole: Option<Span>,
}

impl<'t> PlacedData<'t> {
    /// The entries of the mapping at `node`, whose key stands at `whole`.
    #[must_use]
    pub fn of(tree: &'t Tree, node: NodeId, whole: Span) -> Self {
        let entries = tree.map(node).unwrap_or_default().iter();
        let entries =
            entries.map(|&(key, value)| (tree.text(key).unwrap_or_default().to_owned(), tree.span(key), tree, value));
        Self { entries: entries.collect(), whole: Some(whole) }
    }

    /// The value that a schema judges.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let pairs = self.entries.iter().map(|(key, _, tree, node)| (key.clone(), yaml::to_json(tree, *node)));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    /// Where a path into the data is written; with `on_key`, the key at its end. `None` for what is written nowhere.
    #[must_use]
    pub fn place(&self, path: &[Step], on_key: bool) -> Option<Span> {
        let Some((Step::Key(first), rest)) = path.split_first() else { return self.whole };
        let (_, key, tree, node) = self.entries.iter().find(|(name, ..)| name == first)?;
        let (mut key, mut node) = (Some(*key), *node);
        for step in rest {
            let next = match step {
                Step::Key(name) => tree.entry(node, name).map(|(key, value)| (Some(tree.span(key)), value)),
                Step::Index(index) => tree.list(node).and_then(|items| items.get(*index)).map(|&item| (None, item)),
            };
            let Some((next_key, next)) = next else { break };
            (key, node) = (next_key, next);
        }
        let value = tree.span(node);
        let first_key = || tree.map(node).and_then(|entries| entries.first()).map(|&(key, _)| tree.span(key));
        // A value that is not there (`key:` and nothing) has no text to point at.
        if on_key || value.start == value.end { key.or_else(first_key).or(Some(value)) } else { Some(value) }
    }
}

/// Everything in the data that does not satisfy the schema: `MX318`. `schema_key` is where the schema is declared.
#[must_use]
pub fn check_data(schema: &UserSchema, data: &PlacedData<'_>, schema_key: Span) -> Diagnostics {
    let found = schema.violations(&data.to_json()).into_iter().map(|violation| {
        let place = data.place(&violation.path, violation.on_key);
        let mut finding = Diagnostic::new(Code::DataSchema, violation.message).at(place.unwrap_or(schema_key));
        finding.help = violation.help;
        // A key in quotes is left to the author: the quotes may be needed (JSON).
        let bare = |place: Span, last: Option<&Step>| {
            matches!(last, Some(Step::Key(key)) if (place.end - place.start) as usize == key.len())
        };
        if let (Some(place), Some(fix)) = (place, violation.fix)
            && (!violation.on_key || bare(place, violation.path.last()))
        {
            finding = finding.fix(place, fix);
        }
        finding.related(violation.rule.unwrap_or(schema_key), "the schema demands it here")
    });
    found.collect()
}

/// Checks the data and makes the tests ready.
pub(super) fn lower(
    tree: &Arc<Tree>,
    wire: &NativeWire,
    sources: &[DataSource],
    findings: &mut Diagnostics,
) -> Vec<FileTest> {
    let Some(validation) = &wire.validation else { return Vec::new() };
    if let Some(Raw(node)) = validation.schema {
        match UserSchema::compile(tree, node, "`data`") {
            Ok(schema) => {
                let whole = tree.entry(tree.root(), "data").map(|(key, _)| tree.span(key));
                let mut data = match (wire.data, whole) {
                    (Some(Raw(data)), Some(whole)) => PlacedData::of(tree, data, whole),
                    _ => PlacedData::default(),
                };
                data.entries
                    .extend(sources.iter().map(|one| (one.name.clone(), one.span, &*one.tree, one.tree.root())));
                if let Some(level) = level_too_many(tree, node, &data) {
                    findings.push(level);
                    return tests_of(tree, validation, findings);
                }
                let key = tree.get(tree.root(), "validation").and_then(|block| tree.entry(block, "schema"));
                findings.extend(check_data(&schema, &data, tree.span(key.map_or(node, |(key, _)| key))));
            }
            Err(found) => findings.extend(found),
        }
    }
    tests_of(tree, validation, findings)
}

fn tests_of(tree: &Tree, validation: &ValidationWire, findings: &mut Diagnostics) -> Vec<FileTest> {
    validation.tests.iter().flatten().filter_map(|test| file_test(tree, test, findings)).collect()
}

/// A schema over the whole mega-file, `properties: {data: ...}`: it would find no `data` in `data` and demand nothing.
fn level_too_many(tree: &Tree, schema: NodeId, data: &PlacedData<'_>) -> Option<Diagnostic> {
    let (key, _) = tree.entry(tree.get(schema, "properties")?, "data")?;
    if data.entries.iter().any(|(name, ..)| name == "data") {
        return None;
    }
    let message = "the schema describes `data` itself, so its `properties` are the keys of `data`";
    let help = "leave out this level: write what stands below it in its place";
    Some(Diagnostic::new(Code::BadSchema, message).at(tree.span(key)).help(help))
}

fn file_test(tree: &Tree, wire: &Spanned<TestWire>, findings: &mut Diagnostics) -> Option<FileTest> {
    let test = &wire.value;
    let texts = |wire: Option<&StringsWire>| -> Vec<(String, Span)> {
        let texts = wire.into_iter().flat_map(StringsWire::as_slice);
        texts.map(|text| (text.value.clone(), tree.span(text.node))).collect()
    };
    let lines = |wire: Option<&Spanned<u64>>| wire.map(|lines| (lines.value, tree.span(lines.node)));
    let mut matches = Vec::new();
    for (text, span) in texts(test.matches.as_ref()) {
        match user_regex::compile(&text, true) {
            Ok(regex) => matches.push((regex, span)),
            Err(reason) => {
                let message = format!("the regular expression cannot be used: {reason}");
                findings.push(Diagnostic::new(Code::BadValue, message).at(span).help(user_regex::HELP));
            }
        }
    }
    let contains = texts(test.contains.as_ref());
    let not_contains = texts(test.not_contains.as_ref());
    for (_, span) in contains.iter().chain(&not_contains).filter(|(text, _)| text.is_empty()) {
        let finding = Diagnostic::new(Code::BadValue, "every file contains the empty text").at(*span);
        findings.push(finding.help("write the text that is meant"));
    }
    let count = test.count.as_ref().map(|count| {
        let (min, max) = count.value.bounds();
        (min, max, tree.span(count.node))
    });
    let (min_lines, max_lines) = (lines(test.min_lines.as_ref()), lines(test.max_lines.as_ref()));
    let ends = |(min, _): (u64, Span), (max, span): (u64, Span)| (min, max, span);
    for (min, max, span) in count.into_iter().chain(min_lines.zip(max_lines).map(|(min, max)| ends(min, max))) {
        if min > max {
            let message = format!("no number is at least {min} and at most {max}");
            findings.push(Diagnostic::new(Code::BadValue, message).at(span).help("exchange the two numbers"));
        }
    }
    Some(FileTest {
        span: tree.span(wire.node),
        files: pattern(tree, &test.files, findings)?,
        count,
        contains,
        not_contains,
        matches,
        min_lines,
        max_lines,
        parses: test.parses.as_ref().filter(|parses| parses.value).map(|parses| tree.span(parses.node)),
    })
}

fn pattern(tree: &Tree, wire: &Spanned<String>, findings: &mut Diagnostics) -> Option<(PathPattern, Span)> {
    let span = tree.span(wire.node);
    let text = wire.value.trim();
    if let Some(starred) = starred(text) {
        let finding = Diagnostic::new(Code::BadValue, "`files` of a test takes no placeholders").at(span);
        let help = format!("a test selects paths that are generated; write a glob such as `{starred}`");
        findings.push(finding.label("a path of a rule, not a glob").help(help).fix(span, format!("\"{starred}\"")));
        return None;
    }
    match PathPattern::parse(text, false) {
        Ok(pattern) => Some((pattern, span)),
        Err(why) => {
            let message = format!("`{text}` is no valid path pattern: {why}");
            let help = "`*` is any name, `**/` any folders; a bracket of a name is written `[[]`";
            findings.push(Diagnostic::new(Code::BadValue, message).at(span).help(help));
            None
        }
    }
}

/// The text with `*` for each placeholder, if it holds one: `{name}`, `{{ name }}` or `{@pattern}`. `{ts,tsx}` is a part
/// of a glob.
fn starred(text: &str) -> Option<String> {
    let (mut out, mut rest, mut found) = (String::new(), text, false);
    while let Some(open) = rest.find('{') {
        let inner = rest.get(open..)?;
        let close =
            if inner.starts_with("{{") { inner.find("}}").map(|at| at + 2) } else { inner.find('}').map(|at| at + 1) };
        let Some(close) = close else { break };
        let whole = inner.get(..close)?;
        let is_choice = whole.contains(',') && !whole.starts_with("{{");
        out.push_str(rest.get(..open)?);
        out.push_str(if is_choice {
            whole
        } else if whole.starts_with("{@") {
            "**"
        } else {
            "*"
        });
        found |= !is_choice;
        rest = inner.get(close..)?;
    }
    found.then(|| out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_a_pattern_become_stars() {
        for (text, expected) in [
            ("src/{entity}/{Entity}.ts", Some("src/*/*.ts")),
            ("{@api}/x.ts", Some("**/x.ts")),
            ("src/{{ entity.name }}.ts", Some("src/*.ts")),
            ("src/**/*.{ts,tsx}", None),
            ("src/a.ts", None),
            ("src/{", None),
        ] {
            assert_eq!(starred(text).as_deref(), expected, "{text}");
        }
    }
}
