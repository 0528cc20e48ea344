//! Merging edits: the edited file, the new content, and between them the base, what megax wrote last. The base is not
//! kept anywhere; it is rendered again from the stored inputs, in memory, and counts only if it has the digest that the
//! lockfile records.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::inputs::ENGINE;
use super::{State, assets, slots};
use crate::change::{Attempt, ChangeSet, FileChange, Kind, OnDisk, Policy, Reason, Shard, Survey};
use crate::digest::Digest;
use crate::disk::{self, DiskError, Listing, Role, Root};
use crate::limit::Limits;
use crate::lockfile::{LockEntry, Lockfile};
use crate::merge::{self, MAX_BYTES, MAX_LINES, Merged};
use crate::model;
use crate::output;
use crate::path::OutputPath;
use crate::plan::{self, Plan};
use crate::source::{Files, Past, load_past};

const NO_TEXT: &str = "it, or its new content, is no text";
const NOT_STORED: &str = "the inputs that it was written from are not stored here (`.megax/inputs` is not committed, and \
                          holds what the last runs in this folder read)";
const NOT_THESE: &str = "no stored inputs give what was written last (those of removed operations are gone as well)";

/// An edited file that is to be merged.
struct Wanted<'s> {
    path: &'s OutputPath,
    shard: &'s Shard,
    entry: &'s LockEntry,
    /// The digest of the edited file, and its size.
    edited: Digest,
    bytes: u64,
}

/// How far a merge is.
enum Begun {
    /// No base is needed to say what comes of it.
    Done(Result<Merged, Reason>),
    /// The edited file and the new content; the base is missing.
    Open(Vec<u8>, Vec<u8>),
}

/// Merges every edited file of a change set for which that is wanted and was not done yet; whether there was one. What
/// came of it is in the state.
pub fn attempt(state: &mut State<'_>, survey: &Survey, changes: &ChangeSet) -> bool {
    let policies = state.policies();
    let is_wanted =
        |file: &&FileChange| file.kind == Kind::Conflict(Reason::Edited) && policies.of(&file.path) == Policy::Merge;
    let edited: Vec<Wanted<'_>> =
        changes.files.iter().filter(is_wanted).filter_map(|change| wanted(state, survey, change)).collect();
    if edited.is_empty() {
        return false;
    }
    let markers = state.request.conflict_markers;
    let begun: Vec<(Digest, Begun)> = edited.par_iter().map(|wanted| begin(state, wanted)).collect();
    let open = edited.iter().zip(&begun).filter(|(_, (_, begun))| matches!(begun, Begun::Open(..)));
    let bases = bases(state, &open.map(|(wanted, _)| wanted).collect::<Vec<_>>());
    let done: Vec<(OutputPath, Attempt, Option<Merged>)> = edited
        .into_par_iter()
        .zip(begun)
        .map(|(wanted, (new, begun))| {
            let merged = match begun {
                Begun::Done(done) => done,
                Begun::Open(edited, new) => over_base(bases.get(wanted.path), &edited, &new, markers),
            };
            let outcome = merged.as_ref().map(|merged| Digest::of(&merged.text)).map_err(Clone::clone);
            let attempt = Attempt { edited: wanted.edited, base: wanted.entry.digest, new, outcome };
            (wanted.path.clone(), attempt, merged.ok())
        })
        .collect();
    let mut is_new = false;
    for (path, attempt, merged) in done {
        state.merged.extend(merged.map(|merged| (path.clone(), merged)));
        // The same attempt again would change nothing.
        is_new |= state.merges.insert(path, attempt.clone()) != Some(attempt);
    }
    is_new
}

fn wanted<'s>(state: &'s State<'_>, survey: &Survey, change: &'s FileChange) -> Option<Wanted<'s>> {
    let OnDisk::File { digest, bytes, .. } = survey.get(&change.path)? else { return None };
    let entries =
        || state.shards.all.iter().filter_map(|shard| Some((shard, shard.lockfile.entries.get(&change.path)?)));
    let is_own = |(shard, _): &(&Shard, _)| {
        (&shard.lockfile.team, &shard.lockfile.mega_file) == (&change.team, &change.mega_file)
    };
    // The same choice as in the record of the change set.
    let (shard, entry) = entries().find(is_own).or_else(|| entries().next())?;
    Some(Wanted { path: &change.path, shard, entry, edited: *digest, bytes: *bytes })
}

fn cannot(why: impl Into<String>) -> Reason {
    Reason::Unmergeable(why.into())
}

/// The digest of the new content, and how far one comes without a base.
fn begin(state: &State<'_>, wanted: &Wanted<'_>) -> (Digest, Begun) {
    let mut buffer = Vec::new();
    let planned = state.plan.files.binary_search_by(|file| file.path.cmp(wanted.path)).ok();
    // It was rendered before, or it would not be in a change set.
    let new =
        planned.and_then(|index| output::body(state.plan.files.get(index)?, &mut buffer).ok()).unwrap_or_default();
    let begun = match read_edited(state, wanted, new) {
        Err(reason) => Begun::Done(Err(reason)),
        // Nothing is new: the edit stands.
        Ok(edited) if Digest::of(new) == wanted.entry.digest => {
            Begun::Done(Ok(Merged { text: edited, conflicts: Vec::new() }))
        }
        Ok(edited) => Begun::Open(edited, new.to_vec()),
    };
    (Digest::of(new), begun)
}

/// The edited file, if it can be merged at all.
fn read_edited(state: &State<'_>, wanted: &Wanted<'_>, new: &[u8]) -> Result<Vec<u8>, Reason> {
    let root = state.root.as_ref().ok_or_else(|| cannot("there is no output root"))?;
    if wanted.bytes.max(new.len() as u64) > MAX_BYTES as u64 {
        return Err(cannot(format!("it is larger than {MAX_BYTES} bytes, the most that is merged")));
    }
    let edited = disk::read_up_to(root, wanted.path, MAX_BYTES as u64).map_err(|error| cannot(error.to_string()))?;
    let is_same = |bytes: &Vec<u8>| Digest::of(bytes) == wanted.edited;
    let edited = edited.filter(is_same).ok_or_else(|| cannot("it was changed while megax was running; run again"))?;
    if Digest::of(new) != wanted.entry.digest && (merge::is_long(&edited) || merge::is_long(new)) {
        return Err(cannot(too_long()));
    }
    // The new content may show such lines itself.
    if let (Some(line), None) = (merge::first_marker(&edited), merge::first_marker(new)) {
        return Err(Reason::Unresolved(line));
    }
    if Digest::of(new) != wanted.entry.digest && !(merge::is_text(&edited) && merge::is_text(new)) {
        return Err(cannot(NO_TEXT));
    }
    Ok(edited)
}

fn too_long() -> String {
    format!("it, its new content, or what was written last has more than {MAX_LINES} lines, the most that is merged")
}

fn over_base(base: Option<&BaseText>, edited: &[u8], new: &[u8], markers: bool) -> Result<Merged, Reason> {
    let base = base.ok_or_else(|| cannot(NOT_STORED))?.as_ref().map_err(cannot)?;
    if merge::is_long(base) {
        return Err(cannot(too_long()));
    }
    let merged = merge::merge(base, edited, new).ok_or_else(|| cannot(NO_TEXT))?;
    if merged.conflicts.is_empty() || markers { Ok(merged) } else { Err(Reason::Overlap(merged.conflicts)) }
}

/// What was written once; else why it is not known.
type BaseText = Result<Vec<u8>, String>;

/// The contents of files as the lockfile records them. A listing is planned once for all files that may be from it, and
/// only one plan is in memory.
fn bases(state: &State<'_>, files: &[&Wanted<'_>]) -> BTreeMap<OutputPath, BaseText> {
    let Some(root) = state.root.as_ref().filter(|_| !files.is_empty()) else { return BTreeMap::new() };
    let all = |why: &str| files.iter().map(|file| (file.path.clone(), Err(why.to_owned()))).collect();
    let known = match read(root) {
        Ok(known) => known,
        Err(error) => return all(&error.to_string()),
    };
    let mut open: Vec<(&Wanted<'_>, BTreeSet<Digest>)> = Vec::new();
    let (mut first, mut found) = (Vec::new(), BTreeMap::new());
    for file in files {
        let (covering, of_team) = candidates(&known, &file.shard.lockfile);
        first.extend(covering);
        open.push((file, covering.into_iter().chain(of_team).collect()));
    }
    let mut tried = BTreeSet::new();
    for listing in first.into_iter().chain(known.1.iter().map(|(listing, _)| *listing)) {
        let is_wanted = open.iter().any(|(_, candidates)| candidates.contains(&listing));
        let Some(texts) = known.0.get(&listing).filter(|_| is_wanted && tried.insert(listing)) else { continue };
        let plan = match plan_of(root, texts, &state.set.limits) {
            Ok(plan) => plan,
            Err(error) => return all(&error.to_string()),
        };
        open.retain(|(file, candidates)| {
            let body = candidates.contains(&listing).then(|| content(&plan, file)).flatten();
            body.is_none_or(|body| found.insert(file.path.clone(), Ok(body)).is_some())
        });
    }
    found.extend(open.into_iter().map(|(file, candidates)| {
        let engine = &file.shard.lockfile.engine;
        let why = match candidates.is_empty() {
            true => NOT_STORED.to_owned(),
            false if engine == ENGINE => NOT_THESE.to_owned(),
            false => format!("it was written by `{engine}`, and `{ENGINE}` does not render the same from those inputs"),
        };
        (file.path.clone(), Err(why))
    }));
    found
}

/// The body that a plan gives a file, if it is what the lockfile records.
fn content(plan: &Plan, file: &Wanted<'_>) -> Option<Vec<u8>> {
    let index = plan.files.binary_search_by(|planned| planned.path.cmp(file.path)).ok()?;
    let mut buffer = Vec::new();
    let body = output::body(plan.files.get(index)?, &mut buffer).ok()?;
    (Digest::of(body) == file.entry.digest).then(|| body.to_vec())
}

/// The listings that a file may have been written from: one with the very inputs that its shard records (all of those
/// render the same), and those of the team's operations.
fn candidates(known: &Known, shard: &Lockfile) -> (Option<Digest>, Vec<Digest>) {
    let (listings, operations) = known;
    let covering = listings.iter().find(|(_, listing)| listing.covers(shard)).map(|(digest, _)| *digest);
    let of_team = operations.iter().filter(|(_, teams)| teams.contains(&shard.team)).map(|(digest, _)| *digest);
    (covering, of_team.filter(|digest| listings.contains_key(digest)).collect())
}

/// The listings, and those that the operations name, newest first, each with its teams.
type Known = (BTreeMap<Digest, Listing>, Vec<(Digest, Vec<String>)>);

fn read(root: &Root) -> Result<Known, DiskError> {
    let operations = disk::read_log(root)?.operations.into_iter();
    let named = operations.filter_map(|operation| Some((operation.listing?, operation.teams)));
    Ok((disk::read_listings(root)?, named.collect()))
}

/// What was planned from stored inputs. Whatever is missing or broken in them is missing in the plan; nothing is said of
/// it, since every body is checked by its digest. Stored inputs are as untrusted as others: they have the limits of this
/// run.
fn plan_of(root: &Root, listing: &Listing, limits: &Limits) -> Result<Plan, DiskError> {
    let mut past = Past::default();
    for ((role, name), bytes) in disk::read_inputs(root, listing)? {
        match (role, String::from_utf8(bytes)) {
            (Role::Manifest, Ok(text)) => past.manifest = Some((name, text)),
            (Role::MegaFile | Role::Neighbour, Ok(text)) => {
                past.mega_files.insert(name, (text, role == Role::MegaFile));
            }
            (Role::Data | Role::Template | Role::Asset, text) => {
                past.files.insert(name, text.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes));
            }
            _ => {}
        }
    }
    let set = load_past(&past, limits);
    let (model, _) = model::build(&set);
    let assets = assets(&model, &Files::Stored(&past.files), &set.limits);
    let seed = model.manifest.as_ref().map_or("", |manifest| &manifest.seed);
    let planned = std::sync::atomic::AtomicUsize::new(0);
    let around = plan::Around { sources: &set.sources, assets: &assets, seed, planned: &planned, limits: &set.limits };
    let doubts = slots::doubts(&set, &model);
    let (reserved, reservations) = (plan::Reserved::default(), plan::Reservations::default());
    let ground = plan::Ground {
        shards: &[],
        records: &[],
        reservations: &reservations,
        reserved: &reserved,
        doubts: &doubts,
        manifest_is_broken: false,
    };
    let (plan, _) = plan::resolve(&model, &around, &ground);
    Ok(plan)
}
