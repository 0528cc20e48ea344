//! Walking to a folder, part by part, without ever following a symlink.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::barred::Barred;
use super::error::DiskError;
use super::sys;

/// How far a walk came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reached {
    /// The folder is open.
    Folder,
    /// A part does not exist.
    Absent,
    /// A part is no folder; its path.
    Blocked(String),
}

/// A place below a root. Going on to a neighbour opens only the parts that differ, so that paths in sorted order open
/// every folder once; no more handles are held than the path is deep.
pub(super) struct Walker<'r> {
    base: BorrowedFd<'r>,
    /// The open folder, `""` at the root.
    path: String,
    /// The handles of its parts, each with the length of the path up to it.
    open: Vec<(usize, OwnedFd)>,
    /// Folders that are not entered but by megax's own name.
    barred: Barred,
    /// Whether the last walk ended at one of them.
    stopped: bool,
}

impl<'r> Walker<'r> {
    pub(super) fn new(base: BorrowedFd<'r>) -> Self {
        Self::keeping_out(base, Barred::default())
    }

    /// A walker that takes some folders for no folders.
    pub(super) fn keeping_out(base: BorrowedFd<'r>, barred: Barred) -> Self {
        Self { base, path: String::new(), open: Vec::new(), barred, stopped: false }
    }

    /// Whether the walk that was [`Reached::Blocked`] ended at a folder that is to be kept out of.
    pub(super) fn is_kept_out(&self) -> bool {
        self.stopped
    }

    /// The folder where the walker stands.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.base, |(_, folder)| folder.as_fd())
    }

    /// Goes to a folder (`""` for the root), if it exists.
    pub(super) fn enter(&mut self, folder: &str) -> Result<Reached, DiskError> {
        for part in self.back_to(folder) {
            match self.step(part) {
                Ok(()) => {}
                Err(Errno::NOENT) => return Ok(Reached::Absent),
                Err(Errno::NOTDIR | Errno::LOOP) => return Ok(Reached::Blocked(self.below(part))),
                Err(error) => return Err(DiskError::io("open", self.below(part), error)),
            }
        }
        Ok(Reached::Folder)
    }

    /// Goes to a folder and makes what is missing; tells `made` the path of every folder made.
    pub(super) fn make(&mut self, folder: &str, mut made: impl FnMut(String)) -> Result<(), DiskError> {
        for part in self.back_to(folder) {
            let mut stepped = self.step(part);
            if stepped == Err(Errno::NOENT) {
                match sys::make_folder(self.folder(), part) {
                    Ok(()) => made(self.below(part)),
                    // Another run was faster.
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(DiskError::io("create", self.below(part), error)),
                }
                stepped = self.step(part);
            }
            match stepped {
                Ok(()) => {}
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    let what = sys::stat(self.folder(), part).ok().and_then(|(kind, _)| sys::describe(kind));
                    return Err(DiskError::NotAFile { path: self.below(part), what: what.unwrap_or("a file") });
                }
                Err(error) => return Err(DiskError::io("open", self.below(part), error)),
            }
        }
        Ok(())
    }

    /// Forgets every handle: a folder may have been taken away and made again.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        self.path.clear();
    }

    /// Goes back to the last folder shared with `folder`; the parts that remain.
    fn back_to<'p>(&mut self, folder: &'p str) -> impl Iterator<Item = &'p str> + use<'p> {
        self.stopped = false;
        while let Some(&(length, _)) = self.open.last() {
            let shared =
                folder.starts_with(&self.path[..length]) && matches!(folder.as_bytes().get(length), None | Some(b'/'));
            if shared {
                break;
            }
            self.open.pop();
        }
        let length = self.open.last().map_or(0, |&(length, _)| length);
        self.path.truncate(length);
        folder[length..].split('/').filter(|part| !part.is_empty())
    }

    fn step(&mut self, part: &str) -> Result<(), Errno> {
        // Paths come parsed; this is the last line before the system, so it looks again.
        if part == ".." || part == "." {
            return Err(Errno::NOTDIR);
        }
        let next = sys::open_folder(self.folder(), part)?;
        let path = self.below(part);
        let is_own = path == ".megax" || path.starts_with(".megax/");
        if !is_own && self.barred.holds(next.as_fd()) {
            self.stopped = true;
            return Err(Errno::NOTDIR);
        }
        self.path = path;
        self.open.push((self.path.len(), next));
        Ok(())
    }

    fn below(&self, part: &str) -> String {
        if self.path.is_empty() { part.to_owned() } else { format!("{}/{part}", self.path) }
    }
}

/// The folder and the name of a path.
pub(super) fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
