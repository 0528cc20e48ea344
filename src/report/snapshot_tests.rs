use super::super::sample;
use super::*;

fn one(id: &str, status: Status) -> Comparison {
    Comparison {
        mega_file: id.to_owned(),
        team: "beta".to_owned(),
        path: format!("snapshots/beta/{id}.snap"),
        status,
        files: Some(1),
        lines: Some(1_204),
        digest: Some(Digest::of(id.as_bytes())),
        old: Some("a\nb\n".to_owned()),
        new: Some("a\nc\n".to_owned()),
    }
}

fn report(statuses: &[Status]) -> SnapshotReport {
    let sample = sample::report();
    SnapshotReport {
        outcome: Outcome::Differences,
        action: Action::Add,
        manifest: None,
        root: ".".to_owned(),
        snapshots: statuses.iter().map(|&status| one(status.as_str(), status)).collect(),
        diagnostics: sample.diagnostics,
        sources: sample.sources,
    }
}

#[test]
fn the_schema_in_the_repository_is_current() {
    super::super::json::tests::hold_schema("snapshot", &schema());
}

#[test]
fn documents_satisfy_the_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
    let mut unknown = report(Status::ALL);
    (unknown.snapshots[0].files, unknown.snapshots[0].digest) = (None, None);
    for report in [report(Status::ALL), unknown, report(&[])] {
        let value: serde_json::Value = serde_json::from_str(&document(&report).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        if !report.snapshots.is_empty() {
            let mut wrong = value;
            wrong["snapshots"][0]["status"] = "perhaps".into();
            assert!(!validator.is_valid(&wrong));
        }
    }
}

#[test]
fn only_what_differs_is_listed_and_compared() {
    let report = report(&[Status::Unchanged, Status::Differs, Status::New]);
    let expected = "\
differs  snapshots/beta/differs.snap  1 file, 1,204 lines
new      snapshots/beta/new.snap      1 file, 1,204 lines

3 snapshots: 1 new, 1 unchanged, 1 differs
";
    assert_eq!(closing(&report, false), expected);
    let diff = diff(&report, false);
    assert!(diff.starts_with("--- a/snapshots/beta/differs.snap\n") && diff.ends_with(" a\n-b\n+c\n"), "{diff}");
    assert_eq!(diff.matches("+++").count(), 1, "{diff}");
}

#[test]
fn nothing_to_do_is_said() {
    let text = closing(&report(&[Status::Unchanged]), false);
    assert_eq!(text, "nothing to do: 1 snapshot is what its mega-file expands to\n");
}
