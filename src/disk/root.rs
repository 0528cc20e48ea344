//! The output root: one handle, from which everything else is reached.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::error::DiskError;
use super::walk::Walker;

/// An output root, which may not exist yet. Clones share the handle.
#[derive(Debug, Clone)]
pub struct Root(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    folder: OnceLock<OwnedFd>,
    kept: OnceLock<Vec<PathBuf>>,
}

/// What a commit must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A loss of power: everything reaches the disk before and after the commit point.
    #[default]
    Full,
    /// The death of the process; after a loss of power the tree may be a mix.
    Process,
}

impl Root {
    /// Opens the root if it exists; makes nothing. Symlinks *to* the root are followed: where it lies is the user's own
    /// choice.
    ///
    /// # Errors
    /// The path is no folder, or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let root = Self(Arc::new(Inner { path: path.to_owned(), folder: OnceLock::new(), kept: OnceLock::new() }));
        root.existing()?;
        Ok(root)
    }

    /// Says which folders, wherever they are, hold what is read: nothing is written into them, under whatever name. Only
    /// the first word counts.
    pub fn keep(&self, folders: Vec<PathBuf>) {
        let _ = self.0.kept.set(folders);
    }

    pub(super) fn kept(&self) -> &[PathBuf] {
        self.0.kept.get().map_or(&[], Vec::as_slice)
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The handle; `None` while the root does not exist.
    pub(super) fn existing(&self) -> Result<Option<BorrowedFd<'_>>, DiskError> {
        if let Some(folder) = self.0.folder.get() {
            return Ok(Some(folder.as_fd()));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, self.path(), flags, Mode::empty()) {
            Ok(folder) => Ok(Some(self.0.folder.get_or_init(|| folder).as_fd())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(DiskError::io("open", self.shown(), error)),
        }
    }

    /// The handle; the root is made if need be.
    pub(super) fn make(&self) -> Result<BorrowedFd<'_>, DiskError> {
        if let Some(folder) = self.existing()? {
            return Ok(folder);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the root itself may not exist yet; nothing below it is made by path"
        )]
        fs::create_dir_all(self.path()).map_err(|error| DiskError::io("create", self.shown(), error))?;
        self.existing()?.ok_or_else(|| DiskError::io("open", self.shown(), Errno::NOENT))
    }

    /// A folder below the root, made if need be, part by part.
    pub(super) fn make_below(&self, folder: &str) -> Result<OwnedFd, DiskError> {
        let mut walker = Walker::new(self.make()?);
        walker.make(folder, |_| ())?;
        let copy = walker.folder().try_clone_to_owned();
        copy.map_err(|error| DiskError::io("open", folder, error))
    }

    fn shown(&self) -> String {
        self.path().display().to_string()
    }
}
