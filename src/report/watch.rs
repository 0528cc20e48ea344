//! One line for each change that `megax watch` saw: what changed and what came of it. For people, or one JSON object on a
//! line (schema: `schemas/watch.schema.json`).
//!
//! Of many changes, errors and warnings the first few are told and the rest is counted: a line stays a line.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::{clean, clip};
use super::facts::{self, Outcome, Report};
use super::json::{DiagnosticWire, diagnostics, place, schema_of, words};
use super::words::count;
use crate::diagnostic::{Code, Diagnostic, Severity};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// Changes that are named.
const MOST_CHANGES: usize = 3;
/// Changes that JSON names.
const MOST_CHANGES_JSON: usize = 100;
/// Errors that are told, else warnings.
const MOST_FINDINGS: usize = 3;
/// Findings that JSON tells.
const MOST_FINDINGS_JSON: usize = 10;
/// Characters of a message.
const LONGEST_MESSAGE: usize = 160;

facts::words! {
    /// What happened to an input.
    Kind {
        /// Its content, perhaps.
        Changed "changed",
        /// It is new.
        Created "created",
        /// It is gone.
        Deleted "deleted",
    }
}

/// One input that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path, for display.
    pub path: String,
    /// What happened.
    pub kind: Kind,
}

/// The line, with a line break; a few more lines follow where there are several errors. Without a change it is the first
/// line, about everything.
#[must_use]
pub fn text(changes: &[Change], report: &Report) -> String {
    let mut out = begun(changes);
    let of = |severity| report.diagnostics.iter().filter(move |one| one.severity == severity);
    let (errors, warnings) = (of(Severity::Error).count(), of(Severity::Warning).count());
    let _ = write!(out, " {}", ending(report, errors));
    if warnings > 0 {
        let _ = write!(out, ", {}", count(warnings as u64, "warning"));
    }
    let weight = if errors > 0 { Severity::Error } else { Severity::Warning };
    for (index, finding) in of(weight).take(MOST_FINDINGS).enumerate() {
        out.push_str(if index == 0 { ": " } else { "\n  " });
        out.push_str(&told(finding, report));
    }
    let more = errors.max(if errors == 0 { warnings } else { 0 }).saturating_sub(MOST_FINDINGS);
    if more > 0 {
        let _ = write!(out, "\n  and {more} more");
    }
    out.push('\n');
    out
}

/// What changed.
fn begun(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "start:".to_owned();
    }
    let named = changes.iter().take(MOST_CHANGES).map(|one| format!("{} {}", clean(&one.path), one.kind.as_str()));
    let more = changes.len().saturating_sub(MOST_CHANGES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}:", named.collect::<Vec<_>>().join(", "))
}

/// How the run ended, in words.
fn ending(report: &Report, errors: usize) -> String {
    if errors > 0 {
        let waits = report.diagnostics.iter().filter(|one| one.is_error()).all(|one| one.code == Code::NoInput);
        // It goes on as soon as there is one.
        if waits && report.summary.mega_files == 0 {
            return "waiting for a mega-file".to_owned();
        }
        return count(errors as u64, "error");
    }
    let counts = report.summary.counts;
    let amounts = [(counts.created, "created"), (counts.updated, "updated"), (counts.deleted, "deleted")];
    let done: Vec<String> = amounts
        .iter()
        .filter_map(|&(amount, word)| Some((amount.filter(|&n| n > 0)?, word)))
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    let wrote = if done.is_empty() { String::new() } else { format!(" ({})", done.join(", ")) };
    let word = if report.outcome.exit_code() == 0 { "ok" } else { report.outcome.as_str() };
    match (counts.files, counts.lines) {
        (Some(files), Some(lines)) => format!("{word}: {}, {}{wrote}", count(files, "file"), count(lines, "line")),
        _ => format!("{word}{wrote}"),
    }
}

fn told(finding: &Diagnostic, report: &Report) -> String {
    let place = match finding.span.and_then(|span| place(span, &report.sources)) {
        Some(place) => format!(" {}:{}:{}", place.file, place.line, place.column),
        None => finding.subject.as_ref().map_or_else(String::new, |subject| format!(" {subject}")),
    };
    format!("{}{} {}", finding.code, clean(&place), clean(&clip(&finding.message, LONGEST_MESSAGE)))
}

/// The JSON object on one line, with a line break.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn document(changes: &[Change], report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(&Line::of(changes, report))? + "\n")
}

/// The JSON Schema (draft 2020-12) of a line.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Line<'_>>("megax watch line")
}

/// What one run of `megax watch` came to.
#[derive(Serialize, JsonSchema)]
struct Line<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command.
    #[schemars(extend("const" = "watch"))]
    command: &'static str,
    /// How this run ended.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// What changed before it, at most 100; nothing for the first run.
    changes: Vec<ChangeWire<'a>>,
    /// Changes that are not among `changes`.
    changes_left_out: usize,
    /// Selected mega-files.
    mega_files: u64,
    /// Planned files; null if not known.
    files: Option<u64>,
    /// Their lines; null if not known.
    lines: Option<u64>,
    /// New files; null without `--expand`.
    created: Option<u64>,
    /// Files with another content; null without `--expand`.
    updated: Option<u64>,
    /// Files that went; null without `--expand`.
    deleted: Option<u64>,
    /// How many errors were found.
    errors: usize,
    /// How many warnings were found.
    warnings: usize,
    /// The first findings, at most ten.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// Findings that are not among `diagnostics`.
    findings_left_out: u64,
}

/// An input that changed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeWire<'a> {
    /// Its path.
    path: &'a str,
    /// What happened to it.
    #[schemars(extend("enum" = words(Kind::ALL, Kind::as_str)))]
    change: &'static str,
}

impl<'a> Line<'a> {
    fn of(changes: &'a [Change], report: &'a Report) -> Self {
        let amount = |severity| report.diagnostics.iter().filter(|one| one.severity == severity).count();
        let mut first: Vec<&Diagnostic> = report.diagnostics.iter().collect();
        first.sort_by_key(|one| one.severity);
        let untold = first.len().saturating_sub(MOST_FINDINGS_JSON) as u64;
        first.truncate(MOST_FINDINGS_JSON);
        let counts = report.summary.counts;
        let change = |one: &'a Change| ChangeWire { path: &one.path, change: one.kind.as_str() };
        Self {
            schema_version: SCHEMA_VERSION,
            command: "watch",
            outcome: report.outcome.as_str(),
            changes: changes.iter().take(MOST_CHANGES_JSON).map(change).collect(),
            changes_left_out: changes.len().saturating_sub(MOST_CHANGES_JSON),
            mega_files: report.summary.mega_files,
            files: counts.files,
            lines: counts.lines,
            created: counts.created,
            updated: counts.updated,
            deleted: counts.deleted,
            errors: amount(Severity::Error),
            warnings: amount(Severity::Warning),
            diagnostics: diagnostics(first, &report.sources),
            findings_left_out: untold + report.diagnostics.left_out().count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{json, sample};
    use super::*;
    use crate::diagnostic::Diagnostics;

    #[test]
    fn the_schema_in_the_repository_is_current() {
        json::tests::hold_schema("watch", &schema());
    }

    #[test]
    fn a_change_is_a_line_and_errors_are_few_more() {
        let changes: Vec<Change> =
            (0..5).map(|n| Change { path: format!("m/{n}\u{1b}.yaml"), kind: Kind::Changed }).collect();
        let mut report = sample::report();
        report.diagnostics = Diagnostics::default();
        report.outcome = Outcome::Done;
        let line = text(&changes[..1], &report);
        assert!(line.starts_with("m/0<U+001B>.yaml changed: ok: "), "{line}");
        assert_eq!(line.lines().count(), 1);
        assert!(text(&[], &report).starts_with("start: ok: "));
        report.outcome = Outcome::Wrong;
        report.diagnostics = std::iter::once(Diagnostic::new(Code::NoInput, "no mega-files")).collect();
        report.summary.mega_files = 0;
        assert_eq!(text(&[], &report), "start: waiting for a mega-file: MX102 no mega-files\n");
        report.diagnostics =
            (0..1_000).map(|n| Diagnostic::new(Code::BadPath, format!("{n}\n{}", "x".repeat(900)))).collect();
        report.outcome = Outcome::Wrong;
        let said = text(&changes, &report);
        assert!(said.contains("m/2<U+001B>.yaml changed and 2 more: 1,000 errors"), "{said}");
        assert_eq!(said.lines().count(), 4, "{said}");
        assert!(said.len() < 1_000, "{said}");
        let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
        let json = document(&changes, &report).expect("it serializes");
        assert_eq!(json.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        assert!(validator.is_valid(&value), "{json}");
        assert_eq!(value["findings_left_out"], 990);
    }
}
