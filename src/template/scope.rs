//! The names that one rendered file sees: loop variables, `with` values, the mega-file's data.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::forms::Form;
use super::value::{as_mapping, standing_for};
use super::vocabulary::{Change, Origin, Vocabulary, Word};

/// What every file of one mega-file sees: `data`, `vars`, `mega_file`, and in the LBOF dialect its lists.
pub type Base = BTreeMap<Arc<str>, Value>;

/// The names of one file. As a template value it is the context; lookups build nothing that is not asked for.
///
/// Jinja's order: `with` values, fields of the items, loop variables, derived forms, the mega-file's own names.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Shared by all files of a rule.
    pub words: Arc<Vocabulary>,
    /// Shared by all files of a mega-file.
    pub base: Arc<Base>,
    /// Loop variables, outermost first.
    pub loops: Vec<(Arc<str>, Value)>,
    /// Values bound by `with`, and after them the parameters of the factory.
    pub with: Vec<(Arc<str>, Value)>,
    /// What random values depend on ([`super::random::key`]); only for files whose templates ask for some.
    pub random: Option<Arc<str>>,
}

impl Scope {
    /// A scope that holds only the mega-file's own names.
    #[must_use]
    pub fn bare(words: Arc<Vocabulary>, base: Arc<Base>) -> Self {
        Self { words, base, loops: Vec::new(), with: Vec::new(), random: None }
    }

    /// The value of a placeholder's root. `whole`: the placeholder has no dotted path, so that a mapping stands for
    /// its `name`.
    #[must_use]
    pub fn placeholder(&self, name: &str, whole: bool) -> Option<Value> {
        let (origin, change) = match self.words.word(name)? {
            Word::Value(origin, change) => (origin, *change),
            Word::Dotted => return self.base.get(name).cloned(),
            Word::Bound => return self.jinja(name),
        };
        let raw = match origin {
            Origin::Loop(index) => self.loops.get(*index).map(|(_, value)| value.clone())?,
            Origin::Field(index, key) => {
                let item = as_mapping(&self.loops.get(*index)?.1)?;
                item.get(key)?.clone()
            }
            Origin::With(index) => self.with.get(*index).map(|(_, value)| value.clone())?,
            Origin::Fixed(value) => value.clone(),
        };
        if change == Change::None {
            return Some(if whole { standing_for(raw) } else { raw });
        }
        Some(changed(raw, change, &self.words))
    }

    /// The value of a name in Jinja.
    #[must_use]
    pub fn jinja(&self, name: &str) -> Option<Value> {
        if let Some((_, value)) = self.with.iter().find(|(key, _)| &**key == name) {
            return Some(value.clone());
        }
        let field = self.loops.iter().find_map(|(_, item)| as_mapping(item)?.get(name).cloned());
        if field.is_some() {
            return field;
        }
        if let Some((_, value)) = self.loops.iter().find(|(key, _)| &**key == name) {
            return Some(value.clone());
        }
        match self.words.word(name) {
            Some(Word::Value(..)) => self.placeholder(name, true),
            _ => self.base.get(name).cloned(),
        }
    }

    /// The name of the item for messages and reports: its text, or its `name`.
    #[must_use]
    pub fn item_name(&self) -> Option<String> {
        let names = self.loops.iter().map(|(_, value)| {
            let value = standing_for(value.clone());
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        });
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| names.join(" × "))
    }
}

/// Applies a change; a value that is no text is printed first. `None` if it has no printed form.
fn changed(value: Value, change: Change, words: &Vocabulary) -> Value {
    let plural = as_mapping(&value).and_then(|item| item.get("plural")?.as_str().map(str::to_owned));
    let named = standing_for(value);
    let mut text = String::new();
    if super::value::print(&named, &mut text).is_err() {
        return named;
    }
    let plural = plural.or_else(|| words.plural(&text).map(str::to_owned));
    Value::from(match change {
        Change::None => text,
        Change::Form(form) => return form_of(form, text, plural),
        Change::Lower => text.to_lowercase(),
        Change::SimplePlural => plural.unwrap_or_else(|| text.to_lowercase() + "s"),
        Change::SimplePluralCapital => capital(&plural.unwrap_or_else(|| text.to_lowercase() + "s")),
    })
}

/// A form that was made: of which text, with which plural.
type Made = ((Form, String, Option<String>), Value);

thread_local! {
    /// The forms that this thread made last. A file asks for the same few forms of its item dozens of times.
    static MADE: RefCell<VecDeque<Made>> = const { RefCell::new(VecDeque::new()) };
}

/// [`Form::of`], remembered: it is a pure function.
fn form_of(form: Form, text: String, plural: Option<String>) -> Value {
    let key = (form, text, plural);
    MADE.with_borrow_mut(|made| {
        if let Some((_, value)) = made.iter().find(|(of, _)| *of == key) {
            return value.clone();
        }
        let value = Value::from(form.of(&key.1, key.2.as_deref()));
        made.truncate(7);
        made.push_front((key, value.clone()));
        value
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The name under which rewritten templates find placeholders without a path.
pub const PLACEHOLDERS: &str = "__megax_p";
/// The name under which rewritten templates find placeholders with a dotted path.
pub const ROOTS: &str = "__megax_r";

impl Object for Scope {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            PLACEHOLDERS => Some(Value::from_object(Words { scope: Arc::clone(self), whole: true })),
            ROOTS => Some(Value::from_object(Words { scope: Arc::clone(self), whole: false })),
            _ => self.jinja(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }
}

/// The placeholders of a scope as a template value.
#[derive(Debug)]
struct Words {
    scope: Arc<Scope>,
    whole: bool,
}

impl Object for Words {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.scope.placeholder(key.as_str()?, self.whole)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.scope.placeholder(key, self.whole)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }
}
