//! `megax recover`: finish, or take back, what a killed run began to write.

use megax::pipeline;
use megax::report::{Outcome, human, recovery};
use megax::span::SourceMap;

use crate::args::{Form, Recover};
use crate::{request, terminal};

/// Runs `megax recover`.
pub fn recover(args: &Recover) -> Outcome {
    let asked = request::place(&args.place).and_then(|inputs| Ok((inputs, request::durability(None)?)));
    let (inputs, durability) = match asked {
        Ok(asked) => asked,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let report = pipeline::recover(&inputs, durability);
    if args.place.format == Form::Json {
        return terminal::print_document(report.outcome(), recovery::document(&report));
    }
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &SourceMap::default(), terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(report.outcome(), terminal::print(recovery::text(&report)))
}
