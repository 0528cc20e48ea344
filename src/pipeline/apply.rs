//! The last stages: survey, render into staging, compare, publish team by team.

use std::collections::{BTreeMap, BTreeSet};

use super::guards::{self, Guards};
use super::inputs::{self, ENGINE, copies, inputs_digest};
use super::shards::{self, Texts};
use super::{State, conflicts, fuse, merging, saved, sink};
use crate::change::{self, ChangeSet, Desired, FileChange, Kind, LockfileChange, Survey};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::disk::{self, CommitError, DiskError, ProjectGuard, Root, Staged, Staging};
use crate::event::{Event, Watcher};
use crate::lockfile;
use crate::name::id_key;
use crate::output::{self, Rendered};
use crate::path::{OutputPath, PathKey};
use crate::plan;
use crate::report::{Command, Mode};
use crate::saved::SavedPlan;

/// What happens, or happened, on disk.
#[derive(Debug, Default)]
pub struct Changes {
    /// Every file that was looked at.
    pub files: Vec<FileChange>,
    /// The lockfile shards that change.
    pub lockfiles: Vec<LockfileChange>,
    /// Whether something was written.
    pub applied: bool,
    /// What lay on disk before.
    pub survey: Survey,
    /// The changes as a plan to save, for [`Command::Plan`].
    pub plan: Option<SavedPlan>,
}

/// Surveys, renders, compares and, in [`Mode::Write`], publishes. Guards that are held already stay so until then.
///
/// # Errors
/// Another run died meanwhile in its commit: what was learned of the tree is worth nothing. Nothing was written; the guards
/// are still held, so that it can be begun again.
pub fn run(state: &mut State<'_>, mut guards: Guards, watcher: &dyn Watcher) -> Result<Changes, Guards> {
    let Some(root) = state.root.clone() else { return Ok(Changes::default()) };
    let writes = state.request.mode == Mode::Write && !wrong_tree_is_known(state);
    if writes {
        guards::take(state, &root, &mut guards);
    }
    let survey = match survey(state, &root) {
        Ok(survey) => survey,
        Err(error) => {
            state.findings.push(disk_finding(&error));
            state.hold();
            return Ok(Changes::default());
        }
    };
    let mut stagings = render(state, &survey, &root, writes, watcher);
    state.inspect();
    check_tree(state);
    let changes = publish(state, &root, &survey, &mut stagings, writes, watcher);
    changes.map(|changes| Changes { survey, ..changes }).ok_or(guards)
}

/// `--expect-tree` can only be judged after rendering; nothing is known before.
fn wrong_tree_is_known(state: &State<'_>) -> bool {
    state.teams.iter().all(|team| state.is_held(team))
}

/// The shards whose files go when nobody plans them any more.
fn orphan_scope(state: &State<'_>) -> BTreeSet<(String, String)> {
    let whole = state.only.is_none();
    let mega_files = state.model.mega_files.iter().filter(|mega| whole && mega.selected && !state.is_held(&mega.team));
    let own = mega_files.map(|mega| (mega.team.clone(), mega.id.clone()));
    let gone = state.shards.gone.iter().filter(|(team, _)| whole && !state.is_held(&state.model.team_name(team)));
    own.chain(gone.cloned()).chain(moved(state).filter(|_| whole)).collect()
}

/// Shards of selected mega-files under another team, or another spelling of the id.
fn moved<'s>(state: &'s State<'_>) -> impl Iterator<Item = (String, String)> + 's {
    let ids: BTreeSet<String> = state
        .model
        .mega_files
        .iter()
        .filter(|mega| mega.selected && !state.is_held(&mega.team))
        .map(|mega| id_key(&mega.id))
        .collect();
    let records = state.shards.records.iter();
    let moved = records.filter(move |record| {
        ids.contains(&id_key(&record.mega_file)) && !state.is_held(&state.model.team_name(&record.team))
    });
    moved.map(|record| (record.team.clone(), record.mega_file.clone()))
}

fn survey(state: &State<'_>, root: &Root) -> Result<Survey, DiskError> {
    let wanted =
        state.plan.files.iter().filter(|file| !state.is_held(state.team_of(file)) && state.is_wanted(&file.path));
    let mut paths: Vec<OutputPath> = wanted.map(|file| file.path.clone()).collect();
    paths.extend(change::survey_paths(&state.shards.all, &orphan_scope(state)));
    disk::survey(root, &paths)
}

fn render(
    state: &mut State<'_>,
    survey: &Survey,
    root: &Root,
    writes: bool,
    watcher: &dyn Watcher,
) -> BTreeMap<String, Staging> {
    if !writes {
        let rendered = sink::render(state, &sink::Discard::new(state), watcher);
        state.take(rendered);
        return BTreeMap::new();
    }
    let stage = sink::Stage::new(state, survey, root);
    let rendered = sink::render(state, &stage, watcher);
    let (stagings, failures) = stage.finish();
    state.take(rendered);
    for (team, error) in failures {
        state.findings.push(disk_finding(&error).team(team));
    }
    stagings
}

/// `--expect-tree`: another tree holds every team.
fn check_tree(state: &mut State<'_>) {
    let (Some(wanted), Some(found)) = (state.request.expect_tree, super::facts::tree(state)) else { return };
    if wanted != found {
        let message = format!("the tree is {found}, not {wanted} as demanded");
        let help = "nothing is written; review the change, then demand the new digest";
        state.findings.push(Diagnostic::new(Code::TreeDiffers, message).help(help));
        state.hold();
    }
}

/// The files that should exist, of teams that are not held.
pub(super) fn desired(state: &State<'_>) -> Vec<Desired> {
    let mut seen: BTreeSet<&OutputPath> = BTreeSet::new();
    let mut files = Vec::new();
    for (file, rendered) in state.plan.files.iter().zip(&state.rendered) {
        let Rendered::Done(facts) = rendered else { continue };
        let Some(mega) = state.model.mega_files.get(file.mega_file) else { continue };
        if state.is_held(&mega.team) || !seen.insert(&file.path) {
            continue;
        }
        files.push(Desired {
            path: file.path.clone(),
            mode: file.mode,
            once: file.once,
            digest: facts.digest,
            lf_digest: facts.lf_digest,
            lines: facts.lines,
            bytes: facts.bytes,
            team: mega.team.clone(),
            mega_file: mega.id.clone(),
            template: file.template.to_string(),
        });
    }
    files
}

/// What would change, the merges of edited files included.
fn compare(state: &mut State<'_>, survey: &Survey) -> ChangeSet {
    let desired = desired(state);
    let changes = compare_as_known(state, survey, &desired);
    if merging::attempt(state, survey, &changes) { compare_as_known(state, survey, &desired) } else { changes }
}

fn compare_as_known(state: &State<'_>, survey: &Survey, desired: &[Desired]) -> ChangeSet {
    let changes = compare_within(state, survey, desired, &BTreeSet::new());
    let off_limits = super::orphans::off_limits(state, &changes);
    if off_limits.is_empty() { changes } else { compare_within(state, survey, desired, &off_limits) }
}

/// The same, with what no lockfile makes anybody delete.
fn compare_within(
    state: &State<'_>,
    survey: &Survey,
    desired: &[Desired],
    off_limits: &BTreeSet<(String, OutputPath)>,
) -> ChangeSet {
    let shards = &state.shards;
    let selected = state.model.mega_files.iter().filter(|mega| mega.selected && !state.is_held(&mega.team));
    let whole = state.only.is_none();
    let copies = copies(state);
    let mega_files: Vec<change::MegaFile> = selected
        .map(|mega| change::MegaFile {
            team: mega.team.clone(),
            id: mega.id.clone(),
            inputs: whole.then(|| inputs_digest(state, mega, &copies)),
            source: Some(state.set.sources.name(mega.file()).to_owned()).filter(|name| lockfile::is_source(name)),
            whole,
        })
        .collect();
    let planned_elsewhere: BTreeSet<PathKey> = state
        .plan
        .files
        .iter()
        .map(|file| file.path.key())
        .chain(state.plan.neighbours.iter().map(|claim| claim.path.key()))
        .chain(
            shards
                .claims
                .iter()
                .chain(&state.plan.recorded)
                .flat_map(|claims| claims.paths.iter().map(OutputPath::key)),
        )
        .collect();
    change::compare(&change::Inputs {
        desired,
        mega_files: &mega_files,
        shards: &shards.all,
        orphan_scope: &orphan_scope(state),
        planned_elsewhere: &planned_elsewhere,
        off_limits,
        survey,
        policies: &state.policies(),
        merges: &state.merges,
        engine: ENGINE,
    })
}

fn publish(
    state: &mut State<'_>,
    root: &Root,
    survey: &Survey,
    stagings: &mut BTreeMap<String, Staging>,
    writes: bool,
    watcher: &dyn Watcher,
) -> Option<Changes> {
    let whole = compare(state, survey);
    let first = settle(state, survey, whole.clone());
    if saved::is_stale(state, &first) {
        return Some(looked_only(state, ChangeSet::default(), whole));
    }
    if !writes || first.is_empty() {
        return Some(looked_only(state, first, whole));
    }
    // From here on no other run publishes; what another one published since the shards were read is looked at again.
    let guard = match ProjectGuard::wait(root) {
        Ok(guard) => guard,
        Err(error) => {
            state.findings.push(disk_finding(&error));
            state.hold();
            return Some(looked_only(state, first, whole));
        }
    };
    match disk::is_unfinished(root, &guard) {
        Ok(false) => {}
        Ok(true) => return None,
        Err(error) => {
            state.findings.push(disk_finding(&error));
            state.hold();
            return Some(looked_only(state, first, whole));
        }
    }
    let again = if refresh_shards(state, root) {
        let again = compare(state, survey);
        settle(state, survey, again)
    } else {
        first
    };
    if saved::is_stale(state, &again) {
        return Some(looked_only(state, ChangeSet::default(), whole));
    }
    if !watcher.may_publish() {
        return Some(looked_only(state, ChangeSet::default(), whole));
    }
    watcher.on_event(Event::Writing { files: again.files.iter().filter(|file| file.writes()).count() });
    let mut changes = Changes::default();
    // All teams together, or each on its own.
    let sets = if state.request.all_or_nothing { vec![again] } else { again.split() };
    for set in super::slots::in_order(state, sets) {
        let teams: Vec<String> = set.teams().into_iter().map(str::to_owned).collect();
        let blocked = set.conflicts().next().is_some() || teams.iter().any(|team| state.is_held(team));
        if blocked || set.is_empty() {
            changes.files.extend(set.files);
            if !blocked {
                changes.lockfiles.extend(set.lockfiles);
            }
            continue;
        }
        let (files, lockfiles) = (set.files.clone(), set.lockfiles.clone());
        match commit(state, root, set, &teams, stagings, watcher) {
            Ok(kept) => {
                changes.applied = true;
                state.written.extend(teams);
                state.findings.extend(kept);
            }
            Err(finding) => {
                let finding = teams.iter().fold(finding, |finding, team| finding.team(team.clone()));
                state.findings.push(finding);
                state.hold();
            }
        }
        changes.files.extend(files);
        changes.lockfiles.extend(lockfiles);
    }
    changes.files = both(state, changes.files, whole.files);
    if changes.applied {
        // What cannot be removed now is removed later.
        let _ = disk::prune_log(root, disk::KEPT_OPERATIONS, &guard);
    }
    drop(guard);
    Some(changes)
}

/// The changes of a run that writes nothing.
fn looked_only(state: &State<'_>, first: ChangeSet, whole: ChangeSet) -> Changes {
    let plan = (state.request.command == Command::Plan).then(|| saved::plan_of(state, &first));
    Changes { plan, files: both(state, first.files, whole.files), lockfiles: first.lockfiles, ..Changes::default() }
}

/// What happens, and what was found about the files of teams that were held by a conflict: still part of the picture. What
/// was to happen to the files of a team that is not part of the run would look as if it did.
fn both(state: &State<'_>, files: Vec<FileChange>, found: Vec<FileChange>) -> Vec<FileChange> {
    let seen: BTreeSet<OutputPath> = files.iter().map(|file| file.path.clone()).collect();
    let mut files = files;
    let is_shown = |file: &FileChange| !file.writes() || state.teams.contains(&state.model.team_name(&file.team));
    files.extend(found.into_iter().filter(|file| !seen.contains(&file.path) && is_shown(file)));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Says what stands in the way and holds the teams concerned, until nothing new is found: a team that takes a path over
/// from a held team cannot be written without it.
fn settle(state: &mut State<'_>, survey: &Survey, mut changes: ChangeSet) -> ChangeSet {
    loop {
        let mut found = conflicts::findings(state, &changes);
        found.extend(fuse::findings(state, &changes));
        found.extend(bound_findings(state, &changes));
        found.retain(|finding| !state.findings.iter().any(|said| said == finding));
        if found.is_empty() {
            return changes;
        }
        state.findings.extend(found);
        state.hold();
        changes = compare(state, survey);
    }
}

/// Teams that must be published together with a held team.
fn bound_findings(state: &State<'_>, changes: &ChangeSet) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for set in changes.clone().split() {
        let teams = set.teams();
        let Some(held) = teams.iter().find(|team| state.is_held(team)) else { continue };
        for team in teams.iter().filter(|team| !state.is_held(team)) {
            let message = format!("team {team} takes over a path from team {held}, which is held");
            let help = "mend the held team's findings first; the two are published together";
            findings.push(Diagnostic::new(Code::TeamBound, message).help(help).team((*team).to_owned()));
        }
    }
    findings
}

/// Reads the shards again, now that no other run publishes, and checks the claims again if one changed;
/// whether one did.
fn refresh_shards(state: &mut State<'_>, root: &Root) -> bool {
    let texts = match Texts::read(root) {
        Ok(texts) => texts,
        Err(error) => {
            state.findings.push(disk_finding(&error));
            state.hold();
            return true;
        }
    };
    if (&texts.shards, &texts.reservations) == (&state.shards.texts, &state.shards.reserved.texts) {
        return false;
    }
    let mut findings = Diagnostics::default();
    let shards = shards::classify(texts, &state.set, &state.model, &state.teams, &mut findings);
    findings.extend(plan::check_claims(&state.model, &state.plan, &shards.claims, &shards.reserved.reservations));
    state.shards = shards;
    state.findings.extend(findings);
    state.hold();
    true
}

/// Publishes one set; the findings say where replaced contents were kept.
fn commit(
    state: &mut State<'_>,
    root: &Root,
    set: ChangeSet,
    teams: &[String],
    stagings: &mut BTreeMap<String, Staging>,
    watcher: &dyn Watcher,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let own = if let [team] = teams { stagings.remove(team) } else { None };
    let staging = own.map_or_else(|| Staging::begin(root), Ok).map_err(|error| disk_finding(&error))?;
    stage_rest(state, &staging, &set).map_err(|error| disk_finding(&error))?;
    let merged: BTreeSet<String> =
        set.files.iter().filter(|file| file.kind == Kind::Merged).map(|file| file.path.to_string()).collect();
    let staged = Staged::new(staging, set).map_err(|error| commit_finding(&error))?;
    let listing = inputs::stored(state, &staged);
    let applied = staged.made_from(listing).commit(state.request.durability, watcher);
    let applied = applied.map_err(|error| commit_finding(&error))?;
    if let Some(number) = applied.operation {
        state.operations.extend(teams.iter().map(|team| (team.clone(), number)));
    }
    let of_teams = |finding: Diagnostic| teams.iter().fold(finding, |finding, team| finding.team(team.clone()));
    let kept = applied.kept.into_iter().map(|(path, place)| {
        let finding = conflicts::displaced(state, &path, &place, merged.contains(&path));
        of_teams(finding.about(path.as_str()))
    });
    Ok(kept.chain(applied.unlogged.as_deref().map(no_way_back).map(of_teams)).collect())
}

/// Stages what a set needs and has not staged: merged texts, and, for teams that must publish together, all bodies, which
/// are rendered once more.
pub(super) fn stage_rest(state: &State<'_>, staging: &Staging, set: &ChangeSet) -> Result<(), DiskError> {
    let mut buffer = Vec::new();
    for change in set.files.iter().filter(|change| change.needs_body()) {
        if change.after.is_some_and(|after| staging.holds(&change.path, change.mode, after)) {
            continue;
        }
        if let (Kind::Merged, Some(merged)) = (&change.kind, state.merged.get(&change.path)) {
            staging.put_over(&change.path, change.mode, &merged.text)?;
            continue;
        }
        let planned = state.plan.files.binary_search_by(|file| file.path.cmp(&change.path)).ok();
        let Some(file) = planned.and_then(|index| state.plan.files.get(index)) else { continue };
        if let Ok(body) = output::body(file, &mut buffer) {
            staging.put_over(&file.path, file.mode, body)?;
        }
    }
    Ok(())
}

/// A commit that happened and is not in the log.
pub(super) fn no_way_back(cause: &str) -> Diagnostic {
    let message = format!("what was written cannot be undone, because the operation log could not be written: {cause}");
    Diagnostic::new(Code::NoWayBack, message)
        .help("all files are written; mend the cause, and later runs can be undone")
}

/// A failed disk as a finding.
pub fn disk_finding(error: &DiskError) -> Diagnostic {
    let code = match error {
        DiskError::ChangedMeanwhile { .. } => Code::ChangedMeanwhile,
        DiskError::NotAFile { .. } | DiskError::Foreign { .. } => Code::NotAFile,
        DiskError::NoRoom { .. } => Code::NoRoom,
        DiskError::NotWritable { .. } | DiskError::OtherMount { .. } => Code::CannotPublish,
        _ => Code::DiskFailed,
    };
    Diagnostic::new(code, error.to_string())
}

/// A commit that did not happen as a finding.
pub fn commit_finding(error: &CommitError) -> Diagnostic {
    match error {
        CommitError::Disk(error) => {
            let what = match error {
                DiskError::NoRoom { .. } => "make room on that file system",
                DiskError::NotWritable { .. } => "give yourself the right to write into that folder",
                DiskError::OtherMount { .. } => "unmount it, or plan no file there,",
                _ => "mend the cause",
            };
            disk_finding(error).help(format!("the team's files are as before; {what} and run again"))
        }
        CommitError::Interrupted { .. } => Diagnostic::new(Code::InterruptedRun, error.to_string())
            .severity(Severity::Error)
            .help("mend the cause; the next run, or `megax recover`, finishes what was begun, or takes it back"),
        CommitError::EditedMeanwhile { .. } => Diagnostic::new(Code::ChangedMeanwhile, error.to_string())
            .help("everything else is as before; look at both contents of each such file, then run again"),
        other => {
            Diagnostic::new(Code::DiskFailed, other.to_string()).help("this is a bug in megax; nothing was written")
        }
    }
}
