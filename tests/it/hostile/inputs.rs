//! Attacks on what megax reads: files that are none, and files outside the project.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{MINE, Row, hold, rule, rule_and, template};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A mega-file that reads a source.
fn source(path: &str) -> String {
    let more = format!("sources: {{ s: {} }}\n", serde_json::to_string(path).unwrap());
    rule_and("generate: [{ content: \"{{ s }}\", path: out.txt }]", &more)
}

fn schema(reference: &str) -> String {
    let more =
        format!("data: {{ a: 1 }}\nvalidation:\n  schema: {{ $ref: {} }}\n", serde_json::to_string(reference).unwrap());
    rule_and("generate: [{ content: x, path: out.txt }]", &more)
}

fn include(name: &str) -> String {
    template(&format!("{{% include \"{name}\" %}}"))
}

#[test]
fn no_source_lies_outside_or_is_no_file() {
    let rows = [
        Row::new("sources: ../outside", source("../outside/canary.yaml"), "MX108"),
        Row::new("sources: /etc/passwd", source("/etc/passwd"), "MX108"),
        Row::new("sources: /dev/zero", source("/dev/zero"), "MX108"),
        Row::new("sources: a/../../x", source("src/../../outside/canary"), "MX108"),
        Row::new("sources: a URL", source("https://127.0.0.1/x.json"), "MX108"),
        Row::new("sources: a FIFO", source("data.yaml"), "MX108").setup(|project| fifo(&project.join("data.yaml"))),
        Row::new("sources: a symlink", source("data.yaml"), "MX108")
            .setup(|project| symlink("../outside/canary", project.join("data.yaml")).unwrap()),
        Row::new("sources: below a symlink", source("data/canary.yaml"), "MX108")
            .setup(|project| symlink("../outside", project.join("data")).unwrap()),
        Row::new("sources: a folder", source("src"), "MX108"),
        Row::new("sources: a device by symlink", source("data.json"), "MX108")
            .setup(|project| symlink("/dev/zero", project.join("data.json")).unwrap()),
        Row::new("copy: ../outside", rule("generate: [{ copy: ../outside/canary, path: out.txt }]"), "MX508"),
        Row::new("copy: a symlink", rule("generate: [{ copy: link, path: out.txt }]"), "MX508")
            .setup(|project| symlink("../outside/canary", project.join("link")).unwrap()),
        Row::new("copy: a FIFO", rule("generate: [{ copy: pipe, path: out.txt }]"), "MX508")
            .setup(|project| fifo(&project.join("pipe"))),
    ];
    hold(&rows);
}

#[test]
fn no_schema_and_no_template_lies_outside() {
    let rows = [
        Row::new("$ref: file:", schema("file:///etc/passwd"), "MX319"),
        Row::new("$ref: http:", schema("http://127.0.0.1:9/x"), "MX319"),
        Row::new("$ref: a relative file", schema("../outside/canary"), "MX319"),
        Row::new("$ref: itself", schema("#"), "MX319"),
        Row::new("include ../../x", include("../../x"), "MX411"),
        Row::new("include an absolute path", include("/etc/passwd"), "MX411"),
        Row::new("include a symlinked template", include("t.txt"), "MX411").setup(|project| {
            fs::create_dir(project.join("templates")).unwrap();
            symlink("../../outside/canary", project.join("templates/t.txt")).unwrap();
        }),
        Row::new("include below a symlinked folder", include("t/canary"), "MX411").setup(|project| {
            fs::create_dir(project.join("templates")).unwrap();
            symlink("../../outside", project.join("templates/t")).unwrap();
        }),
        Row::new("templates is a symlink", include("canary"), "MX411")
            .setup(|project| symlink("../outside", project.join("templates")).unwrap()),
    ];
    hold(&rows);
}

#[test]
fn no_mega_file_and_no_manifest_is_something_else() {
    let plain = || rule("generate: [{ content: x, path: out.txt }]");
    let selected = |row: Row, path: &'static str| Row { args: vec!["expand", path], ..row };
    let rows = [
        selected(Row::new("a mega-file is a FIFO", plain(), "MX101"), "megafiles/pipe.yaml")
            .setup(|project| fifo(&project.join("megafiles/pipe.yaml"))),
        selected(Row::new("a mega-file is a symlink", plain(), "MX101"), "megafiles/link.yaml").setup(|project| {
            fs::write(project.with_file_name("outside").join("m.yaml"), MINE).unwrap();
            symlink("../../outside/m.yaml", project.join("megafiles/link.yaml")).unwrap();
        }),
        selected(Row::new("a mega-file is a device", plain(), "MX101"), "megafiles/zero.yaml")
            .setup(|project| symlink("/dev/zero", project.join("megafiles/zero.yaml")).unwrap()),
        Row::new("the manifest is a symlink", plain(), "MX101").setup(|project| {
            fs::rename(project.join("megax.yaml"), project.with_file_name("outside").join("m")).unwrap();
            symlink("../outside/m", project.join("megax.yaml")).unwrap();
        }),
    ];
    hold(&rows);
}
