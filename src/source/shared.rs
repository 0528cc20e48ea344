//! Reads the shared templates of a project: every file below `templates/`. One that cannot be used is an error only
//! where a mega-file uses it, since the folder may hold other things too.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::{Files, find};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::with_lf;
use crate::handle::{Folder, Refusal};
use crate::limit::{Limit, Limits};
use crate::span::{FileId, SourceFile, SourceMap};

/// The folder below the project root.
pub const FOLDER: &str = "templates";

/// By the path below the folder: the text, or why it cannot be used.
type Templates = BTreeMap<String, Result<FileId, String>>;

/// The files below `templates/` by their path below it; hidden files and folders and symlinks are passed over. Of all of
/// them together only so many bytes are read: the files after that, in the order of their paths, cannot be used. A line
/// break is a newline in all of them, so that offsets are the same on every machine. Folders that cannot be searched are
/// warnings.
pub(super) fn templates(files: &Files<'_>, sources: &mut SourceMap, limits: &Limits) -> (Templates, Vec<Diagnostic>) {
    let (found, unsearchable) = match files {
        Files::Disk(root) => on_disk(root, limits),
        Files::Stored(files) => {
            (files.keys().filter_map(|path| Some((below(path)?.to_owned(), true))).collect(), Vec::new())
        }
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
    (templates, unsearchable)
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
fn on_disk(root: &Folder, limits: &Limits) -> (Vec<(String, bool)>, Vec<Diagnostic>) {
    let folder = match root.below(Path::new(FOLDER)) {
        Ok(folder) => folder,
        Err(Refusal::Kind(_, what @ "a symlink")) => {
            let message = format!("`{FOLDER}` is {what}, so there are no shared templates: none is followed");
            let finding = Diagnostic::new(Code::UnreadableInput, message).about(FOLDER).severity(Severity::Warning);
            return (Vec::new(), vec![finding.help("put the templates themselves below it")]);
        }
        Err(_) => return (Vec::new(), Vec::new()),
    };
    let (found, failed) = folder.search(find::bounds(limits));
    let failed = failed.iter().map(|one| find::unsearchable(Path::new(FOLDER), one, limits));
    let failed = failed.map(|finding| finding.severity(Severity::Warning)).collect();
    let files = found.into_iter().filter(|one| one.other.is_none());
    let mut files: Vec<(String, u64)> =
        files.filter_map(|one| Some((one.path.to_str()?.replace('\\', "/"), one.bytes))).collect();
    files.sort();
    let mut total = 0_u64;
    let fitting = files.into_iter().map(|(name, bytes)| {
        total = total.saturating_add(bytes);
        (name, total <= limits.get(Limit::SharedBytes))
    });
    (fitting.collect(), failed)
}
