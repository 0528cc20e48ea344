//! The guarantees that hold for every project, tried on generated ones: determinism, idempotence, an honest dry run, and
//! teams that do not hold one another up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use megax::change::Policy;
use megax::disk::Durability;
use megax::event::Silent;
use megax::pipeline::{self, Request};
use megax::report::{Change, Command, Mode, Outcome, Report, json};
use megax::source;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::folder::{self, Entry};
use crate::parts::Parts;
use crate::projects::{self, Project};
use crate::steps;

/// What a person adds to every file.
const EDIT: &str = "a line by hand\n";

/// Few, so that the whole test command stays fast; the strategies are small enough to meet every shape.
pub fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

pub fn request(current: &Path, mode: Mode) -> Request {
    let inputs = source::Request { current: current.to_owned(), ..source::Request::default() };
    Request {
        jobs: Some(2),
        holder: "a test".to_owned(),
        durability: Durability::Process,
        ..Request::new(Command::Expand, mode, inputs)
    }
}

pub fn run(request: &Request) -> Report {
    pipeline::run(request, &Silent).report
}

/// Runs in `root` and demands that all is well.
pub fn run_well(root: &Path, mode: Mode) -> Report {
    let report = run(&request(root, mode));
    assert!(!report.diagnostics.has_errors(), "{:?}", report.diagnostics);
    report
}

pub fn changes(report: &Report) -> BTreeMap<String, Change> {
    let one = |file: &megax::report::FileReport| (file.path.as_str().to_owned(), file.change.unwrap());
    report.files.iter().map(one).collect()
}

/// A temporary folder; the real path, so that no symlink of the system is in it.
pub fn temporary() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap();
    (folder, path)
}

/// What the library knows of a run, as JSON, without the names of folders.
fn facts(mut report: Report) -> String {
    report.out = String::new();
    json::document(&report).unwrap()
}

fn files_of(root: &Path, area: &str) -> BTreeMap<String, Entry> {
    folder::outputs(root).into_iter().filter(|(path, _)| path.starts_with(&format!("{area}/"))).collect()
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn threads_order_and_folder_change_nothing(project in projects::project(), seed in any::<prop::sample::Index>()) {
        let (_keep, root) = temporary();
        project.write(&root);
        let first = run_well(&root, Mode::DryRun);
        prop_assert!(first.tree.is_some());
        let expected = facts(first);

        let mut one = request(&root, Mode::DryRun);
        one.jobs = Some(1);
        prop_assert_eq!(&facts(run(&one)), &expected);
        one.jobs = Some(8);
        prop_assert_eq!(&facts(run(&one)), &expected);

        let mut paths = project.paths();
        paths.reverse();
        let middle = seed.index(paths.len());
        paths.rotate_left(middle);
        one.inputs.paths = paths.clone();
        prop_assert_eq!(&facts(run(&one)), &expected);

        let (_elsewhere, other) = temporary();
        one.inputs.current = other;
        one.inputs.paths = paths.iter().map(|path| root.join(path).display().to_string()).collect();
        prop_assert_eq!(&facts(run(&one)), &expected);
    }

    #[test]
    fn another_checkout_with_other_line_endings_is_the_same_project(project in projects::project()) {
        let (_keep, root) = temporary();
        project.write(&root);
        let first = run_well(&root, Mode::Write);
        steps::turn_endings(&root, "\r\n");
        let before = folder::outputs(&root);
        let second = run_well(&root, Mode::Write);
        prop_assert_eq!(second.outcome, Outcome::NothingToDo);
        prop_assert_eq!(second.tree, first.tree);
        prop_assert_eq!(folder::outputs(&root), before);
    }

    #[test]
    fn a_second_run_touches_nothing(project in projects::project()) {
        let (_keep, root) = temporary();
        project.write(&root);
        let first = run_well(&root, Mode::Write);
        prop_assert_eq!(first.outcome, Outcome::Done);
        let before = folder::outputs(&root);
        let locks = |root: &Path| folder::entries(&root.join(".megax/lock"));
        let locks_before = locks(&root);
        prop_assert!(before.values().any(|entry| *entry != Entry::Folder), "something was written");
        steps::make_old(&root);

        let second = run_well(&root, Mode::Write);
        prop_assert_eq!(second.outcome, Outcome::NothingToDo);
        prop_assert_eq!(second.tree, first.tree);
        prop_assert_eq!(folder::outputs(&root), before);
        prop_assert_eq!(locks(&root), locks_before);
        // The guards say who held a team last; they are neither output nor record.
        let touched = steps::touched(&root);
        let touched: Vec<&str> = touched.lines().filter(|line| !line.starts_with("touched: .megax/guard/")).collect();
        prop_assert!(touched.is_empty() || touched == ["touched: nothing"], "{:?}", touched);
        prop_assert_eq!(run_well(&root, Mode::Check).outcome, Outcome::NothingToDo);
    }

    #[test]
    fn what_was_written_can_be_rendered_again_and_every_edit_is_merged_or_named(project in projects::project()) {
        let (_keep, root) = temporary();
        project.write(&root);
        run_well(&root, Mode::Write);
        for path in folder::outputs(&root).into_iter().filter(|(_, entry)| *entry != Entry::Folder).map(|(path, _)| path) {
            fs::OpenOptions::new().append(true).open(root.join(path)).unwrap().write_all(EDIT.as_bytes()).unwrap();
        }
        let edited = folder::outputs(&root);
        let merging = |mode, conflict_markers| {
            run(&Request { on_edit: Some(Policy::Merge), conflict_markers, ..request(&root, mode) })
        };
        steps::make_old(&root);
        prop_assert_eq!(merging(Mode::Write, false).outcome, Outcome::NothingToDo, "without a new content edits stand");
        prop_assert_eq!(&folder::outputs(&root), &edited);

        project.next().write(&root);
        let announced = merging(Mode::DryRun, true);
        let done = merging(Mode::Write, true);
        // Every base was found: each was rendered again to the byte.
        let errors: Vec<_> = done.diagnostics.iter().filter(|one| one.is_error()).collect();
        prop_assert!(errors.is_empty(), "{:?}", errors);
        prop_assert_eq!(changes(&announced), changes(&done));
        let after = folder::outputs(&root);
        for path in edited.iter().filter(|(_, entry)| **entry != Entry::Folder).map(|(path, _)| path) {
            let Some(Entry::File { bytes, .. }) = after.get(path) else { panic!("{path} is gone with its edit") };
            prop_assert!(String::from_utf8_lossy(bytes).contains(EDIT.trim_end()), "the edit in {} is gone", path);
        }
        steps::make_old(&root);
        let outcome = if done.outcome == Outcome::Conflict { Outcome::Conflict } else { Outcome::NothingToDo };
        prop_assert_eq!(merging(Mode::Write, false).outcome, outcome, "nothing is merged twice");
        prop_assert_eq!(folder::outputs(&root), after);
    }

    #[test]
    fn a_dry_run_announces_what_is_done(project in projects::project()) {
        let (_keep, root) = temporary();
        project.write(&root);
        run_well(&root, Mode::Write);
        project.next().write(&root);
        let before = folder::entries(&root);
        steps::make_old(&root);

        let dry = run_well(&root, Mode::DryRun);
        prop_assert_eq!(folder::entries(&root), before, "a dry run writes nothing");
        prop_assert_eq!(steps::touched(&root), "touched: nothing\n");
        let before = folder::outputs(&root);
        let done = run_well(&root, Mode::Write);
        let after = folder::outputs(&root);

        prop_assert_eq!(dry.tree, done.tree);
        let announced = changes(&dry);
        prop_assert!(announced.values().any(|change| *change == Change::Unchanged), "the second team keeps a file");
        prop_assert_eq!(&announced, &changes(&done));
        for (path, change) in &announced {
            let (old, new) = (before.get(path), after.get(path));
            let kept = match change {
                Change::Create => old.is_none() && new.is_some(),
                Change::Update => old.is_some() && new.is_some() && old != new,
                Change::Unchanged => old.is_some() && old == new,
                Change::Delete => old.is_some() && new.is_none(),
                _ => false,
            };
            prop_assert!(kept, "{path} was announced as {change:?}");
        }
        let files = |tree: &BTreeMap<String, Entry>| -> BTreeSet<String> {
            tree.iter().filter(|(_, entry)| **entry != Entry::Folder).map(|(path, _)| path.clone()).collect()
        };
        let planned = announced.iter().filter(|(_, change)| change.is_planned()).map(|(path, _)| path.clone());
        prop_assert_eq!(files(&after), planned.collect::<BTreeSet<_>>(), "nothing else lies there");
        for file in done.files.iter().filter(|file| file.digest.is_some() && file.change != Some(Change::Delete)) {
            let Some(Entry::File { bytes, .. }) = after.get(file.path.as_str()) else { panic!("{} is gone", file.path) };
            prop_assert_eq!(Some(megax::digest::Digest::of(bytes)), file.digest);
            prop_assert_eq!(Some(bytes.len() as u64), file.bytes);
        }
    }

    #[test]
    fn a_wrong_team_holds_nobody_else(project in projects::project(), mistakes in projects::mistakes()) {
        let (_keep, root) = temporary();
        project.write(&root);
        run_well(&root, Mode::Write);
        let (_other, ideal) = temporary();
        let mut next = project.next();
        next.write(&ideal);
        run_well(&ideal, Mode::Write);

        for (index, mistake) in mistakes.iter().enumerate() {
            if let Some(mistake) = mistake {
                next.break_team(index, *mistake);
            }
        }
        next.write(&root);
        let before = folder::outputs(&root);
        let before = |area: &str| -> BTreeMap<String, Entry> {
            before.clone().into_iter().filter(|(path, _)| path.starts_with(&format!("{area}/"))).collect()
        };
        steps::make_old(&root);
        let report = run(&request(&root, Mode::Write));
        let touched = steps::touched(&root);
        let wrong = next.held();
        for team in &next.teams {
            let now = files_of(&root, &team.area());
            let held = report.teams.iter().find(|one| one.team == team.name.to_lowercase()).unwrap().held.clone();
            prop_assert_eq!(held.is_some(), wrong.contains(team.name), "{}: {:?}", team.name, held);
            if held.is_some() {
                prop_assert_eq!(now, before(&team.area()), "{} is held and was written", team.name);
                prop_assert!(!touched.contains(&format!("touched: {}/", team.area())), "{}", touched);
                let shard = format!("touched: .megax/lock/{}/", team.name.to_lowercase());
                prop_assert!(!touched.contains(&shard), "{}", touched);
            } else {
                prop_assert_eq!(now, files_of(&ideal, &team.area()), "{} was not written", team.name);
            }
        }
        let any = next.teams.iter().any(|team| team.broken.is_some());
        prop_assert_eq!(report.outcome, if any { Outcome::Wrong } else { Outcome::Done });
        prop_assert!(!root.join("elsewhere").exists());
    }
}

/// The environments of machines far apart. A locale that is not installed is the `C` locale to the system; the variable
/// is set all the same.
const ENVIRONMENTS: [(&str, &str); 4] =
    [("C", "UTC"), ("tr_TR.UTF-8", "Asia/Kathmandu"), ("sv_SE.UTF-8", "Pacific/Kiritimati"), ("POSIX", "America/Lima")];

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn locale_and_time_zone_change_nothing(project in projects::project()) {
        let (_keep, root) = temporary();
        project.write(&root);
        let mut expected = None;
        for (locale, zone) in ENVIRONMENTS {
            let (_home, home) = temporary();
            let mut command = steps::megax(&root, &home);
            command.args(["expand", "--dry-run", "--format", "json"]);
            command.env("LC_ALL", locale).env("LANG", locale).env("TZ", zone);
            let printed = command.output().unwrap();
            prop_assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
            let expected = expected.get_or_insert_with(|| printed.stdout.clone());
            prop_assert_eq!(&printed.stdout, expected);
        }
    }
}

#[test]
fn generated_projects_differ_from_version_to_version() {
    let mega_file = projects::MegaFile {
        is_lbof: false,
        entities: vec!["xa".into(), "xb".into()],
        bodies: vec![0],
        executable: true,
        revision: 1,
        parts: Parts::default(),
    };
    let team = projects::Team { name: "alpha", mega_files: vec![mega_file], broken: None };
    let project = Project { teams: vec![team], seed: 7, word: "first".to_owned() };
    let (_keep, root) = temporary();
    project.write(&root);
    run_well(&root, Mode::Write);
    project.next().write(&root);
    let changes: Vec<Change> = changes(&run_well(&root, Mode::DryRun)).into_values().collect();
    assert_eq!(changes, [Change::Update, Change::Delete, Change::Create]);
}
