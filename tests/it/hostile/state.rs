//! Attacks by the tree that is there already: symlinks where megax writes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Row, hold, rule};

fn writes(path: &str) -> String {
    rule(&format!("generate: [{{ content: new, path: \"{path}\" }}]"))
}

fn link(project: &Path, to: &str, name: &str) {
    symlink(to, project.join(name)).unwrap();
}

#[test]
fn nothing_is_written_through_a_symlink() {
    let row = |name: &str, path: &str| Row::new(name, writes(path), "MX803").exit(4);
    let rows = [
        row("a folder is a symlink out", "gen/x.txt").setup(|project| link(project, "../outside", "gen")),
        row("a folder is an absolute symlink", "gen/folder/canary")
            .setup(|project| link(project, project.with_file_name("outside").to_str().unwrap(), "gen")),
        row("a file is a symlink out", "x.txt").setup(|project| link(project, "../outside/canary", "x.txt")),
        row("a file is a dangling symlink", "x.txt").setup(|project| link(project, "../outside/new", "x.txt")),
        row("a chain of two symlinks", "gen/x.txt").setup(|project| {
            link(project, "second", "gen");
            link(project, "../outside", "second");
        }),
        row("a symlink inside the project", "gen/user.rs").setup(|project| link(project, "src", "gen")),
        row("a symlink in the middle", "a/b/c/x.txt").setup(|project| {
            fs::create_dir_all(project.join("a")).unwrap();
            link(project, "../../outside", "a/b");
        }),
    ];
    hold(&rows);
}

#[test]
fn its_own_folder_is_no_way_out() {
    let row = |name: &str, code: &'static str| Row::new(name, writes("x.txt"), code).exit(4);
    let rows = [
        row(".megax is a symlink", "MX803").setup(|project| link(project, "../outside", ".megax")),
        row(".megax/lock is a symlink", "MX803").setup(|project| {
            fs::create_dir(project.join(".megax")).unwrap();
            link(project, "../../outside", ".megax/lock");
        }),
        row(".megax/txn is a symlink", "MX803").setup(|project| {
            fs::create_dir(project.join(".megax")).unwrap();
            link(project, "../../outside", ".megax/txn");
        }),
    ];
    let made = || Row { makes: vec![("x.txt", "new")], ..Row::harmless("", writes("x.txt")) };
    let rows = rows.into_iter().chain([
        Row { name: "a symlink among the transactions".into(), ..made() }.setup(|project| {
            fs::create_dir_all(project.join(".megax/txn")).unwrap();
            link(project, "../../../outside/folder", ".megax/txn/0000000000000001");
        }),
        row("the guard of the team is a symlink", "MX803").setup(|project| {
            fs::create_dir_all(project.join(".megax/guard")).unwrap();
            link(project, "../../../outside/canary", ".megax/guard/alpha.guard");
        }),
    ]);
    hold(&rows.collect::<Vec<_>>());
}
