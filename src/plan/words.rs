//! The vocabulary of a rule: what its placeholders and tags may name, before anything is rendered.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use minijinja::Value;

use super::frame::FrameParam;
use crate::diagnostic::nearest;
use crate::model::{Plurals, WordStyle};
use crate::template::slots::CONTRIBUTIONS;
use crate::template::value::as_mapping;
use crate::template::{Base, Change, Origin, Vocabulary, Word};

/// All that the vocabulary of a text depends on.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The names that every text of the mega-file sees.
    pub base: &'a Base,
    /// How placeholders are made.
    pub style: WordStyle,
    /// Loop variables with all their values.
    pub variables: &'a [(String, Vec<Value>)],
    /// The keys that `with` binds.
    pub with: &'a [String],
    /// The parameters of the factory.
    pub params: &'a [FrameParam],
    /// The variables of all loops of the mega-file.
    pub loops: &'a BTreeSet<String>,
    /// Whether the rule belongs to a factory.
    pub in_factory: bool,
    /// Plurals where the English rules fail.
    pub plurals: &'a Plurals,
}

/// The words of the mega-file's own names and the parameters, for expressions outside of loops.
#[must_use]
pub fn of_data(base: &Base, params: &[FrameParam]) -> Vocabulary {
    let mut words = Vocabulary::default();
    for name in base.keys() {
        words.add_known(name.to_string());
    }
    words.add_hint("sources", "data");
    for key in data_keys(base) {
        if !base.contains_key(key.as_str()) {
            words.add_hint(key.clone(), format!("data.{key}"));
        }
    }
    add_params(&mut words, params, 0);
    words
}

/// The keys of the mega-file's `data`.
#[must_use]
pub fn data_keys(base: &Base) -> Vec<String> {
    let data = base.get("data").and_then(as_mapping);
    data.map_or_else(Vec::new, |data| data.keys().map(str::to_owned).collect())
}

/// So many keys are listed in a help.
const SHOWN: usize = 12;

/// The key of `data` that an expression misspells, as bytes of the expression, and the one that is meant.
#[must_use]
pub fn data_near(base: &Base, expression: &str) -> Option<(Range<usize>, String)> {
    let is_word = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
    let start = expression.match_indices("data.").map(|(at, _)| at).find(|&at| !expression[..at].ends_with(is_word))?;
    let chain = expression[start..].split(|c: char| !is_word(c)).next()?;
    let (mut value, mut at) = (base.get("data")?.clone(), start + "data.".len());
    for key in chain.split('.').skip(1) {
        let mapping = as_mapping(&value)?;
        let Some(next) = mapping.get(key).cloned() else {
            return nearest(key, mapping.keys()).map(|near| (at..at + key.len(), near.to_owned()));
        };
        value = next;
        at += key.len() + 1;
    }
    None
}

/// Which key of `data` an expression asks for in vain, and what there is instead; `None` if all are there.
#[must_use]
pub fn data_hint(base: &Base, expression: &str) -> Option<String> {
    let data = base.get("data")?;
    let is_word = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
    let mut chains = expression.split(|c: char| !is_word(c)).filter(|chain| chain.starts_with("data."));
    chains.find_map(|chain| chain_hint(data, chain))
}

fn chain_hint(data: &Value, chain: &str) -> Option<String> {
    let mut value = data.clone();
    let mut above = "data".to_owned();
    for key in chain.split('.').skip(1) {
        let mapping = as_mapping(&value)?;
        if let Some(next) = mapping.get(key) {
            value = next.clone();
            above = format!("{above}.{key}");
            continue;
        }
        if let Some(near) = nearest(key, mapping.keys()) {
            return Some(format!("`{above}` has no `{key}`: did you mean `{above}.{near}`?"));
        }
        let keys: Vec<&str> = mapping.keys().take(SHOWN).collect();
        let more = if mapping.entries().len() > SHOWN { " and more" } else { "" };
        let has = if keys.is_empty() { "is empty".to_owned() } else { format!("has `{}`{more}", keys.join("`, `")) };
        return Some(format!("there is no `{above}.{key}`: `{above}` {has}"));
    }
    None
}

/// The words of a rule's texts.
#[must_use]
pub fn of_rule(names: &Names<'_>) -> Vocabulary {
    let mut words = of_data(names.base, &[]);
    for (index, key) in names.with.iter().enumerate() {
        words.add(key.clone(), Word::Value(Origin::With(index), Change::None));
    }
    add_params(&mut words, names.params, names.with.len());
    match names.style {
        WordStyle::Native => {
            native(&mut words, names);
            add_loops_elsewhere(&mut words, names);
        }
        WordStyle::Keys => keys(&mut words, names.base, names.variables, false),
        WordStyle::Entities => keys(&mut words, names.base, names.variables, true),
    }
    words.add_plurals(names.plurals);
    words
}

/// The exact names of parameters; in the scope they follow the values of `with`.
fn add_params(words: &mut Vocabulary, params: &[FrameParam], first: usize) {
    for (index, param) in params.iter().enumerate() {
        words.add(param.name.clone(), Word::Value(Origin::With(first + index), Change::None));
        if param.is_mapping {
            words.add_mapping(param.name.clone());
        }
    }
    let Some(param) = params.first().map(|param| &param.name) else { return };
    for word in PARAMS {
        words.add_far(word, format!("a parameter is a name of its own: write `{param}`, not `{word}.{param}`"));
    }
}

/// The words by which people call the parameters of a factory as a whole.
const PARAMS: [&str; 6] = ["params", "parameters", "args", "arguments", "inputs", "factory"];

/// Loop variables of other rules: a text that names one stays as it is, which is hardly ever meant.
fn add_loops_elsewhere(words: &mut Vocabulary, names: &Names<'_>) {
    for variable in names.loops {
        let help = if names.in_factory {
            format!(
                "a factory sees its parameters and `data`, not the loop of its caller: declare a parameter and pass it \
                 by `with: {{NAME: \"{{{{ {variable} }}}}\"}}`"
            )
        } else {
            let own: Vec<&str> = names.variables.iter().map(|(name, _)| name.as_str()).collect();
            match own.as_slice() {
                [] => {
                    format!("`{variable}` exists only in rules that loop `as: {variable}`, and this one does not loop")
                }
                own => format!("here the loop variable is `{}`", own.join("`, `")),
            }
        };
        words.add_far(variable.clone(), help);
    }
}

fn native(words: &mut Vocabulary, names: &Names<'_>) {
    for (index, (variable, _)) in names.variables.iter().enumerate() {
        words.add(variable.clone(), Word::Value(Origin::Loop(index), Change::None));
    }
    for (index, (variable, values)) in names.variables.iter().enumerate() {
        words.add_forms(variable, &Origin::Loop(index));
        add_fields(words, variable, values);
    }
    for (index, param) in names.params.iter().enumerate().filter(|(_, param)| param.has_forms) {
        words.add_forms(&param.name, &Origin::With(names.with.len() + index));
    }
    for root in ["data", "vars", "mega_file", CONTRIBUTIONS] {
        if names.base.contains_key(root) {
            words.add(root, Word::Dotted);
        }
    }
}

fn add_fields(words: &mut Vocabulary, variable: &str, values: &[Value]) {
    for key in union_of_keys(values) {
        words.add_field(key.to_string());
    }
    if values.iter().any(|value| as_mapping(value).is_some()) {
        words.add_mapping(variable.to_owned());
    }
}

/// The keys of all items, in the order in which they first appear.
fn union_of_keys(values: &[Value]) -> Vec<Arc<str>> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for mapping in values.iter().filter_map(as_mapping) {
        for (key, _) in mapping.entries() {
            if seen.insert(Arc::clone(key)) {
                keys.push(Arc::clone(key));
            }
        }
    }
    keys
}

/// The LBOF dialect: the items' keys with their forms, the words for entities, and what the mega-file says of itself.
fn keys(words: &mut Vocabulary, base: &Base, variables: &[(String, Vec<Value>)], entities: bool) {
    let item_keys: Vec<(usize, Arc<str>)> = variables
        .iter()
        .enumerate()
        .flat_map(|(index, (_, values))| union_of_keys(values).into_iter().map(move |key| (index, key)))
        .collect();
    for (index, key) in &item_keys {
        words.add(key.to_string(), Word::Value(Origin::Field(*index, Arc::clone(key)), Change::None));
    }
    for (variable, values) in variables {
        words.add_known(variable.clone());
        if values.iter().any(|value| as_mapping(value).is_some()) {
            words.add_mapping(variable.clone());
        }
    }
    if entities {
        words.add_known("attributes");
        let own = [
            ("Entity", Origin::Field(0, Arc::from("name")), Change::None),
            ("entity", Origin::Field(0, Arc::from("name")), Change::Lower),
            ("entities", Origin::Loop(0), Change::SimplePlural),
            ("Entities", Origin::Loop(0), Change::SimplePluralCapital),
        ];
        for (spelling, origin, change) in own {
            words.add(spelling, Word::Value(origin, change));
        }
    }
    for (index, key) in &item_keys {
        words.add_forms(key, &Origin::Field(*index, Arc::clone(key)));
    }
    let about = base.get("mega_file").and_then(as_mapping);
    for (key, value) in about.iter().flat_map(|about| about.entries()) {
        words.add(key.to_string(), Word::Value(Origin::Fixed(value.clone()), Change::None));
    }
}
