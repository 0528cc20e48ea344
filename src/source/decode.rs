//! Typed values out of a [`Tree`], each able to remember the node it came from.
//!
//! A serde deserializer whose error knows its node. It adds four things to plain serde, all asked for by private names
//! that only this deserializer understands: [`Spanned`] (a value with its node), [`Raw`] (a node as it is),
//! [`OrderedMap`] with a [`REST`] field (the keys a struct does not name), and enums whose variant is chosen by the
//! [`SHAPE`] of the node. This module never judges meaning, never copies a free-form part and never expands aliases
//! beyond what the type asks for.

mod de;
mod types;

pub use de::DecodeError;
pub use types::{OrderedMap, Raw, Spanned};

use serde::Deserialize;

use super::tree::{NodeId, Tree};

/// The name of a struct field, of type `OrderedMap<_>`, that takes every key that the struct does not name. A struct
/// without such a field sees unknown keys as any serde struct does.
pub const REST: &str = "$megax::rest";

/// The name of an enum whose variants are chosen by the shape of the node. The variants' names are tried in order:
/// `null`, `bool`, `integer`, `number` (integers too), `text`, `list`, `map`, `map.KEY` (a mapping that has `KEY`) and
/// `any`.
pub const SHAPE: &str = "$megax::shape";

/// Decodes the whole document.
///
/// # Errors
///
/// The first place where the document does not have the shape of `T`.
pub fn decode<'t, T: Deserialize<'t>>(tree: &'t Tree) -> Result<T, DecodeError> {
    decode_node(tree, tree.root())
}

/// Decodes one node and what lies below it.
///
/// # Errors
///
/// The first place where the node does not have the shape of `T`.
pub fn decode_node<'t, T: Deserialize<'t>>(tree: &'t Tree, node: NodeId) -> Result<T, DecodeError> {
    T::deserialize(de::NodeDeserializer::new(tree, node)).map_err(|error| error.or_at(node))
}

#[cfg(test)]
mod tests;
