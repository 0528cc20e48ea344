//! The words that placeholders may use, fixed per template and rule before anything is rendered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Value;

use super::forms::Form;

/// Where a word's value comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The loop variable of this index.
    Loop(usize),
    /// A field of the item of this loop variable.
    Field(usize, Arc<str>),
    /// A value bound by `with`, by its index.
    With(usize),
    /// The same value for every item.
    Fixed(Value),
}

/// What happens to the value before it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// A case form or plural.
    Form(Form),
    /// The `name` in lower case (`{entity}` of the LBOF dialect).
    Lower,
    /// The `plural`, else the name in lower case and an `s` (`{entities}` of the LBOF dialect).
    SimplePlural,
    /// [`Self::SimplePlural`] with its first letter in upper case.
    SimplePluralCapital,
}

/// One word of a vocabulary.
#[derive(Debug, Clone)]
pub enum Word {
    /// A value of the scope.
    Value(Origin, Change),
    /// A root that needs a dotted path (`{data.version}`); bare it stays as it is.
    Dotted,
    /// Bound in the text by Jinja.
    Bound,
}

/// Everything that is known about names before rendering.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    words: BTreeMap<String, Word>,
    literal: BTreeSet<String>,
    fields: BTreeSet<String>,
    known: BTreeSet<String>,
    mappings: BTreeSet<String>,
    hints: BTreeMap<String, String>,
    far: BTreeMap<String, String>,
    plurals: BTreeMap<String, String>,
}

impl Vocabulary {
    /// Adds a word; an earlier one of the same spelling wins (exact names are added before derived forms).
    pub fn add(&mut self, spelling: impl Into<String>, word: Word) {
        self.words.entry(spelling.into()).or_insert(word);
    }

    /// Adds the derived forms of `name`.
    pub fn add_forms(&mut self, name: &str, origin: &Origin) {
        for form in Form::ALL {
            self.add(form.spelling(name), Word::Value(origin.clone(), Change::Form(form)));
        }
    }

    /// Names a field that some item has: known to Jinja, never a placeholder when bare.
    pub fn add_field(&mut self, name: impl Into<String>) {
        self.fields.insert(name.into());
    }

    /// Names something that only Jinja knows.
    pub fn add_known(&mut self, name: impl Into<String>) {
        self.known.insert(name.into());
    }

    /// Says that this loop variable holds mappings.
    pub fn add_mapping(&mut self, name: impl Into<String>) {
        self.mappings.insert(name.into());
    }

    /// Says what somebody who writes `name` may have meant (`entities`: `data.entities`).
    pub fn add_hint(&mut self, name: impl Into<String>, meant: impl Into<String>) {
        self.hints.insert(name.into(), meant.into());
    }

    /// What somebody who writes `name` may have meant.
    #[must_use]
    pub fn hint(&self, name: &str) -> Option<&str> {
        self.hints.get(name).map(String::as_str)
    }

    /// Names something that exists elsewhere in the mega-file but not here, with what to do; an earlier one wins.
    pub fn add_far(&mut self, name: impl Into<String>, help: impl Into<String>) {
        self.far.entry(name.into()).or_insert_with(|| help.into());
    }

    /// What to do about a name that exists elsewhere in the mega-file but not here.
    #[must_use]
    pub fn far(&self, name: &str) -> Option<&str> {
        if self.jinja_knows(name) { None } else { self.far.get(name).map(String::as_str) }
    }

    /// Gives plurals where the English rules fail, by the singular in lower case; an earlier one wins.
    pub fn add_plurals(&mut self, plurals: &BTreeMap<String, String>) {
        for (singular, plural) in plurals {
            self.plurals.entry(singular.clone()).or_insert_with(|| plural.clone());
        }
    }

    /// The plural that was given for a text.
    #[must_use]
    pub fn plural(&self, text: &str) -> Option<&str> {
        if self.plurals.is_empty() {
            return None;
        }
        self.plurals.get(&text.to_lowercase()).map(String::as_str)
    }

    /// This vocabulary for a template with its own `literal:` and `placeholders:` lists.
    #[must_use]
    pub fn for_template(&self, literal: &[String], placeholders: &[String]) -> Self {
        let mut own = self.clone();
        own.literal.extend(literal.iter().cloned());
        for name in placeholders {
            own.words.entry(name.clone()).or_insert(Word::Bound);
        }
        own
    }

    /// The word of this spelling.
    #[must_use]
    pub fn word(&self, spelling: &str) -> Option<&Word> {
        self.words.get(spelling)
    }

    /// Whether `{name}` is to be left alone without a warning.
    #[must_use]
    pub fn is_literal(&self, name: &str) -> bool {
        self.literal.contains(name)
    }

    /// Whether some item has this field.
    #[must_use]
    pub fn is_field(&self, name: &str) -> bool {
        self.fields.contains(name)
    }

    /// The fields that some item has.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }

    /// Whether this loop variable holds mappings, so that comparing it with text is a slip.
    #[must_use]
    pub fn is_mapping(&self, name: &str) -> bool {
        self.mappings.contains(name) && !self.fields.contains(name)
    }

    /// Whether Jinja knows the name.
    #[must_use]
    pub fn jinja_knows(&self, name: &str) -> bool {
        self.fields.contains(name) || self.known.contains(name) || self.words.contains_key(name)
    }

    /// Whether `{name}` would be replaced, warned about or refused: then `{\name}` is worth an escape.
    #[must_use]
    pub fn would_notice(&self, name: &str) -> bool {
        self.words.contains_key(name)
            || self.fields.contains(name)
            || self.far.contains_key(name)
            || self.near_miss(name).is_some()
    }

    /// The word of which `name` is a near miss: five letters or more, one edit or transposition away.
    #[must_use]
    pub fn near_miss(&self, name: &str) -> Option<&str> {
        if name.chars().count() < 5 || self.words.contains_key(name) {
            return None;
        }
        let mut words = self.words.keys().map(String::as_str);
        words.find(|word| strsim::damerau_levenshtein(word, name) == 1)
    }

    /// The words of placeholders, sorted.
    pub fn words(&self) -> impl Iterator<Item = (&str, &Word)> {
        self.words.iter().map(|(name, word)| (name.as_str(), word))
    }

    /// Every name that Jinja knows, sorted.
    pub fn jinja_names(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<&str> =
            self.words.keys().chain(&self.fields).chain(&self.known).map(String::as_str).collect();
        all.into_iter()
    }
}
