//! What each command needs of the file system: where it reads, and where it writes.

use std::path::{Path, PathBuf};

use megax::hooks;
use megax::pipeline::Request;
use megax::snapshot;
use megax::source::read::real;
use megax::source::{self, Places, places};

use crate::args::{Command, Expand, Inputs, Roots, Selection, Where};
use crate::history::CheckpointAction;
use crate::request;
use crate::sandbox::Needs;

/// What a command needs; `None` if that cannot be told: then it ends before it reads a mega-file.
pub fn needs(command: &Command) -> Option<Needs> {
    match command {
        Command::Expand(args) if reads_only(args) => of_inputs(&args.inputs, reads),
        Command::Expand(args) => of_inputs(&args.inputs, writes_out),
        Command::Plan(args) => {
            let file = request::current().ok()?.join(&args.file);
            of_inputs(&args.inputs, |places| writes(places, file.parent().unwrap_or(Path::new("/"))))
        }
        // Where it writes is in the plan.
        Command::Apply(_) => Some(Needs::everywhere()),
        Command::Validate(args) => of_inputs(&args.inputs, reads),
        Command::Watch(args) if args.expand => of_inputs(&args.inputs, writes_out),
        Command::Watch(args) => of_inputs(&args.inputs, reads),
        Command::Snapshot(args) if args.check => of_selection(&args.selection, None, reads),
        Command::Snapshot(args) => of_selection(&args.selection, None, |places| {
            writes(places, &folder_of(&places.root, snapshot::FOLDER).unwrap_or_else(|| places.root.clone()))
        }),
        Command::Status(args) => of_roots(&args.roots, reads),
        Command::Review(args) => {
            let current = request::current().ok()?;
            let file = args.integration_manifest.as_ref().map(|file| current.join(file));
            of_roots(&args.roots, |places| {
                let mut needs = if args.lock || args.unlock { writes_out(places) } else { reads(places) };
                needs.writes.extend(file.iter().filter_map(|file| file.parent()).map(Path::to_path_buf));
                needs
            })
        }
        Command::Explain(args) => of_roots(&args.roots, reads),
        Command::Doctor(args) => of_place(&args.place, |places| {
            let transactions = folder_of(&places.out, ".megax/txn");
            transactions.map_or_else(|| reads(places), |folder| writes(places, &folder))
        }),
        Command::Log(args) => of_place(&args.place, reads),
        Command::Checkpoint(args) => match &args.action {
            CheckpointAction::List { place } => of_place(place, reads),
            CheckpointAction::Create { place, .. } | CheckpointAction::Delete { place, .. } => {
                of_place(place, writes_out)
            }
        },
        Command::Recover(args) => of_place(&args.place, writes_out),
        Command::Undo(args) => of_place(&args.place, writes_out),
        Command::Rollback(args) => of_place(&args.place, writes_out),
        Command::Gc(args) => of_place(&args.place, writes_out),
        Command::Repair(args) => of_place(&args.place, writes_out),
        Command::Detach(args) => of_place(&args.place, writes_out),
        Command::Adopt(args) => of_place(&args.place, writes_out),
        Command::Brief(args) => at(args.manifest.as_ref(), None, |places| match &args.all {
            Some(folder) => writes(places, &request::current().unwrap_or_default().join(folder)),
            None if args.templates => writes(places, &places.root),
            None => reads(places),
        }),
        Command::Init(args) => {
            let root = request::current().ok()?.join(&args.dir);
            Some(Needs { reads: Vec::new(), writes: vec![root] })
        }
        Command::New(args) => at(args.manifest.as_ref(), None, writes_out),
        // A server stays: where no project can be told, it is confined to its folder.
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => of_roots(&args.roots, writes_out).or_else(|| {
            let current = request::current().ok()?;
            Some(Needs { reads: Vec::new(), writes: vec![current] })
        }),
        // The project may be that of the file, and an agent names files anywhere.
        Command::Guard(args) if args.hook.is_some() || args.paths.iter().any(|path| leads_out(path)) => {
            Some(Needs { reads: vec![PathBuf::from("/")], writes: Vec::new() })
        }
        Command::Guard(args) => of_place(&args.place, reads),
        Command::Hooks(args) => {
            let (manifest, writes) = (args.action.options().manifest.as_ref(), args.action.writes());
            at(manifest, None, |places| {
                let mut all = hooks::places(&places.root);
                all.push(places.root.clone());
                if writes { Needs { reads: Vec::new(), writes: all } } else { Needs { reads: all, writes: Vec::new() } }
            })
        }
        Command::Schema(_) | Command::Completions(_) => Some(Needs::default()),
        Command::Man(args) => {
            let folder = args.dir.as_ref().and_then(|dir| Some(request::current().ok()?.join(dir)));
            Some(Needs { reads: Vec::new(), writes: folder.into_iter().collect() })
        }
    }
}

/// Whether a path may lead out of the project.
fn leads_out(path: &str) -> bool {
    Path::new(path).is_absolute() || path.starts_with("..")
}

/// What the request of a saved plan needs.
pub fn of_request(request: &Request) -> Option<Needs> {
    let places = places(&request.inputs).ok()?;
    let mut needs = writes_out(&places);
    needs.reads.extend(request.plan_file.iter().filter_map(|file| {
        let file = request.inputs.current.join(file);
        file.parent().map(Path::to_path_buf)
    }));
    Some(needs)
}

fn reads_only(args: &Expand) -> bool {
    args.dry_run || args.check || args.diff
}

fn of_inputs(inputs: &Inputs, needs: impl FnOnce(&Places) -> Needs) -> Option<Needs> {
    of_selection(&inputs.selection, inputs.out.as_ref(), needs)
}

fn of_selection(selection: &Selection, out: Option<&PathBuf>, needs: impl FnOnce(&Places) -> Needs) -> Option<Needs> {
    of(selection.paths.clone(), selection.manifest.as_ref(), out, needs)
}

fn of_place(place: &Where, needs: impl FnOnce(&Places) -> Needs) -> Option<Needs> {
    of_roots(&place.roots, needs)
}

fn of_roots(roots: &Roots, needs: impl FnOnce(&Places) -> Needs) -> Option<Needs> {
    at(roots.manifest.as_ref(), roots.out.as_ref(), needs)
}

fn at(manifest: Option<&PathBuf>, out: Option<&PathBuf>, needs: impl FnOnce(&Places) -> Needs) -> Option<Needs> {
    of(Vec::new(), manifest, out, needs)
}

fn of(
    paths: Vec<String>,
    manifest: Option<&PathBuf>,
    out: Option<&PathBuf>,
    needs: impl FnOnce(&Places) -> Needs,
) -> Option<Needs> {
    let current = request::current().ok()?;
    let request = source::Request {
        paths,
        current,
        manifest: manifest.cloned(),
        out: out.cloned(),
        ..source::Request::default()
    };
    Some(needs(&places(&request).ok()?))
}

/// A folder of a tree, if it is there and no symlink leads to it: a rule would hold where the symlink leads.
fn folder_of(root: &Path, name: &str) -> Option<PathBuf> {
    let folder = real(root).join(name);
    (folder.is_dir() && real(&folder) == folder).then_some(folder)
}

/// Nothing is written.
fn reads(places: &Places) -> Needs {
    let reads = [&places.root, &places.out].into_iter().chain(&places.named).cloned().collect();
    Needs { reads, writes: Vec::new() }
}

/// Something is written below a folder.
fn writes(places: &Places, folder: &Path) -> Needs {
    Needs { writes: vec![folder.to_owned()], ..reads(places) }
}

/// Something is written below the output root.
fn writes_out(places: &Places) -> Needs {
    writes(places, &places.out)
}
