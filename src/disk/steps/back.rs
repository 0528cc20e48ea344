//! Taking steps back. It must never destroy what somebody did since: an edited file stays, and what it replaced is kept.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use rustix::io::Errno;

use super::{Steps, verify};
use crate::change::OnDisk;
use crate::digest::Digest;
use crate::disk::error::DiskError;
use crate::disk::fault::{self, Check};
use crate::disk::journal::{Journal, Step};
use crate::disk::kept::{keep, keep_other};
use crate::disk::look::digest_of;
use crate::disk::stage::COPY;
use crate::disk::sys;
use crate::disk::walk::{Reached, parts};

impl Steps<'_> {
    /// Takes every step back, the last one first. What somebody edited after it was published stays as it is, and the
    /// content that it replaced goes to `.megax/kept`; where those lie, by path.
    ///
    /// # Errors
    /// A call failed. Trying again goes on from there.
    pub(in crate::disk) fn take_back(&mut self, journal: &Journal) -> Result<Vec<(String, String)>, DiskError> {
        let mut kept = Vec::new();
        self.walker.reset();
        for step in journal.steps.iter().rev() {
            fault::point(step.path())?;
            match step {
                Step::Folder { path } => self.remove_folder(path)?,
                // The files below bring the one back, and take the other away.
                Step::Clear { .. } | Step::Tree { .. } => {}
                Step::Create { path, slot, after } => {
                    kept.extend(self.uncreate(path, slot, *after)?.map(|place| (path.clone(), place)));
                }
                Step::Replace { path, slot, aside, after, .. } => {
                    kept.extend(self.unreplace(path, slot, aside, *after)?.map(|place| (path.clone(), place)));
                }
                Step::Remove { path, aside, .. } => {
                    kept.extend(self.unremove(path, aside)?.map(|place| (path.clone(), place)));
                }
                Step::Mode { path, digest, old, .. } => self.unset_mode(path, *digest, *old)?,
            }
        }
        Ok(kept)
    }

    fn remove_folder(&mut self, path: &str) -> Result<(), DiskError> {
        let (folder, name) = parts(path);
        if self.walker.enter(folder)? != Reached::Folder {
            return Ok(());
        }
        match sys::remove_folder(self.walker.folder(), name) {
            // Somebody put something into it, or took it away: theirs to decide.
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(DiskError::io("remove", path, error)),
        }
    }

    /// Moves a published file out of the tree again, unless somebody has edited it since.
    fn uncreate(&mut self, path: &str, slot: &str, after: Digest) -> Result<Option<String>, DiskError> {
        let staged = self.look_aside(slot, path)?;
        if staged != OnDisk::Absent {
            if self.is_same(path, slot)? {
                self.forget(slot, path)?;
            } else if digest_of(&staged) == Some(after) {
                return Ok(None);
            } else {
                // An edited file, by a process that died before it could go back.
                return self.give_back(path, slot);
            }
        }
        if digest_of(&self.look(path)?) != Some(after) && !fault::is_left_out(Check::Uncreated) {
            return Ok(None);
        }
        fault::point(path)?;
        let name = self.enter(path)?;
        let (above, own) = parts(slot);
        // A staged folder that was moved is not there any more.
        self.inside.make(above, |_| ())?;
        match sys::move_over((self.walker.folder(), name), (self.inside.folder(), own)) {
            Ok(()) => {}
            // Gone is as good as taken back.
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(DiskError::io("take back", path, error)),
        }
        fault::point(path)?;
        if verify(Check::Uncreated, (self.inside.folder(), own), after, path, &mut self.buffer).is_ok() {
            return Ok(None);
        }
        // Edited in that moment: it goes back to where it was.
        self.give_back(path, slot)
    }

    /// Puts the replaced file back. Where the new one was edited since, it stays, and the old content is kept.
    fn unreplace(&mut self, path: &str, slot: &str, aside: &str, after: Digest) -> Result<Option<String>, DiskError> {
        let failed = |error| DiskError::io("take back", path, error);
        let staged = self.look_aside(slot, path)?;
        let by_link = self.look_aside(aside, path)? != OnDisk::Absent;
        if !by_link && staged == OnDisk::Absent {
            // Taken back before: where names cannot be exchanged, that leaves neither.
            return Ok(None);
        }
        let staged = digest_of(&staged);
        if by_link && staged.is_some() {
            if !self.is_same(path, slot)? {
                // Linked aside, but not replaced.
                return self.forget(aside, path).map(|()| None);
            }
            // Taking it back began, and stopped after the link.
            self.forget(slot, path)?;
        }
        if !by_link && staged == Some(after) {
            return Ok(None);
        }
        let old = if by_link { aside } else { slot };
        let found = self.look(path)?;
        if found == OnDisk::Absent || self.is_same(path, old)? {
            // Its folder may be gone as well.
            return self.give_back(path, old);
        }
        if digest_of(&found) != Some(after) && !fault::is_left_out(Check::Unreplaced) {
            return self.keep(old, path).map(Some);
        }
        fault::point(path)?;
        if by_link {
            return self.move_back(path, slot, aside, after);
        }
        let name = self.enter(path)?;
        let target = (self.walker.folder(), name);
        if !sys::exchange((self.folder, old), target).map_err(failed)? {
            return sys::move_over((self.folder, old), target).map_err(failed).map(|()| None);
        }
        fault::point(path)?;
        if verify(Check::Unreplaced, (self.folder, old), after, path, &mut self.buffer).is_ok() {
            return Ok(None);
        }
        // Edited in that moment: the edit goes back to where it was, and the old content is kept.
        let name = self.enter(path)?;
        let target = (self.walker.folder(), name);
        sys::exchange((self.folder, old), target).map_err(failed)?;
        self.keep(old, path).map(Some)
    }

    /// Puts the replaced file back where names cannot be exchanged. The new one gets a second name before, so that an edit
    /// of that very moment is found.
    fn move_back(&mut self, path: &str, slot: &str, aside: &str, after: Digest) -> Result<Option<String>, DiskError> {
        let failed = |error| DiskError::io("take back", path, error);
        let name = self.enter(path)?;
        let (new, old) = ((self.folder, slot), (self.folder, aside));
        sys::link((self.walker.folder(), name), new).map_err(failed)?;
        fault::point(path)?;
        if !self.is_same(path, slot)? {
            self.forget(slot, path)?;
            return self.keep(aside, path).map(Some);
        }
        let name = self.enter(path)?;
        sys::move_over(old, (self.walker.folder(), name)).map_err(failed)?;
        fault::point(path)?;
        if verify(Check::Unreplaced, new, after, path, &mut self.buffer).is_ok() {
            return Ok(None);
        }
        // The edit goes back to where it was, and the old content is kept. Both names are in use on the way, so that a
        // death leaves the edit nowhere but here: a copy of it is kept first.
        self.keep(slot, path)?;
        let name = self.enter(path)?;
        let target = (self.walker.folder(), name);
        sys::link(target, old).map_err(failed)?;
        sys::move_over(new, target).map_err(failed)?;
        self.keep(aside, path).map(Some)
    }

    /// Puts a removed file back. Where somebody made a new one, the old content is kept.
    fn unremove(&mut self, path: &str, aside: &str) -> Result<Option<String>, DiskError> {
        if self.look_aside(aside, path)? == OnDisk::Absent {
            return Ok(None);
        }
        fault::point(path)?;
        self.give_back(path, aside)
    }

    /// Moves a file from the transaction to where it was; where somebody made something else there, it is kept.
    fn give_back(&mut self, path: &str, aside: &str) -> Result<Option<String>, DiskError> {
        if self.is_same(path, aside)? {
            // A process died between the two halves of this move.
            return self.forget(aside, path).map(|()| None);
        }
        let (folder, name) = parts(path);
        let Some(own) = self.enter_inside(aside)? else { return Ok(None) };
        let moved = self.walker.make(folder, |_| ()).and_then(|()| {
            sys::move_to_free((self.inside.folder(), own), (self.walker.folder(), name))
                .map_err(|error| DiskError::io("take back", path, error))
        });
        match moved {
            Ok(()) => Ok(None),
            Err(DiskError::NotAFile { .. }) => self.keep(aside, path).map(Some),
            Err(DiskError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                self.keep(aside, path).map(Some)
            }
            Err(error) => Err(error),
        }
    }

    fn unset_mode(&mut self, path: &str, digest: Digest, old: u32) -> Result<(), DiskError> {
        if digest_of(&self.look(path)?) != Some(digest) {
            return Ok(());
        }
        let name = self.enter(path)?;
        let failed = |error| DiskError::io("change the mode of", path, error);
        let file = sys::open_file(self.walker.folder(), name).map_err(|error| failed(error.into()))?;
        file.set_permissions(Permissions::from_mode(old)).map_err(failed)
    }

    /// Copies a file of the transaction folder to `.megax/kept`; what is no ordinary file is moved there.
    fn keep(&mut self, aside: &str, path: &str) -> Result<String, DiskError> {
        // A copy that was cut off; its original is still here.
        let _ = sys::remove_file(self.folder, COPY);
        let Some(aside) = self.enter_inside(aside)? else { return Err(DiskError::changed(path)) };
        let (kind, _) = sys::stat(self.inside.folder(), aside).map_err(|error| DiskError::io("keep", path, error))?;
        if sys::describe(kind).is_some() {
            let place = keep_other(self.root, (self.inside.folder(), aside), path);
            // Handles of a folder would lead into the store.
            self.inside.reset();
            return place;
        }
        let (_, place) = keep(self.root, (self.inside.folder(), aside), (self.folder, COPY), path, &mut self.buffer)?;
        Ok(place)
    }
}
