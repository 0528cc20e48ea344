//! Staging: bodies wait under `.megax/txn/<id>/`, on the file system of the tree, where no tool sees them.
//!
//! The folder is flat: `guard` (locked while its process lives), `publishing` (made when a commit begins), `n<number>`
//! (staged), `o<number>` (displaced), `copy` (on its way to `.megax/kept`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::error::DiskError;
use super::guard;
use super::kept::keep;
use super::look::buffer;
use super::root::Root;
use super::shards::names;
use super::sys::{self, Renaming};
use crate::digest::Digest;
use crate::path::{FileMode, OutputPath};

const TRANSACTIONS: &str = ".megax/txn";
const GUARD: &str = "guard";
const PUBLISHING: &str = "publishing";
pub(super) const COPY: &str = "copy";
/// Only the lockfile is committed.
const IGNORE: &str = "# written by megax: only the lockfile is committed\n/*\n!/.gitignore\n!/lock/\n";

/// Tells the transactions of one process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A transaction folder that bodies are put into. Dropping it removes the folder.
#[derive(Debug)]
pub struct Staging {
    pub(super) root: Root,
    pub(super) renaming: Renaming,
    #[cfg(test)]
    pub(super) fail_at: Option<usize>,
    id: String,
    folder: OwnedFd,
    _guard: File,
    next: AtomicU64,
    slots: Mutex<BTreeMap<OutputPath, Slot>>,
    /// Set while files are displaced: then the folder must outlive even a panic.
    publishing: bool,
}

/// A staged body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) mode: FileMode,
}

impl Staging {
    /// Makes `.megax/` and a new transaction folder, and clears away what dead processes left. What such a process may
    /// have displaced is first saved to `.megax/kept`.
    ///
    /// # Errors
    /// A folder or file cannot be made, or `.megax` is no folder.
    pub fn begin(root: &Root) -> Result<Self, DiskError> {
        let transactions = root.make_below(TRANSACTIONS)?;
        // Without this a folder whose guard is not yet locked would look like a dead process's.
        let making = guard::wait_for_transactions(root)?;
        clear_leftovers(root, transactions.as_fd())?;
        let (id, folder) = new_folder(transactions.as_fd())?;
        let failed = |verb, error| DiskError::io(verb, format!("{TRANSACTIONS}/{id}/{GUARD}"), error);
        let own = sys::create_file(folder.as_fd(), GUARD, 0o666).map_err(|error| failed("create", error.into()))?;
        guard::try_lock(&own).map_err(|error| failed("lock", error))?;
        drop(making);
        let staging = Self {
            root: root.clone(),
            renaming: Renaming::Full,
            #[cfg(test)]
            fail_at: None,
            id,
            folder,
            _guard: own,
            next: AtomicU64::new(0),
            slots: Mutex::default(),
            publishing: false,
        };
        staging.write_ignore_file()?;
        Ok(staging)
    }

    /// Stages the body of a file. May be called from many threads; holds no file open.
    ///
    /// # Errors
    /// The file cannot be written (no space, say), or the path was staged before.
    pub fn put(&self, path: &OutputPath, mode: FileMode, body: &[u8]) -> Result<(), DiskError> {
        let slot = self.write(path.as_str(), mode, body)?;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.insert(path.clone(), slot) {
            None => Ok(()),
            Some(_) => Err(DiskError::io("stage", path.as_str(), Errno::EXIST)),
        }
    }

    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Where the folder lies, relative to the output root.
    pub(super) fn shown(&self) -> String {
        format!("{TRANSACTIONS}/{}", self.id)
    }

    pub(super) fn slot(&self, path: &OutputPath) -> Option<Slot> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// A free name for a displaced file.
    pub(super) fn aside(&self) -> String {
        format!("o{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes a body into a new slot.
    pub(super) fn write(&self, shown: &str, mode: FileMode, body: &[u8]) -> Result<Slot, DiskError> {
        let name = format!("n{}", self.next.fetch_add(1, Ordering::Relaxed));
        // The umask has the last word.
        let bits = if mode == FileMode::Executable { 0o777 } else { 0o666 };
        let written =
            sys::create_file(self.folder(), &name, bits).map_err(Into::into).and_then(|mut file| file.write_all(body));
        written.map_err(|error| DiskError::io("stage", shown, error))?;
        Ok(Slot { name, digest: Digest::of(body), mode })
    }

    /// Notes, for a later run as well, that this folder may hold displaced files from now on.
    pub(super) fn start_publishing(&mut self) -> Result<(), DiskError> {
        sys::create_file(self.folder(), PUBLISHING, 0o666)
            .map_err(|error| DiskError::io("create", format!("{}/{PUBLISHING}", self.shown()), error))?;
        self.publishing = true;
        Ok(())
    }

    /// The folder holds nothing any more that somebody may miss.
    pub(super) fn finish_publishing(&mut self) {
        self.publishing = false;
    }

    /// Never over one that is there: the user may have changed it.
    fn write_ignore_file(&self) -> Result<(), DiskError> {
        let above = self.root.make_below(".megax")?;
        let failed = |error: Errno| DiskError::io("create", ".megax/.gitignore", error);
        match sys::stat(above.as_fd(), ".gitignore") {
            Err(Errno::NOENT) => {}
            done => return done.map(drop).map_err(failed),
        }
        let slot = self.write(".megax/.gitignore", FileMode::Regular, IGNORE.as_bytes())?;
        match sys::move_to_free(self.renaming, (self.folder(), &slot.name), (above.as_fd(), ".gitignore")) {
            Err(Errno::EXIST) => Ok(()),
            done => done.map_err(failed),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Displaced files that could not be put back stay; the next run saves them.
        if !self.publishing
            && let Ok(transactions) = self.root.make_below(TRANSACTIONS)
        {
            // A folder that stays is cleared away by the next run.
            let _ = remove_flat(transactions.as_fd(), &self.id, self.folder.as_fd());
        }
    }
}

/// Makes a folder of a new name: process ids come again, so a taken name is no surprise.
fn new_folder(transactions: BorrowedFd<'_>) -> Result<(String, OwnedFd), DiskError> {
    loop {
        let id = format!("{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let failed = |verb, error| DiskError::io(verb, format!("{TRANSACTIONS}/{id}"), error);
        match sys::make_folder(transactions, &id) {
            Ok(()) => {
                let folder = sys::open_folder(transactions, &id).map_err(|error| failed("open", error))?;
                return Ok((id, folder));
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(failed("create", error)),
        }
    }
}

/// Clears away the folders whose guard nobody holds. A folder that holds what megax does not put there is left alone.
fn clear_leftovers(root: &Root, transactions: BorrowedFd<'_>) -> Result<(), DiskError> {
    for id in names(transactions, TRANSACTIONS)? {
        let Ok(folder) = sys::open_folder(transactions, &id) else { continue };
        let dead = match sys::open_or_none(folder.as_fd(), GUARD) {
            Ok(Some(file)) => guard::try_lock(&file).unwrap_or(false).then_some(Some(file)),
            Ok(None) => Some(None),
            Err(_) => None,
        };
        let Some(_held) = dead else { continue };
        let shown = format!("{TRANSACTIONS}/{id}");
        // What cannot be saved is neither removed, nor may it stop this run.
        let displaced = sys::stat(folder.as_fd(), PUBLISHING).is_ok();
        if displaced && save_displaced(root, folder.as_fd(), &shown).is_err() {
            continue;
        }
        let _ = remove_flat(transactions, &id, folder.as_fd());
    }
    Ok(())
}

fn save_displaced(root: &Root, folder: BorrowedFd<'_>, shown: &str) -> Result<(), DiskError> {
    // A copy that was cut off; its original is still here.
    let _ = sys::remove_file(folder, COPY);
    let mut buffer = buffer();
    for name in names(folder, shown)? {
        let is_file = sys::stat(folder, &name).is_ok_and(|(kind, _)| kind == FileType::RegularFile);
        if is_file && name.starts_with(['n', 'o']) {
            keep(root, (folder, &name), (folder, COPY), &format!("{shown}/{name}"), &mut buffer)?;
        }
    }
    Ok(())
}

/// Removes a flat folder of files; the guard last but the folder itself, so that a half-removed one is still guarded.
/// Never goes deeper: what is no file was put there by somebody else.
fn remove_flat(transactions: BorrowedFd<'_>, id: &str, folder: BorrowedFd<'_>) -> Result<(), Errno> {
    let names = names(folder, id).map_err(|_| Errno::IO)?;
    for name in &names {
        if sys::stat(folder, name)?.0 != FileType::RegularFile {
            return Err(Errno::NOTEMPTY);
        }
    }
    let (last, bodies): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| [GUARD, PUBLISHING].contains(&name.as_str()));
    for name in bodies.into_iter().chain(last.into_iter().rev()) {
        sys::remove_file(folder, name)?;
    }
    sys::remove_folder(transactions, id)
}
