use super::super::sample::{file, report};
use super::*;
use crate::diagnostic::Diagnostics;
use crate::report::{Mode, Outcome};

#[test]
fn a_preview_shows_files_totals_and_the_digest() {
    insta::assert_snapshot!("preview", preview(&report(), TreeOptions::default()));
}

#[test]
fn ascii_draws_without_box_characters() {
    let drawn = preview(&report(), TreeOptions { ascii: true, ..TreeOptions::default() });
    assert!(drawn.is_ascii(), "{drawn}");
    assert!(drawn.contains("`-- web/views/main/\n    `-- index.html"), "{drawn}");
}

#[test]
fn a_limit_counts_the_rest_and_hides_no_conflict_nor_deletion() {
    let mut long = report();
    long.files.extend((0..300).map(|n| file(&format!("src/gen/deep/f{n:03}.ts"), 2, Change::Create)));
    long.tally();
    insta::assert_snapshot!("limited", tree(&long, TreeOptions { limit: Some(2), ..TreeOptions::default() }));
}

#[test]
fn an_unchanged_run_is_one_line() {
    let mut idle = report();
    idle.diagnostics = Diagnostics::default();
    idle.outcome = Outcome::NothingToDo;
    idle.tree = None;
    idle.teams.iter_mut().for_each(|team| team.held = None);
    idle.files.iter_mut().for_each(|file| file.change = Some(Change::Unchanged));
    idle.tally();
    assert_eq!(preview(&idle, TreeOptions::default()), "nothing to do: 7 files are as planned\n");
    idle.files.truncate(1);
    idle.tally();
    assert_eq!(preview(&idle, TreeOptions::default()), "nothing to do: 1 file is as planned\n");
}

#[test]
fn an_empty_run_says_so() {
    let mut empty = report();
    empty.diagnostics = Diagnostics::default();
    (empty.files, empty.teams, empty.mega_files) = Default::default();
    empty.tree = None;
    empty.tally();
    assert_eq!(preview(&empty, TreeOptions::default()), "nothing to do: 0 files are as planned\n");
    empty.summary = super::super::Summary { mega_files: 2, ..Default::default() };
    assert_eq!(preview(&empty, TreeOptions::default()), "2 mega-files: nothing was planned\n");
}

#[test]
fn what_is_unknown_is_left_out_and_a_written_run_speaks_of_the_past() {
    let mut checked = report();
    checked.mode = Mode::Validate;
    checked.files.iter_mut().for_each(|file| file.change = None);
    checked.tally();
    let last = |report: &Report| totals::total_line(report);
    checked.teams.iter_mut().for_each(|team| team.held = None);
    checked.tally();
    assert_eq!(last(&checked), "7 files, 1,298 lines, 40.2 kB");
    let mut written = report();
    written.mode = Mode::Write;
    assert_eq!(
        last(&written),
        "6 files, 1,289 lines, 40.0 kB: 2 created, 1 updated, 1 unchanged, 1 deleted, 1 in conflict, 1 held"
    );
}

#[test]
fn order_does_not_depend_on_arrival() {
    let mut turned = report();
    turned.files.reverse();
    assert_eq!(tree(&turned, TreeOptions::default()), tree(&report(), TreeOptions::default()));
}
