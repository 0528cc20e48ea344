//! The listing of what a run read: each text by its role, name and digest, and the mega-files that were made from them.
//! Turns a [`Listing`] into text and back; it must never touch the disk, and never accept what it would not have written.
//!
//! ```text
//! megax-inputs 1
//! engine ENGINE
//! mega-file INPUTS-DIGEST TEAM ID           each mega-file that was expanded whole
//! text ROLE DIGEST stored|left NAME         each text, sorted
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::digest::Digest;
use crate::lockfile::{Lockfile, escape, is_name, unescape};

const VERSION: &str = "megax-inputs 1";

/// What a text was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The project manifest.
    Manifest,
    /// A mega-file that was expanded.
    MegaFile,
    /// A mega-file that was not selected.
    Neighbour,
    /// A data file that mega-files name under `sources`.
    Data,
    /// A file of the folder `templates`.
    Template,
    /// A file that is copied.
    Asset,
}

impl Role {
    const ALL: [Self; 6] = [Self::Manifest, Self::MegaFile, Self::Neighbour, Self::Data, Self::Template, Self::Asset];

    fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::MegaFile => "mega-file",
            Self::Neighbour => "neighbour",
            Self::Data => "data",
            Self::Template => "template",
            Self::Asset => "asset",
        }
    }
}

/// One text of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its digest.
    pub digest: Digest,
    /// Whether it is stored; else it is no text, or was over a limit.
    pub is_stored: bool,
}

/// What a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The engine that rendered.
    pub engine: String,
    /// The mega-files that were expanded whole, by team and id, with the digests of their inputs.
    pub mega_files: BTreeMap<(String, String), Digest>,
    /// The texts, by role and name.
    pub texts: BTreeMap<(Role, String), Listed>,
}

impl Listing {
    /// Whether the mega-file of a shard was expanded whole with the very inputs that the shard records.
    #[must_use]
    pub fn covers(&self, shard: &Lockfile) -> bool {
        let owner = (shard.team.clone(), shard.mega_file.clone());
        shard.inputs.is_some() && self.mega_files.get(&owner) == shard.inputs.as_ref()
    }

    /// The text; [`Listing::parse`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\nengine {}\n", escape(&self.engine));
        // Writing to a `String` cannot fail.
        for ((team, id), digest) in &self.mega_files {
            let _ = writeln!(text, "mega-file {digest} {team} {id}");
        }
        for ((role, name), Listed { digest, is_stored }) in &self.texts {
            let stored = if *is_stored { "stored" } else { "left" };
            let _ = writeln!(text, "text {} {digest} {stored} {}", role.as_str(), escape(name));
        }
        text
    }

    /// Reads what [`Listing::to_text`] makes, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let engine = unescape(lines.next()?.strip_prefix("engine ")?).ok()?;
        let mut listing = Self { engine, ..Self::default() };
        for line in lines {
            let (key, rest) = line.split_once(' ')?;
            if key == "mega-file" {
                let [digest, team, id] = rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
                let named = is_name(team) && is_name(id);
                let digest = Digest::parse(digest).filter(|_| named)?;
                listing.mega_files.insert((team.to_owned(), id.to_owned()), digest);
            } else {
                let [role, digest, stored, name] = rest.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
                let role = Role::ALL.into_iter().find(|one| one.as_str() == role)?;
                let listed = Listed { digest: Digest::parse(digest)?, is_stored: stored == "stored" };
                listing.texts.insert((role, unescape(name).ok()?), listed);
            }
        }
        (listing.to_text() == text).then_some(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fuzzing;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_listing_reads_as_it_was_written_and_a_changed_one_does_not() {
        let digest = Digest::of(b"x");
        let mut listing = Listing { engine: "megax 1".to_owned(), ..Listing::default() };
        listing.mega_files.insert(("alpha".to_owned(), "mega-a".to_owned()), digest);
        for (role, is_stored) in Role::ALL.into_iter().zip([true, false].into_iter().cycle()) {
            listing.texts.insert((role, "a b\n-".to_owned()), Listed { digest, is_stored });
        }
        let text = listing.to_text();
        assert_eq!(Listing::parse(&text), Some(listing));
        for other in ["stored", "manifest", "mega-a", "text", "megax-inputs 1"] {
            assert_eq!(Listing::parse(&text.replacen(other, "../x y", 1)), None, "{other}");
        }
        assert_eq!(Listing::parse(&text.replace('\n', "\r\n")), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,60}", lines in proptest::collection::vec("(engine|mega-file|text) .{0,30}", 0..5)) {
            fuzzing::log(&text);
            fuzzing::log(&format!("{VERSION}\n{}\n", lines.join("\n")));
        }
    }
}
