//! Undoing operations of the log: their steps turned around, folded into one per path, and carried out as a commit of
//! its own, which can be undone in turn.
//!
//! A file is touched only while it holds the bytes that the last of the operations left there. If one does not, nothing
//! is touched at all, and every such file is named.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd as _;

use super::commit::{Folders, commit};
use super::entry::{Entry, OperationKind};
use super::error::{CommitError, DiskError};
use super::footing::Footing;
use super::guard::ProjectGuard;
use super::journal::{Journal, Step};
use super::log::{self, Operation, read_steps};
use super::look::{buffer, look};
use super::root::{Durability, Root};
use super::shards::names;
use super::stage::Staging;
use super::sys;
use super::undone::{Old, Undone, is_record};
use super::walk::{Reached, Walker, parts};
use crate::change::OnDisk;
use crate::event::Silent;
use crate::path::FileMode;

/// Operations that are undone together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// What the log will call it.
    pub kind: OperationKind,
    /// The operations, ascending.
    pub undoes: Vec<u64>,
    /// Their teams, sorted.
    pub teams: Vec<String>,
}

/// Why a file stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Relative to the output root.
    pub path: String,
    /// What is the matter, to follow the path.
    pub reason: String,
    /// The operation that displaced an edit, where that is the matter.
    pub edited_before: Option<u64>,
    /// The last operation that touched it since.
    pub later: Option<u64>,
}

/// What an undo did to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was taken away, as before the operation.
    Deleted,
    /// Its old content or mode is back.
    Restored,
    /// It is there again.
    Recreated,
}

/// What an undo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// Its own number in the log; none if the log could not be written.
    pub operation: Option<u64>,
    /// Why the log could not be written.
    pub unlogged: Option<String>,
    /// The files, without the lockfile, sorted.
    pub files: Vec<(String, Fate)>,
}

/// An undo did not happen. Nothing was touched, unless the inner error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ReversalError {
    /// No such operation.
    #[error("{0}")]
    Absent(String),
    /// An operation that is needed cannot be read.
    #[error("operation {number} cannot be read: {reason}")]
    Unreadable {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It is undone already.
    #[error("operation {number} is undone already, by operation {by}")]
    Undone {
        /// Its number.
        number: u64,
        /// The operation that undid it.
        by: u64,
    },
    /// Operations concern other teams as well.
    #[error("{}", shared(.team, .operations))]
    Shared {
        /// The team that was asked for.
        team: String,
        /// The operations with all their teams.
        operations: Vec<(u64, Vec<String>)>,
    },
    /// Files are not as the operations left them.
    #[error("{} since", if .0.len() == 1 { "a file was changed".to_owned() } else { format!("{} files were changed", .0.len()) })]
    Refused(Vec<Refusal>),
    /// The disk failed while it looked.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The commit did not happen.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

fn shared(team: &str, operations: &[(u64, Vec<String>)]) -> String {
    let one = |(number, teams): &(u64, Vec<String>)| format!("operation {number} of {}", teams.join(", "));
    let all: Vec<String> = operations.iter().map(one).collect();
    format!("team {team} cannot be rolled back alone: it shares {}", all.join("; "))
}

/// Undoes the operations, all or nothing. The caller holds their teams, and has recovered.
///
/// # Errors
/// A file is not as the operations left it, an operation cannot be read, or the commit fails.
pub fn reverse(
    root: &Root,
    reversal: &Reversal,
    durability: Durability,
    _project: &ProjectGuard,
) -> Result<Reversed, ReversalError> {
    let mut staging = Staging::begin(root)?;
    let undone = Undone::read(root, &reversal.undoes)?;
    let tree = Tree::look(root, &undone)?;
    let refusals = tree.refusals(root, &undone, reversal.undoes.last().copied().unwrap_or(0));
    if !refusals.is_empty() {
        return Err(ReversalError::Refused(refusals));
    }
    let mut files = Vec::new();
    let journal = tree.journal(root, &undone, &staging, &mut files)?;
    let count = |fate: Fate| files.iter().filter(|(_, found)| *found == fate).count();
    let entry = Entry {
        kind: reversal.kind,
        undoes: reversal.undoes.clone(),
        teams: reversal.teams.clone(),
        footing: Footing::of(root, staging.folder(), &journal, &reversal.teams),
        listing: None,
        created: count(Fate::Recreated),
        updated: count(Fate::Restored),
        deleted: count(Fate::Deleted),
    };
    let logged = commit(&mut staging, &journal, &entry, durability, &Silent)?;
    Ok(Reversed { operation: logged.as_ref().ok().copied(), unlogged: logged.err(), files })
}

/// What lies at the paths now.
struct Tree {
    found: BTreeMap<String, OnDisk>,
    /// Those that will be taken away.
    leaving: BTreeSet<String>,
    /// What lies in folders that must make way for a file and is none of them, with that file.
    strange: Vec<(String, String)>,
}

impl Tree {
    fn look(root: &Root, undone: &Undone) -> Result<Self, DiskError> {
        let mut tree = Self { found: BTreeMap::new(), leaving: BTreeSet::new(), strange: Vec::new() };
        let (mut walker, mut buffer) = (Walker::new(root.make()?), buffer());
        for (path, way) in &undone.ways {
            let (folder, name) = parts(path);
            let found = match walker.enter(folder)? {
                Reached::Folder => look(walker.folder(), name, &mut buffer)
                    .map_err(|error| DiskError::io("read", path.as_str(), error))?,
                Reached::Absent => OnDisk::Absent,
                Reached::Blocked(parent) => OnDisk::Below(parent),
            };
            if way.old.is_none() && !way.is_back(&found) && way.is_left(&found) {
                tree.leaving.insert(path.clone());
            }
            tree.found.insert(path.clone(), found);
        }
        for (path, found) in &tree.found {
            if matches!(found, OnDisk::Other(_)) && tree.makes_way(path, found) {
                let mut strange = Vec::new();
                tree.search(&mut walker, path, &mut strange)?;
                tree.strange.extend(strange.into_iter().map(|one| (one, path.clone())));
            }
        }
        Ok(tree)
    }

    /// Finds what lies in a folder and does not leave.
    fn search(&self, walker: &mut Walker<'_>, folder: &str, strange: &mut Vec<String>) -> Result<(), DiskError> {
        if walker.enter(folder)? != Reached::Folder {
            return Ok(());
        }
        for name in names(walker.folder(), folder)? {
            let path = format!("{folder}/{name}");
            if self.leaving.iter().any(|file| is_below(file, &path)) {
                self.search(walker, &path, strange)?;
            } else if !self.leaving.contains(&path) {
                strange.push(path);
            }
        }
        Ok(())
    }

    /// Whether a file can come back where a folder of leaving files is, or below a leaving file.
    fn makes_way(&self, path: &str, found: &OnDisk) -> bool {
        match found {
            OnDisk::Other("a folder") => self.leaving.iter().any(|other| is_below(other, path)),
            OnDisk::Below(parent) => self.leaving.contains(parent),
            _ => false,
        }
    }

    /// Every file that keeps the operations from being undone.
    fn refusals(&self, root: &Root, undone: &Undone, last: u64) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (path, number) in &undone.edits {
            let reason = format!("was edited before operation {number}, which took the edit away");
            refusals.push(Refusal { path: path.clone(), reason, edited_before: Some(*number), later: None });
        }
        for (path, way) in &undone.ways {
            let Some(found) = self.found.get(path) else { continue };
            let reason = match found {
                _ if way.is_back(found) => continue,
                _ if way.is_left(found) || way.new.is_none() && self.makes_way(path, found) => match &way.old {
                    Some(Old { content: None, .. }) => "has an old content that is not in the log".to_owned(),
                    _ => continue,
                },
                OnDisk::Absent => "was deleted since".to_owned(),
                OnDisk::File { .. } if way.new.is_none() => "was made again since".to_owned(),
                OnDisk::File { .. } => "was edited since".to_owned(),
                OnDisk::Other(what) => format!("is {what} now"),
                OnDisk::Unreadable => "may not be read".to_owned(),
                OnDisk::Below(parent) => format!("cannot be there, because `{parent}` is no folder now"),
                OnDisk::Reserved(parent) => format!("cannot be there, because nobody writes below `{parent}` now"),
            };
            refusals.push(Refusal { path: path.clone(), reason, edited_before: None, later: None });
        }
        refusals.extend(self.strange.iter().map(|(path, file)| Refusal {
            path: path.clone(),
            reason: format!(
                "is no part of what is undone, and lies in the folder that makes way for the file `{file}`"
            ),
            edited_before: None,
            later: None,
        }));
        if !refusals.is_empty() {
            name_later(root, last, &mut refusals);
        }
        refusals
    }

    /// The steps that bring the old contents back, which are staged here.
    fn journal(
        &self,
        root: &Root,
        undone: &Undone,
        staging: &Staging,
        files: &mut Vec<(String, Fate)>,
    ) -> Result<Journal, ReversalError> {
        let (mut first, mut rest, mut records) = (Vec::new(), Vec::new(), Vec::new());
        let leaving: BTreeSet<&str> = self.leaving.iter().map(String::as_str).collect();
        let (mut folders, mut buffer) = (Folders::new(root)?, buffer());
        let mut cleared = BTreeSet::new();
        for (path, way) in &undone.ways {
            let Some(found) = self.found.get(path) else { continue };
            let steps = if is_record(path) { &mut records } else { &mut rest };
            let path = path.clone();
            let before = super::look::digest_of(found);
            let fate = match (&way.old, before) {
                (None, None) => continue,
                (None, Some(before)) => {
                    let step = Step::Remove { path: path.clone(), aside: staging.aside(), before };
                    if is_record(&path) {
                        records.push(step);
                    } else {
                        first.push(step);
                    }
                    Fate::Deleted
                }
                (Some(old), Some(before)) if old.digest == before => {
                    let Some((bits, mode)) = other_mode(old, found) else { continue };
                    let now = folders.mode(&path)?.unwrap_or(bits);
                    steps.push(Step::Mode { path: path.clone(), digest: before, old: now, mode });
                    Fate::Restored
                }
                (Some(old), before) => {
                    let (slot, after) = (stage(undone, staging, old, &path, &mut buffer)?, old.digest);
                    if let Some(before) = before {
                        let aside = staging.aside();
                        steps.push(Step::Replace { path: path.clone(), slot, aside, before, after });
                        Fate::Restored
                    } else {
                        cleared.extend(self.emptied(&path, found));
                        folders.make(&path, &leaving, steps)?;
                        steps.push(Step::Create { path: path.clone(), slot, after });
                        Fate::Recreated
                    }
                }
            };
            if !is_record(&path) {
                files.push((path, fate));
            }
        }
        // The deepest first.
        first.extend(cleared.into_iter().rev().map(|path| Step::Clear { path }));
        first.extend(rest);
        first.extend(records);
        Ok(Journal { steps: first })
    }

    /// The folders that a file takes the place of, with those below.
    fn emptied(&self, path: &str, found: &OnDisk) -> BTreeSet<String> {
        let mut folders = BTreeSet::new();
        if matches!(found, OnDisk::Other(_)) {
            folders.insert(path.to_owned());
            for file in self.leaving.iter().filter(|file| is_below(file, path)) {
                let ends = file.match_indices('/').map(|(at, _)| at).filter(|at| *at > path.len());
                folders.extend(ends.map(|at| file[..at].to_owned()));
            }
        }
        folders
    }
}

/// The bits and the mode that a file had, where it has another one now.
fn other_mode(old: &Old, found: &OnDisk) -> Option<(u32, FileMode)> {
    let bits = old.bits?;
    let was = bits & 0o100 != 0;
    let mode = if was { FileMode::Executable } else { FileMode::Regular };
    matches!(found, OnDisk::File { executable, .. } if *executable != was).then_some((bits, mode))
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Copies an old content into the transaction. The log keeps its own: it is never changed.
fn stage(
    undone: &Undone,
    staging: &Staging,
    old: &Old,
    path: &str,
    buffer: &mut [u8],
) -> Result<String, ReversalError> {
    let Some(((number, folder), name)) =
        old.content.as_ref().and_then(|(index, name)| Some((undone.folders.get(*index)?, name)))
    else {
        return Err(DiskError::changed(path).into());
    };
    let unreadable = |reason: String| ReversalError::Unreadable { number: *number, reason };
    let slot = staging.slot_name();
    let copied = super::kept::copy((folder.as_fd(), name), (staging.folder(), &slot), buffer)
        .map_err(|error| unreadable(format!("the old content of `{path}`: {error}")))?;
    if copied != old.digest {
        return Err(unreadable(format!("the old content of `{path}` was changed in the log")));
    }
    let bits = old.bits.unwrap_or(0o644);
    sys::set_mode(staging.folder(), &slot, bits).map_err(|error| DiskError::io("stage", path, error))?;
    Ok(slot)
}

/// Where a later operation touched a path, the reason names it.
fn name_later(root: &Root, last: u64, refusals: &mut [Refusal]) {
    let (Ok(log), Ok(Some(folder))) = (log::read_log(root), log::open(root)) else { return };
    // One that was undone, and the undo, leave things as they were.
    let is_undone = |number: u64| log.get(number).is_some_and(|one| one.undone_by.is_some());
    let cancels = |one: &Operation| {
        one.undone_by.is_some()
            || !one.undoes.is_empty() && one.undoes.iter().all(|&undone| undone > last && is_undone(undone))
    };
    for operation in log.operations.iter().rev().filter(|one| one.number > last && !cancels(one)) {
        let Ok((_, journal)) = read_steps(folder.as_fd(), operation.number) else { continue };
        let touched: BTreeSet<&str> = journal.steps.iter().map(Step::path).collect();
        for refusal in
            refusals.iter_mut().filter(|one| one.edited_before.is_none() && touched.contains(one.path.as_str()))
        {
            refusal.reason = format!("was written again by operation {}", operation.number);
            refusal.later = Some(operation.number);
        }
    }
}
