use super::*;
use crate::digest::lf_digest;
use crate::lockfile::{EntryState, LockEntry};

pub(super) const PATHS: [&str; 6] = ["a", "b", "d/x", "d/y", "e/f/z", "w"];

pub(super) fn path(text: &str) -> OutputPath {
    OutputPath::parse(text).unwrap()
}

pub(super) fn body(seed: u8) -> Digest {
    Digest::of(&[seed])
}

pub(super) fn want(at: &str, seed: u8, team: &str) -> Desired {
    Desired {
        path: path(at),
        mode: FileMode::Regular,
        once: false,
        digest: body(seed),
        lf_digest: None,
        lines: 1,
        bytes: 1,
        team: team.into(),
        mega_file: format!("{team}-1"),
        template: "t".into(),
    }
}

pub(super) fn file(seed: u8) -> OnDisk {
    OnDisk::File { digest: body(seed), lf_digest: None, executable: false, bytes: 1 }
}

pub(super) fn shard(team: &str, entries: &[(&str, u8)]) -> Shard {
    let entry = |seed| LockEntry {
        digest: body(seed),
        lf_digest: None,
        mode: FileMode::Regular,
        state: EntryState::Managed,
        template: "t".into(),
    };
    let lockfile = Lockfile {
        team: team.into(),
        mega_file: format!("{team}-1"),
        engine: "e".into(),
        inputs: None,
        source: Some(format!("megafiles/{team}.yaml")),
        entries: entries.iter().map(|&(at, seed)| (path(at), entry(seed))).collect(),
    };
    Shard { digest: Digest::of(lockfile.to_text().as_bytes()), lockfile }
}

/// A project in small: what [`compare`] looks at, owned.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) desired: Vec<Desired>,
    pub(super) shards: Vec<Shard>,
    pub(super) scope: BTreeSet<(String, String)>,
    pub(super) elsewhere: BTreeSet<PathKey>,
    pub(super) off_limits: BTreeSet<(String, OutputPath)>,
    pub(super) survey: Survey,
    pub(super) policy: Policy,
    pub(super) merges: BTreeMap<OutputPath, Attempt>,
    pub(super) whole: bool,
}

impl World {
    pub(super) fn new(desired: &[Desired], shards: &[Shard], disk: &[(&str, OnDisk)]) -> Self {
        let mut survey: Survey = PATHS.iter().map(|at| (path(at), OnDisk::Absent)).collect();
        survey.extend(disk.iter().map(|(at, found)| (path(at), found.clone())));
        let scope = shards.iter().map(compare::owner).collect();
        let (desired, shards, elsewhere) = (desired.to_vec(), shards.to_vec(), BTreeSet::new());
        let (merges, off_limits) = (BTreeMap::new(), BTreeSet::new());
        Self { desired, shards, scope, elsewhere, off_limits, survey, policy: Policy::Fail, merges, whole: true }
    }

    pub(super) fn compare(&self) -> ChangeSet {
        let teams: BTreeSet<&str> = self.desired.iter().map(|file| file.team.as_str()).collect();
        let mega_files: Vec<MegaFile> = teams
            .into_iter()
            .map(|team| MegaFile {
                team: team.into(),
                id: format!("{team}-1"),
                inputs: None,
                source: Some(format!("megafiles/{team}.yaml")),
                whole: self.whole,
            })
            .collect();
        compare(&Inputs {
            desired: &self.desired,
            mega_files: &mega_files,
            shards: &self.shards,
            orphan_scope: &self.scope,
            planned_elsewhere: &self.elsewhere,
            off_limits: &self.off_limits,
            survey: &self.survey,
            policies: &Policies::all(self.policy),
            merges: &self.merges,
            engine: "e",
        })
    }

    /// What applying does, on the model.
    pub(super) fn apply(&mut self, changes: &ChangeSet) {
        for change in changes.files.iter().filter(|change| change.writes()) {
            let executable = change.mode == FileMode::Executable;
            let after = change.after.map_or(OnDisk::Absent, |digest| {
                let lf_digest = None;
                OnDisk::File { digest, lf_digest, executable, bytes: 1 }
            });
            self.survey.insert(change.path.clone(), after);
        }
        for change in &changes.lockfiles {
            self.shards.retain(|shard| shard.lockfile.shard_path() != change.path);
            self.shards.extend(change.text.as_ref().map(|text| Shard::read(&change.path, text).unwrap()));
        }
    }

    pub(super) fn kind(&self, at: &str) -> Option<Kind> {
        self.compare().files.into_iter().find(|file| file.path.as_str() == at).map(|file| file.kind)
    }
}

/// One case: recorded, on disk, wanted -> what happens.
fn check(recorded: Option<u8>, disk: OnDisk, policy: Policy, expected: &Kind) {
    let entries: Vec<(&str, u8)> = recorded.into_iter().map(|seed| ("a", seed)).collect();
    let mut world = World::new(&[want("a", 9, "t")], &[shard("t", &entries)], &[("a", disk)]);
    world.policy = policy;
    assert_eq!(world.kind("a").as_ref(), Some(expected), "{recorded:?} {:?} {policy:?}", world.survey);
}

#[test]
fn an_edit_is_merged_as_it_was_tried_and_only_so() {
    let tried =
        |edited, base, new, outcome| Attempt { edited: body(edited), base: body(base), new: body(new), outcome };
    let world = |recorded, attempt: Option<Attempt>| {
        let mut world = World::new(&[want("a", 9, "t")], &[shard("t", &[("a", recorded)])], &[("a", file(2))]);
        world.policy = Policy::Merge;
        world.merges = attempt.map(|attempt| (path("a"), attempt)).into_iter().collect();
        world
    };
    let edited = Kind::Conflict(Reason::Edited);
    assert_eq!(world(1, None).kind("a"), Some(edited.clone()), "nothing was tried yet");
    for (other, base, new) in [(3, 1, 9), (2, 3, 9), (2, 1, 3)] {
        let attempt = tried(other, base, new, Ok(body(5)));
        assert_eq!(world(1, Some(attempt)).kind("a"), Some(edited.clone()), "other texts were tried");
    }
    let overlap = Reason::Overlap(vec![Conflict { first: 1, last: 2 }]);
    let refused = world(1, Some(tried(2, 1, 9, Err(overlap.clone()))));
    assert_eq!(refused.kind("a"), Some(Kind::Conflict(overlap)));
    assert_eq!(refused.compare().lockfiles, [], "what is left is not recorded");

    let mut merged = world(1, Some(tried(2, 1, 9, Ok(body(5)))));
    let changes = merged.compare();
    let change = &changes.files[0];
    assert_eq!((&change.kind, change.before, change.after), (&Kind::Merged, Some(body(2)), Some(body(5))));
    assert_eq!((changes.counts().updated, change.writes(), change.needs_body()), (1, true, true));
    merged.apply(&changes);
    assert_eq!(
        merged.shards[0].lockfile.entries[&path("a")].digest,
        body(9),
        "the base of the next merge is what was rendered"
    );
    assert_eq!(merged.kind("a"), Some(edited), "the merged file is an edited one");
    merged.merges = [(path("a"), tried(5, 9, 9, Ok(body(5))))].into();
    assert_eq!(merged.kind("a"), Some(Kind::EditStands));
    assert!(merged.compare().is_empty(), "nothing is merged twice");

    let both = world(1, Some(tried(2, 1, 9, Ok(body(2))))).compare();
    assert!(both.files[0].kind == Kind::Merged && !both.files[0].writes(), "the edit holds all that is new");
    assert_eq!(both.lockfiles.len(), 1, "and that is recorded");
    let mut foreign = World::new(&[want("a", 9, "t")], &[], &[("a", file(2))]);
    foreign.policy = Policy::Merge;
    assert_eq!(foreign.kind("a"), Some(Kind::Conflict(Reason::Foreign)));
}

#[test]
fn three_digests_decide() {
    use Policy::{Fail, Keep, Overwrite};
    check(None, OnDisk::Absent, Fail, &Kind::Create);
    check(Some(1), OnDisk::Absent, Fail, &Kind::Create);
    check(Some(1), file(1), Fail, &Kind::Update);
    check(None, file(9), Fail, &Kind::Unchanged);
    check(Some(1), file(9), Fail, &Kind::Unchanged);
    check(Some(1), file(2), Fail, &Kind::Conflict(Reason::Edited));
    check(Some(1), file(2), Keep, &Kind::KeptEdited);
    check(Some(1), file(2), Overwrite, &Kind::Replaced);
    check(None, file(2), Fail, &Kind::Conflict(Reason::Foreign));
    check(None, file(2), Keep, &Kind::KeptEdited);
    check(None, file(2), Overwrite, &Kind::Replaced);
    for policy in [Fail, Keep, Overwrite] {
        check(Some(1), OnDisk::Other("a symlink"), policy, &Kind::Conflict(Reason::NotAFile("a symlink")));
        check(Some(1), OnDisk::Below("p".into()), policy, &Kind::Conflict(Reason::Below("p".into())));
        check(Some(1), OnDisk::Unreadable, policy, &Kind::Conflict(Reason::Unreadable));
    }
}

#[test]
fn an_orphan_that_may_not_be_read_is_neither_deleted_nor_forgotten() {
    let world = World::new(&[], &[shard("t", &[("a", 1)])], &[("a", OnDisk::Unreadable)]);
    assert_eq!(world.kind("a"), Some(Kind::Conflict(Reason::Unreadable)));
}

#[test]
fn line_endings_alone_are_no_change_and_no_edit() {
    let crlf = |seed, lf| OnDisk::File { digest: body(seed), lf_digest: Some(body(lf)), executable: false, bytes: 1 };
    check(Some(9), crlf(100, 9), Policy::Fail, &Kind::Unchanged);
    check(Some(1), crlf(100, 1), Policy::Fail, &Kind::Update);
    check(Some(1), crlf(100, 2), Policy::Fail, &Kind::Conflict(Reason::Edited));
    assert_eq!(lf_digest(b"a\r\nb\r\r\n\r"), Some(Digest::of(b"a\nb\r\n\r")));
    assert_eq!(lf_digest(b"a\nb\r"), None);
}

#[test]
fn a_text_that_holds_crlf_is_known_again_with_lf() {
    let crlf = Desired { digest: body(100), lf_digest: Some(body(9)), ..want("a", 9, "t") };
    let mut world = World::new(std::slice::from_ref(&crlf), &[], &[]);
    world.apply(&world.compare());
    world.scope = [("t".to_owned(), "t-1".to_owned())].into();
    let shard = Lockfile::parse(&world.shards[0].lockfile.to_text()).unwrap();
    assert_eq!(shard.entries[&path("a")].lf_digest, Some(body(9)));
    world.survey.insert(path("a"), file(9));
    assert!(world.compare().is_empty());
    world.desired = vec![want("a", 7, "t")];
    assert_eq!(world.kind("a"), Some(Kind::Update));
    world.desired.clear();
    assert_eq!(world.kind("a"), Some(Kind::Delete));
    world.off_limits.insert(("other".to_owned(), path("a")));
    assert_eq!(world.kind("a"), Some(Kind::Delete), "off limits for another team");
    world.off_limits.insert(("t".to_owned(), path("a")));
    assert_eq!(world.kind("a"), Some(Kind::OrphanOutside));
    assert!(
        world.compare().lockfiles.iter().all(|shard| !shard.text.as_deref().unwrap_or("").contains(" a\t")),
        "forgotten"
    );
    world.survey.insert(path("a"), file(8));
    assert_eq!(world.kind("a"), Some(Kind::OrphanEdited));
}

#[test]
fn a_mode_alone_is_an_update_that_keeps_the_bytes() {
    let executable = OnDisk::File { digest: body(9), lf_digest: None, executable: true, bytes: 1 };
    let world = World::new(&[want("a", 9, "t")], &[shard("t", &[("a", 9)])], &[("a", executable.clone())]);
    let changes = world.compare();
    assert_eq!(changes.files[0].kind, Kind::Update);
    assert!(changes.files[0].before == changes.files[0].after && !changes.files[0].needs_body());
    check(None, executable.clone(), Policy::Fail, &Kind::Conflict(Reason::Foreign));
    check(None, executable, Policy::Keep, &Kind::KeptEdited);
}

#[test]
fn a_once_file_is_made_and_then_left() {
    let once = Desired { once: true, ..want("a", 9, "t") };
    let mut world = World::new(std::slice::from_ref(&once), &[], &[]);
    assert_eq!(world.kind("a"), Some(Kind::Create));
    world.apply(&world.compare());
    world.survey.insert(path("a"), file(5));
    world.policy = Policy::Overwrite;
    assert_eq!(world.kind("a"), Some(Kind::OnceExists));
    assert!(world.compare().is_empty());
    world.desired.clear();
    world.scope = [("t".to_owned(), "t-1".to_owned())].into();
    assert_eq!(world.kind("a"), Some(Kind::OnceExists), "the user's, also when it is wanted no more");
    // A foreign once-file never becomes megax's own.
    let mut world = World::new(&[once], &[], &[("a", file(5))]);
    world.apply(&world.compare());
    world.desired = vec![want("a", 7, "t")];
    assert_eq!(world.kind("a"), Some(Kind::Conflict(Reason::Edited)));
}

#[test]
fn a_detached_file_is_the_users_under_every_policy() {
    let mut record = shard("t", &[("a", 1), ("b", 1)]);
    record.lockfile.entries.get_mut(&path("a")).unwrap().state = EntryState::Detached;
    for policy in [Policy::Fail, Policy::Keep, Policy::Overwrite] {
        for disk in [file(1), file(2), file(9), OnDisk::Absent, OnDisk::Other("a symlink"), OnDisk::Below("p".into())] {
            let mut world = World::new(&[want("a", 9, "t"), want("b", 1, "t")], &[record.clone()], &[("a", disk)]);
            world.survey.insert(path("b"), file(1));
            world.policy = policy;
            assert_eq!(world.kind("a"), Some(Kind::Detached), "{:?} {policy:?}", world.survey);
            assert!(world.compare().files.iter().all(|file| !file.writes()));
            let text = world.compare().lockfiles.into_iter().find_map(|change| change.text);
            assert!(text.is_none_or(|text| text.contains("detached a\t")));
            // The plan drops the path, and brings it back.
            let wanted = std::mem::replace(&mut world.desired, vec![want("b", 1, "t")]);
            assert_eq!(world.kind("a"), None, "no deletion, and nothing to say");
            world.apply(&world.compare());
            world.desired = wanted;
            assert_eq!(world.kind("a"), Some(Kind::Detached));
        }
    }
    let mut world = World::new(&[], &[record], &[("a", file(1)), ("b", file(1))]);
    world.apply(&world.compare());
    assert_eq!(world.shards[0].lockfile.entries.len(), 1, "it outlives the mega-file");
}

#[test]
fn another_mega_file_of_the_project_takes_the_choice_over() {
    let mut record = shard("t", &[("a", 1)]);
    record.lockfile.entries.get_mut(&path("a")).unwrap().state = EntryState::Detached;
    record.lockfile.mega_file = "old".into();
    let mut world = World::new(&[want("a", 9, "t")], &[record], &[("a", file(2))]);
    world.apply(&world.compare());
    let shards: Vec<(&str, EntryState)> = world
        .shards
        .iter()
        .map(|shard| (shard.lockfile.mega_file.as_str(), shard.lockfile.entries[&path("a")].state))
        .collect();
    assert_eq!(shards, [("t-1", EntryState::Detached)]);
}

#[test]
fn orphans_go_only_when_nobody_wants_or_edited_them() {
    let mut world = World::new(
        &[want("w", 1, "t")],
        &[shard("t", &[("a", 1), ("b", 1), ("d/x", 1), ("d/y", 1)])],
        &[("a", file(1)), ("b", file(2)), ("d/y", file(1))],
    );
    world.elsewhere.insert(path("D/Y").key());
    assert_eq!(world.kind("a"), Some(Kind::Delete));
    assert_eq!(world.kind("b"), Some(Kind::OrphanEdited));
    assert_eq!(world.kind("d/x"), None, "gone already");
    assert_eq!(world.kind("d/y"), None, "planned elsewhere");
    let changes = world.compare();
    let text = changes.lockfiles[0].text.clone().unwrap();
    assert!(text.contains(" d/y\t") && !text.contains(" b\t"), "the record waits for its taker: {text}");
    world.whole = false;
    assert_eq!(world.kind("a"), None, "a partial run orphans nothing");
}

#[test]
fn a_claim_outside_of_the_scope_protects() {
    let mut world = World::new(&[], &[shard("t", &[("a", 1)]), shard("u", &[("a", 1)])], &[("a", file(1))]);
    world.scope = [("t".to_owned(), "t-1".to_owned())].into();
    let changes = world.compare();
    assert_eq!(changes.files, []);
    assert_eq!((changes.lockfiles.len(), &changes.lockfiles[0].text), (1, &None));
}

#[test]
fn a_takeover_rewrites_both_shards_and_binds_the_teams() {
    let mut world = World::new(
        &[want("a", 2, "t"), want("w", 1, "v")],
        &[shard("u", &[("a", 1), ("b", 1)])],
        &[("a", file(1)), ("b", file(1))],
    );
    world.scope.clear();
    let changes = world.compare();
    assert_eq!(changes.files[0].kind, Kind::Update);
    let shards: Vec<&str> = changes.lockfiles.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(shards, [".megax/lock/t/t-1.lock", ".megax/lock/u/u-1.lock", ".megax/lock/v/v-1.lock"]);
    let sets = changes.split();
    let teams: Vec<Vec<&str>> = sets.iter().map(|set| set.teams().into_iter().collect()).collect();
    assert_eq!(teams, [vec!["t", "u"], vec!["v"]]);
}

#[test]
fn a_partial_run_merges_with_the_record() {
    let mut old = shard("t", &[("a", 1), ("b", 1)]);
    old.lockfile.inputs = Some(body(77));
    let mut world = World::new(&[want("a", 1, "t")], &[old], &[("a", file(1)), ("b", file(1))]);
    world.whole = false;
    assert!(world.compare().is_empty(), "nothing new, so the header stands");
    world.desired = vec![want("a", 2, "t")];
    let text = world.compare().lockfiles[0].text.clone().unwrap();
    let new = Lockfile::parse(&text).unwrap();
    assert_eq!((new.entries.len(), new.inputs), (2, None));
}

#[test]
fn a_file_makes_way_for_a_folder_of_the_same_team() {
    let below = OnDisk::Below("a".into());
    let shards = [shard("t", &[("a", 1)])];
    let world = World::new(&[want("a/b", 1, "t")], &shards, &[("a", file(1)), ("a/b", below.clone())]);
    assert_eq!((world.kind("a"), world.kind("a/b")), (Some(Kind::Delete), Some(Kind::Create)));
    let world = World::new(&[want("a/b", 1, "t")], &shards, &[("a", file(2)), ("a/b", below)]);
    assert_eq!(world.kind("a/b"), Some(Kind::Conflict(Reason::Below("a".into()))));
}

#[test]
fn the_first_rule_that_matches_a_path_decides() {
    let pattern = |text: &str| vec![PathPattern::parse(text, false).unwrap()];
    let rules = vec![(pattern("docs/api/"), Policy::Overwrite), (pattern("docs/**"), Policy::Keep)];
    let policies = Policies { rules, default: Policy::Fail };
    for (at, expected) in
        [("docs/api/a.md", Policy::Overwrite), ("docs/a.md", Policy::Keep), ("src/a.ts", Policy::Fail)]
    {
        assert_eq!(policies.of(&path(at)), expected, "{at}");
    }
}
