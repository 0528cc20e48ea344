//! `megax init` and `megax new`: what a project starts from.

use std::path::PathBuf;

use megax::event::Silent;
use megax::pipeline;
use megax::report::made::{self, Made, MadeFile};
use megax::report::snapshot::Status;
use megax::report::{Change, Outcome, human};
use megax::source;
use megax::start::{self, project};

use crate::args::{Form, Init, New, Teams};
use crate::{request, terminal};

/// Runs `megax init`.
pub fn init(args: &Init) -> Outcome {
    let current = match request::current() {
        Ok(current) => current,
        Err(message) => return unusable(&message),
    };
    // A manifest there would be found from every folder of the machine that has none above it.
    if source::load::normal(&current.join(&args.dir)).parent().is_none() {
        return unusable(&format!(
            "`{}` is the root of the file system, not a place for a project",
            args.dir.display()
        ));
    }
    let request = start::Init {
        current,
        dir: args.dir.clone(),
        teams: match args.teams {
            Teams::Ten => project::Teams::Ten,
            Teams::Small => project::Teams::Small,
        },
        agents: args.agents,
        gitattributes: args.gitattributes,
        nested: args.nested,
        dry_run: args.dry_run,
    };
    let root = request.current.join(&args.dir);
    let is_new = !start::is_project(&root);
    let mut made = start::init(&request);
    if is_new && made.outcome() == Outcome::Done && !args.dry_run {
        record(&mut made, root);
    }
    show(&made, args.format)
}

/// Records the first snapshot, so that `megax snapshot --check` has something to hold the project to.
fn record(made: &mut Made, root: PathBuf) {
    let report = pipeline::snapshot(&request::first_snapshot(root), &Silent);
    for snapshot in &report.snapshots {
        let change = if snapshot.status == Status::New { Change::Create } else { Change::Unchanged };
        let about = "what the mega-file expands to, for reviews";
        made.files.push(MadeFile::new(&snapshot.path, snapshot.new.as_deref().unwrap_or_default(), about, change));
    }
    if report.diagnostics.has_errors() {
        made.findings.extend(report.diagnostics);
        made.sources = report.sources;
    }
}

/// Runs `megax new`.
pub fn new(args: &New) -> Outcome {
    let current = match request::current() {
        Ok(current) => current,
        Err(message) => return unusable(&message),
    };
    let (manifest, limits) = (args.manifest.clone(), request::limits(&args.bounds));
    let inputs = source::Request { current, manifest, limits, ..source::Request::default() };
    show(
        &start::add(&start::Add { inputs, team: args.team.clone(), kind: args.kind, id: args.id.clone() }),
        args.format,
    )
}

fn unusable(message: &str) -> Outcome {
    terminal::say(&format!("error: {message}\n"));
    Outcome::Usage
}

pub fn show(made: &Made, format: Form) -> Outcome {
    if format == Form::Json {
        return terminal::print_document(made.outcome(), made::document(made));
    }
    if !made.findings.is_empty() {
        terminal::say(&human::diagnostics(&made.findings, &made.sources, terminal::stderr_colour()));
    }
    terminal::judge(made.outcome(), terminal::print(&made::text(made, terminal::stdout_colour())))
}
