//! Findings over what was rendered: whether it is what the mega-file declares, and what the manifest expects of teams and
//! of the artefacts between them.
//!
//! [`Inspector`] sees each body once, from many threads, and keeps only what failed; [`judge()`] and [`inspect`] make
//! findings of that and of the facts. Touches nothing, and no answer depends on the order of the threads.

mod declared;
pub mod goals;
mod hidden;
mod judge;
mod look;
pub mod points;
mod syntax;

pub use declared::{inspect, without_hasty_fixes};
pub use hidden::{Hidden, judge as judge_hidden};
pub use judge::{SourceLine, judge};
pub use look::{Check, Inspector, Miss, Seen};

use crate::output::Facts;
use crate::plan::PlannedFile;

/// What was rendered for one mega-file.
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    /// Its rendered files with their facts.
    pub files: Vec<(&'a PlannedFile, Facts)>,
}
