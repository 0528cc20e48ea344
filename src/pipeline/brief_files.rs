//! `megax brief --all DIR`: keeps briefs as files. Looks at all places first; only what megax wrote itself is replaced, and
//! what is the same is not touched. Below the project root no symlink is followed.

use std::path::Path;

use super::apply::disk_finding;
use crate::brief::saved;
use crate::change::{OnDisk, Survey};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::{Digest, lf_digest, same_text};
use crate::disk::{self, Root};
use crate::path::OutputPath;
use crate::report::brief::{Brief, BriefFile, BriefReport};
use crate::report::{Change, Outcome};
use crate::source::load::{display, normal};

/// A longer file is no brief.
const MOST_BYTES: u64 = 1 << 20;

/// Writes every brief of a report to a folder: absolute, or relative to `current`. All or none, as far as what is found
/// there decides it; what was done and what went wrong join the report.
pub fn save_briefs(report: &mut BriefReport, current: &Path, folder: &Path) {
    if report.diagnostics.has_errors() {
        return;
    }
    match save(report, current, folder) {
        Ok(files) => {
            let quiet = files.iter().all(|file| file.change == Change::Unchanged);
            report.outcome = if quiet { Outcome::NothingToDo } else { Outcome::Done };
            report.files = files;
        }
        Err(found) => {
            report.diagnostics.extend(found);
            report.outcome = Outcome::with_errors(&report.diagnostics, Outcome::Done);
        }
    }
}

fn save(report: &BriefReport, current: &Path, folder: &Path) -> Result<Vec<BriefFile>, Diagnostics> {
    let failed = |error: &disk::DiskError| Diagnostics::from_iter([disk_finding(error)]);
    let project = normal(&current.join(&report.root));
    let folder = normal(&current.join(folder));
    // From the project root on, no symlink is followed; a folder elsewhere is the user's own choice.
    let (base, below) = match folder.strip_prefix(&project) {
        Ok(below) => (project, below.to_string_lossy().replace('\\', "/")),
        Err(_) => (folder, String::new()),
    };
    let wanted = wanted(&report.briefs, &below)?;
    let root = Root::open(&base).map_err(|error| failed(&error))?;
    let paths: Vec<OutputPath> = wanted.iter().map(|(path, _)| path.clone()).collect();
    let survey = disk::survey(&root, &paths).map_err(|error| failed(&error))?;
    let steps = judge(&root, &wanted, &survey)?;
    let mut files = Vec::new();
    for ((path, text), (change, before)) in wanted.iter().zip(steps) {
        if change != Change::Unchanged {
            let written = disk::write_single(&root, path.as_str(), before, text.as_bytes(), 0o666);
            written.map_err(|error| failed(&error))?;
        }
        files.push(BriefFile { path: display(&base.join(path.as_str()), current), change });
    }
    Ok(files)
}

fn wanted(briefs: &[Brief], below: &str) -> Result<Vec<(OutputPath, String)>, Diagnostics> {
    let one = |brief: &Brief| {
        let name = brief.team.as_deref().map_or_else(|| saved::ORCHESTRATOR.to_owned(), saved::file_name);
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let text = saved::file_text(&brief.text);
        OutputPath::parse(&path).map(|path| (path, text)).map_err(|why| {
            let finding = Diagnostic::new(Code::BadPath, format!("no brief can be kept as `{path}`: {why}"));
            Diagnostics::from_iter([finding.help("name another folder")])
        })
    };
    briefs.iter().map(one).collect()
}

/// What is to be done at every place, and the digest of what it replaces.
fn judge(
    root: &Root,
    wanted: &[(OutputPath, String)],
    survey: &Survey,
) -> Result<Vec<(Change, Option<Digest>)>, Diagnostics> {
    let (mut steps, mut taken) = (Vec::new(), Vec::new());
    for (path, text) in wanted {
        let step = match survey.get(path) {
            None | Some(OnDisk::Absent) => Some((Change::Create, None)),
            Some(OnDisk::File { digest, lf_digest: lf, .. }) => {
                let new = (Digest::of(text.as_bytes()), lf_digest(text.as_bytes()));
                if same_text((*digest, *lf), new) {
                    Some((Change::Unchanged, None))
                } else {
                    let found = disk::read_up_to(root, path, MOST_BYTES).ok().flatten();
                    found.filter(|bytes| saved::is_own(bytes)).map(|_| (Change::Update, Some(*digest)))
                }
            }
            Some(_) => None,
        };
        match step {
            Some(step) => steps.push(step),
            None => taken.push(format!("`{path}`{}", survey.get(path).map_or("", what))),
        }
    }
    if taken.is_empty() {
        return Ok(steps);
    }
    let verb = if taken.len() == 1 { "is" } else { "are" };
    let message =
        format!("{} {verb} there already, and not written by `megax brief`; nothing was written", taken.join(", "));
    let finding = Diagnostic::new(Code::AlreadyThere, message);
    Err(Diagnostics::from_iter([finding.help("name another folder, or move them away")]))
}

fn what(found: &OnDisk) -> &'static str {
    match found {
        OnDisk::Other("a symlink") => " (a symlink)",
        OnDisk::Other(_) => " (no file)",
        OnDisk::Below(_) | OnDisk::Reserved(_) => " (a folder above it is none, or a symlink)",
        OnDisk::Unreadable => " (unreadable)",
        OnDisk::File { .. } | OnDisk::Absent => "",
    }
}
