//! `megax init`: a project to start from.

use std::path::{Path, PathBuf};

use super::project::{self, Teams};
use super::{agents, write};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::made::{Made, Step};
use crate::source::load::{MANIFEST_NAMES, display, manifest_above, normal};

/// What a new project is to be.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
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
    /// Also keep the block for agents in `AGENTS.md`; in a project that is there already, do only that.
    pub agents: bool,
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
    if request.agents && is_project(&root) {
        agents_only(&mut made, &root);
        return made;
    }
    if let Err(finding) = everything(request, &root, &mut made) {
        made.files.clear();
        made.findings.push(finding);
        return made;
    }
    if shown != "." {
        made.next.push(Step::new(format!("cd {}", quoted(&shown)), ""));
    }
    made.next.push(Step::new("megax expand --dry-run", "see what the mega-files would make"));
    made.next.push(Step::new("megax expand", "write it"));
    made.next.push(Step::new("megax status", "what each team has, and what it is to have"));
    made
}

/// Whether a folder has a manifest of its own.
#[must_use]
pub fn is_project(folder: &Path) -> bool {
    MANIFEST_NAMES.iter().any(|name| std::fs::symlink_metadata(folder.join(name)).is_ok())
}

fn everything(request: &Init, root: &Path, made: &mut Made) -> Result<(), Diagnostic> {
    if let Some(finding) = in_the_way(request, root) {
        return Err(finding);
    }
    // Before anything is made: a file whose markers are broken stops all.
    let agents = if request.agents { Some(agents::plan(root, &mut made.sources)?) } else { None };
    let files = project::files(request.teams, request.gitattributes);
    made.files = write::files(root, &files, request.dry_run, HELP)?;
    if let Some(agents) = agents {
        made.files.push(agents.write(request.dry_run)?);
    }
    Ok(())
}

fn agents_only(made: &mut Made, root: &Path) {
    let written = agents::plan(root, &mut made.sources).and_then(|agents| agents.write(made.dry_run));
    match written {
        Ok(file) => {
            made.files.push(file);
            made.next.push(Step::new("megax brief TEAM", "what an agent of a team is told"));
        }
        Err(finding) => made.findings.push(finding),
    }
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
