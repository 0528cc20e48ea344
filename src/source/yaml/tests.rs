//! One `check` per kind of fact: what a document is, where it stands, what is said about it.

use super::*;
use crate::source::tree::{Kind, NodeId};
use crate::span::SourceFile;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn tree(text: &str) -> Tree {
    parse(FileId(0), text, &Limits::default()).unwrap_or_else(|found| panic!("{text:?}: {found:#?}"))
}

fn findings(text: &str) -> Vec<Diagnostic> {
    let Err(found) = parse(FileId(0), text, &Limits::default()) else { panic!("{text:?} was taken") };
    assert!(found.has_errors());
    found.into_iter().collect()
}

fn at(tree: &Tree, path: &str) -> NodeId {
    path.split('/').filter(|part| !part.is_empty()).fold(tree.root(), |node, part| match tree.kind(node) {
        Kind::List(items) => items[part.parse::<usize>().unwrap()],
        _ => tree.get(node, part).unwrap_or_else(|| panic!("no {part}")),
    })
}

fn written<'t>(tree: &Tree, text: &'t str, path: &str) -> &'t str {
    let span = tree.span(at(tree, path));
    &text[span.start as usize..span.end as usize]
}

#[test]
fn spans_cover_what_is_written() {
    #[rustfmt::skip]
    let cases = [
        ("a: b c # d\n", "a", "b c"),
        ("a: 'b''c'\n", "a", "'b''c'"),
        ("å: \"ü\\n\"\n", "å", "\"ü\\n\""),
        ("\u{feff}a: b\n", "a", "b"),
        ("a: |\n  x\n\n  y \n\nb: 1\n", "a", "|\n  x\n\n  y \n"),
        ("a: |\r\n  x\r\nb: 1\r\n", "a", "|\r\n  x\r\n"),
        ("\"a|\": >- # | c\n\n  x\n\n\nb: 1\n", "a|", ">- # | c\n\n  x"),
        ("a: |+\n  x\n\nb: 1\n", "a", "|+\n  x\n\n"),
        ("a: &b| |\n  | x |\n", "a", "|\n  | x |\n"),
        ("a:\n  - |\n    x\n  - 2\n", "a/0", "|\n    x\n"),
        ("a: |\nb: 1\n", "a", "|"),
        ("a: |2\n   x", "a", "|2\n   x"),
        ("a:\n- b\n- c: d\n\n# e\nf: 1\n", "a", "- b\n- c: d"),
        ("a:\n  b: {c: [1, 2]}\n  d: e\n", "a", "b: {c: [1, 2]}\n  d: e"),
        ("a: {b: 1 }\n", "a", "{b: 1 }"),
        ("a: \"b\n  c\"\n", "a", "\"b\n  c\""),
        ("a: &x [1]\nb: *x\n", "b", "[1]"),
    ];
    for (text, path, expected) in cases {
        assert_eq!(written(&tree(text), text, path), expected, "{text:?}");
    }
}

#[test]
fn keys_are_text_and_values_are_typed() {
    let text = "1: 0644\ntrue: True\nnull: ~\n~: 1.5\n&k 7: yes\nlast: *k\n";
    let parsed = tree(text);
    let json = r#"{"1":"0644","true":true,"null":null,"~":1.5,"7":"yes","last":7}"#;
    assert_eq!(to_json(&parsed, parsed.root()).to_string(), json);
    assert_eq!(to_json(&tree(""), NodeId(0)), serde_json::Value::Null);
    let block = |text: &str| tree(text).text(at(&tree(text), "a")).map(str::to_owned);
    assert_eq!(block("a: |\n  x").as_deref(), Some("x"), "no newline that was not there");
    assert_eq!(block("a: |\n  x\n").as_deref(), Some("x\n"));
    assert_eq!(block("a: |\r\n  x\r\n  y\r\n").as_deref(), Some("x\ny\n"));
}

#[test]
fn findings_name_place_and_mend() {
    #[rustfmt::skip]
    let cases = [
        ("a: 1\npath: {entity}/x.ts\n", 2, 15, "MX103", "quote the path: \"{entity}/x.ts\""),
        ("- controller: {@api}/x.ts\n", 1, 16, "MX103", "quote the path: \"{@api}/x.ts\""),
        ("p: [id]/page.tsx # c\n", 1, 8, "MX103", "quote the path: \"[id]/page.tsx\""),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "MX103", "blanks"),
        ("a:\n\tb: 1\n", 2, 1, "MX103", "blanks"),
        ("a: 1\nb: with: colon\n", 2, 8, "MX103", "quote the value: \"with: colon\""),
        ("a: @api/x\n", 1, 4, "MX103", "quote the value: \"@api/x\""),
        ("- `x`\n", 1, 3, "MX103", "write quotes: \"x\""),
        ("a: %x\n", 1, 4, "MX103", "quote the value"),
        ("a: 1\nkey:value\nb: 1\n", 2, 1, "MX103", "blank after `key:`"),
        ("key:value\nb: 1\n", 2, 2, "MX103", "blank after `key:`"),
        ("a:\n  template: |\n  import x\n", 3, 3, "MX103", "`template` deeper than its key"),
        ("template: |\n  x\ny\n", 3, 1, "MX103", "`template` deeper than its key"),
        ("```yaml\na: 1\n```\n", 1, 1, "MX103", "Markdown"),
        ("a: 1\n```\n", 2, 1, "MX103", "Markdown"),
        ("a: 'don't'\n", 1, 9, "MX103", "''"),
        ("a: \"ok\\n C:\\dir\"\n", 1, 12, "MX103", "backslash"),
        ("a: [1, 2\nb: 3\n", 1, 4, "MX103", "write `]` before line 2"),
        ("a: 1\n b: 2\n", 2, 3, "MX103", "indent"),
        ("a: x\u{0}\n", 1, 5, "MX103", "remove"),
        ("a: x\u{7f}\n", 1, 5, "MX103", "quote"),
        ("a: *.ts\n", 1, 4, "MX103", "quotes: \"*.ts\""),
        ("x: &other 1\na: *othr\n", 2, 4, "MX103", "did you mean `*other`"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "MX104", "remove one"),
        ("a: 1\n---\nb: 1\n", 2, 1, "MX105", "one document"),
        ("%YAML 1.2\n---\na: 1\n", 1, 1, "MX105", "remove the line"),
        ("a: !!str 1\n", 1, 4, "MX105", "quotes"),
        ("a: !x!y 1\n", 1, 4, "MX105", "remove the tag"),
        ("- !t {a: 1}\n", 1, 3, "MX105", "remove the tag"),
        ("<<: {a: 1}\n", 1, 1, "MX105", "write the keys"),
        ("? [a]\n: b\n", 1, 3, "MX105", "key"),
        ("t: {{ name }}\n", 1, 5, "MX105", "quote the value: \"{{ name }}\""),
        (": a\n", 1, 1, "MX105", "name"),
        ("\"\": a\n", 1, 1, "MX105", "name"),
        ("a: &x b\n*x : c\n", 2, 1, "MX105", "write the key"),
        ("a: &x [*x]\n", 1, 8, "MX105", "cannot hold itself"),
        ("a: -.inf\n", 1, 4, "MX105", "\"-.inf\""),
    ];
    for (text, line, column, code, help) in cases {
        let found = &findings(text)[0];
        let place = SourceFile::new("a", text).position(found.span.unwrap().start);
        assert_eq!((found.code.id(), place.line, place.column), (code, line, column), "{text:?}: {found:#?}");
        assert!(found.help.as_deref().unwrap_or("").contains(help), "{text:?}: {found:#?}");
        if let Some(fix) = &found.fix {
            let mut mended = text.to_owned();
            mended.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
            let again = parse(FileId(0), &mended, &Limits::default()).err();
            assert!(
                again.is_none_or(
                    |again| again.iter().all(|other| other.message != found.message) || mended.contains("```")
                ),
                "{text:?} was mended to {mended:?}"
            );
        }
    }
}

#[test]
fn all_problems_of_one_text_are_said() {
    let text = "a: !t 1\nb: {x: 1, x: 2}\na: .nan\n<<: 1\nc: @\n";
    let codes: Vec<_> = findings(text).iter().map(|found| found.code.id()).collect();
    assert_eq!(codes, ["MX105", "MX104", "MX105", "MX105", "MX103"], "the repeated `a` is not complete");
    let found = findings("a: 1\na: 2\na: 3\n");
    assert_eq!(found.len(), 2);
    for finding in found {
        assert_eq!(finding.related[0].span.unwrap().start, 0);
        assert_eq!(finding.related[0].message, "first here");
    }
    let many = "a: 1\n".repeat(5000);
    assert!(findings(&many).len() < 110);
}

fn anchors(levels: usize, first: &str) -> String {
    let mut text = format!("- &a0 {first}\n");
    for level in 1..=levels {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.extend(["- &a", &level.to_string(), " [", &items, "]\n"]);
    }
    text
}

#[test]
fn hostile_texts_end_soon_with_a_limit() {
    let big = format!("- &a {}\n{}", "x".repeat(50_000), "- *a\n".repeat(20_000));
    let list = format!("- &a [{}]\n{}", "x, ".repeat(16_000), "- *a\n".repeat(20_000));
    let chain: String = (1..5000).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
    let cases = [
        ("yaml_depth", "[".repeat(100_000)),
        ("yaml_depth", "- ".repeat(20_000)),
        ("yaml_depth", "{a: ".repeat(50_000)),
        ("yaml_depth", format!("- &a0 1\n{chain}")),
        ("alias_nodes", anchors(10, "x")),
        ("alias_bytes", anchors(6, &"x".repeat(1000))),
        ("alias_bytes", big),
        ("alias_nodes", list),
    ];
    for (limit, text) in cases {
        let start = Instant::now();
        let found = findings(&text);
        assert!(start.elapsed() < Duration::from_secs(1), "{limit}: {:?}", start.elapsed());
        assert_eq!(found[0].code, Code::YamlLimit, "{limit}");
        assert!(found[0].message.contains(limit), "{limit}: {}", found[0].message);
    }
    for (limit, value) in [(Limit::InputBytes, 5), (Limit::YamlNodes, 2)] {
        let mut limits = Limits::default();
        limits.set(limit, value).unwrap();
        let found = parse(FileId(0), "[a, b]\n", &limits).unwrap_err();
        assert_eq!(found.iter().next().unwrap().code, Code::YamlLimit);
    }
}

#[test]
fn ordinary_documents_mean_what_another_parser_says() {
    let texts = [
        "a: 1\nb: [x, 'y', \"z\\t\", 1.5, -3, null, true]\nc: {d: e}\n",
        "list:\n- a\n-\n  b: c\n  d:\n    - e\n- - f\n",
        "t: |\n  one\n    two\n\n  three\nf: >\n  a\n  b\n\n  c\n    d\n  e\nk: |+\n  x\n\ns: >-\n  y\n",
        "plain: a b\n  c\n\n  d\nquoted: \"a\n  b\\\n  c\"\nurl: http://x.y/z#a\n",
        "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n",
    ];
    for text in texts {
        let parsed = tree(text);
        let expected: serde_json::Value = serde_yaml::from_str(text).unwrap();
        assert_eq!(to_json(&parsed, parsed.root()), expected, "{text}");
    }
}

/// Every character of the value of `v` is found where it is written; `exact` asks for it even at folds.
fn check_locate(text: &str, value: &str, exact: bool) {
    let parsed = tree(text);
    let node = at(&parsed, "v");
    assert_eq!(parsed.text(node), Some(value), "{text:?}");
    let whole = parsed.span(node);
    for (offset, character) in value.char_indices() {
        let span = locate(&parsed, text, node, offset);
        assert!(whole.start <= span.start && span.end <= whole.end, "{text:?} {offset}: {span:?} in {whole:?}");
        let found = &text[span.start as usize..span.end as usize];
        let stands = match character {
            '\n' => matches!(found, "\n" | "\r\n" | "\\n"),
            ' ' if !exact => matches!(found, " " | "\n" | "\r\n" | "\\ "),
            _ => found == character.to_string() || found.starts_with('\\') || (character == '\'' && found == "''"),
        };
        assert!(stands, "{text:?} {offset} {character:?}: {found:?}");
    }
    let end = locate(&parsed, text, node, value.len());
    assert!(end.start == end.end && end.end <= whole.end);
    let range = locate_range(&parsed, text, node, 0..value.len());
    assert!(whole.start <= range.start && range.end <= whole.end);
}

#[test]
fn a_long_run_of_blanks_is_passed_once() {
    let text = format!("v: \"a{}b\"\n", " ".repeat(300_000));
    let parsed = tree(&text);
    let start = Instant::now();
    assert_eq!(locate(&parsed, &text, at(&parsed, "v"), 300_001).start, 300_005, "`b`");
    assert_eq!(locate(&parsed, &text, at(&parsed, "v"), 7).start, 11);
    assert!(start.elapsed().as_secs() < 5, "not once for every blank");
}

#[test]
fn locate_finds_escapes_and_folds() {
    #[rustfmt::skip]
    let cases = [
        ("v: \"a\\x41\\u00e9\\U0001F600b\\n\\\"\"\n", "aAé😀b\n\""),
        ("v: \"\\uD83D\\uDE00 x\\_\\L\"\n", "😀 x\u{a0}\u{2028}"),
        ("v: \"a\\\n   b\n   c\n\n   d\\\n\n   e\"\n", "ab c\nd\ne"),
        ("v: 'a''b\n   c\n\n\n   d'\n", "a'b c\n\nd"),
        ("v: a b\n  c\n\n  d\n", "a b c\nd"),
        ("v: a b\r\n  c\r\n\r\n  d\r\n", "a b c\nd"),
        ("v: >2\n\n   a\n  b\n  c\n\n  d\n\n   e\n\n  f\n\n", "\n a\nb c\nd\n\n e\n\nf\n"),
        ("v: >+\n  a\n\n\nw: 1\n", "a\n\n\n"),
        ("v: |2-\n\n   a\n     \n  b\n\n", "\n a\n   \nb"),
        ("v: |\r\n  a\r\n\r\n  b\r\n", "a\n\nb\n"),
    ];
    for (text, value) in cases {
        check_locate(text, value, false);
    }
    let text = "v: >\n  ab\n  cd\n";
    let parsed = tree(text);
    assert_eq!(locate(&parsed, text, at(&parsed, "v"), 3).start, 12, "`c`, after the fold");
    assert_eq!(locate_range(&parsed, text, at(&parsed, "v"), 1..4), Span::new(FileId(0), 8, 13));
    assert_eq!(locate(&parsed, text, parsed.root(), 3), parsed.span(parsed.root()), "no text: the whole node");
}

#[test]
fn a_key_goes_under_its_dash_only_if_it_can_go_nowhere_else() {
    let mended = |text: &str| {
        let found = parse(FileId(0), text, &Limits::default()).err()?;
        let fix = found.iter().find_map(|one| one.fix.clone())?;
        Some([&text[..fix.span.start as usize], &fix.replacement, &text[fix.span.end as usize..]].concat())
    };
    assert_eq!(mended("r:\n  - a: x\n  o:\n    s: true\n"), None, "its children would leave it");
    assert_eq!(mended("r:\n  - a: x\n  o: |\n    s\n  - a: y\n"), None);
    assert_eq!(mended("r:\n  - a: x\n  b: 1\n"), None, "`b` may be a key beside `r`");
    assert_eq!(mended("r:\n  - a: x\n  b: 1\ns: 1\n"), None);
    let wanted = "r:\n  - a: x\n    b: 1\n  - a: y\n";
    assert_eq!(mended("r:\n  - a: x\n  b: 1\n  - a: y\n").as_deref(), Some(wanted));
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    // The first line begins with a visible character, so that no indentation indicator is needed.
    let line = prop_oneof![4 => "[a-zé😀{}|>#:'\" ]{0,9}[a-z]", 1 => Just(String::new())];
    ("[a-zé]{1,4}", prop::collection::vec(line, 0..5)).prop_map(|(first, mut lines)| {
        lines.insert(0, first);
        lines
    })
}

proptest! {
    #[test]
    fn locate_is_exact_in_literal_blocks(lines in lines(), indent in 1..9_usize, crlf: bool, strip: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let pad = " ".repeat(indent);
        let body: String = lines.iter().map(|line| match line.as_str() {
            "" => end.to_owned(),
            line => format!("{pad}{line}{end}"),
        }).collect();
        let mut value = lines.join("\n");
        value.truncate(value.trim_end_matches('\n').len());
        if !strip {
            value.push('\n');
        }
        let sign = if strip { "|-" } else { "|" };
        check_locate(&format!("k: 1{end}v: {sign} # c{end}{body}w: 1{end}"), &value, true);
    }

    #[test]
    fn locate_is_exact_in_quotes(value in "[a-zé😀'\"\\\\{}:# ]{0,20}") {
        check_locate(&format!("v: '{}'\n", value.replace('\'', "''")), &value, true);
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('é', "\\u00e9");
        check_locate(&format!("v: \"{escaped}\"\n"), &value, true);
    }

    #[test]
    fn locate_is_exact_in_plain_text(value in "[a-zé😀]([a-zé😀'\"{} ]{0,12}[b-cé])?") {
        prop_assume!(!matches!(value.as_str(), "true" | "false" | "null"));
        check_locate(&format!("v: {value}\n"), &value, true);
    }

    #[test]
    fn locate_follows_folding(
        text in "v: ([a'\"]|[|>][-+]?2?\n)([ab\\\\ \n'\"]|\n  |\r\n   |  \n){0,30}['\"]?\n",
        offset in 0..40_usize,
    ) {
        if let Ok(parsed) = parse(FileId(0), &text, &Limits::default())
            && let Some(node) = parsed.get(parsed.root(), "v")
        {
            let (span, whole) = (locate(&parsed, &text, node, offset), parsed.span(node));
            prop_assert!(whole.start <= span.start && span.start <= span.end && span.end <= whole.end);
            if let Some(value) = parsed.text(node) {
                check_locate(&text, value, false);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        text in prop_oneof!["\\PC{0,60}", "([-a:#|>'\"\\[\\]{}&*!%@`,?+2\\\\\t\r ]|\n *|é|- |: |\\|\n|\u{0}|\u{feff}){0,40}"],
        offset in 0..20_usize,
    ) {
        match parse(FileId(0), &text, &Limits::default()) {
            Ok(parsed) => {
                let _ = to_json(&parsed, parsed.root());
                for node in (0..20).map(NodeId) {
                    let (span, whole) = (locate(&parsed, &text, node, offset), parsed.span(node));
                    prop_assert!(text.get(whole.start as usize..whole.end as usize).is_some());
                    prop_assert!(whole.start <= span.start && span.start <= span.end && span.end <= whole.end);
                }
            }
            Err(found) => {
                for finding in &found {
                    let span = finding.span.expect("every finding has a place");
                    prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{finding:?}");
                    prop_assert!(finding.help.is_some() || finding.code == Code::YamlSyntax);
                }
            }
        }
    }
}
