use super::super::sample;
use super::*;
use crate::diagnostic::{Code, Diagnostics};

#[test]
fn the_document_is_the_contract() {
    insta::assert_snapshot!("document", document(&sample::report()).expect("it serializes"));
}

/// Holds a file in `schemas/` to the wire types. With `MEGAX_UPDATE_SCHEMAS=1` the file is written instead.
#[expect(clippy::disallowed_methods, reason = "the schema lives in the repository")]
pub fn hold_schema(name: &str, schema: &serde_json::Value) {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{schema:#}\n");
    if std::env::var_os("MEGAX_UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).expect("the schema can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(stored.replace("\r\n", "\n"), text, "run the tests with MEGAX_UPDATE_SCHEMAS=1");
}

#[test]
fn the_schema_in_the_repository_is_current() {
    hold_schema("report", &schema());
}

#[test]
fn documents_satisfy_the_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
    let mut unknown = sample::report();
    unknown.tree = None;
    unknown.manifest = None;
    unknown.summary = super::super::Summary::default();
    for file in &mut unknown.files {
        (file.lines, file.bytes, file.digest, file.change, file.origin) = (None, None, None, None, None);
    }
    let foreign = Span::new(crate::span::FileId(99), 3, 9);
    let odd = Diagnostic::new(Code::NoInput, "x\u{0}").about("a*b").related(foreign, "elsewhere").fix(foreign, "y");
    unknown.diagnostics = [odd].into_iter().collect::<Diagnostics>();
    for report in [sample::report(), unknown] {
        let text = document(&report).expect("it serializes");
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_no_run_says() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
    let text = document(&sample::report()).expect("it serializes");
    let good: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    for (pointer, bad) in [
        ("/outcome", serde_json::json!("perhaps")),
        ("/schema_version", serde_json::json!(2)),
        ("/files/0/change", serde_json::json!("eaten")),
        ("/summary/files", serde_json::json!("six")),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(pointer).expect("it is there") = bad;
        assert!(!validator.is_valid(&value), "{pointer}");
    }
}
