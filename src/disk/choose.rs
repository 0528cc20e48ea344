//! Which operations an undo or a rollback means.

use std::collections::BTreeSet;

use super::entry::OperationKind;
use super::log::{Log, Operation};
use super::undo::{Reversal, ReversalError};

/// What is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One operation; without a number the last that is not undone, and no undo.
    Undo(Option<u64>),
    /// The last operation of a team that is not undone, and no undo.
    UndoOf(String),
    /// All operations after one, or those of one team.
    Rollback {
        /// The operation that stays the last; 0 for none.
        to: u64,
        /// Only this team's operations.
        team: Option<String>,
    },
}

/// Finds the operations that a target means.
///
/// # Errors
/// There are none, one of them cannot be read or is undone already, or a team shares one with others.
pub fn choose(log: &Log, target: &Target) -> Result<Reversal, ReversalError> {
    match target {
        Target::Undo(number) => {
            number.map_or_else(|| last_standing(log, None), |number| standing(log, number)).map(undo)
        }
        Target::UndoOf(team) => {
            let operation = last_standing(log, Some(team))?;
            if operation.teams.len() > 1 {
                let operations = vec![(operation.number, operation.teams.clone())];
                return Err(ReversalError::Shared { team: team.clone(), operations });
            }
            Ok(undo(operation))
        }
        Target::Rollback { to, team } => rollback(log, *to, team.as_deref()),
    }
}

fn undo(operation: &Operation) -> Reversal {
    Reversal { kind: OperationKind::Undo, undoes: vec![operation.number], teams: operation.teams.clone() }
}

fn unreadable(number: u64) -> ReversalError {
    ReversalError::Unreadable { number, reason: "its entry is damaged".to_owned() }
}

fn absent(log: &Log, number: u64) -> ReversalError {
    ReversalError::Absent(match (log.last(), log.first()) {
        (0, _) => format!("there is no operation {number}: the log is empty"),
        (last, first) => format!("there is no operation {number}: the log holds {first} to {last}"),
    })
}

/// The last operation, or the last of a team, that is not undone, and no undo. Undos are passed over, so that one undo after
/// the other goes back.
fn last_standing<'l>(log: &'l Log, team: Option<&str>) -> Result<&'l Operation, ReversalError> {
    let is_of = |one: &Operation| team.is_none_or(|team| one.teams.iter().any(|name| name == team));
    let is_candidate = |one: &&Operation| one.kind != OperationKind::Undo && one.undone_by.is_none() && is_of(one);
    let found = log.operations.iter().find(is_candidate);
    // A later one that cannot be read may be the one that is meant, or have undone this one.
    match (log.unreadable.first(), found) {
        (Some(&number), found) if found.is_none_or(|found| found.number < number) => Err(unreadable(number)),
        (_, Some(found)) => Ok(found),
        (_, None) => Err(ReversalError::Absent(match (log.operations.iter().find(|one| is_of(one)), team) {
            (None, Some(team)) => format!("no operation in the log concerns a team {team}"),
            (None, None) => "there is no operation: the log is empty".to_owned(),
            (Some(last), _) => format!(
                "there is no operation that is not undone; `megax undo {}` does again what the last one undid",
                last.number
            ),
        })),
    }
}

fn standing(log: &Log, number: u64) -> Result<&Operation, ReversalError> {
    match log.get(number) {
        Some(&Operation { undone_by: Some(by), .. }) => Err(ReversalError::Undone { number, by }),
        Some(found) => Ok(found),
        None if log.unreadable.contains(&number) => Err(unreadable(number)),
        None => Err(absent(log, number)),
    }
}

fn rollback(log: &Log, to: u64, team: Option<&str>) -> Result<Reversal, ReversalError> {
    if to > log.last() || to + 1 < log.first() {
        return Err(absent(log, to));
    }
    if let Some(&number) = log.unreadable.iter().find(|number| **number > to) {
        return Err(unreadable(number));
    }
    let later: Vec<&Operation> = log.operations.iter().rev().filter(|one| one.number > to).collect();
    if let Some((_, number)) = later.iter().zip(to + 1..).find(|(one, number)| one.number != *number) {
        return Err(absent(log, number));
    }
    let is_of = |one: &Operation| team.is_none_or(|team| one.teams.iter().any(|name| name == team));
    if let Some(team) = team.filter(|_| !log.operations.iter().any(is_of)) {
        return Err(ReversalError::Absent(format!("no operation in the log concerns a team {team}")));
    }
    let chosen: Vec<&Operation> = later.into_iter().filter(|one| is_of(one)).collect();
    let shared: Vec<_> =
        chosen.iter().filter(|one| one.teams.len() > 1).map(|one| (one.number, one.teams.clone())).collect();
    if let Some(team) = team.filter(|_| !shared.is_empty()) {
        return Err(ReversalError::Shared { team: team.to_owned(), operations: shared });
    }
    let teams: BTreeSet<String> = chosen.iter().flat_map(|one| one.teams.iter().cloned()).collect();
    let undoes = chosen.iter().map(|one| one.number).collect();
    Ok(Reversal { kind: OperationKind::Rollback, undoes, teams: teams.into_iter().collect() })
}
