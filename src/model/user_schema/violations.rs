//! From the validator's errors to findings in words: where in the value, what is wrong, what to write.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Fault;
use serde_json::Value;

use super::words::{certain, choices, found, many, measure, sample_of, shown, twin};
use super::{UserSchema, escaped, growth, resolve};
use crate::diagnostic::nearest;
use crate::model::schema::explain::values::expected;
use crate::model::schema::explain::{example, list_words, segments, types};
use crate::span::Span;

/// So many faults are explained; who mends them finds the rest next time.
const MOST_ERRORS: usize = 200;
/// Branches inside branches that are explained; mega-files are not nested deeper.
const MAX_BRANCHES: usize = 130;

/// One step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Under a key of a mapping.
    Key(String),
    /// The item of a list, from 0.
    Index(usize),
}

/// Something in a value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// From the top of the value.
    pub path: Vec<Step>,
    /// Whether to point at the key and not at its value: the key is wrong, or the mapping under it lacks something.
    pub on_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The text that replaces the value, or the key if `on_key`, where the mend is certain.
    pub fix: Option<String>,
    /// Where the schema demands it.
    pub rule: Option<Span>,
}

/// What a violation is about, to drop what another one explains.
#[derive(Debug, PartialEq, Eq)]
enum Aspect {
    Type,
    Value,
    Missing(String),
    Unknown { meant: Option<String> },
}

struct Found {
    violation: Violation,
    aspect: Aspect,
    /// The numbers of the keys and items on the way: the order of the document.
    order: Vec<usize>,
}

/// A place that the validator found wanting.
struct Place<'v> {
    path: Vec<Step>,
    value: &'v Value,
    order: Vec<usize>,
    /// The part of the schema that failed there.
    part: &'v Value,
    rule: Option<Span>,
}

impl UserSchema {
    /// Everything in `instance` that does not fit, in the order of the document.
    #[must_use]
    pub fn violations(&self, instance: &Value) -> Vec<Violation> {
        let depth = growth::depth(instance);
        if self.visits.get(depth).is_none_or(|&visits| visits > growth::MAX_VISITS) {
            return vec![self.too_deep(depth)];
        }
        let mut found = Vec::new();
        for error in self.validator.iter_errors(instance).take(MOST_ERRORS) {
            self.explain(&error, instance, &mut found, 0);
        }
        found.sort_by(|a, b| {
            let key = |one: &Found| (one.order.clone(), one.violation.path.clone(), one.violation.message.clone());
            key(a).cmp(&key(b))
        });
        let keep: Vec<bool> = (0..found.len()).map(|index| !is_explained(&found, index)).collect();
        let kept = found.into_iter().zip(keep).filter_map(|(one, keep)| keep.then_some(one.violation));
        let mut kept: Vec<Violation> = kept.collect();
        kept.dedup_by(|a, b| (&a.path, a.on_key, &a.message) == (&b.path, b.on_key, &b.message));
        kept
    }

    fn too_deep(&self, depth: usize) -> Violation {
        let noun = self.noun;
        let message =
            format!("{noun} is nested {depth} levels deep, and the schema judges each level several times over");
        let help = "refer to a part once: join schemas that name the same property".to_owned();
        let rule = self.places.get("").copied();
        Violation { path: Vec::new(), on_key: true, message, help: Some(help), fix: None, rule }
    }

    fn explain(&self, error: &ValidationError<'_>, instance: &Value, found: &mut Vec<Found>, depth: usize) {
        let place = self.place(error, instance);
        match error.kind() {
            Fault::AdditionalProperties { unexpected } | Fault::UnevaluatedProperties { unexpected } => {
                found.extend(unexpected.iter().map(|key| self.unknown(&place, key)));
            }
            Fault::PropertyNames { error: inner } => {
                let key = inner.instance().as_str().unwrap_or_default();
                found.push(self.bad_key(&place, key, inner));
            }
            Fault::Required { property } => {
                found.push(self.missing(&place, property.as_str().unwrap_or_default()));
            }
            Fault::Type { .. } => found.push(self.wrong_type(&place)),
            Fault::AnyOf { context } | Fault::OneOfNotValid { context } if depth < MAX_BRANCHES => {
                self.no_branch(&place, context, instance, found, depth);
            }
            fault => found.push(self.bad_value(&place, fault)),
        }
    }

    fn place<'v>(&'v self, error: &ValidationError<'_>, instance: &'v Value) -> Place<'v> {
        let (mut path, mut value, mut order) = (Vec::new(), instance, Vec::new());
        for segment in segments(error.instance_path().as_str()) {
            match value {
                Value::Object(map) => {
                    order.push(map.keys().position(|key| *key == segment).unwrap_or(map.len()));
                    value = map.get(&segment).unwrap_or(&Value::Null);
                    path.push(Step::Key(segment));
                }
                Value::Array(items) => {
                    let index = segment.parse().unwrap_or(usize::MAX);
                    order.push(index);
                    value = items.get(index).unwrap_or(&Value::Null);
                    path.push(Step::Index(index));
                }
                _ => break,
            }
        }
        let (pointer, part) = self.part(&segments(error.schema_path().as_str()));
        // What megax adds (a mapping unless told otherwise) is written nowhere.
        let rule = self.places.get(&pointer).or_else(|| self.places.get("")).copied();
        Place { path, value, order, part, rule }
    }

    /// Follows a route of keywords: the pointer to its end, and the schema around the last keyword.
    fn part(&self, route: &[String]) -> (String, &Value) {
        let (mut at, mut pointer, mut around) = (&self.schema, String::new(), &self.schema);
        for step in route {
            let index = step.parse::<usize>().ok();
            let direct = |at: &'_ Value| at.get(step).is_some() || index.is_some_and(|index| at.get(index).is_some());
            if step == "$ref" || !direct(at) {
                let (target, next) = resolve(&self.schema, at);
                if let Some(target) = target {
                    target.clone_into(&mut pointer);
                    at = next;
                }
                if step == "$ref" {
                    around = at;
                    continue;
                }
            }
            let Some(next) = at.get(step).or_else(|| at.get(index?)) else { break };
            around = at;
            at = next;
            pointer = format!("{pointer}/{}", escaped(step));
        }
        (pointer, around)
    }

    /// How a message calls a place: `` `when` ``, `` item 2 of `rules` ``, `the data`.
    fn name(&self, path: &[Step]) -> String {
        match path {
            [] => self.noun.to_owned(),
            [.., Step::Key(key)] => format!("`{key}`"),
            [.., Step::Key(owner), Step::Index(index)] => format!("item {} of `{owner}`", index + 1),
            [.., Step::Index(index)] => format!("item {} of a list", index + 1),
        }
    }

    /// The owner of a key, in a message: nothing for the top.
    fn inside(&self, path: &[Step]) -> String {
        format!(" in {}", self.name(path))
    }

    fn unknown(&self, place: &Place<'_>, key: &str) -> Found {
        let present = |name: &str| place.value.get(name).is_some();
        let known: Vec<&str> = self.known_keys(place.part);
        let near = nearest(key, known.iter().copied().filter(|name| !present(name)));
        let help = match near {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => "remove it; the schema allows no such key".to_owned(),
            None => format!("remove it, or use one of the keys {}", list_words(known)),
        };
        let mut found = place.found(
            Aspect::Unknown { meant: near.map(str::to_owned) },
            format!("unknown key `{key}`{}", self.inside(&place.path)),
            help,
        );
        found.violation.path.push(Step::Key(key.to_owned()));
        found.violation.on_key = true;
        found.violation.fix = near.map(str::to_owned);
        let number = place.value.as_object().and_then(|map| map.keys().position(|one| one == key));
        found.order.push(number.unwrap_or_default());
        found
    }

    /// The keys that a schema of a mapping names, also those of its branches.
    fn known_keys<'v>(&'v self, part: &'v Value) -> Vec<&'v str> {
        let (_, part) = resolve(&self.schema, part);
        let own = part.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
        let branches = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| part.get(key)?.as_array()).flatten();
        let of_branches = branches.flat_map(|branch| {
            let (_, branch) = resolve(&self.schema, branch);
            branch.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
        });
        let mut seen = BTreeSet::new();
        own.chain(of_branches).filter(|key| seen.insert(*key)).collect()
    }

    fn bad_key(&self, place: &Place<'_>, key: &str, inner: &ValidationError<'_>) -> Found {
        let help = match inner.kind() {
            Fault::Pattern { pattern } => format!("write a key that matches {pattern}"),
            Fault::Enum { options } => format!("write one of {}", choices(options)),
            Fault::MaxLength { limit } => format!("write a key of at most {limit} characters"),
            Fault::MinLength { limit } => format!("write a key of at least {limit} characters"),
            _ => "write another key".to_owned(),
        };
        let message = format!("the key `{key}`{} is not allowed", self.inside(&place.path));
        let mut found = place.found(Aspect::Value, message, help);
        found.violation.path.push(Step::Key(key.to_owned()));
        found.violation.on_key = true;
        found
    }

    fn missing(&self, place: &Place<'_>, key: &str) -> Found {
        let message = format!("{} lacks the required key `{key}`", self.name(&place.path));
        let property = place.part.get("properties").and_then(|all| all.get(key));
        let property = property.map(|property| resolve(&self.schema, property).1);
        let sample = property.and_then(|property| {
            let choice = || Some(property.get("enum")?.as_array()?.first()?.to_string());
            example(property).or_else(|| Some(property.get("default")?.to_string())).or_else(choice)
        });
        let sample = sample.or_else(|| property.and_then(sample_of).map(str::to_owned));
        let mut help = format!("add `{key}: {}`", sample.as_deref().unwrap_or("..."));
        if let Some(about) = property.and_then(|property| property.get("description")).and_then(Value::as_str) {
            help = format!("{help} ({})", about.trim_end_matches('.'));
        }
        let mut found = place.found(Aspect::Missing(key.to_owned()), message, help);
        found.violation.on_key = true;
        found
    }

    fn wrong_type(&self, place: &Place<'_>) -> Found {
        let wanted = self.wanted(place.part);
        let message = format!("{} must be {wanted}, found {}", self.name(&place.path), found(place.value));
        let fix = certain(place.value, place.part);
        let help = match (&fix, place.value) {
            (Some(fix), _) => format!("write `{fix}`"),
            (None, Value::Null) => "give it a value, or remove the key".to_owned(),
            (None, _) => match example(place.part) {
                Some(sample) => format!("write {wanted}, for example `{sample}`"),
                None => format!("write {wanted}"),
            },
        };
        let mut found = place.found(Aspect::Type, message, help);
        found.violation.fix = fix;
        found
    }

    /// What a schema allows, in words: `a list of texts`.
    fn wanted(&self, part: &Value) -> String {
        let (_, part) = resolve(&self.schema, part);
        let items = part.get("items").map(|items| resolve(&self.schema, items).1);
        match (types(part).as_slice(), items.map(types).as_deref()) {
            (["array"], Some([item])) => format!("a list of {}", many(item)),
            _ => expected(part),
        }
    }

    /// No branch of `anyOf` or `oneOf` fits: the errors of the one that was meant, or all in one.
    fn no_branch(
        &self,
        place: &Place<'_>,
        context: &[Vec<ValidationError<'static>>],
        instance: &Value,
        found: &mut Vec<Found>,
        depth: usize,
    ) {
        let here = |error: &ValidationError<'_>| segments(error.instance_path().as_str()).len() == place.path.len();
        let other_kind = |branch: &&Vec<ValidationError<'_>>| {
            branch
                .iter()
                .any(|error| here(error) && matches!(error.kind(), Fault::Type { .. } | Fault::Constant { .. }))
                || branch.iter().any(|error| is_tag(error, place.path.len()))
        };
        let mut fitting = context.iter().filter(|branch| !other_kind(branch));
        if let (Some(branch), None) = (fitting.next(), fitting.next()) {
            for error in branch {
                self.explain(error, instance, found, depth + 1);
            }
            return;
        }
        let mut wanted: Vec<String> = Vec::new();
        for error in context.iter().filter_map(|branch| branch.first()) {
            let inner = self.place(error, instance);
            let words = match error.kind() {
                Fault::Type { .. } if here(error) => self.wanted(inner.part),
                _ => {
                    let mut one = Vec::new();
                    self.explain(error, instance, &mut one, depth + 1);
                    one.into_iter()
                        .next()
                        .map(|one| format!("something else ({})", one.violation.message))
                        .unwrap_or_default()
                }
            };
            if !words.is_empty() && !wanted.contains(&words) {
                wanted.push(words);
            }
        }
        let name = self.name(&place.path);
        let message = format!("{name} is {}, which fits none of what the schema allows", shown(place.value));
        found.push(place.found(Aspect::Value, message, format!("write {}", wanted.join(", or "))));
    }

    fn bad_value(&self, place: &Place<'_>, fault: &Fault) -> Found {
        let name = self.name(&place.path);
        let shown = shown(place.value);
        let say = |message: String, help: String| place.found(Aspect::Value, message, help);
        let not_allowed = || format!("{name} is {shown}, which is not allowed");
        match fault {
            Fault::Enum { options } => {
                let words = options.as_array().into_iter().flatten().filter_map(Value::as_str);
                let near = place.value.as_str().and_then(|text| nearest(text, words));
                let all = choices(options);
                let help = near.map_or_else(
                    || format!("write one of {all}"),
                    |near| format!("did you mean `{near}`? allowed: {all}"),
                );
                let mut found = say(not_allowed(), help);
                // In quotes, because a bare word can be something else in YAML.
                found.violation.fix = near.map(|near| Value::from(near).to_string());
                found
            }
            Fault::Constant { expected_value } => say(not_allowed(), format!("write `{expected_value}`")),
            Fault::Pattern { pattern } => say(not_allowed(), format!("write text that matches {pattern}")),
            Fault::Format { format } => {
                say(format!("{name} is {shown}, which is no {format}"), format!("write a {format}"))
            }
            Fault::FalseSchema => say(format!("{name} is not allowed here"), "remove it".to_owned()),
            Fault::UniqueItems => {
                say(format!("{name} has two equal items{}", twin(place.value)), "remove one of the two".to_owned())
            }
            Fault::Contains => say(
                format!("{name} has no item, or too few, of the kind that the schema demands"),
                "add one".to_owned(),
            ),
            Fault::OneOfMultipleValid { .. } => say(
                format!("{name} is {shown}, which fits several of the forms of which the schema allows one"),
                "make it fit one form only, or write `anyOf` in the schema".to_owned(),
            ),
            Fault::Not { .. } => {
                say(format!("{name} is {shown}, which the schema excludes"), "write another value".to_owned())
            }
            fault => {
                let (what, help) = measure(fault);
                say(format!("{name} is {shown}, {what}"), help)
            }
        }
    }
}

impl Place<'_> {
    fn found(&self, aspect: Aspect, message: String, help: String) -> Found {
        let (path, order, rule) = (self.path.clone(), self.order.clone(), self.rule);
        Found {
            violation: Violation { path, on_key: false, message, help: Some(help), fix: None, rule },
            aspect,
            order,
        }
    }
}

/// Whether an error says that a key which names the kind of the value (`type: x`) names another kind.
fn is_tag(error: &ValidationError<'_>, depth: usize) -> bool {
    segments(error.instance_path().as_str()).len() == depth + 1 && matches!(error.kind(), Fault::Constant { .. })
}

fn is_explained(all: &[Found], index: usize) -> bool {
    let Some(one) = all.get(index) else { return false };
    all.iter().enumerate().any(|(number, other)| {
        let same = number != index && other.violation.path == one.violation.path;
        match (&other.aspect, &one.aspect) {
            (Aspect::Type, Aspect::Value) => same,
            (Aspect::Type, Aspect::Type) => same && number < index,
            (Aspect::Unknown { meant: Some(meant) }, Aspect::Missing(missing)) => {
                meant == missing
                    && other.violation.path.split_last().is_some_and(|(_, rest)| rest == one.violation.path)
            }
            _ => false,
        }
    })
}
