//! What the manifest expects of teams, compared with what a run made: gathers the facts that `verify` judges.

use std::collections::BTreeMap;

use super::{State, shards, team_of_input};
use crate::change::OnDisk;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::disk;
use crate::model::{Manifest, Model, Present};
use crate::report::Command;
use crate::source::SourceSet;
use crate::span::SourceFile;
use crate::verify::{self, goals::Made, points::Planned};

/// Everything that the manifest expects and this run can judge. `made` is what was rendered, by mega-file.
pub fn inspect(state: &State<'_>, made: &BTreeMap<usize, verify::Outputs<'_>>) -> Vec<Diagnostic> {
    let Some(manifest) = &state.model.manifest else { return Vec::new() };
    let whole = is_whole(state);
    let there = if whole { present(&state.set, &state.model) } else { Vec::new() };
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    for team in &manifest.teams {
        let progress = team.progress(&there).filter(|_| whole);
        missing.extend(progress.as_ref().and_then(|progress| verify::goals::missing(team, progress)));
        if !state.teams.contains(&team.name) || state.is_held(&team.name) {
            continue;
        }
        let finished = whole && progress.is_none_or(|progress| progress.present >= progress.wanted);
        findings.extend(verify::goals::team(team, &of_team(state, &team.name, made), finished));
    }
    findings.extend(owed(state, missing, |missing| {
        let teams: Vec<&str> = missing.iter().flat_map(|finding| &finding.teams).map(String::as_str).collect();
        format!("mega-files that the manifest names are not there yet: of {}; see `megax status`", few(&teams))
    }));
    findings.extend(artifacts(state, manifest, whole));
    findings
}

/// What is not there yet, in one line: a project in the making lacks most of it. `megax status` shows the mega-files in
/// its table, `megax review` the artefacts as well, and with `--strict` each lack is an error there. `what` says it for a
/// number of them.
fn owed(state: &State<'_>, missing: Vec<Diagnostic>, what: impl Fn(&[Diagnostic]) -> String) -> Vec<Diagnostic> {
    let is_review = state.request.command == Command::Review;
    let is_status = is_review || state.request.command == Command::Status;
    if is_status && state.request.strict {
        return missing.into_iter().map(|finding| finding.severity(Severity::Error)).collect();
    }
    let Some(first) = missing.first() else { return Vec::new() };
    let is_in_table = is_review || is_status && first.code == Code::MissingMegaFile;
    if is_in_table || state.request.command == Command::Snapshot {
        return Vec::new();
    }
    vec![Diagnostic::new(first.code, what(&missing))]
}

/// `alpha, beta and 3 more`.
fn few(names: &[&str]) -> String {
    let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
}

/// Whether the run speaks for the whole project: every mega-file is expanded, and every file of it.
fn is_whole(state: &State<'_>) -> bool {
    let selected = state.set.mega_files.iter().all(|input| input.selected);
    state.set.is_whole && selected && state.request.teams.is_empty() && state.only.is_none()
}

/// The mega-files that are there, valid or not.
#[must_use]
pub fn present(set: &SourceSet, model: &Model) -> Vec<Present> {
    let of_input = |input: &crate::source::Input| Present {
        team: team_of_input(input).map(|team| model.team_name(&team)),
        id: shards::id_of(input.tree.as_deref(), set.sources.get(input.file).map_or("", SourceFile::text)),
        file: set.sources.name(input.file).to_owned(),
    };
    set.mega_files.iter().map(of_input).collect()
}

fn of_team<'s>(state: &'s State<'_>, team: &str, made: &BTreeMap<usize, verify::Outputs<'_>>) -> Vec<Made<'s>> {
    let own = state.model.mega_files.iter().enumerate().filter(|(_, mega)| mega.selected && mega.team == team);
    own.map(|(index, mega)| {
        let files = made.get(&index).map_or(&[][..], |outputs| &outputs.files);
        let lines = files.iter().map(|(_, facts)| facts.lines).sum();
        Made { id: &mega.id, span: mega.id_span, files: files.len() as u64, lines }
    })
    .collect()
}

/// Artefacts between teams. What is missing can be told only when every mega-file was planned.
fn artifacts(state: &State<'_>, manifest: &Manifest, whole: bool) -> Vec<Diagnostic> {
    if manifest.integration_points.is_empty() {
        return Vec::new();
    }
    let files = state.plan.files.iter();
    let planned: Vec<Planned<'_>> =
        files.map(|file| Planned { path: &file.path, team: state.team_of(file), origin: file.origin }).collect();
    let mut findings = verify::points::owners(manifest, &planned);
    let Some(root) = state.root.as_ref().filter(|_| whole && state.held.is_empty()) else { return findings };
    let unplanned = verify::points::unplanned(manifest, &planned);
    let paths: Vec<_> = unplanned.iter().filter_map(|point| point.fixed_path()).collect();
    // A disk that cannot be read is reported by the stages that need it; here nothing is known then.
    let Ok(survey) = disk::survey(root, &paths) else { return findings };
    let (mut missing, mut names) = (Vec::new(), Vec::new());
    for point in unplanned {
        let absent = |path| matches!(survey.get(&path), Some(OnDisk::Absent | OnDisk::Below(_)));
        if point.fixed_path().is_some_and(absent) {
            missing.extend(verify::points::missing(manifest, point));
            names.push(point.name.as_str());
        }
    }
    findings.extend(owed(state, missing, |_| {
        format!("artefacts between teams are neither generated nor on disk yet: {}", few(&names))
    }));
    findings
}
