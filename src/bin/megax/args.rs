//! What can be typed. Filled from text alone; meaning is given in `request`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use megax::start::mega_file::Kind;

use crate::bounds::Bounds;
use crate::brief::Brief;
use crate::doctor::Doctor;
use crate::guard::Guard;
use crate::history::{Checkpoint, Gc, Log, Rollback, Undo};
use crate::hooks::Hooks;
use crate::mend::{Adopt, Detach, Repair};
use crate::review::Review;
use crate::schema::Schema;
use crate::watch::Watch;

/// Expands a few small mega-files (YAML: data, rules, templates) into a whole project tree, for many teams at once.
#[derive(Debug, Parser)]
#[command(name = "megax", version, about, max_term_width = 100, arg_required_else_help = true, after_help = AFTER)]
pub struct Megax {
    #[command(subcommand)]
    pub command: Command,
    /// Do not give up the rights that a command does not need (or in the environment: `MEGAX_NO_SANDBOX=1`)
    #[arg(long, global = true)]
    pub no_sandbox: bool,
}

const AFTER: &str = "Exit codes: 0 done or nothing to do, 1 there are differences (--check, --diff, --expect-tree, \
snapshot, status, review), 2 wrong usage, 3 the mega-files or the manifest are wrong, or what \
a command names does not exist, 4 a file was made or edited by somebody \
else, another run holds the team, or a plan is stale, 5 the disk failed, 6 interrupted after deciding (the next run finishes it), 70 a bug in megax.\n\nStart with `megax init`, then `megax expand \
--dry-run`; `megax explain CODE` explains any finding, `megax schema mega-file` prints the format.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Expand mega-files into the output tree: check everything, then write what differs
    Expand(Expand),
    /// Save what `expand` would change, as a file to review and to apply
    ///
    /// Does everything of `expand` but the writing, shows the same preview as `expand --dry-run`, and writes FILE.
    Plan(Plan),
    /// Write what a saved plan holds, if exactly that would happen now
    ///
    /// Does the same request again, in the same folder. If an input, a file on disk or megax itself changed what comes
    /// out, nothing is written (MX820).
    Apply(Apply),
    /// Check everything short of the disk
    Validate(Validate),
    /// Check, or expand, whenever an input is saved: one line for each change
    Watch(Watch),
    /// Compare what mega-files expand to with the golden record in snapshots/, for reviews and CI
    ///
    /// Each mega-file has its own record, snapshots/TEAM/ID.snap in the project root, to be committed: every file with
    /// lines and digest, and the text of the first file of every rule and template. Without a flag, records that are
    /// missing are written; those that differ are shown and left. The output tree is not looked at.
    Snapshot(Snapshot),
    /// How the teams stand: mega-files, files and lines against goals, and what drifted on disk
    ///
    /// Numbers are measured in this run; what only an invalid mega-file declares is marked ~ and stands apart. With a
    /// team, its mega-files are listed too. Writes nothing.
    Status(Status),
    /// Who is ready to expand, and why the others are not; reserve the planned paths
    Review(Review),
    /// Explain a finding's code, or say which mega-file, rule, item and template make a file
    Explain(Explain),
    /// Print a JSON Schema: of mega-files, the manifest, or a document of `--format json`
    Schema(Schema),
    /// Print what an agent of a team is told, or the orchestrator: role, boundaries, the format with an example
    Brief(Brief),
    /// Make a project to start from: a manifest, a first mega-file, the schemas for editors
    Init(Init),
    /// Add a mega-file of a kind to a team, valid at once and ready to edit
    New(New),
    /// Say how machine, project and output root stand, and what to do about what is weak
    Doctor(Doctor),
    /// Finish, or take back, what a killed run began to write; every run that writes does it first
    Recover(Recover),
    /// List what was carried out, newest first: every expansion, undo and rollback has a number
    Log(Log),
    /// Take an operation back: files it made go, what it replaced or deleted returns, to the byte
    ///
    /// All or nothing: if a file was edited since, nothing is touched and every such file is named. An undo is an
    /// operation itself; undoing it does everything again.
    Undo(Undo),
    /// Take back, in one operation, everything after an operation or checkpoint
    Rollback(Rollback),
    /// Name the last operation, to roll back to it later
    Checkpoint(Checkpoint),
    /// Remove the oldest operations from the log, never those that a checkpoint needs
    Gc(Gc),
    /// Put back generated files that are gone or lost their mode, and lockfiles that cannot be read
    ///
    /// Files that somebody edited are named and left.
    Repair(Repair),
    /// Take files out of megax's hands for good: no run touches them any more
    Detach(Detach),
    /// Take detached files back, and files that somebody else made where one is planned
    ///
    /// From then on the next `expand` judges them like every generated file: one that holds other bytes than megax wrote
    /// counts as edited, and what happens to it is what --on-edit or the manifest says.
    Adopt(Adopt),
    /// Serve agents over stdin and stdout, as a server of the Model Context Protocol
    #[cfg(feature = "mcp")]
    Mcp(crate::mcp::Mcp),
    /// Say whether files may be edited by hand, and by a team; if not, which line to edit instead
    Guard(Guard),
    /// Have agent command lines and git ask `megax guard` before every edit and commit
    Hooks(Hooks),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page, or write one page per command
    Man(Man),
}

/// What both `expand` and `validate` read: mega-files, and the output tree.
#[derive(Debug, Args)]
pub struct Inputs {
    #[command(flatten)]
    pub selection: Selection,
    /// The output root; by default the project root
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Which mega-files, and how they are looked at.
#[derive(Debug, Args)]
pub struct Selection {
    /// Mega-files, folders or quoted globs; by default the mega-files of the project
    #[arg(value_name = "PATHS")]
    pub paths: Vec<String>,
    /// The project manifest; by default the nearest megax.yaml above the mega-files
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Only mega-files of this team (may be given several times)
    #[arg(long = "team", value_name = "TEAM")]
    pub teams: Vec<String>,
    #[command(flatten)]
    pub manner: Manner,
}

/// How a run looks at the project.
#[derive(Debug, Args)]
pub struct Manner {
    #[command(flatten)]
    pub bounds: Bounds,
    /// Threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Warnings are errors
    #[arg(long)]
    pub strict: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct Expand {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Show the tree with a status and line count per file, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write nothing; exit 1 if anything would change
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Write nothing; print a unified diff of what would change; exit 1 if anything would
    #[arg(long)]
    pub diff: bool,
    #[command(flatten)]
    pub choices: Choices,
    /// The tree digest that must come out; another one writes nothing and exits 1
    #[arg(long, value_name = "DIGEST")]
    pub expect_tree: Option<String>,
    /// What a written tree must survive; by default that of the environment, else full
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub durability: Option<Durability>,
    /// Wait for another run that holds a team, instead of failing
    #[arg(long)]
    pub wait: bool,
}

/// What is written, and over what.
#[derive(Debug, Args)]
pub struct Choices {
    /// Only output files that match this glob, relative to the output root (may be given several times)
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// If one team may not write, none does
    #[arg(long)]
    pub all_or_nothing: bool,
    /// What to do with files that somebody else made or edited; by default what the manifest says, else fail
    #[arg(long, value_enum, value_name = "POLICY")]
    pub on_edit: Option<OnEdit>,
    /// Where edits are merged: write both sides of a conflict into the file, between markers, and exit 4
    #[arg(long)]
    pub conflict_markers: bool,
    /// Let a team delete up to N files at once, where more than 20 and more than half of its files would hold it, or
    /// where the project has no mega-file left
    #[arg(long, value_name = "N")]
    pub allow_deletes: Option<u64>,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub inputs: Inputs,
    /// The file to save the plan in: a new one, or an older plan
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub choices: Choices,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// The plan that `megax plan` saved
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// What a written tree must survive; by default that of the environment, else full
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub durability: Option<Durability>,
    /// Wait for another run that holds a team, instead of failing
    #[arg(long)]
    pub wait: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// A loss of power (in the environment: `MEGAX_DURABILITY=full`)
    Full,
    /// The death of the process
    Process,
}

/// Where the project is, and where its output.
#[derive(Debug, Args)]
pub struct Roots {
    /// The project manifest; by default the nearest megax.yaml above the current folder
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The output root; by default the project root
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Where the project is, and the form of the answer.
#[derive(Debug, Args)]
pub struct Where {
    #[command(flatten)]
    pub roots: Roots,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

#[derive(Debug, Args)]
pub struct Recover {
    #[command(flatten)]
    pub place: Where,
}

#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Report in less than 2,000 characters: one entry for each code, what to mend first comes first, the rest is counted
    #[arg(long)]
    pub brief: bool,
}

#[derive(Debug, Args)]
#[command(after_help = SNAPSHOT_AFTER)]
pub struct Snapshot {
    #[command(flatten)]
    pub selection: Selection,
    /// Accept everything: write what differs, and remove snapshots of mega-files that are gone
    #[arg(long)]
    pub update: bool,
    /// Write nothing; a missing snapshot counts as a difference
    #[arg(long, conflicts_with = "update")]
    pub check: bool,
    /// Show the text of output files that match this glob, too (may be given several times; a snapshot remembers it).
    /// `first` alone shows the first file of every rule and template, `none` leaves those out
    #[arg(long = "text", value_name = "GLOB|first|none")]
    pub texts: Vec<String>,
}

const SNAPSHOT_AFTER: &str = "Exit codes: 0 as recorded, or written; 1 a snapshot differs, is missing (--check) or \
belongs to no mega-file; 3 a mega-file is wrong (its snapshot is left as it is); 4 a file in snapshots/ is no \
snapshot; 5 the disk failed.";

#[derive(Debug, Args)]
#[command(after_help = STATUS_AFTER)]
pub struct Status {
    /// Only this team, with its mega-files
    #[arg(value_name = "TEAM")]
    pub team: Option<String>,
    #[command(flatten)]
    pub roots: Roots,
    #[command(flatten)]
    pub manner: Manner,
}

const STATUS_AFTER: &str = "Two letters stand before a path that drifted. First, what somebody did since megax wrote: \
M edited, D deleted, A a foreign file in the way. Second, what `megax expand` would do: A create, M update, D delete, \
C conflict; nothing while the team is held.\n\nExit codes: 0 no drift and every mega-file is valid; 1 something \
drifted; 3 a mega-file or the manifest is wrong; 4 a lockfile cannot be read; 5 the disk failed.";

#[derive(Debug, Args)]
pub struct Explain {
    /// A code (MX404 or near-miss), `codes` or `limits` for the list of all, or an output file with an optional line
    /// (src/a.ts:12)
    #[arg(value_name = "FILE[:LINE]|CODE")]
    pub subject: String,
    #[command(flatten)]
    pub roots: Roots,
    /// Warnings are errors; also say what would keep the file's team from writing it
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub bounds: Bounds,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct Init {
    /// The folder of the project; made if it does not exist
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub dir: PathBuf,
    /// The teams to start with
    #[arg(long, value_enum, default_value_t = Teams::Small)]
    pub teams: Teams,
    /// Also keep a block for coding agents in AGENTS.md; in a project that is there already, do only that
    #[arg(long)]
    pub agents: bool,
    /// Also write .gitattributes: which files are generated, and how the lockfile merges
    #[arg(long)]
    pub gitattributes: bool,
    /// Make a project of its own inside another one
    #[arg(long)]
    pub nested: bool,
    /// Show what would be made, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Teams {
    /// Alpha to kappa, with folders, goals, dependencies and integration points
    Ten,
    /// Two teams, api and web
    Small,
}

#[derive(Debug, Args)]
pub struct New {
    /// A team of the manifest
    #[arg(value_name = "TEAM")]
    pub team: String,
    /// What the mega-file shows
    #[arg(value_name = "KIND", value_parser = kinds())]
    pub kind: Kind,
    /// Its id and file name; by default mega-TEAM-KIND and the next free number
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The project manifest; by default the nearest megax.yaml upwards
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    #[command(flatten)]
    pub bounds: Bounds,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human)]
    pub format: Form,
}

/// The kinds of the library, as words.
fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(|kind| PossibleValue::new(kind.as_str()).help(kind.about())))
        .try_map(|word| Kind::find(&word).ok_or("no kind of mega-file"))
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Human,
    /// One JSON document on stdout
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: findings on stderr, the tree and totals on stdout
    Human,
    /// One JSON document on stdout
    Json,
    /// Workflow annotations of GitHub Actions on stdout
    Github,
    /// SARIF 2.1.0 on stdout
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnEdit {
    /// Name them and write nothing of the team
    Fail,
    /// Leave them as they are
    Keep,
    /// Write over them; the old content is kept in .megax/kept
    Overwrite,
    /// Merge the edits with the new content; the edited file is kept in .megax/kept, and a conflict is as under fail
    Merge,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Megax::command().debug_assert();
    }
}
