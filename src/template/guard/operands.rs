//! Operands: names, literals, fields, indexes, slices and calls.

use super::super::lexer::TokenKind;
use super::super::operators::{INDEXED, KEEP, LOOK, SLICE};
use super::{Kind, Parser, Part, REPLACES, Unread};

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<Part, Unread> {
        let start = self.start();
        if self.take("-") {
            let inner = self.operand()?;
            let kind = if inner.kind == Kind::Number { Kind::Number } else { Kind::Value };
            return Ok(Part { start, end: inner.end, kind });
        }
        let mut part = self.primary()?;
        loop {
            if self.take(".") {
                if !matches!(self.kind(), Some(TokenKind::Name | TokenKind::Number)) {
                    return Err(Unread);
                }
                self.at += 1;
            } else if self.word() == "[" {
                self.subscript(part)?;
            } else if self.word() == "(" {
                self.arguments()?;
            } else {
                return Ok(part);
            }
            part = self.value_from(start);
        }
    }

    /// `[index]` or `[from:to:step]` after `part`.
    fn subscript(&mut self, part: Part) -> Result<(), Unread> {
        let open = self.at;
        self.at += 1;
        let index = if self.word() == ":" { None } else { Some(self.expression()?) };
        if self.word() != ":" {
            self.want("]")?;
            // A field that is written out, or a number from the front, is found at once.
            if let Some(index) = index.filter(|index| index.kind == Kind::Value || self.is_negative(*index)) {
                self.pass_through(part, INDEXED);
                if index.kind == Kind::Value {
                    self.pass_through(index, LOOK);
                }
            }
            return Ok(());
        }
        let mut bounds = usize::from(index.is_some());
        let mut colons = Vec::new();
        while self.word() == ":" && colons.len() < 2 {
            let before_is_empty = bounds <= colons.len();
            bounds += usize::from(before_is_empty);
            colons.push((self.at, before_is_empty));
            self.at += 1;
            if !matches!(self.word(), "]" | ":") {
                self.expression()?;
                bounds += 1;
            }
        }
        let close = self.at;
        self.want("]")?;
        self.write_slice(part, open, &colons, close, bounds);
        Ok(())
    }

    /// Writes `part[a:b]` as `((part)|SLICE(a,b,none))`. Of each colon it is known whether nothing stands before it.
    fn write_slice(&mut self, part: Part, open: usize, colons: &[(usize, bool)], close: usize, bounds: usize) {
        let replace = |parser: &mut Self, index: usize, text: String| {
            if let Some(token) = parser.tokens.get(index) {
                parser.edit(REPLACES, token.range.clone(), text, part.start..token.range.end);
            }
        };
        replace(self, open, format!(")|{SLICE}("));
        for (colon, is_empty) in colons {
            replace(self, *colon, if *is_empty { "none,".to_owned() } else { ",".to_owned() });
        }
        let missing = if bounds <= colons.len() { "none" } else { "" };
        let rest = if colons.len() == 1 { format!("{missing},none))") } else { format!("{missing}))") };
        replace(self, close, rest);
        self.open(part.start, "((");
    }

    fn is_negative(&self, part: Part) -> bool {
        self.text[part.start..].starts_with('-')
    }

    pub(super) fn arguments(&mut self) -> Result<(), Unread> {
        self.want("(")?;
        let mut is_first = true;
        while !self.take(")") {
            if !std::mem::take(&mut is_first) {
                self.want(",")?;
                if self.take(")") {
                    break;
                }
            }
            if self.take("**") || self.take("*") {
                // All of it becomes arguments.
                let spread = self.expression()?;
                self.pass_through(spread, LOOK);
                continue;
            }
            if self.kind() == Some(TokenKind::Name) && self.word_at(self.at + 1) == "=" {
                self.at += 2;
            }
            self.expression()?;
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<Part, Unread> {
        let start = self.start();
        let kind = match self.kind().ok_or(Unread)? {
            TokenKind::Text => {
                while self.kind() == Some(TokenKind::Text) {
                    self.at += 1;
                }
                Kind::Literal
            }
            TokenKind::Number => {
                self.at += 1;
                Kind::Number
            }
            TokenKind::Name => match self.name()? {
                "true" | "True" | "false" | "False" | "none" | "None" => Kind::Literal,
                // The engine takes these for names here; with a filter around them they would be what they say.
                "not" | "and" | "or" | "in" | "is" | "if" | "else" => return Err(Unread),
                _ => Kind::Value,
            },
            TokenKind::Operator => return self.bracketed(),
        };
        Ok(Part { start, end: self.last_end(), kind })
    }

    /// A list, a mapping, a tuple, or an expression in parentheses.
    fn bracketed(&mut self) -> Result<Part, Unread> {
        let start = self.start();
        let open = self.word();
        let close = match open {
            "[" => "]",
            "{" => "}",
            "(" => ")",
            _ => return Err(Unread),
        };
        self.at += 1;
        let (mut items, mut is_written, mut has_comma, mut only) = (0, true, false, Kind::Literal);
        let is_literal = open != "(";
        self.literals += usize::from(is_literal);
        while !self.take(close) {
            if items > 0 {
                self.want(",")?;
                has_comma = true;
                if self.take(close) {
                    break;
                }
            }
            only = self.expression()?.kind;
            is_written &= only != Kind::Value;
            if open == "{" {
                self.want(":")?;
                is_written &= self.expression()?.kind != Kind::Value;
            }
            items += 1;
        }
        self.literals -= usize::from(is_literal);
        let part = self.value_from(start);
        if open == "(" && items == 1 && !has_comma {
            return Ok(Part { kind: only, ..part });
        }
        if is_written {
            return Ok(Part { kind: Kind::Literal, ..part });
        }
        if self.literals == 0 {
            self.open(part.start, "(");
            self.close(part.end, format!("|{KEEP})"));
        }
        Ok(part)
    }
}
