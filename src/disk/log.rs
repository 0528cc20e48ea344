//! The operation log: `.megax/log/<number>/` for every finished commit, made by one rename of its transaction folder.
//!
//! An operation's folder holds `entry` (what it was), `journal` (its steps, as they were carried out) and the contents
//! that it displaced, under the names that the journal gives them. A process that dies before the rename leaves an
//! unfinished transaction, which recovery finds all done and retires; one that dies after it leaves a whole operation.
//!
//! An operation is never changed. The oldest ones are removed, always a whole run of them from the beginning, so that
//! all operations after any that is left are there.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::checkpoint::needed_checkpoints;
use super::entry::{Entry, MAX_BYTES, OperationKind};
use super::error::DiskError;
use super::fault;
use super::footing::Footing;
use super::guard::ProjectGuard;
use super::inputs::prune_inputs;
use super::journal::{self, Journal, Step};
use super::root::Root;
use super::shards::names;
use super::stage::{GUARD, JOURNAL, TRANSACTIONS};
use super::sys;
use super::trees::remove_staged;
use super::walk::{Reached, Walker};
use crate::digest::Digest;

pub(super) const LOG: &str = ".megax/log";
pub(super) const ENTRY: &str = "entry";
/// What is being removed has this before its number: no operation any more.
const LEAVING: &str = "gone-";
/// How many operations a run leaves in the log, besides those that a checkpoint needs.
pub const KEPT_OPERATIONS: usize = 50;
/// Digits of a number as a name: enough to sort by name for longer than anybody lives.
const DIGITS: usize = 10;

/// Greatest number; what is over it was not made here, and nothing goes on after it.
const MAX_NUMBER: u64 = 9_999_999_999;

/// The number that a commit has in the log, or why it is not there.
pub(super) type Logged = Result<u64, String>;

/// A finished commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number; a later operation has a greater one.
    pub number: u64,
    /// What it was.
    pub kind: OperationKind,
    /// The operations that it undid, ascending.
    pub undoes: Vec<u64>,
    /// The teams whose files it concerned.
    pub teams: Vec<String>,
    /// What it stood on and led to.
    pub footing: Footing,
    /// The listing of the texts that an apply was made from, where they are stored: the name of a file of
    /// `.megax/inputs`.
    pub listing: Option<Digest>,
    /// Files made, without the lockfile; the same for the others.
    pub created: usize,
    /// Files changed.
    pub updated: usize,
    /// Files deleted.
    pub deleted: usize,
    /// The operation that undid it, if that one was not undone itself.
    pub undone_by: Option<u64>,
}

/// The operations that are left, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Those that can be read.
    pub operations: Vec<Operation>,
    /// The numbers of those that cannot, newest first.
    pub unreadable: Vec<u64>,
}

impl Log {
    /// The operation of a number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.number == number)
    }

    /// The number of the last operation; 0 before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        let newest = self.operations.first().map(|operation| operation.number);
        newest.into_iter().chain(self.unreadable.first().copied()).max().unwrap_or(0)
    }

    /// The number of the first operation that is left; 1 if there is none.
    #[must_use]
    pub fn first(&self) -> u64 {
        let oldest = self.operations.last().map(|operation| operation.number);
        oldest.into_iter().chain(self.unreadable.last().copied()).min().unwrap_or(1)
    }
}

/// Reads the log. Without one it is empty, and nothing is made.
///
/// # Errors
/// The folder cannot be read, or is a symlink.
pub fn read_log(root: &Root) -> Result<Log, DiskError> {
    let mut log = Log::default();
    let Some(folder) = open(root)? else { return Ok(log) };
    for number in numbers(folder.as_fd())?.into_iter().rev() {
        match read_entry(folder.as_fd(), number) {
            Some(entry) => {
                let Entry { kind, undoes, teams, footing, listing, created, updated, deleted } = entry;
                log.operations.push(Operation {
                    number,
                    kind,
                    undoes,
                    teams,
                    footing,
                    listing,
                    created,
                    updated,
                    deleted,
                    undone_by: None,
                });
            }
            None => log.unreadable.push(number),
        }
    }
    mark_undone(&mut log.operations);
    Ok(log)
}

/// Says of every operation which later one undid it. One that was itself undone counts no more, so the newest come
/// first.
fn mark_undone(operations: &mut [Operation]) {
    let mut undone: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
    for operation in operations {
        operation.undone_by = undone.get(&operation.number).copied();
        if operation.undone_by.is_none() {
            for number in &operation.undoes {
                undone.entry(*number).or_insert(operation.number);
            }
        }
    }
}

/// The log's folder, if there is one.
pub(super) fn open(root: &Root) -> Result<Option<OwnedFd>, DiskError> {
    let Some(top) = root.existing()? else { return Ok(None) };
    let mut walker = Walker::new(top);
    match walker.enter(LOG)? {
        Reached::Absent => Ok(None),
        Reached::Blocked(path) => Err(DiskError::NotAFile { path, what: "no folder" }),
        Reached::Folder => {
            walker.folder().try_clone_to_owned().map(Some).map_err(|error| DiskError::io("open", LOG, error))
        }
    }
}

/// The numbers of the operations that are left, ascending.
fn numbers(log: BorrowedFd<'_>) -> Result<Vec<u64>, DiskError> {
    let number = |name: String| {
        name.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number) && folder_name(*number) == name)
    };
    let mut numbers: Vec<u64> = names(log, LOG)?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn folder_name(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

/// Where an operation lies, for messages.
pub(super) fn shown(number: u64) -> String {
    format!("{LOG}/{}", folder_name(number))
}

fn read_entry(log: BorrowedFd<'_>, number: u64) -> Option<Entry> {
    let folder = sys::open_folder(log, &folder_name(number)).ok()?;
    let entry = Entry::parse(&read_text(folder.as_fd(), ENTRY, MAX_BYTES).ok()?)?;
    // An operation undoes earlier ones.
    entry.undoes.iter().all(|undone| *undone < number).then_some(entry)
}

pub(super) fn read_text(folder: BorrowedFd<'_>, name: &str, limit: u64) -> std::io::Result<String> {
    if sys::describe(sys::stat(folder, name)?.0).is_some() {
        return Err(std::io::Error::other("no ordinary file"));
    }
    let mut text = String::new();
    sys::open_file(folder, name)?.take(limit).read_to_string(&mut text)?;
    Ok(text)
}

/// The folder of an operation and its steps.
pub(super) fn read_steps(log: BorrowedFd<'_>, number: u64) -> Result<(OwnedFd, Journal), DiskError> {
    let failed = |error: std::io::Error| DiskError::io("read", format!("{}/{JOURNAL}", shown(number)), error);
    let folder = sys::open_folder(log, &folder_name(number)).map_err(|error| failed(error.into()))?;
    let text = read_text(folder.as_fd(), JOURNAL, journal::MAX_BYTES).map_err(failed)?;
    let journal = Journal::parse(&text).map_err(|error| failed(std::io::Error::other(error)))?;
    Ok((folder, journal))
}

/// Writes the entry of a commit into its transaction folder, before the commit point.
pub(super) fn write_entry(folder: BorrowedFd<'_>, entry: &Entry) -> Result<(), DiskError> {
    let failed = |error: std::io::Error| DiskError::io("write", ENTRY, error);
    let mut file = sys::create_file(folder, ENTRY, 0o666).map_err(|error| failed(error.into()))?;
    file.write_all(entry.to_text().as_bytes()).map_err(failed)
}

/// Makes a transaction folder whose steps are all done an operation of the log, and says its number. The caller holds
/// the project.
///
/// # Errors
/// There is no proper entry, or a call failed. The folder is still a transaction.
pub(super) fn retire(root: &Root, id: &str, folder: BorrowedFd<'_>, journal: &Journal) -> Result<u64, DiskError> {
    let failed = |error: std::io::Error| DiskError::io("log", format!("{TRANSACTIONS}/{id}"), error);
    let entry = read_text(folder, ENTRY, MAX_BYTES).map_err(failed)?;
    Entry::parse(&entry).ok_or_else(|| failed(std::io::Error::other("it has no proper entry")))?;
    let mut needed = BTreeSet::from([GUARD, JOURNAL, ENTRY]);
    for step in &journal.steps {
        match step {
            // Where names cannot be exchanged, the old content is aside and the slot is free.
            Step::Replace { slot, aside, .. } => needed.extend([slot.as_str(), aside.as_str()]),
            Step::Remove { aside, .. } => _ = needed.insert(aside),
            Step::Folder { .. } | Step::Tree { .. } | Step::Create { .. } | Step::Mode { .. } | Step::Clear { .. } => {}
        }
    }
    // Bodies that no step needed, and second names of what was published.
    for name in names(folder, id)?.iter().filter(|name| !needed.contains(name.as_str())) {
        fault::point(TRANSACTIONS)?;
        remove_staged(folder, name).map_err(|error| failed(error.into()))?;
    }
    let log = root.make_below(LOG)?;
    let transactions = root.make_below(TRANSACTIONS)?;
    let number = numbers(log.as_fd())?.last().map_or(1, |last| last + 1);
    if number > MAX_NUMBER {
        return Err(failed(std::io::Error::other(format!("no number is left after `{}`", shown(MAX_NUMBER)))));
    }
    // A folder cannot take the place of one that holds something.
    let target = (log.as_fd(), &*folder_name(number));
    fault::point(TRANSACTIONS)?;
    sys::move_over((transactions.as_fd(), id), target).map_err(|error| failed(error.into()))?;
    // Nobody looks for a guard in the log.
    let _ = sys::remove_file(folder, GUARD);
    Ok(number)
}

/// Whether a name is that of an operation that is being removed.
fn is_leaving(name: &str) -> bool {
    let digits = name.strip_prefix(LEAVING);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A name of that kind that nothing has.
fn free_name(log: BorrowedFd<'_>, number: u64) -> rustix::io::Result<String> {
    for name in (number..).map(|number| format!("{LEAVING}{number}")) {
        match sys::stat(log, &name) {
            Err(Errno::NOENT) => return Ok(name),
            done => done.map(drop)?,
        }
    }
    Err(Errno::EXIST)
}

/// What [`prune_log`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many operations.
    pub operations: usize,
    /// How many bytes they held.
    pub bytes: u64,
}

/// Removes the oldest operations but `keep`, and never one that a checkpoint needs; the texts that only they were made
/// from go with them.
///
/// # Errors
/// A call failed; what was removed until then is gone. Or a checkpoint cannot be read: then nothing is removed.
pub fn prune_log(root: &Root, keep: usize, project: &ProjectGuard) -> Result<Pruned, DiskError> {
    let mut pruned = Pruned::default();
    let Some(log) = open(root)? else { return Ok(pruned) };
    // The last operation stays: its number is where the next one goes on.
    let numbers = numbers(log.as_fd())?;
    let surplus = numbers.len().saturating_sub(keep.max(1));
    let needed = needed_checkpoints(root)?.into_iter().map(|point| point.operation).min();
    let is_needed = |number: u64| needed.is_some_and(|point| number > point);
    for number in numbers.into_iter().take(surplus).take_while(|number| !is_needed(*number)) {
        let failed = |error| DiskError::io("remove", shown(number), error);
        let (name, leaving) = (folder_name(number), free_name(log.as_fd(), number).map_err(failed)?);
        // From here on it is no operation, however little of it is removed.
        sys::move_over((log.as_fd(), &name), (log.as_fd(), &leaving)).map_err(failed)?;
        pruned.operations += 1;
    }
    for name in names(log.as_fd(), LOG)?.iter().filter(|name| is_leaving(name)) {
        let failed = |error| DiskError::io("remove", format!("{LOG}/{name}"), error);
        let folder = match sys::open_folder(log.as_fd(), name) {
            // Nothing that megax put there.
            Err(Errno::NOTDIR | Errno::LOOP) => continue,
            done => done.map_err(failed)?,
        };
        for file in names(folder.as_fd(), name)? {
            pruned.bytes += sys::size(folder.as_fd(), &file).map_err(failed)?;
            sys::remove_file(folder.as_fd(), &file).map_err(failed)?;
        }
        sys::remove_folder(log.as_fd(), name).map_err(failed)?;
    }
    if pruned.operations > 0 {
        pruned.bytes += prune_inputs(root, project)?;
    }
    Ok(pruned)
}
