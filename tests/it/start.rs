//! What a project starts from is valid at once: new projects, and every kind of new mega-file for every team of the ten.
//! Also what shells and `man` read, which must know every command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::folder;
use crate::steps::megax;

/// The kinds of mega-files.
const KINDS: [&str; 7] = ["template", "scaffold", "factory", "lbof", "contributor", "owner", "source"];
const TEN: [&str; 10] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"];

/// Exit code, stdout and stderr.
fn run(current: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let run = megax(current, current).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

/// Runs and must end well.
fn fine(current: &Path, args: &[&str]) -> String {
    let (code, out, err) = run(current, args);
    assert_eq!(code, Some(0), "megax {}\n{out}{err}", args.join(" "));
    out
}

#[test]
fn a_new_project_is_valid_expands_and_is_then_as_planned() {
    for teams in ["small", "ten"] {
        let place = tempfile::tempdir().unwrap();
        fine(place.path(), &["init", "p", "--teams", teams, "--gitattributes"]);
        let project = place.path().join("p");
        fine(&project, &["validate", "--strict"]);
        fine(&project, &["expand", "--strict"]);
        fine(&project, &["expand", "--check"]);
        fine(&project, &["status"]);
        fine(&project, &["snapshot", "--check"]);
        // Every schema that a comment names is there.
        for (path, entry) in folder::entries(&project) {
            // What megax stores of the inputs lies elsewhere than the comments in them think.
            let folder::Entry::File { bytes, .. } = entry else { continue };
            if path.starts_with(".megax/") {
                continue;
            }
            let text = String::from_utf8(bytes).unwrap();
            if let Some(schema) = text.strip_prefix("# yaml-language-server: $schema=") {
                let schema = schema.lines().next().unwrap();
                assert!(project.join(&path).parent().unwrap().join(schema).is_file(), "{path}: {schema}");
            }
        }
        // `.gitattributes` names exactly the generated files.
        let attributes = fs::read_to_string(project.join(".gitattributes")).unwrap();
        let lines = attributes.lines().filter(|line| line.starts_with('/') && !line.starts_with("/.megax"));
        let named: BTreeSet<String> = lines.map(|line| line.split(' ').next().unwrap()[1..].to_owned()).collect();
        let outputs = folder::outputs(&project).into_iter();
        let files = outputs.filter(|(_, entry)| matches!(entry, folder::Entry::File { .. })).map(|(path, _)| path);
        let made = files
            .filter(|path| path != ".gitattributes" && !path.starts_with("schemas/") && !path.starts_with("snapshots/"))
            .collect();
        assert_eq!(named, made, "{teams}");
    }
}

#[test]
fn every_kind_is_valid_for_every_team() {
    let place = tempfile::tempdir().unwrap();
    fine(place.path(), &["init", "--teams", "ten"]);
    for team in TEN {
        for kind in &KINDS {
            // Else they would be those that the manifest waits for.
            let id = format!("mega-{team}-{kind}-001");
            let out = fine(place.path(), &["new", team, *kind, "--id", &id]);
            assert!(out.contains(&format!("megafiles/team-{team}/{id}.yaml")), "{out}");
        }
    }
    // Boundaries and collisions are checked before anything is written.
    fine(place.path(), &["validate", "--strict"]);
    fine(place.path(), &["expand", "--strict"]);
    fine(place.path(), &["expand", "--check"]);
    let outputs = folder::outputs(place.path());
    for team in TEN {
        for kind in &KINDS {
            let id = format!("/mega-{team}-{kind}-001/");
            let count = outputs.keys().filter(|path| path.contains(&id) && !path.ends_with('/')).count();
            assert!(count >= if *kind == "owner" { 1 } else { 2 }, "{id}: {count} files");
        }
    }
}

#[test]
fn narrow_and_missing_write_paths_still_have_a_place() {
    for (boundaries, path) in [
        ("{ write_paths: [\"api/app/routes/*.py\"] }", "api/app/routes/mega-x-template-001-purpose.py"),
        ("{ write_paths: [\"src/**/*.sql\"] }", "src/mega-x-template-001/purpose.sql"),
        ("{ forbidden_paths: [\"/docs/\"] }", "x/mega-x-template-001/purpose.md"),
    ] {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("megax.yaml"), format!("teams: {{ x: {{ boundaries: {boundaries} }} }}\n"))
            .unwrap();
        fine(place.path(), &["new", "x", "template"]);
        fine(place.path(), &["new", "Team-X", "lbof"]);
        fine(place.path(), &["expand", "--strict"]);
        assert!(place.path().join(path).is_file(), "{path}");
    }
}

/// What `megax --help` lists.
fn commands() -> Vec<String> {
    let help = fine(Path::new(env!("CARGO_MANIFEST_DIR")), &["--help"]);
    let list = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.trim().split(' ').next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn completions_and_manual_know_every_command() {
    let place = tempfile::tempdir().unwrap();
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = fine(place.path(), &["completions", shell]);
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(script.contains("gitattributes"), "{shell}: options");
    }
    let page = fine(place.path(), &["man"]);
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    for command in &commands {
        assert!(page.contains(&format!(".SH \"MEGAX {}\"", command.to_uppercase())), "{command}");
    }
    fine(place.path(), &["man", "--dir", "pages"]);
    for command in &commands {
        let page = fs::read_to_string(place.path().join(format!("pages/megax-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(&format!("megax\\-{command}")), "{page}");
    }
    assert!(place.path().join("pages/megax.1").is_file());
}
