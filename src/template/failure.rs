//! From an error of the engine, or a value that cannot be printed, to an issue at the template's own bytes.

use std::fmt::Write as _;
use std::ops::Range;

use minijinja::{Error, ErrorKind};

use super::budget::Met;
use super::compile;
use super::issue::Issue;
pub(super) use super::meant::with_slip;
use super::misread;
use super::scope::Scope;
use super::value::Unprintable;
use crate::diagnostic::Code;
use crate::limit::{Limit, Limits};

/// Why a render or an evaluation failed, at bytes of the named template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The template in which it failed (an included one, perhaps).
    pub template: String,
    /// What is wrong.
    pub issue: Issue,
}

/// Carries [`Unprintable`] through the engine.
#[derive(Debug)]
pub(super) struct NotPrinted(pub(super) Unprintable);

impl std::fmt::Display for NotPrinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotPrinted {}

pub(super) fn missing(range: Range<usize>, shown: &str, scope: &Scope) -> Issue {
    let item = scope.item_name().map_or_else(String::new, |item| format!(" for the item `{item}`"));
    let message = format!("`{shown}` has no value{item}");
    Issue::new(Code::MissingField, range, message).help("give every item the field, or write `{{ x|default('...') }}`")
}

pub(super) fn unprintable(what: Unprintable, range: Range<usize>, shown: &str) -> Issue {
    let help = match what {
        Unprintable::Mapping => "print one of its fields, or the whole with a filter: `|json`",
        Unprintable::List => "loop over it, or use a filter: `|join(', ')`, `|length`, `|json`",
        _ => "give it a value, or use `|default('...', true)`",
    };
    Issue::new(Code::Unprintable, range, format!("`{}` is {what} and has no printed form", shown.trim())).help(help)
}

/// The innermost error of the engine: includes and blocks wrap the one that matters.
pub(super) fn innermost(error: &Error) -> &Error {
    let mut inner = error;
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(deeper) = source.downcast_ref::<Error>() {
            inner = deeper;
        }
        next = source.source();
    }
    inner
}

/// A limit that was met at `range`.
pub(super) fn over(limit: Limit, range: Range<usize>, what: &str, mend: &str, limits: &Limits) -> Issue {
    let message = format!("{what}: {}", limits.says(limit));
    Issue::new(Code::TemplateLimit, range, message).help(limit.help(mend))
}

pub(super) fn explain(
    error: &Error,
    original: impl Fn(Range<usize>) -> Range<usize>,
    text: &str,
    limits: &Limits,
) -> Issue {
    let inner = innermost(error);
    let range = inner.range().map_or(0..0, original);
    let range = whole_path(text, range);
    let shown = text.get(range.clone()).unwrap_or("").trim().trim_matches(['{', '}']).trim();
    if let Some(NotPrinted(what)) = std::error::Error::source(inner).and_then(|source| source.downcast_ref()) {
        return unprintable(*what, range.clone(), shown);
    }
    if let Some(Met { limit, what, mend }) = std::error::Error::source(inner).and_then(|source| source.downcast_ref()) {
        return over(*limit, range, what, mend, limits);
    }
    let detail = inner.detail().unwrap_or("");
    let said = if detail.is_empty() { inner.kind().to_string() } else { detail.to_owned() };
    let said = readable(&said);
    match inner.kind() {
        ErrorKind::UndefinedError => {
            let message = if shown.is_empty() { said } else { format!("`{shown}` uses a value that does not exist") };
            let help = "give the item the field, test it with `{% if x %}`, or write `x|default('...')`";
            Issue::new(Code::MissingField, range, message).help(help)
        }
        ErrorKind::OutOfFuel => over(
            Limit::RenderSteps,
            range,
            "the template takes too many steps",
            "loop over less, or split the file",
            limits,
        ),
        ErrorKind::WriteFailure => over(Limit::FileBytes, range, "the file gets too long", "split the file", limits),
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            Issue::new(Code::UnknownFilter, range, said)
        }
        ErrorKind::UnknownMethod => {
            Issue::new(Code::UnknownFilter, range, format!("`{shown}`: there is no such method"))
                .help("use a filter (`x|upper`, `x|replace('a', 'b')`), the method `'{:03d}'.format(number)`, or one of split, strip, startswith, endswith, find, join, get, items, keys and values")
        }
        ErrorKind::TemplateNotFound => Issue::new(Code::UnknownInclude, range, said),
        ErrorKind::SyntaxError | ErrorKind::BadEscape => {
            misread::explained(Issue::new(Code::TemplateSyntax, range, said), text)
        }
        _ if said.contains("recursion limit") => {
            let what = "macros, includes and blocks call one another too deep";
            let mend = "let the macro end (`{% if items %}`), or nest the data less deeply";
            over(Limit::RenderDepth, range, what, mend, limits)
        }
        _ => Issue::new(Code::TemplateFailed, range, said),
    }
}

/// The engine puts values into its messages; so much of one is enough.
const LONGEST_MESSAGE: usize = 500;

/// The engine names megax's own delimiters and roots in messages; people know the usual ones.
fn readable(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(c) = rest.chars().next() {
        let marks = [
            (compile::OPEN_BLOCK, "{%"),
            (compile::CLOSE_BLOCK, "%}"),
            (compile::OPEN_VARIABLE, "{{"),
            (compile::CLOSE_VARIABLE, "}}"),
            (super::scope::PLACEHOLDERS, "placeholder"),
            (super::scope::ROOTS, "placeholder"),
        ];
        if let Some((mark, usual)) = marks.iter().find(|(mark, _)| rest.starts_with(mark)) {
            let _ = write!(out, "{usual}");
            rest = &rest[mark.len()..];
        } else if out.len() >= LONGEST_MESSAGE {
            out.push_str("...");
            break;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The engine marks the last step of `a.b.c` only; people look for the whole.
fn whole_path(text: &str, range: Range<usize>) -> Range<usize> {
    if !text.get(range.clone()).is_some_and(|shown| shown.starts_with('.')) {
        return range;
    }
    let before = &text[..range.start];
    let start = before.rfind(|c: char| !(c == '.' || super::lexer::is_name_part(c))).map_or(0, |at| at + 1);
    let start = if text.is_char_boundary(start) { start } else { range.start };
    start..range.end
}
