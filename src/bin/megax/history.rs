//! `megax log`, `undo`, `rollback`, `checkpoint`, `gc`: the operations that were carried out, and the way back.

use megax::pipeline::{self, Asked, HistoryRequest};
use megax::report::{Outcome, history, human};
use megax::source;
use megax::span::SourceMap;

use crate::args::{Checkpoint, CheckpointAction, Form, Gc, Log, Rollback, Undo, Where};
use crate::{request, terminal};

/// Runs `megax log`.
pub fn log(args: &Log) -> Outcome {
    run(&args.place, Asked::Log { team: args.team.clone() })
}

/// Runs `megax undo`.
pub fn undo(args: &Undo) -> Outcome {
    run(&args.place, Asked::Undo(args.number))
}

/// Runs `megax rollback`.
pub fn rollback(args: &Rollback) -> Outcome {
    run(&args.place, Asked::Rollback { to: args.to.clone(), team: args.team.clone() })
}

/// Runs `megax checkpoint`.
pub fn checkpoint(args: &Checkpoint) -> Outcome {
    match &args.action {
        CheckpointAction::Create { name, place } => run(place, Asked::Checkpoint(name.clone())),
        CheckpointAction::List { place } => run(place, Asked::Checkpoints),
    }
}

/// Runs `megax gc`.
pub fn gc(args: &Gc) -> Outcome {
    run(&args.place, Asked::Prune { keep: usize::from(args.keep) })
}

fn run(place: &Where, asked: Asked) -> Outcome {
    let known = request::current().and_then(|current| Ok((current, request::durability(None)?)));
    let (current, durability) = match known {
        Ok(known) => known,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let inputs =
        source::Request { paths: Vec::new(), current, manifest: place.manifest.clone(), out: place.out.clone() };
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
