#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fault::tests::{Happens, Renaming, at_call, with};
use super::*;
use crate::change::{
    ChangeSet, Desired, Inputs, Kind, MegaFile, OnDisk, Policies, Policy, Reason, Shard, compare, survey_paths,
};
use crate::digest::Digest;
use crate::digest::lf_digest;
use crate::event::{Event, Silent, Watcher};
use crate::path::{FileMode, OutputPath};

/// path, body, executable
pub(super) type Want<'a> = (&'a str, &'a str, bool);

fn path(text: &str) -> OutputPath {
    OutputPath::parse(text).unwrap()
}

/// The first half of a run: what would change.
pub(super) fn difference(root: &Root, wants: &[Want<'_>], policy: Policy) -> ChangeSet {
    let mut desired: Vec<Desired> = wants
        .iter()
        .map(|(at, body, executable)| Desired {
            path: path(at),
            mode: if *executable { FileMode::Executable } else { FileMode::Regular },
            once: false,
            digest: Digest::of(body.as_bytes()),
            lf_digest: lf_digest(body.as_bytes()),
            lines: 1,
            bytes: body.len() as u64,
            team: "t".into(),
            mega_file: "m".into(),
            template: "x".into(),
        })
        .collect();
    desired.sort_by(|a, b| a.path.cmp(&b.path));
    let shards: Vec<Shard> =
        read_shards(root).unwrap().iter().map(|(path, text)| Shard::read(path, text).unwrap()).collect();
    let scope = BTreeSet::from([("t".to_owned(), "m".to_owned())]);
    let wanted = desired.iter().map(|file| file.path.clone());
    let paths: Vec<OutputPath> = wanted.chain(survey_paths(&shards, &scope)).collect();
    let survey = survey(root, &paths).unwrap();
    compare(&Inputs {
        desired: &desired,
        mega_files: &[MegaFile { team: "t".into(), id: "m".into(), inputs: None, source: None, whole: true }],
        shards: &shards,
        orphan_scope: &scope,
        planned_elsewhere: &BTreeSet::new(),
        off_limits: &BTreeSet::new(),
        survey: &survey,
        policies: &Policies::all(policy),
        merges: &BTreeMap::new(),
        engine: "e",
    })
}

pub(super) fn stage(root: &Root, wants: &[Want<'_>]) -> Staging {
    let staging = Staging::begin(root).unwrap();
    for (at, body, executable) in wants {
        let mode = if *executable { FileMode::Executable } else { FileMode::Regular };
        staging.put(&path(at), mode, body.as_bytes()).unwrap();
    }
    staging
}

pub(super) fn apply(folder: &Path, wants: &[Want<'_>], policy: Policy) -> Result<Applied, CommitError> {
    let root = Root::open(folder).unwrap();
    let changes = difference(&root, wants, policy);
    Staged::new(stage(&root, wants), changes)?.commit(Durability::Process, &Silent)
}

/// Everything a person could miss: names, bytes, modes, link targets, times. Of `.megax` only the lockfile.
pub(super) fn picture(folder: &Path) -> BTreeMap<String, (u32, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
        if name.starts_with(".megax") && !name.contains(".lock") {
            continue;
        }
        let metadata = entry.metadata().unwrap();
        let (bytes, time) = match metadata.file_type() {
            kind if kind.is_dir() => (Vec::new(), 0),
            kind if kind.is_symlink() => {
                (fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes(), 0)
            }
            _ => (fs::read(entry.path()).unwrap(), metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec()),
        };
        found.insert(name, (metadata.mode(), time, bytes));
    }
    found
}

pub(super) fn transactions(folder: &Path) -> usize {
    fs::read_dir(folder.join(".megax/txn")).map_or(0, Iterator::count)
}

pub(super) const FIRST: &[Want<'_>] = &[
    ("a", "one", false),
    ("d/gone", "one", false),
    ("d/e/x", "one", true),
    ("mode", "one", false),
    ("q/edit", "one", false),
];
pub(super) const SECOND: &[Want<'_>] = &[
    ("a", "two", false),
    ("d/e/x", "two", true),
    ("mode", "one", true),
    ("n/e/w", "two", false),
    ("q/edit", "two", false),
];

/// A tree after [`FIRST`] and an edit; every kind of step takes it to [`SECOND`].
pub(super) fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), FIRST, Policy::Fail).unwrap();
    fs::write(folder.path().join("q/edit"), "by hand").unwrap();
    fs::write(folder.path().join("mine"), "mine").unwrap();
    folder
}

#[test]
fn every_kind_of_change_reaches_the_tree() {
    let folder = prepared();
    let applied = apply(folder.path(), SECOND, Policy::Overwrite).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for (at, body, executable) in SECOND {
        assert_eq!(read(at), *body, "{at}");
        let mode = fs::metadata(folder.path().join(at)).unwrap().mode();
        assert_eq!(mode & 0o100 != 0, *executable, "{at}");
    }
    assert!(!folder.path().join("d/gone").exists() && read("mine") == "mine");
    let kept = &applied.kept[0];
    assert_eq!((kept.0.as_str(), read(&kept.1)), ("q/edit", "by hand".to_owned()));
    assert_eq!((applied.counts.created, applied.counts.updated, applied.counts.deleted), (1, 3, 1));
    assert_eq!((applied.counts.replaced, applied.shards, transactions(folder.path())), (1, 1, 0));
    assert!(read(".megax/.gitignore").contains("/*\n!/.gitignore\n!/lock/\n"));
}

#[test]
fn a_second_run_changes_no_byte_and_no_time() {
    let folder = prepared();
    apply(folder.path(), SECOND, Policy::Overwrite).unwrap();
    let before = picture(folder.path());
    let root = Root::open(folder.path()).unwrap();
    assert!(difference(&root, SECOND, Policy::Fail).is_empty());
    assert_eq!(apply(folder.path(), SECOND, Policy::Fail).unwrap().counts.unchanged, SECOND.len());
    assert_eq!(picture(folder.path()), before);
}

#[test]
fn a_failure_at_any_step_leaves_the_tree_as_it_was() {
    for renaming in [Renaming::Full, Renaming::Plain] {
        let mut fails = 0;
        for step in 1.. {
            let folder = prepared();
            let before = picture(folder.path());
            let root = Root::open(folder.path()).unwrap();
            let changes = difference(&root, SECOND, Policy::Overwrite);
            let staged = Staged::new(stage(&root, SECOND), changes).unwrap();
            let run = || staged.commit(Durability::Process, &Silent);
            match with(renaming, None, at_call(step, Happens::Error), run).unwrap() {
                Err(CommitError::Disk(_)) => fails += 1,
                Err(other) => panic!("{other}"),
                Ok(_) => break,
            }
            assert_eq!(picture(folder.path()), before, "{renaming:?}, step {step}");
            assert_eq!(transactions(folder.path()), 0);
        }
        assert!(fails >= 13, "only {fails} steps failed");
    }
}

/// Does something when a given number of files was published.
struct Meddler<F: Fn() + Sync>(usize, AtomicUsize, F);

impl<F: Fn() + Sync> Watcher for Meddler<F> {
    fn on_event(&self, event: Event) {
        if event == Event::Published && self.1.fetch_add(1, Ordering::SeqCst) + 1 == self.0 {
            self.2();
        }
    }
}

fn meddle(renaming: Renaming, at: usize, meddling: impl Fn(&Path) + Sync) -> (tempfile::TempDir, CommitError) {
    let folder = prepared();
    let root = Root::open(folder.path()).unwrap();
    let changes = difference(&root, SECOND, Policy::Overwrite);
    let staged = Staged::new(stage(&root, SECOND), changes).unwrap();
    let watcher = Meddler(at, AtomicUsize::new(0), || meddling(folder.path()));
    let run = || staged.commit(Durability::Process, &watcher).unwrap_err();
    let error = with(renaming, None, |_| Happens::Nothing, run).unwrap();
    (folder, error)
}

#[test]
fn an_edit_between_compare_and_commit_is_kept_and_all_is_taken_back() {
    for renaming in [Renaming::Full, Renaming::Plain] {
        let expected = prepared();
        fs::write(expected.path().join("d/e/x"), "meanwhile").unwrap();
        let (folder, error) = meddle(renaming, 1, |folder| fs::write(folder.join("d/e/x"), "meanwhile").unwrap());
        assert!(
            matches!(&error, CommitError::Disk(DiskError::ChangedMeanwhile { path }) if path == "d/e/x"),
            "{error}"
        );
        let bytes = |folder: &Path| picture(folder).into_iter().map(|(at, all)| (at, all.0, all.2)).collect::<Vec<_>>();
        assert_eq!(bytes(folder.path()), bytes(expected.path()));
    }
}

#[test]
fn a_folder_or_file_in_the_way_is_kept_and_all_is_taken_back() {
    let (folder, error) = meddle(Renaming::Full, 2, |folder| fs::create_dir_all(folder.join("n/e/w/deep")).unwrap());
    assert!(matches!(error, CommitError::Disk(DiskError::NotAFile { what: "a folder", .. })), "{error}");
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"one");
    assert!(folder.path().join("n/e/w/deep").is_dir() && folder.path().join("d/gone").exists());
    for renaming in [Renaming::Full, Renaming::Plain] {
        let (folder, error) = meddle(renaming, 2, |folder| {
            fs::create_dir_all(folder.join("n/e")).unwrap();
            fs::write(folder.join("n/e/w"), "theirs").unwrap();
        });
        assert!(matches!(error, CommitError::Disk(DiskError::ChangedMeanwhile { .. })), "{error}");
        assert_eq!(fs::read(folder.path().join("n/e/w")).unwrap(), b"theirs");
    }
}

#[test]
fn an_edit_of_a_published_file_survives_the_rollback() {
    let (folder, error) = meddle(Renaming::Full, 2, |folder| {
        fs::write(folder.join("a"), "already").unwrap();
        fs::write(folder.join("d/e/x"), "meanwhile").unwrap();
    });
    let CommitError::EditedMeanwhile { kept, .. } = &error else { panic!("{error}") };
    assert_eq!(kept.iter().map(|(path, _)| &**path).collect::<Vec<_>>(), ["a"]);
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"already");
    assert_eq!(transactions(folder.path()), 0);
    let kept = folder.path().join(".megax/kept").join(Digest::of(b"one").to_string());
    assert_eq!(fs::read(kept).unwrap(), b"one");
}

#[test]
fn every_file_that_was_edited_after_it_was_published_is_named() {
    let (_folder, error) = meddle(Renaming::Full, 3, |folder| {
        fs::write(folder.join("a"), "already").unwrap();
        fs::write(folder.join("d/e/x"), "already").unwrap();
        fs::write(folder.join("mode"), "meanwhile").unwrap();
    });
    let CommitError::EditedMeanwhile { kept, .. } = &error else { panic!("{error}") };
    assert_eq!(kept.iter().map(|(path, _)| &**path).collect::<Vec<_>>(), ["d/e/x", "a"]);
    assert!(kept.iter().all(|(path, place)| error.to_string().contains(path) && error.to_string().contains(place)));
}

#[test]
fn a_panic_in_the_middle_loses_nothing() {
    let folder = prepared();
    let root = Root::open(folder.path()).unwrap();
    let changes = difference(&root, SECOND, Policy::Overwrite);
    let staged = Staged::new(stage(&root, SECOND), changes).unwrap();
    let watcher = Meddler(3, AtomicUsize::new(0), || panic!("on purpose"));
    let run = std::panic::AssertUnwindSafe(|| staged.commit(Durability::Process, &watcher));
    assert!(std::panic::catch_unwind(run).is_err());
    assert_eq!(transactions(folder.path()), 1);
    assert!(is_interrupted(&root).unwrap());
    drop(Staging::begin(&root).unwrap());
    assert_eq!(transactions(folder.path()), 1, "what is committed is nobody's leftover");
    let recovered = recover(&root, Durability::Process).unwrap();
    assert!(recovered.iter().all(|one| one.finished), "{recovered:?}");
    assert!(difference(&root, SECOND, Policy::Fail).is_empty(), "the next run finishes it");
    assert_eq!((transactions(folder.path()), is_interrupted(&root).unwrap()), (0, false));
}

#[test]
fn a_foreign_file_stops_the_run_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "mine").unwrap();
    let before = picture(folder.path());
    let error = apply(folder.path(), FIRST, Policy::Fail).unwrap_err();
    assert!(matches!(&error, CommitError::Conflict { path } if path == "a"), "{error}");
    assert_eq!((picture(folder.path()), transactions(folder.path())), (before, 0));
}

#[test]
fn no_symlink_is_followed_or_replaced() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("x"), "theirs").unwrap();
    symlink(outside.path(), folder.path().join("d")).unwrap();
    symlink(outside.path().join("x"), folder.path().join("a")).unwrap();
    symlink("nowhere", folder.path().join("mode")).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let found = survey(&root, &["d/e/x", "d/x", "a", "mode", "q"].map(path)).unwrap();
    assert_eq!(found[&path("d/e/x")], OnDisk::Below("d".into()));
    assert_eq!(found[&path("a")], OnDisk::Other("a symlink"));
    let changes = difference(&root, FIRST, Policy::Overwrite);
    let reasons: Vec<&Reason> = changes.conflicts().filter_map(|file| file.conflict()).collect();
    let below = Reason::Below("d".into());
    let link = Reason::NotAFile("a symlink");
    assert_eq!(reasons, [&link, &below, &below, &link]);
}

#[test]
fn symlinks_put_there_meanwhile_are_not_followed_either() {
    let outside = tempfile::tempdir().unwrap();
    let (folder, error) = meddle(Renaming::Full, 1, |folder| symlink(outside.path(), folder.join("n")).unwrap());
    assert!(matches!(error, CommitError::Disk(DiskError::NotAFile { what: "a symlink", .. })), "{error}");
    let (_folder, error) = meddle(Renaming::Full, 1, |folder| {
        fs::remove_file(folder.join("a")).unwrap();
        symlink(outside.path().join("new"), folder.join("a")).unwrap();
    });
    assert!(matches!(error, CommitError::Disk(DiskError::NotAFile { what: "a symlink", .. })), "{error}");
    let (_folder, error) = meddle(Renaming::Full, 1, |folder| {
        fs::rename(folder.join("d"), outside.path().join("d")).unwrap();
        symlink(outside.path().join("d"), folder.join("d")).unwrap();
    });
    // The handle of `d` is the folder itself, so its files may be reached, but never through the link.
    assert!(matches!(error, CommitError::Disk(_) | CommitError::EditedMeanwhile { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"one");
    let linked = tempfile::tempdir().unwrap();
    symlink(outside.path(), linked.path().join(".megax")).unwrap();
    let root = Root::open(linked.path()).unwrap();
    assert!(matches!(Staging::begin(&root), Err(DiskError::NotAFile { what: "a symlink", .. })));
    fs::create_dir(outside.path().join("lock")).unwrap();
    assert!(matches!(read_shards(&root), Err(DiskError::NotAFile { .. })));
}

#[test]
fn a_file_makes_way_for_a_folder_and_back_again_on_failure() {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), &[("a", "1", false)], Policy::Fail).unwrap();
    apply(folder.path(), &[("a/b/c", "2", false)], Policy::Fail).unwrap();
    assert_eq!(fs::read(folder.path().join("a/b/c")).unwrap(), b"2");
    apply(folder.path(), &[], Policy::Fail).unwrap();
    assert!(!folder.path().join("a").exists(), "folders that became empty go");
    assert!(!folder.path().join(".megax/lock/t/m.lock").exists());
}

#[test]
fn leftovers_of_dead_processes_go_and_those_of_living_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(&folder.path().join("new/root")).unwrap();
    assert!(!folder.path().join("new").exists(), "looking makes nothing");
    let living = Staging::begin(&root).unwrap();
    let transactions = folder.path().join("new/root/.megax/txn");
    for dead in ["1-0", "2-0"] {
        fs::create_dir(transactions.join(dead)).unwrap();
        fs::write(transactions.join(dead).join("n0"), "staged").unwrap();
    }
    fs::write(transactions.join("1-0/guard"), "").unwrap();
    let next = Staging::begin(&root).unwrap();
    assert_eq!(fs::read_dir(&transactions).unwrap().count(), 2);
    drop((living, next));
    assert_eq!(fs::read_dir(&transactions).unwrap().count(), 0);
    assert!(!folder.path().join("new/root/.megax/kept").exists(), "nothing was displaced");
}

#[test]
fn a_guard_is_held_by_one_and_names_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let guard = TeamGuard::acquire(&root, "beta", "process 7: megax expand").unwrap();
    let other = Root::open(folder.path()).unwrap();
    match TeamGuard::acquire(&other, "beta", "x") {
        Err(GuardError::Held { team, holder }) => assert_eq!((&*team, &*holder), ("beta", "process 7: megax expand")),
        found => panic!("{found:?}"),
    }
    assert!(TeamGuard::acquire(&other, "alpha", "x").is_ok());
    drop(guard);
    assert!(TeamGuard::acquire(&other, "beta", "y").is_ok());
    assert!(folder.path().join(".megax/guard/beta.guard").exists(), "never unlinked");
    assert!(matches!(TeamGuard::acquire(&root, "../x", "y"), Err(GuardError::Disk(DiskError::Name { .. }))));
    drop(ProjectGuard::wait(&root).unwrap());
    drop(ProjectGuard::wait(&root).unwrap());
}

#[test]
fn the_umask_and_private_modes_are_respected() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().mode() & 0o777;
    apply(folder.path(), FIRST, Policy::Fail).unwrap();
    fs::write(folder.path().join("plain"), "").unwrap();
    assert_eq!(mode("a"), mode("plain"));
    assert_eq!(mode("d/e/x"), mode("plain") | (mode("plain") & 0o444) >> 2);
    for name in ["a", "mode"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    apply(folder.path(), SECOND, Policy::Fail).unwrap();
    assert_eq!((mode("a"), mode("mode")), (0o600, 0o700));
}

#[test]
fn what_was_not_staged_as_planned_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let changes = difference(&root, &[("a", "1", false)], Policy::Fail);
    let not_staged = |wants: &[Want<'_>]| Staged::new(stage(&root, wants), changes.clone()).unwrap_err();
    for wants in [&[][..], &[("a", "2", false)], &[("a", "1", true)]] {
        assert!(matches!(not_staged(wants), CommitError::NotStaged { .. }));
    }
    let mut hostile = changes.clone();
    hostile.lockfiles[0].path = ".megax/lock/../../x.lock".into();
    assert!(Staged::new(stage(&root, &[("a", "1", false)]), hostile).is_err());
    assert_eq!((picture(folder.path()).len(), transactions(folder.path())), (0, 0));
    let staging = stage(&root, &[("a", "1", false)]);
    assert!(staging.put(&path("a"), FileMode::Regular, b"1").is_err(), "one body per path");
}

#[test]
fn line_endings_changed_by_git_are_no_change() {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), &[("a", "x\ny\n", false)], Policy::Fail).unwrap();
    fs::write(folder.path().join("a"), "x\r\ny\r\n").unwrap();
    let root = Root::open(folder.path()).unwrap();
    assert!(difference(&root, &[("a", "x\ny\n", false)], Policy::Fail).is_empty());
    let changes = difference(&root, &[("a", "z\n", false)], Policy::Fail);
    assert_eq!(changes.files[0].kind, Kind::Update, "line endings alone are no edit");
}
