//! Turns what a user typed (files, folders, quoted globs) into a sorted list of files.

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

use super::load::normal;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::handle::{Bounds, Folder, Found, Unsearchable};
use crate::limit::{Limit, Limits};

/// The files that were selected.
#[derive(Debug, Default)]
pub struct Selection {
    /// Absolute paths, sorted, each once.
    pub files: Vec<PathBuf>,
}

/// Resolves the selectors.
///
/// # Errors
/// One finding for every selector that matches nothing.
pub fn select(paths: &[String], current: &Path, limits: &Limits) -> Result<Selection, Diagnostics> {
    let mut files = Vec::new();
    let mut findings = Diagnostics::default();
    for selector in paths {
        let path = normal(&current.join(selector));
        let found = if path.is_dir() {
            mega_files_at(&path, limits)
        } else if std::fs::symlink_metadata(&path).is_ok() {
            // What is no regular file is refused when it is read, with what it is.
            Ok(vec![path.clone()])
        } else if selector.contains(['*', '?', '[', '{']) {
            matching(selector, current, limits)
        } else {
            Ok(Vec::new())
        };
        match found {
            Ok(found) if found.is_empty() => findings.push(nothing(selector, &path)),
            Ok(found) => files.extend(found),
            Err(broken) => findings.extend(broken),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    files.sort();
    files.dedup();
    Ok(Selection { files })
}

fn nothing(selector: &str, path: &Path) -> Diagnostic {
    let help = match path.parent() {
        Some(folder) if !folder.exists() => "the folder does not exist".to_owned(),
        _ => "check the spelling; folders are searched for *.yaml and *.yml".to_owned(),
    };
    Diagnostic::new(Code::NoInput, format!("`{selector}` matches nothing")).about(selector).help(help)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// All `*.yaml` and `*.yml` below an open folder, sorted; hidden folders are passed over and no symlink is followed. One
/// that is no regular file is among them: when it is read, what it is becomes a finding.
///
/// # Errors
/// MX101 for a folder that cannot be searched.
pub fn mega_files_below(folder: &Folder, limits: &Limits) -> Result<Vec<PathBuf>, Diagnostics> {
    Ok(searched(folder, limits)?.0)
}

/// The same, and the symlinks that lead to folders, behind which nobody looks.
pub(super) fn searched(folder: &Folder, limits: &Limits) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Diagnostics> {
    let (found, failed) = folder.search(bounds(limits));
    if !failed.is_empty() {
        return Err(failed.iter().map(|one| unsearchable(folder.path(), one, limits)).collect());
    }
    let (files, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| is_yaml(&one.path));
    let full = |one: Found| folder.path().join(one.path);
    let links = others.into_iter().filter(|one| one.other == Some("a symlink")).map(full);
    Ok((files.into_iter().map(full).collect(), links.filter(|path| path.is_dir()).collect()))
}

/// The same of a folder that the user named; symlinks that lead to it are followed.
fn mega_files_at(path: &Path, limits: &Limits) -> Result<Vec<PathBuf>, Diagnostics> {
    let failed =
        |error| Diagnostics::from_iter([unsearchable(path, &Unsearchable::Failed(PathBuf::new(), error), limits)]);
    mega_files_below(&Folder::open(path).map_err(failed)?, limits)
}

/// How far inputs are searched for.
pub(super) fn bounds(limits: &Limits) -> Bounds {
    Bounds { names: limits.get(Limit::InputNames), depth: limits.get(Limit::InputDepth) }
}

/// What is said of a folder below `top` that cannot be searched.
pub(super) fn unsearchable(top: &Path, one: &Unsearchable, limits: &Limits) -> Diagnostic {
    let finding = |below: &Path, why: String| {
        let path = if below.as_os_str().is_empty() { top.to_path_buf() } else { top.join(below) };
        Diagnostic::new(Code::UnreadableInput, format!("this folder cannot be searched: {why}"))
            .about(path.display().to_string())
    };
    match one {
        Unsearchable::Failed(below, error) => finding(below, std::io::Error::from(*error).to_string()),
        Unsearchable::TooMany(below) => {
            finding(below, format!("it holds too many names: {}", limits.says(Limit::InputNames)))
                .help(Limit::InputNames.help("move away what is no input"))
        }
        Unsearchable::TooDeep(below) => finding(below, format!("it lies too deep: {}", limits.says(Limit::InputDepth)))
            .help(Limit::InputDepth.help("move it up")),
    }
}

/// The last folder on the way of a pattern that holds none.
pub(super) fn without_pattern(path: &Path) -> PathBuf {
    let is_fixed = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    path.components().take_while(is_fixed).collect()
}

/// The files that match a glob; `*` stays inside one folder, `**` does not.
fn matching(selector: &str, current: &Path, limits: &Limits) -> Result<Vec<PathBuf>, Diagnostics> {
    let full = normal(&current.join(selector));
    let glob = GlobBuilder::new(&full.to_string_lossy()).literal_separator(true).build().map_err(|error| {
        let diagnostic = Diagnostic::new(Code::NoInput, format!("`{selector}` is no valid pattern: {}", error.kind()));
        std::iter::once(diagnostic.about(selector)).collect::<Diagnostics>()
    })?;
    let matcher = glob.compile_matcher();
    let fixed = without_pattern(&full);
    if !fixed.is_dir() {
        return Ok(Vec::new());
    }
    Ok(mega_files_at(&fixed, limits)?.into_iter().filter(|path| matcher.is_match(path)).collect())
}
