//! Reads one regular file as text or bytes, with a limit. The only place that opens an input.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::limit::{Limit, Limits};

/// The text of a regular file.
///
/// # Errors
/// MX101 if it cannot be read, is no regular file, is over [`Limit::InputBytes`], or is not UTF-8 (with the offset).
pub fn text(path: &Path, limits: &Limits) -> Result<String, Diagnostic> {
    let limit = Limit::InputBytes;
    let bytes = read(path, limits.size(limit)).map_err(|fault| match fault {
        Fault::TooLarge => unreadable(path, &too_large(limits, limit)).help(limit.help("split it into several files")),
        Fault::Other(why) => unreadable(path, &why),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(path, &format!("it is not UTF-8 text (byte {at})")).help("save the file as UTF-8")
    })
}

/// The bytes of a regular file.
///
/// # Errors
/// MX101 if it cannot be read, is no regular file, or is over the limit.
pub fn bytes(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Diagnostic> {
    read(path, max_bytes).map_err(|fault| match fault {
        Fault::TooLarge => unreadable(path, &format!("it is larger than the limit of {max_bytes} bytes")),
        Fault::Other(why) => unreadable(path, &why),
    })
}

/// Why a file cannot be used.
enum Fault {
    TooLarge,
    Other(String),
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let failed = |error: std::io::Error| Fault::Other(error.to_string());
    let meta = std::fs::symlink_metadata(path).map_err(failed)?;
    if meta.is_symlink() {
        return Err(Fault::Other("it is a symlink; inputs are regular files".to_owned()));
    }
    if !meta.is_file() {
        return Err(Fault::Other("it is no regular file".to_owned()));
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0).min(max_bytes));
    let mut limited = file.take(u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max_bytes { Err(Fault::TooLarge) } else { Ok(bytes) }
}

/// Why a file over a limit cannot be used, as a clause.
#[must_use]
pub fn too_large(limits: &Limits, limit: Limit) -> String {
    format!("it is too large: {}", limits.says(limit))
}

/// Whether something lies at a path below a folder. When the disk does not say, it counts as there: only what is surely
/// gone may have consequences.
#[must_use]
pub fn exists(root: &Path, relative: &str) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::symlink_metadata(root.join(relative)) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), NotFound | NotADirectory),
    }
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(Code::UnreadableInput, format!("this file cannot be read: {why}")).about(path.display().to_string())
}

/// The file that a `copy:` or `sources:` entry names, relative to the project root.
///
/// # Errors
/// In words, why it cannot be used: outside the project, a symlink on the way, unreadable, over the limit
/// ([`too_large`]).
pub fn asset(root: &Path, named: &str, limits: &Limits, limit: Limit) -> Result<Vec<u8>, String> {
    let relative = Path::new(named.trim_start_matches("./"));
    let mut path = root.to_path_buf();
    for part in relative.components() {
        let std::path::Component::Normal(name) = part else {
            return Err("its path does not lead to a place below the project root".to_owned());
        };
        path.push(name);
        match std::fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => {
                let shown = path.strip_prefix(root).unwrap_or(&path).display();
                return Err(format!("`{shown}` is a symlink"));
            }
            Ok(_) => {}
            Err(_) => return Err("there is no such file below the project root".to_owned()),
        }
    }
    read(&path, limits.size(limit)).map_err(|fault| match fault {
        Fault::TooLarge => too_large(limits, limit),
        Fault::Other(why) => why,
    })
}

/// The path without symlinks, as far as it exists; what does not exist is taken by its text.
#[must_use]
pub fn real(path: &Path) -> std::path::PathBuf {
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (std::fs::canonicalize(above), path.strip_prefix(above)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_path_buf()
}
