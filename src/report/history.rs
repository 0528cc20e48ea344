//! What the operation log holds and what was done with it, for people and as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Outcome;
use super::json::{DiagnosticWire, SCHEMA_VERSION, diagnostics, pretty, schema_of, words};
use super::words::count;
use crate::diagnostic::Diagnostics;
use crate::digest::Digest;
use crate::disk::{Checkpoint, Fate, Footing, Operation, OperationKind, Pruned, Reversed};
use crate::span::SourceMap;

/// The facts of a command about the log.
#[derive(Debug)]
pub struct HistoryReport {
    /// The output root, for display.
    pub out: String,
    /// What was found or done; none if it failed.
    pub deed: Option<Deed>,
    /// What is to be said about it, or what went wrong.
    pub findings: Diagnostics,
}

/// What was found or done.
#[derive(Debug)]
pub enum Deed {
    /// The operations, newest first.
    Log {
        /// The operations.
        operations: Vec<Operation>,
        /// All checkpoints, by name.
        checkpoints: Vec<Checkpoint>,
    },
    /// Operations were undone; none, if there were none.
    Reversed {
        /// Their numbers, ascending.
        undoes: Vec<u64>,
        /// What came of it.
        reversed: Reversed,
    },
    /// A checkpoint was made, or moved.
    Checkpoint {
        /// The checkpoint.
        made: Checkpoint,
        /// Where it was before.
        before: Option<u64>,
    },
    /// A checkpoint's name was taken away.
    Forgotten(Checkpoint),
    /// The checkpoints, by name.
    Checkpoints(Vec<Checkpoint>),
    /// Old operations were removed.
    Pruned(Pruned),
}

impl HistoryReport {
    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let done = match &self.deed {
            Some(Deed::Reversed { undoes, .. }) if undoes.is_empty() => Outcome::NothingToDo,
            Some(Deed::Pruned(pruned)) if *pruned == Pruned::default() => Outcome::NothingToDo,
            _ => Outcome::Done,
        };
        Outcome::with_errors(&self.findings, done)
    }
}

pub(super) fn listed(numbers: &[u64]) -> String {
    match numbers {
        [one] => format!("operation {one}"),
        [first, .., last] if numbers.len() as u64 == last - first + 1 => format!("operations {first} to {last}"),
        _ => {
            let all: Vec<String> = numbers.iter().map(u64::to_string).collect();
            format!("operations {}", all.join(", "))
        }
    }
}

/// What is printed for people.
#[must_use]
pub fn text(report: &HistoryReport) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = match &report.deed {
        None => Ok(()),
        Some(Deed::Log { operations, checkpoints }) => {
            text = log_text(operations, checkpoints);
            Ok(())
        }
        Some(Deed::Reversed { undoes, .. }) if undoes.is_empty() => {
            writeln!(text, "nothing to do: no operation comes after that place")
        }
        Some(Deed::Reversed { undoes, reversed }) => {
            for (path, fate) in &reversed.files {
                let _ = writeln!(text, "{}  {path}", fate_word(*fate).0);
            }
            let files = count(reversed.files.len() as u64, "file");
            let back = reversed.operation.map_or_else(String::new, |number| {
                format!("; this is operation {number} (`megax undo {number}` does it again)")
            });
            writeln!(text, "undone: {}, {files}{back}", listed(undoes))
        }
        Some(Deed::Checkpoint { made, before }) => {
            let moved = before.map_or_else(String::new, |before| format!(" (it was operation {before})"));
            writeln!(text, "checkpoint {}: operation {}{moved}", made.name, made.operation)
        }
        Some(Deed::Forgotten(point)) => {
            writeln!(text, "checkpoint {} deleted (it was operation {})", point.name, point.operation)
        }
        Some(Deed::Checkpoints(checkpoints)) if checkpoints.is_empty() => writeln!(text, "no checkpoints"),
        Some(Deed::Checkpoints(checkpoints)) => {
            for point in checkpoints {
                let _ = writeln!(text, "{}  operation {}", point.name, point.operation);
            }
            Ok(())
        }
        Some(Deed::Pruned(pruned)) if pruned.operations == 0 && pruned.bytes == 0 => {
            writeln!(text, "nothing to do: no operation is beyond what is kept")
        }
        Some(Deed::Pruned(pruned)) => {
            let operations = count(pruned.operations as u64, "operation");
            writeln!(text, "removed {operations} from the log, {} bytes freed", pruned.bytes)
        }
    };
    text
}

fn log_text(operations: &[Operation], checkpoints: &[Checkpoint]) -> String {
    if operations.is_empty() {
        return "no operations\n".to_owned();
    }
    let what = |one: &Operation| match one.undoes.as_slice() {
        [] => one.kind.as_str().to_owned(),
        undoes => format!("{} of {}", one.kind.as_str(), listed(undoes)),
    };
    let teams = |one: &Operation| one.teams.join(", ");
    let widest = |of: &dyn Fn(&Operation) -> String| operations.iter().map(|one| of(one).len()).max().unwrap_or(0);
    let (first, second) = (widest(&what), widest(&teams));
    let mut text = String::new();
    for one in operations {
        let _ = write!(text, "{:>4}  {:first$}  {:second$}  ", one.number, what(one), teams(one));
        let _ = write!(text, "{} created, {} updated, {} deleted", one.created, one.updated, one.deleted);
        let _ = write!(text, "  {}", tree_text(&one.footing));
        if let Some(by) = one.undone_by {
            let _ = write!(text, "  undone by {by}");
        }
        for point in checkpoints.iter().filter(|point| point.operation == one.number) {
            let _ = write!(text, "  [{}]", point.name);
        }
        text.push('\n');
    }
    text
}

/// `tree 09f6cca52c98 -> 469f5bbed171`: where an operation came from and led to.
fn tree_text(footing: &Footing) -> String {
    let short = |digest: Option<Digest>| digest.map_or_else(|| "unknown".to_owned(), |digest| digest.short());
    match (short(footing.before), short(footing.after)) {
        (before, after) if before == after => format!("tree {before}"),
        (before, after) => format!("tree {before} -> {after}"),
    }
}

/// The letter for people and the word for documents.
fn fate_word(fate: Fate) -> (char, &'static str) {
    match fate {
        Fate::Deleted => ('D', "deleted"),
        Fate::Restored => ('M', "restored"),
        Fate::Recreated => ('A', "recreated"),
    }
}

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &HistoryReport) -> Result<String, serde_json::Error> {
    let sources = SourceMap::default();
    let mut document = Document {
        schema_version: SCHEMA_VERSION,
        outcome: report.outcome().as_str(),
        out: &report.out,
        operations: None,
        checkpoints: None,
        undone: None,
        operation: None,
        files: None,
        removed: None,
        diagnostics: diagnostics(&report.findings, &sources),
    };
    match &report.deed {
        None => {}
        Some(Deed::Log { operations, checkpoints }) => {
            document.operations = Some(operations.iter().map(OperationWire::of).collect());
            document.checkpoints = Some(checkpoints.iter().map(CheckpointWire::of).collect());
        }
        Some(Deed::Reversed { undoes, reversed }) => {
            document.undone = Some(undoes);
            document.operation = reversed.operation;
            let file = |(path, fate): &(String, Fate)| FileWire { path: path.clone(), change: fate_word(*fate).1 };
            document.files = Some(reversed.files.iter().map(file).collect());
        }
        Some(Deed::Checkpoint { made: point, .. } | Deed::Forgotten(point)) => {
            document.checkpoints = Some(vec![CheckpointWire::of(point)]);
        }
        Some(Deed::Checkpoints(all)) => document.checkpoints = Some(all.iter().map(CheckpointWire::of).collect()),
        Some(Deed::Pruned(pruned)) => {
            document.removed = Some(RemovedWire { operations: pruned.operations, bytes: pruned.bytes });
        }
    }
    pretty(&document)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax log")
}

/// What `megax log`, `undo`, `rollback`, `checkpoint` and `gc` found and did.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The output root.
    out: &'a str,
    /// `log`: the operations, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<OperationWire<'a>>>,
    /// `log` and `checkpoint list`: all checkpoints, by name; `checkpoint create` and
    /// `checkpoint delete`: the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints: Option<Vec<CheckpointWire<'a>>>,
    /// `undo` and `rollback`: the numbers of the operations that were undone, ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<&'a [u64]>,
    /// `undo` and `rollback`: its own number; undoing that one does everything again.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<u64>,
    /// `undo` and `rollback`: the files, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileWire>>,
    /// `gc`: what was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<RemovedWire>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// An operation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Operation")]
struct OperationWire<'a> {
    /// Its number; a later operation has a greater one.
    number: u64,
    /// What it was.
    #[schemars(extend("enum" = OperationKind::ALL.map(OperationKind::as_str)))]
    kind: &'static str,
    /// The operations that it undid, ascending.
    undoes: &'a [u64],
    /// The operation that undid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<u64>,
    /// The teams whose files it concerned.
    teams: &'a [String],
    /// Files made.
    created: usize,
    /// Files changed.
    updated: usize,
    /// Files deleted.
    deleted: usize,
    /// Per team the digest of what its files are made from after the operation: over its mega-files and the digests of
    /// their inputs, as the lockfile records them. A team is absent if one of its mega-files was applied in part only, or
    /// none is left.
    inputs: BTreeMap<&'a str, String>,
    /// The digest of the tree of its teams before it: over path, mode and digest of every file that their lockfile
    /// records, as megax rendered it (an edit does not count). Absent if it was not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree_before: Option<String>,
    /// The same after it; equal digests are equal trees, so the undo of an undo leads where the operation led.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree_after: Option<String>,
    /// An apply: the digest of the listing of all texts that it was made from, `.megax/inputs/DIGEST.list`. Absent if
    /// they could not be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    listing: Option<String>,
}

impl<'a> OperationWire<'a> {
    fn of(one: &'a Operation) -> Self {
        let Operation { number, kind, undoes, teams, footing, listing, created, updated, deleted, undone_by } = one;
        let (number, created, updated, deleted) = (*number, *created, *updated, *deleted);
        let text = |digest: &Digest| digest.to_string();
        let inputs = teams.iter().zip(&footing.inputs);
        let inputs = inputs.filter_map(|(team, digest)| Some((team.as_str(), text(digest.as_ref()?)))).collect();
        Self {
            number,
            kind: kind.as_str(),
            undoes,
            undone_by: *undone_by,
            teams,
            created,
            updated,
            deleted,
            inputs,
            tree_before: footing.before.as_ref().map(text),
            tree_after: footing.after.as_ref().map(text),
            listing: listing.as_ref().map(text),
        }
    }
}

/// A named place in the log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Checkpoint")]
struct CheckpointWire<'a> {
    /// Its name.
    name: &'a str,
    /// The last operation when it was made; 0 before the first.
    operation: u64,
}

impl<'a> CheckpointWire<'a> {
    fn of(one: &'a Checkpoint) -> Self {
        Self { name: &one.name, operation: one.operation }
    }
}

/// A file that was brought back to what it was.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReversedFile")]
struct FileWire {
    /// Relative to the output root.
    path: String,
    /// What happened to it.
    #[schemars(extend("enum" = [Fate::Deleted, Fate::Restored, Fate::Recreated].map(|fate| fate_word(fate).1)))]
    change: &'static str,
}

/// What was removed from the log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Removed")]
struct RemovedWire {
    /// How many operations.
    operations: usize,
    /// How many bytes they held.
    bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let operation = Operation {
            number: 3,
            kind: OperationKind::Undo,
            undoes: vec![2],
            teams: vec!["alpha".to_owned()],
            footing: Footing {
                inputs: vec![Some(Digest::of(b"i"))],
                before: Some(Digest::of(b"b")),
                after: Some(Digest::of(b"a")),
            },
            listing: Some(Digest::of(b"l")),
            created: 1,
            updated: 0,
            deleted: 2,
            undone_by: Some(4),
        };
        let point = || Checkpoint { name: "good".to_owned(), operation: 3 };
        let reversed = Reversed { operation: Some(5), unlogged: None, files: vec![("a".to_owned(), Fate::Recreated)] };
        let deeds = [
            Some(Deed::Log { operations: vec![operation], checkpoints: vec![point()] }),
            Some(Deed::Reversed { undoes: vec![2, 4], reversed }),
            Some(Deed::Checkpoint { made: point(), before: None }),
            Some(Deed::Checkpoints(vec![point()])),
            Some(Deed::Forgotten(point())),
            Some(Deed::Pruned(Pruned { operations: 1, bytes: 12 })),
            None,
        ];
        for deed in deeds {
            let report = HistoryReport { out: ".".to_owned(), deed, findings: Diagnostics::default() };
            let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
            assert!(validator.is_valid(&value), "{value}");
        }
        let wrong = serde_json::json!({ "schema_version": 1, "outcome": "fine", "out": ".", "diagnostics": [] });
        assert!(!validator.is_valid(&wrong));
    }

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("log", &schema());
    }

    #[test]
    fn numbers_are_listed_in_as_few_words_as_possible() {
        assert_eq!(listed(&[7]), "operation 7");
        assert_eq!(listed(&[3, 4, 5]), "operations 3 to 5");
        assert_eq!(listed(&[3, 5]), "operations 3, 5");
    }
}
