//! Several processes in one project: those for different teams do not hinder one another, and those for one team take
//! turns on request.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Output, Stdio};

use crate::folder;
use crate::properties::temporary;
use crate::steps::megax;

/// The teams of the test project, as the seeds name them.
const TEAMS: [&str; 10] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"];

/// A project in which every team makes some files and gives to one that all share.
fn write_project(root: &Path) {
    fs::create_dir_all(root.join("megafiles")).unwrap();
    let teams: Vec<String> = TEAMS.iter().map(|team| format!("  {team}: {{ output: [\"{team}/\"] }}\n")).collect();
    fs::write(root.join("megax.yaml"), format!("teams:\n{}", teams.concat())).unwrap();
    for team in TEAMS {
        let text = format!(
            "id: mega-{team}\nteam: {team}\ngenerator:\n  rules:\n    - for_each: [one, two, three, four]\n      \
             as: word\n      generate: [{{ content: \"{{word}} of {team}\\n\", path: \"{team}/{{word}}.txt\" }}]\n"
        );
        fs::write(root.join(format!("megafiles/{team}.yaml")), text).unwrap();
    }
}

fn start(root: &Path, args: &[&str]) -> Child {
    let mut command = megax(root, root);
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn tree(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("tree "));
    line.unwrap_or_else(|| panic!("no tree in {output:?}")).to_owned()
}

#[test]
fn ten_processes_for_ten_teams_make_what_one_run_makes() {
    let (_ideal, ideal) = temporary();
    write_project(&ideal);
    let one = megax(&ideal, &ideal).args(["expand"]).output().unwrap();
    assert!(one.status.success(), "{one:?}");
    for round in 0..10 {
        let (_keep, root) = temporary();
        write_project(&root);
        // Each window checks its own work, then expands it, while the others do the same.
        std::thread::scope(|windows| {
            for team in TEAMS {
                let root = &root;
                windows.spawn(move || {
                    for args in [["validate", "--team", team], ["expand", "--team", team]] {
                        let output = start(root, &args).wait_with_output().unwrap();
                        assert!(output.status.success(), "round {round}, {args:?}: {output:?}");
                    }
                });
            }
        });
        let check = megax(&root, &root).args(["expand", "--check"]).output().unwrap();
        assert!(check.status.success(), "round {round}: {check:?}");
        assert_eq!(tree(&check), tree(&one), "round {round}");
        assert_eq!(folder::outputs(&root), folder::outputs(&ideal), "round {round}");
    }
}

#[test]
fn two_processes_for_one_team_take_turns() {
    let (_keep, root) = temporary();
    write_project(&root);
    fs::create_dir_all(root.join(".megax/guard")).unwrap();
    fs::write(root.join(".megax/guard/beta.guard"), "process 7 (`a long run`)").unwrap();
    let guard = fs::File::open(root.join(".megax/guard/beta.guard")).unwrap();
    guard.try_lock().unwrap();
    let mut running: Vec<Child> =
        (0..2).map(|_| start(&root, &["expand", "--team", "beta", "--wait", "--format", "json"])).collect();
    let mut said: Vec<BufReader<_>> =
        running.iter_mut().map(|child| BufReader::new(child.stderr.take().unwrap())).collect();
    for reader in &mut said {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "waiting for team beta, held by process 7 (`a long run`)\n");
    }
    assert!(!root.join("beta").exists(), "nothing is written by those who wait");
    // What is edited while they wait is what they write.
    let mega_file = root.join("megafiles/beta.yaml");
    fs::write(&mega_file, fs::read_to_string(&mega_file).unwrap().replace("four", "five")).unwrap();
    drop(guard);
    let mut outcomes = Vec::new();
    for (child, mut reader) in running.into_iter().zip(said) {
        let output = child.wait_with_output().unwrap();
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(output.status.success() && rest.is_empty(), "{output:?} {rest}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        outcomes.push(document["outcome"].as_str().unwrap().to_owned());
    }
    outcomes.sort();
    assert_eq!(outcomes, ["done", "nothing-to-do"]);
    assert!(root.join("beta/five.txt").exists() && !root.join("beta/four.txt").exists());
}
