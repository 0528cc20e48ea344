//! `megax status`: how the teams of a project stand. A dry run over the whole project, and the lockfile against the
//! disk; writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::{self, Changes};
use super::guards::Guards;
use super::{Request, State, drift, goals, hold, on_threads, resolve, shards, sink, team_of_input, validity};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, nearest};
use crate::event::{Event, Watcher};
use crate::model::{Amount, MegaFile, Progress};
use crate::name::id_key;
use crate::output::{Facts, Rendered, Sink};
use crate::plan::PlannedFile;
use crate::report::Outcome;
use crate::report::status::{Drift, Measure, MegaFileStatus, Range, StatusReport, TeamStatus};
use crate::source::load::display;
use crate::source::{Input, Kind, NodeId, Tree};

/// So many findings of one code at one place are shown one by one.
pub(super) const MOST_ALIKE: usize = 3;

/// How every team stands, or the one team that is named. Never fails: everything that goes wrong is a finding.
#[must_use]
pub fn status(request: &Request, team: Option<&str>, watcher: &dyn Watcher) -> StatusReport {
    on_threads(request.jobs, || status_here(request, team, watcher))
}

fn status_here(request: &Request, team: Option<&str>, watcher: &dyn Watcher) -> StatusReport {
    let mut state = match resolve(request, watcher) {
        Ok(state) => state,
        Err(failed) => return without_inputs(request, *failed),
    };
    state.hold();
    watcher.on_event(Event::Planned { files: state.plan.files.len() });
    // Only a run that writes can be in vain.
    let changes = apply::run(&mut state, Guards::new(), watcher).unwrap_or_default();
    let compared = state.root.is_some();
    // Edited and foreign files are what the drift shows. Teams that are held with a wrong one are found again below.
    let shown = |finding: &Diagnostic| {
        use Code::{
            CannotMerge, ContributorHeld, EditKept, EditedFile, ForeignFile, MergeConflict, NotAFile, OrphanEdited,
            TeamBound,
        };
        let of_disk = matches!(
            finding.code,
            CannotMerge | EditKept | EditedFile | ForeignFile | MergeConflict | NotAFile | OrphanEdited
        );
        !(of_disk && compared || matches!(finding.code, ContributorHeld | TeamBound))
    };
    state.findings = std::mem::take(&mut state.findings).into_iter().filter(shown).collect();
    // What a run would not do without being told is no error of the project.
    for finding in &mut state.findings {
        if finding.code == Code::Fuse {
            finding.severity = Severity::Warning;
        }
    }
    render_held(&mut state, watcher);
    let drift = drift::drift(&mut state, &changes);
    state.hold();
    report(state, team, &changes, drift)
}

pub(super) fn without_inputs(
    request: &Request,
    (mut findings, set): (Diagnostics, Option<crate::source::SourceSet>),
) -> StatusReport {
    findings.sort();
    findings.shorten(&super::limits_of(&request.inputs, set.as_ref()));
    StatusReport {
        outcome: if findings.has_errors() { Outcome::Wrong } else { Outcome::NothingToDo },
        manifest: None,
        out: request.inputs.out.as_ref().map_or_else(String::new, |out| out.display().to_string()),
        only: None,
        teams: Vec::new(),
        mega_files: Vec::new(),
        drift: Vec::new(),
        detached: Vec::new(),
        lockfiles: None,
        diagnostics: findings,
        sources: set.map(|set| set.sources).unwrap_or_default(),
    }
}

/// Takes every body and keeps nothing.
struct Measured;

impl Sink for Measured {
    fn wants(&self, _: &PlannedFile) -> bool {
        true
    }

    fn take(&self, _: &PlannedFile, _: &Facts, _: &[u8]) {}
}

/// Measures the valid mega-files of held teams, which the dry run passed over.
pub(super) fn render_held(state: &mut State<'_>, watcher: &dyn Watcher) {
    let wrong = validity::wrong_inputs(state);
    let is_valid = |file: &PlannedFile| {
        state.model.mega_files.get(file.mega_file).is_some_and(|mega| !wrong.contains(&mega.file()))
    };
    state.rendered.resize_with(state.plan.files.len(), || Rendered::Skipped);
    let left: Vec<usize> = (0..state.plan.files.len())
        .filter(|&at| matches!(state.rendered[at], Rendered::Skipped) && is_valid(&state.plan.files[at]))
        .collect();
    let files: Vec<PlannedFile> = left.iter().map(|&at| state.plan.files[at].clone()).collect();
    let outcome = sink::within(&state.set.limits, &files, &Measured, watcher);
    let rendered = outcome.unwrap_or_else(|finding| {
        state.findings.push(finding);
        Vec::new()
    });
    let mut found = Vec::new();
    for (at, rendered) in left.into_iter().zip(rendered) {
        if let Rendered::Failed(failure) = &rendered {
            found.extend(hold::failed(state, &state.plan.files[at], failure));
        }
        state.rendered[at] = rendered;
    }
    state.findings.extend(found);
}

fn report(mut state: State<'_>, team: Option<&str>, changes: &Changes, drift: Vec<Drift>) -> StatusReport {
    let mega_files = mega_files(&state);
    let mut teams = teams(&state, &mega_files, &drift);
    let only = team.map(|team| find_team(&state, team, &teams));
    let only = match only {
        Some(Err(finding)) => {
            state.findings = std::iter::once(finding).collect();
            teams.clear();
            Some(None)
        }
        Some(Ok(name)) => Some(Some(name)),
        None => None,
    };
    if let Some(Some(name)) = &only {
        let concerns = |finding: &Diagnostic| finding.teams.is_empty() || finding.teams.contains(name);
        state.findings = std::mem::take(&mut state.findings).into_iter().filter(concerns).collect();
    }
    let wanted = |team: Option<&str>| only.as_ref().is_none_or(|only| only.as_deref() == team);
    teams.retain(|one| wanted(Some(&one.team)));
    let mega_files: Vec<MegaFileStatus> = mega_files.into_iter().filter(|one| wanted(one.team.as_deref())).collect();
    let drift: Vec<Drift> = drift.into_iter().filter(|one| wanted(Some(&one.team))).collect();
    let detached = drift::detached(&state).into_iter().filter(|one| wanted(Some(&one.team))).collect();
    let shards =
        changes.lockfiles.iter().filter(|shard| wanted(Some(&state.model.team_name(&shard.team)))).count() as u64;
    state.findings.sort();
    state.findings.collapse(MOST_ALIKE);
    let own = if drift.is_empty() && shards == 0 { Outcome::NothingToDo } else { Outcome::Differences };
    state.findings.shorten(&state.set.limits);
    let outcome = Outcome::with_errors(&state.findings, own);
    StatusReport {
        outcome,
        manifest: state.set.manifest.as_ref().map(|manifest| state.set.sources.name(manifest.file).to_owned()),
        out: display(&state.set.out, &state.request.inputs.current),
        only: only.flatten(),
        teams,
        mega_files,
        drift,
        detached,
        lockfiles: state.root.is_some().then_some(shards),
        diagnostics: state.findings,
        sources: state.set.sources,
    }
}

/// The team that is meant, in its one spelling.
pub(super) fn find_team(state: &State<'_>, asked: &str, teams: &[TeamStatus]) -> Result<String, Diagnostic> {
    let name = state.model.team_name(asked);
    if teams.iter().any(|team| team.team == name) {
        return Ok(name);
    }
    let known: Vec<&str> = teams.iter().map(|team| team.team.as_str()).collect();
    let help = match nearest(&name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the project has no team yet".to_owned(),
        None => format!("the teams are {}", known.join(", ")),
    };
    Err(Diagnostic::new(Code::NoInput, format!("there is no team `{asked}`")).help(help))
}

/// Every mega-file of the project, valid or not, in the order of the files.
pub(super) fn mega_files(state: &State<'_>) -> Vec<MegaFileStatus> {
    let (wrong, all_wrong) = (validity::wrong_inputs(state), validity::is_all_wrong(state));
    let mut made: BTreeMap<usize, Option<(u64, u64)>> = BTreeMap::new();
    for (file, rendered) in state.plan.files.iter().zip(&state.rendered) {
        let own = made.entry(file.mega_file).or_insert(Some((0, 0)));
        *own = match (rendered, *own) {
            (Rendered::Done(facts), Some((files, lines))) => Some((files + 1, lines + facts.lines)),
            _ => None,
        };
    }
    let of_input = |input: &Input| {
        let understood = state.model.mega_files.iter().enumerate().find(|(_, mega)| mega.file() == input.file);
        let valid = !wrong.contains(&input.file);
        let sums =
            understood.filter(|_| valid).and_then(|(index, _)| made.get(&index).copied().unwrap_or(Some((0, 0))));
        let (files, lines) = sums.unzip();
        let estimated = |of: fn(&Tree) -> Option<Range>| input.tree.as_deref().and_then(of).filter(|_| !valid);
        let text = state.set.sources.get(input.file).map_or("", crate::span::SourceFile::text);
        MegaFileStatus {
            id: understood.map(|(_, mega)| mega.id.clone()).or_else(|| shards::id_of(input.tree.as_deref(), text)),
            team: understood
                .map(|(_, mega)| mega.team.clone())
                .or_else(|| team_of_input(input).map(|team| state.model.team_name(&team))),
            path: state.set.sources.name(input.file).to_owned(),
            valid,
            files: Measure { measured: files, estimate: estimated(declared_files), ..Measure::default() },
            // While the manifest is broken, its seed is unknown, and so are the bytes.
            lines: Measure {
                measured: lines.filter(|_| !all_wrong),
                estimate: estimated(declared_lines),
                ..Measure::default()
            },
            missing: understood.map_or_else(Vec::new, |(_, mega)| missing(state, mega)),
        }
    };
    state.set.mega_files.iter().map(of_input).collect()
}

/// Dependencies that no mega-file has, broken ones included.
fn missing(state: &State<'_>, mega: &MegaFile) -> Vec<String> {
    let has = |text: &str| {
        let (team, id) =
            text.rsplit_once('/').map_or((None, text), |(team, id)| (Some(state.model.team_name(team)), id));
        state.set.mega_files.iter().any(|input| {
            let source = state.set.sources.get(input.file).map_or("", crate::span::SourceFile::text);
            let same_id = shards::id_of(input.tree.as_deref(), source).is_some_and(|own| id_key(&own) == id_key(id));
            same_id
                && team.as_ref().is_none_or(|team| {
                    team_of_input(input).map(|own| state.model.team_name(&own)).as_ref() == Some(team)
                })
        })
    };
    mega.dependencies.iter().map(|(text, _)| text).filter(|text| !has(text)).cloned().collect()
}

/// The teams of the manifest in its order, then those that only have mega-files or files.
pub(super) fn teams(state: &State<'_>, mega_files: &[MegaFileStatus], drift: &[Drift]) -> Vec<TeamStatus> {
    let manifest = state.model.manifest.as_ref();
    let mut names: Vec<String> = manifest.iter().flat_map(|one| &one.teams).map(|team| team.name.clone()).collect();
    let recorded = state.shards.all.iter().map(|shard| state.model.team_name(&shard.lockfile.team));
    let others: BTreeSet<String> = mega_files.iter().filter_map(|one| one.team.clone()).chain(recorded).collect();
    let unnamed: Vec<String> = others.into_iter().filter(|name| !names.contains(name)).collect();
    names.extend(unnamed);
    let there = goals::present(&state.set, &state.model);
    let team = |name: String| {
        let own: Vec<&MegaFileStatus> =
            mega_files.iter().filter(|one| one.team.as_deref() == Some(name.as_str())).collect();
        let valid = own.iter().filter(|one| one.valid).count() as u64;
        let told = manifest.and_then(|manifest| manifest.team(&name));
        let progress = told.and_then(|team| team.progress(&there));
        let goal = |amount: Option<Amount>| amount.map(|Amount { min, max, .. }| bounded(min, max));
        let limit = |amount: Option<Amount>| amount.map(|amount| amount.max).filter(|&max| max < u64::MAX);
        let mut files = sum(own.iter().map(|one| (&one.files, one.valid)));
        files.goal = told.and_then(|team| goal(team.goals.files));
        files.limit = told.and_then(|team| limit(team.capabilities.files));
        let mut lines = sum(own.iter().map(|one| (&one.lines, one.valid)));
        lines.goal = told.and_then(|team| goal(team.goals.lines));
        lines.limit = told.and_then(|team| limit(team.capabilities.lines));
        TeamStatus {
            valid,
            invalid: own.len() as u64 - valid,
            expected: progress.as_ref().map(|progress| (progress.present, progress.wanted)),
            others: progress.as_ref().map_or(0, |progress| (own.len() as u64).saturating_sub(progress.present)),
            missing: progress.as_ref().map_or_else(Vec::new, missing_names),
            files,
            lines,
            held: state.held.get(&name).cloned(),
            drift: drift.iter().filter(|one| one.team == name).count() as u64,
            team: name,
        }
    };
    names.into_iter().map(team).collect()
}

/// The mega-files that a team is to write and that are not there.
fn missing_names(progress: &Progress<'_>) -> Vec<String> {
    progress.deliverables.iter().filter(|one| !one.present).map(|one| one.name.to_owned()).collect()
}

/// The sum of valid mega-files, unknown if one of them is or if none is valid; the estimates of the others apart.
fn sum<'m>(measures: impl Iterator<Item = (&'m Measure, bool)>) -> Measure {
    let mut total = Measure { measured: Some(0), ..Measure::default() };
    let (mut some_valid, mut some) = (false, false);
    for (one, valid) in measures {
        some = true;
        if valid {
            some_valid = true;
            total.measured = total.measured.zip(one.measured).map(|(sum, more)| sum.saturating_add(more));
        }
        if let Some(more) = one.estimate {
            let sum = total.estimate.unwrap_or(Range { min: 0, max: Some(0) });
            let max = sum.max.zip(more.max).map(|(sum, more)| sum.saturating_add(more));
            total.estimate = Some(Range { min: sum.min.saturating_add(more.min), max });
        }
    }
    total.measured = total.measured.filter(|_| some_valid || !some);
    total
}

fn bounded(min: u64, max: u64) -> Range {
    Range { min, max: (max < u64::MAX).then_some(max) }
}

/// How many files a mega-file says that it will make.
fn declared_files(tree: &Tree) -> Option<Range> {
    let native = tree.get(tree.root(), "expansion").and_then(|node| tree.get(node, "targetFiles"));
    if let Some(files) = native.and_then(|node| tree.list(node)) {
        let many = files.len() as u64;
        return Some(bounded(many, many));
    }
    native.or_else(|| lbof(tree, "estimated_files")).and_then(|node| amount(tree, node))
}

/// How many lines a mega-file says that it will make.
fn declared_lines(tree: &Tree) -> Option<Range> {
    let native = tree.get(tree.root(), "expansion").and_then(|node| tree.get(node, "totalLines"));
    native.or_else(|| lbof(tree, "estimated_loc")).and_then(|node| amount(tree, node))
}

fn lbof(tree: &Tree, key: &str) -> Option<NodeId> {
    tree.get(tree.get(tree.root(), "metadata")?, key)
}

/// A number, `3000-4000`, or `{min, max}`; anything else says nothing.
fn amount(tree: &Tree, node: NodeId) -> Option<Range> {
    let plain = |text: &str| text.trim().replace(['_', ','], "").parse::<u64>().ok();
    match tree.kind(node) {
        Kind::Int(value) => u64::try_from(*value).ok().map(|value| bounded(value, value)),
        Kind::Text(text, _) => {
            let (min, max) = text.split_once('-').unwrap_or((text, text));
            Some(bounded(plain(min)?, plain(max)?))
        }
        Kind::Map(_) => {
            let bound = |key| match tree.kind(tree.get(node, key)?) {
                Kind::Int(value) => u64::try_from(*value).ok(),
                _ => None,
            };
            let (min, max) = (bound("min"), bound("max"));
            (min.is_some() || max.is_some()).then(|| Range { min: min.unwrap_or(0), max })
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
