//! The LBOF dialect, as teams write it, lowered to the same model. The document is schema-valid here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Value;

use super::checks;
use super::common::Common;
use super::lower_native::about;
use super::wire::LbofWire;
use super::wire::lbof::{LbofPatternWire, LbofTemplateWire};
use super::wire::shape::StringsWire;
use super::{
    Content, Dialect, Entry, Expectations, Loop, LoopItems, LoopList, MegaFile, PathText, Plurals, Rule, Template,
    WordStyle,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::limit::{Limit, Limits};
use crate::name::team_name;
use crate::path::FileMode;
use crate::source::decode::{OrderedMap, Raw, Spanned};
use crate::source::{Kind, NodeId, Tree};
use crate::span::Span;
use crate::template::Base;
use crate::template::value::{Mapping, as_mapping, entries_of, of_node};

/// Keys of the top level and of `expansion_rules` that mean something, for "did you mean".
const TOP: [&str; 10] = [
    "id",
    "version",
    "team",
    "description",
    "checksum",
    "metadata",
    "expansion_stats",
    "expansion_rules",
    "generation_templates",
    "validation",
];

/// Lowers an LBOF mega-file.
///
/// # Errors
/// Several lists that could be looped over, unknown templates, failed checks of `pre_generation`.
pub fn lower(tree: &Arc<Tree>, selected: bool, common: &Common<'_>) -> Result<(MegaFile, Diagnostics), Diagnostics> {
    let wire: LbofWire = super::schema::decode(tree).map_err(|one| std::iter::once(one).collect::<Diagnostics>())?;
    let mut lowering = Lowering {
        tree,
        wire: &wire,
        templates: BTreeMap::new(),
        paths: BTreeMap::new(),
        findings: Diagnostics::default(),
        limits: common.limits,
        numbers: 0,
    };
    lowering.own_templates();
    let special = lowering.special();
    let loops = lowering.looped_list();
    let base = lowering.base(loops.as_ref());
    let rules = lowering.rules(loops, &special);
    checks::lbof(tree, &wire, &mut lowering.findings);
    if lowering.findings.has_errors() {
        return Err(lowering.findings);
    }
    let metadata = wire.metadata.as_ref().map(|metadata| &metadata.value);
    let dependencies = metadata.and_then(|metadata| metadata.dependencies.as_ref());
    let dependencies = dependencies.map_or(&[][..], StringsWire::as_slice).iter();
    let mega_file = MegaFile {
        id: wire.id.value.clone(),
        id_span: tree.span(wire.id.node),
        team: team_name(&wire.team.value),
        team_span: tree.span(wire.team.node),
        dialect: Dialect::Lbof,
        selected,
        tree: Arc::clone(tree),
        base: Arc::new(base),
        rules,
        factories: BTreeMap::new(),
        contributions: Vec::new(),
        templates: lowering.templates,
        shared: Arc::clone(&common.shared),
        sources: Vec::new(),
        expectations: Expectations::default(),
        tests: Vec::new(),
        dependencies: dependencies.map(|name| (name.value.clone(), tree.span(name.node))).collect(),
    };
    Ok((mega_file, lowering.findings))
}

/// The list whose items every template is written for.
struct LoopedList {
    key: String,
    values: Vec<Value>,
    span: Span,
    entities: bool,
}

struct Lowering<'a> {
    tree: &'a Tree,
    wire: &'a LbofWire,
    templates: BTreeMap<String, Template>,
    /// The output path of every template.
    paths: BTreeMap<String, NodeId>,
    findings: Diagnostics,
    limits: &'a Limits,
    /// How many numbers the ranges so far have.
    numbers: u64,
}

impl Lowering<'_> {
    fn template(&mut self, key: &Spanned<String>, wire: &LbofTemplateWire) {
        self.ignored(&wire.rest, "a template", &["output_path", "template"]);
        let template = Template::of(wire.template.node, self.tree.span(key.node));
        self.templates.insert(key.value.clone(), template);
        self.paths.insert(key.value.clone(), wire.output_path.node);
    }

    fn own_templates(&mut self) {
        for (key, template) in &self.wire.generation_templates.0 {
            self.template(key, &template.value);
        }
    }

    /// Other top-level maps whose values have `output_path` and `template`: each made once. Anything else is unknown.
    fn special(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for (key, Raw(node)) in &self.wire.rest.0 {
            let entries = self.tree.map(*node).unwrap_or_default();
            let text =
                |value: NodeId, key: &str| self.tree.get(value, key).filter(|&node| self.tree.text(node).is_some());
            let is_group = !entries.is_empty()
                && entries
                    .iter()
                    .all(|&(_, value)| text(value, "output_path").is_some() && text(value, "template").is_some());
            if !is_group {
                self.unknown_key(key, "the top level", &TOP);
                continue;
            }
            for &(name, value) in entries {
                let (Some(path), Some(template)) = (text(value, "output_path"), text(value, "template")) else {
                    continue;
                };
                let own = format!("{}.{}", key.value, self.tree.text(name).unwrap_or_default());
                let span = self.tree.span(name);
                let made = Template::of(template, span);
                self.templates.insert(own.clone(), made);
                self.paths.insert(own.clone(), path);
                names.push(own);
            }
        }
        names
    }

    fn unknown_key(&mut self, key: &Spanned<String>, place: &str, known: &[&str]) {
        let finding = Diagnostic::new(Code::IgnoredKey, format!("the key `{}` of {place} has no effect", key.value));
        let finding = finding.at(self.tree.span(key.node));
        self.findings.push(match nearest(&key.value, known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(self.tree.span(key.node), near),
            None => finding.help("remove it, or put data below `expansion_rules`"),
        });
    }

    fn ignored(&mut self, rest: &OrderedMap<Raw>, place: &str, known: &[&str]) {
        for (key, _) in &rest.0 {
            self.unknown_key(key, place, known);
        }
    }

    /// `entities`, or the one other list of mappings.
    fn looped_list(&mut self) -> Option<LoopedList> {
        let rules = &self.wire.expansion_rules.value;
        if let Some(entities) = &rules.entities {
            let values = entities.iter().map(|&Raw(node)| self.entity(node)).collect();
            let span = self
                .tree
                .entry(self.wire.expansion_rules.node, "entities")
                .map_or_else(|| self.tree.span(self.wire.expansion_rules.node), |(key, _)| self.tree.span(key));
            return Some(LoopedList { key: "entities".to_owned(), values, span, entities: true });
        }
        let is_items = |node: NodeId| {
            let items = self.tree.list(node).unwrap_or_default();
            !items.is_empty() && items.iter().all(|&item| self.tree.map(item).is_some())
        };
        let lists: Vec<&(Spanned<String>, Raw)> =
            rules.rest.0.iter().filter(|(_, Raw(node))| is_items(*node)).collect();
        if let [(first, _), more @ ..] = lists.as_slice()
            && !more.is_empty()
        {
            let names: Vec<&str> = lists.iter().map(|(key, _)| key.value.as_str()).collect();
            let message = format!("several lists could be looped over: {}", names.join(", "));
            let help = "call the one that every template is written for `entities`; the others stay data";
            let mut finding = Diagnostic::new(Code::AmbiguousList, message).at(self.tree.span(first.node)).help(help);
            for (key, _) in more {
                finding = finding.related(self.tree.span(key.node), "or this one");
            }
            self.findings.push(finding);
            return None;
        }
        let (key, Raw(node)) = lists.first()?;
        let items = self.tree.list(*node).unwrap_or_default();
        let values = items.iter().map(|&item| of_node(self.tree, item)).collect();
        Some(LoopedList { key: key.value.clone(), values, span: self.tree.span(key.node), entities: false })
    }

    /// An entity, its attributes with `tsType`.
    fn entity(&self, node: NodeId) -> Value {
        let entries = entries_of(self.tree, node).into_iter().map(|(key, value)| {
            let value = if &*key == "attributes" { with_types(&value) } else { value };
            (key, value)
        });
        Value::from_object(Mapping::new(entries.collect()))
    }

    /// What all templates see: the lists by their bare names, and what the mega-file says of itself.
    fn base(&mut self, looped: Option<&LoopedList>) -> Base {
        let wire = self.wire;
        let mut base = Base::new();
        for (key, Raw(node)) in &wire.expansion_rules.value.rest.0 {
            base.insert(Arc::from(key.value.as_str()), of_node(self.tree, *node));
        }
        if let Some(looped) = looped {
            base.insert(Arc::from(looped.key.as_str()), looped.values.iter().cloned().collect());
        }
        let metadata = wire.metadata.as_ref().and_then(|metadata| metadata.value.description.as_ref());
        let description = wire.description.as_ref().or(metadata).map(|text| text.value.as_str());
        let version = wire.version.as_ref().map(|version| version.value.0.as_str());
        base.insert(Arc::from("mega_file"), about(&wire.id.value, &wire.team.value, version, description));
        base
    }

    fn rules(&mut self, looped: Option<LoopedList>, special: &[String]) -> Vec<Rule> {
        let wire = self.wire;
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut rules = Vec::new();
        for pattern in wire.expansion_rules.value.patterns.iter().flatten() {
            rules.extend(self.range(pattern, &mut taken));
        }
        rules.extend(self.scaffold(&mut taken));
        let span = self.tree.span(self.wire.expansion_rules.node);
        let rest: Vec<String> = wire
            .generation_templates
            .0
            .iter()
            .map(|(key, _)| key.value.clone())
            .filter(|name| !taken.contains(name))
            .collect();
        if let Some(looped) = looped {
            let words = if looped.entities { WordStyle::Entities } else { WordStyle::Keys };
            let variable = if looped.entities { "entity" } else { "item" };
            let items = LoopItems::Values(looped.values);
            let list = LoopList { variable: variable.to_owned(), items, span: looped.span };
            let entries = rest.iter().filter_map(|name| self.entry(name, None)).collect();
            rules.insert(0, rule(looped.span, Loop::Over(vec![list]), entries, words));
        } else if !rest.is_empty() && !self.findings.has_errors() {
            let message =
                format!("nothing to loop over: `expansion_rules` has no list of mappings for {}", rest.join(", "));
            let help = "add `entities: [{name: ...}]` (or one list of mappings), or name the templates in `patterns` or `scaffold`";
            self.findings.push(Diagnostic::new(Code::BadLoop, message).at(span).help(help));
        }
        if !special.is_empty() {
            let entries = special.iter().filter_map(|name| self.entry(name, None)).collect();
            rules.push(rule(span, Loop::Once, entries, WordStyle::Keys));
        }
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.number = index + 1;
        }
        rules
    }

    fn entry(&mut self, name: &str, context: Option<NodeId>) -> Option<Entry> {
        let path = *self.paths.get(name)?;
        let span = self.tree.span(path);
        let with = context.map_or_else(Vec::new, |node| {
            let entries = self.tree.map(node).unwrap_or_default().iter();
            entries.filter_map(|&(key, value)| Some((self.tree.text(key)?.to_owned(), value))).collect()
        });
        Some(Entry {
            content: Content::Template(name.to_owned(), span),
            path: PathText { parts: vec![path], keep: false },
            when: None,
            with,
            mode: FileMode::Regular,
            once: false,
            span,
        })
    }

    fn known(&mut self, name: &Spanned<String>) -> bool {
        if self.paths.contains_key(&name.value) {
            return true;
        }
        let known: Vec<&str> = self.paths.keys().map(String::as_str).collect();
        let finding = Diagnostic::new(Code::UnknownTemplate, format!("there is no template `{}`", name.value));
        let finding = finding.at(self.tree.span(name.node));
        self.findings.push(match nearest(&name.value, known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(self.tree.span(name.node), near),
            None => finding.help(format!("the templates are {}", known.join(", "))),
        });
        false
    }

    /// `{type: range, prefix, start, end, templates}`: `end` is inclusive.
    fn range(&mut self, pattern: &Spanned<LbofPatternWire>, taken: &mut BTreeSet<String>) -> Option<Rule> {
        let wire = &pattern.value;
        self.ignored(&wire.rest, "a pattern", &["type", "prefix", "start", "end", "templates"]);
        let (start, end) = (wire.start.value, wire.end.value);
        let count = end.checked_sub(start).and_then(|length| length.checked_add(1));
        let numbers = count.map(|count| u64::try_from(count).unwrap_or_default());
        let all = numbers.map(|numbers| self.numbers.saturating_add(numbers));
        // Whatever is made of them, so many files cannot be.
        let limit = if numbers.is_none_or(|numbers| numbers > self.limits.get(Limit::FilesPerRule)) {
            Limit::FilesPerRule
        } else {
            Limit::FilesPerRun
        };
        if all.is_none_or(|all| all > self.limits.get(limit)) {
            let (what, many) = match limit {
                Limit::FilesPerRule => ("a range of", numbers),
                _ => ("ranges of together", all),
            };
            let many =
                many.map_or_else(|| "more numbers than can be counted".to_owned(), |many| format!("{many} numbers"));
            let message = format!("{what} {many}: {}", self.limits.says(limit));
            let finding = Diagnostic::new(Code::PlanLimit, message).at(self.tree.span(wire.end.node));
            self.findings.push(finding.help(limit.help("split the range over several mega-files")));
            return None;
        }
        self.numbers = all.unwrap_or_default();
        let prefix = wire.prefix.as_ref().map_or("", |prefix| prefix.value.0.as_str());
        let item = |index: i64| {
            let name = Value::from(format!("{prefix}{index}"));
            Value::from_object(Mapping::new(vec![
                (Arc::from("name"), name),
                (Arc::from("index"), Value::from(index)),
                (Arc::from("prefix"), Value::from(prefix)),
            ]))
        };
        let values = (start..=end).map(item).collect();
        let mut entries = Vec::new();
        for name in wire.templates.as_ref().map_or(&[][..], StringsWire::as_slice) {
            if self.known(name) {
                taken.insert(name.value.clone());
                entries.extend(self.entry(&name.value, None));
            }
        }
        let span = self.tree.span(pattern.node);
        let list = LoopList { variable: "item".to_owned(), items: LoopItems::Values(values), span };
        Some(rule(span, Loop::Over(vec![list]), entries, WordStyle::Keys))
    }

    /// `{directories, files: [{template, context}]}`.
    fn scaffold(&mut self, taken: &mut BTreeSet<String>) -> Option<Rule> {
        let scaffold = self.wire.expansion_rules.value.scaffold.as_ref()?;
        self.ignored(&scaffold.value.rest, "`scaffold`", &["directories", "files"]);
        let mut entries = Vec::new();
        for file in scaffold.value.files.iter().flatten() {
            self.ignored(&file.value.rest, "a scaffold file", &["template", "context"]);
            if self.known(&file.value.template) {
                let name = &file.value.template.value;
                taken.insert(name.clone());
                let context = file.value.context.map(|Raw(node)| node);
                entries.extend(self.entry(name, context));
            }
        }
        for folder in scaffold.value.directories.as_ref().map_or(&[][..], StringsWire::as_slice) {
            let span = self.tree.span(folder.node);
            entries.push(Entry {
                content: Content::Empty,
                path: PathText { parts: vec![folder.node], keep: true },
                when: None,
                with: Vec::new(),
                mode: FileMode::Regular,
                once: false,
                span,
            });
        }
        Some(rule(self.tree.span(scaffold.node), Loop::Once, entries, WordStyle::Keys))
    }
}

fn rule(span: Span, each: Loop, entries: Vec<Entry>, words: WordStyle) -> Rule {
    Rule {
        number: 0,
        span,
        each,
        when: None,
        with: Vec::new(),
        patterns: Vec::new(),
        entries,
        call: None,
        allow_empty: false,
        words,
        plurals: Plurals::new(),
    }
}

/// The attributes with the TypeScript type of each, unless they bring their own.
fn with_types(attributes: &Value) -> Value {
    let Ok(items) = attributes.try_iter() else { return attributes.clone() };
    items
        .map(|item| {
            let Some(mapping) = as_mapping(&item) else { return item };
            let kind = mapping.get("type").and_then(|kind| kind.as_str().map(str::to_lowercase)).unwrap_or_default();
            let mut entries = mapping.entries().to_vec();
            if mapping.get("tsType").is_none() {
                entries.push((Arc::from("tsType"), Value::from(ts_type(&kind))));
            }
            Value::from_object(Mapping::new(entries))
        })
        .collect()
}

fn ts_type(kind: &str) -> &'static str {
    match kind {
        "uuid" | "string" | "text" | "enum" => "string",
        "integer" | "decimal" => "number",
        "boolean" => "boolean",
        "timestamp" => "Date",
        "array" => "any[]",
        _ => "any",
    }
}

/// Whether a node is text, for checks.
pub(super) fn is_text(tree: &Tree, node: NodeId) -> bool {
    matches!(tree.kind(node), Kind::Text(..))
}
