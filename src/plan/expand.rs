//! Runs the rules of one mega-file: compiles what they use, renders paths, and collects the files.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use super::compile::{PathPart, Ready, inline_name};
use super::items::{self, Round};
use super::{Assets, PlannedBody, PlannedFile, locate, words};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{Content, MegaFile, Rule, TextPlace};
use crate::path::OutputPath;
use crate::source::{Kind, NodeId};
use crate::span::{FileId, SourceMap, Span};
use crate::template::value::{Mapping, of_node};
use crate::template::{Scope, Unit, is_expression};

/// The files of one mega-file, what is wrong with it, and the shared templates that it uses.
pub fn mega_file(
    index: usize,
    mega: &MegaFile,
    sources: &SourceMap,
    assets: &Assets,
) -> (Vec<PlannedFile>, Diagnostics, BTreeSet<FileId>) {
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
    let shared = run.used.iter().filter_map(|name| match mega.template(name)?.text {
        TextPlace::File(file) => Some(file),
        TextPlace::Node(_) => None,
    });
    let shared = shared.collect();
    (run.files, run.findings, shared)
}

/// One mega-file on its way to files; `compile` prepares its entries.
pub(super) struct Run<'a> {
    index: usize,
    pub(super) mega: &'a MegaFile,
    pub(super) sources: &'a SourceMap,
    pub(super) assets: &'a Assets,
    files: Vec<PlannedFile>,
    pub(super) findings: Diagnostics,
    pub(super) used: BTreeSet<String>,
    /// Conditions that cannot be evaluated; each is reported once.
    pub(super) broken: BTreeSet<NodeId>,
}

impl<'a> Run<'a> {
    pub(super) fn error(&mut self, code: Code, span: Span, message: String, help: String) {
        self.findings.push(Diagnostic::new(code, message).at(span).help(help).team(self.mega.team.clone()));
    }

    fn rule(&mut self, rule: &'a Rule) {
        let before = self.files.len();
        let rounds = match items::rounds(self.mega, rule, self.sources) {
            Ok(rounds) => rounds,
            Err(found) => return self.findings.extend(found),
        };
        let broken_before = self.findings.iter().filter(|finding| finding.is_error()).count();
        if rounds.rounds.is_empty() {
            // Without an item nothing is known about its fields; only the templates' names can be looked at.
            rule.entries.iter().for_each(|entry| self.name_only(&entry.content));
        }
        let entries = if rounds.rounds.is_empty() { &[][..] } else { &rule.entries };
        let ready: Vec<Ready<'_>> =
            entries.iter().filter_map(|entry| self.prepare(rule, entry, &rounds.variables)).collect();
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

    pub(super) fn check_expression(&mut self, unit: &Unit, node: NodeId) {
        let text = self.mega.tree.text(node).unwrap_or_default();
        let issues = unit.check_expression(text);
        if !issues.is_empty() {
            self.broken.insert(node);
        }
        self.findings.extend(issues.iter().map(|issue| locate(self.mega, self.sources, node, issue)));
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
        for (index, PathPart { name, node, root }) in ready.paths.iter().enumerate() {
            let rendered = match ready.unit.render_text(name, scope) {
                Ok(text) => text,
                Err(failure) => {
                    self.findings.push(locate(self.mega, self.sources, *node, &failure.issue));
                    return None;
                }
            };
            let part = rendered.strip_prefix(root).unwrap_or(&rendered);
            if index > 0 {
                whole.push('/');
            }
            let is_folder = index + 1 < ready.paths.len() || ready.entry.path.keep;
            whole.push_str(if is_folder { part.strip_suffix('/').unwrap_or(part) } else { part });
        }
        if ready.entry.path.keep {
            whole.push_str("/.gitkeep");
        }
        let span = self.mega.tree.span(ready.paths.last()?.node);
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
