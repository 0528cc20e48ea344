//! The commit: a staged change set becomes the tree, or the tree stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use rustix::io::Errno;

use super::barrier::barrier;
use super::entry::{Entry, OperationKind};
use super::error::{CommitError, DiskError};
use super::footing::Footing;
use super::inputs::{self, Inputs};
use super::journal::{Journal, Step};
use super::kept::keep;
use super::log::{Logged, write_entry};
use super::look::buffer;
use super::preflight::preflight;
use super::root::{Durability, Root};
use super::shards::without_ending;
use super::stage::{COPY, Slot, Staging};
use super::steps::Steps;
use super::trees::Tree;
use super::walk::{Reached, Walker, parts};
use crate::change::{ChangeSet, Counts, FileChange, Kind, LockfileChange};
use crate::digest::Digest;
use crate::event::{Event, Watcher};
use crate::lockfile::is_name;
use crate::path::FileMode;

/// A change set with everything it needs, ready to be published. Dropping it removes what was staged.
#[derive(Debug)]
pub struct Staged {
    staging: Staging,
    changes: ChangeSet,
    /// The bodies of the files that need one, in their order.
    bodies: Vec<Option<Slot>>,
    /// The texts of the shards, in their order.
    texts: Vec<Option<Slot>>,
    /// What the log will call it.
    kind: OperationKind,
    /// The listing of what it was made from.
    listing: Option<Digest>,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Its number in the operation log; none where nothing changed, or where the log cannot be written.
    pub operation: Option<u64>,
    /// Why the log cannot be written: there is no way back.
    pub unlogged: Option<String>,
    /// How many files of each kind.
    pub counts: Counts,
    /// How many shards of the lockfile were written or removed.
    pub shards: usize,
    /// Overwritten contents: the path, and where its old content is kept, both relative to the output root. Shards of the
    /// lockfile may be among them.
    pub kept: Vec<(String, String)>,
}

impl Staged {
    /// Joins what was staged with what is to change, and stages the shards. Bodies that no change needs are dropped
    /// with the rest.
    ///
    /// # Errors
    /// The change set holds a conflict, a body is missing or is not the planned one, a shard has no proper path, or a
    /// shard cannot be staged. Nothing was published.
    pub fn new(staging: Staging, changes: ChangeSet) -> Result<Self, CommitError> {
        if let Some(file) = changes.conflicts().next() {
            return Err(CommitError::Conflict { path: file.path.to_string() });
        }
        let body = |file: &FileChange| -> Result<Option<Slot>, CommitError> {
            if !file.needs_body() {
                return Ok(None);
            }
            let fits = |slot: &Slot| Some(slot.digest) == file.after && slot.mode == file.mode;
            let slot = staging.slot(&file.path).filter(fits);
            let slot = slot.ok_or_else(|| CommitError::NotStaged { path: file.path.to_string() })?;
            Ok(Some(if file.kind == Kind::Create { slot } else { staging.single(slot)? }))
        };
        let bodies = changes.files.iter().map(body).collect::<Result<_, _>>()?;
        let text = |shard: &LockfileChange| {
            check_shard_path(&shard.path)?;
            let text = shard.text.as_ref();
            text.map(|text| staging.write(&shard.path, FileMode::Regular, text.as_bytes())).transpose()
        };
        let texts = changes.lockfiles.iter().map(text).collect::<Result<_, _>>()?;
        Ok(Self { staging, changes, bodies, texts, kind: OperationKind::Apply, listing: None })
    }

    /// The same as another kind of operation.
    #[must_use]
    pub fn called(self, kind: OperationKind) -> Self {
        Self { kind, ..self }
    }

    /// Stores the texts that the change set was made from, and says where they are listed.
    ///
    /// # Errors
    /// They cannot be stored. The commit can go on; only, its files have no base for a merge.
    pub fn store(&self, inputs: &Inputs<'_>) -> Result<Digest, DiskError> {
        inputs::store(&self.staging, inputs)
    }

    /// Notes where the texts that it was made from are listed.
    #[must_use]
    pub fn made_from(self, listing: Option<Digest>) -> Self {
        Self { listing, ..self }
    }

    /// Publishes: removed files first (they may make way for folders), then the others in the order of their paths, the
    /// shards last. All of it, or none: after a failure every step is taken back, and what a killed process began the
    /// next one finishes ([`super::recover()`]).
    ///
    /// # Errors
    /// What failed first. Unless it is [`CommitError::Interrupted`], the tree is as before.
    pub fn commit(mut self, durability: Durability, watcher: &dyn Watcher) -> Result<Applied, CommitError> {
        let files = self.changes.files.iter().filter(|file| file.writes()).count();
        watcher.on_event(Event::Writing { files });
        if self.changes.is_empty() {
            return Ok(Applied { counts: self.changes.counts(), ..Applied::default() });
        }
        let kept = self.keep()?;
        let journal = self.journal()?;
        let counts = self.changes.counts();
        let teams: Vec<String> = self.changes.teams().into_iter().map(str::to_owned).collect();
        let entry = Entry {
            kind: self.kind,
            undoes: Vec::new(),
            footing: Footing::of(&self.staging.root, self.staging.folder(), &journal, &teams),
            listing: self.listing,
            teams,
            created: counts.created,
            updated: counts.updated + counts.replaced,
            deleted: counts.deleted,
        };
        let logged = commit(&mut self.staging, &journal, &entry, durability, watcher)?;
        let (operation, unlogged) = (logged.as_ref().ok().copied(), logged.err());
        Ok(Applied { operation, unlogged, counts, shards: self.changes.lockfiles.len(), kept })
    }

    /// Saves copies of the contents that are overwritten on request; where they lie.
    fn keep(&self) -> Result<Vec<(String, String)>, DiskError> {
        let mut kept = Vec::new();
        let mut buffer = buffer();
        let mut walker = Walker::new(self.staging.root.make()?);
        let is_displaced = |file: &&FileChange| file.writes() && matches!(file.kind, Kind::Replaced | Kind::Merged);
        let files = self.changes.files.iter().filter(is_displaced);
        let shards = self.changes.lockfiles.iter().filter(|shard| shard.keep);
        let files = files.map(|file| (file.path.as_str(), file.before));
        for (path, before) in files.chain(shards.map(|shard| (shard.path.as_str(), shard.before))) {
            let (folder, name) = parts(path);
            if walker.enter(folder)? != Reached::Folder {
                return Err(DiskError::changed(path));
            }
            let scratch = (self.staging.folder(), COPY);
            let from = (walker.folder(), name);
            let (digest, place) = keep(&self.staging.root, from, scratch, path, &mut buffer)?;
            if Some(digest) != before {
                return Err(DiskError::changed(path));
            }
            kept.push((path.to_owned(), place));
        }
        Ok(kept)
    }

    /// The steps, in their order, with the folders that are missing now.
    fn journal(&self) -> Result<Journal, DiskError> {
        let mut steps = Vec::new();
        for file in self.changes.files.iter().filter(|file| file.kind == Kind::Delete) {
            if let Some(before) = file.before {
                steps.push(Step::Remove { path: file.path.to_string(), aside: self.staging.aside(), before });
            }
        }
        let leaving: BTreeSet<&str> = steps.iter().map(Step::path).collect();
        let mut folders = Folders::new(&self.staging.root)?;
        let mut trees = self.trees();
        let mut rest = Vec::new();
        for (file, slot) in self.changes.files.iter().zip(&self.bodies) {
            let path = file.path.to_string();
            match (&file.kind, slot, file.before, file.after) {
                (Kind::Create, Some(slot), _, _) => {
                    if let Some((name, _)) = slot.name.split_once('/') {
                        rest.extend(trees.remove(name));
                    }
                    folders.make(&path, &leaving, &mut rest)?;
                    rest.push(Step::Create { path, slot: slot.name.clone(), after: slot.digest });
                }
                (Kind::Update | Kind::Replaced | Kind::Merged, Some(slot), Some(before), _) => {
                    rest.push(self.replace(path, slot, before));
                }
                (Kind::Update, None, Some(digest), _) => {
                    let old = if file.mode == FileMode::Executable { 0o644 } else { 0o755 };
                    let old = folders.mode(&path)?.unwrap_or(old);
                    rest.push(Step::Mode { path, digest, old, mode: file.mode });
                }
                _ => {}
            }
        }
        for (shard, slot) in self.changes.lockfiles.iter().zip(&self.texts) {
            let path = shard.path.clone();
            match (slot, shard.before) {
                (Some(slot), None) => {
                    folders.make(&path, &leaving, &mut rest)?;
                    rest.push(Step::Create { path, slot: slot.name.clone(), after: slot.digest });
                }
                (Some(slot), Some(before)) => rest.push(self.replace(path, slot, before)),
                (None, Some(before)) => rest.push(Step::Remove { path, aside: self.staging.aside(), before }),
                (None, None) => {}
            }
        }
        steps.extend(rest);
        Ok(Journal { steps })
    }

    /// The steps that name the staged folders, by the name of each. One with bodies that no change needs is not whole.
    fn trees(&self) -> BTreeMap<String, Step> {
        let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in self.bodies.iter().flatten().filter_map(|slot| slot.name.split_once('/')) {
            *needed.entry(name).or_default() += 1;
        }
        let step = |(path, tree): (String, Tree)| {
            let whole = needed.get(tree.name.as_str()) == Some(&tree.bodies);
            (tree.name.clone(), Step::Tree { path, slot: tree.name, whole })
        };
        self.staging.trees().into_iter().map(step).collect()
    }

    fn replace(&self, path: String, slot: &Slot, before: Digest) -> Step {
        let (slot, after, aside) = (slot.name.clone(), slot.digest, self.staging.aside());
        Step::Replace { path, slot, aside, before, after }
    }
}

/// Carries the steps out, all of them or none, with everything that they need staged. The answer is the number of the
/// operation in the log.
pub(super) fn commit(
    staging: &mut Staging,
    journal: &Journal,
    entry: &Entry,
    durability: Durability,
    watcher: &dyn Watcher,
) -> Result<Logged, CommitError> {
    preflight(&staging.root, staging.folder(), journal)?;
    write_entry(staging.folder(), entry)?;
    let done = staging.commit(journal, durability).and_then(|()| publish(staging, journal, durability, watcher));
    match done {
        Ok(()) => Ok(staging.retire(journal, durability)),
        // The journal may lie in its place though the call that put it there failed: the next run must not go on with it.
        Err(cause) if staging.is_committed() => Err(take_back(staging, journal, durability, cause)),
        Err(cause) => Err(cause.into()),
    }
}

fn publish(
    staging: &Staging,
    journal: &Journal,
    durability: Durability,
    watcher: &dyn Watcher,
) -> Result<(), DiskError> {
    let mut steps = Steps::new(&staging.root, staging.folder())?;
    for step in &journal.steps {
        steps.carry_out(step)?;
        if !matches!(step, Step::Folder { .. } | Step::Tree { .. } | Step::Clear { .. })
            && !step.path().starts_with(".megax/")
        {
            watcher.on_event(Event::Published);
        }
    }
    steps.prune(journal)?;
    barrier(&staging.root, staging.folder(), Some(journal), durability)
}

fn take_back(staging: &mut Staging, journal: &Journal, durability: Durability, cause: DiskError) -> CommitError {
    let taken = Steps::new(&staging.root, staging.folder()).and_then(|mut steps| steps.take_back(journal));
    let synced = || barrier(&staging.root, staging.folder(), Some(journal), durability);
    match taken.and_then(|kept| synced().map(|()| kept)) {
        Ok(kept) => {
            staging.discard(durability);
            if kept.is_empty() { cause.into() } else { CommitError::EditedMeanwhile { cause, kept } }
        }
        Err(_) => CommitError::Interrupted { cause, folder: staging.shown() },
    }
}

/// The folders that a commit makes.
pub(super) struct Folders<'r> {
    walker: Walker<'r>,
    /// Those that are there, or are made by an earlier step.
    known: BTreeSet<String>,
}

impl<'r> Folders<'r> {
    pub(super) fn new(root: &'r Root) -> Result<Self, DiskError> {
        Ok(Self { walker: Walker::new(root.make()?), known: BTreeSet::new() })
    }

    /// Adds a step for every folder above `path` that is missing. One that is a file now is missing if that file leaves
    /// the tree before.
    pub(super) fn make(
        &mut self,
        path: &str,
        leaving: &BTreeSet<&str>,
        steps: &mut Vec<Step>,
    ) -> Result<(), DiskError> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for folder in ends.map(|at| &path[..at]) {
            if self.known.contains(folder) {
                continue;
            }
            let missing = match self.walker.enter(folder)? {
                Reached::Folder => false,
                Reached::Absent => true,
                Reached::Blocked(at) if leaving.contains(at.as_str()) => true,
                Reached::Blocked(at) => {
                    let what = self.what_blocks(&at);
                    return Err(DiskError::NotAFile { path: at, what });
                }
            };
            // `.megax` itself is there since staging began.
            if missing && folder != ".megax" {
                steps.push(Step::Folder { path: folder.to_owned() });
            }
            self.known.insert(folder.to_owned());
        }
        Ok(())
    }

    fn what_blocks(&mut self, path: &str) -> &'static str {
        let (folder, name) = parts(path);
        let found = match self.walker.enter(folder) {
            Ok(Reached::Folder) => super::sys::stat(self.walker.folder(), name).ok(),
            _ => None,
        };
        found.and_then(|(kind, _)| super::sys::describe(kind)).unwrap_or("a file")
    }

    /// The permission bits of a file; the commit that needs them finds out that it is gone.
    pub(super) fn mode(&mut self, path: &str) -> Result<Option<u32>, DiskError> {
        let (folder, name) = parts(path);
        if self.walker.enter(folder)? != Reached::Folder {
            return Ok(None);
        }
        match super::sys::stat(self.walker.folder(), name) {
            Ok((_, mode)) => Ok(Some(mode)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(DiskError::io("read", path, error)),
        }
    }
}

/// A shard lies at `.megax/lock/<team>/<mega-file id>.lock` and nowhere else, whoever says otherwise; a reservation lies
/// beside it and ends in `.claim`.
pub(super) fn check_shard_path(path: &str) -> Result<(), DiskError> {
    let names = path.strip_prefix(".megax/lock/").and_then(|rest| without_ending(rest)?.split_once('/'));
    match names {
        Some((team, id)) if is_name(team) && is_name(id) => Ok(()),
        _ => Err(DiskError::Name { name: path.to_owned() }),
    }
}
