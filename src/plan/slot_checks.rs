//! Who reads which slot: values that nobody reads, slots that cannot be told, files that a run leaves out of date.

use std::collections::BTreeSet;

use super::{Contributions, Plan, PlannedFile};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::{MegaFile, Model};
use crate::span::Span;
use crate::template::Slots;

/// Whether a file of a mega-file that was not selected is made from what a selected one contributes.
pub fn is_fed(file: &PlannedFile, mega_file: usize, model: &Model, contributions: &Contributions) -> bool {
    let Some(reads) = &file.reads else { return false };
    let selected =
        |index: &usize| *index != mega_file && model.mega_files.get(*index).is_some_and(|mega| mega.selected);
    contributions.contributors.iter().any(|(slot, by)| reads.holds(slot) && by.iter().any(selected))
}

/// All that selected mega-files make from slots: what it is, where it is written, its mega-file, its slots. The files
/// come first; a list of files that slots decide may be empty.
pub fn readers(plan: &Plan) -> impl Iterator<Item = (String, Span, usize, &Slots)> {
    let files = plan.files.iter();
    let files = files
        .filter_map(|file| Some((format!("`{}`", file.path), file.origin, file.mega_file, file.reads.as_deref()?)));
    let lists = plan.readers.iter();
    files.chain(lists.map(|one| ("the list of files".to_owned(), one.span, one.mega_file, &one.slots)))
}

/// Slots that nobody reads, and selected files whose slots cannot be told.
pub fn check(model: &Model, plan: &Plan) -> Vec<Diagnostic> {
    let mut findings = unread(model, plan);
    let mut said: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (what, span, index, reads) in readers(plan) {
        let Some(mega) = model.mega_files.get(index) else { continue };
        for doubt in plan.contributions.doubts.iter().filter(|doubt| doubt.slots.meets(reads)) {
            // Its own errors hold the team already.
            let own = doubt.selected && doubt.team.as_ref() == Some(&mega.team);
            if own || !said.insert((&mega.team, &doubt.mega_file)) {
                continue;
            }
            let of_team = doubt.team.as_ref().map_or_else(String::new, |team| format!(" of team {team}"));
            let message = format!(
                "{what} is made from contributions, but what the mega-file `{}`{of_team} contributes cannot be told",
                doubt.mega_file
            );
            let finding = Diagnostic::new(Code::SlotUnknown, message).at(span).team(mega.team.clone());
            findings.push(finding.help("mend that mega-file first; `megax validate` says what is wrong with it"));
        }
    }
    findings
}

/// Contributions of selected mega-files that no template of the project reads. While a mega-file cannot be read or
/// planned, the reader may be in it.
fn unread(model: &Model, plan: &Plan) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if !plan.contributions.doubts.is_empty() || !plan.recorded.is_empty() {
        return findings;
    }
    let read: BTreeSet<&str> = plan.reads.iter().flat_map(|reads| reads.named.iter().map(String::as_str)).collect();
    if plan.reads.iter().any(|reads| reads.all) {
        return findings;
    }
    for mega in model.mega_files.iter().filter(|mega| mega.selected) {
        let mut said: BTreeSet<&str> = BTreeSet::new();
        for contribution in &mega.contributions {
            if read.contains(contribution.slot.as_str()) || !said.insert(&contribution.slot) {
                continue;
            }
            findings.push(unread_slot(mega, contribution, &read));
        }
    }
    findings
}

fn unread_slot(mega: &MegaFile, contribution: &crate::model::Contribution, read: &BTreeSet<&str>) -> Diagnostic {
    let message = format!("no mega-file of the project reads the slot `{}`", contribution.slot);
    let finding = Diagnostic::new(Code::UnreadSlot, message).at(contribution.slot_span).team(mega.team.clone());
    match nearest(&contribution.slot, read.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")).fix(contribution.slot_span, near),
        None if read.is_empty() => finding.help(format!(
            "the owner of the shared file reads it: `{{% for x in contributions.{} %}}`",
            contribution.slot
        )),
        None => finding.help(format!(
            "the slots that are read are {}; or the owner of the file comes later",
            read.iter().copied().collect::<Vec<_>>().join(", ")
        )),
    }
}
