//! The lockfile shards of the output root: read, parsed, and sorted into those of readable mega-files, those that still
//! claim, and those whose files may go.

use std::collections::BTreeSet;

use super::reservations::{self, Claims};
use crate::change::Shard;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::disk::{self, DiskError, Root};
use crate::lockfile::{is_name, is_newer};
use crate::model::Model;
use crate::name::id_key;
use crate::path::OutputPath;
use crate::plan::ShardClaims;
use crate::source::{self, SourceSet, Tree};

/// What the shards mean for this run.
#[derive(Debug, Default, Clone)]
pub struct Shards {
    /// The texts as they were read, to see whether another run changed them meanwhile.
    pub texts: Vec<(String, String)>,
    /// All that can be read.
    pub all: Vec<Shard>,
    /// Claims of mega-files that are gone or unreadable.
    pub claims: Vec<ShardClaims>,
    /// What is recorded of every mega-file.
    pub records: Vec<ShardClaims>,
    /// The paths that were detached.
    pub detached: BTreeSet<OutputPath>,
    /// The shards that cannot be read.
    pub damaged: Vec<DamagedShard>,
    /// Shards of selected teams whose mega-file is gone: their files are orphans.
    pub gone: BTreeSet<(String, String)>,
    /// The reservations beside them.
    pub reserved: Claims,
}

/// The texts of the shards and of the reservations: path relative to the output root, and text; sorted by path.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Of the shards.
    pub shards: Vec<(String, String)>,
    /// Of the reservations.
    pub reservations: Vec<(String, String)>,
}

impl Texts {
    /// Reads all of them.
    ///
    /// # Errors
    /// Some cannot be read.
    pub fn read(root: &Root) -> Result<Self, DiskError> {
        Ok(Self { shards: disk::read_shards(root)?, reservations: disk::read_reservations(root)? })
    }
}

/// A shard that cannot be read.
#[derive(Debug, Clone)]
pub struct DamagedShard {
    /// Where it lies, relative to the output root.
    pub path: String,
    /// Its text, as far as it is one.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads the shards and reservations of the output root, if that could be opened.
pub fn read(opened: Result<Root, DiskError>, findings: &mut Diagnostics) -> (Option<Root>, Texts) {
    let opened = opened.and_then(|root| Ok((Texts::read(&root)?, root)));
    match opened {
        Ok((texts, root)) => (Some(root), texts),
        Err(error) => {
            findings.push(super::apply::disk_finding(&error));
            (None, Texts::default())
        }
    }
}

/// Reads the reservations alone: what a run needs that looks at nothing else of the output.
pub fn read_reservations(opened: Result<Root, DiskError>, findings: &mut Diagnostics) -> Texts {
    match opened.and_then(|root| disk::read_reservations(&root)) {
        Ok(reservations) => Texts { shards: Vec::new(), reservations },
        Err(error) => {
            findings.push(super::apply::disk_finding(&error));
            Texts::default()
        }
    }
}

/// Parses the shards and decides what each means. A shard is gone when no mega-file has its id and its source was read
/// or is no longer there; else its paths stay claimed. A damaged shard holds its team if that is selected.
pub fn classify(
    texts: Texts,
    set: &SourceSet,
    model: &Model,
    teams: &BTreeSet<String>,
    findings: &mut Diagnostics,
) -> Shards {
    let readable: BTreeSet<String> = model.mega_files.iter().map(|mega| id_key(&mega.id)).collect();
    let unreadable = Unreadable::of(set, model);
    let mut shards =
        Shards { reserved: reservations::classify(texts.reservations, set, model, findings), ..Shards::default() };
    let texts = texts.shards;
    for (path, text) in &texts {
        let shard = match Shard::read(path, text) {
            Ok(shard) => shard,
            Err(error) => {
                let why = error.to_string();
                findings.push(damaged((path.as_str(), text.as_str()), &why, teams, model));
                shards.damaged.push(DamagedShard { path: path.clone(), text: text.clone(), why });
                continue;
            }
        };
        let (team, id) = (shard.lockfile.team.clone(), shard.lockfile.mega_file.clone());
        let claims = |paths, detached| ShardClaims { team: team.clone(), mega_file: id.clone(), paths, detached };
        let paths: Vec<_> = shard.lockfile.entries.keys().cloned().collect();
        shards.records.push(claims(paths.clone(), false));
        let detached = shard.lockfile.entries.iter().filter(|(_, entry)| entry.is_detached());
        let detached: Vec<_> = detached.map(|(path, _)| path.clone()).collect();
        shards.detached.extend(detached.iter().cloned());
        let mut claimed = false;
        if !readable.contains(&id_key(&id)) {
            let left = shard.lockfile.source.as_deref().is_some_and(|source| is_left(set, source));
            if left
                && set.is_whole
                && teams.contains(&model.team_name(&team))
                && !unreadable.may_be(&model.team_name(&team), &id)
            {
                shards.gone.insert((team.clone(), id.clone()));
            } else {
                shards.claims.push(claims(paths, false));
                claimed = true;
            }
        }
        if !claimed && !detached.is_empty() {
            shards.claims.push(claims(detached, true));
        }
        shards.all.push(shard);
    }
    shards.texts = texts;
    shards
}

/// Whether a mega-file has given its outputs up: its file was read and has another id now, or it is no longer there.
/// Outside of the project nobody can say.
pub fn is_left(set: &SourceSet, source: &str) -> bool {
    let was_read = || set.mega_files.iter().any(|input| set.sources.name(input.file) == source);
    was_read() || !set.project.as_ref().is_some_and(|root| source::read::exists(root, source))
}

/// Mega-files that are there, but are not in the model.
pub struct Unreadable {
    /// Their ids, where the text gives one.
    ids: BTreeSet<String>,
    /// The teams of those without an id; `None` stands for a mega-file without a team, too.
    teams: BTreeSet<Option<String>>,
}

impl Unreadable {
    pub fn of(set: &SourceSet, model: &Model) -> Self {
        let valid: BTreeSet<_> = model.mega_files.iter().map(crate::model::MegaFile::file).collect();
        let mut unreadable = Self { ids: BTreeSet::new(), teams: BTreeSet::new() };
        for input in set.mega_files.iter().filter(|input| !valid.contains(&input.file)) {
            let text = set.sources.get(input.file).map_or("", crate::span::SourceFile::text);
            // What a text in the middle of an edit says may be anything.
            match id_of(input.tree.as_deref(), text).filter(|id| is_name(id)) {
                Some(id) => drop(unreadable.ids.insert(id_key(&id))),
                None => {
                    unreadable.teams.insert(super::team_of_input(input).map(|team| model.team_name(&team)));
                }
            }
        }
        unreadable
    }

    pub fn may_be(&self, team: &str, id: &str) -> bool {
        self.ids.contains(&id_key(id)) || self.teams.contains(&None) || self.teams.contains(&Some(team.to_owned()))
    }
}

/// The id of a mega-file, as far as it can be told from a broken text.
pub fn id_of(tree: Option<&Tree>, text: &str) -> Option<String> {
    let named = tree.and_then(|tree| tree.text(tree.get(tree.root(), "id")?)).map(str::to_owned);
    let line = || text.lines().find_map(|line| line.strip_prefix("id:"));
    let bare = |value: &str| value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']).to_owned();
    named.or_else(|| line().map(bare)).filter(|id| !id.is_empty())
}

/// The team and the id that the place of a shard names.
pub fn place(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(".megax/lock/")?.strip_suffix(".lock")?.split_once('/')
}

/// An error for a shard that cannot be read.
pub fn unreadable((path, text): (&str, &str), why: &str) -> Diagnostic {
    let help = if is_newer(text) {
        "a newer megax wrote it: use that one, or restore the file from version control"
    } else {
        "`megax repair` rebuilds it from the plan and the disk, without touching an output; or take one side of the merge, \
         or restore it from version control"
    };
    Diagnostic::new(Code::DamagedLockfile, format!("this lockfile cannot be read: {why}")).about(path).help(help)
}

fn damaged(shard: (&str, &str), why: &str, teams: &BTreeSet<String>, model: &Model) -> Diagnostic {
    let team = model.team_name(place(shard.0).map_or("", |(team, _)| team));
    let selected = teams.contains(&team);
    unreadable(shard, why).severity(if selected { Severity::Error } else { Severity::Warning }).team(team)
}
