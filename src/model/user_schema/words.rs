//! The words of messages: values, types and limits. Knows no place and no other module's state.

use jsonschema::error::ValidationErrorKind as Fault;
use serde_json::Value;

use crate::model::schema::explain::types;

/// A number or a length that is out of bounds: what is wrong, what to write.
pub fn measure(fault: &Fault) -> (String, String) {
    let few = |what: &str, limit: &dyn std::fmt::Display| {
        (format!("which has too few {what}"), format!("give at least {limit}"))
    };
    let many = |what: &str, limit: &dyn std::fmt::Display| {
        (format!("which has too many {what}"), format!("give at most {limit}"))
    };
    let small = |words: &str, limit: &dyn std::fmt::Display| {
        ("which is too small".to_owned(), format!("write a number {words} {limit}"))
    };
    let large = |words: &str, limit: &dyn std::fmt::Display| {
        ("which is too large".to_owned(), format!("write a number {words} {limit}"))
    };
    match fault {
        Fault::Minimum { limit } => small("that is at least", limit),
        Fault::ExclusiveMinimum { limit } => small("greater than", limit),
        Fault::Maximum { limit } => large("that is at most", limit),
        Fault::ExclusiveMaximum { limit } => large("less than", limit),
        Fault::MultipleOf { multiple_of } => {
            (format!("which is no multiple of {multiple_of}"), format!("write a multiple of {multiple_of}"))
        }
        Fault::MinLength { limit } => few("characters", limit),
        Fault::MaxLength { limit } => many("characters", limit),
        Fault::MinItems { limit } => few("items", limit),
        Fault::MaxItems { limit } => many("items", limit),
        Fault::AdditionalItems { limit } => many("items", limit),
        Fault::MinProperties { limit } => few("keys", limit),
        Fault::MaxProperties { limit } => many("keys", limit),
        _ => ("which the schema does not allow".to_owned(), "see the schema".to_owned()),
    }
}

/// What stands there, in words.
pub fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".to_owned(),
        Value::Bool(_) => format!("the boolean {}", shown(value)),
        Value::Number(_) => format!("the number {}", shown(value)),
        Value::String(_) => format!("the text {}", shown(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// A value in a message, shortened.
pub fn shown(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Null => return "nothing (null)".to_owned(),
        Value::Array(items) => return format!("a list of {}", items.len()),
        Value::Object(_) => return "a mapping".to_owned(),
        other => other.to_string(),
    };
    let line = whole.lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    if short.len() < whole.len() { format!("`{short}...`") } else { format!("`{short}`") }
}

/// So many allowed values are named.
const CHOICES: usize = 40;

/// The allowed values of an enum.
pub fn choices(options: &Value) -> String {
    let all = options.as_array().map_or(&[][..], Vec::as_slice);
    let words = all.iter().take(CHOICES);
    let mut words: Vec<String> = words
        .map(|one| match one {
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        })
        .collect();
    if all.len() > CHOICES {
        words.push(format!("{} more", all.len() - CHOICES));
    }
    words.join(", ")
}

/// The plural of a type, in words.
pub fn many(kind: &str) -> &'static str {
    match kind {
        "string" => "texts",
        "array" => "lists",
        "object" => "mappings",
        "integer" => "whole numbers",
        "number" => "numbers",
        "boolean" => "booleans",
        _ => "nulls",
    }
}

/// A value of the type of a schema, for a help text.
pub fn sample_of(part: &Value) -> Option<&'static str> {
    Some(match *types(part).first()? {
        "string" => "\"text\"",
        "integer" | "number" => "1",
        "boolean" => "true",
        "array" => "[]",
        "object" => "{}",
        _ => return None,
    })
}

/// The scalar that was surely meant, when only its form is wrong.
pub fn certain(value: &Value, part: &Value) -> Option<String> {
    match (types(part).as_slice(), value) {
        (["string"], Value::Number(_) | Value::Bool(_)) => Some(format!("\"{value}\"")),
        (["integer"], Value::String(text)) => (text.parse::<i64>().ok()?.to_string() == *text).then(|| text.clone()),
        (["boolean"], Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        (["array"], Value::String(text)) if !text.contains(['\n', '"', '\\']) && text.len() < 60 => {
            let items = part.get("items").map(types).unwrap_or_default();
            (items == ["string"]).then(|| format!("[\"{text}\"]"))
        }
        _ => None,
    }
}

/// The first item that a list has twice.
pub fn twin(value: &Value) -> String {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let twin = items.iter().enumerate().find(|(index, item)| items[..*index].contains(item));
    twin.map_or_else(String::new, |(index, item)| format!(": {} (item {})", shown(item), index + 1))
}
