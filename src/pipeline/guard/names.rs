//! The paths that were asked about: what they mean, and where they lie. A file is where its folder really is; one that is a
//! symlink is also where it leads, since an editor writes there.

use std::path::{Path, PathBuf};

use super::generated::Index;
use super::{GuardRequest, InCommit};
use crate::path::{OutputPath, fold};
use crate::pipeline::State;
use crate::pipeline::explain::split_line;
use crate::pipeline::naming::candidates;
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
    /// What is about to be committed.
    pub in_commit: InCommit,
    /// Whether the name may also be relative to the output root, and end in a line.
    loose: bool,
    /// Where it is if it is relative to the current folder.
    absolute: PathBuf,
    current: PathBuf,
}

/// All paths of a request, in order.
pub fn asked(request: &GuardRequest, current: &Path) -> Vec<Asked> {
    let one = |named: &str, line, loose| {
        let absolute = normal(&current.join(named));
        // Programs name files by absolute paths, which nobody wants to read.
        let named = if loose { named.to_owned() } else { display(&absolute, current) };
        let (fragment, in_commit) = (None, InCommit::AsOnDisk);
        Asked { named, line, fragment, in_commit, loose, absolute, current: current.to_owned() }
    };
    let typed = request.paths.iter().map(|text| {
        // A file whose name ends in a number after a colon is that file.
        let is_there = std::fs::symlink_metadata(current.join(text)).is_ok();
        let (named, line) = if is_there { (text.as_str(), None) } else { split_line(text) };
        one(named, line, true)
    });
    let edits = request.edits.iter().map(|edit| Asked {
        fragment: edit.fragment.clone(),
        in_commit: edit.in_commit,
        ..one(&edit.path, None, false)
    });
    typed.chain(edits).collect()
}

/// Whether a path lies neither in the project nor in the output tree.
pub fn is_elsewhere(asked: &Asked, places: &Places) -> bool {
    let typed = asked.loose && !Path::new(&asked.named).is_absolute();
    let is_in = |folder| ways(&asked.absolute).iter().any(|way| below(way, folder).is_some());
    !typed && !is_in(&places.root) && !is_in(&places.out)
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
    /// Everywhere that an edit of the path is: where it is named, where its folder really is, and where it leads.
    pub fn all(asked: &Asked, index: &Index<'_>, state: &State<'_>) -> Vec<Self> {
        let (out, root) = (&state.set.out, &state.set.root);
        let at = |absolute: &Path| ways(absolute).iter().map(|way| Self::at(way, out, root)).collect::<Vec<_>>();
        let here = at(&asked.absolute);
        let is_known = |path: &OutputPath| index.find(path).is_some();
        let is_there = || std::fs::symlink_metadata(&asked.absolute).is_ok();
        if !asked.loose || here.iter().filter_map(|place| place.output.as_ref()).any(is_known) || is_there() {
            return here;
        }
        // What is typed may also be relative to the output root.
        let wanted = candidates(out, &asked.current, &asked.named);
        let from_root = wanted.iter().find(|path| is_known(path)).or_else(|| {
            let is_nowhere = here.iter().all(Self::is_elsewhere) && !Path::new(&asked.named).is_absolute();
            wanted.first().filter(|_| is_nowhere)
        });
        from_root.map_or(here, |path| at(&out.join(path.as_str())))
    }

    fn at(way: &Path, out: &Path, root: &Path) -> Self {
        let below_out = below(way, out);
        let output = below_out.as_deref().and_then(|text| OutputPath::parse(text).ok());
        Self { output, project: below(way, root), below_out }
    }

    /// Whether it is outside of the project and of the output tree.
    pub fn is_elsewhere(&self) -> bool {
        self.project.is_none() && self.below_out.is_none()
    }

    /// Whether a folder or the file itself has a name.
    pub fn has_part(&self, name: &str) -> bool {
        let has = |path: &String| path.split('/').any(|part| fold(part) == name);
        self.project.iter().chain(&self.below_out).any(has)
    }
}

/// The paths by which a file is reached: as it is named, through its real folder, and where it leads if it is a symlink.
fn ways(absolute: &Path) -> Vec<PathBuf> {
    let through = absolute.parent().map(real).zip(absolute.file_name()).map(|(parent, name)| parent.join(name));
    let mut ways = vec![absolute.to_path_buf()];
    for way in through.into_iter().chain([real(absolute)]) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// Where a path lies below a folder, with `/`.
fn below(way: &Path, folder: &Path) -> Option<String> {
    let path = way.strip_prefix(folder).or_else(|_| way.strip_prefix(real(folder))).ok()?;
    Some(display(path, Path::new("")))
}
