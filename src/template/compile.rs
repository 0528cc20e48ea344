//! From a template's text to something that renders: chooses the syntax, judges what was found, rewrites the rest for
//! the engine.
//!
//! A template without tags and filters becomes a list of segments and needs no engine. Any other is rewritten with
//! delimiters that no text holds, so that braces of the target language never reach the engine's lexer; a table maps
//! the engine's offsets back to the template's.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::issue::Issue;
use super::lexer;
use super::lines::{self, Around};
use super::regions::{self, Charge, Charges};
use super::scan::{Piece, Rules, Scan, Syntax, Tag, TagKind, scan};
use super::scope::{PLACEHOLDERS, ROOTS};
use super::shape::Placeholder;
use super::tags;
use super::vocabulary::{Vocabulary, Word};
use super::{bounds, guard, judge};
use crate::diagnostic::Code;
use crate::limit::Limits;

/// Delimiters of rewritten templates: private-use characters of the last plane. A template may not hold them.
pub(super) const OPEN_BLOCK: &str = "\u{10fff0}";
pub(super) const CLOSE_BLOCK: &str = "\u{10fff1}";
pub(super) const OPEN_VARIABLE: &str = "\u{10fff2}";
pub(super) const CLOSE_VARIABLE: &str = "\u{10fff3}";
pub(super) const OPEN_COMMENT: &str = "\u{10fff4}";
pub(super) const CLOSE_COMMENT: &str = "\u{10fff5}";

/// A template as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name in the unit.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its `syntax:`.
    pub syntax: Syntax,
    /// Its `literal:` list.
    pub literal: &'a [String],
    /// Its `placeholders:` list.
    pub placeholders: &'a [String],
    /// Whether it is a path: then every word in braces must be known.
    pub is_path: bool,
    /// Names that templates which include this one (or which it includes) bind.
    pub also_bound: &'a BTreeSet<String>,
    /// Whether other templates include it or are included by it, so that the engine must know it.
    pub shared: bool,
    /// Marks every line of the output with the place in this template that it comes from; see [`super::trace`].
    pub traced: Option<usize>,
}

/// One part of a template without tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Bytes of the text.
    Text(Range<usize>),
    /// A placeholder without filters: the root and the dotted path's fields.
    Value { range: Range<usize>, root: String, fields: Vec<String> },
}

/// A stretch of the rewritten text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// First byte in the rewritten text.
    pub at: usize,
    /// Bytes of the original.
    pub from: Range<usize>,
    /// Copied byte for byte, so that an offset inside maps to an offset.
    pub copied: bool,
}

/// How a template renders.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Without the engine.
    Segments(Vec<Segment>),
    /// By the engine: the rewritten text, its map, and a tag that was not read, if any.
    Engine { text: String, map: Vec<Stretch>, unread: Option<Range<usize>> },
}

/// A compiled template.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    /// The original text.
    pub text: String,
    /// How it renders.
    pub body: Body,
}

/// The syntax that was chosen and why, for `megax explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Never [`Syntax::Auto`].
    pub syntax: Syntax,
    /// A clause such as "it has the tag `{% for %}`".
    pub why: Cow<'static, str>,
}

/// Chooses the syntax of a template and reads it.
#[must_use]
pub fn choose(source: &Source<'_>, words: &Vocabulary) -> (Choice, Scan) {
    let syntax = source.syntax;
    if syntax != Syntax::Auto {
        let read = read_as(source.text, syntax, words);
        return (Choice { syntax, why: Cow::Borrowed("the template says so") }, read);
    }
    if !source.text.contains("{{") && !source.text.contains("{%") && !source.text.contains("{#") {
        let choice = Choice { syntax: Syntax::Placeholder, why: Cow::Borrowed("it has no Jinja tag") };
        return (choice, read_as(source.text, Syntax::Placeholder, words));
    }
    let rules = Rules { placeholders: Some(words), jinja: true, careful: true, brackets: false };
    let read = scan(source.text, rules);
    if let Some(why) = judge::speaks_jinja(source, words, &read) {
        return (Choice { syntax: Syntax::Both, why: Cow::Owned(why) }, read);
    }
    let why = if read.passed.is_empty() && read.tags().next().is_none() {
        "it has no Jinja tag"
    } else {
        "it has no tag keyword, and no `{{ }}` in it uses a name that exists here"
    };
    let mut without = read_as(source.text, Syntax::Placeholder, words);
    // What looked like tags is judged for near misses by the caller.
    without.passed = read.tags().map(|tag| tag.range.clone()).collect();
    without.statements = read.statements;
    (Choice { syntax: Syntax::Placeholder, why: Cow::Borrowed(why) }, without)
}

fn read_as(text: &str, syntax: Syntax, words: &Vocabulary) -> Scan {
    let placeholders = matches!(syntax, Syntax::Both | Syntax::Placeholder | Syntax::Auto).then_some(words);
    let jinja = matches!(syntax, Syntax::Both | Syntax::Jinja | Syntax::Brackets);
    if placeholders.is_none() && !jinja {
        return Scan { pieces: vec![Piece::Text(0..text.len())], ..Scan::default() };
    }
    scan(text, Rules { placeholders, jinja, careful: false, brackets: syntax == Syntax::Brackets })
}

/// Compiles a template, and says what was read. The issues may be warnings only; with an error among them the result
/// is not used.
pub(super) fn compile(
    source: &Source<'_>,
    words: &Vocabulary,
    limits: &Limits,
) -> (Compiled, Choice, Vec<Issue>, Scan) {
    let words = &words.for_template(source.literal, source.placeholders);
    let (choice, read) = choose(source, words);
    if let Some(over) = bounds::tag_count(&read, limits) {
        let body = Body::Segments(Vec::new());
        return (Compiled { text: source.text.to_owned(), body }, choice, vec![over], read);
    }
    let mut issues = judge::judge(source, words, &choice, &read, limits);
    if let Some(at) = source.text.find(|c| ('\u{10fff0}'..='\u{10fff7}').contains(&c)) {
        let message = "the template holds one of the characters U+10FFF0 to U+10FFF7";
        issues.push(
            Issue::new(Code::ReservedCharacter, at..at + 4, message).help("remove it; megax marks tags with these"),
        );
    }
    let bound = read.bound(source.text);
    let is_bound = |root: &str| bound.contains(root) || matches!(words.word(root), Some(Word::Bound));
    let body = match segments(source.text, &read, &is_bound) {
        Some(segments) if !source.shared && source.traced.is_none() => Body::Segments(segments),
        _ => rewrite(source, &read, &is_bound),
    };
    (Compiled { text: source.text.to_owned(), body }, choice, issues, read)
}

fn segments(text: &str, read: &Scan, is_bound: &dyn Fn(&str) -> bool) -> Option<Vec<Segment>> {
    let piece = |piece: &Piece| match piece {
        Piece::Text(range) => Some(Segment::Text(range.clone())),
        Piece::Placeholder(p) if p.filters.is_empty() && !is_bound(&text[p.root.clone()]) => Some(Segment::Value {
            range: p.range.clone(),
            root: text[p.root.clone()].to_owned(),
            fields: text[p.path.clone()].split('.').skip(1).map(str::to_owned).collect(),
        }),
        _ => None,
    };
    read.pieces.iter().map(piece).collect()
}

fn rewrite(source: &Source<'_>, read: &Scan, is_bound: &dyn Fn(&str) -> bool) -> Body {
    let text = source.text;
    let mut out = Rewriter { text, out: String::with_capacity(text.len() + 64), map: Vec::new(), unread: None };
    let around = lines::around(text, &read.pieces);
    let charges = regions::charges(text, &read.pieces, &around, source.shared);
    let mut is_taken = false;
    for (index, piece) in read.pieces.iter().enumerate() {
        match piece {
            Piece::Text(range) => match source.traced {
                Some(number) => out.copy_traced(range.clone(), number, is_taken),
                None => out.copy_charged(range.clone(), &charges, index),
            },
            Piece::Placeholder(placeholder) => {
                let expression = expression_of(text, placeholder, is_bound(&text[placeholder.root.clone()]));
                let expression = out.guarded(&expression, placeholder.range.clone());
                out.replace(placeholder.range.clone(), &format!("{OPEN_VARIABLE} {expression} {CLOSE_VARIABLE}"));
            }
            Piece::Tag(tag) => out.tag(tag, around[index], source.traced),
        }
        is_taken = matches!(piece, Piece::Tag(tag) if tag.kind != TagKind::Variable
            && (text[tag.body.clone()].ends_with('-') || !around[index].keeps_after));
    }
    Body::Engine { text: out.out, map: out.map, unread: out.unread }
}

/// An expression with its operators guarded, and where its bytes come from; `None` if it was not read.
pub(super) fn guarded_expression(text: &str, range: Range<usize>) -> Option<(String, Vec<Stretch>)> {
    let tokens = lexer::lex(text, range.clone()).ok()?;
    let edits = guard::expression(text, &tokens).ok()?;
    let mut out = Rewriter { text, out: String::with_capacity(text.len() + 32), map: Vec::new(), unread: None };
    out.edited(range, &edits);
    Some((out.out, out.map))
}

/// The Jinja expression of a placeholder.
fn expression_of(text: &str, placeholder: &Placeholder, bound: bool) -> String {
    let root = &text[placeholder.root.clone()];
    let path: String = text[placeholder.path.clone()]
        .split('.')
        .skip(1)
        .map(|field| {
            let is_index = field.bytes().all(|byte| byte.is_ascii_digit());
            if is_index { format!("[{field}]") } else { format!("['{field}']") }
        })
        .collect();
    let mut expression = match (bound, path.is_empty()) {
        (true, true) => format!("{root}|__megax_name"),
        (true, false) => format!("{root}{path}"),
        (false, true) => format!("{PLACEHOLDERS}.{root}"),
        (false, false) => format!("{ROOTS}.{root}{path}"),
    };
    for (name, arguments) in &placeholder.filters {
        expression.push('|');
        expression.push_str(&text[name.clone()]);
        expression.push_str(arguments);
    }
    expression
}

struct Rewriter<'a> {
    text: &'a str,
    out: String,
    map: Vec<Stretch>,
    unread: Option<Range<usize>>,
}

impl Rewriter<'_> {
    fn copy(&mut self, from: Range<usize>) {
        self.map.push(Stretch { at: self.out.len(), from: from.clone(), copied: true });
        self.out.push_str(&self.text[from]);
    }

    /// Copies a text and puts a mark before the end of every line, but not before a newline right at its start that the
    /// engine takes away.
    fn copy_traced(&mut self, from: Range<usize>, number: usize, is_taken: bool) {
        let mut start = from.start;
        for at in memchr::memchr_iter(b'\n', &self.text.as_bytes()[from.clone()]).map(|at| from.start + at) {
            let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            if at > from.start || !is_taken {
                self.copy(start..at);
                self.replace(at..at, &super::trace::mark(number, line));
                start = at;
            }
        }
        self.copy(start..from.end);
    }

    fn replace(&mut self, from: Range<usize>, by: &str) {
        self.map.push(Stretch { at: self.out.len(), from, copied: false });
        self.out.push_str(by);
    }

    fn tag(&mut self, tag: &Tag, around: Around, traced: Option<usize>) {
        if let Some(own_break) = around.break_before {
            let line = self.text[..tag.range.start].rfind('\n').map_or(0, |newline| newline + 1);
            let mark = traced.map_or_else(String::new, |number| super::trace::mark(number, line));
            self.replace(tag.range.start..tag.range.start, &format!("{mark}{own_break}"));
        }
        let (open, close) = match tag.kind {
            TagKind::Variable => (OPEN_VARIABLE, CLOSE_VARIABLE),
            TagKind::Block => (OPEN_BLOCK, CLOSE_BLOCK),
            TagKind::Comment => (OPEN_COMMENT, CLOSE_COMMENT),
        };
        let body = &self.text[tag.body.clone()];
        let may = |at_end| tag.kind != TagKind::Variable && !lines::is_signed(body, at_end);
        let open = with_sign(open, "", around.keeps_before && may(false));
        let close = with_sign("", close, around.keeps_after && may(true));
        self.replace(tag.range.start..tag.body.start, &open);
        let edits = match tag.kind {
            // A tag that is too long is refused; reading it could exhaust the stack.
            _ if lexer::over_limit(self.text, &tag.tokens, &Limits::highest()).is_some() => Ok(Vec::new()),
            TagKind::Variable => guard::expression(self.text, &tag.tokens),
            TagKind::Block => guard::statement(self.text, &tag.tokens),
            TagKind::Comment => Ok(Vec::new()),
        };
        if let Ok(edits) = edits {
            self.edited(tag.body.clone(), &edits);
        } else {
            self.unread.get_or_insert(tag.range.clone());
            self.copy(tag.body.clone());
        }
        self.replace(tag.body.end..tag.range.end, &close);
    }

    /// Copies a range with its edits.
    fn edited(&mut self, range: Range<usize>, edits: &[guard::Edit]) {
        let mut at = range.start;
        for edit in edits {
            if at < edit.range.start {
                self.copy(at..edit.range.start);
            }
            self.replace(edit.from.clone(), &edit.text);
            at = edit.range.end;
        }
        if at < range.end {
            self.copy(at..range.end);
        }
    }

    /// Copies a text; what it costs is written into its middle, where it changes no blank at either end.
    fn copy_charged(&mut self, range: Range<usize>, charges: &Charges, index: usize) {
        let Some(Charge { bytes, at, is_raw }) = charges.get(&index).copied() else { return self.copy(range) };
        self.copy(range.start..at);
        let (before, after) = if is_raw {
            (format!("{OPEN_BLOCK}+ endraw {CLOSE_BLOCK}"), format!("{OPEN_BLOCK} raw +{CLOSE_BLOCK}"))
        } else {
            (String::new(), String::new())
        };
        let said = format!("{before}{OPEN_VARIABLE}{bytes}|{}{CLOSE_VARIABLE}{after}", super::operators::TEXT);
        self.replace(at..at, &said);
        self.copy(at..range.end);
    }

    /// The expression of a placeholder with its operators guarded.
    fn guarded(&mut self, expression: &str, range: Range<usize>) -> String {
        if !expression.contains('(') {
            return expression.to_owned();
        }
        // One that is too long is refused; reading it could exhaust the stack.
        let tokens = lexer::lex(expression, 0..expression.len()).unwrap_or_default();
        if lexer::over_limit(expression, &tokens, &Limits::highest()).is_some() {
            return expression.to_owned();
        }
        let Some((guarded, _)) = guarded_expression(expression, 0..expression.len()) else {
            self.unread.get_or_insert(range);
            return expression.to_owned();
        };
        guarded
    }
}

/// A delimiter of a tag; with the sign that keeps the blanks beside it.
fn with_sign(open: &str, close: &str, is_kept: bool) -> String {
    format!("{open}{}{close}", if is_kept { "+" } else { "" })
}

/// Where the bytes `range` of the rewritten text stand in the original.
pub(super) fn original(map: &[Stretch], range: Range<usize>) -> Range<usize> {
    let find = |at: usize| map.get(map.partition_point(|stretch| stretch.at <= at).saturating_sub(1));
    let start = find(range.start).map_or(0, |stretch| {
        if stretch.copied {
            (stretch.from.start + range.start - stretch.at).min(stretch.from.end)
        } else {
            stretch.from.start
        }
    });
    let last = range.end.saturating_sub(1).max(range.start);
    let end = find(last).map_or(start, |stretch| {
        if stretch.copied {
            (stretch.from.start + last + 1 - stretch.at).min(stretch.from.end)
        } else {
            stretch.from.end
        }
    });
    start..end.max(start)
}

/// The names of templates that a text includes, extends or imports, with their places.
#[must_use]
pub fn references(source: &Source<'_>, words: &Vocabulary) -> Vec<(String, Range<usize>)> {
    let (_, read) = choose(source, words);
    let found = read.tags().flat_map(|tag| tags::references(source.text, tag));
    found.map(|(name, range)| (name.to_owned(), range)).collect()
}

/// Whether a text includes a template that only rendering knows.
#[must_use]
pub fn includes_by_value(source: &Source<'_>, words: &Vocabulary) -> bool {
    let (_, read) = choose(source, words);
    read.tags().any(|tag| tags::names_templates_by_value(source.text, tag))
}

/// The names that a template's tags bind, whatever its vocabulary.
#[must_use]
pub fn bound_names(text: &str) -> BTreeSet<String> {
    scan(text, Rules { placeholders: None, jinja: true, careful: true, brackets: false }).bound(text)
}
