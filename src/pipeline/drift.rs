//! What is not on disk as it should be: the lockfile against the disk, and what a run would do. Looks only.

use std::collections::BTreeMap;

use super::State;
use super::apply::{Changes, disk_finding};
use crate::change::{FileChange, Kind, OnDisk, Reason, Survey};
use crate::disk;
use crate::lockfile::{EntryState, LockEntry};
use crate::path::{FileMode, OutputPath};
use crate::report::status::{Detached, Drift, Since, Would};

/// What the lockfile records of one path; several shards may.
struct Recorded<'s> {
    team: String,
    mega_file: &'s str,
    entries: Vec<&'s LockEntry>,
}

/// Every path that somebody changed or that a run would change, sorted. A file of a held team is compared with the
/// lockfile only.
pub fn drift(state: &mut State<'_>, changes: &Changes) -> Vec<Drift> {
    let mut recorded: BTreeMap<&OutputPath, Recorded<'_>> = BTreeMap::new();
    for shard in &state.shards.all {
        for (path, entry) in &shard.lockfile.entries {
            let (team, mega_file) = (state.model.team_name(&shard.lockfile.team), shard.lockfile.mega_file.as_str());
            let own = recorded.entry(path).or_insert_with(|| Recorded { team, mega_file, entries: Vec::new() });
            own.entries.push(entry);
        }
    }
    // What was left to people does not drift.
    recorded.retain(|_, own| !own.entries.iter().any(|entry| entry.is_detached()));
    let unseen: Vec<OutputPath> =
        recorded.keys().filter(|path| !changes.survey.contains_key(**path)).map(|path| (*path).clone()).collect();
    let rest = match state.root.as_ref().map(|root| disk::survey(root, &unseen)) {
        None => Survey::new(),
        Some(Ok(rest)) => rest,
        Some(Err(error)) => {
            state.findings.push(disk_finding(&error));
            return Vec::new();
        }
    };
    let mut found: BTreeMap<OutputPath, Drift> = BTreeMap::new();
    let blank = |path: &OutputPath, team: &str, mega_file: &str| Drift {
        path: path.to_string(),
        team: team.to_owned(),
        mega_file: mega_file.to_owned(),
        since: None,
        expand: None,
    };
    for (path, own) in &recorded {
        let disk = changes.survey.get(*path).or_else(|| rest.get(*path));
        if let Some(since) = disk.and_then(|disk| since(&own.entries, disk)) {
            found.insert((*path).clone(), Drift { since: Some(since), ..blank(path, &own.team, own.mega_file) });
        }
    }
    for change in &changes.files {
        let Some(would) = would(change) else { continue };
        let one = found.entry(change.path.clone()).or_insert_with(|| blank(&change.path, "", ""));
        // Who plans a file now says more than who wrote it.
        (one.team, one.mega_file) = (state.model.team_name(&change.team), change.mega_file.clone());
        one.expand = Some(would);
        let is_edit = |reason: &Reason| {
            matches!(reason, Reason::Edited | Reason::Unmergeable(_) | Reason::Overlap(_) | Reason::Unresolved(_))
        };
        let in_the_way = change.conflict().is_some_and(|reason| !is_edit(reason));
        if in_the_way && !recorded.contains_key(&change.path) {
            one.since = Some(Since::Foreign);
        }
    }
    found.into_values().collect()
}

/// Every recorded path that was left to people, sorted.
pub fn detached(state: &State<'_>) -> Vec<Detached> {
    let mut found: BTreeMap<&OutputPath, Detached> = BTreeMap::new();
    for shard in &state.shards.all {
        let (team, mega_file) = (state.model.team_name(&shard.lockfile.team), &shard.lockfile.mega_file);
        for (path, _) in shard.lockfile.entries.iter().filter(|(_, entry)| entry.is_detached()) {
            let one = || Detached { path: path.to_string(), team: team.clone(), mega_file: mega_file.clone() };
            found.entry(path).or_insert_with(one);
        }
    }
    found.into_values().collect()
}

/// What became of a file that megax wrote.
fn since(entries: &[&LockEntry], disk: &OnDisk) -> Option<Since> {
    match disk {
        OnDisk::Absent | OnDisk::Below(_) | OnDisk::Reserved(_) => Some(Since::Deleted),
        OnDisk::Other(_) | OnDisk::Unreadable => Some(Since::Edited),
        // The user's since it was written.
        OnDisk::File { .. } if entries.iter().any(|entry| entry.state == EntryState::Once) => None,
        OnDisk::File { digest, lf_digest, executable, .. } => {
            let is_as_written = |entry: &&LockEntry| {
                entry.is_written_as(*digest, *lf_digest) && *executable == (entry.mode == FileMode::Executable)
            };
            (!entries.iter().any(is_as_written)).then_some(Since::Edited)
        }
    }
}

fn would(change: &FileChange) -> Option<Would> {
    match &change.kind {
        Kind::Create => Some(Would::Create),
        Kind::Update | Kind::Replaced => Some(Would::Update),
        Kind::Merged => change.writes().then_some(Would::Update),
        Kind::Delete => Some(Would::Delete),
        Kind::Conflict(_) => Some(Would::Conflict),
        Kind::Unchanged
        | Kind::EditStands
        | Kind::KeptEdited
        | Kind::OrphanEdited
        | Kind::OrphanOutside
        | Kind::OnceExists
        | Kind::Detached => None,
    }
}
