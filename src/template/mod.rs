//! Templates: placeholders and Jinja side by side, exactly as the format's documentation says.
//!
//! Text and vocabulary in, rendered bytes or located issues out. A unit is compiled once per rule and shared by all
//! threads. This module reads no file, knows no team and decides no path; a template can reach nothing but its scope.

mod bounds;
mod budget;
mod builtins;
mod compile;
mod dashes;
mod failure;
pub mod filters;
pub mod forms;
#[cfg(any(test, fuzzing))]
#[path = "fuzz_testing.rs"]
pub mod fuzzing;
mod guard;
mod issue;
mod judge;
mod lexer;
mod lines;
pub mod marks;
mod meant;
mod mends;
mod misread;
mod nouns;
mod operators;
mod prose;
pub mod random;
mod regions;
mod scan;
mod scope;
mod shape;
pub mod slots;
pub mod steps;
mod syntax;
mod tags;
pub mod trace;
mod unit;
pub mod value;
mod vocabulary;
mod weight;

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

pub use compile::{Choice, Source, bound_names, choose, includes_by_value, references};
pub use failure::Failure;
pub use issue::Issue;
pub use scan::Syntax;
pub use scope::{Base, Scope};
pub use slots::Slots;
pub use unit::{Unit, expression_body, is_expression};
pub use vocabulary::{Change, Origin, Vocabulary, Word};
