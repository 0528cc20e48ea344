//! What must hold for every text that is read from `.megax`, hostile ones too: for the fuzz targets and the tests. No part
//! of the product.

use super::checkpoint;
use super::entry::Entry;
use super::journal::{Journal, Step};
use super::listing::Listing;
use crate::digest::Digest;
use crate::path::OutputPath;

/// A journal is read as it was written or not at all, and names nothing but output paths, places of the lockfile, and
/// names in the transaction folder.
pub fn journal(text: &str) {
    one_journal(text);
    // With a right seal, so that the lines themselves are looked at.
    let count = text.lines().count().saturating_sub(1);
    let body = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    one_journal(&format!("{body}end {count} {}\n", Digest::of(body.as_bytes())));
}

fn one_journal(text: &str) {
    let Ok(read) = Journal::parse(text) else { return };
    assert_eq!(read.to_text(), text, "another text makes the same journal");
    assert_eq!(Journal::parse(&read.to_text()).as_ref(), Ok(&read));
    for step in &read.steps {
        let path = step.path();
        let is_output = OutputPath::parse(path).is_ok_and(|parsed| parsed.as_str() == path);
        let is_record = path == ".megax/lock" || path.starts_with(".megax/lock/");
        assert!(is_output || is_record, "{path:?} is no place for a journal");
        stays_below(path);
        match step {
            Step::Create { slot, .. } => stays_below(slot),
            Step::Replace { slot, aside, .. } => [slot, aside].into_iter().for_each(|name| is_one_name(name)),
            Step::Remove { aside, .. } => is_one_name(aside),
            Step::Tree { slot, whole, .. } => {
                is_one_name(slot);
                assert!(!whole, "a journal that was read never says that a folder is whole");
            }
            Step::Mode { old, .. } => assert!(*old <= 0o777),
            Step::Folder { .. } | Step::Clear { .. } => {}
        }
    }
}

fn is_one_name(name: &str) {
    assert!(!name.contains('/'), "{name:?}");
    stays_below(name);
}

/// Joined to a folder, the text names something in it.
fn stays_below(path: &str) {
    assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?} leaves its folder");
    assert!(!path.chars().any(char::is_control), "{path:?}");
}

/// An entry, a listing and a checkpoint are read as they were written or not at all.
///
/// # Panics
/// One is not.
pub fn log(text: &str) {
    entry(text);
    let body = text.rsplit_once("end ").map_or(text, |(body, _)| body);
    entry(&format!("{body}end {}\n", Digest::of(body.as_bytes())));
    if let Some(read) = Listing::parse(text) {
        assert_eq!(read.to_text(), text, "another text makes the same listing");
    }
    if let Some(operation) = checkpoint::parse(text) {
        assert_eq!(checkpoint::text_of(operation), text, "another text makes the same checkpoint");
    }
}

fn entry(text: &str) {
    let Some(read) = Entry::parse(text) else { return };
    assert_eq!(read.to_text(), text, "another text makes the same entry");
    assert_eq!(Entry::parse(&read.to_text()), Some(read));
}
