//! What is wrong in mega-files that a run was not asked about: whose it is to mend.

use std::collections::BTreeSet;

use super::team_of_input;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::Model;
use crate::source::SourceSet;

/// Says of every finding about a neighbour which team mends it, unless that is a team of the run.
pub fn address(findings: &mut Diagnostics, set: &SourceSet, model: &Model, teams: &BTreeSet<String>) {
    for finding in findings.iter_mut().filter(|one| one.code == Code::NeighbourUnreadable) {
        if let Some(team) = team_of(finding, set, model).filter(|team| !teams.contains(team)) {
            finding.help = Some(format!("team {team} mends this; nothing to do for you"));
        }
    }
}

/// The team of the mega-file that a finding points into.
fn team_of(finding: &Diagnostic, set: &SourceSet, model: &Model) -> Option<String> {
    let related = finding.related.iter().filter_map(|one| one.span);
    let mut spans = finding.span.into_iter().chain(related);
    let input = spans.find_map(|span| set.mega_files.iter().find(|input| input.file == span.file))?;
    team_of_input(input).map(|team| model.team_name(&team))
}
