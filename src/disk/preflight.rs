//! What can be known before the commit point: whether the disk has room for the steps, takes their names, and lets every
//! folder be written. A run stops here with the old tree, and with the name of the folder that is in the way.
//!
//! It must change nothing, and it promises nothing: what changes after it looked is found by the step that fails, and all
//! is taken back.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use super::barred::Barred;
use super::error::DiskError;
use super::journal::{Journal, Step};
use super::root::Root;
use super::sys::{self, Room};
use super::walk::{Reached, Walker, parts};

/// Bytes that a step takes up in the journal, besides its path and at most.
const STEP_BYTES: u64 = 200;
/// The journal, the entry of the log, and the folders that megax itself may have to make.
const OWN_FILES: u64 = 5;

/// Looks at everything that the steps need. The staged bodies are written already, in the transaction folder.
///
/// # Errors
/// What is missing, or a call failed.
pub(super) fn preflight(root: &Root, transaction: BorrowedFd<'_>, journal: &Journal) -> Result<(), DiskError> {
    let failed = |error| DiskError::io("look at", root.path().display().to_string(), error);
    let room = sys::room(transaction).map_err(failed)?;
    let made: BTreeSet<&str> = journal.steps.iter().filter_map(folder_made).collect();
    check_names(journal, room.name)?;
    let mount = sys::mount(transaction, "").map_err(failed)?;
    if sys::mount(root.make()?, "").map_err(failed)? != mount {
        return Err(DiskError::OtherMount { path: ".megax".to_owned() });
    }
    let folders = Folders { walker: Walker::keeping_out(root.make()?, Barred::of(root)?), mount };
    let touched = folders.check(journal, &made)?;
    check_room(root, room, journal, made.len() as u64, touched)
}

fn folder_made(step: &Step) -> Option<&str> {
    match step {
        Step::Folder { path } => Some(path),
        _ => None,
    }
}

/// The file system may know shorter names than others do (an encrypted one, say).
fn check_names(journal: &Journal, limit: u64) -> Result<(), DiskError> {
    let too_long = journal.steps.iter().map(Step::path).find(|path| parts(path).1.len() as u64 > limit);
    too_long.map_or(Ok(()), |path| {
        Err(DiskError::TooLarge { path: path.to_owned(), what: "the length of the name in bytes", limit })
    })
}

/// Every new folder takes a block, every folder with new names may need one more.
fn check_room(root: &Root, room: Room, journal: &Journal, made: u64, touched: u64) -> Result<(), DiskError> {
    let lines: u64 = journal.steps.iter().map(|step| step.path().len() as u64 + STEP_BYTES).sum();
    let bytes = lines + (made + touched + OWN_FILES) * room.block;
    let none = |what, need, free| {
        let path = root.path().display().to_string();
        Err(DiskError::NoRoom { path, what, need, free })
    };
    if let Some(free) = room.bytes.filter(|free| *free < bytes) {
        return none("bytes", bytes, free);
    }
    match room.files {
        Some(free) if free < made + OWN_FILES => none("files and folders", made + OWN_FILES, free),
        _ => Ok(()),
    }
}

struct Folders<'r> {
    walker: Walker<'r>,
    /// Of the transaction folder: nothing is renamed from one mount to another, not even of the same file system.
    mount: u64,
}

impl Folders<'_> {
    /// Checks every folder that is there and that a step changes; how many those are.
    fn check(mut self, journal: &Journal, made: &BTreeSet<&str>) -> Result<u64, DiskError> {
        let mut checked: BTreeSet<&str> = BTreeSet::new();
        for step in &journal.steps {
            let path = step.path();
            let (folder, name) = parts(path);
            if made.contains(folder) {
                continue;
            }
            // What is no folder now is judged by the step itself.
            match self.walker.enter(folder)? {
                Reached::Folder => {}
                Reached::Blocked(path) if self.walker.is_kept_out() => {
                    let what = "the folder of the repository, of megax or of the mega-files under another name";
                    return Err(DiskError::NotAFile { path, what });
                }
                Reached::Absent | Reached::Blocked(_) => continue,
            }
            // The bits of a file may be changed in a folder that may not.
            if !matches!(step, Step::Mode { .. }) && checked.insert(folder) {
                self.check_folder(folder)?;
            }
            if matches!(step, Step::Replace { .. } | Step::Remove { .. }) {
                self.check_mount(path, name)?;
            }
        }
        Ok(checked.len() as u64)
    }

    fn check_folder(&self, folder: &str) -> Result<(), DiskError> {
        let shown = if folder.is_empty() { "." } else { folder };
        self.check_mount(shown, "")?;
        sys::may_write(self.walker.folder())
            .map_err(|source| DiskError::NotWritable { path: shown.to_owned(), source: source.into() })
    }

    /// A file can be a mount as well: those of containers often are.
    fn check_mount(&self, path: &str, name: &str) -> Result<(), DiskError> {
        match sys::mount(self.walker.folder(), name) {
            Ok(mount) if mount == self.mount => Ok(()),
            Ok(_) => Err(DiskError::OtherMount { path: path.to_owned() }),
            // Gone meanwhile: the step will say so.
            Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(DiskError::io("look at", path, error)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
mod tests {
    use std::fs;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::digest::Digest;

    fn journal(paths: &[&str]) -> Journal {
        let after = Digest::of(b"x");
        let create = |path: &&str| Step::Create { path: (*path).to_owned(), slot: "n0".to_owned(), after };
        Journal { steps: paths.iter().map(create).collect() }
    }

    #[test]
    fn a_name_that_the_file_system_does_not_take_is_found_first() {
        let long = format!("a/{}/x", "n".repeat(144));
        let mut steps = journal(&["a/b"]);
        steps.steps.push(Step::Folder { path: long[..146].to_owned() });
        assert!(check_names(&steps, 255).is_ok());
        let error = check_names(&steps, 143).unwrap_err().to_string();
        assert!(error.contains("n`") && error.contains("143"), "{error}");
    }

    #[test]
    fn room_is_counted_in_bytes_and_in_files() {
        let root = Root::open(tempfile::tempdir().unwrap().path()).unwrap();
        let check = |bytes: u64, files| {
            // Where blocks are not counted none are said to be there.
            let room = Room { bytes: (bytes > 0).then_some(bytes), files, block: 4_096, name: 255 };
            check_room(&root, room, &journal(&["d/a", "d/b"]), 3, 1)
        };
        assert!(check(1 << 20, Some(8)).is_ok() && check(1 << 20, None).is_ok());
        assert!(matches!(check(1 << 20, Some(7)), Err(DiskError::NoRoom { what: "files and folders", need: 8, .. })));
        assert!(check(0, None).is_ok());
        assert!(matches!(check(9 * 4_096, None), Err(DiskError::NoRoom { what: "bytes", free: 36_864, .. })));
    }

    #[test]
    fn a_folder_that_may_not_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("open/shut/deep")).unwrap();
        let shut = folder.path().join("open/shut");
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o555)).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let look = |paths: &[&str]| preflight(&root, root.make().unwrap().as_fd(), &journal(paths));
        look(&["a", "open/x", "open/shut/deep/x"]).unwrap();
        let found = look(&["a", "open/shut/x"]);
        // To whom all is open (an administrator), nothing is shut; the rig tries it as somebody else.
        if fs::write(shut.join("probe"), "").is_err() {
            assert!(matches!(&found, Err(DiskError::NotWritable { path, .. }) if path == "open/shut"), "{found:?}");
        }
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_file_system_below_the_root_is_named() {
        let top = Root::open(std::path::Path::new("/")).unwrap();
        // The transaction would lie on the root's own file system.
        let transaction = top.make().unwrap();
        let found = preflight(&top, transaction, &journal(&["proc/x"]));
        if std::path::Path::new("/proc/self").exists() {
            assert!(matches!(&found, Err(DiskError::OtherMount { path }) if path == "proc"), "{found:?}");
        }
    }
}
