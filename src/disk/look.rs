//! Looking at one name: what it is, and the digests of a file's bytes.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt as _;

use blake3::Hasher;
use memchr::memmem;
use rustix::io::Errno;

use super::error::DiskError;
use super::sys;
use crate::change::OnDisk;
use crate::digest::Digest;

const BUFFER_BYTES: usize = 64 << 10;

/// A buffer for reading, used again and again. Files are hashed in pieces of it, so no file is too large.
pub(super) fn buffer() -> Vec<u8> {
    vec![0; BUFFER_BYTES]
}

/// What a name in an open folder is. A file is opened only after it is known to be one: opening a device may do things.
pub(super) fn look(at: BorrowedFd<'_>, name: &str, buffer: &mut [u8]) -> io::Result<OnDisk> {
    match sys::stat(at, name) {
        Err(Errno::NOENT) => return Ok(OnDisk::Absent),
        Err(error) => return Err(error.into()),
        Ok((kind, _)) => {
            if let Some(what) = sys::describe(kind) {
                return Ok(OnDisk::Other(what));
            }
        }
    }
    let mut file = match sys::open_file(at, name) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(OnDisk::Absent),
        Err(Errno::LOOP) => return Ok(OnDisk::Other("a symlink")),
        Err(Errno::ACCESS | Errno::PERM) => return Ok(OnDisk::Unreadable),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(OnDisk::Other("no ordinary file"));
    }
    let (digest, lf_digest) = digests(&mut file, buffer)?;
    let executable = metadata.mode() & 0o100 != 0;
    Ok(OnDisk::File { digest, lf_digest, executable, bytes: metadata.len() })
}

/// What a name is, where an answer that is not certain would be the wrong one.
///
/// # Errors
/// Also what may not be read: it is neither there nor gone.
pub(super) fn look_for_certain(
    at: BorrowedFd<'_>,
    name: &str,
    path: &str,
    buffer: &mut [u8],
) -> Result<OnDisk, DiskError> {
    match look(at, name, buffer).map_err(|error| DiskError::io("read", path, error))? {
        OnDisk::Unreadable => Err(DiskError::io("read", path, Errno::ACCESS)),
        found => Ok(found),
    }
}

/// The digest of a file's bytes.
pub(super) fn digest_of(found: &OnDisk) -> Option<Digest> {
    match found {
        OnDisk::File { digest, .. } => Some(*digest),
        _ => None,
    }
}

/// Whether a name holds exactly these bytes.
pub(super) fn check(
    at: (BorrowedFd<'_>, &str),
    wanted: Digest,
    path: &str,
    buffer: &mut [u8],
) -> Result<(), DiskError> {
    match look_for_certain(at.0, at.1, path, buffer)? {
        OnDisk::File { digest, .. } if digest == wanted => Ok(()),
        OnDisk::Other(what) => Err(DiskError::NotAFile { path: path.to_owned(), what }),
        _ => Err(DiskError::changed(path)),
    }
}

/// The digest of the bytes, and that of a text with CRLF after every CRLF became LF ([`crate::digest::lf_digest`]).
fn digests(file: &mut File, buffer: &mut [u8]) -> io::Result<(Digest, Option<Digest>)> {
    let mut plain = Hasher::new();
    let mut lf: Option<Hasher> = None;
    let (mut held, mut is_text) = (0, true);
    loop {
        let read = match file.read(&mut buffer[held..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let filled = held + read;
        // A CR at the end waits for what follows, so that no CRLF is torn apart.
        held = usize::from(read > 0 && buffer[..filled].ends_with(b"\r"));
        let piece = &buffer[..filled - held];
        is_text = is_text && memchr::memchr(0, piece).is_none();
        if is_text && lf.is_none() && memmem::find(piece, b"\r\n").is_some() {
            // All before this piece holds no CRLF.
            lf = Some(plain.clone());
        }
        plain.update(piece);
        if let Some(hasher) = &mut lf {
            update_lf(hasher, piece);
        }
        if read == 0 {
            let lf = lf.filter(|_| is_text).map(|hasher| hasher.finalize().into());
            return Ok((plain.finalize().into(), lf));
        }
        if held == 1 {
            buffer[0] = b'\r';
        }
    }
}

fn update_lf(hasher: &mut Hasher, mut piece: &[u8]) {
    while let Some(at) = memmem::find(piece, b"\r\n") {
        hasher.update(&piece[..at]);
        piece = &piece[at + 1..];
    }
    hasher.update(piece);
}

/// What stands where a file was to be created.
pub(super) fn in_the_way(folder: BorrowedFd<'_>, name: &str, path: &str) -> DiskError {
    match sys::stat(folder, name).ok().and_then(|(kind, _)| sys::describe(kind)) {
        Some(what) => DiskError::NotAFile { path: path.to_owned(), what },
        None => DiskError::changed(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::lf_digest;
    use proptest::prelude::*;
    use std::io::Write as _;

    proptest! {
        #[test]
        fn pieces_hash_like_the_whole(body in "[a\r\n]{0,40}\0?[a\r\n]{0,40}", size in 2..9usize) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(body.as_bytes()).unwrap();
            io::Seek::rewind(&mut file).unwrap();
            let found = digests(&mut file, &mut vec![0; size]).unwrap();
            prop_assert_eq!(found, (Digest::of(body.as_bytes()), lf_digest(body.as_bytes())));
        }
    }
}
