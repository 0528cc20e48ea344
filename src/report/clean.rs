//! Makes characters visible that a terminal would obey or hide.
//!
//! Every text that was read (a message that quotes a value, a path, a source line) goes through here before it is shown
//! to a person. This module must never drop a character: what it does not show as it is, it names, as `<U+202E>`.

use std::borrow::Cow;
use std::fmt::Write as _;

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

/// Control characters, and format characters that reorder, hide or take no room. The first two of the private use area
/// are among them because `human` marks places with them.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
        )
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}' | '\u{e000}' | '\u{e001}')
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
    fn clipping_counts_characters() {
        assert_eq!(clip("åäö", 3), "åäö");
        assert_eq!(clip("åäö", 2), "åä…");
    }
}
