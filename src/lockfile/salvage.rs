//! What can still be read of a damaged shard: single lines. They are hints for `megax repair`, which believes none of them
//! without a look at the disk; a run that expands never reads a shard in this way.

use std::collections::BTreeMap;

use super::{LockEntry, MAX_ENTRIES, is_source, parse_entry};
use crate::path::OutputPath;

/// The lines of a damaged shard that are whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// The file of its mega-file, if a line names it.
    pub source: Option<String>,
    /// The entries of each path, in the order of their lines, each once.
    pub entries: BTreeMap<OutputPath, Vec<LockEntry>>,
}

/// Reads every line of a shard that is whole, whatever stands around it: markers of an unfinished merge, lines of both
/// sides, lines that were moved. The last line of a text that was cut off is left out.
#[must_use]
pub fn salvage(text: &str) -> Salvaged {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let source = whole.lines().find_map(|line| line.strip_prefix("source ").filter(|source| is_source(source)));
    let mut found = Salvaged { source: source.map(str::to_owned), entries: BTreeMap::new() };
    let lines = whole.lines().filter_map(|line| parse_entry(line).ok());
    for (path, entry) in lines.take(MAX_ENTRIES) {
        let entries = found.entries.entry(path).or_default();
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lockfile::EntryState;

    #[test]
    fn whole_lines_are_read_whatever_stands_around_them() {
        let [one, two] = [b"1", b"2"].map(|bytes| Digest::of(bytes));
        let text = format!(
            "megax-lock 1\nengine e\n<<<<<<< ours\ninputs {one}\n{one} regular - a\tt\n=======\ninputs {two}\nsource -\nsource m/a.yaml\n\
             {two} regular - a\tt\n>>>>>>> theirs\n{one} regular - a\tt\n{two} executable detached b c\tt\n\
             {two} regular - ../x\tt\n{one} regular - cut/of"
        );
        let found = salvage(&text);
        let digests = |path: &str| -> Vec<(Digest, EntryState)> {
            let path = OutputPath::parse(path).unwrap();
            found.entries.get(&path).into_iter().flatten().map(|entry| (entry.digest, entry.state)).collect()
        };
        assert_eq!(digests("a"), [(one, EntryState::Managed), (two, EntryState::Managed)]);
        assert_eq!(digests("b c"), [(two, EntryState::Detached)]);
        assert_eq!((found.entries.len(), found.source.as_deref()), (2, Some("m/a.yaml")), "{found:?}");
        assert_eq!((salvage(""), salvage("\u{fffd}\0")), Default::default());
    }
}
