//! What `megax recover` found and did, for people and as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Outcome;
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use crate::diagnostic::Diagnostics;
use crate::disk::Recovered;
use crate::span::SourceMap;

/// The facts of a recovery.
#[derive(Debug)]
pub struct RecoveryReport {
    /// The output root, for display.
    pub out: String,
    /// What was finished or taken back.
    pub recovered: Vec<Recovered>,
    /// What is to be said about it, or what went wrong.
    pub findings: Diagnostics,
}

impl RecoveryReport {
    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let done = if self.recovered.is_empty() { Outcome::NothingToDo } else { Outcome::Done };
        Outcome::with_errors(&self.findings, done)
    }
}

/// One line for people; what was recovered is among the findings.
#[must_use]
pub fn text(report: &RecoveryReport) -> &'static str {
    if report.findings.is_empty() { "nothing to do: no run was interrupted\n" } else { "" }
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &RecoveryReport) -> Result<String, serde_json::Error> {
    let sources = SourceMap::default();
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: "recover",
        outcome: report.outcome().as_str(),
        out: &report.out,
        recovered: report.recovered.iter().map(RecoveredWire::of).collect(),
        diagnostics: diagnostics(&report.findings, &sources),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax recover")
}

/// What `megax recover` found and did.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = "recover"))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The output root.
    out: &'a str,
    /// The interrupted runs.
    recovered: Vec<RecoveredWire<'a>>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// An interrupted run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Recovered")]
struct RecoveredWire<'a> {
    /// How many files it concerned.
    files: usize,
    /// Whether it was finished; else the tree is as before it.
    finished: bool,
    /// Files that somebody edited meanwhile, with the place of the content that megax had replaced.
    kept: Vec<KeptWire<'a>>,
}

/// A file that somebody edited.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Kept")]
struct KeptWire<'a> {
    /// The file, which stays as it is.
    path: &'a str,
    /// Where the other content lies.
    place: &'a str,
}

impl<'a> RecoveredWire<'a> {
    fn of(one: &'a Recovered) -> Self {
        let kept = one.kept.iter().map(|(path, place)| KeptWire { path, place }).collect();
        Self { files: one.files, finished: one.finished, kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let kept = vec![("a".to_owned(), ".megax/kept/x".to_owned())];
        let report = RecoveryReport {
            out: ".".to_owned(),
            recovered: vec![Recovered { files: 2, finished: false, unlogged: None, kept }],
            findings: Diagnostics::default(),
        };
        let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!((value["outcome"].as_str(), report.outcome()), (Some("done"), Outcome::Done));
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("recovery", &schema());
    }
}
