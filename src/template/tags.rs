//! What a Jinja tag says about names: which it binds, which it reads, and whether `{{ ... }}` can be an expression at
//! all. Works on tokens; never parses the grammar (the engine does).

use std::ops::Range;

use super::lexer::{NameUse, Token, TokenKind, roots};
use super::scan::{Tag, TagKind};

/// The words that make `{%` a tag.
const KEYWORDS: &[&str] = &[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "block",
    "endblock",
    "extends",
    "include",
    "import",
    "from",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "raw",
    "endraw",
    "autoescape",
    "endautoescape",
    "do",
    "break",
    "continue",
];

/// Words of other template languages, and what megax calls them.
const ALIASES: &[(&str, &str)] = &[
    ("elsif", "elif"),
    ("elseif", "elif"),
    ("else_if", "elif"),
    ("foreach", "for"),
    ("endforeach", "endfor"),
    ("end_for", "endfor"),
    ("end_if", "endif"),
    ("unless", "if not"),
    ("endunless", "endif"),
    ("assign", "set"),
    ("capture", "set"),
    ("endcapture", "endset"),
    ("switch", "if"),
    ("end", "endif` or `endfor"),
];

/// What somebody means who writes the unknown statement `word`.
#[must_use]
pub fn meant(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    if let Some((_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return Some(meant);
    }
    let same = KEYWORDS.iter().copied().find(|keyword| *keyword == lower);
    same.or_else(|| crate::diagnostic::nearest(word, KEYWORDS.iter().copied()).filter(|_| word.len() > 3))
}

/// The word of `{% word ... %}` on one line, if it is no keyword: its bytes in `body`.
#[must_use]
pub fn unknown_statement(body: &str) -> Option<Range<usize>> {
    // `{%d%%}` is a format of C, not a tag.
    if !body.starts_with([' ', '\t', '-', '+']) {
        return None;
    }
    // One that does not end soon, on its line, is none; so nobody searches far, again and again.
    let near = &body.as_bytes()[..body.len().min(1_000)];
    let line = near.split(|byte| *byte == b'\n').next()?;
    let inner = &body[..memchr::memmem::find(line, b"%}")?];
    let start = inner.len() - inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start().len();
    let len = inner[start..].find(|c: char| !super::lexer::is_name_part(c)).unwrap_or(inner.len() - start);
    (len > 0 && inner[start..].starts_with(super::lexer::is_name_start)).then_some(start..start + len)
}

/// The keyword with which the body of a block tag begins (after `-` or `+` and blanks).
#[must_use]
pub fn keyword(body: &str) -> Option<&'static str> {
    let body = body.strip_prefix(['-', '+']).unwrap_or(body).trim_start();
    let len = body.find(|c: char| !super::lexer::is_name_part(c)).unwrap_or(body.len());
    KEYWORDS.iter().copied().find(|word| *word == &body[..len])
}

fn word<'a>(text: &'a str, tokens: &[Token], index: usize) -> &'a str {
    tokens.get(index).map_or("", |token| &text[token.range.clone()])
}

fn position(text: &str, tokens: &[Token], wanted: &str) -> Option<usize> {
    tokens.iter().position(|token| &text[token.range.clone()] == wanted)
}

fn names_in<'a>(text: &'a str, tokens: &[Token]) -> Vec<&'a str> {
    let names = tokens.iter().filter(|token| token.kind == TokenKind::Name);
    names.map(|token| &text[token.range.clone()]).collect()
}

/// The names that a tag binds.
#[must_use]
pub fn bound_names<'a>(text: &'a str, tag: &Tag) -> Vec<&'a str> {
    if tag.kind != TagKind::Block {
        return Vec::new();
    }
    let tokens = &tag.tokens;
    match word(text, tokens, 0) {
        "for" => {
            let mut names = names_in(text, &tokens[1..position(text, tokens, "in").unwrap_or(tokens.len()).max(1)]);
            names.push("loop");
            names
        }
        "set" => {
            let end = tokens.iter().position(|token| matches!(&text[token.range.clone()], "=" | "|" | "."));
            names_in(text, &tokens[1..end.unwrap_or(tokens.len()).max(1)])
        }
        "with" | "call" => assigned(text, tokens),
        "macro" => names_in(text, &tokens[1..]),
        "import" | "from" => imported(text, tokens),
        _ => Vec::new(),
    }
}

/// `with a = 1, b = 2` binds a and b; `call(x) f()` binds x.
fn assigned<'a>(text: &'a str, tokens: &[Token]) -> Vec<&'a str> {
    if word(text, tokens, 0) == "call" {
        if word(text, tokens, 1) != "(" {
            return Vec::new();
        }
        let end = position(text, tokens, ")").unwrap_or(tokens.len());
        return names_in(text, &tokens[2.min(end)..end]);
    }
    let mut depth = 0_i32;
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate().skip(1) {
        match &text[token.range.clone()] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            name if depth == 0 && token.kind == TokenKind::Name && word(text, tokens, index + 1) == "=" => {
                names.push(name);
            }
            _ => {}
        }
    }
    names
}

/// `import "x" as a` binds a; `from "x" import a, b as c` binds a, b and c.
fn imported<'a>(text: &'a str, tokens: &[Token]) -> Vec<&'a str> {
    let after = if word(text, tokens, 0) == "import" { "as" } else { "import" };
    let Some(start) = position(text, tokens, after) else { return Vec::new() };
    names_in(text, &tokens[start + 1..]).into_iter().filter(|name| *name != "as").collect()
}

/// The variables that a tag reads.
#[must_use]
pub fn read_names(text: &str, tag: &Tag) -> Vec<NameUse> {
    let tokens = tag.tokens.as_slice();
    match tag.kind {
        TagKind::Comment => Vec::new(),
        TagKind::Variable => roots(text, tokens),
        TagKind::Block => {
            let start = match word(text, tokens, 0) {
                "if" | "elif" | "include" | "extends" | "do" => 1,
                "for" => position(text, tokens, "in").map_or(tokens.len(), |index| index + 1),
                "set" => position(text, tokens, "=").map_or(tokens.len(), |index| index + 1),
                "call" => position(text, tokens, ")").map_or(1, |index| index + 1).min(tokens.len()),
                "with" => return with_reads(text, tokens),
                _ => tokens.len(),
            };
            roots(text, &tokens[start..])
        }
    }
}

/// `with a = b` reads b only.
fn with_reads(text: &str, tokens: &[Token]) -> Vec<NameUse> {
    let bound = assigned(text, tokens);
    let reads = roots(text, tokens).into_iter();
    reads
        .filter(|name| !(word(text, tokens, name.token + 1) == "=" && bound.contains(&&text[name.range.clone()])))
        .collect()
}

/// The quoted template names of `include`, `extends`, `import` and `from`, with the places of their quotes.
#[must_use]
pub fn references<'a>(text: &'a str, tag: &Tag) -> Vec<(&'a str, Range<usize>)> {
    let tokens = &tag.tokens;
    if tag.kind != TagKind::Block || !matches!(word(text, tokens, 0), "include" | "extends" | "import" | "from") {
        return Vec::new();
    }
    // `ignore missing` and a list of candidates make a missing template legal.
    if names_in(text, tokens).contains(&"missing") || names_templates_by_value(text, tag) {
        return Vec::new();
    }
    let texts = tokens.iter().filter(|token| token.kind == TokenKind::Text);
    texts.map(|token| (text[token.range.clone()].trim_matches(['"', '\'']), token.range.clone())).collect()
}

/// Whether `include`, `extends` or `import` takes its template from a value or a list, so that any may be meant.
#[must_use]
pub fn names_templates_by_value(text: &str, tag: &Tag) -> bool {
    let includes = matches!(word(text, &tag.tokens, 0), "include" | "extends" | "import" | "from");
    tag.kind == TagKind::Block && includes && tag.tokens.get(1).is_some_and(|token| token.kind != TokenKind::Text)
}

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It can be a Jinja expression.
    Expression,
    /// It belongs to another language: an object literal, a spread, a tag of Handlebars or Go.
    Foreign,
    /// Neither: foreign if its name is unknown, a slip if the name is known.
    Unclear,
}

/// Judges the text between `{{` and `}}`. Object literals and spreads (`{{ color: 'red' }}`, `{{...x}}`, `{{ a, b }}`),
/// and the tags of Go, Handlebars and the like (`{{ .Values.x }}`, `{{#if}}`, `{{/if}}`) are foreign.
#[must_use]
pub fn shape(body: &str, tokens: Option<&[Token]>, body_start: usize) -> Shape {
    let inner = body.strip_prefix(['-', '+']).unwrap_or(body);
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner).trim();
    let Some(first) = inner.chars().next() else { return Shape::Foreign };
    if is_object_literal(inner) {
        return Shape::Foreign;
    }
    if first == '!' && inner[1..].starts_with(super::lexer::is_name_start) {
        return Shape::Unclear;
    }
    if !(first.is_alphanumeric() || matches!(first, '_' | '\'' | '"' | '(' | '[' | '-' | '{')) {
        return Shape::Foreign;
    }
    let Some(tokens) = tokens else { return Shape::Unclear };
    let text_of = |token: &Token| &body[token.range.start - body_start..token.range.end - body_start];
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate() {
        match text_of(token) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," | ":" if depth == 0 => return Shape::Unclear,
            "if" | "else" | "end" | "for" if index == 0 => return Shape::Foreign,
            _ => {}
        }
    }
    if is_two_words(tokens, text_of) { Shape::Unclear } else { Shape::Expression }
}

/// `...x`, `name:`, `name,`, `'text':` or `[key]:` at the beginning.
fn is_object_literal(inner: &str) -> bool {
    let Some(first) = inner.chars().next() else { return true };
    let len = match first {
        '.' => return inner.starts_with("..."),
        '\'' | '"' => super::lexer::text_len(inner, first),
        '[' => balanced(inner),
        _ if super::lexer::is_name_start(first) => inner.find(|c: char| !(super::lexer::is_name_part(c) || c == '-')),
        _ => None,
    };
    let rest = len.map_or("", |len| inner[len..].trim_start());
    (rest.starts_with(',') && first != '[') || (rest.starts_with(':') && !rest.starts_with("::"))
}

/// The length of the bracketed beginning of a text.
fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// What to write in Jinja instead of an operator of another language. Quoted texts do not count.
#[must_use]
pub fn operator_hint(body: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 7] = [
        ("&&", "write `and` instead of `&&`"),
        ("||", "write `or` instead of `||`"),
        ("??", "write `x|default(y)` instead of `x ?? y`"),
        ("===", "write `==` instead of `===`"),
        ("!==", "write `!=` instead of `!==`"),
        ("?.", "write `x.y`; a missing field is false in a test"),
        ("?", "write `'a' if test else 'b'` instead of `test ? 'a' : 'b'`"),
    ];
    let bare = without_texts(body);
    if let Some((_, hint)) = HINTS.iter().find(|(operator, _)| bare.contains(operator)) {
        return Some(hint);
    }
    let rest = bare.replace("!=", " ").replace("==", " ").replace("<=", " ").replace(">=", " ");
    if rest.contains('!') {
        return Some("write `not x` instead of `!x`");
    }
    // A keyword argument has no blanks around its `=`.
    rest.contains(" = ").then_some("write `==` to compare")
}

fn without_texts(body: &str) -> String {
    let mut bare = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(['\'', '"']) {
        let quote = if rest[at..].starts_with('"') { '"' } else { '\'' };
        bare.push_str(&rest[..at]);
        let Some(len) = super::lexer::text_len(&rest[at..], quote) else { return bare };
        rest = &rest[at + len..];
    }
    bare + rest
}

/// `{{ template "x" . }}`, `{{ range .Items }}`, `{{ end name }}`: a name followed by an operand without an operator.
fn is_two_words<'t>(tokens: &[Token], text_of: impl Fn(&Token) -> &'t str) -> bool {
    const OPERATORS: [&str; 8] = ["and", "or", "not", "in", "is", "if", "else", "recursive"];
    let operand = |token: &Token| token.kind != TokenKind::Operator && !OPERATORS.contains(&text_of(token));
    let glued =
        tokens.windows(2).any(|pair| operand(&pair[0]) && operand(&pair[1]) && !is_test(tokens, &pair[0], &text_of));
    // A blank before a dot (`range .Items`) is no attribute of Jinja as anyone writes it.
    let dotted = tokens.windows(2).any(|pair| {
        pair[0].kind == TokenKind::Name && text_of(&pair[1]) == "." && pair[1].range.start > pair[0].range.end
    });
    glued || dotted || tokens.last().is_some_and(|token| text_of(token) == ".")
}

/// `x is divisibleby 3`: a test may take an operand without parentheses.
fn is_test<'t>(tokens: &[Token], token: &Token, text_of: &impl Fn(&Token) -> &'t str) -> bool {
    let Some(index) = tokens.iter().position(|other| other == token) else { return false };
    let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at)).map_or("", text_of);
    before(1) == "is" || (before(1) == "not" && before(2) == "is")
}

/// What is wrong with a block of Handlebars about a name that exists here: `#each entity.fields`.
pub(super) fn handlebars(body: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let mut words = body.strip_prefix('#')?.split_whitespace();
    let (block, path) = (words.next()?, words.next()?);
    let (tag, end) = match block {
        "each" | "for" => ("for item in ...", "endfor"),
        "if" => ("if ...", "endif"),
        "unless" => ("if not ...", "endif"),
        _ => return None,
    };
    let root = path.trim_start_matches('(').split(['.', '/']).next()?;
    is_known(root).then(|| {
        format!("this is Handlebars, and would be written as it stands: write `{{% {tag} %}}` and `{{% {end} %}}`")
    })
}

/// Whether a `set` captures the text up to its `endset`, as `set x` and `set x | f(a=1)` do, instead of giving a value.
pub(super) fn captures_text(text: &str, tokens: &[Token]) -> bool {
    let mut words = tokens.iter().map(|token| &text[token.range.clone()]);
    words.find(|word| matches!(*word, "=" | "|")) != Some("=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_other_languages_are_known_outside_of_texts_only() {
        for (body, hint) in [
            ("a && b", Some("and")),
            ("a || b", Some("or")),
            ("!a", Some("not")),
            ("a = 'b'", Some("==")),
            ("a ? b : c", Some("if test")),
            ("a === b", Some("==")),
            ("a != 'b'", None),
            ("a.b == 'x ? y && z'", None),
            ("a <= 1 and b >= 2 and c == \"!\"", None),
            ("f(x=1)|default('=')", None),
        ] {
            let found = operator_hint(body);
            assert_eq!(found.is_some(), hint.is_some(), "{body}: {found:?}");
            assert!(hint.is_none_or(|hint| found.is_some_and(|found| found.contains(hint))), "{body}: {found:?}");
        }
    }
}
