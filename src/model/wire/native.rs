//! The native dialect: a mega-file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;

use super::rule::{ContributionWire, EntryWire, PatternsWire, RuleWire};
use super::scalar::{LooseText, SourcePath};
use super::shape::{CountWire, FreeMapping, StringsWire, union};
use super::words;
use crate::source::decode::{OrderedMap, Raw, Spanned};

/// A megax mega-file: data, rules and templates that expand to many files. Write it instead of the files: every line of
/// a template is paid for once. A minimal one has `id`, `team`, `generator.rules` and `templates`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "megax mega-file", rename = "MegaFile")]
pub struct NativeWire {
    /// The name of this mega-file, unique in the project (letter case ignored): letters, digits, `.`, `_` and `-`, at
    /// most 100 characters, beginning with a letter or digit. Quote it if it is a number.
    #[schemars(regex(pattern = super::NAME_PATTERN), example = &"mega-api-001")]
    pub id: Spanned<String>,
    /// The team that owns the files. It may write only inside the `write_paths` that the project manifest gives it.
    #[schemars(regex(pattern = super::NAME_PATTERN), example = &"beta")]
    pub team: Spanned<String>,
    /// The version of this mega-file, free text that templates can print as `{version}`. Quote it: `"1.10"` without
    /// quotes is the number 1.1.
    #[schemars(example = &"1.0.0")]
    pub version: Option<Spanned<LooseText>>,
    /// What the mega-file makes, for people.
    pub description: Option<Spanned<String>>,
    /// Which files are made.
    pub generator: GeneratorWire,
    /// Named, parameterised groups of files, called by rules with `factory:`.
    pub factories: Option<OrderedMap<Spanned<FactoryWire>>>,
    /// Values for rules and templates: any keys, lists and mappings. Templates read them as `{{ data.KEY }}`, rules as
    /// `for_each: "data.KEY"`.
    #[schemars(with = "Option<FreeMapping>", example = &json!({"entities": [{"name": "users"}]}))]
    pub data: Option<Raw>,
    /// Data read from files of the project (YAML, JSON, TOML or CSV): name to path, relative to the project root. Read
    /// as `{{ data.NAME }}` or `for_each: "data.NAME.KEY"`. A CSV file is a list of mappings whose values are text; its
    /// first line names the keys.
    #[schemars(example = &json!({"spec": "openapi.yaml"}))]
    pub sources: Option<OrderedMap<Spanned<SourcePath>>>,
    /// Values given to the owner of a shared file (a barrel, a route table): slot name to list. The owner's template
    /// loops over `contributions.SLOT`. Use it instead of writing one file from two mega-files, which is an error.
    #[schemars(
        example = &json!({"routes": [{"for_each": "data.entities", "value": {"path": "/{entities}"}}]})
    )]
    pub contributes: Option<OrderedMap<Vec<Spanned<ContributionWire>>>>,
    /// What you expect the mega-file to expand to. A mismatch is a warning.
    pub expansion: Option<ExpansionWire>,
    /// Checks of the data and of the generated files.
    pub validation: Option<ValidationWire>,
    /// The templates by name; files in the project's folder `templates/` are templates too. Write them as block text (`name: |`). `{name}` is a placeholder, `{{ }}` and `{% %}` are
    /// Jinja.
    #[schemars(example = &json!({"dto": "export interface {Entity}Dto {}\n"}))]
    pub templates: Option<OrderedMap<Spanned<TemplateWire>>>,
}

/// The rules, and what they share.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Generator")]
pub struct GeneratorWire {
    /// What the mega-file mostly does. Informative: a rule's keys say what the rule is.
    pub r#type: Option<Spanned<GeneratorType>>,
    /// Named path pieces: `{ api: "src/api/v1/{entity}" }`, used in paths as `{@api}/controller.ts`. Quote the paths.
    pub patterns: Option<Spanned<PatternsWire>>,
    /// The rules, in order. Each makes files by `generate`, `scaffold` or `factory`.
    pub rules: Vec<Spanned<RuleWire>>,
}

words! {
    /// What a mega-file mostly does; informative.
    GeneratorType as "GeneratorType" {
        Template = "template": "files from templates",
        Scaffold = "scaffold": "a literal tree",
        Factory = "factory": "groups of files per item",
    }
}

/// A named group of files with parameters. Its templates and paths see its parameters and `data`, not the caller's
/// loop variable.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Factory")]
pub struct FactoryWire {
    /// What it makes, for people.
    pub description: Option<Spanned<String>>,
    /// The parameters as a JSON Schema of an object: `properties` with types and `default`, and `required`.
    #[schemars(
        with = "Option<FreeMapping>",
        example = &json!({
            "properties": {"name": {"type": "string"}, "fields": {"type": "array", "default": []}},
            "required": ["name"]
        })
    )]
    pub params: Option<Raw>,
    /// The files, as in a rule.
    pub generate: Option<Vec<Spanned<EntryWire>>>,
    /// Rules of its own, for loops inside the factory and for calls of other factories.
    pub rules: Option<Vec<Spanned<RuleWire>>>,
}

/// What you expect the mega-file to expand to. A mismatch is a warning, with `--strict` an error.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Expansion")]
pub struct ExpansionWire {
    /// How many files, or the list of the files.
    #[serde(rename = "targetFiles")]
    #[schemars(example = 16)]
    pub target_files: Option<Spanned<TargetFilesWire>>,
    /// How many lines all files have together: a number or `{min: 800, max: 1000}`.
    #[serde(rename = "totalLines")]
    #[schemars(example = 900)]
    pub total_lines: Option<Spanned<CountWire>>,
    /// The ids of mega-files that this one builds on.
    #[schemars(example = &["mega-core-001"])]
    pub dependencies: Option<Vec<Spanned<String>>>,
}

/// A number of files or the files themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum TargetFilesWire {
    /// How many files.
    #[serde(rename = "integer")]
    Count(Spanned<u64>),
    /// Which files.
    #[serde(rename = "list")]
    Files(Vec<Spanned<FileSpecWire>>),
}

impl JsonSchema for TargetFilesWire {
    fn schema_name() -> Cow<'static, str> {
        "TargetFiles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [u64::json_schema(generator), <Vec<FileSpecWire>>::json_schema(generator)];
        let mut schema = union("a number of files or a list of paths", parts);
        schema.insert("description".into(), "How many files, or the list of the files.".into());
        schema
    }
}

/// An expected file: its path, or its path with more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum FileSpecWire {
    /// The path.
    #[serde(rename = "text")]
    Path(Spanned<String>),
    /// The path with more.
    #[serde(rename = "map")]
    Object(FileSpecObjectWire),
}

/// An expected file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FileSpecObject")]
pub struct FileSpecObjectWire {
    /// The path that the file will have, relative to the output root.
    #[schemars(example = &"src/api/v1/users/controller.ts")]
    pub path: Spanned<String>,
    /// How many lines it has: a number or `{min: .., max: ..}`. A mismatch is a warning.
    pub lines: Option<Spanned<CountWire>>,
    /// What it is for, for people.
    pub description: Option<Spanned<String>>,
}

impl JsonSchema for FileSpecWire {
    fn schema_name() -> Cow<'static, str> {
        "FileSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [String::json_schema(generator), FileSpecObjectWire::json_schema(generator)];
        let mut schema = union("a path, or a mapping with `path`", parts);
        schema.insert("description".into(), "An expected file: its path, or `{path: .., lines: ..}`.".into());
        schema
    }
}

/// Checks that must hold before anything is written.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Validation")]
pub struct ValidationWire {
    /// A JSON Schema (draft 2020-12) that `data` must satisfy. Types are `string`, `integer`, `number`, `boolean`,
    /// `array`, `object`; `required` is a list beside `properties`; `$ref` only to `"#/$defs/NAME"`.
    #[schemars(
        with = "Option<FreeMapping>",
        example = &json!({
            "required": ["entities"],
            "properties": {"entities": {"type": "array", "items": {"type": "object", "required": ["name"]}}}
        })
    )]
    pub schema: Option<Raw>,
    /// Tests of the files that this mega-file generates. If one fails, the team writes nothing.
    #[schemars(example = &json!([{"files": "src/api/**/controller.ts", "count": 4, "contains": "@Controller"}]))]
    pub tests: Option<Vec<Spanned<TestWire>>>,
}

/// A test of the generated files that a glob selects. A test that selects no file fails, unless it says `count: 0`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Test")]
pub struct TestWire {
    /// Which of this mega-file's generated files: a path or a glob (`*` within a folder, `**` across folders), relative
    /// to the output root. No placeholders. Quote it.
    #[schemars(example = &"src/api/**/controller.ts")]
    pub files: Spanned<String>,
    /// So many files match: a number, or a range `{min: 2, max: 8}`.
    #[schemars(example = 4)]
    pub count: Option<Spanned<CountWire>>,
    /// Every one of them contains this text, or all texts of this list. Quote a text that begins with `@`, `{`, `[`,
    /// `&`, `*` or `!`.
    #[schemars(example = &"@Controller")]
    pub contains: Option<StringsWire>,
    /// None of them contains this text, nor any text of this list.
    #[schemars(example = &json!(["TODO", "undefined"]))]
    pub not_contains: Option<StringsWire>,
    /// Every one of them matches this regular expression, or all of this list. `^` and `$` match at every line; write it
    /// in single quotes. No look-around.
    #[schemars(example = &"^export class \\w+")]
    pub matches: Option<StringsWire>,
    /// Every one of them has at least so many lines.
    #[schemars(example = 20)]
    pub min_lines: Option<Spanned<u64>>,
    /// Every one of them has at most so many lines.
    #[schemars(example = 200)]
    pub max_lines: Option<Spanned<u64>>,
    /// `true`: every one of them is valid JSON, YAML or TOML, by its extension. Files in other languages are not checked,
    /// and a note says so.
    pub parses: Option<Spanned<bool>>,
}

/// A template: its text, or a mapping that also says how to read it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum TemplateWire {
    /// The text.
    #[serde(rename = "text")]
    Text(Spanned<String>),
    /// The object form.
    #[serde(rename = "map")]
    Object(TemplateObjectWire),
}

/// The object form of a template.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateObject")]
pub struct TemplateObjectWire {
    /// The text of the template, as block text (`text: |`).
    pub text: Spanned<String>,
    /// How the text is read; `auto` unless told.
    pub syntax: Option<Spanned<Syntax>>,
    /// Words that stay as they are in single braces: `[id]` leaves `{id}` alone and silences the warning about it.
    #[schemars(example = &["id"])]
    pub literal: Option<Vec<Spanned<String>>>,
    /// More names that `{name}` may stand for, besides the loop variable, parameters and `with` keys.
    pub placeholders: Option<Vec<Spanned<String>>>,
    /// Plurals for `{entities}` where the English rules fail: singular to plural. A field `plural` of the item wins.
    #[schemars(example = &json!({"staff": "staff"}))]
    pub plural: Option<OrderedMap<Spanned<String>>>,
    /// What the template is for, for people.
    pub description: Option<Spanned<String>>,
}

impl JsonSchema for TemplateWire {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [String::json_schema(generator), TemplateObjectWire::json_schema(generator)];
        let mut schema = union("text (write `name: |` and indent the lines), or a mapping with `text`", parts);
        let about = "A template. As block text, or as `{syntax: jinja, literal: [id], text: \"..\"}`. In the text \
            `{entity}` \
                     is the item, `{Entity}` in Pascal case, `{ENTITY}` in screaming snake case, `{entities}` the \
                     plural, \
                     `{entity.field}` a field; `{{ entity.field }}` and `{% for f in entity.fields %}` are Jinja. \
                     Other \
                     braces stay as they are.";
        schema.insert("description".into(), about.into());
        schema
    }
}

words! {
    /// How the text of a template is read.
    Syntax as "Syntax" {
        Auto = "auto": "megax looks (the default)",
        Both = "both": "placeholders and Jinja",
        Jinja = "jinja": "Jinja only; single braces stay",
        Placeholder = "placeholder": "placeholders only; double braces stay",
        Raw = "raw": "nothing is replaced",
        Brackets = "brackets": "[[ ]] and [% %] instead of braces, for texts full of braces",
    }
}
