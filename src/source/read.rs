//! Reads one regular file as text or bytes, with a limit. The only place that opens an input.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};

/// What every message about an unreadable file begins with.
const UNREADABLE: &str = "this file cannot be read: ";

/// The text of a regular file.
///
/// # Errors
/// MX101 if it cannot be read, is no regular file, is over the limit, or is not UTF-8 (with the offset).
pub fn text(path: &Path, max_bytes: usize) -> Result<String, Diagnostic> {
    let bytes = bytes(path, max_bytes)?;
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
    let meta = std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error.to_string()))?;
    if meta.is_symlink() {
        return Err(unreadable(path, "it is a symlink; inputs are regular files"));
    }
    if !meta.is_file() {
        return Err(unreadable(path, "it is no regular file"));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0).min(max_bytes));
    let mut limited = file.take(u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(|error| unreadable(path, &error.to_string()))?;
    if bytes.len() > max_bytes {
        return Err(unreadable(path, &format!("it is larger than the limit of {max_bytes} bytes")));
    }
    Ok(bytes)
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
    Diagnostic::new(Code::UnreadableInput, format!("{UNREADABLE}{why}")).about(path.display().to_string())
}

/// The file that a `copy:` or `sources:` entry names, relative to the project root.
///
/// # Errors
/// In words, why it cannot be used: outside the project, a symlink on the way, unreadable, too large.
pub fn asset(root: &Path, named: &str, max_bytes: usize) -> Result<Vec<u8>, String> {
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
    bytes(&path, max_bytes).map_err(|finding| match finding.message.strip_prefix(UNREADABLE) {
        Some(why) => why.to_owned(),
        None => finding.message,
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
