//! The YAML test suite against the reader of mega-files: every case is taken with exactly the value that the suite
//! expects, or behaves otherwise on purpose, as `yaml_suite.txt` says, with the reason. The suite is not part of the
//! project: without its folder the test says loudly that it was skipped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use megax::diagnostic::{Code, Diagnostic};
use megax::limit::Limits;
use megax::source::{Kind, NodeId, Style, Tree, yaml};
use megax::span::FileId;
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

/// Names the folder of the suite that holds `src`.
const FOLDER: &str = "MEGAX_YAML_SUITE";
/// Writes the list anew, to be read by a person.
const UPDATE: &str = "MEGAX_UPDATE_YAML_SUITE";
/// Where the suite lies otherwise, beside the checkout.
const BESIDE: &str = "../shared/data/yaml-test-suite";
/// The head of the list.
const HEAD: &str = "# Cases of the YAML test suite that are not taken as the suite says: id, verdict, reason.\n\
    # refused: valid YAML, but not what a mega-file may hold. lenient: no valid YAML, and taken all the same.\n\
    # otherwise: taken, with another value than the suite's.\n";

/// A case of the suite.
struct Case {
    id: String,
    text: String,
    events: String,
    json: Option<String>,
    fails: bool,
}

/// What a node must be, by the suite's events.
#[derive(Debug, Clone)]
enum Expected {
    Plain(String),
    Quoted(String),
    List(Vec<Expected>),
    Map(Vec<(Expected, Expected)>),
}

fn folder() -> Option<PathBuf> {
    let named = env::var_os(FOLDER).map(PathBuf::from);
    let folder = named.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(BESIDE)).join("src");
    assert!(named.is_none() || folder.is_dir(), "{FOLDER} names no folder that holds `src`");
    folder.is_dir().then_some(folder)
}

fn cases(folder: &Path) -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "yaml")) {
        let parts: Vec<Yaml> = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let stem = file.file_stem().unwrap().to_str().unwrap();
        // A later case of a file has what the one before it had, but for `fail`.
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (number, part) in parts.iter().enumerate() {
            let text = |key: &str| part.get(key).and_then(Yaml::as_str).map(str::to_owned);
            for key in ["yaml", "tree", "json"] {
                known.extend(text(key).map(|text| (key, text)));
            }
            if part.get("skip").is_some() {
                continue;
            }
            // The value belongs to its own text.
            let json = if text("yaml").is_some() { text("json") } else { known.get("json").cloned() };
            let id = if parts.len() > 1 { format!("{stem}-{number:02}") } else { stem.to_owned() };
            let (text, events) = (bare(&known["yaml"]), known.get("tree").cloned().unwrap_or_default());
            cases.push(Case { id, text, events: bare(&events), json, fails: part.get("fail").is_some() });
        }
    }
    cases
}

/// A text of the suite without the signs that stand for what cannot be seen.
fn bare(shown: &str) -> String {
    let text = shown.replace('␣', " ").replace("——»", "\t").replace("—»", "\t").replace(['»'], "\t");
    let text = text.replace('—', "").replace('←', "\r").replace('⇔', "\u{feff}").replace('↵', "");
    text.strip_suffix("∎\n").map(str::to_owned).unwrap_or(text)
}

/// Reads the events of one document; `None` where there are several, or none that is whole.
fn expected(events: &str) -> Option<Expected> {
    let lines: Vec<&str> = events.lines().map(|line| line.strip_suffix('\r').unwrap_or(line).trim_start()).collect();
    let documents = lines.iter().filter(|line| line.starts_with("+DOC")).count();
    if documents == 0 {
        return Some(Expected::Plain(String::new()));
    }
    let mut lines = lines.into_iter().skip_while(|line| !line.starts_with("+DOC")).skip(1);
    let node = node(&mut lines, &mut BTreeMap::new());
    (documents == 1).then_some(node).flatten()
}

/// The next node; `None` at the end of a collection.
fn node<'e>(lines: &mut impl Iterator<Item = &'e str>, anchors: &mut BTreeMap<String, Expected>) -> Option<Expected> {
    let line = lines.next()?;
    if let Some(name) = line.strip_prefix("=ALI *") {
        return anchors.get(name).cloned();
    }
    let kind = line.get(..4)?;
    let mut rest = line[4..].trim_start();
    let mut anchor = None;
    loop {
        if let Some(flow) = rest.strip_prefix("[]").or_else(|| rest.strip_prefix("{}")) {
            rest = flow.trim_start();
        } else if let Some(named) = rest.strip_prefix('&') {
            let (name, after) = named.split_once(' ').unwrap_or((named, ""));
            (anchor, rest) = (Some(name.to_owned()), after.trim_start());
        } else if rest.starts_with('<') {
            rest = rest.split_once('>').map_or("", |(_, after)| after).trim_start();
        } else {
            break;
        }
    }
    let found = match kind {
        "=VAL" => {
            let text = unescaped(rest.get(1..)?);
            if rest.starts_with(':') { Expected::Plain(text) } else { Expected::Quoted(text) }
        }
        "+SEQ" => Expected::List(std::iter::from_fn(|| node(lines, anchors)).collect()),
        "+MAP" => {
            let mut pairs = Vec::new();
            while let Some(key) = node(lines, anchors) {
                pairs.push((key, node(lines, anchors)?));
            }
            Expected::Map(pairs)
        }
        _ => return None,
    };
    anchors.extend(anchor.map(|name| (name, found.clone())));
    Some(found)
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, c == '\\') {
            (c, false) => c,
            _ => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some(other) => other,
                None => '\\',
            },
        });
    }
    out
}

/// Whether a node is what the suite says. Of a plain scalar the text must mean the value.
fn is_as(tree: &Tree, id: NodeId, expected: &Expected) -> bool {
    match (tree.kind(id), expected) {
        (Kind::Text(text, style), Expected::Plain(wanted)) => **text == **wanted && *style == Style::Plain,
        (Kind::Text(text, style), Expected::Quoted(wanted)) => **text == **wanted && *style != Style::Plain,
        (Kind::Null, Expected::Plain(text)) => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
        (Kind::Bool(value), Expected::Plain(text)) => text.to_lowercase() == value.to_string(),
        (Kind::Int(value), Expected::Plain(text)) => {
            let digits = |prefix, radix| i64::from_str_radix(text.strip_prefix(prefix)?, radix).ok();
            text.parse().ok().or_else(|| digits("0x", 16)).or_else(|| digits("0o", 8)) == Some(*value)
        }
        (Kind::Float(value), Expected::Plain(text)) => {
            text.parse::<f64>().is_ok_and(|wanted| wanted.total_cmp(value).is_eq())
        }
        (Kind::List(items), Expected::List(wanted)) => {
            items.len() == wanted.len() && items.iter().zip(wanted).all(|(item, wanted)| is_as(tree, *item, wanted))
        }
        (Kind::Map(entries), Expected::Map(wanted)) => {
            let is_key = |key: NodeId, wanted: &Expected| match wanted {
                Expected::Plain(text) | Expected::Quoted(text) => tree.text(key) == Some(text),
                Expected::List(_) | Expected::Map(_) => false,
            };
            let pairs = entries.iter().zip(wanted);
            let mut same =
                pairs.map(|((key, value), wanted)| is_key(*key, &wanted.0) && is_as(tree, *value, &wanted.1));
            entries.len() == wanted.len() && same.all(|same| same)
        }
        _ => false,
    }
}

/// Whether two values are equal; `1` and `1.0` are.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// A finding's reason, in the words of the list.
fn reason(finding: &Diagnostic) -> &'static str {
    let known = [
        (Code::YamlFeature, "the tag `", "tag"),
        (Code::YamlFeature, "a directive", "directive"),
        (Code::YamlFeature, "a second document", "second-document"),
        (Code::YamlFeature, "a key is empty", "empty-key"),
        (Code::YamlFeature, "the merge key", "merge-key"),
        (Code::YamlFeature, "an alias cannot be a key", "alias-as-key"),
        (Code::YamlFeature, "an alias stands inside", "alias-in-itself"),
        (Code::YamlFeature, "cannot be a key", "collection-as-key"),
        (Code::YamlFeature, "is not a number that can be printed", "not-finite"),
        (Code::DuplicateKey, "twice", "duplicate-key"),
        (Code::YamlLimit, "", "limit"),
        (Code::YamlSyntax, "the control character", "control-character"),
        (Code::YamlSyntax, "", "syntax"),
    ];
    let found = known.iter().find(|(code, words, _)| finding.code == *code && finding.message.contains(words));
    found.map_or("unknown", |(.., reason)| reason)
}

/// What becomes of a case, if that is not what the suite says.
fn verdict(case: &Case) -> Option<(&'static str, String)> {
    let tree = match yaml::parse(FileId(0), &case.text, &Limits::default()) {
        Ok(tree) => tree,
        Err(_) if case.fails => return None,
        Err(findings) => return Some(("refused", reason(findings.iter().next().unwrap()).to_owned())),
    };
    if case.fails {
        // A list in brackets may go on at the margin of its key, as most parsers have it.
        let is_at_margin = case.text.lines().any(|line| line.ends_with(']') && !line.starts_with([' ', '[', '-']));
        return Some(("lenient", if is_at_margin { "bracket-at-the-margin" } else { "unknown" }.to_owned()));
    }
    let Some(expected) = expected(&case.events) else { return Some(("otherwise", "several-documents".to_owned())) };
    if !is_as(&tree, tree.root(), &expected) {
        return Some(("otherwise", "value".to_owned()));
    }
    let json = case.json.as_ref().filter(|text| !text.trim().is_empty())?;
    let wanted: Json = serde_json::from_str(json).unwrap_or_else(|error| panic!("{}: {error}: {json}", case.id));
    let found = yaml::to_json(&tree, tree.root());
    (!same(&found, &wanted)).then(|| ("otherwise", "scalar-type".to_owned()))
}

#[test]
#[expect(clippy::print_stderr, clippy::print_stdout, reason = "how many cases there were must be seen")]
fn every_case_of_the_yaml_test_suite_is_taken_or_refused_on_purpose() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: the YAML test suite is not beside the checkout ({BESIDE}), and {FOLDER} is not set");
        return;
    };
    let cases = cases(&folder);
    assert!(cases.len() > 300, "{} cases", cases.len());
    let mut found = String::from(HEAD);
    let mut exactly = 0;
    for case in &cases {
        match verdict(case) {
            None => exactly += 1,
            Some((verdict, reason)) => writeln!(found, "{} {verdict} {reason}", case.id).unwrap(),
        }
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/yaml_suite.txt");
    if env::var_os(UPDATE).is_some() {
        fs::write(&list, &found).unwrap();
    }
    let listed = fs::read_to_string(&list).unwrap();
    println!("{exactly} of {} cases exactly as the suite says", cases.len());
    let only_in = |one: &str, other: &str| {
        one.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    assert!(
        found == listed,
        "not listed:\n{}listed, and not so:\n{}",
        only_in(&found, &listed),
        only_in(&listed, &found)
    );
}
