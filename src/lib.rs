//! megax (architecture page to be written)
pub mod change;
pub mod diagnostic;
pub mod digest;
pub mod disk;
pub mod event;
pub mod lockfile;
pub mod model;
pub mod name;
pub mod output;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod source;
pub mod span;
pub mod template;
pub mod verify;
