//! What `megax repair`, `detach` and `adopt` did, for people and as a document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::clean;
use super::facts::{Outcome, words as as_words};
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, left_out, pretty, schema_of, words};
use super::words::count;
use crate::diagnostic::Diagnostics;
use crate::span::SourceMap;

as_words! {
    /// Which command ran.
    MendCommand {
        /// `megax repair`.
        Repair "repair",
        /// `megax detach`.
        Detach "detach",
        /// `megax adopt`.
        Adopt "adopt",
    }
}

as_words! {
    /// What happened to a file, or to a shard of the lockfile.
    Mended {
        /// It was gone and is there again.
        Recreated "recreated",
        /// Its mode is the recorded one again.
        Mode "mode",
        /// It was edited and overwritten on request.
        Replaced "replaced",
        /// It was left to people.
        Detached "detached",
        /// It was taken back from people.
        Adopted "adopted",
        /// Nothing: it was so before.
        Unchanged "unchanged",
        /// Nothing: it is planned, but not written yet, and no shard records it.
        Unwritten "unwritten",
        /// The shard was made anew.
        Rebuilt "rebuilt",
        /// The shard records nothing any more and is gone.
        Removed "removed",
    }
}

impl Mended {
    /// Whether anything was done.
    fn is_change(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Unwritten)
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendedFile {
    /// Where, below the output root.
    pub path: String,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// What happened to it.
    pub change: Mended,
}

/// One shard of the lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendedShard {
    /// Where, below the output root.
    pub path: String,
    /// The team.
    pub team: String,
    /// What happened to it.
    pub change: Mended,
    /// Where its old text is kept, below the output root.
    pub kept: Option<String>,
}

/// All facts.
#[derive(Debug)]
pub struct MendReport {
    /// Which command ran.
    pub command: MendCommand,
    /// The output root, for display.
    pub out: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The files that changed or were asked for, sorted.
    pub files: Vec<MendedFile>,
    /// The shards that were rebuilt, sorted.
    pub lockfiles: Vec<MendedShard>,
    /// The numbers in the operation log, ascending.
    pub operations: Vec<u64>,
    /// What is to be said about it, or what went wrong.
    pub findings: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

impl MendReport {
    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let changed = self.files.iter().any(|file| file.change.is_change()) || !self.lockfiles.is_empty();
        let done = if changed { Outcome::Done } else { Outcome::NothingToDo };
        Outcome::with_errors(&self.findings, done)
    }
}

/// What is printed for people.
#[must_use]
pub fn text(report: &MendReport) -> String {
    let mut text = String::new();
    let files = report.files.iter().filter(|file| file.change != Mended::Unchanged);
    let rows: Vec<(&str, &str)> = files
        .map(|file| (file.change.as_str(), file.path.as_str()))
        .chain(report.lockfiles.iter().map(|shard| (shard.change.as_str(), shard.path.as_str())))
        .collect();
    let width = rows.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    for (word, path) in &rows {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{word:width$}  {}", clean(path));
    }
    text.push_str(&closing(report));
    text.push('\n');
    text
}

fn closing(report: &MendReport) -> String {
    let files = report.files.iter().filter(|file| file.change.is_change()).count() as u64;
    let shards = report.lockfiles.len() as u64;
    if files + shards == 0 {
        return match report.command {
            _ if report.findings.has_errors() => "nothing was changed".to_owned(),
            MendCommand::Repair => "nothing to repair".to_owned(),
            MendCommand::Detach => "nothing to do: detached already".to_owned(),
            MendCommand::Adopt if report.files.iter().any(|file| file.change == Mended::Unwritten) => {
                "nothing to do: `megax expand` makes what is not written yet".to_owned()
            }
            MendCommand::Adopt => "nothing to do: megax keeps it already".to_owned(),
        };
    }
    let would = report.dry_run;
    let verb = match report.command {
        MendCommand::Repair if would => "to repair",
        MendCommand::Repair => "repaired",
        MendCommand::Detach => "detached",
        MendCommand::Adopt => "adopted",
    };
    let mut amounts = Vec::new();
    if files > 0 {
        amounts.push(count(files, "file"));
    }
    if shards > 0 {
        amounts.push(count(shards, "lockfile"));
    }
    let numbers: Vec<String> = report.operations.iter().map(u64::to_string).collect();
    let back = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!("; this is operation {one} (`megax undo {one}` takes it back)"),
        many => format!("; these are operations {}", many.join(", ")),
    };
    format!("{verb}: {}{back}", amounts.join(", "))
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &MendReport) -> Result<String, serde_json::Error> {
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: report.command.as_str(),
        outcome: report.outcome().as_str(),
        out: &report.out,
        dry_run: report.dry_run,
        files: report.files.iter().map(FileWire::of).collect(),
        lockfiles: report.lockfiles.iter().map(ShardWire::of).collect(),
        operations: &report.operations,
        diagnostics: diagnostics(&report.findings, &report.sources),
        findings_left_out: left_out(&report.findings),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax repair")
}

/// What `megax repair`, `detach` and `adopt` did.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("enum" = words(MendCommand::ALL, MendCommand::as_str)))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The output root.
    out: &'a str,
    /// Whether nothing was to be written (`repair --dry-run`): then `files` and `lockfiles` are what would be.
    dry_run: bool,
    /// The files that changed, and those that were named but needed no change; sorted.
    files: Vec<FileWire<'a>>,
    /// The shards of the lockfile that were rebuilt, sorted.
    lockfiles: Vec<ShardWire<'a>>,
    /// The numbers in the operation log, ascending; `megax undo` takes each back.
    operations: &'a [u64],
    /// The findings: what could not be repaired, and why.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// Findings that are not among `diagnostics`, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

const OF_FILES: &[Mended] = &[
    Mended::Recreated,
    Mended::Mode,
    Mended::Replaced,
    Mended::Detached,
    Mended::Adopted,
    Mended::Unchanged,
    Mended::Unwritten,
];
const OF_SHARDS: &[Mended] = &[Mended::Rebuilt, Mended::Removed];

/// A file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MendedFile")]
struct FileWire<'a> {
    /// Its path below the output root.
    path: &'a str,
    /// The team.
    team: &'a str,
    /// The id of the mega-file.
    mega_file: &'a str,
    /// What happened to it.
    #[schemars(extend("enum" = words(OF_FILES, Mended::as_str)))]
    change: &'static str,
}

impl<'a> FileWire<'a> {
    fn of(one: &'a MendedFile) -> Self {
        Self { path: &one.path, team: &one.team, mega_file: &one.mega_file, change: one.change.as_str() }
    }
}

/// A shard of the lockfile.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MendedLockfile")]
struct ShardWire<'a> {
    /// Its path below the output root.
    path: &'a str,
    /// The team.
    team: &'a str,
    /// What happened to it.
    #[schemars(extend("enum" = words(OF_SHARDS, Mended::as_str)))]
    change: &'static str,
    /// Where its old text is kept, below the output root; null if there was none.
    kept: Option<&'a str>,
}

impl<'a> ShardWire<'a> {
    fn of(one: &'a MendedShard) -> Self {
        Self { path: &one.path, team: &one.team, change: one.change.as_str(), kept: one.kept.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn report(command: MendCommand, change: Mended) -> MendReport {
        let (path, team, mega_file) = ("src/a\u{1b}".to_owned(), "t".to_owned(), "m".to_owned());
        let shard = MendedShard {
            path: ".megax/lock/t/m.lock".to_owned(),
            team: team.clone(),
            change: Mended::Rebuilt,
            kept: Some(".megax/kept/0".to_owned()),
        };
        MendReport {
            command,
            out: ".".to_owned(),
            dry_run: false,
            files: vec![MendedFile { path, team, mega_file, change }],
            lockfiles: if command == MendCommand::Repair { vec![shard] } else { Vec::new() },
            operations: vec![3],
            findings: Diagnostics::default(),
            sources: SourceMap::default(),
        }
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for &command in MendCommand::ALL {
            for &change in OF_FILES {
                let value: serde_json::Value =
                    serde_json::from_str(&document(&report(command, change)).unwrap()).unwrap();
                assert!(validator.is_valid(&value), "{value}");
            }
        }
        let wrong = document(&report(MendCommand::Detach, Mended::Rebuilt)).unwrap();
        assert!(!validator.is_valid(&serde_json::from_str(&wrong).unwrap()), "no file is rebuilt");
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("mend", &schema());
    }

    #[test]
    fn people_read_what_changed_and_how_it_is_taken_back() {
        let text = text(&report(MendCommand::Repair, Mended::Recreated));
        let expected = "recreated  src/a<U+001B>\nrebuilt    .megax/lock/t/m.lock\n\
                        repaired: 1 file, 1 lockfile; this is operation 3 (`megax undo 3` takes it back)\n";
        assert_eq!(text, expected);
        let mut idle = report(MendCommand::Adopt, Mended::Unchanged);
        assert_eq!(
            (super::text(&idle).as_str(), idle.outcome()),
            ("nothing to do: megax keeps it already\n", Outcome::NothingToDo)
        );
        idle.files[0].change = Mended::Unwritten;
        let expected = "unwritten  src/a<U+001B>\nnothing to do: `megax expand` makes what is not written yet\n";
        assert_eq!((super::text(&idle).as_str(), idle.outcome()), (expected, Outcome::NothingToDo));
        idle.findings.push(crate::diagnostic::Diagnostic::new(Code::NoInput, "x"));
        assert_eq!(
            (super::text(&idle).as_str(), idle.outcome()),
            ("unwritten  src/a<U+001B>\nnothing was changed\n", Outcome::Wrong)
        );
    }
}
