#![expect(clippy::disallowed_methods, reason = "the tests do by path what must be refused")]

use std::fs;
use std::io::ErrorKind::PermissionDenied;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;

/// Does something in a thread of its own that is confined; `None` where the kernel confines nothing.
fn confined<T: Send>(needs: &Needs, work: impl FnOnce() -> T + Send) -> Option<T> {
    let inside = || match confine(needs) {
        Confinement::Off | Confinement::None => None,
        Confinement::Some(_) | Confinement::All(_) => Some(work()),
    };
    std::thread::scope(|scope| scope.spawn(inside).join().unwrap())
}

/// A folder `root` with a file in it and one beside it.
fn prepared() -> (tempfile::TempDir, PathBuf, Needs) {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("root");
    fs::create_dir_all(root.join("a")).unwrap();
    fs::create_dir(root.join("b")).unwrap();
    fs::write(root.join("a/x"), "x").unwrap();
    fs::write(top.path().join("secret"), "secret").unwrap();
    let needs = Needs { reads: Vec::new(), writes: vec![root.clone()] };
    (top, root, needs)
}

fn is_denied<T>(done: std::io::Result<T>) -> bool {
    done.is_err_and(|error| error.kind() == PermissionDenied)
}

#[test]
fn what_a_run_needs_goes_on_and_nothing_else_does() {
    let (top, root, needs) = prepared();
    let outside = top.path().join("secret");
    let found = confined(&needs, || {
        fs::write(root.join("a/x"), "longer").unwrap();
        fs::File::create(root.join("a/x")).unwrap().set_len(0).unwrap();
        fs::rename(root.join("a/x"), root.join("b/y")).unwrap();
        fs::hard_link(root.join("b/y"), root.join("a/z")).unwrap();
        fs::create_dir_all(root.join("c/d")).unwrap();
        fs::rename(root.join("c/d"), root.join("b/d")).unwrap();
        fs::remove_dir(root.join("b/d")).unwrap();
        fs::remove_file(root.join("a/z")).unwrap();
        [
            ("write outside", is_denied(fs::write(top.path().join("new"), ""))),
            ("change outside", is_denied(fs::OpenOptions::new().append(true).open(&outside))),
            ("read outside", is_denied(fs::read(&outside))),
            ("list outside", is_denied(fs::read_dir(top.path()))),
            ("remove outside", is_denied(fs::remove_file(&outside))),
            ("move out", is_denied(fs::rename(root.join("b/y"), top.path().join("y")))),
            ("link in", fs::hard_link(&outside, root.join("linked")).is_err()),
            ("symlink", is_denied(symlink("x", root.join("a/link")))),
            ("socket", is_denied(UnixListener::bind(root.join("a/socket")))),
            ("device", is_denied(fs::OpenOptions::new().write(true).open("/dev/null"))),
            ("execute", Command::new("true").status().is_err()),
        ]
    });
    for (what, denied) in found.into_iter().flatten() {
        assert!(denied, "{what} was not refused");
    }
    assert_eq!(fs::read_to_string(outside).unwrap(), "secret");
}

#[test]
fn a_command_that_writes_nothing_cannot() {
    let (_top, root, needs) = prepared();
    let needs = Needs { reads: needs.writes, writes: Vec::new() };
    let found = confined(&needs, || {
        assert_eq!(fs::read_to_string(root.join("a/x")).unwrap(), "x");
        [is_denied(fs::write(root.join("a/new"), "")), is_denied(fs::remove_file(root.join("a/x")))]
    });
    assert_ne!(found, Some([false, false]));
    assert!(found.into_iter().flatten().all(|denied| denied));
}

#[test]
fn a_root_that_does_not_exist_can_be_made() {
    let (top, _, _) = prepared();
    let root = top.path().join("new/deep/root");
    let needs = Needs { reads: Vec::new(), writes: vec![root.clone()] };
    let made = confined(&needs, || fs::create_dir_all(&root).and_then(|()| fs::write(root.join("x"), "")).is_ok());
    assert_ne!(made, Some(false));
    assert_eq!(standing(&top.path().join("none/at/all")), Some(top.path()));
}

#[test]
fn the_connections_that_are_refused() {
    // Somebody listens, so that only the kernel can refuse.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let found = confined(&Needs::default(), || (confine(&Needs::default()), std::net::TcpStream::connect(address)));
    // The fourth ABI came with it.
    if let Some((Confinement::Some(abi @ 4..) | Confinement::All(abi), connected)) = found {
        assert!(is_denied(connected), "ABI {abi}");
    }
}
