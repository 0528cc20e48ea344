//! Output paths: the one policy that decides where a file may lie at all.
//!
//! An [`OutputPath`] exists only if every platform can hold it: this module parses, normalises (NFC) and folds, and
//! never touches the disk. It judges what was *rendered*, never a template. Where a *team* may write is a boundary and
//! lives in `plan`.
//!
//! A leading `-` or `~x`, `%2e%2e` and the like are ordinary: no file system gives them a meaning.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_public_assigned;

use crate::hidden::is_hidden;

/// Longest single name in bytes (the limit of common file systems).
pub const MAX_NAME_BYTES: usize = 255;
/// Longest whole path in bytes, below the common 4,096 so that a root can stand before it.
pub const MAX_PATH_BYTES: usize = 1_024;
/// Most folders that a path may be deep.
pub const MAX_DEPTH: usize = 64;

/// How a file is to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FileMode {
    /// An ordinary file.
    #[default]
    Regular,
    /// A file with the executable bits.
    Executable,
}

impl FileMode {
    /// The word used in the lockfile and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Executable => "executable",
        }
    }
}

/// A path relative to the output root: `/` between parts, no empty, `.` or `..` part, NFC, no reserved name on any
/// platform. Can only be made by [`OutputPath::parse`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputPath(Box<str>);

/// Two paths with equal keys are one place on some file system: full case folding after NFC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathKey(Box<str>);

impl PathKey {
    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no output path. `Display` gives a lower-case fragment that names the offending part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathError {
    /// Nothing was left.
    Empty,
    /// Begins with `/`, a drive or a UNC prefix.
    Absolute,
    /// Holds a part `.` or `..`, or one that some program reads as such.
    Escapes(String),
    /// Holds `//`, or ends in `/`.
    EmptyPart,
    /// Holds a character that some platform refuses, or that hides.
    Character(char),
    /// A name that Windows reserves.
    Device(String),
    /// A name that ends in a dot or a blank, or begins with a blank.
    Edge(String),
    /// A folder that belongs to a version control system or to megax.
    Reserved(String),
    /// The form of the second name that Windows gives to long names.
    ShortName(String),
    /// A name that stands for another place: the home folder in a shell, a file's other fork on macOS.
    Elsewhere(String),
    /// A name, the path or its depth is over the limit.
    TooLong(&'static str, usize),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the path is empty"),
            Self::Absolute => f.write_str("the path is absolute; paths are relative to the output root"),
            Self::Escapes(part) => write!(f, "the part `{part}` would leave the output root"),
            Self::EmptyPart => f.write_str("the path has an empty part (`//`, or a `/` at its end)"),
            Self::Character(c) => {
                write!(f, "the character {} cannot stand in a file name on every platform", describe(*c))
            }
            Self::Device(name) => write!(f, "`{name}` is a device name on Windows"),
            Self::Edge(name) => write!(f, "the name `{name}` begins or ends with a blank, or ends with a dot"),
            Self::Reserved(name) => {
                write!(f, "`{name}` belongs to version control or to megax; no mega-file writes there")
            }
            Self::ShortName(name) => {
                write!(f, "`{name}` has the form of a short name, by which Windows finds a file of another name")
            }
            Self::Elsewhere(name) => write!(f, "`{name}` means another place to some programs"),
            Self::TooLong(what, limit) => write!(f, "{what} is over the limit of {limit}"),
        }
    }
}

impl std::error::Error for PathError {}

fn describe(c: char) -> String {
    if c.is_ascii_graphic() { format!("`{c}`") } else { format!("U+{:04X}", u32::from(c)) }
}

impl OutputPath {
    /// Parses a rendered path. The text is normalised to NFC first.
    ///
    /// # Errors
    /// The first rule that the text breaks; see [`PathError`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        // ASCII is its own normal form, and nearly every path is ASCII.
        let text: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with(['/', '\\']) || is_drive(&text) {
            return Err(PathError::Absolute);
        }
        if text.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong("the length of the path in bytes", MAX_PATH_BYTES));
        }
        let mut depth = 0;
        for part in text.split('/') {
            check_part(part)?;
            depth += 1;
        }
        if depth > MAX_DEPTH {
            return Err(PathError::TooLong("the depth of the path", MAX_DEPTH));
        }
        Ok(Self(text.into_boxed_str()))
    }

    /// The text, `/` between parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts, from the top folder to the file's name.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The file's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder of the file, `""` at the top.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The key under which collisions are found.
    #[must_use]
    pub fn key(&self) -> PathKey {
        PathKey(fold(&self.0).into_boxed_str())
    }
}

impl fmt::Display for OutputPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Full case folding of an NFC text, normalised again (folding can undo NFC).
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    caseless::default_case_fold_str(text).nfc().collect()
}

fn is_drive(text: &str) -> bool {
    let mut chars = text.chars();
    matches!((chars.next(), chars.next()), (Some(letter), Some(':')) if letter.is_ascii_alphabetic())
}

fn check_part(part: &str) -> Result<(), PathError> {
    if part.is_empty() {
        return Err(PathError::EmptyPart);
    }
    if part == "." || part == ".." {
        return Err(PathError::Escapes(part.to_owned()));
    }
    if let Some(c) = part.chars().find(|&c| is_refused(c)) {
        return Err(PathError::Character(c));
    }
    if part.starts_with(char::is_whitespace) || part.ends_with(|c: char| c == '.' || c.is_whitespace()) {
        return Err(PathError::Edge(part.to_owned()));
    }
    if part.len() > MAX_NAME_BYTES {
        return Err(PathError::TooLong("the length of a name in bytes", MAX_NAME_BYTES));
    }
    check_name(part, part)?;
    if part.is_ascii() {
        return Ok(());
    }
    // HFS+ keeps names decomposed, which can be longer than NFC.
    if part.nfd().map(char::len_utf16).sum::<usize>() > MAX_NAME_BYTES {
        return Err(PathError::TooLong("the length of a name in UTF-16 units, decomposed", MAX_NAME_BYTES));
    }
    // Programs on Windows that still use code pages read compatibility variants as the plain characters.
    let plain: String = part.nfkc().collect();
    if plain.chars().all(|c| c == '.') {
        return Err(PathError::Escapes(part.to_owned()));
    }
    check_name(part, &fold(plain.trim_end_matches(['.', ' '])))
}

/// Checks what a name means: `name` is the part of the path, or what some program takes it for.
fn check_name(part: &str, name: &str) -> Result<(), PathError> {
    if is_device(name) {
        return Err(PathError::Device(part.to_owned()));
    }
    // Folding ASCII changes letters only, so most names need none.
    if !name.starts_with(['.', '_', '~']) && !name.contains('~') && name.is_ascii() {
        return Ok(());
    }
    let folded = fold(name);
    if RESERVED.contains(&folded.as_str()) {
        return Err(PathError::Reserved(part.to_owned()));
    }
    if is_short_name(&folded) {
        return Err(PathError::ShortName(part.to_owned()));
    }
    if matches!(folded.as_str(), "~" | "..namedfork") {
        return Err(PathError::Elsewhere(part.to_owned()));
    }
    Ok(())
}

/// Folders with the stores of version control systems, whose files are obeyed (hooks, `config`, `hgrc`), and of megax, in
/// any folder. `CVS` is not among them: nothing in it is run, and `cvs` is a word of its own.
const RESERVED: &[&str] = &[".git", ".megax", ".hg", ".svn", ".jj", ".sl", ".bzr", ".pijul", "_darcs"];

/// Whether a folded name has the form `GIT~1` or `INDEX~12.HTM`: by such a second name NTFS and FAT find `.git`, and every
/// other file that a boundary forbids by its own name.
fn is_short_name(folded: &str) -> bool {
    let (stem, extension) = folded.split_once('.').unwrap_or((folded, ""));
    let Some((start, digits)) = stem.rsplit_once('~') else { return false };
    let is_number = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && !start.is_empty() && stem.chars().count() <= 8 && extension.chars().count() <= 3
}

/// What Windows refuses; characters that cannot be seen, or look like a separator or a blank; and what Unicode gives no
/// meaning (private use and unassigned). HFS+ leaves some invisible characters out when it compares names, and Linux all of
/// them in folders that ignore case, so that `.g<U+200C>it` is `.git` there.
fn is_refused(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    }
    is_hidden(c)
        || is_ignorable(c)
        || (c.is_whitespace() && c != '\u{3000}')
        || is_like_separator(c)
        || !is_public_assigned(c)
}

/// Unicode's default ignorable characters beside the hidden ones, variation selectors among them.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fff8}')
}

/// What a reader, or the code pages of Windows, take for `/` or `\`.
fn is_like_separator(c: char) -> bool {
    matches!(c, '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29f5}' | '\u{29f8}' | '\u{29f9}' | '\u{2571}' | '\u{2572}')
        || std::iter::once(c).nfkc().any(|plain| matches!(plain, '/' | '\\'))
}

/// Whether Windows takes the name for a device, with or without an extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    if !(3..=7).contains(&stem.len()) {
        return false;
    }
    let stem = stem.to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => {
            let digits = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            digits.is_some_and(|rest| {
                matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
            })
        }
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
