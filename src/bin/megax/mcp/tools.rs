//! What can be called: names, descriptions for a language model, schemas and hints. Pure data; what a call does is in
//! `calls`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema;
use crate::schema::Named as SchemaName;

/// The arguments of `validate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validate {
    /// Mega-files, folders or globs, relative to the folder that the server was started in, and below it; without, all
    /// mega-files of the project
    #[serde(default)]
    pub paths: Vec<String>,
    /// Only mega-files of this team
    pub team: Option<String>,
    /// Warnings are errors
    #[serde(default)]
    pub strict: bool,
}

/// The arguments of `plan`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Mega-files, folders or globs, relative to the folder that the server was started in, and below it; without, all
    /// mega-files of the project
    #[serde(default)]
    pub paths: Vec<String>,
    /// Only mega-files of this team
    pub team: Option<String>,
}

/// The arguments of `expand`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    /// The digest that `plan` answered: 64 hexadecimal digits
    pub digest: String,
}

/// The arguments of `status`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Only this team, with its mega-files; without, every team
    pub team: Option<String>,
}

/// The arguments of `check_path`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPath {
    /// The files that are to be edited, relative to the folder that the server was started in, or to the output root; with
    /// a line (`src/a.ts:12`), what makes that line is named
    pub paths: Vec<String>,
    /// The team that wants to edit
    pub team: Option<String>,
}

/// The arguments of `review`: none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {}

/// The arguments of `explain`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// A code (`MX404`), a limit (`file_bytes`), `codes` or `limits` for all of them, or an output file with an optional
    /// line (`src/a.ts:12`)
    pub subject: String,
}

/// A call that can be carried out.
#[derive(Debug)]
pub enum Call {
    Validate(Validate),
    Plan(Plan),
    Expand(Expand),
    Status(Status),
    CheckPath(CheckPath),
    Explain(Explain),
    Review(Review),
}

/// One tool: what the model is told, and how its arguments are read.
struct Entry {
    name: &'static str,
    about: &'static str,
    /// The document that it answers with.
    answers: SchemaName,
    writes: bool,
    input: fn() -> JsonObject,
    read: fn(Value) -> Result<Call, serde_json::Error>,
}

/// The tools, in the order in which they are used.
const ENTRIES: [Entry; 7] = [
    Entry {
        name: "validate",
        about: "Checks mega-files as they are on disk and writes nothing. Call it after every change of a mega-file. Each \
                finding has a code, the file, the line and what to do; call it again until no error is left.",
        answers: SchemaName::Report,
        writes: false,
        input: input::<Validate>,
        read: |value| read(value, Call::Validate),
    },
    Entry {
        name: "plan",
        about: "Shows which files mega-files would create, update or delete, and writes nothing. The field `plan` of the \
                answer is the digest that `expand` needs; it is null while an error holds every team.",
        answers: SchemaName::Report,
        writes: false,
        input: input::<Plan>,
        read: |value| read(value, Call::Plan),
    },
    Entry {
        name: "expand",
        about: "Writes exactly the files of a plan that `plan` answered in this session, all or nothing per team. If \
                anything changed since (MX820), nothing is written: call `plan` again.",
        answers: SchemaName::Report,
        writes: true,
        input: input::<Expand>,
        read: |value| read(value, Call::Expand),
    },
    Entry {
        name: "status",
        about: "How the teams stand: mega-files done of those expected, valid or not, files and lines against goals, and \
                what differs on disk from what was written. Writes nothing.",
        answers: SchemaName::Status,
        writes: false,
        input: input::<Status>,
        read: |value| read(value, Call::Status),
    },
    Entry {
        name: "check_path",
        about: "May these files be edited by hand, by this team? Call it before you edit anything but your own mega-files. \
                `blocked`: megax writes the file, or it belongs to another team; the finding names the line to edit \
                instead. Writes nothing.",
        answers: SchemaName::Guard,
        writes: false,
        input: input::<CheckPath>,
        read: |value| read(value, Call::CheckPath),
    },
    Entry {
        name: "explain",
        about: "What a code (MX404) or a limit means, with an example and what to do; or which team, mega-file, rule, \
                item, template and line make an output file. To change a generated file, edit that line.",
        answers: SchemaName::Explanation,
        writes: false,
        input: input::<Explain>,
        read: |value| read(value, Call::Explain),
    },
    Entry {
        name: "review",
        about: "For whoever coordinates: which teams are ready to expand and why the others are not (mega-files, collisions, \
                dependencies, goals, integration points). Writes and reserves nothing.",
        answers: SchemaName::Review,
        writes: false,
        input: input::<Review>,
        read: |value| read(value, Call::Review),
    },
];

fn read<T: DeserializeOwned>(value: Value, call: fn(T) -> Call) -> Result<Call, serde_json::Error> {
    serde_json::from_value(value).map(call)
}

/// Every tool, as the protocol lists it.
pub fn list() -> Vec<Tool> {
    ENTRIES.iter().map(tool).collect()
}

/// The names of the tools.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// The call of a tool with arguments.
///
/// # Errors
/// There is no such tool, or the arguments are not those of it.
pub fn call(name: &str, arguments: JsonObject) -> Result<Call, String> {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
        let names: Vec<&str> = names().collect();
        return Err(format!("there is no tool `{name}`; the tools are {}", names.join(", ")));
    };
    (entry.read)(Value::Object(arguments)).map_err(|error| format!("the arguments of `{name}`: {error}"))
}

fn tool(entry: &Entry) -> Tool {
    // A tool that writes makes and replaces generated files; what a person edited it never touches. The same plan
    // again does nothing.
    let hints = ToolAnnotations::new().read_only(!entry.writes).destructive(entry.writes).idempotent(true);
    Tool::new(Cow::Borrowed(entry.name), Cow::Borrowed(entry.about), Arc::new((entry.input)()))
        .with_raw_output_schema(Arc::new(output(entry.answers)))
        .with_annotations(hints.open_world(false))
}

/// The schema of arguments.
fn input<T: JsonSchema>() -> JsonObject {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = object(settings.into_generator().into_root_schema_for::<T>().to_value());
    // What is said of the type is for whoever reads this file.
    for key in ["$schema", "title", "description"] {
        schema.remove(key);
    }
    // Some clients take a schema without this field for none.
    schema.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    schema
}

/// The schema of a document in short: its fields, and its findings in full. A model that lists tools should not have to
/// read all of it; the whole schema is a resource.
fn output(name: SchemaName) -> JsonObject {
    let mut schema = schema::named(name);
    strip(&mut schema);
    let mut schema = object(schema);
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        for (_, field) in fields.iter_mut().filter(|(name, _)| *name != "diagnostics") {
            if let Value::Object(field) = field {
                field.retain(|key, _| ["type", "enum", "const"].contains(&key.as_str()));
            }
        }
    }
    let defs = schema.get("$defs").cloned().unwrap_or_default();
    let mut used = BTreeSet::new();
    referred(schema.get("properties").unwrap_or(&Value::Null), &defs, &mut used);
    if let Some(Value::Object(defs)) = schema.get_mut("$defs") {
        defs.retain(|name, _| used.contains(name));
    }
    schema
}

/// The definitions that a schema refers to, and those that these refer to.
fn referred(schema: &Value, defs: &Value, used: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            let named = map.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix("#/$defs/"));
            if let Some(name) = named
                && used.insert(name.to_owned())
            {
                referred(defs.get(name).unwrap_or(&Value::Null), defs, used);
            }
            map.values().for_each(|value| referred(value, defs, used));
        }
        Value::Array(list) => list.iter().for_each(|value| referred(value, defs, used)),
        _ => {}
    }
}

/// Takes the descriptions and formats off a schema; what lies under `properties` and `$defs` is named by users.
fn strip(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for key in ["description", "format", "$schema"] {
                map.shift_remove(key);
            }
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => named.values_mut().for_each(strip),
                    ("enum" | "const" | "required" | "default", _) => {}
                    (_, value) => strip(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(map) => map,
        // A schema of a document is an object; `true` would be one that allows everything.
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_are_at_most_seven_tools_and_each_says_what_it_takes_and_gives() {
        let tools = list();
        assert!(tools.len() <= 7);
        for tool in &tools {
            let about = tool.description.as_deref().unwrap_or_default();
            assert!((60..400).contains(&about.len()), "{}: {} bytes", tool.name, about.len());
            assert_eq!(tool.input_schema.get("type"), Some(&json!("object")), "{}", tool.name);
            assert_eq!(tool.input_schema.get("additionalProperties"), Some(&json!(false)), "{}", tool.name);
            let output = tool.output_schema.as_ref().expect("each answers with a document");
            assert_eq!(output.get("type"), Some(&json!("object")));
            for field in ["schema_version", "outcome", "diagnostics"] {
                assert!(output["properties"].get(field).is_some(), "{}: {field}", tool.name);
            }
            let hints = tool.annotations.as_ref().expect("hints");
            assert_eq!(hints.read_only_hint, Some(tool.name != "expand"));
        }
        let bytes = serde_json::to_string(&tools).map_or(0, |text| text.len());
        assert!(bytes < 20_000, "the list of tools is {bytes} bytes long");
    }

    #[test]
    fn a_field_that_is_called_description_stays() {
        let mut schema = json!({ "description": "x", "properties": { "description": { "description": "y" } } });
        strip(&mut schema);
        assert_eq!(schema, json!({ "properties": { "description": {} } }));
    }

    #[test]
    fn wrong_arguments_are_named() {
        let fields = |value: Value| object(value);
        for (name, arguments, why) in [
            ("validat", json!({}), "there is no tool `validat`; the tools are validate, plan,"),
            ("validate", json!({ "path": ["x"] }), "unknown field `path`, expected one of `paths`, `team`, `strict`"),
            ("validate", json!({ "paths": "x" }), "expected a sequence"),
            ("expand", json!({}), "missing field `digest`"),
        ] {
            let found = call(name, fields(arguments)).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
        assert!(matches!(call("status", fields(json!({ "team": null }))), Ok(Call::Status(Status { team: None }))));
    }
}
