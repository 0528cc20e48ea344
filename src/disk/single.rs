//! One file by itself, such as a settings file or a snapshot: read, written, removed. It is new or old, never half, and
//! only what was looked at is replaced; no symlink is followed.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::error::DiskError;
use super::root::Root;
use super::shards::read_small;
use super::sys;
use super::walk::{Reached, Walker, parts};
use crate::digest::Digest;

/// Tells the unfinished files of one process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The bytes of an ordinary file below a root; `None` where nothing lies.
///
/// # Errors
/// Something else than a file lies there, a limit is passed, or the disk failed.
pub fn read_single(root: &Root, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
    let (folder, name) = parts(path);
    let Some(base) = root.existing()? else { return Ok(None) };
    let mut walker = Walker::new(base);
    match walker.enter(folder)? {
        Reached::Folder => {}
        Reached::Absent => return Ok(None),
        Reached::Blocked(path) => return Err(DiskError::NotAFile { path, what: "no folder" }),
    }
    match sys::stat(walker.folder(), name) {
        Ok((kind, _)) => match sys::describe(kind) {
            Some(what) => Err(DiskError::NotAFile { path: path.to_owned(), what }),
            None => read_small(walker.folder(), name, path),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(DiskError::io("read", path, error)),
    }
}

/// Writes a file below a root: under another name first, then moved to its place. `before` is what must still be there;
/// `None` for nothing. A file that is replaced keeps its mode; `mode` is that of a new one.
///
/// # Errors
/// Something else is there now, or the disk failed; then the old file is as before.
pub fn write_single(root: &Root, path: &str, before: Option<Digest>, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    let (folder, name) = parts(path);
    let mut walker = Walker::new(root.make()?);
    walker.make(folder, |_| ())?;
    let at = walker.folder();
    expect(at, name, path, before)?;
    let failed = |error: std::io::Error| DiskError::io("write", path, error);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let unfinished = format!(".{}-{number}.unfinished", std::process::id());
    let mut file = sys::create_file(at, &unfinished, mode).map_err(|error| failed(error.into()))?;
    let mut put = || {
        if let (Some(_), Ok((_, old))) = (before, sys::stat(at, name)) {
            sys::set_mode(at, &unfinished, old & 0o777)?;
        }
        file.write_all(bytes)?;
        // A name must never stand for a content that is not there yet after a loss of power.
        sys::sync_one(file.as_fd())?;
        Ok(())
    };
    let written = put().map_err(failed).and_then(|()| publish(at, &unfinished, name, path, before));
    if written.is_err() {
        let _ = sys::remove_file(at, &unfinished);
    }
    written
}

/// Removes a file, and its folder if nothing else is in it and `with_folder` says so. `before` is what must still be there.
///
/// # Errors
/// Something else is there now, or the disk failed.
pub fn remove_single(root: &Root, path: &str, before: Digest, with_folder: bool) -> Result<(), DiskError> {
    let (folder, name) = parts(path);
    let Some(base) = root.existing()? else { return Ok(()) };
    let mut walker = Walker::new(base);
    if walker.enter(folder)? != Reached::Folder {
        return Err(DiskError::changed(path));
    }
    expect(walker.folder(), name, path, Some(before))?;
    sys::remove_file(walker.folder(), name).map_err(|error| DiskError::io("remove", path, error))?;
    let (above, last) = parts(folder);
    if with_folder && walker.enter(above)? == Reached::Folder {
        // A folder that holds something stays.
        let _ = sys::remove_folder(walker.folder(), last);
    }
    Ok(())
}

/// Moves a finished file to its place, which must still be as it was.
fn publish(
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

/// Whether a name still holds what was read there.
fn expect(at: BorrowedFd<'_>, name: &str, path: &str, before: Option<Digest>) -> Result<(), DiskError> {
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_made_replaced_with_its_mode_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let at = folder.path().join("a/b.json");
        assert_eq!(read_single(&root, "a/b.json").unwrap(), None);
        write_single(&root, "a/b.json", None, b"1", 0o755).unwrap();
        assert_eq!(read_single(&root, "a/b.json").unwrap().as_deref(), Some(&b"1"[..]));
        fs::set_permissions(&at, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(write_single(&root, "a/b.json", None, b"2", 0o666).is_err(), "it is there");
        write_single(&root, "a/b.json", Some(Digest::of(b"1")), b"2", 0o666).unwrap();
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "nothing unfinished");
        assert!(remove_single(&root, "a/b.json", Digest::of(b"1"), true).is_err(), "it changed");
        remove_single(&root, "a/b.json", Digest::of(b"2"), true).unwrap();
        assert!(!folder.path().join("a").exists());
    }

    #[test]
    fn no_symlink_is_followed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = Root::open(folder.path()).unwrap();
        fs::write(other.path().join("x"), "theirs").unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink(other.path().join("x"), folder.path().join("file")).unwrap();
        for path in ["link/x", "file"] {
            assert!(read_single(&root, path).is_err(), "{path}");
            assert!(write_single(&root, path, None, b"mine", 0o666).is_err(), "{path}");
            assert!(write_single(&root, path, Some(Digest::of(b"theirs")), b"mine", 0o666).is_err(), "{path}");
            assert!(remove_single(&root, path, Digest::of(b"theirs"), false).is_err(), "{path}");
        }
        assert_eq!(fs::read_to_string(other.path().join("x")).unwrap(), "theirs");
    }
}
