//! The disk: the only module that writes.
//!
//! ```text
//! Root::open -> survey, read_shards          looking; makes nothing
//!            -> TeamGuard, ProjectGuard      one run at a time
//!            -> Staging::begin -> put -> Staged::new -> commit -> Applied
//!            -> plant                        a few new files, no plan: for `init` and `new`
//! ```
//!
//! Everything below the output root is reached from a handle of the root, folder by folder, and no symlink is followed
//! on the way. A commit is all or nothing as far as a process that survives can make it so: every step notes how to
//! take itself back. It is not yet durable: there is no sync, and no journal with which a later run would finish what a
//! killed one began (its displaced files are saved to `.megax/kept`, and expanding again heals the tree).
//!
//! This module must never follow a symlink, never write over bytes that it did not look at, never unlink what it did
//! not write, and never decide *what* to change: that is `change`. It is written for Unix.

#[cfg(not(unix))]
compile_error!("megax writes through folder handles (openat, renameat) and is not ported to this platform");

mod commit;
mod error;
mod guard;
mod kept;
mod look;
mod plant;
mod publish;
mod root;
mod shards;
mod snapshots;
mod stage;
mod survey;
mod sys;
#[cfg(test)]
mod tests;
mod walk;

pub use commit::{Applied, Staged};
pub use error::{CommitError, DiskError, GuardError};
pub use guard::{ProjectGuard, TeamGuard};
pub use plant::plant;
pub use root::Root;
pub use shards::read_shards;
pub use snapshots::{read_snapshots, remove_snapshot, write_snapshot};
pub use stage::Staging;
pub use survey::{read, survey};
