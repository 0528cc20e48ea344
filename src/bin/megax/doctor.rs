//! `megax doctor`: whether the machine, the project and what runs left are as they should be.

use std::fs::OpenOptions;
use std::io::ErrorKind;

use clap::Args;
use megax::pipeline::{self, DoctorRequest};
use megax::report::doctor::{self, Check};
use megax::report::{Outcome, human};

use crate::args::{Form, Where};
use crate::sandbox::Confinement;
use crate::{request, terminal};

#[derive(Debug, Args)]
#[command(after_help = DOCTOR_AFTER)]
pub struct Doctor {
    #[command(flatten)]
    pub place: Where,
}

const DOCTOR_AFTER: &str = "Writes nothing, but tries renames in a folder of its own in .megax/txn, where that \
exists.\n\nExit codes: 0 all is well, or cannot be told; 1 something is weak, with what to do; 3 the manifest cannot be \
read; 5 the output root cannot be looked at.";

/// Runs `megax doctor`.
pub fn doctor(args: &Doctor, confinement: Confinement) -> Outcome {
    let inputs = match request::place(&args.place) {
        Ok(inputs) => inputs,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let threads = request::threads();
    let report = pipeline::doctor(&DoctorRequest { inputs, own: vec![sandbox(confinement)], threads });
    if args.place.format == Form::Json {
        return terminal::print_document(report.outcome(), doctor::document(&report));
    }
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &report.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(report.outcome(), terminal::print(&doctor::text(&report, terminal::stdout_colour())))
}

/// How this very process is confined; not only what the kernel says, but what came of a try.
fn sandbox(confinement: Confinement) -> Check {
    const NAME: &str = "sandbox";
    let advice = "update the kernel (Landlock is complete in Linux 6.12), or have it switched on (`lsm=landlock,...`)";
    match (confinement, is_confined()) {
        (Confinement::Off, _) => {
            Check::weak(NAME, "switched off for this run", "leave out --no-sandbox and MEGAX_NO_SANDBOX")
        }
        (Confinement::None, _) if cfg!(target_os = "linux") => {
            Check::weak(NAME, "the kernel confines nothing (no Landlock)", advice)
        }
        (Confinement::None, _) => Check::unknown(NAME, "this system has no Landlock, and megax knows no other way"),
        (Confinement::Some(abi) | Confinement::All(abi), false) => {
            let found = format!("Landlock (ABI {abi}) is said to be in force, but a write elsewhere was not refused");
            Check::weak(NAME, found, "say so to whoever keeps this machine; megax itself writes by handles only")
        }
        (Confinement::Some(abi), true) => {
            Check::weak(NAME, format!("in force in part (Landlock ABI {abi}); a write elsewhere was refused"), advice)
        }
        (Confinement::All(abi), true) => {
            Check::good(NAME, format!("in force (Landlock ABI {abi}); a write elsewhere was refused"))
        }
    }
}

/// Whether a write where this command writes nothing is refused: one that would change nothing.
fn is_confined() -> bool {
    let opened = OpenOptions::new().write(true).open("/dev/null");
    opened.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}
