//! What the protocol's library has to say to a person, on stderr: messages that were left out, and what failed. It must
//! never show a message as it came.

use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::terminal;

/// The module that says that a line was left out, in a whisper, and how these sentences begin.
const LINES: &str = "rmcp::transport::async_rw";
const LEFT_OUT: [&str; 2] = ["Ignoring unparsable", "Protocol error"];

/// From now on such messages go to stderr.
pub fn to_stderr() {
    // A second one in a process is refused; there is none.
    let _ = tracing::subscriber::set_global_default(Stderr);
}

struct Stderr;

impl Subscriber for Stderr {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.is_event() && (*about.level() == Level::ERROR || about.target() == LINES)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let is_error = *event.metadata().level() == Level::ERROR;
        if is_error || LEFT_OUT.iter().any(|start| message.0.starts_with(start)) {
            terminal::say(&format!("megax mcp: {}\n", message.0));
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The sentence of an event, and its numbers.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a `String` cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            _ => Ok(()),
        };
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.0, " ({}: {value})", field.name().replace('_', " "));
    }
}
