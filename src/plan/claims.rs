//! Zero collision: one place has one producer among all teams of the project, also those that this run leaves alone.
//!
//! Places are compared by their folded keys, and a file may not stand where another file needs a folder. A mega-file
//! that is gone or unreadable claims what its lockfile shard lists, and one that detached a file claims that. Nobody claims what lies outside its own team's
//! boundary: a draft cannot hold up the team that owns the place.

use std::collections::BTreeMap;

use super::{Plan, PlannedFile};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{MegaFile, Model};
use crate::name::id_key;
use crate::path::{OutputPath, PathKey};
use crate::span::Span;

/// A path that somebody plans.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The path as planned.
    pub path: OutputPath,
    /// The YAML line; `None` for a lockfile shard.
    pub origin: Option<Span>,
    /// The team.
    pub team: String,
    /// The mega-file's id.
    pub mega_file: String,
    /// Rule and item, for people.
    pub who: String,
    /// Whether this run expands it.
    pub selected: bool,
    /// The item of its loop.
    pub item: Option<String>,
    /// Whether it is one of a file that was detached: then only the others are held.
    pub detached: bool,
}

/// What the lockfile shard of a mega-file claims that is gone or unreadable, or that left files to people.
#[derive(Debug, Clone)]
pub struct ShardClaims {
    /// The team.
    pub team: String,
    /// The mega-file's id.
    pub mega_file: String,
    /// Its paths.
    pub paths: Vec<OutputPath>,
    /// Whether they were detached: then they are claimed against other teams only, and for good.
    pub detached: bool,
}

impl Claim {
    /// The claim of a planned file.
    #[must_use]
    pub fn of(file: &PlannedFile, mega: &MegaFile) -> Self {
        let item = file.item.as_ref().map_or_else(String::new, |item| format!(", item `{item}`"));
        Self {
            path: file.path.clone(),
            origin: Some(file.origin),
            team: mega.team.clone(),
            mega_file: mega.id.clone(),
            who: format!("team {}, mega-file `{}`, rule {}{item}", mega.team, mega.id, file.rule),
            selected: mega.selected,
            item: file.item.clone(),
            detached: false,
        }
    }
}

/// One finding for every place that two producers plan, as far as a selected mega-file is concerned.
#[must_use]
pub fn check(model: &Model, plan: &Plan, shards: &[ShardClaims]) -> Vec<Diagnostic> {
    let selected = plan.files.iter().filter_map(|file| Some(Claim::of(file, model.mega_files.get(file.mega_file)?)));
    let mut claims: Vec<(PathKey, Claim)> =
        selected.chain(plan.neighbours.iter().cloned()).map(|claim| (claim.path.key(), claim)).collect();
    let planned: BTreeMap<PathKey, Claim> = claims.iter().cloned().collect();
    for shard in shards.iter().filter(|shard| shard.detached) {
        let others = shard.paths.iter().filter(|path| {
            let team = model.team_name(&shard.team);
            let own = |claim: &Claim| claim.team == team || id_key(&claim.mega_file) == id_key(&shard.mega_file);
            planned.get(&path.key()).is_some_and(|claim| !own(claim))
        });
        claims.extend(others.map(|path| (path.key(), shard_claim(shard, path))));
    }
    for shard in shards.iter().filter(|shard| !shard.detached).chain(&plan.recorded) {
        claims.extend(shard.paths.iter().map(|path| (path.key(), shard_claim(shard, path))));
    }
    claims.retain(|(_, claim)| may_claim(model, claim));
    // Sorted by key, so that equal places stand together and a file stands before what lies below it.
    claims.sort();
    let mut findings = Vec::new();
    for group in claims.chunk_by(|(a, _), (b, _)| a == b).filter(|group| group.len() > 1) {
        let group: Vec<&Claim> = group.iter().map(|(_, claim)| claim).collect();
        findings.extend(same_place(&group));
    }
    let files: BTreeMap<&str, &Claim> = claims.iter().rev().map(|(key, claim)| (key.as_str(), claim)).collect();
    for (key, below) in &claims {
        let mut folder = key.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            folder = parent;
            if let Some(file) = files.get(folder) {
                findings.extend(file_and_folder(file, below));
            }
        }
    }
    findings
}

/// Whether the boundary of the claim's own team lets it write there. If not, that team is told so when it is selected.
fn may_claim(model: &Model, claim: &Claim) -> bool {
    let team = model.manifest.as_ref().and_then(|manifest| manifest.team(&claim.team));
    team.is_none_or(|team| team.boundary.forbids(&claim.path).is_none() && team.boundary.allows(&claim.path))
}

fn shard_claim(shard: &ShardClaims, path: &OutputPath) -> Claim {
    let how = if shard.detached { "which detached it from" } else { "the lockfile of" };
    Claim {
        path: path.clone(),
        origin: None,
        team: shard.team.clone(),
        mega_file: shard.mega_file.clone(),
        who: format!("team {}, {how} mega-file `{}`", shard.team, shard.mega_file),
        selected: false,
        item: None,
        detached: shard.detached,
    }
}

/// A finding that names both producers and holds both teams; `None` if neither is selected.
fn both(code: Code, message: String, one: &Claim, two: &Claim) -> Option<Diagnostic> {
    if !one.selected && !two.selected {
        return None;
    }
    // The primary place is one that this run was asked to expand.
    let (first, second) = if one.selected { (one, two) } else { (two, one) };
    let mut finding = Diagnostic::new(code, message).label(format!("planned here by {}", first.who));
    finding.span = first.origin;
    let finding = finding.related(second.origin, format!("and by {}", second.who));
    // Whoever left the file to people did so first.
    let held = [first, second].into_iter().filter(|claim| !claim.detached);
    Some(held.fold(finding, |finding, claim| finding.team(claim.team.clone())))
}

fn same_place(group: &[&Claim]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for pair in group.windows(2) {
        let &[one, two] = pair else { continue };
        let detached = [one, two].into_iter().find(|claim| claim.detached);
        let (code, message, help) = if one.path == two.path {
            let message = format!("`{}` is planned twice: by {} and by {}", one.path, one.who, two.who);
            let (message, help) = match (namesakes(one, two), one.mega_file == two.mega_file && one.team == two.team) {
                (Some(name), _) => {
                    let message =
                        format!("`{}` is planned twice: two items are both called `{name}` ({})", one.path, one.who);
                    (message, "make the names of the items differ, or remove one of them")
                }
                (None, true) if one.item == two.item => (message, "leave one of the two out, or change its path"),
                (None, true) => (message, "put the item into the path (`{entity}`), or leave one of the rules out"),
                (None, false) => {
                    (message, "one path has one producer: change one of the paths, or leave it to one team")
                }
            };
            (Code::Collision, message, help)
        } else {
            let message = format!(
                "`{}` and `{}` are one place on some file systems: planned by {} and by {}",
                one.path, two.path, one.who, two.who
            );
            (Code::CaseCollision, message, "spell the path in one way, or change one of them")
        };
        let help = match detached {
            Some(claim) => format!(
                "plan another path; or `megax adopt {}` takes the file from team {} again, whose next run gives it up if no \
                 mega-file of the team plans it",
                claim.path, claim.team
            ),
            None => help.to_owned(),
        };
        findings.extend(both(code, message, one, two).map(|finding| finding.help(help)));
    }
    findings
}

/// The name that two items of one loop share, when one entry of a rule plans a path for both. With different names only
/// the path is at fault.
fn namesakes<'c>(one: &'c Claim, two: &Claim) -> Option<&'c str> {
    let same_entry = one.origin.is_some() && one.origin == two.origin;
    one.item.as_deref().filter(|_| same_entry && one.item == two.item)
}

fn file_and_folder(file: &Claim, below: &Claim) -> Option<Diagnostic> {
    let message = format!(
        "`{}` is a file (by {}), but `{}` (by {}) needs a folder of that name",
        file.path, file.who, below.path, below.who
    );
    both(Code::FolderCollision, message, below, file).map(|finding| finding.help("rename the file or the folder"))
}
