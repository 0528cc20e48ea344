//! A report shows so many findings and counts the rest. What is left out still decides how a run ends.

use std::collections::BTreeSet;

use super::{Code, Diagnostic, Diagnostics};
use crate::limit::{Limit, Limits};

/// The findings that are not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The clause that names the limit.
    says: String,
    /// The codes of the errors among them.
    errors: BTreeSet<Code>,
}

impl LeftOut {
    /// How many are not shown, and why; `None` if all are.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let (verb, noun) = if self.count == 1 { ("is", "finding") } else { ("are", "findings") };
        let raise = Limit::FindingsShown.help("mend what is shown");
        (self.count > 0).then(|| format!("{} more {noun} {verb} not shown: {}; {raise}", self.count, self.says))
    }
}

impl Diagnostics {
    /// Leaves as many findings as [`Limit::FindingsShown`] says, in stored order: errors rather than warnings, and
    /// warnings rather than notes.
    pub fn shorten(&mut self, limits: &Limits) {
        let most = limits.size(Limit::FindingsShown);
        if self.0.len() <= most {
            return;
        }
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|&at| self.0.get(at).map(|one| one.severity));
        let shown: BTreeSet<usize> = order.into_iter().take(most).collect();
        let (mut kept, mut left_out) = (Vec::with_capacity(most), LeftOut::default());
        for (at, finding) in std::mem::take(&mut self.0).into_iter().enumerate() {
            if shown.contains(&at) {
                kept.push(finding);
                continue;
            }
            left_out.count += 1;
            left_out.errors.extend(finding.is_error().then_some(finding.code));
        }
        left_out.says = limits.says(Limit::FindingsShown);
        (self.0, self.1) = (kept, left_out);
    }

    /// What is not shown.
    #[must_use]
    pub fn left_out(&self) -> &LeftOut {
        &self.1
    }

    /// The codes of all errors, those that are not shown included; some more than once.
    pub fn error_codes(&self) -> impl Iterator<Item = Code> + '_ {
        let shown = self.0.iter().filter(|one| one.is_error()).map(|one: &Diagnostic| one.code);
        shown.chain(self.1.errors.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_shown_first_and_the_rest_is_counted() {
        let codes = [Code::NoOutput, Code::BadPath, Code::NoManifest, Code::Collision, Code::DiskFailed];
        let all: Diagnostics = codes.iter().map(|code| Diagnostic::new(*code, code.id())).collect();
        let mut limits = Limits::default();
        let mut whole = all.clone();
        whole.shorten(&limits);
        assert_eq!((whole.len(), whole.left_out().line()), (5, None));
        limits.set(Limit::FindingsShown, 2).unwrap();
        let mut short = all.clone();
        short.shorten(&limits);
        let shown: Vec<Code> = short.iter().map(|one| one.code).collect();
        assert_eq!(shown, [Code::BadPath, Code::Collision], "errors, in their order");
        assert_eq!(short.left_out().count, 3);
        let line = short.left_out().line().unwrap();
        assert!(line.starts_with("3 more findings are not shown: the limit `findings_shown` is 2; "), "{line}");
        let errors: Vec<Code> = short.error_codes().collect();
        assert_eq!(errors, [Code::BadPath, Code::Collision, Code::DiskFailed], "what is left out decides as well");
        limits.set(Limit::FindingsShown, 4).unwrap();
        let mut most = all;
        most.shorten(&limits);
        assert!(most.left_out().line().unwrap().starts_with("1 more finding is not shown"));
        assert!(most.iter().all(|one| one.code != Code::NoManifest), "a note goes before a warning");
    }
}
