//! Whose a file is that no mega-file makes: mega-files and other inputs of megax, and the boundaries of the teams.

use std::collections::BTreeSet;

use super::names::{Asked, Place};
use super::{Ground, Judged, free};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Manifest, Team, one_team_name};
use crate::path::{OutputPath, fold};
use crate::pipeline::team_of_input;
use crate::report::guard::{GuardedPath, Why};
use crate::source::load::{MANIFEST_NAMES, display, normal};
use crate::source::{self, TEMPLATES};

/// The answer for an input of megax, and for what a team's boundary refuses; `None` where nothing is to be said.
pub fn judge(ground: &Ground<'_>, asked: &Asked, place: &Place) -> Option<Judged> {
    let project = place.project.as_deref();
    if let Some(judged) = project.and_then(|path| mega_file(ground, asked, path)) {
        return Some(judged);
    }
    let is_manifest = project.is_some_and(|path| is_manifest(ground, path));
    let is_template = project.is_some_and(|path| first_part(path) == TEMPLATES && path.contains('/'));
    let Some((name, team)) = &ground.team else {
        let why = is_manifest || is_template;
        let note = if is_manifest { "the manifest" } else { "a shared template" };
        return why.then(|| free(asked, Why::Shared, Some(format!("{note}: it concerns every team"))));
    };
    if is_manifest {
        return Some(coordinators(asked, name, "the manifest"));
    }
    let team = (*team)?;
    let manifest = ground.state.model.manifest.as_ref()?;
    if is_template && !team.boundary.write_paths().any(|path| path.trim_start_matches('/').starts_with(TEMPLATES)) {
        return Some(coordinators(asked, name, "a shared template"));
    }
    if project.is_some_and(|path| is_own_source(ground, name, path)) {
        return Some(free(asked, Why::Unplanned, Some("a source that only the team's own mega-files read".to_owned())));
    }
    let Some(path) = &place.output else {
        let message = format!("`{}` is outside of the output tree, where no team writes", asked.named);
        return Some(blocked(asked, Why::Boundary, message, may_write(team)));
    };
    boundary(manifest, team, path).map(|message| {
        let message = format!("`{}` is not for team {name} to edit: {message}", asked.named);
        blocked(asked, Why::Boundary, message, may_write(team))
    })
}

/// Why a path is not inside a team's boundary; `None` if it is.
fn boundary(manifest: &Manifest, team: &Team, path: &OutputPath) -> Option<String> {
    if let Some(glob) = team.boundary.forbids(path) {
        return Some(format!("it is in the team's forbidden path `{glob}`{}", owners(manifest, team, path)));
    }
    (!team.boundary.allows(path)).then(|| match owners(manifest, team, path) {
        none if none.is_empty() => "it is inside no team's write paths, so it is the coordinator's".to_owned(),
        owners => owners.trim_start_matches(", ").to_owned(),
    })
}

/// `, inside the write paths of b and c`, of the teams that may write a path.
fn owners(manifest: &Manifest, team: &Team, path: &OutputPath) -> String {
    let may = |other: &&Team| {
        let boundary = &other.boundary;
        boundary.has_write_paths() && boundary.allows(path) && boundary.forbids(path).is_none()
    };
    let others = manifest.teams.iter().filter(|other| other.name != team.name);
    let names: Vec<&str> = others.filter(may).map(|other| other.name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(", it is inside the write paths of {}", names.join(", ")) }
}

fn may_write(team: &Team) -> String {
    let paths = team.boundary.write_paths().collect::<Vec<_>>().join("`, `");
    let paths = match (team.boundary.has_write_paths(), paths.is_empty()) {
        (false, _) => "everything that is not forbidden to it".to_owned(),
        (true, true) => "nothing".to_owned(),
        (true, false) => format!("`{paths}`"),
    };
    format!("team {} may write {paths}; leave this file to those whose it is", team.name)
}

fn coordinators(asked: &Asked, team: &str, what: &str) -> Judged {
    let message = format!("`{}` is {what}, which concerns every team: it is not for team {team} to edit", asked.named);
    let help = "tell the coordinator what is to change";
    blocked(asked, Why::Shared, message, help.to_owned())
}

fn blocked(asked: &Asked, why: Why, message: String, help: String) -> Judged {
    let finding = Diagnostic::new(Code::NotTheTeams, message).about(asked.named.as_str()).help(help);
    (GuardedPath::blocked(&asked.named, why), Some(finding))
}

fn is_manifest(ground: &Ground<'_>, path: &str) -> bool {
    let set = &ground.state.set;
    let read = set.manifest.as_ref().map(|manifest| set.sources.name(manifest.file));
    MANIFEST_NAMES.into_iter().chain(read).any(|name| fold(name) == fold(path))
}

fn first_part(path: &str) -> String {
    fold(path.split('/').next().unwrap_or_default())
}

/// The answer for a mega-file, and for all else in the folder of mega-files.
fn mega_file(ground: &Ground<'_>, asked: &Asked, path: &str) -> Option<Judged> {
    let set = &ground.state.set;
    let manifest = ground.state.model.manifest.as_ref();
    let named = |input: &&source::Input| fold(set.sources.name(input.file)) == fold(path);
    let input = set.mega_files.iter().find(named);
    let folder = fold(&display(&set.folder, &set.root));
    let folded = fold(path);
    let below = folded.strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/'));
    if input.is_none() && below.is_none() {
        return None;
    }
    let of_folder = below.and_then(|rest| rest.split_once('/')).map(|(team, _)| team);
    let of_folder = of_folder.filter(|team| manifest.is_none_or(|manifest| manifest.team(team).is_some()));
    let one_name = |text: &str| one_team_name(manifest, text);
    let owners: BTreeSet<String> =
        input.and_then(team_of_input).as_deref().into_iter().chain(of_folder).map(one_name).collect();
    let note = |text: &str| Some(text.to_owned());
    let mut judged = match &ground.team {
        None => free(asked, Why::MegaFile, note("part of the mega-files: `megax validate` checks it")),
        Some((own, _)) if owners.contains(own) => {
            free(asked, Why::MegaFile, note("the team's own mega-file: `megax validate` checks it"))
        }
        Some((own, _)) if owners.is_empty() => {
            let text = format!("a mega-file of no team yet: it is to say `team: {own}`");
            free(asked, Why::MegaFile, Some(text))
        }
        Some((own, _)) => {
            let whose = owners.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
            let message = format!("`{}` is a mega-file of team {whose}: it is not for team {own} to edit", asked.named);
            let home = format!("{}/team-{own}/", display(&set.folder, &set.root));
            let help = format!("team {own} writes its own mega-files, below `{home}`; ask team {whose} for the change");
            blocked(asked, Why::MegaFile, message, help)
        }
    };
    judged.0.team = owners.into_iter().next();
    Some(judged)
}

/// Whether a file is read as a source, and by mega-files of the team only.
fn is_own_source(ground: &Ground<'_>, team: &str, path: &str) -> bool {
    let (set, model) = (&ground.state.set, &ground.state.model);
    let is_it = |named: &str| fold(&display(&normal(&set.root.join(named)), &set.root)) == fold(path);
    let read = set.data.iter().filter(|(named, _)| is_it(named));
    let mut readers = read.flat_map(|(_, file)| &file.readers).peekable();
    let is_own = |file| model.mega_files.iter().any(|mega| mega.file() == file && mega.team == team);
    readers.peek().is_some() && readers.all(|reader| is_own(reader.file))
}
