//! What the lockfile makes nobody delete. A shard may come from anywhere, and a right digest in it proves only that its
//! writer knew the file: so a team loses files inside its boundary at most, and never what megax reads.

use std::collections::BTreeSet;

use super::State;
use crate::change::{ChangeSet, FileChange, Kind};
use crate::model::Team;
use crate::name::id_key;
use crate::path::OutputPath;

/// The files that would be deleted though the teams that they are recorded for may not write there, by the team of the
/// shard.
pub fn off_limits(state: &State<'_>, changes: &ChangeSet) -> BTreeSet<(String, OutputPath)> {
    let mut deletes = changes.files.iter().filter(|change| change.kind == Kind::Delete).peekable();
    if deletes.peek().is_none() {
        return BTreeSet::new();
    }
    let reserved = super::reserved::reserved(&state.set, state.root.as_ref());
    let is_read = |path: &OutputPath| reserved.holds(path) || reserved.holds_snapshot(path);
    let found = deletes.filter(|change| is_read(&change.path) || !may_write(state, change));
    found.map(|change| (change.team.clone(), change.path.clone())).collect()
}

/// Whether the team of the shard, or the one that its mega-file went to, may write there.
fn may_write(state: &State<'_>, change: &FileChange) -> bool {
    let Some(manifest) = &state.model.manifest else { return true };
    let taker = state.model.mega_files.iter().find(|mega| id_key(&mega.id) == id_key(&change.mega_file));
    let names = [Some(change.team.as_str()), taker.map(|mega| mega.team.as_str())];
    let may = |team: &Team| team.boundary.allows(&change.path) && team.boundary.forbids(&change.path).is_none();
    names.into_iter().flatten().filter_map(|name| manifest.team(name)).any(may)
}
