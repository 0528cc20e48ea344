//! Reads the sources and holds them to the habits that no compiler checks: layers, module docs, size, and what the
//! library must not touch. Every check is a function from (path, text) to findings, so that a test can show it failing.

use std::fs;
use std::path::Path;

/// A file near this size is a smell, over it an error.
const MAX_LINES: usize = 500;

/// Vocabulary first, then the stages; a module uses those before it only.
const LAYERS: [&str; 27] = [
    "span",
    "hidden",
    "path",
    "glob",
    "limit",
    "digest",
    "name",
    "diagnostic",
    "event",
    "lockfile",
    "handle",
    "source",
    "template",
    "model",
    "plan",
    "output",
    "verify",
    "snapshot",
    "merge",
    "change",
    "saved",
    "disk",
    "report",
    "start",
    "brief",
    "pipeline",
    "hooks",
];

/// What the library never touches, and why.
const FORBIDDEN: [(&str, &str); 9] = [
    ("println!", "only the command knows the streams"),
    ("eprintln!", "only the command knows the streams"),
    ("std::env::", "the caller says what the environment is"),
    ("SystemTime", "no clock reaches an output"),
    ("Instant::now", "no clock reaches an output"),
    ("HashMap", "its order is not the same on every run"),
    ("HashSet", "its order is not the same on every run"),
    ("thread_rng", "randomness comes from the seed"),
    ("process::Command", "mega-files are data, never programs"),
];

/// Folders of one machine; a text of the project names none of them, except as an example for an output root.
const MACHINE_PATHS: [&str; 4] = ["/work/", "/root/", "/home/", "/tmp/"];

/// A place that has an absolute path on purpose, with the reason.
const ALLOWED_MACHINE_PATHS: [(&str, &str); 1] = [("tests/it/tidy.rs", "names the folders that it looks for")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts below some folders, by path relative to the project; sorted.
fn texts(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        for entry in walkdir::WalkDir::new(root().join(folder)).sort_by_file_name() {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            if entry.file_type().is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 3, "{folders:?}: nothing to read");
    found
}

fn rust(folders: &[&str]) -> Vec<(String, String)> {
    let is_rust = |(path, _): &(String, String)| Path::new(path).extension().is_some_and(|end| end == "rs");
    texts(folders).into_iter().filter(is_rust).collect()
}

/// Runs a check over files; all findings at once.
fn hold(files: &[(String, String)], check: impl Fn(&str, &str) -> Vec<String>) {
    let found: Vec<String> = files.iter().flat_map(|(path, text)| check(path, text)).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| part == "tests") || path.ends_with("tests.rs") || path.ends_with("testing.rs")
}

/// The lines of a file that belong to the product: without comments, and without the test module at the end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut lines = text.lines().zip(1..).peekable();
    let mut done = false;
    std::iter::from_fn(move || {
        let (line, number) = lines.next()?;
        let next_is_module = lines.peek().is_some_and(|(next, _)| next.starts_with("mod ") && next.ends_with('{'));
        done |= line.trim() == "#[cfg(test)]" && next_is_module;
        (!done).then_some((number, line))
    })
    .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The tests of a module in a file of their own need no doc: the module has it.
fn module_doc(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("src/") && is_test_file(path) {
        return Vec::new();
    }
    let has = text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//! "));
    if has { Vec::new() } else { vec![format!("{path}: begins without a `//!` module doc")] }
}

fn size(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= MAX_LINES { Vec::new() } else { vec![format!("{path}: {lines} lines")] }
}

/// The top-level module of a file of the library; `None` for `lib.rs` and the command.
fn module(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    let first = rest.split('/').next()?.trim_end_matches(".rs");
    (first != "lib" && first != "bin").then_some(first)
}

/// The paths after `crate::` in a line, braces taken apart: `crate::{a, b::c}` gives `a` and `b::c`.
fn imports(line: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for part in line.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let inner = group.split('}').next().unwrap_or(group);
            found.extend(inner.split(',').map(|one| one.trim().split(|c| !is_path(c)).next().unwrap_or("").to_owned()));
        } else {
            found.push(part.split(|c| !is_path(c)).next().unwrap_or("").trim_end_matches(':').to_owned());
        }
    }
    found.retain(|one| !one.is_empty());
    found
}

fn layers(path: &str, text: &str) -> Vec<String> {
    let Some(own) = module(path).filter(|_| !is_test_file(path)) else { return Vec::new() };
    let rank = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    let Some(own_rank) = rank(own) else { return vec![format!("{path}: the module `{own}` has no layer")] };
    let mut found = Vec::new();
    for (number, line) in code(text) {
        for import in imports(line) {
            let target = import.split("::").next().unwrap_or("");
            let allowed = target == own || rank(target).is_some_and(|rank| rank < own_rank);
            // `crate::Something` at the root does not exist: `lib.rs` has modules only.
            if !allowed {
                found.push(format!("{path}:{number}: `{own}` uses `{import}`, which is not to its left"));
            }
        }
    }
    found
}

fn forbidden(path: &str, text: &str) -> Vec<String> {
    if module(path).is_none() || is_test_file(path) {
        return Vec::new();
    }
    let lines: Vec<(usize, &str)> = code(text).collect();
    let found = lines.iter().flat_map(|(number, line)| {
        let hits = FORBIDDEN.iter().filter(move |(word, _)| line.contains(word));
        hits.map(move |(word, why)| format!("{path}:{number}: `{word}`: {why}"))
    });
    found.collect()
}

/// The command sees the public API: `megax::`, other crates, and its own modules.
fn command(path: &str, text: &str) -> Vec<String> {
    let own = rust(&["src/bin"]).into_iter().map(|(path, _)| path);
    let own: Vec<String> = own.filter_map(|path| Some(Path::new(&path).file_stem()?.to_str()?.to_owned())).collect();
    let mut found = Vec::new();
    for (number, line) in code(text) {
        for import in imports(line) {
            if !own.iter().any(|name| Some(name.as_str()) == import.split("::").next()) {
                found.push(format!("{path}:{number}: `crate::{import}` is no module of the command"));
            }
        }
        if line.contains("#[path") || line.contains("include!(") {
            found.push(format!("{path}:{number}: takes in a file of the library"));
        }
    }
    found
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    if ALLOWED_MACHINE_PATHS.iter().any(|(name, _)| *name == path) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for folder in MACHINE_PATHS {
            // `a/home/b` is a path of a project; only one that begins so names a machine.
            let begins = line.match_indices(folder).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|c| !(c.is_alphanumeric() || ".-_~}]".contains(c)))
            });
            if begins {
                found.push(format!("{path}:{number}: a path of one machine (`{folder}`)"));
            }
        }
    }
    found
}

#[test]
fn files_begin_with_a_module_doc() {
    hold(&rust(&["src", "tests"]), module_doc);
    assert_eq!(module_doc("a.rs", "use x;\n").len(), 1);
    assert_eq!(module_doc("a.rs", "\n//! Says what it is for.\n"), [""; 0]);
}

#[test]
fn files_are_short() {
    hold(&rust(&["src", "tests"]), size);
    assert_eq!(size("a.rs", &"x\n".repeat(MAX_LINES)), [""; 0]);
    assert_eq!(size("a.rs", &"x\n".repeat(MAX_LINES + 1)), ["a.rs: 501 lines"]);
}

#[test]
fn modules_use_modules_to_their_left() {
    hold(&rust(&["src"]), layers);
    let one = |path: &str, text: &str| layers(path, text).len();
    assert_eq!(one("src/plan/mod.rs", "use crate::disk::Root;\n"), 1);
    assert_eq!(one("src/plan/mod.rs", "use crate::{model, span::Span, disk};\n"), 1);
    assert_eq!(one("src/plan/mod.rs", "fn f() { crate::report::x(); }\n"), 1);
    assert_eq!(one("src/span.rs", "use crate::path::OutputPath;\n"), 1);
    assert_eq!(one("src/extra.rs", "use std::fmt;\n"), 1, "a new module needs a layer");
    assert_eq!(one("src/output/mod.rs", "use crate::change::lf_digest;\n"), 1);
    assert_eq!(one("src/plan/mod.rs", "use crate::model::Model;\nuse crate::plan::Plan;\n"), 0);
    assert_eq!(one("src/plan/mod.rs", "//! [`crate::disk`]\n#[cfg(test)]\nmod tests {\nuse crate::disk;\n}\n"), 0);
}

#[test]
fn the_list_of_layers_is_complete() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut listed = LAYERS.to_vec();
    declared.sort_unstable();
    listed.sort_unstable();
    assert_eq!(declared, listed);
}

#[test]
fn the_library_touches_no_stream_environment_or_clock() {
    hold(&rust(&["src"]), forbidden);
    for (word, _) in FORBIDDEN {
        let line = format!("fn f() {{ {word} }}\n");
        assert!(!forbidden("src/plan/mod.rs", &line).is_empty(), "{word}");
        assert_eq!(forbidden("src/bin/megax/main.rs", &line), [""; 0], "{word}");
        assert_eq!(forbidden("src/plan/tests.rs", &line), [""; 0], "{word}");
    }
    assert_eq!(forbidden("src/plan/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\nHashMap\n}\n"), [""; 0]);
    assert_eq!(forbidden("src/plan/mod.rs", "#[cfg(test)]\nmod tests;\n\nHashMap\n").len(), 1);
}

#[test]
fn the_command_uses_the_public_api_only() {
    let files: Vec<(String, String)> = rust(&["src/bin"]);
    hold(&files, command);
    assert_eq!(command("m.rs", "use crate::terminal;\nuse megax::report;\n"), [""; 0]);
    assert_eq!(command("m.rs", "use crate::plan::Plan;\n").len(), 1);
    assert_eq!(command("m.rs", "#[path = \"../plan.rs\"]\nmod plan;\n").len(), 1);
}

#[test]
fn no_text_names_a_folder_of_one_machine() {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let names: Vec<String> = names.filter(|name| ![".git", "target", "Cargo.lock"].contains(&name.as_str())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    hold(&texts(&names), machine_paths);
    assert_eq!(machine_paths("a.md", "see /work/main/x and \"/root/x\"\n").len(), 2);
    assert_eq!(machine_paths("a.md", "src/home/page.ts and ./tmp/x and {x}/work/\n"), [""; 0]);
}

#[test]
fn every_allowance_is_still_needed() {}
