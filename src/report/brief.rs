//! What `megax brief` made: texts for agents, and the same as one JSON document.

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Change, Command, Outcome};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use super::words::number;
use crate::diagnostic::Diagnostics;
use crate::span::SourceMap;

/// The facts.
#[derive(Debug)]
pub struct BriefReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The project root, as the user would name it.
    pub root: String,
    /// The briefs; none if something is wrong.
    pub briefs: Vec<Brief>,
    /// The files in which they are kept, if that was asked for.
    pub files: Vec<BriefFile>,
    /// What is wrong with the manifest, the templates of briefs, or what was asked for.
    pub diagnostics: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// One brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The team; `None` for the orchestrator.
    pub team: Option<String>,
    /// The team's name, or `orchestrator`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// How many characters it has.
    pub characters: usize,
}

/// A file that holds a brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefFile {
    /// Its path as the user would name it.
    pub path: String,
    /// What happened to it.
    pub change: Change,
}

/// How long the briefs are, a line for each: for stderr, so that the text itself can be piped to an agent. `most` is
/// from where on one is long.
#[must_use]
pub fn lengths(report: &BriefReport, most: usize) -> String {
    let line = |brief: &Brief| {
        let team = if brief.team.is_some() { "team " } else { "the " };
        let long = if brief.characters > most {
            format!(" (over {}: long for what is read before everything else)", number(most as u64))
        } else {
            String::new()
        };
        format!("brief of {team}{}: {} characters{long}\n", brief.name, number(brief.characters as u64))
    };
    report.briefs.iter().map(line).collect()
}

/// What became of the files, a line for each.
#[must_use]
pub fn files(report: &BriefReport) -> String {
    let line = |file: &BriefFile| format!("{:9}  {}\n", file.change.as_str(), super::clean(&file.path));
    report.files.iter().map(line).collect()
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text.
pub fn document(report: &BriefReport) -> Result<String, serde_json::Error> {
    let briefs = report.briefs.iter().map(|brief| BriefWire {
        team: brief.team.as_deref(),
        name: &brief.name,
        characters: brief.characters,
        text: &brief.text,
    });
    let files = report.files.iter().map(|file| FileWire { path: &file.path, change: file.change.as_str() });
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: Command::Brief.as_str(),
        outcome: report.outcome.as_str(),
        root: &report.root,
        briefs: briefs.collect(),
        files: files.collect(),
        diagnostics: diagnostics(&report.diagnostics, &report.sources),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax brief")
}

/// The briefs of teams and their orchestrator.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = Command::Brief.as_str()))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The project root.
    root: &'a str,
    /// The briefs; none if something is wrong.
    briefs: Vec<BriefWire<'a>>,
    /// The files in which they are kept, if that was asked for.
    files: Vec<FileWire<'a>>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// One brief.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Brief")]
struct BriefWire<'a> {
    /// The team; null for the orchestrator.
    team: Option<&'a str>,
    /// The team's name, or `orchestrator`.
    name: &'a str,
    /// How many characters the text has.
    characters: usize,
    /// The text, Markdown.
    text: &'a str,
}

/// A file that holds a brief.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileWire<'a> {
    /// Its path, relative to the current folder where it lies below it.
    path: &'a str,
    /// What happened to it.
    #[schemars(extend("enum" = ["create", "update", "unchanged"]))]
    change: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> BriefReport {
        let brief = |team: Option<&str>, characters| Brief {
            team: team.map(str::to_owned),
            name: team.unwrap_or("orchestrator").to_owned(),
            text: "# Brief\n".to_owned(),
            characters,
        };
        BriefReport {
            outcome: Outcome::Done,
            root: ".".to_owned(),
            briefs: vec![brief(Some("beta"), 4_812), brief(None, 6_001)],
            files: vec![BriefFile { path: "briefs/beta.md".to_owned(), change: Change::Create }],
            diagnostics: Diagnostics::default(),
            sources: SourceMap::default(),
        }
    }

    #[test]
    fn lengths_are_said_and_long_ones_are_called_so() {
        assert_eq!(
            lengths(&report(), 6_000),
            "brief of team beta: 4,812 characters\n\
             brief of the orchestrator: 6,001 characters (over 6,000: long for what is read before everything else)\n"
        );
        assert_eq!(files(&report()), "create     briefs/beta.md\n");
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&document(&report()).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!(value["briefs"][1]["team"], serde_json::Value::Null);
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("brief", &schema());
    }
}
