//! A YAML document as a tree of nodes that know their place.
//!
//! The nodes lie in one vector and refer to one another by [`NodeId`]; an alias refers to the node of its anchor, so
//! the tree is a directed graph without cycles and never grows by expansion. Made by `source::yaml::parse`.

use crate::span::{FileId, Span};

/// A node of one [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// How a scalar is written; needed to find a place inside its value again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No quotes.
    Plain,
    /// `'...'`.
    Single,
    /// `"..."`.
    Double,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

/// What a node holds. Numbers keep YAML 1.2 core schema types, except that a leading zero makes text (`0644`).
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; always finite.
    Float(f64),
    /// Text.
    Text(Box<str>, Style),
    /// A list.
    List(Vec<NodeId>),
    /// A mapping in document order; keys are text nodes and differ from one another.
    Map(Vec<(NodeId, NodeId)>),
}

impl Kind {
    /// The word for messages: `null`, `boolean`, `integer`, `number`, `text`, `list`, `mapping`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(..) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// A node: what it holds and the bytes it was written with. A scalar's range covers its quotes, a block scalar's its
/// header (`|`) and content, a collection's everything from its first to its last entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What it holds.
    pub kind: Kind,
}

/// One parsed document.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    file: FileId,
    nodes: Vec<Node>,
    root: NodeId,
}

impl Tree {
    /// Assembles a tree; for the parser and for tests. `root` and all children must be indices of `nodes`.
    #[must_use]
    pub fn new(file: FileId, nodes: Vec<Node>, root: NodeId) -> Self {
        Self { file, nodes, root }
    }

    /// The file the tree was read from.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The top node.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node; an id of another tree gives the root.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&self.nodes[self.root.0 as usize])
    }

    /// What a node holds.
    #[must_use]
    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// Where a node stands.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Span {
        let node = self.node(id);
        Span::new(self.file, node.start as usize, node.end as usize)
    }

    /// The text of a text node.
    #[must_use]
    pub fn text(&self, id: NodeId) -> Option<&str> {
        match self.kind(id) {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping, `None` for anything else.
    #[must_use]
    pub fn map(&self, id: NodeId) -> Option<&[(NodeId, NodeId)]> {
        match self.kind(id) {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list, `None` for anything else.
    #[must_use]
    pub fn list(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.kind(id) {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value under `key` of a mapping.
    #[must_use]
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.entry(id, key).map(|(_, value)| value)
    }

    /// The key node and the value under `key` of a mapping.
    #[must_use]
    pub fn entry(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        self.map(id)?.iter().copied().find(|&(name, _)| self.text(name) == Some(key))
    }
}
