//! The command: reads arguments, runs the library, prints, exits. It sees only the library's public API.

mod args;
mod bounds;
mod brief;
mod doctor;
mod exit;
mod expand;
mod explain;
mod guard;
mod history;
mod hooks;
mod manual;
#[cfg(feature = "mcp")]
mod mcp;
mod mend;
mod needs;
mod progress;
mod recover;
mod request;
mod review;
mod sandbox;
mod schema;
mod start;
mod terminal;
mod views;
mod watch;
mod watchdog;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, Megax};
use megax::report::Outcome;
use sandbox::{Confinement, Needs};

fn main() -> ExitCode {
    let megax = match Megax::try_parse() {
        Ok(megax) => megax,
        Err(error) => return usage(&error),
    };
    let _ = request::threads();
    let confinement = match request::no_sandbox(megax.no_sandbox) {
        Ok(true) => Confinement::Off,
        Ok(false) => sandbox::confine(&needs::needs(&megax.command).unwrap_or_else(Needs::everywhere)),
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return exit::code(Outcome::Usage);
        }
    };
    let outcome = match &megax.command {
        Command::Expand(args) => expand::expand(args),
        Command::Plan(args) => expand::plan(args),
        Command::Apply(args) => expand::apply(args, confinement),
        Command::Validate(args) => expand::validate(args),
        Command::Watch(args) => watch::watch(args),
        Command::Snapshot(args) => views::snapshot(args),
        Command::Status(args) => views::status(args),
        Command::Review(args) => review::review(args),
        Command::Explain(args) => explain::explain(args),
        Command::Doctor(args) => doctor::doctor(args, confinement),
        Command::Recover(args) => recover::recover(args),
        Command::Log(args) => history::log(args),
        Command::Undo(args) => history::undo(args),
        Command::Rollback(args) => history::rollback(args),
        Command::Checkpoint(args) => history::checkpoint(args),
        Command::Gc(args) => history::gc(args),
        Command::Repair(args) => mend::repair(args),
        Command::Detach(args) => mend::detach(args),
        Command::Adopt(args) => mend::adopt(args),
        Command::Guard(args) => guard::guard(args),
        Command::Hooks(args) => hooks::hooks(args),
        Command::Schema(args) => schema::schema(args),
        Command::Brief(args) => brief::brief(args),
        Command::Init(args) => start::init(args),
        Command::New(args) => start::new(args),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::mcp(args),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args),
    };
    exit::code(outcome)
}

/// Wrong arguments, or a question about them. The message quotes what was typed, so it goes through the terminal as well.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render();
    let colour = if error.use_stderr() { terminal::stderr_colour() } else { terminal::stdout_colour() };
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        terminal::say(&text);
        return exit::code(Outcome::Usage);
    }
    exit::code(terminal::judge(Outcome::Done, terminal::print(&text)))
}
