//! The vocabulary of a rule: what its placeholders and tags may name, before anything is rendered.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use crate::diagnostic::nearest;
use crate::model::{MegaFile, Rule, WordStyle};
use crate::template::value::as_mapping;
use crate::template::{Change, Origin, Vocabulary, Word};

/// The words of the mega-file's own names, for expressions outside of loops.
#[must_use]
pub fn of_data(mega: &MegaFile) -> Vocabulary {
    let mut words = Vocabulary::default();
    for name in mega.base.keys() {
        words.add_known(name.to_string());
    }
    for key in data_keys(mega) {
        if !mega.base.contains_key(key.as_str()) {
            words.add_hint(key.clone(), format!("data.{key}"));
        }
    }
    words
}

/// The keys of the mega-file's `data`.
#[must_use]
pub fn data_keys(mega: &MegaFile) -> Vec<String> {
    let data = mega.base.get("data").and_then(as_mapping);
    data.map_or_else(Vec::new, |data| data.keys().map(str::to_owned).collect())
}

/// So many keys are listed in a help.
const SHOWN: usize = 12;

/// Which key of `data` an expression asks for in vain, and what there is instead; `None` if all are there.
#[must_use]
pub fn data_hint(mega: &MegaFile, expression: &str) -> Option<String> {
    let data = mega.base.get("data")?;
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

/// The words of a rule: `variables` are its loop variables with all their values, `with` the keys that are bound.
#[must_use]
pub fn of_rule(mega: &MegaFile, rule: &Rule, variables: &[(String, Vec<Value>)], with: &[String]) -> Vocabulary {
    let mut words = of_data(mega);
    for (index, key) in with.iter().enumerate() {
        words.add(key.clone(), Word::Value(Origin::With(index), Change::None));
    }
    match rule.words {
        WordStyle::Native => native(&mut words, mega, variables),
        WordStyle::Keys => keys(&mut words, mega, variables, false),
        WordStyle::Entities => keys(&mut words, mega, variables, true),
    }
    words
}

fn native(words: &mut Vocabulary, mega: &MegaFile, variables: &[(String, Vec<Value>)]) {
    for (index, (variable, _)) in variables.iter().enumerate() {
        words.add(variable.clone(), Word::Value(Origin::Loop(index), Change::None));
    }
    for (index, (variable, values)) in variables.iter().enumerate() {
        words.add_forms(variable, &Origin::Loop(index));
        add_fields(words, variable, values);
    }
    for root in ["data", "vars", "mega_file"] {
        if mega.base.contains_key(root) {
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
fn keys(words: &mut Vocabulary, mega: &MegaFile, variables: &[(String, Vec<Value>)], entities: bool) {
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
    let about = mega.base.get("mega_file").and_then(as_mapping);
    for (key, value) in about.iter().flat_map(|about| about.entries()) {
        words.add(key.to_string(), Word::Value(Origin::Fixed(value.clone()), Change::None));
    }
}
