//! The native dialect, lowered to the model. The document is schema-valid here; what is left is meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use super::wire::native::{FileSpecWire, TargetFilesWire, TemplateWire};
use super::wire::rule::{EntryObjectWire, EntryWire, Mode, PatternsWire, RuleWire};
use super::wire::{ConditionWire, NativeWire};
use super::{
    Content, Dialect, Entry, Expectations, Loop, LoopList, MegaFile, PathText, Rule, Template, WordStyle, scaffold,
    validation,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::name::team_name;
use crate::path::FileMode;
use crate::source::decode::{Raw, Spanned};
use crate::source::{Kind, NodeId, Tree};
use crate::span::Span;
use crate::template::value::{Mapping, entries_of, of_node};
use crate::template::{Base, Syntax};

/// Lowers a native mega-file.
///
/// # Errors
/// Keys that do not go together, and what this version cannot run yet.
pub fn lower(tree: &Arc<Tree>, selected: bool) -> Result<(MegaFile, Diagnostics), Diagnostics> {
    let wire: NativeWire = super::schema::decode(tree).map_err(|one| std::iter::once(one).collect::<Diagnostics>())?;
    let mut lowering = Lowering { tree, findings: Diagnostics::default() };
    lowering.not_yet(&wire);
    let patterns = wire.generator.patterns.as_ref().map_or_else(Vec::new, |patterns| patterns_of(&patterns.value));
    let rules: Vec<Rule> = wire
        .generator
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| lowering.rule(index + 1, rule, &patterns))
        .collect();
    let templates = wire.templates.iter().flat_map(|templates| &templates.0);
    let templates: BTreeMap<String, Template> =
        templates.map(|(key, template)| (key.value.clone(), template_of(tree, key, &template.value))).collect();
    let tests = validation::lower(tree, &wire, &mut lowering.findings);
    if lowering.findings.has_errors() {
        return Err(lowering.findings);
    }
    let expansion = wire.expansion.as_ref();
    let dependencies = expansion.and_then(|expansion| expansion.dependencies.as_ref());
    let mega_file = MegaFile {
        id: wire.id.value.clone(),
        id_span: tree.span(wire.id.node),
        team: team_name(&wire.team.value),
        team_span: tree.span(wire.team.node),
        dialect: Dialect::Native,
        selected,
        tree: Arc::clone(tree),
        base: Arc::new(base_of(tree, &wire)),
        rules,
        templates,
        expectations: expectations(tree, &wire),
        tests,
        dependencies: dependencies
            .into_iter()
            .flatten()
            .map(|dependency| (dependency.value.clone(), tree.span(dependency.node)))
            .collect(),
    };
    Ok((mega_file, lowering.findings))
}

fn base_of(tree: &Tree, wire: &NativeWire) -> Base {
    let mut base = Base::new();
    let data = wire.data.map_or_else(Vec::new, |Raw(node)| entries_of(tree, node));
    base.insert(Arc::from("data"), Value::from_object(Mapping::new(data)));
    base.insert(
        Arc::from("mega_file"),
        about(
            &wire.id.value,
            &wire.team.value,
            wire.version.as_ref().map(|v| v.value.0.as_str()),
            wire.description.as_ref().map(|d| d.value.as_str()),
        ),
    );
    base
}

/// What a mega-file says of itself, as templates see it.
pub(super) fn about(id: &str, team: &str, version: Option<&str>, description: Option<&str>) -> Value {
    let mut entries: Vec<(Arc<str>, Value)> =
        vec![(Arc::from("id"), Value::from(id)), (Arc::from("team"), Value::from(team))];
    let optional = [("version", version), ("description", description)];
    entries.extend(optional.into_iter().filter_map(|(key, value)| Some((Arc::from(key), Value::from(value?)))));
    Value::from_object(Mapping::new(entries))
}

fn patterns_of(wire: &PatternsWire) -> Vec<(String, NodeId)> {
    wire.pairs().map(|(name, path)| (name.value.clone(), path.node)).collect()
}

fn template_of(tree: &Tree, key: &Spanned<String>, wire: &TemplateWire) -> Template {
    use super::wire::native::Syntax as Wire;
    let span = tree.span(key.node);
    let words = |list: Option<&Vec<Spanned<String>>>| {
        list.map_or_else(Vec::new, |list| list.iter().map(|word| word.value.clone()).collect())
    };
    match wire {
        TemplateWire::Text(text) => {
            Template { text: text.node, span, syntax: Syntax::Auto, literal: Vec::new(), placeholders: Vec::new() }
        }
        TemplateWire::Object(object) => Template {
            text: object.text.node,
            span,
            syntax: match object.syntax.as_ref().map(|syntax| syntax.value) {
                None | Some(Wire::Auto) => Syntax::Auto,
                Some(Wire::Both) => Syntax::Both,
                Some(Wire::Jinja) => Syntax::Jinja,
                Some(Wire::Placeholder) => Syntax::Placeholder,
                Some(Wire::Raw) => Syntax::Raw,
                Some(Wire::Brackets) => Syntax::Brackets,
            },
            literal: words(object.literal.as_ref()),
            placeholders: words(object.placeholders.as_ref()),
        },
    }
}

fn expectations(tree: &Tree, wire: &NativeWire) -> Expectations {
    let mut out = Expectations::default();
    let Some(expansion) = &wire.expansion else { return out };
    match expansion.target_files.as_ref().map(|files| &files.value) {
        None => {}
        Some(TargetFilesWire::Count(count)) => out.files = Some((count.value, tree.span(count.node))),
        Some(TargetFilesWire::Files(files)) => {
            for file in files {
                let path = match &file.value {
                    FileSpecWire::Path(path) => path,
                    FileSpecWire::Object(object) => {
                        out.file_lines.extend(object.lines.as_ref().map(|lines| {
                            let (min, max) = lines.value.bounds();
                            (object.path.value.clone(), (min, max, tree.span(lines.node)))
                        }));
                        &object.path
                    }
                };
                out.paths.push((path.value.clone(), tree.span(path.node)));
            }
        }
    }
    if let Some(lines) = &expansion.total_lines {
        let (min, max) = lines.value.bounds();
        out.lines = Some((min, max, tree.span(lines.node)));
    }
    out
}

struct Lowering<'a> {
    tree: &'a Tree,
    findings: Diagnostics,
}

impl Lowering<'_> {
    fn error(&mut self, code: Code, span: Span, message: &str, help: &str) {
        self.findings.push(Diagnostic::new(code, message).at(span).help(help));
    }

    /// The parts of the format that a later version runs.
    fn not_yet(&mut self, wire: &NativeWire) {
        let parts = [
            ("factories", wire.factories.is_some(), "write the factory's rule out with `for_each`"),
            ("sources", wire.sources.is_some(), "put the values under `data`"),
            ("contributes", wire.contributes.is_some(), "let one mega-file own the shared file"),
        ];
        for (key, used, help) in parts {
            if let Some((node, _)) = self.tree.entry(self.tree.root(), key).filter(|_| used) {
                let message = format!("`{key}` is part of the format, but this version cannot run it yet");
                self.error(Code::NotYet, self.tree.span(node), &message, help);
            }
        }
    }

    fn rule(&mut self, number: usize, wire: &Spanned<RuleWire>, shared: &[(String, NodeId)]) -> Rule {
        let span = self.tree.span(wire.node);
        let rule = &wire.value;
        if let Some(factory) = &rule.factory {
            let message = "calling a factory is part of the format, but this version cannot run it yet";
            self.error(Code::NotYet, self.tree.span(factory.node), message, "write the factory's `generate` list here");
        }
        if let Some(plural) = &rule.plural {
            let message = "`plural` on a rule is part of the format, but this version cannot run it yet";
            self.error(Code::NotYet, self.tree.span(plural.node), message, "give the items a field `plural`");
        }
        if let (Some(Raw(scaffold)), Some(_)) = (rule.scaffold, &rule.generate) {
            let message = "a rule has either `generate` or `scaffold`, not both";
            self.error(Code::BadCombination, self.tree.span(scaffold), message, "make two rules of it");
        }
        let mut patterns = rule.patterns.as_ref().map_or_else(Vec::new, |patterns| patterns_of(&patterns.value));
        patterns.extend(
            shared.iter().filter(|(name, _)| !patterns.iter().any(|(own, _)| own == name)).cloned().collect::<Vec<_>>(),
        );
        let mut entries: Vec<Entry> = rule.generate.iter().flatten().map(|entry| self.entry(entry)).collect();
        if let Some(Raw(node)) = rule.scaffold {
            entries.extend(scaffold::entries(self.tree, node, &mut self.findings));
        }
        let each = self.each(rule);
        Rule {
            number,
            span,
            each,
            when: self.condition(rule.when.as_ref()),
            with: self.with(rule.with),
            patterns,
            entries,
            allow_empty: rule.allow_empty.as_ref().is_some_and(|flag| flag.value),
            words: WordStyle::Native,
        }
    }

    /// A condition written as a boolean (`when: true`) has no text node; `false` becomes a text by the schema.
    fn condition(&mut self, wire: Option<&Spanned<ConditionWire>>) -> Option<NodeId> {
        let wire = wire?;
        if self.tree.text(wire.node).is_none() {
            let message = "`when` is an expression, but this is a fixed value";
            let help = "remove `when: true`; for `false`, remove the rule or write an expression as text";
            self.error(Code::BadValue, self.tree.span(wire.node), message, help);
            return None;
        }
        Some(wire.node)
    }

    fn with(&mut self, wire: Option<Raw>) -> Vec<(String, NodeId)> {
        let Some(Raw(node)) = wire else { return Vec::new() };
        let entries = self.tree.map(node).unwrap_or_default().iter();
        entries.filter_map(|&(key, value)| Some((self.tree.text(key)?.to_owned(), value))).collect()
    }

    fn each(&mut self, rule: &RuleWire) -> Loop {
        let variable = rule.r#as.as_ref().map_or_else(|| "entity".to_owned(), |name| name.value.clone());
        if let Some(name) = &rule.r#as
            && !is_name(&name.value)
        {
            let message = format!("`{}` is no name of a loop variable", name.value);
            self.error(
                Code::BadValue,
                self.tree.span(name.node),
                &message,
                "use letters, digits and `_`, such as `order_item`",
            );
        }
        let Some(Raw(node)) = rule.for_each else {
            if let Some(name) = &rule.r#as {
                let help = "add `for_each`, or remove `as`";
                self.error(
                    Code::BadCombination,
                    self.tree.span(name.node),
                    "`as` names the variable of a loop, but there is no `for_each`",
                    help,
                );
            }
            return Loop::Once;
        };
        let span = self.tree.span(node);
        match self.tree.kind(node) {
            Kind::Text(..) => Loop::Expression { variable, node },
            Kind::List(items) => {
                let values = items.iter().map(|&item| of_node(self.tree, item)).collect();
                Loop::Lists(vec![LoopList { variable, values, span }])
            }
            Kind::Map(entries) => {
                if let Some(name) = &rule.r#as {
                    let help = "the keys of the mapping name the variables; remove `as`";
                    self.error(
                        Code::BadCombination,
                        self.tree.span(name.node),
                        "`as` has no meaning for a mapping of lists",
                        help,
                    );
                }
                Loop::Lists(entries.clone().into_iter().filter_map(|(key, value)| self.cross(key, value)).collect())
            }
            _ => Loop::Once,
        }
    }

    /// One variable of a cross product.
    fn cross(&mut self, key: NodeId, value: NodeId) -> Option<LoopList> {
        let variable = self.tree.text(key)?.to_owned();
        if !is_name(&variable) {
            let message = format!("`{variable}` is no name of a loop variable");
            self.error(Code::BadValue, self.tree.span(key), &message, "use letters, digits and `_`");
        }
        let Some(items) = self.tree.list(value) else {
            let message = format!("the values of `{variable}` in a cross product are a list");
            let help = "write the list out; an expression over data stands alone: `for_each: \"data.entities\"`";
            self.error(Code::NotYet, self.tree.span(value), &message, help);
            return None;
        };
        let values = items.iter().map(|&item| of_node(self.tree, item)).collect();
        Some(LoopList { variable, values, span: self.tree.span(value) })
    }

    fn entry(&mut self, wire: &Spanned<EntryWire>) -> Entry {
        let span = self.tree.span(wire.node);
        match &wire.value {
            EntryWire::Object(object) => self.object(object, span),
            EntryWire::Pair(pair) => {
                let (content, path) = pair.0.first().map_or((Content::Empty, wire.node), |(template, path)| {
                    (Content::Template(template.value.clone(), self.tree.span(template.node)), path.node)
                });
                let path = PathText { parts: vec![path], keep: false };
                Entry { content, path, when: None, with: Vec::new(), mode: FileMode::Regular, once: false, span }
            }
        }
    }

    fn object(&mut self, object: &EntryObjectWire, span: Span) -> Entry {
        let bodies = [&object.template, &object.content, &object.copy];
        if bodies.iter().filter(|body| body.is_some()).count() > 1 {
            let help = "keep one of `template`, `content` and `copy`";
            self.error(Code::BadCombination, span, "a file has one body", help);
        }
        let content = match bodies {
            [Some(template), ..] => Content::Template(template.value.clone(), self.tree.span(template.node)),
            [_, Some(content), _] => Content::Inline(content.node),
            [_, _, Some(copy)] => Content::Copy(copy.value.clone(), self.tree.span(copy.node)),
            _ => Content::Empty,
        };
        Entry {
            content,
            path: PathText { parts: vec![object.path.node], keep: false },
            when: self.condition(object.when.as_ref()),
            with: self.with(object.with),
            mode: mode_of(object.mode.as_ref().map(|mode| mode.value)),
            once: object.once.as_ref().is_some_and(|once| once.value),
            span,
        }
    }
}

pub(super) fn mode_of(mode: Option<Mode>) -> FileMode {
    match mode {
        Some(Mode::Executable) => FileMode::Executable,
        _ => FileMode::Regular,
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
