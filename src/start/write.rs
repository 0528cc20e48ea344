//! Makes the files of `init` and `new`: looks first, then lets `disk` make all or none.

use std::path::Path;

use super::NewFile;
use crate::change::OnDisk;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, same_text};
use crate::disk::{self, DiskError, Root};
use crate::path::OutputPath;
use crate::report::Change;
use crate::report::made::MadeFile;

/// Makes the files that are not there yet; `dry_run` only says what would be made. A file that is there with the same
/// text is left alone.
///
/// # Errors
/// Anything else at one of the paths, every one of them named; or the disk failed. Nothing is made then.
pub fn files(root: &Path, new: &[NewFile], dry_run: bool, help: &str) -> Result<Vec<MadeFile>, Diagnostic> {
    let failed = |error: DiskError| Diagnostic::new(Code::DiskFailed, error.to_string());
    let root = Root::open(root).map_err(failed)?;
    let paths: Vec<OutputPath> = new.iter().map(|file| file.path.clone()).collect();
    let survey = disk::survey(&root, &paths).map_err(failed)?;
    let (mut made, mut taken, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for file in new {
        let change = match survey.get(&file.path) {
            None | Some(OnDisk::Absent) => {
                missing.push((&file.path, file.text.as_bytes()));
                Change::Create
            }
            Some(OnDisk::File { digest, lf_digest, .. }) if is_same(file, *digest, *lf_digest) => Change::Unchanged,
            Some(other) => {
                taken.push(in_the_way(&file.path, other));
                Change::Conflict
            }
        };
        made.push(MadeFile::new(file.path.as_str(), &file.text, file.about, change));
    }
    if !taken.is_empty() {
        let verb = if taken.len() == 1 { "is" } else { "are" };
        let message = format!("{} {verb} there already; nothing was written", taken.join(", "));
        return Err(Diagnostic::new(Code::AlreadyThere, message).help(help));
    }
    if !dry_run {
        disk::plant(&root, &missing).map_err(failed)?;
    }
    Ok(made)
}

fn is_same(file: &NewFile, digest: Digest, lf_digest: Option<Digest>) -> bool {
    let wanted = file.text.as_bytes();
    same_text((digest, lf_digest), (Digest::of(wanted), crate::digest::lf_digest(wanted)))
}

fn in_the_way(path: &OutputPath, found: &OnDisk) -> String {
    match found {
        OnDisk::Other(what) => format!("`{path}` ({what})"),
        OnDisk::Below(parent) => format!("`{parent}` (no folder)"),
        OnDisk::Reserved(parent) => format!("`{parent}` (a folder that nobody writes, under another name)"),
        OnDisk::File { .. } | OnDisk::Absent | OnDisk::Unreadable => format!("`{path}`"),
    }
}
