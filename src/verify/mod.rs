//! Findings over what was rendered: the numbers that a mega-file declares about itself, and what the manifest expects of
//! teams and of the artefacts between them.
//!
//! Looks at facts only; it never sees a body and touches nothing.

pub mod goals;
pub mod points;

use globset::Glob;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::MegaFile;
use crate::output::Facts;
use crate::path::OutputPath;

/// What was rendered for one mega-file, whole.
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    /// Its files with their facts.
    pub files: Vec<(&'a OutputPath, Facts)>,
}

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
        let wanted = declared.trim_start_matches('/');
        let glob = Glob::new(wanted).ok().map(|glob| glob.compile_matcher());
        let found = outputs
            .files
            .iter()
            .any(|(path, _)| path.as_str() == wanted || glob.as_ref().is_some_and(|glob| glob.is_match(path.as_str())));
        if !found {
            let message = format!("`targetFiles` names `{declared}`, but no such file is generated");
            findings.push(
                Diagnostic::new(Code::FileCount, message).at(*span).help("add a rule for it, or remove the entry"),
            );
        }
    }
    if let Some((min, max, span)) = mega.expectations.lines
        && !(min..=max).contains(&lines)
    {
        let declared = match (min, max) {
            (min, max) if min == max => min.to_string(),
            (min, u64::MAX) => format!("at least {min}"),
            (min, max) => format!("{min} to {max}"),
        };
        let message = format!("`totalLines` says {declared}, but {} generated", are(lines, "line"));
        let mut finding =
            Diagnostic::new(Code::LineCount, message).at(span).help(format!("write `totalLines: {lines}`"));
        if min == max {
            finding = finding.fix(span, lines.to_string());
        }
        findings.push(finding);
    }
    findings.into_iter().map(|finding| finding.team(mega.team.clone())).collect()
}

fn are(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun} is") } else { format!("{count} {noun}s are") }
}
