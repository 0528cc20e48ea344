//! What is wrong inside a template: a code and bytes of the template's own text. `plan` turns issues into diagnostics
//! at the YAML line.

use std::ops::Range;

use crate::diagnostic::{Code, Severity};

/// A finding in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its code.
    pub code: Code,
    /// Bytes of the template's text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What to write instead of `fix.0`, if that is certain.
    pub fix: Option<(Range<usize>, String)>,
}

impl Issue {
    /// A finding without help.
    #[must_use]
    pub fn new(code: Code, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, range, message: message.into(), help: None, fix: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the certain mend.
    #[must_use]
    pub fn fix(mut self, range: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some((range, replacement.into()));
        self
    }

    /// Whether it stops the template from rendering.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }
}
