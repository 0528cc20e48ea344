//! The disk: the only module that writes.
//!
//! ```text
//! Root::open -> survey, read_shards, read_reservations   looking; makes nothing
//!            -> recover                      first in every run that writes: finishes what a killed one committed
//!            -> TeamGuard, ProjectGuard      one run at a time
//!            -> Staging::begin -> put -> Staged::new -> store -> commit -> Applied
//!            -> Staged::called               the same, with another name in the log
//!            -> read_listings, read_inputs   the texts that earlier commits were made from
//!            -> read_log, choose, reverse    undoes operations of the log, as a commit of its own
//!            -> plant                        a few new files, no plan: for `init` and `new`
//!            -> write_single                 one file that is new or old, never half: hooks, snapshots, briefs
//! ```
//!
//! Everything below the output root is reached from a handle of the root, folder by folder, and no symlink is followed
//! on the way.
//!
//! # The protocol
//!
//! Bodies are staged in a transaction folder; a look at room, names, permissions and mounts stops a run that could not
//! publish; one `syncfs` brings the bodies to the disk; the journal names every step with
//! the digests before and after, and its rename into place is the commit point. Then the steps are carried out: a folder
//! that was not there comes with all that is in it by one rename, any other new file by a rename that replaces nothing, update by exchanging two names (the old file lands in the transaction folder, so
//! that an edit made in that very moment is found after the exchange and goes back), delete by moving aside; the
//! lockfile's shards come last. A second `syncfs`, and one rename makes the folder an operation of the log. Every step
//! is decided by what lies on disk, so that the same code finishes what a killed process began, and takes back what
//! cannot be finished. A reader who looks at the tree while it is published may see some files old and some new.
//!
//! This module must never follow a symlink, never write over bytes that it did not look at, never unlink what it did
//! not write, and never decide *what* to change: that is `change` (an undo only turns recorded steps around). It is written for Unix.

#[cfg(not(unix))]
compile_error!("megax writes through folder handles (openat, renameat) and is not ported to this platform");

mod barred;
mod barrier;
mod checkpoint;
mod choose;
mod commit;
mod condition;
#[cfg(test)]
mod crash_tests;
mod entry;
mod error;
mod fault;
mod footing;
#[cfg(any(test, fuzzing))]
#[path = "fuzz_testing.rs"]
pub mod fuzzing;
mod guard;
mod inputs;
mod journal;
mod kept;
mod listing;
mod log;
#[cfg(test)]
mod log_tests;
mod look;
#[cfg(test)]
mod person_testing;
mod plant;
mod preflight;
#[cfg(test)]
mod random_tests;
mod recover;
mod root;
mod saved;
mod shards;
mod single;
mod snapshots;
mod stage;
mod steps;
mod survey;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod symlink_tests;
mod sys;
#[cfg(test)]
mod tests;
mod trees;
#[cfg(test)]
mod trees_tests;
mod undo;
mod undone;
mod walk;

pub use barred::git_folders;
pub use checkpoint::{
    Checkpoint, damaged_checkpoints, is_checkpoint_name, read_checkpoints, remove_checkpoint, write_checkpoint,
};
pub use choose::{Target, choose};
pub use commit::{Applied, Staged};
pub use condition::{Condition, Own, examine};
pub use entry::OperationKind;
pub use error::{CommitError, DiskError, GuardError};
pub use footing::Footing;
pub use guard::{ProjectGuard, TeamGuard};
pub use inputs::{Inputs, prune_inputs, read_inputs, read_listings};
pub use listing::{Listed, Listing, Role};
pub use log::{KEPT_OPERATIONS, Log, Operation, Pruned, prune_log, read_log};
pub use plant::plant;
pub use recover::{Recovered, is_interrupted, is_unfinished, recover};
pub use root::{Durability, Root};
pub use saved::{write_document, write_plan};
pub use shards::{read_reservations, read_shards, read_shards_singly, shard_digest};
pub use single::{read_single, remove_single, write_single};
pub use snapshots::{read_snapshots, remove_snapshot, write_snapshot};
pub use stage::Staging;
pub use survey::{read_up_to, survey};
pub use undo::{Fate, Refusal, Reversal, ReversalError, Reversed, reverse};
