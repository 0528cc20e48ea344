//! A small report for tests.

use super::{Change, Command, Counts, FileReport, MegaFileReport, Mode, Outcome, Report, Summary, TeamReport};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::digest::Digest;
use crate::path::{FileMode, OutputPath};
use crate::span::{FileId, SourceFile, SourceMap, Span};

pub(super) const API: &str = "\
id: mega-api-001
team: beta
generator:
  rules:
    - for_each: [users, orders]
      generate:
        - controller: \"src/api/v1/{entity}/controller.ts\"
        - controller: \"src/index.ts\"
templats: {}
";

pub(super) const WEB: &str = "\
id: mega-web-001
team: gamma
generator:
  rules:
    - generate: [ index: \"src/index.ts\" ]
";

pub(super) fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(SourceFile::new("megafiles/api.yaml", API));
    sources.add(SourceFile::new("megafiles/web.yaml", WEB));
    sources
}

/// The span of the first `text` in file `index`.
pub(super) fn span(index: u32, text: &str) -> Span {
    let id = FileId(index);
    let start = sources().get(id).and_then(|file| file.text().find(text)).expect("the text is in the file");
    Span::new(id, start, start + text.len())
}

pub(super) fn collision() -> Diagnostic {
    Diagnostic::new(Code::Collision, "two files are planned at `src/index.ts`")
        .at(span(1, "\"src/index.ts\""))
        .label("planned here for team gamma")
        .related(span(0, "\"src/index.ts\""), "and here for team beta")
        .help("give one of them another path, or let one mega-file own it and the other contribute to it")
        .team("beta")
        .team("gamma")
}

pub(super) fn unknown_key() -> Diagnostic {
    Diagnostic::new(Code::UnknownKey, "unknown key `templats` in the mega-file")
        .at(span(0, "templats"))
        .label("not a key of the format")
        .help("did you mean `templates`?")
        .fix(span(0, "templats"), "templates")
        .team("beta")
}

pub(super) fn file(path: &str, lines: u64, change: Change) -> FileReport {
    FileReport {
        path: OutputPath::parse(path).expect("a valid path"),
        team: "beta".to_owned(),
        mega_file: "mega-api-001".to_owned(),
        rule: 0,
        item: Some("users".to_owned()),
        template: Some("controller".to_owned()),
        lines: Some(lines),
        bytes: Some(lines * 31),
        digest: Some(Digest::of(path.as_bytes())),
        mode: FileMode::Regular,
        change: Some(change),
        origin: Some(span(0, "controller")),
    }
}

pub(super) fn report() -> Report {
    let files = vec![
        file("README.md", 12, Change::Unchanged),
        file("src/api/v1/orders/controller.ts", 1_204, Change::Create),
        file("src/api/v1/users/controller.ts", 42, Change::Create),
        file("src/dto/old.dto.ts", 9, Change::Delete),
        file("src/dto/user.dto.ts", 8, Change::Update),
        file("src/index.ts", 3, Change::Conflict),
        file("web/views/main/index.html", 20, Change::Create),
    ];
    let mega_file = |team: &str, id: &str, path: &str| MegaFileReport {
        team: team.to_owned(),
        id: id.to_owned(),
        path: path.to_owned(),
        counts: Counts::default(),
    };
    let team = |team: &str, held: Option<&str>| TeamReport {
        team: team.to_owned(),
        held: held.map(str::to_owned),
        mega_files: 0,
        counts: Counts::default(),
        operation: None,
    };
    let diagnostics: Diagnostics = [unknown_key(), collision()].into_iter().collect();
    let mut report = Report {
        command: Command::Expand,
        outcome: Outcome::Conflict,
        mode: Mode::DryRun,
        tree: Some(Digest::of(b"tree")),
        manifest: Some("megax.yaml".to_owned()),
        out: ".".to_owned(),
        plan: None,
        lockfiles: Some(0),
        summary: Summary::default(),
        teams: vec![team("beta", None), team("gamma", Some("MX502 collision"))],
        mega_files: vec![
            mega_file("beta", "mega-api-001", "megafiles/api.yaml"),
            mega_file("gamma", "mega-web-001", "megafiles/web.yaml"),
        ],
        files,
        diagnostics,
        sources: sources(),
    };
    report.files[6].team = "gamma".to_owned();
    report.files[6].mega_file = "mega-web-001".to_owned();
    report.tally();
    report
}
