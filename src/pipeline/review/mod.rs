//! `megax review`: whether the teams are ready to expand, before anybody does. A run over the whole project up to the
//! disk, one verdict per team; on request the planned paths are reserved, and an integration manifest is written.
//!
//! Writes nothing but reservations and that manifest, and never reserves what is wrong or collides.

mod facts;
mod lock;
mod reasons;
mod save;

use std::collections::BTreeSet;
use std::path::PathBuf;

use self::facts::Facts;
use super::{Request, State, Unread, on_threads, resolve, sink, status};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::event::{Event, Watcher};
use crate::report::review::ReviewReport;
use crate::report::{Mode, Outcome};
use crate::source::SourceSet;
use crate::source::load::display;

/// What `megax review` is asked to do.
#[derive(Debug, Clone)]
pub struct ReviewRequest {
    /// What to read and how: always the whole project.
    pub run: Request,
    /// The teams that are shown, reserved or released; empty: all.
    pub teams: Vec<String>,
    /// Reserve what valid mega-files plan.
    pub lock: bool,
    /// Give reservations up; never together with `lock`.
    pub unlock: bool,
    /// Where to write the integration manifest; absolute or relative to the current folder.
    pub integration_manifest: Option<PathBuf>,
}

/// Says how every team stands, and does what else is asked. Never fails: everything that goes wrong is a finding.
#[must_use]
pub fn review(request: &ReviewRequest, watcher: &dyn Watcher) -> ReviewReport {
    on_threads(request.run.jobs, || review_here(request, watcher))
}

fn review_here(asked: &ReviewRequest, watcher: &dyn Watcher) -> ReviewReport {
    let writes = asked.lock || asked.unlock;
    let run = Request { mode: if writes { Mode::Write } else { Mode::DryRun }, ..asked.run.clone() };
    let mut state = match judge(&run, watcher) {
        Ok(state) => state,
        Err(failed) => return without_inputs(asked, *failed),
    };
    let wanted = match wanted(&state, asked) {
        Ok(wanted) => wanted,
        Err(finding) => {
            let findings = std::iter::once(finding).collect();
            return without_inputs(asked, (findings, Some(state.set)));
        }
    };
    let mut locked = writes.then(lock::Locked::default);
    if let Some(locked) = &mut locked {
        // What is given up may be free for another one; and what is reported is how it is then.
        for _ in 0..MOST_ROUNDS {
            if !locked.join(lock::run(&mut state, asked, &wanted, watcher)) {
                break;
            }
            state = match judge(&run, watcher) {
                Ok(state) => state,
                Err(failed) => return without_inputs(asked, *failed),
            };
        }
        state.findings.extend(locked.take_findings());
    }
    let facts = Facts::of(&state);
    state.findings.extend(facts.idle(&wanted));
    report(state, asked, &wanted, facts, locked, watcher)
}

/// Rounds of reserving: one gives up, one reserves what became free, one finds nothing to do.
const MOST_ROUNDS: usize = 3;

/// Understands, plans and renders the whole project, held teams included.
fn judge<'r>(run: &'r Request, watcher: &dyn Watcher) -> Result<State<'r>, Unread> {
    let mut state = resolve(run, watcher)?;
    state.hold();
    watcher.on_event(Event::Planned { files: state.plan.files.len() });
    let rendered = sink::render(&state, &sink::Discard::new(&state), watcher);
    state.take(rendered);
    state.inspect();
    status::render_held(&mut state, watcher);
    state.hold();
    Ok(state)
}

/// The teams that are asked about, in their one spelling; `None` for all.
type Wanted = Option<BTreeSet<String>>;

fn is_wanted(wanted: &Wanted, team: &str) -> bool {
    wanted.as_ref().is_none_or(|all| all.contains(team))
}

fn wanted(state: &State<'_>, asked: &ReviewRequest) -> Result<Wanted, Diagnostic> {
    if asked.teams.is_empty() {
        return Ok(None);
    }
    let teams = status::teams(state, &status::mega_files(state), &[]);
    // A team that only has reservations can give them up.
    let reserved: BTreeSet<String> = lock::teams(state);
    let find = |name: &String| {
        let one = state.model.team_name(name);
        if asked.unlock && reserved.contains(&one) { Ok(one) } else { status::find_team(state, name, &teams) }
    };
    asked.teams.iter().map(find).collect::<Result<_, _>>().map(Some)
}

fn report(
    mut state: State<'_>,
    asked: &ReviewRequest,
    wanted: &Wanted,
    facts: Facts,
    locked: Option<lock::Locked>,
    watcher: &dyn Watcher,
) -> ReviewReport {
    let (locked, operations) = locked.map_or((None, Vec::new()), |done| (Some(done.changes), done.operations));
    let mut report = ReviewReport {
        outcome: Outcome::NothingToDo,
        manifest: state.set.manifest.as_ref().map(|manifest| state.set.sources.name(manifest.file).to_owned()),
        out: display(&state.set.out, &state.request.inputs.current),
        teams: facts.teams,
        mega_files: facts.mega_files,
        points: facts.points,
        slots: facts.slots,
        stages: facts.stages,
        locked,
        operations,
        integration_manifest: None,
        diagnostics: Diagnostics::default(),
        sources: crate::span::SourceMap::default(),
    };
    // The manifest speaks of all teams, whichever are shown.
    if let Some(file) = asked.integration_manifest.as_deref().filter(|_| watcher.may_publish()) {
        report.integration_manifest = save::save(&mut state, &report, file);
    }
    if wanted.is_some() {
        let concerns =
            |finding: &Diagnostic| finding.teams.is_empty() || finding.teams.iter().any(|team| is_wanted(wanted, team));
        state.findings = std::mem::take(&mut state.findings).into_iter().filter(concerns).collect();
        report.teams.retain(|one| is_wanted(wanted, &one.status.team));
        report.mega_files.retain(|one| one.status.team.as_ref().is_some_and(|team| is_wanted(wanted, team)));
        report.points.retain(|one| one.between.iter().any(|team| is_wanted(wanted, team)));
    }
    let own = match (report.is_ready(), report.operations.is_empty()) {
        (false, _) => Outcome::Differences,
        (true, true) => Outcome::NothingToDo,
        (true, false) => Outcome::Done,
    };
    finish(&mut state.findings, asked, Some(&state.set));
    report.outcome = Outcome::with_errors(&state.findings, own);
    report.diagnostics = state.findings;
    report.sources = state.set.sources;
    report
}

fn finish(findings: &mut Diagnostics, asked: &ReviewRequest, set: Option<&SourceSet>) {
    findings.sort();
    findings.collapse(status::MOST_ALIKE);
    findings.shorten(&super::limits_of(&asked.run.inputs, set));
}

pub(super) fn without_inputs(
    asked: &ReviewRequest,
    (mut findings, set): (Diagnostics, Option<SourceSet>),
) -> ReviewReport {
    finish(&mut findings, asked, set.as_ref());
    let inputs = &asked.run.inputs;
    ReviewReport {
        outcome: if findings.has_errors() { Outcome::Wrong } else { Outcome::NothingToDo },
        manifest: None,
        out: inputs.out.as_ref().map_or_else(String::new, |out| out.display().to_string()),
        teams: Vec::new(),
        mega_files: Vec::new(),
        points: Vec::new(),
        slots: Vec::new(),
        stages: Vec::new(),
        locked: None,
        operations: Vec::new(),
        integration_manifest: None,
        diagnostics: findings,
        sources: set.map(|set| set.sources).unwrap_or_default(),
    }
}
