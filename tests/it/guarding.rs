//! Hooks as agents and git run them: the very command of the settings file, with the JSON of the agent on stdin, and commits
//! in a real repository.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::steps;

const MEGAX: &str = env!("CARGO_BIN_EXE_megax");

/// A project of two teams that was expanded.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "project"] {
            fs::create_dir(project.0.path().join(folder)).unwrap();
        }
        project.megax(&["init"]);
        project.megax(&["expand"]);
        project
    }

    fn root(&self) -> std::path::PathBuf {
        fs::canonicalize(self.0.path()).unwrap().join("project")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let base = steps::megax(&self.root(), &self.0.path().join("home"));
        command.env_clear().envs(base.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.root()).stdin(Stdio::null());
        command
    }

    fn megax(&self, args: &[&str]) -> Output {
        let done = self.command(MEGAX).args(args).output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        done
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// The command that a settings file names, run as its agent does; exit code and stderr. Stdout stays empty.
    fn hook(&self, settings: &str, event: &str, input: &Value, team: Option<&str>) -> (i32, String) {
        let settings: Value = serde_json::from_str(&self.read(settings)).unwrap();
        let command = settings["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
        let mut command_line = self.command("sh");
        command_line.args(["-c", &command]).envs(team.map(|team| ("MEGAX_TEAM", team)));
        let streams = command_line.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.stdout.is_empty(), "agents take stdout for an answer");
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    }

    fn git(&self, args: &[&str]) -> Output {
        let mut git = self.command("git");
        git.env("GIT_CONFIG_NOSYSTEM", "1").args(["-c", "user.name=A", "-c", "user.email=a@example.com"]).args(args);
        git.output().unwrap()
    }
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

#[test]
fn an_agents_hook_blocks_an_edit_of_a_generated_file_and_names_the_line_to_edit() {
    let project = Project::new();
    // A place that a shell would take apart.
    let odd = project.0.path().join("it's mega x");
    std::os::unix::fs::symlink(MEGAX, &odd).unwrap();
    let odd = odd.to_string_lossy().into_owned();
    project.megax(&["hooks", "install", "claude", "codex", "gemini", "--command", &odd]);
    let mega_file = "megafiles/team-api/mega-api-001.yaml";
    let line = line_of(&project.read(mega_file), "{{ field.name }}{{");
    let place = format!("--> {mega_file}:{line}:");
    let file = |path: &str| project.root().join(path).to_string_lossy().into_owned();
    let edit = |path: &str, old: &str| {
        json!({ "cwd": project.root(), "tool_name": "Edit", "tool_input":
            { "file_path": file(path), "old_string": old, "new_string": "x" } })
    };
    let claude = |input: &Value, team| project.hook(".claude/settings.json", "PreToolUse", input, team);

    let (code, said) = claude(&edit("api/models/user.ts", "email: string;"), None);
    assert!(code == 2 && said.contains(&place) && said.contains("megax expand"), "{code} {said}");
    assert!(!said.contains("detach"), "nothing that takes the file out of megax's hands: {said}");
    assert_eq!(claude(&edit("notes.md", "x"), None), (0, String::new()), "a free file");
    assert_eq!(claude(&edit("web/app.ts", "x"), Some("web")), (0, String::new()), "the team's own");
    let (code, said) = claude(&edit("api/mine.ts", "x"), Some("web"));
    assert!(code == 2 && said.contains("inside the write paths of api"), "{code} {said}");
    let bash = json!({ "tool_name": "Bash", "tool_input": { "command": "ls" } });
    assert_eq!(claude(&bash, None), (0, String::new()));
    let (code, said) = claude(&json!({ "tool_name": "Write", "tool_input": { "where": "x" } }), None);
    assert!(code == 2 && said.contains("names no file") && !said.contains("hooks remove"), "{code} {said}");
    let (code, said) = claude(&edit("web/app.ts", "x"), Some("wep"));
    assert!(code == 2 && said.contains("did you mean `web`"), "{code} {said}");

    let write = json!({ "cwd": project.root(), "tool_name": "replace", "tool_input":
        { "file_path": "api/models/user.ts", "old_string": "email: string;" } });
    let (code, said) = project.hook(".gemini/settings.json", "BeforeTool", &write, None);
    assert!(code == 2 && said.contains(&place), "{code} {said}");
    let patch = "*** Begin Patch\n*** Update File: notes.md\n-a\n*** Update File: api/models/user.ts\n@@\n-  email: string;\n+  x\n*** End Patch";
    let patch = json!({ "cwd": project.root(), "tool_name": "apply_patch", "tool_input": { "command": patch } });
    let (code, said) = project.hook(".codex/hooks.json", "PreToolUse", &patch, None);
    assert!(code == 2 && said.contains(&place), "{code} {said}");
}

/// Whether git is on this machine; says so where it is not.
#[expect(clippy::print_stdout, reason = "shown when it is asked for")]
fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok_and(|done| done.status.success());
    if !found {
        println!("SKIPPED: git is not on this machine");
    }
    found
}

#[test]
fn a_commit_of_an_edited_generated_file_is_refused_until_it_is_expanded_again() {
    if !has_git() {
        return;
    }
    let project = Project::new();
    assert!(project.git(&["init", "-q"]).status.success());
    project.megax(&["hooks", "install", "git", "--command", MEGAX]);
    let commit = |message: &str| {
        assert!(project.git(&["add", "-A"]).status.success());
        let done = project.git(&["commit", "-qm", message]);
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (passed, said) = commit("all that megax wrote");
    assert!(passed, "{said}");
    let path = project.root().join("api/models/user.ts");
    fs::write(&path, project.read("api/models/user.ts") + "// by hand\n").unwrap();
    fs::write(project.root().join("notes.md"), "free\n").unwrap();
    let (passed, said) = commit("an edit");
    assert!(!passed && said.contains("`api/models/user.ts` holds something else than megax wrote"), "{said}");
    project.megax(&["expand", "--on-edit", "overwrite"]);
    let (passed, said) = commit("expanded again");
    assert!(passed, "{said}");

    // What is staged counts: an edit that the disk no longer holds, a file that is gone, one that has another name.
    let written = project.read("api/models/user.ts");
    fs::write(&path, format!("{written}// by hand\n")).unwrap();
    assert!(project.git(&["add", "api/models/user.ts"]).status.success());
    fs::write(&path, written).unwrap();
    let refused = |word: &str| {
        let done = project.git(&["commit", "-qm", "no"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(word), "{said}");
        assert!(project.git(&["reset", "-q", "--hard"]).status.success());
    };
    refused("what is staged of `api/models/user.ts` is not what lies on the disk");
    assert!(project.git(&["mv", "api/models/user.ts", "api/models/person.ts"]).status.success());
    refused("`api/models/user.ts` is to be deleted");
    assert!(project.git(&["rm", "-q", "--cached", "api/models/user.ts"]).status.success());
    assert!(project.git(&["commit", "-qm", "no longer tracked"]).status.success());
    let (passed, said) = commit("tracked again");
    assert!(passed, "{said}");

    // In a worktree the hooks are those of the main repository.
    let other = project.0.path().join("other").to_string_lossy().into_owned();
    assert!(project.git(&["worktree", "add", "-q", &other]).status.success());
    fs::write(Path::new(&other).join("api/models/user.ts"), "mine\n").unwrap();
    let refused = project.git(&["-C", &other, "commit", "-qam", "an edit"]);
    assert!(!refused.status.success(), "{}", String::from_utf8_lossy(&refused.stderr));
    let status =
        project.command(MEGAX).current_dir(&other).args(["hooks", "status", "git", "--format", "json"]).output();
    let status: Value = serde_json::from_slice(&status.unwrap().stdout).unwrap();
    assert_eq!(status["hooks"][0]["state"], "there");
}

#[test]
fn a_hook_of_somebody_else_stays_to_the_byte() {
    if !has_git() {
        return;
    }
    let project = Project::new();
    assert!(project.git(&["init", "-q"]).status.success());
    let own = "#!/bin/sh\n# mine\nexit 0\n";
    fs::create_dir_all(project.root().join(".git/hooks")).unwrap();
    fs::write(project.root().join(".git/hooks/pre-commit"), own).unwrap();
    for args in [&["hooks", "install", "git"][..], &["hooks", "install", "git", "--merge"], &["hooks", "install"]] {
        let done = project.command(MEGAX).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(4) && said.contains("guard --committing"), "{args:?}: {said}");
    }
    project.megax(&["hooks", "remove"]);
    assert_eq!(project.read(".git/hooks/pre-commit"), own);
}

#[test]
fn a_git_hook_with_lines_of_somebody_else_is_left_to_the_byte() {
    let project = Project::new();
    fs::create_dir_all(project.root().join(".git/hooks")).unwrap();
    fs::write(project.root().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    project.megax(&["hooks", "install", "git"]);
    let with = project.read(".git/hooks/pre-commit") + "npm test || exit 1\n";
    fs::write(project.root().join(".git/hooks/pre-commit"), &with).unwrap();
    let other: &[&str] = &["hooks", "install", "git", "--command", "/opt/megax"];
    for (args, word) in [(other, "/opt/megax guard"), (&["hooks", "remove", "git"], "take these lines out")] {
        let done = project.command(MEGAX).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(4), "{said}");
        assert!(said.contains(word) && said.contains("line 5 is of megax"), "{said}");
        assert_eq!(project.read(".git/hooks/pre-commit"), with);
    }
}

#[test]
fn a_hook_blocks_whatever_is_not_known_to_be_free() {
    let project = Project::new();
    project.megax(&["hooks", "install", "claude", "--command", MEGAX]);
    fs::write(project.root().join("megax.yaml"), "teams: [").unwrap();
    let edit = |path: &str| {
        let input = json!({ "cwd": project.root(), "tool_name": "Write", "tool_input": { "file_path": path } });
        project.hook(".claude/settings.json", "PreToolUse", &input, None)
    };
    let (code, said) = edit("notes.md");
    assert!(code == 2 && said.contains("tell the person who coordinates the teams"), "{code} {said}");
    assert!(!said.contains("hooks remove"), "{said}");
    let (code, said) = edit("megax.yaml");
    assert!(code == 3 && !said.contains("hooks remove"), "somebody must mend it: {code} {said}");
}
