//! The command: reads arguments, runs the library, prints, exits. It sees only the library's public API.

mod args;
mod exit;
mod expand;
mod explain;
mod progress;
mod request;
mod schema;
mod terminal;
mod views;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, Megax};

fn main() -> ExitCode {
    let megax = Megax::parse();
    let outcome = match &megax.command {
        Command::Expand(args) => expand::expand(args),
        Command::Validate(args) => expand::validate(args),
        Command::Snapshot(args) => views::snapshot(args),
        Command::Status(args) => views::status(args),
        Command::Explain(args) => explain::explain(args),
        Command::Schema(args) => schema::schema(args),
    };
    exit::code(outcome)
}
