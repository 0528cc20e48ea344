//! The numbers that a mega-file declares about itself, against those of its files. Looks at facts only, never at a body.
//!
//! A number is a goal: a fix that writes what is there instead would hide what is missing. One is offered for the number of
//! files alone, and [`without_hasty_fixes`] takes it back where anything else is found in the mega-file.

use globset::Glob;

use super::Outputs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::MegaFile;
use crate::output::Facts;
use crate::plan::PlannedFile;
use crate::span::{FileId, Span};

/// Compares what a mega-file declares with what it made. Differences are warnings.
#[must_use]
pub fn inspect(mega: &MegaFile, outputs: &Outputs<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let files = outputs.files.len() as u64;
    let lines: u64 = outputs.files.iter().map(|(_, facts)| facts.lines).sum();
    if let Some((declared, span)) = mega.expectations.files
        && declared != files
    {
        let message = format!("`targetFiles` says {declared}, but {} generated", are(files, "file"));
        let finding = Diagnostic::new(Code::FileCount, message).at(span).help(format!("write `targetFiles: {files}`"));
        findings.push(finding.fix(span, files.to_string()));
    }
    for (declared, span) in &mega.expectations.paths {
        if selected(outputs, declared).next().is_none() {
            let message = format!("`targetFiles` names `{declared}`, but no such file is generated");
            findings.push(
                Diagnostic::new(Code::FileCount, message).at(*span).help("add a rule for it, or remove the entry"),
            );
        }
    }
    for (declared, range) in &mega.expectations.file_lines {
        for (file, facts) in selected(outputs, declared) {
            let what = format!("`lines` of `{}`", file.path);
            findings.extend(line_count(&what, "lines", facts.lines, *range));
        }
    }
    findings.extend(mega.expectations.lines.and_then(|range| line_count("`totalLines`", "totalLines", lines, range)));
    findings.into_iter().map(|finding| finding.team(mega.team.clone())).collect()
}

/// Takes the fixes of goals back that are not met while anything else is found in the mega-file: that may be the cause.
pub fn without_hasty_fixes(found: &mut [Diagnostic], earlier: &Diagnostics) {
    let hasty: Vec<usize> = (0..found.len())
        .filter(|&at| {
            let of_goal = found[at].code == Code::FileCount && found[at].fix.is_some();
            let file = found[at].span.map(|span| span.file).filter(|_| of_goal);
            file.is_some_and(|file| earlier.iter().chain(&*found).filter(|one| is_about(one, file)).count() > 1)
        })
        .collect();
    for at in hasty {
        let goal = &mut found[at];
        goal.fix = None;
        let help = goal.help.take().unwrap_or_default();
        goal.help =
            Some(format!("mend what else is found in this mega-file first; {help} only if that is what is meant"));
    }
}

fn is_about(finding: &Diagnostic, file: FileId) -> bool {
    let related = finding.related.iter().filter_map(|one| one.span);
    finding.span.into_iter().chain(related).any(|span| span.file == file)
}

/// The files that an entry of `targetFiles` names: a path, or a glob.
fn selected<'a>(outputs: &'a Outputs<'_>, declared: &str) -> impl Iterator<Item = (&'a PlannedFile, &'a Facts)> {
    let wanted = declared.trim_start_matches('/').to_owned();
    let glob = Glob::new(&wanted).ok().map(|glob| glob.compile_matcher());
    outputs.files.iter().map(|(file, facts)| (*file, facts)).filter(move |(file, _)| {
        let path = file.path.as_str();
        path == wanted || glob.as_ref().is_some_and(|glob| glob.is_match(path))
    })
}

/// A finding if a number of lines is outside what is declared under `key`.
fn line_count(what: &str, key: &str, lines: u64, (min, max, span): (u64, u64, Span)) -> Option<Diagnostic> {
    if (min..=max).contains(&lines) {
        return None;
    }
    let declared = match (min, max) {
        (min, max) if min == max => min.to_string(),
        (min, u64::MAX) => format!("at least {min}"),
        (min, max) => format!("{min} to {max}"),
    };
    let message = format!("{what} says {declared}, but {} generated", are(lines, "line"));
    let help = format!("change what is made, or write `{key}: {lines}` if that is what is meant");
    Some(Diagnostic::new(Code::LineCount, message).at(span).help(help))
}

fn are(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun} is") } else { format!("{count} {noun}s are") }
}
