//! Each path judged by three digests: recorded (base), found (disk) and rendered (wanted).

use std::collections::BTreeSet;

use super::record::{Bases, Records};
use super::{Attempt, ChangeSet, Desired, FileChange, Inputs, Kind, OnDisk, Policy, Reason, Shard};
use crate::digest::same_text;
use crate::lockfile::{EntryState, LockEntry};
use crate::path::{OutputPath, PathKey};

/// The paths that a survey must hold for [`compare`] beside those that are wanted: what is recorded in the shards of the
/// scope. Sorted, each once.
#[must_use]
pub fn survey_paths(shards: &[Shard], orphan_scope: &BTreeSet<(String, String)>) -> Vec<OutputPath> {
    let recorded = shards.iter().filter(|shard| orphan_scope.contains(&owner(shard)));
    let paths: BTreeSet<&OutputPath> = recorded.flat_map(|shard| shard.lockfile.entries.keys()).collect();
    paths.into_iter().cloned().collect()
}

/// Judges every wanted path and every orphan, and says which shards change. Pure: the same inputs give the same change
/// set. A path that the survey lacks counts as absent when it is wanted (creating never replaces anything) and is left
/// alone when it is an orphan.
#[must_use]
pub fn compare(inputs: &Inputs<'_>) -> ChangeSet {
    let bases = Bases::of(inputs.shards);
    let mut records = Records::new(inputs);
    let mut files = orphans(inputs, &bases, &mut records);
    let leaving: BTreeSet<(String, String)> = files
        .iter()
        .filter(|file| file.kind == Kind::Delete)
        .map(|file| (file.team.clone(), file.path.to_string()))
        .collect();
    for desired in inputs.desired {
        let known = bases.of_path(&desired.path);
        let disk = inputs.survey.get(&desired.path).unwrap_or(&OnDisk::Absent);
        // A file that makes way for a folder in the same change set is no obstacle.
        let disk = match disk {
            OnDisk::Below(parent) if leaving.contains(&(desired.team.clone(), parent.clone())) => &OnDisk::Absent,
            _ => disk,
        };
        let entries = known.iter().map(|base| base.entry);
        let change = if entries.clone().any(LockEntry::is_detached) {
            left(desired, disk)
        } else {
            let rule = Rule { policy: inputs.policies.of(&desired.path), attempt: inputs.merges.get(&desired.path) };
            judge(desired, entries, disk, rule)
        };
        records.record(desired, known, &change.kind);
        files.push(change);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    ChangeSet { files, lockfiles: records.finish(inputs) }
}

pub(super) fn owner(shard: &Shard) -> (String, String) {
    (shard.lockfile.team.clone(), shard.lockfile.mega_file.clone())
}

/// A detached path: whatever lies there is the user's.
fn left(desired: &Desired, disk: &OnDisk) -> FileChange {
    let found = if let OnDisk::File { digest, .. } = disk { Some(*digest) } else { None };
    FileChange {
        path: desired.path.clone(),
        team: desired.team.clone(),
        mega_file: desired.mega_file.clone(),
        kind: Kind::Detached,
        before: found,
        after: found,
        mode: desired.mode,
    }
}

/// What is to become of an edited file.
#[derive(Clone, Copy)]
struct Rule<'a> {
    policy: Policy,
    attempt: Option<&'a Attempt>,
}

fn judge<'a>(
    desired: &Desired,
    mut bases: impl Iterator<Item = &'a LockEntry> + Clone,
    disk: &OnDisk,
    rule: Rule<'_>,
) -> FileChange {
    let change = |kind, before, after| FileChange {
        path: desired.path.clone(),
        team: desired.team.clone(),
        mega_file: desired.mega_file.clone(),
        kind,
        before,
        after,
        mode: desired.mode,
    };
    let wanted = Some(desired.digest);
    let (digest, lf_digest, executable) = match disk {
        OnDisk::Absent => return change(Kind::Create, None, wanted),
        OnDisk::Other(what) => return change(Kind::Conflict(Reason::NotAFile(what)), None, None),
        OnDisk::Below(parent) => return change(Kind::Conflict(Reason::Below(parent.clone())), None, None),
        OnDisk::Reserved(parent) => return change(Kind::Conflict(Reason::Reserved(parent.clone())), None, None),
        OnDisk::Unreadable => return change(Kind::Conflict(Reason::Unreadable), None, None),
        OnDisk::File { digest, lf_digest, executable, .. } => (*digest, *lf_digest, *executable),
    };
    let found = Some(digest);
    let same_body = same_text((digest, lf_digest), (desired.digest, desired.lf_digest));
    let same_mode = executable == (desired.mode == crate::path::FileMode::Executable);
    if same_body && same_mode {
        return change(Kind::Unchanged, found, found);
    }
    if desired.once {
        return change(Kind::OnceExists, found, found);
    }
    let known = bases.clone().next().is_some();
    if same_body && (known || rule.policy == Policy::Overwrite) {
        // Only the mode differs; the bytes stay, whatever their line endings.
        return change(Kind::Update, found, found);
    }
    if bases.clone().any(|base| base.is_written_as(digest, lf_digest)) {
        return change(Kind::Update, found, wanted);
    }
    match rule.policy {
        Policy::Merge if known => {
            // One that was tried with other texts says nothing.
            let is_of = |one: &&Attempt| {
                (one.edited, one.new) == (digest, desired.digest) && bases.any(|base| base.digest == one.base)
            };
            match rule.attempt.filter(is_of).map(|one| (&one.outcome, one.base)) {
                None => change(Kind::Conflict(Reason::Edited), found, found),
                Some((Err(reason), _)) => change(Kind::Conflict(reason.clone()), found, found),
                // The mode is as planned, edited or not.
                Some((Ok(merged), _)) if *merged == digest && !same_mode => change(Kind::Update, found, found),
                Some((Ok(merged), base)) if *merged == digest && base == desired.digest => {
                    change(Kind::EditStands, found, found)
                }
                Some((Ok(merged), _)) => change(Kind::Merged, found, Some(*merged)),
            }
        }
        Policy::Fail if known => change(Kind::Conflict(Reason::Edited), found, found),
        Policy::Fail | Policy::Merge => change(Kind::Conflict(Reason::Foreign), found, found),
        Policy::Keep => change(Kind::KeptEdited, found, found),
        Policy::Overwrite => change(Kind::Replaced, found, wanted),
    }
}

/// What is recorded in the scope and wanted no more.
fn orphans(inputs: &Inputs<'_>, bases: &Bases<'_>, records: &mut Records) -> Vec<FileChange> {
    let partial: BTreeSet<(&str, &str)> = inputs
        .mega_files
        .iter()
        .filter(|mega_file| !mega_file.whole)
        .map(|mega_file| (mega_file.team.as_str(), mega_file.id.as_str()))
        .collect();
    let in_scope = |shard: &Shard| {
        let names = (shard.lockfile.team.as_str(), shard.lockfile.mega_file.as_str());
        inputs.orphan_scope.contains(&owner(shard)) && !partial.contains(&names)
    };
    let wanted: BTreeSet<PathKey> = inputs.desired.iter().map(|file| file.path.key()).collect();
    let mut files: Vec<FileChange> = Vec::new();
    let mut seen = BTreeSet::new();
    for shard in inputs.shards.iter().filter(|shard| in_scope(shard)) {
        for (path, entry) in &shard.lockfile.entries {
            let Some(disk) = inputs.survey.get(path) else { continue };
            let key = path.key();
            // Another mega-file plans the path and will take the record over when its turn comes.
            if entry.is_detached() || wanted.contains(&key) || inputs.planned_elsewhere.contains(&key) {
                continue;
            }
            records.drop_entry(shard, path);
            // A second shard of the scope says nothing new, unless it leaves the file to people; one outside of it still
            // claims the file.
            let claimed = bases.of_path(path).iter().any(|base| !in_scope(base.shard) || base.entry.is_detached());
            if claimed || !seen.insert(path) {
                continue;
            }
            let entries = bases.of_path(path).iter().map(|base| base.entry);
            let mut change = judge_orphan(shard, path, entry, entries, disk);
            let is_outside = || inputs.off_limits.contains(&(shard.lockfile.team.clone(), path.clone()));
            if let Some(change) = change.as_mut().filter(|change| change.kind == Kind::Delete && is_outside()) {
                (change.kind, change.after) = (Kind::OrphanOutside, change.before);
            }
            files.extend(change);
        }
    }
    files
}

fn judge_orphan<'a>(
    shard: &Shard,
    path: &OutputPath,
    entry: &LockEntry,
    mut bases: impl Iterator<Item = &'a LockEntry>,
    disk: &OnDisk,
) -> Option<FileChange> {
    let (kind, before) = match disk {
        // A parent that became a file or a symlink took the recorded file with it; what is somebody else's now stays.
        OnDisk::Absent | OnDisk::Below(_) | OnDisk::Reserved(_) => return None,
        OnDisk::Other(_) => (Kind::OrphanEdited, None),
        // Forgetting it would leave a file behind that nobody owns.
        OnDisk::Unreadable => (Kind::Conflict(Reason::Unreadable), None),
        OnDisk::File { digest, .. } if entry.state == EntryState::Once => (Kind::OnceExists, Some(*digest)),
        OnDisk::File { digest, lf_digest, .. } if bases.any(|base| base.is_written_as(*digest, *lf_digest)) => {
            (Kind::Delete, Some(*digest))
        }
        OnDisk::File { digest, .. } => (Kind::OrphanEdited, Some(*digest)),
    };
    let after = if kind == Kind::Delete { None } else { before };
    Some(FileChange {
        path: path.clone(),
        team: shard.lockfile.team.clone(),
        mega_file: shard.lockfile.mega_file.clone(),
        kind,
        before,
        after,
        mode: entry.mode,
    })
}
