//! Makes findings of failed tests: at the check, with the files that fail and what makes them.

use std::fmt::Write as _;

use super::Outputs;
use super::look::{Check, Miss};
use super::syntax::Language;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{FileTest, MegaFile};
use crate::path::OutputPath;
use crate::plan::{self, PlannedFile};
use crate::span::Span;

/// So many files are named in a message.
const NAMED: usize = 3;
/// So many files that do not parse have a finding of their own.
const OWN: usize = 5;

/// Finds the place in a mega-file that makes a line of a generated file.
pub type SourceLine<'f> = dyn Fn(&OutputPath, u64) -> Option<Span> + 'f;

/// Findings of the tests of one mega-file. `misses` are those of this mega-file, sorted; `whole` says that all its files
/// are in `outputs`, so that they can be counted; `source_line` finds the line of the mega-file that makes a line of a
/// generated file.
#[must_use]
pub fn judge(
    mega: &MegaFile,
    outputs: &Outputs<'_>,
    misses: &[Miss],
    whole: bool,
    source_line: &SourceLine<'_>,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (number, test) in mega.tests.iter().enumerate() {
        let selected: Vec<&PlannedFile> = outputs
            .files
            .iter()
            .map(|(file, _)| *file)
            .filter(|file| test.files.0.matches(file.path.as_str()))
            .collect();
        if whole {
            findings.extend(count(test, &selected, outputs));
        }
        findings.extend(not_parsed(test, &selected));
        let own = misses.iter().filter(|miss| miss.test == number);
        let own: Vec<&Miss> = own.collect();
        for group in own.chunk_by(|a, b| a.check == b.check) {
            match group.first().map(|miss| miss.check) {
                Some(Check::Parses) => findings.extend(parses(test, group, source_line)),
                Some(check) => findings.push(content(test, check, group, source_line)),
                None => {}
            }
        }
    }
    findings.into_iter().map(|finding| finding.team(mega.team.clone())).collect()
}

/// How many files a test selects.
fn count(test: &FileTest, selected: &[&PlannedFile], outputs: &Outputs<'_>) -> Option<Diagnostic> {
    let (pattern, place) = &test.files;
    let found = selected.len() as u64;
    if found == 0 {
        // `count: 0`, or a range from 0, says that none is fine.
        if test.count.is_some_and(|(min, ..)| min == 0) {
            return None;
        }
        let planned = outputs.files.iter().map(|(file, _)| file.path.as_str());
        let message = format!("`{}` matches no file that this mega-file generates", pattern.written());
        return Some(Diagnostic::new(Code::TestFailed, message).at(*place).help(plan::near(pattern, &planned)));
    }
    let (min, max, span) = test.count?;
    if (min..=max).contains(&found) {
        return None;
    }
    let wanted = match (min, max) {
        (min, max) if min == max => min.to_string(),
        (min, u64::MAX) => format!("at least {min}"),
        (0, max) => format!("at most {max}"),
        (min, max) => format!("{min} to {max}"),
    };
    let (files, verb) = if found == 1 { ("file", "matches") } else { ("files", "match") };
    let paths: Vec<&OutputPath> = selected.iter().map(|file| &file.path).collect();
    let message = format!("{found} {files} {verb} `{}`, but `count` says {wanted}", pattern.written());
    let finding =
        Diagnostic::new(Code::TestFailed, message).at(span).help(format!("the test selects {}", names(&paths)));
    Some(origins(finding, selected.iter().map(|file| (&file.path, file.origin))))
}

/// A check of the content that does not hold for some files.
fn content(test: &FileTest, check: Check, group: &[&Miss], source_line: &SourceLine<'_>) -> Diagnostic {
    let one = group.len() == 1;
    let text = |list: &[(String, Span)], number: usize| list.get(number).map(|(text, span)| (shown(text), *span));
    let nothing = (String::new(), test.span);
    let (what, span) = match check {
        Check::Contains(number) => {
            let (text, span) = text(&test.contains, number).unwrap_or(nothing);
            (format!("{} not contain {text}", if one { "does" } else { "do" }), span)
        }
        Check::NotContains(number) => {
            let (text, span) = text(&test.not_contains, number).unwrap_or(nothing);
            (format!("{} {text}, which `not_contains` forbids", if one { "contains" } else { "contain" }), span)
        }
        Check::Matches(number) => {
            let regex = test.matches.get(number).map(|(regex, span)| (shown(regex.as_str()), *span));
            let (text, span) = regex.unwrap_or(nothing);
            (format!("{} not match {text}", if one { "does" } else { "do" }), span)
        }
        Check::MinLines => {
            let (least, span) = test.min_lines.unwrap_or((0, test.span));
            (format!("{} fewer than {least} lines", if one { "has" } else { "have" }), span)
        }
        Check::MaxLines => {
            let (most, span) = test.max_lines.unwrap_or((0, test.span));
            (format!("{} more than {most} lines", if one { "has" } else { "have" }), span)
        }
        Check::Parses => ("does not parse".to_owned(), test.parses.unwrap_or(test.span)),
    };
    let finding = Diagnostic::new(Code::TestFailed, format!("{} {what}", named(group))).at(span);
    let help = match (check, group.first()) {
        (Check::Contains(_), Some(miss)) if !miss.about.is_empty() => miss.about.clone(),
        (Check::NotContains(_), Some(miss)) => format!("the line is `{}`", miss.line),
        (Check::Matches(_), _) => "`^` and `$` match at every line; `.` does not match a line break".to_owned(),
        _ => "correct the template, or the test".to_owned(),
    };
    let mut finding = finding.help(help);
    if let Some(miss) = group.first()
        && let Some(template) = miss.at.and_then(|(line, _)| source_line(&miss.path, line))
        && template != miss.origin
    {
        finding = finding.related(template, format!("this line of `{}` comes from here", miss.path));
    }
    origins(finding, group.iter().map(|miss| (&miss.path, miss.origin)))
}

/// The files of a group with line or number of lines, the first few by name.
fn named(group: &[&Miss]) -> String {
    let words: Vec<String> = group
        .iter()
        .take(NAMED)
        .map(|miss| match (miss.at, miss.check) {
            (Some((line, _)), _) => format!("`{}` (line {line})", miss.path),
            (None, Check::MinLines | Check::MaxLines) => format!("`{}` ({})", miss.path, miss.about),
            _ => format!("`{}`", miss.path),
        })
        .collect();
    joined(words, group.len())
}

fn names(paths: &[&OutputPath]) -> String {
    joined(paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect(), paths.len())
}

/// `a, b and c`, or `a, b, c and 4 more`.
fn joined(mut words: Vec<String>, all: usize) -> String {
    let last = if all > words.len() { Some(format!("{} more", all - words.len())) } else { words.pop() };
    match (words.is_empty(), last) {
        (true, last) => last.unwrap_or_default(),
        (false, last) => format!("{} and {}", words.join(", "), last.unwrap_or_default()),
    }
}

/// Adds the lines that ask for the named files, each once.
fn origins<'p>(mut finding: Diagnostic, files: impl Iterator<Item = (&'p OutputPath, Span)>) -> Diagnostic {
    let mut seen = Vec::new();
    for (path, origin) in files.take(NAMED) {
        if !seen.contains(&origin) {
            seen.push(origin);
            finding = finding.related(origin, format!("`{path}` is made here"));
        }
    }
    finding
}

/// Files that do not parse.
fn parses(test: &FileTest, group: &[&Miss], source_line: &SourceLine<'_>) -> Vec<Diagnostic> {
    let place = test.parses.unwrap_or(test.span);
    let mut findings: Vec<Diagnostic> = Vec::new();
    for miss in group.iter().take(OWN) {
        let language = Language::of(miss.path.as_str()).map_or("text", Language::name);
        let mut message = format!("`{}` is not valid {language}: {}", miss.path, miss.about);
        if let Some((line, column)) = miss.at {
            let _ = write!(message, " at line {line}, column {column}");
        }
        let template = miss.at.and_then(|(line, _)| source_line(&miss.path, line));
        let mut finding = Diagnostic::new(Code::OutputSyntax, message).at(template.unwrap_or(miss.origin));
        if let Some((line, _)) = miss.at {
            finding = finding.help(if miss.line.is_empty() {
                format!("line {line} of the generated file is empty, or past its end")
            } else {
                format!("line {line} of the generated file is `{}`", miss.line)
            });
        }
        if template.is_some_and(|template| template != miss.origin) {
            finding = finding.related(miss.origin, format!("`{}` is made here", miss.path));
        }
        findings.push(finding.related(place, "the test asks for it"));
    }
    if let Some(rest) = group.get(OWN..).filter(|rest| !rest.is_empty()) {
        let verb = if rest.len() == 1 { "does" } else { "do" };
        let paths: Vec<&OutputPath> = rest.iter().map(|miss| &miss.path).collect();
        let message = format!("{} {verb} not parse either", names(&paths));
        findings
            .push(Diagnostic::new(Code::OutputSyntax, message).at(place).help("correct the first ones and run again"));
    }
    findings
}

/// Says which files a `parses` test leaves unchecked.
fn not_parsed(test: &FileTest, selected: &[&PlannedFile]) -> Option<Diagnostic> {
    let place = test.parses?;
    let others = selected.iter().map(|file| &file.path).filter(|path| Language::of(path.as_str()).is_none());
    let others: Vec<&OutputPath> = others.collect();
    if others.is_empty() {
        return None;
    }
    let verb = if others.len() == 1 { "is" } else { "are" };
    let message = format!("{} {verb} not parsed: this version parses JSON, YAML and TOML", names(&others));
    let help = "run the project's own compiler or linter on them";
    Some(Diagnostic::new(Code::NotParsed, message).at(place).help(help))
}

/// A text in a message: its first line, shortened.
fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    if short.len() < text.len() { format!("`{short}...`") } else { format!("`{short}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_named_by_the_first_few() {
        let words = |count: usize| (0..count.min(NAMED)).map(|number| number.to_string()).collect();
        for (count, expected) in [(1, "0"), (2, "0 and 1"), (3, "0, 1 and 2"), (5, "0, 1, 2 and 2 more")] {
            assert_eq!(joined(words(count), count), expected);
        }
        assert_eq!(shown("a\nb"), "`a...`");
    }
}
