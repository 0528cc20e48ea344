//! Carrying a journal out, and taking it back. Both decide every step by what lies on disk, never by memory: the same
//! code serves the run that began, the run that failed half-way, and the one that finds what a killed one left.
//!
//! The order within a step is always: displace, then verify what was displaced. What is verified is thus the very file
//! that left the tree, and a file edited at the last moment is found and put back.

use std::fs::Permissions;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use rustix::io::Errno;

use super::error::DiskError;
use super::journal::{Journal, Step};
use super::kept::keep;
use super::look::{buffer, check, digest_of, in_the_way, look_for_certain};
use super::root::Root;
use super::stage::COPY;
use super::sys::{self, Renaming};
use super::walk::{Reached, Walker, parts};
use crate::change::OnDisk;
use crate::digest::Digest;
use crate::path::FileMode;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not begun, and what it needs is there.
    Open,
    /// Done; somebody may have gone on from there.
    Done,
    /// Somebody changed what it needs: the commit cannot go on.
    Blocked,
}

/// What a test lets happen at a call.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(super) enum Fail {
    /// A call fails.
    Error(usize),
    /// The process dies: nothing is taken back.
    Crash(usize),
}

/// Carries the steps of one commit out, or takes them back.
pub(super) struct Steps<'a> {
    root: &'a Root,
    /// The transaction folder.
    folder: BorrowedFd<'a>,
    renaming: Renaming,
    walker: Walker<'a>,
    buffer: Vec<u8>,
    /// The call that pretends to fail; for tests.
    #[cfg(test)]
    pub(super) fail_at: Option<Fail>,
    #[cfg(test)]
    calls: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn new(root: &'a Root, folder: BorrowedFd<'a>, renaming: Renaming) -> Result<Self, DiskError> {
        Ok(Self {
            root,
            folder,
            renaming,
            walker: Walker::new(root.make()?),
            buffer: buffer(),
            #[cfg(test)]
            fail_at: None,
            #[cfg(test)]
            calls: 0,
        })
    }

    /// Carries one step out that was not begun.
    pub(super) fn carry_out(&mut self, step: &Step) -> Result<(), DiskError> {
        self.point(step.path())?;
        match step {
            Step::Folder { path } => self.walker.make(path, |_| ())?,
            Step::Clear { path } => self.clear(path)?,
            Step::Create { path, slot, .. } => self.create(path, slot)?,
            Step::Replace { path, slot, aside, before, .. } => self.replace(path, slot, aside, *before)?,
            Step::Remove { path, aside, before } => self.remove(path, aside, *before)?,
            Step::Mode { path, digest, mode, .. } => self.set_mode(path, *digest, *mode)?,
        }
        self.point(step.path())
    }

    /// Goes on with a journal wherever it stopped.
    ///
    /// # Errors
    /// A step is blocked by what somebody did meanwhile, or a call failed: then the journal is to be taken back.
    pub(super) fn resume(&mut self, journal: &Journal) -> Result<(), DiskError> {
        for step in &journal.steps {
            match self.state(step)? {
                State::Open => self.carry_out(step)?,
                State::Done => {}
                State::Blocked => return Err(DiskError::changed(step.path())),
            }
        }
        self.prune(journal)
    }

    /// Removes the folders of removed files, upwards, as long as they are empty.
    ///
    /// # Errors
    /// A call failed. Nobody would remove the folder later, so the commit is to be taken back.
    pub(super) fn prune(&mut self, journal: &Journal) -> Result<(), DiskError> {
        self.walker.reset();
        let removed = journal.steps.iter().filter_map(|step| match step {
            Step::Remove { path, .. } => Some(path.as_str()),
            _ => None,
        });
        for path in removed {
            let mut folder = parts(path).0;
            while !folder.is_empty() {
                let (above, name) = parts(folder);
                self.point(folder)?;
                if self.walker.enter(above)? == Reached::Folder {
                    match sys::remove_folder(self.walker.folder(), name) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        // Somebody needs it: there is more in it, it is no folder any more, or another disk is there.
                        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::BUSY) => break,
                        Err(error) => return Err(DiskError::io("remove", folder, error)),
                    }
                }
                folder = above;
            }
        }
        self.walker.reset();
        Ok(())
    }

    /// Takes every step back, the last one first. What somebody edited after it was published stays as it is, and the
    /// content that it replaced goes to `.megax/kept`; where those lie, by path.
    ///
    /// # Errors
    /// A call failed. Trying again goes on from there.
    pub(super) fn take_back(&mut self, journal: &Journal) -> Result<Vec<(String, String)>, DiskError> {
        let mut kept = Vec::new();
        self.walker.reset();
        for step in journal.steps.iter().rev() {
            self.point(step.path())?;
            match step {
                Step::Folder { path } => self.remove_folder(path)?,
                // The files below it bring it back.
                Step::Clear { .. } => {}
                Step::Create { path, slot, after } => self.uncreate(path, slot, *after)?,
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

    /// How far a step is, by what lies in the tree and in the transaction folder.
    fn state(&mut self, step: &Step) -> Result<State, DiskError> {
        let path = step.path();
        Ok(match step {
            Step::Folder { .. } => match self.walker.enter(path)? {
                Reached::Folder => State::Done,
                Reached::Absent => State::Open,
                Reached::Blocked(_) => State::Blocked,
            },
            // The file that it makes way for may be there already.
            Step::Clear { .. } => match self.walker.enter(path)? {
                Reached::Folder => State::Open,
                Reached::Absent | Reached::Blocked(_) => State::Done,
            },
            Step::Create { slot, .. } => {
                if self.look_aside(slot, path)? == OnDisk::Absent {
                    State::Done
                } else if self.is_same(path, slot)? {
                    // Linked, but the first name is still there.
                    self.forget(slot, path)?;
                    State::Done
                } else {
                    match self.look(path)? {
                        OnDisk::Absent => State::Open,
                        _ => State::Blocked,
                    }
                }
            }
            Step::Replace { slot, aside, before, after, .. } => {
                self.state_of_replace(path, slot, aside, *before, *after)?
            }
            Step::Remove { aside, before, .. } => match (self.look_aside(aside, path)?, self.look(path)?) {
                (OnDisk::File { digest, .. }, _) if digest == *before => State::Done,
                (OnDisk::Absent, OnDisk::File { digest, .. }) if digest == *before => State::Open,
                (OnDisk::Absent, OnDisk::Absent) => State::Done,
                _ => State::Blocked,
            },
            Step::Mode { digest, mode, .. } => match self.look(path)? {
                OnDisk::File { digest: found, executable, .. } if found == *digest => {
                    if executable == (*mode == FileMode::Executable) { State::Done } else { State::Open }
                }
                _ => State::Blocked,
            },
        })
    }

    fn state_of_replace(
        &mut self,
        path: &str,
        slot: &str,
        aside: &str,
        before: Digest,
        after: Digest,
    ) -> Result<State, DiskError> {
        let staged = digest_of(&self.look_aside(slot, path)?);
        if let OnDisk::File { digest: displaced, .. } = self.look_aside(aside, path)? {
            // Without exchange: linked aside first, then replaced.
            return Ok(match (staged, displaced == before) {
                (None, true) => State::Done,
                (Some(_), true) if self.is_same(path, aside)? => {
                    self.forget(aside, path)?;
                    State::Open
                }
                _ => State::Blocked,
            });
        }
        Ok(match staged {
            Some(staged) if staged == after => match digest_of(&self.look(path)?) {
                Some(found) if found == before => State::Open,
                _ => State::Blocked,
            },
            Some(staged) if staged == before => State::Done,
            _ => State::Blocked,
        })
    }

    /// Puts a staged file where nothing is.
    fn create(&mut self, path: &str, slot: &str) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        match sys::move_to_free(self.renaming, (self.folder, slot), (self.walker.folder(), name)) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(in_the_way(self.walker.folder(), name, path)),
            Err(error) => Err(DiskError::io("create", path, error)),
        }
    }

    /// Puts a staged file in the place of one that must hold `before`.
    fn replace(&mut self, path: &str, slot: &str, aside: &str, before: Digest) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let failed = |error| {
            if error == Errno::NOENT { DiskError::changed(path) } else { DiskError::io("replace", path, error) }
        };
        let (kind, old_mode) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        let staged = (self.folder, slot);
        // A file that was made private stays private.
        let (_, new_mode) = sys::stat(self.folder, slot).map_err(failed)?;
        let mode = if new_mode & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable };
        sys::set_mode(staged.0, staged.1, sys::with_mode(old_mode, mode)).map_err(failed)?;
        let target = (self.walker.folder(), name);
        if sys::exchange(self.renaming, staged, target).map_err(failed)? {
            self.point(path)?;
            return check((self.folder, slot), before, path, &mut self.buffer);
        }
        let displaced = (self.folder, aside);
        sys::link(target, displaced).map_err(failed)?;
        check(displaced, before, path, &mut self.buffer)?;
        if !sys::is_same(displaced, target).map_err(failed)? {
            return Err(DiskError::changed(path));
        }
        sys::move_over(staged, target).map_err(failed)?;
        self.point(path)?;
        check((self.folder, aside), before, path, &mut self.buffer)
    }

    /// Takes away a file that must hold `before`.
    fn remove(&mut self, path: &str, aside: &str, before: Digest) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let failed =
            |error| if error == Errno::NOENT { DiskError::changed(path) } else { DiskError::io("remove", path, error) };
        let (kind, _) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        let displaced = (self.folder, aside);
        sys::move_to_free(self.renaming, (self.walker.folder(), name), displaced).map_err(failed)?;
        self.point(path)?;
        check(displaced, before, path, &mut self.buffer)
    }

    /// Changes how a file that must hold `digest` is executed.
    fn set_mode(&mut self, path: &str, digest: Digest, mode: FileMode) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        check((self.walker.folder(), name), digest, path, &mut self.buffer)?;
        let failed = |error| DiskError::io("change the mode of", path, error);
        let file = sys::open_file(self.walker.folder(), name).map_err(|error| failed(error.into()))?;
        let old = file.metadata().map_err(failed)?.mode() & 0o777;
        file.set_permissions(Permissions::from_mode(sys::with_mode(old, mode))).map_err(failed)
    }

    /// Removes a folder that must be empty.
    fn clear(&mut self, path: &str) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let done = sys::remove_folder(self.walker.folder(), name);
        // Handles of it are of no use any more.
        self.walker.reset();
        match done {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Err(DiskError::changed(path)),
            Err(error) => Err(DiskError::io("remove", path, error)),
        }
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
    fn uncreate(&mut self, path: &str, slot: &str, after: Digest) -> Result<(), DiskError> {
        if self.look_aside(slot, path)? != OnDisk::Absent {
            if self.is_same(path, slot)? {
                self.forget(slot, path)?;
            } else {
                return Ok(());
            }
        }
        if digest_of(&self.look(path)?) != Some(after) {
            return Ok(());
        }
        let name = self.enter(path)?;
        let (target, aside) = ((self.walker.folder(), name), (self.folder, slot));
        match sys::move_to_free(self.renaming, target, aside) {
            Ok(()) => {}
            // Gone is as good as taken back.
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(DiskError::io("take back", path, error)),
        }
        if check(aside, after, path, &mut self.buffer).is_ok() {
            return Ok(());
        }
        // Edited in that moment: it goes back to where it was.
        sys::move_to_free(self.renaming, aside, target).map_err(|error| DiskError::io("take back", path, error))
    }

    /// Puts the replaced file back. Where the new one was edited since, it stays, and the old content is kept.
    fn unreplace(&mut self, path: &str, slot: &str, aside: &str, after: Digest) -> Result<Option<String>, DiskError> {
        let failed = |error| DiskError::io("take back", path, error);
        let staged = digest_of(&self.look_aside(slot, path)?);
        let by_link = self.look_aside(aside, path)? != OnDisk::Absent;
        if by_link && staged.is_some() {
            // Linked aside, but not replaced.
            return self.forget(aside, path).map(|()| None);
        }
        if !by_link && staged == Some(after) {
            return Ok(None);
        }
        let old = if by_link { aside } else { slot };
        let found = self.look(path)?;
        if found == OnDisk::Absent {
            let name = self.enter(path)?;
            let target = (self.walker.folder(), name);
            return sys::move_to_free(self.renaming, (self.folder, old), target).map_err(failed).map(|()| None);
        }
        if digest_of(&found) != Some(after) {
            return self.keep(old, path).map(Some);
        }
        let name = self.enter(path)?;
        let target = (self.walker.folder(), name);
        if by_link || !sys::exchange(self.renaming, (self.folder, old), target).map_err(failed)? {
            return sys::move_over((self.folder, old), target).map_err(failed).map(|()| None);
        }
        self.point(path)?;
        if check((self.folder, old), after, path, &mut self.buffer).is_ok() {
            return Ok(None);
        }
        // Edited in that moment: the edit goes back to where it was, and the old content is kept.
        let name = self.enter(path)?;
        let target = (self.walker.folder(), name);
        sys::exchange(self.renaming, (self.folder, old), target).map_err(failed)?;
        self.keep(old, path).map(Some)
    }

    /// Puts a removed file back. Where somebody made a new one, the old content is kept.
    fn unremove(&mut self, path: &str, aside: &str) -> Result<Option<String>, DiskError> {
        if self.look_aside(aside, path)? == OnDisk::Absent {
            return Ok(None);
        }
        let (folder, name) = parts(path);
        let made = self.walker.make(folder, |_| ());
        let from = (self.folder, aside);
        let moved = made.and_then(|()| {
            sys::move_to_free(self.renaming, from, (self.walker.folder(), name))
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

    /// Copies a file of the transaction folder to `.megax/kept`.
    fn keep(&mut self, aside: &str, path: &str) -> Result<String, DiskError> {
        // A copy that was cut off; its original is still here.
        let _ = sys::remove_file(self.folder, COPY);
        let (_, place) = keep(self.root, (self.folder, aside), (self.folder, COPY), path, &mut self.buffer)?;
        Ok(place)
    }

    /// What lies at a path of the tree; nothing, where its folder is not.
    fn look(&mut self, path: &str) -> Result<OnDisk, DiskError> {
        let (folder, name) = parts(path);
        match self.walker.enter(folder)? {
            Reached::Folder => look_for_certain(self.walker.folder(), name, path, &mut self.buffer),
            Reached::Absent => Ok(OnDisk::Absent),
            Reached::Blocked(parent) => Ok(OnDisk::Below(parent)),
        }
    }

    /// What lies in the transaction folder.
    fn look_aside(&mut self, name: &str, path: &str) -> Result<OnDisk, DiskError> {
        look_for_certain(self.folder, name, path, &mut self.buffer)
    }

    /// Whether a path of the tree and a name of the transaction folder are one file.
    fn is_same(&mut self, path: &str, aside: &str) -> Result<bool, DiskError> {
        let (folder, name) = parts(path);
        if self.walker.enter(folder)? != Reached::Folder {
            return Ok(false);
        }
        match sys::is_same((self.walker.folder(), name), (self.folder, aside)) {
            Err(Errno::NOENT) => Ok(false),
            done => done.map_err(|error| DiskError::io("read", path, error)),
        }
    }

    /// Removes a second name from the transaction folder.
    fn forget(&mut self, aside: &str, path: &str) -> Result<(), DiskError> {
        sys::remove_file(self.folder, aside).map_err(|error| DiskError::io("remove", path, error))
    }

    /// Goes to the folder of a path, which must be there; the path's own name.
    fn enter<'p>(&mut self, path: &'p str) -> Result<&'p str, DiskError> {
        let (folder, name) = parts(path);
        match self.walker.enter(folder)? {
            Reached::Folder => Ok(name),
            Reached::Absent | Reached::Blocked(_) => Err(DiskError::changed(path)),
        }
    }

    /// Everything that matters passes here before and after, so that tests can stop at each.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests stop here"))]
    fn point(&mut self, path: &str) -> Result<(), DiskError> {
        #[cfg(test)]
        {
            self.calls += 1;
            match self.fail_at {
                Some(Fail::Error(at)) if at == self.calls => {
                    return Err(DiskError::io("pretend to write", path, Errno::NOSPC));
                }
                Some(Fail::Crash(at)) if at == self.calls => std::panic::resume_unwind(Box::new("crash")),
                _ => {}
            }
        }
        let _ = path;
        Ok(())
    }
}
