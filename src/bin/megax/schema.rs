//! `megax schema`: prints a JSON Schema.

use megax::model::schema::{self, SchemaName};
use megax::report::{
    Outcome, brief, doctor, explanation, guard, history, hooks, json, made, mend, recovery, review, snapshot,
    status_json, synopsis, watch,
};
use serde_json::Value;

use crate::args::{Schema, SchemaForm, SchemaName as Named};
use crate::terminal;

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
