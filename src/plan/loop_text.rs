//! A loop that is written as another language writes it: `entity in data.entities`, or names with commas.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{LoopList, MegaFile};
use crate::source::NodeId;

/// The finding about the text of a `for_each` that names its variable, or that is a list without brackets.
pub(super) fn misread(mega: &MegaFile, list: &LoopList, node: NodeId, text: &str) -> Option<Diagnostic> {
    let span = mega.tree.span(node);
    let finding = |message: &str| Diagnostic::new(Code::BadLoop, message).at(span).team(mega.team.clone());
    if let Some((variable, over)) = variable_of(text) {
        let help = format!("write `for_each: {over}`, and `as: {variable}` in a line of its own");
        let found = finding("`for_each` says over what the loop goes, and `as` the name of an item").help(help);
        return Some(if variable == list.variable { found.fix(span, over) } else { found });
    }
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_word = |name: &&str| {
        let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        starts && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    if names.len() < 2 || !names.iter().all(is_word) {
        return None;
    }
    let whole = format!("[{}]", names.join(", "));
    let found = finding("this is one text, not a list").help(format!("write a list: `for_each: {whole}`"));
    Some(found.fix(span, whole))
}

/// `x in y` and `for x in y`: the variable, and the path over which the loop goes.
fn variable_of(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let text = text.strip_prefix("for ").unwrap_or(text);
    let (variable, over) = text.split_once(" in ")?;
    let (variable, over) = (variable.trim(), over.trim());
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric());
    (is_name(variable) && over.split('.').all(is_name)).then_some((variable, over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_another_language_is_a_name_in_a_path() {
        assert_eq!(variable_of("for entity in data.entities"), Some(("entity", "data.entities")));
        assert_eq!(variable_of("entity in data.entities"), Some(("entity", "data.entities")));
        assert_eq!(variable_of("data.entities"), None);
        assert_eq!(variable_of("x in data.a|list"), None);
    }
}
