//! The one table from outcome to exit code.

use std::process::ExitCode;

use megax::report::Outcome;

/// The exit code of an outcome; the table itself is [`Outcome::exit_code`] and part of the public contract.
pub fn code(outcome: Outcome) -> ExitCode {
    ExitCode::from(outcome.exit_code())
}
