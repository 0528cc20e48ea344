//! `.megax/inputs`: the texts that applies were made from, each under its digest, and a listing per run,
//! `<digest>.list`. With them a file can be rendered again as megax wrote it, which is the base of a three-way merge.
//!
//! What lies here is only ever added, and removed by [`prune_inputs`]. It may come from anywhere: whatever does not have
//! the digest that it is named by is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::error::DiskError;
use super::guard::ProjectGuard;
use super::listing::{Listed, Listing, Role};
use super::log::read_log;
use super::root::Root;
use super::shards::{names, read_shards};
use super::stage::Staging;
use super::sys::{self, Renaming};
use super::walk::{Reached, Walker};
use crate::digest::Digest;
use crate::lockfile::Lockfile;

const FOLDER: &str = ".megax/inputs";
/// What the name of a listing ends with.
const ENDING: &str = ".list";
/// On its way into the store.
const SCRATCH: &str = "input";
/// Most bytes of a text that is stored. Files that need a larger one have no base.
const MAX_BYTES: usize = 4 << 20;
/// Most bytes of all texts of a listing; those after that are not stored.
const MAX_TOTAL_BYTES: usize = 64 << 20;
/// Most bytes of a listing.
const MAX_LISTING_BYTES: usize = 16 << 20;

/// What a run read, to be stored.
#[derive(Debug, Default)]
pub struct Inputs<'a> {
    listing: Listing,
    texts: BTreeMap<Digest, &'a [u8]>,
    total: usize,
}

impl<'a> Inputs<'a> {
    /// Of a run that expanded these mega-files whole (team, id, digest of the inputs).
    #[must_use]
    pub fn new(engine: &str, mega_files: BTreeMap<(String, String), Digest>) -> Self {
        let listing = Listing { engine: engine.to_owned(), mega_files, texts: BTreeMap::new() };
        Self { listing, ..Self::default() }
    }

    /// Adds a text. What is over a limit, or is no text, is listed and not stored: nothing that needs it can be merged.
    pub fn add(&mut self, role: Role, name: &str, bytes: &'a [u8]) {
        let digest = Digest::of(bytes);
        let is_new = !self.texts.contains_key(&digest);
        let total = self.total + if is_new { bytes.len() } else { 0 };
        let is_text = memchr::memchr(0, bytes).is_none() && std::str::from_utf8(bytes).is_ok();
        let is_stored = is_text && bytes.len() <= MAX_BYTES && total <= MAX_TOTAL_BYTES;
        if is_stored {
            self.texts.insert(digest, bytes);
            self.total = total;
        }
        self.listing.texts.insert((role, name.to_owned()), Listed { digest, is_stored });
    }
}

/// Stores what is not there yet, the listing last; the digest of the listing. Nothing is brought to the disk here: the
/// barrier of the commit that follows does it.
pub(super) fn store(staging: &Staging, inputs: &Inputs<'_>) -> Result<Digest, DiskError> {
    let store = staging.root.make_below(FOLDER)?;
    for (digest, bytes) in &inputs.texts {
        put(staging, store.as_fd(), &digest.to_string(), bytes)?;
    }
    let text = inputs.listing.to_text();
    let digest = Digest::of(text.as_bytes());
    put(staging, store.as_fd(), &format!("{digest}{ENDING}"), text.as_bytes())?;
    Ok(digest)
}

fn put(staging: &Staging, store: BorrowedFd<'_>, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |error: std::io::Error| DiskError::io("store", format!("{FOLDER}/{name}"), error);
    match sys::stat(store, name) {
        Err(Errno::NOENT) => {}
        Err(error) => return Err(failed(error.into())),
        // What was damaged since is found when it is read.
        Ok(_) => return Ok(()),
    }
    let folder = staging.folder();
    // One that was cut off.
    let _ = sys::remove_file(folder, SCRATCH);
    // What was private stays private.
    let mut file = sys::create_file(folder, SCRATCH, 0o600).map_err(|error| failed(error.into()))?;
    file.write_all(bytes).map_err(failed)?;
    drop(file);
    match sys::move_to_free(Renaming::Full, (folder, SCRATCH), (store, name)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}

/// The listings that can be read, by their digests. Without any nothing is made.
///
/// # Errors
/// The folder cannot be read, or is a symlink.
pub fn read_listings(root: &Root) -> Result<BTreeMap<Digest, Listing>, DiskError> {
    let mut listings = BTreeMap::new();
    let Some(store) = open(root)? else { return Ok(listings) };
    for name in names(store.as_fd(), FOLDER)? {
        let Some(digest) = name.strip_suffix(ENDING).and_then(Digest::parse) else { continue };
        let text = read_named(store.as_fd(), &name, digest, MAX_LISTING_BYTES);
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        listings.extend(text.and_then(|text| Some((digest, Listing::parse(&text)?))));
    }
    Ok(listings)
}

/// The texts of a listing that are there, by role and name.
///
/// # Errors
/// As [`read_listings`].
pub fn read_inputs(root: &Root, listing: &Listing) -> Result<BTreeMap<(Role, String), Vec<u8>>, DiskError> {
    let Some(store) = open(root)? else { return Ok(BTreeMap::new()) };
    let stored = listing.texts.iter().filter(|(_, listed)| listed.is_stored);
    let read = stored.filter_map(|(key, listed)| {
        let bytes = read_named(store.as_fd(), &listed.digest.to_string(), listed.digest, MAX_BYTES)?;
        Some((key.clone(), bytes))
    });
    Ok(read.collect())
}

fn open(root: &Root) -> Result<Option<OwnedFd>, DiskError> {
    let Some(top) = root.existing()? else { return Ok(None) };
    let mut walker = Walker::new(top);
    match walker.enter(FOLDER)? {
        Reached::Absent => Ok(None),
        Reached::Blocked(path) => Err(DiskError::NotAFile { path, what: "no folder" }),
        Reached::Folder => {
            walker.folder().try_clone_to_owned().map(Some).map_err(|error| DiskError::io("open", FOLDER, error))
        }
    }
}

/// The bytes of a file that has the digest it is named by.
fn read_named(store: BorrowedFd<'_>, name: &str, digest: Digest, limit: usize) -> Option<Vec<u8>> {
    if sys::describe(sys::stat(store, name).ok()?.0).is_some() {
        return None;
    }
    let mut bytes = Vec::new();
    sys::open_file(store, name).ok()?.take(limit as u64 + 1).read_to_end(&mut bytes).ok()?;
    (Digest::of(&bytes) == digest).then_some(bytes)
}

/// Removes the listings that neither an operation of the log names nor a mega-file was last expanded with, and the texts
/// that no other listing needs; how many bytes that freed.
///
/// # Errors
/// A call failed. What was removed until then is gone.
pub fn prune_inputs(root: &Root, _project: &ProjectGuard) -> Result<u64, DiskError> {
    let Some(store) = open(root)? else { return Ok(0) };
    let listings = read_listings(root)?;
    let needed = needed(root, &listings)?;
    let kept = listings.iter().filter(|(digest, _)| needed.contains(digest));
    let texts: BTreeSet<Digest> =
        kept.flat_map(|(_, listing)| listing.texts.values().map(|listed| listed.digest)).collect();
    let mut freed = 0;
    for name in names(store.as_fd(), FOLDER)? {
        let (digest, still) = match name.strip_suffix(ENDING) {
            Some(name) => (Digest::parse(name), &needed),
            None => (Digest::parse(&name), &texts),
        };
        // What is named otherwise was put there by somebody else.
        if digest.is_some_and(|digest| !still.contains(&digest)) {
            let failed = |error| DiskError::io("remove", format!("{FOLDER}/{name}"), error);
            let bytes = sys::size(store.as_fd(), &name).map_err(failed)?;
            sys::remove_file(store.as_fd(), &name).map_err(failed)?;
            freed += bytes;
        }
    }
    Ok(freed)
}

fn needed(root: &Root, listings: &BTreeMap<Digest, Listing>) -> Result<BTreeSet<Digest>, DiskError> {
    let mut needed: BTreeSet<Digest> =
        read_log(root)?.operations.iter().filter_map(|operation| operation.listing).collect();
    for (_, text) in read_shards(root)? {
        let Ok(Lockfile { team, mega_file, inputs: Some(inputs), .. }) = Lockfile::parse(&text) else { continue };
        let owner = (team, mega_file);
        let covers = |listing: &Listing| listing.mega_files.get(&owner) == Some(&inputs);
        let covering = || listings.iter().filter(|(_, listing)| covers(listing)).map(|(digest, _)| *digest);
        // One is enough: all of them render the same.
        if !covering().any(|digest| needed.contains(&digest)) {
            needed.extend(covering().next());
        }
    }
    Ok(needed)
}

#[cfg(test)]
#[path = "inputs_tests.rs"]
mod tests;
