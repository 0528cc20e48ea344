//! What a project starts from: the files of a new project, and new mega-files that are ready to edit.
//!
//! ```text
//! project::files, mega_file::files   which files, with which text: pure data
//!         -> write::files            made by `disk`, all or none, never over anything
//!         -> report::made            what the command says
//! ```
//!
//! The texts are assets of this crate with marks such as `@TEAM@`; they are no templates, because they hold templates.
//! This module must never replace a file, and never know what a mega-file makes: the texts are tested by expanding them.

mod add;
mod agents;
mod init;
pub mod mega_file;
pub mod place;
pub mod project;
pub(crate) mod write;

pub(crate) use add::in_project;
pub use add::{Add, add};
pub use init::{Init, init, is_project};

use crate::path::OutputPath;

/// A file that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path below the project root.
    pub path: OutputPath,
    /// Its whole text.
    pub text: String,
    /// What it is, in a few words.
    pub about: &'static str,
}
