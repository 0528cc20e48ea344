//! Which teams write nothing, and why: errors hold the teams that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::plan::{PlannedFile, locate};
use crate::source::NodeId;
use crate::span::Span;
use crate::template::Failure;

/// Warnings that say what somebody chose or what a neighbour did: `--strict` leaves them alone.
const NEVER_STRICT: [Code; 4] = [Code::NeighbourUnreadable, Code::EditKept, Code::EditReplaced, Code::OrphanEdited];

/// Turns warnings into errors.
pub fn make_strict(findings: &mut Diagnostics) {
    for finding in findings {
        if finding.severity == Severity::Warning && !NEVER_STRICT.contains(&finding.code) && finding.code.id() < "MX8" {
            finding.severity = Severity::Error;
        }
    }
}

/// The held teams with the reason; an error without a team holds all.
pub fn held(findings: &Diagnostics, teams: &BTreeSet<String>, all_or_nothing: bool) -> BTreeMap<String, String> {
    let mut reasons: BTreeMap<&str, Vec<Code>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.is_error()) {
        let named: Vec<&str> = finding.teams.iter().map(String::as_str).filter(|team| teams.contains(*team)).collect();
        let concerned: Vec<&str> =
            if finding.teams.is_empty() { teams.iter().map(String::as_str).collect() } else { named };
        for team in concerned {
            reasons.entry(team).or_default().push(finding.code);
        }
    }
    let mut held: BTreeMap<String, String> =
        reasons.into_iter().map(|(team, codes)| (team.to_owned(), reason(&codes))).collect();
    if all_or_nothing && !held.is_empty() {
        let first = held.keys().next().cloned().unwrap_or_default();
        for team in teams {
            held.entry(team.clone()).or_insert_with(|| format!("team {first} is held (--all-or-nothing)"));
        }
    }
    held
}

fn reason(codes: &[Code]) -> String {
    let Some(first) = codes.first() else { return String::new() };
    match codes.len() - 1 {
        0 => format!("{} {}", first.id(), first.name()),
        more => format!("{} {}, and {more} more", first.id(), first.name()),
    }
}

/// The finding for a file whose template failed, at its place in the template, with the line that asks for the file.
pub fn failed(state: &State<'_>, file: &PlannedFile, failure: &Failure) -> Option<Diagnostic> {
    let mega = state.model.mega_files.get(file.mega_file)?;
    let inline = || failure.template.strip_prefix("inline ")?.parse().ok().map(NodeId);
    let place = mega.template(&failure.template).map(|template| template.text).or_else(|| Some(inline()?.into()));
    let item = file.item.as_ref().map_or_else(String::new, |item| format!(" for the item `{item}`"));
    let finding = match place {
        Some(place) => locate(mega, &state.set.sources, place, &failure.issue),
        None => Diagnostic::new(failure.issue.code, failure.issue.message.clone()).at(Span { ..file.origin }),
    };
    Some(finding.team(mega.team.clone()).related(file.origin, format!("while making `{}`{item}", file.path)))
}
