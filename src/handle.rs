//! Handles: a folder that is open, and what is reached from it without ever following a symlink.
//!
//! Between a look at a path and its use somebody may put a symlink there. So nothing is looked at by path: the folder
//! is opened once, every part below it is opened from the handle above, and a file is judged by its own handle. Where
//! the kernel has `openat2` it walks all parts in one call; some sandboxes refuse that call, so the walk part by part
//! does the same. This module must never follow a symlink below a folder, open anything but a folder or an ordinary
//! file, or wait for anything (a pipe has no end).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

/// Opens a folder by its name in another one; a symlink fails with `ENOTDIR` or `ELOOP`.
///
/// # Errors
/// Of the system.
pub fn open_folder(at: BorrowedFd<'_>, name: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

/// Opens a file for reading. `NONBLOCK`, because a pipe put there meanwhile must not hang the run.
///
/// # Errors
/// Of the system.
pub fn open_file(at: BorrowedFd<'_>, name: impl Arg) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty()).map(File::from)
}

/// What a name is, in words; `None` for an ordinary file.
#[must_use]
pub fn describe(kind: FileType) -> Option<&'static str> {
    match kind {
        FileType::RegularFile => None,
        FileType::Directory => Some("a folder"),
        FileType::Symlink => Some("a symlink"),
        FileType::Fifo => Some("a pipe"),
        FileType::Socket => Some("a socket"),
        _ => Some("a device"),
    }
}

/// Why something below a folder cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The path is absolute, or has `..`.
    Outside,
    /// A part of the path does not exist.
    Absent,
    /// A part of the path (its path, up to it) is something else than it must be: a symlink, a pipe.
    Kind(PathBuf, &'static str),
    /// A call failed.
    Failed(Errno),
}

/// An open folder, from which all below it is reached.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    handle: OwnedFd,
}

/// What was found below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the folder where the search began.
    pub path: PathBuf,
    /// `None` for an ordinary file; else what it is, in words. Folders are searched, and not among what is found.
    pub other: Option<&'static str>,
    /// The size of a file at that time.
    pub bytes: u64,
}

/// Why a folder cannot be searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsearchable {
    /// A folder cannot be opened or read.
    Failed(PathBuf, Errno),
    /// There is more below it than may be looked at: the folder where that was noticed.
    TooMany(PathBuf),
    /// A folder lies too deep.
    TooDeep(PathBuf),
}

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Names that are looked at.
    pub names: u64,
    /// Folders inside one another; so many handles are held.
    pub depth: u64,
}

impl Folder {
    /// Opens a folder. Symlinks on the way to it are followed: where it lies is the user's own choice.
    ///
    /// # Errors
    /// Of the system.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The folder that a lone name lies in.
        let shown = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(Self { path: path.to_owned(), handle: rustix::fs::openat(CWD, shown, flags, Mode::empty())? })
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder below this one; this one again for an empty path.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn below(&self, relative: &Path) -> Result<Self, Refusal> {
        let parts = parts(relative)?;
        let handle = match beneath(self.handle.as_fd(), relative, &parts) {
            Some(handle) => handle,
            None => self.walk(&parts)?,
        };
        Ok(Self { path: self.path.join(relative), handle })
    }

    /// An ordinary file below this folder, open for reading.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn file(&self, relative: &Path) -> Result<File, Refusal> {
        let all = parts(relative)?;
        let (name, above) = all.split_last().ok_or(Refusal::Outside)?;
        let folder = self.below(&above.iter().collect::<PathBuf>())?;
        let refused = |what| Refusal::Kind(relative.to_owned(), what);
        // A look before it is opened, since opening a device may do things; and one at what was opened.
        if let Some(what) = describe(kind(folder.handle.as_fd(), name).map_err(refusal)?) {
            return Err(refused(what));
        }
        let file = match open_file(folder.handle.as_fd(), *name) {
            Err(Errno::LOOP) => return Err(refused("a symlink")),
            // A socket that came meanwhile.
            Err(Errno::NXIO) => return Err(refused("a pipe or a socket")),
            opened => opened.map_err(refusal)?,
        };
        let opened = rustix::fs::fstat(&file).map_err(refusal)?;
        describe(FileType::from_raw_mode(opened.st_mode)).map_or(Ok(file), |what| Err(refused(what)))
    }

    /// Whether a name exists below this folder, whatever it is.
    ///
    /// # Errors
    /// Why that is not known; [`Refusal::Absent`] for what does not exist.
    pub fn look(&self, relative: &Path) -> Result<Option<&'static str>, Refusal> {
        let all = parts(relative)?;
        let Some((name, above)) = all.split_last() else { return Ok(describe(FileType::Directory)) };
        let folder = self.below(&above.iter().collect::<PathBuf>())?;
        kind(folder.handle.as_fd(), name).map(describe).map_err(refusal)
    }

    /// The names in this folder, sorted.
    ///
    /// # Errors
    /// Of the system, or [`Errno::TOOBIG`] when there are more than `most`.
    pub fn names(&self, most: u64) -> Result<Vec<OsString>, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if matches!(name.as_slice(), b"." | b"..") {
                continue;
            }
            if names.len() as u64 >= most {
                return Err(Errno::TOOBIG);
            }
            names.push(OsString::from_vec(name));
        }
        names.sort();
        Ok(names)
    }

    /// Everything below this folder that is no folder, sorted folder by folder, and the folders that could not be
    /// searched. What begins with `.` is passed over.
    #[must_use]
    pub fn search(&self, bounds: Bounds) -> (Vec<Found>, Vec<Unsearchable>) {
        let mut search = Search { left: bounds.names, depth: bounds.depth, found: Vec::new(), failed: Vec::new() };
        search.folder(self, Path::new(""), 0);
        (search.found, search.failed)
    }

    /// Part by part; says which part is to blame.
    fn walk(&self, parts: &[&OsStr]) -> Result<OwnedFd, Refusal> {
        let mut handle = self.handle.try_clone().map_err(|_| Refusal::Failed(Errno::MFILE))?;
        for (at, part) in parts.iter().enumerate() {
            handle = match open_folder(handle.as_fd(), *part) {
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    let what = kind(handle.as_fd(), part).ok().and_then(describe).unwrap_or("a file");
                    return Err(Refusal::Kind(parts[..=at].iter().collect(), what));
                }
                opened => opened.map_err(refusal)?,
            };
        }
        Ok(handle)
    }
}

struct Search {
    left: u64,
    depth: u64,
    found: Vec<Found>,
    failed: Vec<Unsearchable>,
}

impl Search {
    fn folder(&mut self, folder: &Folder, path: &Path, depth: u64) {
        let names = match folder.names(self.left) {
            Ok(names) => names,
            Err(Errno::TOOBIG) => {
                self.left = 0;
                return self.failed.push(Unsearchable::TooMany(path.to_owned()));
            }
            Err(error) => return self.failed.push(Unsearchable::Failed(path.to_owned(), error)),
        };
        self.left = self.left.saturating_sub(names.len() as u64);
        for name in names.iter().filter(|name| !name.as_bytes().starts_with(b".")) {
            let below = path.join(name);
            match rustix::fs::statat(&folder.handle, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(at) if FileType::from_raw_mode(at.st_mode) == FileType::Directory => {
                    self.step(folder, name, below, depth);
                }
                Ok(at) => {
                    let bytes = u64::try_from(at.st_size).unwrap_or_default();
                    let other = describe(FileType::from_raw_mode(at.st_mode));
                    self.found.push(Found { path: below, other, bytes });
                }
                // Somebody took it away meanwhile.
                Err(Errno::NOENT) => {}
                Err(error) => self.failed.push(Unsearchable::Failed(below, error)),
            }
        }
    }

    fn step(&mut self, folder: &Folder, name: &OsStr, path: PathBuf, depth: u64) {
        if depth >= self.depth {
            return self.failed.push(Unsearchable::TooDeep(path));
        }
        match open_folder(folder.handle.as_fd(), name) {
            Ok(handle) => self.folder(&Folder { path: PathBuf::new(), handle }, &path, depth + 1),
            Err(Errno::NOENT) => {}
            // A symlink by now.
            Err(Errno::NOTDIR | Errno::LOOP) => {
                self.found.push(Found { path, other: Some("a symlink"), bytes: 0 });
            }
            Err(error) => self.failed.push(Unsearchable::Failed(path, error)),
        }
    }
}

/// Reads a file up to a limit, whatever it says of its own size; `None` when there is more.
///
/// # Errors
/// Of the system.
pub fn read(file: File, most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let said = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(said).unwrap_or(0).min(most));
    file.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// The names of a path that leads down and nowhere else.
fn parts(relative: &Path) -> Result<Vec<&OsStr>, Refusal> {
    let parts = relative.components().filter(|part| *part != Component::CurDir).map(|part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(Refusal::Outside),
    });
    parts.collect()
}

fn kind(at: BorrowedFd<'_>, name: &OsStr) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode))
}

fn refusal(error: Errno) -> Refusal {
    match error {
        Errno::NOENT => Refusal::Absent,
        error => Refusal::Failed(error),
    }
}

/// The folder by one call of the kernel; `None` where it has no such call, or refuses: then the walk does it, or says
/// what is wrong.
#[cfg(target_os = "linux")]
fn beneath(at: BorrowedFd<'_>, relative: &Path, parts: &[&OsStr]) -> Option<OwnedFd> {
    use rustix::fs::ResolveFlags;
    // One part is one call either way.
    if parts.len() < 2 {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(at, relative, flags, Mode::empty(), resolve).ok()
}

#[cfg(not(target_os = "linux"))]
fn beneath(_at: BorrowedFd<'_>, _relative: &Path, _parts: &[&OsStr]) -> Option<OwnedFd> {
    None
}

/// Whether the kernel, and whatever stands around this process, answers `openat2`. `None` where there is no such call.
#[must_use]
pub fn has_openat2() -> Option<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat2(CWD, ".", flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
        Some(!matches!(opened, Err(Errno::NOSYS | Errno::PERM)))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
