//! Mends of a text that is not YAML, found by trying: a few lines are changed, and only if the whole text can be read then,
//! and reads in one way only, the change is a fix.
//!
//! Must never try without bound: texts and lines that are tried have limits, and what is over them has no fix.

use std::ops::Range;

use granit_parser::{ErrorKind as E, Event, Parser, ScanError};

use super::slip::{exact, is_tab};
use super::{MAX_FOREIGN_DEPTH, Place};
use crate::diagnostic::Diagnostic;

/// A longer text is not tried.
const MOST_BYTES: usize = 128 << 10;
/// So many lines may need the change.
const MOST_LINES: usize = 40;
/// A longer replacement is not worth its place in a report.
const MOST_REPLACED: usize = 4_000;
/// A line in more levels than these is not tried.
const MOST_COLUMNS: usize = 16;
/// What one tab may stand for.
const TAB_WIDTHS: [usize; 3] = [2, 4, 8];

/// The lines that are changed, and what stands there afterwards.
type Mend = (Range<usize>, String);

/// Adds the fix of a syntax error at `at`, if there is a certain one.
pub(super) fn mended(finding: Diagnostic, place: Place<'_>, kind: &E, at: usize) -> Diagnostic {
    if finding.fix.is_some() || place.text.len() > MOST_BYTES {
        return finding;
    }
    let mend = match kind {
        kind if is_tab(kind) => tabs(place),
        E::ExpectedBlockSequenceEntry | E::ExpectedBlockMappingKey => deeper(place, at),
        E::SimpleKeyExpected | E::MappingValueNotAllowed => {
            let Some(mend) = shallow(place) else { return with_sign(finding, place, at) };
            Some(mend)
        }
        E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => quote(place, at),
        E::InvalidTrailingDoubleQuotedScalar | E::InvalidTrailingSingleQuotedScalar => one_line(place, at, |line| {
            // `"text",` as in JSON.
            let bare = line.trim_end().strip_suffix(',')?;
            bare.ends_with(['"', '\'']).then(|| bare.to_owned())
        }),
        _ => None,
    };
    match mend {
        Some((range, text)) if text.len() <= MOST_REPLACED => finding.fix(place.span(range.start, range.end), text),
        _ => finding,
    }
}

/// What a text says: its events without their places; an error if it is no YAML.
fn read(text: &str) -> Result<Vec<String>, ScanError> {
    let options =
        granit_parser::options! { flow_nesting_limit: MAX_FOREIGN_DEPTH, block_nesting_limit: MAX_FOREIGN_DEPTH };
    let events = Parser::new_from_str_with_options(text, options);
    events.map(|event| event.map(|(event, _)| said(&event))).collect()
}

fn said(event: &Event<'_>) -> String {
    match event {
        Event::Scalar(value, style, ..) => format!("{style:?} {value}"),
        Event::SequenceStart(..) => "[".to_owned(),
        Event::MappingStart(..) => "{".to_owned(),
        Event::SequenceEnd | Event::MappingEnd => "end".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Changes the line of the first error, then that of the next one, and so on, until the text can be read. Every line is
/// changed once at most, and only such errors are mended that `is_kind` accepts.
fn by_line(
    place: Place<'_>,
    is_kind: impl Fn(&E) -> bool,
    change: impl Fn(&str) -> Option<String>,
) -> Option<(Mend, Vec<String>)> {
    let mut lines: Vec<String> = place.text.split_inclusive('\n').map(str::to_owned).collect();
    let (mut first, mut last) = (None, None);
    for _ in 0..MOST_LINES {
        let text = lines.concat();
        let error = match read(&text) {
            Ok(events) => {
                let (first, last): (usize, usize) = (first?, last?);
                let old: Vec<&str> = place.text.split_inclusive('\n').collect();
                let start = old.get(..first)?.iter().map(|line| line.len()).sum::<usize>();
                let new = lines.get(first..=last)?.concat();
                let end = start + old.get(first..=last)?.iter().map(|line| line.len()).sum::<usize>();
                return Some((without_break(place.text, start..end, new), events));
            }
            Err(error) => error,
        };
        let at = exact(&error, &text);
        let number = text.get(..at)?.matches('\n').count();
        if !is_kind(error.kind()) || last.is_some_and(|last| number <= last) {
            return None;
        }
        let line = lines.get_mut(number)?;
        *line = change(line)?;
        first = first.or(Some(number));
        last = Some(number);
    }
    None
}

/// Leaves the last line break where it is.
fn without_break(text: &str, range: Range<usize>, new: String) -> Mend {
    match (text.get(range.clone()).and_then(|old| old.strip_suffix('\n')), new.strip_suffix('\n')) {
        (Some(_), Some(short)) => (range.start..range.end - 1, short.to_owned()),
        _ => (range, new),
    }
}

/// Blanks for tabs: as many as make one reading of the text.
fn tabs(place: Place<'_>) -> Option<Mend> {
    let expand = |line: &str, width: usize| {
        let len = line.len() - line.trim_start_matches([' ', '\t']).len();
        let (indentation, rest) = line.split_at(len);
        indentation.contains('\t').then(|| indentation.replace('\t', &" ".repeat(width)) + rest)
    };
    let readings = TAB_WIDTHS.iter().filter_map(|&width| by_line(place, is_tab, |line| expand(line, width)));
    let readings: Vec<_> = readings.collect();
    let (mend, events) = readings.first()?;
    readings.iter().all(|(_, other)| other == events).then(|| mend.clone())
}

/// Changes one line.
fn one_line(place: Place<'_>, at: usize, change: impl Fn(&str) -> Option<String>) -> Option<Mend> {
    let (start, end) = place.line(at);
    let new = change(place.text.get(start..end)?)?;
    let after = [place.text.get(..start)?, &new, place.text.get(end..)?].concat();
    read(&after).ok().map(|_| (start..end, new))
}

/// A key under the dash of its item: `- a: 1` and below it `b: 2` instead of two blanks more. Only if the value stands
/// on the line, nothing belongs under it, and it cannot be a key of what is around the list as well.
fn deeper(place: Place<'_>, at: usize) -> Option<Mend> {
    let (start, end) = place.line(at);
    let line = place.text.get(start..end)?;
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let (own, is_blank) = (indentation(line), |line: &&str| !line.trim().is_empty());
    let below = place.text.get(end..)?.lines().skip(1).find(is_blank);
    if !looks_like_key(line)
        || line.trim_start().starts_with('-')
        || !is_complete(line.split_once(": ")?.1.trim())
        || below.is_some_and(|below| indentation(below) > own)
    {
        return None;
    }
    let (mut least, mut columns) = (own, Vec::new());
    for above in place.text.get(..start)?.lines().rev().filter(is_blank) {
        let column = indentation(above);
        if column < least {
            let key = above.len() - above.trim_start_matches([' ', '-']).len();
            columns.extend([key, column].into_iter().filter(|column| *column < own));
            least = column;
        }
    }
    let other = |column: &usize| {
        let line = " ".repeat(*column) + line.trim_start();
        let after = [&place.text[..start], &line, &place.text[end..]].concat();
        read(&after).is_ok()
    };
    if columns.len() > MOST_COLUMNS || columns.iter().any(other) {
        return None;
    }
    one_line(place, at, |line| Some(format!("  {line}")))
}

/// Whether a value ends on its line.
fn is_complete(value: &str) -> bool {
    match value.chars().next() {
        None | Some('|' | '>' | '&' | '*' | '!' | '[' | '{' | '#') => false,
        Some(quote @ ('"' | '\'')) => value.len() > 1 && value.ends_with(quote) && value.matches(quote).count() == 2,
        Some(_) => true,
    }
}

/// Lines of a block text that lost their indentation: they get that of the lines before them.
fn shallow(place: Place<'_>) -> Option<Mend> {
    let at = exact(&read(place.text).err()?, place.text);
    let before = place.text.get(..place.line(at).0)?;
    let header = before.lines().rev().find(|line| is_header(line))?;
    let inside = before.rsplit_once(header)?.1;
    let first = inside.lines().find(|line| !line.trim().is_empty())?;
    let depth = first.len() - first.trim_start_matches(' ').len();
    let is_shallow = |line: &str| line.len() - line.trim_start_matches(' ').len() < depth;
    if inside.lines().filter(|line| !line.trim().is_empty()).any(is_shallow) {
        return None;
    }
    let is_kind = |kind: &E| matches!(kind, E::SimpleKeyExpected);
    let deeper = |line: &str| (is_shallow(line) && !looks_like_key(line)).then(|| " ".repeat(depth) + line);
    by_line(place, is_kind, deeper).map(|(mend, _)| mend)
}

/// `key: |` and the like.
fn is_header(line: &str) -> bool {
    let end = line.trim_end().rsplit(": ").next().unwrap_or("");
    line.contains(": ") && end.starts_with(['|', '>']) && end.len() <= 3
}

fn looks_like_key(line: &str) -> bool {
    let name = line.trim_start().trim_start_matches("- ");
    let len = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    len > 0 && name.get(len..).is_some_and(|rest| rest.starts_with(": ") || rest.trim_end() == ":")
}

/// The finding with the sign of a block text as its mend, if that is what is missing.
fn with_sign(finding: Diagnostic, place: Place<'_>, at: usize) -> Diagnostic {
    let Some((range, text)) = sign(place, at) else { return finding };
    let (start, end) = place.line(range.start);
    let key = place.text.get(start..end).unwrap_or("").trim().trim_start_matches("- ");
    let help = format!("the value of `{key}` has several lines, so it needs the sign of a block text: `{key} |`");
    finding.help(help).fix(place.span(range.start, range.end), text)
}

/// The sign of a block text that is missing after the key of a template.
fn sign(place: Place<'_>, at: usize) -> Option<Mend> {
    let lines: Vec<(usize, &str)> = place
        .text
        .split_inclusive('\n')
        .scan(0, |start, line| {
            let own = *start;
            *start += line.len();
            Some((own, line.trim_end()))
        })
        .collect();
    let number = lines.iter().rposition(|&(start, _)| start <= at)?;
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let key = (0..number).rev().find(|&index| {
        let line = lines[index].1;
        line.ends_with(':') && looks_like_key(line) && indentation(line) < indentation(lines[number].1)
    })?;
    let (start, line) = lines[key];
    let above =
        lines[..key].iter().rev().find(|(_, above)| !above.is_empty() && indentation(above) < indentation(line));
    let is_text = matches!(line.trim().trim_start_matches("- "), "text:" | "content:" | "template:")
        || above.is_some_and(|(_, above)| matches!(above.trim(), "templates:" | "generation_templates:"));
    if !is_text || looks_like_key(lines.get(key + 1)?.1) {
        return None;
    }
    let end = start + line.len();
    let after = [place.text.get(..end)?, " |", place.text.get(end..)?].concat();
    read(&after).ok().map(|_| (end..end, " |".to_owned()))
}

/// The closing quote of a value that stands on one line.
fn quote(place: Place<'_>, at: usize) -> Option<Mend> {
    // The parser marks the end of what it read; the quote was opened before.
    let opened = place.text.get(..at)?.split_inclusive('\n').scan(0, |start, line| {
        let own = *start;
        *start += line.len();
        Some((own, line.trim_end()))
    });
    let mut mends = opened.filter_map(|(start, line)| {
        let value = line.rsplit_once(": ").map_or(line, |(_, value)| value).trim_start_matches([' ', '-']);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        (value.matches(quote).count() == 1 && !value.contains(" #")).then_some((start + line.len(), quote))
    });
    let (end, quote) = mends.next()?;
    if mends.next().is_some() {
        return None;
    }
    let after = [place.text.get(..end)?, &quote.to_string(), place.text.get(end..)?].concat();
    read(&after).ok().map(|_| (end..end, quote.to_string()))
}
