use super::super::tests::report;
use super::*;

#[test]
fn the_schema_in_the_repository_is_current() {
    crate::report::json::tests::hold_schema("integration-manifest", &integration_schema());
}

#[test]
fn both_forms_say_the_same_and_satisfy_the_schema() {
    let mut report = report();
    report.teams[0].reasons[0].message = "a \"b\" \\ \u{202e}\u{e0041}\u{85} : # - é".to_owned();
    let json: Value = serde_json::from_str(&to_json(&report).unwrap()).unwrap();
    let yaml: Value = serde_yaml::from_str(&to_yaml(&report).unwrap()).unwrap();
    assert_eq!(json, yaml);
    let validator = jsonschema::validator_for(&integration_schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let order: Vec<&str> = json["teams"].as_array().unwrap().iter().filter_map(|one| one["team"].as_str()).collect();
    assert_eq!(order, ["alpha", "beta"], "in the order of the stages");
    for text in [to_json(&report).unwrap(), to_yaml(&report).unwrap()] {
        assert!(is_integration_manifest(text.as_bytes()), "{text}");
        assert!(is_integration_manifest(text.replace('\n', "\r\n").as_bytes()));
        assert!(!text.contains(|c| c != '\n' && is_hidden(c)), "{text}");
    }
    assert!(!is_integration_manifest(b"teams: {}\n") && !is_integration_manifest(b"{ \"format\": 1 }"));
}

#[test]
fn what_yaml_could_mistake_is_quoted() {
    for (value, expected) in [
        ("src/api.ts", "src/api.ts"),
        ("No", "\"No\""),
        ("1.0", "\"1.0\""),
        ("a: b", "\"a: b\""),
        ("", "\"\""),
        ("-", "\"-\""),
        ("x\ny", "\"x\\U0000000Ay\""),
    ] {
        assert_eq!(text(value), expected);
    }
}
