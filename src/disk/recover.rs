//! Recovery: what a killed process committed is finished, or, where somebody changed what it needs, taken back. Runs
//! before anything else, in every run that writes.

use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};

use super::barrier::barrier;
use super::error::DiskError;
use super::guard::{ProjectGuard, wait_for_transactions};
use super::journal::{Journal, MAX_BYTES};
use super::log;
use super::root::{Durability, Root};
use super::stage::{Found, JOURNAL, TRANSACTIONS, each_transaction, is_from_here, remove_journal, remove_transaction};
use super::steps::Steps;
use super::walk::{Reached, Walker};

/// What became of an interrupted commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// How many files it concerned.
    pub files: usize,
    /// Whether it was finished; else the tree is as before it.
    pub finished: bool,
    /// Why what was finished is not in the operation log.
    pub unlogged: Option<String>,
    /// Files that somebody edited meanwhile, and where the content that megax replaced lies.
    pub kept: Vec<(String, String)>,
}

/// Whether a process died while it published. Looks only.
///
/// # Errors
/// A folder cannot be read.
pub fn is_interrupted(root: &Root) -> Result<bool, DiskError> {
    any(root, |one| one.committed && !one.held)
}

/// Whether a commit is under way though nobody else can publish: its process died since this run began. Whatever was
/// learned of the tree meanwhile is worth nothing.
///
/// # Errors
/// A folder cannot be read.
pub fn is_unfinished(root: &Root, _project: &ProjectGuard) -> Result<bool, DiskError> {
    any(root, |one| one.committed)
}

fn any(root: &Root, wanted: impl Fn(&Found) -> bool) -> Result<bool, DiskError> {
    let Some(top) = root.existing()? else { return Ok(false) };
    let mut walker = Walker::new(top);
    if walker.enter(TRANSACTIONS)? != Reached::Folder {
        return Ok(false);
    }
    let mut found = false;
    each_transaction(walker.folder(), false, |one| {
        found = wanted(&one);
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

/// Finishes or takes back what dead processes committed, oldest name first, and clears away what they only staged. Waits
/// until nobody publishes, if somebody seems to: whether they live is told only then. Without such, nothing is made and
/// nothing is waited for.
///
/// # Errors
/// A call failed: the journal stays, and the next run tries again. A journal that cannot be read is an error as well,
/// and is left for a person to look at.
pub fn recover(root: &Root, durability: Durability) -> Result<Vec<Recovered>, DiskError> {
    // A guard beside a journal may be held by somebody who only looks.
    if !any(root, |one| one.committed || !one.held)? {
        return Ok(Vec::new());
    }
    // Nobody else publishes, and nobody makes or clears a transaction folder.
    let _project = ProjectGuard::wait(root)?;
    let _making = wait_for_transactions(root)?;
    let transactions = root.make_below(TRANSACTIONS)?;
    let mut done = Vec::new();
    each_transaction(transactions.as_fd(), true, |one| {
        if !one.held {
            done.extend(clear(root, transactions.as_fd(), &one, durability)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(done)
}

/// Recovers what one dead process committed, or removes what it only staged.
fn clear(
    root: &Root,
    transactions: BorrowedFd<'_>,
    one: &Found,
    durability: Durability,
) -> Result<Option<Recovered>, DiskError> {
    let mut done = None;
    if one.committed {
        let shown = format!("{TRANSACTIONS}/{}/{JOURNAL}", one.id);
        // Before a byte of it is read: whoever made it chose how many there are.
        if !is_from_here(one.folder.as_fd()).map_err(|error| DiskError::io("read", &shown, error))? {
            return Err(DiskError::Foreign { path: shown });
        }
        let journal = read(one.folder.as_fd(), &shown)?;
        let mut recovered = recover_one(root, one.folder.as_fd(), &journal, durability)?;
        if recovered.finished {
            match log::retire(root, &one.id, one.folder.as_fd(), &journal) {
                Ok(_) => return Ok(Some(recovered)),
                Err(error) => recovered.unlogged = Some(error.to_string()),
            }
        }
        done = Some(recovered);
        // Without its journal the folder holds nothing that somebody may miss.
        remove_journal(one.folder.as_fd(), durability).map_err(|error| DiskError::io("remove", shown, error))?;
    }
    let _ = remove_transaction(transactions, &one.id, one.folder.as_fd());
    Ok(done)
}

fn recover_one(
    root: &Root,
    folder: BorrowedFd<'_>,
    journal: &Journal,
    durability: Durability,
) -> Result<Recovered, DiskError> {
    let files = journal.steps.iter().filter(|step| !step.path().starts_with(".megax/")).count();
    let resumed = Steps::new(root, folder)?.resume(journal);
    // What cannot go on goes back: somebody changed what it needs, or a call fails.
    let finished = resumed.is_ok();
    let kept = if finished { Vec::new() } else { Steps::new(root, folder)?.take_back(journal)? };
    barrier(root, folder, Some(journal), durability)?;
    Ok(Recovered { files, finished, unlogged: None, kept })
}

/// The journal of a transaction folder that has one.
fn read(folder: BorrowedFd<'_>, shown: &str) -> Result<Journal, DiskError> {
    let text = log::read_text(folder, JOURNAL, MAX_BYTES).map_err(|error| DiskError::io("read", shown, error))?;
    Journal::parse(&text).map_err(|error| DiskError::Damaged { path: shown.to_owned(), reason: error.to_string() })
}
