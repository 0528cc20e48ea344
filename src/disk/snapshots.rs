//! Snapshots on disk: read all, write one, remove one. Each file is new or old, never half; they are no transaction,
//! because each stands for itself.

use std::io::Write as _;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::error::DiskError;
use super::root::Root;
use super::shards::{read_records, read_small};
use super::sys;
use super::walk::{Reached, Walker, parts};
use crate::digest::Digest;
use crate::snapshot::{ENDING, FOLDER};

/// Tells the unfinished files of one process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Reads every `snapshots/<team>/<mega-file id>.snap` below the project root: path and bytes, sorted by path. What is no
/// ordinary file, or has another name, is passed over; whether the bytes are a snapshot is not known here.
///
/// # Errors
/// A folder or file cannot be read, `snapshots` is a symlink, or a limit is passed.
pub fn read_snapshots(root: &Root) -> Result<Vec<(String, Vec<u8>)>, DiskError> {
    read_records(root, FOLDER, ENDING, |_| true)
}

/// Writes a snapshot at a path of [`crate::snapshot::place`], as [`write_text`] does.
///
/// # Errors
/// As [`write_text`].
pub fn write_snapshot(root: &Root, path: &str, before: Option<Digest>, text: &str) -> Result<(), DiskError> {
    write_text(root, path, before, text.as_bytes())
}

/// Writes a text that stands for itself: under another name first, then moved to its place. What it replaces keeps its
/// mode. `before` is what must still be there; `None` for nothing.
///
/// # Errors
/// Something else is there now, or the disk failed; then the old file is as before.
pub fn write_text(root: &Root, path: &str, before: Option<Digest>, text: &[u8]) -> Result<(), DiskError> {
    let (folder, name) = parts(path);
    let mut walker = Walker::new(root.make()?);
    walker.make(folder, |_| ())?;
    let at = walker.folder();
    expect(at, name, path, before)?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let unfinished = format!(".{}-{number}.unfinished", std::process::id());
    let written = put(at, &unfinished, text)
        .and_then(|()| keep_mode(at, &unfinished, name, before))
        .map_err(|error| DiskError::io("write", path, error))
        .and_then(|()| publish(at, &unfinished, name, path, before));
    if written.is_err() {
        // It may be that it was never made.
        let _ = sys::remove_file(at, &unfinished);
    }
    written
}

/// Moves a finished file to its place, which must still be as it was.
pub(super) fn publish(
    at: BorrowedFd<'_>,
    unfinished: &str,
    name: &str,
    path: &str,
    before: Option<Digest>,
) -> Result<(), DiskError> {
    expect(at, name, path, before)?;
    let moved = match before {
        None => sys::move_to_free((at, unfinished), (at, name)),
        Some(_) => sys::move_over((at, unfinished), (at, name)),
    };
    moved.map_err(|error| match error {
        Errno::EXIST => DiskError::changed(path),
        error => DiskError::io("write", path, error),
    })
}

fn put(at: BorrowedFd<'_>, name: &str, text: &[u8]) -> std::io::Result<()> {
    sys::create_file(at, name, 0o666)?.write_all(text)
}

/// Gives a file the mode of the one that it is to replace.
fn keep_mode(at: BorrowedFd<'_>, unfinished: &str, name: &str, before: Option<Digest>) -> std::io::Result<()> {
    if before.is_some() {
        let (_, mode) = sys::stat(at, name)?;
        sys::set_mode(at, unfinished, mode)?;
    }
    Ok(())
}

/// Removes a snapshot, and the folder of its team if it was the last there. `before` is what must still be there.
///
/// # Errors
/// Something else is there now, or the disk failed.
pub fn remove_snapshot(root: &Root, path: &str, before: Digest) -> Result<(), DiskError> {
    let (folder, name) = parts(path);
    let Some(base) = root.existing()? else { return Ok(()) };
    let mut walker = Walker::new(base);
    if walker.enter(folder)? != Reached::Folder {
        return Err(DiskError::changed(path));
    }
    expect(walker.folder(), name, path, Some(before))?;
    sys::remove_file(walker.folder(), name).map_err(|error| DiskError::io("remove", path, error))?;
    let (above, team) = parts(folder);
    if walker.enter(above)? == Reached::Folder {
        // A folder that holds something stays.
        let _ = sys::remove_folder(walker.folder(), team);
    }
    Ok(())
}

/// Whether a name still holds what was read there.
pub(super) fn expect(at: BorrowedFd<'_>, name: &str, path: &str, before: Option<Digest>) -> Result<(), DiskError> {
    match sys::stat(at, name) {
        Err(Errno::NOENT) if before.is_none() => return Ok(()),
        Err(Errno::NOENT) => return Err(DiskError::changed(path)),
        Err(error) => return Err(DiskError::io("read", path, error)),
        Ok((kind, _)) => {
            if let Some(what) = sys::describe(kind) {
                return Err(DiskError::NotAFile { path: path.to_owned(), what });
            }
        }
    }
    let found = read_small(at, name, path)?.map(|bytes| Digest::of(&bytes));
    if found == before { Ok(()) } else { Err(DiskError::changed(path)) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]
mod tests {
    use super::*;
    use std::fs;

    const PATH: &str = "snapshots/beta/api.snap";

    #[test]
    fn a_snapshot_is_written_replaced_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        assert_eq!(read_snapshots(&root).unwrap(), []);
        write_snapshot(&root, PATH, None, "one\n").unwrap();
        write_snapshot(&root, PATH, Some(Digest::of(b"one\n")), "two\n").unwrap();
        fs::write(folder.path().join("snapshots/beta/notes.txt"), "").unwrap();
        fs::write(folder.path().join("snapshots/readme.snap"), "").unwrap();
        assert_eq!(read_snapshots(&root).unwrap(), [(PATH.to_owned(), b"two\n".to_vec())]);
        remove_snapshot(&root, PATH, Digest::of(b"two\n")).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path().join("snapshots/beta")).unwrap().collect();
        assert_eq!(left.len(), 1, "only what megax did not write: {left:?}");
    }

    #[test]
    fn what_changed_meanwhile_or_is_no_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        write_snapshot(&root, PATH, None, "theirs\n").unwrap();
        for before in [None, Some(Digest::of(b"other"))] {
            let error = write_snapshot(&root, PATH, before, "mine\n").unwrap_err();
            assert!(matches!(error, DiskError::ChangedMeanwhile { .. }), "{error}");
        }
        assert!(remove_snapshot(&root, PATH, Digest::of(b"other")).is_err());
        assert_eq!(fs::read_to_string(folder.path().join(PATH)).unwrap(), "theirs\n");
        assert_eq!(fs::read_dir(folder.path().join("snapshots/beta")).unwrap().count(), 1, "nothing unfinished");

        let outside = folder.path().join("outside");
        fs::write(&outside, "o").unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("snapshots/beta/link.snap")).unwrap();
        let error = write_snapshot(&root, "snapshots/beta/link.snap", None, "x").unwrap_err();
        assert!(matches!(error, DiskError::NotAFile { what: "a symlink", .. }), "{error}");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("snapshots/gamma")).unwrap();
        assert!(write_snapshot(&root, "snapshots/gamma/x.snap", None, "x").is_err());
        assert_eq!(fs::read_to_string(outside).unwrap(), "o");
    }
}
