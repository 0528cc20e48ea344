//! What the mega-files of a project share: the values of data files, and the shared templates. Made once per run, since
//! many mega-files may name one large file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Value;
use rayon::prelude::*;

use super::wire::{NativeWire, SourcePath};
use super::{Template, TextPlace};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::limit::Limits;
use crate::source::decode::{Raw, Spanned};
use crate::source::{DataFile, SourceSet, Tree};
use crate::span::{FileId, Span};
use crate::template::value::of_node;

/// Endings that a template's name may leave out.
const OPTIONAL_ENDINGS: [&str; 3] = [".j2", ".jinja", ".tmpl"];

/// A data file that a mega-file reads.
#[derive(Debug, Clone)]
pub struct DataSource {
    /// The key under `data`.
    pub name: String,
    /// The text of the file.
    pub file: FileId,
    /// What it holds.
    pub tree: Arc<Tree>,
    /// Where the mega-file names it.
    pub span: Span,
}

/// The files below the project's `templates/`.
#[derive(Debug, Default)]
pub struct SharedTemplates {
    /// By every name that they have.
    pub templates: BTreeMap<String, Template>,
    /// Those that cannot be used, and why.
    pub unreadable: BTreeMap<String, String>,
}

/// What all mega-files share.
pub(super) struct Common<'s> {
    data: &'s BTreeMap<String, DataFile>,
    values: BTreeMap<&'s str, Value>,
    pub(super) shared: Arc<SharedTemplates>,
    pub(super) limits: &'s Limits,
}

impl<'s> Common<'s> {
    pub(super) fn new(set: &'s SourceSet) -> Self {
        let value = |(path, file): (&'s String, &'s DataFile)| {
            let tree = file.tree.as_ref().ok()?;
            Some((path.as_str(), of_node(tree, tree.root())))
        };
        let values = set.data.par_iter().filter_map(value).collect();
        Self { data: &set.data, values, shared: Arc::new(shared(set)), limits: &set.limits }
    }

    /// The data files that a mega-file names, and what is wrong with them.
    pub(super) fn sources_of(&self, tree: &Tree, wire: &NativeWire) -> (Vec<DataSource>, Diagnostics) {
        let mut sources = Vec::new();
        let mut findings = Diagnostics::default();
        for (key, path) in entries(wire) {
            if let Some((own, _)) = wire.data.and_then(|Raw(data)| tree.entry(data, &key.value)) {
                let message = format!("`{}` stands under `sources` and under `data`", key.value);
                let finding = Diagnostic::new(Code::BadCombination, message).at(tree.span(key.node));
                let finding = finding.related(tree.span(own), "the same name under `data`");
                findings.push(finding.help("a source is read as `data.NAME`: give one of the two another name"));
            }
            let span = tree.span(path.node);
            match self.data.get(&path.value.0).map(|file| (file.file, &file.tree)) {
                Some((Some(file), Ok(data))) => {
                    sources.push(DataSource { name: key.value.clone(), file, tree: Arc::clone(data), span });
                }
                Some((_, Err(broken))) => findings.extend(broken.iter().map(|finding| match finding.span {
                    Some(_) => finding.clone().related(span, "named as a source here"),
                    None => finding.clone().at(span),
                })),
                _ => {
                    let message = format!("`{}` cannot be used as a source: it was not read", path.value.0);
                    findings.push(Diagnostic::new(Code::BadSource, message).at(span));
                }
            }
        }
        (sources, findings)
    }

    /// What the sources of a mega-file add to its `data`.
    pub(super) fn values_of(&self, wire: &NativeWire) -> Vec<(Arc<str>, Value)> {
        let value = |(key, path): (&Spanned<String>, &Spanned<SourcePath>)| {
            Some((Arc::from(key.value.as_str()), self.values.get(path.value.0.as_str())?.clone()))
        };
        entries(wire).filter_map(value).collect()
    }
}

fn entries(wire: &NativeWire) -> impl Iterator<Item = (&Spanned<String>, &Spanned<SourcePath>)> {
    wire.sources.iter().flat_map(|sources| &sources.0).map(|(key, path)| (key, path))
}

/// A shared template is named by its path, or by its path without an optional ending where only one file has that.
fn shared(set: &SourceSet) -> SharedTemplates {
    let mut shared = SharedTemplates::default();
    let mut twice = BTreeSet::new();
    for (path, file) in &set.templates {
        let mut name = |name: &str, exact: bool| match file {
            Ok(file) => {
                let known = shared.templates.insert(name.to_owned(), template(*file)).is_some();
                if known && !exact {
                    twice.insert(name.to_owned());
                }
            }
            Err(why) => drop(shared.unreadable.insert(name.to_owned(), why.clone())),
        };
        let short = OPTIONAL_ENDINGS.iter().find_map(|ending| path.strip_suffix(ending));
        name(path, true);
        if let Some(short) = short.filter(|short| !short.ends_with('/') && !set.templates.contains_key(*short)) {
            name(short, false);
        }
    }
    shared.templates.retain(|name, _| !twice.contains(name));
    shared
}

fn template(file: FileId) -> Template {
    Template::of(TextPlace::File(file), Span::new(file, 0, 0))
}
