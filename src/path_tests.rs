use super::*;
use proptest::prelude::*;

/// Which rule a text breaks, as the name of the error.
fn broken_rule(text: &str) -> &'static str {
    match OutputPath::parse(text) {
        Ok(_) => "none",
        Err(error) => match error {
            PathError::Empty => "empty",
            PathError::Absolute => "absolute",
            PathError::Escapes(_) => "escapes",
            PathError::EmptyPart => "empty part",
            PathError::Character(_) => "character",
            PathError::Device(_) => "device",
            PathError::Edge(_) => "edge",
            PathError::Reserved(_) => "reserved",
            PathError::ShortName(_) => "short name",
            PathError::Elsewhere(_) => "elsewhere",
            PathError::TooLong(..) => "too long",
        },
    }
}

#[test]
fn every_rule_has_its_cases() {
    let cases: &[(&str, &[&str])] = &[
        ("empty", &[""]),
        ("absolute", &["/etc/x", "//x", "//server/share/x", "\\x", "\\\\?\\C:\\x", "C:\\x", "C:x", "c:/x"]),
        ("escapes", &["..", ".", "a/../b", "../x", "./x", "a/.", "a/.."]),
        // One dot leader, two dot leader, full-width dots: plain dots to programs that use a code page.
        ("escapes", &["\u{2024}\u{2024}/x", "\u{2025}/x", "\u{ff0e}\u{ff0e}/x", "a/\u{ff0e}", "\u{2026}"]),
        ("empty part", &["a//b", "a/", "src//etc/passwd"]),
        ("character", &["a\\b", "ab:c", ".git::$INDEX_ALLOCATION/x", "a*b", "a?b", "a\"b", "a<b", "a>b", "a|b"]),
        ("character", &["a\0b", "a\nb", "a\rb", "a\tb", "a\u{1b}[31mb", "a\u{7f}b", "a\u{9b}b", "a\u{85}b"]),
        // What HFS+ and Linux leave out when they compare names, and what reorders.
        ("character", &[".g\u{200c}it/x", ".\u{200d}git/x", ".git\u{feff}/x", ".gi\u{2063}t", ".g\u{fe0f}it"]),
        ("character", &["a\u{202e}b", "a\u{2066}b", "a\u{61c}b", "a\u{ad}b", "a\u{34f}b", "a\u{3164}", "\u{e0041}"]),
        ("character", &["a\u{2028}b", "a\u{a0}b", "a\u{202f}b", "a\u{fffb}b"]),
        // What looks like a separator, or becomes one.
        (
            "character",
            &["a\u{2215}b", "..\u{2215}x", "a\u{ff0f}b", "a\u{2044}b", "a\u{ff3c}b", "a\u{fe68}b", "a\u{29f8}b"],
        ),
        // Private use (Cygwin and Samba read U+F03A as `:`), unassigned, and what is no character.
        ("character", &["a\u{f03a}b", "a\u{e000}", "\u{f0000}", "a\u{378}", "a\u{fdd0}", "a\u{ffff}"]),
        (
            "device",
            &["CON", "con", "aux.ts", "COM1.txt", "com¹", "LPT³.x", "nul.tar.gz", "x/PRN/y", "CONIN$", "conout$.a"],
        ),
        ("device", &["con .txt", "COM0", "\u{ff23}\u{ff2f}\u{ff2e}", "com\u{2460}"]),
        ("edge", &["a.", "a ", " a", "x/a./b", "x /b", ".git./x", ".git /x", "...", "\u{3000}a", "a\u{3000}"]),
        ("reserved", &[".git/hooks/x", ".GIT/config", "sub/.git", ".megax/x", ".MEGAX", "a/.Megax/lock/x"]),
        ("reserved", &[".hg/hgrc", "a/.SVN/x", ".jj/x", ".bzr/x", "_darcs/prefs", ".sl/x", ".pijul/x"]),
        // Full-width and mathematical letters; the fold of a Kelvin sign is `k`, but no reserved name has one.
        ("reserved", &["\u{ff0e}git/x", ".\u{ff47}it/x", ".g\u{2139}t", "\u{2024}git", ".me\u{1d420}ax/x"]),
        ("short name", &["git~1/x", "GIT~2", "a/GIT~9/config", "MEGAX~1", "gi7eba~1", "GITHUB~1/x", "index~12.htm"]),
        ("elsewhere", &["~/x", "a/~/b", "a/..namedfork/rsrc", "..NamedFork"]),
        (
            "too long",
            &[&"n".repeat(256), &"é".repeat(128), &("d/".repeat(64) + "f"), &vec!["n".repeat(250); 5].join("/")],
        ),
        // 210 bytes, but four UTF-16 units each where names are decomposed.
        ("too long", &[&"\u{1f82}".repeat(70)]),
    ];
    for (rule, texts) in cases {
        for text in *texts {
            assert_eq!(broken_rule(text), *rule, "{text:?}");
        }
    }
}

#[test]
fn takes_ordinary_names() {
    for text in [
        "a",
        "src/api/v1/users/controller.ts",
        ".github/workflows/ci.yml",
        "[id].tsx",
        "(group)/page.tsx",
        "å/ü.txt",
        "日本語/ファイル\u{3000}名.md",
        "🦀.rs",
        "½.md",
        "console.ts",
        "com10.txt",
        "icon/x",
        ".gitignore",
        ".gitmodules",
        "..a",
        "a..b",
        "a b/c",
        "@scope/x",
        "$types.d.ts",
        "+page.svelte",
        "-components/x.tsx",
        "~partials/x",
        "notes~",
        "file~1-of-2.txt",
        "averylongname~1",
        "x~1.html",
        "%2e%2e/x",
        "CVS/x",
        "_layout.tsx",
        "wait….md",
        "what？.md",
        &"é".repeat(127),
        &("d/".repeat(63) + "f"),
        &"n".repeat(255),
    ] {
        assert_eq!(OutputPath::parse(text).as_ref().map(OutputPath::as_str), Ok(text));
    }
}

#[test]
fn one_place_has_one_key() {
    let key = |text: &str| OutputPath::parse(text).map(|path| path.key());
    assert_eq!(key("Readme.md"), key("README.md"));
    assert_eq!(key("caf\u{e9}.ts"), key("cafe\u{301}.ts"));
    assert_eq!(key("stra\u{df}e"), key("STRASSE"));
    assert_eq!(key("\u{fb01}le"), key("file"));
    assert_ne!(key("a"), key("b"));
}

proptest! {
    #[test]
    fn parsing_is_stable(text in "\\PC{0,40}") {
        if let Ok(path) = OutputPath::parse(&text) {
            prop_assert_eq!(OutputPath::parse(path.as_str()), Ok(path.clone()));
            prop_assert!(path.parts().all(|part| !part.is_empty() && part != "." && part != ".."));
            let key = path.key();
            prop_assert_eq!(fold(key.as_str()), key.as_str());
        }
    }

    /// Whatever is put around and into the letters of a reserved name, what is taken is not that name.
    #[test]
    fn nothing_that_some_file_system_reads_as_git_is_taken(
        letters in prop::collection::vec((any::<char>(), any::<bool>(), any::<bool>()), 4),
        tail in "[. ]{0,3}",
    ) {
        let mut text = String::new();
        for (c, (noise, put, upper)) in ".git".chars().zip(letters) {
            text.push(if upper { c.to_ascii_uppercase() } else { c });
            if put && (is_ignorable(noise) || is_hidden(noise)) {
                text.push(noise);
            }
        }
        text.push_str(&tail);
        prop_assert!(OutputPath::parse(&text).is_err());
        let below = format!("a/{text}/b");
        prop_assert!(OutputPath::parse(&below).is_err());
    }
}
