//! The shape of a placeholder: brace, name, path, filters, brace. Whether the name means anything is the scanner's
//! business.

use std::ops::Range;

use super::lexer::{self, is_name_part, is_name_start};

/// A placeholder: `{root.path|filter:arg}`. All ranges are bytes of the template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// With its braces.
    pub range: Range<usize>,
    /// The first name.
    pub root: Range<usize>,
    /// What follows the root up to the first filter, with its leading dot; empty without one.
    pub path: Range<usize>,
    /// Filter names with their arguments as Jinja writes them.
    pub filters: Vec<(Range<usize>, String)>,
}

/// Reads `name(.name)*(|filter(:args)?)*}` at `start`; the brace before `start` belongs to the placeholder.
pub fn parse_shape(text: &str, start: usize) -> Option<Placeholder> {
    let root = name_at(text, start)?;
    let path_start = root.end;
    let mut at = path_start;
    while text[at..].starts_with('.') {
        at = field_at(text, at + 1)?.end;
    }
    let path = path_start..at;
    let mut filters = Vec::new();
    while text[at..].starts_with('|') {
        let name = name_at(text, at + 1)?;
        at = name.end;
        let mut arguments = String::new();
        if text[at..].starts_with('(') {
            let end = closing_parenthesis(text, at)?;
            text[at..=end].clone_into(&mut arguments);
            at = end + 1;
        } else if text[at..].starts_with(':') {
            let end = colon_arguments(text, at + 1)?;
            arguments = format!("({})", &text[at + 1..end]);
            at = end;
        }
        filters.push((name, arguments));
    }
    let open = text[..start].rfind('{')?;
    text[at..].starts_with('}').then(|| Placeholder { range: open..at + 1, root, path, filters })
}

fn name_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    if !rest.starts_with(is_name_start) {
        return None;
    }
    let len = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
    Some(at..at + len)
}

/// A field name or a list index.
fn field_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let len = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
    (len > 0).then_some(at..at + len)
}

fn closing_parenthesis(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, open);
    loop {
        match *bytes.get(at)? {
            b'\n' | b'{' | b'}' => return None,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            quote @ (b'\'' | b'"') => at += lexer::text_len(&text[at..], char::from(quote))? - 1,
            _ => {}
        }
        at += 1;
    }
}

/// `'text'`, a number or a name, separated by commas without blanks.
fn colon_arguments(text: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let len = match first {
            '\'' | '"' => lexer::text_len(rest, first)?,
            _ => rest.find(|c: char| !(is_name_part(c) || c == '.' || c == '-')).unwrap_or(rest.len()),
        };
        if len == 0 {
            return None;
        }
        at += len;
        if !text[at..].starts_with(',') {
            return Some(at);
        }
        at += 1;
    }
}
