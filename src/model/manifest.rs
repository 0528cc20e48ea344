//! The project manifest: teams, where they may write, and the order in which they depend on one another.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{self, SchemaName};
use super::wire::ManifestWire;
use super::wire::manifest::{TeamWire, TeamsWire};
use super::wire::shape::StringsWire;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::glob::PathPattern;
use crate::name::team_name;
use crate::path::{OutputPath, fold};
use crate::source::decode::Spanned;
use crate::source::{Tree, yaml};
use crate::span::{FileId, Span};

/// What the manifest says.
#[derive(Debug)]
pub struct Manifest {
    /// The file it was read from.
    pub file: FileId,
    /// The teams, in the order of the manifest.
    pub teams: Vec<Team>,
}

/// A team.
#[derive(Debug)]
pub struct Team {
    /// Its name in the one spelling of [`team_name`].
    pub name: String,
    /// Where it is named.
    pub span: Span,
    /// Where it may write.
    pub boundary: Boundary,
    /// The teams that it depends on, `all` resolved.
    pub dependencies: Vec<String>,
}

/// Where a team may write.
#[derive(Debug, Default)]
pub struct Boundary {
    write: Option<Vec<PathPattern>>,
    forbidden: Vec<PathPattern>,
}

impl Boundary {
    /// Whether write paths were given at all; without them the team may write everywhere but in forbidden paths.
    #[must_use]
    pub fn has_write_paths(&self) -> bool {
        self.write.is_some()
    }

    /// The write paths as written.
    pub fn write_paths(&self) -> impl Iterator<Item = &str> {
        self.write.iter().flatten().map(PathPattern::written)
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

impl Manifest {
    /// The team of this name.
    #[must_use]
    pub fn team(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name == name)
    }
}

/// Understands a manifest; warnings come along.
///
/// # Errors
/// Schema errors, two entries for one team, unknown teams in `dependencies`, cycles, globs that cannot be read.
pub fn build(tree: &Tree) -> Result<(Manifest, Diagnostics), Diagnostics> {
    let mut findings = schema::validate(SchemaName::Manifest, tree, &yaml::to_json(tree, tree.root()));
    if findings.has_errors() {
        return Err(findings);
    }
    let wire: ManifestWire = schema::decode(tree).map_err(|one| std::iter::once(one).collect::<Diagnostics>())?;
    not_yet(tree, &wire, &mut findings);
    let mut teams = Vec::new();
    let mut asked: Vec<Vec<Spanned<String>>> = Vec::new();
    if let Some(TeamsWire::Map(map)) = wire.teams.as_ref().map(|teams| &teams.value) {
        for (key, team) in &map.0 {
            teams.push(Team {
                name: team_name(&key.value),
                span: tree.span(key.node),
                boundary: boundary(tree, &team.value, &mut findings),
                dependencies: Vec::new(),
            });
            asked.push(dependencies(&team.value));
        }
    }
    duplicates(&teams, &mut findings);
    resolve(tree, &mut teams, &asked, &mut findings);
    if let Some(cycle) = cycle(&teams) {
        findings.push(cycle);
    }
    if findings.has_errors() {
        return Err(findings);
    }
    Ok((Manifest { file: tree.file(), teams }, findings))
}

/// What this version accepts but does not act on is said once; what would be wrong to ignore is an error.
fn not_yet(tree: &Tree, wire: &ManifestWire, findings: &mut Diagnostics) {
    let key = |name: &str| tree.entry(tree.root(), name).map_or(tree.root(), |(key, _)| key);
    if let Some(TeamsWire::List(_)) = wire.teams.as_ref().map(|teams| &teams.value) {
        let message = "the list form of `teams` is part of the format, but this version cannot read it yet";
        let help = "write a mapping: `teams:`, then `beta:` with `boundaries: {write_paths: [...]}` below it";
        findings.push(Diagnostic::new(Code::NotYet, message).at(tree.span(key("teams"))).help(help));
    }
    let ignored =
        [("vars", wire.vars.is_some()), ("on_edit", wire.on_edit.is_some()), ("limits", wire.limits.is_some())];
    for (name, used) in ignored {
        if used {
            let message = format!("`{name}` is part of the format, but this version does not use it yet");
            findings.push(Diagnostic::new(Code::NotYet, message).at(tree.span(key(name))).help("remove it until then"));
        }
    }
}

fn boundary(tree: &Tree, team: &TeamWire, findings: &mut Diagnostics) -> Boundary {
    let mut parse = |list: Option<&StringsWire>, folded: bool| {
        let list = list?;
        let mut globs = Vec::new();
        for glob in list.as_slice() {
            match PathPattern::parse(&glob.value, folded) {
                Ok(pattern) => globs.push(pattern),
                Err(why) => {
                    let message = format!("`{}` is no path pattern: {why}", glob.value);
                    let help = "`/src/api/` means everything below, `*` one name, `**` any number of folders";
                    findings.push(Diagnostic::new(Code::BadGlob, message).at(tree.span(glob.node)).help(help));
                }
            }
        }
        Some(globs)
    };
    let wire = team.boundaries.as_ref().map(|boundaries| &boundaries.value);
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
    Boundary { write, forbidden }
}

/// The dependencies as written; `none` means no team.
fn dependencies(team: &TeamWire) -> Vec<Spanned<String>> {
    let list = team.dependencies.as_ref().map_or(&[][..], StringsWire::as_slice);
    list.iter().filter(|name| !matches!(fold(&name.value).as_str(), "none" | "")).cloned().collect()
}

fn duplicates(teams: &[Team], findings: &mut Diagnostics) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for team in teams {
        if let Some(earlier) = first.insert(&team.name, team.span) {
            let message =
                format!("team {} has two entries (`alpha`, `Alpha` and `team-alpha` are one team)", team.name);
            let finding = Diagnostic::new(Code::DuplicateTeam, message).at(team.span);
            findings.push(finding.related(earlier, "first here").help("join the two entries, or rename one"));
        }
    }
}

/// Resolves `all` (every team that does not itself say `all`) and reports unknown names.
fn resolve(tree: &Tree, teams: &mut [Team], asked: &[Vec<Spanned<String>>], findings: &mut Diagnostics) {
    let says_all = |names: &[Spanned<String>]| names.iter().any(|name| fold(&name.value) == "all");
    let names: Vec<String> = teams.iter().map(|team| team.name.clone()).collect();
    let concrete: Vec<String> =
        names.iter().zip(asked).filter(|(_, asked)| !says_all(asked)).map(|(name, _)| name.clone()).collect();
    for (team, asked) in teams.iter_mut().zip(asked) {
        let mut set = BTreeSet::new();
        for dependency in asked {
            let name = team_name(&dependency.value);
            if name == "all" {
                set.extend(concrete.iter().filter(|other| **other != team.name).cloned());
            } else if names.contains(&name) {
                set.insert(name);
            } else {
                let message = format!("team {} depends on `{}`, which is no team", team.name, dependency.value);
                let finding = Diagnostic::new(Code::UnknownTeamDependency, message).at(tree.span(dependency.node));
                let known = names.join(", ");
                findings.push(match nearest(&name, names.iter().map(String::as_str)) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")).fix(tree.span(dependency.node), near),
                    None => finding.help(format!("the teams are {known}; `all` means every other team")),
                });
            }
        }
        team.dependencies = set.into_iter().collect();
    }
}

/// The first cycle, printed from team to team.
fn cycle(teams: &[Team]) -> Option<Diagnostic> {
    let index: BTreeMap<&str, &Team> = teams.iter().map(|team| (team.name.as_str(), team)).collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in teams {
        // Depth first, with the path in hand; each frame is a team and the next of its dependencies.
        let mut path: Vec<(&Team, usize)> = vec![(start, 0)];
        while let Some((team, next)) = path.last_mut() {
            let Some(dependency) = team.dependencies.get(*next) else {
                done.insert(&team.name);
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = path.iter().position(|(team, _)| team.name == *dependency) {
                let mut names: Vec<&str> = path[at..].iter().map(|(team, _)| team.name.as_str()).collect();
                names.push(dependency);
                let message = format!("teams depend on one another in a circle: {}", names.join(" -> "));
                let help = "let one of them depend on a third team that holds what both need";
                let mut finding = Diagnostic::new(Code::DependencyCycle, message).at(path[at].0.span).help(help);
                for (team, _) in &path[at + 1..] {
                    finding = finding.related(team.span, "part of the circle");
                }
                return Some(finding);
            }
            if let Some(team) = index.get(dependency.as_str()).filter(|team| !done.contains(team.name.as_str())) {
                path.push((team, 0));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> OutputPath {
        OutputPath::parse(text).unwrap()
    }

    #[test]
    fn forbidden_paths_ignore_case() {
        let boundary = Boundary { write: None, forbidden: vec![PathPattern::parse("/src/Secret/", true).unwrap()] };
        assert_eq!(boundary.forbids(&path("SRC/secret/x")), Some("/src/Secret/"));
        assert_eq!(boundary.forbids(&path("src/public/x")), None);
    }
}
