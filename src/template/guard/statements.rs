//! Block tags: where the expressions of each stand.

use super::super::operators::{CHOSEN, KEEP, LOOPED};
use super::{Kind, Parser, Unread};

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<(), Unread> {
        let keyword = self.name()?;
        match keyword {
            "if" | "elif" | "do" | "autoescape" | "extends" => self.expression().map(drop),
            "include" => {
                let named = self.expression()?;
                if named.kind == Kind::Value {
                    self.pass_through(named, CHOSEN);
                }
                self.rest();
                Ok(())
            }
            "import" | "from" => {
                self.expression()?;
                self.rest();
                Ok(())
            }
            "for" => self.loop_statement(),
            "set" => self.assignment(),
            "with" => self.bindings(),
            "filter" => self.filters(),
            "macro" => {
                self.name()?;
                self.parameters()
            }
            "call" => {
                if self.word() == "(" {
                    self.parameters()?;
                }
                self.expression().map(drop)
            }
            _ => {
                self.rest();
                Ok(())
            }
        }
    }

    /// Words that hold no expression.
    fn rest(&mut self) {
        self.at = self.tokens.len();
    }

    fn filters(&mut self) -> Result<(), Unread> {
        self.filter()?;
        while self.take("|") {
            self.filter()?;
        }
        Ok(())
    }

    /// Goes to the first of these words that stands in no bracket.
    fn skip_to(&mut self, words: &[&str]) -> bool {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.word() {
                word if depth == 0 && words.contains(&word) => return true,
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// `for a, b in items if a recursive`. To begin with a mapping takes as long as it has keys.
    fn loop_statement(&mut self) -> Result<(), Unread> {
        if !self.skip_to(&["in"]) {
            return Err(Unread);
        }
        self.at += 1;
        let items = self.disjunction()?;
        if items.kind == Kind::Value {
            self.pass_through(items, LOOPED);
        }
        if self.take("if") {
            self.expression()?;
        }
        self.take("recursive");
        Ok(())
    }

    /// `set a = b`, `set a.b = c, d`, `set a|upper`.
    fn assignment(&mut self) -> Result<(), Unread> {
        let target = self.at;
        if !self.skip_to(&["=", "|"]) {
            return Ok(());
        }
        let is_field = (target..self.at).any(|index| self.word_at(index) == ".");
        if self.take("|") {
            return self.filters();
        }
        self.at += 1;
        let mut part = self.expression()?;
        let mut is_tuple = false;
        while self.take(",") {
            is_tuple = true;
            if self.at < self.tokens.len() {
                self.expression()?;
            }
            part = self.value_from(part.start);
        }
        if part.kind == Kind::Value && (is_tuple || is_field) {
            self.pass_through(part, KEEP);
        }
        Ok(())
    }

    /// `a = 1, (b, c) = d`.
    fn bindings(&mut self) -> Result<(), Unread> {
        while self.at < self.tokens.len() {
            if !self.skip_to(&["="]) {
                return Err(Unread);
            }
            self.at += 1;
            self.expression()?;
            if self.at < self.tokens.len() {
                self.want(",")?;
            }
        }
        Ok(())
    }

    /// The parameters of a macro.
    fn parameters(&mut self) -> Result<(), Unread> {
        self.want("(")?;
        while !self.take(")") {
            self.name()?;
            if self.take("=") {
                self.expression()?;
            }
            if !self.take(",") {
                self.want(")")?;
                break;
            }
        }
        Ok(())
    }
}
