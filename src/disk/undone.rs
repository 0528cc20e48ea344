//! What operations of the log did, folded into one way per path: what lay there before the first, and after the last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::io::Errno;

use super::journal::Step;
use super::log::{self, read_steps};
use super::look::{buffer, look};
use super::root::Root;
use super::sys;
use super::undo::ReversalError;
use crate::change::OnDisk;
use crate::digest::Digest;

/// What was at a path before the first of the operations.
#[derive(Debug)]
pub(super) struct Old {
    pub(super) digest: Digest,
    /// Permission bits, where they are known.
    pub(super) bits: Option<u32>,
    /// Where the bytes lie: which operation of [`Undone::folders`], and the name there.
    pub(super) content: Option<(usize, String)>,
}

/// A path that the operations touched.
#[derive(Debug)]
pub(super) struct Way {
    /// Before the first; nothing, where it was made.
    pub(super) old: Option<Old>,
    /// After the last; nothing, where it was deleted.
    pub(super) new: Option<Digest>,
}

impl Way {
    /// Whether a file holds what the operations left; line endings changed by git are no edit.
    pub(super) fn is_left(&self, found: &OnDisk) -> bool {
        match found {
            OnDisk::File { digest, lf_digest, .. } => {
                self.new.is_some_and(|new| new == *digest || Some(new) == *lf_digest)
            }
            OnDisk::Absent => self.new.is_none(),
            OnDisk::Other(_) | OnDisk::Below(_) | OnDisk::Reserved(_) | OnDisk::Unreadable => false,
        }
    }

    /// Whether there is nothing to do but, at most, a mode.
    pub(super) fn is_back(&self, found: &OnDisk) -> bool {
        match (&self.old, found) {
            (None, OnDisk::Absent) => true,
            (Some(old), OnDisk::File { digest, .. }) => old.digest == *digest,
            _ => false,
        }
    }
}

/// The operations, folded into one way per path.
pub(super) struct Undone {
    /// Their numbers and folders, ascending.
    pub(super) folders: Vec<(u64, OwnedFd)>,
    pub(super) ways: BTreeMap<String, Way>,
    /// Edits that one of the operations displaced, and which.
    pub(super) edits: Vec<(String, u64)>,
}

impl Undone {
    pub(super) fn read(root: &Root, numbers: &[u64]) -> Result<Self, ReversalError> {
        let mut undone = Self { folders: Vec::new(), ways: BTreeMap::new(), edits: Vec::new() };
        let Some(log) = log::open(root)? else { return Ok(undone) };
        for &number in numbers {
            let (folder, journal) = read_steps(log.as_fd(), number)
                .map_err(|error| ReversalError::Unreadable { number, reason: error.to_string() })?;
            let index = undone.folders.len();
            undone.folders.push((number, folder));
            for step in journal.steps {
                undone
                    .fold(index, step)
                    .map_err(|error| ReversalError::Unreadable { number, reason: error.to_string() })?;
            }
        }
        Ok(undone)
    }

    fn fold(&mut self, index: usize, step: Step) -> Result<(), Errno> {
        let old =
            |digest, bits, name: Option<String>| Some(Old { digest, bits, content: name.map(|name| (index, name)) });
        let (path, old, new) = match step {
            Step::Folder { .. } | Step::Tree { .. } | Step::Clear { .. } => return Ok(()),
            Step::Create { path, after, .. } => (path, None, Some(after)),
            Step::Replace { path, slot, aside, before, after } => {
                // Aside only where names could not be exchanged.
                let name = if self.mode_of(index, &aside)?.is_some() { aside } else { slot };
                let bits = self.mode_of(index, &name)?;
                (path, old(before, bits, Some(name)), Some(after))
            }
            Step::Remove { path, aside, before } => {
                let bits = self.mode_of(index, &aside)?;
                (path, old(before, bits, Some(aside)), None)
            }
            Step::Mode { path, digest, old: bits, .. } => (path, old(digest, Some(bits), None), Some(digest)),
        };
        if let (Some(way), Some(old)) = (self.ways.get(&path), &old)
            && way.new != Some(old.digest)
            && !is_record(&path)
            && !self.is_left(way, old)
        {
            self.edits.extend(self.folders.get(index).map(|(number, _)| (path.clone(), *number)));
        }
        match self.ways.entry(path) {
            Slot::Vacant(free) => drop(free.insert(Way { old, new })),
            Slot::Occupied(mut known) => {
                let way = known.get_mut();
                way.new = new;
                // Only its mode had changed until now: a later operation has the bytes.
                if let (Some(first), Some(later)) = (&mut way.old, old)
                    && first.content.is_none()
                    && first.digest == later.digest
                {
                    first.content = later.content;
                }
            }
        }
        Ok(())
    }

    /// Whether a displaced content is what the operation before left, but for its line endings.
    fn is_left(&self, way: &Way, old: &Old) -> bool {
        let found = old.content.as_ref().and_then(|(index, name)| {
            let (_, folder) = self.folders.get(*index)?;
            look(folder.as_fd(), name, &mut buffer()).ok()
        });
        found.is_some_and(|found| way.is_left(&found))
    }

    fn mode_of(&self, index: usize, name: &str) -> Result<Option<u32>, Errno> {
        let Some((_, folder)) = self.folders.get(index) else { return Ok(None) };
        match sys::stat(folder.as_fd(), name) {
            Ok((_, mode)) => Ok(Some(mode)),
            Err(Errno::NOENT) => Ok(None),
            // Without its mode a file would come back as another one.
            Err(error) => Err(error),
        }
    }
}

/// Whether a path is one of the lockfile.
pub(super) fn is_record(path: &str) -> bool {
    path.starts_with(".megax/")
}
