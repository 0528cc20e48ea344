//! Findings as people read them: the place, the line, the mark, what to do.
//!
//! Drawn by `annotate-snippets`; everything it gets has gone through `excerpt` and `clean`. Must never pass on a text
//! that was not cleaned, and must never show more than a few lines around each place.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::clean::{clean, clean_lines, clip};
use super::excerpt::{Excerpt, Mark, excerpts};
use super::suggestion;
use super::words::count;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::span::{SourceMap, Span};

/// Most characters of a message or a label; the whole text is in the JSON form.
const LONGEST_MESSAGE: usize = 1_000;
/// Most characters of a help text.
const LONGEST_HELP: usize = 4_000;

/// All findings in stored order, separated by blank lines, with the count at the end, and how many are not shown; empty
/// without findings. Ends in a line break.
#[must_use]
pub fn diagnostics(diagnostics: &Diagnostics, sources: &SourceMap, colour: bool) -> String {
    let mut out = String::new();
    for one in diagnostics {
        out.push_str(&diagnostic(one, sources, colour));
        out.push('\n');
    }
    if let Some(line) = count_line(diagnostics) {
        out.push_str(&line);
        out.push('\n');
    }
    if let Some(line) = diagnostics.left_out().line() {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning`; `None` without findings.
#[must_use]
pub fn count_line(diagnostics: &Diagnostics) -> Option<String> {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(|severity| {
            let many = diagnostics.iter().filter(|one| one.severity == severity).count() as u64;
            (many > 0).then(|| count(many, severity.as_str()))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// One finding. Ends in a line break.
#[must_use]
pub fn diagnostic(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let mut places = Places::default();
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(message(&diagnostic.message)).id(diagnostic.code.id());
    let mut groups = vec![Group::with_title(title).elements(elements(diagnostic, sources, &mut places))];
    if let Some(fix) = &diagnostic.fix {
        groups.push(suggestion::group(fix, diagnostic.help.as_deref().map(help), sources, &mut places));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = places.fill_in(&renderer.render(&groups));
    out.push('\n');
    out
}

/// What stands below the title: the places, then notes without a place, then the help.
fn elements(diagnostic: &Diagnostic, sources: &SourceMap, places: &mut Places) -> Vec<Element<'static>> {
    let own = diagnostic.span.map(|span| Mark { span, label: diagnostic.label.as_deref().map(message), primary: true });
    let others = diagnostic.related.iter().filter_map(|related| {
        let label = Some(message(&related.message)).filter(|label| !label.is_empty());
        Some(Mark { span: related.span?, label, primary: false })
    });
    let marks = own.into_iter().chain(others).collect();
    let mut elements: Vec<Element<'static>> = Vec::new();
    if let (false, Some(subject)) = (has_place(diagnostic.span, sources), &diagnostic.subject) {
        elements.push(Origin::path(message(subject)).into());
    }
    elements.extend(excerpts(sources, marks).into_iter().map(|excerpt| snippet(excerpt, places).into()));
    let placeless = diagnostic.related.iter().filter(|related| !has_place(related.span, sources));
    elements.extend(placeless.map(|related| Level::NOTE.message(message(&related.message)).into()));
    if diagnostic.fix.is_none() {
        elements.extend(diagnostic.help.as_deref().map(|text| Level::HELP.message(help(text)).into()));
    }
    elements
}

fn has_place(span: Option<Span>, sources: &SourceMap) -> bool {
    span.is_some_and(|span| sources.get(span.file).is_some())
}

fn snippet(excerpt: Excerpt, places: &mut Places) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let annotations = excerpt.marks.into_iter().map(|(range, mark)| {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        kind.span(range).label(mark.label)
    });
    Snippet::source(excerpt.text)
        .line_start(excerpt.first_line)
        .path(places.token(excerpt.place))
        .annotations(annotations.collect::<Vec<_>>())
}

/// A message or label in one line.
fn message(text: &str) -> String {
    clean(&clip(text, LONGEST_MESSAGE)).into_owned()
}

/// A help text, which may have several lines.
fn help(text: &str) -> String {
    clean_lines(&clip(text, LONGEST_HELP)).replace('\t', "    ")
}

/// Stands for places while a finding is drawn. The renderer would count lines and columns in the excerpt; what the
/// reader needs are those of the file. So it gets tokens for paths, and `token:line:column` is replaced afterwards.
/// `clean` names the two characters of a token, so that no other text can hold one.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<String>);

impl Places {
    /// A token for `place`; the same one for the same place, so that the renderer does not say it twice.
    pub(super) fn token(&mut self, place: String) -> String {
        let known = self.0.iter().position(|one| *one == place);
        let index = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(place);
        }
        format!("\u{e000}{index}\u{e001}")
    }

    fn fill_in(&self, drawn: &str) -> String {
        let mut parts = drawn.split('\u{e000}');
        let mut out = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let (index, rest) = part.split_once('\u{e001}').unwrap_or((part, ""));
            let place = index.parse().ok().and_then(|index: usize| self.0.get(index));
            out.push_str(place.map_or("?", String::as_str));
            out.push_str(without_number(without_number(rest)));
        }
        out
    }
}

/// `text` without a leading `:` and digits.
fn without_number(text: &str) -> &str {
    match text.strip_prefix(':') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        _ => text,
    }
}

#[cfg(test)]
#[path = "human_tests.rs"]
mod tests;
