//! JSON Schemas made from the wire types, and the validation that runs before anything is decoded.
//!
//! [`validate`] finds everything that is wrong with a document's shape at once, each finding at its place and with what
//! to write instead. It never resolves a name and never reads a file or the network.

pub(super) mod explain;
mod problem;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jsonschema::{PatternOptions, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{LbofWire, ManifestWire, NativeWire};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::decode as de;
use crate::source::{Tree, yaml};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaName {
    /// A mega-file in the native dialect.
    MegaFile,
    /// A mega-file in the LBOF dialect.
    Lbof,
    /// The project manifest.
    Manifest,
}

impl SchemaName {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::MegaFile, Self::Lbof, Self::Manifest];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MegaFile => "mega-file",
            Self::Lbof => "mega-file-lbof",
            Self::Manifest => "manifest",
        }
    }

    /// The name of the file in `schemas/`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::MegaFile => "mega-file.schema.json",
            Self::Lbof => "mega-file-lbof.schema.json",
            Self::Manifest => "manifest.schema.json",
        }
    }

    /// The document, in messages.
    fn noun(self) -> &'static str {
        match self {
            Self::MegaFile | Self::Lbof => "the mega-file",
            Self::Manifest => "the manifest",
        }
    }

    fn compiled(self) -> Option<&'static Compiled> {
        static MEGA_FILE: OnceLock<Option<Compiled>> = OnceLock::new();
        static LBOF: OnceLock<Option<Compiled>> = OnceLock::new();
        static MANIFEST: OnceLock<Option<Compiled>> = OnceLock::new();
        let cell = match self {
            Self::MegaFile => &MEGA_FILE,
            Self::Lbof => &LBOF,
            Self::Manifest => &MANIFEST,
        };
        cell.get_or_init(|| compile(schema(self))).as_ref()
    }
}

struct Compiled {
    schema: Value,
    validator: Validator,
    /// The top-level keys whose lists and mappings may hold anything.
    free: BTreeSet<String>,
}

fn compile(schema: Value) -> Option<Compiled> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).offline();
    let validator = options.build(&schema).ok()?;
    let free = free_keys(&schema);
    Some(Compiled { schema, validator, free })
}

/// The top-level keys of which the schema says no more than a type: below them nothing can be wrong.
fn free_keys(schema: &Value) -> BTreeSet<String> {
    let harmless = ["type", "title", "description", "default", "examples", "$comment"];
    let is_free =
        |one: &Value| one.as_object().is_some_and(|one| one.keys().all(|key| harmless.contains(&key.as_str())));
    let properties = schema.get("properties").and_then(Value::as_object);
    let free = properties.into_iter().flatten().filter(|(_, one)| is_free(one));
    free.map(|(key, _)| key.clone()).collect()
}

/// The document as [`validate`] needs it, without the inside of what may be anything: `data` is most of a mega-file.
#[must_use]
pub fn to_json(name: SchemaName, tree: &Tree) -> Value {
    static NONE: BTreeSet<String> = BTreeSet::new();
    yaml::to_json_hollow(tree, name.compiled().map_or(&NONE, |compiled| &compiled.free))
}

/// The schema of a kind of document (draft 2020-12).
#[must_use]
pub fn schema(name: SchemaName) -> Value {
    match name {
        SchemaName::MegaFile => generate::<NativeWire>(),
        SchemaName::Lbof => generate::<LbofWire>(),
        SchemaName::Manifest => generate::<ManifestWire>(),
    }
}

/// The names of the files in `schemas/` and what belongs into them.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    SchemaName::ALL.into_iter().map(|name| (name.file_name(), schema(name))).collect()
}

/// The text of a schema file.
#[must_use]
pub fn to_text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn generate<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    head_first(schema)
}

/// Moves what a reader wants to see first to the top.
fn head_first(mut schema: Value) -> Value {
    let mut head = serde_json::Map::new();
    if let Value::Object(map) = &mut schema {
        for key in ["$schema", "title", "description"] {
            head.extend(map.shift_remove_entry(key));
        }
        head.append(map);
    }
    Value::Object(head)
}

/// Takes out what Rust has and the format has not: `null` for a key that may be left out, formats of machine words, and
/// the line breaks of doc comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, value| key != "format" || !value.as_str().is_some_and(is_machine_word));
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|one| one != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    map.insert("type".into(), one);
                }
            }
            if let Some(Value::Array(branches)) = map.get_mut("anyOf") {
                let null = branches.iter().position(|branch| branch.get("type").is_some_and(|one| one == "null"));
                if let (Some(null), 2) = (null, branches.len())
                    && let Value::Object(other) = branches.swap_remove(1 - null)
                {
                    map.shift_remove("anyOf");
                    map.extend(other);
                }
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn is_machine_word(format: &str) -> bool {
    format.starts_with("int") || format.starts_with("uint") || matches!(format, "float" | "double")
}

/// Everything that is wrong with the shape of a document, sorted by place. `json` is the same document as `tree`;
/// what stands below a key that may hold anything may be missing ([`to_json`]).
#[must_use]
pub fn validate(name: SchemaName, tree: &Tree, json: &Value) -> Diagnostics {
    let Some(Compiled { schema, validator, .. }) = name.compiled() else {
        let message = format!("the built-in schema of {} does not compile; this is a bug in megax", name.noun());
        return Diagnostics::from_iter([Diagnostic::new(Code::BadValue, message)]);
    };
    let explainer = explain::Explainer { schema, tree, noun: name.noun() };
    let problems = validator.iter_errors(json).flat_map(|error| explainer.explain(&error)).collect();
    let mut findings: Diagnostics = problem::collapse(problems).into_iter().collect();
    findings.sort();
    findings
}

/// The wire type of a validated document.
///
/// # Errors
///
/// `MX202` at the place that the type cannot hold; after a clean [`validate`] only a number beyond 64 bits can be such.
pub fn decode<T: DeserializeOwned>(tree: &Tree) -> Result<T, Diagnostic> {
    de::decode(tree).map_err(|error| {
        let place = tree.span(error.node.unwrap_or(tree.root()));
        Diagnostic::new(Code::WrongType, error.message).at(place).label("here")
    })
}

#[cfg(test)]
mod tests;
