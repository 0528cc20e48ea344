//! Planting: a few new files at once, for the commands that start something. Unlike a commit there is no plan, no
//! lockfile and nothing to replace.

use std::io::Write as _;

use super::error::DiskError;
use super::root::Root;
use super::sys;
use super::walk::{Reached, Walker};
use crate::path::OutputPath;

/// Makes every file, and the folders that they need, or none: what was made before a failure is taken back, except the
/// root itself. (A killed process leaves what it had made.)
///
/// # Errors
/// A path that exists, a symlink or a file where a folder must be, a failed write.
pub fn plant(root: &Root, files: &[(&OutputPath, &[u8])]) -> Result<(), DiskError> {
    let mut made = Made::default();
    let outcome = made.all(root, files);
    if outcome.is_err() {
        made.take_back(root);
    }
    outcome
}

/// What this call made, in order.
#[derive(Default)]
struct Made {
    folders: Vec<String>,
    files: Vec<OutputPath>,
}

impl Made {
    fn all(&mut self, root: &Root, files: &[(&OutputPath, &[u8])]) -> Result<(), DiskError> {
        let mut walker = Walker::new(root.make()?);
        for (path, bytes) in files {
            walker.make(path.folder(), |folder| self.folders.push(folder))?;
            let failed = |error: std::io::Error| DiskError::io("create", path.as_str(), error);
            let file = sys::create_file(walker.folder(), path.name(), 0o666);
            let mut file = file.map_err(|error| failed(error.into()))?;
            self.files.push((*path).clone());
            file.write_all(bytes).map_err(failed)?;
        }
        Ok(())
    }

    /// As far as it goes: a folder into which somebody else put something stays.
    fn take_back(&self, root: &Root) {
        let Ok(Some(top)) = root.existing() else { return };
        let mut walker = Walker::new(top);
        for path in self.files.iter().rev() {
            if walker.enter(path.folder()).is_ok_and(|reached| reached == Reached::Folder) {
                let _ = sys::remove_file(walker.folder(), path.name());
            }
        }
        walker.reset();
        for folder in self.folders.iter().rev() {
            let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
            if walker.enter(parent).is_ok_and(|reached| reached == Reached::Folder) {
                let _ = sys::remove_folder(walker.folder(), name);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the disk")]
mod tests {
    use std::fs;

    use super::*;

    fn paths(names: &[&str]) -> Vec<OutputPath> {
        names.iter().map(|name| OutputPath::parse(name).unwrap()).collect()
    }

    fn planted(root: &std::path::Path, names: &[&str]) -> Result<(), DiskError> {
        let paths = paths(names);
        let files: Vec<(&OutputPath, &[u8])> = paths.iter().map(|path| (path, &b"new\n"[..])).collect();
        plant(&Root::open(root).unwrap(), &files)
    }

    #[test]
    fn files_are_made_with_their_folders_and_with_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("deep/er");
        planted(&root, &["a/b/c", "a/d", "e"]).unwrap();
        for name in ["a/b/c", "a/d", "e"] {
            assert_eq!(fs::read_to_string(root.join(name)).unwrap(), "new\n");
        }
    }

    #[test]
    fn one_that_exists_takes_all_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("kept")).unwrap();
        fs::write(folder.path().join("kept/mine"), "old").unwrap();
        let error = planted(folder.path(), &["a/b/c", "kept/new/x", "kept/mine"]).unwrap_err();
        assert!(error.to_string().contains("`kept/mine`"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("kept/mine")).unwrap(), "old");
        assert!(!folder.path().join("a").exists() && !folder.path().join("kept/new").exists());
    }

    #[test]
    fn a_symlink_is_not_followed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), folder.path().join("link")).unwrap();
        assert!(planted(folder.path(), &["first", "link/x"]).is_err());
        assert!(!folder.path().join("first").exists());
        std::os::unix::fs::symlink(other.path().join("target"), folder.path().join("file")).unwrap();
        assert!(planted(folder.path(), &["file"]).is_err());
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    }
}
