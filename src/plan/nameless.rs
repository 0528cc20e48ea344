//! An item that lacks the `name` which a path prints: which one of its list it is, and where it stands.

use minijinja::Value;

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::{Loop, LoopItems, MegaFile};
use crate::source::{Kind, NodeId};
use crate::template::value::{as_mapping, of_node};
use crate::template::{Issue, Origin, Scope, Word};

/// The finding about a path that prints an item of the data without a `name`, at that item; `None` if it is about something
/// else, or if the item stands nowhere in the mega-file. `text` is that of the path, `finding` stands there.
pub(super) fn item(
    mega: &MegaFile,
    scope: &Scope,
    text: &str,
    issue: &Issue,
    finding: &Diagnostic,
) -> Option<Diagnostic> {
    let shown = text.get(issue.range.clone()).filter(|_| issue.code == Code::Unprintable)?;
    let root = shown.trim_matches(['{', '}', ' ']).split('|').next()?.trim();
    let Some(Word::Value(Origin::Loop(index), _)) = scope.words.word(root) else { return None };
    let (variable, value) = scope.loops.get(*index)?;
    as_mapping(value)?;
    let (list, number, node) = place(mega, variable, value)?;
    let entries = mega.tree.map(node)?;
    let key = |entry: &(NodeId, NodeId)| mega.tree.text(entry.0);
    let line = mega.tree.entry(node, "name");
    let near = nearest("name", entries.iter().filter_map(key).filter(|key| *key != "name"));
    let message = format!("item {number} of `{list}` has no `name`, which `{shown}` prints");
    let at = line.map_or_else(|| entries.first().map(|(key, _)| *key), |(key, _)| Some(key))?;
    let found =
        Diagnostic::new(Code::Unprintable, message).team(mega.team.clone()).related(finding.span, "printed here");
    Some(match near.filter(|_| line.is_none()).and_then(|near| mega.tree.entry(node, near)) {
        Some((key, _)) => {
            let near = mega.tree.text(key).unwrap_or_default();
            let span = mega.tree.span(key);
            found.at(span).help(format!("did you mean `name` instead of `{near}`?")).fix(span, "name")
        }
        None => found.at(mega.tree.span(at)).help(format!(
            "give the item a `name`, or write a path of its other fields, such as `{{{variable}.{}}}`",
            entries.iter().filter_map(key).find(|key| *key != "name").unwrap_or("id")
        )),
    })
}

/// The list in the data over which a loop with this variable goes, the number of the item from 1, and the item.
fn place<'m>(mega: &'m MegaFile, variable: &str, value: &Value) -> Option<(&'m str, usize, NodeId)> {
    let inner = mega.factories.values().flat_map(|factory| &factory.rules);
    let given = mega.contributions.iter().map(|contribution| &contribution.rule);
    for rule in mega.rules.iter().chain(inner).chain(given) {
        let Loop::Over(lists) = &rule.each else { continue };
        for list in lists.iter().filter(|list| list.variable == variable) {
            let LoopItems::Expression(node) = list.items else { continue };
            let path = mega.tree.text(node)?.trim();
            let mut at = mega.tree.root();
            let found = path.split('.').all(|step| mega.tree.get(at, step).inspect(|next| at = *next).is_some());
            let Kind::List(items) = mega.tree.kind(at) else { continue };
            let position = items.iter().position(|item| of_node(&mega.tree, *item) == *value);
            if let Some(position) = position.filter(|_| found) {
                return Some((path, position + 1, items[position]));
            }
        }
    }
    None
}
