//! Installs hooks, says how they stand, takes them away. Every file by itself: one that is in the way holds up no other.

use std::path::{Path, PathBuf};

use super::Agent;
use super::git::{self, Repository};
use super::settings::{self, Found};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::digest::Digest;
use crate::disk::{Root, read_single, remove_single, write_single};
use crate::report::hooks::{Done, HookFacts, HooksReport, Verb};
use crate::source::load::{display, manifest_above, normal};

/// The name of git's hook on the command line.
const GIT: &str = "git";
/// The name of the file of git's hook.
const PRE_COMMIT: &str = "pre-commit";

/// What is asked.
#[derive(Debug, Clone)]
pub struct HooksRequest {
    /// What to do.
    pub verb: Verb,
    /// The hooks, by name; empty: all that concern the project.
    pub names: Vec<String>,
    /// The folder that relative paths start from.
    pub current: PathBuf,
    /// The manifest; `None`: the nearest one.
    pub manifest: Option<PathBuf>,
    /// What runs megax; `None`: `megax` as the shell finds it.
    pub command: Option<String>,
    /// Whether the entry may be added to a settings file of somebody else.
    pub merge: bool,
}

/// Where the hooks of a project lie, besides in the project root: for whoever confines the process.
#[must_use]
pub fn places(root: &Path) -> Vec<PathBuf> {
    let repository = git::around(root);
    let folders = |found: Repository| found.folders.into_iter().chain([found.hooks, found.top]);
    repository.into_iter().flat_map(folders).collect()
}

/// Does what is asked. Never fails: what goes wrong is a finding.
#[must_use]
pub fn hooks(request: &HooksRequest) -> HooksReport {
    let mut report = HooksReport { verb: request.verb, hooks: Vec::new(), findings: Diagnostics::default() };
    let named = request.manifest.as_ref().map(|named| normal(&request.current.join(named)));
    let Some(manifest) = named.or_else(|| manifest_above(&request.current)) else {
        let finding = Diagnostic::new(Code::NoInput, "there is no manifest (megax.yaml) here or above");
        report.findings.push(finding.help("start a project with `megax init`, or name the manifest with --manifest"));
        return report;
    };
    let root = manifest.parent().map_or_else(|| request.current.clone(), Path::to_path_buf);
    let project = Project { request, repository: git::around(&root), root, manifest };
    for name in project.names(&mut report.findings) {
        let agent = Agent::ALL.into_iter().find(|agent| agent.name() == name);
        let done = match agent {
            Some(agent) => project.agent(agent),
            None => project.git(),
        };
        match done {
            Ok(facts) => report.hooks.push(facts),
            Err((facts, finding)) => {
                report.hooks.push(facts);
                report.findings.push(finding);
            }
        }
    }
    report
}

/// What came of one hook; with a finding if it could not be done.
type Outcome = Result<HookFacts, (HookFacts, Diagnostic)>;

struct Project<'r> {
    request: &'r HooksRequest,
    repository: Option<Repository>,
    root: PathBuf,
    manifest: PathBuf,
}

impl Project<'_> {
    /// The hooks that are meant, each once.
    fn names(&self, findings: &mut Diagnostics) -> Vec<&'static str> {
        let all = || Agent::ALL.iter().map(|agent| agent.name()).chain([GIT]);
        let mut names = Vec::new();
        for asked in &self.request.names {
            match all().find(|name| *name == asked.as_str()) {
                Some(name) if names.contains(&name) => {}
                Some(name) => names.push(name),
                None => {
                    let list = format!("the hooks are {}", all().collect::<Vec<_>>().join(", "));
                    let near = nearest(asked, all());
                    let help = near.map_or_else(|| list.clone(), |near| format!("did you mean `{near}`? {list}"));
                    let message = format!("there is no hook `{asked}`");
                    findings.push(Diagnostic::new(Code::BadValue, message).help(help));
                }
            }
        }
        if !self.request.names.is_empty() {
            return names;
        }
        if self.request.verb != Verb::Install {
            return all().collect();
        }
        let worked_with = Agent::ALL.into_iter().filter(|agent| self.root.join(agent.folder()).is_dir());
        names.extend(worked_with.map(Agent::name).chain(self.repository.is_some().then_some(GIT)));
        if names.is_empty() {
            let message = "here is neither a git repository nor a folder of an agent (.claude, .codex, .gemini)";
            let help = "name the hook: `megax hooks install claude`";
            findings.push(Diagnostic::new(Code::NoInput, message).help(help));
        }
        names
    }

    fn megax(&self) -> &str {
        self.request.command.as_deref().unwrap_or("megax")
    }

    fn agent(&self, agent: Agent) -> Outcome {
        let facts = |done| HookFacts::new(agent.name(), agent.file(), done);
        let failed = |error: &dyn ToString| {
            let finding = Diagnostic::new(Code::ForeignHook, error.to_string());
            (facts(Done::Blocked), finding.help("it is left as it is; put an ordinary file or folder there"))
        };
        let root = Root::open(&self.root).map_err(|error| failed(&error))?;
        let bytes = read_single(&root, agent.file()).map_err(|error| failed(&error))?;
        let wanted = self.request.command.as_deref().map(|megax| settings::command(agent, megax));
        let own = wanted.clone().unwrap_or_else(|| settings::command(agent, self.megax()));
        let Some(bytes) = bytes else {
            if self.request.verb == Verb::Install {
                let fresh = settings::fresh(agent, &own);
                write_single(&root, agent.file(), None, fresh.as_bytes(), 0o666).map_err(|error| failed(&error))?;
                return Ok(facts(Done::Installed).with_command(own));
            }
            return Ok(facts(Done::Absent));
        };
        let (before, text) = (Some(Digest::of(&bytes)), String::from_utf8(bytes).unwrap_or_default());
        let odd = |why: String| (facts(Done::Blocked), odd_file(agent, &why, &own));
        let (found, command) = match settings::look(agent, &text, wanted.as_deref()) {
            Ok(found) => found,
            Err(why) if self.request.verb == Verb::Remove && text.contains(&settings::mark(agent)) => {
                let message = format!("`{}` cannot be changed safely: {why}", agent.file());
                let help = format!(
                    "take the entry whose command ends in `{}` out by hand",
                    settings::mark(agent).trim_start()
                );
                return Err((
                    facts(Done::Blocked),
                    Diagnostic::new(Code::ForeignHook, message).about(agent.file()).help(help),
                ));
            }
            // That it cannot be understood matters to whoever would change it.
            Err(_) if self.request.verb != Verb::Install => return Ok(facts(Done::Foreign)),
            Err(why) => return Err(odd(why)),
        };
        let own = wanted.or_else(|| command.clone()).unwrap_or_else(|| own.clone());
        let put = |done: Done| {
            let new = settings::with_entry(agent, &text, &own).map_err(odd)?;
            write_single(&root, agent.file(), before, new.as_bytes(), 0o666).map_err(|error| failed(&error))?;
            Ok(facts(done).with_command(own.clone()))
        };
        match (self.request.verb, found) {
            (Verb::Status | Verb::Install, Found::Current) => Ok(facts(Done::There).with_command(own)),
            (Verb::Status, Found::Stale) => Ok(facts(Done::Stale).with_command(command.unwrap_or(own))),
            (Verb::Status | Verb::Remove, Found::Without) => Ok(facts(Done::Foreign)),
            (Verb::Install, Found::Stale) => put(Done::Updated),
            (Verb::Install, Found::Without) if self.request.merge => put(Done::Merged),
            (Verb::Install, Found::Without) => Err((facts(Done::Blocked), without(agent, &own))),
            (Verb::Remove, Found::Current | Found::Stale) => {
                let new = settings::without_entry(agent, &text).map_err(odd)?;
                let digest = Digest::of(text.as_bytes());
                let done = match &new {
                    Some(new) => write_single(&root, agent.file(), before, new.as_bytes(), 0o666),
                    None => remove_single(&root, agent.file(), digest, true),
                };
                done.map_err(|error| failed(&error))?;
                Ok(facts(Done::Removed))
            }
        }
    }

    fn git(&self) -> Outcome {
        let nowhere = HookFacts::new(GIT, "", Done::Absent);
        let Some(repository) = &self.repository else {
            if self.request.verb != Verb::Install {
                return Ok(nowhere);
            }
            let finding = Diagnostic::new(Code::NoInput, "there is no git repository around the project");
            let finding = finding.help("make one with `git init`, then run this again");
            return Err((HookFacts { done: Done::Blocked, ..nowhere }, finding));
        };
        let hook = repository.hooks.join(PRE_COMMIT);
        let shown = repository.unread.as_ref().map_or_else(|| display(&hook, &repository.top), |_| String::new());
        let facts = |done| HookFacts::new(GIT, &shown, done);
        let name = git::manifest_name(repository, &self.manifest);
        let script = git::script(self.megax(), &name);
        let other = |message: String| {
            let line = format!("{} || exit 1", git::pipe(self.megax(), &name));
            let finding = Diagnostic::new(Code::ForeignHook, message).about(shown.as_str());
            (
                facts(Done::Blocked),
                finding.related(None, format!("add the line: {line}")).help("nothing was written there"),
            )
        };
        if let Some(value) = &repository.unread {
            if self.request.verb != Verb::Install {
                return Ok(facts(Done::Foreign));
            }
            let line = format!("{} || exit 1", git::pipe(self.megax(), &name));
            let message =
                format!("the hooks path of git cannot be read: its configuration has `core.hooksPath = {value}`");
            let finding = Diagnostic::new(Code::ForeignHook, message);
            let finding =
                finding.related(None, format!("add to `{PRE_COMMIT}` in the folder that this means to git: {line}"));
            return Err((facts(Done::Blocked), finding.help("nothing was written")));
        }
        if !repository.is_own && self.request.verb == Verb::Install {
            let folder = display(&repository.hooks, &repository.top);
            return Err(other(format!("`core.hooksPath` is `{folder}`, which other repositories may use, too")));
        }
        let failed = |error: crate::disk::DiskError| other(error.to_string());
        let root = Root::open(&repository.hooks).map_err(failed)?;
        let bytes = read_single(&root, PRE_COMMIT).map_err(failed)?;
        let text = bytes.as_deref().map(String::from_utf8_lossy);
        let before = bytes.as_deref().map(Digest::of);
        let is_ours = text.as_deref().is_some_and(git::is_ours);
        let own = text.as_deref().map(git::own_lines).unwrap_or_default();
        // A hook that names another megax is as good, unless one is asked for.
        let is_current = text.as_deref().is_some_and(|text| {
            text == script || self.request.command.is_none() && is_ours && has_manifest(text, &name)
        });
        match (self.request.verb, before) {
            (Verb::Install, None) => {
                write_single(&root, PRE_COMMIT, None, script.as_bytes(), 0o777).map_err(failed)?;
                Ok(facts(Done::Installed))
            }
            (Verb::Install, Some(_)) if is_current => Ok(facts(Done::There)),
            (Verb::Install, before @ Some(_)) if is_ours => {
                write_single(&root, PRE_COMMIT, before, script.as_bytes(), 0o777).map_err(failed)?;
                Ok(facts(Done::Updated))
            }
            (Verb::Install | Verb::Remove, Some(_)) if !is_ours && !own.is_empty() => {
                let message =
                    format!("`{shown}` is not as megax wrote it, so it is somebody's now; it is left as it is");
                let finding = Diagnostic::new(Code::ForeignHook, message).about(shown.as_str());
                let lines = own.iter().map(|(at, line)| format!("line {at} is of megax: {line}"));
                let finding = lines.fold(finding, |finding, line| finding.related(None, line));
                let help = if self.request.verb == Verb::Remove {
                    "take these lines out by hand".to_owned()
                } else {
                    let line = git::pipe(self.megax(), &name);
                    format!("if megax or the manifest is another, change the last of these lines by hand to: {line}")
                };
                Err((facts(Done::Blocked), finding.help(help)))
            }
            (Verb::Install, Some(_)) => {
                Err(other(format!("`{shown}` is there already and is not of megax; it is left as it is")))
            }
            (_, None) => Ok(facts(Done::Absent)),
            (Verb::Status | Verb::Remove, Some(_)) if !is_ours => Ok(facts(Done::Foreign)),
            (Verb::Status, Some(_)) => Ok(facts(if is_current { Done::There } else { Done::Stale })),
            (Verb::Remove, Some(digest)) => {
                remove_single(&root, PRE_COMMIT, digest, false).map_err(failed)?;
                Ok(facts(Done::Removed))
            }
        }
    }
}

/// Whether a hook of ours is about a manifest.
fn has_manifest(script: &str, name: &str) -> bool {
    let end = format!(" --manifest {}", super::shell_word(name));
    script.lines().any(|line| line.ends_with(&end))
}

fn odd_file(agent: Agent, why: &str, own: &str) -> Diagnostic {
    let message = format!("`{}` is there already and cannot be changed safely: {why}", agent.file());
    by_hand(agent, own, Diagnostic::new(Code::ForeignHook, message).about(agent.file()))
}

fn without(agent: Agent, own: &str) -> Diagnostic {
    let message = format!("`{}` is there already and has no entry of megax; it is left as it is", agent.file());
    let finding = by_hand(agent, own, Diagnostic::new(Code::ForeignHook, message).about(agent.file()));
    let help = format!(
        "`megax hooks install {} --merge` adds the entry and keeps everything else (blanks and line breaks may change)",
        agent.name()
    );
    finding.help(help)
}

/// What to add by hand.
fn by_hand(agent: Agent, own: &str, finding: Diagnostic) -> Diagnostic {
    let entry = settings::entry(agent, own);
    let finding = finding.related(None, format!("add to the list `hooks.{}`: {entry}", agent.event()));
    finding.help("nothing was written there")
}
