//! Contributions across teams: who is held with whom, which mega-files cannot be told, which files a run leaves out of
//! date.

use std::collections::BTreeSet;

use super::State;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{MegaFile, Model};
use crate::name::id_key;
use crate::output::{self, Facts};
use crate::plan::{Doubt, PlannedFile, readers};
use crate::source::{Input, SourceSet, Tree};
use crate::span::{SourceFile, Span};
use crate::template::Slots;

/// Mega-files that are not in the model, by the slots that they may fill.
pub fn doubts(set: &SourceSet, model: &Model) -> Vec<Doubt> {
    let valid: BTreeSet<_> = model.mega_files.iter().map(MegaFile::file).collect();
    let unknown = set.mega_files.iter().filter(|input| !valid.contains(&input.file));
    unknown.filter_map(|input| doubt(set, input)).collect()
}

fn doubt(set: &SourceSet, input: &Input) -> Option<Doubt> {
    let text = set.sources.get(input.file).map_or("", SourceFile::text);
    let slots = match input.tree.as_deref() {
        Some(tree) => slots_of(tree),
        // Nothing is known of a text that cannot be parsed; the word must stand in it at least.
        None if text.contains("contributes") => Slots::every(),
        None => Slots::default(),
    };
    let mega_file = set.sources.name(input.file).to_owned();
    let team = super::team_of_input(input);
    (!slots.is_empty()).then_some(Doubt { mega_file, team, selected: input.selected, slots })
}

fn slots_of(tree: &Tree) -> Slots {
    let Some(node) = tree.get(tree.root(), "contributes") else { return Slots::default() };
    let Some(entries) = tree.map(node) else { return Slots::every() };
    let named = entries.iter().filter_map(|&(key, _)| tree.text(key)).map(str::to_owned).collect();
    Slots { named, all: false }
}

/// One error for every team that is not held, but whose files are made from contributions of a held one.
pub fn held_with(state: &State<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut said: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (what, span, index, reads) in readers(&state.plan) {
        let team = state.model.mega_files.get(index).map_or("", |mega| &mega.team);
        if state.is_held(team) {
            continue;
        }
        for (slot, by) in state.plan.contributions.contributors.iter().filter(|(slot, _)| reads.holds(slot)) {
            for mega in by.iter().filter_map(|&index| state.model.mega_files.get(index)) {
                let concerned = mega.selected && mega.team != team && state.is_held(&mega.team);
                if concerned && said.insert((team, &mega.team)) {
                    findings.push(held_finding(&what, span, team, mega, slot));
                }
            }
        }
    }
    findings
}

fn held_finding(what: &str, span: Span, team: &str, mega: &MegaFile, slot: &str) -> Diagnostic {
    let message =
        format!("{what} is made from what team {} contributes to `{slot}`, and team {} is held", mega.team, mega.team);
    let finding = Diagnostic::new(Code::ContributorHeld, message).at(span).team(team.to_owned());
    let finding = finding.related(mega.id_span, "the mega-file that contributes");
    finding.help("mend the held team's findings first; what both make is written together")
}

/// One warning for every file of a mega-file that was not selected, if what the selected ones contribute now makes it
/// differ from what was written, or makes it one file more.
pub fn outdated(state: &State<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut buffer = Vec::new();
    // What is written once is the user's since then.
    for file in state.plan.fed.iter().filter(|file| !file.once) {
        let Some(owner) = state.model.mega_files.get(file.mega_file) else { continue };
        let mut shards = state.shards.all.iter().map(|shard| &shard.lockfile);
        let how = match shards.clone().find_map(|lockfile| lockfile.entries.get(&file.path)) {
            Some(entry) => {
                let Ok(body) = output::body(file, &mut buffer) else { continue };
                if entry.digest == Facts::of(body).digest {
                    continue;
                }
                "is out of date"
            }
            // Of a mega-file that was never applied whole, more is missing than this run can tell.
            None if shards.any(|one| one.inputs.is_some() && id_key(&one.mega_file) == id_key(&owner.id)) => {
                "is not written yet"
            }
            None => continue,
        };
        findings.extend(outdated_finding(state, file, owner, how));
    }
    findings
}

fn outdated_finding(state: &State<'_>, file: &PlannedFile, owner: &MegaFile, how: &str) -> Option<Diagnostic> {
    let reads = file.reads.as_ref()?;
    let contributors = &state.plan.contributions.contributors;
    let mut fed = contributors
        .iter()
        .filter(|(slot, _)| reads.holds(slot))
        .flat_map(|(slot, by)| by.iter().filter_map(move |&index| Some((slot, state.model.mega_files.get(index)?))));
    let (slot, mega) = fed.find(|(_, mega)| mega.selected)?;
    let span = mega.contributions.iter().find(|one| one.slot == *slot)?.slot_span;
    let message = format!(
        "`{}` of team {} {how}: it is made from `{slot}`, which changed since its owner was expanded",
        file.path, owner.team
    );
    let help = format!("expand its owner too: `megax expand {}`", state.set.sources.name(owner.file()));
    let finding = Diagnostic::new(Code::OwnerOutdated, message).at(span).help(help).team(mega.team.clone());
    Some(finding.related(file.origin, format!("the owner, mega-file `{}`", owner.id)))
}
