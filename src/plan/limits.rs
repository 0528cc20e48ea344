//! What running the rules of one mega-file may cost. A limit that is met ends the mega-file: one finding names the limit,
//! and no further rule is run. Whatever grows by multiplication is counted before it is made.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::expand::Run;
use crate::diagnostic::Code;
use crate::limit::Limit;
use crate::lockfile::{MAX_BYTES, MAX_ENTRIES};
use crate::model::Rule;
use crate::source::NodeId;
use crate::span::Span;
use crate::template::steps;
use crate::template::value::{as_mapping, standing_for};

/// Files that are planned before they are added to what the whole run plans.
const BATCH: usize = 1_000;
/// What a text that is compiled counts at least, in bytes: the engine's own work for it.
const LEAST_TEXT: usize = 1 << 10;
/// Most characters of the name of an item, or of a path in a message.
const LONGEST_NAME: usize = 200;
/// What a value takes beside its text, in bytes.
const VALUE_BYTES: usize = 24;

/// What running the rules of a mega-file has cost so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    runs: u64,
    rounds: u64,
    compiled: u64,
    /// Bytes of values that texts gave.
    values: usize,
    /// Files whose path was rendered, those whose path is wrong included.
    files: usize,
    /// How many of them are counted in what the whole run plans.
    counted: usize,
    /// Bytes of their paths.
    paths: u64,
    /// The steps that its thread took for others before.
    steps_before: u64,
}

impl Spent {
    /// Nothing yet, on this thread.
    pub(super) fn nothing() -> Self {
        Self { steps_before: steps::taken(), ..Self::default() }
    }
}

impl Run<'_> {
    /// A limit of the whole mega-file was met.
    pub(super) fn met(&mut self, limit: Limit, span: Span, what: &str, mend: &str) {
        if !self.full {
            self.full = true;
            let message = format!("{what}: {}", self.around.limits.says(limit));
            self.error(Code::PlanLimit, span, message, limit.help(mend));
        }
    }

    /// How many rounds there is still room for.
    pub(super) fn room(&self) -> usize {
        let left = self.around.limits.get(Limit::Rounds).saturating_sub(self.spent.rounds);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Whether a rule may be run once more.
    pub(super) fn may_run(&mut self, rule: &Rule) -> bool {
        self.spent.runs += 1;
        if self.spent.runs > self.around.limits.get(Limit::RuleRuns) {
            let mend = "let factories call one another less often: a call in a loop counts once";
            self.met(Limit::RuleRuns, rule.span, "the rules of the mega-file are run too often", mend);
        }
        !self.full
    }

    /// Counts rounds that are about to be gone through.
    pub(super) fn goes_round(&mut self, rounds: usize) {
        self.spent.rounds = self.spent.rounds.saturating_add(rounds as u64);
    }

    /// Whether a text may be compiled.
    pub(super) fn may_compile(&mut self, text: &str, span: Span) -> bool {
        self.spent.compiled = self.spent.compiled.saturating_add(text.len().max(LEAST_TEXT) as u64);
        if self.spent.compiled > self.around.limits.get(Limit::CompiledBytes) {
            let mend = "let one rule loop, instead of many rules that use the same templates";
            self.met(Limit::CompiledBytes, span, "the rules of the mega-file compile too much template text", mend);
        }
        !self.full
    }

    /// Whether factories may call one another so deep.
    pub(super) fn may_call(&mut self, depth: u64, span: Span) -> bool {
        if depth > self.around.limits.get(Limit::FactoryDepth) {
            let mend = "call from one factory what it needs, instead of through others";
            self.met(Limit::FactoryDepth, span, "factories call one another too deep", mend);
        }
        !self.full
    }

    /// Whether there is room for a value that a text gave: all of them are in memory together.
    pub(super) fn fits(&mut self, node: NodeId, value: &Value) -> bool {
        let most = self.around.limits.size(Limit::ValueBytes);
        let room = most.saturating_sub(self.spent.values);
        self.spent.values = self.spent.values.saturating_add(weight(value, room));
        self.within_steps(self.mega.tree.span(node));
        if self.spent.values > most {
            let what = "the values that the mega-file makes for `with` and `contributes` are too long";
            let mend = "make long texts in the template itself; what all files share is there as `data`";
            self.met(Limit::ValueBytes, self.mega.tree.span(node), what, mend);
        }
        !self.full
    }

    /// Holds the steps of the texts that were rendered so far against the limit; the mega-file is planned on one thread.
    pub(super) fn within_steps(&mut self, span: Span) {
        if steps::taken().saturating_sub(self.spent.steps_before) > self.around.limits.get(Limit::PlanSteps) {
            let mend = "loop less in paths and values: every file and every round runs them again";
            self.met(Limit::PlanSteps, span, "the paths and values of the mega-file take too many steps", mend);
        }
    }

    /// Counts a file by its path, whether that is a good one or not; whether there is room for it.
    pub(super) fn may_plan(&mut self, path: &str, span: Span) -> bool {
        self.spent.files += 1;
        self.spent.paths = self.spent.paths.saturating_add(path.len() as u64);
        self.within_steps(span);
        if self.spent.paths > self.around.limits.get(Limit::PathBytes) {
            let mend = "use shorter paths, or split it into several mega-files";
            self.met(Limit::PathBytes, span, "the paths of the mega-file are too long together", mend);
        }
        !self.full
    }

    /// Counts the files that were planned since the last time, a batch at a time or to the last one; whether all
    /// mega-files together may plan more. Which mega-file meets that limit depends on the threads, so nothing is said here.
    pub(super) fn count_files(&mut self, to_the_last: bool) -> bool {
        let new = self.spent.files - self.spent.counted;
        if new >= BATCH || to_the_last {
            self.spent.counted = self.spent.files;
            let all = self.around.planned.fetch_add(new, Ordering::Relaxed).saturating_add(new);
            self.full |= all > self.around.limits.size(Limit::FilesPerRun);
        }
        !self.full
    }

    /// What a mega-file plans has to fit into its shard of the lockfile.
    pub(super) fn within_lockfile(&mut self, rule: &Rule) {
        if !self.full && (self.files.len() > MAX_ENTRIES || self.shard_bytes > MAX_BYTES) {
            let message = format!(
                "the mega-file plans more than its lockfile can hold: {MAX_ENTRIES} files, or {MAX_BYTES} bytes of them"
            );
            self.full = true;
            self.error(Code::PlanLimit, rule.span, message, "split it into several mega-files".to_owned());
        }
    }
}

/// What a file is called after: the items of its call and its round, for messages and reports. There is one for every
/// file, so that a long one is cut.
pub(super) fn item_name(call: Option<&str>, loops: &[(Arc<str>, Value)]) -> Option<String> {
    let of_loops = loops.iter().map(|(_, value)| {
        let value = standing_for(value.clone());
        match (value.as_str(), value.kind()) {
            (Some(text), _) => clip(text),
            (None, ValueKind::Seq | ValueKind::Iterable) if weight(&value, LONGEST_NAME) > LONGEST_NAME => {
                "(a list)".to_owned()
            }
            (None, ValueKind::Map) if weight(&value, LONGEST_NAME) > LONGEST_NAME => "(a mapping)".to_owned(),
            _ => clip(&value.to_string()),
        }
    });
    let names: Vec<String> = call.map(str::to_owned).into_iter().chain(of_loops).collect();
    (!names.is_empty()).then(|| clip(&names.join(" × ")))
}

/// The beginning of a text.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether an expression only names what is there: its value is shared, not made.
pub(super) fn is_path(expression: &str) -> bool {
    let inner = expression.trim().trim_start_matches('{').trim_end_matches('}').trim();
    inner.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

/// The bytes of a value, as far as they matter where there is only so much room.
fn weight(value: &Value, room: usize) -> usize {
    let mut open = vec![value.clone()];
    let mut bytes = 0_usize;
    while let (Some(value), true) = (open.pop(), bytes <= room) {
        bytes = bytes.saturating_add(VALUE_BYTES);
        if let Some(text) = value.as_str() {
            bytes = bytes.saturating_add(text.len());
        } else if let Some(mapping) = as_mapping(&value) {
            open.extend(mapping.entries().iter().map(|(_, value)| value.clone()));
        } else if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
            let is_map = value.kind() == ValueKind::Map;
            // A list may be longer than there is room for.
            for item in value.try_iter().into_iter().flatten().take(room / VALUE_BYTES + 1) {
                open.extend(value.get_item(&item).ok().filter(|_| is_map));
                open.push(item);
            }
        }
    }
    bytes
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
