//! `megax init`: a project to start from.

use std::path::{Path, PathBuf};

use super::project::{self, Teams};
use super::write;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::made::{Made, Step};
use crate::source::load::{MANIFEST_NAMES, display, manifest_above, normal};

/// What a new project is to be.
#[derive(Debug, Clone)]
pub struct Init {
    /// The folder that relative paths start from.
    pub current: PathBuf,
    /// The folder of the project; it may not exist yet.
    pub dir: PathBuf,
    /// Its teams.
    pub teams: Teams,
    /// Also make `.gitattributes`.
    pub gitattributes: bool,
    /// Allow a project inside another one.
    pub nested: bool,
    /// Only say what would be made.
    pub dry_run: bool,
}

/// Makes a project. Files that are there with the same text stay; anything else in the way stops it before anything is
/// written.
#[must_use]
pub fn init(request: &Init) -> Made {
    let root = normal(&request.current.join(&request.dir));
    let shown = display(&root, &request.current);
    let mut made = Made::new("init", shown.clone(), request.dry_run);
    let files = project::files(request.teams, request.gitattributes);
    let outcome = match in_the_way(request, &root) {
        Some(finding) => Err(finding),
        None => write::files(&root, &files, request.dry_run, HELP),
    };
    match outcome {
        Ok(files) => {
            made.files = files;
            if shown != "." {
                made.next.push(Step::new(format!("cd {}", quoted(&shown)), ""));
            }
            made.next.push(Step::new("megax expand --dry-run", "see what the mega-files would make"));
            made.next.push(Step::new("megax expand", "write it"));
            made.next.push(Step::new("megax status", "what each team has, and what it is to have"));
        }
        Err(finding) => made.findings.push(finding),
    }
    made
}

const HELP: &str = "megax init replaces nothing: move them away, or start in an empty folder";

/// A manifest above, or one of the other name here.
fn in_the_way(request: &Init, root: &Path) -> Option<Diagnostic> {
    let other = root.join(MANIFEST_NAMES[1]);
    if other.is_file() {
        let message = format!("this is a project already: its manifest is `{}`", MANIFEST_NAMES[1]);
        let help = "`megax new TEAM KIND` adds a mega-file to it";
        return Some(Diagnostic::new(Code::AlreadyThere, message).help(help));
    }
    let above = manifest_above(root.parent()?).filter(|_| !request.nested)?;
    let message = format!("this folder is inside another project, that of `{}`", display(&above, &request.current));
    let help = "`megax new TEAM KIND` adds a mega-file to that project; `--nested` makes a project of its own here";
    Some(Diagnostic::new(Code::AlreadyThere, message).help(help))
}

/// A path as a word of a shell.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
