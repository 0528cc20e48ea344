//! Where a line of a rendered file comes from. Not stored anywhere: a second render with marks says it.
//!
//! A traced template puts a mark before the end of each of its lines. The marks are taken out again; only if what is
//! left is exactly the ordinary body is the answer believed (a filter may have seen the marks).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Scope, Source, Syntax, Unit, Vocabulary, bound_names};
use crate::limit::Limits;

const OPEN: char = '\u{10fff6}';
const CLOSE: char = '\u{10fff7}';

/// The mark for the line that begins at byte `offset` of template `number`.
pub(super) fn mark(number: usize, offset: usize) -> String {
    format!("{OPEN}{number}:{offset}{CLOSE}")
}

/// A template to trace: its name, text, syntax, and its `literal:` and `placeholders:` lists.
pub type Traced<'a> = (&'a str, &'a str, Syntax, &'a [String], &'a [String]);

/// The place that a line of the output comes from: the name of the template and the byte at which its line begins.
pub type Origin<'a> = (&'a str, usize);

/// Where line `line` (from 1) of the template `name` comes from, rendered with `scope`; `body` is the ordinary render.
/// `None` if the line comes from no single line of a template.
#[must_use]
pub fn line<'a>(
    templates: &[Traced<'a>],
    name: &str,
    (words, limits): (&Arc<Vocabulary>, &Limits),
    scope: &Arc<Scope>,
    body: &[u8],
    line: u64,
) -> Option<Origin<'a>> {
    let mut unit = Unit::new(Arc::clone(words), limits);
    let bound = templates.iter().flat_map(|(_, text, ..)| bound_names(text)).collect();
    for (number, (name, text, syntax, literal, placeholders)) in templates.iter().enumerate() {
        let source = Source {
            name,
            text,
            syntax: *syntax,
            literal,
            placeholders,
            is_path: false,
            also_bound: &bound,
            shared: true,
            traced: Some(number),
        };
        // A template with findings is used by other rules only; this one has rendered.
        let _ = unit.add(&source);
    }
    let marked = unit.render_text(name, scope).ok()?;
    let (plain, marks) = take_marks(&marked);
    if plain.as_bytes() != body {
        return None;
    }
    let (number, offset) = *marks.get(&line)?;
    templates.get(number).map(|(name, ..)| (*name, offset))
}

/// The text without marks, and the last mark of every line (from 1).
fn take_marks(marked: &str) -> (String, BTreeMap<u64, (usize, usize)>) {
    let mut plain = String::with_capacity(marked.len());
    let mut marks = BTreeMap::new();
    let mut line = 1;
    let mut rest = marked;
    while let Some(at) = rest.find([OPEN, '\n']) {
        plain.push_str(&rest[..at]);
        if rest[at..].starts_with('\n') {
            plain.push('\n');
            line += 1;
            rest = &rest[at + 1..];
            continue;
        }
        let inner = &rest[at + OPEN.len_utf8()..];
        let Some(end) = inner.find(CLOSE) else { break };
        let place = inner[..end]
            .split_once(':')
            .and_then(|(number, offset)| Some((number.parse().ok()?, offset.parse().ok()?)));
        if let Some(place) = place {
            marks.insert(line, place);
        }
        rest = &inner[end + CLOSE.len_utf8()..];
    }
    plain.push_str(rest);
    (plain, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_traced_through_loops_and_includes() {
        let words = Arc::new(Vocabulary::default());
        let scope = Arc::new(Scope::bare(Arc::clone(&words), Arc::default()));
        let main = "first\n{% for x in [1, 2] %}\n  row {{ x }};\n{% endfor %}\n{% include 'part' %}\nlast\n";
        let part = "one\ntwo {{ 'x' }}\n";
        let none: &[String] = &[];
        let templates = [("main", main, Syntax::Both, none, none), ("part", part, Syntax::Both, none, none)];
        let body = b"first\n  row 1;\n  row 2;\none\ntwo x\nlast\n";
        let at = |number| line(&templates, "main", (&words, &Limits::default()), &scope, body, number);
        assert_eq!(at(1), Some(("main", 0)));
        assert_eq!(at(2), Some(("main", main.find("  row").unwrap())));
        assert_eq!(at(3), at(2));
        assert_eq!(at(4), Some(("part", 0)));
        assert_eq!(at(5), Some(("part", part.find("two").unwrap())));
        assert_eq!(at(6), Some(("main", main.find("last").unwrap())));
        assert_eq!(line(&templates, "main", (&words, &Limits::default()), &scope, b"another body", 1), None);
    }
}
