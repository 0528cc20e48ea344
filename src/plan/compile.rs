//! Prepares the entries of a rule: compiles their paths, conditions, values and bodies, with all that a body includes.
//!
//! What is wrong becomes a finding of the run; nothing is rendered here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Value;

use super::expand::Run;
use super::frame::Frame;
use super::{locate, words};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::limit::Limit;
use crate::model::{Content, Entry, MegaFile, Rule, Template, TextPlace};
use crate::source::{Kind, NodeId, read};
use crate::span::Span;
use crate::template::{
    Origin, Slots, Source, Syntax, Unit, Vocabulary, Word, includes_by_value, is_expression, references, slots,
};

/// An entry, ready to run: its unit and the texts of its path.
pub(super) struct Ready<'r> {
    pub(super) entry: &'r Entry,
    pub(super) unit: Arc<Unit>,
    pub(super) paths: Vec<PathPart>,
    pub(super) body: Option<Arc<str>>,
    pub(super) template: Arc<str>,
    pub(super) with: Vec<(Arc<str>, NodeId)>,
    /// For the texts of `with`, which see the round but not one another; `None` without `with`.
    pub(super) outer: Option<Unit>,
    /// The slots that the file is made from.
    pub(super) reads: Option<Arc<Slots>>,
}

/// One compiled text of a path.
pub(super) struct PathPart {
    /// Its name in the unit.
    pub(super) name: String,
    pub(super) node: NodeId,
    /// How the text says "the output root": `/`, `./` or nothing.
    pub(super) root: &'static str,
}

/// What a path's text begins with when it names the output root. Only texts say so, never values.
fn root_prefix(text: &str) -> &'static str {
    let prefixed = |prefix: &str| text.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with('/'));
    ["/", "./"].into_iter().find(|prefix| prefixed(prefix)).unwrap_or_default()
}

/// The file that a template or path is named by in its unit.
pub(super) fn inline_name(node: NodeId) -> String {
    format!("inline {}", node.0)
}

impl<'a> Run<'a> {
    /// Compiles what an entry uses. `None` if its path cannot be rendered; what is wrong with the body is reported, but
    /// the paths are still looked at, so that all problems come at once.
    pub(super) fn prepare<'r>(
        &mut self,
        rule: &'r Rule,
        entry: &'r Entry,
        frame: &Frame,
        variables: &[(String, Vec<Value>)],
        reads: &Slots,
    ) -> Option<Ready<'r>> {
        let errors_before = self.errors();
        let mut reads = reads.clone();
        let mut with: BTreeMap<&str, NodeId> = BTreeMap::new();
        if rule.call.is_none() {
            with.extend(rule.with.iter().map(|(key, node)| (key.as_str(), *node)));
        }
        with.extend(entry.with.iter().map(|(key, node)| (key.as_str(), *node)));
        let keys: Vec<String> = with.keys().map(|key| (*key).to_owned()).collect();
        let mut words = words::of_rule(&self.names(rule, frame, variables, &keys));
        if let Content::Template(name, _) = &entry.content
            && let Some(template) = self.mega.templates.get(name)
        {
            words.add_plurals(&template.plurals);
        }
        let outer = (!with.is_empty()).then(|| self.prepare_with(rule, frame, variables, &with, &mut reads));
        let mut unit = Unit::new(Arc::new(words), self.around.limits);
        let paths = self.compile_paths(&mut unit, rule, entry, &mut reads);
        if let Some(node) = entry.when {
            self.check_expression(&unit, node);
            reads.add(&slots::of_expression(self.mega.tree.text(node).unwrap_or_default()));
        }
        let errors = self.errors();
        let (body, template) = self.compile_body(&mut unit, &entry.content, &mut reads);
        let with = with.into_iter().map(|(key, node)| (Arc::from(key), node)).collect();
        let reads = (!reads.is_empty()).then(|| Arc::new(reads));
        let ready = Ready { entry, unit: Arc::new(unit), paths, body, template, with, outer, reads };
        (errors == errors_before).then_some(ready)
    }

    /// Compiles the values of `with`. They see what the rule sees without them; a name that only `with` binds is
    /// known, but has no value yet.
    fn prepare_with(
        &mut self,
        rule: &Rule,
        frame: &Frame,
        variables: &[(String, Vec<Value>)],
        with: &BTreeMap<&str, NodeId>,
        reads: &mut Slots,
    ) -> Unit {
        let mut words: Vocabulary = words::of_rule(&self.names(rule, frame, variables, &[]));
        for key in with.keys() {
            words.add(*key, Word::Value(Origin::With(usize::MAX), crate::template::Change::None));
        }
        let mut unit = Unit::new(Arc::new(words), self.around.limits);
        for node in with.values() {
            self.compile_values(&mut unit, *node);
            self.reads_of_value(&unit, *node, reads);
        }
        unit
    }

    /// Compiles the texts of a path; patterns are put in first. A leading `/` or `./` of the first text means the
    /// output root.
    fn compile_paths(&mut self, unit: &mut Unit, rule: &Rule, entry: &Entry, reads: &mut Slots) -> Vec<PathPart> {
        let mut parts = Vec::new();
        for &node in &entry.path.parts {
            let written = self.mega.tree.text(node).unwrap_or_default();
            let Some(text) = self.with_patterns(rule, node, written) else { continue };
            let name = format!("path {}", node.0);
            self.compile(unit, &name, node, &text, text == written);
            reads.add(&slots::of_template(&inline_source(&name, &text), unit.words()));
            let root = if parts.is_empty() { root_prefix(&text) } else { "" };
            parts.push(PathPart { name, node, root });
        }
        parts
    }

    /// Replaces `{@name}` by the pattern's text; a pattern may use patterns that stand before it.
    fn with_patterns(&mut self, rule: &Rule, node: NodeId, written: &str) -> Option<String> {
        let mut text = written.to_owned();
        for _ in 0..8 {
            let Some(start) = text.find("{@") else { return Some(text) };
            let Some(end) = text[start..].find('}').map(|end| start + end) else {
                let message = format!("`{}` is never closed with `}}`", &text[start..]);
                self.error(Code::UnknownPattern, self.mega.tree.span(node), message, "write `{@name}`".to_owned());
                return None;
            };
            let name = text[start + 2..end].to_owned();
            let Some((_, pattern)) = rule.patterns.iter().find(|(key, _)| *key == name) else {
                let known: Vec<&str> = rule.patterns.iter().map(|(key, _)| key.as_str()).collect();
                let near = nearest(&name, known.iter().copied());
                let help = near.map_or_else(
                    || {
                        if known.is_empty() {
                            "no `patterns` are defined".to_owned()
                        } else {
                            format!("the patterns are {}", known.join(", "))
                        }
                    },
                    |near| format!("did you mean `{{@{near}}}`?"),
                );
                let exact = text == written;
                let range = if exact { start..end + 1 } else { 0..usize::MAX };
                let issue = crate::template::Issue::new(
                    Code::UnknownPattern,
                    range,
                    format!("there is no path pattern `{name}`"),
                );
                let issue = match near.filter(|_| exact) {
                    Some(near) => issue.fix(start + 2..end, near),
                    None => issue,
                };
                self.findings.push(locate(self.mega, self.around.sources, node, &issue.help(help)));
                return None;
            };
            let pattern = self.mega.tree.text(*pattern).unwrap_or_default();
            text.replace_range(start..=end, pattern.trim_end_matches('/'));
        }
        let span = self.mega.tree.span(node);
        self.error(
            Code::UnknownPattern,
            span,
            "the path patterns refer to one another without end".to_owned(),
            "use plain text in one of them".to_owned(),
        );
        None
    }

    /// Compiles one text under `name`. `exact`: offsets of `text` are offsets of the node's value.
    fn compile(&mut self, unit: &mut Unit, name: &str, node: NodeId, text: &str, exact: bool) {
        if unit.has(name) {
            return;
        }
        if !self.may_compile(text, self.mega.tree.span(node)) {
            return;
        }
        let source = inline_source(name, text);
        let (_, issues) = unit.add(&source);
        for issue in issues {
            let mut issue = issue;
            if !exact {
                // The place inside a pattern is not a place inside this path: point at the whole path.
                issue.range = 0..usize::MAX;
                issue.fix = None;
            }
            self.findings.push(locate(self.mega, self.around.sources, node, &issue));
        }
    }

    /// Compiles the texts inside a `with` value.
    pub(super) fn compile_values(&mut self, unit: &mut Unit, node: NodeId) {
        match self.mega.tree.kind(node) {
            Kind::Text(text, _) if is_expression(text) => self.check_expression(unit, node),
            Kind::Text(text, _) => {
                let text = text.to_string();
                self.compile(unit, &inline_name(node), node, &text, true);
            }
            Kind::List(items) => items.clone().into_iter().for_each(|item| self.compile_values(unit, item)),
            Kind::Map(entries) => entries.clone().into_iter().for_each(|(_, value)| self.compile_values(unit, value)),
            _ => {}
        }
    }

    /// Compiles the body and everything it includes; returns its name in the unit and its name for reports.
    fn compile_body(&mut self, unit: &mut Unit, content: &Content, reads: &mut Slots) -> (Option<Arc<str>>, Arc<str>) {
        match content {
            Content::Template(name, span) => {
                self.compile_template(unit, name, *span, reads);
                (Some(Arc::from(name.as_str())), Arc::from(name.as_str()))
            }
            Content::Inline(node) => {
                let text = self.mega.tree.text(*node).unwrap_or_default().to_owned();
                let name = inline_name(*node);
                self.compile(unit, &name, *node, &text, true);
                reads.add(&slots::of_template(&inline_source(&name, &text), unit.words()));
                (Some(Arc::from(name.as_str())), Arc::from("inline"))
            }
            Content::Copy(from, span) => {
                if let Some(Err(why)) = self.around.assets.get(from) {
                    let is_large = *why == read::too_large(self.around.limits, Limit::AssetBytes);
                    let help = if is_large {
                        Limit::AssetBytes.help("put it there by hand")
                    } else {
                        let what =
                            "a copied file is a regular file inside the project, named relative to the project root";
                        what.to_owned()
                    };
                    self.error(Code::BadCopy, *span, format!("`{from}` cannot be copied: {why}"), help);
                }
                (None, Arc::from("copy"))
            }
            Content::Empty => (None, Arc::from("empty")),
        }
    }

    /// Looks only whether a template of this name exists.
    pub(super) fn name_only(&mut self, content: &Content) {
        let Content::Template(name, span) = content else { return };
        if self.mega.template(name).is_some() {
            self.used.insert(name.clone());
        } else {
            let finding = unknown_template(self.mega, name, *span, Code::UnknownTemplate);
            self.findings.push(finding);
        }
    }

    /// Compiles a template and what it includes, extends or imports, each once. Where nobody can tell which templates a
    /// text includes, all are compiled; a shared one that does not fit these names is then left out.
    fn compile_template(&mut self, unit: &mut Unit, name: &str, named_at: Span, reads: &mut Slots) {
        let closure = self.closure(unit, name, named_at);
        let together = closure.len() > 1;
        let mut bound = BTreeSet::new();
        if together {
            for one in &closure {
                bound.extend(crate::template::bound_names(self.mega.text(one.template.text, self.around.sources)));
            }
        }
        let (mega, sources) = (self.mega, self.around.sources);
        for Reached { name, template, used_at, by_value } in closure {
            if unit.has(&name) {
                continue;
            }
            let text = mega.text(template.text, sources);
            let source = template_source(&name, text, template, &bound, together);
            reads.add(&slots::of_template(&source, unit.words()));
            let (_, issues) = unit.add(&source);
            let is_shared = matches!(template.text, TextPlace::File(_));
            if is_shared && by_value && issues.iter().any(crate::template::Issue::is_error) {
                continue;
            }
            self.findings.extend(issues.iter().map(|issue| {
                let finding = locate(mega, sources, template.text, issue);
                if is_shared { finding.related(used_at, "the mega-file uses it here") } else { finding }
            }));
        }
    }

    /// A template and everything that it can reach, sorted by name.
    fn closure(&mut self, unit: &Unit, name: &str, named_at: Span) -> Vec<Reached<'a>> {
        let (mega, sources) = (self.mega, self.around.sources);
        let mut queue = vec![(name.to_owned(), named_at, named_at, false)];
        let mut closure: Vec<Reached<'a>> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut has_all = false;
        while let Some((name, span, used_at, by_value)) = queue.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let Some(template) = mega.template(&name) else {
                let code = if closure.is_empty() { Code::UnknownTemplate } else { Code::UnknownInclude };
                let finding = unknown_template(mega, &name, span, code);
                // An include inside a shared template also names the place in the mega-file.
                let inside = span.file != mega.file();
                if inside && by_value {
                    continue;
                }
                self.findings.push(if inside {
                    finding.related(used_at, "the mega-file uses it here")
                } else {
                    finding
                });
                continue;
            };
            self.used.insert(name.clone());
            let none = BTreeSet::new();
            let text = mega.text(template.text, sources);
            if !self.may_compile(text, named_at) {
                break;
            }
            let source = template_source(&name, text, template, &none, false);
            if !has_all && includes_by_value(&source, unit.words()) {
                has_all = true;
                let names = mega.templates.keys().chain(mega.shared.templates.keys());
                // Below what is named outright, so that a name keeps its own place.
                queue.splice(0..0, names.map(|name| (name.clone(), span, used_at, true)));
            }
            for (reference, range) in references(&source, unit.words()) {
                let at = super::place_of(mega, sources, template.text, range);
                let used_at = if at.file == mega.file() { at } else { used_at };
                queue.push((reference, at, used_at, by_value));
            }
            closure.push(Reached { name, template, used_at, by_value });
        }
        closure.sort_by(|a, b| a.name.cmp(&b.name));
        closure
    }
}

/// A template that a body can reach.
struct Reached<'t> {
    name: String,
    template: &'t Template,
    /// The last place in the mega-file on the way to it.
    used_at: Span,
    /// Whether only its name's value may reach it.
    by_value: bool,
}

/// A text that is no template of the mega-file: a path (by its name in the unit), a value, an inline body.
pub(super) fn inline_source<'t>(name: &'t str, text: &'t str) -> Source<'t> {
    const NONE: &BTreeSet<String> = &BTreeSet::new();
    Source {
        name,
        text,
        syntax: Syntax::Auto,
        literal: &[],
        placeholders: &[],
        is_path: name.starts_with("path "),
        also_bound: NONE,
        shared: false,
        traced: None,
    }
}

fn template_source<'t>(
    name: &'t str,
    text: &'t str,
    template: &'t Template,
    bound: &'t BTreeSet<String>,
    shared: bool,
) -> Source<'t> {
    Source {
        name,
        text,
        syntax: template.syntax,
        literal: &template.literal,
        placeholders: &template.placeholders,
        is_path: false,
        also_bound: bound,
        shared,
        traced: None,
    }
}

fn unknown_template(mega: &MegaFile, name: &str, span: Span, code: Code) -> Diagnostic {
    let shared = mega.shared.templates.keys().filter(|name| !mega.templates.contains_key(*name));
    let known: Vec<&str> = mega.templates.keys().chain(shared).map(String::as_str).collect();
    if let Some(why) = mega.shared.unreadable.get(name) {
        let message = format!("the shared template `{name}` cannot be used: {why}");
        let finding = Diagnostic::new(Code::BadSharedTemplate, message).at(span).team(mega.team.clone());
        let is_large = why.starts_with("it is too large");
        let what = "a shared template is UTF-8 text; `copy:` takes any file over as it is";
        return finding.help(if is_large { Limit::InputBytes.help(what) } else { what.to_owned() });
    }
    let finding = Diagnostic::new(code, format!("there is no template `{name}`")).at(span).team(mega.team.clone());
    let below = ["./templates/", "/templates/", "templates/", "./"].iter().find_map(|prefix| name.strip_prefix(prefix));
    match below.filter(|below| known.contains(below)).or_else(|| nearest(name, known.iter().copied())) {
        // Of an include the place is the whole tag.
        Some(near) if code == Code::UnknownTemplate => finding.help(format!("did you mean `{near}`?")).fix(span, near),
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => {
            finding.help(format!("add it under `templates:`, as `{name}: |` and the text indented below"))
        }
        None => {
            let add = format!("add it under `templates:`, as `{name}: |` and the text indented below");
            finding.help(format!("{add}; the templates are {}", listed(&known)))
        }
    }
}

/// So many names are listed in a help.
const SHOWN: usize = 20;

fn listed(names: &[&str]) -> String {
    let more = if names.len() > SHOWN { " and more" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}
