//! `megax schema`: prints a JSON Schema.

use clap::{Args, ValueEnum};
use megax::model::schema::{self, SchemaName};
use megax::report::{
    Outcome, brief, doctor, explanation, guard, history, hooks, json, made, mend, recovery, review, snapshot,
    status_json, synopsis, watch,
};
use serde_json::Value;

use crate::terminal;

#[derive(Debug, Args)]
pub struct Schema {
    /// Which one
    #[arg(value_enum)]
    pub name: Named,
    /// The form of the schema
    #[arg(long, value_enum, default_value_t = SchemaForm::Json)]
    pub format: SchemaForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaForm {
    /// JSON Schema 2020-12, the only form
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Named {
    /// Mega-files of the native dialect (`generator`, `templates`)
    MegaFile,
    /// Mega-files of the LBOF dialect (`expansion_rules`, `generation_templates`)
    Lbof,
    /// The project manifest
    Manifest,
    /// The document of `expand`, `plan`, `apply` and `validate` with `--format json`
    Report,
    /// The document of `explain` with `--format json`
    Explanation,
    /// The document of `init`, `new` and `brief --templates` with `--format json`
    Made,
    /// The document that `brief --format json` prints
    Brief,
    /// The document that `snapshot --format json` prints
    Snapshot,
    /// The document that `status --format json` prints
    Status,
    /// The document that `review --format json` prints
    Review,
    /// The document that `review --integration-manifest` writes
    IntegrationManifest,
    /// The document that `doctor --format json` prints
    Doctor,
    /// The document that `validate --brief --format json` prints
    Synopsis,
    /// A line that `watch --format json` prints
    Watch,
    /// The document that `recover --format json` prints
    Recovery,
    /// The document that `repair`, `detach` and `adopt` print with `--format json`
    Mend,
    /// The document that `log`, `undo`, `rollback`, `checkpoint` and `gc` print with `--format json`
    Log,
    /// The document that `guard --format json` prints
    Guard,
    /// The document that `hooks --format json` prints
    Hooks,
}

/// Prints the schema that was asked for.
pub fn schema(args: &Schema) -> Outcome {
    let SchemaForm::Json = args.format;
    terminal::judge(Outcome::Done, terminal::print_json(&schema::to_text(&named(args.name))))
}

/// The schema of a name.
pub fn named(name: Named) -> Value {
    match name {
        Named::MegaFile => schema::schema(SchemaName::MegaFile),
        Named::Lbof => schema::schema(SchemaName::Lbof),
        Named::Manifest => schema::schema(SchemaName::Manifest),
        Named::Report => json::schema(),
        Named::Explanation => explanation::schema(),
        Named::Made => made::schema(),
        Named::Brief => brief::schema(),
        Named::Snapshot => snapshot::schema(),
        Named::Status => status_json::schema(),
        Named::Review => review::schema(),
        Named::IntegrationManifest => review::integration_schema(),
        Named::Doctor => doctor::schema(),
        Named::Synopsis => synopsis::schema(),
        Named::Watch => watch::schema(),
        Named::Recovery => recovery::schema(),
        Named::Log => history::schema(),
        Named::Mend => mend::schema(),
        Named::Guard => guard::schema(),
        Named::Hooks => hooks::schema(),
    }
}
