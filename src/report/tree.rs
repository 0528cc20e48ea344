//! The preview: every file with what happens to it and its lines, then the totals.
//!
//! Must never hide a file that is in conflict, deleted or edited, however long the tree is.

use std::collections::{BTreeMap, BTreeSet};

use annotate_snippets::renderer::Style;

use super::clean::clean;
use super::facts::{Change, FileReport, Report};
use super::paint::{ALARM, BOLD, DIM, GREEN, RED, YELLOW, paint};
use super::table::{Side, pad};
use super::totals;
use super::words::{count, number};
use crate::path::OutputPath;

/// How a tree is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TreeOptions {
    /// Whether to colour.
    pub colour: bool,
    /// Whether to draw with ASCII characters only.
    pub ascii: bool,
    /// Most files to show; the others are counted. Conflicts, deletions and edited files are shown beyond it.
    pub limit: Option<usize>,
}

/// The whole preview: tree, tables, closing lines. A run with nothing to do is its closing lines only.
#[must_use]
pub fn preview(report: &Report, options: TreeOptions) -> String {
    if totals::is_idle(report) {
        return closing(report, options.colour);
    }
    let mut out = tree(report, options);
    out.push_str(&totals::tables(report, options.colour));
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&closing(report, options.colour));
    out
}

/// The lines that end a run: the teams that are held, the total, the tree digest.
#[must_use]
pub fn closing(report: &Report, colour: bool) -> String {
    totals::closing_lines(report, colour)
}

/// The tree alone; empty without files.
#[must_use]
pub fn tree(report: &Report, options: TreeOptions) -> String {
    if report.files.is_empty() {
        return String::new();
    }
    let mut root = Folder::default();
    let mut budget = options.limit.unwrap_or(usize::MAX);
    let held: BTreeSet<(&str, &OutputPath)> =
        report.held_files().map(|file| (file.team.as_str(), &file.path)).collect();
    let mut files: Vec<&FileReport> = report.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        let shown = budget > 0 || must_show(file);
        budget = budget.saturating_sub(usize::from(shown));
        root.insert(&file.path.parts().collect::<Vec<_>>(), file, shown);
    }
    let mut rows = vec![Row { name: with_slash(&report.out), ..Row::default() }];
    let brush = Brush { ascii: options.ascii, held: &held };
    root.rows("", &brush, &mut rows);
    draw(&rows, options.colour)
}

fn must_show(file: &FileReport) -> bool {
    use Change::{Conflict, Delete, Kept, Marked, Merged, Orphan, Replaced};
    matches!(file.change, Some(Conflict | Delete | Kept | Marked | Merged | Orphan | Replaced))
}

fn with_slash(folder: &str) -> String {
    let folder = clean(folder);
    if folder.ends_with('/') { folder.into_owned() } else { format!("{folder}/") }
}

/// A folder of the tree. One name can be a file and a folder at once while a plan is wrong, hence two maps.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    files: BTreeMap<&'a str, Vec<&'a FileReport>>,
    hidden: Hidden,
}

/// Files that are counted instead of shown.
#[derive(Default)]
struct Hidden {
    files: u64,
    lines: Option<u64>,
}

impl<'a> Folder<'a> {
    fn insert(&mut self, parts: &[&'a str], file: &'a FileReport, shown: bool) {
        match parts {
            [] => {}
            [name] if shown => self.files.entry(name).or_default().push(file),
            [_] => self.hidden.add(file),
            // A hidden file is counted in the deepest folder that shows something: files come sorted, so a folder that
            // shows a file before it exists already. One that shows only later files gets its count from its parent.
            [name, rest @ ..] => match (shown, self.folders.get_mut(name)) {
                (_, Some(folder)) => folder.insert(rest, file, shown),
                (true, None) => self.folders.entry(name).or_default().insert(rest, file, shown),
                (false, None) => self.hidden.add(file),
            },
        }
    }

    fn rows(&self, indent: &str, brush: &Brush<'_>, rows: &mut Vec<Row>) {
        let mut children: Vec<(&str, Child<'_, 'a>)> = Vec::new();
        children.extend(self.folders.iter().map(|(name, folder)| (*name, Child::Folder(folder))));
        for (name, files) in &self.files {
            children.extend(files.iter().map(|file| (*name, Child::File(file))));
        }
        children.sort_by_key(|&(name, _)| name);
        if self.hidden.files > 0 {
            children.push(("", Child::Hidden(&self.hidden)));
        }
        let count = children.len();
        for (index, (name, child)) in children.into_iter().enumerate() {
            let (branch, below) = match (index + 1 == count, brush.ascii) {
                (false, false) => ("├── ", "│   "),
                (true, false) => ("└── ", "    "),
                (false, true) => ("|-- ", "|   "),
                (true, true) => ("`-- ", "    "),
            };
            let lead = format!("{indent}{branch}");
            match child {
                Child::Hidden(hidden) => rows.push(hidden.row(lead, brush.ascii)),
                Child::File(file) => rows.push(Row::of(lead, name, file, brush)),
                Child::Folder(folder) => {
                    let (name, folder) = folder.joined(name);
                    rows.push(Row { lead, name, ..Row::default() });
                    folder.rows(&format!("{indent}{below}"), brush, rows);
                }
            }
        }
    }

    /// The name of the folder, with that of its only child as long as this is a folder.
    fn joined<'s>(&'s self, name: &str) -> (String, &'s Self) {
        let mut name = with_slash(name);
        let mut folder = self;
        while folder.files.is_empty() && folder.hidden.files == 0 && folder.folders.len() == 1 {
            let Some((next, child)) = folder.folders.first_key_value() else { break };
            name.push_str(&with_slash(next));
            folder = child;
        }
        (name, folder)
    }
}

/// What is the same for every line of one tree.
struct Brush<'a> {
    ascii: bool,
    held: &'a BTreeSet<(&'a str, &'a OutputPath)>,
}

enum Child<'s, 'a> {
    Folder(&'s Folder<'a>),
    File(&'a FileReport),
    Hidden(&'s Hidden),
}

impl Hidden {
    fn add(&mut self, file: &FileReport) {
        let lines = if self.files == 0 { Some(0) } else { self.lines };
        self.lines = lines.zip(file.lines).map(|(sum, more)| sum.saturating_add(more));
        self.files += 1;
    }

    fn row(&self, lead: String, ascii: bool) -> Row {
        let dots = if ascii { "..." } else { "…" };
        Row { lead, name: format!("{dots} {}", count(self.files, "more file")), lines: self.lines, ..Row::default() }
    }
}

/// One line of the tree.
#[derive(Default)]
struct Row {
    lead: String,
    name: String,
    status: Option<Status>,
    lines: Option<u64>,
}

impl Row {
    fn of(lead: String, name: &str, file: &FileReport, brush: &Brush<'_>) -> Self {
        let status =
            if brush.held.contains(&(file.team.as_str(), &file.path)) { Some(HELD) } else { file.change.map(status) };
        Self { lead, name: clean(name).into_owned(), status, lines: file.lines }
    }

    fn width(&self) -> usize {
        self.lead.chars().count() + self.name.chars().count()
    }
}

/// Names are padded to the longest, but a few very long ones do not push the others aside.
const WIDEST_NAME: usize = 72;

fn draw(rows: &[Row], colour: bool) -> String {
    let name_width = rows.iter().map(Row::width).filter(|&width| width <= WIDEST_NAME).max().unwrap_or(0);
    let words = rows.iter().filter_map(|row| row.status).map(|(word, _)| word.len());
    let status_width = words.max().unwrap_or(0);
    let lines_width = rows.iter().filter_map(|row| row.lines).map(|lines| number(lines).len()).max().unwrap_or(0);
    let mut out = String::new();
    for row in rows {
        let blanks = " ".repeat(name_width.saturating_sub(row.width()));
        let (word, style) = row.status.unwrap_or(("", DIM));
        let name = if row.name.ends_with('/') { paint(colour, BOLD, &row.name) } else { row.name.clone() };
        let mut line = format!("{}{name}", paint(colour, DIM, &row.lead));
        if row.status.is_some() || row.lines.is_some() {
            let lines = row.lines.map_or_else(String::new, number);
            let padded = paint(colour, style, &pad(word, status_width, Side::Left));
            line.extend([&blanks, "  ", &padded, "  ", &pad(&lines, lines_width, Side::Right)]);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The word for what happens to a file, and how it is painted.
type Status = (&'static str, Style);

/// What happens to a file whose team is held: nothing.
const HELD: Status = ("# held", ALARM);

fn status(change: Change) -> Status {
    match change {
        Change::Create => ("+ create", GREEN),
        Change::Update => ("~ update", YELLOW),
        Change::Unchanged => ("= unchanged", DIM),
        Change::Delete => ("- delete", RED),
        Change::Kept => ("% keep", YELLOW),
        Change::Replaced => ("* replace", YELLOW),
        Change::Merged => ("& merge", YELLOW),
        Change::Marked => ("! marked", ALARM),
        Change::Edited => ("= edited", DIM),
        Change::Conflict => ("! conflict", ALARM),
        Change::Orphan => ("? left", YELLOW),
        Change::Once => (". exists", DIM),
        Change::Detached => (". detached", DIM),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
