//! Numbers and amounts as people read them. Must never be used for JSON, where numbers stay raw.

/// A number with a comma between thousands.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 file`, `1,204 files`. The plural is the noun and `s`.
#[must_use]
pub fn count(value: u64, noun: &str) -> String {
    let s = if value == 1 { "" } else { "s" };
    format!("{} {noun}{s}", number(value))
}

/// An amount of bytes in decimal units: `812 B`, `38.2 kB`, `1.5 MB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    if value < 1_000 {
        return format!("{value} B");
    }
    let mut unit = 1_000_u64;
    for name in ["kB", "MB", "GB"] {
        // 999.95 and more would be printed as 1000.0.
        if u128::from(value) * 20 < u128::from(unit) * 19_999 {
            return tenths(value, unit, name);
        }
        unit = unit.saturating_mul(1_000);
    }
    tenths(value, unit, "TB")
}

fn tenths(value: u64, unit: u64, name: &str) -> String {
    let tenths = (u128::from(value) * 10 + u128::from(unit) / 2) / u128::from(unit);
    let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
    format!("{}.{} {name}", number(whole), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        let numbers: Vec<String> = [0, 7, 999, 1_000, 1_234_567].into_iter().map(number).collect();
        assert_eq!(numbers, ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!([count(1, "file"), count(0, "file"), count(1_204, "line")], ["1 file", "0 files", "1,204 lines"]);
        let sizes: Vec<String> = [0, 999, 1_000, 38_249, 999_949, 999_950, 1_500_000].into_iter().map(bytes).collect();
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "38.2 kB", "999.9 kB", "1.0 MB", "1.5 MB"]);
        assert_eq!(bytes(u64::MAX), "18,446,744.1 TB");
    }
}
