mod samples;

use std::fmt::Write as _;
use std::path::Path;

use samples::{LBOF, MANIFEST, MANIFEST_LIST, NATIVE, SEED};

use super::{SchemaName, all, decode, schema, to_text, validate};
use crate::limit::Limits;
use crate::model::wire::shape::CountWire;
use crate::model::wire::{LbofWire, ManifestWire, NativeWire};
use crate::source::decode::Spanned;
use crate::source::yaml::{self, to_json};
use crate::source::{Kind, Node, NodeId, Style, Tree};
use crate::span::{FileId, SourceFile};

/// `line:column-line:column CODE message | help | fix`, one line per finding.
fn findings(name: SchemaName, text: &str) -> String {
    let tree = parse(text);
    let file = SourceFile::new("a.yaml", text);
    let mut out = String::new();
    for finding in &validate(name, &tree, &to_json(&tree, tree.root())) {
        let span = finding.span.expect("every finding has a place");
        let (start, end) = (file.position(span.start), file.position(span.end));
        let code = finding.code;
        let at = format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column);
        write!(out, "{at} {code} {}", finding.message).unwrap();
        write!(out, " | {}", finding.help.as_deref().unwrap_or("-")).unwrap();
        if let Some(fix) = &finding.fix {
            write!(out, " | -> {}", fix.replacement).unwrap();
        }
        out.push('\n');
    }
    out
}

fn check(name: SchemaName, text: &str, expected: &[&str]) {
    let found = findings(name, text);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "findings in\n{text}");
}

fn parse(text: &str) -> Tree {
    yaml::parse(FileId(0), text, &Limits::default()).unwrap()
}

#[test]
fn a_native_mega_file_with_everything_validates_and_decodes() {
    check(SchemaName::MegaFile, NATIVE, &[]);
    let wire: NativeWire = decode(&parse(NATIVE)).unwrap();
    assert_eq!(wire.version.unwrap().value.0, "1.0");
    let first = &wire.generator.rules[0].value;
    let entries = first.generate.as_ref().unwrap();
    let (template, path) = entries[0].value.pair().unwrap();
    assert_eq!((template.value.as_str(), path.value.as_str()), ("controller", "{@api}/controller.ts"));
    assert!(entries[1].value.pair().is_none());
    let patterns = wire.generator.rules[4].value.patterns.as_ref().unwrap();
    assert_eq!(patterns.value.pairs().map(|(name, _)| name.value.as_str()).collect::<Vec<_>>(), ["api"]);
    let templates = wire.templates.unwrap();
    assert_eq!(templates.iter().map(|(name, _)| name.value.as_str()).collect::<Vec<_>>(), ["controller", "dto"]);
}

#[test]
fn an_lbof_mega_file_keeps_what_it_does_not_know() {
    check(SchemaName::Lbof, LBOF, &[]);
    let wire: LbofWire = decode(&parse(LBOF)).unwrap();
    assert_eq!(wire.rest.iter().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>(), ["special_components"]);
    let rules = wire.expansion_rules.value;
    assert_eq!(rules.rest.iter().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>(), ["crawler_components"]);
    assert_eq!(wire.metadata.unwrap().value.rest.len(), 1);
}

#[test]
fn both_manifest_forms_validate_and_decode() {
    for text in [MANIFEST, MANIFEST_LIST] {
        check(SchemaName::Manifest, text, &[]);
        let wire: ManifestWire = decode(&parse(text)).unwrap();
        assert!(wire.teams.is_some());
    }
}

/// A native mega-file around one rule, which stands on line 5.
fn rule(rule: &str) -> String {
    format!("id: a\nteam: b\ngenerator:\n  rules:\n    - {rule}\n")
}

#[test]
fn unknown_keys_are_marked_at_the_key_and_mended_when_certain() {
    check(
        SchemaName::MegaFile,
        "id: a\nteam: b\ngenrator:\n  rules: []\n",
        &["3:1-3:9 MX201 unknown key `genrator` | did you mean `generator`? | -> generator"],
    );
    check(
        SchemaName::MegaFile,
        &rule("generate: [{pth: x, template: y}]"),
        &["5:19-5:22 MX201 unknown key `pth` in item 1 of `generate` | did you mean `path`? | -> path"],
    );
    check(
        SchemaName::Manifest,
        "on_edit: [{files: a, policy: keep, zzz: 1}]\n",
        &["1:36-1:39 MX201 unknown key `zzz` in item 1 of `on_edit` | remove it, or use one of the keys `files`, \
               `policy`"],
    );
    check(
        SchemaName::MegaFile,
        &rule("{if: x, generate: []}"),
        &["5:8-5:10 MX201 unknown key `if` in item 1 of `rules` | did you mean `when`? | -> when"],
    );
}

#[test]
fn wrong_types_say_what_to_write() {
    check(
        SchemaName::MegaFile,
        &rule("{for_each: true, generate: []}"),
        &["5:18-5:22 MX202 `for_each` must be a list, a mapping of lists or an expression (text), found a boolean \
               | write a \
           list, a mapping of lists or an expression (text), for example `for_each: [\"users\",\"orders\"]`"],
    );
    check(
        SchemaName::MegaFile,
        &rule("generate: {a: b}"),
        &["5:17-5:23 MX202 `generate` must be a list, found a mapping | write it as a list: `[{\"a\": \"b\"}]` | -> \
           [{\"a\": \"b\"}]"],
    );
    check(
        SchemaName::MegaFile,
        "id: 7\nteam: b\ngenerator: {rules: []}\nexpansion: {targetFiles: '12'}\n",
        &[
            "1:5-1:6 MX202 `id` must be text, found an integer | write `\"7\"` | -> \"7\"",
            "4:26-4:30 MX202 `targetFiles` must be a number of files or a list of paths, found text | write `12` | \
               -> 12",
        ],
    );
    check(
        SchemaName::MegaFile,
        "id: a\nteam: b\ngenerator: {rules: []}\nexpansion: {targetFiles: three}\n",
        &[
            "4:26-4:31 MX202 `targetFiles` must be a number of files or a list of paths, found text | write a number of \
           files or a list of paths, such as `targetFiles: 3`",
        ],
    );
    check(
        SchemaName::Manifest,
        "teams:\n  - {name: A, safe_parallel: yes}\n",
        &["2:30-2:33 MX202 `safe_parallel` must be true or false, found text | write `true` | -> true"],
    );
}

#[test]
fn unquoted_placeholders_are_told_once_whatever_the_schema_says_of_them() {
    let path = "MX202 `{entity}` without quotes is a YAML mapping, not text | quote it: \"{entity}/x.ts\"";
    let text = "MX202 `{entity}` without quotes is a YAML mapping, not text | quote it: \"{entity}\"";
    check(SchemaName::MegaFile, &rule("generate: [a: {entity}]"), &[&format!("5:21-5:29 {path}")]);
    check(SchemaName::MegaFile, &rule("generate: [{path: {entity}, copy: a}]"), &[&format!("5:25-5:33 {path}")]);
    check(SchemaName::MegaFile, &rule("{for_each: {entity}, generate: []}"), &[&format!("5:18-5:26 {text}")]);
    check(
        SchemaName::MegaFile,
        "id: a\nteam: b\ngenerator: {rules: []}\ntemplates: {a: {entity}}\n",
        &[&format!("4:16-4:24 {text}")],
    );
}

#[test]
fn missing_keys_are_marked_at_the_key_of_the_mapping() {
    check(
        SchemaName::MegaFile,
        "id: a\ngenerator: {}\n",
        &[
            "1:1-1:3 MX203 the mega-file lacks the required key `team` | add `team: \"beta\"` (The team that owns \
               the files)",
            "2:1-2:10 MX203 `generator` lacks the required key `rules` | add `rules: ...` (The rules, in order)",
        ],
    );
    check(
        SchemaName::MegaFile,
        &rule("as: x"),
        &["5:7-5:9 MX203 item 1 of `rules` is not complete: a rule needs `generate`, `scaffold` or `factory` | \
               add `generate: \
           [{\"controller\":\"src/api/{entity}/controller.ts\"}]`"],
    );
    check(
        SchemaName::MegaFile,
        &rule("generate: [{a: x, b: y}]"),
        &["5:19-5:20 MX203 item 1 of `generate` has the keys `a`, `b` but no `path` | add `path: \"...\"`; or, if \
               every key is \
           a template, begin every line with `- `: `- template: \"path\"`"],
    );
    check(
        SchemaName::Lbof,
        "id: a\nteam: b\nexpansion_rules: {}\ngeneration_templates:\n  a: {output_path: x, templat: y}\n",
        &["5:3-5:4 MX203 `a` lacks the required key `template` | did you mean `template` by `templat`? | -> template"],
    );
    check(
        SchemaName::Manifest,
        "teams: [{responsibility: x}]\n",
        &["1:10-1:24 MX203 item 1 of `teams` is not complete: a team in a list needs `name` | add `name: ...`"],
    );
}

#[test]
fn bad_values_list_the_allowed_ones() {
    check(
        SchemaName::MegaFile,
        &rule("generate: [{path: x, template: y, mode: executabel}]"),
        &["5:47-5:57 MX204 `mode` is `executabel`, which is not allowed | did you mean `executable`? allowed: \
               `regular`, \
           `executable` | -> executable"],
    );
    check(
        SchemaName::MegaFile,
        "id: -a\nteam: b\ngenerator: {rules: []}\nexpansion: {totalLines: -1}\n",
        &[
            "1:5-1:7 MX204 `id` is `-a`, which is not allowed | write letters, digits, `.`, `_` and `-`, beginning \
               with a \
             letter or digit, at most 100 characters",
            "4:25-4:27 MX204 `totalLines` is `-1`, which is too small | write a number that is at least 0",
        ],
    );
    check(
        SchemaName::Manifest,
        "teams: {'be ta': {lines_of_code: lots}}\n",
        &[
            "1:9-1:16 MX204 the key `be ta` in `teams` is no name | write letters, digits, `.`, `_` and `-`, \
               beginning with a \
             letter or digit, at most 100 characters",
            "1:34-1:38 MX204 `lines_of_code` is `lots`, which is not allowed | write a number or a range such as \
               8000-10000",
        ],
    );
}

#[test]
fn words_of_other_tools_and_places_are_translated() {
    for (mode, message) in [("755", "must be text, found an integer"), ("'0755'", "is `0755`, which is not allowed")] {
        let found =
            findings(SchemaName::MegaFile, &rule(&format!("generate: [{{path: x, template: y, mode: {mode}}}]")));
        assert!(found.contains(&format!("`mode` {message} | write `executable`")), "{found}");
        assert!(found.ends_with("-> executable\n") && found.lines().count() == 1, "{found}");
    }
    let found = findings(SchemaName::MegaFile, &rule("generate: [{path: x, template: y, mode: 644}]"));
    assert!(found.ends_with("-> regular\n"), "{found}");
    check(
        SchemaName::MegaFile,
        &rule("generate: t"),
        &["5:17-5:18 MX202 `generate` must be a list, found text | write a list of templates with their paths: \
           `generate: [ t: \"path\" ]`"],
    );
    check(
        SchemaName::MegaFile,
        &rule("generate: src/a.ts"),
        &["5:17-5:25 MX202 `generate` must be a list, found text | write a list of templates with their paths: \
           `generate: [ TEMPLATE: \"src/a.ts\" ]`"],
    );
    for key in ["write_paths", "read_paths", "forbidden_paths"] {
        let found = findings(SchemaName::Manifest, &format!("teams:\n  beta: {{{key}: [/src/]}}\n"));
        assert!(found.contains(&format!("unknown key `{key}` in `beta` | put it below `boundaries:`\n")), "{found}");
    }
    let lbof = "id: a\nteam: b\nexpansion_rules: {}\ngeneration_templates:\n";
    check(
        SchemaName::Lbof,
        &format!("{lbof}  a: {{path: x, text: y}}\n"),
        &[
            "5:3-5:4 MX203 `a` lacks the required key `output_path` | write `output_path` instead of `path` | -> \
             output_path",
            "5:3-5:4 MX203 `a` lacks the required key `template` | write `template` instead of `text` | -> template",
        ],
    );
    check(
        SchemaName::Lbof,
        &format!("{lbof}  a: {{output_path: x, content: y}}\n"),
        &["5:3-5:4 MX203 `a` lacks the required key `template` | write `template` instead of `content` | -> template"],
    );
}

#[test]
fn a_clean_document_never_fails_to_decode_and_numbers_out_of_range_have_a_place() {
    let text = |lines: &str| format!("id: a\nteam: b\ngenerator: {{rules: []}}\nexpansion: {{totalLines: {lines}}}\n");
    check(SchemaName::MegaFile, &text("12.0"), &[]);
    let wire: NativeWire = decode(&parse(&text("12.0"))).unwrap();
    let lines = wire.expansion.unwrap().total_lines.unwrap().value;
    assert!(matches!(lines, CountWire::Exactly(Spanned { value: 12, .. })));

    check(SchemaName::MegaFile, &text("1e30"), &[]);
    let error = decode::<NativeWire>(&parse(&text("1e30"))).unwrap_err();
    assert_eq!(error.span.map(|span| (span.start, span.end)), Some((61, 65)));
}

/// Replaces every node of a document by values of every type, one at a time, and calls `visit` with each tree.
fn each_mutation(text: &str, visit: &mut dyn FnMut(&Tree)) {
    let whole = parse(text);
    let mut nodes: Vec<Node> = (0..).map(NodeId).map_while(|id| nth(&whole, id)).collect();
    for index in 0..nodes.len() {
        let old = nodes[index].clone();
        let text = |text: &str| Kind::Text(text.into(), Style::Plain);
        let is_key = nodes.iter().any(|node| match &node.kind {
            Kind::Map(entries) => entries.iter().any(|&(key, _)| key.0 as usize == index),
            _ => false,
        });
        let others =
            [Kind::Null, Kind::Bool(true), Kind::Int(-3), Kind::Float(2.5), Kind::List(vec![]), Kind::Map(vec![])];
        let kinds = if is_key { vec![text("odd key/~")] } else { [others.as_slice(), &[text("some text")]].concat() };
        for kind in kinds {
            nodes[index].kind = kind;
            visit(&Tree::new(FileId(0), nodes.clone(), whole.root()));
        }
        nodes[index] = old;
    }
}

/// The node of an id, `None` past the last; the tree itself does not tell its size.
fn nth(tree: &Tree, id: NodeId) -> Option<Node> {
    (id <= tree.root()).then(|| tree.node(id).clone())
}

#[test]
fn whatever_validates_decodes_and_whatever_does_not_has_a_place_and_a_help() {
    for (name, text) in [
        (SchemaName::MegaFile, NATIVE),
        (SchemaName::MegaFile, SEED),
        (SchemaName::Lbof, LBOF),
        (SchemaName::Manifest, MANIFEST),
        (SchemaName::Manifest, MANIFEST_LIST),
    ] {
        check(name, text, &[]);
        let (mut clean, mut wrong) = (0, 0);
        each_mutation(text, &mut |tree| {
            let json = to_json(tree, tree.root());
            let found = validate(name, tree, &json);
            for finding in &found {
                assert!(finding.span.is_some() && finding.help.is_some(), "{finding:?} in {json:#}");
                assert!(!finding.message.contains('\n'), "{finding:?}");
            }
            if !found.is_empty() {
                wrong += 1;
                return;
            }
            clean += 1;
            let error = match name {
                SchemaName::MegaFile => decode::<NativeWire>(tree).err(),
                SchemaName::Lbof => decode::<LbofWire>(tree).err(),
                SchemaName::Manifest => decode::<ManifestWire>(tree).err(),
            };
            assert!(error.is_none(), "{:?} in {json:#}", error.map(|error| error.message));
        });
        assert!(clean > 10 && wrong > 80, "{name:?}: {clean} clean, {wrong} wrong");
    }
}

/// Calls `visit` with every part of a schema that has examples.
fn each_example(part: &serde_json::Value, visit: &mut dyn FnMut(&serde_json::Value)) {
    match part {
        serde_json::Value::Object(map) => {
            if map.get("examples").is_some_and(serde_json::Value::is_array) {
                visit(part);
            }
            map.iter().filter(|(key, _)| *key != "examples").for_each(|(_, value)| each_example(value, visit));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| each_example(item, visit)),
        _ => {}
    }
}

#[test]
fn every_example_in_a_schema_is_valid_there() {
    for (file, whole) in all() {
        let mut count = 0;
        each_example(&whole, &mut |part| {
            let mut alone = part.clone();
            if let Some(defs) = whole.get("$defs") {
                alone["$defs"] = defs.clone();
            }
            let validator = jsonschema::validator_for(&alone).unwrap();
            for example in part["examples"].as_array().unwrap() {
                assert!(validator.is_valid(example), "{file}: {example} is no example of {part:#}");
                count += 1;
            }
        });
        assert!(count > 3, "{file} has too few examples");
    }
}

/// Calls `visit` with every property of every mapping.
fn each_property(part: &serde_json::Value, visit: &mut dyn FnMut(&str, &serde_json::Value)) {
    let Some(map) = part.as_object() else { return };
    for (key, value) in map {
        match (key.as_str(), value.as_object()) {
            ("properties", Some(properties)) => {
                for (name, property) in properties {
                    visit(name, property);
                    each_property(property, visit);
                }
            }
            ("$defs" | "patternProperties", Some(parts)) => parts.values().for_each(|part| each_property(part, visit)),
            ("then" | "else" | "items" | "additionalProperties", Some(_)) => each_property(value, visit),
            _ => {}
        }
    }
}

#[test]
fn schemas_describe_every_key_and_hold_no_union_without_a_tag() {
    for (file, whole) in all() {
        let text = to_text(&whole);
        assert!(!text.contains("\"oneOf\""), "{file}: oneOf");
        assert!(!text.contains("\"null\""), "{file}: null");
        assert!(!text.contains("\"default\": null"), "{file}: default");
        assert_eq!(whole["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(whole["title"].as_str().unwrap().starts_with("megax "));
        jsonschema::meta::validate(&whole).unwrap();
        each_property(&whole, &mut |name, property| {
            let described = property["description"].as_str().is_some_and(|text| text.len() > 8);
            assert!(described, "{file}: {name} has no description: {property:#}");
        });
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "compares, and on request writes, files of the repository")]
fn schema_files_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for (file, whole) in all() {
        let (path, text) = (folder.join(file), to_text(&whole));
        if std::env::var_os("MEGAX_UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == text,
            "schemas/{file} differs from the wire types; write it anew with `MEGAX_UPDATE_SCHEMAS=1 cargo test schema`"
        );
    }
    assert_eq!(schema(SchemaName::Lbof), all()[1].1, "the order of all() is the order of SchemaName::ALL");
}

#[test]
fn the_inside_of_what_may_be_anything_is_left_out() {
    for (text, hollow) in [
        ("id: a\ndata: {x: [1, {y: z}]}\n", r#"{"id":"a","data":{}}"#),
        ("id: a\ndata: [1, 2]\n", r#"{"id":"a","data":[]}"#),
        ("id: a\ndata: text\n", r#"{"id":"a","data":"text"}"#),
    ] {
        let tree = parse(text);
        let json = super::to_json(SchemaName::MegaFile, &tree);
        assert_eq!(json.to_string(), hollow);
        let full = validate(SchemaName::MegaFile, &tree, &to_json(&tree, tree.root()));
        assert_eq!(validate(SchemaName::MegaFile, &tree, &json), full, "{text}");
    }
}
