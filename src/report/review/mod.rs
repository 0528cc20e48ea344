//! Whether the teams of a project are ready to expand: the facts, the text for people, the documents.
//!
//! One verdict per team, and for one that is not ready the reasons in words. What was not measured is unknown, never zero.
//! Must never call a team ready that a run would hold.

mod integration;
mod text;
mod wire;

pub use integration::{INTEGRATION_MARK, integration_schema, is_integration_manifest, to_json, to_yaml};
pub use text::text;
pub use wire::{SCHEMA_VERSION, document, schema};

use super::facts::{Outcome, words};
use super::status::{MegaFileStatus, TeamStatus};
use crate::diagnostic::Diagnostics;
use crate::digest::Digest;
use crate::span::SourceMap;

words! {
    /// Why a team is not ready, as a word.
    Lack {
        /// The manifest, or the project as a whole, is wrong.
        Project "project",
        /// Mega-files that it is to write are not there.
        MissingMegaFiles "missing-mega-files",
        /// A mega-file, or what the team makes as a whole, is wrong.
        Wrong "wrong",
        /// Its paths collide with others.
        Collision "collision",
        /// It plans paths outside of its boundary.
        Boundary "boundary",
        /// A mega-file depends on what is not there, on a team that its own does not depend on, or on itself.
        Dependency "dependency",
        /// It makes more or less than the manifest expects.
        Goal "goal",
        /// It contributes to what nobody reads.
        Contribution "contribution",
        /// Its files are made from contributions of a team that is not ready.
        Waits "waits",
    }
}

words! {
    /// How an artefact between teams stands.
    PointState {
        /// A mega-file plans it.
        Planned "planned",
        /// Nobody plans it, but it is there.
        OnDisk "on-disk",
        /// Nobody plans it, and it is not there.
        Missing "missing",
        /// Nobody plans it, and whether it is there cannot be told.
        Unknown "unknown",
        /// The manifest names no artefact.
        Unnamed "unnamed",
    }
}

words! {
    /// What happened to a reservation.
    LockChange {
        /// The paths of a mega-file that had none are reserved.
        Reserved "reserved",
        /// It holds what the mega-file plans now.
        Refreshed "refreshed",
        /// It held that already.
        Unchanged "unchanged",
        /// It was given up.
        Released "released",
        /// No mega-file has the id any more, or none of that team.
        Removed "removed",
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Which kind.
    pub lack: Lack,
    /// In words: a lower-case fragment.
    pub message: String,
}

/// One team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamReview {
    /// Its mega-files, files and lines.
    pub status: TeamStatus,
    /// The teams that it depends on.
    pub dependencies: Vec<String>,
    /// How many paths it plans, those of invalid mega-files included, as far as they can be planned.
    pub paths: u64,
    /// How many of these it has reserved.
    pub reserved: u64,
    /// Why it is not ready; nothing if it is.
    pub reasons: Vec<Reason>,
}

impl TeamReview {
    /// Whether nothing keeps the team from expanding all that is expected of it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// One mega-file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MegaFileReview {
    /// Its standing.
    pub status: MegaFileStatus,
    /// The digest of its text, with `\n` as line ends.
    pub digest: Digest,
    /// How many paths it plans, as far as it can be planned.
    pub paths: u64,
    /// How many of these are reserved.
    pub reserved: u64,
    /// What it says that it depends on.
    pub dependencies: Vec<String>,
    /// The slots that it contributes to.
    pub contributes: Vec<String>,
}

/// One artefact between teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointReview {
    /// The name of the integration point.
    pub name: String,
    /// The teams.
    pub between: Vec<String>,
    /// The artefact as the manifest names it.
    pub artifact: Option<String>,
    /// How it stands.
    pub state: PointState,
    /// Who plans it: teams with ids of mega-files, sorted.
    pub producers: Vec<(String, String)>,
}

/// A slot of contributions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotReview {
    /// Its name.
    pub slot: String,
    /// Who contributes: teams with ids of mega-files, sorted.
    pub contributors: Vec<(String, String)>,
    /// Who reads it; the same.
    pub readers: Vec<(String, String)>,
}

/// One reservation that was looked at by `--lock` or `--unlock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedMegaFile {
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// How many paths it holds, or held.
    pub paths: u64,
    /// What happened.
    pub change: LockChange,
}

/// All facts.
#[derive(Debug, Clone)]
pub struct ReviewReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The manifest that is used, for display.
    pub manifest: Option<String>,
    /// The output root, for display.
    pub out: String,
    /// The teams: in the order of the manifest, then the others by name.
    pub teams: Vec<TeamReview>,
    /// Their mega-files, by path.
    pub mega_files: Vec<MegaFileReview>,
    /// Artefacts between teams, in the order of the manifest.
    pub points: Vec<PointReview>,
    /// Slots of contributions, by name.
    pub slots: Vec<SlotReview>,
    /// Teams that may expand at the same time, each stage after the one before; none while the manifest is broken.
    pub stages: Vec<Vec<String>>,
    /// What `--lock` or `--unlock` did, by team and mega-file; `None` if neither was asked for.
    pub locked: Option<Vec<LockedMegaFile>>,
    /// The numbers of the operations in the log.
    pub operations: Vec<u64>,
    /// The integration manifest that was written, for display.
    pub integration_manifest: Option<String>,
    /// The findings, sorted.
    pub diagnostics: Diagnostics,
    /// The texts that spans point into.
    pub sources: SourceMap,
}

impl ReviewReport {
    /// Whether every team is ready and every artefact is covered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.teams.iter().all(TeamReview::is_ready) && self.points.iter().all(|one| one.state != PointState::Missing)
    }

    /// The stage of a team, from 1.
    #[must_use]
    pub fn stage_of(&self, team: &str) -> Option<u64> {
        let stage = self.stages.iter().position(|stage| stage.iter().any(|name| name == team))?;
        Some(stage as u64 + 1)
    }
}

#[cfg(test)]
mod tests;
