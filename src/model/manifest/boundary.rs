//! Where a team may write, and the path patterns of the manifest. Which files exist is not known here.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::glob::PathPattern;
use crate::model::wire::manifest::{GrantKind, TeamWire};
use crate::model::wire::shape::StringsWire;
use crate::path::OutputPath;
use crate::source::Tree;

/// Where a team may write.
#[derive(Debug, Default)]
pub struct Boundary {
    write: Option<Vec<PathPattern>>,
    forbidden: Vec<PathPattern>,
    grants: BTreeSet<GrantKind>,
}

impl Boundary {
    /// Whether write paths were given at all; without them the team may write everywhere but in forbidden paths.
    #[must_use]
    pub fn has_write_paths(&self) -> bool {
        self.write.is_some()
    }

    /// The write paths.
    pub fn write_patterns(&self) -> impl Iterator<Item = &PathPattern> {
        self.write.iter().flatten()
    }

    /// The write paths as written.
    pub fn write_paths(&self) -> impl Iterator<Item = &str> {
        self.write_patterns().map(PathPattern::written)
    }

    /// The forbidden paths as written.
    pub fn forbidden_paths(&self) -> impl Iterator<Item = &str> {
        self.forbidden.iter().map(PathPattern::written)
    }

    /// The kinds of sensitive files that the team may write wherever it may write at all.
    #[must_use]
    pub fn grants(&self) -> &BTreeSet<GrantKind> {
        &self.grants
    }

    /// Whether a path is inside the write paths.
    #[must_use]
    pub fn allows(&self, path: &OutputPath) -> bool {
        self.write.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.matches(path.as_str())))
    }

    /// The forbidden path that a path is in. Compared without case, for file systems that do.
    #[must_use]
    pub fn forbids(&self, path: &OutputPath) -> Option<&str> {
        let folded = path.key();
        self.forbidden.iter().find(|glob| glob.matches(folded.as_str())).map(PathPattern::written)
    }
}

/// The boundary of a team: `boundaries`, and `output` as more write paths.
pub(super) fn of(tree: &Tree, team: &TeamWire, findings: &mut Diagnostics) -> Boundary {
    let wire = team.boundaries.as_ref().map(|boundaries| &boundaries.value);
    let mut parse = |list: Option<&StringsWire>, folded| list.map(|list| patterns(tree, list, folded, findings));
    let long = parse(wire.and_then(|wire| wire.write_paths.as_ref()), false);
    let short = parse(team.output.as_ref(), false);
    let forbidden = parse(wire.and_then(|wire| wire.forbidden_paths.as_ref()), true).unwrap_or_default();
    let write = match (long, short) {
        (Some(mut long), Some(short)) => {
            long.extend(short);
            Some(long)
        }
        (long, short) => long.or(short),
    };
    let grants = wire.and_then(|wire| wire.grants.as_ref()).into_iter().flatten().map(|kind| kind.value).collect();
    Boundary { write, forbidden, grants }
}

/// A list of path patterns; one that cannot be read becomes a finding.
pub(super) fn patterns(tree: &Tree, list: &StringsWire, folded: bool, findings: &mut Diagnostics) -> Vec<PathPattern> {
    let mut globs = Vec::new();
    for glob in list.as_slice() {
        match PathPattern::parse(&glob.value, folded) {
            Ok(pattern) => globs.push(pattern),
            Err(why) => findings.push(bad_glob(&glob.value, &why).at(tree.span(glob.node))),
        }
    }
    globs
}

/// A pattern that cannot be read, without its place.
pub(super) fn bad_glob(written: &str, why: &str) -> Diagnostic {
    let help = "`/src/api/` means everything below, `*` one name, `**` any number of folders";
    Diagnostic::new(Code::BadGlob, format!("`{written}` is no path pattern: {why}")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_paths_ignore_case() {
        let boundary = Boundary {
            write: None,
            forbidden: vec![PathPattern::parse("/src/Secret/", true).unwrap()],
            ..Boundary::default()
        };
        let path = |text: &str| OutputPath::parse(text).unwrap();
        assert_eq!(boundary.forbids(&path("SRC/secret/x")), Some("/src/Secret/"));
        assert_eq!(boundary.forbids(&path("src/public/x")), None);
    }
}
