//! Tags that the engine cannot read: a loop or an operator of another language in them, and how it is written here.

use std::ops::Range;

use super::issue::Issue;
use super::mends::{Mend, Within, compiles, in_tag};
use super::{lexer, tags};

/// What the engine cannot read at the place of the issue: a loop or an operator of another language in the tag around it.
pub(super) fn explained(issue: Issue, text: &str) -> Issue {
    const RAW: &str = "if another tool reads these braces, put them into {% raw %} ... {% endraw %}";
    let Some(tag) = tag_around(text, issue.range.start) else { return issue.help(RAW) };
    let Some(body) = text.get(tag.start + 2..tag.end - 2) else { return issue.help(RAW) };
    if let Some((range, new)) = loop_of(text, tag.start + 2..tag.end - 2) {
        return issue.help(format!("write `{{% for {new} %}}`; {RAW}")).fix(range, new);
    }
    let Some(hint) = tags::operator_hint(body) else { return issue.help(RAW) };
    let mended = in_tag(Issue { range: tag, ..issue.clone() }, text);
    Issue { fix: mended.fix, ..issue.help(format!("{hint}; {RAW}")) }
}

/// The tag around `at`, on its line.
fn tag_around(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let start = line + before[line..].rfind("{%").max(before[line..].rfind("{{"))?;
    let close = if text[start..].starts_with("{%") { "%}" } else { "}}" };
    let end = start + text[start..].find(close)? + 2;
    (at < end && !text[start..end].contains('\n')).then_some(start..end)
}

/// `for (const x of y)`: what follows `for`, as this language says it.
fn loop_of(text: &str, body: Range<usize>) -> Option<Mend> {
    if tags::keyword(text.get(body.clone())?) != Some("for") {
        return None;
    }
    let start = body.start + text[body.clone()].find("for")? + 3;
    let inner = text.get(start..body.end)?;
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner).trim();
    let start = start + text[start..].find(inner)?;
    let bare = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(inner).trim();
    let bare = ["const ", "let ", "var "].iter().find_map(|word| bare.strip_prefix(word)).unwrap_or(bare).trim_start();
    let (names, over) = bare.split_once(" in ").or_else(|| bare.split_once(" of "))?;
    let new = format!("{} in {}", names.trim(), over.trim());
    let is_name = names.split(',').all(|name| !name.trim().is_empty() && name.trim().chars().all(lexer::is_name_part));
    (new != inner && is_name && compiles(&format!(" for {new} "), Within::Block))
        .then(|| (start..start + inner.len(), new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn loops_and_operators_that_the_engine_cannot_read_are_respelt() {
        let mended = |text: &str| {
            let fix = explained(Issue::new(Code::TemplateSyntax, 8..9, "bad"), text).fix?;
            Some([&text[..fix.0.start], &fix.1, &text[fix.0.end..]].concat())
        };
        for (text, wanted) in [
            ("{% for x of a.b %}", Some("{% for x in a.b %}")),
            ("{%- for const x of a -%}", Some("{%- for x in a -%}")),
            ("{% for (x in a) %}", Some("{% for x in a %}")),
            ("{% for (let a, b of c|items) %}", Some("{% for a, b in c|items %}")),
            ("{% for x in a b %}", None),
            ("{% for [a, b] of c %}", None),
            ("{% if a === 'b' %}", Some("{% if a == 'b' %}")),
            ("{% if a b %}", None),
        ] {
            assert_eq!(mended(text).as_deref(), wanted, "{text}");
        }
    }
}
