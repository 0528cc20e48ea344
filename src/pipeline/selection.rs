//! Which teams a run is about: those of the selected mega-files, and those of which nothing is left but what was written.

use std::collections::BTreeSet;

use super::shards::{Texts, Unreadable, is_left, place};
use super::{Request, team_of_input};
use crate::change::Shard;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Model};
use crate::report::{Command, Mode};
use crate::source::read::real;
use crate::source::{self, SourceSet};

/// Leaves only the mega-files of the named teams selected. Returns the names of which no mega-file is left, with what is
/// wrong with that.
pub fn select_teams(set: &mut SourceSet, teams: &[String]) -> Vec<(String, Diagnostic)> {
    if teams.is_empty() {
        return Vec::new();
    }
    // Only the manifest knows other names of a team; one that is broken is reported later.
    let manifest = model::manifest(set);
    let one_name = |text: &str| model::one_team_name(manifest.as_ref(), text);
    let team_of = |input: &source::Input| team_of_input(input).map(|team| one_name(&team));
    let present: BTreeSet<String> = set.mega_files.iter().filter(|input| input.selected).filter_map(team_of).collect();
    let mut missing = Vec::new();
    for team in teams {
        if !present.contains(&one_name(team)) {
            let known: Vec<&str> = present.iter().map(String::as_str).collect();
            let message = format!("no selected mega-file belongs to team `{team}`");
            let help = format!("the teams of the selected mega-files are {}", known.join(", "));
            let finding = Diagnostic::new(Code::NoInput, message).about(format!("--team {team}")).help(help);
            missing.push((one_name(team), finding));
        }
    }
    let wanted: BTreeSet<String> = teams.iter().map(|team| one_name(team)).collect();
    for input in &mut set.mega_files {
        input.selected &= team_of(input).is_some_and(|team| wanted.contains(&team));
        if !input.selected && input.tree.is_none() {
            for finding in &mut input.findings {
                finding.severity = Severity::Warning;
                finding.teams.clear();
            }
        }
    }
    missing
}

/// The teams of the selected mega-files.
pub fn selected_teams(set: &SourceSet, model: &Model) -> BTreeSet<String> {
    let broken = set.mega_files.iter().filter(|input| input.selected).filter_map(team_of_input);
    let broken = broken.map(|team| model.team_name(&team));
    let valid = model.mega_files.iter().filter(|mega| mega.selected).map(|mega| mega.team.clone());
    broken.chain(valid).collect()
}

/// Why a run over a project without any mega-file deletes nothing unless that was asked for: it may be a folder that is not
/// mounted, or not checked out.
pub fn nothing_is_left(request: &Request, set: &SourceSet, left: &BTreeSet<String>) -> Option<Diagnostic> {
    let finding = set.empty.clone()?;
    if left.is_empty() {
        return Some(finding);
    }
    let teams = left.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let help = format!(
        "if that is meant, `--allow-deletes NUMBER` removes what is left of {teams}; else put the mega-files back"
    );
    (request.teams.is_empty() && request.allow_deletes.is_none()).then(|| finding.help(help))
}

/// Whether a run may be about a team whose last mega-file is gone: it looks at what was written, and at the whole project.
pub fn may_be_left(request: &Request) -> bool {
    let looks = matches!(request.command, Command::Expand | Command::Plan | Command::Apply | Command::Status);
    looks && request.mode != Mode::Validate && request.inputs.paths.is_empty()
}

/// The teams that a run is asked about of which lockfiles are left, and no mega-file. In an output root of its own, which
/// another project may share, only those that are named.
pub fn left_teams(request: &Request, texts: &Texts, set: &SourceSet, model: &Model) -> BTreeSet<String> {
    if request.teams.is_empty() && real(&set.out) != real(&set.root) {
        return BTreeSet::new();
    }
    let asked: BTreeSet<String> = request.teams.iter().map(|team| model.team_name(team)).collect();
    let is_asked = |team: &String| asked.is_empty() || asked.contains(team);
    let unreadable = Unreadable::of(set, model);
    let there: BTreeSet<&str> = model.mega_files.iter().map(|mega| mega.team.as_str()).collect();
    let left = texts.shards.iter().filter_map(|(path, text)| {
        let team = model.team_name(place(path)?.0);
        if !set.is_whole || !is_asked(&team) || there.contains(team.as_str()) {
            return None;
        }
        let shard = Shard::read(path, text).ok()?;
        let has_left = is_left(set, shard.lockfile.source.as_deref()?);
        (has_left && !unreadable.may_be(&team, &shard.lockfile.mega_file)).then_some(team)
    });
    left.collect()
}
