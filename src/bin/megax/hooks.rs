//! `megax hooks`: installs what makes agents and git ask `megax guard`, says how it stands, takes it away.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use megax::hooks::{self, HooksRequest};
use megax::report::hooks::{self as report, Verb};
use megax::report::{Outcome, human};
use megax::span::SourceMap;

use crate::args::Form;
use crate::{request, terminal};

#[derive(Debug, Args)]
pub struct Hooks {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write the hooks: of git, and of each agent whose folder the project has
    ///
    /// Files of other people are left as they are, and what to add to them is printed.
    #[command(after_help = INSTALL_AFTER)]
    Install {
        #[command(flatten)]
        options: Options,
        /// What runs megax, instead of `megax` as the shell finds it
        #[arg(long = "command", value_name = "PATH")]
        megax: Option<String>,
        /// Add the entry to a settings file that is there already, and keep everything else in it
        #[arg(long)]
        merge: bool,
    },
    /// Say which hooks stand
    Status {
        #[command(flatten)]
        options: Options,
    },
    /// Take megax's own hooks and entries away, and nothing else
    Remove {
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Debug, Args)]
pub struct Options {
    /// claude, codex, gemini or git; by default those that concern the project
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The project manifest; by default the nearest megax.yaml upwards
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

const INSTALL_AFTER: &str = "Files: .claude/settings.json, .codex/hooks.json and .gemini/settings.json in the project root, \
and pre-commit where git looks for hooks. Start each agent with MEGAX_TEAM=TEAM in its environment, and the hook knows \
whose window it is. git is never run; a core.hooksPath of the user's own configuration is not seen.\n\nExit codes: 0 \
done or nothing to do; 2 no such hook; 3 no project, no repository; 4 a file of somebody else is in the way; 5 the disk \
failed.";

impl Action {
    /// What every action takes.
    pub fn options(&self) -> &Options {
        match self {
            Self::Install { options, .. } | Self::Status { options } | Self::Remove { options } => options,
        }
    }

    /// Whether it writes.
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Status { .. })
    }
}

/// Runs `megax hooks`.
pub fn hooks(args: &Hooks) -> Outcome {
    let options = args.action.options();
    let current = match request::current() {
        Ok(current) => current,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let (verb, command, merge) = match &args.action {
        Action::Install { megax, merge, .. } => (Verb::Install, megax.clone(), *merge),
        Action::Status { .. } => (Verb::Status, None, false),
        Action::Remove { .. } => (Verb::Remove, None, false),
    };
    let (names, manifest) = (options.names.clone(), options.manifest.clone());
    let done = hooks::hooks(&HooksRequest { verb, names, current, manifest, command, merge });
    if options.format == Form::Json {
        return terminal::print_document(done.outcome(), report::document(&done));
    }
    let printed = terminal::print(&report::text(&done, terminal::stdout_colour()));
    if !done.findings.is_empty() {
        let sources = SourceMap::default();
        terminal::say(&human::diagnostics(&done.findings, &sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(done.outcome(), printed)
}
