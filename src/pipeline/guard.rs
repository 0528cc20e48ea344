//! `megax guard`: whether files may be edited by hand, and by a team; if not, which line to edit instead.
//!
//! The project is read and planned as for `explain`; no body is rendered but that of a blocked file whose line is asked
//! for. What is known stays known while something is broken: a lockfile still says what megax wrote, and only that is
//! blocked then. A path of which nothing is known is not blocked, but called unknown, and the answer says what could not be
//! read. This module must never write, and never block a path without saying what to do instead.
//!
//! The order of the questions, the first answer counts:
//!
//! 1. outside of the project and of the output root: free, that is nobody's business here;
//! 2. `.git`, `.megax` and the golden records of `megax snapshot`: blocked;
//! 3. made by a mega-file now, or recorded by a lockfile: blocked, unless it is the user's (`once`, detached, `on_edit`) or,
//!    when committing, holds what megax wrote;
//! 4. with a team: other teams' mega-files, the manifest and the shared templates, and what its boundary refuses: blocked;
//! 5. what an unreadable manifest or mega-file may have a say in: unknown;
//! 6. all else: free.

mod generated;
mod names;
mod owner;
mod several;
#[cfg(test)]
mod tests;
mod unread;

use std::collections::BTreeSet;
use std::path::Path;

use self::names::Place;
use super::shards::Unreadable;
use super::{Request, State, on_threads, reserved, resolve, team_of_input};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::event::Watcher;
use crate::model::Team;
use crate::path::OutputPath;
use crate::plan::Reserved;
use crate::report::guard::{GuardReport, GuardedPath, Why};
use crate::report::{Command, Mode};
use crate::source::{self, places};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct GuardRequest {
    /// Where the project is. Unless a manifest is named, an edit is also judged by the project that its file lies in.
    pub inputs: source::Request,
    /// The team that wants to edit, in any spelling; `None` for nobody in particular.
    pub team: Option<String>,
    /// Paths as people type them: relative to the current folder or else to the output root, with an optional `:LINE`.
    pub paths: Vec<String>,
    /// Edits as programs name them.
    pub edits: Vec<Edit>,
    /// Whether the files are about to be committed: what megax wrote may be, as it wrote it.
    pub committing: bool,
    /// Whether the answer goes to the model of an agent: then it names no way out of megax's hands.
    pub for_agent: bool,
    /// Whether the verdict is enough: nothing is rendered to name the line of a blocked file.
    pub unnamed: bool,
}

/// An edit that is about to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The file, absolute or relative to the current folder, to the letter.
    pub path: String,
    /// The text that the edit takes away or changes, if it is known: the line that makes it is named then.
    pub fragment: Option<String>,
    /// How what is about to be committed differs from the disk, the only place where megax looks.
    pub in_commit: InCommit,
}

/// What git is about to commit of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InCommit {
    /// What lies on the disk, or nothing is committed.
    #[default]
    AsOnDisk,
    /// Something else than what lies on the disk.
    Otherwise,
    /// That it is gone; it may lie on the disk for all that.
    Deleted,
}

/// Judges every path. Never fails: what goes wrong is a finding.
#[must_use]
pub fn guard(request: &GuardRequest, watcher: &dyn Watcher) -> GuardReport {
    on_threads(None, || guard_here(request, watcher))
}

fn guard_here(request: &GuardRequest, watcher: &dyn Watcher) -> GuardReport {
    several::judge(request, |request| judge_in(request, watcher))
}

/// The answer of one project.
fn judge_in(request: &GuardRequest, watcher: &dyn Watcher) -> GuardReport {
    let inputs = request.inputs.clone();
    let asked = names::asked(request, &inputs.current);
    // What concerns no project needs no look at one.
    if let Ok(places) = places(&inputs)
        && asked.iter().all(|one| names::is_elsewhere(one, &places))
    {
        let paths = asked.iter().map(|one| GuardedPath::free(&one.named, Why::Outside, Some(OUTSIDE.to_owned())));
        return GuardReport { paths: paths.collect(), team: request.team.clone(), ..GuardReport::default() };
    }
    // `status` is the command that a project without any mega-file is no error for.
    let run = Request::new(Command::Status, Mode::Validate, inputs.clone());
    match resolve(&run, watcher) {
        Ok(state) => judge_all(request, &asked, state),
        Err(failed) => unread::judge(request, &inputs, &asked, *failed),
    }
}

const OUTSIDE: &str = "outside of the project";

/// What every path is judged by.
struct Ground<'g> {
    request: &'g GuardRequest,
    state: &'g State<'g>,
    reserved: Reserved,
    /// The team that asks, by its one name, and what the manifest says of it.
    team: Option<(String, Option<&'g Team>)>,
    /// Mega-files of which not all is known, each with its team if that can be told.
    doubts: Vec<(&'g str, Option<String>)>,
    index: generated::Index<'g>,
}

/// What came of one path: the answer, and a finding if it is blocked.
type Judged = (GuardedPath, Option<Diagnostic>);

fn judge_all(request: &GuardRequest, asked: &[names::Asked], state: State<'_>) -> GuardReport {
    let manifest = state.model.manifest.as_ref();
    let mut findings = Diagnostics::default();
    let team = match (&request.team, manifest) {
        (None, _) => None,
        // While it is broken, what is known counts; without one, nobody knows what the team may write.
        (Some(text), None) if state.set.manifest.is_some() => Some((crate::name::team_name(text), None)),
        (Some(text), None) => {
            findings.push(no_boundaries(text));
            None
        }
        (Some(text), Some(manifest)) => match manifest.team(text) {
            Some(team) => Some((team.name.clone(), Some(team))),
            None if manifest.teams.is_empty() => Some((crate::name::team_name(text), None)),
            None => {
                findings.push(unknown_team(text, &manifest.teams));
                None
            }
        },
    };
    let is_broken = state.set.manifest.is_some() && manifest.is_none();
    let reserved = reserved::reserved(&state.set, state.root.as_ref());
    let index = generated::Index::of(&state.plan.files, &state.shards.all);
    let ground = Ground { request, state: &state, reserved, team, doubts: doubts(&state), index };
    let mut paths = Vec::new();
    // Whose boundary counts is not known if the team is not.
    for one in asked.iter().filter(|_| findings.is_empty()).collect::<Vec<_>>() {
        let (path, finding) = ground.judge(one);
        paths.push(path);
        findings.extend(finding);
    }
    let team = ground.team.as_ref().map(|(name, _)| name.clone()).or_else(|| request.team.clone());
    if is_broken {
        findings.extend(state.findings.iter().filter(|one| one.is_error() && one.teams.is_empty()).cloned());
    }
    findings.shorten(&state.set.limits);
    GuardReport { team, paths, findings, sources: state.set.sources }
}

fn no_boundaries(team: &str) -> Diagnostic {
    let message = format!("there is no manifest, so nothing can be said of the boundary of team `{team}`");
    let help = "put `megax.yaml` back, or ask without `--team` and `MEGAX_TEAM`";
    Diagnostic::new(Code::UnknownTeam, message).help(help)
}

fn unknown_team(text: &str, teams: &[Team]) -> Diagnostic {
    let names = || teams.iter().map(|team| team.name.as_str());
    let list = format!("the teams are {}", names().collect::<Vec<_>>().join(", "));
    let near = nearest(&crate::name::team_name(text), names());
    let help = near.map_or_else(|| list.clone(), |near| format!("did you mean `{near}`? {list}"));
    let message = format!("the manifest names no team `{text}`, so nothing can be said of its boundary");
    Diagnostic::new(Code::UnknownTeam, message).help(help)
}

/// The mega-files of which it is not known what they make.
fn doubts<'s>(state: &'s State<'_>) -> Vec<(&'s str, Option<String>)> {
    let (set, model) = (&state.set, &state.model);
    let valid: BTreeSet<_> = model.mega_files.iter().map(crate::model::MegaFile::file).collect();
    let unread = set.mega_files.iter().filter(|input| !valid.contains(&input.file));
    let unread = unread.map(|input| {
        let team = team_of_input(input).map(|team| model.team_name(&team));
        (set.sources.name(input.file), team)
    });
    let unplanned = state.plan.recorded.iter().map(|one| (one.mega_file.as_str(), Some(one.team.clone())));
    let mut all: Vec<_> = unread.chain(unplanned).collect();
    all.dedup();
    all
}

impl Ground<'_> {
    /// Whether a folder is that of the project, or lies in it.
    fn is_inside(&self, folder: &Path) -> bool {
        folder.starts_with(&self.state.set.root)
    }

    /// The worst answer of all places where an edit would be.
    fn judge(&self, asked: &names::Asked) -> Judged {
        let mut first = None;
        let places = Place::all(asked, &self.index, self.state);
        for place in places.iter().filter(|place| !place.is_elsewhere()) {
            let judged = self.judge_at(asked, place);
            if judged.0.blocked {
                return judged;
            }
            first.get_or_insert(judged);
        }
        first.unwrap_or_else(|| free(asked, Why::Outside, Some(OUTSIDE.to_owned())))
    }

    fn judge_at(&self, asked: &names::Asked, place: &Place) -> Judged {
        if let Some(judged) = self.reserved(asked, place) {
            return judged;
        }
        let mut answer = match &place.output {
            Some(path) => match generated::judge(self, asked, path) {
                Some(judged) if judged.0.blocked => return judged,
                judged => judged.map(|judged| judged.0),
            },
            None => None,
        };
        match owner::judge(self, asked, place) {
            Some(judged) if judged.0.blocked => return judged,
            Some(judged) => answer = answer.or(Some(judged.0)),
            None => {}
        }
        answer.map_or_else(|| self.of_nobody(asked, place), |answer| (answer, None))
    }

    /// The answer for a path that nothing makes, as far as that is known.
    fn of_nobody(&self, asked: &names::Asked, place: &Place) -> Judged {
        let below = place.output.as_ref().map_or(0, |path| self.index.below(path));
        let folder = (below > 0).then(|| {
            let files = crate::report::count(below as u64, "generated file");
            format!("a folder with {files}: ask about the file that is to be edited")
        });
        if folder.is_some() {
            return free(asked, Why::Unplanned, folder);
        }
        match self.doubt(place) {
            None => free(asked, Why::Unplanned, None),
            doubt => free(asked, Why::Unknown, doubt),
        }
    }

    /// Why it is not known whether something is to be said against editing a path that nothing makes, as far as is known.
    fn doubt(&self, place: &Place) -> Option<String> {
        let path = place.output.as_ref()?;
        let manifest = self.state.model.manifest.as_ref();
        if self.team.is_some() && manifest.is_none() && self.state.set.manifest.is_some() {
            return Some("the manifest cannot be read, so nothing can be said of boundaries".to_owned());
        }
        // A mega-file makes nothing outside of its team's boundary.
        let may = |team: &Option<String>| {
            let team = team.as_ref().and_then(|team| manifest?.team(team));
            team.is_none_or(|team| team.boundary.allows(path) && team.boundary.forbids(path).is_none())
        };
        let mut names = self.doubts.iter().filter(|(_, team)| may(team)).map(|(name, _)| name);
        let first = names.next()?;
        let more = names.count();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!(
            "no mega-file that can be read makes it; `{first}`{more} has errors, so what it makes is not known"
        ))
    }

    /// What belongs to megax or to git.
    fn reserved(&self, asked: &names::Asked, place: &Place) -> Option<Judged> {
        let named = &asked.named;
        let is = |what: fn(&Reserved, &OutputPath) -> bool| {
            place.output.as_ref().is_some_and(|path| what(&self.reserved, path))
        };
        let (own, help) = if place.has_part(".git") || is(Reserved::is_repository) {
            ("in the repository's own folder", "leave it to git")
        } else if place.has_part(".megax") {
            let help =
                "leave it to megax; `megax status` and `megax doctor` say how it stands, `megax repair` mends it";
            ("in megax's own folder", help)
        } else if is(Reserved::holds_snapshot) {
            ("a golden record", "change the mega-file, then run `megax snapshot --update`")
        } else {
            return None;
        };
        // Lockfiles and golden records are committed.
        if self.request.committing {
            return Some(free(asked, Why::Reserved, Some("committed as megax keeps it".to_owned())));
        }
        let finding = Diagnostic::new(Code::GeneratedFile, format!("`{named}` is {own}")).about(named.as_str());
        Some((GuardedPath::blocked(named, Why::Reserved), Some(finding.help(help))))
    }
}

fn free(asked: &names::Asked, why: Why, note: Option<String>) -> Judged {
    (GuardedPath::free(&asked.named, why, note), None)
}

/// Whether a mega-file that has an id may be among those that cannot be read.
fn may_be_unread(state: &State<'_>, team: &str, id: &str) -> bool {
    Unreadable::of(&state.set, &state.model).may_be(&state.model.team_name(team), id)
}
