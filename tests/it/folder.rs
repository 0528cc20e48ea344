//! Folders as values: list, copy, and print what differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Longer texts are counted, not printed.
const SHOWN_LINES: usize = 60;

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Folder,
    File {
        bytes: Vec<u8>,
        executable: bool,
    },
    Symlink(PathBuf),
    /// A FIFO, a socket, a device.
    Other,
}

/// Everything below a folder by relative path; folders end in `/`. Symlinks are not followed.
pub fn entries(root: &Path) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    collect(root, "", &mut found);
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Entry>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
            found.insert(format!("{name}/"), Entry::Folder);
        } else if kind.is_symlink() {
            found.insert(name, Entry::Symlink(fs::read_link(entry.path()).unwrap()));
        } else if !kind.is_file() {
            found.insert(name, Entry::Other);
        } else {
            let executable = entry.metadata().unwrap().permissions().mode() & 0o111 != 0;
            found.insert(name, Entry::File { bytes: fs::read(entry.path()).unwrap(), executable });
        }
    }
}

/// What a user calls the output: everything but megax's own folder and the inputs.
pub fn outputs(root: &Path) -> BTreeMap<String, Entry> {
    let inputs = ["megax.yaml", "megafiles/", "data/", "templates/", "snapshots/", ".megax/"];
    let mut all = entries(root);
    all.retain(|path, _| !inputs.iter().any(|input| path.starts_with(input)));
    all
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (path, entry) in entries(from) {
        let target = to.join(&path);
        match entry {
            Entry::Folder => fs::create_dir_all(target).unwrap(),
            Entry::Other => panic!("{path} cannot be copied"),
            Entry::Symlink(link) => {
                fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::os::unix::fs::symlink(link, target).unwrap();
            }
            Entry::File { .. } => {
                fs::create_dir_all(target.parent().unwrap()).unwrap();
                fs::copy(from.join(&path), target).unwrap();
            }
        }
    }
}

/// What a run left behind: every path that differs from `before`, with its text. Of megax's own folder only the records
/// are named, which a user commits or brings back.
pub fn difference(before: &Path, after: &Path) -> String {
    let (before, after) = (entries(before), entries(after));
    let mut text = "=== files made or changed\n".to_owned();
    for (path, entry) in &after {
        if before.get(path) == Some(entry) {
            continue;
        }
        if let Some((_, own)) = format!("/{path}").split_once("/.megax/") {
            if (own.starts_with("lock/") || own.starts_with("kept/")) && *entry != Entry::Folder {
                let _ = writeln!(text, "{path}");
            }
            continue;
        }
        match entry {
            // A folder with something in it shows by its files.
            Entry::Folder if after.keys().any(|other| other.len() > path.len() && other.starts_with(path)) => {}
            Entry::Folder => drop(writeln!(text, "{path} (empty)")),
            Entry::Other => drop(writeln!(text, "{path} (no file)")),
            Entry::Symlink(target) => drop(writeln!(text, "{path} -> {}", target.display())),
            Entry::File { bytes, executable } => {
                let mode = if *executable { " (executable)" } else { "" };
                let _ = write!(text, "{path}{mode}\n{}", indented(bytes));
            }
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        let _ = writeln!(text, "gone: {path}");
    }
    text
}

/// The text of a file, every line after a bar, so that blanks at the end of a line show.
pub fn indented(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return format!("  ({} bytes that are no text)\n", bytes.len()) };
    if text.lines().count() > SHOWN_LINES {
        return format!("  ({} lines)\n", text.lines().count());
    }
    let mut out = text.split_inclusive('\n').fold(String::new(), |out, line| out + "  |" + line);
    if !text.is_empty() && !text.ends_with('\n') {
        out.push_str("\n  (no newline at the end)\n");
    }
    out
}

#[test]
fn a_difference_shows_mode_text_and_what_is_gone() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, name, text) in [(&before, "same", "1"), (&after, "same", "1"), (&before, "old", "")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(after.path().join("run.sh"), "a \nb").unwrap();
    fs::set_permissions(after.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(after.path().join("x/empty")).unwrap();
    let expected = "=== files made or changed\nrun.sh (executable)\n  |a \n  |b\n  (no newline at the end)\n\
                    x/empty/ (empty)\ngone: old\n";
    assert_eq!(difference(before.path(), after.path()), expected);
}
