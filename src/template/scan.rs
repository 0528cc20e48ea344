//! Finds what is a tag, what is a placeholder and what is just text. Pure: text and vocabulary in, pieces out.
//!
//! The rules are those of the format's documentation ("placeholders and Jinja, side by side"). Everything that is
//! neither a tag nor a placeholder stays as it is, to the letter.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::lexer::{self, NameUse, Token};
use super::shape::{Placeholder, parse_shape};
pub use super::syntax::Syntax;
use super::tags;
use super::vocabulary::{Vocabulary, Word};

/// What a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `{{ }}`.
    Variable,
    /// `{% %}`.
    Block,
    /// `{# #}`.
    Comment,
}

/// A Jinja tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it is.
    pub kind: TagKind,
    /// With its delimiters.
    pub range: Range<usize>,
    /// Between the delimiters, whitespace control included.
    pub body: Range<usize>,
    /// The tokens of the body, empty for comments.
    pub tokens: Vec<Token>,
}

/// A piece of a template, in order; together they cover the text except for the backslash of `{\name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that is copied.
    Text(Range<usize>),
    /// A value.
    Placeholder(Placeholder),
    /// A tag.
    Tag(Tag),
}

/// A `{word}` that has the shape of a placeholder, but whose root is not in the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// With its braces.
    pub range: Range<usize>,
    /// The first name.
    pub root: Range<usize>,
    /// Whether a dotted path follows.
    pub dotted: bool,
}

/// A tag that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTag {
    /// The place.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
}

/// What [`scan`] found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// Shapes that are no placeholder.
    pub unknown: Vec<Unknown>,
    /// Tags that cannot be parsed.
    pub bad: Vec<BadTag>,
    /// `{{ }}` that cannot be Jinja and were left as text.
    pub passed: Vec<Range<usize>>,
    /// The words of `{% word %}` that are no statement of Jinja and were left as text.
    pub statements: Vec<Range<usize>>,
    /// Placeholders inside `${{ }}`, which stays as it is.
    pub kept: Vec<Range<usize>>,
}

/// Whether the path is one of what a `for` tells about itself; a bare `{loop}` and any other stay text.
fn is_of_loop(path: &str) -> bool {
    matches!(
        path,
        ".index" | ".index0" | ".revindex" | ".revindex0" | ".first" | ".last" | ".length" | ".depth" | ".depth0"
    )
}

impl Scan {
    /// The tags.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Tag(tag) => Some(tag),
            _ => None,
        })
    }

    /// The names that the tags bind (`for`, `set`, `with`, `macro`, `import`).
    #[must_use]
    pub fn bound(&self, text: &str) -> BTreeSet<String> {
        self.tags().flat_map(|tag| tags::bound_names(text, tag)).map(str::to_owned).collect()
    }

    /// The variables that the tags read, with their places.
    #[must_use]
    pub fn roots(&self, text: &str) -> Vec<NameUse> {
        self.tags().flat_map(|tag| tags::read_names(text, tag)).collect()
    }
}

/// How to read a text.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The placeholders that exist; `None`: placeholders are off.
    pub placeholders: Option<&'a Vocabulary>,
    /// Jinja tags are on.
    pub jinja: bool,
    /// Only what looks like a tag is one (`auto`).
    pub careful: bool,
    /// `[[ ]]` instead of `{{ }}`.
    pub brackets: bool,
}

/// Reads `text` by `rules`.
#[must_use]
pub fn scan(text: &str, rules: Rules<'_>) -> Scan {
    let ahead = Cell::new(text.len().saturating_mul(MAX_LOOKS).saturating_add(FREE_LOOKS));
    let mut scanner = Scanner { text, rules, out: Scan::default(), text_start: 0, bound: BTreeSet::new(), ahead };
    if rules.jinja && rules.placeholders.is_some() {
        let tags_only = scan(text, Rules { placeholders: None, ..rules });
        scanner.bound = tags_only.bound(text);
    }
    scanner.run();
    scanner.out
}

/// How often every byte of a text may be looked at while ends of tags are searched, on average. One that opens tags
/// again and again and never closes them is looked at from each of them.
const MAX_LOOKS: usize = 128;
/// Bytes that any text may be looked at.
const FREE_LOOKS: usize = 1 << 20;

struct Scanner<'a> {
    text: &'a str,
    rules: Rules<'a>,
    out: Scan,
    text_start: usize,
    bound: BTreeSet<String>,
    /// Bytes that may still be looked at ahead.
    ahead: Cell<usize>,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        let open = if self.rules.brackets { b'[' } else { b'{' };
        let mut at = 0;
        while let Some(found) = memchr::memchr(open, &self.text.as_bytes()[at..]) {
            let open = at + found;
            at = self.step(open);
            if self.ahead.get() == 0 {
                self.bad(open..open + 1, "from here on the text opens too many tags that it does not close");
                break;
            }
        }
        self.flush(self.text.len());
    }

    /// Handles the opening brace at `at` and returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        let mut after = rest.chars();
        let open = after.next().unwrap_or('{');
        let second = after.next();
        match second {
            Some('%') if self.rules.jinja => self.block(at),
            Some('#') if self.rules.jinja => self.comment(at),
            Some(c) if c == open && self.rules.jinja => self.variable(at),
            Some('{') if !self.rules.brackets && self.preceded_by(at, b"$") => {
                let end = self.tag_end(at + 2, *b"}}").map_or(at + 2, |(end, _)| end + 2);
                self.keep(at + 2, end)
            }
            Some('\\') if open == '{' => self.escaped(at),
            _ if open == '{' => self.single(at),
            _ => at + 1,
        }
    }

    /// Notes that so many bytes were looked at in search of an end.
    fn looked(&self, bytes: usize) {
        self.ahead.set(self.ahead.get().saturating_sub(bytes));
    }

    fn flush(&mut self, until: usize) {
        if self.text_start < until {
            self.out.pieces.push(Piece::Text(self.text_start..until));
        }
        self.text_start = until;
    }

    fn preceded_by(&self, at: usize, marks: &[u8]) -> bool {
        at > 0 && marks.contains(&self.text.as_bytes()[at - 1])
    }

    fn close(&self, inner: char) -> [u8; 2] {
        let last = if self.rules.brackets { b']' } else { b'}' };
        [u8::try_from(inner).unwrap_or(last), last]
    }

    /// `{%`: a tag if a keyword follows, or always outside `auto`.
    fn block(&mut self, at: usize) -> usize {
        let body_start = at + 2;
        let keyword = tags::keyword(&self.text[body_start..]);
        if self.rules.careful && keyword.is_none() {
            if let Some(word) = tags::unknown_statement(&self.text[body_start..]) {
                self.out.statements.push(body_start + word.start..body_start + word.end);
            }
            return body_start;
        }
        let close = self.close('%');
        let Some((body_end, tokens)) = self.tag_end(body_start, close) else {
            self.bad(at..body_start, "this tag is never closed with `%}`");
            return body_start;
        };
        let end = body_end + 2;
        if tokens.is_none() {
            self.bad(at..end, "this tag holds a character or an open text that Jinja cannot read");
        }
        let tag = Tag {
            kind: TagKind::Block,
            range: at..end,
            body: body_start..body_end,
            tokens: tokens.unwrap_or_default(),
        };
        self.push_tag(tag);
        if keyword == Some("raw") { self.raw(end) } else { end }
    }

    /// Copies everything up to `{% endraw %}`.
    fn raw(&mut self, start: usize) -> usize {
        let opener = if self.rules.brackets { "[%" } else { "{%" };
        let mut at = start;
        while let Some(found) = self.text[at..].find(opener) {
            let tag = at + found;
            if tags::keyword(&self.text[tag + 2..]) == Some("endraw") {
                self.flush(tag);
                let close = self.close('%');
                if let Some((body_end, _)) = self.tag_end(tag + 2, close) {
                    let end = body_end + 2;
                    self.push_tag(Tag {
                        kind: TagKind::Block,
                        range: tag..end,
                        body: tag + 2..body_end,
                        tokens: Vec::new(),
                    });
                    return end;
                }
            }
            at = tag + 2;
        }
        self.bad(start..start, "this raw block is never ended with `{% endraw %}`");
        self.text.len()
    }

    /// `{#`: a comment if a blank follows, or always outside `auto`.
    fn comment(&mut self, at: usize) -> usize {
        let body_start = at + 2;
        let next = self.text[body_start..].trim_start_matches(['-', '+']).chars().next();
        if self.rules.careful && !next.is_some_and(char::is_whitespace) {
            return body_start;
        }
        let close = if self.rules.brackets { "#]" } else { "#}" };
        let found = memchr::memmem::find(&self.text.as_bytes()[body_start..], close.as_bytes());
        self.looked(found.unwrap_or(self.text.len() - body_start));
        let Some(found) = found else {
            // `{# item}` of ICU messages and the like closes on its line; a comment that was forgotten does not.
            let rest = &self.text.as_bytes()[body_start..];
            let closes = memchr::memchr2(b'}', b'\n', rest).is_some_and(|end| rest.get(end) == Some(&b'}'));
            if !self.rules.careful || !closes {
                self.bad(at..body_start, "this comment is never closed with `#}`");
            }
            return body_start;
        };
        let body = body_start..body_start + found;
        let range = at..body.end + 2;
        let end = range.end;
        self.push_tag(Tag { kind: TagKind::Comment, range, body, tokens: Vec::new() });
        end
    }

    /// `{{`: an expression, unless its form says that it belongs to another language.
    fn variable(&mut self, at: usize) -> usize {
        let body_start = at + 2;
        let careful = self.rules.careful;
        if careful && self.text[body_start..].starts_with('{') && self.starts_known(body_start + 1) {
            return at + 1; // `{{{ name }}}`: a brace, an expression, a brace
        }
        if careful && self.text[body_start..].starts_with('{') {
            return body_start; // `{{{x}}}`: two braces of text, then perhaps a placeholder
        }
        if careful && self.text[body_start..].starts_with('%') && tags::keyword(&self.text[body_start + 1..]).is_some()
        {
            self.bad(at..body_start + 1, "`{{%` is no tag; for a brace and a tag write `{ {%`");
            return at + 1;
        }
        if careful && let Some(inner) = self.placeholder_at(at + 1) {
            let closed = self.text[inner.range.end..].starts_with('}');
            if !closed && self.known(&inner).is_some() {
                return self.single(at + 1); // `{{Name}` and no `}`: a brace and a placeholder
            }
        }
        if careful && let Some(end) = self.half_closed(body_start) {
            self.bad(at..end, "this expression is closed with one brace instead of two");
            return end;
        }
        let close = if self.rules.brackets { *b"]]" } else { *b"}}" };
        let Some((body_end, tokens)) = self.tag_end(body_start, close) else {
            if !careful || self.starts_known(body_start) {
                self.bad(at..body_start, "this expression is never closed with `}}`");
            }
            return body_start;
        };
        let end = body_end + 2;
        if careful && self.preceded_by(at, b"$") {
            return self.keep(body_start, end); // `${{ x }}` of GitHub Actions
        }
        let body = &self.text[body_start..body_end];
        let shape = if careful { tags::shape(body, tokens.as_deref(), body_start) } else { tags::Shape::Expression };
        if shape == tags::Shape::Unclear && self.starts_known(body_start) {
            self.bad(at..end, "this expression is not Jinja, although its name is known here");
            return end;
        }
        if let Some(message) = tags::handlebars(body, |root| careful && self.is_known(root)) {
            self.bad(at..end, &message);
            return end;
        }
        if shape != tags::Shape::Expression {
            self.out.passed.push(at..end);
            // Inside an object literal a placeholder is still one: `style={{ color: '{color}' }}`.
            return body_start;
        }
        if tokens.is_none() {
            self.bad(at..end, "this expression holds a character or an open text that Jinja cannot read");
        }
        let tokens = tokens.unwrap_or_default();
        self.push_tag(Tag { kind: TagKind::Variable, range: at..end, body: body_start..body_end, tokens });
        end
    }

    /// Whether the text after `{{` begins with a blank and a name that exists here.
    fn starts_known(&self, start: usize) -> bool {
        let rest = self.text[start..].trim_start_matches(['-', '+']);
        let name = rest.trim_start().trim_start_matches('!');
        let len = name.find(|c: char| !lexer::is_name_part(c)).unwrap_or(name.len());
        rest.starts_with(char::is_whitespace) && len > 0 && self.is_known(&name[..len])
    }

    fn is_known(&self, name: &str) -> bool {
        self.bound.contains(name) || self.rules.placeholders.is_some_and(|words| words.jinja_knows(name))
    }

    /// Passes over `${{ ... }}` and notes the placeholders in it.
    fn keep(&mut self, start: usize, end: usize) -> usize {
        let mut at = start;
        while let Some(found) = memchr::memchr(b'{', &self.text.as_bytes()[at..end]) {
            at += found;
            if self.text[at..end].starts_with("{{") && self.starts_known(at + 2) {
                let close = self.text[at..end].find("}}").map_or(end, |close| at + close + 2);
                self.looked(close - at);
                self.out.kept.push(at..close);
            }
            if let Some(shape) = self.placeholder_at(at).filter(|shape| self.known(shape).is_some()) {
                self.out.kept.push(shape.range);
            }
            at += 1;
        }
        end
    }

    /// `{{ entity.name }` with a known name and one brace only: a slip. The end of that brace.
    fn half_closed(&self, start: usize) -> Option<usize> {
        let rest = &self.text[start..];
        let close = memchr::memchr2(b'}', b'\n', rest.as_bytes());
        self.looked(close.unwrap_or(rest.len()));
        let close = close.filter(|&close| rest[close..].starts_with('}'))?;
        let body = &rest[..close];
        if rest[close..].starts_with("}}") || body.contains(['{', ':', ',', '\'', '"']) || !body.starts_with(' ') {
            return None;
        }
        let tokens = lexer::lex(self.text, start..start + close).ok()?;
        let roots = lexer::roots(self.text, &tokens);
        let known = |name: &NameUse| self.is_known(&self.text[name.range.clone()]);
        (!roots.is_empty() && roots.iter().all(known)).then_some(start + close + 1)
    }

    /// Where the tag's closing delimiter begins, and its tokens (`None` if they cannot be read).
    fn tag_end(&self, start: usize, close: [u8; 2]) -> Option<(usize, Option<Vec<Token>>)> {
        let bytes = self.text.as_bytes();
        // Without any end there is nothing to search for.
        let first = memchr::memmem::find(bytes.get(start..)?, &close).map(|found| start + found);
        self.looked(first.unwrap_or(bytes.len()) - start);
        let first = first?;
        let (mut depth, mut at) = (0_usize, start);
        let found = loop {
            let byte = *bytes.get(at)?;
            if depth == 0 && bytes[at..].starts_with(&close) {
                break Some(at);
            }
            match byte {
                b'\'' | b'"' => match lexer::text_len(&self.text[at..], char::from(byte)) {
                    Some(len) => at += len - 1,
                    None => break None,
                },
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if at >= bytes.len() {
                break None;
            }
        };
        self.looked(at.min(bytes.len()) - start);
        // An apostrophe in prose (`{{ don't }}`) or an odd bracket: take the first closing delimiter as it stands.
        let end = found.unwrap_or(first);
        let inner_start = start + usize::from(self.text[start..end].starts_with(['-', '+']));
        let inner_end = if end > inner_start && matches!(bytes[end - 1], b'-' | b'+') { end - 1 } else { end };
        Some((end, lexer::lex(self.text, inner_start..inner_end).ok()))
    }

    /// `{\name}` writes `{name}` where `{name}` would have been something.
    fn escaped(&mut self, at: usize) -> usize {
        if self.rules.placeholders.is_none() {
            return at + 2;
        }
        let Some(shape) = parse_shape(self.text, at + 2) else { return at + 2 };
        let root = &self.text[shape.root.clone()];
        let means = self.rules.placeholders.is_some_and(|words| words.would_notice(root)) || self.bound.contains(root);
        if means {
            self.flush(at + 1);
            self.text_start = at + 2;
            return shape.range.end;
        }
        at + 2
    }

    /// A single `{`: a placeholder, an unknown word of the same shape, or text.
    fn single(&mut self, at: usize) -> usize {
        if self.rules.placeholders.is_none() || self.preceded_by(at, b"$#") {
            return at + 1;
        }
        let Some(shape) = self.placeholder_at(at) else { return at + 1 };
        match self.known(&shape) {
            Some(Word::Dotted) if shape.path.is_empty() => at + 1,
            Some(_) => {
                self.flush(at);
                self.text_start = shape.range.end;
                let end = shape.range.end;
                self.out.pieces.push(Piece::Placeholder(shape));
                end
            }
            None => {
                let dotted = !shape.path.is_empty();
                self.out.unknown.push(Unknown { range: shape.range, root: shape.root, dotted });
                at + 1
            }
        }
    }

    fn placeholder_at(&self, at: usize) -> Option<Placeholder> {
        self.text[at..].starts_with('{').then(|| parse_shape(self.text, at + 1)).flatten()
    }

    fn known(&self, shape: &Placeholder) -> Option<&'a Word> {
        const BOUND: &Word = &Word::Bound;
        let words = self.rules.placeholders?;
        let root = &self.text[shape.root.clone()];
        if words.is_literal(root) || (root == "loop" && !is_of_loop(&self.text[shape.path.clone()])) {
            return None;
        }
        if self.bound.contains(root) { Some(BOUND) } else { words.word(root) }
    }

    fn push_tag(&mut self, tag: Tag) {
        self.flush(tag.range.start);
        self.text_start = tag.range.end;
        self.out.pieces.push(Piece::Tag(tag));
    }

    fn bad(&mut self, range: Range<usize>, message: &str) {
        self.out.bad.push(BadTag { range, message: message.to_owned() });
    }
}
