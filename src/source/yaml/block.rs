//! Where a block scalar stands. The parser marks only the text of `|` and `>`; a reader needs the header too, and the
//! end where the text ends, not where the next key begins.

use std::ops::Range;

/// A block scalar as the parser gave it.
pub(super) struct Block<'t> {
    /// The text that was parsed, with the newline that was added.
    pub text: &'t str,
    /// `|` or `>`.
    pub indicator: u8,
    /// The parser's value.
    pub value: &'t str,
    /// Where the node before it ends.
    pub after: usize,
    /// What the parser marks.
    pub marked: Range<usize>,
}

impl Block<'_> {
    /// From the header through the last character of the value.
    pub(super) fn range(&self) -> Range<usize> {
        let start = self.header();
        start..self.end(start).max(start)
    }

    /// The offset of `|` or `>`.
    fn header(&self) -> usize {
        let bytes = self.text.as_bytes();
        let marked = self.marked.start.min(bytes.len());
        if self.value.trim().is_empty() && bytes.get(marked) == Some(&self.indicator) {
            return marked;
        }
        let Some(last) = bytes[..marked].iter().rposition(|b| !b.is_ascii_whitespace()) else { return marked };
        let line = bytes[..last].iter().rposition(|&b| is_break(b)).map_or(0, |at| at + 1);
        let from = line.max(self.after.min(last));
        // The first match is the header: only a comment can follow it, only a key, tag or anchor can precede it.
        (from..=last).find(|&at| bytes[at] == self.indicator && is_header(bytes, at)).unwrap_or(marked)
    }

    fn end(&self, header: usize) -> usize {
        let bytes = self.text.as_bytes();
        let raw = self.marked.end.min(bytes.len());
        let line = bytes[..raw].iter().rposition(|&b| is_break(b)).map_or(0, |at| at + 1);
        let raw = if bytes[line..raw].iter().all(|&b| b == b' ') { line } else { raw };
        let newlines = self.value.bytes().rev().take_while(|&b| b == b'\n').count();
        let body = self.value.trim_end_matches('\n');
        if newlines > 1 || body.ends_with([' ', '\t']) && body.lines().last().is_some_and(|l| l.trim().is_empty()) {
            return raw;
        }
        if body.is_empty() && newlines == 1 {
            return raw;
        }
        // Blank lines that are not part of the value are left out: back to the last visible byte, then to its line end.
        let visible = bytes[..raw].iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(header);
        let end = bytes[visible..].iter().position(|&b| is_break(b)).map_or(bytes.len(), |at| visible + at);
        if newlines == 0 { end } else { end + break_len(bytes, end) }
    }
}

/// Whether the indicator at `at` is followed by nothing but a block scalar's header.
fn is_header(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at)).is_none_or(u8::is_ascii_whitespace);
    let rest = bytes.get(at + 1..).unwrap_or_default();
    let marks = rest.iter().take(2).take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')).count();
    let blanks = rest[marks..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    before && rest.get(marks + blanks).is_none_or(|&b| is_break(b) || b == b'#')
}

pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The length of the line break at `at`: 2 for CR LF, 0 where there is none.
pub(super) fn break_len(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => 2,
        (Some(b'\r' | b'\n'), _) => 1,
        _ => 0,
    }
}

/// The value without the newline that was added to `text`, where that newline became a part of it: where the last line
/// has something visible. (A last line of blanks is a line of its own to YAML, with or without a line break.)
pub(super) fn without_added_newline<'v>(value: &'v str, text: &str) -> &'v str {
    let last = text.rsplit(['\n', '\r']).next().unwrap_or("");
    if last.trim_matches(' ').is_empty() { value } else { value.strip_suffix('\n').unwrap_or(value) }
}

/// The first dash of a block list: in a list that is not indented the parser marks the place after it. `after` is where the
/// last node ended.
pub(super) fn first_dash(text: &str, start: usize, after: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(start) == Some(&b'-') && bytes.get(start + 1).is_none_or(u8::is_ascii_whitespace) {
        return start;
    }
    let before = bytes[..start.min(bytes.len())].iter().rposition(|b| !b.is_ascii_whitespace());
    before.filter(|&at| bytes[at] == b'-' && at >= after).unwrap_or(start)
}
