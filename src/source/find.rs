//! Turns what a user typed (files, folders, quoted globs) into a sorted list of files.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

use super::load::normal;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

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
pub fn select(paths: &[String], current: &Path) -> Result<Selection, Diagnostics> {
    let mut files = Vec::new();
    let mut findings = Diagnostics::default();
    for selector in paths {
        let path = normal(&current.join(selector));
        let found = if path.is_file() {
            Ok(vec![path.clone()])
        } else if path.is_dir() {
            mega_files_below(&path)
        } else if selector.contains(['*', '?', '[', '{']) {
            matching(selector, current)
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

/// All `*.yaml` and `*.yml` below a folder, sorted; hidden folders are passed over and no symlink is followed.
///
/// # Errors
/// MX101 for a folder that cannot be read.
pub fn mega_files_below(folder: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let hidden = |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry)) {
        let entry = entry.map_err(|error| {
            let diagnostic = Diagnostic::new(Code::UnreadableInput, format!("this folder cannot be read: {error}"));
            std::iter::once(diagnostic.about(folder.display().to_string())).collect::<Diagnostics>()
        })?;
        if entry.file_type().is_file() && is_yaml(entry.path()) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// The files that match a glob; `*` stays inside one folder, `**` does not.
fn matching(selector: &str, current: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let full = normal(&current.join(selector));
    let glob = GlobBuilder::new(&full.to_string_lossy()).literal_separator(true).build().map_err(|error| {
        let diagnostic = Diagnostic::new(Code::NoInput, format!("`{selector}` is no valid pattern: {}", error.kind()));
        std::iter::once(diagnostic.about(selector)).collect::<Diagnostics>()
    })?;
    let matcher = glob.compile_matcher();
    // Walk from the last folder that holds no pattern.
    let fixed: PathBuf = full
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    if !fixed.is_dir() {
        return Ok(Vec::new());
    }
    Ok(mega_files_below(&fixed)?.into_iter().filter(|path| matcher.is_match(path)).collect())
}
