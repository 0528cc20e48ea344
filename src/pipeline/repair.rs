//! `repair`: recorded files come back as they are recorded, and shards of the lockfile that cannot be read are rebuilt.
//! Nothing is deleted, and what somebody edited is overwritten on request only.

mod say;
mod wanted;

use std::collections::BTreeSet;

use self::wanted::Wanted;
use super::apply::{self, disk_finding, no_way_back};
use super::inputs::ENGINE;
use super::publish::{Publication, Record};
use super::shards::{DamagedShard, Unreadable, place, unreadable as unreadable_shard};
use super::{Request, State, hold, on_threads, resolve, sink};
use crate::change::{self, Damaged, Desired, Restoration, Restore, restore};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::disk::{self, Durability, OperationKind, Root, Staging};
use crate::event::Watcher;
use crate::lockfile::{is_newer, is_source, salvage};
use crate::name::id_key;
use crate::output::Rendered;
use crate::path::OutputPath;
use crate::report::mend::{MendCommand, MendReport};
use crate::report::{Command, Mode};
use crate::source;
use crate::source::load::display;
use crate::span::SourceMap;

/// What `repair` needs.
#[derive(Debug, Clone)]
pub struct RepairRequest {
    /// Where the project and the output root are.
    pub inputs: source::Request,
    /// Teams, files or patterns of output files; empty: all.
    pub what: Vec<String>,
    /// Write over edited files; their content is kept.
    pub overwrite: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// What a commit must survive.
    pub durability: Durability,
    /// Who runs, for the team guards.
    pub holder: String,
}

/// Repairs what can be repaired; the rest is named. Never fails: what goes wrong is a finding.
#[must_use]
pub fn repair(request: &RepairRequest, watcher: &dyn Watcher) -> MendReport {
    on_threads(request.jobs, || repair_here(request, watcher))
}

fn repair_here(asked: &RepairRequest, watcher: &dyn Watcher) -> MendReport {
    let mode = if asked.dry_run { Mode::DryRun } else { Mode::Write };
    let (durability, holder) = (asked.durability, asked.holder.clone());
    let request = Request { holder, durability, ..Request::new(Command::Repair, mode, asked.inputs.clone()) };
    let mut report = MendReport {
        command: MendCommand::Repair,
        out: String::new(),
        dry_run: asked.dry_run,
        files: Vec::new(),
        lockfiles: Vec::new(),
        operations: Vec::new(),
        findings: Diagnostics::default(),
        sources: SourceMap::default(),
    };
    match resolve(&request, watcher) {
        Ok(mut state) => {
            report.out = display(&state.set.out, &asked.inputs.current);
            run(asked, &mut state, &mut report, watcher);
            state.findings.sort();
            state.findings.shorten(&state.set.limits);
            report.findings = state.findings;
            report.sources = state.set.sources;
        }
        Err(failed) => {
            let (findings, set) = *failed;
            report.findings = findings;
            report.findings.shorten(&super::limits_of(&asked.inputs, set.as_ref()));
            report.sources = set.map(|set| set.sources).unwrap_or_default();
        }
    }
    report
}

fn run(asked: &RepairRequest, state: &mut State<'_>, report: &mut MendReport, watcher: &dyn Watcher) {
    let Some(root) = state.root.clone() else { return };
    // Warnings about mega-files are for `expand` to say; a lockfile that is rebuilt holds nobody.
    let findings = std::mem::take(&mut state.findings).into_iter();
    let counts = |one: &Diagnostic| match one.code {
        Code::DamagedLockfile => false,
        Code::Recovered | Code::InterruptedRun | Code::NoWayBack => true,
        _ => one.is_error(),
    };
    state.findings = findings.filter(counts).collect();
    state.hold();
    let wanted = match Wanted::of(asked, state) {
        Ok(wanted) => wanted,
        Err(findings) => return state.findings.extend(findings),
    };
    render(state, watcher);
    let outcome = survey_and_restore(asked, state, &root, &wanted);
    let restoration = match outcome {
        Ok(restoration) => restoration,
        Err(error) => return state.findings.push(disk_finding(&error)),
    };
    state.findings.extend(restoration.gaps.iter().map(say::gap));
    let (kind, durability, holder) = (OperationKind::Repair, asked.durability, asked.holder.as_str());
    for set in restoration.changes.split() {
        let publication =
            Publication { root: &root, texts: &state.shards.texts, record: Record::Shards, kind, durability, holder };
        let stage = |staging: &Staging| apply::stage_rest(state, staging, &set);
        let done = (!asked.dry_run).then(|| publication.publish(set.clone(), &stage, watcher)).transpose();
        match done {
            Ok(applied) => {
                let applied = applied.unwrap_or_default();
                report.operations.extend(applied.operation);
                state.findings.extend(applied.unlogged.as_deref().map(no_way_back));
                say::note(&set, &applied.kept, state, report);
            }
            Err(found) => state.findings.extend(found),
        }
    }
    // What keeps other teams from being repaired was not asked.
    if wanted.files.is_empty() && wanted.patterns.is_empty() && !wanted.teams.is_empty() {
        let findings = std::mem::take(&mut state.findings).into_iter();
        let concerns =
            |one: &Diagnostic| one.teams.is_empty() || one.teams.iter().any(|team| wanted.teams.contains(team));
        state.findings = findings.filter(concerns).collect();
    }
    report.files.sort_by(|a, b| a.path.cmp(&b.path));
    report.lockfiles.sort_by(|a, b| a.path.cmp(&b.path));
}

/// Renders everything, and holds the teams of what fails.
fn render(state: &mut State<'_>, watcher: &dyn Watcher) {
    let rendered = sink::render(state, &sink::Discard::new(state), watcher);
    state.take(rendered);
    let failed = state.plan.files.iter().zip(&state.rendered).filter_map(|(file, rendered)| match rendered {
        Rendered::Failed(failure) => hold::failed(state, file, failure),
        _ => None,
    });
    let failed: Vec<Diagnostic> = failed.collect();
    state.findings.extend(failed);
    state.hold();
}

fn survey_and_restore(
    asked: &RepairRequest,
    state: &mut State<'_>,
    root: &Root,
    wanted: &Wanted,
) -> Result<Restoration, disk::DiskError> {
    let Rebuild { damaged, left, findings } = damaged(state, root, wanted)?;
    let selected = state.model.mega_files.iter().filter(|mega| mega.selected && !state.is_held(&mega.team));
    let mega_files: Vec<change::MegaFile> = selected
        .map(|mega| change::MegaFile {
            team: mega.team.clone(),
            id: mega.id.clone(),
            inputs: None,
            source: Some(state.set.sources.name(mega.file()).to_owned()).filter(|name| is_source(name)),
            whole: true,
        })
        .collect();
    let desired: Vec<Desired> = apply::desired(state);
    let recorded = state.shards.all.iter().flat_map(|shard| shard.lockfile.entries.keys());
    let salvaged = damaged.iter().flat_map(|one: &Damaged| one.salvaged.entries.keys());
    let paths: BTreeSet<&OutputPath> = recorded.chain(salvaged).chain(desired.iter().map(|file| &file.path)).collect();
    let paths: Vec<OutputPath> = paths.into_iter().cloned().collect();
    let survey = disk::survey(root, &paths)?;
    let has = |team: &str, path: &OutputPath| {
        let team = state.model.team_name(team);
        !state.is_held(&team) && wanted.has(&team, path)
    };
    let restoration = restore(&Restore {
        shards: &state.shards.all,
        damaged: &damaged,
        left: &left,
        mega_files: &mega_files,
        desired: &desired,
        survey: &survey,
        overwrite: asked.overwrite,
        engine: ENGINE,
        wanted: &has,
    });
    state.findings.extend(findings);
    Ok(restoration)
}

/// The shards that cannot be read.
#[derive(Default)]
struct Rebuild {
    /// Those that are rebuilt.
    damaged: Vec<Damaged>,
    /// The mega-files of the others.
    left: BTreeSet<String>,
    /// What is said of those that cannot be rebuilt while their mega-file is wrong.
    findings: Vec<Diagnostic>,
}

fn damaged(state: &State<'_>, root: &Root, wanted: &Wanted) -> Result<Rebuild, disk::DiskError> {
    let mut rebuild = Rebuild::default();
    let unreadable = Unreadable::of(&state.set, &state.model);
    for DamagedShard { path, text, why } in &state.shards.damaged {
        let Some((team, id)) = place(path) else { continue };
        let name = state.model.team_name(team);
        let planner = state.model.mega_files.iter().position(|mega| id_key(&mega.id) == id_key(id));
        let salvaged = salvage(text);
        let planned = state.plan.files.iter().filter(|file| Some(file.mega_file) == planner).map(|file| &file.path);
        let asked =
            wanted.has_team(&name) || planned.chain(salvaged.entries.keys()).any(|path| wanted.has(&name, path));
        // What a newer version says of its files is not for this one to decide.
        let newer = is_newer(text);
        if asked && !newer && !state.is_held(&name) && (planner.is_some() || !unreadable.may_be(&name, id)) {
            if let Some(digest) = disk::shard_digest(root, path)? {
                rebuild.damaged.push(Damaged { team: team.to_owned(), mega_file: id.to_owned(), digest, salvaged });
            }
            continue;
        }
        rebuild.left.insert(id_key(id));
        if asked {
            let finding = unreadable_shard((path.as_str(), text.as_str()), why).team(name);
            let help = "it is rebuilt from what its mega-file plans: mend the mega-file first, then repair again";
            rebuild.findings.push(if newer { finding } else { finding.help(help) });
        }
    }
    Ok(rebuild)
}
