//! `megax schema`: prints a JSON Schema.

use megax::model::schema::{self, SchemaName};
use megax::report::{
    Outcome, doctor, explanation, history, json, made, mend, recovery, snapshot, status_json, synopsis, watch,
};

use crate::args::{Schema, SchemaForm, SchemaName as Named};
use crate::terminal;

/// Prints the schema that was asked for.
pub fn schema(args: &Schema) -> Outcome {
    let SchemaForm::Json = args.format;
    let schema = match args.name {
        Named::MegaFile => schema::schema(SchemaName::MegaFile),
        Named::Lbof => schema::schema(SchemaName::Lbof),
        Named::Manifest => schema::schema(SchemaName::Manifest),
        Named::Report => json::schema(),
        Named::Explanation => explanation::schema(),
        Named::Made => made::schema(),
        Named::Snapshot => snapshot::schema(),
        Named::Status => status_json::schema(),
        Named::Doctor => doctor::schema(),
        Named::Synopsis => synopsis::schema(),
        Named::Watch => watch::schema(),
        Named::Recovery => recovery::schema(),
        Named::Log => history::schema(),
        Named::Mend => mend::schema(),
    };
    terminal::judge(Outcome::Done, terminal::print_json(&schema::to_text(&schema)))
}
