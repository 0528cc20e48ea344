//! Building blocks of schemas, and unions told apart by the shape of the node.
//!
//! A union of JSON types needs no `oneOf`: every keyword but `type` speaks of one type only, so the parts are laid over
//! one another and each error stays a plain one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::source::decode::{OrderedMap, Raw, Spanned};

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for OrderedMap<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

impl JsonSchema for Raw {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// Lays the schemas of different JSON types over one another.
pub(crate) fn union(expected: &str, parts: impl IntoIterator<Item = Schema>) -> Schema {
    let mut whole = serde_json::Map::new();
    let mut types = Vec::new();
    for part in parts {
        let Value::Object(part) = part.to_value() else { continue };
        for (key, value) in part {
            match (key.as_str(), value) {
                ("type", Value::Array(more)) => types.extend(more),
                ("type", one) => types.push(one),
                ("description" | "title" | "examples", _) => {}
                (_, value) => {
                    whole.insert(key, value);
                }
            }
        }
    }
    whole.insert("type".into(), Value::Array(types));
    whole.insert("x-expected".into(), expected.into());
    whole.into()
}

/// Schema only: a mapping whose keys are free.
pub(crate) struct FreeMapping;

impl JsonSchema for FreeMapping {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FreeMapping".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// A list or one text that stands for a list of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum StringsWire {
    /// One text.
    #[serde(rename = "text")]
    One(Spanned<String>),
    /// A list.
    #[serde(rename = "list")]
    Many(Vec<Spanned<String>>),
}

impl StringsWire {
    /// The texts, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Spanned<String>] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl JsonSchema for StringsWire {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        union("text, or a list of texts", [String::json_schema(generator), <Vec<String>>::json_schema(generator)])
    }
}

/// A number, or text such as `8000-10000` or `90%`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum AmountWire {
    /// A number.
    #[serde(rename = "number")]
    Number(Spanned<f64>),
    /// A range or a percentage.
    #[serde(rename = "text")]
    Text(Spanned<String>),
    /// Both ends of a range.
    #[serde(rename = "map")]
    Range(Spanned<BoundsWire>),
}

impl JsonSchema for AmountWire {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let scalar = json_schema!({
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": AMOUNT_PATTERN
        });
        let parts = [scalar, BoundsWire::json_schema(generator)];
        let mut schema = union("a number or a range such as 8000-10000", parts);
        let about = "A number (`120`), a range (`8000-10000`, `8k-10k`, `{min: 8000, max: 10000}`), a bound (`1000+`, \
                     `<500`), about so many (`~500`: a fifth more or less) or, for coverage, a percentage (`90%`).";
        schema.insert("description".into(), about.into());
        schema.insert("examples".into(), serde_json::json!([120, "8000-10000", "90%"]));
        schema
    }
}

const AMOUNT_PATTERN: &str =
    r"^\s*([<>]=?|[~≥≤])?\s*[0-9][0-9_,. ]*[kK]?\s*((-|–|—|\.\.|to )\s*[0-9][0-9_,. ]*[kK]?\s*)?[%+]?\s*$";

/// A number, or both ends of a range.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$megax::shape")]
pub enum CountWire {
    /// Exactly so many.
    #[serde(rename = "integer")]
    Exactly(Spanned<u64>),
    /// A range.
    #[serde(rename = "map")]
    Range(BoundsWire),
}

impl CountWire {
    /// The least and the most, inclusive.
    #[must_use]
    pub fn bounds(&self) -> (u64, u64) {
        match self {
            Self::Exactly(count) => (count.value, count.value),
            Self::Range(range) => {
                let bound = |value: Option<&Spanned<u64>>, default| value.map_or(default, |value| value.value);
                (bound(range.min.as_ref(), 0), bound(range.max.as_ref(), u64::MAX))
            }
        }
    }
}

/// Both ends of a range, inclusive; one may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bounds")]
pub struct BoundsWire {
    /// The least allowed, inclusive.
    pub min: Option<Spanned<u64>>,
    /// The most allowed, inclusive.
    pub max: Option<Spanned<u64>>,
}

impl JsonSchema for CountWire {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [u64::json_schema(generator), BoundsWire::json_schema(generator)];
        let mut schema = union("a whole number or {min: .., max: ..}", parts);
        schema.insert("description".into(), "A whole number, or a range `{min: 800, max: 1000}`.".into());
        schema
    }
}
