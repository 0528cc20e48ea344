//! Slips of people and models who think of another language, and what to write instead where that is certain.
//!
//! A mend is a piece of the template's own text and what replaces it. It must never be given where two mends are possible,
//! nor where the replaced piece holds more than the slip.

use std::ops::Range;

use super::issue::Issue;
use super::scan::{Scan, Tag, TagKind};
use super::{lexer, tags};
use crate::diagnostic::Code;
use crate::limit::Limits;

/// A piece of the text, and what to write there.
pub(super) type Mend = (Range<usize>, String);

/// Operators of other languages, longest first.
const OPERATORS: [(&str, &str); 4] = [("===", "=="), ("!==", "!="), ("&&", "and"), ("||", "or")];

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// By itself, as a condition of a rule.
    Expression,
    /// Between `{{` and `}}`.
    Variable,
    /// Between `{%` and `%}`, with its keyword.
    Block,
}

/// The operators of another language in `body`, as this one writes them; `None` where one of them needs more than another
/// spelling (`a ? b : c`), and where the engine could not read the result.
fn operators(text: &str, body: Range<usize>, within: Within) -> Option<Mend> {
    let mut found: Vec<Mend> = Vec::new();
    // Elsewhere ` = ` gives a name its value; so it does in every bracket.
    let compares = match within {
        Within::Expression => true,
        Within::Variable => false,
        Within::Block => matches!(tags::keyword(text.get(body.clone())?), Some("if" | "elif")),
    };
    let (mut at, mut depth) = (body.start, 0_usize);
    while at < body.end {
        let rest = text.get(at..body.end)?;
        let first = rest.chars().next()?;
        if matches!(first, '\'' | '"') {
            at += lexer::text_len(rest, first)?;
            continue;
        }
        match first {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let word = OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator));
        let (len, new) = match word {
            Some(&(operator, new)) => (operator.len(), spaced(text, at, operator.len(), new)),
            None if rest.starts_with(" = ") && compares && depth == 0 => (3, " == ".to_owned()),
            None if rest.starts_with("==") || rest.starts_with("!=") => (2, String::new()),
            None if first == '!' && binds_alone(&rest[1..]) => (1, "not ".to_owned()),
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
    compiles(&after, within).then_some((whole, mended))
}

/// Whether the `!` before `rest` means the same as `not`, which takes a whole comparison: `!a == b` does not.
fn binds_alone(rest: &str) -> bool {
    let (mut depth, mut end) = (0_usize, rest.len());
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 || c == '.' || lexer::is_name_part(c) => {}
            _ => {
                end = at;
                break;
            }
        }
    }
    let after = rest[end..].trim_start();
    end > 0 && !after.starts_with(['=', '!', '<', '>', '+', '*', '/', '~', '['])
}

/// Whether the engine can read a tag with this body, or this expression.
pub(super) fn compiles(body: &str, within: Within) -> bool {
    let Ok(tokens) = lexer::lex(body, 0..body.len()) else { return false };
    // What could exhaust the engine's parser is not tried.
    if lexer::over_limit(body, &tokens, &Limits::default()).is_some() {
        return false;
    }
    let engine = minijinja::Environment::new();
    let (before, after) = match within {
        Within::Expression => return engine.compile_expression(body).is_ok(),
        Within::Variable => return engine.template_from_str(&format!("{{{{{body}}}}}")).is_ok(),
        Within::Block => match tags::keyword(body) {
            Some(word) if opens(word, body, &tokens) => ("", format!("{{% end{word} %}}")),
            Some("elif" | "else") => ("{% if 1 %}", "{% endif %}".to_owned()),
            Some("break" | "continue") => ("{% for x in [] %}", "{% endfor %}".to_owned()),
            // The name of a block may follow; nothing else may.
            Some(word) if word.starts_with("end") => {
                let words = tokens.iter().filter(|token| !matches!(&body[token.range.clone()], "-" | "+"));
                return words.count() == 1;
            }
            Some("raw") | None => return false,
            Some(_) => ("", String::new()),
        },
    };
    engine.template_from_str(&format!("{before}{{%{body}%}}{after}")).is_ok()
}

/// Whether a block tag has an end of its own.
fn opens(word: &str, text: &str, tokens: &[lexer::Token]) -> bool {
    match word {
        "for" | "if" | "with" | "block" | "macro" | "call" | "filter" | "autoescape" => true,
        "set" => tags::captures_text(text, tokens),
        _ => false,
    }
}

/// A tag that cannot be read: one that lacks a brace gets it, another language's operators are respelt.
pub(super) fn in_tag(issue: Issue, text: &str) -> Issue {
    let Range { start, end } = issue.range.clone();
    let shown = text.get(start..end).unwrap_or("");
    if shown.starts_with("{{") && shown.ends_with('}') && !shown.ends_with("}}") {
        let is_read = shown.get(2..shown.len() - 1).is_some_and(|body| compiles(body, Within::Variable));
        return if is_read { issue.fix(end..end, "}") } else { issue };
    }
    let surrounds = |open: &str, close: &str| shown.len() >= 4 && shown.starts_with(open) && shown.ends_with(close);
    let within = match shown.get(..2) {
        Some("{{") if surrounds("{{", "}}") => Within::Variable,
        Some("[[") if surrounds("[[", "]]") => Within::Variable,
        Some("{%") if surrounds("{%", "%}") => Within::Block,
        Some("[%") if surrounds("[%", "%]") => Within::Block,
        _ => return issue,
    };
    match operators(text, start + 2..end - 2, within) {
        Some((range, new)) => issue.fix(range, new),
        None => issue,
    }
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
    match operators(text, body, Within::Expression) {
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
pub(super) fn statement(text: &str, read: &Scan, word: &Range<usize>, meant: &str) -> Option<Mend> {
    if text.get(word.clone())?.eq_ignore_ascii_case("end") {
        // Of many the first is enough, and looking back for each would take long.
        let meant = if read.statements.first() == Some(word) { end(text, read)? } else { return None };
        return Some((word.start..end_of_two(text, word.end, &meant)?, meant));
    }
    // Some words have no single counterpart, or need another form of the rest.
    let is_single = !meant.contains([' ', '`']) && !matches!(&text[word.clone()], "switch" | "capture");
    let rest = text.get(word.end..)?;
    let rest = rest.get(..rest.find("%}")?)?;
    (is_single && compiles(&format!(" {meant}{rest}"), Within::Block)).then(|| (word.clone(), meant.to_owned()))
}

/// Where a bare `end` at `at` ends that stands for `meant`: `{% end for %}` has the second half of the word beside it, and
/// nothing else may stand there.
fn end_of_two(text: &str, at: usize, meant: &str) -> Option<usize> {
    let rest = text.get(at..)?;
    let rest = &rest[..rest.find("%}")?];
    let second = rest.trim_start();
    let len = second.find(|c: char| !lexer::is_name_part(c)).unwrap_or(second.len());
    match &second[..len] {
        "" => matches!(second.trim(), "" | "-" | "+").then_some(at),
        word if meant.strip_prefix("end") == Some(word) => Some(at + rest.len() - second.len() + len),
        _ => None,
    }
}

/// The end of the block that is open at the first unknown statement, a bare `end`: only if all blocks are closed in their
/// order once every such `end` closes the innermost.
fn end(text: &str, read: &Scan) -> Option<String> {
    if !read.bad.is_empty() {
        return None;
    }
    let blocks = read.tags().filter(|tag| tag.kind == TagKind::Block).map(|tag| (tag.body.start, Some(tag)));
    let mut marks: Vec<(usize, Option<&Tag>)> = blocks.collect();
    for word in &read.statements {
        if !text.get(word.clone())?.eq_ignore_ascii_case("end") {
            return None;
        }
        marks.push((word.start, None));
    }
    marks.sort_by_key(|(at, _)| *at);
    let (mut open, mut first): (Vec<&str>, Option<&str>) = (Vec::new(), None);
    for (_, tag) in marks {
        let Some(tag) = tag else {
            let closed = open.pop()?;
            first = first.or(Some(closed));
            continue;
        };
        match tags::keyword(&text[tag.body.clone()]) {
            Some("endraw") | None => {}
            Some(word) if opens(word, text, &tag.tokens) => open.push(word),
            Some(word) if word.starts_with("end") && open.pop()? != &word[3..] => return None,
            Some(_) => {}
        }
    }
    first.filter(|_| open.is_empty()).map(|word| format!("end{word}"))
}

/// `{% else if x %}`: the two words are one.
pub(super) fn else_if(text: &str, tag: &Tag) -> Option<Issue> {
    let [first, second, ..] = tag.tokens.as_slice() else { return None };
    let is = |token: &lexer::Token, word: &str| &text[token.range.clone()] == word;
    let range = first.range.start..second.range.end;
    (tag.kind == TagKind::Block && is(first, "else") && is(second, "if")).then(|| {
        let issue = Issue::new(Code::TemplateSyntax, range.clone(), "`else if` is no tag").help("write `elif`");
        let is_read = compiles(&format!(" elif{}", &text[range.end..tag.body.end]), Within::Block);
        if is_read { issue.fix(range, "elif") } else { issue }
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
    let called = &text[name.clone()];
    let known = FUNCTIONS.iter().find(|(function, _)| *function == called).map(|(_, filter)| (*filter).to_owned());
    let filter = known.or_else(|| spelling(called))?;
    let rest = text.get(name.end..)?.strip_prefix('(')?;
    let inner = &rest[..rest.find(')')?];
    let is_path = !inner.is_empty() && inner.chars().all(|c| c == '.' || lexer::is_name_part(c));
    // What follows would belong to the filter's name, or be its arguments.
    let is_whole = !rest[inner.len() + 1..].trim_start().starts_with(['.', '[', '(']);
    (is_path && is_whole).then(|| (name.start..name.end + inner.len() + 2, format!("{inner}|{filter}")))
}

/// The filter that a name in use elsewhere means: `to_snake_case`, `pascalize`, `toUpper`.
pub(super) fn filter(name: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("to").map_or(lower.as_str(), |rest| rest.trim_start_matches('_'));
    let ends = ["", "_case", "case", "ize", "ized", "_string"];
    let mut names = ends.iter().filter_map(|end| bare.strip_suffix(end)).filter(|name| name.len() > 3);
    names.find(|word| *word != name && is_known(word)).map(str::to_owned)
}

/// The filter without arguments that a function or a method of another language stands for: `camelCase`, `toUpperCase`.
pub(super) fn spelling(name: &str) -> Option<String> {
    const SPELLINGS: [&str; 14] = [
        "pascal",
        "camel",
        "snake",
        "kebab",
        "screaming_snake",
        "title",
        "plural",
        "singular",
        "upper_first",
        "lower_first",
        "upper",
        "lower",
        "json",
        "slugify",
    ];
    let is_known = |word: &str| SPELLINGS.contains(&word);
    if is_known(name) { Some(name.to_owned()) } else { filter(name, is_known) }
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
    use super::super::scan;
    use super::*;

    #[test]
    fn operators_are_respelt_outside_of_texts_and_only_if_that_is_all() {
        let mended = |text: &str| {
            let (range, new) = operators(text, 0..text.len(), Within::Expression)?;
            Some([&text[..range.start], &new, &text[range.end..]].concat())
        };
        assert_eq!(mended("a && b").as_deref(), Some("a and b"));
        assert_eq!(mended("a&&b || '&&'").as_deref(), Some("a and b or '&&'"));
        assert_eq!(mended("!a.b && c !== 'x'").as_deref(), Some("not a.b and c != 'x'"));
        assert_eq!(mended("a === 'users'").as_deref(), Some("a == 'users'"));
        assert_eq!(mended("a = 'users'").as_deref(), Some("a == 'users'"));
        assert_eq!(mended("a != b"), None, "nothing to mend");
        assert_eq!(mended("a && b ? 'x' : 'y'"), None, "that needs another form");
        assert_eq!(mended("!(a || b) && c").as_deref(), Some("not (a or b) and c"));
        assert_eq!(mended("!a == b"), None, "`not a == b` is `not (a == b)`");
        assert_eq!(mended("a && "), None, "the rest is missing");
        assert_eq!(mended("(a = b) && c"), None, "in brackets it may name an argument");
    }

    #[test]
    fn a_tag_is_respelt_only_where_that_reads_and_no_value_is_given() {
        let mended = |text: &str| {
            let fix = in_tag(Issue::new(Code::TemplateSyntax, 0..text.len(), "bad"), text).fix?;
            Some([&text[..fix.0.start], &fix.1, &text[fix.0.end..]].concat())
        };
        for (text, wanted) in [
            ("{% set ok = data.entities && true %}", Some("{% set ok = data.entities and true %}")),
            ("{% with a = b || c %}", Some("{% with a = b or c %}")),
            ("{% if a = 'x' && b %}", Some("{% if a == 'x' and b %}")),
            ("{%- elif !a -%}", Some("{%- elif not a -%}")),
            ("{{ f(x = 1) && a }}", Some("{{ f(x = 1) and a }}")),
            ("{{- a && b -}}", Some("{{- a and b -}}")),
            ("{{ x = a && b }}", None),
            ("{% for x of a && b %}", None),
            ("{% if %}", None),
            ("{{ a }", Some("{{ a }}")),
            ("{{ a b }", None),
        ] {
            assert_eq!(mended(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_bare_end_closes_what_is_open_there_or_is_not_mended() {
        let mended = |text: &str| {
            let read =
                scan::scan(text, scan::Rules { placeholders: None, jinja: true, careful: true, brackets: false });
            let (range, new) = statement(text, &read, &read.statements[0], "endif` or `endfor")?;
            Some([&text[read.statements[0].end..range.end], &new].concat())
        };
        for (text, wanted) in [
            ("{% for a in b %}{% if a %}x{% end %}{% end %}", Some("endif")),
            ("{% if a %}{% set x %}b{% end %}{% end %}", Some("endset")),
            ("{% if a %}{% set x = 1 %}b{% end %}", Some("endif")),
            ("{% if a %}{% call f() %}b{% end %}{% endif %}", Some("endcall")),
            ("{% if a %}{% set x %}b{% end %}", None),
            ("{% for a in b %}{% if a %}x{% end %}{% endif %}{% end %}", None),
            ("{% end %}", None),
            ("{% for a in b %}x{% end for %}", Some(" forendfor")),
            ("{% if a %}x{%- end if -%}", Some(" ifendif")),
            ("{% block a %}x{% end block a %}", Some(" blockendblock")),
            ("{% for a in b %}x{% end if %}", None),
            ("{% for a in b %}x{% end -%}", Some("endfor")),
        ] {
            assert_eq!(mended(text).as_deref(), wanted, "{text}");
        }
        let word = |text: &str, meant: &str| {
            statement(text, &Scan::default(), &(3..3 + "foreach".len()), meant).map(|(_, new)| new)
        };
        assert_eq!(word("{% foreach a in b %}", "for").as_deref(), Some("for"));
        assert_eq!(word("{% foreach a in [b] %}", "for").as_deref(), Some("for"));
        assert_eq!(word("{% foreach $a as $b %}", "for"), None);
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
        assert_eq!(filter_of_call("{{ camelCase(a) }}", &(3..12)), Some((3..15, "a|camel".to_owned())));
        assert_eq!(filter_of_call("{{ str(a).b }}", &(3..6)), None);
        assert_eq!(placeholder_in("x/${ a }", 3..8, |name| name == "a"), Some((2..8, "{a}".to_owned())));
        assert_eq!(placeholder_in("x/{ b }", 2..7, |name| name == "a"), None);
    }
}
