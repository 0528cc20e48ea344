//! The condition of an output root, for `megax doctor`: what its file system is and has left, and what lies in `.megax`.
//!
//! It only looks, with one exception: whether the file system renames in one step is tried in a folder of its own in
//! `.megax/txn`, where that exists. What cannot be told is `None`.

use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::error::DiskError;
use super::guard;
use super::root::Root;
use super::shards::names;
use super::stage::{TRANSACTIONS, each_transaction};
use super::sys;
use super::walk::{Reached, Walker};

const GUARDS: &str = ".megax/guard";
const ENDING: &str = ".guard";

/// What is known of an output root that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The kind of file system, by the name that it is known by.
    pub file_system: Option<&'static str>,
    /// Whether one call brings all of it to the disk; not over a network or in user space.
    pub is_synced_whole: Option<bool>,
    /// Whether `a` and `A` are two names.
    pub case_sensitive: Option<bool>,
    /// Bytes that are left for this user.
    pub free_bytes: Option<u64>,
    /// Files and folders that are left for this user.
    pub free_files: Option<u64>,
    /// What `.megax` is, if it is no folder.
    pub own: Own,
    /// Whether a file is moved to a free name in one step, and whether two names are exchanged in one step.
    pub renames: Option<(bool, bool)>,
    /// Runs that died while they published.
    pub interrupted: usize,
    /// Runs that died before that: the next one clears away what they left.
    pub leftovers: usize,
    /// Runs that are at work.
    pub running: usize,
    /// Teams that are held, and by whom.
    pub held: Vec<(String, String)>,
}

/// What `.megax` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Own {
    /// Nothing wrote here yet.
    #[default]
    Absent,
    /// A folder.
    Folder,
    /// Something else, in words.
    Other(&'static str),
}

/// Looks at an output root; `None` if it does not exist.
///
/// # Errors
/// A folder cannot be opened or read.
pub fn examine(root: &Root) -> Result<Option<Condition>, DiskError> {
    let Some(top) = root.existing()? else { return Ok(None) };
    let room = sys::room(top).ok();
    let mut condition = Condition {
        file_system: sys::file_system(top),
        is_synced_whole: sys::is_synced_whole(top).ok(),
        case_sensitive: case_sensitive(top),
        free_bytes: room.and_then(|room| room.bytes),
        free_files: room.and_then(|room| room.files),
        own: match sys::stat(top, ".megax") {
            Err(_) => Own::Absent,
            Ok((FileType::Directory, _)) => Own::Folder,
            Ok((kind, _)) => Own::Other(sys::describe(kind).unwrap_or("a file")),
        },
        ..Condition::default()
    };
    let mut walker = Walker::new(top);
    if walker.enter(TRANSACTIONS)? == Reached::Folder {
        condition.renames = renames(walker.folder());
        each_transaction(walker.folder(), false, |one| {
            let counter = match (one.held, one.committed) {
                (true, _) => &mut condition.running,
                (false, true) => &mut condition.interrupted,
                (false, false) => &mut condition.leftovers,
            };
            *counter += 1;
            Ok(ControlFlow::Continue(()))
        })?;
    }
    if walker.enter(GUARDS)? == Reached::Folder {
        condition.held = held(walker.folder())?;
    }
    Ok(Some(condition))
}

/// By a name that is there: whether it is there under its other case, too.
fn case_sensitive(folder: BorrowedFd<'_>) -> Option<bool> {
    let names = names(folder, ".").ok()?;
    let name = names.iter().find(|name| name.bytes().any(|byte| byte.is_ascii_alphabetic()))?;
    let turned: String = name
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    match sys::is_same((folder, name), (folder, &turned)) {
        Ok(is_same) => Some(!is_same),
        Err(Errno::NOENT) => Some(true),
        Err(_) => None,
    }
}

/// The guards that somebody holds. Whoever holds one has noted who it is; a note may also be of a run that was killed,
/// and only that is found out by a lock, for a moment.
fn held(folder: BorrowedFd<'_>) -> Result<Vec<(String, String)>, DiskError> {
    let mut held = Vec::new();
    for name in names(folder, GUARDS)? {
        let Some(team) = name.strip_suffix(ENDING).filter(|team| !team.is_empty() && !team.starts_with('.')) else {
            continue;
        };
        if sys::size(folder, &name).unwrap_or_default() == 0 {
            continue;
        }
        // What cannot be opened is no guard of this user.
        let Ok(file) = sys::open_file(folder, &name) else { continue };
        if file.metadata().is_ok_and(|found| found.is_file()) && guard::try_lock(&file).is_ok_and(|free| !free) {
            held.push((team.to_owned(), guard::read_holder(&file)));
        }
    }
    Ok(held)
}

/// Tries both renames, if a folder can be made for it.
fn renames(transactions: BorrowedFd<'_>) -> Option<(bool, bool)> {
    let name = format!("probe-{}", std::process::id());
    sys::make_folder(transactions, &name).ok()?;
    let tried = sys::open_folder(transactions, &name).ok().and_then(|folder| tries(&folder));
    // One that stays is cleared away by the next run that writes.
    let _ = sys::remove_folder(transactions, &name);
    tried
}

fn tries(folder: &OwnedFd) -> Option<(bool, bool)> {
    let at = folder.as_fd();
    let made = ["a", "b"].map(|name| sys::create_file(at, name, 0o600).is_ok());
    let tried = (made == [true, true]).then(|| {
        let no_replace = matches!(sys::try_no_replace((at, "a"), (at, "b")), Err(Errno::EXIST));
        (no_replace, sys::exchange((at, "a"), (at, "b")).is_ok_and(|done| done))
    });
    for name in ["a", "b"] {
        let _ = sys::remove_file(at, name);
    }
    tried
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::TeamGuard;

    fn condition(folder: &std::path::Path) -> Condition {
        examine(&Root::open(folder).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn what_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(examine(&Root::open(&folder.path().join("none")).unwrap()).unwrap(), None);
        let found = condition(folder.path());
        assert_eq!((found.own, found.renames, found.case_sensitive), (Own::Absent, None, None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join(".megax"), "").unwrap();
        assert_eq!(condition(folder.path()).own, Own::Other("a file"));
    }

    #[test]
    fn what_runs_left_is_counted_and_who_holds_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let guard = TeamGuard::acquire(&root, "beta", "process 7").unwrap();
        for (id, file) in [("1-0", "n0"), ("1-1", "journal")] {
            let at = folder.path().join(TRANSACTIONS).join(id);
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join(file), "").unwrap();
        }
        // Of a run that was killed.
        fs::write(folder.path().join(".megax/guard/alpha.guard"), "process 6").unwrap();
        let found = condition(folder.path());
        assert_eq!((found.interrupted, found.leftovers, found.running), (1, 1, 0));
        assert_eq!(found.held, [("beta".to_owned(), "process 7".to_owned())]);
        assert_eq!(fs::read_dir(folder.path().join(TRANSACTIONS)).unwrap().count(), 2, "nothing is left of the trial");
        drop(guard);
        assert_eq!(condition(folder.path()).held, []);
    }

    #[test]
    fn this_machine_renames_in_one_step_or_says_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(TRANSACTIONS)).unwrap();
        fs::write(folder.path().join("Name"), "").unwrap();
        let found = condition(folder.path());
        assert!(found.renames.is_some());
        assert_eq!(found.case_sensitive, Some(!folder.path().join("nAME").exists()));
    }
}
