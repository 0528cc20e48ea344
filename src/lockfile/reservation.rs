//! Reservations: the paths that one mega-file has reserved, beside its shard of the lockfile.
//!
//! A reservation lies at `.megax/lock/<team>/<mega-file id>.claim`, is committed, and merges line by line: a header, then
//! one sorted path per line. It is untrusted when read, and it grants nothing: it only says who was there first. This
//! module turns text into a [`Reservation`] and back; it must never touch the disk, and never guess at a text that it
//! does not wholly understand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Flaw, LockfileError, MAX_ENTRIES, at, check_text, parse_name};
use crate::path::OutputPath;

/// The first line of a reservation.
pub const CLAIM_VERSION_LINE: &str = "megax-claim 1";
/// How the name of a reservation ends.
pub const CLAIM_ENDING: &str = ".claim";

/// What one mega-file has reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The team.
    pub team: String,
    /// The id of the mega-file.
    pub mega_file: String,
    /// The paths. No two are one place on any file system.
    pub paths: BTreeSet<OutputPath>,
}

/// Where the reservation of a mega-file lies, relative to the output root. Both names must be names
/// ([`super::is_name`]).
#[must_use]
pub fn reservation_path(team: &str, id: &str) -> String {
    format!(".megax/lock/{team}/{id}{CLAIM_ENDING}")
}

impl Reservation {
    /// Reads the reservation found at `place` (relative to the output root). Line endings may be CRLF; all else is
    /// strict.
    ///
    /// # Errors
    /// The first line that is not exactly what [`Reservation::to_text`] would write, and why; or it is the reservation of
    /// another mega-file. A conflict marker is reported before anything else.
    pub fn read(place: &str, text: &str) -> Result<Self, LockfileError> {
        let reservation = Self::parse(text)?;
        let right = reservation_path(&reservation.team, &reservation.mega_file);
        if right == place { Ok(reservation) } else { Err(at(2, Flaw::Misplaced(right))) }
    }

    /// The same of a text whose place does not matter.
    ///
    /// # Errors
    /// As for [`Reservation::read`].
    pub fn parse(text: &str) -> Result<Self, LockfileError> {
        check_text(text)?;
        let mut lines = text.lines().zip(1..);
        let found = lines.next().map_or("", |(line, _)| line);
        if found != CLAIM_VERSION_LINE {
            return Err(at(1, Flaw::ClaimVersion(found.to_owned())));
        }
        let mut header = |key: &'static str, number| {
            let value = lines.next().and_then(|(line, _)| line.strip_prefix(key)?.strip_prefix(' '));
            value.ok_or_else(|| at(number, Flaw::Header(key)))
        };
        let team = parse_name(header("team", 2)?).map_err(|flaw| at(2, flaw))?;
        let mega_file = parse_name(header("mega-file", 3)?).map_err(|flaw| at(3, flaw))?;
        let (mut paths, mut places) = (BTreeSet::new(), BTreeMap::new());
        for (line, number) in lines {
            let wrong = |flaw| Err(at(number, flaw));
            let path = OutputPath::parse(line).map_err(|error| at(number, Flaw::Path(error)))?;
            if path.as_str() != line {
                return wrong(Flaw::NotNormal(line.to_owned()));
            }
            // Equal paths, and those that are one place on some file system.
            if places.insert(path.key(), number).is_some() {
                return wrong(Flaw::Duplicate(line.to_owned()));
            }
            if paths.last().is_some_and(|last| *last > path) {
                return wrong(Flaw::Order(line.to_owned()));
            }
            if paths.len() == MAX_ENTRIES {
                return wrong(Flaw::TooLong("the number of paths in a reservation", MAX_ENTRIES));
            }
            paths.insert(path);
        }
        Ok(Self { team, mega_file, paths })
    }

    /// The text of the reservation; [`Reservation::parse`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let head = format!("{CLAIM_VERSION_LINE}\nteam {}\nmega-file {}\n", self.team, self.mega_file);
        self.paths.iter().fold(head, |text, path| text + path.as_str() + "\n")
    }

    /// Whether a text says that it is a reservation of a version that came after this program.
    #[must_use]
    pub fn is_newer(text: &str) -> bool {
        let number = text.lines().next().and_then(|line| line.strip_prefix("megax-claim "));
        number.and_then(|number| number.parse::<usize>().ok()).is_some_and(|number| number > 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MARKERS;
    use super::*;
    use crate::path::PathError;

    const PLACE: &str = ".megax/lock/beta/mega-api-001.claim";

    fn sample() -> Reservation {
        let paths = ["a b/c.ts", "src/x"].map(|path| OutputPath::parse(path).unwrap());
        Reservation { team: "beta".into(), mega_file: "mega-api-001".into(), paths: paths.into() }
    }

    fn flaw(text: &str) -> (usize, Flaw) {
        let error = Reservation::read(PLACE, text).unwrap_err();
        (error.line, error.reason)
    }

    #[test]
    fn the_text_is_what_people_merge() {
        let text = "megax-claim 1\nteam beta\nmega-file mega-api-001\na b/c.ts\nsrc/x\n";
        assert_eq!(sample().to_text(), text);
        assert_eq!(Reservation::read(PLACE, text), Ok(sample()));
        assert_eq!(Reservation::parse(&text.replace('\n', "\r\n")), Ok(sample()), "git may turn the line endings");
    }

    #[test]
    fn hostile_text_is_refused() {
        let text = sample().to_text();
        let swap = |from: &str, to: &str| flaw(&text.replacen(from, to, 1));
        assert_eq!(flaw(""), (1, Flaw::ClaimVersion(String::new())));
        assert_eq!(swap("claim 1", "claim 2"), (1, Flaw::ClaimVersion("megax-claim 2".into())));
        assert!(Reservation::is_newer("megax-claim 2\n") && !Reservation::is_newer(&text));
        assert_eq!(swap("team beta\n", ""), (2, Flaw::Header("team")));
        assert_eq!(swap("team beta", "team .."), (2, Flaw::Name("..".into())));
        assert_eq!(swap("mega-file mega-api-001", "mega-file ../x"), (3, Flaw::Name("../x".into())));
        assert_eq!(swap("src/x", "../x"), (5, Flaw::Path(PathError::Escapes("..".into()))));
        assert_eq!(swap("src/x", ".megax/lock/a"), (5, Flaw::Path(PathError::Reserved(".megax".into()))));
        assert_eq!(swap("src/x", "e\u{301}"), (5, Flaw::NotNormal("e\u{301}".into())));
        assert_eq!(swap("src/x", "s\u{fffd}"), (5, Flaw::NotText));
        assert_eq!(swap("src/x", ""), (5, Flaw::Path(PathError::Empty)));
        assert_eq!(swap("src/x", "a b/c.ts"), (5, Flaw::Duplicate("a b/c.ts".into())));
        assert_eq!(swap("src/x", "a b/C.ts"), (5, Flaw::Duplicate("a b/C.ts".into())), "one place on some disks");
        assert_eq!(swap("src/x", "a"), (5, Flaw::Order("a".into())));
        assert_eq!(flaw(text.trim_end()), (5, Flaw::CutOff));
        let place = ".megax/lock/gamma/mega-api-001.claim";
        assert_eq!(swap("team beta", "team gamma"), (2, Flaw::Misplaced(place.into())));
        for mark in MARKERS {
            assert_eq!(swap("src/x", &format!("{mark} ours\nsrc/x")), (5, Flaw::ConflictMarker(mark)));
        }
    }

    proptest! {
        #[test]
        fn every_reservation_reads_back(paths in proptest::collection::btree_set("[a-c ]{1,3}(/[a-cA]{1,2})?", 0..8)) {
            let mut places = BTreeSet::new();
            let parsed = paths.iter().filter_map(|path| OutputPath::parse(path).ok());
            let paths = parsed.filter(|path| places.insert(path.key())).collect();
            let reservation = Reservation { paths, ..sample() };
            prop_assert_eq!(Reservation::parse(&reservation.to_text()), Ok(reservation));
        }

        #[test]
        fn nothing_is_read_that_would_be_written_otherwise(text in "(megax-claim 1\nteam a\nmega-file b\n)?([ab/.<=\n]){0,24}") {
            if let Ok(found) = Reservation::parse(&text) {
                prop_assert_eq!(found.to_text(), text);
            }
        }
    }
}
