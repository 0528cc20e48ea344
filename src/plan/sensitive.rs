//! Sensitive paths: files that other tools execute or obey without being asked for that file.
//!
//! A mega-file writes them only where the manifest says so for its team: by kind in `grants`, or with a write path that
//! names the place itself. A write path that is merely wide enough (`/`, `/.github/`) grants nothing.
//!
//! What a project plainly consists of is not in the table, because to refuse it would teach people to grant everything:
//! `package.json`, `Makefile`, `Cargo.toml`, `pyproject.toml`, `Dockerfile`, `conftest.py`, scripts and the code itself are
//! run when somebody asks for exactly that. The table has what runs because a folder was opened, entered, cloned, pushed or
//! installed from, what says from where other code is fetched, and what gives orders to agents. It must never hold a name
//! without saying who obeys it.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub use self::table::PLACES;
use super::{PlannedFile, Reserved};
use unicode_normalization::UnicodeNormalization as _;

use crate::diagnostic::{Code, Diagnostic};
use crate::glob::PathPattern;
use crate::model::{GrantKind, Manifest, MegaFile, Model, Team};
use crate::path::{OutputPath, fold};
use crate::span::Span;

/// A file or a folder that some tool obeys, in whatever folder it lies: the output root need not be the top of the
/// repository.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// Folded. A name or several parts; `/` at the end: a folder with all below it. One `*` may stand in a single name.
    pub pattern: &'static str,
    /// What grants it.
    pub kind: GrantKind,
    /// Who obeys it, and how.
    pub why: &'static str,
}

/// The places by their first part.
static INDEX: LazyLock<BTreeMap<&'static str, Vec<&'static Place>>> = LazyLock::new(|| {
    let mut index: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in PLACES.iter().filter(|place| !place.pattern.contains('*')) {
        index.entry(place.pattern.split('/').next().unwrap_or_default()).or_default().push(place);
    }
    index
});

/// The places with a `*`: what the name begins with, and what it ends with.
static OPEN: LazyLock<Vec<(&'static str, &'static str, &'static Place)>> = LazyLock::new(|| {
    let open = PLACES.iter().filter_map(|place| Some((place.pattern.split_once('*')?, place)));
    open.map(|((start, end), place)| (start, end, place)).collect()
});

/// Every place that a folded path, or the literal parts of a pattern, are.
fn places(folded: &str) -> Vec<&'static Place> {
    let mut found = Vec::new();
    let mut rest = Some(folded);
    while let Some(here) = rest {
        let (part, below) = here.split_once('/').map_or((here, None), |(part, below)| (part, Some(below)));
        for place in INDEX.get(part).into_iter().flatten() {
            let is_it = match place.pattern.strip_suffix('/') {
                Some(folder) => here.strip_prefix(folder).is_some_and(|more| more.is_empty() || more.starts_with('/')),
                None => here == place.pattern,
            };
            if is_it {
                found.push(*place);
            }
        }
        if below.is_none() {
            let is_open = |(start, end, _): &&(&str, &str, _)| {
                part.len() > start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
            };
            found.extend(OPEN.iter().filter(is_open).map(|(_, _, place)| *place));
        }
        rest = below;
    }
    found
}

/// The kinds that a write path names. A part with a wildcard names nothing.
fn named(pattern: &PathPattern) -> BTreeSet<GrantKind> {
    // No file can be called so.
    let literal: Vec<&str> =
        pattern.text().split('/').map(|part| if part.contains(['*', '?', '[', '{']) { "*" } else { part }).collect();
    let folded = fold(&literal.join("/"));
    places(folded.trim_end_matches('/')).into_iter().map(|place| place.kind).collect()
}

/// What a team may write of all this.
struct Grants<'m> {
    team: &'m Team,
    /// The write paths that name a place.
    paths: Vec<(&'m PathPattern, BTreeSet<GrantKind>)>,
}

impl<'m> Grants<'m> {
    fn of(team: &'m Team) -> Self {
        let paths = team.boundary.write_patterns().map(|pattern| (pattern, named(pattern)));
        Self { team, paths: paths.filter(|(_, kinds)| !kinds.is_empty()).collect() }
    }

    fn allow(&self, path: &OutputPath, kind: GrantKind) -> bool {
        let by_path = |(pattern, kinds): &(&PathPattern, BTreeSet<GrantKind>)| {
            kinds.contains(&kind) && pattern.matches(path.as_str())
        };
        self.team.boundary.grants().contains(&kind) || self.paths.iter().any(by_path)
    }

    /// Whether the boundary refuses the path anyway: that is said, and enough.
    fn refuse(&self, path: &OutputPath) -> bool {
        !self.team.boundary.allows(path) || self.team.boundary.forbids(path).is_some()
    }
}

/// What is refused, by line and kind: the first file, its place, and how many there are.
type Refused<'m> = BTreeMap<(Span, GrantKind), (&'m PlannedFile, &'m MegaFile, &'static Place, usize)>;

/// One finding for all files of one line and kind that the manifest does not grant.
pub fn check(model: &Model, files: &[PlannedFile], reserved: &Reserved) -> Vec<Diagnostic> {
    let manifest = model.manifest.as_ref();
    let mut grants: BTreeMap<&str, Option<Grants<'_>>> = BTreeMap::new();
    let mut refused = Refused::new();
    for file in files {
        let mut found = places(file.path.key().as_str());
        if !file.path.as_str().is_ascii() {
            // Some programs read the compatibility forms of characters as the plain ones.
            found.extend(places(&fold(&file.path.as_str().nfkc().collect::<String>())));
        }
        // What is reserved is refused as that.
        if found.is_empty() || reserved.holds(&file.path) {
            continue;
        }
        let Some(mega) = model.mega_files.get(file.mega_file) else { continue };
        let granted = grants
            .entry(&mega.team)
            .or_insert_with(|| manifest.and_then(|manifest| manifest.team(&mega.team)).map(Grants::of));
        let missing = |place: &&&Place| {
            let team = granted.as_ref();
            !team.is_some_and(|team| team.allow(&file.path, place.kind) || team.refuse(&file.path))
        };
        if let Some(place) = found.iter().find(missing) {
            refused.entry((file.origin, place.kind)).or_insert((file, mega, place, 0)).3 += 1;
        }
    }
    refused.into_values().map(|(file, mega, place, count)| finding(manifest, mega, file, place, count)).collect()
}

fn finding(
    manifest: Option<&Manifest>,
    mega: &MegaFile,
    file: &PlannedFile,
    place: &Place,
    count: usize,
) -> Diagnostic {
    let (are, more) = if count > 1 {
        ("are sensitive paths", format!(" and {} more of this line", count - 1))
    } else {
        ("is a sensitive path", String::new())
    };
    let message = format!("`{}`{more} {are}, and nothing grants them to team {}: {}", file.path, mega.team, place.why);
    let message = if count > 1 { message } else { message.replace("grants them to", "grants it to") };
    let kind = place.kind.as_str();
    let finding = Diagnostic::new(Code::SensitivePath, message).at(file.origin).team(mega.team.clone());
    match manifest.and_then(|manifest| manifest.team(&mega.team)) {
        Some(team) => finding.related(team.span, format!("the boundaries of team {}", team.name)).help(format!(
            "if the team is to write it, say so in the manifest: `boundaries: {{grants: [{kind}]}}`, or a write path that \
             names the place, such as `/{}`",
            named_by(&file.path, place)
        )),
        None => finding.help(format!(
            "only a manifest can grant it: a `megax.yaml` in the project root with \
             `teams: {{{}: {{boundaries: {{grants: [{kind}]}}}}}}`",
            mega.team
        )),
    }
}

/// The narrowest write path that names the place of a file.
fn named_by(path: &OutputPath, place: &Place) -> String {
    let Some(folder) = place.pattern.strip_suffix('/') else { return path.to_string() };
    // Folding may change the length of the names before; they are as many.
    let depth = folder.split('/').count();
    let parts: Vec<&str> = path.parts().collect();
    let at = (0..parts.len()).find(|&at| parts.get(at..at + depth).is_some_and(|some| fold(&some.join("/")) == folder));
    at.and_then(|at| parts.get(..at + depth)).map_or_else(|| path.to_string(), |some| some.join("/") + "/")
}

#[cfg(test)]
#[path = "sensitive_tests.rs"]
mod tests;
