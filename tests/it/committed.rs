//! A repository that comes with a `.megax` of somebody's making: what it says is looked at, and never obeyed. Each run ends
//! in time with a code, nothing outside the project is touched, and no file of a person is lost.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use megax::digest::Digest;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::folder::{self, Entry};
use crate::properties::temporary;
use crate::steps::megax;

/// Far more than any of this takes, also on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Two teams with a boundary each, and a folder beside the project that nobody may touch.
struct World {
    _keep: tempfile::TempDir,
    root: PathBuf,
    outside: PathBuf,
}

impl World {
    fn new() -> Self {
        let (keep, top) = temporary();
        let (root, outside) = (top.join("project"), top.join("outside"));
        for folder in [&root.join("megafiles"), &root.join("src"), &outside] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(outside.join("theirs.txt"), "theirs\n").unwrap();
        fs::write(root.join("src/user.rs"), "fn mine() {}\n").unwrap();
        fs::write(root.join("megax.yaml"), "teams: { alpha: { output: [a/] }, beta: { output: [b/] } }\n").unwrap();
        for (team, folder) in [("alpha", "a"), ("beta", "b")] {
            let rule = format!("{{ generate: [{{ content: \"x\\n\", path: {folder}/made.txt }}] }}");
            let text = format!("id: mega-{team}\nteam: {team}\ngenerator:\n  rules:\n    - {rule}\n");
            fs::write(root.join(format!("megafiles/{team}.yaml")), text).unwrap();
        }
        Self { _keep: keep, root, outside }
    }

    fn put(&self, path: &str, body: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }

    /// A shard as its owner might have written it, with the right digests.
    fn put_shard(&self, team: &str, id: &str, source: &str, paths: &[&str]) {
        let line = |path: &&str| {
            let digest = Digest::of(&fs::read(self.root.join(path)).unwrap());
            format!("{digest} regular - {path}\tt\n")
        };
        let lines: String = paths.iter().map(line).collect();
        let head = format!("megax-lock 1\nengine e\ninputs -\nteam {team}\nmega-file {id}\nsource {source}\n");
        self.put(&format!(".megax/lock/{team}/{id}.lock"), format!("{head}{lines}"));
    }

    fn run(&self, args: &[&str]) -> Output {
        let start = Instant::now();
        let mut child =
            megax(&self.root, &self.root).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > LONGEST {
                child.kill().unwrap();
                panic!("megax {args:?} hangs");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().unwrap();
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
        output
    }

    /// Runs, and demands an exit code and words on stderr. Outside, and what a person wrote, must be as before.
    fn demand(&self, args: &[&str], codes: &[i32], words: &[&str]) -> String {
        let (outside, own) = (folder::entries(&self.outside), self.own());
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(codes.contains(&output.status.code().unwrap()), "{args:?} ended with {}: {said}", output.status);
        for word in words {
            assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
        }
        assert_eq!(folder::entries(&self.outside), outside, "{args:?} touched what is outside");
        assert_eq!(self.own(), own, "{args:?} touched what a person wrote");
        said
    }

    /// What people wrote.
    fn own(&self) -> BTreeMap<String, Entry> {
        let mut own = BTreeMap::new();
        for folder in ["a", "b", "megafiles", "src"] {
            let folder = self.root.join(folder);
            if folder.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                let name = |path: String| format!("{}/{path}", folder.display());
                own.extend(folder::entries(&folder).into_iter().map(|(path, entry)| (name(path), entry)));
            }
        }
        own.retain(|path, _| !path.ends_with("/made.txt"));
        let bytes = fs::read(self.root.join("megax.yaml")).unwrap();
        own.insert("megax.yaml".to_owned(), Entry::File { bytes, executable: false });
        own
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }
}

/// A text with a seal over it.
fn sealed(body: &str, end: &str) -> String {
    format!("{body}end {end}{}\n", Digest::of(body.as_bytes()))
}

fn journal(steps: &[String]) -> String {
    sealed(&format!("megax-journal 1\n{}\n", steps.join("\n")), &format!("{} ", steps.len()))
}

fn entry() -> String {
    sealed("megax-operation 1\nkind apply\nundoes\nteams alpha\ninputs -\ntree - -\nlisting -\nfiles 0 0 1\n", "")
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

#[test]
fn a_lockfile_takes_no_file_outside_its_teams_boundary() {
    let world = World::new();
    let claimed = ["megafiles/beta.yaml", "megax.yaml", "src/user.rs"];
    // One of a mega-file that never was, one of a mega-file that is there.
    world.put_shard("alpha", "ghost", "megafiles/ghost.yaml", &claimed);
    world.put_shard("alpha", "mega-alpha", "megafiles/alpha.yaml", &claimed);
    let said = world.demand(&["expand", "--dry-run"], &[0], &["MX809", "team alpha may not write there"]);
    // The folder of the mega-files is not even looked into.
    for path in &claimed[1..] {
        assert!(said.contains(&format!("`{path}`")), "{said}");
    }
    world.demand(&["expand"], &[0], &["MX809"]);
    let left = fs::read_to_string(world.root.join(".megax/lock/alpha/mega-alpha.lock")).unwrap();
    assert!(!claimed.iter().any(|path| left.contains(path)) && left.contains("a/made.txt"), "{left}");
    assert!(!world.exists(".megax/lock/alpha/ghost.lock"));
    world.demand(&["expand", "--check"], &[0], &[]);
}

#[test]
fn what_a_lockfile_takes_inside_the_boundary_comes_back() {
    let world = World::new();
    world.put("a/right.txt", "a person wrote this\n");
    world.put("a/wrong.txt", "as it was\n");
    world.put_shard("alpha", "ghost", "megafiles/ghost.yaml", &["a/right.txt", "a/wrong.txt"]);
    world.put("a/wrong.txt", "a person wrote this too\n");
    let output = world.run(&["expand", "--team", "alpha"]);
    assert!(output.status.success(), "{output:?}");
    // Nobody can tell it from a file that megax wrote; but nothing is lost.
    assert!(!world.exists("a/right.txt"));
    assert_eq!(fs::read_to_string(world.root.join("a/wrong.txt")).unwrap(), "a person wrote this too\n");
    let output = world.run(&["undo"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(world.root.join("a/right.txt")).unwrap(), "a person wrote this\n");
}

#[test]
fn a_lockfile_of_nobody_and_one_whose_mega_file_is_there_take_nothing() {
    let world = World::new();
    for path in ["a/one.txt", "b/two.txt"] {
        world.put(path, "a person wrote this\n");
    }
    // No mega-file of this team is expanded; and this source is there, with another id.
    world.put_shard("nobody", "ghost", "megafiles/ghost.yaml", &["a/one.txt", "b/two.txt", "src/user.rs"]);
    world.put_shard("beta", "ghost", "src/user.rs", &["b/two.txt"]);
    world.demand(&["expand"], &[0], &[]);
    assert!(world.exists("a/one.txt") && world.exists("b/two.txt"));
}

#[test]
fn a_shard_that_is_none_holds_its_team_alone() {
    let ok = |world: &World| world.put_shard("alpha", "mega-alpha", "megafiles/alpha.yaml", &["src/user.rs"]);
    let changed = |from: &str, to: &str| {
        let world = World::new();
        ok(&world);
        let place = ".megax/lock/alpha/mega-alpha.lock";
        let text = fs::read_to_string(world.root.join(place)).unwrap();
        assert!(text.contains(from));
        world.put(place, text.replacen(from, to, 1));
        world.demand(&["expand"], &[3, 4], &["MX806", "mega-alpha.lock"]);
        assert!(!world.exists("a/made.txt") && world.exists("b/made.txt"), "{to:?}");
    };
    changed("team alpha", "team beta");
    changed("mega-file mega-alpha", "mega-file mega-beta");
    changed("src/user.rs", "../outside/theirs.txt");
    changed("src/user.rs", "/etc/passwd");
    changed("src/user.rs", ".git/hooks/pre-commit");
    changed("src/user.rs", ".megax/guard/alpha.guard");
    changed("src/user.rs", "src/\u{1b}[2Juser.rs");
    changed("source megafiles/alpha.yaml", "source ../../x");
    changed("engine e", "engine \u{1b}[2J\u{202e}");
    changed("megax-lock 1", "megax-lock 99");
    changed("megax-lock 1", "<<<<<<< HEAD");
}

#[test]
fn sizes_and_counts_of_shards_are_bounded() {
    let world = World::new();
    fs::create_dir_all(world.root.join(".megax/lock/alpha")).unwrap();
    fs::File::create(world.root.join(".megax/lock/alpha/large.lock")).unwrap().set_len((64 << 20) + 1).unwrap();
    world.demand(&["expand"], &[5], &["MX805", "67108864"]);

    let world = World::new();
    fs::create_dir_all(world.root.join(".megax/lock/alpha")).unwrap();
    for number in 0..20_001 {
        fs::File::create(world.root.join(format!(".megax/lock/alpha/{number}.lock"))).unwrap();
    }
    world.demand(&["expand"], &[5], &["MX805", "20000"]);
    assert!(!world.exists("a/made.txt"));
}

#[test]
fn a_journal_that_came_with_the_repository_moves_nothing() {
    let digest = Digest::of(b"evil\n");
    let steps = [
        format!("create n0 {digest} src/evil.txt"),
        format!("create n0 {digest} ../outside/evil.txt"),
        format!("create n0 {digest} .git/hooks/post-checkout"),
        format!("remove o1 {} src/user.rs", Digest::of(b"fn mine() {}\n")),
    ];
    for step in steps {
        let world = World::new();
        for (name, body) in [("journal", journal(std::slice::from_ref(&step))), ("n0", "evil\n".to_owned())] {
            world.put(&format!(".megax/txn/1-1/{name}"), body);
        }
        world.put(".megax/txn/1-1/entry", entry());
        for guard in [None, Some(""), Some("12345")] {
            if let Some(noted) = guard {
                world.put(".megax/txn/1-1/guard", noted);
            }
            world.demand(&["expand"], &[4], &["MX803", ".megax/txn/1-1", "was not written in this tree"]);
            world.demand(&["recover"], &[4], &["MX803"]);
            assert!(!world.exists("src/evil.txt") && !world.exists(".git") && !world.exists("a/made.txt"), "{step}");
        }
    }
}

#[test]
fn an_entry_of_the_log_brings_back_nothing_outside() {
    let digest = Digest::of(b"evil\n");
    for path in ["../outside/evil.txt", ".git/hooks/post-checkout", ".megax/guard/x", "/etc/evil", "src/../../evil"] {
        let world = World::new();
        world.put(".megax/log/0000000001/entry", entry());
        world.put(".megax/log/0000000001/journal", journal(&[format!("remove o0 {digest} {path}")]));
        world.put(".megax/log/0000000001/o0", "evil\n");
        world.demand(&["undo"], &[3, 4, 5], &["MX8"]);
        assert!(!world.exists(".git") && !world.exists(".megax/guard/x"), "{path}");
    }
    // One below a symlink of the tree: nothing is followed.
    let world = World::new();
    symlink(&world.outside, world.root.join("a")).unwrap();
    world.put(".megax/log/0000000001/entry", entry());
    world.put(".megax/log/0000000001/journal", journal(&[format!("remove o0 {digest} a/evil.txt")]));
    world.put(".megax/log/0000000001/o0", "evil\n");
    world.demand(&["undo"], &[4, 5], &["MX8"]);
}

#[test]
fn a_plan_that_was_edited_is_refused_also_with_a_right_checksum() {
    let world = World::new();
    assert!(world.run(&["plan", "--output", "p.plan"]).status.success());
    let text = fs::read_to_string(world.root.join("p.plan")).unwrap();
    world.put("p.plan", text.replacen("a/made.txt", "a/mode.txt", 1));
    world.demand(&["apply", "p.plan"], &[3], &["MX821", "checksum"]);
    let body = text[..text.rfind("end ").unwrap()].to_owned();
    for (from, to) in [("a/made.txt", "../outside/x"), ("a/made.txt", ".git/config"), (" create ", " run ")] {
        assert!(body.contains(from));
        world.put("p.plan", sealed(&body.replacen(from, to, 1), ""));
        world.demand(&["apply", "p.plan"], &[3], &["MX821"]);
    }
    // Another file of the same form is no plan of what would happen.
    world.put("p.plan", sealed(&body.replacen("a/made.txt", "a/mode.txt", 1), ""));
    world.demand(&["apply", "p.plan"], &[3, 4], &["MX820"]);
    fs::remove_file(world.root.join("p.plan")).unwrap();
    pipe(&world.root.join("p.plan"));
    let output = world.run(&["apply", "p.plan"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(!world.exists("a/made.txt"));
}

#[test]
fn a_symlink_in_megax_is_never_followed() {
    for place in [
        ".megax",
        ".megax/lock",
        ".megax/lock/alpha",
        ".megax/lock/alpha/mega-alpha.lock",
        ".megax/txn",
        ".megax/log",
        ".megax/inputs",
        ".megax/guard",
        ".megax/guard/alpha.guard",
        ".megax/guard/.project.guard",
    ] {
        let world = World::new();
        let target = if place.ends_with("lock") || place.ends_with("guard") { "theirs.txt" } else { "" };
        let path = world.root.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_file = Path::new(place).extension().is_some();
        symlink(if is_file { world.outside.join(target) } else { world.outside.clone() }, &path).unwrap();
        let said = world.demand(&["expand"], &[0, 4, 5], &[]);
        assert!(said.contains("MX80") || said.contains("MX831"), "{place}: {said}");
        assert!(path.symlink_metadata().unwrap().is_symlink(), "{place} was replaced");
    }
    let world = World::new();
    fs::create_dir_all(world.root.join(".megax")).unwrap();
    symlink(world.outside.join("theirs.txt"), world.root.join(".megax/.gitignore")).unwrap();
    world.demand(&["expand"], &[0, 4, 5], &[]);
}

#[test]
fn a_pipe_in_megax_hangs_nothing() {
    let listing = format!(".megax/inputs/{}.list", Digest::of(b"x"));
    for (place, args) in [
        (".megax/guard/alpha.guard", &["expand"][..]),
        (".megax/guard/.project.guard", &["expand"]),
        (".megax/guard/.txn.guard", &["expand"]),
        (".megax/lock/alpha/mega-alpha.lock", &["expand"]),
        (".megax/txn/1-1/guard", &["expand"]),
        (".megax/txn/1-1/journal", &["expand"]),
        (".megax/txn/1-1/journal", &["recover"]),
        (".megax/log/0000000001/entry", &["log"]),
        (".megax/log/0000000001/entry", &["undo"]),
        (".megax/log/checkpoints/x", &["log"]),
        (".megax/log/checkpoints/x", &["gc"]),
        (&listing, &["expand", "--on-edit", "merge"]),
        (&listing, &["gc"]),
        (".megax/kept/x", &["expand"]),
        ("a/made.txt", &["expand"]),
    ] {
        let world = World::new();
        pipe(&world.root.join(place));
        let outside = folder::entries(&world.outside);
        let output = world.run(args);
        assert!([0, 3, 4, 5].contains(&output.status.code().unwrap()), "{place}: {output:?}");
        assert_eq!(folder::entries(&world.outside), outside);
        assert!(world.exists(place) || place.starts_with(".megax/txn"), "{place} is gone");
    }
}

#[test]
fn what_a_guard_says_of_its_holder_is_shown_clean() {
    let world = World::new();
    world.put(".megax/guard/alpha.guard", "\u{1b}[2J\u{202e}nobody\r\n");
    let guard = fs::File::open(world.root.join(".megax/guard/alpha.guard")).unwrap();
    guard.try_lock().unwrap();
    let said = world.demand(&["expand", "--team", "alpha"], &[4], &["MX804", "nobody"]);
    assert!(!said.contains('\u{202e}'), "{said:?}");
}
