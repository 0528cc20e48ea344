//! Output files as people name them: relative to the current folder, or else to the output root.

use std::collections::BTreeMap;
use std::path::Path;

use crate::path::{OutputPath, PathKey};
use crate::source::load::{display, normal};
use crate::source::read::real;

/// The output paths that a name may mean, the likeliest first. Nothing is looked up.
pub fn candidates(out: &Path, current: &Path, named: &str) -> Vec<OutputPath> {
    let mut found = here(out, current, named);
    let from_root = OutputPath::parse(named.trim_start_matches("./").trim_start_matches('/')).ok();
    found.extend(from_root.filter(|path| !found.contains(path)));
    found
}

/// The same, relative to the current folder only.
pub fn here(out: &Path, current: &Path, named: &str) -> Vec<OutputPath> {
    let absolute = normal(&current.join(named));
    let below = |path: &Path, root: &Path| path.strip_prefix(root).ok().map(|path| display(path, Path::new("")));
    // The output root may be reached through a symlink; the file itself may be one, and is not followed.
    let parent = absolute.parent().map(real).zip(absolute.file_name()).map(|(parent, name)| parent.join(name));
    let through = parent.and_then(|path| below(&path, &real(out)));
    let texts = below(&absolute, out).into_iter().chain(through);
    let mut found: Vec<OutputPath> = Vec::new();
    for path in texts.filter_map(|text| OutputPath::parse(&text).ok()) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// Output paths, to be found by a name in any spelling of its case.
#[derive(Debug, Default)]
pub struct Known<'p>(BTreeMap<PathKey, &'p OutputPath>);

impl<'p> Known<'p> {
    pub fn of(paths: impl Iterator<Item = &'p OutputPath>) -> Self {
        Self(paths.map(|path| (path.key(), path)).collect())
    }

    /// The known path that one of the candidates is.
    pub fn find(&self, candidates: &[OutputPath]) -> Option<&'p OutputPath> {
        candidates.iter().find_map(|path| self.0.get(&path.key()).copied())
    }

    /// All of them, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &'p OutputPath> {
        self.0.values().copied()
    }

    /// Those below a folder.
    pub fn below(&self, folder: &OutputPath) -> impl Iterator<Item = &'p OutputPath> {
        let start = format!("{}/", folder.key().as_str());
        self.0.iter().filter(move |(key, _)| key.as_str().starts_with(&start)).map(|(_, path)| *path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_relative_to_the_current_folder_first() {
        let found = |current: &str, named: &str| {
            let found = candidates(Path::new("/none/out"), Path::new(current), named);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("/none/out/src", "a.ts"), ["src/a.ts", "a.ts"]);
        assert_eq!(found("/none/out/src", "../b.ts"), ["b.ts"]);
        assert_eq!(found("/none/out", "./src/a.ts"), ["src/a.ts"]);
        assert_eq!(found("/none", "src/a.ts"), ["src/a.ts"], "the output root is elsewhere");
        assert_eq!(found("/none/out", "/none/out/x"), ["x", "none/out/x"]);
        assert_eq!(found("/none/out", "../../etc/passwd"), Vec::<String>::new());
    }

    #[test]
    fn known_paths_are_found_in_any_case() {
        let paths = ["src/A.ts", "src/b.ts", "srcs/c.ts"].map(|text| OutputPath::parse(text).unwrap());
        let known = Known::of(paths.iter());
        let parse = |text| OutputPath::parse(text).unwrap();
        assert_eq!(known.find(&[parse("x"), parse("src/a.ts")]), Some(&paths[0]));
        assert_eq!(known.find(&[parse("c.ts")]), None);
        assert_eq!(known.below(&parse("src")).count(), 2);
    }
}
