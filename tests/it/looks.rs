//! What the commands that only look say about generated projects: `snapshot`, `status` and `explain`.

use std::fs;
use std::path::Path;

use megax::event::Silent;
use megax::pipeline::{self, SnapshotRequest};
use megax::report::explanation::{self, Answer};
use megax::report::snapshot::{Action, SnapshotReport};
use megax::report::status::{Since, StatusReport};
use megax::report::{Command, Mode, Outcome};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use crate::folder::{self, Entry};
use crate::projects::{self, Project};
use crate::properties::{config, request, run_well, temporary};
use crate::steps;

fn snapshot(root: &Path, action: Action, jobs: usize) -> SnapshotReport {
    let mut run = request(root, Mode::Validate);
    (run.command, run.jobs) = (Command::Snapshot, Some(jobs));
    pipeline::snapshot(&SnapshotRequest { run, action, texts: None }, &Silent)
}

fn status(root: &Path) -> StatusReport {
    let mut request = request(root, Mode::DryRun);
    request.command = Command::Status;
    pipeline::status(&request, None, &Silent)
}

/// The drift of a project as `status` prints it: letters and path.
fn drift(root: &Path) -> (Outcome, Vec<(String, String)>) {
    let report = status(root);
    let shown = report.drift.iter().map(|one| (one.letters().iter().collect(), one.path.clone()));
    (report.outcome, shown.collect())
}

/// The generated files, by path.
fn files(root: &Path) -> Vec<String> {
    let is_file = |(path, entry): (String, Entry)| matches!(entry, Entry::File { .. }).then_some(path);
    folder::outputs(root).into_iter().filter_map(is_file).collect()
}

/// Who makes a file, told from its path: the generated projects put every file below `out/TEAM/MEGA-FILE/`.
fn maker(path: &str) -> (&str, &str) {
    let mut parts = path.split('/').skip(1);
    (parts.next().unwrap(), parts.next().unwrap())
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn a_snapshot_is_clean_until_the_mega_files_change(project in projects::project(), many in any::<bool>()) {
        let (_keep, root) = temporary();
        project.write(&root);
        let (first, second) = if many { (8, 1) } else { (1, 8) };
        let made = snapshot(&root, Action::Add, first);
        prop_assert_eq!(made.outcome, Outcome::Done, "{:?}", made.diagnostics);
        let mega_files: usize = project.teams.iter().map(|team| team.mega_files.len()).sum();
        prop_assert_eq!(made.snapshots.len(), mega_files);
        steps::make_old(&root);
        for jobs in [first, second] {
            let again = snapshot(&root, Action::Check, jobs);
            prop_assert_eq!(again.outcome, Outcome::NothingToDo, "{:?}", again.diagnostics);
        }
        prop_assert_eq!(steps::touched(&root), "touched: nothing\n");
        project.next().write(&root);
        prop_assert_eq!(snapshot(&root, Action::Check, second).outcome, Outcome::Differences);
    }

    #[test]
    fn status_shows_what_somebody_did_and_nothing_else(
        project in projects::project(),
        edited in any::<prop::sample::Index>(),
        deleted in any::<prop::sample::Index>(),
        text in "[a-z\n]{0,9}",
    ) {
        let (_keep, root) = temporary();
        project.write(&root);
        run_well(&root, Mode::Write);
        prop_assert_eq!(drift(&root), (Outcome::NothingToDo, Vec::new()));

        let all = files(&root);
        let path = &all[edited.index(all.len())];
        let before = fs::read(root.join(path)).unwrap();
        fs::write(root.join(path), [before.as_slice(), b"#", text.as_bytes()].concat()).unwrap();
        let report = status(&root);
        prop_assert_eq!(report.drift.len(), 1);
        let (one, (team, mega_file)) = (&report.drift[0], maker(path));
        prop_assert_eq!((one.path.as_str(), one.team.as_str(), one.mega_file.to_lowercase()), (path.as_str(), team, mega_file.to_lowercase()));
        prop_assert_eq!(one.since, Some(Since::Edited));
        prop_assert_eq!(drift(&root), (Outcome::Differences, vec![("MC".to_owned(), path.clone())]));
        fs::write(root.join(path), before).unwrap();
        prop_assert_eq!(drift(&root), (Outcome::NothingToDo, Vec::new()));

        let path = &all[deleted.index(all.len())];
        fs::remove_file(root.join(path)).unwrap();
        prop_assert_eq!(drift(&root), (Outcome::Differences, vec![("DA".to_owned(), path.clone())]));
    }

    #[test]
    fn explain_names_who_makes_a_file(project in projects::project(), chosen in any::<[prop::sample::Index; 3]>()) {
        let (_keep, root) = temporary();
        project.write(&root);
        run_well(&root, Mode::Write);
        let all = files(&root);
        for path in chosen.map(|index| all[index.index(all.len())].clone()) {
            let found = pipeline::explain(&request(&root, Mode::Validate).inputs, &path, false);
            let answer = Answer {
                limits: &[],
                subject: &path,
                outcome: Outcome::Done,
                file: found.file.as_ref(),
                codes: &[],
                note: None,
                findings: &found.findings,
                sources: &found.sources,
            };
            let document: serde_json::Value = serde_json::from_str(&explanation::document(&answer).unwrap()).unwrap();
            let (file, (team, mega_file)) = (&document["file"], maker(&path));
            prop_assert_eq!(&file["path"], &path);
            prop_assert_eq!(&file["team"], team);
            prop_assert_eq!(&file["mega_file"]["id"], mega_file);
            let source = file["mega_file"]["path"].as_str().unwrap();
            let text = fs::read_to_string(root.join(source)).unwrap();
            prop_assert!(text.starts_with(&format!("id: {mega_file}\n")), "{source}");
            prop_assert_eq!(&file["on_disk"], "as-planned", "{}", document);
        }
    }
}

#[test]
fn a_generated_project_shows_every_part() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut texts = String::new();
    let (_keep, root) = temporary();
    for _ in 0..40 {
        let project: Project = projects::project().new_tree(&mut runner).unwrap().current();
        project.write(&root);
        for path in project.paths() {
            texts.push_str(&fs::read_to_string(root.join(path)).unwrap());
        }
    }
    let wanted =
        ["expansion_rules:", "factory: crud", ".csv", ".json", ".toml", ".yaml", "extends", "random_id", "plural: {"];
    for part in wanted.into_iter().chain(["range(1, 3)", "contributes:", "for_each: contributions.", "factory: table"])
    {
        assert!(texts.contains(part), "{part}");
    }
}
