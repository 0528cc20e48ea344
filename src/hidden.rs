//! Which characters are not seen, or change how others are seen: the one register for paths, reports, snapshots, lockfiles
//! and generated text. Only says what a character is; what is done about it is decided by who asks.

/// Whether a terminal, an editor or a reader would be deceived by the character: a control character (tabs and line breaks
/// among them), a bidirectional control, or one without a shape.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control() || reorders(c) || is_invisible(c)
}

/// Bidirectional controls: they reorder the text around them.
#[must_use]
pub fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What has no shape but is part of a name or a text; and the line breaks U+2028 and U+2029, which few tools show.
/// Variation selectors of emoji are not among them, joiners (U+200C, U+200D) and tags are.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    if c < '\u{ad}' {
        return false;
    }
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_hidden_and_what_is_read_is_not() {
        for c in ['\0', '\u{1b}', '\r', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{e0041}']
        {
            assert!(is_hidden(c), "{c:?}");
        }
        for c in ['a', ' ', 'å', '漢', '🦀', '\u{a0}', '\u{3000}', '\u{301}', '\u{fe0f}'] {
            assert!(!is_hidden(c), "{c:?}");
        }
    }
}
