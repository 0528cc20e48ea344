//! The JSON document of a run, and its schema.
//!
//! The wire types below are the format: a change of them changes `schemas/report.schema.json`, and one that could break
//! a reader raises [`SCHEMA_VERSION`]. Fields may be added within a version. Must never format a number for people or
//! change a text; what is unknown is `null`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::context::{self, Trees};
use super::facts::{Change, Command, Counts, Outcome, Report, TeamReport};
use crate::diagnostic::{Diagnostic, Diagnostics, Fix, Severity};
use crate::span::{SourceMap, Span};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice: the document has no map with other keys than text. The serializer's error is handed on.
pub fn document(report: &Report) -> Result<String, serde_json::Error> {
    pretty(&Document::of(report))
}

/// A document, indented, with a line break at its end.
pub(super) fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

/// The JSON Schema (draft 2020-12) of a kind of document.
pub(super) fn schema_of<T: JsonSchema>(title: &str) -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax report")
}

/// What a run of megax found and did.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("enum" = words(Command::ALL, Command::as_str)))]
    command: &'static str,
    /// How the run ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// BLAKE3 over path, mode and digest of every planned file; null if not all of them were rendered.
    tree: Option<String>,
    /// The project manifest in use.
    manifest: Option<&'a str>,
    /// The output root.
    out: &'a str,
    /// The saved plan that was written (`plan`) or applied (`apply`); null if there is none.
    plan: Option<&'a str>,
    /// The totals of the run.
    summary: SummaryWire,
    /// Lockfile shards that change; null if not compared.
    lockfiles: Option<u64>,
    /// The teams of the run.
    teams: Vec<TeamWire<'a>>,
    /// The selected mega-files.
    mega_files: Vec<MegaFileWire<'a>>,
    /// The files, sorted by path.
    files: Vec<FileWire<'a>>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
}

/// Totals; what was not measured is null.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
struct SummaryWire {
    /// Selected mega-files.
    mega_files: u64,
    /// Planned files.
    files: Option<u64>,
    /// Their lines.
    lines: Option<u64>,
    /// Their bytes.
    bytes: Option<u64>,
    /// New files.
    created: Option<u64>,
    /// Files with another content.
    updated: Option<u64>,
    /// Files that are as planned.
    unchanged: Option<u64>,
    /// Files that are no longer planned and go.
    deleted: Option<u64>,
    /// Files that somebody else made or edited, those with conflict markers that are written among them.
    conflicts: Option<u64>,
    /// Findings that are not among `diagnostics`, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

/// One team.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Team")]
struct TeamWire<'a> {
    /// Its name.
    team: &'a str,
    /// Why it writes nothing; null if it is not held.
    held: Option<&'a str>,
    /// Its selected mega-files.
    mega_files: u64,
    /// Planned files.
    files: Option<u64>,
    /// Their lines.
    lines: Option<u64>,
    /// Their bytes.
    bytes: Option<u64>,
    /// New files.
    created: Option<u64>,
    /// Files with another content.
    updated: Option<u64>,
    /// Files that are as planned.
    unchanged: Option<u64>,
    /// Files that are no longer planned and go.
    deleted: Option<u64>,
    /// Files that somebody else made or edited, those with conflict markers that are written among them.
    conflicts: Option<u64>,
    /// The number that the operation log gave to what was written; `megax undo NUMBER` takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<u64>,
}

/// One selected mega-file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MegaFile")]
struct MegaFileWire<'a> {
    /// Its team.
    team: &'a str,
    /// Its id.
    id: &'a str,
    /// Its own path.
    path: &'a str,
    /// Planned files.
    files: Option<u64>,
    /// Their lines.
    lines: Option<u64>,
    /// Their bytes.
    bytes: Option<u64>,
}

/// One output file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileWire<'a> {
    /// Its path below the output root.
    path: &'a str,
    /// The team that makes it.
    team: &'a str,
    /// The id of the mega-file that makes it.
    mega_file: &'a str,
    /// The number of the rule in its mega-file, from 1; null for a file that is no longer planned.
    rule: Option<usize>,
    /// The loop item.
    item: Option<&'a str>,
    /// The template; null for literal content and copies.
    template: Option<&'a str>,
    /// Lines.
    lines: Option<u64>,
    /// Bytes.
    bytes: Option<u64>,
    /// BLAKE3 of the bytes.
    digest: Option<String>,
    /// What happens to it; null if the disk was not compared.
    #[schemars(extend("enum" = optional_words(Change::ALL, Change::as_str)))]
    change: Option<&'static str>,
    /// The place in the mega-file that asks for it.
    origin: Option<OriginWire<'a>>,
}

/// A line of a source.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Origin")]
struct OriginWire<'a> {
    /// The file.
    file: &'a str,
    /// The line, from 1.
    line: u32,
}

/// One finding. Lines and columns count from 1, columns in characters; an end is exclusive.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub(super) struct DiagnosticWire<'a> {
    /// The stable code.
    code: &'static str,
    /// The code as words.
    name: &'static str,
    /// Its weight.
    #[schemars(extend("enum" = words(SEVERITIES, Severity::as_str)))]
    severity: &'static str,
    /// What is wrong.
    message: &'a str,
    /// What to do.
    help: Option<&'a str>,
    /// The file it is about; without a line it may be a path on disk or an argument.
    file: Option<&'a str>,
    /// First line.
    line: Option<u32>,
    /// First column.
    column: Option<u32>,
    /// Last line.
    end_line: Option<u32>,
    /// Column after the last character.
    end_column: Option<u32>,
    /// The keys that lead to the place, where it lies in a document that can be read: `generator.rules[0].generate[2].path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<String>,
    /// The lines of the place as they are written, at most three; `…` stands where they are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
    /// The teams that an error holds; none means all of the run.
    teams: &'a [String],
    /// Other places.
    related: Vec<RelatedWire<'a>>,
    /// A change that mends it for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixWire<'a>>,
}

/// Another place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Related")]
struct RelatedWire<'a> {
    /// The file.
    file: Option<&'a str>,
    /// The line.
    line: Option<u32>,
    /// The column.
    column: Option<u32>,
    /// What is there.
    message: &'a str,
}

/// A replacement in a source.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Fix")]
pub(super) struct FixWire<'a> {
    /// The file.
    pub(super) file: &'a str,
    /// First line.
    pub(super) line: u32,
    /// First column.
    pub(super) column: u32,
    /// Last line.
    pub(super) end_line: u32,
    /// Column after the last character.
    pub(super) end_column: u32,
    /// The new text.
    pub(super) replacement: &'a str,
}

const SEVERITIES: &[Severity] = &[Severity::Error, Severity::Warning, Severity::Note];

pub(super) fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|&one| word(one)).collect()
}

fn optional_words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<Option<&'static str>> {
    all.iter().map(|&one| Some(word(one))).chain([None]).collect()
}

impl<'a> Document<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            command: report.command.as_str(),
            outcome: report.outcome.as_str(),
            tree: report.tree.map(|digest| digest.to_string()),
            manifest: report.manifest.as_deref(),
            out: &report.out,
            plan: report.plan.as_deref(),
            summary: SummaryWire::of(report),
            lockfiles: report.lockfiles,
            teams: teams(report),
            mega_files: mega_files(report),
            files: files(report),
            diagnostics: diagnostics(&report.diagnostics, &report.sources),
        }
    }
}

impl SummaryWire {
    fn of(report: &Report) -> Self {
        let Counts { files, lines, bytes, created, updated, unchanged, deleted, conflicts, kept: _, detached: _ } =
            report.summary.counts;
        let (mega_files, findings_left_out) = (report.summary.mega_files, left_out(&report.diagnostics));
        Self { mega_files, files, lines, bytes, created, updated, unchanged, deleted, conflicts, findings_left_out }
    }
}

/// How many findings are not shown; `None` if all are.
pub(super) fn left_out(diagnostics: &Diagnostics) -> Option<u64> {
    Some(diagnostics.left_out().count).filter(|&count| count > 0)
}

fn teams(report: &Report) -> Vec<TeamWire<'_>> {
    report.teams.iter().map(TeamWire::of).collect()
}

impl<'a> TeamWire<'a> {
    fn of(one: &'a TeamReport) -> Self {
        let TeamReport { team, held, mega_files, counts, operation } = one;
        let Counts { files, lines, bytes, created, updated, unchanged, deleted, conflicts, kept: _, detached: _ } =
            *counts;
        let (mega_files, held, operation) = (*mega_files, held.as_deref(), *operation);
        Self { team, held, mega_files, files, lines, bytes, created, updated, unchanged, deleted, conflicts, operation }
    }
}

fn mega_files(report: &Report) -> Vec<MegaFileWire<'_>> {
    let all = report.mega_files.iter().map(|one| MegaFileWire {
        team: &one.team,
        id: &one.id,
        path: &one.path,
        files: one.counts.files,
        lines: one.counts.lines,
        bytes: one.counts.bytes,
    });
    all.collect()
}

fn files(report: &Report) -> Vec<FileWire<'_>> {
    let all = report.files.iter().map(|one| FileWire {
        path: one.path.as_str(),
        team: &one.team,
        mega_file: &one.mega_file,
        rule: (one.rule > 0).then_some(one.rule),
        item: one.item.as_deref(),
        template: one.template.as_deref(),
        lines: one.lines,
        bytes: one.bytes,
        digest: one.digest.map(|digest| digest.to_string()),
        change: one.change.map(Change::as_str),
        origin: one.origin.and_then(|span| place(span, &report.sources)).map(|place| place.origin()),
    });
    let mut all: Vec<FileWire<'_>> = all.collect();
    all.sort_by(|a, b| a.path.cmp(b.path));
    all
}

/// A span as the wire counts it; also for the other machine formats.
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) end_line: u32,
    pub(super) end_column: u32,
}

impl<'a> Place<'a> {
    fn origin(&self) -> OriginWire<'a> {
        OriginWire { file: self.file, line: self.line }
    }
}

/// The place of a span; `None` for a span of another map.
pub(super) fn place(span: Span, sources: &SourceMap) -> Option<Place<'_>> {
    let file = sources.get(span.file)?;
    let (start, end) = sources.positions(span)?;
    let end = end.max(start);
    let (line, column, end_line, end_column) = (start.line, start.column, end.line, end.column);
    Some(Place { file: file.name(), line, column, end_line, end_column })
}

/// A fix as the wire has it; `None` for one of another map.
pub(super) fn fix<'a>(fix: &'a Fix, sources: &'a SourceMap) -> Option<FixWire<'a>> {
    let Place { file, line, column, end_line, end_column } = place(fix.span, sources)?;
    Some(FixWire { file, line, column, end_line, end_column, replacement: &fix.replacement })
}

/// Findings as the wire has them.
pub(super) fn diagnostics<'a>(
    findings: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &'a SourceMap,
) -> Vec<DiagnosticWire<'a>> {
    let mut trees = Trees::new(sources);
    let wire = |one| DiagnosticWire { keys: trees.keys(one), ..diagnostic(one, sources) };
    findings.into_iter().map(wire).collect()
}

/// One finding, without its keys.
fn diagnostic<'a>(one: &'a Diagnostic, sources: &'a SourceMap) -> DiagnosticWire<'a> {
    let own = one.span.and_then(|span| place(span, sources));
    let related = one.related.iter().map(|related| {
        let place = related.span.and_then(|span| place(span, sources));
        let (file, line) = (place.as_ref().map(|place| place.file), place.as_ref().map(|place| place.line));
        RelatedWire { file, line, column: place.map(|place| place.column), message: &related.message }
    });
    let fix = one.fix.as_ref().and_then(|one| fix(one, sources));
    DiagnosticWire {
        code: one.code.id(),
        name: one.code.name(),
        severity: one.severity.as_str(),
        message: &one.message,
        help: one.help.as_deref(),
        file: own.as_ref().map_or(one.subject.as_deref(), |place| Some(place.file)),
        line: own.as_ref().map(|place| place.line),
        column: own.as_ref().map(|place| place.column),
        end_line: own.as_ref().map(|place| place.end_line),
        end_column: own.as_ref().map(|place| place.end_column),
        keys: None,
        excerpt: one.span.and_then(|span| context::lines(sources, span)),
        teams: &one.teams,
        related: related.collect(),
        fix,
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
pub(super) mod tests;
