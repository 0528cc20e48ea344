//! Nothing from an input reaches a stream, a report or a record with a character that a terminal obeys or that hides text:
//! every command, in every form, over projects whose every text holds such characters.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::steps::megax;

/// What the texts hold: colours, a carriage return, a C1 control, bidirectional controls, zero width space, and a mark.
const HOSTILE: &str = "\u{1b}[31m\r\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}";
/// The same as YAML and JSON write it in double quotes.
const ESCAPED: &str = r"\u001b[31m\r\u009b2J\u202e\u2066\u200b\ufeff";
/// What YAML takes raw.
const BIDI: &str = "\u{202e}\u{2066}\u{200b}";

/// The first character that must not come out, with the text before it.
fn raw(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Some("no UTF-8".to_owned()) };
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let at = text.find(bad)?;
    let before: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
    Some(format!("{:?} after {before:?}", text[at..].chars().next().unwrap()))
}

/// Runs a command, holds its streams to the rule, and gives both.
fn run(project: &Path, args: &[&str]) -> String {
    let output = megax(project, project).args(args).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 70), "megax {args:?}: {:?}", output.status);
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        assert_eq!(raw(bytes), None, "megax {args:?}, {stream}");
    }
    let stdout = String::from_utf8(output.stdout).unwrap();
    if args.iter().any(|arg| matches!(*arg, "json" | "sarif")) && !stdout.is_empty() {
        serde_json::from_str::<serde_json::Value>(&stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}\n{stdout}"));
    }
    stdout + &String::from_utf8(output.stderr).unwrap()
}

fn write(project: &Path, path: &str, text: &str) {
    let path = project.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A project that is valid; its data, templates, names and the edited output are hostile.
fn valid(project: &Path) {
    // A bracket would be a class of a glob.
    let glob = ESCAPED.replace('[', "");
    let manifest = [
        format!("project: \"{ESCAPED}\"\nseed: \"{ESCAPED}\"\nvars: {{ word: \"{ESCAPED}\" }}"),
        format!("teams:\n  alpha:\n    name: \"Al {ESCAPED}\"\n    typical_files: [\"{glob}*\"]"),
        format!("    boundaries: {{ write_paths: [/src/, \"/{glob}/\"], forbidden_paths: [\"/{glob}/\"] }}"),
        format!("    deliverables: {{ mega_files: [m-1, \"{ESCAPED}\"] }}"),
        format!("integration_points: [ {{ name: \"{ESCAPED}\", between: [alpha], artifact: src/none }} ]\n"),
    ]
    .join("\n");
    write(project, "megax.yaml", &manifest);
    let mega = [
        format!("id: m-1\nteam: alpha\nversion: \"{ESCAPED}\"\ndata: {{ items: [\"a{ESCAPED}\"] }}"),
        format!("sources: {{ more: \"data/{BIDI}.json\" }}\ngenerator:\n  rules:\n    - for_each: data.items\n      as: item"),
        format!("      generate: [ {{ template: \"t{ESCAPED}\", path: src/x.txt }} ]"),
        format!("    - generate: [ {{ content: \"{ESCAPED}\\n\", path: src/inline.txt }} ]"),
        format!("validation:\n  tests:\n    - {{ files: src/*.txt, contains: \"{ESCAPED}no\", not_contains: \"{ESCAPED}\" }}"),
        format!("    - {{ files: \"{glob}\" }}"),
        format!("templates:\n  \"t{ESCAPED}\": \"{ESCAPED} {{{{ item }}}} {{{{ data.more.key }}}}\\n\"\n"),
    ]
    .join("\n");
    write(project, &format!("megafiles/m{HOSTILE}.yaml"), &mega);
    write(project, &format!("data/{BIDI}.json"), &format!("{{\"key\": \"{ESCAPED}\"}}"));
}

/// One mega-file per way to be wrong.
fn broken(project: &Path) {
    valid(project);
    let texts = [
        format!("id: b-1\nteam: alpha\n\"gen{ESCAPED}\": 1\ngenerator: {{ rules: [] }}\n"),
        format!("id: b-2\nteam: \"{ESCAPED}\"\ngenerator: {{ rules: [] }}\n"),
        format!("id: \"{ESCAPED}\"\nteam: alpha\ngenerator: {{ rules: [] }}\n"),
        format!("id: b-4\nteam: alpha\ngenerator: {{ rules: [ {{ generate: [ {{ \"no{ESCAPED}\": src/a }} ] }} ] }}\n"),
        format!(
            "id: b-5\nteam: alpha\ngenerator:\n  rules:\n    - generate: [ {{ content: x, path: \"src/{ESCAPED}\" }} ]\n"
        ),
        format!(
            "id: b-6\nteam: alpha\ngenerator:\n  rules:\n    - generate: [ {{ t: src/b }} ]\ntemplates: {{ t: \"{{{{ no{ESCAPED} }}}}\" }}\n"
        ),
        format!("id: b-7\nteam: alpha\nsources: {{ a: \"../{ESCAPED}\" }}\ngenerator: {{ rules: [] }}\n"),
        format!("id: b-8 {BIDI}\nteam: [alpha\n"),
        format!("id: b-9\nteam: alpha\n# {HOSTILE}\ngenerator: {{ rules: [] }}\n"),
        format!(
            "id: b-10\nteam: alpha\ngenerator:\n  rules:\n    - for_each: [\"{ESCAPED}\"]\n      generate: [ {{ content: x, path: \"{{entity}}\" }} ]\n"
        ),
        format!("id: b-11\nteam: alpha\ngenerator: {{ rules: [ {{ for_each: \"data.{BIDI}\", generate: [] }} ] }}\n"),
        format!(
            "id: b-12\nteam: alpha\ndata: {{ x: 1 }}\nvalidation: {{ schema: {{ properties: {{ x: {{ enum: [\"{ESCAPED}\"] }} }} }} }}\ngenerator: {{ rules: [] }}\n"
        ),
    ];
    for (index, text) in texts.iter().enumerate() {
        write(project, &format!("megafiles/b{index}{BIDI}.yaml"), text);
    }
}

/// Every command, in every form it has.
fn every_command(project: &Path) -> String {
    let mut seen = String::new();
    let hostile = HOSTILE;
    let line = format!("src/x.txt{hostile}:1");
    let expanding: &[&[&str]] = &[
        &["validate"],
        &["expand", "--dry-run", "--strict"],
        &["expand", "--check"],
        &["expand", "--diff"],
        &["expand"],
        &["plan", "-o", "p.plan"],
        &["expand", "--on-edit", "merge"],
        &["expand", "--on-edit", "overwrite"],
        &["snapshot"],
        &["status"],
        &["status", hostile],
        &["expand", hostile],
        &["expand", "--team", hostile],
        &["expand", "--only", hostile],
        &["expand", "--manifest", hostile],
        &["expand", "--out", hostile, "--dry-run"],
        &["apply", hostile],
    ];
    for args in expanding {
        let forms = ["human", "json", "github", "sarif"];
        // All forms share what they are made from; most commands are run in those that look it up.
        let many = if matches!(*args, ["validate"] | ["expand", "--diff"] | ["snapshot", ..]) { 4 } else { 2 };
        for form in &forms[..many] {
            if args == &["expand"] || args.contains(&"overwrite") {
                write(project, "src/inline.txt", &format!("edited {hostile}\n"));
            }
            seen.push_str(&run(project, &[args, &["--format", form][..]].concat()));
        }
    }
    let others: &[&[&str]] = &[
        &["explain", "src/x.txt"],
        &["explain", "src/x.txt:1"],
        &["explain", &line],
        &["explain", hostile],
        &["explain", "MX709"],
        &["log"],
        &["undo"],
        &["undo", hostile],
        &["rollback", hostile],
        &["checkpoint", "create", hostile],
        &["checkpoint", "list"],
        &["gc"],
        &["repair"],
        &["repair", hostile],
        &["detach", hostile],
        &["detach", "src/inline.txt", "--why", hostile],
        &["adopt", "src/inline.txt"],
        &["recover"],
        &["init", "--dry-run"],
        &["init", hostile],
        &["new", "alpha", "template", "--id", hostile],
        &["new", hostile, "template", "x"],
    ];
    for args in others {
        for form in ["human", "json"] {
            seen.push_str(&run(project, &[args, &["--format", form][..]].concat()));
        }
    }
    for args in
        [&[hostile][..], &["expand", &format!("--{hostile}")], &["schema", hostile], &["expand", "--jobs", hostile]]
    {
        seen.push_str(&run(project, args));
    }
    seen
}

/// What megax writes for people and reviews: snapshots, lockfiles, the log, saved plans.
fn records(project: &Path) {
    let mut looked_at = BTreeSet::new();
    let mut folders = vec![project.join("snapshots"), project.join(".megax/lock"), project.join(".megax/log")];
    let mut files = vec![project.join("p.plan")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for path in files.iter().filter(|path| path.is_file()) {
        // What was displaced is kept as it was.
        let is_record =
            path.extension().is_some_and(|end| ["snap", "lock", "plan", "journal"].iter().any(|one| end == *one));
        if is_record {
            looked_at.insert(path.extension().unwrap().to_string_lossy().into_owned());
            assert_eq!(raw(&fs::read(path).unwrap()), None, "{}", path.display());
        }
    }
    assert!(looked_at.contains("snap") && looked_at.contains("lock"), "{looked_at:?}");
}

/// A folder whose own name is hostile.
fn project(place: &tempfile::TempDir) -> std::path::PathBuf {
    let project = place.path().join(format!("p{HOSTILE}"));
    fs::create_dir(&project).unwrap();
    project
}

/// The characters came out, named.
fn named(seen: &str) {
    for c in ["<U+001B>", "<U+000D>", "<U+009B>", "<U+202E>", "<U+2066>", "<U+200B>", "<U+FEFF>", "\\u202e", "\\u009b"]
    {
        assert!(seen.contains(c), "{c} is nowhere, so nothing was tested");
    }
}

#[test]
fn a_valid_project_with_hostile_texts_prints_none_raw() {
    let place = tempfile::tempdir().unwrap();
    let project = project(&place);
    valid(&project);
    // The tests of the mega-file are meant to fail; first it is expanded without them.
    let mega = project.join(format!("megafiles/m{HOSTILE}.yaml"));
    let whole = fs::read_to_string(&mega).unwrap();
    let (before, rest) = whole.split_once("validation:").unwrap();
    fs::write(&mega, format!("{before}templates:{}", rest.split_once("templates:").unwrap().1)).unwrap();
    let seen = every_command(&project);
    assert!(project.join(".megax/lock/alpha/m-1.lock").is_file() && seen.contains("MX709"), "{seen}");
    records(&project);
    named(&seen);
    fs::write(&mega, whole).unwrap();
    for form in ["human", "json", "github", "sarif"] {
        assert!(run(&project, &["expand", "--format", form]).contains("MX704"));
    }
}

#[test]
fn a_broken_project_with_hostile_texts_prints_none_raw() {
    let place = tempfile::tempdir().unwrap();
    let project = project(&place);
    broken(&project);
    named(&every_command(&project));
}

#[test]
fn a_hostile_folder_of_megax_prints_none_raw() {
    let place = tempfile::tempdir().unwrap();
    let project = project(&place);
    valid(&project);
    for path in
        ["lock/alpha/m-1.lock", "lock/alpha/m-2.lock", "log/1/journal", "txn/x/journal", "checkpoints/a", "detached"]
    {
        write(&project, &format!(".megax/{path}"), &format!("megax-lock 1\n{HOSTILE}\n"));
    }
    for path in [format!("lock/alpha/{HOSTILE}.lock"), format!("lock/{HOSTILE}/x.lock"), format!("log/{HOSTILE}")] {
        write(&project, &format!(".megax/{path}"), HOSTILE);
    }
    write(&project, "snapshots/alpha/m-1.snap", HOSTILE);
    named(&every_command(&project));
}

#[test]
fn what_is_raw_is_seen() {
    assert_eq!(raw("plain\n\tåß 🦀".as_bytes()), None);
    for c in HOSTILE.chars().filter(|c| !c.is_ascii_graphic()) {
        assert!(raw(format!("a{c}").as_bytes()).is_some(), "{c:?}");
    }
    assert!(raw(b"\xff").is_some());
}
