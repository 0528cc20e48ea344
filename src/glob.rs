//! Path patterns: globs over output paths, as the manifest and `--only` write them. Pure functions of text; which files
//! exist is not known here.

use globset::{GlobBuilder, GlobMatcher};

use crate::path::fold;

/// A pattern of output paths. `*` stays inside one name, `**` means any number of folders; a leading `/` or `./` is the
/// output root, a trailing `/` means everything below, a plain path without `*` in its
/// last name means itself and everything below.
#[derive(Debug, Clone)]
pub struct PathPattern {
    written: String,
    /// Without what stands for the output root.
    text: String,
    /// The glob itself and, where it may be a folder, everything below it.
    matchers: Vec<GlobMatcher>,
}

impl PathPattern {
    /// Reads a pattern. A `folded` one is meant for folded paths ([`crate::path::OutputPath::key`]).
    ///
    /// # Errors
    /// What is wrong with the glob, as a lower-case fragment.
    pub fn parse(written: &str, folded: bool) -> Result<Self, String> {
        let text = written.trim().trim_start_matches("./").trim_start_matches('/');
        let text = if folded { fold(text) } else { text.to_owned() };
        let build = |glob: &str| {
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
        };
        let stem = text.trim_end_matches('/');
        let matchers = if stem.is_empty() {
            vec![build("**")?]
        } else if text.ends_with('/') {
            vec![build(&format!("{stem}/**"))?]
        } else if stem.rsplit('/').next().is_some_and(|name| name.contains(['*', '?', '[', '{'])) {
            // `src/*` means the files there, not everything below every folder there.
            vec![build(stem)?]
        } else {
            vec![build(stem)?, build(&format!("{stem}/**"))?]
        };
        Ok(Self { written: written.to_owned(), text, matchers })
    }

    /// The pattern as somebody wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The pattern relative to the output root, without a leading `/` or `./`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a path, relative to the output root, is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_the_manifest_says() {
        for (glob, inside, outside) in [
            ("/src/api/", "src/api/x/y.ts", "src/apix/y.ts"),
            ("./src/api/", "src/api/x/y.ts", "src/apix/y.ts"),
            ("src/api", "src/api/y.ts", "src/y.ts"),
            ("/src/*.ts", "src/a.ts", "src/a/b.ts"),
            ("/src/*", "src/a.ts", "src/a/b.ts"),
            ("/src/*/", "src/a/b.ts", "src/a.ts"),
            ("/src/**", "src/a/b.ts", "lib/a.ts"),
            ("README.md", "README.md", "docs/README.md"),
            ("**/*.md", "docs/a/README.md", "docs/a/README.txt"),
        ] {
            let pattern = PathPattern::parse(glob, false).unwrap();
            assert!(pattern.matches(inside), "{glob} {inside}");
            assert!(!pattern.matches(outside), "{glob} {outside}");
            assert_eq!(pattern.written(), glob);
        }
        assert!(PathPattern::parse("/", false).unwrap().matches("any/thing"));
        assert!(PathPattern::parse("a[", false).is_err());
    }

    #[test]
    fn a_folded_pattern_is_for_folded_paths() {
        let pattern = PathPattern::parse("/src/Secret/", true).unwrap();
        assert!(pattern.matches("src/secret/x"));
        assert_eq!((pattern.written(), pattern.text()), ("/src/Secret/", "src/secret/"));
    }
}
