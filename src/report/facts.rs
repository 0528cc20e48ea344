//! The facts of a run, from which every form of report is made.
//!
//! Plain data: no text for people beyond words that are names, no serialisation (that is `json`). A number that was not
//! measured in this run is `None`, never zero.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

use crate::diagnostic::{Code, Diagnostics};
use crate::digest::Digest;
use crate::path::{FileMode, OutputPath};
use crate::span::{SourceMap, Span};

/// Makes an enum of names with its words and the list of all.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in JSON and in reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

pub(super) use words;

words! {
    /// Which command ran.
    Command {
        /// `megax expand`.
        Expand "expand",
        /// `megax validate`.
        Validate "validate",
        /// `megax snapshot`.
        Snapshot "snapshot",
        /// `megax status`.
        Status "status",
        /// `megax plan`.
        Plan "plan",
        /// `megax apply`.
        Apply "apply",
        /// `megax repair`.
        Repair "repair",
        /// `megax brief`.
        Brief "brief",
        /// `megax review`.
        Review "review",
    }
}

words! {
    /// How far a run was to go.
    Mode {
        /// Show what would happen.
        DryRun "dry-run",
        /// Say whether anything would happen.
        Check "check",
        /// Write.
        Write "write",
        /// Stop short of the disk.
        Validate "validate",
    }
}

words! {
    /// How a run ended, from harmless to grave; the order is that of the exit codes. New values are only ever added.
    Outcome {
        /// Everything was as planned already: exit code 0.
        NothingToDo "nothing-to-do",
        /// Done: exit code 0.
        Done "done",
        /// Asked whether there are differences, and there are: exit code 1.
        Differences "differences",
        /// Wrong usage: exit code 2.
        Usage "usage",
        /// `guard`: the edit is blocked; exit code 2, as agent hooks expect.
        Blocked "blocked",
        /// The mega-files or the manifest are wrong: exit code 3.
        Wrong "wrong",
        /// A file was made or edited by somebody else, or another run holds the team: exit code 4.
        Conflict "conflict",
        /// The disk failed: exit code 5.
        DiskFailed "disk-failed",
        /// Interrupted after deciding; the next run finishes it: exit code 6.
        Interrupted "interrupted",
        /// A bug in megax: exit code 70.
        Bug "bug",
    }
}

impl Outcome {
    /// How a run ends that has an error of this code.
    #[must_use]
    pub fn of(code: Code) -> Self {
        match code {
            Code::GeneratedFile | Code::NotTheTeams => Self::Blocked,
            Code::TreeDiffers | Code::SnapshotDiffers | Code::SnapshotStale => Self::Differences,
            Code::DiskFailed | Code::NoRoom | Code::CannotPublish => Self::DiskFailed,
            Code::InterruptedRun => Self::Interrupted,
            Code::AlreadyThere
            | Code::CannotMerge
            | Code::CannotRestore
            | Code::CannotUndo
            | Code::ChangedMeanwhile
            | Code::DamagedLockfile
            | Code::EditedFile
            | Code::ForeignFile
            | Code::ForeignHook
            | Code::Fuse
            | Code::GuardHeld
            | Code::MergeConflict
            | Code::NotAFile
            | Code::SnapshotUnreadable
            | Code::StalePlan => Self::Conflict,
            _ => Self::Wrong,
        }
    }

    /// How a run ends: as its gravest error says, or as it would without any.
    #[must_use]
    pub fn with_errors(findings: &Diagnostics, done: Self) -> Self {
        highest(findings.error_codes().map(Self::of).chain([done]))
    }

    /// The exit code. The table is public and append-only.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NothingToDo | Self::Done => 0,
            Self::Differences => 1,
            Self::Usage | Self::Blocked => 2,
            Self::Wrong => 3,
            Self::Conflict => 4,
            Self::DiskFailed => 5,
            Self::Interrupted => 6,
            Self::Bug => 70,
        }
    }
}

/// The gravest of several outcomes: the highest exit code that applies wins. None at all is nothing to do.
#[must_use]
pub fn highest(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    outcomes.into_iter().max().unwrap_or(Outcome::NothingToDo)
}

words! {
    /// What happens, or happened, to one path on disk.
    Change {
        /// Not there yet.
        Create "create",
        /// There, with an older content that megax wrote.
        Update "update",
        /// There as planned.
        Unchanged "unchanged",
        /// No longer planned.
        Delete "delete",
        /// Edited by somebody, and left so on request.
        Kept "kept",
        /// Edited by somebody, and overwritten on request.
        Replaced "replaced",
        /// Edited by somebody, and merged with the new content.
        Merged "merged",
        /// Edited by somebody, and merged with the new content up to what conflicts; both sides of that stand between
        /// markers.
        Marked "marked",
        /// Edited by somebody, and left where edits are merged and nothing is new.
        Edited "edited",
        /// Made or edited by somebody else; nothing is done.
        Conflict "conflict",
        /// Edited and no longer planned; left.
        Orphan "orphan",
        /// To be written once only, and there already.
        Once "once",
        /// Left to people by choice (`megax detach`), whatever is there.
        Detached "detached",
    }
}

impl Change {
    /// Whether the path is part of the plan; a deleted file and an orphan are not.
    #[must_use]
    pub fn is_planned(self) -> bool {
        !matches!(self, Self::Delete | Self::Orphan)
    }

    /// Whether the disk is, or would be, changed.
    #[must_use]
    pub fn touches_disk(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete | Self::Replaced | Self::Merged | Self::Marked)
    }
}

/// How much. What was not measured is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Planned files.
    pub files: Option<u64>,
    /// Their lines.
    pub lines: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// Files that are new.
    pub created: Option<u64>,
    /// Files with another content, edited ones that are overwritten on request among them.
    pub updated: Option<u64>,
    /// Files that are there as planned, and files written once that exist.
    pub unchanged: Option<u64>,
    /// Files that go.
    pub deleted: Option<u64>,
    /// Files in conflict, those with conflict markers that are written among them.
    pub conflicts: Option<u64>,
    /// Edited files that are left: kept ones and orphans.
    pub kept: Option<u64>,
    /// Files that were left to people by choice.
    pub detached: Option<u64>,
}

impl Counts {
    /// Nothing, known to be nothing.
    pub const ZERO: Self = Self {
        files: Some(0),
        lines: Some(0),
        bytes: Some(0),
        created: Some(0),
        updated: Some(0),
        unchanged: Some(0),
        deleted: Some(0),
        conflicts: Some(0),
        kept: Some(0),
        detached: Some(0),
    };

    /// Counts files. An amount that is unknown for one planned file is unknown for all.
    #[must_use]
    pub fn of<'a>(files: impl IntoIterator<Item = &'a FileReport>) -> Self {
        files.into_iter().map(|file| file.counts(false)).sum()
    }

    fn plus(self, other: Self) -> Self {
        let add = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_add(b));
        Self {
            files: add(self.files, other.files),
            lines: add(self.lines, other.lines),
            bytes: add(self.bytes, other.bytes),
            created: add(self.created, other.created),
            updated: add(self.updated, other.updated),
            unchanged: add(self.unchanged, other.unchanged),
            deleted: add(self.deleted, other.deleted),
            conflicts: add(self.conflicts, other.conflicts),
            kept: add(self.kept, other.kept),
            detached: add(self.detached, other.detached),
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Self::plus)
    }
}

/// The totals of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Selected mega-files.
    pub mega_files: u64,
    /// How much they make.
    pub counts: Counts,
}

/// One team of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamReport {
    /// Its name.
    pub team: String,
    /// Why it writes nothing, if it is held.
    pub held: Option<String>,
    /// Its selected mega-files.
    pub mega_files: u64,
    /// How much they make.
    pub counts: Counts,
    /// The number that the log gave to what was written.
    pub operation: Option<u64>,
}

/// One selected mega-file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MegaFileReport {
    /// Its team.
    pub team: String,
    /// Its id.
    pub id: String,
    /// Its own path, for display.
    pub path: String,
    /// How much it makes.
    pub counts: Counts,
}

/// One file of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Where it lies below the output root.
    pub path: OutputPath,
    /// The team that makes it.
    pub team: String,
    /// The id of the mega-file that makes it.
    pub mega_file: String,
    /// The index of the rule in the mega-file, from 0.
    pub rule: usize,
    /// The loop item, in words; `None` without a loop.
    pub item: Option<String>,
    /// The template; `None` for literal content and copies.
    pub template: Option<String>,
    /// Lines, if it was rendered.
    pub lines: Option<u64>,
    /// Bytes, if it was rendered.
    pub bytes: Option<u64>,
    /// The digest, if it was rendered.
    pub digest: Option<Digest>,
    /// How it is to be executed.
    pub mode: FileMode,
    /// What happens to it, if the disk was compared.
    pub change: Option<Change>,
    /// The place in the mega-file that asks for it.
    pub origin: Option<Span>,
}

impl FileReport {
    fn counts(&self, held: bool) -> Counts {
        let planned = self.change.is_none_or(Change::is_planned);
        let amount = |value: Option<u64>| if planned { value } else { Some(0) };
        let change = self.change.map(|change| (!held || !change.touches_disk()).then_some(change));
        // A held file need not have been compared: nothing happens to it.
        let change = if held { change.or(Some(None)) } else { change };
        let when =
            |changes: &[Change]| change.map(|change| u64::from(change.is_some_and(|change| changes.contains(&change))));
        Counts {
            files: Some(u64::from(planned)),
            lines: amount(self.lines),
            bytes: amount(self.bytes),
            created: when(&[Change::Create]),
            updated: when(&[Change::Update, Change::Replaced, Change::Merged]),
            unchanged: when(&[Change::Unchanged, Change::Edited, Change::Once]),
            deleted: when(&[Change::Delete]),
            conflicts: when(&[Change::Conflict, Change::Marked]),
            kept: when(&[Change::Kept, Change::Orphan]),
            detached: when(&[Change::Detached]),
        }
    }
}

/// All facts of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which command ran.
    pub command: Command,
    /// How it ended.
    pub outcome: Outcome,
    /// How far it was to go.
    pub mode: Mode,
    /// The digest of the whole planned tree, if all of it was rendered.
    pub tree: Option<Digest>,
    /// The manifest that is used, for display.
    pub manifest: Option<String>,
    /// The output root, for display.
    pub out: String,
    /// The saved plan that was written or applied, for display; `None` if there is none.
    pub plan: Option<String>,
    /// The totals.
    pub summary: Summary,
    /// Lockfile shards that change although no file need do so (a comment in a mega-file); `None` if not compared.
    pub lockfiles: Option<u64>,
    /// The teams of the run.
    pub teams: Vec<TeamReport>,
    /// The selected mega-files.
    pub mega_files: Vec<MegaFileReport>,
    /// The files, sorted by path.
    pub files: Vec<FileReport>,
    /// The findings, sorted.
    pub diagnostics: Diagnostics,
    /// The texts that spans point into.
    pub sources: SourceMap,
}

impl Report {
    /// The files that would be touched, or were not even compared, but whose team is held.
    pub fn held_files(&self) -> impl Iterator<Item = &FileReport> {
        let held: BTreeSet<&str> =
            self.teams.iter().filter(|team| team.held.is_some()).map(|team| team.team.as_str()).collect();
        let of_held = move |file: &&FileReport| held.contains(file.team.as_str());
        self.files.iter().filter(of_held).filter(|file| file.change.is_none_or(Change::touches_disk))
    }

    /// Fills the counts of the totals, the teams and the mega-files from `files`. What was counted for them before is
    /// lost; the teams and mega-files themselves stay as they are. A held team writes nothing, so that none of its files
    /// counts as created, updated or deleted.
    pub fn tally(&mut self) {
        let held: BTreeSet<&str> =
            self.teams.iter().filter(|team| team.held.is_some()).map(|team| team.team.as_str()).collect();
        let counts_of = |file: &FileReport| file.counts(held.contains(file.team.as_str()));
        let counts = self.files.iter().map(counts_of).sum();
        let mut by_team: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut by_mega_file: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        for file in &self.files {
            let of_team = by_team.entry(&file.team).or_insert(Counts::ZERO);
            *of_team = of_team.plus(counts_of(file));
            let of_mega_file = by_mega_file.entry((&file.team, &file.mega_file)).or_insert(Counts::ZERO);
            *of_mega_file = of_mega_file.plus(counts_of(file));
        }
        self.summary = Summary { mega_files: self.mega_files.len() as u64, counts };
        for team in &mut self.teams {
            team.mega_files = self.mega_files.iter().filter(|mega_file| mega_file.team == team.team).count() as u64;
            team.counts = by_team.get(team.team.as_str()).copied().unwrap_or(Counts::ZERO);
        }
        for mega_file in &mut self.mega_files {
            let key = (mega_file.team.as_str(), mega_file.id.as_str());
            mega_file.counts = by_mega_file.get(&key).copied().unwrap_or(Counts::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_codes_are_the_contract() {
        let table: Vec<(&str, u8)> =
            Outcome::ALL.iter().map(|outcome| (outcome.as_str(), outcome.exit_code())).collect();
        let expected = [
            ("nothing-to-do", 0),
            ("done", 0),
            ("differences", 1),
            ("usage", 2),
            ("blocked", 2),
            ("wrong", 3),
            ("conflict", 4),
            ("disk-failed", 5),
            ("interrupted", 6),
            ("bug", 70),
        ];
        assert_eq!(table, expected);
        assert!(Outcome::ALL.windows(2).all(|pair| pair[0].exit_code() <= pair[1].exit_code()), "ascending");
    }

    #[test]
    fn the_highest_outcome_wins() {
        assert_eq!(highest([Outcome::Wrong, Outcome::Done, Outcome::Differences]), Outcome::Wrong);
        assert_eq!(highest([Outcome::NothingToDo, Outcome::Done]), Outcome::Done);
        assert_eq!(highest([]), Outcome::NothingToDo);
    }

    #[test]
    fn what_is_unknown_for_one_file_is_unknown_for_all() {
        let mut report = crate::report::sample::report();
        report.tally();
        assert_eq!(report.summary.counts.created, Some(2), "a held file is not created");
        assert_eq!(report.held_files().count(), 1);
        assert_eq!(report.summary.counts.files, Some(6), "a deleted file is not planned");
        report.files[6].change = None;
        report.tally();
        assert_eq!(report.summary.counts.created, Some(2), "a held file need not be compared");
        report.files[0].lines = None;
        report.files[1].change = None;
        report.tally();
        let counts = report.summary.counts;
        assert_eq!((counts.lines, counts.created, counts.files), (None, None, Some(6)));
    }
}
