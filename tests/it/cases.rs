//! Runs every folder of `snapshots/cases/` and compares what the command printed and left behind with `expected.snap`.
//!
//! A case is `in/` (a project), `steps` (see [`crate::steps`]) and `expected.snap`. To add one, write the first two, run
//! `INSTA_UPDATE=always cargo test --test it cases`, and read what came out before it is committed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::folder;
use crate::steps::{Stage, Step};

/// The groups that a case name may begin with.
const GROUPS: &[&str] = &[
    "bad",
    "boundary",
    "brief",
    "check",
    "collision",
    "contribute",
    "detach",
    "edit",
    "endings",
    "explain",
    "factory",
    "first",
    "fuse",
    "guard",
    "hooks",
    "lbof",
    "limit",
    "log",
    "merge",
    "option",
    "orphan",
    "plan",
    "project",
    "repair",
    "review",
    "rule",
    "sensitive",
    "shared",
    "snapshot",
    "source",
    "start",
    "status",
    "template",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/cases")
}

/// Every case folder, sorted by name.
fn case_folders() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// Everything that can be wrong with the data of a case before it is run.
fn flaws(case: &Path) -> Vec<String> {
    let mut flaws = Vec::new();
    let name = name(case);
    if !name.split_once('-').is_some_and(|(group, rest)| GROUPS.contains(&group) && !rest.is_empty()) {
        flaws.push(format!("the name does not begin with one of {}", GROUPS.join(", ")));
    }
    match fs::read_to_string(case.join("steps")) {
        Err(error) => flaws.push(format!("`steps`: {error}")),
        Ok(text) => {
            let steps = Step::parse_all(&text);
            if !text.starts_with("# ") {
                flaws.push("`steps` does not begin with a comment that says what the case shows".to_owned());
            }
            if !steps.as_ref().is_ok_and(|steps| steps.iter().any(|(_, step)| matches!(step, Step::Megax(_)))) {
                flaws.push("`steps` never runs megax".to_owned());
            }
            flaws.extend(steps.err());
        }
    }
    if !case.join("in").is_dir() {
        flaws.push("no folder `in`".to_owned());
    }
    if !case.join("expected.snap").is_file() && std::env::var_os("INSTA_UPDATE").is_none() {
        flaws.push("no `expected.snap`".to_owned());
    }
    for entry in fs::read_dir(case).into_iter().flatten().flatten() {
        let known = ["in", "steps", "expected.snap"];
        if !known.contains(&&*entry.file_name().to_string_lossy()) {
            flaws.push(format!("`{}` is no part of a case", entry.file_name().display()));
        }
    }
    flaws
}

/// Runs a case in a copy of its project; the whole record as text.
fn record(case: &Path) -> String {
    let stage = Stage::of(&case.join("in"));
    let steps = Step::parse_all(&fs::read_to_string(case.join("steps")).unwrap()).unwrap();
    let mut text = String::new();
    for (line, step) in steps {
        text.push_str(&stage.play(&line, &step));
    }
    text.push_str(&folder::difference(&case.join("in"), &stage.project()));
    text.push_str(&stage.strangers());
    stage.mask(&text)
}

fn compare(case: &Path) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(case);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("expected", record(case)));
}

#[test]
fn every_case_folder_is_well_formed() {
    let all: Vec<String> = case_folders()
        .iter()
        .flat_map(|case| flaws(case).into_iter().map(|flaw| format!("{}: {flaw}", name(case))))
        .collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// One test for all, so that one run shows every case that differs. `MEGAX_CASE=text` runs the matching ones only.
#[test]
fn every_case_gives_what_it_is_expected_to() {
    let wanted = std::env::var("MEGAX_CASE").unwrap_or_default();
    let cases: Vec<PathBuf> = case_folders().into_iter().filter(|case| name(case).contains(&wanted)).collect();
    assert!(!cases.is_empty(), "no case has `{wanted}` in its name");
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if catch_unwind(AssertUnwindSafe(|| compare(case))).is_err() {
                failed.lock().unwrap().push(name(case));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    assert!(failed.is_empty(), "{} of {} cases differ: {}", failed.len(), cases.len(), failed.join(", "));
}

#[test]
fn schemas_are_printed_as_they_are_committed() {
    let stage = Stage::of(&root().join("first-expansion/in"));
    let files = [
        ("mega-file", "mega-file"),
        ("lbof", "mega-file-lbof"),
        ("manifest", "manifest"),
        ("report", "report"),
        ("explanation", "explanation"),
        ("made", "made"),
        ("snapshot", "snapshot"),
        ("status", "status"),
        ("review", "review"),
        ("integration-manifest", "integration-manifest"),
        ("doctor", "doctor"),
        ("recovery", "recovery"),
        ("log", "log"),
        ("mend", "mend"),
        ("brief", "brief"),
    ];
    for (name, file) in files {
        let printed = crate::steps::megax(&stage.project(), &stage.project()).args(["schema", name]).output().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{file}.schema.json"));
        assert!(printed.status.success());
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), fs::read_to_string(path).unwrap(), "{name}");
    }
}

#[test]
fn a_malformed_case_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("nogroup");
    fs::create_dir(&case).unwrap();
    fs::write(case.join("steps"), "megax expand\nfly away\n").unwrap();
    fs::write(case.join("stray"), "").unwrap();
    let found = flaws(&case).join("\n");
    for expected in ["the name", "begin with a comment", "never runs", "line 2: `fly away`", "folder `in`", "`stray`"] {
        assert!(found.contains(expected), "{expected} not in:\n{found}");
    }
}

#[test]
fn a_case_that_differs_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("first-wrong");
    fs::create_dir_all(case.join("in")).unwrap();
    fs::write(case.join("steps"), "# nothing here\nmegax schema mega-file\n").unwrap();
    let first = record(&case);
    assert!(first.contains("$ megax schema mega-file") && first.contains("exit 0"), "{first}");
    fs::write(case.join("steps"), "# nothing here\nwrite extra.txt text\nmegax expand\n").unwrap();
    let second = record(&case);
    assert!(second.contains("extra.txt"), "{second}");
    assert_ne!(first, second);
}
