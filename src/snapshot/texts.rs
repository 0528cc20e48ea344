//! Which texts a snapshot shows. Must never forget a choice: what is recorded is what was asked for.

use std::collections::BTreeSet;

use crate::glob::PathPattern;

/// The first file of every rule and template, or not, and files that match patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The first file, by path, of every pair of rule and template.
    pub firsts: bool,
    globs: BTreeSet<String>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { firsts: true, globs: BTreeSet::new() }
    }
}

impl Texts {
    /// The words for the first files and for no such files; every other word is a pattern ([`PathPattern`]).
    pub const WORDS: [&str; 2] = ["first", "none"];

    /// Reads words as typed or recorded; no words at all are no choice.
    ///
    /// # Errors
    /// What is wrong with a pattern, or with the combination.
    pub fn of(words: &[String]) -> Result<Option<Self>, String> {
        let has = |word: &str| words.iter().any(|one| one == word);
        let [first, none] = Self::WORDS;
        if has(first) && has(none) {
            return Err(format!("`{first}` and `{none}` exclude one another"));
        }
        let globs: BTreeSet<String> =
            words.iter().filter(|word| !Self::WORDS.contains(&word.as_str())).cloned().collect();
        for glob in &globs {
            PathPattern::parse(glob, false).map_err(|why| format!("`{glob}` is no valid pattern: {why}"))?;
            if glob.contains(crate::hidden::is_hidden) || glob.trim() != glob || glob.is_empty() {
                return Err(format!(
                    "`{}` is no valid pattern: it is empty, holds blanks at an edge, or characters that hide",
                    glob.escape_debug()
                ));
            }
        }
        Ok((!words.is_empty()).then_some(Self { firsts: !has(none), globs }))
    }

    /// The words that [`Self::of`] reads back.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let [first, none] = Self::WORDS;
        std::iter::once(if self.firsts { first } else { none }).chain(self.globs.iter().map(String::as_str))
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> Vec<PathPattern> {
        self.globs.iter().filter_map(|glob| PathPattern::parse(glob, false).ok()).collect()
    }

    /// The same choice with the patterns that `is_used` says yes to.
    #[must_use]
    pub fn only(&self, is_used: impl Fn(&PathPattern) -> bool) -> Self {
        let used = self.patterns().into_iter().filter(is_used).map(|pattern| pattern.written().to_owned());
        Self { firsts: self.firsts, globs: used.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_wrong_ones_are_told() {
        let of = |words: &[&str]| Texts::of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), Ok(None));
        let texts = of(&["b/**", "a", "b/**"]).unwrap().unwrap();
        assert_eq!(texts.words().collect::<Vec<_>>(), ["first", "a", "b/**"]);
        let texts = of(&["b/**", "none"]).unwrap().unwrap();
        assert_eq!(texts.words().collect::<Vec<_>>(), ["none", "b/**"]);
        assert_eq!(texts.only(|pattern| pattern.matches("c")).words().collect::<Vec<_>>(), ["none"]);
        for wrong in [&["first", "none"][..], &["a["], &[""], &[" a"], &["a\nteam x"]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
