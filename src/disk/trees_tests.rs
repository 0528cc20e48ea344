//! New folders that come with all that is in them.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::fault::tests::{Happens, Renaming, with};
use super::tests::{Want, difference, stage, transactions};
use super::*;
use crate::change::Policy;
use crate::event::Silent;

const WANTS: &[Want<'_>] =
    &[("new/a", "1", false), ("new/deep/er/b", "2", true), ("new/deep/c", "3", false), ("top", "4", false)];

fn staged(root: &Root, wants: &[Want<'_>]) -> Staged {
    let changes = difference(root, wants, Policy::Fail);
    Staged::new(stage(root, wants), changes).unwrap()
}

fn commit(staged: Staged) -> Result<Applied, CommitError> {
    staged.commit(Durability::Process, &Silent)
}

/// The staged folders of all transactions.
fn trees(root: &Path) -> Vec<PathBuf> {
    let inside = walkdir::WalkDir::new(root.join(".megax/txn")).min_depth(2).max_depth(2);
    let folders = inside.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_dir());
    folders.map(walkdir::DirEntry::into_path).collect()
}

fn number(at: &Path) -> u64 {
    fs::metadata(at).unwrap().ino()
}

fn mode(at: &Path) -> u32 {
    fs::metadata(at).unwrap().mode() & 0o7777
}

/// A root, and the same with a folder made by hand for comparison.
fn fresh() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("by-hand")).unwrap();
    let root = Root::open(folder.path()).unwrap();
    (folder, root)
}

#[test]
fn a_new_folder_is_the_staged_one() {
    let (folder, root) = fresh();
    let ready = staged(&root, WANTS);
    let [tree] = trees(folder.path()).try_into().unwrap();
    let before = number(&tree);
    commit(ready).unwrap();
    for (path, body, executable) in WANTS {
        let at = folder.path().join(path);
        assert_eq!(fs::read_to_string(&at).unwrap(), *body);
        assert_eq!(mode(&at) & 0o100 != 0, *executable);
    }
    assert_eq!(number(&folder.path().join("new")), before);
    assert_eq!(mode(&folder.path().join("new/deep")), mode(&folder.path().join("by-hand")));
    assert_eq!(transactions(folder.path()), 0);
}

#[test]
fn a_body_that_no_change_needs_does_not_come_along() {
    let (folder, root) = fresh();
    let changes = difference(&root, &WANTS[..1], Policy::Fail);
    commit(Staged::new(stage(&root, WANTS), changes).unwrap()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    assert!(!folder.path().join("top").exists() && trees(folder.path()).is_empty());
    assert_eq!(transactions(folder.path()), 0);
    drop(stage(&root, &[("other/x", "1", false)]));
    assert_eq!((transactions(folder.path()), folder.path().join("other").exists()), (0, false));
}

#[test]
fn a_folder_that_appears_meanwhile_stays_and_gets_the_files() {
    for inside in [None, Some("mine")] {
        let (folder, root) = fresh();
        let ready = staged(&root, WANTS);
        let new = folder.path().join("new");
        fs::create_dir(&new).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some(name) = inside {
            fs::write(new.join(name), "mine").unwrap();
        }
        let (before, below) = (number(&new), number(&trees(folder.path())[0].join("deep")));
        commit(ready).unwrap();
        assert_eq!((number(&new), mode(&new)), (before, 0o700), "a person's folder, empty or not, is not replaced");
        assert_eq!(number(&new.join("deep")), below, "what is new in it comes whole");
        assert_eq!(fs::read_dir(&new).unwrap().count(), 2 + usize::from(inside.is_some()));
        assert_eq!(transactions(folder.path()), 0);
    }
}

#[test]
fn two_that_make_the_same_new_folder_both_come_through() {
    let (folder, root) = fresh();
    let first = staged(&root, &[("new/one/a", "1", false), ("new/shared/a", "1", false)]);
    let (own, shared) = (stage(&root, &[]), trees(folder.path()).len());
    drop(own);
    // The second sees nothing of the first, which has not published yet.
    let second = stage(&root, &[("new/two/b", "2", false), ("new/shared/b", "2", false)]);
    let mut changes = difference(&root, &[("new/two/b", "2", false), ("new/shared/b", "2", false)], Policy::Fail);
    // The lockfile is the first one's.
    changes.lockfiles.clear();
    let second = Staged::new(second, changes).unwrap();
    let two = trees(folder.path()).into_iter().find(|tree| tree.join("two").is_dir()).unwrap();
    let (before, all) = (number(&two.join("two")), trees(folder.path()).len());
    assert_eq!((shared, all), (1, 2));
    commit(first).unwrap();
    commit(second).unwrap();
    for path in ["new/one/a", "new/shared/a", "new/two/b", "new/shared/b"] {
        assert!(folder.path().join(path).is_file(), "{path}");
    }
    assert_eq!(number(&folder.path().join("new/two")), before);
    assert_eq!(transactions(folder.path()), 0);
}

#[test]
fn what_a_person_did_in_a_new_folder_survives_taking_it_back() {
    for renaming in [Renaming::Full, Renaming::Plain] {
        let (folder, root) = fresh();
        let ready = staged(&root, WANTS);
        let new = folder.path().join("new");
        let (at, mut is_done) = (new.clone(), false);
        let script = move |path: &str| {
            if path != "top" || is_done {
                return Happens::Nothing;
            }
            is_done = true;
            fs::write(at.join("deep/c"), "edited").unwrap();
            fs::write(at.join("deep/er/mine"), "mine").unwrap();
            Happens::Error
        };
        with(renaming, None, script, || commit(ready).unwrap_err()).unwrap();
        assert_eq!(fs::read_to_string(new.join("deep/c")).unwrap(), "edited");
        assert_eq!(fs::read_to_string(new.join("deep/er/mine")).unwrap(), "mine");
        assert!(!new.join("a").exists() && !new.join("deep/er/b").exists(), "the rest is taken back");
        assert_eq!(transactions(folder.path()), 0);
    }
}

#[test]
fn a_folder_that_hands_on_its_group_makes_its_folders_itself() {
    let (folder, root) = fresh();
    let top = folder.path().join("by-hand");
    fs::set_permissions(&top, fs::Permissions::from_mode(0o2755)).unwrap();
    fs::create_dir(top.join("sample")).unwrap();
    commit(staged(&root, &[("by-hand/new/a", "1", false)])).unwrap();
    assert_eq!(mode(&top.join("new")), mode(&top.join("sample")));
}

#[test]
fn a_staged_folder_with_something_strange_in_it_is_left_alone() {
    let (folder, root) = fresh();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "theirs").unwrap();
    let ready = stage(&root, WANTS);
    std::os::unix::fs::symlink(outside.path(), trees(folder.path())[0].join("link")).unwrap();
    drop(ready);
    assert!(outside.path().join("x").exists());
    assert_eq!(transactions(folder.path()), 1);
}
