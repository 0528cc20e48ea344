//! Counts the nodes of all files of a run together, while they are parsed beside one another.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::diagnostic::{Code, Diagnostic};
use crate::limit::{Limit, Limits};
use crate::span::SourceMap;

/// So many nodes are counted at once.
const CHUNK: u64 = 1 << 12;

/// The nodes that were read so far, of at most so many.
#[derive(Debug)]
pub(super) struct Tally {
    read: AtomicU64,
    most: u64,
}

impl Tally {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { read: AtomicU64::new(0), most: limits.get(Limit::RunNodes) }
    }

    /// For a file that nothing counts beside.
    pub(super) const fn alone() -> Self {
        Self { read: AtomicU64::new(0), most: u64::MAX }
    }

    /// Counts the nodes of one file.
    pub(super) fn counter(&self) -> Counter<'_> {
        Counter { of: self, waiting: 0 }
    }

    /// Whether all files together hold too much. Files stop being read only when they do, so that the answer is the
    /// same in whatever order they are read.
    ///
    /// # Errors
    /// MX106 with the largest files.
    pub(super) fn check(&self, sources: &SourceMap, limits: &Limits) -> Result<(), Diagnostic> {
        if self.read.load(Ordering::Relaxed) <= self.most {
            return Ok(());
        }
        let mut sizes: Vec<(usize, &str)> = sources.iter().map(|(_, file)| (file.text().len(), file.name())).collect();
        sizes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let largest: Vec<String> =
            sizes.iter().take(3).map(|(bytes, name)| format!("`{name}` ({bytes} bytes)")).collect();
        let says = limits.says(Limit::RunNodes);
        let message = format!("the mega-files and sources hold too many nodes together: {says}");
        let mend = format!("make the largest smaller: {}", largest.join(", "));
        Err(Diagnostic::new(Code::YamlLimit, message).help(Limit::RunNodes.help(&mend)))
    }
}

/// The nodes of one file, handed over in parts.
#[derive(Debug)]
pub(super) struct Counter<'t> {
    of: &'t Tally,
    waiting: u64,
}

impl Counter<'_> {
    /// Counts a node. `false`: all files together hold too much, so that this one need not be read further.
    pub(super) fn add(&mut self) -> bool {
        self.waiting += 1;
        self.waiting < CHUNK || self.hand_over()
    }

    fn hand_over(&mut self) -> bool {
        let waiting = std::mem::take(&mut self.waiting);
        self.of.read.fetch_add(waiting, Ordering::Relaxed) + waiting <= self.of.most
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        self.hand_over();
    }
}
