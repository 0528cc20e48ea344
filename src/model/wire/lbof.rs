//! The LBOF dialect, as teams write it. Unknown keys are kept as they are: here they are data or get a warning later.

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::LooseText;
use super::shape::{AmountWire, FreeMapping, StringsWire};
use super::words;
use crate::source::decode::{OrderedMap, Raw, Spanned};

/// A mega-file in the LBOF dialect: `expansion_rules` list the items, `generation_templates` make every template once
/// per item. For new files the native dialect says more. Any other top-level mapping whose values have `output_path`
/// and `template` is generated once each.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(title = "megax mega-file (LBOF dialect)", rename = "LbofMegaFile")]
pub struct LbofWire {
    /// The name of this mega-file, unique in the project (letter case ignored): letters, digits, `.`, `_` and `-`, at
    /// most 100 characters. Quote it if it is a number.
    #[schemars(regex(pattern = super::NAME_PATTERN), example = &"mega-api-001")]
    pub id: Spanned<String>,
    /// The team that owns the files.
    #[schemars(regex(pattern = super::NAME_PATTERN), example = &"beta")]
    pub team: Spanned<String>,
    /// The version of this mega-file. Quote it: `"1.10"` without quotes is the number 1.1.
    #[schemars(example = &"1.0.0")]
    pub version: Option<Spanned<LooseText>>,
    /// What the mega-file makes; templates print it as `{description}` unless the item has one.
    pub description: Option<Spanned<String>>,
    /// Ignored: megax computes its own digests.
    pub checksum: Option<Raw>,
    /// Facts about the mega-file.
    pub metadata: Option<Spanned<LbofMetadataWire>>,
    /// Ignored: numbers are measured, never read.
    pub expansion_stats: Option<Raw>,
    /// The items to loop over.
    pub expansion_rules: Spanned<LbofRulesWire>,
    /// The templates by name; every one is made once per item.
    pub generation_templates: OrderedMap<Spanned<LbofTemplateWire>>,
    /// Checks by name, before and after generation.
    pub validation: Option<Spanned<LbofValidationWire>>,
    /// Every other key in document order: more templates, or unknown.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// Facts about the mega-file; they are compared with what is generated.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofMetadata")]
pub struct LbofMetadataWire {
    /// What the mega-file makes.
    pub description: Option<Spanned<String>>,
    /// How many files you expect; a mismatch is a warning.
    pub estimated_files: Option<AmountWire>,
    /// How many lines you expect; a mismatch is a warning.
    pub estimated_loc: Option<AmountWire>,
    /// Mega-files that this one builds on: `ID` or `TEAM/ID`.
    #[schemars(example = &serde_json::json!(["alpha/mega-core-001"]))]
    pub dependencies: Option<StringsWire>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// The items to loop over: `entities`, or one other list of mappings under any key, or `patterns`; further lists are
/// data for Jinja, by their bare name.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofRules")]
pub struct LbofRulesWire {
    /// The items: mappings with `name`. Every key of an item is a placeholder: `{name}`, `{Name}`, `{description}`.
    #[schemars(with = "Option<Vec<LbofEntitySchema>>")]
    pub entities: Option<Vec<Raw>>,
    /// Numbered items.
    pub patterns: Option<Vec<Spanned<LbofPatternWire>>>,
    /// Folders and single files.
    pub scaffold: Option<Spanned<LbofScaffoldWire>>,
    /// Every other key in document order: the list to loop over when there are no `entities`, and data.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// An item. More keys are fields for the templates.
#[derive(JsonSchema)]
#[schemars(rename = "LbofEntity")]
#[expect(dead_code, reason = "describes the schema; items are read as data")]
struct LbofEntitySchema {
    /// The name of the item: `{Entity}` as it is, `{entity}` in lower case.
    #[schemars(example = &"User")]
    name: String,
    /// The plural for `{entities}`; lower case and `s` unless told.
    #[schemars(example = &"users")]
    plural: Option<String>,
    /// The fields of the item.
    attributes: Option<Vec<LbofAttributeSchema>>,
}

/// A field of an item. More keys are data for the templates.
#[derive(JsonSchema)]
#[schemars(rename = "LbofAttribute")]
#[expect(dead_code, reason = "describes the schema; items are read as data")]
struct LbofAttributeSchema {
    /// The name of the field.
    #[schemars(example = &"email")]
    name: String,
    /// Its type: uuid, string, text, enum, integer, decimal, boolean, timestamp, array, or any other word. Templates
    /// see the TypeScript type as `tsType`.
    r#type: Option<String>,
    /// Whether it must be given.
    required: Option<bool>,
}

/// Numbered items: `prefix` and a number from `start` to `end`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofPattern")]
pub struct LbofPatternWire {
    /// Always `range`.
    pub r#type: Spanned<LbofPatternType>,
    /// What the names begin with.
    #[schemars(example = &"migration_")]
    pub prefix: Option<Spanned<LooseText>>,
    /// The first number.
    pub start: Spanned<i64>,
    /// The last number, inclusive.
    pub end: Spanned<i64>,
    /// The templates to make per number. They leave the loop over the items.
    pub templates: Option<StringsWire>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

words! {
    /// The kind of a pattern.
    LbofPatternType as "LbofPatternType" {
        Range = "range": "numbers from `start` to `end`, inclusive",
    }
}

/// Folders and single files.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofScaffold")]
pub struct LbofScaffoldWire {
    /// Folders to make.
    pub directories: Option<StringsWire>,
    /// Templates to make once. They leave the loop over the items.
    pub files: Option<Vec<Spanned<LbofScaffoldFileWire>>>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// A template to make once.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofScaffoldFile")]
pub struct LbofScaffoldFileWire {
    /// The name of the template in `generation_templates`.
    pub template: Spanned<String>,
    /// Names for the template.
    #[schemars(with = "Option<FreeMapping>")]
    pub context: Option<Raw>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// A template and the path of its files.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofTemplate")]
pub struct LbofTemplateWire {
    /// The path, relative to the output root, with placeholders. Quote it.
    #[schemars(example = &"src/core/entities/{entity}.entity.ts")]
    pub output_path: Spanned<String>,
    /// The text, as block text (`template: |`).
    pub template: Spanned<String>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// Checks by name. megax runs its own checks of these names; commands are never run.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofValidation")]
pub struct LbofValidationWire {
    /// Before generation: `entity_names_unique`, `attributes_valid`, `references_exist`.
    pub pre_generation: Option<Vec<Spanned<LbofCheckWire>>>,
    /// After generation: `files_compile`, `tests_valid`, `imports_resolve`.
    pub post_generation: Option<Vec<Spanned<LbofCheckWire>>>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "LbofCheck")]
pub struct LbofCheckWire {
    /// Its name; an unknown one is a warning.
    #[schemars(example = &"entity_names_unique")]
    pub check: Spanned<String>,
    /// The message when it fails.
    pub error: Option<Spanned<String>>,
    /// Never run from a mega-file.
    pub command: Option<Spanned<String>>,
    /// Every other key in document order.
    #[serde(rename = "$megax::rest")]
    #[schemars(skip)]
    pub rest: OrderedMap<Raw>,
}
