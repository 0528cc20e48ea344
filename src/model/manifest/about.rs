//! What a manifest says about a team and its work for people and agents. Nothing here binds a run; it is said in briefs.

use crate::model::wire::ManifestWire;
use crate::model::wire::manifest::TeamWire;
use crate::model::wire::shape::StringsWire;

use super::{Team, names};

/// What is said about a team.
#[derive(Debug, Default)]
pub struct About {
    /// What it does: its responsibility, else its description.
    pub responsibility: Option<String>,
    /// Its rank, as written.
    pub priority: Option<String>,
    /// Where it may read, as written.
    pub read_paths: Vec<String>,
    /// Its programming languages.
    pub languages: Vec<String>,
    /// Its frameworks.
    pub frameworks: Vec<String>,
    /// What it is best at.
    pub specialties: Vec<String>,
}

/// A phase of the work.
#[derive(Debug)]
pub struct Phase {
    /// Its number or name.
    pub name: String,
    /// The teams, `all` resolved; in the order of the manifest.
    pub teams: Vec<String>,
    /// How long it takes, as written.
    pub duration: Option<String>,
}

/// What is said about a team.
pub(super) fn of(team: &TeamWire) -> About {
    let capabilities = team.capabilities.as_ref().map(|one| &one.value);
    let boundaries = team.boundaries.as_ref().map(|one| &one.value);
    let said = team.responsibility.as_ref().or(team.description.as_ref());
    About {
        responsibility: said.map(|said| said.value.trim().to_owned()).filter(|said| !said.is_empty()),
        priority: team.priority.as_ref().map(|priority| priority.value.0.clone()),
        read_paths: texts(boundaries.and_then(|one| one.read_paths.as_ref())),
        languages: texts(capabilities.and_then(|one| one.languages.as_ref())),
        frameworks: texts(capabilities.and_then(|one| one.frameworks.as_ref())),
        specialties: texts(capabilities.and_then(|one| one.specialties.as_ref())),
    }
}

fn texts(list: Option<&StringsWire>) -> Vec<String> {
    list.map_or(&[][..], StringsWire::as_slice).iter().map(|text| text.value.clone()).collect()
}

/// The phases. Names that mean no team were reported before.
pub(super) fn phases(wire: &ManifestWire, teams: &[Team]) -> Vec<Phase> {
    let rules = wire.coordination_rules.as_ref();
    let phases = rules.and_then(|rules| rules.value.integration_sequence.as_ref()).into_iter().flatten();
    let phase = |(number, phase): (usize, &crate::source::decode::Spanned<_>)| {
        let phase: &crate::model::wire::manifest::PhaseWire = &phase.value;
        let asked = names::asked(phase.teams.as_ref());
        let is_in = |team: &Team| {
            asked.iter().any(|one| one.is_all() || one.means(teams).is_some_and(|meant| meant.name == team.name))
        };
        Phase {
            name: phase.phase.as_ref().map_or_else(|| number.to_string(), |name| name.value.0.clone()),
            teams: teams.iter().filter(|team| is_in(team)).map(|team| team.name.clone()).collect(),
            duration: phase.duration.as_ref().map(|duration| duration.value.0.clone()),
        }
    };
    (1..).zip(phases).map(phase).collect()
}
