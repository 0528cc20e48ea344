//! The entry of an operation in the log: what it was. It may come from anywhere, like the journal beside it, so it is read
//! as hostile: sealed by a digest, every name parsed, and nothing but what [`Entry::to_text`] makes.
//!
//! No time, no host: the order of operations is that of their numbers.

use std::fmt::Write as _;

use super::footing::Footing;
use crate::digest::Digest;
use crate::lockfile::is_name;

/// The first line.
const VERSION: &str = "megax-operation 1";
/// Most bytes of an entry.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// What kind of operation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationKind {
    /// Mega-files were expanded.
    Apply,
    /// One operation was undone.
    Undo,
    /// Several operations were undone together.
    Rollback,
    /// Files were left to people.
    Detach,
    /// Files were taken back from people.
    Adopt,
    /// Files and lockfiles were put back.
    Repair,
    /// Paths were reserved.
    Reserve,
    /// Reservations were given up.
    Release,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Apply,
        Self::Undo,
        Self::Rollback,
        Self::Detach,
        Self::Adopt,
        Self::Repair,
        Self::Reserve,
        Self::Release,
    ];

    /// The word for people and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Undo => "undo",
            Self::Rollback => "rollback",
            Self::Detach => "detach",
            Self::Adopt => "adopt",
            Self::Repair => "repair",
            Self::Reserve => "reserve",
            Self::Release => "release",
        }
    }
}

/// What an operation was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: OperationKind,
    /// The operations that it undoes, ascending.
    pub(super) undoes: Vec<u64>,
    /// The teams whose files it concerned, sorted.
    pub(super) teams: Vec<String>,
    /// Its inputs are in the order of the teams.
    pub(super) footing: Footing,
    /// The listing of the texts that an apply was made from, where they are stored.
    pub(super) listing: Option<Digest>,
    pub(super) created: usize,
    pub(super) updated: usize,
    pub(super) deleted: usize,
}

impl Entry {
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\nkind {}\nundoes", self.kind.as_str());
        // Writing to a `String` cannot fail.
        for number in &self.undoes {
            let _ = write!(text, " {number}");
        }
        text.push_str("\nteams");
        for team in &self.teams {
            let _ = write!(text, " {team}");
        }
        text.push_str("\ninputs");
        for digest in &self.footing.inputs {
            let _ = write!(text, " {}", word(*digest));
        }
        let _ = writeln!(text, "\ntree {} {}", word(self.footing.before), word(self.footing.after));
        let _ = writeln!(text, "listing {}", word(self.listing));
        let _ = writeln!(text, "files {} {} {}", self.created, self.updated, self.deleted);
        let digest = Digest::of(text.as_bytes());
        let _ = writeln!(text, "end {digest}");
        text
    }

    /// Reads what [`Self::to_text`] makes, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let mut words = |key: &str| -> Option<Vec<&str>> {
            let mut words = lines.next()?.split(' ');
            (words.next()? == key).then(|| words.collect())
        };
        let kind = words("kind")?;
        let kind = OperationKind::ALL.into_iter().find(|known| kind == [known.as_str()])?;
        let undoes = words("undoes")?.into_iter().map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let teams: Vec<String> = words("teams")?.into_iter().map(str::to_owned).collect();
        let inputs = digests(&words("inputs")?)?;
        let tree = digests(&words("tree")?)?;
        let &[before, after] = tree.as_slice() else { return None };
        let listing = digests(&words("listing")?)?;
        let &[listing] = listing.as_slice() else { return None };
        let counts = words("files")?.into_iter().map(|word| word.parse().ok()).collect::<Option<Vec<usize>>>()?;
        let &[created, updated, deleted] = counts.as_slice() else { return None };
        let ordered = undoes.is_sorted() && teams.is_sorted() && teams.iter().all(|team| is_name(team));
        let ordered = ordered && inputs.len() == teams.len();
        let footing = Footing { inputs, before, after };
        let entry = Self { kind, undoes, teams, footing, listing, created, updated, deleted };
        // One form for every entry: whatever differs from it, the seal as well, is refused.
        (ordered && entry.to_text() == text).then_some(entry)
    }
}

fn word(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string())
}

fn digests(words: &[&str]) -> Option<Vec<Option<Digest>>> {
    let digest = |word: &&str| if *word == "-" { Some(None) } else { Digest::parse(word).map(Some) };
    words.iter().map(digest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fuzzing;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_reads_as_it_was_written_and_a_changed_one_does_not() {
        let teams = vec!["alpha".to_owned(), "beta".to_owned()];
        let digest = |text: &str| Some(Digest::of(text.as_bytes()));
        let footing = Footing { inputs: vec![digest("i"), None], before: digest("b"), after: None };
        let (kind, undoes, listing) = (OperationKind::Rollback, vec![3, 12], digest("l"));
        let entry = Entry { kind, undoes, teams, footing, listing, created: 1, updated: 20, deleted: 3 };
        let text = entry.to_text();
        assert_eq!(Entry::parse(&text), Some(entry.clone()));
        let footing = Footing::default();
        let bare = Entry { undoes: Vec::new(), teams: Vec::new(), footing, listing: None, ..entry };
        assert_eq!(Entry::parse(&bare.to_text()), Some(bare));
        for at in 0..text.len() {
            assert_eq!(Entry::parse(&text[..at]), None, "cut off at {at}");
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            assert_eq!(Entry::parse(&String::from_utf8_lossy(&changed)), None, "changed at {at}");
        }
    }

    #[test]
    fn a_right_seal_does_not_help_a_wrong_line() {
        for lines in [
            "kind apply\nundoes\nteams ../x\ninputs -\ntree - -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes\nteams b a\ninputs - -\ntree - -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes +1\nteams\ninputs\ntree - -\nlisting -\nfiles 0 0 0",
            "kind run\nundoes\nteams\ninputs\ntree - -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes\nteams\ninputs\ntree - -\nlisting -\nfiles 0 0",
            "kind apply\nundoes\nteams a\ninputs - -\ntree - -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes\nteams a\ninputs x\ntree - -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes\nteams a\ninputs -\ntree -\nlisting -\nfiles 0 0 0",
            "kind apply\nundoes\nteams a\ninputs -\ntree - -\nlisting - -\nfiles 0 0 0",
        ] {
            let body = format!("{VERSION}\n{lines}\n");
            let text = format!("{body}end {}\n", Digest::of(body.as_bytes()));
            assert_eq!(Entry::parse(&text), None, "{lines}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,100}", lines in proptest::collection::vec("(kind|undoes|teams|inputs|tree|listing|files|end) .{0,20}", 0..9)) {
            fuzzing::log(&text);
            fuzzing::log(&format!("{VERSION}\n{}\n", lines.join("\n")));
        }
    }
}
