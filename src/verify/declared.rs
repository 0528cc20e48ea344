//! The numbers that a mega-file declares about itself, against those of its files. Looks at facts only, never at a body.

use globset::Glob;

use super::Outputs;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::MegaFile;
use crate::output::Facts;
use crate::plan::PlannedFile;
use crate::span::Span;

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
    let finding = Diagnostic::new(Code::LineCount, message).at(span).help(format!("write `{key}: {lines}`"));
    Some(if min == max { finding.fix(span, lines.to_string()) } else { finding })
}

fn are(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun} is") } else { format!("{count} {noun}s are") }
}
