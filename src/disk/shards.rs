//! Finding and reading what is kept one file per mega-file: the shards of the lockfile, and snapshots. What they say is
//! not believed here, nor even parsed.

use std::ffi::CStr;
use std::io::Read as _;
use std::os::fd::BorrowedFd;

use rustix::fs::Dir;

use super::error::DiskError;
use super::root::Root;
use super::sys;
use super::walk::{Reached, Walker, parts};
use crate::digest::Digest;
use crate::lockfile::{CLAIM_ENDING, MAX_BYTES, is_name};

const FOLDER: &str = ".megax/lock";
const ENDING: &str = ".lock";
/// Most shards, or snapshots, of one root; and most folders of teams.
const MAX_RECORDS: u64 = 20_000;
/// Most bytes of all of them together.
const MAX_TOTAL_BYTES: u64 = 1 << 30;

/// Reads every `.megax/lock/<team>/<mega-file id>.lock`: path relative to the output root, and text. Sorted by path.
/// What is no ordinary file, or has another name, is passed over; bytes that are no UTF-8 become U+FFFD, which no
/// lockfile may hold.
///
/// # Errors
/// A folder or file cannot be read, `.megax` or `.megax/lock` is a symlink, or a limit is passed.
pub fn read_shards(root: &Root) -> Result<Vec<(String, String)>, DiskError> {
    read_shards_of(root, |_| true)
}

/// The same as far as they can be read, and why others cannot.
#[must_use]
pub fn read_shards_singly(root: &Root) -> (Vec<(String, String)>, Vec<DiskError>) {
    let mut errors = Vec::new();
    let note = |error| {
        errors.push(error);
        Ok(())
    };
    match read_records_past(root, FOLDER, ENDING, |_| true, note) {
        Ok(found) => (texts(found), errors),
        Err(error) => (Vec::new(), vec![error]),
    }
}

/// The same of some teams.
pub(super) fn read_shards_of(
    root: &Root,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, String)>, DiskError> {
    Ok(texts(read_records(root, FOLDER, ENDING, is_wanted)?))
}

/// Reads every `.megax/lock/<team>/<mega-file id>.claim`, as [`read_shards`] reads the shards.
///
/// # Errors
/// As for [`read_shards`].
pub fn read_reservations(root: &Root) -> Result<Vec<(String, String)>, DiskError> {
    Ok(texts(read_records(root, FOLDER, CLAIM_ENDING, |_| true)?))
}

/// What is no text gets U+FFFD, which neither a shard nor a reservation may hold.
fn texts(found: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    // No second copy of what is text, which is all but what somebody damaged.
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    };
    found.into_iter().map(|(path, bytes)| (path, text(bytes))).collect()
}

/// The name of a shard or a reservation without its ending.
pub(super) fn without_ending(name: &str) -> Option<&str> {
    name.strip_suffix(ENDING).or_else(|| name.strip_suffix(CLAIM_ENDING))
}

/// Reads every `<folder>/<team>/<mega-file id><ending>` of the wanted teams: path relative to the root, and bytes. Sorted
/// by path. What is no ordinary file, or has another name, is passed over.
pub(super) fn read_records(
    root: &Root,
    top: &str,
    ending: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, DiskError> {
    read_records_past(root, top, ending, is_wanted, Err)
}

/// The same; what is wrong with one folder or file of them goes to `wrong`, which decides whether to go on.
fn read_records_past(
    root: &Root,
    top: &str,
    ending: &str,
    is_wanted: impl Fn(&str) -> bool,
    mut wrong: impl FnMut(DiskError) -> Result<(), DiskError>,
) -> Result<Vec<(String, Vec<u8>)>, DiskError> {
    let Some(base) = root.existing()? else { return Ok(Vec::new()) };
    let mut walker = Walker::new(base);
    match walker.enter(top)? {
        Reached::Absent => return Ok(Vec::new()),
        Reached::Blocked(path) => return Err(DiskError::NotAFile { path, what: "no folder" }),
        Reached::Folder => {}
    }
    let mut records = Vec::new();
    let mut total = 0;
    let teams = names(walker.folder(), top)?;
    check(top, "the number of folders", teams.len() as u64, MAX_RECORDS)?;
    for team in teams.into_iter().filter(|team| is_name(team) && is_wanted(team)) {
        let folder = format!("{top}/{team}");
        let found = walker.enter(&folder).and_then(|reached| match reached {
            Reached::Folder => names(walker.folder(), &folder),
            Reached::Absent | Reached::Blocked(_) => Ok(Vec::new()),
        });
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                wrong(error)?;
                continue;
            }
        };
        for name in found {
            if !name.strip_suffix(ending).is_some_and(is_name) {
                continue;
            }
            let path = format!("{folder}/{name}");
            let bytes = match read_small(walker.folder(), &name, &path) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(error) => {
                    wrong(error)?;
                    continue;
                }
            };
            total += bytes.len() as u64;
            check(&path, "the number of files like it, up to that", records.len() as u64 + 1, MAX_RECORDS)?;
            check(&path, "the size in bytes of all files like it, up to that", total, MAX_TOTAL_BYTES)?;
            records.push((path, bytes));
        }
    }
    records.sort();
    Ok(records)
}

fn check(path: &str, what: &'static str, value: u64, limit: u64) -> Result<(), DiskError> {
    if value > limit { Err(DiskError::TooLarge { path: path.to_owned(), what, limit }) } else { Ok(()) }
}

/// The digest of the bytes of a shard or a reservation, also where they are no text; `None` when nothing, or no ordinary file, is there.
///
/// # Errors
/// It cannot be read, or its path is no place of a shard.
pub fn shard_digest(root: &Root, path: &str) -> Result<Option<Digest>, DiskError> {
    super::commit::check_shard_path(path)?;
    let Some(base) = root.existing()? else { return Ok(None) };
    let (folder, name) = parts(path);
    let mut walker = Walker::new(base);
    if walker.enter(folder)? != Reached::Folder {
        return Ok(None);
    }
    Ok(read_small(walker.folder(), name, path)?.map(|bytes| Digest::of(&bytes)))
}

/// The names in a folder that are text, sorted.
pub(super) fn names(folder: BorrowedFd<'_>, path: &str) -> Result<Vec<String>, DiskError> {
    let read = || {
        let entries = Dir::read_from(folder)?.map(|entry| entry.map(|entry| text(entry.file_name())));
        entries.collect::<Result<Vec<Option<String>>, _>>()
    };
    let mut names: Vec<String> =
        read().map_err(|error| DiskError::io("read", path, error))?.into_iter().flatten().collect();
    names.sort();
    Ok(names)
}

fn text(name: &CStr) -> Option<String> {
    name.to_str().ok().filter(|name| !matches!(*name, "." | "..")).map(str::to_owned)
}

/// The bytes of a shard or a snapshot; `None` when it is no ordinary file.
pub(super) fn read_small(folder: BorrowedFd<'_>, name: &str, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
    let failed = |error| DiskError::io("read", path, error);
    let (kind, _) = sys::stat(folder, name).map_err(|error| failed(error.into()))?;
    if sys::describe(kind).is_some() {
        return Ok(None);
    }
    let file = sys::open_file(folder, name).map_err(|error| failed(error.into()))?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let limit = MAX_BYTES as u64;
    check(path, "the size in bytes", metadata.len(), limit)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    check(path, "the size in bytes", bytes.len() as u64, limit)?;
    Ok(Some(bytes))
}
