use super::*;
use crate::change::tests::{body, file, path};
use crate::lockfile::salvage;
use proptest::prelude::*;

fn want(at: &str, seed: u8) -> Desired {
    Desired { mega_file: "m".into(), ..super::super::tests::want(at, seed, "t") }
}

fn entry(seed: u8, state: EntryState) -> LockEntry {
    LockEntry { digest: body(seed), lf_digest: None, mode: FileMode::Regular, state, template: "t".into() }
}

fn lockfile(entries: &[(&str, LockEntry)]) -> Lockfile {
    Lockfile {
        team: "t".into(),
        mega_file: "m".into(),
        engine: "e".into(),
        inputs: None,
        source: Some("m.yaml".into()),
        entries: entries.iter().map(|(at, entry)| (path(at), entry.clone())).collect(),
    }
}

/// What a repair looks at, owned.
#[derive(Debug, Clone, Default)]
struct World {
    shards: Vec<Shard>,
    damaged: Vec<Damaged>,
    desired: Vec<Desired>,
    survey: Survey,
    overwrite: bool,
}

impl World {
    fn healthy(record: &[(&str, LockEntry)], desired: &[Desired], disk: &[(&str, OnDisk)]) -> Self {
        let lockfile = lockfile(record);
        let shards = vec![Shard { digest: body(0), lockfile }];
        Self { shards, ..Self::without(desired, disk) }
    }

    fn without(desired: &[Desired], disk: &[(&str, OnDisk)]) -> Self {
        let survey = disk.iter().map(|(at, found)| (path(at), found.clone())).collect();
        Self { desired: desired.to_vec(), survey, ..Self::default() }
    }

    fn damaged(text: &str, desired: &[Desired], disk: &[(&str, OnDisk)]) -> Self {
        let (team, mega_file) = ("t".to_owned(), "m".to_owned());
        let damaged = vec![Damaged { team, mega_file, digest: body(0), salvaged: salvage(text) }];
        Self { damaged, ..Self::without(desired, disk) }
    }

    fn restore(&self) -> Restoration {
        let source = Some("m.yaml".to_owned());
        let mega_file = MegaFile { team: "t".into(), id: "m".into(), inputs: None, source, whole: true };
        restore(&Restore {
            shards: &self.shards,
            damaged: &self.damaged,
            left: &BTreeSet::new(),
            mega_files: &[mega_file],
            desired: &self.desired,
            survey: &self.survey,
            overwrite: self.overwrite,
            engine: "e",
            wanted: &|_, _| true,
        })
    }

    fn rebuilt(&self) -> Option<Lockfile> {
        let changes = self.restore().changes.lockfiles;
        changes.first()?.text.as_ref().map(|text| Lockfile::parse(text).unwrap())
    }
}

/// One recorded file: what is recorded, found and rendered -> what happens.
fn check(
    record: LockEntry,
    disk: OnDisk,
    rendered: Option<u8>,
    overwrite: bool,
    expected: &Result<Option<Kind>, GapKind>,
) {
    let desired: Vec<Desired> = rendered.map(|seed| want("a", seed)).into_iter().collect();
    let world = World { overwrite, ..World::healthy(&[("a", record)], &desired, &[("a", disk)]) };
    let found = world.restore();
    assert!(found.changes.lockfiles.is_empty(), "a record that can be read stays as it is");
    let kind = found.changes.files.first().map(|file| file.kind.clone());
    let gap = found.gaps.first().map(|gap| gap.kind.clone());
    assert_eq!(&gap.map_or(Ok(kind), Err), expected, "{world:?}");
}

#[test]
fn what_is_recorded_comes_back_and_nothing_newer() {
    let record = || entry(1, EntryState::Managed);
    let edited = || Err(GapKind::Edited { empty: false });
    check(record(), OnDisk::Absent, Some(1), false, &Ok(Some(Kind::Create)));
    check(record(), OnDisk::Absent, Some(2), false, &Err(GapKind::Moved));
    check(record(), OnDisk::Absent, None, true, &Err(GapKind::Moved));
    check(record(), file(1), Some(2), true, &Ok(None));
    check(record(), file(2), Some(1), false, &edited());
    check(record(), file(2), Some(2), false, &edited());
    check(record(), file(2), Some(1), true, &Ok(Some(Kind::Replaced)));
    check(record(), file(2), Some(2), true, &Err(GapKind::Moved));
    let empty = OnDisk::File { digest: body(9), lf_digest: None, executable: false, bytes: 0 };
    check(record(), empty, Some(1), false, &Err(GapKind::Edited { empty: true }));
    let executable = OnDisk::File { digest: body(1), lf_digest: None, executable: true, bytes: 1 };
    check(record(), executable, None, false, &Ok(Some(Kind::Update)));
    let link = || OnDisk::Other("a symlink");
    check(record(), link(), Some(1), true, &Err(GapKind::InTheWay(Reason::NotAFile("a symlink"))));
    check(record(), OnDisk::Below("p".into()), Some(1), true, &Err(GapKind::InTheWay(Reason::Below("p".into()))));
    let once = || entry(1, EntryState::Once);
    check(once(), file(2), Some(1), true, &Ok(None));
    check(once(), OnDisk::Absent, Some(1), false, &Ok(Some(Kind::Create)));
    for disk in [OnDisk::Absent, file(1), file(2), link()] {
        check(entry(1, EntryState::Detached), disk, Some(1), true, &Ok(None));
    }
}

#[test]
fn a_mode_that_moved_on_is_not_what_was_recorded() {
    let desired = Desired { mode: FileMode::Executable, ..want("a", 1) };
    let world = World::healthy(&[("a", entry(1, EntryState::Managed))], &[desired], &[("a", OnDisk::Absent)]);
    assert_eq!(world.restore().gaps[0].kind, GapKind::Moved);
}

#[test]
fn a_damaged_record_is_rebuilt_from_plan_and_disk_and_lines_that_are_borne_out() {
    use EntryState::{Detached, Managed};
    let names = ["as-planned", "older", "edited", "gone", "detached", "orphan", "lost", "foreign"];
    let desired: Vec<Desired> =
        ["as-planned", "detached", "edited", "foreign", "gone", "new", "older"].map(|at| want(at, 9)).to_vec();
    let old = lockfile(&[
        ("as-planned", entry(1, Managed)),
        ("detached", entry(1, Detached)),
        ("edited", entry(1, Managed)),
        ("gone", entry(9, Managed)),
        ("lost", entry(1, Managed)),
        ("older", entry(1, Managed)),
        ("orphan", entry(1, Managed)),
    ]);
    let disk = [
        ("as-planned", file(9)),
        ("detached", file(5)),
        ("edited", file(5)),
        ("foreign", file(5)),
        ("gone", OnDisk::Absent),
        ("lost", file(5)),
        ("new", OnDisk::Absent),
        ("older", file(1)),
        ("orphan", file(1)),
    ];
    let text = old.to_text().replace("team t\n", "<<<<<<< ours\nteam t\n=======\nteam t\n>>>>>>> theirs\n");
    let world = World::damaged(&text, &desired, &disk);
    let found = world.rebuilt().unwrap();
    let recorded = |at: &str| found.entries.get(&path(at)).map(|entry| (entry.digest, entry.state));
    let expected = [
        Some((body(9), Managed)),
        Some((body(1), Managed)),
        Some((body(1), Managed)),
        Some((body(9), Managed)),
        Some((body(1), Detached)),
        Some((body(1), Managed)),
        None,
        None,
    ];
    assert_eq!(names.map(recorded), expected);
    assert_eq!(recorded("new"), None, "`expand` makes it");
    let done = world.restore();
    let change = &done.changes.lockfiles[0];
    assert_eq!((change.before, change.keep, change.path.as_str()), (Some(body(0)), true, ".megax/lock/t/m.lock"));
    let files: Vec<(&str, &Kind)> = done.changes.files.iter().map(|file| (file.path.as_str(), &file.kind)).collect();
    assert_eq!(files, [("gone", &Kind::Create)]);
    let gaps: Vec<(&str, &GapKind)> = done.gaps.iter().map(|gap| (gap.path.as_str(), &gap.kind)).collect();
    assert_eq!(gaps, [("edited", &GapKind::Edited { empty: false }), ("foreign", &GapKind::Foreign)]);
    assert_eq!(found.source.as_deref(), Some("m.yaml"));
}

#[test]
fn a_record_of_nothing_goes_and_a_missing_one_comes_only_for_files_that_are_there() {
    let world = World::damaged("megax-lock 1\nsource x.yaml\n", &[], &[]);
    let changes = world.restore().changes;
    assert_eq!((changes.lockfiles.len(), &changes.lockfiles[0].text), (1, &None));
    let desired = [want("a", 1), want("b", 1)];
    let never = World::without(&desired, &[("a", OnDisk::Absent), ("b", file(2))]);
    assert_eq!(never.restore(), Restoration::default(), "it was never expanded");
    let lost = World::without(&desired, &[("a", file(1)), ("b", file(2))]);
    assert_eq!(lost.rebuilt().unwrap().entries.keys().map(OutputPath::as_str).collect::<Vec<_>>(), ["a"]);
    assert_eq!(lost.restore().gaps[0].kind, GapKind::Foreign);
    assert!(!lost.restore().changes.lockfiles[0].keep, "there is nothing to keep");
}

#[test]
fn a_shard_at_the_place_of_another_team_goes_to_its_own() {
    let text = lockfile(&[("a", entry(1, EntryState::Managed)), ("b", entry(1, EntryState::Detached))]).to_text();
    let mut world = World::damaged(&text, &[want("a", 1), want("b", 1)], &[("a", file(1)), ("b", file(5))]);
    world.damaged[0].team = "u".into();
    let changes = world.restore().changes;
    let shards: Vec<(&str, Option<&str>, bool)> =
        changes.lockfiles.iter().map(|shard| (shard.path.as_str(), shard.text.as_deref(), shard.keep)).collect();
    assert_eq!(shards, [(".megax/lock/t/m.lock", Some(text.as_str()), false), (".megax/lock/u/m.lock", None, true)]);
    assert_eq!(changes.split().len(), 1, "both or none");
}

#[test]
fn all_shards_of_one_mega_file_are_rebuilt_once_at_its_place() {
    use EntryState::{Detached, Managed};
    let desired = [want("a", 1), want("b", 1), want("c", 1)];
    let disk = [("a", file(1)), ("b", file(5)), ("c", file(6)), ("d", file(4))];
    let one = lockfile(&[("a", entry(1, Managed)), ("b", entry(1, Detached))]).to_text();
    let two = lockfile(&[("a", entry(2, Managed)), ("c", entry(6, Managed)), ("d", entry(4, Managed))]).to_text();
    let at = |team: &str, id: &str, text: &str| {
        let (digest, salvaged) = (Digest::of(team.as_bytes()), salvage(text));
        Damaged { team: team.into(), mega_file: id.into(), digest, salvaged }
    };
    let expected = lockfile(&[
        ("a", entry(1, Managed)),
        ("b", entry(1, Detached)),
        ("c", entry(6, Managed)),
        ("d", entry(4, Managed)),
    ]);
    let mut world = World::without(&desired, &disk);
    let check = |world: &World, places: &[(&str, Option<Digest>)]| {
        let done = world.restore();
        let shards: Vec<(&str, Option<Digest>)> =
            done.changes.lockfiles.iter().map(|shard| (shard.path.as_str(), shard.before)).collect();
        assert_eq!(shards, places);
        let texts: Vec<Option<String>> = done.changes.lockfiles.iter().map(|shard| shard.text.clone()).collect();
        let rebuilt = std::iter::once(Some(expected.to_text())).chain(std::iter::repeat(None));
        assert_eq!(texts, rebuilt.take(places.len()).collect::<Vec<_>>());
        done.changes.split().len()
    };
    let [t, u, v] = ["t", "u", "v"].map(|team| Some(Digest::of(team.as_bytes())));
    let (right, at_u, at_v) = (".megax/lock/t/m.lock", ".megax/lock/u/m.lock", ".megax/lock/v/m.lock");
    world.damaged = vec![at("u", "m", &one), at("v", "m", &two)];
    assert_eq!(check(&world, &[(right, None), (at_u, u), (at_v, v)]), 1, "all or none");
    world.damaged = vec![at("t", "m", &one), at("v", "m", &two)];
    assert_eq!(check(&world, &[(right, t), (at_v, v)]), 1, "all or none");
    // A copy under a name that no mega-file has says nothing that is not said at the right place.
    let all = one.clone() + &two;
    world.damaged = vec![at("t", "aa", &all), at("t", "m", &all)];
    let lockfiles = world.restore().changes.lockfiles;
    let texts: Vec<Option<String>> = lockfiles.into_iter().map(|shard| shard.text).collect();
    assert_eq!(texts, [None, Some(expected.to_text())]);
    let shard = Shard { digest: body(0), lockfile: expected.clone() };
    let copy = World { shards: vec![shard], damaged: vec![at("t", "zz", &expected.to_text())], ..world };
    let lockfiles = copy.restore().changes.lockfiles;
    assert_eq!((lockfiles.len(), &lockfiles[0].text), (1, &None), "{lockfiles:?}");
}

#[test]
fn an_edited_file_whose_record_is_damaged_is_written_over_on_request() {
    let text = lockfile(&[("a", entry(1, EntryState::Managed))]).to_text();
    let mut world = World::damaged(&text, &[want("a", 1)], &[("a", file(5))]);
    assert_eq!(world.restore().gaps[0].kind, GapKind::Edited { empty: false });
    world.overwrite = true;
    let done = world.restore();
    assert_eq!((done.changes.files[0].kind.clone(), done.gaps), (Kind::Replaced, Vec::new()));
    world.desired = vec![want("a", 2)];
    let done = world.restore();
    assert_eq!((done.changes.files, done.gaps[0].kind.clone()), (Vec::new(), GapKind::Moved), "nothing newer");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever the text of a shard: nothing is deleted, and what is there is replaced on request only, by what was
    /// recorded.
    #[test]
    fn a_rebuild_never_touches_a_content_unasked(
        overwrite: bool,
        lines in proptest::collection::vec((0..4usize, 0..4u8, 0..3usize), 0..8),
        disk in proptest::collection::vec(proptest::option::of(0..4u8), 4),
        wanted in proptest::collection::vec(proptest::option::of(0..4u8), 4),
    ) {
        const AT: [&str; 4] = ["a", "b", "c", "d/e"];
        let states = [EntryState::Managed, EntryState::Once, EntryState::Detached];
        let text: String = lines.iter().map(|&(at, seed, state)| {
            format!("{} regular {} {}\tt\n", body(seed), states[state].as_str(), AT[at])
        }).collect();
        let desired: Vec<Desired> =
            AT.iter().zip(&wanted).filter_map(|(at, seed)| Some(want(at, (*seed)?))).collect();
        let disk: Vec<(&str, OnDisk)> =
            AT.iter().zip(&disk).map(|(at, seed)| (*at, seed.map_or(OnDisk::Absent, file))).collect();
        let world = World { overwrite, ..World::damaged(&text, &desired, &disk) };
        let done = world.restore();
        for file in &done.changes.files {
            let absent = world.survey[&file.path] == OnDisk::Absent;
            let recorded = world.damaged[0].salvaged.entries.get(&file.path).into_iter().flatten();
            let is_recorded = recorded.map(|entry| Some(entry.digest)).any(|digest| digest == file.after);
            let expected = if absent { file.kind == Kind::Create } else { overwrite && file.kind == Kind::Replaced };
            prop_assert!(expected && is_recorded, "{:?}", file);
        }
        let rebuilt = world.rebuilt();
        for (path, lines) in &world.damaged[0].salvaged.entries {
            let detached = lines.iter().any(LockEntry::is_detached);
            let found = rebuilt.as_ref().and_then(|record| record.entries.get(path));
            prop_assert_eq!(detached, found.is_some_and(LockEntry::is_detached), "{}", path);
        }
        // What was rebuilt needs no second repair.
        if let Some(lockfile) = rebuilt {
            let mut next = world.clone();
            next.damaged.clear();
            next.shards = vec![Shard { digest: body(1), lockfile }];
            next.overwrite = false;
            for file in &done.changes.files {
                next.survey.insert(file.path.clone(), OnDisk::File {
                    digest: file.after.unwrap(), lf_digest: None, executable: false, bytes: 1,
                });
            }
            prop_assert!(next.restore().changes.is_empty(), "{:?}", next.restore());
        }
    }
}
