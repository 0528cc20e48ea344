//! A change that was planned from the lockfile is published: with the guards of its teams, as an operation of the log, and
//! never if another run wrote their lockfile in between.

use super::apply::{commit_finding, disk_finding};
use super::guards::guard_teams;
use super::recovery;
use super::reservations;
use super::shards::place;
use crate::change::ChangeSet;
use crate::diagnostic::{Code, Diagnostic};
use crate::disk::{self, Applied, DiskError, Durability, OperationKind, ProjectGuard, Root, Staged, Staging};
use crate::event::Watcher;

/// What is kept beside one another in `.megax/lock`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// Shards of the lockfile.
    Shards,
    /// Reservations.
    Reservations,
}

/// How a change is published.
#[derive(Clone, Copy)]
pub struct Publication<'a> {
    /// The output root.
    pub root: &'a Root,
    /// The texts of all shards that the change was planned from; of all reservations, if those change.
    pub texts: &'a [(String, String)],
    /// What changes.
    pub record: Record,
    /// What the log calls it.
    pub kind: OperationKind,
    /// What the commit must survive.
    pub durability: Durability,
    /// Who runs, for the team guards.
    pub holder: &'a str,
}

impl Publication<'_> {
    /// Publishes a change; `stage` makes the bodies that it needs. Only the lockfile of its own teams counts: what other
    /// teams record meanwhile is theirs.
    ///
    /// # Errors
    /// A team is held by another run, its lockfile is no longer what was looked at, or the disk failed.
    pub fn publish(
        &self,
        set: ChangeSet,
        stage: &dyn Fn(&Staging) -> Result<(), DiskError>,
        watcher: &dyn Watcher,
    ) -> Result<Applied, Vec<Diagnostic>> {
        let failed = |error: DiskError| vec![disk_finding(&error)];
        let teams: Vec<String> = set.teams().into_iter().map(str::to_owned).collect();
        let guards = guard_teams(self.root, &teams, self.holder)?;
        let project = ProjectGuard::wait(self.root).map_err(failed)?;
        recovery::check(self.root, &project)?;
        // What is recorded now must be what was looked at: a file that another run let go of does not come back.
        let (now, what) = match self.record {
            Record::Shards => (disk::read_shards(self.root), "lockfile"),
            Record::Reservations => (disk::read_reservations(self.root), "reservations"),
        };
        let now = now.map_err(failed)?;
        if !of_teams(&now, &teams).eq(of_teams(self.texts, &teams)) {
            let message = format!("another run wrote the {what} of {} at the same time", teams.join(", "));
            let help = "nothing of the team was changed; run again";
            return Err(vec![Diagnostic::new(Code::ChangedMeanwhile, message).help(help)]);
        }
        let staging = Staging::begin(self.root).map_err(failed)?;
        stage(&staging).map_err(failed)?;
        if !watcher.may_publish() {
            return Err(Vec::new());
        }
        let applied = Staged::new(staging, set)
            .and_then(|staged| staged.called(self.kind).commit(self.durability, watcher))
            .map_err(|error| vec![commit_finding(&error)])?;
        // What cannot be removed now is removed later.
        let _ = disk::prune_log(self.root, disk::KEPT_OPERATIONS, &project);
        drop((project, guards));
        Ok(applied)
    }
}

/// The shards or reservations that lie at a place of one of the teams.
fn of_teams<'t>(texts: &'t [(String, String)], teams: &'t [String]) -> impl Iterator<Item = &'t (String, String)> {
    let team_of = |path: &String| place(path).or_else(|| reservations::owner(path)).map(|(team, _)| team.to_owned());
    texts.iter().filter(move |(path, _)| team_of(path).is_some_and(|team| teams.contains(&team)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]
mod tests {
    use super::*;
    use crate::change::{Hands, Shard, hand};
    use crate::event::Silent;
    use crate::lockfile::{LockEntry, Lockfile};
    use crate::path::{FileMode, OutputPath};

    fn text_of(team: &str, files: &[&str]) -> String {
        let entry = |at: &&str| {
            let (digest, state) = (crate::digest::Digest::of(b"1"), crate::lockfile::EntryState::Managed);
            let entry = LockEntry { digest, lf_digest: None, mode: FileMode::Regular, state, template: String::new() };
            (OutputPath::parse(at).unwrap(), entry)
        };
        let entries = files.iter().map(entry).collect();
        let (team, mega_file, engine) = (team.to_owned(), format!("{team}-1"), "e".to_owned());
        Lockfile { team, mega_file, engine, inputs: None, source: None, entries }.to_text()
    }

    #[test]
    fn another_team_may_write_its_lockfile_meanwhile_and_the_own_one_may_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let write = |team: &str, files: &[&str]| {
            let path = folder.path().join(crate::lockfile::shard_path(team, &format!("{team}-1")));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text_of(team, files)).unwrap();
        };
        write("t", &["a"]);
        write("u", &["b"]);
        let texts = disk::read_shards(&root).unwrap();
        let shards: Vec<Shard> = texts.iter().map(|(path, text)| Shard::read(path, text).unwrap()).collect();
        let (set, _) = hand(&shards, &[&OutputPath::parse("a").unwrap()], &[], Hands::Detach, "e");
        let (kind, durability) = (OperationKind::Detach, Durability::Process);
        let record = Record::Shards;
        let publication = Publication { root: &root, texts: &texts, record, kind, durability, holder: "h" };
        let publish = || publication.publish(set.clone(), &|_| Ok(()), &Silent);
        write("t", &["a", "c"]);
        let found = publish().unwrap_err();
        assert_eq!((found.len(), found[0].code), (1, Code::ChangedMeanwhile));
        write("t", &["a"]);
        write("u", &["b", "c"]);
        assert_eq!(publish().unwrap().shards, 1);
    }
}
