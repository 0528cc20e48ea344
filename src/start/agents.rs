//! The block that `megax init --agents` keeps in `AGENTS.md`: between two markers, each on a line of its own. Everything
//! else in the file stays as it is, byte for byte, whatever it holds.

use crate::change::OnDisk;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::disk::{self, DiskError, Root};
use crate::path::OutputPath;
use crate::report::Change;
use crate::report::made::MadeFile;
use crate::span::{SourceFile, SourceMap, Span};

/// The file that agent command lines read at their start.
const FILE: &str = "AGENTS.md";
const BEGIN: &str = "<!-- megax:begin -->";
const END: &str = "<!-- megax:end -->";
/// What stands in the block, with its markers.
const BLOCK: &str = include_str!("assets/agents.md");
/// A longer file is none that an agent would read.
const MOST_BYTES: u64 = 1 << 20;
const ABOUT: &str = "what agents are told: the block of megax";

/// What is wrong with the markers of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fault {
    /// The bytes of the marker that is alone, or one too many.
    at: (usize, usize),
    /// What is wrong.
    what: &'static str,
}

/// The text with the block in it: in its place, or at the end.
fn with_block(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let markers = markers(text);
    let (before, after, ending) = match markers.as_slice() {
        [] => return Ok(appended(text)),
        [(begin, true), (end, false)] => (begin.0, end.1, ending(&text[begin.0..])),
        [(_, true), (second, true), ..] => return Err(Fault { at: *second, what: "a second block begins here" }),
        [(only, true)] => return Err(Fault { at: *only, what: "the block that begins here has no end marker" }),
        [(only, false), ..] => return Err(Fault { at: *only, what: "this end marker has no begin marker" }),
        [_, _, (third, _), ..] => return Err(Fault { at: *third, what: "this marker is one too many" }),
    };
    Ok([&text[..before], block(ending).trim_end().as_bytes(), &text[after..]].concat())
}

/// Where lines are that hold nothing but a marker, without their line ending, and whether it is the begin.
fn markers(text: &[u8]) -> Vec<((usize, usize), bool)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let marker = line.trim_ascii();
        if marker == BEGIN.as_bytes() || marker == END.as_bytes() {
            found.push(((start, start + line.trim_ascii_end().len()), marker == BEGIN.as_bytes()));
        }
        start += line.len();
    }
    found
}

/// The line ending of a text: that of its first line.
fn ending(text: &[u8]) -> &'static str {
    let newline = text.iter().position(|byte| *byte == b'\n');
    if newline.is_some_and(|at| text[..at].ends_with(b"\r")) { "\r\n" } else { "\n" }
}

fn block(ending: &str) -> String {
    BLOCK.lines().flat_map(|line| [line, ending]).collect()
}

fn appended(text: &[u8]) -> Vec<u8> {
    let ending = ending(text);
    let gap = match text {
        [] => String::new(),
        text if text.ends_with(b"\n") => ending.to_owned(),
        _ => ending.repeat(2),
    };
    [text, gap.as_bytes(), block(ending).as_bytes()].concat()
}

/// What is to happen to the file.
#[derive(Debug)]
pub(super) struct Agents {
    root: Root,
    before: Option<Digest>,
    text: Vec<u8>,
    change: Change,
}

/// Looks at the file and says what is to happen to it. The text joins `sources` where a finding points into it.
pub(super) fn plan(folder: &std::path::Path, sources: &mut SourceMap) -> Result<Agents, Diagnostic> {
    let failed = |error: DiskError| Diagnostic::new(Code::DiskFailed, error.to_string());
    let root = Root::open(folder).map_err(failed)?;
    let path = path()?;
    let survey = disk::survey(&root, std::slice::from_ref(&path)).map_err(failed)?;
    let old = match survey.get(&path) {
        None | Some(OnDisk::Absent) => None,
        Some(OnDisk::File { .. }) => match disk::read_up_to(&root, &path, MOST_BYTES).map_err(failed)? {
            Some(bytes) => Some(bytes),
            None => return Err(in_the_way("is too long to be read, or changed meanwhile")),
        },
        Some(OnDisk::Other(what)) => return Err(in_the_way(&format!("is {what}"))),
        Some(_) => return Err(in_the_way("cannot be read")),
    };
    let text = with_block(old.as_deref().unwrap_or_default())
        .map_err(|fault| broken(fault, old.as_deref().unwrap_or_default(), sources))?;
    let change = match &old {
        None => Change::Create,
        Some(old) if *old == text => Change::Unchanged,
        Some(_) => Change::Update,
    };
    Ok(Agents { root, before: old.map(|old| Digest::of(&old)), text, change })
}

fn path() -> Result<OutputPath, Diagnostic> {
    OutputPath::parse(FILE).map_err(|why| Diagnostic::new(Code::BadPath, why.to_string()))
}

fn in_the_way(what: &str) -> Diagnostic {
    let finding = Diagnostic::new(Code::AlreadyThere, format!("`{FILE}` {what}; nothing was written"));
    finding.help("put an ordinary text file there, or move it away")
}

fn broken(fault: Fault, text: &[u8], sources: &mut SourceMap) -> Diagnostic {
    let line = memchr::memchr_iter(b'\n', &text[..fault.at.0]).count() + 1;
    let finding =
        Diagnostic::new(Code::BrokenBlock, format!("`{FILE}`, line {line}: {}; nothing was written", fault.what));
    let finding =
        finding.help(format!("let the block stand once, between `{BEGIN}` and `{END}`, or remove both lines"));
    match std::str::from_utf8(text) {
        Ok(text) => {
            let file = sources.add(SourceFile::new(FILE, text));
            finding.at(Span::new(file, fault.at.0, fault.at.1))
        }
        // Lines of other bytes cannot be shown.
        Err(_) => finding.about(FILE),
    }
}

impl Agents {
    /// Carries it out, unless it is only to be said.
    pub(super) fn write(&self, dry_run: bool) -> Result<MadeFile, Diagnostic> {
        if !dry_run && self.change != Change::Unchanged {
            disk::write_single(&self.root, FILE, self.before, &self.text, 0o666).map_err(|error| match error {
                DiskError::ChangedMeanwhile { .. } => Diagnostic::new(Code::ChangedMeanwhile, error.to_string()),
                error => Diagnostic::new(Code::DiskFailed, error.to_string()),
            })?;
        }
        Ok(MadeFile::new(FILE, &String::from_utf8_lossy(&self.text), ABOUT, self.change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(before: &[u8]) -> Vec<u8> {
        with_block(before).unwrap()
    }

    #[test]
    fn the_rest_of_the_file_stays_byte_for_byte_and_a_second_time_changes_nothing() {
        let odd = b"# Mine\r\n\xff\xfe no text\r\nlast line without an end".to_vec();
        for before in [Vec::new(), b"# Mine\n".to_vec(), b"# Mine".to_vec(), b"\n".to_vec(), odd] {
            let once = text(&before);
            assert!(once.starts_with(&before), "what was there is there");
            assert_eq!(text(&once), once);
            let crlf = before.windows(2).any(|pair| pair == b"\r\n");
            let block = String::from_utf8_lossy(&once[before.len()..]).into_owned();
            assert_eq!(block.matches("\r\n").count() == block.matches('\n').count(), crlf, "{block:?}");
            // What follows the block stays, too, and so does what somebody wrote before it.
            let around = [&b"top\n"[..], &once, b"tail \r\n\r\nno end"].concat();
            assert_eq!(text(&around), around);
        }
    }

    #[test]
    fn an_older_block_is_replaced_in_its_place() {
        let before = format!("a\r\n  {BEGIN}  \r\nold\nmixed\r\n{END}\r\nb");
        let after = String::from_utf8(text(before.as_bytes())).unwrap();
        assert!(after.starts_with(&format!("a\r\n{BEGIN}\r\n")), "{after:?}");
        assert!(after.ends_with(&format!("{END}\r\nb")) && !after.contains("old"), "{after:?}");
        assert_eq!(after, format!("a\r\n{}b", block("\r\n")));
    }

    #[test]
    fn a_marker_that_is_alone_is_named() {
        let at = |text: &str| {
            let fault = with_block(text.as_bytes()).unwrap_err();
            (text[..fault.at.0].matches('\n').count() + 1, fault.what)
        };
        assert_eq!(at(&format!("a\n{BEGIN}\nb\n")), (2, "the block that begins here has no end marker"));
        assert_eq!(at(&format!("a\nb\n{END}")), (3, "this end marker has no begin marker"));
        assert_eq!(at(&format!("{BEGIN}\n{BEGIN}\n{END}\n")), (2, "a second block begins here"));
        assert_eq!(at(&format!("{BEGIN}\n{END}\nx\n{END}\n")), (4, "this marker is one too many"));
        let quoted = format!("say `{BEGIN}` twice\n");
        assert_eq!(text(quoted.as_bytes()).len(), quoted.len() + 1 + BLOCK.len(), "a marker within a line is none");
    }
}
