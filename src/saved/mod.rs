//! A saved plan: what a run would change, as text that a later run can be held to.
//!
//! A plan is never carried out by itself. The same request is done again, and the run writes only if its own change set
//! equals the saved one. This module turns a [`SavedPlan`] into text and back, and says what differs between two; it must
//! never touch the disk, and never accept a text that it would not have written itself.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

pub use text::{Flaw, MAX_BYTES, PlanError, VERSION_LINE, is_plan};

use crate::change::{ChangeSet, FileChange, Kind, Policy};
use crate::digest::Digest;
use crate::limit::Limit;
use crate::path::{FileMode, OutputPath};

/// A run as it was asked for. Paths are as they were typed, relative to the folder in which the run is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Files, folders or glob patterns.
    pub paths: Vec<String>,
    /// Only these teams.
    pub teams: Vec<String>,
    /// Only output files that match.
    pub only: Vec<String>,
    /// The manifest.
    pub manifest: Option<String>,
    /// The output root.
    pub out: Option<String>,
    /// What to do with edited and foreign files.
    pub on_edit: Option<Policy>,
    /// What conflicts is written between markers.
    pub conflict_markers: bool,
    /// What the fuse lets through.
    pub allow_deletes: Option<u64>,
    /// The limits that were typed.
    pub limits: BTreeMap<Limit, u64>,
    /// Warnings are errors.
    pub strict: bool,
    /// One held team holds all.
    pub all_or_nothing: bool,
}

/// What a run would change, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    /// The engine that rendered.
    pub engine: String,
    /// The project root, relative to the folder in which the run was asked for.
    pub root: String,
    /// The output root, likewise.
    pub out: String,
    /// The digest of the whole tree; `None` while a team was held.
    pub tree: Option<Digest>,
    /// The request.
    pub asked: Asked,
    /// The digest of everything that each expanded mega-file depends on, by team and id; `None` for a partial run.
    pub mega_files: BTreeMap<(String, String), Option<Digest>>,
    /// The digest of every text that was read, by its name.
    pub inputs: BTreeMap<String, Digest>,
    /// What happens to each file that is not as planned already.
    pub files: BTreeMap<OutputPath, SavedFile>,
    /// The lockfile shards that change, by their place.
    pub shards: BTreeMap<String, SavedShard>,
}

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// What.
    pub action: Action,
    /// What lies on disk before.
    pub before: Option<Digest>,
    /// What lies on disk afterwards.
    pub after: Option<Digest>,
    /// The mode afterwards.
    pub mode: FileMode,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
}

/// The digests of a lockfile shard; `None` for no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedShard {
    /// Before the run.
    pub before: Option<Digest>,
    /// After the run.
    pub after: Option<Digest>,
}

/// What a plan holds of a [`Kind`]: what is as planned is left out, and a conflict is never planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The file is made.
    Create,
    /// The file, or only its mode, is replaced.
    Update,
    /// The file goes.
    Delete,
    /// An edited file is overwritten on request.
    Replace,
    /// An edited file is merged with the new content.
    Merge,
    /// An edited file is left as it is.
    Keep,
    /// An edited file that is planned no more is left and forgotten.
    Forget,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Delete, Self::Replace, Self::Merge, Self::Keep, Self::Forget];

    /// The word in the text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Merge => "merge",
            Self::Keep => "keep",
            Self::Forget => "forget",
        }
    }

    fn of(change: &FileChange) -> Option<Self> {
        match change.kind {
            Kind::Merged => change.writes().then_some(Self::Merge),
            Kind::Create => Some(Self::Create),
            Kind::Update => Some(Self::Update),
            Kind::Delete => Some(Self::Delete),
            Kind::Replaced => Some(Self::Replace),
            Kind::KeptEdited => Some(Self::Keep),
            Kind::OrphanEdited | Kind::OrphanOutside => Some(Self::Forget),
            Kind::Unchanged | Kind::EditStands | Kind::OnceExists | Kind::Detached | Kind::Conflict(_) => None,
        }
    }
}

impl SavedFile {
    fn of(change: &FileChange) -> Option<(OutputPath, Self)> {
        let action = Action::of(change)?;
        let (team, mega_file) = (change.team.clone(), change.mega_file.clone());
        let FileChange { before, after, mode, .. } = *change;
        Some((change.path.clone(), Self { action, before, after, mode, team, mega_file }))
    }
}

impl SavedPlan {
    /// Takes over what a change set says.
    #[must_use]
    pub fn with(mut self, changes: &ChangeSet) -> Self {
        self.files = changes.files.iter().filter_map(SavedFile::of).collect();
        let after = |text: &Option<String>| text.as_ref().map(|text| Digest::of(text.as_bytes()));
        let shards = changes.lockfiles.iter();
        self.shards = shards
            .map(|shard| (shard.path.clone(), SavedShard { before: shard.before, after: after(&shard.text) }))
            .collect();
        self
    }

    /// The teams that the plan would write.
    #[must_use]
    pub fn teams(&self) -> std::collections::BTreeSet<&str> {
        let files = self.files.values().map(|file| file.team.as_str());
        let shards = self.shards.keys().filter_map(|path| path.split('/').nth(2));
        files.chain(shards).collect()
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let writes = |file: &SavedFile| !matches!(file.action, Action::Keep | Action::Forget);
        self.shards.is_empty() && !self.files.values().any(writes)
    }

    /// Whether the same would happen, whatever else was read meanwhile.
    #[must_use]
    pub fn does_the_same(&self, now: &Self) -> bool {
        self.engine == now.engine
            && (&self.root, &self.out, self.tree) == (&now.root, &now.out, now.tree)
            && self.files == now.files
            && self.shards == now.shards
    }

    /// What is not any more as it was planned, in words, causes before what they lead to.
    #[must_use]
    pub fn moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        if self.engine != now.engine {
            moved.push(format!("the plan was made by `{}`, and this is `{}`", self.engine, now.engine));
        }
        for (what, then, found) in [("project", &self.root, &now.root), ("output", &self.out, &now.out)] {
            if then != found {
                moved.push(format!("the {what} root is `{found}`, and the plan was made for `{then}`"));
            }
        }
        moved.extend(changed(&self.inputs, &now.inputs, |name| format!("the input `{name}`")));
        if moved.is_empty() {
            let name = |(team, id): &(String, String)| format!("what mega-file {id} of team {team} is made from");
            moved.extend(changed(&self.mega_files, &now.mega_files, name));
        }
        moved.extend(self.moved_files(now));
        if moved.is_empty() {
            moved.extend(changed(&self.shards, &now.shards, |path| format!("what becomes of `{path}`")));
        }
        if moved.is_empty() && self.tree != now.tree {
            let shown = |tree: Option<Digest>| tree.map_or_else(|| "unknown".to_owned(), |tree| tree.to_string());
            moved.push(format!("the tree is {}, not {}", shown(now.tree), shown(self.tree)));
        }
        moved
    }

    fn moved_files(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        for (path, file) in &self.files {
            let action = file.action.as_str();
            moved.extend(match now.files.get(path) {
                Some(found) if found == file => None,
                None => Some(format!("`{path}` was to {action}, and is not any more")),
                Some(found) if found.before != file.before => Some(format!("`{path}` changed on disk")),
                Some(found) if found.after != file.after => Some(format!("`{path}` would get another content")),
                Some(found) if found.action != file.action => {
                    Some(format!("`{path}` was to {action}, and is to {} now", found.action.as_str()))
                }
                Some(_) => Some(format!("`{path}` would get another mode or belong to another mega-file")),
            });
        }
        let new = now.files.iter().filter(|(path, _)| !self.files.contains_key(*path));
        moved.extend(new.map(|(path, file)| format!("`{path}` is to {} now, and was not", file.action.as_str())));
        moved
    }
}

/// What differs between two records.
fn changed<K: Ord, V: PartialEq>(
    then: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in then {
        match now.get(key) {
            None => found.push(format!("{} is gone", name(key))),
            Some(other) if other != value => found.push(format!("{} changed", name(key))),
            Some(_) => {}
        }
    }
    found.extend(now.keys().filter(|key| !then.contains_key(key)).map(|key| format!("{} is new", name(key))));
    found
}
