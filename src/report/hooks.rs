//! What `megax hooks` did, for people and as a document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::{Outcome, words as as_words};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use super::paint::{GREEN, YELLOW, paint};
use super::table::{Side, pad};
use crate::diagnostic::{Code, Diagnostics};
use crate::span::SourceMap;

as_words! {
    /// What `megax hooks` was asked to do.
    Verb {
        /// Write the hooks.
        Install "install",
        /// Say how they stand.
        Status "status",
        /// Take them away.
        Remove "remove",
    }
}

as_words! {
    /// How a hook stands, or what was done with it.
    Done {
        /// Written as a new file.
        Installed "installed",
        /// Added to a file of somebody else.
        Merged "merged",
        /// Brought up to date.
        Updated "updated",
        /// Taken away.
        Removed "removed",
        /// It is there, and as it should be.
        There "there",
        /// It is there, but not as this megax would write it.
        Stale "stale",
        /// There is none.
        Absent "absent",
        /// There is none of megax, but a file of somebody else.
        Foreign "foreign",
        /// Something of somebody else is in the way.
        Blocked "blocked",
    }
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFacts {
    /// Its name: that of the agent, or `git`.
    pub name: &'static str,
    /// Its file; empty where there is none.
    pub file: String,
    /// How it stands.
    pub done: Done,
    /// The command that it runs, where it is named.
    pub command: Option<String>,
}

impl HookFacts {
    /// A hook without its command.
    #[must_use]
    pub fn new(name: &'static str, file: &str, done: Done) -> Self {
        Self { name, file: file.to_owned(), done, command: None }
    }

    /// With the command that it runs.
    #[must_use]
    pub fn with_command(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }
}

/// The facts.
#[derive(Debug)]
pub struct HooksReport {
    /// What was asked.
    pub verb: Verb,
    /// The hooks.
    pub hooks: Vec<HookFacts>,
    /// What is in the way.
    pub findings: Diagnostics,
}

impl HooksReport {
    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let is_changed =
            |one: &HookFacts| matches!(one.done, Done::Installed | Done::Merged | Done::Updated | Done::Removed);
        let is_idle = self.verb != Verb::Status && !self.hooks.iter().any(is_changed);
        // An unknown name is a matter of the command line.
        if self.findings.error_codes().any(|code| code == Code::BadValue) {
            return Outcome::Usage;
        }
        Outcome::with_errors(&self.findings, if is_idle { Outcome::NothingToDo } else { Outcome::Done })
    }
}

/// A line for every hook.
#[must_use]
pub fn text(report: &HooksReport, colour: bool) -> String {
    let width = report.hooks.iter().map(|one| one.done.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for one in &report.hooks {
        let is_good = !matches!(one.done, Done::Stale | Done::Blocked);
        let word = paint(colour, if is_good { GREEN } else { YELLOW }, &pad(one.done.as_str(), width, Side::Left));
        let name = pad(one.name, "gemini".len(), Side::Left);
        let command = one.command.as_deref().map_or_else(String::new, |command| format!("  ({})", clean(command)));
        let line = format!("{word}  {name}  {}{command}", clean(&one.file));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if report.outcome() == Outcome::NothingToDo {
        text.push_str("nothing to do\n");
    }
    text
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &HooksReport) -> Result<String, serde_json::Error> {
    let sources = SourceMap::default();
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: "hooks",
        outcome: report.outcome().as_str(),
        verb: report.verb.as_str(),
        hooks: report.hooks.iter().map(HookWire::of).collect(),
        diagnostics: diagnostics(&report.findings, &sources),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax hooks")
}

/// What became of the hooks.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = "hooks"))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// What was asked.
    #[schemars(extend("enum" = words(Verb::ALL, Verb::as_str)))]
    verb: &'static str,
    /// The hooks.
    hooks: Vec<HookWire<'a>>,
    /// What is in the way.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// One hook.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Hook")]
struct HookWire<'a> {
    /// Its name: that of the agent, or `git`.
    name: &'static str,
    /// Its file, relative to the project root, or to the top of the repository for git; null where there is none.
    file: Option<&'a str>,
    /// How it stands, or what was done with it.
    #[schemars(extend("enum" = words(Done::ALL, Done::as_str)))]
    state: &'static str,
    /// The command that it runs; null where it is not known.
    command: Option<&'a str>,
}

impl<'a> HookWire<'a> {
    fn of(one: &'a HookFacts) -> Self {
        let file = Some(one.file.as_str()).filter(|file| !file.is_empty());
        Self { name: one.name, file, state: one.done.as_str(), command: one.command.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;

    fn report(done: Done) -> HooksReport {
        let hook = HookFacts::new("claude", ".claude/settings.json", done).with_command("x\u{1b}".to_owned());
        HooksReport { verb: Verb::Install, hooks: vec![hook], findings: Diagnostics::default() }
    }

    #[test]
    fn the_outcome_follows_from_what_was_done() {
        assert_eq!(report(Done::There).outcome(), Outcome::NothingToDo);
        assert_eq!(report(Done::Merged).outcome(), Outcome::Done);
        let mut held = report(Done::Blocked);
        held.findings.push(Diagnostic::new(Code::ForeignHook, "x"));
        assert_eq!(held.outcome(), Outcome::Conflict);
        assert_eq!(
            text(&report(Done::There), false),
            "there  claude  .claude/settings.json  (x<U+001B>)\nnothing to do\n"
        );
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&document(&report(Done::Installed)).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!(value["hooks"][0]["state"], "installed");
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("hooks", &schema());
    }
}
