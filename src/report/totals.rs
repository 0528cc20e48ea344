//! Sums in words and tables: per mega-file, per team, and the one line that ends a run. A sum that is unknown is left
//! out, never shown as zero.

use std::collections::BTreeSet;

use super::clean::clean;
use super::facts::{Counts, Mode, Report};
use super::history::listed;
use super::paint::{ALARM, BOLD, DIM, paint};
use super::table::{Side, table};
use super::words::{bytes, count, number};

/// The tables of the mega-files and of the teams, each with a blank line before it.
pub(super) fn tables(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    for drawn in [mega_files(report, colour), teams(report, colour)] {
        if !drawn.is_empty() {
            out.push('\n');
            out.push_str(&drawn);
        }
    }
    out
}

fn mega_files(report: &Report, colour: bool) -> String {
    let columns = [
        ("mega-file", Side::Left),
        ("team", Side::Left),
        ("files", Side::Right),
        ("lines", Side::Right),
        ("size", Side::Right),
    ];
    let rows: Vec<Vec<String>> = report
        .mega_files
        .iter()
        .map(|one| {
            let [files, lines, size] = amounts(&one.counts);
            vec![clean(&one.id).into_owned(), clean(&one.team).into_owned(), files, lines, size]
        })
        .collect();
    table(&columns, &rows, colour)
}

fn teams(report: &Report, colour: bool) -> String {
    let columns = [
        ("team", Side::Left),
        ("mega-files", Side::Right),
        ("files", Side::Right),
        ("lines", Side::Right),
        ("size", Side::Right),
        ("", Side::Left),
    ];
    let rows: Vec<Vec<String>> = report
        .teams
        .iter()
        .map(|one| {
            let [files, lines, size] = amounts(&one.counts);
            let state =
                if one.held.is_some() { "held".to_owned() } else { changes(&one.counts, report.mode).join(", ") };
            vec![clean(&one.team).into_owned(), number(one.mega_files), files, lines, size, state]
        })
        .collect();
    table(&columns, &rows, colour)
}

fn amounts(counts: &Counts) -> [String; 3] {
    let shown = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), number);
    [shown(counts.files), shown(counts.lines), counts.bytes.map_or_else(|| "-".to_owned(), bytes)]
}

/// `3 created`, or `3 to create` where nothing is written; only what is there.
fn changes(counts: &Counts, mode: Mode) -> Vec<String> {
    let done = mode == Mode::Write;
    let words = [
        (counts.created, if done { "created" } else { "to create" }),
        (counts.updated, if done { "updated" } else { "to update" }),
        (counts.unchanged, "unchanged"),
        (counts.deleted, if done { "deleted" } else { "to delete" }),
        (counts.kept, "left as edited"),
        (counts.detached, "detached"),
        (counts.conflicts, "in conflict"),
    ];
    let there =
        words.into_iter().filter_map(|(value, word)| value.filter(|&value| value > 0).map(|value| (value, word)));
    there.map(|(value, word)| format!("{} {word}", number(value))).collect()
}

/// `16 files, 1,204 lines, 38.2 kB: 16 created`, or that there is nothing to do.
pub(super) fn total_line(report: &Report) -> String {
    let counts = &report.summary.counts;
    if let (Some(files), true) = (counts.files, is_idle(report)) {
        let detached = counts.detached.unwrap_or(0);
        let files = files.saturating_sub(detached);
        let are = if files == 1 { "is" } else { "are" };
        let detached = if detached > 0 { format!(", {} detached", number(detached)) } else { String::new() };
        let planned = format!("{} {are} as planned{detached}", count(files, "file"));
        return match (report.lockfiles.unwrap_or(0), report.mode) {
            (0, _) => format!("nothing to do: {planned}"),
            (shards, Mode::Write) => format!("{planned}; {} updated to the inputs", count(shards, "lockfile")),
            (1, _) => format!("{planned}; 1 lockfile does not record these inputs yet"),
            (shards, _) => format!("{planned}; {} do not record these inputs yet", count(shards, "lockfile")),
        };
    }
    let amounts: Vec<String> = [
        counts.files.map(|files| count(files, "file")),
        counts.lines.map(|lines| count(lines, "line")),
        counts.bytes.map(bytes),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut changes = changes(counts, report.mode);
    let held = report.held_files().count() as u64;
    if held > 0 {
        changes.push(format!("{} held", number(held)));
    }
    match (amounts.is_empty(), changes.is_empty()) {
        (true, _) => format!("{}: nothing was planned", count(report.summary.mega_files, "mega-file")),
        (false, true) => amounts.join(", "),
        (false, false) => format!("{}: {}", amounts.join(", "), changes.join(", ")),
    }
}

/// Whether every file was compared and is as planned, and no team is held.
pub(super) fn is_idle(report: &Report) -> bool {
    let counts = &report.summary.counts;
    let others = [counts.created, counts.updated, counts.deleted, counts.conflicts, counts.kept];
    report.teams.iter().all(|team| team.held.is_none())
        && others.iter().all(|&value| value == Some(0))
        && counts.unchanged.zip(counts.detached).map(|(unchanged, detached)| unchanged + detached) == counts.files
        && !report.diagnostics.has_errors()
}

/// The lines that end a run: who is held and why, the total, the tree digest.
pub(super) fn closing_lines(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    for team in &report.teams {
        if let Some(reason) = &team.held {
            let held = paint(colour, ALARM, "held:");
            out.extend([&held, " ", &clean(&team.team), " writes nothing: ", &clean(reason), "\n"]);
        }
    }
    out.push_str(&paint(colour, BOLD, &total_line(report)));
    out.push('\n');
    if let Some(tree) = &report.tree {
        out.push_str(&paint(colour, DIM, &format!("tree {tree}")));
        out.push('\n');
    }
    if let Some(line) = operations(report) {
        out.push_str(&paint(colour, DIM, &line));
        out.push('\n');
    }
    out
}

/// What the log calls what was written, and how it is taken back.
fn operations(report: &Report) -> Option<String> {
    let numbers: BTreeSet<u64> = report.teams.iter().filter_map(|team| team.operation).collect();
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let back = match numbers.len() as u64 {
        1 => format!("`megax undo {first}` takes it back"),
        // Nobody else wrote meanwhile.
        all if all == last - first + 1 => format!("`megax rollback --to {}` takes them back", first - 1),
        _ => "`megax undo NUMBER` takes one back".to_owned(),
    };
    Some(format!("{}: {back}", listed(&numbers)))
}
