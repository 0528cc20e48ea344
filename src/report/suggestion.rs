//! A certain mend, shown in its line where that is short, else in words.
//!
//! Must never change what it shows: a line that holds a hidden character or is too long is not redrawn.

use annotate_snippets::{Group, Level, Patch, Snippet};

use super::clean::{clean, clip, is_hidden};
use super::excerpt::{clamp, is_short, line, place_of};
use super::human::Places;
use crate::diagnostic::Fix;
use crate::span::{SourceFile, SourceMap};

/// A mend over more lines than this is told in words.
const MOST_LINES: u32 = 6;
/// Most characters of a replacement that is told in words.
const LONGEST_WORDS: usize = 200;

/// The group that shows `fix`, under the finding's own help text if it has one.
pub(super) fn group(fix: &Fix, help: Option<String>, sources: &SourceMap, places: &mut Places) -> Group<'static> {
    let redrawn = sources.get(fix.span.file).and_then(|file| redraw(file, fix, places));
    match redrawn {
        Some(snippet) => {
            let title = help.unwrap_or_else(|| "replace it like this".to_owned());
            Level::HELP.secondary_title(title).element(snippet)
        }
        None => match help {
            Some(help) => Level::HELP.secondary_title(help).element(Level::HELP.message(words(fix))),
            None => Group::with_title(Level::HELP.secondary_title(words(fix))),
        },
    }
}

fn words(fix: &Fix) -> String {
    if fix.replacement.is_empty() {
        return "remove it".to_owned();
    }
    format!("replace it by `{}`", clean(&clip(&fix.replacement, LONGEST_WORDS)))
}

fn redraw(file: &SourceFile, fix: &Fix, places: &mut Places) -> Option<Snippet<'static, Patch<'static>>> {
    let range = clamp(file, fix.span);
    let number_of = |offset: usize| file.position(u32::try_from(offset).unwrap_or(u32::MAX)).line;
    let (first, last) = (number_of(range.start), number_of(range.end));
    let new_lines = fix.replacement.lines().count();
    if last - first >= MOST_LINES || new_lines > MOST_LINES as usize || !fix.replacement.lines().all(can_be_drawn) {
        return None;
    }
    let (start, _) = line(file, first);
    let (last_start, last_line) = line(file, last);
    let text = file.text().get(start..last_start + last_line.len())?;
    let within = range.start.checked_sub(start)?..range.end.checked_sub(start)?;
    if within.end > text.len() || !text.split('\n').all(can_be_drawn) {
        return None;
    }
    let patch = Patch::new(within, fix.replacement.replace("\r\n", "\n"));
    let token = places.token(place_of(file, range.start));
    Some(Snippet::source(text.to_owned()).line_start(first as usize).path(token).patch(patch))
}

fn can_be_drawn(line: &str) -> bool {
    is_short(line) && !line.chars().any(|c| c != '\t' && is_hidden(c))
}
