//! What the reservations of a project mean for a plan: who was there first.
//!
//! A reservation never grants a path, it only settles whose mistake a collision is. Of a readable mega-file it counts
//! where that plans the path now; of one that is gone or unreadable it claims its paths against the other teams. Nobody
//! reserves what lies outside its own team's boundary. Pure: the texts are read and judged elsewhere.

use std::collections::BTreeMap;

use crate::name::id_key;
use crate::path::{OutputPath, PathKey};

/// What has become of the mega-file that reserved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// It is readable: the reservation counts where it plans the path.
    Readable,
    /// It is there and cannot be read: all of the reservation counts.
    Unreadable,
    /// No mega-file has the id: all of the reservation counts, until it is taken away.
    Gone,
    /// It belongs to another team now, which is named: the reservation counts for nothing.
    Moved(String),
    /// The manifest does not name the team: the reservation counts for nothing.
    UnknownTeam,
}

/// The reservation of one mega-file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where it lies, relative to the output root.
    pub place: String,
    /// The team, in its one spelling.
    pub team: String,
    /// The id of the mega-file, as reserved.
    pub mega_file: String,
    /// What has become of the mega-file.
    pub holder: Holder,
    /// The paths, by their places.
    pub paths: BTreeMap<PathKey, OutputPath>,
}

impl Held {
    /// Whether it claims its paths by itself, since no mega-file can be asked.
    #[must_use]
    pub fn claims(&self) -> bool {
        matches!(self.holder, Holder::Unreadable | Holder::Gone)
    }
}

/// All reservations of a project.
#[derive(Debug, Clone, Default)]
pub struct Reservations {
    all: Vec<Held>,
    /// Those of readable mega-files, by team and id.
    readable: BTreeMap<(String, String), Vec<usize>>,
}

impl Reservations {
    /// Takes reservations, in the order of their places.
    #[must_use]
    pub fn new(mut all: Vec<Held>) -> Self {
        all.sort_by(|a, b| a.place.cmp(&b.place));
        let mut readable: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (index, held) in all.iter().enumerate().filter(|(_, held)| held.holder == Holder::Readable) {
            readable.entry((held.team.clone(), id_key(&held.mega_file))).or_default().push(index);
        }
        Self { all, readable }
    }

    /// Every one, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Held> {
        self.all.iter()
    }

    /// Those of a readable mega-file.
    pub fn of(&self, team: &str, id: &str) -> impl Iterator<Item = &Held> {
        let own = self.readable.get(&(team.to_owned(), id_key(id)));
        own.into_iter().flatten().filter_map(|&index| self.all.get(index))
    }

    /// Whether a readable mega-file has reserved a place.
    #[must_use]
    pub fn holds(&self, team: &str, id: &str, place: &PathKey) -> bool {
        !self.readable.is_empty() && self.of(team, id).any(|held| held.paths.contains_key(place))
    }

    /// Who has reserved the place of a path. Whether a readable mega-file still plans it is not asked here.
    pub fn at(&self, path: &OutputPath) -> impl Iterator<Item = &Held> {
        let key = path.key();
        let counts = |held: &&Held| held.claims() || held.holder == Holder::Readable;
        self.all.iter().filter(counts).filter(move |held| held.paths.contains_key(&key))
    }
}
