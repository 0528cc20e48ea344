//! Brackets: which are open at a place, which is closed by the wrong one, and where a value inside of them ends.
//!
//! Must never take a bracket of a quoted text, a comment or a text in the block style for one of a flow collection.

use std::ops::Range;

use granit_parser::ErrorKind as E;

use super::Place;
use crate::diagnostic::Diagnostic;

/// What a look along a text finds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Brackets {
    /// The brackets that are open at the end, outermost first.
    pub open: Vec<usize>,
    /// The first bracket that is closed by one of the other kind, and that one.
    pub mismatched: Option<(usize, usize)>,
}

/// The brackets of `range`, which begins outside of every collection or at the bracket of one.
pub(super) fn brackets(text: &str, range: Range<usize>) -> Brackets {
    let mut found = Brackets::default();
    let bytes = text.as_bytes();
    let (mut at, mut begins) = (range.start, true);
    while at < range.end.min(bytes.len()) {
        let byte = bytes[at];
        let after_blank = at == 0 || bytes[at - 1].is_ascii_whitespace();
        match byte {
            b' ' | b'\t' | b'\r' => {}
            b'\n' => begins = true,
            b'#' if after_blank => at += text[at..].find('\n').map_or(text.len() - at, |end| end - 1),
            b'"' | b'\'' if begins => {
                at += quoted_len(&bytes[at..]) - 1;
                begins = false;
            }
            b'[' | b'{' if begins || !found.open.is_empty() => {
                found.open.push(at);
                begins = true;
            }
            b']' | b'}' => {
                if let Some(open) = found.open.pop()
                    && closer(bytes[open]) != char::from(byte)
                {
                    found.mismatched = Some((open, at));
                    return found;
                }
                begins = false;
            }
            // A text in the block style begins, and what it holds is not known here.
            b'|' | b'>' if begins && found.open.is_empty() => return found,
            b',' => begins = !found.open.is_empty(),
            b':' | b'-' | b'?' => begins = bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace),
            _ => begins = false,
        }
        at += 1;
    }
    found
}

/// The bytes of the quoted text at the beginning of `bytes`; all of them if it does not end.
fn quoted_len(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What closes an opening bracket.
fn closer(open: u8) -> char {
    if open == b'[' { ']' } else { '}' }
}

/// An error at `at` that comes of a bracket: one that is closed by the other kind, or that is still open where the text
/// goes on in the column of what holds it. `from` is the outermost bracket that is known to be open, or the end of the last
/// value.
pub(super) fn cause(kind: &E, finding: &Diagnostic, place: Place<'_>, from: usize, at: usize) -> Option<Diagnostic> {
    if matches!(kind, E::MismatchedFlowCollectionEnd { .. }) {
        let (open, close) = brackets(place.text, from..place.text.len()).mismatched?;
        let (opened, closed) = (place.text.get(open..=open)?, place.text.get(close..=close)?);
        let right = closer(place.text.as_bytes()[open]);
        let message = format!("the `{opened}` of line {} is closed by `{closed}`", number(place, open));
        return Some(
            Diagnostic::new(finding.code, message)
                .at(place.character(close))
                .label(format!("`{right}` is missing"))
                .related(place.character(open), "the bracket that it closes")
                .help(format!("write `{right}` before it, or instead of it")),
        );
    }
    // Of a quoted text the end is missing, not that of the brackets around it.
    if matches!(kind, E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar) {
        return None;
    }
    let open = brackets(place.text, from..at).open;
    // Of several that are open there the innermost is the one that was forgotten first.
    let (first, shallow) = open.iter().rev().find_map(|&open| Some((open, next_in_column(place, open, at)?)))?;
    let bracket = place.text.get(first..=first)?;
    let right = closer(place.text.as_bytes()[first]);
    let message = format!("the `{bracket}` of line {} is not closed", number(place, first));
    let next = number(place, shallow);
    Some(
        Diagnostic::new(finding.code, message)
            .at(place.character(first))
            .label(format!("it is still open where line {next} begins"))
            .related(place.character(shallow), format!("a `{right}` is missing before this line"))
            .help(format!("write `{right}` before line {next}, or quote the text if the bracket belongs to it")),
    )
}

/// The number of the line of `at`.
fn number(place: Place<'_>, at: usize) -> usize {
    place.text.get(..at).unwrap_or("").matches('\n').count() + 1
}

/// Where the first line after that of `open`, up to `at`, begins that stands no deeper than the key or the item that holds
/// the bracket: there it should have been closed.
fn next_in_column(place: Place<'_>, open: usize, at: usize) -> Option<usize> {
    let (start, end) = place.line(open);
    let line = place.text.get(start..end)?;
    let column = line.len() - line.trim_start_matches([' ', '-']).len();
    let mut begin = end + super::block::break_len(place.text.as_bytes(), end);
    while begin <= at && begin < place.text.len() {
        let (_, end) = place.line(begin);
        let line = place.text.get(begin..end)?;
        let own = line.len() - line.trim_start_matches(' ').len();
        if own <= column && own < line.len() && !line[own..].starts_with([']', '}', '#', ',']) {
            return Some(begin + own);
        }
        begin = end + super::block::break_len(place.text.as_bytes(), end).max(1);
    }
    None
}

/// The value inside of brackets that begins with the `{{` at `at`: up to what ends a value there, `{{ x }}`s skipped.
pub(super) fn value(place: Place<'_>, at: usize) -> Option<Range<usize>> {
    let (start, end) = place.line(at);
    let before = place.text.get(start..at)?.trim_end();
    let needs_blank = !before.ends_with(['[', ',']);
    if !before.ends_with([':', ',', '[', '{']) || (needs_blank && before.len() == at - start) {
        return None;
    }
    let line = place.text.get(..end)?;
    let mut to = at;
    while let Some(first) = line.get(to..)?.chars().next() {
        if line[to..].starts_with("{{") {
            to += line[to..].find("}}")? + 2;
        } else if matches!(first, ',' | ']' | '}') {
            break;
        } else if matches!(first, '{' | '[' | '#') || line[to..].starts_with(": ") {
            return None;
        } else {
            to += first.len_utf8();
        }
    }
    Some(at..at + line.get(at..to)?.trim_end().len())
}

/// The unquoted text inside of brackets in whose middle the bracket at `at` begins a group: `/users/{id}/posts`.
pub(super) fn with_group(place: Place<'_>, at: usize) -> Option<Range<usize>> {
    let (start, end) = place.line(at);
    let before = place.text.get(start..at)?;
    let head = before.rfind([' ', ',', '[', '{']).map_or(0, |blank| blank + 1);
    let is_value = |before: &str| before.ends_with([':', ',', '[', '{']);
    if head == before.len() || !is_value(before.get(..head)?.trim_end()) || before[head..].contains(['"', '\'']) {
        return None;
    }
    let rest = place.text.get(at..end)?;
    let mut to = 0;
    while let Some(first) = rest.get(to..)?.chars().next() {
        match first {
            '{' | '[' => {
                let close = rest[to..].find(closer(if first == '{' { b'{' } else { b'[' }))?;
                let is_name = |c: char| c.is_alphanumeric() || "_.:|-*+".contains(c);
                if !rest[to + 1..to + close].chars().all(is_name) {
                    return None;
                }
                to += close + 1;
            }
            ',' | ']' | '}' | ' ' => break,
            '"' | '\'' | '#' => return None,
            _ => to += first.len_utf8(),
        }
    }
    let ends = rest[to..].trim_start().starts_with([',', ']', '}']);
    (to > 0 && ends).then(|| start + head..at + to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::FileId;

    #[test]
    fn brackets_of_texts_and_comments_are_none() {
        let open = |text: &str| brackets(text, 0..text.len());
        assert_eq!(open("a: [b, {c: d").open, [3, 7]);
        assert_eq!(open("a: [b, '[', \"{\\\"\", {c: d}] # [\n").open, [0_usize; 0]);
        assert_eq!(open("a: x[1\nb: it's\nc: [").open, [18]);
        assert_eq!(open("a: [b, c }").mismatched, Some((3, 9)));
        assert_eq!(open("- {a: [b}]").mismatched, Some((6, 8)));
    }

    #[test]
    fn a_value_inside_of_brackets_ends_before_what_ends_it() {
        let value = |text: &str| {
            let place = Place::new(FileId(0), text);
            value(place, text.find("{{").unwrap()).map(|range| text[range].to_owned())
        };
        assert_eq!(value("{ a: {{ x }}-b , c: d }").as_deref(), Some("{{ x }}-b"));
        assert_eq!(value("[{{ x|join(', ') }}]").as_deref(), Some("{{ x|join(', ') }}"));
        assert_eq!(value("{ a: {{ x }}/{{ y }} }").as_deref(), Some("{{ x }}/{{ y }}"));
        assert_eq!(value("{ a: {{ x }}: b }"), None);
        assert_eq!(value("{ a: b{{ x }} }"), None);
        assert_eq!(value("{ a: {{ x }"), None);
    }

    #[test]
    fn a_text_with_a_group_in_it_is_taken_whole() {
        let text = |line: &str, mark: &str| {
            let place = Place::new(FileId(0), line);
            with_group(place, line.find(mark).unwrap()).map(|range| line[range].to_owned())
        };
        assert_eq!(text("- { path: /users/{id}, auth: true }", "{id").as_deref(), Some("/users/{id}"));
        assert_eq!(text("a: [src/{entity}/{x|snake}.ts]", "{e").as_deref(), Some("src/{entity}/{x|snake}.ts"));
        assert_eq!(text("{ a: b[0], c: d }", "[0").as_deref(), Some("b[0]"));
        for (line, mark) in
            [("{ a: {b: c} }", "{b"), ("{ a: x{b: c} }", "{b"), ("{ a: b{c", "{c"), ("{ a: 'b'{c} }", "{c")]
        {
            assert_eq!(text(line, mark), None, "{line}");
        }
    }
}
