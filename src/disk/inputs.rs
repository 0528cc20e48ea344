//! `.megax/inputs`: the texts that applies were made from, each under its digest, and a listing per run,
//! `<digest>.list`. With them a file can be rendered again as megax wrote it, which is the base of a three-way merge.
//!
//! What lies here is only ever added, and removed by [`prune_inputs`]. It may come from anywhere: whatever does not have
//! the digest that it is named by is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use super::error::DiskError;
use super::guard::ProjectGuard;
use super::kept::put_under_digest;
use super::listing::{Listed, Listing, Role};
use super::log::{read_log, shown};
use super::look::{buffer, look};
use super::root::Root;
use super::shards::{names, read_shards};
use super::stage::Staging;
use super::sys;
use super::walk::{Reached, Walker};
use crate::change::OnDisk;
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
/// Most listings that are looked at for a merge.
const MAX_LISTINGS: u64 = 10_000;
/// Most bytes of all of them.
const MAX_LISTINGS_BYTES: u64 = 256 << 20;

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
        put(staging, store.as_fd(), *digest, &digest.to_string(), bytes)?;
    }
    let text = inputs.listing.to_text();
    let digest = Digest::of(text.as_bytes());
    put(staging, store.as_fd(), digest, &format!("{digest}{ENDING}"), text.as_bytes())?;
    Ok(digest)
}

fn put(staging: &Staging, store: BorrowedFd<'_>, digest: Digest, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |error: io::Error| DiskError::io("store", format!("{FOLDER}/{name}"), error);
    let mut buffer = buffer();
    match look(store, name, &mut buffer).map_err(failed)? {
        OnDisk::File { digest: found, .. } if found == digest => return Ok(()),
        // Of another user, and not known to be damaged.
        OnDisk::Unreadable => return Ok(()),
        _ => {}
    }
    let folder = staging.folder();
    // One that was cut off.
    let _ = sys::remove_file(folder, SCRATCH);
    // What was private stays private.
    let mut file = sys::create_file(folder, SCRATCH, 0o600).map_err(|error| failed(error.into()))?;
    file.write_all(bytes).map_err(failed)?;
    drop(file);
    put_under_digest(store, (digest, name), (folder, SCRATCH), &mut buffer).map_err(failed)
}

/// The listings that can be read, by their digests. Without any nothing is made.
///
/// # Errors
/// The folder cannot be read, or is a symlink, or a limit is passed.
pub fn read_listings(root: &Root) -> Result<BTreeMap<Digest, Listing>, DiskError> {
    let mut listings = BTreeMap::new();
    let Some(store) = open(root)? else { return Ok(listings) };
    let mut total = 0;
    for name in names(store.as_fd(), FOLDER)? {
        let Some(digest) = name.strip_suffix(ENDING).and_then(Digest::parse) else { continue };
        total += sys::size(store.as_fd(), &name).unwrap_or_default();
        check_limit("the number of listings", listings.len() as u64 + 1, MAX_LISTINGS)?;
        check_limit("the size in bytes of all listings", total, MAX_LISTINGS_BYTES)?;
        // What cannot be read is no base for a merge.
        listings.extend(read_listing(store.as_fd(), &name, digest).ok().map(|listing| (digest, listing)));
    }
    Ok(listings)
}

fn check_limit(what: &'static str, value: u64, limit: u64) -> Result<(), DiskError> {
    if value > limit { Err(DiskError::TooLarge { path: FOLDER.to_owned(), what, limit }) } else { Ok(()) }
}

fn read_listing(store: BorrowedFd<'_>, name: &str, digest: Digest) -> io::Result<Listing> {
    let text = String::from_utf8(read_named(store, name, digest, MAX_LISTING_BYTES)?).ok();
    text.and_then(|text| Listing::parse(&text)).ok_or_else(|| io::Error::other("it is no listing of inputs"))
}

/// The texts of a listing that are there, by role and name; those over the limit of all together are not there.
///
/// # Errors
/// As [`read_listings`].
pub fn read_inputs(root: &Root, listing: &Listing) -> Result<BTreeMap<(Role, String), Vec<u8>>, DiskError> {
    let Some(store) = open(root)? else { return Ok(BTreeMap::new()) };
    let mut texts: BTreeMap<Digest, Option<Vec<u8>>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    let mut total = 0;
    for (key, listed) in listing.texts.iter().filter(|(_, listed)| listed.is_stored) {
        let digest = listed.digest;
        let text = texts
            .entry(digest)
            .or_insert_with(|| read_named(store.as_fd(), &digest.to_string(), digest, MAX_BYTES).ok());
        let Some(bytes) = text else { continue };
        // A name more is a copy more: whoever wrote the listing must not choose how many.
        if total + bytes.len() > MAX_TOTAL_BYTES {
            *text = None;
            continue;
        }
        total += bytes.len();
        found.insert(key.clone(), bytes.clone());
    }
    Ok(found)
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
fn read_named(store: BorrowedFd<'_>, name: &str, digest: Digest, limit: usize) -> io::Result<Vec<u8>> {
    if let Some(what) = sys::describe(sys::stat(store, name)?.0) {
        return Err(io::Error::other(format!("it is {what}")));
    }
    let mut bytes = Vec::new();
    sys::open_file(store, name)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(io::Error::other("it was damaged or cut off")) }
}

/// Removes the listings that neither an operation of the log names nor a mega-file was last expanded with, and the texts
/// that no other listing needs; how many bytes that freed.
///
/// # Errors
/// A call failed; what was removed until then is gone. Something that says what is needed cannot be read: then nothing
/// is removed, since what is removed here does not come back.
pub fn prune_inputs(root: &Root, _project: &ProjectGuard) -> Result<u64, DiskError> {
    let Some(store) = open(root)? else { return Ok(0) };
    let names = names(store.as_fd(), FOLDER)?;
    let (needed, texts) = needed(root, store.as_fd(), &names)?;
    let mut freed = 0;
    for name in names {
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

/// The listings that are needed, and the texts that those list. Only one listing is in memory.
fn needed(
    root: &Root,
    store: BorrowedFd<'_>,
    names: &[String],
) -> Result<(BTreeSet<Digest>, BTreeSet<Digest>), DiskError> {
    let log = read_log(root)?;
    if let Some(number) = log.unreadable.first() {
        return Err(unknown(shown(*number), io::Error::other("its entry is damaged")));
    }
    let mut needed: BTreeSet<Digest> = log.operations.iter().filter_map(|operation| operation.listing).collect();
    let listings = || names.iter().filter_map(|name| Some((name, Digest::parse(name.strip_suffix(ENDING)?)?)));
    let read = |name: &String, digest| {
        read_listing(store, name, digest).map_err(|error| unknown(format!("{FOLDER}/{name}"), error))
    };
    let shards = read_shards(root)?.into_iter().map(|(path, text)| {
        let shard = Lockfile::parse(&text).map_err(|error| unknown(path, io::Error::other(error)))?;
        Ok((shard, Vec::new()))
    });
    let mut shards = shards.collect::<Result<Vec<(Lockfile, Vec<Digest>)>, DiskError>>()?;
    for (name, digest) in listings() {
        let listing = read(name, digest)?;
        shards.iter_mut().filter(|(shard, _)| listing.covers(shard)).for_each(|(_, covering)| covering.push(digest));
    }
    for (_, covering) in shards {
        // One is enough: all of them render the same.
        if !covering.iter().any(|digest| needed.contains(digest)) {
            needed.extend(covering.first());
        }
    }
    let mut texts = BTreeSet::new();
    for (name, digest) in listings().filter(|(_, digest)| needed.contains(digest)) {
        texts.extend(read(name, digest)?.texts.values().map(|listed| listed.digest));
    }
    Ok((needed, texts))
}

/// Something that cannot be read, so that nobody can tell what it needs.
fn unknown(path: String, source: io::Error) -> DiskError {
    DiskError::io("read", path, source)
}

#[cfg(test)]
#[path = "inputs_tests.rs"]
mod tests;
