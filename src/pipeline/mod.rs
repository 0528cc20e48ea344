//! The order of the stages, and nothing else: `source -> model -> plan -> output -> verify -> change -> disk`, then
//! the facts for `report`. The only module that knows all the others.

mod apply;
mod brief;
mod brief_facts;
mod brief_files;
mod conflicts;
mod detach;
mod doctor;
mod drift;
mod explain;
mod facts;
mod fuse;
pub mod gave_up;
mod goals;
mod guard;
mod guards;
mod history;
mod hold;
mod inputs;
mod merging;
mod naming;
mod neighbours;
mod only;
mod orphans;
mod publish;
mod reads;
mod recovery;
mod repair;
mod reservations;
mod reserved;
mod review;
mod saved;
mod selection;
mod shards;
mod sink;
mod slots;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;
mod validity;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use self::guards::Guards;
use crate::change::{Attempt, Policies, Policy};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::Digest;
use crate::event::{Event, Watcher};
use crate::glob::PathPattern;
use crate::limit::{Limit, Limits};
use crate::merge::Merged;
use crate::model::{Content, EditPolicy, Model};
use crate::name::team_name;
use crate::output::Rendered;
use crate::path::OutputPath;
use crate::plan::{Assets, Plan};
use crate::report::{Command, Mode, Report};
use crate::saved::SavedPlan;
use crate::source::{self, Files, SourceSet};
use crate::template::forms;
use crate::{disk, model, plan, verify};

pub use brief::{BriefRequest, Which, brief};
pub use brief_files::save_briefs;
pub use detach::{DetachRequest, detach};
pub use doctor::{DoctorRequest, doctor};
pub use explain::{Explanation, explain};
pub use guard::{Edit, GuardRequest, InCommit, guard};
pub use history::{Asked, HistoryRequest, history};
pub use reads::Reads;
pub use recovery::recover;
pub use repair::{RepairRequest, repair};
pub use review::{ReviewRequest, review};
pub use saved::{ApplyRequest, apply_plan, request_of_plan};
pub use snapshot::{SnapshotRequest, snapshot};
pub use status::status;

/// Stack of a render thread: the engine recurses with the nesting of a template.
const STACK_BYTES: usize = 32 << 20;

/// What a run is asked to do. Nothing is taken from the environment.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
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
    /// What to do with edited and foreign files; `None`: what the manifest says, else [`Policy::Fail`].
    pub on_edit: Option<Policy>,
    /// Where edits are merged: write what conflicts between markers, instead of holding the team.
    pub conflict_markers: bool,
    /// The tree digest that must come out.
    pub expect_tree: Option<Digest>,
    /// Who runs, for the team guard: process and command.
    pub holder: String,
    /// What a commit must survive.
    pub durability: disk::Durability,
    /// So many files may a team delete although the fuse would hold it; `None`: the fuse decides.
    pub allow_deletes: Option<u64>,
    /// Wait for another run that holds a team, instead of holding the team.
    pub wait: bool,
    /// The saved plan: where it is saved ([`Command::Plan`]), or where it came from; absolute or relative to the current
    /// folder.
    pub plan_file: Option<PathBuf>,
    /// The changes that must come out; other ones write nothing.
    pub must_equal: Option<Arc<SavedPlan>>,
}

impl Request {
    /// A run that is asked nothing special.
    #[must_use]
    pub fn new(command: Command, mode: Mode, inputs: source::Request) -> Self {
        Self {
            command,
            inputs,
            mode,
            diff: false,
            teams: Vec::new(),
            only: Vec::new(),
            jobs: None,
            strict: false,
            all_or_nothing: false,
            on_edit: None,
            conflict_markers: false,
            expect_tree: None,
            holder: String::new(),
            durability: disk::Durability::default(),
            allow_deletes: None,
            wait: false,
            plan_file: None,
            must_equal: None,
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// The facts.
    pub report: Report,
    /// The unified diff, if it was asked for.
    pub diff: Option<String>,
    /// What would change, for [`Command::Plan`] unless every team is held; a later run can be held to it
    /// ([`Request::must_equal`]).
    pub plan: Option<SavedPlan>,
    /// What it read.
    pub reads: Reads,
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
    /// Teams whose files were published: nothing that is found later can hold them.
    written: BTreeSet<String>,
    shards: shards::Shards,
    root: Option<disk::Root>,
    only: Option<Vec<PathPattern>>,
    /// What `copy:` entries name.
    assets: Assets,
    /// What came of merging edits, by path, and the texts where there is one.
    merges: BTreeMap<OutputPath, Attempt>,
    merged: BTreeMap<OutputPath, Merged>,
    /// What the log calls what was written, by team.
    operations: BTreeMap<String, u64>,
    /// The stored inputs.
    stored: inputs::Stored,
    rendered: Vec<Rendered>,
    /// Checks of declared tests that do not hold, and hidden characters.
    seen: verify::Seen,
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
    let mut guards = Guards::new();
    let (mut state, mut changes) = loop {
        let mut state = match guards::ready(request, &mut guards, watcher) {
            Ok(state) => state,
            Err(unread) => {
                let reads = unread.1.as_ref().map(|set| Reads::of(set, &Assets::new())).unwrap_or_default();
                return Run { report: facts::without_inputs(request, *unread), diff: None, plan: None, reads };
            }
        };
        watcher.on_event(Event::Planned { files: state.plan.files.len() });
        if request.mode == Mode::Validate {
            let rendered = sink::render(&state, &sink::Discard::new(&state), watcher);
            state.take(rendered);
            state.inspect();
            break (state, None);
        }
        match apply::run(&mut state, guards, watcher) {
            Ok(changes) => break (state, Some(changes)),
            // The next attempt recovers first what the other run left.
            Err(held) => guards = held,
        }
    };
    let diff = changes.as_ref().filter(|_| request.diff).map(|changes| facts::diff(&state, changes));
    let all_held = state.teams.iter().all(|team| state.is_held(team));
    let plan = changes.as_mut().and_then(|changes| changes.plan.take()).filter(|_| !all_held);
    let is_saved = plan.as_ref().is_some_and(|plan| watcher.may_publish() && saved::save(&mut state, plan));
    let reads = Reads::of(&state.set, &state.assets);
    let mut report = facts::report(state, changes.as_ref());
    let plan_file = request.plan_file.as_ref().filter(|_| is_saved || request.must_equal.is_some());
    report.plan = plan_file.map(|file| source::load::display(file, &request.inputs.current));
    Run { report, diff, plan, reads }
}

/// Why the inputs could not be read, and what could be.
type Unread = Box<(Diagnostics, Option<SourceSet>)>;

/// Reads, understands and plans.
fn resolve<'r>(request: &'r Request, watcher: &dyn Watcher) -> Result<State<'r>, Unread> {
    let only = only::parse(&request.only).map_err(|findings| Box::new((findings, None)))?;
    // These speak of a project also while it has no mega-file.
    let may_be_empty = matches!(request.command, Command::Status | Command::Repair | Command::Brief | Command::Review);
    let may_be_left = selection::may_be_left(request);
    let load = if may_be_empty || may_be_left { source::load_or_none } else { source::load };
    let mut set = load(&request.inputs).map_err(|findings| Box::new((findings, None)))?;
    watcher.on_event(Event::Loaded { mega_files: set.mega_files.len() });
    let missing = selection::select_teams(&mut set, &request.teams);
    if let (Some((_, finding)), false) = (missing.first(), may_be_left) {
        return Err(Box::new((std::iter::once(finding.clone()).collect(), Some(set))));
    }
    let mut findings = std::mem::take(&mut set.findings);
    let (model, found) = model::build(&set);
    findings.extend(found);
    if model.manifest.is_none() && set.manifest.is_none() {
        let message = "no manifest (megax.yaml) was found, so boundaries are off";
        findings.push(Diagnostic::new(Code::NoManifest, message));
    }
    let assets = assets(&model, &set.files(), &set.limits);
    // A snapshot is about mega-files alone, and about whose a path is.
    let looks = request.command != Command::Snapshot;
    // Opened once: a root that only the second attempt opened would be written without its recovery.
    let opened = disk::Root::open(&set.out);
    let (root, texts) = if looks {
        if let Ok(root) = &opened {
            root.keep(vec![set.folder.clone()]);
        }
        findings.extend(opened.iter().flat_map(|root| recovery::first(request, root)));
        shards::read(opened, &mut findings)
    } else {
        (None, shards::read_reservations(opened, &mut findings))
    };
    let mut teams = selection::selected_teams(&set, &model);
    if may_be_left {
        let left = selection::left_teams(request, &texts, &set, &model);
        if let Some((_, finding)) = missing.into_iter().find(|(team, _)| !left.contains(team)) {
            return Err(Box::new((std::iter::once(finding).collect(), Some(set))));
        }
        if let Some(finding) = selection::nothing_is_left(request, &set, &left).filter(|_| !may_be_empty) {
            return Err(Box::new((std::iter::once(finding).collect(), Some(set))));
        }
        teams.extend(left);
    }
    let shards = shards::classify(texts, &set, &model, &teams, &mut findings);
    let seed = model.manifest.as_ref().map_or("", |manifest| &manifest.seed);
    let planned = std::sync::atomic::AtomicUsize::new(0);
    let around = plan::Around { sources: &set.sources, assets: &assets, seed, planned: &planned, limits: &set.limits };
    let (reserved, doubts) = (reserved::reserved(&set, root.as_ref()), slots::doubts(&set, &model));
    let ground = plan::Ground {
        shards: &shards.claims,
        records: &shards.records,
        reservations: &shards.reserved.reservations,
        reserved: &reserved,
        doubts: &doubts,
        manifest_is_broken: set.manifest.is_some() && model.manifest.is_none(),
    };
    let (plan, found) = plan::resolve(&model, &around, &ground);
    findings.extend(found);
    neighbours::address(&mut findings, &set, &model, &teams);
    // While something is broken, the file that was meant may be missing for that reason.
    if let (Some(only), false) = (&only, findings.has_errors()) {
        let missed = only::unmatched("--only", only, &plan.files.iter().map(|file| &file.path));
        if !missed.is_empty() {
            return Err(Box::new((missed, Some(set))));
        }
    }
    if plan.files.is_empty() && shards.gone.is_empty() && !findings.has_errors() && !may_be_empty {
        let message = "the run yields no file";
        findings.push(Diagnostic::new(Code::NoOutput, message).help("see the warnings for rules that yield nothing"));
    }
    let held = BTreeMap::new();
    Ok(State {
        request,
        set,
        model,
        plan,
        findings,
        teams,
        held,
        written: BTreeSet::new(),
        shards,
        root,
        only,
        assets,
        merges: BTreeMap::new(),
        merged: BTreeMap::new(),
        operations: BTreeMap::new(),
        stored: inputs::Stored::NotYet,
        rendered: Vec::new(),
        seen: verify::Seen::default(),
    })
}

/// The limits of a run, as far as it came.
fn limits_of(inputs: &source::Request, set: Option<&SourceSet>) -> Limits {
    set.map_or_else(|| inputs.limits(), |set| set.limits)
}

impl State<'_> {
    /// Names the teams that may not write, from the findings so far.
    fn hold(&mut self) {
        if self.request.strict {
            hold::make_strict(&mut self.findings);
        }
        loop {
            self.findings.sort();
            self.held = hold::held(&self.findings, &self.teams, self.request.all_or_nothing);
            self.held.retain(|team, _| !self.written.contains(team));
            let bound = slots::held_with(self);
            if bound.is_empty() {
                break;
            }
            self.findings.extend(bound);
        }
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

    /// Turns failed renders into findings, judges what the mega-files declare, and holds again.
    fn inspect(&mut self) {
        let mut outputs: BTreeMap<usize, verify::Outputs<'_>> = BTreeMap::new();
        let mut partial: BTreeSet<usize> = BTreeSet::new();
        let mut found = Vec::new();
        for (file, rendered) in self.plan.files.iter().zip(&self.rendered) {
            match rendered {
                Rendered::Done(facts) => outputs.entry(file.mega_file).or_default().files.push((file, *facts)),
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
            if !mega.selected || self.is_held(&mega.team) {
                continue;
            }
            let none = verify::Outputs::default();
            let (made, whole) = (outputs.get(&index).unwrap_or(&none), !partial.contains(&index));
            if whole {
                found.extend(verify::inspect(mega, made));
            }
            let misses = &self.seen.misses;
            let start = misses.partition_point(|miss| miss.mega_file < index);
            let end = misses.partition_point(|miss| miss.mega_file <= index);
            let misses = misses.get(start..end).unwrap_or_default();
            let source_line = |path: &OutputPath, line| explain::made_by(self, path, line);
            found.extend(verify::judge(mega, made, misses, whole, &source_line));
            let hidden = self.seen.hidden.iter().filter(|hidden| hidden.mega_file == index);
            found.extend(hidden.map(|hidden| verify::judge_hidden(mega, hidden, &source_line)));
        }
        found.extend(slots::outdated(self));
        found.extend(goals::inspect(self, &outputs));
        verify::without_hasty_fixes(&mut found, &self.findings);
        self.findings.extend(found);
        self.hold();
    }

    /// What to do with edited files: the command line wins over the manifest.
    fn policies(&self) -> Policies {
        if let Some(policy) = self.request.on_edit {
            return Policies::all(policy);
        }
        let rules = self.model.manifest.iter().flat_map(|manifest| &manifest.on_edit);
        let policy = |wanted| match wanted {
            EditPolicy::Keep => Policy::Keep,
            EditPolicy::Overwrite => Policy::Overwrite,
            EditPolicy::Merge => Policy::Merge,
            EditPolicy::Fail => Policy::Fail,
        };
        let rules = rules.map(|(patterns, wanted)| (patterns.clone(), policy(*wanted))).collect();
        Policies { rules, default: Policy::Fail }
    }
}

/// The team of an input, as far as it can be told.
fn team_of_input(input: &source::Input) -> Option<String> {
    let tree = input.tree.as_ref();
    let named = tree.and_then(|tree| tree.text(tree.get(tree.root(), "team")?));
    named.map(team_name).or_else(|| input.team_hint.clone())
}

/// Reads what the `copy:` entries name.
fn assets(model: &Model, files: &Files<'_>, limits: &Limits) -> Assets {
    let mut assets = Assets::new();
    let rules = model.mega_files.iter().flat_map(|mega| {
        let of_factories = mega.factories.values().flat_map(|factory| &factory.rules);
        mega.rules.iter().chain(of_factories)
    });
    for entry in rules.flat_map(|rule| &rule.entries) {
        let Content::Copy(named, _) = &entry.content else { continue };
        if !assets.contains_key(named) {
            let read = files.asset(named, limits, Limit::AssetBytes);
            assets.insert(named.clone(), read.map(Arc::from));
        }
    }
    assets
}
