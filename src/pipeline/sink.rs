//! Where rendered bodies go: nowhere, or into the staging of their team.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::State;
use crate::change::{OnDisk, Policies, Policy, Survey};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, same_text};
use crate::disk::{DiskError, Root, Staging};
use crate::event::Watcher;
use crate::limit::{Limit, Limits};
use crate::output::{self, Facts, Rendered, Sink};
use crate::path::OutputPath;
use crate::plan::PlannedFile;
use crate::verify::{Inspector, Seen};

/// What became of the planned files, and what was seen in them; or all bodies together are over their limit.
pub type Outcome = Result<(Vec<Rendered>, Seen), Diagnostic>;

/// Renders everything that is wanted; the inspector sees each body on its way to `then`.
pub fn render(state: &State<'_>, then: &dyn Sink, watcher: &dyn Watcher) -> Outcome {
    let inspected = Inspected { inspector: Inspector::new(&state.model.mega_files), then };
    let rendered = within(&state.set.limits, &state.plan.files, &inspected, watcher)?;
    Ok((rendered, inspected.inspector.finish()))
}

impl State<'_> {
    /// Takes over what was rendered. When all bodies together are over their limit none counts as rendered, since it
    /// depends on the threads which ones were.
    pub fn take(&mut self, outcome: Outcome) {
        (self.rendered, self.seen) = outcome.unwrap_or_else(|finding| {
            self.findings.push(finding);
            (self.plan.files.iter().map(|_| Rendered::Skipped).collect(), Seen::default())
        });
    }
}

/// Renders files while all their bodies together are within [`Limit::RunBytes`], and all steps within
/// [`Limit::RunSteps`].
///
/// # Errors
/// They are not.
pub fn within(
    limits: &Limits,
    files: &[PlannedFile],
    then: &dyn Sink,
    watcher: &dyn Watcher,
) -> Result<Vec<Rendered>, Diagnostic> {
    let counted = Counted { limits, bytes: AtomicU64::new(0), steps: AtomicU64::new(0), then };
    let rendered = output::render(files, &counted, watcher);
    match counted.over() {
        None => Ok(rendered),
        Some((limit, what)) => {
            let mend = "expand fewer mega-files at a time";
            Err(Diagnostic::new(Code::PlanLimit, format!("{what}: {}", limits.says(limit))).help(limit.help(mend)))
        }
    }
}

/// Hands bodies on while there is room for all of them together.
struct Counted<'s> {
    limits: &'s Limits,
    bytes: AtomicU64,
    steps: AtomicU64,
    then: &'s dyn Sink,
}

impl Counted<'_> {
    /// The limit that all together are over.
    fn over(&self) -> Option<(Limit, &'static str)> {
        let is_over = |counted: &AtomicU64, limit| counted.load(Ordering::Relaxed) > self.limits.get(limit);
        if is_over(&self.steps, Limit::RunSteps) {
            return Some((Limit::RunSteps, "the templates take too many steps together"));
        }
        is_over(&self.bytes, Limit::RunBytes).then_some((Limit::RunBytes, "the generated files are too large together"))
    }
}

impl Sink for Counted<'_> {
    fn wants(&self, file: &PlannedFile) -> bool {
        self.over().is_none() && self.then.wants(file)
    }

    fn take(&self, file: &PlannedFile, facts: &Facts, body: &[u8]) {
        self.bytes.fetch_add(facts.bytes, Ordering::Relaxed);
        if self.over().is_none() {
            self.then.take(file, facts, body);
        }
    }

    fn paid(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }
}

/// Shows each body to the inspector, then hands it on.
struct Inspected<'s> {
    inspector: Inspector<'s>,
    then: &'s dyn Sink,
}

impl Sink for Inspected<'_> {
    fn wants(&self, file: &PlannedFile) -> bool {
        self.then.wants(file)
    }

    fn take(&self, file: &PlannedFile, facts: &Facts, body: &[u8]) {
        self.inspector.look(file, facts, body);
        self.then.take(file, facts, body);
    }
}

/// Keeps nothing.
pub struct Discard<'s>(&'s State<'s>);

impl<'s> Discard<'s> {
    pub fn new(state: &'s State<'s>) -> Self {
        Self(state)
    }
}

impl Sink for Discard<'_> {
    fn wants(&self, file: &PlannedFile) -> bool {
        wants(self.0, file)
    }

    fn take(&self, _: &PlannedFile, _: &Facts, _: &[u8]) {}
}

fn wants(state: &State<'_>, file: &PlannedFile) -> bool {
    !state.is_held(state.team_of(file)) && state.is_wanted(&file.path)
}

/// Stages what differs from the disk, a staging for each team.
pub struct Stage<'s> {
    state: &'s State<'s>,
    survey: &'s Survey,
    root: &'s Root,
    policies: Policies,
    teams: BTreeMap<&'s str, TeamStage>,
}

/// The staging of one team; made with its first file.
#[derive(Default)]
struct TeamStage(Mutex<StageState>);

#[derive(Default)]
enum StageState {
    #[default]
    Nothing,
    Some(std::sync::Arc<Staging>),
    Failed(DiskError),
}

impl<'s> Stage<'s> {
    pub fn new(state: &'s State<'s>, survey: &'s Survey, root: &'s Root) -> Self {
        let teams = state.teams.iter().map(|team| (team.as_str(), TeamStage::default())).collect();
        Self { state, survey, root, policies: state.policies(), teams }
    }

    /// The stagings by team, and what failed.
    pub fn finish(self) -> (BTreeMap<String, Staging>, Vec<(String, DiskError)>) {
        let (mut stagings, mut failures) = (BTreeMap::new(), Vec::new());
        for (team, stage) in self.teams {
            match stage.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
                StageState::Nothing => {}
                StageState::Some(staging) => {
                    if let Some(staging) = std::sync::Arc::into_inner(staging) {
                        stagings.insert(team.to_owned(), staging);
                    }
                }
                StageState::Failed(error) => failures.push((team.to_owned(), error)),
            }
        }
        (stagings, failures)
    }

    /// Whether the file was edited, and what will be written is known only after a merge.
    fn is_to_be_merged(&self, path: &OutputPath, found: (Digest, Option<Digest>)) -> bool {
        let recorded = || self.state.shards.all.iter().filter_map(|shard| shard.lockfile.entries.get(path));
        self.policies.of(path) == Policy::Merge && !recorded().any(|entry| entry.is_written_as(found.0, found.1))
    }

    fn differs(&self, file: &PlannedFile, facts: &Facts) -> bool {
        if self.state.shards.detached.contains(&file.path) {
            return false;
        }
        match self.survey.get(&file.path) {
            // Below a file that goes in the same run there is nothing yet.
            None | Some(OnDisk::Absent | OnDisk::Below(_)) => true,
            Some(OnDisk::File { digest, lf_digest, .. }) => {
                let found = (*digest, *lf_digest);
                !file.once
                    && !same_text(found, (facts.digest, facts.lf_digest))
                    && !self.is_to_be_merged(&file.path, found)
            }
            Some(_) => false,
        }
    }
}

impl Sink for Stage<'_> {
    fn wants(&self, file: &PlannedFile) -> bool {
        wants(self.state, file)
    }

    fn take(&self, file: &PlannedFile, facts: &Facts, body: &[u8]) {
        if !self.differs(file, facts) {
            return;
        }
        let Some(stage) = self.teams.get(self.state.team_of(file)) else { return };
        let staging = {
            let mut held = stage.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if matches!(*held, StageState::Nothing) {
                *held = Staging::begin(self.root)
                    .map_or_else(StageState::Failed, |staging| StageState::Some(staging.into()));
            }
            match &*held {
                StageState::Some(staging) => std::sync::Arc::clone(staging),
                _ => return,
            }
        };
        let put = staging.put(&file.path, file.mode, body);
        drop(staging);
        if let Err(error) = put {
            *stage.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = StageState::Failed(error);
        }
    }
}
