//! Why a team is not ready, in words: one short line for each kind of lack, the gravest first. Every error that would hold
//! the team is among them.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::model::MegaFile;
use crate::name::id_key;
use crate::pipeline::State;
use crate::pipeline::goals::present;
use crate::plan::{self, Claim, Collision};
use crate::report::review::{Lack, Reason};
use crate::report::status::{Measure, TeamStatus};
use crate::report::{count, number};

/// Names that a reason shows at most.
const MOST_NAMED: usize = 3;
/// Reasons that are given of one team.
const MOST_REASONS: usize = 20;
/// Circles that are looked for: mending the first ones shows the others.
const MOST_CIRCLES: usize = 10;

/// What is found out once for all teams.
pub struct Known {
    collisions: Vec<Collision>,
    /// Mega-files that depend on one another in a circle, as indices of the model, each circle in its order.
    circles: Vec<Vec<usize>>,
    /// Whether the manifest says of any team what it depends on.
    speaks_of_order: bool,
    /// The readable mega-files, as indices of the model, by the key of their id.
    readable: BTreeMap<String, usize>,
    /// The teams, as far as they can be told, of all mega-files that are there, by the key of their id.
    there: BTreeMap<String, Vec<Option<String>>>,
}

impl Known {
    pub fn of(state: &State<'_>) -> Self {
        let shards = &state.shards;
        let collisions = plan::collisions(&state.model, &state.plan, &shards.claims, &shards.reserved.reservations);
        let teams = || state.model.manifest.iter().flat_map(|manifest| &manifest.teams);
        let speaks_of_order = teams().any(|team| !team.dependencies.is_empty());
        let all = state.model.mega_files.iter().enumerate();
        let readable = all.map(|(index, mega)| (id_key(&mega.id), index)).collect();
        let mut there: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for one in present(&state.set, &state.model) {
            if let Some(id) = &one.id {
                there.entry(id_key(id)).or_default().push(one.team);
            }
        }
        let mut known = Self { collisions, circles: Vec::new(), speaks_of_order, readable, there };
        let next = |mega: &MegaFile| {
            let targets = mega.dependencies.iter().filter_map(|(text, _)| known.target(state, text));
            targets.map(|(index, _)| index).collect()
        };
        let next: Vec<Vec<usize>> = state.model.mega_files.iter().map(next).collect();
        known.circles = circles(&next);
        known
    }

    /// The readable mega-file that a dependency means.
    fn target<'s>(&self, state: &'s State<'_>, text: &str) -> Option<(usize, &'s MegaFile)> {
        let (team, id) = split(state, text);
        let index = *self.readable.get(&id_key(&id))?;
        let mega = state.model.mega_files.get(index)?;
        team.is_none_or(|team| team == mega.team).then_some((index, mega))
    }

    /// Whether a mega-file that cannot be read is meant.
    fn is_there(&self, state: &State<'_>, text: &str) -> bool {
        let (team, id) = split(state, text);
        self.there.get(&id_key(&id)).is_some_and(|teams| team.is_none() || teams.contains(&team))
    }
}

/// Every reason, without doubles.
pub fn reasons(state: &State<'_>, known: &Known, status: &TeamStatus) -> Vec<Reason> {
    let team = status.team.as_str();
    let mut found = Vec::new();
    let mut say = |lack, message: String| found.push(Reason { lack, message });
    let errors: Vec<&Diagnostic> = state.findings.iter().filter(|finding| finding.is_error()).collect();
    let of_all: Vec<&Diagnostic> = errors.iter().copied().filter(|finding| finding.teams.is_empty()).collect();
    if let Some(first) = of_all.first() {
        say(
            Lack::Project,
            format!("{} {}: {}{}", first.code, first.code.name(), first.message, more(of_all.len() - 1)),
        );
    }
    if let Some(message) = missing(status) {
        say(Lack::MissingMegaFiles, message);
    }
    let own = || errors.iter().copied().filter(|finding| finding.teams.iter().any(|name| name == team));
    for message in wrong(state, own().filter(|finding| kind(finding.code) == Lack::Wrong)) {
        say(Lack::Wrong, message);
    }
    for message in collisions(known, team) {
        say(Lack::Collision, message);
    }
    let outside: Vec<&Diagnostic> = own().filter(|finding| kind(finding.code) == Lack::Boundary).collect();
    if let Some(first) = outside.first() {
        say(Lack::Boundary, format!("{}{}", first.message, more(outside.len() - 1)));
    }
    for message in dependencies(state, known, team) {
        say(Lack::Dependency, message);
    }
    let is_whole = status.invalid == 0 && status.missing.is_empty();
    for (noun, measure) in [("file", &status.files), ("line", &status.lines)] {
        if let Some(message) = off_goal(noun, measure, is_whole && is_all_there(status)) {
            say(Lack::Goal, message);
        }
    }
    let unread = state
        .findings
        .iter()
        .filter(|finding| finding.code == Code::UnreadSlot && finding.teams.iter().any(|name| name == team));
    for finding in unread {
        say(Lack::Contribution, finding.message.clone());
    }
    for finding in own().filter(|finding| kind(finding.code) == Lack::Waits) {
        say(Lack::Waits, finding.message.clone());
    }
    let mut said = BTreeSet::new();
    found.retain(|reason| said.insert(reason.message.clone()));
    if found.len() > MOST_REASONS
        && let Some(last) = found.get(MOST_REASONS - 1).map(|reason| reason.lack)
    {
        let left = found.len() - MOST_REASONS + 1;
        found.truncate(MOST_REASONS - 1);
        found.push(Reason { lack: last, message: format!("and {} more reasons", number(left as u64)) });
    }
    found
}

/// What an error of a team is called here. The ones that are said in another way have kinds of their own.
fn kind(code: Code) -> Lack {
    match code {
        Code::Collision | Code::CaseCollision | Code::FolderCollision | Code::ReservedPath => Lack::Collision,
        Code::OutsideBoundary | Code::ForbiddenPath | Code::SensitivePath | Code::ReservedFolder => Lack::Boundary,
        Code::ContributorHeld | Code::TeamBound => Lack::Waits,
        Code::MissingMegaFile => Lack::MissingMegaFiles,
        Code::UnknownDependency => Lack::Dependency,
        Code::OffGoal => Lack::Goal,
        Code::UnreadSlot => Lack::Contribution,
        _ => Lack::Wrong,
    }
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" (and {} more)", number(others as u64)) }
}

/// `a`, `b` and 2 more.
fn few(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let left = names.len().saturating_sub(MOST_NAMED) as u64;
    if left > 0 { format!("{} and {} more", shown.join(", "), number(left)) } else { shown.join(", ") }
}

fn is_all_there(status: &TeamStatus) -> bool {
    status.expected.is_none_or(|(there, all)| there >= all)
}

fn missing(status: &TeamStatus) -> Option<String> {
    let there = status.valid + status.invalid;
    match status.expected {
        Some((present, all)) if present < all => {
            let of = format!("{} of {} there", number(present), count(all, "mega-file"));
            let names =
                if status.missing.is_empty() { String::new() } else { format!("; missing {}", few(&status.missing)) };
            Some(format!("{of}{names}"))
        }
        None if there == 0 => Some("no mega-file yet".to_owned()),
        _ => None,
    }
}

/// One line for every mega-file that is wrong, and for what is wrong elsewhere.
fn wrong<'f>(state: &State<'_>, findings: impl Iterator<Item = &'f Diagnostic>) -> Vec<String> {
    let is_input = |file| state.set.mega_files.iter().any(|input| input.file == file);
    let mut by_file: BTreeMap<Option<&str>, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in findings {
        let file = finding.span.map(|span| span.file).filter(|file| is_input(*file));
        by_file.entry(file.map(|file| state.set.sources.name(file))).or_default().push(finding);
    }
    let line = |(file, all): (Option<&str>, Vec<&Diagnostic>)| {
        let first = all.first()?;
        let what = format!("{} {}", first.code, first.code.name());
        Some(match file {
            Some(file) => format!("`{file}` is wrong: {what}{}", more(all.len() - 1)),
            None => format!("{what}: {}{}", first.message, more(all.len() - 1)),
        })
    };
    by_file.into_iter().filter_map(line).collect()
}

/// One line for every team, and for every owner of reservations, that plans the same places.
fn collisions(known: &Known, team: &str) -> Vec<String> {
    let mut with: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Collision { claims: [one, two], is_reserved, .. } in &known.collisions {
        let sides: &[(&Claim, &Claim)] = if *is_reserved { &[(two, one)] } else { &[(one, two), (two, one)] };
        for (own, other) in sides.iter().filter(|(own, _)| own.team == team) {
            let verb = if *is_reserved { "reserved by" } else { "planned by" };
            let whose = if other.team == team { "the same team".to_owned() } else { format!("team {}", other.team) };
            let who = format!("{verb} {whose} (`{}`)", other.mega_file);
            with.entry(who).or_default().insert(own.path.to_string());
        }
    }
    let line = |(who, paths): (String, BTreeSet<String>)| {
        let paths: Vec<String> = paths.into_iter().collect();
        let too = if who.starts_with("planned") { ", too" } else { "" };
        match paths.as_slice() {
            [one] => format!("`{one}` is {who}{too}"),
            _ => format!("{} are {who}{too}: {}", count(paths.len() as u64, "path"), few(&paths)),
        }
    };
    with.into_iter().map(line).collect()
}

fn dependencies(state: &State<'_>, known: &Known, team: &str) -> Vec<String> {
    let mut said = Vec::new();
    let own = state.model.mega_files.iter().enumerate().filter(|(_, mega)| mega.team == team);
    let allowed = state.model.manifest.as_ref().and_then(|manifest| manifest.team(team)).map(|one| &one.dependencies);
    for (index, mega) in own {
        for (text, _) in &mega.dependencies {
            match known.target(state, text).map(|(_, mega)| mega) {
                Some(other) if other.team != team => {
                    let refused = allowed.filter(|names| known.speaks_of_order && !names.contains(&other.team));
                    let what = |_| {
                        format!(
                            "`{}` depends on `{text}` of team {}, which is not among the team's dependencies",
                            mega.id, other.team
                        )
                    };
                    said.extend(refused.map(what));
                }
                Some(_) => {}
                None if known.is_there(state, text) => {}
                None => said.push(format!("`{}` depends on `{text}`, and no mega-file is that", mega.id)),
            }
        }
        for circle in known.circles.iter().filter(|circle| circle.contains(&index)) {
            let names = circle.iter().chain(circle.first()).filter_map(|&at| state.model.mega_files.get(at));
            let names: Vec<String> = names.map(|mega| format!("`{}`", mega.id)).collect();
            said.push(format!("mega-files depend on one another in a circle: {}", names.join(" -> ")));
        }
    }
    said
}

/// `ID` or `TEAM/ID`.
fn split(state: &State<'_>, text: &str) -> (Option<String>, String) {
    match text.rsplit_once('/') {
        Some((team, id)) => (Some(state.model.team_name(team)), id.to_owned()),
        None => (None, text.to_owned()),
    }
}

/// Circles in a graph: at least one of each knot, each in its order. Depth first, every way once.
fn circles(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    for start in 0..next.len() {
        if done.contains(&start) {
            continue;
        }
        // The path in hand: each node with the next of its ways; and where each stands in it.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        let mut places: BTreeMap<usize, usize> = [(start, 0)].into();
        while let Some((at, way)) = path.last_mut() {
            let Some(&to) = next.get(*at).and_then(|ways| ways.get(*way)) else {
                places.remove(at);
                done.insert(*at);
                path.pop();
                continue;
            };
            *way += 1;
            if let Some(&place) = places.get(&to) {
                found.push(path[place..].iter().map(|&(node, _)| node).collect());
                if found.len() == MOST_CIRCLES {
                    return found;
                }
            } else if !done.contains(&to) {
                places.insert(to, path.len());
                path.push((to, 0));
            }
        }
    }
    found
}

/// More than the goal, or, when the team is complete, less.
fn off_goal(noun: &str, measure: &Measure, finished: bool) -> Option<String> {
    let (made, goal) = measure.measured.zip(measure.goal)?;
    let range = match goal.max {
        Some(max) if max == goal.min => number(max),
        Some(max) => format!("{}-{}", number(goal.min), number(max)),
        None => format!("{} or more", number(goal.min)),
    };
    let than = match goal.max {
        Some(max) if made > max => "more",
        _ if made < goal.min && finished => "less",
        _ => return None,
    };
    Some(format!("makes {}, {than} than the goal of {range}", count(made, noun)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::status::Range;

    #[test]
    fn a_circle_is_found_once_and_in_its_order() {
        assert_eq!(circles(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(circles(&[vec![1], vec![2], vec![0], vec![0]]), [vec![0, 1, 2]]);
        assert_eq!(circles(&[vec![0], vec![2, 3], vec![], vec![1]]), [vec![0], vec![1, 3]]);
    }

    #[test]
    fn too_little_counts_when_the_team_is_complete_and_too_much_always() {
        let measure =
            |made, min, max| Measure { measured: Some(made), goal: Some(Range { min, max }), ..Measure::default() };
        let said = |made, finished| off_goal("line", &measure(made, 10, Some(20)), finished);
        assert_eq!(said(9, true).as_deref(), Some("makes 9 lines, less than the goal of 10-20"));
        assert_eq!((said(9, false), said(10, true), said(20, true)), (None, None, None));
        assert_eq!(said(21, false).as_deref(), Some("makes 21 lines, more than the goal of 10-20"));
        assert_eq!(
            off_goal("file", &measure(1, 2, None), true).as_deref(),
            Some("makes 1 file, less than the goal of 2 or more")
        );
        assert_eq!(off_goal("file", &Measure { measured: None, ..measure(1, 2, None) }, true), None, "unknown");
    }
}
