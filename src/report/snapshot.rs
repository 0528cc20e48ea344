//! What `megax snapshot` says: the facts, the text for people, the JSON document and its schema.
//!
//! Must never print a snapshot itself, only where it differs.

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::diff::unified;
use super::facts::{Command, Outcome, words};
use super::json::{DiagnosticWire, diagnostics, left_out, pretty, schema_of};
use super::paint::{ALARM, BOLD, DIM, GREEN, RED, YELLOW, paint};
use super::table::{Side, pad};
use super::words::{count, number};
use crate::diagnostic::Diagnostics;
use crate::digest::Digest;
use crate::span::SourceMap;

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

words! {
    /// What to do with snapshots that are missing or differ.
    Action {
        /// Write the missing ones; leave those that differ.
        Add "add",
        /// Write all.
        Update "update",
        /// Write nothing.
        Check "check",
    }
}

words! {
    /// How one snapshot stands after the run.
    Status {
        /// There was none; it was written.
        New "new",
        /// As it should be.
        Unchanged "unchanged",
        /// It differed and was written.
        Updated "updated",
        /// It differs and was left.
        Differs "differs",
        /// There is none, and none was to be written.
        Missing "missing",
        /// Its mega-file is gone; it was removed.
        Removed "removed",
        /// Its mega-file is gone; it was left.
        Stale "stale",
        /// Left as it is, because something is wrong; a finding says what.
        Kept "kept",
    }
}

/// One mega-file and its snapshot.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The id of the mega-file.
    pub mega_file: String,
    /// Its team.
    pub team: String,
    /// Where the snapshot lies, relative to the project root.
    pub path: String,
    /// How it stands.
    pub status: Status,
    /// Files that the mega-file makes; `None` if that is not known.
    pub files: Option<u64>,
    /// Their lines.
    pub lines: Option<u64>,
    /// The digest of their tree.
    pub digest: Option<Digest>,
    /// The stored text.
    pub old: Option<String>,
    /// The text as it should be.
    pub new: Option<String>,
}

/// All facts of a run.
#[derive(Debug, Clone)]
pub struct SnapshotReport {
    /// How it ended.
    pub outcome: Outcome,
    /// What was to be done.
    pub action: Action,
    /// The manifest that is used, for display.
    pub manifest: Option<String>,
    /// The project root, for display.
    pub root: String,
    /// The snapshots, sorted by path.
    pub snapshots: Vec<Comparison>,
    /// The findings, sorted.
    pub diagnostics: Diagnostics,
    /// The texts that spans point into.
    pub sources: SourceMap,
}

/// The differences of the snapshots that were left, as one unified diff; empty without any.
#[must_use]
pub fn diff(report: &SnapshotReport, colour: bool) -> String {
    let differing = report.snapshots.iter().filter(|one| one.status == Status::Differs);
    let bytes = |text: &Option<String>| text.as_ref().map(|text| text.clone().into_bytes());
    let diffs = differing.map(|one| unified(&one.path, bytes(&one.old).as_deref(), bytes(&one.new).as_deref(), colour));
    diffs.collect()
}

/// A line for every snapshot that is not as it was, and the one that ends a run.
#[must_use]
pub fn closing(report: &SnapshotReport, colour: bool) -> String {
    let listed: Vec<&Comparison> = report.snapshots.iter().filter(|one| one.status != Status::Unchanged).collect();
    let path_width = listed.iter().map(|one| one.path.chars().count()).max().unwrap_or(0);
    let word_width = listed.iter().map(|one| one.status.as_str().len()).max().unwrap_or(0);
    let mut out = String::new();
    for one in &listed {
        let word = paint(colour, style(one.status), &pad(one.status.as_str(), word_width, Side::Left));
        let amounts =
            one.files.zip(one.lines).map(|(files, lines)| [count(files, "file"), count(lines, "line")].join(", "));
        let path = pad(&clean(&one.path), path_width, Side::Left);
        out.push_str(format!("{word}  {path}  {}", amounts.unwrap_or_default()).trim_end());
        out.push('\n');
    }
    if !listed.is_empty() {
        out.push('\n');
    }
    out.push_str(&paint(colour, BOLD, &total(report)));
    out.push('\n');
    out
}

fn total(report: &SnapshotReport) -> String {
    let all = report.snapshots.len() as u64;
    if all == 0 {
        return "there is no mega-file to compare".to_owned();
    }
    let many = |status| report.snapshots.iter().filter(|one| one.status == status).count() as u64;
    if many(Status::Unchanged) == all {
        let are = if all == 1 { "is what its mega-file expands" } else { "are what their mega-files expand" };
        return format!("nothing to do: {} {are} to", count(all, "snapshot"));
    }
    let parts: Vec<String> = Status::ALL
        .iter()
        .map(|&status| (many(status), status))
        .filter(|&(many, _)| many > 0)
        .map(|(many, status)| format!("{} {}", number(many), status.as_str()))
        .collect();
    format!("{}: {}", count(all, "snapshot"), parts.join(", "))
}

fn style(status: Status) -> annotate_snippets::renderer::Style {
    match status {
        Status::New => GREEN,
        Status::Updated => YELLOW,
        Status::Removed => RED,
        Status::Differs | Status::Missing | Status::Stale => ALARM,
        Status::Unchanged | Status::Kept => DIM,
    }
}

/// The JSON document, indented, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn document(report: &SnapshotReport) -> Result<String, serde_json::Error> {
    let snapshots = report.snapshots.iter().map(|one| SnapshotWire {
        mega_file: &one.mega_file,
        team: &one.team,
        path: &one.path,
        status: one.status.as_str(),
        files: one.files,
        lines: one.lines,
        digest: one.digest.map(|digest| digest.to_string()),
    });
    let document = Document {
        schema_version: SCHEMA_VERSION,
        command: Command::Snapshot.as_str(),
        outcome: report.outcome.as_str(),
        manifest: report.manifest.as_deref(),
        root: &report.root,
        snapshots: snapshots.collect(),
        diagnostics: diagnostics(&report.diagnostics, &report.sources),
        findings_left_out: left_out(&report.diagnostics),
    };
    pretty(&document)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax snapshot report")
}

/// What `megax snapshot` found and did.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = Command::Snapshot.as_str()))]
    command: &'static str,
    /// How the run ended; it decides the exit code.
    #[schemars(extend("enum" = Outcome::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()))]
    outcome: &'static str,
    /// The project manifest in use.
    manifest: Option<&'a str>,
    /// The project root, where `snapshots/` lies.
    root: &'a str,
    /// The snapshots, sorted by path.
    snapshots: Vec<SnapshotWire<'a>>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// Findings that are not among `diagnostics`, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

/// One mega-file and its snapshot.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
struct SnapshotWire<'a> {
    /// The id of the mega-file.
    mega_file: &'a str,
    /// Its team.
    team: &'a str,
    /// Where the snapshot lies, relative to the project root.
    path: &'a str,
    /// How it stands after the run; `kept` was left because something is wrong.
    #[schemars(extend("enum" = Status::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()))]
    status: &'static str,
    /// Files that the mega-file makes; null if that is not known.
    files: Option<u64>,
    /// Their lines.
    lines: Option<u64>,
    /// BLAKE3 over path, mode and digest of the files.
    digest: Option<String>,
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
