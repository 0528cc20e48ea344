//! What the mega-files of a project give to the owners of shared files.
//!
//! Evaluated for every readable mega-file, selected or not, before any file is planned: a slot holds the same values
//! whichever mega-files a run expands. The values of a slot are sorted by team, mega-file id and position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use rayon::prelude::*;

use super::expand::Run;
use super::frame::Frame;
use super::words;
use super::{Around, neighbour, over_all};
use crate::diagnostic::Diagnostics;
use crate::digest::DigestBuilder;
use crate::limit::Limit;
use crate::model::{Contribution, MegaFile, Model};
use crate::name::id_key;
use crate::template::slots::CONTRIBUTIONS;
use crate::template::value::to_json;
use crate::template::{Base, Slots, Unit};

/// A mega-file whose contributions cannot be told.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// Its name for people: its id or its file.
    pub mega_file: String,
    /// Its team, as far as that is known.
    pub team: Option<String>,
    /// Whether the run was asked to expand it; then it has errors of its own.
    pub selected: bool,
    /// The slots that it may fill.
    pub slots: Slots,
}

/// The values of all slots.
#[derive(Debug, Default)]
pub struct Contributions {
    slots: Arc<BTreeMap<String, Value>>,
    /// The mega-files, as indices of the model, that name each slot.
    pub contributors: BTreeMap<String, Vec<usize>>,
    /// Mega-files whose contributions cannot be told.
    pub doubts: Vec<Doubt>,
}

impl Contributions {
    /// The names that every text of a mega-file sees: its own, the project's `vars`, and the slots.
    #[must_use]
    pub fn base(&self, own: &Base, vars: Option<&Value>) -> Arc<Base> {
        let mut base = own.clone();
        if let Some(vars) = vars {
            base.entry(Arc::from("vars")).or_insert_with(|| vars.clone());
        }
        let slots = || Value::from_object(SlotValues(Arc::clone(&self.slots)));
        base.entry(Arc::from(CONTRIBUTIONS)).or_insert_with(slots);
        Arc::new(base)
    }

    /// The slots that a mega-file fills.
    #[must_use]
    pub fn of(&self, mega_file: usize) -> Slots {
        let own = self.contributors.iter().filter(|(_, by)| by.contains(&mega_file));
        Slots { named: own.map(|(slot, _)| slot.clone()).collect(), all: false }
    }

    /// The digest of what stands in these slots.
    pub fn digest(&self, slots: &Slots, builder: &mut DigestBuilder) {
        for (slot, values) in self.slots.iter().filter(|(slot, _)| slots.holds(slot)) {
            builder.part(slot.as_bytes());
            for value in values.try_iter().into_iter().flatten() {
                builder.part(to_json(&value).to_string().as_bytes());
            }
        }
    }
}

/// The slots as templates see them: one that nobody fills is an empty list.
#[derive(Debug)]
struct SlotValues(Arc<BTreeMap<String, Value>>);

impl Object for SlotValues {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        // The list is one that all readers share: a template may ask for it in every round of a loop.
        Some(self.0.get(key).cloned().unwrap_or_else(|| Value::from(Vec::<Value>::new())))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|slot| Value::from(slot.as_str())).collect())
    }
}

/// Evaluates what all mega-files contribute. A mega-file whose contributions fail is a doubt; its findings are errors if
/// it is selected and a warning if not.
pub fn collect(model: &Model, around: &Around<'_>, doubts: &[Doubt]) -> (Contributions, Diagnostics) {
    let mut all = Contributions { doubts: doubts.to_vec(), ..Contributions::default() };
    let vars = model.manifest.as_ref().and_then(|manifest| manifest.vars.as_ref());
    let mut order: Vec<usize> = (0..model.mega_files.len()).collect();
    let key = |index: &usize| model.mega_files.get(*index).map(|mega| (&mega.team, &mega.id));
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    let total = AtomicUsize::new(0);
    let given: Vec<_> = order
        .into_par_iter()
        .filter_map(|index| Some((index, model.mega_files.get(index)?)))
        .filter(|(_, mega)| !mega.contributions.is_empty())
        .map(|(index, mega)| (index, mega, contribute(index, mega, vars, around, &total)))
        .collect();
    if total.into_inner() > around.limits.size(Limit::ContributedValues) {
        // Which mega-file met the limit depends on the threads: nothing else is said.
        let what = "the mega-files of the project contribute too many values together";
        let mend = "contribute less, or make the shared file from data";
        return (all, std::iter::once(over_all(around.limits, Limit::ContributedValues, what, mend)).collect());
    }
    let mut findings = Diagnostics::default();
    let mut slots: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let taken = taken_ids(model);
    for (index, mega, (values, found)) in given {
        for contribution in &mega.contributions {
            let by = all.contributors.entry(contribution.slot.clone()).or_default();
            if by.last() != Some(&index) {
                by.push(index);
            }
        }
        if found.has_errors() || is_unfit(mega, model, &taken) {
            all.doubts.push(Doubt {
                mega_file: mega.id.clone(),
                team: Some(mega.team.clone()),
                selected: mega.selected,
                slots: Slots { named: mega.contributions.iter().map(|one| one.slot.clone()).collect(), all: false },
            });
        }
        if mega.selected {
            findings.extend(found);
        } else {
            findings.extend(neighbour(mega, &found));
        }
        for (contribution, values) in mega.contributions.iter().zip(values) {
            slots.entry(contribution.slot.clone()).or_default().extend(values);
        }
    }
    all.slots = Arc::new(slots.into_iter().map(|(slot, values)| (slot, Value::from(values))).collect());
    (all, findings)
}

/// The ids that more than one mega-file has.
fn taken_ids(model: &Model) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    model.mega_files.iter().map(|mega| id_key(&mega.id)).filter(|id| !seen.insert(id.clone())).collect()
}

/// Whether a mega-file that was not selected could not be expanded for what it says of itself: a copy with the same id,
/// or a team that does not exist. A selected one has an error for it.
fn is_unfit(mega: &MegaFile, model: &Model, taken: &BTreeSet<String>) -> bool {
    let manifest = model.manifest.as_ref().filter(|manifest| !manifest.teams.is_empty());
    let is_stranger = manifest.is_some_and(|manifest| manifest.team(&mega.team).is_none());
    !mega.selected && (is_stranger || taken.contains(&id_key(&mega.id)))
}

/// The values of each contribution of a mega-file, in order.
fn contribute(
    index: usize,
    mega: &MegaFile,
    vars: Option<&Value>,
    around: &Around<'_>,
    total: &AtomicUsize,
) -> (Vec<Vec<Value>>, Diagnostics) {
    let mut base = Base::clone(&mega.base);
    if let Some(vars) = vars {
        base.entry(Arc::from("vars")).or_insert_with(|| vars.clone());
    }
    let mut run = Run::new(index, mega, Arc::new(base), around);
    let mut all = Vec::with_capacity(mega.contributions.len());
    for contribution in &mega.contributions {
        let values = run.contribution(contribution);
        let all_values = total.fetch_add(values.len(), Ordering::Relaxed).saturating_add(values.len());
        all.push(values);
        if all_values > around.limits.size(Limit::ContributedValues) {
            break;
        }
    }
    (all, run.findings)
}

impl Run<'_> {
    fn contribution(&mut self, contribution: &Contribution) -> Vec<Value> {
        let rule = &contribution.rule;
        let frame = Frame::of_rule(rule.number);
        let Some(rounds) = self.rounds(rule, &frame) else { return Vec::new() };
        let before = self.errors();
        let guard = self.guard(rule, &frame, &rounds);
        let mut unit =
            Unit::new(Arc::new(words::of_rule(&self.names(rule, &frame, &rounds.variables, &[]))), self.around.limits);
        self.compile_values(&mut unit, contribution.value);
        if self.errors() > before {
            return Vec::new();
        }
        let mut values = Vec::new();
        for round in &rounds.rounds {
            if self.passes(rule.when, guard.as_ref(), &frame, round) == Some(true) {
                let scope = Arc::new(self.outer(&unit, &frame, round));
                values.extend(self.value(&unit, &scope, contribution.value));
            }
        }
        values
    }
}

#[cfg(test)]
#[path = "contribute_tests.rs"]
mod tests;
