//! What to say of a path pattern that matches no planned file: the nearest paths, and how patterns are read.

use std::collections::BTreeSet;

use crate::diagnostic::nearest;
use crate::glob::PathPattern;

/// So many names are listed in a help.
const SHOWN: usize = 6;

/// A way out for a pattern that matches none of the planned paths.
#[must_use]
pub fn near<'p>(pattern: &PathPattern, planned: &(impl Iterator<Item = &'p str> + Clone)) -> String {
    let text = pattern.text();
    if !text.contains('/')
        && let Ok(deep) = PathPattern::parse(&format!("**/{text}"), false)
        && planned.clone().any(|path| deep.matches(path))
    {
        return format!("did you mean `**/{text}`? patterns are relative to the output root");
    }
    // Follow the folders that exist; the first name that does not is the one that is wrong.
    let mut folder = String::new();
    for name in text.split('/') {
        let below: BTreeSet<&str> =
            planned.clone().filter_map(|path| first_name(path.strip_prefix(folder.as_str())?)).collect();
        let inside = format!("{name}/");
        if below.contains(inside.as_str()) {
            folder.push_str(&inside);
            continue;
        }
        let near = nearest(name, below.iter().map(|name| name.trim_end_matches('/')));
        if let Some(near) = near.filter(|_| !name.contains(['*', '?', '[', '{'])) {
            let rest = text.get(folder.len() + name.len()..).unwrap_or_default();
            return format!("did you mean `{folder}{near}{rest}`?");
        }
        return listed(&folder, &below);
    }
    listed(&folder, &BTreeSet::new())
}

/// The first name of a path; a folder keeps its `/`.
fn first_name(path: &str) -> Option<&str> {
    let end = path.find('/').map_or(path.len(), |at| at + 1);
    path.get(..end).filter(|name| !name.is_empty())
}

fn listed(folder: &str, names: &BTreeSet<&str>) -> String {
    let rule = "patterns are relative to the output root, `*` is one name, `**` any number of folders";
    if names.is_empty() {
        return rule.to_owned();
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{folder}{name}`")).collect();
    let more = if names.len() > SHOWN { " and more" } else { "" };
    format!("{rule}; planned are {}{more}", shown.join(", "))
}
