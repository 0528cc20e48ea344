//! A saved plan, or another document, where somebody asked for it: written under another name, then moved to its place, so
//! that it is new or old, never half.

use std::io::{Read as _, Write as _};
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::io::Errno;

use super::error::DiskError;
use super::root::Root;
use super::sys;
use crate::saved::is_plan;

/// What a file is that is no plan, in words.
const OTHER: &str = "there already, and no saved plan";

/// Writes a plan to a file of a folder that exists. Only a plan is ever replaced.
///
/// # Errors
/// The folder does not exist, something else than a plan lies there, or the disk failed; then all is as before.
pub fn write_plan(folder: &Path, name: &str, text: &str) -> Result<(), DiskError> {
    write_document(folder, name, text, &is_plan, OTHER)
}

/// Writes a document to a file of a folder that exists. Only a file whose first bytes are those of such a document is ever
/// replaced; `other` says in words what all else is.
///
/// # Errors
/// The folder does not exist, something else lies there, or the disk failed; then all is as before.
pub fn write_document(
    folder: &Path,
    name: &str,
    text: &str,
    is_own: &dyn Fn(&[u8]) -> bool,
    other: &'static str,
) -> Result<(), DiskError> {
    let root = Root::open(folder)?;
    let at = root.existing()?.ok_or_else(|| DiskError::io("open", folder.display().to_string(), Errno::NOENT))?;
    let is_free = || is_free(at, name, is_own, other);
    is_free()?;
    let failed = |error| DiskError::io("write", name, error);
    let unfinished = format!(".megax-{}.unfinished", std::process::id());
    let written = sys::create_file(at, &unfinished, 0o666)
        .map_err(std::io::Error::from)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(failed)
        .and_then(|()| publish(at, &unfinished, name, is_free()?));
    if written.is_err() {
        // It may be that it was never made.
        let _ = sys::remove_file(at, &unfinished);
    }
    written
}

fn publish(at: BorrowedFd<'_>, unfinished: &str, name: &str, is_free: bool) -> Result<(), DiskError> {
    let moved = if is_free {
        sys::move_to_free((at, unfinished), (at, name))
    } else {
        sys::move_over((at, unfinished), (at, name))
    };
    moved.map_err(|error| match error {
        Errno::EXIST => DiskError::changed(name),
        error => DiskError::io("write", name, error),
    })
}

/// Whether nothing has the name; `false` for a document of the kind, and an error for all else.
fn is_free(
    at: BorrowedFd<'_>,
    name: &str,
    is_own: &dyn Fn(&[u8]) -> bool,
    other_kind: &'static str,
) -> Result<bool, DiskError> {
    let failed = |error: std::io::Error| DiskError::io("read", name, error);
    let other = |what| DiskError::NotAFile { path: name.to_owned(), what };
    match sys::stat(at, name) {
        Err(Errno::NOENT) => return Ok(true),
        Err(error) => return Err(failed(error.into())),
        Ok((kind, _)) => {
            if let Some(what) = sys::describe(kind) {
                return Err(other(what));
            }
        }
    }
    let file = sys::open_file(at, name).map_err(|error| failed(error.into()))?;
    let mut start = Vec::new();
    file.take(64).read_to_end(&mut start).map_err(failed)?;
    if is_own(&start) { Ok(false) } else { Err(other(other_kind)) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_plan_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_plan(folder.path(), "a.plan", "megax-plan 1\none\n").unwrap();
        write_plan(folder.path(), "a.plan", "megax-plan 1\ntwo\n").unwrap();
        assert_eq!(fs::read_to_string(at("a.plan")).unwrap(), "megax-plan 1\ntwo\n");
        fs::write(at("notes"), "mine").unwrap();
        fs::create_dir(at("below")).unwrap();
        std::os::unix::fs::symlink(at("a.plan"), at("link")).unwrap();
        for name in ["notes", "below", "link"] {
            let error = write_plan(folder.path(), name, "megax-plan 1\n").unwrap_err();
            assert!(matches!(error, DiskError::NotAFile { .. }), "{name}: {error}");
        }
        assert!(write_plan(&at("absent"), "a.plan", "").is_err());
        assert_eq!(fs::read_to_string(at("notes")).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing unfinished");
    }
}
