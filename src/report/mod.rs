//! What a run says: one set of facts ([`Report`]), several forms of text.
//!
//! Everything here is pure: facts in, text out. This module must never print, never read a disk, the environment or a
//! terminal, and never decide anything about a run; whether there is colour is an argument. Text that comes from a
//! mega-file or a path is untrusted: every form for people shows control and bidirectional characters instead of
//! sending them (see [`clean()`]).
//!
//! | form | function | stream |
//! |---|---|---|
//! | findings for people | [`human::diagnostics`] | stderr |
//! | preview and totals | [`tree::preview`], [`tree::closing`] | stdout |
//! | unified diff | [`diff::unified`] | stdout |
//! | what snapshots differ in | [`snapshot::diff`], [`snapshot::closing`], [`snapshot::document`] | stdout |
//! | how the teams stand | [`status::overview`], [`status_json::document`] | stdout |
//! | who is ready to expand | [`review::text`], [`review::document`] | stdout |
//! | one JSON document | [`json::document`], its schema [`json::schema`] | stdout |
//! | a report of bounded length | [`synopsis::document`], [`synopsis::text`] | stdout |
//! | what a watcher saw, line by line | [`watch::text`], [`watch::document`] | stdout |
//! | GitHub annotations | [`github::annotations`] | stdout |
//! | SARIF 2.1.0 | [`sarif::document`] | stdout |
//! | what `init` and `new` made | [`made::text`], [`made::document`] | stdout |
//! | who makes a file | [`explanation::text`], [`explanation::document`] | stdout |
//! | what `repair`, `detach` and `adopt` did | [`mend::text`], [`mend::document`] | stdout |
//! | briefs for agents | text, [`brief::lengths`], [`brief::document`] | stdout, lengths on stderr |
//! | how machine and project stand | [`doctor::text`], [`doctor::document`] | stdout |
//! | whether files may be edited by hand | [`guard::text`], [`guard::document`] | stdout |
//! | what became of hooks | [`hooks::text`], [`hooks::document`] | stdout |
//! | pages of codes | [`explain::explain_code`], [`explain::code_list`] | stdout |

pub mod brief;
mod clean;
mod context;
pub mod diff;
pub mod doctor;
mod excerpt;
pub mod explain;
pub mod explanation;
mod facts;
pub mod github;
pub mod guard;
pub mod history;
pub mod hooks;
pub mod human;
pub mod json;
pub mod made;
pub mod mend;
mod paint;
pub mod recovery;
pub mod review;
pub mod sarif;
pub mod snapshot;
pub mod status;
pub mod status_json;
mod suggestion;
pub mod synopsis;
mod table;
mod totals;
pub mod tree;
pub mod watch;
mod words;

#[cfg(test)]
mod sample;

pub use clean::{clean, clean_json, clean_lines, clean_stream};
pub use facts::{
    Change, Command, Counts, FileReport, MegaFileReport, Mode, Outcome, Report, Summary, TeamReport, highest,
};
pub use words::{bytes, count, number};
