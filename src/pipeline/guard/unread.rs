//! The answer while the project cannot be read at all: what lockfiles record is blocked, of all else nothing is known.

use super::names::Asked;
use super::{GuardRequest, InCommit, OUTSIDE, generated};
use crate::change::Shard;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::disk::{self, Root};
use crate::path::fold;
use crate::pipeline::limits_of;
use crate::pipeline::naming::candidates;
use crate::report::guard::{GuardReport, GuardedPath, Why};
use crate::source::load::out_of;
use crate::source::{self, SourceSet};

/// What lockfiles say, as far as they can be read.
#[derive(Default)]
struct Records {
    shards: Vec<Shard>,
    /// Why others cannot be read.
    unread: Vec<String>,
}

impl Records {
    fn read(root: &Root) -> Self {
        let (texts, errors) = disk::read_shards_singly(root);
        let mut found = Self { shards: Vec::new(), unread: errors.iter().map(ToString::to_string).collect() };
        for (path, text) in &texts {
            match Shard::read(path, text) {
                Ok(shard) => found.shards.push(shard),
                Err(_) => found.unread.push(format!("`{path}` is damaged")),
            }
        }
        found
    }
}

pub fn judge(
    request: &GuardRequest,
    inputs: &source::Request,
    asked: &[Asked],
    failed: (Diagnostics, Option<SourceSet>),
) -> GuardReport {
    let (mut findings, set) = failed;
    let out = out_of(inputs).ok();
    let root = out.as_deref().map(Root::open);
    let Records { shards, unread } = match &root {
        Some(Ok(root)) => Records::read(root),
        Some(Err(error)) => Records { shards: Vec::new(), unread: vec![error.to_string()] },
        None => Records::default(),
    };
    let root = root.and_then(Result::ok);
    // Where there is neither a manifest nor a mega-file nor a record, there is no project.
    let is_none = shards.is_empty()
        && unread.is_empty()
        && findings.iter().all(|one| one.code == Code::NoInput)
        && inputs.manifest.is_none();
    let index = generated::Index::of(&[], &shards);
    let mut blocked = Vec::new();
    let mut judge = |one: &Asked| {
        if is_none {
            return GuardedPath::free(&one.named, Why::Outside, Some(OUTSIDE.to_owned()));
        }
        let is_own = |part: &str| fold(part) == ".git" || fold(part) == ".megax";
        if one.named.split('/').any(is_own) && !request.committing {
            let message = format!("`{}` is megax's own, or the repository's", one.named);
            blocked.push(Diagnostic::new(Code::GeneratedFile, message).about(one.named.as_str()));
            return GuardedPath::blocked(&one.named, Why::Reserved);
        }
        let paths = out.as_deref().map(|out| candidates(out, &inputs.current, &one.named)).unwrap_or_default();
        let known = paths.iter().find_map(|path| index.find(path)?.recorded);
        let Some((shard, path, entry)) = known else {
            // What an unreadable record says is not known, so it may be about any path.
            if let (Some(why), false) = (unread.first(), paths.is_empty()) {
                let message = format!("`{}` may be a file that megax wrote: a record cannot be read", one.named);
                let finding = Diagnostic::new(Code::GeneratedFile, message).about(one.named.as_str());
                let finding = finding.related(None, why.as_str());
                blocked.push(finding.help("make the lockfiles readable first: `megax doctor` says how they stand"));
                return GuardedPath::blocked(&one.named, Why::Unknown);
            }
            return GuardedPath::free(&one.named, Why::Unknown, Some("the project cannot be read".to_owned()));
        };
        if entry.state != crate::lockfile::EntryState::Managed {
            return GuardedPath::free(&one.named, Why::Once, Some("it is yours, its lockfile says".to_owned()));
        }
        let as_written = || {
            let on_disk = generated::on_disk(root.as_ref(), path);
            on_disk.is_some_and(|(digest, lf_digest)| match one.in_commit {
                InCommit::AsOnDisk => entry.is_written_as(digest, lf_digest),
                InCommit::Otherwise => false,
                InCommit::Deleted => true,
            })
        };
        if request.committing && as_written() {
            return GuardedPath::free(&one.named, Why::AsWritten, Some("as megax wrote it".to_owned()));
        }
        let help = "mend what is wrong with the project first, and edit the template there";
        blocked.push(generated::by_record(&one.named, shard).help(help));
        let (team, mega_file) = (Some(shard.lockfile.team.clone()), Some(shard.lockfile.mega_file.clone()));
        GuardedPath { team, mega_file, ..GuardedPath::blocked(&one.named, Why::Generated) }
    };
    let paths: Vec<GuardedPath> = asked.iter().map(&mut judge).collect();
    if is_none {
        findings = Diagnostics::default();
    }
    findings.extend(blocked);
    findings.shorten(&limits_of(inputs, set.as_ref()));
    let sources = set.map(|set| set.sources).unwrap_or_default();
    GuardReport { team: request.team.clone(), paths, findings, sources }
}
