//! The integration tests, one binary: `cases` run the command on folders of data, `properties` run it on generated
//! projects, `tidy` reads the sources. They see what users see and never reach into the library's insides.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "these are habits of the library; a test may touch the disk and the environment, and panics when it fails"
)]

mod briefs;
mod cases;
mod committed;
mod confined;
mod folder;
mod guarding;
mod hostile;
mod hostile_output;
mod invariants;
mod looks;
#[cfg(feature = "mcp")]
mod mcp;
mod parts;
mod processes;
mod projects;
mod properties;
mod readme;
mod slips;
mod start;
mod steps;
mod teamwork;
mod texts;
mod tidy;
mod watch;
mod yaml_suite;
