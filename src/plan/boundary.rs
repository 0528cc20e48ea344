//! Where a team may write: inside its write paths, never in its forbidden paths, and never over what megax reads.
//! Forbidden wins. What other tools obey needs a grant besides: see `sensitive`.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::glob::PathPattern;
use crate::model::{Manifest, MegaFile, Model, Team};
use crate::path::{OutputPath, fold};

use super::{Claim, Plan, PlannedFile};
use crate::span::{FileId, Span};

/// What megax reads below the output root: no mega-file writes there.
#[derive(Debug, Default)]
pub struct Reserved {
    /// Folded paths of files and folders.
    paths: BTreeSet<String>,
    /// Whether every YAML file is, or would be, a mega-file: their folder is the output root or around it.
    pub every_yaml: bool,
    /// Where mega-files name each data file.
    data: BTreeMap<String, Vec<Span>>,
    /// The files that may serve as shared templates.
    shared: BTreeMap<String, FileId>,
    /// Folded paths of the folders that the `.git` of the output root names.
    repository: BTreeSet<String>,
    /// Where snapshots may lie: `<folder>/<team>/<id><ending>`.
    snapshots: Option<(String, &'static str)>,
}

impl Reserved {
    /// Adds a file or a folder with everything below it, relative to the output root. The root itself is left out.
    pub fn add(&mut self, path: &str) {
        if !matches!(path, "" | ".") {
            self.paths.insert(fold(path));
        }
    }

    /// Adds a folder that the `.git` of the output root names, relative to that root.
    pub fn add_repository(&mut self, path: &str) {
        if !matches!(path, "" | ".") {
            self.repository.insert(fold(path));
        }
    }

    /// Whether a path is the repository's own folder, which lies in the tree under a name of its own, or below it.
    #[must_use]
    pub fn is_repository(&self, path: &OutputPath) -> bool {
        let key = path.key();
        let below = |folder: &String| {
            key.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.repository.iter().any(below)
    }

    /// Adds a data file and the places that name it.
    pub fn add_data(&mut self, path: &str, readers: &[Span]) {
        self.data.entry(fold(path)).or_default().extend(readers);
    }

    /// Adds a file that is a shared template as soon as a mega-file uses it.
    pub fn add_shared(&mut self, path: &str, file: FileId) {
        self.shared.insert(fold(path), file);
    }

    /// Says that snapshots lie in a folder, relative to the output root, and how their names end.
    pub fn add_snapshots(&mut self, folder: &str, ending: &'static str) {
        self.snapshots = Some((fold(folder), ending));
    }

    /// Whether a path is one of them, or lies below one. Compared without case, for file systems that do.
    #[must_use]
    pub fn holds(&self, path: &OutputPath) -> bool {
        let key = path.key();
        let key = key.as_str();
        let mut above = key.match_indices('/').map(|(at, _)| &key[..at]).chain([key]);
        let is_yaml = || [".yaml", ".yml"].iter().any(|end| key.ends_with(end));
        // Hidden folders are never searched for mega-files.
        let is_found = || !key.split('/').rev().skip(1).any(|folder| folder.starts_with('.'));
        above.any(|part| self.paths.contains(part)) || (self.every_yaml && is_yaml() && is_found())
    }

    /// Whether a path is where a snapshot may lie. All else in that folder is free.
    #[must_use]
    pub fn holds_snapshot(&self, path: &OutputPath) -> bool {
        let Some((folder, ending)) = &self.snapshots else { return false };
        let key = path.key();
        let below = key.as_str().strip_prefix(folder.as_str()).and_then(|rest| rest.strip_prefix('/'));
        below.is_some_and(|rest| rest.ends_with(ending) && rest.matches('/').count() == 1)
    }
}

/// One finding for every planned file that is an input of megax or outside of its team's boundary.
pub fn check(model: &Model, plan: &Plan, reserved: &Reserved) -> Vec<Diagnostic> {
    let mut findings = read_and_planned(model, plan, reserved);
    let mut untypical: BTreeMap<(Span, &str), (&Team, &PlannedFile, usize)> = BTreeMap::new();
    for file in &plan.files {
        let Some(mega) = model.mega_files.get(file.mega_file) else { continue };
        if reserved.holds(&file.path) {
            let message =
                format!("`{}` is an input of megax: a mega-file writes neither mega-files nor the manifest", file.path);
            let finding = Diagnostic::new(Code::BadPath, message).at(file.origin).team(mega.team.clone());
            findings.push(finding.help("plan it under another name or in another folder"));
            continue;
        }
        if reserved.is_repository(&file.path) {
            let message =
                format!("`{}` is in the repository's own folder, which the `.git` of the output root names", file.path);
            let finding = Diagnostic::new(Code::ReservedFolder, message).at(file.origin).team(mega.team.clone());
            findings.push(finding.help("change the planned path; no mega-file writes there"));
            continue;
        }
        if reserved.holds_snapshot(&file.path) {
            let message = format!("`{}` is where megax keeps a snapshot: a mega-file writes none", file.path);
            let finding = Diagnostic::new(Code::BadPath, message).at(file.origin).team(mega.team.clone());
            findings.push(finding.help("plan it under another name or in another folder"));
            continue;
        }
        let Some(manifest) = &model.manifest else { continue };
        let Some(team) = manifest.team(&mega.team) else { continue };
        let finding = if let Some(glob) = team.boundary.forbids(&file.path) {
            let message = format!("`{}` is in the forbidden path `{glob}` of team {}", file.path, team.name);
            Diagnostic::new(Code::ForbiddenPath, message)
                .related(team.span, format!("the boundaries of team {}", team.name))
                .help("write it elsewhere, or let the team that owns the folder write it")
        } else if team.boundary.allows(&file.path) {
            if !team.typical_files.is_empty() && !team.typical_files.iter().any(|one| one.matches(file.path.as_str())) {
                untypical.entry((file.origin, &team.name)).or_insert((team, file, 0)).2 += 1;
            }
            continue;
        } else {
            outside(manifest, team, &file.path)
        };
        findings.push(finding.at(file.origin).team(mega.team.clone()));
    }
    findings.extend(untypical.into_values().map(|(team, file, count)| outside_typical(team, file, count)));
    findings
}

/// What one mega-file plans and another reads: the outcome would depend on which was expanded first.
fn read_and_planned(model: &Model, plan: &Plan, reserved: &Reserved) -> Vec<Diagnostic> {
    let selected = plan.files.iter().filter_map(|file| Some(Claim::of(file, model.mega_files.get(file.mega_file)?)));
    let mut findings = Vec::new();
    for claim in selected.chain(plan.neighbours.iter().cloned()) {
        let key = claim.path.key();
        let readers = reserved.data.get(key.as_str()).into_iter().flatten();
        let readers: Vec<Span> =
            readers.copied().filter(|reader| claim.selected || is_selected(model, *reader)).collect();
        let finding = if let Some(reader) = readers.first() {
            let message = format!("`{}` is read as a source, so no mega-file may write it ({})", claim.path, claim.who);
            let help = "name the data that the file is made from as the source, or write the file by hand";
            Diagnostic::new(Code::BadPath, message).related(*reader, "named as a source here").help(help)
        } else if let Some(user) = reserved.shared.get(key.as_str()).and_then(|file| user_of(model, plan, *file))
            && (claim.selected || user.selected)
        {
            let message =
                format!("`{}` is used as a shared template, so no mega-file may write it ({})", claim.path, claim.who);
            let used = format!("the mega-file `{}` uses it", user.id);
            let help = "write it by hand, or plan it in a folder that is not the project's `templates/`";
            Diagnostic::new(Code::BadPath, message).related(user.id_span, used).help(help)
        } else {
            continue;
        };
        let mut finding = finding.team(claim.team.clone());
        finding.span = claim.origin;
        let teams = readers
            .iter()
            .filter_map(|reader| Some(model.mega_files.iter().find(|mega| mega.file() == reader.file)?.team.clone()));
        findings.push(teams.fold(finding, Diagnostic::team));
    }
    findings
}

fn is_selected(model: &Model, reader: Span) -> bool {
    model.mega_files.iter().any(|mega| mega.file() == reader.file && mega.selected)
}

/// The first mega-file that uses a shared template.
fn user_of<'m>(model: &'m Model, plan: &Plan, file: FileId) -> Option<&'m MegaFile> {
    let index = plan.shared.iter().position(|used| used.contains(&file))?;
    model.mega_files.get(index)
}

/// One finding for all untypical files that one line plans.
fn outside_typical(team: &Team, file: &PlannedFile, count: usize) -> Diagnostic {
    let (are, more) =
        if count > 1 { ("are", format!(" and {} more of this line", count - 1)) } else { ("is", String::new()) };
    let message = format!("`{}`{more} {are} outside the typical files of team {}", file.path, team.name);
    let globs: Vec<&str> = team.typical_files.iter().map(PathPattern::written).collect();
    Diagnostic::new(Code::UntypicalPath, message)
        .at(file.origin)
        .related(team.span, format!("team {} usually writes `{}`", team.name, globs.join("`, `")))
        .help("move the file, or add a pattern for it to the team's typical_files")
        .team(team.name.clone())
}

fn outside(manifest: &Manifest, team: &Team, path: &OutputPath) -> Diagnostic {
    let globs = team.boundary.write_paths().collect::<Vec<_>>().join("`, `");
    let message = format!("`{path}` is outside the write paths of team {}", team.name);
    let owners: Vec<&str> = manifest
        .teams
        .iter()
        .filter(|other| other.name != team.name && other.boundary.has_write_paths() && other.boundary.allows(path))
        .map(|other| other.name.as_str())
        .collect();
    let owner =
        if owners.is_empty() { String::new() } else { format!("; it is inside those of {}", owners.join(", ")) };
    let allowed = if globs.is_empty() { "nothing".to_owned() } else { format!("`{globs}`") };
    Diagnostic::new(Code::OutsideBoundary, message)
        .related(team.span, format!("team {} may write {allowed}", team.name))
        .help(format!("move the file below one of {allowed}, or add its folder to the team's write_paths{owner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> OutputPath {
        OutputPath::parse(text).unwrap()
    }

    #[test]
    fn inputs_are_reserved_with_what_lies_below_them_in_any_case() {
        let mut reserved = Reserved::default();
        for text in ["megax.yaml", "megafiles", "tools/Extra.yaml", ""] {
            reserved.add(text);
        }
        for text in
            ["megax.yaml", "MEGAX.YAML", "megafiles/a/b.yaml", "MegaFiles/x.txt", "megafiles", "tools/extra.yaml"]
        {
            assert!(reserved.holds(&path(text)), "{text}");
        }
        for text in ["src/megax.yaml", "megafiles2/x", "tools/other.yaml", "a/megafiles/x"] {
            assert!(!reserved.holds(&path(text)), "{text}");
        }
        assert!(!reserved.holds_snapshot(&path("snapshots/beta/api.snap")), "only where they are kept");
        reserved.add_snapshots("snapshots", ".snap");
        assert!(reserved.holds_snapshot(&path("Snapshots/beta/api.SNAP")));
        for text in ["snapshots/api.snap", "snapshots/a/b/c.snap", "snapshots/beta/api.txt", "snapshots2/beta/api.snap"]
        {
            assert!(!reserved.holds_snapshot(&path(text)) && !reserved.holds(&path(text)), "{text}");
        }
        reserved.every_yaml = true;
        assert!(reserved.holds(&path("deploy/app.YML")) && reserved.holds(&path(".app.yaml")));
        assert!(!reserved.holds(&path(".github/workflows/ci.yml")) && !reserved.holds(&path("src/a.ts")));
    }
}
