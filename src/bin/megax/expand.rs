//! `megax expand` and `megax validate`: run, then print the facts in the form that was asked for.

use megax::pipeline::{self, Request};
use megax::report::tree::TreeOptions;
use megax::report::{Mode, Outcome, Report, github, human, json, sarif, tree};

use crate::args::{Expand, Format, Validate};
use crate::progress::Progress;
use crate::{request, terminal};

/// The tree of a run that writes is cut after so many files; a dry run shows all.
const SHOWN_FILES: usize = 200;

/// Runs `megax expand`.
pub fn expand(args: &Expand) -> Outcome {
    run(request::expand(args), args.inputs.format)
}

/// Runs `megax validate`.
pub fn validate(args: &Validate) -> Outcome {
    run(request::validate(&args.inputs), args.inputs.format)
}

fn run(request: Result<Request, String>, format: Format) -> Outcome {
    let request = match request {
        Ok(request) => request,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let progress = Progress::new(terminal::is_watched() && format == Format::Human);
    let run = pipeline::run(&request, &progress);
    progress.finish();
    match format {
        Format::Human => people(&run.report, run.diff.as_deref()),
        Format::Json => match json::document(&run.report) {
            Ok(document) => terminal::print(&document),
            Err(error) => {
                terminal::say(&format!("error: the report cannot be written as JSON: {error}\n"));
                return Outcome::Bug;
            }
        },
        Format::Github => terminal::print(&github::annotations(&run.report.diagnostics, &run.report.sources)),
        Format::Sarif => terminal::print(&sarif::document(&run.report.diagnostics, &run.report.sources)),
    }
    run.report.outcome
}

/// Findings to stderr; the diff, or the tree and totals, to stdout.
fn people(report: &Report, diff: Option<&str>) {
    let colour = terminal::stderr_colour();
    if !report.diagnostics.is_empty() {
        terminal::say(&human::diagnostics(&report.diagnostics, &report.sources, colour));
        terminal::say("\n");
    }
    let colour = terminal::stdout_colour();
    if let Some(diff) = diff {
        terminal::print(diff);
    }
    let all_held = report.teams.iter().all(|team| team.held.is_some());
    match report.mode {
        _ if report.teams.is_empty() => {}
        // Nothing will be written: the findings are what matters.
        _ if all_held => terminal::print(&tree::closing(report, colour)),
        Mode::Validate => terminal::print(&tree::closing(report, colour)),
        _ if diff.is_some() => terminal::say(&tree::closing(report, terminal::stderr_colour())),
        Mode::DryRun | Mode::Check => {
            terminal::print(&tree::preview(report, TreeOptions { colour, ascii: false, limit: None }));
        }
        Mode::Write => {
            let options = TreeOptions { colour, ascii: false, limit: Some(SHOWN_FILES) };
            terminal::print(&tree::preview(report, options));
        }
    }
    if let Some(manifest) = &report.manifest {
        terminal::say(&format!("manifest {manifest}, output root {}\n", report.out));
    }
}
