//! Findings that a person or a program can act on: a stable code, a place, and what to change.
//!
//! A [`Diagnostic`] is plain data. It never prints itself (that is `report`) and knows no disk. Errors *hold* the teams
//! they name: a held team writes nothing in this run, the others are not stopped.

mod code;
mod left_out;

pub use code::Code;
pub use left_out::LeftOut;

use crate::span::Span;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The teams it names write nothing.
    Error,
    /// Worth a look; an error under `--strict`.
    Warning,
    /// Said once, never an error.
    Note,
}

impl Severity {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// The place; `None` where only the message is known (a lockfile shard, say).
    pub span: Option<Span>,
    /// What is there.
    pub message: String,
}

/// A change of the source that mends the finding for certain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// What to replace.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Its weight.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment that names the thing.
    pub message: String,
    /// Where, if it is in a source.
    pub span: Option<Span>,
    /// A few words under the marked place.
    pub label: Option<String>,
    /// A file on disk or a name that the finding is about when there is no span.
    pub subject: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
    /// The certain mend.
    pub fix: Option<Fix>,
    /// The teams that an error holds. An error that names none holds every team of the run.
    pub teams: Vec<String>,
}

impl Diagnostic {
    /// A finding with the code's own severity.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            span: None,
            label: None,
            subject: None,
            help: None,
            related: Vec::new(),
            fix: None,
            teams: Vec::new(),
        }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets the words under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets what the finding is about where there is no source line: a path on disk, an argument.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        self.related.push(Related { span: span.into(), message: message.into() });
        self
    }

    /// Sets the certain mend.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Names a team that the finding concerns.
    #[must_use]
    pub fn team(mut self, team: impl Into<String>) -> Self {
        let team = team.into();
        if !self.teams.contains(&team) {
            self.teams.push(team);
            self.teams.sort();
        }
        self
    }

    /// Overrides the severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Whether it holds its teams.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// All findings of a stage or a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>, LeftOut);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(others);
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// In stored order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Mutable access, in stored order.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.0.iter_mut()
    }

    /// Sorts by place (file, offset), then severity, code and message, and drops exact repeats. Findings without a
    /// place come last. The order does not depend on how the findings were gathered.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        self.0.dedup();
    }
}

impl Diagnostics {
    /// Of more than `most` findings of one code at one place (one line that is wrong for every item of a loop), leaves
    /// the first and says how many there were. Sorts first.
    pub fn collapse(&mut self, most: usize) {
        self.sort();
        let mut groups: Vec<(Diagnostic, usize, Vec<Diagnostic>)> = Vec::new();
        for finding in std::mem::take(&mut self.0) {
            match groups
                .iter_mut()
                .rev()
                .take(64)
                .find(|(first, ..)| first.span.is_some() && same_kind(first, &finding))
            {
                Some((_, count, kept)) => {
                    *count += 1;
                    if kept.len() + 1 < most {
                        kept.push(finding);
                    }
                }
                None => groups.push((finding, 1, Vec::new())),
            }
        }
        for (mut first, count, kept) in groups {
            if count > most {
                first.message = format!("{} (and {} more like this here)", first.message, count - 1);
                self.0.push(first);
            } else {
                self.0.push(first);
                self.0.extend(kept);
            }
        }
    }
}

/// Whether two findings differ at most in their words.
fn same_kind(a: &Diagnostic, b: &Diagnostic) -> bool {
    let places = |finding: &Diagnostic| finding.related.iter().map(|related| related.span).collect::<Vec<_>>();
    (a.code, a.span, a.severity, &a.subject, &a.teams) == (b.code, b.span, b.severity, &b.subject, &b.teams)
        && places(a) == places(b)
}

type SortKey<'a> = (bool, Option<Span>, Option<&'a str>, Severity, &'a str, &'a str, &'a [Related]);

fn sort_key(d: &Diagnostic) -> SortKey<'_> {
    (d.span.is_none(), d.span, d.subject.as_deref(), d.severity, d.code.id(), &d.message, &d.related)
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self(iter.into_iter().collect(), LeftOut::default())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a mut Diagnostics {
    type Item = &'a mut Diagnostic;
    type IntoIter = std::slice::IterMut<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The candidate nearest to `word` (Damerau-Levenshtein, at most a third of the word's length, at least one edit), for
/// "did you mean". Ties go to the candidate that sorts first.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One letter of two is another word.
    let limit = match word.chars().count() {
        0..3 => 0,
        count => count / 3,
    };
    candidates
        .into_iter()
        .map(|candidate| {
            let case_only = candidate.eq_ignore_ascii_case(word) && candidate != word;
            let distance = if case_only { 0 } else { strsim::damerau_levenshtein(word, candidate) };
            (distance, candidate)
        })
        .filter(|&(distance, candidate)| distance <= limit && candidate != word)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_prefers_small_edits_and_ignores_strangers() {
        assert_eq!(nearest("templats", ["templates", "team"]), Some("templates"));
        assert_eq!(nearest("Team", ["team", "data"]), Some("team"));
        assert_eq!(nearest("zzz", ["templates", "team"]), None);
        assert_eq!((nearest("x", ["s", "y"]), nearest("X", ["s", "x"])), (None, Some("x")));
    }

    #[test]
    fn many_of_one_kind_at_one_place_become_one() {
        let span = Span::new(crate::span::FileId(0), 3, 5);
        let finding = |item: usize| Diagnostic::new(Code::BadPath, format!("item {item}")).at(span);
        let mut many: Diagnostics = (0..10).map(finding).collect();
        many.push(Diagnostic::new(Code::UnknownKey, "other").at(span));
        many.collapse(3);
        assert_eq!(many.len(), 2);
        assert_eq!(many.iter().nth(1).unwrap().message, "item 0 (and 9 more like this here)");
        let mut few: Diagnostics = (0..3).map(finding).collect();
        few.collapse(3);
        assert_eq!(few.len(), 3);
    }

    #[test]
    fn order_does_not_depend_on_arrival() {
        let at = |start| Span::new(crate::span::FileId(0), start, start);
        let one = Diagnostic::new(Code::UnknownKey, "a").at(at(5));
        let two = Diagnostic::new(Code::YamlSyntax, "b").at(at(1));
        let three = Diagnostic::new(Code::NoInput, "c");
        let mut left: Diagnostics = [one.clone(), two.clone(), three.clone(), one.clone()].into_iter().collect();
        let mut right: Diagnostics = [three, one, two].into_iter().collect();
        left.sort();
        right.sort();
        assert_eq!(left, right);
    }
}
