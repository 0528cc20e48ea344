use super::*;
use proptest::prelude::*;

fn sample() -> Lockfile {
    let entry = |text: &str, template: &str| LockEntry {
        digest: Digest::of(text.as_bytes()),
        lf_digest: None,
        mode: FileMode::Regular,
        state: EntryState::Managed,
        template: template.to_owned(),
    };
    let path = |text| OutputPath::parse(text).unwrap();
    Lockfile {
        team: "beta".into(),
        mega_file: "mega-api-001".into(),
        engine: "megax 0.1.0".into(),
        inputs: None,
        source: Some("megafiles/team beta/api.yaml".into()),
        entries: [
            (path("a b/c.ts"), entry("1", "a controller")),
            (path("src/x"), LockEntry { state: EntryState::Once, mode: FileMode::Executable, ..entry("2", "") }),
        ]
        .into(),
    }
}

fn flaw(text: &str) -> (usize, Flaw) {
    let error = Lockfile::parse(text).unwrap_err();
    (error.line, error.reason)
}

#[test]
fn the_text_is_what_people_merge() {
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let text = format!(
        "megax-lock 1\nengine megax 0.1.0\ninputs -\nteam beta\nmega-file mega-api-001\n\
         source megafiles/team beta/api.yaml\n\
         {one} regular - a b/c.ts\ta controller\n{two} executable once src/x\t-\n"
    );
    assert_eq!(sample().to_text(), text);
    assert_eq!(Lockfile::parse(&text), Ok(sample()));
    assert_eq!(Lockfile::parse(&text.replace('\n', "\r\n")), Ok(sample()), "git may turn the line endings");
    assert_eq!(sample().shard_path(), ".megax/lock/beta/mega-api-001.lock");
}

#[test]
fn only_a_text_with_crlf_asks_for_version_2() {
    let mut lockfile = sample();
    let lf_digest = Some(Digest::of(b"3"));
    lockfile.entries.insert(
        OutputPath::parse("b.bat").unwrap(),
        LockEntry {
            digest: Digest::of(b"2"),
            lf_digest,
            mode: FileMode::Regular,
            state: EntryState::Managed,
            template: "run".into(),
        },
    );
    let (two, three) = (Digest::of(b"2"), Digest::of(b"3"));
    let line = format!("{two}/{three} regular - b.bat\trun\n");
    let text = lockfile.to_text();
    assert!(text.starts_with("megax-lock 2\n") && text.contains(&line), "{text}");
    assert_eq!(Lockfile::parse(&text), Ok(lockfile.clone()));
    let merged = text.replacen("lock 2", "lock 1", 1);
    assert_eq!(Lockfile::parse(&merged), Ok(lockfile), "a merge may leave the lower version");
    let merged = sample().to_text().replacen("lock 1", "lock 2", 1);
    assert_eq!(Lockfile::parse(&merged), Ok(sample()), "a merge may leave the higher version");
    assert_eq!(flaw(&text.replacen(&three.to_string(), "", 1)), (8, Flaw::Digest(String::new())));
}

#[test]
fn only_a_detached_file_asks_for_version_3() {
    let mut lockfile = sample();
    for entry in lockfile.entries.values_mut() {
        entry.state = entry.state.detached();
    }
    let text = lockfile.to_text();
    assert!(text.starts_with("megax-lock 3\n") && text.contains(" regular detached a b/c.ts\t"), "{text}");
    assert!(text.contains(" executable detached-once src/x\t"), "{text}");
    // One branch detached a second file, the other adopted the first: a merge takes the first line of the other and the
    // last one of the one.
    for lower in ["lock 1", "lock 2"] {
        let merged = Lockfile::parse(&text.replacen("lock 3", lower, 1));
        assert_eq!(merged.as_ref(), Ok(&lockfile));
        assert_eq!(merged.map(|merged| merged.to_text()), Ok(text.clone()), "the next write mends the line");
    }
}

#[test]
fn an_unfinished_merge_is_named() {
    for mark in MARKERS {
        let text = sample().to_text().replacen("inputs -\n", &format!("inputs -\n{mark} ours\n"), 1);
        assert_eq!(flaw(&text), (4, Flaw::ConflictMarker(mark)));
    }
}

#[test]
fn hostile_text_is_refused() {
    let text = sample().to_text();
    let lines: Vec<&str> = text.lines().collect();
    let swap = |from: &str, to: &str| flaw(&text.replacen(from, to, 1));
    assert_eq!(flaw(""), (1, Flaw::Version(String::new())));
    assert_eq!(swap("lock 1", "lock 4"), (1, Flaw::Version("megax-lock 4".into())));
    assert_eq!(swap("team beta\n", ""), (4, Flaw::Header("team")));
    assert_eq!(swap("team beta", "team .."), (4, Flaw::Name("..".into())));
    assert_eq!(swap("mega-file mega-api-001", "mega-file ../x"), (5, Flaw::Name("../x".into())));
    assert_eq!(swap("inputs -", "inputs xyz"), (3, Flaw::Digest("xyz".into())));
    assert_eq!(swap("src/x", "../x"), (8, Flaw::Path(PathError::Escapes("..".into()))));
    assert_eq!(swap("src/x", ".git/x"), (8, Flaw::Path(PathError::Reserved(".git".into()))));
    assert_eq!(swap("src/x", "e\u{301}"), (8, Flaw::NotNormal("e\u{301}".into())));
    assert_eq!(swap("executable once", "sticky once"), (8, Flaw::Mode("sticky".into())));
    assert_eq!(swap("executable once", "executable twice"), (8, Flaw::State("twice".into())));
    assert_eq!(swap("\t-", "\t\\q"), (8, Flaw::Escape("\\q".into())));
    assert_eq!(swap("\t-", "\t\\u{41}"), (8, Flaw::Escape("\\u{41}".into())), "one spelling only");
    assert_eq!(swap("\t-", "\tx\u{fffd}"), (8, Flaw::NotText));
    assert_eq!(flaw(text.trim_end()), (8, Flaw::CutOff));
    assert_eq!(flaw(&format!("{text}{}\n", lines[7])), (9, Flaw::Duplicate("src/x".into())));
    assert_eq!(flaw(&format!("{text}{}\n", lines[6])), (9, Flaw::Order("a b/c.ts".into())));
    assert_eq!(flaw(&format!("{text}\n")), (9, Flaw::Fields));
    for source in ["/a.yaml", "../a.yaml", "a/../b", "./a", "a//b", "a/", "a\\b", "C:/a", " a", "a\u{7}b", ""] {
        let text = text.replacen("megafiles/team beta/api.yaml", source, 1);
        assert_eq!(flaw(&text), (6, Flaw::Source(source.into())), "{source:?}");
    }
    let long = "x/".repeat(MAX_SOURCE_BYTES) + "x";
    assert_eq!(swap("megafiles/team beta", &long).0, 6);
    assert_eq!(swap("source megafiles/team beta/api.yaml\n", ""), (6, Flaw::Header("source")));
    assert_eq!(Lockfile::parse(&text.replacen("megafiles/team beta/api.yaml", "-", 1)).unwrap().source, None);
}

proptest! {
    #[test]
    fn every_record_reads_back(
        engine in ".{0,12}",
        inputs in proptest::option::of(any::<u8>()),
        source in proptest::option::of("\\PC{0,12}"),
        files in proptest::collection::btree_map(
            "[a-c ]{1,3}(/[a-c]{1,2})?",
            (any::<(u8, Option<u8>)>(), any::<bool>(), 0..EntryState::ALL.len(), "(\\PC|[\\\\\t\n -]){0,6}"),
            0..8,
        ),
    ) {
        let entries = files.into_iter().filter_map(|(path, (body, exec, state, template))| {
            let mode = if exec { FileMode::Executable } else { FileMode::Regular };
            let state = EntryState::ALL[state];
            let (digest, lf_digest) = (Digest::of(&[body.0]), body.1.map(|seed| Digest::of(&[seed])));
            Some((OutputPath::parse(&path).ok()?, LockEntry { digest, lf_digest, mode, state, template }))
        }).collect();
        let inputs = inputs.map(|seed| Digest::of(&[seed]));
        let source = source.filter(|text| is_source(text));
        let lockfile = Lockfile { team: "t".into(), mega_file: "m.1".into(), engine, inputs, source, entries };
        prop_assert_eq!(Lockfile::parse(&lockfile.to_text()), Ok(lockfile));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(\\PC|\n|\t){0,200}") {
        let _ = Lockfile::parse(&text);
        let _ = Lockfile::parse(&format!("{VERSION_LINE}\nengine x\ninputs -\nteam t\nmega-file m\n{text}"));
        let _ = Lockfile::parse(&format!("{VERSION_LINE}\nengine x\ninputs -\nteam t\nmega-file m\nsource -\n{text}"));
    }
}
