//! What an operation stood on and what it led to, as the lockfile says before and after it. Looks only.
//!
//! Apply, undo and rollback all change the lockfile's shards by steps of their journal, so that one definition serves
//! them all: the shards of the operation's teams as they lie on disk, and the same with those steps carried out.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use super::error::DiskError;
use super::journal::{Journal, Step};
use super::log::read_text;
use super::root::Root;
use super::shards::read_shards_of;
use crate::digest::{Digest, DigestBuilder, tree_digest};
use crate::lockfile::{CLAIM_ENDING, Lockfile, MAX_BYTES};
use crate::path::{FileMode, OutputPath};

const LOCK: &str = ".megax/lock/";

/// What an operation stood on, and what it led to. What the lockfile does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footing {
    /// Per team, in the order of the operation's teams: the digest over the ids of the team's mega-files and the digests
    /// of their inputs, as the shards record them after the operation; `None` without a mega-file, or if one of them was
    /// applied in part only.
    pub inputs: Vec<Option<Digest>>,
    /// The digest ([`tree_digest`]) over every file that the shards of the operation's teams record before it: path,
    /// mode and bytes as megax rendered them. What somebody edited since counts as rendered. After a run over all
    /// mega-files of one team this is the `tree` that the run printed.
    pub before: Option<Digest>,
    /// The same after it.
    pub after: Option<Digest>,
}

/// The shards of some teams, by their place; nothing for one that cannot be read.
type Shards = BTreeMap<String, Option<Lockfile>>;

impl Footing {
    /// Of a commit with these steps, whose new shards lie in a transaction folder. The steps are not carried out yet.
    /// Shards that cannot be read hinder no commit: then nothing is known.
    pub(super) fn of(root: &Root, folder: BorrowedFd<'_>, journal: &Journal, teams: &[String]) -> Self {
        let Ok(mut shards) = read(root, teams) else {
            return Self { inputs: vec![None; teams.len()], before: None, after: None };
        };
        let before = tree(&shards);
        carry_out(folder, journal, &mut shards);
        let inputs = teams.iter().map(|team| inputs(&shards, team)).collect();
        Self { inputs, before, after: tree(&shards) }
    }
}

fn read(root: &Root, teams: &[String]) -> Result<Shards, DiskError> {
    let texts = read_shards_of(root, |team| teams.iter().any(|one| one == team))?;
    Ok(texts.into_iter().map(|(place, text)| (place, Lockfile::parse(&text).ok())).collect())
}

/// The shards as the steps leave them.
fn carry_out(folder: BorrowedFd<'_>, journal: &Journal, shards: &mut Shards) {
    // Reservations lie there as well; they say nothing of what was written.
    let is_shard = |path: &str| path.starts_with(LOCK) && !path.ends_with(CLAIM_ENDING);
    for step in journal.steps.iter().filter(|step| is_shard(step.path())) {
        match step {
            Step::Create { path, slot, .. } | Step::Replace { path, slot, .. } => {
                let text = read_text(folder, slot, MAX_BYTES as u64).ok();
                shards.insert(path.clone(), text.and_then(|text| Lockfile::parse(&text).ok()));
            }
            Step::Remove { path, .. } => _ = shards.remove(path),
            Step::Folder { .. } | Step::Tree { .. } | Step::Clear { .. } | Step::Mode { .. } => {}
        }
    }
}

fn tree(shards: &Shards) -> Option<Digest> {
    let mut files: Vec<(&OutputPath, FileMode, Digest)> = Vec::new();
    for shard in shards.values() {
        files.extend(shard.as_ref()?.entries.iter().map(|(path, entry)| (path, entry.mode, entry.digest)));
    }
    files.sort_by_key(|(path, _, digest)| (*path, *digest));
    files.dedup();
    Some(tree_digest(files))
}

fn inputs(shards: &Shards, team: &str) -> Option<Digest> {
    let own: Vec<&Option<Lockfile>> =
        shards.iter().filter(|(place, _)| team_of(place) == Some(team)).map(|(_, shard)| shard).collect();
    let mut builder = DigestBuilder::default();
    builder.part(b"megax team inputs 1");
    for shard in &own {
        let shard = shard.as_ref()?;
        builder.part(shard.mega_file.as_bytes()).part(shard.inputs?.as_bytes());
    }
    (!own.is_empty()).then(|| builder.finish())
}

/// The team that a shard's place names.
fn team_of(place: &str) -> Option<&str> {
    place.strip_prefix(LOCK)?.split('/').next()
}
