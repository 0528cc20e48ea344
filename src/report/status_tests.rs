use super::super::sample;
use super::*;

fn team(team: &str, expected: Option<(u64, u64)>) -> TeamStatus {
    let blank = Measure { measured: Some(0), ..Measure::default() };
    TeamStatus {
        team: team.to_owned(),
        held: None,
        valid: 0,
        invalid: 0,
        expected,
        others: 0,
        missing: Vec::new(),
        files: blank,
        lines: blank,
        drift: 0,
    }
}

fn drifted(path: &str, since: Option<Since>, expand: Option<Would>) -> Drift {
    Drift { path: path.to_owned(), team: "beta".to_owned(), mega_file: "api-1".to_owned(), since, expand }
}

pub(in super::super) fn report() -> StatusReport {
    let goal = |min, max| Some(Range { min, max });
    let mut beta = team("beta", Some((2, 10)));
    (beta.valid, beta.invalid, beta.others, beta.drift) = (2, 1, 1, 3);
    beta.files =
        Measure { measured: Some(16), estimate: goal(45, Some(45)), goal: goal(120, Some(150)), limit: Some(150) };
    beta.lines = Measure { measured: Some(1_204), estimate: goal(3_000, Some(4_000)), goal: None, limit: Some(10_000) };
    let broken = MegaFileStatus {
        id: None,
        team: Some("beta".to_owned()),
        path: "megafiles/b.yaml".to_owned(),
        valid: false,
        files: Measure { measured: None, estimate: goal(45, Some(45)), ..Measure::default() },
        lines: Measure::default(),
        missing: vec!["alpha/core".to_owned()],
    };
    let sample = sample::report();
    StatusReport {
        outcome: Outcome::Wrong,
        manifest: Some("megax.yaml".to_owned()),
        out: ".".to_owned(),
        only: None,
        teams: vec![team("alpha", Some((0, 10))), beta],
        mega_files: vec![broken],
        drift: vec![
            drifted("a.ts", Some(Since::Edited), Some(Would::Conflict)),
            drifted("src/b.ts", None, Some(Would::Create)),
            drifted("src/c.ts", Some(Since::Deleted), None),
        ],
        detached: vec![Detached { path: "d.ts".into(), team: "beta".into(), mega_file: "api-1".into() }],
        lockfiles: Some(1),
        diagnostics: sample.diagnostics,
        sources: sample.sources,
    }
}

#[test]
fn the_overview_keeps_estimates_apart_and_columns_aligned() {
    let expected = "\
team   mega-files        valid  invalid     files     goal                 lines            goal  drift
alpha  0 of 10               -        -         0        -                     0               -      0
beta   2 of 10, 1 other      2        1  16 + ~45  120-150  1,204 + ~3,000-4,000  at most 10,000      3

MC a.ts      beta/api-1
 A src/b.ts  beta/api-1
D  src/c.ts  beta/api-1
first: what somebody did since megax wrote (M edited, D deleted, A foreign file in the way)
second: what `megax expand` would do (A create, M update, D delete, C conflict)

detached, and left as they are (`megax adopt FILE` takes one back):
   d.ts  beta/api-1

2 teams: 3 mega-files, 1 invalid; 3 paths drifted; 1 detached
";
    assert_eq!(overview(&report(), false), expected);
}

#[test]
fn one_team_lists_its_mega_files() {
    let mut report = report();
    report.teams.remove(0);
    report.only = Some("beta".to_owned());
    let text = overview(&report, false);
    assert!(text.contains("-          megafiles/b.yaml  invalid    ~45      -  alpha/core\n"), "{text}");
}

#[test]
fn every_pair_of_letters_has_its_own_meaning() {
    let mut seen = std::collections::BTreeSet::new();
    let ways = |all: &[Since]| all.iter().copied().map(Some).chain([None]).collect::<Vec<_>>();
    for since in ways(Since::ALL) {
        for expand in Would::ALL.iter().copied().map(Some).chain([None]) {
            assert!(seen.insert(drifted("x", since, expand).letters()), "{since:?} {expand:?}");
        }
    }
}

#[test]
fn the_closing_line_says_what_is_known() {
    let mut report = report();
    report.drift.clear();
    report.detached.clear();
    for (lockfiles, want) in [(None, "not compared"), (Some(0), "no drift"), (Some(2), "2 lockfiles do not record")] {
        report.lockfiles = lockfiles;
        assert!(closing(&report).contains(want), "{}", closing(&report));
    }
    report.teams.truncate(1);
    assert_eq!(
        closing(&report),
        "1 team: no mega-file yet; every file is as planned, 2 lockfiles do not record these inputs yet"
    );
}

#[test]
fn what_nobody_touched_is_cut_and_what_somebody_did_is_not() {
    let mut report = report();
    report.drift = (0..60).map(|at| drifted(&format!("n{at}"), None, Some(Would::Create))).collect();
    report.drift.extend((0..60).map(|at| drifted(&format!("m{at}"), Some(Since::Edited), Some(Would::Conflict))));
    let text = overview(&report, false);
    assert_eq!((text.matches(" A n").count(), text.matches("MC m").count()), (50, 60), "{text}");
    assert!(text.contains("10 more paths that nobody touched"), "{text}");
}

#[test]
fn a_held_team_is_marked() {
    let mut report = report();
    report.teams[0].held = Some("MX405 unknown-placeholder".to_owned());
    let text = overview(&report, false);
    assert!(text.contains("0               -      0  held\n"), "{text}");
    assert!(text.ends_with("; 1 team held (planned files not compared)\n"), "{text}");
}
