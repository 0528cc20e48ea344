//! What the README shows is what megax does.

use std::fs;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    README.split(fence.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap_or("")).collect()
}

/// Runs megax in a folder; stdout, stderr and whether it exited with 0.
fn megax(folder: &Path, arguments: &[&str]) -> (String, String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_megax"));
    let output = command.args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{text}\n")).unwrap();
}

#[test]
fn the_tour_prints_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut routes = "";
    for block in blocks("yaml") {
        let Some((first, rest)) = block.split_once('\n') else { continue };
        if let Some(path) = first.strip_prefix("# ").filter(|path| !path.starts_with("several/")) {
            write(folder.path(), path, rest);
            routes = rest;
        }
    }
    let shown = blocks("text");
    let (first, _, done) = megax(folder.path(), &["expand"]);
    assert!(done);
    assert_eq!(first.trim_end(), shown[0]);
    let (second, _, _) = megax(folder.path(), &["expand"]);
    assert_eq!(second.trim_end(), shown[1]);
    let (explained, _, _) = megax(folder.path(), &["explain", "src/api/user/service.ts"]);
    let asked = shown.iter().find_map(|block| block.strip_prefix("$ megax explain src/api/user/service.ts\n")).unwrap();
    assert_eq!(explained.trim_end(), asked);
    let (line, _, _) = megax(folder.path(), &["explain", "src/api/user/service.ts:9"]);
    assert!(shown.iter().any(|block| block.ends_with(line.lines().last().unwrap())), "{line}");

    write(folder.path(), "megafiles/team-beta/routes.yaml", &routes.replacen("no {entity}", "no {enttiy}", 1));
    let (_, slip, done) = megax(folder.path(), &["validate"]);
    assert!(!done);
    assert!(slip.contains(shown[2].trim_end()), "{slip}");

    write(folder.path(), "megafiles/team-beta/routes.yaml", routes);
    let domain = "id: mega-domain-001\nteam: gamma\ngenerator:\n  rules:\n    - for_each: [user, invoice]\n      generate:\n        - { path: \"src/api/{entity}/service.ts\", content: \"export {};\\n\" }";
    write(folder.path(), "megafiles/team-gamma/domain.yaml", domain);
    let (_, collision, done) = megax(folder.path(), &["expand", "megafiles/team-beta"]);
    assert!(!done);
    assert!(collision.contains(shown[3].trim_end()), "{collision}");
}

#[test]
fn the_tour_of_several_teams_prints_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    for block in blocks("yaml").into_iter().chain(blocks("csv")) {
        let Some((first, rest)) = block.split_once('\n') else { continue };
        if let Some(path) = first.strip_prefix("# several/") {
            write(folder.path(), path, rest);
        }
    }
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    let run = |arguments: &[&str]| megax(folder.path(), arguments).0.trim_end().to_owned();
    assert!(megax(folder.path(), &["expand", "--strict"]).2);
    assert_eq!(read("src/core/routes.ts").trim_end(), blocks("ts")[0]);
    let shown: Vec<&str> =
        blocks("console").into_iter().filter_map(|block| block.strip_prefix("$ megax status\n")).collect();
    assert_eq!(run(&["status"]), shown[0]);
    assert!(megax(folder.path(), &["snapshot"]).2);

    fs::write(folder.path().join("src/core/routes.ts"), read("src/core/routes.ts") + "// by hand\n").unwrap();
    fs::remove_file(folder.path().join("src/shop/product/page.ts")).unwrap();
    let pages = read("megafiles/team-shop/pages.yaml");
    let changed = pages.replacen("{Name}Page {", "{Name}Page extends Page {", 1);
    assert_ne!(pages, changed);
    fs::write(folder.path().join("megafiles/team-shop/pages.yaml"), changed).unwrap();
    assert_eq!(run(&["status"]), shown[1]);
    let (diff, _, clean) = megax(folder.path(), &["snapshot", "--check"]);
    assert!(!clean && diff.starts_with(blocks("diff")[0]), "{diff}");
}

#[test]
fn the_format_by_example_expands_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let example = blocks("yaml").into_iter().find(|block| block.starts_with("id: mega-api-001")).unwrap();
    write(folder.path(), "megafiles/example.yaml", example);
    write(folder.path(), "assets/logo.svg", "<svg/>");
    write(folder.path(), "openapi.json", r#"{"paths": {"/users": {"get": {"summary": "All users"}}}}"#);
    let (_, findings, done) = megax(folder.path(), &["expand", "--strict"]);
    assert!(done, "{findings}");
}

#[test]
fn the_commands_of_the_readme_exist() {
    for command in ["cargo test --locked", "cargo run --release -- expand megafiles/team-beta/*.yaml --out shop"] {
        assert!(blocks("sh").contains(&command), "{command}");
    }
}
