//! YAML text to a [`Tree`] of nodes that know their place, and back from a place in a value to a place in the file.
//!
//! Only this module knows the YAML parser. It must never touch the disk, never expand an alias (an alias refers to the
//! node of its anchor, and what expansion would cost is only counted), never guess (what a mega-file may not use is an
//! error that says what to write instead) and never panic, whatever the text holds.

mod block;
mod build;
mod flow;
mod json;
mod locate;
mod resolve;
mod slip;
#[cfg(test)]
mod tests;
mod trial;

pub use json::{to_json, to_json_hollow};
pub use locate::{locate, locate_range};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::limit::{Limit, Limits};
use crate::source::tally::Tally;
use crate::source::tree::Tree;
use crate::span::{FileId, SourceFile, Span};

/// Parses one document. An empty text is the tree of one null.
///
/// # Errors
///
/// Every finding of the text, in its order: MX103 for a syntax error (which ends the reading), MX104 for a repeated
/// key, MX105 for a part of YAML that mega-files do not use, MX106 for a limit. All are errors.
pub fn parse(file: FileId, text: &str, limits: &Limits) -> Result<Tree, Diagnostics> {
    parse_counted(file, text, limits, &Tally::alone())
}

/// The same for one of several files that count together: what is read when they hold too much is no tree of the text.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_counted(file: FileId, text: &str, limits: &Limits, tally: &Tally) -> Result<Tree, Diagnostics> {
    let place = Place::new(file, text);
    if text.len() > limits.size(Limit::InputBytes) {
        let finding = over_limit(limits, Limit::InputBytes, "the text is too long", "split it into several files");
        return Err([finding.at(place.span(0, 0))].into_iter().collect());
    }
    if let Some(found) = control_character(place) {
        return Err([found].into_iter().collect());
    }
    build::build(place, limits, tally.counter())
}

/// Whether a text is YAML: only its syntax is judged. Several documents, tags, anchors and merge keys are fine.
///
/// # Errors
/// Line and column of the fault, both from 1, and what is wrong.
pub fn syntax(text: &str) -> Result<(), (u32, u32, String)> {
    let options =
        granit_parser::options! { flow_nesting_limit: MAX_FOREIGN_DEPTH, block_nesting_limit: MAX_FOREIGN_DEPTH };
    for event in granit_parser::Parser::new_from_str_with_options(text, options) {
        if let Err(error) = event {
            let at = SourceFile::new("", text).position(slip::offset(&error, text));
            return Err((at.line, at.column, slip::message(&error)));
        }
    }
    Ok(())
}

/// Lists and mappings inside one another in a text whose syntax alone is judged.
const MAX_FOREIGN_DEPTH: usize = 256;

/// A text without its byte order mark, and how to name a place in it.
#[derive(Debug, Clone, Copy)]
struct Place<'t> {
    file: FileId,
    text: &'t str,
    /// Length of the byte order mark that was skipped.
    base: usize,
}

impl<'t> Place<'t> {
    fn new(file: FileId, text: &'t str) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { file, text: body, base: text.len() - body.len() }
    }

    /// The span of `start..end`; what lies past the text (the newline that was added) becomes its end.
    fn span(self, start: usize, end: usize) -> Span {
        let length = self.text.len();
        Span::new(self.file, start.min(length) + self.base, end.min(length) + self.base)
    }

    /// The span of the one character at `offset`; a point at the end of a line or inside a character.
    fn character(self, offset: usize) -> Span {
        let first = self.text.get(offset..).and_then(|rest| rest.chars().next());
        let width = first.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
        self.span(offset, offset + width)
    }

    /// The bytes of the line that holds `offset`, without its line break.
    fn line(self, offset: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let start = bytes[..offset].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let end = bytes[offset..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| offset + at);
        let end = if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end };
        (start, end)
    }
}

fn over_limit(limits: &Limits, limit: Limit, what: &str, mend: &str) -> Diagnostic {
    Diagnostic::new(Code::YamlLimit, format!("{what}: {}", limits.says(limit))).help(limit.help(mend))
}

/// The first character that no YAML text may hold, found before parsing so that its place is exact.
fn control_character(place: Place<'_>) -> Option<Diagnostic> {
    let at = place.text.bytes().position(|b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'))?;
    let byte = place.text.as_bytes().get(at).copied().unwrap_or(0);
    let message = format!("the control character U+{byte:04X} is not allowed in YAML");
    let help = format!("remove it, or write it as \"\\x{byte:02X}\" inside double quotes");
    Some(Diagnostic::new(Code::YamlSyntax, message).at(place.span(at, at + 1)).help(help))
}
