//! Rules, factories and contributions of the native dialect, lowered to the model.
//!
//! Names of factories are resolved here, and a circle of calls is refused: what is left for `plan` always ends.

use std::collections::{BTreeMap, BTreeSet};

use super::lower_native::{Lowering, patterns_of, plurals_of};
use super::user_schema::{Step, Violation};
use super::wire::ConditionWire;
use super::wire::native::FactoryWire;
use super::wire::rule::{ContributionWire, EntryObjectWire, EntryWire, Mode, RuleWire};
use super::{
    Call, Content, Contribution, Entry, Factory, Loop, LoopItems, LoopList, Param, PathText, Plurals, Rule, UserSchema,
    WordStyle, scaffold,
};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::path::FileMode;
use crate::source::decode::{OrderedMap, Raw, Spanned};
use crate::source::{Kind, NodeId};
use crate::span::Span;
use crate::template::value::{of_json, of_node};

/// The path patterns that all rules share.
pub(super) type Patterns = [(String, NodeId)];

impl Lowering<'_> {
    pub(super) fn rule(&mut self, number: usize, wire: &Spanned<RuleWire>, shared: &Patterns) -> Rule {
        let span = self.tree.span(wire.node);
        let rule = &wire.value;
        self.one_producer(rule);
        let mut patterns = rule.patterns.as_ref().map_or_else(Vec::new, |patterns| patterns_of(&patterns.value));
        patterns.extend(
            shared.iter().filter(|(name, _)| !patterns.iter().any(|(own, _)| own == name)).cloned().collect::<Vec<_>>(),
        );
        let mut entries: Vec<Entry> = rule.generate.iter().flatten().map(|entry| self.entry(entry)).collect();
        if let Some(Raw(node)) = rule.scaffold {
            entries.extend(scaffold::entries(self.tree, node, &mut self.findings));
        }
        let call = rule.factory.as_ref().map(|name| {
            let span = self.tree.span(name.node);
            let arguments = self.tree.entry(wire.node, "with").map_or(span, |(key, _)| self.tree.span(key));
            Call { factory: name.value.clone(), span, with: rule.with.map(|Raw(node)| node), arguments }
        });
        Rule {
            number,
            span,
            each: self.each(rule.for_each, rule.r#as.as_ref()),
            when: self.condition(rule.when.as_ref()),
            with: self.with(rule.with),
            patterns,
            entries,
            call,
            allow_empty: rule.allow_empty.as_ref().is_some_and(|flag| flag.value),
            words: WordStyle::Native,
            plurals: plurals_of(rule.plural.as_ref()),
        }
    }

    /// A rule makes its files in one way.
    fn one_producer(&mut self, rule: &RuleWire) {
        let factory = rule.factory.as_ref().map(|factory| (factory.node, "factory"));
        let scaffold = rule.scaffold.map(|Raw(node)| (node, "scaffold"));
        let mut used: Vec<(NodeId, &str)> = factory.into_iter().chain(scaffold).collect();
        let Some((node, one)) = used.pop() else { return };
        let other = used.pop().map(|(_, other)| other).or(rule.generate.as_ref().map(|_| "generate"));
        if let Some(other) = other {
            let message = format!("a rule has either `{other}` or `{one}`, not both");
            self.error(Code::BadCombination, self.tree.span(node), &message, "make two rules of it");
        }
    }

    pub(super) fn factories(
        &mut self,
        wire: Option<&OrderedMap<Spanned<FactoryWire>>>,
        shared: &Patterns,
    ) -> BTreeMap<String, Factory> {
        let mut factories = BTreeMap::new();
        for (key, factory) in wire.into_iter().flatten() {
            let factory = self.factory(key, factory, shared);
            factories.insert(key.value.clone(), factory);
        }
        factories
    }

    fn factory(&mut self, key: &Spanned<String>, wire: &Spanned<FactoryWire>, shared: &Patterns) -> Factory {
        let span = self.tree.span(key.node);
        let mut rules = Vec::new();
        if let Some(generate) = &wire.value.generate {
            let entries = generate.iter().map(|entry| self.entry(entry)).collect();
            rules.push(Rule::bare(span, entries, shared));
        }
        for rule in wire.value.rules.iter().flatten() {
            rules.push(self.rule(rules.len() + 1, rule, shared));
        }
        if rules.is_empty() {
            let message = format!("the factory `{}` makes nothing", key.value);
            self.error(Code::BadCombination, span, &message, "give it `generate` or `rules`");
        }
        let mut schema = None;
        if let Some(Raw(node)) = wire.value.params {
            match UserSchema::compile(self.tree, node, "the arguments") {
                Ok(compiled) => schema = Some(compiled),
                Err(found) => self.findings.extend(found),
            }
            self.params_without_properties(key, node, schema.as_ref());
        }
        let params = schema.as_ref().map_or_else(Vec::new, params);
        for param in params.iter().filter(|param| !is_name(&param.name)) {
            let message = format!("`{}` is no name of a parameter", param.name);
            self.error(Code::BadValue, span, &message, "use letters, digits and `_`, such as `order_item`");
        }
        self.defaults(schema.as_ref(), &params);
        self.shadowed(&rules, &params);
        self.defaults_are_values(&params, schema.as_ref(), span);
        Factory { name: key.value.clone(), span, params, schema, rules }
    }

    /// A default fits what the schema says of its parameter; a call that leaves it out is not asked again.
    fn defaults(&mut self, schema: Option<&UserSchema>, params: &[Param]) {
        let Some(schema) = schema else { return };
        for name in params.iter().map(|param| &param.name) {
            let Some(default) = schema.default_of(name) else { continue };
            let given = serde_json::Value::Object([(name.clone(), default.clone())].into_iter().collect());
            let is_own = |violation: &&Violation| violation.path.first() == Some(&Step::Key(name.clone()));
            for violation in schema.violations(&given).iter().filter(is_own) {
                let message = format!("the default of the parameter `{name}` does not fit: {}", violation.message);
                let place = violation.rule.or_else(|| schema.place_of(name));
                let mut finding = Diagnostic::new(Code::BadSchema, message);
                finding.span = place;
                self.findings.push(finding.help("change the default, or what the parameter may be"));
            }
        }
    }

    /// A loop variable with the name of a parameter would never be seen: the parameter wins.
    fn shadowed(&mut self, rules: &[Rule], params: &[Param]) {
        for rule in rules {
            let Loop::Over(lists) = &rule.each else { continue };
            for list in lists.iter().filter(|list| params.iter().any(|param| param.name == list.variable)) {
                let message =
                    format!("the loop variable `{}` has the name of a parameter of its factory", list.variable);
                self.error(Code::BadCombination, list.span, &message, "give one of the two another name");
            }
        }
    }

    /// `params: {name: {type: string}}` is no JSON Schema of an object.
    fn params_without_properties(&mut self, key: &Spanned<String>, node: NodeId, schema: Option<&UserSchema>) {
        let lacks = schema.is_some_and(|schema| schema.properties().next().is_none());
        let first =
            self.tree.map(node).and_then(|entries| entries.iter().find(|(_, value)| self.tree.map(*value).is_some()));
        if let (true, Some(&(first, _))) = (lacks, first) {
            let name = self.tree.text(first).unwrap_or_default();
            let message = format!("the parameters of the factory `{}` stand below `properties`", key.value);
            let help = format!("write `params: {{properties: {{{name}: ...}}, required: [{name}]}}`");
            self.error(Code::BadSchema, self.tree.span(first), &message, &help);
        }
    }

    /// A default with a placeholder would come out as it is written.
    fn defaults_are_values(&mut self, params: &[Param], schema: Option<&UserSchema>, span: Span) {
        for param in params {
            let text = param.default.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
            let names = params.iter().map(|other| other.name.as_str());
            let mut starts = names.flat_map(|name| [format!("{{{name}}}"), format!("{{{name}|"), format!("{{{name}.")]);
            if text.contains("{{") || starts.any(|start| text.contains(&start)) {
                let at = schema.and_then(|schema| schema.place_of(&param.name)).unwrap_or(span);
                let message =
                    format!("the default of `{}` is a value, not a template: its braces would stay", param.name);
                let help = "let the template say it (`{{ x or 'src/' ~ name }}`), or give the argument at every call";
                self.error(Code::BadSchema, at, &message, help);
            }
        }
    }

    /// Every called factory exists, and no chain of calls comes back to where it began.
    pub(super) fn calls(&mut self, rules: &[Rule], factories: &BTreeMap<String, Factory>) {
        let inner = factories.values().flat_map(|factory| &factory.rules);
        for call in rules.iter().chain(inner).filter_map(|rule| rule.call.as_ref()) {
            if factories.contains_key(&call.factory) {
                continue;
            }
            let known: Vec<&str> = factories.keys().map(String::as_str).collect();
            let finding =
                Diagnostic::new(Code::UnknownFactory, format!("there is no factory `{}`", call.factory)).at(call.span);
            self.findings.push(match nearest(&call.factory, known.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(call.span, near),
                None if known.is_empty() => {
                    finding.help(format!("add it: `factories: {{{}: {{params: .., generate: [..]}}}}`", call.factory))
                }
                None => finding.help(format!("the factories are {}", known.join(", "))),
            });
        }
        if let Some(finding) = circle(factories) {
            self.findings.push(finding);
        }
    }

    pub(super) fn contributions(
        &mut self,
        wire: Option<&OrderedMap<Vec<Spanned<ContributionWire>>>>,
        shared: &Patterns,
    ) -> Vec<Contribution> {
        let mut contributions = Vec::new();
        for (slot, values) in wire.into_iter().flatten() {
            for wire in values {
                let value = &wire.value;
                let mut rule = Rule::bare(self.tree.span(wire.node), Vec::new(), shared);
                rule.number = contributions.len() + 1;
                rule.each = self.each(value.for_each, value.r#as.as_ref());
                rule.when = self.condition(value.when.as_ref());
                contributions.push(Contribution {
                    slot: slot.value.clone(),
                    slot_span: self.tree.span(slot.node),
                    rule,
                    value: value.value.0,
                });
            }
        }
        contributions
    }

    /// A condition written as a boolean (`when: true`) has no text node; `false` becomes a text by the schema.
    fn condition(&mut self, wire: Option<&Spanned<ConditionWire>>) -> Option<NodeId> {
        let wire = wire?;
        if self.tree.text(wire.node).is_none() {
            let message = "`when` is an expression, but this is a fixed value";
            let help = "remove `when: true`; for `false`, remove the rule or write an expression as text";
            self.error(Code::BadValue, self.tree.span(wire.node), message, help);
            return None;
        }
        Some(wire.node)
    }

    fn with(&mut self, wire: Option<Raw>) -> Vec<(String, NodeId)> {
        let Some(Raw(node)) = wire else { return Vec::new() };
        let entries = self.tree.map(node).unwrap_or_default().iter();
        entries.filter_map(|&(key, value)| Some((self.tree.text(key)?.to_owned(), value))).collect()
    }

    /// What a rule or a contribution loops over.
    fn each(&mut self, for_each: Option<Raw>, variable: Option<&Spanned<String>>) -> Loop {
        let named = variable.map_or_else(|| "entity".to_owned(), |name| name.value.clone());
        if let Some(name) = variable {
            self.variable(&named, name.node);
        }
        let Some(Raw(node)) = for_each else {
            if let Some(name) = variable {
                let message = "`as` names the variable of a loop, but there is no `for_each`";
                self.error(Code::BadCombination, self.tree.span(name.node), message, "add `for_each`, or remove `as`");
            }
            return Loop::Once;
        };
        let Kind::Map(entries) = self.tree.kind(node) else {
            return Loop::Over(self.list(named, node).into_iter().collect());
        };
        if let Some(name) = variable {
            let message = "`as` has no meaning for a mapping of lists";
            let help = "the keys of the mapping name the variables; remove `as`";
            self.error(Code::BadCombination, self.tree.span(name.node), message, help);
        }
        let mut lists = Vec::new();
        for &(key, value) in entries {
            let variable = self.tree.text(key).unwrap_or_default().to_owned();
            self.variable(&variable, key);
            lists.extend(self.list(variable, value));
        }
        Loop::Over(lists)
    }

    /// A list, or an expression that gives one; the schema lets nothing else through.
    fn list(&self, variable: String, node: NodeId) -> Option<LoopList> {
        let items = match self.tree.kind(node) {
            Kind::Text(..) => LoopItems::Expression(node),
            Kind::List(items) => LoopItems::Values(items.iter().map(|&item| of_node(self.tree, item)).collect()),
            _ => return None,
        };
        Some(LoopList { variable, items, span: self.tree.span(node) })
    }

    fn variable(&mut self, name: &str, node: NodeId) {
        if !is_name(name) {
            let message = format!("`{name}` is no name of a loop variable");
            let help = "use letters, digits and `_`, such as `order_item`";
            self.error(Code::BadValue, self.tree.span(node), &message, help);
        }
    }

    fn entry(&mut self, wire: &Spanned<EntryWire>) -> Entry {
        let span = self.tree.span(wire.node);
        match &wire.value {
            EntryWire::Object(object) => self.object(object, span),
            EntryWire::Pair(pair) => {
                let (content, path) = pair.0.first().map_or((Content::Empty, wire.node), |(template, path)| {
                    (Content::Template(template.value.clone(), self.tree.span(template.node)), path.node)
                });
                let path = PathText { parts: vec![path], keep: false };
                Entry { content, path, when: None, with: Vec::new(), mode: FileMode::Regular, once: false, span }
            }
        }
    }

    fn object(&mut self, object: &EntryObjectWire, span: Span) -> Entry {
        let bodies = [&object.template, &object.content, &object.copy];
        if bodies.iter().filter(|body| body.is_some()).count() > 1 {
            let help = "keep one of `template`, `content` and `copy`";
            self.error(Code::BadCombination, span, "a file has one body", help);
        }
        let content = match bodies {
            [Some(template), ..] => Content::Template(template.value.clone(), self.tree.span(template.node)),
            [_, Some(content), _] => Content::Inline(content.node),
            [_, _, Some(copy)] => Content::Copy(copy.value.clone(), self.tree.span(copy.node)),
            _ => Content::Empty,
        };
        Entry {
            content,
            path: PathText { parts: vec![object.path.node], keep: false },
            when: self.condition(object.when.as_ref()),
            with: self.with(object.with),
            mode: mode_of(object.mode.as_ref().map(|mode| mode.value)),
            once: object.once.as_ref().is_some_and(|once| once.value),
            span,
        }
    }
}

pub(super) fn mode_of(mode: Option<Mode>) -> FileMode {
    match mode {
        Some(Mode::Executable) => FileMode::Executable,
        _ => FileMode::Regular,
    }
}

impl Rule {
    /// A rule without a loop.
    fn bare(span: Span, entries: Vec<Entry>, shared: &Patterns) -> Self {
        Self {
            number: 1,
            span,
            each: Loop::Once,
            when: None,
            with: Vec::new(),
            patterns: shared.to_vec(),
            entries,
            call: None,
            allow_empty: false,
            words: WordStyle::Native,
            plurals: Plurals::new(),
        }
    }
}

/// The parameters that a schema describes.
fn params(schema: &UserSchema) -> Vec<Param> {
    let param = |name: &str| Param {
        name: name.to_owned(),
        default: schema.default_of(name).map(of_json),
        required: schema.required().any(|required| required == name),
        has_forms: !matches!(schema.type_of(name), Some("array" | "number" | "integer" | "boolean" | "null")),
    };
    schema.properties().map(param).collect()
}

/// The first circle of calls.
fn circle(factories: &BTreeMap<String, Factory>) -> Option<Diagnostic> {
    let calls = |factory: &Factory| factory.rules.iter().filter_map(|rule| rule.call.clone()).collect::<Vec<_>>();
    for start in factories.values() {
        // Depth first, with the chain in hand: each link is a factory and the calls that are still to be followed.
        let mut chain: Vec<(&Factory, Vec<Call>)> = vec![(start, calls(start))];
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some((_, open)) = chain.last_mut() {
            let Some(call) = open.pop() else {
                chain.pop();
                continue;
            };
            if call.factory == start.name {
                let mut names: Vec<&str> = chain.iter().map(|(factory, _)| factory.name.as_str()).collect();
                names.push(&start.name);
                let message = format!("factories call one another in a circle: {}", names.join(" -> "));
                let help = "take one of the calls out; a factory may call others, but never itself";
                return Some(Diagnostic::new(Code::FactoryCycle, message).at(call.span).help(help));
            }
            if let Some(next) = factories.get(&call.factory)
                && seen.insert(&next.name)
            {
                chain.push((next, calls(next)));
            }
        }
    }
    None
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
