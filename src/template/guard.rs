//! Finds the operators of a tag that can make much from little, and says how to write the filters of
//! [`super::operators`] in their place. Reads the grammar as the engine does; changes nothing itself.
//!
//! Most tags have none of these operators and no edits.

mod operands;
mod statements;

use std::ops::Range;

use super::lexer::{Token, TokenKind};
use super::operators::{ADD, CAT, DIV, INT_DIV, LOOK, MUL, REM, SUB};

/// A change of a tag's text: `range` becomes `text`, which stands for the bytes `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub range: Range<usize>,
    pub text: String,
    pub from: Range<usize>,
}

/// The tag is not written as the grammar wants; the engine says what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unread;

/// The edits of an expression.
pub(super) fn expression(text: &str, tokens: &[Token]) -> Result<Vec<Edit>, Unread> {
    let mut parser = Parser::new(text, tokens);
    parser.expression()?;
    parser.end()
}

/// The edits of a block tag.
pub(super) fn statement(text: &str, tokens: &[Token]) -> Result<Vec<Edit>, Unread> {
    let mut parser = Parser::new(text, tokens);
    // The end of raw text was read without its words.
    if !tokens.is_empty() {
        parser.statement()?;
    }
    parser.end()
}

/// What is known about a part of an expression before it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number that is written out.
    Number,
    /// Any other literal, with nothing but literals in it.
    Literal,
    /// The rest.
    Value,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    kind: Kind,
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    edits: Vec<(u8, usize, Edit)>,
    /// Lists and mappings that are open: the outermost one is kept with all that is written in it.
    literals: usize,
}

/// Where an edit stands among those at the same byte: what closes, what is replaced, what opens.
const CLOSES: u8 = 0;
const REPLACES: u8 = 2;
const OPENS: u8 = 1;

impl<'a> Parser<'a> {
    fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens, at: 0, edits: Vec::new(), literals: 0 }
    }

    /// The edits in their order.
    fn end(mut self) -> Result<Vec<Edit>, Unread> {
        if self.at < self.tokens.len() {
            return Err(Unread);
        }
        // Parts end from the inside out: the last that opens is the outermost, the last that closes too.
        self.edits.sort_by_key(|(order, number, edit)| {
            let number = if *order == OPENS { usize::MAX - number } else { *number };
            (edit.range.start, *order, number)
        });
        Ok(self.edits.into_iter().map(|(_, _, edit)| edit).collect())
    }

    fn edit(&mut self, order: u8, range: Range<usize>, text: impl Into<String>, from: Range<usize>) {
        let number = self.edits.len();
        self.edits.push((order, number, Edit { range, text: text.into(), from }));
    }

    fn open(&mut self, at: usize, text: &str) {
        self.edit(OPENS, at..at, text, at..at);
    }

    fn close(&mut self, at: usize, text: impl Into<String>) {
        self.edit(CLOSES, at..at, text, at..at);
    }

    /// Writes `part` as the operand of a filter that only looks at it.
    fn pass_through(&mut self, part: Part, filter: &str) {
        self.open(part.start, "((");
        // What the filter refuses is the operand.
        self.edit(CLOSES, part.end..part.end, format!(")|{filter})"), part.start..part.end);
    }

    fn word_at(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| &self.text[token.range.clone()])
    }

    fn word(&self) -> &'a str {
        match self.tokens.get(self.at) {
            Some(token) if token.kind != TokenKind::Text => &self.text[token.range.clone()],
            _ => "",
        }
    }

    fn kind(&self) -> Option<TokenKind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    fn take(&mut self, word: &str) -> bool {
        let is_there = self.word() == word;
        self.at += usize::from(is_there);
        is_there
    }

    fn want(&mut self, word: &str) -> Result<usize, Unread> {
        if self.take(word) { Ok(self.last_end()) } else { Err(Unread) }
    }

    fn name(&mut self) -> Result<&'a str, Unread> {
        let name = self.word();
        if self.kind() != Some(TokenKind::Name) {
            return Err(Unread);
        }
        self.at += 1;
        Ok(name)
    }

    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |token| token.range.start)
    }

    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.range.end)
    }

    fn value_from(&self, start: usize) -> Part {
        Part { start, end: self.last_end(), kind: Kind::Value }
    }

    /// `a if b else c`.
    fn expression(&mut self) -> Result<Part, Unread> {
        let first = self.disjunction()?;
        let mut part = first;
        while self.take("if") {
            self.disjunction()?;
            if self.take("else") {
                self.expression()?;
            }
            part = self.value_from(first.start);
        }
        Ok(part)
    }

    fn disjunction(&mut self) -> Result<Part, Unread> {
        self.joined(&["or"], |parser| parser.joined(&["and"], Self::negation))
    }

    fn joined(
        &mut self,
        words: &[&str],
        mut inner: impl FnMut(&mut Self) -> Result<Part, Unread>,
    ) -> Result<Part, Unread> {
        let mut part = inner(self)?;
        while words.contains(&self.word()) {
            self.at += 1;
            inner(self)?;
            part = self.value_from(part.start);
        }
        Ok(part)
    }

    fn negation(&mut self) -> Result<Part, Unread> {
        let start = self.start();
        if self.take("not") {
            self.negation()?;
            return Ok(self.value_from(start));
        }
        self.comparison()
    }

    /// What is compared may be long: one side pays for it, unless the other one is written out.
    fn comparison(&mut self) -> Result<Part, Unread> {
        let mut left = self.sum()?;
        let start = left.start;
        let mut paid = false;
        loop {
            let is_in = match self.word() {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => false,
                "in" => true,
                "not" if self.word_at(self.at + 1) == "in" => {
                    self.at += 1;
                    true
                }
                _ => break,
            };
            self.at += 1;
            let right = self.sum()?;
            let written = |part: Part| part.kind != Kind::Value;
            if is_in && !written(right) {
                self.pass_through(right, LOOK);
                if !paid && !written(left) {
                    self.pass_through(left, LOOK);
                }
            } else if !is_in && !paid && !written(left) && !written(right) {
                self.pass_through(left, LOOK);
            }
            paid = is_in && !written(right);
            left = right;
        }
        Ok(if start == left.start { left } else { self.value_from(start) })
    }

    /// `a + b - c`.
    fn sum(&mut self) -> Result<Part, Unread> {
        let known = [("+", ADD), ("-", SUB)];
        self.chain(&known, Self::concat, |word, number, right| word == "+" && !number && right != Kind::Number)
    }

    /// `a ~ b`.
    fn concat(&mut self) -> Result<Part, Unread> {
        let first = self.product()?;
        let (mut part, mut operators) = (first, Vec::new());
        while self.word() == "~" {
            operators.push(self.at);
            self.at += 1;
            self.product()?;
            part = self.value_from(first.start);
        }
        for (number, operator) in operators.iter().enumerate() {
            let Some(token) = self.tokens.get(*operator) else { continue };
            let by = if number == 0 { format!(")|{CAT}(") } else { ",".to_owned() };
            self.edit(REPLACES, token.range.clone(), by, first.start..token.range.end);
        }
        if !operators.is_empty() {
            self.open(part.start, "((");
            self.close(part.end, "))");
        }
        Ok(part)
    }

    /// `a * b / c`.
    fn product(&mut self) -> Result<Part, Unread> {
        let known = [("*", MUL), ("/", DIV), ("//", INT_DIV), ("%", REM)];
        self.chain(&known, Self::power, |word, number, right| word == "*" && !(number && right == Kind::Number))
    }

    /// Operators of one level, from left to right. If one of them can `grow` (asked with whether what is left of it is
    /// a number for certain, and what is right of it), all become filters: `((a)|ADD(b)|SUB(c))`.
    fn chain(
        &mut self,
        known: &[(&str, &str)],
        mut inner: impl FnMut(&mut Self) -> Result<Part, Unread>,
        grows: impl Fn(&str, bool, Kind) -> bool,
    ) -> Result<Part, Unread> {
        let first = inner(self)?;
        let (mut part, mut operators, mut can_grow) = (first, Vec::new(), false);
        let mut is_number = first.kind == Kind::Number;
        let of_word = |word: &str| known.iter().find(|(known, _)| *known == word).map(|(_, filter)| *filter);
        while let Some(filter) = of_word(self.word()) {
            let (operator, word) = (self.at, self.word());
            self.at += 1;
            let right = inner(self)?;
            can_grow |= grows(word, is_number, right.kind);
            // Only `*` takes a number and a text; after the others the result is a number, or an error.
            is_number |= right.kind == Kind::Number && word != "*";
            is_number |= !matches!(word, "*" | "+");
            operators.push((operator, filter, right.end));
            part = self.value_from(first.start);
        }
        if can_grow {
            for (number, (operator, filter, end)) in operators.into_iter().enumerate() {
                let Some(token) = self.tokens.get(operator) else { continue };
                let before = if number == 0 { ")" } else { "" };
                let by = format!("{before}|{filter}(");
                self.edit(REPLACES, token.range.clone(), by, first.start..token.range.end);
                self.close(end, ")");
            }
            self.open(part.start, "((");
            self.close(part.end, ")");
        }
        Ok(part)
    }

    fn power(&mut self) -> Result<Part, Unread> {
        self.joined(&["**"], Self::unary)
    }

    /// An operand with its filters and tests.
    fn unary(&mut self) -> Result<Part, Unread> {
        let mut part = self.operand()?;
        loop {
            if self.take("|") {
                self.filter()?;
            } else if self.take("is") {
                self.take("not");
                self.test()?;
            } else {
                return Ok(part);
            }
            part = self.value_from(part.start);
        }
    }

    fn filter(&mut self) -> Result<(), Unread> {
        self.name()?;
        while self.take(".") {
            self.name()?;
        }
        if self.word() == "(" { self.arguments() } else { Ok(()) }
    }

    fn test(&mut self) -> Result<(), Unread> {
        self.name()?;
        while self.take(".") {
            self.name()?;
        }
        if self.word() == "(" {
            return self.arguments();
        }
        let begins = match self.kind() {
            Some(TokenKind::Name) => !matches!(self.word(), "and" | "or" | "else" | "is"),
            Some(TokenKind::Text | TokenKind::Number) => true,
            _ => matches!(self.word(), "+" | "-" | "[" | "{"),
        };
        if begins { self.operand().map(drop) } else { Ok(()) }
    }
}
