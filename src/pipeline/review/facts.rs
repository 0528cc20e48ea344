//! What a review shows: how every team, mega-file, artefact and slot stands, and in which order the teams can go.

use std::collections::{BTreeMap, BTreeSet};

use super::reasons::{Known, reasons};
use super::{Wanted, is_wanted};
use crate::change::OnDisk;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, with_lf};
use crate::disk;
use crate::model::{IntegrationPoint, Manifest};
use crate::path::OutputPath;
use crate::pipeline::{State, status};
use crate::plan::{Held, Holder};
use crate::report::review::{MegaFileReview, PointReview, PointState, SlotReview, TeamReview};
use crate::report::status::TeamStatus;
use crate::report::{count, number};
use crate::span::SourceFile;

/// Paths that a finding names at most.
const MOST_NAMED: usize = 3;

/// Everything but the findings.
pub struct Facts {
    pub teams: Vec<TeamReview>,
    pub mega_files: Vec<MegaFileReview>,
    pub points: Vec<PointReview>,
    pub slots: Vec<SlotReview>,
    pub stages: Vec<Vec<String>>,
    /// Reservations that nobody needs: the finding of each.
    idle: Vec<Diagnostic>,
}

impl Facts {
    /// Gathers them; the project was rendered.
    pub fn of(state: &State<'_>) -> Self {
        let standing = status::teams(state, &status::mega_files(state), &[]);
        let mega_files = mega_files(state);
        let manifest = state.model.manifest.as_ref();
        let known = Known::of(state);
        let team = |status: TeamStatus| {
            let own = || mega_files.iter().filter(|one| one.status.team.as_deref() == Some(status.team.as_str()));
            let dependencies = manifest.and_then(|all| all.team(&status.team)).map(|team| team.dependencies.clone());
            TeamReview {
                dependencies: dependencies.unwrap_or_default(),
                paths: own().map(|one| one.paths).sum(),
                reserved: own().map(|one| one.reserved).sum(),
                reasons: reasons(state, &known, &status),
                status,
            }
        };
        let teams: Vec<TeamReview> = standing.into_iter().map(team).collect();
        let stages = stages(&teams);
        let points = manifest.map_or_else(Vec::new, |manifest| points(state, manifest));
        Self { stages, points, slots: slots(state), idle: idle(state), teams, mega_files }
    }

    /// A note for every reservation of these teams that nobody needs.
    pub fn idle(&self, wanted: &Wanted) -> Vec<Diagnostic> {
        let concerns = |one: &&Diagnostic| one.teams.iter().all(|team| is_wanted(wanted, team));
        self.idle.iter().filter(concerns).cloned().collect()
    }
}

fn mega_files(state: &State<'_>) -> Vec<MegaFileReview> {
    let mut planned: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for file in &state.plan.files {
        let Some(mega) = state.model.mega_files.get(file.mega_file) else { continue };
        let (paths, reserved) = planned.entry(file.mega_file).or_default();
        *paths += 1;
        *reserved += u64::from(state.shards.reserved.reservations.holds(&mega.team, &mega.id, &file.path.key()));
    }
    let inputs = state.set.mega_files.iter();
    let of_input = |(input, status): (&crate::source::Input, _)| {
        let found = state.model.mega_files.iter().enumerate().find(|(_, mega)| mega.file() == input.file);
        let (paths, reserved) = found.and_then(|(index, _)| planned.get(&index).copied()).unwrap_or_default();
        let slots: BTreeSet<&String> =
            found.iter().flat_map(|(_, mega)| &mega.contributions).map(|one| &one.slot).collect();
        let dependencies =
            found.map_or_else(Vec::new, |(_, mega)| mega.dependencies.iter().map(|(text, _)| text.clone()).collect());
        let text = state.set.sources.get(input.file).map_or("", SourceFile::text);
        let digest = Digest::of(with_lf(text).as_bytes());
        MegaFileReview {
            status,
            digest,
            paths,
            reserved,
            dependencies,
            contributes: slots.into_iter().cloned().collect(),
        }
    };
    inputs.zip(status::mega_files(state)).map(of_input).collect()
}

/// Teams that can go at the same time: each stage holds those that need only teams of earlier ones.
fn stages(teams: &[TeamReview]) -> Vec<Vec<String>> {
    let mut stages: Vec<Vec<String>> = Vec::new();
    let mut left: Vec<&TeamReview> = teams.iter().collect();
    while !left.is_empty() {
        let waits = |one: &TeamReview| left.iter().any(|other| one.dependencies.contains(&other.status.team));
        let (later, now): (Vec<&TeamReview>, Vec<&TeamReview>) = left.iter().partition(|one| waits(one));
        if now.is_empty() {
            // A circle, which the manifest does not allow.
            return Vec::new();
        }
        stages.push(now.into_iter().map(|one| one.status.team.clone()).collect());
        left = later;
    }
    stages
}

fn points(state: &State<'_>, manifest: &Manifest) -> Vec<PointReview> {
    let mut points: Vec<PointReview> = manifest.integration_points.iter().map(|point| planned(state, point)).collect();
    let open = |one: &PointReview| one.state == PointState::Unknown;
    let both = || manifest.integration_points.iter().zip(&points).filter(|(_, one)| open(one));
    let paths: Vec<OutputPath> = both().filter_map(|(point, _)| point.fixed_path()).collect();
    let Some(Ok(survey)) = state.root.as_ref().map(|root| disk::survey(root, &paths)) else { return points };
    for (point, one) in manifest.integration_points.iter().zip(&mut points) {
        if !open(one) {
            continue;
        }
        one.state = match point.fixed_path().and_then(|path| survey.get(&path).cloned()) {
            Some(OnDisk::Absent | OnDisk::Below(_)) => PointState::Missing,
            Some(OnDisk::File { .. } | OnDisk::Other(_)) => PointState::OnDisk,
            // Of a pattern without a folder nobody can say by name.
            Some(OnDisk::Unreadable | OnDisk::Reserved(_)) | None => PointState::Unknown,
        };
    }
    points
}

/// Whether a mega-file plans the artefact of a point.
fn planned(state: &State<'_>, point: &IntegrationPoint) -> PointReview {
    let mut producers: BTreeSet<(String, String)> = BTreeSet::new();
    if let Some((artifact, _)) = &point.artifact {
        let files = state.plan.files.iter().filter(|file| artifact.matches(file.path.as_str()));
        let by = files.filter_map(|file| state.model.mega_files.get(file.mega_file));
        producers.extend(by.map(|mega| (mega.team.clone(), mega.id.clone())));
    }
    let state = match &point.artifact {
        None => PointState::Unnamed,
        Some(_) if !producers.is_empty() => PointState::Planned,
        Some(_) => PointState::Unknown,
    };
    PointReview {
        name: point.name.clone(),
        between: point.between.clone(),
        artifact: point.artifact.as_ref().map(|(artifact, _)| artifact.written().to_owned()),
        state,
        producers: producers.into_iter().collect(),
    }
}

fn slots(state: &State<'_>) -> Vec<SlotReview> {
    let name = |index: usize| {
        let mega = state.model.mega_files.get(index)?;
        Some((mega.team.clone(), mega.id.clone()))
    };
    let names = |indices: &mut dyn Iterator<Item = usize>| {
        let names: BTreeSet<_> = indices.filter_map(name).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let one = |(slot, by): (&String, &Vec<usize>)| {
        let mut readers = state.plan.reads.iter().enumerate().filter(|(_, reads)| reads.holds(slot)).map(|(at, _)| at);
        let readers = names(&mut readers);
        SlotReview { slot: slot.clone(), contributors: names(&mut by.iter().copied()), readers }
    };
    state.plan.contributions.contributors.iter().map(one).collect()
}

/// A note for every reservation that nobody needs, or that counts for nothing.
fn idle(state: &State<'_>) -> Vec<Diagnostic> {
    let mut planned: BTreeMap<(&str, String), BTreeSet<_>> = BTreeMap::new();
    for file in &state.plan.files {
        if let Some(mega) = state.model.mega_files.get(file.mega_file) {
            let key = (mega.team.as_str(), crate::name::id_key(&mega.id));
            planned.entry(key).or_default().insert(file.path.key());
        }
    }
    let none = BTreeSet::new();
    let all = state.shards.reserved.reservations.iter();
    all.filter_map(|held| {
        let own = planned.get(&(held.team.as_str(), crate::name::id_key(&held.mega_file))).unwrap_or(&none);
        let left: Vec<&OutputPath> =
            held.paths.iter().filter(|(key, _)| !own.contains(key)).map(|(_, path)| path).collect();
        let is_broken = state.plan.broken.contains(&(held.team.clone(), crate::name::id_key(&held.mega_file)));
        let (what, help) = why_idle(held, &left).filter(|_| !is_broken)?;
        Some(Diagnostic::new(Code::IdleReservation, what).about(held.place.as_str()).help(help).team(held.team.clone()))
    })
    .collect()
}

fn why_idle(held: &Held, left: &[&OutputPath]) -> Option<(String, String)> {
    let Held { team, mega_file, .. } = held;
    let lock = "`megax review --lock` takes it away".to_owned();
    Some(match &held.holder {
        Holder::Readable if left.is_empty() => return None,
        Holder::Readable => {
            let named: Vec<String> = left.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
            let more = left.len().saturating_sub(MOST_NAMED) as u64;
            let more = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
            let paths = count(left.len() as u64, "path");
            let what =
                format!("reserves {paths} that `{mega_file}` does not plan any more: {}{more}", named.join(", "));
            (what, "they are free for everybody; `megax review --lock` brings the reservation up to date".to_owned())
        }
        Holder::Unreadable => return None,
        Holder::Gone => {
            let what = format!("no mega-file of the project has the id `{mega_file}`; its paths stay team {team}'s");
            (
                what,
                format!(
                    "`megax review {team} --unlock` gives them up, `megax review {team} --lock` reserves the rest again"
                ),
            )
        }
        Holder::Moved(now) => {
            (format!("`{mega_file}` is a mega-file of team {now} now, so this counts for nothing"), lock)
        }
        Holder::UnknownTeam => (
            format!("the manifest names no team `{team}`, so this counts for nothing"),
            format!("`megax review {team} --unlock` takes it away"),
        ),
    })
}
