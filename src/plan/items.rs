//! The rounds of a loop: lists, cross products, and expressions over data.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::MAX_FILES_PER_RULE;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Loop, MegaFile, Rule};
use crate::span::SourceMap;
use crate::template::value::{Mapping, as_mapping};
use crate::template::{Scope, Unit};

/// One round: the loop variables and their values.
pub type Round = Vec<(Arc<str>, Value)>;

/// The rounds of a rule, and its loop variables with all their values (for the vocabulary).
#[derive(Debug, Default)]
pub struct Rounds {
    /// The rounds in order.
    pub rounds: Vec<Round>,
    /// Loop variables, outermost first.
    pub variables: Vec<(String, Vec<Value>)>,
}

/// The rounds of `rule`.
///
/// # Errors
/// An expression that fails or gives no list, a null item, a product over the limit; at the loop's place.
pub fn rounds(mega: &MegaFile, rule: &Rule, sources: &SourceMap) -> Result<Rounds, Vec<Diagnostic>> {
    let (variables, span) = match &rule.each {
        Loop::Once => return Ok(Rounds { rounds: vec![Vec::new()], variables: Vec::new() }),
        Loop::Lists(lists) => {
            let variables: Vec<_> = lists.iter().map(|list| (list.variable.clone(), list.values.clone())).collect();
            (variables, lists.first().map_or(rule.span, |list| list.span))
        }
        Loop::Expression { variable, node } => {
            let values = evaluate(mega, *node, sources)?;
            (vec![(variable.clone(), values)], mega.tree.span(*node))
        }
    };
    for (variable, values) in &variables {
        if let Some(position) = values.iter().position(|value| value.is_none() || value.is_undefined()) {
            let message = format!("item {} of the loop over `{variable}` is null", position + 1);
            let help = "remove the empty entry, or give it a value";
            return Err(vec![Diagnostic::new(Code::BadItem, message).at(span).help(help).team(mega.team.clone())]);
        }
    }
    let product = variables.iter().try_fold(1_usize, |product, (_, values)| product.checked_mul(values.len()));
    let files = product.and_then(|rounds| rounds.checked_mul(rule.entries.len().max(1)));
    if files.is_none_or(|files| files > MAX_FILES_PER_RULE) {
        let count = files.map_or_else(|| "more files than can be counted".to_owned(), |files| format!("{files} files"));
        let message = format!("this rule would plan {count}; the limit of one rule is {MAX_FILES_PER_RULE}");
        let help = "split the lists over several rules or mega-files";
        return Err(vec![Diagnostic::new(Code::PlanLimit, message).at(span).help(help).team(mega.team.clone())]);
    }
    Ok(Rounds { rounds: product_of(&variables), variables })
}

fn product_of(variables: &[(String, Vec<Value>)]) -> Vec<Round> {
    let mut rounds: Vec<Round> = vec![Vec::new()];
    for (variable, values) in variables {
        let name: Arc<str> = Arc::from(variable.as_str());
        let with = |round: &Round, value: &Value| {
            let mut round = round.clone();
            round.push((Arc::clone(&name), value.clone()));
            round
        };
        rounds = rounds.iter().flat_map(|round| values.iter().map(move |value| with(round, value))).collect();
    }
    rounds
}

/// The values of a loop expression such as `data.entities`.
fn evaluate(mega: &MegaFile, node: crate::source::NodeId, sources: &SourceMap) -> Result<Vec<Value>, Vec<Diagnostic>> {
    let text = mega.tree.text(node).unwrap_or_default();
    let words = Arc::new(super::words::of_data(mega));
    let unit = Unit::new(Arc::clone(&words));
    let issues = unit.check_expression(text);
    if !issues.is_empty() {
        return Err(issues.iter().map(|issue| super::locate(mega, sources, node, issue)).collect());
    }
    let scope = Arc::new(Scope::bare(words, Arc::clone(&mega.base)));
    let fail = |message: String, help: String| {
        let diagnostic = Diagnostic::new(Code::BadLoop, message).at(mega.tree.span(node)).team(mega.team.clone());
        vec![diagnostic.help(help)]
    };
    let value = unit.evaluate(text, &scope).map_err(|issue| vec![super::locate(mega, sources, node, &issue)])?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter().map(Iterator::collect).map_err(|error| {
            fail(format!("the loop over `{text}` failed: {error}"), "loop over a list or a mapping".to_owned())
        }),
        ValueKind::Map => Ok(as_mapping(&value).map_or_else(Vec::new, |mapping| named_items(&mapping))),
        ValueKind::Undefined => {
            let keys = super::words::data_keys(mega).join("`, `data.");
            let help = super::words::data_hint(mega, text).filter(|_| !keys.is_empty());
            let help = help.unwrap_or_else(|| match keys.as_str() {
                "" => "the mega-file has no `data`".to_owned(),
                keys => format!("there is `data.{keys}`"),
            });
            Err(fail(format!("`{text}` does not exist"), help))
        }
        kind => Err(fail(
            format!("`{text}` is {}, not a list", kind_word(kind)),
            "loop over a list, a mapping, or an expression that gives one".to_owned(),
        )),
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
