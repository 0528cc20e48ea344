//! How far a step is. Decided by what lies on disk, so that a run that finds a journal knows as much as the one that wrote
//! it. Nothing is changed here but a second name of a file, which a process left that died between two calls.

use rustix::io::Errno;

use super::Steps;
use crate::change::OnDisk;
use crate::digest::Digest;
use crate::disk::error::DiskError;
use crate::disk::journal::Step;
use crate::disk::look::digest_of;
use crate::disk::sys;
use crate::disk::walk::{Reached, parts};
use crate::path::FileMode;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not begun, and what it needs is there.
    Open,
    /// Done; somebody may have gone on from there.
    Done,
    /// Somebody changed what it needs: the commit cannot go on.
    Blocked,
}

impl Steps<'_> {
    /// How far a step is, by what lies in the tree and in the transaction folder.
    pub(super) fn state(&mut self, step: &Step) -> Result<State, DiskError> {
        let path = step.path();
        Ok(match step {
            Step::Folder { .. } => match self.walker.enter(path)? {
                Reached::Folder => State::Done,
                Reached::Absent => State::Open,
                Reached::Blocked(_) => State::Blocked,
            },
            // Whatever it was, the files that it stands for are judged one by one.
            Step::Tree { .. } => State::Done,
            // The file that it makes way for may be there already.
            Step::Clear { .. } => match self.walker.enter(path)? {
                Reached::Folder => State::Open,
                Reached::Absent | Reached::Blocked(_) => State::Done,
            },
            Step::Create { slot, .. } => {
                if self.look_aside(slot, path)? == OnDisk::Absent {
                    State::Done
                } else if self.is_same(path, slot)? {
                    // Linked, but the first name is still there.
                    self.forget(slot, path)?;
                    State::Done
                } else {
                    match self.look(path)? {
                        OnDisk::Absent => State::Open,
                        _ => State::Blocked,
                    }
                }
            }
            Step::Replace { slot, aside, before, after, .. } => {
                self.state_of_replace(path, slot, aside, *before, *after)?
            }
            Step::Remove { aside, before, .. } => {
                if self.is_same(path, aside)? {
                    // An older megax linked it aside and died before it was out of the tree.
                    self.forget(aside, path)?;
                }
                match (self.look_aside(aside, path)?, self.look(path)?) {
                    (OnDisk::File { digest, .. }, _) if digest == *before => State::Done,
                    (OnDisk::Absent, OnDisk::File { digest, .. }) if digest == *before => State::Open,
                    (OnDisk::Absent, OnDisk::Absent) => State::Done,
                    _ => State::Blocked,
                }
            }
            Step::Mode { digest, mode, .. } => match self.look(path)? {
                OnDisk::File { digest: found, executable, .. } if found == *digest => {
                    if executable == (*mode == FileMode::Executable) { State::Done } else { State::Open }
                }
                _ => State::Blocked,
            },
        })
    }

    fn state_of_replace(
        &mut self,
        path: &str,
        slot: &str,
        aside: &str,
        before: Digest,
        after: Digest,
    ) -> Result<State, DiskError> {
        let staged = digest_of(&self.look_aside(slot, path)?);
        if let OnDisk::File { digest: displaced, .. } = self.look_aside(aside, path)? {
            // Without exchange: linked aside first, then replaced.
            return Ok(match (staged, displaced == before) {
                (None, true) => State::Done,
                (Some(_), true) if self.is_same(path, aside)? => {
                    self.forget(aside, path)?;
                    State::Open
                }
                _ => State::Blocked,
            });
        }
        Ok(match staged {
            Some(staged) if staged == after => match digest_of(&self.look(path)?) {
                Some(found) if found == before => State::Open,
                _ => State::Blocked,
            },
            Some(staged) if staged == before => State::Done,
            _ => State::Blocked,
        })
    }

    /// Whether a path of the tree and a name of the transaction folder are one file.
    pub(super) fn is_same(&mut self, path: &str, aside: &str) -> Result<bool, DiskError> {
        let (folder, name) = parts(path);
        if self.walker.enter(folder)? != Reached::Folder {
            return Ok(false);
        }
        let Some(aside) = self.enter_inside(aside)? else { return Ok(false) };
        match sys::is_same((self.walker.folder(), name), (self.inside.folder(), aside)) {
            Err(Errno::NOENT) => Ok(false),
            done => done.map_err(|error| DiskError::io("read", path, error)),
        }
    }
}
