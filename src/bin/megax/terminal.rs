//! The only place that knows streams and colour. Whatever is printed goes through here, and nothing leaves with a character
//! that a terminal would obey, but for our own colours.

use std::io::{ErrorKind, IsTerminal, Write as _};

use megax::report::{Outcome, clean_json, clean_stream, highest};

/// Whether findings on stderr are coloured: a terminal, and no `NO_COLOR`.
pub fn stderr_colour() -> bool {
    colour(std::io::stderr().is_terminal())
}

/// Whether data on stdout is coloured.
pub fn stdout_colour() -> bool {
    colour(std::io::stdout().is_terminal())
}

fn colour(is_terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    is_terminal && !refused && !dumb
}

/// Whether somebody watches stderr.
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints data and returns whether it worked; if not, stderr says why. A reader that has gone away (`megax ... | head`)
/// is no error.
#[must_use]
pub fn print(text: &str) -> bool {
    write_out(&clean_stream(text, stdout_colour()))
}

/// The same for a JSON document, whose values stay what they are.
#[must_use]
pub fn print_json(document: &str) -> bool {
    write_out(&clean_json(document))
}

/// Prints one of many texts; whether the next one can be printed: not if the reader has gone away.
#[must_use]
pub fn print_on(text: &str) -> bool {
    matches!(send(&clean_stream(text, stdout_colour())), Sent::All)
}

/// The same for a JSON document.
#[must_use]
pub fn print_json_on(document: &str) -> bool {
    matches!(send(&clean_json(document)), Sent::All)
}

/// What came of a write to stdout.
enum Sent {
    All,
    /// The reader has gone away.
    Gone,
    /// Stderr says why.
    Failed,
}

fn write_out(text: &str) -> bool {
    !matches!(send(text), Sent::Failed)
}

fn send(text: &str) -> Sent {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Sent::All,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Sent::Gone,
        Err(error) => {
            say(&format!("error: the report cannot be written: {error}\n"));
            Sent::Failed
        }
    }
}

/// Prints a JSON document, or says why there is none.
pub fn print_document(outcome: Outcome, document: Result<String, impl std::fmt::Display>) -> Outcome {
    match document {
        Ok(document) => judge(outcome, print_json(&document)),
        Err(error) => {
            say(&format!("error: the report cannot be written as JSON: {error}\n"));
            Outcome::Bug
        }
    }
}

/// The outcome of a command that printed: a report that was lost counts as a failed disk, unless something graver is
/// known.
pub fn judge(outcome: Outcome, printed: bool) -> Outcome {
    if printed { outcome } else { highest([outcome, Outcome::DiskFailed]) }
}

/// Prints findings and hints.
pub fn say(text: &str) {
    let text = clean_stream(text, stderr_colour());
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
