//! The deserializer itself.
//!
//! It hands nodes to serde and attaches the innermost node to every error. It never recurses deeper than the type and
//! the tree do; the parser limits the depth of the tree.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::types::{RAW, SPANNED};
use super::{REST, SHAPE};
use crate::source::tree::{Kind, NodeId, Tree};

/// Why a tree does not decode, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// The innermost node concerned.
    pub node: Option<NodeId>,
    /// A lower-case fragment.
    pub message: String,
}

impl DecodeError {
    /// Sets the node unless a deeper one is known.
    pub(super) fn or_at(mut self, node: NodeId) -> Self {
        self.node = self.node.or(Some(node));
        self
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { node: None, message: message.to_string() }
    }
}

type Result<T> = std::result::Result<T, DecodeError>;

#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'t> {
    tree: &'t Tree,
    node: NodeId,
}

impl<'t> NodeDeserializer<'t> {
    pub(super) fn new(tree: &'t Tree, node: NodeId) -> Self {
        Self { tree, node }
    }

    fn feed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self).map_err(|error| error.or_at(self.node))
    }

    fn error(self, message: impl Into<String>) -> DecodeError {
        DecodeError { node: Some(self.node), message: message.into() }
    }

    /// The whole number of the node; `1.0` is one, as it is for JSON Schema.
    fn integer(self) -> Option<i64> {
        match self.tree.kind(self.node) {
            Kind::Int(value) => Some(*value),
            Kind::Float(value) if value.fract() == 0.0 => format!("{value:.0}").parse().ok(),
            _ => None,
        }
    }

    fn feed_integer<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.integer() {
            Some(value) => visitor.visit_i64(value).map_err(|error: DecodeError| error.or_at(self.node)),
            None => self.deserialize_any(visitor),
        }
    }

    /// Whether the node has the shape that a variant's name asks for.
    fn fits(self, shape: &str) -> bool {
        match (shape, self.tree.kind(self.node)) {
            ("any", _)
            | ("null", Kind::Null)
            | ("bool", Kind::Bool(_))
            | ("number", Kind::Int(_) | Kind::Float(_))
            | ("text", Kind::Text(..))
            | ("list", Kind::List(_))
            | ("map", Kind::Map(_)) => true,
            ("integer", _) => self.integer().is_some(),
            (_, Kind::Map(_)) => {
                shape.strip_prefix("map.").is_some_and(|key| self.tree.entry(self.node, key).is_some())
            }
            _ => false,
        }
    }
}

impl<'t> Deserializer<'t> for NodeDeserializer<'t> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.tree.kind(self.node) {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Int(value) => visitor.visit_i64(*value),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(text, _) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(List { tree: self.tree, items: items.iter() }),
            Kind::Map(entries) => visitor.visit_map(Map::new(self.tree, entries, None)),
        }
        .map_err(|error| error.or_at(self.node))
    }

    fn deserialize_i64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.feed_integer(visitor)
    }

    fn deserialize_u64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.feed_integer(visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.tree.kind(self.node) {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match name {
            RAW => visitor.visit_u32(self.node.0),
            SPANNED => visitor.visit_seq(Pair { inner: self, step: 0 }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let Kind::Map(entries) = self.tree.kind(self.node) else {
            return Err(self.error(format!("expected a mapping, found {}", self.tree.kind(self.node).word())));
        };
        let rest = fields.contains(&REST).then_some(fields);
        visitor.visit_map(Map::new(self.tree, entries, rest)).map_err(|error| error.or_at(self.node))
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if name == SHAPE {
            let Some(variant) = variants.iter().copied().find(|shape| self.fits(shape)) else {
                let found = self.tree.kind(self.node).word();
                return Err(self.error(format!("expected {}, found {found}", variants.join(" or "))));
            };
            return visitor.visit_enum(Shape { inner: self, variant }).map_err(|error| error.or_at(self.node));
        }
        match self.tree.text(self.node) {
            Some(text) => {
                visitor.visit_enum(text.into_deserializer()).map_err(|error: DecodeError| error.or_at(self.node))
            }
            None => Err(self.error(format!("expected text, found {}", self.tree.kind(self.node).word()))),
        }
    }

    forward_to_deserialize_any! {
        <W: Visitor<'t>>
        bool i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The node number, then the value.
struct Pair<'t> {
    inner: NodeDeserializer<'t>,
    step: u8,
}

impl<'t> SeqAccess<'t> for Pair<'t> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.step += 1;
        match self.step {
            1 => seed.deserialize(U32Deserializer::new(self.inner.node.0)).map(Some),
            2 => self.inner.feed(seed).map(Some),
            _ => Ok(None),
        }
    }
}

struct List<'t> {
    tree: &'t Tree,
    items: std::slice::Iter<'t, NodeId>,
}

impl<'t> SeqAccess<'t> for List<'t> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.items.next().map(|&item| NodeDeserializer::new(self.tree, item).feed(seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Map<'t> {
    tree: &'t Tree,
    entries: std::slice::Iter<'t, (NodeId, NodeId)>,
    value: Option<NodeId>,
    /// The fields of a struct with a [`REST`] field; other keys are put by for it.
    fields: Option<&'static [&'static str]>,
    rest: Vec<(NodeId, NodeId)>,
}

impl<'t> Map<'t> {
    fn new(tree: &'t Tree, entries: &'t [(NodeId, NodeId)], fields: Option<&'static [&'static str]>) -> Self {
        Self { tree, entries: entries.iter(), value: None, fields, rest: Vec::new() }
    }

    /// The next entry that is not put by.
    fn next_named(&mut self) -> Option<(NodeId, NodeId)> {
        for &(key, value) in self.entries.by_ref() {
            let named = self.fields.is_none_or(|fields| self.tree.text(key).is_some_and(|text| fields.contains(&text)));
            if named {
                return Some((key, value));
            }
            self.rest.push((key, value));
        }
        None
    }
}

impl<'t> MapAccess<'t> for Map<'t> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if let Some((key, value)) = self.next_named() {
            self.value = Some(value);
            return NodeDeserializer::new(self.tree, key).feed(seed).map(Some);
        }
        self.value = None;
        match self.fields.take() {
            Some(_) => seed.deserialize(REST.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value> {
        if let Some(value) = self.value.take() {
            return NodeDeserializer::new(self.tree, value).feed(seed);
        }
        let entries = std::mem::take(&mut self.rest).into_iter();
        seed.deserialize(MapAccessDeserializer::new(Rest { tree: self.tree, entries, value: None }))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The entries that a struct does not name.
struct Rest<'t> {
    tree: &'t Tree,
    entries: std::vec::IntoIter<(NodeId, NodeId)>,
    value: Option<NodeId>,
}

impl<'t> MapAccess<'t> for Rest<'t> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        NodeDeserializer::new(self.tree, key).feed(seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value> {
        match self.value.take() {
            Some(value) => NodeDeserializer::new(self.tree, value).feed(seed),
            None => Err(serde::de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// A variant chosen by shape; its content is the same node.
struct Shape<'t> {
    inner: NodeDeserializer<'t>,
    variant: &'static str,
}

impl<'t> EnumAccess<'t> for Shape<'t> {
    type Error = DecodeError;
    type Variant = ShapeContent<'t>;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self::Variant)> {
        let variant: serde::de::value::StrDeserializer<'_, DecodeError> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, ShapeContent(self.inner)))
    }
}

struct ShapeContent<'t>(NodeDeserializer<'t>);

impl<'t> VariantAccess<'t> for ShapeContent<'t> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value> {
        self.0.feed(seed)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'t>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
