//! Barriers: what was written so far is on the disk before anything later is.
//!
//! One `syncfs` does that for a whole transaction. File systems of the network and of user space pass that call on to
//! nobody, so there every file and folder is brought to the disk by itself, which is slow and right.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::error::DiskError;
use super::journal::{Journal, Step};
use super::root::{Durability, Root};
use super::shards::names;
use super::sys;
use super::walk::{Reached, Walker, parts};

/// Stores that a transaction may have added to, besides its own folder.
const STORES: [&str; 2] = [".megax/inputs", ".megax/kept"];
/// What leads to the transaction.
const ABOVE: [&str; 3] = ["", ".megax", ".megax/txn"];

/// Brings everything to the disk that was staged in a transaction folder, and, given its journal, what the steps moved.
///
/// # Errors
/// A call failed: what the disk holds is unknown, and asking again would not tell.
pub(super) fn barrier(
    root: &Root,
    transaction: BorrowedFd<'_>,
    journal: Option<&Journal>,
    durability: Durability,
) -> Result<(), DiskError> {
    if durability == Durability::Process {
        return Ok(());
    }
    let failed = |error| DiskError::io("sync", root.path().display().to_string(), error);
    if sys::is_synced_whole(transaction).map_err(failed)? {
        return sys::sync_all(transaction).map_err(failed);
    }
    sync_below(transaction, ".megax/txn")?;
    let mut walker = Walker::new(root.make()?);
    for store in STORES {
        if walker.enter(store)? == Reached::Folder {
            sync_below(walker.folder(), store)?;
        }
    }
    let mut folders: BTreeSet<&str> = ABOVE.into();
    for step in journal.iter().flat_map(|journal| &journal.steps) {
        sync_file(&mut walker, step)?;
        folders.extend(step.path().match_indices('/').map(|(at, _)| &step.path()[..at]));
        if let Step::Folder { path } = step {
            folders.insert(path);
        }
    }
    for folder in folders {
        // One that was emptied and removed is gone from the one above, which is synced as well.
        if walker.enter(folder)? == Reached::Folder {
            sys::sync_one(walker.folder()).map_err(|error| DiskError::io("sync", folder, error))?;
        }
    }
    Ok(())
}

/// Where a step changed the bits of a file after it was staged, those are brought to the disk.
fn sync_file(walker: &mut Walker<'_>, step: &Step) -> Result<(), DiskError> {
    let (Step::Replace { path, .. } | Step::Mode { path, .. }) = step else { return Ok(()) };
    let (folder, name) = parts(path);
    if walker.enter(folder)? != Reached::Folder {
        return Ok(());
    }
    match sys::open_file(walker.folder(), name) {
        Ok(file) => sys::sync_one(file.as_fd()).map_err(|error| DiskError::io("sync", path, error)),
        // Somebody took it away, or put something else there.
        Err(Errno::NOENT | Errno::LOOP) => Ok(()),
        Err(error) => Err(DiskError::io("sync", path, error)),
    }
}

/// Everything in a folder that megax alone writes to, and the folder.
fn sync_below(folder: BorrowedFd<'_>, shown: &str) -> Result<(), DiskError> {
    for name in names(folder, shown)? {
        let failed = |error| DiskError::io("sync", format!("{shown}/{name}"), error);
        match sys::stat(folder, &name).map_err(failed)?.0 {
            FileType::RegularFile => {
                let file = sys::open_file(folder, &name).map_err(failed)?;
                sys::sync_one(file.as_fd()).map_err(failed)?;
            }
            FileType::Directory => {
                let below = sys::open_folder(folder, &name).map_err(failed)?;
                sync_below(below.as_fd(), &format!("{shown}/{name}"))?;
            }
            _ => {}
        }
    }
    sys::sync_one(folder).map_err(|error| DiskError::io("sync", shown, error))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
mod tests {
    use std::fs;

    use super::super::fault;
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn without_syncfs_every_file_and_folder_is_synced_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        for made in [".megax/txn/1-0/t0/deep", ".megax/inputs", "src/new", "other"] {
            fs::create_dir_all(folder.path().join(made)).unwrap();
        }
        for made in [".megax/txn/1-0/n0", ".megax/txn/1-0/t0/deep/x", ".megax/inputs/i", "src/old", "other/no"] {
            fs::write(folder.path().join(made), "x").unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        let mut walker = Walker::new(root.make().unwrap());
        assert_eq!(walker.enter(".megax/txn/1-0").unwrap(), Reached::Folder);
        let count = |journal: Option<&Journal>, durability| {
            fault::tests::syncing_each(|| barrier(&root, walker.folder(), journal, durability).unwrap())
        };
        // Three files and four folders of megax, and three folders above.
        assert_eq!(count(None, Durability::Full), 10);
        let digest = Digest::of(b"x");
        let text = |text: &str| text.to_owned();
        let steps = vec![
            Step::Remove { path: text("gone/x"), aside: text("o1"), before: digest },
            Step::Folder { path: text("src/new") },
            Step::Create { path: text("src/new/y"), slot: text("n1"), after: digest },
            Step::Replace { path: text("src/old"), slot: text("n2"), aside: text("o2"), before: digest, after: digest },
        ];
        // With them `src/old`, `src` and `src/new`; what is gone is no error.
        assert_eq!(count(Some(&Journal { steps }), Durability::Full), 13);
        assert_eq!(count(None, Durability::Process), 0);
    }
}
