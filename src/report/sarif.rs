//! SARIF 2.1.0 for code scanning. Paths become URIs relative to the project root; must never hold an absolute path of
//! this machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::json::{Place, place};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::span::{SourceMap, Span};

/// The document, indented, with a line break at its end.
#[must_use]
pub fn document(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let codes: BTreeSet<Code> = diagnostics.iter().map(|one| one.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let mut value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "megax",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(|one| result(one, &codes, sources)).collect::<Vec<_>>(),
        }],
    });
    if let (Some(line), Some(run)) = (diagnostics.left_out().line(), value.pointer_mut("/runs/0")) {
        let note = json!({ "level": "note", "message": { "text": line } });
        run["invocations"] = json!([{ "executionSuccessful": true, "toolExecutionNotifications": [note] }]);
    }
    format!("{value:#}\n")
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.id(),
        "name": code.name(),
        "shortDescription": { "text": code.title() },
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": code.severity().as_str() },
    })
}

fn result(one: &Diagnostic, codes: &[Code], sources: &SourceMap) -> Value {
    let level = match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let help = one.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let mut value = Map::new();
    value.insert("ruleId".to_owned(), json!(one.code.id()));
    value.insert("ruleIndex".to_owned(), json!(codes.binary_search(&one.code).ok()));
    value.insert("level".to_owned(), json!(level));
    value.insert("message".to_owned(), json!({ "text": format!("{}{help}", one.message) }));
    let own = one.span.and_then(|span| physical(span, sources));
    let subject = one.subject.as_ref().map(|subject| json!({ "logicalLocations": [{ "name": subject }] }));
    if let Some(location) = own.map(|physical| json!({ "physicalLocation": physical })).or(subject) {
        value.insert("locations".to_owned(), json!([location]));
    }
    let related: Vec<Value> = one
        .related
        .iter()
        .enumerate()
        .map(|(index, related)| {
            let message = json!({ "text": related.message });
            match related.span.and_then(|span| physical(span, sources)) {
                Some(physical) => json!({ "id": index, "message": message, "physicalLocation": physical }),
                None => json!({ "id": index, "message": message }),
            }
        })
        .collect();
    if !related.is_empty() {
        value.insert("relatedLocations".to_owned(), Value::Array(related));
    }
    if let Some(fix) = fix(one, sources) {
        value.insert("fixes".to_owned(), json!([fix]));
    }
    Value::Object(value)
}

fn physical(span: Span, sources: &SourceMap) -> Option<Value> {
    let place = place(span, sources)?;
    Some(json!({ "artifactLocation": artifact(place.file), "region": region(&place) }))
}

fn artifact(path: &str) -> Value {
    json!({ "uri": uri(path), "uriBaseId": "%SRCROOT%" })
}

fn region(place: &Place<'_>) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

fn fix(one: &Diagnostic, sources: &SourceMap) -> Option<Value> {
    let fix = one.fix.as_ref()?;
    let place = place(fix.span, sources)?;
    let text = one.help.clone().unwrap_or_else(|| "the certain mend".to_owned());
    let replacement = json!({ "deletedRegion": region(&place), "insertedContent": { "text": fix.replacement } });
    Some(json!({
        "description": { "text": text },
        "artifactChanges": [{ "artifactLocation": artifact(place.file), "replacements": [replacement] }],
    }))
}

/// A relative path as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn results_point_at_rules_places_and_mends() {
        let all: Diagnostics = [sample::collision(), sample::unknown_key()].into_iter().collect();
        let text = document(&all, &sample::sources());
        let mut value: Value = serde_json::from_str(&text).expect("it is JSON");
        for rule in value["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
            assert!(rule["help"]["text"].as_str().is_some_and(|page| page.starts_with("# MX")));
            rule["help"] = json!("(page)");
        }
        value["runs"][0]["tool"]["driver"]["semanticVersion"] = json!("(version)");
        insta::assert_snapshot!("sarif", format!("{value:#}"));
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("a b/å#?%.yaml"), "a%20b/%C3%A5%23%3F%25.yaml");
    }

    #[test]
    fn no_findings_are_an_empty_list() {
        let text = document(&Diagnostics::default(), &SourceMap::default());
        let value: Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(value["runs"][0]["results"], json!([]));
    }
}
