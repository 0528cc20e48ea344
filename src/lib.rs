//! megax (architecture page to be written)
pub mod diagnostic;
pub mod digest;
pub mod event;
pub mod path;
pub mod source;
pub mod span;
pub mod template;
