use proptest::prelude::*;

use super::super::sample;
use super::*;
use crate::diagnostic::Diagnostics;
use crate::report::json::tests::hold_schema;
use crate::span::{FileId, SourceFile, Span};

#[test]
fn the_schema_in_the_repository_is_current() {
    hold_schema("synopsis", &schema());
}

#[test]
fn groups_are_told_with_a_place_an_excerpt_and_a_fix() {
    let mut report = sample::report();
    report.diagnostics = [sample::collision(), sample::unknown_key(), sample::unknown_key()].into_iter().collect();
    insta::assert_snapshot!("synopsis", text(&report));
    let document: serde_json::Value = serde_json::from_str(&document(&report).expect("it serializes")).expect("JSON");
    assert_eq!(document["diagnostics"][0]["code"], "MX201", "the form comes before the plan");
    assert_eq!(document["diagnostics"][0]["count"], 2);
    assert_eq!(document["diagnostics"][0]["fix"]["replacement"], "templates");
    assert_eq!(document["errors"], 3);
    assert!(document.get("codes_left_out").is_none());
}

#[test]
fn nothing_found_is_one_line() {
    let mut report = sample::report();
    report.diagnostics = Diagnostics::default();
    assert_eq!(text(&report).lines().count(), 1, "{}", text(&report));
}

/// Texts of every kind that can come from a mega-file.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("word ".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\n\t".to_owned()),
        Just("\"\\".to_owned()),
        Just("漢字🦀".to_owned()),
        Just("\u{0}\u{7}".to_owned()),
        ".{0,3}",
    ];
    (prop::collection::vec(piece, 0..12), prop_oneof![8 => Just(1_usize), 1 => Just(400)])
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn any_finding() -> impl Strategy<Value = Diagnostic> {
    let place = (0_u32..4, 0_usize..4_000, 0_usize..900);
    (0..Code::ALL.len(), any_text(), any_text(), any_text(), place, any::<[bool; 4]>()).prop_map(
        |(code, message, help, replacement, (file, start, length), has)| {
            let span = Span::new(FileId(file), start, start + length);
            let mut finding = Diagnostic::new(Code::ALL[code], message);
            if has[0] {
                finding = finding.at(span);
            }
            if has[1] {
                finding = finding.help(help.clone());
            }
            if has[2] {
                finding = finding.fix(span, replacement);
            }
            if has[3] { finding.about(help) } else { finding }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_short_valid_and_counts_all(
        findings in prop::collection::vec(any_finding(), 0..40),
        times in prop_oneof![12 => Just(1_usize), 1 => Just(250)],
        name in any_text(),
        body in any_text(),
    ) {
        let mut report = sample::report();
        report.sources.add(SourceFile::new(format!("megafiles/{name}.yaml"), body.repeat(3)));
        let all = findings.len() * times;
        let repeated = (0..times).flat_map(|_| findings.iter().cloned());
        report.diagnostics = repeated.collect();
        let json = document(&report).expect("it serializes");
        prop_assert!(json.len() < MOST_BYTES, "{} bytes", json.len());
        prop_assert!(clean_json(&json) == json.as_str(), "printing it makes it no longer");
        let value: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        let sum = ["errors", "warnings", "notes"].iter().filter_map(|key| value[*key].as_u64()).sum::<u64>();
        prop_assert_eq!(sum, all as u64);
        let validator = jsonschema::validator_for(&schema()).expect("the schema is valid");
        prop_assert!(validator.is_valid(&value), "{}", json);
        let text = text(&report);
        prop_assert!(text.len() < MOST_BYTES, "{} bytes", text.len());
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{:?}", text);
        let codes = value["diagnostics"].as_array().expect("a list").len() as u64;
        prop_assert!(all == 0 || codes > 0, "at least one group is told: {}", json);
    }
}
