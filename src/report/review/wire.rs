//! The JSON document of `megax review`, and its schema (`schemas/review.schema.json`).

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Lack, LockChange, LockedMegaFile, MegaFileReview, PointReview, PointState, Reason, ReviewReport, SlotReview,
    TeamReview,
};
use crate::report::facts::{Command, Outcome};
use crate::report::json::{DiagnosticWire, diagnostics, left_out, pretty, schema_of, words};
use crate::report::status_json::{CoverageWire, MeasureWire};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn document(report: &ReviewReport) -> Result<String, serde_json::Error> {
    pretty(&Document {
        schema_version: SCHEMA_VERSION,
        command: Command::Review.as_str(),
        outcome: report.outcome.as_str(),
        manifest: report.manifest.as_deref(),
        out: &report.out,
        ready: report.is_ready(),
        teams: report.teams.iter().map(|one| TeamWire::of(report, one)).collect(),
        mega_files: report.mega_files.iter().map(MegaFileWire::of).collect(),
        integration_points: report.points.iter().map(PointWire::of).collect(),
        contributions: report.slots.iter().map(SlotWire::of).collect(),
        stages: &report.stages,
        reservations: report.locked.as_ref().map(|all| all.iter().map(LockWire::of).collect()),
        operations: &report.operations,
        integration_manifest: report.integration_manifest.as_deref(),
        diagnostics: diagnostics(&report.diagnostics, &report.sources),
        findings_left_out: left_out(&report.diagnostics),
    })
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax review report")
}

/// Whether the teams of a project are ready to expand.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = Command::Review.as_str()))]
    command: &'static str,
    /// How it ended; it decides the exit code. `differences` when a team is not ready, and nothing is wrong.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// The project manifest in use.
    manifest: Option<&'a str>,
    /// The output root.
    out: &'a str,
    /// Whether every team is ready and every artefact is planned or there.
    ready: bool,
    /// The teams: in the order of the manifest, then the others by name.
    teams: Vec<TeamWire<'a>>,
    /// The mega-files of these teams, by path.
    mega_files: Vec<MegaFileWire<'a>>,
    /// The artefacts between teams, in the order of the manifest.
    integration_points: Vec<PointWire<'a>>,
    /// The slots that mega-files contribute to, by name.
    contributions: Vec<SlotWire<'a>>,
    /// Teams that may expand at the same time, each stage after the one before; empty while the manifest is broken.
    stages: &'a [Vec<String>],
    /// What `--lock` or `--unlock` did; null if neither was asked for.
    reservations: Option<Vec<LockWire<'a>>>,
    /// What the log calls these changes.
    operations: &'a [u64],
    /// The integration manifest that was written; null if none was.
    integration_manifest: Option<&'a str>,
    /// The findings.
    diagnostics: Vec<DiagnosticWire<'a>>,
    /// Findings that are not among `diagnostics`, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

/// One team.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Team")]
pub(super) struct TeamWire<'a> {
    /// Its name.
    team: &'a str,
    /// Its stage among `stages`, from 1; null while the manifest is broken.
    stage: Option<u64>,
    /// Whether nothing keeps it from expanding all that is expected of it.
    ready: bool,
    /// Why it is not ready.
    reasons: Vec<ReasonWire<'a>>,
    /// The teams that it depends on.
    depends_on: &'a [String],
    /// Its mega-files.
    mega_files: CoverageWire<'a>,
    /// The paths that it plans, those of invalid mega-files included, as far as they can be planned.
    paths: u64,
    /// How many of these it has reserved (`megax review --lock`).
    reserved: u64,
    /// Its files.
    files: MeasureWire,
    /// Its lines.
    lines: MeasureWire,
}

/// Why a team is not ready.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reason")]
struct ReasonWire<'a> {
    /// Which kind.
    #[schemars(extend("enum" = words(Lack::ALL, Lack::as_str)))]
    kind: &'static str,
    /// In words.
    message: &'a str,
}

/// One mega-file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MegaFile")]
pub(super) struct MegaFileWire<'a> {
    /// Its id; null where the text gives none.
    id: Option<&'a str>,
    /// Its team; null where nothing tells.
    team: Option<&'a str>,
    /// Its own path.
    path: &'a str,
    /// The digest of its text, with `\n` as line ends.
    digest: String,
    /// Whether it is valid.
    valid: bool,
    /// The paths that it plans, as far as it can be planned.
    paths: u64,
    /// How many of these it has reserved.
    reserved: u64,
    /// Its files.
    files: MeasureWire,
    /// Its lines.
    lines: MeasureWire,
    /// What it says that it depends on.
    depends_on: &'a [String],
    /// Those of them that no mega-file of the project has.
    missing_dependencies: &'a [String],
    /// The slots that it contributes to.
    contributes: &'a [String],
}

/// An artefact between teams.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IntegrationPoint")]
pub(super) struct PointWire<'a> {
    /// Its name.
    name: &'a str,
    /// The teams.
    between: &'a [String],
    /// The artefact as the manifest names it; null if it names none.
    artifact: Option<&'a str>,
    /// How it stands.
    #[schemars(extend("enum" = words(PointState::ALL, PointState::as_str)))]
    state: &'static str,
    /// The mega-files that plan it.
    producers: Vec<OwnerWire<'a>>,
}

/// A slot of contributions.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Slot")]
pub(super) struct SlotWire<'a> {
    /// Its name.
    slot: &'a str,
    /// The mega-files that contribute to it.
    contributors: Vec<OwnerWire<'a>>,
    /// The mega-files that read it.
    readers: Vec<OwnerWire<'a>>,
}

/// A mega-file by name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Owner")]
struct OwnerWire<'a> {
    /// Its team.
    team: &'a str,
    /// Its id.
    mega_file: &'a str,
}

/// What became of a reservation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reservation")]
struct LockWire<'a> {
    /// The team.
    team: &'a str,
    /// The id of the mega-file.
    mega_file: &'a str,
    /// How many paths it holds, or held.
    paths: u64,
    /// What happened to it.
    #[schemars(extend("enum" = words(LockChange::ALL, LockChange::as_str)))]
    change: &'static str,
}

impl<'a> TeamWire<'a> {
    pub(super) fn of(report: &ReviewReport, one: &'a TeamReview) -> Self {
        Self {
            team: &one.status.team,
            stage: report.stage_of(&one.status.team),
            ready: one.is_ready(),
            reasons: one.reasons.iter().map(ReasonWire::of).collect(),
            depends_on: &one.dependencies,
            mega_files: CoverageWire::of(&one.status),
            paths: one.paths,
            reserved: one.reserved,
            files: MeasureWire::of(&one.status.files),
            lines: MeasureWire::of(&one.status.lines),
        }
    }
}

impl<'a> ReasonWire<'a> {
    fn of(one: &'a Reason) -> Self {
        Self { kind: one.lack.as_str(), message: &one.message }
    }
}

impl<'a> MegaFileWire<'a> {
    pub(super) fn of(one: &'a MegaFileReview) -> Self {
        let status = &one.status;
        Self {
            id: status.id.as_deref(),
            team: status.team.as_deref(),
            path: &status.path,
            digest: one.digest.to_string(),
            valid: status.valid,
            paths: one.paths,
            reserved: one.reserved,
            files: MeasureWire::of(&status.files),
            lines: MeasureWire::of(&status.lines),
            depends_on: &one.dependencies,
            missing_dependencies: &status.missing,
            contributes: &one.contributes,
        }
    }
}

impl<'a> PointWire<'a> {
    pub(super) fn of(one: &'a PointReview) -> Self {
        Self {
            name: &one.name,
            between: &one.between,
            artifact: one.artifact.as_deref(),
            state: one.state.as_str(),
            producers: owners(&one.producers),
        }
    }
}

impl<'a> SlotWire<'a> {
    pub(super) fn of(one: &'a SlotReview) -> Self {
        Self { slot: &one.slot, contributors: owners(&one.contributors), readers: owners(&one.readers) }
    }
}

fn owners(all: &[(String, String)]) -> Vec<OwnerWire<'_>> {
    all.iter().map(|(team, mega_file)| OwnerWire { team, mega_file }).collect()
}

impl<'a> LockWire<'a> {
    fn of(one: &'a LockedMegaFile) -> Self {
        let LockedMegaFile { team, mega_file, paths, change } = one;
        Self { team, mega_file, paths: *paths, change: change.as_str() }
    }
}
