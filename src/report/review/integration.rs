//! The integration manifest: what the teams of a project are about to make and in which order, as a document that stays
//! with the project. YAML or JSON, the same values in both; no time, no host, no absolute path.
//!
//! Its first line says what it is: no other file is ever replaced by one.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::wire::{MegaFileWire, PointWire, SlotWire, TeamWire};
use super::{ReviewReport, TeamReview};
use crate::hidden::is_hidden;
use crate::report::clean_json;
use crate::report::json::schema_of;

/// What a file begins with that is one: as a comment in YAML, as the first value in JSON.
pub const INTEGRATION_MARK: &str = "megax integration manifest 1";

/// Whether a file begins as an integration manifest.
#[must_use]
pub fn is_integration_manifest(start: &[u8]) -> bool {
    let yaml = format!("# {INTEGRATION_MARK}");
    let json = format!("{{\n  \"format\": \"{INTEGRATION_MARK}\"");
    // Version control may have turned the line ends.
    let start = String::from_utf8_lossy(start).replace("\r\n", "\n");
    start.starts_with(&yaml) || start.starts_with(&json)
}

/// The document as JSON, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn to_json(report: &ReviewReport) -> Result<String, serde_json::Error> {
    Ok(clean_json(&(serde_json::to_string_pretty(&of(report))? + "\n")).into_owned())
}

/// The document as YAML, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn to_yaml(report: &ReviewReport) -> Result<String, serde_json::Error> {
    let mut out = format!("# {INTEGRATION_MARK}\n");
    block(&serde_json::to_value(of(report))?, 0, &mut out);
    Ok(out)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn integration_schema() -> Value {
    schema_of::<Document<'_>>("megax integration manifest")
}

fn of(report: &ReviewReport) -> Document<'_> {
    let mut teams: Vec<&TeamReview> = report.teams.iter().collect();
    // Within a stage in the order of the manifest.
    teams.sort_by_key(|one| report.stage_of(&one.status.team).unwrap_or(u64::MAX));
    let (teams_ready, all) = (report.teams.iter().filter(|one| one.is_ready()).count(), report.teams.len());
    Document {
        format: INTEGRATION_MARK,
        ready: report.is_ready(),
        teams_ready: teams_ready as u64,
        teams_all: all as u64,
        paths: report.teams.iter().map(|one| one.paths).sum(),
        files: report.teams.iter().map(|one| one.status.files.measured).sum(),
        lines: report.teams.iter().map(|one| one.status.lines.measured).sum(),
        stages: &report.stages,
        teams: teams.into_iter().map(|one| TeamWire::of(report, one)).collect(),
        mega_files: report.mega_files.iter().map(MegaFileWire::of).collect(),
        integration_points: report.points.iter().map(PointWire::of).collect(),
        contributions: report.slots.iter().map(SlotWire::of).collect(),
    }
}

/// What the teams of a project are about to make, and in which order.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// What this document is.
    #[schemars(extend("const" = INTEGRATION_MARK))]
    format: &'static str,
    /// Whether every team is ready and every artefact is planned or there.
    ready: bool,
    /// How many teams are ready.
    teams_ready: u64,
    /// How many teams there are.
    teams_all: u64,
    /// How many paths are planned.
    paths: u64,
    /// How many files valid mega-files make; null if that is not known.
    files: Option<u64>,
    /// How many lines; null if that is not known.
    lines: Option<u64>,
    /// Teams that may expand at the same time, each stage after the one before.
    stages: &'a [Vec<String>],
    /// The teams in the order of their stages.
    teams: Vec<TeamWire<'a>>,
    /// The mega-files, by path.
    mega_files: Vec<MegaFileWire<'a>>,
    /// The artefacts between teams.
    integration_points: Vec<PointWire<'a>>,
    /// The slots that mega-files contribute to, by name.
    contributions: Vec<SlotWire<'a>>,
}

/// Writes a list or a mapping, its first line at `indent`.
fn block(value: &Value, indent: usize, out: &mut String) {
    let blanks = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.extend([blanks.as_str(), &text(key), ":"]);
                entry(value, indent, out);
            }
        }
        Value::Array(list) => {
            for value in list {
                out.extend([blanks.as_str(), "-"]);
                if is_block(value) {
                    // The first line of the inner block takes the place of its indent.
                    let mut inner = String::new();
                    block(value, indent + 2, &mut inner);
                    out.extend([" ", inner.trim_start_matches(' ')]);
                } else {
                    entry(value, indent, out);
                }
            }
        }
        scalar => out.extend([blanks.as_str(), &plain(scalar), "\n"]),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

/// What follows a key or a dash.
fn entry(value: &Value, indent: usize, out: &mut String) {
    if is_block(value) {
        out.push('\n');
        block(value, indent + 2, out);
    } else {
        out.extend([" ", &plain(value), "\n"]);
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// A text as every YAML parser reads it: bare where nothing can be mistaken, else quoted and escaped.
fn text(string: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let bare = string.starts_with(|c: char| c.is_ascii_alphabetic())
        && string.chars().all(is_word)
        && !words.iter().any(|word| word.eq_ignore_ascii_case(string));
    if bare {
        return string.to_owned();
    }
    let mut out = String::from("\"");
    for c in string.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || is_hidden(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
#[path = "integration_tests.rs"]
mod tests;
