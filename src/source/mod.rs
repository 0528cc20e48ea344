//! (being written)
pub mod tree;
pub use tree::{Kind, Node, NodeId, Style, Tree};
