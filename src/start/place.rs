//! Where a new mega-file of a team may put its files, read off the team's boundary. Pure functions.

use crate::glob::PathPattern;
use crate::model::manifest::Team;
use crate::path::OutputPath;

/// What generated files are called where nothing demands another ending.
const END: &str = ".md";

/// A place for files that no other mega-file plans: paths are prefix, name and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What the paths begin with: a folder with `/`, or the beginning of file names.
    pub prefix: String,
    /// What they end in, such as `.md`.
    pub end: String,
    /// The folder, if a whole tree may be put there.
    pub folder: Option<String>,
}

impl Place {
    /// The place for a mega-file: a folder named as its id in the first write path that has room for one, else files
    /// named after the id, as the first write path that is a file pattern wants them. A team without write paths gets a
    /// folder of its name. `None` if no write path has room for new files.
    #[must_use]
    pub fn of(team: &Team, id: &str) -> Option<Self> {
        Self::all(team, id).into_iter().next()
    }

    /// Every such place, the best first: folders before names in folders that are there for others, too.
    #[must_use]
    pub fn all(team: &Team, id: &str) -> Vec<Self> {
        let written: Vec<String> = if team.boundary.has_write_paths() {
            team.boundary.write_paths().map(str::to_owned).collect()
        } else {
            vec![format!("{}/", team.name)]
        };
        Self::among(team, id, &written)
    }

    /// The places that path patterns leave room for, inside the team's boundary.
    #[must_use]
    pub fn among(team: &Team, id: &str, written: &[String]) -> Vec<Self> {
        let candidates: Vec<Candidate> = written.iter().filter_map(|glob| Candidate::of(glob, id)).collect();
        let may = |path: &str| {
            let parsed = OutputPath::parse(path).ok();
            parsed.is_some_and(|path| team.boundary.allows(&path) && team.boundary.forbids(&path).is_none())
        };
        let folders = candidates.iter().map(|candidate| {
            let folder = join(&candidate.folder, id);
            let tree = candidate.end == END
                && [folder.clone() + "/x.md", folder.clone() + "/x/y.md"].iter().all(|path| may(path));
            let prefix = format!("{folder}/{}", candidate.start);
            Self { prefix, end: candidate.end.clone(), folder: tree.then_some(folder) }
        });
        let flat = candidates.iter().map(|candidate| {
            let prefix = join(&candidate.folder, &format!("{}{id}-", candidate.start));
            Self { prefix, end: candidate.end.clone(), folder: None }
        });
        folders.chain(flat).filter(|place| may(&format!("{}x{}", place.prefix, place.end))).collect()
    }

    /// What a line of text begins with in such a file, so that it is a comment where the end names a language.
    #[must_use]
    pub fn comment(&self) -> &'static str {
        match self.end.rsplit('.').next().unwrap_or_default() {
            "py" | "rb" | "sh" | "yaml" | "yml" | "toml" | "tf" | "hcl" | "rego" => "# ",
            "ts" | "tsx" | "js" | "jsx" | "mjs" | "go" | "rs" | "java" | "kt" | "c" | "h" | "cpp" | "cs" | "swift" => {
                "// "
            }
            "sql" | "lua" | "hs" => "-- ",
            _ => "",
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A write path, taken apart.
struct Candidate {
    /// The folder; where the path has a `*` for a name, that is the id.
    folder: String,
    /// What the names of files begin and end with.
    start: String,
    end: String,
}

impl Candidate {
    fn of(written: &str, id: &str) -> Option<Self> {
        let pattern = PathPattern::parse(written, false).ok()?;
        let text = pattern.text();
        // These would need quoting in the mega-file, or choosing among alternatives.
        if text.contains(['?', '[', ']', '{', '}', '"', '\\', '@']) {
            return None;
        }
        let (folders, file) = match text.rsplit_once('/') {
            Some((folders, file)) => (folders, file),
            None => ("", text),
        };
        let is_file = !file.contains("**") && (file.contains('*') || has_ending(file));
        let folders = if is_file { folders } else { text };
        let folder = folders.split('/').filter(|part| !part.is_empty() && *part != "**");
        let folder: Vec<String> = folder.map(|part| part.replace('*', id)).collect();
        let folder = folder.join("/");
        if !is_file {
            return Some(Self { folder, start: String::new(), end: END.to_owned() });
        }
        // A path without `*` is one file, which somebody has a use for.
        let (start, end) = file.split_once('*')?;
        let end = if end.is_empty() { END } else { end };
        (!end.contains('*')).then(|| Self { folder, start: start.to_owned(), end: end.to_owned() })
    }
}

/// Whether a name looks like that of a file: `README.md`, not `.github`.
fn has_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Limits;
    use crate::source::yaml;
    use crate::span::FileId;

    fn place(boundaries: &str) -> Option<(String, String, bool)> {
        let text = format!("teams: {{ alpha: {{ boundaries: {{ {boundaries} }} }} }}\n");
        let tree = yaml::parse(FileId(0), &text, &Limits::default()).unwrap();
        let (manifest, _) = crate::model::manifest::build(&tree).unwrap();
        let place = Place::of(manifest.team("alpha").unwrap(), "m-1")?;
        Some((place.prefix, place.end, place.folder.is_some()))
    }

    #[test]
    fn the_place_follows_the_write_paths() {
        for (globs, prefix, end, tree) in [
            (r#""/src/core/", "/x/""#, "src/core/m-1/", ".md", true),
            ("src/core", "src/core/m-1/", ".md", true),
            (r#""/""#, "m-1/", ".md", true),
            (r#""src/**""#, "src/m-1/", ".md", true),
            (r#"README.md, "docs/""#, "docs/m-1/", ".md", true),
            (r#"".github/""#, ".github/m-1/", ".md", true),
            (r#""packages/*/src/""#, "packages/m-1/src/m-1/", ".md", true),
            (r#""src/**/*.ts""#, "src/m-1/", ".ts", false),
            (r#""api/app/routes/*.py""#, "api/app/routes/m-1-", ".py", false),
            (r#""tests/test_*.py""#, "tests/test_m-1-", ".py", false),
            (r#""docs/*""#, "docs/m-1-", ".md", false),
            (r#""api/routes/*.py", "api/docs/""#, "api/docs/m-1/", ".md", true),
        ] {
            let found = place(&format!("write_paths: [{globs}]"));
            assert_eq!(found, Some((prefix.to_owned(), end.to_owned(), tree)), "{globs}");
        }
    }

    #[test]
    fn forbidden_paths_and_missing_room_are_seen() {
        let found = place(r#"write_paths: ["/a/", "/b/"], forbidden_paths: ["/a/"]"#);
        assert_eq!(found.unwrap().0, "b/m-1/");
        assert_eq!(place("forbidden_paths: [/x/]").unwrap().0, "alpha/m-1/");
        assert_eq!(place("write_paths: [README.md]"), None);
        assert_eq!(place(r#"write_paths: ["/a/"], forbidden_paths: ["/a/"]"#), None);
    }

    #[test]
    fn text_in_code_is_a_comment() {
        let place = |end: &str| Place { prefix: String::new(), end: end.to_owned(), folder: None };
        assert_eq!(
            ["_test.py", ".ts", ".sql", ".md", ""].map(|end| place(end).comment()),
            ["# ", "// ", "-- ", "", ""]
        );
    }
}
