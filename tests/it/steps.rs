//! The small language of `steps`, one step per line, and the folder in which a case plays.
//!
//! | step | does |
//! |---|---|
//! | `megax ARGS` | runs the command; the record holds exit code, stdout and stderr |
//! | `cd PATH` | the current folder of the commands that follow, relative to the project |
//! | `write PATH TEXT`, `append PATH TEXT` | writes a file; `\n`, `\r` and `\t` in TEXT are what they mean, a newline is added |
//! | `replace PATH OLD NEW` | replaces OLD in a file, where it must occur; `\n` and `\r` as above |
//! | `remove PATH`, `rename A B`, `folder PATH`, `symlink TARGET PATH` | as they say |
//! | `crlf PATH`, `lf PATH` | turns the line endings of a file, or of all texts below a folder, as git may |
//! | `make-old` | gives every file and folder an old time, so that `show-touched` can list what was touched since |
//! | `mode OCTAL PATH` | changes the mode of a file |
//! | `hold TEAM`, `let-go` | plays another run that holds a team, until it lets all go |
//! | `show PATH` | puts the text of a file into the record |
//!
//! Words are split at blanks; `'...'` and `"..."` keep blanks. `#` begins a comment line.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::folder;

/// One line of `steps`.
#[derive(Debug)]
pub enum Step {
    Megax(Vec<String>),
    Cd(String),
    Write(String, String),
    Append(String, String),
    Replace(String, String, String),
    Remove(String),
    Rename(String, String),
    Folder(String),
    Symlink(String, String),
    Mode(u32, String),
    Endings(&'static str, String),
    Hold(String),
    LetGo,
    MakeOld,
    ShowTouched,
    Show(String),
}

impl Step {
    /// The steps with their lines, or what is wrong with the first bad one.
    pub fn parse_all(text: &str) -> Result<Vec<(String, Self)>, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        lines.map(|(number, line)| Ok((line.to_owned(), Self::parse(line, number + 1)?))).collect()
    }

    fn parse(line: &str, number: usize) -> Result<Self, String> {
        let wrong = || format!("line {number}: `{line}` is no step");
        let words = words(line).ok_or_else(wrong)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        let body = |text: &str| text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t") + "\n";
        Ok(match words.as_slice() {
            ["megax", args @ ..] => Self::Megax(args.iter().map(|arg| own(arg)).collect()),
            ["cd", path] => Self::Cd(own(path)),
            ["write", path, text] => Self::Write(own(path), body(text)),
            ["append", path, text] => Self::Append(own(path), body(text)),
            ["replace", path, old, new] => {
                let inner = |text: &str| text.replace("\\n", "\n").replace("\\r", "\r");
                Self::Replace(own(path), inner(old), inner(new))
            }
            ["remove", path] => Self::Remove(own(path)),
            ["rename", from, to] => Self::Rename(own(from), own(to)),
            ["folder", path] => Self::Folder(own(path)),
            ["symlink", target, path] => Self::Symlink(own(target), own(path)),
            ["mode", mode, path] => Self::Mode(u32::from_str_radix(mode, 8).map_err(|_| wrong())?, own(path)),
            ["hold", team] => Self::Hold(own(team)),
            ["let-go"] => Self::LetGo,
            ["crlf", path] => Self::Endings("\r\n", own(path)),
            ["lf", path] => Self::Endings("\n", own(path)),
            ["make-old"] => Self::MakeOld,
            ["show-touched"] => Self::ShowTouched,
            ["show", path] => Self::Show(own(path)),
            _ => return Err(wrong()),
        })
    }
}

/// Splits at blanks; quotes of either kind keep them. `None` if a quote is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == ' ' => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The command in a cleared environment, with nothing that depends on the machine.
pub fn megax(current: &Path, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_megax"));
    command.env_clear().env("HOME", home).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    // The machine does not lose its power during a test.
    command.env("MEGAX_DURABILITY", "process");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.current_dir(current).stdin(Stdio::null());
    command
}

/// A copy of a case's project in a folder of its own.
pub struct Stage {
    folder: tempfile::TempDir,
    current: Mutex<PathBuf>,
    held: Mutex<Vec<fs::File>>,
}

impl Stage {
    /// Copies a project.
    pub fn of(input: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let stage = Self { folder, current: Mutex::new(PathBuf::new()), held: Mutex::default() };
        folder::copy(input, &stage.project());
        *stage.current.lock().unwrap() = stage.project();
        stage
    }

    /// The copy.
    pub fn project(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("project")
    }

    /// Takes the place of the machine out of a text.
    pub fn mask(&self, text: &str) -> String {
        text.replace(&*self.project().to_string_lossy(), "[DIR]")
    }

    /// What was made beside the project, where nothing may be made.
    pub fn strangers(&self) -> String {
        let mut text = String::new();
        for (path, _) in folder::entries(self.folder.path()) {
            if path != "home/" && !path.starts_with("project/") {
                let _ = writeln!(text, "!!! outside the project: {path}");
            }
        }
        text
    }

    /// Does one step; what belongs into the record.
    pub fn play(&self, line: &str, step: &Step) -> String {
        let at = |path: &str| self.project().join(path);
        let mut text = format!("$ {line}\n");
        match step {
            Step::Megax(args) => text.push_str(&self.run(args)),
            Step::Cd(path) => *self.current.lock().unwrap() = at(path),
            Step::Write(path, body) => {
                fs::create_dir_all(at(path).parent().unwrap()).unwrap();
                fs::write(at(path), body).unwrap();
            }
            Step::Append(path, body) => fs::write(at(path), fs::read_to_string(at(path)).unwrap() + body).unwrap(),
            Step::Replace(path, old, new) => {
                let before = fs::read_to_string(at(path)).unwrap();
                assert!(before.contains(old), "`{old}` is not in {path}");
                fs::write(at(path), before.replace(old, new)).unwrap();
            }
            Step::Remove(path) if at(path).is_dir() => fs::remove_dir_all(at(path)).unwrap(),
            Step::Remove(path) => fs::remove_file(at(path)).unwrap(),
            Step::Rename(from, to) => fs::rename(at(from), at(to)).unwrap(),
            Step::Folder(path) => fs::create_dir_all(at(path)).unwrap(),
            Step::Symlink(target, path) => {
                fs::create_dir_all(at(path).parent().unwrap()).unwrap();
                std::os::unix::fs::symlink(target, at(path)).unwrap();
            }
            Step::Mode(mode, path) => fs::set_permissions(at(path), fs::Permissions::from_mode(*mode)).unwrap(),
            Step::Hold(team) => {
                let guard = fs::File::open(at(&format!(".megax/guard/{team}.guard"))).unwrap();
                guard.try_lock().unwrap();
                self.held.lock().unwrap().push(guard);
            }
            Step::LetGo => self.held.lock().unwrap().clear(),
            Step::Endings(ending, path) => turn_endings(&at(path), ending),
            Step::MakeOld => make_old(&self.project()),
            Step::ShowTouched => text.push_str(&touched(&self.project())),
            Step::Show(path) => text.push_str(&folder::indented(&fs::read(at(path)).unwrap())),
        }
        text
    }

    fn run(&self, args: &[String]) -> String {
        let current = self.current.lock().unwrap().clone();
        let run = megax(&current, &self.folder.path().join("home")).args(args).output().unwrap();
        let code = run.status.code().map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n");
        for (stream, bytes) in [("stdout", run.stdout), ("stderr", run.stderr)] {
            if !bytes.is_empty() {
                let _ = write!(text, "-- {stream}\n{}", String::from_utf8_lossy(&bytes));
                if !bytes.ends_with(b"\n") {
                    text.push_str("\n(no newline at the end)\n");
                }
            }
        }
        text + "\n"
    }
}

/// Gives every text at or below `root` these line endings; what holds a NUL is no text, as git sees it.
pub fn turn_endings(root: &Path, ending: &str) {
    let below = if root.is_dir() { folder::entries(root).into_keys().collect() } else { vec![String::new()] };
    let mut turned = 0;
    for path in below.iter().map(|path| if path.is_empty() { root.to_owned() } else { root.join(path) }) {
        let text = if path.is_file() { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let new = text.replace("\r\n", "\n").replace('\n', ending);
        if new != text && !text.contains('\0') {
            fs::write(&path, new).unwrap();
            turned += 1;
        }
    }
    assert!(turned > 0, "no text at {} has other line endings", root.display());
}

/// Long before any test ran.
fn old() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Gives every file and folder below `root` an old time of change. Links have no time of their own here.
pub fn make_old(root: &Path) {
    for (path, _) in folder::entries(root) {
        let path = root.join(path);
        if !path.is_symlink() {
            fs::File::open(&path).and_then(|file| file.set_modified(old())).unwrap();
        }
    }
}

/// The files and folders below `root` that were touched since [`make_old`]. Stored inputs are named by digests that hold the
/// version of megax; that one is new is seen by their folder.
pub fn touched(root: &Path) -> String {
    let mut text = String::new();
    for (path, _) in folder::entries(root) {
        let full = root.join(&path);
        let is_input = path.split_once(".megax/inputs/").is_some_and(|(_, name)| !name.is_empty());
        if !is_input && !full.is_symlink() && fs::metadata(&full).and_then(|facts| facts.modified()).unwrap() != old() {
            let _ = writeln!(text, "touched: {path}");
        }
    }
    if text.is_empty() { "touched: nothing\n".to_owned() } else { text }
}

#[test]
fn a_touched_file_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "1").unwrap();
    fs::write(folder.path().join("b"), "1").unwrap();
    make_old(folder.path());
    assert_eq!(touched(folder.path()), "touched: nothing\n");
    fs::write(folder.path().join("a"), "1").unwrap();
    assert_eq!(touched(folder.path()), "touched: a\n");
}
