//! Publishing: one step per file, each of which notes how to take itself back.
//!
//! The order within a step is always: displace, note, verify what was displaced. What is verified is thus the very file
//! that left the tree, and a file edited at the last moment is found and put back.

use std::fs::Permissions;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt as _;

use rustix::io::Errno;

use super::error::DiskError;
use super::kept::keep;
use super::look::{buffer, look};
use super::stage::{COPY, Slot, Staging};
use super::sys;
use super::walk::{Reached, Walker, parts};
use crate::change::OnDisk;
use crate::digest::Digest;
use crate::path::FileMode;

/// How to take a step back. Paths are relative to the output root.
#[derive(Debug)]
enum Undo {
    /// A folder was made.
    Folder { path: String },
    /// A file was put where it is now, with these bytes.
    Placed { path: String, after: Digest },
    /// A file was displaced to this name in the transaction folder.
    Displaced { path: String, aside: String },
    /// The permission bits were these.
    Mode { path: String, mode: u32 },
}

/// Makes the changes of one commit, one after another.
pub(super) struct Publisher<'a> {
    staging: &'a Staging,
    walker: Walker<'a>,
    buffer: Vec<u8>,
    undo: Vec<Undo>,
    #[cfg(test)]
    steps: usize,
}

impl<'a> Publisher<'a> {
    pub(super) fn new(staging: &'a Staging) -> Result<Self, DiskError> {
        Ok(Self {
            staging,
            walker: Walker::new(staging.root.make()?),
            buffer: buffer(),
            undo: Vec::new(),
            #[cfg(test)]
            steps: 0,
        })
    }

    /// Puts a staged file where nothing is; makes its folder.
    pub(super) fn create(&mut self, path: &str, slot: &Slot) -> Result<(), DiskError> {
        self.step(path)?;
        let (folder, name) = parts(path);
        let undo = &mut self.undo;
        self.walker.make(folder, |path| undo.push(Undo::Folder { path }))?;
        let (from, to) = ((self.staging.folder(), slot.name.as_str()), (self.walker.folder(), name));
        match sys::move_to_free(self.staging.renaming, from, to) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(in_the_way(self.walker.folder(), name, path)),
            Err(error) => return Err(DiskError::io("create", path, error)),
        }
        self.undo.push(Undo::Placed { path: path.to_owned(), after: slot.digest });
        self.step(path)
    }

    /// Puts a staged file in the place of one that must hold `before`.
    pub(super) fn replace(&mut self, path: &str, slot: &Slot, before: Digest) -> Result<(), DiskError> {
        self.step(path)?;
        let name = self.enter(path)?;
        let failed = |error| {
            if error == Errno::NOENT { DiskError::changed(path) } else { DiskError::io("replace", path, error) }
        };
        let (kind, old_mode) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        let staged = (self.staging.folder(), slot.name.as_str());
        // A file that was made private stays private.
        sys::set_mode(staged.0, staged.1, with_mode(old_mode, slot.mode)).map_err(failed)?;
        let target = (self.walker.folder(), name);
        let aside = if sys::exchange(self.staging.renaming, staged, target).map_err(failed)? {
            slot.name.clone()
        } else {
            let aside = self.staging.aside();
            let displaced = (staged.0, aside.as_str());
            sys::link(target, displaced).map_err(failed)?;
            check(displaced, before, path, &mut self.buffer)?;
            if !sys::is_same(displaced, target).map_err(failed)? {
                return Err(DiskError::changed(path));
            }
            sys::move_over(staged, target).map_err(failed)?;
            aside
        };
        self.undo.push(Undo::Displaced { path: path.to_owned(), aside: aside.clone() });
        self.undo.push(Undo::Placed { path: path.to_owned(), after: slot.digest });
        self.step(path)?;
        check((self.staging.folder(), &aside), before, path, &mut self.buffer)
    }

    /// Takes away a file that must hold `before`.
    pub(super) fn remove(&mut self, path: &str, before: Digest) -> Result<(), DiskError> {
        self.step(path)?;
        let name = self.enter(path)?;
        let failed =
            |error| if error == Errno::NOENT { DiskError::changed(path) } else { DiskError::io("remove", path, error) };
        let (kind, _) = sys::stat(self.walker.folder(), name).map_err(failed)?;
        if let Some(what) = sys::describe(kind) {
            return Err(DiskError::NotAFile { path: path.to_owned(), what });
        }
        let aside = self.staging.aside();
        let displaced = (self.staging.folder(), aside.as_str());
        sys::move_to_free(self.staging.renaming, (self.walker.folder(), name), displaced).map_err(failed)?;
        self.undo.push(Undo::Displaced { path: path.to_owned(), aside: aside.clone() });
        self.step(path)?;
        check(displaced, before, path, &mut self.buffer)
    }

    /// Changes how a file that must hold `before` is executed.
    pub(super) fn set_mode(&mut self, path: &str, before: Digest, mode: FileMode) -> Result<(), DiskError> {
        self.step(path)?;
        let name = self.enter(path)?;
        check((self.walker.folder(), name), before, path, &mut self.buffer)?;
        let failed = |error| DiskError::io("change the mode of", path, error);
        let file = sys::open_file(self.walker.folder(), name).map_err(|error| failed(error.into()))?;
        let old = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        file.set_permissions(Permissions::from_mode(with_mode(old, mode))).map_err(failed)?;
        self.undo.push(Undo::Mode { path: path.to_owned(), mode: old });
        self.step(path)
    }

    /// Saves a copy of a file that must hold `before`; where the copy lies.
    pub(super) fn keep(&mut self, path: &str, before: Digest) -> Result<String, DiskError> {
        self.step(path)?;
        let name = self.enter(path)?;
        let scratch = (self.staging.folder(), COPY);
        let file = (self.walker.folder(), name);
        let (digest, kept) = keep(&self.staging.root, file, scratch, path, &mut self.buffer)?;
        if digest == before { Ok(kept) } else { Err(DiskError::changed(path)) }
    }

    /// Removes the folders of removed files, upwards, as long as they are empty. Never fails: a folder that stays is
    /// no harm, so this comes after the last step that may.
    pub(super) fn prune<'p>(&mut self, removed: impl Iterator<Item = &'p str>) {
        self.walker.reset();
        for path in removed {
            let mut folder = parts(path).0;
            while !folder.is_empty() {
                let (above, name) = parts(folder);
                let gone = matches!(self.walker.enter(above), Ok(Reached::Folder))
                    && matches!(sys::remove_folder(self.walker.folder(), name), Ok(()) | Err(Errno::NOENT));
                if !gone {
                    break;
                }
                folder = above;
            }
        }
    }

    /// Takes every step back, the last one first. The paths for which that failed, sorted; their files lie in the
    /// transaction folder.
    pub(super) fn roll_back(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        self.walker.reset();
        while let Some(undo) = self.undo.pop() {
            left.extend(self.take_back(undo).err());
        }
        left.sort();
        left.dedup();
        left
    }

    fn take_back(&mut self, undo: Undo) -> Result<(), String> {
        match undo {
            Undo::Folder { path } => {
                let (folder, name) = parts(&path);
                let entered = self.walker.enter(folder);
                match entered.map(|_| sys::remove_folder(self.walker.folder(), name)) {
                    // Somebody put something into it, or took it away: theirs to decide.
                    Ok(Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT)) => Ok(()),
                    _ => Err(path),
                }
            }
            Undo::Placed { path, after } => self.take_file_back(path, after),
            Undo::Displaced { path, aside } => {
                let (folder, name) = parts(&path);
                let from = (self.staging.folder(), aside.as_str());
                let back = self.walker.make(folder, |_| ()).is_ok()
                    && sys::move_to_free(self.staging.renaming, from, (self.walker.folder(), name)).is_ok();
                if back { Ok(()) } else { Err(path) }
            }
            Undo::Mode { path, mode } => {
                let Ok(name) = self.enter(&path) else { return Err(path) };
                let file = sys::open_file(self.walker.folder(), name).map_err(|_| path.clone())?;
                file.set_permissions(Permissions::from_mode(mode)).map_err(|_| path)
            }
        }
    }

    /// Moves a published file out of the tree again, unless somebody has edited it since.
    fn take_file_back(&mut self, path: String, after: Digest) -> Result<(), String> {
        let Ok(name) = self.enter(&path) else { return Err(path) };
        let aside = self.staging.aside();
        let (target, aside) = ((self.walker.folder(), name), (self.staging.folder(), aside.as_str()));
        match sys::move_to_free(self.staging.renaming, target, aside) {
            Ok(()) => {}
            // Gone is as good as taken back.
            Err(Errno::NOENT) => return Ok(()),
            Err(_) => return Err(path),
        }
        if check(aside, after, &path, &mut self.buffer).is_ok() {
            return Ok(());
        }
        // It stays, or lies in the transaction folder; both are said.
        let _ = sys::move_to_free(self.staging.renaming, aside, target);
        Err(path)
    }

    /// Goes to the folder of a path, which must be there; the path's own name.
    fn enter<'p>(&mut self, path: &'p str) -> Result<&'p str, DiskError> {
        let (folder, name) = parts(path);
        match self.walker.enter(folder)? {
            Reached::Folder => Ok(name),
            Reached::Absent | Reached::Blocked(_) => Err(DiskError::changed(path)),
        }
    }

    /// Every step passes here before it begins and after it is noted, so that tests can fail each.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests fail here"))]
    fn step(&mut self, path: &str) -> Result<(), DiskError> {
        #[cfg(test)]
        {
            self.steps += 1;
            if Some(self.steps) == self.staging.fail_at {
                return Err(DiskError::io("pretend to write", path, Errno::NOSPC));
            }
        }
        let _ = path;
        Ok(())
    }
}

/// What stands where a file was to be created.
fn in_the_way(folder: BorrowedFd<'_>, name: &str, path: &str) -> DiskError {
    match sys::stat(folder, name).ok().and_then(|(kind, _)| sys::describe(kind)) {
        Some(what) => DiskError::NotAFile { path: path.to_owned(), what },
        None => DiskError::changed(path),
    }
}

/// Whether a name holds exactly these bytes.
fn check(at: (BorrowedFd<'_>, &str), wanted: Digest, path: &str, buffer: &mut [u8]) -> Result<(), DiskError> {
    match look(at.0, at.1, buffer).map_err(|error| DiskError::io("read", path, error))? {
        OnDisk::File { digest, .. } if digest == wanted => Ok(()),
        OnDisk::Other(what) => Err(DiskError::NotAFile { path: path.to_owned(), what }),
        _ => Err(DiskError::changed(path)),
    }
}

/// Permission bits with the executable ones as wanted: whoever may read may execute, or nobody.
fn with_mode(old: u32, mode: FileMode) -> u32 {
    match mode {
        FileMode::Regular => old & !0o111,
        FileMode::Executable => old | (old & 0o444) >> 2,
    }
}
