//! The few system calls that differ between systems and file systems. Every name is one name in an open folder.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};

use super::fault;
use crate::handle;
pub(super) use crate::handle::describe;
use crate::path::FileMode;

/// Opens a folder; a symlink fails with `ENOTDIR` or `ELOOP`.
pub(super) fn open_folder(at: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    handle::open_folder(at, name)
}

/// Opens a file for reading; never waits.
pub(super) fn open_file(at: BorrowedFd<'_>, name: &str) -> Result<File> {
    handle::open_file(at, name)
}

/// Makes a file that must not exist; the umask applies to `mode`.
pub(super) fn create_file(at: BorrowedFd<'_>, name: &str, mode: u32) -> Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::from_raw_mode(mode as _)).map(File::from)
}

/// Opens a file for reading and writing, and makes it if need be.
pub(super) fn open_or_create(at: BorrowedFd<'_>, name: &str) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::from_raw_mode(0o666)).map(File::from)
}

/// Opens a file for its lock; `None` when there is none. For writing where that may be, because file systems of the network
/// lock no other handle.
pub(super) fn open_to_lock(at: BorrowedFd<'_>, name: &str) -> Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => open_or_none(at, name),
        done => done.map(|file| Some(File::from(file))),
    }
}

/// Opens a file; `None` when there is none.
pub(super) fn open_or_none(at: BorrowedFd<'_>, name: &str) -> Result<Option<File>> {
    match open_file(at, name) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder; the umask applies.
pub(super) fn make_folder(at: BorrowedFd<'_>, name: &str) -> Result<()> {
    rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777))
}

pub(super) fn remove_folder(at: BorrowedFd<'_>, name: &str) -> Result<()> {
    rustix::fs::unlinkat(at, name, AtFlags::REMOVEDIR)
}

pub(super) fn remove_file(at: BorrowedFd<'_>, name: &str) -> Result<()> {
    rustix::fs::unlinkat(at, name, AtFlags::empty())
}

/// The type and the permission bits of a name, no symlink followed.
#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "narrower on other systems"))]
pub(super) fn stat(at: BorrowedFd<'_>, name: &str) -> Result<(FileType, u32)> {
    let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = u32::from(stat.st_mode);
    Ok((FileType::from_raw_mode(stat.st_mode), mode & 0o777))
}

/// The size of a name's own bytes.
#[cfg_attr(target_os = "linux", expect(clippy::cast_sign_loss, reason = "a size is never negative"))]
pub(super) fn size(at: BorrowedFd<'_>, name: &str) -> Result<u64> {
    Ok(rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?.st_size as u64)
}

/// Sets the permission bits of an ordinary file that this run made.
pub(super) fn set_mode(at: BorrowedFd<'_>, name: &str, mode: u32) -> Result<()> {
    rustix::fs::chmodat(at, name, Mode::from_raw_mode(mode as _), AtFlags::empty())
}

/// Gives a file a second name, which must be free. A symlink is linked itself.
pub(super) fn link(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> Result<()> {
    rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())
}

/// Whether two names are one file.
pub(super) fn is_same(one: (BorrowedFd<'_>, &str), other: (BorrowedFd<'_>, &str)) -> Result<bool> {
    let one = rustix::fs::statat(one.0, one.1, AtFlags::SYMLINK_NOFOLLOW)?;
    let other = rustix::fs::statat(other.0, other.1, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// The number of an open folder on its file system.
#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "narrower on other systems"))]
pub(super) fn number(folder: BorrowedFd<'_>) -> Result<u64> {
    Ok(u64::from(rustix::fs::fstat(folder)?.st_ino))
}

/// What a file system has left for this user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// `None` where blocks are not counted.
    pub(super) bytes: Option<u64>,
    /// Files and folders; `None` where they are not counted.
    pub(super) files: Option<u64>,
    /// Bytes of a block.
    pub(super) block: u64,
    /// Most bytes of a name, where that is said.
    pub(super) name: u64,
}

/// What the file system of a folder has left.
pub(super) fn room(folder: BorrowedFd<'_>) -> Result<Room> {
    // Some blocks are for the administrator only.
    let is_root = rustix::process::geteuid().is_root();
    Ok(room_of(&rustix::fs::fstatvfs(folder)?, is_root))
}

/// Some file systems of the network and of user space count nothing: they say 0 of all.
fn room_of(found: &rustix::fs::StatVfs, is_root: bool) -> Room {
    let (blocks, files) = if is_root { (found.f_bfree, found.f_ffree) } else { (found.f_bavail, found.f_favail) };
    Room {
        bytes: (found.f_blocks > 0).then(|| blocks.saturating_mul(found.f_frsize)),
        files: (found.f_files > 0).then_some(files),
        block: found.f_frsize,
        name: if found.f_namemax > 0 { found.f_namemax } else { u64::MAX },
    }
}

/// Whether names can be made in a folder and taken away.
pub(super) fn may_write(folder: BorrowedFd<'_>) -> Result<()> {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    match rustix::fs::accessat(folder, ".", access, AtFlags::EACCESS) {
        // An old kernel cannot say it of another user than the one that started the process.
        Err(Errno::NOSYS | Errno::INVAL) => Ok(()),
        done => done,
    }
}

/// What tells mounts apart: two of one file system as well, where the kernel says so. `""` for the folder itself.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn mount(at: BorrowedFd<'_>, name: &str) -> Result<u64> {
    use rustix::fs::StatxFlags;
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT;
    match rustix::fs::statx(at, name, flags, StatxFlags::MNT_ID) {
        Ok(found) if found.stx_mask & StatxFlags::MNT_ID.bits() != 0 => Ok(found.stx_mnt_id),
        Ok(_) | Err(Errno::NOSYS) => device(at, name),
        Err(error) => Err(error),
    }
}

/// What tells file systems apart.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn mount(at: BorrowedFd<'_>, name: &str) -> Result<u64> {
    device(at, name)
}

#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "narrower or signed on other systems"))]
fn device(at: BorrowedFd<'_>, name: &str) -> Result<u64> {
    let found =
        if name.is_empty() { rustix::fs::fstat(at)? } else { rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)? };
    Ok(found.st_dev.try_into().unwrap_or_default())
}

/// Moves what megax alone knows (staged, displaced) to a name that must be free. Never what lies in the tree: where the
/// system cannot do it in one step, the old name is removed after the new one is there, whatever it is by then.
pub(super) fn move_to_free(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> Result<()> {
    match rename_no_replace(from, to) {
        // The system or the file system does not know the flag. A link fails on a taken name as well.
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {
            match link(from, to) {
                // A folder has one name only, and its move takes the place of an empty folder at most.
                Err(Errno::PERM) if stat(from.0, from.1)?.0 == FileType::Directory => match stat(to.0, to.1) {
                    Err(Errno::NOENT) => return move_over(from, to),
                    found => return found.and(Err(Errno::EXIST)),
                },
                done => done?,
            }
            // The move is done; a second name in the transaction folder goes with that folder.
            if fault::point("").is_ok() {
                let _ = remove_file(from.0, from.1);
            }
            Ok(())
        }
        done => done,
    }
}

/// Moves a folder to a name that must be free, empty folders included; whether it did.
pub(super) fn move_folder(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> bool {
    rename_no_replace(from, to).is_ok()
}

/// Whether what is made in a folder gets its group or its access list from it.
pub(super) fn gives_something(folder: BorrowedFd<'_>) -> bool {
    let sets_group = rustix::fs::fstat(folder).is_ok_and(|found| found.st_mode & 0o2000 != 0);
    sets_group || has_access_list(folder)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_access_list(folder: BorrowedFd<'_>) -> bool {
    let mut none = [0_u8; 0];
    rustix::fs::fgetxattr(folder, "system.posix_acl_default", &mut none).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_access_list(_folder: BorrowedFd<'_>) -> bool {
    // Access lists of other systems are not known here.
    true
}

/// Moves a file, over whatever file is there, in one step on every system. So files leave the tree, to a name that only
/// this run knows.
pub(super) fn move_over(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> Result<()> {
    rustix::fs::renameat(from.0, from.1, to.0, to.1)
}

/// Moves a file to a name that must be free, in one step or not at all.
pub(super) fn try_no_replace(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> Result<()> {
    rename_no_replace(from, to)
}

/// Exchanges two names in one step; `Ok(false)` where that cannot be done.
pub(super) fn exchange(one: (BorrowedFd<'_>, &str), other: (BorrowedFd<'_>, &str)) -> Result<bool> {
    match rename_exchange(one, other) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Brings a file, or a folder's own entries, to the disk.
pub(super) fn sync_one(file: BorrowedFd<'_>) -> Result<()> {
    #[cfg(test)]
    fault::tests::count_sync();
    rustix::fs::fsync(file)
}

/// Whether [`sync_all`] reaches the disk: not on file systems of the network and of user space.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_synced_whole(folder: BorrowedFd<'_>) -> Result<bool> {
    /// NFS, FUSE (also virtiofs), CIFS, SMB, SMB 2, 9P, Ceph, AFS, Coda, shared folders of virtual machines.
    const OTHERS: [u32; 10] = [
        0x6969,
        0x6573_5546,
        0xFF53_4D42,
        0x517B,
        0xFE53_4D42,
        0x0102_1997,
        0x00C3_6400,
        0x5346_414F,
        0x7375_7245,
        0x786F_4256,
    ];
    #[cfg(test)]
    if fault::tests::is_syncing_each() {
        return Ok(false);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers have 32 bits")]
    let kind = rustix::fs::fstatfs(folder)?.f_type as u32;
    Ok(!OTHERS.contains(&kind))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
pub(super) fn is_synced_whole(_folder: BorrowedFd<'_>) -> Result<bool> {
    #[cfg(test)]
    if fault::tests::is_syncing_each() {
        return Ok(false);
    }
    Ok(true)
}

/// The kind of a file system, by the name that it is known by.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn file_system(folder: BorrowedFd<'_>) -> Option<&'static str> {
    const NAMES: [(u32, &str); 20] = [
        (0xEF53, "ext4"),
        (0x5846_5342, "xfs"),
        (0x9123_683E, "btrfs"),
        (0x0102_1994, "tmpfs"),
        (0x794C_7630, "overlayfs"),
        (0x2FC1_2FC1, "zfs"),
        (0xF2F5_2010, "f2fs"),
        (0xCA45_1A4E, "bcachefs"),
        (0x5346_544E, "ntfs"),
        (0x7366_746E, "ntfs3"),
        (0x4D44, "vfat"),
        (0x2011_BAB0, "exfat"),
        (0x6969, "nfs"),
        (0x6573_5546, "fuse"),
        (0xFF53_4D42, "cifs"),
        (0xFE53_4D42, "smb2"),
        (0x0102_1997, "9p"),
        (0x00C3_6400, "ceph"),
        (0x786F_4256, "vboxsf"),
        (0xF15F, "ecryptfs"),
    ];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers have 32 bits")]
    let kind = rustix::fs::fstatfs(folder).ok()?.f_type as u32;
    NAMES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// The kind of a file system, which other systems say in other ways.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn file_system(_folder: BorrowedFd<'_>) -> Option<&'static str> {
    None
}

/// Brings everything that was written to the file system of a folder to the disk: one call for a whole transaction. An
/// error of a write since the folder was opened is reported here, and must never be answered by trying again.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn sync_all(folder: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::syncfs(folder)
}

/// Brings everything that was written to the disk.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn sync_all(folder: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::sync();
    rustix::fs::fsync(folder)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_no_replace(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> Result<()> {
    if fault::is_plain() {
        return Err(Errno::NOSYS);
    }
    rustix::fs::renameat_with(from.0, from.1, to.0, to.1, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_exchange(one: (BorrowedFd<'_>, &str), other: (BorrowedFd<'_>, &str)) -> Result<()> {
    if fault::is_plain() {
        return Err(Errno::NOSYS);
    }
    rustix::fs::renameat_with(one.0, one.1, other.0, other.1, rustix::fs::RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_no_replace(_from: (BorrowedFd<'_>, &str), _to: (BorrowedFd<'_>, &str)) -> Result<()> {
    Err(Errno::NOSYS)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_exchange(_one: (BorrowedFd<'_>, &str), _other: (BorrowedFd<'_>, &str)) -> Result<()> {
    Err(Errno::NOSYS)
}

/// Permission bits with the executable ones as wanted: whoever may read may execute, or nobody.
pub(super) fn with_mode(old: u32, mode: FileMode) -> u32 {
    match mode {
        FileMode::Regular => old & !0o111,
        FileMode::Executable => old | (old & 0o444) >> 2,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn what_a_file_system_does_not_count_is_no_limit() {
        let mut found = rustix::fs::fstatvfs(tempfile::tempfile().unwrap().as_fd()).unwrap();
        (found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_namemax) = (0, 0, 0, 0, 0);
        let room = room_of(&found, false);
        assert_eq!((room.bytes, room.files, room.name), (None, None, u64::MAX));
        (found.f_blocks, found.f_frsize, found.f_bavail, found.f_namemax) = (9, 512, 2, 143);
        let room = room_of(&found, false);
        assert_eq!((room.bytes, room.name), (Some(1_024), 143));
    }
}
