//! Pages of codes for a terminal. Must never read a page from anywhere but the register of codes.

use super::clean::clean_lines;
use super::paint::{BOLD, CYAN, DIM, paint};
use super::table::{Side, table};
use crate::diagnostic::Code;
use crate::limit::Limit;

/// The page of one code: headings bold and without `#`, examples indented and without fences. Ends in a line break.
#[must_use]
pub fn explain_code(code: Code, colour: bool) -> String {
    let mut out = String::new();
    let mut in_example = false;
    for line in clean_lines(code.page()).trim().lines() {
        let line = line.trim_end();
        if line.trim_start().starts_with("```") {
            in_example = !in_example;
            continue;
        }
        let shown = match heading(line).filter(|_| !in_example) {
            Some(heading) => paint(colour, BOLD, heading),
            None if in_example && !line.is_empty() => format!("    {}", paint(colour, CYAN, line)),
            None => line.to_owned(),
        };
        out.push_str(&shown);
        out.push('\n');
    }
    let weight = format!("({} unless a run changes it: {})", code.severity().as_str(), code.title());
    out.push('\n');
    out.push_str(&paint(colour, DIM, &weight));
    out.push('\n');
    out
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    (rest.len() < line.len()).then(|| rest.strip_prefix(' ')).flatten()
}

/// All codes, one table per stage. Ends in a line break.
#[must_use]
pub fn code_list(colour: bool) -> String {
    let stages = Code::ALL.chunk_by(|a, b| stage(*a) == stage(*b)).filter_map(|codes| {
        let rows: Vec<Vec<String>> = codes.iter().map(|code| row(*code)).collect();
        let columns = [("code", Side::Left), ("name", Side::Left), ("", Side::Left), ("meaning", Side::Left)];
        let title = stage_title(stage(*codes.first()?));
        Some(format!("{}\n\n{}", paint(colour, BOLD, title), table(&columns, &rows, colour)))
    });
    stages.collect::<Vec<_>>().join("\n")
}

/// Limits as a table, with how they are changed. Ends in a line break.
#[must_use]
pub fn limit_list(limits: &[Limit], colour: bool) -> String {
    let columns = [("limit", Side::Left), ("default", Side::Right), ("at most", Side::Right), ("bounds", Side::Left)];
    let row = |limit: &Limit| {
        vec![limit.name().to_owned(), limit.default().to_string(), limit.most().to_string(), limit.title().to_owned()]
    };
    let rows: Vec<Vec<String>> = limits.iter().map(row).collect();
    let how = "changed by `limits: {NAME: N}` in the manifest, or for one run by `--limit NAME=N`, which wins";
    format!("{}\n{}\n", table(&columns, &rows, colour), paint(colour, DIM, how))
}

fn row(code: Code) -> Vec<String> {
    [code.id(), code.name(), code.severity().as_str(), code.title()].map(str::to_owned).to_vec()
}

/// The digit of a code that names its stage.
fn stage(code: Code) -> u8 {
    code.id().as_bytes().get(2).copied().unwrap_or(b'0')
}

fn stage_title(stage: u8) -> &'static str {
    match stage {
        b'1' => "MX1: reading the files",
        b'2' => "MX2: the format of mega-files and the manifest",
        b'3' => "MX3: what a mega-file means",
        b'4' => "MX4: templates",
        b'5' => "MX5: paths and the plan",
        b'6' => "MX6: teams",
        b'7' => "MX7: what was generated against what was declared",
        b'8' => "MX8: the disk",
        b'9' => "MX9: snapshots and new projects",
        _ => "others",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_shown_without_markup_and_every_code_is_listed() {
        let list = code_list(false);
        for code in Code::ALL {
            let page = explain_code(*code, false);
            assert!(page.starts_with(&format!("{} {}\n", code.id(), code.name())), "{page}");
            assert!(!page.contains("```"), "{page}");
            assert!(list.contains(&format!("{}  {}", code.id(), code.name())), "{code} is not in the list");
        }
        assert!(!list.contains("others"), "every stage has a title");
    }

    #[test]
    fn every_limit_is_listed_with_its_numbers() {
        let list = limit_list(Limit::ALL, false);
        for limit in Limit::ALL {
            let line = list.lines().find(|line| line.split(' ').next() == Some(limit.name())).unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[1..3], [limit.default().to_string(), limit.most().to_string()], "{line}");
            assert!(line.ends_with(limit.title()), "{line}");
        }
        assert!(list.ends_with("which wins\n"));
    }

    #[test]
    fn headings_are_bold_and_shell_comments_in_examples_stay() {
        assert!(explain_code(Code::Collision, true).starts_with("\u{1b}[1mMX502 collision\u{1b}[0m\n"));
        assert_eq!(heading("## Example"), Some("Example"));
        assert_eq!(heading("#!/bin/sh"), None);
        assert_eq!(heading("text"), None);
    }
}
