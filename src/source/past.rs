//! Inputs as they were once: read from stored texts instead of the disk. The same parsers, the same order, the same
//! limits; nothing here looks at the project as it is now.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::load::{ManifestInput, SourceSet, number, parse_all};
use super::tally::Tally;
use super::{named, read, shared};
use crate::diagnostic::Diagnostics;
use crate::handle::Folder;
use crate::limit::{Limit, Limits};

/// Where the files are that inputs name.
#[derive(Debug, Clone, Copy)]
pub enum Files<'a> {
    /// Below the project root.
    Disk(&'a Folder),
    /// Stored, by their path below the project root.
    Stored(&'a BTreeMap<String, Vec<u8>>),
}

impl Files<'_> {
    /// The file that a `copy:` or `sources:` entry names, relative to the project root.
    ///
    /// # Errors
    /// As [`read::asset`]; a stored file is there or not.
    pub fn asset(&self, named: &str, limits: &Limits, limit: Limit) -> Result<Vec<u8>, String> {
        match self {
            Self::Disk(root) => read::asset(root, named, limits, limit),
            Self::Stored(files) => {
                let found = files.get(named.trim_start_matches("./")).filter(|bytes| bytes.len() <= limits.size(limit));
                found.cloned().ok_or_else(|| "its text is not stored".to_owned())
            }
        }
    }
}

/// The stored inputs of a run.
#[derive(Debug, Default)]
pub struct Past {
    /// The name and the text of the manifest.
    pub manifest: Option<(String, String)>,
    /// The mega-files by name: the text, and whether it was selected.
    pub mega_files: BTreeMap<String, (String, bool)>,
    /// Data files, shared templates and assets by their path below the project root.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What [`super::load()`] read then. The roots are empty: nothing can be read from the disk through the answer. What
/// was broken then is broken again, and found with its mega-file.
#[must_use]
pub fn load_past(past: &Past, limits: &Limits) -> SourceSet {
    let mega_files = past.mega_files.iter().map(|(name, (text, selected))| (name, Some(*selected), text));
    let manifest = past.manifest.iter().map(|(name, text)| (name, None, text));
    let mut texts: Vec<_> =
        mega_files.chain(manifest).map(|(name, role, text)| (name.clone(), role, Ok(text.clone()))).collect();
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    let mut findings = Diagnostics::default();
    let (mut sources, roles) = number(texts, &mut findings);
    // What was read once was within the limit.
    let tally = Tally::alone();
    let (manifest, mega_files) = parse_all(&sources, roles, limits, limits, &tally);
    let files = Files::Stored(&past.files);
    let data = named::data(&files, &mega_files, &mut sources, limits, &tally);
    let (templates, _) = shared::templates(&files, &mut sources, limits);
    SourceSet {
        sources,
        root: PathBuf::new(),
        project: None,
        out: PathBuf::new(),
        manifest: manifest.map(|(file, tree)| ManifestInput { file, tree: tree.ok() }),
        folder: PathBuf::new(),
        is_whole: true,
        empty: None,
        mega_files,
        data,
        templates,
        findings,
        limits: *limits,
    }
}
