//! The lockfile: the record of what was written, one shard of text per mega-file.
//!
//! A shard lies at `.megax/lock/<team>/<mega-file id>.lock`, is committed, and merges line by line: one line per file,
//! sorted by path, no timestamp, no host, no absolute path. It is untrusted when read. This module only turns text into
//! a [`Lockfile`] and back; it must never touch the disk, and never guess at a text that it does not wholly understand.

mod reservation;
mod salvage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

pub use reservation::{CLAIM_ENDING, CLAIM_VERSION_LINE, Reservation, reservation_path};
pub use salvage::{Salvaged, salvage};

use crate::digest::{Digest, same_text};
use crate::hidden::is_hidden;
use crate::path::{FileMode, OutputPath, PathError};

/// The first line of a shard.
pub const VERSION_LINE: &str = "megax-lock 1";
/// The first line of a shard with an [`LockEntry::lf_digest`]; older versions of megax cannot read it. It is written
/// only then.
pub const VERSION_2_LINE: &str = "megax-lock 2";
/// The first line of a shard with a detached file ([`EntryState::is_detached`]); older versions of megax cannot read it,
/// so that they never take such a file for their own. It is written only then.
pub const VERSION_3_LINE: &str = "megax-lock 3";
/// The first lines that are read. Which of them it is does not matter for the lines below: a merge may leave a lower one
/// above a line that the other side brought, and the next run that writes the shard mends it.
const VERSION_LINES: [&str; 3] = [VERSION_LINE, VERSION_2_LINE, VERSION_3_LINE];
/// Largest shard that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// Most files in one shard.
pub const MAX_ENTRIES: usize = 500_000;
/// Longest name of a team or id of a mega-file, in bytes.
pub const MAX_NAME_BYTES: usize = 100;
/// Longest path of a mega-file, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4_096;

/// What git leaves behind in a file that it could not merge.
const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// What one mega-file wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// The engine that rendered, as text (`megax 0.1.0`).
    pub engine: String,
    /// The digest of all inputs; `None` unless the mega-file was last applied whole.
    pub inputs: Option<Digest>,
    /// The file of the mega-file, relative to the project root ([`is_source`]); `None` when it lay outside, or cannot
    /// be written here.
    pub source: Option<String>,
    /// The files.
    pub entries: BTreeMap<OutputPath, LockEntry>,
}

/// Whose a recorded file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    /// Megax's: it is kept as planned, and an edit of it is a conflict.
    Managed,
    /// The user's once it exists.
    Once,
    /// The user's for good, whatever the plan says, and also while it does not exist. The digest is that of the bytes
    /// that megax wrote last, or would have written.
    Detached,
    /// As [`EntryState::Detached`], of a file that is [`EntryState::Once`] when megax takes it back.
    DetachedOnce,
}

impl EntryState {
    const ALL: [Self; 4] = [Self::Managed, Self::Once, Self::Detached, Self::DetachedOnce];

    /// What a plan makes of a file.
    #[must_use]
    pub fn planned(once: bool) -> Self {
        if once { Self::Once } else { Self::Managed }
    }

    /// The word in a shard.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "-",
            Self::Once => "once",
            Self::Detached => "detached",
            Self::DetachedOnce => "detached-once",
        }
    }

    /// Whether the file is the user's for good.
    #[must_use]
    pub fn is_detached(self) -> bool {
        matches!(self, Self::Detached | Self::DetachedOnce)
    }

    /// The state once the file is left to the user.
    #[must_use]
    pub fn detached(self) -> Self {
        match self {
            Self::Managed | Self::Detached => Self::Detached,
            Self::Once | Self::DetachedOnce => Self::DetachedOnce,
        }
    }

    /// The state once megax has taken the file back: what it was before it was detached.
    #[must_use]
    pub fn adopted(self) -> Self {
        match self {
            Self::Managed | Self::Detached => Self::Managed,
            Self::Once | Self::DetachedOnce => Self::Once,
        }
    }
}

/// What was written at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockEntry {
    /// The digest of the bytes as rendered.
    pub digest: Digest,
    /// The digest after CRLF became LF; only for a text that holds CRLF ([`crate::digest::lf_digest`]). With it the
    /// file is known again when version control has turned its line endings.
    pub lf_digest: Option<Digest>,
    /// The mode as planned.
    pub mode: FileMode,
    /// Whose the file is.
    pub state: EntryState,
    /// The name of the template; empty for a file that needs none.
    pub template: String,
}

impl LockEntry {
    /// Whether bytes with these digests are the recorded ones, line endings aside.
    #[must_use]
    pub fn is_written_as(&self, digest: Digest, lf_digest: Option<Digest>) -> bool {
        same_text((self.digest, self.lf_digest), (digest, lf_digest))
    }

    /// Whether the file is the user's for good.
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.state.is_detached()
    }
}

/// A text is no lockfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LockfileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Flaw,
}

/// What is wrong with a line of a lockfile. `Display` gives a lower-case fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A marker of an unfinished merge, such as `<<<<<<<`.
    ConflictMarker(&'static str),
    /// The first line names no version, or another one.
    Version(String),
    /// The same of a reservation.
    ClaimVersion(String),
    /// A header line is missing; its key is named.
    Header(&'static str),
    /// A text that is no digest.
    Digest(String),
    /// A word that is no mode.
    Mode(String),
    /// A word that is no state.
    State(String),
    /// The line has too few fields.
    Fields,
    /// No output path.
    Path(PathError),
    /// A path that is not written in NFC.
    NotNormal(String),
    /// No name of a team or id of a mega-file.
    Name(String),
    /// No path of a mega-file below the project root.
    Source(String),
    /// A wrong or needless escape.
    Escape(String),
    /// The path does not sort after the one above it.
    Order(String),
    /// The path of the line above again.
    Duplicate(String),
    /// The last line has no newline: the text was cut off.
    CutOff,
    /// The text is not UTF-8.
    NotText,
    /// A limit: its name and its value.
    TooLong(&'static str, usize),
    /// The file lies where another one belongs; the right place is named.
    Misplaced(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConflictMarker(mark) => {
                write!(
                    f,
                    "the conflict marker `{mark}` of an unfinished merge; take either side whole, the next run writes it anew"
                )
            }
            Self::Version(found) => {
                write!(f, "expected `{VERSION_LINE}` to `{VERSION_3_LINE}`, found `{}`", shown(found))
            }
            Self::ClaimVersion(found) => write!(f, "expected `{CLAIM_VERSION_LINE}`, found `{}`", shown(found)),
            Self::Header(key) => write!(f, "expected the header line `{key}`"),
            Self::Digest(found) => write!(f, "`{}` is no digest", shown(found)),
            Self::Mode(found) => write!(f, "`{}` is no mode (`regular` or `executable`)", shown(found)),
            Self::State(found) => {
                write!(f, "`{}` is no state (`-`, `once`, `detached` or `detached-once`)", shown(found))
            }
            Self::Fields => f.write_str("expected digest, mode, state, path, tab, template"),
            Self::Path(error) => error.fmt(f),
            Self::NotNormal(path) => write!(f, "the path `{}` is not normalised (NFC)", shown(path)),
            Self::Name(name) => write!(f, "`{}` is no name of a team or mega-file", shown(name)),
            Self::Source(path) => write!(f, "`{}` is no path of a mega-file below the project root", shown(path)),
            Self::Escape(found) => write!(f, "`{}` is not escaped as it should be", shown(found)),
            Self::Order(path) => write!(f, "`{}` is not in its sorted place", shown(path)),
            Self::Duplicate(path) => write!(f, "`{}` stands twice", shown(path)),
            Self::CutOff => f.write_str("the text is cut off (no newline at its end)"),
            Self::NotText => f.write_str("the file is not UTF-8 text"),
            Self::TooLong(what, limit) => write!(f, "{what} is over the limit of {limit}"),
            Self::Misplaced(right) => write!(f, "this file belongs at `{}`", shown(right)),
        }
    }
}

/// Hostile text for a message: escaped, and no longer than a line of a terminal.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Whether a text can name a team or a mega-file: `[A-Za-z0-9][A-Za-z0-9._-]{0,99}`. Such a name is safe as the name of
/// a file.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether a text can be the path of a mega-file in a shard: relative, with `/` between names, without `.` and `..`,
/// one plain line, and at most [`MAX_SOURCE_BYTES`] long. Joined to a folder, such a path stays below it.
#[must_use]
pub fn is_source(text: &str) -> bool {
    let hides = |c: char| c.is_control() || matches!(c, '\\' | char::REPLACEMENT_CHARACTER);
    let drive = text.as_bytes().get(1) == Some(&b':');
    let name = |part: &str| !matches!(part, "" | "." | "..");
    // `-` stands for no path; blanks at an edge are what editors strip.
    let bare = text != "-" && text == text.trim();
    bare && !drive && text.len() <= MAX_SOURCE_BYTES && !text.contains(hides) && text.split('/').all(name)
}

/// Where the shard of a mega-file lies, relative to the output root. Both names must be names ([`is_name`]).
#[must_use]
pub fn shard_path(team: &str, id: &str) -> String {
    format!(".megax/lock/{team}/{id}.lock")
}

/// Whether a text says that it is a shard of a version that came after this program.
#[must_use]
pub fn is_newer(text: &str) -> bool {
    let number = text.lines().next().and_then(|line| line.strip_prefix("megax-lock "));
    number.and_then(|number| number.parse::<usize>().ok()).is_some_and(|number| number > VERSION_LINES.len())
}

impl Lockfile {
    /// Reads a shard. Line endings may be CRLF (git may have changed them); all else is strict.
    ///
    /// # Errors
    /// The first line that is not exactly what [`Lockfile::to_text`] would write, and why. A conflict marker is
    /// reported before anything else.
    pub fn parse(text: &str) -> Result<Self, LockfileError> {
        check_text(text)?;
        let mut lines = text.lines().zip(1..);
        let found = lines.next().map_or("", |(line, _)| line);
        if !VERSION_LINES.contains(&found) {
            return Err(at(1, Flaw::Version(found.to_owned())));
        }
        let mut header = |key: &'static str, number| {
            let value = lines.next().and_then(|(line, _)| line.strip_prefix(key)?.strip_prefix(' '));
            value.ok_or_else(|| at(number, Flaw::Header(key)))
        };
        let engine = unescape(header("engine", 2)?).map_err(|flaw| at(2, flaw))?;
        let inputs = parse_inputs(header("inputs", 3)?).map_err(|flaw| at(3, flaw))?;
        let team = parse_name(header("team", 4)?).map_err(|flaw| at(4, flaw))?;
        let mega_file = parse_name(header("mega-file", 5)?).map_err(|flaw| at(5, flaw))?;
        let source = parse_source(header("source", 6)?).map_err(|flaw| at(6, flaw))?;
        let mut entries = BTreeMap::new();
        for (line, number) in lines {
            let (path, entry) = parse_entry(line).map_err(|flaw| at(number, flaw))?;
            match entries.last_key_value() {
                Some((last, _)) if *last == path => return Err(at(number, Flaw::Duplicate(path.to_string()))),
                Some((last, _)) if *last > path => return Err(at(number, Flaw::Order(path.to_string()))),
                _ if entries.len() == MAX_ENTRIES => {
                    return Err(at(number, Flaw::TooLong("the number of files in a shard", MAX_ENTRIES)));
                }
                _ => entries.insert(path, entry),
            };
        }
        Ok(Self { team, mega_file, engine, inputs, source, entries })
    }

    /// The text of the shard; [`Lockfile::parse`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let inputs = self.inputs.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
        let any = |is: fn(&LockEntry) -> bool| self.entries.values().any(is);
        let version = match (any(LockEntry::is_detached), any(|entry| entry.lf_digest.is_some())) {
            (true, _) => VERSION_3_LINE,
            (false, true) => VERSION_2_LINE,
            (false, false) => VERSION_LINE,
        };
        let mut text = format!(
            "{version}\nengine {}\ninputs {inputs}\nteam {}\nmega-file {}\nsource {}\n",
            escape(&self.engine),
            self.team,
            self.mega_file,
            self.source.as_deref().unwrap_or("-")
        );
        for (path, entry) in &self.entries {
            let (mode, state, template) = (entry.mode.as_str(), entry.state.as_str(), escape(&entry.template));
            let lf_digest = entry.lf_digest.map_or_else(String::new, |digest| format!("/{digest}"));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}{lf_digest} {mode} {state} {path}\t{template}", entry.digest);
        }
        text
    }

    /// Where this shard lies, relative to the output root.
    #[must_use]
    pub fn shard_path(&self) -> String {
        shard_path(&self.team, &self.mega_file)
    }
}

fn at(line: usize, reason: Flaw) -> LockfileError {
    LockfileError { line, reason }
}

/// What can be said of the text before its lines mean anything.
fn check_text(text: &str) -> Result<(), LockfileError> {
    if text.len() > MAX_BYTES {
        return Err(at(1, Flaw::TooLong("the size of a shard in bytes", MAX_BYTES)));
    }
    for (line, number) in text.lines().zip(1..) {
        if let Some(mark) = MARKERS.into_iter().find(|mark| line.starts_with(mark)) {
            return Err(at(number, Flaw::ConflictMarker(mark)));
        }
        // Whoever read the file put this character in place of bytes that are no text; `escape` never leaves it bare.
        if line.contains(char::REPLACEMENT_CHARACTER) {
            return Err(at(number, Flaw::NotText));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(at(text.lines().count(), Flaw::CutOff));
    }
    Ok(())
}

fn parse_inputs(text: &str) -> Result<Option<Digest>, Flaw> {
    if text == "-" { Ok(None) } else { parse_digest(text).map(Some) }
}

fn parse_digest(text: &str) -> Result<Digest, Flaw> {
    Digest::parse(text).ok_or_else(|| Flaw::Digest(text.to_owned()))
}

fn parse_name(text: &str) -> Result<String, Flaw> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(Flaw::Name(text.to_owned())) }
}

fn parse_source(text: &str) -> Result<Option<String>, Flaw> {
    match text {
        "-" => Ok(None),
        _ if text.len() > MAX_SOURCE_BYTES => Err(Flaw::TooLong("the path of a mega-file in bytes", MAX_SOURCE_BYTES)),
        _ if is_source(text) => Ok(Some(text.to_owned())),
        _ => Err(Flaw::Source(text.to_owned())),
    }
}

/// The digest of a file, and after `/` the one for line endings.
fn parse_digests(text: &str) -> Result<(Digest, Option<Digest>), Flaw> {
    match text.split_once('/') {
        Some((digest, lf_digest)) => Ok((parse_digest(digest)?, Some(parse_digest(lf_digest)?))),
        None => Ok((parse_digest(text)?, None)),
    }
}

fn parse_entry(line: &str) -> Result<(OutputPath, LockEntry), Flaw> {
    let mut fields = line.splitn(4, ' ');
    let mut field = || fields.next().ok_or(Flaw::Fields);
    let (digest, mode, word, rest) = (field()?, field()?, field()?, field()?);
    let (name, template) = rest.split_once('\t').ok_or(Flaw::Fields)?;
    let mode = match mode {
        "regular" => FileMode::Regular,
        "executable" => FileMode::Executable,
        _ => return Err(Flaw::Mode(mode.to_owned())),
    };
    let state = EntryState::ALL.into_iter().find(|known| known.as_str() == word);
    let state = state.ok_or_else(|| Flaw::State(word.to_owned()))?;
    let path = OutputPath::parse(name).map_err(Flaw::Path)?;
    if path.as_str() != name {
        return Err(Flaw::NotNormal(name.to_owned()));
    }
    let (digest, lf_digest) = parse_digests(digest)?;
    Ok((path, LockEntry { digest, lf_digest, mode, state, template: unescape(template)? }))
}

/// A free text on one line: `-` for none, `\u{..}` for what would break or hide in a line.
pub(crate) fn escape(text: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    let last = text.chars().count() - 1;
    let mut out = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        let edge = index == 0 || index == last;
        match c {
            '\\' => out.push_str("\\\\"),
            // Blanks at an edge are what editors strip.
            _ if is_hidden(c) || c == char::REPLACEMENT_CHARACTER || (edge && c.is_whitespace()) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            '-' if last == 0 => out.push_str("\\u{2d}"),
            _ => out.push(c),
        }
    }
    out
}

pub(crate) fn unescape(text: &str) -> Result<String, Flaw> {
    let wrong = || Flaw::Escape(text.to_owned());
    let mut out = String::with_capacity(text.len());
    let mut rest = if text == "-" { "" } else { text };
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        if let Some(after) = escape.strip_prefix('\\') {
            out.push('\\');
            rest = after;
        } else {
            let (code, after) = escape.strip_prefix("u{").and_then(|inner| inner.split_once('}')).ok_or_else(wrong)?;
            let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32).ok_or_else(wrong)?;
            out.push(c);
            rest = after;
        }
    }
    out.push_str(rest);
    // One spelling only, so that equal records are equal texts.
    if escape(&out) == text { Ok(out) } else { Err(wrong()) }
}
