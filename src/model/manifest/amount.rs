//! Amounts as people write them: `120-150`, `8,000-10,000`, `>100`, `~500`, `8k-10k`, `1000+`.
//!
//! Reads the text and nothing else; what an amount is compared with is not known here.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::wire::shape::{AmountWire, BoundsWire};
use crate::source::Tree;
use crate::span::Span;

/// A range of numbers, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The least.
    pub min: u64,
    /// The most; `u64::MAX` for none.
    pub max: u64,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, u64::MAX) => write!(f, "at least {min}"),
            (min, max) if min == max => write!(f, "{min}"),
            (0, max) => write!(f, "at most {max}"),
            (min, max) => write!(f, "{min} to {max}"),
        }
    }
}

/// The amount that a manifest gives; nonsense becomes a finding.
pub(super) fn read(tree: &Tree, wire: Option<&AmountWire>, findings: &mut Diagnostics) -> Option<Amount> {
    let (text, node) = match wire? {
        AmountWire::Number(number) => (number.value.to_string(), number.node),
        AmountWire::Text(text) => (text.value.clone(), text.node),
        AmountWire::Range(range) => (as_text(&range.value), range.node),
    };
    let span = tree.span(node);
    match parse(&text) {
        Ok((min, max)) => Some(Amount { min, max, span }),
        Err(why) => {
            let message = format!("`{text}` is no amount: {why}");
            let help = "write a number (`120`), a range (`8000-10000`) or a bound (`1000+`, `<500`, `~500`)";
            findings.push(Diagnostic::new(Code::BadAmount, message).at(span).help(help));
            None
        }
    }
}

/// `{min: 8000, max: 10000}` as text.
pub(super) fn as_text(range: &BoundsWire) -> String {
    match (range.min.as_ref().map(|min| min.value), range.max.as_ref().map(|max| max.value)) {
        (Some(min), Some(max)) => format!("{min}-{max}"),
        (None, Some(max)) => format!("<={max}"),
        (min, None) => format!("{}+", min.unwrap_or(0)),
    }
}

/// From the number behind a sign to both ends.
type Bound = fn(u64) -> (u64, u64);

/// Both ends of an amount: a number is both; `~` leaves a fifth to either side.
///
/// # Errors
/// Why the text is no amount, as a lower-case fragment.
fn parse(text: &str) -> Result<(u64, u64), String> {
    let text = text.trim();
    if text.ends_with('%') {
        return Err("a percentage where a number belongs".to_owned());
    }
    let bounds: [(&str, Bound); 7] = [
        (">=", |number| (number, u64::MAX)),
        ("≥", |number| (number, u64::MAX)),
        (">", |number| (number.saturating_add(1), u64::MAX)),
        ("<=", |number| (0, number)),
        ("≤", |number| (0, number)),
        ("<", |number| (0, number.saturating_sub(1))),
        ("~", |number| (number - number / 5, number.saturating_add(number / 5))),
    ];
    for (sign, bound) in bounds {
        if let Some(rest) = text.strip_prefix(sign) {
            return number(rest.trim(), false).map(bound);
        }
    }
    if let Some(rest) = text.strip_suffix('+') {
        return number(rest.trim(), false).map(|least| (least, u64::MAX));
    }
    let ends = ["..", "–", "—", "-", " to "].iter().find_map(|sign| text.split_once(sign));
    let Some((low, high)) = ends else { return number(text, false).map(|one| (one, one)) };
    let (low, high) = (low.trim(), high.trim());
    let max = number(high, false)?;
    let mut min = number(low, false)?;
    // `8-10k` means thousands at both ends, `500-1k` does not.
    if !ends_with_k(low) && ends_with_k(high) && min < max / 1000 {
        min = number(low, true)?;
    }
    if min > max {
        return Err(format!("{min} is more than {max}"));
    }
    Ok((min, max))
}

fn ends_with_k(text: &str) -> bool {
    text.ends_with(['k', 'K'])
}

/// `10000`, `10,000`, `10_000`, `10.000`, `10k`, `1.5k`; `thousands` reads it as if a `k` followed.
fn number(text: &str, thousands: bool) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no whole number");
    let Some(digits) = text.strip_suffix(['k', 'K']).or(thousands.then_some(text)) else {
        let mut groups = text.split([',', '_', '.', ' ']);
        let first = groups.next().unwrap_or_default();
        let rest: Vec<&str> = groups.collect();
        if rest.iter().any(|group| group.len() != 3) || first.is_empty() || (first.len() > 3 && !rest.is_empty()) {
            return Err(wrong());
        }
        return whole(&[first, &rest.concat()].concat()).ok_or_else(wrong);
    };
    let (thousand, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    if decimals.is_empty() || decimals.len() > 3 {
        return Err(wrong());
    }
    let below = whole(&format!("{decimals:0<3}")).ok_or_else(wrong)?;
    whole(thousand).and_then(|number| number.checked_mul(1000)?.checked_add(below)).ok_or_else(wrong)
}

fn whole(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_meant() {
        for (text, expected) in [
            ("120", (120, 120)),
            ("120-150", (120, 150)),
            ("8,000-10,000", (8000, 10000)),
            ("8.000 - 10.000", (8000, 10000)),
            ("8 000-10 000", (8000, 10000)),
            ("8_000..10_000", (8000, 10000)),
            ("8000 – 10000", (8000, 10000)),
            ("8000 to 10000", (8000, 10000)),
            ("8k-10k", (8000, 10000)),
            ("8-10k", (8000, 10000)),
            ("500-1k", (500, 1000)),
            ("1.5k", (1500, 1500)),
            (">100", (101, u64::MAX)),
            (">= 100", (100, u64::MAX)),
            ("<500", (0, 499)),
            ("≤500", (0, 500)),
            ("~500", (400, 600)),
            ("1000+", (1000, u64::MAX)),
            (" 0 ", (0, 0)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn nonsense_says_why() {
        for (text, expected) in [
            ("90%", "a percentage where a number belongs"),
            ("10000-8000", "10000 is more than 8000"),
            ("1.5", "`1.5` is no whole number"),
            ("1,00", "`1,00` is no whole number"),
            ("1000,000", "`1000,000` is no whole number"),
            ("1.2345k", "`1.2345k` is no whole number"),
            ("99999999999999999999", "`99999999999999999999` is no whole number"),
            ("99999999999999999k", "`99999999999999999k` is no whole number"),
            ("-5", "`` is no whole number"),
            ("many", "`many` is no whole number"),
            ("+", "`` is no whole number"),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_in_words() {
        let shown = |min, max| Amount { min, max, span: Span::new(crate::span::FileId(0), 0, 0) }.to_string();
        assert_eq!(shown(5, 5), "5");
        assert_eq!(shown(1, 5), "1 to 5");
        assert_eq!(shown(0, 5), "at most 5");
        assert_eq!(shown(5, u64::MAX), "at least 5");
    }
}
