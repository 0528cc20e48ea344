//! What a call does: makes the request of its command, has the library carry it out, and answers with the report. It
//! writes only for `expand`, and that only what a plan of this session holds.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use megax::brief::Platform;
use megax::diagnostic::Code;
use megax::digest::Digest;
use megax::disk::Durability;
use megax::name::team_name;
use megax::pipeline::{self, BriefRequest, GuardRequest, Request, ReviewRequest, Run, Which, gave_up};
use megax::report::tree::TreeOptions;
use megax::report::{
    Command, Mode, Outcome, Report, clean_stream, guard, human, json, review, status as status_text, status_json, tree,
};
use megax::source;
use megax::template::marks::Stuck;

use super::answer::Answer;
use super::plans::{Planned, Plans};
use super::tools::{Call, CheckPath, Expand, Explain, Plan, Status, Validate};
use crate::explain::{self, Colours};
use crate::guard::judged;
use crate::progress::Progress;
use crate::{request, watchdog};

/// The tree of a text is cut after so many files.
const SHOWN_FILES: usize = 60;

/// What every call of a session is about.
#[derive(Debug)]
pub struct Project {
    pub current: PathBuf,
    pub manifest: Option<PathBuf>,
    pub out: Option<PathBuf>,
    /// The team whose agent calls.
    pub team: Option<String>,
    pub durability: Durability,
}

/// A session: the project, and the plans that were answered.
#[derive(Debug)]
pub struct Session {
    project: Project,
    plans: Mutex<Plans>,
    /// Held by every run, also by one that was given up and goes on.
    running: Arc<()>,
}

impl Session {
    pub fn new(project: Project) -> Self {
        Self { project, plans: Mutex::default(), running: Arc::default() }
    }

    /// The team whose agent calls.
    pub fn team(&self) -> Option<&str> {
        self.project.team.as_deref()
    }

    /// Carries a call out.
    pub fn answer(&self, call: &Call) -> Answer {
        if let Some(why) = self.is_blocked() {
            return Answer::failed(Outcome::Conflict, why);
        }
        match call {
            Call::Validate(asked) => self.validate(asked),
            Call::Plan(asked) => self.plan(asked),
            Call::Expand(asked) => self.expand(asked),
            Call::Status(asked) => self.status(asked),
            Call::CheckPath(asked) => self.check_path(asked),
            Call::Explain(asked) => self.explain(asked),
            Call::Review(_) => self.review(),
        }
    }

    /// The brief of a team, or of the orchestrator.
    ///
    /// # Errors
    /// There is no such team, or no manifest: the findings.
    pub fn brief(&self, which: Which) -> Result<String, String> {
        if let Some(why) = self.is_blocked() {
            return Err(why.to_owned());
        }
        let request = BriefRequest { inputs: self.inputs(&[]), which, platform: Platform::Generic };
        let asked = request.clone();
        let made = self.watched(move |progress| pipeline::brief(&asked, progress));
        let made = made.unwrap_or_else(|stuck| gave_up::brief(&request, &stuck));
        let text: String = made.briefs.iter().map(|one| one.text.as_str()).collect();
        if made.diagnostics.has_errors() || text.is_empty() {
            let why = human::diagnostics(&made.diagnostics, &made.sources, false);
            return Err(clean_stream(why.trim_end(), false).into_owned());
        }
        Ok(clean_stream(&text, false).into_owned())
    }

    /// Why nothing can be asked now: the thread of a run that was given up cannot be stopped. What it renders would count
    /// against the next run, and it holds its team.
    fn is_blocked(&self) -> Option<&'static str> {
        (Arc::strong_count(&self.running) > 1).then_some(
            "an earlier call was given up, because a render took too long, and it still goes on; call again later, or \
             start the server again",
        )
    }

    fn validate(&self, asked: &Validate) -> Answer {
        if let Some(refused) = Self::outside(&asked.paths) {
            return refused;
        }
        let mut request = self.request(Command::Validate, Mode::Validate, &asked.paths);
        request.teams = self.team_or(asked.team.as_deref());
        request.strict = asked.strict;
        let run = self.run(&request);
        of_run(&run.report, None)
    }

    fn plan(&self, asked: &Plan) -> Answer {
        if let Some(refused) = Self::outside(&asked.paths) {
            return refused;
        }
        if let (Some(own), Some(other)) = (self.team(), &asked.team)
            && team_name(own) != team_name(other)
        {
            let why = format!("this server plans and writes for team {own} only, not for {other}");
            return Answer::failed(Outcome::Usage, &why);
        }
        let mut request = self.request(Command::Plan, Mode::DryRun, &asked.paths);
        request.teams = self.team_or(asked.team.as_deref());
        let mut run = self.run(&request);
        let digest = run.plan.take().map(|plan| self.plans().keep(request, plan).to_string());
        let next = match &digest {
            Some(_) if run.report.outcome == Outcome::NothingToDo => "nothing is to be written".to_owned(),
            Some(digest) => format!("plan {digest}: `expand` with this digest writes it"),
            None => "no plan: mend the errors, and call `plan` again".to_owned(),
        };
        // A plan of a session is named by its digest, as one of the command by its file.
        run.report.plan = digest;
        ask_a_person(&mut run.report);
        of_run(&run.report, Some(&next))
    }

    fn expand(&self, asked: &Expand) -> Answer {
        let planned = Digest::parse(&asked.digest).and_then(|digest| self.plans().get(digest).cloned());
        let Some(Planned { request, plan }) = planned else {
            let why = format!(
                "this session has no plan `{}`, so nothing is written; call `plan`, look at what it shows, and pass the \
                 digest that it answers",
                asked.digest
            );
            return Answer::failed(Outcome::Usage, &why);
        };
        let request = Request {
            command: Command::Apply,
            mode: Mode::Write,
            plan_file: Some(PathBuf::from(&asked.digest)),
            must_equal: Some(plan),
            durability: self.project.durability,
            ..request
        };
        let mut run = self.run(&request);
        ask_a_person(&mut run.report);
        let is_stale = run.report.diagnostics.error_codes().any(|code| code == Code::StalePlan);
        of_run(&run.report, is_stale.then_some("call `plan` again, and `expand` with its new digest"))
    }

    fn status(&self, asked: &Status) -> Answer {
        let request = self.request(Command::Status, Mode::DryRun, &[]);
        let team = self.team_or(asked.team.as_deref()).pop();
        let work = {
            let request = request.clone();
            move |progress: &Progress| pipeline::status(&request, team.as_deref(), progress)
        };
        let report = self.watched(work).unwrap_or_else(|stuck| gave_up::status(&request, &stuck));
        let mut text = findings(&human::diagnostics(&report.diagnostics, &report.sources, false));
        if !(report.teams.is_empty() && report.diagnostics.has_errors()) {
            text.push_str(&status_text::overview(&report, false));
        }
        Answer::new(report.outcome, status_json::document(&report), &text)
    }

    fn check_path(&self, asked: &CheckPath) -> Answer {
        if asked.paths.iter().any(String::is_empty) {
            return Answer::failed(Outcome::Usage, "a path is empty");
        }
        let team = self.team_or(asked.team.as_deref()).pop();
        let (inputs, paths) = (self.inputs(&[]), asked.paths.clone());
        let request = GuardRequest { inputs, team, paths, for_agent: true, ..GuardRequest::default() };
        let report =
            judged(&request, |request| self.watched(move |progress: &Progress| pipeline::guard(&request, progress)));
        let text = guard::text(&report, false) + &human::diagnostics(&report.findings, &report.sources, false);
        Answer::new(report.outcome(), guard::document(&report), &text)
    }

    fn explain(&self, asked: &Explain) -> Answer {
        let inputs = || Ok(self.inputs(&[]));
        match explain::answer(&asked.subject, inputs, false, Colours::default()) {
            Ok(known) => {
                let text = findings(&known.findings.unwrap_or_default()) + &known.text.unwrap_or_default();
                Answer::new(known.outcome, known.document, &text)
            }
            Err(message) => Answer::failed(Outcome::Usage, &message),
        }
    }

    fn review(&self) -> Answer {
        let request = ReviewRequest {
            run: self.request(Command::Review, Mode::DryRun, &[]),
            teams: Vec::new(),
            lock: false,
            unlock: false,
            integration_manifest: None,
        };
        let asked = request.clone();
        let report = self.watched(move |progress| pipeline::review(&asked, progress));
        let report = report.unwrap_or_else(|stuck| gave_up::review(&request, &stuck));
        let mut text = findings(&human::diagnostics(&report.diagnostics, &report.sources, false));
        if !(report.teams.is_empty() && report.diagnostics.has_errors()) {
            text.push_str(&review::text(&report, false));
        }
        Answer::new(report.outcome, review::document(&report), &text)
    }

    fn plans(&self) -> std::sync::MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn team_or(&self, asked: Option<&str>) -> Vec<String> {
        asked.or(self.team()).map(str::to_owned).into_iter().collect()
    }

    /// What a client names lies in the folder that is served: a client is not the user.
    fn outside(paths: &[String]) -> Option<Answer> {
        let leads_out = |path: &&String| {
            Path::new(path.as_str()).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
        };
        let path = paths.iter().find(leads_out)?;
        let why = format!("`{path}` does not lie in the folder that this server serves: name paths relative to it");
        Some(Answer::failed(Outcome::Usage, &why))
    }

    fn inputs(&self, paths: &[String]) -> source::Request {
        let Project { current, manifest, out, .. } = &self.project;
        source::Request {
            paths: paths.to_vec(),
            current: current.clone(),
            manifest: manifest.clone(),
            out: out.clone(),
            ..source::Request::default()
        }
    }

    fn request(&self, command: Command, mode: Mode, paths: &[String]) -> Request {
        let request = Request::new(command, mode, self.inputs(paths));
        Request { jobs: request::jobs(None), holder: request::holder(), ..request }
    }

    fn run(&self, request: &Request) -> Run {
        let asked = request.clone();
        let work = move |progress: &Progress| pipeline::run(&asked, progress);
        self.watched(work).unwrap_or_else(|stuck| gave_up::run(request, &stuck))
    }

    /// Does the work of a run, and gives it up when a render takes too long.
    fn watched<T: Send + 'static>(&self, work: impl FnOnce(&Progress) -> T + Send + 'static) -> Result<T, Stuck> {
        let running = Arc::clone(&self.running);
        watchdog::watched(&Arc::new(Progress::new(false)), move |progress| {
            let done = work(progress);
            drop(running);
            done
        })
    }
}

/// What becomes of edits is not a client's to choose, and no tool takes a choice: the help says who can make it.
fn ask_a_person(report: &mut Report) {
    let needs_choice = |help: &str| ["`--", "megax detach"].iter().any(|part| help.contains(part));
    for finding in &mut report.diagnostics {
        let Some(help) = finding.help.take_if(|help| needs_choice(help)) else { continue };
        finding.help = Some(match finding.code {
            Code::EditedFile | Code::CannotMerge | Code::MergeConflict => {
                "move the edit into the template, and ask the person who runs megax what is to become of it in the file: \
                 `megax expand --on-edit merge`, `keep` or `overwrite`"
                    .to_owned()
            }
            Code::ForeignFile => "change the planned path; or ask the person who runs megax what is to become of the file: \
                                  `megax expand --on-edit keep` or `overwrite`"
                .to_owned(),
            _ => format!("ask the person who runs megax: {help}"),
        });
    }
}

/// The findings, parted from what follows.
fn findings(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// The answer of a run: findings, what changes, and what comes next.
fn of_run(report: &Report, next: Option<&str>) -> Answer {
    let mut text = findings(&human::diagnostics(&report.diagnostics, &report.sources, false));
    let all_held = report.teams.iter().all(|team| team.held.is_some());
    match report.mode {
        _ if report.teams.is_empty() => {}
        // Nothing will be written: the findings are what matters.
        _ if all_held => text.push_str(&tree::closing(report, false)),
        Mode::Validate => text.push_str(&tree::closing(report, false)),
        Mode::DryRun | Mode::Check | Mode::Write => {
            let options = TreeOptions { colour: false, ascii: false, limit: Some(SHOWN_FILES) };
            text.push_str(&tree::preview(report, options));
        }
    }
    // First: a long text is cut at its end.
    let text = next.map_or(text.clone(), |next| format!("{next}\n\n{text}"));
    Answer::new(report.outcome, json::document(report), &text)
}
