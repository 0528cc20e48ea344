//! Values written as CSV, JSON and TOML come back as they were, and every node stands where it was written.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Number, Value};

use super::*;

/// Any text of some lines, with what the formats quote.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,4}", "[a ,;\"'\\\\#=\\[\\]{}\t\r\n\u{e9}\u{1f600}\u{feff}]{0,8}", any::<String>()]
}

/// Text without control characters but white space.
fn plain_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(|c: char| c.is_control() && !matches!(c, '\t' | '\n'), ""))
}

fn leaf() -> impl Strategy<Value = Value> {
    let float =
        (-1_000_000_i32..1_000_000, 0..6_i32).prop_map(|(digits, places)| f64::from(digits) / 10_f64.powi(places));
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        float.prop_map(|value| Number::from_f64(value).map_or(Value::Null, Value::Number)),
        plain_text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        let pairs = vec((plain_text(), inner.clone()), 0..4);
        let object = pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect()));
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    })
}

/// A text in TOML and JSON: their basic strings have the same escapes, but for the slash and the control characters that
/// only JSON may leave.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f")
}

/// A value on one line of TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[ {} ]", items.iter().map(toml).collect::<Vec<_>>().join(" ,")),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{} = {}", quoted(key), toml(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A field of CSV; `always` in quotes, or only where it must be.
fn field(text: &str, always: bool) -> String {
    if always || text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Every node stands inside the text, its children inside it, and a scalar where its own text says the same.
fn check_spans(format: Format, source: &str, tree: &Tree, node: NodeId) -> Result<(), TestCaseError> {
    let part = |id: NodeId| source.get(tree.span(id).start as usize..tree.span(id).end as usize);
    let Some(written) = part(node) else {
        return Err(TestCaseError::fail(format!("{:?} cuts a character", tree.span(node))));
    };
    let below: Vec<NodeId> = match tree.kind(node) {
        Kind::List(items) => items.clone(),
        Kind::Map(entries) => entries.iter().flat_map(|&(key, value)| [key, value]).collect(),
        Kind::Text(text, _) if format == Format::Csv => {
            let bare = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            prop_assert_eq!(bare.map_or_else(|| written.to_owned(), |bare| bare.replace("\"\"", "\"")), &**text);
            Vec::new()
        }
        Kind::Text(text, _) => {
            prop_assert_eq!(serde_json::from_str::<String>(&written.replace("\\u007f", "\u{7f}")).unwrap(), &**text);
            Vec::new()
        }
        _ => {
            prop_assert_eq!(written.parse::<Value>().unwrap(), yaml::to_json(tree, node));
            Vec::new()
        }
    };
    for child in below {
        let (inner, outer) = (tree.span(child), tree.span(node));
        // The columns of CSV are named once, above the rows; a table of TOML may be written in several places.
        let inside = outer.start <= inner.start && inner.end <= outer.end;
        prop_assert!(
            inside || (format == Format::Csv && tree.text(child).is_some()),
            "{:?} is not in {:?}",
            inner,
            outer
        );
        check_spans(format, source, tree, child)?;
    }
    Ok(())
}

fn comes_back(format: Format, source: &str, value: &Value) -> Result<(), TestCaseError> {
    let tree = read(format, source).map_err(|found| TestCaseError::fail(format!("{source:?}: {found:?}")))?;
    prop_assert_eq!(&yaml::to_json(&tree, tree.root()), value, "{:?}", source);
    check_spans(format, source, &tree, tree.root())
}

proptest! {
    #[test]
    fn json_comes_back(value in value(), pretty in any::<bool>(), mark in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        comes_back(Format::Json, &(if mark { "\u{feff}" } else { "" }.to_owned() + &text), &value)?;
    }

    #[test]
    fn toml_comes_back(entries in vec((plain_text(), value()), 0..5), comment in "[a-z]{0,5}", mark in any::<bool>()) {
        let value = Value::Object(entries.into_iter().collect());
        let mut text = if mark { "\u{feff}" } else { "" }.to_owned() + "# " + &comment + "\n";
        let lines = value.as_object().unwrap().iter();
        text.extend(lines.map(|(key, value)| format!("{} = {} # {comment}\n", quoted(key), toml(value))));
        comes_back(Format::Toml, &text, &value)?;
    }

    #[test]
    fn csv_comes_back(
        columns in btree_set("[a-z][a-z \"',]{0,4}", 2..5),
        cells in vec(vec(text(), 4), 0..5),
        always in any::<bool>(),
        (ending, last) in (prop_oneof![Just("\n"), Just("\r\n")], any::<bool>()),
        mark in any::<bool>(),
    ) {
        let columns: Vec<String> = columns.into_iter().collect();
        let line = |cells: &[String]| cells.iter().map(|cell| field(cell, always)).collect::<Vec<_>>().join(",");
        let mut lines = vec![line(&columns)];
        lines.extend(cells.iter().map(|row| line(&row[..columns.len()])));
        let mut source = if mark { "\u{feff}" } else { "" }.to_owned() + &lines.join(ending);
        if last {
            source.push_str(ending);
        }
        let row = |cells: &Vec<String>| {
            let pairs = columns.iter().cloned().zip(cells.iter().cloned().map(Value::from));
            Value::Object(pairs.collect())
        };
        comes_back(Format::Csv, &source, &cells.iter().map(row).collect())?;
    }
}
