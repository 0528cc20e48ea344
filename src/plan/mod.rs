//! Every file that will exist: who makes it, from what, where. Loops are run and paths rendered; bodies are not.
//!
//! A checked [`Plan`] holds only files of teams that may be written: sorted by path, inside their boundaries, no two
//! at one place among all teams of the project. Touches nothing but the model.

mod boundary;
mod claims;
mod compile;
mod expand;
mod items;
mod near;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

pub use boundary::Reserved;
pub use claims::{Claim, ShardClaims, check as check_claims};
pub use near::near;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{MegaFile, Model};
use crate::name::id_key;
use crate::path::{FileMode, OutputPath, PathKey};
use crate::source::yaml;
use crate::span::{SourceMap, Span};
use crate::template::{Issue, Scope, Unit};

/// Most files that one rule may plan; counted before a cross product is built.
pub const MAX_FILES_PER_RULE: usize = 200_000;
/// Most files that one run may plan.
pub const MAX_FILES: usize = 2_000_000;

/// Files that were read for `copy:` entries, by the path as written; or why they cannot be used.
pub type Assets = BTreeMap<String, Result<Arc<[u8]>, String>>;

/// One file that will exist.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    /// Where.
    pub path: OutputPath,
    /// Index of its mega-file in the model.
    pub mega_file: usize,
    /// The rule's number in the mega-file, from 1.
    pub rule: usize,
    /// The item of its loop.
    pub item: Option<String>,
    /// The template's name, `inline` or `copy`.
    pub template: Arc<str>,
    /// What stands in it.
    pub body: PlannedBody,
    /// Its mode.
    pub mode: FileMode,
    /// Written if absent, then the user's.
    pub once: bool,
    /// The YAML line that asks for it.
    pub origin: Span,
}

/// How a file's body is made.
#[derive(Debug, Clone)]
pub enum PlannedBody {
    /// Rendered: the unit, the template's name in it, the names it sees.
    Render(Arc<Unit>, Arc<str>, Arc<Scope>),
    /// Copied.
    Copy(Arc<[u8]>),
    /// Empty.
    Empty,
}

/// What the mega-files of a run plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files of selected mega-files, sorted by path.
    pub files: Vec<PlannedFile>,
    /// The paths of readable mega-files that were not selected.
    pub neighbours: Vec<Claim>,
    /// What the lockfile records of mega-files that cannot be planned whole: claimed until they are mended.
    pub recorded: Vec<ShardClaims>,
}

/// Turns an issue inside a text of a mega-file into a diagnostic at its YAML line.
#[must_use]
pub fn locate(mega: &MegaFile, sources: &SourceMap, node: crate::source::NodeId, issue: &Issue) -> Diagnostic {
    let text = sources.get(mega.file()).map_or("", crate::span::SourceFile::text);
    let span = yaml::locate_range(&mega.tree, text, node, issue.range.clone());
    let mut diagnostic = Diagnostic::new(issue.code, issue.message.clone()).at(span).team(mega.team.clone());
    diagnostic.help.clone_from(&issue.help);
    if let Some((range, replacement)) = &issue.fix {
        let at = yaml::locate_range(&mega.tree, text, node, range.clone());
        diagnostic = diagnostic.fix(at, replacement.clone());
    }
    diagnostic
}

/// Runs every rule of every mega-file and checks the outcome over the whole project. `shards` are the claims of
/// mega-files that are gone or unreadable, `reserved` are the inputs of megax.
#[must_use]
pub fn resolve(
    model: &Model,
    sources: &SourceMap,
    assets: &Assets,
    shards: &[ShardClaims],
    records: &[ShardClaims],
    reserved: &Reserved,
) -> (Plan, Diagnostics) {
    let mut findings = Diagnostics::default();
    let expanded: Vec<_> = model
        .mega_files
        .par_iter()
        .enumerate()
        .map(|(index, mega)| expand::mega_file(index, mega, sources, assets))
        .collect();
    let mut plan = Plan::default();
    for (mega, (files, found)) in model.mega_files.iter().zip(expanded) {
        let broken = found.has_errors();
        let planned: BTreeSet<PathKey> =
            if broken { files.iter().map(|file| file.path.key()).collect() } else { BTreeSet::new() };
        if mega.selected {
            findings.extend(found);
            plan.files.extend(files);
        } else {
            findings.extend(neighbour(mega, &found));
            plan.neighbours.extend(files.iter().map(|file| Claim::of(file, mega)));
        }
        if broken {
            plan.recorded.extend(recorded(mega, &planned, records));
        }
    }
    if plan.files.len() > MAX_FILES {
        let message = format!("the run plans {} files; the limit is {MAX_FILES}", plan.files.len());
        findings.push(Diagnostic::new(Code::PlanLimit, message).help("select fewer mega-files"));
        plan.files.clear();
    }
    plan.files.sort_by(|a, b| (&a.path, a.origin).cmp(&(&b.path, b.origin)));
    findings.extend(boundary::check(model, &plan.files, reserved));
    findings.extend(claims::check(model, &plan, shards));
    (plan, findings)
}

/// What the lockfile records of a mega-file and what it does not plan now.
fn recorded(mega: &MegaFile, planned: &BTreeSet<PathKey>, records: &[ShardClaims]) -> Vec<ShardClaims> {
    let own = records.iter().filter(|record| id_key(&record.mega_file) == id_key(&mega.id));
    let rest = own.map(|record| ShardClaims {
        paths: record.paths.iter().filter(|path| !planned.contains(&path.key())).cloned().collect(),
        ..record.clone()
    });
    rest.collect()
}

/// What is wrong in a mega-file that was not selected, as one warning.
fn neighbour(mega: &MegaFile, found: &Diagnostics) -> Option<Diagnostic> {
    let first = found.iter().find(|finding| finding.is_error())?;
    let message = format!("the mega-file `{}` was not selected and cannot be planned: {}", mega.id, first.message);
    let help = "what it plans so far and its lockfile say which paths it claims";
    Some(Diagnostic::new(Code::NeighbourUnreadable, message).at(first.span.unwrap_or(mega.id_span)).help(help))
}
