//! What can go wrong on disk: which path, which verb, and what the system said.

use std::io;

/// The disk failed, or holds something else than expected.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A call failed.
    #[error("cannot {verb} `{path}`: {source}")]
    Io {
        /// Relative to the output root, or the root itself.
        path: String,
        /// What was tried: `create`, `read`.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not as it was when the run looked at it.
    #[error("`{path}` was changed by somebody else meanwhile")]
    ChangedMeanwhile {
        /// Relative to the output root.
        path: String,
    },
    /// Something else lies where a file or a folder must be.
    #[error("`{path}` is {what}; megax does not follow or replace it")]
    NotAFile {
        /// Relative to the output root.
        path: String,
        /// What it is, in words.
        what: &'static str,
    },
    /// A limit.
    #[error("{what} of `{path}` is over the limit of {limit}")]
    TooLarge {
        /// Relative to the output root.
        path: String,
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The file system is full, or nearly.
    #[error("the file system of `{path}` has {free} {what} left, and publishing may need {need}")]
    NoRoom {
        /// The output root.
        path: String,
        /// What was counted.
        what: &'static str,
        /// How many may be needed, besides what is staged already.
        need: u64,
        /// How many are left.
        free: u64,
    },
    /// A folder in which names must be made or taken away.
    #[error("the folder `{path}` may not be written: {source}")]
    NotWritable {
        /// Relative to the output root; `.` for the root itself.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A folder or file on another mount than the transaction, or megax's own folder on another than the root.
    #[error(
        "`{path}` is on another mount than the rest of the output, and nothing can be moved between the two in one step"
    )]
    OtherMount {
        /// Relative to the output root; `.` for the root itself.
        path: String,
    },
    /// A journal that was not written here.
    #[error(
        "`{path}` was not written in this tree (it came with a copy or a repository), so nothing is done with it; if \
         the tree was copied or moved here, contents that a run displaced lie beside it: look for them before you remove \
         its folder"
    )]
    Foreign {
        /// Relative to the output root.
        path: String,
    },
    /// A journal that is not as it was written.
    #[error(
        "`{path}` is damaged ({reason}), so nothing is done with it; contents that a run displaced lie beside it: look for \
         them, then remove its folder"
    )]
    Damaged {
        /// Relative to the output root.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that cannot name a guard or a shard.
    #[error("`{name}` cannot be the name of a team or a shard")]
    Name {
        /// The text.
        name: String,
    },
}

impl DiskError {
    pub(super) fn io(verb: &'static str, path: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.into(), verb, source: source.into() }
    }

    pub(super) fn changed(path: &str) -> Self {
        Self::ChangedMeanwhile { path: path.to_owned() }
    }
}

/// A guard was not had.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Another run holds the team.
    #[error("another run holds team `{team}`: {holder}")]
    Held {
        /// The team.
        team: String,
        /// What that run wrote about itself; never empty.
        holder: String,
    },
    /// The guard's file could not be had.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A commit did not happen. Unless it says otherwise, the tree is as before.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The change set holds a conflict; nothing was tried.
    #[error("`{path}` is in conflict; a change set with a conflict is never written")]
    Conflict {
        /// The path.
        path: String,
    },
    /// The body of a file was not staged, or another one was; nothing was tried.
    #[error("the body of `{path}` was not staged as planned")]
    NotStaged {
        /// The path.
        path: String,
    },
    /// A step failed, and every step before it was taken back.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A step failed, and every step before it was taken back but those of files that somebody edited after they were
    /// published: the edits stay.
    #[error("{cause}{}", edited(.kept))]
    EditedMeanwhile {
        /// The step that failed.
        #[source]
        cause: DiskError,
        /// The paths, and where the old content of each lies.
        kept: Vec<(String, String)>,
    },
    /// A step failed, and so did taking the others back: the next run does that first.
    #[error(
        "{cause}; the next run finishes what was begun, or takes it back (`megax recover` does only that); its journal is \
         in `{folder}`"
    )]
    Interrupted {
        /// The step that failed.
        #[source]
        cause: DiskError,
        /// Where the journal lies.
        folder: String,
    },
}

fn edited(kept: &[(String, String)]) -> String {
    let one = |(path, place): &(String, String)| {
        format!("; `{path}` was edited after it was written and stays as it is; the content before is in `{place}`")
    };
    kept.iter().map(one).collect()
}
