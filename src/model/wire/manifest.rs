//! The project manifest: `megax.yaml` or `team-coordination-manifest.yaml`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;

use super::scalar::LooseText;
use super::shape::{AmountWire, FreeMapping, StringsWire, union};
use super::words;
use crate::limit::{Limit, OutOfRange};
use crate::source::decode::{OrderedMap, Raw, Spanned};

/// The project manifest: who may write where, and what every mega-file shares. It lies in the project root as
/// `megax.yaml` or `team-coordination-manifest.yaml`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "megax project manifest", rename = "Manifest")]
pub struct ManifestWire {
    /// The name of the project, or facts about it, for people.
    pub project: Option<Raw>,
    /// The version of the manifest, for people.
    pub version: Option<Spanned<LooseText>>,
    /// What the project is, for people.
    pub description: Option<Spanned<String>>,
    /// Facts about the project, for people.
    pub metadata: Option<Raw>,
    /// The seed of `random_id()`, `random_int()` and `uuid()` in templates; any text or number.
    #[schemars(example = 42)]
    pub seed: Option<Spanned<LooseText>>,
    /// Values for every mega-file: any keys.
    #[schemars(with = "Option<FreeMapping>", example = &json!({"company": "Acme"}))]
    pub vars: Option<Raw>,
    /// The folder of the mega-files, relative to the project root; `megafiles/` unless told. Every `*.yaml` and `*.yml`
    /// below it is a mega-file.
    #[schemars(example = &"megafiles/")]
    pub megafiles: Option<Spanned<String>>,
    /// What to do with generated files that were edited since. The first entry whose `files` match counts; `--on-edit` on
    /// the command line wins over all.
    #[schemars(example = &json!([{ "files": "docs/**", "policy": "keep" }]))]
    pub on_edit: Option<Vec<Spanned<OnEditWire>>>,
    /// What a run may cost, by the names of limits; `--limit NAME=N` on the command line wins. `megax explain limits`
    /// lists them.
    #[schemars(with = "Option<LimitsSchema>", example = &json!({ "files_per_rule": 80_000 }))]
    pub limits: Option<OrderedMap<Spanned<u64>>>,
    /// The teams: a mapping of names to teams, or a list of teams with `name`. A mega-file of a team that is not here
    /// is an error.
    pub teams: Option<Spanned<TeamsWire>>,
    /// How teams work together, for the orchestrator.
    pub coordination_rules: Option<Spanned<CoordinationWire>>,
    /// What teams agree on: artefacts between them.
    #[schemars(example = &json!([{ "name": "API", "between": ["alpha", "beta"], "artifact": "/contracts/api.yaml" }]))]
    pub integration_points: Option<Vec<Spanned<IntegrationPointWire>>>,
}

/// Every limit with its bounds.
struct LimitsSchema;

impl JsonSchema for LimitsSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |limit: &Limit| {
            let what = json!({
                "description": limit.title(),
                "type": "integer",
                "minimum": 1,
                "maximum": limit.most(),
                "default": limit.default(),
                "x-hint": OutOfRange(*limit).to_string(),
            });
            (limit.name().to_owned(), what)
        };
        let properties: serde_json::Map<_, _> = Limit::ALL.iter().map(property).collect();
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}

/// What to do with edited files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OnEdit")]
pub struct OnEditWire {
    /// Which generated files: a glob, or a list of globs. Quote them.
    #[schemars(example = &"docs/**")]
    pub files: StringsWire,
    /// What to do.
    pub policy: Spanned<EditPolicy>,
}

words! {
    /// What to do with a generated file that was edited since.
    EditPolicy as "EditPolicy" {
        Fail = "fail": "stop with an error (the default)",
        Keep = "keep": "leave the edit",
        Overwrite = "overwrite": "replace the edit; the old content can be brought back",
        Merge = "merge": "merge the edit with the new content line by line; where both changed the same lines, stop with an error",
    }
}

/// The teams, as a mapping or as a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum TeamsWire {
    /// Name to team.
    #[serde(rename = "map")]
    Map(OrderedMap<Spanned<TeamWire>>),
    /// Teams with `name`, or plain names.
    #[serde(rename = "list")]
    List(Vec<Spanned<TeamItemWire>>),
}

/// An entry of the list form.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum TeamItemWire {
    /// Only its name.
    #[serde(rename = "text")]
    Name(Spanned<String>),
    /// A team with `name`.
    #[serde(rename = "map")]
    Team(Box<TeamWire>),
}

impl JsonSchema for TeamItemWire {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TeamItem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut team = generator.subschema_for::<TeamWire>();
        let named = json!({ "required": ["name"], "x-hint": "a team in a list needs `name`" });
        team.insert("allOf".into(), json!([named]));
        json_schema!({
            "type": ["object", "string"],
            "x-expected": "a team (a mapping with `name`) or the name of one",
            "if": { "type": "object" },
            "then": team,
            "else": { "pattern": super::NAME_PATTERN }
        })
    }
}

impl JsonSchema for TeamsWire {
    fn schema_name() -> Cow<'static, str> {
        "Teams".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [<OrderedMap<TeamWire>>::json_schema(generator), <Vec<TeamItemWire>>::json_schema(generator)];
        let mut schema = union("a mapping of names to teams, or a list of teams", parts);
        schema.insert("propertyNames".into(), json!({ "pattern": super::NAME_PATTERN }));
        let about = "The teams: name to team, a list of teams with `name`, or a list of plain names.";
        schema.insert("description".into(), about.into());
        schema.insert("examples".into(), json!([{ "beta": { "boundaries": { "write_paths": ["/src/api/"] } } }]));
        schema
    }
}

/// A team: where it may write, on whom it depends, and what is expected of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Team", example = &json!({ "output": ["/src/api/"], "dependencies": ["alpha"] }))]
pub struct TeamWire {
    /// The name of the team, for people; in the list form also the name that mega-files give, unless there is a `code`.
    /// `Alpha`, `alpha`, `team-alpha` and `Alpha Team` are one team, and `name`, `code` and `id` all mean it.
    #[schemars(example = &"Alpha")]
    pub name: Option<Spanned<String>>,
    /// The name that mega-files give as their `team`, in the list form; another name of the team otherwise.
    #[schemars(regex(pattern = super::NAME_PATTERN))]
    pub code: Option<Spanned<String>>,
    /// Another name of the team.
    #[schemars(regex(pattern = super::NAME_PATTERN), example = &"team-beta")]
    pub id: Option<Spanned<String>>,
    /// What the team does, for people.
    pub responsibility: Option<Spanned<String>>,
    /// What the team does, for people.
    pub description: Option<Spanned<String>>,
    /// The rank of the team: a number or a word.
    #[schemars(example = 1)]
    pub priority: Option<Spanned<LooseText>>,
    /// The teams it builds on: a list, `none`, or `all` (every team that does not itself say `all`). No circles.
    #[schemars(example = &json!(["alpha"]))]
    pub dependencies: Option<StringsWire>,
    /// What the team can do.
    pub capabilities: Option<Spanned<CapabilitiesWire>>,
    /// Where the team may write and read.
    pub boundaries: Option<Spanned<BoundariesWire>>,
    /// What is expected of the team.
    pub deliverables: Option<Spanned<DeliverablesWire>>,
    /// Short for `boundaries.write_paths`: the folders it may write.
    #[schemars(example = &json!(["/src/api/"]))]
    pub output: Option<StringsWire>,
    /// Short for `deliverables.expected_output.total_loc`.
    #[schemars(example = &json!("8000-10000"))]
    pub lines_of_code: Option<AmountWire>,
    /// Files it usually writes, as globs; one outside of all of them is a warning only.
    #[schemars(example = &json!(["api/app/routes/*.py"]))]
    pub typical_files: Option<StringsWire>,
    /// Whether it can work beside the others.
    pub safe_parallel: Option<Spanned<bool>>,
}

/// What a team can do.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Capabilities")]
pub struct CapabilitiesWire {
    /// At most so many files in one run. More is an error, and nothing of the team is written.
    #[schemars(example = 1000)]
    pub max_files: Option<AmountWire>,
    /// At most so many lines in one run. More is an error, and nothing of the team is written.
    #[schemars(example = 10000)]
    pub max_loc: Option<AmountWire>,
    /// Programming languages.
    pub languages: Option<StringsWire>,
    /// Frameworks.
    pub frameworks: Option<StringsWire>,
    /// What it is best at.
    pub specialties: Option<StringsWire>,
}

/// Where a team may write and read. Globs from the output root; a leading `/` is the root, a trailing `/` means
/// everything below.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Boundaries")]
pub struct BoundariesWire {
    /// Where it may write. A file elsewhere is an error.
    #[schemars(example = &json!(["/src/api/", "/src/middleware/"]))]
    pub write_paths: Option<StringsWire>,
    /// Where it may read, for the agents.
    #[schemars(example = &json!(["/src/shared/"]))]
    pub read_paths: Option<StringsWire>,
    /// Where it may never write, also inside `write_paths`.
    #[schemars(example = &json!(["/src/core/"]))]
    pub forbidden_paths: Option<StringsWire>,
    /// Which files that other tools execute or obey it may write, besides those that a write path names itself
    /// (`/.github/workflows/`). Everything else of that sort is an error; `megax explain MX510` lists it.
    #[schemars(example = &json!(["ci"]))]
    pub grants: Option<Vec<Spanned<GrantKind>>>,
}

words! {
    /// A kind of files that other tools execute or obey.
    GrantKind as "Grant" {
        Ci = "ci": "what continuous integration runs, such as `.github/workflows/`",
        Hooks = "hooks": "what git runs at a commit or push, such as `.husky/`",
        Editor = "editor": "what an editor takes from a folder that it opens, such as `.vscode/`",
        Agents = "agents": "what coding agents obey, such as `AGENTS.md`",
        Environment = "environment": "what shells, debuggers and desktops run, such as `.envrc`",
        Build = "build": "what package managers run or obey unasked, such as `build.rs` and `.npmrc`",
        Repository = "repository": "what git itself and its hosts obey, such as `.gitattributes`",
    }
}

/// What is expected of a team.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Deliverables")]
pub struct DeliverablesWire {
    /// The mega-files it writes: their ids or file names, or how many. What is missing is named in runs over the whole
    /// project.
    #[schemars(example = &json!(["mega-api-001"]))]
    pub mega_files: Option<MegaFilesWire>,
    /// How much it makes.
    pub expected_output: Option<Spanned<ExpectedOutputWire>>,
}

/// The mega-files of a team, by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum MegaFilesWire {
    /// How many.
    #[serde(rename = "integer")]
    Count(Spanned<u64>),
    /// Ids, file names, or mappings that hold one.
    #[serde(rename = "list")]
    List(Spanned<Vec<Raw>>),
}

impl JsonSchema for MegaFilesWire {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MegaFiles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [u64::json_schema(generator), <Vec<Raw>>::json_schema(generator)];
        union("a list of ids or file names, or a whole number", parts)
    }
}

/// How much a team makes. More than the upper end is a warning; less than the lower end is one in runs over the whole
/// project, when all of the team's mega-files are there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExpectedOutput")]
pub struct ExpectedOutputWire {
    /// How many files.
    #[schemars(example = &json!("120-150"))]
    pub total_files: Option<AmountWire>,
    /// How many lines.
    #[schemars(example = &json!("8000-10000"))]
    pub total_loc: Option<AmountWire>,
    /// How much of the code tests cover; megax does not measure it.
    #[schemars(example = &json!("90%"))]
    pub test_coverage: Option<AmountWire>,
}

/// How teams work together, for the orchestrator; megax checks the names of the teams only.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CoordinationRules")]
pub struct CoordinationWire {
    /// How teams talk.
    pub communication: Option<Raw>,
    /// The phases in order.
    pub integration_sequence: Option<Vec<Spanned<PhaseWire>>>,
    /// Who decides.
    pub conflict_resolution: Option<Raw>,
    /// What must hold between phases.
    pub validation_gates: Option<Raw>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase")]
pub struct PhaseWire {
    /// Its number or name.
    #[schemars(example = 1)]
    pub phase: Option<Spanned<LooseText>>,
    /// The teams that work in it.
    #[schemars(example = &json!(["alpha", "beta"]))]
    pub teams: Option<StringsWire>,
    /// How long it takes, for people.
    #[schemars(example = &"15 min")]
    pub duration: Option<Spanned<LooseText>>,
}

/// An artefact that teams agree on; generated by one team or written by hand.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IntegrationPoint")]
pub struct IntegrationPointWire {
    /// Its name.
    #[schemars(example = &"API_CONTRACTS")]
    pub name: Spanned<String>,
    /// The teams; `all` means every team.
    #[schemars(example = &json!(["alpha", "beta"]))]
    pub between: StringsWire,
    /// The artefact: a file, a folder or a glob, from the output root. One of the teams generates it, or it is written by
    /// hand.
    #[schemars(example = &"/contracts/api/openapi.yaml")]
    pub artifact: Option<Spanned<String>>,
    /// What it is, for people.
    pub description: Option<Spanned<String>>,
}
