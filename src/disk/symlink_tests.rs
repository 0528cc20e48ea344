//! A file that becomes a symlink in the very moment of publishing, also where the process may make no symlink: then it may
//! not move one either, and what is said must be the same.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use super::fault::tests::{Happens, Renaming, with};
use super::tests::{Want, apply, difference, stage};
use super::*;
use crate::change::Policy;
use crate::event::Silent;

const FIRST: &[Want<'_>] = &[("a/first", "1", false), ("b/file", "1", false), ("c/gone", "1", false)];

/// Gives up the right to make symlinks, on this thread; whether the kernel took it.
fn give_up() -> bool {
    use landlock::{AccessFs, Ruleset, RulesetAttr as _, RulesetStatus};
    let rules = Ruleset::default().handle_access(AccessFs::MakeSym).unwrap().handle_access(AccessFs::Refer).unwrap();
    let rules = landlock::RulesetCreatedAttr::add_rule(
        rules.create().unwrap(),
        landlock::PathBeneath::new(landlock::PathFd::new("/").unwrap(), AccessFs::Refer),
    );
    rules.unwrap().restrict_self().unwrap().ruleset == RulesetStatus::FullyEnforced
}

/// Publishes while a free thread puts a symlink at `target`; what is said.
fn publish(folder: &Path, wants: &[Want<'_>], target: &'static str, confined: bool) -> Option<String> {
    let root = Root::open(folder).unwrap();
    let staged = Staged::new(stage(&root, wants), difference(&root, wants, Policy::Fail)).unwrap();
    let (ask, asked) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while asked.recv().is_ok() {
                let at = folder.join(target);
                if at.is_file() && !at.is_symlink() {
                    fs::remove_file(&at).unwrap();
                    std::os::unix::fs::symlink("/nowhere", &at).unwrap();
                }
                tell.send(()).unwrap();
            }
        });
        let work = move || {
            if confined && !give_up() {
                return None;
            }
            // The first point of a step lies between the look and the call.
            let mut left = 1;
            let script = move |path: &str| {
                if path == target && left > 0 {
                    left -= 1;
                    ask.send(()).unwrap();
                    told.recv().unwrap();
                }
                Happens::Nothing
            };
            let done = with(Renaming::Full, None, script, || staged.commit(Durability::Process, &Silent)).unwrap();
            Some(done.unwrap_err().to_string())
        };
        scope.spawn(work).join().unwrap()
    })
}

#[test]
fn a_symlink_that_comes_meanwhile_is_named_and_stays() {
    let updated: &[Want<'_>] = &[("a/first", "2", false), ("b/file", "2", false), ("c/gone", "1", false)];
    let removed: &[Want<'_>] = &[("a/first", "2", false), ("b/file", "1", false)];
    for (wants, target) in [(updated, "b/file"), (removed, "c/gone")] {
        for confined in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            apply(folder.path(), FIRST, Policy::Fail).unwrap();
            let Some(said) = publish(folder.path(), wants, target, confined) else { continue };
            assert!(said.contains(&format!("`{target}` is a symlink")), "confined {confined}: {said}");
            assert_eq!(fs::read_link(folder.path().join(target)).unwrap(), Path::new("/nowhere"));
            assert_eq!(fs::read_to_string(folder.path().join("a/first")).unwrap(), "1", "taken back");
        }
    }
}
