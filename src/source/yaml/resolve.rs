//! What an unquoted word means: the YAML 1.2 core schema, except that digits which a number would lose stay text.
//!
//! Must never look at anything but the word, and must never change what was written without a type to show for it.

use crate::source::tree::{Kind, Style};

/// What `word` means, or `None` for an infinity or NaN, which no later stage could print.
pub(super) fn plain(word: &str) -> Option<Kind> {
    let kind = match word {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_not_finite(word) => return None,
        // Only these bytes can begin a number, so most words are done here.
        _ if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => text(word),
        _ => number(word).unwrap_or_else(|| text(word)),
    };
    Some(kind)
}

pub(super) fn text(word: &str) -> Kind {
    Kind::Text(word.into(), Style::Plain)
}

fn is_not_finite(word: &str) -> bool {
    let bare = word.strip_prefix(['+', '-']).unwrap_or(word);
    matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN")
}

fn number(word: &str) -> Option<Kind> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = word.strip_prefix(prefix) {
            // `from_str_radix` would take a sign here.
            let whole = digits.bytes().all(|b| b.is_ascii_alphanumeric());
            return i64::from_str_radix(digits, radix).ok().filter(|_| whole).map(Kind::Int);
        }
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if whole > 1 && unsigned.starts_with('0') {
        return None;
    }
    if whole == unsigned.len() {
        return word.parse().ok().map(Kind::Int);
    }
    if !is_float(unsigned, whole) {
        return None;
    }
    let value = word.parse::<f64>().ok().filter(|value| value.is_finite())?;
    keeps_digits(unsigned, value.abs()).then_some(Kind::Float(value))
}

/// Whether a fraction prints as it was written: the version `1.10` is not the number 1.1, so it stays text.
fn keeps_digits(unsigned: &str, value: f64) -> bool {
    let has_exponent = unsigned.contains(['e', 'E']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    has_exponent || format!("{value:?}") == format!("{whole}.{fraction}")
}

/// Whether `unsigned`, which begins with `whole` digits, is a fraction or has an exponent.
fn is_float(unsigned: &str, whole: usize) -> bool {
    let rest = &unsigned[whole..];
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(tail) => {
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            (digits, &tail[digits..])
        }
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_that_would_lose_digits_stay_text() {
        for word in ["1.10", "2.50", "18.100", "3.141592653589793238462643"] {
            assert_eq!(plain(word), Some(text(word)), "{word}");
        }
        for (word, value) in [("1.0", 1.0), ("2.5", 2.5), (".5", 0.5), ("5.", 5.0), ("1.50e1", 15.0), ("-0.25", -0.25)]
        {
            assert_eq!(plain(word), Some(Kind::Float(value)), "{word}");
        }
    }

    #[test]
    fn core_schema_with_digits_kept() {
        for word in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(word), Some(Kind::Null), "{word}");
        }
        for (word, value) in [("0", 0), ("-0", 0), ("+7", 7), ("0o17", 15), ("0xfF", 255), ("-12", -12)] {
            assert_eq!(plain(word), Some(Kind::Int(value)), "{word}");
        }
        for (word, value) in [("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-1", -0.15)] {
            assert_eq!(plain(word), Some(Kind::Float(value)), "{word}");
        }
        let words = "0644 007 -01 00 01.5 00e1 9223372036854775808 0x8000000000000000 0x 0o8 0x+1 -0x1 1_000 1e400 \
                     yes no on off tRUE nil . - + e5 1e 1.2.3 .e1 1:30 0b1 2001-01-01 inf NaN .infx";
        for word in words.split(' ') {
            assert_eq!(plain(word), Some(text(word)), "{word}");
        }
        for word in [".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN"] {
            assert_eq!(plain(word), None, "{word}");
        }
        assert_eq!(plain("True"), Some(Kind::Bool(true)));
    }
}
