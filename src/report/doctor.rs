//! What `megax doctor` found, for people and as a document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::{Outcome, highest};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use super::paint::{GREEN, YELLOW, paint};
use super::table::{Side, pad};
use crate::diagnostic::Diagnostics;
use crate::span::SourceMap;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As it should be.
    Good,
    /// It works, but less well or less safely than it could.
    Weak,
    /// It cannot be told.
    Unknown,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Good, Self::Weak, Self::Unknown];

    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Weak => "weak",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A name that stays.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found, in words.
    pub found: String,
    /// What to do, for what is weak.
    pub advice: Option<String>,
}

impl Check {
    /// As it should be.
    #[must_use]
    pub fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, standing: Standing::Good, found: found.into(), advice: None }
    }

    /// Less than it could be, and what to do.
    #[must_use]
    pub fn weak(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, standing: Standing::Weak, found: found.into(), advice: Some(advice.into()) }
    }

    /// Not known, and why not.
    #[must_use]
    pub fn unknown(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, standing: Standing::Unknown, found: why.into(), advice: None }
    }
}

/// The facts.
#[derive(Debug)]
pub struct DoctorReport {
    /// The version of megax.
    pub version: &'static str,
    /// The project root, for display.
    pub root: String,
    /// The manifest, if there is one.
    pub manifest: Option<String>,
    /// The output root.
    pub out: String,
    /// What was looked at, in a fixed order.
    pub checks: Vec<Check>,
    /// What is wrong with the manifest, or kept a look from being taken.
    pub findings: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

impl DoctorReport {
    /// How it ended: weak is a difference from how it should be.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let weak = self.checks.iter().any(|check| check.standing == Standing::Weak);
        let done = if weak { Outcome::Differences } else { Outcome::Done };
        highest([Outcome::with_errors(&self.findings, done), done])
    }
}

/// A line for everything that was looked at, and what to do below what is weak.
#[must_use]
pub fn text(report: &DoctorReport, colour: bool) -> String {
    let place = |name, found: &str| Check::good(name, found);
    let manifest = report.manifest.as_deref().unwrap_or("none, so there are no boundaries");
    let own = [
        place("version", report.version),
        place("project root", &report.root),
        place("manifest", manifest),
        place("output root", &report.out),
    ];
    let all: Vec<&Check> = own.iter().chain(&report.checks).collect();
    let width = all.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in &all {
        let standing = pad(check.standing.as_str(), Standing::Unknown.as_str().len(), Side::Left);
        let style = if check.standing == Standing::Good { GREEN } else { YELLOW };
        let name = pad(check.name, width, Side::Left);
        let _ = writeln!(text, "{}  {name}  {}", paint(colour, style, &standing), clean(&check.found));
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "{}  {}", " ".repeat(standing.len() + 2 + width), clean(advice));
        }
    }
    let count = |standing| all.iter().filter(|check| check.standing == standing).count();
    text + &format!("{} weak, {} unknown\n", count(Standing::Weak), count(Standing::Unknown))
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &DoctorReport) -> Result<String, serde_json::Error> {
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: "doctor",
        outcome: report.outcome().as_str(),
        version: report.version,
        root: &report.root,
        manifest: report.manifest.as_deref(),
        out: &report.out,
        checks: report.checks.iter().map(CheckWire::of).collect(),
        diagnostics: diagnostics(&report.findings, &report.sources),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax doctor")
}

/// What `megax doctor` found: the machine, the project and what runs left.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = "doctor"))]
    command: &'static str,
    /// How it ended; it decides the exit code. `differences` when something is weak.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The version of megax.
    version: &'a str,
    /// The project root.
    root: &'a str,
    /// The manifest; null without one.
    manifest: Option<&'a str>,
    /// The output root.
    out: &'a str,
    /// What was looked at.
    checks: Vec<CheckWire<'a>>,
    /// The findings, about the manifest above all.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// One thing that was looked at.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
struct CheckWire<'a> {
    /// Its name, which stays the same: `sandbox`, `file system`, `interrupted runs`.
    name: &'a str,
    /// How it stands. `unknown` is what could not be told.
    #[schemars(extend("enum" = words(&Standing::ALL, Standing::as_str)))]
    standing: &'static str,
    /// What was found, in words.
    found: &'a str,
    /// What to do; null unless it is weak.
    advice: Option<&'a str>,
}

impl<'a> CheckWire<'a> {
    fn of(check: &'a Check) -> Self {
        let (name, found, advice) = (check.name, check.found.as_str(), check.advice.as_deref());
        Self { name, standing: check.standing.as_str(), found, advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> DoctorReport {
        DoctorReport {
            version: "1",
            root: ".".to_owned(),
            manifest: None,
            out: "out".to_owned(),
            checks,
            findings: Diagnostics::default(),
            sources: SourceMap::default(),
        }
    }

    #[test]
    fn what_is_weak_says_what_to_do_and_decides_the_outcome() {
        let good = report(vec![Check::good("a", "fine"), Check::unknown("b", "no way to tell")]);
        assert_eq!(good.outcome(), Outcome::Done);
        let weak = report(vec![Check::weak("room", "none\u{1b}", "make room")]);
        assert_eq!(weak.outcome(), Outcome::Differences);
        let text = text(&weak, false);
        assert!(text.contains("weak     room"), "{text}");
        assert!(text.contains("make room\n1 weak, 0 unknown\n") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let report = report(vec![Check::weak("room", "none", "make room"), Check::unknown("b", "why")]);
        let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!(value["checks"][1]["standing"], "unknown");
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("doctor", &schema());
    }
}
