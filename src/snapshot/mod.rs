//! The golden record of what one mega-file expands to, as text that people read in a review.
//!
//! A snapshot lies at `snapshots/<team>/<mega-file id>.snap` below the project root, one per mega-file, so that no two
//! teams ever merge one file. It lists every file with its lines and digest, and shows the text of some. This module
//! only makes the text and reads its header; it must never touch the disk, and never show a character that a terminal
//! or an editor would obey, hide or strip (see [`excerpt()`]).

mod excerpt;
mod texts;

use std::fmt::Write as _;

pub use excerpt::excerpt;
pub use texts::Texts;

use crate::digest::tree_digest;
use crate::lockfile::{escape, is_name};
use crate::output::Facts;
use crate::path::{FileMode, OutputPath};

/// The first line of every snapshot that this version reads and writes.
pub const VERSION_LINE: &str = "megax-snapshot 1";
/// The folder of the snapshots, below the project root.
pub const FOLDER: &str = "snapshots";
/// How the name of a snapshot ends.
pub const ENDING: &str = ".snap";

/// What one mega-file expands to.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its team.
    pub team: String,
    /// Its id.
    pub mega_file: String,
    /// Which texts are shown.
    pub texts: Texts,
    /// The files, sorted by path.
    pub files: Vec<File>,
}

/// One file of a snapshot.
#[derive(Debug, Clone)]
pub struct File {
    /// Where.
    pub path: OutputPath,
    /// How it is to be executed.
    pub mode: FileMode,
    /// Written if absent, then the user's.
    pub once: bool,
    /// What is known of its body.
    pub facts: Facts,
    /// Its text, if it is one of the chosen.
    pub shown: Option<Shown>,
}

/// The text of a file and what made it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The rule's number in the mega-file, from 1.
    pub rule: usize,
    /// The template.
    pub template: String,
    /// The text as [`excerpt()`] gives it.
    pub excerpt: String,
}

/// Where the snapshot of a mega-file lies, relative to the project root; `None` for a team or id that is no name.
#[must_use]
pub fn place(team: &str, id: &str) -> Option<String> {
    (is_name(team) && is_name(id)).then(|| format!("{FOLDER}/{team}/{id}{ENDING}"))
}

/// The team and the mega-file whose snapshot lies at a path.
#[must_use]
pub fn owner(path: &str) -> Option<(&str, &str)> {
    let (team, name) = path.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('/')?;
    let id = name.strip_suffix(ENDING)?;
    (is_name(team) && is_name(id)).then_some((team, id))
}

/// The choice of texts that the header of a stored snapshot records.
///
/// # Errors
/// Why the text is no snapshot that this version reads, as a lower-case fragment.
pub fn recorded(text: &str) -> Result<Texts, String> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if first != VERSION_LINE {
        return Err(format!("it does not begin with the line `{VERSION_LINE}`"));
    }
    let chosen = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("texts "));
    let words: Vec<String> = chosen.map(str::to_owned).collect();
    Ok(Texts::of(&words)?.unwrap_or_default())
}

impl Snapshot {
    /// Lines of all files.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.files.iter().map(|file| file.facts.lines).sum()
    }

    /// The digest over path, mode and body of all files.
    #[must_use]
    pub fn tree(&self) -> crate::digest::Digest {
        tree_digest(self.files.iter().map(|file| (&file.path, file.mode, file.facts.digest)))
    }

    /// The text of the snapshot. Equal expansions give equal texts, on every machine.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION_LINE}\nmega-file {}\nteam {}\n", self.mega_file, self.team);
        for word in self.texts.words() {
            text.extend(["texts ", word, "\n"]);
        }
        let bytes: u64 = self.files.iter().map(|file| file.facts.bytes).sum();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "files {}\nlines {}\nbytes {bytes}", self.files.len(), self.lines());
        let _ = writeln!(text, "tree {}\n", self.tree());
        for file in &self.files {
            let mode = if file.mode == FileMode::Executable { "executable " } else { "" };
            let once = if file.once { "once " } else { "" };
            // A fixed width: a longer number elsewhere must not change this line.
            let _ = writeln!(text, "{:>6} {} {mode}{once}{}", file.facts.lines, file.facts.digest.short(), file.path);
        }
        for file in &self.files {
            let Some(shown) = &file.shown else { continue };
            let _ = writeln!(text, "\nfile {}\nrule {}, template {}", file.path, shown.rule, escape(&shown.template));
            text.push_str(&shown.excerpt);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, body: &str, shown: bool) -> File {
        let shown = shown.then(|| Shown { rule: 1, template: "page".into(), excerpt: excerpt(body.as_bytes()) });
        let (path, facts) = (OutputPath::parse(path).unwrap(), Facts::of(body.as_bytes()));
        File { path, mode: FileMode::Regular, once: false, facts, shown }
    }

    fn sample() -> Snapshot {
        let mut run = file("bin/run", "#!/bin/sh\n", false);
        (run.mode, run.once) = (FileMode::Executable, true);
        let files = vec![run, file("src/a.ts", "a\n\nb", true)];
        Snapshot { team: "beta".into(), mega_file: "api-1".into(), texts: Texts::default(), files }
    }

    #[test]
    fn the_text_is_the_format() {
        let tree = sample().tree();
        let expected = format!(
            "megax-snapshot 1\nmega-file api-1\nteam beta\ntexts first\nfiles 2\nlines 4\nbytes 14\ntree {tree}\n\n     1 {} \
             executable once bin/run\n     3 {} src/a.ts\n\nfile src/a.ts\nrule 1, template page\n| a\n|\n| b\n% no newline \
             at the end\n",
            Facts::of(b"#!/bin/sh\n").digest.short(),
            Facts::of(b"a\n\nb").digest.short(),
        );
        assert_eq!(sample().to_text(), expected);
    }

    #[test]
    fn the_header_keeps_the_choice_of_texts() {
        let mut snapshot = sample();
        for words in [&["none"][..], &["first"], &["first", "src/**"], &["none", "*.md", "src/**"]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            snapshot.texts = Texts::of(&words).unwrap().unwrap();
            assert_eq!(recorded(&snapshot.to_text()), Ok(snapshot.texts.clone()), "{words:?}");
            assert_eq!(recorded(&snapshot.to_text().replace('\n', "\r\n")), Ok(snapshot.texts.clone()), "CRLF");
        }
        assert!(recorded("").is_err() && recorded("megax-snapshot 2\n").is_err());
        assert!(recorded("megax-snapshot 1\ntexts a[\n").is_err());
    }

    #[test]
    fn places_and_owners_agree_and_nothing_leaves_the_folder() {
        let place_of = |team, id| place(team, id);
        assert_eq!(place_of("beta", "api-1").as_deref(), Some("snapshots/beta/api-1.snap"));
        assert_eq!(owner("snapshots/beta/api-1.snap"), Some(("beta", "api-1")));
        assert_eq!((place_of("..", "x"), place_of("a", "b/c"), place_of("", "x")), (None, None, None));
        for path in ["snapshots/x.snap", "snapshots/a/b/c.snap", "snapshots/../c.snap", "snapshots/a/c.txt"] {
            assert_eq!(owner(path), None, "{path}");
        }
    }
}
