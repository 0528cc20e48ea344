//! Guards: one run at a time per team, and one publishing run at a time per project.
//!
//! A guard is the system's lock on a file, which the kernel releases when its holder dies. The files are never
//! unlinked: two runs would then hold locks on two files of one name.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsFd as _;

use rustix::io::Errno;

use super::error::{DiskError, GuardError};
use super::root::Root;
use super::sys;
use crate::lockfile::is_name;

const FOLDER: &str = ".megax/guard";
/// A leading dot, so that no team has this name.
const PROJECT: &str = ".project.guard";
const TRANSACTIONS: &str = ".txn.guard";
const MAX_HOLDER_BYTES: u64 = 4_096;

/// Holds a team until it is dropped.
#[derive(Debug)]
pub struct TeamGuard(File);

impl TeamGuard {
    /// Takes the guard of a team, or fails at once. `holder` tells others who holds it: process id and command.
    ///
    /// # Errors
    /// Another run holds the team, or the guard's file cannot be had.
    pub fn acquire(root: &Root, team: &str, holder: &str) -> Result<Self, GuardError> {
        let (file, name) = open_team(root, team)?;
        match try_lock(&file) {
            Ok(true) => Ok(Self::note(file, &name, holder)?),
            Ok(false) => Err(GuardError::Held { team: team.to_owned(), holder: read_holder(&file) }),
            Err(error) => Err(DiskError::io("lock", format!("{FOLDER}/{name}"), error).into()),
        }
    }

    /// Takes the guard of a team as soon as no other run holds it. `on_wait` is told who holds it, once, if somebody
    /// does.
    ///
    /// # Errors
    /// The guard's file cannot be had.
    pub fn wait(root: &Root, team: &str, holder: &str, on_wait: &mut dyn FnMut(&str)) -> Result<Self, DiskError> {
        let (file, name) = open_team(root, team)?;
        let failed = |error| DiskError::io("lock", format!("{FOLDER}/{name}"), error);
        if !try_lock(&file).map_err(failed)? {
            on_wait(&read_holder(&file));
            lock(&file).map_err(failed)?;
        }
        Self::note(file, &name, holder)
    }

    fn note(mut file: File, name: &str, holder: &str) -> Result<Self, DiskError> {
        // Whoever waited may have read what the holder before wrote.
        let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        noted.map_err(|error| DiskError::io("write", format!("{FOLDER}/{name}"), error))?;
        Ok(Self(file))
    }
}

impl Drop for TeamGuard {
    fn drop(&mut self) {
        // The name of a holder that is gone would only mislead; the lock itself goes with the handle.
        let _ = self.0.set_len(0);
    }
}

/// Holds the project, for the last look at claims and the publishing, until it is dropped.
#[derive(Debug)]
pub struct ProjectGuard(#[expect(dead_code, reason = "held open for its lock")] File);

impl ProjectGuard {
    /// Waits until no other run holds the project.
    ///
    /// # Errors
    /// The guard's file cannot be had.
    pub fn wait(root: &Root) -> Result<Self, DiskError> {
        wait(root, PROJECT).map(Self)
    }
}

/// Waits for the guard under which transaction folders are made and cleaned up.
pub(super) fn wait_for_transactions(root: &Root) -> Result<File, DiskError> {
    wait(root, TRANSACTIONS)
}

/// Whether the lock was free and is now held.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Waits until the lock is free, and holds it.
pub(super) fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn wait(root: &Root, name: &str) -> Result<File, DiskError> {
    let file = open(root, name)?;
    lock(&file).map_err(|error| DiskError::io("lock", format!("{FOLDER}/{name}"), error))?;
    Ok(file)
}

/// The file of a team's guard, and its name.
fn open_team(root: &Root, team: &str) -> Result<(File, String), DiskError> {
    if !is_name(team) {
        return Err(DiskError::Name { name: team.to_owned() });
    }
    let name = format!("{team}.guard");
    Ok((open(root, &name)?, name))
}

fn open(root: &Root, name: &str) -> Result<File, DiskError> {
    let folder = root.make_below(FOLDER)?;
    let failed = |error: io::Error| DiskError::io("open", format!("{FOLDER}/{name}"), error);
    let file = sys::open_or_create(folder.as_fd(), name).map_err(|error| match error {
        Errno::LOOP => DiskError::NotAFile { path: format!("{FOLDER}/{name}"), what: "a symlink" },
        error => failed(error.into()),
    })?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(DiskError::NotAFile { path: format!("{FOLDER}/{name}"), what: "no ordinary file" });
    }
    Ok(file)
}

/// Who holds a guard, as far as it can be read.
pub(super) fn read_holder(mut file: &File) -> String {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.take(MAX_HOLDER_BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    if read.is_err() || text.is_empty() { "a run that did not name itself".to_owned() } else { text.to_owned() }
}
