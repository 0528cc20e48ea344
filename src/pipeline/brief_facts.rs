//! The facts of briefs, gathered from the manifest and from what the project plans so far. Only counts and names: nothing
//! is judged, and what the mega-files lack is no finding.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::{State, goals, reserved, sink, team_of_input, validity};
use crate::brief::Platform;
use crate::brief::example::{self, Example};
use crate::brief::exports::exports;
use crate::brief::facts::{
    Contract, Dependency, ExampleFacts, Goals, MegaFiles, Neighbour, Offer, OrchestratorFacts, PhaseFacts, PhaseTeam,
    ProjectFacts, Slot, TeamFacts, Who, few, few_as_code, line, shown,
};
use crate::brief::language::{self, Language};
use crate::change::OnDisk;
use crate::disk;
use crate::event::Watcher;
use crate::model::manifest::{IntegrationPoint, Phase};
use crate::model::wire::is_name;
use crate::model::{Amount, Manifest, Present, Team};
use crate::name::id_key;
use crate::output::{Facts, Sink};
use crate::path::{OutputPath, PathKey};
use crate::plan::{PlannedFile, Reserved};
use crate::report::number;
use crate::source::load::display;

/// So many planned files of a team are read for the names that they export.
const MOST_READ: usize = 60;
/// So many folders of planned files are shown, of all dependencies of a team together; at least one of each.
const MOST_FOLDERS: usize = 10;
const MOST_NAMES: usize = 8;
const MOST_NEIGHBOURS: usize = 4;
const MOST_CONTRACTS: usize = 6;
const MOST_SLOTS: usize = 5;

/// What is needed for the briefs of some teams.
pub struct Gathered<'s> {
    state: &'s State<'s>,
    manifest: &'s Manifest,
    platform: Platform,
    present: Vec<Present>,
    /// The planned files of each team, in the order of their paths.
    planned: BTreeMap<&'s str, Vec<&'s PlannedFile>>,
    /// What was read off planned files.
    exports: BTreeMap<OutputPath, Vec<String>>,
    /// The paths that are planned or recorded.
    claimed: BTreeSet<PathKey>,
    reserved: Reserved,
}

impl<'s> Gathered<'s> {
    /// Looks at everything once; `None` without a manifest. Only files of teams that one of `teams` depends on are read.
    pub fn new(state: &'s State<'s>, platform: Platform, teams: &[String], watcher: &dyn Watcher) -> Option<Self> {
        let manifest = state.model.manifest.as_ref()?;
        let mut planned: BTreeMap<&str, Vec<&PlannedFile>> = BTreeMap::new();
        for file in &state.plan.files {
            planned.entry(state.team_of(file)).or_default().push(file);
        }
        let wanted: BTreeSet<&str> = teams
            .iter()
            .filter_map(|team| manifest.team(team))
            .flat_map(|team| &team.dependencies)
            .map(String::as_str)
            .collect();
        let read = wanted.iter().filter_map(|team| planned.get(team)).flat_map(|files| files.iter().take(MOST_READ));
        let read: Vec<PlannedFile> = read.map(|file| (*file).clone()).collect();
        let recorded = state.plan.recorded.iter().chain(&state.shards.claims).flat_map(|shard| &shard.paths);
        let claimed = state.plan.files.iter().map(|file| file.path.key()).chain(recorded.map(OutputPath::key));
        Some(Self {
            state,
            manifest,
            platform,
            present: goals::present(&state.set, &state.model),
            exports: Scan::of(state, &read, watcher),
            claimed: claimed.collect(),
            reserved: reserved::reserved(&state.set, state.root.as_ref()),
            planned,
        })
    }

    /// The facts of a team's brief; `None` if the manifest does not name it.
    pub fn team(&self, name: &str) -> Option<TeamFacts> {
        let team = self.manifest.team(name)?;
        let (about, boundary) = (&team.about, &team.boundary);
        let skills: Vec<&String> = about.languages.iter().chain(&about.frameworks).chain(&about.specialties).collect();
        let (neighbours, more_neighbours) = self.neighbours(team);
        let points: Vec<&IntegrationPoint> =
            self.manifest.integration_points.iter().filter(|point| point.between.contains(&team.name)).collect();
        let dependents: Vec<&str> = self
            .manifest
            .teams
            .iter()
            .filter(|one| one.dependencies.contains(&team.name))
            .map(|one| one.name.as_str())
            .collect();
        Some(TeamFacts {
            platform: self.platform.as_str(),
            project: self.project(),
            team: Who {
                name: team.name.clone(),
                title: line(team.title.as_deref().unwrap_or_default()),
                role: line(about.responsibility.as_deref().unwrap_or_default()),
                priority: line(about.priority.as_deref().unwrap_or_default()),
                skills: few(&skills, 12),
            },
            write_paths: paths(boundary.write_paths(), 12),
            read_paths: paths(about.read_paths.iter().map(String::as_str), 8),
            forbidden_paths: paths(boundary.forbidden_paths(), 8),
            grants: few(&boundary.grants().iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), 8),
            neighbours,
            more_neighbours,
            dependencies: self.dependencies(team),
            dependents: few(&dependents, 8),
            contracts: points
                .iter()
                .take(shown(points.len(), MOST_CONTRACTS))
                .map(|point| self.contract(point, Some(team)))
                .collect(),
            more_contracts: points.len() - shown(points.len(), MOST_CONTRACTS),
            slots: self.slots(),
            goals: goals_of(team),
            mega_files: self.mega_files(team),
            example: self.example(team),
        })
    }

    /// The facts of the orchestrator's brief.
    pub fn orchestrator(&self) -> OrchestratorFacts {
        let points = &self.manifest.integration_points;
        let goals: Vec<&Amount> = self.manifest.teams.iter().filter_map(|team| team.goals.lines.as_ref()).collect();
        let sum = |end: fn(&Amount) -> u64| goals.iter().fold(0_u64, |sum, one| sum.saturating_add(end(one)));
        OrchestratorFacts {
            platform: self.platform.as_str(),
            project: self.project(),
            phases: self.phases(),
            phases_are_told: !self.manifest.phases.is_empty(),
            contracts: points
                .iter()
                .take(shown(points.len(), 2 * MOST_CONTRACTS))
                .map(|point| self.contract(point, None))
                .collect(),
            more_contracts: points.len() - shown(points.len(), 2 * MOST_CONTRACTS),
            teams_with_goals: goals.len(),
            lines: if goals.is_empty() { String::new() } else { range(sum(|one| one.min), sum(|one| one.max)) },
        }
    }

    fn project(&self) -> ProjectFacts {
        let set = &self.state.set;
        ProjectFacts {
            teams: self.manifest.teams.len(),
            manifest: line(set.sources.name(self.manifest.file)),
            folder: line(&display(&set.folder, &set.root)) + "/",
        }
    }

    /// Teams that write where this one writes, or in a folder beside.
    fn neighbours(&self, team: &Team) -> (Vec<Neighbour>, usize) {
        let folders = |team: &Team| {
            let first = |one: &crate::glob::PathPattern| {
                let parts: Vec<&str> = one.text().split('/').filter(|part| !part.is_empty()).collect();
                parts
                    .iter()
                    .take_while(|part| !part.contains(['*', '?', '[', '{']))
                    .map(|part| (*part).to_owned())
                    .collect::<Vec<_>>()
            };
            team.boundary.write_patterns().map(first).collect::<Vec<Vec<String>>>()
        };
        let own = folders(team);
        let shared = |other: &Team| {
            let common = |a: &[String], b: &[String]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
            let theirs = folders(other);
            own.iter().flat_map(|a| theirs.iter().map(move |b| common(a, b))).max().unwrap_or(0)
        };
        let mut near: Vec<(usize, &Team)> = self
            .manifest
            .teams
            .iter()
            .filter(|other| other.name != team.name)
            .map(|other| (shared(other), other))
            .filter(|(shared, _)| *shared > 0)
            .collect();
        near.sort_by_key(|(shared, _)| Reverse(*shared));
        let count = shown(near.len(), MOST_NEIGHBOURS);
        let more = near.len() - count;
        let nearest = near.iter().take(count);
        let nearest = nearest
            .map(|(_, other)| Neighbour { name: other.name.clone(), paths: paths(other.boundary.write_paths(), 3) });
        (nearest.collect(), more)
    }

    /// How long the longest chain of teams below a team is.
    fn depth(&self, team: &Team, known: &mut BTreeMap<String, usize>) -> usize {
        if let Some(depth) = known.get(&team.name) {
            return *depth;
        }
        let below = team.dependencies.iter().filter_map(|name| self.manifest.team(name));
        let depth = below.map(|one| self.depth(one, known) + 1).max().unwrap_or(0);
        known.insert(team.name.clone(), depth);
        depth
    }

    fn dependencies(&self, team: &Team) -> Vec<Dependency> {
        let mut known = BTreeMap::new();
        let mut below: Vec<&Team> = team.dependencies.iter().filter_map(|name| self.manifest.team(name)).collect();
        let place = |team: &Team| self.manifest.teams.iter().position(|one| one.name == team.name);
        below.sort_by_key(|one| (self.depth(one, &mut known), place(one)));
        let planning = below.iter().filter(|one| self.planned.contains_key(one.name.as_str())).count();
        let each = (MOST_FOLDERS / planning.max(1)).max(1);
        let one = |team: &Team| {
            let files = self.planned.get(team.name.as_str()).map_or(&[][..], Vec::as_slice);
            let mut folders: BTreeMap<&str, Vec<&PlannedFile>> = BTreeMap::new();
            for file in files {
                folders.entry(file.path.folder()).or_default().push(file);
            }
            let count = shown(folders.len(), each);
            let offers = folders.iter().take(count).map(|(folder, files)| self.offer(folder, files));
            Dependency {
                name: team.name.clone(),
                title: line(team.title.as_deref().unwrap_or_default()),
                files: files.len(),
                folders: offers.collect(),
                more_folders: folders.len() - count,
            }
        };
        below.into_iter().map(one).collect()
    }

    fn offer(&self, folder: &str, files: &[&PlannedFile]) -> Offer {
        let mut exported: Vec<&String> = Vec::new();
        for name in files.iter().filter_map(|file| self.exports.get(&file.path)).flatten() {
            if !exported.contains(&name) {
                exported.push(name);
            }
        }
        let names: Vec<&str> = files.iter().map(|file| file.path.name()).collect();
        let is_exported = !exported.is_empty();
        let names = if is_exported { few_as_code(&exported, MOST_NAMES) } else { few_as_code(&names, MOST_NAMES / 2) };
        let folder = if folder.is_empty() { String::new() } else { line(folder) + "/" };
        Offer { folder, files: files.len(), names, exported: is_exported }
    }

    fn contract(&self, point: &IntegrationPoint, own: Option<&Team>) -> Contract {
        let others: Vec<&String> =
            point.between.iter().filter(|name| own.is_none_or(|own| own.name != **name)).collect();
        let is_all = point.between.len() == self.manifest.teams.len() && others.len() > 3;
        let artifact = point.artifact.as_ref().map(|(pattern, _)| pattern);
        let made =
            artifact.and_then(|pattern| self.state.plan.files.iter().find(|file| pattern.matches(file.path.as_str())));
        let path = point.fixed_path();
        let may = |team: &&Team| {
            let boundary = &team.boundary;
            path.as_ref().is_some_and(|path| boundary.allows(path) && boundary.forbids(path).is_none())
        };
        let writers = point.between.iter().filter_map(|name| self.manifest.team(name)).filter(may);
        let writers: Vec<&str> = writers.map(|team| team.name.as_str()).collect();
        Contract {
            name: line(&point.name),
            writers: few(&writers, 3),
            artifact: artifact.map_or_else(String::new, |pattern| line(pattern.written())),
            between: if is_all { "all teams".to_owned() } else { few(&others, 6) },
            made_by: made.map_or_else(String::new, |file| self.state.team_of(file).to_owned()),
        }
    }

    /// Slots that somebody loops over, each with the first file that is made from it.
    fn slots(&self) -> Vec<Slot> {
        let mut slots: BTreeMap<&str, &PlannedFile> = BTreeMap::new();
        for file in &self.state.plan.files {
            // Another word could not be written as a key as it stands.
            for slot in file.reads.iter().flat_map(|reads| &reads.named).filter(|slot| is_name(slot)) {
                slots.entry(slot).or_insert(file);
            }
        }
        let slot = |(name, file): (&str, &PlannedFile)| Slot {
            name: name.to_owned(),
            file: few_as_code(&[file.path.as_str()], 1),
            owner: self.state.team_of(file).to_owned(),
        };
        slots.into_iter().take(MOST_SLOTS).map(slot).collect()
    }

    fn own<'a>(&'a self, team: &'a Team) -> impl Iterator<Item = &'a Present> {
        self.present.iter().filter(|one| one.team.as_ref() == Some(&team.name))
    }

    fn mega_files(&self, team: &Team) -> MegaFiles {
        let progress = team.progress(&self.present);
        let missing = progress.iter().flat_map(|progress| &progress.deliverables).filter(|one| !one.present);
        let missing: Vec<&str> = missing.map(|one| one.name).collect();
        let wrong = validity::wrong_inputs(self.state);
        let is_own = |input: &&crate::source::Input| {
            team_of_input(input).is_some_and(|name| self.state.model.team_name(&name) == team.name)
        };
        let wrong = self.state.set.mega_files.iter().filter(is_own).filter(|input| wrong.contains(&input.file)).count();
        MegaFiles {
            folder: line(&self.folder(team)),
            wanted: progress.as_ref().map(|progress| progress.wanted),
            present: progress.map_or_else(|| self.own(team).count() as u64, |progress| progress.present),
            missing: few(&missing, 3),
            wrong,
            files: self.planned.get(team.name.as_str()).map_or(0, Vec::len),
        }
    }

    /// Where its mega-files lie, or are to lie; with `/` at the end.
    fn folder(&self, team: &Team) -> String {
        let own = self.own(team).find_map(|one| one.file.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
        let set = &self.state.set;
        own.unwrap_or_else(|| format!("{}/team-{}", display(&set.folder, &set.root), team.name)) + "/"
    }

    /// The id of the next mega-file: one that the manifest asks for, else a free number.
    fn next_id(&self, team: &Team, folder: &str) -> Option<String> {
        let is_free = |id: &String| {
            let same = |one: &Present| {
                let stem = one.file.strip_suffix(".yaml").or_else(|| one.file.strip_suffix(".yml"));
                one.id.as_ref().is_some_and(|own| id_key(own) == id_key(id))
                    || stem.is_some_and(|stem| id_key(stem) == id_key(&format!("{folder}{id}")))
            };
            is_name(id) && !self.present.iter().any(same)
        };
        let progress = team.progress(&self.present);
        let asked = progress.iter().flat_map(|progress| &progress.deliverables).filter(|one| !one.present);
        let mut asked = asked.map(|one| {
            let name = one.name.rsplit('/').next().unwrap_or(one.name);
            name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name).to_owned()
        });
        let numbered = |number: usize| format!("mega-{}-{number:03}", team.name);
        asked.find(is_free).or_else(|| (1..=self.present.len() + 1).map(numbered).find(is_free))
    }

    fn example(&self, team: &Team) -> Option<ExampleFacts> {
        let folder = self.folder(team);
        let id = self.next_id(team, &folder)?;
        let languages = self.languages(team);
        let is_taken = |path: &OutputPath| self.is_taken(path);
        let wanted = example::Wanted { team, id: &id, languages: &languages, is_taken: &is_taken };
        let Example { text, files } = example::example(&wanted)?;
        Some(ExampleFacts { path: line(&format!("{folder}{id}.yaml")), text, files: files.len() })
    }

    /// The languages of a team: what the manifest says, then what it plans so far; for a team that
    /// names none, at last what the project plans.
    fn languages(&self, team: &Team) -> Vec<&'static Language> {
        let told = team.about.languages.iter().chain(&team.about.frameworks).filter_map(|name| language::named(name));
        let own = self.planned.get(team.name.as_str()).map_or(&[][..], Vec::as_slice);
        let mut all: Vec<&'static Language> = told.collect();
        all.extend(most_used(own.iter().copied()));
        // Another team's language is a guess, which only a team that names none is better off with.
        if team.about.languages.is_empty() {
            all.extend(most_used(self.state.plan.files.iter()));
        }
        all
    }

    /// Whether somebody plans a path or has something there, or megax reads it.
    fn is_taken(&self, path: &OutputPath) -> bool {
        let key = path.key();
        let above = |claimed: &PathKey| {
            let (a, b) = (claimed.as_str(), key.as_str());
            a == b
                || b.strip_prefix(a).is_some_and(|rest| rest.starts_with('/'))
                || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'))
        };
        let on_disk = || {
            let survey = self.state.root.as_ref().map(|root| disk::survey(root, std::slice::from_ref(path)));
            survey.is_some_and(|survey| !survey.is_ok_and(|survey| matches!(survey.get(path), Some(OnDisk::Absent))))
        };
        self.reserved.holds(path)
            || self.reserved.holds_snapshot(path)
            || self.reserved.is_repository(path)
            || self.claimed.iter().any(above)
            || on_disk()
    }

    fn phases(&self) -> Vec<PhaseFacts> {
        let team = |name: &String| self.manifest.team(name).map(|team| self.of_phase(team));
        let told = |phase: &Phase| PhaseFacts {
            name: line(&phase.name),
            duration: line(phase.duration.as_deref().unwrap_or_default()),
            teams: phase.teams.iter().filter_map(team).collect(),
        };
        let named = |team: &Team| self.manifest.phases.iter().any(|phase| phase.teams.contains(&team.name));
        let mut phases: Vec<PhaseFacts> = self.manifest.phases.iter().map(told).collect();
        let mut known = BTreeMap::new();
        let mut rest: BTreeMap<usize, Vec<PhaseTeam>> = BTreeMap::new();
        for team in self.manifest.teams.iter().filter(|team| !named(team)) {
            // Beside phases of the manifest, teams without one stand together at the end.
            let depth = if phases.is_empty() { self.depth(team, &mut known) } else { 0 };
            rest.entry(depth).or_default().push(self.of_phase(team));
        }
        let is_told = !phases.is_empty();
        phases.extend(rest.into_iter().map(|(depth, teams)| {
            let name = if is_told { String::new() } else { (depth + 1).to_string() };
            PhaseFacts { name, duration: String::new(), teams }
        }));
        phases
    }

    fn of_phase(&self, team: &Team) -> PhaseTeam {
        let goals = goals_of(team);
        let parts = [(goals.files, "files"), (goals.lines, "lines")];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| !n.is_empty()).map(|(n, what)| format!("{n} {what}")).collect();
        let mega_files = self.mega_files(team);
        PhaseTeam {
            name: team.name.clone(),
            title: line(team.title.as_deref().unwrap_or_default()),
            needs: few(&team.dependencies, 5),
            goal: parts.join(", "),
            mega_files: mega_files
                .wanted
                .map_or_else(|| mega_files.present.to_string(), |wanted| format!("{} of {wanted}", mega_files.present)),
        }
    }
}

fn paths<'a>(paths: impl Iterator<Item = &'a str>, most: usize) -> String {
    few_as_code(&paths.collect::<Vec<_>>(), most)
}

fn goals_of(team: &Team) -> Goals {
    let amount = |amount: Option<&Amount>| amount.map_or_else(String::new, |amount| range(amount.min, amount.max));
    let most = |amount: Option<&Amount>| {
        amount.filter(|one| one.max < u64::MAX).map_or_else(String::new, |amount| number(amount.max))
    };
    Goals {
        files: amount(team.goals.files.as_ref()),
        lines: amount(team.goals.lines.as_ref()),
        max_files: most(team.capabilities.files.as_ref()),
        max_lines: most(team.capabilities.lines.as_ref()),
        coverage: line(team.goals.test_coverage.as_deref().unwrap_or_default()),
    }
}

fn range(min: u64, max: u64) -> String {
    match (min, max) {
        (min, u64::MAX) => format!("at least {}", number(min)),
        (min, max) if min == max => number(min),
        (0, max) => format!("at most {}", number(max)),
        (min, max) => format!("{} to {}", number(min), number(max)),
    }
}

/// The languages of files, the most used first.
fn most_used<'a>(files: impl Iterator<Item = &'a PlannedFile>) -> Vec<&'static Language> {
    let mut counts: Vec<(&'static Language, usize)> = Vec::new();
    for language in files.filter_map(|file| language::ending(file.path.as_str())) {
        match counts.iter_mut().find(|(one, _)| *one == language) {
            Some((_, count)) => *count += 1,
            None => counts.push((language, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.into_iter().map(|(language, _)| language).collect()
}

/// Reads the names off bodies as they are rendered.
#[derive(Default)]
struct Scan(Mutex<BTreeMap<OutputPath, Vec<String>>>);

impl Scan {
    fn of(state: &State<'_>, files: &[PlannedFile], watcher: &dyn Watcher) -> BTreeMap<OutputPath, Vec<String>> {
        let scan = Self::default();
        // Where they are over a limit, a brief does without the names: `validate` says what is wrong.
        match sink::within(&state.set.limits, files, &scan, watcher) {
            Ok(_) => scan.0.into_inner().unwrap_or_else(PoisonError::into_inner),
            Err(_) => BTreeMap::new(),
        }
    }
}

impl Sink for Scan {
    fn wants(&self, _: &PlannedFile) -> bool {
        true
    }

    fn take(&self, file: &PlannedFile, _: &Facts, body: &[u8]) {
        let names = exports(file.path.as_str(), body);
        if !names.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(file.path.clone(), names);
        }
    }
}
