//! Every file that will exist: who makes it, from what, where. Loops are run and paths rendered; bodies are not.
//!
//! A checked [`Plan`] holds only files of teams that may be written: sorted by path, inside their boundaries, no two
//! at one place among all teams of the project. Touches nothing but the model.

mod boundary;
mod call;
mod claims;
mod compile;
mod contribute;
mod expand;
mod frame;
mod items;
mod limits;
mod loop_text;
mod nameless;
mod near;
mod reservations;
mod sensitive;
mod slot_checks;
mod unused;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub use boundary::Reserved;
pub use claims::{Claim, Collision, ShardClaims, check as check_claims, collisions};
pub use contribute::{Contributions, Doubt};
pub use near::near;
pub use reservations::{Held, Holder, Reservations};
pub use slot_checks::readers;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::limit::{Limit, Limits};
use crate::model::{MegaFile, Model, TextPlace};
use crate::name::id_key;
use crate::path::{FileMode, OutputPath, PathKey};
use crate::source::yaml;
use crate::span::{FileId, SourceFile, SourceMap, Span};
use crate::template::{Issue, Scope, Slots, Unit};

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
    /// The factories that made it, outermost first (`crud > field`).
    pub factory: Option<Arc<str>>,
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
    /// The slots of contributions that it is made from.
    pub reads: Option<Arc<Slots>>,
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

/// A rule or an entry for which slots decide which files there are; perhaps none now.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Its mega-file, as an index of the model.
    pub mega_file: usize,
    /// Where it is written.
    pub span: Span,
    /// The slots.
    pub slots: Slots,
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
    /// Mega-files that cannot be planned whole, by team and key of the id: what they have reserved is claimed until they are
    /// mended.
    pub broken: BTreeSet<(String, String)>,
    /// The shared templates that each mega-file uses, by its index in the model.
    pub shared: Vec<BTreeSet<FileId>>,
    /// What the mega-files give to one another.
    pub contributions: Contributions,
    /// The slots that each mega-file of the model reads.
    pub reads: Vec<Slots>,
    /// Where slots decide which files selected mega-files have.
    pub readers: Vec<Reader>,
    /// Files of mega-files that were not selected, but are made from what a selected one contributes; sorted by path.
    pub fed: Vec<PlannedFile>,
}

/// What every mega-file is expanded with.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The texts.
    pub sources: &'a SourceMap,
    /// What `copy:` entries name.
    pub assets: &'a Assets,
    /// The project's seed of random values.
    pub seed: &'a str,
    /// How many files were planned so far, by all mega-files together.
    pub planned: &'a AtomicUsize,
    /// What the run may cost.
    pub limits: &'a Limits,
}

/// What the plan is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The claims of mega-files that are gone or unreadable.
    pub shards: &'a [ShardClaims],
    /// What the lockfile records of every mega-file.
    pub records: &'a [ShardClaims],
    /// What mega-files have reserved.
    pub reservations: &'a Reservations,
    /// The inputs of megax.
    pub reserved: &'a Reserved,
    /// Mega-files that cannot be read, by what they may contribute.
    pub doubts: &'a [Doubt],
    /// Whether there is a manifest that cannot be understood: what it grants is not known then, and every team is held.
    pub manifest_is_broken: bool,
}

/// Turns an issue inside a text into a diagnostic at its line of the mega-file, or of the shared template.
#[must_use]
pub fn locate(mega: &MegaFile, sources: &SourceMap, place: impl Into<TextPlace>, issue: &Issue) -> Diagnostic {
    let place = place.into();
    let mut diagnostic = Diagnostic::new(issue.code, issue.message.clone()).team(mega.team.clone());
    diagnostic.span = Some(place_of(mega, sources, place, issue.range.clone()));
    diagnostic.help.clone_from(&issue.help);
    let text = mega.text(place, sources);
    let asked = match issue.code {
        Code::MissingField => text.get(issue.range.clone()).unwrap_or_default(),
        Code::TemplateFailed if issue.help.is_none() => line_of(text, issue.range.start),
        _ => "",
    };
    diagnostic.help = words::data_hint(&mega.base, asked).or(diagnostic.help);
    match &issue.fix {
        Some((range, new)) => with_fix(diagnostic, mega, sources, place, (range.clone(), new)),
        None => diagnostic,
    }
}

/// Adds a change of a text, if it can be written where the text stands as it is: without an escape, and without ending a
/// quoted text.
fn with_fix(
    diagnostic: Diagnostic,
    mega: &MegaFile,
    sources: &SourceMap,
    place: TextPlace,
    (range, new): (Range<usize>, &str),
) -> Diagnostic {
    let span = place_of(mega, sources, place, range.clone());
    let written = sources.get(span.file).and_then(|file| file.text().get(span.start as usize..span.end as usize));
    let old = mega.text(place, sources).get(range);
    let marks = |text: &str| text.chars().filter(|c| matches!(c, '\'' | '"' | '\\' | '\n' | '#')).collect::<String>();
    let is_same = old.is_some() && old == written && old.is_some_and(|old| marks(old) == marks(new));
    if is_same { diagnostic.fix(span, new) } else { diagnostic }
}

/// The line of a text that holds a byte.
fn line_of(text: &str, at: usize) -> &str {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after.find('\n').map_or(text.len(), |newline| before.len() + newline);
    &text[start..end]
}

/// Where the bytes `range` of a text stand.
#[must_use]
pub fn place_of(mega: &MegaFile, sources: &SourceMap, place: TextPlace, range: Range<usize>) -> Span {
    match place {
        TextPlace::Node(node) => {
            let text = sources.get(mega.file()).map_or("", SourceFile::text);
            yaml::locate_range(&mega.tree, text, node, range)
        }
        TextPlace::File(file) => {
            let length = mega.text(place, sources).len();
            Span::new(file, range.start.min(length), range.end.min(length))
        }
    }
}

/// Runs every rule of every mega-file and checks the outcome over the whole project.
#[must_use]
pub fn resolve(model: &Model, around: &Around<'_>, ground: &Ground<'_>) -> (Plan, Diagnostics) {
    let (contributions, mut findings) = contribute::collect(model, around, ground.doubts);
    let vars = model.manifest.as_ref().and_then(|manifest| manifest.vars.as_ref());
    let expanded: Vec<_> = model
        .mega_files
        .par_iter()
        .enumerate()
        .map(|(index, mega)| expand::mega_file(index, mega, contributions.base(&mega.base, vars), around))
        .collect();
    if around.planned.load(Ordering::Relaxed) > around.limits.size(Limit::FilesPerRun) {
        // Which mega-file met the limit depends on the threads: nothing else is said.
        let message = "the mega-files of the project plan too many files together";
        let mend = "plan less; a cross product is rarely what is needed";
        let finding = over_all(around.limits, Limit::FilesPerRun, message, mend);
        return (Plan::default(), std::iter::once(finding).collect());
    }
    let mut plan = Plan::default();
    for (index, (mega, expand::Expanded { files, findings: found, reads, readers, shared })) in
        model.mega_files.iter().zip(expanded).enumerate()
    {
        plan.shared.push(shared);
        let broken = found.has_errors();
        let planned: BTreeSet<PathKey> =
            if broken { files.iter().map(|file| file.path.key()).collect() } else { BTreeSet::new() };
        if mega.selected {
            findings.extend(found);
            plan.files.extend(files);
            plan.readers.extend(readers);
        } else {
            findings.extend(neighbour(mega, &found));
            plan.neighbours.extend(files.iter().map(|file| Claim::of(file, mega)));
            plan.fed.extend(files.into_iter().filter(|file| slot_checks::is_fed(file, index, model, &contributions)));
        }
        if broken {
            plan.broken.insert((mega.team.clone(), id_key(&mega.id)));
            plan.recorded.extend(recorded(mega, &planned, ground.records));
        }
        plan.reads.push(reads);
    }
    plan.contributions = contributions;
    plan.files.sort_by(|a, b| (&a.path, a.origin).cmp(&(&b.path, b.origin)));
    plan.fed.sort_by(|a, b| (&a.path, a.origin).cmp(&(&b.path, b.origin)));
    findings.extend(boundary::check(model, &plan, ground.reserved));
    if !ground.manifest_is_broken {
        findings.extend(sensitive::check(model, &plan.files, ground.reserved));
    }
    findings.extend(claims::check(model, &plan, ground.shards, ground.reservations));
    findings.extend(slot_checks::check(model, &plan));
    (plan, findings)
}

/// A limit of all mega-files together was met: all teams are held.
fn over_all(limits: &Limits, limit: Limit, what: &str, mend: &str) -> Diagnostic {
    Diagnostic::new(Code::PlanLimit, format!("{what}: {}", limits.says(limit))).help(limit.help(mend))
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
