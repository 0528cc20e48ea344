use super::*;

fn kinds(path: &str) -> Vec<&'static str> {
    let path = OutputPath::parse(path).unwrap();
    places(path.key().as_str()).into_iter().map(|place| place.kind.as_str()).collect()
}

#[test]
fn every_place_is_folded_named_once_and_says_who_obeys_it() {
    let mut seen = BTreeSet::new();
    for place in PLACES {
        assert_eq!(fold(place.pattern), place.pattern);
        assert!(seen.insert(place.pattern), "{} twice", place.pattern);
        assert!(place.why.len() > 10, "{}", place.pattern);
        // What it stands for is found, in any folder and letter case, and is a path at all.
        let file = match place.pattern.strip_suffix('/') {
            Some(folder) => format!("{folder}/x.y"),
            None => place.pattern.replace('*', "x"),
        };
        for path in [file.clone(), format!("a/b/{}", file.to_uppercase())] {
            assert!(kinds(&path).contains(&place.kind.as_str()), "{path}");
        }
    }
}

#[test]
fn what_a_project_plainly_consists_of_is_not_sensitive() {
    for path in [
        "package.json",
        "Makefile",
        "Cargo.toml",
        "pyproject.toml",
        "Dockerfile",
        "docker-compose.yml",
        "tests/conftest.py",
        "scripts/run.sh",
        "CMakeLists.txt",
        "build.gradle.kts",
        "pnpm-workspace.yaml",
        "tsconfig.json",
        "vite.config.ts",
        "rust-toolchain.toml",
        "flake.nix",
        ".env",
        ".gitignore",
        ".editorconfig",
        ".gitkeep",
        ".dockerignore",
        ".github/ISSUE_TEMPLATE/bug.md",
        ".github/dependabot.yml",
        "src/workflows/x.ts",
        "src/head.html",
        "docs/agents.html",
        "src/husky/x",
        "src/build.rs.txt",
        "vscode/settings.json",
        "README.md",
    ] {
        assert_eq!(kinds(path), [""; 0], "{path}");
    }
}

#[test]
fn a_write_path_grants_what_it_names_and_nothing_else() {
    let pattern = |text: &str| PathPattern::parse(text, false).unwrap();
    let of = |text: &str| named(&pattern(text)).into_iter().map(GrantKind::as_str).collect::<Vec<_>>();
    for text in ["/.github/workflows/", ".GitHub/Workflows", "/.github/workflows/*.yml", "**/.github/workflows/**"] {
        assert_eq!(of(text), ["ci"], "{text}");
    }
    assert_eq!(of("/crates/*/build.rs"), ["build"]);
    assert_eq!(of("/.vscode/.npmrc"), ["editor", "build"]);
    for text in ["/", "**", "/.github/", "/.github/**", "/.github/*/", "/.*/", "/src/", "/.[v]scode/", "*.rs"] {
        assert_eq!(of(text), [""; 0], "{text}");
    }
}

#[test]
fn the_help_names_the_narrowest_place() {
    let by = |path: &str| {
        let path = OutputPath::parse(path).unwrap();
        named_by(&path, places(path.key().as_str())[0])
    };
    assert_eq!(by("app/.GitHub/workflows/a/ci.yml"), "app/.GitHub/workflows/");
    assert_eq!(by("crates/a/build.rs"), "crates/a/build.rs");
    assert_eq!(by(".husky/pre-commit"), ".husky/");
}
