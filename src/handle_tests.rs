#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;

const WIDE: Bounds = Bounds { names: 1_000, depth: 64 };

/// A folder `in` with `a/b/c.txt`, beside a folder `out` with a secret.
fn prepared() -> (tempfile::TempDir, Folder) {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join("in/a/b")).unwrap();
    fs::create_dir_all(top.path().join("out/b")).unwrap();
    fs::write(top.path().join("in/a/b/c.txt"), "mine").unwrap();
    for secret in ["out/c.txt", "out/b/c.txt"] {
        fs::write(top.path().join(secret), "secret").unwrap();
    }
    let folder = Folder::open(&top.path().join("in")).unwrap();
    (top, folder)
}

fn file(folder: &Folder, path: &str) -> Result<String, Refusal> {
    let bytes = read(folder.file(Path::new(path))?, 100).unwrap().unwrap();
    Ok(String::from_utf8(bytes).unwrap())
}

fn is(path: &str, what: &'static str) -> Result<String, Refusal> {
    Err(Refusal::Kind(path.into(), what))
}

#[test]
fn a_path_leads_down_and_nowhere_else() {
    let (top, folder) = prepared();
    assert_eq!(file(&folder, "a/b/c.txt").unwrap(), "mine");
    assert_eq!(file(&folder, "./a/./b/c.txt").unwrap(), "mine");
    let absolute = top.path().join("in/a/b/c.txt");
    for path in ["../out/c.txt", "a/../../out/c.txt", "a/b/..", "..", "", ".", absolute.to_str().unwrap()] {
        assert_eq!(file(&folder, path), Err(Refusal::Outside), "{path}");
    }
    for path in ["a/x", "x/c.txt"] {
        assert_eq!(file(&folder, path), Err(Refusal::Absent), "{path}");
    }
    assert_eq!(file(&folder, "a/b/c.txt/d"), is("a/b/c.txt", "a file"));
    assert_eq!(folder.below(Path::new("")).unwrap().names(9).unwrap(), ["a"]);
    assert_eq!(folder.look(Path::new("a/b/c.txt")), Ok(None));
    assert_eq!(folder.look(Path::new("a/b/x")), Err(Refusal::Absent));
    assert_eq!(folder.look(Path::new("../out")), Err(Refusal::Outside));
}

#[test]
fn no_symlink_is_followed() {
    let (top, folder) = prepared();
    symlink("../out", top.path().join("in/link")).unwrap();
    symlink("b/c.txt", top.path().join("in/a/file")).unwrap();
    symlink("nowhere", top.path().join("in/a/dangling")).unwrap();
    symlink(top.path().join("out"), top.path().join("in/a/deep")).unwrap();
    assert_eq!(file(&folder, "link/c.txt"), is("link", "a symlink"));
    assert_eq!(file(&folder, "link/b/c.txt"), is("link", "a symlink"));
    assert_eq!(file(&folder, "a/deep/b/c.txt"), is("a/deep", "a symlink"));
    assert_eq!(file(&folder, "a/file"), is("a/file", "a symlink"));
    assert_eq!(file(&folder, "a/dangling"), is("a/dangling", "a symlink"));
    // A symlink to the folder itself is the user's own choice.
    symlink("in", top.path().join("way")).unwrap();
    assert_eq!(file(&Folder::open(&top.path().join("way")).unwrap(), "a/b/c.txt").unwrap(), "mine");
    let (found, failed) = folder.search(WIDE);
    let found: Vec<_> = found.iter().map(|one| (one.path.to_str().unwrap(), one.other)).collect();
    let symlink = Some("a symlink");
    assert_eq!(
        found,
        [("a/b/c.txt", None), ("a/dangling", symlink), ("a/deep", symlink), ("a/file", symlink), ("link", symlink)]
    );
    assert_eq!(failed, []);
}

#[test]
fn the_walk_says_what_the_one_call_says() {
    let (top, folder) = prepared();
    symlink("../out", top.path().join("in/link")).unwrap();
    for path in ["a", "a/b", "link", "link/b", "a/x", "a/b/c.txt"] {
        let parts = parts(Path::new(path)).unwrap();
        let walked = folder.walk(&parts);
        if let Some(one) = beneath(folder.handle.as_fd(), Path::new(path), &parts) {
            let number = |handle: &OwnedFd| rustix::fs::fstat(handle).unwrap().st_ino;
            assert_eq!(number(&one), number(&walked.unwrap()), "{path}");
        } else {
            assert_eq!(walked.is_ok(), path == "a" || (path == "a/b" && has_openat2() != Some(true)), "{path}");
        }
    }
}

#[test]
fn what_is_no_file_is_named_and_never_waited_for() {
    let (top, folder) = prepared();
    let _socket = UnixListener::bind(top.path().join("in/socket")).unwrap();
    assert_eq!(file(&folder, "socket"), is("socket", "a socket"));
    assert_eq!(file(&folder, "a/b"), is("a/b", "a folder"));
    assert_eq!(file(&Folder::open(Path::new("/dev")).unwrap(), "null"), is("null", "a device"));
    #[cfg(target_os = "linux")]
    {
        let mode = Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(CWD, top.path().join("in/pipe"), FileType::Fifo, mode, 0).unwrap();
        assert_eq!(file(&folder, "pipe"), is("pipe", "a pipe"));
        assert_eq!(file(&folder, "pipe/x"), is("pipe", "a pipe"));
        // Opened although it came after the look: it does not wait for somebody who writes.
        let opened = open_file(folder.handle.as_fd(), "pipe").unwrap();
        assert!(!opened.metadata().unwrap().is_file());
    }
}

#[test]
fn a_limit_holds_whatever_a_file_says_of_its_size() {
    let (top, folder) = prepared();
    let open = || folder.file(Path::new("a/b/c.txt")).unwrap();
    assert_eq!(read(open(), 4).unwrap().unwrap(), b"mine");
    assert_eq!(read(open(), 3).unwrap(), None);
    // It grows while it is read.
    let opened = open();
    fs::write(top.path().join("in/a/b/c.txt"), "longer than it was").unwrap();
    assert_eq!(read(opened, 4).unwrap(), None);
    #[cfg(target_os = "linux")]
    {
        let proc = Folder::open(Path::new("/proc/self")).unwrap();
        let status = proc.file(Path::new("status")).unwrap();
        assert_eq!(status.metadata().unwrap().len(), 0);
        assert_eq!(read(status, 100).unwrap(), None);
        assert!(read(proc.file(Path::new("status")).unwrap(), 1 << 20).unwrap().unwrap().starts_with(b"Name:"));
    }
}

#[test]
fn a_search_has_bounds() {
    let (top, folder) = prepared();
    fs::create_dir(top.path().join("in/.hidden")).unwrap();
    fs::write(top.path().join("in/.hidden/x"), "").unwrap();
    let (found, failed) = folder.search(WIDE);
    assert_eq!((found.len(), failed.as_slice()), (1, &[][..]));
    assert_eq!((found[0].path.as_path(), found[0].bytes), (Path::new("a/b/c.txt"), 4));
    let (found, failed) = folder.search(Bounds { depth: 1, ..WIDE });
    assert_eq!((found.as_slice(), failed), (&[][..], vec![Unsearchable::TooDeep("a/b".into())]));
    // Two names at the top, one below, one below that.
    let (found, failed) = folder.search(Bounds { names: 3, ..WIDE });
    assert_eq!((found.as_slice(), failed), (&[][..], vec![Unsearchable::TooMany("a/b".into())]));
    assert_eq!(folder.search(Bounds { names: 4, ..WIDE }).1, []);
}

#[test]
fn a_folder_that_flips_to_a_symlink_never_leads_out() {
    let (top, folder) = prepared();
    let at = |name: &str| top.path().join(name);
    symlink("../out", at("in/other")).unwrap();
    let done = AtomicBool::new(false);
    let (mut inside, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (from, to) in [("in/a", "in/real"), ("in/other", "in/a"), ("in/a", "in/other"), ("in/real", "in/a")]
                {
                    fs::rename(at(from), at(to)).unwrap();
                }
            }
        });
        let end = Instant::now() + Duration::from_millis(300);
        while Instant::now() < end {
            match file(&folder, "a/b/c.txt") {
                Ok(text) => {
                    assert_eq!(text, "mine");
                    inside += 1;
                }
                Err(_) => refused += 1,
            }
            assert!(folder.search(WIDE).0.iter().all(|one| one.path != Path::new("a/c.txt")));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(inside > 0 && refused > 0, "{inside} read, {refused} refused: this shows nothing");
}
