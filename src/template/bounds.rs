//! The limits of what a template may hold before it is compiled: the engine's parser recurses, so that long tags and deep
//! blocks could exhaust the stack. Pure.

use std::ops::Range;

use super::issue::Issue;
use super::lexer;
use super::scan::{Piece, Scan, TagKind};
use super::tags;
use crate::diagnostic::Code;
use crate::limit::{Limit, Limits};

/// The limit that a tag, a placeholder or an expression breaks.
pub(super) fn tag_limits(text: &str, tokens: &[lexer::Token], range: Range<usize>, limits: &Limits) -> Option<Issue> {
    let (limit, what) = lexer::over_limit(text, tokens, limits)?;
    let message = format!("{what}: {}", limits.says(limit));
    Some(Issue::new(Code::TemplateLimit, range, message).help(limit.help(lexer::SPLIT_TAG)))
}

/// How many tags and placeholders a template has: each of them costs memory while it is compiled.
pub(super) fn tag_count(read: &Scan, limits: &Limits) -> Option<Issue> {
    let limit = Limit::TagsPerTemplate;
    let mut tags = read.pieces.iter().filter_map(|piece| match piece {
        Piece::Tag(tag) => Some(&tag.range),
        Piece::Placeholder(placeholder) => Some(&placeholder.range),
        Piece::Text(_) => None,
    });
    let over = tags.nth(limits.size(limit))?;
    let message = format!("the template has too many tags and placeholders: {}", limits.says(limit));
    let help = limit.help("loop over data, or copy the text as a file");
    Some(Issue::new(Code::TemplateLimit, over.clone(), message).help(help))
}

/// Blocks inside one another, and `elif`: the engine's parser recurses for each.
pub(super) fn block_limits(text: &str, read: &Scan, limits: &Limits) -> Option<Issue> {
    let (mut depth, mut elifs) = (0_usize, 0_usize);
    for tag in read.tags().filter(|tag| tag.kind == TagKind::Block) {
        match tags::keyword(&text[tag.body.clone()]) {
            Some("for" | "if" | "with" | "block" | "macro" | "call" | "filter" | "autoescape") => depth += 1,
            Some("elif") => elifs += 1,
            Some(word) if word.starts_with("end") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let over = [
            ("the blocks of the template nest too deep", depth, Limit::BlockDepth),
            ("the template has too many `elif`", elifs, Limit::Branches),
        ];
        if let Some((what, _, limit)) = over.into_iter().find(|(_, count, limit)| *count > limits.size(*limit)) {
            let message = format!("{what}: {}", limits.says(limit));
            let help = limit.help("split the template with {% include %}, or loop over data");
            return Some(Issue::new(Code::TemplateLimit, tag.range.clone(), message).help(help));
        }
    }
    None
}
