//! Which files a repair is asked for: teams, files, folders and patterns.

use std::collections::BTreeSet;

use super::RepairRequest;
use crate::diagnostic::Diagnostics;
use crate::glob::PathPattern;
use crate::lockfile::salvage;
use crate::path::OutputPath;
use crate::pipeline::naming::candidates;
use crate::pipeline::shards::place;
use crate::pipeline::{State, only};
use crate::source::load::normal;

/// Which files are to be repaired.
pub struct Wanted {
    pub teams: BTreeSet<String>,
    pub files: BTreeSet<OutputPath>,
    pub patterns: Vec<PathPattern>,
}

impl Wanted {
    /// Each word is a team, a file or folder, or a pattern.
    pub fn of(asked: &RepairRequest, state: &State<'_>) -> Result<Self, Diagnostics> {
        let mut wanted = Self { teams: BTreeSet::new(), files: BTreeSet::new(), patterns: Vec::new() };
        let salvaged: Vec<_> = state.shards.damaged.iter().map(|one| salvage(&one.text)).collect();
        let recorded = state.shards.all.iter().flat_map(|shard| shard.lockfile.entries.keys());
        let recorded = recorded.chain(salvaged.iter().flat_map(|one| one.entries.keys()));
        let paths: BTreeSet<&OutputPath> = recorded.chain(state.plan.files.iter().map(|file| &file.path)).collect();
        let teams = known_teams(state);
        let mut patterns = Vec::new();
        for word in &asked.what {
            let team = state.model.team_name(word);
            if teams.contains(&team) {
                wanted.teams.insert(team);
                continue;
            }
            let named = candidates(&state.set.out, &asked.inputs.current, word);
            let is_root = normal(&asked.inputs.current.join(word)) == state.set.out;
            let is_named = |path: &OutputPath| {
                is_root || named.iter().any(|name| path == name || path.as_str().starts_with(&format!("{name}/")))
            };
            let files: Vec<OutputPath> =
                paths.iter().filter(|path| is_named(path)).map(|path| (*path).clone()).collect();
            if files.is_empty() {
                patterns.push(word.clone());
            }
            wanted.files.extend(files);
        }
        let patterns = only::parse(&patterns)?.unwrap_or_default();
        let missed = only::unmatched("repair", &patterns, &paths.iter().copied());
        if !missed.is_empty() {
            return Err(missed);
        }
        wanted.patterns = patterns;
        Ok(wanted)
    }

    fn is_all(&self) -> bool {
        self.teams.is_empty() && self.files.is_empty() && self.patterns.is_empty()
    }

    pub fn has_team(&self, team: &str) -> bool {
        self.is_all() || self.teams.contains(team)
    }

    pub fn has(&self, team: &str, path: &OutputPath) -> bool {
        self.has_team(team)
            || self.files.contains(path)
            || self.patterns.iter().any(|pattern| pattern.matches(path.as_str()))
    }
}

fn known_teams(state: &State<'_>) -> BTreeSet<String> {
    let told = state.model.manifest.iter().flat_map(|manifest| &manifest.teams).map(|team| team.name.clone());
    let recorded = state.shards.all.iter().map(|shard| state.model.team_name(&shard.lockfile.team));
    let damaged = state.shards.damaged.iter().filter_map(|one| Some(state.model.team_name(place(&one.path)?.0)));
    told.chain(recorded).chain(damaged).chain(state.teams.iter().cloned()).collect()
}
