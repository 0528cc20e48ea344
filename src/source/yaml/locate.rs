//! From a byte of a text's *value* to its place in the file. Only errors ask, so the raw text is walked each time.
//!
//! Must never leave the range of the node and never panic, whatever offset or text it is given.

use super::block::{break_len, is_break};
use crate::source::tree::{Kind, NodeId, Style, Tree};
use crate::span::Span;
use std::ops::Range;

/// The place in the file of byte `value_offset` of a text node's value: the character there, or the escape or line
/// break that stands for it; a point at the end of the value. For any other node, its whole range.
///
/// `source_text` is the text that was given to `parse`.
#[must_use]
pub fn locate(tree: &Tree, source_text: &str, node: NodeId, value_offset: usize) -> Span {
    let whole = tree.span(node);
    let range = whole.start as usize..whole.end as usize;
    let (Kind::Text(value, style), Some(raw)) = (tree.kind(node), source_text.get(range.clone())) else {
        return whole;
    };
    let mut at = value_offset.min(value.len());
    while !value.is_char_boundary(at) {
        at -= 1;
    }
    let found = match value.char_indices().next_back() {
        // The end of the value is the point after its last character: what follows there is not part of it.
        Some((last, _)) if at == value.len() => {
            let end = find(raw, value, *style, last).end;
            end..end
        }
        Some(_) => find(raw, value, *style, at),
        None => {
            let start = find(raw, value, *style, 0).start;
            start..start
        }
    };
    let start = found.start.min(raw.len());
    Span::new(tree.file(), range.start + start, range.start + found.end.clamp(start, raw.len()))
}

fn find(raw: &str, value: &str, style: Style, at: usize) -> Range<usize> {
    match style {
        Style::Literal => literal(raw, value, at),
        Style::Folded => folded(raw, value, at),
        Style::Plain | Style::Single | Style::Double => flow(raw, style, at),
    }
}

/// The place in the file of the bytes `range` of a text node's value: from the first to the last character. A point
/// for an empty range, the whole node for a node that is not text.
#[must_use]
pub fn locate_range(tree: &Tree, source_text: &str, node: NodeId, range: Range<usize>) -> Span {
    let first = locate(tree, source_text, node, range.start);
    if tree.text(node).is_none() {
        return first;
    }
    if range.end <= range.start {
        return first.head();
    }
    let last = locate(tree, source_text, node, range.end - 1);
    Span { end: last.end.max(first.start), ..first }
}

/// The lines of a block scalar after its header, without their line breaks.
fn lines(raw: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = raw.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at > bytes.len() {
            return None;
        }
        let end = bytes[at..].iter().position(|&b| is_break(b)).map_or(bytes.len(), |length| at + length);
        let line = at..end;
        let width = break_len(bytes, end);
        at = if width == 0 { bytes.len() + 1 } else { end + width };
        Some(line)
    })
    .skip(1)
}

/// Line `i` of the value is line `i` after the header, less the indentation.
fn literal(raw: &str, value: &str, at: usize) -> Range<usize> {
    let before = value.get(..at).unwrap_or(value);
    let index = before.bytes().filter(|&b| b == b'\n').count();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let length = value[start..].find('\n').unwrap_or(value.len() - start);
    let Some(line) = lines(raw).nth(index) else { return raw.len()..raw.len() };
    let place = line.end - length.min(line.len()) + (at - start);
    if at - start == length {
        let width = if at < value.len() { break_len(raw.as_bytes(), line.end) } else { 0 };
        return line.end..line.end + width;
    }
    place..place + value[at..].chars().next().map_or(0, char::len_utf8)
}

/// Walks the lines and the value side by side; the value tells which line breaks became a blank.
fn folded(raw: &str, value: &str, target: usize) -> Range<usize> {
    let indent = folded_indent(raw, value);
    let mut at = 0;
    let mut breaks: Vec<Range<usize>> = Vec::new();
    for line in lines(raw) {
        let blanks = raw[line.clone()].bytes().take_while(|&b| b == b' ').count();
        let start = line.start + blanks.min(indent);
        if start < line.end {
            if let Some(found) = joined(&breaks, value, &mut at, target, start) {
                return found;
            }
            breaks.clear();
            let length = line.end - start;
            if target < at + length {
                return character(raw, start + (target - at));
            }
            at += length;
        }
        breaks.push(line.end..line.end + break_len(raw.as_bytes(), line.end));
    }
    breaks.get(target.saturating_sub(at)).cloned().unwrap_or(raw.len()..raw.len())
}

/// The line breaks before a line: the target if it is among them, otherwise `at` moves past them.
fn joined(breaks: &[Range<usize>], value: &str, at: &mut usize, target: usize, next: usize) -> Option<Range<usize>> {
    let rest = value.get(*at..).unwrap_or("");
    let newlines = rest.bytes().take_while(|&b| b == b'\n').count();
    let count = if newlines == 0 { breaks.len().min(1) } else { newlines };
    if target < *at + count {
        // With one newline fewer than breaks, the first break was the fold.
        let skipped = breaks.len().saturating_sub(count);
        return Some(breaks.get(target - *at + skipped).cloned().unwrap_or(next..next));
    }
    *at += count;
    None
}

/// How many blanks the parser took off each line: those that the first visible line has more than the value has, or
/// where nothing is visible, those that the longest line has more.
fn folded_indent(raw: &str, value: &str) -> usize {
    let blanks = |line: &str| line.bytes().take_while(|&b| b == b' ').count();
    let widest = |lines: &mut dyn Iterator<Item = usize>| lines.max().unwrap_or(0);
    let visible = lines(raw).find(|line| !raw[line.clone()].trim().is_empty());
    let (source, kept) = match visible {
        Some(line) => (blanks(&raw[line]), value.lines().find(|line| !line.trim().is_empty()).map_or(0, blanks)),
        None => (widest(&mut lines(raw).map(|line| line.len())), widest(&mut value.lines().map(str::len))),
    };
    source.saturating_sub(kept)
}

/// Walks a plain or quoted scalar, counting the bytes of value that each piece of source makes.
fn flow(raw: &str, style: Style, target: usize) -> Range<usize> {
    let quote = usize::from(style != Style::Plain);
    let end = raw.len().saturating_sub(quote).max(quote.min(raw.len()));
    let body = raw.get(..end).unwrap_or(raw);
    let bytes = body.as_bytes();
    let (mut source, mut at) = (quote, 0);
    while source < bytes.len() {
        let piece = match (bytes[source], style) {
            (b'\\', Style::Double) => escape(body, source),
            (b'\'', Style::Single) => Piece { length: 2, value: 1, breaks: Vec::new() },
            (b' ' | b'\t' | b'\n' | b'\r', _) => blanks(bytes, source),
            _ => {
                let width = character(body, source).len().max(1);
                Piece { length: width, value: width, breaks: Vec::new() }
            }
        };
        if target < at + piece.value {
            return piece.place(source, target - at);
        }
        at += piece.value;
        source += piece.length;
    }
    body.len()..body.len()
}

/// Some bytes of source and what they make.
struct Piece {
    length: usize,
    value: usize,
    /// Where each byte of the value stands, for a run of blanks or line breaks; empty for what is one character.
    breaks: Vec<Range<usize>>,
}

impl Piece {
    fn place(&self, source: usize, index: usize) -> Range<usize> {
        self.breaks.get(index).cloned().unwrap_or(source..source + self.length)
    }
}

/// A run of blanks, byte by byte; or one that holds line breaks and is folded: one break makes a blank, more make one newline
/// fewer than they are.
fn blanks(bytes: &[u8], source: usize) -> Piece {
    let (end, mut breaks) = run(bytes, source);
    if breaks.is_empty() {
        let length = end - source;
        return Piece { length, value: length, breaks: (source..end).map(|at| at..at + 1).collect() };
    }
    if breaks.len() > 1 {
        breaks.remove(0);
    }
    Piece { length: end - source, value: breaks.len(), breaks }
}

/// The end of the run of blanks and line breaks at `source`, and the breaks.
fn run(bytes: &[u8], source: usize) -> (usize, Vec<Range<usize>>) {
    let (mut at, mut breaks) = (source, Vec::new());
    while let Some(byte) = bytes.get(at).filter(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
        let width = break_len(bytes, at).max(1);
        if is_break(*byte) {
            breaks.push(at..at + width);
        }
        at += width;
    }
    (at, breaks)
}

/// The escape at `source` of a double quoted scalar.
fn escape(body: &str, source: usize) -> Piece {
    let bytes = body.as_bytes();
    let one = |length: usize, value: usize| Piece { length, value, breaks: Vec::new() };
    match bytes.get(source + 1) {
        Some(b'\n' | b'\r') => {
            // The escaped break makes nothing; empty lines after it make a newline each.
            let (end, mut breaks) = run(bytes, source + 1);
            breaks.remove(0);
            Piece { length: end - source, value: breaks.len(), breaks }
        }
        Some(b'x') => one(4, scalar_len(hex(body, source + 2, 2))),
        Some(b'U') => one(10, scalar_len(hex(body, source + 2, 8))),
        Some(b'u') => match hex(body, source + 2, 4) {
            // A pair of surrogates is one character.
            Some(0xD800..=0xDBFF) => one(12, 4),
            code => one(6, scalar_len(code)),
        },
        Some(b'N' | b'_') => one(2, 2),
        Some(b'L' | b'P') => one(2, 3),
        _ => one(2, 1),
    }
}

fn hex(body: &str, start: usize, length: usize) -> Option<u32> {
    body.get(start..start + length).and_then(|digits| u32::from_str_radix(digits, 16).ok())
}

fn scalar_len(code: Option<u32>) -> usize {
    code.and_then(char::from_u32).map_or(1, char::len_utf8)
}

/// The character at `at`, which may lie inside one: then the point.
fn character(text: &str, at: usize) -> Range<usize> {
    at..at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}
