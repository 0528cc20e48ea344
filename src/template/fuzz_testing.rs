//! What must hold for the scanner, whatever the text: for the fuzz targets and the tests. No part of the product.

use minijinja::Value;

use super::scan::{Piece, Rules, scan};
use super::vocabulary::{Change, Origin, Vocabulary, Word};

/// Every way to read a text: (placeholders, Jinja tags, only what looks like a tag, brackets).
const WAYS: [(bool, bool, bool, bool); 6] = [
    (true, false, false, false),
    (true, true, false, false),
    (true, true, true, false),
    (false, true, false, false),
    (false, true, true, false),
    (false, true, false, true),
];

/// The pieces cover the text exactly and in order, but for the backslash of `{\name}`, and every place of the answer lies
/// in the text, between characters.
pub fn scan_all(text: &str) {
    let words = words();
    for (placeholders, jinja, careful, brackets) in WAYS {
        let rules = Rules { placeholders: placeholders.then_some(&words), jinja, careful, brackets };
        one_scan(text, rules);
    }
}

/// A small vocabulary.
fn words() -> Vocabulary {
    let mut words = Vocabulary::default();
    for (index, name) in ["entity", "kind", "å"].into_iter().enumerate() {
        words.add(name, Word::Value(Origin::Loop(index), Change::None));
    }
    words.add("item", Word::Value(Origin::Fixed(Value::from("x")), Change::Lower));
    words.add_forms("entity", &Origin::Loop(0));
    words.add("data", Word::Dotted);
    words.add("row", Word::Bound);
    words.add_field("name");
    words.add_known("mega_file");
    words
}

fn one_scan(text: &str, rules: Rules<'_>) {
    let read = scan(text, rules);
    let mut at = 0;
    for piece in &read.pieces {
        let range = match piece {
            Piece::Text(range) => range.clone(),
            Piece::Placeholder(placeholder) => {
                let (outer, inner) = (&placeholder.range, &placeholder.root);
                assert!(text[outer.clone()].starts_with('{') && text[outer.clone()].ends_with('}'), "{outer:?}");
                assert!(outer.start < inner.start && inner.end <= placeholder.path.start, "{placeholder:?}");
                assert!(placeholder.path.end < outer.end, "{placeholder:?}");
                assert!(placeholder.filters.iter().all(|(name, _)| text.get(name.clone()).is_some()));
                outer.clone()
            }
            Piece::Tag(tag) => {
                assert!(tag.range.start <= tag.body.start && tag.body.end <= tag.range.end, "{tag:?}");
                assert!(text.get(tag.body.clone()).is_some(), "{tag:?} between characters");
                tag.range.clone()
            }
        };
        assert!(range.start < range.end && range.end <= text.len(), "{piece:?} of {} bytes", text.len());
        assert!(text.get(range.clone()).is_some(), "{piece:?} between characters");
        if range.start != at {
            assert_eq!((range.start, &text[at..range.start]), (at + 1, "\\"), "only the mark of an escape is left out");
        }
        at = range.end;
    }
    assert_eq!(at, text.len(), "the pieces end where the text ends");
    let unknown = read.unknown.iter().flat_map(|unknown| [&unknown.range, &unknown.root]);
    let others = read.bad.iter().map(|bad| &bad.range).chain(&read.passed).chain(&read.statements).chain(&read.kept);
    for range in unknown.chain(others) {
        assert!(text.get(range.clone()).is_some(), "{range:?} of {} bytes", text.len());
    }
    // Neither may fail on any text.
    let (_, _) = (read.bound(text), read.roots(text));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_opens_tags_and_never_closes_them_is_given_up() {
        for text in ["{% if x", "${{", "{{{%", "{{ entity", "{# ", "{{ '", "{% for {{", "{% raw %}{% endraw"] {
            let text = text.repeat(60_000 / text.len());
            scan_all(&text);
            // An end that nothing reaches.
            scan_all(&format!("{text}'\"(%}}"));
        }
        let text = "{{ entity(".repeat(20_000) + "}}";
        let rules = Rules { placeholders: None, jinja: true, careful: false, brackets: false };
        assert_eq!(scan(&text, rules).pieces.len(), 1, "the first one takes all");
        let bad = scan(&"{{ ( }} ".repeat(10_000), rules).bad;
        assert!(bad.last().is_some_and(|bad| bad.message.contains("too many tags")), "{bad:?}");
    }

    proptest! {
        #[test]
        fn pieces_cover_any_text(
            text in "(?s).{0,60}",
            words in proptest::collection::vec(
                prop::sample::select(vec![
                    "{{", "}}", "{%", "%}", "{#", "#}", "[[", "]]", "[%", "[#", "#]", "{", "}", "{entity}", "{entity.", "|upper",
                    "{\\entity}", "${", "#{", "for row in data", "raw", "endraw", "set row = 1", " ", "\n", "'", "\"", "å", "{data.x}",
                    "{loop.index}", "-", "default:'x'", "(", ")",
                ]),
                0..24,
            ),
        ) {
            scan_all(&text);
            scan_all(&words.concat());
        }
    }
}
