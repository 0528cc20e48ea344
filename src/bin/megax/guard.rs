//! `megax guard`: whether files may be edited by hand. Asked by people, by the hooks of agents, and before a commit.

use std::io::Read as _;
use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use megax::hooks::{Agent, input};
use megax::pipeline::{self, GuardRequest, gave_up};
use megax::report::guard::{self, GuardReport, GuardedPath, Why};
use megax::report::{Outcome, human};
use megax::template::marks::Stuck;

use crate::args::{Form, Where};
use crate::bounds::Bounds;
use crate::progress::Progress;
use crate::{request, terminal, watchdog};

#[derive(Debug, Args)]
#[command(after_help = GUARD_AFTER)]
pub struct Guard {
    /// The files, relative to the current folder or the output root; with a line, what makes that line is named
    #[arg(value_name = "PATH[:LINE]", required_unless_present_any = ["hook", "committing"],
          value_parser = NonEmptyStringValueParser::new())]
    pub paths: Vec<String>,
    /// The team that wants to edit (or in the environment: `MEGAX_TEAM`)
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    /// Read what an agent hands to its hook from stdin, and say on stderr why an edit is blocked
    #[arg(long, value_enum, value_name = "AGENT", conflicts_with_all = ["paths", "committing", "format"])]
    pub hook: Option<Hook>,
    /// Also read what `git status --porcelain=v1 --branch -z` lists from stdin: files about to be committed, which may hold
    /// what megax wrote
    #[arg(long)]
    pub committing: bool,
    #[command(flatten)]
    pub place: Where,
    #[command(flatten)]
    pub bounds: Bounds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hook {
    /// Claude Code, `PreToolUse`
    Claude,
    /// Codex CLI, `PreToolUse`
    Codex,
    /// Gemini CLI, `BeforeTool`
    Gemini,
}

impl Hook {
    fn agent(self) -> Agent {
        match self {
            Self::Claude => Agent::Claude,
            Self::Codex => Agent::Codex,
            Self::Gemini => Agent::Gemini,
        }
    }
}

const GUARD_AFTER: &str = "Blocked are files that megax writes (but those that are yours: `once: true`, detached, kept or \
merged by `on_edit`) and, with a team, what is outside of its boundary, other teams' mega-files, the manifest and the \
shared templates. Files outside of the project are free. Writes nothing.\n\nExit codes: 0 nothing is blocked; 2 at \
least one file is blocked, the hook's input cannot be understood, or no manifest says what the team may write; 3 the \
project cannot be read, so nobody can tell. With --hook: 2 whenever nobody can tell.";

/// Runs `megax guard`.
pub fn guard(args: &Guard) -> Outcome {
    let request = match asked(args) {
        Ok(request) => request,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return if args.hook.is_some() || args.committing { Outcome::Blocked } else { Outcome::Usage };
        }
    };
    let report = match std::panic::catch_unwind(|| judged(&request, watched)) {
        Ok(report) => report,
        Err(_) if args.hook.is_some() => return unsure(),
        Err(panic) => std::panic::resume_unwind(panic),
    };
    if args.place.format == Form::Json {
        return terminal::print_document(report.outcome(), guard::document(&report));
    }
    let is_quiet = args.hook.is_some() || args.committing;
    let printed = is_quiet || terminal::print(&guard::text(&report, terminal::stdout_colour()));
    explain(&report);
    let outcome = terminal::judge(report.outcome(), printed);
    match outcome {
        Outcome::Done | Outcome::Blocked => outcome,
        _ if args.hook.is_none() || is_about_inputs(&report) => outcome,
        _ => unsure(),
    }
}

/// The verdict, and with it the lines of blocked files; without them if to name them takes too long. `ask` gives up what
/// takes too long.
pub fn judged(request: &GuardRequest, ask: impl Fn(GuardRequest) -> Result<GuardReport, Stuck>) -> GuardReport {
    let ask = |unnamed| ask(GuardRequest { unnamed, ..request.clone() });
    let verdict = match ask(true) {
        Ok(verdict) => verdict,
        Err(stuck) => return gave_up::guard(request, &stuck),
    };
    if verdict.paths.iter().any(|path| path.edit.is_some()) { ask(false).unwrap_or(verdict) } else { verdict }
}

fn watched(request: GuardRequest) -> Result<GuardReport, Stuck> {
    watchdog::watched(&Arc::new(Progress::new(false)), move |progress| pipeline::guard(&request, progress))
}

/// Whether all is about inputs of megax itself: they must stay free, or nobody could mend a broken project.
fn is_about_inputs(report: &GuardReport) -> bool {
    let is_input = |path: &GuardedPath| !path.blocked && matches!(path.why, Why::MegaFile | Why::Shared);
    !report.paths.is_empty() && report.paths.iter().all(is_input)
}

/// Agents go on after any code but 2, so what is not known to be free is blocked.
fn unsure() -> Outcome {
    terminal::say(
        "error: megax cannot tell whether this file may be edited, so the edit is blocked; mend `megax.yaml` (see `megax \
         validate`), or tell the person who coordinates the teams\n",
    );
    Outcome::Blocked
}

/// Why files are blocked. An agent gives this to its model.
fn explain(report: &GuardReport) {
    if !report.findings.is_empty() {
        terminal::say(&human::diagnostics(&report.findings, &report.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
}

fn asked(args: &Guard) -> Result<GuardRequest, String> {
    let mut inputs = request::place(&args.place)?;
    inputs.limits = request::limits(&args.bounds);
    let (team, committing) = (request::team(args.team.as_ref())?, args.committing);
    let mut request = GuardRequest { inputs, team, paths: args.paths.clone(), committing, ..GuardRequest::default() };
    if let Some(hook) = args.hook {
        let agent = hook.agent();
        request.for_agent = true;
        let found = stdin().and_then(|bytes| input::parse(agent, &bytes)).map_err(|why| {
            let name = agent.name();
            format!(
                "what {name} handed to the hook cannot be understood, so the edit is blocked: {why}; tell the person who \
                 coordinates the teams (a newer megax may know it)"
            )
        })?;
        let current = found.current.filter(|folder| folder.is_absolute());
        request.inputs.current = current.unwrap_or(request.inputs.current);
        request.edits = found.edits;
    } else if committing {
        let staged = stdin().and_then(|bytes| input::staged(&bytes));
        request.edits = staged.map_err(|why| {
            format!(
                "the list of files cannot be read: {why}; `megax hooks install git` writes the hook that hands it over"
            )
        })?;
    }
    Ok(request)
}

fn stdin() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = input::MAX_BYTES as u64;
    let read = std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("stdin cannot be read: {error}"))?;
    if bytes.len() > input::MAX_BYTES { Err(format!("it is larger than {most} bytes")) } else { Ok(bytes) }
}
