//! A project without a run: its manifest, where its mega-files belong, and which ids they have. For the command that
//! adds a mega-file, which must work while there is none yet and while another one is broken.

use std::path::PathBuf;

use super::find::{self, Selection};
use super::load::{self, Request};
use super::yaml;
use super::{Tree, read};
use crate::diagnostic::Diagnostics;
use crate::limit::Limits;
use crate::span::{FileId, SourceFile, SourceMap};

/// What a project has.
#[derive(Debug)]
pub struct Outline {
    /// The text of the manifest.
    pub sources: SourceMap,
    /// The project root.
    pub root: PathBuf,
    /// The manifest, if there is one that can be parsed.
    pub manifest: Option<Tree>,
    /// The folder of the mega-files, whether it exists or not.
    pub folder: PathBuf,
    /// The ids of the mega-files, with their paths relative to the root; one that cannot be read has none.
    pub ids: Vec<(String, String)>,
    /// What is wrong with the manifest.
    pub findings: Diagnostics,
}

/// Reads the outline of the project around `request.current`, or of `request.manifest`.
///
/// # Errors
/// The manifest, or the folder of the mega-files, cannot be read.
pub fn outline(request: &Request) -> Result<Outline, Diagnostics> {
    let of_manifest = request.limits();
    let project = load::project_of(request, &Selection::default())?;
    let one = |one| Diagnostics::from_iter([one]);
    let base = project.open().map_err(one)?;
    let text = project.manifest.as_deref().map(|path| read::text(&base, path, &of_manifest)).transpose();
    let text = text.map_err(one)?;
    let tree = text.as_deref().and_then(|text| yaml::parse(FileId(0), text, &of_manifest).ok());
    let limits = tree.as_ref().map_or(of_manifest, load::granted).with(&request.limits);
    let (folder, found) = project.mega_files(&base, tree.as_ref());
    let found = found.map(|folder| find::mega_files_below(&folder, &limits)).transpose()?;
    let mut ids = Vec::new();
    for path in found.unwrap_or_default() {
        let id = read::text(&base, &path, &limits).ok().and_then(|text| id_of(&text, &limits));
        ids.extend(id.map(|id| (id, load::display(&path, &project.root))));
    }
    let mut sources = SourceMap::default();
    let mut findings = Diagnostics::default();
    let manifest = project.manifest.zip(text).and_then(|(path, text)| {
        let file = sources.add(SourceFile::new(load::display(&path, &project.root), text.clone()));
        yaml::parse(file, &text, &of_manifest).map_err(|broken| findings.extend(broken)).ok()
    });
    Ok(Outline { sources, root: project.root, manifest, folder, ids, findings })
}

/// The id of a mega-file; of one that cannot be parsed, what its `id:` line says.
fn id_of(text: &str, limits: &Limits) -> Option<String> {
    if let Ok(tree) = yaml::parse(FileId(0), text, limits) {
        return tree.text(tree.get(tree.root(), "id")?).map(str::to_owned);
    }
    let line = text.lines().find_map(|line| line.strip_prefix("id:"))?;
    Some(line.split(" #").next().unwrap_or(line).trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_broken_mega_files_too() {
        let of = |text: &str| id_of(text, &Limits::default());
        assert_eq!(of("team: a\nid: \"x-1\"\n").as_deref(), Some("x-1"));
        assert_eq!(of("id: 'x-2' # two\nteam: [\n").as_deref(), Some("x-2"));
        assert_eq!(of("team: a\n"), None);
        assert_eq!(of("- id: x\n"), None);
    }
}
