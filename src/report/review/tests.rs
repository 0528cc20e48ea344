use super::*;
use crate::report::json;
use crate::report::status::{Measure, Range};

/// Two teams, one of which lacks something of every kind.
pub fn report() -> ReviewReport {
    let status = |team: &str, valid| TeamStatus {
        team: team.to_owned(),
        held: None,
        valid,
        invalid: 0,
        expected: Some((valid, 2)),
        others: 0,
        missing: if valid < 2 { vec!["mega-b-002".to_owned()] } else { Vec::new() },
        files: Measure { measured: Some(4), goal: Some(Range { min: 4, max: Some(8) }), ..Measure::default() },
        lines: Measure { measured: Some(1200), ..Measure::default() },
        drift: 0,
    };
    let team = |name: &str, valid, reasons| TeamReview {
        status: status(name, valid),
        dependencies: if name == "beta" { vec!["alpha".to_owned()] } else { Vec::new() },
        paths: 4,
        reserved: 2,
        reasons,
    };
    let reasons = Lack::ALL.iter().map(|&lack| Reason { lack, message: format!("{}\u{1b}", lack.as_str()) }).collect();
    let point = |name: &str, state, producers: &[(&str, &str)]| PointReview {
        name: name.to_owned(),
        between: vec!["alpha".to_owned(), "beta".to_owned()],
        artifact: (state != PointState::Unnamed).then(|| "/contracts/api.yaml".to_owned()),
        state,
        producers: producers.iter().map(|(team, id)| ((*team).to_owned(), (*id).to_owned())).collect(),
    };
    let locked = LockChange::ALL.iter().map(|&change| LockedMegaFile {
        team: "alpha".to_owned(),
        mega_file: format!("mega-{}", change.as_str()),
        paths: 3,
        change,
    });
    ReviewReport {
        outcome: Outcome::Differences,
        manifest: Some("megax.yaml".to_owned()),
        out: ".".to_owned(),
        teams: vec![team("beta", 1, reasons), team("alpha", 2, Vec::new())],
        mega_files: vec![MegaFileReview {
            status: MegaFileStatus {
                id: Some("mega-a".to_owned()),
                team: Some("alpha".to_owned()),
                path: "megafiles/a.yaml".to_owned(),
                valid: true,
                files: Measure::default(),
                lines: Measure::default(),
                missing: Vec::new(),
            },
            digest: Digest::of(b"a"),
            paths: 4,
            reserved: 2,
            dependencies: vec!["beta/mega-b".to_owned()],
            contributes: vec!["routes".to_owned()],
        }],
        points: vec![
            point("API", PointState::Planned, &[("alpha", "mega-a"), ("beta", "mega-b")]),
            point("SCHEMA", PointState::Missing, &[]),
            point("BUS", PointState::Unnamed, &[]),
        ],
        slots: vec![SlotReview {
            slot: "routes".to_owned(),
            contributors: vec![("alpha".to_owned(), "mega-a".to_owned())],
            readers: Vec::new(),
        }],
        stages: vec![vec!["alpha".to_owned()], vec!["beta".to_owned()]],
        locked: Some(locked.collect()),
        operations: vec![3, 4],
        integration_manifest: Some("integration.yaml".to_owned()),
        diagnostics: Diagnostics::default(),
        sources: SourceMap::default(),
    }
}

#[test]
fn the_schema_in_the_repository_is_current() {
    json::tests::hold_schema("review", &schema());
}

#[test]
fn documents_satisfy_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut empty = report();
    (empty.teams, empty.mega_files, empty.points, empty.locked, empty.manifest) = Default::default();
    for report in [report(), empty] {
        let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let mut wrong: serde_json::Value = serde_json::from_str(&document(&report()).unwrap()).unwrap();
    wrong["teams"][0]["reasons"][0]["kind"] = "mood".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_text_gives_every_reason_and_one_verdict() {
    let text = text(&report(), false);
    for expected in [
        "beta   1 of 2          1        0      4         2      4   4-8  1,200  not ready\n",
        "alpha  2 of 2          2        0      4         2      4   4-8  1,200  ready\n",
        "beta  project<U+001B>\n      missing-mega-files<U+001B>\n",
        "made by alpha (mega-a) and 1 more\n",
        "missing: nobody plans it, and it is not on disk\n",
        "reserved   alpha/mega-reserved  3 paths\n",
        "removed    alpha/mega-removed  3 paths: no mega-file of the team has the id\n",
        "3 mega-files, 8 paths, 8 files, 2,400 lines, 4 reserved\n",
        "1 of 2 teams is ready; 1 integration point has no artefact\n",
    ] {
        assert!(text.contains(expected), "{expected} not in:\n{text}");
    }
    assert!(!text.contains("mega-unchanged") && !text.contains('\u{1b}'), "{text}");
    let mut ready = report();
    ready.teams.remove(0);
    ready.points.clear();
    assert!(ready.is_ready() && super::text(&ready, false).ends_with("\nthe team is ready\n"));
}
