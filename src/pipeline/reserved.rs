//! What lies below the output root and is no team's: the inputs of megax, and the folders that git keeps there. Says where
//! they are; what a plan has there is judged in `plan`, and what they are under other names on disk.

use std::path::Path;

use crate::disk::{Root, git_folders};
use crate::plan::Reserved;
use crate::source::{self, SourceSet};

/// The inputs of megax below the output root: no mega-file writes them. A folder of mega-files that is the output root,
/// or around it, leaves room for all but mega-files.
pub fn reserved(set: &SourceSet, root: Option<&Root>) -> Reserved {
    let mut reserved = Reserved::default();
    let manifests = source::load::MANIFEST_NAMES.iter().map(|name| set.root.join(name));
    let read = set.mega_files.iter().map(|input| input.file).chain(set.manifest.as_ref().map(|input| input.file));
    let read = read.map(|file| set.root.join(set.sources.name(file)));
    // Compared as the file system sees them: the output root may be reached through a symlink.
    let out = source::read::real(&set.out);
    for path in manifests.chain(read).chain([set.folder.clone()]) {
        if let Ok(below) = source::read::real(&path).strip_prefix(&out) {
            reserved.add(&source::load::display(below, Path::new("")));
        }
    }
    let below = |path: &Path| {
        let real = source::read::real(path);
        let below = real.strip_prefix(&out).ok()?;
        Some(source::load::display(below, Path::new("")))
    };
    for (named, file) in &set.data {
        if let Some(path) = below(&source::load::normal(&set.root.join(named))) {
            reserved.add_data(&path, &file.readers);
        }
    }
    for (name, file) in &set.templates {
        if let (Ok(file), Some(path)) = (file, below(&set.root.join(source::TEMPLATES).join(name))) {
            reserved.add_shared(&path, *file);
        }
    }
    if let Some(path) = below(&set.root.join(crate::snapshot::FOLDER)) {
        reserved.add_snapshots(&path, crate::snapshot::ENDING);
    }
    for folder in root.map(git_folders).unwrap_or_default() {
        if let Some(path) = below(&source::load::normal(&folder)) {
            reserved.add_repository(&path);
        }
    }
    reserved.every_yaml = out.starts_with(source::read::real(&set.folder)) && set.folder.starts_with(&set.root);
    reserved
}
