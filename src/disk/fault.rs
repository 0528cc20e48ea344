//! Where tests interfere. At every point of a commit that matters a test may let a call fail, let the process die, or do
//! what a person might do in that very moment; and it may leave a check out, to prove that its loss is noticed.
//!
//! Outside tests all of this is nothing, and it must stay so.

#[cfg(not(test))]
use super::error::DiskError;

/// A check that keeps a person's bytes. A test leaves each out in turn, and must fail then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// What an exchange brought into the transaction is what was to be replaced.
    Exchanged,
    /// The same, where the old file is linked aside first.
    Linked,
    /// What was moved aside is what was to be removed.
    Removed,
    /// A file goes only where nothing is.
    Free,
    /// A published file is taken back only as it was published.
    Uncreated,
    /// What takes the place of a published file again finds it as it was published.
    Unreplaced,
}

#[cfg(test)]
impl Check {
    pub(super) const ALL: [Self; 6] =
        [Self::Exchanged, Self::Linked, Self::Removed, Self::Free, Self::Uncreated, Self::Unreplaced];
}

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "tests let it fail")]
pub(super) const fn point(_path: &str) -> Result<(), DiskError> {
    Ok(())
}

#[cfg(not(test))]
pub(super) const fn is_left_out(_check: Check) -> bool {
    false
}

/// Whether the file system is said to know no more of renaming than a plain rename.
#[cfg(not(test))]
pub(super) const fn is_plain() -> bool {
    false
}

#[cfg(test)]
pub(super) use tests::{is_dead, is_left_out, is_plain, point};

#[cfg(test)]
pub(super) mod tests {
    use std::cell::{Cell, RefCell};

    use rustix::io::Errno;

    use super::Check;
    use crate::disk::error::DiskError;
    use crate::disk::stage::TRANSACTIONS;

    /// What a file system knows of renaming.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in crate::disk) enum Renaming {
        Full,
        /// As without `renameat2`.
        Plain,
    }

    /// What happens at a point.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in crate::disk) enum Happens {
        Nothing,
        /// The call fails.
        Error,
        /// The process dies: no later code of it runs.
        Death,
    }

    thread_local! {
        /// How many single syncs there were, while a test counts them.
        static SYNCS: Cell<Option<usize>> = const { Cell::new(None) };
    }

    pub(in crate::disk) fn count_sync() {
        SYNCS.set(SYNCS.get().map(|count| count + 1));
    }

    /// Whether the file system is said to know no `syncfs`.
    pub(in crate::disk) fn is_syncing_each() -> bool {
        SYNCS.get().is_some()
    }

    /// Runs something on a file system without `syncfs`; how many single syncs it made.
    pub(in crate::disk) fn syncing_each(run: impl FnOnce()) -> usize {
        SYNCS.set(Some(0));
        run();
        SYNCS.take().unwrap_or_default()
    }

    type Script = Box<dyn FnMut(&str) -> Happens>;

    thread_local! {
        static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
        static DEAD: Cell<bool> = const { Cell::new(false) };
        static LEFT_OUT: Cell<Option<Check>> = const { Cell::new(None) };
        static RENAMING: Cell<Renaming> = const { Cell::new(Renaming::Full) };
    }

    pub(in crate::disk) fn point(path: &str) -> Result<(), DiskError> {
        let happens = SCRIPT.with_borrow_mut(|script| script.as_mut().map_or(Happens::Nothing, |script| script(path)));
        match happens {
            Happens::Nothing => Ok(()),
            Happens::Error => Err(DiskError::io("pretend to write", path, Errno::NOSPC)),
            Happens::Death => {
                DEAD.set(true);
                std::panic::resume_unwind(Box::new("death"))
            }
        }
    }

    pub(in crate::disk) fn is_left_out(check: Check) -> bool {
        LEFT_OUT.get() == Some(check)
    }

    /// Whether the process is dead, so that nothing may be tidied up on the way out.
    pub(in crate::disk) fn is_dead() -> bool {
        DEAD.get()
    }

    pub(in crate::disk) fn is_plain() -> bool {
        RENAMING.get() == Renaming::Plain
    }

    /// A script: something happens at a step's call of that number, from 1.
    pub(in crate::disk) fn at_call(number: usize, happens: Happens) -> impl FnMut(&str) -> Happens + 'static {
        let mut calls = 0;
        move |path| {
            // Around the steps, nothing of the tree has begun to change, or all of it has; a point without a path lies
            // within a call.
            let is_step = !path.is_empty() && !path.starts_with(TRANSACTIONS);
            calls += usize::from(is_step);
            if calls == number && is_step { happens } else { Happens::Nothing }
        }
    }

    /// Runs something on this thread with all of that; `None` if the process died in it.
    pub(in crate::disk) fn with<T>(
        renaming: Renaming,
        left_out: Option<Check>,
        script: impl FnMut(&str) -> Happens + 'static,
        run: impl FnOnce() -> T,
    ) -> Option<T> {
        SCRIPT.set(Some(Box::new(script)));
        LEFT_OUT.set(left_out);
        RENAMING.set(renaming);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        let died = DEAD.replace(false);
        SCRIPT.set(None);
        LEFT_OUT.set(None);
        RENAMING.set(Renaming::Full);
        match done {
            Ok(done) => Some(done),
            Err(_) if died => None,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
