//! What is said of a repair: the files that are not as recorded, and what was done.

use crate::change::{ChangeSet, Gap, GapKind, Kind, Reason};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::pipeline::State;
use crate::report::mend::{MendReport, Mended, MendedFile, MendedShard};

/// What is said of a file that is not as recorded.
pub fn gap(gap: &Gap) -> Diagnostic {
    let path = &gap.path;
    let finding = match &gap.kind {
        GapKind::Edited { empty } => {
            let what = if *empty { "is empty now" } else { "was edited since megax wrote it" };
            Diagnostic::new(Code::EditKept, format!("`{path}` {what}, and is left as it is")).help(
                "`megax repair --on-edit overwrite` puts back what was recorded and keeps a copy; `megax detach` leaves the \
                 file to people",
            )
        }
        GapKind::Foreign => {
            let message = format!("`{path}` is not what is planned, and nothing says that megax wrote it: it is left");
            Diagnostic::new(Code::ForeignFile, message).severity(Severity::Warning).help(
                "`megax expand --on-edit overwrite` replaces it and keeps a copy; `megax detach` leaves it to people",
            )
        }
        GapKind::Moved => {
            let message = format!("`{path}` cannot be put back: what the mega-files make now is not what was recorded");
            Diagnostic::new(Code::CannotRestore, message)
                .help("`megax expand` writes what they make now; `megax detach` leaves the file to people, also one that is gone")
        }
        GapKind::InTheWay(Reason::Below(parent)) => {
            Diagnostic::new(Code::NotAFile, format!("`{parent}` is no folder, but `{path}` belongs below it"))
                .help("move it away; megax follows no symlink")
        }
        GapKind::InTheWay(Reason::Reserved(parent)) => {
            let message =
                format!("`{parent}` is, under another name, a folder that nobody writes; `{path}` was below it");
            Diagnostic::new(Code::ReservedFolder, message)
                .help("plan the file elsewhere; `megax detach` leaves it to people")
        }
        GapKind::InTheWay(Reason::NotAFile(what)) => {
            let help = "move it away, or make it readable (`chmod u+r`); `megax detach` leaves it to people";
            Diagnostic::new(Code::NotAFile, format!("`{path}` is {what}, where a file was written")).help(help)
        }
        GapKind::InTheWay(_) => Diagnostic::new(Code::NotAFile, format!("something is in the way of `{path}`")),
    };
    finding.about(path.as_str()).team(gap.team.clone())
}

/// What was done, for the report.
pub fn note(set: &ChangeSet, kept: &[(String, String)], state: &mut State<'_>, report: &mut MendReport) {
    let place = |path: &str| kept.iter().find(|(kept, _)| kept == path).map(|(_, place)| place.clone());
    report.files.extend(set.files.iter().map(|file| MendedFile {
        path: file.path.to_string(),
        team: file.team.clone(),
        mega_file: file.mega_file.clone(),
        change: match file.kind {
            Kind::Create => Mended::Recreated,
            Kind::Replaced => Mended::Replaced,
            _ => Mended::Mode,
        },
    }));
    for file in set.files.iter().filter(|file| file.kind == Kind::Replaced) {
        let path = &file.path;
        let message = match place(path.as_str()) {
            Some(place) => format!("`{path}` was edited and is overwritten; the old content is in `{place}`"),
            None => format!("`{path}` was edited and would be overwritten; the old content would be kept"),
        };
        let finding = Diagnostic::new(Code::EditReplaced, message).about(path.as_str());
        state.findings.push(finding.team(file.team.clone()));
    }
    for shard in &set.lockfiles {
        let (path, team, kept) = (shard.path.clone(), shard.team.clone(), place(&shard.path));
        let change = if shard.text.is_some() { Mended::Rebuilt } else { Mended::Removed };
        let verb = match change {
            Mended::Rebuilt => "rebuilt",
            _ if shard.takers.is_empty() => "removed, because nothing is left to record",
            _ => "taken to its place",
        };
        let verb = format!("{} {verb}", if report.dry_run { "would be" } else { "was" });
        let damaged = state.shards.damaged.iter().find(|one| one.path == path);
        let why = damaged.map_or("it was missing", |one| one.why.as_str());
        let mut finding = Diagnostic::new(Code::LockfileRebuilt, format!("this lockfile {verb}: {why}"));
        if let Some(kept) = &kept {
            finding = finding.related(None, format!("its old text is in `{kept}`"));
        }
        let help = "`megax expand` brings it to what the mega-files say now";
        state.findings.push(finding.about(&path).team(team.clone()).help(help));
        report.lockfiles.push(MendedShard { path, team, change, kept });
    }
}
