//! `megax doctor`: whether the machine, the project and what runs left are as they should be. Nothing is mended here, and
//! nothing written (see [`crate::disk::examine`] for what is tried).

use std::path::{Path, PathBuf};

use super::STACK_BYTES;
use super::apply::disk_finding;
use super::inputs::ENGINE;
use crate::change::Shard;
use crate::diagnostic::Diagnostics;
use crate::disk::{self, Condition, DiskError, Own, Root};
use crate::handle;
use crate::limit::Limit;
use crate::model::manifest;
use crate::report::doctor::{Check, DoctorReport};
use crate::report::{bytes, count, number};
use crate::source::load::{display, manifest_above, normal};
use crate::source::{self, SourceSet, places};
use crate::span::SourceMap;

/// Less room than this is weak.
const LITTLE_BYTES: u64 = 256 << 20;
/// Fewer files and folders than this are weak.
const FEW_FILES: u64 = 10_000;

/// What is asked, and what only the caller knows.
#[derive(Debug, Clone)]
pub struct DoctorRequest {
    /// Where the project is.
    pub inputs: source::Request,
    /// What is known of the process itself: how it is confined.
    pub own: Vec<Check>,
    /// How many threads a run has.
    pub threads: Option<usize>,
}

/// Looks at everything. Never fails: what cannot be told is said to be unknown.
#[must_use]
pub fn doctor(request: &DoctorRequest) -> DoctorReport {
    let current = &request.inputs.current;
    let mut findings = Diagnostics::default();
    let (root, out) = match places(&request.inputs) {
        Ok(places) => (places.root, places.out),
        Err(found) => {
            findings.extend(found);
            (current.clone(), request.inputs.out.as_ref().map_or_else(|| current.clone(), |out| current.join(out)))
        }
    };
    let manifest = manifest_of(request);
    let set = manifest.as_ref().and_then(|_| read(&request.inputs, &mut findings));
    let mut checks = request.own.clone();
    checks.push(openat2());
    checks.extend(of_output(&out, &mut findings));
    checks.push(threads(request.threads));
    checks.push(limits(set.as_ref()));
    findings.sort();
    DoctorReport {
        version: ENGINE,
        root: display(&root, current),
        manifest: manifest.map(|path| display(&path, current)),
        out: display(&out, current),
        checks,
        findings,
        sources: set.map_or_else(SourceMap::default, |set| set.sources),
    }
}

fn manifest_of(request: &DoctorRequest) -> Option<PathBuf> {
    let inputs = &request.inputs;
    let named = inputs.manifest.as_ref().map(|named| normal(&inputs.current.join(named)));
    named.or_else(|| manifest_above(&inputs.current))
}

/// The inputs, for what is wrong with the manifest and for the limits that it sets. Mega-files are not judged here.
fn read(inputs: &source::Request, findings: &mut Diagnostics) -> Option<SourceSet> {
    match source::load_or_none(inputs) {
        Ok(set) => {
            findings.extend(set.findings.iter().cloned());
            if let Some(tree) = set.manifest.as_ref().and_then(|manifest| manifest.tree.as_ref())
                && let Err(found) = manifest::build(tree)
            {
                findings.extend(found);
            }
            Some(set)
        }
        Err(found) => {
            findings.extend(found);
            None
        }
    }
}

fn openat2() -> Check {
    match handle::has_openat2() {
        Some(true) => Check::good("openat2", "answers: a path is walked in one call"),
        Some(false) => Check::good("openat2", "refused or missing: paths are walked part by part, which is as safe"),
        None => Check::unknown("openat2", "this system has no such call; paths are walked part by part"),
    }
}

/// The output root and what lies in its `.megax`.
fn of_output(out: &Path, findings: &mut Diagnostics) -> Vec<Check> {
    let looked = Root::open(out).and_then(|root| Ok((disk::examine(&root)?, root)));
    match looked {
        Ok((Some(condition), root)) => {
            let mut checks = of_file_system(&condition);
            checks.extend(of_runs(&condition));
            checks.push(lockfiles(&root));
            checks
        }
        Ok((None, _)) => vec![Check::unknown("file system", "the output root does not exist yet")],
        Err(error) => {
            findings.push(disk_finding(&error));
            Vec::new()
        }
    }
}

fn of_file_system(found: &Condition) -> Vec<Check> {
    let name = found.file_system.unwrap_or("of a kind that megax has no name for");
    let case = match found.case_sensitive {
        Some(true) => "`a` and `A` are two names",
        Some(false) => "`a` and `A` are one name",
        None => "whether `a` and `A` are two names is unknown",
    };
    let file_system = match found.is_synced_whole {
        Some(true) => Check::good("file system", format!("{name}; {case}")),
        Some(false) => Check::weak(
            "file system",
            format!("{name}, over a network or in user space; {case}"),
            "a run brings every file to the disk by itself here, which is slow; guards hold only as far as its locks do",
        ),
        None => Check::unknown("file system", format!("what its calls reach is unknown; {case}")),
    };
    let renames = match found.renames {
        Some((true, true)) => Check::good("renames", "to a free name, and of two names, in one step"),
        Some(_) => Check::weak(
            "renames",
            "not in one step: an edit that is saved in the very moment of publishing may be noticed late",
            "nothing is lost by it; a local file system (ext4, xfs, btrfs, tmpfs) can do both",
        ),
        None => Check::unknown("renames", "not tried: no run has written here yet"),
    };
    vec![file_system, room(found), renames]
}

fn room(found: &Condition) -> Check {
    let free = match (found.free_bytes, found.free_files) {
        (None, None) => return Check::unknown("room", "the file system counts nothing"),
        (Some(free), None) => format!("{} left; files are not counted", bytes(free)),
        (None, Some(files)) => format!("{} left; bytes are not counted", count(files, "file")),
        (Some(free), Some(files)) => format!("{} and {} left", bytes(free), count(files, "file")),
    };
    let is_little =
        found.free_bytes.is_some_and(|free| free < LITTLE_BYTES) || found.free_files.is_some_and(|few| few < FEW_FILES);
    if is_little {
        Check::weak("room", free, "make room; a run that does not fit stops before it changes anything")
    } else {
        Check::good("room", free)
    }
}

fn of_runs(found: &Condition) -> Vec<Check> {
    let own = match found.own {
        Own::Folder => Check::good(".megax", "there"),
        Own::Absent => Check::good(".megax", "not there: no run has written here yet"),
        Own::Other(what) => {
            Check::weak(".megax", format!("it is {what}"), "move it away: megax makes a folder of that name")
        }
    };
    let interrupted = match found.interrupted {
        0 => Check::good("interrupted runs", "none"),
        some => Check::weak(
            "interrupted runs",
            format!("{some} died while it wrote: some files are new and some are old"),
            "`megax recover` finishes it or takes it back, as does the next run that writes",
        ),
    };
    let leftovers = match found.leftovers {
        0 => Check::good("leftovers", "none"),
        some => Check::good("leftovers", format!("{some} in .megax/txn; the next run that writes clears them away")),
    };
    let names = || found.held.iter().map(|(team, holder)| format!("{team} by {holder}")).collect::<Vec<_>>().join(", ");
    let guards = match (found.held.is_empty(), found.running) {
        (true, 0) => Check::good("guards", "no run is at work"),
        (true, running) => Check::good("guards", format!("no team is held; {}", count(running as u64, "run at work"))),
        (false, _) => Check::good("guards", format!("held: {}", names())),
    };
    vec![own, interrupted, leftovers, guards]
}

fn lockfiles(root: &Root) -> Check {
    let texts = match disk::read_shards(root) {
        Ok(texts) => texts,
        Err(error) => return unreadable(&error),
    };
    let damaged: Vec<&str> =
        texts.iter().filter(|(path, text)| Shard::read(path, text).is_err()).map(|(path, _)| path.as_str()).collect();
    match damaged.first() {
        None => Check::good("lockfiles", format!("{} of mega-files, all readable", number(texts.len() as u64))),
        Some(first) => Check::weak(
            "lockfiles",
            format!("{} of {} cannot be read, among them {first}", damaged.len(), texts.len()),
            "`megax repair` rebuilds them and keeps the old texts",
        ),
    }
}

fn unreadable(error: &DiskError) -> Check {
    Check::weak("lockfiles", error.to_string(), "mend that first: no run can tell what it wrote before")
}

fn threads(threads: Option<usize>) -> Check {
    let stack = STACK_BYTES >> 20;
    match threads {
        Some(threads) => Check::good("threads", format!("{threads}, each with a stack of up to {stack} MiB")),
        None => Check::unknown("threads", format!("the system does not say; each has a stack of up to {stack} MiB")),
    }
}

fn limits(set: Option<&SourceSet>) -> Check {
    let Some(set) = set else {
        return Check::good("limits", "the defaults, as far as no manifest was read");
    };
    let changed: Vec<String> = Limit::ALL
        .iter()
        .filter(|limit| set.limits.get(**limit) != limit.default())
        .map(|limit| format!("{} {} (default {})", limit.name(), set.limits.get(*limit), limit.default()))
        .collect();
    if changed.is_empty() { Check::good("limits", "the defaults") } else { Check::good("limits", changed.join(", ")) }
}
