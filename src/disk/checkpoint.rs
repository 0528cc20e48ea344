//! Checkpoints: names for a place in the operation log, `.megax/log/checkpoints/<name>`. A checkpoint keeps the operations
//! after it from being removed.

use std::io::Write as _;
use std::os::fd::AsFd as _;

use rustix::io::Errno;

use super::error::DiskError;
use super::guard::ProjectGuard;
use super::log::{read_log, read_text};
use super::root::Root;
use super::shards::names;
use super::sys;
use super::walk::{Reached, Walker};
use crate::lockfile::is_name;

const FOLDER: &str = ".megax/log/checkpoints";
/// While it is written; no name begins with a dot.
const UNFINISHED: &str = ".new";
const VERSION: &str = "megax-checkpoint 1";
const MAX_BYTES: u64 = 1_000;

/// A named place in the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Its name.
    pub name: String,
    /// The last operation when it was made; 0 before the first.
    pub operation: u64,
}

/// Whether a text can name a checkpoint: like a team, and not a number.
#[must_use]
pub fn is_checkpoint_name(text: &str) -> bool {
    is_name(text) && !text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The checkpoints that can be read, by name.
///
/// # Errors
/// The folder cannot be read, or is a symlink.
pub fn read_checkpoints(root: &Root) -> Result<Vec<Checkpoint>, DiskError> {
    let point = |(name, read): (String, Read)| Some(Checkpoint { name, operation: read.ok()? });
    Ok(read_all(root)?.into_iter().filter_map(point).collect())
}

/// What has the name of a checkpoint and cannot be read as one: why, by name.
///
/// # Errors
/// As [`read_checkpoints`].
pub fn damaged_checkpoints(root: &Root) -> Result<Vec<(String, DiskError)>, DiskError> {
    Ok(read_all(root)?.into_iter().filter_map(|(name, read)| Some((name, read.err()?))).collect())
}

/// All checkpoints. One that cannot be read is an error: nobody can tell which operations it needs.
pub(super) fn needed_checkpoints(root: &Root) -> Result<Vec<Checkpoint>, DiskError> {
    let point = |(name, read): (String, Read)| Ok(Checkpoint { name, operation: read? });
    read_all(root)?.into_iter().map(point).collect()
}

/// The operation of a checkpoint.
type Read = Result<u64, DiskError>;

fn read_all(root: &Root) -> Result<Vec<(String, Read)>, DiskError> {
    let Some(top) = root.existing()? else { return Ok(Vec::new()) };
    let mut walker = Walker::new(top);
    match walker.enter(FOLDER)? {
        Reached::Absent => return Ok(Vec::new()),
        Reached::Blocked(path) => return Err(DiskError::NotAFile { path, what: "no folder" }),
        Reached::Folder => {}
    }
    let mut found = Vec::new();
    for name in names(walker.folder(), FOLDER)?.into_iter().filter(|name| is_checkpoint_name(name)) {
        let read = read_text(walker.folder(), &name, MAX_BYTES)
            .and_then(|text| parse(&text).ok_or_else(|| std::io::Error::other("it is no checkpoint, or was damaged")));
        let read = read.map_err(|error| DiskError::io("read", format!("{FOLDER}/{name}"), error));
        found.push((name, read));
    }
    Ok(found)
}

pub(super) fn text_of(operation: u64) -> String {
    format!("{VERSION}\n{operation}\n")
}

pub(super) fn parse(text: &str) -> Option<u64> {
    let operation = text.lines().nth(1)?.parse().ok()?;
    (text_of(operation) == text).then_some(operation)
}

/// Takes a name away; where it lay, or nothing if there is none.
///
/// # Errors
/// A call failed.
pub fn remove_checkpoint(root: &Root, name: &str, _project: &ProjectGuard) -> Result<Option<Checkpoint>, DiskError> {
    let Some(point) = read_checkpoints(root)?.into_iter().find(|point| point.name == name) else { return Ok(None) };
    let folder = root.make_below(FOLDER)?;
    sys::remove_file(folder.as_fd(), name)
        .map_err(|error| DiskError::io("remove", format!("{FOLDER}/{name}"), error))?;
    Ok(Some(point))
}

/// Names the last operation; where the name lay before, if it was taken.
///
/// # Errors
/// The text is no name, or a call failed.
pub fn write_checkpoint(
    root: &Root,
    name: &str,
    _project: &ProjectGuard,
) -> Result<(Checkpoint, Option<u64>), DiskError> {
    if !is_checkpoint_name(name) {
        return Err(DiskError::Name { name: name.to_owned() });
    }
    let before = read_checkpoints(root)?.into_iter().find(|point| point.name == name).map(|point| point.operation);
    let operation = read_log(root)?.last();
    let failed = |error: std::io::Error| DiskError::io("write", format!("{FOLDER}/{name}"), error);
    let folder = root.make_below(FOLDER)?;
    // What a killed process left; nobody else writes while the project is held.
    match sys::remove_file(folder.as_fd(), UNFINISHED) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(failed(error.into())),
    }
    let mut file = sys::create_file(folder.as_fd(), UNFINISHED, 0o666).map_err(|error| failed(error.into()))?;
    file.write_all(text_of(operation).as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
    sys::move_over((folder.as_fd(), UNFINISHED), (folder.as_fd(), name)).map_err(|error| failed(error.into()))?;
    for above in [FOLDER, ".megax/log", ".megax"] {
        sys::sync_one(root.make_below(above)?.as_fd()).map_err(|error| failed(error.into()))?;
    }
    Ok((Checkpoint { name: name.to_owned(), operation }, before))
}
