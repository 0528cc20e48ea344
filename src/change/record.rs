//! What the shards of the lockfile say after the run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Desired, Inputs, Kind, LockfileChange, MegaFile, Shard};
use crate::lockfile::{EntryState, LockEntry, Lockfile, shard_path};
use crate::path::OutputPath;

/// One line of one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    pub(super) path: &'a OutputPath,
    pub(super) shard: &'a Shard,
    pub(super) entry: &'a LockEntry,
}

/// All lines of all shards, by path.
pub(super) struct Bases<'a>(Vec<Base<'a>>);

impl<'a> Bases<'a> {
    pub(super) fn of(shards: &'a [Shard]) -> Self {
        let mut all: Vec<Base<'a>> = shards
            .iter()
            .flat_map(|shard| shard.lockfile.entries.iter().map(move |(path, entry)| Base { path, shard, entry }))
            .collect();
        all.sort_by(|a, b| a.path.cmp(b.path));
        Self(all)
    }

    /// What the shards say of a path; more than one line after a merge, or before a takeover.
    pub(super) fn of_path(&self, path: &OutputPath) -> &[Base<'a>] {
        let start = self.0.partition_point(|base| base.path < path);
        let count = self.0[start..].partition_point(|base| base.path == path);
        &self.0[start..start + count]
    }
}

type Owner = (String, String);

/// The shards as they change.
pub(super) struct Records {
    drafts: BTreeMap<Owner, Draft>,
}

#[derive(Default)]
struct Draft {
    entries: BTreeMap<OutputPath, LockEntry>,
    takers: BTreeSet<String>,
}

impl Records {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let existing: BTreeMap<Owner, &Shard> =
            inputs.shards.iter().map(|shard| (super::compare::owner(shard), shard)).collect();
        let mut drafts = BTreeMap::new();
        let named = inputs.mega_files.iter().map(|mega_file| (mega_file.team.clone(), mega_file.id.clone()));
        for owner in named {
            let draft = existing.get(&owner).map_or_else(Draft::default, |shard| Draft::of(shard));
            drafts.insert(owner, draft);
        }
        Self { drafts }
    }

    /// Forgets a path.
    pub(super) fn drop_entry(&mut self, shard: &Shard, path: &OutputPath) {
        self.of_shard(shard).entries.remove(path);
    }

    /// Notes what becomes of a wanted path, and takes it out of every other shard.
    pub(super) fn record(&mut self, desired: &Desired, known: &[Base<'_>], kind: &Kind) {
        if matches!(kind, Kind::Conflict(_)) {
            return;
        }
        let is_own = |base: &&Base<'_>| {
            base.shard.lockfile.team == desired.team && base.shard.lockfile.mega_file == desired.mega_file
        };
        let base = known.iter().find(is_own).or_else(|| known.first()).map(|base| base.entry);
        for other in known.iter().filter(|base| !is_own(base)) {
            let draft = self.of_shard(other.shard);
            draft.entries.remove(&desired.path);
            if other.shard.lockfile.team != desired.team {
                draft.takers.insert(desired.team.clone());
            }
        }
        // What was chosen for good is kept to the letter, also when another mega-file plans the path now.
        let detached =
            known.iter().map(|base| base.entry).find(|entry| entry.is_detached()).filter(|_| *kind == Kind::Detached);
        let owner = (desired.team.clone(), desired.mega_file.clone());
        if let Some(entry) = detached {
            self.drafts.entry(owner).or_default().entries.insert(desired.path.clone(), entry.clone());
            return;
        }
        let (digest, lf_digest, mode) = match (kind, base) {
            // Only what megax wrote is ever recorded: a foreign file that was left is not.
            (Kind::KeptEdited, None) => return,
            (Kind::KeptEdited | Kind::OnceExists, Some(base)) => (base.digest, base.lf_digest, base.mode),
            // For a once-file that somebody else made this is what would have been written. Were it the digest of the
            // disk, a later plan without `once` would take the file for megax's own.
            _ => (desired.digest, desired.lf_digest, desired.mode),
        };
        let state = EntryState::planned(desired.once);
        let entry = LockEntry { digest, lf_digest, mode, state, template: desired.template.clone() };
        self.drafts.entry(owner).or_default().entries.insert(desired.path.clone(), entry);
    }

    fn of_shard(&mut self, shard: &Shard) -> &mut Draft {
        self.drafts.entry(super::compare::owner(shard)).or_insert_with(|| Draft::of(shard))
    }

    /// The shards whose text differs from what lies on disk.
    pub(super) fn finish(self, inputs: &Inputs<'_>) -> Vec<LockfileChange> {
        let existing: BTreeMap<Owner, &Shard> =
            inputs.shards.iter().map(|shard| (super::compare::owner(shard), shard)).collect();
        let applied: BTreeMap<(&str, &str), &MegaFile> =
            inputs.mega_files.iter().map(|file| ((file.team.as_str(), file.id.as_str()), file)).collect();
        let mut changes: Vec<LockfileChange> = Vec::new();
        for ((team, id), draft) in self.drafts {
            let applied = applied.get(&(team.as_str(), id.as_str())).copied();
            let path = shard_path(&team, &id);
            let old = existing.get(&(team.clone(), id.clone())).copied();
            let takers = draft.takers.clone();
            let new = draft.into_lockfile(&team, &id, old, applied, inputs.engine);
            if new.as_ref() == old.map(|shard| &shard.lockfile) {
                continue;
            }
            let text = new.as_ref().map(Lockfile::to_text);
            let before = old.map(|shard| shard.digest);
            changes.push(LockfileChange { path, before, text, team, takers, keep: false });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }
}

impl Draft {
    fn of(shard: &Shard) -> Self {
        Self { entries: shard.lockfile.entries.clone(), takers: BTreeSet::new() }
    }

    /// The new shard; `None` when it records nothing.
    fn into_lockfile(
        self,
        team: &str,
        id: &str,
        old: Option<&Shard>,
        applied: Option<&MegaFile>,
        engine: &str,
    ) -> Option<Lockfile> {
        if self.entries.is_empty() {
            return None;
        }
        // Where the mega-file lies is learned from every run that expands it.
        let source = match (applied, old) {
            (Some(mega_file), _) => mega_file.source.clone(),
            (None, old) => old.and_then(|shard| shard.lockfile.source.clone()),
        };
        let (engine, inputs) = match (applied, old) {
            (Some(mega_file), _) if mega_file.whole => (engine, mega_file.inputs),
            // Nothing else was learned, so the header stays true.
            (_, Some(old)) if old.lockfile.entries == self.entries => {
                (old.lockfile.engine.as_str(), old.lockfile.inputs)
            }
            // A takeover: the files are no longer the ones that the inputs gave.
            (None, Some(old)) => (old.lockfile.engine.as_str(), None),
            _ => (engine, None),
        };
        let (team, mega_file, engine) = (team.to_owned(), id.to_owned(), engine.to_owned());
        Some(Lockfile { team, mega_file, engine, inputs, source, entries: self.entries })
    }
}
