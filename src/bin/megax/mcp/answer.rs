//! The answer of a tool: the command's JSON document, and the same for people in few characters.

use megax::report::{Outcome, clean_json, clean_stream};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

/// The longest text, in characters. The document has everything.
const MAX_TEXT: usize = 6_000;

/// What a call came to.
#[derive(Debug)]
pub struct Answer {
    pub outcome: Outcome,
    /// What `--format json` prints; none if there is nothing to report about.
    pub document: Option<Value>,
    /// For people, and for clients that show no structured content.
    pub text: String,
}

impl Answer {
    /// An answer from the forms of a command.
    pub fn new(outcome: Outcome, document: Result<String, serde_json::Error>, text: &str) -> Self {
        let document = document.and_then(|document| serde_json::from_str(&clean_json(&document)));
        match document {
            Ok(document) => Self { outcome, document: Some(document), text: shown(text) },
            Err(error) => Self::failed(Outcome::Bug, &format!("the report cannot be written as JSON: {error}")),
        }
    }

    /// The call could not be carried out.
    pub fn failed(outcome: Outcome, why: &str) -> Self {
        Self { outcome, document: None, text: shown(&format!("error: {why}")) }
    }

    /// Whether the model has to do something about it. That a tree differs from the plan is what was asked for.
    fn is_error(&self) -> bool {
        !matches!(self.outcome, Outcome::NothingToDo | Outcome::Done | Outcome::Differences)
    }

    /// As the protocol sends it.
    pub fn into_result(self) -> CallToolResult {
        let content = vec![ContentBlock::text(self.text.clone())];
        let mut result =
            if self.is_error() { CallToolResult::error(content) } else { CallToolResult::success(content) };
        result.structured_content = self.document;
        result
    }
}

/// Without what a terminal would obey, and cut at the end of a line.
fn shown(text: &str) -> String {
    let text = clean_stream(text.trim_end(), false);
    let Some((end, _)) = text.char_indices().nth(MAX_TEXT) else { return text.into_owned() };
    let head = text.get(..end).unwrap_or_default();
    let head = head.rsplit_once('\n').map_or(head, |(lines, _)| lines);
    let left_out = text.lines().count() - head.lines().count();
    format!("{head}\n... {left_out} more lines: the structured content has everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_after_a_line_and_a_short_one_is_not() {
        assert_eq!(shown("one\ntwo\n\n"), "one\ntwo");
        let long = "0123456789\n".repeat(1_000);
        let cut = shown(&long);
        assert!(cut.chars().count() < MAX_TEXT + 100);
        let kept = cut.lines().filter(|line| *line == "0123456789").count();
        assert!(cut.ends_with(&format!("... {} more lines: the structured content has everything", 1_000 - kept)));
        assert_eq!(shown("a\u{1b}[2Jb").find('\u{1b}'), None);
    }

    #[test]
    fn an_answer_is_an_error_when_somebody_has_to_act() {
        for outcome in Outcome::ALL {
            let document = Ok(r#"{"outcome": "x"}"#.to_owned());
            let result = Answer::new(*outcome, document, "text").into_result();
            assert_eq!(result.is_error, Some(outcome.exit_code() > 1), "{outcome:?}");
            assert_eq!(result.structured_content, Some(serde_json::json!({ "outcome": "x" })));
        }
        let failed = Answer::failed(Outcome::Usage, "no plan").into_result();
        assert_eq!((failed.is_error, failed.structured_content), (Some(true), None));
    }
}
