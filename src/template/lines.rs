//! Tags that share their line with text. A tag that stands alone on its line vanishes with the line, which is what the
//! engine does with every tag (`trim_blocks`, `lstrip_blocks`); but on `name: {{ x }}{% if y %} | null{% endif %}` it would
//! join two lines, and on `    {% if y %}pass{% endif %}` take the indentation. Such a line stays as it is written. So does the
//! other side of a tag with a dash: `routes:`, then `{%- for x in y %}` on a line of its own, and a list below it. Pure.

use std::collections::BTreeSet;

use super::scan::{Piece, Tag, TagKind};
use super::tags;

/// What happens to the blanks around a tag, on a side of which it says nothing itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// Whether those before it stay.
    pub keeps_before: bool,
    /// Whether those after it stay.
    pub keeps_after: bool,
    /// The tag opens a block at the end of a line with text: the line ends before the block, and not once in every turn of a
    /// loop.
    pub break_before: Option<&'static str>,
}

/// What happens around each piece that is a tag, by the index of the piece.
pub(super) fn around(text: &str, pieces: &[Piece]) -> Vec<Around> {
    let mut found = vec![Around::default(); pieces.len()];
    let mut line = Line::default();
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(range) => {
                let mut parts = text[range.clone()].split('\n');
                line.add(depth, parts.next().unwrap_or(""));
                for (number, part) in parts.enumerate() {
                    std::mem::take(&mut line).end(&mut found);
                    if number == 0 {
                        break_before(text, pieces, index, &mut found);
                    }
                    line.add(depth, part);
                }
            }
            Piece::Tag(tag) if tag.kind != TagKind::Variable => {
                let body = &text[tag.body.clone()];
                let before = depth;
                match definition(text, tag) {
                    Some(true) => depth += 1,
                    Some(false) => depth = depth.saturating_sub(1),
                    None => {}
                }
                line.tags.push((index, before, depth));
                // Its author says what goes, and the other side stays as it is. But the dash inside of a definition says
                // nothing about the place where that stands.
                if definition(text, tag).is_none() && (body.starts_with('-') || body.ends_with('-')) {
                    found[index] = Around { keeps_before: true, keeps_after: true, break_before: None };
                }
            }
            Piece::Tag(_) | Piece::Placeholder(_) => drop(line.text.insert(depth)),
        }
    }
    line.end(&mut found);
    found
}

/// A line of the template, newlines within tags aside. What stands in a macro or in a captured text is written elsewhere, so
/// it shares no line with what stands outside.
#[derive(Default)]
struct Line {
    /// The tags, each with the number of definitions around its beginning and around its end.
    tags: Vec<(usize, usize, usize)>,
    /// Within how many definitions there is text.
    text: BTreeSet<usize>,
}

impl Line {
    fn add(&mut self, depth: usize, part: &str) {
        if !part.trim().is_empty() {
            self.text.insert(depth);
        }
    }

    fn end(self, found: &mut [Around]) {
        for (tag, before, after) in self.tags {
            found[tag].keeps_before |= self.text.contains(&before);
            found[tag].keeps_after |= self.text.contains(&after);
        }
    }
}

/// Whether a tag begins (`true`) or ends a text that is written elsewhere.
fn definition(text: &str, tag: &Tag) -> Option<bool> {
    let body = &text[tag.body.clone()];
    match tags::keyword(body).filter(|_| tag.kind == TagKind::Block)? {
        "macro" => Some(true),
        "set" if tags::captures_text(text, &tag.tokens) => Some(true),
        "endmacro" | "endset" => Some(false),
        _ => None,
    }
}

/// Moves the line break at the beginning of the text `index` before the tags that open blocks right before it.
fn break_before(text: &str, pieces: &[Piece], index: usize, found: &mut [Around]) {
    let Some(Piece::Text(range)) = pieces.get(index) else { return };
    let own = &text[range.clone()];
    let own_break = ["\n", "\r\n"].into_iter().find(|one| own.starts_with(one));
    let mut first = None;
    for (at, piece) in pieces.iter().enumerate().take(index).rev() {
        let Piece::Tag(tag) = piece else { break };
        let body = &text[tag.body.clone()];
        let is_opener = matches!(tags::keyword(body), Some("for" | "if" | "with" | "filter" | "block"));
        let is_signed = is_signed(body, false) || is_signed(body, true);
        match tag.kind {
            _ if is_signed || !found[at].keeps_after => break,
            TagKind::Block if is_opener => first = Some(at),
            TagKind::Comment => {}
            TagKind::Block | TagKind::Variable => break,
        }
    }
    if let (Some(first), Some(own_break)) = (first, own_break) {
        found[first].break_before = Some(own_break);
        found[first..index].iter_mut().for_each(|one| one.keeps_after = false);
    }
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
            ("[{% for f in entity.fields %}\r\n{{ f.name }},\r\n{% endfor %}\r\n]\r\n", "[\r\nid,\r\ntotal,\r\n]\r\n"),
            (
                "[{% for f in entity.fields %}{% if f %}\n{{ f.name }},\n{% endif %}{% endfor %}\n]\n",
                "[\nid,\ntotal,\n]\n",
            ),
            ("[{% for f in [] %}{# why #}\n{{ f }}\n{% endfor %}\n]\n", "[\n]\n"),
            ("{% macro m(x) %}<{{ x }}>{% endmacro %}\n{% set g %}hi{% endset %}\n{{ m(1) }} {{ g }}\n", "<1> hi\n"),
            ("{% macro m() %}\n  a\n  b{% endmacro %}\n{{ m() }}\n", "  a\n  b\n"),
            ("  {% set x -%}\n  v\n  {%- endset %}\n{{ x }}\n", "v\n"),
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
