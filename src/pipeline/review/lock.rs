//! `--lock` and `--unlock`: which reservations are to be, against those that are, published team by team.
//!
//! Only a mega-file that is valid and collides with nobody is reserved. The reservation of one that is wrong stays as it
//! is: whoever breaks a mega-file does not lose what it has. What nobody can read is written anew, or stays.

use std::collections::{BTreeMap, BTreeSet};

use super::{ReviewRequest, Wanted, is_wanted};
use crate::change::{ChangeSet, LockfileChange};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::disk::{self, DiskError, OperationKind, Root};
use crate::event::Watcher;
use crate::lockfile::{Reservation, is_name, reservation_path};
use crate::model::MegaFile;
use crate::pipeline::State;
use crate::pipeline::apply::{disk_finding, no_way_back};
use crate::pipeline::publish::{Publication, Record};
use crate::pipeline::reservations::owner;
use crate::pipeline::validity;
use crate::plan::{Held, Holder};
use crate::report::review::{LockChange, LockedMegaFile};

/// What was done.
#[derive(Default)]
pub struct Locked {
    /// By team and mega-file.
    pub changes: Vec<LockedMegaFile>,
    /// The numbers in the log.
    pub operations: Vec<u64>,
    /// Whether something was written: then the project must be looked at again.
    wrote: bool,
    findings: Vec<Diagnostic>,
}

impl Locked {
    /// Takes over what a further round did; whether that wrote something. What an earlier round changed stays said.
    pub fn join(&mut self, round: Self) -> bool {
        for one in round.changes {
            let known = self.changes.iter_mut().find(|old| (&old.team, &old.mega_file) == (&one.team, &one.mega_file));
            match known {
                Some(_) if one.change == LockChange::Unchanged => {}
                Some(old) => *old = one,
                None => self.changes.push(one),
            }
        }
        self.changes.sort_by(|a, b| (&a.team, &a.mega_file).cmp(&(&b.team, &b.mega_file)));
        self.operations.extend(round.operations);
        self.findings.extend(round.findings);
        round.wrote
    }

    /// What is to be said of the writing itself.
    pub fn take_findings(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.findings)
    }
}

/// The teams that have a reservation, in their one spelling.
pub fn teams(state: &State<'_>) -> BTreeSet<String> {
    let places = state.shards.reserved.texts.iter().filter_map(|(path, _)| owner(path));
    places.map(|(team, _)| state.model.team_name(team)).collect()
}

/// Reserves, or gives up.
pub fn run(state: &mut State<'_>, asked: &ReviewRequest, wanted: &Wanted, watcher: &dyn Watcher) -> Locked {
    let Some(root) = state.root.clone() else { return Locked::default() };
    let drafts = if asked.lock { to_lock(state, &root, wanted) } else { to_unlock(state, &root, wanted) };
    let mut drafts = drafts.unwrap_or_else(|error| {
        state.findings.push(disk_finding(&error));
        Vec::new()
    });
    drafts.sort_by(|a, b| a.place.cmp(&b.place));
    let kind = if asked.lock { OperationKind::Reserve } else { OperationKind::Release };
    let mut locked = Locked::default();
    let mut by_team: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_team.entry(draft.folder().to_owned()).or_default().push(draft);
    }
    for drafts in by_team.into_values() {
        let (changes, done): (Vec<_>, Vec<_>) = drafts.into_iter().map(|one| (one.change, one.done)).unzip();
        let lockfiles: Vec<LockfileChange> = changes.into_iter().flatten().collect();
        let publication = Publication {
            root: &root,
            texts: &state.shards.reserved.texts,
            record: Record::Reservations,
            kind,
            durability: state.request.durability,
            holder: &state.request.holder,
        };
        let unchanged = |one: &LockedMegaFile| one.change == LockChange::Unchanged;
        if lockfiles.is_empty() {
            locked.changes.extend(done);
            continue;
        }
        match publication.publish(ChangeSet { files: Vec::new(), lockfiles }, &|_| Ok(()), watcher) {
            Ok(applied) => {
                locked.wrote = true;
                locked.operations.extend(applied.operation);
                locked.findings.extend(applied.unlogged.as_deref().map(no_way_back));
                locked.changes.extend(done);
            }
            Err(found) => {
                state.findings.extend(found);
                locked.changes.extend(done.into_iter().filter(unchanged));
            }
        }
    }
    locked
}

/// One reservation: how it is to be, and what is said of it.
struct Draft {
    /// `None` where nothing changes.
    change: Option<LockfileChange>,
    done: LockedMegaFile,
    place: String,
}

impl Draft {
    /// The folder of its team: whose guard is taken.
    fn folder(&self) -> &str {
        owner(&self.place).map_or("", |(team, _)| team)
    }

    fn new(
        place: String,
        (team, mega_file): (&str, &str),
        paths: usize,
        change: LockChange,
        texts: Option<(Option<Digest>, Option<String>)>,
    ) -> Self {
        let folder = owner(&place).map_or_else(String::new, |(team, _)| team.to_owned());
        let to_file = |(before, text)| LockfileChange {
            path: place.clone(),
            before,
            text,
            team: folder,
            takers: BTreeSet::new(),
            keep: false,
        };
        let (team, mega_file) = (team.to_owned(), mega_file.to_owned());
        let done = LockedMegaFile { team, mega_file, paths: paths as u64, change };
        Self { change: texts.map(to_file), done, place }
    }
}

fn to_lock(state: &mut State<'_>, root: &Root, wanted: &Wanted) -> Result<Vec<Draft>, DiskError> {
    let (mut drafts, mut findings) = (Vec::new(), Vec::new());
    let (wrong, all_wrong) = (validity::wrong_inputs(state), validity::is_all_wrong(state));
    let mut places: BTreeSet<String> = BTreeSet::new();
    for (index, mega) in state.model.mega_files.iter().enumerate() {
        if !is_wanted(wanted, &mega.team) {
            continue;
        }
        if !(is_name(&mega.team) && is_name(&mega.id)) {
            findings.push(not_reserved(mega, "its team or its id cannot be the name of a file"));
            continue;
        }
        if all_wrong || wrong.contains(&mega.file()) {
            let why = if all_wrong { "the project is wrong as a whole" } else { "it is wrong, or collides" };
            findings.push(not_reserved(mega, why));
            continue;
        }
        let own = state.plan.files.iter().filter(|file| file.mega_file == index);
        let paths: BTreeSet<_> = own.map(|file| file.path.clone()).collect();
        if paths.is_empty() {
            continue;
        }
        let reservation = Reservation { team: mega.team.clone(), mega_file: mega.id.clone(), paths };
        let place = reservation_path(&mega.team, &mega.id);
        places.insert(place.clone());
        drafts.push(draft(state, root, place, &reservation)?);
    }
    let left = state.shards.reserved.reservations.iter().filter(|held| is_wanted(wanted, &held.team));
    for held in left.filter(|held| !places.contains(&held.place) && is_over(state, held, &places)) {
        let before = disk::shard_digest(root, &held.place)?;
        let (named, paths) = ((held.team.as_str(), held.mega_file.as_str()), held.paths.len());
        drafts.push(Draft::new(held.place.clone(), named, paths, LockChange::Removed, Some((before, None))));
    }
    for damaged in state.shards.reserved.damaged.iter().filter(|one| one.is_over && !places.contains(&one.place)) {
        let Some((team, id)) = owner(&damaged.place) else { continue };
        if is_wanted(wanted, &state.model.team_name(team)) {
            let before = disk::shard_digest(root, &damaged.place)?;
            drafts.push(Draft::new(damaged.place.clone(), (team, id), 0, LockChange::Removed, Some((before, None))));
        }
    }
    state.findings.extend(findings);
    Ok(drafts)
}

/// Whether a reservation is over: the mega-file is another team's now, or spelled in another way. That of a mega-file that
/// is gone stays: it may be gone for a moment only, and its paths must not become somebody else's by the way.
fn is_over(state: &State<'_>, held: &Held, places: &BTreeSet<String>) -> bool {
    match &held.holder {
        Holder::Moved(_) => true,
        Holder::Readable => {
            let same = |mega: &&MegaFile| crate::name::id_key(&mega.id) == crate::name::id_key(&held.mega_file);
            let now = state.model.mega_files.iter().find(same);
            now.is_some_and(|mega| places.contains(&reservation_path(&mega.team, &mega.id)))
        }
        Holder::Gone | Holder::Unreadable | Holder::UnknownTeam => false,
    }
}

fn draft(state: &State<'_>, root: &Root, place: String, reservation: &Reservation) -> Result<Draft, DiskError> {
    let found = state.shards.reserved.texts.iter().find(|(path, _)| *path == place);
    let old = found.map(|(path, text)| Reservation::read(path, text).ok());
    let paths = reservation.paths.len();
    let named = (reservation.team.as_str(), reservation.mega_file.as_str());
    let change = match &old {
        None => LockChange::Reserved,
        Some(Some(old)) if old == reservation => {
            return Ok(Draft::new(place, named, paths, LockChange::Unchanged, None));
        }
        Some(_) => LockChange::Refreshed,
    };
    let before = if old.is_some() { disk::shard_digest(root, &place)? } else { None };
    Ok(Draft::new(place, named, paths, change, Some((before, Some(reservation.to_text())))))
}

fn to_unlock(state: &State<'_>, root: &Root, wanted: &Wanted) -> Result<Vec<Draft>, DiskError> {
    let mut drafts = Vec::new();
    for (path, text) in &state.shards.reserved.texts {
        let Some((team, id)) = owner(path) else { continue };
        if !is_wanted(wanted, &state.model.team_name(team)) {
            continue;
        }
        // Of one that cannot be read nobody knows how many.
        let paths = Reservation::read(path, text).map_or(0, |found| found.paths.len());
        let before = disk::shard_digest(root, path)?;
        drafts.push(Draft::new(path.clone(), (team, id), paths, LockChange::Released, Some((before, None))));
    }
    Ok(drafts)
}

fn not_reserved(mega: &MegaFile, why: &str) -> Diagnostic {
    let message = format!("the paths of `{}` are not reserved: {why}", mega.id);
    let help = "mend it, then `megax review --lock` again; what it had reserved before stays reserved";
    Diagnostic::new(Code::NotReserved, message).at(mega.id_span).help(help).team(mega.team.clone())
}
