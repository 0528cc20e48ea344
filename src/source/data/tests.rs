use super::*;
use crate::source::Style;

fn read(format: Format, text: &str) -> Result<Tree, Diagnostics> {
    parse(format, FileId(0), text, &Limits::default())
}

/// A tree as JSON text, each scalar as it is typed.
fn shown(tree: &Tree, id: NodeId) -> String {
    match tree.kind(id) {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Float(value) => format!("{value:?}"),
        Kind::Text(text, _) => format!("{text:?}"),
        Kind::List(items) => {
            format!("[{}]", items.iter().map(|&item| shown(tree, item)).collect::<Vec<_>>().join(","))
        }
        Kind::Map(entries) => {
            let entry = |&(key, value): &(NodeId, NodeId)| format!("{}:{}", shown(tree, key), shown(tree, value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
    }
}

fn value(format: Format, text: &str) -> String {
    let tree = read(format, text).unwrap_or_else(|found| panic!("{text:?}: {found:?}"));
    shown(&tree, tree.root())
}

/// The first finding: code, the text that it points at, the message.
fn wrong(format: Format, text: &str) -> (Code, String, String) {
    let found = read(format, text).expect_err(text);
    let first = found.iter().next().unwrap();
    let span = first.span.unwrap();
    (first.code, text[span.start as usize..span.end as usize].to_owned(), first.message.clone())
}

#[test]
fn formats_go_by_the_ending() {
    assert_eq!(Format::of("a/b.YML"), Ok(Format::Yaml));
    assert_eq!(Format::of("x.csv"), Ok(Format::Csv));
    for path in ["json", "a.json/b", "a.xml", ".", "a.json5"] {
        assert!(Format::of(path).is_err(), "{path}");
    }
}

#[test]
fn json_keeps_types_order_and_digits() {
    let text = "\u{feff}{\"b\":[1, -2.50,1e2 ,12345678901234567890],\t\"a\" : {\"\\u00e9\\n\":null,\"\":true},\"\u{1f600}\":\"\\ud83d\\ude00\"}\n";
    let expected = "{\"b\":[1,-2.5,100.0,\"12345678901234567890\"],\"a\":{\"é\\n\":null,\"\":true},\"😀\":\"😀\"}";
    assert_eq!(value(Format::Json, text), expected);
    let tree = read(Format::Json, text).unwrap();
    let list = tree.get(tree.root(), "b").unwrap();
    let spans = tree.list(list).unwrap().iter().map(|&item| tree.span(item));
    let words: Vec<&str> = spans.map(|span| &text[span.start as usize..span.end as usize]).collect();
    assert_eq!(words, ["1", "-2.50", "1e2", "12345678901234567890"]);
    let span = tree.span(list);
    assert_eq!(&text[span.start as usize..span.end as usize], "[1, -2.50,1e2 ,12345678901234567890]");
    for text in ["0", "\"\\\"\"", "[]", "{}", "[[],{}]", " null "] {
        assert_eq!(value(Format::Json, text).replace("\\\"", "\""), text.trim().replace("\\\"", "\""));
    }
}

#[test]
fn broken_json_is_an_error_at_its_place() {
    for (text, at, said) in [
        ("", "", "EOF"),
        ("{\"a\": 1,}", "}", "trailing comma"),
        ("{\"a\": 1\n \"b\": 2}", "\"", "expected `,` or `}`"),
        ("[1, ]", "]", "trailing comma"),
        ("{a: 1}", "a", "key must be a string"),
        ("[1] // x", "/", "trailing characters"),
        ("[1, 'x']", "'", "expected value"),
        ("[\"a\nb\"]", "", "control character"),
        ("[1 2]", "2", "expected `,` or `]`"),
        ("[\"\\ud83d\"]", "\"\\ud83d\"", "half a character"),
        ("[1e999]", "1e999", "not a number"),
        ("[01]", "1", "invalid number"),
    ] {
        let (code, shown, message) = wrong(Format::Json, text);
        assert_eq!((code, shown.as_str()), (Code::SourceSyntax, at), "{text}: {message}");
        assert!(message.contains(said), "{text}: {message}");
    }
    let found = wrong(Format::Json, "{\"a\":1, \"b\":{\"x\":1,\"x\":2,\"x\":3}}");
    assert_eq!(found, (Code::DuplicateKey, "\"x\"".to_owned(), "the key `x` is here twice".to_owned()));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(wrong(Format::Json, &deep).0, Code::BadSource);
}

#[test]
fn toml_keeps_order_and_writes_dates_as_text() {
    let text =
        "z = 1\nd = 2026-11-21T08:00:00Z\nf = 1.5\nh = 0xff\nn = 1_000\n[b.c]\nx = 'y'\n[[list]]\na = []\n[[list]]\n";
    let expected = "{\"z\":1,\"d\":\"2026-11-21T08:00:00Z\",\"f\":1.5,\"h\":255,\"n\":1000,\"b\":{\"c\":{\"x\":\"y\"}},\
                    \"list\":[{\"a\":[]},{}]}";
    assert_eq!(value(Format::Toml, text), expected);
    assert_eq!(value(Format::Toml, ""), "{}");
    for (text, at) in [
        ("a = 1\na = 2\n", "a"),
        ("a = hello\n", "hello"),
        ("x = inf\n", "inf"),
        ("a = 9223372036854775808", "9223372036854775808"),
    ] {
        let (code, shown, message) = wrong(Format::Toml, text);
        assert_eq!((code, shown.as_str()), (Code::SourceSyntax, at), "{text}: {message}");
    }
    let deep = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(wrong(Format::Toml, &deep).0, Code::SourceSyntax);
}

#[test]
fn csv_rows_are_mappings_of_texts() {
    let text = "name,mode,note\r\na,0644,\r\n\r\n\"b,\"\"c\"\"\",1,\"two\nlines\"";
    let expected = "[{\"name\":\"a\",\"mode\":\"0644\",\"note\":\"\"},\
                    {\"name\":\"b,\\\"c\\\"\",\"mode\":\"1\",\"note\":\"two\\nlines\"}]";
    assert_eq!(value(Format::Csv, text), expected);
    let tree = read(Format::Csv, text).unwrap();
    let row = tree.list(tree.root()).unwrap()[1];
    let spans = tree.map(row).unwrap().iter().map(|&(_, value)| tree.span(value));
    let words: Vec<&str> = spans.map(|span| &text[span.start as usize..span.end as usize]).collect();
    assert_eq!(words, ["\"b,\"\"c\"\"\"", "1", "\"two\nlines\""]);
    assert!(matches!(tree.kind(tree.map(row).unwrap()[0].1), Kind::Text(_, Style::Double)));
    assert_eq!(value(Format::Csv, "a,b\n"), "[]");
    assert_eq!(value(Format::Csv, "a\nx\n\n"), "[{\"a\":\"x\"}]");
    let long = "x".repeat(20_000);
    assert_eq!(value(Format::Csv, &format!("a,b\n{long},y")), format!("[{{\"a\":\"{long}\",\"b\":\"y\"}}]"));
}

#[test]
fn broken_csv_is_an_error_at_its_line() {
    for (text, code, at, said) in [
        ("", Code::SourceSyntax, "", "empty"),
        ("\n\n", Code::SourceSyntax, "", "empty"),
        ("a,b\n1,2,3\n", Code::SourceSyntax, "1,2,3", "3 fields, but the header names 2"),
        ("a,b\n1\n", Code::SourceSyntax, "1", "1 field,"),
        ("a,,b\n", Code::SourceSyntax, ",", "no name"),
        ("a,b,a\n1,2,3\n", Code::DuplicateKey, "a", "the column `a`"),
        ("a;b\n1;2\n", Code::SourceSyntax, "a;b", "not by commas"),
        ("a,b\n\"1,2\n3,4\n", Code::SourceSyntax, "\"", "never closed"),
        ("a,b\n\"1\"x,2\n", Code::SourceSyntax, "x", "follows the closing quote"),
    ] {
        let (found, shown, message) = wrong(Format::Csv, text);
        assert_eq!((found, shown.as_str()), (code, at), "{text}: {message}");
        assert!(message.contains(said), "{text}: {message}");
    }
}

#[test]
fn limits_hold_for_every_format() {
    let mut limits = Limits::default();
    limits.set(Limit::YamlNodes, 6).unwrap();
    limits.set(Limit::YamlDepth, 2).unwrap();
    let found =
        |format, text| parse(format, FileId(0), text, &limits).err().map(|found| found.iter().next().unwrap().code);
    assert_eq!(found(Format::Json, "[1,2,3,4,5]"), None);
    assert_eq!(found(Format::Json, "[1,2,3,4,5,6]"), Some(Code::BadSource));
    assert_eq!(found(Format::Json, "[[[]]]"), Some(Code::BadSource));
    assert_eq!(found(Format::Toml, "a = [1, 2, 3, 4, 5]"), Some(Code::BadSource));
    assert_eq!(found(Format::Toml, "a = [[1]]"), Some(Code::BadSource));
    assert_eq!(found(Format::Csv, "a,b\n1,2\n3,4\n"), Some(Code::BadSource));
}

/// Texts that were made from values, and what comes back.
#[path = "round_trips.rs"]
mod round_trips;

mod hostile {
    use proptest::prelude::*;

    use super::*;

    fn json_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_what_the_library_reads(value in json_value(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let tree = read(Format::Json, &text).unwrap();
            prop_assert_eq!(yaml::to_json(&tree, tree.root()), value);
        }

        #[test]
        fn nothing_panics(text in "[\\[\\]{}\",:\\\\a1=.\n\r #'\u{feff}\u{e9}-]{0,40}") {
            for format in [Format::Yaml, Format::Json, Format::Toml, Format::Csv] {
                let _ = read(format, &text);
            }
        }
    }
}
