//! Reads inputs: YAML and data files into trees whose nodes know their place, shared templates as texts. No later stage
//! opens an input.

pub mod data;
pub mod decode;
pub mod find;
pub mod load;
mod named;
pub mod outline;
mod past;
mod places;
pub mod read;
mod shared;
mod tally;
pub mod tree;
pub mod yaml;

pub use data::DataFile;
pub use load::{Input, ManifestInput, Request, SourceSet, load, load_or_none};
pub use past::{Files, Past, load_past};
pub use places::{Places, places};
pub use shared::FOLDER as TEMPLATES;
pub use tree::{Kind, Node, NodeId, Style, Tree};
