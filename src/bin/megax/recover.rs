//! `megax recover`: finish, or take back, what a killed run began to write.

use megax::pipeline;
use megax::report::{Outcome, human, recovery};
use megax::source;
use megax::span::SourceMap;

use crate::args::{Form, Recover};
use crate::{request, terminal};

/// Runs `megax recover`.
pub fn recover(args: &Recover) -> Outcome {
    let asked = request::current().and_then(|current| Ok((current, request::durability(None)?)));
    let (current, durability) = match asked {
        Ok(asked) => asked,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let inputs = source::Request { paths: Vec::new(), current, manifest: args.manifest.clone(), out: args.out.clone() };
    let report = pipeline::recover(&inputs, durability);
    if args.format == Form::Json {
        return terminal::print_document(report.outcome(), recovery::document(&report));
    }
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &SourceMap::default(), terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(report.outcome(), terminal::print(recovery::text(&report)))
}
