//! Makes characters visible that a terminal would obey or hide.
//!
//! Every text that was read (a message that quotes a value, a path, a source line) goes through here before it is shown
//! to a person. This module must never drop a character: what it does not show as it is, it names, as `<U+202E>`.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::hidden;

/// One line of text with every control, bidirectional and invisible character named; line breaks and tabs as well.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_except(text, |_| false)
}

/// Like [`clean`], but line feeds and tabs stay, for texts that may have several lines.
#[must_use]
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    clean_except(text, |c| matches!(c, '\n' | '\t'))
}

fn clean_except(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) && !stays(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if stays(c) { out.push(c) } else { push_clean(&mut out, c) }
    }
    Cow::Owned(out)
}

/// Appends `c`, or its name if it is hidden.
pub(super) fn push_clean(out: &mut String, c: char) {
    if is_hidden(c) {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "<U+{:04X}>", u32::from(c));
    } else {
        out.push(c);
    }
}

/// What is not seen or changes what is seen, and the first two of the private use area, because `human` marks places with
/// them.
pub(super) fn is_hidden(c: char) -> bool {
    hidden::is_hidden(c) || matches!(c, '\u{e000}' | '\u{e001}')
}

/// What a stream gets at last: like [`clean_lines`], but where it is coloured the colours stay (`ESC [ 1 ; 31 m`), which
/// can do no harm. Texts come here cleaned; this is the second lock on the door, for the one that somebody forgot.
#[must_use]
pub fn clean_stream(text: &str, coloured: bool) -> Cow<'_, str> {
    if !coloured {
        return clean_lines(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut out = clean_lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let end = colour_end(part);
        out.push_str(if end > 0 { "\u{1b}" } else { "<U+001B>" });
        out.push_str(&part[..end]);
        out.push_str(&clean_lines(&part[end..]));
    }
    Cow::Owned(out)
}

/// The length of `[1;31m` at the beginning of a text; 0 if it does not begin so.
fn colour_end(text: &str) -> usize {
    let Some(rest) = text.strip_prefix('[') else { return 0 };
    let numbers = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if rest.as_bytes().get(numbers) == Some(&b'm') { numbers + 2 } else { 0 }
}

/// A JSON document of the same meaning in which no character is hidden: `\u202e` stands for U+202E. Outside of strings JSON
/// has none but line feeds, and in them an escape is the character.
#[must_use]
pub fn clean_json(document: &str) -> Cow<'_, str> {
    let stays = |c| c == '\n' || !is_hidden(c);
    if document.chars().all(stays) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if stays(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(out)
}

/// At most `limit` characters of `text`, with `…` where it was cut.
pub(super) fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or(""))),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_named() {
        assert_eq!(clean("a\u{1b}[31m\r\u{9b}\u{202e}\u{feff}b"), "a<U+001B>[31m<U+000D><U+009B><U+202E><U+FEFF>b");
        assert_eq!(clean("a\tb\n"), "a<U+0009>b<U+000A>");
        assert_eq!(clean_lines("a\tb\n\0"), "a\tb\n<U+0000>");
        assert!(matches!(clean("åß 漢字 🦀"), Cow::Borrowed(_)), "ordinary text is not copied");
    }

    #[test]
    fn a_stream_keeps_colours_only_where_it_is_coloured() {
        let text = "\u{1b}[1;31mred\u{1b}[0m\n\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[31\u{1b}[m\u{202e}\t";
        let expected = "\u{1b}[1;31mred\u{1b}[0m\n<U+001B>[2J<U+001B>]0;x<U+0007><U+001B>[31\u{1b}[m<U+202E>\t";
        assert_eq!(clean_stream(text, true), expected);
        assert!(!clean_stream(text, false).contains('\u{1b}'));
    }

    #[test]
    fn a_document_means_the_same_without_hidden_characters() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}\u{e0041}\\\u{200b}\"\u{1b}\r\n", "åß 🦀"]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let clean = clean_json(&text);
        assert!(clean.chars().all(|c| c == '\n' || !is_hidden(c)), "{clean}");
        assert!(clean.contains("\\u202e") && clean.contains("\\udb40\\udc41"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), value);
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("åäö", 3), "åäö");
        assert_eq!(clip("åäö", 2), "åä…");
    }
}
