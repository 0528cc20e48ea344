//! What an interrupted run left: a run that writes finishes it first, one that only looks says so.

use super::Request;
use super::apply::{disk_finding, no_way_back};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::disk::{self, Durability, ProjectGuard, Recovered, Root};
use crate::report::recovery::RecoveryReport;
use crate::report::{Mode, count};
use crate::source;
use crate::source::load::display;

/// Recovers before a run that writes; what was found is said. An error holds all teams: nobody can tell what their files
/// are.
pub fn first(request: &Request, root: &Root) -> Vec<Diagnostic> {
    match request.mode {
        Mode::Write => match disk::recover(root, request.durability) {
            Ok(recovered) => recovered.iter().map(finding).chain(unlogged(&recovered)).collect(),
            Err(error) => vec![failed(&error)],
        },
        Mode::DryRun | Mode::Check => match disk::is_interrupted(root) {
            Ok(true) => vec![interrupted()],
            _ => Vec::new(),
        },
        Mode::Validate => Vec::new(),
    }
}

fn interrupted() -> Diagnostic {
    let message = "an earlier run was interrupted while it wrote: some files are new and some are old";
    let help = "the next run that writes finishes it first; `megax recover` does only that";
    Diagnostic::new(Code::InterruptedRun, message).help(help)
}

pub(super) fn failed(error: &disk::DiskError) -> Diagnostic {
    let finding = disk_finding(error);
    finding.help(
        "an earlier run was interrupted while it wrote, and cannot be finished yet: mend the cause, then run again",
    )
}

/// Whether no other run died in its commit since this one looked for such.
///
/// # Errors
/// One did: whatever was learned of the tree meanwhile is worth nothing.
pub(super) fn check(root: &Root, project: &ProjectGuard) -> Result<(), Vec<Diagnostic>> {
    match disk::is_unfinished(root, project) {
        Ok(false) => Ok(()),
        Ok(true) => {
            let message = "another run was interrupted while it wrote, after this one had begun";
            let finding = Diagnostic::new(Code::InterruptedRun, message).severity(Severity::Error);
            Err(vec![
                finding.help("this run has changed nothing; run it again: what the other one left is finished first"),
            ])
        }
        Err(error) => Err(vec![disk_finding(&error)]),
    }
}

pub(super) fn finding(recovered: &Recovered) -> Diagnostic {
    let files = count(recovered.files as u64, "file");
    let message = if recovered.finished {
        format!("an interrupted run was finished first: {files}")
    } else {
        format!(
            "an interrupted run was taken back, because files that it needed were changed meanwhile: {files} are as before it"
        )
    };
    let finding = Diagnostic::new(Code::Recovered, message);
    recovered.kept.iter().fold(finding, |finding, (path, place)| {
        finding
            .related(None, format!("`{path}` was edited meanwhile and stays; what megax had replaced is in `{place}`"))
    })
}

/// A warning for everything that was finished and is not in the log.
pub(super) fn unlogged(recovered: &[Recovered]) -> impl Iterator<Item = Diagnostic> {
    recovered.iter().filter_map(|one| one.unlogged.as_deref()).map(no_way_back)
}

/// Recovers, and does nothing else. Never fails: what goes wrong is a finding.
#[must_use]
pub fn recover(inputs: &source::Request, durability: Durability) -> RecoveryReport {
    let out = match source::load::out_of(inputs) {
        Ok(out) => out,
        Err(findings) => return RecoveryReport { out: String::new(), recovered: Vec::new(), findings },
    };
    let recovered = Root::open(&out).and_then(|root| disk::recover(&root, durability));
    let shown = display(&out, &inputs.current);
    match recovered {
        Ok(recovered) => {
            let notes = recovered.iter().map(|one| finding(one).severity(Severity::Note));
            let findings = notes.chain(unlogged(&recovered)).collect();
            RecoveryReport { out: shown, recovered, findings }
        }
        Err(error) => {
            RecoveryReport { out: shown, recovered: Vec::new(), findings: std::iter::once(failed(&error)).collect() }
        }
    }
}
