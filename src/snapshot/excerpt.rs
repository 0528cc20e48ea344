//! The text of a file inside a snapshot: every line behind a sign, so that no content is taken for the format.
//!
//! | sign | stands before |
//! |---|---|
//! | `\|` | a line as it is, after one blank (an empty line is the sign alone) |
//! | `\` | a line with escapes (`\t`, `\r`, `\\`, `\u{202e}`), because it holds characters that are obeyed, hidden or stripped |
//! | `%` | a remark: `empty`, `not text`, `no newline at the end`, `120 more lines` |
//!
//! A text that was not cut can be read back to the last byte.

use std::fmt::Write as _;

use crate::hidden::is_hidden;

/// Most lines of one text.
pub const MAX_LINES: usize = 400;
/// Most bytes of one text.
pub const MAX_BYTES: usize = 64 << 10;

/// A body as lines with signs. What is over a limit is counted; ends in a line break.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "% empty\n".to_owned();
    }
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'));
    let Some(text) = text else { return format!("% not text: {} bytes\n", body.len()) };
    let lines = text.split_inclusive('\n').count();
    let mut out = String::with_capacity(text.len().min(MAX_BYTES) + 64);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index == MAX_LINES || out.len() + line.len() > MAX_BYTES {
            let more = lines - index;
            // Writing to a string cannot fail.
            let _ = writeln!(out, "% {more} more {}", if more == 1 { "line" } else { "lines" });
            return out;
        }
        push_line(&mut out, line.strip_suffix('\n').unwrap_or(line));
    }
    if !text.ends_with('\n') {
        out.push_str("% no newline at the end\n");
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    let end = line.chars().next_back();
    if line.is_empty() {
        out.push('|');
    } else if !line.contains(is_unsafe) && !end.is_some_and(char::is_whitespace) {
        out.extend(["| ", line]);
    } else {
        out.push_str("\\ ");
        let last = line.chars().count() - 1;
        for (index, c) in line.chars().enumerate() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\r' => out.push_str("\\r"),
                '\t' if index == last => out.push_str("\\t"),
                _ if is_unsafe(c) || (index == last && c.is_whitespace()) => {
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
                _ => out.push(c),
            }
        }
    }
    out.push('\n');
}

/// What a terminal obeys, or what reorders or hides text.
fn is_unsafe(c: char) -> bool {
    is_hidden(c) && c != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads an excerpt that was not cut.
    fn read_back(excerpt: &str) -> String {
        let mut text = String::new();
        for line in excerpt.lines() {
            match line.split_at(1) {
                ("|", rest) => text.push_str(rest.strip_prefix(' ').unwrap_or(rest)),
                ("\\", rest) => text.push_str(&unescape(&rest[1..])),
                ("%", " no newline at the end") => {
                    text.pop();
                    continue;
                }
                ("%", " empty") => return String::new(),
                other => panic!("{other:?}"),
            }
            text.push('\n');
        }
        text
    }

    fn unescape(line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let (c, after) = match after.split_at(1) {
                ("\\", after) => ('\\', after),
                ("r", after) => ('\r', after),
                ("t", after) => ('\t', after),
                ("u", after) => {
                    let (code, after) = after[1..].split_once('}').unwrap();
                    (char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap(), after)
                }
                other => panic!("{other:?}"),
            };
            out.push(c);
            rest = after;
        }
        out + rest
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "[ab \t\r\n\\\\|%{}\u{1b}\u{202e}\u{feff}é🦀]{0,60}") {
            prop_assert_eq!(read_back(&excerpt(text.as_bytes())), text);
        }

        #[test]
        fn no_line_can_be_obeyed_or_stripped(text in "\\PC{0,20}[ \t\r\n\u{1b}]{0,5}\\PC{0,20}") {
            for line in excerpt(text.as_bytes()).lines() {
                prop_assert!(!line.contains(is_unsafe) && line.trim_end() == line, "{line:?}");
                prop_assert!(line.starts_with(['|', '\\', '%']));
            }
        }
    }

    #[test]
    fn what_is_no_text_or_too_long_is_said() {
        assert_eq!(excerpt(b""), "% empty\n");
        assert_eq!(excerpt(b"a\0b"), "% not text: 3 bytes\n");
        assert_eq!(excerpt(&[0xff, 0xfe]), "% not text: 2 bytes\n");
        let long = excerpt("x\n".repeat(MAX_LINES + 1).as_bytes());
        assert!(long.ends_with("| x\n% 1 more line\n") && long.lines().count() == MAX_LINES + 1);
        assert!(!excerpt("x\n".repeat(MAX_LINES).as_bytes()).contains('%'));
        assert_eq!(excerpt(&vec![b'x'; MAX_BYTES + 1]), "% 1 more line\n");
        assert_eq!(excerpt(b"% empty\n| x"), "| % empty\n| | x\n% no newline at the end\n");
    }
}
