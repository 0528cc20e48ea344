//! What `megax repair` does: the files that the lockfile records as they are recorded, and a lockfile that can be read.
//!
//! Nothing here plans to overwrite what holds other bytes than recorded, unless that is asked for, and nothing is ever
//! deleted. What cannot be put back is named as a [`Gap`].

use std::collections::{BTreeMap, BTreeSet};

use super::compare::owner;
use super::record::Bases;
use super::{ChangeSet, Desired, FileChange, Kind, LockfileChange, MegaFile, OnDisk, Reason, Shard, Survey};
use crate::digest::{Digest, same_text};
use crate::lockfile::{EntryState, LockEntry, Lockfile, Salvaged, shard_path};
use crate::name::id_key;
use crate::path::{FileMode, OutputPath, PathKey};

/// A shard that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The team that its place names.
    pub team: String,
    /// The id of the mega-file that its place names.
    pub mega_file: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The lines of it that are whole.
    pub salvaged: Salvaged,
}

/// All that [`restore`] looks at.
#[derive(Clone, Copy)]
pub struct Restore<'a> {
    /// The shards that can be read.
    pub shards: &'a [Shard],
    /// Those that cannot, and are to be rebuilt.
    pub damaged: &'a [Damaged],
    /// The mega-files, by the key of their id ([`id_key`]), whose shards cannot be read and are left so.
    pub left: &'a BTreeSet<String>,
    /// The readable mega-files of teams that are not held.
    pub mega_files: &'a [MegaFile],
    /// Their files, sorted by path, each path once.
    pub desired: &'a [Desired],
    /// What lies on disk: for every path that is recorded, salvaged or wanted.
    pub survey: &'a Survey,
    /// Whether edited files are written over.
    pub overwrite: bool,
    /// The engine, for the shards.
    pub engine: &'a str,
    /// Which files are to be restored, by team and path.
    pub wanted: &'a dyn Fn(&str, &OutputPath) -> bool,
}

/// Why a file is not as recorded after a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapKind {
    /// Somebody changed it; it is left.
    Edited {
        /// Whether nothing is in it any more.
        empty: bool,
    },
    /// Its lockfile is rebuilt, and it holds what nobody says that megax wrote; it is left.
    Foreign,
    /// It is gone, or edited, and what the mega-files make now is not what was recorded.
    Moved,
    /// Something else is where it belongs.
    InTheWay(Reason),
}

/// A file that is not as recorded after a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub path: OutputPath,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// Why.
    pub kind: GapKind,
}

/// What a repair changes, and what it cannot mend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restoration {
    /// Files that come back, and shards that are rebuilt.
    pub changes: ChangeSet,
    /// The others, sorted by path.
    pub gaps: Vec<Gap>,
}

/// Says what brings the recorded files back, and the shards that cannot be read or are missing. Pure.
#[must_use]
pub fn restore(inputs: &Restore<'_>) -> Restoration {
    let wanted: BTreeMap<&OutputPath, &Desired> = inputs.desired.iter().map(|file| (&file.path, file)).collect();
    let bases = Bases::of(inputs.shards);
    let mut run = Run { inputs, wanted, bases, rebuilt: BTreeMap::new(), out: Restoration::default() };
    let mut seen = BTreeSet::new();
    for shard in inputs.shards {
        let (team, mega_file) = owner(shard);
        for path in shard.lockfile.entries.keys() {
            let bases: Vec<&LockEntry> = run.bases.of_path(path).iter().map(|base| base.entry).collect();
            let is_left = bases.iter().any(|entry| entry.is_detached());
            if !is_left && (inputs.wanted)(&team, path) && seen.insert(path) {
                let verdict = run.judge(path, &bases);
                run.note(path, (&team, &mega_file), verdict);
            }
        }
    }
    // All that belong to one place are rebuilt there together, those that belong to a mega-file first: what is recorded
    // there is not recorded again elsewhere.
    let (mut placed, mut others) = (BTreeMap::<(&str, &str), Vec<&Damaged>>::new(), Vec::new());
    for one in inputs.damaged {
        match run.right_place(one) {
            Some(mega_file) => placed.entry((&mega_file.team, &mega_file.id)).or_default().push(one),
            None => others.push(one),
        }
    }
    for (place, all) in placed {
        let is_there = |one: &&&Damaged| (one.team.as_str(), one.mega_file.as_str()) == place;
        run.rebuild(place, all.iter().find(is_there).map(|one| one.digest), &united(&all, place));
        for one in all.iter().filter(|one| !is_there(one)) {
            run.remove(one, place.0);
        }
    }
    let healthy = inputs.shards.iter().map(|shard| id_key(&shard.lockfile.mega_file));
    let damaged = inputs.damaged.iter().map(|one| id_key(&one.mega_file));
    let known: BTreeSet<String> = healthy.chain(damaged).chain(inputs.left.iter().cloned()).collect();
    for mega_file in inputs.mega_files.iter().filter(|one| !known.contains(&id_key(&one.id))) {
        run.rebuild((&mega_file.team, &mega_file.id), None, &Salvaged::default());
    }
    for one in others {
        run.rebuild((&one.team, &one.mega_file), Some(one.digest), &one.salvaged);
    }
    let mut out = run.out;
    out.changes.files.sort_by(|a, b| a.path.cmp(&b.path));
    out.changes.lockfiles.sort_by(|a, b| a.path.cmp(&b.path));
    out.gaps.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// The lines of all shards that belong to one place, those of the shard that lies there last: the last line of a path
/// is the newest.
fn united(all: &[&Damaged], (team, mega_file): (&str, &str)) -> Salvaged {
    let (there, misplaced): (Vec<&Damaged>, Vec<&Damaged>) =
        all.iter().copied().partition(|one| one.team == team && one.mega_file == mega_file);
    let mut found = Salvaged::default();
    for one in misplaced.into_iter().chain(there) {
        found.source = one.salvaged.source.clone().or(found.source);
        for (path, lines) in &one.salvaged.entries {
            let known = found.entries.entry(path.clone()).or_default();
            known.retain(|line| !lines.contains(line));
            known.extend(lines.iter().cloned());
        }
    }
    found
}

/// What is to be done about one file; `None` for nothing.
type Verdict = Option<Result<Change, GapKind>>;

/// A change of one file.
struct Change {
    kind: Kind,
    before: Option<Digest>,
    after: Option<Digest>,
    mode: FileMode,
}

struct Run<'a> {
    inputs: &'a Restore<'a>,
    wanted: BTreeMap<&'a OutputPath, &'a Desired>,
    bases: Bases<'a>,
    /// What the shards record that were rebuilt so far, and whether it is detached there.
    rebuilt: BTreeMap<OutputPath, bool>,
    out: Restoration,
}

impl<'a> Run<'a> {
    /// Compares the disk with what is recorded of a path.
    fn judge(&self, path: &OutputPath, entries: &[&LockEntry]) -> Verdict {
        // Only what was rendered again, to the byte, can be put back.
        let rendered = self.wanted.get(path).copied().filter(|file| {
            entries.iter().any(|entry| entry.is_written_as(file.digest, file.lf_digest) && entry.mode == file.mode)
        });
        let put = |kind, before, file: &Desired| Change { kind, before, after: Some(file.digest), mode: file.mode };
        let (digest, lf_digest, executable, bytes) = match self.inputs.survey.get(path)? {
            OnDisk::Other(what) => return Some(Err(GapKind::InTheWay(Reason::NotAFile(what)))),
            OnDisk::Below(parent) => return Some(Err(GapKind::InTheWay(Reason::Below(parent.clone())))),
            OnDisk::Reserved(parent) => return Some(Err(GapKind::InTheWay(Reason::Reserved(parent.clone())))),
            OnDisk::Unreadable => return Some(Err(GapKind::InTheWay(Reason::Unreadable))),
            OnDisk::Absent => return Some(rendered.map(|file| put(Kind::Create, None, file)).ok_or(GapKind::Moved)),
            OnDisk::File { digest, lf_digest, executable, bytes } => (*digest, *lf_digest, *executable, *bytes),
        };
        if entries.iter().any(|entry| entry.state == EntryState::Once) {
            return None;
        }
        if let Some(entry) = entries.iter().find(|entry| entry.is_written_as(digest, lf_digest)) {
            return mode_change(entry.mode, executable, digest).map(Ok);
        }
        match (self.inputs.overwrite, rendered) {
            (false, _) => Some(Err(GapKind::Edited { empty: bytes == 0 })),
            (true, None) => Some(Err(GapKind::Moved)),
            (true, Some(file)) => Some(Ok(put(Kind::Replaced, Some(digest), file))),
        }
    }

    fn note(&mut self, path: &OutputPath, (team, mega_file): (&str, &str), verdict: Verdict) {
        let (path, team, mega_file) = (path.clone(), team.to_owned(), mega_file.to_owned());
        match verdict {
            None => {}
            Some(Err(kind)) => self.out.gaps.push(Gap { path, team, mega_file, kind }),
            Some(Ok(Change { kind, before, after, mode })) => {
                self.out.changes.files.push(FileChange { path, team, mega_file, kind, before, after, mode });
            }
        }
    }

    /// The mega-file that a shard belongs to, also if it lies at the place of another team or in another spelling; none
    /// where a shard that can be read lies at the right place.
    fn right_place(&self, one: &Damaged) -> Option<&'a MegaFile> {
        let found = self.inputs.mega_files.iter().find(|other| id_key(&other.id) == id_key(&one.mega_file))?;
        let is_there = |team: &str, id: &str| team == found.team && id == found.id;
        let taken = self.inputs.shards.iter().any(|shard| is_there(&shard.lockfile.team, &shard.lockfile.mega_file));
        // One that cannot be read and is left so may lie there.
        let left = self.inputs.left.contains(&id_key(&one.mega_file)) && !is_there(&one.team, &one.mega_file);
        (!taken && !left).then_some(found)
    }

    /// Takes away a shard whose lines were written at their right place, in the same commit.
    fn remove(&mut self, one: &Damaged, taker: &str) {
        let (path, team) = (shard_path(&one.team, &one.mega_file), one.team.clone());
        let takers = BTreeSet::from([taker.to_owned()]);
        let before = Some(one.digest);
        self.out.changes.lockfiles.push(LockfileChange { path, before, text: None, team, takers, keep: true });
    }

    /// Makes a shard anew from the plan and the disk. A whole line of the old one counts where the disk, or somebody's
    /// choice, bears it out; a shard that is merely missing comes back only if a file of it is there.
    fn rebuild(&mut self, (team, id): (&str, &str), before: Option<Digest>, salvaged: &Salvaged) {
        let is_own = |own_team: &str, own_id: &str| own_team == team && id_key(own_id) == id_key(id);
        let own: Vec<&Desired> =
            self.inputs.desired.iter().filter(|file| is_own(&file.team, &file.mega_file)).collect();
        let is_wanted = |file: &&&Desired| (self.inputs.wanted)(team, &file.path);
        let is_missing = before.is_none() && salvaged.entries.is_empty();
        if is_missing && !own.iter().filter(is_wanted).any(|file| self.is_there(file)) {
            return;
        }
        let mut entries = BTreeMap::new();
        for file in &own {
            let lines = salvaged.entries.get(&file.path).map_or(&[][..], Vec::as_slice);
            let (entry, verdict) = self.find(file, lines);
            entries.extend(entry.map(|entry| (file.path.clone(), entry)));
            if (self.inputs.wanted)(team, &file.path) {
                self.note(&file.path, (team, id), verdict);
            }
        }
        let planned: BTreeSet<PathKey> = own.iter().map(|file| file.path.key()).collect();
        for (path, lines) in salvaged.entries.iter().filter(|(path, _)| !planned.contains(&path.key())) {
            let bases = self.bases.of_path(path);
            let elsewhere = !bases.is_empty() || self.rebuilt.contains_key(path);
            let is_left = bases.iter().any(|base| base.entry.is_detached()) || self.rebuilt.get(path) == Some(&true);
            let as_written = |entry: &&LockEntry| match self.inputs.survey.get(path) {
                Some(OnDisk::File { digest, lf_digest, .. }) => entry.is_written_as(*digest, *lf_digest),
                _ => false,
            };
            let detached = lines.iter().find(|entry| entry.is_detached());
            let line = match detached {
                Some(_) if is_left => None,
                Some(line) => Some(line),
                None => lines.iter().filter(|_| !elsewhere).find(as_written),
            };
            entries.extend(line.map(|entry| (path.clone(), entry.clone())));
        }
        let mega_file = self.inputs.mega_files.iter().find(|one| is_own(&one.team, &one.id));
        let source = mega_file.map_or_else(|| salvaged.source.clone(), |one| one.source.clone());
        self.rebuilt.extend(entries.iter().map(|(path, entry): (&OutputPath, _)| (path.clone(), entry.is_detached())));
        let (path, team, engine) = (shard_path(team, id), team.to_owned(), self.inputs.engine.to_owned());
        let lockfile = Lockfile { team: team.clone(), mega_file: id.to_owned(), engine, inputs: None, source, entries };
        let text = (!lockfile.entries.is_empty()).then(|| lockfile.to_text());
        if before.is_none() && text.is_none() {
            return;
        }
        let (takers, keep) = (BTreeSet::new(), before.is_some());
        self.out.changes.lockfiles.push(LockfileChange { path, before, text, team, takers, keep });
    }

    /// Whether a planned file is there as it is rendered.
    fn is_there(&self, file: &Desired) -> bool {
        match self.inputs.survey.get(&file.path) {
            Some(OnDisk::File { digest, lf_digest, .. }) => {
                same_text((*digest, *lf_digest), (file.digest, file.lf_digest))
            }
            _ => false,
        }
    }

    /// What a rebuilt shard says of a planned file, given the lines of the old one, and what is to be done about it.
    fn find(&self, file: &Desired, lines: &[LockEntry]) -> (Option<LockEntry>, Verdict) {
        if let Some(detached) = lines.iter().find(|entry| entry.is_detached()) {
            return (Some(detached.clone()), None);
        }
        let state = EntryState::planned(file.once);
        let (digest, lf_digest, template) = (file.digest, file.lf_digest, file.template.clone());
        let planned = LockEntry { digest, lf_digest, mode: file.mode, state, template };
        let lines: Vec<LockEntry> = lines.iter().map(|entry| LockEntry { state, ..entry.clone() }).collect();
        let last = lines.last();
        // What is put back is recorded as it is planned.
        let put_back = || {
            let verdict = self.judge(&file.path, &lines.iter().collect::<Vec<_>>());
            let entry = if matches!(verdict, Some(Ok(_))) { Some(&planned) } else { last };
            (entry.cloned(), verdict)
        };
        match self.inputs.survey.get(&file.path) {
            Some(OnDisk::File { digest, executable, .. }) if self.is_there(file) => {
                (Some(planned.clone()), mode_change(file.mode, *executable, *digest).map(Ok))
            }
            Some(OnDisk::File { .. }) if file.once => (Some(planned.clone()), None),
            Some(OnDisk::File { digest, lf_digest, .. }) => {
                let as_written = lines.iter().find(|entry| entry.is_written_as(*digest, *lf_digest));
                match as_written {
                    Some(entry) => (Some(entry.clone()), None),
                    None if last.is_none() => (None, Some(Err(GapKind::Foreign))),
                    None => put_back(),
                }
            }
            // Never written, as far as anybody knows.
            _ if last.is_none() => (None, None),
            _ => put_back(),
        }
    }
}

/// The change that only the mode needs.
fn mode_change(mode: FileMode, executable: bool, digest: Digest) -> Option<Change> {
    let differs = executable != (mode == FileMode::Executable);
    differs.then_some(Change { kind: Kind::Update, before: Some(digest), after: Some(digest), mode })
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
