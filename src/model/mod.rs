//! What the mega-files and the manifest mean: both dialects lowered to one model, every name of a template resolved.
//!
//! Schema first, then meaning. Nothing is rendered and no path is decided here; loops over expressions stay
//! expressions until `plan`. Touches nothing but the trees.

mod checks;
mod common;
mod lower_lbof;
mod lower_native;
mod lower_rule;
pub mod manifest;
mod rule;
mod scaffold;
pub mod schema;
pub mod user_regex;
pub mod user_schema;
mod validation;
pub mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

pub use common::{DataSource, SharedTemplates};
pub use manifest::{
    Amount, Boundary, Capabilities, Deliverable, EditPolicy, Goals, GrantKind, IntegrationPoint, Manifest, Present,
    Progress, Team,
};
pub use rule::{
    Call, Content, Contribution, Entry, Factory, Loop, LoopItems, LoopList, Param, PathText, Plurals, Rule, WordStyle,
};
pub use user_schema::UserSchema;
pub use validation::{FileTest, PlacedData, check_data};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::limit::{Limit, Limits};
use crate::name::team_name;
use crate::source::{Input, NodeId, SourceSet, Tree};
use crate::span::{FileId, SourceFile, SourceMap, Span};
use crate::template::{Base, Syntax};

/// Everything that was understood.
#[derive(Debug)]
pub struct Model {
    /// The manifest, if there is one.
    pub manifest: Option<Manifest>,
    /// The mega-files that are valid, in the order of their names.
    pub mega_files: Vec<MegaFile>,
}

impl Model {
    /// The one name of a team: aliases of the manifest are resolved.
    #[must_use]
    pub fn team_name(&self, text: &str) -> String {
        one_team_name(self.manifest.as_ref(), text)
    }
}

/// The one name of a team; one that the manifest does not know is only spelled alike.
#[must_use]
pub fn one_team_name(manifest: Option<&Manifest>, text: &str) -> String {
    let team = manifest.and_then(|manifest| manifest.team(text));
    team.map_or_else(|| team_name(text), |team| team.name.clone())
}

/// Which of the two formats a mega-file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `generator`, `templates`, `data`.
    Native,
    /// `expansion_rules`, `generation_templates`.
    Lbof,
}

/// A valid mega-file.
#[derive(Debug)]
pub struct MegaFile {
    /// Its id as written.
    pub id: String,
    /// Where the id stands.
    pub id_span: Span,
    /// Its team: the name in the manifest, else the one spelling of [`crate::name::team_name`].
    pub team: String,
    /// Where the team stands.
    pub team_span: Span,
    /// The format it is written in.
    pub dialect: Dialect,
    /// Whether this run expands it.
    pub selected: bool,
    /// Its nodes.
    pub tree: Arc<Tree>,
    /// What all its templates see.
    pub base: Arc<Base>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Its factories, by name.
    pub factories: BTreeMap<String, Factory>,
    /// What it gives to the owners of shared files, in order.
    pub contributions: Vec<Contribution>,
    /// Its own templates, by name; [`Self::template`] finds the shared ones too.
    pub templates: BTreeMap<String, Template>,
    /// The project's shared templates.
    pub shared: Arc<SharedTemplates>,
    /// The data files that it reads.
    pub sources: Vec<DataSource>,
    /// What it says that it will generate.
    pub expectations: Expectations,
    /// What must hold for its files.
    pub tests: Vec<FileTest>,
    /// Mega-files that it says it depends on: the text and its place.
    pub dependencies: Vec<(String, Span)>,
}

impl MegaFile {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.tree.file()
    }

    /// The template of this name: its own, else the project's.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.get(name).or_else(|| self.shared.templates.get(name))
    }

    /// The text at a place; empty for a node that is no text.
    #[must_use]
    pub fn text<'t>(&'t self, place: TextPlace, sources: &'t SourceMap) -> &'t str {
        match place {
            TextPlace::Node(node) => self.tree.text(node).unwrap_or_default(),
            TextPlace::File(file) => sources.get(file).map_or("", SourceFile::text),
        }
    }
}

/// Where a text stands that is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPlace {
    /// A text node of the mega-file.
    Node(NodeId),
    /// The whole of a shared file.
    File(FileId),
}

impl From<NodeId> for TextPlace {
    fn from(node: NodeId) -> Self {
        Self::Node(node)
    }
}

/// A text that is a template: where it stands and how it is read.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its text.
    pub text: TextPlace,
    /// The key under which it is defined, or the beginning of its file, for messages.
    pub span: Span,
    /// Its `syntax:`.
    pub syntax: Syntax,
    /// Its `literal:` list.
    pub literal: Vec<String>,
    /// Its `placeholders:` list.
    pub placeholders: Vec<String>,
    /// Its `plural:` mapping.
    pub plurals: Plurals,
}

impl Template {
    /// A template that says nothing of how it is read.
    fn of(text: impl Into<TextPlace>, span: Span) -> Self {
        let text = text.into();
        let (literal, placeholders, plurals) = (Vec::new(), Vec::new(), Plurals::new());
        Self { text, span, syntax: Syntax::Auto, literal, placeholders, plurals }
    }
}

/// What a mega-file says that it will generate.
#[derive(Debug, Default)]
pub struct Expectations {
    /// How many files.
    pub files: Option<(u64, Span)>,
    /// Which files: paths or globs.
    pub paths: Vec<(String, Span)>,
    /// How many lines: least and most.
    pub lines: Option<(u64, u64, Span)>,
    /// How many lines single files have: the path or glob, then least and most.
    pub file_lines: Vec<(String, (u64, u64, Span))>,
}

/// Understands everything that was read. Findings of a mega-file name its team; a mega-file with an error is not in
/// the model. What is wrong in a mega-file that was not selected becomes one warning.
#[must_use]
pub fn build(set: &SourceSet) -> (Model, Diagnostics) {
    let mut findings = Diagnostics::default();
    // Each side compiles its schema first, which takes longer than reading a small project.
    let common = common::Common::new(set);
    let (manifest, built): (_, Vec<_>) = rayon::join(
        || set.manifest.as_ref().and_then(|input| input.tree.as_ref()).map(manifest::build),
        || set.mega_files.par_iter().map(|input| (input, understand(input, &common))).collect(),
    );
    let manifest = match manifest {
        Some(Ok((manifest, warnings))) => {
            findings.extend(warnings);
            Some(manifest)
        }
        Some(Err(broken)) => {
            findings.extend(broken);
            None
        }
        None => None,
    };
    let mut mega_files = Vec::new();
    for (input, (mega_file, found)) in built {
        let broken = found.has_errors();
        if input.selected || input.tree.is_none() {
            findings.extend(found);
        } else if broken {
            findings.push(neighbour(input, &found));
        }
        mega_files.extend(mega_file.filter(|_| !broken));
    }
    for mega in &mut mega_files {
        mega.team = one_team_name(manifest.as_ref(), &mega.team);
    }
    for team in findings.iter_mut().flat_map(|finding| &mut finding.teams) {
        *team = one_team_name(manifest.as_ref(), team);
    }
    if let Some(manifest) = &manifest {
        findings.iter_mut().for_each(|finding| checks::name_team(finding, set, manifest));
    }
    findings.extend(checks::project(&mega_files, manifest.as_ref(), &set.sources));
    (Model { manifest, mega_files }, findings)
}

/// The manifest alone, if there is one and it is valid.
#[must_use]
pub fn manifest(set: &SourceSet) -> Option<Manifest> {
    let tree = set.manifest.as_ref()?.tree.as_ref()?;
    manifest::build(tree).ok().map(|(manifest, _)| manifest)
}

fn neighbour(input: &Input, found: &Diagnostics) -> Diagnostic {
    let first = found.iter().find(|finding| finding.is_error());
    let reason = first.map_or_else(String::new, |finding| format!(": {}", finding.message));
    let span = first.and_then(|finding| finding.span).unwrap_or(Span::new(input.file, 0, 0));
    let named = first.into_iter().flat_map(|finding| &finding.related).filter_map(|related| related.span);
    let own = named.into_iter().find(|own| own.file == input.file).filter(|_| span.file != input.file);
    let finding =
        Diagnostic::new(Code::NeighbourUnreadable, format!("this mega-file was not selected and is not valid{reason}"));
    // What is wrong in a data file is told where the mega-file names it.
    let finding = match own {
        Some(own) => finding.at(own).related(span, "the place in the data file"),
        None => finding.at(span),
    };
    finding.help("until it is mended, its lockfile says which paths it claims")
}

/// Lowers one input; its findings name its team.
fn understand(input: &Input, common: &common::Common<'_>) -> (Option<MegaFile>, Diagnostics) {
    let Some(tree) = &input.tree else { return (None, input.findings.clone()) };
    let named = tree.get(tree.root(), "team").and_then(|node| tree.text(node)).map(team_name);
    let team = named.or_else(|| input.team_hint.clone());
    let (mega_file, mut findings) = lower(tree, input.selected, common);
    findings.extend(input.findings.clone());
    for finding in &mut findings {
        if let (Some(team), true) = (&team, finding.teams.is_empty()) {
            finding.teams.push(team.clone());
        }
    }
    (mega_file, findings)
}

/// Schema, then meaning.
fn lower(tree: &Arc<Tree>, selected: bool, common: &common::Common<'_>) -> (Option<MegaFile>, Diagnostics) {
    let Some(dialect) = dialect_of(tree) else {
        return (None, std::iter::once(no_dialect(tree)).collect());
    };
    if let Some(mixed) = mixed(tree) {
        return (None, std::iter::once(mixed).collect());
    }
    let name = match dialect {
        Dialect::Native => schema::SchemaName::MegaFile,
        Dialect::Lbof => schema::SchemaName::Lbof,
    };
    let findings = schema::validate(name, tree, &schema::to_json(name, tree));
    if findings.has_errors() {
        return (None, findings);
    }
    let lowered = match dialect {
        Dialect::Native => lower_native::lower(tree, selected, common),
        Dialect::Lbof => lower_lbof::lower(tree, selected, common),
    };
    match lowered {
        Ok((mega_file, mut more)) => {
            more.extend(findings);
            match too_many_templates(&mega_file, common.limits) {
                None => (Some(mega_file), more),
                Some(finding) => {
                    more.push(finding);
                    (None, more)
                }
            }
        }
        Err(mut more) => {
            more.extend(findings);
            (None, more)
        }
    }
}

fn too_many_templates(mega: &MegaFile, limits: &Limits) -> Option<Diagnostic> {
    let (limit, count) = (Limit::Templates, mega.templates.len());
    let message = format!("the mega-file has {count} templates: {}", limits.says(limit));
    let finding = Diagnostic::new(Code::PlanLimit, message).at(mega.id_span).help(limit.help("split it into several"));
    (count > limits.size(limit)).then_some(finding)
}

fn no_dialect(tree: &Tree) -> Diagnostic {
    let message = if tree.map(tree.root()).is_some() {
        "this is neither mega-file dialect".to_owned()
    } else {
        format!("a mega-file is a mapping, but this is {}", tree.kind(tree.root()).word())
    };
    let help = "the native dialect has `generator` and `templates`, the LBOF dialect `expansion_rules` and \
                `generation_templates`; `megax schema mega-file` prints the format";
    Diagnostic::new(Code::UnknownDialect, message).at(tree.span(tree.root()).head()).help(help)
}

/// A document with the keys of both dialects.
fn mixed(tree: &Tree) -> Option<Diagnostic> {
    let entry = |keys: &[&str]| keys.iter().find_map(|key| tree.entry(tree.root(), key));
    let (native, _) = entry(&["generator", "templates"])?;
    let (lbof, _) = entry(&["expansion_rules", "generation_templates"])?;
    let word = |node| tree.text(node).unwrap_or_default();
    let message = format!("`{}` belongs to the native dialect, `{}` to the LBOF dialect", word(native), word(lbof));
    let help = "write one dialect: `generator` with `templates`, or `expansion_rules` with `generation_templates`";
    let finding = Diagnostic::new(Code::BadCombination, message).at(tree.span(native)).help(help);
    Some(finding.related(tree.span(lbof), "the other dialect"))
}

/// The dialect that a document is written in, by its top-level keys; a document with keys of neither is judged by
/// the nearest spelling.
fn dialect_of(tree: &Tree) -> Option<Dialect> {
    let entries = tree.map(tree.root())?;
    let keys: Vec<&str> = entries.iter().filter_map(|&(key, _)| tree.text(key)).collect();
    let has = |wanted: &[&str]| keys.iter().any(|key| wanted.contains(key));
    let near = |wanted: &[&str]| keys.iter().any(|key| nearest(key, wanted.iter().copied()).is_some());
    let (lbof, native) =
        (["expansion_rules", "generation_templates"], ["generator", "templates", "factories", "contributes"]);
    if has(&lbof) {
        return Some(Dialect::Lbof);
    }
    if has(&native) || near(&native[..2]) {
        return Some(Dialect::Native);
    }
    near(&lbof).then_some(Dialect::Lbof)
}
