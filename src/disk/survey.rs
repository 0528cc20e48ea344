//! The survey: what lies at every path that matters, read in parallel, nothing changed.

use std::io::Read as _;

use rayon::prelude::*;

use super::barred::Barred;
use super::error::DiskError;
use super::look::{buffer, look};
use super::root::Root;
use super::walk::{Reached, Walker};
use crate::change::{OnDisk, Survey};
use crate::path::OutputPath;

/// Paths that one task looks at with one walker and one buffer.
const CHUNK: usize = 128;

/// Looks at every path, in the current rayon pool. What may not be read is [`OnDisk::Unreadable`]: it holds up its own
/// team only.
///
/// # Errors
/// The first failure in the order of the paths.
pub fn survey(root: &Root, paths: &[OutputPath]) -> Result<Survey, DiskError> {
    let mut sorted: Vec<&OutputPath> = paths.iter().collect();
    sorted.sort();
    sorted.dedup();
    if root.existing()?.is_none() {
        return Ok(sorted.into_iter().map(|path| (path.clone(), OnDisk::Absent)).collect());
    }
    let barred = Barred::of(root)?;
    let chunks: Vec<Result<Vec<OnDisk>, DiskError>> =
        sorted.par_chunks(CHUNK).map_init(buffer, |buffer, chunk| survey_chunk(root, &barred, chunk, buffer)).collect();
    let mut found = Survey::new();
    for (chunk, states) in sorted.chunks(CHUNK).zip(chunks) {
        found.extend(chunk.iter().map(|path| (*path).clone()).zip(states?));
    }
    Ok(found)
}

fn survey_chunk(
    root: &Root,
    barred: &Barred,
    paths: &[&OutputPath],
    buffer: &mut [u8],
) -> Result<Vec<OnDisk>, DiskError> {
    let mut walker = Walker::keeping_out(root.make()?, barred.clone());
    // `None` for a folder that may not be read.
    let mut current: Option<(&str, Option<Reached>)> = None;
    let mut states = Vec::with_capacity(paths.len());
    for path in paths {
        let reached = match &current {
            Some((folder, reached)) if *folder == path.folder() => reached.clone(),
            _ => match walker.enter(path.folder()) {
                Err(DiskError::Io { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                    walker.reset();
                    None
                }
                reached => Some(reached?),
            },
        };
        states.push(match &reached {
            None => OnDisk::Unreadable,
            Some(Reached::Absent) => OnDisk::Absent,
            Some(Reached::Blocked(parent)) if walker.is_kept_out() => OnDisk::Reserved(parent.clone()),
            Some(Reached::Blocked(parent)) => OnDisk::Below(parent.clone()),
            Some(Reached::Folder) => look(walker.folder(), path.name(), buffer)
                .map_err(|error| DiskError::io("read", path.as_str(), error))?,
        });
        current = Some((path.folder(), reached));
    }
    Ok(states)
}

/// The bytes of an ordinary file below the root; `None` if nothing, something else, or one of more bytes is there.
///
/// # Errors
/// A failed read.
pub fn read_up_to(root: &Root, path: &OutputPath, limit: u64) -> Result<Option<Vec<u8>>, DiskError> {
    let Some(top) = root.existing()? else { return Ok(None) };
    let mut walker = Walker::new(top);
    if walker.enter(path.folder())? != Reached::Folder {
        return Ok(None);
    }
    let failed = |error: std::io::Error| DiskError::io("read", path.as_str(), error);
    match look(walker.folder(), path.name(), &mut buffer()).map_err(failed)? {
        OnDisk::File { bytes, .. } if bytes <= limit => {}
        _ => return Ok(None),
    }
    let mut bytes = Vec::new();
    let file = super::sys::open_file(walker.folder(), path.name()).map_err(|error| failed(error.into()))?;
    // It may have grown since.
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}
