//! Looks at each body while it is in hand, and keeps what does not hold for it.

use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use super::hidden::{self, Hidden, HiddenByMaker};
use super::syntax;
use crate::model::{FileTest, MegaFile};
use crate::output::Facts;
use crate::path::OutputPath;
use crate::plan::PlannedFile;
use crate::span::Span;

/// Which check of a test; the number is that of the text or expression in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// `contains`
    Contains(usize),
    /// `not_contains`
    NotContains(usize),
    /// `matches`
    Matches(usize),
    /// `min_lines`
    MinLines,
    /// `max_lines`
    MaxLines,
    /// `parses`
    Parses,
}

/// A check that does not hold for a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Miss {
    /// The number of the mega-file in the model.
    pub mega_file: usize,
    /// The number of the test in the mega-file.
    pub test: usize,
    /// The check.
    pub check: Check,
    /// The file.
    pub path: OutputPath,
    /// The YAML line that asks for the file.
    pub origin: Span,
    /// Line and column in the file, if the fault has a place there.
    pub at: Option<(u64, u64)>,
    /// What is known of the fault: words of a parser, a near text, the number of lines.
    pub about: String,
    /// The text of the line at fault, shortened.
    pub line: String,
}

/// What was seen in the bodies of a run.
#[derive(Debug, Default)]
pub struct Seen {
    /// Checks that do not hold, sorted.
    pub misses: Vec<Miss>,
    /// Hidden characters, sorted.
    pub hidden: Vec<Hidden>,
}

/// Collects from many threads what is seen.
#[derive(Debug)]
pub struct Inspector<'m> {
    mega_files: &'m [MegaFile],
    found: Mutex<Vec<Miss>>,
    hidden: Mutex<HiddenByMaker>,
}

impl<'m> Inspector<'m> {
    /// An inspector for the tests of these mega-files.
    #[must_use]
    pub fn new(mega_files: &'m [MegaFile]) -> Self {
        Self { mega_files, found: Mutex::default(), hidden: Mutex::default() }
    }

    /// Looks at one body.
    pub fn look(&self, file: &PlannedFile, facts: &Facts, body: &[u8]) {
        let Some(mega) = self.mega_files.get(file.mega_file) else { return };
        if let Some((offset, character)) = hidden::find(body) {
            let mut all = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
            all.add(file, body, offset, character);
        }
        for (number, test) in mega.tests.iter().enumerate() {
            if !test.files.0.matches(file.path.as_str()) {
                continue;
            }
            let misses = checks(test, file, facts, body).into_iter().map(|fault| Miss {
                mega_file: file.mega_file,
                test: number,
                check: fault.check,
                path: file.path.clone(),
                origin: file.origin,
                at: fault.at,
                about: fault.about,
                line: fault.line,
            });
            let misses: Vec<Miss> = misses.collect();
            if !misses.is_empty() {
                self.found.lock().unwrap_or_else(PoisonError::into_inner).extend(misses);
            }
        }
    }

    /// What was found, in an order that does not depend on the threads.
    #[must_use]
    pub fn finish(self) -> Seen {
        let mut misses = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        misses.sort();
        let hidden = self.hidden.into_inner().unwrap_or_else(PoisonError::into_inner);
        Seen { misses, hidden: hidden.finish() }
    }
}

struct Fault {
    check: Check,
    at: Option<(u64, u64)>,
    about: String,
    line: String,
}

impl Fault {
    fn new(check: Check, about: String) -> Self {
        Self { check, at: None, about, line: String::new() }
    }

    fn at(mut self, body: &[u8], at: (u64, u64)) -> Self {
        self.at = Some(at);
        self.line = line_of(body, at.0);
        self
    }
}

fn checks(test: &FileTest, file: &PlannedFile, facts: &Facts, body: &[u8]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, (text, _)) in test.contains.iter().enumerate() {
        if memmem::find(body, text.as_bytes()).is_none() {
            let near = other_case(body, text)
                .map(|line| format!("line {line} of `{}` has it in other letter case", file.path));
            faults.push(Fault::new(Check::Contains(number), near.unwrap_or_default()));
        }
    }
    for (number, (text, _)) in test.not_contains.iter().enumerate() {
        if let Some(offset) = memmem::find(body, text.as_bytes()) {
            faults.push(Fault::new(Check::NotContains(number), String::new()).at(body, position(body, offset)));
        }
    }
    if !test.matches.is_empty() {
        let text = String::from_utf8_lossy(body);
        for (number, (regex, _)) in test.matches.iter().enumerate() {
            if !regex.is_match(&text) {
                faults.push(Fault::new(Check::Matches(number), String::new()));
            }
        }
    }
    let lines = || if facts.lines == 1 { "1 line".to_owned() } else { format!("{} lines", facts.lines) };
    if test.min_lines.is_some_and(|(least, _)| facts.lines < least) {
        faults.push(Fault::new(Check::MinLines, lines()));
    }
    if test.max_lines.is_some_and(|(most, _)| facts.lines > most) {
        faults.push(Fault::new(Check::MaxLines, lines()));
    }
    if test.parses.is_some()
        && let Some(language) = syntax::Language::of(file.path.as_str())
        && let Err(wrong) = language.check(body)
    {
        let fault = Fault::new(Check::Parses, wrong.message);
        faults.push(match wrong.at {
            Some(at) => fault.at(body, at),
            None => fault,
        });
    }
    faults
}

/// Line and column (in characters) of a byte, from 1.
pub(super) fn position(body: &[u8], offset: usize) -> (u64, u64) {
    let before = body.get(..offset).unwrap_or(body);
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() as u64 + 1;
    (line, column)
}

/// The line on which a text stands in other letter case (of ASCII).
fn other_case(body: &[u8], text: &str) -> Option<u64> {
    let lower = body.to_ascii_lowercase();
    let offset = memmem::find(&lower, text.to_ascii_lowercase().as_bytes())?;
    Some(position(body, offset).0)
}

/// The text of a line, shortened, without what would disturb a terminal.
fn line_of(body: &[u8], line: u64) -> String {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let text = body.split(|&byte| byte == b'\n').nth(index).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let short: String = clean.take(100).collect();
    if short.len() < text.trim().len() { format!("{short}...") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let body = "aå\nbåc\n".as_bytes();
        assert_eq!(position(body, 0), (1, 1));
        assert_eq!(position(body, memmem::find(body, b"c").unwrap()), (2, 3));
        assert_eq!(line_of(body, 2), "båc");
        assert_eq!(line_of(body, 9), "");
        assert_eq!(other_case(b"x\n@controller\n", "@Controller"), Some(2));
    }
}
