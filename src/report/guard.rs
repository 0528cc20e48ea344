//! What `megax guard` found: for every path whether it may be edited by hand, and if not, what to edit instead. For people
//! and as a document. Nothing is decided here.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::{Outcome, words as as_words};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, left_out, pretty, schema_of, words};
use super::paint::{GREEN, RED, YELLOW, paint};
use crate::diagnostic::{Code, Diagnostics};
use crate::span::SourceMap;

as_words! {
    /// What decided about a path.
    Why {
        /// It lies outside the project.
        Outside "outside",
        /// No mega-file makes it.
        Unplanned "unplanned",
        /// It was written once and is the user's.
        Once "once",
        /// It was detached.
        Detached "detached",
        /// The manifest keeps or merges edits of it.
        EditsKept "edits-kept",
        /// It holds what megax wrote.
        AsWritten "as-written",
        /// Of a commit: it is only taken out of the repository.
        Untracked "untracked",
        /// It is a mega-file.
        MegaFile "mega-file",
        /// It is an input of the whole project: the manifest, a shared template.
        Shared "shared",
        /// A mega-file makes it, or a lockfile records it.
        Generated "generated",
        /// It is not inside the team's boundary.
        Boundary "boundary",
        /// It belongs to megax or git: `.megax`, `.git`, a snapshot.
        Reserved "reserved",
        /// The project, or a mega-file that may make it, cannot be read, so nobody can tell.
        Unknown "unknown",
    }
}

/// The line to edit instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "GuardEdit")]
pub struct EditFacts {
    /// The mega-file or shared template, relative to the project root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What stands in that line, without blanks around it.
    pub text: String,
}

/// One path that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GuardedPath {
    /// As it was asked for, without the line.
    pub path: String,
    /// Whether it may not be edited by hand.
    pub blocked: bool,
    /// What decided.
    #[schemars(with = "String", extend("enum" = words(Why::ALL, Why::as_str)))]
    #[serde(serialize_with = "as_word")]
    pub why: Why,
    /// What is to be known about it, in words; null if nothing is.
    pub note: Option<String>,
    /// The team that makes the file, or whose mega-file it is; null if there is none.
    pub team: Option<String>,
    /// The id of the mega-file that makes it; null if none does.
    pub mega_file: Option<String>,
    /// The template that makes it; null if none does.
    pub template: Option<String>,
    /// The line to edit instead; null if there is none.
    pub edit: Option<EditFacts>,
    /// The command to run after that edit; null if there is none.
    pub run: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serializer hands out references")]
fn as_word<S: serde::Serializer>(why: &Why, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(why.as_str())
}

impl GuardedPath {
    /// A path that may be edited.
    #[must_use]
    pub fn free(path: &str, why: Why, note: Option<String>) -> Self {
        let (team, mega_file, template, edit, run) = (None, None, None, None, None);
        Self { path: path.to_owned(), blocked: false, why, note, team, mega_file, template, edit, run }
    }

    /// A path that may not; a finding says more.
    #[must_use]
    pub fn blocked(path: &str, why: Why) -> Self {
        Self { blocked: true, ..Self::free(path, why, None) }
    }
}

/// The facts.
#[derive(Debug, Default)]
pub struct GuardReport {
    /// The team that asks, by its one name; `None` for nobody in particular.
    pub team: Option<String>,
    /// The paths, in the order in which they were asked for.
    pub paths: Vec<GuardedPath>,
    /// One for every path that is blocked, and what keeps megax from knowing.
    pub findings: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

impl GuardReport {
    /// How it ended: what is blocked is blocked, whatever else is wrong.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.paths.iter().any(|path| path.blocked) {
            Outcome::Blocked
        } else if self.findings.iter().any(|one| one.is_error() && one.code == Code::UnknownTeam) {
            Outcome::Usage
        } else {
            Outcome::with_errors(&self.findings, Outcome::Done)
        }
    }
}

/// A line for every path; why one is blocked is among the findings.
#[must_use]
pub fn text(report: &GuardReport, colour: bool) -> String {
    let mut text = String::new();
    for path in &report.paths {
        // What is not known is never called free.
        let word = match (path.blocked, path.why) {
            (true, _) => paint(colour, RED, "blocked"),
            (false, Why::Unknown) => paint(colour, YELLOW, "unknown"),
            (false, _) => paint(colour, GREEN, "free   "),
        };
        let note = path.note.as_deref().map_or_else(String::new, |note| format!("  ({})", clean(note)));
        let _ = writeln!(text, "{word}  {}{note}", clean(&path.path));
    }
    text
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &GuardReport) -> Result<String, serde_json::Error> {
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: "guard",
        outcome: report.outcome().as_str(),
        team: report.team.as_deref(),
        paths: &report.paths,
        diagnostics: diagnostics(&report.findings, &report.sources),
        findings_left_out: left_out(&report.findings),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax guard")
}

/// Whether files may be edited by hand.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = "guard"))]
    command: &'static str,
    /// How it ended; it decides the exit code. `blocked` when at least one path is.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The team that asks; null for nobody in particular.
    team: Option<&'a str>,
    /// The paths, in the order in which they were asked for.
    paths: &'a [GuardedPath],
    /// One for every path that is blocked, and what keeps megax from knowing.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// How many findings are not among the diagnostics, because there are too many; null for none.
    findings_left_out: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;

    fn report() -> GuardReport {
        let edit = EditFacts { file: "m.yaml".to_owned(), line: 3, text: "x".to_owned() };
        let blocked = GuardedPath { edit: Some(edit), ..GuardedPath::blocked("a\u{1b}", Why::Generated) };
        let free = GuardedPath::free("b", Why::Once, Some("yours".to_owned()));
        let unknown = GuardedPath::free("c", Why::Unknown, Some("unread".to_owned()));
        let findings = [Diagnostic::new(Code::GeneratedFile, "x"), Diagnostic::new(Code::YamlSyntax, "y")];
        GuardReport {
            paths: vec![blocked, free, unknown],
            findings: findings.into_iter().collect(),
            ..GuardReport::default()
        }
    }

    #[test]
    fn what_is_blocked_decides_whatever_else_is_wrong() {
        let mut report = report();
        assert_eq!((report.outcome(), report.outcome().exit_code()), (Outcome::Blocked, 2));
        assert_eq!(text(&report, false), "blocked  a<U+001B>\nfree     b  (yours)\nunknown  c  (unread)\n");
        report.paths.remove(0);
        report.findings = std::iter::once(Diagnostic::new(Code::YamlSyntax, "y")).collect();
        assert_eq!(report.outcome(), Outcome::Wrong);
        report.findings = std::iter::once(Diagnostic::new(Code::UnknownTeam, "y")).collect();
        assert_eq!(report.outcome(), Outcome::Usage);
        assert_eq!(GuardReport::default().outcome(), Outcome::Done);
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&document(&report()).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!((&value["paths"][0]["why"], &value["paths"][0]["edit"]["line"]), (&"generated".into(), &3.into()));
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("guard", &schema());
    }
}
