//! `megax snapshot`: what every mega-file expands to, against its snapshot in the project root. Never looks at the
//! output tree or its lockfile (only at the reservations, which say who is wrong where two plan one path), and never
//! writes the snapshot of a mega-file that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::apply::disk_finding;
use super::{Request, State, on_threads, only, resolve, shards, sink, validity};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::Digest;
use crate::disk::{self, DiskError, Root};
use crate::event::{Event, Watcher};
use crate::model::MegaFile;
use crate::name::id_key;
use crate::output::{Facts, Rendered, Sink};
use crate::path::OutputPath;
use crate::plan::{PlannedBody, PlannedFile};
use crate::report::Outcome;
use crate::report::snapshot::{Action, Comparison, SnapshotReport, Status};
use crate::snapshot::{self, Shown, Snapshot, Texts, excerpt};
use crate::source::SourceSet;
use crate::source::load::display;
use crate::verify::Seen;

/// So many findings of one code at one place are shown one by one.
const MOST_ALIKE: usize = 3;

/// What `megax snapshot` is asked to do.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// What to read and how; its `mode` is [`crate::report::Mode::Validate`].
    pub run: Request,
    /// What to do with snapshots that are missing or differ.
    pub action: Action,
    /// Which texts to show; `None` leaves the choice that a snapshot records.
    pub texts: Option<Texts>,
}

/// Compares every selected mega-file with its snapshot and writes what the action allows. Never fails: everything that
/// goes wrong is a finding in the report.
#[must_use]
pub fn snapshot(request: &SnapshotRequest, watcher: &dyn Watcher) -> SnapshotReport {
    on_threads(request.run.jobs, || snapshot_here(request, watcher))
}

fn snapshot_here(request: &SnapshotRequest, watcher: &dyn Watcher) -> SnapshotReport {
    let mut state = match resolve(&request.run, watcher) {
        Ok(state) => state,
        Err(failed) => {
            let (findings, set) = *failed;
            return report(request, findings, set, Vec::new());
        }
    };
    state.hold();
    watcher.on_event(Event::Planned { files: state.plan.files.len() });
    let stored = match Root::open(&state.set.root).and_then(|root| Ok((disk::read_snapshots(&root)?, root))) {
        Ok((found, root)) => Stored { root, files: found.into_iter().collect() },
        Err(error) => {
            state.findings.push(disk_finding(&error));
            return report(request, state.findings, Some(state.set), Vec::new());
        }
    };
    let choices = choices(&mut state, request.texts.as_ref(), &stored);
    let wrong = validity::wrong_inputs(&state);
    let sink = Golden { state: &state, wrong: &wrong, chosen: chosen(&state, &choices), shown: Mutex::default() };
    let rendered = sink::within(&state.set.limits, &state.plan.files, &sink, watcher);
    let shown = sink.shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.take(rendered.map(|rendered| (rendered, Seen::default())));
    state.inspect();
    let snapshots = snapshots(&state, &choices, shown);
    let mut comparisons = compare(&mut state, request.action, &stored, snapshots);
    comparisons.extend(stale(&mut state, request, &stored));
    comparisons.sort_by(|a, b| a.path.cmp(&b.path));
    if watcher.may_publish() {
        write(&mut state, &stored, &mut comparisons);
    }
    report(request, state.findings, Some(state.set), comparisons)
}

/// What lies in the folder of the snapshots.
struct Stored {
    root: Root,
    files: BTreeMap<String, Vec<u8>>,
}

impl Stored {
    /// The text at a path with `\n` line endings; `None` for no file.
    ///
    /// # Errors
    /// Why it is no snapshot.
    fn text(&self, path: &str) -> Option<Result<String, String>> {
        let text = std::str::from_utf8(self.files.get(path)?).map_err(|_| "it is not UTF-8 text".to_owned());
        // A snapshot holds no CR of its own; version control may have put them there.
        Some(text.map(|text| text.replace("\r\n", "\n")))
    }
}

/// The choice of texts for each mega-file that is looked at, by its index. A mega-file whose stored snapshot cannot be
/// read is left out.
fn choices(state: &mut State<'_>, asked: Option<&Texts>, stored: &Stored) -> BTreeMap<usize, Texts> {
    let mut choices = BTreeMap::new();
    let mut found = Vec::new();
    for (index, mega) in state.model.mega_files.iter().enumerate().filter(|(_, mega)| mega.selected) {
        let Some(path) = snapshot::place(&mega.team, &mega.id) else { continue };
        let recorded = stored.text(&path).map(|text| text.and_then(|text| recorded(&text, asked.is_some())));
        let own = || state.plan.files.iter().filter(|file| file.mega_file == index);
        let texts = match (recorded, asked) {
            (Some(Err(why)), _) => {
                let finding = Diagnostic::new(Code::SnapshotUnreadable, format!("this file is no snapshot: {why}"));
                let help = "it is left as it is; remove it, or restore it from version control";
                found.push(finding.about(path).help(help).team(mega.team.clone()));
                continue;
            }
            (_, Some(asked)) => asked.only(|pattern| own().any(|file| pattern.matches(file.path.as_str()))),
            (Some(Ok(recorded)), None) => recorded,
            (None, None) => Texts::default(),
        };
        choices.insert(index, texts);
    }
    // While something is broken, the file that was meant may be missing for that reason.
    if let (Some(asked), false) = (asked, state.findings.has_errors()) {
        let planned = state.plan.files.iter().map(|file| &file.path);
        found.extend(only::unmatched("--text", &asked.patterns(), &planned));
    }
    state.findings.extend(found);
    choices
}

/// The recorded choice. One that cannot be read does no harm when another is asked for.
fn recorded(text: &str, is_asked: bool) -> Result<Texts, String> {
    let recorded = snapshot::recorded(text);
    let is_snapshot = text.lines().next() == Some(snapshot::VERSION_LINE);
    if is_asked && is_snapshot { Ok(recorded.unwrap_or_default()) } else { recorded }
}

/// Which planned files are shown, by mega-file and path.
fn chosen(state: &State<'_>, choices: &BTreeMap<usize, Texts>) -> BTreeSet<(usize, OutputPath)> {
    let patterns: BTreeMap<usize, _> = choices.iter().map(|(&index, texts)| (index, texts.patterns())).collect();
    let mut seen = BTreeSet::new();
    let mut chosen = BTreeSet::new();
    for file in &state.plan.files {
        let Some(texts) = choices.get(&file.mega_file) else { continue };
        // Inline texts have one name, but each is a template of its own.
        let inline = if file.template.as_ref() == "inline" { file.origin.start } else { 0 };
        let is_first = seen.insert((file.mega_file, file.rule, &file.template, inline)) && texts.firsts;
        let matches =
            || patterns.get(&file.mega_file).is_some_and(|all| all.iter().any(|one| one.matches(file.path.as_str())));
        if is_first || matches() {
            chosen.insert((file.mega_file, file.path.clone()));
        }
    }
    chosen
}

/// Keeps the excerpts of chosen bodies.
struct Golden<'s> {
    state: &'s State<'s>,
    wrong: &'s BTreeSet<crate::span::FileId>,
    chosen: BTreeSet<(usize, OutputPath)>,
    shown: Mutex<Excerpts>,
}

type Excerpts = BTreeMap<(usize, OutputPath), String>;

impl Sink for Golden<'_> {
    fn wants(&self, file: &PlannedFile) -> bool {
        let mega = self.state.model.mega_files.get(file.mega_file);
        mega.is_some_and(|mega| !self.wrong.contains(&mega.file()))
    }

    fn take(&self, file: &PlannedFile, _: &Facts, body: &[u8]) {
        let key = (file.mega_file, file.path.clone());
        if self.chosen.contains(&key) {
            let text = excerpt(body);
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(key, text);
        }
    }
}

/// The snapshot of every selected mega-file; `None` for one that is wrong, or whose stored snapshot cannot be read.
fn snapshots(
    state: &State<'_>,
    choices: &BTreeMap<usize, Texts>,
    mut shown: Excerpts,
) -> BTreeMap<usize, Option<Snapshot>> {
    let (wrong, all_wrong) = (validity::wrong_inputs(state), validity::is_all_wrong(state));
    let selected = state.model.mega_files.iter().enumerate().filter(|(_, mega)| mega.selected);
    let mut snapshots: BTreeMap<usize, Option<Snapshot>> = selected
        .map(|(index, mega)| {
            let texts = choices.get(&index).filter(|_| !all_wrong && !wrong.contains(&mega.file()));
            let (team, mega_file) = (mega.team.clone(), mega.id.clone());
            (index, texts.map(|texts| Snapshot { team, mega_file, texts: texts.clone(), files: Vec::new() }))
        })
        .collect();
    for (file, rendered) in state.plan.files.iter().zip(&state.rendered) {
        let (Rendered::Done(facts), Some(Some(snapshot))) = (rendered, snapshots.get_mut(&file.mega_file)) else {
            continue;
        };
        let excerpt = shown.remove(&(file.mega_file, file.path.clone()));
        let shown = excerpt.map(|excerpt| Shown { rule: file.rule, template: made_by(file), excerpt });
        let (path, facts) = (file.path.clone(), *facts);
        snapshot.files.push(snapshot::File { path, mode: file.mode, once: file.once, facts, shown });
    }
    snapshots
}

fn made_by(file: &PlannedFile) -> String {
    if matches!(file.body, PlannedBody::Copy(_)) { "copy".to_owned() } else { file.template.to_string() }
}

/// Every mega-file against its stored snapshot; the findings say which differ.
fn compare(
    state: &mut State<'_>,
    action: Action,
    stored: &Stored,
    snapshots: BTreeMap<usize, Option<Snapshot>>,
) -> Vec<Comparison> {
    let mut found = Vec::new();
    let mut comparisons = Vec::new();
    for (index, snapshot) in snapshots {
        let Some(mega) = state.model.mega_files.get(index) else { continue };
        let Some(path) = snapshot::place(&mega.team, &mega.id) else { continue };
        let old = stored.text(&path).and_then(Result::ok);
        let mut one = blank(&mega.team, &mega.id, path, Status::Kept);
        if let Some(snapshot) = snapshot {
            let new = snapshot.to_text();
            one.status = match (&old, action) {
                (Some(old), _) if *old == new => Status::Unchanged,
                (Some(_), Action::Update) => Status::Updated,
                (Some(_), Action::Add | Action::Check) => Status::Differs,
                (None, Action::Check) => Status::Missing,
                (None, Action::Add | Action::Update) => Status::New,
            };
            (one.files, one.lines) = (Some(snapshot.files.len() as u64), Some(snapshot.lines()));
            one.digest = Some(snapshot.tree());
            (one.old, one.new) = (old, Some(new));
        }
        found.extend(difference(mega, &one));
        comparisons.push(one);
    }
    state.findings.extend(found);
    comparisons.extend(unreadable(state, stored));
    comparisons
}

fn blank(team: &str, id: &str, path: String, status: Status) -> Comparison {
    let (mega_file, team) = (id.to_owned(), team.to_owned());
    Comparison { mega_file, team, path, status, files: None, lines: None, digest: None, old: None, new: None }
}

fn difference(mega: &MegaFile, one: &Comparison) -> Option<Diagnostic> {
    let (what, help) = match one.status {
        Status::Differs => (
            format!("`{}` expands to something else than its snapshot says", mega.id),
            "mend the mega-file, or accept what it makes now: `megax snapshot --update`",
        ),
        Status::Missing => {
            (format!("`{}` has no snapshot yet", mega.id), "`megax snapshot` writes what is missing; commit it")
        }
        _ => return None,
    };
    Some(Diagnostic::new(Code::SnapshotDiffers, what).about(one.path.clone()).help(help).team(mega.team.clone()))
}

/// Stored snapshots of selected mega-files that were not even understood.
fn unreadable(state: &State<'_>, stored: &Stored) -> Vec<Comparison> {
    let understood: BTreeSet<_> = state.model.mega_files.iter().map(MegaFile::file).collect();
    let broken = state.set.mega_files.iter().filter(|input| input.selected && !understood.contains(&input.file));
    let kept = broken.filter_map(|input| {
        let text = state.set.sources.get(input.file).map_or("", crate::span::SourceFile::text);
        let (id, team) = (shards::id_of(input.tree.as_deref(), text)?, super::team_of_input(input)?);
        let path = snapshot::place(&team, &id).filter(|path| stored.files.contains_key(path))?;
        Some(blank(&team, &id, path, Status::Kept))
    });
    kept.collect()
}

/// Snapshots whose mega-file is gone; only a run over the whole project can tell.
fn stale(state: &mut State<'_>, request: &SnapshotRequest, stored: &Stored) -> Vec<Comparison> {
    let run = &request.run;
    if !(state.set.is_whole && run.inputs.paths.is_empty() && run.teams.is_empty()) {
        return Vec::new();
    }
    let places = state.model.mega_files.iter().map(|mega| (id_key(&mega.id), snapshot::place(&mega.team, &mega.id)));
    let known: BTreeMap<String, Option<String>> = places.collect();
    let unreadable = shards::Unreadable::of(&state.set, &state.model);
    let mut stale = Vec::new();
    for path in stored.files.keys() {
        let Some((team, id)) = snapshot::owner(path) else { continue };
        // What does not begin as a snapshot is somebody else's.
        let Some(Ok(text)) = stored.text(path) else { continue };
        let is_gone = match known.get(&id_key(id)) {
            // It moved to another team, or its id is written in another way now.
            Some(place) => place.as_ref() != Some(path),
            None => !unreadable.may_be(team, id),
        };
        if !is_gone || text.lines().next() != Some(snapshot::VERSION_LINE) {
            continue;
        }
        let status = if request.action == Action::Update { Status::Removed } else { Status::Stale };
        stale.push(Comparison { old: Some(text), ..blank(team, id, path.clone(), status) });
    }
    let found = stale.iter().filter(|one| one.status == Status::Stale).map(|one| {
        let message = "no mega-file of the project belongs to this snapshot";
        let help = "`megax snapshot --update` removes it";
        Diagnostic::new(Code::SnapshotStale, message).about(one.path.clone()).help(help).team(one.team.clone())
    });
    state.findings.extend(found);
    stale
}

/// Writes and removes what the comparisons say; a failure leaves that snapshot as it is.
fn write(state: &mut State<'_>, stored: &Stored, comparisons: &mut [Comparison]) {
    for one in comparisons {
        let before = stored.files.get(&one.path).map(|bytes| Digest::of(bytes));
        let done: Result<(), DiskError> = match (one.status, &one.new, before) {
            (Status::New | Status::Updated, Some(new), _) => disk::write_snapshot(&stored.root, &one.path, before, new),
            (Status::Removed, _, Some(before)) => disk::remove_snapshot(&stored.root, &one.path, before),
            _ => continue,
        };
        if let Err(error) = done {
            state.findings.push(disk_finding(&error));
            one.status = Status::Kept;
        }
    }
}

pub(super) fn report(
    request: &SnapshotRequest,
    mut findings: Diagnostics,
    set: Option<SourceSet>,
    snapshots: Vec<Comparison>,
) -> SnapshotReport {
    if request.run.strict {
        super::hold::make_strict(&mut findings);
    }
    findings.sort();
    findings.collapse(MOST_ALIKE);
    findings.shorten(&super::limits_of(&request.run.inputs, set.as_ref()));
    let wrote = |one: &Comparison| matches!(one.status, Status::New | Status::Updated | Status::Removed);
    let own = if snapshots.iter().any(wrote) { Outcome::Done } else { Outcome::NothingToDo };
    let outcome = Outcome::with_errors(&findings, own);
    let manifest = set.as_ref().and_then(|set| Some(set.sources.name(set.manifest.as_ref()?.file).to_owned()));
    let root = set.as_ref().map_or_else(String::new, |set| shown(&set.root, &request.run.inputs.current));
    let sources = set.map(|set| set.sources).unwrap_or_default();
    SnapshotReport { outcome, action: request.action, manifest, root, snapshots, diagnostics: findings, sources }
}

fn shown(path: &Path, current: &Path) -> String {
    display(path, current)
}
