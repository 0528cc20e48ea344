//! Reads the data files that mega-files name under `sources`, each once. Whether a mega-file may name it so is decided
//! later; here a file that cannot be used becomes its findings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::Files;
use super::data::{self, DataFile, Format};
use super::load::Input;
use super::read;
use super::tally::Tally;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::digest::with_lf;
use crate::handle::Folder;
use crate::limit::{Limit, Limits};
use crate::span::{SourceFile, SourceMap, Span};

/// Reads and parses what the mega-files name; the texts are added to `sources`, sorted by path.
pub(super) fn data(
    files: &Files<'_>,
    mega_files: &[Input],
    sources: &mut SourceMap,
    limits: &Limits,
    tally: &Tally,
) -> BTreeMap<String, DataFile> {
    let named = named(mega_files);
    let texts: Vec<_> = named
        .into_par_iter()
        .map(|(path, readers)| {
            let text = text(files, &path, &readers, sources, limits);
            (path, readers, text)
        })
        .collect();
    let mut numbered = Vec::with_capacity(texts.len());
    for (path, readers, text) in texts {
        let read = text.map(|(format, text)| (sources.add(SourceFile::new(plain(&path), text)), format));
        numbered.push((path, readers, read));
    }
    let parsed = numbered.into_par_iter().map(|(path, readers, read)| {
        let (file, tree) = match read {
            Ok((file, format)) => {
                let text = sources.get(file).map_or("", SourceFile::text);
                (Some(file), data::parse_counted(format, file, text, limits, tally).map(Arc::new))
            }
            Err(finding) => (None, Err(Diagnostics::from_iter([*finding]))),
        };
        (path, DataFile { file, readers, tree })
    });
    parsed.collect()
}

/// The paths under `sources`, and where each is written.
fn named(mega_files: &[Input]) -> BTreeMap<String, Vec<Span>> {
    let mut named: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for tree in mega_files.iter().filter_map(|input| input.tree.as_ref()) {
        let entries = tree.get(tree.root(), "sources").and_then(|node| tree.map(node)).unwrap_or_default();
        for &(_, value) in entries {
            if let Some(path) = tree.text(value) {
                named.entry(path.to_owned()).or_default().push(tree.span(value));
            }
        }
    }
    named
}

/// A path without `./` at its beginning.
fn plain(path: &str) -> &str {
    path.trim_start_matches("./")
}

fn text(
    files: &Files<'_>,
    path: &str,
    readers: &[Span],
    sources: &SourceMap,
    limits: &Limits,
) -> Result<(Format, String), Box<Diagnostic>> {
    let wrong = |why: &str, help: String| {
        let message = format!("`{path}` cannot be used as a source: {why}");
        Box::new(Diagnostic::new(Code::BadSource, message).help(help))
    };
    let bytes = files.asset(path, limits, Limit::InputBytes).map_err(|why| {
        let help = match files {
            _ if why == read::too_large(limits, Limit::InputBytes) => {
                Limit::InputBytes.help("split it into several files")
            }
            Files::Disk(root) => help(root, path, &why, readers, sources, limits),
            Files::Stored(_) => String::new(),
        };
        wrong(&why, help)
    })?;
    let format =
        Format::of(path).map_err(|help| wrong("its ending names no format that megax reads", help.to_owned()))?;
    // A value that spans lines must be the same on every machine.
    String::from_utf8(bytes).map(|text| (format, with_lf(&text).into_owned())).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(&format!("it is not UTF-8 text (byte {at})"), "save the file as UTF-8".to_owned())
    })
}

/// Which file was meant, as far as that can be told.
fn help(root: &Folder, path: &str, why: &str, readers: &[Span], sources: &SourceMap, limits: &Limits) -> String {
    let is_file = |path: &str| root.file(Path::new(path)).is_ok();
    if why.ends_with("is a symlink") {
        return "name the file itself: no symlink is followed".to_owned();
    }
    if path.contains("://") {
        return "a source is a file of the project: download it and name the copy".to_owned();
    }
    if path.contains('\\') {
        return format!("write `/` between folders: `{}`", path.replace('\\', "/"));
    }
    let bare = path.trim_start_matches('/');
    if bare.len() < path.len() && is_file(bare) {
        return format!("paths are relative to the project root: write `{bare}`");
    }
    for reader in readers {
        let Some((folder, _)) = sources.name(reader.file).rsplit_once('/') else { continue };
        let beside = super::load::normal(Path::new(&format!("{folder}/{}", plain(path))));
        let beside = beside.to_string_lossy();
        if is_file(&beside) {
            return format!("paths are relative to the project root, not to the mega-file: write `{beside}`");
        }
    }
    let (folder, name) = plain(path).rsplit_once('/').map_or(("", plain(path)), |(folder, name)| (folder, name));
    let names = names_in(root, Path::new(folder), limits);
    let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let usable = || names.iter().map(String::as_str).filter(|name| Format::of(name).is_ok());
    let same_stem = || usable().find(|other| stem(other).is_some() && stem(other) == stem(name));
    match nearest(name, usable()).or_else(same_stem) {
        Some(near) if folder.is_empty() => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{folder}/{near}`?"),
        None => {
            "a source is a regular file inside the project, named relative to the project root (the manifest's folder)"
                .to_owned()
        }
    }
}

/// The names in a folder of the project, sorted; none if it cannot be read.
fn names_in(root: &Folder, folder: &Path, limits: &Limits) -> Vec<String> {
    let names = root.below(folder).ok().and_then(|folder| folder.names(limits.get(Limit::InputNames)).ok());
    names.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok()).collect()
}
