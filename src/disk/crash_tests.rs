//! Deaths at every call of a commit and of its recovery.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::path::Path;

use super::fault::tests::{Happens, Renaming, at_call, with};
use super::tests::{SECOND, apply, difference, picture, prepared, stage, transactions};
use super::*;
use crate::change::Policy;
use crate::event::Silent;

/// A commit of [`SECOND`] that dies at a call; whether it did.
fn crash(folder: &Path, renaming: Renaming, call: usize) -> bool {
    let root = Root::open(folder).unwrap();
    let changes = difference(&root, SECOND, Policy::Overwrite);
    let staged = Staged::new(stage(&root, SECOND), changes).unwrap();
    let run = || drop(staged.commit(Durability::Process, &Silent));
    with(renaming, None, at_call(call, Happens::Death), run).is_none()
}

/// Names and bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    picture(folder).into_iter().map(|(at, all)| (at, all.2)).collect()
}

#[test]
fn a_death_at_any_call_and_at_any_call_of_its_recovery_ends_all_new() {
    let expected = prepared();
    apply(expected.path(), SECOND, Policy::Overwrite).unwrap();
    let expected = contents(expected.path());
    for renaming in [Renaming::Full, Renaming::Plain] {
        let mut deaths = 0;
        for call in 1.. {
            let folder = prepared();
            if !crash(folder.path(), renaming, call) {
                break;
            }
            // Recovery dies as well, each time one call later, until it comes through.
            let root = Root::open(folder.path()).unwrap();
            for again in 1.. {
                deaths += 1;
                let run = || drop(recover(&root, Durability::Process).unwrap());
                if with(Renaming::Full, None, at_call(again, Happens::Death), run).is_some() {
                    break;
                }
            }
            assert_eq!(contents(folder.path()), expected, "{renaming:?}, call {call}");
            assert_eq!(transactions(folder.path()), 0);
        }
        assert!(deaths > 40, "only {deaths} deaths");
    }
}

#[test]
fn a_recovery_that_fails_at_any_call_ends_all_old_and_a_blocked_one_too() {
    let mut fails = 0;
    for call in 1.. {
        let folder = prepared();
        let before = contents(folder.path());
        if !crash(folder.path(), Renaming::Full, call) {
            break;
        }
        let root = Root::open(folder.path()).unwrap();
        let run = || recover(&root, Durability::Process).unwrap();
        let recovered = with(Renaming::Full, None, at_call(1, Happens::Error), run).unwrap();
        // A recovery with nothing left to do has no call that could fail.
        if recovered.iter().all(|one| one.finished) {
            continue;
        }
        fails += 1;
        assert_eq!(contents(folder.path()), before, "call {call}");
        assert_eq!(transactions(folder.path()), 0);
    }
    assert!(fails > 8, "only {fails} failed");
}

#[test]
fn an_edit_between_a_death_and_its_recovery_is_never_lost() {
    for call in 1.. {
        let folder = prepared();
        if !crash(folder.path(), Renaming::Full, call) {
            break;
        }
        for (at, _, _) in SECOND {
            let target = folder.path().join(at);
            if target.parent().unwrap().is_dir() {
                fs::write(&target, format!("edited {at}")).unwrap();
            }
        }
        let root = Root::open(folder.path()).unwrap();
        recover(&root, Durability::Process).unwrap();
        for (at, _, _) in SECOND {
            let target = folder.path().join(at);
            if target.exists() {
                let found = fs::read_to_string(&target).unwrap();
                assert!(found == format!("edited {at}") || *at == "n/e/w", "call {call}: {at}: {found}");
            }
        }
        assert_eq!(transactions(folder.path()), 0);
    }
}

#[test]
fn a_journal_that_came_with_a_copy_of_the_tree_moves_nothing() {
    let folder = prepared();
    assert!(crash(folder.path(), Renaming::Full, 3));
    let copy = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(folder.path()).min_depth(1) {
        let entry = entry.unwrap();
        let to = copy.path().join(entry.path().strip_prefix(folder.path()).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    let before = contents(copy.path());
    let root = Root::open(copy.path()).unwrap();
    assert!(matches!(recover(&root, Durability::Process), Err(DiskError::Foreign { .. })));
    assert_eq!((contents(copy.path()), transactions(copy.path())), (before, 1));
}

#[test]
fn what_was_only_staged_is_cleared_away_by_recovery_too() {
    let folder = prepared();
    let root = Root::open(folder.path()).unwrap();
    let before = contents(folder.path());
    std::mem::forget(stage(&root, SECOND));
    // A living process holds its folder.
    recover(&root, Durability::Process).unwrap();
    assert_eq!(transactions(folder.path()), 1);
    for one in fs::read_dir(folder.path().join(".megax/txn")).unwrap() {
        let guard = one.unwrap().path().join("guard");
        fs::remove_file(&guard).unwrap();
        fs::write(&guard, "").unwrap();
    }
    assert!(!is_interrupted(&root).unwrap());
    assert!(recover(&root, Durability::Process).unwrap().is_empty());
    assert_eq!(transactions(folder.path()), 0);
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn recovery_waits_for_somebody_who_only_looks() {
    let folder = prepared();
    assert!(crash(folder.path(), Renaming::Full, 9));
    let one = fs::read_dir(folder.path().join(".megax/txn")).unwrap().next().unwrap().unwrap();
    let guard = fs::File::open(one.path().join("guard")).unwrap();
    let looks = guard.try_clone().unwrap();
    looks.lock().unwrap();
    let root = Root::open(folder.path()).unwrap();
    // The staged leftover makes this recovery look at all.
    let other = folder.path().join(".megax/txn/0-0");
    fs::create_dir(&other).unwrap();
    let ends = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop((guard, looks));
    });
    let recovered = recover(&root, Durability::Process).unwrap();
    ends.join().unwrap();
    assert_eq!(recovered.len(), 1);
    assert_eq!(transactions(folder.path()), 0);
}

#[test]
fn a_guard_that_cannot_be_judged_stops_recovery() {
    let folder = prepared();
    assert!(crash(folder.path(), Renaming::Full, 9));
    let one = fs::read_dir(folder.path().join(".megax/txn")).unwrap().next().unwrap().unwrap();
    let guard = one.path().join("guard");
    fs::remove_file(&guard).unwrap();
    // What cannot be opened even by root.
    let _socket = std::os::unix::net::UnixListener::bind(&guard).unwrap();
    let root = Root::open(folder.path()).unwrap();
    assert!(is_interrupted(&root).is_err());
    assert!(recover(&root, Durability::Process).is_err());
}

#[test]
fn what_is_linked_aside_has_not_left_the_tree() {
    let folder = prepared();
    assert!(crash(folder.path(), Renaming::Plain, 1));
    let one = fs::read_dir(folder.path().join(".megax/txn")).unwrap().next().unwrap().unwrap().path();
    let journal = fs::read_to_string(one.join("journal")).unwrap();
    let removes = journal.lines().find(|line| line.starts_with("remove ") && line.ends_with(" d/gone")).unwrap();
    let aside = removes.split(' ').nth(1).unwrap();
    fs::hard_link(folder.path().join("d/gone"), one.join(aside)).unwrap();
    let recovered = recover(&Root::open(folder.path()).unwrap(), Durability::Process).unwrap();
    assert!(recovered[0].finished);
    assert!(!folder.path().join("d/gone").exists());
}

#[test]
fn a_folder_that_a_person_took_away_after_a_death_keeps_no_recovery() {
    for renaming in [Renaming::Full, Renaming::Plain] {
        for call in 1.. {
            let folder = prepared();
            if !crash(folder.path(), renaming, call) {
                break;
            }
            fs::remove_dir_all(folder.path().join("d")).unwrap();
            fs::remove_dir_all(folder.path().join("q")).unwrap();
            recover(&Root::open(folder.path()).unwrap(), Durability::Process)
                .unwrap_or_else(|error| panic!("{renaming:?}, call {call}: {error}"));
            assert_eq!(transactions(folder.path()), 0);
        }
    }
}

#[test]
fn a_displaced_folder_or_symlink_is_kept_where_it_cannot_go_back() {
    let mut kept = 0;
    for (number, is_link) in (1..80).flat_map(|number| [(number, false), (number, true)]) {
        let folder = prepared();
        let (root, target) = (Root::open(folder.path()).unwrap(), folder.path().join("q/edit"));
        let changes = difference(&root, SECOND, Policy::Overwrite);
        let staged = Staged::new(stage(&root, SECOND), changes).unwrap();
        let (mut calls, at) = (0, target.clone());
        let script = move |_: &str| {
            calls += 1;
            if calls == number && fs::remove_file(&at).is_ok() {
                if is_link {
                    std::os::unix::fs::symlink("mine", &at).unwrap();
                } else {
                    fs::create_dir(&at).and_then(|()| fs::write(at.join("mine"), "mine")).unwrap();
                }
            }
            if calls == number + 1 { Happens::Death } else { Happens::Nothing }
        };
        let died = with(Renaming::Full, None, script, || drop(staged.commit(Durability::Process, &Silent))).is_none();
        if !died || !fs::symlink_metadata(&target).is_ok_and(|found| found.is_file()) {
            continue;
        }
        // The exchange brought it into the transaction.
        fs::write(&target, "edited").unwrap();
        recover(&root, Durability::Process).unwrap();
        assert_eq!((fs::read(&target).unwrap(), transactions(folder.path())), (b"edited".to_vec(), 0));
        let place = folder.path().join(".megax/kept/other-1");
        let found = if is_link { fs::read_link(place).is_ok() } else { fs::read(place.join("mine")).is_ok() };
        assert!(found, "call {number}");
        kept += 1;
    }
    assert_eq!(kept, 2);
}

#[test]
fn a_damaged_journal_says_where_to_look() {
    let folder = prepared();
    assert!(crash(folder.path(), Renaming::Full, 9));
    let one = fs::read_dir(folder.path().join(".megax/txn")).unwrap().next().unwrap().unwrap();
    fs::write(one.path().join("journal"), "megax-journal 1\nx\nend 1 0\n").unwrap();
    let error = recover(&Root::open(folder.path()).unwrap(), Durability::Process).unwrap_err();
    assert!(error.to_string().contains("look for them, then remove its folder"), "{error}");
}
