//! Briefs: what an agent and its coordinator are told on day one, from plain facts to text.
//!
//! ```text
//! facts (plain data) -> render: the project's own template, else the default -> text
//! example, exports      what the facts hold of a team's write paths and of planned files
//! templates             writes the defaults to where a project changes them
//! saved                 how a brief is marked as megax's own where it is kept as a file
//! ```
//!
//! The defaults are ordinary template texts; a project overrides them below `templates/brief/`, and such a template is
//! hostile input like any other: it sees the facts and nothing else, within the limits of the run. This module must never
//! measure anything, and never print a text of a mega-file, a manifest or a path that was not made one clean line.

pub mod example;
pub mod exports;
pub mod facts;
pub mod language;
mod render;
pub mod saved;
pub mod templates;

pub use render::{Kind, Rendered, render};

/// A brief over this many characters is said to be long: agents read it before everything else.
pub const MOST_CHARACTERS: usize = 6_000;

/// For which agent command line a brief is written. Only what is true of it alone differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Platform {
    /// Claude Code.
    Claude,
    /// Codex.
    Gpt,
    /// Gemini CLI.
    Gemini,
    /// Any other.
    #[default]
    Generic,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 4] = [Self::Claude, Self::Gpt, Self::Gemini, Self::Generic];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Gpt => "gpt",
            Self::Gemini => "gemini",
            Self::Generic => "generic",
        }
    }
}
