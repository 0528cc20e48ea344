//! The places that a request concerns, told without opening a file: for whoever confines the process to them before
//! anything hostile is read.

use std::path::{Path, PathBuf};

use super::find;
use super::load::{Request, normal, project_of};
use crate::diagnostic::Diagnostics;

/// Where a run reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The project root.
    pub root: PathBuf,
    /// The output root, whether it exists or not.
    pub out: PathBuf,
    /// The folders of what was named: of mega-files, and those that are searched for patterns. They may lie outside the
    /// project.
    pub named: Vec<PathBuf>,
}

/// The places of a request.
///
/// # Errors
/// As [`super::load()`], if it is known without reading a file.
pub fn places(request: &Request) -> Result<Places, Diagnostics> {
    let selection = find::select(&request.paths, &request.current, &request.limits())?;
    let root = project_of(request, &selection)?.root;
    let out = request.out.as_ref().map_or_else(|| root.clone(), |out| normal(&request.current.join(out)));
    let mut named: Vec<PathBuf> = request.paths.iter().map(|path| folder_of(path, &request.current)).collect();
    named.sort();
    named.dedup();
    Ok(Places { root, out, named })
}

/// The folder that a selector searches, or in which its file lies.
fn folder_of(selector: &str, current: &Path) -> PathBuf {
    let path = normal(&current.join(selector));
    match std::fs::symlink_metadata(&path) {
        _ if path.is_dir() => path,
        Ok(_) => path.parent().map_or_else(|| path.clone(), Path::to_path_buf),
        Err(_) => find::without_pattern(&path),
    }
}
