//! The filters that megax adds to Jinja. Pure functions of their arguments, with a budget on what they make.

#![expect(clippy::needless_pass_by_value, reason = "the engine calls filters with owned values")]

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::budget::Budget;
use super::forms;

/// The added filters with one line each, for `megax explain` and suggestions.
pub const DOCUMENTATION: &[(&str, &str)] = &[
    ("pascal", "UserProfile (also PascalCase, pascal_case, upper_camel)"),
    ("camel", "userProfile (also camelCase, camel_case, lower_camel)"),
    ("snake", "user_profile (also snake_case)"),
    ("kebab", "user-profile (also kebab_case, kebab-case as kebabCase)"),
    ("screaming_snake", "USER_PROFILE (also SCREAMING_SNAKE_CASE, constant, constant_case, upper_snake)"),
    ("title", "User Profile (also title_case); the method x.title() keeps every character and changes its case only"),
    ("plural", "the plural of the last word (also pluralize)"),
    ("singular", "the singular of the last word (also singularize)"),
    ("upper_first", "the first letter in upper case, the rest as it is"),
    ("lower_first", "the first letter in lower case, the rest as it is"),
    ("indent", "indent(4, first=false, blank=false): every line but the first by so many blanks"),
    ("json", "JSON; json(2) over several lines (also tojson)"),
    ("yaml", "YAML block style (also toyaml)"),
    ("quote", "in double quotes with JSON escapes; quote(\"'\") in single quotes"),
    ("comment", "comment('//'): the marker before every line"),
    ("strip", "without blanks at both ends; lstrip, rstrip"),
    ("ljust", "ljust(10): filled with blanks to a width; rjust, center, zfill"),
    (
        "truncate",
        "truncate(length=255, killwords=false, end='...', leeway=5): cut at a blank; up to leeway longer stays",
    ),
    ("wordwrap", "wordwrap(79, break_long_words=true, wrapstring='\\n'): every line wrapped at blanks"),
    ("wordcount", "the number of words"),
    ("urlencode", "percent encoding, `/` stays; a mapping becomes a query"),
    ("slugify", "slugify('-'): an-ascii-like-slug, without accents (also slug)"),
];

/// Adds all of them to `env`.
pub(super) fn register(env: &mut Environment<'_>, budget: &Budget) {
    type Spelling = fn(&str) -> String;
    let spellings: [(&[&str], Spelling); 10] = [
        (
            &[
                "pascal",
                "pascal_case",
                "PascalCase",
                "pascalcase",
                "pascalCase",
                "upper_camel",
                "to_pascal",
                "classify",
            ],
            forms::pascal,
        ),
        (&["camel", "camel_case", "camelCase", "camelcase", "lower_camel", "to_camel", "camelize"], forms::camel),
        (&["snake", "snake_case", "snakecase", "snakeCase", "to_snake", "underscore"], forms::snake),
        (&["kebab", "kebab_case", "kebabcase", "kebabCase", "to_kebab", "dasherize"], forms::kebab),
        (
            &[
                "screaming_snake",
                "screaming_snake_case",
                "SCREAMING_SNAKE_CASE",
                "constant",
                "constant_case",
                "upper_snake",
            ],
            forms::screaming_snake,
        ),
        (&["title", "title_case", "titlecase", "titleCase"], forms::title),
        (&["plural", "pluralize"], forms::plural),
        (&["singular", "singularize"], forms::singular),
        (&["upper_first", "capitalize_first"], |text| first(text, |c| c.to_uppercase().collect())),
        (&["lower_first", "uncapitalize"], |text| first(text, |c| c.to_lowercase().collect())),
    ];
    for (names, spelling) in spellings {
        for name in names {
            let own = budget.clone();
            env.add_filter(*name, move |state: &mut State<'_, '_>, value: Value| {
                spelled(&own, state, &value, spelling).map(Value::from)
            });
        }
    }
    add_layouts(env, budget);
    add_trims(env, budget);
    for name in ["default", "d"] {
        env.add_filter(name, default);
    }
    super::prose::register(env, budget);
    // The engine's own `format` takes a width from the text and would make any amount of padding.
    env.remove_filter("format");
    env.remove_filter("pprint");
    env.remove_filter("escape");
    env.remove_filter("e");
    env.add_filter("__megax_name", super::value::standing_for);
}

/// Filters that lay a text or a value out.
fn add_layouts(env: &mut Environment<'_>, budget: &Budget) {
    let own = budget.clone();
    env.add_filter("indent", move |state: &mut State<'_, '_>, value: Value, args: Rest<Value>, kwargs: Kwargs| {
        own.read(state, &value, 1)?;
        indent(&own, &value, &args, &kwargs).and_then(|made| paid(&own, state, made))
    });
    for name in ["json", "tojson"] {
        let own = budget.clone();
        env.add_filter(name, move |state: &mut State<'_, '_>, value: Value, indent: Option<usize>, kwargs: Kwargs| {
            own.read(state, &value, WRITTEN)?;
            json(&own, &value, indent, &kwargs).and_then(|made| paid(&own, state, made))
        });
    }
    for name in ["yaml", "toyaml"] {
        let own = budget.clone();
        env.add_filter(name, move |state: &mut State<'_, '_>, value: Value| {
            own.read(state, &value, WRITTEN)?;
            let mut out = String::new();
            write_yaml(&own, &value, 0, &mut out)?;
            out.truncate(out.trim_end_matches('\n').len());
            paid(&own, state, out)
        });
    }
    let own = budget.clone();
    env.add_filter("quote", move |state: &mut State<'_, '_>, value: Value, mark: Option<String>| {
        own.read(state, &value, 1)?;
        quote(&value, mark.as_deref()).and_then(|made| paid(&own, state, made))
    });
    let own = budget.clone();
    env.add_filter("comment", move |state: &mut State<'_, '_>, value: Value, marker: Option<String>| {
        own.read(state, &value, 1)?;
        let marker = marker.unwrap_or_else(|| "//".to_owned());
        let text = text_of(&value)?;
        let grown = (marker.len() + 1).saturating_mul(text.lines().count()).saturating_add(text.len());
        own.bytes(grown)?;
        let lines = text.lines().map(|line| format!("{marker} {line}").trim_end().to_owned());
        paid(&own, state, lines.collect::<Vec<_>>().join("\n"))
    });
}

/// Filters that shorten, fill up or replace.
fn add_trims(env: &mut Environment<'_>, budget: &Budget) {
    type Trim = fn(&str) -> &str;
    type Gaps = fn(usize) -> (usize, usize);
    let trims: [(&str, Trim); 3] = [("strip", str::trim), ("lstrip", str::trim_start), ("rstrip", str::trim_end)];
    for (name, trim) in trims {
        let own = budget.clone();
        env.add_filter(name, move |state: &mut State<'_, '_>, value: Value| {
            own.read(state, &value, 1)?;
            paid(&own, state, trim(&text_of(&value)?).to_owned())
        });
    }
    let fills: [(&str, Gaps, char); 4] = [
        ("ljust", |gap| (0, gap), ' '),
        ("rjust", |gap| (gap, 0), ' '),
        ("center", |gap| (gap / 2, gap - gap / 2), ' '),
        ("zfill", |gap| (gap, 0), '0'),
    ];
    for (name, gaps, with) in fills {
        let own = budget.clone();
        env.add_filter(name, move |state: &mut State<'_, '_>, value: Value, width: usize| {
            own.read(state, &value, 1)?;
            fill(&own, &value, width, gaps, with).and_then(|made| paid(&own, state, made))
        });
    }
    let own = budget.clone();
    env.add_filter("replace", move |state: &mut State<'_, '_>, value: Value, from: String, to: String| {
        own.read(state, &value, SEARCHED)?;
        let text = text_of(&value)?;
        own.bytes(text.matches(from.as_str()).count().saturating_mul(to.len()).saturating_add(text.len()))?;
        paid(&own, state, text.replace(&from, &to))
    });
}

fn first(text: &str, change: impl Fn(char) -> String) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |head| change(head) + chars.as_str())
}

pub(super) fn text_of(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    super::value::print(value, &mut out).map_err(|what| {
        Error::new(ErrorKind::InvalidOperation, format!("this filter takes text, but the value is {what}"))
    })?;
    Ok(out)
}

/// What writing a value out costs for each byte and item.
const WRITTEN: u64 = 2;
/// What searching a text costs for each byte.
const SEARCHED: u64 = 16;
/// What splitting a text into words and joining them anew costs for each byte.
const SPELLED: u64 = 64;

/// A text in another spelling.
fn spelled(
    budget: &Budget,
    state: &mut State<'_, '_>,
    value: &Value,
    spelling: impl Fn(&str) -> String,
) -> Result<String, Error> {
    budget.read(state, value, SPELLED)?;
    paid(budget, state, spelling(&text_of(value)?))
}

/// A text that a filter has made.
pub(super) fn paid(budget: &Budget, state: &mut State<'_, '_>, text: String) -> Result<String, Error> {
    budget.made(state, &text).map(|()| text)
}

fn fill(
    budget: &Budget,
    value: &Value,
    width: usize,
    gaps: impl Fn(usize) -> (usize, usize),
    with: char,
) -> Result<String, Error> {
    budget.bytes(width)?;
    let text = text_of(value)?;
    let (left, right) = gaps(width.saturating_sub(text.chars().count()));
    Ok(with.to_string().repeat(left) + &text + &with.to_string().repeat(right))
}

/// `default('x')` for a missing value, `default('x', true)` or `boolean=true` also for an empty or null one.
fn default(value: Value, other: Option<Value>, empty_too: Option<bool>, kwargs: Kwargs) -> Result<Value, Error> {
    let named = kwargs.get::<Option<bool>>("boolean")?;
    kwargs.assert_all_used()?;
    let empty_too = empty_too.or(named).unwrap_or(false);
    let other = other.unwrap_or_else(|| Value::from(""));
    Ok(if value.is_undefined() || (empty_too && !value.is_true()) { other } else { value })
}

fn indent(budget: &Budget, value: &Value, args: &[Value], kwargs: &Kwargs) -> Result<String, Error> {
    let text = text_of(value)?;
    let flag = |index: usize, name: &str| -> Result<bool, Error> {
        let given = kwargs.get::<Option<bool>>(name)?;
        Ok(given.or_else(|| args.get(index).map(Value::is_true)).unwrap_or(false))
    };
    let (first_too, blank_too) = (flag(1, "first")?, flag(2, "blank")?);
    let width = match kwargs.get::<Option<usize>>("width")? {
        Some(width) => width,
        None => args.first().map_or(Ok(4), |value| usize::try_from(value.clone()))?,
    };
    kwargs.assert_all_used()?;
    budget.bytes(width.saturating_mul(text.lines().count()).saturating_add(text.len()))?;
    let pad = " ".repeat(width);
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let blank = line.trim_end_matches(['\r', '\n']).is_empty();
        if (number > 0 || first_too) && (!blank || blank_too) {
            out.push_str(&pad);
        }
        out.push_str(line);
    }
    Ok(out)
}

fn quote(value: &Value, mark: Option<&str>) -> Result<String, Error> {
    let text = text_of(value)?;
    if mark == Some("'") {
        return Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")));
    }
    let mut out = String::new();
    write_json_text(&text, &mut out);
    Ok(out)
}

fn json(budget: &Budget, value: &Value, indent: Option<usize>, kwargs: &Kwargs) -> Result<String, Error> {
    let named = kwargs.get::<Option<usize>>("indent")?;
    kwargs.assert_all_used()?;
    let indent = indent.or(named).filter(|&width| width > 0);
    if let Some(width) = indent {
        budget.bytes(width.saturating_mul(16))?;
    }
    let mut out = String::new();
    write_json(budget, value, indent, 0, &mut out)?;
    Ok(out)
}

fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // U+2028 and U+2029 end a line in old JavaScript.
            c if u32::from(c) < 0x20 || matches!(c, '\u{7f}' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn new_line(indent: Option<usize>, depth: usize, out: &mut String) {
    if let Some(width) = indent {
        out.push('\n');
        out.push_str(&" ".repeat(width * depth));
    }
}

fn write_json(
    budget: &Budget,
    value: &Value,
    indent: Option<usize>,
    depth: usize,
    out: &mut String,
) -> Result<(), Error> {
    budget.bytes(out.len().saturating_add(indent.unwrap_or(0).saturating_mul(depth + 1)))?;
    if depth > 128 {
        return Err(Error::new(ErrorKind::BadSerialization, "the value is nested deeper than 128"));
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::String => write_json_text(value.as_str().unwrap_or_default(), out),
        ValueKind::Bool | ValueKind::Number => {
            let _ = super::value::print(value, out);
        }
        ValueKind::Map => {
            let mut first = true;
            out.push('{');
            for key in value.try_iter()? {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                new_line(indent, depth + 1, out);
                write_json_text(&text_of(&key)?, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write_json(budget, &value.get_item(&key)?, indent, depth + 1, out)?;
            }
            if !first {
                new_line(indent, depth, out);
            }
            out.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut first = true;
            out.push('[');
            for item in value.try_iter()? {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                new_line(indent, depth + 1, out);
                write_json(budget, &item, indent, depth + 1, out)?;
            }
            if !first {
                new_line(indent, depth, out);
            }
            out.push(']');
        }
        kind => return Err(Error::new(ErrorKind::BadSerialization, format!("{kind} cannot become JSON"))),
    }
    Ok(())
}

/// Whether a text can stand in YAML without quotes and stay text.
fn is_plain_yaml(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    !matches!(word.as_str(), "" | "~" | "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | ' '))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && !text.ends_with(' ')
}

fn write_yaml_scalar(budget: &Budget, value: &Value, out: &mut String) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if is_plain_yaml(text) => out.push_str(text),
        Some(text) => write_json_text(text, out),
        None => write_json(budget, value, None, 0, out)?,
    }
    Ok(())
}

/// Writes a value in block style; every line ends with a newline.
fn write_yaml(budget: &Budget, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
    budget.bytes(out.len())?;
    if depth > 64 {
        return Err(Error::new(ErrorKind::BadSerialization, "the value is nested deeper than 64"));
    }
    let pad = "  ".repeat(depth);
    let nested =
        |item: &Value| matches!(item.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) && item.is_true();
    match value.kind() {
        ValueKind::Map if value.is_true() => {
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                out.push_str(&pad);
                write_yaml_scalar(budget, &Value::from(text_of(&key)?), out)?;
                out.push(':');
                if nested(&item) {
                    out.push('\n');
                    write_yaml(budget, &item, depth + 1, out)?;
                } else {
                    out.push(' ');
                    write_yaml_scalar(budget, &item, out)?;
                    out.push('\n');
                }
            }
        }
        ValueKind::Seq | ValueKind::Iterable if value.is_true() => {
            for item in value.try_iter()? {
                out.push_str(&pad);
                out.push_str("- ");
                if nested(&item) {
                    let mut inner = String::new();
                    write_yaml(budget, &item, depth + 1, &mut inner)?;
                    out.push_str(inner.trim_start());
                } else {
                    write_yaml_scalar(budget, &item, out)?;
                    out.push('\n');
                }
            }
        }
        _ => {
            write_yaml_scalar(budget, value, out)?;
            out.push('\n');
        }
    }
    Ok(())
}
