//! Cuts the few lines around places out of a source, cleaned, so that a renderer can show them.
//!
//! This is the one wrapper between spans and text: spans are moved to character boundaries and into the file, enormous
//! lines become a window around the span, hidden characters are named, and marks are moved accordingly. It must never
//! hand on a whole file, and must never trust a span.

use std::ops::Range;

use super::clean::{clean, push_clean};
use crate::span::{FileId, SourceFile, SourceMap, Span};

/// A line of more bytes than this is cut to a window.
const LONG_LINE: usize = 400;
/// Bytes before a span that a window shows.
const WINDOW_BEFORE: usize = 60;
/// Bytes from the start of a span that a window shows.
const WINDOW_AFTER: usize = 140;
/// A span over more lines than this is marked on its first line only.
const MOST_LINES: u32 = 6;
/// Places of one file that are at most this many lines apart share an excerpt.
const NEAR: u32 = 8;
/// Most lines of one excerpt.
const MOST_EXCERPT_LINES: u32 = 40;

/// A place to be shown.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Where.
    pub(super) span: Span,
    /// Words under it, cleaned.
    pub(super) label: Option<String>,
    /// Whether it is the finding's own place.
    pub(super) primary: bool,
}

/// A few lines of one file with places in them.
#[derive(Debug, Clone)]
pub(super) struct Excerpt {
    /// `path:line:column` of the first place, as in the file itself.
    pub(super) place: String,
    /// The number of the first line.
    pub(super) first_line: usize,
    /// The lines, joined by line feeds.
    pub(super) text: String,
    /// The places as byte ranges in `text`, with their marks.
    pub(super) marks: Vec<(Range<usize>, Mark)>,
}

/// A mark with its lines, inside the file.
struct Placed {
    mark: Mark,
    start: usize,
    end: usize,
    first: u32,
    last: u32,
    /// Whether a line of it is to be cut.
    long: bool,
}

/// The excerpts that show `marks`, in the order of the marks; places that are near to one another share one. A mark in
/// a file that the map does not have is left out.
pub(super) fn excerpts(sources: &SourceMap, marks: Vec<Mark>) -> Vec<Excerpt> {
    let mut groups: Vec<(FileId, Vec<Placed>)> = Vec::new();
    for mark in marks {
        let id = mark.span.file;
        let Some(file) = sources.get(id) else { continue };
        let placed = place(file, mark);
        match groups.iter_mut().find(|(of, group)| *of == id && fits(group, &placed)) {
            Some((_, group)) => group.push(placed),
            None => groups.push((id, vec![placed])),
        }
    }
    groups.into_iter().filter_map(|(id, group)| Some(cut(sources.get(id)?, group))).collect()
}

/// `path:line:column` of a span, cleaned.
pub(super) fn place_of(file: &SourceFile, offset: usize) -> String {
    let position = file.position(u32::try_from(offset).unwrap_or(u32::MAX));
    format!("{}:{}:{}", clean(file.name()), position.line, position.column)
}

/// The bytes of a line (from 1) without its line break, and the offset of its first byte.
pub(super) fn line(file: &SourceFile, number: u32) -> (usize, &str) {
    let start = file.line_start(number) as usize;
    let text = file.text().get(start..file.line_start(number.saturating_add(1)) as usize).unwrap_or("");
    let text = text.strip_suffix('\n').unwrap_or(text);
    (start, text.strip_suffix('\r').unwrap_or(text))
}

/// Whether a line is shown as it is, at full length.
pub(super) fn is_short(line: &str) -> bool {
    line.len() <= LONG_LINE
}

/// The range of a span inside the file, on character boundaries.
pub(super) fn clamp(file: &SourceFile, span: Span) -> Range<usize> {
    let floor = |offset: u32| {
        let mut at = (offset as usize).min(file.text().len());
        while !file.text().is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

fn place(file: &SourceFile, mark: Mark) -> Placed {
    let Range { start, mut end } = clamp(file, mark.span);
    // A block's span ends with its line break; the mark ends with its text.
    end = start + file.text().get(start..end).map_or(0, |text| text.trim_end().len());
    let line_of = |offset: usize| file.position(u32::try_from(offset).unwrap_or(u32::MAX)).line;
    let first = line_of(start);
    let mut last = line_of(end).max(first);
    let is_long = |number: u32| !is_short(line(file, number).1);
    let mut long = is_long(first);
    if last > first && (long || last - first >= MOST_LINES || (first..=last).any(is_long)) {
        let (at, text) = line(file, first);
        end = (at + text.len()).max(start);
        last = first;
        long = is_long(first);
    }
    Placed { mark, start, end, first, last, long }
}

/// Whether a place can be shown together with those of a group. A cut line is always shown alone.
fn fits(group: &[Placed], new: &Placed) -> bool {
    if new.long || group.iter().any(|placed| placed.long) {
        return false;
    }
    let first = group.iter().map(|placed| placed.first).min().unwrap_or(new.first);
    let last = group.iter().map(|placed| placed.last).max().unwrap_or(new.last);
    let near = new.first <= last.saturating_add(NEAR) && first <= new.last.saturating_add(NEAR);
    near && last.max(new.last) - first.min(new.first) < MOST_EXCERPT_LINES
}

fn cut(file: &SourceFile, group: Vec<Placed>) -> Excerpt {
    let first = group.iter().map(|placed| placed.first).min().unwrap_or(1);
    let last = group.iter().map(|placed| placed.last).max().unwrap_or(first);
    let place = place_of(file, group.first().map_or(0, |placed| placed.start));
    let mut text = String::new();
    let mut ranges: Vec<Range<usize>> = group.iter().map(|_| 0..0).collect();
    for number in first..=last {
        if number > first {
            text.push('\n');
        }
        let (at, full) = line(file, number);
        let window = window(full, group.first().map_or(0, |placed| placed.start.saturating_sub(at)));
        let map = push_line(&mut text, full, window);
        for (placed, range) in group.iter().zip(&mut ranges) {
            if placed.first == number {
                *range = map.to_text(placed.start.saturating_sub(at))..range.end;
            }
            if placed.last == number {
                range.end = map.to_text(placed.end.saturating_sub(at)).max(range.start);
            }
        }
    }
    let marks = ranges.into_iter().zip(group).map(|(range, placed)| (range, placed.mark)).collect();
    Excerpt { place, first_line: first as usize, text, marks }
}

/// The part of a line that is shown: all of it, or the surroundings of `at`.
fn window(line: &str, at: usize) -> Range<usize> {
    if is_short(line) {
        return 0..line.len();
    }
    let floor = |offset: usize| {
        let mut at = offset.min(line.len());
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let at = at.min(line.len());
    floor(at.saturating_sub(WINDOW_BEFORE))..floor(at.saturating_add(WINDOW_AFTER))
}

/// Where the bytes of a line came to stand.
struct LineMap {
    /// Offset in the line and offset in the text of every character that is shown, and of the end.
    offsets: Vec<(usize, usize)>,
}

impl LineMap {
    fn to_text(&self, offset: usize) -> usize {
        let after = self.offsets.partition_point(|&(in_line, _)| in_line < offset);
        self.offsets.get(after).or(self.offsets.last()).map_or(0, |&(_, in_text)| in_text)
    }
}

fn push_line(text: &mut String, line: &str, window: Range<usize>) -> LineMap {
    let shown = line.get(window.clone()).unwrap_or("");
    let mut offsets = Vec::with_capacity(shown.len() + 1);
    if window.start > 0 {
        text.push('…');
    }
    for (at, c) in shown.char_indices() {
        offsets.push((window.start + at, text.len()));
        if c == '\t' { text.push_str("    ") } else { push_clean(text, c) }
    }
    offsets.push((window.end, text.len()));
    if window.end < line.len() {
        text.push('…');
    }
    LineMap { offsets }
}
