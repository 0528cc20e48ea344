//! Which mega-files are wrong, one by one. Writing holds whole teams; a view of the project need not be so coarse.

use std::collections::BTreeSet;

use super::{State, team_of_input};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::Outcome;
use crate::span::FileId;

/// The files of mega-files that are wrong: not understood, or named by an error. What the disk says (an edited file,
/// say) makes no mega-file wrong.
pub fn wrong_inputs(state: &State<'_>) -> BTreeSet<FileId> {
    let understood: BTreeSet<FileId> = state.model.mega_files.iter().map(crate::model::MegaFile::file).collect();
    let inputs = || state.set.mega_files.iter();
    let mut wrong: BTreeSet<FileId> =
        inputs().map(|input| input.file).filter(|file| !understood.contains(file)).collect();
    for finding in errors(state) {
        wrong.extend(finding.span.map(|span| span.file));
        // Who has reserved a path is not wrong when somebody else of the team plans it, too.
        let both_are_wrong = finding.code != Code::ReservedPath;
        let related = finding.related.iter().filter(|_| both_are_wrong).filter_map(|related| Some(related.span?.file));
        // The other place of a collision is wrong as well; one that only explains is not.
        wrong.extend(related.filter(|file| {
            let team = inputs().find(|input| input.file == *file).and_then(team_of_input);
            team.is_some_and(|team| finding.teams.contains(&team))
        }));
    }
    wrong.retain(|file| inputs().any(|input| input.file == *file));
    wrong
}

/// Whether something is wrong that no single team is blamed for: the manifest, or a limit of the whole run.
pub fn is_all_wrong(state: &State<'_>) -> bool {
    errors(state).any(|finding| finding.teams.is_empty())
}

fn errors<'s>(state: &'s State<'_>) -> impl Iterator<Item = &'s Diagnostic> {
    let wrong = |finding: &&Diagnostic| finding.is_error() && Outcome::of(finding.code) == Outcome::Wrong;
    state.findings.iter().filter(wrong)
}
