//! What a failed template was meant to say, told from the values that were there when it failed.
//!
//! Must never guess a value: a name that the template binds itself is followed only where one loop binds it.

use std::ops::Range;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::issue::Issue;
use super::scope::Scope;
use super::value::{as_mapping, print};
use super::vocabulary::{Change, Origin, Word};
use super::{compile, lexer, mends, tags};
use crate::diagnostic::{Code, nearest};

/// Loops inside one another that are followed to the value of a name.
const MOST_LOOPS: usize = 4;
/// So much of a value is shown.
const MOST_SHOWN: usize = 40;

/// `entity.fields.length`: its root, and the bytes of its steps.
struct Path<'t> {
    text: &'t str,
    start: usize,
    root: &'t str,
    steps: Vec<Range<usize>>,
}

impl<'t> Path<'t> {
    /// The path with which `range` begins, after braces and blanks.
    fn at(text: &'t str, range: Range<usize>) -> Option<Self> {
        let shown = text.get(range.clone())?;
        let rest = shown.trim_start_matches(|c: char| c == '{' || c.is_whitespace());
        let start = range.start + shown.len() - rest.len();
        let whole = rest.split(|c: char| !(c == '.' || lexer::is_name_part(c))).next()?;
        let (mut at, mut parts) = (start, Vec::new());
        for part in whole.split('.') {
            parts.push(at..at + part.len());
            at += part.len() + 1;
        }
        let root = text.get(parts.remove(0))?;
        (!root.is_empty() && parts.iter().all(|part| !part.is_empty())).then_some(Self {
            text,
            start,
            root,
            steps: parts,
        })
    }

    fn step(&self, index: usize) -> &'t str {
        self.steps.get(index).map_or("", |range| &self.text[range.clone()])
    }

    /// The path without what follows its first `steps` steps.
    fn before(&self, steps: usize) -> &'t str {
        let end = match steps.checked_sub(1) {
            Some(last) => self.steps.get(last).map_or(self.start, |range| range.end),
            None => self.start + self.root.len(),
        };
        &self.text[self.start..end]
    }

    /// The value of the path up to its first `steps` steps, which all lead through mappings.
    fn value(&self, steps: usize, scope: &Scope, loops: usize) -> Option<Found> {
        let Found { mut value, is_looped } = root(self.text, self.root, scope, loops)?;
        for index in 0..steps {
            value = as_mapping(&value)?.get(self.step(index))?.clone();
        }
        Some(Found { value, is_looped })
    }
}

/// The value of a name, and whether a loop of the template binds it, so that it is one of several.
struct Found {
    value: Value,
    is_looped: bool,
}

fn root(text: &str, name: &str, scope: &Scope, loops: usize) -> Option<Found> {
    if compile::bound_names(text).contains(name) {
        return looped(text, name, scope, loops);
    }
    let value = scope.placeholder(name, false).or_else(|| scope.jinja(name))?;
    Some(Found { value, is_looped: false })
}

/// The first item of the list over which the template's only loop with this variable goes.
fn looped(text: &str, name: &str, scope: &Scope, loops: usize) -> Option<Found> {
    let binds = format!("for {name} in ");
    let mut places = text.match_indices(&binds);
    let (at, _) = places.next()?;
    let may_bind = |at: usize| {
        matches!(tags::keyword(&text[at + 2..]), Some("set" | "with" | "macro" | "call" | "import" | "from"))
    };
    let is_bound_again = ["{%", "[%"].iter().any(|open| text.match_indices(open).any(|(at, _)| may_bind(at)));
    if loops == 0 || is_bound_again || places.next().is_some() {
        return None;
    }
    let path = Path::at(text, at + binds.len()..text.len())?;
    let end = path.start + path.before(path.steps.len()).len();
    if !text[end..].trim_start().starts_with(['%', '-', '+']) {
        return None;
    }
    let value = path.value(path.steps.len(), scope, loops - 1)?.value;
    let mut items = list(&value)?.try_iter().ok()?;
    Some(Found { value: items.next()?, is_looped: true })
}

/// The value, if it is a list.
fn list(value: &Value) -> Option<&Value> {
    (as_mapping(value).is_none() && matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)).then_some(value)
}

/// Says what was meant where the values tell it.
pub(super) fn with_slip(issue: Issue, text: &str, scope: &Scope) -> Issue {
    if issue.fix.is_some() {
        return issue;
    }
    let told = match issue.code {
        Code::MissingField => missing_field(&issue, text, scope),
        Code::UnknownFilter => method(&issue, text, scope),
        Code::TemplateFailed => filtered(&issue, text, scope),
        Code::Unprintable => printed(&issue, text, scope),
        _ => None,
    };
    told.unwrap_or(issue)
}

/// The step of a path such as `entity.nmae` that is wrong: a field of nearly the same name, the length of a list in the
/// spelling of another language, or a field of a text.
fn missing_field(issue: &Issue, text: &str, scope: &Scope) -> Option<Issue> {
    let path = Path::at(text, issue.range.clone())?;
    let Found { mut value, is_looped } = root(text, path.root, scope, MOST_LOOPS)?;
    for (index, range) in path.steps.iter().enumerate() {
        let (above, step) = (path.before(index), path.step(index));
        if let Some(mapping) = as_mapping(&value) {
            let Some(next) = mapping.get(step).cloned() else {
                let near = nearest(step, mapping.keys()).filter(|_| !is_looped && !scope.words.is_field(step))?;
                return Some(issue.clone().help(format!("did you mean `{near}`?")).fix(range.clone(), near));
            };
            value = next;
            continue;
        }
        let is_last = index + 1 == path.steps.len();
        if list(&value).is_some() && is_last && matches!(step, "length" | "size" | "count") {
            let told = issue.clone().help(format!("that is a filter: write `{above}|length`"));
            let mend = range.start - 1..range.end;
            return Some(if is_looped { told } else { told.fix(mend, "|length") });
        }
        return of_text(issue, scope, path.root, above, value.as_str()?, is_looped);
    }
    None
}

/// A field of a text.
fn of_text(issue: &Issue, scope: &Scope, root: &str, above: &str, value: &str, is_looped: bool) -> Option<Issue> {
    // What a form of a mapping prints is text, too.
    if matches!(scope.words.word(root), Some(Word::Value(_, change)) if *change != Change::None) {
        return None;
    }
    let shown = match value.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    };
    let what = if is_looped { format!("a text, such as `{shown}`") } else { format!("the text `{shown}`") };
    let shown = shown.lines().next().unwrap_or_default();
    let help = format!(
        "write a mapping there that has the field (`name: {shown}`, and the others below it), or use the text itself: \
         `{above}`"
    );
    Some(Issue { message: format!("`{above}` is {what}, which has no fields"), ..issue.clone() }.help(help))
}

/// A method that the value does not have: of a list or a text, where a filter does it.
fn method(issue: &Issue, text: &str, scope: &Scope) -> Option<Issue> {
    const FILTERS: [&str; 9] = ["join", "first", "last", "sort", "reverse", "length", "min", "max", "unique"];
    let path = Path::at(text, issue.range.clone())?;
    let last = path.steps.len().checked_sub(1)?;
    let end = path.steps.get(last)?.end;
    let arguments = text.get(end..issue.range.end).filter(|rest| rest.starts_with('(') && rest.ends_with(')'))?;
    let Found { value, is_looped } = path.value(last, scope, MOST_LOOPS)?;
    let (above, name) = (path.before(last), path.step(last));
    let is_list = list(&value).is_some();
    let filter = match name {
        "size" | "count" | "len" if is_list => Some("length".to_owned()),
        name if is_list => FILTERS.contains(&name).then(|| name.to_owned()),
        _ if value.as_str().is_some() => mends::spelling(name),
        _ => return None,
    };
    let kind = if is_list { "a list" } else { "a text" };
    let message = format!("`{above}` is {kind}, which has no method `{name}`");
    let told = Issue { message, ..issue.clone() };
    let Some(filter) = filter else {
        let help = format!(
            "loop over it: `{{% for x in {above} %}}`, where `loop.index` is the number; or use a filter: \
             `{above}|join(', ')`"
        );
        return is_list.then(|| told.help(help));
    };
    let arguments = if arguments == "()" { "" } else { arguments };
    let new = format!("{above}|{filter}{arguments}");
    let told = told.help(format!("that is a filter: write `{new}`"));
    let goes_on = text[issue.range.end..].trim_start().starts_with(['.', '[', '(']);
    // Another item may be of another kind.
    let is_certain = !goes_on && !is_looped && (arguments.is_empty() || filter == "join");
    Some(if is_certain { told.fix(path.start..issue.range.end, new) } else { told })
}

/// A filter for texts after a mapping or a list; the issue stands at the filter.
fn filtered(issue: &Issue, text: &str, scope: &Scope) -> Option<Issue> {
    let filter = text.get(issue.range.clone()).filter(|name| name.chars().all(lexer::is_name_part))?;
    let before = text.get(..issue.range.start)?.trim_end().strip_suffix('|')?.trim_end();
    let is_part = |c: char| c == '.' || lexer::is_name_part(c);
    let len: usize = before.chars().rev().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
    let path = Path::at(text, before.len() - len..before.len())?;
    let Found { value, is_looped } = path.value(path.steps.len(), scope, MOST_LOOPS)?;
    let shown = path.before(path.steps.len());
    if let Some(mapping) = as_mapping(&value) {
        let field = printable(&mapping)?;
        let told = issue.clone().help(format!("`{shown}` is a mapping: write `{shown}.{field}|{filter}`"));
        return Some(if field == "name" && !is_looped { told.fix(before.len()..before.len(), ".name") } else { told });
    }
    list(&value)?;
    let help = format!("`{shown}` is a list: loop over it, or write `{shown}|map('{filter}')|join(', ')`");
    Some(issue.clone().help(help))
}

/// A mapping that was printed: which of its fields may be meant.
fn printed(issue: &Issue, text: &str, scope: &Scope) -> Option<Issue> {
    let path = Path::at(text, issue.range.clone())?;
    let is_placeholder = text[issue.range.start..].starts_with('{') && !text[issue.range.start..].starts_with("{{");
    if let (Some(Word::Value(Origin::Loop(index), change)), []) = (scope.words.word(path.root), path.steps.as_slice())
        && let Some((variable, item)) = scope.loops.get(*index)
        && let Some(item) = as_mapping(item)
        && (is_placeholder || *change != Change::None)
        && printable(&item) != Some("name")
    {
        let message = format!("`{}` prints the `name` of the item, which has none", path.root);
        let help = match nearest("name", item.keys().filter(|key| *key != "name")) {
            Some(near) => format!("did you mean `name` where the item has `{near}`?"),
            None => match printable(&item) {
                Some(field) => format!("give every item a `name`, or print another field: `{variable}.{field}`"),
                None => "give every item a `name`".to_owned(),
            },
        };
        return Some(Issue { message, ..issue.clone() }.help(help));
    }
    let value = path.value(path.steps.len(), scope, MOST_LOOPS)?.value;
    let mapping = as_mapping(&value)?;
    let field = printable(&mapping)?;
    let shown = path.before(path.steps.len());
    Some(
        issue
            .clone()
            .help(format!("print one of its fields (`{shown}.{field}`), or the whole with a filter: `{shown}|json`")),
    )
}

/// A field with a printed form: `name`, or the first.
fn printable(mapping: &super::value::Mapping) -> Option<&str> {
    let prints = |value: &Value| print(value, &mut String::new()).is_ok();
    if mapping.get("name").is_some_and(prints) {
        return Some("name");
    }
    mapping.entries().iter().find(|(_, value)| prints(value)).map(|(key, _)| &**key)
}
