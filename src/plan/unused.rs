//! Warnings about what comes to nothing: rules without files, templates and factories that nothing uses.

use super::expand::Run;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Rule;
use crate::span::Span;

impl Run<'_> {
    /// Says why a rule yields no file.
    pub(super) fn empty(&mut self, rule: &Rule, rounds: usize, skipped: usize) {
        let why = if rule.call.is_some() && rounds > skipped {
            "the factory makes none"
        } else if rule.entries.is_empty() && rule.call.is_none() {
            "it lists no file"
        } else if rounds == 0 {
            "its list is empty"
        } else if skipped == rounds {
            "its `when` is false for every item"
        } else {
            "the `when` of every file is false"
        };
        let message = format!("rule {} yields no file: {why}", rule.number);
        let help = "mend the list or the condition, or say `allow_empty: true`";
        let finding = Diagnostic::new(Code::EmptyRule, message).at(rule.span).help(help).team(self.mega.team.clone());
        self.findings.push(finding);
    }

    /// Templates and factories that nothing uses. What only an unused factory uses is not reported beside it.
    pub(super) fn unused(&mut self) {
        if self.findings.has_errors() {
            return;
        }
        for (name, factory) in &self.mega.factories {
            if !self.called.contains(name) {
                factory.rules.iter().flat_map(|rule| &rule.entries).for_each(|entry| self.name_only(&entry.content));
                let message = format!("the factory `{name}` is not called by any rule");
                let help = format!("call it with a rule `- factory: {name}`, or remove it");
                self.warn_unused(message, &help, factory.span);
            }
        }
        for (name, template) in &self.mega.templates {
            if !self.used.contains(name) {
                let message = format!("the template `{name}` is not used by any rule");
                self.warn_unused(message, "use it in `generate`, or remove it", template.span);
            }
        }
    }

    fn warn_unused(&mut self, message: String, help: &str, span: Span) {
        let finding = Diagnostic::new(Code::UnusedTemplate, message).at(span).help(help);
        self.findings.push(finding.team(self.mega.team.clone()));
    }
}
