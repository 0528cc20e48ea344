//! The reservations of the output root: read, and judged by what has become of their mega-files. Every command that plans
//! sees them the same way, also one that looks at nothing else of the output.
//!
//! One that cannot be read counts for nothing and holds nobody: it is a warning, and `megax review --lock` writes it anew.

use std::collections::{BTreeMap, BTreeSet};

use super::shards::Unreadable;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lockfile::{CLAIM_ENDING, Reservation};
use crate::model::Model;
use crate::name::id_key;
use crate::plan::{Held, Holder, Reservations};
use crate::source::SourceSet;

/// The reservations with the texts that they were read from.
#[derive(Debug, Default, Clone)]
pub struct Claims {
    /// The texts as they were read, to see whether another run changed them meanwhile.
    pub texts: Vec<(String, String)>,
    /// What they mean.
    pub reservations: Reservations,
    /// Those that cannot be read.
    pub damaged: Vec<DamagedReservation>,
}

/// A reservation that cannot be read.
#[derive(Debug, Clone)]
pub struct DamagedReservation {
    /// Where it lies, relative to the output root.
    pub place: String,
    /// Whether no mega-file can write it anew, and no newer megax wrote it.
    pub is_over: bool,
}

/// Parses the reservations and says what each is worth.
pub fn classify(texts: Vec<(String, String)>, set: &SourceSet, model: &Model, findings: &mut Diagnostics) -> Claims {
    // An id that stands twice is an error of its own; until it is mended, nobody loses a reservation by it.
    let mut teams: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for mega in &model.mega_files {
        teams.entry(id_key(&mega.id)).or_default().insert(&mega.team);
    }
    let unreadable = Unreadable::of(set, model);
    let is_known =
        |team: &str| model.manifest.as_ref().is_none_or(|all| all.teams.is_empty() || all.team(team).is_some());
    let holder = |team: &str, id: &str| match teams.get(&id_key(id)) {
        _ if !is_known(team) => Holder::UnknownTeam,
        Some(now) if now.contains(team) => Holder::Readable,
        _ if unreadable.may_be(team, id) => Holder::Unreadable,
        Some(now) => Holder::Moved(now.iter().copied().collect::<Vec<_>>().join(", ")),
        None if !set.is_whole => Holder::Unreadable,
        None => Holder::Gone,
    };
    let mut claims = Claims::default();
    let mut all = Vec::new();
    for (place, text) in &texts {
        let found = match Reservation::read(place, text) {
            Ok(found) => found,
            Err(error) => {
                let why = error.to_string();
                findings.push(damaged((place, text), &why, model));
                let (team, id) = owner(place).unwrap_or_default();
                let is_over = matches!(holder(&model.team_name(team), id), Holder::Gone | Holder::Moved(_));
                let is_over = is_over && !Reservation::is_newer(text);
                claims.damaged.push(DamagedReservation { place: place.clone(), is_over });
                continue;
            }
        };
        let team = model.team_name(&found.team);
        let holder = holder(&team, &found.mega_file);
        let paths = found.paths.into_iter().map(|path| (path.key(), path)).collect();
        all.push(Held { place: place.clone(), team, mega_file: found.mega_file, holder, paths });
    }
    claims.texts = texts;
    claims.reservations = Reservations::new(all);
    claims
}

/// The team and the id that the place of a reservation names.
pub fn owner(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(".megax/lock/")?.strip_suffix(CLAIM_ENDING)?.split_once('/')
}

fn damaged((path, text): (&str, &str), why: &str, model: &Model) -> Diagnostic {
    let team = model.team_name(owner(path).map_or("", |(team, _)| team));
    let help = if Reservation::is_newer(text) {
        "a newer megax wrote it: use that one, or restore the file from version control"
    } else {
        "`megax review --lock` writes it anew, from what its mega-file plans now, or takes it away; until then nothing is \
         reserved by it"
    };
    let message = format!("this reservation cannot be read: {why}");
    Diagnostic::new(Code::DamagedReservation, message).about(path).help(help).team(team)
}
