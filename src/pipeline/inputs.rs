//! The inputs of a run: their digests, for the lockfile, and their texts, for the store from which they can be read again.

use std::collections::BTreeMap;

use super::State;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, DigestBuilder, with_lf};
use crate::disk::{Inputs, Role, Staged};
use crate::model::MegaFile;
use crate::plan::PlannedBody;
use crate::span::{FileId, SourceFile};

/// What makes the bytes: recorded in the lockfile.
pub const ENGINE: &str = concat!("megax ", env!("CARGO_PKG_VERSION"), " minijinja 3.0.5");

/// The digest of everything that a mega-file's files depend on. The line endings of texts are set aside; what is copied
/// counts byte by byte.
pub fn inputs_digest(state: &State<'_>, mega: &MegaFile, copies: &Copies<'_>) -> Digest {
    let text = |file| with_lf(state.set.sources.get(file).map_or("", SourceFile::text));
    let mut builder = DigestBuilder::default();
    builder.part(b"megax inputs 1").part(text(mega.file()).as_bytes());
    builder.part(state.set.manifest.as_ref().map_or_else(Default::default, |one| text(one.file)).as_bytes());
    for source in &mega.sources {
        builder.part(b"source").part(source.name.as_bytes()).part(text(source.file).as_bytes());
    }
    let index = state.model.mega_files.iter().position(|other| std::ptr::eq(other, mega));
    for &shared in index.and_then(|index| state.plan.shared.get(index)).into_iter().flatten() {
        builder.part(b"shared").part(state.set.sources.name(shared).as_bytes()).part(text(shared).as_bytes());
    }
    for digest in copies.get(mega.id.as_str()).into_iter().flatten() {
        builder.part(digest.as_bytes());
    }
    let index = state.model.mega_files.iter().position(|other| std::ptr::eq(other, mega));
    if let Some(reads) = index.and_then(|index| state.plan.reads.get(index)).filter(|reads| !reads.is_empty()) {
        state.plan.contributions.digest(reads, builder.part(b"contributions"));
    }
    builder.finish()
}

/// The digests of what each mega-file copies, by its id, in the order of the paths.
pub type Copies<'s> = BTreeMap<&'s str, Vec<Digest>>;

/// What each mega-file copies.
pub fn copies<'s>(state: &'s State<'_>) -> Copies<'s> {
    let mut copies = Copies::new();
    for file in &state.plan.files {
        if let (PlannedBody::Copy(bytes), Some(mega)) = (&file.body, state.model.mega_files.get(file.mega_file)) {
            copies.entry(&mega.id).or_default().push(Digest::of(bytes));
        }
    }
    copies
}

/// Whether the inputs of a run are stored.
#[derive(Debug, Clone, Copy)]
pub enum Stored {
    /// There was no commit yet.
    NotYet,
    /// With this listing.
    At(Digest),
    /// They cannot be.
    Failed,
}

/// Where the texts of this run are listed in the store, for a commit; they are stored with the first. Where that fails,
/// the commits go on, and nothing that they write can be merged later.
pub fn stored(state: &mut State<'_>, staged: &Staged) -> Option<Digest> {
    if let Stored::NotYet = state.stored {
        state.stored = match staged.store(&all(state)) {
            Ok(listing) => Stored::At(listing),
            Err(error) => {
                let message = format!("edits of what is written now cannot be merged later: {error}");
                let help = "all files are written; mend the cause, and what later runs write can be merged";
                state.findings.push(Diagnostic::new(Code::NoWayBack, message).help(help));
                Stored::Failed
            }
        };
    }
    match state.stored {
        Stored::At(listing) => Some(listing),
        Stored::NotYet | Stored::Failed => None,
    }
}

/// Everything that the run read.
fn all<'s>(state: &'s State<'_>) -> Inputs<'s> {
    let copies = copies(state);
    let whole = state.only.is_none();
    let expanded = state.model.mega_files.iter().filter(|mega| whole && mega.selected && !state.is_held(&mega.team));
    let digests = expanded.map(|mega| ((mega.team.clone(), mega.id.clone()), inputs_digest(state, mega, &copies)));
    let mut inputs = Inputs::new(ENGINE, digests.collect());
    let set = &state.set;
    let mut add = |role, file: FileId| {
        let text = set.sources.get(file).map_or("", SourceFile::text);
        inputs.add(role, set.sources.name(file), text.as_bytes());
    };
    if let Some(manifest) = &set.manifest {
        add(Role::Manifest, manifest.file);
    }
    for input in &set.mega_files {
        add(if input.selected { Role::MegaFile } else { Role::Neighbour }, input.file);
    }
    set.data.values().filter_map(|data| data.file).for_each(|file| add(Role::Data, file));
    set.templates.values().flatten().for_each(|file| add(Role::Template, *file));
    for (name, bytes) in &state.assets {
        if let Ok(bytes) = bytes {
            inputs.add(Role::Asset, name.trim_start_matches("./"), bytes);
        }
    }
    inputs
}
