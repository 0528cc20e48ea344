//! The journal: what a commit is about to do, written whole before the first step. Once it lies in its place the commit
//! will happen; recovery reads it and decides every step by what lies on disk.
//!
//! Text, one step per line, and a last line with the number of steps and the digest of all lines before it. A journal
//! may come from anywhere (a repository can hold one), so it is read as hostile: every path is parsed, every name in the
//! transaction folder has a fixed form (one in a staged folder is that of the path in it), and a text that is not exactly what [`Journal::to_text`] makes is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::shards::without_ending;
use crate::digest::Digest;
use crate::lockfile::is_name;
use crate::path::{FileMode, OutputPath};

/// The first line.
const VERSION: &str = "megax-journal 1";
/// Most bytes of a journal.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// One step. Paths are relative to the output root, `slot` and `aside` are names in the transaction folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A folder is made.
    Folder { path: String },
    /// The staged folder `slot` holds what is to lie below `path`; the next steps make it, folder by folder and file by
    /// file. `whole`: nothing else is in it, so that a folder may come with all that is in it by one rename. That is
    /// never said by a journal that was read.
    Tree { path: String, slot: String, whole: bool },
    /// A staged file goes where nothing is.
    Create { path: String, slot: String, after: Digest },
    /// A staged file takes the place of one; the old one lands at `slot`, or at `aside` where names cannot be exchanged.
    Replace { path: String, slot: String, aside: String, before: Digest, after: Digest },
    /// A file leaves the tree.
    Remove { path: String, aside: String, before: Digest },
    /// A folder that the steps before emptied makes way for a file.
    Clear { path: String },
    /// Permission bits change.
    Mode { path: String, digest: Digest, old: u32, mode: FileMode },
}

impl Step {
    /// The path that the step is about.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Folder { path }
            | Self::Tree { path, .. }
            | Self::Clear { path }
            | Self::Create { path, .. }
            | Self::Replace { path, .. }
            | Self::Remove { path, .. }
            | Self::Mode { path, .. } => path,
        }
    }
}

/// All steps of a commit, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) steps: Vec<Step>,
}

/// Why a text is no journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the journal: {reason}")]
pub(super) struct JournalError {
    line: usize,
    reason: &'static str,
}

impl Journal {
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\n");
        for step in &self.steps {
            // Writing to a `String` cannot fail.
            let _ = match step {
                Step::Folder { path } => writeln!(text, "folder {path}"),
                Step::Clear { path } => writeln!(text, "clear {path}"),
                Step::Tree { path, slot, .. } => writeln!(text, "tree {slot} {path}"),
                // The rest of a name in a staged folder is that of the path.
                Step::Create { path, slot, after } => {
                    let slot = slot.split('/').next().unwrap_or(slot);
                    writeln!(text, "create {slot} {after} {path}")
                }
                Step::Replace { path, slot, aside, before, after } => {
                    writeln!(text, "replace {slot} {aside} {before} {after} {path}")
                }
                Step::Remove { path, aside, before } => writeln!(text, "remove {aside} {before} {path}"),
                Step::Mode { path, digest, old, mode } => {
                    let word = if *mode == FileMode::Executable { "executable" } else { "regular" };
                    writeln!(text, "mode {old:03o} {word} {digest} {path}")
                }
            };
        }
        let digest = Digest::of(text.as_bytes());
        let _ = writeln!(text, "end {} {digest}", self.steps.len());
        text
    }

    /// Reads what [`Self::to_text`] makes, and nothing else.
    pub(super) fn parse(text: &str) -> Result<Self, JournalError> {
        let wrong = |line: usize, reason: &'static str| JournalError { line, reason };
        let body = text.strip_suffix('\n').ok_or(wrong(0, "it is cut off"))?;
        let (body, last) = body.rsplit_once('\n').ok_or(wrong(0, "it is cut off"))?;
        let lines: Vec<&str> = body.split('\n').collect();
        if lines.first() != Some(&VERSION) {
            return Err(wrong(1, "it is of another version"));
        }
        let count = lines.len() - 1;
        let seal = format!("end {count} {}", Digest::of(&text.as_bytes()[..=body.len()]));
        if last != seal {
            return Err(wrong(lines.len() + 1, "its seal is not that of its lines"));
        }
        let mut trees = BTreeMap::new();
        let steps = lines.iter().enumerate().skip(1);
        let steps = steps.map(|(index, line)| {
            let step = step(line).and_then(|step| inside(step, &mut trees));
            step.ok_or(wrong(index + 1, "it is no step"))
        });
        Ok(Self { steps: steps.collect::<Result<_, _>>()? })
    }
}

/// Completes the name of a body in a staged folder: where its path lies below that of the folder.
fn inside(mut step: Step, trees: &mut BTreeMap<String, String>) -> Option<Step> {
    match &mut step {
        Step::Tree { path, slot, .. } if trees.insert(slot.clone(), path.clone()).is_some() => return None,
        Step::Create { path, slot, .. } if slot.starts_with('t') => {
            let below = path.strip_prefix(trees.get(slot)?)?.strip_prefix('/')?;
            *slot = format!("{slot}/{below}");
        }
        _ => {}
    }
    Some(step)
}

fn step(line: &str) -> Option<Step> {
    let (kind, rest) = line.split_once(' ')?;
    let word = |text: &mut &str| -> Option<String> {
        let (word, rest) = text.split_once(' ')?;
        *text = rest;
        Some(word.to_owned())
    };
    let digest = |text: &mut &str| Digest::parse(&word(text)?);
    let mut rest = rest;
    let step = match kind {
        "folder" => Step::Folder { path: rest.to_owned() },
        "tree" => {
            let slot = tree_name(word(&mut rest)?)?;
            Step::Tree { path: rest.to_owned(), slot, whole: false }
        }
        "clear" => Step::Clear { path: rest.to_owned() },
        "create" => {
            let slot = word(&mut rest)?;
            let slot = tree_name(slot.clone()).or_else(|| name(slot))?;
            let after = digest(&mut rest)?;
            Step::Create { path: rest.to_owned(), slot, after }
        }
        "replace" => {
            let (slot, aside) = (name(word(&mut rest)?)?, name(word(&mut rest)?)?);
            let (before, after) = (digest(&mut rest)?, digest(&mut rest)?);
            Step::Replace { path: rest.to_owned(), slot, aside, before, after }
        }
        "remove" => {
            let (aside, before) = (name(word(&mut rest)?)?, digest(&mut rest)?);
            Step::Remove { path: rest.to_owned(), aside, before }
        }
        "mode" => {
            let old = word(&mut rest)?;
            let old = u32::from_str_radix(&old, 8).ok().filter(|bits| *bits <= 0o777 && old.len() == 3)?;
            let mode = match word(&mut rest)?.as_str() {
                "regular" => FileMode::Regular,
                "executable" => FileMode::Executable,
                _ => return None,
            };
            let digest = digest(&mut rest)?;
            Step::Mode { path: rest.to_owned(), digest, old, mode }
        }
        _ => return None,
    };
    if matches!(step, Step::Tree { .. }) && step.path().split('/').next() == Some(".megax") {
        return None;
    }
    let is_folder = matches!(step, Step::Folder { .. } | Step::Clear { .. } | Step::Tree { .. });
    is_path(step.path(), is_folder).then_some(step)
}

/// `n12` or `o12`: what staging and displacing call their files.
fn name(text: String) -> Option<String> {
    is_number(text.strip_prefix(['n', 'o'])?).then_some(text)
}

/// `t3`: what staging calls a folder.
pub(super) fn tree_name(text: String) -> Option<String> {
    is_number(text.strip_prefix('t')?).then_some(text)
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An output path, or a place of the lockfile. Nothing else of `.megax` is ever named by a journal.
fn is_path(path: &str, is_folder: bool) -> bool {
    let lock = path.strip_prefix(".megax/lock").filter(|below| below.is_empty() || below.starts_with('/'));
    if let Some(below) = lock {
        let names: Vec<&str> = below.split('/').skip(1).collect();
        return match (is_folder, names.as_slice()) {
            (true, []) => below.is_empty(),
            (true, [team]) => is_name(team),
            (false, [team, file]) => is_name(team) && without_ending(file).is_some_and(is_name),
            _ => false,
        };
    }
    OutputPath::parse(path).is_ok_and(|parsed| parsed.as_str() == path)
}

#[cfg(test)]
mod tests {
    use super::super::fuzzing;
    use super::*;
    use proptest::prelude::*;

    fn journal() -> Journal {
        let (before, after) = (Digest::of(b"before"), Digest::of(b"after"));
        let text = |text: &str| text.to_owned();
        Journal {
            steps: vec![
                Step::Remove { path: text("old/ä b.txt"), aside: text("o7"), before },
                Step::Clear { path: text("src/x") },
                Step::Folder { path: text("src/a") },
                Step::Create { path: text("src/a/x.ts"), slot: text("n0"), after },
                Step::Tree { path: text("new"), slot: text("t4"), whole: false },
                Step::Folder { path: text("new") },
                Step::Folder { path: text("new/b") },
                Step::Create { path: text("new/b/y z.ts"), slot: text("t4/b/y z.ts"), after },
                Step::Replace { path: text("src/b.ts"), slot: text("n1"), aside: text("o8"), before, after },
                Step::Tree { path: text(".megaxes"), slot: text("t5"), whole: false },
                Step::Folder { path: text(".megaxes") },
                Step::Mode { path: text("run.sh"), digest: before, old: 0o644, mode: FileMode::Executable },
                Step::Folder { path: text(".megax/lock/alpha") },
                Step::Create { path: text(".megax/lock/alpha/a-1.lock"), slot: text("n2"), after },
            ],
        }
    }

    #[test]
    fn a_journal_reads_as_it_was_written_and_a_changed_one_does_not() {
        let text = journal().to_text();
        assert_eq!(Journal::parse(&text), Ok(journal()));
        assert_eq!(Journal::parse(&Journal::default().to_text()), Ok(Journal::default()));
        for at in 0..text.len() {
            if text.is_char_boundary(at) {
                assert!(Journal::parse(&text[..at]).is_err(), "cut off at {at}");
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1;
                let changed = String::from_utf8_lossy(&changed).into_owned();
                assert!(Journal::parse(&changed).is_err(), "changed at {at}");
            }
        }
    }

    #[test]
    fn a_journal_with_a_right_seal_still_names_no_other_place() {
        let digest = Digest::of(b"x");
        for line in [
            format!("create n0 {digest} ../x"),
            format!("create n0 {digest} /etc/x"),
            format!("create n0 {digest} .git/config"),
            format!("create n0 {digest} .megax/kept/x"),
            format!("create n0 {digest} .megax/lock/../../x.lock"),
            format!("create n0 {digest} .megax/lockx"),
            format!("create ../n0 {digest} a"),
            format!("create guard {digest} a"),
            format!("remove n {digest} a"),
            format!("mode 4755 regular {digest} a"),
            format!("create t0 {digest} a/b"),
            format!("create t0/../n1 {digest} a/b"),
            format!("tree t0 a\ncreate t1 {digest} a/b"),
            format!("tree t0 a\ncreate t0 {digest} ab"),
            format!("tree t0 a\ncreate t0 {digest} b/c"),
            format!("tree t0 a\nreplace t0 o1 {digest} {digest} a/b"),
            "tree t0 a\ntree t0 b".to_owned(),
            "tree n0 a".to_owned(),
            "tree t0 ..".to_owned(),
            "tree t0 .megax/lock".to_owned(),
            "folder ..".to_owned(),
            "folder .megax".to_owned(),
            "folder .megax/lockx/alpha".to_owned(),
            format!("create n0 {digest} .megax/lockx/alpha/a.lock"),
            "clear .megax/log".to_owned(),
            "run x".to_owned(),
        ] {
            let body = format!("{VERSION}\n{line}\n");
            let count = line.split('\n').count();
            let text = format!("{body}end {count} {}\n", Digest::of(body.as_bytes()));
            assert!(Journal::parse(&text).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}", lines in proptest::collection::vec("(create|replace|folder|mode|end) .{0,40}", 0..5)) {
            fuzzing::journal(&text);
            fuzzing::journal(&format!("{VERSION}\n{}\n", lines.join("\n")));
        }

        #[test]
        fn what_is_read_names_only_safe_places(
            lines in proptest::collection::vec(
                "(folder|clear|tree t[0-9]|create [nt][0-9] D|remove o[0-9] D|replace n[0-9] o[0-9] D D|mode 644 regular D) \
                 (a|b|\\.megax/lock[x/]{0,2}|\\.git|\\.\\.|/)(/[ab.]{1,2}){0,2}(\\.lock|\\.claim)?",
                0..4,
            ),
        ) {
            let lines = lines.join("\n").replace('D', &Digest::of(b"").to_string());
            fuzzing::journal(&format!("{VERSION}\n{lines}\n"));
        }
    }
}
