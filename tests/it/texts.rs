//! Texts that nobody meant to write, given to everything that reads one: the seeds of the fuzz targets, and random ones.
//! What only the library's own tests can reach (journals, the log, the scanner) is tried there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::invariants;
use crate::properties::config;

/// What a seed is given to.
type Check = fn(&[u8]);

/// Of each fuzz target, what its seeds are given to.
const TARGETS: [(&str, Check); 6] = [
    ("lockfile", |bytes| invariants::lockfile(&String::from_utf8_lossy(bytes))),
    ("merge", merge),
    ("model", |bytes| invariants::project(&String::from_utf8_lossy(bytes))),
    ("path", |bytes| invariants::path(&String::from_utf8_lossy(bytes))),
    ("plan", |bytes| invariants::plan(&String::from_utf8_lossy(bytes))),
    ("template", |bytes| invariants::template(&String::from_utf8_lossy(bytes))),
];
/// Far more than any seed takes, also in a debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

fn merge(bytes: &[u8]) {
    let mut texts = bytes.splitn(3, |&byte| byte == 0xff);
    let [base, edited, new] = [(); 3].map(|()| texts.next().unwrap_or_default());
    invariants::merge(base, edited, new);
}

/// On a stack as large as that of a render thread.
fn on_a_large_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(32 << 20).spawn_scoped(scope, work).unwrap();
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "shown when it fails")]
fn every_seed_of_the_fuzz_targets_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    if !folder.is_dir() {
        println!("SKIPPED: the published package comes without the seeds");
        return;
    }
    for (name, check) in TARGETS {
        let mut seeds: Vec<_> = fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        seeds.sort();
        assert!(seeds.len() > 2, "{name} has no seeds");
        for seed in seeds {
            let (bytes, start) = (fs::read(&seed).unwrap(), Instant::now());
            println!("{}", seed.display());
            on_a_large_stack(|| check(&bytes));
            assert!(start.elapsed() < LONGEST, "{}", seed.display());
        }
    }
}

/// Pieces of which templates, expressions and paths are made, good and bad.
fn template_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "{# ",
        " #}",
        "[[ ",
        " ]]",
        "{entity}",
        "{Entity}",
        "{entity.name}",
        "{kind|upper}",
        "{enttiy}",
        "{\\entity}",
        "for one in data.tags",
        "endfor",
        "if entity.flag",
        "else",
        "endif",
        "set x = 1",
        "macro m(a)",
        "endmacro",
        "m(1)",
        "raw",
        "endraw",
        "include 'jinja'",
        "one",
        "loop.index",
        "entity",
        "data.version",
        "'",
        "\"",
        " ",
        "\n",
        "-",
        "..",
        "/",
        "|",
        "json",
        "join(',')",
        "range(3)",
        "[",
        "]",
        "(",
        ")",
        "1",
        " + ",
        " ~ ",
        "\u{1b}",
        "\u{202e}",
        "å",
        "none",
        "x",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..16).prop_map(|pieces| pieces.concat())
}

/// Texts that are nearly a shard.
fn shard_text() -> impl Strategy<Value = String> {
    let digest = "[0-9a-f]{64}";
    let line = format!(
        "({digest}(/{digest})? (regular|executable) (-|once|detached) (a|b|c|\\.git|\\.\\.)(/[a-d.]{{1,3}}){{0,2}}\t(-|t|\\\\u\\{{[0-9a-f]{{1,3}}\\}})|[^\r\n]{{0,40}})"
    );
    let head = format!(
        "megax-lock [1234]\nengine [ -~]{{1,9}}\ninputs (-|{digest})\nteam [a.-]{{1,3}}\nmega-file [a-z0-9/]{{1,5}}\nsource (-|[a-z./]{{1,9}})\n"
    );
    let [head, line] = [head, line].map(|pattern| prop::string::string_regex(&pattern).unwrap());
    (head, prop::collection::vec(line, 0..4), prop::bool::ANY).prop_map(|(head, mut lines, sorted)| {
        if sorted {
            lines.sort_by(|a, b| a.get(64..).cmp(&b.get(64..)));
        }
        format!("{head}{}\n", lines.join("\n"))
    })
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn any_text_is_a_safe_path_or_none(text in "(?s).{0,30}", parts in "([aA.~/ \\\\:\u{e9}\u{301}\u{200b}]|CON|git|\\.git|\\.megax|\\.\\.|ß|ﬁ){0,8}") {
        invariants::path(&text);
        invariants::path(&parts);
    }

    #[test]
    fn any_text_is_a_whole_shard_or_none(text in "(?s).{0,80}", shard in shard_text()) {
        invariants::lockfile(&text);
        invariants::lockfile(&shard);
        invariants::lockfile(&shard.replace('\n', "\r\n"));
    }

    #[test]
    fn any_text_is_a_whole_plan_or_none(
        text in "(?s).{0,80}",
        lines in "(megax-plan 2\n)?(engine e\nroot \\.\nout \\.\ntree -\n)?((asked|input|file|shard|mega-file) [ -~]{0,30}\n){0,3}",
    ) {
        invariants::plan(&text);
        invariants::plan(&lines);
    }

    #[test]
    fn any_three_texts_merge_as_promised(texts in prop::array::uniform3("([ab}]?\r?\n|[abc\n]){0,12}")) {
        let [base, edited, new] = &texts;
        invariants::merge(base.as_bytes(), edited.as_bytes(), new.as_bytes());
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn any_text_is_rendered_or_refused(text in template_text(), other in "(?s).{0,40}") {
        on_a_large_stack(|| {
            invariants::template(&text);
            invariants::template(&other);
        });
    }

    #[test]
    fn any_text_is_a_mega_file_or_refused(
        text in "(?s).{0,60}",
        keys in prop::collection::vec("(id|team|generator|templates|data|expansion_rules|generation_templates|factories|contributes): [^\r\n]{0,40}", 0..6),
    ) {
        on_a_large_stack(|| {
            invariants::project(&text);
            invariants::project(&keys.join("\n"));
        });
    }
}
