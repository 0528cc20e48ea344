//! `megax snapshot` and `megax status`: run, then print the facts in the form that was asked for.

use std::sync::Arc;

use megax::diagnostic::Diagnostics;
use megax::pipeline::{self, gave_up};
use megax::report::snapshot::SnapshotReport;
use megax::report::status::StatusReport;
use megax::report::{Outcome, github, human, sarif, snapshot as snapshot_text, status as status_text, status_json};
use megax::span::SourceMap;

use crate::args::{Format, Snapshot, Status};
use crate::progress::Progress;
use crate::{request, terminal, watchdog};

/// Runs `megax snapshot`.
pub fn snapshot(args: &Snapshot) -> Outcome {
    let request = match request::snapshot(args) {
        Ok(request) => request,
        Err(message) => return usage(&message),
    };
    let format = args.selection.manner.format;
    let progress = Arc::new(Progress::new(terminal::is_watched() && format == Format::Human));
    let asked = request.clone();
    let report = watchdog::watched(&progress, move |progress| pipeline::snapshot(&asked, progress));
    let report = report.unwrap_or_else(|stuck| gave_up::snapshot(&request, &stuck));
    progress.finish();
    let document = || snapshot_text::document(&report);
    print(format, report.outcome, &report.diagnostics, &report.sources, document, || snapshot_for_people(&report))
}

/// Findings to stderr; the diff to stdout if snapshots differ, else the closing lines.
fn snapshot_for_people(report: &SnapshotReport) -> bool {
    findings(&report.diagnostics, &report.sources);
    let diff = snapshot_text::diff(report, terminal::stdout_colour());
    let nothing_read = report.snapshots.is_empty() && report.diagnostics.has_errors();
    let printed = match diff.as_str() {
        _ if nothing_read => true,
        "" => terminal::print(&snapshot_text::closing(report, terminal::stdout_colour())),
        diff => {
            let printed = terminal::print(diff);
            terminal::say(&snapshot_text::closing(report, terminal::stderr_colour()));
            printed
        }
    };
    if let Some(manifest) = &report.manifest {
        terminal::say(&format!("manifest {manifest}, project root {}\n", report.root));
    }
    printed
}

/// Runs `megax status`.
pub fn status(args: &Status) -> Outcome {
    let request = match request::status(args) {
        Ok(request) => request,
        Err(message) => return usage(&message),
    };
    let progress = Arc::new(Progress::new(terminal::is_watched() && args.manner.format == Format::Human));
    let (asked, team) = (request.clone(), args.team.clone());
    let report = watchdog::watched(&progress, move |progress| pipeline::status(&asked, team.as_deref(), progress));
    let report = report.unwrap_or_else(|stuck| gave_up::status(&request, &stuck));
    progress.finish();
    let document = || status_json::document(&report);
    print(args.manner.format, report.outcome, &report.diagnostics, &report.sources, document, || {
        status_for_people(&report)
    })
}

fn status_for_people(report: &StatusReport) -> bool {
    findings(&report.diagnostics, &report.sources);
    let shown = !(report.teams.is_empty() && report.diagnostics.has_errors());
    let printed = !shown || terminal::print(&status_text::overview(report, terminal::stdout_colour()));
    if let Some(manifest) = &report.manifest {
        terminal::say(&format!("manifest {manifest}, output root {}\n", report.out));
    }
    printed
}

/// Prints findings to stderr, and a blank line.
pub fn findings(diagnostics: &Diagnostics, sources: &SourceMap) {
    if !diagnostics.is_empty() {
        terminal::say(&human::diagnostics(diagnostics, sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
}

fn usage(message: &str) -> Outcome {
    terminal::say(&format!("error: {message}\n"));
    Outcome::Usage
}

/// Prints a report in the form that was asked for.
pub fn print<E: std::fmt::Display>(
    format: Format,
    outcome: Outcome,
    diagnostics: &Diagnostics,
    sources: &SourceMap,
    document: impl Fn() -> Result<String, E>,
    for_people: impl Fn() -> bool,
) -> Outcome {
    let printed = match format {
        Format::Human => for_people(),
        Format::Json => match document() {
            Ok(document) => terminal::print_json(&document),
            Err(error) => {
                terminal::say(&format!("error: the report cannot be written as JSON: {error}\n"));
                return Outcome::Bug;
            }
        },
        Format::Github => terminal::print(&github::annotations(diagnostics, sources)),
        Format::Sarif => terminal::print_json(&sarif::document(diagnostics, sources)),
    };
    terminal::judge(outcome, printed)
}
