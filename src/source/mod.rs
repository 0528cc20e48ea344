//! Reads inputs: YAML into trees whose nodes know their place. No later stage opens an input.

pub mod decode;
pub mod find;
pub mod load;
pub mod read;
pub mod tree;
pub mod yaml;

pub use load::{Input, ManifestInput, Request, SourceSet, load, load_or_none};
pub use tree::{Kind, Node, NodeId, Style, Tree};
pub use yaml::Limits;
