//! From facts to text: the project's own template, else the default, compiled once and rendered per brief.
//!
//! A template sees the facts and nothing else. Its issues become findings at its own lines.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::facts::{OrchestratorFacts, TeamFacts};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::limit::Limits;
use crate::source::TEMPLATES;
use crate::span::{FileId, SourceFile, SourceMap, Span};
use crate::template::value::of_json;
use crate::template::{Base, Issue, Scope, Source, Syntax, Unit, Vocabulary, Word, bound_names, references};

/// Which brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a team.
    Team,
    /// Of the orchestrator.
    Orchestrator,
}

impl Kind {
    /// The template's path below the project's `templates/`.
    #[must_use]
    pub fn template(self) -> &'static str {
        match self {
            Self::Team => "brief/team.md",
            Self::Orchestrator => "brief/orchestrator.md",
        }
    }

    /// The default template.
    #[must_use]
    pub fn default_text(self) -> &'static str {
        match self {
            Self::Team => include_str!("assets/team.md"),
            Self::Orchestrator => include_str!("assets/orchestrator.md"),
        }
    }

    /// The names that its template sees.
    fn roots(self) -> Vec<String> {
        let facts = match self {
            Self::Team => serde_json::to_value(TeamFacts::default()),
            Self::Orchestrator => serde_json::to_value(OrchestratorFacts::default()),
        };
        let facts = facts.unwrap_or_default();
        facts.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    }
}

/// The shared templates of a project, as they were read.
pub type Texts = BTreeMap<String, Result<FileId, String>>;

/// The template of one kind of brief, ready to render.
#[derive(Debug)]
pub struct Rendered {
    kind: Kind,
    unit: Unit,
    words: Arc<Vocabulary>,
    /// Where the text of each template is.
    files: BTreeMap<String, FileId>,
}

/// Compiles the template of a kind of brief, and what it includes. The default joins the sources, so that a finding can
/// show it. Warnings come along.
///
/// # Errors
/// The template is wrong.
pub fn render(
    kind: Kind,
    texts: &Texts,
    sources: &mut SourceMap,
    limits: &Limits,
) -> Result<(Rendered, Diagnostics), Diagnostics> {
    let mut findings = Diagnostics::default();
    let mut words = Vocabulary::default();
    for root in kind.roots() {
        words.add(root, Word::Dotted);
    }
    let words = Arc::new(words);
    let files = reached(kind, texts, sources, &words, &mut findings);
    let mut unit = Unit::new(Arc::clone(&words), limits);
    let text_of = |file: &FileId| sources.get(*file).map_or("", SourceFile::text);
    let bound: BTreeSet<String> = files.values().flat_map(|file| bound_names(text_of(file))).collect();
    for (name, file) in &files {
        let also_bound = if files.len() > 1 { bound.clone() } else { BTreeSet::new() };
        let source = Source { shared: files.len() > 1, ..source_of(name, text_of(file), &also_bound) };
        let (_, issues) = unit.add(&source);
        findings.extend(issues.iter().map(|issue| located(*file, issue)));
    }
    if findings.has_errors() {
        return Err(findings);
    }
    Ok((Rendered { kind, unit, words, files }, findings))
}

/// The template and everything that it includes by name.
fn reached(
    kind: Kind,
    texts: &Texts,
    sources: &mut SourceMap,
    words: &Vocabulary,
    findings: &mut Diagnostics,
) -> BTreeMap<String, FileId> {
    let own = texts.get(kind.template());
    if let Some(Err(why)) = own {
        let message = format!("the template of briefs cannot be used: {why}");
        let finding = Diagnostic::new(Code::BadSharedTemplate, message).about(path(kind.template()));
        findings.push(finding.help("mend it, or remove it to get the default"));
        return BTreeMap::new();
    }
    let first = match own {
        Some(Ok(file)) => *file,
        _ => sources.add(SourceFile::new(format!("{} (the default)", path(kind.template())), kind.default_text())),
    };
    let mut files = BTreeMap::from([(kind.template().to_owned(), first)]);
    let mut queue = vec![(kind.template().to_owned(), first)];
    while let Some((name, file)) = queue.pop() {
        let none = BTreeSet::new();
        let source = source_of(&name, sources.get(file).map_or("", SourceFile::text), &none);
        for (reference, range) in references(&source, words) {
            match texts.get(&reference) {
                _ if files.contains_key(&reference) => {}
                Some(Ok(other)) => {
                    files.insert(reference.clone(), *other);
                    queue.push((reference, *other));
                }
                other => findings.push(not_included(&reference, other, texts, span(file, range))),
            }
        }
    }
    files
}

fn not_included(name: &str, found: Option<&Result<FileId, String>>, texts: &Texts, at: Span) -> Diagnostic {
    if let Some(Err(why)) = found {
        let message = format!("the shared template `{name}` cannot be used: {why}");
        return Diagnostic::new(Code::BadSharedTemplate, message).at(at).help("a shared template is UTF-8 text");
    }
    let finding = Diagnostic::new(Code::UnknownInclude, format!("there is no template `{name}`")).at(at);
    match nearest(name, texts.keys().map(String::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("a brief includes files below `{TEMPLATES}/` by their whole path there")),
    }
}

fn source_of<'t>(name: &'t str, text: &'t str, also_bound: &'t BTreeSet<String>) -> Source<'t> {
    let (literal, placeholders): (&[String], &[String]) = (&[], &[]);
    // A brief is written for megax alone: Jinja in it is never text for another tool. What it includes may be.
    let is_brief = [Kind::Team, Kind::Orchestrator].iter().any(|kind| kind.template() == name);
    let syntax = if is_brief { Syntax::Both } else { Syntax::Auto };
    let (is_path, shared, traced) = (false, false, None);
    Source { name, text, syntax, literal, placeholders, is_path, also_bound, shared, traced }
}

fn path(template: &str) -> String {
    format!("{TEMPLATES}/{template}")
}

fn span(file: FileId, range: Range<usize>) -> Span {
    Span::new(file, range.start, range.end)
}

fn located(file: FileId, issue: &Issue) -> Diagnostic {
    let mut finding = Diagnostic::new(issue.code, issue.message.clone()).at(span(file, issue.range.clone()));
    finding.help.clone_from(&issue.help);
    match &issue.fix {
        Some((range, replacement)) => finding.fix(span(file, range.clone()), replacement.clone()),
        None => finding,
    }
}

impl Rendered {
    /// The text of a brief with these facts.
    ///
    /// # Errors
    /// The template failed, at its own line.
    pub fn text(&self, facts: &impl Serialize) -> Result<String, Diagnostic> {
        let facts = serde_json::to_value(facts).unwrap_or_default();
        let values = facts.as_object().into_iter().flatten();
        let base: Base = values.map(|(name, value)| (Arc::from(name.as_str()), of_json(value))).collect();
        let scope = Arc::new(Scope::bare(Arc::clone(&self.words), Arc::new(base)));
        self.unit.render_text(self.kind.template(), &scope).map_err(|failure| {
            let file = self.files.get(&failure.template).or_else(|| self.files.values().next());
            file.map_or_else(
                || Diagnostic::new(failure.issue.code, failure.issue.message.clone()),
                |file| located(*file, &failure.issue),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<String, String> {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("templates/brief/team.md", text));
        let part = sources.add(SourceFile::new("templates/part.md", "Part {team.name}.\n"));
        let texts = Texts::from([("brief/team.md".to_owned(), Ok(file)), ("part.md".to_owned(), Ok(part))]);
        let said = |findings: &Diagnostics| {
            let one = findings.iter().next().unwrap();
            format!("{} {}", one.code, sources_line(text, one))
        };
        let compiled = render(Kind::Team, &texts, &mut sources, &Limits::default());
        let (rendered, _) = compiled.map_err(|findings| said(&findings))?;
        let mut facts = TeamFacts::default();
        facts.team.name = "beta".to_owned();
        rendered.text(&facts).map_err(|one| format!("{} {}", one.code, sources_line(text, &one)))
    }

    fn sources_line(text: &str, one: &Diagnostic) -> usize {
        one.span.map_or(0, |span| text[..span.start as usize].matches('\n').count() + 1)
    }

    #[test]
    fn a_template_of_the_project_is_used_and_its_faults_are_at_its_lines() {
        assert_eq!(with("I am {team.name}; {x} and {{ team.name | upper }}\n").unwrap(), "I am beta; {x} and BETA\n");
        assert_eq!(with("{% include 'part.md' %}!").unwrap(), "Part beta.\n!");
        for (text, code) in [
            ("one\n{% if %}\n", "MX401"),
            ("one\n{{ teem.name }}\n", "MX402"),
            ("one\n{% include 'prat.md' %}\n", "MX411"),
            ("one\n{{ team.nmae }}\n", "MX403"),
            ("one\n{% for n in range(99999999) %}{% for m in range(99999999) %}x{% endfor %}{% endfor %}\n", "MX4"),
        ] {
            let failed = with(text).unwrap_err();
            assert!(failed.starts_with(code) && failed.ends_with(" 2"), "{text}: {failed}");
        }
    }

    #[test]
    fn the_defaults_render_with_nothing_known() {
        for kind in [Kind::Team, Kind::Orchestrator] {
            let mut sources = SourceMap::default();
            let (rendered, warnings) =
                render(kind, &Texts::new(), &mut sources, &Limits::default()).unwrap_or_else(|e| panic!("{e:?}"));
            assert!(warnings.is_empty(), "{warnings:?}");
            let text = match kind {
                Kind::Team => rendered.text(&TeamFacts::default()),
                Kind::Orchestrator => rendered.text(&OrchestratorFacts::default()),
            };
            let text = text.unwrap_or_else(|failed| panic!("{failed:?}"));
            assert!(text.starts_with("# ") && !text.contains("{% end"), "{text}");
        }
    }
}
