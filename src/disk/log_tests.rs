//! The operation log: what is undone, what is refused, and deaths on the way.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::fault::tests::{Happens, Renaming, at_call, with};
use super::tests::{FIRST, SECOND, Want, apply, difference, picture, prepared, stage, transactions};
use super::*;
use crate::change::Policy;
use crate::digest::tree_digest;
use crate::event::Silent;

/// Names, modes and bytes.
type State = Vec<(String, u32, Vec<u8>)>;

/// Does something to a file or folder.
type Deed = fn(&Path);

fn state(folder: &Path) -> State {
    picture(folder).into_iter().map(|(at, all)| (at, all.0, all.2)).collect()
}

fn target(folder: &Path, target: &Target) -> Result<Reversed, ReversalError> {
    let root = Root::open(folder).unwrap();
    let reversal = choose(&read_log(&root).unwrap(), target)?;
    reverse(&root, &reversal, Durability::Process, &ProjectGuard::wait(&root).unwrap())
}

fn undo(folder: &Path, number: u64) -> Result<Reversed, ReversalError> {
    target(folder, &Target::Undo(Some(number)))
}

fn rollback(folder: &Path, to: u64) -> Result<Reversed, ReversalError> {
    target(folder, &Target::Rollback { to, team: None })
}

fn log(folder: &Path) -> Log {
    read_log(&Root::open(folder).unwrap()).unwrap()
}

/// [`FIRST`], an edit, then [`SECOND`] over it; the states before and after.
fn two() -> (tempfile::TempDir, [State; 2]) {
    let folder = prepared();
    let before = state(folder.path());
    apply(folder.path(), SECOND, Policy::Overwrite).unwrap();
    let after = state(folder.path());
    (folder, [before, after])
}

#[test]
fn every_kind_of_step_is_undone_and_done_again_to_the_byte_and_the_mode() {
    let (folder, [before, after]) = two();
    let reversed = undo(folder.path(), 2).unwrap();
    assert_eq!(state(folder.path()), before);
    let expected = [
        ("a", Fate::Restored),
        ("d/e/x", Fate::Restored),
        ("d/gone", Fate::Recreated),
        ("mode", Fate::Restored),
        ("n/e/w", Fate::Deleted),
        ("q/edit", Fate::Restored),
    ];
    assert_eq!(reversed.files, expected.map(|(path, fate)| (path.to_owned(), fate)));
    assert!(!folder.path().join("n").exists(), "a folder that became empty goes");
    undo(folder.path(), 3).unwrap();
    assert_eq!(state(folder.path()), after, "the undo of an undo is a redo");
    undo(folder.path(), 4).unwrap();
    undo(folder.path(), 1).unwrap_err();
    assert_eq!(state(folder.path()), before);
    let log = log(folder.path());
    let facts: Vec<_> = log.operations.iter().map(|one| (one.number, one.kind, one.undone_by)).collect();
    let (apply, undo) = (OperationKind::Apply, OperationKind::Undo);
    // 5 undid 4, so 3 stands again, and 2 is undone.
    assert_eq!(facts, [(5, undo, None), (4, undo, Some(5)), (3, undo, None), (2, apply, Some(3)), (1, apply, None)]);
    let trees: Vec<_> = (1..=5).map(|number| log.get(number).unwrap().footing.clone()).collect();
    assert_eq!(trees[1].before, trees[0].after, "one operation begins where the one before ended");
    assert_eq!((trees[2].before, trees[2].after), (trees[1].after, trees[1].before), "an undo goes back");
    assert_eq!(trees[3], trees[1], "and the undo of an undo there again");
    assert_eq!(trees[0].before, Some(tree_digest([])), "before the first operation nothing is recorded");
    assert!(trees.iter().all(|one| one.after.is_some() && one.before != one.after));
    let second = log.get(2).unwrap();
    assert_eq!((second.created, second.updated, second.deleted), (1, 4, 1));
    assert_eq!((&*second.teams, transactions(folder.path())), (&["t".to_owned()][..], 0));
}

#[test]
fn all_is_undone_back_to_the_empty_folder_and_a_rollback_comes_back_too() {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), FIRST, Policy::Fail).unwrap();
    let first = state(folder.path());
    apply(folder.path(), SECOND, Policy::Fail).unwrap();
    apply(folder.path(), &[("a", "three", false)], Policy::Fail).unwrap();
    let third = state(folder.path());
    rollback(folder.path(), 1).unwrap();
    assert_eq!(state(folder.path()), first);
    assert_eq!(log(folder.path()).get(4).unwrap().undoes, [2, 3]);
    undo(folder.path(), 4).unwrap();
    assert_eq!(state(folder.path()), third);
    for _ in 0..3 {
        target(folder.path(), &Target::Undo(None)).unwrap();
    }
    assert_eq!(state(folder.path()), [], "one undo after the other goes back");
    assert!(matches!(target(folder.path(), &Target::Undo(None)), Err(ReversalError::Absent(_))));
    rollback(folder.path(), 3).unwrap();
    assert_eq!(state(folder.path()), third);
    rollback(folder.path(), 0).unwrap();
    assert_eq!(state(folder.path()), []);
}

#[test]
fn a_file_and_a_folder_change_places_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), &[("a", "1", true), ("z/y", "1", false)], Policy::Fail).unwrap();
    let file = state(folder.path());
    apply(folder.path(), &[("a/b/c", "2", false), ("a/d", "2", false)], Policy::Fail).unwrap();
    let below = state(folder.path());
    fs::write(folder.path().join("a/mine"), "mine").unwrap();
    let with_mine = state(folder.path());
    let Err(ReversalError::Refused(refusals)) = undo(folder.path(), 2) else { panic!("it was no obstacle") };
    assert_eq!(refusals.iter().map(|one| &*one.path).collect::<Vec<_>>(), ["a/mine"]);
    assert_eq!((state(folder.path()), transactions(folder.path())), (with_mine, 0));
    fs::remove_file(folder.path().join("a/mine")).unwrap();
    fs::create_dir(folder.path().join("a/b/empty")).unwrap();
    let Err(ReversalError::Refused(refusals)) = undo(folder.path(), 2) else { panic!("it was no obstacle") };
    assert_eq!(refusals.iter().map(|one| &*one.path).collect::<Vec<_>>(), ["a/b/empty"]);
    fs::remove_dir(folder.path().join("a/b/empty")).unwrap();
    undo(folder.path(), 2).unwrap();
    assert_eq!(state(folder.path()), file);
    undo(folder.path(), 3).unwrap();
    assert_eq!(state(folder.path()), below);
}

#[test]
fn an_edited_file_refuses_the_undo_and_nothing_is_touched() {
    let edits: [(&str, Deed); 6] = [
        ("a", |at| fs::write(at, "edited").unwrap()),
        ("d/gone", |at| fs::write(at, "mine").unwrap()),
        ("n/e/w", |at| fs::write(at, "edited").unwrap()),
        ("mode", |at| fs::write(at, "edited").unwrap()),
        ("d/e/x", |at| fs::remove_file(at).unwrap()),
        ("q/edit", |at| fs::remove_file(at).and_then(|()| symlink("x", at)).unwrap()),
    ];
    let (folder, _) = two();
    let mut expected = Vec::new();
    for (path, edit) in edits {
        fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
        edit(&folder.path().join(path));
        expected.push(path);
        expected.sort_unstable();
        let before = picture(folder.path());
        let Err(ReversalError::Refused(refusals)) = undo(folder.path(), 2) else { panic!("{path} was no obstacle") };
        let paths: Vec<&str> = refusals.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, expected);
        assert_eq!((picture(folder.path()), transactions(folder.path())), (before, 0));
    }
    assert_eq!(log(folder.path()).last(), 2);
}

#[test]
fn what_is_so_already_is_no_obstacle_and_line_endings_are_no_edit() {
    let folder = tempfile::tempdir().unwrap();
    apply(folder.path(), &[("a", "x\n", false), ("b", "x\n", false)], Policy::Fail).unwrap();
    let first = state(folder.path());
    apply(folder.path(), &[("a", "y\n", false), ("c", "y\n", false)], Policy::Fail).unwrap();
    fs::write(folder.path().join("a"), "y\r\n").unwrap();
    fs::write(folder.path().join("b"), "x\n").unwrap();
    fs::remove_file(folder.path().join("c")).unwrap();
    undo(folder.path(), 2).unwrap();
    assert_eq!(state(folder.path()), first);
}

#[test]
fn a_later_operation_in_the_way_is_named() {
    let (folder, _) = two();
    apply(folder.path(), &[("a", "three", false)], Policy::Fail).unwrap();
    let Err(ReversalError::Refused(refusals)) = undo(folder.path(), 2) else { panic!("was undone") };
    assert!(refusals.iter().any(|one| one.path == "a" && one.reason == "was written again by operation 3"));
}

/// An undo of the last operation that dies or fails at a call; whether it did.
fn dies(folder: &Path, renaming: Renaming, call: usize, happens: Happens) -> bool {
    let root = Root::open(folder).unwrap();
    let reversal = choose(&read_log(&root).unwrap(), &Target::Undo(Some(2))).unwrap();
    let project = ProjectGuard::wait(&root).unwrap();
    let run = || reverse(&root, &reversal, Durability::Process, &project).is_err();
    with(renaming, None, at_call(call, happens), run).unwrap_or(true)
}

#[test]
fn a_death_or_failure_at_any_call_of_an_undo_ends_all_new_or_all_old() {
    for renaming in [Renaming::Full, Renaming::Plain] {
        let mut calls = 0;
        for call in 1.. {
            let (folder, [before, after]) = two();
            if !dies(folder.path(), renaming, call, Happens::Error) {
                break;
            }
            calls = call;
            assert_eq!(state(folder.path()), after, "{renaming:?}, call {call}");
            assert_eq!((log(folder.path()).last(), transactions(folder.path())), (2, 0));
            assert!(dies(folder.path(), renaming, call, Happens::Death));
            let root = Root::open(folder.path()).unwrap();
            let _ = with(Renaming::Full, None, at_call(1, Happens::Death), || recover(&root, Durability::Process));
            recover(&root, Durability::Process).unwrap();
            assert_eq!(state(folder.path()), before, "{renaming:?}, call {call}");
            let found = log(folder.path());
            assert_eq!((found.get(3).map(|one| one.undoes.clone()), found.last()), (Some(vec![2]), 3));
            undo(folder.path(), 3).unwrap();
            assert_eq!(state(folder.path()), after, "what recovery finished can be undone");
        }
        assert!(calls >= 14, "only {calls} calls");
    }
}

#[test]
fn a_death_after_the_retiring_rename_leaves_a_whole_operation() {
    let (folder, [before, _]) = two();
    // All that is left to do after the rename is to take the guard away.
    fs::write(folder.path().join(".megax/log/0000000002/guard"), "").unwrap();
    let root = Root::open(folder.path()).unwrap();
    assert!(!is_interrupted(&root).unwrap());
    undo(folder.path(), 2).unwrap();
    assert_eq!(state(folder.path()), before);
}

#[test]
fn a_commit_without_a_log_is_still_a_commit() {
    let folder = prepared();
    fs::remove_dir_all(folder.path().join(".megax/log")).unwrap();
    fs::write(folder.path().join(".megax/log"), "in the way").unwrap();
    let applied = apply(folder.path(), SECOND, Policy::Overwrite).unwrap();
    assert_eq!((applied.operation, transactions(folder.path())), (None, 0));
    assert!(applied.unlogged.unwrap().contains(".megax/log"));
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"two");
    assert!(read_log(&Root::open(folder.path()).unwrap()).is_err());
}

#[test]
fn a_torn_or_hostile_operation_is_refused() {
    let damages: [Deed; 5] = [
        |at| fs::write(at.join("entry"), "megax-operation 1\nkind apply\n").unwrap(),
        |at| fs::remove_file(at.join("entry")).unwrap(),
        |at| fs::write(at.join("journal"), "megax-journal 1\n").unwrap(),
        |at| {
            let journal = fs::read_to_string(at.join("journal")).unwrap();
            fs::write(at.join("journal"), journal.replace(" d/gone\n", " ../gone\n")).unwrap();
        },
        |at| {
            for slot in fs::read_dir(at).unwrap().map(|entry| entry.unwrap()) {
                if slot.file_name().to_string_lossy().starts_with(['n', 'o']) {
                    fs::remove_file(slot.path()).unwrap();
                    symlink("/dev/zero", slot.path()).unwrap();
                }
            }
        },
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        let (folder, [_, after]) = two();
        damage(&folder.path().join(".megax/log/0000000002"));
        for target_of in [Target::Undo(None), Target::Undo(Some(2)), Target::Rollback { to: 1, team: None }] {
            let error = target(folder.path(), &target_of).unwrap_err();
            assert!(matches!(error, ReversalError::Unreadable { number: 2, .. }), "{index}: {error}");
        }
        assert_eq!((state(folder.path()), transactions(folder.path())), (after, 0));
    }
}

#[test]
fn one_team_is_rolled_back_alone_unless_it_shares_an_operation() {
    let of = |number, teams: &[&str], undoes: &[u64]| Operation {
        footing: Footing::default(),
        listing: None,
        number,
        kind: OperationKind::Apply,
        undoes: undoes.to_vec(),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        created: 0,
        updated: 0,
        deleted: 0,
        undone_by: None,
    };
    let operations = vec![of(5, &["a"], &[]), of(4, &["a", "b"], &[]), of(3, &["b"], &[]), of(2, &["a"], &[])];
    let log = Log { operations, unreadable: Vec::new() };
    let back = |to, team: Option<&str>| choose(&log, &Target::Rollback { to, team: team.map(str::to_owned) });
    assert_eq!(back(4, Some("b")).unwrap().undoes, [0_u64; 0]);
    assert_eq!(back(4, Some("a")).unwrap().undoes, [5]);
    assert_eq!(back(1, None).unwrap().teams, ["a", "b"]);
    assert!(matches!(back(2, Some("b")), Err(ReversalError::Shared { operations, .. }) if operations.len() == 1));
    for (to, team) in [(0, None), (6, None), (2, Some("c"))] {
        assert!(matches!(back(to, team), Err(ReversalError::Absent(_))), "{to} {team:?}");
    }
}

#[test]
fn the_oldest_operations_go_but_not_those_that_a_checkpoint_needs() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let bodies: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    for (number, body) in bodies.iter().enumerate() {
        apply(folder.path(), &[("a", body, false)], Policy::Fail).unwrap();
        if number == 3 {
            let project = ProjectGuard::wait(&root).unwrap();
            let made = write_checkpoint(&root, "good", &project).unwrap();
            assert_eq!(made, (Checkpoint { name: "good".to_owned(), operation: 4 }, None));
            assert!(
                write_checkpoint(&root, "12", &project).is_err() && write_checkpoint(&root, "../x", &project).is_err()
            );
        }
    }
    let project = ProjectGuard::wait(&root).unwrap();
    assert_eq!(prune_log(&root, 6, &project).unwrap().operations, 2);
    let pruned = prune_log(&root, 1, &project).unwrap();
    assert_eq!((pruned.operations, log(folder.path()).first()), (2, 5), "the checkpoint needs what comes after it");
    assert!(pruned.bytes > 0);
    // A killed removal is no operation, and goes with the next one.
    fs::rename(folder.path().join(".megax/log/0000000005"), folder.path().join(".megax/log/gone-5")).unwrap();
    assert_eq!(log(folder.path()).first(), 6);
    prune_log(&root, 50, &project).unwrap();
    assert!(!folder.path().join(".megax/log/gone-5").exists());
    assert_eq!(write_checkpoint(&root, "good", &project).unwrap().1, Some(4));
    assert_eq!(prune_log(&root, 0, &project).unwrap().operations, 2);
    drop(project);
    assert_eq!(apply(folder.path(), &[("a", "new", false)], Policy::Fail).unwrap().operation, Some(9), "numbers go on");
    rollback(folder.path(), 8).unwrap();
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"7");
}

#[test]
fn staged_bodies_that_nobody_needed_are_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let wants: &[Want<'_>] = &[("a", "1", false), ("b", "1", false)];
    apply(folder.path(), wants, Policy::Fail).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let wants: &[Want<'_>] = &[("a", "2", false), ("b", "1", false)];
    let changes = difference(&root, wants, Policy::Fail);
    Staged::new(stage(&root, wants), changes).unwrap().commit(Durability::Process, &Silent).unwrap();
    // Entry, journal, the old `a` and the old shard.
    assert_eq!(fs::read_dir(folder.path().join(".megax/log/0000000002")).unwrap().count(), 4);
}

/// Three operations, and the guard that a removal needs.
fn three() -> (tempfile::TempDir, Root, ProjectGuard) {
    let folder = tempfile::tempdir().unwrap();
    for body in ["1", "2", "3"] {
        apply(folder.path(), &[("a", body, false)], Policy::Fail).unwrap();
    }
    let root = Root::open(folder.path()).unwrap();
    let project = ProjectGuard::wait(&root).unwrap();
    (folder, root, project)
}

#[test]
fn a_checkpoint_that_cannot_be_read_keeps_all_operations() {
    let damages: [Deed; 3] = [
        |at| fs::write(at, "megax-checkpoint 1\n").unwrap(),
        |at| fs::write(at, b"\xff").unwrap(),
        |at| fs::remove_file(at).and_then(|()| symlink("x", at)).unwrap(),
    ];
    for damage in damages {
        let (folder, root, project) = three();
        write_checkpoint(&root, "good", &project).unwrap();
        damage(&folder.path().join(".megax/log/checkpoints/good"));
        let error = prune_log(&root, 1, &project).unwrap_err().to_string();
        assert!(error.contains("checkpoints/good"), "{error}");
        assert_eq!(log(folder.path()).first(), 1);
        assert_eq!(read_checkpoints(&root).unwrap(), []);
        assert_eq!(damaged_checkpoints(&root).unwrap().len(), 1);
        // Set again, it is whole.
        write_checkpoint(&root, "good", &project).unwrap();
        assert!(damaged_checkpoints(&root).unwrap().is_empty());
        assert_eq!(prune_log(&root, 1, &project).unwrap().operations, 2);
    }
}

#[test]
fn what_others_put_into_the_log_stays_and_hinders_no_removal() {
    let (folder, root, project) = three();
    let at = |name: &str| folder.path().join(".megax/log").join(name);
    fs::create_dir(at("gone-notes")).unwrap();
    fs::write(at("gone-notes/t"), "mine").unwrap();
    fs::create_dir(at("gone-")).unwrap();
    symlink("elsewhere", at("gone-x")).unwrap();
    symlink("elsewhere", at("gone-1")).unwrap();
    fs::write(at("gone-2"), "mine").unwrap();
    assert_eq!(prune_log(&root, 1, &project).unwrap().operations, 2);
    let mut left: Vec<String> =
        fs::read_dir(at("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["0000000003", "gone-", "gone-1", "gone-2", "gone-notes", "gone-x"]);
    assert!(at("gone-notes/t").exists());
}

#[test]
fn a_number_that_was_not_made_here_is_passed_over() {
    let (folder, root, project) = three();
    fs::create_dir(folder.path().join(".megax/log/18446744073709551615")).unwrap();
    drop(project);
    let applied = apply(folder.path(), &[("a", "4", false)], Policy::Fail).unwrap();
    assert_eq!((applied.operation, applied.unlogged), (Some(4), None));
    assert_eq!(read_log(&root).unwrap().unreadable, [0; 0]);
    fs::create_dir(folder.path().join(".megax/log/9999999999")).unwrap();
    let applied = apply(folder.path(), &[("a", "5", false)], Policy::Fail).unwrap();
    assert!(applied.operation.is_none() && applied.unlogged.unwrap().contains("9999999999"));
}
