//! `detach` and `adopt`: files that are left to people for good, and taken back. Only the lockfile changes, as an operation
//! of the log; no output is touched.

use std::collections::BTreeSet;
use std::path::Path;

use super::apply::{disk_finding, no_way_back};
use super::history::{Findings, disk_failed, recover};
use super::inputs::ENGINE;
use super::naming::{Known, candidates};
use super::publish::{Publication, Record};
use super::{Request, State, on_threads, resolve, shards};
use crate::change::{Hands, OnDisk, Shard, Unrecorded, hand};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::disk::{self, Durability, OperationKind, Root};
use crate::event::{Silent, Watcher};
use crate::lockfile::{EntryState, LockEntry, is_source};
use crate::output::{self, Facts};
use crate::path::OutputPath;
use crate::report::mend::{MendCommand, MendReport, Mended, MendedFile};
use crate::report::{Command, Mode, count};
use crate::source;
use crate::source::load::display;
use crate::span::SourceMap;

/// What `detach` and `adopt` need.
#[derive(Debug, Clone)]
pub struct DetachRequest {
    /// Where the project and the output root are.
    pub inputs: source::Request,
    /// The files, relative to the current folder or to the output root.
    pub files: Vec<String>,
    /// Whose they are to be.
    pub hands: Hands,
    /// What a commit must survive.
    pub durability: Durability,
    /// Who runs, for the team guards.
    pub holder: String,
}

impl DetachRequest {
    pub(super) fn command(&self) -> MendCommand {
        if self.hands == Hands::Detach { MendCommand::Detach } else { MendCommand::Adopt }
    }
}

/// Leaves files to people, or takes them back: all that are named, or none. Never fails: what goes wrong is a finding.
#[must_use]
pub fn detach(request: &DetachRequest, watcher: &dyn Watcher) -> MendReport {
    let mut report = MendReport {
        command: request.command(),
        out: String::new(),
        dry_run: false,
        files: Vec::new(),
        lockfiles: Vec::new(),
        operations: Vec::new(),
        findings: Diagnostics::default(),
        sources: SourceMap::default(),
    };
    let out = match source::load::out_of(&request.inputs) {
        Ok(out) => out,
        Err(findings) => return MendReport { findings, ..report },
    };
    report.out = display(&out, &request.inputs.current);
    if let Err(found) = run(request, &out, &mut report, watcher) {
        report.findings.extend(found);
    }
    report.findings.shorten(&request.inputs.limits());
    report
}

fn run(request: &DetachRequest, out: &Path, report: &mut MendReport, watcher: &dyn Watcher) -> Result<(), Findings> {
    let root = Root::open(out).map_err(|error| disk_failed(&error))?;
    recover(&root, request.durability, &mut report.findings)?;
    let texts = disk::read_shards(&root).map_err(|error| disk_failed(&error))?;
    let shards = readable(&texts)?;
    let named = find(request, out, &root, &shards, &mut report.sources)?;
    let recorded: Vec<&OutputPath> = named.recorded.iter().collect();
    let (changes, handed) = hand(&shards, &recorded, &named.unrecorded, request.hands, ENGINE);
    let change = if request.hands == Hands::Detach { Mended::Detached } else { Mended::Adopted };
    let mut files: Vec<MendedFile> = handed
        .iter()
        .map(|(path, (team, mega_file))| row(path, team, mega_file, change))
        .chain(named.recorded.iter().filter(|path| !handed.contains_key(*path)).filter_map(|path| {
            let shard = shards.iter().find(|shard| shard.lockfile.entries.contains_key(path))?;
            Some(row(path, &shard.lockfile.team, &shard.lockfile.mega_file, Mended::Unchanged))
        }))
        .chain(named.unwritten)
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if !changes.is_empty() {
        let kind = if request.hands == Hands::Detach { OperationKind::Detach } else { OperationKind::Adopt };
        let (durability, holder) = (request.durability, request.holder.as_str());
        let publication = Publication { root: &root, texts: &texts, record: Record::Shards, kind, durability, holder };
        let applied = publication.publish(changes, &|_| Ok(()), watcher)?;
        report.operations.extend(applied.operation);
        report.findings.extend(applied.unlogged.as_deref().map(no_way_back));
    }
    report.files = files;
    Ok(())
}

fn row(path: &OutputPath, team: &str, mega_file: &str, change: Mended) -> MendedFile {
    MendedFile { path: path.to_string(), team: team.to_owned(), mega_file: mega_file.to_owned(), change }
}

/// All shards, or what is wrong with those that cannot be read: one of them may record the very file.
fn readable(texts: &[(String, String)]) -> Result<Vec<Shard>, Findings> {
    let (mut readable, mut damaged) = (Vec::new(), Vec::new());
    for (path, text) in texts {
        match Shard::read(path, text) {
            Ok(shard) => readable.push(shard),
            Err(error) => damaged.push(shards::unreadable((path.as_str(), text.as_str()), &error.to_string())),
        }
    }
    if damaged.is_empty() { Ok(readable) } else { Err(damaged) }
}

/// The files that were named.
#[derive(Default)]
struct Named {
    recorded: BTreeSet<OutputPath>,
    unrecorded: Vec<Unrecorded>,
    /// To be adopted, and planned, but not there.
    unwritten: Vec<MendedFile>,
}

fn find(
    request: &DetachRequest,
    out: &Path,
    root: &Root,
    shards: &[Shard],
    sources: &mut SourceMap,
) -> Result<Named, Findings> {
    let known = Known::of(shards.iter().flat_map(|shard| shard.lockfile.entries.keys()));
    let mut named = Named::default();
    let mut others = Vec::new();
    for text in &request.files {
        let candidates = candidates(out, &request.inputs.current, text);
        match known.find(&candidates) {
            Some(path) => drop(named.recorded.insert(path.clone())),
            None => others.push((text.as_str(), candidates)),
        }
    }
    if others.is_empty() {
        return Ok(named);
    }
    // What was never written is known only to the mega-files.
    let project = Request::new(Command::Validate, Mode::Validate, request.inputs.clone());
    let wrong = on_threads(None, || match resolve(&project, &Silent) {
        Ok(state) => {
            let wrong = planned(request, root, &state, &known, &others, &mut named);
            *sources = state.set.sources;
            wrong
        }
        Err(failed) => {
            let (findings, set) = *failed;
            *sources = set.map(|set| set.sources).unwrap_or_default();
            let errors: Findings = findings.iter().filter(|one| one.is_error()).cloned().collect();
            let unknown = others.iter().map(|(text, candidates)| unknown(text, candidates, &known, &known, true));
            unknown.chain(errors).collect()
        }
    });
    if wrong.is_empty() { Ok(named) } else { Err(wrong) }
}

/// Looks for names among the planned files; a finding for every one that is not there either, and the errors of
/// mega-files that may be why.
fn planned(
    request: &DetachRequest,
    root: &Root,
    state: &State<'_>,
    recorded: &Known<'_>,
    others: &[(&str, Vec<OutputPath>)],
    named: &mut Named,
) -> Findings {
    let known = Known::of(state.plan.files.iter().map(|file| &file.path));
    let errors: Findings = state.findings.iter().filter(|one| one.is_error()).cloned().collect();
    let mut is_unknown = false;
    let mut findings = Vec::new();
    let mut buffer = Vec::new();
    for (text, candidates) in others {
        let file = known.find(candidates).and_then(|path| state.plan.files.iter().find(|file| file.path == *path));
        let Some((file, mega)) = file.and_then(|file| Some((file, state.model.mega_files.get(file.mega_file)?))) else {
            is_unknown = true;
            findings.push(unknown(text, candidates, recorded, &known, !errors.is_empty()));
            continue;
        };
        let there = disk::survey(root, std::slice::from_ref(&file.path));
        match there.map(|found| found.get(&file.path) != Some(&OnDisk::Absent)) {
            Ok(true) => {}
            Ok(false) if request.hands == Hands::Detach => {}
            // `expand` makes it anyway.
            Ok(false) => {
                named.unwritten.push(row(&file.path, &mega.team, &mega.id, Mended::Unwritten));
                continue;
            }
            Err(error) => {
                findings.push(disk_finding(&error));
                continue;
            }
        }
        let facts = match output::body(file, &mut buffer) {
            Ok(body) => Facts::of(body),
            Err(failure) => {
                findings.extend(super::hold::failed(state, file, &failure));
                continue;
            }
        };
        let Facts { digest, lf_digest, .. } = facts;
        let (state_word, template) = (EntryState::planned(file.once), file.template.to_string());
        named.unrecorded.push(Unrecorded {
            team: mega.team.clone(),
            mega_file: mega.id.clone(),
            source: Some(state.set.sources.name(mega.file()).to_owned()).filter(|name| is_source(name)),
            path: file.path.clone(),
            entry: LockEntry { digest, lf_digest, mode: file.mode, state: state_word, template },
        });
    }
    if is_unknown {
        findings.extend(errors);
    }
    findings
}

/// Nobody knows a file; if the mega-files have errors, one of them may plan it.
fn unknown(
    text: &str,
    candidates: &[OutputPath],
    recorded: &Known<'_>,
    planned: &Known<'_>,
    broken: bool,
) -> Diagnostic {
    let whole = if broken { " without errors" } else { "" };
    let message = format!("no lockfile records `{text}`, and no mega-file{whole} plans it");
    let below: BTreeSet<&OutputPath> =
        candidates.iter().flat_map(|folder| recorded.below(folder).chain(planned.below(folder))).collect();
    let asked = candidates.first().map_or(text, OutputPath::as_str);
    let all = || recorded.paths().chain(planned.paths()).map(OutputPath::as_str);
    let help = match (below.first(), nearest(asked, all())) {
        (Some(first), _) => {
            let files = count(below.len() as u64, "file");
            format!("it is a folder with {files} of megax; name them one by one, such as `{first}`")
        }
        _ if broken => "mend the errors first: what has one may plan the file".to_owned(),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => "`megax expand --dry-run` lists the files".to_owned(),
    };
    Diagnostic::new(Code::UnknownFile, message).about(text).help(help)
}
