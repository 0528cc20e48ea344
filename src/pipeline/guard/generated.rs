//! Files that megax writes: who makes them, whose they are by now, and the line to edit instead.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Ground, InCommit, Judged, free, may_be_unread, names};
use crate::change::{OnDisk, Policy, Shard};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, same_text};
use crate::disk::{self, Root};
use crate::lockfile::{EntryState, LockEntry};
use crate::name::id_key;
use crate::output::{self, Facts};
use crate::path::OutputPath;
use crate::pipeline::State;
use crate::pipeline::explain::{made_by, place};
use crate::plan::{self, PlannedFile};
use crate::report::guard::{EditFacts, GuardedPath, Why};
use crate::source::load::display;
use crate::span::{SourceFile, Span};

/// What is known about an output path.
#[derive(Clone, Copy, Default)]
pub struct Found<'s> {
    /// The file as planned now.
    pub planned: Option<&'s PlannedFile>,
    /// The file as recorded.
    pub recorded: Option<(&'s Shard, &'s OutputPath, &'s LockEntry)>,
}

/// What is planned and what is recorded, by folded path: a commit may ask about very many files.
#[derive(Default)]
pub struct Index<'s>(BTreeMap<Box<str>, Found<'s>>);

impl<'s> Index<'s> {
    pub fn of(planned: &'s [PlannedFile], shards: &'s [Shard]) -> Self {
        let mut known: BTreeMap<Box<str>, Found<'s>> = BTreeMap::new();
        let entry = |path: &OutputPath| -> Box<str> { path.key().as_str().into() };
        for file in planned {
            known.entry(entry(&file.path)).or_default().planned.get_or_insert(file);
        }
        for shard in shards {
            for (path, recorded) in &shard.lockfile.entries {
                known.entry(entry(path)).or_default().recorded.get_or_insert((shard, path, recorded));
            }
        }
        Self(known)
    }

    /// Looks a path up, in any case of its letters.
    pub fn find(&self, path: &OutputPath) -> Option<Found<'s>> {
        self.0.get(path.key().as_str()).copied()
    }

    /// How many planned files lie below a path.
    pub fn below(&self, folder: &OutputPath) -> usize {
        let start = format!("{}/", folder.key().as_str());
        let from = (Bound::Included(start.as_str()), Bound::Unbounded);
        let below = self.0.range::<str, _>(from).take_while(|(path, _)| path.starts_with(&start));
        below.filter(|(_, found)| found.planned.is_some()).count()
    }
}

/// The answer for a file that is planned or recorded; `None` for any other.
pub fn judge(ground: &Ground<'_>, asked: &names::Asked, path: &OutputPath) -> Option<Judged> {
    let state = ground.state;
    let found = ground.index.find(path)?;
    let path = found.planned.map(|file| &file.path).or(found.recorded.map(|(_, path, _)| path))?;
    let answer = match theirs(ground, &found, path) {
        Some((why, note)) => free(asked, why, Some(note)).0,
        None if ground.request.committing => committed(state, asked, &found, path),
        None => GuardedPath::blocked(&asked.named, Why::Generated),
    };
    Some(match found.planned {
        Some(file) => planned(ground, asked, file, answer),
        None => unplanned(ground, &found, answer),
    })
}

/// The answer for a file that is about to be committed.
fn committed(state: &State<'_>, asked: &names::Asked, found: &Found<'_>, path: &OutputPath) -> GuardedPath {
    let disk = || on_disk(state.root.as_ref(), path);
    // Without a record megax never wrote it here, without a plan it never writes it again.
    let is_over = || found.recorded.is_none() || found.planned.is_none();
    let is_written = || disk().is_some_and(|digests| is_as_written(digests, found));
    match asked.in_commit {
        InCommit::Deleted if is_over() || disk().is_some() => {
            free(asked, Why::Untracked, Some("taken out of the repository".to_owned())).0
        }
        InCommit::AsOnDisk if is_written() => free(asked, Why::AsWritten, Some("as megax wrote it".to_owned())).0,
        _ => GuardedPath::blocked(&asked.named, Why::Generated),
    }
}

/// Whether the file is the user's by now, and how it came to that.
fn theirs(ground: &Ground<'_>, found: &Found<'_>, path: &OutputPath) -> Option<(Why, String)> {
    let state = ground.state;
    if state.shards.detached.contains(path) {
        return Some((Why::Detached, "detached: megax leaves it alone; `megax adopt` takes it back".to_owned()));
    }
    let once = found.planned.is_some_and(|file| file.once)
        || found.planned.is_none() && found.recorded.is_some_and(|(.., entry)| entry.state == EntryState::Once);
    if once {
        let note = "`once: true`: megax writes it if it is not there, then it is yours";
        return Some((Why::Once, note.to_owned()));
    }
    match state.policies().of(path) {
        Policy::Keep => Some((Why::EditsKept, "the manifest's `on_edit` keeps edits of it".to_owned())),
        Policy::Merge => Some((Why::EditsKept, "the manifest's `on_edit` merges edits of it".to_owned())),
        Policy::Fail | Policy::Overwrite => None,
    }
}

/// Whether the disk holds what the lockfile records or, where none does, what is planned.
fn is_as_written((digest, lf_digest): (Digest, Option<Digest>), found: &Found<'_>) -> bool {
    if let Some((.., entry)) = found.recorded
        && entry.is_written_as(digest, lf_digest)
    {
        return true;
    }
    let mut buffer = Vec::new();
    let body = found.planned.and_then(|file| output::body(file, &mut buffer).ok());
    body.map(Facts::of).is_some_and(|facts| same_text((facts.digest, facts.lf_digest), (digest, lf_digest)))
}

/// The digests of the bytes of an ordinary file.
pub fn on_disk(root: Option<&Root>, path: &OutputPath) -> Option<(Digest, Option<Digest>)> {
    let survey = disk::survey(root?, std::slice::from_ref(path)).ok()?;
    match survey.get(path) {
        Some(OnDisk::File { digest, lf_digest, .. }) => Some((*digest, *lf_digest)),
        _ => None,
    }
}

/// The answer for a planned file, with who makes it and where.
fn planned(ground: &Ground<'_>, asked: &names::Asked, file: &PlannedFile, mut answer: GuardedPath) -> Judged {
    let state = ground.state;
    let Some(mega) = state.model.mega_files.get(file.mega_file) else { return (answer, None) };
    answer.team = Some(mega.team.clone());
    answer.mega_file = Some(mega.id.clone());
    answer.template = Some(file.template.to_string()).filter(|name| is_template(name));
    if !answer.blocked {
        return (answer, None);
    }
    let (span, is_line) = source_of(ground, asked, file);
    let edit = edit_facts(state, span);
    let run = command(ground, state.set.sources.name(mega.file()));
    let template = answer.template.as_deref().map_or_else(String::new, |name| format!(", template `{name}`"));
    let made = format!("generated by team {} (mega-file `{}`{template})", mega.team, mega.id);
    let named = &asked.named;
    let message = match asked.in_commit {
        InCommit::Otherwise => format!("what is staged of `{named}` is not what lies on the disk; it is {made}"),
        InCommit::Deleted => format!("`{named}` is to be deleted; it is {made}"),
        InCommit::AsOnDisk if ground.request.committing => {
            format!("`{named}` holds something else than megax wrote; it is {made}")
        }
        InCommit::AsOnDisk => format!("`{named}` is {made}"),
    };
    let what = match (&file.body, is_line) {
        (plan::PlannedBody::Copy(_), _) => "replace the file that this line copies",
        (_, true) => "edit this line, which makes the line in question",
        _ => "edit what is marked",
    };
    let other = ground.team.as_ref().filter(|(name, _)| *name != mega.team);
    let help = match other {
        _ if asked.in_commit == InCommit::Deleted => {
            format!("`{run}` writes it again; to be rid of it, take it out of the mega-file and run that")
        }
        _ if asked.in_commit == InCommit::Otherwise => format!("run `{run}`, then `git add` the file again"),
        _ if ground.request.committing => format!(
            "make the change in the mega-file, then run `{run} --on-edit overwrite`; or `megax detach` the file, and it is \
             yours"
        ),
        Some((own, _)) => format!("it is not team {own}'s: ask team {} to change what is marked", mega.team),
        None if ground.request.for_agent => format!("{what}, then run `{run}`"),
        None => format!("{what}, then run `{run}`; `megax detach` takes the file out of megax's hands"),
    };
    answer.edit = Some(edit);
    answer.run = Some(run);
    (answer, Some(Diagnostic::new(Code::GeneratedFile, message).at(span).help(help)))
}

/// Whether the name of a planned file's template is that of one, and no word for something else.
fn is_template(name: &str) -> bool {
    !matches!(name, "" | "inline" | "copy")
}

/// The place to edit, and whether it is that of the very line in question.
fn source_of(ground: &Ground<'_>, asked: &names::Asked, file: &PlannedFile) -> (Span, bool) {
    let state = ground.state;
    let line = || asked.line.or_else(|| line_of(file, asked.fragment.as_deref()?));
    let may_render = !ground.request.unnamed;
    if let Some(span) = may_render.then(line).flatten().and_then(|line| made_by(state, &file.path, line)) {
        return (span, true);
    }
    let mega = state.model.mega_files.get(file.mega_file);
    let template = mega.and_then(|mega| {
        let template = mega.template(&file.template)?;
        Some(plan::place_of(mega, &state.set.sources, template.text, 0..1))
    });
    let first = || may_render.then(|| made_by(state, &file.path, 1)).flatten();
    (template.or_else(first).unwrap_or(file.origin), false)
}

/// The line of a body in which a text begins.
fn line_of(file: &PlannedFile, fragment: &str) -> Option<u64> {
    let fragment = fragment.trim_start_matches(['\r', '\n']);
    let mut buffer = Vec::new();
    let body = std::str::from_utf8(output::body(file, &mut buffer).ok()?).ok()?;
    let at = body.find(fragment).filter(|_| !fragment.is_empty())?;
    Some(body.get(..at)?.matches('\n').count() as u64 + 1)
}

fn edit_facts(state: &State<'_>, span: Span) -> EditFacts {
    let at = place(&state.set.sources, span);
    let text = state.set.sources.get(span.file).map_or("", SourceFile::text);
    let text = text.lines().nth((at.line as usize).saturating_sub(1)).unwrap_or_default().trim().to_owned();
    EditFacts { file: at.file, line: at.line, text }
}

/// The command that expands a mega-file again, as it can be typed in the current folder.
fn command(ground: &Ground<'_>, mega_file: &str) -> String {
    let inputs = &ground.state.request.inputs;
    let file = ground.state.set.root.join(mega_file);
    // From a folder of the project, the way up and down again is shorter than the whole path.
    let above = inputs.current.ancestors().position(|above| file.starts_with(above) && ground.is_inside(above));
    let path = match above.and_then(|up| Some((up, inputs.current.ancestors().nth(up)?))) {
        Some((up, above)) => "../".repeat(up) + &display(&file, above),
        None => display(&file, &inputs.current),
    };
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && !path.starts_with('-');
    let out = if inputs.out.is_some() { " --out DIR" } else { "" };
    if is_plain { format!("megax expand {path}{out}") } else { format!("megax expand{out}") }
}

/// The answer for a file that is only recorded.
fn unplanned(ground: &Ground<'_>, found: &Found<'_>, mut answer: GuardedPath) -> Judged {
    let state = ground.state;
    let Some((shard, _, entry)) = found.recorded else { return (answer, None) };
    let lock = &shard.lockfile;
    answer.team = Some(lock.team.clone());
    answer.mega_file = Some(lock.mega_file.clone());
    answer.template = Some(entry.template.clone()).filter(|name| is_template(name));
    if !answer.blocked {
        return (answer, None);
    }
    let is_planned_in_part = state.plan.recorded.iter().any(|one| id_key(&one.mega_file) == id_key(&lock.mega_file));
    let help = if is_planned_in_part || may_be_unread(state, &lock.team, &lock.mega_file) {
        "its mega-file cannot be read or planned whole now: mend that first (`megax validate`), and edit the template there"
    } else if ground.request.for_agent {
        "no mega-file plans it any more: `megax expand` removes it"
    } else {
        "no mega-file plans it any more: `megax expand` removes it, `megax detach` makes it yours"
    };
    let finding = by_record(&answer.path, shard).help(help);
    (answer, Some(finding))
}

/// What is said of a file of which only the record is known.
pub fn by_record(named: &str, shard: &Shard) -> Diagnostic {
    let lock = &shard.lockfile;
    let message =
        format!("`{named}` was written by team {} (mega-file `{}`): a lockfile records it", lock.team, lock.mega_file);
    let source = lock.source.as_deref().map(|source| format!("the mega-file was `{source}`"));
    let finding = Diagnostic::new(Code::GeneratedFile, message).about(named);
    source.into_iter().fold(finding, |finding, source| finding.related(None, source))
}
