//! What `init`, `new` and `brief --templates` made: for people, and as one JSON document. Must never say that a file was made in a dry run.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::{Change, Outcome};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use super::paint::{BOLD, DIM, paint};
use super::table::{Side, pad};
use super::words::count;
use crate::diagnostic::Diagnostics;
use crate::span::SourceMap;

/// The facts.
#[derive(Debug)]
pub struct Made {
    /// `init` or `new`.
    pub command: &'static str,
    /// The project root, as the user would name it.
    pub root: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The files; none if something went wrong.
    pub files: Vec<MadeFile>,
    /// What to do next.
    pub next: Vec<Step>,
    /// What went wrong.
    pub findings: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// A file that was made, or was there with the same text.
#[derive(Debug, PartialEq, Eq)]
pub struct MadeFile {
    path: String,
    about: &'static str,
    lines: u64,
    bytes: u64,
    change: Change,
}

impl MadeFile {
    /// The facts of a file below the project root.
    #[must_use]
    pub fn new(path: &str, text: &str, about: &'static str, change: Change) -> Self {
        Self { path: path.to_owned(), about, lines: text.lines().count() as u64, bytes: text.len() as u64, change }
    }
}

/// A command to run next, and what for.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    command: String,
    purpose: &'static str,
}

impl Step {
    /// A command, and what it is good for in a few words.
    #[must_use]
    pub fn new(command: impl Into<String>, purpose: &'static str) -> Self {
        Self { command: command.into(), purpose }
    }
}

impl Made {
    /// Nothing made yet.
    #[must_use]
    pub fn new(command: &'static str, root: String, dry_run: bool) -> Self {
        let (findings, sources) = (Diagnostics::default(), SourceMap::default());
        Self { command, root, dry_run, files: Vec::new(), next: Vec::new(), findings, sources }
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let quiet = self.files.iter().all(|file| file.change == Change::Unchanged);
        let done = if quiet { Outcome::NothingToDo } else { Outcome::Done };
        Outcome::with_errors(&self.findings, done)
    }
}

/// The files and the next commands, for people. Empty if nothing was made.
#[must_use]
pub fn text(made: &Made, colour: bool) -> String {
    if made.files.is_empty() {
        return String::new();
    }
    let created = made.files.iter().filter(|file| file.change == Change::Create).count();
    let place = if made.root == "." { "here".to_owned() } else { format!("in {}", clean(&made.root)) };
    let updated = made.files.iter().filter(|file| file.change == Change::Update).count();
    let (create, update) = if made.dry_run { ("would make", "would change") } else { ("made", "changed") };
    let said = [(create, created), (update, updated)].into_iter().filter(|(_, number)| *number > 0);
    let said: Vec<String> = said.map(|(verb, number)| format!("{verb} {}", count(number as u64, "file"))).collect();
    let headline = if said.is_empty() {
        format!("nothing to do: all is there {place} already")
    } else {
        format!("{} {place}:", said.join(", "))
    };
    let mut out = paint(colour, BOLD, &headline) + "\n";
    let width = made.files.iter().map(|file| file.path.chars().count()).max().unwrap_or(0);
    for file in &made.files {
        let there = if file.change == Change::Unchanged { " (there already)" } else { "" };
        let about = paint(colour, DIM, &format!("{}{there}", file.about));
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "  {}  {about}", pad(&clean(&file.path), width, Side::Left));
    }
    if !made.dry_run && !made.next.is_empty() {
        out.push_str("\nnext:\n");
        let width = made.next.iter().map(|step| step.command.chars().count()).max().unwrap_or(0);
        for step in &made.next {
            let line =
                format!("  {}  {}", pad(&clean(&step.command), width, Side::Left), paint(colour, DIM, step.purpose));
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// What a command that starts something made.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("enum" = ["init", "new", "brief"]))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The project root.
    root: &'a str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// The files; none if something went wrong.
    files: Vec<FileWire<'a>>,
    /// Commands to run next.
    next: Vec<&'a str>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// One file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileWire<'a> {
    /// Its path below the project root.
    path: &'a str,
    /// What happened, or would happen, to it.
    #[schemars(extend("enum" = ["create", "update", "unchanged"]))]
    change: &'static str,
    /// What it is.
    about: &'a str,
    /// Its lines.
    lines: u64,
    /// Its bytes.
    bytes: u64,
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text.
pub fn document(made: &Made) -> Result<String, serde_json::Error> {
    let files = made.files.iter().map(|file| FileWire {
        path: &file.path,
        change: file.change.as_str(),
        about: file.about,
        lines: file.lines,
        bytes: file.bytes,
    });
    let document = Document {
        schema_version: SCHEMA_VERSION,
        command: made.command,
        outcome: made.outcome().as_str(),
        root: &made.root,
        dry_run: made.dry_run,
        files: files.collect(),
        next: made.next.iter().map(|step| step.command.as_str()).collect(),
        diagnostics: diagnostics(&made.findings, &made.sources),
    };
    pretty(&document)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax init, megax new and megax brief --templates")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::diagnostic::Diagnostic;

    fn made() -> Made {
        let mut made = Made::new("init", ".".to_owned(), false);
        made.files = vec![
            MadeFile::new("a.yaml", "x\ny\n", "one", Change::Create),
            MadeFile::new("longer/b", "", "two", Change::Unchanged),
        ];
        made.next = vec![Step::new("megax expand", "write it"), Step::new("cd x", "")];
        made
    }

    #[test]
    fn people_read_what_was_made_and_what_comes_next() {
        let expected = "made 1 file here:\n  a.yaml    one\n  longer/b  two (there already)\n\n\
                        next:\n  megax expand  write it\n  cd x\n";
        assert_eq!(text(&made(), false), expected);
        let dry = Made { dry_run: true, root: "shop".to_owned(), ..made() };
        assert!(text(&dry, false).starts_with("would make 1 file in shop:\n"));
        assert!(!text(&dry, false).contains("next:"));
    }

    #[test]
    fn the_outcome_follows_the_gravest_finding() {
        let with = |code| {
            let mut made = made();
            made.findings.push(Diagnostic::new(code, "x"));
            made.outcome()
        };
        assert_eq!(made().outcome(), Outcome::Done);
        assert_eq!(with(Code::AlreadyThere), Outcome::Conflict);
        assert_eq!(with(Code::DiskFailed), Outcome::DiskFailed);
        assert_eq!(with(Code::UnknownTeam), Outcome::Wrong);
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let mut failed = Made::new("new", "x".to_owned(), false);
        failed.findings.push(Diagnostic::new(Code::AlreadyThere, "x").help("y"));
        for made in [made(), failed] {
            let value: serde_json::Value = serde_json::from_str(&document(&made).unwrap()).unwrap();
            assert!(validator.is_valid(&value), "{value}");
        }
        assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1 })));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("made", &schema());
    }
}
