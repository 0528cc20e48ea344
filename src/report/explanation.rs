//! What `megax explain` found: the file and who makes it, or codes. For people, and as one JSON document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::Outcome;
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, left_out, pretty, schema_of, words};
use crate::diagnostic::{Code, Diagnostics, Severity};
use crate::limit::Limit;
use crate::span::SourceMap;

/// Who makes a file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedFile")]
pub struct FileFacts {
    /// Its path below the output root.
    pub path: String,
    /// The team that makes it.
    pub team: String,
    /// The mega-file that makes it.
    pub mega_file: MegaFileFacts,
    /// The rule in it.
    pub rule: RuleFacts,
    /// The loop item; null outside of a loop.
    pub item: Option<String>,
    /// The factories that made it, outermost first (`crud > field`); null for the mega-file's own rules.
    pub factory: Option<String>,
    /// What makes its content.
    pub template: TemplateFacts,
    /// How the template is read; null for what is no named template.
    pub syntax: Option<SyntaxFacts>,
    /// What it is to hold; null if it cannot be rendered.
    pub planned: Option<PlannedFacts>,
    /// Why it cannot be rendered; null if it can.
    pub failure: Option<String>,
    /// What is on disk; null if it cannot be rendered.
    pub on_disk: Option<DiskFacts>,
    /// Whether it was detached: `megax expand` leaves whatever is there.
    pub detached: bool,
    /// The line that was asked for; null if none was.
    pub line: Option<LineFacts>,
}

/// A mega-file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedMegaFile")]
pub struct MegaFileFacts {
    /// Its id.
    pub id: String,
    /// Its own path.
    pub path: String,
}

/// A rule.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedRule")]
pub struct RuleFacts {
    /// Its number in the mega-file, from 1.
    pub number: usize,
    /// Where it stands.
    pub at: PlaceFacts,
}

/// What makes a content.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedTemplate")]
pub struct TemplateFacts {
    /// The name of the template, or a word such as `inline` for what is none.
    pub name: String,
    /// Where the template stands; null for what is none.
    pub at: Option<PlaceFacts>,
}

/// How a template is read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedSyntax")]
pub struct SyntaxFacts {
    /// The syntax.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What a file is to hold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedContent")]
pub struct PlannedFacts {
    /// Lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes.
    pub digest: String,
}

/// What is at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ExplainedDisk")]
pub enum DiskFacts {
    /// Nothing.
    Absent,
    /// The planned bytes.
    AsPlanned,
    /// Other bytes.
    Differs,
    /// No ordinary file.
    InTheWay,
}

impl DiskFacts {
    fn words(self) -> &'static str {
        match self {
            Self::Absent => "not there yet",
            Self::AsPlanned => "as planned",
            Self::Differs => "differs from what is planned",
            Self::InTheWay => "something else is in the way",
        }
    }
}

/// A line of the file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedLine")]
pub struct LineFacts {
    /// Its number, from 1.
    pub number: u64,
    /// The line of the mega-file that makes it; null if no single line of a template does.
    pub at: Option<PlaceFacts>,
    /// The text of that line, or why there is none.
    pub text: String,
}

/// A line of a source.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedPlace")]
pub struct PlaceFacts {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl std::fmt::Display for PlaceFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The facts of a file, for people.
#[must_use]
pub fn text(facts: &FileFacts) -> String {
    let mut text = format!("{}\n", facts.path);
    let mut say = |name: &str, value: &str| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {name:<9}  {value}");
    };
    say("team", &facts.team);
    say("mega-file", &format!("{} ({})", facts.mega_file.id, facts.mega_file.path));
    say("rule", &format!("{} ({})", facts.rule.number, facts.rule.at));
    if let Some(item) = &facts.item {
        say("item", item);
    }
    if let Some(factory) = &facts.factory {
        say("factory", factory);
    }
    match &facts.template.at {
        Some(at) => say("template", &format!("{} ({at})", facts.template.name)),
        None => say("template", &facts.template.name),
    }
    if let Some(syntax) = &facts.syntax {
        say("syntax", &format!("{}: {}", syntax.name, syntax.why));
    }
    if let Some(failure) = &facts.failure {
        say("body", &format!("cannot be rendered: {failure}"));
    }
    if let Some(planned) = &facts.planned {
        let short = planned.digest.get(..12).unwrap_or_default();
        say("planned", &format!("{} lines, {} bytes, {short}", planned.lines, planned.bytes));
    }
    if let Some(on_disk) = facts.on_disk {
        say("on disk", on_disk.words());
    }
    if facts.detached {
        say("detached", "left to people, whatever is there (`megax adopt` takes it back)");
    }
    if let Some(LineFacts { number, at, text }) = &facts.line {
        let origin = at.as_ref().map_or_else(|| text.clone(), |at| format!("{at}: {text}"));
        say(&format!("line {number}"), &origin);
    }
    super::clean_lines(&text).into_owned()
}

/// What a subject turned out to be.
#[derive(Debug)]
pub struct Answer<'a> {
    /// What was asked.
    pub subject: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// Who makes the file, if it is one.
    pub file: Option<&'a FileFacts>,
    /// The code or codes, if it is one.
    pub codes: &'a [Code],
    /// The limit or limits, if it is one.
    pub limits: &'a [Limit],
    /// What else is to be said about it, in one line.
    pub note: Option<&'a str>,
    /// The findings.
    pub findings: &'a Diagnostics,
    /// The texts that they point into.
    pub sources: &'a SourceMap,
}

/// What `megax explain` found.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = "explain"))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// What was asked.
    subject: &'a str,
    /// Whether the subject is a code or a limit, or a file that some mega-file makes.
    found: bool,
    /// Who makes the file; null if the subject is none.
    file: Option<&'a FileFacts>,
    /// The code, or all of them for `codes`.
    codes: Vec<CodeWire>,
    /// The limit, or all of them for `limits`.
    limits: Vec<LimitWire>,
    /// What else is known; null for nothing.
    note: Option<&'a str>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// Findings that are not among `diagnostics`, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

/// A code.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Code")]
struct CodeWire {
    /// The stable id.
    code: &'static str,
    /// The id as words.
    name: &'static str,
    /// Its weight unless a run changes it.
    #[schemars(extend("enum" = ["error", "warning", "note"]))]
    severity: &'static str,
    /// What it means, in one line.
    title: &'static str,
    /// Meaning, example and mend, as Markdown; null in the list of all.
    page: Option<&'static str>,
}

/// A limit.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limit")]
struct LimitWire {
    /// Its name in the manifest (`limits: {NAME: N}`) and on the command line (`--limit NAME=N`).
    name: &'static str,
    /// What it is unless a run changes it.
    default: u64,
    /// The most that it can be raised to.
    at_most: u64,
    /// What it bounds, in one line.
    title: &'static str,
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text.
pub fn document(answer: &Answer<'_>) -> Result<String, serde_json::Error> {
    let one = answer.codes.len() == 1;
    let codes = answer.codes.iter().map(|code| CodeWire {
        code: code.id(),
        name: code.name(),
        severity: Severity::as_str(code.severity()),
        title: code.title(),
        page: one.then(|| code.page()),
    });
    let limits = answer.limits.iter().map(|limit| LimitWire {
        name: limit.name(),
        default: limit.default(),
        at_most: limit.most(),
        title: limit.title(),
    });
    let document = Document {
        schema_version: SCHEMA_VERSION,
        command: "explain",
        outcome: answer.outcome.as_str(),
        subject: answer.subject,
        found: answer.file.is_some() || !answer.codes.is_empty() || !answer.limits.is_empty(),
        file: answer.file,
        codes: codes.collect(),
        limits: limits.collect(),
        note: answer.note,
        diagnostics: diagnostics(answer.findings, answer.sources),
        findings_left_out: left_out(answer.findings),
    };
    pretty(&document)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax explain")
}

/// A note about a file that no mega-file plans, for people.
#[must_use]
pub fn unplanned(named: &str, note: Option<&str>) -> String {
    let mut text = format!("{}: no mega-file of the project plans this file\n", clean(named));
    if let Some(note) = note {
        let _ = writeln!(text, "  {}", clean(note));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FileFacts {
        let at = |line| PlaceFacts { file: "m/a.yaml".to_owned(), line };
        FileFacts {
            path: "src/a.ts".to_owned(),
            team: "alpha".to_owned(),
            mega_file: MegaFileFacts { id: "mega-a".to_owned(), path: "m/a.yaml".to_owned() },
            rule: RuleFacts { number: 1, at: at(4) },
            item: None,
            factory: None,
            template: TemplateFacts { name: "page".to_owned(), at: Some(at(9)) },
            syntax: None,
            planned: Some(PlannedFacts { lines: 1, bytes: 2, digest: "0123456789abcdef".to_owned() }),
            failure: None,
            on_disk: Some(DiskFacts::AsPlanned),
            detached: true,
            line: Some(LineFacts { number: 1, at: Some(at(10)), text: "x\u{1b}".to_owned() }),
        }
    }

    #[test]
    fn documents_satisfy_the_schema_and_say_what_was_found() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let (file, findings, sources) = (file(), Diagnostics::default(), SourceMap::default());
        for (file, codes, limits, found) in [
            (Some(&file), &[][..], &[][..], true),
            (None, Code::ALL, &[], true),
            (None, &[], Limit::ALL, true),
            (None, &[], &[], false),
        ] {
            let (subject, outcome, note) = ("x", Outcome::Done, None);
            let answer = Answer { subject, outcome, file, codes, limits, note, findings: &findings, sources: &sources };
            let value: serde_json::Value = serde_json::from_str(&document(&answer).unwrap()).unwrap();
            assert!(validator.is_valid(&value), "{value}");
            assert_eq!(value["found"], found);
            assert_eq!(value["limits"].as_array().unwrap().len(), limits.len());
        }
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn what_a_terminal_obeys_is_named() {
        let text = text(&file());
        assert!(text.contains("  line 1     m/a.yaml:10: x<U+001B>\n"), "{text}");
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("explanation", &schema());
    }
}
