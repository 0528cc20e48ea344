//! The commit: a staged change set becomes the tree, or the tree stays as it was.

use super::error::{CommitError, DiskError};
use super::publish::Publisher;
use super::stage::{Slot, Staging};
use crate::change::{ChangeSet, Counts, FileChange, Kind, LockfileChange};
use crate::event::{Event, Watcher};
use crate::lockfile::is_name;
use crate::path::{FileMode, OutputPath};

/// A change set with everything it needs, ready to be published. Dropping it removes what was staged.
#[derive(Debug)]
pub struct Staged {
    staging: Staging,
    changes: ChangeSet,
    /// The bodies of the files that need one, in their order.
    bodies: Vec<Option<Slot>>,
    /// The texts of the shards, in their order.
    texts: Vec<Option<Slot>>,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many files of each kind.
    pub counts: Counts,
    /// How many shards of the lockfile were written or removed.
    pub shards: usize,
    /// Overwritten contents: the path, and where its old content is kept, relative to the output root.
    pub kept: Vec<(OutputPath, String)>,
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
        let body = |file: &FileChange| {
            if !file.needs_body() {
                return Ok(None);
            }
            let fits = |slot: &Slot| Some(slot.digest) == file.after && slot.mode == file.mode;
            let slot = staging.slot(&file.path).filter(fits);
            slot.map(Some).ok_or_else(|| CommitError::NotStaged { path: file.path.to_string() })
        };
        let bodies = changes.files.iter().map(body).collect::<Result<_, _>>()?;
        let text = |shard: &LockfileChange| {
            check_shard_path(&shard.path)?;
            let text = shard.text.as_ref();
            text.map(|text| staging.write(&shard.path, FileMode::Regular, text.as_bytes())).transpose()
        };
        let texts = changes.lockfiles.iter().map(text).collect::<Result<_, _>>()?;
        Ok(Self { staging, changes, bodies, texts })
    }

    /// Publishes: removed files first (they may make way for folders), then the others in the order of their paths, the
    /// shards last. All of it, or none: after a failure every step is taken back.
    ///
    /// # Errors
    /// What failed first. Unless it is [`CommitError::NotRolledBack`], the tree is as before.
    pub fn commit(mut self, watcher: &dyn Watcher) -> Result<Applied, CommitError> {
        let files = self.changes.files.iter().filter(|file| file.writes()).count();
        watcher.on_event(Event::Writing { files });
        if self.changes.is_empty() {
            return Ok(Applied { counts: self.changes.counts(), ..Applied::default() });
        }
        self.staging.start_publishing()?;
        // Durability: here everything staged, and the journal, must reach the disk.
        let mut publisher = Publisher::new(&self.staging)?;
        match self.publish(&mut publisher, watcher) {
            Ok(kept) => {
                publisher.prune(removed(&self.changes));
                // Durability: here everything published must reach the disk, before the folder goes.
                self.staging.finish_publishing();
                Ok(Applied { counts: self.changes.counts(), shards: self.changes.lockfiles.len(), kept })
            }
            Err(cause) => {
                let left = publisher.roll_back();
                if left.is_empty() {
                    self.staging.finish_publishing();
                    return Err(cause.into());
                }
                Err(CommitError::NotRolledBack { cause, left, folder: self.staging.shown() })
            }
        }
    }

    fn publish(
        &self,
        publisher: &mut Publisher<'_>,
        watcher: &dyn Watcher,
    ) -> Result<Vec<(OutputPath, String)>, DiskError> {
        let mut kept = Vec::new();
        for file in self.changes.files.iter().filter(|file| file.kind == Kind::Delete) {
            if let Some(before) = file.before {
                publisher.remove(file.path.as_str(), before)?;
                watcher.on_event(Event::Published);
            }
        }
        for (file, slot) in self.changes.files.iter().zip(&self.bodies) {
            let path = file.path.as_str();
            match (&file.kind, slot, file.before) {
                (Kind::Create, Some(slot), _) => publisher.create(path, slot)?,
                (Kind::Update, Some(slot), Some(before)) => publisher.replace(path, slot, before)?,
                (Kind::Update, None, Some(before)) => publisher.set_mode(path, before, file.mode)?,
                (Kind::Replaced, Some(slot), Some(before)) => {
                    kept.push((file.path.clone(), publisher.keep(path, before)?));
                    publisher.replace(path, slot, before)?;
                }
                _ => continue,
            }
            watcher.on_event(Event::Published);
        }
        for (shard, slot) in self.changes.lockfiles.iter().zip(&self.texts) {
            match (slot, shard.before) {
                (Some(slot), None) => publisher.create(&shard.path, slot)?,
                (Some(slot), Some(before)) => publisher.replace(&shard.path, slot, before)?,
                (None, Some(before)) => publisher.remove(&shard.path, before)?,
                (None, None) => {}
            }
        }
        Ok(kept)
    }
}

/// The paths below which a folder may have become empty.
fn removed(changes: &ChangeSet) -> impl Iterator<Item = &str> {
    changes.files.iter().filter(|file| file.kind == Kind::Delete).map(|file| file.path.as_str())
}

/// A shard lies at `.megax/lock/<team>/<mega-file id>.lock` and nowhere else, whoever says otherwise.
fn check_shard_path(path: &str) -> Result<(), DiskError> {
    let names = path.strip_prefix(".megax/lock/").and_then(|rest| rest.strip_suffix(".lock")?.split_once('/'));
    match names {
        Some((team, id)) if is_name(team) && is_name(id) => Ok(()),
        _ => Err(DiskError::Name { name: path.to_owned() }),
    }
}
