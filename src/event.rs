//! What a run tells a watcher while it works. Events carry facts, never text for a terminal.

/// One step of a run. Events may arrive from several threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Inputs were read: how many mega-files.
    Loaded {
        /// Mega-files read, selected or not.
        mega_files: usize,
    },
    /// The run waits for another one.
    Waiting {
        /// The team that both want.
        team: String,
        /// Who holds it.
        holder: String,
    },
    /// The plan stands: how many files will be rendered.
    Planned {
        /// Files that the selected mega-files plan.
        files: usize,
    },
    /// One file was rendered.
    Rendered,
    /// Writing begins: how many files differ from the disk.
    Writing {
        /// Files to create, update or delete.
        files: usize,
    },
    /// One file was published.
    Published,
}

/// Receives [`Event`]s; must be cheap and must not fail.
pub trait Watcher: Sync {
    /// Takes one event.
    fn on_event(&self, event: Event);

    /// Whether the run may begin to publish. Asked after the last render and before anything of the project is written;
    /// `false`: the caller has given the run up, and nothing is written.
    fn may_publish(&self) -> bool {
        true
    }
}

/// A watcher that ignores everything.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Watcher for Silent {
    fn on_event(&self, _event: Event) {}
}
