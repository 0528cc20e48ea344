//! What a run read, as places on disk: for whoever waits for the next change.
//!
//! Only what lies in the project is named. It must never open anything.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::plan::Assets;
use crate::source::SourceSet;

/// The places of a run's inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// The project root; `None` if it is not known.
    pub root: Option<PathBuf>,
    /// The folder of the mega-files.
    pub folder: Option<PathBuf>,
    /// Manifest, mega-files, data files, shared templates and copied files; also those that could not be read.
    pub files: BTreeSet<PathBuf>,
}

impl Reads {
    pub(super) fn of(set: &SourceSet, assets: &Assets) -> Self {
        let texts = set.sources.iter().map(|(_, file)| file.name());
        let named = texts.chain(set.data.keys().map(String::as_str)).chain(assets.keys().map(String::as_str));
        let files = named.filter(|name| stays_inside(name)).map(|name| set.root.join(name.trim_start_matches("./")));
        Self { root: Some(set.root.clone()), folder: Some(set.folder.clone()), files: files.collect() }
    }
}

/// Mega-files name what they like.
fn stays_inside(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
