//! Recorded files that change hands: detached, so that they are the user's for good, or adopted again.

use std::collections::BTreeMap;

use super::{ChangeSet, LockfileChange, Shard};
use crate::lockfile::{LockEntry, Lockfile, shard_path};
use crate::path::OutputPath;

/// Whose files are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// The user's, whatever the plan says.
    Detach,
    /// Megax's again.
    Adopt,
}

/// A planned file that no shard records yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// The team of its mega-file.
    pub team: String,
    /// The id of its mega-file.
    pub mega_file: String,
    /// The file of its mega-file ([`crate::lockfile::is_source`]).
    pub source: Option<String>,
    /// Where it is planned.
    pub path: OutputPath,
    /// What would be written there.
    pub entry: LockEntry,
}

/// Which shards change when files change hands, without any change of the files themselves; and the paths that do,
/// sorted, each with team and mega-file. Paths that are in these hands already are not among them.
///
/// An adopted file is recorded with what megax wrote last or, if it never wrote it, with what it would write now: a
/// file that holds something else counts as edited, and stays what it is until a policy says otherwise.
#[must_use]
pub fn hand(
    shards: &[Shard],
    recorded: &[&OutputPath],
    unrecorded: &[Unrecorded],
    hands: Hands,
    engine: &str,
) -> (ChangeSet, BTreeMap<OutputPath, (String, String)>) {
    let mut drafts: BTreeMap<String, (Option<&Shard>, Lockfile)> = BTreeMap::new();
    for shard in shards {
        drafts.insert(shard.lockfile.shard_path(), (Some(shard), shard.lockfile.clone()));
    }
    let mut handed = BTreeMap::new();
    for (_, lockfile) in drafts.values_mut() {
        for path in recorded {
            let Some(entry) = lockfile.entries.get_mut(*path) else { continue };
            let state = match hands {
                Hands::Detach => entry.state.detached(),
                Hands::Adopt => entry.state.adopted(),
            };
            if entry.state != state {
                entry.state = state;
                handed.insert((*path).clone(), (lockfile.team.clone(), lockfile.mega_file.clone()));
            }
        }
    }
    for one in unrecorded {
        let blank = || {
            let (team, mega_file, engine) = (one.team.clone(), one.mega_file.clone(), engine.to_owned());
            Lockfile { team, mega_file, engine, inputs: None, source: one.source.clone(), entries: BTreeMap::new() }
        };
        let (_, lockfile) = drafts.entry(shard_path(&one.team, &one.mega_file)).or_insert_with(|| (None, blank()));
        let state = if hands == Hands::Detach { one.entry.state.detached() } else { one.entry.state };
        lockfile.entries.insert(one.path.clone(), LockEntry { state, ..one.entry.clone() });
        handed.insert(one.path.clone(), (one.team.clone(), one.mega_file.clone()));
    }
    let changed = drafts.into_iter().filter(|(_, (old, new))| old.is_none_or(|old| old.lockfile != *new));
    let lockfiles = changed.map(|(path, (old, new))| LockfileChange {
        path,
        before: old.map(|shard| shard.digest),
        text: Some(new.to_text()),
        team: new.team,
        takers: std::collections::BTreeSet::new(),
        keep: false,
    });
    (ChangeSet { files: Vec::new(), lockfiles: lockfiles.collect() }, handed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lockfile::EntryState;
    use crate::path::FileMode;

    fn entry() -> LockEntry {
        let (digest, template) = (Digest::of(b"1"), "t".to_owned());
        LockEntry { digest, lf_digest: None, mode: FileMode::Regular, state: EntryState::Managed, template }
    }

    fn path(text: &str) -> OutputPath {
        OutputPath::parse(text).unwrap()
    }

    fn one_shard() -> Shard {
        let lockfile = Lockfile {
            team: "t".into(),
            mega_file: "m".into(),
            engine: "e".into(),
            inputs: Some(Digest::of(b"inputs")),
            source: None,
            entries: [(path("a"), entry()), (path("b"), entry())].into(),
        };
        Shard { digest: Digest::of(lockfile.to_text().as_bytes()), lockfile }
    }

    #[test]
    fn a_file_goes_to_the_user_and_comes_back_and_the_rest_of_the_record_stays() {
        let shard = one_shard();
        let (changes, handed) = hand(std::slice::from_ref(&shard), &[&path("a")], &[], Hands::Detach, "e");
        assert_eq!(handed.keys().map(OutputPath::as_str).collect::<Vec<_>>(), ["a"]);
        assert_eq!((changes.files.len(), changes.lockfiles[0].before), (0, Some(shard.digest)));
        let text = changes.lockfiles[0].text.clone().unwrap();
        let detached = Shard::read(".megax/lock/t/m.lock", &text).unwrap();
        assert!(
            detached.lockfile.entries[&path("a")].is_detached() && !detached.lockfile.entries[&path("b")].is_detached()
        );
        assert_eq!(detached.lockfile.inputs, shard.lockfile.inputs);
        let again = hand(std::slice::from_ref(&detached), &[&path("a")], &[], Hands::Detach, "e");
        assert!(again.0.is_empty() && again.1.is_empty(), "once is enough");
        let (back, _) = hand(&[detached], &[&path("a")], &[], Hands::Adopt, "e");
        assert_eq!(back.lockfiles[0].text, Some(shard.lockfile.to_text()));
        assert!(hand(&[shard], &[&path("a")], &[], Hands::Adopt, "e").0.is_empty(), "it is megax's already");
    }

    #[test]
    fn a_file_that_is_written_once_is_the_users_still_when_it_comes_back() {
        let mut shard = one_shard();
        let of_a = |lockfile: &Lockfile| lockfile.entries[&path("a")].state;
        shard.lockfile.entries.get_mut(&path("a")).unwrap().state = EntryState::Once;
        let turn = |shard: &Shard, hands| {
            let (changes, handed) = hand(std::slice::from_ref(shard), &[&path("a")], &[], hands, "e");
            assert_eq!(handed.len(), 1, "{hands:?}");
            Shard::read(".megax/lock/t/m.lock", changes.lockfiles[0].text.as_ref().unwrap()).unwrap()
        };
        let detached = turn(&shard, Hands::Detach);
        assert_eq!(of_a(&detached.lockfile), EntryState::DetachedOnce);
        assert_eq!(turn(&detached, Hands::Adopt).lockfile, shard.lockfile);
        let once = LockEntry { state: EntryState::Once, ..entry() };
        let (team, mega_file) = ("u".to_owned(), "m".to_owned());
        let new = Unrecorded { team, mega_file, source: None, path: path("a"), entry: once };
        let (changes, _) = hand(&[], &[], &[new], Hands::Detach, "e");
        let text = changes.lockfiles[0].text.clone().unwrap();
        assert_eq!(of_a(&Lockfile::parse(&text).unwrap()), EntryState::DetachedOnce);
    }

    #[test]
    fn a_file_that_was_never_written_gets_a_record_of_what_would_be() {
        let new = |team: &str| Unrecorded {
            team: team.into(),
            mega_file: "m".into(),
            source: None,
            path: path("c"),
            entry: entry(),
        };
        let shard = one_shard();
        let (changes, _) = hand(std::slice::from_ref(&shard), &[], &[new("t")], Hands::Adopt, "e");
        let text = changes.lockfiles[0].text.clone().unwrap();
        assert_eq!(Lockfile::parse(&text).unwrap().entries.len(), 3);
        let (changes, _) = hand(&[shard], &[], &[new("u")], Hands::Detach, "e");
        assert_eq!((changes.lockfiles.len(), changes.lockfiles[0].before), (1, None));
        let text = changes.lockfiles[0].text.clone().unwrap();
        assert!(Lockfile::parse(&text).unwrap().entries[&path("c")].is_detached());
    }
}
