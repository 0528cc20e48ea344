//! What must hold for every text that megax reads, hostile ones too. The fuzz targets of `fuzz/` and the tests of
//! `texts` use the same functions, each of which panics where something does not hold. Through the public API only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use megax::diagnostic::{Diagnostic, Diagnostics};
use megax::digest::{Digest, with_lf};
use megax::event::Silent;
use megax::limit::{Limit, Limits};
use megax::lockfile::{self, Lockfile};
use megax::merge::{EDITED, GENERATED, is_text, merge as merge_texts};
use megax::path::{self, OutputPath};
use megax::pipeline::{self, Request};
use megax::plan::{self, Plan};
use megax::report::{self, Command, Mode, Report, github, human, json, sarif};
use megax::saved::SavedPlan;
use megax::source::{self, Past, SourceSet};
use megax::span::{SourceMap, Span};
use megax::{model, output};

/// Begins a line that names a file of a project in one text.
const FILE_MARK: &str = "#>>> ";
/// Most files of a project that are rendered.
const MOST_RENDERED: usize = 300;

/// A text that is an output path is one again, and a safe one.
pub fn path(text: &str) {
    let Ok(parsed) = OutputPath::parse(text) else { return };
    assert_eq!(OutputPath::parse(parsed.as_str()).as_ref(), Ok(&parsed), "parsing is stable");
    let shown = parsed.as_str();
    assert!(shown.len() <= path::MAX_PATH_BYTES && parsed.parts().count() <= path::MAX_DEPTH, "{shown:?}");
    for part in parsed.parts() {
        assert!(!matches!(part, "" | "." | ".."), "{shown:?} leaves its folder");
        assert!(part.len() <= path::MAX_NAME_BYTES, "{shown:?}");
        assert!(!part.ends_with(['.', ' ']) && !part.starts_with(' '), "{shown:?}");
        assert!(!part.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c)), "{shown:?}");
        let folded = path::fold(part);
        assert!(!matches!(folded.as_str(), ".git" | ".megax"), "{shown:?} is reserved");
        assert_eq!(path::fold(&folded), folded, "folding is stable");
    }
    let below = Path::new("root").join(shown);
    assert_eq!(source::load::normal(&below), below, "{shown:?} means another place");
    assert!(below.starts_with("root") && !Path::new(shown).is_absolute(), "{shown:?}");
    let key = parsed.key();
    for spelling in [shown.to_lowercase(), shown.to_uppercase()] {
        // A device in other letters is no path; whatever is one lies at the same place or is another letter.
        if let Ok(other) = OutputPath::parse(&spelling) {
            assert_eq!(path::fold(other.key().as_str()), other.key().as_str());
        }
    }
    assert_eq!(path::fold(key.as_str()), key.as_str(), "the key is stable");
}

/// A shard is read as it was written, whatever its version line and line endings, or not at all.
pub fn lockfile(text: &str) {
    // Read from damaged shards: nothing may fail, and only whole lines count.
    let _ = lockfile::salvage(text);
    reservation(text);
    let shard = match Lockfile::parse(text) {
        Ok(shard) => shard,
        Err(error) => return is_plain(&error.to_string()),
    };
    let printed = shard.to_text();
    assert_eq!(Lockfile::parse(&printed).as_ref(), Ok(&shard));
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<String>>();
    assert_eq!(body(&printed), body(text), "another text makes the same shard");
    assert!(lockfile::is_name(&shard.team) && lockfile::is_name(&shard.mega_file));
    let place = shard.shard_path();
    assert_eq!(source::load::normal(Path::new(&place)), Path::new(&place));
    shard.entries.keys().for_each(|entry| path(entry.as_str()));
    assert!(shard.entries.len() <= lockfile::MAX_ENTRIES);
}

/// A reservation is read as it would be written, or not at all.
fn reservation(text: &str) {
    let found = match lockfile::Reservation::parse(text) {
        Ok(found) => found,
        Err(error) => return is_plain(&error.to_string()),
    };
    assert_eq!(found.to_text(), text.replace("\r\n", "\n"), "another text makes the same reservation");
    let place = lockfile::reservation_path(&found.team, &found.mega_file);
    assert_eq!(source::load::normal(Path::new(&place)), Path::new(&place));
    found.paths.iter().for_each(|entry| path(entry.as_str()));
}

/// A saved plan is read as it was written or not at all.
pub fn plan(text: &str) {
    one_plan(text);
    // With a right checksum, so that the lines themselves are looked at.
    let body = text.rsplit_once("end ").map_or(text, |(body, _)| body);
    one_plan(&format!("{body}end {}\n", Digest::of(body.as_bytes())));
}

fn one_plan(text: &str) {
    match SavedPlan::parse(text) {
        Ok(plan) => {
            assert_eq!(plan.to_text(), text, "another text makes the same plan");
            plan.files.keys().for_each(|file| path(file.as_str()));
        }
        Err(error) => is_plain(&error.to_string()),
    }
}

/// A text for people on one line.
fn is_plain(text: &str) {
    assert_eq!(report::clean(text), text, "a message holds what a terminal would obey");
}

/// What `merge` promises, as far as any texts can show it.
pub fn merge(base: &[u8], edited: &[u8], new: &[u8]) {
    let are_texts = [base, edited, new].into_iter().all(is_text);
    let Some(merged) = merge_texts(base, edited, new) else { return assert!(!are_texts) };
    assert!(are_texts);
    assert_eq!(merge_texts(base, edited, new).as_ref(), Some(&merged), "the same twice");
    // A CR that is no part of a line break can become one beside a marker.
    if [base, edited, new].into_iter().any(has_bare_cr) {
        return;
    }
    let [base_text, edited_text, new_text] = [base, edited, new].map(lf);
    let out = lf(&merged.text);

    if base_text == new_text || edited_text == new_text {
        assert_eq!((merged.text.as_slice(), merged.conflicts.len()), (edited, 0), "nothing new: the edit stays");
    }
    if base_text == edited_text {
        assert_eq!((&out, merged.conflicts.len()), (&new_text, 0), "nothing edited: the new text comes");
    }
    let (in_base, in_out) = (count(&base_text), count(&out));
    for (side, name) in [(&edited_text, "edit"), (&new_text, "new text")] {
        for (line, many) in count(side).into_iter().filter(|(line, _)| !in_base.contains_key(line)) {
            assert!(in_out.get(line).is_some_and(|found| *found >= many), "a line of the {name} is lost: {line:?}");
        }
    }
    let (in_edited, in_new) = (count(&edited_text), count(&new_text));
    for line in in_out.keys() {
        let is_marker = matches!(*line, EDITED | GENERATED | "=======") && !merged.conflicts.is_empty();
        let is_known = in_edited.contains_key(line) || in_new.contains_key(line);
        assert!(is_known || is_marker, "a line of nobody: {line:?}");
    }
    let mut last = 0;
    for conflict in &merged.conflicts {
        assert!(conflict.first > last && conflict.last + 1 >= conflict.first, "{:?}", merged.conflicts);
        assert!(conflict.last <= edited_text.lines().count(), "{:?}", merged.conflicts);
        last = conflict.last.max(conflict.first.saturating_sub(1));
    }
}

fn has_bare_cr(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

/// Line endings set aside.
fn lf(bytes: &[u8]) -> String {
    with_lf(&String::from_utf8_lossy(bytes)).into_owned()
}

/// How often each line occurs, without its line break.
fn count(text: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    text.split_inclusive('\n').for_each(|line| *lines.entry(line.strip_suffix('\n').unwrap_or(line)).or_default() += 1);
    lines
}

/// A text as a template of every syntax, as a path, as content and as an expression: each is rendered, or refused with
/// findings that stand where they should.
pub fn template(text: &str) {
    let quoted = quoted_text(text);
    let item = "{name: order_item, id: oi, fields: [{name: id, type: uuid, required: true}, {name: total}], \
                items: x, values: 3, flag: true, nothing: null}";
    let mut past = Past::default();
    let mut add = |name: &str, templates: &str, rules: &[String]| {
        let text = format!(
            "id: m-{name}\nteam: alpha\ndata: {{version: v2, tags: [a, b], items: [{item}]}}\n\
             templates: {{{templates}}}\ngenerator:\n  rules:\n    - {}\n",
            rules.join("\n    - ")
        );
        past.mega_files.insert(format!("megafiles/{name}.yaml"), (text, true));
    };
    let syntaxes = ["auto", "both", "jinja", "placeholder", "brackets"];
    let templates = syntaxes.map(|syntax| format!("{syntax}: {{syntax: {syntax}, text: {quoted}}}")).join(", ");
    let including = format!("{templates}, other: \"{{% include 'jinja' %}}\"");
    let entries =
        syntaxes.map(|syntax| format!("{{template: {syntax}, path: {syntax}, with: {{kind: w}}}}")).join(", ");
    let over = |rest: &str| format!("{{for_each: data.items, as: entity, {rest}}}");
    add("texts", &including, &[over(&format!("generate: [{entries}, {{template: other, path: other}}]"))]);
    let values = [
        format!("generate: [{{content: x, path: {quoted}}}]"),
        format!("when: {quoted}, generate: [{{content: \"{{entity}}\", path: w}}]"),
        format!("generate: [{{content: \"{{v}}\", path: y, with: {{v: {quoted}}}}}]"),
    ];
    let loops = format!("{{for_each: {quoted}, as: one, generate: [{{content: \"{{one}}\", path: \"z/{{one}}\"}}]}}");
    add("values", "", &values.iter().map(|rest| over(rest)).chain([loops]).collect::<Vec<_>>());
    resolved(&past, text.len().is_multiple_of(8));
}

/// A text in double quotes, as JSON and YAML both read it.
fn quoted_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{20}'..='\u{7e}' => out.push(c),
            c => write!(out, "\\U{:08x}", u32::from(c)).expect("a text grows"),
        }
    }
    out.push('"');
    out
}

/// A project in one text: a line `#>>> NAME` begins a file; without one the text is a mega-file.
pub fn project(text: &str) {
    let mut past = Past::default();
    let (mut name, mut body) = ("megafiles/a.yaml", String::new());
    let mut files = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.strip_prefix(FILE_MARK) {
            files.push((name, std::mem::take(&mut body)));
            name = next.trim();
        } else {
            body.push_str(line);
        }
    }
    files.push((name, body));
    for (name, body) in files.into_iter().filter(|(_, body)| !body.is_empty()).take(8) {
        if source::load::MANIFEST_NAMES.contains(&name) {
            past.manifest = Some((name.to_owned(), body));
        } else if let Some(rest) = name.strip_prefix("megafiles/") {
            past.mega_files.insert(name.to_owned(), (body, !rest.starts_with("neighbour")));
        } else {
            past.files.insert(name.to_owned(), body.into_bytes());
        }
    }
    resolved(&past, true);
}

/// Low enough that whatever meets them is quick.
fn limits() -> Limits {
    let mut limits = Limits::default();
    for (limit, value) in [
        (Limit::InputBytes, 1 << 18),
        (Limit::YamlNodes, 20_000),
        (Limit::AliasNodes, 50_000),
        (Limit::AliasBytes, 1 << 20),
        (Limit::FilesPerRule, 500),
        (Limit::FilesPerRun, 2_000),
        (Limit::RuleRuns, 2_000),
        (Limit::CheckedValues, 50_000),
        (Limit::ValueBytes, 1 << 20),
        (Limit::ContributedValues, 5_000),
        (Limit::RenderSteps, 100_000),
        (Limit::RenderBytes, 4 << 20),
        (Limit::CallBytes, 1 << 18),
        (Limit::CallItems, 5_000),
        (Limit::FileBytes, 1 << 20),
        (Limit::RunBytes, 8 << 20),
    ] {
        limits.set(limit, value).expect("is within its ceiling");
    }
    limits
}

/// Goes through all stages up to the rendered bodies; the second time the same must come.
fn resolved(past: &Past, twice: bool) {
    let limits = limits();
    let set = source::load_past(past, &limits);
    let (plan, findings, bodies) = stages(&set);
    hold(&set.sources, &findings);
    for file in plan.files.iter().take(MOST_RENDERED) {
        path(file.path.as_str());
        is_inside(&set.sources, file.origin);
    }
    if !twice {
        return;
    }
    let (again, same, same_bodies) = stages(&source::load_past(past, &limits));
    assert_eq!(same, findings, "the same findings twice");
    let names = |plan: &Plan| plan.files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&plan), "the same plan twice");
    assert_eq!(same_bodies, bodies, "the same bodies twice");
}

/// What came of each body: its bytes, or the finding in words.
type Bodies = Vec<Result<Vec<u8>, String>>;

fn stages(set: &SourceSet) -> (Plan, Diagnostics, Bodies) {
    let mut findings = set.findings.clone();
    let (model, found) = model::build(set);
    findings.extend(found);
    let (assets, planned) = (BTreeMap::new(), AtomicUsize::new(0));
    let around =
        plan::Around { sources: &set.sources, assets: &assets, seed: "", planned: &planned, limits: &set.limits };
    let (reserved, reservations) = (plan::Reserved::default(), plan::Reservations::default());
    let ground = plan::Ground {
        shards: &[],
        records: &[],
        reservations: &reservations,
        reserved: &reserved,
        doubts: &[],
        manifest_is_broken: false,
    };
    let (plan, found) = plan::resolve(&model, &around, &ground);
    findings.extend(found);
    let mut bodies = Vec::new();
    let mut buffer = Vec::new();
    for file in plan.files.iter().take(MOST_RENDERED) {
        bodies.push(match output::body(file, &mut buffer) {
            Ok(body) => Ok(body.to_vec()),
            Err(failure) => {
                let mega = &model.mega_files[file.mega_file];
                if let Some(template) = mega.template(&failure.template) {
                    findings.push(plan::locate(mega, &set.sources, template.text, &failure.issue));
                }
                Err(failure.issue.message)
            }
        });
    }
    findings.sort();
    (plan, findings, bodies)
}

/// Findings stand in their texts, and no form of them passes on what a terminal would obey.
fn hold(sources: &SourceMap, findings: &Diagnostics) {
    findings.iter().for_each(|one| stands_inside(sources, one));
    for colour in [false, true] {
        let text = human::diagnostics(findings, sources, colour);
        let text = if colour { text.replace('\u{1b}', "") } else { text };
        assert_eq!(report::clean_lines(&text), text, "the form for people is not clean");
    }
    let text = github::annotations(findings, sources);
    assert_eq!(report::clean_lines(&text), text, "the annotations are not clean");
    assert_eq!(text.lines().count(), findings.len(), "a finding begins a command of its own");
    let mut report = empty_report().clone();
    (report.diagnostics, report.sources) = (findings.clone(), sources.clone());
    let document = json::document(&report).expect("a report is a document");
    for text in [document, sarif::document(findings, sources)] {
        assert!(!text.contains(|c: char| c < ' ' && c != '\n'), "a document holds a bare control character");
    }
}

/// A report of a run that found nothing to read, to be filled.
fn empty_report() -> &'static Report {
    static EMPTY: OnceLock<Report> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let inputs = source::Request { paths: vec!["no/such/file.yaml".to_owned()], ..source::Request::default() };
        pipeline::run(&Request::new(Command::Validate, Mode::Validate, inputs), &Silent).report
    })
}

fn stands_inside(sources: &SourceMap, finding: &Diagnostic) {
    let places = finding.related.iter().filter_map(|related| related.span);
    for span in finding.span.into_iter().chain(places).chain(finding.fix.as_ref().map(|fix| fix.span)) {
        is_inside(sources, span);
    }
}

fn is_inside(sources: &SourceMap, span: Span) {
    let file = sources.get(span.file).expect("a place is in a file that was read");
    let range = span.start as usize..span.end as usize;
    assert!(file.text().get(range.clone()).is_some(), "{range:?} is no place in {}: {:?}", file.name(), file.text());
}
