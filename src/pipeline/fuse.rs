//! The fuse: a team that would lose many of its files at once is held until somebody says that it is meant. A removed
//! mega-file, a wrong folder, a list that came out empty: each is a small slip with large consequences.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::change::{ChangeSet, FileChange, Kind};
use crate::diagnostic::{Code, Diagnostic};
use crate::name::id_key;
use crate::path::OutputPath;
use crate::report::count;

/// A team may always delete so many files in one run.
const MOST_DELETES: usize = 20;
/// More than that only up to this share of the files that its lockfiles record, in percent.
const MOST_PERCENT: usize = 50;
/// So many of the files are named.
const SHOWN_PATHS: usize = 3;

/// Whether a team that manages so many files may delete so many of them.
fn holds(deletes: usize, managed: usize, allowed: Option<u64>) -> bool {
    let is_many = deletes > MOST_DELETES && deletes * 100 > managed * MOST_PERCENT;
    is_many && allowed.is_none_or(|allowed| deletes as u64 > allowed)
}

/// What a team would lose, and what it has.
#[derive(Default)]
struct Loss<'c> {
    deletes: Vec<&'c OutputPath>,
    managed: BTreeSet<&'c OutputPath>,
}

/// A finding for every team that would delete more than the fuse lets through.
pub fn findings(state: &State<'_>, changes: &ChangeSet) -> Vec<Diagnostic> {
    let is_delete = |change: &&FileChange| change.kind == Kind::Delete;
    if changes.files.iter().filter(is_delete).count() <= MOST_DELETES {
        return Vec::new();
    }
    let mut losses: BTreeMap<Option<String>, Loss<'_>> = BTreeMap::new();
    for shard in &state.shards.all {
        let team = responsible(state, &shard.lockfile.team, &shard.lockfile.mega_file);
        losses.entry(team).or_default().managed.extend(shard.lockfile.entries.keys());
    }
    for change in changes.files.iter().filter(is_delete) {
        let team = responsible(state, &change.team, &change.mega_file);
        losses.entry(team).or_default().deletes.push(&change.path);
    }
    let blown =
        losses.iter().filter(|(_, loss)| holds(loss.deletes.len(), loss.managed.len(), state.request.allow_deletes));
    blown.map(|(team, loss)| finding(team.as_deref(), loss)).collect()
}

/// The selected team whose run deletes the files of a shard: its own, or the one that the mega-file went to.
fn responsible(state: &State<'_>, team: &str, mega_file: &str) -> Option<String> {
    let own = state.model.team_name(team);
    if state.teams.contains(&own) {
        return Some(own);
    }
    let taker = state.model.mega_files.iter().find(|mega| id_key(&mega.id) == id_key(mega_file));
    taker.map(|mega| mega.team.clone()).filter(|team| state.teams.contains(team))
}

fn finding(team: Option<&str>, loss: &Loss<'_>) -> Diagnostic {
    let (deletes, managed) = (loss.deletes.len(), loss.managed.len());
    let mut first: Vec<String> = loss.deletes.iter().take(SHOWN_PATHS).map(|path| format!("`{path}`")).collect();
    if deletes > first.len() {
        first.push("...".to_owned());
    }
    let percent = deletes * 100 / managed.max(1);
    let who = team.map_or_else(String::new, |team| format!(" for team {team}"));
    let message = format!(
        "the run would delete {deletes} of the {} that megax manages{who} ({percent}%): {}",
        count(managed as u64, "file"),
        first.join(", ")
    );
    let help = format!(
        "look for a mega-file that is gone, or a list that came out empty; if it is meant, `--allow-deletes {deletes}` lets \
         a team delete so many"
    );
    let finding = Diagnostic::new(Code::Fuse, message).help(help);
    match team {
        Some(team) => finding.team(team),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn many_and_more_than_half_hold_unless_allowed() {
        for (deletes, managed, allowed, expected) in [
            (20, 20, None, false),
            (21, 42, None, false),
            (21, 41, None, true),
            (21, 21, None, true),
            (21, 21, Some(20), true),
            (21, 21, Some(21), false),
            (5, 5, Some(0), false),
            (500, 10_000, None, false),
        ] {
            assert_eq!(holds(deletes, managed, allowed), expected, "{deletes} of {managed}, {allowed:?}");
        }
    }
}
