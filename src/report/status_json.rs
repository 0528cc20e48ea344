//! The JSON document of `megax status`, and its schema (`schemas/status.schema.json`). Measured numbers and estimates
//! are fields of their own; what is unknown is null.

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Command, Outcome};
use super::json::{DiagnosticWire, diagnostics, left_out, pretty, schema_of};
use super::status::{Detached, Drift, Measure, MegaFileStatus, Range, Since, StatusReport, TeamStatus, Would};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// The document, indented, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn document(report: &StatusReport) -> Result<String, serde_json::Error> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        command: Command::Status.as_str(),
        outcome: report.outcome.as_str(),
        manifest: report.manifest.as_deref(),
        out: &report.out,
        teams: report.teams.iter().map(TeamWire::of).collect(),
        mega_files: report.mega_files.iter().map(MegaFileWire::of).collect(),
        drift: report.drift.iter().map(DriftWire::of).collect(),
        detached: report.detached.iter().map(DetachedWire::of).collect(),
        lockfiles: report.lockfiles,
        diagnostics: diagnostics(&report.diagnostics, &report.sources),
        findings_left_out: left_out(&report.diagnostics),
    };
    pretty(&document)
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax status report")
}

/// How the teams of a project stand.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("const" = Command::Status.as_str()))]
    command: &'static str,
    /// How it ended; it decides the exit code.
    #[schemars(extend("enum" = Outcome::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()))]
    outcome: &'static str,
    /// The project manifest in use.
    manifest: Option<&'a str>,
    /// The output root.
    out: &'a str,
    /// The teams: in the order of the manifest, then the others by name.
    teams: Vec<TeamWire<'a>>,
    /// The mega-files of these teams, by path.
    mega_files: Vec<MegaFileWire<'a>>,
    /// The paths that are not as they should be, sorted.
    drift: Vec<DriftWire<'a>>,
    /// The paths that were detached (`megax detach`), sorted: `megax expand` leaves them as they are.
    detached: Vec<DetachedWire<'a>>,
    /// Lockfile shards that `megax expand` would bring up to date; null if not compared.
    lockfiles: Option<u64>,
    /// The findings. Edited and foreign files are in `drift` only.
    diagnostics: Vec<DiagnosticWire<'a>>,
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
    /// Why `megax expand` would write nothing of it; null if it is not held. Its planned files were not compared then.
    held: Option<&'a str>,
    /// Its mega-files.
    mega_files: CoverageWire<'a>,
    /// Its files.
    files: MeasureWire,
    /// Its lines.
    lines: MeasureWire,
    /// How many of its paths drifted.
    drift: u64,
}

/// The mega-files of one team.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Coverage")]
pub(in crate::report) struct CoverageWire<'a> {
    /// Valid ones.
    valid: u64,
    /// Invalid ones.
    invalid: u64,
    /// Of those that the manifest expects, how many exist; null if it names none.
    present: Option<u64>,
    /// How many the manifest expects; null if it names none.
    expected: Option<u64>,
    /// Those beside the expected ones.
    others: u64,
    /// The expected ones that do not exist, as the manifest names them.
    missing: &'a [String],
}

/// An amount.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Measure")]
pub(in crate::report) struct MeasureWire {
    /// What valid mega-files make, measured in this run; null if that is not known.
    measured: Option<u64>,
    /// What invalid mega-files say that they will make; never part of `measured`.
    estimate: Option<RangeWire>,
    /// What the manifest expects.
    goal: Option<RangeWire>,
    /// The most that the manifest allows.
    limit: Option<u64>,
}

/// From and to, both inclusive.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Range")]
pub(in crate::report) struct RangeWire {
    /// The least.
    min: u64,
    /// The most; null for no bound.
    max: Option<u64>,
}

/// One mega-file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MegaFile")]
struct MegaFileWire<'a> {
    /// Its id; null where the text gives none.
    id: Option<&'a str>,
    /// Its team; null where nothing tells.
    team: Option<&'a str>,
    /// Its own path.
    path: &'a str,
    /// Whether it is valid.
    valid: bool,
    /// Its files.
    files: MeasureWire,
    /// Its lines.
    lines: MeasureWire,
    /// Dependencies that no mega-file of the project has.
    missing_dependencies: &'a [String],
}

/// One path that is not as it should be.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Drift")]
struct DriftWire<'a> {
    /// Its path below the output root.
    path: &'a str,
    /// The team.
    team: &'a str,
    /// The id of the mega-file.
    mega_file: &'a str,
    /// What somebody did since megax wrote last; null for nothing.
    #[schemars(extend("enum" = Since::ALL.iter().map(|one| Some(one.as_str())).chain([None]).collect::<Vec<_>>()))]
    since: Option<&'static str>,
    /// What `megax expand` would do; null for nothing, also while the team is held.
    #[schemars(extend("enum" = Would::ALL.iter().map(|one| Some(one.as_str())).chain([None]).collect::<Vec<_>>()))]
    expand: Option<&'static str>,
}

/// One path that is left to people.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Detached")]
struct DetachedWire<'a> {
    /// Its path below the output root.
    path: &'a str,
    /// The team.
    team: &'a str,
    /// The id of the mega-file.
    mega_file: &'a str,
}

impl<'a> DetachedWire<'a> {
    fn of(one: &'a Detached) -> Self {
        Self { path: &one.path, team: &one.team, mega_file: &one.mega_file }
    }
}

impl<'a> TeamWire<'a> {
    fn of(one: &'a TeamStatus) -> Self {
        let mega_files = CoverageWire::of(one);
        let (files, lines) = (MeasureWire::of(&one.files), MeasureWire::of(&one.lines));
        Self { team: &one.team, held: one.held.as_deref(), mega_files, files, lines, drift: one.drift }
    }
}

impl<'a> CoverageWire<'a> {
    pub(in crate::report) fn of(one: &'a TeamStatus) -> Self {
        let (present, expected) = one.expected.unzip();
        let (valid, invalid, others) = (one.valid, one.invalid, one.others);
        Self { valid, invalid, present, expected, others, missing: &one.missing }
    }
}

impl MeasureWire {
    pub(in crate::report) fn of(one: &Measure) -> Self {
        let range = |Range { min, max }| RangeWire { min, max };
        let Measure { measured, estimate, goal, limit } = *one;
        Self { measured, estimate: estimate.map(range), goal: goal.map(range), limit }
    }
}

impl<'a> MegaFileWire<'a> {
    fn of(one: &'a MegaFileStatus) -> Self {
        Self {
            id: one.id.as_deref(),
            team: one.team.as_deref(),
            path: &one.path,
            valid: one.valid,
            files: MeasureWire::of(&one.files),
            lines: MeasureWire::of(&one.lines),
            missing_dependencies: &one.missing,
        }
    }
}

impl<'a> DriftWire<'a> {
    fn of(one: &'a Drift) -> Self {
        Self {
            path: &one.path,
            team: &one.team,
            mega_file: &one.mega_file,
            since: one.since.map(Since::as_str),
            expand: one.expand.map(Would::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::report;
    use super::*;

    #[test]
    fn the_schema_in_the_repository_is_current() {
        super::super::json::tests::hold_schema("status", &schema());
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
        let mut empty = report();
        (empty.teams, empty.mega_files, empty.drift, empty.lockfiles) = Default::default();
        empty.detached.clear();
        for report in [report(), empty] {
            let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
        let mut wrong: serde_json::Value = serde_json::from_str(&document(&report()).unwrap()).unwrap();
        wrong["drift"][0]["expand"] = "eat".into();
        assert!(!validator.is_valid(&wrong));
    }
}
