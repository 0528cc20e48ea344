//! Which mega-file, rule, item and template make a file: a plan of the whole project, and the one file in it.

use std::fmt::Write as _;
use std::path::Path;

use super::{Request, State, resolve};
use crate::change::{OnDisk, Policy};
use crate::diagnostic::Diagnostics;
use crate::disk;
use crate::event::Silent;
use crate::output;
use crate::path::OutputPath;
use crate::plan::{PlannedBody, PlannedFile};
use crate::report::{Command, Mode};
use crate::source::load::{display, normal};
use crate::source::{self, Kind, NodeId, Style, Tree, yaml};
use crate::span::{SourceMap, Span};
use crate::template::{Source, Syntax, choose, trace};

/// The answer to `megax explain FILE`.
#[derive(Debug)]
pub struct Explanation {
    /// For people.
    pub text: String,
    /// Whether some mega-file makes the file.
    pub found: bool,
    /// What is wrong with the project, if the file was not found.
    pub findings: Diagnostics,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// Explains an output file, named relative to the current folder or to the output root, with an optional `:LINE`.
#[must_use]
pub fn explain(inputs: &source::Request, subject: &str) -> Explanation {
    let request = Request {
        command: Command::Validate,
        inputs: inputs.clone(),
        mode: Mode::Validate,
        diff: false,
        teams: Vec::new(),
        only: Vec::new(),
        jobs: None,
        strict: false,
        all_or_nothing: false,
        on_edit: Policy::Fail,
        expect_tree: None,
        holder: String::new(),
    };
    let (named, line) = split_line(subject);
    match resolve(&request, &Silent) {
        Ok(mut state) => {
            state.findings.sort();
            let planned = find(&state, &inputs.current, named);
            match planned {
                Some(file) => Explanation {
                    text: describe(&state, file, line),
                    found: true,
                    findings: Diagnostics::default(),
                    sources: state.set.sources,
                },
                None => unplanned(state, named),
            }
        }
        Err(failed) => {
            let (findings, set) = *failed;
            Explanation {
                text: String::new(),
                found: false,
                findings,
                sources: set.map(|set| set.sources).unwrap_or_default(),
            }
        }
    }
}

/// `src/a.ts:12` names a line.
fn split_line(subject: &str) -> (&str, Option<u64>) {
    match subject.rsplit_once(':') {
        Some((path, line)) => line.parse().map_or((subject, None), |line| (path, Some(line))),
        None => (subject, None),
    }
}

fn find<'s>(state: &'s State<'_>, current: &Path, named: &str) -> Option<&'s PlannedFile> {
    let absolute = normal(&current.join(named));
    let below = absolute.strip_prefix(&state.set.out).ok().map(|path| display(path, Path::new("")));
    let candidates = below.into_iter().chain([named.trim_start_matches("./").trim_start_matches('/').to_owned()]);
    let keys: Vec<_> = candidates.filter_map(|text| OutputPath::parse(&text).ok()).map(|path| path.key()).collect();
    keys.iter().find_map(|key| state.plan.files.iter().find(|file| file.path.key() == *key))
}

fn unplanned(state: State<'_>, named: &str) -> Explanation {
    let mut text = format!("{named}: no mega-file of the project plans this file\n");
    let path = OutputPath::parse(named.trim_start_matches("./")).ok();
    let recorded =
        path.as_ref().and_then(|path| state.shards.all.iter().find(|shard| shard.lockfile.entries.contains_key(path)));
    if let Some(shard) = recorded {
        let lock = &shard.lockfile;
        let _ = writeln!(
            text,
            "  written earlier by team {}, mega-file {} (its lockfile lists it)",
            lock.team, lock.mega_file
        );
    }
    let findings = state.findings.into_iter().filter(crate::diagnostic::Diagnostic::is_error).collect();
    Explanation { text, found: false, findings, sources: state.set.sources }
}

fn describe(state: &State<'_>, file: &PlannedFile, line: Option<u64>) -> String {
    let sources = &state.set.sources;
    let mut text = format!("{}\n", file.path);
    let Some(mega) = state.model.mega_files.get(file.mega_file) else { return text };
    let place = |span| {
        let line = sources.positions(span).map_or(0, |(start, _)| start.line);
        format!("{}:{line}", sources.name(span.file))
    };
    let _ = writeln!(text, "  team       {}", mega.team);
    let _ = writeln!(text, "  mega-file  {} ({})", mega.id, sources.name(mega.file()));
    let _ = writeln!(text, "  rule       {} ({})", file.rule, place(file.origin));
    if let Some(item) = &file.item {
        let _ = writeln!(text, "  item       {item}");
    }
    match mega.templates.get(&*file.template) {
        Some(template) => {
            let _ = writeln!(text, "  template   {} ({})", file.template, place(template.span));
            let body = mega.tree.text(template.text).unwrap_or_default();
            let none = std::collections::BTreeSet::new();
            if let PlannedBody::Render(unit, ..) = &file.body {
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
                let _ = writeln!(text, "  syntax     {}: {}", choice.syntax.as_str(), choice.why);
            }
        }
        None => {
            let _ = writeln!(text, "  template   {}", file.template);
        }
    }
    text.push_str(&on_disk(state, file));
    if let Some(line) = line {
        let _ = writeln!(text, "  line {line:<6}{}", origin_of_line(state, file, line));
    }
    text
}

/// The line of a mega-file that makes a line of the output, with its text.
fn origin_of_line(state: &State<'_>, file: &PlannedFile, line: u64) -> String {
    let unknown = "comes from no single line of a template".to_owned();
    let mut buffer = Vec::new();
    let Ok(body) = output::body(file, &mut buffer) else { return unknown };
    if let (PlannedBody::Render(..), lines) = (&file.body, output::Facts::of(body).lines)
        && (line == 0 || line > lines)
    {
        return format!("does not exist: the file has {lines} lines");
    }
    let Some((.., span)) = source_of_line(state, file, body, line) else { return unknown };
    let source = state.set.sources.get(span.file).map_or("", crate::span::SourceFile::text);
    let at = state.set.sources.positions(span).map_or(0, |(start, _)| start.line);
    let written = source.lines().nth((at as usize).saturating_sub(1)).unwrap_or_default().trim();
    format!("{}:{at}: {written}", state.set.sources.name(span.file))
}

/// The place in a mega-file that makes a line of a planned path.
pub fn made_by(state: &State<'_>, path: &OutputPath, line: u64) -> Option<Span> {
    let index = state.plan.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    let file = state.plan.files.get(index)?;
    let mut buffer = Vec::new();
    let body = output::body(file, &mut buffer).ok()?;
    let (tree, node, span) = source_of_line(state, file, body, line)?;
    if !matches!(tree.kind(node), Kind::Text(_, Style::Literal | Style::Folded)) {
        return Some(span);
    }
    // The whole line of the template, not its first character.
    let text = state.set.sources.get(span.file)?.text();
    let rest = text.get(span.start as usize..)?.lines().next().unwrap_or_default();
    let start = span.start as usize + (rest.len() - rest.trim_start().len());
    Some(Span::new(span.file, start, start + rest.trim().len().max(1)))
}

/// The text node, and the place in it, that make a line of a rendered body.
fn source_of_line<'s>(
    state: &'s State<'_>,
    file: &PlannedFile,
    body: &[u8],
    line: u64,
) -> Option<(&'s Tree, NodeId, Span)> {
    let PlannedBody::Render(unit, name, scope) = &file.body else { return None };
    let mega = state.model.mega_files.get(file.mega_file)?;
    let text_of = |node| mega.tree.text(node).unwrap_or_default();
    let inline = name.strip_prefix("inline ").and_then(|node| node.parse().ok()).map(NodeId);
    let mut nodes: Vec<NodeId> = mega.templates.values().map(|template| template.text).collect();
    let templates = mega.templates.iter().map(|(name, template)| {
        let lists = (template.literal.as_slice(), template.placeholders.as_slice());
        (name.as_str(), text_of(template.text), template.syntax, lists.0, lists.1)
    });
    let mut templates: Vec<trace::Traced<'_>> = templates.collect();
    if let Some(node) = inline {
        templates.push((name, text_of(node), Syntax::Auto, &[], &[]));
        nodes.push(node);
    }
    let (template, offset) = trace::line(&templates, name, unit.words(), scope, body, line)?;
    let index = templates.iter().position(|(name, ..)| *name == template)?;
    let source = state.set.sources.get(mega.file()).map_or("", crate::span::SourceFile::text);
    let node = *nodes.get(index)?;
    Some((&mega.tree, node, yaml::locate(&mega.tree, source, node, offset)))
}

fn on_disk(state: &State<'_>, file: &PlannedFile) -> String {
    let mut buffer = Vec::new();
    let facts = match output::body(file, &mut buffer) {
        Ok(body) => output::Facts::of(body),
        Err(failure) => return format!("  body       cannot be rendered: {}\n", failure.issue.message),
    };
    let survey = state.root.as_ref().and_then(|root| disk::survey(root, std::slice::from_ref(&file.path)).ok());
    let status = match survey.as_ref().and_then(|survey| survey.get(&file.path)) {
        None | Some(OnDisk::Absent) => "not there yet",
        Some(OnDisk::File { digest, lf_digest, .. })
            if *digest == facts.digest || lf_digest.is_some_and(|lf| lf == facts.digest) =>
        {
            "as planned"
        }
        Some(OnDisk::File { .. }) => "differs from what is planned",
        Some(_) => "something else is in the way",
    };
    format!(
        "  planned    {} lines, {} bytes, {}\n  on disk    {status}\n",
        facts.lines,
        facts.bytes,
        facts.digest.short()
    )
}
