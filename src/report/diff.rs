//! Unified diffs of what would change, for people.
//!
//! Line endings count as equal (`\r\n` is shown as `\n`), because a file that differs in them only is unchanged. Must
//! never send a control character to a terminal; tabs stay. Not meant as input of `patch`.

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};

use super::clean::{clean, clean_lines};
use super::paint::{BOLD, CYAN, GREEN, RED, paint};

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// A NUL among this many first bytes makes a file binary, as in git.
const PROBE: usize = 8_000;

/// The difference of two contents of `path`; `None` is no file. Empty if they are equal or differ in line endings only.
#[must_use]
pub fn unified(path: &str, old: Option<&[u8]>, new: Option<&[u8]>, colour: bool) -> String {
    if old == new {
        return String::new();
    }
    let name = |side: &str, there: bool| if there { format!("{side}/{}", clean(path)) } else { "/dev/null".to_owned() };
    let (old_name, new_name) = (name("a", old.is_some()), name("b", new.is_some()));
    let (Some(old_text), Some(new_text)) = (text(old), text(new)) else {
        let size = |content: Option<&[u8]>| super::words::bytes(content.map_or(0, <[u8]>::len) as u64);
        return format!("binary files {old_name} and {new_name} differ: {} to {}\n", size(old), size(new));
    };
    let mut out = paint(colour, BOLD, &format!("--- {old_name}\n+++ {new_name}"));
    out.push('\n');
    let hunks = hunks(&lines(&old_text), &lines(&new_text), colour);
    // A created or deleted empty file has no hunk, but is a change.
    if hunks.is_empty() && old.is_some() && new.is_some() {
        return String::new();
    }
    out.push_str(&hunks);
    out
}

/// The text with `\n` line endings; `None` if it is not text.
fn text(content: Option<&[u8]>) -> Option<String> {
    let content = content.unwrap_or_default();
    if content.iter().take(PROBE).any(|&byte| byte == 0) {
        return None;
    }
    std::str::from_utf8(content).ok().map(|text| text.replace("\r\n", "\n"))
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn hunks(old: &[&str], new: &[&str], colour: bool) -> String {
    // This variant of Myers' algorithm bounds its own work, so that no deadline (and no clock) is needed.
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(old, new);
    let mut out = String::new();
    for ops in diff.grouped_ops(CONTEXT).iter().filter(|ops| !ops.is_empty()) {
        out.push_str(&paint(colour, CYAN, &header(ops)));
        out.push('\n');
        for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', Some(RED)),
                ChangeTag::Insert => ('+', Some(GREEN)),
            };
            let value: &str = change.value();
            let bare = value.strip_suffix('\n').unwrap_or(value);
            let line = format!("{sign}{}", clean_lines(bare));
            out.push_str(&style.map_or(line.clone(), |style| paint(colour, style, &line)));
            out.push('\n');
            if bare.len() == value.len() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

fn header(ops: &[DiffOp]) -> String {
    let range = |of: fn(&DiffOp) -> std::ops::Range<usize>| {
        let start = ops.first().map_or(0, |op| of(op).start);
        let length = ops.last().map_or(0, |op| of(op).end).saturating_sub(start);
        match length {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            _ => format!("{},{length}", start + 1),
        }
    };
    format!("@@ -{} +{} @@", range(DiffOp::old_range), range(DiffOp::new_range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: Option<&str>, new: Option<&str>) -> String {
        unified("src/a.ts", old.map(str::as_bytes), new.map(str::as_bytes), false)
    }

    #[test]
    fn an_update_shows_context_and_the_missing_newline() {
        let expected =
            "--- a/src/a.ts\n+++ b/src/a.ts\n@@ -3,4 +3,4 @@\n 3\n 4\n 5\n-6\n+six\n\\ No newline at end of file\n";
        assert_eq!(diff(Some("1\n2\n3\n4\n5\n6\n"), Some("1\n2\n3\n4\n5\nsix")), expected);
    }

    #[test]
    fn creation_and_deletion_name_no_file() {
        assert_eq!(diff(None, Some("x\ny\n")), "--- /dev/null\n+++ b/src/a.ts\n@@ -0,0 +1,2 @@\n+x\n+y\n");
        assert_eq!(diff(Some("x\n"), None), "--- a/src/a.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
        assert_eq!(diff(None, Some("")), "--- /dev/null\n+++ b/src/a.ts\n");
    }

    #[test]
    fn equal_contents_and_line_endings_are_no_difference() {
        assert_eq!(diff(Some("a\nb\n"), Some("a\nb\n")), "");
        assert_eq!(diff(Some("a\r\nb\r\n"), Some("a\nb\n")), "");
    }

    #[test]
    fn control_characters_are_named_and_binary_is_not_shown() {
        assert!(diff(Some("a\n"), Some("\t\u{1b}[2J\r\u{202e}\n")).ends_with("-a\n+\t<U+001B>[2J<U+000D><U+202E>\n"));
        let binary = unified("x.png", Some(b"\0a"), Some(&[0xff, 0xfe]), false);
        assert_eq!(binary, "binary files a/x.png and b/x.png differ: 2 B to 2 B\n");
    }

    #[test]
    fn colour_marks_the_lines() {
        let drawn = unified("a", Some(b"x\n"), Some(b"y\n"), true);
        assert!(drawn.contains("\u{1b}[31m-x\u{1b}[0m\n\u{1b}[32m+y\u{1b}[0m\n"), "{drawn:?}");
    }

    #[test]
    fn two_large_strangers_take_no_minutes() {
        for (many, words) in [(30_000, 17), (30_000, 5_000)] {
            let text = |mut seed: u64| {
                let lines: Vec<String> = (0..many)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        format!("{}\n", (seed >> 33) % words)
                    })
                    .collect();
                lines.concat()
            };
            let (old, new) = (text(1), text(2));
            assert!(diff(Some(&old), Some(&new)).len() > many);
        }
    }
}
