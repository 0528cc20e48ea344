//! How many steps of the engine the renders of this thread took, so that a run can count them all.
//!
//! Whole renders are counted, each on the thread that did it, and beside them what filters, operators and calls make, also
//! in expressions and in renders that fail. What goes on within one stays within `render_steps` and `render_bytes`.

use std::cell::Cell;

use minijinja::{Error, ErrorKind};

use super::failure::innermost;
use crate::limit::{Limit, Limits};

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// The engine does not say what a failed render took; it counts as this part of what it may take.
const PART_OF_FAILED: u64 = 100;

/// The steps of all renders of this thread so far: what two answers differ by was taken between them.
#[must_use]
pub fn taken() -> u64 {
    TAKEN.get()
}

/// Counts a render.
pub(super) fn add(steps: u64) {
    TAKEN.set(TAKEN.get().saturating_add(steps));
}

/// Counts a render that failed.
pub(super) fn add_failed(error: &Error, limits: &Limits) {
    let most = limits.get(Limit::RenderSteps);
    let ran_out = innermost(error).kind() == ErrorKind::OutOfFuel;
    add(if ran_out { most } else { most / PART_OF_FAILED });
}
