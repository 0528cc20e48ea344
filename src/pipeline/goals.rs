//! What the manifest expects of teams, compared with what a run made: gathers the facts that `verify` judges.

use std::collections::BTreeMap;

use super::{State, shards, team_of_input};
use crate::change::OnDisk;
use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::model::{Manifest, Model, Present};
use crate::source::SourceSet;
use crate::span::SourceFile;
use crate::verify::{self, goals::Made, points::Planned};

/// Everything that the manifest expects and this run can judge. `made` is what was rendered, by mega-file.
pub fn inspect(state: &State<'_>, made: &BTreeMap<usize, verify::Outputs<'_>>) -> Vec<Diagnostic> {
    let Some(manifest) = &state.model.manifest else { return Vec::new() };
    let whole = is_whole(state);
    let there = if whole { present(&state.set, &state.model) } else { Vec::new() };
    let mut findings = Vec::new();
    for team in &manifest.teams {
        let progress = team.progress(&there).filter(|_| whole);
        findings.extend(progress.as_ref().and_then(|progress| verify::goals::missing(team, progress)));
        if !state.teams.contains(&team.name) || state.is_held(&team.name) {
            continue;
        }
        let finished = whole && progress.is_none_or(|progress| progress.present >= progress.wanted);
        findings.extend(verify::goals::team(team, &of_team(state, &team.name, made), finished));
    }
    findings.extend(artifacts(state, manifest, whole));
    findings
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
    for point in unplanned {
        let absent = |path| matches!(survey.get(&path), Some(OnDisk::Absent | OnDisk::Below(_)));
        if point.fixed_path().is_some_and(absent) {
            findings.extend(verify::points::missing(manifest, point));
        }
    }
    findings
}
