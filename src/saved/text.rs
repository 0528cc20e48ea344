//! The text of a saved plan: one fact per line, sorted, and a checksum over it all at the end.
//!
//! ```text
//! megax-plan 2
//! engine, root, out, tree          each once
//! asked KEY [VALUE]                the request, as it was typed
//! mega-file DIGEST TEAM ID         what each expanded mega-file was made from
//! input DIGEST NAME                each text that was read
//! file ACTION BEFORE AFTER MODE TEAM MEGA-FILE PATH
//! shard BEFORE AFTER PATH
//! end DIGEST                       over every byte above
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::Lines;

use super::{Action, Asked, SavedFile, SavedPlan, SavedShard};
use crate::change::Policy;
use crate::digest::Digest;
use crate::limit::{Limit, Limits};
use crate::lockfile::{escape, is_name, shard_path, unescape};
use crate::path::{FileMode, OutputPath};

/// The first line of a plan.
pub const VERSION_LINE: &str = "megax-plan 2";
/// Largest plan that is read, in bytes.
pub const MAX_BYTES: usize = 256 << 20;

/// Whether bytes are a plan, or were one before somebody changed them.
#[must_use]
pub fn is_plan(bytes: &[u8]) -> bool {
    bytes.starts_with(b"megax-plan ")
}

/// A text is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct PlanError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Flaw,
}

/// What is wrong with a line of a plan. `Display` gives a lower-case fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The first line names no version, or another one.
    Version(String),
    /// The last line is no checksum, or another one.
    Checksum,
    /// A line that should be there is not; how it begins.
    Expected(&'static str),
    /// A line that is none of a plan, or stands where it does not belong.
    Line(String),
    /// A word that should be something else; what.
    Word(&'static str, String),
    /// A limit in bytes.
    TooLarge(usize),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(found) => write!(f, "expected `{VERSION_LINE}`, found `{}`", shown(found)),
            Self::Checksum => f.write_str("the checksum does not fit: the plan was edited or cut off"),
            Self::Expected(what) => write!(f, "expected a line `{what}`"),
            Self::Line(found) => write!(f, "`{}` is no line of a plan, or not in its sorted place", shown(found)),
            Self::Word(what, found) => write!(f, "`{}` is no {what}", shown(found)),
            Self::TooLarge(limit) => write!(f, "the size of the plan in bytes is over the limit of {limit}"),
        }
    }
}

/// Hostile text for a message: escaped, and no longer than a line of a terminal.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

impl SavedPlan {
    /// The text of the plan; [`SavedPlan::parse`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (engine, root, out) = (escape(&self.engine), escape(&self.root), escape(&self.out));
        let mut text = format!("{VERSION_LINE}\nengine {engine}\nroot {root}\nout {out}\ntree {}\n", word(self.tree));
        self.asked.write(&mut text);
        // Writing to a string cannot fail.
        for ((team, id), digest) in &self.mega_files {
            let _ = writeln!(text, "mega-file {} {team} {id}", word(*digest));
        }
        for (name, digest) in &self.inputs {
            let _ = writeln!(text, "input {digest} {}", escape(name));
        }
        for (path, file) in &self.files {
            let (action, before, after) = (file.action.as_str(), word(file.before), word(file.after));
            let (mode, team, mega_file) = (file.mode.as_str(), &file.team, &file.mega_file);
            let _ = writeln!(text, "file {action} {before} {after} {mode} {team} {mega_file} {path}");
        }
        for (path, shard) in &self.shards {
            let _ = writeln!(text, "shard {} {} {path}", word(shard.before), word(shard.after));
        }
        let checksum = Digest::of(text.as_bytes());
        let _ = writeln!(text, "end {checksum}");
        text
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// The first line that is not exactly what [`SavedPlan::to_text`] would write; the version and the checksum are
    /// looked at before anything else.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let at = |line, reason| PlanError { line, reason };
        if text.len() > MAX_BYTES {
            return Err(at(1, Flaw::TooLarge(MAX_BYTES)));
        }
        let first = text.lines().next().unwrap_or_default();
        if first != VERSION_LINE {
            return Err(at(1, Flaw::Version(first.to_owned())));
        }
        let body = checked(text).ok_or_else(|| at(text.lines().count(), Flaw::Checksum))?;
        let mut reader = Reader { lines: body.lines(), number: 0, line: "" };
        let plan = reader.plan().map_err(|reason| at(reader.number, reason))?;
        // Whatever the reader let through, only what megax writes is a plan.
        if plan.to_text() == text { Ok(plan) } else { Err(at(1, Flaw::Line(first.to_owned()))) }
    }
}

/// The text above the checksum, if that fits.
fn checked(text: &str) -> Option<&str> {
    let start = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let (body, end) = text.split_at(start);
    let checksum = Digest::parse(end.strip_prefix("end ")?.strip_suffix('\n')?)?;
    (Digest::of(body.as_bytes()) == checksum).then_some(body)
}

fn word(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string())
}

impl Asked {
    fn write(&self, text: &mut String) {
        let mut put = |key: &str, value: &str| {
            let _ = writeln!(text, "asked {key} {}", escape(value));
        };
        self.paths.iter().for_each(|path| put("path", path));
        self.teams.iter().for_each(|team| put("team", team));
        self.only.iter().for_each(|only| put("only", only));
        self.manifest.iter().for_each(|manifest| put("manifest", manifest));
        self.out.iter().for_each(|out| put("out", out));
        self.on_edit.iter().for_each(|&policy| put("on-edit", policy_word(policy)));
        self.allow_deletes.iter().for_each(|allowed| put("allow-deletes", &allowed.to_string()));
        self.limits.iter().for_each(|(limit, value)| put("limit", &format!("{}={value}", limit.name())));
        let flags = [
            (self.conflict_markers, "conflict-markers"),
            (self.strict, "strict"),
            (self.all_or_nothing, "all-or-nothing"),
        ];
        for (flag, key) in flags {
            if flag {
                put(key, "yes");
            }
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), Flaw> {
        let text = || unescape(value).map_err(|_| Flaw::Word("text of a plan", value.to_owned()));
        match key {
            "path" => self.paths.push(text()?),
            "team" => self.teams.push(text()?),
            "only" => self.only.push(text()?),
            "manifest" => self.manifest = Some(text()?),
            "out" => self.out = Some(text()?),
            "on-edit" => {
                let known = [Policy::Fail, Policy::Keep, Policy::Overwrite, Policy::Merge].into_iter();
                let found = known.into_iter().find(|&policy| policy_word(policy) == value);
                self.on_edit = Some(found.ok_or_else(|| Flaw::Word("policy", value.to_owned()))?);
            }
            "allow-deletes" => {
                let number = value.parse().map_err(|_| Flaw::Word("number", value.to_owned()))?;
                self.allow_deletes = Some(number);
            }
            "limit" => {
                let (limit, value) = limit(value).ok_or_else(|| Flaw::Word("limit", value.to_owned()))?;
                self.limits.insert(limit, value);
            }
            "conflict-markers" => self.conflict_markers = true,
            "strict" => self.strict = true,
            "all-or-nothing" => self.all_or_nothing = true,
            _ => return Err(Flaw::Word("option of a plan", key.to_owned())),
        }
        Ok(())
    }
}

/// `NAME=N`, if it is in its range.
fn limit(text: &str) -> Option<(Limit, u64)> {
    let (name, value) = text.split_once('=')?;
    let (limit, value) = (Limit::find(name)?, value.parse().ok()?);
    Limits::default().set(limit, value).ok()?;
    Some((limit, value))
}

fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::Fail => "fail",
        Policy::Keep => "keep",
        Policy::Overwrite => "overwrite",
        Policy::Merge => "merge",
    }
}

/// The lines of a plan, one by one.
struct Reader<'t> {
    lines: Lines<'t>,
    number: usize,
    line: &'t str,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<&'t str> {
        self.line = self.lines.next()?;
        self.number += 1;
        Some(self.line)
    }

    /// A line of the head, which must be there.
    fn head(&mut self, key: &'static str) -> Result<&'t str, Flaw> {
        let value = self.next().and_then(|line| line.strip_prefix(key)?.strip_prefix(' '));
        value.ok_or(Flaw::Expected(key))
    }

    fn plan(&mut self) -> Result<SavedPlan, Flaw> {
        let text = |value: &str| unescape(value).map_err(|_| Flaw::Word("text of a plan", value.to_owned()));
        self.head("megax-plan")?;
        let mut plan = SavedPlan {
            engine: text(self.head("engine")?)?,
            root: text(self.head("root")?)?,
            out: text(self.head("out")?)?,
            tree: digest_or_none(self.head("tree")?)?,
            asked: Asked::default(),
            mega_files: BTreeMap::new(),
            inputs: BTreeMap::new(),
            files: BTreeMap::new(),
            shards: BTreeMap::new(),
        };
        while let Some(line) = self.next() {
            let wrong = || Flaw::Line(line.to_owned());
            let (key, rest) = line.split_once(' ').ok_or_else(wrong)?;
            match key {
                "asked" => {
                    let (key, value) = rest.split_once(' ').ok_or_else(wrong)?;
                    plan.asked.take(key, value)?;
                }
                "mega-file" => {
                    let [digest, team, id] = words(rest).ok_or_else(wrong)?;
                    let digest = digest_or_none(digest)?;
                    ascend(&mut plan.mega_files, (name(team)?, name(id)?), digest).ok_or_else(wrong)?;
                }
                "input" => {
                    let [digest, input] = words(rest).ok_or_else(wrong)?;
                    let digest = digest_or_none(digest)?.ok_or_else(wrong)?;
                    ascend(&mut plan.inputs, text(input)?, digest).ok_or_else(wrong)?;
                }
                "file" => {
                    let (path, file) = file(words(rest).ok_or_else(wrong)?)?;
                    ascend(&mut plan.files, path, file).ok_or_else(wrong)?;
                }
                "shard" => {
                    let [before, after, path] = words(rest).ok_or_else(wrong)?;
                    let shard = SavedShard { before: digest_or_none(before)?, after: digest_or_none(after)? };
                    ascend(&mut plan.shards, shard_place(path)?, shard).ok_or_else(wrong)?;
                }
                _ => return Err(wrong()),
            }
        }
        Ok(plan)
    }
}

/// Adds what must sort after everything that is there.
fn ascend<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> Option<()> {
    let ascends = map.last_key_value().is_none_or(|(last, _)| *last < key);
    ascends.then(|| drop(map.insert(key, value)))
}

/// So many words; the last one may hold blanks.
fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N, ' ').collect::<Vec<_>>().try_into().ok()
}

fn file([action, before, after, mode, team, mega_file, place]: [&str; 7]) -> Result<(OutputPath, SavedFile), Flaw> {
    let known = Action::ALL.into_iter().find(|known| known.as_str() == action);
    let action = known.ok_or_else(|| Flaw::Word("action", action.to_owned()))?;
    let modes = [FileMode::Regular, FileMode::Executable].into_iter();
    let known = modes.into_iter().find(|known| known.as_str() == mode);
    let mode = known.ok_or_else(|| Flaw::Word("mode", mode.to_owned()))?;
    let path = OutputPath::parse(place).ok().filter(|path| path.as_str() == place);
    let path = path.ok_or_else(|| Flaw::Word("output path", place.to_owned()))?;
    let (before, after) = (digest_or_none(before)?, digest_or_none(after)?);
    Ok((path, SavedFile { action, before, after, mode, team: name(team)?, mega_file: name(mega_file)? }))
}

fn name(text: &str) -> Result<String, Flaw> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(Flaw::Word("name of a team or mega-file", text.to_owned())) }
}

fn shard_place(text: &str) -> Result<String, Flaw> {
    let names = text.strip_prefix(".megax/lock/").and_then(|rest| rest.strip_suffix(".lock")?.split_once('/'));
    let fits = names.is_some_and(|(team, id)| is_name(team) && is_name(id) && shard_path(team, id) == text);
    if fits { Ok(text.to_owned()) } else { Err(Flaw::Word("place of a lockfile", text.to_owned())) }
}

fn digest_or_none(text: &str) -> Result<Option<Digest>, Flaw> {
    match text {
        "-" => Ok(None),
        _ => Digest::parse(text).map(Some).ok_or_else(|| Flaw::Word("digest", text.to_owned())),
    }
}
