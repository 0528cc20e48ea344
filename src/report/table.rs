//! Columns of text. Must never cut a cell; cells come cleaned.

use super::paint::{BOLD, paint};

/// Which side a column's cells stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A heading and rows under it; every row has one cell per column, and ends in a line break. No rows: no table.
pub(super) fn table(columns: &[(&str, Side)], rows: &[Vec<String>], colour: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width_of = |index: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(heading.chars().count())
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(index, (heading, _))| width_of(index, heading)).collect();
    let headings: Vec<String> = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> =
            cells.iter().zip(columns).zip(&widths).map(|((cell, (_, side)), width)| pad(cell, *width, *side)).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = paint(colour, BOLD, &line(&headings));
    out.push('\n');
    for row in rows {
        out.push_str(&line(row));
        out.push('\n');
    }
    out
}

/// `cell` padded with blanks to `width` characters.
pub(super) fn pad(cell: &str, width: usize, side: Side) -> String {
    let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
    match side {
        Side::Left => format!("{cell}{blanks}"),
        Side::Right => format!("{blanks}{cell}"),
    }
}
