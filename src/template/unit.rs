//! A unit: the templates, paths and expressions of one rule, compiled once and rendered many times from many threads.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::bounds;
use super::budget::Budget;
use super::compile::{self, Body, Choice, Compiled, Segment, Source};
use super::failure::{Failure, NotPrinted, explain, innermost, missing, over, unprintable, with_slip};
use super::issue::Issue;
use super::judge;
use super::lexer::{self, TokenKind};
use super::scan::{Scan, Syntax};
use super::scope::Scope;
use super::value::{Mapping, Unprintable, print};
use super::vocabulary::{Change, Vocabulary, Word};
use super::{builtins, filters, marks, mends, operators, random, steps, tags};
use crate::diagnostic::{Code, nearest};
use crate::limit::{Limit, Limits};

/// Functions that templates may call.
pub(super) const FUNCTIONS: [&str; 6] = ["range", "dict", "namespace", "random_id", "random_int", "uuid"];

/// Filters of the engine itself, for suggestions.
/// Tests that are written in another case elsewhere.
const TESTS: [&str; 6] = ["defined", "undefined", "none", "string", "number", "mapping"];

const ENGINE_FILTERS: [&str; 36] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "trim",
    "upper",
];

/// The compiled templates of one vocabulary.
#[derive(Debug)]
pub struct Unit {
    words: Arc<Vocabulary>,
    env: Environment<'static>,
    compiled: BTreeMap<String, Compiled>,
    uses_random: bool,
    limits: Limits,
}

impl Unit {
    /// An empty unit for these words, whose renders stay within these limits.
    #[must_use]
    pub fn new(words: Arc<Vocabulary>, limits: &Limits) -> Self {
        Self { words, env: environment(limits), compiled: BTreeMap::new(), uses_random: false, limits: *limits }
    }

    /// Whether a template of the unit calls a random function, so that the scope needs [`Scope::random`].
    #[must_use]
    pub fn uses_random(&self) -> bool {
        self.uses_random
    }

    /// The words of the unit.
    #[must_use]
    pub fn words(&self) -> &Arc<Vocabulary> {
        &self.words
    }

    /// What its renders may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a template of this name was added.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.compiled.contains_key(name)
    }

    /// Compiles a template into the unit and returns what is wrong with it. With an error among the issues the
    /// template is not rendered by anybody.
    pub fn add(&mut self, source: &Source<'_>) -> (Choice, Vec<Issue>) {
        let (compiled, choice, mut issues, read) = compile::compile(source, &self.words, &self.limits);
        if let Body::Engine { text, map, unread } = &compiled.body {
            issues.extend(self.unknown_filters(source.text, &read));
            let is_random = |word: &str| random::RANDOM_FUNCTIONS.contains(&word);
            self.uses_random |= read.roots(source.text).iter().any(|name| is_random(&source.text[name.range.clone()]));
            if !issues.iter().any(Issue::is_error) {
                match (self.env.add_template_owned(source.name.to_owned(), text.clone()), unread) {
                    (Err(error), _) => {
                        let original = |range| compile::original(map, range);
                        let mut issue = explain(&error, original, &compiled.text, &self.limits);
                        issue.code = Code::TemplateSyntax;
                        issues.push(issue);
                    }
                    // What the engine reads and megax does not would run without a budget.
                    (Ok(()), Some(range)) => {
                        self.env.remove_template(source.name);
                        issues.push(unread_issue(range.clone()));
                    }
                    (Ok(()), None) => {}
                }
            }
        }
        self.compiled.insert(source.name.to_owned(), compiled);
        (choice, issues)
    }

    /// Renders the template `name` into `out` (cleared first).
    ///
    /// # Errors
    /// Where and why it failed; `out` then holds an unspecified part.
    pub fn render(&self, name: &str, scope: &Arc<Scope>, out: &mut Vec<u8>) -> Result<(), Failure> {
        out.clear();
        self.render_to(name, scope, out).map_err(|failure| {
            let text = self.compiled.get(&failure.template).map_or("", |compiled| &compiled.text);
            Failure { issue: with_slip(failure.issue, text, scope), ..failure }
        })
    }

    fn render_to(&self, name: &str, scope: &Arc<Scope>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(compiled) = self.compiled.get(name) else {
            let issue = Issue::new(Code::UnknownTemplate, 0..0, format!("the template `{name}` was not compiled"));
            return Err(Failure { template: name.to_owned(), issue });
        };
        match &compiled.body {
            Body::Segments(segments) => render_segments(compiled, segments, scope, out, &self.limits)
                .map_err(|issue| Failure { template: name.to_owned(), issue }),
            Body::Engine { .. } => {
                let _mark = marks::begin(&self.limits, &format_args!("the template `{name}`"));
                let writer = Capped { out, limit: self.limits.size(Limit::FileBytes) };
                let context = match &scope.random {
                    Some(key) => Value::from_object(random::Rendering::new(Arc::clone(scope), Arc::clone(key))),
                    None => Value::from_dyn_object(Arc::clone(scope)),
                };
                let template = self.env.get_template(name).map_err(|error| self.failure(name, &error))?;
                let rendered = template.render_captured_to(context, writer);
                match &rendered {
                    Ok(rendered) => steps::add(rendered.state().fuel_levels().map_or(0, |(taken, _)| taken)),
                    Err(error) => steps::add_failed(error, &self.limits),
                }
                rendered.map(drop).map_err(|error| self.failure(name, &error))
            }
        }
    }

    /// Renders the template `name` to text.
    ///
    /// # Errors
    /// Where and why it failed.
    pub fn render_text(&self, name: &str, scope: &Arc<Scope>) -> Result<String, Failure> {
        let mut out = Vec::new();
        self.render(name, scope, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Checks the names of an expression (`when`, `for_each`), without evaluating it.
    #[must_use]
    pub fn check_expression(&self, text: &str) -> Vec<Issue> {
        let source = expression_source(text);
        let body = expression_body(text);
        let tokens = match lexer::lex(text, body.clone()) {
            Ok(tokens) => tokens,
            Err((_, at)) => {
                let message = "the expression holds a character or an open text that it cannot have";
                let issue = Issue::new(Code::TemplateSyntax, at..at + 1, message);
                let help = tags::operator_hint(text)
                    .unwrap_or("write a Jinja expression: `entity.public and entity.name != 'x'`");
                return vec![mends::in_expression(issue.help(help), text, body)];
            }
        };
        if let Some(hint) = tags::operator_hint(&text[body.clone()]) {
            let message = "the expression uses an operator of another language";
            let issue = Issue::new(Code::TemplateSyntax, body.clone(), message).help(hint);
            return vec![mends::in_expression(issue, text, body)];
        }
        if let Some(issue) = bounds::tag_limits(text, &tokens, body.clone(), &self.limits) {
            return vec![issue];
        }
        let tag = super::scan::Tag { kind: super::scan::TagKind::Variable, range: body.clone(), body, tokens };
        let mut issues = judge::names_of_expression(&source, &self.words, &tag);
        issues.extend(self.unknown_filters_of(text, &tag));
        issues
    }

    /// Evaluates an expression; `{{ expr }}` around it is taken off.
    ///
    /// # Errors
    /// A syntax error or a failed evaluation, at bytes of `text`.
    pub fn evaluate(&self, text: &str, scope: &Arc<Scope>) -> Result<Value, Issue> {
        let body = expression_body(text);
        let tokens = lexer::lex(text, body.clone()).unwrap_or_else(|(before, _)| before);
        if let Some(issue) = bounds::tag_limits(text, &tokens, body.clone(), &self.limits) {
            return Err(issue);
        }
        let guarded = compile::guarded_expression(text, body.clone());
        let original = |range: Range<usize>| match &guarded {
            Some((_, map)) => compile::original(map, range),
            None => body.start + range.start..body.start + range.end,
        };
        let rewritten = guarded.as_ref().map_or(&text[body.clone()], |(rewritten, _)| rewritten);
        let expression = self
            .env
            .compile_expression_owned(rewritten.to_owned())
            .map_err(|error| Issue { code: Code::TemplateSyntax, ..explain(&error, original, text, &self.limits) })?;
        if guarded.is_none() {
            return Err(unread_issue(body.clone()));
        }
        let _mark = marks::begin(&self.limits, &format_args!("the expression `{}`", shown(text)));
        let value = expression.eval(Value::from_dyn_object(Arc::clone(scope)));
        value.map_err(|error| with_slip(explain(&error, original, text, &self.limits), text, scope))
    }

    /// Whether a text is one placeholder without filters whose value is true or false: printed, it would be a text that
    /// every condition takes for true.
    #[must_use]
    pub fn is_true_or_false(&self, text: &str, scope: &Arc<Scope>) -> bool {
        let Some(path) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { return false };
        let is_path = path.chars().all(|c| c == '_' || c == '.' || c.is_alphanumeric());
        let root = path.split('.').next().unwrap_or_default();
        let is_known = matches!(self.words().word(root), Some(Word::Value(_, Change::None) | Word::Dotted));
        is_path && is_known && self.evaluate(path, scope).is_ok_and(|value| value.kind() == ValueKind::Bool)
    }

    fn failure(&self, name: &str, error: &Error) -> Failure {
        let inner = innermost(error);
        let template = inner.name().filter(|name| self.compiled.contains_key(*name)).unwrap_or(name).to_owned();
        let compiled = self.compiled.get(&template);
        let text = compiled.map_or("", |compiled| &compiled.text);
        let original = |range: Range<usize>| match compiled.map(|compiled| &compiled.body) {
            Some(Body::Engine { map, .. }) => compile::original(map, range),
            _ => range,
        };
        Failure { issue: explain(error, original, text, &self.limits), template }
    }

    fn unknown_filters(&self, text: &str, read: &Scan) -> Vec<Issue> {
        let mut issues: Vec<Issue> = read.tags().flat_map(|tag| self.unknown_filters_of(text, tag)).collect();
        for piece in &read.pieces {
            let super::scan::Piece::Placeholder(placeholder) = piece else { continue };
            let names = placeholder.filters.iter();
            issues.extend(names.filter_map(|(name, _)| self.unknown_filter(text, name.clone(), "filter")));
        }
        issues
    }

    fn unknown_filters_of(&self, text: &str, tag: &super::scan::Tag) -> Vec<Issue> {
        let tokens = &tag.tokens;
        let word = |index: usize| tokens.get(index).map_or("", |token| &text[token.range.clone()]);
        let mut issues = Vec::new();
        for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Name) {
            let name = word(index);
            let before = if index == 0 { "" } else { word(index - 1) };
            let negated = before == "not" && index >= 2 && word(index - 2) == "is";
            if before == "|" || (index == 1 && before == "filter") {
                issues.extend(self.unknown_filter(text, token.range.clone(), "filter"));
            } else if (before == "is" && name != "not") || negated {
                issues.extend(self.unknown_filter(text, token.range.clone(), "test"));
            }
        }
        issues
    }

    fn unknown_filter(&self, text: &str, range: Range<usize>, what: &str) -> Option<Issue> {
        let name = &text[range.clone()];
        let question = if what == "filter" { "n is filter" } else { "n is test" };
        let context = Value::from_object(Mapping::new(vec![(Arc::from("n"), Value::from(name))]));
        let known = self.env.compile_expression(question).and_then(|question| question.eval(context));
        if known.is_ok_and(|known| known.is_true()) {
            return None;
        }
        let issue = Issue::new(Code::UnknownFilter, range.clone(), format!("there is no {what} `{name}`"));
        let own = filters::DOCUMENTATION.iter().map(|(name, _)| *name);
        let names: Vec<&str> = own.chain(ENGINE_FILTERS).collect();
        if matches!(name, "e" | "escape" | "forceescape") {
            return Some(
                issue.help("nothing is escaped in generated code: remove the filter, or use `json` or `quote`"),
            );
        }
        if name == "format" {
            return Some(issue.help(
                "format with the method of the text, as in Python: `'{:03d}'.format(number)`; or join with `~`",
            ));
        }
        let is_known = |word: &str| names.contains(&word);
        let lower = name.to_ascii_lowercase();
        let meant = match what {
            "filter" => {
                nearest(name, names.iter().copied()).map(str::to_owned).or_else(|| mends::filter(name, is_known))
            }
            _ => TESTS.contains(&lower.as_str()).then_some(lower),
        };
        Some(match meant {
            Some(near) => issue.help(format!("did you mean `{near}`?")).fix(range, near),
            None if what == "filter" => issue.help(format!("the filters are {}", names.join(", "))),
            None => issue
                .help("the tests are defined, none, string, number, mapping, sequence, odd, even, in, eq and the like"),
        })
    }
}

/// Where the expression proper stands in `when: "{{ x }}"` or `when: "x"`.
#[must_use]
pub fn expression_body(text: &str) -> Range<usize> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    match trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(inner) if !inner.contains("{{") => start + 2..start + 2 + inner.len(),
        _ => start..start + trimmed.len(),
    }
}

/// The beginning of an expression.
fn shown(text: &str) -> &str {
    text.char_indices().nth(60).map_or(text, |(end, _)| &text[..end])
}

fn expression_source(text: &str) -> Source<'_> {
    const NONE: &std::collections::BTreeSet<String> = &std::collections::BTreeSet::new();
    Source {
        name: "",
        text,
        syntax: Syntax::Jinja,
        literal: &[],
        placeholders: &[],
        is_path: false,
        also_bound: NONE,
        shared: false,
        traced: None,
    }
}

fn unread_issue(range: Range<usize>) -> Issue {
    let message = "this expression is written in a way that megax cannot read";
    Issue::new(Code::TemplateSyntax, range, message).help("write it in simpler parts, with {% set %}")
}

pub(super) fn environment(limits: &Limits) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_debug(true);
    env.set_fuel(Some(limits.get(Limit::RenderSteps)));
    // A macro within a macro costs four, an included template ten.
    env.set_recursion_limit(limits.size(Limit::RenderDepth));
    let budget = Budget::new(limits);
    let own = budget.clone();
    env.set_formatter(move |out, state, value| {
        if value.is_undefined() {
            return Ok(()); // the missing `else` of an inline condition
        }
        if let Some(text) = value.as_str() {
            own.printed(state, text)?;
        }
        print(value, out).map_err(|what| Error::new(ErrorKind::InvalidOperation, "").with_source(NotPrinted(what)))
    });
    env.remove_global("debug");
    builtins::register(&mut env, &budget);
    operators::register(&mut env, &budget);
    filters::register(&mut env, &budget);
    random::register(&mut env);
    let syntax = SyntaxConfig::builder()
        .block_delimiters(compile::OPEN_BLOCK, compile::CLOSE_BLOCK)
        .variable_delimiters(compile::OPEN_VARIABLE, compile::CLOSE_VARIABLE)
        .comment_delimiters(compile::OPEN_COMMENT, compile::CLOSE_COMMENT)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    if let Ok(syntax) = syntax {
        env.set_syntax(syntax);
    }
    env
}

struct Capped<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
}

impl io::Write for Capped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.len() + bytes.len() > self.limit {
            return Err(io::Error::other("the file is over its limit"));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn render_segments(
    compiled: &Compiled,
    segments: &[Segment],
    scope: &Arc<Scope>,
    out: &mut Vec<u8>,
    limits: &Limits,
) -> Result<(), Issue> {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Text(range) => text.push_str(&compiled.text[range.clone()]),
            Segment::Value { range, root, fields } => {
                let value = segment_value(scope, root, fields)
                    .ok_or_else(|| missing(range.clone(), &compiled.text[range.clone()], scope))?;
                print(&value, &mut text).map_err(|what| match what {
                    Unprintable::Missing => missing(range.clone(), &compiled.text[range.clone()], scope),
                    _ => unprintable(what, range.clone(), &compiled.text[range.clone()]),
                })?;
            }
        }
        if text.len() > limits.size(Limit::FileBytes) {
            return Err(over(Limit::FileBytes, 0..0, "the file gets too long", "split the file", limits));
        }
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn segment_value(scope: &Arc<Scope>, root: &str, fields: &[String]) -> Option<Value> {
    let mut value = scope.placeholder(root, fields.is_empty())?;
    for field in fields {
        let index = field.parse::<usize>().ok();
        value = match index.filter(|_| super::value::as_mapping(&value).is_none()) {
            Some(index) => value.get_item_by_index(index).ok()?,
            None => value.get_attr(field).ok()?,
        };
    }
    Some(value)
}

/// Whether a text is exactly one `{{ expr }}`, whose value keeps its type.
#[must_use]
pub fn is_expression(text: &str) -> bool {
    let body = expression_body(text);
    text.trim_start().starts_with("{{")
        && body.start >= 2
        && lexer::lex(text, body.clone())
            .is_ok_and(|tokens| tags::shape(&text[body.clone()], Some(&tokens), body.start) == tags::Shape::Expression)
}
