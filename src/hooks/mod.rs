//! Hooks: what makes agent command lines and git ask [`crate::pipeline::guard()`] before a file is edited or committed.
//!
//! ```text
//! Agent, git       who has hooks, and where
//! input            what an agent hands to a hook, as edits
//! settings         the entry of megax in an agent's settings: pure, text in and text out
//! install          installs, looks, removes: one file at a time, only what is megax's own
//! ```
//!
//! An agent command line is here only if it has a hook before an edit that can refuse the edit, and the form is documented.
//! All three run a shell command, hand it a JSON object on stdin (`tool_name`, `tool_input`, `cwd`), refuse the edit when it
//! exits with 2, and give the model what it wrote to stderr; any other code but 0 is a warning to the user. They name
//! commands in one form: `{"hooks": {EVENT: [{"matcher": TOOLS, "hooks": [{"type": "command", "command": ...}]}]}}`.
//!
//! | agent | documented at |
//! |---|---|
//! | Claude Code | <https://docs.claude.com/en/docs/claude-code/hooks> |
//! | Gemini CLI | <https://geminicli.com/docs/hooks/reference> |
//! | Codex CLI | <https://developers.openai.com/codex/hooks>; that a patch is `tool_input.command`: <https://github.com/openai/codex/pull/20527> |
//!
//! This module must never run anything, never change a file that it did not wholly understand, and never take an entry away
//! that is not megax's own.

mod git;
pub mod input;
mod install;
mod settings;
mod strict;

pub use install::{HooksRequest, hooks, places};

/// An agent command line with a hook before edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
}

impl Agent {
    /// All of them, by name.
    pub const ALL: [Self; 3] = [Self::Claude, Self::Codex, Self::Gemini];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
        }
    }

    /// The file of a project that names its hooks, relative to the project root.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Claude => ".claude/settings.json",
            Self::Codex => ".codex/hooks.json",
            Self::Gemini => ".gemini/settings.json",
        }
    }

    /// The folder that a project has if it is worked on with this agent.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Claude => ".claude",
            Self::Codex => ".codex",
            Self::Gemini => ".gemini",
        }
    }

    /// The event before a tool is used.
    fn event(self) -> &'static str {
        match self {
            Self::Claude | Self::Codex => "PreToolUse",
            Self::Gemini => "BeforeTool",
        }
    }

    /// The tools that edit files.
    fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &["Edit", "MultiEdit", "Write", "NotebookEdit"],
            Self::Codex => &["apply_patch", "Edit", "Write"],
            Self::Gemini => &["write_file", "replace"],
        }
    }
}

/// A word as a shell takes it.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The text of a word that [`shell_word`] wrote; `None` for anything else.
fn word_of_shell(word: &str) -> Option<String> {
    let quoted = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let text = quoted.map_or_else(|| word.to_owned(), |text| text.replace(r"'\''", "'"));
    (shell_word(&text) == word).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(shell_word("/opt/megax-1.0/megax"), "/opt/megax-1.0/megax");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's; $(x)"), r"'it'\''s; $(x)'");
        assert_eq!(shell_word(""), "''");
        for text in ["megax", "a b", "it's; $(x)", "", "'", "\n"] {
            assert_eq!(word_of_shell(&shell_word(text)).as_deref(), Some(text));
        }
        for odd in ["a b", "'a' b'", "'a", "'a'\\''", "$x", "'plain'"] {
            assert_eq!(word_of_shell(odd), None, "{odd}");
        }
    }
}
