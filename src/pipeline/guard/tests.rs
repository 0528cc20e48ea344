//! Verdicts over a small project of two teams on a real disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::event::Silent;
use crate::pipeline::run;
use crate::report::Outcome;

const MANIFEST: &str = "teams:
  api: { boundaries: { write_paths: [/api/], forbidden_paths: [/api/secret/] } }
  web: { boundaries: { write_paths: [/web/, /shared/] } }
on_edit: [{ files: [/api/kept/], policy: keep }]
";

const API: &str = "id: api-1
team: api
sources: { spec: api/spec.json }
generator:
  rules:
    - for_each: [user, task]
      as: entity
      generate:
        - model: api/{entity}.ts
        - { template: model, path: 'api/once/{entity}.ts', once: true }
        - { template: model, path: 'api/kept/{entity}.ts' }
templates:
  model: |
    // {entity}
    export const first = 1;
    export const {entity} = 2;
";

struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("megax.yaml", MANIFEST);
        project.write("megafiles/team-api/api.yaml", API);
        project.write("api/spec.json", "{}");
        project
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
    fn replace_by_a_symlink(&self, path: &str) {
        fs::remove_file(self.root().join(path)).unwrap();
        std::os::unix::fs::symlink("nowhere", self.root().join(path)).unwrap();
    }

    fn inputs(&self) -> source::Request {
        source::Request { current: self.root(), ..source::Request::default() }
    }

    fn expand(&self) {
        let request = Request {
            durability: crate::disk::Durability::Process,
            ..Request::new(Command::Expand, Mode::Write, self.inputs())
        };
        let report = run(&request, &Silent).report;
        assert_eq!(report.outcome, Outcome::Done, "{:?}", report.diagnostics);
    }

    fn guard(&self, team: Option<&str>, path: &str) -> GuardReport {
        let (team, paths) = (team.map(str::to_owned), vec![path.to_owned()]);
        guard(&GuardRequest { inputs: self.inputs(), team, paths, ..GuardRequest::default() }, &Silent)
    }

    fn edit(current: &Path, edit: &Edit, committing: bool) -> GuardReport {
        let inputs = source::Request { current: current.to_owned(), ..source::Request::default() };
        guard(&GuardRequest { inputs, edits: vec![edit.clone()], committing, ..GuardRequest::default() }, &Silent)
    }

    /// What decided, and whether the path is blocked.
    fn verdict(&self, team: Option<&str>, path: &str) -> (bool, Why) {
        let report = self.guard(team, path);
        let errors = report.findings.iter().filter(|one| one.is_error()).count();
        assert_eq!(report.paths.iter().filter(|one| one.blocked).count(), errors, "{path}: {:?}", report.findings);
        (report.paths[0].blocked, report.paths[0].why)
    }
}

fn edit(path: &str, fragment: Option<&str>) -> Edit {
    Edit { path: path.to_owned(), fragment: fragment.map(str::to_owned), in_commit: InCommit::AsOnDisk }
}

#[test]
fn who_may_edit_what() {
    let project = Project::new();
    project.expand();
    for (path, nobody, api, web) in [
        ("api/user.ts", (true, Why::Generated), (true, Why::Generated), (true, Why::Generated)),
        ("API/User.ts", (true, Why::Generated), (true, Why::Generated), (true, Why::Generated)),
        ("api/once/user.ts", (false, Why::Once), (false, Why::Once), (true, Why::Boundary)),
        ("api/kept/user.ts", (false, Why::EditsKept), (false, Why::EditsKept), (true, Why::Boundary)),
        ("api/free.ts", (false, Why::Unplanned), (false, Why::Unplanned), (true, Why::Boundary)),
        ("api/secret/x", (false, Why::Unplanned), (true, Why::Boundary), (true, Why::Boundary)),
        ("shared/x", (false, Why::Unplanned), (true, Why::Boundary), (false, Why::Unplanned)),
        ("README.md", (false, Why::Unplanned), (true, Why::Boundary), (true, Why::Boundary)),
        ("megafiles/team-api/api.yaml", (false, Why::MegaFile), (false, Why::MegaFile), (true, Why::MegaFile)),
        ("megafiles/team-web/new.yaml", (false, Why::MegaFile), (true, Why::MegaFile), (false, Why::MegaFile)),
        ("megafiles/new.yaml", (false, Why::MegaFile), (false, Why::MegaFile), (false, Why::MegaFile)),
        ("megax.yaml", (false, Why::Shared), (true, Why::Shared), (true, Why::Shared)),
        ("templates/x", (false, Why::Shared), (true, Why::Shared), (true, Why::Shared)),
        (".megax/lock/api/api-1.lock", (true, Why::Reserved), (true, Why::Reserved), (true, Why::Reserved)),
        ("sub/.GIT/config", (true, Why::Reserved), (true, Why::Reserved), (true, Why::Reserved)),
        ("snapshots/api/api-1.snap", (true, Why::Reserved), (true, Why::Reserved), (true, Why::Reserved)),
        ("/elsewhere/x", (false, Why::Outside), (false, Why::Outside), (false, Why::Outside)),
        ("../x", (false, Why::Outside), (false, Why::Outside), (false, Why::Outside)),
    ] {
        assert_eq!(project.verdict(None, path), nobody, "{path}, nobody");
        assert_eq!(project.verdict(Some("Team-API"), path), api, "{path}, api");
        assert_eq!(project.verdict(Some("web"), path), web, "{path}, web");
    }
}

#[test]
fn a_source_is_free_for_the_team_whose_mega_files_alone_read_it() {
    let project = Project::new();
    project.write("megafiles/team-api/api.yaml", &API.replace("api/spec.json", "data/spec.json"));
    project.write("data/spec.json", "{}");
    assert_eq!(project.verdict(Some("api"), "data/spec.json"), (false, Why::Unplanned));
    assert_eq!(project.verdict(Some("api"), "data/other.json"), (true, Why::Boundary));
    assert_eq!(project.verdict(Some("web"), "data/spec.json"), (true, Why::Boundary));
}

#[test]
fn the_line_that_makes_a_line_or_a_text_is_named() {
    let project = Project::new();
    let line = |report: &GuardReport| report.paths[0].edit.as_ref().map(|edit| (edit.line, edit.text.clone()));
    let first = Some((14, "// {entity}".to_owned()));
    let third = Some((16, "export const {entity} = 2;".to_owned()));
    assert_eq!(line(&project.guard(None, "api/user.ts")), first, "planned, though never written");
    assert_eq!(line(&project.guard(None, "api/user.ts:3")), third);
    assert_eq!(line(&project.guard(None, "api/user.ts:99")), first);
    let root = project.root();
    let found = Project::edit(&root, &edit("api/user.ts", Some("\nexport const user")), false);
    assert_eq!(line(&found), third);
    assert_eq!(line(&Project::edit(&root, &edit("api/user.ts", Some("no such text")), false)), first);
    assert_eq!(found.paths[0].run.as_deref(), Some("megax expand megafiles/team-api/api.yaml"));
}

#[test]
fn edits_are_taken_to_the_letter_and_typed_paths_are_not() {
    let project = Project::new();
    project.expand();
    let (root, below) = (project.root(), project.root().join("megafiles"));
    let why = |report: &GuardReport| (report.paths[0].blocked, report.paths[0].why);
    assert_eq!(why(&Project::edit(&below, &edit("api/user.ts", None), false)), (false, Why::MegaFile));
    assert_eq!(why(&Project::edit(&root, &edit("api/user.ts:3", None), false)), (false, Why::Unplanned));
    let absolute = root.join("api/user.ts").to_string_lossy().into_owned();
    assert_eq!(why(&Project::edit(Path::new("/"), &edit(&absolute, None), false)), (true, Why::Generated));
    let mut request =
        GuardRequest { inputs: project.inputs(), paths: vec!["api/user.ts".into()], ..Default::default() };
    request.inputs.current = below;
    assert_eq!(why(&guard(&request, &Silent)), (true, Why::Generated), "relative to the output root");
    std::os::unix::fs::symlink("api/user.ts", root.join("link.ts")).unwrap();
    std::os::unix::fs::symlink("api", root.join("other")).unwrap();
    for path in ["link.ts", "other/user.ts"] {
        assert_eq!(why(&Project::edit(&root, &edit(path, None), false)), (true, Why::Generated), "{path}");
    }
}

#[test]
fn what_megax_wrote_may_be_committed_and_an_edit_of_it_may_not() {
    let project = Project::new();
    project.expand();
    let root = project.root();
    let why = |path: &str| {
        let report = Project::edit(&root, &edit(path, None), true);
        (report.paths[0].blocked, report.paths[0].why)
    };
    assert_eq!(why("api/user.ts"), (false, Why::AsWritten));
    assert_eq!(why(".megax/lock/api/api-1.lock"), (false, Why::Reserved));
    project.write("api/user.ts", &"// user\nexport const first = 1;\nexport const user = 2;\n".replace('\n', "\r\n"));
    assert_eq!(why("api/user.ts"), (false, Why::AsWritten), "line endings aside");
    project.write("api/user.ts", "mine\n");
    assert_eq!(why("api/user.ts"), (true, Why::Generated));
    project.write("api/once/user.ts", "mine\n");
    assert_eq!(why("api/once/user.ts"), (false, Why::Once));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
fn what_is_staged_counts_and_not_only_what_lies_on_the_disk() {
    let project = Project::new();
    project.expand();
    let blocked = |path: &str, in_commit| {
        let report = Project::edit(&project.root(), &Edit { in_commit, ..edit(path, None) }, true);
        let said = report.findings.iter().map(|one| format!("{} {:?}", one.message, one.help)).collect::<String>();
        (report.paths[0].blocked, said)
    };
    let (is, said) = blocked("api/user.ts", InCommit::Otherwise);
    assert!(is && said.contains("not what lies on the disk") && said.contains("then `git add`"), "{said}");
    assert!(!blocked("api/once/user.ts", InCommit::Otherwise).0);
    assert!(!blocked("notes.md", InCommit::Otherwise).0);
    assert!(!blocked("api/user.ts", InCommit::Deleted).0, "no longer tracked, and still there");
    fs::remove_file(project.root().join("api/user.ts")).unwrap();
    let (is, said) = blocked("api/user.ts", InCommit::Deleted);
    assert!(is && said.contains("is to be deleted") && said.contains("writes it again"), "{said}");
    project.write("megafiles/team-api/api.yaml", &API.replace("[user, task]", "[task]"));
    assert!(!blocked("api/user.ts", InCommit::Deleted).0, "nothing makes it any more");
    project.replace_by_a_symlink("megax.yaml");
    assert!(blocked("api/user.ts", InCommit::Deleted).0);
    assert!(blocked("api/task.ts", InCommit::Otherwise).0);
    assert!(!blocked("api/task.ts", InCommit::AsOnDisk).0);
}

#[test]
fn what_is_recorded_stays_blocked_while_the_project_is_broken() {
    let project = Project::new();
    project.expand();
    project.write("megafiles/team-api/api.yaml", "id: api-1\nteam: api\n: [");
    assert_eq!(project.verdict(None, "api/user.ts"), (true, Why::Generated));
    let free = project.guard(None, "api/new.ts");
    assert!(free.paths[0].note.as_deref().unwrap().contains("`megafiles/team-api/api.yaml` has errors"), "{free:?}");
    assert_eq!((free.outcome(), free.paths[0].why), (Outcome::Done, Why::Unknown));
    assert_eq!(project.verdict(None, "web/new.ts"), (false, Why::Unplanned), "team api may not make it");
    project.write("megax.yaml", "teams: [");
    let unknown = project.guard(Some("api"), "web/new.ts");
    assert_eq!((unknown.outcome(), unknown.paths[0].why), (Outcome::Wrong, Why::Unknown));
    assert!(unknown.paths[0].note.as_deref().unwrap().contains("nothing can be said of boundaries"), "{unknown:?}");
    assert_eq!(project.guard(None, "api/user.ts").outcome(), Outcome::Blocked);
    assert_eq!(project.guard(None, "api/new.ts").outcome(), Outcome::Wrong);
    project.replace_by_a_symlink("megax.yaml");
    let unread = project.guard(None, "api/user.ts");
    assert_eq!((unread.outcome(), unread.paths[0].team.as_deref()), (Outcome::Blocked, Some("api")));
    assert_eq!(project.guard(None, "api/new.ts").outcome(), Outcome::Wrong);
    assert_eq!(project.guard(None, ".megax/lock/x").outcome(), Outcome::Blocked);
}

#[test]
fn a_file_that_nothing_plans_any_more_and_a_team_that_is_unknown() {
    let project = Project::new();
    project.expand();
    project.write("megafiles/team-api/api.yaml", &API.replace("[user, task]", "[task]"));
    let report = project.guard(None, "api/user.ts");
    let help = report.findings.iter().next().and_then(|one| one.help.clone()).unwrap();
    assert!(report.paths[0].blocked && help.contains("no mega-file plans it any more"), "{help}");
    let report = project.guard(Some("wep"), "web/x");
    assert_eq!((report.outcome(), report.paths.len()), (Outcome::Usage, 0));
}

#[test]
fn what_records_cannot_say_is_blocked_and_what_was_written_may_be_committed() {
    let project = Project::new();
    project.expand();
    project.replace_by_a_symlink("megax.yaml");
    let root = project.root();
    let why = |path: &str, committing| {
        let report = Project::edit(&root, &edit(path, None), committing);
        (report.paths[0].blocked, report.paths[0].why)
    };
    assert_eq!(why("api/user.ts", true), (false, Why::AsWritten));
    assert_eq!(why("api/user.ts", false), (true, Why::Generated));
    project.write("api/user.ts", "mine\n");
    assert_eq!(why("api/user.ts", true), (true, Why::Generated));
    assert_eq!(why("notes.md", false), (false, Why::Unknown));
    project.write(".megax/lock/api/other.lock", "?");
    assert_eq!(why("api/user.ts", false), (true, Why::Generated), "the other one is still read");
    assert_eq!(why("notes.md", false), (true, Why::Unknown));
}

#[test]
fn edits_of_several_projects_are_judged_by_each_of_them() {
    let (one, two) = (Project::new(), Project::new());
    one.expand();
    two.expand();
    let absolute = |project: &Project, path: &str| project.root().join(path).to_string_lossy().into_owned();
    let edits = vec![
        edit(&absolute(&one, "notes.md"), None),
        edit(&absolute(&two, "notes.md"), None),
        edit(&absolute(&two, "api/user.ts"), Some("export const user")),
        edit("/elsewhere/x", None),
    ];
    let report = guard(&GuardRequest { inputs: one.inputs(), edits, ..GuardRequest::default() }, &Silent);
    let found: Vec<_> = report.paths.iter().map(|one| (one.blocked, one.why)).collect();
    let free = |why| (false, why);
    assert_eq!(
        found,
        [free(Why::Unplanned), free(Why::Unplanned), (true, Why::Generated), free(Why::Outside)],
        "{report:?}"
    );
    let span = report.findings.iter().find_map(|one| one.span).unwrap();
    assert!(report.sources.get(span.file).unwrap().text().contains("export const {entity} = 2;"));
    let request = GuardRequest { unnamed: true, paths: vec!["api/user.ts:3".into()], ..GuardRequest::default() };
    let report = guard(&GuardRequest { inputs: two.inputs(), ..request }, &Silent);
    assert_eq!((report.paths[0].blocked, report.paths[0].edit.as_ref().unwrap().line), (true, 14));
}

#[test]
fn an_edit_is_judged_where_a_symlink_leads_too() {
    let project = Project::new();
    project.expand();
    for (target, link) in [("../web", "api/link"), ("../megax.yaml", "api/m.yaml"), ("../megafiles", "api/mega")] {
        std::os::unix::fs::symlink(target, project.root().join(link)).unwrap();
    }
    project.write("web/old.ts", "");
    project.write("megafiles/web.yaml", "id: web-1\nteam: web\n");
    for path in ["api/link/new.ts", "api/link/old.ts", "api/m.yaml", "api/mega/web.yaml"] {
        let report = project.guard(Some("api"), path);
        assert!(report.paths[0].blocked, "{path}: {report:?}");
    }
    assert!(!project.guard(Some("api"), "api/new.ts").paths[0].blocked);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the tests prepare real folders")]
fn without_a_manifest_nobody_knows_what_a_team_may_edit() {
    let project = Project::new();
    project.expand();
    fs::remove_file(project.root().join("megax.yaml")).unwrap();
    let report = project.guard(Some("api"), "web/x");
    assert_eq!((report.outcome(), report.paths.len()), (Outcome::Usage, 0));
    assert!(!project.guard(None, "web/x").paths[0].blocked);
}
