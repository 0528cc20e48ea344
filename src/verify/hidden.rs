//! Characters in generated text that a reader cannot see, or that reorder or overwrite what is seen: code that reads
//! otherwise than it runs (after the paper "Trojan Source" and what was built on it).
//!
//! Looked for in every body, so what is ordinary must cost next to nothing: one pass over bytes, and only a text that is
//! not plain ASCII is decoded. Keeps one place per template, never a body. Joiners (U+200C, U+200D), variation selectors of
//! emoji and a byte order mark at the beginning are ordinary and not among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SourceLine;
use super::look::position;
use crate::diagnostic::{Code, Diagnostic};
use crate::hidden::{is_hidden, reorders};
use crate::model::MegaFile;
use crate::path::OutputPath;
use crate::plan::{PlannedBody, PlannedFile};
use crate::span::Span;

/// The first hidden character of the first file that a template makes with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The number of the mega-file in the model.
    pub mega_file: usize,
    /// The file.
    pub path: OutputPath,
    /// The YAML line that asks for the file.
    pub origin: Span,
    /// Line and column in the file.
    pub at: (u64, u64),
    /// The character.
    pub character: char,
    /// How many files the template makes with one.
    pub files: usize,
    /// Whether the file is a copy, so that no template has it.
    is_copy: bool,
}

/// What makes bodies: a template of a mega-file, or an entry with its own text.
type Maker = (usize, Arc<str>, Option<Span>);

/// What was found so far, by what makes it.
#[derive(Debug, Default)]
pub struct HiddenByMaker(BTreeMap<Maker, Hidden>);

impl HiddenByMaker {
    /// Keeps what was found in a file; of each template the first path, whatever the order in which they come.
    pub fn add(&mut self, file: &PlannedFile, body: &[u8], offset: usize, character: char) {
        let has_no_name = matches!(&*file.template, "inline" | "copy");
        let maker = (file.mega_file, Arc::clone(&file.template), has_no_name.then_some(file.origin));
        let found = |files| Hidden {
            mega_file: file.mega_file,
            path: file.path.clone(),
            origin: file.origin,
            at: position(body, offset),
            character,
            files,
            is_copy: matches!(file.body, PlannedBody::Copy(_)),
        };
        match self.0.get_mut(&maker) {
            Some(kept) if kept.path <= file.path => kept.files += 1,
            Some(kept) => *kept = found(kept.files + 1),
            None => {
                self.0.insert(maker, found(1));
            }
        }
    }

    /// Sorted by mega-file and template.
    pub fn finish(self) -> Vec<Hidden> {
        self.0.into_values().collect()
    }
}

/// The first hidden character of a text and its offset; none in what is no text.
#[must_use]
pub fn find(body: &[u8]) -> Option<(usize, char)> {
    // The compiler makes vector instructions of this; nearly every body ends here.
    let mut high = 0_u8;
    let mut low = false;
    for &byte in body {
        high |= byte;
        low |= byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c) || byte == 0x7f;
    }
    let has_return = || memchr::memchr(b'\r', body).is_some();
    if high < 0x80 && !low && !has_return() {
        return None;
    }
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    let mut found = text.char_indices().filter(|&(at, c)| hides(c) && (c != '\u{feff}' || at > 0));
    let returns = memchr::memchr_iter(b'\r', body).filter(|at| body.get(at + 1).is_some_and(|&next| !is_break(next)));
    let alone = returns.map(|at| (at, '\r')).next();
    found.next().into_iter().chain(alone).min()
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn hides(c: char) -> bool {
    let is_ordinary = matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{200c}' | '\u{200d}')
        || matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0020}'..='\u{e007f}');
    is_hidden(c) && !is_ordinary
}

/// The finding of one template.
pub fn judge(mega: &MegaFile, hidden: &Hidden, source_line: &SourceLine<'_>) -> Diagnostic {
    let (line, column) = hidden.at;
    let what = match hidden.character {
        '\r' => "a carriage return inside a line, which hides what stands before it",
        c if c.is_control() => "a control character, which a terminal obeys",
        c if reorders(c) => "which reorders the text around it",
        '\u{2028}' | '\u{2029}' => "a line break that few tools show",
        _ => "which nothing shows",
    };
    let others = match hidden.files {
        1 => String::new(),
        2 => "; another file of this template has one as well".to_owned(),
        files => format!("; {} more files of this template have one as well", files - 1),
    };
    let code = u32::from(hidden.character);
    let message = format!("line {line}, column {column} of `{}` holds U+{code:04X}, {what}{others}", hidden.path);
    let finding = Diagnostic::new(Code::HiddenCharacter, message).team(mega.team.clone());
    let template = source_line(&hidden.path, line);
    let finding = finding.at(template.unwrap_or(hidden.origin));
    let finding = if template.is_some_and(|template| template != hidden.origin) {
        finding.related(hidden.origin, format!("`{}` is made here", hidden.path))
    } else {
        finding
    };
    finding.help(if hidden.is_copy {
        "look at the copied file, and remove the character or write it as an escape of the language"
    } else {
        "look at this line and the values that it prints, and remove the character or write it as an escape of the language"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_code_is_found_at_its_place() {
        for (text, place) in [
            ("a\u{202e}b", (1, '\u{202e}')),
            ("ok\n\u{2066}", (3, '\u{2066}')),
            ("å\u{200b}", (2, '\u{200b}')),
            ("x\u{feff}", (1, '\u{feff}')),
            ("\u{feff}a\u{61c}", (4, '\u{61c}')),
            ("a\u{1b}[2J", (1, '\u{1b}')),
            ("a\u{8}b", (1, '\u{8}')),
            ("\u{7f}", (0, '\u{7f}')),
            ("a\u{9b}31m", (1, '\u{9b}')),
            ("a\rb\u{1b}", (1, '\r')),
            ("a\u{3164}", (1, '\u{3164}')),
            ("a\u{e0100}", (1, '\u{e0100}')),
            ("a\u{2028}", (1, '\u{2028}')),
        ] {
            assert_eq!(find(text.as_bytes()), Some(place), "{text:?}");
        }
    }

    #[test]
    fn what_is_ordinary_is_not_found() {
        for text in [
            "",
            "a\tb\r\nc\n\u{c}",
            "\u{feff}a",
            "åß 漢字\u{3000}🦀 ❤\u{fe0f}",
            "👩\u{200d}🔬",
            "می\u{200c}خواهم",
            "a\r",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text:?}");
        }
        // A flag is written with tag characters; a binary file is no text.
        assert_eq!(find("🏴\u{e0067}\u{e0062}\u{e007f}".as_bytes()), None);
        assert_eq!(find("\0\u{1b}\u{202e}".as_bytes()), None);
        assert_eq!(find(b"\xff\x1b"), None);
    }
}
