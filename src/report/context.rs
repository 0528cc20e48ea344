//! What a finding needs to be mended without its file: the lines that it is about, as they are written, and the keys that
//! lead there, which stay true when other edits move the lines.
//!
//! For readers of the machine formats: nothing is cleaned here, so that an excerpt can be found in the file again. It must
//! never hand on more than a few short lines, and must never trust a span.

use std::collections::BTreeMap;

use super::excerpt::{clamp, line};
use crate::diagnostic::Diagnostic;
use crate::limit::Limits;
use crate::source::{NodeId, Tree, yaml};
use crate::span::{FileId, SourceFile, SourceMap, Span};

/// Most lines of an excerpt.
const MOST_LINES: u32 = 3;
/// Most characters of one of them; a longer one is a window around the place.
const MOST_CHARACTERS: usize = 160;
/// Of these, so many stand before the place.
const BEFORE: usize = 40;
/// Most characters of a key; a longer one is cut.
const MOST_KEY: usize = 40;
/// Most keys and indices; the ones in the middle of a longer way are left out.
const MOST_STEPS: usize = 12;
/// What stands where something was cut.
const CUT: char = '…';

/// The lines of a span with their indentation, joined by line feeds; `None` for a span of another map, or of nothing but
/// blanks.
pub(super) fn lines(sources: &SourceMap, span: Span) -> Option<String> {
    let file = sources.get(span.file)?;
    let range = clamp(file, span);
    let number = |offset: usize| file.position(u32::try_from(offset).unwrap_or(u32::MAX)).line;
    let first = number(range.start);
    // A block's span ends with its line break.
    let end = range.start + file.text().get(range.clone()).map_or(0, |text| text.trim_end().len());
    let last = number(end).max(first);
    let shown: Vec<String> = (first..=last.min(first + MOST_LINES - 1))
        .map(|number| {
            let (start, text) = line(file, number);
            window(text, if number == first { range.start.saturating_sub(start) } else { 0 })
        })
        .collect();
    let mut text = shown.join("\n");
    if last >= first + MOST_LINES {
        text.push('\n');
        text.push(CUT);
    }
    (!text.trim().is_empty()).then_some(text)
}

/// A line, or the surroundings of the byte `at` in a long one.
fn window(line: &str, at: usize) -> String {
    if line.chars().take(MOST_CHARACTERS + 1).count() <= MOST_CHARACTERS {
        return line.to_owned();
    }
    let before = line.get(..at).unwrap_or("").chars().count();
    let skipped = before.saturating_sub(BEFORE);
    let mut rest = line.chars().skip(skipped);
    let mut text = String::new();
    if skipped > 0 {
        text.push(CUT);
    }
    text.extend(rest.by_ref().take(MOST_CHARACTERS));
    if rest.next().is_some() {
        text.push(CUT);
    }
    text
}

/// The documents that findings point into, each parsed once, and only if it is asked for.
pub(super) struct Trees<'a> {
    sources: &'a SourceMap,
    parsed: BTreeMap<FileId, Option<Tree>>,
}

impl<'a> Trees<'a> {
    pub(super) fn new(sources: &'a SourceMap) -> Self {
        Self { sources, parsed: BTreeMap::new() }
    }

    /// The keys that lead to a finding: `generator.rules[0].generate[2].path`. `None` for what is no YAML, and at the top.
    pub(super) fn keys(&mut self, finding: &Diagnostic) -> Option<String> {
        let span = finding.span?;
        let file = self.sources.get(span.file)?;
        let tree = self.parsed.entry(span.file).or_insert_with(|| parse(span.file, file)).as_ref()?;
        let steps = steps(tree, span);
        (!steps.is_empty()).then(|| join(&steps))
    }
}

fn parse(id: FileId, file: &SourceFile) -> Option<Tree> {
    let is_yaml = [".yaml", ".yml"].iter().any(|end| file.name().ends_with(end));
    // A text that a run read under higher limits than usual is not worth a second reading.
    is_yaml.then(|| yaml::parse(id, file.text(), &Limits::default()).ok()).flatten()
}

/// From the top to the smallest node that holds all of a span; to the key of an entry, if it holds that.
fn steps(tree: &Tree, span: Span) -> Vec<String> {
    let holds = |node: NodeId| {
        let own = tree.span(node);
        own.start <= span.start && span.end <= own.end
    };
    let (mut at, mut steps) = (tree.root(), Vec::new());
    loop {
        let mut entries = tree.map(at).unwrap_or_default().iter();
        let entry = entries.find(|&&(key, value)| holds(key) || holds(value) || holds_both(tree, key, value, span));
        if let Some(&(key, value)) = entry {
            steps.push(key_step(tree.text(key).unwrap_or("?"), steps.is_empty()));
            at = value;
            if holds(value) {
                continue;
            }
            return steps;
        }
        let mut items = tree.list(at).unwrap_or_default().iter().enumerate();
        let Some((index, &item)) = items.find(|&(_, &item)| holds(item)) else { return steps };
        steps.push(format!("[{index}]"));
        at = item;
    }
}

/// Whether a span lies in what an entry is written with, the colon included.
fn holds_both(tree: &Tree, key: NodeId, value: NodeId, span: Span) -> bool {
    // The value of an alias stands elsewhere.
    tree.span(key).start <= span.start && span.end <= tree.span(value).end && span.start < tree.span(value).start
}

fn key_step(key: &str, is_first: bool) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@' | '/');
    if !key.is_empty() && key.len() <= MOST_KEY && key.chars().all(is_plain) {
        return if is_first { key.to_owned() } else { format!(".{key}") };
    }
    let mut short: String = key.chars().take(MOST_KEY).collect();
    if short.len() < key.len() {
        short.push(CUT);
    }
    format!("[{}]", serde_json::Value::String(short))
}

fn join(steps: &[String]) -> String {
    if steps.len() <= MOST_STEPS {
        return steps.concat();
    }
    let (head, tail) = (&steps[..MOST_STEPS / 2], &steps[steps.len() - MOST_STEPS / 2..]);
    format!("{}{CUT}{}", head.concat(), tail.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::report::sample;

    const TEXT: &str = "\
a:
  - x: 1
    'odd key': {y: [p, q]}
templates:
  view: |
    one
    two
    three
    four
";

    fn keys(of: &str) -> Option<String> {
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("m.yaml", TEXT));
        let start = TEXT.find(of).expect("it is there");
        let finding = Diagnostic::new(Code::BadValue, "x").at(Span::new(id, start, start + of.len()));
        Trees::new(&sources).keys(&finding)
    }

    #[test]
    fn keys_lead_to_the_place() {
        assert_eq!(keys("x").as_deref(), Some("a[0].x"));
        assert_eq!(keys("1").as_deref(), Some("a[0].x"));
        assert_eq!(keys("q").as_deref(), Some("a[0][\"odd key\"].y[1]"));
        assert_eq!(keys("two").as_deref(), Some("templates.view"));
        assert_eq!(keys("view: |\n    one").as_deref(), Some("templates.view"));
        assert_eq!(keys("a:\n  - x").as_deref(), Some("a"), "the entry as a whole");
        assert_eq!(keys(TEXT), None);
    }

    #[test]
    fn an_excerpt_is_short_and_as_written() {
        let sources = sample::sources();
        let shown = lines(&sources, sample::span(0, "entity"));
        assert_eq!(shown.as_deref(), Some("        - controller: \"src/api/v1/{entity}/controller.ts\""));
        let whole = lines(&sources, sample::span(0, sample::API)).expect("it has lines");
        assert_eq!(whole, "id: mega-api-001\nteam: beta\ngenerator:\n…");
        let long = format!("k: {}HERE{}\n", "å".repeat(300), "ö".repeat(300));
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("m.yaml", long.as_str()));
        let at = long.find("HERE").expect("it is there");
        let shown = lines(&sources, Span::new(id, at, at + 4)).expect("it has lines");
        assert!(shown.starts_with('…') && shown.ends_with('…') && shown.contains("HERE"), "{shown}");
        assert_eq!(shown.chars().count(), MOST_CHARACTERS + 2);
        assert_eq!(lines(&sources, Span::new(FileId(9), 0, 1)), None);
    }
}
