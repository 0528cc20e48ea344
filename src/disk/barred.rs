//! The folders of the tree that nobody writes, by identity: what is `.git` or `.megax`, or holds the mega-files, may be
//! found under another name as well (a mount, a `.git` file that names a folder of the tree, a file system whose letter
//! case follows rules of its own). Names are judged before, by [`crate::path`]; this module only compares what was opened.

use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType};

use super::error::DiskError;
use super::root::Root;
use super::sys;

/// Most bytes of a `.git` file that are looked at.
const MAX_LINK_BYTES: u64 = 8 << 10;

/// Device and number of a folder.
pub(super) type Identity = (u64, u64);

/// The identities of the folders below a root that are not written under any name but megax's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Barred(Vec<Identity>);

impl Barred {
    /// Of a root that exists.
    pub(super) fn of(root: &Root) -> Result<Self, DiskError> {
        let Some(top) = root.existing()? else { return Ok(Self::default()) };
        let own = [".git", ".megax"].map(|name| root.path().join(name));
        let others = own.into_iter().chain(git_folders(root)).chain(root.kept().iter().cloned());
        let mut found: Vec<Identity> = others.filter_map(|path| identity_at(&path)).collect();
        // A root inside its own repository's folder would bar itself.
        let root = identity(top);
        found.retain(|one| Some(*one) != root);
        found.sort_unstable();
        found.dedup();
        Ok(Self(found))
    }

    /// Whether an open folder is one of them.
    pub(super) fn holds(&self, folder: BorrowedFd<'_>) -> bool {
        !self.0.is_empty() && identity(folder).is_some_and(|found| self.0.binary_search(&found).is_ok())
    }
}

/// The folders that the `.git` file of a root names: that of a worktree or submodule, and the one that it shares with
/// others. None where `.git` is a folder.
#[must_use]
pub fn git_folders(root: &Root) -> Vec<PathBuf> {
    let link = || {
        let top = root.existing().ok().flatten()?;
        let text = read_line(sys::open_file(top, ".git").ok()?)?;
        Some(root.path().join(text.strip_prefix("gitdir:")?.trim()))
    };
    let Some(folder) = link() else { return Vec::new() };
    let common = || {
        let open = rustix::fs::open(
            &folder,
            rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        );
        let text = read_line(sys::open_file(open.ok()?.as_fd(), "commondir").ok()?)?;
        Some(folder.join(text.trim()))
    };
    let common = common();
    std::iter::once(folder).chain(common).collect()
}

/// The first line of an ordinary file.
fn read_line(file: std::fs::File) -> Option<String> {
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_LINK_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.lines().next().filter(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// Of the folder at a path; symlinks are followed, since git follows them.
fn identity_at(path: &Path) -> Option<Identity> {
    let found = rustix::fs::statat(CWD, path, AtFlags::empty()).ok()?;
    (FileType::from_raw_mode(found.st_mode) == FileType::Directory).then(|| pair(&found))
}

fn identity(folder: BorrowedFd<'_>) -> Option<Identity> {
    rustix::fs::fstat(folder).ok().map(|found| pair(&found))
}

#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "narrower or signed on other systems"))]
fn pair(found: &rustix::fs::Stat) -> Identity {
    (found.st_dev.try_into().unwrap_or_default(), u64::from(found.st_ino))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
mod tests {
    use std::fs;

    use super::super::{preflight::preflight, survey};
    use super::*;
    use crate::change::OnDisk;
    use crate::path::OutputPath;

    fn look(root: &Path, path: &str) -> OnDisk {
        let path = OutputPath::parse(path).unwrap();
        survey(&Root::open(root).unwrap(), std::slice::from_ref(&path)).unwrap().remove(&path).unwrap()
    }

    #[test]
    fn the_folder_that_a_git_file_names_is_not_written_under_its_own_name() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::create_dir_all(root.join("sub/store/hooks")).unwrap();
        fs::create_dir_all(root.join("main")).unwrap();
        assert_eq!(look(root, "sub/store/hooks/x"), OnDisk::Absent);
        fs::write(root.join(".git"), "gitdir: sub/store\n").unwrap();
        fs::write(root.join("sub/store/commondir"), "../../main\n").unwrap();
        assert_eq!(look(root, "sub/store/hooks/x"), OnDisk::Reserved("sub/store".into()));
        assert_eq!(look(root, "sub/store/x"), OnDisk::Reserved("sub/store".into()));
        assert_eq!(look(root, "main/config"), OnDisk::Reserved("main".into()));
        assert_eq!(look(root, "sub/other/x"), OnDisk::Absent);
        let folders = git_folders(&Root::open(root).unwrap());
        assert_eq!(folders, [root.join("sub/store"), root.join("sub/store").join("../../main")]);
    }

    #[test]
    fn a_git_that_is_a_symlink_into_the_tree_bars_what_it_points_to() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("store")).unwrap();
        std::os::unix::fs::symlink("store", place.path().join(".git")).unwrap();
        assert_eq!(look(place.path(), "store/config"), OnDisk::Reserved("store".into()));
    }

    #[test]
    fn what_is_kept_is_compared_by_identity_and_the_commit_looks_again() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path();
        fs::create_dir_all(real.join("inputs/a")).unwrap();
        fs::create_dir_all(real.join(".megax/txn/t")).unwrap();
        let root = Root::open(real).unwrap();
        root.keep(vec![real.join("inputs")]);
        let path = OutputPath::parse("inputs/a/x").unwrap();
        let found = survey(&root, std::slice::from_ref(&path)).unwrap();
        assert_eq!(found[&path], OnDisk::Reserved("inputs".into()));
        let after = crate::digest::Digest::of(b"x");
        let step = |path: &str| super::super::journal::Step::Create { path: path.into(), slot: "n0".into(), after };
        let check = |path: &str| {
            let journal = super::super::journal::Journal { steps: vec![step(path)] };
            preflight(&root, root.make_below(".megax/txn/t").unwrap().as_fd(), &journal)
        };
        assert!(matches!(check("inputs/a/x"), Err(DiskError::NotAFile { path, .. }) if path == "inputs"));
        // Its own folder is written by its own name.
        check(".megax/lock").unwrap();
        check("src").unwrap();
    }
}
