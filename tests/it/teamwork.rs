//! Teams that expand one after another, on generated projects: the tree is the one of a single run, and a file that a
//! later team left out of date was named.

use std::collections::BTreeSet;
use std::path::Path;

use megax::diagnostic::Code;
use megax::report::{Change, Mode, Outcome, Report};
use proptest::prelude::*;

use crate::folder;
use crate::projects::{self, Team};
use crate::properties::{changes, config, request, run, run_well, temporary};

/// Expands the mega-files of one team.
fn expand(root: &Path, team: &Team) -> Report {
    let mut request = request(root, Mode::Write);
    request.teams = vec![team.name.to_owned()];
    let report = run(&request);
    assert!(!report.diagnostics.has_errors(), "{:?}", report.diagnostics);
    report
}

/// The files that a run said are out of date.
fn out_of_date(report: &Report) -> BTreeSet<String> {
    let said = report.diagnostics.iter().filter(|finding| finding.code == Code::OwnerOutdated);
    said.map(|finding| finding.message.split('`').nth(1).unwrap().to_owned()).collect()
}

/// The files that a whole run would change.
fn owed(root: &Path) -> BTreeSet<String> {
    let changed = changes(&run_well(root, Mode::Check)).into_iter().filter(|(_, change)| *change != Change::Unchanged);
    changed.map(|(path, _)| path).collect()
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn teams_one_after_another_make_what_one_run_makes(
        (project, order) in projects::project().prop_flat_map(|project| {
            let order = Just(project.teams.iter().map(|team| team.name).collect::<Vec<_>>()).prop_shuffle();
            (Just(project), order)
        }),
    ) {
        let (_other, ideal) = temporary();
        project.write(&ideal);
        let whole = run_well(&ideal, Mode::Write);
        let team = |name: &str| project.teams.iter().find(|team| team.name == name).unwrap();

        // All mega-files are there: every team sees all contributions, so one round is enough.
        let (_keep, root) = temporary();
        project.write(&root);
        for name in &order {
            prop_assert_eq!(out_of_date(&expand(&root, team(name))), BTreeSet::new());
        }
        prop_assert_eq!(folder::outputs(&root), folder::outputs(&ideal));
        prop_assert_eq!(run_well(&root, Mode::Check).outcome, Outcome::NothingToDo);

        // The mega-files come team by team, each expanded at once.
        let (_keep, root) = temporary();
        project.write_shared(&root);
        let mut said = BTreeSet::new();
        for name in &order {
            team(name).write(&root);
            said.extend(out_of_date(&expand(&root, team(name))));
        }
        let owed = owed(&root);
        // Of many files of one list, the report names the first and counts the others.
        let lists = |paths: &BTreeSet<String>| -> BTreeSet<String> {
            paths.iter().map(|path| path.rsplit_once('/').unwrap().0.to_owned()).collect()
        };
        prop_assert!(said.is_subset(&owed), "{said:?} {owed:?}");
        prop_assert_eq!(lists(&owed), lists(&said));
        for name in &order {
            // Until its owner's turn comes, a file is named again.
            let again = out_of_date(&expand(&root, team(name)));
            prop_assert!(again.is_subset(&owed) && again.iter().all(|path| !path.starts_with(&team(name).area())), "{again:?}");
        }
        prop_assert_eq!(folder::outputs(&root), folder::outputs(&ideal));
        let done = run_well(&root, Mode::Check);
        prop_assert_eq!(done.outcome, Outcome::NothingToDo);
        prop_assert_eq!(done.tree, whole.tree);
    }
}
