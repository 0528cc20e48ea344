//! Runs the rules of one mega-file: compiles what they use, renders paths, and collects the files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Value;

use super::items::{self, Round};
use super::{Assets, PlannedBody, PlannedFile, locate, words};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::model::{Content, Entry, MegaFile, Rule, Template};
use crate::path::OutputPath;
use crate::source::{Kind, NodeId};
use crate::span::{SourceMap, Span};
use crate::template::value::{Mapping, of_node};
use crate::template::{Scope, Source, Syntax, Unit, is_expression, references};

/// The files of one mega-file, and what is wrong with it.
pub fn mega_file(
    index: usize,
    mega: &MegaFile,
    sources: &SourceMap,
    assets: &Assets,
) -> (Vec<PlannedFile>, Diagnostics) {
    let mut run = Run {
        index,
        mega,
        sources,
        assets,
        files: Vec::new(),
        findings: Diagnostics::default(),
        used: BTreeSet::new(),
        broken: BTreeSet::new(),
    };
    for rule in &mega.rules {
        run.rule(rule);
    }
    if mega.rules.iter().all(|rule| rule.entries.is_empty()) && !run.findings.has_errors() {
        let message = format!("the mega-file `{}` has no rule that makes a file", mega.id);
        run.findings.push(Diagnostic::new(Code::NoOutput, message).at(mega.id_span).team(mega.team.clone()));
    }
    run.unused_templates();
    (run.files, run.findings)
}

/// The file that a template or path is named by in its unit.
fn inline_name(node: NodeId) -> String {
    format!("inline {}", node.0)
}

struct Run<'a> {
    index: usize,
    mega: &'a MegaFile,
    sources: &'a SourceMap,
    assets: &'a Assets,
    files: Vec<PlannedFile>,
    findings: Diagnostics,
    used: BTreeSet<String>,
    /// Conditions that cannot be evaluated; each is reported once.
    broken: BTreeSet<NodeId>,
}

/// An entry, ready to run: its unit and the texts of its path.
struct Ready<'r> {
    entry: &'r Entry,
    unit: Arc<Unit>,
    paths: Vec<(String, NodeId)>,
    body: Option<Arc<str>>,
    template: Arc<str>,
    with: Vec<(Arc<str>, NodeId)>,
}

impl<'a> Run<'a> {
    fn error(&mut self, code: Code, span: Span, message: String, help: String) {
        self.findings.push(Diagnostic::new(code, message).at(span).help(help).team(self.mega.team.clone()));
    }

    fn rule(&mut self, rule: &'a Rule) {
        let before = self.files.len();
        let rounds = match items::rounds(self.mega, rule, self.sources) {
            Ok(rounds) => rounds,
            Err(found) => return self.findings.extend(found),
        };
        let broken_before = self.findings.iter().filter(|finding| finding.is_error()).count();
        let ready: Vec<Ready<'_>> =
            rule.entries.iter().filter_map(|entry| self.prepare(rule, entry, &rounds.variables)).collect();
        let broken = self.findings.iter().filter(|finding| finding.is_error()).count() > broken_before;
        let guard = self.guard(rule, &rounds.variables);
        let mut skipped = 0_usize;
        for round in &rounds.rounds {
            match self.passes(rule.when, guard.as_ref(), round, &[]) {
                Some(true) => ready.iter().for_each(|ready| self.file(rule, ready, round)),
                Some(false) => skipped += 1,
                None => return,
            }
        }
        if self.files.len() == before && !broken && !rule.allow_empty && !self.findings.has_errors() {
            self.empty(rule, rounds.rounds.len(), skipped);
        }
    }

    fn empty(&mut self, rule: &Rule, rounds: usize, skipped: usize) {
        let why = if rule.entries.is_empty() {
            "it lists no file"
        } else if rounds == 0 {
            "its list is empty"
        } else if skipped == rounds {
            "its `when` is false for every item"
        } else {
            "the `when` of every file is false"
        };
        let message = format!("rule {} yields no file: {why}", rule.number);
        let help = "mend the list or the condition, or say `allow_empty: true`";
        let finding = Diagnostic::new(Code::EmptyRule, message).at(rule.span).help(help).team(self.mega.team.clone());
        self.findings.push(finding);
    }

    /// The unit for the rule's own `when`.
    fn guard(&mut self, rule: &Rule, variables: &[(String, Vec<Value>)]) -> Option<Arc<Unit>> {
        let node = rule.when?;
        let unit = Arc::new(Unit::new(Arc::new(words::of_rule(self.mega, rule, variables, &[]))));
        self.check_expression(&unit, node);
        Some(unit)
    }

    fn check_expression(&mut self, unit: &Unit, node: NodeId) {
        let text = self.mega.tree.text(node).unwrap_or_default();
        let issues = unit.check_expression(text);
        if !issues.is_empty() {
            self.broken.insert(node);
        }
        self.findings.extend(issues.iter().map(|issue| locate(self.mega, self.sources, node, issue)));
    }

    /// Compiles what an entry uses. `None` if its path cannot be rendered; what is wrong with the body is reported, but
    /// the paths are still looked at, so that all problems come at once.
    fn prepare<'r>(
        &mut self,
        rule: &'r Rule,
        entry: &'r Entry,
        variables: &[(String, Vec<Value>)],
    ) -> Option<Ready<'r>> {
        let errors_before = self.findings.iter().filter(|finding| finding.is_error()).count();
        let mut with: BTreeMap<&str, NodeId> = rule.with.iter().map(|(key, node)| (key.as_str(), *node)).collect();
        with.extend(entry.with.iter().map(|(key, node)| (key.as_str(), *node)));
        let keys: Vec<String> = with.keys().map(|key| (*key).to_owned()).collect();
        let mut unit = Unit::new(Arc::new(words::of_rule(self.mega, rule, variables, &keys)));
        let paths = self.compile_paths(&mut unit, rule, entry);
        for node in with.values() {
            self.compile_values(&mut unit, *node);
        }
        if let Some(node) = entry.when {
            self.check_expression(&unit, node);
        }
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        let (body, template) = self.compile_body(&mut unit, &entry.content);
        let with = with.into_iter().map(|(key, node)| (Arc::from(key), node)).collect();
        (errors == errors_before).then(|| Ready { entry, unit: Arc::new(unit), paths, body, template, with })
    }

    /// Compiles the texts of a path; patterns are put in first. A leading `/` of the first text means the output root.
    fn compile_paths(&mut self, unit: &mut Unit, rule: &Rule, entry: &Entry) -> Vec<(String, NodeId)> {
        let mut names = Vec::new();
        for &node in &entry.path.parts {
            let written = self.mega.tree.text(node).unwrap_or_default();
            let Some(text) = self.with_patterns(rule, node, written) else { continue };
            let name = format!("path {}", node.0);
            self.compile(unit, &name, node, &text, Syntax::Auto, None, text == written);
            names.push((name, node));
        }
        names
    }

    /// Replaces `{@name}` by the pattern's text; a pattern may use patterns that stand before it.
    fn with_patterns(&mut self, rule: &Rule, node: NodeId, written: &str) -> Option<String> {
        let mut text = written.to_owned();
        for _ in 0..8 {
            let Some(start) = text.find("{@") else { return Some(text) };
            let end = text[start..].find('}').map(|end| start + end)?;
            let name = text[start + 2..end].to_owned();
            let Some((_, pattern)) = rule.patterns.iter().find(|(key, _)| *key == name) else {
                let known: Vec<&str> = rule.patterns.iter().map(|(key, _)| key.as_str()).collect();
                let help = nearest(&name, known.iter().copied()).map_or_else(
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
                self.findings.push(locate(self.mega, self.sources, node, &issue.help(help)));
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
    #[expect(clippy::too_many_arguments, reason = "one call per kind of text, all of them private")]
    fn compile(
        &mut self,
        unit: &mut Unit,
        name: &str,
        node: NodeId,
        text: &str,
        syntax: Syntax,
        template: Option<&Template>,
        exact: bool,
    ) {
        if unit.has(name) {
            return;
        }
        let none = BTreeSet::new();
        let source = Source {
            name,
            text,
            syntax,
            literal: template.map_or(&[], |template| &template.literal),
            placeholders: template.map_or(&[], |template| &template.placeholders),
            is_path: template.is_none() && name.starts_with("path "),
            also_bound: &none,
            shared: false,
            traced: None,
        };
        let (_, issues) = unit.add(&source);
        for issue in issues {
            let mut issue = issue;
            if !exact {
                // The place inside a pattern is not a place inside this path: point at the whole path.
                issue.range = 0..usize::MAX;
                issue.fix = None;
            }
            self.findings.push(locate(self.mega, self.sources, node, &issue));
        }
    }

    /// Compiles the texts inside a `with` value.
    fn compile_values(&mut self, unit: &mut Unit, node: NodeId) {
        match self.mega.tree.kind(node) {
            Kind::Text(text, _) if is_expression(text) => self.check_expression(unit, node),
            Kind::Text(text, _) => {
                let text = text.to_string();
                self.compile(unit, &inline_name(node), node, &text, Syntax::Auto, None, true);
            }
            Kind::List(items) => items.clone().into_iter().for_each(|item| self.compile_values(unit, item)),
            Kind::Map(entries) => entries.clone().into_iter().for_each(|(_, value)| self.compile_values(unit, value)),
            _ => {}
        }
    }

    /// Compiles the body and everything it includes; returns its name in the unit and its name for reports.
    fn compile_body(&mut self, unit: &mut Unit, content: &Content) -> (Option<Arc<str>>, Arc<str>) {
        match content {
            Content::Template(name, span) => {
                self.compile_template(unit, name, *span);
                (Some(Arc::from(name.as_str())), Arc::from(name.as_str()))
            }
            Content::Inline(node) => {
                let text = self.mega.tree.text(*node).unwrap_or_default().to_owned();
                let name = inline_name(*node);
                self.compile(unit, &name, *node, &text, Syntax::Auto, None, true);
                (Some(Arc::from(name.as_str())), Arc::from("inline"))
            }
            Content::Copy(from, span) => {
                if let Some(Err(why)) = self.assets.get(from) {
                    let help = "a copied file is a regular file inside the project, named relative to the project root";
                    self.error(Code::BadCopy, *span, format!("`{from}` cannot be copied: {why}"), help.to_owned());
                }
                (None, Arc::from("copy"))
            }
            Content::Empty => (None, Arc::from("empty")),
        }
    }

    /// Compiles a template and what it includes, extends or imports, each once.
    fn compile_template(&mut self, unit: &mut Unit, name: &str, named_at: Span) {
        let mega = self.mega;
        let mut queue = vec![(name.to_owned(), named_at)];
        let mut closure: Vec<&Template> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some((name, span)) = queue.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let Some(template) = mega.templates.get(&name) else {
                let code = if closure.is_empty() { Code::UnknownTemplate } else { Code::UnknownInclude };
                let finding = unknown_template(mega, &name, span, code);
                self.findings.push(finding);
                continue;
            };
            self.used.insert(name.clone());
            closure.push(template);
            let none = BTreeSet::new();
            let text = mega.tree.text(template.text).unwrap_or_default();
            let source = template_source(&name, text, template, &none, false);
            for (reference, range) in references(&source, unit.words()) {
                let issue = crate::template::Issue::new(Code::UnknownInclude, range, "");
                let at = locate(mega, self.sources, template.text, &issue).span.unwrap_or(span);
                queue.push((reference, at));
            }
        }
        let together = closure.len() > 1;
        let mut bound = BTreeSet::new();
        if together {
            for template in &closure {
                bound.extend(crate::template::bound_names(mega.tree.text(template.text).unwrap_or_default()));
            }
        }
        for name in seen {
            let Some(template) = mega.templates.get(&name).filter(|_| !unit.has(&name)) else { continue };
            let text = mega.tree.text(template.text).unwrap_or_default();
            let (_, issues) = unit.add(&template_source(&name, text, template, &bound, together));
            self.findings.extend(issues.iter().map(|issue| locate(mega, self.sources, template.text, issue)));
        }
    }

    fn scope(&mut self, ready: &Ready<'_>, round: &Round) -> Option<Arc<Scope>> {
        let mut scope = Scope::bare(Arc::clone(ready.unit.words()), Arc::clone(&self.mega.base));
        scope.loops.clone_from(round);
        if ready.with.is_empty() {
            return Some(Arc::new(scope));
        }
        // `with` values see the round, but not one another.
        let outer = Arc::new(scope.clone());
        for (key, node) in &ready.with {
            let value = self.value(&ready.unit, &outer, *node)?;
            scope.with.push((Arc::clone(key), value));
        }
        Some(Arc::new(scope))
    }

    /// The value of a `with` entry: `{{ expr }}` keeps its type, other texts are rendered.
    fn value(&mut self, unit: &Unit, scope: &Arc<Scope>, node: NodeId) -> Option<Value> {
        let tree = &self.mega.tree;
        match tree.kind(node) {
            Kind::Text(text, _) if is_expression(text) => match unit.evaluate(text, scope) {
                Ok(value) => Some(value),
                Err(issue) => {
                    self.findings.push(locate(self.mega, self.sources, node, &issue));
                    None
                }
            },
            Kind::Text(..) => match unit.render_text(&inline_name(node), scope) {
                Ok(text) => Some(Value::from(text)),
                Err(failure) => {
                    self.findings.push(locate(self.mega, self.sources, node, &failure.issue));
                    None
                }
            },
            Kind::List(items) => items.iter().map(|&item| self.value(unit, scope, item)).collect(),
            Kind::Map(entries) => {
                let entry = |run: &mut Self, key: NodeId, value: NodeId| {
                    Some((Arc::from(run.mega.tree.text(key)?), run.value(unit, scope, value)?))
                };
                let entries: Option<Vec<_>> = entries.iter().map(|&(key, value)| entry(self, key, value)).collect();
                entries.map(|entries| Value::from_object(Mapping::new(entries)))
            }
            _ => Some(of_node(tree, node)),
        }
    }

    /// Whether a `when` holds; `None` if it failed.
    fn passes(
        &mut self,
        when: Option<NodeId>,
        unit: Option<&Arc<Unit>>,
        round: &Round,
        with: &[(Arc<str>, Value)],
    ) -> Option<bool> {
        let (Some(node), Some(unit)) = (when, unit) else { return Some(true) };
        let mut scope = Scope::bare(Arc::clone(unit.words()), Arc::clone(&self.mega.base));
        scope.loops.clone_from(round);
        scope.with = with.to_vec();
        let text = self.mega.tree.text(node).unwrap_or_default();
        if self.broken.contains(&node) {
            return None;
        }
        match unit.evaluate(text, &Arc::new(scope)) {
            Ok(value) => Some(value.is_true()),
            Err(issue) => {
                self.broken.insert(node);
                self.findings.push(locate(self.mega, self.sources, node, &issue));
                None
            }
        }
    }

    fn file(&mut self, rule: &Rule, ready: &Ready<'_>, round: &Round) {
        let Some(scope) = self.scope(ready, round) else { return };
        if self.passes(ready.entry.when, Some(&ready.unit), round, &scope.with) != Some(true) {
            return;
        }
        let Some(path) = self.path(ready, &scope) else { return };
        let body = match (&ready.entry.content, &ready.body) {
            (Content::Copy(from, _), _) => match self.assets.get(from) {
                Some(Ok(bytes)) => PlannedBody::Copy(Arc::clone(bytes)),
                _ => return,
            },
            (Content::Empty, _) | (_, None) => PlannedBody::Empty,
            (_, Some(name)) => PlannedBody::Render(Arc::clone(&ready.unit), Arc::clone(name), Arc::clone(&scope)),
        };
        let single = ready.entry.path.parts.last().map_or(ready.entry.span, |node| self.mega.tree.span(*node));
        self.files.push(PlannedFile {
            path,
            mega_file: self.index,
            rule: rule.number,
            item: scope.item_name(),
            template: Arc::clone(&ready.template),
            body,
            mode: ready.entry.mode,
            once: ready.entry.once,
            origin: single,
        });
    }

    fn path(&mut self, ready: &Ready<'_>, scope: &Arc<Scope>) -> Option<OutputPath> {
        let mut whole = String::new();
        for (index, (name, node)) in ready.paths.iter().enumerate() {
            let written = self.mega.tree.text(*node).unwrap_or_default();
            let rendered = match ready.unit.render_text(name, scope) {
                Ok(text) => text,
                Err(failure) => {
                    self.findings.push(locate(self.mega, self.sources, *node, &failure.issue));
                    return None;
                }
            };
            let first = index == 0 && written.starts_with('/') && !written.starts_with("//");
            let part = if first { rendered.strip_prefix('/').unwrap_or(&rendered) } else { &rendered };
            if index > 0 {
                whole.push('/');
            }
            let is_folder = index + 1 < ready.paths.len() || ready.entry.path.keep;
            whole.push_str(if is_folder { part.strip_suffix('/').unwrap_or(part) } else { part });
        }
        if ready.entry.path.keep {
            whole.push_str("/.gitkeep");
        }
        let (_, node) = ready.paths.last()?;
        let span = self.mega.tree.span(*node);
        let item = scope.item_name().map_or_else(String::new, |item| format!(" (item `{item}`)"));
        if whole.contains(['{', '}']) {
            let help = "a value holds the braces: change it, or use a filter such as `|kebab`".to_owned();
            self.error(Code::UnknownPlaceholder, span, format!("the path `{whole}`{item} holds a brace"), help);
            return None;
        }
        match OutputPath::parse(&whole) {
            Ok(path) => Some(path),
            Err(reason) => {
                let help = "paths are relative to the output root, with `/` between names that every platform can hold";
                self.error(
                    Code::BadPath,
                    span,
                    format!("`{whole}`{item} is no output path: {reason}"),
                    help.to_owned(),
                );
                None
            }
        }
    }

    fn unused_templates(&mut self) {
        if self.findings.has_errors() {
            return;
        }
        for (name, template) in &self.mega.templates {
            if !self.used.contains(name) {
                let message = format!("the template `{name}` is not used by any rule");
                let finding = Diagnostic::new(Code::UnusedTemplate, message).at(template.span);
                let finding = finding.help("use it in `generate`, or remove it").team(self.mega.team.clone());
                self.findings.push(finding);
            }
        }
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
    let known: Vec<&str> = mega.templates.keys().map(String::as_str).collect();
    let finding = Diagnostic::new(code, format!("there is no template `{name}`")).at(span).team(mega.team.clone());
    match nearest(name, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => {
            finding.help(format!("add it under `templates:`, as `{name}: |` and the text indented below"))
        }
        None => {
            let add = format!("add it under `templates:`, as `{name}: |` and the text indented below");
            finding.help(format!("{add}; the templates are {}", known.join(", ")))
        }
    }
}
