//! Which mega-file, rule, item and template make a file: a plan of the whole project, and the one file in it.

use std::path::Path;

use super::{Request, State, hold, naming, on_threads, resolve};
use crate::change::OnDisk;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::digest::same_text;
use crate::disk;
use crate::event::Silent;
use crate::model::TextPlace;
use crate::output;
use crate::path::OutputPath;
use crate::plan::{self, PlannedBody, PlannedFile};
use crate::report::explanation::{
    DiskFacts, FileFacts, LineFacts, MegaFileFacts, PlaceFacts, PlannedFacts, RuleFacts, SyntaxFacts, TemplateFacts,
};
use crate::report::{Command, Mode, count};
use crate::source::{self, Kind, NodeId, Style};
use crate::span::{SourceFile, SourceMap, Span};
use crate::template::{Source, Syntax, choose, trace};

/// The answer to `megax explain FILE`.
#[derive(Debug)]
pub struct Explanation {
    /// The path as it was asked for, without the line.
    pub named: String,
    /// Who makes the file; `None` if no mega-file of the project does.
    pub file: Option<FileFacts>,
    /// What is known about a file that no mega-file makes.
    pub note: Option<String>,
    /// What is wrong with the project, if the file was not found; if strict, also what holds the team that makes it.
    pub findings: Diagnostics,
    /// Whether the inputs could not be read as a whole, so that nothing is known about the file.
    pub unread: bool,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// Explains an output file, named relative to the current folder or to the output root, with an optional `:LINE`. If
/// `strict`, warnings are errors, and what would keep the file's team from writing it is among the findings.
#[must_use]
pub fn explain(inputs: &source::Request, subject: &str, strict: bool) -> Explanation {
    on_threads(None, || explain_here(inputs, subject, strict))
}

fn explain_here(inputs: &source::Request, subject: &str, strict: bool) -> Explanation {
    let request = Request { strict, ..Request::new(Command::Validate, Mode::Validate, inputs.clone()) };
    let (named, line) = split_line(subject);
    let named = named.to_owned();
    match resolve(&request, &Silent) {
        Ok(mut state) => {
            if strict {
                hold::make_strict(&mut state.findings);
            }
            state.findings.sort();
            match find(&state, &inputs.current, &named) {
                Some(file) => {
                    let facts = describe(&state, file, line);
                    let concerns = |one: &Diagnostic| one.teams.is_empty() || one.teams.contains(&facts.team);
                    let findings = std::mem::take(&mut state.findings);
                    let findings = findings.into_iter().filter(|one| strict && one.is_error() && concerns(one));
                    let mut findings: Diagnostics = findings.collect();
                    findings.shorten(&state.set.limits);
                    Explanation {
                        named,
                        file: Some(facts),
                        note: None,
                        findings,
                        unread: false,
                        sources: state.set.sources,
                    }
                }
                None => unplanned(state, named),
            }
        }
        Err(failed) => {
            let (mut findings, set) = *failed;
            findings.shorten(&super::limits_of(inputs, set.as_ref()));
            let sources = set.map(|set| set.sources).unwrap_or_default();
            Explanation { named, file: None, note: None, findings, unread: true, sources }
        }
    }
}

/// `src/a.ts:12` names a line.
pub(super) fn split_line(subject: &str) -> (&str, Option<u64>) {
    match subject.rsplit_once(':') {
        Some((path, line)) => line.parse().map_or((subject, None), |line| (path, Some(line))),
        None => (subject, None),
    }
}

fn find<'s>(state: &'s State<'_>, current: &Path, named: &str) -> Option<&'s PlannedFile> {
    let candidates = naming::candidates(&state.set.out, current, named);
    let keys: Vec<_> = candidates.iter().map(OutputPath::key).collect();
    keys.iter().find_map(|key| state.plan.files.iter().find(|file| file.path.key() == *key))
}

fn unplanned(state: State<'_>, named: String) -> Explanation {
    let path = OutputPath::parse(named.trim_start_matches("./").trim_end_matches('/')).ok();
    let recorded =
        path.as_ref().and_then(|path| state.shards.all.iter().find(|shard| shard.lockfile.entries.contains_key(path)));
    let note = recorded.map(|shard| {
        let lock = &shard.lockfile;
        let detached = path.as_ref().is_some_and(|path| state.shards.detached.contains(path));
        let how = if detached { "detached from" } else { "written earlier by" };
        format!("{how} team {}, mega-file {} (its lockfile lists it)", lock.team, lock.mega_file)
    });
    let asked = named.trim_start_matches("./");
    let file_of = |mega: &crate::model::MegaFile| state.set.sources.get(mega.file()).map(SourceFile::name);
    let is_mega_file = || state.model.mega_files.iter().any(|mega| file_of(mega) == Some(asked));
    let note = note.or_else(|| {
        is_mega_file()
            .then(|| format!("it is a mega-file itself: `megax expand --dry-run {asked}` shows what it makes"))
    });
    let note = note.or_else(|| {
        let folder = format!("{}/", path.as_ref()?.key().as_str());
        let below = state.plan.files.iter().filter(|file| file.path.key().as_str().starts_with(&folder)).count();
        (below > 0).then(|| format!("a folder with {}: name one of them", count(below as u64, "planned file")))
    });
    let mut findings: Diagnostics = state.findings.into_iter().filter(Diagnostic::is_error).collect();
    findings.shorten(&state.set.limits);
    Explanation { named, file: None, note, findings, unread: false, sources: state.set.sources }
}

fn describe(state: &State<'_>, file: &PlannedFile, line: Option<u64>) -> FileFacts {
    let sources = &state.set.sources;
    let mega = state.model.mega_files.get(file.mega_file);
    let named = mega.and_then(|mega| Some((mega, mega.template(&file.template)?)));
    let syntax = named.and_then(|(mega, template)| {
        let body = mega.text(template.text, sources);
        let none = std::collections::BTreeSet::new();
        let PlannedBody::Render(unit, ..) = &file.body else { return None };
        let source = Source {
            name: &file.template,
            text: body,
            syntax: template.syntax,
            literal: &template.literal,
            placeholders: &template.placeholders,
            is_path: false,
            also_bound: &none,
            shared: false,
            traced: None,
        };
        let (choice, _) = choose(&source, unit.words());
        Some(SyntaxFacts { name: choice.syntax.as_str().to_owned(), why: choice.why.to_string() })
    });
    let (planned, failure, on_disk) = content(state, file);
    FileFacts {
        path: file.path.to_string(),
        team: mega.map(|mega| mega.team.clone()).unwrap_or_default(),
        mega_file: MegaFileFacts {
            id: mega.map(|mega| mega.id.clone()).unwrap_or_default(),
            path: mega.map(|mega| sources.name(mega.file()).to_owned()).unwrap_or_default(),
        },
        rule: RuleFacts { number: file.rule, at: place(sources, file.origin) },
        item: file.item.as_ref().map(ToString::to_string),
        factory: file.factory.as_ref().map(ToString::to_string),
        template: TemplateFacts {
            name: file.template.to_string(),
            at: named.map(|(_, template)| place(sources, template.span)),
        },
        syntax,
        planned,
        failure,
        on_disk,
        detached: state.shards.detached.contains(&file.path),
        line: line.map(|line| origin_of_line(state, file, line)),
    }
}

pub(super) fn place(sources: &SourceMap, span: Span) -> PlaceFacts {
    let line = sources.positions(span).map_or(0, |(start, _)| start.line);
    PlaceFacts { file: sources.name(span.file).to_owned(), line }
}

/// The line of a mega-file that makes a line of the output, with its text.
fn origin_of_line(state: &State<'_>, file: &PlannedFile, line: u64) -> LineFacts {
    let none = |text: String| LineFacts { number: line, at: None, text };
    let unknown = none("comes from no single line of a template".to_owned());
    let mut buffer = Vec::new();
    let Ok(body) = output::body(file, &mut buffer) else { return unknown };
    if let (PlannedBody::Render(..), lines) = (&file.body, output::Facts::of(body).lines)
        && (line == 0 || line > lines)
    {
        return none(format!("does not exist: the file has {lines} lines"));
    }
    let Some((_, span)) = source_of_line(state, file, body, line) else { return unknown };
    let sources = &state.set.sources;
    let at = place(sources, span);
    let source = sources.get(span.file).map_or("", SourceFile::text);
    let written = source.lines().nth((at.line as usize).saturating_sub(1)).unwrap_or_default().trim().to_owned();
    LineFacts { number: line, at: Some(at), text: written }
}

/// The place in a mega-file that makes a line of a planned path.
pub fn made_by(state: &State<'_>, path: &OutputPath, line: u64) -> Option<Span> {
    let index = state.plan.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    let file = state.plan.files.get(index)?;
    let mut buffer = Vec::new();
    let body = output::body(file, &mut buffer).ok()?;
    let (place, span) = source_of_line(state, file, body, line)?;
    let mega = state.model.mega_files.get(file.mega_file)?;
    if let TextPlace::Node(node) = place
        && !matches!(mega.tree.kind(node), Kind::Text(_, Style::Literal | Style::Folded))
    {
        return Some(span);
    }
    // The whole line of the template, not its first character.
    let text = state.set.sources.get(span.file)?.text();
    let rest = text.get(span.start as usize..)?.lines().next().unwrap_or_default();
    let start = span.start as usize + (rest.len() - rest.trim_start().len());
    Some(Span::new(span.file, start, start + rest.trim().len().max(1)))
}

/// The text, and the place in it, that make a line of a rendered body.
fn source_of_line(state: &State<'_>, file: &PlannedFile, body: &[u8], line: u64) -> Option<(TextPlace, Span)> {
    let PlannedBody::Render(unit, name, scope) = &file.body else { return None };
    let mega = state.model.mega_files.get(file.mega_file)?;
    let sources = &state.set.sources;
    let inline = name.strip_prefix("inline ").and_then(|node| node.parse().ok()).map(NodeId);
    // Of the shared templates only those that the file can reach: a project may have many of them.
    let reachable =
        || mega.shared.templates.iter().filter(|(name, _)| unit.has(name) && !mega.templates.contains_key(*name));
    let used = || mega.templates.iter().chain(reachable());
    let mut places: Vec<TextPlace> = used().map(|(_, template)| template.text).collect();
    let templates = used().map(|(name, template)| {
        let lists = (template.literal.as_slice(), template.placeholders.as_slice());
        (name.as_str(), mega.text(template.text, sources), template.syntax, lists.0, lists.1)
    });
    let mut templates: Vec<trace::Traced<'_>> = templates.collect();
    if let Some(node) = inline {
        templates.push((name, mega.text(node.into(), sources), Syntax::Auto, &[], &[]));
        places.push(node.into());
    }
    let (template, offset) = trace::line(&templates, name, (unit.words(), unit.limits()), scope, body, line)?;
    let index = templates.iter().position(|(name, ..)| *name == template)?;
    let place = *places.get(index)?;
    Some((place, plan::place_of(mega, sources, place, offset..offset + 1)))
}

/// What the file is to hold, or why that cannot be said; and what is on disk.
fn content(state: &State<'_>, file: &PlannedFile) -> (Option<PlannedFacts>, Option<String>, Option<DiskFacts>) {
    let mut buffer = Vec::new();
    let facts = match output::body(file, &mut buffer) {
        Ok(body) => output::Facts::of(body),
        Err(failure) => return (None, Some(failure.issue.message.clone()), None),
    };
    let survey = state.root.as_ref().and_then(|root| disk::survey(root, std::slice::from_ref(&file.path)).ok());
    let on_disk = match survey.as_ref().and_then(|survey| survey.get(&file.path)) {
        None | Some(OnDisk::Absent) => DiskFacts::Absent,
        Some(OnDisk::File { digest, lf_digest, .. })
            if same_text((*digest, *lf_digest), (facts.digest, facts.lf_digest)) =>
        {
            DiskFacts::AsPlanned
        }
        Some(OnDisk::File { .. }) => DiskFacts::Differs,
        Some(_) => DiskFacts::InTheWay,
    };
    let planned = PlannedFacts { lines: facts.lines, bytes: facts.bytes, digest: facts.digest.to_string() };
    (Some(planned), None, Some(on_disk))
}
