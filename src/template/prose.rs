//! Filters for running text and addresses: shorten, wrap, count, encode. They do what Jinja does, within a budget.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::budget::Budget;
use super::filters::{paid, text_of};

/// What taking a text apart costs for each byte.
const APART: u64 = 64;

/// Adds all of them to `env`.
pub(super) fn register(env: &mut Environment<'_>, budget: &Budget) {
    type Prose = fn(&Budget, &Value, &[Value], &Kwargs) -> Result<String, Error>;
    let all: [(&str, Prose); 5] = [
        ("truncate", truncate),
        ("wordwrap", wordwrap),
        ("urlencode", urlencode),
        ("slugify", slugify),
        ("slug", slugify),
    ];
    for (name, filter) in all {
        let own = budget.clone();
        env.add_filter(name, move |state: &mut State<'_, '_>, value: Value, args: Rest<Value>, kwargs: Kwargs| {
            own.read(state, &value, APART)?;
            let made = filter(&own, &value, &args, &kwargs)?;
            kwargs.assert_all_used()?;
            paid(&own, state, made)
        });
    }
    let own = budget.clone();
    env.add_filter("wordcount", move |state: &mut State<'_, '_>, value: Value| {
        own.read(state, &value, 1)?;
        text_of(&value).map(|text| words(&text))
    });
}

/// The argument at a position or of a name; of both the name wins. `None` if it is not given.
fn argument(args: &[Value], index: usize, kwargs: &Kwargs, name: &str) -> Result<Option<Value>, Error> {
    let named = kwargs.get::<Option<Value>>(name)?;
    Ok(named.or_else(|| args.get(index).cloned()))
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// `truncate(length=255, killwords=false, end='...', leeway=5)`: cut at a blank; a text that is over by no more than the
/// leeway stays whole.
fn truncate(_: &Budget, value: &Value, args: &[Value], kwargs: &Kwargs) -> Result<String, Error> {
    let length = argument(args, 0, kwargs, "length")?.map_or(Ok(255), usize::try_from)?;
    let cuts_words = argument(args, 1, kwargs, "killwords")?.map_or(Ok(false), bool::try_from)?;
    let end = argument(args, 2, kwargs, "end")?.map_or_else(|| Ok("...".to_owned()), |value| text_of(&value))?;
    let leeway = argument(args, 3, kwargs, "leeway")?.map_or(Ok(5), usize::try_from)?;
    let text = text_of(value)?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        return Err(wrong(format!("truncate to {length} leaves no room for the end `{end}`")));
    };
    let head: String = text.chars().take(kept).collect();
    let head = if cuts_words { &head } else { head.rsplit_once(' ').map_or(head.as_str(), |(whole, _)| whole) };
    Ok(format!("{head}{end}"))
}

/// `wordwrap(width=79, break_long_words=true, wrapstring='\n', break_on_hyphens=true)`: each line of the text by itself.
fn wordwrap(budget: &Budget, value: &Value, args: &[Value], kwargs: &Kwargs) -> Result<String, Error> {
    let width = argument(args, 0, kwargs, "width")?.map_or(Ok(79), usize::try_from)?;
    let breaks_words = argument(args, 1, kwargs, "break_long_words")?.map_or(Ok(true), bool::try_from)?;
    let between =
        argument(args, 2, kwargs, "wrapstring")?.map_or_else(|| Ok("\n".to_owned()), |value| text_of(&value))?;
    let at_hyphens = argument(args, 3, kwargs, "break_on_hyphens")?.map_or(Ok(true), bool::try_from)?;
    if width == 0 {
        return Err(wrong("wordwrap needs a width of 1 or more".to_owned()));
    }
    let text = text_of(value)?;
    budget.items(text.len() / width)?;
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push_str(&between);
        }
        for (number, piece) in wrapped(line, width, breaks_words, at_hyphens).iter().enumerate() {
            if number > 0 {
                out.push_str(&between);
            }
            out.push_str(piece);
            budget.bytes(out.len())?;
        }
    }
    Ok(out)
}

/// The lines of a line. Blanks at a break go; those at the beginning stay.
fn wrapped(line: &str, width: usize, breaks_words: bool, at_hyphens: bool) -> Vec<String> {
    let is_blank = |chunk: &str| chunk.trim().is_empty();
    let (mut lines, mut current, mut filled) = (Vec::new(), String::new(), 0);
    let end_line = |lines: &mut Vec<String>, current: &mut String| {
        let line = std::mem::take(current);
        if !is_blank(&line) {
            lines.push(line.trim_end().to_owned());
        }
    };
    for chunk in chunks(line, at_hyphens) {
        let (mut rest, mut size) = (chunk, chunk.chars().count());
        loop {
            if filled + size <= width {
                if !(is_blank(rest) && filled == 0 && !lines.is_empty()) {
                    current.push_str(rest);
                    filled += size;
                }
                break;
            }
            if is_blank(rest) {
                // The break takes its place.
                end_line(&mut lines, &mut current);
                filled = 0;
                break;
            }
            if size > width && breaks_words {
                let at = rest.char_indices().nth(width - filled).map_or(rest.len(), |(at, _)| at);
                // Rather after a hyphen than in the middle of what follows it.
                let hyphen =
                    rest[..at].rfind('-').filter(|&hyphen| at_hyphens && !rest[..hyphen].trim_matches('-').is_empty());
                let at = hyphen.map_or(at, |hyphen| hyphen + 1);
                let (head, tail) = rest.split_at(at);
                current.push_str(head);
                size = size.saturating_sub(head.chars().count());
                rest = tail;
            } else if filled == 0 {
                current.push_str(rest);
                filled = size;
                break;
            }
            end_line(&mut lines, &mut current);
            filled = 0;
        }
    }
    end_line(&mut lines, &mut current);
    lines
}

/// Runs of blanks and words; a word may end after a hyphen between two letters.
fn chunks(line: &str, at_hyphens: bool) -> Vec<&str> {
    let mut chunks = Vec::new();
    let (mut start, mut last, mut before_last) = (0, None::<char>, None::<char>);
    for (at, c) in line.char_indices() {
        let after_hyphen =
            at_hyphens && last == Some('-') && c.is_alphabetic() && before_last.is_some_and(char::is_alphabetic);
        let is_edge = last.is_some_and(|last| last.is_whitespace() != c.is_whitespace());
        if is_edge || after_hyphen {
            chunks.push(&line[start..at]);
            start = at;
        }
        (before_last, last) = (last, Some(c));
    }
    chunks.push(&line[start..]);
    chunks
}

/// Runs of letters, digits and `_`.
fn words(text: &str) -> usize {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count()
}

/// A text with `/` left as it is; a mapping, or a list of pairs, as the query of an address.
fn urlencode(budget: &Budget, value: &Value, _: &[Value], _: &Kwargs) -> Result<String, Error> {
    let pairs: Vec<(Value, Value)> = match value.kind() {
        ValueKind::Map => {
            value.try_iter()?.map(|key| value.get_item(&key).map(|item| (key, item))).collect::<Result<_, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|pair| pair_of(&pair)).collect::<Result<_, _>>()?
        }
        _ => {
            let mut out = String::new();
            encode(budget, &text_of(value)?, Some('/'), &mut out)?;
            return Ok(out);
        }
    };
    let mut out = String::new();
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(budget, &text_of(&key)?, None, &mut out)?;
        out.push('=');
        encode(budget, &text_of(&value)?, None, &mut out)?;
    }
    Ok(out)
}

fn pair_of(pair: &Value) -> Result<(Value, Value), Error> {
    if matches!(pair.kind(), ValueKind::Seq) && pair.len() == Some(2) {
        return Ok((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?));
    }
    Err(wrong("urlencode takes a text, a mapping or a list of pairs".to_owned()))
}

/// Percent encoding; with `kept` for a path, without it for a query, where a blank is `+`.
fn encode(budget: &Budget, text: &str, kept: Option<char>, out: &mut String) -> Result<(), Error> {
    budget.bytes(text.len().saturating_mul(3).saturating_add(out.len()))?;
    for byte in text.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '~') || Some(c) == kept => out.push(c),
            ' ' if kept.is_none() => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(())
}

/// `slugify(separator='-')`: letters and digits in lower case without accents, all else one separator.
fn slugify(budget: &Budget, value: &Value, args: &[Value], kwargs: &Kwargs) -> Result<String, Error> {
    let separator =
        argument(args, 0, kwargs, "separator")?.map_or_else(|| Ok("-".to_owned()), |value| text_of(&value))?;
    let bare: String = text_of(value)?.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let lower: String = bare.to_lowercase().nfc().collect();
    let mut out = String::new();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push_str(&separator);
        }
        out.push_str(word);
        budget.bytes(out.len())?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(expression: &str) -> Result<String, String> {
        let mut env = Environment::new();
        super::super::filters::register(&mut env, &Budget::new(&crate::limit::Limits::default()));
        let value = env.compile_expression(expression).and_then(|expression| expression.eval(()));
        value.map(|value| value.to_string()).map_err(|error| error.to_string())
    }

    fn check(expression: &str, expected: &str) {
        assert_eq!(eval(expression).as_deref(), Ok(expected), "{expression}");
    }

    #[test]
    fn a_text_is_cut_as_jinja_cuts_it() {
        check("'foo bar baz qux'|truncate(9)", "foo...");
        check("'foo bar baz qux'|truncate(9, true)", "foo ba...");
        check("'foo bar baz qux'|truncate(11)", "foo bar baz qux");
        check("'foo bar baz qux'|truncate(11, false, '...', 0)", "foo bar...");
        check("'åäö åäö åäö'|truncate(length=5, end='…', leeway=0)", "åäö…");
        assert!(eval("'a longer text'|truncate(2)").unwrap_err().contains("no room"));
        assert!(eval("'x'|truncate(2, size=1)").is_err());
    }

    #[test]
    fn lines_are_wrapped_as_jinja_wraps_them() {
        check("'one two three four'|wordwrap(9)", "one two\nthree\nfour");
        check("'  in  by two'|wordwrap(6)", "  in\nby two");
        check("'         in'|wordwrap(3)", "in");
        check("'a\\n\\nb c'|wordwrap(1)", "a\n\nb\nc");
        check("'abcdefgh ij'|wordwrap(3)", "abc\ndef\ngh\nij");
        check("'abcdefgh ij'|wordwrap(3, break_long_words=false)", "abcdefgh\nij");
        check("'well-known 1-2'|wordwrap(6)", "well-\nknown\n1-2");
        check("'well-known'|wordwrap(7, false, break_on_hyphens=false)", "well-known");
        check("'one two'|wordwrap(3, wrapstring=' /\\n')", "one /\ntwo");
        check("''|wordwrap(3)", "");
        assert!(eval("'x'|wordwrap(0)").unwrap_err().contains("width"));
        assert!(eval("('x ' * 5000)|wordwrap(1, wrapstring='y' * 100000)").unwrap_err().contains("would make"));
    }

    #[test]
    fn words_are_counted() {
        check("'one, two-three don\\'t _x'|wordcount", "6");
        check("''|wordcount", "0");
    }

    #[test]
    fn addresses_are_encoded() {
        check("'a b/ö?'|urlencode", "a%20b/%C3%B6%3F");
        check("{'q': 'a b/c', 'n': 1}|urlencode", "q=a+b%2Fc&n=1");
        check("[['q', true]]|urlencode", "q=true");
        assert!(eval("['q']|urlencode").unwrap_err().contains("pairs"));
    }

    #[test]
    fn a_slug_is_fit_for_an_address() {
        check("'Crème Brûlée, 2nd (test)!'|slugify", "creme-brulee-2nd-test");
        check("'Über uns'|slugify('_')", "uber_uns");
        check("'日本 語'|slugify", "日本-語");
        check("'--'|slug", "");
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_longer_than_the_width(text in "[ab \\-é\t]{0,40}", width in 1..9_usize) {
            for line in wrapped(&text, width, true, true) {
                proptest::prop_assert!(line.chars().count() <= width, "{line:?}");
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(bare(&wrapped(&text, width, true, true).concat()), bare(&text));
        }
    }
}
