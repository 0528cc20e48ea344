//! Snapshots on disk: read all, write one, remove one. Each file is new or old, never half; they are no transaction,
//! because each stands for itself.

use super::error::DiskError;
use super::root::Root;
use super::shards::read_records;
use super::single::{remove_single, write_single};
use crate::digest::Digest;
use crate::snapshot::{ENDING, FOLDER};

/// Reads every `snapshots/<team>/<mega-file id>.snap` below the project root: path and bytes, sorted by path. What is no
/// ordinary file, or has another name, is passed over; whether the bytes are a snapshot is not known here.
///
/// # Errors
/// A folder or file cannot be read, `snapshots` is a symlink, or a limit is passed.
pub fn read_snapshots(root: &Root) -> Result<Vec<(String, Vec<u8>)>, DiskError> {
    read_records(root, FOLDER, ENDING, |_| true)
}

/// Writes a snapshot at a path of [`crate::snapshot::place`], as [`write_single`] does.
///
/// # Errors
/// As [`write_single`].
pub fn write_snapshot(root: &Root, path: &str, before: Option<Digest>, text: &str) -> Result<(), DiskError> {
    write_single(root, path, before, text.as_bytes(), 0o666)
}

/// Removes a snapshot, and the folder of its team if it was the last there. `before` is what must still be there.
///
/// # Errors
/// As [`remove_single`].
pub fn remove_snapshot(root: &Root, path: &str, before: Digest) -> Result<(), DiskError> {
    remove_single(root, path, before, true)
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
