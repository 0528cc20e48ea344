//! The judgement over random worlds.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::tests::*;
use super::*;
use crate::lockfile::EntryState;

fn any_disk() -> impl Strategy<Value = OnDisk> {
    prop_oneof![
        2 => Just(OnDisk::Absent),
        6 => (0..4u8, any::<bool>()).prop_map(|(seed, executable)| OnDisk::File {
            digest: body(seed),
            lf_digest: None,
            executable,
            bytes: 1
        }),
        1 => Just(OnDisk::Other("a folder")),
        1 => Just(OnDisk::Unreadable),
    ]
}

prop_compose! {
    fn any_world()(
        wanted in vec(option::of((0..4u8, any::<bool>(), any::<bool>(), any::<bool>())), PATHS.len()),
        disk in vec(any_disk(), PATHS.len()),
        recorded in vec(vec(option::of((0..4u8, 0..9u8)), PATHS.len()), 3),
        scope in vec(any::<bool>(), 3),
        elsewhere in vec(any::<bool>(), PATHS.len()),
        policy in prop_oneof![Just(Policy::Fail), Just(Policy::Keep), Just(Policy::Overwrite), Just(Policy::Merge)],
        whole in any::<bool>(),
    ) -> World {
        let desired: Vec<Desired> = PATHS.iter().zip(wanted).filter_map(|(at, wanted)| {
            let (seed, first, once, executable) = wanted?;
            let mode = if executable { FileMode::Executable } else { FileMode::Regular };
            Some(Desired { mode, once, ..want(at, seed, if first { "t" } else { "u" }) })
        }).collect();
        let shards: Vec<Shard> = ["t", "u", "v"].iter().zip(recorded).map(|(team, recorded)| {
            let entries: Vec<(&str, u8)> =
                PATHS.iter().zip(&recorded).filter_map(|(at, entry)| Some((*at, (*entry)?.0))).collect();
            let mut shard = shard(team, &entries);
            for (entry, state) in shard.lockfile.entries.values_mut().zip(recorded.iter().flatten()) {
                entry.state = match state.1 {
                    0..4 => EntryState::Managed,
                    4..8 => EntryState::Once,
                    _ => EntryState::Detached,
                };
            }
            shard
        }).filter(|shard| !shard.lockfile.entries.is_empty()).collect();
        let disk: Vec<(&str, OnDisk)> = PATHS.iter().copied().zip(disk).collect();
        let mut world = World::new(&desired, &shards, &disk);
        world.scope = ["t", "u", "v"].iter().zip(scope).filter(|(_, yes)| *yes)
            .map(|(team, _)| ((*team).to_owned(), format!("{team}-1"))).collect();
        world.elsewhere = PATHS.iter().zip(elsewhere).filter(|(_, yes)| *yes).map(|(at, _)| path(at).key()).collect();
        world.policy = policy;
        World { whole, ..world }
    }
}

/// Whether any shard records exactly these bytes for the path: then megax wrote them.
fn is_ours(world: &World, at: &OutputPath, digest: Option<Digest>) -> bool {
    world.shards.iter().any(|shard| shard.lockfile.entries.get(at).map(|entry| entry.digest) == digest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn applying_twice_changes_nothing(mut world in any_world()) {
        let mut held = BTreeSet::new();
        for changes in world.compare().split() {
            if changes.conflicts().next().is_some() {
                held.extend(changes.teams().into_iter().map(str::to_owned));
            } else {
                world.apply(&changes);
            }
        }
        for changes in world.compare().split() {
            if changes.teams().iter().all(|team| !held.contains(*team)) {
                for file in &changes.files {
                    prop_assert!(
                        matches!(file.kind, Kind::Unchanged | Kind::KeptEdited | Kind::OnceExists | Kind::Detached),
                        "{:?}", file
                    );
                }
                prop_assert!(changes.lockfiles.is_empty(), "{:?}", changes.lockfiles);
            }
        }
    }

    #[test]
    fn nothing_edited_or_foreign_is_touched_unasked(world in any_world()) {
        for file in world.compare().files {
            if file.before != file.after && file.before.is_some() {
                let ours = is_ours(&world, &file.path, file.before);
                match file.kind {
                    Kind::Update | Kind::Delete => prop_assert!(ours, "{:?}", file),
                    Kind::Replaced => prop_assert!(world.policy == Policy::Overwrite && !ours, "{:?}", file),
                    _ => prop_assert!(false, "{:?}", file),
                }
            }
        }
    }

    #[test]
    fn what_is_detached_stays_so_and_is_never_touched(mut world in any_world()) {
        let detached = |world: &World| -> BTreeSet<OutputPath> {
            let entries = world.shards.iter().flat_map(|shard| &shard.lockfile.entries);
            entries.filter(|(_, entry)| entry.is_detached()).map(|(path, _)| path.clone()).collect()
        };
        let before = detached(&world);
        let changes = world.compare();
        for file in changes.files.iter().filter(|file| before.contains(&file.path)) {
            prop_assert_eq!(&file.kind, &Kind::Detached);
        }
        world.apply(&changes);
        prop_assert_eq!(detached(&world), before);
    }

    #[test]
    fn what_is_planned_is_never_deleted(world in any_world()) {
        for file in world.compare().files {
            if file.kind == Kind::Delete {
                prop_assert!(!world.elsewhere.contains(&file.path.key()));
                prop_assert!(world.desired.iter().all(|desired| desired.path != file.path));
                let owner = (file.team.clone(), file.mega_file.clone());
                prop_assert!(world.scope.contains(&owner));
            }
        }
    }

    #[test]
    fn every_wanted_path_is_answered_once(world in any_world()) {
        let changes = world.compare();
        prop_assert!(changes.files.is_sorted_by(|a, b| a.path < b.path));
        for desired in &world.desired {
            prop_assert!(changes.files.iter().any(|file| file.path == desired.path));
        }
        let split: usize = changes.clone().split().iter().map(|set| set.files.len() + set.lockfiles.len()).sum();
        prop_assert_eq!(split, changes.files.len() + changes.lockfiles.len());
    }
}
