//! Which slots of `contributions` a text reads, found before anything is rendered. Pure.
//!
//! What cannot be told from the text (`contributions|items`, `contributions[name]`, `contributions.get('a')`) counts as
//! every slot.

use std::collections::BTreeSet;

use super::compile::{Source, choose};
use super::lexer::{self, Token, TokenKind};
use super::scan::Piece;
use super::unit::expression_body;
use super::vocabulary::Vocabulary;

/// The name under which templates find the slots.
pub const CONTRIBUTIONS: &str = "contributions";

/// Slots of `contributions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// By name.
    pub named: BTreeSet<String>,
    /// Every slot there is.
    pub all: bool,
}

impl Slots {
    /// Every slot.
    #[must_use]
    pub fn every() -> Self {
        Self { named: BTreeSet::new(), all: true }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.named.is_empty()
    }

    /// Whether the slot is one of them.
    #[must_use]
    pub fn holds(&self, slot: &str) -> bool {
        self.all || self.named.contains(slot)
    }

    /// Whether some slot is in both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let both_named = || self.named.iter().any(|slot| other.named.contains(slot));
        (self.all && !other.is_empty()) || (other.all && !self.is_empty()) || both_named()
    }

    /// Takes in the other ones.
    pub fn add(&mut self, other: &Self) {
        self.all |= other.all;
        self.named.extend(other.named.iter().cloned());
    }

    fn read(&mut self, text: &str, tokens: &[Token]) {
        let word = |index: usize| tokens.get(index).map_or("", |token| &text[token.range.clone()]);
        for (index, token) in tokens.iter().enumerate() {
            let is_root = token.kind == TokenKind::Name && word(index) == CONTRIBUTIONS;
            if !is_root || (index > 0 && word(index - 1) == ".") {
                continue;
            }
            let key = tokens.get(index + 2);
            let name = word(index + 2);
            match (word(index + 1), key.map(|key| key.kind), word(index + 3)) {
                // A call: a method such as `get`, whatever its arguments are.
                (".", Some(TokenKind::Name), "(") => self.all = true,
                (".", Some(TokenKind::Name), _) => drop(self.named.insert(name.to_owned())),
                ("[", Some(TokenKind::Text), "]") if !name.contains('\\') => {
                    self.named.insert(name.trim_matches(['"', '\'']).to_owned());
                }
                _ => self.all = true,
            }
        }
    }
}

/// The slots that a template reads.
#[must_use]
pub fn of_template(source: &Source<'_>, words: &Vocabulary) -> Slots {
    let mut slots = Slots::default();
    if !source.text.contains(CONTRIBUTIONS) {
        return slots;
    }
    let (_, read) = choose(source, words);
    for piece in &read.pieces {
        match piece {
            Piece::Tag(tag) => slots.read(source.text, &tag.tokens),
            Piece::Placeholder(placeholder) if source.text[placeholder.root.clone()] == *CONTRIBUTIONS => {
                let path = &source.text[placeholder.path.clone()];
                match path.trim_start_matches('.').split('.').next().filter(|slot| !slot.is_empty()) {
                    Some(slot) => drop(slots.named.insert(slot.to_owned())),
                    None => slots.all = true,
                }
            }
            _ => {}
        }
    }
    slots
}

/// The slots that an expression reads.
#[must_use]
pub fn of_expression(text: &str) -> Slots {
    let mut slots = Slots::default();
    if text.contains(CONTRIBUTIONS) {
        match lexer::lex(text, expression_body(text)) {
            Ok(tokens) => slots.read(text, &tokens),
            Err(_) => slots.all = true,
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_told_from_the_text() {
        for (text, named, all) in [
            ("contributions.routes", vec!["routes"], false),
            ("contributions['a-b']|length + contributions.x.y", vec!["a-b", "x"], false),
            ("contributions|items", vec![], true),
            ("contributions[name]", vec![], true),
            ("contributions['a' ~ 'b']", vec![], true),
            ("contributions['\\u0061']", vec![], true),
            ("contributions.get('a')", vec![], true),
            ("contributions.items", vec!["items"], false),
            ("contributions['a' ~ name]", vec![], true),
            ("contributions['a'|upper]", vec![], true),
            ("contributions['\\x61']", vec![], true),
            ("contributions.get('routes')", vec![], true),
            ("contributions.items()", vec![], true),
            ("data.contributions.routes", vec![], false),
            ("{{ contributions.routes }}", vec!["routes"], false),
            ("'contributions.routes'", vec![], false),
        ] {
            let slots = of_expression(text);
            assert_eq!(slots.named.iter().map(String::as_str).collect::<Vec<_>>(), named, "{text}");
            assert_eq!(slots.all, all, "{text}");
        }
    }
}
