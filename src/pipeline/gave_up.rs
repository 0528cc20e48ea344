//! The reports of runs that were given up, because one render took longer than it may. Nothing was published: whoever
//! gives a run up answers `false` to [`crate::event::Watcher::may_publish`] from then on.
//!
//! Made from the request alone; what the run had found out stays with its threads.

use super::{
    ApplyRequest, BriefRequest, DetachRequest, Explanation, GuardRequest, Reads, RepairRequest, Request, ReviewRequest,
    Run, SnapshotRequest,
};
use super::{brief as briefs, facts, review as verdicts, snapshot as golden, status as standing};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::limit::Limit;
use crate::report::brief::BriefReport;
use crate::report::guard::GuardReport;
use crate::report::mend::{MendCommand, MendReport};
use crate::report::review::ReviewReport;
use crate::report::snapshot::SnapshotReport;
use crate::report::status::StatusReport;
use crate::report::{Command, Mode};
use crate::source;
use crate::span::SourceMap;
use crate::template::marks::Stuck;

/// What is said of the render.
#[must_use]
pub fn finding(stuck: &Stuck) -> Diagnostic {
    let message = format!(
        "{} takes too long to render, so nothing is written: the limit `{}` is {}",
        stuck.what,
        Limit::RenderSeconds.name(),
        stuck.seconds
    );
    Diagnostic::new(Code::TemplateLimit, message)
        .help(Limit::RenderSeconds.help("make the template do less, or run again where the machine has less to do"))
}

fn findings(stuck: &Stuck) -> Diagnostics {
    std::iter::once(finding(stuck)).collect()
}

/// Of [`super::run`].
#[must_use]
pub fn run(request: &Request, stuck: &Stuck) -> Run {
    let report = facts::without_inputs(request, (findings(stuck), None));
    Run { report, diff: None, plan: None, reads: Reads::default() }
}

/// Of [`super::apply_plan`].
#[must_use]
pub fn apply(request: &ApplyRequest, stuck: &Stuck) -> Run {
    let inputs = source::Request { current: request.current.clone(), ..source::Request::default() };
    run(&Request::new(Command::Apply, Mode::Write, inputs), stuck)
}

/// Of [`super::snapshot()`].
#[must_use]
pub fn snapshot(request: &SnapshotRequest, stuck: &Stuck) -> SnapshotReport {
    golden::report(request, findings(stuck), None, Vec::new())
}

/// Of [`super::status()`].
#[must_use]
pub fn status(request: &Request, stuck: &Stuck) -> StatusReport {
    standing::without_inputs(request, (findings(stuck), None))
}

/// Of [`super::brief()`].
#[must_use]
pub fn brief(request: &BriefRequest, stuck: &Stuck) -> BriefReport {
    briefs::report(request, findings(stuck), None, Vec::new())
}

/// Of [`super::review()`].
#[must_use]
pub fn review(request: &ReviewRequest, stuck: &Stuck) -> ReviewReport {
    verdicts::without_inputs(request, (findings(stuck), None))
}

/// Of [`super::explain()`].
#[must_use]
pub fn explain(subject: &str, stuck: &Stuck) -> Explanation {
    let (named, findings) = (subject.to_owned(), findings(stuck));
    Explanation { named, file: None, note: None, findings, unread: true, sources: SourceMap::default() }
}

/// Of [`super::guard()`]: nothing is known.
#[must_use]
pub fn guard(request: &GuardRequest, stuck: &Stuck) -> GuardReport {
    GuardReport { team: request.team.clone(), findings: findings(stuck), ..GuardReport::default() }
}

/// Of [`super::repair()`].
#[must_use]
pub fn repair(request: &RepairRequest, stuck: &Stuck) -> MendReport {
    mend(MendCommand::Repair, &request.inputs, request.dry_run, stuck)
}

/// Of [`super::detach()`].
#[must_use]
pub fn detach(request: &DetachRequest, stuck: &Stuck) -> MendReport {
    mend(request.command(), &request.inputs, false, stuck)
}

fn mend(command: MendCommand, inputs: &source::Request, dry_run: bool, stuck: &Stuck) -> MendReport {
    MendReport {
        command,
        out: inputs.out.as_ref().map_or_else(String::new, |out| out.display().to_string()),
        dry_run,
        files: Vec::new(),
        lockfiles: Vec::new(),
        operations: Vec::new(),
        findings: findings(stuck),
        sources: SourceMap::default(),
    }
}
