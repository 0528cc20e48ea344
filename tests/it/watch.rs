//! `megax watch`: one line for each change, whatever way a file is saved.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::properties::temporary;
use crate::steps::megax;

/// Far longer than a change takes to be seen, also on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);
/// Longer than a second line would take that nobody expects.
const NOTHING: Duration = Duration::from_millis(1_500);

struct Watching {
    _keep: tempfile::TempDir,
    root: PathBuf,
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(args: &[&str]) -> Self {
        let (keep, root) = temporary();
        fs::create_dir(root.join("megafiles")).unwrap();
        fs::write(root.join("megax.yaml"), "teams: { beta: { output: [\"src/\"] } }\n").unwrap();
        fs::write(root.join("megafiles/a.yaml"), mega_file("x")).unwrap();
        let mut child = megax(&root, &root)
            .arg("watch")
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { _keep: keep, root, child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LONGEST).expect("a line")
    }

    /// The next line is this, and no other follows.
    fn demand(&self, line: &str) {
        assert_eq!(self.line(), line);
        let more = self.lines.recv_timeout(NOTHING);
        assert!(more.is_err(), "{more:?}");
    }

    fn save(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.root.join("megafiles/a.yaml")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mega_file(name: &str) -> String {
    format!(
        "id: mega-a\nteam: beta\ngenerator: {{ rules: [{{ generate: [{{ content: \"x\\n\", path: src/{name}.txt }}] }}] }}\n"
    )
}

#[test]
fn a_save_is_checked_and_a_burst_of_saves_is_one() {
    let watch = Watching::start(&[]);
    watch.demand("start: ok: 1 file, 1 line");
    watch.save(&mega_file("x").replace("team: beta", "team: betta"));
    watch.demand("megafiles/a.yaml changed: 1 error: MX601 megafiles/a.yaml:2:7 the manifest names no team `betta`");
    watch.save(&mega_file("y"));
    watch.demand("megafiles/a.yaml changed: ok: 1 file, 1 line");
    for round in 0..4 {
        watch.save(&mega_file(&format!("burst-{round}")));
    }
    watch.demand("megafiles/a.yaml changed: ok: 1 file, 1 line");
    // As an editor saves: the new text under another name, then in the place of the old one.
    fs::write(watch.root.join("megafiles/.a.yaml.swp"), mega_file("renamed")).unwrap();
    fs::rename(watch.root.join("megafiles/.a.yaml.swp"), watch.path()).unwrap();
    watch.demand("megafiles/a.yaml changed: ok: 1 file, 1 line");
    assert!(!watch.root.join("src").exists(), "it checks only");
}

#[test]
fn folders_sources_and_files_that_come_and_go_are_seen() {
    let watch = Watching::start(&[]);
    watch.demand("start: ok: 1 file, 1 line");
    fs::create_dir_all(watch.root.join("megafiles/team/deep")).unwrap();
    let other = "id: mega-b\nteam: beta\nsources: { list: list.csv }\ngenerator: { rules: [{ for_each: data.list, as: row, \
                 generate: [{ content: \"x\\n\", path: \"src/{row.name}.md\" }] }] }\n";
    fs::write(watch.root.join("megafiles/team/deep/b.yaml"), other).unwrap();
    let missing = watch.line();
    assert!(missing.starts_with("megafiles/team/deep/b.yaml created: "), "{missing}");
    assert!(missing.contains("MX108"), "the source does not exist: {missing}");
    while watch.lines.recv_timeout(NOTHING).is_ok() {}
    fs::write(watch.root.join("list.csv"), "name\none\ntwo\n").unwrap();
    watch.demand("list.csv created: ok: 3 files, 3 lines");
    fs::write(watch.root.join("list.csv"), "name\none\n").unwrap();
    watch.demand("list.csv changed: ok: 2 files, 2 lines");
    fs::remove_dir_all(watch.root.join("megafiles/team")).unwrap();
    watch.demand("megafiles/team/deep/b.yaml deleted: ok: 1 file, 1 line");
}

#[test]
fn with_expand_files_appear_and_json_is_a_line() {
    let watch = Watching::start(&["--expand", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!((&line["created"], &line["changes"]), (&1.into(), &serde_json::json!([])));
    assert!(watch.root.join("src/x.txt").is_file());
    watch.save(&mega_file("y"));
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!((&line["created"], &line["deleted"], &line["outcome"]), (&1.into(), &1.into(), &"done".into()));
    assert_eq!(line["changes"], serde_json::json!([{ "path": "megafiles/a.yaml", "change": "changed" }]));
    assert!(watch.root.join("src/y.txt").is_file() && !watch.root.join("src/x.txt").exists());
    // Another run holds the team: it says so, and tries again at the next change.
    let guard = fs::File::open(watch.root.join(".megax/guard/beta.guard")).unwrap();
    guard.try_lock().unwrap();
    watch.save(&mega_file("z"));
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!((&line["outcome"], &line["diagnostics"][0]["code"]), (&"conflict".into(), &"MX804".into()), "{line}");
    drop(guard);
    watch.save(&format!("{}# again\n", mega_file("z")));
    let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(line["outcome"], "done", "{line}");
    assert!(watch.root.join("src/z.txt").is_file());
}

#[test]
fn wrong_usage_ends_at_once() {
    let (_keep, root) = temporary();
    let run = |args: &[&str]| megax(Path::new(&root), &root).args(args).output().unwrap();
    let output = run(&["watch", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let output = run(&["watch", "nothing/*.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let output = run(&["validate", "--brief", "--format", "github"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
