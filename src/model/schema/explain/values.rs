//! Findings about a value: its type, or what it says.

use jsonschema::error::ValidationErrorKind as Fault;
use serde_json::Value;

use super::{Explainer, Place, allows, example, list_words, types};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::schema::SchemaName;
use crate::model::schema::explain::keys::properties;
use crate::model::wire::{NAME_PATTERN, VARIABLE_PATTERN};
use crate::source::{Kind, NodeId, Style};

impl Explainer<'_> {
    pub(super) fn wrong_type(&self, place: &Place<'_>) -> Diagnostic {
        let kind = self.tree.kind(place.node);
        let found = if *kind == Kind::Null { "nothing (null)" } else { kind.word() };
        let message = format!("{} must be {}, found {found}", self.name(place), expected(place.rule));
        let span = match (kind, place.key) {
            // A missing value has no text to point at.
            (Kind::Null, Some(key)) if self.tree.span(place.node).start == self.tree.span(place.node).end => {
                self.tree.span(key)
            }
            _ => self.tree.span(place.node),
        };
        let mut diagnostic = Diagnostic::new(Code::WrongType, message).at(span).label(format!("this is {found}"));
        if let Some(word) = self.mode_word(place) {
            diagnostic = diagnostic.help(format!("write `{word}`")).fix(span, word);
        } else if let Some(replacement) = self.certain_scalar(place) {
            diagnostic = diagnostic.help(format!("write `{replacement}`")).fix(span, replacement);
        } else {
            diagnostic = diagnostic.help(self.type_help(place));
            if let Some(list) = self.as_list(place) {
                diagnostic = diagnostic.help(format!("write it as a list: `{}`", clip(&list))).fix(span, list);
            }
        }
        diagnostic
    }

    fn type_help(&self, place: &Place<'_>) -> String {
        let key = place.key.and_then(|key| self.tree.text(key)).map(|key| format!("{key}: ")).unwrap_or_default();
        let sample = example(place.rule).map(|sample| format!(", for example `{key}{sample}`")).unwrap_or_default();
        match self.tree.kind(place.node) {
            Kind::Null => self.null_help(place, &sample),
            _ if properties(place.rule).map(|(name, _)| name).eq(["for_each", "as", "when", "value"]) => {
                "write `- value: ...`".to_owned()
            }
            Kind::Map(_) if allows(place.rule, "array") => format!("begin every entry with `- `{sample}"),
            Kind::Text(text, _) if allows(place.rule, "array") && text.len() < 60 && !text.contains('\n') => {
                let is_number = allows(place.rule, "integer") || allows(place.rule, "number");
                if is_number && !text.contains(['/', '.']) {
                    return format!("write {}, such as `{key}3`", expected(place.rule));
                }
                let items = place.rule.get("items").map_or(&Value::Null, |items| self.resolve(items));
                if allows(items, "string") {
                    format!("write a list: `{key}[\"{text}\"]`")
                } else if properties(items).any(|(name, _)| name == "value") {
                    format!("write a list: `{key}[{{ value: {text} }}]`")
                } else if key == "generate: " {
                    let is_path = text.contains(['/', '.']);
                    let (template, path) = if is_path { ("TEMPLATE", &**text) } else { (&**text, "path") };
                    format!("write a list of templates with their paths: `generate: [ {template}: \"{path}\" ]`")
                } else {
                    format!("write {}{sample}", expected(place.rule))
                }
            }
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_)
                if allows(place.rule, "string") && !allows(place.rule, "array") =>
            {
                "put it in quotes if it is meant as text".to_owned()
            }
            Kind::List(_) if matches!(key.as_str(), "templates: " | "generation_templates: " | "factories: ") => {
                "write each under its name instead of as a list item: `NAME:` and what belongs to it, indented below"
                    .to_owned()
            }
            Kind::List(_) if properties(place.rule).any(|(name, _)| name == "write_paths" || name == "output") => {
                format!("if these are the folders that it may write: `{key}{{ output: [...] }}`")
            }
            _ if allows(place.rule, "object") && properties(place.rule).next().is_some() => {
                let keys = list_words(properties(place.rule).map(|(name, _)| name));
                format!("write a mapping with the keys {keys}")
            }
            _ => format!("write {}{sample}", expected(place.rule)),
        }
    }

    fn null_help(&self, place: &Place<'_>, sample: &str) -> String {
        let Some(key) = place.key.and_then(|key| self.tree.text(key)) else {
            return "remove the empty entry, or give it a value".to_owned();
        };
        let alone = place.parent.and_then(|parent| self.tree.map(parent)).is_some_and(|entries| entries.len() == 1);
        let placeholder = if alone && self.noun != SchemaName::Manifest.noun() && allows(place.rule, "string") {
            format!("; a placeholder needs quotes: \"{{{key}}}\"")
        } else {
            String::new()
        };
        format!("give `{key}` a value, or remove the key{sample}{placeholder}")
    }

    /// The value as the list that was surely meant: of one text, or of the pairs of `generate`.
    fn as_list(&self, place: &Place<'_>) -> Option<String> {
        if types(place.rule) != ["array"] {
            return None;
        }
        let items = place.rule.get("items").map(|items| self.resolve(items))?;
        let quoted = |text: &str| (!text.contains(['\n', '\u{7f}'])).then(|| Value::from(text).to_string());
        match self.tree.kind(place.node) {
            // One text with commas may be meant as several.
            Kind::Text(text, Style::Plain | Style::Double | Style::Single) if allows(items, "string") => {
                let is_one = !text.is_empty() && !text.contains([',', ';', '\n']) && text.len() < 200;
                is_one.then(|| quoted(text).map(|text| format!("[{text}]")))?
            }
            Kind::Map(entries) if place.key.and_then(|key| self.tree.text(key)) == Some("generate") => {
                let pairs = entries.iter().map(|&(key, value)| {
                    Some((self.tree.text(key)?, quoted(self.tree.text(key)?)?, quoted(self.tree.text(value)?)?))
                });
                let pairs: Vec<_> = pairs.collect::<Option<_>>()?;
                let is_entry = pairs.iter().any(|(key, ..)| properties(items).any(|(name, _)| name == *key));
                let (before, between, after) = if is_entry { ("[{", ", ", "}]") } else { ("[{", "}, {", "}]") };
                let pairs: Vec<String> = pairs.iter().map(|(_, key, value)| format!("{key}: {value}")).collect();
                (!pairs.is_empty()).then(|| format!("{before}{}{after}", pairs.join(between)))
            }
            _ => None,
        }
    }

    /// The word for a mode that was written as in `chmod`: `755`, `"0644"`.
    fn mode_word(&self, place: &Place<'_>) -> Option<&'static str> {
        let options = place.rule.get("enum")?.as_array()?;
        let ours = ["executable", "regular"].iter().all(|word| options.iter().any(|one| one == word));
        if !ours {
            return None;
        }
        let digits = match self.tree.kind(place.node) {
            Kind::Int(number) => number.to_string(),
            Kind::Text(text, _) => text.trim_start_matches("0o").to_owned(),
            _ => return None,
        };
        let is_mode = (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let executes = |digit: u8| (digit - b'0') % 2 == 1;
        is_mode.then(|| if digits.bytes().any(executes) { "executable" } else { "regular" })
    }

    /// The scalar that was surely meant, when only the quotes are wrong.
    fn certain_scalar(&self, place: &Place<'_>) -> Option<String> {
        let wanted = types(place.rule);
        let only_text = wanted.contains(&"string") && wanted.iter().all(|one| ["string", "array"].contains(one));
        match self.tree.kind(place.node) {
            Kind::Int(number) if only_text => self.quoted(place.node, &number.to_string()),
            Kind::Bool(value) if only_text => self.quoted(place.node, &value.to_string()),
            Kind::Text(text, _) if allows(place.rule, "integer") || allows(place.rule, "number") => {
                let number = text.parse::<u32>().ok()?.to_string();
                (number == **text).then_some(number)
            }
            Kind::Text(text, _) if allows(place.rule, "boolean") => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some("true".into()),
                "false" | "no" | "off" => Some("false".into()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The scalar in quotes, if it was written the way YAML reads it (`16` and not `0x10`).
    fn quoted(&self, node: NodeId, value: &str) -> Option<String> {
        let span = self.tree.span(node);
        ((span.end - span.start) as usize == value.len()).then(|| format!("\"{value}\""))
    }

    pub(super) fn bad_value(&self, place: &Place<'_>, fault: &Fault) -> Diagnostic {
        let name = self.name(place);
        let shown = self.shown(place.node);
        let span = self.tree.span(place.node);
        let bad = |message: String| Diagnostic::new(Code::BadValue, message).at(span);
        match fault {
            Fault::Enum { options } => self.not_a_choice(place, options),
            Fault::Constant { expected_value } => {
                bad(format!("{name} is {shown}, which is not allowed")).help(format!("write `{expected_value}`"))
            }
            Fault::Pattern { pattern } => {
                let finding = bad(format!("{name} is {shown}, which is not allowed"))
                    .help(format!("write {}", meaning(place.rule, pattern)));
                match self.without_comma(place.node, pattern) {
                    Some(text) => finding.help(format!("write `{text}`, without the comma")).fix(span, text),
                    None => finding,
                }
            }
            Fault::Minimum { .. } | Fault::Maximum { .. } if place.rule.get("x-hint").is_some() => {
                let hint = place.rule.get("x-hint").and_then(Value::as_str).unwrap_or_default();
                let most = place.rule.get("maximum").map(Value::to_string).unwrap_or_default();
                bad(format!("{name} is {shown}: {hint}")).help(format!("write a number from 1 to {most}"))
            }
            Fault::Minimum { limit } => bad(format!("{name} is {shown}, which is too small"))
                .help(format!("write a number that is at least {limit}")),
            Fault::Maximum { limit } => bad(format!("{name} is {shown}, which is too large"))
                .help(format!("write a number that is at most {limit}")),
            Fault::MinItems { limit } => {
                bad(format!("{name} has too few items")).help(format!("give at least {limit}"))
            }
            Fault::MaxItems { limit } => {
                bad(format!("{name} has too many items")).help(format!("give at most {limit}"))
            }
            _ => bad(format!("{name} is not what the format allows here"))
                .help(format!("write {}", expected(place.rule))),
        }
    }

    /// A name that ends with the comma or semicolon of another format, without it.
    fn without_comma(&self, node: NodeId, pattern: &str) -> Option<String> {
        let Kind::Text(text, Style::Plain) = self.tree.kind(node) else { return None };
        let bare = text.trim_end_matches([',', ';', ' ']).trim_matches(['"', '\'']);
        let is_whole = [NAME_PATTERN, VARIABLE_PATTERN].contains(&pattern) && bare.len() < text.len();
        let is_name =
            !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        (is_whole && is_name).then(|| bare.to_owned())
    }

    fn not_a_choice(&self, place: &Place<'_>, options: &Value) -> Diagnostic {
        let words: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let span = self.tree.span(place.node);
        let message = format!("{} is {}, which is not allowed", self.name(place), self.shown(place.node));
        let choices = list_words(words.iter().copied());
        let diagnostic = Diagnostic::new(Code::BadValue, message).at(span).label("not a value of the format");
        if let Some(word) = self.mode_word(place) {
            return diagnostic.help(format!("write `{word}`; allowed: {choices}")).fix(span, word);
        }
        match self.tree.text(place.node).and_then(|text| nearest(text, words.iter().copied())) {
            Some(word) => diagnostic.help(format!("did you mean `{word}`? allowed: {choices}")).fix(span, word),
            None => diagnostic.help(format!("write one of {choices}")),
        }
    }

    /// A key that is no name.
    pub(super) fn bad_name(&self, place: &Place<'_>, name: &str) -> Diagnostic {
        let node = self.tree.entry(place.node, name).map_or(place.node, |(key, _)| key);
        let message = format!("the key `{name}` in {} is no name", self.name(place));
        Diagnostic::new(Code::BadValue, message)
            .at(self.tree.span(node))
            .help(format!("write {}", meaning(&Value::Null, NAME_PATTERN)))
    }

    /// A value in a message, shortened.
    fn shown(&self, node: NodeId) -> String {
        let whole = match self.tree.kind(node) {
            Kind::Text(text, _) => text.to_string(),
            Kind::Int(number) => number.to_string(),
            Kind::Float(number) => number.to_string(),
            Kind::Bool(value) => value.to_string(),
            other => return other.word().to_owned(),
        };
        let line = whole.lines().next().unwrap_or_default();
        let short: String = line.chars().take(40).collect();
        if short.len() < whole.len() { format!("`{short}...`") } else { format!("`{short}`") }
    }
}

/// The beginning of a text, for a help.
fn clip(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

/// What may stand there, in words.
pub(in crate::model) fn expected(rule: &Value) -> String {
    if let Some(words) = rule.get("x-expected").and_then(Value::as_str) {
        return words.to_owned();
    }
    let words: Vec<&str> = types(rule)
        .into_iter()
        .map(|one| match one {
            "string" => "text",
            "array" => "a list",
            "object" => "a mapping",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            _ => "nothing",
        })
        .collect();
    match words.split_last() {
        None => "what the format allows".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
    }
}

/// A pattern in words.
pub(in crate::model) fn meaning(rule: &Value, pattern: &str) -> String {
    if pattern == NAME_PATTERN {
        return "letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 100 characters"
            .to_owned();
    }
    if pattern == VARIABLE_PATTERN {
        return "a name of letters, digits and `_` that does not begin with a digit".to_owned();
    }
    if rule.get("x-expected").is_some() { expected(rule) } else { format!("text that matches {pattern}") }
}
