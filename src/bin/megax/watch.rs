//! `megax watch`: validates, or expands, whenever an input is saved; one line for each change.
//!
//! It looks at names, times and sizes a few times in a second instead of asking the kernel for events: those are lost on
//! network file systems and in mounted folders of containers, break where an editor replaces a folder, and would cost a
//! dependency with parts for every system; the inputs of a project are few, and looking at a thousand of them takes a
//! millisecond or two. It never spends more than a small part of one core on looking.
//!
//! A burst of saves, and a save by renaming, is one change: it waits until two looks in a row see the same. What changes
//! during a run is the next change. It ends when it is interrupted, like every command, or when nobody reads its lines.

mod look;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use megax::pipeline::{self, Reads, Request, Run, gave_up};
use megax::report::watch::{self, Change};
use megax::report::{Outcome, human};
use megax::source::{Places, places};
use megax::span::SourceMap;

use self::look::{Scope, Stamps};
use crate::args::{Format, Inputs};
use crate::progress::Progress;
use crate::{request, terminal, watchdog};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(250);
/// Looking takes at most this part of the time.
const REST: u32 = 20;
/// So long nothing may change before a run.
const QUIET: Duration = Duration::from_millis(120);
/// A tree that never comes to rest is run as it is after this long.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
#[command(after_help = WATCH_AFTER)]
pub struct Watch {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Expand, and not only check: write what differs
    #[arg(long)]
    pub expand: bool,
}

const WATCH_AFTER: &str = "Looks at the manifest, the mega-files, templates/ and the files that mega-files name under \
`sources` and `copy`. Ctrl-C ends it. With --expand, edited files and teams that another run holds are left as `megax \
expand` leaves them, and tried again at the next change.\n\nExit codes: 0 nobody reads the lines any more; 2 wrong \
usage; 3 the paths match nothing, or one render took too long; 130 (of the shell) interrupted.";

/// What the loop knows.
struct State {
    request: Request,
    places: Places,
    scope: Scope,
    /// What the last look saw.
    seen: Stamps,
}

/// Runs `megax watch`.
pub fn watch(args: &Watch) -> Outcome {
    let mut state = match State::new(args) {
        Ok(state) => state,
        Err(outcome) => return outcome,
    };
    let mut changes = Vec::new();
    loop {
        let (run, is_stuck) = state.run();
        if !say(args, &changes, &run) {
            return Outcome::Done;
        }
        if is_stuck {
            // The thread of that run cannot be stopped: the next one would leave another behind.
            return run.report.outcome;
        }
        state.take(&run.reads);
        changes = state.wait();
    }
}

/// Prints what came of a run, and returns whether somebody may still read.
fn say(args: &Watch, changes: &[Change], run: &Run) -> bool {
    match args.inputs.selection.manner.format {
        Format::Json => watch::document(changes, &run.report).is_ok_and(|line| terminal::print_json_on(&line)),
        _ => terminal::print_on(&watch::text(changes, &run.report)),
    }
}

impl State {
    fn new(args: &Watch) -> Result<Self, Outcome> {
        let usage = |message: String| {
            terminal::say(&format!("error: {message}\n"));
            Outcome::Usage
        };
        if matches!(args.inputs.selection.manner.format, Format::Github | Format::Sarif) {
            return Err(usage("watch prints lines for people (human) or NDJSON (json)".to_owned()));
        }
        let request = request::watch(args).map_err(usage)?;
        let places = places(&request.inputs).map_err(|findings| {
            terminal::say(&human::diagnostics(&findings, &SourceMap::default(), terminal::stderr_colour()));
            terminal::say("\n");
            Outcome::Wrong
        })?;
        let scope = Scope::new(&places, request.inputs.manifest.as_deref(), &Reads::default(), None);
        let seen = scope.look();
        Ok(Self { request, places, scope, seen })
    }

    /// One run, and whether it had to be given up.
    fn run(&self) -> (Run, bool) {
        let progress = Arc::new(Progress::new(false));
        let request = self.request.clone();
        match watchdog::watched(&progress, move |progress| pipeline::run(&request, progress)) {
            Ok(run) => (run, false),
            Err(stuck) => (gave_up::run(&self.request, &stuck), true),
        }
    }

    /// From now on it looks at what that run read.
    fn take(&mut self, reads: &Reads) {
        let scope = Scope::new(&self.places, self.request.inputs.manifest.as_deref(), reads, Some(&self.scope));
        self.seen = look::carried(&self.seen, &self.scope, &scope);
        self.scope = scope;
    }

    /// Waits for the next changes.
    fn wait(&mut self) -> Vec<Change> {
        let mut rest = Duration::ZERO;
        loop {
            let now = self.timed_look(&mut rest);
            if now == self.seen {
                std::thread::sleep(rest);
                continue;
            }
            let now = self.settled(now);
            let changes = look::changes(&self.seen, &now, &self.places.root);
            self.seen = now;
            // What was put back meanwhile is no change.
            if !changes.is_empty() {
                return changes;
            }
        }
    }

    /// The first state that two looks in a row see.
    fn settled(&self, mut now: Stamps) -> Stamps {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            std::thread::sleep(QUIET);
            let next = self.scope.look();
            if next == now {
                break;
            }
            now = next;
        }
        now
    }

    /// A look, and how long to rest after it.
    fn timed_look(&self, rest: &mut Duration) -> Stamps {
        let start = Instant::now();
        let now = self.scope.look();
        *rest = EVERY.max(start.elapsed() * REST);
        now
    }
}
