//! What a run may touch: inputs are regular files and nothing waits for one that is not, and the process is confined where
//! the kernel can do it. No test here needs such a kernel; where it is one, it is held to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use crate::properties::temporary;
use crate::steps::megax;

/// Nothing here takes long; what waits for a pipe waits forever.
const SOON: Duration = Duration::from_secs(20);

fn project() -> (tempfile::TempDir, std::path::PathBuf) {
    let (keep, root) = temporary();
    fs::create_dir_all(root.join("megafiles")).unwrap();
    fs::write(root.join("megax.yaml"), "teams: { beta: { output: [\"src/\"] } }\n").unwrap();
    write(&root, "src/x.txt");
    (keep, root)
}

fn write(root: &Path, path: &str) {
    let text = format!(
        "id: mega-a\nteam: beta\ngenerator: {{ rules: [{{ generate: [{{ content: \"x\\n\", path: {path} }}] }}] }}\n"
    );
    fs::write(root.join("megafiles/a.yaml"), text).unwrap();
}

fn ended(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it waits: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Exit code, and both streams together.
fn run(root: &Path, args: &[&str]) -> (Option<i32>, String) {
    let child = megax(root, root).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = ended(child);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[cfg(target_os = "linux")]
fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_refused_wherever_an_input_is_read() {
    let (_keep, root) = project();
    pipe(&root.join("megafiles/pipe.yaml"));
    for args in [&["expand"][..], &["expand", "megafiles/pipe.yaml"], &["validate", "megafiles/*.yaml"], &["status"]] {
        let (code, said) = run(&root, args);
        assert_eq!(code, Some(3), "{args:?}: {said}");
        assert!(said.contains("cannot be read: it is a pipe"), "{args:?}: {said}");
    }
    fs::remove_file(root.join("megafiles/pipe.yaml")).unwrap();

    pipe(&root.join("data.json"));
    let mega_file = fs::read_to_string(root.join("megafiles/a.yaml")).unwrap();
    fs::write(root.join("megafiles/a.yaml"), format!("{mega_file}sources: {{ a: data.json, b: data.json/x.json }}\n"))
        .unwrap();
    let (code, said) = run(&root, &["validate"]);
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(said.matches("`data.json` is a pipe").count(), 2, "{said}");
    let copied = mega_file.replace("content: \"x\\n\"", "copy: data.json");
    fs::write(root.join("megafiles/a.yaml"), copied).unwrap();
    let (code, said) = run(&root, &["expand"]);
    assert!(code == Some(3) && said.contains("`data.json` is a pipe"), "{code:?} {said}");

    write(&root, "src/x.txt");
    fs::create_dir(root.join("templates")).unwrap();
    pipe(&root.join("templates/pipe.txt"));
    assert_eq!(run(&root, &["expand"]).0, Some(0), "what nobody uses hinders nobody");
    pipe(&root.join("a.plan"));
    let (code, said) = run(&root, &["apply", "a.plan"]);
    assert!(code == Some(3) && said.contains("it is a pipe"), "{code:?} {said}");
    fs::remove_file(root.join("megax.yaml")).unwrap();
    pipe(&root.join("megax.yaml"));
    for args in
        [&["validate"][..], &["validate", "--manifest", "megax.yaml"], &["new", "beta", "template"], &["doctor"]]
    {
        let (code, said) = run(&root, args);
        assert!(code == Some(3) && said.contains("it is a pipe"), "{args:?}: {code:?} {said}");
    }
}

#[test]
fn a_device_or_a_socket_is_refused() {
    let (_keep, root) = project();
    for device in ["/dev/zero", "/dev/null"] {
        let (code, said) = run(&root, &["validate", "--manifest", "megax.yaml", device]);
        assert!(code == Some(3) && said.contains("it is a device"), "{device}: {code:?} {said}");
        let (code, said) = run(&root, &["apply", device]);
        assert!(code == Some(3) && said.contains("it is a device"), "{device}: {code:?} {said}");
    }
    let _socket = UnixListener::bind(root.join("megafiles/s.yaml")).unwrap();
    let (code, said) = run(&root, &["validate"]);
    assert!(code == Some(3) && said.contains("it is a socket"), "{code:?} {said}");
}

#[test]
fn folders_of_inputs_have_a_depth() {
    let (_keep, root) = project();
    let deep = root.join("megafiles").join(vec!["d"; 66].join("/"));
    fs::create_dir_all(&deep).unwrap();
    let (code, said) = run(&root, &["validate"]);
    assert!(code == Some(3) && said.contains("the limit `input_depth` is 64"), "{code:?} {said}");
    fs::remove_dir_all(root.join("megafiles/d")).unwrap();
    let many = root.join("templates").join(vec!["d"; 66].join("/"));
    fs::create_dir_all(many).unwrap();
    let (code, said) = run(&root, &["validate"]);
    assert!(code == Some(0) && said.contains("`input_depth`"), "a warning: {code:?} {said}");
}

#[test]
fn a_mega_file_elsewhere_may_be_named() {
    let (_keep, root) = project();
    let (_other, other) = temporary();
    fs::rename(root.join("megafiles/a.yaml"), other.join("a.yaml")).unwrap();
    let manifest = root.join("megax.yaml");
    for named in [other.join("a.yaml"), other.clone(), other.join("*.yaml")] {
        let args = ["expand", "--manifest", manifest.to_str().unwrap(), named.to_str().unwrap()];
        let (code, said) = run(&root, &args);
        assert_eq!(code, Some(0), "{}: {said}", named.display());
    }
    // Symlinks that lead to it are the user's own; it is none itself.
    let way = root.join("way");
    std::os::unix::fs::symlink(&other, &way).unwrap();
    let beside = other.join("megax.yaml");
    fs::rename(&manifest, &beside).unwrap();
    let (code, said) = run(&root, &["validate", "--manifest", "way/megax.yaml", "way/a.yaml"]);
    assert_eq!(code, Some(0), "{said}");
    std::os::unix::fs::symlink("a.yaml", other.join("link.yaml")).unwrap();
    let (code, said) = run(&root, &["validate", "--manifest", "way/megax.yaml", "way/link.yaml"]);
    assert!(code == Some(3) && said.contains("it is a symlink"), "{code:?} {said}");
}

/// What `megax doctor` says of a thing: how it stands, and what was found.
fn doctor(root: &Path, name: &str, more: &[&str]) -> (String, String) {
    let output = megax(root, root).args(["doctor", "--format", "json"]).args(more).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{document}"));
    let text = |key: &str| check[key].as_str().unwrap().to_owned();
    (text("standing"), text("found"))
}

/// Whether the kernel has Landlock: asked of the kernel itself, not of megax.
#[cfg(target_os = "linux")]
pub fn kernel_confines() -> bool {
    use landlock::{ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};
    let wanted = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    wanted.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_kernel_can_confine_a_run_it_does() {
    let (_keep, root) = project();
    let (standing, found) = doctor(&root, "sandbox", &[]);
    let refused = found.contains("a write elsewhere was refused");
    assert_eq!(refused, kernel_confines(), "{standing}: {found}");
}

#[test]
fn every_way_of_writing_works_where_the_output_root_is_not_there_yet() {
    let (_keep, root) = project();
    let (_beside, beside) = temporary();
    for out in ["new", "far/off/new", beside.join("new").to_str().unwrap()] {
        let (code, said) = run(&root, &["expand", "--out", out]);
        assert_eq!(code, Some(0), "{out}: {said}");
        assert!(root.join(out).join("src/x.txt").is_file(), "{out}");
    }
    let (code, said) = run(&root, &["plan", "--out", "planned", "-o", "a.plan"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&root, &["apply", "a.plan"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(root.join("planned/src/x.txt").is_file());
    // Through a symlink that leads to it, and where nothing of the root may be read but what lies below.
    std::os::unix::fs::symlink(root.join("new"), root.join("link")).unwrap();
    let (code, said) = run(&root, &["expand", "--out", "link"]);
    assert!(code == Some(0) && said.contains("nothing to do"), "{said}");
    assert_eq!(run(&root, &["init", "deep/er/project", "--nested"]).0, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_is_confined_while_it_works_unless_it_is_told_not_to_be() {
    let (_keep, root) = project();
    if !kernel_confines() {
        return;
    }
    fs::create_dir_all(root.join(".megax/guard")).unwrap();
    fs::write(root.join(".megax/guard/beta.guard"), "process 7").unwrap();
    for (args, rights) in [(&["expand", "--wait"][..], "1"), (&["expand", "--wait", "--no-sandbox"], "0")] {
        let guard = fs::File::open(root.join(".megax/guard/beta.guard")).unwrap();
        guard.try_lock().unwrap();
        let mut child = megax(&root, &root);
        let mut child = child.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.contains("waiting"), "{line}");
        // The kernel shows no rules, but what every confined process has given up with them.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        assert!(status.contains(&format!("NoNewPrivs:\t{rights}\n")), "{args:?}: {status}");
        drop(guard);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert!(ended(child).status.success(), "{args:?}: {rest}");
    }
}

#[test]
fn doctor_says_how_it_stands_and_what_to_do() {
    let (_keep, root) = project();
    assert_eq!(doctor(&root, "renames", &[]).0, "unknown");
    assert!(!root.join(".megax").exists(), "it makes nothing");
    assert_eq!(run(&root, &["expand"]).0, Some(0));
    assert_ne!(doctor(&root, "renames", &[]).0, "unknown");
    assert_eq!(doctor(&root, "lockfiles", &[]), ("good".to_owned(), "1 of mega-files, all readable".to_owned()));
    assert_eq!(doctor(&root, "sandbox", &["--no-sandbox"]).0, "weak");
    let shard = root.join(".megax/lock/beta/mega-a.lock");
    fs::write(&shard, "<<<<<<< ours\n").unwrap();
    let (code, said) = run(&root, &["doctor"]);
    assert!(code == Some(1) && said.contains("megax repair"), "{code:?} {said}");
    fs::remove_file(&shard).unwrap();
    fs::create_dir_all(root.join(".megax/txn/1-0")).unwrap();
    fs::write(root.join(".megax/txn/1-0/journal"), "").unwrap();
    let (code, said) = run(&root, &["doctor"]);
    assert!(code == Some(1) && said.contains("megax recover"), "{code:?} {said}");
    fs::write(root.join("megax.yaml"), "teams: [\n").unwrap();
    assert_eq!(run(&root, &["doctor"]).0, Some(3));
}

#[test]
fn the_environment_switches_the_sandbox_off_by_one_word() {
    let (_keep, root) = project();
    let run = |value: &str| megax(&root, &root).env("MEGAX_NO_SANDBOX", value).arg("doctor").output().unwrap();
    assert!(String::from_utf8_lossy(&run("1").stdout).contains("switched off"));
    assert!(!String::from_utf8_lossy(&run("0").stdout).contains("switched off"));
    assert_eq!(run("yes").status.code(), Some(2));
}
