//! Wrong mega-files as language models write them (`snapshots/slips`), and the fixes that megax gives for certain: each, put
//! into the text, takes its finding away and brings no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use megax::diagnostic::{Code, Diagnostic, Fix};
use megax::event::Silent;
use megax::pipeline::{self, Request};
use megax::report::{Command, Mode, Report};
use megax::source;

use crate::properties::temporary;

/// More rounds than any of these files needs.
const MOST_ROUNDS: usize = 8;
/// So many of the files are free of errors once all certain fixes are in; a number that only grows, unless a fix turns
/// out not to be certain.
const MENDED: usize = 75;

const MANIFEST: &str = "teams:\n  beta: { output: [src/api/, src/dto/, \"*.dto.ts\"] }\n  gamma: { output: [web/] }\n";

fn slips() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/slips");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// A project with one mega-file.
struct Project {
    _keep: tempfile::TempDir,
    root: PathBuf,
}

impl Project {
    fn new() -> Self {
        let (keep, root) = temporary();
        fs::create_dir(root.join("megafiles")).unwrap();
        fs::write(root.join("megax.yaml"), MANIFEST).unwrap();
        Self { _keep: keep, root }
    }

    fn validate(&self, text: &str) -> Report {
        fs::write(self.root.join("megafiles/a.yaml"), text).unwrap();
        let inputs = source::Request { current: self.root.clone(), ..source::Request::default() };
        let request = Request { jobs: Some(1), ..Request::new(Command::Validate, Mode::Validate, inputs) };
        pipeline::run(&request, &Silent).report
    }
}

fn applied(text: &str, fix: &Fix) -> String {
    let (start, end) = (fix.span.start as usize, fix.span.end as usize);
    format!("{}{}{}", &text[..start], fix.replacement, &text[end..])
}

fn in_the_mega_file<'r>(report: &'r Report, finding: &'r Diagnostic) -> Option<&'r Fix> {
    finding.fix.as_ref().filter(|fix| report.sources.name(fix.span.file) == "megafiles/a.yaml")
}

/// How often each error was found, without its place.
fn errors(report: &Report) -> BTreeMap<(&'static str, String), usize> {
    let mut errors = BTreeMap::new();
    for one in report.diagnostics.iter().filter(|one| one.is_error()) {
        *errors.entry((one.code.id(), one.message.clone())).or_default() += 1;
    }
    errors
}

/// How often a finding stands in a report, at whatever line of the same text.
fn how_often(report: &Report, (code, message, line): &(Code, &str, String)) -> usize {
    report
        .diagnostics
        .iter()
        .filter(|one| (one.code, &*one.message, line_of(report, one)) == (*code, message, line.clone()))
        .count()
}

/// The first line that a finding is about.
fn line_of(report: &Report, finding: &Diagnostic) -> String {
    let place = finding.span.and_then(|span| Some((report.sources.get(span.file)?, span)));
    let line = place.and_then(|(file, span)| file.text().lines().nth(file.position(span.start).line as usize - 1));
    line.unwrap_or_default().to_owned()
}

#[test]
fn every_certain_fix_takes_its_finding_away_and_brings_no_error() {
    let project = Project::new();
    let mut faults = Vec::new();
    let (mut wrong, mut fixable, mut mended, mut left) = (0, 0, 0, Vec::new());
    for (name, slip) in slips() {
        let first = project.validate(&slip);
        wrong += usize::from(first.diagnostics.has_errors());
        let before = errors(&first);
        let fixes: Vec<_> =
            first.diagnostics.iter().filter_map(|one| Some((one, in_the_mega_file(&first, one)?))).collect();
        fixable += usize::from(!fixes.is_empty());
        for (finding, fix) in &fixes {
            let text = applied(&slip, fix);
            let after = project.validate(&text);
            let said = format!("{name}: {} {}\n{text}\n{:#?}", finding.code, finding.message, errors(&after));
            let same = (finding.code, &*finding.message, line_of(&first, finding));
            if how_often(&after, &same) >= how_often(&first, &same) {
                faults.push(format!("it is still there: {said}"));
            }
            for (error, times) in errors(&after) {
                if before.get(&error).is_none_or(|had| times > *had) {
                    faults.push(format!("a new error: {said}"));
                }
            }
        }
        let (mut text, mut report) = (slip, first);
        for _ in 0..MOST_ROUNDS {
            let next = report.diagnostics.iter().find_map(|one| in_the_mega_file(&report, one)).cloned();
            let Some(fix) = next else { break };
            text = applied(&text, &fix);
            report = project.validate(&text);
        }
        if before.is_empty() {
            continue;
        }
        if report.diagnostics.has_errors() { left.push(name) } else { mended += 1 }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(wrong >= 80, "only {wrong} files are wrong");
    assert!(mended >= MENDED, "{fixable} of {wrong} files have a fix, {mended} are mended; not {left:?}");
}

/// Of some slips, what is said about them: words of the message, and words of the help.
const SAID: [(&str, &str, &str); 21] = [
    ("unquoted-jinja-in-brackets", "cannot be a key", "quote the value: \"{{ entity.name }}-dto\""),
    ("unquoted-backtick", "cannot begin with this character", "YAML has no backticks, write quotes"),
    ("template-without-sign", "a `:` stands where no key can be", "needs the sign of a block text: `dto: |`"),
    ("end-in-two-words", "`{% end if %}` is no tag", "did you mean `endif`?"),
    ("bracket-not-closed", "the `[` of line 8 is not closed", "write `]` before line 9"),
    ("bracket-not-closed-in-item", "the `{` of line 15 is not closed", "write `}` before line 16"),
    ("bracket-of-other-kind", "the `[` of line 15 is closed by `}`", "write `]` before it, or instead of it"),
    ("shallow-block-in-braces", "a mapping cannot be a key", "indent every line of the text of `dto` deeper"),
    ("tab-first-line", "a tab is used for indentation", "indent with blanks"),
    ("merge-conflict", "the marks of a merge conflict", "keep one of the two sides"),
    ("if-triple-equals", "unexpected `=`", "write `==` instead of `===`"),
    ("for-of", "unexpected identifier", "write `{% for field in entity.fields %}`"),
    ("filter-with-dash", "there is no filter `kebab-case`", "did you mean `kebab`?"),
    ("filter-as-function", "there is no function `camelCase`", "write `field|camel`"),
    ("filter-of-mapping", "takes text, but the value is a mapping", "write `entity.name|camelCase`"),
    ("length-of-list", "`entity.fields.length`", "write `entity.fields|length`"),
    ("method-of-list", "`entity.fields` is a list", "write `entity.fields|join(', ')`"),
    ("item-name-misspelt", "item 2 of `data.entities` has no `name`", "instead of `nme`"),
    ("field-of-text", "`field` is a text, such as `id`", "`name: id`"),
    ("loop-with-variable", "`for_each` says over what the loop goes", "write `for_each: data.entities`"),
    ("argument-without-braces", "`fields` must be a list", "write `\"{{ entity.fields }}\"`"),
];

#[test]
fn a_slip_is_told_by_its_cause() {
    let project = Project::new();
    let slips: BTreeMap<_, _> = slips().into_iter().collect();
    for (name, message, help) in SAID {
        let report = project.validate(&slips[name]);
        let says = |one: &Diagnostic| {
            one.message.contains(message) && one.help.as_ref().is_some_and(|text| text.contains(help))
        };
        assert!(report.diagnostics.iter().any(says), "{name}: {:#?}", report.diagnostics);
    }
}

#[test]
fn every_finding_of_a_slip_shows_its_lines() {
    let project = Project::new();
    for (name, slip) in slips() {
        let report = project.validate(&slip);
        let document: serde_json::Value =
            serde_json::from_str(&megax::report::json::document(&report).unwrap()).unwrap();
        for one in document["diagnostics"].as_array().unwrap() {
            let Some(line) = one["line"].as_u64() else { continue };
            let line = slip.lines().nth(usize::try_from(line).unwrap() - 1).unwrap_or("");
            let excerpt = one["excerpt"].as_str().unwrap_or_default();
            assert!(line.trim().is_empty() || excerpt.starts_with(line), "{name}: {one:#}");
            let is_text = one["code"] == "MX103" || one["code"] == "MX104" || one["code"] == "MX105";
            assert!(is_text || one["keys"].is_string(), "{name}: {one:#}");
        }
        let synopsis = megax::report::synopsis::document(&report).unwrap();
        assert!(synopsis.len() < megax::report::synopsis::MOST_BYTES);
    }
}

#[test]
fn backslashes_of_a_path_become_slashes_only_where_that_is_all() {
    let project = Project::new();
    let mended = |path: &str| {
        let text = format!(
            "id: a\nteam: beta\nversion: 1.0.0\ngenerator:\n  type: factory\n  rules:\n    - for_each: data.entities\n      \
             as: entity\n      generate:\n        - template: dto\n          path: {path}\ndata:\n  entities:\n    \
             - name: users\n      folder: 'x\\y'\ntemplates:\n  dto: |\n    {{entity}} {{{{ entity.folder }}}}\n"
        );
        let report = project.validate(&text);
        assert!(report.diagnostics.has_errors(), "{path}");
        report.diagnostics.iter().find_map(|one| Some(in_the_mega_file(&report, one)?.replacement.clone()))
    };
    assert_eq!(mended(r"'src\dto\{entity}.ts'").as_deref(), Some("'src/dto/{entity}.ts'"));
    assert_eq!(mended(r"'src\dto/{entity.folder}.ts'"), None, "a value holds one too");
    assert_eq!(mended(r#"'src\dto/{{ "a\\b" }}{entity}.ts'"#), None, "one stands in a text of the template");
    assert_eq!(mended(r"'src/..\..\{entity}.ts'"), None, "it is no path then either");
    assert_eq!(mended(r"'src\dto/*{entity}.ts'"), None, "that is not all");
}
