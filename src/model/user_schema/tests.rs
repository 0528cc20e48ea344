use std::fmt::Write as _;

use super::{Step, UserSchema};
use crate::diagnostic::Diagnostics;
use crate::limit::Limits;
use crate::source::{Tree, yaml};
use crate::span::{FileId, SourceFile};

fn parse(text: &str) -> Tree {
    yaml::parse(FileId(0), text, &Limits::default()).unwrap()
}

fn compile(text: &str) -> Result<UserSchema, Diagnostics> {
    let tree = parse(text);
    UserSchema::compile(&tree, tree.root(), "the data")
}

/// `line:column message | help | fix` for each error of a schema.
fn errors(text: &str) -> String {
    let file = SourceFile::new("a.yaml", text);
    let mut out = String::new();
    for finding in &compile(text).expect_err(text) {
        let at = file.position(finding.span.unwrap().start);
        let help = finding.help.as_deref().unwrap_or("-");
        write!(out, "{}:{} {} | {help}", at.line, at.column, finding.message).unwrap();
        if let Some(fix) = &finding.fix {
            write!(out, " | -> {}", fix.replacement).unwrap();
        }
        out.push('\n');
    }
    out
}

/// `path message | help` for each violation.
fn violations(schema: &str, value: &str) -> String {
    let tree = parse(value);
    let value = yaml::to_json(&tree, tree.root());
    let mut out = String::new();
    for one in compile(schema).unwrap().violations(&value) {
        let path = one.path.iter().fold(String::new(), |path, step| match step {
            Step::Key(key) => format!("{path}/{key}"),
            Step::Index(index) => format!("{path}/{index}"),
        });
        let key = if one.on_key { "!" } else { "" };
        writeln!(out, "{path}{key} {} | {}", one.message, one.help.unwrap_or_default()).unwrap();
        assert!(one.rule.is_some(), "every violation knows its rule");
    }
    out
}

#[track_caller]
fn check(found: &str, expected: &str) {
    assert_eq!(found.trim(), expected.trim(), "found:\n{found}");
}

#[test]
fn slips_say_what_to_write() {
    for (schema, expected) in [
        ("properties: {a: {type: str}}", "1:24 `str` is no type of JSON Schema | write `string` | -> string"),
        ("properties: {a: {type: strng}}", "1:24 `strng` is no type of JSON Schema | write `string` | -> string"),
        ("items: {type: list}", "1:15 `list` is no type of JSON Schema | write `array` | -> array"),
        (
            "type: [string, null]",
            "1:16 `null` without quotes is no text, so it names no type | quote it: `\"null\"` | -> \"null\"",
        ),
        (
            "type: \"list[str]\"",
            "1:7 `list[str]` is no type of JSON Schema | write `type: array` and `items: {type: string}`",
        ),
        (
            "properties: {a: int}",
            "1:17 `int` stands where a schema belongs | write `{type: integer}` | -> {type: integer}",
        ),
        (
            "properties: {a: {type: string, required: true}}",
            "1:42 `required` is a list of names, beside `properties` | remove it here and write `required: [a]` beside the `properties` that hold `a`",
        ),
        ("required: name", "1:11 `required` is a list of names, beside `properties` | write `required: [name]`"),
        (
            "properties: [name, id]",
            "1:13 `properties` is a mapping of names to schemas | write `properties: { name: {type: string} }`",
        ),
        (
            "propertes: {}",
            "1:1 `propertes` is no keyword of JSON Schema and would be ignored | did you mean `properties`? | -> properties",
        ),
        (
            "properties: {a: {type: integer, min: 1}}",
            "1:33 `min` is no keyword of JSON Schema and would be ignored | did you mean `minimum`? | -> minimum",
        ),
        (
            "minLength: many",
            "1:1 `minLength` has a value that JSON Schema does not allow: `many` is not of type `integer` | see the keyword in JSON Schema, draft 2020-12",
        ),
        (
            "pattern: 'a(b'",
            "1:10 the regular expression cannot be used: unclosed group | the syntax is that of Rust's regex crate: no look-around, no back-references; put it in single quotes",
        ),
        ("enum: a", "1:7 `enum` is a list | write `enum: [first, second]`"),
    ] {
        check(&errors(schema), expected);
    }
}

#[test]
fn references_stay_inside_and_never_go_in_circles() {
    for (schema, expected) in [
        ("$ref: other.yaml", "`other.yaml` refers to something outside this schema"),
        ("properties: {a: {$ref: \"https://example.org/s\"}}", "refers to something outside"),
        ("$ref: \"file:///etc/passwd\"", "refers to something outside"),
        ("$ref: \"#/$defs/nme\"\n$defs: {name: {type: string}}", "did you mean `#/$defs/name`?"),
        ("$ref: \"#\"", "go in a circle"),
        (
            "$ref: \"#/$defs/a\"\n$defs: {a: {allOf: [{$ref: \"#/$defs/b\"}]}, b: {not: {$ref: \"#/$defs/a\"}}}",
            "go in a circle",
        ),
    ] {
        let found = errors(schema);
        assert!(found.contains(expected), "{schema}: {found}");
    }
    let tree = "$ref: \"#/$defs/n\"\n$defs: {n: {properties: {next: {$ref: \"#/$defs/n\"}, v: {type: integer}}}}";
    check(
        &violations(tree, "{next: {next: {v: x}}}"),
        "/next/next/v `v` must be a whole number, found the text `x` | write a whole number",
    );
}

#[test]
fn many_references_do_not_multiply() {
    let mut both = String::from("$ref: \"#/$defs/a0\"\n$defs:\n");
    let mut below = both.clone();
    for n in 0..40 {
        let next = format!("{{$ref: \"#/$defs/a{}\"}}", n + 1);
        writeln!(both, "  a{n}: {{allOf: [{next}, {next}]}}").unwrap();
        writeln!(below, "  a{n}: {{properties: {{x: {next}, y: {next}}}}}").unwrap();
    }
    both.push_str("  a40: {}\n");
    below.push_str("  a40: {type: string}\n");
    assert!(errors(&both).contains("too many schemas apply to one value"));
    let deep = (0..40).fold("1".to_owned(), |inner, _| format!("{{x: {inner}}}"));
    assert!(violations(&below, &deep).contains("must be text, found the number `1`"));
}

#[test]
fn a_schema_that_doubles_at_every_level_does_not_hang() {
    let twice = "$ref: \"#/$defs/n\"
$defs: {n: {allOf: [{properties: {x: {$ref: \"#/$defs/n\"}}}, {properties: {x: {$ref: \"#/$defs/n\"}}}]}}";
    let nested = |levels| (0..levels).fold("1".to_owned(), |inner, _| format!("{{x: {inner}}}"));
    assert!(violations(twice, &nested(60)).contains("nested 61 levels deep"));
    assert!(violations(twice, &nested(5)).is_empty());
    let tree = "$ref: \"#/$defs/n\"
$defs: {n: {type: object, properties: {l: {$ref: \"#/$defs/n\"}, x: {anyOf: [{$ref: \"#/$defs/n\"}, {type: integer}]}}}}";
    assert!(violations(tree, &nested(60)).is_empty());
    assert!(violations(tree, &nested(60).replace('1', "no")).contains("`x` is `no`"));
}

#[test]
fn violations_say_what_to_write() {
    let schema = "required: [entities, owner]
additionalProperties: false
properties:
  owner: {type: string, description: Who answers for it.}
  entities:
    type: array
    minItems: 1
    items:
      type: object
      required: [name]
      properties:
        name: {type: string, pattern: '^[a-z]+$'}
        kind: {type: string, enum: [table, view]}
        size: {type: integer, minimum: 1}
        tags: {type: array, items: {type: string}, uniqueItems: true}
        on: {type: boolean}
";
    let value = "entities:
  - {name: Users, kind: tabel, size: 0}
  - {kind: 3, size: '4', tags: a, on: yes}
  - text
  - {name: a, tags: [x, y, x]}
ownr: me
";
    check(
        &violations(schema, value),
        "/entities/0/name `name` is `Users`, which is not allowed | write text that matches ^[a-z]+$
/entities/0/kind `kind` is `tabel`, which is not allowed | did you mean `table`? allowed: `table`, `view`
/entities/0/size `size` is `0`, which is too small | write a number that is at least 1
/entities/1! item 2 of `entities` lacks the required key `name` | add `name: \"text\"`
/entities/1/kind `kind` must be text, found the number `3` | write `\"3\"`
/entities/1/size `size` must be a whole number, found the text `4` | write `4`
/entities/1/tags `tags` must be a list of texts, found the text `a` | write `[\"a\"]`
/entities/1/on `on` must be true or false, found the text `yes` | write `true`
/entities/2 item 3 of `entities` must be a mapping, found the text `text` | write a mapping
/entities/3/tags `tags` has two equal items: `x` (item 3) | remove one of the two
/ownr! unknown key `ownr` in the data | did you mean `owner`?",
    );
    check(&violations(schema, "[]"), " the data must be a mapping, found a list | write a mapping");
    check(
        &violations(schema, "{entities: []}"),
        "! the data lacks the required key `owner` | add `owner: \"text\"` (Who answers for it)
/entities `entities` is a list of 0, which has too few items | give at least 1",
    );
}

#[test]
fn of_several_forms_the_one_that_was_meant_is_explained() {
    let forms =
        "properties: {v: {oneOf: [{type: string}, {type: object, required: [a], properties: {a: {type: integer}}}]}}";
    check(
        &violations(forms, "{v: {a: x}}"),
        "/v/a `a` must be a whole number, found the text `x` | write a whole number",
    );
    check(
        &violations(forms, "{v: 1}"),
        "/v `v` is `1`, which fits none of what the schema allows | write text, or a mapping",
    );
    let tagged = "properties: {v: {anyOf: [{properties: {k: {const: a}, n: {type: string}}, required: [k, n]}, {properties: {k: {const: b}, m: {type: string}}, required: [k, m]}]}}";
    check(&violations(tagged, "{v: {k: b}}"), "/v! `v` lacks the required key `m` | add `m: \"text\"`");
}

#[test]
fn parameters_are_listed_in_order_with_defaults_and_types() {
    let schema =
        compile("properties: {name: {type: string}, fields: {type: array, default: []}, any: {}}\nrequired: [name]")
            .unwrap();
    assert_eq!(schema.properties().collect::<Vec<_>>(), ["name", "fields", "any"]);
    assert_eq!(schema.required().collect::<Vec<_>>(), ["name"]);
    assert_eq!((schema.type_of("name"), schema.type_of("any")), (Some("string"), None));
    assert_eq!(schema.default_of("fields"), Some(&serde_json::json!([])));
    assert!(schema.default_of("name").is_none() && schema.place_of("fields").is_some());
    assert!(schema.violations(&serde_json::json!({"name": "a", "more": 1})).is_empty());
    assert_eq!(schema.violations(&serde_json::json!("a")).len(), 1);
}
