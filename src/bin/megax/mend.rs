//! `megax repair`, `detach`, `adopt`: files that come back as recorded, and files that change hands.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use megax::change::Hands;
use megax::pipeline::{self, DetachRequest, RepairRequest, gave_up};
use megax::report::mend::{self, MendReport};
use megax::report::{Outcome, human};
use megax::source;

use crate::args::{self, Form, Where};
use crate::bounds::Bounds;
use crate::progress::Progress;
use crate::{request, terminal, watchdog};

#[derive(Debug, Args)]
#[command(after_help = DETACH_AFTER)]
pub struct Detach {
    /// The files, relative to the current folder: generated ones, deleted ones, and planned ones that are not there yet
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub place: Where,
    #[command(flatten)]
    pub bounds: Bounds,
}

const DETACH_AFTER: &str = "The choice is in the lockfile, which is committed: it holds for everybody, under every \
--on-edit, while the plan drops the path and brings it back. A file that was deleted and then detached is not made \
again. `megax status` lists the detached files, `megax adopt FILE` takes one back, `megax undo` takes this back.";

#[derive(Debug, Args)]
pub struct Adopt {
    /// The files, relative to the current folder: detached ones, and files that somebody else made where one is planned
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub place: Where,
    #[command(flatten)]
    pub bounds: Bounds,
}

#[derive(Debug, Args)]
#[command(after_help = REPAIR_AFTER)]
pub struct Repair {
    /// Teams, files or quoted globs of output files; by default all
    #[arg(value_name = "TEAM|FILE|GLOB")]
    pub what: Vec<String>,
    /// What to do with files that somebody edited
    #[arg(long, value_enum, value_name = "POLICY", default_value_t = Edited::Keep)]
    pub on_edit: Edited,
    /// Show what would be repaired, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// What a written tree must survive; by default that of the environment, else full
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub durability: Option<args::Durability>,
    #[command(flatten)]
    pub place: Where,
    #[command(flatten)]
    pub bounds: Bounds,
}

const REPAIR_AFTER: &str = "Puts back the bytes and modes that the lockfile records, and nothing newer: where the \
mega-files make something else by now, `megax expand` is the command (MX827). Nothing is deleted. A lockfile that cannot \
be read (a merge that was not finished, a text that was cut off) or is missing is rebuilt; its old text is kept.\n\nExit \
codes: 0 repaired, or nothing to repair (edited files that are left are warnings); 3 a mega-file is wrong, so its team \
is left; 4 something cannot be put back; 5 the disk failed.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Edited {
    /// Name them and leave them
    Keep,
    /// Put back what was recorded; the edit is kept in .megax/kept
    Overwrite,
}

/// Runs `megax detach`.
pub fn detach(args: &Detach) -> Outcome {
    hand(&args.files, &args.place, &args.bounds, Hands::Detach)
}

/// Runs `megax adopt`.
pub fn adopt(args: &Adopt) -> Outcome {
    hand(&args.files, &args.place, &args.bounds, Hands::Adopt)
}

fn hand(files: &[String], place: &Where, bounds: &Bounds, hands: Hands) -> Outcome {
    let request = request::place(place).and_then(|inputs| {
        let inputs = source::Request { limits: request::limits(bounds), ..inputs };
        let (files, durability, holder) = (files.to_vec(), request::durability(None)?, request::holder());
        Ok(DetachRequest { inputs, files, hands, durability, holder })
    });
    let request = match request {
        Ok(request) => request,
        Err(message) => return unusable(&message),
    };
    let asked = request.clone();
    let report = watchdog::watched(&Arc::new(Progress::new(false)), move |progress| pipeline::detach(&asked, progress));
    show(&report.unwrap_or_else(|stuck| gave_up::detach(&request, &stuck)), place.format)
}

/// Runs `megax repair`.
pub fn repair(args: &Repair) -> Outcome {
    let request = request::place(&args.place).and_then(|inputs| {
        let inputs = source::Request { limits: request::limits(&args.bounds), ..inputs };
        Ok(RepairRequest {
            inputs,
            what: args.what.clone(),
            overwrite: args.on_edit == Edited::Overwrite,
            dry_run: args.dry_run,
            jobs: request::jobs(args.jobs),
            durability: request::durability(args.durability)?,
            holder: request::holder(),
        })
    });
    let request = match request {
        Ok(request) => request,
        Err(message) => return unusable(&message),
    };
    let progress = Arc::new(Progress::new(terminal::is_watched() && args.place.format == Form::Human));
    let asked = request.clone();
    let report = watchdog::watched(&progress, move |progress| pipeline::repair(&asked, progress));
    let report = report.unwrap_or_else(|stuck| gave_up::repair(&request, &stuck));
    progress.finish();
    show(&report, args.place.format)
}

fn unusable(message: &str) -> Outcome {
    terminal::say(&format!("error: {message}\n"));
    Outcome::Usage
}

fn show(report: &MendReport, format: Form) -> Outcome {
    if format == Form::Json {
        return terminal::print_document(report.outcome(), mend::document(report));
    }
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &report.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(report.outcome(), terminal::print(&mend::text(report)))
}
