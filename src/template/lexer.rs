//! The words of a Jinja tag: enough of a lexer to know names, strings and nesting, so that megax can say which names a
//! template uses and refuse what would exhaust the engine's parser. It never evaluates anything.

use std::ops::Range;

use crate::limit::{Limit, Limits};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or keyword.
    Name,
    /// A quoted text.
    Text,
    /// A number.
    Number,
    /// One operator character, or one of `==`, `!=`, `<=`, `>=`, `//`, `**`.
    Operator,
}

/// One token: its kind and its bytes in the lexed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// The tokens of `text[range]`; `Err` holds the tokens before the first character that no expression can hold, and
/// that character's place.
pub type Lexed = Result<Vec<Token>, (Vec<Token>, usize)>;

/// Splits `text[range]` into tokens.
///
/// # Errors
/// A character that Jinja does not know, or a text without its closing quote; the tokens before it come along.
pub fn lex(text: &str, range: Range<usize>) -> Lexed {
    let mut tokens = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let rest = &text[at..range.end];
        let Some(c) = rest.chars().next() else { break };
        let (kind, len) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' | '"' => match text_len(rest, c) {
                Some(len) => (TokenKind::Text, len),
                None => return Err((tokens, at)),
            },
            _ if is_name_start(c) => (TokenKind::Name, prefix_len(rest, is_name_part)),
            '0'..='9' => (TokenKind::Number, number_len(rest)),
            _ => match operator_len(rest) {
                Some(len) => (TokenKind::Operator, len),
                None => return Err((tokens, at)),
            },
        };
        tokens.push(Token { kind, range: at..at + len });
        at += len;
    }
    Ok(tokens)
}

/// Whether a name can begin with `c`.
#[must_use]
pub fn is_name_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

/// Whether a name can go on with `c`.
#[must_use]
pub fn is_name_part(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

fn prefix_len(text: &str, part: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !part(c)).unwrap_or(text.len())
}

fn number_len(text: &str) -> usize {
    let whole = prefix_len(text, is_name_part);
    let fraction = &text[whole..];
    if fraction.starts_with('.') && fraction[1..].starts_with(|c: char| c.is_ascii_digit()) {
        whole + 1 + prefix_len(&fraction[1..], is_name_part)
    } else {
        whole
    }
}

/// The length of a quoted text with its quotes, `None` without a closing quote.
#[must_use]
pub fn text_len(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn operator_len(text: &str) -> Option<usize> {
    const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "//", "**"];
    if PAIRS.iter().any(|pair| text.starts_with(pair)) {
        return Some(2);
    }
    text.starts_with(['+', '-', '*', '/', '%', '~', '<', '>', '=', '(', ')', '[', ']', '{', '}', ',', '.', ':', '|'])
        .then_some(1)
}

/// Words that are never a variable.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "for",
    "endfor",
    "endif",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "recursive",
    "import",
    "as",
    "with",
    "without",
    "context",
    "ignore",
    "missing",
    "set",
    "block",
    "scoped",
    "required",
    "from",
    "include",
    "extends",
    "macro",
    "call",
    "filter",
    "raw",
    "do",
    "autoescape",
];

/// Names that the engine itself binds.
const ENGINE: &[&str] = &["loop", "self", "super", "caller", "varargs", "kwargs"];

/// One use of a variable: its name and place, and whether it is called like a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameUse {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Followed by `(`.
    pub called: bool,
    /// Index of the token in its tag.
    pub token: usize,
}

/// The variables that an expression reads: names that are no keyword, no attribute, no filter or test, no keyword
/// argument.
#[must_use]
pub fn roots(text: &str, tokens: &[Token]) -> Vec<NameUse> {
    let word = |index: usize| tokens.get(index).map_or("", |token| &text[token.range.clone()]);
    let mut uses = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let name = &text[token.range.clone()];
        if token.kind != TokenKind::Name || RESERVED.contains(&name) || ENGINE.contains(&name) {
            continue;
        }
        let before = if index == 0 { "" } else { word(index - 1) };
        let is_test = before == "is" || (before == "not" && index >= 2 && word(index - 2) == "is");
        if matches!(before, "." | "|") || is_test || word(index + 1) == "=" && is_argument(text, tokens, index) {
            continue;
        }
        uses.push(NameUse { range: token.range.clone(), called: word(index + 1) == "(", token: index });
    }
    uses
}

/// Whether the name at `index` stands where a keyword argument can: inside an open parenthesis.
fn is_argument(text: &str, tokens: &[Token], index: usize) -> bool {
    let depth = tokens[..index].iter().fold(0_i32, |depth, token| match &text[token.range.clone()] {
        "(" => depth + 1,
        ")" => depth - 1,
        _ => depth,
    });
    depth > 0
}

/// The limit that the tag breaks, if any, and what breaks it: the engine's parser recurses once per operator, so that
/// long tags could exhaust the stack.
#[must_use]
pub fn over_limit(text: &str, tokens: &[Token], limits: &Limits) -> Option<(Limit, &'static str)> {
    if tokens.len() > limits.size(Limit::TokensPerTag) {
        return Some((Limit::TokensPerTag, "the tag has too many words and signs"));
    }
    let (mut depth, mut deepest, mut unary, mut chain) = (0_usize, 0, 0_usize, 0_usize);
    for token in tokens {
        let word = &text[token.range.clone()];
        match word {
            "(" | "[" | "{" => {
                depth += 1;
                chain += 1;
            }
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "not" | "-" | "+" | "if" => unary += 1,
            "." | "|" | "~" | "*" | "/" | "and" | "or" => chain += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let nesting = limits.size(Limit::NestingPerTag);
    if deepest > nesting || unary > nesting * 2 {
        return Some((Limit::NestingPerTag, "the tag nests too deep"));
    }
    (chain > limits.size(Limit::OperatorsPerTag)).then_some((Limit::OperatorsPerTag, "the tag has too many operators"))
}

/// What to do about a tag that is over a limit.
pub const SPLIT_TAG: &str = "split the expression with {% set %} into several tags";

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let tokens = lex(text, 0..text.len()).unwrap();
        roots(text, &tokens).into_iter().map(|name| &text[name.range]).collect()
    }

    #[test]
    fn roots_are_variables_only() {
        assert_eq!(names("a.b|c(d, e=f) is g and h['i'] if not j is not k else 'l'"), ["a", "d", "f", "h", "j"]);
        assert_eq!(names("loop.index + true + range(n)|length"), ["range", "n"]);
        assert_eq!(names("set x = y"), ["x", "y"], "the tag's own keyword is handled by the scanner");
    }

    #[test]
    fn odd_characters_and_open_texts_are_errors_with_what_came_before() {
        let text = "a | 'b";
        let (before, at) = lex(text, 0..text.len()).unwrap_err();
        assert_eq!((before.len(), at), (2, 4));
        assert!(lex("a ? b", 0..5).is_err());
        assert_eq!(lex("1.5e3 .x", 0..8).unwrap().len(), 3);
    }

    #[test]
    fn limits_name_themselves() {
        let limits = Limits::default();
        let check = |text: &str| over_limit(text, &lex(text, 0..text.len()).unwrap(), &limits).map(|(limit, _)| limit);
        assert_eq!(check(&"1+".repeat(300)), Some(Limit::TokensPerTag));
        assert_eq!(check(&"(".repeat(65)), Some(Limit::NestingPerTag));
        assert_eq!(check(&"not ".repeat(200)), Some(Limit::NestingPerTag));
        assert_eq!(check("a.b|c(d)"), None);
    }
}
