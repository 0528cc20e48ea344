#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

mod limits;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::event::Silent;
use crate::report::Outcome;

/// A project in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.at(path)).unwrap();
    }

    fn request(&self, paths: &[&str]) -> Request {
        let inputs = source::Request {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            current: self.0.path().to_path_buf(),
            ..source::Request::default()
        };
        Request {
            jobs: Some(1),
            holder: "test".into(),
            durability: disk::Durability::Process,
            ..Request::new(Command::Expand, Mode::Write, inputs)
        }
    }

    /// Outcome and errors, `CODE message | help`.
    fn expand(&self, paths: &[&str]) -> (Outcome, Vec<String>) {
        errors(&self.request(paths))
    }
}

fn errors(request: &Request) -> (Outcome, Vec<String>) {
    let report = run(request, &Silent).report;
    let errors = report.diagnostics.iter().filter(|finding| finding.is_error());
    let shown = errors.map(|one| format!("{} {} | {}", one.code, one.message, one.help.as_deref().unwrap_or("-")));
    (report.outcome, shown.collect())
}

/// A mega-file of one rule without a loop.
fn mega(id: &str, team: &str, path: &str) -> String {
    format!(
        "id: {id}\nteam: {team}\ngenerator:\n  rules:\n    - generate: [ {{ content: \"{id}\\n\", path: \"{path}\" }} ]\n"
    )
}

const MANIFEST: &str = "teams:\n  alpha: { boundaries: { write_paths: [/src/alpha/, /shared/] } }\n  beta: {}\n";

fn done(project: &Project, paths: &[&str]) {
    let (outcome, errors) = project.expand(paths);
    assert!(errors.is_empty() && outcome <= Outcome::Done, "{outcome:?} {errors:?}");
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}

#[test]
fn outputs_stay_while_their_mega_file_is_anywhere_in_the_project() {
    let inside = mega("in-1", "beta", "src/in.txt");
    let project = Project::new(&[("megax.yaml", MANIFEST), ("megafiles/in.yaml", &inside)]);
    project.write("drafts/out.yaml", &mega("out-1", "beta", "src/out.txt"));
    done(&project, &["drafts/out.yaml"]);
    let lock = fs::read_to_string(project.at(".megax/lock/beta/out-1.lock")).unwrap();
    assert!(lock.contains("\nsource drafts/out.yaml\n"), "{lock}");

    done(&project, &[]);
    assert!(exists(&project.at("src/out.txt")), "the mega-file still exists");
    project.write("megafiles/in.yaml", &mega("in-1", "beta", "src/out.txt"));
    let (_, errors) = project.expand(&[]);
    assert!(errors.iter().any(|error| error.starts_with("MX502")), "its paths stay claimed: {errors:?}");

    project.write("megafiles/in.yaml", &inside);
    project.remove("drafts/out.yaml");
    done(&project, &[]);
    assert!(!exists(&project.at("src/out.txt")), "the mega-file is gone");
}

#[test]
fn outputs_of_a_mega_file_outside_of_the_project_are_never_orphans() {
    let project = Project::new(&[("p/megax.yaml", MANIFEST), ("p/megafiles/in.yaml", &mega("in-1", "beta", "in.txt"))]);
    project.write("draft.yaml", &mega("out-1", "beta", "out.txt"));
    let mut request = project.request(&["draft.yaml"]);
    request.inputs.manifest = Some("p/megax.yaml".into());
    assert_eq!(errors(&request), (Outcome::Done, Vec::new()));
    project.remove("draft.yaml");
    done(&project, &["p/megafiles"]);
    assert!(exists(&project.at("p/out.txt")));
    assert!(fs::read_to_string(project.at("p/.megax/lock/beta/out-1.lock")).unwrap().contains("\nsource -\n"));
}

#[test]
fn a_renamed_id_gives_its_outputs_up() {
    let project = Project::new(&[("megax.yaml", MANIFEST), ("megafiles/a.yaml", &mega("a-1", "beta", "one.txt"))]);
    done(&project, &[]);
    project.write("megafiles/a.yaml", &mega("a-2", "beta", "two.txt"));
    done(&project, &[]);
    assert!(!exists(&project.at("one.txt")) && exists(&project.at("two.txt")));
}

#[test]
fn a_draft_outside_of_its_own_boundary_holds_up_nobody_else() {
    let project = Project::new(&[
        ("megax.yaml", MANIFEST),
        ("megafiles/alpha.yaml", &mega("alpha-1", "alpha", "src/beta/x.txt")),
        ("megafiles/beta.yaml", &mega("beta-1", "beta", "src/beta/x.txt")),
    ]);
    let (outcome, errors) = project.expand(&[]);
    assert_eq!(outcome, Outcome::Wrong);
    assert!(errors.len() == 1 && errors[0].starts_with("MX505"), "{errors:?}");
    assert_eq!(fs::read_to_string(project.at("src/beta/x.txt")).unwrap(), "beta-1\n");
    done(&project, &["megafiles/beta.yaml"]);

    project.write("megafiles/alpha.yaml", &mega("alpha-1", "alpha", "shared/x.txt"));
    project.write("megafiles/beta.yaml", &mega("beta-1", "beta", "shared/x.txt"));
    let (_, errors) = project.expand(&[]);
    assert!(errors.len() == 1 && errors[0].starts_with("MX502"), "inside of both boundaries: {errors:?}");
}

#[test]
fn only_that_matches_nothing_is_an_error_and_its_patterns_are_those_of_the_manifest() {
    let project =
        Project::new(&[("megax.yaml", MANIFEST), ("megafiles/b.yaml", &mega("b-1", "beta", "src/deep/x.ts"))]);
    let with = |only: &str| {
        let mut request = project.request(&[]);
        request.mode = Mode::DryRun;
        request.only = vec![only.to_owned()];
        errors(&request)
    };
    for only in ["src", "/src/", "./src/deep", "**/x.ts", "src/*/x.ts"] {
        assert_eq!(with(only), (Outcome::Done, Vec::new()), "{only}");
    }
    let (outcome, errors) = with("x.ts");
    assert_eq!(outcome, Outcome::Wrong);
    assert!(errors[0].starts_with("MX102 `x.ts` matches no planned file | did you mean `**/x.ts`?"), "{errors:?}");
}

#[test]
fn no_mega_file_writes_an_input_of_megax() {
    let project = Project::new(&[("megax.yaml", MANIFEST), ("drafts/d.yaml", "")]);
    for path in ["megax.yaml", "MEGAX.yaml", "team-coordination-manifest.yaml", "megafiles/new.yaml", "drafts/d.yaml"] {
        project.write("drafts/d.yaml", &mega("d-1", "beta", path));
        let (outcome, errors) = project.expand(&["drafts/d.yaml"]);
        assert_eq!(outcome, Outcome::Wrong, "{path}");
        let message = format!("MX501 `{path}` is an input of megax: a mega-file writes neither");
        assert!(errors.len() == 1 && errors[0].starts_with(&message), "{errors:?}");
    }
    assert_eq!(fs::read_to_string(project.at("megax.yaml")).unwrap(), MANIFEST);
    // In another folder it would be the manifest of a project of its own, with grants that nobody gave.
    project.write("drafts/d.yaml", &mega("d-1", "beta", "docs/megax.yaml"));
    let (outcome, errors) = project.expand(&["drafts/d.yaml"]);
    assert_eq!(outcome, Outcome::Wrong);
    assert!(errors.len() == 1 && errors[0].starts_with("MX510 `docs/megax.yaml`"), "{errors:?}");
    project.write("drafts/d.yaml", &mega("d-1", "beta", "docs/megax.yaml.txt"));
    done(&project, &["drafts/d.yaml"]);
}

#[test]
fn a_collision_of_one_entry_says_what_to_change() {
    let rule = |list: &str, entries: &str| {
        format!("id: b-1\nteam: beta\ngenerator:\n  rules:\n    - for_each: {list}\n      generate: [ {entries} ]\n")
    };
    let one = "{ content: x, path: \"{entity}.ts\" }";
    for (text, want) in [
        (rule("[a, b, a]", one), "two items are both called `a`"),
        (rule("[a, b, a]", one), "make the names of the items differ"),
        (rule("[a, b]", "{ content: x, path: x.ts }"), "put the item into the path"),
        (rule("[a]", &format!("{one}, {one}")), "leave one of the two out"),
    ] {
        let project = Project::new(&[("megax.yaml", MANIFEST), ("megafiles/b.yaml", &text)]);
        let (_, errors) = project.expand(&[]);
        assert!(errors.len() == 1 && errors[0].contains(want), "{want}: {errors:?}");
    }
}

#[test]
fn a_path_text_may_begin_with_the_output_root_but_a_value_may_not() {
    let text = |value: &str, path: &str| {
        format!(
            "id: b-1\nteam: beta\ngenerator:\n  patterns: {{ api: \"./src/api\" }}\n  rules:\n    - for_each: [\"{value}\"]\n      \
             generate: [ {{ content: x, path: \"{path}\" }} ]\n"
        )
    };
    let plan = |text: &str| {
        let project = Project::new(&[("megax.yaml", MANIFEST), ("megafiles/b.yaml", text)]);
        let mut request = project.request(&[]);
        request.mode = Mode::DryRun;
        let report = run(&request, &Silent).report;
        report.files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>()
    };
    for (path, want) in [("./{entity}.ts", "a.ts"), ("/{entity}.ts", "a.ts"), ("{@api}/{entity}.ts", "src/api/a.ts")] {
        assert_eq!(plan(&text("a", path)), [want], "{path}");
    }
    for (value, path) in
        [("./a", "{entity}.ts"), ("/a", "{entity}.ts"), ("./a", "./{entity}.ts"), ("a", ".//x"), ("a", "././x")]
    {
        assert!(plan(&text(value, path)).is_empty(), "{value} {path}");
    }
}

#[test]
fn a_removal_finishes_an_interrupted_run_first() {
    let mega = |entities: &str| {
        format!(
            "id: m\nteam: t\ngenerator:\n  rules:\n    - for_each: [{entities}]\n      generate: [{{ page: \"{{entity}}\" }}]\ntemplates: {{ page: \"x\" }}\n"
        )
    };
    let project = Project::new(&[("megafiles/m.yaml", &mega("a"))]);
    let (_, found) = project.expand(&[]);
    assert_eq!(found, [""; 0]);
    project.write("megafiles/m.yaml", &mega("a, b"));
    project.expand(&[]);
    let root = disk::Root::open(project.0.path()).unwrap();
    let listing = disk::read_log(&root).unwrap().operations[0].listing.unwrap();
    // It died before the last rename.
    let transaction = project.at(".megax/txn/1-0");
    fs::rename(project.at(".megax/log/0000000002"), &transaction).unwrap();
    let number = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&transaction).unwrap());
    fs::write(transaction.join("guard"), number.to_string()).unwrap();
    let request = HistoryRequest {
        inputs: project.request(&[]).inputs,
        durability: disk::Durability::Process,
        holder: "test".into(),
        asked: Asked::Prune { keep: 2 },
    };
    let report = history(&request);
    assert!(report.findings.iter().all(|finding| !finding.is_error()), "{:?}", report.findings);
    let log = disk::read_log(&root).unwrap();
    assert_eq!((log.last(), log.operations[0].listing), (2, Some(listing)), "it is finished first");
    let listings = disk::read_listings(&root).unwrap();
    let texts = &listings[&listing];
    assert_eq!(disk::read_inputs(&root, texts).unwrap().len(), texts.texts.len());
}
