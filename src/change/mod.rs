//! The change set: the pure difference of what is wanted, what was written last (the lockfile) and what lies on disk.
//!
//! Dry run, diff, check and apply all show or do the same [`ChangeSet`]. This module does no I/O and holds no bodies,
//! only digests. It must never plan to overwrite or delete what megax did not write, unless the policy says so, and
//! never to delete what any readable mega-file of the project plans.

mod compare;
mod hands;
#[cfg(test)]
mod random_tests;
mod record;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::{compare, survey_paths};
pub use hands::{Hands, Unrecorded, hand};
pub use restore::{Damaged, Gap, GapKind, Restoration, Restore, restore};

use crate::digest::Digest;
use crate::glob::PathPattern;
use crate::lockfile::{Flaw, Lockfile, LockfileError};
use crate::merge::Conflict;
use crate::path::{FileMode, OutputPath, PathKey};

/// One file that should exist after the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Where.
    pub path: OutputPath,
    /// How it is to be executed.
    pub mode: FileMode,
    /// Whether it is the user's once it exists.
    pub once: bool,
    /// The digest of the rendered body.
    pub digest: Digest,
    /// The digest after CRLF became LF; only for a text that holds CRLF ([`crate::digest::lf_digest`]).
    pub lf_digest: Option<Digest>,
    /// Lines of the body.
    pub lines: u64,
    /// Bytes of the body.
    pub bytes: u64,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// The name of the template.
    pub template: String,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    Absent,
    /// An ordinary file.
    File {
        /// The digest of its bytes.
        digest: Digest,
        /// The digest after CRLF became LF; only for a text that holds CRLF.
        lf_digest: Option<Digest>,
        /// Whether its owner may execute it.
        executable: bool,
        /// Its size.
        bytes: u64,
    },
    /// Something else, in words: `a symlink`, `a folder`, `a device`.
    Other(&'static str),
    /// The permission to look is missing: here, or at a folder above. Nothing may be concluded from it.
    Unreadable,
    /// A parent of the path is a file or a symlink; the path of that parent.
    Below(String),
    /// A parent of the path is, under another name, a folder that nobody writes; the path of that parent.
    Reserved(String),
}

/// What lies at every path that matters to a run.
pub type Survey = BTreeMap<OutputPath, OnDisk>;

/// What to do with a file that somebody else made or edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Policy {
    /// Say so and write nothing.
    #[default]
    Fail,
    /// Leave the file and go on.
    Keep,
    /// Write over it; its old content is kept aside.
    Overwrite,
    /// Merge the edit with the new content, if they do not touch; one that megax never wrote is as under `Fail`.
    Merge,
}

/// What came of merging an edit with the new content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The digest of the edited file.
    pub edited: Digest,
    /// The digest of the base: what megax wrote, as a shard records it.
    pub base: Digest,
    /// The digest of the new content.
    pub new: Digest,
    /// The digest of the merged text, or why the file stays as it is and holds its team.
    pub outcome: Result<Digest, Reason>,
}

/// What to do with edited and foreign files, by path.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// Patterns and what to do with the files that match one; the first match counts.
    pub rules: Vec<(Vec<PathPattern>, Policy)>,
    /// For all other files.
    pub default: Policy,
}

impl Policies {
    /// One policy for every file.
    #[must_use]
    pub fn all(default: Policy) -> Self {
        Self { rules: Vec::new(), default }
    }

    /// The policy for a path.
    #[must_use]
    pub fn of(&self, path: &OutputPath) -> Policy {
        let rule = self.rules.iter().find(|(patterns, _)| patterns.iter().any(|one| one.matches(path.as_str())));
        rule.map_or(self.default, |&(_, policy)| policy)
    }
}

/// One shard of the lockfile as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The digest of its text.
    pub digest: Digest,
    /// What it says.
    pub lockfile: Lockfile,
}

impl Shard {
    /// Reads the shard found at `path` (relative to the output root).
    ///
    /// # Errors
    /// The text is no lockfile, or it is the shard of another mega-file.
    pub fn read(path: &str, text: &str) -> Result<Self, LockfileError> {
        let lockfile = Lockfile::parse(text)?;
        let right = lockfile.shard_path();
        if right != path {
            return Err(LockfileError { line: 4, reason: Flaw::Misplaced(right) });
        }
        Ok(Self { digest: Digest::of(text.as_bytes()), lockfile })
    }
}

/// A mega-file that is expanded in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MegaFile {
    /// The team.
    pub team: String,
    /// The id.
    pub id: String,
    /// The digest of all its inputs; recorded when the mega-file is applied whole.
    pub inputs: Option<Digest>,
    /// Its file, relative to the project root; `None` outside of it ([`crate::lockfile::is_source`]).
    pub source: Option<String>,
    /// Whether all its files are among the desired ones. A partial run (`--only`) orphans nothing.
    pub whole: bool,
}

/// All that [`compare()`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The wanted files of the teams that are not held, sorted by path, each path once.
    pub desired: &'a [Desired],
    /// The mega-files they come from.
    pub mega_files: &'a [MegaFile],
    /// The shards of the output root.
    pub shards: &'a [Shard],
    /// The shards, as (team, mega-file id), whose files go when they are no longer wanted.
    pub orphan_scope: &'a BTreeSet<(String, String)>,
    /// What any readable mega-file of the project plans; never deleted.
    pub planned_elsewhere: &'a BTreeSet<PathKey>,
    /// By the team of a shard, what that shard makes nobody delete, whatever it says: [`Kind::OrphanOutside`].
    pub off_limits: &'a BTreeSet<(String, OutputPath)>,
    /// What lies on disk, for every wanted path and those of [`survey_paths`].
    pub survey: &'a Survey,
    /// What to do with edited and foreign files.
    pub policies: &'a Policies,
    /// What came of the merges that were tried. An edited file under [`Policy::Merge`] without one is
    /// [`Reason::Edited`].
    pub merges: &'a BTreeMap<OutputPath, Attempt>,
    /// The engine, for the shards.
    pub engine: &'a str,
}

/// Why a file cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Megax wrote it and somebody changed it since.
    Edited,
    /// Megax did not write it.
    Foreign,
    /// It is no ordinary file; what it is, in words.
    NotAFile(&'static str),
    /// It, or a folder above it, may not be read.
    Unreadable,
    /// A parent of it is a file or a symlink; which.
    Below(String),
    /// A parent of it is, under another name, a folder that nobody writes; which.
    Reserved(String),
    /// It was edited, and cannot be merged; why.
    Unmergeable(String),
    /// It was edited in places that are new as well; which lines of it.
    Overlap(Vec<Conflict>),
    /// It holds conflict markers of an earlier merge; the line of the first.
    Unresolved(usize),
}

/// What happens to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is there; the file is made.
    Create,
    /// What megax wrote is replaced, or only its mode changes (then `before` equals `after`).
    Update,
    /// Nothing to do.
    Unchanged,
    /// No longer wanted and not edited; the file goes.
    Delete,
    /// Made or edited by somebody else, and left so as the policy says.
    KeptEdited,
    /// Made or edited by somebody else, and overwritten on request; the old content is kept aside.
    Replaced,
    /// Edited, and merged with the new content; the edited file is kept aside. Nothing is written where the merged text is
    /// the edited one.
    Merged,
    /// Edited and left, where edits are merged and nothing is new.
    EditStands,
    /// No longer wanted, but not as megax wrote it: left, and no longer recorded.
    OrphanEdited,
    /// No longer wanted, and as a shard says that megax wrote it, but where the team of the shard may not write: left, and
    /// no longer recorded.
    OrphanOutside,
    /// Written once and the user's since then: left.
    OnceExists,
    /// The user's by choice: left, whatever lies there and also if nothing does.
    Detached,
    /// Cannot be written; holds the team.
    Conflict(Reason),
}

/// One path of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Where.
    pub path: OutputPath,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// What happens.
    pub kind: Kind,
    /// The digest that the disk must still hold when the change is made; `None` for nothing, or no file.
    pub before: Option<Digest>,
    /// The digest that the disk holds afterwards; `None` for nothing, or no file.
    pub after: Option<Digest>,
    /// The mode that the file has afterwards; for a deleted one the recorded mode.
    pub mode: FileMode,
}

impl FileChange {
    /// Whether the disk will differ.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self.kind {
            Kind::Create | Kind::Update | Kind::Delete | Kind::Replaced => true,
            Kind::Merged => self.before != self.after,
            _ => false,
        }
    }

    /// Whether a staged body is needed.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        match self.kind {
            Kind::Create | Kind::Replaced => true,
            Kind::Update | Kind::Merged => self.before != self.after,
            _ => false,
        }
    }

    /// Why it cannot be written, if so.
    #[must_use]
    pub fn conflict(&self) -> Option<&Reason> {
        if let Kind::Conflict(reason) = &self.kind { Some(reason) } else { None }
    }
}

/// One shard of the lockfile that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockfileChange {
    /// Where, relative to the output root.
    pub path: String,
    /// The digest that the disk must still hold; `None` for no shard.
    pub before: Option<Digest>,
    /// The new text; `None` takes the shard away.
    pub text: Option<String>,
    /// The team whose shard it is.
    pub team: String,
    /// Other teams that take a path over from this shard. They are written together or not at all.
    pub takers: BTreeSet<String>,
    /// Whether the old text may be a person's: a copy of it is kept aside.
    pub keep: bool,
}

/// All that a run changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Every wanted path and every orphan, sorted by path.
    pub files: Vec<FileChange>,
    /// The shards that change, sorted by path.
    pub lockfiles: Vec<LockfileChange>,
}

/// How many files of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made.
    pub created: usize,
    /// Updated, the merged ones among them, without the replaced ones.
    pub updated: usize,
    /// As wanted already, the user's once-files, detached files and edits that stand among them.
    pub unchanged: usize,
    /// Taken away.
    pub deleted: usize,
    /// Edited and left, orphans among them.
    pub kept: usize,
    /// Edited and overwritten on request.
    pub replaced: usize,
    /// In conflict.
    pub conflicts: usize,
}

impl ChangeSet {
    /// How many files of each kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for file in &self.files {
            *match file.kind {
                Kind::Create => &mut counts.created,
                Kind::Merged if file.writes() => &mut counts.updated,
                Kind::Update => &mut counts.updated,
                Kind::Unchanged | Kind::OnceExists | Kind::Detached | Kind::Merged | Kind::EditStands => {
                    &mut counts.unchanged
                }
                Kind::Delete => &mut counts.deleted,
                Kind::KeptEdited | Kind::OrphanEdited | Kind::OrphanOutside => &mut counts.kept,
                Kind::Replaced => &mut counts.replaced,
                Kind::Conflict(_) => &mut counts.conflicts,
            } += 1;
        }
        counts
    }

    /// The files that cannot be written.
    pub fn conflicts(&self) -> impl Iterator<Item = &FileChange> {
        self.files.iter().filter(|file| file.conflict().is_some())
    }

    /// Whether applying would change nothing, the lockfile included.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lockfiles.is_empty() && !self.files.iter().any(FileChange::writes)
    }

    /// The teams that the change set speaks of.
    #[must_use]
    pub fn teams(&self) -> BTreeSet<&str> {
        let files = self.files.iter().map(|file| file.team.as_str());
        let shards = self.lockfiles.iter().map(|shard| shard.team.as_str());
        files.chain(shards).collect()
    }

    /// One change set per team, so that one team's conflict holds nobody else. Teams between which a path changes hands
    /// stay together: their shards are true only together. Sorted by the first team.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        let mut groups: Vec<BTreeSet<String>> = Vec::new();
        for team in self.teams() {
            groups.push(BTreeSet::from([team.to_owned()]));
        }
        for shard in &self.lockfiles {
            for taker in &shard.takers {
                join(&mut groups, &shard.team, taker);
            }
        }
        groups.sort();
        let group_of: BTreeMap<&str, usize> =
            groups.iter().zip(0..).flat_map(|(group, at)| group.iter().map(move |team| (team.as_str(), at))).collect();
        let mut sets = vec![Self::default(); groups.len()];
        for file in self.files {
            if let Some(set) = group_of.get(file.team.as_str()).and_then(|&at| sets.get_mut(at)) {
                set.files.push(file);
            }
        }
        for shard in self.lockfiles {
            if let Some(set) = group_of.get(shard.team.as_str()).and_then(|&at| sets.get_mut(at)) {
                set.lockfiles.push(shard);
            }
        }
        sets
    }
}

fn join(groups: &mut Vec<BTreeSet<String>>, one: &str, other: &str) {
    let find = |groups: &[BTreeSet<String>], team: &str| groups.iter().position(|group| group.contains(team));
    if let (Some(a), Some(b)) = (find(groups, one), find(groups, other))
        && a != b
    {
        let (low, high) = (a.min(b), a.max(b));
        let moved = groups.remove(high);
        groups[low].extend(moved);
    }
}
