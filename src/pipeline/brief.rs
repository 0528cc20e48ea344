//! `megax brief`: reads and plans the project, gathers the facts of the briefs that are asked for, and renders them.
//! Mega-files are not judged here: a brief must be there while they are being written. Writes nothing.

use super::brief_facts::Gathered;
use super::{Request, State, on_threads, resolve};
use crate::brief::templates::no_manifest;
use crate::brief::{Kind, Platform, Rendered, render};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::event::Watcher;
use crate::model::Manifest;
use crate::report::brief::{Brief, BriefReport};
use crate::report::{Command, Mode, Outcome};
use crate::source::load::display;
use crate::source::{self, SourceSet};

/// Whose brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Of this team, in any spelling of its name.
    Team(String),
    /// Of every team, in the order of the manifest, and of the orchestrator.
    All,
    /// Of the orchestrator.
    Orchestrator,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct BriefRequest {
    /// Where the project is.
    pub inputs: source::Request,
    /// Whose brief.
    pub which: Which,
    /// For which agent command line.
    pub platform: Platform,
}

/// Makes briefs. Never fails: everything that goes wrong is a finding.
#[must_use]
pub fn brief(request: &BriefRequest, watcher: &dyn Watcher) -> BriefReport {
    on_threads(None, || brief_here(request, watcher))
}

fn brief_here(request: &BriefRequest, watcher: &dyn Watcher) -> BriefReport {
    let run = Request::new(Command::Brief, Mode::Validate, request.inputs.clone());
    let mut state = match resolve(&run, watcher) {
        Ok(state) => state,
        Err(failed) => {
            let (findings, set) = *failed;
            return report(request, findings, set, Vec::new());
        }
    };
    let Some(manifest) = &state.model.manifest else {
        // What is wrong with a mega-file names its team.
        let is_of_manifest = |one: &Diagnostic| one.is_error() && one.teams.is_empty();
        let mut findings: Diagnostics = state.findings.into_iter().filter(is_of_manifest).collect();
        if state.set.manifest.is_none() {
            findings = std::iter::once(no_manifest()).collect();
        }
        return report(request, findings, Some(state.set), Vec::new());
    };
    let teams = match wanted(&request.which, manifest) {
        Ok(teams) => teams,
        Err(finding) => return report(request, std::iter::once(finding).collect(), Some(state.set), Vec::new()),
    };
    // What is wrong with mega-files is told by `validate`; here it is a number in the brief.
    let is_of_templates = |one: &&Diagnostic| one.teams.is_empty() && one.code == Code::UnreadableInput;
    let mut findings: Diagnostics = state.findings.iter().filter(is_of_templates).cloned().collect();
    let briefs = briefs(request, &teams, &mut state, &mut findings, watcher);
    report(request, findings, Some(state.set), briefs.unwrap_or_default())
}

/// The teams whose briefs are asked for.
fn wanted(which: &Which, manifest: &Manifest) -> Result<Vec<String>, Diagnostic> {
    match which {
        Which::Team(asked) => Ok(vec![find(manifest, asked)?.to_owned()]),
        Which::All => Ok(manifest.teams.iter().map(|team| team.name.clone()).collect()),
        Which::Orchestrator => Ok(Vec::new()),
    }
}

fn briefs(
    request: &BriefRequest,
    teams: &[String],
    state: &mut State<'_>,
    findings: &mut Diagnostics,
    watcher: &dyn Watcher,
) -> Option<Vec<Brief>> {
    let compile_team = !teams.is_empty();
    let compile_all = !matches!(request.which, Which::Team(_));
    let of_team = if compile_team { Some(compiled(Kind::Team, state, findings)?) } else { None };
    let of_all = if compile_all { Some(compiled(Kind::Orchestrator, state, findings)?) } else { None };
    let gathered = Gathered::new(state, request.platform, teams, watcher)?;
    let mut briefs = Vec::new();
    for team in teams {
        let text = of_team.as_ref()?.text(&gathered.team(team)?);
        briefs.push(one(Some(team), text, findings)?);
    }
    if let Some(rendered) = of_all {
        briefs.push(one(None, rendered.text(&gathered.orchestrator()), findings)?);
    }
    Some(briefs)
}

fn compiled(kind: Kind, state: &mut State<'_>, findings: &mut Diagnostics) -> Option<Rendered> {
    let set = &mut state.set;
    match render(kind, &set.templates, &mut set.sources, &set.limits) {
        Ok((rendered, warnings)) => {
            findings.extend(warnings);
            Some(rendered)
        }
        Err(found) => {
            findings.extend(found);
            None
        }
    }
}

/// A template that fails for one team would fail for the next: the first failure is enough.
fn one(team: Option<&str>, text: Result<String, Diagnostic>, findings: &mut Diagnostics) -> Option<Brief> {
    let name = team.unwrap_or("orchestrator").to_owned();
    match text {
        Ok(text) => Some(Brief { team: team.map(str::to_owned), name, characters: text.chars().count(), text }),
        Err(finding) => {
            findings.push(finding);
            None
        }
    }
}

fn find<'m>(manifest: &'m Manifest, asked: &str) -> Result<&'m str, Diagnostic> {
    if let Some(team) = manifest.team(asked) {
        return Ok(&team.name);
    }
    let names: Vec<&str> = manifest.teams.iter().map(|team| team.name.as_str()).collect();
    let finding = Diagnostic::new(Code::UnknownTeam, format!("the manifest names no team `{asked}`"));
    let list = format!("the teams are {}", names.join(", "));
    Err(finding.help(match nearest(&crate::name::team_name(asked), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None if names.is_empty() => "the manifest has no teams; add one below `teams:`".to_owned(),
        None => list,
    }))
}

pub(super) fn report(
    request: &BriefRequest,
    mut findings: Diagnostics,
    set: Option<SourceSet>,
    briefs: Vec<Brief>,
) -> BriefReport {
    findings.sort();
    findings.shorten(&super::limits_of(&request.inputs, set.as_ref()));
    let root = set.as_ref().map_or_else(|| ".".to_owned(), |set| display(&set.root, &request.inputs.current));
    BriefReport {
        outcome: Outcome::with_errors(&findings, Outcome::Done),
        root,
        briefs,
        files: Vec::new(),
        diagnostics: findings,
        sources: set.map(|set| set.sources).unwrap_or_default(),
    }
}
