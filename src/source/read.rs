//! Reads one regular file as text or bytes, with a limit. The only place that opens an input: by handles, so that no
//! symlink below the project root is followed, whatever is done to the folders meanwhile ([`crate::handle`]).

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::handle::{self, Folder, Refusal};
use crate::limit::{Limit, Limits};

/// The text of a regular file that lies below a folder, or else anywhere. What lies below is reached without a symlink.
///
/// # Errors
/// MX101 if it cannot be read, is no regular file, is over [`Limit::InputBytes`], or is not UTF-8 (with the offset).
pub fn text(root: &Folder, path: &Path, limits: &Limits) -> Result<String, Diagnostic> {
    let limit = Limit::InputBytes;
    let bytes = match path.strip_prefix(root.path()) {
        Ok(relative) => below(root, relative, limits.size(limit)),
        Err(_) => anywhere(path, limits.size(limit)),
    };
    let bytes = bytes.map_err(|fault| match fault {
        Fault::TooLarge => unreadable(path, &too_large(limits, limit)).help(limit.help("split it into several files")),
        fault => fault.finding(path),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(path, &format!("it is not UTF-8 text (byte {at})")).help("save the file as UTF-8")
    })
}

/// The bytes of a regular file that the user named: it may lie anywhere, but is no symlink itself.
///
/// # Errors
/// MX101 if it cannot be read, is no regular file, or is over the limit.
pub fn bytes(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Diagnostic> {
    anywhere(path, max_bytes).map_err(|fault| match fault {
        Fault::TooLarge => unreadable(path, &format!("it is larger than {max_bytes} bytes")),
        fault => fault.finding(path),
    })
}

/// Why a file cannot be used.
enum Fault {
    TooLarge,
    /// It, or a folder on the way to it, is something else.
    Kind(String),
    Other(String),
}

impl Fault {
    fn finding(self, path: &Path) -> Diagnostic {
        match self {
            Self::Kind(what) => unreadable(path, &what)
                .help("inputs are regular files, and no symlink in the project is followed: put the file itself there"),
            Self::Other(why) => unreadable(path, &why),
            Self::TooLarge => unreadable(path, "it is too large"),
        }
    }
}

impl From<rustix::io::Errno> for Fault {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Other(std::io::Error::from(error).to_string())
    }
}

fn anywhere(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Fault::Other("it is no regular file".to_owned()));
    };
    below(&Folder::open(folder)?, Path::new(name), max_bytes)
}

fn below(folder: &Folder, relative: &Path, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let file = folder.file(relative).map_err(|refusal| match refusal {
        Refusal::Kind(path, what) => {
            let which = if path == relative { "it".to_owned() } else { format!("`{}`", path.display()) };
            Fault::Kind(format!("{which} is {what}"))
        }
        Refusal::Outside => Fault::Other("it is no regular file".to_owned()),
        Refusal::Absent => rustix::io::Errno::NOENT.into(),
        Refusal::Failed(error) => error.into(),
    })?;
    content(file, max_bytes)
}

fn content(file: std::fs::File, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let read = handle::read(file, max_bytes).map_err(|error| Fault::Other(error.to_string()))?;
    read.ok_or(Fault::TooLarge)
}

/// Why a file over a limit cannot be used, as a clause.
#[must_use]
pub fn too_large(limits: &Limits, limit: Limit) -> String {
    format!("it is too large: {}", limits.says(limit))
}

/// Whether something lies at a path below a folder. When the disk does not say, it counts as there: only what is surely
/// gone may have consequences.
#[must_use]
pub fn exists(root: &Folder, relative: &str) -> bool {
    root.look(Path::new(relative)) != Err(Refusal::Absent)
}

pub(super) fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(Code::UnreadableInput, format!("this file cannot be read: {why}")).about(path.display().to_string())
}

/// The file that a `copy:` or `sources:` entry names, relative to the project root.
///
/// # Errors
/// In words, why it cannot be used: outside the project, a symlink on the way, unreadable, over the limit
/// ([`too_large`]).
pub fn asset(root: &Folder, named: &str, limits: &Limits, limit: Limit) -> Result<Vec<u8>, String> {
    let relative = Path::new(named.trim_start_matches("./"));
    let file = root.file(relative).map_err(|refusal| match refusal {
        Refusal::Outside => "its path does not lead to a place below the project root".to_owned(),
        Refusal::Kind(path, what) => format!("`{}` is {what}", path.display()),
        Refusal::Absent => "there is no such file below the project root".to_owned(),
        Refusal::Failed(error) => std::io::Error::from(error).to_string(),
    })?;
    content(file, limits.size(limit)).map_err(|fault| match fault {
        Fault::TooLarge => too_large(limits, limit),
        Fault::Kind(why) | Fault::Other(why) => why,
    })
}

/// The path without symlinks, as far as it exists; what does not exist is taken by its text.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (std::fs::canonicalize(above), path.strip_prefix(above)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_path_buf()
}
