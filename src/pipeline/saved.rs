//! `plan` and `apply`: a run's change set as a file, and a run that writes only what such a file holds.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::apply::disk_finding;
use super::inputs::{ENGINE, copies, inputs_digest};
use super::{Reads, Request, Run, State, facts, run};
use crate::change::{ChangeSet, Reason};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::{Digest, with_lf};
use crate::disk::{self, Durability};
use crate::event::Watcher;
use crate::path::OutputPath;
use crate::report::{Command, Mode};
use crate::saved::{Asked, MAX_BYTES, SavedPlan};
use crate::snapshot;
use crate::source::load::{display, normal};
use crate::source::{self, read};

/// So many things that moved are named.
const SHOWN_MOVES: usize = 5;

/// What `megax apply` is asked to do.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The saved plan, absolute or relative to `current`.
    pub file: PathBuf,
    /// The folder that relative paths start from.
    pub current: PathBuf,
    /// Threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// Who runs, for the team guard.
    pub holder: String,
    /// What a commit must survive.
    pub durability: Durability,
    /// Wait for another run that holds a team.
    pub wait: bool,
}

/// Does the request of a saved plan again, and writes if exactly the saved changes come out. Never fails: everything
/// that goes wrong is a finding in the report.
#[must_use]
pub fn apply_plan(asked: &ApplyRequest, watcher: &dyn Watcher) -> Run {
    match request_of_plan(asked) {
        Ok(request) => run(&request, watcher),
        Err(run) => *run,
    }
}

/// The request that [`apply_plan`] does: reads the saved plan, and nothing else.
///
/// # Errors
/// The run that ends with it: there is no such plan.
pub fn request_of_plan(asked: &ApplyRequest) -> Result<Request, Box<Run>> {
    let inputs = source::Request { current: asked.current.clone(), ..source::Request::default() };
    let mut request = Request {
        jobs: asked.jobs,
        holder: asked.holder.clone(),
        durability: asked.durability,
        wait: asked.wait,
        plan_file: Some(asked.file.clone()),
        ..Request::new(Command::Apply, Mode::Write, inputs)
    };
    match read_plan(&asked.current.join(&asked.file), &asked.file) {
        Ok(plan) => {
            take_over(&mut request, &plan.asked);
            request.must_equal = Some(Arc::new(plan));
            Ok(request)
        }
        Err(finding) => {
            let findings = Diagnostics::from_iter([finding]);
            let report = facts::without_inputs(&request, (findings, None));
            Err(Box::new(Run { report, diff: None, plan: None, reads: Reads::default() }))
        }
    }
}

fn read_plan(path: &Path, shown: &Path) -> Result<SavedPlan, Diagnostic> {
    let bad = |why: String| {
        let message = format!("`{}` is no plan that can be applied: {why}", shown.display());
        Diagnostic::new(Code::BadPlan, message).help("a plan is never edited; make a new one with `megax plan -o FILE`")
    };
    let bytes = read::bytes(path, MAX_BYTES).map_err(|finding| finding.about(shown.display().to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8 text".to_owned()))?;
    SavedPlan::parse(&text).map_err(|error| bad(error.to_string()))
}

fn take_over(request: &mut Request, asked: &Asked) {
    request.inputs.paths.clone_from(&asked.paths);
    request.inputs.manifest = asked.manifest.as_ref().map(PathBuf::from);
    request.inputs.out = asked.out.as_ref().map(PathBuf::from);
    request.teams.clone_from(&asked.teams);
    request.only.clone_from(&asked.only);
    request.on_edit = asked.on_edit;
    request.conflict_markers = asked.conflict_markers;
    request.allow_deletes = asked.allow_deletes;
    request.inputs.limits.clone_from(&asked.limits);
    request.strict = asked.strict;
    request.all_or_nothing = asked.all_or_nothing;
}

/// The request in words; what is no text is left out, and [`save`] refuses it.
fn asked(request: &Request) -> Asked {
    let text = |path: &Option<PathBuf>| path.as_ref().and_then(|path| path.to_str()).map(str::to_owned);
    Asked {
        paths: request.inputs.paths.clone(),
        teams: request.teams.clone(),
        only: request.only.clone(),
        manifest: text(&request.inputs.manifest),
        out: text(&request.inputs.out),
        on_edit: request.on_edit,
        conflict_markers: request.conflict_markers,
        allow_deletes: request.allow_deletes,
        limits: request.inputs.limits.clone(),
        strict: request.strict,
        all_or_nothing: request.all_or_nothing,
    }
}

/// The plan that these changes are.
pub fn plan_of(state: &State<'_>, changes: &ChangeSet) -> SavedPlan {
    let copies = copies(state);
    let expanded = state.model.mega_files.iter().filter(|mega| mega.selected && !state.is_held(&mega.team));
    let mega_files = expanded.map(|mega| {
        let inputs = state.only.is_none().then(|| inputs_digest(state, mega, &copies));
        ((mega.team.clone(), mega.id.clone()), inputs)
    });
    let texts = state.set.sources.iter();
    let inputs = texts.map(|(_, file)| (file.name().to_owned(), Digest::of(with_lf(file.text()).as_bytes())));
    let current = &state.request.inputs.current;
    let plan = SavedPlan {
        engine: ENGINE.to_owned(),
        root: relative(&state.set.root, current),
        out: relative(&state.set.out, current),
        tree: facts::tree(state),
        asked: asked(state.request),
        mega_files: mega_files.collect(),
        inputs: inputs.collect(),
        files: std::collections::BTreeMap::new(),
        shards: std::collections::BTreeMap::new(),
    };
    plan.with(changes)
}

/// A path as it is reached from a folder, with `..` where need be.
fn relative(path: &Path, from: &Path) -> String {
    let (path, from) = (normal(path), normal(from));
    let alike = path.components().zip(from.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(alike).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(path.components().skip(alike)).collect();
    display(&way, Path::new(""))
}

/// Whether a run must not write because other changes come out than its saved plan holds; says so, and holds all. The
/// same plan applied once more is not stale: nothing is left to do.
pub fn is_stale(state: &mut State<'_>, changes: &ChangeSet) -> bool {
    let Some(then) = state.request.must_equal.clone() else { return false };
    let now = plan_of(state, changes);
    if then.does_the_same(&now) || is_applied(state, &then, &now) {
        return false;
    }
    // A plan with a tree was made while no team was held.
    let (concerned, none_was_held) = (then.teams(), then.tree.is_some());
    let held = state.held.iter().filter(|(team, _)| none_was_held || concerned.contains(team.as_str()));
    let mut moved: Vec<String> = held.map(|(team, why)| format!("team {team} is held: {why}")).collect();
    let mut rest = without(&then, |team| state.is_held(team));
    if !moved.is_empty() {
        rest.tree = now.tree;
    }
    moved.extend(rest.moved(&now));
    let file = state.request.plan_file.as_deref().unwrap_or(Path::new("")).display();
    let mut finding = Diagnostic::new(Code::StalePlan, format!("the plan `{file}` is stale, and nothing is written"));
    for what in moved.iter().take(SHOWN_MOVES) {
        finding = finding.related(None, what.clone());
    }
    if moved.len() > SHOWN_MOVES {
        finding = finding.related(None, format!("and {} more", moved.len() - SHOWN_MOVES));
    }
    let help = "review a new plan: `megax plan -o FILE` with the same options, in the same folder";
    state.findings.push(finding.help(help));
    state.hold();
    true
}

/// A plan without what it holds of some teams.
fn without(plan: &SavedPlan, is_held: impl Fn(&str) -> bool) -> SavedPlan {
    let mut plan = plan.clone();
    plan.files.retain(|_, file| !is_held(&file.team));
    plan.shards.retain(|path, _| !path.split('/').nth(2).is_some_and(&is_held));
    plan.mega_files.retain(|(team, _), _| !is_held(team));
    plan
}

/// Whether everything that a plan holds was done already.
fn is_applied(state: &State<'_>, then: &SavedPlan, now: &SavedPlan) -> bool {
    let on_disk = |path: &str| {
        let text = state.shards.texts.iter().find(|(place, _)| place == path);
        text.map(|(_, text)| Digest::of(text.as_bytes()))
    };
    // The markers that the plan itself wrote hold the team until somebody chooses.
    let tree = if is_held_by_markers(state) { facts::rendered_tree(state) } else { now.tree };
    let same_run = (&then.engine, &then.root, &then.out, then.tree) == (&now.engine, &now.root, &now.out, tree);
    same_run && now.is_empty() && then.shards.iter().all(|(path, shard)| on_disk(path) == shard.after)
}

/// Whether nothing holds a team but conflict markers that nobody has taken away yet.
fn is_held_by_markers(state: &State<'_>) -> bool {
    let mut failed = state.merges.values().filter_map(|attempt| attempt.outcome.as_ref().err());
    let mut errors = state.findings.iter().filter(|finding| finding.is_error());
    errors.all(|finding| finding.code == Code::MergeConflict)
        && failed.all(|reason| matches!(reason, Reason::Unresolved(_)))
}

/// Writes the plan of a run to its file, if it has one; whether it was written. What keeps it from that is a finding.
pub fn save(state: &mut State<'_>, plan: &SavedPlan) -> bool {
    let Some(file) = state.request.plan_file.clone() else { return false };
    let path = normal(&state.request.inputs.current.join(&file));
    let saved = place(state, Document::Plan, &file, &path).and_then(|(folder, name)| {
        disk::write_plan(&folder, &name, &plan.to_text())
            .map_err(|error| disk_finding(&error).help("the plan is not saved; choose another FILE with `-o`"))
    });
    if let Err(finding) = saved {
        state.findings.push(finding);
        return false;
    }
    true
}

/// What is saved where somebody asks for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Of `megax plan`.
    Plan,
    /// Of `megax review`.
    IntegrationManifest,
}

/// The folder and name of a document's file, if one may lie there.
pub fn place(
    state: &State<'_>,
    document: Document,
    shown: &Path,
    path: &Path,
) -> Result<(PathBuf, String), Diagnostic> {
    let shown = shown.display();
    let refused = |why: &str| {
        let (code, what, help) = match document {
            Document::Plan => (Code::BadPlan, "plan", "choose another FILE with `-o`, such as `next.plan`"),
            Document::IntegrationManifest => {
                (Code::CannotSave, "integration manifest", "choose another FILE, such as `integration-manifest.yaml`")
            }
        };
        Diagnostic::new(code, format!("the {what} cannot be saved as `{shown}`: {why}")).help(help)
    };
    let texts = [&state.request.inputs.manifest, &state.request.inputs.out].into_iter().flatten();
    if texts.into_iter().any(|path| path.to_str().is_none()) {
        return Err(refused("a path of the request is not UTF-8 text"));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(refused("that names no file"));
    };
    let folder = read::real(parent);
    let real = folder.join(name);
    let is_own = |part: Component<'_>| [".megax", ".git"].iter().any(|own| part.as_os_str().eq_ignore_ascii_case(own));
    if real.components().any(is_own) {
        return Err(refused("`.megax` and `.git` are no place for it"));
    }
    let root = &state.set.root;
    let inputs = [state.set.folder.clone(), root.join(source::TEMPLATES), root.join(snapshot::FOLDER)];
    // Without a folder of mega-files of their own they may lie in the root, which holds much else.
    if inputs
        .iter()
        .map(|folder| read::real(folder))
        .any(|folder| !root.starts_with(&folder) && real.starts_with(folder))
    {
        return Err(refused("it would lie among the inputs of megax"));
    }
    let below = real.strip_prefix(read::real(&state.set.out)).ok().map(|below| display(below, Path::new("")));
    let key = below.and_then(|below| OutputPath::parse(&below).ok()).map(|below| below.key());
    let planned = state.plan.files.iter().map(|file| &file.path);
    let planned = planned.chain(state.plan.neighbours.iter().map(|claim| &claim.path));
    let recorded = state.shards.all.iter().flat_map(|shard| shard.lockfile.entries.keys());
    let is_at = |path: &OutputPath| {
        let (one, other) = (path.key(), key.as_ref());
        other.is_some_and(|other| one == *other || one.as_str().starts_with(&format!("{}/", other.as_str())))
    };
    if let Some(path) = planned.chain(recorded).find(|path| is_at(path)) {
        return Err(refused(&format!("the output file `{path}` belongs there")));
    }
    Ok((folder, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_where_one_stands() {
        for (path, from, expected) in [
            ("/p", "/p", "."),
            ("/p/out", "/p", "out"),
            ("/p", "/p/a/b", "../.."),
            ("/p/x", "/p/a", "../x"),
            ("/p/./a/../x", "/p/y/..", "x"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(from)), expected, "{path} from {from}");
        }
    }
}
