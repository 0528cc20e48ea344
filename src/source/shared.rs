//! Reads the shared templates of a project: every file below `templates/`. One that cannot be used is an error only
//! where a mega-file uses it, since the folder may hold other things too.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::Files;
use crate::digest::with_lf;
use crate::limit::{Limit, Limits};
use crate::span::{FileId, SourceFile, SourceMap};

/// The folder below the project root.
pub const FOLDER: &str = "templates";

/// The files below `templates/` by their path below it; hidden files and folders and symlinks are passed over. Of all of
/// them together only so many bytes are read: the files after that, in the order of their paths, cannot be used. A line
/// break is a newline in all of them, so that offsets are the same on every machine.
pub(super) fn templates(
    files: &Files<'_>,
    sources: &mut SourceMap,
    limits: &Limits,
) -> BTreeMap<String, Result<FileId, String>> {
    let most = limits.get(Limit::SharedBytes);
    let found = match files {
        Files::Disk(root) => on_disk(&root.join(FOLDER), most),
        Files::Stored(files) => files.keys().filter_map(|path| Some((below(path)?.to_owned(), true))).collect(),
    };
    let texts: Vec<(String, Result<String, String>)> = found
        .into_par_iter()
        .map(|(name, fits)| {
            let text = if fits {
                text(files, &name, limits)
            } else {
                let raise = Limit::SharedBytes.help("take out what no mega-file uses");
                Err(format!("`{FOLDER}/` holds too much before it: {} ({raise})", limits.says(Limit::SharedBytes)))
            };
            (name, text)
        })
        .collect();
    let mut templates = BTreeMap::new();
    for (name, text) in texts {
        let file = text.map(|text| sources.add(SourceFile::new(format!("{FOLDER}/{name}"), text)));
        templates.insert(name, file);
    }
    templates
}

/// The path of a stored file below the folder, if it lies there.
fn below(path: &str) -> Option<&str> {
    path.strip_prefix(FOLDER)?.strip_prefix('/')
}

fn text(files: &Files<'_>, name: &str, limits: &Limits) -> Result<String, String> {
    let bytes = files.asset(&format!("{FOLDER}/{name}"), limits, Limit::InputBytes)?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(with_lf(&text).into_owned())
}

/// The files with their names, sorted, and whether the limit of bytes still leaves room for each.
fn on_disk(folder: &Path, most: u64) -> Vec<(String, bool)> {
    if !std::fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir()) {
        return Vec::new();
    }
    let hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder).into_iter().filter_entry(|entry| !hidden(entry)).flatten();
    let files = entries.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let name = entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/");
        Some((name, entry.metadata().map_or(0, |meta| meta.len())))
    });
    let mut files: Vec<(String, u64)> = files.collect();
    files.sort();
    let mut total = 0_u64;
    let fitting = files.into_iter().map(|(name, bytes)| {
        total = total.saturating_add(bytes);
        (name, total <= most)
    });
    fitting.collect()
}
