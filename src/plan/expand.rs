//! Runs the rules of one mega-file: compiles what they use, renders paths, and collects the files.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use super::compile::{PathPart, Ready, inline_name};
use super::frame::{Frame, Round};
use super::items::{self, Rounds, Site};
use super::limits::{Spent, clip, is_path, item_name};
use super::words::{self, Names};
use super::{Around, PlannedBody, PlannedFile, Reader, locate, nameless};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{Content, MegaFile, Rule, TextPlace};
use crate::path::{OutputPath, PathError};
use crate::source::{Kind, NodeId};
use crate::span::{FileId, SourceFile, Span};
use crate::template::value::{Mapping, of_node};
use crate::template::{Base, Scope, Slots, Unit, is_expression, random, slots};

/// Bytes of a line of the lockfile beside path and template.
const LINE_BYTES: usize = 96;

/// What came of a mega-file.
#[derive(Debug, Default)]
pub struct Expanded {
    /// Its files.
    pub files: Vec<PlannedFile>,
    /// What is wrong with it.
    pub findings: Diagnostics,
    /// The slots that its rules read: its files are made from them, or would be.
    pub reads: Slots,
    /// Where slots decide which files there are.
    pub readers: Vec<Reader>,
    /// The shared templates that it uses.
    pub shared: BTreeSet<FileId>,
}

/// The files of one mega-file, and what is wrong with it. `base` is what its texts see.
pub fn mega_file(index: usize, mega: &MegaFile, base: Arc<Base>, around: &Around<'_>) -> Expanded {
    let mut run = Run::new(index, mega, base, around);
    for rule in &mega.rules {
        run.rule(rule, &Frame::of_rule(rule.number));
    }
    if mega.rules.iter().all(|rule| rule.entries.is_empty() && rule.call.is_none()) && !run.findings.has_errors() {
        let gives = !mega.contributions.is_empty();
        let message = format!("the mega-file `{}` has no rule that makes a file", mega.id);
        if !gives {
            run.findings.push(Diagnostic::new(Code::NoOutput, message).at(mega.id_span).team(mega.team.clone()));
        }
    }
    run.unused();
    let shared = run.used.iter().filter_map(|name| match mega.template(name)?.text {
        TextPlace::File(file) => Some(file),
        TextPlace::Node(_) => None,
    });
    let shared = shared.collect();
    Expanded { files: run.files, findings: run.findings, reads: run.reads, readers: run.readers, shared }
}

/// One mega-file on its way to files; `compile` prepares its entries, `call` its factories.
pub(super) struct Run<'a> {
    index: usize,
    pub(super) mega: &'a MegaFile,
    pub(super) base: Arc<Base>,
    pub(super) around: &'a Around<'a>,
    pub(super) files: Vec<PlannedFile>,
    readers: Vec<Reader>,
    pub(super) findings: Diagnostics,
    pub(super) used: BTreeSet<String>,
    pub(super) called: BTreeSet<String>,
    /// The variables of all loops of the mega-file.
    loops: BTreeSet<String>,
    /// Conditions that cannot be evaluated; each is reported once.
    pub(super) broken: BTreeSet<NodeId>,
    /// Values of arguments that were checked so far.
    pub(super) checked: usize,
    /// What it cost so far.
    pub(super) spent: Spent,
    /// Bytes that the mega-file's shard of the lockfile needs for the files.
    pub(super) shard_bytes: usize,
    /// The slots that its rules read, whether they make files now or not.
    reads: Slots,
    /// Whether a limit of the whole mega-file was met; no further rule is run then.
    pub(super) full: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(index: usize, mega: &'a MegaFile, base: Arc<Base>, around: &'a Around<'a>) -> Self {
        Self {
            index,
            mega,
            base,
            around,
            files: Vec::new(),
            readers: Vec::new(),
            findings: Diagnostics::default(),
            used: BTreeSet::new(),
            called: BTreeSet::new(),
            loops: loops(mega),
            broken: BTreeSet::new(),
            checked: 0,
            spent: Spent::nothing(),
            shard_bytes: 0,
            reads: Slots::default(),
            full: false,
        }
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, help: String) {
        self.findings.push(Diagnostic::new(code, message).at(span).help(help).team(self.mega.team.clone()));
    }

    pub(super) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_error()).count()
    }

    /// The rounds of a rule; `None` after an error.
    pub(super) fn rounds(&mut self, rule: &Rule, frame: &Frame) -> Option<Rounds> {
        let (sources, limits) = (self.around.sources, self.around.limits);
        let site = Site { mega: self.mega, base: &self.base, frame, sources, limits, room: self.room() };
        match items::rounds(site, rule) {
            Ok(rounds) => {
                self.goes_round(rounds.rounds.len());
                Some(rounds)
            }
            Err(found) => {
                self.findings.extend(found);
                None
            }
        }
    }

    pub(super) fn rule(&mut self, rule: &'a Rule, frame: &Frame) {
        let before = self.files.len();
        if !self.may_run(rule) {
            return;
        }
        let Some(rounds) = self.rounds(rule, frame) else { return };
        let errors_before = self.errors();
        if rounds.rounds.is_empty() {
            // Without an item nothing is known about its fields; only the templates' names can be looked at.
            for entry in &rule.entries {
                self.name_only(&entry.content);
            }
        }
        let reads = reads_of_rule(self.mega, rule, frame);
        self.reader(rule.span, &reads);
        let guard = self.guard(rule, frame, &rounds);
        let mut passed = Vec::with_capacity(rounds.rounds.len());
        for round in &rounds.rounds {
            match self.passes(rule.when, guard.as_ref(), frame, round) {
                Some(true) => passed.push(round),
                Some(false) => {}
                None => return,
            }
        }
        if rule.call.is_some() {
            self.call(rule, frame, &rounds, &passed);
        }
        let entries = if rounds.rounds.is_empty() { &[][..] } else { &rule.entries };
        let ready: Vec<Ready<'_>> =
            entries.iter().filter_map(|entry| self.prepare(rule, entry, frame, &rounds.variables, &reads)).collect();
        self.reads.add(&reads);
        ready.iter().filter_map(|ready| ready.reads.as_ref()).for_each(|slots| self.reads.add(slots));
        for Ready { entry, reads, .. } in &ready {
            if let (Some(_), Some(reads)) = (entry.when, reads) {
                self.reader(entry.span, reads);
            }
        }
        let broken = self.errors() > errors_before;
        for round in &passed {
            for ready in &ready {
                self.file(ready, frame, round);
            }
            if !self.count_files(false) {
                break;
            }
        }
        self.count_files(true);
        self.within_lockfile(rule);
        let may_be_empty = rule.allow_empty || frame.factory.is_some();
        if self.files.len() == before && !broken && !may_be_empty && !self.findings.has_errors() {
            self.empty(rule, rounds.rounds.len(), rounds.rounds.len() - passed.len());
        }
    }

    fn reader(&mut self, span: Span, slots: &Slots) {
        if !slots.is_empty() {
            self.readers.push(Reader { mega_file: self.index, span, slots: slots.clone() });
        }
    }

    /// The names of a rule's texts, with these keys bound by `with`.
    pub(super) fn names<'n>(
        &'n self,
        rule: &'n Rule,
        frame: &'n Frame,
        variables: &'n [(String, Vec<Value>)],
        with: &'n [String],
    ) -> Names<'n> {
        Names {
            base: &self.base,
            style: rule.words,
            variables,
            with,
            params: &frame.params,
            loops: &self.loops,
            in_factory: frame.factory.is_some(),
            plurals: &rule.plurals,
        }
    }

    /// The unit for the rule's own `when`.
    pub(super) fn guard(&mut self, rule: &Rule, frame: &Frame, rounds: &Rounds) -> Option<Arc<Unit>> {
        let node = rule.when?;
        let unit = Arc::new(Unit::new(
            Arc::new(words::of_rule(&self.names(rule, frame, &rounds.variables, &[]))),
            self.around.limits,
        ));
        self.check_expression(&unit, node);
        Some(unit)
    }

    pub(super) fn check_expression(&mut self, unit: &Unit, node: NodeId) {
        let text = self.mega.tree.text(node).unwrap_or_default();
        let issues = unit.check_expression(text);
        if !issues.is_empty() {
            self.broken.insert(node);
        }
        self.findings.extend(issues.iter().map(|issue| locate(self.mega, self.around.sources, node, issue)));
    }

    /// What a text of one round sees, without the values of `with`.
    pub(super) fn outer(&self, unit: &Unit, frame: &Frame, round: &Round) -> Scope {
        let mut scope = Scope::bare(Arc::clone(unit.words()), Arc::clone(&self.base));
        scope.loops.clone_from(&round.loops);
        scope.with = frame.calls.get(round.call).map_or_else(Vec::new, |call| call.values.clone());
        scope
    }

    /// The values of `with`: they see the round, but not one another. `None` after an error.
    pub(super) fn with(
        &mut self,
        unit: &Unit,
        outer: &Arc<Scope>,
        with: &[(Arc<str>, NodeId)],
    ) -> Option<Vec<(Arc<str>, Value)>> {
        with.iter().map(|(key, node)| Some((Arc::clone(key), self.value(unit, outer, *node)?))).collect()
    }

    fn scope(&mut self, ready: &Ready<'_>, frame: &Frame, round: &Round) -> Option<Arc<Scope>> {
        let Some(outer) = &ready.outer else { return Some(Arc::new(self.outer(&ready.unit, frame, round))) };
        let around = Arc::new(self.outer(outer, frame, round));
        let mut values = self.with(outer, &around, &ready.with)?;
        let mut scope = self.outer(&ready.unit, frame, round);
        values.append(&mut scope.with);
        scope.with = values;
        Some(Arc::new(scope))
    }

    /// The value of a `with` entry: `{{ expr }}` keeps its type, other texts are rendered.
    pub(super) fn value(&mut self, unit: &Unit, scope: &Arc<Scope>, node: NodeId) -> Option<Value> {
        let tree = &self.mega.tree;
        if self.full {
            return None;
        }
        match tree.kind(node) {
            Kind::Text(text, _) if is_expression(text) => match unit.evaluate(text, scope) {
                Ok(value) => (is_path(text) || self.fits(node, &value)).then_some(value),
                Err(issue) => {
                    self.findings.push(locate(self.mega, self.around.sources, node, &issue));
                    None
                }
            },
            Kind::Text(text, _) if unit.is_true_or_false(text, scope) => {
                let message = format!("`{text}` is true or false, but single braces make a text of it");
                let help = format!(
                    "keep its type: `\"{{{{ {} }}}}\"`; every text that is not empty is true in a condition, also `false`",
                    text.trim_start_matches('{').trim_end_matches('}')
                );
                self.error(Code::Unprintable, tree.span(node), message, help);
                None
            }
            Kind::Text(..) => match unit.render_text(&inline_name(node), scope) {
                Ok(text) => {
                    let value = Value::from(text);
                    self.fits(node, &value).then_some(value)
                }
                Err(mut failure) => {
                    if failure.issue.code == Code::Unprintable {
                        let help = "a value that is exactly `\"{{ expression }}\"` keeps its type; a text in single braces \
                                    is printed";
                        failure.issue.help = Some(help.to_owned());
                    }
                    self.findings.push(locate(self.mega, self.around.sources, node, &failure.issue));
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

    /// Whether a rule's `when` holds; `None` if it failed.
    pub(super) fn passes(
        &mut self,
        when: Option<NodeId>,
        unit: Option<&Arc<Unit>>,
        frame: &Frame,
        round: &Round,
    ) -> Option<bool> {
        let (Some(node), Some(unit)) = (when, unit) else { return Some(true) };
        let scope = Arc::new(self.outer(unit, frame, round));
        self.holds(node, unit, &scope)
    }

    fn holds(&mut self, node: NodeId, unit: &Unit, scope: &Arc<Scope>) -> Option<bool> {
        let text = self.mega.tree.text(node).unwrap_or_default();
        self.within_steps(self.mega.tree.span(node));
        if self.full || self.broken.contains(&node) {
            return None;
        }
        match unit.evaluate(text, scope) {
            Ok(value) if !means_false(&value) => Some(value.is_true()),
            Ok(value) => {
                self.broken.insert(node);
                let message = format!("the condition is the text `{value}`, and every text that is not empty is true");
                let help = format!(
                    "write true or false without quotes in the data; or compare: `{text} == 'WORD'` (values of CSV files \
                     are always text)"
                );
                self.error(Code::BadLoop, self.mega.tree.span(node), message, help);
                None
            }
            Err(issue) => {
                self.broken.insert(node);
                self.findings.push(locate(self.mega, self.around.sources, node, &issue));
                None
            }
        }
    }

    fn file(&mut self, ready: &Ready<'_>, frame: &Frame, round: &Round) {
        let Some(mut scope) = self.scope(ready, frame, round) else { return };
        if ready.entry.when.is_some_and(|node| self.holds(node, &ready.unit, &scope) != Some(true)) {
            return;
        }
        let Some(path) = self.path(ready, &scope) else { return };
        if ready.unit.uses_random() {
            let key = random::key(self.around.seed, &self.mega.id, path.as_str());
            scope = Arc::new(Scope { random: Some(key), ..(*scope).clone() });
        }
        let body = match (&ready.entry.content, &ready.body) {
            (Content::Copy(from, _), _) => match self.around.assets.get(from) {
                Some(Ok(bytes)) => PlannedBody::Copy(Arc::clone(bytes)),
                _ => return,
            },
            (Content::Empty, _) | (_, None) => PlannedBody::Empty,
            (_, Some(name)) => PlannedBody::Render(Arc::clone(&ready.unit), Arc::clone(name), Arc::clone(&scope)),
        };
        let single = ready.entry.path.parts.last().map_or(ready.entry.span, |node| self.mega.tree.span(*node));
        let call = frame.calls.get(round.call);
        let item = item_name(call.and_then(|call| call.item.as_deref()), &scope.loops);
        self.shard_bytes += LINE_BYTES + path.as_str().len() + ready.template.len();
        self.files.push(PlannedFile {
            path,
            mega_file: self.index,
            rule: call.map_or(0, |call| call.rule),
            item,
            factory: frame.factory.clone(),
            template: Arc::clone(&ready.template),
            body,
            mode: ready.entry.mode,
            once: ready.entry.once,
            origin: single,
            reads: ready.reads.clone(),
        });
    }

    fn path(&mut self, ready: &Ready<'_>, scope: &Arc<Scope>) -> Option<OutputPath> {
        let mut whole = String::new();
        for (index, PathPart { name, node, root }) in ready.paths.iter().enumerate() {
            let rendered = match ready.unit.render_text(name, scope) {
                Ok(text) => text,
                Err(failure) => {
                    let found = locate(self.mega, self.around.sources, *node, &failure.issue);
                    let text = self.mega.tree.text(*node).unwrap_or_default();
                    self.findings.push(nameless::item(self.mega, scope, text, &failure.issue, &found).unwrap_or(found));
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
        if !self.may_plan(&whole, span) {
            return None;
        }
        let named = |text: &str| {
            let item = item_name(None, &scope.loops).map_or_else(String::new, |item| format!(" (item `{item}`)"));
            format!("`{}`{item}", clip(text))
        };
        if whole.contains(['{', '}']) {
            let help = "a value holds the braces: change it, or use a filter such as `|kebab`".to_owned();
            let message = format!("the path {} holds a brace", named(&whole));
            self.error(Code::UnknownPlaceholder, span, message, help);
            return None;
        }
        match OutputPath::parse(&whole) {
            Ok(path) => Some(path),
            Err(reason) => {
                let message = format!("{} is no output path: {reason}", named(&whole));
                let finding = Diagnostic::new(Code::BadPath, message).at(span).team(self.mega.team.clone());
                let finding = finding.help(path_help(&whole, &scope.loops));
                let written = self.around.sources.get(span.file).map_or("", SourceFile::text);
                let written = written.get(span.start as usize..span.end as usize).unwrap_or("");
                let mend = with_slashes(written, &whole, &reason);
                self.findings.push(match mend {
                    Some(mend) => finding.fix(span, mend),
                    None => finding,
                });
                None
            }
        }
    }
}

/// A path as it is written in YAML, with slashes; `None` where a backslash may mean something else, comes from a value,
/// or is not all that is wrong.
fn with_slashes(written: &str, whole: &str, reason: &PathError) -> Option<String> {
    let is_path = *reason == PathError::Character('\\') && !written.starts_with(['"', '|', '>']);
    let outside: usize =
        written.split('{').map(|part| part.rsplit('}').next().unwrap_or(part).matches('\\').count()).sum();
    let is_all = outside == written.matches('\\').count() && outside == whole.matches('\\').count();
    let reads = is_path && is_all && OutputPath::parse(&whole.replace('\\', "/")).is_ok();
    (reads && !written.contains(['\n', '%'])).then(|| written.replace('\\', "/"))
}

/// What to do about a path that is none.
fn path_help(path: &str, loops: &[(Arc<str>, Value)]) -> String {
    let in_angles = loops.iter().map(|(name, _)| name).find(|name| path.contains(&format!("<{name}>")));
    match in_angles {
        Some(name) => format!("a placeholder stands in braces: write `{{{name}}}`"),
        None if path.contains('\\') => "write `/` between folders on every system".to_owned(),
        None => "paths are relative to the output root, with `/` between names that every platform can hold".to_owned(),
    }
}

/// The variables of all loops of a mega-file.
fn loops(mega: &MegaFile) -> BTreeSet<String> {
    let inner = mega.factories.values().flat_map(|factory| &factory.rules);
    let given = mega.contributions.iter().map(|contribution| &contribution.rule);
    let rules = mega.rules.iter().chain(inner).chain(given);
    let lists = rules.flat_map(|rule| match &rule.each {
        crate::model::Loop::Over(lists) => lists.as_slice(),
        crate::model::Loop::Once => &[],
    });
    lists.map(|list| list.variable.clone()).collect()
}

/// Whether a condition is a text that people mean as false.
fn means_false(value: &Value) -> bool {
    let words = ["false", "no", "off", "0", "none", "null"];
    value.as_str().is_some_and(|text| words.contains(&text.trim().to_ascii_lowercase().as_str()))
}

/// The slots that decide which rounds a rule has.
pub(super) fn reads_of_rule(mega: &MegaFile, rule: &Rule, frame: &Frame) -> Slots {
    let mut reads = frame.reads.clone();
    let text = |node: NodeId| mega.tree.text(node).unwrap_or_default();
    if let crate::model::Loop::Over(lists) = &rule.each {
        for list in lists {
            if let crate::model::LoopItems::Expression(node) = list.items {
                reads.add(&slots::of_expression(text(node)));
            }
        }
    }
    if let Some(node) = rule.when {
        reads.add(&slots::of_expression(text(node)));
    }
    reads
}
