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
];

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
        "for" => names_in(text, &tokens[1..position(text, tokens, "in").unwrap_or(tokens.len()).max(1)]),
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
    // `ignore missing` makes a missing template legal.
    if names_in(text, tokens).contains(&"missing") {
        return Vec::new();
    }
    let texts = tokens.iter().filter(|token| token.kind == TokenKind::Text);
    texts.map(|token| (text[token.range.clone()].trim_matches(['"', '\'']), token.range.clone())).collect()
}

/// Whether `{{ body }}` can be a Jinja expression. Object literals and spreads (`{{ color: 'red' }}`, `{{...x}}`,
/// `{{ a, b }}`), and the tags of Go, Handlebars and the like (`{{ .Values.x }}`, `{{#if}}`, `{{/if}}`) cannot.
#[must_use]
pub fn looks_like_expression(body: &str, tokens: Option<&[Token]>, body_start: usize) -> bool {
    let inner = body.strip_prefix(['-', '+']).unwrap_or(body);
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner).trim();
    let Some(first) = inner.chars().next() else { return false };
    if !(first.is_alphanumeric() || matches!(first, '_' | '\'' | '"' | '(' | '[' | '-' | '{')) {
        return false;
    }
    let Some(tokens) = tokens else { return false };
    let text_of = |token: &Token| &body[token.range.start - body_start..token.range.end - body_start];
    let (mut depth, mut first_key) = (0_i32, true);
    for (index, token) in tokens.iter().enumerate() {
        match text_of(token) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 0 => return false,
            ":" if depth == 0 && first_key => return false,
            "." if depth == 0 && index == 0 => return false,
            "if" | "else" | "end" | "for" if index == 0 => return false,
            _ => {}
        }
        first_key = depth > 0 || index < 2;
    }
    !is_two_words(tokens, text_of)
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
