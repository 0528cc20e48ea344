//! What a team can make and what is expected of it. Nothing is compared here.

use super::Team;
use super::amount::{self, Amount};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::wire::manifest::{MegaFilesWire, TeamWire};
use crate::model::wire::shape::AmountWire;
use crate::name::id_key;
use crate::source::decode::Raw;
use crate::source::{Kind, Tree};
use crate::span::Span;

/// The most that a team can make.
#[derive(Debug, Default)]
pub struct Capabilities {
    /// Files.
    pub files: Option<Amount>,
    /// Lines.
    pub lines: Option<Amount>,
}

/// What is expected of a team.
#[derive(Debug, Default)]
pub struct Goals {
    /// The mega-files that it is to write, by id or file name.
    pub mega_files: Vec<(String, Span)>,
    /// How many mega-files it is to write; where they are named, as many as that.
    pub count: Option<(u64, Span)>,
    /// How many files.
    pub files: Option<Amount>,
    /// How many lines.
    pub lines: Option<Amount>,
    /// How much of the code tests are to cover, as written.
    pub test_coverage: Option<String>,
}

/// A mega-file that is there, valid or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its team, as far as it can be told.
    pub team: Option<String>,
    /// Its id, as far as it can be told.
    pub id: Option<String>,
    /// Its file, relative to the project root.
    pub file: String,
}

/// A mega-file that a team is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deliverable<'t> {
    /// Its id or file name, as the manifest has it.
    pub name: &'t str,
    /// Where it is named.
    pub span: Span,
    /// Whether it is there.
    pub present: bool,
}

/// How far a team is with its mega-files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'t> {
    /// How many of the wanted ones are there.
    pub present: u64,
    /// How many are wanted.
    pub wanted: u64,
    /// Where the manifest says so.
    pub span: Span,
    /// The wanted ones by name; empty if the manifest gives a number only.
    pub deliverables: Vec<Deliverable<'t>>,
}

impl Team {
    /// How far the team is with its mega-files; `None` if the manifest does not say what is wanted.
    #[must_use]
    pub fn progress(&self, there: &[Present]) -> Option<Progress<'_>> {
        let (wanted, span) = self.goals.count?;
        let own: Vec<&Present> =
            there.iter().filter(|one| one.team.as_ref().is_none_or(|team| *team == self.name)).collect();
        let deliverables: Vec<Deliverable<'_>> = self
            .goals
            .mega_files
            .iter()
            .map(|(name, span)| Deliverable { name, span: *span, present: own.iter().any(|one| is_named(one, name)) })
            .collect();
        let present = if deliverables.is_empty() {
            own.len().min(usize::try_from(wanted).unwrap_or(usize::MAX))
        } else {
            deliverables.iter().filter(|one| one.present).count()
        };
        Some(Progress { present: present as u64, wanted, span, deliverables })
    }
}

/// Whether a deliverable's name (id, file name or path, with or without extension) means a mega-file.
fn is_named(there: &Present, name: &str) -> bool {
    let id = there.id.as_ref().is_some_and(|id| id_key(id) == id_key(name.trim()));
    id || stem(name) == stem(&there.file)
}

/// The last name of a path without `.yaml` or `.yml`, for comparing.
fn stem(path: &str) -> String {
    let name = path.trim().rsplit('/').next().unwrap_or(path);
    let folded = id_key(name);
    let stem = folded.strip_suffix(".yaml").or_else(|| folded.strip_suffix(".yml"));
    stem.map_or_else(|| folded.clone(), str::to_owned)
}

/// What a team can make.
pub(super) fn capabilities(tree: &Tree, team: &TeamWire, findings: &mut Diagnostics) -> Capabilities {
    let wire = team.capabilities.as_ref().map(|capabilities| &capabilities.value);
    let mut read = |amount: Option<&AmountWire>| amount::read(tree, amount, findings);
    let files = read(wire.and_then(|wire| wire.max_files.as_ref()));
    let lines = read(wire.and_then(|wire| wire.max_loc.as_ref()));
    Capabilities { files, lines }
}

/// What is expected of a team: `deliverables`, and `lines_of_code` as the short form of its lines.
pub(super) fn goals(tree: &Tree, team: &TeamWire, findings: &mut Diagnostics) -> Goals {
    let wire = team.deliverables.as_ref().map(|deliverables| &deliverables.value);
    let output = wire.and_then(|wire| wire.expected_output.as_ref()).map(|output| &output.value);
    let files = amount::read(tree, output.and_then(|output| output.total_files.as_ref()), findings);
    let long = amount::read(tree, output.and_then(|output| output.total_loc.as_ref()), findings);
    let short = amount::read(tree, team.lines_of_code.as_ref(), findings);
    if let (Some(long), Some(short)) = (long, short)
        && (long.min, long.max) != (short.min, short.max)
    {
        let message = format!("`lines_of_code` says {short}, but `total_loc` says {long}");
        let finding = Diagnostic::new(Code::BadCombination, message).at(short.span);
        findings.push(finding.related(long.span, "the long form").help("they mean the same: remove one of the two"));
    }
    let mut goals = Goals { files, lines: long.or(short), ..Goals::default() };
    goals.test_coverage = output.and_then(|output| output.test_coverage.as_ref()).map(|amount| match amount {
        AmountWire::Number(number) => number.value.to_string(),
        AmountWire::Text(text) => text.value.trim().to_owned(),
        AmountWire::Range(range) => amount::as_text(&range.value),
    });
    match wire.and_then(|wire| wire.mega_files.as_ref()) {
        Some(MegaFilesWire::Count(count)) => goals.count = Some((count.value, tree.span(count.node))),
        Some(MegaFilesWire::List(list)) => {
            for &raw in &list.value {
                goals.mega_files.extend(deliverable(tree, raw, findings));
            }
            let key = team.deliverables.as_ref().and_then(|one| tree.entry(one.node, "mega_files"));
            let span = key.map_or_else(|| tree.span(list.node), |(key, _)| tree.span(key));
            goals.count = (!goals.mega_files.is_empty()).then_some((goals.mega_files.len() as u64, span));
        }
        None => {}
    }
    goals
}

/// One entry of `mega_files`: an id, a file name, or a mapping that holds either.
fn deliverable(tree: &Tree, Raw(node): Raw, findings: &mut Diagnostics) -> Option<(String, Span)> {
    let inner = ["id", "file", "path", "name"].iter().find_map(|key| tree.get(node, key)).unwrap_or(node);
    match tree.kind(inner) {
        Kind::Text(text, _) if !text.trim().is_empty() => Some((text.trim().to_owned(), tree.span(inner))),
        Kind::Int(number) => Some((number.to_string(), tree.span(inner))),
        other => {
            let message = format!("an entry of `mega_files` names a mega-file, but this is {}", other.word());
            let help = "write its id or its file name, or a mapping with `id`, `file` or `name`";
            findings.push(Diagnostic::new(Code::WrongType, message).at(tree.span(inner)).help(help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliverables_are_found_by_id_and_by_file_name() {
        let there = Present {
            team: Some("beta".into()),
            id: Some("Mega-API-001".into()),
            file: "megafiles/team-beta/api_core.yaml".into(),
        };
        for name in ["mega-api-001", "api_core", "api_core.yaml", "API_Core.yml", "megafiles/team-beta/api_core.yaml"] {
            assert!(is_named(&there, name), "{name}");
        }
        for name in ["mega-api-002", "api", "team-beta", "api_core.json", ""] {
            assert!(!is_named(&there, name), "{name}");
        }
    }
}
