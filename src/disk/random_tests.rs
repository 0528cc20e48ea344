//! Random commits that fail, die and are recovered, beside a person who works in the same tree.
//!
//! The real calls, on a file system in memory where there is one, and no model of a disk: what is tried here is what the
//! calls do (a rename that must not replace, an exchange, two names of one file, a folder moved away under an open
//! handle), and a model would say only what its author believed of them. `CASES` of them take about five seconds;
//! `PROPTEST_CASES` asks for more, and `cargo test random_tests -- --nocapture` says how many states a second were met.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]
#![expect(clippy::print_stdout, reason = "how many states were met is worth knowing")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::fault::Check;
use super::fault::tests::{Happens, Renaming, with};
use super::person_testing::{Act, Deed, PATHS, Person};
use super::tests::{Want, apply, difference, stage, transactions};
use super::*;
use crate::change::{ChangeSet, Kind, Policy};
use crate::event::Silent;

/// Cases of the ordinary tests.
const CASES: u32 = 300;
/// Points at which something may happen; a commit has some more, or fewer.
const POINTS: usize = 36;

/// What a team plans: for each of [`PATHS`] nothing, or a body and whether it is executable.
type Plan = Vec<Option<(u8, bool)>>;

#[derive(Debug, Clone, Copy)]
enum Fault {
    Once,
    ForGood,
    Death,
}

/// One attempt: where a call fails, and what a person does meanwhile. Point 0 is before the first call.
#[derive(Debug, Clone)]
struct Attempt {
    fault: Option<(usize, Fault)>,
    acts: Vec<Act>,
}

#[derive(Debug, Clone)]
struct Case {
    old: Plan,
    new: Plan,
    /// Before anything is compared.
    edits: Vec<Act>,
    renaming: Renaming,
    commit: Attempt,
    recoveries: Vec<Attempt>,
}

fn plan() -> impl Strategy<Value = Plan> {
    vec(prop_oneof![1 => Just(None), 1 => (0..3_u8, any::<bool>()).prop_map(Some)], PATHS.len()).prop_map(|mut plan| {
        // No path is a file and a folder.
        if plan[7].is_some() {
            (plan[8], plan[9]) = (None, None);
        }
        plan
    })
}

fn act() -> impl Strategy<Value = Act> {
    let deed = prop_oneof![
        4 => Just(Deed::Write),
        3 => Just(Deed::Swap),
        2 => Just(Deed::Delete),
        3 => Just(Deed::Add),
        1 => Just(Deed::Folder),
        1 => Just(Deed::Private),
        1 => Just(Deed::RemoveFolder),
        1 => Just(Deed::RenameFolder),
        1 => Just(Deed::Turn),
    ];
    let path = prop_oneof![2 => Just(None), 1 => (0..PATHS.len()).prop_map(Some)];
    (0..POINTS, deed, path).prop_map(|(at, deed, path)| Act { at, deed, path })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let fault = prop_oneof![Just(Fault::Once), Just(Fault::ForGood), Just(Fault::Death), Just(Fault::Death)];
    let fault = prop_oneof![1 => Just(None), 5 => (1..POINTS, fault).prop_map(Some)];
    (fault, vec(act(), 0..3)).prop_map(|(fault, acts)| Attempt { fault, acts })
}

fn case(renaming: Renaming) -> impl Strategy<Value = Case> {
    let edits = vec(act(), 0..3);
    (plan(), plan(), edits, attempt(), vec(attempt(), 0..3))
        .prop_map(move |(old, new, edits, commit, recoveries)| Case { old, new, edits, renaming, commit, recoveries })
}

/// Names, modes and bytes; folders have no bytes. Of `.megax` only the lockfile's files.
type Picture = BTreeMap<String, (u32, Option<Vec<u8>>)>;

fn picture(root: &Path) -> Picture {
    let mut found = Picture::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().display().to_string();
        if !name.starts_with(".megax") || entry.path().extension().is_some_and(|end| end == "lock") {
            let is_file = entry.file_type().is_file();
            let bytes = is_file.then(|| fs::read(entry.path()).unwrap());
            found.insert(name, (entry.metadata().unwrap().mode() & 0o777, bytes));
        }
    }
    found
}

/// The tree after a change set.
fn after(old: &Picture, changes: &ChangeSet, wants: &[Want<'_>], usual: (u32, u32)) -> Picture {
    let mut new = old.clone();
    let mut removed = Vec::new();
    for file in &changes.files {
        let path = file.path.to_string();
        if file.kind == Kind::Delete {
            new.remove(&path);
            removed.push(path);
        } else if file.writes() {
            let (_, body, executable) = wants.iter().find(|(at, ..)| *at == path).unwrap();
            let bits = old.get(&path).filter(|(_, bytes)| bytes.is_some()).map_or(usual.0, |(bits, _)| *bits);
            let bits = if *executable { bits | (bits & 0o444) >> 2 } else { bits & !0o111 };
            new.insert(path, (bits, Some(body.as_bytes().to_vec())));
        }
    }
    for path in new.keys().cloned().collect::<Vec<_>>() {
        for (at, _) in path.match_indices('/').filter(|_| !path.starts_with(".megax")) {
            new.entry(path[..at].to_owned()).or_insert((usual.1, None));
        }
    }
    for path in removed {
        let mut folder = path.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            if new.keys().any(|other| other.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))) {
                break;
            }
            new.remove(above);
            folder = above;
        }
    }
    for shard in &changes.lockfiles {
        new.remove(&shard.path);
        new.extend(shard.text.clone().map(|text| (shard.path.clone(), (usual.0, Some(text.into_bytes())))));
    }
    new
}

/// What cases met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// Deaths and failures that left something to recover.
    unsettled: u32,
    old: u32,
    new: u32,
    undone: u32,
}

impl Met {
    fn add(&mut self, other: Self) {
        self.unsettled += other.unsettled;
        self.old += other.old;
        self.new += other.new;
        self.undone += other.undone;
    }
}

/// Runs something while the attempt's script plays; `None` for a death.
fn play<T>(
    case: &Case,
    left_out: Option<Check>,
    person: &Rc<RefCell<Person>>,
    attempt: &Attempt,
    run: impl FnOnce() -> T,
) -> Option<T> {
    let (script, person) = (attempt.clone(), Rc::clone(person));
    script.acts.iter().filter(|act| act.at == 0).for_each(|act| person.borrow_mut().act(*act, ""));
    let (mut calls, mut last) = (0, String::new());
    let script = move |path: &str| {
        calls += 1;
        // Within a call its path is not known.
        if !path.is_empty() {
            path.clone_into(&mut last);
        }
        let path = last.as_str();
        for act in script.acts.iter().filter(|act| act.at == calls) {
            person.borrow_mut().act(*act, path);
        }
        match script.fault {
            Some((at, Fault::Death)) if at == calls => Happens::Death,
            Some((at, Fault::Once)) if at == calls => Happens::Error,
            Some((at, Fault::ForGood)) if at <= calls => Happens::Error,
            _ => Happens::Nothing,
        }
    };
    with(case.renaming, left_out, script, run)
}

/// A file system in memory, where there is one.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The permission bits that a new file and a new folder get here.
fn bits(root: &Path) -> (u32, u32) {
    static BITS: OnceLock<(u32, u32)> = OnceLock::new();
    *BITS.get_or_init(|| {
        let (file, folder) = (root.join("file"), root.join("folder"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&folder).unwrap();
        let bits = |at: &Path| fs::metadata(at).unwrap().mode() & 0o777;
        let found = (bits(&file), bits(&folder));
        fs::remove_file(file).unwrap();
        fs::remove_dir(folder).unwrap();
        found
    })
}

/// What a tree must be now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Old,
    New,
    /// Not known before the last recovery.
    Open,
}

fn version(recovered: &[Recovered]) -> Version {
    match recovered {
        [] => Version::Open,
        all if all.iter().all(|one| one.finished) => Version::New,
        _ => Version::Old,
    }
}

/// A case from its beginning to the last recovery; an error says what is wrong then.
fn run(case: &Case, left_out: Option<Check>) -> Result<Met, String> {
    let folder = folder();
    let usual = bits(folder.path());
    let root = Root::open(folder.path()).unwrap();
    let bodies = |plan: &Plan| -> Vec<(&str, String, bool)> {
        let one = |(path, file): (&&'static str, &Option<(u8, bool)>)| {
            file.map(|(body, executable)| (*path, format!("body {body}\n"), executable))
        };
        PATHS.iter().zip(plan).filter_map(one).collect()
    };
    let (first, second) = (bodies(&case.old), bodies(&case.new));
    let [first, second] =
        [&first, &second].map(|all| all.iter().map(|(at, body, mode)| (*at, body.as_str(), *mode)).collect::<Vec<_>>());
    apply(folder.path(), &first, Policy::Fail).map_err(|error| format!("the first commit: {error}"))?;
    let person = Person { root: folder.path().to_owned(), texts: 0, own: BTreeSet::new(), touched: BTreeSet::new() };
    let person = Rc::new(RefCell::new(person));
    case.edits.iter().for_each(|act| person.borrow_mut().act(*act, ""));
    person.borrow_mut().touched.clear();

    let (old, logged) = (picture(folder.path()), read_log(&root).unwrap().last());
    let changes = difference(&root, &second, Policy::Overwrite);
    if changes.conflicts().next().is_some() {
        return Ok(Met::default());
    }
    let new = after(&old, &changes, &second, usual);
    let staged = Staged::new(stage(&root, &second), changes).unwrap();
    let mut met = Met::default();
    let mut expected = match play(case, left_out, &person, &case.commit, || staged.commit(Durability::Process, &Silent))
    {
        Some(Ok(_)) => Version::New,
        Some(Err(CommitError::Interrupted { .. })) | None => Version::Open,
        Some(Err(_)) => Version::Old,
    };
    met.unsettled += u32::from(expected == Version::Open);
    for attempt in &case.recoveries {
        match play(case, left_out, &person, attempt, || recover(&root, Durability::Process)) {
            Some(Ok(recovered)) if expected == Version::Open => expected = version(&recovered),
            Some(Ok(recovered)) if !recovered.is_empty() => return Err(format!("recovered twice: {recovered:?}")),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => met.unsettled += 1,
        }
    }
    let last = Attempt { fault: None, acts: Vec::new() };
    let recovered = play(case, left_out, &person, &last, || recover(&root, Durability::Process));
    let recovered = recovered.unwrap().map_err(|error| format!("the last recovery: {error}"))?;
    if expected == Version::Open {
        expected = version(&recovered);
    }
    let person = person.borrow();
    judge(&person, [&old, &new], expected, &mut met)?;
    if met.new == 1 && person.touched.is_empty() {
        // Without an operation in the log there is no way back.
        if read_log(&root).unwrap().last() > logged {
            undo(&root, folder.path(), &old).map_err(|error| format!("undo: {error}"))?;
            met.undone = 1;
        }
    }
    Ok(met)
}

fn judge(person: &Person, versions: [&Picture; 2], expected: Version, met: &mut Met) -> Result<(), String> {
    let found = picture(&person.root);
    let [old, new] = versions.map(|version| {
        let paths: BTreeSet<&String> = version.keys().chain(found.keys()).collect();
        let differs = |path: &&&String| !person.has_touched(path) && version.get(**path) != found.get(**path);
        paths.iter().filter(differs).map(|path| format!("{path}: {:?}", found.get(*path))).collect::<Vec<_>>()
    });
    (met.old, met.new) = (u32::from(old.is_empty()), u32::from(new.is_empty()));
    let is_one = match expected {
        Version::Old => old.is_empty(),
        Version::New => new.is_empty(),
        Version::Open => old.is_empty() || new.is_empty(),
    };
    if !is_one {
        return Err(format!("{expected:?} expected; differs from old: {old:?}, from new: {new:?}"));
    }
    match (person.lost(), transactions(&person.root)) {
        (lost, _) if !lost.is_empty() => Err(format!("lost: {lost:?}")),
        (_, 0) => Ok(()),
        (_, left) => Err(format!("{left} transactions are left")),
    }
}

fn undo(root: &Root, folder: &Path, old: &Picture) -> Result<(), String> {
    let log = read_log(root).map_err(|error| error.to_string())?;
    let reversal = Reversal { kind: OperationKind::Undo, undoes: vec![log.last()], teams: vec!["t".to_owned()] };
    let project = ProjectGuard::wait(root).map_err(|error| error.to_string())?;
    reverse(root, &reversal, Durability::Process, &project).map_err(|error| format!("{error:?}"))?;
    // A folder that was empty before is not made again.
    let files = |picture: &Picture| -> BTreeMap<String, (u32, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        picture
            .iter()
            .filter_map(|(path, (bits, bytes))| Some((path.clone(), (*bits, text(bytes.as_ref()?)))))
            .collect()
    };
    let (found, old) = (files(&picture(folder)), files(old));
    if found == old { Ok(()) } else { Err(format!("{found:?}, not {old:?}")) }
}

/// Runs cases until one fails; how many states were met.
fn search(renaming: Renaming, cases: u32, left_out: Option<Check>) -> Result<Met, String> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let config = if left_out.is_some() { Config { max_shrink_iters: 0, ..config } } else { config };
    let mut runner = match left_out {
        None => TestRunner::new(config),
        Some(_) => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let sum = RefCell::new(Met::default());
    let ran = runner.run(&case(renaming), |case| {
        let met = run(&case, left_out).map_err(TestCaseError::fail)?;
        sum.borrow_mut().add(met);
        Ok(())
    });
    match ran {
        Ok(()) => Ok(sum.into_inner()),
        Err(TestError::Fail(reason, case)) => Err(format!("{reason}\n{case:?}")),
        Err(other) => Err(other.to_string()),
    }
}

fn all_or_nothing(renaming: Renaming) {
    let asked = std::env::var_os("PROPTEST_CASES").map(|_| Config::default().cases);
    let (cases, begun) = (asked.unwrap_or(CASES), Instant::now());
    let met = search(renaming, cases, None).unwrap_or_else(|error| panic!("{error}"));
    let states = cases + met.unsettled;
    println!("{renaming:?}: {:.0} states a second; {met:?}", f64::from(states) / begun.elapsed().as_secs_f64());
    // A search that meets nothing proves nothing.
    assert!(
        met.unsettled > cases / 4 && met.old > cases / 8 && met.new > cases / 4 && met.undone > cases / 10,
        "{met:?}"
    );
}

#[test]
fn whatever_fails_and_whatever_a_person_does_the_tree_is_old_or_new() {
    all_or_nothing(Renaming::Full);
}

#[test]
fn the_same_where_names_cannot_be_exchanged() {
    all_or_nothing(Renaming::Plain);
}

/// Each check is taken away in turn, and a search must then meet a text that is lost. `Linked` belongs to file systems
/// without exchange. Two more were tried by hand: an old content that is not kept (found as a lost text after 1,000 cases),
/// and a take-back that does not expect to be the second one (found as a recovery that fails for good).
#[test]
fn every_check_that_is_left_out_is_noticed() {
    let unnoticed: Vec<String> = Check::ALL
        .into_iter()
        .filter_map(|check| {
            let renaming = if check == Check::Linked { Renaming::Plain } else { Renaming::Full };
            match search(renaming, 3_000, Some(check)) {
                Ok(_) => Some(format!("{check:?}")),
                Err(error) => {
                    println!("without {check:?}: {}", error.lines().next().unwrap_or(""));
                    None
                }
            }
        })
        .collect();
    assert_eq!(unnoticed, [""; 0], "without these nothing is noticed");
}
