//! The review for people: a line per team, then why the others are not ready, then what is between teams.

use super::{LockChange, PointReview, PointState, ReviewReport, TeamReview};
use crate::report::clean::clean;
use crate::report::history::listed;
use crate::report::paint::{BOLD, DIM, GREEN, RED, YELLOW, paint};
use crate::report::status::{amount, coverage, goal};
use crate::report::table::{Side, table};
use crate::report::words::{count, number};

/// So many reservations that changed are named; the others are counted.
const SHOWN_LOCKS: usize = 20;

/// The tables and the line that ends them.
#[must_use]
pub fn text(report: &ReviewReport, colour: bool) -> String {
    let mut parts =
        vec![teams(report, colour), reasons(report, colour), points(report, colour), locked(report, colour)];
    parts.push(closing(report, colour));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn teams(report: &ReviewReport, colour: bool) -> String {
    let all = &report.teams;
    let file_goals = all.iter().any(|one| goal(&one.status.files).is_some());
    let line_goals = all.iter().any(|one| goal(&one.status.lines).is_some());
    let reserves = all.iter().any(|one| one.reserved > 0);
    let mut columns = vec![
        ("team", Side::Left),
        ("mega-files", Side::Left),
        ("valid", Side::Right),
        ("invalid", Side::Right),
        ("paths", Side::Right),
    ];
    columns.extend(reserves.then_some(("reserved", Side::Right)));
    columns.push(("files", Side::Right));
    columns.extend(file_goals.then_some(("goal", Side::Right)));
    columns.push(("lines", Side::Right));
    columns.extend(line_goals.then_some(("goal", Side::Right)));
    columns.push(("verdict", Side::Left));
    let row = |one: &TeamReview| {
        let status = &one.status;
        let there = status.valid + status.invalid;
        let many = |value: u64| if there == 0 { "-".to_owned() } else { number(value) };
        let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let mut row = vec![clean(&status.team).into_owned(), coverage(status), many(status.valid)];
        row.extend([many(status.invalid), many(one.paths)]);
        row.extend(reserves.then(|| many(one.reserved)));
        row.push(amount(&status.files));
        row.extend(file_goals.then(|| dash(goal(&status.files))));
        row.push(amount(&status.lines));
        row.extend(line_goals.then(|| dash(goal(&status.lines))));
        row.push(if one.is_ready() { "ready" } else { "not ready" }.to_owned());
        row
    };
    table(&columns, &all.iter().map(row).collect::<Vec<_>>(), colour)
}

/// Why teams are not ready, each reason on its line.
fn reasons(report: &ReviewReport, colour: bool) -> String {
    let waiting: Vec<&TeamReview> = report.teams.iter().filter(|one| !one.is_ready()).collect();
    let width = waiting.iter().map(|one| clean(&one.status.team).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for one in waiting {
        for (index, reason) in one.reasons.iter().enumerate() {
            let team = if index == 0 { clean(&one.status.team).into_owned() } else { String::new() };
            let blanks = " ".repeat(width.saturating_sub(team.chars().count()));
            out.extend([&paint(colour, YELLOW, &team), &blanks, "  ", &clean(&reason.message), "\n"]);
        }
    }
    if out.is_empty() { out } else { format!("{}\n{out}", paint(colour, BOLD, "not ready, because")) }
}

fn points(report: &ReviewReport, colour: bool) -> String {
    let columns =
        [("integration point", Side::Left), ("between", Side::Left), ("artefact", Side::Left), ("", Side::Left)];
    let row = |one: &PointReview| {
        let all = one.between.len() == report.stages.iter().map(Vec::len).sum::<usize>() && one.between.len() > 2;
        let between = if all { "all teams".to_owned() } else { one.between.join(", ") };
        let artifact = one.artifact.as_deref().unwrap_or("-");
        vec![
            clean(&one.name).into_owned(),
            clean(&between).into_owned(),
            clean(artifact).into_owned(),
            clean(&standing(one)).into_owned(),
        ]
    };
    table(&columns, &report.points.iter().map(row).collect::<Vec<_>>(), colour)
}

fn standing(one: &PointReview) -> String {
    match (one.state, one.producers.as_slice()) {
        (PointState::Planned, [(team, id)]) => format!("made by {team} ({id})"),
        (PointState::Planned, [(team, id), others @ ..]) => {
            format!("made by {team} ({id}) and {} more", number(others.len() as u64))
        }
        (PointState::Planned, []) => "planned".to_owned(),
        (PointState::OnDisk, _) => "on disk".to_owned(),
        (PointState::Missing, _) => "missing: nobody plans it, and it is not on disk".to_owned(),
        (PointState::Unknown, _) => "unknown: the disk was not compared".to_owned(),
        (PointState::Unnamed, _) => "no artefact named".to_owned(),
    }
}

/// What became of the reservations.
fn locked(report: &ReviewReport, colour: bool) -> String {
    let Some(all) = &report.locked else { return String::new() };
    let mut out = String::new();
    let changed = || all.iter().filter(|one| one.change != LockChange::Unchanged);
    for one in changed().take(SHOWN_LOCKS) {
        let style = match one.change {
            LockChange::Reserved | LockChange::Refreshed => GREEN,
            _ => RED,
        };
        let word = paint(colour, style, &format!("{:9}", one.change.as_str()));
        let why = if one.change == LockChange::Removed { ": no mega-file of the team has the id" } else { "" };
        let what = format!("{}/{}  {}{why}", one.team, one.mega_file, count(one.paths, "path"));
        out.extend([&word, "  ", &clean(&what), "\n"]);
    }
    let more = changed().count().saturating_sub(SHOWN_LOCKS) as u64;
    if more > 0 {
        out.push_str(&paint(colour, DIM, &format!("and {} more", number(more))));
        out.push('\n');
    }
    let unchanged = all.iter().filter(|one| one.change == LockChange::Unchanged).count() as u64;
    if changed().next().is_none() {
        let kept = if unchanged > 0 {
            format!("{} as they are", count(unchanged, "reservation"))
        } else {
            "no reservation".to_owned()
        };
        out = format!("reservations: nothing to do, {kept}\n");
    }
    if !report.operations.is_empty() {
        out.push_str(&paint(colour, DIM, &format!("{} in the log", listed(&report.operations))));
        out.push('\n');
    }
    out
}

fn closing(report: &ReviewReport, colour: bool) -> String {
    let all = &report.teams;
    let sum = |of: fn(&TeamReview) -> u64| all.iter().map(of).sum::<u64>();
    let ready = all.iter().filter(|one| one.is_ready()).count() as u64;
    let known = |of: fn(&TeamReview) -> Option<u64>| all.iter().map(of).sum::<Option<u64>>();
    let mega_files = count(sum(|one| one.status.valid + one.status.invalid), "mega-file");
    let mut totals = vec![mega_files, count(sum(|one| one.paths), "path")];
    totals.extend(known(|one| one.status.files.measured).map(|files| count(files, "file")));
    totals.extend(known(|one| one.status.lines.measured).map(|lines| count(lines, "line")));
    let reserved = sum(|one| one.reserved);
    if reserved > 0 {
        totals.push(format!("{} reserved", number(reserved)));
    }
    let mut verdict = match (ready, all.len() as u64) {
        (_, 0) => "there is no team yet".to_owned(),
        (1, 1) => "the team is ready".to_owned(),
        (ready, all) if ready == all => format!("all {} teams are ready", number(all)),
        (0, _) => "no team is ready".to_owned(),
        (1, all) => format!("1 of {} teams is ready", number(all)),
        (ready, all) => format!("{} of {} teams are ready", number(ready), number(all)),
    };
    let missing = report.points.iter().filter(|one| one.state == PointState::Missing).count() as u64;
    if missing > 0 {
        let are = if missing == 1 { "has no artefact" } else { "have no artefact" };
        verdict = format!("{verdict}; {} {are}", count(missing, "integration point"));
    }
    let written = report.integration_manifest.as_ref();
    let written = written.map_or_else(String::new, |file| format!("integration manifest: {}\n", clean(file)));
    format!("{}\n{written}{}\n", paint(colour, DIM, &totals.join(", ")), paint(colour, BOLD, &verdict))
}
