//! The answer while the project cannot be read at all: what lockfiles record is blocked, of all else nothing is known.

use super::names::Asked;
use super::{GuardRequest, OUTSIDE, generated};
use crate::change::Shard;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::disk::{self, Root};
use crate::path::fold;
use crate::pipeline::limits_of;
use crate::pipeline::naming::candidates;
use crate::report::guard::{GuardReport, GuardedPath, Why};
use crate::source::load::out_of;
use crate::source::{self, SourceSet};

pub fn judge(
    request: &GuardRequest,
    inputs: &source::Request,
    asked: &[Asked],
    failed: (Diagnostics, Option<SourceSet>),
) -> GuardReport {
    let (mut findings, set) = failed;
    let out = out_of(inputs).ok();
    let texts = out.as_deref().and_then(|out| disk::read_shards(&Root::open(out).ok()?).ok()).unwrap_or_default();
    let shards: Vec<Shard> = texts.iter().filter_map(|(path, text)| Shard::read(path, text).ok()).collect();
    // Where there is neither a manifest nor a mega-file nor a record, there is no project.
    let is_none =
        shards.is_empty() && findings.iter().all(|one| one.code == Code::NoInput) && inputs.manifest.is_none();
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
        let known = paths.iter().find_map(|path| shards.iter().find_map(|shard| generated::recorded(shard, path)));
        let Some((shard, _, entry)) = known else {
            return GuardedPath::free(&one.named, Why::Unknown, Some("the project cannot be read".to_owned()));
        };
        if entry.state != crate::lockfile::EntryState::Managed {
            return GuardedPath::free(&one.named, Why::Once, Some("it is yours, its lockfile says".to_owned()));
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
