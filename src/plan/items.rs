//! The rounds of a loop: lists, cross products, and expressions over data.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::frame::{Frame, FrameCall, Round};
use super::loop_text;
use crate::diagnostic::{Code, Diagnostic};
use crate::limit::{Limit, Limits};
use crate::model::{Loop, LoopItems, LoopList, MegaFile, Rule};
use crate::source::NodeId;
use crate::span::{SourceMap, Span};
use crate::template::value::{Mapping, as_data, as_mapping};
use crate::template::{Base, Issue, Scope, Unit};

/// The rounds of a rule, and its loop variables with all their values (for the vocabulary).
#[derive(Debug, Default)]
pub struct Rounds {
    /// The rounds in order.
    pub rounds: Vec<Round>,
    /// Loop variables, outermost first.
    pub variables: Vec<(String, Vec<Value>)>,
}

/// What a loop is evaluated in.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The mega-file.
    pub mega: &'a MegaFile,
    /// What its texts see.
    pub base: &'a Arc<Base>,
    /// For whom the rule is run.
    pub frame: &'a Frame,
    /// The texts, for findings.
    pub sources: &'a SourceMap,
    /// What the run may cost.
    pub limits: &'a Limits,
    /// How many more rounds, and items of lists, the mega-file may have.
    pub room: usize,
}

/// The rounds of `rule`, for every call of the frame.
///
/// # Errors
/// An expression that fails or gives no list, a null item, a product over a limit; at the loop's place.
pub fn rounds(site: Site<'_>, rule: &Rule) -> Result<Rounds, Vec<Diagnostic>> {
    let calls = &site.frame.calls;
    let Loop::Over(lists) = &rule.each else {
        within_limits(site, rule, rule.span, Some(calls.len()), 0)?;
        let rounds = (0..calls.len()).map(|call| Round { call, loops: Vec::new() }).collect();
        return Ok(Rounds { rounds, variables: Vec::new() });
    };
    let names: Vec<Arc<str>> = lists.iter().map(|list| Arc::from(list.variable.as_str())).collect();
    let mut variables: Vec<(String, Vec<Value>)> =
        lists.iter().map(|list| (list.variable.clone(), Vec::new())).collect();
    let readers: Vec<Option<Reader<'_>>> = lists.iter().map(|list| Reader::of(site, list)).collect::<Result<_, _>>()?;
    let (mut rounds, mut looked_at) = (Vec::new(), 0_usize);
    let span = lists.first().map_or(rule.span, |list| list.span);
    for (index, call) in calls.iter().enumerate() {
        let mut values: Vec<Vec<Value>> = Vec::with_capacity(lists.len());
        for (list, reader) in lists.iter().zip(&readers) {
            let items = match (&list.items, reader) {
                (LoopItems::Values(values), _) => values.clone(),
                (LoopItems::Expression(_), Some(reader)) => reader.items(call)?,
                (LoopItems::Expression(_), None) => Vec::new(),
            };
            no_null(site.mega, list, &items)?;
            values.push(items);
        }
        looked_at = values.iter().fold(looked_at, |sum, values| sum.saturating_add(values.len()));
        let more = values.iter().try_fold(1_usize, |more, values| more.checked_mul(values.len()));
        within_limits(site, rule, span, more.and_then(|more| more.checked_add(rounds.len())), looked_at)?;
        product(index, &names, &values, &mut rounds);
        for (variable, (list, items)) in variables.iter_mut().zip(lists.iter().zip(values)) {
            if index == 0 || matches!(list.items, LoopItems::Expression(_)) {
                variable.1.extend(items);
            }
        }
    }
    Ok(Rounds { rounds, variables })
}

fn no_null(mega: &MegaFile, list: &LoopList, items: &[Value]) -> Result<(), Vec<Diagnostic>> {
    let Some(position) = items.iter().position(|value| value.is_none() || value.is_undefined()) else { return Ok(()) };
    let message = format!("item {} of the loop over `{}` is null", position + 1, list.variable);
    let help = "remove the empty entry, or give it a value";
    Err(vec![Diagnostic::new(Code::BadItem, message).at(list.span).help(help).team(mega.team.clone())])
}

/// Counted before the product is built; `None` stands for more rounds than can be counted.
fn within_limits(
    site: Site<'_>,
    rule: &Rule,
    span: Span,
    rounds: Option<usize>,
    looked_at: usize,
) -> Result<(), Vec<Diagnostic>> {
    let over = |limit: Limit, what: String, mend: &str| {
        let message = format!("{what}: {}", site.limits.says(limit));
        let finding = Diagnostic::new(Code::PlanLimit, message).at(span).help(limit.help(mend));
        Err(vec![finding.team(site.mega.team.clone())])
    };
    let files = rounds.and_then(|rounds| rounds.checked_mul(rule.entries.len().max(1)));
    if files.is_none_or(|files| files > site.limits.size(Limit::FilesPerRule)) {
        let makes = if rule.entries.is_empty() { ("go", "rounds") } else { ("plan", "files") };
        let count = files
            .map_or_else(|| format!("more {} than can be counted", makes.1), |files| format!("{files} {}", makes.1));
        let mend = "split the lists over several rules or mega-files";
        return over(Limit::FilesPerRule, format!("this rule would {} {count}", makes.0), mend);
    }
    if rounds.is_none_or(|rounds| rounds > site.room) || looked_at > site.room {
        let what = "the loops of the mega-file have too many rounds".to_owned();
        return over(Limit::Rounds, what, "loop over what is needed, instead of leaving most of it out by conditions");
    }
    Ok(())
}

/// Every combination, the last list varying fastest.
fn product(call: usize, names: &[Arc<str>], values: &[Vec<Value>], out: &mut Vec<Round>) {
    let mut rounds: Vec<Vec<(Arc<str>, Value)>> = vec![Vec::new()];
    for (name, values) in names.iter().zip(values) {
        let with = |round: &Vec<(Arc<str>, Value)>, value: &Value| {
            let mut round = round.clone();
            round.push((Arc::clone(name), value.clone()));
            round
        };
        rounds = rounds.iter().flat_map(|round| values.iter().map(move |value| with(round, value))).collect();
    }
    out.extend(rounds.into_iter().map(|loops| Round { call, loops }));
}

/// A loop expression such as `data.entities`, ready to be evaluated for each call.
struct Reader<'a> {
    site: Site<'a>,
    node: NodeId,
    text: &'a str,
    unit: Unit,
}

impl<'a> Reader<'a> {
    /// `None` for a list that is written out.
    fn of(site: Site<'a>, list: &LoopList) -> Result<Option<Self>, Vec<Diagnostic>> {
        let LoopItems::Expression(node) = list.items else { return Ok(None) };
        let text = site.mega.tree.text(node).unwrap_or_default();
        if let Some(found) = loop_text::misread(site.mega, list, node, text) {
            return Err(vec![found]);
        }
        let unit = Unit::new(Arc::new(super::words::of_data(site.base, &site.frame.params)), site.limits);
        let issues = unit.check_expression(text);
        if !issues.is_empty() {
            return Err(issues.iter().map(|issue| super::locate(site.mega, site.sources, node, issue)).collect());
        }
        Ok(Some(Self { site, node, text, unit }))
    }

    fn items(&self, call: &FrameCall) -> Result<Vec<Value>, Vec<Diagnostic>> {
        let Self { site, node, text, unit } = self;
        let mut scope = Scope::bare(Arc::clone(unit.words()), Arc::clone(site.base));
        scope.with.clone_from(&call.values);
        let locate = |issue| vec![super::locate(site.mega, site.sources, *node, &issue)];
        let value = unit.evaluate(text, &Arc::new(scope)).map_err(locate)?;
        let value = as_data(value);
        if let Some(mapping) = as_mapping(&value) {
            return Ok(named_items(&mapping));
        }
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                value.try_iter().map(|items| items.map(as_data).collect()).map_err(|error| {
                    let help = "loop over a list or a mapping".to_owned();
                    self.fail(format!("the loop over `{text}` failed: {error}"), help)
                })
            }
            ValueKind::Undefined => {
                let keys = super::words::data_keys(site.base).join("`, `data.");
                let help = super::words::data_hint(site.base, text).filter(|_| !keys.is_empty());
                let help = help.unwrap_or_else(|| match keys.as_str() {
                    "" => "the mega-file has no `data`".to_owned(),
                    keys => format!("there is `data.{keys}`"),
                });
                let mut issue = Issue::new(Code::BadLoop, 0..text.len(), format!("`{text}` does not exist")).help(help);
                issue.fix = super::words::data_near(site.base, text);
                let mut found = locate(issue);
                for finding in &mut found {
                    finding.span = Some(site.mega.tree.span(*node));
                }
                Err(found)
            }
            kind => Err(self.fail(
                format!("`{text}` is {}, not a list", kind_word(kind)),
                "loop over a list, a mapping, or an expression that gives one".to_owned(),
            )),
        }
    }

    fn fail(&self, message: String, help: String) -> Vec<Diagnostic> {
        let mega = self.site.mega;
        let diagnostic = Diagnostic::new(Code::BadLoop, message).at(mega.tree.span(self.node)).team(mega.team.clone());
        vec![diagnostic.help(help)]
    }
}

fn kind_word(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::String => "text",
        ValueKind::Number => "a number",
        ValueKind::Bool => "a boolean",
        ValueKind::None => "null",
        _ => "no list",
    }
}

/// A mapping loops as its entries, each with its key as `name`; a value that is no mapping becomes `value`.
fn named_items(mapping: &Mapping) -> Vec<Value> {
    let items = mapping.entries().iter().map(|(key, value)| {
        let mut entries = vec![(Arc::from("name"), Value::from(Arc::clone(key)))];
        match as_mapping(value) {
            Some(inner) => entries.extend(inner.entries().iter().filter(|(key, _)| &**key != "name").cloned()),
            None => entries.push((Arc::from("value"), value.clone())),
        }
        Value::from_object(Mapping::new(entries))
    });
    items.collect()
}
