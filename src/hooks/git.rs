//! Where git looks for the hooks of a repository, read from its files; git itself is never run. And the text of our hook.
//!
//! Known: a `.git` that is a folder or a file (worktrees, submodules), the shared folder of worktrees, and `core.hooksPath`
//! of the repository's own configuration. The configuration of the user or of the machine, and files that are included, are
//! not read: a `core.hooksPath` there is not seen.

use std::path::{Path, PathBuf};

use crate::source::load::{display, normal};
use crate::source::read::{bytes, real};

/// Most bytes of a file of git that are looked at.
const MAX_BYTES: usize = 1 << 20;
/// The line by which our hook is known.
const MARK: &str = "# megax-hook ";
/// The line after it.
const NOTE: &str =
    "# No generated file is committed with an edit made by hand. To pass by once: git commit --no-verify";
/// What lists the files about to be committed, and whether the disk holds the same. The branch comes first, so that a list
/// that git did not print is not taken for an empty one.
const STAGED: &str = "git --no-optional-locks status --porcelain=v1 --branch --no-ahead-behind -z --no-renames \
                      --untracked-files=no --ignore-submodules=dirty";
/// What stands between megax and the manifest.
const COMMITTING: &str = " guard --committing --manifest ";

/// A repository that holds a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The top of the working tree, where hooks run.
    pub top: PathBuf,
    /// The folder of the hooks, whether it exists or not.
    pub hooks: PathBuf,
    /// Whether the hooks are this repository's own; else other repositories may use them as well.
    pub is_own: bool,
    /// A `core.hooksPath` of which only git knows where it leads; `hooks` is then where they would be without it.
    pub unread: Option<String>,
    /// The folders that were looked at, besides the working tree.
    pub folders: Vec<PathBuf>,
}

/// The repository around a folder; `None` if there is none.
pub fn around(folder: &Path) -> Option<Repository> {
    let folder = real(folder);
    folder.ancestors().find_map(at)
}

fn at(top: &Path) -> Option<Repository> {
    let link = top.join(".git");
    let own = if link.is_dir() {
        link
    } else {
        let text = line(&link)?;
        normal(&top.join(text.strip_prefix("gitdir:")?.trim()))
    };
    // Any folder may have the name; git asks for this file, too.
    std::fs::symlink_metadata(own.join("HEAD")).ok()?;
    let shared = line(&own.join("commondir")).map_or_else(|| own.clone(), |text| normal(&own.join(text)));
    let (common, of_worktree) = (text(&shared.join("config")), text(&own.join("config.worktree")));
    let has_own = value(&common, "extensions", "worktreeconfig").is_some_and(|value| is_true(&value));
    let named = has_own.then(|| value(&of_worktree, "core", "hookspath")).flatten();
    let named = named.or_else(|| value(&common, "core", "hookspath")).filter(|value| !value.is_empty());
    let unread = named.clone().filter(|value| is_odd(value));
    let named = named.filter(|value| !is_odd(value));
    let hooks = named.map_or_else(|| shared.join("hooks"), |path| normal(&top.join(path)));
    let is_own = [top, &shared, &own].iter().any(|folder| real(&hooks).starts_with(real(folder)));
    Some(Repository { top: top.to_path_buf(), hooks, is_own, unread, folders: vec![own, shared] })
}

/// The first line of a file.
fn line(path: &Path) -> Option<String> {
    let text = String::from_utf8(bytes(path, MAX_BYTES).ok()?).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The text of a file; empty if it has none.
fn text(file: &Path) -> String {
    bytes(file, MAX_BYTES).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The value of a key in a configuration, as it is written there; the last one counts.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let (mut is_it, mut found) = (false, None);
    for mut line in text.lines().map(str::trim) {
        if let Some((name, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            is_it = name.trim().eq_ignore_ascii_case(section);
            line = rest.trim();
        }
        let (name, value) = line.split_once('=').unwrap_or((line, if key == "worktreeconfig" { "true" } else { "" }));
        if is_it && name.trim().eq_ignore_ascii_case(key) {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

fn is_true(value: &str) -> bool {
    ["true", "yes", "on", "1"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether git makes another path of a value than the one that is written there.
fn is_odd(value: &str) -> bool {
    value.starts_with('~') || value.starts_with("%(prefix)") || value.contains(['\\', '"', '#', ';'])
}

/// The pipe that a hook of one's own needs.
pub fn pipe(megax: &str, manifest: &str) -> String {
    let (megax, manifest) = (super::shell_word(megax), super::shell_word(manifest));
    format!("{STAGED} | {megax}{COMMITTING}{manifest}")
}

/// The manifest as the hook names it: relative to the top of the working tree.
pub fn manifest_name(repository: &Repository, manifest: &Path) -> String {
    let parent = manifest.parent().map_or_else(|| manifest.to_path_buf(), real);
    let name = manifest.file_name().map_or_else(|| parent.clone(), |name| parent.join(name));
    display(&name, &repository.top)
}

/// Our hook.
pub fn script(megax: &str, manifest: &str) -> String {
    let there = super::shell_word(manifest);
    let pipe = pipe(megax, manifest);
    format!(
        "#!/bin/sh\n\
         {MARK}1: `megax hooks install git` writes this file, `megax hooks remove git` removes it.\n\
         {NOTE}\n\
         test -e {there} || exit 0\n\
         {pipe}\n"
    )
}

/// Whether a hook is ours: to the byte what [`script`] writes for the megax and the manifest that it names. One with a line
/// more is somebody's.
pub fn is_ours(text: &str) -> bool {
    let words = text.trim_end().rsplit_once(COMMITTING).and_then(|(before, manifest)| {
        let (_, megax) = before.rsplit_once(&format!("{STAGED} | "))?;
        Some((super::word_of_shell(megax)?, super::word_of_shell(manifest)?))
    });
    words.is_some_and(|(megax, manifest)| script(&megax, &manifest) == text)
}

/// The lines of a hook that megax wrote, with their numbers; none if it never wrote one.
pub fn own_lines(text: &str) -> Vec<(usize, &str)> {
    if !text.lines().any(|line| line.starts_with(MARK)) {
        return Vec::new();
    }
    let is_test = |line: &str| line.starts_with("test -e ") && line.ends_with(" || exit 0");
    let is_own =
        |line: &str| line.starts_with(MARK) || line == NOTE || is_test(line) || line.contains(COMMITTING.trim_end());
    text.lines().enumerate().filter(|(_, line)| is_own(line)).map(|(at, line)| (at + 1, line)).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_hooks_path_is_read_as_git_reads_it() {
        let path = |text: &str| value(text, "core", "hookspath");
        assert_eq!(path("[core]\n\tbare = false\n"), None);
        assert_eq!(path("[core]\n\thooksPath = .husky/_\n").as_deref(), Some(".husky/_"));
        assert_eq!(path("[CORE] HooksPath=my hooks\n[user]\nhooksPath = no\n").as_deref(), Some("my hooks"));
        assert_eq!(path("[core \"sub\"]\nhooksPath = no\n"), None);
        assert_eq!(path("[core]\nhooksPath = a\nhooksPath = b\n").as_deref(), Some("b"));
        for odd in ["~/hooks", "%(prefix)/x", "\"a b\"", "a # why", "a;b", r"a\\b"] {
            assert!(is_odd(&path(&format!("[core]\nhooksPath = {odd}\n")).unwrap()), "{odd}");
        }
        assert!(!is_odd("a~/%(prefix)"));
    }

    #[test]
    fn a_repository_is_found_from_below_and_through_a_git_file() {
        let place = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(place.path()).unwrap();
        fs::create_dir_all(top.join("main/.git/worktrees/w")).unwrap();
        fs::create_dir_all(top.join("main/app/deep")).unwrap();
        fs::create_dir_all(top.join("w/.git-no")).unwrap();
        assert_eq!(around(&top.join("main/app/deep")), None, "a folder called .git is no repository");
        fs::write(top.join("main/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        let found = around(&top.join("main/app/deep")).unwrap();
        assert_eq!((found.top, found.hooks, found.is_own), (top.join("main"), top.join("main/.git/hooks"), true));
        fs::write(top.join("w/.git"), "gitdir: ../main/.git/worktrees/w\n").unwrap();
        fs::write(top.join("main/.git/worktrees/w/HEAD"), "x\n").unwrap();
        fs::write(top.join("main/.git/worktrees/w/commondir"), "../..\n").unwrap();
        let found = around(&top.join("w")).unwrap();
        assert_eq!((found.top.clone(), found.hooks.clone()), (top.join("w"), top.join("main/.git/hooks")));
        fs::write(top.join("main/.git/config"), "[core]\nhooksPath = ../elsewhere\n").unwrap();
        let found = around(&top.join("w")).unwrap();
        assert_eq!((found.hooks, found.is_own), (top.join("elsewhere"), false), "shared with others");
        fs::write(top.join("main/.git/worktrees/w/config.worktree"), "[core]\nhooksPath = ~/mine\n").unwrap();
        assert_eq!(around(&top.join("w")).unwrap().unread, None, "a file that git does not read");
        fs::write(top.join("main/.git/config"), "[extensions]\nworktreeConfig = true\n").unwrap();
        assert_eq!(around(&top.join("w")).unwrap().unread.as_deref(), Some("~/mine"));
    }

    #[test]
    fn the_script_is_known_again_and_its_words_are_quoted() {
        let text = script("/opt/a b/megax", "app/megax.yaml");
        assert!(is_ours(&text) && !is_ours("#!/bin/sh\nmegax guard --committing\n"));
        assert!(is_ours(&script("it's\nodd", "a b.yaml")));
        for theirs in [format!("{text}npm test\n"), text.replace("| '/opt", "| X=1 '/opt"), text.replace("-z ", "")] {
            assert!(!is_ours(&theirs), "{theirs}");
            let own: Vec<usize> = own_lines(&theirs).into_iter().map(|(at, _)| at).collect();
            assert_eq!(own, [2, 3, 4, 5], "{theirs}");
        }
        assert!(own_lines("#!/bin/sh\nmegax guard --committing --manifest x\n").is_empty());
        assert!(text.contains("| '/opt/a b/megax' guard --committing --manifest app/megax.yaml\n"), "{text}");
    }
}
