//! The order of the stages, and nothing else: `source -> model -> plan -> output -> verify -> change -> disk`, then
//! the facts for `report`. The only module that knows all the others.

mod apply;
mod drift;
mod explain;
mod facts;
mod hold;
mod only;
mod shards;
mod sink;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;
mod validity;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::Policy;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::digest::Digest;
use crate::event::{Event, Watcher};
use crate::glob::PathPattern;
use crate::model::{Content, Model};
use crate::name::team_name;
use crate::output::Rendered;
use crate::path::OutputPath;
use crate::plan::{Assets, Plan, Reserved};
use crate::report::{Command, Mode, Report};
use crate::source::{self, Limits, SourceSet};
use crate::template::forms;
use crate::{disk, model, output, plan, verify};

pub use explain::{Explanation, explain};
pub use snapshot::{SnapshotRequest, snapshot};
pub use status::status;

/// Stack of a render thread: the engine recurses with the nesting of a template.
const STACK_BYTES: usize = 32 << 20;
/// Most bytes of a file that is copied.
const MAX_ASSET_BYTES: usize = 64 << 20;

/// What a run is asked to do. Nothing is taken from the environment.
#[derive(Debug, Clone)]
pub struct Request {
    /// For the report.
    pub command: Command,
    /// What to read.
    pub inputs: source::Request,
    /// How far to go.
    pub mode: Mode,
    /// Make a unified diff of what would change.
    pub diff: bool,
    /// Only mega-files of these teams; empty: all.
    pub teams: Vec<String>,
    /// Only output files that match one of these patterns ([`PathPattern`]); empty: all. One that matches no planned file
    /// is an error.
    pub only: Vec<String>,
    /// Threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// Warnings are errors.
    pub strict: bool,
    /// One held team holds all.
    pub all_or_nothing: bool,
    /// What to do with edited and foreign files.
    pub on_edit: Policy,
    /// The tree digest that must come out.
    pub expect_tree: Option<Digest>,
    /// Who runs, for the team guard: process and command.
    pub holder: String,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// The facts.
    pub report: Report,
    /// The unified diff, if it was asked for.
    pub diff: Option<String>,
}

/// Everything that a run has found out before it touches the output.
struct State<'r> {
    request: &'r Request,
    set: SourceSet,
    model: Model,
    plan: Plan,
    findings: Diagnostics,
    /// The selected teams.
    teams: BTreeSet<String>,
    /// Teams that write nothing, and why.
    held: BTreeMap<String, String>,
    shards: shards::Shards,
    root: Option<disk::Root>,
    only: Option<Vec<PathPattern>>,
    rendered: Vec<Rendered>,
}

/// Runs the pipeline. Never fails: everything that goes wrong is a finding in the report.
#[must_use]
pub fn run(request: &Request, watcher: &dyn Watcher) -> Run {
    on_threads(request.jobs, || run_here(request, watcher))
}

/// Does work on threads of its own.
fn on_threads<T: Send>(jobs: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).stack_size(STACK_BYTES).build() {
        Ok(pool) => pool.install(work),
        // Without threads of our own the machine is short of memory; the stages still work on the caller's.
        Err(_) => work(),
    }
}

fn run_here(request: &Request, watcher: &dyn Watcher) -> Run {
    // The inflector's many patterns are compiled at their first use; here that goes on while the inputs are read.
    rayon::spawn(|| drop(forms::plural("item")));
    let mut state = match resolve(request, watcher) {
        Ok(state) => state,
        Err(findings) => return Run { report: facts::without_inputs(request, *findings), diff: None },
    };
    state.hold();
    watcher.on_event(Event::Planned { files: state.plan.files.len() });
    let changes = if request.mode == Mode::Validate {
        state.rendered = output::render(&state.plan.files, &sink::Discard::new(&state), watcher);
        state.inspect();
        None
    } else {
        Some(apply::run(&mut state, watcher))
    };
    let diff = changes.as_ref().filter(|_| request.diff).map(|changes| facts::diff(&state, changes));
    Run { report: facts::report(state, changes.as_ref()), diff }
}

/// Reads, understands and plans.
fn resolve<'r>(
    request: &'r Request,
    watcher: &dyn Watcher,
) -> Result<State<'r>, Box<(Diagnostics, Option<SourceSet>)>> {
    let only = only::parse(&request.only).map_err(|findings| Box::new((findings, None)))?;
    let load = if request.command == Command::Status { source::load_or_none } else { source::load };
    let mut set = load(&request.inputs, &Limits::default()).map_err(|findings| Box::new((findings, None)))?;
    watcher.on_event(Event::Loaded { mega_files: set.mega_files.len() });
    if let Err(finding) = select_teams(&mut set, &request.teams) {
        return Err(Box::new((std::iter::once(finding).collect(), Some(set))));
    }
    let mut findings = std::mem::take(&mut set.findings);
    let (model, found) = model::build(&set);
    findings.extend(found);
    if model.manifest.is_none() && set.manifest.is_none() {
        let message = "no manifest (megax.yaml) was found, so boundaries are off";
        findings.push(Diagnostic::new(Code::NoManifest, message));
    }
    let assets = assets(&model, &set);
    // A snapshot is about mega-files alone.
    let looks = request.command != Command::Snapshot;
    let (root, shards) = if looks { shards::read(&set.out, &mut findings) } else { (None, Vec::new()) };
    let teams = selected_teams(&set, &model);
    let shards = shards::classify(shards, &set, &model, &teams, &mut findings);
    let (plan, found) = plan::resolve(&model, &set.sources, &assets, &shards.claims, &shards.records, &reserved(&set));
    findings.extend(found);
    // While something is broken, the file that was meant may be missing for that reason.
    if let (Some(only), false) = (&only, findings.has_errors()) {
        let missed = only::unmatched("--only", only, &plan.files.iter().map(|file| &file.path));
        if !missed.is_empty() {
            return Err(Box::new((missed, Some(set))));
        }
    }
    if plan.files.is_empty() && !findings.has_errors() && request.command != Command::Status {
        let message = "the run yields no file";
        findings.push(Diagnostic::new(Code::NoOutput, message).help("see the warnings for rules that yield nothing"));
    }
    let held = BTreeMap::new();
    Ok(State { request, set, model, plan, findings, teams, held, shards, root, only, rendered: Vec::new() })
}

impl State<'_> {
    /// Names the teams that may not write, from the findings so far.
    fn hold(&mut self) {
        if self.request.strict {
            hold::make_strict(&mut self.findings);
        }
        self.findings.sort();
        self.held = hold::held(&self.findings, &self.teams, self.request.all_or_nothing);
    }

    /// Whether a planned file is wanted by `--only`.
    fn is_wanted(&self, path: &OutputPath) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|pattern| pattern.matches(path.as_str())))
    }

    /// The team of a planned file.
    fn team_of(&self, file: &plan::PlannedFile) -> &str {
        self.model.mega_files.get(file.mega_file).map_or("", |mega| &mega.team)
    }

    fn is_held(&self, team: &str) -> bool {
        self.held.contains_key(team)
    }

    /// Turns failed renders into findings, compares declared numbers with made ones, and holds again.
    fn inspect(&mut self) {
        let mut outputs: BTreeMap<usize, verify::Outputs<'_>> = BTreeMap::new();
        let mut partial: BTreeSet<usize> = BTreeSet::new();
        let mut found = Vec::new();
        for (file, rendered) in self.plan.files.iter().zip(&self.rendered) {
            match rendered {
                Rendered::Done(facts) => outputs.entry(file.mega_file).or_default().files.push((&file.path, *facts)),
                Rendered::Failed(failure) => {
                    partial.insert(file.mega_file);
                    found.extend(hold::failed(self, file, failure));
                }
                Rendered::Skipped => {
                    partial.insert(file.mega_file);
                }
            }
        }
        for (index, mega) in self.model.mega_files.iter().enumerate() {
            let judged = mega.selected && !partial.contains(&index) && !self.is_held(&mega.team);
            if judged {
                found.extend(verify::inspect(mega, outputs.get(&index).unwrap_or(&verify::Outputs::default())));
            }
        }
        self.findings.extend(found);
        self.hold();
    }
}

/// The team of an input, as far as it can be told.
fn team_of_input(input: &source::Input) -> Option<String> {
    let tree = input.tree.as_ref();
    let named = tree.and_then(|tree| tree.text(tree.get(tree.root(), "team")?));
    named.map(team_name).or_else(|| input.team_hint.clone())
}

/// Leaves only the mega-files of the named teams selected.
fn select_teams(set: &mut SourceSet, teams: &[String]) -> Result<(), Diagnostic> {
    if teams.is_empty() {
        return Ok(());
    }
    let present: BTreeSet<String> =
        set.mega_files.iter().filter(|input| input.selected).filter_map(team_of_input).collect();
    for team in teams {
        if !present.contains(&team_name(team)) {
            let known: Vec<&str> = present.iter().map(String::as_str).collect();
            let message = format!("no selected mega-file belongs to team `{team}`");
            let help = format!("the teams of the selected mega-files are {}", known.join(", "));
            return Err(Diagnostic::new(Code::NoInput, message).about(format!("--team {team}")).help(help));
        }
    }
    let wanted: BTreeSet<String> = teams.iter().map(|team| team_name(team)).collect();
    for input in &mut set.mega_files {
        input.selected &= team_of_input(input).is_some_and(|team| wanted.contains(&team));
        if !input.selected && input.tree.is_none() {
            for finding in &mut input.findings {
                finding.severity = Severity::Warning;
                finding.teams.clear();
            }
        }
    }
    Ok(())
}

fn selected_teams(set: &SourceSet, model: &Model) -> BTreeSet<String> {
    let broken = set.mega_files.iter().filter(|input| input.selected).filter_map(team_of_input);
    let valid = model.mega_files.iter().filter(|mega| mega.selected).map(|mega| mega.team.clone());
    broken.chain(valid).collect()
}

/// The inputs of megax below the output root: no mega-file writes them. A folder of mega-files that is the output root,
/// or around it, leaves room for all but mega-files.
fn reserved(set: &SourceSet) -> Reserved {
    let mut reserved = Reserved::default();
    let manifests = source::load::MANIFEST_NAMES.iter().map(|name| set.root.join(name));
    let read = set.mega_files.iter().map(|input| input.file).chain(set.manifest.as_ref().map(|input| input.file));
    let read = read.map(|file| set.root.join(set.sources.name(file)));
    // Compared as the file system sees them: the output root may be reached through a symlink.
    let out = source::read::real(&set.out);
    for path in manifests.chain(read).chain([set.folder.clone()]) {
        if let Ok(below) = source::read::real(&path).strip_prefix(&out) {
            reserved.add(&source::load::display(below, std::path::Path::new("")));
        }
    }
    if let Ok(below) = source::read::real(&set.root.join(crate::snapshot::FOLDER)).strip_prefix(&out) {
        reserved.add_snapshots(&source::load::display(below, std::path::Path::new("")), crate::snapshot::ENDING);
    }
    reserved.every_yaml = out.starts_with(source::read::real(&set.folder)) && set.folder.starts_with(&set.root);
    reserved
}

/// Reads what the `copy:` entries name.
fn assets(model: &Model, set: &SourceSet) -> Assets {
    let mut assets = Assets::new();
    let entries = model.mega_files.iter().flat_map(|mega| &mega.rules).flat_map(|rule| &rule.entries);
    for entry in entries {
        let Content::Copy(named, _) = &entry.content else { continue };
        if !assets.contains_key(named) {
            let read = source::read::asset(&set.root, named, MAX_ASSET_BYTES);
            assets.insert(named.clone(), read.map(Arc::from));
        }
    }
    assets
}
