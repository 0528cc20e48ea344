//! `megax review`: who is ready to expand, and whose the paths are.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use megax::pipeline::{self, Request, ReviewRequest, gave_up};
use megax::report::review::{ReviewReport, document, text};
use megax::report::{Command, Mode, Outcome};

use crate::args::{self, Format, Manner};
use crate::progress::Progress;
use crate::{request, terminal, views, watchdog};

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Review {
    /// Only these teams; with --lock and --unlock, only their paths
    #[arg(value_name = "TEAM")]
    pub teams: Vec<String>,
    /// Reserve the paths that valid mega-files plan: whoever plans one of them later gets the error
    #[arg(long)]
    pub lock: bool,
    /// Give reservations up
    #[arg(long, conflicts_with = "lock")]
    pub unlock: bool,
    /// Also write what the teams are about to make, in their order, to FILE (.yaml or .json): a new one, or an older one
    #[arg(long, value_name = "FILE")]
    pub integration_manifest: Option<PathBuf>,
    /// What reservations must survive; by default that of the environment, else full
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub durability: Option<args::Durability>,
    #[command(flatten)]
    pub roots: args::Roots,
    #[command(flatten)]
    pub manner: Manner,
}

const AFTER: &str = "Reservations are files beside the lockfiles, .megax/lock/TEAM/ID.claim, to be committed. A mega-file \
that is wrong or collides is not reserved. `megax undo` takes a --lock or --unlock of a team back.\n\nExit codes: 0 every \
team is ready; 1 something is missing, and nothing is wrong; 3 a mega-file or the manifest is wrong; 4 another run holds a \
team, or a lockfile cannot be read; 5 the disk failed.";

/// Runs `megax review`.
pub fn review(args: &Review) -> Outcome {
    let request = match of(args) {
        Ok(request) => request,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let format = args.manner.format;
    let progress = Arc::new(Progress::new(terminal::is_watched() && format == Format::Human));
    let asked = request.clone();
    let report = watchdog::watched(&progress, move |progress| pipeline::review(&asked, progress));
    let report = report.unwrap_or_else(|stuck| gave_up::review(&request, &stuck));
    progress.finish();
    let document = || document(&report);
    views::print(format, report.outcome, &report.diagnostics, &report.sources, document, || for_people(&report))
}

fn of(args: &Review) -> Result<ReviewRequest, String> {
    let inputs = request::inputs(&args.roots)?;
    let run = request::in_manner(&args.manner, Request::new(Command::Review, Mode::DryRun, inputs));
    Ok(ReviewRequest {
        run: Request { durability: request::durability(args.durability)?, ..run },
        teams: args.teams.clone(),
        lock: args.lock,
        unlock: args.unlock,
        integration_manifest: args.integration_manifest.clone(),
    })
}

fn for_people(report: &ReviewReport) -> bool {
    views::findings(&report.diagnostics, &report.sources);
    let shown = !(report.teams.is_empty() && report.diagnostics.has_errors());
    let printed = !shown || terminal::print(&text(report, terminal::stdout_colour()));
    if let Some(manifest) = &report.manifest {
        terminal::say(&format!("manifest {manifest}, output root {}\n", report.out));
    }
    printed
}
