//! The guards of a run's teams: at once or not at all, or, on request, when their holders are done.

use std::collections::BTreeMap;

use super::apply::disk_finding;
use super::{Request, State, Unread, resolve};
use crate::diagnostic::{Code, Diagnostic};
use crate::disk::{GuardError, Root, TeamGuard};
use crate::event::{Event, Watcher};
use crate::report::Mode;

/// The guards that are held, by team.
pub type Guards = BTreeMap<String, TeamGuard>;

/// Reads, understands and plans. A run that may wait for its teams does so then, and starts again if it had to: what it
/// read is as old as the wait was long.
pub fn ready<'r>(request: &'r Request, guards: &mut Guards, watcher: &dyn Watcher) -> Result<State<'r>, Unread> {
    let mut state = resolve(request, watcher)?;
    state.hold();
    if request.wait && request.mode == Mode::Write && wait(&state, guards, watcher) {
        state = resolve(request, watcher)?;
        state.hold();
    }
    Ok(state)
}

/// Takes the guards of all teams that may write, in the order of their names, so that two runs never wait for each
/// other; whether another run had to end first. What fails is found again, and said, by [`take`].
fn wait(state: &State<'_>, guards: &mut Guards, watcher: &dyn Watcher) -> bool {
    let Some(root) = &state.root else { return false };
    let mut waited = false;
    for team in state.teams.iter().filter(|team| !state.is_held(team)) {
        if guards.contains_key(team) {
            continue;
        }
        let guard = TeamGuard::wait(root, team, &state.request.holder, &mut |holder| {
            waited = true;
            watcher.on_event(Event::Waiting { team: team.clone(), holder: holder.to_owned() });
        });
        guards.extend(guard.map(|guard| (team.clone(), guard)));
    }
    waited
}

/// Takes the guards that are not held yet, without waiting; a team whose guard is not had is held.
pub fn take(state: &mut State<'_>, root: &Root, guards: &mut Guards) {
    for team in state.teams.clone() {
        if state.is_held(&team) || guards.contains_key(&team) {
            continue;
        }
        match TeamGuard::acquire(root, &team, &state.request.holder) {
            Ok(guard) => drop(guards.insert(team, guard)),
            Err(error) => {
                let help = "wait until it is done, then run again; or let `--wait` do so";
                state.findings.push(refused(error, help).team(team));
            }
        }
    }
    state.hold();
}

/// Takes the guards of some teams at once, or none of them: for commands that change what they looked at before.
pub fn guard_teams(root: &Root, teams: &[String], holder: &str) -> Result<Vec<TeamGuard>, Vec<Diagnostic>> {
    let guard = |team: &String| {
        let guard = TeamGuard::acquire(root, team, holder);
        guard.map_err(|error| vec![refused(error, "wait until it is done, then run again")])
    };
    teams.iter().map(guard).collect()
}

/// Why a guard is not had.
fn refused(error: GuardError, help: &str) -> Diagnostic {
    match error {
        GuardError::Held { team, holder } => {
            let message = format!("another run holds team {team}: {holder}");
            Diagnostic::new(Code::GuardHeld, message).team(team).help(help)
        }
        GuardError::Disk(error) => disk_finding(&error),
    }
}
