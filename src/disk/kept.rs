//! `.megax/kept`: contents that were displaced and may be a person's, each under its digest, and
//! what is no file under a number. Only ever added to.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use blake3::Hasher;
use rustix::io::Errno;

use super::error::DiskError;
use super::look::look;
use super::root::Root;
use super::sys;
use crate::change::OnDisk;
use crate::digest::Digest;

const FOLDER: &str = ".megax/kept";

/// Copies a file into the store and says where the copy lies. `scratch` is a folder for the copy while it grows, with a
/// free name in it; it must be on the same file system.
///
/// A copy and not a link: whoever writes into the original later must not change what is kept.
pub(super) fn keep(
    root: &Root,
    file: (BorrowedFd<'_>, &str),
    scratch: (BorrowedFd<'_>, &str),
    shown: &str,
    buffer: &mut [u8],
) -> Result<(Digest, String), DiskError> {
    let store = root.make_below(FOLDER)?;
    let digest = copy(file, scratch, buffer).map_err(|error| DiskError::io("keep a copy of", shown, error))?;
    let name = digest.to_string();
    let path = format!("{FOLDER}/{name}");
    let failed = |error: io::Error| DiskError::io("write", path.as_str(), error);
    put_under_digest(store.as_fd(), (digest, &name), scratch, buffer).map_err(failed)?;
    Ok((digest, path))
}

/// Moves a file into a store, to a name that says its digest. One that is there already stays, unless it was damaged
/// since.
pub(super) fn put_under_digest(
    store: BorrowedFd<'_>,
    (digest, name): (Digest, &str),
    scratch: (BorrowedFd<'_>, &str),
    buffer: &mut [u8],
) -> io::Result<()> {
    match sys::move_to_free(scratch, (store, name)) {
        Err(Errno::EXIST) => {
            let found = look(store, name, buffer)?;
            let whole = matches!(found, OnDisk::File { digest: found, .. } if found == digest);
            let done =
                if whole { sys::remove_file(scratch.0, scratch.1) } else { sys::move_over(scratch, (store, name)) };
            Ok(done?)
        }
        done => Ok(done?),
    }
}

/// Moves what is no ordinary file (a symlink, a folder) into the store, under a free name, and says where it lies.
pub(super) fn keep_other(root: &Root, from: (BorrowedFd<'_>, &str), shown: &str) -> Result<String, DiskError> {
    let store = root.make_below(FOLDER)?;
    let mut number = 1_u64;
    loop {
        let name = format!("other-{number}");
        match sys::move_to_free(from, (store.as_fd(), &name)) {
            Ok(()) => return Ok(format!("{FOLDER}/{name}")),
            Err(Errno::EXIST | Errno::NOTEMPTY) => number += 1,
            Err(error) => return Err(DiskError::io("keep", shown, error)),
        }
    }
}

/// Copies the bytes of an ordinary file into a new one that only its owner can read.
pub(super) fn copy(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str), buffer: &mut [u8]) -> io::Result<Digest> {
    let mut source = sys::open_file(from.0, from.1)?;
    if !source.metadata()?.is_file() {
        return Err(io::Error::other("no ordinary file"));
    }
    // What was private stays private.
    let mut target = sys::create_file(to.0, to.1, 0o600)?;
    let mut hasher = Hasher::new();
    loop {
        match source.read(buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                target.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
