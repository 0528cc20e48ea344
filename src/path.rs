//! Output paths: the one policy that decides where a file may lie at all.
//!
//! An [`OutputPath`] exists only if every platform can hold it: this module parses, normalises (NFC) and folds, and
//! never touches the disk. Where a *team* may write is a boundary and lives in `plan`.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

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
    /// Holds a part `.` or `..`.
    Escapes(String),
    /// Holds `//`, or ends in `/`.
    EmptyPart,
    /// Holds a character that some platform refuses, or that hides.
    Character(char),
    /// A name that Windows reserves.
    Device(String),
    /// A name that ends in a dot or a blank, or begins with a blank.
    Edge(String),
    /// A folder that belongs to git or to megax.
    Reserved(String),
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
            Self::Reserved(name) => write!(f, "`{name}` belongs to git or to megax; no mega-file writes there"),
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
    if part.starts_with(' ') || part.ends_with([' ', '.']) {
        return Err(PathError::Edge(part.to_owned()));
    }
    if part.len() > MAX_NAME_BYTES {
        return Err(PathError::TooLong("the length of a name in bytes", MAX_NAME_BYTES));
    }
    if is_device(part) {
        return Err(PathError::Device(part.to_owned()));
    }
    // Folding ASCII changes letters only, so most names need none.
    if part.is_ascii() && !part.starts_with('.') && !part.contains('~') {
        return Ok(());
    }
    let folded = fold(part);
    if matches!(folded.as_str(), ".git" | ".megax") || folded.starts_with("git~") || folded.starts_with("megax~") {
        return Err(PathError::Reserved(part.to_owned()));
    }
    Ok(())
}

/// Control characters, what Windows refuses, and format characters that hide or reorder (bidi, zero width, BOM, tags).
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || (u32::from(c) & 0xfffe) == 0xfffe
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_some_platform_cannot_hold() {
        let long = "n".repeat(256);
        let deep = "d/".repeat(65) + "f";
        let wide = format!("{}/{}", "x".repeat(200), "y/".repeat(5)) + &"z/".repeat(600) + "f";
        for text in [
            "",
            "/etc/x",
            "//x",
            "\\x",
            "C:\\x",
            "C:x",
            "..",
            ".",
            "a/../b",
            "../x",
            "a//b",
            "a/",
            "a\\b",
            "a:b",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            ".g\u{200c}it/x",
            "CON",
            "aux.ts",
            "COM1.txt",
            "com¹",
            "a.",
            "a ",
            " a",
            "x/a./b",
            ".git/hooks/x",
            ".GIT/config",
            "sub/.git",
            "git~1/x",
            ".megax/x",
            ".MEGAX",
            "a*b",
            "a?b",
            "\u{feff}a",
            &long,
            &deep,
            &wide,
        ] {
            assert!(OutputPath::parse(text).is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn takes_ordinary_names() {
        for text in [
            "a",
            "src/api/v1/users/controller.ts",
            ".github/workflows/ci.yml",
            "[id].tsx",
            "(group)/page.tsx",
            "å/ü.txt",
            "console.ts",
            "com10.txt",
            ".gitignore",
            "a b/c",
            "@scope/x",
            "$types.d.ts",
            "+page.svelte",
        ] {
            assert_eq!(OutputPath::parse(text).as_ref().map(OutputPath::as_str), Ok(text));
        }
    }

    #[test]
    fn one_place_has_one_key() {
        let key = |text: &str| OutputPath::parse(text).map(|path| path.key());
        assert_eq!(key("Readme.md"), key("README.md"));
        assert_eq!(key("caf\u{e9}.ts"), key("cafe\u{301}.ts"));
        assert_eq!(key("stra\u{df}e"), key("STRASSE"));
        assert_eq!(key("\u{fb01}le"), key("file"));
        assert_ne!(key("a"), key("b"));
    }

    proptest! {
        #[test]
        fn parsing_is_stable(text in "\\PC{0,40}") {
            if let Ok(path) = OutputPath::parse(&text) {
                prop_assert_eq!(OutputPath::parse(path.as_str()), Ok(path.clone()));
                prop_assert!(path.parts().all(|part| !part.is_empty() && part != "." && part != ".."));
                let key = path.key();
                prop_assert_eq!(fold(key.as_str()), key.as_str());
            }
        }
    }
}
