//! The native dialect, lowered to the model. The document is schema-valid here; what is left is meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use super::common::Common;
use super::wire::NativeWire;
use super::wire::native::{FileSpecWire, TargetFilesWire, TemplateWire};
use super::wire::rule::PatternsWire;
use super::{Dialect, Expectations, MegaFile, Plurals, Rule, Template, validation};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::name::team_name;
use crate::source::decode::{OrderedMap, Raw, Spanned};
use crate::source::{NodeId, Tree};
use crate::span::Span;
use crate::template::value::{Mapping, entries_of};
use crate::template::{Base, Syntax};

/// Lowers a native mega-file.
///
/// # Errors
/// Keys that do not go together, and what this version cannot run yet.
pub fn lower(tree: &Arc<Tree>, selected: bool, common: &Common<'_>) -> Result<(MegaFile, Diagnostics), Diagnostics> {
    let wire: NativeWire = super::schema::decode(tree).map_err(|one| std::iter::once(one).collect::<Diagnostics>())?;
    let mut lowering = Lowering { tree, findings: Diagnostics::default() };
    let (sources, found) = common.sources_of(tree, &wire);
    lowering.findings.extend(found);
    let patterns = wire.generator.patterns.as_ref().map_or_else(Vec::new, |patterns| patterns_of(&patterns.value));
    let rules: Vec<Rule> = wire
        .generator
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| lowering.rule(index + 1, rule, &patterns))
        .collect();
    let factories = lowering.factories(wire.factories.as_ref(), &patterns);
    lowering.calls(&rules, &factories);
    let contributions = lowering.contributions(wire.contributes.as_ref(), &patterns);
    let templates = wire.templates.iter().flat_map(|templates| &templates.0);
    let templates: BTreeMap<String, Template> =
        templates.map(|(key, template)| (key.value.clone(), template_of(tree, key, &template.value))).collect();
    let tests = validation::lower(tree, &wire, &sources, &mut lowering.findings);
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
        base: Arc::new(base_of(tree, &wire, common)),
        rules,
        factories,
        contributions,
        templates,
        shared: Arc::clone(&common.shared),
        sources,
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

fn base_of(tree: &Tree, wire: &NativeWire, common: &Common<'_>) -> Base {
    let mut base = Base::new();
    let mut data = wire.data.map_or_else(Vec::new, |Raw(node)| entries_of(tree, node));
    data.extend(common.values_of(wire));
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

pub(super) fn patterns_of(wire: &PatternsWire) -> Vec<(String, NodeId)> {
    wire.pairs().map(|(name, path)| (name.value.clone(), path.node)).collect()
}

fn template_of(tree: &Tree, key: &Spanned<String>, wire: &TemplateWire) -> Template {
    use super::wire::native::Syntax as Wire;
    let span = tree.span(key.node);
    let words = |list: Option<&Vec<Spanned<String>>>| {
        list.map_or_else(Vec::new, |list| list.iter().map(|word| word.value.clone()).collect())
    };
    match wire {
        TemplateWire::Text(text) => Template::of(text.node, span),
        TemplateWire::Object(object) => Template {
            text: object.text.node.into(),
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
            plurals: plurals_of(object.plural.as_ref()),
        },
    }
}

/// Plurals by singular; the singular is compared in lower case.
pub(super) fn plurals_of(wire: Option<&OrderedMap<Spanned<String>>>) -> Plurals {
    wire.into_iter().flatten().map(|(key, plural)| (key.value.to_lowercase(), plural.value.clone())).collect()
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

pub(super) struct Lowering<'a> {
    pub(super) tree: &'a Tree,
    pub(super) findings: Diagnostics,
}

impl Lowering<'_> {
    pub(super) fn error(&mut self, code: Code, span: Span, message: &str, help: &str) {
        self.findings.push(Diagnostic::new(code, message).at(span).help(help));
    }
}
