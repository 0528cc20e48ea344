//! Finds and reads every input of a run: the manifest, the selected mega-files and their neighbours.
//!
//! After this stage nothing else is opened for reading, except the output tree by `disk`. It decides no meaning: a
//! mega-file is a tree of nodes here, good or broken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::find::{self, Selection};
use super::tally::Tally;
use super::yaml;
use super::{DataFile, Files, Kind, Tree, named, read, shared};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::handle::Folder;
use crate::limit::{Limit, Limits};
use crate::span::{FileId, SourceFile, SourceMap, Span};

/// The names under which a manifest is found, first match wins.
pub const MANIFEST_NAMES: [&str; 2] = ["megax.yaml", "team-coordination-manifest.yaml"];

/// What to read. All paths are absolute or relative to `current`.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files, folders or glob patterns; empty: the project's mega-files.
    pub paths: Vec<String>,
    /// The folder that relative paths start from.
    pub current: PathBuf,
    /// The manifest, if it was named.
    pub manifest: Option<PathBuf>,
    /// The output root, if it was named.
    pub out: Option<PathBuf>,
    /// The limits that were asked for; they win over those of the manifest.
    pub limits: BTreeMap<Limit, u64>,
}

impl Request {
    /// The limits without those of the manifest, which is read within them.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::default().with(&self.limits)
    }
}

/// A mega-file as it was read.
#[derive(Debug)]
pub struct Input {
    /// Its text.
    pub file: FileId,
    /// Whether the run was asked to expand it.
    pub selected: bool,
    /// Its nodes; `None` if it cannot be parsed.
    pub tree: Option<Arc<Tree>>,
    /// What went wrong while parsing; warnings for a neighbour.
    pub findings: Diagnostics,
    /// The team that a broken text names, or that its folder names: nothing of it is written while it is broken.
    pub team_hint: Option<String>,
}

/// The project manifest as it was read.
#[derive(Debug)]
pub struct ManifestInput {
    /// Its text.
    pub file: FileId,
    /// Its nodes.
    pub tree: Option<Tree>,
}

/// Everything that was read.
#[derive(Debug)]
pub struct SourceSet {
    /// The texts.
    pub sources: SourceMap,
    /// The project root.
    pub root: PathBuf,
    /// The same, open: what else is read lies below it. `None` for inputs as they were once.
    pub project: Option<Folder>,
    /// The output root.
    pub out: PathBuf,
    /// The manifest, if there is one.
    pub manifest: Option<ManifestInput>,
    /// The folder of the project's mega-files, whether it exists or not.
    pub folder: PathBuf,
    /// Whether [`Self::mega_files`] are all of the project; without a folder of mega-files only the selected are known.
    pub is_whole: bool,
    /// Why no mega-file is selected, if none is.
    pub empty: Option<Diagnostic>,
    /// The mega-files, sorted by name.
    pub mega_files: Vec<Input>,
    /// The data files that the mega-files name under `sources`, by the path as written.
    pub data: BTreeMap<String, DataFile>,
    /// The files below the project's `templates/`, by their path below it: the text, or why it cannot be used.
    pub templates: BTreeMap<String, Result<FileId, String>>,
    /// Findings that belong to no single mega-file.
    pub findings: Diagnostics,
    /// What the run may cost.
    pub limits: Limits,
}

impl SourceSet {
    /// Where the files are that the mega-files name.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        static NONE: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        self.project.as_ref().map_or(Files::Stored(&NONE), Files::Disk)
    }
}

/// Reads everything that `request` asks for, and the rest of the project beside it.
///
/// # Errors
/// Selectors that match nothing, mega-files of two projects, an unreadable manifest. Broken mega-files are no error
/// here: they come back as [`Input`]s without a tree.
pub fn load(request: &Request) -> Result<SourceSet, Diagnostics> {
    read_all(request, false)
}

/// Like [`load`], but a project with a manifest may have no mega-file yet.
///
/// # Errors
/// As [`load`].
pub fn load_or_none(request: &Request) -> Result<SourceSet, Diagnostics> {
    read_all(request, true)
}

fn read_all(request: &Request, may_be_none: bool) -> Result<SourceSet, Diagnostics> {
    let selection = find::select(&request.paths, &request.current, &request.limits())?;
    let project = project_of(request, &selection)?;
    let base = project.open().map_err(one)?;
    let mut findings = Diagnostics::default();
    let of_manifest = request.limits();
    let manifest_text = project.manifest.as_deref().map(|path| read::text(&base, path, &of_manifest)).transpose();
    let manifest_text = manifest_text.map_err(one)?;
    let manifest_name = project.manifest.as_deref().map(|path| display(path, &project.root));

    let manifest_tree = manifest_text.as_deref().and_then(|text| yaml::parse(FileId(0), text, &of_manifest).ok());
    let limits = manifest_tree.as_ref().map_or(of_manifest, granted).with(&request.limits);
    let (home, folder) = project.mega_files(&base, manifest_tree.as_ref());
    let found = folder.as_ref().map(|folder| find::searched(folder, &limits)).transpose()?;
    let (found, links) = found.unwrap_or_default();
    findings.extend(links.iter().map(|path| not_followed(&display(path, &project.root))));
    let mut wanted: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for path in found {
        wanted.insert(path, request.paths.is_empty());
    }
    for path in selection.files {
        wanted.insert(path, true);
    }
    if let Some(path) = &project.manifest {
        wanted.remove(path);
    }
    let is_start = may_be_none && request.paths.is_empty() && project.manifest.is_some();
    let is_empty = !wanted.values().any(|&selected| selected);
    let empty = is_empty.then(|| nothing_selected(request, folder.as_ref().map(Folder::path), &home, &project.root));
    let empty = match empty {
        Some(finding) if !is_start => return Err(one(finding)),
        empty => empty,
    };

    let mut texts: Vec<(String, Option<bool>, Result<String, Diagnostic>)> = wanted
        .into_par_iter()
        .map(|(path, selected)| (display(&path, &project.root), Some(selected), read::text(&base, &path, &limits)))
        .collect();
    if let (Some(name), Some(text)) = (manifest_name, manifest_text) {
        texts.push((name, None, Ok(text)));
    }
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut sources, roles) = number(texts, &mut findings);
    let tally = Tally::new(&limits);
    let (manifest, mega_files) = parse_all(&sources, roles, &of_manifest, &limits, &tally);
    tally.check(&sources, &limits).map_err(one)?;
    let data = named::data(&Files::Disk(&base), &mega_files, &mut sources, &limits, &tally);
    tally.check(&sources, &limits).map_err(one)?;
    let (templates, unsearchable) = shared::templates(&Files::Disk(&base), &mut sources, &limits);
    findings.extend(unsearchable);
    let out = request.out.as_ref().map_or_else(|| project.root.clone(), |out| normal(&request.current.join(out)));
    if let Some(manifest) = &manifest
        && let Err(broken) = &manifest.1
    {
        findings.extend(broken.clone());
    }
    let manifest = manifest.map(|(file, tree)| ManifestInput { file, tree: tree.ok() });
    let (root, is_whole) = (project.root, folder.is_some());
    Ok(SourceSet {
        sources,
        root,
        project: Some(base),
        out,
        manifest,
        folder: home,
        is_whole,
        empty,
        mega_files,
        data,
        templates,
        findings,
        limits,
    })
}

fn one(diagnostic: Diagnostic) -> Diagnostics {
    std::iter::once(diagnostic).collect()
}

/// A text's role: `None` for the manifest, else whether the mega-file was selected.
pub(super) type Roles = Vec<(FileId, Option<bool>, Result<(), Diagnostic>)>;

pub(super) fn number(
    texts: Vec<(String, Option<bool>, Result<String, Diagnostic>)>,
    findings: &mut Diagnostics,
) -> (SourceMap, Roles) {
    let mut sources = SourceMap::default();
    let mut roles = Vec::new();
    for (name, role, text) in texts {
        let (text, outcome) = match text {
            Ok(text) => (text, Ok(())),
            Err(diagnostic) => (String::new(), Err(diagnostic.about(name.clone()))),
        };
        if let (Err(diagnostic), None) = (&outcome, role) {
            findings.push(diagnostic.clone());
        }
        roles.push((sources.add(SourceFile::new(name, text)), role, outcome));
    }
    (sources, roles)
}

pub(super) type ParsedManifest = (FileId, Result<Tree, Diagnostics>);

pub(super) fn parse_all(
    sources: &SourceMap,
    roles: Roles,
    of_manifest: &Limits,
    limits: &Limits,
    tally: &Tally,
) -> (Option<ParsedManifest>, Vec<Input>) {
    let parsed: Vec<_> = roles
        .into_par_iter()
        .map(|(file, role, outcome)| {
            let text = sources.get(file).map_or("", SourceFile::text);
            let tree = match outcome {
                Ok(()) => yaml::parse_counted(file, text, if role.is_none() { of_manifest } else { limits }, tally),
                Err(diagnostic) => Err(one(diagnostic)),
            };
            (file, role, tree)
        })
        .collect();
    let mut manifest = None;
    let mut mega_files = Vec::new();
    for (file, role, tree) in parsed {
        let Some(selected) = role else {
            manifest = Some((file, tree));
            continue;
        };
        let source = sources.get(file);
        let team_hint = team_hint(source.map_or("", SourceFile::name), source.map_or("", SourceFile::text));
        let (tree, mut findings) = match tree {
            Ok(tree) => (Some(Arc::new(tree)), Diagnostics::default()),
            Err(findings) => (None, findings),
        };
        if selected {
            for finding in &mut findings {
                finding.teams.extend(team_hint.clone());
            }
        } else if !findings.is_empty() {
            findings = one(neighbour_unreadable(file, &findings));
        }
        mega_files.push(Input { file, selected, tree, findings, team_hint });
    }
    (manifest, mega_files)
}

fn neighbour_unreadable(file: FileId, findings: &Diagnostics) -> Diagnostic {
    let first = findings.iter().next();
    let reason = first.map_or_else(String::new, |finding| format!(": {}", finding.message));
    let span = first.and_then(|finding| finding.span).unwrap_or(Span::new(file, 0, 0));
    Diagnostic::new(Code::NeighbourUnreadable, format!("this mega-file was not selected and cannot be read{reason}"))
        .at(span)
        .severity(Severity::Warning)
        .help("until it is mended, its lockfile says which paths it claims")
}

/// The team of a text that cannot be parsed: its `team:` line, else a folder `team-x` above it.
fn team_hint(name: &str, text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("team:"));
    let named = line.map(|value| value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']));
    let folder = || name.rsplit('/').skip(1).find(|part| part.to_ascii_lowercase().starts_with("team"));
    named.filter(|value| !value.is_empty()).or_else(folder).map(crate::name::team_name)
}

/// The limits that a manifest grants. An entry that is none has no effect here: what is wrong with it is said when the
/// manifest is understood.
pub(super) fn granted(manifest: &Tree) -> Limits {
    let mut limits = Limits::default();
    let entries = manifest.get(manifest.root(), "limits").and_then(|node| manifest.map(node)).unwrap_or_default();
    for &(key, value) in entries {
        let value = match manifest.kind(value) {
            Kind::Int(value) => u64::try_from(*value).ok(),
            // `100.0` is a whole number for the schema.
            Kind::Float(value) => value.to_string().parse().ok(),
            _ => None,
        };
        if let (Some(limit), Some(value)) = (manifest.text(key).and_then(Limit::find), value) {
            limits.set(limit, value).unwrap_or_default();
        }
    }
    limits
}

pub(super) struct Project {
    pub(super) root: PathBuf,
    pub(super) manifest: Option<PathBuf>,
    /// The enclosing `megafiles/` where there is no manifest.
    folder: Option<PathBuf>,
}

impl Project {
    /// Where the project's mega-files belong, and the same folder if it can be searched.
    pub(super) fn mega_files(&self, base: &Folder, manifest: Option<&Tree>) -> (PathBuf, Option<Folder>) {
        // A folder behind a symlink could lead out of the project.
        let inside = |folder: &Path| base.below(folder.strip_prefix(&self.root).ok()?).ok();
        if self.manifest.is_none() {
            return (self.root.join("megafiles"), self.folder.as_deref().and_then(inside));
        }
        let named = manifest.and_then(|tree| tree.text(tree.get(tree.root(), "megafiles")?));
        let folder = normal(&self.root.join(named.unwrap_or("megafiles").trim_start_matches('/')));
        let found = inside(&folder);
        (folder, found)
    }

    /// Opens the project root.
    ///
    /// # Errors
    /// MX101 about the manifest, or else about the root.
    pub(super) fn open(&self) -> Result<Folder, Diagnostic> {
        Folder::open(&self.root).map_err(|error| {
            read::unreadable(self.manifest.as_ref().unwrap_or(&self.root), &std::io::Error::from(error).to_string())
        })
    }
}

pub(super) fn project_of(request: &Request, selection: &Selection) -> Result<Project, Diagnostics> {
    if let Some(named) = &request.manifest {
        let path = normal(&request.current.join(named));
        let root = path.parent().map_or_else(|| request.current.clone(), Path::to_path_buf);
        return Ok(Project { root, manifest: Some(path), folder: None });
    }
    let mut found: BTreeMap<(PathBuf, Option<PathBuf>), &Path> = BTreeMap::new();
    let starts: BTreeSet<&Path> = selection.files.iter().filter_map(|path| path.parent()).collect();
    for start in starts {
        found.entry(root_above(start)).or_insert(start);
    }
    if found.is_empty() {
        let (root, manifest) = root_above(&request.current);
        let folder = root.join("megafiles");
        return Ok(Project { folder: folder.is_dir().then_some(folder), root, manifest });
    }
    if found.len() > 1 {
        let roots: Vec<String> = found.keys().map(|(root, _)| display(root, &request.current)).collect();
        let message = format!("the selected mega-files belong to {} projects: {}", roots.len(), roots.join(", "));
        let help = "expand one project at a time, or name the manifest with --manifest";
        return Err(one(Diagnostic::new(Code::MixedProjects, message).help(help)));
    }
    let ((root, manifest), _) = found.into_iter().next().unwrap_or(((request.current.clone(), None), &request.current));
    let folder = root.join("megafiles");
    Ok(Project { folder: folder.is_dir().then_some(folder), root, manifest })
}

/// The output root that a request means, without reading a mega-file.
///
/// # Errors
/// Selectors that match nothing, mega-files of two projects.
pub fn out_of(request: &Request) -> Result<PathBuf, Diagnostics> {
    if let Some(out) = &request.out {
        return Ok(normal(&request.current.join(out)));
    }
    let selection = find::select(&request.paths, &request.current, &Limits::default())?;
    Ok(project_of(request, &selection)?.root)
}

/// The nearest manifest in a folder or above it.
#[must_use]
pub fn manifest_above(folder: &Path) -> Option<PathBuf> {
    let mut candidates = folder.ancestors().flat_map(|above| MANIFEST_NAMES.map(|name| above.join(name)));
    // One that is no regular file is found, too: to pass over it would pass over the boundaries that it sets.
    let is_there = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir());
    candidates.find(is_there)
}

/// The project root for inputs in `folder`: where the nearest manifest is, else above `megafiles/`, else `folder`.
fn root_above(folder: &Path) -> (PathBuf, Option<PathBuf>) {
    if let Some(manifest) = manifest_above(folder) {
        return (manifest.parent().unwrap_or(folder).to_path_buf(), Some(manifest));
    }
    let enclosing = folder.ancestors().find(|above| above.file_name().is_some_and(|name| name == "megafiles"));
    let root = enclosing.and_then(Path::parent).unwrap_or(folder);
    (root.to_path_buf(), None)
}

fn not_followed(shown: &str) -> Diagnostic {
    let message = format!("`{shown}` is a symlink, so the mega-files behind it are no part of the project");
    let finding = Diagnostic::new(Code::UnreadableInput, message).about(shown).severity(Severity::Warning);
    finding.help("no symlink in the project is followed: put the folder itself there, or remove the symlink")
}

fn nothing_selected(request: &Request, folder: Option<&Path>, belongs: &Path, root: &Path) -> Diagnostic {
    let message = match folder {
        None if request.paths.is_empty() && belongs.exists() => {
            format!("the folder of mega-files `{}` is a symlink or outside the project", display(belongs, root))
        }
        Some(folder) if request.paths.is_empty() => {
            format!("there is no mega-file (*.yaml, *.yml) below `{}`", display(folder, root))
        }
        _ if request.paths.is_empty() => "there is no folder of mega-files here".to_owned(),
        _ => "the selected paths hold no mega-file (*.yaml, *.yml)".to_owned(),
    };
    let help = if request.paths.is_empty() && folder.is_none() && !belongs.exists() {
        "start a project with `megax init`, or name files, folders or quoted globs: \
         `megax expand megafiles/team-beta/*.yaml`"
    } else {
        "name files, folders or quoted globs: `megax expand megafiles/team-beta/*.yaml`"
    };
    Diagnostic::new(Code::NoInput, message).help(help)
}

/// A path without `.` and `..`, purely by its text.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A path for people: relative to the project root where it lies below, with `/`.
#[must_use]
pub fn display(path: &Path, root: &Path) -> String {
    let shown = path.strip_prefix(root).unwrap_or(path);
    let text = shown.to_string_lossy().replace('\\', "/");
    if text.is_empty() { ".".to_owned() } else { text }
}
