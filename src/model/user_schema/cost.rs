//! Refuses schemas whose references go in circles, or that are too large to be judged quickly. Runs before anything is
//! compiled, because the validator recurses.

use std::collections::BTreeMap;

use super::slips::{Edge, parts, target};
use super::{MAX_PARTS, bad};
use crate::diagnostic::Diagnostics;
use crate::source::{NodeId, Tree};

/// Most schemas that apply to one value one inside another: by `$ref`, `allOf` and their like.
pub const MAX_DEPTH: usize = 64;
/// Most schemas that apply to one value.
const MAX_APPLIED: u64 = 1_000;

/// What is known of a schema.
#[derive(Clone, Copy)]
enum Known {
    /// Its parts are being looked at: to come here again is a circle.
    Open,
    /// How many schemas apply together with it.
    Applied(u64),
}

/// Findings about references in circles and about size.
pub fn check(tree: &Tree, root: NodeId) -> Diagnostics {
    let mut walk = Walk { tree, root, known: BTreeMap::new(), found: Diagnostics::default() };
    // Every schema that can be reached is looked at as the start of a chain of its own.
    let mut queue = vec![root];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(node) = queue.pop() {
        if !seen.insert(node) {
            continue;
        }
        if seen.len() > MAX_PARTS {
            let message = format!("the schema has more than {MAX_PARTS} parts");
            walk.found.push(bad(tree.span(root).head(), message).help("make it simpler"));
            break;
        }
        walk.applied(node, 0);
        queue.extend(parts(tree, node).into_iter().map(|(_, part)| part));
        queue.extend(target(tree, root, node));
    }
    walk.found
}

struct Walk<'t> {
    tree: &'t Tree,
    root: NodeId,
    known: BTreeMap<NodeId, Known>,
    found: Diagnostics,
}

impl Walk<'_> {
    /// How many schemas apply to a value together with the one at `node`.
    fn applied(&mut self, node: NodeId, depth: usize) -> u64 {
        match self.known.get(&node) {
            Some(Known::Applied(count)) => return *count,
            Some(Known::Open) => {
                self.refuse(node, "the references of this schema go in a circle");
                return 1;
            }
            None if depth > MAX_DEPTH => {
                self.refuse(node, "the schemas that apply to one value are nested too deep");
                return 1;
            }
            None => {}
        }
        self.known.insert(node, Known::Open);
        let inside = parts(self.tree, node).into_iter().filter(|(edge, _)| *edge == Edge::Same).map(|(_, part)| part);
        let next: Vec<NodeId> = inside.chain(target(self.tree, self.root, node)).collect();
        let mut count = 1_u64;
        for part in next {
            count = count.saturating_add(self.applied(part, depth + 1));
        }
        if count > MAX_APPLIED {
            self.refuse(node, "too many schemas apply to one value");
            count = 1;
        }
        self.known.insert(node, Known::Applied(count));
        count
    }

    fn refuse(&mut self, node: NodeId, message: &str) {
        let finding = bad(self.tree.span(node), message.to_owned());
        self.found.push(finding.help("reach the schema through `properties` or `items`, or write it out"));
    }
}
