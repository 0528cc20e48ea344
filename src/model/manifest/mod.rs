//! The project manifest: teams, where they may write, what they are to make, and the order in which they depend on one
//! another. Nothing is read or compared with what is generated here.

mod about;
mod amount;
mod boundary;
mod goals;
mod names;
mod points;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;

pub use self::about::{About, Phase};
pub use self::amount::Amount;
pub use self::boundary::Boundary;
pub use self::goals::{Capabilities, Deliverable, Goals, Present, Progress};
use self::names::Asked;
pub use self::points::IntegrationPoint;
use super::schema::{self, SchemaName};
use super::wire::ManifestWire;
pub use super::wire::manifest::{EditPolicy, GrantKind};
use super::wire::manifest::{TeamItemWire, TeamWire, TeamsWire};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::glob::PathPattern;
use crate::name::team_name;
use crate::source::decode::Raw;
use crate::source::{NodeId, Tree, yaml};
use crate::span::{FileId, Span};
use crate::template::value::of_node;

/// What the manifest says.
#[derive(Debug)]
pub struct Manifest {
    /// The file it was read from.
    pub file: FileId,
    /// The seed of the random functions; empty unless told.
    pub seed: String,
    /// The `vars` of the project: a mapping.
    pub vars: Option<Value>,
    /// The teams, in the order of the manifest.
    pub teams: Vec<Team>,
    /// What to do with edited files, the first match counts.
    pub on_edit: Vec<(Vec<PathPattern>, EditPolicy)>,
    /// What teams agree on.
    pub integration_points: Vec<IntegrationPoint>,
    /// The order in which the work of the teams comes together.
    pub phases: Vec<Phase>,
}

/// A team.
#[derive(Debug)]
pub struct Team {
    /// Its name in the one spelling of [`team_name`].
    pub name: String,
    /// Its other names in that spelling (`id`, `code`, the `name` for people).
    pub aliases: Vec<String>,
    /// Its name for people, if it has one.
    pub title: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// Where it may write.
    pub boundary: Boundary,
    /// The teams that it depends on, `all` resolved.
    pub dependencies: Vec<String>,
    /// Files that it usually writes; one outside is a warning.
    pub typical_files: Vec<PathPattern>,
    /// The most that it can make.
    pub capabilities: Capabilities,
    /// What is expected of it.
    pub goals: Goals,
    /// What is said about it.
    pub about: About,
}

impl Manifest {
    /// The team that a text means: its name in any spelling, or an alias.
    #[must_use]
    pub fn team(&self, text: &str) -> Option<&Team> {
        names::find(&self.teams, text)
    }
}

/// Understands a manifest; warnings come along.
///
/// # Errors
/// Schema errors, names that two teams have, unknown teams, cycles, patterns and amounts that cannot be read.
pub fn build(tree: &Tree) -> Result<(Manifest, Diagnostics), Diagnostics> {
    let mut findings = schema::validate(SchemaName::Manifest, tree, &yaml::to_json(tree, tree.root()));
    if findings.has_errors() {
        return Err(findings);
    }
    let wire: ManifestWire = schema::decode(tree).map_err(|one| std::iter::once(one).collect::<Diagnostics>())?;
    let (mut teams, asked): (Vec<Team>, Vec<Vec<Asked>>) =
        teams(tree, wire.teams.as_ref().map(|teams| &teams.value), &mut findings).into_iter().unzip();
    names::duplicates(&teams, &mut findings);
    depend(tree, &mut teams, &asked, &mut findings);
    if let Some(cycle) = cycle(&teams) {
        findings.push(cycle);
    }
    points::phases(tree, &wire, &teams, &mut findings);
    let integration_points = points::points(tree, &wire, &teams, &mut findings);
    let on_edit = points::on_edit(tree, &wire, &mut findings);
    let phases = about::phases(&wire, &teams);
    if findings.has_errors() {
        return Err(findings);
    }
    let seed = wire.seed.map_or_else(String::new, |seed| seed.value.0);
    let vars = wire.vars.map(|Raw(node)| of_node(tree, node));
    Ok((Manifest { file: tree.file(), seed, vars, teams, on_edit, integration_points, phases }, findings))
}

/// The teams of either form, each with the teams that it asks for.
fn teams(tree: &Tree, wire: Option<&TeamsWire>, findings: &mut Diagnostics) -> Vec<(Team, Vec<Asked>)> {
    let mut teams = Vec::new();
    match wire {
        Some(TeamsWire::Map(map)) => {
            for (key, wire) in map {
                teams.push(team(tree, team_name(&key.value), key.node, &wire.value, findings));
            }
        }
        Some(TeamsWire::List(list)) => {
            for item in list {
                match &item.value {
                    TeamItemWire::Name(name) => {
                        let wire = TeamWire::default();
                        teams.push(team(tree, team_name(&name.value), name.node, &wire, findings));
                    }
                    TeamItemWire::Team(wire) => {
                        let (name, node) = listed_name(tree, item.node, wire, findings);
                        teams.push(team(tree, name, node, wire, findings));
                    }
                }
            }
        }
        None => {}
    }
    teams
}

/// The name of a team in the list form, and where it stands: `code`, else `name`, else `id`. A name goes into the paths
/// of lockfiles.
fn listed_name(tree: &Tree, item: NodeId, wire: &TeamWire, findings: &mut Diagnostics) -> (String, NodeId) {
    let node = wire.name.as_ref().map_or(item, |name| name.node);
    if let Some(code) = &wire.code {
        return (team_name(&code.value), node);
    }
    let title = wire.name.as_ref().map_or_else(String::new, |name| team_name(&names::without_remarks(&name.value)));
    let short = names::without_team(&title).filter(|_| title.contains(' ')).unwrap_or(&title);
    if super::wire::is_name(short) {
        return (short.to_owned(), node);
    }
    if let Some(id) = &wire.id {
        return (team_name(&id.value), node);
    }
    let slug = short.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let shown = wire.name.as_ref().map_or("", |name| &name.value);
    let message = format!("`{shown}` cannot be the name that mega-files give as their `team`");
    let finding = Diagnostic::new(Code::BadValue, message).at(tree.span(node));
    findings.push(finding.help(format!("add `code: {}` to the team", slug.join("-"))));
    (title, node)
}

/// One team; its dependencies are resolved when all teams are known.
fn team(tree: &Tree, name: String, node: NodeId, wire: &TeamWire, findings: &mut Diagnostics) -> (Team, Vec<Asked>) {
    let title = wire.name.as_ref().map(|title| title.value.trim().to_owned()).filter(|title| !title.is_empty());
    let others = [wire.id.as_ref(), wire.code.as_ref()].into_iter().flatten().map(|other| &other.value).chain(&title);
    let aliases: BTreeSet<String> = others.map(|other| team_name(other)).filter(|other| *other != name).collect();
    let typical = wire.typical_files.as_ref();
    let team = Team {
        name,
        aliases: aliases.into_iter().collect(),
        span: tree.span(node),
        boundary: boundary::of(tree, wire, findings),
        dependencies: Vec::new(),
        typical_files: typical.map(|list| boundary::patterns(tree, list, false, findings)).unwrap_or_default(),
        capabilities: goals::capabilities(tree, wire, findings),
        goals: goals::goals(tree, wire, findings),
        about: about::of(wire),
        title,
    };
    (team, names::asked(wire.dependencies.as_ref()))
}

/// Resolves the dependencies; `all` means every team that does not itself say `all`.
fn depend(tree: &Tree, teams: &mut [Team], asked: &[Vec<Asked>], findings: &mut Diagnostics) {
    let says_all = |names: &[Asked]| names.iter().any(Asked::is_all);
    let concrete: Vec<String> =
        teams.iter().zip(asked).filter(|(_, asked)| !says_all(asked)).map(|(team, _)| team.name.clone()).collect();
    let mut resolved: Vec<BTreeSet<String>> = Vec::new();
    for (team, asked) in teams.iter().zip(asked) {
        let mut set = BTreeSet::new();
        for dependency in asked {
            if dependency.is_all() {
                set.extend(concrete.iter().filter(|other| **other != team.name).cloned());
            } else {
                let who = format!("team {} depends on", team.name);
                set.extend(names::resolve(tree, teams, dependency, &who, findings).map(|team| team.name.clone()));
            }
        }
        resolved.push(set);
    }
    for (team, dependencies) in teams.iter_mut().zip(resolved) {
        team.dependencies = dependencies.into_iter().collect();
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
