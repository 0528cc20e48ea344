//! A literal tree of files: text is content, a mapping is a folder, a mapping with `template`, `content` or `copy` is
//! a file, a key that ends in `/` is a folder.

use super::{Content, Entry, PathText};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::path::FileMode;
use crate::source::{Kind, NodeId, Tree};

/// The files of a scaffold. Empty folders hold nothing that could be recorded, so they get a `.gitkeep`.
pub fn entries(tree: &Tree, root: NodeId, findings: &mut Diagnostics) -> Vec<Entry> {
    let mut out = Vec::new();
    folder(tree, root, &[], &mut out, findings);
    out
}

fn folder(tree: &Tree, node: NodeId, above: &[NodeId], out: &mut Vec<Entry>, findings: &mut Diagnostics) {
    for &(key, value) in tree.map(node).unwrap_or_default() {
        let name = tree.text(key).unwrap_or_default();
        let mut parts = above.to_vec();
        parts.push(key);
        let is_folder = name.ends_with('/');
        match tree.kind(value) {
            Kind::Map(entries) if entries.is_empty() => out.push(keep(tree, parts, key)),
            Kind::Map(_) if is_folder || !is_file(tree, value) => folder(tree, value, &parts, out, findings),
            Kind::Map(_) => out.push(file(tree, parts, key, value, findings)),
            Kind::Null if is_folder => out.push(keep(tree, parts, key)),
            _ if is_folder => {
                let message =
                    format!("`{name}` ends in `/`, so it is a folder, but its value is {}", tree.kind(value).word());
                let finding = Diagnostic::new(Code::WrongType, message).at(tree.span(value));
                findings
                    .push(finding.help("write a mapping of its files, `{}` for an empty folder, or remove the `/`"));
            }
            Kind::Text(..) => out.push(plain(tree, parts, key, Content::Inline(value))),
            Kind::Null => out.push(plain(tree, parts, key, Content::Empty)),
            kind => {
                let message = format!("`{name}` must be text (a file) or a mapping (a folder), found {}", kind.word());
                let finding = Diagnostic::new(Code::WrongType, message).at(tree.span(value));
                findings.push(finding.help(format!("quote the content: `{name}: \"...\"`")));
            }
        }
    }
}

/// Whether a mapping describes a file: it has a body key whose value is text.
fn is_file(tree: &Tree, node: NodeId) -> bool {
    ["template", "content", "copy"]
        .iter()
        .any(|key| tree.get(node, key).is_some_and(|value| tree.text(value).is_some()))
}

fn plain(tree: &Tree, parts: Vec<NodeId>, key: NodeId, content: Content) -> Entry {
    Entry {
        content,
        path: PathText { parts, keep: false },
        when: None,
        with: Vec::new(),
        mode: FileMode::Regular,
        once: false,
        span: tree.span(key),
    }
}

/// The entry of an empty folder.
fn keep(tree: &Tree, parts: Vec<NodeId>, key: NodeId) -> Entry {
    let mut entry = plain(tree, parts, key, Content::Empty);
    entry.path.keep = true;
    entry
}

const KEYS: [&str; 7] = ["template", "content", "copy", "when", "with", "mode", "once"];

fn file(tree: &Tree, parts: Vec<NodeId>, key: NodeId, value: NodeId, findings: &mut Diagnostics) -> Entry {
    for &(name, _) in tree.map(value).unwrap_or_default() {
        let word = tree.text(name).unwrap_or_default();
        if !KEYS.contains(&word) {
            let message = format!("`{word}` is no key of a file in a scaffold");
            let finding = Diagnostic::new(Code::UnknownKey, message).at(tree.span(name));
            findings.push(
                finding.help(format!(
                    "the keys are {}; end the folder's name in `/` if this is a folder",
                    KEYS.join(", ")
                )),
            );
        }
    }
    let text = |name: &str| tree.get(value, name).filter(|&node| tree.text(node).is_some());
    let content = if let Some(node) = text("template") {
        Content::Template(tree.text(node).unwrap_or_default().to_owned(), tree.span(node))
    } else if let Some(node) = text("content") {
        Content::Inline(node)
    } else if let Some(node) = text("copy") {
        Content::Copy(tree.text(node).unwrap_or_default().to_owned(), tree.span(node))
    } else {
        Content::Empty
    };
    let mut entry = plain(tree, parts, key, content);
    entry.when = text("when");
    if let (Some(when), None) = (tree.get(value, "when"), entry.when) {
        let message = "`when` is an expression, but this is a fixed value";
        let finding = Diagnostic::new(Code::BadValue, message).at(tree.span(when));
        findings.push(finding.help("remove it, or write an expression as text"));
    }
    entry.once = tree.get(value, "once").is_some_and(|node| *tree.kind(node) == Kind::Bool(true));
    if text("mode").and_then(|node| tree.text(node)) == Some("executable") {
        entry.mode = FileMode::Executable;
    }
    if let Some(with) = tree.get(value, "with") {
        let entries = tree.map(with).unwrap_or_default().iter();
        entry.with = entries.filter_map(|&(key, value)| Some((tree.text(key)?.to_owned(), value))).collect();
    }
    entry
}
