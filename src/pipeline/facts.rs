//! From the state of a run to the facts of its report.

use std::collections::BTreeMap;

use super::apply::Changes;
use super::{Request, State};
use crate::change::{FileChange, Kind};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::{Digest, tree_digest};
use crate::output::{self, Facts, Rendered};
use crate::path::OutputPath;
use crate::plan::PlannedFile;
use crate::report::{
    Change, FileReport, MegaFileReport, Mode, Outcome, Report, Summary, TeamReport, diff as text_diff, highest,
};
use crate::source::SourceSet;
use crate::source::load::display;

/// A longer file is not compared line by line: what lies in the tree may be as long as it likes.
const LONGEST_DIFF: u64 = 2 << 20;
/// So many findings of one code at one place are shown one by one.
const MOST_ALIKE: usize = 3;

/// The digest of the whole tree that this run stands for; `None` while a team is held or a file is unknown.
pub fn tree(state: &State<'_>) -> Option<Digest> {
    if state.held.is_empty() { rendered_tree(state) } else { None }
}

/// The digest of the whole tree, whoever is held; `None` while a file is unknown.
pub fn rendered_tree(state: &State<'_>) -> Option<Digest> {
    let mut entries = Vec::with_capacity(state.plan.files.len());
    for (file, rendered) in state.plan.files.iter().zip(&state.rendered) {
        match rendered {
            Rendered::Done(facts) => entries.push((&file.path, file.mode, facts.digest)),
            Rendered::Skipped if !state.is_wanted(&file.path) => {}
            _ => return None,
        }
    }
    Some(tree_digest(entries))
}

/// The report of a run that could not read its inputs.
pub fn without_inputs(request: &Request, (mut findings, set): (Diagnostics, Option<SourceSet>)) -> Report {
    findings.sort();
    findings.shorten(&super::limits_of(&request.inputs, set.as_ref()));
    let out = request.inputs.out.as_ref().map_or_else(String::new, |out| out.display().to_string());
    Report {
        command: request.command,
        outcome: if findings.has_errors() { Outcome::Wrong } else { Outcome::NothingToDo },
        mode: request.mode,
        tree: None,
        manifest: None,
        out,
        plan: None,
        summary: Summary::default(),
        lockfiles: None,
        teams: Vec::new(),
        mega_files: Vec::new(),
        files: Vec::new(),
        diagnostics: findings,
        sources: set.map(|set| set.sources).unwrap_or_default(),
    }
}

/// The report of a run.
pub fn report(mut state: State<'_>, changes: Option<&Changes>) -> Report {
    state.findings.collapse(MOST_ALIKE);
    let tree = tree(&state);
    let outcome = outcome(&state, changes);
    state.findings.shorten(&state.set.limits);
    let files = files(&state, changes);
    let teams = state.teams.iter().map(|team| TeamReport {
        team: team.clone(),
        held: state.held.get(team).cloned(),
        mega_files: 0,
        counts: crate::report::Counts::default(),
        operation: state.operations.get(team).copied(),
    });
    let mega_files = state.model.mega_files.iter().filter(|mega| mega.selected).map(|mega| MegaFileReport {
        team: mega.team.clone(),
        id: mega.id.clone(),
        path: state.set.sources.name(mega.file()).to_owned(),
        counts: crate::report::Counts::default(),
    });
    let mut report = Report {
        command: state.request.command,
        outcome,
        mode: state.request.mode,
        tree,
        manifest: state.set.manifest.as_ref().map(|manifest| state.set.sources.name(manifest.file).to_owned()),
        out: display(&state.set.out, &state.request.inputs.current),
        plan: None,
        summary: Summary::default(),
        lockfiles: changes.map(|changes| changes.lockfiles.len() as u64),
        teams: teams.collect(),
        mega_files: mega_files.collect(),
        files,
        diagnostics: state.findings,
        sources: state.set.sources,
    };
    report.tally();
    report
}

fn outcome(state: &State<'_>, changes: Option<&Changes>) -> Outcome {
    // What stands between conflict markers is written, and still a conflict.
    let is_grave = |finding: &&Diagnostic| finding.is_error() || finding.code == Code::MergeConflict;
    let of_errors = state.findings.iter().filter(is_grave).map(|finding| Outcome::of(finding.code));
    let differs =
        changes.is_some_and(|changes| changes.files.iter().any(FileChange::writes) || !changes.lockfiles.is_empty());
    let own = match state.request.mode {
        Mode::Check if differs => Outcome::Differences,
        Mode::Validate => Outcome::Done,
        Mode::DryRun | Mode::Write if differs => Outcome::Done,
        Mode::Check | Mode::DryRun | Mode::Write => Outcome::NothingToDo,
    };
    highest(of_errors.chain([own]))
}

fn files(state: &State<'_>, changes: Option<&Changes>) -> Vec<FileReport> {
    let by_path: BTreeMap<&OutputPath, &FileChange> =
        changes.iter().flat_map(|changes| &changes.files).map(|change| (&change.path, change)).collect();
    let mut files = Vec::with_capacity(state.plan.files.len());
    for (index, file) in state.plan.files.iter().enumerate() {
        if state.is_wanted(&file.path) {
            // Another team may plan the same path; what happens to it happens for the team that may write.
            let team = state.team_of(file);
            let change = by_path.get(&file.path).filter(|change| change.team == team);
            files.push(planned(state, index, file, change.copied()));
        }
    }
    let planned: std::collections::BTreeSet<&OutputPath> = state.plan.files.iter().map(|file| &file.path).collect();
    for change in by_path.values().filter(|change| !planned.contains(&change.path)) {
        files.push(FileReport {
            path: change.path.clone(),
            team: change.team.clone(),
            mega_file: change.mega_file.clone(),
            rule: 0,
            item: None,
            template: None,
            lines: None,
            bytes: None,
            digest: change.before,
            mode: change.mode,
            change: Some(word(state, change)),
            origin: None,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn planned(state: &State<'_>, index: usize, file: &PlannedFile, change: Option<&FileChange>) -> FileReport {
    let mega = state.model.mega_files.get(file.mega_file);
    let rendered = match state.rendered.get(index) {
        Some(Rendered::Done(facts)) => Some(*facts),
        _ => None,
    };
    // Where an edit is merged, another text is written than the rendered one.
    let merged = change.filter(|change| change.kind == Kind::Merged && change.writes());
    let merged = merged.and_then(|change| state.merged.get(&change.path));
    let facts = merged.map(|merged| Facts::of(&merged.text)).or(rendered);
    FileReport {
        path: file.path.clone(),
        team: mega.map_or_else(String::new, |mega| mega.team.clone()),
        mega_file: mega.map_or_else(String::new, |mega| mega.id.clone()),
        rule: file.rule,
        item: file.item.clone(),
        template: Some(file.template.to_string()),
        lines: facts.map(|facts| facts.lines),
        bytes: facts.map(|facts| facts.bytes),
        digest: facts.map(|facts| facts.digest),
        mode: file.mode,
        change: change.map(|change| word(state, change)),
        origin: Some(file.origin),
    }
}

fn word(state: &State<'_>, change: &FileChange) -> Change {
    match &change.kind {
        Kind::Create => Change::Create,
        Kind::Update => Change::Update,
        Kind::Unchanged => Change::Unchanged,
        Kind::Delete => Change::Delete,
        Kind::KeptEdited => Change::Kept,
        Kind::Replaced => Change::Replaced,
        Kind::Merged if change.writes() => match state.merged.get(&change.path) {
            Some(merged) if !merged.conflicts.is_empty() => Change::Marked,
            _ => Change::Merged,
        },
        Kind::Merged | Kind::EditStands => Change::Edited,
        Kind::OrphanEdited | Kind::OrphanOutside => Change::Orphan,
        Kind::OnceExists => Change::Once,
        Kind::Detached => Change::Detached,
        Kind::Conflict(_) => Change::Conflict,
    }
}

/// The unified diff of everything that would change; bodies are rendered again, one at a time.
pub fn diff(state: &State<'_>, changes: &Changes) -> String {
    let mut out = String::new();
    let mut buffer = Vec::new();
    let Some(root) = &state.root else { return out };
    for change in changes.files.iter().filter(|change| change.writes() || change.conflict().is_some()) {
        let old = crate::disk::read_up_to(root, &change.path, LONGEST_DIFF).ok().flatten();
        let planned = state.plan.files.binary_search_by(|file| file.path.cmp(&change.path)).ok();
        let new = match state.merged.get(&change.path).filter(|_| change.kind == Kind::Merged) {
            Some(merged) => Some(merged.text.as_slice()),
            None => planned.and_then(|index| output::body(&state.plan.files[index], &mut buffer).ok()),
        };
        let is_long = |text: &[u8]| text.len() as u64 > LONGEST_DIFF;
        if (old.is_none() && change.before.is_some()) || new.is_some_and(is_long) {
            out.extend([change.path.as_str(), " differs, and is too long to be shown\n"]);
            continue;
        }
        out.push_str(&text_diff::unified(change.path.as_str(), old.as_deref(), new, false));
    }
    out
}
