//! What `megax watch` looks at, and how it tells that something changed: by names, times and sizes.
//!
//! It opens no file and follows no symlink below the folders that it searches.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use megax::pipeline::Reads;
use megax::report::watch::{Change, Kind};
use megax::source::load::{MANIFEST_NAMES, display};
use megax::source::{Places, TEMPLATES};

/// Folders below this depth are not looked into.
const DEEPEST: usize = 32;
/// So many names are looked at; the rest of a huge folder is not.
const MOST_NAMES: usize = 100_000;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    /// A file that was put in the place of another has another number.
    inode: u64,
}

/// The states of all inputs.
pub type Stamps = BTreeMap<PathBuf, Stamp>;

/// Which files are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Folders of mega-files: `*.yaml` and `*.yml` below them.
    mega_files: BTreeSet<PathBuf>,
    /// The folder of shared templates: everything below it.
    templates: Option<PathBuf>,
    /// Files by name.
    files: BTreeSet<PathBuf>,
}

impl Scope {
    /// What is known before anything was read, and what the last run read. A file that an earlier run read and that is gone
    /// stays while the project is wrong, since it may come back.
    pub fn new(places: &Places, manifest: Option<&Path>, reads: &Reads, before: Option<&Self>) -> Self {
        let root = reads.root.as_ref().unwrap_or(&places.root);
        let folder = reads.folder.clone().unwrap_or_else(|| places.root.join("megafiles"));
        let mut mega_files: BTreeSet<PathBuf> = places.named.iter().cloned().collect();
        mega_files.insert(folder);
        let mut files = reads.files.clone();
        files.extend(MANIFEST_NAMES.map(|name| root.join(name)));
        files.extend(manifest.map(Path::to_path_buf));
        files.extend(before.into_iter().flat_map(|before| before.files.iter().filter(|path| !path.exists()).cloned()));
        files.extend(before.filter(|_| reads.root.is_none()).into_iter().flat_map(|before| before.files.clone()));
        let mut scope = Self { mega_files, templates: Some(root.join(TEMPLATES)), files: BTreeSet::new() };
        scope.files = files.into_iter().filter(|path| !scope.covers(path)).take(MOST_NAMES).collect();
        scope
    }

    /// Whether a file belongs to it, if it exists.
    pub fn covers(&self, path: &Path) -> bool {
        let below = |folder: &PathBuf| path.starts_with(folder);
        self.files.contains(path)
            || self.templates.as_ref().is_some_and(below)
            || (is_yaml(path) && self.mega_files.iter().any(below))
    }

    /// The states now.
    pub fn look(&self) -> Stamps {
        let mut stamps = Stamps::new();
        for folder in &self.mega_files {
            search(folder, 0, &is_yaml, &mut stamps);
        }
        if let Some(folder) = &self.templates {
            search(folder, 0, &|_| true, &mut stamps);
        }
        stamps.extend(self.files.iter().filter_map(|path| Some((path.clone(), stamp(path)?))));
        stamps
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn search(folder: &Path, depth: usize, wanted: &dyn Fn(&Path) -> bool, stamps: &mut Stamps) {
    // The folder itself may be reached by a symlink that the user named; below it none is followed.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if stamps.len() >= MOST_NAMES {
            return;
        }
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let (Ok(kind), path, false) = (entry.file_type(), entry.path(), is_hidden) else { continue };
        if kind.is_dir() {
            if depth < DEEPEST {
                search(&path, depth + 1, wanted, stamps);
            }
        } else if wanted(&path)
            && let Some(stamp) = stamp(&path)
        {
            stamps.insert(path, stamp);
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::symlink_metadata(path).ok()?;
    Some(Stamp { modified: found.modified().ok(), size: found.len(), inode: inode(&found) })
}

#[cfg(unix)]
fn inode(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn inode(_found: &fs::Metadata) -> u64 {
    0
}

/// What happened between two looks, sorted by path.
pub fn changes(before: &Stamps, after: &Stamps, root: &Path) -> Vec<Change> {
    let change = |path: &Path, kind| Change { path: display(path, root), kind };
    let gone = before.keys().filter(|path| !after.contains_key(*path)).map(|path| change(path, Kind::Deleted));
    let other = after.iter().filter_map(|(path, stamp)| match before.get(path) {
        None => Some(change(path, Kind::Created)),
        Some(old) if old != stamp => Some(change(path, Kind::Changed)),
        Some(_) => None,
    });
    let mut all: Vec<Change> = other.chain(gone).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// What the next look is compared with, after a run that began at `seen`: what changed meanwhile must still be a change,
/// and what is looked at for the first time is as it is now.
pub fn carried(seen: &Stamps, old: &Scope, new: &Scope) -> Stamps {
    let now = new.look().into_iter().filter(|(path, _)| !old.covers(path));
    let kept = seen.iter().filter(|(path, _)| new.covers(path)).map(|(path, stamp)| (path.clone(), *stamp));
    now.chain(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp_of(size: u64) -> Stamp {
        Stamp { modified: None, size, inode: 1 }
    }

    #[test]
    fn changes_are_named_by_what_happened() {
        let of = |pairs: &[(&str, u64)]| -> Stamps {
            pairs.iter().map(|&(path, size)| (PathBuf::from(path), stamp_of(size))).collect()
        };
        let found = changes(
            &of(&[("/p/a", 1), ("/p/b", 1), ("/p/c", 1)]),
            &of(&[("/p/b", 2), ("/p/c", 1), ("/p/d", 1)]),
            Path::new("/p"),
        );
        let said: Vec<(&str, Kind)> = found.iter().map(|one| (one.path.as_str(), one.kind)).collect();
        assert_eq!(said, [("a", Kind::Deleted), ("b", Kind::Changed), ("d", Kind::Created)]);
    }

    #[test]
    fn what_changes_during_a_run_is_still_a_change_and_what_is_new_in_view_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            #[expect(clippy::disallowed_methods, reason = "a test makes what is looked at")]
            fs::write(folder.path().join(name), text).unwrap();
        };
        write("a.yaml", "1");
        write("data.csv", "1");
        write(".hidden.yaml", "1");
        let scope = |files: &[&str]| Scope {
            mega_files: [folder.path().to_path_buf()].into(),
            templates: None,
            files: files.iter().map(|name| folder.path().join(name)).collect(),
        };
        let (old, new) = (scope(&[]), scope(&["data.csv"]));
        let seen = old.look();
        assert_eq!(seen.len(), 1, "{seen:?}");
        write("a.yaml", "22");
        write("b.yaml", "1");
        let carried = carried(&seen, &old, &new);
        let said: Vec<String> = changes(&carried, &new.look(), folder.path()).into_iter().map(|one| one.path).collect();
        assert_eq!(said, ["a.yaml", "b.yaml"]);
    }
}
