//! Zero collision: one place has one producer among all teams of the project, also those that this run leaves alone.
//!
//! Places are compared by their folded keys, and a file may not stand where another file needs a folder. A mega-file
//! that is gone or unreadable claims what its lockfile shard lists, and one that detached a file claims that. Nobody claims what lies outside its own team's
//! boundary: a draft cannot hold up the team that owns the place.
//!
//! Where exactly one of two mega-files has its path reserved, only the other one is at fault.

use std::collections::{BTreeMap, BTreeSet};

use super::{Held, Holder, Plan, PlannedFile, Reservations};
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
    /// Whether its mega-file has the path reserved: then those are held that have not.
    pub reserved: bool,
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
            reserved: false,
        }
    }

    /// Whether a readable mega-file plans it now; else a record or a reservation claims it.
    fn is_planned(&self) -> bool {
        self.origin.is_some()
    }
}

/// Two producers of one place, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The claims; of a newcomer and the owner of a reservation, the owner first.
    pub claims: [Claim; 2],
    /// Whether only the second one is at fault.
    pub is_reserved: bool,
    /// What is said of it.
    pub finding: Diagnostic,
}

impl Collision {
    /// Whether two mega-files with one id plan it. That is said once, of the id.
    fn is_of_one_id(&self) -> bool {
        let [one, two] = &self.claims;
        let files = one.origin.zip(two.origin).map(|(one, two)| (one.file, two.file));
        id_key(&one.mega_file) == id_key(&two.mega_file) && files.is_some_and(|(one, two)| one != two)
    }
}

/// One finding for every place that two producers plan, as far as a selected mega-file is concerned.
#[must_use]
pub fn check(model: &Model, plan: &Plan, shards: &[ShardClaims], reservations: &Reservations) -> Vec<Diagnostic> {
    let all = collisions(model, plan, shards, reservations).into_iter();
    all.filter(|one| !one.is_of_one_id()).map(|one| one.finding).collect()
}

/// The same with the claims that each finding is about.
#[must_use]
pub fn collisions(model: &Model, plan: &Plan, shards: &[ShardClaims], reservations: &Reservations) -> Vec<Collision> {
    let selected = plan.files.iter().filter_map(|file| Some(Claim::of(file, model.mega_files.get(file.mega_file)?)));
    let keyed = |claim: Claim| {
        let key = claim.path.key();
        let reserved = reservations.holds(&claim.team, &claim.mega_file, &key);
        (key, Claim { reserved, ..claim })
    };
    let mut claims: Vec<(PathKey, Claim)> = selected.chain(plan.neighbours.iter().cloned()).map(keyed).collect();
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
    let by_themselves = reserved_claims(plan, reservations, &claims);
    claims.extend(by_themselves);
    claims.retain(|(_, claim)| may_claim(model, claim));
    // Sorted by key, so that equal places stand together and a file stands before what lies below it.
    claims.sort();
    let mut findings = Vec::new();
    for group in claims.chunk_by(|(a, _), (b, _)| a == b).filter(|group| group.len() > 1) {
        let group: Vec<&Claim> = group.iter().map(|(_, claim)| claim).collect();
        findings.extend(same_place(&group));
    }
    // The first of each place; where that is not reserved, the first that is, too.
    let mut files: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    for (key, claim) in &claims {
        let known = files.entry(key.as_str()).or_default();
        if known.iter().all(|other| claim.reserved && !other.reserved) {
            known.push(claim);
        }
    }
    for (key, below) in &claims {
        let mut folder = key.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            folder = parent;
            for file in files.get(folder).into_iter().flatten() {
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
        reserved: false,
    }
}

/// What reservations claim by themselves: that about which no mega-file can be asked, or which one that cannot be planned
/// whole does not plan.
fn reserved_claims(plan: &Plan, reservations: &Reservations, claims: &[(PathKey, Claim)]) -> Vec<(PathKey, Claim)> {
    let owner = |team: &str, id: &str| (team.to_owned(), id_key(id));
    let mut planned: BTreeMap<(String, String), BTreeSet<&PathKey>> = BTreeMap::new();
    for (key, claim) in claims.iter().filter(|_| !plan.broken.is_empty()) {
        let owner = owner(&claim.team, &claim.mega_file);
        if plan.broken.contains(&owner) {
            planned.entry(owner).or_default().insert(key);
        }
    }
    let mut found = Vec::new();
    for held in reservations.iter() {
        let owner = owner(&held.team, &held.mega_file);
        let is_broken = held.holder == Holder::Readable && plan.broken.contains(&owner);
        if !held.claims() && !is_broken {
            continue;
        }
        let own = planned.get(&owner);
        let left = held.paths.iter().filter(|(key, _)| own.is_none_or(|own| !own.contains(key)));
        found.extend(left.map(|(key, path)| (key.clone(), reserved_claim(held, path))));
    }
    found
}

fn reserved_claim(held: &Held, path: &OutputPath) -> Claim {
    Claim {
        path: path.clone(),
        origin: None,
        team: held.team.clone(),
        mega_file: held.mega_file.clone(),
        who: format!("team {}, the reservation of mega-file `{}`", held.team, held.mega_file),
        selected: false,
        item: None,
        detached: false,
        reserved: true,
    }
}

/// Of two claims the one that came later, if exactly one of them is reserved: first the owner, then the newcomer. What
/// is only recorded lies on disk already, and what was detached is somebody's by choice; neither is a newcomer.
fn owner_and_newcomer<'c>(one: &'c Claim, two: &'c Claim) -> Option<(&'c Claim, &'c Claim)> {
    let (owner, newcomer) = match (one.reserved, two.reserved) {
        (true, false) => (one, two),
        (false, true) => (two, one),
        _ => return None,
    };
    (newcomer.is_planned() && !newcomer.detached).then_some((owner, newcomer))
}

/// Whether two claims are no collision: a reservation whose mega-file cannot be asked does not stand in the way of its own
/// team.
fn are_of_one_hand(one: &Claim, two: &Claim) -> bool {
    let alone = |claim: &Claim| claim.reserved && !claim.is_planned();
    one.team == two.team && (alone(one) || alone(two))
}

/// The finding for a path that somebody else has reserved; it holds the newcomer only, and there is none for a newcomer
/// that this run leaves alone.
fn newcomer_finding(owner: &Claim, newcomer: &Claim) -> Option<Collision> {
    if !newcomer.selected {
        return None;
    }
    let place = if owner.path == newcomer.path {
        format!("`{}`", newcomer.path)
    } else {
        let (path, other) = (&newcomer.path, &owner.path);
        format!("the place of `{path}` (as `{other}`)")
    };
    let Claim { team, mega_file, .. } = owner;
    let message = format!("team {team} has reserved {place} for its mega-file `{mega_file}`");
    let mut finding = Diagnostic::new(Code::ReservedPath, message).label(format!("planned here by {}", newcomer.who));
    finding.span = newcomer.origin;
    let related = if owner.is_planned() { "and reserved and planned by" } else { "and reserved by" };
    let help = if *team == newcomer.team {
        "plan another path, or leave it out of one of the two mega-files".to_owned()
    } else {
        format!(
            "plan another path; if it should be yours, team {team} gives it up first: it takes the path out of \
             `{mega_file}`, or `megax review {team} --unlock` frees what it reserved"
        )
    };
    let finding = finding.related(owner.origin, format!("{related} {}", owner.who)).help(help);
    let finding = finding.team(newcomer.team.clone());
    Some(Collision { claims: [owner.clone(), newcomer.clone()], is_reserved: true, finding })
}

/// A finding that names both producers and holds both teams; `None` if neither is selected.
fn both(code: Code, message: String, help: &str, one: &Claim, two: &Claim) -> Option<Collision> {
    if !one.selected && !two.selected {
        return None;
    }
    // The primary place is one that this run was asked to expand.
    let (first, second) = if one.selected { (one, two) } else { (two, one) };
    let mut finding = Diagnostic::new(code, message).label(format!("planned here by {}", first.who));
    finding.span = first.origin;
    let finding = finding.related(second.origin, format!("and by {}", second.who)).help(help);
    // Whoever left the file to people did so first.
    let held = [first, second].into_iter().filter(|claim| !claim.detached);
    let finding = held.fold(finding, |finding, claim| finding.team(claim.team.clone()));
    Some(Collision { claims: [first.clone(), second.clone()], is_reserved: false, finding })
}

fn same_place(group: &[&Claim]) -> Vec<Collision> {
    let mut findings = Vec::new();
    // With one owner, everybody else is told of that one.
    let mut owners = group.iter().filter(|claim| claim.reserved);
    let rest: Vec<&Claim> = match (owners.next(), owners.next()) {
        (Some(owner), None) => {
            let newcomers = group.iter().filter(|claim| owner_and_newcomer(owner, claim).is_some());
            let newcomers = newcomers.filter(|claim| !are_of_one_hand(owner, claim));
            findings.extend(newcomers.filter_map(|claim| newcomer_finding(owner, claim)));
            group.iter().copied().filter(|claim| owner_and_newcomer(owner, claim).is_none()).collect()
        }
        _ => group.to_vec(),
    };
    for pair in rest.windows(2) {
        let &[one, two] = pair else { continue };
        if are_of_one_hand(one, two) {
            continue;
        }
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
        findings.extend(both(code, message, &help, one, two));
    }
    findings
}

/// The name that two items of one loop share, when one entry of a rule plans a path for both. With different names only
/// the path is at fault.
fn namesakes<'c>(one: &'c Claim, two: &Claim) -> Option<&'c str> {
    let same_entry = one.origin.is_some() && one.origin == two.origin;
    one.item.as_deref().filter(|_| same_entry && one.item == two.item)
}

fn file_and_folder(file: &Claim, below: &Claim) -> Option<Collision> {
    if are_of_one_hand(file, below) {
        return None;
    }
    if let Some((owner, newcomer)) = owner_and_newcomer(file, below) {
        return newcomer_finding(owner, newcomer);
    }
    let message = format!(
        "`{}` is a file (by {}), but `{}` (by {}) needs a folder of that name",
        file.path, file.who, below.path, below.who
    );
    both(Code::FolderCollision, message, "rename the file or the folder", below, file)
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
