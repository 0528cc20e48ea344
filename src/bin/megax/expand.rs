//! `megax expand`, `plan`, `apply` and `validate`: run, then print the facts in the form that was asked for.

use std::sync::Arc;

use megax::event::Watcher;
use megax::limit::Limit;
use megax::pipeline::{self, ApplyRequest, Run, gave_up};
use megax::report::tree::TreeOptions;
use megax::report::{Command, Mode, Outcome, Report, github, human, json, sarif, synopsis, tree};
use megax::template::marks::Stuck;

use crate::args::{Apply, Expand, Format, Plan, Validate};
use crate::progress::Progress;
use crate::sandbox::{self, Confinement};
use crate::{needs, request, terminal, watchdog};

/// The tree of a run that writes is cut after so many files; a dry run shows all.
const SHOWN_FILES: usize = 200;

/// Runs `megax expand`.
pub fn expand(args: &Expand) -> Outcome {
    run(request::expand(args), args.inputs.selection.manner.format, pipeline::run, gave_up::run)
}

/// Runs `megax plan`.
pub fn plan(args: &Plan) -> Outcome {
    run(request::plan(args), args.inputs.selection.manner.format, pipeline::run, gave_up::run)
}

/// Runs `megax apply`.
pub fn apply(args: &Apply, confinement: Confinement) -> Outcome {
    let work = move |asked: &ApplyRequest, watcher: &dyn Watcher| match pipeline::request_of_plan(asked) {
        Ok(request) => {
            // Where it writes is known only now.
            if let (false, Some(needs)) = (confinement == Confinement::Off, needs::of_request(&request)) {
                sandbox::confine(&needs);
            }
            pipeline::run(&request, watcher)
        }
        Err(run) => *run,
    };
    run(request::apply(args), args.format, work, gave_up::apply)
}

/// Runs `megax validate`.
pub fn validate(args: &Validate) -> Outcome {
    let format = args.inputs.selection.manner.format;
    let request = request::validate(&args.inputs);
    if !args.brief {
        return run(request, format, pipeline::run, gave_up::run);
    }
    if matches!(format, Format::Github | Format::Sarif) {
        terminal::say("error: --brief is a form of its own: it goes with --format human and json\n");
        return Outcome::Usage;
    }
    // What is grouped need not be left out.
    let request = request.map(|mut request| {
        request.inputs.limits.entry(Limit::FindingsShown).or_insert(Limit::FindingsShown.most());
        request
    });
    finish(request, format, pipeline::run, gave_up::run, |Run { report, .. }| match format {
        Format::Json => terminal::print_document(report.outcome, synopsis::document(report)),
        _ => terminal::judge(report.outcome, terminal::print(&synopsis::text(report))),
    })
}

fn run<R: Clone + Send + 'static>(
    request: Result<R, String>,
    format: Format,
    work: impl FnOnce(&R, &dyn Watcher) -> Run + Send + 'static,
    gave_up: impl FnOnce(&R, &Stuck) -> Run,
) -> Outcome {
    finish(request, format, work, gave_up, |run| {
        let printed = match format {
            Format::Human => people(&run.report, run.diff.as_deref()),
            Format::Json => return terminal::print_document(run.report.outcome, json::document(&run.report)),
            Format::Github => terminal::print(&github::annotations(&run.report.diagnostics, &run.report.sources)),
            Format::Sarif => terminal::print_json(&sarif::document(&run.report.diagnostics, &run.report.sources)),
        };
        terminal::judge(run.report.outcome, printed)
    })
}

/// Does the work under the watchdog's eyes, and prints what came of it.
fn finish<R: Clone + Send + 'static>(
    request: Result<R, String>,
    format: Format,
    work: impl FnOnce(&R, &dyn Watcher) -> Run + Send + 'static,
    gave_up: impl FnOnce(&R, &Stuck) -> Run,
    print: impl FnOnce(&Run) -> Outcome,
) -> Outcome {
    let request = match request {
        Ok(request) => request,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let progress = Arc::new(Progress::new(terminal::is_watched() && format == Format::Human));
    let asked = request.clone();
    let run = watchdog::watched(&progress, move |progress| work(&asked, progress));
    let run = run.unwrap_or_else(|stuck| gave_up(&request, &stuck));
    progress.finish();
    print(&run)
}

/// Findings to stderr; the diff, or the tree and totals, to stdout. Returns whether stdout took it all.
fn people(report: &Report, diff: Option<&str>) -> bool {
    let colour = terminal::stderr_colour();
    if !report.diagnostics.is_empty() {
        terminal::say(&human::diagnostics(&report.diagnostics, &report.sources, colour));
        terminal::say("\n");
    }
    let colour = terminal::stdout_colour();
    let mut printed = diff.is_none_or(terminal::print);
    let all_held = report.teams.iter().all(|team| team.held.is_some());
    let tree = |limit| tree::preview(report, TreeOptions { colour, ascii: false, limit });
    let shown = match report.mode {
        _ if report.teams.is_empty() => None,
        // Nothing will be written: the findings are what matters.
        _ if all_held => Some(tree::closing(report, colour)),
        Mode::Validate => Some(tree::closing(report, colour)),
        _ if diff.is_some() => {
            terminal::say(&tree::closing(report, terminal::stderr_colour()));
            None
        }
        Mode::DryRun | Mode::Check => Some(tree(None)),
        Mode::Write => Some(tree(Some(SHOWN_FILES))),
    };
    if let (Some(shown), true) = (shown, printed) {
        printed = terminal::print(&shown);
    }
    if let Some(manifest) = &report.manifest {
        terminal::say(&format!("manifest {manifest}, output root {}\n", report.out));
    }
    match (&report.plan, report.command) {
        (Some(file), Command::Plan) => terminal::say(&format!("the plan is saved: `megax apply {file}` writes it\n")),
        (None, Command::Plan) => terminal::say("no plan is saved\n"),
        _ => {}
    }
    printed
}
