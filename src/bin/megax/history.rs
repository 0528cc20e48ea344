//! `megax log`, `undo`, `rollback`, `checkpoint`, `gc`: the operations that were carried out, and the way back.

use clap::{Args, Subcommand};
use megax::pipeline::{self, Asked, HistoryRequest};
use megax::report::{Outcome, history, human};
use megax::span::SourceMap;

use crate::args::{Form, Where};
use crate::{request, terminal};

#[derive(Debug, Args)]
pub struct Log {
    /// Only operations that concern this team
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    #[command(flatten)]
    pub place: Where,
}

#[derive(Debug, Args)]
pub struct Undo {
    /// The operation; by default the last one that is not undone, and no undo
    #[arg(value_name = "NUMBER")]
    pub number: Option<u64>,
    /// Without a number, the last one of this team (or in the environment: `MEGAX_TEAM`)
    #[arg(long, value_name = "TEAM", conflicts_with = "number")]
    pub team: Option<String>,
    #[command(flatten)]
    pub place: Where,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The operation, or the checkpoint, that stays the last (0: before the first)
    #[arg(long, value_name = "NUMBER|NAME")]
    pub to: String,
    /// Only operations of this team; one that it shares with other teams is an error
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    #[command(flatten)]
    pub place: Where,
}

#[derive(Debug, Args)]
pub struct Checkpoint {
    #[command(subcommand)]
    pub action: CheckpointAction,
}

#[derive(Debug, Subcommand)]
pub enum CheckpointAction {
    /// Name the last operation; a name that is taken moves there
    Create {
        /// The name: letters, digits, `.`, `_` and `-`, and not digits alone
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: Where,
    },
    /// Take a checkpoint's name away; the tree and the log stay as they are
    Delete {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: Where,
    },
    /// List the checkpoints
    List {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Args)]
pub struct Gc {
    /// How many operations are kept, besides those that a checkpoint needs
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    pub keep: u16,
    #[command(flatten)]
    pub place: Where,
}

/// Runs `megax log`.
pub fn log(args: &Log) -> Outcome {
    run(&args.place, Asked::Log { team: args.team.clone() })
}

/// Runs `megax undo`.
pub fn undo(args: &Undo) -> Outcome {
    let asked = match args.number {
        Some(number) => Ok(Asked::Undo(Some(number))),
        None => request::team(args.team.as_ref()).map(|team| team.map_or(Asked::Undo(None), Asked::UndoOf)),
    };
    match asked {
        Ok(asked) => run(&args.place, asked),
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            Outcome::Usage
        }
    }
}

/// Runs `megax rollback`.
pub fn rollback(args: &Rollback) -> Outcome {
    run(&args.place, Asked::Rollback { to: args.to.clone(), team: args.team.clone() })
}

/// Runs `megax checkpoint`.
pub fn checkpoint(args: &Checkpoint) -> Outcome {
    match &args.action {
        CheckpointAction::Create { name, place } => run(place, Asked::Checkpoint(name.clone())),
        CheckpointAction::Delete { name, place } => run(place, Asked::Forget(name.clone())),
        CheckpointAction::List { place } => run(place, Asked::Checkpoints),
    }
}

/// Runs `megax gc`.
pub fn gc(args: &Gc) -> Outcome {
    run(&args.place, Asked::Prune { keep: usize::from(args.keep) })
}

fn run(place: &Where, asked: Asked) -> Outcome {
    let known = request::place(place).and_then(|inputs| Ok((inputs, request::durability(None)?)));
    let (inputs, durability) = match known {
        Ok(known) => known,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let report = pipeline::history(&HistoryRequest { inputs, durability, holder: request::holder(), asked });
    if place.format == Form::Json {
        return terminal::print_document(report.outcome(), history::document(&report));
    }
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &SourceMap::default(), terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(report.outcome(), terminal::print(&history::text(&report)))
}
