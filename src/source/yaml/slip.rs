//! Syntax errors in our words, with the slips that language models make told apart.
//!
//! Must never offer a fix that changes what a careful reader would take the line to mean.

use super::{Place, flow, trial};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::span::Span;
use granit_parser::{ErrorKind as E, ScanError};
use std::ops::Range;

/// What the builder knows when the parser gives up.
pub(super) struct Context<'t> {
    pub place: Place<'t>,
    /// The bracket of the flow collection that is open.
    pub open: Option<usize>,
    /// The outermost bracket that is open, or the end of the last node.
    pub after: usize,
    /// The last block scalar: from its header to where the parser stopped reading it.
    pub last_block: Option<Range<usize>>,
}

/// The finding for the parser's error.
pub(super) fn syntax(error: &ScanError, context: &Context<'_>) -> Diagnostic {
    let place = context.place;
    let at = exact(error, place.text);
    if matches!(error.kind(), E::UndeclaredTagHandle) {
        return Diagnostic::new(Code::YamlFeature, "a tag is not used in mega-files")
            .at(place.character(at))
            .help("remove the tag; a text that begins with `!` needs quotes");
    }
    let finding = Diagnostic::new(Code::YamlSyntax, words(error.kind())).at(place.character(at)).label(error.info());
    let finding = match context.open {
        Some(open) if open < at => finding.related(place.character(open), "in the collection that begins here"),
        _ => finding,
    };
    let told = conflict(place)
        .or_else(|| fence(&finding, place, at))
        .or_else(|| tab(error.kind(), &finding))
        .or_else(|| unquoted(&finding, place, at))
        .or_else(|| group(error.kind(), &finding, place, at))
        .or_else(|| flow::cause(error.kind(), &finding, place, context.after, at))
        .or_else(|| no_blank_after_colon(error.kind(), &finding, place, at))
        .or_else(|| shallow_block(&finding, context, at))
        .or_else(|| colon_in_value(error.kind(), &finding, place, at))
        .or_else(|| by_kind(error.kind(), &finding))
        .unwrap_or(finding);
    trial::mended(told, place, error.kind(), at)
}

/// Whether a finding before the error has a mend around it: then the text was read wrongly there for the same reason.
pub(super) fn is_echo(error: &ScanError, place: Place<'_>, findings: &Diagnostics) -> bool {
    let at = place.span(exact(error, place.text), 0).start;
    findings.iter().filter_map(|one| one.fix.as_ref()).any(|fix| (fix.span.start..=fix.span.end).contains(&at))
}

/// What is said of an error that we have no words for.
const NO_WORDS: &str = "the text is not valid YAML here";

/// The offset of a fault in a text that is no mega-file.
pub(super) fn offset(error: &ScanError, text: &str) -> u32 {
    u32::try_from(exact(error, text)).unwrap_or(u32::MAX)
}

/// What is wrong, in our words, or in those of the parser where we have none.
pub(super) fn message(error: &ScanError) -> String {
    match words(error.kind()) {
        words if words == NO_WORDS => error.info().clone(),
        words => words,
    }
}

/// The offset of the fault itself: for some errors the parser names the start of the scalar that holds it.
pub(super) fn exact(error: &ScanError, text: &str) -> usize {
    let mark = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let rest = text.get(mark..).unwrap_or("");
    let found = match error.kind() {
        E::UnexpectedCharacter { character } => rest.find(*character),
        kind if is_tab(kind) => return tab_in_indentation(text, mark),
        E::UnknownQuotedScalarEscape => unknown_escape(rest),
        _ => None,
    };
    mark + found.unwrap_or(0)
}

/// The first tab in the indentation of the line of `mark` or of a later one.
fn tab_in_indentation(text: &str, mark: usize) -> usize {
    let mut at = text.get(..mark).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    for line in text.get(at..).unwrap_or("").split_inclusive('\n') {
        let indentation = line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if let Some(tab) = line[..indentation].find('\t').filter(|_| !line.trim().is_empty()) {
            return at + tab;
        }
        at += line.len();
    }
    mark
}

fn unknown_escape(quoted: &str) -> Option<usize> {
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            let (_, escaped) = characters.next()?;
            if !"0abt\tnvfre \"/\\N_LPxuU\r\n".contains(escaped) {
                return Some(at);
            }
        }
    }
    None
}

fn words(kind: &E) -> String {
    let text = match kind {
        E::UnexpectedCharacter { character: '@' | '`' | '%' } => "an unquoted text cannot begin with this character",
        E::UnexpectedCharacter { .. } => "this character is not allowed here",
        kind if is_tab(kind) => "a tab is used for indentation",
        E::MappingValueNotAllowed | E::InvalidColonPlacement => "a `:` stands where no key can be",
        E::SimpleKeyExpected => "this line is neither a key with a value nor part of the text above",
        E::ExpectedBlockMappingKey => "a key was expected here",
        E::ExpectedBlockSequenceEntry => "a list item (`- `) was expected here",
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => "a list item (`- `) cannot stand here",
        E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator => "a `,` or the closing bracket is missing",
        E::UnclosedFlowCollection { .. } | E::UnexpectedEofFlowSequence | E::UnexpectedEofFlowMapping => {
            "a bracket is not closed"
        }
        E::MisplacedFlowCollectionEnd | E::MismatchedFlowCollectionEnd { .. } => "this bracket closes nothing",
        E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => {
            "a quoted text is not closed where it should be"
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => "text follows the closing quote",
        E::UnknownQuotedScalarEscape => "an escape that YAML does not know",
        E::InvalidBlockScalarHeader => "text follows the sign of a block text",
        E::InvalidBlockScalarIndent => "a line of a block text is not indented like its first",
        E::MissingAnchorOrAliasName => "an unquoted text cannot begin with `*` or `&`",
        E::CommentNotSeparated => "a comment needs a blank before its `#`",
        _ => NO_WORDS,
    };
    text.to_owned()
}

fn fence(finding: &Diagnostic, place: Place<'_>, at: usize) -> Option<Diagnostic> {
    let (start, end) = place.line(at);
    let line = place.text.get(start..end)?;
    if !line.trim_start().starts_with("```") {
        return None;
    }
    let next = end + super::block::break_len(place.text.as_bytes(), end);
    Some(
        finding
            .clone()
            .help("this is a Markdown code fence: remove the fence lines, the file must hold only the YAML")
            .fix(place.span(start, next), ""),
    )
}

/// Whether a tab stands where blanks should.
pub(super) fn is_tab(kind: &E) -> bool {
    matches!(
        kind,
        E::TabInPlainScalar
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabNotAllowed
            | E::TabAtBlockScalarStart
    )
}

/// The marks of a merge conflict, whatever the parser made of them: no text of a mega-file begins in the first column.
fn conflict(place: Place<'_>) -> Option<Diagnostic> {
    const MARKS: [&str; 3] = ["<<<<<<< ", "=======", ">>>>>>> "];
    let (mut found, mut at) = (Vec::new(), 0);
    for line in place.text.split_inclusive('\n') {
        let mark = MARKS.get(found.len())?;
        if line.strip_prefix(mark).is_some_and(|rest| !mark.starts_with('=') || rest.trim_end().is_empty()) {
            found.push(place.span(at, at + line.trim_end().len()));
        }
        at += line.len();
        if found.len() == MARKS.len() {
            break;
        }
    }
    let [first, middle, last] = found.try_into().ok()?;
    Some(
        Diagnostic::new(Code::YamlSyntax, "the marks of a merge conflict stand in the file")
            .at(first)
            .label("one side begins here")
            .related(middle, "the other side begins here")
            .related(last, "and ends here")
            .help("keep one of the two sides, or what is right of both, and take the lines of the marks out"),
    )
}

fn tab(kind: &E, finding: &Diagnostic) -> Option<Diagnostic> {
    is_tab(kind).then(|| finding.clone().help("indent with blanks, two for each level: YAML does not allow tabs there"))
}

/// A value that begins with a sign of YAML but was meant as text.
fn unquoted(finding: &Diagnostic, place: Place<'_>, at: usize) -> Option<Diagnostic> {
    let value = value_on_line(place, at)?;
    let text = place.text.get(value.clone())?;
    let help = match text.chars().next()? {
        '{' | '[' if at >= value.start && goes_on(text) => "quote the path",
        '`' if at == value.start && in_backticks(text).is_some() => {
            let quoted = in_backticks(text).and_then(quoted)?;
            let help = format!("YAML has no backticks, write quotes: {quoted}");
            return Some(finding.clone().help(help).fix(place.span(value.start, value.end), quoted));
        }
        '@' | '`' | '%' | '*' | '&' if at == value.start => "quote the value",
        _ => return None,
    };
    if text.contains(": ") {
        // It may be a key with a value, so how much to quote is not certain.
        return Some(finding.clone().help(help));
    }
    Some(quote_value(finding.clone(), place, at, help))
}

/// What stands between two backticks that are all of a text.
fn in_backticks(text: &str) -> Option<&str> {
    text.strip_prefix('`')?.strip_suffix('`').filter(|inner| !inner.is_empty() && !inner.contains('`'))
}

/// Whether a text that begins with a bracket goes on after it, or holds a placeholder that no flow collection can.
fn goes_on(text: &str) -> bool {
    let (open, close) = if text.starts_with('[') { ('[', ']') } else { ('{', '}') };
    if text.starts_with("{@") {
        return true;
    }
    let mut depth = 0_usize;
    let end = text.char_indices().find_map(|(at, c)| {
        depth = if c == open { depth + 1 } else { depth.saturating_sub(usize::from(c == close)) };
        (depth == 0).then_some(at)
    });
    let Some(end) = end else { return false };
    text[end..]
        .trim_start_matches(close)
        .chars()
        .next()
        .is_some_and(|c| !c.is_whitespace() && !matches!(c, ',' | ':' | '}' | ']'))
}

/// A block scalar whose text is not indented deeper than its key, or not like its first line.
fn shallow_block(finding: &Diagnostic, context: &Context<'_>, at: usize) -> Option<Diagnostic> {
    let place = context.place;
    let (start, _) = place.line(at);
    let block = context.last_block.clone()?;
    let between = place.text.get(block.end.min(start)..start)?;
    if start < block.start || !between.trim().is_empty() {
        return None;
    }
    let (from, _) = place.line(block.start);
    let key = place.text.get(from..block.start)?.trim().trim_start_matches("- ").trim_end_matches(':').trim();
    let name = if key.is_empty() || key == "-" { "the item".to_owned() } else { format!("`{key}`") };
    let sign = place.text.get(block.start..=block.start)?;
    Some(
        finding
            .clone()
            .help(format!(
                "indent every line of the text of {name} deeper than its key, and at least like its first line"
            ))
            .related(place.character(block.start), format!("the block text of this `{sign}` ended before that line")),
    )
}

fn colon_in_value(kind: &E, finding: &Diagnostic, place: Place<'_>, at: usize) -> Option<Diagnostic> {
    if !matches!(kind, E::MappingValueNotAllowed) {
        return None;
    }
    let value = value_on_line(place, at).filter(|value| value.start < at);
    if value.is_some() {
        let help = "an unquoted text cannot hold `: `, so quote the value";
        return Some(quote_value(finding.clone(), place, at, help));
    }
    // The key was read as the next line of the text above it.
    let (start, _) = place.line(at);
    let above = place.text.get(..start)?.trim_end();
    let (above, end) = place.line(above.len());
    if let Some(mended) = insert_blank(finding, place, above..end) {
        return Some(mended);
    }
    Some(finding.clone().help("indent the key like the other keys of its mapping: here it continues the value above"))
}

fn no_blank_after_colon(kind: &E, finding: &Diagnostic, place: Place<'_>, at: usize) -> Option<Diagnostic> {
    if !matches!(kind, E::SimpleKeyExpected) {
        return None;
    }
    let (start, end) = place.line(at);
    insert_blank(finding, place, start..end)
}

/// `key:value` on a line: a blank is missing.
fn insert_blank(finding: &Diagnostic, place: Place<'_>, line: Range<usize>) -> Option<Diagnostic> {
    let text = place.text.get(line.clone())?;
    let key = text.trim_start_matches([' ', '-']);
    let name = key.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    let rest = key.get(name..)?.strip_prefix(':')?;
    if name == 0 || rest.is_empty() || rest.starts_with([' ', '\t', ':', '/']) {
        return None;
    }
    let after = line.start + (text.len() - rest.len());
    let help = format!("write a blank after `{}:`", key.get(..name)?);
    Some(finding.clone().help(help).fix(place.span(after, after), " "))
}

/// `{ path: /users/{id} }`: inside of brackets a brace ends the text before it.
fn group(kind: &E, finding: &Diagnostic, place: Place<'_>, at: usize) -> Option<Diagnostic> {
    if !matches!(kind, E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator) {
        return None;
    }
    let value = flow::with_group(place, at)?;
    let text = quoted(place.text.get(value.clone())?)?;
    let help = format!("inside of brackets a text with a bracket in it needs quotes: {text}");
    Some(finding.clone().help(help).fix(place.span(value.start, value.end), text))
}

fn by_kind(kind: &E, finding: &Diagnostic) -> Option<Diagnostic> {
    let help = match kind {
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::ExpectedFlowMappingSeparator
        | E::ExpectedFlowSequenceSeparator
        | E::InvalidColonPlacement => "close the bracket, or quote the text if the bracket belongs to it",
        E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => {
            "close the quote on its own line; use a block text (`|`) for several lines"
        }
        E::InvalidTrailingSingleQuotedScalar => "write '' for a quote inside single quotes, or use double quotes",
        E::InvalidTrailingDoubleQuotedScalar => "put the whole value in quotes; write \\\" for a quote inside",
        E::UnknownQuotedScalarEscape => "write \\\\ for a backslash, or use single quotes",
        E::InvalidBlockScalarHeader => "begin the text on the next line, indented deeper than the key",
        E::InvalidBlockScalarIndent => "indent every line of the block text at least like its first line",
        E::BlockSequenceEntryNotAllowed => "begin the list on the next line",
        E::ExpectedBlockMappingKey | E::ExpectedBlockSequenceEntry => {
            "indent the line like its neighbours; do not mix list items and keys at one level: if they are the keys of \
             one list item, only the first has `- ` and all begin in one column"
        }
        E::SimpleKeyExpected => "write `key: value`, or indent the line deeper than the key that it belongs to",
        E::UnexpectedCharacter { .. } | E::MisplacedFlowCollectionEnd => "quote the text that holds it",
        E::MissingAnchorOrAliasName => "quote the value",
        _ => return None,
    };
    Some(finding.clone().help(help))
}

/// A list or mapping as a key; most often a template expression that lacks its quotes, or a line of a block text that
/// lost its indentation.
pub(super) fn collection_as_key(context: &Context<'_>, at: usize, mapping: bool) -> Diagnostic {
    let place = context.place;
    let what = if mapping { "a mapping cannot be a key" } else { "a list cannot be a key" };
    let finding = Diagnostic::new(Code::YamlFeature, what).at(place.character(at));
    let double = at.checked_sub(1).and_then(|before| place.text.get(before..=at)) == Some("{{");
    let first = if double { at - 1 } else { at };
    let begins_line = place.text.get(place.line(at).0..first).is_some_and(|before| before.trim().is_empty());
    if let Some(told) = shallow_block(&finding, context, at).filter(|_| begins_line) {
        return told;
    }
    if double {
        return quote_value(finding, place, at, "unquoted, `{{` begins a mapping inside a mapping, so quote the value");
    }
    finding.help("a key is one word or text before a colon: use a list of mappings instead")
}

/// Adds `help`, and the fix where the value of the line can be quoted for certain.
pub(super) fn quote_value(finding: Diagnostic, place: Place<'_>, at: usize, help: &str) -> Diagnostic {
    let value = value_on_line(place, at).filter(|value| value.contains(&at));
    // In a flow collection that begins before it, the value is a part of the line only.
    let value = match value {
        Some(value) if is_inside(place, &value, at) => {
            let is_second = place.text.get(..=at).is_some_and(|before| before.ends_with("{{"));
            flow::value(place, at - usize::from(is_second))
        }
        value => value,
    };
    // A value that has quotes already needs another mend than more of them.
    let text = value.clone().and_then(|value| place.text.get(value)).filter(|text| !text.starts_with(['"', '\'']));
    let quoted = text.and_then(quoted);
    match (value, quoted) {
        (Some(value), Some(text)) => {
            finding.help(format!("{help}: {text}")).fix(place.span(value.start, value.end), text)
        }
        _ => finding.help(help),
    }
}

/// Whether `at` stands inside of the brackets with which the value begins.
fn is_inside(place: Place<'_>, value: &Range<usize>, at: usize) -> bool {
    let text = place.text.get(value.clone()).unwrap_or("");
    text.starts_with(['{', '[']) && at > value.start && !text.starts_with("{{") && !goes_on(text)
}

/// `text` in quotes that need no escape.
pub(super) fn quoted(text: &str) -> Option<String> {
    if text.contains(['\n', '\r', '\t']) {
        None
    } else if !text.contains(['"', '\\']) {
        Some(format!("\"{text}\""))
    } else if !text.contains('\'') {
        Some(format!("'{text}'"))
    } else {
        None
    }
}

/// The value on the line of `at`: what follows `key: ` or `- `, up to a comment. `None` where the line has neither.
fn value_on_line(place: Place<'_>, at: usize) -> Option<Range<usize>> {
    let (start, end) = place.line(at);
    let line = place.text.get(start..end)?;
    let mut rest = line.trim_start_matches(' ');
    let mut found = false;
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start_matches(' ');
        found = true;
    }
    let is_key = !rest.starts_with(['"', '\'', '{', '[', '@', '`', '%', '|', '>', '*', '&', '!', '#', ',']);
    if let Some(colon) = rest.find(": ").filter(|_| is_key) {
        rest = rest[colon + 2..].trim_start_matches(' ');
        found = true;
    }
    let from = start + line.len() - rest.len();
    let text = rest.find(" #").map_or(rest, |comment| &rest[..comment]).trim_end();
    (found && !text.is_empty()).then(|| from..from + text.len())
}

/// The line of an entry of a block mapping, with its line break, if the entry is all that stands on it.
pub(super) fn whole_line(place: Place<'_>, key: Span, value: Span) -> Option<Span> {
    let inside = |offset: u32| (offset as usize).saturating_sub(place.base);
    let (from, to) = (inside(key.start), inside(value.end));
    let (start, end) = place.line(from);
    let is_alone = place.text.get(start..from)?.trim().is_empty() && place.text.get(to..end)?.trim().is_empty();
    is_alone.then(|| place.span(start, end + super::block::break_len(place.text.as_bytes(), end)))
}
