//! Slips of people and models who think of another language, and what to write instead where that is certain.
//!
//! A mend is a piece of the template's own text and what replaces it. It must never be given where two mends are possible,
//! nor where the replaced piece holds more than the slip.

use std::ops::Range;

use super::issue::Issue;
use super::scan::{Scan, Tag, TagKind};
use super::{lexer, tags};
use crate::diagnostic::Code;

/// A piece of the text, and what to write there.
pub(super) type Mend = (Range<usize>, String);

/// Operators of other languages, longest first.
const OPERATORS: [(&str, &str); 4] = [("===", "=="), ("!==", "!="), ("&&", "and"), ("||", "or")];

/// The operators of another language in `body`, as this one writes them; `None` where one of them needs more than another
/// spelling (`a ? b : c`).
pub(super) fn operators(text: &str, body: Range<usize>) -> Option<Mend> {
    let mut found: Vec<Mend> = Vec::new();
    let mut at = body.start;
    while at < body.end {
        let rest = text.get(at..body.end)?;
        let first = rest.chars().next()?;
        if matches!(first, '\'' | '"') {
            at += lexer::text_len(rest, first)?;
            continue;
        }
        let word = OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator));
        let (len, new) = match word {
            Some(&(operator, new)) => (operator.len(), spaced(text, at, operator.len(), new)),
            None if rest.starts_with(" = ") => (3, " == ".to_owned()),
            None if rest.starts_with("==") || rest.starts_with("!=") => (2, String::new()),
            None if first == '!' => (1, "not ".to_owned()),
            None => (first.len_utf8(), String::new()),
        };
        if !new.is_empty() {
            found.push((at..at + len, new));
        }
        at += len;
    }
    let whole = found.first()?.0.start..found.last()?.0.end;
    let (mut mended, mut done) = (String::new(), whole.start);
    for (range, new) in found {
        mended.push_str(text.get(done..range.start)?);
        mended.push_str(&new);
        done = range.end;
    }
    let after = [text.get(body.start..whole.start)?, &mended, text.get(whole.end..body.end)?].concat();
    let reads = lexer::lex(&after, 0..after.len()).is_ok() && tags::operator_hint(&after).is_none();
    reads.then_some((whole, mended))
}

/// A tag that cannot be read: one that lacks a brace gets it, another language's operators are respelt.
pub(super) fn in_tag(issue: Issue, text: &str) -> Issue {
    let shown = text.get(issue.range.clone()).unwrap_or("");
    if shown.starts_with("{{") && shown.ends_with('}') && !shown.ends_with("}}") {
        let end = issue.range.end;
        return issue.fix(end..end, "}");
    }
    let body = issue.range.clone();
    in_expression(issue, text, body)
}

/// An expression in the spelling of another language, or in typographic quotes.
pub(super) fn in_expression(issue: Issue, text: &str, body: Range<usize>) -> Issue {
    const QUOTES: [char; 5] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}'];
    let shown = text.get(body.clone()).unwrap_or("").trim();
    let inner = shown.trim_start_matches(QUOTES).trim_end_matches(QUOTES);
    let is_name = !inner.is_empty() && inner.chars().all(|c| c == '.' || lexer::is_name_part(c));
    if is_name && shown.len() > inner.len() {
        return issue.help(format!("remove the typographic quotes: `{inner}`")).fix(body, inner);
    }
    match operators(text, body) {
        Some((range, new)) => issue.fix(range, new),
        None => issue,
    }
}

/// A word in the place of an operator needs blanks around it.
fn spaced(text: &str, at: usize, len: usize, word: &str) -> String {
    let before = text[..at].ends_with(|c: char| !c.is_whitespace());
    let after = text[at + len..].starts_with(|c: char| !c.is_whitespace());
    format!("{}{word}{}", if before { " " } else { "" }, if after { " " } else { "" })
}

/// What the unknown statement at `word` means: the keyword that `meant` says, or for a bare `end` the end of the block
/// that is open there.
pub(super) fn statement(text: &str, read: &Scan, word: &Range<usize>, meant: &str) -> Option<String> {
    if text.get(word.clone())?.eq_ignore_ascii_case("end") {
        // Of many the first is enough, and looking back for each would take long.
        if read.statements.first() != Some(word) {
            return None;
        }
        let mut open: Vec<&str> = Vec::new();
        for tag in read.tags().filter(|tag| tag.kind == TagKind::Block && tag.range.end <= word.start) {
            match tags::keyword(&text[tag.body.clone()]) {
                Some(keyword) if keyword.starts_with("end") => drop(open.pop()),
                Some(keyword @ ("for" | "if" | "macro" | "filter" | "with" | "block")) => open.push(keyword),
                _ => {}
            }
        }
        return open.last().map(|keyword| format!("end{keyword}"));
    }
    // Some words have no single counterpart, or need another form of the rest.
    let is_single = !meant.contains([' ', '`']) && !matches!(&text[word.clone()], "switch" | "capture");
    is_single.then(|| meant.to_owned())
}

/// `{% else if x %}`: the two words are one.
pub(super) fn else_if(text: &str, tag: &Tag) -> Option<Issue> {
    let [first, second, ..] = tag.tokens.as_slice() else { return None };
    let is = |token: &lexer::Token, word: &str| &text[token.range.clone()] == word;
    let range = first.range.start..second.range.end;
    (tag.kind == TagKind::Block && is(first, "else") && is(second, "if")).then(|| {
        Issue::new(Code::TemplateSyntax, range.clone(), "`else if` is no tag").help("write `elif`").fix(range, "elif")
    })
}

/// `len(x)` as `x|length`, and the like; the issue stands at the name.
pub(super) fn call(issue: Issue, text: &str) -> Issue {
    match filter_of_call(text, &issue.range) {
        Some((range, new)) => issue.help(format!("that is a filter: write `{new}`")).fix(range, new),
        None => issue,
    }
}

fn filter_of_call(text: &str, name: &Range<usize>) -> Option<Mend> {
    const FUNCTIONS: [(&str, &str); 6] = [
        ("len", "length"),
        ("length", "length"),
        ("upper", "upper"),
        ("lower", "lower"),
        ("sorted", "sort"),
        ("str", "string"),
    ];
    let (_, filter) = FUNCTIONS.iter().find(|(function, _)| *function == &text[name.clone()])?;
    let rest = text.get(name.end..)?.strip_prefix('(')?;
    let inner = &rest[..rest.find(')')?];
    let is_path = !inner.is_empty() && inner.chars().all(|c| c == '.' || lexer::is_name_part(c));
    is_path.then(|| (name.start..name.end + inner.len() + 2, format!("{inner}|{filter}")))
}

/// The filter that a name in use elsewhere means: `to_snake_case`, `pascalize`, `toUpper`.
pub(super) fn filter(name: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("to").map_or(lower.as_str(), |rest| rest.trim_start_matches('_'));
    let ends = ["", "_case", "case", "ize", "ized", "_string"];
    let mut names = ends.iter().filter_map(|end| bare.strip_suffix(end)).filter(|name| name.len() > 3);
    names.find(|word| *word != name && is_known(word)).map(str::to_owned)
}

/// `{ entity }` or `${entity}` in a path: the placeholder that is meant by the braces of the issue.
pub(super) fn placeholder(issue: Issue, text: &str, is_known: impl Fn(&str) -> bool) -> Issue {
    match placeholder_in(text, issue.range.clone(), is_known) {
        Some((range, new)) => issue.help(format!("write `{new}`, without `$` and blanks")).fix(range, new),
        None => issue,
    }
}

fn placeholder_in(text: &str, braces: Range<usize>, is_known: impl Fn(&str) -> bool) -> Option<Mend> {
    let inner = text.get(braces.clone())?.strip_prefix('{')?.strip_suffix('}')?.trim();
    let dollar = text[..braces.start].ends_with('$');
    is_known(inner).then(|| (braces.start - usize::from(dollar)..braces.end, format!("{{{inner}}}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_respelt_outside_of_texts_and_only_if_that_is_all() {
        let mended = |text: &str| {
            let (range, new) = operators(text, 0..text.len())?;
            Some([&text[..range.start], &new, &text[range.end..]].concat())
        };
        assert_eq!(mended("a && b").as_deref(), Some("a and b"));
        assert_eq!(mended("a&&b || '&&'").as_deref(), Some("a and b or '&&'"));
        assert_eq!(mended("!a.b && c !== 'x'").as_deref(), Some("not a.b and c != 'x'"));
        assert_eq!(mended("a === 'users'").as_deref(), Some("a == 'users'"));
        assert_eq!(mended("a = 'users'").as_deref(), Some("a == 'users'"));
        assert_eq!(mended("a != b"), None, "nothing to mend");
        assert_eq!(mended("a && b ? 'x' : 'y'"), None, "that needs another form");
    }

    #[test]
    fn names_of_other_tools_become_filters_and_paths() {
        let known = |name: &str| ["snake", "pascal", "upper", "kebab"].contains(&name);
        assert_eq!(filter("to_snake_case", known).as_deref(), Some("snake"));
        assert_eq!(filter("toUpper", known).as_deref(), Some("upper"));
        assert_eq!(filter("kebabize", known).as_deref(), Some("kebab"));
        assert_eq!(filter("upper", known), None, "it is one already");
        assert_eq!(filter("to_morse", known), None);
        assert_eq!(filter_of_call("{{ len(a.b) }}", &(3..6)), Some((3..11, "a.b|length".to_owned())));
        assert_eq!(filter_of_call("{{ len(a + b) }}", &(3..6)), None);
        assert_eq!(placeholder_in("x/${ a }", 3..8, |name| name == "a"), Some((2..8, "{a}".to_owned())));
        assert_eq!(placeholder_in("x/{ b }", 2..7, |name| name == "a"), None);
    }
}
