//! Tags that share their line with text. A tag that stands alone on its line vanishes with the line, which is what the
//! engine does with every tag (`trim_blocks`, `lstrip_blocks`); but on `name: {{ x }}{% if y %} | null{% endif %}` it would
//! join two lines, and on `    {% if y %}pass{% endif %}` take the indentation. Such a line stays as it is written. So does the
//! other side of a tag with a dash: `routes:`, then `{%- for x in y %}` on a line of its own, and a list below it. Pure.

use super::scan::{Piece, Tag, TagKind};
use super::tags;

/// What happens to the blanks around a tag that says nothing about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Around {
    /// The tag's line has nothing else on it: it goes with the tag.
    #[default]
    Taken,
    /// The blanks stay.
    Kept,
    /// The tag opens a block at the end of its line: the line ends before the block, not once in every turn of a loop.
    Before,
}

/// What happens around each piece that is a tag, by the index of the piece.
pub(super) fn around(text: &str, pieces: &[Piece]) -> Vec<Around> {
    let mut found = vec![Around::Taken; pieces.len()];
    let mut line = Line::default();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(range) => {
                let mut parts = text[range.clone()].split('\n');
                line.add(parts.next().unwrap_or(""));
                for part in parts {
                    let last = std::mem::take(&mut line).end(&mut found);
                    // The line ends right after its last tag.
                    if let (Some(last), Some(Piece::Tag(tag))) =
                        (last, index.checked_sub(1).and_then(|at| pieces.get(at)))
                        && last + 1 == index
                        && ends_line(text, tag)
                        && opens(text, tag)
                    {
                        found[last] = Around::Before;
                    }
                    line.add(part);
                }
            }
            Piece::Tag(tag) if tag.kind != TagKind::Variable => {
                line.tags.push(index);
                if has_dash(&text[tag.body.clone()]) {
                    found[index] = Around::Kept;
                }
            }
            Piece::Tag(_) | Piece::Placeholder(_) => line.has_text = true,
        }
    }
    line.end(&mut found);
    found
}

/// A line of the template, newlines within tags aside.
#[derive(Default)]
struct Line {
    tags: Vec<usize>,
    has_text: bool,
}

impl Line {
    fn add(&mut self, part: &str) {
        self.has_text |= !part.trim().is_empty();
    }

    /// Judges its tags; returns the last one if they share the line.
    fn end(self, found: &mut [Around]) -> Option<usize> {
        if !self.has_text {
            return None;
        }
        for &tag in &self.tags {
            found[tag] = Around::Kept;
        }
        self.tags.last().copied()
    }
}

fn ends_line(text: &str, tag: &Tag) -> bool {
    let rest = &text[tag.range.end..];
    rest.starts_with('\n') || rest.starts_with("\r\n")
}

/// Whether a tag begins a block, and says nothing about the blanks around it.
fn opens(text: &str, tag: &Tag) -> bool {
    let body = &text[tag.body.clone()];
    matches!(tags::keyword(body), Some("for" | "if" | "with" | "filter"))
        && !is_signed(body, false)
        && !is_signed(body, true)
}

/// Whether a tag takes the blanks on one side away: then its author says what goes, and the other side stays as it is. But
/// the dash inside of a macro or of a captured text says nothing about the place where that is defined.
fn has_dash(body: &str) -> bool {
    let defines = matches!(tags::keyword(body), Some("macro" | "endmacro" | "endset"));
    !defines && (body.starts_with('-') || body.ends_with('-'))
}

/// Whether a tag says what happens to the blanks before it, or after it.
pub(super) fn is_signed(body: &str, at_end: bool) -> bool {
    if at_end { body.ends_with(['-', '+']) } else { body.starts_with(['-', '+']) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Scope, Syntax, Vocabulary, trace};
    use crate::limit::Limits;
    use std::sync::Arc;

    #[test]
    fn a_line_that_a_tag_shares_with_text_stays_and_one_of_tags_alone_goes() {
        for (template, want) in [
            // Alone: the line goes, with its indentation.
            ("a\n  {% if entity.flag %}\nb\n  {% endif %}\nc\n", "a\nb\nc\n"),
            ("{# a #}{% set x = 1 %}\n{{ x }}\n", "1\n"),
            ("  {% if entity.flag %}{# why #}\nb\n{% endif %}\n", "b\n"),
            // Beside text: nothing goes.
            ("{{ entity.id }}: s{% if entity.flag %} | null{% endif %}\nnext\n", "oi: s | null\nnext\n"),
            ("    {% if entity.flag %}pass{% else %}raise{% endif %}\nnext\n", "    pass\nnext\n"),
            ("x = 1  {# why #}\ny = 2\n", "x = 1  \ny = 2\n"),
            ("{entity.id}{% if not entity.flag %},{% endif %}\r\nnext\r\n", "oi\r\nnext\r\n"),
            ("  {% raw %}<p>{{this}}</p>{% endraw %}\nnext\n", "  <p>{{this}}</p>\nnext\n"),
            ("  {% set x = 1 %}x\n", "  x\n"),
            // A block that begins at the end of a line: the line ends before it.
            ("[{% for f in entity.fields %}\n  {{ f.name }},\n{% endfor %}\n]\n", "[\n  id,\n  total,\n]\n"),
            ("f() { {% if entity.nothing %}\n  x\n{% endif %}\n}\n", "f() { \n}\n"),
            (
                "{% for f in entity.fields %}- {{ f.name }}{% if f.required %}\n  !{% endif %}\n{% endfor %}\n",
                "- id\n  !\n- total\n\n",
            ),
            ("a {% raw %}\n{{x}}\n{% endraw %}\nb\n", "a \n{{x}}\nb\n"),
            // Who says something about the blanks is obeyed.
            ("a {%- if entity.flag %}\nb\n{% endif -%}\n\nc\n", "a\nb\nc\n"),
            ("f:\n{%- for f in entity.fields %}\n  - {{ f.name }}\n{%- endfor %}\n", "f:\n  - id\n  - total\n"),
            ("{% macro m() -%}\n  x\n{%- endmacro %}\n{{ m() }}\n", "x\n"),
            ("a\n{%- set x = 1 %}\nb\n", "a\nb\n"),
            ("{\n  {% for f in entity.fields -%}\n  {{ f.name }};\n  {% endfor -%}\n}\n", "{\n  id;\n  total;\n  }\n"),
            ("a{% if entity.flag -%}\n  b{% endif %}\nc\n", "ab\nc\n"),
            ("{{ entity.id }}{% if entity.flag %},{% endif -%}\nnext\n", "oi,next\n"),
            ("  {%+ if entity.flag +%}\nb\n{% endif %}\n", "  \nb\n"),
        ] {
            assert_eq!(render(template, Syntax::Both), want, "{template}");
        }
    }

    #[test]
    fn a_line_that_ends_before_its_block_is_traced() {
        let (words, none): (_, &[String]) = (Arc::new(Vocabulary::default()), &[]);
        let scope = Arc::new(Scope::bare(Arc::clone(&words), Arc::default()));
        let main = "[{% for x in [1, 2] %}\n  {{ x }},{% if x == 1 %} # one{% endif %}\n{% endfor %}\n]\n";
        let templates = [("main", main, Syntax::Both, none, none)];
        let body = b"[\n  1, # one\n  2,\n]\n";
        let at = |number| {
            let found = trace::line(&templates, "main", (&words, &Limits::default()), &scope, body, number);
            found.map(|(_, at)| main[..at].matches('\n').count() + 1)
        };
        assert_eq!([1, 2, 3, 4].map(at), [Some(1), Some(2), Some(2), Some(4)]);
    }
}
