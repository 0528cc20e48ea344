//! How the teams of a project stand: the facts and the text for people.
//!
//! A number was measured in this run, or it is marked `~` and stands apart: an estimate is never added to a measured
//! number. Must never hide what somebody did to a file.

use super::clean::clean;
use super::facts::{Outcome, words};
use super::paint::{ALARM, BOLD, DIM, GREEN, RED, YELLOW, paint};
use super::table::{Side, table};
use super::words::{count, number};
use crate::diagnostic::Diagnostics;
use crate::span::SourceMap;

words! {
    /// What somebody did to a file since megax wrote last.
    Since {
        /// Its content or its mode is another one.
        Edited "edited",
        /// It is gone.
        Deleted "deleted",
        /// Megax did not write it, and it is in the way.
        Foreign "foreign",
    }
}

words! {
    /// What `megax expand` would do to a file.
    Would {
        /// Make it.
        Create "create",
        /// Write it anew.
        Update "update",
        /// Remove it.
        Delete "delete",
        /// Stop: it would be an edit or a foreign file that is lost.
        Conflict "conflict",
    }
}

/// From and to, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most; `None` for no bound.
    pub max: Option<u64>,
}

/// Files or lines of one team or mega-file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// What valid mega-files make; measured. `None` if that is not known.
    pub measured: Option<u64>,
    /// What invalid mega-files say that they will make.
    pub estimate: Option<Range>,
    /// What the manifest expects.
    pub goal: Option<Range>,
    /// The most that the manifest allows.
    pub limit: Option<u64>,
}

/// One team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamStatus {
    /// Its name.
    pub team: String,
    /// Why `megax expand` would write nothing of it, if it is held; its planned files were not compared then.
    pub held: Option<String>,
    /// Its mega-files that are valid.
    pub valid: u64,
    /// Its mega-files that are not.
    pub invalid: u64,
    /// Of the mega-files that the manifest expects, how many there are, and of how many.
    pub expected: Option<(u64, u64)>,
    /// Mega-files beside the expected ones; without expected ones, zero.
    pub others: u64,
    /// The expected ones that are not there, as the manifest names them.
    pub missing: Vec<String>,
    /// Files.
    pub files: Measure,
    /// Lines.
    pub lines: Measure,
    /// Paths that drifted.
    pub drift: u64,
}

/// One mega-file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MegaFileStatus {
    /// Its id; `None` where the text gives none.
    pub id: Option<String>,
    /// Its team; `None` where nothing tells.
    pub team: Option<String>,
    /// Its own path, for display.
    pub path: String,
    /// Whether it is valid.
    pub valid: bool,
    /// Files.
    pub files: Measure,
    /// Lines.
    pub lines: Measure,
    /// Dependencies that no mega-file of the project has.
    pub missing: Vec<String>,
}

/// One path that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Where, below the output root.
    pub path: String,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// What somebody did.
    pub since: Option<Since>,
    /// What `megax expand` would do; `None` also while the team is held.
    pub expand: Option<Would>,
}

/// One path that was left to people by choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Where, below the output root.
    pub path: String,
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
}

/// All facts.
#[derive(Debug, Clone)]
pub struct StatusReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The manifest that is used, for display.
    pub manifest: Option<String>,
    /// The output root, for display.
    pub out: String,
    /// The team that was asked for.
    pub only: Option<String>,
    /// The teams: in the order of the manifest, then the others by name.
    pub teams: Vec<TeamStatus>,
    /// The mega-files, by path.
    pub mega_files: Vec<MegaFileStatus>,
    /// The paths that drifted, sorted.
    pub drift: Vec<Drift>,
    /// The paths that were left to people by choice, sorted. They do not drift.
    pub detached: Vec<Detached>,
    /// Lockfile shards that `megax expand` would bring up to date; `None` if not compared.
    pub lockfiles: Option<u64>,
    /// The findings, sorted.
    pub diagnostics: Diagnostics,
    /// The texts that spans point into.
    pub sources: SourceMap,
}

impl Drift {
    /// The two letters: what somebody did, what `megax expand` would do.
    #[must_use]
    pub fn letters(&self) -> [char; 2] {
        let since = match self.since {
            None => ' ',
            Some(Since::Edited) => 'M',
            Some(Since::Deleted) => 'D',
            Some(Since::Foreign) => 'A',
        };
        let expand = match self.expand {
            None => ' ',
            Some(Would::Create) => 'A',
            Some(Would::Update) => 'M',
            Some(Would::Delete) => 'D',
            Some(Would::Conflict) => 'C',
        };
        [since, expand]
    }
}

/// The table of the teams, the mega-files of one that was asked for, the drift, and the line that ends it.
#[must_use]
pub fn overview(report: &StatusReport, colour: bool) -> String {
    let mut parts = vec![teams(report, colour)];
    if let Some(team) = &report.only {
        parts.push(mega_files(report, team, colour));
        parts.extend(report.teams.iter().filter(|one| one.team == *team).map(missing));
    }
    parts.push(drift(report, colour));
    parts.push(detached(report, colour));
    parts.push(format!("{}\n", paint(colour, BOLD, &closing(report))));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn teams(report: &StatusReport, colour: bool) -> String {
    let all = &report.teams;
    let goals = |measure: fn(&TeamStatus) -> &Measure| all.iter().any(|one| goal(measure(one)).is_some());
    let (file_goals, line_goals) = (goals(|one| &one.files), goals(|one| &one.lines));
    let mut columns = vec![
        ("team", Side::Left),
        ("mega-files", Side::Left),
        ("valid", Side::Right),
        ("invalid", Side::Right),
        ("files", Side::Right),
    ];
    columns.extend(file_goals.then_some(("goal", Side::Right)));
    columns.push(("lines", Side::Right));
    columns.extend(line_goals.then_some(("goal", Side::Right)));
    columns.push(("drift", Side::Right));
    let anyone_held = all.iter().any(|one| one.held.is_some());
    columns.extend(anyone_held.then_some(("", Side::Left)));
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let there = one.valid + one.invalid;
            let many = |value: u64| if there == 0 { "-".to_owned() } else { number(value) };
            let mut row = vec![clean(&one.team).into_owned(), coverage(one), many(one.valid), many(one.invalid)];
            row.push(amount(&one.files));
            row.extend(file_goals.then(|| goal(&one.files).unwrap_or_else(|| "-".to_owned())));
            row.push(amount(&one.lines));
            row.extend(line_goals.then(|| goal(&one.lines).unwrap_or_else(|| "-".to_owned())));
            row.push(number(one.drift));
            row.extend(anyone_held.then(|| if one.held.is_some() { "held".to_owned() } else { String::new() }));
            row
        })
        .collect();
    table(&columns, &rows, colour)
}

/// `3 of 10`, `3 of 10, 1 other`, or the number alone where the manifest expects none by name.
pub(super) fn coverage(team: &TeamStatus) -> String {
    match (team.expected, team.others) {
        (None, _) => number(team.valid + team.invalid),
        (Some((there, all)), 0) => format!("{} of {}", number(there), number(all)),
        (Some((there, all)), others) => format!("{} of {}, {} other", number(there), number(all), number(others)),
    }
}

/// `16`, `16 + ~45`, `~45`, or `-` where nothing is known.
pub(super) fn amount(measure: &Measure) -> String {
    match (measure.measured, measure.estimate) {
        (Some(measured), None) => number(measured),
        (Some(0) | None, Some(estimate)) => format!("~{}", range(estimate)),
        (Some(measured), Some(estimate)) => format!("{} + ~{}", number(measured), range(estimate)),
        (None, None) => "-".to_owned(),
    }
}

pub(super) fn goal(measure: &Measure) -> Option<String> {
    measure.goal.map(range).or_else(|| measure.limit.map(|limit| format!("at most {}", number(limit))))
}

fn range(range: Range) -> String {
    match (range.min, range.max) {
        (min, Some(max)) if min == max => number(min),
        (0, Some(max)) => format!("at most {}", number(max)),
        (min, Some(max)) => format!("{}-{}", number(min), number(max)),
        (min, None) => format!("{}+", number(min)),
    }
}

fn mega_files(report: &StatusReport, team: &str, colour: bool) -> String {
    let columns = [
        ("mega-file", Side::Left),
        ("in", Side::Left),
        ("", Side::Left),
        ("files", Side::Right),
        ("lines", Side::Right),
        ("dependencies missing", Side::Left),
    ];
    let own: Vec<&MegaFileStatus> = report.mega_files.iter().filter(|one| one.team.as_deref() == Some(team)).collect();
    let anything_missing = own.iter().any(|one| !one.missing.is_empty());
    let rows: Vec<Vec<String>> = own
        .iter()
        .map(|one| {
            let valid = if one.valid { "valid" } else { "invalid" };
            let id = one.id.as_deref().map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
            let path = clean(&one.path).into_owned();
            let mut row = vec![id, path, valid.to_owned(), amount(&one.files), amount(&one.lines)];
            row.extend(anything_missing.then(|| clean(&one.missing.join(", ")).into_owned()));
            row
        })
        .collect();
    let shown = if anything_missing { &columns[..] } else { &columns[..columns.len() - 1] };
    table(shown, &rows, colour)
}

/// The mega-files that a team still owes; empty if there are none.
fn missing(team: &TeamStatus) -> String {
    if team.missing.is_empty() {
        return String::new();
    }
    format!("not there yet: {}\n", clean(&team.missing.join(", ")))
}

fn drift(report: &StatusReport, colour: bool) -> String {
    let mut out = String::new();
    let width = report.drift.iter().map(|one| clean(&one.path).chars().count()).max().unwrap_or(0).min(WIDEST_PATH);
    let mut plain = 0;
    for one in &report.drift {
        // What nobody touched is only what the next run will do; a fresh project may have thousands of these.
        let is_plain = one.since.is_none() && one.expand != Some(Would::Conflict);
        plain += usize::from(is_plain);
        if is_plain && plain > SHOWN_PLAIN {
            continue;
        }
        let [since, expand] = one.letters();
        let since = paint(colour, if one.since == Some(Since::Deleted) { RED } else { YELLOW }, &since.to_string());
        let style = match one.expand {
            Some(Would::Create) => GREEN,
            Some(Would::Update) => YELLOW,
            Some(Would::Delete) => RED,
            Some(Would::Conflict) | None => ALARM,
        };
        let path = clean(&one.path);
        let blanks = " ".repeat(width.saturating_sub(path.chars().count()));
        let owner = paint(colour, DIM, &format!("{}/{}", clean(&one.team), clean(&one.mega_file)));
        out.extend([
            &since,
            paint(colour, style, &expand.to_string()).as_str(),
            " ",
            &path,
            &blanks,
            "  ",
            &owner,
            "\n",
        ]);
    }
    if plain > SHOWN_PLAIN {
        let more = count((plain - SHOWN_PLAIN) as u64, "more path");
        out.push_str(&paint(
            colour,
            DIM,
            &format!("   {more} that nobody touched: `megax expand --dry-run` shows all"),
        ));
        out.push('\n');
    }
    if !out.is_empty() {
        let legend = "first: what somebody did since megax wrote (M edited, D deleted, A foreign file in the way)\n\
                      second: what `megax expand` would do (A create, M update, D delete, C conflict)";
        out.push_str(&paint(colour, DIM, legend));
        out.push('\n');
    }
    out
}

/// The paths that were left to people; empty if there are none.
fn detached(report: &StatusReport, colour: bool) -> String {
    let width = report.detached.iter().map(|one| clean(&one.path).chars().count()).max().unwrap_or(0).min(WIDEST_PATH);
    let mut out = String::new();
    for one in report.detached.iter().take(SHOWN_PLAIN) {
        let path = clean(&one.path);
        let blanks = " ".repeat(width.saturating_sub(path.chars().count()));
        let owner = paint(colour, DIM, &format!("{}/{}", clean(&one.team), clean(&one.mega_file)));
        out.extend(["   ", &path, &blanks, "  ", &owner, "\n"]);
    }
    let more = report.detached.len().saturating_sub(SHOWN_PLAIN) as u64;
    if more > 0 {
        out.push_str(&paint(colour, DIM, &format!("   {}", count(more, "more path"))));
        out.push('\n');
    }
    if out.is_empty() {
        return out;
    }
    format!("detached, and left as they are (`megax adopt FILE` takes one back):\n{out}")
}

/// So many paths are shown that nobody touched; the others are counted. What somebody did is always shown.
const SHOWN_PLAIN: usize = 50;
/// Paths are padded to the longest, but a few very long ones do not push the others aside.
const WIDEST_PATH: usize = 72;

fn closing(report: &StatusReport) -> String {
    let sum = |of: fn(&TeamStatus) -> u64| report.teams.iter().map(of).sum::<u64>();
    let (valid, invalid) = (sum(|one| one.valid), sum(|one| one.invalid));
    let mut parts = vec![match (valid, invalid) {
        (0, 0) => "no mega-file yet".to_owned(),
        (valid, 0) => format!("{} valid", count(valid, "mega-file")),
        (valid, invalid) => format!("{}, {} invalid", count(valid + invalid, "mega-file"), number(invalid)),
    }];
    let drift = report.drift.len() as u64;
    parts.push(match (drift, report.lockfiles) {
        (0, None) => "the disk was not compared".to_owned(),
        (0, Some(0)) => "no drift".to_owned(),
        (0, Some(1)) => "every file is as planned, 1 lockfile does not record these inputs yet".to_owned(),
        (0, Some(many)) => {
            format!("every file is as planned, {} do not record these inputs yet", count(many, "lockfile"))
        }
        (1, _) => "1 path drifted".to_owned(),
        (many, _) => format!("{} paths drifted", number(many)),
    });
    if !report.detached.is_empty() {
        parts.push(format!("{} detached", number(report.detached.len() as u64)));
    }
    let held = report.teams.iter().filter(|one| one.held.is_some()).count() as u64;
    if held > 0 {
        parts.push(format!("{} held (planned files not compared)", count(held, "team")));
    }
    format!("{}: {}", count(report.teams.len() as u64, "team"), parts.join("; "))
}

#[cfg(test)]
#[path = "status_tests.rs"]
pub(super) mod tests;
