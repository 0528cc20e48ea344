//! Rules of the native dialect: loops, the files they make, scaffolds, and contributions.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;

use super::scalar::ConditionWire;
use super::shape::{FreeMapping, union};
use super::words;
use crate::source::decode::{OrderedMap, Raw, Spanned};

/// A rule: makes files by `generate` (from templates), `scaffold` (a literal tree) or `factory` (a named group), once,
/// or once per item of `for_each`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule", transform = needs_a_producer)]
pub struct RuleWire {
    /// What the rule is. May be left out: its keys say so.
    pub r#type: Option<Spanned<RuleType>>,
    /// What to loop over. A list `[users, orders]`; or an expression over data as text, `"data.entities"` (a mapping
    /// loops as `{name: KEY, ...}`); or a mapping of lists, `{entity: [users, orders], lang: [ts, py]}`, for every
    /// combination. Without it the rule runs once.
    #[schemars(with = "Option<ForEachSchema>")]
    pub for_each: Option<Raw>,
    /// The name of the loop variable in paths and templates; `entity` unless told. Not used with a mapping of lists.
    #[schemars(regex(pattern = super::VARIABLE_PATTERN), example = &"entity")]
    pub r#as: Option<Spanned<String>>,
    /// Only the items for which this Jinja expression is true. Quote it, and give no `{{ }}`.
    #[schemars(example = &"entity != 'payments'")]
    pub when: Option<Spanned<ConditionWire>>,
    /// The files to make: a list in which every entry is `- TEMPLATE: "PATH"` or a mapping with `path`.
    #[schemars(example = &json!([{"controller": "src/api/{entity}/controller.ts"}]))]
    pub generate: Option<Vec<Spanned<EntryWire>>>,
    /// A literal tree of folders and files.
    #[schemars(
        with = "Option<FolderSchema>",
        example = &json!({"src/shared": {"index.ts": {"template": "index"}, "empty/": {}}})
    )]
    pub scaffold: Option<Raw>,
    /// The name of a factory to call.
    #[schemars(example = &"crud")]
    pub factory: Option<Spanned<String>>,
    /// Arguments for the factory, or more names for the templates. A text that is exactly `"{{ expression }}"` keeps
    /// the type of its value, so lists and mappings can be passed on. Quote the braces.
    #[schemars(
        with = "Option<FreeMapping>",
        example = &json!({"name": "{entity}", "fields": "{{ entity.fields }}"})
    )]
    pub with: Option<Raw>,
    /// Named path pieces for this rule only.
    pub patterns: Option<Spanned<PatternsWire>>,
    /// `true`: no warning if the loop is empty.
    pub allow_empty: Option<Spanned<bool>>,
    /// Plurals for `{entities}` where the English rules fail: singular to plural. A field `plural` of the item wins.
    #[schemars(example = &json!({"staff": "staff"}))]
    pub plural: Option<OrderedMap<Spanned<String>>>,
}

words! {
    /// What a rule is; informative.
    RuleType as "RuleType" {
        ForEach = "for_each": "a loop",
        Generate = "generate": "files from templates",
        Template = "template": "the same as generate",
        Scaffold = "scaffold": "a literal tree",
        Factory = "factory": "a call of a factory",
    }
}

/// A rule without `generate`, `scaffold` and `factory` makes nothing.
fn needs_a_producer(schema: &mut Schema) {
    let other = json!({ "anyOf": [{ "required": ["scaffold"] }, { "required": ["factory"] }] });
    schema.insert("if".into(), other);
    let hint = "a rule needs `generate`, `scaffold` or `factory`";
    schema.insert("then".into(), true.into());
    schema.insert("else".into(), json!({ "required": ["generate"], "x-hint": hint }));
}

/// Schema only: what a rule loops over.
struct ForEachSchema;

impl JsonSchema for ForEachSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ForEach".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "object", "string"],
            "additionalProperties": {
                "type": ["array", "string"],
                "x-expected": "a list or an expression (text)"
            },
            "x-expected": "a list, a mapping of lists or an expression (text)",
            "examples": [["users", "orders"], "data.entities", { "entity": ["users", "orders"], "lang": ["ts", "py"] }]
        })
    }
}

/// Schema only: the entries of a folder.
struct FolderSchema;

impl JsonSchema for FolderSchema {
    fn schema_name() -> Cow<'static, str> {
        "Folder".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A folder: names (or paths) to what is there. Text is a file's content, a mapping is a \
               folder, a \
                            mapping with `template`, `content` or `copy` is a file, and a key that ends in `/` is a \
                            folder \
                            in any case.",
            "type": "object",
            "patternProperties": { "/$": generator.subschema_for::<Self>() },
            "additionalProperties": generator.subschema_for::<ScaffoldSchema>(),
            "x-expected": "a mapping of names to texts and folders"
        })
    }
}

/// Schema only: a file or a folder.
struct ScaffoldSchema;

impl JsonSchema for ScaffoldSchema {
    fn schema_name() -> Cow<'static, str> {
        "ScaffoldEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let file = json!({ "anyOf": [
            { "type": "string" }, { "required": ["template"] }, { "required": ["content"] }, { "required": ["copy"] }
        ]});
        json_schema!({
            "description": "Text (the content of a file), a mapping with `template`, `content` or `copy` (a file), \
               or any \
                            other mapping (a folder).",
            "type": ["string", "object"],
            "x-expected": "text (the content of a file) or a mapping (a folder); for an empty file write \"\"",
            "if": file,
            "then": generator.subschema_for::<ScaffoldFileSchema>(),
            "else": generator.subschema_for::<FolderSchema>()
        })
    }
}

/// A file in a scaffold.
#[derive(JsonSchema)]
#[schemars(rename = "ScaffoldFile", deny_unknown_fields, transform = only_if_mapping)]
#[expect(dead_code, reason = "describes the schema; the tree is read as it is")]
struct ScaffoldFileSchema {
    /// The template that makes the content.
    template: Option<String>,
    /// The content itself, with placeholders.
    content: Option<String>,
    /// A file of the project whose bytes are copied.
    copy: Option<String>,
    /// Make the file only if this Jinja expression is true.
    when: Option<ConditionWire>,
    /// More names for the template.
    #[schemars(with = "Option<FreeMapping>")]
    with: Option<Raw>,
    /// The mode of the file.
    mode: Option<Mode>,
    /// `true`: written only if absent, then it belongs to the user.
    once: Option<bool>,
}

fn only_if_mapping(schema: &mut Schema) {
    schema.remove("type");
}

/// One file to make: a pair `TEMPLATE: "PATH"`, or a mapping with `path`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum EntryWire {
    /// A mapping with `path`.
    #[serde(rename = "map.path")]
    Object(EntryObjectWire),
    /// A pair; after validation it has exactly one entry, template name to path.
    #[serde(rename = "map")]
    Pair(OrderedMap<Spanned<String>>),
}

impl EntryWire {
    /// Template and path of the pair form.
    #[must_use]
    pub fn pair(&self) -> Option<(&Spanned<String>, &Spanned<String>)> {
        match self {
            Self::Pair(pair) => pair.0.first().map(|(template, path)| (template, path)),
            Self::Object(_) => None,
        }
    }
}

/// The object form of a file to make. Give exactly one of `template`, `content` and `copy`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GenerateObject", transform = needs_a_body)]
pub struct EntryObjectWire {
    /// The path of the file, relative to the output root, with placeholders and Jinja. Quote it: `{` begins a mapping
    /// in YAML.
    #[schemars(example = &"src/dto/{entity}.dto.ts")]
    pub path: Spanned<String>,
    /// The name of the template.
    #[schemars(example = &"dto")]
    pub template: Option<Spanned<String>>,
    /// The content itself instead of a template, with placeholders and Jinja.
    #[schemars(example = &"export {};\n")]
    pub content: Option<Spanned<String>>,
    /// A file of the project whose bytes are copied, relative to the project root.
    #[schemars(example = &"logo.svg")]
    pub copy: Option<Spanned<String>>,
    /// Make the file only if this Jinja expression is true. Quote it, and give no `{{ }}`.
    #[schemars(example = &"entity.public")]
    pub when: Option<Spanned<ConditionWire>>,
    /// More names for the template and the path. A text that is exactly `"{{ expression }}"` keeps the type of its
    /// value.
    #[schemars(with = "Option<FreeMapping>")]
    pub with: Option<Raw>,
    /// The mode of the file; `regular` unless told.
    pub mode: Option<Spanned<Mode>>,
    /// `true`: written only if absent, then it belongs to the user and is never touched again.
    pub once: Option<Spanned<bool>>,
}

fn needs_a_body(schema: &mut Schema) {
    let other = json!({ "anyOf": [{ "required": ["content"] }, { "required": ["copy"] }] });
    let hint = "an entry with `path` needs one of `template`, `content` and `copy`";
    schema.insert("if".into(), other);
    schema.insert("then".into(), true.into());
    schema.insert("else".into(), json!({ "required": ["template"], "x-hint": hint }));
}

impl JsonSchema for EntryWire {
    fn schema_name() -> Cow<'static, str> {
        "GenerateEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One file to make (per item): a pair `TEMPLATE: \"PATH\"`, or a mapping with `path`. \
               Quote paths \
                            with placeholders.",
            "type": "object",
            "x-expected": "a pair `template: \"path\"`, or a mapping with `path`",
            "examples": [
                { "controller": "src/api/{entity}/controller.ts" },
                { "template": "dto", "path": "src/dto/{entity}.dto.ts", "when": "entity.public" },
                { "content": "export {};\n", "path": "src/index.ts" }
            ],
            "if": { "required": ["path"] },
            "then": generator.subschema_for::<EntryObjectWire>(),
            "else": {
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": { "type": "string", "x-expected": "the path (text, quoted)" }
            }
        })
    }
}

words! {
    /// The mode of a file.
    Mode as "Mode" {
        Regular = "regular": "an ordinary file",
        Executable = "executable": "a file that can be run",
    }
}

/// Named path pieces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum PatternsWire {
    /// Name to path.
    #[serde(rename = "map")]
    Map(OrderedMap<Spanned<String>>),
    /// A list of names and paths.
    #[serde(rename = "list")]
    List(Vec<Spanned<PatternWire>>),
}

/// A named path piece in list form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pattern")]
pub struct PatternWire {
    /// Its name, used in paths as `{@name}`.
    #[schemars(example = &"api")]
    pub name: Spanned<String>,
    /// The path piece. Quote it.
    #[schemars(example = &"src/api/v1/{entity}")]
    pub path: Spanned<String>,
}

impl PatternsWire {
    /// Names and paths in document order, whichever form was written.
    pub fn pairs(&self) -> impl Iterator<Item = (&Spanned<String>, &Spanned<String>)> {
        let (map, list) = match self {
            Self::Map(map) => (map.0.as_slice(), [].as_slice()),
            Self::List(list) => ([].as_slice(), list.as_slice()),
        };
        map.iter().map(|(name, path)| (name, path)).chain(list.iter().map(|item| (&item.value.name, &item.value.path)))
    }
}

impl JsonSchema for PatternsWire {
    fn schema_name() -> Cow<'static, str> {
        "Patterns".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [<OrderedMap<String>>::json_schema(generator), <Vec<PatternWire>>::json_schema(generator)];
        let mut schema = union("a mapping of names to paths, or a list of {name, path}", parts);
        schema
            .insert("description".into(), "Named path pieces, used in paths as `{@name}/file.ts`. Quote them.".into());
        schema.insert("examples".into(), json!([{ "api": "src/api/v1/{entity}" }]));
        schema
    }
}

/// A value for the owner of a shared file, once or per item.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Contribution")]
pub struct ContributionWire {
    /// What to loop over, as in a rule. Without it the value is given once.
    #[schemars(with = "Option<ForEachSchema>")]
    pub for_each: Option<Raw>,
    /// The name of the loop variable; `entity` unless told.
    #[schemars(regex(pattern = super::VARIABLE_PATTERN))]
    pub r#as: Option<Spanned<String>>,
    /// Only the items for which this Jinja expression is true.
    pub when: Option<Spanned<ConditionWire>>,
    /// The value: text, a list or a mapping, with placeholders. Quote texts with braces.
    #[schemars(example = &json!({"path": "/{entities}"}))]
    pub value: Raw,
}
