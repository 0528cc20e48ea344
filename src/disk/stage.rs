//! Staging: bodies wait under `.megax/txn/<id>/`, on the file system of the tree, where no tool sees them.
//!
//! In the folder: `guard` (locked while its process lives), `journal` (what is published; its appearance is the commit
//! point), `entry` (what the operation log will say of it), `n<number>` (staged), `t<number>` (a staged folder),
//! `o<number>` (displaced), `copy` (on its way to `.megax/kept`), `input` (on its way to `.megax/inputs`). A folder without
//! a journal has touched nothing outside itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::barrier::barrier;
use super::error::DiskError;
use super::fault;
use super::guard;
use super::journal::{Journal, tree_name};
use super::log::{self, Logged};
use super::root::{Durability, Root};
use super::shards::names;
use super::sys;
use super::trees::{Tree, Trees, remove_staged};
use crate::digest::Digest;
use crate::path::{FileMode, OutputPath};

pub(super) const TRANSACTIONS: &str = ".megax/txn";
pub(super) const GUARD: &str = "guard";
pub(super) const JOURNAL: &str = "journal";
/// The journal while it is written.
const UNFINISHED: &str = "journal.new";
pub(super) const COPY: &str = "copy";
/// Only the lockfile is committed.
const IGNORE: &str = "# written by megax: only the lockfile is committed\n/*\n!/.gitignore\n!/lock/\n";

/// Tells the transactions of one process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A transaction folder that bodies are put into. Dropping it removes the folder.
#[derive(Debug)]
pub struct Staging {
    pub(super) root: Root,
    id: String,
    folder: OwnedFd,
    _guard: File,
    next: AtomicU64,
    trees: Trees,
    slots: Mutex<BTreeMap<OutputPath, Slot>>,
    /// Set while there is a journal: then the folder must outlive even a panic. In the log it does for good.
    committed: bool,
}

/// A staged body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// In the transaction folder; below a staged folder, for a file in a new one.
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) mode: FileMode,
}

impl Staging {
    /// Makes `.megax/` and a new transaction folder, and clears away what dead processes staged but never committed.
    /// What such a process committed is for [`super::recover()`].
    ///
    /// # Errors
    /// A folder or file cannot be made, or `.megax` is no folder.
    pub fn begin(root: &Root) -> Result<Self, DiskError> {
        let transactions = root.make_below(TRANSACTIONS)?;
        // Without this a folder whose guard is not yet locked would look like a dead process's.
        let making = guard::wait_for_transactions(root)?;
        clear_leftovers(transactions.as_fd())?;
        let (id, folder) = new_folder(transactions.as_fd())?;
        let failed = |verb, error| DiskError::io(verb, format!("{TRANSACTIONS}/{id}/{GUARD}"), error);
        let mut own = sys::create_file(folder.as_fd(), GUARD, 0o666).map_err(|error| failed("create", error.into()))?;
        let number = sys::number(folder.as_fd()).map_err(|error| failed("create", error.into()))?;
        own.write_all(number.to_string().as_bytes()).map_err(|error| failed("write", error))?;
        // Whoever looks for dead folders in this moment holds it, but not for long.
        guard::lock(&own).map_err(|error| failed("lock", error))?;
        drop(making);
        let staging = Self {
            root: root.clone(),
            id,
            folder,
            _guard: own,
            next: AtomicU64::new(0),
            trees: Trees::default(),
            slots: Mutex::default(),
            committed: false,
        };
        staging.write_ignore_file()?;
        Ok(staging)
    }

    /// Stages the body of a file. May be called from many threads; holds no file open, and few folders.
    ///
    /// # Errors
    /// The file cannot be written (no space, say), or the path was staged before.
    pub fn put(&self, path: &OutputPath, mode: FileMode, body: &[u8]) -> Result<(), DiskError> {
        let number = || self.next.fetch_add(1, Ordering::Relaxed);
        let slot = match self.trees.place(&self.root, path, number) {
            Some(name) => {
                let shown = path.as_str();
                self.trees.within(self.folder(), &name, |at, own| write(at, own, shown, mode, body))?;
                Slot { name, digest: Digest::of(body), mode }
            }
            None => self.write(path.as_str(), mode, body)?,
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.insert(path.clone(), slot) {
            None => Ok(()),
            Some(_) => Err(DiskError::io("stage", path.as_str(), Errno::EXIST)),
        }
    }

    /// Stages a body in place of one that was staged for the same path before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_over(&self, path: &OutputPath, mode: FileMode, body: &[u8]) -> Result<(), DiskError> {
        let slot = self.write(path.as_str(), mode, body)?;
        // The other one is cleared away with what no step needs.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), slot);
        Ok(())
    }

    /// Whether a body with this digest and mode is staged for a path.
    #[must_use]
    pub fn holds(&self, path: &OutputPath, mode: FileMode, digest: Digest) -> bool {
        self.slot(path).is_some_and(|slot| (slot.digest, slot.mode) == (digest, mode))
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

    /// The staged folders, each with the path where it belongs.
    pub(super) fn trees(&self) -> BTreeMap<String, Tree> {
        self.trees.close()
    }

    /// Takes a body out of its staged folder: it replaces a file, which came after it was staged.
    pub(super) fn single(&self, slot: Slot) -> Result<Slot, DiskError> {
        if !slot.name.contains('/') {
            return Ok(slot);
        }
        let name = self.slot_name();
        self.trees.within(self.folder(), &slot.name, |at, own| {
            sys::move_over((at, own), (self.folder(), &name)).map_err(|error| DiskError::io("stage", &slot.name, error))
        })?;
        Ok(Slot { name, ..slot })
    }

    /// A free name for a displaced file.
    pub(super) fn aside(&self) -> String {
        format!("o{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A free name for a staged file.
    pub(super) fn slot_name(&self) -> String {
        format!("n{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes a body into a new slot.
    pub(super) fn write(&self, shown: &str, mode: FileMode, body: &[u8]) -> Result<Slot, DiskError> {
        let name = self.slot_name();
        write(self.folder(), &name, shown, mode, body)?;
        Ok(Slot { name, digest: Digest::of(body), mode })
    }

    /// Brings everything that was staged to the disk, and then the journal: once this returns, the commit will happen,
    /// whatever becomes of this process.
    pub(super) fn commit(&mut self, journal: &Journal, durability: Durability) -> Result<(), DiskError> {
        barrier(&self.root, self.folder(), None, durability)?;
        let shown = format!("{}/{JOURNAL}", self.shown());
        let failed = |error: io::Error| DiskError::io("write", shown.as_str(), error);
        let mut file = sys::create_file(self.folder(), UNFINISHED, 0o666).map_err(|error| failed(error.into()))?;
        file.write_all(journal.to_text().as_bytes()).map_err(failed)?;
        if durability == Durability::Full {
            file.sync_data().map_err(failed)?;
        }
        drop(file);
        fault::point(&shown)?;
        sys::move_over((self.folder(), UNFINISHED), (self.folder(), JOURNAL)).map_err(|error| failed(error.into()))?;
        // From here on nobody else may clear the folder away, not even this run.
        self.committed = true;
        fault::point(&shown)?;
        if durability == Durability::Full {
            sys::sync_one(self.folder()).map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }

    /// Whether there is a journal, so that another run may go on with it.
    pub(super) fn is_committed(&self) -> bool {
        self.committed
    }

    /// The commit is done: its folder becomes an operation of the log, whose number is the answer. Where that cannot be,
    /// nothing is lost but the way back, and the answer says why.
    pub(super) fn retire(&mut self, journal: &Journal, durability: Durability) -> Logged {
        let logged = log::retire(&self.root, &self.id, self.folder(), journal).map_err(|error| error.to_string());
        if logged.is_err() {
            self.discard(durability);
        }
        logged
    }

    /// The commit is over: without its journal the folder holds nothing that somebody may miss.
    pub(super) fn discard(&mut self, durability: Durability) {
        // A journal that stays is judged by the next run; one that only comes back with a loss of power must not be.
        self.committed = remove_journal(self.folder(), durability).is_err();
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
        match sys::move_to_free((self.folder(), &slot.name), (above.as_fd(), ".gitignore")) {
            Err(Errno::EXIST) => Ok(()),
            done => done.map_err(failed),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        #[cfg(test)]
        if fault::is_dead() {
            return;
        }
        // What is committed and not over is for the next run to recover.
        if !self.committed
            && let Ok(transactions) = self.root.make_below(TRANSACTIONS)
        {
            // A folder that stays is cleared away by the next run.
            let _ = remove_transaction(transactions.as_fd(), &self.id, self.folder.as_fd());
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

/// A transaction folder that was found; where its process is dead, its guard is held while this lives.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) folder: OwnedFd,
    /// Whether there is a journal.
    pub(super) committed: bool,
    /// Whether a process holds it: the one that made it, or, for a moment, one that looks.
    pub(super) held: bool,
    _guard: Option<File>,
}

/// Whether a transaction folder was made here. One that came with a repository, or in a copy of the tree, has another
/// number: its journal would move files that nobody here asked to be moved.
pub(super) fn is_from_here(folder: BorrowedFd<'_>) -> io::Result<bool> {
    let Some(file) = sys::open_or_none(folder, GUARD)? else { return Ok(false) };
    let mut noted = Vec::new();
    file.take(32).read_to_end(&mut noted)?;
    Ok(noted == sys::number(folder)?.to_string().as_bytes())
}

/// Goes through the folders in the order of their names, holding one at a time, until `visit` says that it has seen
/// enough. A folder that cannot be judged is an error: to take it for a living one would be to go on beside a commit that
/// is half done.
///
/// `alone`: the caller holds the project, so that no living process has a journal. Then a guard beside one is held only by
/// somebody who looks, and is waited for.
pub(super) fn each_transaction(
    transactions: BorrowedFd<'_>,
    alone: bool,
    mut visit: impl FnMut(Found) -> Result<ControlFlow<()>, DiskError>,
) -> Result<(), DiskError> {
    for id in names(transactions, TRANSACTIONS)? {
        let failed = |verb, error: io::Error| DiskError::io(verb, format!("{TRANSACTIONS}/{id}"), error);
        let folder = match sys::open_folder(transactions, &id) {
            Ok(folder) => folder,
            // Gone by now, or nothing of megax.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(error) => return Err(failed("open", error.into())),
        };
        let committed = || match sys::stat(folder.as_fd(), JOURNAL) {
            Err(Errno::NOENT) => Ok(false),
            done => done.map(|_| true).map_err(|error| failed("read", error.into())),
        };
        let guard = match sys::open_to_lock(folder.as_fd(), GUARD) {
            Err(Errno::LOOP) => continue,
            done => done.map_err(|error| failed("open", error.into()))?,
        };
        let mut held = false;
        if let Some(file) = &guard
            && !guard::try_lock(file).map_err(|error| failed("lock", error))?
        {
            held = !alone || !committed()?;
            if !held {
                guard::lock(file).map_err(|error| failed("lock", error))?;
            }
        }
        let committed = committed()?;
        if visit(Found { id, folder, committed, held, _guard: guard })?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Clears away what dead processes staged and never committed. A folder that holds what megax does not put there is
/// left alone.
fn clear_leftovers(transactions: BorrowedFd<'_>) -> Result<(), DiskError> {
    each_transaction(transactions, false, |one| {
        if !one.held && !one.committed {
            let _ = remove_transaction(transactions, &one.id, one.folder.as_fd());
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Writes a new file in the transaction folder or below.
fn write(at: BorrowedFd<'_>, name: &str, shown: &str, mode: FileMode, body: &[u8]) -> Result<(), DiskError> {
    // The umask has the last word.
    let bits = if mode == FileMode::Executable { 0o777 } else { 0o666 };
    let written = sys::create_file(at, name, bits).map_err(Into::into).and_then(|mut file| file.write_all(body));
    written.map_err(|error| DiskError::io("stage", shown, error))
}

/// Removes the journal of a commit that is over, from the disk as well: if it came back, the next run would go on with it.
pub(super) fn remove_journal(folder: BorrowedFd<'_>, durability: Durability) -> Result<(), Errno> {
    sys::remove_file(folder, JOURNAL)?;
    if durability == Durability::Full { sys::sync_one(folder) } else { Ok(()) }
}

/// Removes a transaction folder; the guard last but the folder itself, so that a half-removed one is still guarded. Goes
/// deeper only in staged folders: what else is no file was put there by somebody else.
pub(super) fn remove_transaction(transactions: BorrowedFd<'_>, id: &str, folder: BorrowedFd<'_>) -> Result<(), Errno> {
    let names = names(folder, id).map_err(|_| Errno::IO)?;
    for name in &names {
        match sys::stat(folder, name)?.0 {
            FileType::RegularFile => {}
            FileType::Directory if tree_name(name.clone()).is_some() => {}
            _ => return Err(Errno::NOTEMPTY),
        }
    }
    let (last, bodies): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| name.as_str() == GUARD);
    for name in bodies.into_iter().chain(last) {
        remove_staged(folder, name)?;
    }
    sys::remove_folder(transactions, id)
}
