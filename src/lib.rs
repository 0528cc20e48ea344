//! megax expands a few small *mega-files* (YAML: data, rules, templates) into a whole project tree, for many teams at
//! once: validated first, checked against every other team, rendered in parallel, written all or nothing per team.
//!
//! # The stages
//!
//! Data moves right only; a module uses modules to its left, never to its right. A stage is named by the noun it
//! produces and has one public verb. [`pipeline`] is the only module that knows the order.
//!
//! ```text
//! source::load -> model::build -> plan::resolve -> output::render -> verify::inspect
//!                                      -> change::compare -> disk::{survey, Staged::commit} -> report
//! ```
//!
//! | stage | makes | touches | promise |
//! |---|---|---|---|
//! | [`source`] | [`source::SourceSet`] | reads disk | all that will be read is in memory; every YAML node knows its place |
//! | [`template`] | [`template::Unit`] | nothing | what is a tag, a placeholder or foreign text is decided before the engine sees it |
//! | [`model`] | [`model::Model`] | nothing | schema-valid; both dialects lowered to one meaning |
//! | [`plan`] | [`plan::Plan`] | nothing | every file that will exist; collisions and boundaries over all teams |
//! | [`output`] | [`output::Rendered`] | threads | the same bytes for any number of threads; bodies stream to a sink |
//! | [`verify`] | findings | nothing | what was rendered is what the mega-file and the manifest declare |
//! | [`snapshot`] | [`snapshot::Snapshot`] | nothing | the golden record of what a mega-file expands to, as text for a review |
//! | [`mod@merge`] | [`merge::Merged`] | nothing | an edit and a new text become one, line by line; what conflicts is named |
//! | [`change`] | [`change::ChangeSet`] | nothing | the difference of output, lockfile and disk, shared by dry run, check, diff and apply |
//! | [`saved`] | [`saved::SavedPlan`] | nothing | a change set as text, to which a later run can be held |
//! | [`disk`] | [`disk::Staged`], [`disk::Applied`] | the only writer | all or nothing per set of teams; a dropped staging leaves nothing |
//! | [`report`] | text, JSON, GitHub, SARIF | nothing | one set of facts, several forms |
//!
//! [`start`] makes what a project begins with, and [`brief`] turns facts of a project into what agents are told. Both use
//! the stages above, and [`pipeline`] uses them.
//!
//! The vocabulary ([`span`], [`hidden`], [`path`], [`glob`], [`limit`], [`digest`], [`name`], [`diagnostic`], [`event`], [`lockfile`]) does no I/O. [`handle`] is how
//! `source` and `disk` reach what they read: folder by folder, no symlink followed. The
//! command in `src/bin/megax` sees only this public API.
//!
//! # Guarantees
//!
//! - **Determinism**: the same mega-files and the same megax give the same bytes, for any order of arguments, number of
//!   threads, locale, clock, host or folder. One `tree` digest over (path, mode, digest) says so. A text whose line
//!   endings version control has turned is the same text, as input, output and record; only what is copied is not.
//! - **Validate before write**: nothing of a team is written until all its selected mega-files are valid, every path is
//!   claimed and every file is rendered.
//! - **Zero collision**: a place has one producer among all teams of the project, also those not selected; compared
//!   after NFC and full case folding, and file against folder. Of two that plan one place, the one that has it reserved
//!   (`megax review --lock`) goes on, and only the other one is held.
//! - **Boundary**: a team writes only inside its write paths and never in its forbidden paths; nothing is written
//!   outside the output root, through a symlink, or into `.git` and `.megax`.
//! - **Atomic per team**: a team's files are all new or all old, also after a kill, a full disk or an I/O error at any
//!   point, and with full durability (the default) after a loss of power: the next run that writes finishes what was
//!   committed, or takes it back ([`disk`], "The protocol"). Somebody who reads the tree while it is published may see a
//!   mix.
//! - **Idempotence**: a second run changes no byte and no timestamp, and says so.
//! - **Nothing lost**: a file that megax did not write, or that was edited since, is never overwritten or deleted
//!   without an explicit choice, and then its old content is in `.megax/kept`. On request an edit is merged with the new
//!   content, line by line; where both changed the same lines, nothing is guessed ([`mod@merge`]). A run that would delete
//!   most of a team's files at once asks first. The last operations can be undone, file by file as they were. A file that
//!   was detached is never touched again.
//! - **Confinement**: a mega-file runs no command, reads nothing outside the project, and every limit has a name. Inputs
//!   are regular files, reached from a handle of the project root without a symlink, whatever is done to the folders
//!   meanwhile. Where the kernel has Landlock, the command gives up what it does not need before it reads anything; the
//!   library itself does nothing to the process, and [`source::places`] says where a request reads and writes.
//! - **Honesty**: every number printed was measured in this run; what is unknown is absent.
//!
//! What is deliberately absent: no stage prints, none reads the environment, the clock or the current folder, none
//! iterates over a hash table into an output, and no unsafe code.
//!
//! # Entry points
//!
//! [`pipeline::run`] does everything for a [`pipeline::Request`]; [`pipeline::apply_plan`] does it for a saved plan;
//! [`pipeline::explain`] answers where a file comes from; [`pipeline::history`] lists the operations that were carried out
//! and takes them back; [`pipeline::repair`] puts files back that are gone, and [`pipeline::detach`] leaves files to people;
//! [`pipeline::guard`] answers whether a file may be edited by hand, and [`mod@hooks`] has agents and git ask that;
//! [`pipeline::brief()`] writes what the agents of a team and their coordinator are told;
//! [`pipeline::doctor`] says how machine, project and output root stand; [`start::init`] and [`start::add`] make what a
//! project starts from.

pub mod brief;
pub mod change;
pub mod diagnostic;
pub mod digest;
pub mod disk;
pub mod event;
pub mod glob;
pub mod handle;
pub mod hidden;
pub mod hooks;
pub mod limit;
pub mod lockfile;
pub mod merge;
pub mod model;
pub mod name;
pub mod output;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod saved;
pub mod snapshot;
pub mod source;
pub mod span;
pub mod start;
pub mod template;
pub mod verify;
