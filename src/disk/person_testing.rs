//! A person who works in a tree while megax does, for tests: every text is written once, so that it can be found again.
#![expect(clippy::disallowed_methods, reason = "a person works with paths")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Files, folders of files, and a name that is a file here and a folder there.
pub(super) const PATHS: [&str; 10] = ["a", "b/x", "b/y", "b/c/z", "d/e/f", "d/e/g", "d/h/i/j", "k", "k/l", "k/m/n"];

#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// Writes into the file.
    Write,
    /// Writes a new file and renames it over the old one, as editors do.
    Swap,
    Delete,
    /// A new file beside it.
    Add,
    /// A folder of that name.
    Folder,
    Private,
    /// Takes the folder of the path away, with all that is in it.
    RemoveFolder,
    /// Gives the folder of the path another name.
    RenameFolder,
    /// Puts a folder with a file in the place of a file.
    Turn,
}

/// What a person does at some point: to one of [`PATHS`], or to the path that the commit is at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    pub(super) at: usize,
    pub(super) deed: Deed,
    pub(super) path: Option<usize>,
}

/// The person, and what is theirs.
pub(super) struct Person {
    pub(super) root: PathBuf,
    pub(super) texts: u32,
    /// What the person wrote and did not overwrite or delete.
    pub(super) own: BTreeSet<Vec<u8>>,
    pub(super) touched: BTreeSet<String>,
}

impl Person {
    pub(super) fn act(&mut self, act: Act, here: &str) {
        let path = act.path.map_or(here, |path| PATHS[path]);
        if path.is_empty() || path.starts_with('.') {
            return;
        }
        let mut path = path.to_owned();
        if matches!(act.deed, Deed::Add) {
            let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            path = format!("{folder}mine-{}", self.texts);
        }
        let at = self.root.join(&path);
        match act.deed {
            Deed::Write | Deed::Add if has_way(&at) => {
                let text = self.text(&at);
                fs::write(&at, text).unwrap();
            }
            Deed::Swap if has_way(&at) => {
                let text = self.text(&at);
                let unfinished = at.with_file_name(".unfinished");
                fs::write(&unfinished, text).unwrap();
                fs::rename(unfinished, &at).unwrap();
            }
            Deed::Delete if at.is_file() => {
                self.own.remove(&fs::read(&at).unwrap());
                fs::remove_file(&at).unwrap();
            }
            Deed::Folder if !at.exists() && has_way(&at) => fs::create_dir(&at).unwrap(),
            Deed::Private if at.is_file() => fs::set_permissions(&at, fs::Permissions::from_mode(0o600)).unwrap(),
            Deed::RemoveFolder | Deed::RenameFolder => {
                let Some((folder, _)) = path.rsplit_once('/') else { return };
                let at = self.root.join(folder);
                if !at.is_dir() {
                    return;
                }
                let name = format!("away-{}", self.texts);
                let away = self.root.join(&name);
                if matches!(act.deed, Deed::RemoveFolder) {
                    self.forget_below(&at);
                    fs::remove_dir_all(&at).unwrap();
                } else if !away.exists() {
                    fs::rename(&at, away).unwrap();
                    self.touched.insert(name);
                }
                path.truncate(folder.len());
            }
            Deed::Turn if at.is_file() => {
                let text = self.text(&at);
                fs::remove_file(&at).unwrap();
                fs::create_dir(&at).unwrap();
                fs::write(at.join("in"), text).unwrap();
            }
            _ => return,
        }
        self.touched.insert(path);
    }

    /// The person takes away what is theirs in a folder.
    fn forget_below(&mut self, at: &Path) {
        for entry in walkdir::WalkDir::new(at).into_iter().map(Result::unwrap) {
            if entry.file_type().is_file() {
                self.own.remove(&fs::read(entry.path()).unwrap());
            }
        }
    }

    /// A new text, in the place of what is there.
    fn text(&mut self, at: &Path) -> Vec<u8> {
        if let Ok(old) = fs::read(at) {
            self.own.remove(&old);
        }
        self.texts += 1;
        let text = format!("a person's text {}\n", self.texts).into_bytes();
        self.own.insert(text.clone());
        text
    }

    pub(super) fn has_touched(&self, path: &str) -> bool {
        let is_below = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        self.touched.iter().any(|one| one == path || is_below(one, path) || is_below(path, one))
    }

    /// The texts that are nowhere any more.
    pub(super) fn lost(&self) -> Vec<String> {
        let is_there = |entry: &walkdir::DirEntry| {
            let path = entry.path().strip_prefix(&self.root).unwrap();
            entry.file_type().is_file() && (!path.starts_with(".megax") || path.starts_with(".megax/kept"))
        };
        let files = walkdir::WalkDir::new(&self.root).into_iter().map(Result::unwrap).filter(is_there);
        let there: BTreeSet<Vec<u8>> = files.map(|file| fs::read(file.path()).unwrap()).collect();
        self.own.difference(&there).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }
}

/// Whether a file can be written there; makes its folder.
fn has_way(at: &Path) -> bool {
    !at.is_dir() && fs::create_dir_all(at.parent().unwrap()).is_ok()
}
