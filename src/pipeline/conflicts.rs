//! What stands in the way of a change set, in words: files that were made or edited by somebody else, and what becomes of
//! them. Looks at nothing but the change set.

use super::State;
use crate::change::{ChangeSet, FileChange, Kind, Reason};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::merge::Conflict;

/// So many places of a file are named.
const SHOWN_PLACES: usize = 5;

/// Conflicts as findings, and what was left or will go under the chosen policy.
pub fn findings(state: &State<'_>, set: &ChangeSet) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for change in &set.files {
        let finding = match &change.kind {
            Kind::Conflict(reason) => conflict(change, reason),
            Kind::Merged => match state.merged.get(&change.path) {
                Some(merged) if !merged.conflicts.is_empty() => marked(change, &merged.conflicts),
                _ => continue,
            },
            Kind::KeptEdited => {
                let message = format!("`{}` was made or edited by somebody else and is left as it is", change.path);
                Diagnostic::new(Code::EditKept, message).help("`--on-edit overwrite` writes over it")
            }
            Kind::OrphanEdited => {
                let message =
                    format!("`{}` is no longer planned, but was edited; it is left and forgotten", change.path);
                Diagnostic::new(Code::OrphanEdited, message).help("delete it by hand if nobody needs it")
            }
            Kind::OrphanOutside => {
                let message = format!(
                    "a lockfile says that megax wrote `{}`, which is no longer planned, but team {} may not write there; it \
                     is left and forgotten",
                    change.path, change.team
                );
                Diagnostic::new(Code::OrphanEdited, message)
                    .help("look where that lockfile comes from; delete the file by hand if nobody needs it")
            }
            _ => continue,
        };
        let mut finding = finding.about(change.path.as_str()).team(change.team.clone());
        let planned = state.plan.files.partition_point(|file| file.path < change.path);
        if let Some(file) = state.plan.files.get(planned).filter(|file| file.path == change.path) {
            finding = finding.related(file.origin, "planned here");
        }
        findings.push(finding);
    }
    findings
}

/// What can be done with an edit besides mending its cause.
const CHOICES: &str = "`--on-edit keep` leaves it, `--on-edit overwrite` replaces it and keeps a copy; `on_edit` in the \
                       manifest says so for good, and `megax detach` makes this one file yours";

/// What can be done with it where it cannot be merged.
const OTHERS: &str = "`--on-edit keep` leaves the file, `--on-edit overwrite` replaces it and keeps a copy";

fn marked(change: &FileChange, conflicts: &[Conflict]) -> Diagnostic {
    let message =
        format!("`{}` and its new content differ in {}; both stand between markers", change.path, places(conflicts));
    Diagnostic::new(Code::MergeConflict, message)
        .severity(Severity::Warning)
        .help("choose between the two in the file and take the markers away; until then megax leaves the file alone")
}

/// What became of an edited file whose old content is kept at a place.
pub fn displaced(state: &State<'_>, path: &str, place: &str, is_merged: bool) -> Diagnostic {
    let merged = state.merged.iter().find(|(at, _)| is_merged && at.as_str() == path).map(|(_, merged)| merged);
    let message = match merged {
        None => {
            let message = format!("`{path}` was made or edited by somebody else and is overwritten");
            return Diagnostic::new(Code::EditReplaced, format!("{message}; the old content is in `{place}`"));
        }
        Some(merged) if merged.conflicts.is_empty() => {
            format!("`{path}` was edited and is merged with its new content")
        }
        Some(_) => format!("`{path}` was edited and is merged with its new content, up to what conflicts"),
    };
    Diagnostic::new(Code::EditMerged, format!("{message}; as edited it is in `{place}`"))
}

/// The lines of an edited file that conflict.
fn places(conflicts: &[Conflict]) -> String {
    let one = |conflict: &Conflict| match conflict {
        Conflict { first, last } if last < first => format!("what was before line {first}"),
        Conflict { first, last } if last == first => format!("line {first}"),
        Conflict { first, last } => format!("lines {first}-{last}"),
    };
    let mut shown: Vec<String> = conflicts.iter().take(SHOWN_PLACES).map(one).collect();
    if conflicts.len() > SHOWN_PLACES {
        shown.push(format!("{} more places", conflicts.len() - SHOWN_PLACES));
    }
    shown.join(", ")
}

fn conflict(change: &FileChange, reason: &Reason) -> Diagnostic {
    let path = &change.path;
    match reason {
        Reason::Edited => Diagnostic::new(Code::EditedFile, format!("`{path}` was edited since megax wrote it"))
            .help(format!("move the edit into the template; or `--on-edit merge` merges it, {CHOICES}")),
        Reason::Unmergeable(why) => {
            Diagnostic::new(Code::CannotMerge, format!("`{path}` was edited and cannot be merged: {why}"))
                .help(format!("move the edit into the template; or {OTHERS}"))
        }
        Reason::Overlap(conflicts) => {
            let message = format!("`{path}` was edited where its content is new as well: {}", places(conflicts));
            Diagnostic::new(Code::MergeConflict, message).help(format!(
                "`--conflict-markers` writes both sides into the file, to choose from; {OTHERS}; `megax expand --diff` shows \
                 the difference"
            ))
        }
        Reason::Unresolved(line) => {
            let message = format!("`{path}` still holds conflict markers, the first in line {line}");
            Diagnostic::new(Code::MergeConflict, message)
                .help("choose between the two sides in the file, take the markers away, and run again")
        }
        Reason::Foreign => Diagnostic::new(Code::ForeignFile, format!("`{path}` exists, but megax did not write it"))
            .help(format!("move it away or change the planned path; or {CHOICES}")),
        Reason::NotAFile(what) => {
            Diagnostic::new(Code::NotAFile, format!("`{path}` is {what}, where a file is planned"))
                .help("move it away, or change the planned path")
        }
        Reason::Unreadable => Diagnostic::new(Code::NotAFile, format!("`{path}` may not be read"))
            .help("give yourself the right to read it and the folders above it, or move it away"),
        Reason::Reserved(parent) => {
            let message = format!(
                "`{parent}` is the folder of the repository, of megax or of the mega-files under another name, and \
                 `{path}` is planned below it"
            );
            Diagnostic::new(Code::ReservedFolder, message).help("change the planned path; no mega-file writes there")
        }
        Reason::Below(parent) => {
            Diagnostic::new(Code::NotAFile, format!("`{parent}` is no folder, but `{path}` is planned below it"))
                .help("move it away, or change the planned path; megax follows no symlink")
        }
    }
}
