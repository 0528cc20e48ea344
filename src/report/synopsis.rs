//! A report of bounded length, for a reader who pays for every character: findings in groups of one code (what is said of
//! neighbours in groups of one message), the most useful first, the rest counted. JSON (schema:
//! `schemas/synopsis.schema.json`) or text, always below [`MOST_BYTES`], whatever was found.
//!
//! It says less as there is more to say: excerpts, places and words get shorter, then the last groups are counted only. It
//! must never leave out how the run ended or how many findings there are, and must never cut a fix: one that does not
//! fit is not given.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::{clean, clean_json};
use super::context::{self, Trees};
use super::facts::{Command, Outcome, Report};
use super::json::{FixWire, fix, left_out, place, schema_of, words};
use super::words::{count, number};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::span::SourceMap;

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// Both forms are shorter than so many bytes, their last line break included.
pub const MOST_BYTES: usize = 2_000;

/// How to see what is left out.
const ALL: &str = "the same command without --brief; `megax explain CODE` says more of one code";

/// How much is said of each group. Numbers are characters.
#[derive(Debug, Clone, Copy)]
struct Detail {
    message: usize,
    help: usize,
    excerpt: usize,
    keys: usize,
    places: usize,
    place: usize,
    fixes: bool,
}

/// From much to little.
const DETAILS: [Detail; 6] = [
    Detail { message: 300, help: 300, excerpt: 320, keys: 120, places: 4, place: 120, fixes: true },
    Detail { message: 180, help: 200, excerpt: 160, keys: 80, places: 3, place: 100, fixes: true },
    Detail { message: 120, help: 120, excerpt: 90, keys: 60, places: 2, place: 80, fixes: true },
    Detail { message: 100, help: 90, excerpt: 0, keys: 0, places: 1, place: 60, fixes: true },
    Detail { message: 90, help: 90, excerpt: 0, keys: 0, places: 1, place: 60, fixes: false },
    Detail { message: 50, help: 0, excerpt: 0, keys: 0, places: 1, place: 30, fixes: false },
];

/// Of the last level with fixes at least so many groups are told, or all; to say more of them one has to say less of each.
const ENOUGH: usize = 5;

/// More groups than this are never tried.
const MOST_GROUPS: usize = 24;

/// The JSON document, on one line, with a line break at its end.
///
/// # Errors
/// None in practice; the serializer's error is handed on.
pub fn document(report: &Report) -> Result<String, serde_json::Error> {
    let groups = groups(report);
    fitting(&groups, |shown, detail| {
        let text = serde_json::to_string(&Document::of(report, &groups, shown, detail))? + "\n";
        // As the command prints it: hidden characters become escapes.
        Ok(clean_json(&text).into_owned())
    })
}

/// The same for people, and for models that read text.
#[must_use]
pub fn text(report: &Report) -> String {
    let groups = groups(report);
    let form = |shown, detail| Ok::<_, std::convert::Infallible>(Document::of(report, &groups, shown, detail).text());
    match fitting(&groups, form) {
        Ok(text) => text,
        Err(never) => match never {},
    }
}

/// The JSON Schema (draft 2020-12) of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document<'_>>("megax synopsis")
}

/// The fullest form that is short enough.
fn fitting<E>(groups: &[Group<'_>], form: impl Fn(usize, Detail) -> Result<String, E>) -> Result<String, E> {
    let all = groups.len().min(MOST_GROUPS);
    let [full, middle, short, mends, bare, least] = DETAILS;
    let fewer = |least_groups: usize, detail| (least_groups.min(all)..=all).rev().map(move |shown| (shown, detail));
    let levels = [(all, full), (all, middle), (all, short)].into_iter();
    let rest = fewer(ENOUGH, mends).chain(fewer(1, bare)).chain(fewer(1, least));
    for (shown, detail) in levels.chain(rest) {
        let text = form(shown, detail)?;
        if text.len() < MOST_BYTES {
            return Ok(text);
        }
    }
    form(0, least)
}

/// What a run found, in groups.
#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The command that ran.
    #[schemars(extend("enum" = words(Command::ALL, Command::as_str)))]
    command: &'static str,
    /// How the run ended; it decides the exit code.
    #[schemars(extend("enum" = words(Outcome::ALL, Outcome::as_str)))]
    outcome: &'static str,
    /// Selected mega-files.
    mega_files: u64,
    /// Planned files; null if not known.
    files: Option<u64>,
    /// Their lines; null if not known.
    lines: Option<u64>,
    /// How many errors were found.
    errors: u64,
    /// How many warnings were found.
    warnings: u64,
    /// How many notes were found.
    notes: u64,
    /// The findings, one entry for each code (of MX507: for each message), in the order in which to mend them.
    diagnostics: Vec<GroupWire<'a>>,
    /// Codes that are not among `diagnostics`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    codes_left_out: Option<usize>,
    /// Findings that were not even counted, because of the limit `findings_shown`; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
    /// How to see all.
    all: &'static str,
}

/// All findings of one code. Texts may be cut; `…` stands where they are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Group")]
struct GroupWire<'a> {
    /// The stable code.
    code: &'static str,
    /// Its weight.
    #[schemars(extend("enum" = ["error", "warning", "note"]))]
    severity: &'static str,
    /// How many findings have it.
    count: u64,
    /// What is wrong, in the words of one of them.
    message: String,
    /// Where: `file:line`, first the one that the other fields are about.
    places: Vec<String>,
    /// The keys that lead there.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<String>,
    /// The lines there.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// A change that mends that one for certain, never cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixWire<'a>>,
}

/// The findings of one code and weight.
struct Group<'a> {
    code: Code,
    severity: Severity,
    count: u64,
    /// The one that is told: one with a fix rather than one without, the shortest message among these.
    told: &'a Diagnostic,
    /// The places, that of the told one first.
    places: Vec<String>,
    keys: Option<String>,
    excerpt: Option<String>,
}

/// Errors before warnings, and what causes other findings before what follows from it.
fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut by_code: BTreeMap<(Severity, u8, Code, &str), Vec<&Diagnostic>> = BTreeMap::new();
    for finding in &report.diagnostics {
        // What is said of a neighbour names its mega-file: for another one it would be wrong.
        let apart = if finding.code == Code::NeighbourUnreadable { finding.message.as_str() } else { "" };
        by_code.entry((finding.severity, stage(finding.code), finding.code, apart)).or_default().push(finding);
    }
    let mut trees = Trees::new(&report.sources);
    let groups = by_code.into_iter();
    groups
        .filter_map(|((severity, _, code, _), found)| group(code, severity, &found, &report.sources, &mut trees))
        .collect()
}

fn group<'a>(
    code: Code,
    severity: Severity,
    findings: &[&'a Diagnostic],
    sources: &SourceMap,
    trees: &mut Trees<'_>,
) -> Option<Group<'a>> {
    let told = findings.iter().copied().min_by_key(|one| (one.fix.is_none(), one.message.chars().count()))?;
    let most = DETAILS.iter().map(|detail| detail.places).max().unwrap_or(0);
    let mut places: Vec<String> = where_it_is(told, sources).into_iter().collect();
    for finding in findings {
        if places.len() >= most {
            break;
        }
        places.extend(where_it_is(finding, sources).filter(|place| !places.contains(place)));
    }
    let (count, excerpt) = (findings.len() as u64, told.span.and_then(|at| context::lines(sources, at)));
    Some(Group { code, severity, count, told, places, keys: trees.keys(told), excerpt })
}

/// How early a code is found: the text, the manifest, the form, the meaning, and so on. What is found early causes what
/// is found late.
fn stage(code: Code) -> u8 {
    match code.id().as_bytes().get(2) {
        Some(b'1') => 0,
        // The manifest is read before the mega-files.
        Some(b'6') => 1,
        Some(digit) => digit.saturating_sub(b'0'),
        None => u8::MAX,
    }
}

fn where_it_is(finding: &Diagnostic, sources: &SourceMap) -> Option<String> {
    match finding.span.and_then(|span| place(span, sources)) {
        Some(place) => Some(format!("{}:{}", place.file, place.line)),
        None => finding.subject.clone(),
    }
}

impl<'a> Document<'a> {
    fn of(report: &'a Report, groups: &[Group<'a>], shown: usize, detail: Detail) -> Self {
        let amount = |severity| groups.iter().filter(|one| one.severity == severity).map(|one| one.count).sum();
        let counts = report.summary.counts;
        let shown: Vec<GroupWire<'a>> =
            groups.iter().take(shown).map(|group| GroupWire::of(group, &report.sources, detail)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            command: report.command.as_str(),
            outcome: report.outcome.as_str(),
            mega_files: report.summary.mega_files,
            files: counts.files,
            lines: counts.lines,
            errors: amount(Severity::Error),
            warnings: amount(Severity::Warning),
            notes: amount(Severity::Note),
            codes_left_out: Some(groups.len() - shown.len()).filter(|&more| more > 0),
            diagnostics: shown,
            findings_left_out: left_out(&report.diagnostics),
            all: ALL,
        }
    }

    fn text(&self) -> String {
        let mut out = format!("{}: {}", self.command, self.outcome);
        for (amount, word) in [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")] {
            if amount > 0 {
                let _ = write!(out, ", {}", count(amount, word));
            }
        }
        let _ = write!(out, ", {}", count(self.mega_files, "mega-file"));
        if let (Some(files), Some(lines)) = (self.files, self.lines) {
            let _ = write!(out, ", {}, {}", count(files, "file"), count(lines, "line"));
        }
        out.push('\n');
        for group in &self.diagnostics {
            group.push_text(&mut out);
        }
        let left_out = (self.codes_left_out.unwrap_or(0), self.findings_left_out.unwrap_or(0));
        if left_out.0 > 0 {
            let _ = writeln!(out, "and {}", count(left_out.0 as u64, "more code"));
        }
        if left_out.1 > 0 {
            let _ = writeln!(out, "and {} that were not counted", count(left_out.1, "finding"));
        }
        if !self.diagnostics.is_empty() || left_out.0 > 0 {
            let _ = writeln!(out, "all findings: {ALL}");
        }
        out
    }
}

impl<'a> GroupWire<'a> {
    fn of(group: &Group<'a>, sources: &'a SourceMap, detail: Detail) -> Self {
        let is_tight = detail.excerpt == 0;
        let fix = group.told.fix.as_ref().filter(|_| detail.fixes).and_then(|one| fix(one, sources));
        let longest = detail.message;
        let fits = |fix: &FixWire<'_>| fix.replacement.chars().count() <= longest && fix.file.len() <= longest;
        let fix = fix.filter(fits);
        let short = |text: &str, most: usize| (most > 0).then(|| head(text, most));
        Self {
            code: group.code.id(),
            severity: group.severity.as_str(),
            count: group.count,
            message: head(&group.told.message, detail.message),
            places: group.places.iter().take(detail.places).map(|place| tail(place, detail.place)).collect(),
            keys: group.keys.as_deref().and_then(|keys| (detail.keys > 0).then(|| tail(keys, detail.keys))),
            excerpt: group.excerpt.as_deref().and_then(|text| short(text, detail.excerpt)),
            // A fix says what to do.
            help: group
                .told
                .help
                .as_deref()
                .filter(|_| !(is_tight && fix.is_some()))
                .and_then(|text| short(text, detail.help)),
            fix,
        }
    }

    fn push_text(&self, out: &mut String) {
        let times = if self.count > 1 { format!(" ({} times)", number(self.count)) } else { String::new() };
        let _ = writeln!(out, "{} {}{times}: {}", self.severity, self.code, clean(&self.message));
        let mut places = self.places.iter().map(|place| clean(place).into_owned());
        if let Some(first) = places.next() {
            let keys = self.keys.as_deref().map_or_else(String::new, |keys| format!(" ({})", clean(keys)));
            let more: String = places.map(|place| format!(", {place}")).collect();
            let _ = writeln!(out, "  at {first}{keys}{more}");
        }
        for line in self.excerpt.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(out, "  | {}", clean(&line.replace('\t', "    ")));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "  help: {}", clean(help));
        }
        if let Some(FixWire { line, column, end_line, end_column, replacement, .. }) = &self.fix {
            let text = clean(&format!("{replacement:?}")).into_owned();
            let _ = writeln!(out, "  fix: replace {line}:{column} to {end_line}:{end_column} by {text}");
        }
    }
}

/// The first characters of a text.
fn head(text: &str, most: usize) -> String {
    let mut rest = text.chars();
    let mut short: String = rest.by_ref().take(most).collect();
    if rest.next().is_some() {
        short.push('…');
    }
    short
}

/// The last characters of a text: of a path, and of keys, the end says most.
fn tail(text: &str, most: usize) -> String {
    let skipped = text.chars().count().saturating_sub(most);
    if skipped == 0 {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(skipped)).collect()
}

#[cfg(test)]
#[path = "synopsis_tests.rs"]
mod tests;
