//! `megax brief`: what an agent of a team is told, or the orchestrator. The text goes to stdout and its length to stderr, so
//! that it can be piped.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueEnum};
use megax::brief::{self, Platform, templates};
use megax::pipeline::{self, BriefRequest, Which, gave_up};
use megax::report::brief::{self as report, BriefReport};
use megax::report::{Outcome, human};
use megax::source;

use crate::args::Form;
use crate::bounds::Bounds;
use crate::progress::Progress;
use crate::{request, start, terminal, watchdog};

#[derive(Debug, Args)]
#[command(after_help = BRIEF_AFTER)]
#[command(group = ArgGroup::new("which").required(true).args(["team", "all", "orchestrator", "templates"]))]
pub struct Brief {
    /// The team
    #[arg(value_name = "TEAM")]
    pub team: Option<String>,
    /// Write every team's brief to DIR/TEAM.md, and the orchestrator's to DIR/orchestrator.md
    #[arg(long, value_name = "DIR")]
    pub all: Option<PathBuf>,
    /// The brief of whoever coordinates the teams
    #[arg(long)]
    pub orchestrator: bool,
    /// Write the templates of briefs to templates/brief/ of the project, to change them there
    #[arg(long)]
    pub templates: bool,
    /// The agent command line that reads it
    #[arg(long, value_enum, default_value_t = For::Generic)]
    pub platform: For,
    /// The project manifest; by default the nearest megax.yaml upwards
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    #[command(flatten)]
    pub bounds: Bounds,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

const BRIEF_AFTER: &str = "A brief is made from the manifest and from what the project plans now, so print it again when \
others have gone on. --all writes what differs, over nothing but its own files.\n\nExit codes: 0 done; 3 no manifest, no \
such team, or a template of the project is wrong; 4 a file that is not megax's own is in the way; 5 the disk failed.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// Claude Code
    Claude,
    /// Codex
    Gpt,
    /// Gemini CLI
    Gemini,
    /// Any other
    Generic,
}

impl For {
    fn platform(self) -> Platform {
        match self {
            Self::Claude => Platform::Claude,
            Self::Gpt => Platform::Gpt,
            Self::Gemini => Platform::Gemini,
            Self::Generic => Platform::Generic,
        }
    }
}

/// Runs `megax brief`.
pub fn brief(args: &Brief) -> Outcome {
    let current = match request::current() {
        Ok(current) => current,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let (manifest, limits) = (args.manifest.clone(), request::limits(&args.bounds));
    let inputs = source::Request { current: current.clone(), manifest, limits, ..source::Request::default() };
    if args.templates {
        return start::show(&templates::templates(&templates::Templates { inputs }), args.format);
    }
    let which = match &args.team {
        Some(team) => Which::Team(team.clone()),
        None if args.orchestrator => Which::Orchestrator,
        None => Which::All,
    };
    let request = BriefRequest { inputs, which, platform: args.platform.platform() };
    let asked = request.clone();
    let make = move |progress: &Progress| pipeline::brief(&asked, progress);
    let made = watchdog::watched(&Arc::new(Progress::new(false)), make);
    let mut made = made.unwrap_or_else(|stuck| gave_up::brief(&request, &stuck));
    if let Some(folder) = &args.all {
        pipeline::save_briefs(&mut made, &current, folder);
    }
    if args.format == Form::Json {
        return terminal::print_document(made.outcome, report::document(&made));
    }
    terminal::judge(made.outcome, for_people(&made, args.all.is_some()))
}

fn for_people(made: &BriefReport, kept: bool) -> bool {
    if !made.diagnostics.is_empty() {
        terminal::say(&human::diagnostics(&made.diagnostics, &made.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    if made.diagnostics.has_errors() {
        return true;
    }
    let text = if kept { report::files(made) } else { made.briefs.iter().map(|one| one.text.as_str()).collect() };
    let printed = terminal::print(&text);
    terminal::say(&report::lengths(made, brief::MOST_CHARACTERS));
    printed
}
