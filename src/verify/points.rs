//! Artefacts between teams: whether they exist, and whether one of the teams that agreed makes them.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{IntegrationPoint, Manifest};
use crate::path::OutputPath;
use crate::span::Span;

/// A planned file, as far as artefacts are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// Where.
    pub path: &'a OutputPath,
    /// The team that makes it.
    pub team: &'a str,
    /// The line that asks for it.
    pub origin: Span,
}

/// Artefacts made by teams that are not part of the agreement: one finding per artefact and team.
#[must_use]
pub fn owners(manifest: &Manifest, planned: &[Planned<'_>]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for point in &manifest.integration_points {
        let Some((artifact, span)) = &point.artifact else { continue };
        if is_between_all(manifest, point) {
            continue;
        }
        let mut strangers: BTreeMap<&str, (Planned<'_>, usize)> = BTreeMap::new();
        let own = |team: &str| point.between.iter().any(|name| name == team);
        for file in planned.iter().filter(|file| !own(file.team) && artifact.matches(file.path.as_str())) {
            strangers.entry(file.team).or_insert((*file, 0)).1 += 1;
        }
        for (team, (first, count)) in strangers {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let message = format!(
                "the artefact of `{}` is between {}, but team {team} makes `{}`{more}",
                point.name,
                point.between.join(", "),
                first.path
            );
            let help = format!("add {team} to `between`, or let one of these teams make it");
            let finding = Diagnostic::new(Code::ArtifactOwner, message).at(*span).help(help);
            findings.push(finding.related(first.origin, "planned here").team(team));
        }
    }
    findings
}

fn is_between_all(manifest: &Manifest, point: &IntegrationPoint) -> bool {
    manifest.teams.iter().all(|team| point.between.contains(&team.name))
}

/// The points whose artefact no file is planned for.
#[must_use]
pub fn unplanned<'m>(manifest: &'m Manifest, planned: &[Planned<'_>]) -> Vec<&'m IntegrationPoint> {
    let is_planned = |point: &IntegrationPoint| {
        let artifact = point.artifact.as_ref();
        artifact.is_none_or(|(artifact, _)| planned.iter().any(|file| artifact.matches(file.path.as_str())))
    };
    manifest.integration_points.iter().filter(|point| !is_planned(point)).collect()
}

/// The finding for an artefact that is neither planned nor on disk.
#[must_use]
pub fn missing(manifest: &Manifest, point: &IntegrationPoint) -> Option<Diagnostic> {
    let (artifact, span) = point.artifact.as_ref()?;
    let message =
        format!("the artefact of `{}` is neither generated nor on disk: `{}`", point.name, artifact.written());
    let who = if is_between_all(manifest, point) {
        String::new()
    } else {
        format!(" of one of its teams ({})", point.between.join(", "))
    };
    let help = format!("let a mega-file{who} make it, or write it by hand below the output root");
    Some(Diagnostic::new(Code::MissingArtifact, message).at(*span).help(help))
}
