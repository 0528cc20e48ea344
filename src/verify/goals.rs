//! What a team made against what the manifest says that it can and shall make. Numbers only.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Amount, Progress, Team};
use crate::span::Span;

/// Mega-files that a finding names at most.
const MOST_NAMED: usize = 3;

/// How much one mega-file made.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// Its id.
    pub id: &'a str,
    /// Where the id stands.
    pub span: Span,
    /// Files.
    pub files: u64,
    /// Their lines.
    pub lines: u64,
}

/// One number of a mega-file.
type Of = fn(&Made<'_>) -> u64;

/// Compares what a team made with the manifest. `finished` says that nothing of the team is left out of `made`, so that
/// too little is a finding as well.
#[must_use]
pub fn team(team: &Team, made: &[Made<'_>], finished: bool) -> Vec<Diagnostic> {
    let count = |of: Of| made.iter().map(of).fold(0, u64::saturating_add);
    let (files, lines): (Of, Of) = (|one| one.files, |one| one.lines);
    let (can, goals) = (&team.capabilities, &team.goals);
    let mut findings = Vec::new();
    for (noun, key, of, limit) in [("file", "max_files", files, can.files), ("line", "max_loc", lines, can.lines)] {
        let count = count(of);
        let Some(limit) = limit.filter(|limit| count > limit.max) else { continue };
        let message =
            format!("team {} makes {} in this run, but its `{key}` is {}", team.name, amount(count, noun), limit.max);
        let help = "raise the limit, plan less, or expand fewer of the team's mega-files in one run";
        findings.push(most(Diagnostic::new(Code::OverCapability, message).at(limit.span).help(help), made, of, noun));
    }
    for (noun, of, goal) in [("file", files, goals.files), ("line", lines, goals.lines)] {
        let Some(goal) = goal else { continue };
        findings.extend(off_goal(team, made, of, (noun, goal), finished));
    }
    findings.into_iter().map(|finding| finding.team(team.name.clone())).collect()
}

fn off_goal(
    team: &Team,
    made: &[Made<'_>],
    of: Of,
    (noun, goal): (&str, Amount),
    finished: bool,
) -> Option<Diagnostic> {
    let count = made.iter().map(of).fold(0, u64::saturating_add);
    let room = if goal.min == goal.max { "; a range such as `8000-10000` leaves room" } else { "" };
    let says = |than: &str| {
        let message = format!("team {} makes {}, {than} than its goal of {goal}", team.name, amount(count, noun));
        Diagnostic::new(Code::OffGoal, message).at(goal.span)
    };
    if count > goal.max {
        let finding = says("more").help(format!("plan less, or raise the goal{room}"));
        return Some(most(finding, made, of, noun));
    }
    let short = finished && count < goal.min;
    short.then(|| says("less").help(format!("generate what is missing, or lower the goal{room}")))
}

/// Names the mega-files that make most.
fn most(mut finding: Diagnostic, made: &[Made<'_>], of: Of, noun: &str) -> Diagnostic {
    let mut sorted: Vec<&Made<'_>> = made.iter().filter(|one| of(one) > 0).collect();
    sorted.sort_by(|a, b| of(b).cmp(&of(a)).then_with(|| a.id.cmp(b.id)));
    for one in sorted.into_iter().take(MOST_NAMED) {
        finding = finding.related(one.span, format!("{} makes {}", one.id, amount(of(one), noun)));
    }
    finding
}

/// Says which mega-files a team has not written yet.
#[must_use]
pub fn missing(team: &Team, progress: &Progress<'_>) -> Option<Diagnostic> {
    if progress.present >= progress.wanted {
        return None;
    }
    let names: Vec<String> =
        progress.deliverables.iter().filter(|one| !one.present).map(|one| format!("`{}`", one.name)).collect();
    let missing = match names.len() {
        0 => String::new(),
        1 => format!("; missing is {}", names.concat()),
        _ => format!("; missing are {}", names.join(", ")),
    };
    let message =
        format!("team {} has {} of {}{missing}", team.name, progress.present, amount(progress.wanted, "mega-file"));
    let help = if names.is_empty() {
        "write the others, or lower the number"
    } else {
        "write them, or correct their names in the manifest: ids, or file names with or without `.yaml`"
    };
    let finding = Diagnostic::new(Code::MissingMegaFile, message).at(progress.span).help(help);
    Some(finding.team(team.name.clone()))
}

fn amount(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
