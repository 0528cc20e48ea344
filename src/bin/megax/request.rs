//! From arguments, environment and current folder to a request of the library.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use megax::change::Policy;
use megax::digest::Digest;
use megax::disk::Durability;
use megax::limit::Limit;
use megax::pipeline::{ApplyRequest, Request, SnapshotRequest};
use megax::report::snapshot::Action;
use megax::report::{Command, Mode};
use megax::snapshot::Texts;
use megax::source;

use crate::args::{
    self, Apply, Choices, Expand, Inputs, Manner, OnEdit, Plan, Roots, Selection, Snapshot, Status, Where,
};
use crate::bounds::Bounds;
use crate::watch::Watch;

/// The request of `expand`, or what is wrong with the arguments.
pub fn expand(args: &Expand) -> Result<Request, String> {
    let mode = if args.check || args.diff {
        Mode::Check
    } else if args.dry_run {
        Mode::DryRun
    } else {
        Mode::Write
    };
    let mut request = common(&args.inputs.selection, args.inputs.out.as_ref(), Command::Expand, mode)?;
    request.diff = args.diff;
    choose(&mut request, &args.choices);
    request.wait = args.wait;
    request.durability = durability(args.durability)?;
    request.expect_tree = args.expect_tree.as_deref().map(digest).transpose()?;
    Ok(request)
}

/// The request of `plan`, or what is wrong with the arguments.
pub fn plan(args: &Plan) -> Result<Request, String> {
    let mut request = common(&args.inputs.selection, args.inputs.out.as_ref(), Command::Plan, Mode::DryRun)?;
    choose(&mut request, &args.choices);
    request.plan_file = Some(args.file.clone());
    Ok(request)
}

fn choose(request: &mut Request, choices: &Choices) {
    request.only.clone_from(&choices.only);
    request.all_or_nothing = choices.all_or_nothing;
    request.on_edit = choices.on_edit.map(policy);
    request.conflict_markers = choices.conflict_markers;
    request.allow_deletes = choices.allow_deletes;
}

/// Where the project and the output root are.
pub fn place(place: &Where) -> Result<source::Request, String> {
    inputs(&place.roots)
}

/// The project that the options name, or the one around the current folder.
pub fn inputs(roots: &Roots) -> Result<source::Request, String> {
    let (manifest, out) = (roots.manifest.clone(), roots.out.clone());
    Ok(source::Request { current: current()?, manifest, out, ..source::Request::default() })
}

/// The request of `apply`.
pub fn apply(args: &Apply) -> Result<ApplyRequest, String> {
    Ok(ApplyRequest {
        file: args.file.clone(),
        current: current()?,
        jobs: jobs(args.jobs),
        holder: holder(),
        durability: durability(args.durability)?,
        wait: args.wait,
    })
}

fn policy(typed: OnEdit) -> Policy {
    match typed {
        OnEdit::Fail => Policy::Fail,
        OnEdit::Keep => Policy::Keep,
        OnEdit::Overwrite => Policy::Overwrite,
        OnEdit::Merge => Policy::Merge,
    }
}

/// The request of `validate`.
pub fn validate(inputs: &Inputs) -> Result<Request, String> {
    common(&inputs.selection, inputs.out.as_ref(), Command::Validate, Mode::Validate)
}

/// The request of every run of `watch`.
pub fn watch(args: &Watch) -> Result<Request, String> {
    let (command, mode) =
        if args.expand { (Command::Expand, Mode::Write) } else { (Command::Validate, Mode::Validate) };
    let mut request = common(&args.inputs.selection, args.inputs.out.as_ref(), command, mode)?;
    request.durability = durability(None)?;
    Ok(request)
}

/// The request of `snapshot`, or what is wrong with the arguments.
pub fn snapshot(args: &Snapshot) -> Result<SnapshotRequest, String> {
    let action = if args.check {
        Action::Check
    } else if args.update {
        Action::Update
    } else {
        Action::Add
    };
    let texts = Texts::of(&args.texts).map_err(|why| format!("`--text`: {why}"))?;
    Ok(SnapshotRequest { run: common(&args.selection, None, Command::Snapshot, Mode::Validate)?, action, texts })
}

/// The request of the first snapshot of a new project.
pub fn first_snapshot(root: PathBuf) -> SnapshotRequest {
    let inputs = source::Request { current: root, ..source::Request::default() };
    let run = Request::new(Command::Snapshot, Mode::Validate, inputs);
    SnapshotRequest { run, action: Action::Add, texts: None }
}

/// The request of `status`: a dry run over the whole project.
pub fn status(args: &Status) -> Result<Request, String> {
    Ok(in_manner(&args.manner, Request::new(Command::Status, Mode::DryRun, inputs(&args.roots)?)))
}

fn common(selection: &Selection, out: Option<&PathBuf>, command: Command, mode: Mode) -> Result<Request, String> {
    let inputs = source::Request {
        paths: selection.paths.clone(),
        current: current()?,
        manifest: selection.manifest.clone(),
        out: out.cloned(),
        ..source::Request::default()
    };
    let teams = selection.teams.clone();
    Ok(Request { teams, ..in_manner(&selection.manner, Request::new(command, mode, inputs)) })
}

/// A request with what was typed of how a run looks at the project.
pub fn in_manner(manner: &Manner, mut request: Request) -> Request {
    request.inputs.limits = limits(&manner.bounds);
    Request { jobs: jobs(manner.jobs), strict: manner.strict, holder: holder(), ..request }
}

/// The limits that were typed; of two values for one the last counts.
pub fn limits(bounds: &Bounds) -> BTreeMap<Limit, u64> {
    bounds.limits.iter().copied().collect()
}

/// The level that was typed, else that of the environment, else full.
#[expect(clippy::disallowed_methods, reason = "the command is where the environment is read")]
pub fn durability(typed: Option<args::Durability>) -> Result<Durability, String> {
    let named = std::env::var("MEGAX_DURABILITY").ok().filter(|named| !named.is_empty());
    Ok(match (typed, named.as_deref()) {
        (Some(args::Durability::Full), _) | (None, None | Some("full")) => Durability::Full,
        (Some(args::Durability::Process), _) | (None, Some("process")) => Durability::Process,
        (None, Some(other)) => {
            return Err(format!("MEGAX_DURABILITY is `{other}`; the levels are `full` and `process`"));
        }
    })
}

/// How many threads the machine has for this process. Asked first in `main`: a process that is confined cannot read all
/// that counts for it.
pub fn threads() -> Option<usize> {
    static THREADS: OnceLock<Option<usize>> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().ok().map(usize::from))
}

/// The threads that were asked for, here or in the environment of the thread pool; else all.
pub fn jobs(typed: Option<u16>) -> Option<usize> {
    let is_set = std::env::var_os("RAYON_NUM_THREADS").is_some();
    typed.map(usize::from).or_else(|| threads().filter(|_| !is_set))
}

/// Whether the process keeps all its rights: as typed, else as the environment says.
#[expect(clippy::disallowed_methods, reason = "the command is where the environment is read")]
pub fn no_sandbox(typed: bool) -> Result<bool, String> {
    match std::env::var("MEGAX_NO_SANDBOX").as_deref() {
        _ if typed => Ok(true),
        Err(_) | Ok("" | "0") => Ok(false),
        Ok("1") => Ok(true),
        Ok(other) => Err(format!("MEGAX_NO_SANDBOX is `{other}`; it is `1`, or `0`")),
    }
}

/// The team that was typed, else that of the environment: an agent's window has one.
#[expect(clippy::disallowed_methods, reason = "the command is where the environment is read")]
pub fn team(typed: Option<&String>) -> Result<Option<String>, String> {
    match (typed, std::env::var("MEGAX_TEAM")) {
        (Some(typed), _) => Ok(Some(typed.clone())),
        (None, Ok(named)) => Ok(Some(named).filter(|named| !named.is_empty())),
        (None, Err(std::env::VarError::NotPresent)) => Ok(None),
        (None, Err(error)) => Err(format!("MEGAX_TEAM cannot be read: {error}")),
    }
}

/// The current folder.
#[expect(clippy::disallowed_methods, reason = "the command is where paths start")]
pub fn current() -> Result<PathBuf, String> {
    std::env::current_dir().map_err(|error| format!("the current folder cannot be used: {error}"))
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| format!("`--expect-tree {text}`: a tree digest is 64 hexadecimal digits"))
}

/// Who runs: what another run is told when it finds the team taken.
pub fn holder() -> String {
    let command: Vec<String> = std::env::args().take(4).collect();
    format!("process {} (`{}`)", std::process::id(), command.join(" "))
}
