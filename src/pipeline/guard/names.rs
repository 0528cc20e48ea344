//! The paths that were asked about: what they mean, and where they lie. A file is where its folder really is; one that is a
//! symlink is also where it leads, since an editor writes there.

use std::path::{Path, PathBuf};

use super::GuardRequest;
use super::generated::find;
use crate::path::{OutputPath, fold};
use crate::pipeline::State;
use crate::pipeline::explain::split_line;
use crate::pipeline::naming::{candidates, here};
use crate::source::Places;
use crate::source::load::{display, normal};
use crate::source::read::real;

/// One path that was asked about.
pub struct Asked {
    /// As it is shown.
    pub named: String,
    /// The line, if one was typed.
    pub line: Option<u64>,
    /// The text that is to be edited, if it is known.
    pub fragment: Option<String>,
    /// Whether the name may also be relative to the output root, and end in a line.
    loose: bool,
    /// Where it is if it is relative to the current folder.
    absolute: PathBuf,
    current: PathBuf,
}

/// All paths of a request, in order.
pub fn asked(request: &GuardRequest, current: &Path) -> Vec<Asked> {
    let one = |named: &str, line, fragment, loose| {
        let absolute = normal(&current.join(named));
        // Programs name files by absolute paths, which nobody wants to read.
        let named = if loose { named.to_owned() } else { display(&absolute, current) };
        Asked { named, line, fragment, loose, absolute, current: current.to_owned() }
    };
    let typed = request.paths.iter().map(|text| {
        // A file whose name ends in a number after a colon is that file.
        let is_there = std::fs::symlink_metadata(current.join(text)).is_ok();
        let (named, line) = if is_there { (text.as_str(), None) } else { split_line(text) };
        one(named, line, None, true)
    });
    let edits = request.edits.iter().map(|edit| one(&edit.path, None, edit.fragment.clone(), false));
    typed.chain(edits).collect()
}

/// Whether a path lies neither in the project nor in the output tree.
pub fn is_elsewhere(asked: &Asked, places: &Places) -> bool {
    let typed = asked.loose && !Path::new(&asked.named).is_absolute();
    !typed && below(asked, &places.root).is_none() && below(asked, &places.out).is_none()
}

/// Where a path lies.
pub struct Place {
    /// Below the output root, if it can be an output.
    pub output: Option<OutputPath>,
    /// Below the project root.
    pub project: Option<String>,
    /// Below the output root, whatever it is.
    below_out: Option<String>,
}

impl Place {
    pub fn of(asked: &Asked, state: &State<'_>) -> Self {
        let (out, root) = (&state.set.out, &state.set.root);
        let mut found = here(out, &asked.current, &asked.absolute.to_string_lossy());
        // An edit of a symlink is an edit of what it leads to.
        let target = real(&asked.absolute);
        if target != asked.absolute {
            let target = target.strip_prefix(real(out)).ok().map(|path| display(path, Path::new("")));
            found.extend(target.and_then(|text| OutputPath::parse(&text).ok()));
        }
        let known = found.iter().find(|path| find(state, path).is_known()).cloned();
        let is_there = || std::fs::symlink_metadata(&asked.absolute).is_ok();
        let from_root = || {
            let wanted = candidates(out, &asked.current, &asked.named);
            wanted.into_iter().find(|path| find(state, path).is_known())
        };
        let output = match known {
            None if asked.loose && !is_there() => from_root().or_else(|| found.into_iter().next()),
            None => found.into_iter().next(),
            known => known,
        };
        let typed = asked.loose && !is_there();
        let below_out = below(asked, out).or_else(|| typed.then(|| asked.named.clone()).filter(|_| output.is_some()));
        Self { output, project: below(asked, root).or_else(|| below_out.clone().filter(|_| out == root)), below_out }
    }

    /// Whether it is outside of the project and of the output tree.
    pub fn is_elsewhere(&self) -> bool {
        self.project.is_none() && self.below_out.is_none() && self.output.is_none()
    }

    /// Whether a folder or the file itself has a name.
    pub fn has_part(&self, name: &str) -> bool {
        let has = |path: &String| path.split('/').any(|part| fold(part) == name);
        self.project.iter().chain(&self.below_out).any(has)
    }
}

/// Where a path lies below a folder, with `/`.
fn below(asked: &Asked, folder: &Path) -> Option<String> {
    let (real_folder, absolute) = (real(folder), &asked.absolute);
    let through = absolute.parent().map(real).zip(absolute.file_name()).map(|(parent, name)| parent.join(name));
    let ways = [Some(absolute.clone()), through, Some(real(absolute))];
    let found = ways
        .iter()
        .flatten()
        .find_map(|path| path.strip_prefix(folder).or_else(|_| path.strip_prefix(&real_folder)).ok());
    found.map(|path| display(path, Path::new("")))
}
