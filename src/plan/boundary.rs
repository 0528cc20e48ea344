//! Where a team may write: inside its write paths, never in its forbidden paths. Forbidden wins.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Manifest, Model};

use super::PlannedFile;

/// One finding for every rule that plans a file outside its team's boundary, with the first such file.
pub fn check(model: &Model, files: &[PlannedFile]) -> Vec<Diagnostic> {
    let Some(manifest) = &model.manifest else { return Vec::new() };
    let mut findings = Vec::new();
    for file in files {
        let Some(mega) = model.mega_files.get(file.mega_file) else { continue };
        let Some(team) = manifest.team(&mega.team) else { continue };
        let finding = if let Some(glob) = team.boundary.forbids(&file.path) {
            let message = format!("`{}` is in the forbidden path `{glob}` of team {}", file.path, team.name);
            Diagnostic::new(Code::ForbiddenPath, message)
                .related(team.span, format!("the boundaries of team {}", team.name))
                .help("write it elsewhere, or let the team that owns the folder write it")
        } else if team.boundary.allows(&file.path) {
            continue;
        } else {
            outside(manifest, team, &file.path)
        };
        findings.push(finding.at(file.origin).team(mega.team.clone()));
    }
    findings
}

fn outside(manifest: &Manifest, team: &crate::model::Team, path: &crate::path::OutputPath) -> Diagnostic {
    let globs = team.boundary.write_paths().collect::<Vec<_>>().join("`, `");
    let message = format!("`{path}` is outside the write paths of team {}", team.name);
    let owners: Vec<&str> = manifest
        .teams
        .iter()
        .filter(|other| other.name != team.name && other.boundary.has_write_paths() && other.boundary.allows(path))
        .map(|other| other.name.as_str())
        .collect();
    let owner =
        if owners.is_empty() { String::new() } else { format!("; it is inside those of {}", owners.join(", ")) };
    let allowed = if globs.is_empty() { "nothing".to_owned() } else { format!("`{globs}`") };
    Diagnostic::new(Code::OutsideBoundary, message)
        .related(team.span, format!("team {} may write {allowed}", team.name))
        .help(format!("move the file below one of {allowed}, or add its folder to the team's write_paths{owner}"))
}
