//! What meets a limit: every limit names itself and says how it is raised, hostile mega-files are answered at once, and
//! nothing is written.

use super::*;
use crate::limit::Limit;

const MANIFEST: &str = "teams: { x: { output: [\"/\"] } }\n";

/// A mega-file that needs a little of everything.
const EVERYTHING: &str = r#"id: m
team: x
generator:
  rules:
    - { factory: outer, for_each: [a, b], with: { list: "{{ [entity, entity] }}" } }
    - generate: [ { copy: logo.bin, path: logo.bin }, { template: shared.txt, path: "shared" }, one: "one" ]
    - { for_each: [c, d], generate: [ { template: two, path: "{entity}", with: { long: "{entity} is long" } } ] }
factories:
  outer: { params: { properties: { list: { type: array } } }, rules: [ { factory: inner, with: { list: "{{ list }}" } } ] }
  inner: { params: { properties: { list: { type: array } } }, generate: [ { content: "x\n", path: "{list|join('-')}" } ] }
contributes: { slot: [ { for_each: [e, f], value: "{entity}" } ] }
templates: { one: "{{ contributions.slot|join }}{{ 1 }}\n", two: "{long}\n" }
"#;

fn everything() -> Project {
    let asset = "a".repeat(2_000);
    Project::new(&[
        ("megax.yaml", MANIFEST),
        ("megafiles/m.yaml", EVERYTHING),
        ("logo.bin", &asset),
        ("templates/shared.txt", "shared\n"),
    ])
}

fn limited(project: &Project, limits: &[(Limit, u64)]) -> Request {
    let mut request = project.request(&[]);
    request.inputs.limits = limits.iter().copied().collect();
    request
}

#[test]
fn every_limit_that_is_met_names_itself_and_holds_the_team() {
    for (limit, value, code) in [
        (Limit::InputBytes, 500, Code::UnreadableInput),
        (Limit::YamlNodes, 30, Code::YamlLimit),
        (Limit::RunNodes, 30, Code::YamlLimit),
        (Limit::YamlDepth, 4, Code::YamlLimit),
        (Limit::AliasNodes, 30, Code::YamlLimit),
        (Limit::AliasBytes, 90, Code::YamlLimit),
        (Limit::AssetBytes, 1_999, Code::BadCopy),
        (Limit::SharedBytes, 6, Code::BadSharedTemplate),
        (Limit::TagsPerTemplate, 1, Code::TemplateLimit),
        (Limit::Templates, 1, Code::PlanLimit),
        (Limit::FilesPerRule, 2, Code::PlanLimit),
        (Limit::FilesPerRun, 6, Code::PlanLimit),
        (Limit::PathBytes, 9, Code::PlanLimit),
        (Limit::RuleRuns, 4, Code::PlanLimit),
        (Limit::Rounds, 3, Code::PlanLimit),
        (Limit::CompiledBytes, 5_000, Code::PlanLimit),
        (Limit::FactoryDepth, 1, Code::PlanLimit),
        (Limit::CheckedValues, 7, Code::PlanLimit),
        (Limit::ValueBytes, 60, Code::PlanLimit),
        (Limit::ContributedValues, 1, Code::PlanLimit),
        (Limit::RunBytes, 2_020, Code::PlanLimit),
    ] {
        let project = everything();
        let request = limited(&project, &[(limit, value)]);
        let (outcome, errors) = errors(&request);
        let says = request.inputs.limits().says(limit);
        let raise = limit.help("");
        let named = errors.iter().find(|error| error.starts_with(code.id()) && error.contains(&says));
        assert!(named.is_some_and(|error| error.contains(&raise)), "{}: {errors:#?}", limit.name());
        assert_eq!(outcome, Outcome::Wrong, "{}", limit.name());
        assert!(!project.at("one").exists() && !project.at("c").exists(), "{}: something was written", limit.name());
    }
    let project = everything();
    assert_eq!(project.expand(&[]), (Outcome::Done, Vec::new()), "within the defaults nothing is wrong");
}

#[test]
fn the_manifest_grants_and_the_command_line_wins() {
    let project = everything();
    let with = |limits: &str| project.write("megax.yaml", &format!("limits: {{ {limits} }}\n{MANIFEST}"));
    with("files_per_rule: 2");
    assert_eq!(project.expand(&[]).0, Outcome::Wrong);
    assert_eq!(errors(&limited(&project, &[(Limit::FilesPerRule, 3)])).0, Outcome::Done);
    // The manifest itself is read within the limits that were typed, never within its own.
    with("input_bytes: 10, yaml_depth: 2");
    let (_, found) = project.expand(&[]);
    assert!(found.iter().all(|one| one.starts_with("MX101") && one.contains("`input_bytes` is 10")), "{found:#?}");
    with("input_bytes: 5000");
    let (_, found) = errors(&limited(&project, &[(Limit::InputBytes, 20)]));
    assert!(found.iter().any(|one| one.contains("`input_bytes` is 20")), "{found:#?}");
    // `100.0` is a whole number in JSON Schema, and what is wrong grants nothing.
    with("files_per_rule: 2.0");
    assert!(project.expand(&[]).1.iter().any(|one| one.contains("`files_per_rule` is 2")));
    with("files_per_rule: 0, yaml_depth: 1000, rounds: -1");
    let (_, found) = project.expand(&[]);
    assert_eq!(found.len(), 3, "each wrong entry is said once: {found:#?}");
    assert!(found.iter().all(|one| one.starts_with("MX204")), "{found:#?}");
}

/// One mega-file below a manifest, and what is wrong with it.
fn hostile(mega_file: &str) -> Vec<String> {
    let project = Project::new(&[("megax.yaml", MANIFEST), ("megafiles/m.yaml", mega_file)]);
    let (outcome, errors) = project.expand(&[]);
    assert_eq!(outcome, Outcome::Wrong, "{errors:#?}");
    errors
}

/// Factories that each call the next one twice; the last one makes a file or nothing.
fn chain(links: usize, last: &str) -> String {
    let calls = (0..links)
        .map(|link| format!("  f{link}: {{ rules: [ {{ factory: f{0} }}, {{ factory: f{0} }} ] }}\n", link + 1));
    let calls: String = calls.collect();
    format!("id: m\nteam: x\ngenerator: {{ rules: [ {{ factory: f0 }} ] }}\nfactories:\n{calls}  f{links}: {last}\n")
}

#[test]
fn chains_of_factories_stop_at_a_limit_also_when_they_make_nothing() {
    let file = "{ generate: [ { content: x, path: src/x } ] }";
    let nothing = "{ rules: [ { for_each: [a], when: \"false\", generate: [ { content: x, path: src/x } ] } ] }";
    for (links, last, limit) in
        [(40, file, Limit::FactoryDepth), (40, nothing, Limit::FactoryDepth), (24, nothing, Limit::RuleRuns)]
    {
        let errors = hostile(&chain(links, last));
        assert!(errors.iter().any(|one| one.contains(&format!("the limit `{}` is", limit.name()))), "{errors:#?}");
        assert!(errors.len() < 4, "said once: {}", errors.len());
    }
}

#[test]
fn what_multiplies_is_counted_before_it_is_made() {
    let list = format!("[{}]", (0..1_000).map(|item| format!("i{item}")).collect::<Vec<_>>().join(", "));
    let rules = |rules: &str| format!("id: m\nteam: x\ngenerator: {{ rules: [ {rules} ] }}\n");
    let cross = format!("for_each: {{ a: {list}, b: {list}, c: {list}, d: {list} }}");
    let entry = "generate: [ { content: x, path: \"{a}{b}{c}{d}\" } ]";
    let found = hostile(&rules(&format!("{{ {cross}, {entry} }}")));
    assert!(found[0].contains("would plan 1000000000000 files: the limit `files_per_rule`"), "{found:#?}");
    // Nothing comes of an empty list, but the items of the others would be held for every call.
    let inner = "f: { params: { properties: { p: {} } }, rules: [ { for_each: { a: \"range(60000)|list\", b: \"[]\" }, \
                 generate: [ { content: x, path: \"{a}{b}\" } ] } ] }";
    let call = format!("{{ factory: f, for_each: {list}, with: {{ p: \"{{entity}}\" }} }}");
    let found = hostile(&format!("{}factories: {{ {inner} }}\n", rules(&call)));
    assert!(found[0].contains("the limit `rounds` is 500000"), "{found:#?}");
    // A rule without a loop is run for every call as well.
    let entries = (0..60).map(|at| format!("{{ content: x, path: \"{{p}}/{at}\" }}")).collect::<Vec<_>>().join(", ");
    let inner = format!("f: {{ params: {{ properties: {{ p: {{}} }} }}, generate: [ {entries} ] }}");
    let found = hostile(&format!("{}factories: {{ {inner} }}\n", rules(&call)));
    assert!(found[0].contains("would plan 60000 files: the limit `files_per_rule`"), "{found:#?}");
}

#[test]
fn ranges_of_numbers_are_counted_and_never_made_first() {
    let lbof = |patterns: &str| {
        format!(
            "id: m\nteam: x\nversion: \"1\"\nexpansion_rules: {{ patterns: [ {patterns} ] }}\ngeneration_templates: \
             {{ t: {{ output_path: \"{{name}}\", template: x }} }}\n"
        )
    };
    let range = |start: i64, end: i64| format!("{{ type: range, start: {start}, end: {end}, templates: [t] }}");
    let found = hostile(&lbof(&range(0, i64::MAX)));
    assert!(found[0].contains("more numbers than can be counted: the limit `files_per_rule`"), "{found:#?}");
    let found = hostile(&lbof(&range(1, 50_001)));
    assert!(found[0].contains("a range of 50001 numbers: the limit `files_per_rule` is 50000"), "{found:#?}");
    let found = hostile(&lbof(&[range(1, 50_000), range(1, 10_001)].join(", ")));
    assert!(found[0].contains("ranges of together 60001 numbers: the limit `files_per_run` is 60000"), "{found:#?}");
}

#[test]
fn who_meets_a_limit_of_the_run_does_not_depend_on_the_threads() {
    let project = Project::new(&[("megax.yaml", MANIFEST)]);
    for mega_file in 0..8 {
        let text = format!(
            "id: m{mega_file}\nteam: x\ngenerator: {{ rules: [ {{ for_each: \"range(500)|list\", generate: [ {{ content: \
             xxxx, path: \"m{mega_file}/{{entity}}\" }} ] }} ] }}\n"
        );
        project.write(&format!("megafiles/m{mega_file}.yaml"), &text);
    }
    for (limit, value) in [(Limit::FilesPerRun, 3_900), (Limit::RunBytes, 15_000)] {
        let found: Vec<_> = [1, 4, 4]
            .map(|jobs| Request { jobs: Some(jobs), ..limited(&project, &[(limit, value)]) })
            .iter()
            .map(errors)
            .collect();
        assert_eq!(found[0].1.len(), 1, "{found:#?}");
        assert!(found.iter().all(|one| *one == found[0]), "{found:#?}");
    }
    assert!(!project.at("m0").exists());
}

#[test]
fn a_report_shows_so_many_findings_and_ends_as_if_it_showed_all() {
    let project = everything();
    for file in ["c", "d", "a-a", "b-b"] {
        project.write(file, "somebody else's");
    }
    let whole = run(&limited(&project, &[]), &Silent).report;
    let short = run(&limited(&project, &[(Limit::FindingsShown, 1)]), &Silent).report;
    assert_eq!(whole.outcome, Outcome::Conflict);
    assert_eq!((short.outcome, &short.teams), (whole.outcome, &whole.teams));
    assert_eq!(short.diagnostics.len(), 1);
    assert_eq!(short.diagnostics.left_out().count + 1, whole.diagnostics.len() as u64);
    assert!(short.diagnostics.iter().all(Diagnostic::is_error));
}
