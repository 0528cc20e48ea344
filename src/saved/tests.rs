use super::*;
use crate::digest::Digest;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn file(action: Action) -> SavedFile {
    let (before, after) = match action {
        Action::Create => (None, Some(digest("new"))),
        Action::Delete => (Some(digest("old")), None),
        _ => (Some(digest("old")), Some(digest("new"))),
    };
    SavedFile { action, before, after, mode: FileMode::Regular, team: "beta".into(), mega_file: "mega-api".into() }
}

fn plan() -> SavedPlan {
    let path = |text: &str| OutputPath::parse(text).unwrap();
    let files = Action::ALL.into_iter().map(|action| (path(&format!("src/a {}.ts", action.as_str())), file(action)));
    SavedPlan {
        engine: "megax 9".into(),
        root: "..".into(),
        out: "build\n\\out ".into(),
        tree: Some(digest("tree")),
        asked: Asked {
            paths: vec!["megafiles/*.yaml".into(), "-".into(), String::new()],
            teams: vec!["Beta".into()],
            only: vec!["src/**".into()],
            manifest: Some("../megax.yaml".into()),
            out: Some("build\n\\out ".into()),
            on_edit: Some(Policy::Merge),
            conflict_markers: true,
            allow_deletes: Some(40),
            limits: [(Limit::FilesPerRule, 7), (Limit::FileBytes, 9)].into(),
            strict: true,
            all_or_nothing: true,
        },
        mega_files: [(("beta".into(), "mega-api".into()), Some(digest("in"))), (("beta".into(), "x".into()), None)]
            .into(),
        inputs: [("megafiles/a b.yaml".into(), digest("yaml"))].into(),
        files: files.collect(),
        shards: [(
            ".megax/lock/beta/mega-api.lock".to_owned(),
            SavedShard { before: None, after: Some(digest("shard")) },
        )]
        .into(),
    }
}

/// The plan's text with a change, and the checksum that fits it.
fn forged(old: &str, new: &str) -> String {
    let text = plan().to_text();
    let body = &text[..text.rfind("end ").unwrap()];
    assert!(body.contains(old), "{old} not in:\n{body}");
    let body = body.replacen(old, new, 1);
    format!("{body}end {}\n", digest(&body))
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    assert_eq!(SavedPlan::parse(&plan().to_text()), Ok(plan()));
    let bare = SavedPlan { tree: None, asked: Asked::default(), inputs: BTreeMap::new(), ..plan() };
    let bare = SavedPlan { mega_files: BTreeMap::new(), files: BTreeMap::new(), shards: BTreeMap::new(), ..bare };
    assert_eq!(SavedPlan::parse(&bare.to_text()), Ok(bare.clone()));
    assert!(bare.is_empty() && !plan().is_empty());
    assert!(is_plan(bare.to_text().as_bytes()) && !is_plan(b"megax-lock 1\n"));
}

#[test]
fn every_edit_and_every_cut_is_noticed() {
    let text = plan().to_text();
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        assert!(SavedPlan::parse(&text[..end]).is_err(), "cut at {end}");
    }
    let edited = text.replacen("create", "delete", 1);
    assert_eq!(SavedPlan::parse(&edited).unwrap_err().reason, Flaw::Checksum);
    assert_eq!(SavedPlan::parse(&text.replace('\n', "\r\n")).unwrap_err().reason, Flaw::Checksum);
    assert_eq!(SavedPlan::parse(&format!("{text}\n")).unwrap_err().reason, Flaw::Checksum);
    assert!(matches!(SavedPlan::parse("megax-plan 1\n").unwrap_err().reason, Flaw::Version(_)));
}

#[test]
fn a_forged_plan_names_no_place_outside_of_the_tree() {
    for (old, new, word) in [
        ("src/a create.ts", "../a", "output path"),
        ("src/a create.ts", "/etc/passwd", "output path"),
        ("src/a create.ts", ".megax/lock/x", "output path"),
        (".megax/lock/beta/mega-api.lock", ".megax/lock/../x.lock", "place of a lockfile"),
        (".megax/lock/beta/mega-api.lock", "src/a.lock", "place of a lockfile"),
        ("file create - ", "file launch - ", "action"),
        (" regular beta", " setuid beta", "mode"),
        (" regular beta", " regular ../b", "name of a team or mega-file"),
        ("tree ", "tree x", "digest"),
        ("asked on-edit merge", "asked on-edit all", "policy"),
        ("asked allow-deletes 40", "asked allow-deletes -1", "number"),
        ("asked strict yes", "asked run rm", "option of a plan"),
        ("asked limit files_per_rule=7", "asked limit files=7", "limit"),
        ("asked limit files_per_rule=7", "asked limit files_per_rule=0", "limit"),
        ("asked limit files_per_rule=7", "asked limit files_per_rule=99000000", "limit"),
    ] {
        let reason = SavedPlan::parse(&forged(old, new)).unwrap_err().reason;
        assert!(matches!(reason, Flaw::Word(found, _) if found == word), "{new}: {reason:?}");
    }
    for (old, new) in [
        ("asked strict yes", "asked strict no"),
        ("asked allow-deletes 40", "asked allow-deletes 040"),
        ("asked limit files_per_rule=7", "asked limit files_per_rule=07"),
        ("asked team Beta\nasked only src/**", "asked only src/**\nasked team Beta"),
        ("src/a create.ts", "src/z.ts"),
        ("tree ", "tree  "),
        ("engine megax 9\n", ""),
    ] {
        assert!(SavedPlan::parse(&forged(old, new)).is_err(), "{new}");
    }
}

#[test]
fn what_moved_is_named_causes_first() {
    let then = plan();
    assert_eq!(then.moved(&then), [""; 0]);
    assert!(then.does_the_same(&then));
    let mut now = plan();
    now.engine = "megax 10".into();
    now.root = ".".into();
    now.inputs.insert("new.yaml".into(), digest("n"));
    *now.inputs.get_mut("megafiles/a b.yaml").unwrap() = digest("other");
    now.files.remove(&OutputPath::parse("src/a create.ts").unwrap());
    now.files.get_mut(&OutputPath::parse("src/a update.ts").unwrap()).unwrap().before = None;
    assert!(!then.does_the_same(&now));
    assert_eq!(
        then.moved(&now),
        [
            "the plan was made by `megax 9`, and this is `megax 10`",
            "the project root is `.`, and the plan was made for `..`",
            "the input `megafiles/a b.yaml` changed",
            "the input `new.yaml` is new",
            "`src/a create.ts` was to create, and is not any more",
            "`src/a update.ts` changed on disk",
        ]
    );
    let shard = SavedShard { before: None, after: None };
    let now = SavedPlan { shards: [(".megax/lock/beta/mega-api.lock".to_owned(), shard)].into(), ..plan() };
    assert_eq!(then.moved(&now), ["what becomes of `.megax/lock/beta/mega-api.lock` changed"]);
    let now = SavedPlan { tree: None, ..plan() };
    assert_eq!(then.moved(&now).len(), 1);
    // What was read beside it is no reason to refuse.
    let now = SavedPlan { inputs: BTreeMap::new(), ..plan() };
    assert!(then.does_the_same(&now));
}
