//! Merging edits: the edited file, the new content, and between them the base, what megax wrote last. The base is not
//! kept anywhere; it is rendered again from the stored inputs, in memory, and counts only if it has the digest that the
//! lockfile records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::inputs::ENGINE;
use super::{State, assets, slots};
use crate::change::{Attempt, ChangeSet, FileChange, Kind, OnDisk, Policy, Reason, Shard, Survey};
use crate::digest::Digest;
use crate::disk::{self, Listing, Role, Root};
use crate::lockfile::LockEntry;
use crate::merge::{self, MAX_BYTES, Merged};
use crate::model;
use crate::output;
use crate::path::OutputPath;
use crate::plan::{self, Plan};
use crate::source::{Files, Limits, Past, load_past};

/// An edited file that is to be merged.
struct Wanted<'s> {
    path: &'s OutputPath,
    shard: &'s Shard,
    entry: &'s LockEntry,
    /// The digest of the edited file, and its size.
    edited: Digest,
    bytes: u64,
}

/// Merges every edited file of a change set for which that is wanted and was not done yet; whether there was one. What
/// came of it is in the state.
pub fn attempt(state: &mut State<'_>, survey: &Survey, changes: &ChangeSet) -> bool {
    let policies = state.policies();
    let is_wanted =
        |file: &&FileChange| file.kind == Kind::Conflict(Reason::Edited) && policies.of(&file.path) == Policy::Merge;
    let (mut merges, mut merged) = (BTreeMap::new(), BTreeMap::new());
    let mut bases = Bases::default();
    for change in changes.files.iter().filter(is_wanted) {
        let Some(wanted) = wanted(state, survey, change) else { continue };
        let Some((new, body)) = rendered(state, &change.path) else { continue };
        let done = merge_one(state, &wanted, &body, &mut bases);
        let base = wanted.entry.digest;
        let edited = wanted.edited;
        let outcome = match done {
            Ok(done) => {
                let digest = Digest::of(&done.text);
                merged.insert(change.path.clone(), done);
                Ok(digest)
            }
            Err(reason) => Err(reason),
        };
        merges.insert(change.path.clone(), Attempt { edited, base, new, outcome });
    }
    // The same attempt again would change nothing.
    let is_new = merges.iter().any(|(path, attempt)| state.merges.get(path) != Some(attempt));
    state.merges.extend(merges);
    state.merged.extend(merged);
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

/// The new content and its digest.
fn rendered(state: &State<'_>, path: &OutputPath) -> Option<(Digest, Vec<u8>)> {
    let index = state.plan.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    let mut buffer = Vec::new();
    let body = output::body(state.plan.files.get(index)?, &mut buffer).ok()?;
    Some((Digest::of(body), body.to_vec()))
}

fn merge_one(state: &State<'_>, wanted: &Wanted<'_>, new: &[u8], bases: &mut Bases) -> Result<Merged, Reason> {
    let cannot = |why: &str| Reason::Unmergeable(why.to_owned());
    let root = state.root.as_ref().ok_or_else(|| cannot("there is no output root"))?;
    if wanted.bytes.max(new.len() as u64) > MAX_BYTES as u64 {
        return Err(cannot(&format!("it is larger than {MAX_BYTES} bytes, the most that is merged")));
    }
    let edited = disk::read_up_to(root, wanted.path, MAX_BYTES as u64).map_err(|error| cannot(&error.to_string()))?;
    let is_same = |bytes: &Vec<u8>| Digest::of(bytes) == wanted.edited;
    let edited = edited.filter(is_same).ok_or_else(|| cannot("it was changed while megax was running; run again"))?;
    // The new content may show such lines itself.
    if let (Some(line), None) = (merge::first_marker(&edited), merge::first_marker(new)) {
        return Err(Reason::Unresolved(line));
    }
    if Digest::of(new) == wanted.entry.digest {
        return Ok(Merged { text: edited, conflicts: Vec::new() });
    }
    let no_text = "it, or its new content, is no text";
    if merge::merge(&edited, &edited, new).is_none() {
        return Err(cannot(no_text));
    }
    let base = bases.find(root, wanted).map_err(|why| cannot(&why))?;
    let merged = merge::merge(&base, &edited, new).ok_or_else(|| cannot(no_text))?;
    if merged.conflicts.is_empty() || state.request.conflict_markers {
        Ok(merged)
    } else {
        Err(Reason::Overlap(merged.conflicts))
    }
}

/// What was written once, from the stored inputs.
#[derive(Default)]
struct Bases {
    /// The listings, and those that the operations name, newest first, each with its teams; read once.
    known: Option<Known>,
    /// The plans that the listings make.
    plans: BTreeMap<Digest, Arc<Plan>>,
}

impl Bases {
    /// The content of a file as the lockfile records it; else why it is not known, to follow a colon.
    fn find(&mut self, root: &Root, wanted: &Wanted<'_>) -> Result<Vec<u8>, String> {
        let candidates = self.candidates(root, wanted)?;
        if candidates.is_empty() {
            return Err(
                "the inputs that it was written from are not stored here (`.megax/inputs` is not committed, and \
                        holds what the last runs in this folder read)"
                    .to_owned(),
            );
        }
        let mut buffer = Vec::new();
        for listing in candidates {
            let plan = self.plan(root, listing)?;
            let found = plan.files.binary_search_by(|file| file.path.cmp(wanted.path)).ok();
            let body = found.and_then(|index| output::body(plan.files.get(index)?, &mut buffer).ok());
            if let Some(body) = body.filter(|body| Digest::of(body) == wanted.entry.digest) {
                return Ok(body.to_vec());
            }
        }
        let engine = &wanted.shard.lockfile.engine;
        Err(if engine == ENGINE {
            "no stored inputs give what was written last (those of removed operations are gone as well)".to_owned()
        } else {
            format!("it was written by `{engine}`, and `{ENGINE}` does not render the same from those inputs")
        })
    }

    /// The listings that a file may have been written from: first those with the very inputs that its shard records, then
    /// those of the team's operations, newest first.
    fn candidates(&mut self, root: &Root, wanted: &Wanted<'_>) -> Result<Vec<Digest>, String> {
        let known = match self.known.take() {
            Some(known) => known,
            None => read(root).map_err(|error| error.to_string())?,
        };
        let (listings, operations) = self.known.insert(known);
        let shard = &wanted.shard.lockfile;
        let owner = (shard.team.clone(), shard.mega_file.clone());
        let covers =
            |listing: &Listing| shard.inputs.is_some() && listing.mega_files.get(&owner) == shard.inputs.as_ref();
        let covering = listings.iter().filter(|(_, listing)| covers(listing)).map(|(digest, _)| *digest);
        let of_team = operations.iter().filter(|(_, teams)| teams.contains(&shard.team)).map(|(digest, _)| *digest);
        let mut seen = BTreeSet::new();
        // Of those that cover it one is enough: all of them render the same.
        let all = covering.take(1).chain(of_team.filter(|digest| listings.contains_key(digest)));
        Ok(all.filter(|digest| seen.insert(*digest)).collect())
    }

    fn plan(&mut self, root: &Root, listing: Digest) -> Result<Arc<Plan>, String> {
        if let Some(plan) = self.plans.get(&listing) {
            return Ok(Arc::clone(plan));
        }
        let known = self.known.as_ref().and_then(|(listings, _)| listings.get(&listing));
        let plan = known.map(|known| plan_of(root, known)).transpose()?.unwrap_or_default();
        let plan = Arc::new(plan);
        self.plans.insert(listing, Arc::clone(&plan));
        Ok(plan)
    }
}

type Known = (BTreeMap<Digest, Listing>, Vec<(Digest, Vec<String>)>);

fn read(root: &Root) -> Result<Known, disk::DiskError> {
    let operations = disk::read_log(root)?.operations.into_iter();
    let named = operations.filter_map(|operation| Some((operation.listing?, operation.teams)));
    Ok((disk::read_listings(root)?, named.collect()))
}

/// What was planned from stored inputs. Whatever is missing or broken in them is missing in the plan; nothing is said of
/// it, since every body is checked by its digest.
fn plan_of(root: &Root, listing: &Listing) -> Result<Plan, String> {
    let mut past = Past::default();
    for ((role, name), bytes) in disk::read_inputs(root, listing).map_err(|error| error.to_string())? {
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
    let set = load_past(&past, &Limits::default());
    let (model, _) = model::build(&set);
    let assets = assets(&model, &Files::Stored(&past.files));
    let seed = model.manifest.as_ref().map_or("", |manifest| &manifest.seed);
    let planned = std::sync::atomic::AtomicUsize::new(0);
    let around = plan::Around { sources: &set.sources, assets: &assets, seed, planned: &planned };
    let doubts = slots::doubts(&set, &model);
    let reserved = plan::Reserved::default();
    let ground = plan::Ground { shards: &[], records: &[], reserved: &reserved, doubts: &doubts };
    let (plan, _) = plan::resolve(&model, &around, &ground);
    Ok(plan)
}
