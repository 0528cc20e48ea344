//! Calls of factories: arguments evaluated, checked against the parameters, and the factory's rules run once for all
//! calls of a rule.

use std::sync::Arc;

use minijinja::Value;

use super::expand::Run;
use super::frame::{Frame, FrameCall, FrameParam, Round};
use super::items::Rounds;
use super::limits::item_name;
use super::words;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::limit::Limit;
use crate::model::user_schema::{Step, Violation};
use crate::model::{Call, Factory, Loop, Param, Rule};
use crate::source::{NodeId, Tree};
use crate::template::value::{as_mapping, to_json};
use crate::template::{Slots, Unit, slots};

impl<'a> Run<'a> {
    /// Runs the factory that a rule calls, for the rounds that passed the rule's condition.
    pub(super) fn call(&mut self, rule: &'a Rule, frame: &Frame, rounds: &Rounds, passed: &[&Round]) {
        let Some(call) = &rule.call else { return };
        let mega = self.mega;
        let Some(factory) = mega.factories.get(&call.factory) else { return };
        self.called.insert(factory.name.clone());
        if !self.known_arguments(rule, call, factory) || !self.may_call(frame.depth + 1, call.span) {
            return;
        }
        let mut unit =
            Unit::new(Arc::new(words::of_rule(&self.names(rule, frame, &rounds.variables, &[]))), self.around.limits);
        let before = self.errors();
        let mut reads = super::expand::reads_of_rule(mega, rule, frame);
        for (_, node) in &rule.with {
            self.compile_values(&mut unit, *node);
            self.reads_of_value(&unit, *node, &mut reads);
        }
        if self.errors() > before {
            return;
        }
        let mut calls = Vec::with_capacity(passed.len());
        let mut wrong = Wrong::default();
        for round in passed {
            let outer = Arc::new(self.outer(&unit, frame, round));
            let with: Vec<(Arc<str>, NodeId)> =
                rule.with.iter().map(|(key, node)| (Arc::from(key.as_str()), *node)).collect();
            let Some(given) = self.with(&unit, &outer, &with) else { continue };
            let caller = frame.calls.get(round.call);
            let item = item_name(caller.and_then(|caller| caller.item.as_deref()), &round.loops);
            let outcome = arguments(factory, &given, &mut self.checked);
            if self.checked > self.around.limits.size(Limit::CheckedValues) {
                let mend = "hand each call the part that it needs; what all calls share is there as `data`";
                let what = "the arguments hold too much to be checked";
                return self.met(Limit::CheckedValues, call.arguments, what, mend);
            }
            match outcome {
                Ok(values) => calls.push(FrameCall { values, rule: caller.map_or(0, |caller| caller.rule), item }),
                Err(violations) => wrong.add(violations, item.as_deref()),
            }
        }
        for (violation, item, more) in wrong.0 {
            let finding = self.violation(rule, call, factory, &violation, item.as_deref(), more);
            self.findings.push(finding);
        }
        if self.errors() > before {
            return;
        }
        let chain = frame.factory.as_ref().map_or_else(String::new, |outer| format!("{outer} > "));
        let chain = Some(Arc::from(chain + &factory.name));
        let depth = frame.depth + 1;
        let frame = Frame { factory: chain, depth, params: params(factory, &calls), calls, reads };
        for rule in &factory.rules {
            self.rule(rule, &frame);
        }
    }

    /// Every argument names a parameter.
    fn known_arguments(&mut self, rule: &Rule, call: &Call, factory: &Factory) -> bool {
        let known: Vec<&str> = factory.params.iter().map(|param| param.name.as_str()).collect();
        let before = self.errors();
        for (key, node) in rule.with.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let message = format!("the factory `{}` has no parameter `{key}`", factory.name);
            let tree = &self.mega.tree;
            let named = call.with.and_then(|with| tree.entry(with, key)).map_or(*node, |(key, _)| key);
            let span = tree.span(named);
            let finding = Diagnostic::new(Code::BadArgument, message).at(span).team(self.mega.team.clone());
            let finding = finding.related(factory.span, "the factory");
            self.findings.push(match nearest(key, known.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(span, near),
                None if known.is_empty() => finding.help(format!(
                    "declare it: `params: {{properties: {{{key}: {{}}}}}}` in the factory, or remove the argument"
                )),
                None => finding.help(format!("its parameters are {}", known.join(", "))),
            });
        }
        let missing: Vec<&str> = factory
            .params
            .iter()
            .filter(|param| param.required && param.default.is_none())
            .map(|param| param.name.as_str())
            .filter(|name| !rule.with.iter().any(|(key, _)| key == name))
            .collect();
        if !missing.is_empty() {
            let names = missing.join("`, `");
            let message = format!("the call of the factory `{}` lacks `{names}`", factory.name);
            let help = format!("add `with: {{{}: ...}}`", missing.join(": ..., "));
            let finding = Diagnostic::new(Code::BadArgument, message).at(call.arguments).help(help);
            self.findings.push(finding.related(factory.span, "the factory").team(self.mega.team.clone()));
        }
        self.errors() == before
    }

    fn violation(
        &self,
        rule: &Rule,
        call: &Call,
        factory: &Factory,
        violation: &Violation,
        item: Option<&str>,
        more: usize,
    ) -> Diagnostic {
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let for_item = item.map_or_else(String::new, |item| format!(" for the item `{item}`{and_more}"));
        let message = format!("the arguments of the factory `{}`{for_item}: {}", factory.name, violation.message);
        let tree = &self.mega.tree;
        let node = argument(tree, rule, violation);
        let span = node.map_or(call.arguments, |node| tree.span(node));
        let mut finding = Diagnostic::new(Code::BadArgument, message).at(span).team(self.mega.team.clone());
        finding.help.clone_from(&violation.help);
        if let Some(text) = node.and_then(|node| tree.text(node)).filter(|text| is_bare(rule, text)) {
            let value = format!("\"{{{{ {text} }}}}\"");
            finding = finding.help(format!("without braces it is a text: write `{value}`")).fix(span, value);
        }
        finding.related(violation.rule.unwrap_or(factory.span), "the parameters are declared here")
    }

    /// The slots that the texts of a value read.
    pub(super) fn reads_of_value(&self, unit: &Unit, node: NodeId, reads: &mut Slots) {
        for text in texts(&self.mega.tree, node) {
            if crate::template::is_expression(text) {
                reads.add(&slots::of_expression(text));
            } else {
                reads.add(&slots::of_template(&super::compile::inline_source("", text), unit.words()));
            }
        }
    }
}

/// What a violation speaks of: as deep in the arguments as they are written out. `None` for all of them.
fn argument(tree: &Tree, rule: &Rule, violation: &Violation) -> Option<NodeId> {
    let mut steps = violation.path.iter();
    let Some(Step::Key(first)) = steps.next() else { return None };
    let mut node = rule.with.iter().find(|(key, _)| key == first)?.1;
    for step in steps {
        let below = match step {
            Step::Key(key) => tree.get(node, key),
            Step::Index(index) => tree.list(node).and_then(|items| items.get(*index).copied()),
        };
        let Some(below) = below else { break };
        node = below;
    }
    Some(node)
}

/// Whether a text is the path of a value that begins with a loop variable of the rule, without its braces.
fn is_bare(rule: &Rule, text: &str) -> bool {
    let Loop::Over(lists) = &rule.each else { return false };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric());
    let (root, rest) = text.split_once('.').unwrap_or((text, "_"));
    lists.iter().any(|list| list.variable == root) && rest.split('.').all(is_name)
}

/// The values of all parameters, in their order: given ones, else defaults; or what does not fit.
/// `checked` counts the values that the schema was held against.
fn arguments(
    factory: &Factory,
    given: &[(Arc<str>, Value)],
    checked: &mut usize,
) -> Result<Vec<(Arc<str>, Value)>, Vec<Violation>> {
    if let Some(schema) = &factory.schema {
        let instance = given.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect();
        let instance = serde_json::Value::Object(instance);
        *checked = checked.saturating_add(size(&instance));
        let violations = schema.violations(&instance);
        if !violations.is_empty() {
            return Err(violations);
        }
    }
    let value_of = |param: &Param| {
        let value = given.iter().find(|(key, _)| **key == *param.name).map(|(_, value)| value.clone());
        // A parameter that may be left out and has no default is null: false in a test, an error when printed.
        let value = value.or_else(|| param.default.clone()).unwrap_or_else(|| Value::from(()));
        (Arc::from(param.name.as_str()), value)
    };
    Ok(factory.params.iter().map(value_of).collect())
}

/// How many values stand in a value, itself included.
fn size(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        serde_json::Value::Object(entries) => entries.values().map(size).sum::<usize>() + 1,
        _ => 1,
    }
}

/// What does not fit, each once: with the first item that it was found for, and how many more there are.
#[derive(Default)]
struct Wrong(Vec<(Violation, Option<String>, usize)>);

impl Wrong {
    fn add(&mut self, violations: Vec<Violation>, item: Option<&str>) {
        for violation in violations {
            match self.0.iter_mut().find(|(known, ..)| *known == violation) {
                Some((_, _, more)) => *more += 1,
                None => self.0.push((violation, item.map(str::to_owned), 0)),
            }
        }
    }
}

/// All texts of a value.
fn texts(tree: &Tree, node: NodeId) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        found.extend(tree.text(node));
        open.extend(tree.list(node).unwrap_or_default());
        open.extend(tree.map(node).unwrap_or_default().iter().map(|(_, value)| value));
    }
    found
}

/// The parameters as the vocabulary sees them.
fn params(factory: &Factory, calls: &[FrameCall]) -> Vec<FrameParam> {
    let param = |(index, param): (usize, &Param)| {
        let mut values = calls.iter().filter_map(|call| call.values.get(index)).map(|(_, value)| value);
        FrameParam {
            name: param.name.clone(),
            has_forms: param.has_forms,
            is_mapping: values.any(|value| as_mapping(value).is_some()),
        }
    };
    factory.params.iter().enumerate().map(param).collect()
}
