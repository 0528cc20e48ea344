//! Carrying a journal out, and taking it back. Both decide every step by what lies on disk, never by memory: the same
//! code serves the run that began, the run that failed half-way, and the one that finds what a killed one left.
//!
//! The order within a step is always: displace, then verify what was displaced. What is verified is thus the very file
//! that left the tree, and a file edited at the last moment is found and put back.

mod back;
mod judge;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use rustix::io::Errno;

use judge::State;

use crate::change::OnDisk;
use crate::digest::Digest;
use crate::disk::error::DiskError;
use crate::disk::fault::{self, Check};
use crate::disk::journal::{Journal, Step};
use crate::disk::look::{buffer, check, in_the_way, look_for_certain};
use crate::disk::root::Root;
use crate::disk::sys;
use crate::disk::walk::{Reached, Walker, parts};
use crate::path::FileMode;

/// Carries the steps of one commit out, or takes them back.
pub(in crate::disk) struct Steps<'a> {
    root: &'a Root,
    /// The transaction folder.
    folder: BorrowedFd<'a>,
    walker: Walker<'a>,
    /// In the transaction folder, for what was staged in folders.
    inside: Walker<'a>,
    /// The path and the name of the staged folder that the steps are at, if its folders may be moved.
    tree: Option<(String, String)>,
    /// The folders that came with all that is in them.
    moved: BTreeSet<String>,
    buffer: Vec<u8>,
}

impl<'a> Steps<'a> {
    pub(in crate::disk) fn new(root: &'a Root, folder: BorrowedFd<'a>) -> Result<Self, DiskError> {
        Ok(Self {
            root,
            folder,
            walker: Walker::new(root.make()?),
            inside: Walker::new(folder),
            tree: None,
            moved: BTreeSet::new(),
            buffer: buffer(),
        })
    }

    /// Carries one step out that was not begun.
    pub(in crate::disk) fn carry_out(&mut self, step: &Step) -> Result<(), DiskError> {
        fault::point(step.path())?;
        match step {
            Step::Folder { path } => {
                if !self.move_folder(path)? {
                    self.walker.make(path, |_| ())?;
                }
            }
            Step::Tree { path, slot, whole } => self.tree = whole.then(|| (path.clone(), slot.clone())),
            Step::Create { path, .. } if self.has_moved(path) => {}
            Step::Clear { path } => self.clear(path)?,
            Step::Create { path, slot, .. } => self.create(path, slot)?,
            Step::Replace { path, slot, aside, before, .. } => self.replace(path, slot, aside, *before)?,
            Step::Remove { path, aside, before } => self.remove(path, aside, *before)?,
            Step::Mode { path, digest, mode, .. } => self.set_mode(path, *digest, *mode)?,
        }
        fault::point(step.path())
    }

    /// Goes on with a journal wherever it stopped.
    ///
    /// # Errors
    /// A step is blocked by what somebody did meanwhile, or a call failed: then the journal is to be taken back.
    pub(in crate::disk) fn resume(&mut self, journal: &Journal) -> Result<(), DiskError> {
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
    pub(in crate::disk) fn prune(&mut self, journal: &Journal) -> Result<(), DiskError> {
        self.walker.reset();
        let removed = journal.steps.iter().filter_map(|step| match step {
            Step::Remove { path, .. } => Some(path.as_str()),
            _ => None,
        });
        for path in removed {
            let mut folder = parts(path).0;
            while !folder.is_empty() {
                let (above, name) = parts(folder);
                fault::point(folder)?;
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

    /// Moves a staged folder, with all that is in it, where nothing is. Whether it did: where it cannot, the folder is made
    /// and its files are moved one by one.
    fn move_folder(&mut self, path: &str) -> Result<bool, DiskError> {
        if self.has_moved(path) {
            return Ok(true);
        }
        let staged = self.tree.as_ref().and_then(|(top, slot)| Some(format!("{slot}{}", below(path, top)?)));
        // An older rename would take the place of an empty folder of somebody else.
        let Some(staged) = staged else { return Ok(false) };
        let (name, staged) = (self.enter(path)?, self.enter_inside(&staged)?);
        let Some(staged) = staged else { return Ok(false) };
        let (from, to) = ((self.inside.folder(), staged), (self.walker.folder(), name));
        // What is made in such a folder takes something from it, which what is moved there does not.
        let moved = !sys::gives_something(to.0) && sys::move_folder(from, to);
        if moved {
            self.moved.insert(path.to_owned());
        }
        // Its handles would lead into the tree now.
        self.inside.reset();
        Ok(moved)
    }

    /// Whether a path came with a folder above it, or is such a folder.
    fn has_moved(&self, path: &str) -> bool {
        !self.moved.is_empty()
            && (self.moved.contains(path) || path.match_indices('/').any(|(at, _)| self.moved.contains(&path[..at])))
    }

    /// Puts a staged file where nothing is.
    fn create(&mut self, path: &str, slot: &str) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let Some(slot) = self.enter_inside(slot)? else { return Err(DiskError::io("create", path, Errno::NOENT)) };
        let (staged, target) = ((self.inside.folder(), slot), (self.walker.folder(), name));
        let moved = if fault::is_left_out(Check::Free) {
            sys::move_over(staged, target)
        } else {
            sys::move_to_free(staged, target)
        };
        match moved {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(in_the_way(self.walker.folder(), name, path)),
            Err(error) => Err(DiskError::io("create", path, error)),
        }
    }

    /// Puts a staged file in the place of one that must hold `before`.
    fn replace(&mut self, path: &str, slot: &str, aside: &str, before: Digest) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let folder = self.walker.folder();
        let failed = |error| failure("replace", path, error, (folder, name));
        let (kind, old_mode) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        let staged = (self.folder, slot);
        // A file that was made private stays private.
        let (_, new_mode) = sys::stat(self.folder, slot).map_err(failed)?;
        let mode = if new_mode & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable };
        sys::set_mode(staged.0, staged.1, sys::with_mode(old_mode, mode)).map_err(failed)?;
        fault::point(path)?;
        let target = (self.walker.folder(), name);
        if sys::exchange(staged, target).map_err(failed)? {
            fault::point(path)?;
            return verify(Check::Exchanged, (self.folder, slot), before, path, &mut self.buffer);
        }
        let displaced = (self.folder, aside);
        sys::link(target, displaced).map_err(failed)?;
        fault::point(path)?;
        let target = (self.walker.folder(), name);
        verify(Check::Linked, displaced, before, path, &mut self.buffer)?;
        if !sys::is_same(displaced, target).map_err(failed)? {
            return Err(DiskError::changed(path));
        }
        sys::move_over(staged, target).map_err(failed)?;
        fault::point(path)?;
        verify(Check::Linked, (self.folder, aside), before, path, &mut self.buffer)
    }

    /// Takes away a file that must hold `before`.
    fn remove(&mut self, path: &str, aside: &str, before: Digest) -> Result<(), DiskError> {
        let name = self.enter(path)?;
        let folder = self.walker.folder();
        let failed = |error| failure("remove", path, error, (folder, name));
        let (kind, _) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        fault::point(path)?;
        let displaced = (self.folder, aside);
        sys::move_over((self.walker.folder(), name), displaced).map_err(failed)?;
        fault::point(path)?;
        verify(Check::Removed, displaced, before, path, &mut self.buffer)
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
        let Some(name) = self.enter_inside(name)? else { return Ok(OnDisk::Absent) };
        look_for_certain(self.inside.folder(), name, path, &mut self.buffer)
    }

    /// Removes a second name from the transaction folder.
    fn forget(&mut self, aside: &str, path: &str) -> Result<(), DiskError> {
        let Some(aside) = self.enter_inside(aside)? else { return Ok(()) };
        sys::remove_file(self.inside.folder(), aside).map_err(|error| DiskError::io("remove", path, error))
    }

    /// Goes to the folder of a name in the transaction folder; the last part of the name, if the folder is there.
    fn enter_inside<'p>(&mut self, slot: &'p str) -> Result<Option<&'p str>, DiskError> {
        let (folder, name) = parts(slot);
        Ok((self.inside.enter(folder)? == Reached::Folder).then_some(name))
    }

    /// Goes to the folder of a path, which must be there; the path's own name.
    fn enter<'p>(&mut self, path: &'p str) -> Result<&'p str, DiskError> {
        let (folder, name) = parts(path);
        match self.walker.enter(folder)? {
            Reached::Folder => Ok(name),
            Reached::Absent | Reached::Blocked(_) => Err(DiskError::changed(path)),
        }
    }
}

/// What a call on a file of the tree that failed means. Where the process may make no symlink, it may not move one either:
/// then it is what came there meanwhile that is to be named, and no missing right.
fn failure(verb: &'static str, path: &str, error: Errno, at: (BorrowedFd<'_>, &str)) -> DiskError {
    match error {
        Errno::NOENT => DiskError::changed(path),
        Errno::ACCESS | Errno::PERM => match sys::stat(at.0, at.1).ok().and_then(|(kind, _)| sys::describe(kind)) {
            Some(what) => DiskError::NotAFile { path: path.to_owned(), what },
            None => DiskError::io(verb, path, error),
        },
        error => DiskError::io(verb, path, error),
    }
}

/// What follows the path of a folder in that of what lies below it; nothing for the folder itself.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Looks once more at what a call moved, when nobody can reach it by its name any more.
fn verify(
    which: Check,
    at: (BorrowedFd<'_>, &str),
    wanted: Digest,
    path: &str,
    buffer: &mut [u8],
) -> Result<(), DiskError> {
    if fault::is_left_out(which) { Ok(()) } else { check(at, wanted, path, buffer) }
}
