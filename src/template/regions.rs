//! What the text of a template costs where the engine does not count it: in macros, captured blocks, recursive loops and
//! shared templates, whose output may be held in memory many times over. Pure.
//!
//! The text at the top of a file's own template goes straight into the file, which has a limit of its own.

use std::collections::BTreeMap;

use super::lines::Around;
use super::scan::{Piece, Tag, TagKind};
use super::tags;

/// The texts that say a cost, by the index of the piece.
pub(super) type Charges = BTreeMap<usize, Charge>;

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    /// The bytes to pay for.
    pub bytes: usize,
    /// Where to say it.
    pub at: usize,
    /// Whether the text stands between `{% raw %}` and `{% endraw %}`.
    pub is_raw: bool,
}

/// Less than this between two block tags is free: the steps of the engine bound it.
const FREE: usize = 16;

/// What a run of pieces between two block tags costs.
#[derive(Default)]
struct Run {
    bytes: usize,
    place: Option<(usize, usize)>,
    is_raw: bool,
}

/// The charges of a template's pieces. `shared`: another template may include it from anywhere.
pub(super) fn charges(text: &str, pieces: &[Piece], around: &[Around], shared: bool) -> Charges {
    let mut charges = Charges::new();
    let mut captured: Vec<&str> = Vec::new();
    let mut run = Run::default();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(range) if shared || !captured.is_empty() => {
                run.bytes += range.len();
                let keeps = around.get(index + 1).is_some_and(|around| around.keeps_before);
                let place = || place_in(text, range.clone(), before(pieces, index), pieces.get(index + 1), keeps);
                run.place = run.place.or_else(|| place().map(|at| (index, at)));
            }
            Piece::Tag(tag) if tag.kind == TagKind::Block => {
                end(&mut run, &mut charges);
                let keyword = tags::keyword(&text[tag.body.clone()]).unwrap_or("");
                run.is_raw = keyword == "raw";
                if let Some(ended) = keyword.strip_prefix("end") {
                    if captured.last() == Some(&ended) {
                        captured.pop();
                    }
                } else if captures(text, tag, keyword) || (captured.contains(&keyword) && nests(text, tag, keyword)) {
                    captured.push(keyword);
                }
            }
            _ => {}
        }
    }
    end(&mut run, &mut charges);
    charges
}

fn end(run: &mut Run, charges: &mut Charges) {
    let run = std::mem::take(run);
    if let Some((index, at)) = run.place.filter(|_| run.bytes >= FREE) {
        charges.insert(index, Charge { bytes: run.bytes, at, is_raw: run.is_raw });
    }
}

fn before(pieces: &[Piece], index: usize) -> Option<&Piece> {
    index.checked_sub(1).and_then(|before| pieces.get(before))
}

fn word<'a>(text: &'a str, tag: &Tag, index: usize) -> &'a str {
    tag.tokens.get(index).map_or("", |token| &text[token.range.clone()])
}

/// Whether what the tag encloses is held in memory.
fn captures(text: &str, tag: &Tag, keyword: &str) -> bool {
    match keyword {
        "macro" | "call" | "filter" | "block" => true,
        "set" => tags::captures_text(text, &tag.tokens),
        "for" => tag.tokens.len().checked_sub(1).is_some_and(|last| word(text, tag, last) == "recursive"),
        _ => false,
    }
}

/// Whether a tag of the same name as an open one opens another one.
fn nests(text: &str, tag: &Tag, keyword: &str) -> bool {
    keyword != "set" || captures(text, tag, keyword)
}

/// Where a charge can stand in a text without changing which blanks the engine takes away: before the last character
/// that is no blank. In a text of blanks only, where the tags around it leave room; `keeps`: the one after it does. `None`:
/// the engine takes all of it.
fn place_in(
    text: &str,
    range: std::ops::Range<usize>,
    before: Option<&Piece>,
    after: Option<&Piece>,
    keeps: bool,
) -> Option<usize> {
    let own = &text[range.clone()];
    if let Some((at, _)) = own.char_indices().rev().find(|(_, c)| !c.is_whitespace()) {
        return Some(range.start + at);
    }
    let control = |piece: Option<&Piece>, at_end: bool| match piece {
        Some(Piece::Tag(tag)) => {
            let body = &text[tag.body.clone()];
            if at_end { body.chars().next_back() } else { body.chars().next() }
        }
        _ => None,
    };
    if control(before, true) == Some('-') || control(after, false) == Some('-') {
        return None;
    }
    match own.rfind('\n') {
        Some(at) if at > 0 => Some(range.start + at),
        last => {
            let is_block = matches!(after, Some(Piece::Tag(tag)) if tag.kind != TagKind::Variable);
            let is_taken = last.is_some() && is_block && !keeps && control(after, false) != Some('+');
            let first = own.chars().next()?;
            (!is_taken && own.len() > first.len_utf8()).then(|| range.start + first.len_utf8())
        }
    }
}
