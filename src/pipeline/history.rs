//! The operation log: showing it, undoing operations, naming places in it, removing old ones. Nothing here reads a
//! mega-file.

use std::path::Path;

use super::apply::{commit_finding, disk_finding, no_way_back};
use super::guards::guard_teams;
use super::{recovery, shards};
use crate::change::Shard;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, nearest};
use crate::disk::{
    self, Checkpoint, Durability, Log, ProjectGuard, Pruned, Refusal, ReversalError, Reversed, Root, Target,
};
use crate::name::team_name;
use crate::report::history::{Deed, HistoryReport};
use crate::source;
use crate::source::load::display;

/// What is asked of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// List the operations, or those of a team.
    Log {
        /// The team.
        team: Option<String>,
    },
    /// Undo one operation; without a number the last one that is not undone.
    Undo(Option<u64>),
    /// Undo the last operation of a team that is not undone; the team in any spelling.
    UndoOf(String),
    /// Undo everything after an operation or checkpoint.
    Rollback {
        /// A number or the name of a checkpoint.
        to: String,
        /// Only operations of this team.
        team: Option<String>,
    },
    /// Name the last operation.
    Checkpoint(String),
    /// Take a checkpoint's name away.
    Forget(String),
    /// List the checkpoints.
    Checkpoints,
    /// Remove the oldest operations.
    Prune {
        /// How many to keep.
        keep: usize,
    },
}

/// What the log commands need.
#[derive(Debug, Clone)]
pub struct HistoryRequest {
    /// Where the output root is.
    pub inputs: source::Request,
    /// What a commit must survive.
    pub durability: Durability,
    /// Who runs, for the team guards.
    pub holder: String,
    /// What is asked.
    pub asked: Asked,
}

/// Does what is asked of the log. Never fails: what goes wrong is a finding.
#[must_use]
pub fn history(request: &HistoryRequest) -> HistoryReport {
    let out = match source::load::out_of(&request.inputs) {
        Ok(out) => out,
        Err(findings) => return HistoryReport { out: String::new(), deed: None, findings },
    };
    let mut findings = Diagnostics::default();
    let deed = match run(request, &out, &mut findings) {
        Ok(deed) => Some(deed),
        Err(found) => {
            findings.extend(found);
            None
        }
    };
    HistoryReport { out: display(&out, &request.inputs.current), deed, findings }
}

pub(super) type Findings = Vec<Diagnostic>;

fn run(request: &HistoryRequest, out: &Path, findings: &mut Diagnostics) -> Result<Deed, Findings> {
    let root = Root::open(out).map_err(|error| disk_failed(&error))?;
    match &request.asked {
        Asked::Log { team } => list(&root, team.as_deref(), findings),
        Asked::Checkpoints => {
            let damaged = disk::damaged_checkpoints(&root).map_err(|error| disk_failed(&error))?;
            findings.extend(damaged.iter().map(|(name, error)| damaged_checkpoint(name, error)));
            Ok(Deed::Checkpoints(disk::read_checkpoints(&root).map_err(|error| disk_failed(&error))?))
        }
        Asked::Checkpoint(name) => checkpoint(&root, name, request, findings),
        Asked::Forget(name) => forget(&root, name),
        Asked::Prune { keep } => {
            // What it began needs the texts that it stored, and only the log would say so.
            recover(&root, request.durability, findings)?;
            // Where there is nothing to remove, nothing is made.
            if disk::read_log(&root).map_err(|error| disk_failed(&error))? == Log::default() {
                return Ok(Deed::Pruned(Pruned::default()));
            }
            let project = ProjectGuard::wait(&root).map_err(|error| disk_failed(&error))?;
            // What is in the log may be what mends it.
            hold_shards(&root, None)?;
            let pruned = disk::prune_log(&root, *keep, &project).and_then(|pruned| {
                // What commits that never happened left there as well.
                Ok(Pruned { bytes: pruned.bytes + disk::prune_inputs(&root, &project)?, ..pruned })
            });
            Ok(Deed::Pruned(pruned.map_err(|error| disk_failed(&error))?))
        }
        Asked::Undo(number) => reverse(&root, request, &Target::Undo(*number), findings),
        Asked::UndoOf(team) => reverse(&root, request, &Target::UndoOf(team_name(team)), findings),
        Asked::Rollback { to, team } => {
            let target = Target::Rollback { to: place(&root, to)?, team: team.clone() };
            reverse(&root, request, &target, findings)
        }
    }
}

pub(super) fn disk_failed(error: &disk::DiskError) -> Findings {
    vec![disk_finding(error)]
}

fn list(root: &Root, team: Option<&str>, findings: &mut Diagnostics) -> Result<Deed, Findings> {
    let mut log = disk::read_log(root).map_err(|error| disk_failed(&error))?;
    let checkpoints = disk::read_checkpoints(root).map_err(|error| disk_failed(&error))?;
    if let Some(team) = team {
        let teams: Vec<&String> = log.operations.iter().flat_map(|one| &one.teams).collect();
        if !teams.iter().any(|name| *name == team) {
            let message = format!("no operation in the log concerns a team {team}");
            return Err(vec![near(
                Diagnostic::new(Code::NoOperation, message),
                team,
                teams.iter().map(|one| one.as_str()),
            )]);
        }
    }
    findings.extend(log.unreadable.iter().map(|number| bad(*number, "its entry is damaged")));
    log.operations.retain(|one| team.is_none_or(|team| one.teams.iter().any(|name| name == team)));
    Ok(Deed::Log { operations: log.operations, checkpoints })
}

fn bad(number: u64, reason: &str) -> Diagnostic {
    Diagnostic::new(Code::BadLog, format!("operation {number} cannot be read: {reason}"))
        .help("the tree itself is not concerned; later operations can still be undone")
}

fn near<'n>(finding: Diagnostic, text: &str, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    match nearest(text, known) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`megax log` lists the operations, `megax checkpoint list` the checkpoints"),
    }
}

/// The operation that a number or a checkpoint means.
fn place(root: &Root, to: &str) -> Result<u64, Findings> {
    if let Ok(number) = to.parse() {
        return Ok(number);
    }
    let checkpoints = disk::read_checkpoints(root).map_err(|error| disk_failed(&error))?;
    match checkpoints.iter().find(|point| point.name == to) {
        Some(point) => Ok(point.operation),
        None => Err(no_checkpoint(root, to, &checkpoints)),
    }
}

fn damaged_checkpoint(name: &str, error: &disk::DiskError) -> Diagnostic {
    let help = "no operation is removed while it is there; remove the file, or set it again: `megax checkpoint create";
    Diagnostic::new(Code::BadLog, error.to_string()).help(format!("{help} {name}`"))
}

fn no_checkpoint(root: &Root, name: &str, checkpoints: &[Checkpoint]) -> Findings {
    let damaged = disk::damaged_checkpoints(root).unwrap_or_default();
    if let Some((name, error)) = damaged.iter().find(|(damaged, _)| damaged == name) {
        return vec![damaged_checkpoint(name, error)];
    }
    let finding = Diagnostic::new(Code::NoOperation, format!("there is no checkpoint `{name}`"));
    vec![near(finding, name, checkpoints.iter().map(|point| point.name.as_str()))]
}

/// Finishes first what a killed run began: only then is the last operation the last.
pub(super) fn recover(root: &Root, durability: Durability, findings: &mut Diagnostics) -> Result<(), Findings> {
    let recovered = disk::recover(root, durability).map_err(|error| vec![recovery::failed(&error)])?;
    findings.extend(recovered.iter().map(|one| recovery::finding(one).severity(Severity::Note)));
    findings.extend(recovery::unlogged(&recovered));
    Ok(())
}

fn checkpoint(root: &Root, name: &str, request: &HistoryRequest, findings: &mut Diagnostics) -> Result<Deed, Findings> {
    if !disk::is_checkpoint_name(name) {
        let message = format!("`{name}` cannot be the name of a checkpoint");
        let help = "letters, digits, `.`, `_` and `-`, beginning with a letter or a digit, and not digits alone";
        return Err(vec![Diagnostic::new(Code::BadName, message).help(help)]);
    }
    recover(root, request.durability, findings)?;
    let project = ProjectGuard::wait(root).map_err(|error| disk_failed(&error))?;
    let (made, before) = disk::write_checkpoint(root, name, &project).map_err(|error| disk_failed(&error))?;
    Ok(Deed::Checkpoint { made, before })
}

fn forget(root: &Root, name: &str) -> Result<Deed, Findings> {
    let all = || disk::read_checkpoints(root).map_err(|error| disk_failed(&error));
    // Looked at before a guard is made: a wrong name makes nothing.
    if !all()?.iter().any(|point| point.name == name) {
        return Err(no_checkpoint(root, name, &all()?));
    }
    let project = ProjectGuard::wait(root).map_err(|error| disk_failed(&error))?;
    let removed = disk::remove_checkpoint(root, name, &project).map_err(|error| disk_failed(&error))?;
    removed.map(Deed::Forgotten).ok_or_else(|| no_checkpoint(root, name, &[]))
}

fn reverse(
    root: &Root,
    request: &HistoryRequest,
    target: &Target,
    findings: &mut Diagnostics,
) -> Result<Deed, Findings> {
    recover(root, request.durability, findings)?;
    let look = || disk::read_log(root).map_err(|error| disk_failed(&error));
    let choose = |log: &Log| disk::choose(log, target).map_err(|error| reversal_findings(&error, &[], target));
    let first = choose(&look()?)?;
    if first.undoes.is_empty() {
        let reversed = Reversed { operation: None, unlogged: None, files: Vec::new() };
        return Ok(Deed::Reversed { undoes: Vec::new(), reversed });
    }
    hold_shards(root, Some(&first.teams))?;
    let guards = guard_teams(root, &first.teams, &request.holder)?;
    let project = ProjectGuard::wait(root).map_err(|error| disk_failed(&error))?;
    recovery::check(root, &project)?;
    // Another run may have published before the guards were had.
    let reversal = choose(&look()?)?;
    if reversal != first {
        let message = "another run wrote to the log at the same time";
        return Err(vec![Diagnostic::new(Code::CannotUndo, message).help("nothing was touched; run again")]);
    }
    let reversed = disk::reverse(root, &reversal, request.durability, &project)
        .map_err(|error| reversal_findings(&error, &reversal.undoes, target))?;
    findings.extend(reversed.unlogged.as_deref().map(no_way_back));
    // What cannot be removed now is removed later.
    let _ = disk::prune_log(root, disk::KEPT_OPERATIONS, &project);
    drop((project, guards));
    Ok(Deed::Reversed { undoes: reversal.undoes, reversed })
}

/// An error for every shard that cannot be read, of the teams concerned: while nobody can tell what is recorded, nothing
/// is taken back or removed.
fn hold_shards(root: &Root, teams: Option<&[String]>) -> Result<(), Findings> {
    let texts = disk::read_shards(root).map_err(|error| disk_failed(&error))?;
    let concerns = |path: &str| {
        let team = shards::place(path).map_or("", |(team, _)| team);
        teams.is_none_or(|teams| teams.iter().any(|name| name == team))
    };
    let damaged = texts.iter().filter(|(path, _)| concerns(path)).filter_map(|(path, text)| {
        let error = Shard::read(path, text).err()?;
        Some(shards::unreadable((path.as_str(), text.as_str()), &error.to_string()))
    });
    let damaged: Findings = damaged.collect();
    if damaged.is_empty() { Ok(()) } else { Err(damaged) }
}

fn reversal_findings(error: &ReversalError, undoes: &[u64], target: &Target) -> Findings {
    let text = error.to_string();
    vec![match error {
        ReversalError::Absent(_) => Diagnostic::new(Code::NoOperation, text)
            .help("`megax log` lists the operations, `megax checkpoint list` the checkpoints"),
        ReversalError::Unreadable { number, reason } => bad(*number, reason),
        ReversalError::Undone { by, .. } => {
            Diagnostic::new(Code::CannotUndo, text).help(format!("`megax undo {by}` does it again"))
        }
        ReversalError::Shared { .. } if matches!(target, Target::UndoOf(_)) => Diagnostic::new(Code::CannotUndo, text)
            .help("name the operation by its number to take it back for all of them"),
        ReversalError::Shared { .. } => {
            Diagnostic::new(Code::CannotUndo, text).help("roll all of them back, without `--team`")
        }
        ReversalError::Refused(refusals) => {
            return refusals.iter().map(|one| refused(one, undoes, target)).collect();
        }
        ReversalError::Disk(error) => disk_finding(error),
        ReversalError::Commit(error) => commit_finding(error),
    }]
}

fn refused(refusal: &Refusal, undoes: &[u64], target: &Target) -> Diagnostic {
    let what = match (target, undoes) {
        (Target::Undo(_) | Target::UndoOf(_), [number]) => format!("operation {number} cannot be undone"),
        _ => "the rollback cannot be done".to_owned(),
    };
    let Refusal { path, reason, edited_before, later } = refusal;
    let help = match (edited_before, later) {
        (Some(number), _) => {
            format!("nothing was touched; `megax rollback --to {}` brings the edit back, and stops there", number - 1)
        }
        (None, Some(later)) => format!("nothing was touched; take operation {later} back first"),
        (None, None) => "nothing was touched; move the edit away or take it back, then run again".to_owned(),
    };
    Diagnostic::new(Code::CannotUndo, format!("`{path}` {reason}, so {what}")).about(path.as_str()).help(help)
}
