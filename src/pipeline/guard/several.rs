//! Edits of several projects in one call: each is judged by the project of the current folder and by the one that its own
//! file lies in, and what blocks it in either of them counts.

use std::path::{Path, PathBuf};

use super::GuardRequest;
use crate::diagnostic::Diagnostic;
use crate::report::guard::{GuardReport, Why};
use crate::source::load::{manifest_above, normal};
use crate::source::read::real;
use crate::span::{FileId, Span};

/// A project, and which of the paths it judges: the typed ones come first, then the edits.
struct Project {
    /// `None`: the one of the current folder.
    manifest: Option<PathBuf>,
    indices: Vec<usize>,
}

/// Asks every project that is concerned.
pub fn judge(request: &GuardRequest, one: impl Fn(&GuardRequest) -> GuardReport) -> GuardReport {
    let mut answer: Option<GuardReport> = None;
    for project in projects(request) {
        let report = one(&part(request, &project));
        match &mut answer {
            None => answer = Some(report),
            Some(answer) => add(answer, report, &project.indices),
        }
    }
    answer.unwrap_or_default()
}

/// The projects; the first one judges every path.
fn projects(request: &GuardRequest) -> Vec<Project> {
    let current = &request.inputs.current;
    let all = (0..request.paths.len() + request.edits.len()).collect();
    if request.inputs.manifest.is_some() {
        return vec![Project { manifest: None, indices: all }];
    }
    let above = |path: &String| normal(&current.join(path)).parent().and_then(manifest_above);
    let here = manifest_above(current);
    let edits = request.edits.iter().enumerate().map(|(at, edit)| (request.paths.len() + at, above(&edit.path)));
    let mut edits = edits.collect::<Vec<_>>();
    // Without a project here, the one of what is asked about first is as good as here.
    let first = || request.paths.iter().find_map(above).or_else(|| edits.iter().find_map(|(_, found)| found.clone()));
    let chosen = if here.is_none() { first() } else { None };
    let known = chosen.clone().or(here);
    edits.retain(|(_, manifest)| !is_same(manifest.as_deref(), known.as_deref()));
    let mut found = vec![Project { manifest: chosen, indices: all }];
    for (at, manifest) in edits.into_iter().filter_map(|(at, manifest)| Some((at, manifest?))) {
        let old = found.iter_mut().skip(1).find(|one| is_same(one.manifest.as_deref(), Some(&manifest)));
        match old {
            Some(project) => project.indices.push(at),
            None => found.push(Project { manifest: Some(manifest), indices: vec![at] }),
        }
    }
    found
}

fn is_same(one: Option<&Path>, other: Option<&Path>) -> bool {
    one.map(real) == other.map(real)
}

/// What a project is asked.
fn part(request: &GuardRequest, project: &Project) -> GuardRequest {
    let mut part = request.clone();
    if let Some(manifest) = &project.manifest {
        part.inputs.manifest = Some(manifest.clone());
    }
    let typed = request.paths.len();
    let is_asked = |at: usize| project.indices.binary_search(&at).is_ok();
    part.paths =
        request.paths.iter().enumerate().filter(|(at, _)| is_asked(*at)).map(|(_, path)| path.clone()).collect();
    let edits = request.edits.iter().enumerate().filter(|(at, _)| is_asked(typed + at));
    part.edits = edits.map(|(_, edit)| edit.clone()).collect();
    part
}

/// Adds the answer of another project about some of the paths; the worst counts.
fn add(answer: &mut GuardReport, other: GuardReport, indices: &[usize]) {
    for (path, at) in other.paths.into_iter().zip(indices) {
        match answer.paths.get_mut(*at) {
            Some(old) if !old.blocked && (path.blocked || old.why == Why::Outside) => *old = path,
            Some(_) => {}
            None => answer.paths.push(path),
        }
    }
    let mut shift = 0;
    for (id, file) in other.sources.iter() {
        let new = answer.sources.add(file.clone());
        shift = new.0 - id.0;
    }
    answer.findings.extend(other.findings.iter().cloned().map(|finding| moved(finding, shift)));
}

/// A finding whose files have other numbers now.
fn moved(mut finding: Diagnostic, shift: u32) -> Diagnostic {
    let to = |span: &mut Span| span.file = FileId(span.file.0 + shift);
    finding.span.iter_mut().for_each(to);
    finding.related.iter_mut().filter_map(|one| one.span.as_mut()).for_each(to);
    finding.fix.iter_mut().map(|fix| &mut fix.span).for_each(to);
    finding
}
